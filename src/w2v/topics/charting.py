"""Topics, documents and words on one map."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.atlas.atlas import Atlas
from w2v.atlas.points import Colouring, Sheet, Space, unit_square
from w2v.common import checks
from w2v.topics import clusters
from w2v.topics.asking import Asking
from w2v.vectors import mapping, queries

Array = NDArray[Any]

WORDS = 2000


def chart(
    topics: Asking,
    titles: Sequence[str] | None = None,
    *,
    words: int = WORDS,
    layout: str | None = None,
    neighbors: int = mapping.NEIGHBORS,
    seed: int = 1,
    title: str = "Topics",
) -> Atlas:
    """Put topics, documents and words on a map.

    Documents are placed by their vectors. A topic lies in the middle of its dense region, and a word among the
    documents that are nearest to it, since words and documents have other company: placed together they would part.

    Parameters
    ----------
    topics : Topics
    titles : sequence of str [documents], optional
        What the documents are called; by default their numbers or tags.
    words : int, default 2000
        So many of the most frequent words, and the first words of every topic.
    layout : {"umap", "pca"}, optional
        As in `KeyedVectors.map`; PCA is then of documents that have moved to denser places, as in `Topics.fit`.
    neighbors : int, default 10
        Nearest words, documents and topics that the page tells of each point, exact, among those on the map.
    seed : int, default 1
    title : str

    Raises
    ------
    ValueError
        Not a title for each document, or no document with a vector.
    """
    rows = np.flatnonzero(topics.units.any(axis=1))
    if not len(rows):
        raise ValueError("no document has a vector to be placed by")
    names = _names(topics, titles, rows)
    way = mapping.check_layout(layout)
    checks.integer("neighbors", neighbors, 1, 100)
    documents = topics.units[rows]
    nearest = mapping.nearest_of(documents, neighbors)
    flat = clusters.shifted(documents, topics.options.size_for(len(topics.topics))) if way == "pca" else documents
    places = mapping.places_of(flat, nearest, way, seed, False)
    chosen = _words(topics, checks.integer("words", words, 0))
    word_units = clusters.unit_rows(topics.model.wv.peek()[chosen])
    where = [_among(word_units, documents, places), places, _middles(topics, rows, places)]
    units = np.concatenate([word_units, documents, topics.vectors])
    kinds = np.repeat([0, 1, 2], [len(part) for part in where])
    first = np.cumsum([0, *map(len, where)])
    spaces = [
        _space(f"nearest {what}", units, slice(first[kind], first[kind + 1]), neighbors)
        for kind, what in enumerate(("words", "documents", "topics"))
    ]
    labels = topics.names()
    of = np.concatenate([
        clusters.nearest_topics(word_units, topics.vectors)[0],
        topics.areas[rows],
        np.arange(len(labels), dtype=np.int32),
    ])  # fmt: skip
    near = np.concatenate([of[: first[1]], topics.topics[rows], of[first[2] :]])
    return Atlas(
        [*(topics.model.wv.index_to_key[row] for row in chosen), *names, *labels],
        [Sheet(title, unit_square(np.concatenate(where)), spaces)],
        weights=_weights(topics, kinds, first, chosen),
        kinds=kinds,
        colourings=[
            Colouring("topic", of, labels, "in no dense region"),
            Colouring("nearest topic", near, labels, "none"),
            *_more(topics, kinds, first, near),
        ],
        title=title,
        note=mapping.note_of(way, 0, 0),
    )


def _names(topics: Asking, titles: Sequence[str] | None, rows: Array) -> list[str]:
    if titles is None:
        tags = topics.tags
        return [tags[row] if isinstance(tags[row], str) else f"document {tags[row]}" for row in rows]
    if len(titles) != len(topics.topics):
        raise ValueError(f"{len(titles):,} titles for {len(topics.topics):,} documents; give one for each")
    return [str(titles[row]) for row in rows]


def _words(topics: Asking, most: int) -> list[int]:
    """Rows of the most frequent words and of the first of each topic."""
    of_topics = topics._leading_words().ravel().tolist()
    return sorted({*range(min(most, len(topics.model.wv))), *of_topics})


def _among(words: Array, documents: Array, places: Array) -> NDArray[np.float32]:
    """The middle of the places of the documents nearest to each word."""
    if not len(words):
        return np.zeros((0, 2), np.float32)
    near, _ = queries.nearest_rows(words, documents, np.ones(len(documents), np.float32), mapping.NEIGHBORS)
    return np.asarray(np.median(places[near], axis=1), np.float32)


def _middles(topics: Asking, rows: Array, places: Array) -> NDArray[np.float32]:
    of = topics.areas[rows]
    middles = np.zeros((len(topics), 2), np.float32)
    for topic in range(len(topics)):
        own = places[of == topic]
        middles[topic] = np.median(own, axis=0) if len(own) else 0
    return middles


def _space(name: str, units: Array, part: slice, count: int) -> Space:
    """The points of a kind nearest to every point, without itself; -1 where there are fewer."""
    answers = units[part]
    rows, cosines = np.full((len(units), count), -1, np.int64), np.zeros((len(units), count), np.float32)
    if len(answers):
        found, near = queries.nearest_rows(units, answers, np.ones(len(answers), np.float32), count + 1)
        found = found + part.start
        others = found != np.arange(len(units))[:, None]
        first = np.argsort(~others, axis=1, kind="stable")[:, :count]
        known = np.take_along_axis(others, first, 1)
        width = first.shape[1]
        rows[:, :width] = np.where(known, np.take_along_axis(found, first, 1), -1)
        cosines[:, :width] = np.where(known, np.take_along_axis(near, first, 1), 0)
    return Space(name, rows, cosines)


def _weights(topics: Asking, kinds: Array, first: Array, chosen: list[int]) -> NDArray[np.float64]:
    """Topics before words before documents; words by how near they are to a topic, and so not `the` first."""
    weights = np.zeros(len(kinds))
    weights[first[2] :] = 10 + topics.sizes / max(1, topics.sizes.max(initial=1))
    place = {row: number for number, row in enumerate(chosen)}
    for rank, rows in enumerate(topics._leading_words().T.tolist()):
        for row in rows:
            weights[place[row]] = max(weights[place[row]], 3 - rank / 10)
    units = clusters.unit_rows(topics.model.wv.peek()[chosen])
    plain = weights[: first[1]] == 0
    weights[: first[1]][plain] = 1 + clusters.nearest_topics(units, topics.vectors)[1][plain] / 2
    weights[first[1] : first[2]] = topics.cosines[topics.units.any(axis=1)] / 2
    return weights


def _more(topics: Asking, kinds: Array, first: Array, near: Array) -> list[Colouring]:
    """Sizes and stability of the topics that points belong to."""
    known = near >= 0
    found = []
    for name, values in (
        ("documents of the topic", topics.sizes),
        *(() if topics.stability is None else (("stability of the topic", topics.stability.documents),)),
    ):
        told = np.full(len(kinds), np.nan)
        if known.any():
            told[known] = values[near[known]]
        found.append(Colouring(name, told))
    return found
