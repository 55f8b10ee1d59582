"""How much of each topic comes back when topics are looked for again."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.stability import measures

Array = NDArray[Any]


class Agreement(NamedTuple):
    """How stable topics are: means over runs, each float32 [topics], 0 to 1; a run that lacks a topic counts 0.

    Attributes
    ----------
    words : Jaccard index of the first words of a topic and of its partner in another run
    documents : Jaccard index of their documents
    runs : int, how many times topics were looked for again
    vary : str, what was another in these runs: "bootstrap" or "seed"
    """

    words: NDArray[np.float32]
    documents: NDArray[np.float32]
    runs: int
    vary: str


def matched(first: Array, second: Array, topics: int, others: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Partners in another run, int64 [topics] (-1 for none), and the Jaccard index of the documents, float64 [topics].

    Pairs are those whose indices have the greatest sum (the assignment problem), so that no topic of a run is partner
    of two; partners that share no document are none.

    Parameters
    ----------
    first, second : int [documents]
        Topic of each document in both runs, -1 for none.
    topics, others : int
        How many topics there are in each.
    """
    from scipy.optimize import linear_sum_assignment

    both = (first >= 0) & (second >= 0)
    common = np.zeros((topics, others))
    np.add.at(common, (first[both], second[both]), 1)
    sizes = np.bincount(first[first >= 0], minlength=topics)
    other_sizes = np.bincount(second[second >= 0], minlength=others)
    union = sizes[:, None] + other_sizes[None] - common
    indices = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    rows, columns = linear_sum_assignment(indices, maximize=True)
    partners, shares = np.full(topics, -1, np.int64), np.zeros(topics)
    partners[rows], shares[rows] = columns, indices[rows, columns]
    partners[shares == 0] = -1
    return partners, shares


def words_shared(first: Array, second: Array, partners: Array) -> NDArray[np.float64]:
    """Jaccard index of the words of topics and their partners, float64 [topics]; 0 without a partner.

    Parameters
    ----------
    first, second : int [topics, words]
        Numbers of words, of the same vocabulary.
    partners : int [topics]
    """
    shares = np.zeros(len(first))
    found = partners >= 0
    if found.any():
        shares[found] = measures.jaccard(first[found], second[partners[found]])
    return shares
