"""The tree of topics: which two are joined first, which last."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Tree(NamedTuple):
    """A binary tree over topics, as scipy's linkage matrices have it.

    Attributes
    ----------
    pairs : int32 [topics - 1, 2]
        The two nodes that a step joins. Topics are 0 to topics - 1; step i makes the node topics + i.
    heights : float64 [topics - 1]
        What the step costs; ascending.
    """

    pairs: NDArray[np.int32]
    heights: NDArray[np.float64]

    @property
    def leaves(self) -> int:
        return len(self.pairs) + 1

    def is_sound(self) -> bool:
        """Whether each step joins two nodes that stand alone before it."""
        standing = set(range(self.leaves))
        for step, pair in enumerate(self.pairs.tolist()):
            if pair[0] == pair[1] or pair[0] not in standing or pair[1] not in standing:
                return False
            standing.difference_update(pair)
            standing.add(self.leaves + step)
        return True

    def members(self, node: int) -> list[int]:
        """The topics below a node, ascending."""
        return sorted(self.in_order(node))

    def in_order(self, node: int) -> list[int]:
        """The topics below a node, in an order in which no branches cross."""
        found, waiting = [], [node]
        while waiting:
            node = waiting.pop()
            if node < self.leaves:
                found.append(node)
            else:
                left, right = self.pairs[node - self.leaves].tolist()
                waiting += [right, left]
        return found

    def groups(self, count: int) -> list[list[int]]:
        """The topics in `count` groups, as they were before the last ``count - 1`` steps; in order of their first."""
        standing = set(range(self.leaves))
        for step in range(self.leaves - count):
            standing -= set(self.pairs[step].tolist())
            standing.add(self.leaves + step)
        return sorted(self.members(node) for node in standing)


def ward(vectors: Array, sizes: Array) -> Tree:
    """Join the two topics whose union costs least, again and again.

    The cost of a union is ``sqrt(2 m n / (m + n)) * |a - b|`` for topics of m and n documents around the means a and
    b: how much the documents' squared distances from their means grow. So small topics go to near ones first, and
    large ones stay.

    Source: Ward 1963 (JASA 58), with sizes as weights; the result is scipy's ``linkage(method="ward")`` where all sizes
    are 1.

    Parameters
    ----------
    vectors : float [topics, vector_size]
    sizes : int [topics]
        Topics without a document count as one of a single document.
    """
    count = len(vectors)
    if count < 2:
        return Tree(np.zeros((0, 2), np.int32), np.zeros(0))
    means = np.asarray(vectors, np.float64).copy()
    weights = np.maximum(np.asarray(sizes, np.float64), 1)
    squared = ((means[:, None] - means[None]) ** 2).sum(axis=2)
    costs = np.sqrt(2 * np.outer(weights, weights) / np.add.outer(weights, weights) * squared)
    np.fill_diagonal(costs, np.inf)
    nodes = list(range(count))
    pairs, heights = [], []
    for step in range(count - 1):
        one, other = sorted(np.unravel_index(int(costs.argmin()), costs.shape))
        heights.append(float(costs[one, other]))
        pairs.append(sorted((nodes[one], nodes[other])))
        total = weights[one] + weights[other]
        means[one] = (weights[one] * means[one] + weights[other] * means[other]) / total
        weights[one], nodes[one] = total, count + step
        costs[other] = costs[:, other] = np.inf
        alive = np.isfinite(costs[one])
        rows = np.flatnonzero(alive)
        distances = np.sqrt(((means[rows] - means[one]) ** 2).sum(axis=1))
        costs[one, rows] = costs[rows, one] = np.sqrt(2 * weights[rows] * total / (weights[rows] + total)) * distances
    return Tree(np.array(pairs, np.int32), np.maximum.accumulate(heights))
