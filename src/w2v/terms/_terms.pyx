# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Pairs counted, sentences divided, texts written: the inner loops of `counting`, `dividing` and `rewriting`."""

import os

import numpy as np

from cpython.object cimport PyObject
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset


cdef extern from "_terms.h" nogil:
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
    ctypedef struct Terms:
        EdgeTable edges
        int32_t *first
        int32_t *term
        uint8_t *inner
        double *score
    ctypedef struct Parts:
        int32_t *term
        int32_t *length
        int64_t n
    ctypedef struct Scratch:
        pass
    int make_room(void **items, int64_t *room, int64_t wanted, size_t size) noexcept
    uint64_t hash_of_pair(uint64_t seed, uint32_t a, uint32_t b, uint32_t link) noexcept
    int pairs_start(PairTable *table, uint64_t slots) noexcept
    int pairs_rebuild(PairTable *table, uint64_t slots, uint64_t seed, const int64_t *lost,
                      int64_t lost_after) noexcept
    int pairs_count(PairTable *table, const Met *met, int64_t n, uint64_t seed, uint32_t round,
                    const int64_t *lost) noexcept
    int edges_start(EdgeTable *table, uint64_t slots) noexcept
    int32_t edge_of(const EdgeTable *table, int32_t node, int32_t number) noexcept
    int edge_add(EdgeTable *table, int32_t node, int32_t number, int32_t to) noexcept
    int64_t divide_greedy(const Terms *terms, const int32_t *symbols, int64_t n, int open, Parts *parts) noexcept
    int64_t divide_best(const Terms *terms, const int32_t *symbols, int64_t n, int open, int64_t longest,
                        Scratch *scratch, Parts *parts) noexcept
    void scratch_free(Scratch *scratch) noexcept


cdef extern from *:
    """
    static void edges_free(EdgeTable *table) { free(table->slots); }
    """
    void edges_free(EdgeTable *table) noexcept nogil


cdef extern from "Python.h":
    PyObject *PyDict_GetItemWithError(object mapping, object key) except? NULL
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL


cdef enum:
    FIRST_SLOTS = 1024  # of a table of pairs
    SMALL_COUNTS = 1 << 16  # counts told apart when a limit is looked for
    LONGEST_STRETCH = 10000  # words of a sentence that are divided together for the best sum
    SHORT = 256  # words of a sentence divided without claiming memory

# The seed decides the slots of pairs in this process's tables. No result depends on it.
cdef uint64_t SEED = int.from_bytes(os.urandom(8), "little")


# --- counting ---------------------------------------------------------------------------------------------------

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
                            if link < 0:
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


# --- dividing ---------------------------------------------------------------------------------------------------

