"""From documents to dense areas: the model that gives them vectors, the few dimensions, the areas."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.atlas import layout
from w2v.common import checks
from w2v.files.reading import Pathlike
from w2v.models.doc2vec import Doc2Vec
from w2v.text.readers import TaggedDocument, TaggedLineDocument
from w2v.topics import clusters
from w2v.vectors import queries

Array = NDArray[Any]

# What a model of documents is trained with where the caller says nothing: words and documents in one space.
RECIPE: dict[str, Any] = {
    "vector_size": 300,
    "window": 15,
    "sample": 1e-5,
    "dm": 0,
    "dbow_words": 1,
    "epochs": 40,
    "deterministic": True,
}
# Settings that a model of another seed has in common with it.
KEPT = (
    *("vector_size", "window", "min_count", "sample", "negative", "hs", "ns_exponent", "alpha", "min_alpha", "epochs"),
    *("workers", "deterministic", "shared_negatives", "shrink_windows", "max_final_vocab", "dbow_words"),
)
# The bounds of `min_count` and `min_size`, and the documents for each of them. 50 is Top2Vec's; of regions of 15, its
# other bound, more are chance: benchmarks/topics.py.
RAREST, DOCUMENTS_PER_COUNT = (2, 50), 200
SMALLEST, DOCUMENTS_PER_SIZE = (3, 25), 40
# Dimensions: those in which documents are moved to denser places, and those in which areas are looked for.
SHIFTED_IN, OF_PCA, OF_UMAP = 50, 15, 5


@dataclass(frozen=True)
class Options:
    """How topics are looked for; see `Topics.fit`."""

    reduction: str = "umap"
    dimensions: int | None = None
    min_size: int | None = None
    merge_above: float = 0.9
    seed: int = 1

    def checked(self) -> "Options":
        """Raise for a value out of range, and for a package that is not there."""
        layout.check_way("reduction", self.reduction)
        return self.checked_ranges()

    def checked_ranges(self) -> "Options":
        """Raise for a value out of range."""
        checks.one_of("reduction", self.reduction, layout.WAYS)
        if self.dimensions is not None:
            checks.integer("dimensions", self.dimensions, 1, 1000)
        if self.min_size is not None:
            checks.integer("min_size", self.min_size, 2)
        checks.number("merge_above", self.merge_above, -1, 1)
        checks.integer("seed", self.seed, 0)
        return self

    def size_for(self, documents: int) -> int:
        """The fewest documents of a topic."""
        return self.min_size or int(np.clip(documents // DOCUMENTS_PER_SIZE, *SMALLEST))


class Documents:
    """Documents that can be read again and again, numbered from 0: a file of lines, or lists of words.

    Parameters
    ----------
    documents : iterable of lists of str, or of objects with `words`
        Kept as a list, if it is none.
    corpus_file : path
        One document in each line. One of the two is given.
    """

    def __init__(self, documents: Iterable[Any] | None, corpus_file: Pathlike | None) -> None:
        if (documents is None) == (corpus_file is None):
            raise TypeError("give documents or corpus_file, one of the two")
        if isinstance(documents, str | bytes):
            raise TypeError(f"documents={documents!r:.60} is a string; give a list of documents, each a list of words")
        self.corpus_file = corpus_file
        if documents is not None:
            documents = documents if isinstance(documents, list | tuple) else list(documents)
            for number, document in enumerate(documents):
                words = getattr(document, "words", document)
                if isinstance(words, str | bytes):
                    raise TypeError(f"document {number:,} is {words!r:.60}, a string, not a list of words; split it")
        self._lists = documents
        self.count = sum(1 for _ in self.tagged()) if documents is None else len(documents)

    def tagged(self) -> Iterator[TaggedDocument]:
        """Each document under its number."""
        if self._lists is None:
            yield from TaggedLineDocument(self.corpus_file)  # type: ignore[arg-type]
            return
        for number, document in enumerate(self._lists):
            yield TaggedDocument(getattr(document, "words", document), [number])

    def trained(self, settings: dict[str, Any]) -> Doc2Vec:
        """A model of these documents."""
        given = {"documents": self.tagged()} if self.corpus_file is None else {"corpus_file": self.corpus_file}
        return Doc2Vec(**given, **settings)


def settings_for(documents: int, given: dict[str, Any]) -> dict[str, Any]:
    """Settings of the model: the recipe, but for what is given."""
    rarest = int(np.clip(documents // DOCUMENTS_PER_COUNT, *RAREST))
    return RECIPE | {"min_count": rarest} | given


def with_inferred(model: Doc2Vec, documents: Documents) -> Doc2Vec:
    """The model with inferred vectors in place of the trained ones of its documents: those that `transform` finds, too.

    A trained vector and an inferred one of the same document differ, and what is far from its training would be
    compared with what is not.
    """
    found = model.infer_vectors(documents.tagged())
    model.dv.vectors[:] = found.vectors
    model.dv.fill_norms(force=True)
    return model


def units_of(model: Doc2Vec) -> NDArray[np.float32]:
    """The vectors of a model's documents at unit length; zeros for those without a word."""
    rows = clusters.unit_rows(model.dv.peek())
    if "word_count" in model.dv.expandos:
        rows[model.dv.expandos["word_count"] == 0] = 0
    return rows


def areas_in(units: Array, options: Options, progress: bool = False) -> clusters.Numbers:
    """The dense areas of documents, int32 [documents]; -1 for noise and for documents without a vector."""
    known = np.flatnonzero(units.any(axis=1))
    rows, size = units[known], options.size_for(len(units))
    areas = np.full(len(units), clusters.NONE, np.int32)
    if len(rows) < 2 * size:
        return areas
    if options.reduction == "pca":
        shifted = clusters.shifted(clusters.unit_rows(layout.pca(rows, SHIFTED_IN)), size)
        places = layout.pca(shifted, options.dimensions or OF_PCA)
    else:
        nearest = queries.nearest_rows(rows, rows, np.ones(len(rows), np.float32), layout.NEIGHBORS)
        places = layout.umap(
            rows, nearest, options.dimensions or OF_UMAP, seed=options.seed, tight=True, progress=progress
        )
    areas[known] = clusters.dense_areas(places, size)
    return areas
