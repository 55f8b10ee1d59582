# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Terms joined in lists of str, in texts and in streams of numbers: the inner loops of `dividing` and `rewriting`."""

import os
import string

import numpy as np

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset


cdef extern from "_terms.h" nogil:
    enum:
        TERMS_OK
        TERMS_NO_MEMORY
        TEXT_OK
        TEXT_NO_MEMORY
        TEXT_NOT_UTF8
        TEXT_LONG_WORD
        AHEAD
        SPELLINGS
        SHORT
    ctypedef struct Word:
        uint64_t start
        uint32_t length
    ctypedef struct Table:
        const Word *words
        int64_t n_words
        uint8_t *arena
    ctypedef struct Level:
        int spelling
        int best
    ctypedef struct Chain:
        Table words
        Level *levels
        int n_levels
        int64_t n_terms
        int32_t *becomes
        int32_t *spelt[4]
        int64_t spelt_room[4]
        uint64_t longest
    ctypedef struct Parts:
        int32_t *term
        int32_t *begin
        int64_t n
    ctypedef struct Work:
        int32_t *keys[4]
        Parts parts
    ctypedef struct Rewriter:
        int begun
        uint8_t *out
        int64_t size
        int64_t sentences_out
        int64_t words_out
        int64_t words_in
    int make_room(void **items, int64_t *room, int64_t wanted, size_t size) noexcept
    int table_start(Table *table, uint64_t seed) noexcept
    uint64_t hash_of(const Table *table, const uint8_t *word, uint64_t length, uint64_t readable) noexcept
    uint64_t hash_of_framed(const Table *table, const uint8_t *word, uint64_t length) noexcept
    int32_t number_of(Table *table, const uint8_t *word, uint64_t length, uint64_t hash) noexcept
    int32_t known_number(const Table *table, const uint8_t *word, uint64_t length, uint64_t hash) noexcept
    void ask_for(const Table *table, uint64_t hash) noexcept
    void chain_free(Chain *chain) noexcept
    int level_start(Level *level) noexcept
    int level_finish(Level *level, int64_t n_words) noexcept
    int chain_add(Chain *chain, Level *level, const int32_t *words, int64_t n, int32_t becomes, double score) noexcept
    int32_t known_word(const Chain *chain, const uint8_t *word, uint64_t length) noexcept
    int32_t spelt_word(const Chain *chain, const uint8_t *word, uint64_t length, int spelling,
                       int32_t (*ask)(void *, const uint8_t *, uint64_t, int) noexcept, void *asked) noexcept
    void work_start(Work *work) noexcept
    int work_room(Work *work, int64_t n) noexcept
    void work_free(Work *work) noexcept
    int64_t divide(const Chain *chain, Work *work, int64_t at, int64_t n, int open) noexcept
    void rewriter_start(Rewriter *rewriter, const Chain *chain,
                        int32_t (*ask)(void *, const uint8_t *, uint64_t, int) noexcept, void *asked, int begun,
                        int counting) noexcept
    void rewriter_free(Rewriter *rewriter) noexcept
    int rewrite(Rewriter *rewriter, const uint8_t *text, int64_t size, int open, uint64_t longest, int64_t *used,
                int64_t *error) noexcept


cdef extern from "_strings.h":
    bint SHARED_LISTS
    void prefetch(const void *) noexcept
    PyObject *list_item(object items, Py_ssize_t at)  # a borrowed reference
    void set_list_item(object items, Py_ssize_t at, object item)  # of a new list; takes over a reference
    const uint8_t *utf8_of(object text, uint8_t *buffer, Py_ssize_t room, Py_ssize_t *size, int *within)


cdef extern from "Python.h":
    list PyList_New(Py_ssize_t size)
    int PyUnicode_Check(object text)


cdef enum:
    AT_A_TIME = 64  # words of a list looked up together
    OBJECTS_AHEAD = 6  # of its turn a word is fetched
    WORD_ROOM = 1024  # bytes of a word that are written without claiming memory

