"""Dense areas of points, topics as their middles, and which topic a document is nearest to: arrays in, arrays out.

A row is a document at unit length. A topic is a unit vector, the direction of the sum of the documents in a dense area
(Angelov 2020, arXiv:2008.09470). The number -1 stands for no topic.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.vectors import queries
from w2v.vectors.keyed import KeyedVectors

Array = NDArray[Any]
Numbers = NDArray[np.int32]

NONE = -1
SHIFTS = 2
CLOUD = 0.8  # share of the points beyond which an area is the cloud that all lie in
BLOCK_ROWS = 1 << 12
LEADING = 10  # words of a topic that are compared with those of another
# Share of an area's own documents that lie farther from its topic than its radius.
OUTSIDE = 0.05
# The greatest sharpness of membership: topics whose documents never disagree would be infinitely sharp.
SHARPEST = 200.0


class Found(NamedTuple):
    """Topics of some documents.

    Attributes
    ----------
    vectors : float32 [topics, vector_size], at unit length, the largest topic first
    areas : int32 [documents], the topic in whose dense area a document lies; -1 for noise
    nearest : int32 [documents], the topic of the greatest cosine; -1 for a document without a vector
    cosines : float32 [documents], with the nearest topic; 0 without a vector
    """

    vectors: NDArray[np.float32]
    areas: Numbers
    nearest: Numbers
    cosines: NDArray[np.float32]


def shifted(units: Array, count: int) -> NDArray[np.float32]:
    """Rows moved to where they are denser: each becomes the mean of its `count` nearest, at unit length, twice over.

    Blurring mean shift (Cheng 1995, IEEE PAMI 17) with the nearest rows in place of a kernel's width. Vectors of
    documents lie in one cloud with a dense middle, of which HDBSCAN makes one area; after two steps what belongs
    together has contracted, and the areas are those that UMAP would show. With more neighbours than a region has rows,
    it would be drawn to another.
    """
    rows = units
    for _ in range(SHIFTS):
        nearest, _ = queries.nearest_rows(rows, rows, np.ones(len(rows), np.float32), count)
        rows = np.concatenate([
            unit_rows(rows[nearest[start : start + BLOCK_ROWS]].mean(axis=1, dtype=np.float64))
            for start in range(0, len(rows), BLOCK_ROWS)
        ])  # fmt: skip
    return rows


def dense_areas(places: Array, min_size: int) -> Numbers:
    """Number the dense areas of points by HDBSCAN, int32 [points]; -1 for noise.

    Source: Campello, Moulavi & Sander 2013; clusters by excess of mass. It is exact, and has no random choice. An area
    that holds nearly all points is the cloud that they lie in (a handful of odd ones is then the other area): where
    there are areas within it, these are taken.

    Parameters
    ----------
    places : float [points, dimensions]
    min_size : int
        The fewest points of an area, and the neighbours that say how dense a place is.
    """
    if len(places) < 2 * min_size:  # two areas are the fewest that it can tell apart
        return np.full(len(places), NONE, np.int32)
    exact, most = np.asarray(places, np.float64), int(CLOUD * len(places))
    areas = np.asarray(hdbscan()(min_cluster_size=min_size, copy=True).fit_predict(exact), np.int32)
    if sizes_of(areas, 1).max(initial=0) > most:
        within = hdbscan()(min_cluster_size=min_size, max_cluster_size=most, copy=True).fit_predict(exact)
        if within.max(initial=NONE) > areas.max():
            return np.asarray(within, np.int32)
    return areas


def middles(units: Array, areas: Numbers) -> NDArray[np.float32]:
    """The unit vector of each area's sum, float32 [areas, vector_size]."""
    count = int(areas.max(initial=NONE)) + 1
    sums = np.zeros((count, units.shape[1]))
    known = areas >= 0
    np.add.at(sums, areas[known], units[known])
    return unit_rows(sums)


def unit_rows(rows: Array) -> NDArray[np.float32]:
    return np.asarray(queries.unit_rows(rows, queries.row_norms(rows)), np.float32)


def hdbscan() -> Any:
    """scikit-learn's class; ImportError if it is not installed."""
    try:
        from sklearn.cluster import HDBSCAN
    except ImportError as error:
        raise ImportError("topics need scikit-learn; pip install 'w2v[topics]'") from error
    return HDBSCAN


