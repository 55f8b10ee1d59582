"""Doc2Vec: vectors of documents, under gensim's names; the model is `Word2Vec` with rows for tags."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.common.old_names import new_names_of, warn
from w2v.common.public import public
from w2v.files.reading import Pathlike
from w2v.models import inference
from w2v.models.growth import Growing
from w2v.models.tagged import BYTES_PER_TAG
from w2v.models.word2vec import Word2Vec
from w2v.training import epoch, matrices
from w2v.vectors import queries
from w2v.vectors.keyed import KeyedVectors
from w2v.vectors.lookup import check_list
from w2v.vocabulary.choose import TrimRule

logger = logging.getLogger(__name__)

# gensim-3 names of parameters.
OLD_PARAMETERS = {"docvecs": "dv", "docvecs_mapfile": "dv_mapfile"}


@public
class Doc2Vec(Growing):
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
    >>> from w2v import Doc2Vec, TaggedDocument
    >>> documents = [TaggedDocument(["fast", "exact"], [0]), TaggedDocument(["exact", "vectors"], ["second"])] * 50
    >>> model = Doc2Vec(documents, vector_size=16, min_count=1, dm=0, workers=1)
    >>> model.dv[0].shape, model.dv["second"].shape
    ((16,), (16,))
    """

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
        prefix : str, default ``"*dt_"``
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

    def estimate_memory(self, vocab_size: int | None = None, report: dict[str, int] | None = None) -> dict[str, int]:
        """Tell how many bytes a model of these settings takes; see `Word2Vec.estimate_memory`.

        The tags there are count as ``doctag_lookup`` and ``doctag_syn0``.
        """
        report = {} if report is None else report
        report["doctag_lookup"] = self.estimated_lookup_memory()
        report["doctag_syn0"] = len(self.dv) * matrices.padded_size(self.vector_size) * 4
        return super().estimate_memory(vocab_size, report)

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
        kernel = self._inference("cpu")
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
        frequent words are subsampled, anew in every epoch. With ``device="cuda"`` documents are inferred on a GPU,
        thousands at a time: the same draws, and other roundings.

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
        return inference.infer(self, self._inference(self.device), documents, plan, crew, starts)

    def _inference(self, device: str) -> epoch.Kernel:
        """A kernel that changes nothing, kept as long as matrices, words and settings are the same."""
        settings = replace(self.settings(), device="cuda" if device == "cuda" else "cpu")
        known = self._inferring.get(settings.device)
        parts = (self.wv.peek(), self.syn1neg, self.syn1, self.wv.key_to_index, self.wv.expandos.get("count"))
        if known is None or known[0] != settings or any(a is not b for a, b in zip(known[1], parts, strict=True)):
            if not len(self.wv):
                raise RuntimeError("there are no words to infer from; call build_vocab and train first")
            kernel = inference.new_kernel(self, settings)
            parts = (self.wv.peek(), self.syn1neg, self.syn1, *parts[3:])  # they may be padded now
            known = self._inferring[settings.device] = settings, parts, kernel
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
