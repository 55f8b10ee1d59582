# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Words and pairs of adjacent words, counted: the inner loops of `counting`."""

import os

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset


cdef extern from "_pairs.h" nogil:
    enum:
        TERMS_OK
        TERMS_NO_MEMORY
    ctypedef struct Pair:
        uint32_t a
        uint32_t b
        uint32_t link
        uint32_t round
        int64_t count
    ctypedef struct PairTable:
        Pair *slots
        uint64_t mask
        int64_t n_pairs
    ctypedef struct Met:
        uint64_t hash
        uint32_t a
        uint32_t b
        uint32_t link
    ctypedef struct EdgeTable:
        int64_t n_edges
    int make_room(void **items, int64_t *room, int64_t wanted, size_t size) noexcept
    uint64_t hash_of_pair(uint64_t seed, uint32_t a, uint32_t b, uint32_t link) noexcept
    int pairs_start(PairTable *table, uint64_t slots) noexcept
    int pairs_rebuild(PairTable *table, uint64_t slots, uint64_t seed, const int64_t *lost,
                      int64_t lost_after) noexcept
    int pairs_count(PairTable *table, const Met *met, int64_t n, uint64_t seed, uint32_t round,
                    const int64_t *lost) noexcept
    int edges_start(EdgeTable *table, uint64_t slots) noexcept
    void edges_free(EdgeTable *table) noexcept
    int32_t edge_of(const EdgeTable *table, int32_t node, int32_t number) noexcept
    int edge_add(EdgeTable *table, int32_t node, int32_t number, int32_t to) noexcept


cdef enum:
    FIRST_SLOTS = 1024  # of a table of pairs
    SMALL_COUNTS = 1 << 16  # counts told apart when a limit is looked for

# The seed decides the slots of pairs in this process's tables. No result depends on it.
cdef uint64_t SEED = int.from_bytes(os.urandom(8), "little")