cdef class TermTree:
    """Terms as sequences of symbols, and the division of sentences into them. It never changes, so threads share it.

    Parameters
    ----------
    symbols, offsets : int32, int64 [terms + 1]
        Term t is ``symbols[offsets[t]:offsets[t + 1]]``; all are different, and none is empty.
    scores : float64 [terms]
    n_symbols : int
    best : bool
        Divide for the greatest sum of scores, and not for the longest term from left to right.
    """

    cdef Terms terms
    cdef bint best

    def __cinit__(self, const int32_t[::1] symbols, const int64_t[::1] offsets, const double[::1] scores,
                  long long n_symbols, bint best):
        cdef long long n = scores.shape[0], i, j
        cdef long long room = symbols.shape[0] + 1
        cdef int32_t node, next_node, n_nodes = 0
        cdef int outcome
        memset(&self.terms, 0, sizeof(Terms))
        self.best = best
        outcome = edges_start(&self.terms.edges, 64)
        self.terms.first = <int32_t *>malloc((n_symbols + 1) * sizeof(int32_t))
        self.terms.term = <int32_t *>malloc(room * sizeof(int32_t))
        self.terms.inner = <uint8_t *>calloc(room, 1)
        self.terms.score = <double *>malloc((n + 1) * sizeof(double))
        if (outcome != TERMS_OK or self.terms.first == NULL or self.terms.term == NULL or self.terms.inner == NULL
                or self.terms.score == NULL):
            raise MemoryError(f"no memory for {n:,} terms")
        memset(self.terms.first, 255, n_symbols * sizeof(int32_t))  # -1
        memset(self.terms.term, 255, room * sizeof(int32_t))
        for i in range(n):
            self.terms.score[i] = scores[i]
            node = self.terms.first[symbols[offsets[i]]]
            if node < 0:
                node = n_nodes
                n_nodes += 1
                self.terms.first[symbols[offsets[i]]] = node
            for j in range(offsets[i] + 1, offsets[i + 1]):
                self.terms.inner[node] = 1
                next_node = edge_of(&self.terms.edges, node, symbols[j])
                if next_node < 0:
                    next_node = n_nodes
                    n_nodes += 1
                    if edge_add(&self.terms.edges, node, symbols[j], next_node) != TERMS_OK:
                        raise MemoryError(f"no memory for {n:,} terms")
                node = next_node
            self.terms.term[node] = <int32_t>i

    def __dealloc__(self):
        edges_free(&self.terms.edges)
        free(self.terms.first)
        free(self.terms.term)
        free(self.terms.inner)
        free(self.terms.score)

    cdef int64_t divide(self, const int32_t *symbols, int64_t n, bint open, Scratch *scratch,
                        Parts *parts) noexcept nogil:
        """Add the parts of a sentence; how many words are divided, or -1 without memory."""
        if self.best:
            return divide_best(&self.terms, symbols, n, open, LONGEST_STRETCH, scratch, parts)
        return divide_greedy(&self.terms, symbols, n, open, parts)

    def parts(self, sentence, symbols):
        """Divide a list of words; `symbols` is a dict of words to symbols, or has their ``__missing__``.

        Returns
        -------
        list of (int, int)
            The term, or -1, and how many words.
        """
        cdef Parts parts
        cdef int32_t *memory = NULL
        cdef int32_t local[3 * SHORT]
        cdef long long i
        self._divided(sentence, symbols, local, &memory, &parts)
        try:
            return [(parts.term[i], parts.length[i]) for i in range(parts.n)]
        finally:
            free(memory)

    def joined(self, list sentence, symbols, list outputs):
        """Divide a list of words, and give the words and the terms' ``outputs`` as a list."""
        cdef Parts parts
        cdef int32_t *memory = NULL
        cdef int32_t local[3 * SHORT]
        cdef long long i, at = 0
        self._divided(sentence, symbols, local, &memory, &parts)
        try:
            if parts.n == len(sentence) and not self._any(&parts):
                return sentence[:]
            made = []
            for i in range(parts.n):
                made.append(sentence[at] if parts.term[i] < 0 else outputs[parts.term[i]])
                at += parts.length[i]
            return made
        finally:
            free(memory)

    cdef bint _any(self, const Parts *parts) noexcept:
        cdef long long i
        for i in range(parts.n):
            if parts.term[i] >= 0:
                return True
        return False

    cdef int _divided(self, list sentence, symbols, int32_t *local, int32_t **memory, Parts *parts) except -1:
        cdef long long i, n = len(sentence)
        cdef PyObject *known
        cdef int32_t *numbers = local
        cdef Scratch scratch
        cdef bint plain = symbols.spelling is None  # then a str that is not there has no symbol: most words
        if n > SHORT:
            memory[0] = numbers = <int32_t *>malloc(3 * n * sizeof(int32_t))
            if numbers == NULL:
                raise MemoryError(f"no memory for a sentence of {n:,} words")
        try:
            for i in range(n):
                word = sentence[i]
                known = PyDict_GetItemWithError(symbols, word)
                if known != NULL:
                    numbers[i] = <object>known
                elif plain and type(word) is str:
                    numbers[i] = -1
                else:
                    numbers[i] = symbols[word]
            parts.term, parts.length, parts.n = &numbers[n], &numbers[2 * n], 0
            memset(&scratch, 0, sizeof(Scratch))
            i = self.divide(numbers, n, False, &scratch, parts)
            scratch_free(&scratch)
            if i < 0:
                raise MemoryError(f"no memory for a sentence of {n:,} words")
        except BaseException:
            free(memory[0])
            memory[0] = NULL
            raise
        return 0


