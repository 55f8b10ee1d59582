# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""The two passes of word2phrase over a text, block by block."""

import os

import numpy as np

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport malloc


cdef extern from "_word2phrase.h" nogil:
    enum:
        TEXT_OK
    ctypedef struct Table:
        int64_t n_words
    ctypedef struct Spelling:
        int64_t length
    ctypedef struct Joiner:
        Table table
        int64_t *counts
        int64_t seen
        Spelling last
        int64_t n_words
        int64_t min_count
        float threshold
    void counts_of(const Table *table, int64_t *counts) noexcept
    int joiner_start(Joiner *joiner, uint64_t seed) noexcept
    void joiner_free(Joiner *joiner) noexcept
    int learn(Joiner *joiner, const uint8_t *text, int64_t size) noexcept
    int64_t join(Joiner *joiner, const uint8_t *text, int64_t size, uint8_t *out) noexcept


cdef class PhraseJoiner:
    """Learns a text, then joins it.

    Parameters
    ----------
    min_count : int
    threshold : float, of which float32 is kept
    """

    cdef Joiner joiner

    def __cinit__(self, long long min_count, double threshold):
        if joiner_start(&self.joiner, int.from_bytes(os.urandom(8), "little")) != TEXT_OK:
            raise MemoryError("no memory for a table of words")
        self.joiner.min_count, self.joiner.threshold = min_count, <float>threshold

    def __dealloc__(self):
        joiner_free(&self.joiner)

    @property
    def n_words(self):
        """Words of the text."""
        return self.joiner.n_words

    def learn(self, const uint8_t[::1] text):
        """Count the words of the next block."""
        cdef int outcome
        with nogil:
            outcome = learn(&self.joiner, &text[0], text.shape[0])
        if outcome != TEXT_OK:
            raise MemoryError(f"no memory for {self.joiner.table.n_words:,} words and pairs")

    def choose(self):
        """Keep what is frequent enough; returns how many spellings the C program says that it keeps.

        It sorts by count, and counts down what it drops while it still counts up what it keeps. So it stops half way,
        and says so; and if it drops nothing but its own ``</s>``, the last spelling goes in the place of that.
        """
        cdef long long n = self.joiner.table.n_words, i, kept = 0, rarest = 0
        cdef int64_t *counts = <int64_t *>malloc(n * sizeof(int64_t))
        if counts == NULL:
            raise MemoryError(f"no memory for {n:,} words and pairs")
        self.joiner.counts = counts
        counts_of(&self.joiner.table, counts)
        for i in range(1, n):
            kept += counts[i] >= self.joiner.min_count
            if not rarest or counts[i] <= counts[rarest]:
                rarest = i
        end_is_kept = counts[0] >= self.joiner.min_count
        for i in range(n):
            if counts[i] < self.joiner.min_count:
                counts[i] = -1
        self.joiner.seen = self.joiner.last.length = 0
        if end_is_kept:
            return n - (n - kept) // 2
        if kept == n - 1 and rarest:
            counts[rarest] = -1
        return n - 1 - (n - 1 - kept) // 2

    def join(self, const uint8_t[::1] text):
        """The next block with phrases joined, as uint8."""
        made = np.empty(2 * text.shape[0] + 64, np.uint8)
        cdef uint8_t[::1] out = made
        cdef int64_t size
        with nogil:
            size = join(&self.joiner, &text[0], text.shape[0], &out[0])
        return made[:size]
