# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""The inner loop of batched queries: the best few of a block of scores, kept from block to block."""

from libc.stdint cimport int64_t


cdef enum:
    STRETCH = 256  # columns looked at before any of them is compared with each of the best

ctypedef fused real:
    float
    double


def better_neighbors(
    const real[:, ::1] products, const real[::1] lengths, long long first, real[:, ::1] best, int64_t[:, ::1] rows
):
    """Look for better neighbours of each query in the columns of `products`; no copy, no GIL.

    Parameters
    ----------
    products : float32 or float64 [queries, columns]
        Products of the queries with the rows ``first``, ``first + 1``, ...; blocks must come in rising order.
    lengths : of the same type [columns]
        What to divide the products by; none of them 0.
    best, rows : of the same type, int64 [queries, k]
        The highest scores so far and their rows, descending, equal scores in row order; changed in place.
    """
    cdef long long n = products.shape[0], columns = products.shape[1], k = best.shape[1]
    cdef long long q, i, j, start, stop
    cdef const real *row
    cdef const real *length = &lengths[0] if columns else NULL
    cdef real least, score
    cdef int higher
    if k == 0:
        return
    with nogil:
        for q in range(n):
            row = &products[q, 0]
            least = best[q, k - 1]
            start = 0
            while start < columns:
                stop = min(start + STRETCH, columns)
                higher = 0
                for i in range(start, stop):
                    higher += row[i] / length[i] > least
                for i in range(start, stop if higher else start):
                    score = row[i] / length[i]
                    if not score > least:
                        continue
                    j = k - 1
                    while j > 0 and best[q, j - 1] < score:
                        best[q, j], rows[q, j] = best[q, j - 1], rows[q, j - 1]
                        j -= 1
                    best[q, j], rows[q, j] = score, first + i
                    least = best[q, k - 1]
                start = stop
