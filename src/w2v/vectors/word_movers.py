"""Optimal transport between two sets of weighted vectors: a linear programme for POT, or else for scipy.

Source: Kusner et al. 2015 (ICML), section 3, after Rubner et al. 1998.
"""

from collections.abc import Callable
from importlib.util import find_spec
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_BLOCK_VALUES = 1 << 21  # differences computed between two checks for Ctrl-C: some milliseconds
_MOST_WAYS = 1 << 20  # most pairs of words for scipy, which needs about a kilobyte for each
_PATIENCE = 0.05  # seconds between two checks for Ctrl-C while a solver runs


def distance(left: Array, left_counts: Array, right: Array, right_counts: Array) -> float:
    """Least cost of moving the mass of `left` to `right`, at the Euclidean distance of the vectors.

    Parameters
    ----------
    left, right : float [n, d], [m, d]
    left_counts, right_counts : [n], [m], above 0; each side is scaled to mass 1

    Raises
    ------
    MemoryError
        n times m is too large for scipy, and POT is not installed.
    """
    has_pot = find_spec("ot") is not None
    if not has_pot and len(left) * len(right) > _MOST_WAYS:
        raise MemoryError(
            f"documents of {len(left):,} and {len(right):,} different words: without POT, at most {_MOST_WAYS:,} pairs "
            "of words can be compared; pip install 'w2v[wmd]', or leave out rare words"
        )
    costs = _costs(left, right)
    supply, demand = left_counts / left_counts.sum(), right_counts / right_counts.sum()
    return _in_background(_network_cost if has_pot else _least_cost, costs, supply, demand)


def _costs(left: Array, right: Array) -> Array:
    """Distances [n, m], block by block, without an array of all n times m differences of d values."""
    from scipy.spatial.distance import cdist

    costs = np.empty((len(left), len(right)))
    step = max(1, _BLOCK_VALUES // max(1, right.size))
    for start in range(0, len(left), step):
        costs[start : start + step] = cdist(left[start : start + step], right)
    return costs


def _in_background(solve: Callable[..., float], *problem: Array) -> float:
    """Solve in a thread: a solver is one long call, and Ctrl-C does not reach a thread inside it.

    After a Ctrl-C the solver runs to its end, and the caller does not wait for it.
    """
    found: list[float] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            found.append(solve(*problem))
        except BaseException as error:
            failed.append(error)

    thread = Thread(target=work, name="w2v-transport", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_PATIENCE)
    if failed:
        raise failed[0]
    return found[0]


def _network_cost(costs: Array, supply: Array, demand: Array) -> float:
    import ot  # a network solver, many times faster on long documents

    # POT's limit of 100,000 steps is too low for documents of a few thousand words; the answer would not be the least.
    return float(ot.emd2(supply, demand, costs, numItermax=10**9))


def _least_cost(costs: Array, supply: Array, demand: Array) -> float:
    from scipy.optimize import linprog
    from scipy.sparse import eye_array, kron, vstack

    n, m = costs.shape
    leaving = kron(eye_array(n), np.ones((1, m)))
    arriving = kron(np.ones((1, n)), eye_array(m))
    # One condition follows from the others; without it, rounding cannot make them contradict each other.
    conditions = vstack([leaving, arriving]).tocsr()[:-1]
    masses = np.concatenate([supply, demand])[:-1]
    found = linprog(costs.ravel(), A_eq=conditions, b_eq=masses, method="highs")  # type: ignore[call-overload]
    if not found.success:
        raise ArithmeticError(f"the transport problem was not solved: {found.message}")
    return float(found.fun)
