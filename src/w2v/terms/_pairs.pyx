# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Words and pairs of adjacent words, counted: the inner loops of `counting`."""

import os

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset


cdef extern from "_pairs.h" nogil:
    enum:
        TERMS_OK
        TERMS_NO_MEMORY
        ROUND_BITS
        PAIR_PARTS
        FIRST_SLOTS
    const uint32_t LINKED
    ctypedef struct Pair:
        uint32_t begin
        uint32_t b
        uint64_t count
        uint32_t round
    ctypedef struct PairTable:
        Pair *slots
        uint64_t n_slots
        int64_t n_pairs
    ctypedef struct Met:
        uint64_t hash
        uint32_t begin
        uint32_t b
    ctypedef struct EdgeTable:
        int64_t n_edges
    int make_room(void **items, int64_t *room, int64_t wanted, size_t size) noexcept
    uint64_t hash_of_pair(uint64_t seed, uint32_t begin, uint32_t b) noexcept
    int part_of(uint64_t hash) noexcept
    int pairs_start(PairTable *table, uint64_t n_slots) noexcept
    int pairs_rebuild(PairTable *table, uint64_t n_slots, uint64_t seed, const int64_t *lost,
                      int64_t lost_after) noexcept
    int pair_add(PairTable *table, const Met *met, int64_t count, uint64_t seed, uint32_t round,
                 const int64_t *lost) noexcept
    int pairs_count(PairTable *table, const Met *met, int64_t n, uint64_t seed, uint32_t round,
                    const int64_t *lost) noexcept
    int edges_start(EdgeTable *table, uint64_t slots) noexcept
    void edges_free(EdgeTable *table) noexcept
    int32_t edge_of(const EdgeTable *table, int32_t node, int32_t number) noexcept
    int edge_add(EdgeTable *table, int32_t node, int32_t number, int32_t to) noexcept


cdef enum:
    SMALL_COUNTS = 1 << 16  # counts told apart when a limit is looked for

# The seed decides the slots of pairs in this process's tables. No result depends on it.
cdef uint64_t SEED = int.from_bytes(os.urandom(8), "little")


