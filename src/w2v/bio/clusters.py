"""Clusters of similar sequences, so that a test holds no close relative of what was learnt from."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.bio.counts import kmer_counts
from w2v.common import checks

# Sequences compared with all others at a time.
BLOCK_SEQUENCES = 512


def clusters_of(sequences: Any, threshold: float = 0.5, k: int = 3, **options: Any) -> NDArray[np.int64]:
    """Group sequences so that any two of different groups are less alike than a threshold.

    The identity of two sequences is estimated as ``(shared / least) ** (1 / k)``: `shared` different k-mers stand in
    both, and the one with fewer has `least`. If letters agree independently with probability p, a k-mer is shared with
    p to the k, and the estimate is p. Unrelated proteins of some hundred residues share 3-mers by chance and come out
    at about 0.35. Whatever is linked by steps above the threshold is one group (single linkage).

    Parameters
    ----------
    sequences : path, binary file or iterable of sequences
        As in `w2v.Kmers`.
    threshold : float, default 0.5
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
    sizes = np.diff(there.indptr)
    turned = there.T.tocsr()
    pairs = []
    for start in range(0, there.shape[0], BLOCK_SEQUENCES):
        shared = (there[start : start + BLOCK_SEQUENCES] @ turned).tocoo()
        least = np.minimum(sizes[shared.row + start], sizes[shared.col])
        alike = (shared.data / np.maximum(1, least)) ** (1 / k) >= threshold
        pairs.append(np.stack([shared.row[alike] + start, shared.col[alike]]))
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
