# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""What stands near what in an encoded corpus: counted and found in one pass over the tokens, without the GIL.

A window reaches `window` tokens to both sides and never beyond its sentence. All of it counts: training draws narrower
windows and thins out frequent words, which changes how often it sees a pair, and not which pairs there are.
"""

from libc.stdint cimport int32_t, int64_t


def count_contexts(
    const int32_t[::1] tokens,
    const int64_t[::1] offsets,
    const int32_t[::1] place_of,
    long long window,
    int64_t[:, ::1] counts,
    int64_t[::1] pairs,
):
    """Count the words in the windows of some words, and the pairs of all words.

    Parameters
    ----------
    tokens : int32 [N], each a row of `place_of`
    offsets : int64 [S + 1]
    place_of : int32 [words], for each word its row in `counts`; -1 for words that nobody asks about
    window : int
    counts : int64 [asked, words], how often a word stands in the window of an asked one; added to
    pairs : int64 [words], how many words stand in the windows of each word; added to
    """
    cdef long long sentence, position, begin, end, low, high, other
    cdef int32_t place
    with nogil:
        for sentence in range(offsets.shape[0] - 1):
            begin, end = offsets[sentence], offsets[sentence + 1]
            for position in range(begin, end):
                low, high = max(begin, position - window), min(end, position + window + 1)
                pairs[tokens[position]] += high - low - 1
                place = place_of[tokens[position]]
                if place < 0:
                    continue
                for other in range(low, high):
                    if other != position:
                        counts[place, tokens[other]] += 1


def find_meetings(
    const int32_t[::1] tokens,
    const int64_t[::1] offsets,
    int32_t first,
    int32_t second,
    long long window,
    long long every,
    int64_t[:, ::1] found,
):
    """Find places where `second` stands in the window of `first`: every `every`-th, until `found` is full.

    Parameters
    ----------
    found : int64 [n, 3]
        Is given the number of the sentence and the positions of both words.

    Returns
    -------
    int
        How many were found.
    """
    cdef long long sentence, position, other, n = 0, met = 0
    with nogil:
        for sentence in range(offsets.shape[0] - 1):
            for position in range(offsets[sentence], offsets[sentence + 1]):
                if tokens[position] != first:
                    continue
                for other in range(max(offsets[sentence], position - window),
                                   min(offsets[sentence + 1], position + window + 1)):
                    if tokens[other] != second or other == position:
                        continue
                    if met % every == 0 and n < found.shape[0]:
                        found[n, 0], found[n, 1], found[n, 2] = sentence, position, other
                        n += 1
                    met += 1
    return n
