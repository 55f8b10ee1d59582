"""An index for vocabularies that are too large to search exactly: approximate neighbours, with their recall measured.

It needs usearch, which comes with ``w2v[index]``.
"""

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.common.public import public
from w2v.files.reading import Pathlike
from w2v.files.writing import atomic_write
from w2v.vectors import queries
from w2v.vectors.keyed import KeyedVectors
from w2v.vectors.lookup import Array

# Words of which the recall is measured, and how many neighbours of each.
SAMPLE = 200
NEAREST = 10


@public
class SearchIndex:
    """A graph over unit vectors (HNSW; Malkov & Yashunin 2020, TPAMI) for ``most_similar(..., indexer=index)``.

    It holds a copy of the vectors as they are now, and knows no vectors that are added or trained later.

    Parameters
    ----------
    vectors : KeyedVectors
    expansion : int, default 64
        How many candidates a search keeps: more find more of the true neighbours, and take longer.
    threads : int, default 0
        To build it; 0 for all cores. With several, the graph differs a little from run to run.
    seed : int, default 1
        Of the words that `recall` is measured on.

    Attributes
    ----------
    recall : float
        The share of the 10 nearest words that the index finds, over 200 random words, compared with exact search.

    Raises
    ------
    ImportError
        usearch is not installed.

    Examples
    --------
    >>> index = SearchIndex(model.wv)  # doctest: +SKIP
    >>> index.recall  # doctest: +SKIP
    0.97
    >>> model.wv.most_similar("river", indexer=index)  # doctest: +SKIP
    """

    def __init__(self, vectors: KeyedVectors, expansion: int = 64, threads: int = 0, seed: int = 1) -> None:
        checks.integer("expansion", expansion, 1)
        checks.integer("threads", threads, 0)
        if len(vectors) < 2:
            raise ValueError(f"{len(vectors)} words have no neighbours to look for")
        try:
            from usearch.index import Index
        except ImportError as error:
            raise ImportError("an index needs usearch; pip install 'w2v[index]'") from error
        self.index_to_key = list(vectors.index_to_key)
        self._units = vectors.get_normed_vectors().astype(np.float32, copy=False)
        self._index = Index(
            ndim=vectors.vector_size, metric="ip", dtype="f32", expansion_add=128, expansion_search=expansion
        )
        self._index.add(np.arange(len(vectors)), self._units, threads=threads)
        self.recall = self._measured_recall(seed)

    def __repr__(self) -> str:
        return f"SearchIndex<{len(self.index_to_key):,} words, recall@{NEAREST} {self.recall:.3f}>"

    def save(self, path: Pathlike) -> None:
        """Write the graph as a file that usearch opens (``Index.restore(path)``), and the words beside it.

        The key of a vector is its row; line n of ``path + ".words.txt"`` has the word of row n, from 0, as a JSON str.
        """
        name = os.fspath(path)
        with atomic_write(name) as file:
            file.write(self._index.save() or b"")
        with atomic_write(name + ".words.txt") as file:
            file.writelines(json.dumps(str(key), ensure_ascii=False).encode() + b"\n" for key in self.index_to_key)

    def most_similar(self, vector: Array, num_neighbors: int = 10) -> list[tuple[Any, float]]:
        """Find words near to a vector, the nearest first, with exact cosines; a word's own vector finds the word."""
        query = queries.unit(vector)
        [found] = self.search(query[None], checks.integer("num_neighbors", num_neighbors, 1))
        cosines = np.clip(self._units[found] @ query, -1, 1)
        order = np.lexsort((found, -cosines)).tolist()
        return [(self.index_to_key[found[i]], float(cosines[i])) for i in order]

    def search(self, units: Array, count: int) -> list[NDArray[np.int64]]:
        """Rows near to each of some unit vectors, `count` for each or as many as the graph gives."""
        matches: Any = self._index.search(np.asarray(units, np.float32), min(count, len(self.index_to_key)))
        if len(units) == 1:  # usearch then leaves out an axis
            return [matches.keys.astype(np.int64)]
        return [keys[:n].astype(np.int64) for keys, n in zip(matches.keys, matches.counts, strict=True)]

    def _measured_recall(self, seed: int) -> float:
        words, count = len(self.index_to_key), min(NEAREST, len(self.index_to_key) - 1)
        sample: Sequence[int] = np.random.default_rng(seed).permutation(words)[:SAMPLE].tolist()
        units = self._units[sample]
        exact, _ = queries.nearest_rows(units, self._units, None, count + 1)
        hits = [
            len(np.intersect1d(one, other)) for one, other in zip(exact, self.search(units, count + 1), strict=True)
        ]
        return (sum(hits) - len(hits)) / (count * len(hits))  # the word itself is no neighbour
