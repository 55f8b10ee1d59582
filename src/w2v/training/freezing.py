"""What a run leaves as it is: all output rows, all input rows, or both rows of some words.

A run writes it down as one string, which a file can hold: ``"outputs"``, ``"inputs"``, or ``"rows 0-4999 5003"``. Rows
of words never move, since a vocabulary grows at its end.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.training.weights import Weights

WHOLE = ("outputs", "inputs")
ROWS = re.compile(r"rows(?: \d{1,10}(?:-\d{1,10})?)+")
FORGOTTEN = re.compile(r"sha256 [0-9a-f]{64}")

# A file's header has room for a few descriptions of the longest, and for ten thousand short ones.
LONGEST = 1 << 20
SHORT = 1 << 8


def checked(freeze: str | Iterable[Any] | None, index: Mapping[Any, int], weights: Weights) -> str | None:
    """What a user asks to freeze, as a run writes it down; None for nothing.

    Parameters
    ----------
    freeze : {"outputs", "inputs"}, iterable of words, or None
    index : mapping of word to row
    weights : Weights, of the model that is to be trained

    Raises
    ------
    ValueError, TypeError
        It is none of these, or nothing would be left to learn.
    KeyError
        A word is not in the vocabulary.
    """
    if freeze is None or (isinstance(freeze, str) and freeze in WHOLE):
        outputs = [matrix for matrix in (weights.outputs, weights.nodes) if matrix is not None]
        if freeze == "outputs" and not any(matrix.any() for matrix in outputs):
            raise ValueError(
                "freeze='outputs': the output rows are all zero, from which nothing can be learnt; train the model "
                "first, on all text, and then on the slices"
            )
        return freeze
    hint = "; it is 'outputs', 'inputs', or a list of words"
    if isinstance(freeze, str | bytes):
        raise ValueError(f"freeze={freeze!r:.80} is not understood{hint}")
    if not isinstance(freeze, Iterable):
        raise TypeError(f"freeze={freeze!r:.80} is not understood{hint}")
    words = list(freeze)
    unknown = next((word for word in words if word not in index), None)
    if unknown is not None:
        raise KeyError(f"freeze: {unknown!r:.80} is not in the vocabulary of {len(index):,} words; leave it out")
    if not words:
        return None
    if weights.subwords:
        raise ValueError("freeze: a word shares its subwords with others; freeze 'inputs' or 'outputs' as a whole")
    rows = np.unique(np.array([index[word] for word in words], np.int64))
    if len(rows) == len(index) and weights.nodes is None and weights.documents is None:
        raise ValueError("freeze names every word, so that nothing is left to learn; leave some out")
    written = _written(rows)
    if len(written) > LONGEST:
        raise ValueError(
            f"freeze: {len(rows):,} words all over the vocabulary are more than a file can note; freeze fewer, or "
            "words that follow each other in index_to_key"
        )
    return written


def _written(rows: NDArray[np.int64]) -> str:
    """Sorted rows as ranges."""
    cuts = np.flatnonzero(np.diff(rows) > 1) + 1
    firsts, lasts = rows[np.r_[0, cuts]].tolist(), rows[np.r_[cuts - 1, len(rows) - 1]].tolist()
    ranges = (f"{first}-{last}" if last > first else str(first) for first, last in zip(firsts, lasts, strict=True))
    return "rows " + " ".join(ranges)


def check(freeze: object) -> None:
    """Check what a file says that a run has frozen."""
    if freeze is None:
        return
    if not isinstance(freeze, str):
        raise TypeError(f"freeze={freeze!r:.60} of a run must be a string")
    if freeze not in WHOLE and not ROWS.fullmatch(freeze) and not FORGOTTEN.fullmatch(freeze):
        raise ValueError(f"freeze={freeze!r:.60} of a run is not understood")


def shortened(run: dict[str, Any]) -> dict[str, Any]:
    """A run that is over, of which a long description is no longer kept: then it cannot be repeated."""
    freeze = run.get("freeze", "")
    if len(freeze) <= SHORT:
        return run
    return {**run, "freeze": f"sha256 {hashlib.sha256(freeze.encode()).hexdigest()}", "repeatable": False}


def kernel_options(freeze: str | None, words: int) -> dict[str, Any]:
    """What `_train.Kernel` has to be told."""
    if freeze is None:
        return {}
    if freeze in WHOLE:
        return {"learn_outputs": False} if freeze == "outputs" else {"learn_words": False}
    frozen = np.zeros(words, np.uint8)
    for first, last in _ranges(freeze):
        if not first <= last < words:
            raise RuntimeError(f"the run froze the rows {first:,} to {last:,}, but there are {words:,} words")
        frozen[first : last + 1] = 1
    return {"frozen": frozen}


def as_asked(freeze: str | None, words: Sequence[Any]) -> str | list[Any] | None:
    """The inverse of `checked`."""
    if freeze is None or freeze in WHOLE:
        return freeze
    return [word for first, last in _ranges(freeze) for word in words[first : last + 1]]


def _ranges(freeze: str) -> list[tuple[int, int]]:
    check(freeze)
    if not ROWS.fullmatch(freeze):
        raise RuntimeError("which words this run froze is no longer known")
    ends = (part.split("-") for part in freeze.split()[1:])
    return [(int(end[0]), int(end[-1])) for end in ends]