# The seed decides the slots of words in this process's hash tables. No result depends on it.
cdef uint64_t SEED = int.from_bytes(os.urandom(8), "little")


def spelt(str word, int spelling):
    """A word in the spelling in which it is compared: 1 ignores its case, 2 the punctuation at its ends, 3 both."""
    if spelling & 2:
        word = word.strip(string.punctuation) or word
    return word.casefold() if spelling & 1 else word


cdef int32_t _ask(void *joiner, const uint8_t *word, uint64_t length, int spelling) noexcept with gil:
    """The known word of a spelling that C leaves to Python, -1 if there is none."""
    try:
        made = spelt((<const char *>word)[:length].decode("utf-8", "surrogatepass"), spelling)
        return (<Joiner>joiner).number_of_word(made)
    except BaseException as error:
        (<Joiner>joiner).failed = error
        return -1


cdef class Joiner:
    """Joins the terms of several levels, one after the other. It never changes, so threads share it.

    Parameters
    ----------
    levels : sequence of (terms, outputs, scores, best, spelling)
        See `w2v.terms.dividing.Level`. The terms of all levels are numbered on.
    """

    cdef Chain chain
    cdef readonly list outputs  # of all terms
    cdef object failed  # an error that C could not raise
    cdef bint spells

    def __cinit__(self, levels):
        cdef long long i, n
        cdef int number, spelling
        cdef Level *level
        cdef int32_t *words = NULL
        cdef int64_t room = 0
        memset(&self.chain, 0, sizeof(Chain))
        self.outputs = []
        if table_start(&self.chain.words, SEED) != TEXT_OK:
            raise MemoryError("no memory for a table of words")
        self.chain.levels = <Level *>calloc(len(levels) + 1, sizeof(Level))
        if self.chain.levels == NULL:
            raise MemoryError("no memory for terms")
        try:
            for number, (terms, outputs, scores, best, spelling) in enumerate(levels):
                level = &self.chain.levels[number]
                self.chain.n_levels += 1
                level.best, level.spelling = best, spelling
                if level_start(level) != TERMS_OK:
                    raise MemoryError("no memory for terms")
                for i, (term, output) in enumerate(zip(terms, outputs, strict=True)):
                    n = 0
                    if make_room(<void **>&words, &room, len(term), sizeof(int32_t)) != TERMS_OK:
                        raise MemoryError("no memory for terms")
                    for word in term:
                        words[n] = self._enter(word)
                        n += 1
                    if chain_add(&self.chain, level, words, n, self._enter(output),
                                 0 if scores is None else scores[i]) != TERMS_OK:
                        raise MemoryError(f"no memory for {self.chain.n_terms:,} terms")
                    self.outputs.append(output)
        finally:
            free(words)
        for number in range(self.chain.n_levels):
            level = &self.chain.levels[number]
            if level_finish(level, self.chain.words.n_words) != TERMS_OK:
                raise MemoryError(f"no memory for {self.chain.n_terms:,} terms")
            if level.spelling and self.chain.spelt[level.spelling] == NULL:
                self._spell_words(level.spelling)

    def __dealloc__(self):
        chain_free(&self.chain)

    cdef int32_t _enter(self, str word) except -1:
        """The number of a word, a new one if it is new."""
        cdef bytes data = word.encode("utf-8", "surrogatepass")
        cdef const uint8_t *text = data
        cdef uint64_t length = len(data)
        cdef int32_t number = number_of(&self.chain.words, text, length,
                                        hash_of(&self.chain.words, text, length, length))
        if number < 0:
            raise MemoryError(f"no memory for {self.chain.words.n_words:,} words of terms")
        self.chain.longest = max(self.chain.longest, length)
        return number

    cdef int32_t number_of_word(self, str word):
        cdef bytes data = word.encode("utf-8", "surrogatepass")
        return known_word(&self.chain, data, len(data))

    cdef int _spell_words(self, int spelling) except -1:
        """What all known words are in a spelling."""
        cdef long long i, n = self.chain.words.n_words
        cdef int32_t *made = NULL
        cdef int64_t room = 0
        cdef const Word *word
        if make_room(<void **>&made, &room, n + 1, sizeof(int32_t)) != TERMS_OK:
            raise MemoryError(f"no memory for {n:,} words of terms")
        for i in range(n):
            word = &self.chain.words.words[i]
            made[i] = spelt_word(&self.chain, self.chain.words.arena + word.start, word.length, spelling, _ask,
                                 <void *>self)
        self.chain.spelt[spelling], self.spells = made, True
        return self._check()

    cdef int _check(self) except -1:
        """Raise what C could not."""
        error, self.failed = self.failed, None
        if error is not None:
            raise error
        return 0

    # --- lists of str -------------------------------------------------------------------------------------------

    cdef int look_up(self, list words, int32_t **keys) except -1:
        """Find what words are in each spelling that a level asks for."""
        cdef Py_ssize_t n = len(words), begin, i, size
        cdef const uint8_t *texts[AT_A_TIME]
        cdef Py_ssize_t sizes[AT_A_TIME]
        cdef uint64_t hashes[AT_A_TIME]
        cdef uint8_t buffer[WORD_ROOM]
        cdef const uint8_t *text
        cdef const Table *table = &self.chain.words
        cdef PyObject *word
        cdef int within
        for begin in range(0, n, AT_A_TIME):
            for i in range(min(n - begin, AT_A_TIME)):
                prefetch(list_item(words, min(begin + i + OBJECTS_AHEAD, n - 1)))
                word = list_item(words, begin + i)
                if not PyUnicode_Check(<object>word):
                    raise TypeError(f"the words of a sentence must be str, not {type(<object>word).__name__}: got "
                                    f"{<object>word!r:.80}")
                text = utf8_of(<object>word, buffer, WORD_ROOM, &size, &within)
                if text != NULL and within:
                    texts[i], sizes[i] = text, size
                    if <uint64_t>size <= self.chain.longest:
                        hashes[i] = hash_of_framed(table, text, size)  # the head of the str is before it
                        ask_for(table, hashes[i])
                    continue
                texts[i] = NULL
                if text == NULL:
                    self._look_up_long((<object>word).encode("utf-8", "surrogatepass"), keys, begin + i)
                else:
                    self._look_up_one(text, size, keys, begin + i)
            for i in range(min(n - begin, AT_A_TIME)):
                if texts[i] == NULL:
                    continue
                if <uint64_t>sizes[i] > self.chain.longest:
                    keys[0][begin + i] = -1
                else:
                    keys[0][begin + i] = known_number(table, texts[i], sizes[i], hashes[i])
                if self.spells:
                    self._spell_one(texts[i], sizes[i], keys, begin + i)
        return self._check() if self.spells else 0

    cdef int _look_up_one(self, const uint8_t *text, uint64_t size, int32_t **keys, long long at) except -1:
        keys[0][at] = known_word(&self.chain, text, size)
        self._spell_one(text, size, keys, at)
        return 0

    cdef int _look_up_long(self, bytes text, int32_t **keys, long long at) except -1:
        return self._look_up_one(text, len(text), keys, at)

    cdef void _spell_one(self, const uint8_t *text, uint64_t size, int32_t **keys, long long at) noexcept:
        cdef int spelling
        for spelling in range(1, SPELLINGS):
            if self.chain.spelt[spelling] != NULL:
                if keys[0][at] >= 0:
                    keys[spelling][at] = self.chain.spelt[spelling][keys[0][at]]
                else:
                    keys[spelling][at] = spelt_word(&self.chain, text, size, spelling, _ask, <void *>self)

    cdef int _divide(self, list words, Work *work) except -1:
        cdef long long n = len(words)
        if work_room(work, n) != TERMS_OK:
            raise MemoryError(f"no memory for a sentence of {n:,} words")
        self.look_up(words, work.keys)
        if divide(&self.chain, work, 0, n, False) < 0:
            raise MemoryError(f"no memory for a sentence of {n:,} words")
        return 0

    def parts(self, words):
        """The parts of a sentence, a list of (term or -1, its first word, the word behind its last one)."""
        cdef Work work
        cdef long long i
        work_start(&work)
        try:
            self._divide(list(words), &work)
            return [(work.parts.term[i], work.parts.begin[i], work.parts.begin[i + 1]) for i in range(work.parts.n)]
        finally:
            work_free(&work)

    cpdef list joined(self, words):
        """The words of a sentence with its terms joined, a new list."""
        cdef Work work
        cdef list sentence, made
        cdef PyObject *word
        cdef long long i, n
        cdef bint any_term = False
        # Where other code may run meanwhile, the list must be ours.
        cdef bint ours = SHARED_LISTS or self.spells or type(words) is not list
        sentence = list(words) if ours else words
        n = len(sentence)
        work_start(&work)
        try:
            self._divide(sentence, &work)
            for i in range(work.parts.n):
                if work.parts.term[i] >= 0:
                    any_term = True
                    prefetch(list_item(self.outputs, work.parts.term[i]))
            if not any_term:
                return sentence if ours else sentence[:]
            made = PyList_New(work.parts.n)  # may collect garbage, and so run code
            if len(sentence) != n:
                raise RuntimeError("the sentence changed while its terms were joined")
            for i in range(work.parts.n):
                if work.parts.term[i] < 0:
                    word = list_item(sentence, work.parts.begin[i])
                else:
                    word = list_item(self.outputs, work.parts.term[i])
                Py_INCREF(<object>word)
                set_list_item(made, i, <object>word)
            return made
        finally:
            work_free(&work)

    def each(self, corpus):
        """Iterate over the sentences of a corpus with their terms joined."""
        return _Sentences(self, iter(corpus))

    # --- texts --------------------------------------------------------------------------------------------------

    def rewrite(self, const uint8_t[::1] text, bint open, bint begun, uint64_t longest, bint counting=False):
        """A text with its terms joined: blanks between words, a line for each sentence.

        Parameters
        ----------
        text : bytes
        open : bool
            The last line may go on: words at its end are left, unless they belong to no term whatever comes.
        begun : bool
            The text before had words of its first line.
        longest : int
            A word of more bytes than this is refused.
        counting : bool
            What is written are the numbers of the terms that are found, as int32, instead of a text.

        Returns
        -------
        written : bytes
        used : int, the bytes of the text that are done with
        begun : bool, for the text that follows
        sentences, words, words_read : int
        error : int, offset of the first byte that is not UTF-8, or -1; then the rest is void
        too_long : int, offset of the first word that is too long, or -1; likewise
        """
        cdef Rewriter rewriter
        cdef int64_t used = 0, error = -1, size = text.shape[0]
        cdef const uint8_t *start = &text[0] if size else NULL
        cdef int outcome
        rewriter_start(&rewriter, &self.chain, _ask, <void *>self, begun, counting)
        try:
            with nogil:
                outcome = rewrite(&rewriter, start, size, open, longest, &used, &error)
            self._check()
            if outcome == TEXT_NO_MEMORY:
                raise MemoryError(f"no memory for {size:,} bytes of text")
            return (PyBytes_FromStringAndSize(<const char *>rewriter.out, rewriter.size), used, bool(rewriter.begun),
                    rewriter.sentences_out, rewriter.words_out, rewriter.words_in, error if outcome == TEXT_NOT_UTF8 else -1,
                    error if outcome == TEXT_LONG_WORD else -1)
        finally:
            rewriter_free(&rewriter)


