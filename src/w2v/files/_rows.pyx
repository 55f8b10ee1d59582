# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""The inner loops of `word2vec_format`: rows of a word, a blank and values, parsed without the GIL.

A loop stops before a malformed row and returns a reason; its caller describes the fault.
"""

import numpy as np

from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcpy


cdef enum:
    LONGEST_WORD = 1 << 20  # bytes; only a file of the wrong kind has longer words
    BLANK = 32
    LINE_END = 10

ROW_CUT = 0  # the text ends inside this row, or the matrix is full
ROW_ODD = 1  # malformed
ROW_NOT_FINITE = 2  # a NaN or an infinity among its values

# The exponent of a little-endian float32, read in this machine's byte order; all ones mean a NaN or an infinity.
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
    if digits == 0 or digits > 19:  # malformed, NaN or infinite; or beyond 64 bits
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
    """Enter the UTF-8 words at these spans into `index`, numbered from `first` on.

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
