"""How much two words belong together: counts in, scores out, with gensim's names and its arithmetic."""

import inspect
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scorer = Callable[..., float]

NEGATIVE_INFINITY = float("-inf")

# What a scoring function is called with, by name.
PARAMETERS = ("worda_count", "wordb_count", "bigram_count", "len_vocab", "min_count", "corpus_word_count")


def original_scorer(
    worda_count: int, wordb_count: int, bigram_count: int, len_vocab: int, min_count: int, corpus_word_count: int
) -> float:
    """``(bigram_count - min_count) / (worda_count * wordb_count) * len_vocab``.

    Mikolov et al. 2013 (arXiv:1310.4546, section 4), with gensim's factor, the number of different words and pairs, so
    that thresholds do not depend on the size of the corpus. The C program's factor is the number of words.

    Returns
    -------
    float
        -inf where a count is 0.
    """
    product = worda_count * wordb_count
    return (bigram_count - min_count) / float(product) * len_vocab if product else NEGATIVE_INFINITY


def npmi_scorer(
    worda_count: int, wordb_count: int, bigram_count: int, len_vocab: int, min_count: int, corpus_word_count: int
) -> float:
    """Normalized pointwise mutual information, ``ln(p(ab) / (p(a) p(b))) / -ln p(ab)`` (Bouma 2009).

    Returns
    -------
    float
        -1 for words that never meet to 1 for words that never part; -inf below `min_count`.
    """
    if bigram_count < min_count:
        return NEGATIVE_INFINITY
    total = float(corpus_word_count)
    a, b, both = worda_count / total, wordb_count / total, bigram_count / total
    try:
        return math.log(both / (a * b)) / -math.log(both)
    except (ValueError, ZeroDivisionError):  # a count of 0, or a corpus of nothing else
        return NEGATIVE_INFINITY


NAMED: dict[str, Scorer] = {"default": original_scorer, "npmi": npmi_scorer}


def checked(scoring: Any) -> Scorer:
    """The scoring function behind a name, or a function with the right parameters; ValueError for any other value."""
    if isinstance(scoring, str):
        if scoring not in NAMED:
            raise ValueError(f"scoring={scoring!r} must be 'default', 'npmi' or a function of {', '.join(PARAMETERS)}")
        return NAMED[scoring]
    if not callable(scoring):
        raise TypeError(f"scoring={scoring!r} must be 'default', 'npmi' or a function of {', '.join(PARAMETERS)}")
    known = inspect.signature(scoring).parameters
    missing = [name for name in PARAMETERS if name not in known]
    if missing:
        raise ValueError(
            f"scoring={scoring!r} has no parameter {', '.join(missing)}; it is called with {', '.join(PARAMETERS)}"
        )
    made: Scorer = scoring
    return made


def name_of(scorer: Scorer) -> str:
    """What a file says of a scoring function: its name here, or ``module:function``."""
    for name, known in NAMED.items():
        if scorer is known:
            return name
    return f"{getattr(scorer, '__module__', '')}:{getattr(scorer, '__qualname__', '')}"


def named(name: str) -> Scorer | None:
    """The scoring function of a `name_of`, None if there is none.

    Nothing is imported for it: a function counts only if its module is loaded already and it has a scorer's parameters,
    so that a file cannot have anything else called.
    """
    if name in NAMED:
        return NAMED[name]
    module, _, function = name.partition(":")
    found = getattr(sys.modules.get(module), function, None)
    try:
        return checked(found) if inspect.isfunction(found) else None
    except ValueError:
        return None


def scores_of(
    scorer: Scorer,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    both: NDArray[np.int64],
    len_vocab: int,
    min_count: int,
    corpus_word_count: int,
) -> NDArray[np.float64]:
    """The scores of pairs, float64, from the counts of their words and of the pairs; all counts are positive.

    The default's are computed at once, bit for bit as the function gives them: counts below 2^53 are exact as floats,
    and so both round the same product once. Logarithms are left to the function, since numpy's are not the same
    on every processor.
    """
    if scorer is original_scorer:
        product = a.astype(np.float64) * b.astype(np.float64)
        found: NDArray[np.float64] = (both - min_count).astype(np.float64) / product * len_vocab
        return found
    counts = zip(a.tolist(), b.tolist(), both.tolist(), strict=True)
    return np.array(
        [
            scorer(
                worda_count=first,
                wordb_count=second,
                bigram_count=pair,
                len_vocab=len_vocab,
                min_count=min_count,
                corpus_word_count=corpus_word_count,
            )
            for first, second, pair in counts
        ],
        np.float64,
    )
