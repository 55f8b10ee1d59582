"""LSA: vectors of documents and of words by a truncated SVD of documents by terms."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from w2v.common.public import public
from w2v.counts import cooccurrence, ppmi, svd, weighting
from w2v.files.reading import Pathlike
from w2v.models.counted import Counted
from w2v.tokens.encode import Encoded, encode
from w2v.tokens.words import Sentences
from w2v.training.settings import LSASettings
from w2v.training.weights import Weights
from w2v.vectors.keyed import KeyedVectors
from w2v.vectors.lookup import check_list, refuse_text
from w2v.vocabulary.choose import TrimRule

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@public
class LSA(Counted):
    """Latent semantic analysis (Deerwester et al. 1990, JASIS): a truncated SVD of weighted counts, documents by terms.

    Each sentence of the corpus, or line of the file, is a document. Nothing is drawn at random: the same corpus gives
    the same vectors, with any number of workers (docs/counts.md).

    Parameters
    ----------
    sentences : iterable of token lists, optional
        Documents, read once. Without them (and without `corpus_file`) the model has no words yet; call `build_vocab`
        and `fit`.
    corpus_file : path, optional
        A text file with one document per line, as in `w2v.Word2Vec`. Excludes `sentences`.
    vector_size : int, default 100
        Singular vectors. Where there are fewer words or documents, the last numbers of each vector are 0.
    weighting : {"tfidf", "log-entropy"}, default "tfidf"
        See `w2v.counts.weighting`.
    min_count, max_vocab_size, max_final_vocab, sorted_vocab, trim_rule, tokenizer, cache, comment, progress, phrases,
        terms
        As in `w2v.Word2Vec`.
    workers : int, default 3
        Threads; -1 means one per core. They change no bit.
    eig : float, default 1.0
        Vectors of documents are ``U * S ** eig``, vectors of words ``V * S ** eig``, of the singular value
        decomposition ``U S V'``; between 0 and 1.

    Attributes
    ----------
    wv : KeyedVectors
        The vectors of words.
    dv : KeyedVectors
        The vectors of the documents that were learnt from, by their numbers, as long as the corpus is at hand.
    singular_values : float32 [vector_size] or None
        The largest first; None before `fit`.

    Raises
    ------
    ValueError, TypeError
        For a parameter out of range, before any work.
    RuntimeError
        No word is left.

    Examples
    --------
    >>> from w2v import LSA
    >>> documents = [["bread", "flour", "oven"], ["river", "lake", "boat"], ["oven", "bread"]] * 20
    >>> model = LSA(documents, vector_size=2, min_count=1)
    >>> model.infer_vectors([["flour", "oven"], ["lake", "river", "sea"]]).shape
    (2, 2)
    """

    kind = "lsa"
    settings_class = LSASettings
    weighting: str
    eig: float

    def __init__(
        self,
        sentences: Sentences | None = None,
        corpus_file: Pathlike | None = None,
        vector_size: int = 100,
        weighting: str = "tfidf",
        min_count: int = 5,
        max_vocab_size: int | None = None,
        workers: int = 3,
        trim_rule: TrimRule | None = None,
        sorted_vocab: int = 1,
        comment: str | None = None,
        max_final_vocab: int | None = None,
        *,
        eig: float = 1.0,
        tokenizer: str | None = None,
        cache: str = "auto",
        progress: bool | None = None,
        phrases: Any = None,
        terms: Any = None,
    ) -> None:
        given = {
            "vector_size": vector_size,
            "weighting": weighting,
            "min_count": min_count,
            "max_vocab_size": max_vocab_size,
            "workers": workers,
            "sorted_vocab": sorted_vocab,
            "comment": comment,
            "max_final_vocab": max_final_vocab,
            "eig": eig,
            "tokenizer": tokenizer,
            "cache": cache,
            "progress": progress,
        }
        self._start(given, trim_rule, terms, phrases)
        self._make(sentences, corpus_file, trim_rule)

    def _of_settings(self, settings: dict[str, Any]) -> None:
        LSA.__init__(self, **self._own_of(settings))

    def matrix(
        self, corpus_iterable: Sentences | None = None, corpus_file: Pathlike | None = None
    ) -> "csr_matrix[np.float32]":
        """Make the sparse matrix of weights: of the corpus, or of other documents with the weights of its terms.

        Parameters
        ----------
        corpus_iterable, corpus_file : optional
            As in `fit`.

        Returns
        -------
        scipy.sparse.csr_matrix of float32 [documents, words]
            Columns in the order of ``wv.index_to_key``.

        Raises
        ------
        RuntimeError
            There is no vocabulary, or no corpus; or terms have no weights before `fit`.
        """
        counts = self._counted(corpus_iterable, corpus_file)
        return weighting.weighted(counts, self._scheme(), self._term_weights())

    def fit(self, corpus_iterable: Sentences | None = None, corpus_file: Pathlike | None = None) -> "LSA":
        """Make the vectors anew from documents, with the vocabulary and the settings there are; see `Counted.fit`."""
        with self.activity.only("fit"):
            counts = self._counted(corpus_iterable, corpus_file)
            scheme = self._scheme()
            weights = weighting.term_weights(counts, scheme)
            found = self._decomposed(weighting.weighted(counts, scheme, weights), "words or documents")
            self.weights, self.singular_values = Weights(svd.raised(found.right, found.values, self.eig)), found.values
            self.wv.expandos["weight"] = weights
            self._trained_words = self.wv.index_to_key
            self._dv: KeyedVectors | None = None
        return self

    @property
    def dv(self) -> KeyedVectors:
        """The vectors of the documents of the corpus, by their numbers from 0 on; made when first asked for."""
        known: KeyedVectors | None = self.__dict__.get("_dv")
        if known is None:
            vectors = self._vectors_of(self._counted(None, None))
            known = self._dv = KeyedVectors.from_arrays(list(range(len(vectors))), vectors)
        return known

    def infer_vectors(
        self, documents: Iterable[Sequence[str]] | None = None, corpus_file: Pathlike | None = None
    ) -> NDArray[np.float32]:
        """Fold documents in: give each its vector, as if it had been one of those learnt from, without a change.

        Parameters
        ----------
        documents : iterable of token lists, optional
        corpus_file : path, optional
            A file with one document per line, instead; a blank line is none.

        Returns
        -------
        ndarray of float32 [documents, vector_size]
            Unknown words are left out; a document without a known word is a row of zeros. Those learnt from get the
            vectors that they have in `dv`.

        Raises
        ------
        RuntimeError
            The model has not been fitted.
        """
        self._term_weights()
        source: Any = documents if corpus_file is None else corpus_file
        if (documents is None) == (corpus_file is None):
            raise TypeError("give documents, or a corpus_file")
        if corpus_file is None:
            refuse_text("documents", documents)
        index, steps = self.wv.key_to_index, self.tokens.terms
        encoded = encode(source, corpus_file is not None, index, np.inf, self._threads(), terms=steps)
        return self._vectors_of(self._matrix_of(encoded))

    def infer_vector(self, document: Sequence[str]) -> NDArray[np.float32]:
        """Fold one document in, a list of words; see `infer_vectors`. float32 [vector_size]."""
        vector: NDArray[np.float32] = self.infer_vectors([check_list("document", document)])[0]
        return vector

    def _scheme(self) -> str:
        self.settings()
        return self.weighting

    def _term_weights(self) -> NDArray[np.float64]:
        weights = self.wv.expandos.get("weight")
        if weights is None or self.singular_values is None:
            raise RuntimeError("the terms have no weights yet; call fit first")
        return np.asarray(weights, np.float64)

    def _vectors_of(self, counts: "csr_matrix[Any]") -> NDArray[np.float32]:
        rows = weighting.weighted(counts, self._scheme(), self._term_weights())
        # The weighted counts of a document, x, become x V S^(eig - 1) = u S^eig; the vectors of words are V S^eig.
        vectors: NDArray[np.float32] = rows @ svd.raised(self.wv.peek(), self.singular_values, -1)
        return vectors

    def _counted(self, corpus_iterable: Sentences | None, corpus_file: Pathlike | None) -> "csr_matrix[Any]":
        tokens, parts = self._parts(corpus_iterable, corpus_file)
        with self._counting(tokens) as bar:
            return _stacked(self._heeding(parts, bar), self._matrix_of)

    def _heeding(self, parts: Iterable[Encoded], bar: Any) -> Iterator[Encoded]:
        for part in parts:
            self.heed()
            yield part
            bar.update(len(part.tokens))

    def _matrix_of(self, corpus: Encoded) -> "csr_matrix[Any]":
        rows = cooccurrence.count_sentences(corpus, len(self.wv), self._threads())
        return ppmi.as_matrix(rows, len(self.wv))


def _stacked(parts: Iterable[Encoded], made_of: Any) -> "csr_matrix[Any]":
    from scipy.sparse import vstack

    found = [made_of(part) for part in parts]
    whole: csr_matrix[Any] = found[0] if len(found) == 1 else vstack(found, format="csr")
    return whole
