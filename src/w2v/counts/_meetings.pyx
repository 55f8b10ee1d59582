# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""How often each word stands near each other one: the inner loops of `cooccurrence`, without the GIL.

A row is counted as a whole: the places of its word are known (`post`), and what stands around each of them is added up
in an array over all words. So no pair is ever stored, and no sum depends on who counts which rows. A tree of bits over
that array, 64 children to a node, says which of its entries are in use, and gives them in order.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset


cdef extern from *:
    """
    #define W2V_LOWEST(bits) __builtin_ctzll(bits)
    #define W2V_ASK_FOR(place) __builtin_prefetch(place)
    """
    int W2V_LOWEST(uint64_t bits) noexcept nogil
    void W2V_ASK_FOR(const void *place) noexcept nogil


cdef enum:
    LEVELS = 3
    AHEAD = 6  # places whose windows are asked for before they are counted: they lie anywhere in the text


cdef struct Sums:
    int64_t *sums  # of each word
    uint64_t *bits[LEVELS]  # bit w of the first: sums[w] is not 0; bit i of the next: word i of this one is not 0
    int64_t sizes[LEVELS]


cdef int sums_start(Sums *row, int64_t words) noexcept nogil:
    cdef int level
    cdef int64_t size = words
    cdef bint missing
    row.sums = <int64_t *>calloc(max(words, 1), sizeof(int64_t))
    missing = row.sums == NULL
    for level in range(LEVELS):
        size = (size + 63) >> 6
        row.sizes[level] = size
        row.bits[level] = <uint64_t *>calloc(max(size, 1), sizeof(uint64_t))
        missing = missing or row.bits[level] == NULL
    return missing


cdef void sums_free(Sums *row) noexcept nogil:
    cdef int level
    free(row.sums)
    for level in range(LEVELS):
        free(row.bits[level])


cdef inline void add(Sums *row, int32_t word, int64_t weight) noexcept nogil:
    cdef int64_t place = word
    cdef int level
    if row.sums[word] == 0:
        for level in range(LEVELS):
            row.bits[level][place >> 6] |= <uint64_t>1 << (place & 63)
            place >>= 6
    row.sums[word] += weight


cdef int64_t emit(Sums *row, int32_t *words, int64_t *sums) noexcept nogil:
    """Write the words that have a sum, in order, with it; all sums are 0 again afterwards."""
    cdef int64_t n = 0, top, middle, low, word
    cdef uint64_t at_top, at_middle, at_low
    for top in range(row.sizes[2]):
        at_top = row.bits[2][top]
        row.bits[2][top] = 0
        while at_top:
            middle = (top << 6) + W2V_LOWEST(at_top)
            at_top &= at_top - 1
            at_middle = row.bits[1][middle]
            row.bits[1][middle] = 0
            while at_middle:
                low = (middle << 6) + W2V_LOWEST(at_middle)
                at_middle &= at_middle - 1
                at_low = row.bits[0][low]
                row.bits[0][low] = 0
                while at_low:
                    word = (low << 6) + W2V_LOWEST(at_low)
                    at_low &= at_low - 1
                    words[n], sums[n] = <int32_t>word, row.sums[word]
                    row.sums[word] = 0
                    n += 1
    return n


def fence(const int32_t[::1] tokens, const int64_t[::1] ends, int32_t[::1] fenced):
    """Copy tokens, with a -1 before the first, at each of `ends` and behind the last: windows stop there.

    Parameters
    ----------
    tokens : int32 [N]
    ends : int64 [E], ascending, within 0 ... N: a sentence begins at each
    fenced : int32 [N + E + 2]
    """
    cdef int64_t at = 0, end = 0, place = 0, n = tokens.shape[0], n_ends = ends.shape[0]
    with nogil:
        fenced[0] = -1
        place = 1
        for at in range(n):
            while end < n_ends and ends[end] == at:
                fenced[place] = -1
                place += 1
                end += 1
            fenced[place] = tokens[at]
            place += 1
        while place < fenced.shape[0]:
            fenced[place] = -1
            place += 1


def post(const int32_t[::1] fenced, int64_t first, int64_t stop, int64_t[::1] begins, uint32_t[::1] places):
    """Sort the places of a fenced text by word.

    Parameters
    ----------
    fenced : int32, shorter than 2^32
    first, stop : the places that are sorted; others are context alone
    begins : int64 [words + 1]
        Is given where the places of each word begin.
    places : uint32 [occurrences in first ... stop]
    """
    cdef int64_t place, word, n_words = begins.shape[0] - 1, at
    with nogil:
        memset(&begins[0], 0, begins.shape[0] * sizeof(int64_t))
        for place in range(first, stop):
            if fenced[place] >= 0:
                begins[fenced[place] + 1] += 1
        for word in range(n_words):
            begins[word + 1] += begins[word]
        for place in range(first, stop):
            if fenced[place] >= 0:
                at = begins[fenced[place]]
                places[at] = <uint32_t>place
                begins[fenced[place]] = at + 1
        for word in range(n_words, 0, -1):  # each has moved to where the next one begins
            begins[word] = begins[word - 1]
        begins[0] = 0


