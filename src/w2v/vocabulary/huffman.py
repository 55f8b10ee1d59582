"""Huffman codes for hierarchical softmax: word counts in, three flat arrays out."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Paths(NamedTuple):
    """The way from the root to every word: word ``w`` owns ``points[offsets[w]:offsets[w + 1]]``."""

    offsets: NDArray[np.int64]  # [V + 1]
    points: NDArray[np.int32]  # inner nodes, 0 ... V - 2; the root is V - 2
    labels: NDArray[np.int8]  # 1 - code: the sigmoid's target at that node


def paths(counts: NDArray[np.int64]) -> Paths:
    """Build the tree whose expected path length over `counts` is smallest.

    Source: Huffman 1952; used for word2vec in Mikolov et al. 2013 (arXiv:1310.4546, section 2.1). Two queues, as in
    word2vec.c: the words by rising count and the inner nodes in order of creation, whose counts rise by themselves.
    """
    n = len(counts)
    if n < 2:
        return Paths(np.zeros(n + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int8))
    counts = np.maximum(counts, 1)  # words never seen would make one long chain
    order = np.argsort(-counts, kind="stable")  # the tree's leaf i is word order[i]
    parent, code = _merge(counts[order].tolist())

    depth = np.zeros(n, np.int64)
    node = parent[:n].copy()
    while (inside := node >= 0).any():
        depth += inside
        node = np.where(inside, parent[node], -1)

    of_word = np.empty(n, np.int64)
    of_word[order] = depth
    offsets = np.zeros(n + 1, np.int64)
    np.cumsum(of_word, out=offsets[1:])

    points = np.empty(offsets[-1], np.int32)
    labels = np.empty(offsets[-1], np.int8)
    slot = offsets[order + 1] - 1  # filled from the leaf upwards
    child = np.arange(n)
    while len(child):
        points[slot] = parent[child] - n
        labels[slot] = 1 - code[child]
        going_on = parent[parent[child]] >= 0
        child, slot = parent[child][going_on], slot[going_on] - 1
    return Paths(offsets, points, labels)


def carried_over(rows: NDArray[np.float32], before: Paths, after: Paths) -> tuple[NDArray[np.float32], int]:
    """The rows that belong to the inner nodes of one tree, brought to the nodes of another.

    What a node has learnt is to tell the words on one side of it from those on the other. So a row goes to the node
    that has the same words on either side, whatever its number, negated if the sides have changed places. Words that
    only `after` has may have joined. Nodes that `after` alone has start at zero, like those of a new model: rows of
    other words would only mislead.

    Parameters
    ----------
    rows : float32 [n, vector_size], by the numbers in ``before.points``
    before, after : Paths
        The first words of `after` are those of `before`.

    Returns
    -------
    float32 [V - 1, vector_size]
    int
        How many nodes have a row carried over to them.
    """
    n_words = len(before.offsets) - 1
    found = {sides: node for node, sides in enumerate(_sides(before, n_words, len(rows))) if all(sides)}
    moved, count = np.zeros((max(0, len(after.offsets) - 2), rows.shape[1]), np.float32), 0
    for node, sides in enumerate(_sides(after, n_words, len(moved))):
        if sides in found:
            moved[node] = rows[found[sides]]
        elif sides[::-1] in found:
            moved[node] = -rows[found[sides[::-1]]]
        else:
            continue
        count += 1
    return moved, count


def _sides(paths: Paths, n_words: int, n_nodes: int) -> list[tuple[int, int]]:
    """A hash of the words on each side of every node; only the first `n_words` count."""
    lengths = np.diff(paths.offsets)
    marks = np.zeros(len(lengths), np.uint64)
    marks[:n_words] = np.random.default_rng(0).integers(1, 2**64, n_words, np.uint64)
    sums = np.zeros((n_nodes, 2), np.uint64)
    np.add.at(sums, (paths.points, paths.labels), np.repeat(marks, lengths))
    return [(left, right) for left, right in sums.tolist()]


def _merge(falling: list[int]) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Join the two rarest nodes until one is left; the parent of the root is -1."""
    n = len(falling)
    total = [*falling, *[0] * (n - 1)]
    parent = np.full(2 * n - 1, -1, np.int64)
    code = np.zeros(2 * n - 1, np.int8)
    first, second = [0] * (n - 1), [0] * (n - 1)
    leaf, inner = n - 1, n
    for new in range(n, 2 * n - 1):
        pair = [0, 0]
        for side in (0, 1):
            if leaf >= 0 and (inner >= new or total[leaf] < total[inner]):
                pair[side], leaf = leaf, leaf - 1
            else:
                pair[side], inner = inner, inner + 1
        first[new - n], second[new - n] = pair
        total[new] = total[pair[0]] + total[pair[1]]
    parent[first] = parent[second] = np.arange(n, 2 * n - 1)
    code[second] = 1
    return parent, code
