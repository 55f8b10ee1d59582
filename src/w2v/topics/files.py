"""The file of topics: that of their model, with a few arrays more (`w2v.files.documents`)."""

import os
from dataclasses import asdict
from typing import Any

import numpy as np

from w2v.files import native
from w2v.files.errors import FormatError
from w2v.files.reading import Pathlike
from w2v.models.doc2vec import Doc2Vec
from w2v.topics import clusters
from w2v.topics.agreement import Agreement
from w2v.topics.asking import Asking
from w2v.topics.finding import Options, units_of
from w2v.topics.tree import Tree
from w2v.training.trainable import Contents


def write(topics: Asking, path: Pathlike) -> None:
    """Write a model and its topics."""
    kind, words, arrays, meta = topics.model.contents()
    leaves = sum(map(len, topics.origins))
    origins = np.zeros(max(leaves, 1), np.int32)
    for number, members in enumerate(topics.origins):
        origins[members] = number
    own: dict[str, Any] = {
        "topics": topics.vectors,
        "topics.areas": topics.areas,
        "topics.base": topics.base,
        "topics.pairs": topics.tree.pairs,
        "topics.heights": topics.tree.heights,
        "topics.origins": origins,
    }
    about: dict[str, Any] = {"options": asdict(topics.options)}
    if topics.stability is not None:
        own |= {"topics.stable_words": topics.stability.words, "topics.stable_documents": topics.stability.documents}
        about |= {"runs": topics.stability.runs, "vary": topics.stability.vary}
    native.write_native(path, kind, words, {**arrays, **own}, {**meta, "topics": about})


def read(path: Pathlike) -> tuple[Any, ...]:
    """A model, and all that `Topics` is made of; FormatError if the file holds none or they do not fit together."""
    name = os.fspath(path)
    kind, words, arrays, meta = native.read_native(path)
    about = meta.pop("topics", None)
    own = {key: arrays.pop(key) for key in list(arrays) if key == "topics" or key.startswith("topics.")}
    if kind != Doc2Vec.kind or "topics" not in own or not isinstance(about, dict):
        raise FormatError(f"{name} holds no topics; w2v topics, or Topics.save, writes them")
    model = Doc2Vec.of_contents(name, Contents(kind, words, arrays, meta))
    try:
        options = Options(**about["options"]).checked_ranges()
        vectors, areas, base = own["topics"], own["topics.areas"], own["topics.base"]
        tree = Tree(own["topics.pairs"], own["topics.heights"])
        members, count = own["topics.origins"].tolist(), len(vectors)
        leaves = tree.leaves if count else 0
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
        sound = (
            np.all((np.abs(lengths - 1) < 1e-3) | (lengths == 0))
            and -1 <= areas.min(initial=-1) <= areas.max(initial=-1) < count
            and -1 <= base.min(initial=-1) <= base.max(initial=-1) < leaves
            and tree.is_sound()
            and (not count or set(members) == set(range(count)))
        )
        if not sound:
            raise ValueError("the numbers of topics do not fit together")
        stability = None
        if "topics.stable_words" in own:
            shares = (own["topics.stable_words"], own["topics.stable_documents"])
            stability = Agreement(*shares, int(about["runs"]), str(about["vary"]))
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(
            f"{name}: {error if isinstance(error, ValueError) else f'{error} is missing or odd'}"
        ) from error
    units = units_of(model)
    found = clusters.Found(vectors, areas, *clusters.nearest_topics(units, vectors))
    origins: list[list[int]] = [[] for _ in range(count)]
    for leaf in range(leaves):
        origins[members[leaf]].append(leaf)
    return model, found, options, tree, origins, base, stability