def count_rows(
    const int32_t[::1] fenced,
    const int64_t[::1] begins,
    const uint32_t[::1] places,
    int64_t first,
    int64_t stop,
    int64_t window,
    bint shrink,
    int64_t[::1] ends,
    int32_t[::1] words,
    int64_t[::1] sums,
):
    """Count what stands in the windows of words `first` ... `stop`.

    Parameters
    ----------
    fenced, begins, places
        As `post` leaves them.
    window : int
    shrink : bool
        A word at distance d counts ``window - d + 1``, else 1.
    ends : int64 [stop - first]
        Is given where each row ends in `words` and `sums`, which have room for all.
    words : int32, ascending within a row
    sums : int64
    """
    cdef int64_t n_words = begins.shape[0] - 1, row, at, place, other, n = 0, weight, reach
    cdef Sums here
    cdef bint missing
    with nogil:
        missing = sums_start(&here, n_words)
        if not missing:
            for row in range(first, stop):
                for at in range(begins[row], begins[row + 1]):
                    place = places[at]
                    if at + AHEAD < begins[row + 1]:
                        W2V_ASK_FOR(&fenced[max(0, <int64_t>places[at + AHEAD] - window)])
                        W2V_ASK_FOR(&fenced[places[at + AHEAD]])
                    weight = window if shrink else 1
                    other = place - 1
                    reach = max(0, place - window)
                    while other >= reach and fenced[other] >= 0:
                        add(&here, fenced[other], weight)
                        weight -= shrink
                        other -= 1
                    weight = window if shrink else 1
                    other = place + 1
                    reach = place + window
                    while other <= reach and fenced[other] >= 0:  # the last is -1
                        add(&here, fenced[other], weight)
                        weight -= shrink
                        other += 1
                if n < words.shape[0]:
                    n += emit(&here, &words[n], &sums[n])
                ends[row - first] = n
        sums_free(&here)
    if missing:
        raise MemoryError(f"no memory for the counts of a row of {n_words:,} words")


def add_rows(
    list run_begins, list run_words, list run_sums, int64_t n_words, int64_t first, int64_t stop, int64_t[::1] ends,
    int32_t[::1] words, int64_t[::1] sums,
):
    """Add up rows `first` ... `stop` of several runs, each with where rows begin, words and sums; see `count_rows`."""
    cdef int64_t n_runs = len(run_begins), run, row, at, n = 0
    cdef const int64_t[::1] begins
    cdef const int32_t[::1] its_words
    cdef const int64_t[::1] its_sums
    cdef const int64_t **begin = <const int64_t **>malloc(max(n_runs, 1) * sizeof(void *))
    cdef const int32_t **word = <const int32_t **>malloc(max(n_runs, 1) * sizeof(void *))
    cdef const int64_t **its_sum = <const int64_t **>malloc(max(n_runs, 1) * sizeof(void *))
    cdef bint missing = begin == NULL or word == NULL or its_sum == NULL
    cdef Sums here
    try:
        if not missing:
            for run in range(n_runs):
                begins, its_words, its_sums = run_begins[run], run_words[run], run_sums[run]
                begin[run] = &begins[0]
                word[run] = &its_words[0] if its_words.shape[0] else NULL
                its_sum[run] = &its_sums[0] if its_sums.shape[0] else NULL
            with nogil:
                missing = sums_start(&here, n_words)
                if not missing:
                    for row in range(first, stop):
                        for run in range(n_runs):
                            for at in range(begin[run][row], begin[run][row + 1]):
                                add(&here, word[run][at], its_sum[run][at])
                        if n < words.shape[0]:
                            n += emit(&here, &words[n], &sums[n])
                        ends[row - first] = n
                sums_free(&here)
    finally:
        free(begin)
        free(word)
        free(its_sum)
    if missing:
        raise MemoryError(f"no memory for the counts of a row of {n_words:,} words")


def count_sentences(
    const int32_t[::1] tokens,
    const int64_t[::1] offsets,
    int64_t n_words,
    int64_t first,
    int64_t stop,
    int64_t[::1] ends,
    int32_t[::1] words,
    int64_t[::1] sums,
):
    """Count the words of sentences `first` ... `stop`: a row for each; see `count_rows`."""
    cdef int64_t row, at, n = 0
    cdef Sums here
    cdef bint missing
    with nogil:
        missing = sums_start(&here, n_words)
        if not missing:
            for row in range(first, stop):
                for at in range(offsets[row], offsets[row + 1]):
                    add(&here, tokens[at], 1)
                if n < words.shape[0]:
                    n += emit(&here, &words[n], &sums[n])
                ends[row - first] = n
        sums_free(&here)
    if missing:
        raise MemoryError(f"no memory for the counts of a row of {n_words:,} words")
