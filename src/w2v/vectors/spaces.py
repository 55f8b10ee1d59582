"""Queries over words with two vectors each, an input and an output vector: five spaces.

Input with input is second order: words that stand in the same contexts. Input with output is first order: words that
stand together, since their product is what training fits to how often they meet (Levy & Goldberg 2014, NeurIPS: shifted
pointwise mutual information).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from w2v.terms import steps
from w2v.vectors import queries
from w2v.vectors.asked import check_space, number_for_many, question, scored
from w2v.vectors.keyed import KeyedVectors, Scored, cosine
from w2v.vectors.lookup import Array, Key, check_list


class Sides(NamedTuple):
    """The vectors that ask, and the vectors that answer."""

    asking: KeyedVectors
    answering: KeyedVectors


def sides(inputs: KeyedVectors, outputs: KeyedVectors, space: str) -> Sides:
    """The two sides of a space, ``"in-out"`` being the input vectors of words asked and the output vectors of answers.

    The vectors of ``"sum"`` are sums of both vectors at unit length (Levy, Goldberg & Dagan 2015, TACL, section 3.3);
    they are made for each query, and take the memory of another matrix.
    """
    if check_space(space) == "sum":
        vectors = inputs.get_normed_vectors()
        vectors += outputs.get_normed_vectors()
        both = KeyedVectors.from_arrays(inputs.key_to_index, vectors)
        steps.taken_over(both, inputs)
        return Sides(both, both)
    asking, _, answering = space.partition("-")
    matrix = {"in": inputs, "out": outputs}
    return Sides(matrix[asking], matrix[answering])


def most_similar(
    sides: Sides,
    positive: Any = None,
    negative: Any = None,
    topn: int | None = 10,
    clip_start: int = 0,
    clip_end: int | None = None,
    restrict_vocab: int | None = None,
) -> Any:
    """Find the words nearest to a weighted mean of words; see `w2v.KeyedVectors.most_similar`."""
    asked = question(positive, negative, topn, len(sides.answering), clip_start, clip_end, restrict_vocab)
    if asked.topn is not None and asked.topn < 1:
        return []
    return sides.answering.answer(asked, asked.mean_in(sides.asking))


def similarity(sides: Sides, w1: Key, w2: Key) -> np.float32:
    """Cosine of the asking vector of one word and the answering vector of another."""
    return cosine(queries.unit(sides.asking.get_vector(w1)), queries.unit(sides.answering.get_vector(w2)))


def most_similar_batch(
    sides: Sides, words: Sequence[Key], topn: int = 10, restrict_vocab: int | None = None
) -> list[Scored]:
    """Answer ``most_similar(word)`` for many words; see `w2v.KeyedVectors.most_similar_batch`."""
    asking, answering = sides
    count = number_for_many(topn, restrict_vocab)
    asked, vectors = asking.looked_up(check_list("words", words))
    if count < 1:
        return [[] for _ in asked]
    units = queries.unit_rows(vectors, None)

    def nearest(rows: Array, norms: Array | None) -> tuple[Array, Array]:
        few = None if norms is None else norms[:restrict_vocab]
        return queries.nearest_rows(units, rows[:restrict_vocab], few, count + 1)

    found = []
    for own, rows, cosines in zip(asked, *answering.over_rows(nearest), strict=True):
        others = np.flatnonzero(rows != own)[:count]
        found.append(scored(answering.index_to_key, rows[others], cosines[others]))
    return found
