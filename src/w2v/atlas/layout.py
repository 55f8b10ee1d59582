"""From many dimensions to a few: PCA, which is exact, and UMAP, which keeps neighbours together.

Both are functions of their arguments alone. UMAP gets the exact neighbours that its caller has found, and starts from
PCA, so that nothing in it depends on the number of threads or on an approximate search.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

WAYS = ("umap", "pca")
NEIGHBORS = 15  # McInnes et al. 2018 (arXiv:1802.03426); also Top2Vec's
BLOCK_ROWS = 1 << 14


def check_way(name: str, way: Any) -> str:
    """Raise ValueError for an unknown way, ImportError for one whose packages are not installed."""
    if way not in WAYS:
        raise ValueError(f"{name}={way!r} must be one of {', '.join(map(repr, WAYS))}")
    if way == "umap":
        _umap()
    return str(way)


def is_installed(way: str) -> bool:
    """Whether the packages of a way are there; UMAP takes seconds to load, so it is only looked for."""
    from importlib.util import find_spec

    return way != "umap" or find_spec("umap") is not None


def _umap() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its optional parts, and deprecations of what it uses itself
            import umap
    except ImportError as error:
        raise ImportError(
            "UMAP needs umap-learn; pip install 'w2v[topics]', or take PCA (\"pca\"), which needs nothing"
        ) from error
    return umap


def pca(vectors: Array, dimensions: int) -> NDArray[np.float32]:
    """The first principal components of the rows, float32 [rows, dimensions].

    Rows are centred, not scaled. The sign of a component is that which makes its largest loading positive. Where there
    are fewer dimensions than asked for, the others are zero.

    Source: Pearson 1901; by the eigenvectors of the covariance, which is summed in float64.
    """
    rows, size = vectors.shape
    placed = np.zeros((rows, dimensions), np.float32)
    if not rows:
        return placed
    mean = vectors.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((size, size))
    for start in range(0, rows, BLOCK_ROWS):
        block = vectors[start : start + BLOCK_ROWS] - mean
        covariance += block.T @ block
    _, vectors_of = np.linalg.eigh(covariance)
    axes = vectors_of[:, ::-1][:, :dimensions]
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1, 1)
    for start in range(0, rows, BLOCK_ROWS):
        block = vectors[start : start + BLOCK_ROWS] - mean
        placed[start : start + BLOCK_ROWS, : axes.shape[1]] = block @ axes
    return placed


def umap(
    units: Array,
    nearest: tuple[NDArray[np.int64], Array],
    dimensions: int,
    *,
    seed: int = 1,
    tight: bool = False,
    progress: bool = False,
) -> NDArray[np.float32]:
    """Places in which near neighbours are near, float32 [rows, dimensions]; McInnes et al. 2018 (arXiv:1802.03426).

    Parameters
    ----------
    units : ndarray [rows, size]
        At unit length.
    nearest : pair of int64 [rows, k] and float [rows, k]
        The rows nearest to each row by cosine, itself among them, and the cosines; descending.
    dimensions : int
    seed : int, default 1
        UMAP then runs in one thread.
    tight : bool, default False
        Let neighbours lie upon each other, for clusters; else keep them apart, for eyes.
    progress : bool, default False

    Returns
    -------
    ndarray
        With fewer rows than UMAP has a meaning for (``dimensions + 2``), the principal components.
    """
    rows, size = nearest[0].shape
    if rows < dimensions + 2 or size < 3:
        return pca(units, dimensions)
    package = _umap()
    start = pca(units, dimensions)
    start *= 10 / max(float(np.abs(start).max()), 1e-12)  # the extent that its own starts have
    start += np.random.default_rng(seed).normal(scale=1e-4, size=start.shape).astype(np.float32)  # equal rows part
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a search for new rows that is not wanted, and of one thread
        made = package.UMAP(
            n_neighbors=size,
            n_components=dimensions,
            metric="cosine",
            min_dist=0.0 if tight else 0.1,
            init=start,
            random_state=seed,
            n_jobs=1,
            precomputed_knn=(nearest[0].astype(np.int32), np.maximum(1 - nearest[1], 0).astype(np.float32)),
            verbose=progress,
        ).fit(units.astype(np.float32, copy=False))
    return np.ascontiguousarray(made.embedding_, np.float32)
