"""Topics: what documents are about, found as dense regions of their vectors, the same on every run.

documents ─▶ `finding`: Doc2Vec, inferred vectors ─▶ few dimensions ─▶ `clusters`: HDBSCAN, a unit vector per region
          ─▶ `Topics`: words, documents, membership; `tree`: what joins first; `agreement`, `again`: what comes back
          ─▶ `plots`, `charting`: figures, and the map

A topic's number is its place by size, from 0; -1 is none. Words, documents and topics are compared by one cosine.

>>> from w2v import Topics
>>> documents = [text.split() for text in ["river lake boat water fish", "bread flour oven dough yeast"]] * 40
>>> topics = Topics.fit(documents, vector_size=16, sample=0, min_size=10, epochs=20)
>>> len(topics), topics.sizes.tolist()
(2, [40, 40])
"""

from typing import TYPE_CHECKING

from w2v.common.public import on_first_use

if TYPE_CHECKING:
    from w2v.topics.agreement import Agreement
    from w2v.topics.finding import Options
    from w2v.topics.plots import draw_sizes, draw_stability, draw_tree, draw_words
    from w2v.topics.topics import Assigned, Topics
    from w2v.topics.tree import Tree

_HOME = {
    "Agreement": "agreement",
    "Assigned": "topics",
    "Options": "finding",
    "Topics": "topics",
    "Tree": "tree",
    "draw_sizes": "plots",
    "draw_stability": "plots",
    "draw_tree": "plots",
    "draw_words": "plots",
}

__all__ = [
    "Agreement",
    "Assigned",
    "Options",
    "Topics",
    "Tree",
    "draw_sizes",
    "draw_stability",
    "draw_tree",
    "draw_words",
]


__getattr__, __dir__ = on_first_use(__name__, _HOME)