cdef class PairCounter:
    """Counts words, and pairs of words with what connects them.

    `take` sorts the pairs of some tokens into parts, and `count` counts a part; threads may count different parts at
    the same time. What is counted does not depend on the number of parts.

    Parameters
    ----------
    parts : int
    """

    cdef PairTable *tables
    cdef Met **met
    cdef int64_t *n_met
    cdef int64_t *met_room
    cdef int n_parts
    cdef EdgeTable links  # (connectors so far, connector): connectors
    cdef int64_t *counts  # of words; 0 where the word is forgotten or was never met
    cdef uint32_t *rounds  # at which they came in
    cdef uint8_t *connector
    cdef int64_t counts_room, rounds_room, connector_room
    cdef int64_t *lost  # at each round, what a pair or a word can have lost before
    cdef int64_t lost_room
    cdef uint32_t round
    cdef int64_t start  # word that a pair may begin with, -1 at the beginning of a sentence
    cdef int32_t link
    cdef readonly long long n_words, total_words
    cdef list link_list

    def __cinit__(self, int parts):
        cdef int i
        self.tables = <PairTable *>calloc(parts, sizeof(PairTable))
        self.met = <Met **>calloc(parts, sizeof(Met *))
        self.n_met = <int64_t *>calloc(parts, sizeof(int64_t))
        self.met_room = <int64_t *>calloc(parts, sizeof(int64_t))
        memset(&self.links, 0, sizeof(EdgeTable))
        self.n_parts = parts
        cdef int outcome = edges_start(&self.links, 64)
        if self.tables == NULL or self.met == NULL or self.n_met == NULL or self.met_room == NULL:
            raise MemoryError("no memory for tables of pairs")
        for i in range(parts):
            outcome |= pairs_start(&self.tables[i], FIRST_SLOTS)
        outcome |= make_room(<void **>&self.lost, &self.lost_room, 1, sizeof(int64_t))
        if outcome != TERMS_OK:
            raise MemoryError("no memory for tables of pairs")
        self.start = -1
        self.link_list = [(0, -1)]

    def __dealloc__(self):
        cdef int i
        for i in range(self.n_parts):
            if self.tables != NULL:
                free(self.tables[i].slots)
            if self.met != NULL:
                free(self.met[i])
        free(self.tables)
        free(self.met)
        free(self.n_met)
        free(self.met_room)
        free(self.counts)
        free(self.rounds)
        free(self.connector)
        free(self.lost)
        edges_free(&self.links)

    @property
    def n_pairs(self):
        """How many different pairs are known."""
        cdef int i
        cdef long long n = 0
        for i in range(self.n_parts):
            n += self.tables[i].n_pairs
        return n

    @property
    def lost_at_most(self):
        """The most occurrences that a count lacks; of what is not known there were no more."""
        return self.lost[self.round]

    @property
    def links_made(self):
        """(connectors before, connector) of each run of connectors by its number; number 0 is none."""
        return list(self.link_list)

    def know(self, long long n_words, const int64_t[::1] connectors):
        """Make room for words below `n_words`; `connectors` are the numbers of those that only connect."""
        cdef int outcome = make_room(<void **>&self.counts, &self.counts_room, n_words, sizeof(int64_t))
        outcome |= make_room(<void **>&self.rounds, &self.rounds_room, n_words, sizeof(uint32_t))
        outcome |= make_room(<void **>&self.connector, &self.connector_room, n_words, 1)
        if outcome != TERMS_OK:
            raise MemoryError(f"no memory for counts of {n_words:,} words")
        cdef long long i
        for i in range(connectors.shape[0]):
            if connectors[i] >= 0:
                self.connector[connectors[i]] = 1
        self.n_words = max(self.n_words, n_words)

    def take(self, const int32_t[::1] tokens, const int64_t[::1] ends):
        """Count the words of `tokens` and note the pairs; `ends` says before which tokens a sentence ends."""
        cdef long long i = 0, n = tokens.shape[0], n_ends = ends.shape[0], sentence = 0, stop
        cdef int part
        cdef uint32_t word
        cdef uint64_t hash
        cdef int32_t link
        cdef Met *met
        for part in range(self.n_parts):
            self.n_met[part] = 0
            if make_room(<void **>&self.met[part], &self.met_room[part], n, sizeof(Met)) != TERMS_OK:
                raise MemoryError(f"no memory for {n:,} pairs")
        with nogil:
            while True:
                stop = ends[sentence] if sentence < n_ends else n
                while i < stop:
                    word = <uint32_t>tokens[i]
                    i += 1
                    if self.connector[word]:
                        if self.start >= 0:
                            link = edge_of(&self.links, self.link, <int32_t>word)
                            if not link:
                                with gil:
                                    link = self._new_link(word)
                            self.link = link
                        continue
                    if not self.counts[word]:
                        self.rounds[word] = self.round
                    self.counts[word] += 1
                    if self.start >= 0:
                        hash = hash_of_pair(SEED, <uint32_t>self.start, word, <uint32_t>self.link)
                        part = <int>(((hash >> 32) * <uint64_t>self.n_parts) >> 32)
                        met = &self.met[part][self.n_met[part]]
                        met.hash, met.a, met.b, met.link = hash, <uint32_t>self.start, word, <uint32_t>self.link
                        self.n_met[part] += 1
                    self.start, self.link = word, 0
                if sentence >= n_ends:
                    break
                self.start, self.link = -1, 0
                sentence += 1
        self.total_words += n

    cdef int32_t _new_link(self, uint32_t connector) except -1:
        cdef int32_t made = <int32_t>len(self.link_list)
        if edge_add(&self.links, self.link, <int32_t>connector, made) != TERMS_OK:
            raise MemoryError(f"no memory for {made:,} runs of connectors")
        self.link_list.append((self.link, connector))
        return made

    def count(self, int part):
        """Count the noted pairs of one part."""
        cdef int outcome
        with nogil:
            outcome = pairs_count(&self.tables[part], self.met[part], self.n_met[part], SEED, self.round, self.lost)
            self.n_met[part] = 0
        if outcome != TERMS_OK:
            raise MemoryError(
                f"no memory for {self.n_pairs:,} different pairs; a lower max_vocab_size forgets the rarest"
            )

    def known(self):
        """How many words and pairs have a count."""
        cdef long long i, n = 0
        for i in range(self.n_words):
            n += self.counts[i] > 0
        return n + self.n_pairs

    def prune(self, long long most):
        """Forget rare words and pairs, those that may have been rare included, until at most `most` are left."""
        cdef long long i, j, left, known = self.known()
        cdef int part
        cdef int64_t value, lost, after
        cdef int64_t *of = <int64_t *>malloc(SMALL_COUNTS * sizeof(int64_t))
        cdef const Pair *pair
        cdef int outcome = TERMS_OK
        if of == NULL:
            raise MemoryError("no memory to look for rare pairs")
        try:
            while known > most:
                lost = self.lost[self.round]
                memset(of, 0, SMALL_COUNTS * sizeof(int64_t))
                for part in range(self.n_parts):
                    for i in range(<long long>self.tables[part].mask + 1):
                        pair = &self.tables[part].slots[i]
                        if pair.count:
                            value = pair.count + self.lost[pair.round] - lost
                            of[min(value, SMALL_COUNTS - 1)] += 1
                for i in range(self.n_words):
                    if self.counts[i]:
                        value = self.counts[i] + self.lost[self.rounds[i]] - lost
                        of[min(value, SMALL_COUNTS - 1)] += 1
                left, j = known, 0
                while j < SMALL_COUNTS - 2 and 2 * left > most:
                    j += 1
                    left -= of[j]
                after = lost + j
                for part in range(self.n_parts):
                    outcome |= pairs_rebuild(&self.tables[part], self.tables[part].mask + 1, SEED, self.lost, after)
                for i in range(self.n_words):
                    if self.counts[i] and self.counts[i] + self.lost[self.rounds[i]] <= after:
                        self.counts[i] = 0
                self.round += 1
                outcome |= make_room(<void **>&self.lost, &self.lost_room, self.round + 1, sizeof(int64_t))
                if outcome != TERMS_OK:
                    raise MemoryError("no memory to forget rare pairs; use a lower max_vocab_size")
                self.lost[self.round] = after
                known = self.known()
        finally:
            free(of)

    def words(self):
        """Counts of all words, and the most that each may lack: two arrays of int64."""
        counts, errors = np.zeros(self.n_words, np.int64), np.zeros(self.n_words, np.int64)
        cdef int64_t[::1] count = counts, error = errors
        cdef long long i
        for i in range(self.n_words):
            count[i] = self.counts[i]
            error[i] = self.lost[self.rounds[i]] if self.counts[i] else self.lost[self.round]
        return counts, errors

    def pairs(self, long long least):
        """The pairs with a count of at least `least`, in the order of their words' numbers.

        Returns
        -------
        a, link, b, count, error : int64
        """
        cdef long long i, n = 0
        cdef int part
        cdef const Pair *pair
        for part in range(self.n_parts):
            for i in range(<long long>self.tables[part].mask + 1):
                pair = &self.tables[part].slots[i]
                n += pair.count > 0 and pair.count >= least
        found = np.empty((5, n), np.int64)
        cdef int64_t[:, ::1] out = found
        n = 0
        for part in range(self.n_parts):
            for i in range(<long long>self.tables[part].mask + 1):
                pair = &self.tables[part].slots[i]
                if pair.count > 0 and pair.count >= least:
                    out[0, n], out[1, n], out[2, n] = pair.a, pair.link, pair.b
                    out[3, n], out[4, n] = pair.count, self.lost[pair.round]
                    n += 1
        return found[:, np.lexsort((found[2], found[1], found[0]))]

    def restore(self, const int64_t[::1] words, const int64_t[:, ::1] pairs, links, long long total_words,
                long long lost):
        """Take over saved counts: of words, of pairs as `pairs` gives them, and the connectors between them."""
        cdef long long i, n = pairs.shape[1]
        cdef int part
        cdef Met one
        cdef Pair *pair
        cdef int outcome = TERMS_OK
        cdef uint64_t at
        self.know(words.shape[0], np.zeros(0, np.int64))
        for before, connector in links[1:]:
            self.link = before
            self._new_link(connector)
            self.connector[connector] = 1
        self.link = 0
        self.total_words = total_words
        if lost:
            self.round = 1
            if make_room(<void **>&self.lost, &self.lost_room, 2, sizeof(int64_t)) != TERMS_OK:
                raise MemoryError("no memory for tables of pairs")
            self.lost[1] = lost
        for i in range(words.shape[0]):
            self.counts[i], self.rounds[i] = words[i], self.round
        for i in range(n):
            one.a, one.link, one.b = <uint32_t>pairs[0, i], <uint32_t>pairs[1, i], <uint32_t>pairs[2, i]
            one.hash = hash_of_pair(SEED, one.a, one.b, one.link)
            part = <int>(((one.hash >> 32) * <uint64_t>self.n_parts) >> 32)
            outcome |= pairs_count(&self.tables[part], &one, 1, SEED, self.round, self.lost)
            if outcome != TERMS_OK:
                raise MemoryError(f"no memory for {n:,} different pairs")
            at = one.hash & self.tables[part].mask
            while True:
                pair = &self.tables[part].slots[at]
                if pair.a == one.a and pair.b == one.b and pair.link == one.link:
                    pair.count = pairs[3, i]
                    break
                at = (at + 1) & self.tables[part].mask
