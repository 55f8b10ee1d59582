# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Words to numbers and back without a Python object per word: the inner loops of `encode`, `foreign` and `evaluate`.

A `WordTable` numbers words in order of first appearance. Each thread has one of its own; `merged` maps their numbers
to those of a common table. All loops over text and numbers run without the GIL.
"""

import os

import numpy as np

from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcpy, memset


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
    int32_t known_number(const Table *table, const uint8_t *word, uint64_t length, uint64_t hash) noexcept
    uint64_t hash_of(const Table *table, const uint8_t *word, uint64_t length, uint64_t readable) noexcept
    int64_t end_of_words(const uint8_t *text, int64_t size) noexcept
    int tokenize(Table *table, const uint8_t *text, int64_t size, uint64_t longest, Tokens *out) noexcept


cdef enum:
    NUMBERS_AT_A_TIME = 1024  # that are collected before an array is made longer


cdef extern from "Python.h":
    PyObject *PyDict_GetItemWithError(object mapping, object key) except? NULL
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL


# Where words fall in the hash table is nobody's business but this process's; their numbers do not depend on it.
cdef uint64_t SEED = int.from_bytes(os.urandom(8), "little")


def cut_between_words(const uint8_t[::1] text):
    """The last place where a text can be cut without cutting a word or a character; 0 if there is none."""
    return end_of_words(&text[0], text.shape[0]) if text.shape[0] else 0


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
        cdef Tokens out
        cdef int32_t[::1] tokens
        cdef int64_t[::1] ends
        cdef int outcome = TEXT_OK
        memset(&out, 0, sizeof(Tokens))
        try:
            out.tokens = <int32_t *>malloc((size // 2 + 1) * sizeof(int32_t))
            if out.tokens == NULL:
                raise MemoryError(f"no memory for {size:,} bytes of text")
            if size:
                with nogil:
                    outcome = tokenize(&self.table, &text[0], size, longest, &out)
            if outcome == TEXT_NO_MEMORY:
                raise MemoryError(f"no memory for a vocabulary of {self.table.n_words:,} words")
            tokens, ends = np.empty(out.n_tokens, np.int32), np.empty(out.n_ends, np.int64)
            if out.n_tokens:
                memcpy(&tokens[0], out.tokens, out.n_tokens * sizeof(int32_t))
            if out.n_ends:
                memcpy(&ends[0], out.ends, out.n_ends * sizeof(int64_t))
            return (np.asarray(tokens), np.asarray(ends), out.error if outcome == TEXT_NOT_UTF8 else -1,
                    out.error if outcome == TEXT_LONG_WORD else -1)
        finally:
            free(out.tokens)
            free(out.ends)

    def merged(self, WordTable other, long long start):
        """Number the words of `other` from its number `start` on here; returns their numbers in this table, int32."""
        cdef long long n = other.table.n_words - start, i
        numbers = np.empty(n, np.int32)
        cdef int32_t[::1] given = numbers
        cdef const Word *word
        cdef bint full = False
        with nogil:
            for i in range(n):
                word = &other.table.words[start + i]
                given[i] = number_of(&self.table, other.table.arena + word.start, word.length, word.hash)
                full |= given[i] < 0
        if full:
            raise MemoryError(f"no memory for a vocabulary of {self.table.n_words:,} words")
        return numbers

    def counts(self):
        """How often each word was seen by `tokenize`, int64."""
        counts = np.empty(self.table.n_words, np.int64)
        cdef int64_t[::1] view = counts
        if self.table.n_words:
            memcpy(&view[0], self.table.counts, self.table.n_words * sizeof(int64_t))
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

    def numbers(self, words):
        """The numbers of `words`, a list of str, as int64; -1 for those that are not here."""
        cdef long long i
        cdef Py_ssize_t length
        cdef const uint8_t *text
        numbers = np.full(len(words), -1, np.int64)
        cdef int64_t[::1] found = numbers
        for i, word in enumerate(words):
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
    finally:  # the stable ABI has no way into an array
        tokens.frombytes((<char *>numbers)[:n * sizeof(int32_t)])


def tally(const int32_t[::1] tokens, int64_t[::1] counts):
    """Add one to ``counts[token]`` for every token."""
    cdef long long i
    with nogil:
        for i in range(tokens.shape[0]):
            counts[tokens[i]] += 1


def renumber(int32_t[::1] tokens, int64_t[::1] ends, const int32_t[::1] table):
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


# The noise distribution.


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


# Files of vectors: rows of a word, a blank and values. What a loop here does not like it leaves to its caller, who can
# say what is wrong with it: it stops before the row and tells why.

cdef enum:
    LONGEST_WORD = 1 << 20  # bytes; what is longer is no word but a wrong kind of file
    BLANK = 32
    LINE_END = 10

ROW_CUT = 0  # the text ends inside this row, or there is no place left for it
ROW_ODD = 1  # not what a row should be
ROW_NOT_FINITE = 2  # a NaN or an infinity among its values

# Of a little-endian float32, in whatever order this machine reads its bytes: all ones there is a NaN or an infinity.
cdef uint32_t EXPONENT = np.frombuffer(b"\0\0\x80\x7f", np.uint32)[0]

cdef extern from "Python.h":
    double PyOS_string_to_double(const char *text, char **end, void *overflow) except? -1.0

ctypedef fused real:
    float
    double

# The powers of ten that a double holds exactly.
cdef double[23] TENS
cdef int _power
for _power in range(23):
    TENS[_power] = 10.0 ** _power


def parse_binary(const uint8_t[::1] text, long long start, uint32_t[:, ::1] values, int64_t[:, ::1] spans):
    """Copy the values of binary rows, from `start` on, until one is cut or odd.

    Parameters
    ----------
    values : uint32 [places, width]
        Filled with the bits of the little-endian float32 of each row.
    spans : int64 [places, 2]
        Filled with where each word begins and ends. Line ends before a word are not part of it.

    Returns
    -------
    rows : int
        How many were taken.
    end : int
        Where the next one begins.
    why : int
        Why that one was not taken: ROW_CUT, ROW_ODD or ROW_NOT_FINITE.
    """
    cdef long long size = text.shape[0], at = start, word, blank, stop, row = 0, j
    cdef long long places = values.shape[0], width = values.shape[1]
    cdef uint32_t wrong
    cdef int why = ROW_CUT, odd = ROW_ODD, not_finite = ROW_NOT_FINITE
    cdef bint broken
    with nogil:
        while row < places:
            word = at
            while word < size and text[word] == LINE_END:
                word += 1
            stop = min(size, word + LONGEST_WORD + 1)
            blank = word
            broken = False
            while blank < stop and text[blank] != BLANK:
                broken |= text[blank] == LINE_END
                blank += 1
            if blank == size or (blank < stop and size - blank - 1 < 4 * width):
                break
            if blank == stop or blank == word or broken:
                why = odd
                break
            memcpy(&values[row, 0], &text[blank + 1], 4 * width)
            wrong = 0
            for j in range(width):
                wrong |= (values[row, j] & EXPONENT) == EXPONENT
            if wrong:
                why = not_finite
                break
            spans[row, 0] = word
            spans[row, 1] = blank
            row += 1
            at = blank + 1 + 4 * width
    return row, at, why


def parse_lines(const uint8_t[::1] text, long long start, real[:, ::1] values, int64_t[:, ::1] spans):
    """Parse lines of a word and decimal numbers, from `start` on, until one is cut or odd; see `parse_binary`.

    A number is rounded to float64 first, and from there to float32, as NumPy and Python do it; white space at the
    end of a line is passed over, elsewhere one blank separates. A last line without a line end is cut.
    """
    cdef long long at = start, places = values.shape[0], width = values.shape[1], row = 0, i
    cdef const uint8_t *end = &text[0] + text.shape[0] if text.shape[0] else NULL
    cdef const uint8_t *line
    cdef const uint8_t *stop
    cdef const uint8_t *last
    cdef const uint8_t *p
    cdef const uint8_t *blank
    cdef double value
    cdef real kept
    cdef bint finite
    cdef int why = ROW_CUT, odd = ROW_ODD, not_finite = ROW_NOT_FINITE
    with nogil:
        while row < places and at < text.shape[0]:
            line = &text[at]
            stop = <const uint8_t *>memchr(line, LINE_END, end - line)
            if stop == NULL:
                break
            why = odd  # until shown otherwise
            last = stop
            while last > line and ((last - 1)[0] == BLANK or 9 <= (last - 1)[0] <= 13):
                last -= 1
            if last == line:
                break
            blank = <const uint8_t *>memchr(line, BLANK, last - line)
            if blank == NULL or blank == line or blank - line > LONGEST_WORD:
                break
            p = blank
            finite = True
            for i in range(width):
                if p == last or p[0] != BLANK:
                    p = NULL
                    break
                p = decimal(p + 1, &value)
                if p == NULL or p > last:
                    p = NULL
                    break
                kept = <real>value
                finite &= kept - kept == 0
                values[row, i] = kept
            if p != last:
                break
            if not finite:
                why = not_finite
                break
            why = 0
            spans[row, 0] = at
            spans[row, 1] = blank - &text[0]
            row += 1
            at = stop - &text[0] + 1
    return row, at, why


cdef inline const uint8_t *decimal(const uint8_t *text, double *value) noexcept nogil:
    """Parse a number, correctly rounded, and return where it ends; NULL if there is none.

    Some byte that is not part of a number must follow.
    """
    cdef const uint8_t *p = text
    cdef const uint8_t *first
    cdef const uint8_t *mark
    cdef uint64_t mantissa = 0
    cdef long long digits
    cdef int exponent = 0, shift = 0
    cdef bint negative = p[0] == c"-", shrinks
    if negative or p[0] == c"+":
        p += 1
    first = p
    while c"0" <= p[0] <= c"9":
        mantissa = mantissa * 10 + (p[0] - c"0")
        p += 1
    digits = p - first
    if p[0] == c".":
        p += 1
        first = p
        while c"0" <= p[0] <= c"9":
            mantissa = mantissa * 10 + (p[0] - c"0")
            p += 1
        digits += p - first
        exponent = -<int>min(p - first, 1000)
    if digits == 0 or digits > 19:  # no number, NaN, infinity; or more than 64 bits hold
        return long_decimal(text, value)
    if p[0] == c"e" or p[0] == c"E":
        mark = p + 1
        shrinks = mark[0] == c"-"
        if shrinks or mark[0] == c"+":
            mark += 1
        first = mark
        while c"0" <= mark[0] <= c"9" and mark - first < 4:
            shift = shift * 10 + (mark[0] - c"0")
            mark += 1
        if mark == first or c"0" <= mark[0] <= c"9":
            return long_decimal(text, value)
        exponent += -shift if shrinks else shift
        p = mark
    # Clinger 1990, "How to read floating point numbers accurately": both factors are exact, so one rounding is left.
    if mantissa > <uint64_t>1 << 53 or not -22 <= exponent <= 22:
        return long_decimal(text, value)
    value[0] = <double>mantissa / TENS[-exponent] if exponent < 0 else <double>mantissa * TENS[exponent]
    if negative:
        value[0] = -value[0]
    return p


cdef const uint8_t *long_decimal(const uint8_t *text, double *value) noexcept with gil:
    cdef char *end = NULL
    try:
        value[0] = PyOS_string_to_double(<const char *>text, &end, NULL)
    except ValueError:
        return NULL
    return <const uint8_t *>end


def number_words(const uint8_t[::1] text, const int64_t[:, ::1] spans, long long first, dict index):
    """Enter the words between these places, UTF-8, into `index`, with the numbers from `first` on.

    Returns
    -------
    list of int
        The rows of `spans` whose words had a number already, and keep it.

    Raises
    ------
    UnicodeDecodeError
    """
    cdef long long i
    cdef object number
    again = []
    for i in range(spans.shape[0]):
        word = PyUnicode_DecodeUTF8(<const char *>&text[spans[i, 0]], spans[i, 1] - spans[i, 0], NULL)
        number = first + i
        if index.setdefault(word, number) is not number:
            again.append(i)
    return again


# Analogies. An analogy's scores are sums (or products) of the similarities of its three words, which many analogies
# share: what is left to do for each of them is one pass over three rows.

cdef enum:
    STRETCH = 256  # columns looked at before the best so far is


def better_answers(
    const float[:, ::1] similarities,
    const int64_t[:, ::1] questions,
    const int64_t[::1] spelling,
    const int64_t[::1] words,
    long long first,
    float epsilon,
    float[::1] best,
    int64_t[::1] answers,
    float[:, ::1] passed,
):
    """Look for better answers to "a is to b as c is to ?" in the columns of `similarities`; no copy, no GIL.

    Parameters
    ----------
    similarities : float32 [asked words, columns]
        Column i is row ``first + i`` of the vocabulary; columns must come in rising order.
    questions : int64 [n, 3]
        Rows of `similarities` for a, b, c.
    spelling : int64 [columns]
        For each the row of the vocabulary that stands for its spelling.
    words : int64 [asked words]
        For each row of `similarities` its row in the vocabulary.
    epsilon : float
        0 for the score b + c - a; otherwise it is b * c / (a + epsilon).
    best, answers : float32, int64 [n]
        The score and the spelling of the best answer so far, changed in place.
    passed : float32 [n, k]
        The highest scores of words that were passed over for having the spelling of a, b or c, changed in place;
        complete only above the best score.
    """
    cdef long long n = questions.shape[0], columns = similarities.shape[1], k = passed.shape[1]
    cdef long long q, start, stop, i, j, low
    cdef const float *a
    cdef const float *b
    cdef const float *c
    cdef int64_t row_a, row_b, row_c, word
    cdef float top, score
    cdef int higher
    with nogil:
        for q in range(n):
            a = &similarities[questions[q, 0], 0]
            b = &similarities[questions[q, 1], 0]
            c = &similarities[questions[q, 2], 0]
            row_a, row_b, row_c = words[questions[q, 0]], words[questions[q, 1]], words[questions[q, 2]]
            top = best[q]
            start = 0
            while start < columns:
                stop = min(start + STRETCH, columns)
                higher = 0
                if epsilon == 0:
                    for i in range(start, stop):
                        higher += b[i] + c[i] - a[i] > top
                else:
                    for i in range(start, stop):
                        higher += b[i] * c[i] / (a[i] + epsilon) > top
                if higher:
                    for i in range(start, stop):
                        score = b[i] + c[i] - a[i] if epsilon == 0 else b[i] * c[i] / (a[i] + epsilon)
                        if not score > top:
                            continue
                        word = spelling[i]
                        if word != row_a and word != row_b and word != row_c:
                            top = score
                            answers[q] = word
                        elif first + i != row_a and first + i != row_b and first + i != row_c:
                            low = 0
                            for j in range(1, k):
                                low = j if passed[q, j] < passed[q, low] else low
                            if score > passed[q, low]:
                                passed[q, low] = score
                start = stop
            best[q] = top
