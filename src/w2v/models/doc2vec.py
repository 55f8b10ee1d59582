"""Doc2Vec: vectors of documents, under gensim's names; the model is `Word2Vec` with rows for tags."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from w2v import callbacks as hooks
from w2v.common import checks, memory
from w2v.common.old_names import new_names_of, warn
from w2v.common.public import public
from w2v.files.reading import Pathlike
from w2v.models import documents as tagged
from w2v.models import inference
from w2v.models.building import Buildable
from w2v.models.extendable import OLD_CORPUS
from w2v.models.word2vec import Word2Vec
from w2v.text.corpus import Corpus
from w2v.tokens.encode import Encoded, Scan
from w2v.tokens.tags import TagRows
from w2v.training import epoch, matrices, session
from w2v.training.settings import DocumentSettings, Settings
from w2v.training.trainable import Contents, Parts
from w2v.training.weights import DOCUMENTS, Weights
from w2v.vectors import queries
from w2v.vectors.keyed import KeyedVectors
from w2v.vectors.lookup import check_list
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
        self.dv = tagged.DocumentVectors(self.vector_size) if self._given_dv is None else self._given_dv
        self._given_dv = None
        self.dv.vectors_lockf = np.ones(1, np.float32)
        self.dv.mapfile_path = self.dv_mapfile
        self._known_tags: TagRows | None = None
        self._said_of: Encoded | None = None  # that documents of it have too many tags, or too few
        self._learns_tags_from: int | None = None  # while only these tags learn
        self._inferring: tuple[Any, tuple[Any, ...], epoch.Kernel] | None = None

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
        if (first := self._learns_tags_from) is not None:
            locks = np.ones(len(self.dv), np.float32)
            locks[:first] = 0
            frozen = {"learn_words": False, "learn_outputs": False, "document_locks": locks, "words": not self.sg}
            options = {**options, **frozen}
        if self._is_concatenated():
            null_word = self.wv.key_to_index[NULL_WORD]
            options = {"side_tags": self.dm_tag_count, "null_word": null_word, "shrink": False, **options}
        return super().kernel(settings, **options)

    def parts(self, corpus: Corpus, settings: Settings) -> Parts:
        """The corpus as integers."""
        parts = super().parts(corpus, settings)
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

    # --- inference ----------------------------------------------------------------------------------------------

    def infer_vector(
        self,
        doc_words: Sequence[str],
        alpha: float | None = None,
        min_alpha: float | None = None,
        epochs: int | None = None,
        **old_names: Any,
    ) -> NDArray[np.float32]:
        """Infer the vector of one document, float32 [vector_size]; see `infer_vectors`.

        The same words give the same vector in every process and after any number of calls. A document without a known
        word has the zero vector.

        Parameters
        ----------
        doc_words : list of str
            Words that the model does not know are left out.
        alpha, min_alpha : float, optional
            Learning rates of the first and of the last epoch; by default those of the model.
        epochs : int, optional
            By default those of the model.
        """
        new_names = new_names_of({"steps": "epochs"}, old_names, "infer_vector")
        plan = inference.Plan.of(self, new_names.get("epochs", epochs), alpha, min_alpha, None)
        words, index = check_list("doc_words", doc_words), self.wv.key_to_index
        rows = np.array([index[word] for word in words if word in index], np.int32)
        kernel = self._inference()
        kernel.check_tokens(rows)
        return inference.infer_one(kernel, rows, plan, self.wv.vector_size, self.seed)

    def infer_vectors(
        self,
        documents: Iterable[Any],
        *,
        epochs: int | None = None,
        alpha: float | None = None,
        min_alpha: float | None = None,
        workers: int | None = None,
        tol: float | None = None,
        restarts: int | None = None,
    ) -> inference.Inferred:
        """Infer the vectors of documents, as if each were the only new document in training; nothing else changes.

        A vector is a function of the model, its `seed`, the document's known words, `epochs` and the learning rates
        alone: the same bytes for any number of workers, in any batch and order, on every machine. As in training,
        frequent words are subsampled, anew in every epoch.

        Parameters
        ----------
        documents : iterable of lists of str, or of objects with `words` such as TaggedDocument
            Read once.
        epochs : int, optional
            By default those of the model.
        alpha, min_alpha : float, optional
            Learning rates of the first and of the last epoch, which lie on a line; by default those of the model.
        workers : int, optional
            Threads; by default those of the model, -1 means one per core.
        tol : float, optional
            End a document with the epoch that moves its vector by at most this share of its length.
        restarts : int, optional
            Infer each document from so many starts, and tell how much the results differ. The vectors are those of the
            first start, which is the usual one.

        Returns
        -------
        Inferred
            ``vectors`` float32 [documents, vector_size], ``unknown``, ``epochs`` and ``spread``.

        Raises
        ------
        TypeError
            A document is a string.
        RuntimeError
            The model has no words yet, or it has ``dm_concat=1`` with several tags for each document.

        Notes
        -----
        Inference of PV is Le and Mikolov 2014, section 2.3.
        """
        plan = inference.Plan.of(self, epochs, alpha, min_alpha, tol)
        crew = self.workers if workers is None else checks.worker_number(workers)
        starts = 1 if restarts is None else checks.integer("restarts", restarts, 1, 10_000)
        if isinstance(documents, str | bytes):
            raise TypeError(f"documents={documents!r:.60} is a string; give a list of documents, each a list of words")
        return inference.infer(self, self._inference(), documents, plan, crew, starts)

    def _inference(self) -> epoch.Kernel:
        """A kernel that changes nothing, kept as long as matrices, words and settings are the same."""
        settings, known = self.settings(), self._inferring
        parts = (self.wv.peek(), self.syn1neg, self.syn1, self.wv.key_to_index, self.wv.expandos.get("count"))
        if known is None or known[0] != settings or any(a is not b for a, b in zip(known[1], parts, strict=True)):
            if not len(self.wv):
                raise RuntimeError("there are no words to infer from; call build_vocab and train first")
            kernel = inference.new_kernel(self, settings)
            parts = (self.wv.peek(), self.syn1neg, self.syn1, *parts[3:])  # they may be padded now
            known = self._inferring = settings, parts, kernel
        return known[2]

    def similarity_unseen_docs(
        self,
        doc_words1: Sequence[str],
        doc_words2: Sequence[str],
        alpha: float | None = None,
        min_alpha: float | None = None,
        epochs: int | None = None,
    ) -> np.float32:
        """Cosine of the vectors that `infer_vector` gives two documents; 0 if one has no known word."""
        one, other = (self.infer_vector(words, alpha, min_alpha, epochs) for words in (doc_words1, doc_words2))
        return np.float32(np.clip(queries.unit(one) @ queries.unit(other), -1, 1))

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

    def add_documents(
        self,
        documents: Iterable[Any] | None = None,
        corpus_file: Pathlike | None = None,
        *,
        epochs: int | None = None,
        start_alpha: float | None = None,
        end_alpha: float | None = None,
        learn_old_tags: bool = False,
        callbacks: Iterable[Any] = (),
    ) -> tuple[int, int]:
        """Give the new tags of documents their vectors, and train these alone: words, and other tags, stay as they are.

        ``build_vocab(documents, update=True)`` and `train` would learn new words, too, and move the old vectors.

        Parameters
        ----------
        documents, corpus_file
            As in the constructor. Words that the model does not know are left out.
        epochs, start_alpha, end_alpha : optional
            By default those of the model, which keeps its own.
        learn_old_tags : bool, default False
            Also train the tags of these documents that had a vector before.
        callbacks : iterable

        Returns
        -------
        trained_words, raw_words : int
            As of `train`.
        """
        corpus = Corpus.from_arguments(documents, corpus_file)
        self._check_update(True)
        plan = inference.Plan.of(self, epochs, start_alpha, end_alpha, None)
        callbacks, known = hooks.checked(callbacks), len(self.dv)
        own = self.corpus_count, self.corpus_total_words, self.epochs, self.alpha, self.min_alpha
        with self.activity.only("build_vocab"), self._all_or_nothing():
            self._at_once = True
            self.scan_vocab(documents, corpus_file)
            assert self._scan is not None
            (identity, scan), self._scan, self._at_once = self._scan, None, False
            self.record_digests()
            self.tokens.drop()
            self._take_tags(scan, True)
            self._grow_documents()
            if self.cache != "none":
                index = self.wv.key_to_index
                self.tokens.hold(identity, index, scan.encode(index, self.tag_rows()))
        try:
            self.epochs, self.alpha, self.min_alpha = plan.epochs, plan.alpha, plan.min_alpha
            self._learns_tags_from = 0 if learn_old_tags else known
            with self.activity.only("train"):
                return session.train(self, corpus, callbacks)
        finally:
            self._learns_tags_from = None
            self.corpus_count, self.corpus_total_words, self.epochs, self.alpha, self.min_alpha = own
            if self.runs:
                self.runs[-1]["repeatable"] = False  # by the settings alone

    def delete_documents(self, tags: Iterable[str | int]) -> None:
        """Forget tags and their vectors; all others keep theirs.

        Rows move up, so that an integer tag behind a deleted one is no longer the number of its row; it is found all
        the same.

        Raises
        ------
        KeyError
            A tag that is not known. Nothing is deleted then.
        """
        rows = self.dv.rows_of(check_list("tags", tags))
        left = np.ones(len(self.dv), bool)
        left[rows] = False
        kept = np.flatnonzero(left)
        keys = [self.dv.index_to_key[row] for row in kept.tolist()]
        vectors = matrices.new_matrix(len(kept), self.vector_size)
        if self.dv_mapfile is not None:
            vectors = matrices.mapped_matrix(self.dv_mapfile, len(kept), self.vector_size)
        np.take(self.dv.vectors, kept, axis=0, out=vectors)
        self.dv.allocate_vecattrs()
        counts = {name: values[kept] for name, values in self.dv.expandos.items()}
        locks = self.dv.vectors_lockf
        self.record_digests()
        self.tokens.drop()  # its tags are rows
        self.dv.take_over(keys, vectors, counts)
        self.dv.key_to_index = tagged.index_of(keys)
        self.dv.vectors_lockf = locks if len(locks) == 1 else locks[kept]

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

    def take_contents(self, contents: Contents) -> None:
        """Become the model whose `contents` these are."""
        if contents.kind != self.kind:
            raise ValueError(f"it is a model of the kind {contents.kind!r}, not of documents")
        super().take_contents(contents)

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
        return {**super().__getstate__(), "_known_tags": None, "_inferring": None, "_said_of": None}
