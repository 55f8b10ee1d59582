# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Raw text to words, bytes to bytes without the GIL; and strings, lists and integers of Python to contiguous arrays."""

import numpy as np

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy


cdef extern from "_text.h" nogil:
    void copy_as_line(uint8_t *out, const void *text, uint64_t size) noexcept

cdef extern from "_raw.h" nogil:
    enum:
        GROWS
        SEVERAL
    ctypedef struct LettersTable "Letters":
        const uint8_t *kinds
        const int32_t *cases
        const uint32_t *several
        uint8_t ascii[256]
    int64_t simple_words(const LettersTable *letters, const uint8_t *text, int64_t size, uint8_t *out,
                         int64_t *error) noexcept
    int64_t preprocessed_words(const LettersTable *letters, const uint8_t *text, int64_t size, uint8_t *out,
                               int64_t *error) noexcept


cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL


cdef class Letters:
    """What each character is and becomes; any number of threads may use it.

    Parameters
    ----------
    kinds : uint8 [0x110000]
    cases : int32 [0x110000]
    several : uint32 [n, 3]
    preprocess : bool
        Whether words are those of gensim's simple_preprocess.
    """

    cdef LettersTable table
    cdef bint preprocess
    cdef object held

    def __cinit__(self, const uint8_t[::1] kinds, const int32_t[::1] cases, const uint32_t[:, ::1] several,
                  bint preprocess):
        cdef int c
        self.held = kinds, cases, several
        self.preprocess = preprocess
        self.table.kinds, self.table.cases, self.table.several = &kinds[0], &cases[0], &several[0, 0]
        for c in range(256):
            self.table.ascii[c] = 0
            if c < 128 and kinds[c] & (1 if preprocess else 3):
                self.table.ascii[c] = <uint8_t>(cases[c] if cases[c] else c)

    def words_of(self, const uint8_t[::1] text):
        """The words of a UTF-8 text with a blank behind each, lines as they are.

        Returns
        -------
        words : uint8
        error : int, offset of the first byte that is not UTF-8, or -1; then there are no words
        """
        cdef int64_t size = text.shape[0], error = -1, length = 0
        made = np.empty(GROWS * size + 1, np.uint8)
        cdef uint8_t[::1] out = made
        if size:
            with nogil:
                if self.preprocess:
                    length = preprocessed_words(&self.table, &text[0], size, &out[0], &error)
                else:
                    length = simple_words(&self.table, &text[0], size, &out[0], &error)
        return made[:max(length, 0)], error


def joined(texts):
    """Lines of UTF-8, one for each str of a list; line ends within them become blanks, None an empty line; uint8.

    Raises
    ------
    TypeError
        For anything else, with its place among `texts`.
    """
    cdef long long i, n = len(texts), size = 0, at = 0
    cdef const char *start
    cdef Py_ssize_t length
    cdef list parts = list(texts)
    for i in range(n):
        text = parts[i]
        if text is None:
            size += 1
        elif not isinstance(text, str):
            raise TypeError(i, text)
        elif text.isascii():
            size += len(text) + 1
        else:  # a str would keep the UTF-8 that it is asked for
            parts[i] = text.encode()
            size += len(parts[i]) + 1
    lines = np.empty(size, np.uint8)
    cdef uint8_t[::1] out = lines
    for i in range(n):
        text = parts[i]
        if text is not None:
            if isinstance(text, bytes):
                start, length = text, len(text)
            else:
                start = PyUnicode_AsUTF8AndSize(text, &length)
            copy_as_line(&out[at], start, length)
            at += length
        out[at] = b"\n"
        at += 1
    return lines


def listed(sentences):
    """The tokens of lists of str, one behind the other: UTF-8, where each ends, and how many precede each list's end.

    Returns
    -------
    data : uint8
    offsets : int64 [tokens + 1]
    ends : int64, of each sentence

    Raises
    ------
    TypeError
        For a token that is no str, with its place among the sentences.
    """
    cdef bytearray data = bytearray()
    cdef const char *start
    cdef Py_ssize_t length
    cdef long long n = 0, at = 0, sentence, total = 0
    for sentence, words in enumerate(sentences):
        if isinstance(words, str):
            raise TypeError(sentence, words)
        total += len(words) if words is not None else 0
    offsets, ends = np.zeros(total + 1, np.int64), np.empty(len(sentences), np.int64)
    cdef int64_t[::1] offset = offsets, end = ends
    for sentence, words in enumerate(sentences):
        for word in words or ():
            if not isinstance(word, str):
                raise TypeError(sentence, word)
            start = PyUnicode_AsUTF8AndSize(word, &length)
            data += start[:length]
            at += length
            n += 1
            offset[n] = at
        end[sentence] = n
    return np.frombuffer(data, np.uint8), offsets, ends


def integers(sentences):
    """The tokens of sequences of integers, one behind the other, int64, and how many precede each sequence's end, int64.

    Raises
    ------
    TypeError, OverflowError
        For a token that is no integer, or has more than 64 bits, with its place among the sentences.
    """
    cdef long long total = 0, sentence, n = 0, i
    cdef int64_t[::1] value
    cdef const int64_t[::1] walk
    for sentence, words in enumerate(sentences):
        if isinstance(words, str):
            raise TypeError(sentence, words)
        total += len(words) if words is not None else 0
    values, ends = np.empty(total, np.int64), np.empty(len(sentences), np.int64)
    cdef int64_t[::1] end = ends
    value = values
    for sentence, words in enumerate(sentences):
        if isinstance(words, np.ndarray) and words.dtype.kind in "iu" and words.ndim == 1:
            if words.dtype == np.uint64 and len(words) and words.max() > np.uint64(2**63 - 1):
                raise OverflowError(sentence, int(words.max()))
            walk = np.ascontiguousarray(words, np.int64)
            if walk.shape[0]:
                memcpy(&value[n], &walk[0], walk.shape[0] * sizeof(int64_t))
                n += walk.shape[0]
        elif words is not None:
            for word in words:
                if type(word) is not int and (
                    isinstance(word, (str, bytes, float, bool, np.bool_)) or not hasattr(type(word), "__index__")
                ):
                    raise TypeError(sentence, word)
                try:
                    value[n] = word
                except OverflowError:
                    raise OverflowError(sentence, word) from None
                n += 1
        end[sentence] = n
    return values, ends
