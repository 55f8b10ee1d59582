"""The parts of a model that has rows for tags: its matrices, how they are made, what a file holds of them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from w2v.common import memory
from w2v.files.arrays import attributes_in
from w2v.files.reading import Pathlike
from w2v.models import documents as tagged
from w2v.models.building import Buildable
from w2v.models.extendable import OLD_CORPUS
from w2v.models.word2vec import Word2Vec
from w2v.text.corpus import Corpus
from w2v.tokens.encode import Encoded, Scan
from w2v.tokens.tags import NotedTags, TagRows
from w2v.training import epoch, matrices
from w2v.training.settings import DocumentSettings, Settings
from w2v.training.trainable import Contents, Parts
from w2v.training.weights import DOCUMENTS, Weights
from w2v.vectors.keyed import KeyedVectors
from w2v.vocabulary.vocabulary import NULL_WORD

logger = logging.getLogger(__name__)

# Bytes of a tag besides its vector, roughly: its entries in list and dict, and its counts.
BYTES_PER_TAG = 200

# Attributes of the tags that a file keeps.
ATTRIBUTES = ("doc_count", "word_count")


class Tagged(Word2Vec):
    """A model of words and tags: the steps of building, training and keeping that tags add to those of words."""

    kind = "doc2vec"
    settings_class = DocumentSettings
    of_documents = True
    old_corpus: ClassVar[dict[str, str]] = {**OLD_CORPUS, "documents": "corpus_iterable"}

    dbow_words: int
    dm_concat: int
    dm_tag_count: int
    dv: KeyedVectors
    dv_mapfile: Pathlike | None
    _given_dv: KeyedVectors | None

    def _start_empty(self) -> None:
        super()._start_empty()
        self.layer1_size = self._output_size()
        self.dv = tagged.DocumentVectors(self.vector_size) if self._given_dv is None else self._given_dv
        self._given_dv = None
        self.dv.vectors_lockf = np.ones(1, np.float32)
        self.dv.mapfile_path = self.dv_mapfile
        self._known_tags: TagRows | None = None
        self._said_of: Encoded | None = None  # that documents of it have too many tags, or too few
        self._learns_tags_from: int | None = None  # while only these tags learn
        self._inferring: dict[str, tuple[Any, tuple[Any, ...], epoch.Kernel]] = {}  # on each device

    # --- the parts that a session works on ----------------------------------------------------------------------

    def _output_size(self) -> int:
        return self.vector_size * (self.dm_tag_count + 2 * self.window if self._is_concatenated() else 1)

    def _is_concatenated(self) -> bool:
        return bool(self.dm_concat and not self.sg)

    @property
    def weights(self) -> Weights:
        """The matrices, from where gensim keeps them."""
        of_tags = self.dv.vectors if len(self.dv) else None
        of_words: Weights = Buildable.weights.fget(self)  # type: ignore[attr-defined]
        return replace(of_words, documents=of_tags, document_locks=self.dv.vectors_lockf)

    @weights.setter
    def weights(self, weights: Weights) -> None:
        Buildable.weights.fset(self, weights)  # type: ignore[attr-defined]
        if weights.documents is not None:
            self.dv.vectors, self.dv.norms = weights.documents, None
            self.dv.vector_size = weights.documents.shape[1]
            self.dv.vectors_lockf = weights.document_locks

    def tag_rows(self) -> TagRows:
        """The rows of the tags."""
        keys, index, known = self.dv.index_to_key, self.dv.key_to_index, self._known_tags
        if known is None or known.keys is not keys or known.index is not index or len(known.own) != len(keys):
            known = self._known_tags = TagRows(keys, index)
        return known

    def kernel(self, settings: Settings, **options: Any) -> epoch.Kernel:
        """What trains the matrices; see `Trainable.kernel`."""
        if self.sg and not self.dbow_words:
            options = {"words": False, **options}
            if not len(self.dv) and "documents" not in options:
                raise RuntimeError("there are no tags to train; call build_vocab with documents first")
        if (first := self._learns_tags_from) is not None:
            locks = np.ones(len(self.dv), np.float32)
            locks[:first] = 0
            frozen = {"learn_words": False, "learn_outputs": False, "document_locks": locks, "words": not self.sg}
            options = {**options, **frozen}
        if self._is_concatenated():
            null_word = self.wv.key_to_index[NULL_WORD]
            options = {"side_tags": self.dm_tag_count, "null_word": null_word, "shrink": False, **options}
        return super().kernel(settings, **options)

    def parts(self, corpus: Corpus, settings: Settings, meanwhile: bool = False) -> Parts:
        """The corpus as integers."""
        parts = super().parts(corpus, settings, meanwhile)
        if self._is_concatenated() and parts.whole:
            [encoded] = parts.encoded
            others = 0 if encoded.tags is None else int((np.diff(encoded.tags.offsets) != self.dm_tag_count).sum())
            if others and self._said_of is not encoded:
                self._said_of = encoded
                logger.warning(
                    "%s of %s documents do not have dm_tag_count=%d tags, and are not trained",
                    f"{others:,}",
                    f"{len(encoded.offsets) - 1:,}",
                    self.dm_tag_count,
                )
        return parts

    @contextmanager
    def rows_change(self) -> Iterator[None]:
        """Let queries know that norms and rows may belong to different moments."""
        try:
            with super().rows_change():
                yield
        finally:
            self.dv.norms = None

    # --- building -----------------------------------------------------------------------------------------------

    def _more_parts(self) -> tuple[Any, ...]:
        return (self.dv,)

    def number_documents(self, lengths: NDArray[np.int64]) -> None:
        """Let the tags be the numbers from 0 on of documents of so many words."""
        noted = NotedTags()
        noted.note_lines(len(lengths))
        noted.keep(lengths)
        self._take_noted(noted, False)

    def _take_tags(self, scan: Scan, update: bool) -> None:
        assert scan.tags is not None
        self._take_noted(scan.tags, update)

    def _take_noted(self, noted: NotedTags, update: bool) -> None:
        known = self.tag_rows() if update else None
        keys = tagged.keys_for(noted, known, self.vector_size)
        if self.dv_mapfile is None:
            memory.check(
                len(keys) * (matrices.padded_size(self.vector_size) * 4 + BYTES_PER_TAG),
                f"{len(keys):,} tags with vectors of {self.vector_size:,} numbers",
                "give dv_mapfile, which keeps them in a file, or lower vector_size",
            )
        counts = {name: self.dv.expandos[name] for name in ATTRIBUTES if update and name in self.dv.expandos}
        vectors, locks = self.dv.vectors, self.dv.vectors_lockf
        self.dv.take_over(keys, vectors, None)
        self.dv.key_to_index = tagged.index_of(keys)
        for name, found in zip(ATTRIBUTES, noted.counted(self.tag_rows()), strict=True):
            former = counts.get(name, found[:0])
            found[: len(former)] += former
            self.dv.expandos[name] = found
        self.dv.vectors_lockf = locks

    def init_weights(self) -> None:
        """Start again: rows of words and tags from the seed, zero outputs."""
        super().init_weights()
        self.dv.vectors = self._first_vectors(0)
        self.dv.vector_size, self.dv.norms = self.vector_size, None
        self.dv.vectors_lockf = np.ones(1, np.float32)

    def update_weights(self) -> None:
        """Give new words and tags their rows, from the seed; every old one keeps its own."""
        super().update_weights()
        self._grow_documents()

    def _grow_documents(self) -> None:
        known, tags = len(self.dv.vectors), len(self.dv)
        if tags > known:
            grown = self._first_vectors(known)
            grown[:known] = self.dv.vectors
            self.dv.vectors, self.dv.norms = grown, None
        if len(self.dv.vectors_lockf) > 1:
            more = np.ones(tags - len(self.dv.vectors_lockf), np.float32)
            self.dv.vectors_lockf = np.concatenate([self.dv.vectors_lockf, more])

    def _first_vectors(self, first_row: int) -> NDArray[np.float32]:
        return matrices.first_vectors(len(self.dv), self.vector_size, self.seed, first_row, DOCUMENTS, self.dv_mapfile)

    def reset_from(self, other_model: "Buildable") -> None:
        """Take over the words and tags of another model, and start with new matrices."""
        if not isinstance(other_model, Tagged):
            raise TypeError(f"other_model={other_model!r:.80} has no tags")
        keys, index = list(other_model.dv.index_to_key), dict(other_model.dv.key_to_index)
        counts = {name: values.copy() for name, values in other_model.dv.expandos.items()}
        super().reset_from(other_model)
        self.dv.take_over(keys, self.dv.vectors, counts)
        self.dv.key_to_index = index
        self.init_weights()

    def _check_matrices(self, settings: Settings) -> None:
        super()._check_matrices(settings)
        due = len(self.dv), settings.vector_size
        if len(self.dv) and self.dv.vectors.shape != due:
            raise RuntimeError(
                f"model.dv.vectors is of shape {self.dv.vectors.shape}, but {due[0]:,} tags need {due}; was a tag "
                "added or dv replaced? build_vocab(..., update=True) adds tags, and model.dv.save keeps the vectors"
            )

    # --- files --------------------------------------------------------------------------------------------------

    def tags_digest(self) -> str:
        return tagged.digest_of(self.dv.index_to_key)

    def contents(self) -> Contents:
        """What a file of this model holds; see `Trainable.contents`."""
        found = super().contents()
        if len(self.dv):
            found.arrays.update(tagged.as_arrays(self.dv.index_to_key))
            self.dv.allocate_vecattrs()
            found.arrays.update({f"documents.attr.{name}": values for name, values in self.dv.expandos.items()})
        return found

    def take_contents(self, contents: Contents) -> None:
        """Become the model whose `contents` these are."""
        if contents.kind != self.kind:
            raise ValueError(f"it is a model of the kind {contents.kind!r}, not of documents")
        super().take_contents(contents)

    def _take_arrays(self, contents: Contents) -> None:
        arrays = contents.arrays
        vectors = arrays.get("documents", np.zeros((0, self.vector_size), np.float32))
        attributes = attributes_in(arrays, "documents.attr.")
        keys = tagged.keys_of(arrays, len(vectors))
        self.dv.take_over(keys, vectors, attributes)
        self.dv.key_to_index = tagged.index_of(keys)
        super()._take_arrays(contents)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_known_tags": None, "_inferring": {}, "_said_of": None}
