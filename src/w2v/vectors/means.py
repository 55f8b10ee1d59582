"""Means of vectors, a document at a time: the plainest vector of a text."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Documents averaged at a time: their sums are float64, and would take twice the space of the result.
BLOCK_DOCUMENTS = 4096


def of_documents(
    vectors: NDArray[Any], rows: NDArray[np.int64], tokens: NDArray[Any], offsets: NDArray[Any]
) -> NDArray[np.float32]:
    """Average the vectors of each document's words; a word counts as often as it occurs.

    It is one product of a sparse matrix, 1 for every known word in its place, with the vectors of the words. Sums are
    float64: a float32 sum of a long document would lose digits. They are taken in the order of the words, so a
    document's mean does not depend on what else is averaged.

    Parameters
    ----------
    vectors : ndarray [words, vector_size]
    rows : int64, the row of each number that `tokens` holds; -1 if it has none
    tokens : integers [N]
    offsets : integers [documents + 1], document d is ``tokens[offsets[d]:offsets[d + 1]]``

    Returns
    -------
    float32 [documents, vector_size]
        A document without a known word is a row of zeros.
    """
    from scipy.sparse import csr_array  # takes a while to import; few want means

    known = rows >= 0
    used = vectors[rows[known]].astype(np.float64)
    kept = known[tokens]
    columns = (np.cumsum(known) - 1)[tokens[kept]]
    begins = np.append(0, np.cumsum(kept))[offsets]
    members = csr_array((np.ones(len(columns)), columns, begins), shape=(len(begins) - 1, len(used)))
    lengths = np.maximum(np.diff(begins), 1)[:, np.newaxis]  # without words the sum is 0, and so is the mean

    means = np.empty((len(lengths), vectors.shape[1]), np.float32)
    for start in range(0, len(means), BLOCK_DOCUMENTS):
        block = slice(start, start + BLOCK_DOCUMENTS)
        means[block] = members[block] @ used / lengths[block]
    return means