def joined(areas: Numbers, vectors: Array, above: float) -> Numbers:
    """Areas under new numbers, where those whose topics have a cosine above a bound are one, also by way of others."""
    count = len(vectors)
    leader = np.arange(count)
    for one, other in zip(*np.nonzero(np.triu(vectors @ vectors.T > above, 1)), strict=True):
        leader[leader == leader[other]] = leader[one]
    _, numbers = np.unique(leader, return_inverse=True)
    return np.where(areas < 0, NONE, numbers[areas] if count else NONE).astype(np.int32)


def nearest_topics(units: Array, vectors: Array) -> tuple[Numbers, NDArray[np.float32]]:
    """The topic nearest to each document, and the cosine; -1 and 0 for documents of zeros, or where there is none."""
    if not len(vectors):
        return np.full(len(units), NONE, np.int32), np.zeros(len(units), np.float32)
    rows, cosines = queries.nearest_rows(units, vectors, np.ones(len(vectors), np.float32), 1)
    blank = ~units.any(axis=1)
    return np.where(blank, NONE, rows[:, 0]).astype(np.int32), np.where(blank, 0, cosines[:, 0]).astype(np.float32)


def topics_of(units: Array, areas: Numbers, merge_above: float = 1.0) -> Found:
    """Topics of the dense areas of documents, the one with most documents first, equal ones in the order of areas.

    Near ones are joined first (`joined`). A topic that is nearest to no document at all stays, and is empty.
    """
    areas = joined(areas, middles(units, areas), merge_above)
    vectors = middles(units, areas)
    nearest, _ = nearest_topics(units, vectors)
    order = np.argsort(-sizes_of(nearest, len(vectors)), kind="stable")
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order))
    vectors = vectors[order]
    areas = np.where(areas < 0, NONE, place[areas] if len(order) else NONE).astype(np.int32)
    return Found(vectors, areas, *nearest_topics(units, vectors))


def nearest_words(vectors: Array, words: KeyedVectors, count: int = LEADING) -> NDArray[np.int64]:
    """Rows of the words nearest to each topic, int64 [topics, count], best first."""
    return queries.nearest_rows(vectors, words.peek(), None, count)[0]


def sizes_of(nearest: Numbers, topics: int) -> NDArray[np.int64]:
    """Documents of each topic, int64 [topics]."""
    return np.bincount(nearest[nearest >= 0], minlength=topics).astype(np.int64)


def radii_of(units: Array, found: Found) -> NDArray[np.float32]:
    """The cosine that all but `OUTSIDE` of an area's documents reach with its topic, float32 [topics]."""
    radii = np.full(len(found.vectors), -1, np.float32)
    for topic, vector in enumerate(found.vectors):
        inside = units[found.areas == topic]
        if len(inside):
            radii[topic] = np.quantile(inside @ vector, OUTSIDE)
    return radii


def sharpness_of(units: Array, found: Found) -> float:
    """The s for which ``softmax(s * cosines)`` fits the areas best: its likelihood is the greatest.

    Source: Guo et al. 2017 (arXiv:1706.04599), temperature scaling; the likelihood has one maximum, which is found by
    golden-section search. So of documents that are 0.8 in a topic, about 80 % lie in its dense area, if they lie in
    any.
    """
    inside = np.flatnonzero(found.areas >= 0)
    if len(found.vectors) < 2 or not len(inside):
        return 1.0
    cosines = (units[inside] @ found.vectors.T).astype(np.float64)
    own = cosines[np.arange(len(inside)), found.areas[inside]]
    gaps = cosines - cosines.max(axis=1, keepdims=True)
    own = own - cosines.max(axis=1)

    def loss(sharpness: float) -> float:
        return float((np.log(np.exp(sharpness * gaps).sum(axis=1)) - sharpness * own).mean())

    low, high, golden = 0.0, SHARPEST, (5**0.5 - 1) / 2
    while high - low > 1e-3:
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return (low + high) / 2


def membership_in(units: Array, vectors: Array, sharpness: float) -> NDArray[np.float32]:
    """How much each document belongs to each topic, float32 [documents, topics]; a row without a vector is 0."""
    cosines = np.asarray(units @ vectors.T, np.float64) * sharpness
    if not cosines.size:
        return np.zeros((len(units), len(vectors)), np.float32)
    weights = np.exp(cosines - cosines.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    weights[~units.any(axis=1)] = 0
    return np.asarray(weights, np.float32)
