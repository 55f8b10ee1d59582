"""What word2vec's C programs compute over vectors: classes, nearest words, answers to analogies."""

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from w2v.vectors import queries
from w2v.vectors.lookup import Array

CLASS_ROUNDS = 10
# How many questions meet how many words at a time in compute-accuracy: 32 MiB of scores.
QUESTIONS_AT_ONCE = 2048
WORDS_AT_ONCE = 4096


def classes(vectors: Array, count: int) -> Array:
    """K-means of the directions of vectors, from classes dealt out in turn; a class may lose all its words."""
    from scipy.cluster.vq import kmeans2  # takes a while to import; few want classes

    unit = queries.unit_rows(vectors, queries.row_norms(vectors))
    centres = np.zeros((count, vectors.shape[1]), np.float32)
    for i in range(min(count, len(unit))):
        centres[i] = unit[i::count].mean(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a class without words, which keeps its centre
        labels: Array = kmeans2(unit, centres, iter=CLASS_ROUNDS, minit="matrix")[1]
    return labels


def nearest(
    vectors: Array, rows: Sequence[int], signs: Sequence[int], count: int, above: float
) -> list[tuple[int, float]]:
    """Find the rows nearest to a signed sum of unit rows: ``[(row, cosine), ...]``, best first.

    The rows themselves are left out, and so is what is not nearer than `above`. A zero vector has no direction: in C it
    gives NaN, which is never near, nor is anything near to it.
    """
    norms = queries.row_norms(vectors)
    units = queries.unit_rows(vectors[list(rows)].astype(np.float32, copy=False), norms[list(rows)])
    total = sum(sign * unit for sign, unit in zip(signs, units, strict=True))
    scores = queries.cosines(vectors, norms, queries.unit(np.asarray(total)))
    scores[(norms == 0) | (not norms[list(rows)].all())] = -np.inf
    best = queries.top_rows(scores, count, set(rows))
    return [(row, float(scores[row])) for row in best if scores[row] > above]


def answers(vectors: Array, questions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Answer questions [n, 3], rows a, b, c: the row with the greatest dot product with b - a + c, unit vectors all.

    The three rows themselves are no answers, nor is a product that is not above 0; -1 is no answer. Of equal
    products the first row has the answer.
    """
    norms = queries.row_norms(vectors)
    a, b, c = (queries.unit_rows(vectors[rows].astype(np.float32), norms[rows]) for rows in questions.T)
    asked = b - a + c
    asked[(norms[questions] == 0).any(axis=1)] = 0  # in C, NaN: no answer
    best = np.zeros(len(questions), np.float32)
    answers = np.full(len(questions), -1)
    for start in range(0, len(vectors), WORDS_AT_ONCE):
        block = slice(start, start + WORDS_AT_ONCE)
        units = queries.unit_rows(vectors[block].astype(np.float32, copy=False), norms[block])
        for first in range(0, len(questions), QUESTIONS_AT_ONCE):
            part = slice(first, first + QUESTIONS_AT_ONCE)
            scores = asked[part] @ units.T
            places = questions[part] - start
            inside = (places >= 0) & (places < len(units))
            scores[np.nonzero(inside)[0], places[inside]] = -np.inf
            nearest = scores.argmax(axis=1)
            nearness = scores[np.arange(len(scores)), nearest]
            better = nearness > best[part]
            best[part][better] = nearness[better]
            answers[part][better] = start + nearest[better]
    return answers
