"""The rows of one space that are nearest to rows of another: by cosine, or corrected for hubs; in bounded memory.

Rows are float32 of unit length (or zero). Products are taken a block at a time. All three ways rank by a score that is
linear in the cosine, ``slope * cosine - penalty[row]``, so that they share one pass.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Scores = NDArray[np.float32]

WAYS = ("nn", "csls", "inverted_softmax")
NEIGHBORS = 10  # of a row, whose mean cosine says how much of a hub it is (Conneau et al. 2018, section 2.3)
INVERSE_TEMPERATURE = 30.0  # of inverted softmax; that of MUSE's evaluation

BLOCK_BYTES = 16 << 20  # bytes of scores at a time: few enough to stay near the processor until they are looked through


def _blocks(asked: Scores, rows: Scores) -> Iterator[tuple[slice, Scores]]:
    """Products of all rows with a block of the asked ones; the next block overwrites them."""
    step = max(1, BLOCK_BYTES // (4 * max(1, len(rows))))
    memory = np.empty((min(step, len(asked)), len(rows)), np.float32)
    for start in range(0, len(asked), step):
        part = asked[start : start + step]
        yield slice(start, start + len(part)), np.matmul(part, rows.T, out=memory[: len(part)])


def candidates(scores: Scores, count: int) -> tuple[NDArray[np.int64] | None, Scores]:
    """Columns of each row among which its `count` highest are, and their scores; None for all columns.

    Columns are dealt into groups. The best group maxima belong to groups that hold all of the best columns: a group
    with a smaller maximum has none of them. So it takes one maximum over contiguous memory, and a selection among few.
    """
    columns = scores.shape[1]
    size = int((columns / count) ** 0.5)
    groups = columns // max(size, 1)
    if size < 4 or groups <= count:
        return None, scores
    maxima = scores[:, : size * groups].reshape(-1, size, groups).max(axis=1)
    best = np.argpartition(maxima, groups - count, axis=1)[:, groups - count :]
    found = (best[:, None, :] + groups * np.arange(size)[:, None]).reshape(len(scores), -1)
    rest = np.broadcast_to(np.arange(size * groups, columns), (len(scores), columns - size * groups))
    found = np.concatenate([found, rest], axis=1)
    return found, np.take_along_axis(scores, found, axis=1)


def highest(scores: Scores, count: int) -> tuple[NDArray[np.int64], Scores]:
    """The columns of the `count` highest scores of each row, best first, equal ones in their order; and the scores."""
    found, values = candidates(scores, count)
    if count < values.shape[1]:
        chosen = np.argpartition(values, values.shape[1] - count, axis=1)[:, values.shape[1] - count :]
    else:
        chosen = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    values = np.take_along_axis(values, chosen, axis=1)
    rows = chosen if found is None else np.take_along_axis(found, chosen, axis=1)
    order = np.lexsort((rows, -values))
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(values, order, axis=1)


def mean_of_nearest(asked: Scores, rows: Scores, count: int = NEIGHBORS) -> Scores:
    """Mean cosine of each asked row with the `count` rows nearest to it, float32 [asked]."""
    count = min(count, len(rows))
    means = np.empty(len(asked), np.float32)
    for place, scores in _blocks(asked, rows):
        values = candidates(scores, count)[1]
        means[place] = np.partition(values, values.shape[1] - count, axis=1)[:, values.shape[1] - count :].mean(axis=1)
    return means


def log_of_sums(asked: Scores, rows: Scores, slope: float) -> Scores:
    """``log(sum(exp(slope * cosine)))`` of each asked row over all rows, float32 [asked]."""
    found = np.empty(len(asked), np.float32)
    for place, scores in _blocks(asked, rows):
        scores -= 1  # so that nothing overflows
        scores *= np.float32(slope)
        found[place] = np.log(np.exp(scores, out=scores).sum(axis=1)) + slope
    return found


def penalties(way: str, mapped: Scores, targets: Scores) -> tuple[float, Scores]:
    """What a way of retrieval makes of a cosine: (slope, penalty of each target), given all rows of both spaces.

    ``csls``: twice the cosine, less the mean cosine of the target with the `NEIGHBORS` mapped rows nearest to it
    (Conneau et al. 2018, arXiv:1710.04087, equation 4; the term of the asked word, which is the same for all targets,
    is left out). ``inverted_softmax``: the logarithm of the share that the asked word has among all mapped rows for
    this target (Smith et al. 2017, arXiv:1702.03859, section 2.3).
    """
    if way == "csls":
        return 2.0, mean_of_nearest(targets, mapped)
    if way == "inverted_softmax":
        return INVERSE_TEMPERATURE, log_of_sums(targets, mapped, INVERSE_TEMPERATURE)
    return 1.0, np.zeros(len(targets), np.float32)


def nearest(
    asked: Scores, targets: Scores, count: int, slope: float = 1.0, penalty: Scores | None = None
) -> tuple[NDArray[np.int64], Scores]:
    """The targets of the `count` highest scores of each asked row, best first, and their scores.

    Parameters
    ----------
    asked : float32 [asked, n]
    targets : float32 [targets, n]
    count : int
    slope, penalty
        From `penalties`.

    Returns
    -------
    rows : int64 [asked, count]
    scores : float32 [asked, count]
    """
    count = min(count, len(targets))
    rows = np.empty((len(asked), count), np.int64)
    found = np.empty((len(asked), count), np.float32)
    if penalty is not None:  # one more dimension, and the product is the score
        asked = np.concatenate([np.float32(slope) * asked, np.full((len(asked), 1), -1, np.float32)], axis=1)
        targets = np.concatenate([targets, penalty[:, None]], axis=1)
    for place, scores in _blocks(asked, targets):
        rows[place], found[place] = highest(scores, count)
    return rows, found
