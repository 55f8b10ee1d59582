"""Which words of two sets of vectors belong together: those of the same name, or pairs that a user gives."""

import logging
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.vectors.keyed import KeyedVectors

logger = logging.getLogger(__name__)

Anchors = int | Iterable[tuple[Any, Any]] | None


class Pairs(NamedTuple):
    """Pairs that both sides know.

    Attributes
    ----------
    rows : int64 [pairs, 2], rows of source and target
    places : int64 [pairs], which of those given they are
    given : int, how many were given
    """

    rows: NDArray[np.int64]
    places: NDArray[np.int64]
    given: int


def shared_rows(source: KeyedVectors, target: KeyedVectors) -> NDArray[np.int64]:
    """Rows of the words that both have, int64 [words, 2]: the most frequent on both sides first."""
    theirs = target.key_to_index
    rows = [(row, theirs[word]) for row, word in enumerate(source.index_to_key) if word in theirs]
    found = np.array(rows, np.int64).reshape(-1, 2)
    return found[np.argsort(found.max(axis=1, initial=0), kind="stable")]


def known_pairs(anchors: Anchors, source: KeyedVectors, target: KeyedVectors) -> Pairs:
    """The anchors that both sides know; see `w2v.align.fit`.

    Raises
    ------
    ValueError
        There are none, or they are the wrong way round.
    TypeError
        They are no pairs.
    """
    if anchors is None or hasattr(anchors, "__index__"):
        rows = shared_rows(source, target)
        if anchors is not None:
            rows = rows[: checks.integer("anchors", anchors, 1)]
        if not len(rows):
            raise ValueError("no word is in both sets of vectors; give anchors=, pairs of a source and a target word")
        return Pairs(rows, np.arange(len(rows)), len(rows))
    given = list(map(_pair, _each(anchors)))
    known = [(source.key_to_index.get(one), target.key_to_index.get(other)) for one, other in given]
    places = [place for place, pair in enumerate(known) if None not in pair]
    _check_direction(given, len(places), source, target)
    first = {known[place]: place for place in reversed(places)}
    if len(places) < len(given):
        missing = next(pair for pair, rows in zip(given, known, strict=True) if None in rows)
        logger.warning(
            "%s of %s anchors have a word that is not in its set of vectors, such as %s; they are left out",
            *(f"{len(given) - len(places):,}", f"{len(given):,}", missing),
        )
    if len(first) < len(places):
        logger.warning("%s anchors are given more than once, and count once", f"{len(places) - len(first):,}")
    kept = sorted(first.values())
    return Pairs(np.array([known[place] for place in kept], np.int64), np.array(kept, np.int64), len(given))


def _each(anchors: Any) -> list[Any]:
    if isinstance(anchors, str | bytes) or not isinstance(anchors, Iterable):
        raise TypeError(f"anchors={anchors!r:.80} must be a number, or pairs of a source word and a target word")
    return list(anchors.items() if hasattr(anchors, "items") else anchors)


def _pair(pair: Any) -> tuple[Any, Any]:
    if isinstance(pair, str | bytes) or not hasattr(pair, "__len__") or len(pair) != 2:
        raise TypeError(f"anchors: {pair!r:.80} is no pair of a source word and a target word")
    return pair[0], pair[1]


def _check_direction(given: list[tuple[Any, Any]], forward: int, source: KeyedVectors, target: KeyedVectors) -> None:
    backward = sum(other in source.key_to_index and one in target.key_to_index for one, other in given)
    if 2 * forward < len(given) and backward > 2 * forward:
        raise ValueError(
            f"of {len(given):,} anchors {forward:,} are a source word and a target word, and {backward:,} the other "
            "way round; give pairs of (source word, target word)"
        )
    if not forward:
        raise ValueError(f"none of the {len(given):,} anchors has its words in both sets of vectors")


def frequency_weights(rows: NDArray[np.int64], source: KeyedVectors, target: KeyedVectors) -> NDArray[np.float64]:
    """Of each pair the logarithm of 1 and the smaller of its two counts."""
    for name, side in (("source", source), ("target", target)):
        if "count" not in side.expandos:
            raise ValueError(f"weights='frequency' needs counts, which {name} does not have; give an array")
    counts = source.expandos["count"][rows[:, 0]], target.expandos["count"][rows[:, 1]]
    return np.log1p(np.minimum(*counts).astype(np.float64))
