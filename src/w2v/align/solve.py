"""The maps between two spaces, and of many spaces to one, from pairs of rows: functions of arrays alone.

Rows of the matrices belong together; all sums are in float64.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Exact = NDArray[np.float64]
Solver = Callable[[Array, Array, Exact | None], Exact]

# Shares of the mean variance of a direction among which the penalty of a ridge is chosen.
PENALTIES = 10.0 ** np.arange(-5, 2)

MOST_LEFT_OUT = 5000  # pairs by which it is chosen

BLOCK = 4096  # rows that are copied at a time

# Reweighting has settled long before, and consensus soon.
MOST_REWEIGHTINGS = 50
MOST_ROUNDS = 100
SETTLED = 1e-10


def orthogonal(source: Array, target: Array, weights: Exact | None = None) -> Exact:
    """The Q with orthonormal rows that minimises ``sum(w * |x @ Q - y|**2)``: lengths and angles stay.

    Source: Schönemann 1966 (Psychometrika), the orthogonal Procrustes problem.

    Parameters
    ----------
    source : ndarray [pairs, n]
    target : ndarray [pairs, m]
        Where m is less than n, lengths cannot stay, and the columns are orthonormal instead.
    weights : float64 [pairs], optional

    Returns
    -------
    ndarray of float64 [n, m]
    """
    left, _, right = np.linalg.svd(_cross(source, target, weights), full_matrices=False)
    return np.asarray(left @ right, np.float64)


def least_squares(source: Array, target: Array, weights: Exact | None = None) -> Exact:
    """The W that minimises ``sum(w * |x @ W - y|**2)``; of several the shortest.

    Source: Mikolov, Le & Sutskever 2013 (arXiv:1309.4168), section 4, solved in closed form.
    """
    return ridge(source, target, weights, 0.0)


def ridge(source: Array, target: Array, weights: Exact | None = None, penalty: float | None = None) -> Exact:
    """The W that minimises ``sum(w * |x @ W - y|**2) + penalty * v * |W|**2``, v the mean variance of a direction.

    Source: Hoerl & Kennard 1970 (Technometrics).

    Parameters
    ----------
    source, target, weights
        As in `orthogonal`.
    penalty : float, optional
        By default the one among `PENALTIES` that makes the squared error of pairs left out one by one smallest, which
        follows from one fit (Allen 1974, Technometrics); of very many pairs, a part is left out.

    Returns
    -------
    ndarray of float64 [n, m]
    """
    values, directions = np.linalg.eigh(_cross(source, source, weights))
    values = np.maximum(values, 0)
    along = directions.T @ _cross(source, target, weights)
    mean = values.mean()
    # Directions in which the pairs do not differ have no say: the shortest of all solutions is taken.
    known = values > values.max(initial=0.0) * len(values) * np.finfo(np.float64).eps
    if penalty is None:
        some = slice(None, None, 1 + len(source) // MOST_LEFT_OUT)
        few = None if weights is None else weights[some]
        turned, wanted = _weighted(source[some], few) @ directions, _weighted(target[some], few)
        errors = [_left_out(turned, wanted, along, _inverse(values + share * mean, known)) for share in PENALTIES]
        penalty = float(PENALTIES[int(np.argmin(errors))])
    return np.asarray(directions @ (_inverse(values + penalty * mean, known)[:, None] * along), np.float64)


def _inverse(values: Exact, known: NDArray[np.bool_]) -> Exact:
    return np.divide(1.0, values, out=np.zeros_like(values), where=known)


def _left_out(turned: Exact, wanted: Exact, along: Exact, inverse: Exact) -> float:
    """Summed squared error of each pair under the map of all the others."""
    leverage = (turned**2) @ inverse
    errors = (wanted - turned @ (inverse[:, None] * along)) / np.maximum(1 - leverage, 1e-9)[:, None]
    return float((errors**2).sum())


def robust(solver: Solver, source: Array, target: Array, weights: Exact | None = None) -> tuple[Exact, Exact]:
    """The map that makes the sum of distances smallest, not of their squares: a few wrong pairs do not bend it.

    Source: iterative reweighting, after Verboon & Heiser 1992 (Psychometrika).

    Returns
    -------
    matrix : float64 [n, m]
    factors : float64 [pairs]
        What each pair weighed, the mean being 1: small for pairs that do not fit the others.
    """
    given = np.ones(len(source)) if weights is None else weights
    factors = np.ones(len(source))
    matrix = solver(source, target, given)
    for _ in range(MOST_REWEIGHTINGS):
        distances = np.sqrt(((source @ matrix - target) ** 2).sum(axis=1))
        # Below a thousandth of the usual distance pairs fit alike.
        factors = 1 / np.maximum(distances, 1e-3 * np.median(distances) + 1e-12)
        factors /= factors.mean()
        before, matrix = matrix, solver(source, target, given * factors)
        if np.abs(matrix - before).max() < 1e-7:
            break
    return matrix, factors


def consensus(spaces: Sequence[Array]) -> tuple[list[Exact], Exact]:
    """Orthogonal maps of many spaces to one in which they agree best, and their mean there; no space is a pivot.

    It minimises the summed squared distances from the mean (Gower 1975, Psychometrika, "Generalized Procrustes
    analysis", without scaling). The first mean is that of the directions that all spaces share: the leading left
    singular vectors of the matrices side by side, so that the order of the spaces changes nothing.

    Parameters
    ----------
    spaces : sequence of ndarray [words, n]
        Of one n, the rows of the same words.

    Returns
    -------
    maps : list of float64 [n, n]
    mean : float64 [words, n]
    """
    width = spaces[0].shape[1]
    exact = [np.asarray(space, np.float64) for space in spaces]
    beside = np.concatenate(exact, axis=1)
    _, directions = np.linalg.eigh(beside.T @ beside)
    mean = beside @ directions[:, -width:] / len(exact)
    maps: list[Exact] = []
    reached = np.inf
    for _ in range(MOST_ROUNDS):
        maps = [orthogonal(space, mean) for space in exact]
        moved = [space @ turn for space, turn in zip(exact, maps, strict=True)]
        mean = np.mean(moved, axis=0)
        before, reached = reached, float(sum(((space - mean) ** 2).sum() for space in moved))
        if before - reached <= SETTLED * max(reached, 1e-300):
            break
    return maps, mean


def _cross(left: Array, right: Array, weights: Exact | None) -> Exact:
    """The weighted sum of products of all columns, in float64; a block at a time, so that no whole copy is made."""
    total = np.zeros((left.shape[1], right.shape[1]))
    for start in range(0, len(left), BLOCK):
        block = slice(start, start + BLOCK)
        exact = left[block].astype(np.float64)
        if weights is not None:
            exact *= weights[block, None]
        total += exact.T @ right[block].astype(np.float64)
    return total


def _weighted(matrix: Array, weights: Exact | None) -> Exact:
    exact = np.asarray(matrix, np.float64)
    return exact if weights is None else exact * np.sqrt(weights)[:, None]
