"""Neighbours over several runs of one training: how many runs agree on each, and how far their cosines differ."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.vectors import queries
from w2v.vectors.asked import number_for_many, question


class Ranking(NamedTuple):
    """The answer of one run: the score of each of its keys, of which those at the rows `asked` do not count."""

    keys: Sequence[Any]
    scores: NDArray[Any]
    asked: set[int]


class AgreedNeighbor(NamedTuple):
    """A neighbour over several runs.

    Attributes
    ----------
    word : str
    cosine, sd : float, mean and standard deviation over the runs that know it; the latter is 0 for one
    runs, of : int, in how many runs it is among the nearest, and how many runs were asked
    ranks : tuple of int or None, its place in each run; None where it is not among the nearest
    """

    word: Any
    cosine: float
    sd: float
    runs: int
    of: int
    ranks: tuple[int | None, ...]


def agree(rankings: Iterable[Ranking], count: int) -> list[AgreedNeighbor]:
    """Bring the `count` nearest of each run together: those of most runs first, then by mean cosine."""
    runs = list(rankings)
    places = []
    for keys, scores, asked in runs:
        best = queries.top_rows(scores, count, asked)
        places.append({keys[row]: place for place, row in enumerate(best, 1)})
    row_of = [{key: row for row, key in enumerate(run.keys) if any(key in place for place in places)} for run in runs]
    found = []
    for word in dict.fromkeys(word for place in places for word in place):
        ranks = tuple(place.get(word) for place in places)
        known = [float(run.scores[rows[word]]) for run, rows in zip(runs, row_of, strict=True) if word in rows]
        sd = float(np.std(known, ddof=1)) if len(known) > 1 else 0.0
        agreeing = len(ranks) - ranks.count(None)
        found.append(AgreedNeighbor(word, float(np.mean(known)), sd, agreeing, len(runs), ranks))
    return sorted(found, key=lambda neighbor: (-neighbor.runs, -neighbor.cosine))


def agreed_neighbors(
    runs: Sequence[Any],
    positive: Any,
    negative: Any = None,
    topn: int | None = 10,
    restrict_vocab: int | None = None,
    **space: str,
) -> list[AgreedNeighbor]:
    """Ask several runs the same question; see ``most_similar(..., runs=...)``.

    Parameters
    ----------
    runs : sequence of KeyedVectors or Word2Vec
        The first is the one that is asked; it counts once, also if it is among the others.
    positive, negative, topn, restrict_vocab, space
        As in ``most_similar``.

    Returns
    -------
    list of AgreedNeighbor
        All that are among the `topn` nearest in some run.

    Raises
    ------
    ValueError
        Fewer than two runs.
    KeyError
        A run does not know a word.
    """
    count = number_for_many(topn, restrict_vocab)
    different = {id(_vectors_of(run)): run for run in runs}
    if len(different) < 2:
        raise ValueError("runs= needs another run at least: the same training with another seed")
    rankings = []
    for run in different.values():
        vectors = _vectors_of(run)
        asked = question(positive, negative, topn, len(vectors), restrict_vocab=restrict_vocab)
        scores = run.most_similar(positive, negative, topn=None, restrict_vocab=restrict_vocab, **space)
        rows = {vectors.get_index(key) for key in asked.keys}
        rankings.append(
            Ranking(vectors.index_to_key[: len(scores)], scores, {row for row in rows if row < len(scores)})
        )
    return agree(rankings, count)


def _vectors_of(run: Any) -> Any:
    """The vectors of a model; vectors are their own."""
    return vars(run).get("wv", run)
