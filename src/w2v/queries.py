"""The arithmetic of similarity queries: pure functions over a matrix, its row norms and unit vectors.

A matrix may be a view with long strides (a row-padded training matrix); none of these functions copies it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_BLOCK_BYTES = 64 << 20  # of scores, in batched queries
COSMUL_EPSILON = 1e-6  # against division by zero; word2vec's and gensim's value, the paper has 0.001


def row_norms(vectors: Array) -> Array:
    """Euclidean length of each row, float32; summed in float64, so that nothing overflows or vanishes."""
    norms = np.empty(len(vectors), np.float32)
    step = max(1, (1 << 22) // max(1, vectors.shape[1]))
    for start in range(0, len(vectors), step):
        block = vectors[start : start + step].astype(np.float64)
        norms[start : start + step] = np.sqrt(np.einsum("ij,ij->i", block, block))
    return norms


def unit(vector: Array) -> Array:
    """Scale one vector to length 1, float32; a zero vector stays zero."""
    exact = np.asarray(vector, np.float64)
    length = np.sqrt(exact @ exact)
    return (exact / length if length > 0 else exact).astype(np.float32)


def unit_rows(vectors: Array, norms: Array) -> Array:
    """Scale rows to length 1, as a copy; zero rows stay zero."""
    return np.divide(vectors, norms[:, None], out=np.zeros(vectors.shape, vectors.dtype), where=norms[:, None] > 0)


def cosines(vectors: Array, norms: Array, query: Array) -> Array:
    """Cosine of every row with a unit vector; 0 for zero rows."""
    scores: Array = vectors @ query.astype(vectors.dtype, copy=False)
    return np.divide(scores, norms, out=scores, where=norms > 0)


def cosmul(vectors: Array, norms: Array, positive: Sequence[Array], negative: Sequence[Array]) -> Array:
    """Product of the shifted cosines with `positive` over that with `negative`; all unit vectors."""

    def product(queries: Sequence[Array]) -> Array:
        result = np.ones(len(vectors), np.float32)
        for query in queries:
            result *= (1 + cosines(vectors, norms, query)) / 2
        return result

    return product(positive) / (product(negative) + np.float32(COSMUL_EPSILON))


def top_rows(scores: Array, count: int, exclude: frozenset[int] | set[int] = frozenset()) -> list[int]:
    """Positions of the highest scores, descending; equal scores in row order, whatever the partition did."""
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


def batched_cosines(vectors: Array, norms: Array, rows: Sequence[int], limit: int) -> Iterator[tuple[int, Array]]:
    """Yield each of `rows` with its cosines to the first `limit` rows, from products of bounded size.

    The scores yielded are a view that the next step overwrites.
    """
    step = max(1, _BLOCK_BYTES // (vectors.itemsize * max(1, limit)))
    # A transposed view, not a copy: BLAS takes any leading dimension.
    columns = vectors[:limit].T
    for start in range(0, len(rows), step):
        part = list(rows[start : start + step])
        scores = unit_rows(vectors[part], norms[part]) @ columns
        np.divide(scores, norms[:limit], out=scores, where=norms[:limit] > 0)
        yield from zip(part, scores, strict=True)
