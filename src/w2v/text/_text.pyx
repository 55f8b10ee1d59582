# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Words to numbers and back without a Python object per word: the inner loops of `readers` and `encode`.

A `WordTable` numbers words in order of first appearance. Each thread has one of its own; `merged` maps their numbers
to those of a common table. All loops over text and numbers run without the GIL.
"""

import os

import numpy as np

cimport cython
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcmp, memcpy, memset


cdef extern from "_text.h" nogil:
    enum:
        TEXT_OK
        TEXT_NO_MEMORY
        TEXT_NOT_UTF8
        TEXT_LONG_WORD
    ctypedef struct Word:
        uint64_t hash
        uint64_t start
        uint32_t length
    ctypedef struct Table:
        Word *words
        int64_t n_words
        uint8_t *arena
        uint64_t seed
    ctypedef struct Tokens:
        int32_t *tokens
        int64_t n_tokens
        int64_t *ends
        int64_t n_ends
        int64_t error
        int64_t n_found
    int table_start(Table *table, uint64_t seed) noexcept
    void table_free(Table *table) noexcept
    int32_t number_of(Table *table, const uint8_t *word, uint64_t length, uint64_t hash) noexcept
    int32_t count_word(Table *table, const uint8_t *word, uint64_t length, uint64_t hash, int64_t times) noexcept
    void counts_of(const Table *table, int64_t *counts) noexcept
    int32_t known_number(const Table *table, const uint8_t *word, uint64_t length, uint64_t hash) noexcept
    enum:
        AHEAD
    void ask_for(const Table *table, uint64_t hash) noexcept
    uint64_t mixed(uint64_t x) noexcept
    uint64_t hash_of(const Table *table, const uint8_t *word, uint64_t length, uint64_t readable) noexcept
    int64_t c_behind_space "behind_space"(const uint8_t *text, int64_t size, int64_t begin) noexcept
    int64_t end_of_words(const uint8_t *text, int64_t size) noexcept
    int tokenize(Table *table, const uint8_t *text, int64_t size, uint64_t longest, Tokens *out) noexcept


cdef enum:
    NUMBERS_AT_A_TIME = 1024  # numbers collected before an array grows


cdef extern from "Python.h":
    PyObject *PyDict_GetItemWithError(object mapping, object key) except? NULL
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL


# The seed decides the slots of words in this process's hash tables. The numbers of words do not depend on it.
cdef uint64_t SEED = int.from_bytes(os.urandom(8), "little")


def cut_between_words(const uint8_t[::1] text):
    """The last place that cuts neither a word nor a character; 0 if no place does."""
    return end_of_words(&text[0], text.shape[0]) if text.shape[0] else 0


def behind_space(const uint8_t[::1] text, int64_t begin):
    """The place behind the first white space that begins at `begin` or later; -1 if there is none."""
    return c_behind_space(&text[0], text.shape[0], begin) if text.shape[0] else -1


cdef class WordTable:
    """Words numbered in order of first appearance, with their counts. One thread at a time may use it.

    Integers are words, too: their eight bytes are what is looked up, and their digits what they are called.

    Parameters
    ----------
    of_integers : bool, default False
    """

    cdef Table table
    cdef bint of_integers
    cdef Tokens out  # of the last text, whose memory serves the next one
    cdef int64_t room
    # The dictionary of the last indexed words, the numbers of its words (-1: not met), and how often each was met.
    cdef const uint8_t[::1] letters
    cdef const int64_t[::1] starts
    cdef int32_t[::1] known
    cdef int64_t[::1] times

    def __cinit__(self, of_integers=False):
        self.of_integers = of_integers
        if table_start(&self.table, SEED) != TEXT_OK:
            raise MemoryError("no memory for a table of words")

    def __dealloc__(self):
        table_free(&self.table)
        free(self.out.tokens)
        free(self.out.ends)

    def __len__(self):
        return self.table.n_words

    def tokenize(self, const uint8_t[::1] text, uint64_t longest):
        """Number the words of a text that begins and ends between words.

        Parameters
        ----------
        text : bytes
        longest : int
            A word of more bytes than this is refused.

        Returns
        -------
        tokens : int32, a number per word
        ends : int64, how many tokens precede each newline
        error : int, offset of the first byte that is not UTF-8, or -1; then the rest is void
        too_long : int, offset of the first word that is too long, or -1; likewise
        """
        cdef long long size = text.shape[0]
        cdef Tokens *out = &self.out
        cdef int32_t[::1] tokens
        cdef int64_t[::1] ends
        cdef int outcome = TEXT_OK
        out.n_tokens = out.n_ends = out.n_found = out.error = 0
        if size // 2 + 1 > self.room:
            free(out.tokens)
            out.tokens = <int32_t *>malloc((size // 2 + 1) * sizeof(int32_t))
            self.room = 0 if out.tokens == NULL else size // 2 + 1
            if out.tokens == NULL:
                raise MemoryError(f"no memory for {size:,} bytes of text")
        if size:
            with nogil:
                outcome = tokenize(&self.table, &text[0], size, longest, out)
        if outcome == TEXT_NO_MEMORY:
            raise MemoryError(f"no memory for a vocabulary of {self.table.n_words:,} words")
        tokens, ends = np.empty(out.n_tokens, np.int32), np.empty(out.n_ends, np.int64)
        with nogil:
            if tokens.shape[0]:
                memcpy(&tokens[0], out.tokens, tokens.shape[0] * sizeof(int32_t))
            if ends.shape[0]:
                memcpy(&ends[0], out.ends, ends.shape[0] * sizeof(int64_t))
        return (np.asarray(tokens), np.asarray(ends), out.error if outcome == TEXT_NOT_UTF8 else -1,
                out.error if outcome == TEXT_LONG_WORD else -1)

    def number_values(self, const uint8_t[::1] data, const int64_t[::1] offsets):
        """Number the words ``data[offsets[i]:offsets[i + 1]]``, whatever characters they have; int32."""
        cdef long long i, n = offsets.shape[0] - 1
        cdef const uint8_t *word
        cdef uint64_t length
        numbers = np.empty(n, np.int32)
        cdef int32_t[::1] given = numbers
        cdef bint full = False
        with nogil:
            for i in range(n):
                word, length = &data[0] + offsets[i], offsets[i + 1] - offsets[i]
                given[i] = count_word(&self.table, word, length, hash_of(&self.table, word, length, length), 1)
                full = given[i] < 0
                if full:
                    break
        if full:
            raise MemoryError(f"no memory for a vocabulary of {self.table.n_words:,} words")
        return numbers

    def number_indexed(self, const int64_t[::1] places, const uint8_t[::1] data, const int64_t[::1] offsets):
        """Number words by their places in a dictionary, see `number_values`; int32.

        Each is looked up once, also over several calls with the same dictionary, as the parts of a column have it.
        """
        cdef long long i, n = places.shape[0], place
        cdef const uint8_t *word
        cdef uint64_t length
        cdef bint full = False
        if not self.has_dictionary(data, offsets):
            self.count_indexed()
            self.starts = None  # until all is there: memory may be short
            self.known = np.full(offsets.shape[0], -1, np.int32)
            self.times = np.zeros(offsets.shape[0], np.int64)
            self.letters, self.starts = data, offsets
        numbers = np.empty(n, np.int32)
        cdef int32_t[::1] given = numbers
        with nogil:
            for i in range(n):
                place = places[i]
                self.times[place] += 1
                if self.known[place] < 0:
                    word, length = &data[0] + offsets[place], offsets[place + 1] - offsets[place]
                    self.known[place] = number_of(&self.table, word, length,
                                                  hash_of(&self.table, word, length, length))
                    full = self.known[place] < 0
                    if full:
                        break
                given[i] = self.known[place]
        if full:
            raise MemoryError(f"no memory for a vocabulary of {self.table.n_words:,} words")
        return numbers

    cdef bint has_dictionary(self, const uint8_t[::1] data, const int64_t[::1] offsets) noexcept:
        """Whether the last indexed words were of a dictionary of the same strings."""
        cdef long long n = offsets.shape[0]
        return (self.starts is not None and self.starts.shape[0] == n
                and memcmp(&self.starts[0], &offsets[0], n * sizeof(int64_t)) == 0
                and memcmp(&self.letters[0], &data[0], offsets[n - 1]) == 0)

    cdef void count_indexed(self) noexcept:
        """Count the indexed words, which are counted by their places until somebody asks or the dictionary changes."""
        cdef long long place
        cdef const uint8_t *word
        cdef uint64_t length
        if self.starts is None:
            return
        for place in range(self.starts.shape[0] - 1):
            if self.times[place]:
                word, length = &self.letters[0] + self.starts[place], self.starts[place + 1] - self.starts[place]
                count_word(&self.table, word, length, hash_of(&self.table, word, length, length), self.times[place])
                self.times[place] = 0

    def number_integers(self, const int64_t[::1] values):
        """Number integers; int32."""
        cdef long long i, n = values.shape[0]
        cdef const uint8_t *word
        numbers = np.empty(n, np.int32)
        cdef int32_t[::1] given = numbers
        cdef bint full = False
        with nogil:
            for i in range(n):
                word = <const uint8_t *>&values[i]
                given[i] = count_word(&self.table, word, 8, hash_of(&self.table, word, 8, 8), 1)
                full = given[i] < 0
                if full:
                    break
        if full:
            raise MemoryError(f"no memory for a vocabulary of {self.table.n_words:,} integers")
        return numbers

    def merge(self, WordTable other, long long start):
        """Number the words of `other` from its number `start` on here; returns their numbers in this table, int32."""
        cdef long long n = other.table.n_words - start, i
        numbers = np.empty(n, np.int32)
        cdef int32_t[::1] given = numbers
        cdef const Word *word
        cdef bint full = False
        with nogil:
            for i in range(n):
                if i + AHEAD < n:  # the common table is larger than the caches
                    ask_for(&self.table, other.table.words[start + i + AHEAD].hash)
                word = &other.table.words[start + i]
                given[i] = number_of(&self.table, other.table.arena + word.start, word.length, word.hash)
                full |= given[i] < 0
        if full:
            raise MemoryError(f"no memory for a vocabulary of {self.table.n_words:,} words")
        return numbers

    def counts(self):
        """How often each word was met, int64; `merge` meets none."""
        self.count_indexed()
        counts = np.empty(self.table.n_words, np.int64)
        cdef int64_t[::1] view = counts
        if self.table.n_words:
            counts_of(&self.table, &view[0])
        return counts

    def words(self, numbers):
        """The words behind `numbers` as str."""
        cdef const int64_t[::1] wanted = np.ascontiguousarray(numbers, np.int64)
        cdef const Word *word
        cdef long long i
        cdef int64_t integer
        words = []
        for i in range(wanted.shape[0]):
            word = &self.table.words[wanted[i]]
            if self.of_integers:
                memcpy(&integer, self.table.arena + word.start, 8)
                words.append(str(integer))
                continue
            words.append(PyUnicode_DecodeUTF8(<const char *>self.table.arena + word.start, word.length, NULL))
        return words

    def numbers(self, words):
        """The numbers of `words`, a list of str, as int64; -1 for unknown words."""
        cdef long long i
        cdef Py_ssize_t length
        cdef const uint8_t *text
        numbers = np.full(len(words), -1, np.int64)
        cdef int64_t[::1] found = numbers
        cdef int64_t integer
        for i, word in enumerate(words):
            if self.of_integers:
                if word.lstrip("-").isdecimal() and len(word) <= 20 and -2**63 <= int(word) < 2**63:
                    integer = int(word)
                    text = <const uint8_t *>&integer
                    found[i] = known_number(&self.table, text, 8, hash_of(&self.table, text, 8, 8))
                    found[i] = found[i] if str(integer) == word else -1
                continue
            try:
                text = <const uint8_t *>PyUnicode_AsUTF8AndSize(word, &length)
            except UnicodeEncodeError:  # a lone surrogate cannot come from a text
                continue
            found[i] = known_number(&self.table, text, length, hash_of(&self.table, text, length, length))
        return numbers


def append_numbers(words, ids, tokens):
    """Append to `tokens`, an array('i'), the number that `ids`, a dict, has for each of `words`.

    ``ids[word]`` is asked of a word it does not hold.
    """
    cdef int32_t numbers[NUMBERS_AT_A_TIME]
    cdef Py_ssize_t n = 0
    cdef PyObject *known
    cdef long long number
    try:
        for word in words:
            known = PyDict_GetItemWithError(ids, word)
            number = <object>known if known != NULL else ids[word]
            if n == NUMBERS_AT_A_TIME:
                tokens.frombytes((<char *>numbers)[:n * sizeof(int32_t)])
                n = 0
            numbers[n] = <int32_t>number
            n += 1
    finally:  # the stable ABI gives no access to an array's memory
        tokens.frombytes((<char *>numbers)[:n * sizeof(int32_t)])


@cython.boundscheck(True)
def digest(sentences, long long most):
    """A number that tells lists of sentences apart, within this process, from a sample of their words.

    It mixes which objects the sentences are, their lengths, and the hashes of all words, if they are fewer than `most`;
    else the text is cut into about as many stretches of equal length, and a word from somewhere in each is taken.

    Parameters
    ----------
    sentences : list or tuple
    most : int, at least 1

    Returns
    -------
    int or None
        None if a sentence is no list, tuple or array, or a word cannot be hashed.
    """
    cdef uint64_t number = SEED
    cdef long long words = 0, step, begin = 0, stretch = 0, at = 0, length
    try:
        for sentence in sentences:
            if type(sentence) is not list and type(sentence) is not tuple and type(sentence) is not np.ndarray:
                return None
            length = len(sentence)
            words += length
            number = mixed(mixed(number ^ <uint64_t><size_t><PyObject *>sentence) + <uint64_t>length)
        step = words // most + 1
        for sentence in sentences:
            length = len(sentence)
            while at < begin + length:
                number = mixed(number ^ <uint64_t><int64_t>hash(sentence[at - begin]))
                stretch += 1
                at = stretch * step + (mixed(stretch) % step if step > 1 else 0)
            begin += length
    except TypeError:  # the encoder raises with the sentence and the reason
        return None
    return number


def sentence_ends(const int64_t[::1] ends, int64_t n_tokens, int64_t begun, double longest, bint empty):
    """Ends of lines as ends of sentences of at most `longest` tokens, int64.

    Parameters
    ----------
    ends : int64, how many tokens precede the end of each line, rising
    n_tokens : int, the last line goes on behind these
    begun : int, how many tokens before these the first line has
    longest : float
    empty : bool, whether a line without a token is a sentence
    """
    cdef int64_t n = ends.shape[0], most = <int64_t>min(longest, 2.0**62), begin = -begun, cuts = 0, i, end
    for i in range(n + 1):
        end = ends[i] if i < n else n_tokens
        cuts += max(0, end - begin - 1) // most
        begin = end
    made = np.empty(n + cuts, np.int64)
    cdef int64_t[::1] out = made
    begin, cuts = -begun, 0
    for i in range(n + 1):
        end = ends[i] if i < n else n_tokens
        while end - begin > most:
            begin += most
            out[cuts] = begin
            cuts += 1
        if i < n and (empty or end > begin):
            out[cuts] = end
            cuts += 1
        begin = end
    return made[:cuts]


def tally(const int32_t[::1] tokens, int64_t[::1] counts):
    """Add one to ``counts[token]`` for every token."""
    cdef long long i
    with nogil:
        for i in range(tokens.shape[0]):
            counts[tokens[i]] += 1


def renumber(int32_t[::1] tokens, int64_t[::1] ends, const int32_t[::1] table):
    """Replace each token by its entry in `table`, drop tokens with a negative entry, and move `ends` accordingly.

    Both arrays are changed in place; `ends` rises and counts tokens from the start of `tokens`.

    Returns
    -------
    int
        How many tokens are left, in front.
    """
    cdef long long i, begin = 0, end, kept = 0, n = tokens.shape[0], sentence, n_ends = ends.shape[0]
    cdef int32_t number
    with nogil:
        for sentence in range(n_ends + 1):
            end = ends[sentence] if sentence < n_ends else n
            for i in range(begin, end):
                number = table[tokens[i]]
                tokens[kept] = number
                kept += number >= 0
            if sentence < n_ends:
                ends[sentence] = kept
            begin = end
    return kept
