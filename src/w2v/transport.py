"""Optimal transport between two small sets of weighted vectors: a linear programme for POT, or else for scipy.

Source: Kusner et al. 2015 (ICML), section 3, after Rubner et al. 1998.
"""

from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def distance(left: Array, left_counts: Array, right: Array, right_counts: Array) -> float:
    """Least cost of moving the mass of `left` to `right`, at the Euclidean distance of the vectors.

    Parameters
    ----------
    left, right : float [n, d], [m, d]
    left_counts, right_counts : [n], [m], above 0; each side is scaled to mass 1
    """
    gaps = left[:, None, :].astype(np.float64) - right[None, :, :]
    costs = np.sqrt(np.einsum("ijk,ijk->ij", gaps, gaps))
    supply, demand = left_counts / left_counts.sum(), right_counts / right_counts.sum()
    if find_spec("ot") is not None:
        import ot  # a network solver, many times faster on long documents

        return float(ot.emd2(supply, demand, costs))
    return _least_cost(costs, supply, demand)


def _least_cost(costs: Array, supply: Array, demand: Array) -> float:
    from scipy.optimize import linprog
    from scipy.sparse import eye_array, kron, vstack

    n, m = costs.shape
    leaving = kron(eye_array(n), np.ones((1, m)))
    arriving = kron(np.ones((1, n)), eye_array(m))
    # One of the conditions follows from the others; leaving it out keeps rounding from making them contradict.
    conditions = vstack([leaving, arriving]).tocsr()[:-1]
    masses = np.concatenate([supply, demand])[:-1]
    found = linprog(costs.ravel(), A_eq=conditions, b_eq=masses, method="highs")  # type: ignore[call-overload]
    if not found.success:
        raise ArithmeticError(f"the transport problem was not solved: {found.message}")
    return float(found.fun)
