"""Documents by terms: how often, and with which weights.

    tfidf          n(d, t) * (log((1 + N) / (1 + N(t))) + 1), rows of length 1          scikit-learn's, smoothed
    log-entropy    log2(1 + n(d, t)) * (1 + sum_d p log2 p / log2 N), p = n(d, t) / n(t)       Dumais 1991, BRMIC

with n(d, t) occurrences of a term in a document, n(t) in all, and N(t) of N documents having it. The second factor is a
term's own: new documents are weighed with those of the old ones.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def term_weights(counts: "csr_matrix[Any]", weighting: str) -> NDArray[np.float64]:
    """The weight of each term, float64 [terms], of all documents; `counts` is documents by terms."""
    documents, terms = counts.shape
    if weighting == "tfidf":
        having = np.bincount(counts.indices, minlength=terms)
        return np.asarray(np.log((1 + documents) / (1 + having)) + 1, np.float64)
    occurrences = np.bincount(counts.indices, counts.data, minlength=terms)
    share = counts.data / occurrences[counts.indices]
    entropy = np.bincount(counts.indices, share * np.log2(share), minlength=terms)
    return np.asarray(1 + entropy / np.log2(max(2, documents)), np.float64)


def weighted(counts: "csr_matrix[Any]", weighting: str, weights: NDArray[np.float64]) -> "csr_matrix[np.float32]":
    """The matrix of weights, float32 [documents, terms]."""
    from scipy.sparse import csr_matrix

    local = counts.data.astype(np.float64) if weighting == "tfidf" else np.log2(1.0 + counts.data)
    values = local * weights[counts.indices]
    if weighting == "tfidf":
        filled = np.flatnonzero(np.diff(counts.indptr))
        lengths = np.ones(counts.shape[0])
        if len(filled):
            lengths[filled] = np.sqrt(np.add.reduceat(values * values, counts.indptr[filled]))
        values /= np.repeat(lengths, np.diff(counts.indptr))
    made = csr_matrix((values.astype(np.float32), counts.indices, counts.indptr), counts.shape, copy=False)
    made.has_sorted_indices = made.has_canonical_format = True
    return made