cdef class Divider:
    """Divides a stream of numbered words into terms, and numbers what comes out in order of first appearance.

    Words and terms have *slots*, those of equal spelling the same one; a slot gets a number when it comes out first.

    Parameters
    ----------
    tree : TermTree
    slots : int32 [terms], the slot of each term; they fill 0 ... n - 1
    """

    cdef TermTree tree
    cdef int32_t *slot_of_term
    cdef int64_t n_terms
    cdef int32_t *symbol
    cdef int32_t *slot  # of words
    cdef int32_t *number  # of slots, 0 where none has come out yet, else the number + 1
    cdef int64_t symbol_room, slot_room, number_room, n_known
    cdef int64_t *origins  # of numbers: the word's number, or -1 - term
    cdef int64_t *tallies
    cdef int64_t *found  # of terms, how often
    cdef int64_t origin_room, tally_room, found_room
    cdef readonly long long n_numbers
    cdef int32_t *held  # words and symbols of a sentence that goes on
    cdef int64_t held_room, n_held
    cdef Scratch scratch

    def __cinit__(self, TermTree tree, const int32_t[::1] slots):
        cdef long long i
        cdef int64_t room = 0, spare = 0
        self.tree = tree
        self.n_terms = slots.shape[0]
        memset(&self.scratch, 0, sizeof(Scratch))
        cdef int outcome = make_room(<void **>&self.slot_of_term, &room, self.n_terms + 1, sizeof(int32_t))
        outcome |= make_room(<void **>&self.found, &self.found_room, self.n_terms + 1, sizeof(int64_t))
        outcome |= make_room(<void **>&self.number, &self.number_room, self.n_terms + 1, sizeof(int32_t))
        if outcome != TERMS_OK:
            raise MemoryError(f"no memory for {self.n_terms:,} terms")
        for i in range(self.n_terms):
            self.slot_of_term[i] = slots[i]

    def __dealloc__(self):
        free(self.slot_of_term)
        free(self.symbol)
        free(self.slot)
        free(self.number)
        free(self.origins)
        free(self.tallies)
        free(self.found)
        free(self.held)
        scratch_free(&self.scratch)

    def know(self, const int32_t[::1] symbols, const int32_t[::1] slots, long long n_slots):
        """Take in the symbols and slots of the words that follow those known."""
        cdef long long n = self.n_known + symbols.shape[0], i
        cdef int outcome = make_room(<void **>&self.symbol, &self.symbol_room, n, sizeof(int32_t))
        outcome |= make_room(<void **>&self.slot, &self.slot_room, n, sizeof(int32_t))
        outcome |= make_room(<void **>&self.number, &self.number_room, n_slots, sizeof(int32_t))
        if outcome != TERMS_OK:
            raise MemoryError(f"no memory for the terms of {n:,} words")
        for i in range(symbols.shape[0]):
            self.symbol[self.n_known + i], self.slot[self.n_known + i] = symbols[i], slots[i]
        self.n_known = n

    def feed(self, const int32_t[::1] tokens, const int64_t[::1] ends, bint with_lengths=False):
        """Divide tokens. Words at the end of a sentence that goes on may be held back until its next words come.

        Parameters
        ----------
        tokens : int32
        ends : int64
            How many of `tokens` precede each end of a sentence.

        Returns
        -------
        tokens : int32, the numbers of words and terms
        ends : int64, how many of these precede each end
        lengths : int32 or None, how many words each stands for
        """
        cdef long long n = self.n_held + tokens.shape[0], n_ends = ends.shape[0], i, at, stop, sentence, begun, done
        cdef int32_t *memory = <int32_t *>malloc((4 * n + 1) * sizeof(int32_t))
        cdef int32_t *words = memory
        cdef Parts parts
        cdef int32_t slot
        cdef int outcome = TERMS_OK
        if memory == NULL:
            raise MemoryError(f"no memory for {n:,} tokens")
        cdef int32_t *symbols = &memory[n]
        parts.term, parts.length, parts.n = &memory[2 * n], &memory[3 * n], 0
        new_ends = np.empty(n_ends, np.int64)
        cdef int64_t[::1] new_end = new_ends
        cdef int32_t[::1] out, length
        try:
            with nogil:
                if self.n_held:
                    memcpy(words, self.held, self.n_held * sizeof(int32_t))
                for i in range(tokens.shape[0]):
                    words[self.n_held + i] = tokens[i]
                for i in range(n):
                    symbols[i] = self.symbol[words[i]]
                at = 0
                for sentence in range(n_ends + 1):
                    stop = ends[sentence] + self.n_held if sentence < n_ends else n
                    done = self.tree.divide(&symbols[at], stop - at, sentence == n_ends, &self.scratch, &parts)
                    if done < 0:
                        outcome = TERMS_NO_MEMORY
                        break
                    at += done
                    if sentence < n_ends:
                        new_end[sentence] = parts.n
                # every part has one number at most
                outcome |= make_room(<void **>&self.origins, &self.origin_room, self.n_numbers + parts.n,
                                     sizeof(int64_t))
                outcome |= make_room(<void **>&self.tallies, &self.tally_room, self.n_numbers + parts.n,
                                     sizeof(int64_t))
                outcome |= make_room(<void **>&self.held, &self.held_room, n - at, sizeof(int32_t))
            if outcome != TERMS_OK:
                raise MemoryError(f"no memory for {n:,} tokens")
            numbers = np.empty(parts.n, np.int32)
            lengths = np.empty(parts.n if with_lengths else 0, np.int32)
            out, length = numbers, lengths
            with nogil:
                begun = 0
                for i in range(parts.n):
                    if parts.term[i] >= 0:
                        slot = self.slot_of_term[parts.term[i]]
                        self.found[parts.term[i]] += 1
                    else:
                        slot = self.slot[words[begun]]
                    if not self.number[slot]:
                        self.origins[self.n_numbers] = -1 - parts.term[i] if parts.term[i] >= 0 else words[begun]
                        self.n_numbers += 1
                        self.number[slot] = <int32_t>self.n_numbers
                    out[i] = self.number[slot] - 1
                    self.tallies[out[i]] += 1
                    begun += parts.length[i]
                    if with_lengths:
                        length[i] = parts.length[i]
                self.n_held = n - at
                if self.n_held:
                    memcpy(self.held, &words[at], self.n_held * sizeof(int32_t))
            return numbers, new_ends, lengths if with_lengths else None
        finally:
            free(memory)

    def origins_of(self, const int64_t[::1] numbers):
        """Where numbers come from, int64: the number of a word, or -1 - term."""
        found = np.empty(numbers.shape[0], np.int64)
        cdef int64_t[::1] origin = found
        cdef long long i
        for i in range(numbers.shape[0]):
            origin[i] = self.origins[numbers[i]]
        return found

    def numbers_of_slots(self, const int64_t[::1] slots):
        """The numbers of slots, int64; -1 for those that have not come out."""
        found = np.empty(slots.shape[0], np.int64)
        cdef int64_t[::1] number = found
        cdef long long i
        for i in range(slots.shape[0]):
            number[i] = self.number[slots[i]] - 1
        return found

    def slots_of_words(self, const int64_t[::1] words):
        """The slots of words, int64; -1 stands for -1."""
        found = np.empty(words.shape[0], np.int64)
        cdef int64_t[::1] slot = found
        cdef long long i
        for i in range(words.shape[0]):
            slot[i] = self.slot[words[i]] if words[i] >= 0 else -1
        return found

    def counts(self):
        """How often each number has come out, int64."""
        counts = np.zeros(self.n_numbers, np.int64)
        cdef int64_t[::1] count = counts
        if self.n_numbers:
            memcpy(&count[0], self.tallies, self.n_numbers * sizeof(int64_t))
        return counts

    def terms_found(self):
        """How often each term has been found, int64."""
        counts = np.zeros(self.n_terms, np.int64)
        cdef int64_t[::1] count = counts
        if self.n_terms:
            memcpy(&count[0], self.found, self.n_terms * sizeof(int64_t))
        return counts


