# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""The inner loop of `noise`: quotas of words paired up into an alias table."""

import numpy as np

from libc.stdint cimport int64_t, uint32_t



def pair_up(int64_t[::1] quotas, uint32_t[:, ::1] table):
    """Fill an alias table: a slot keeps 2^32 draws or fewer for its own word, and gives the rest to another one.

    Parameters
    ----------
    quotas : int64 [V], sum V * 2^32; how many draws each word is to get, overwritten
    table : uint32 [V, 2], filled with how many draws the slot's own word keeps, less one if all, and the other word
    """
    cdef long long n = quotas.shape[0], n_small = 0, n_large = 0, i
    cdef int64_t slot = <int64_t>1 << 32, needy, rich
    cdef int64_t[::1] small = np.empty(n, np.int64), large = np.empty(n, np.int64)
    with nogil:
        for i in range(n):
            table[i, 0], table[i, 1] = <uint32_t>(slot - 1), <uint32_t>i
            if quotas[i] < slot:
                small[n_small] = i
                n_small += 1
            else:
                large[n_large] = i
                n_large += 1
        while n_small and n_large:
            n_small -= 1
            needy, rich = small[n_small], large[n_large - 1]
            table[needy, 0], table[needy, 1] = <uint32_t>quotas[needy], <uint32_t>rich
            quotas[rich] -= slot - quotas[needy]
            if quotas[rich] < slot:
                n_large -= 1
                small[n_small] = rich
                n_small += 1
