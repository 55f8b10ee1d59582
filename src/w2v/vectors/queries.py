"""The arithmetic of similarity queries: pure functions over a matrix, its row norms and unit vectors.

A matrix may be a view with long strides (a row-padded training matrix); none of these functions copies it whole.
Where `norms` is None, other code may be writing to the matrix: see `blocks_with_norms`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.vectors import _nearest

Array = NDArray[Any]

_BLOCK_BYTES = 16 << 20  # bytes of scores in batched queries
QUERIES_AT_ONCE = 1024  # of a batch
_CACHED_VALUES = 1 << 18  # values of vectors: their products stay in the processor's cache until they are used
MATRIX_VALUES = 1 << 24  # values per product of matrices; large, since BLAS threads meet after each
COSMUL_EPSILON = 1e-6  # against division by zero; word2vec's and gensim's value, the paper has 0.001


def row_norms(vectors: Array) -> Array:
    """Euclidean length of each row, float32; summed in float64, so that nothing overflows or vanishes."""
    norms = np.empty(len(vectors), np.float32)
    step = _step(vectors, _CACHED_VALUES)
    for start in range(0, len(vectors), step):
        block = vectors[start : start + step].astype(np.float64)
        norms[start : start + step] = np.sqrt(np.vecdot(block, block))
    return norms


def _step(vectors: Array, values: int) -> int:
    return max(1, values // max(1, int(vectors.shape[1])))


def blocks_with_norms(
    vectors: Array, norms: Array | None, values: int = _CACHED_VALUES
) -> Iterator[tuple[slice, Array, Array]]:
    """Yield rows with their lengths: all at once, or `values` at a time where `norms` is None.

    Without norms, the rows may change at any moment. So each block is a copy with lengths of its own: a product of one
    moment's row, divided by another moment's length, is not a cosine. The next block overwrites the copy.
    """
    if norms is not None:
        yield slice(0, len(vectors)), vectors, norms
        return
    copy = np.empty((min(_step(vectors, values), len(vectors)), vectors.shape[1]), vectors.dtype)
    for start in range(0, len(vectors), max(1, len(copy))):
        rows = copy[: len(vectors) - start]
        rows[...] = vectors[start : start + len(rows)]
        yield slice(start, start + len(rows)), rows, row_norms(rows)


def unit(vector: Array) -> Array:
    """Scale one vector to length 1, float32; a zero vector stays zero."""
    exact = np.asarray(vector, np.float64)
    length = np.sqrt(exact @ exact)
    return (exact / length if length > 0 else exact).astype(np.float32)


def unit_rows(vectors: Array, norms: Array | None) -> Array:
    """Scale rows to length 1, as a copy, float32 where they are integers; zero rows stay zero."""
    units = np.zeros(vectors.shape, np.float32 if vectors.dtype.kind in "biu" else vectors.dtype)
    for place, rows, lengths in blocks_with_norms(vectors, norms):
        np.divide(rows, lengths[:, None], out=units[place], where=lengths[:, None] > 0)
    return units


def cosines(vectors: Array, norms: Array | None, query: Array) -> Array:
    """Cosine of every row with a unit vector, cut to [-1, 1]; 0 for zero rows."""
    scores = np.empty(len(vectors), np.result_type(vectors, np.float32))
    query = query.astype(scores.dtype, copy=False)
    for place, rows, lengths in blocks_with_norms(vectors, norms):
        part = np.matmul(rows, query, out=scores[place])
        np.divide(part, lengths, out=part, where=lengths > 0)
    return np.clip(scores, -1, 1, out=scores)


def cosmul(vectors: Array, norms: Array | None, positive: Sequence[Array], negative: Sequence[Array]) -> Array:
    """Product of the shifted cosines with `positive`, divided by the product with `negative`; all are unit vectors."""

    def product(rows: Array, lengths: Array, queries: Sequence[Array]) -> Array:
        result = np.ones(len(rows), np.float32)
        for query in queries:
            result *= (1 + cosines(rows, lengths, query)) / 2
        return result

    scores = np.empty(len(vectors), np.float32)
    for place, rows, lengths in blocks_with_norms(vectors, norms):
        below = product(rows, lengths, negative) + np.float32(COSMUL_EPSILON)
        scores[place] = product(rows, lengths, positive) / below
    return scores


def top_rows(scores: Array, count: int, exclude: frozenset[int] | set[int] = frozenset()) -> list[int]:
    """Positions of the highest scores, descending; equal scores in row order."""
    wanted = min(count + len(exclude), len(scores))
    if wanted <= 0:
        return []
    if wanted < len(scores):
        least = np.partition(scores, len(scores) - wanted)[len(scores) - wanted]
        rows = np.flatnonzero(scores >= least)
    else:
        rows = np.arange(len(scores))
    best = rows[np.argsort(-scores[rows], kind="stable")].tolist()
    return [row for row in best if row not in exclude][:count]


def nearest_rows(
    units: Array, vectors: Array, norms: Array | None, count: int
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Find the rows nearest to each of many unit vectors, in products of bounded memory.

    Blocks of queries meet blocks of rows, and only the best few of each query are kept: the scores of a block take
    `_BLOCK_BYTES`, whatever the number of rows, and each row is read once for every `QUERIES_AT_ONCE` queries.

    Parameters
    ----------
    units : ndarray [queries, vector_size]
    vectors, norms : ndarray [rows, vector_size], [rows] or None
    count : int
        How many rows; no more than there are.

    Returns
    -------
    rows : int64 [queries, count]
    cosines : float32 (float64 for vectors of that type) [queries, count]
        Descending, equal ones in row order; cut to [-1, 1].
    """
    kind = np.dtype(np.float64 if vectors.dtype == np.float64 else np.float32)
    count = min(count, len(vectors))
    rows = np.zeros((len(units), count), np.int64)
    cosines = np.full((len(units), count), -np.inf, kind)
    for start in range(0, len(units), QUERIES_AT_ONCE):
        part = slice(start, start + QUERIES_AT_ONCE)
        asked = units[part].astype(kind, copy=False)
        columns = max(1, _BLOCK_BYTES // (kind.itemsize * len(asked)))
        for place, block, lengths in blocks_with_norms(vectors, norms, MATRIX_VALUES):
            divisors = np.where(lengths > 0, lengths, 1).astype(kind)
            for low in range(0, len(block), columns):
                # A transposed view, not a copy: BLAS takes any leading dimension.
                products = asked @ block[low : low + columns].T.astype(kind, copy=False)
                _nearest.better_neighbors(
                    products, divisors[low : low + columns], place.start + low, cosines[part], rows[part]
                )
    return rows, np.clip(cosines, -1, 1, out=cosines)


def neighbors_of_rows(
    vectors: Array, norms: Array | None, asked: Sequence[int], count: int, limit: int | None = None
) -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]:
    """For each of some rows, the nearest others among the first `limit` rows: numbers and cosines, at most `count`."""
    own = vectors[list(asked)]
    units = unit_rows(own, row_norms(own))
    found = nearest_rows(units, vectors[:limit], None if norms is None else norms[:limit], count + 1)
    for row, rows, cosines in zip(asked, *found, strict=True):
        others = np.flatnonzero(rows != row)[:count]
        yield rows[others], cosines[others]
