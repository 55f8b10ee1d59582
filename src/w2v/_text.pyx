# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, freethreading_compatible=True
"""Text to tokens without a Python object per word: the inner loops of `encode`.

A `WordTable` numbers words in order of first appearance. Each thread has one of its own; `merged` maps their numbers
to those of a common table. All loops run without the GIL.
"""

import os

import numpy as np

from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy


cdef extern from "_text.h" nogil:
    enum:
        TEXT_OK
        TEXT_NO_MEMORY
        TEXT_NOT_UTF8
    ctypedef struct Word:
        uint64_t hash
        uint64_t start
        uint32_t length
    ctypedef struct Table:
        Word *words
        int64_t *counts
        int64_t n_words
        uint8_t *arena
        uint64_t seed
    ctypedef struct Tokens:
        int32_t *tokens
        int64_t n_tokens
        int64_t *ends
        int64_t n_ends
        int64_t error
    int table_start(Table *table, uint64_t seed) noexcept
    void table_free(Table *table) noexcept
    int32_t number_of(Table *table, const uint8_t *word, uint64_t length, uint64_t hash) noexcept
    int64_t next_blank(const uint8_t *text, int64_t size, int64_t start) noexcept
    int tokenize(Table *table, const uint8_t *text, int64_t size, Tokens *out) noexcept


# Where words fall in the hash table is nobody's business but this process's; their numbers do not depend on it.
cdef uint64_t SEED = int.from_bytes(os.urandom(8), "little")


def cut_at_blank(const uint8_t[::1] text, long long start):
    """The first place from `start` on where the text can be cut without cutting a word or a character."""
    if start >= text.shape[0]:
        return text.shape[0]
    return next_blank(&text[0], text.shape[0], start)


cdef class WordTable:
    """Words numbered in order of first appearance, with their counts. One thread at a time may use it."""

    cdef Table table

    def __cinit__(self):
        if table_start(&self.table, SEED) != TEXT_OK:
            raise MemoryError("no memory for a table of words")

    def __dealloc__(self):
        table_free(&self.table)

    def __len__(self):
        return self.table.n_words

    def tokenize(self, const uint8_t[::1] text):
        """Number the words of a text that begins and ends between words.

        Returns
        -------
        tokens : int32, a number per word
        ends : int64, how many tokens precede each newline
        error : int, offset of the first byte that is not UTF-8, or -1; then the rest is void
        """
        cdef long long size = text.shape[0]
        if size == 0:
            return np.zeros(0, np.int32), np.zeros(0, np.int64), -1
        tokens = np.empty(size // 2 + 1, np.int32)
        cdef int32_t[::1] room = tokens
        cdef Tokens out = Tokens(tokens=&room[0], n_tokens=0, ends=NULL, n_ends=0, error=-1)
        cdef int64_t[::1] ends
        cdef int outcome
        try:
            with nogil:
                outcome = tokenize(&self.table, &text[0], size, &out)
            if outcome == TEXT_NO_MEMORY:
                raise MemoryError(f"no memory for a vocabulary of {self.table.n_words:,} words")
            ends = np.empty(out.n_ends, np.int64)
            if out.n_ends:
                memcpy(&ends[0], out.ends, out.n_ends * sizeof(int64_t))
            return tokens[:out.n_tokens], np.asarray(ends), out.error
        finally:
            free(out.ends)

    def merged(self, WordTable other, long long start):
        """Number the words of `other` from its number `start` on here; returns their numbers in this table, int32."""
        cdef long long n = other.table.n_words - start, i
        numbers = np.empty(n, np.int32)
        cdef int32_t[::1] given = numbers
        cdef const Word *word
        for i in range(n):
            word = &other.table.words[start + i]
            given[i] = number_of(&self.table, other.table.arena + word.start, word.length, word.hash)
            if given[i] < 0:
                raise MemoryError(f"no memory for a vocabulary of {self.table.n_words:,} words")
        return numbers

    def counts(self):
        """How often each word was seen by `tokenize`, int64."""
        cdef long long i
        counts = np.empty(self.table.n_words, np.int64)
        cdef int64_t[::1] view = counts
        for i in range(self.table.n_words):
            view[i] = self.table.counts[i]
        return counts

    def words(self, numbers):
        """The words behind `numbers` as str."""
        cdef const int64_t[::1] wanted = np.ascontiguousarray(numbers, np.int64)
        cdef const Word *word
        cdef long long i
        words = []
        for i in range(wanted.shape[0]):
            word = &self.table.words[wanted[i]]
            words.append(PyUnicode_DecodeUTF8(<const char *>self.table.arena + word.start, word.length, NULL))
        return words


def renumber(int32_t[::1] tokens, const int32_t[::1] table, int64_t[::1] ends):
    """Replace each token by its entry in `table`, leave out those whose entry is negative, move `ends` accordingly.

    Both arrays are changed in place; `ends` rises and counts tokens from the start of `tokens`.

    Returns
    -------
    int
        How many tokens are left, in front.
    """
    cdef long long i, kept = 0, n = tokens.shape[0], sentence = 0, n_ends = ends.shape[0]
    cdef int32_t number
    with nogil:
        for i in range(n):
            while sentence < n_ends and ends[sentence] <= i:
                ends[sentence] = kept
                sentence += 1
            number = table[tokens[i]]
            tokens[kept] = number
            kept += number >= 0
        while sentence < n_ends:
            ends[sentence] = kept
            sentence += 1
    return kept
