"""Topics looked for again: in samples of the documents, or in models of other seeds."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.models.doc2vec import Doc2Vec
from w2v.topics import agreement, clusters, finding
from w2v.topics.agreement import Agreement

Array = NDArray[Any]
Words = Callable[[Array], NDArray[np.int64]]


def bootstrap(
    units: Array, topics: Array, leading: Array, words: Words, options: finding.Options, runs: int, bar: Any
) -> Agreement:
    """Look in the distinct documents of bootstrap samples; all documents then go to the nearest topic."""
    tries = []
    for run in range(runs):
        draw = np.random.default_rng(np.random.SeedSequence(options.seed, spawn_key=(run,)))
        rows = np.unique(draw.integers(0, len(units), len(units)))
        found = found_in(units[rows], options)
        tries.append((clusters.nearest_topics(units, found)[0], words(found)))
        bar.update()
    return _agreement(topics, leading, tries, "bootstrap")


def seeds(
    units: Array,
    topics: Array,
    leading: Array,
    model: Doc2Vec,
    documents: finding.Documents,
    options: finding.Options,
    runs: int,
    bar: Any,
) -> Agreement:
    """Train with other seeds and look in the vectors of these models."""
    if documents.count != len(units):
        raise ValueError(f"{documents.count:,} documents are not the {len(units):,} that the topics were found in")
    settings = {name: getattr(model, name) for name in finding.KEPT} | {"dm": int(model.dm)}
    index, tries = model.wv.key_to_index, []
    for run in range(runs):
        other = documents.trained(settings | {"seed": options.seed + 1 + run, "progress": False})
        finding.with_inferred(other, documents)
        own = finding.units_of(other)
        vectors = found_in(own, replace(options, seed=options.seed + 1 + run))
        rows = clusters.nearest_words(vectors, other.wv)
        names = np.array([index.get(word, -1) for word in other.wv.index_to_key], np.int64)
        tries.append((clusters.nearest_topics(own, vectors)[0], names[rows]))
        bar.update()
    return _agreement(topics, leading, tries, "seed")


def found_in(units: Array, options: finding.Options) -> NDArray[np.float32]:
    return clusters.topics_of(units, finding.areas_in(units, options), options.merge_above).vectors


def _agreement(topics: Array, leading: Array, tries: list[tuple[Array, Array]], vary: str) -> Agreement:
    words, documents = np.zeros((2, len(tries), len(leading)))
    for run, (others, other_words) in enumerate(tries):
        partners, documents[run] = agreement.matched(topics, others, len(leading), len(other_words))
        words[run] = agreement.words_shared(leading, other_words, partners)
    mean_words, mean_documents = words.mean(axis=0), documents.mean(axis=0)
    return Agreement(mean_words.astype(np.float32), mean_documents.astype(np.float32), len(tries), vary)
