# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""The inner loop of `scores`: the best answer to an analogy.

An analogy's scores are sums (or products) of the similarities of its three words, which many analogies
share: each analogy then takes one pass over three rows.
"""

from libc.stdint cimport int64_t


cdef enum:
    STRETCH = 256  # columns looked at before the best so far is


cdef inline float product(float a, float b, float c, float epsilon) noexcept nogil:
    """Levy & Goldberg 2014 (CoNLL), section 6: cosines are shifted into 0..1."""
    cdef float one = 1, half = 0.5
    return (b + one) * half * ((c + one) * half) / ((a + one) * half + epsilon)


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
        0 for the score b + c - a; otherwise it is b * c / (a + epsilon), of similarities shifted into 0..1.
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
                        higher += product(a[i], b[i], c[i], epsilon) > top
                if higher:
                    for i in range(start, stop):
                        score = b[i] + c[i] - a[i] if epsilon == 0 else product(a[i], b[i], c[i], epsilon)
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
