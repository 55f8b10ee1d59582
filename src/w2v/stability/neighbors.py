"""Nearest words in many runs at once, as tables of ids that mean the same word in every run."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from w2v.common.checks import integer
from w2v.common.progress import progress_bar
from w2v.vectors import queries
from w2v.vectors.runs import Ranking, agree

Array = NDArray[Any]
Record = dict[str, Any]


class Space(Protocol):
    """The interface of a run: w2v's and gensim's KeyedVectors have it."""

    @property
    def vectors(self) -> Array: ...
    @property
    def index_to_key(self) -> list[Any]: ...
    @property
    def key_to_index(self) -> Mapping[Any, int]: ...


Runs = Mapping[str, Space] | Sequence[Space]


def name_runs(runs: Runs) -> dict[str, Space]:
    """Give runs names: the keys of a mapping, or ``"1"``, ``"2"``, ...

    Raises
    ------
    ValueError
        Fewer than two runs.
    """
    found = dict(runs) if isinstance(runs, Mapping) else {str(n): run for n, run in enumerate(runs, 1)}
    if len(found) < 2:
        raise ValueError(f"{len(found)} runs; it takes two to compare")
    return found


def nearest(vectors: Array, norms: Array, rows: Sequence[int], k: int) -> NDArray[np.int32]:
    """Find the k rows nearest to each of `rows` by cosine, without itself, in blocked products of bounded memory.

    Parameters
    ----------
    vectors : ndarray [words, vector_size]
    norms : ndarray [words]
    rows : sequence of int
    k : int
        Less than the number of words.

    Returns
    -------
    ndarray of int32 [len(rows), k]
        The nearest first; of equal cosines the lower row first.
    """
    found = queries.neighbors_of_rows(vectors, norms, rows, k)
    return np.array([near for near, _ in found], np.int32).reshape(len(rows), k)


def neighbor_tables(
    runs: Runs, words: Sequence[Any], k: int = 10, progress: bool | None = None
) -> tuple[NDArray[np.int32], list[Any]]:
    """Find the k nearest neighbours of each word in each run, among all words of that run.

    Takes time in proportion to runs x words x vocabulary x vector_size: ten runs of 80,000 words in 100 dimensions
    take about five seconds a run for 10,000 words on two cores, and 64 MiB besides the result.

    Parameters
    ----------
    runs : mapping of str to KeyedVectors, or a sequence of them
    words : sequence of str
    k : int, default 10
    progress : bool, optional
        A bar over the runs on stderr; by default only if that is a terminal.

    Returns
    -------
    tables : ndarray of int32 [runs, words, k]
        The nearest first. A word has -1 for every neighbour in a run that lacks it.
    vocabulary : list
        The words of all runs; an id is a position in this list.

    Raises
    ------
    KeyError
        No run knows a word.
    ValueError
        A run has fewer than k other words, or a vector that is not finite.
    """
    spaces = name_runs(runs)
    check_spaces(spaces, k)
    unknown = next((word for word in words if not any(word in space.key_to_index for space in spaces.values())), None)
    if unknown is not None:
        raise KeyError(f"{unknown!r} is in none of the {len(spaces)} runs")
    ids: dict[Any, int] = {}
    tables = np.full((len(spaces), len(words), k), -1, np.int32)
    with progress_bar(progress, total=len(spaces), desc="neighbours") as shown:
        for table, space in zip(tables, spaces.values(), strict=True):
            own = np.array([ids.setdefault(key, len(ids)) for key in space.index_to_key], np.int32)
            known = [place for place, word in enumerate(words) if word in space.key_to_index]
            rows = [space.key_to_index[words[place]] for place in known]
            table[known] = own[nearest(space.vectors, queries.row_norms(space.vectors), rows, k)]
            shown.update()
    return tables, list(ids)


def compare_neighbors(runs: Runs, word: Any, k: int = 10) -> list[Record]:
    """List the neighbours of a word over all runs, with the agreement of the runs and the spread of the cosine.

    Parameters
    ----------
    runs : mapping of str to KeyedVectors, or a sequence of them
    word : str
        Runs without it are left out.
    k : int, default 10

    Returns
    -------
    list of dict
        For each word that is among the k nearest in some run: ``neighbor``; ``runs``, in how many it is; ``cosine``
        and ``sd``, mean and standard deviation over the runs that know it (0.0 for one); ``ranks``, its place per
        run, None where it is not among the first k. Those of most runs first, then by cosine.

    Raises
    ------
    KeyError
        No run knows the word.
    """
    named = name_runs(runs)
    check_spaces(named, k)
    spaces = list(named.values())
    if not any(word in space.key_to_index for space in spaces):
        raise KeyError(f"{word!r} is in none of the {len(spaces)} runs")
    return [
        {"neighbor": found.word, "runs": found.runs, "cosine": found.cosine, "sd": found.sd, "ranks": list(found.ranks)}
        for found in agree([_ranking(space, word) for space in spaces], k)
    ]


def _ranking(space: Space, word: Any) -> Ranking:
    """All words of a run by their cosine with a word; none if the run lacks it."""
    row = space.key_to_index.get(word)
    if row is None:
        return Ranking([], np.empty(0, np.float32), set())
    scores = queries.cosines(space.vectors, queries.row_norms(space.vectors), queries.unit(space.vectors[row]))
    return Ranking(space.index_to_key, scores, {row})


def check_spaces(spaces: Mapping[str, Space], k: int) -> None:
    """Refuse runs with too few words for k neighbours, or with values that are not finite."""
    integer("k", k, 1)
    for name, space in spaces.items():
        if len(space.index_to_key) <= k:
            raise ValueError(f"run {name!r} has {len(space.index_to_key)} words, too few for k={k} neighbours; lower k")
        if not np.isfinite(space.vectors).all():
            raise ValueError(f"run {name!r} has vectors with NaN or infinite values; train it again, or leave it out")