# --- writing ----------------------------------------------------------------------------------------------------

cdef class TextWriter:
    """Numbered words as text: blanks between words, a line for each sentence."""

    cdef uint8_t *bytes
    cdef int64_t *starts
    cdef int64_t bytes_room, starts_room, n_words
    cdef bint within

    def __dealloc__(self):
        free(self.bytes)
        free(self.starts)

    def know(self, words):
        """Take in the words that follow those known."""
        cdef Py_ssize_t length
        cdef const char *text
        cdef int outcome = make_room(<void **>&self.starts, &self.starts_room, self.n_words + len(words) + 1,
                                     sizeof(int64_t))
        for word in words:
            data = (<str>word).encode("utf-8", "surrogatepass")
            length = len(data)
            outcome |= make_room(<void **>&self.bytes, &self.bytes_room, self.starts[self.n_words] + length + 1, 1)
            if outcome != TERMS_OK:
                raise MemoryError(f"no memory for {self.n_words:,} words")
            text = data
            memcpy(self.bytes + self.starts[self.n_words], text, length)
            self.n_words += 1
            self.starts[self.n_words] = self.starts[self.n_words - 1] + length

    def text(self, const int32_t[::1] tokens, const int64_t[::1] ends):
        """The text of tokens as bytes; a sentence may have begun in the text before."""
        cdef long long i = 0, n = tokens.shape[0], n_ends = ends.shape[0], size = n + n_ends, sentence = 0, stop, length
        cdef int32_t word
        cdef uint8_t *to
        for i in range(n):
            size += self.starts[tokens[i] + 1] - self.starts[tokens[i]]
        made = np.empty(size + 1, np.uint8)
        cdef uint8_t[::1] out = made
        to = &out[0]
        i = 0
        with nogil:
            while True:
                stop = ends[sentence] if sentence < n_ends else n
                while i < stop:
                    word = tokens[i]
                    if self.within:
                        to[0] = 32
                        to += 1
                    self.within = True
                    length = self.starts[word + 1] - self.starts[word]
                    memcpy(to, self.bytes + self.starts[word], length)
                    to += length
                    i += 1
                if sentence >= n_ends:
                    break
                to[0] = 10
                to += 1
                self.within = False
                sentence += 1
        return made[:to - &out[0]]
