"""Clusters of similar sequences, so that a test holds no close relative of what was learnt from."""

from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.bio.counts import kmer_counts
from w2v.common import checks

# Sequences compared with all others at a time.
BLOCK_SEQUENCES = 512

# Standard deviations beyond chance that a link needs. Of millions of pairs even a few linked by luck would join groups.
SURE = 6.0


def clusters_of(sequences: Any, threshold: float = 0.6, k: int = 3, **options: Any) -> NDArray[np.int64]:
    """Group sequences so that any two of different groups are less alike than a threshold.

    Of the k-mers of the sequence that has fewer of them, a share c stands in the other one too. A share q would by
    chance: that of k-mers whose letters are drawn one by one, as often as they occur here. If letters agree
    independently with probability p, then beyond chance a k-mer is shared with p to the k, so that the identity is
    estimated as ``((c - q) / (1 - q)) ** (1 / k)``. Short sequences share much with long ones by luck, and so they are
    linked only if they share `SURE` standard deviations more than chance gives, too. Whatever
    is linked by steps is one group (single linkage).

    Parameters
    ----------
    sequences : path, binary file or iterable of sequences
        As in `w2v.Kmers`.
    threshold : float, default 0.6
        Identity from which two sequences belong together.
    k : int, default 3
        For proteins; 8 suits DNA.
    **options
        As in `kmer_counts`: ``alphabet="protein"``.

    Returns
    -------
    int64 [sequences], the number of each one's group, in order of first appearance
    """
    from scipy.sparse import coo_array, csr_array
    from scipy.sparse.csgraph import connected_components

    checks.number("threshold", threshold, 0, 1)
    _, _, counts = kmer_counts(sequences, k, **options)
    there = csr_array((np.ones(counts.nnz, np.int32), counts.indices, counts.indptr), shape=counts.shape)
    sizes = np.diff(there.indptr).astype(np.float64)
    # Of k-mers whose letters are drawn by how frequent they are here, the share that is one of each sequence's.
    letters = round(counts.shape[1] ** (1 / k))
    share = np.asarray(counts.sum(axis=0), np.float64).reshape(letters, -1).sum(axis=1)
    share /= max(1.0, share.sum())
    chances = there @ reduce(np.multiply.outer, [share] * k).ravel()
    turned = there.T.tocsr()
    pairs = []
    for start in range(0, there.shape[0], BLOCK_SEQUENCES):
        shared = (there[start : start + BLOCK_SEQUENCES] @ turned).tocoo()
        one, other = shared.row + start, shared.col
        larger = np.where(sizes[one] > sizes[other], one, other)
        least, chance = np.minimum(sizes[one], sizes[other]), np.minimum(chances[larger], 1 - 1e-9)
        beyond = shared.data - chance * least
        alike = np.maximum(0, beyond / ((1 - chance) * least)) ** (1 / k) >= threshold
        alike &= beyond > SURE * np.sqrt(chance * (1 - chance) * least)
        alike |= shared.data == sizes[larger]  # the very same k-mers, be they ever so few
        pairs.append(np.stack([one[alike], other[alike]]))
    row, column = np.concatenate(pairs, axis=1) if pairs else np.zeros((2, 0), np.int64)
    links = coo_array((np.ones(len(row), np.int8), (row, column)), (len(sizes), len(sizes)))
    _, found = connected_components(links, directed=False)
    _, first, numbers = np.unique(found, return_index=True, return_inverse=True)
    order: NDArray[np.int64] = np.argsort(np.argsort(first))[numbers].astype(np.int64)
    return order


def dealt(
    clusters: NDArray[np.int64], labels: NDArray[np.int64], folds: int, draw: np.random.Generator
) -> NDArray[np.int64]:
    """The fold of each sequence: clusters stay whole, and folds have about the same share of each label.

    The largest clusters are dealt first, each to the fold that has the fewest of its most frequent label, then the
    fewest in all; chance orders clusters of one size.
    """
    n_clusters, n_labels = int(clusters.max()) + 1, int(labels.max()) + 1
    members = np.zeros((n_clusters, n_labels), np.int64)
    np.add.at(members, (clusters, labels), 1)
    order = draw.permutation(n_clusters)
    order = order[np.argsort(-members[order].sum(axis=1), kind="stable")]
    filled, fold_of = np.zeros((folds, n_labels), np.int64), np.empty(n_clusters, np.int64)
    for cluster in order.tolist():
        label = int(members[cluster].argmax())
        fold = min(range(folds), key=lambda at: (filled[at, label], filled[at].sum(), at))
        fold_of[cluster] = fold
        filled[fold] += members[cluster]
    return fold_of[clusters]
