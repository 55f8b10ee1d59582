# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Sequences to numbers of k-mers without a Python object per letter or k-mer: the inner loops of `sequences`.

`clean` turns lines of FASTA or FASTQ into digits, a `KmerTable` turns digits into sentences of k-mers and counts them.
Both run without the GIL.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset


cdef extern from "_kmers.h" nogil:
    enum:
        CLEAN
        NO_MEMORY
        HEADER_FIELDS
        MOST_K
    ctypedef struct Numbers:
        int64_t *values
        int64_t used
    ctypedef struct Cleaned:
        const uint8_t *classes
        uint8_t *digits
        int64_t n_digits
        Numbers segments
        Numbers headers
        int64_t letters
        int64_t lines
        int64_t specials[256]
        int64_t error
    int clean_fasta(Cleaned *out, const uint8_t *text, int64_t size, int at_line_start) noexcept
    int64_t c_whole_fastq "whole_fastq"(const uint8_t *text, int64_t size) noexcept
    int clean_fastq(Cleaned *out, const uint8_t *text, int64_t size) noexcept
    ctypedef struct Scheme:
        int64_t k
        int64_t k_max
        int64_t longest
        int64_t shifted
        int64_t strand
        uint64_t key
        uint64_t size
        uint8_t complement[256]
        uint64_t *power
        uint64_t *offset
    ctypedef struct KmerTokens:
        int32_t *tokens
        int64_t n_tokens
        int64_t *ends
        int64_t *owners
        int64_t n_sentences
        int64_t n_short
        int64_t *counts
        int32_t *fresh
        int64_t n_fresh
        int32_t *codes
        uint8_t *reverse
    int64_t places_of_a_piece(const Scheme *scheme) noexcept
    void room_for(const Scheme *scheme, int64_t letters, int64_t *tokens, int64_t *sentences) noexcept
    void segment_to_kmers(const Scheme *scheme, const uint8_t *digits, int64_t letters, uint64_t first, int64_t owner,
                          KmerTokens *out) noexcept


cdef object array_of(Numbers *numbers):
    cdef int64_t[::1] view
    array = np.empty(numbers.used, np.int64)
    if numbers.used:
        view = array
        memcpy(&view[0], numbers.values, numbers.used * sizeof(int64_t))
    return array


def clean(const uint8_t[::1] text, const uint8_t[::1] classes, bint fastq, bint at_line_start):
    """Turn lines of FASTA, or whole records of FASTQ, into digits.

    Parameters
    ----------
    text : bytes
    classes : uint8 [256], what each byte of a sequence is: a digit, or a special class of `_kmers.h`
    fastq, at_line_start : bool
        Whether it is FASTQ; whether the first byte begins a line.

    Returns
    -------
    digits : uint8
    segments : int64 [S, 2], where each begins among the digits, and how many headers came before it
    headers : int64 [H, 4], where each begins and its length, its line from 0, letters since the header before
    letters, lines : int, those behind the last header, and all line ends
    specials : int64 [256], how often each byte was no digit
    fault, error : int, 0 or what is wrong, and the offset where
    """
    cdef Cleaned out
    cdef int64_t size = text.shape[0]
    cdef int outcome = CLEAN
    cdef uint8_t[::1] digits
    cdef int64_t[::1] specials
    memset(&out, 0, sizeof(Cleaned))
    try:
        found, special = np.empty(size, np.uint8), np.empty(256, np.int64)
        digits, specials = found, special
        out.classes = &classes[0]
        if size:
            out.digits = &digits[0]
            with nogil:
                if fastq:
                    outcome = clean_fastq(&out, &text[0], size)
                else:
                    outcome = clean_fasta(&out, &text[0], size, at_line_start)
        if outcome == NO_MEMORY:
            raise MemoryError(f"no memory for {size:,} bytes of sequences")
        memcpy(&specials[0], out.specials, 256 * sizeof(int64_t))
        return (found[:out.n_digits], array_of(&out.segments).reshape(-1, 2),
                array_of(&out.headers).reshape(-1, HEADER_FIELDS), out.letters, out.lines, special, outcome, out.error)
    finally:
        free(out.segments.values)
        free(out.headers.values)


def whole_fastq(const uint8_t[::1] text):
    """Where the last whole record of a text of FASTQ ends; at its end if one is wrong, which `clean` then says."""
    return c_whole_fastq(&text[0], text.shape[0]) if text.shape[0] else 0


