"""Doc2Vec: vectors of documents, under gensim's names; the model is `Word2Vec` with rows for tags."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks, memory
from w2v.common.old_names import new_names_of, warn
from w2v.common.public import public
from w2v.files.reading import Pathlike
from w2v.models import documents as tagged
from w2v.models.building import Buildable
from w2v.models.extendable import OLD_CORPUS
from w2v.models.word2vec import Word2Vec
from w2v.tokens.encode import Scan
from w2v.tokens.tags import TagRows
from w2v.training import epoch, matrices
from w2v.training.settings import DocumentSettings, Settings
from w2v.training.trainable import Contents
from w2v.training.weights import DOCUMENTS, Weights
from w2v.vectors.keyed import KeyedVectors
from w2v.vocabulary.choose import TrimRule
from w2v.vocabulary.vocabulary import NULL_WORD

logger = logging.getLogger(__name__)

# gensim-3 names of parameters.
OLD_PARAMETERS = {"docvecs": "dv", "docvecs_mapfile": "dv_mapfile"}

# Bytes of a tag besides its vector, roughly: its entries in list and dict, and its counts.
BYTES_PER_TAG = 200

# Attributes of the tags that a file keeps.
ATTRIBUTES = ("doc_count", "word_count")


@public
class Doc2Vec(Word2Vec):
    """Train vectors of documents beside those of words (Le and Mikolov 2014, arXiv:1405.4053).

    Each tag of a document has a vector that helps to predict the document's words. In PV-DM it is averaged with those
    of the context words; in PV-DBOW it predicts each word alone.

    Parameters
    ----------
    documents : iterable of TaggedDocument, optional
        Or of any objects with `words` and `tags`. Read once, so a generator will do.
    corpus_file : path, optional
        A text file with a document in each line, tagged with the number of its line, from 0. Excludes `documents`.
    vector_size : int, default 100
    dm_mean : {0, 1}, optional
        Mean (1) or sum (0) of context and tags in PV-DM; by default `cbow_mean`, which is 1.
    dm : {0, 1}, default 1
        1 for PV-DM, 0 for PV-DBOW.
    dbow_words : {0, 1}, default 0
        1 trains words by skip-gram beside the tags of PV-DBOW; otherwise their vectors stay as they began.
    dm_concat : {0, 1}, default 0
        1 puts the vectors of tags and context side by side, in place of a mean: the output rows are
        ``dm_tag_count + 2 * window`` times as long. Windows do not shrink then, and places beyond the ends of a
        document have the vector of the null word.
    dm_tag_count : int, default 1
        The tags of each document under ``dm_concat=1``; a document of more or fewer is not trained.
    dv : KeyedVectors, optional
        Where to keep the vectors of the tags.
    dv_mapfile : path, optional
        Keep them in this file, which is mapped into memory: rows of 4-byte floats, each padded to a multiple of 16.
    comment, trim_rule, callbacks, window, shrink_windows
        As in `Word2Vec`.
    epochs : int, default 10
    **kwargs
        The other parameters of `Word2Vec`.

    Attributes
    ----------
    dv : KeyedVectors
        The vectors of the tags, with ``doc_count`` and ``word_count`` of each. An integer tag is the number of its row;
        texts have rows behind the largest integer.
    wv : KeyedVectors
        Those of the words.

    Notes
    -----
    No document is cut. A document with one known word learns; the tag of one without any keeps its first vector.

    Examples
    --------
    >>> documents = [TaggedDocument(["fast", "exact"], [0]), TaggedDocument(["exact", "vectors"], ["second"])] * 50
    >>> model = Doc2Vec(documents, vector_size=16, min_count=1, dm=0, workers=1)
    >>> model.dv[0].shape, model.dv["second"].shape
    ((16,), (16,))
    """

    kind = "doc2vec"
    settings_class = DocumentSettings
    of_documents = True
    old_corpus: ClassVar[dict[str, str]] = {**OLD_CORPUS, "documents": "corpus_iterable"}

    def __init__(
        self,
        documents: Iterable[Any] | None = None,
        corpus_file: Pathlike | None = None,
        vector_size: int = 100,
        dm_mean: int | None = None,
        dm: int = 1,
        dbow_words: int = 0,
        dm_concat: int = 0,
        dm_tag_count: int = 1,
        dv: KeyedVectors | None = None,
        dv_mapfile: Pathlike | None = None,
        comment: str | None = None,
        trim_rule: TrimRule | None = None,
        callbacks: Iterable[Any] = (),
        window: int = 5,
        epochs: int = 10,
        shrink_windows: bool = True,
        **kwargs: Any,
    ) -> None:
        old = {name: kwargs.pop(name) for name in list(kwargs) if name in OLD_PARAMETERS}
        new_names = new_names_of(OLD_PARAMETERS, old, type(self).__name__)
        self.dbow_words, self.dm_concat, self.dm_tag_count = dbow_words, dm_concat, dm_tag_count
        if dm_mean is not None:
            kwargs["cbow_mean"] = checks.one_of("dm_mean", dm_mean, (0, 1))
        if checks.one_of("dm", dm, (0, 1)) and checks.one_of("dm_concat", dm_concat, (0, 1)):
            kwargs["null_word"] = 1
        self._given_dv = new_names.get("dv", dv)
        self.dv_mapfile = new_names.get("dv_mapfile", dv_mapfile)
        super().__init__(
            documents,
            corpus_file,
            vector_size=vector_size,
            sg=1 - int(dm),
            comment=comment,
            trim_rule=trim_rule,
            callbacks=callbacks,
            window=window,
            epochs=epochs,
            shrink_windows=shrink_windows,
            **kwargs,
        )

    def _of_settings(self, settings: dict[str, Any]) -> None:
        own: dict[str, Any] = {
            name: settings[name] for name in ("dbow_words", "dm_concat", "dm_tag_count") if name in settings
        }
        self.__dict__.update({"dbow_words": 0, "dm_concat": 0, "dm_tag_count": 1, **own})
        self._given_dv = self.dv_mapfile = None
        Word2Vec.__init__(self, **{name: value for name, value in settings.items() if name not in own})

    def _start_empty(self) -> None:
        super()._start_empty()
        self.layer1_size = self._output_size()
        self.dv = KeyedVectors(self.vector_size) if self._given_dv is None else self._given_dv
        self._given_dv = None
        self.dv.vectors_lockf = np.ones(1, np.float32)
        self.dv.mapfile_path = self.dv_mapfile
        self._known_tags: TagRows | None = None

    def __str__(self) -> str:
        kind = ("dbow+w" if self.dbow_words else "dbow") if self.sg else f"dm/{'c' if self.dm_concat else ''}"
        if kind == "dm/":
            kind += "m" if self.cbow_mean else "s"
        parts = {
            f'"{self.comment}"': self.comment,
            kind: True,
            f"d{self.vector_size}": True,
            f"n{self.negative}": self.negative,
            "hs": self.hs,
            f"w{self.window}": not self.sg or self.dbow_words,
            f"mc{self.min_count}": self.min_count > 1,
            f"s{self.sample:g}": self.sample > 0,
            f"t{self.workers}": self.workers > 1,
        }
        return f"{type(self).__name__}<{','.join(part for part, shown in parts.items() if shown)}>"

    __repr__ = __str__

    # --- names of gensim ----------------------------------------------------------------------------------------

    @property
    def dm(self) -> bool:
        """Whether this is PV-DM."""
        return not self.sg

    @property
    def dbow(self) -> bool:
        """Whether this is PV-DBOW."""
        return bool(self.sg)

    @property
    def docvecs(self) -> KeyedVectors:
        """Old name of `dv`."""
        warn("docvecs", "dv")
        return self.dv

    @docvecs.setter
    def docvecs(self, vectors: KeyedVectors) -> None:
        warn("docvecs", "dv")
        self.dv = vectors

    def __getitem__(self, tag: Any) -> NDArray[np.float32]:
        """The vector of a word, or if there is no such word, of a tag; of a list of these, a row for each."""
        if isinstance(tag, str | int | np.integer):
            vector: NDArray[np.float32] = self.wv[tag] if tag in self.wv else self.dv[tag]
            return vector
        return np.stack([self[one] for one in tag])

    def estimated_lookup_memory(self) -> int:
        """Bytes that the tags take besides their vectors, roughly."""
        return BYTES_PER_TAG * len(self.dv)

    def save_word2vec_format(
        self,
        fname: Pathlike,
        doctag_vec: bool = False,
        word_vec: bool = True,
        prefix: str = "*dt_",
        fvocab: Pathlike | None = None,
        binary: bool = False,
    ) -> None:
        """Write the vectors of words, of tags or of both to a file that word2vec.c and many others can read.

        Parameters
        ----------
        fname : path
        doctag_vec, word_vec : bool
            Which vectors.
        prefix : str, default "*dt_"
            Put before every tag, so that none is taken for a word.
        fvocab : path, optional
            Where to write words with their counts; tags alone are written there with ``doc_count``.
        binary : bool, default False
        """
        if not doctag_vec and not word_vec:
            raise ValueError("doctag_vec=False and word_vec=False leave nothing to write")
        if word_vec:
            total = len(self.wv) + len(self.dv) if doctag_vec else None
            self.wv.save_word2vec_format(fname, fvocab, binary, total)
        if doctag_vec:
            self.dv.save_word2vec_format(
                fname,
                prefix=prefix,
                fvocab=None if word_vec else fvocab,
                binary=binary,
                write_header=not word_vec,
                append=word_vec,
                sort_attr="doc_count",
            )

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
        if self._is_concatenated():
            null_word = self.wv.key_to_index[NULL_WORD]
            options = {"side_tags": self.dm_tag_count, "null_word": null_word, "shrink": False, **options}
        return super().kernel(settings, **options)

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

    def _take_tags(self, scan: Scan, update: bool) -> None:
        assert scan.tags is not None
        known = self.tag_rows() if update else None
        keys = tagged.keys_for(scan.tags, known, self.vector_size)
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
        for name, found in zip(ATTRIBUTES, scan.tags.counted(self.tag_rows()), strict=True):
            former = counts.get(name, found[:0])
            found[: len(former)] += former
            self.dv.expandos[name] = found
        self.dv.vectors_lockf = locks

    def init_weights(self) -> None:
        """Start again: rows of words and tags from the seed, zero outputs."""
        super().init_weights()
        self.dv.vectors = matrices.first_vectors(len(self.dv), self.vector_size, self.seed, purpose=DOCUMENTS)
        self.dv.vector_size, self.dv.norms = self.vector_size, None
        self.dv.vectors_lockf = np.ones(1, np.float32)

    def update_weights(self) -> None:
        """Give new words and tags their rows, from the seed; every old one keeps its own."""
        super().update_weights()
        self._grow_documents()

    def _grow_documents(self) -> None:
        known, tags = len(self.dv.vectors), len(self.dv)
        if tags > known:
            grown = matrices.first_vectors(tags, self.vector_size, self.seed, known, DOCUMENTS)
            grown[:known] = self.dv.vectors
            self.dv.vectors, self.dv.norms = grown, None
        if len(self.dv.vectors_lockf) > 1:
            more = np.ones(tags - len(self.dv.vectors_lockf), np.float32)
            self.dv.vectors_lockf = np.concatenate([self.dv.vectors_lockf, more])

    def reset_from(self, other_model: "Buildable") -> None:
        """Take over the words and tags of another model, and start with new matrices."""
        if not isinstance(other_model, Doc2Vec):
            raise TypeError(f"other_model={other_model!r:.80} has no tags")
        keys, index = list(other_model.dv.index_to_key), dict(other_model.dv.key_to_index)
        counts = {name: values.copy() for name, values in other_model.dv.expandos.items()}
        super().reset_from(other_model)
        self.dv.take_over(keys, self.dv.vectors, counts)
        self.dv.key_to_index = index
        self.init_weights()

    def estimate_memory(self, vocab_size: int | None = None, report: dict[str, int] | None = None) -> dict[str, int]:
        """Tell how many bytes a model of these settings takes; see `Word2Vec.estimate_memory`.

        The tags there are count as ``doctag_lookup`` and ``doctag_syn0``.
        """
        report = {} if report is None else report
        report["doctag_lookup"] = self.estimated_lookup_memory()
        report["doctag_syn0"] = len(self.dv) * matrices.padded_size(self.vector_size) * 4
        return super().estimate_memory(vocab_size, report)

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

    def _take_arrays(self, contents: Contents) -> None:
        arrays = contents.arrays
        vectors = arrays.get("documents", np.zeros((0, self.vector_size), np.float32))
        start = "documents.attr."
        attributes = {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
        keys = tagged.keys_of(arrays, len(vectors))
        self.dv.take_over(keys, vectors, attributes)
        self.dv.key_to_index = tagged.index_of(keys)
        super()._take_arrays(contents)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_known_tags": None}