cdef class _Sentences:
    """The sentences of a corpus with their terms joined."""

    cdef Joiner joiner
    cdef object sentences

    def __cinit__(self, Joiner joiner, sentences):
        self.joiner, self.sentences = joiner, sentences

    def __iter__(self):
        return self

    def __next__(self):
        return self.joiner.joined(next(self.sentences))


# --- streams of numbers -------------------------------------------------------------------------------------------

cdef class Divider:
    """Divides a stream of numbered words into terms, and numbers what comes out in order of first appearance.

    Words and terms have *slots*, those of equal spelling the same one: known words of the joiner their number, other
    words those that follow. A slot gets a number when it comes out first.

    Parameters
    ----------
    joiner : Joiner
    """

    cdef Joiner joiner
    cdef int32_t *keys[4]  # of words, in each spelling
    cdef int64_t key_room[4]
    cdef int32_t *slot  # of words
    cdef int32_t *number  # of slots, 0 where none has come out yet, else the number + 1
    cdef int64_t slot_room, number_room, n_words, n_slots
    cdef int64_t *origins  # of numbers: the word's number, or -1 - term
    cdef int64_t *tallies
    cdef int64_t *found  # of terms, how often
    cdef int64_t origin_room, tally_room, found_room
    cdef readonly long long n_numbers
    cdef int32_t *held  # words of a sentence that goes on
    cdef int64_t held_room, n_held
    cdef Work work

    def __cinit__(self, Joiner joiner):
        self.joiner = joiner
        work_start(&self.work)
        self.n_slots = joiner.chain.words.n_words
        if (make_room(<void **>&self.found, &self.found_room, joiner.chain.n_terms + 1, sizeof(int64_t)) != TERMS_OK
                or make_room(<void **>&self.number, &self.number_room, self.n_slots + 1, sizeof(int32_t)) != TERMS_OK):
            raise MemoryError(f"no memory for {joiner.chain.n_terms:,} terms")

    def __dealloc__(self):
        cdef int spelling
        for spelling in range(SPELLINGS):
            free(self.keys[spelling])
        free(self.slot)
        free(self.number)
        free(self.origins)
        free(self.tallies)
        free(self.found)
        free(self.held)
        work_free(&self.work)

    def know(self, list words):
        """Take in the words that follow those known."""
        cdef long long n = self.n_words + len(words), i
        cdef int32_t *keys[4]
        cdef int spelling
        cdef int outcome = make_room(<void **>&self.slot, &self.slot_room, n, sizeof(int32_t))
        for spelling in range(SPELLINGS):
            if not spelling or self.joiner.chain.spelt[spelling] != NULL:
                outcome |= make_room(<void **>&self.keys[spelling], &self.key_room[spelling], n, sizeof(int32_t))
                keys[spelling] = &self.keys[spelling][self.n_words]
        outcome |= make_room(<void **>&self.number, &self.number_room, self.n_slots + len(words), sizeof(int32_t))
        if outcome != TERMS_OK:
            raise MemoryError(f"no memory for the terms of {n:,} words")
        self.joiner.look_up(words, keys)
        for i in range(self.n_words, n):
            self.slot[i] = self.keys[0][i]
            if self.slot[i] < 0:
                self.slot[i] = <int32_t>self.n_slots
                self.n_slots += 1
        self.n_words = n

    def feed(self, const int32_t[::1] tokens, const int64_t[::1] ends):
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
        """
        cdef long long n = self.n_held + tokens.shape[0], n_ends = ends.shape[0]
        cdef long long i, at, stop, sentence, done, made = 0
        cdef int32_t *words = <int32_t *>malloc((2 * n + 1) * sizeof(int32_t))
        cdef int32_t *out = &words[n]
        cdef int spelling
        cdef int outcome = TERMS_OK
        if words == NULL:
            raise MemoryError(f"no memory for {n:,} tokens")
        new_ends = np.empty(n_ends, np.int64)
        cdef int64_t[::1] new_end = new_ends
        cdef int32_t[::1] numbers
        try:
            with nogil:
                if self.n_held:
                    memcpy(words, self.held, self.n_held * sizeof(int32_t))
                if tokens.shape[0]:
                    memcpy(&words[self.n_held], &tokens[0], tokens.shape[0] * sizeof(int32_t))
                # every part has one number at most
                outcome |= make_room(<void **>&self.origins, &self.origin_room, self.n_numbers + n, sizeof(int64_t))
                outcome |= make_room(<void **>&self.tallies, &self.tally_room, self.n_numbers + n, sizeof(int64_t))
                at = 0
                for sentence in range(n_ends + 1):
                    stop = ends[sentence] + self.n_held if sentence < n_ends else n
                    outcome |= work_room(&self.work, stop - at)
                    if outcome != TERMS_OK:
                        break
                    for spelling in range(SPELLINGS):
                        if self.keys[spelling] != NULL:
                            for i in range(at, stop):
                                self.work.keys[spelling][i - at] = self.keys[spelling][words[i]]
                    done = divide(&self.joiner.chain, &self.work, 0, stop - at, sentence == n_ends)
                    if done < 0:
                        outcome = TERMS_NO_MEMORY
                        break
                    for i in range(self.work.parts.n):
                        out[made] = self._number(self.work.parts.term[i], words[at + self.work.parts.begin[i]])
                        made += 1
                    at += done
                    if sentence < n_ends:
                        new_end[sentence] = made
                if outcome == TERMS_OK:
                    outcome = make_room(<void **>&self.held, &self.held_room, n - at, sizeof(int32_t))
                if outcome == TERMS_OK:
                    self.n_held = n - at
                    if self.n_held:
                        memcpy(self.held, &words[at], self.n_held * sizeof(int32_t))
            if outcome != TERMS_OK:
                raise MemoryError(f"no memory for {n:,} tokens")
            given = np.empty(made, np.int32)
            if made:
                numbers = given
                memcpy(&numbers[0], out, made * sizeof(int32_t))
            return given, new_ends
        finally:
            free(words)

    cdef int32_t _number(self, int32_t term, int32_t word) noexcept nogil:
        """The number of a part, which has come out once more."""
        cdef int32_t slot = self.joiner.chain.becomes[term] if term >= 0 else self.slot[word]
        cdef int32_t number = self.number[slot] - 1
        if number < 0:
            number = <int32_t>self.n_numbers
            self.origins[number] = -1 - term if term >= 0 else word
            self.n_numbers += 1
            self.number[slot] = number + 1
        self.tallies[number] += 1
        if term >= 0:
            self.found[term] += 1
        return number

    def origins_of(self, const int64_t[::1] numbers):
        """Where numbers come from, int64: the number of a word, or -1 - term."""
        found = np.empty(numbers.shape[0], np.int64)
        cdef int64_t[::1] origin = found
        cdef long long i
        for i in range(numbers.shape[0]):
            origin[i] = self.origins[numbers[i]]
        return found

    def numbers_of(self, list words, const int64_t[::1] sources):
        """The numbers of words, of which the stream's source has the numbers `sources`, or -1; int64, -1 for none."""
        cdef long long n = len(words), i
        cdef int32_t slot
        cdef Work work
        found = np.empty(n, np.int64)
        cdef int64_t[::1] number = found
        work_start(&work)
        try:
            if work_room(&work, n) != TERMS_OK:
                raise MemoryError(f"no memory for {n:,} words")
            self.joiner.look_up(words, work.keys)
            for i in range(n):
                slot = work.keys[0][i]
                if slot < 0 and 0 <= sources[i] < self.n_words:
                    slot = self.slot[sources[i]]
                number[i] = -1 if slot < 0 else self.number[slot] - 1
        finally:
            work_free(&work)
        return found

    def counts(self):
        """How often each number has come out, int64."""
        return _copy(self.tallies, self.n_numbers)

    def terms_found(self):
        """How often each term has been found, int64."""
        return _copy(self.found, self.joiner.chain.n_terms)


cdef _copy(const int64_t *values, long long n):
    made = np.empty(n, np.int64)
    cdef int64_t[::1] view = made
    if n:
        memcpy(&view[0], values, n * sizeof(int64_t))
    return made
