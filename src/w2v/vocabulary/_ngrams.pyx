# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Character n-grams of words as rows of a matrix, hashed as fastText does it; and means of such rows.

A word stands in angle brackets, `<word>`. An n-gram is a run of whole UTF-8 characters; a bracket alone is none. Its
hash is FNV-1a over its bytes, each extended with its sign (Bojanowski et al. 2017, arXiv:1607.04606; fastText 0.9.2,
`Dictionary::computeSubwords`).
"""

import numpy as np

from libc.stdint cimport int8_t, int32_t, uint32_t


cdef long long hash_word(const unsigned char *text, long long size, int min_n, int max_n, uint32_t bucket,
                         long long first_row, int32_t *rows) noexcept nogil:
    """Write the rows of the n-grams of one word to `rows`, if that is not NULL; returns how many there are."""
    cdef long long i, j, found = 0
    cdef int n
    cdef uint32_t hash
    for i in range(size):
        if text[i] & 0xC0 == 0x80:
            continue
        hash, j, n = <uint32_t>2166136261, i, 1
        while j < size and n <= max_n:
            hash = (hash ^ <uint32_t><int8_t>text[j]) * <uint32_t>16777619
            j += 1
            while j < size and text[j] & 0xC0 == 0x80:
                hash = (hash ^ <uint32_t><int8_t>text[j]) * <uint32_t>16777619
                j += 1
            if n >= min_n and not (n == 1 and (i == 0 or j == size)):
                if rows:
                    rows[found] = <int32_t>(first_row + hash % bucket)
                found += 1
            n += 1
    return found


cdef bytes bytes_of(str word):
    """UTF-8; bytes that were none when the word was read come back, and other lone surrogates have three bytes."""
    try:
        return word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return word.encode("utf-8", "surrogatepass")


def ngram_rows(words, int min_n, int max_n, long long bucket, *, long long first_row, bint own, without=()):
    """List the input rows of words.

    Parameters
    ----------
    words : list of str
    min_n, max_n : int
        The shortest and the longest n-gram, in characters.
    bucket : int, at least 1
        Into how many rows n-grams are hashed.
    first_row : int
        The row of the first bucket.
    own : bool
        The first row of word w is row w; its n-grams follow.
    without : collection of str
        Words that have no n-grams.

    Returns
    -------
    offsets : int64 [words + 1]
    rows : int32 [offsets[-1]]
        Word w has ``rows[offsets[w]:offsets[w + 1]]``, n-grams in the order in which they begin; one that occurs twice
        is listed twice.
    """
    cdef long long n_words = len(words), w, size, total = 0, kept = 0
    cdef long long[::1] offsets = np.zeros(n_words + 1, np.int64)
    cdef int32_t[::1] rows
    cdef bytes marked
    cdef list encoded = [b"" if word in without else bytes_of(f"<{word}>") for word in words]
    if bucket < 1 or first_row + bucket >= 1 << 31:
        raise ValueError(f"bucket={bucket:,} with rows from {first_row:,} on: rows are numbered from 0 to 2^31 - 2")
    for w in range(n_words):
        marked = encoded[w]
        total += own + hash_word(marked, len(marked), min_n, max_n, <uint32_t>bucket, first_row, NULL)
        offsets[w + 1] = total
    rows = np.empty(total, np.int32)
    for w in range(n_words):
        marked = encoded[w]
        if own:
            rows[kept] = <int32_t>w
            kept += 1
        if kept < offsets[w + 1]:
            kept += hash_word(marked, len(marked), min_n, max_n, <uint32_t>bucket, first_row, &rows[kept])
    return np.asarray(offsets), np.asarray(rows)


def mean_rows(const float[:, :] matrix, const long long[::1] offsets, const int32_t[::1] rows, float[:, ::1] means):
    """Fill ``means[w]`` with the mean of the rows of word w; zeros where it has none.

    The rows are checked, and the columns of `matrix` contiguous.
    """
    cdef long long w, i, size = matrix.shape[1], most = matrix.shape[0], d
    cdef const float *row
    cdef float *mean
    cdef float part
    if matrix.shape[1] and matrix.strides[1] != sizeof(float) or means.shape[1] != size:
        raise ValueError("the columns of the matrix must be contiguous, and as many as those of the means")
    if offsets.shape[0] != means.shape[0] + 1 or offsets[means.shape[0]] != rows.shape[0]:
        raise ValueError("the rows are not those of as many words as there are means")
    if rows.shape[0] and not 0 <= np.min(rows) <= np.max(rows) < most:
        raise ValueError(f"a word or subword has no row among the {most:,}")
    with nogil:
        for w in range(means.shape[0]):
            mean = &means[w, 0]
            for d in range(size):
                mean[d] = 0
            for i in range(offsets[w], offsets[w + 1]):
                row = &matrix[rows[i], 0]
                for d in range(size):
                    mean[d] += row[d]
            if offsets[w + 1] > offsets[w]:
                part = <float>1 / <float>(offsets[w + 1] - offsets[w])
                for d in range(size):
                    mean[d] *= part