cdef class KmerTable:
    """Makes k-mers of digits by one scheme, and counts them. One thread at a time may use it.

    Parameters
    ----------
    k, k_max, longest, shifted, strand, key, size : int
        As in `_kmers.h`.
    complement : uint8 [256]
    counted : bool, default True
        Whether `tokenize` counts.
    """

    cdef Scheme scheme
    cdef object _counts
    cdef bint counted

    def __init__(self, *, int64_t k, int64_t k_max, int64_t longest, bint shifted, int64_t strand, uint64_t key,
                 uint64_t size, const uint8_t[::1] complement, bint counted=True):
        cdef int64_t i
        if not 1 <= k <= k_max <= MOST_K or longest < 1 or complement.shape[0] != 256:
            raise ValueError(f"no scheme of k-mers: {k}, {k_max}, {longest}")
        self.scheme.k, self.scheme.k_max, self.scheme.longest = k, k_max, longest
        self.scheme.shifted, self.scheme.strand = shifted, strand
        self.scheme.key, self.scheme.size = key, size
        memcpy(self.scheme.complement, &complement[0], 256)
        self.scheme.power[0] = 1
        for i in range(1, k_max + 1):
            self.scheme.power[i] = self.scheme.power[i - 1] * size
        self.scheme.offset[k] = 0
        for i in range(k, k_max + 1):
            self.scheme.offset[i + 1] = self.scheme.offset[i] + self.scheme.power[i]
        self.counted = counted
        self._counts = np.zeros(self.scheme.offset[k_max + 1] if counted else 0, np.int64)

    @property
    def piece(self):
        """How many places a piece has."""
        return places_of_a_piece(&self.scheme)

    def tokenize(self, const uint8_t[::1] digits, const int64_t[::1] starts, int64_t end, int64_t first,
                 bint begun=False):
        """Make k-mers of segments.

        Parameters
        ----------
        digits : uint8
        starts : int64 [S], where each segment begins, rising; it ends where the next one begins, the last at `end`
        end : int
        first : int, how many letters came before these
        begun : bool, whether the first segment is the rest of one that has given k-mers

        Returns
        -------
        tokens : int32, numbers of k-mers
        ends : int64, how many tokens precede the end of each sentence
        owners : int64, the segment of each sentence
        new : int32, k-mers that this table meets for the first time, in order; empty if nothing is counted
        short : int, segments with too few letters
        """
        cdef KmerTokens out
        cdef int64_t n_segments = starts.shape[0], i, room = 0, most = 0, letters, longest = 0
        cdef int32_t[::1] tokens, codes, new
        cdef int64_t[::1] ends, owners, counts = self._counts
        cdef uint8_t[::1] reverse
        memset(&out, 0, sizeof(KmerTokens))
        for i in range(n_segments):
            letters = (starts[i + 1] if i + 1 < n_segments else end) - starts[i]
            room_for(&self.scheme, letters, &room, &most)
            longest = max(longest, letters)
        longest = min(longest, places_of_a_piece(&self.scheme) + self.scheme.k_max)
        found, stops, whose = np.empty(room + 1, np.int32), np.empty(most + 1, np.int64), np.empty(most + 1, np.int64)
        tokens, ends, owners = found, stops, whose
        codes, reverse = np.empty(longest + 1, np.int32), np.empty(longest + 1, np.uint8)
        out.tokens, out.ends, out.owners = &tokens[0], &ends[0], &owners[0]
        out.codes, out.reverse = &codes[0], &reverse[0]
        fresh = np.empty(min(room, counts.shape[0]) + 1, np.int32)
        if self.counted:
            new = fresh
            out.counts, out.fresh = &counts[0], &new[0]
        with nogil:
            for i in range(n_segments):
                letters = (starts[i + 1] if i + 1 < n_segments else end) - starts[i]
                if letters > 0:
                    segment_to_kmers(&self.scheme, &digits[starts[i]], letters, <uint64_t>(first + starts[i]), i, &out)
                if i == 0 and begun:
                    out.n_short = 0
        return (found[:out.n_tokens], stops[:out.n_sentences], whose[:out.n_sentences], fresh[:out.n_fresh], out.n_short)

    def counts(self):
        """How often each number of a k-mer was made, int64."""
        return self._counts
