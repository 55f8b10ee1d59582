"""The largest singular values of a sparse matrix and their vectors, by block Krylov iteration from a fixed start.

From one random block both bases grow by turns, each new block freed of what its basis has (block Golub-Kahan-Lanczos
with full reorthogonalisation; Golub, Luk & Overton 1981, ACM TOMS 7). Musco & Musco 2015 (NeurIPS) show that such a
space of products with the matrix comes as near to the best rank in a few steps as subspace iteration (Halko, Martinsson
& Tropp 2011, SIAM Review) does in their square. A block at a time is what memory is fast at: a matrix of words is read
once for `WIDTH` products, where ARPACK reads it for each.

Nothing is left to chance: a column's part of the block is a function of its key (of a word's letters, so that another
order of words turns no vector), a row of a sparse product is one thread's work, and signs are chosen. Two runs on a
machine give the same bytes. Where BLAS rounds sums in another order, with other kernels
or another number of threads of its own, vectors differ by some 1e-5 (measured in docs/counts.md).
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.common.draws import bits_at

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float32]

WIDTH = 16  # columns of a block: with fewer, the same space takes more steps, and each is slower
REACH = 3  # dimensions of the space for each singular vector wanted
SPARE = 32  # and in addition
DENSE = 1000  # rows or columns up to which a matrix is decomposed as a whole


class SVD(NamedTuple):
    """Singular vectors and values, the largest first: the matrix is about ``left * values @ right.T``.

    Attributes
    ----------
    left : float32 [rows, size]
    values : float32 [size]
    right : float32 [columns, size]
        The largest entry of each column of `right`, by size, is above 0.
    """

    left: Floats
    values: Floats
    right: Floats


def truncated(matrix: "csr_matrix[Any]", size: int, threads: int, keys: NDArray[np.uint64] | None = None) -> SVD:
    """The `size` largest singular values, and their vectors.

    Parameters
    ----------
    matrix : scipy.sparse.csr_matrix of float32 [rows, columns]
    size : int
        Where the matrix has a lower rank, the last values, and their vectors, are 0.
    threads : int
        Nothing depends on their number.
    keys : uint64 [columns], optional
        What the start draws the part of a column from; by default its number.
    """
    shape = matrix.shape
    if min(shape) <= max(DENSE, _space(size)):
        left, values, right = _dense(matrix)
    else:
        left, values, right = _krylov(matrix, size, threads, np.arange(shape[1]) if keys is None else keys)
    left, values, right = (part[..., :size] for part in (left, values, right))
    # Beyond the rank of the matrix there are directions of no meaning.
    values = np.where(values > values[0] * max(shape) * np.finfo(np.float32).eps, values, 0)
    signs = np.sign(right[np.abs(right).argmax(axis=0), np.arange(right.shape[1])]) * (values > 0)
    return SVD(*(_filled(part, size) for part in (left * signs, values, right * signs)))


def _filled(part: NDArray[Any], size: int) -> Floats:
    """With columns of 0 up to `size`; none is -0."""
    made = np.zeros((*part.shape[:-1], size), np.float32)
    made[..., : part.shape[-1]] = part
    made += 0
    return made


def raised(vectors: Floats, values: Floats | None, power: float) -> Floats:
    """Columns of vectors, each times its singular value to a power; those of the value 0 are 0. float32."""
    if values is None:
        raise ValueError("there are no singular values yet")
    wide = values.astype(np.float64)
    factors = np.power(wide, power, out=np.zeros(len(wide)), where=wide > 0)
    return np.asarray(vectors * factors, np.float32)


def _space(size: int) -> int:
    """Dimensions of the space in which `size` singular vectors are looked for: whole blocks."""
    return -(-(size * REACH + SPARE) // WIDTH) * WIDTH


def _dense(matrix: "csr_matrix[Any]") -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """All of a matrix that is small on one side: of a square root of its product with itself."""
    rows, columns = matrix.shape
    if rows < columns:
        right, values, left = _dense(matrix.T.tocsr())
        return left, values, right
    if rows <= 2 * columns:
        left, values, right = np.linalg.svd(matrix.toarray().astype(np.float64), full_matrices=False)
        return left, values, right.T
    wide = matrix.astype(np.float64)
    squares, right = np.linalg.eigh((wide.T @ wide).toarray())
    values = np.sqrt(np.maximum(squares[::-1], 0))
    right = right[:, ::-1]
    left = wide @ right / np.maximum(values, np.finfo(np.float64).tiny)
    return left, values, right


def _start(keys: NDArray[Any]) -> Floats:
    """A row for each key, of numbers in [-1, 1), by the key and the column."""
    places = np.arange(1, WIDTH + 1, dtype=np.uint64)
    bits = bits_at(0, keys.astype(np.uint64)[:, None] * np.uint64(WIDTH) + places)
    return np.asarray((bits >> np.uint64(40)) * 2.0**-23 - 1, np.float32)


def _krylov(
    matrix: "csr_matrix[Any]", size: int, threads: int, keys: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    space = _space(size)
    steps = space // WIDTH
    rows, columns = matrix.shape
    lefts = np.zeros((rows, space), np.float32, order="F")
    rights = np.zeros((columns, space + WIDTH), np.float32, order="F")
    # The transposed matrix in the basis of `rights`, a block of columns for each block of `lefts`.
    inner = np.zeros((space + WIDTH, space))
    with ThreadPoolExecutor(threads) as pool:
        forth, back = _Product(pool, matrix, threads), _Product(pool, matrix.T.tocsr(), threads)
        rights[:, :WIDTH] = _orthonormal(_start(keys))[0]
        for step in range(steps):
            here, there = WIDTH * step, WIDTH * (step + 1)
            made = forth(rights[:, here:there])
            _free(made, lefts[:, :here])
            lefts[:, here:there] = _orthonormal(made)[0]
            made = back(lefts[:, here:there])
            inner[:there, here:there] = _free(made, rights[:, :there])
            rights[:, there : there + WIDTH], inner[there : there + WIDTH, here:there] = _orthonormal(made)
    of_rights, values, of_lefts = np.linalg.svd(inner, full_matrices=False)
    left = lefts @ np.asfortranarray(of_lefts[:size].T, np.float32)
    right = rights @ np.asfortranarray(of_rights[:, :size], np.float32)
    return left, values, right


class _Product:
    """Products of a sparse matrix with dense blocks, by several threads: rows are dealt out, scipy frees the GIL."""

    def __init__(self, pool: ThreadPoolExecutor, matrix: "csr_matrix[Any]", threads: int) -> None:
        places = np.linspace(0, matrix.nnz, 4 * threads + 1)[1:-1]
        cuts = [0, *np.searchsorted(matrix.indptr, places).tolist(), matrix.shape[0]]
        self.pool, self.rows = pool, matrix.shape[0]
        self.parts = [(first, stop, matrix[first:stop]) for first, stop in pairwise(cuts)]

    def __call__(self, block: Floats) -> Floats:
        dense, out = np.ascontiguousarray(block), np.empty((self.rows, block.shape[1]), np.float32)

        def multiply(part: tuple[int, int, Any]) -> None:
            first, stop, matrix = part
            out[first:stop] = matrix @ dense

        list(self.pool.map(multiply, self.parts))
        return out


def _free(block: Floats, basis: Floats) -> NDArray[np.float64]:
    """Take off a block what it has of an orthonormal basis, and return how much that was; twice is enough (Kahan)."""
    found = np.zeros((basis.shape[1], block.shape[1]))
    for _ in range(2):
        part = basis.T @ block
        block -= basis @ part
        found += part
    return found


def _orthonormal(block: Floats) -> tuple[Floats, NDArray[np.float64]]:
    """An orthonormal basis of a block's columns, and the block in it; by Cholesky's factor, twice, in float64."""
    wide, factor = block.astype(np.float64), np.eye(block.shape[1])
    try:
        for _ in range(2):
            lower = np.linalg.cholesky(wide.T @ wide)
            wide = np.linalg.solve(lower, wide.T).T
            factor = lower.T @ factor
    except np.linalg.LinAlgError:  # columns that depend on each other: the space is complete
        wide, factor = np.linalg.qr(block.astype(np.float64))
    return wide.astype(np.float32), factor
