"""A linear classifier and the nearest neighbour, the same for every representation that is compared."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Ridge penalties that are tried, relative to the sum of the variances of all features times the number of sequences.
PENALTIES = np.logspace(-6, 1, 15)

# Directions with less than this share of the largest one's variance are rounding errors.
NEGLIGIBLE = 1e-12


def standardised(features: Array) -> Array:
    """Every feature with the mean 0 and the variance 1 over all sequences; no label is looked at."""
    spread = features.std(axis=0)
    found: Array = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return found


def turned(rows: Array) -> Array:
    """Rows with the same products with each other, in no more numbers than there are rows."""
    if rows.shape[1] <= len(rows):
        return rows
    values, basis = np.linalg.eigh(rows @ rows.T)
    found: Array = basis * np.sqrt(np.maximum(values, 0))
    return found


class Ridge:
    """Regularised least squares on one-hot labels (Rifkin, Yeo & Poggio 2003).

    The penalty is the one with the smallest squared error when each sequence in turn is left out, which one
    decomposition gives for all penalties (Golub, Heath & Wahba 1979).

    Attributes
    ----------
    penalty : float
    """

    def __init__(self, rows: Array, labels: NDArray[np.int64], n_labels: int) -> None:
        self._middle = rows.mean(axis=0)
        rows = rows - self._middle
        wanted = np.eye(n_labels)[labels]
        self._bias = wanted.mean(axis=0)
        wanted = wanted - self._bias
        n = len(rows)
        # rows @ rows.T = basis @ diag(values) @ basis.T, from the smaller of the two products.
        wide = rows.shape[1] >= n
        values, vectors = np.linalg.eigh(rows @ rows.T if wide else rows.T @ rows)
        kept = values > values.max(initial=0) * NEGLIGIBLE
        values, vectors = values[kept], vectors[:, kept]
        lengths = np.sqrt(values)
        basis = vectors if wide else rows @ vectors / lengths
        directions = rows.T @ vectors / lengths if wide else vectors
        projected, squares = basis.T @ wanted, basis**2
        best, self.penalty = np.inf, 0.0
        for penalty in (PENALTIES * values.sum()).tolist():
            shrunk = values / (values + penalty)
            others = 1 - squares @ shrunk - 1 / n  # what is left of a prediction without the sequence's own label
            error = ((wanted - basis @ (shrunk[:, np.newaxis] * projected)) / others[:, np.newaxis]) ** 2
            if error.sum() < best:
                best, self.penalty = float(error.sum()), penalty
        self._weights = directions @ ((lengths / (values + self.penalty))[:, np.newaxis] * projected)

    def predict(self, rows: Array) -> NDArray[np.int64]:
        found: NDArray[np.int64] = ((rows - self._middle) @ self._weights + self._bias).argmax(axis=1)
        return found


def nearest(rows: Array, labels: NDArray[np.int64], asked: Array) -> NDArray[np.int64]:
    """The label of the row with the highest cosine; the first one of equals."""
    known, given = (part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-30) for part in (rows, asked))
    found: NDArray[np.int64] = labels[(given @ known.T).argmax(axis=1)]
    return found