cdef class PairCounter:
    """Counts words, and pairs of words with what connects them.

    `take` sorts the pairs of some tokens into parts, and `count` counts some of the parts; threads may count different
    ones at the same time. A pair begins with a word, or with a word and connectors behind it.
    """

    cdef PairTable tables[PAIR_PARTS]
    cdef Met *met[PAIR_PARTS]
    cdef int64_t n_met[PAIR_PARTS]
    cdef int64_t met_room[PAIR_PARTS]
    cdef EdgeTable links  # (connectors so far, connector): connectors
    cdef EdgeTable beginnings  # (word, connectors): place among the `linked`, plus 1
    cdef int32_t *linked  # word and connectors of each beginning from LINKED on
    cdef int64_t n_linked, linked_room
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

    def __cinit__(self):
        cdef int part
        cdef int outcome = edges_start(&self.links, 64) | edges_start(&self.beginnings, 64)
        for part in range(PAIR_PARTS):
            outcome |= pairs_start(&self.tables[part], FIRST_SLOTS)
        outcome |= make_room(<void **>&self.lost, &self.lost_room, 1, sizeof(int64_t))
        if outcome != TERMS_OK:
            raise MemoryError("no memory for tables of pairs")
        self.start = -1
        self.link_list = [(0, -1)]

    def __dealloc__(self):
        cdef int part
        for part in range(PAIR_PARTS):
            free(self.tables[part].slots)
            free(self.met[part])
        free(self.linked)
        free(self.counts)
        free(self.rounds)
        free(self.connector)
        free(self.lost)
        edges_free(&self.links)
        edges_free(&self.beginnings)

    @property
    def n_pairs(self):
        """How many different pairs are known."""
        cdef int part
        cdef long long n = 0
        for part in range(PAIR_PARTS):
            n += self.tables[part].n_pairs
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
        cdef int outcome = TERMS_OK
        cdef uint32_t word
        cdef int32_t link
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
                        outcome |= self._note(word)
                    self.start, self.link = word, 0
                if sentence >= n_ends:
                    break
                self.start, self.link = -1, 0
                sentence += 1
        if outcome != TERMS_OK:
            raise MemoryError(f"no memory for {n:,} pairs")
        self.total_words += n

    cdef int _note(self, uint32_t word) noexcept nogil:
        """Note the pair that ends with a word."""
        cdef Met met
        cdef int64_t begin = self._beginning(<int32_t>self.start, self.link)
        cdef int part
        if begin < 0:
            return TERMS_NO_MEMORY
        met.begin, met.b = <uint32_t>begin, word
        met.hash = hash_of_pair(SEED, met.begin, word)
        part = part_of(met.hash)
        if self.n_met[part] == self.met_room[part] and make_room(
                <void **>&self.met[part], &self.met_room[part], self.n_met[part] + 1, sizeof(Met)) != TERMS_OK:
            return TERMS_NO_MEMORY
        self.met[part][self.n_met[part]] = met
        self.n_met[part] += 1
        return TERMS_OK

    cdef int64_t _beginning(self, int32_t word, int32_t link) noexcept nogil:
        """The number of a word and the connectors behind it, -1 without memory."""
        cdef int32_t place
        if not link:
            return word
        place = edge_of(&self.beginnings, word, link)
        if not place:
            if make_room(<void **>&self.linked, &self.linked_room, 2 * self.n_linked + 2, sizeof(int32_t)) != TERMS_OK:
                return -1
            self.linked[2 * self.n_linked], self.linked[2 * self.n_linked + 1] = word, link
            self.n_linked += 1
            place = <int32_t>self.n_linked
            if edge_add(&self.beginnings, word, link, place) != TERMS_OK:
                return -1
        return LINKED + <int64_t>place - 1

    cdef int32_t _new_link(self, uint32_t connector) except -1:
        cdef int32_t made = <int32_t>len(self.link_list)
        if edge_add(&self.links, self.link, <int32_t>connector, made) != TERMS_OK:
            raise MemoryError(f"no memory for {made:,} runs of connectors")
        self.link_list.append((self.link, connector))
        return made

    def count(self, int first, int step):
        """Count the noted pairs of every `step`-th part from the first one on."""
        cdef int part = first
        cdef int outcome = TERMS_OK
        with nogil:
            while part < PAIR_PARTS:
                outcome |= pairs_count(&self.tables[part], self.met[part], self.n_met[part], SEED, self.round,
                                       self.lost)
                self.n_met[part] = 0
                part += step
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
                for part in range(PAIR_PARTS):
                    for i in range(<long long>self.tables[part].n_slots):
                        pair = &self.tables[part].slots[i]
                        if pair.count:
                            value = <int64_t>pair.count + self.lost[pair.round] - lost
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
                for part in range(PAIR_PARTS):
                    outcome |= pairs_rebuild(&self.tables[part], self.tables[part].n_slots, SEED, self.lost, after)
                for i in range(self.n_words):
                    if self.counts[i] and self.counts[i] + self.lost[self.rounds[i]] <= after:
                        self.counts[i] = 0
                if self.round < (1 << ROUND_BITS) - 1:  # later rounds share a number, and so the greatest loss
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
        for part in range(PAIR_PARTS):
            for i in range(<long long>self.tables[part].n_slots):
                pair = &self.tables[part].slots[i]
                n += pair.count > 0 and <int64_t>pair.count >= least
        found = np.empty((5, n), np.int64)
        cdef int64_t[:, ::1] out = found
        n = 0
        for part in range(PAIR_PARTS):
            for i in range(<long long>self.tables[part].n_slots):
                pair = &self.tables[part].slots[i]
                if pair.count > 0 and <int64_t>pair.count >= least:
                    out[0, n], out[1, n], out[2, n] = pair.begin, 0, pair.b
                    if pair.begin >= LINKED:
                        out[0, n] = self.linked[2 * (pair.begin - LINKED)]
                        out[1, n] = self.linked[2 * (pair.begin - LINKED) + 1]
                    out[3, n], out[4, n] = pair.count, self.lost[pair.round]
                    n += 1
        return found[:, np.lexsort((found[2], found[1], found[0]))]

    def restore(self, const int64_t[::1] words, const int64_t[:, ::1] pairs, links, long long total_words,
                long long lost):
        """Take over saved counts: of words, of pairs as `pairs` gives them, and the connectors between them."""
        cdef long long i, n = pairs.shape[1]
        cdef int64_t begin
        cdef Met one
        cdef int outcome = TERMS_OK
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
            begin = self._beginning(<int32_t>pairs[0, i], <int32_t>pairs[1, i])
            one.begin, one.b = <uint32_t>begin, <uint32_t>pairs[2, i]
            one.hash = hash_of_pair(SEED, one.begin, one.b)
            if begin < 0 or pair_add(&self.tables[part_of(one.hash)], &one, pairs[3, i], SEED, self.round,
                                     self.lost) != TERMS_OK:
                raise MemoryError(f"no memory for {n:,} different pairs")
