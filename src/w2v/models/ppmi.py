"""PPMI: vectors of how often words meet, under the settings of `Word2Vec`; the count-based twin of skip-gram."""

from typing import TYPE_CHECKING, Any

import numpy as np

from w2v.common.public import public
from w2v.counts import cooccurrence, ppmi, svd
from w2v.counts.cooccurrence import Rows
from w2v.files.reading import Pathlike
from w2v.models.counted import Counted
from w2v.tokens.words import Sentences
from w2v.training.settings import CountSettings
from w2v.training.weights import Weights
from w2v.vectors import queries
from w2v.vocabulary.choose import TrimRule, keep_probability

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@public
class PPMI(Counted):
    """Make word vectors of counts: positive pointwise mutual information, and its truncated SVD (docs/counts.md).

    The same settings as those of skip-gram with negative sampling, of which it is the count-based twin (Levy & Goldberg
    2014, NeurIPS; Levy, Goldberg & Dagan 2015, TACL), with the same vocabulary from the same encoded corpus. Nothing is
    drawn at random: the same corpus gives the same vectors, with any number of workers.

    Parameters
    ----------
    sentences : iterable of token lists, optional
        Read once, so a generator will do. Without it (and without `corpus_file`) the model has no words yet; call
        `build_vocab` and `fit`.
    corpus_file : path, optional
        A text file with one sentence per line, as in `w2v.Word2Vec`. Excludes `sentences`.
    vector_size : int, default 100
        Singular vectors. Where there are fewer words, the last numbers of each vector are 0.
    window : int, default 5
        Largest distance of words that meet.
    min_count, max_vocab_size, max_final_vocab, sorted_vocab, trim_rule, tokenizer, cache, comment, progress, phrases,
        terms
        As in `w2v.Word2Vec`.
    sample : float, default 1e-3
        A pair counts as often as both its words would survive the subsampling of `w2v.Word2Vec`, on average; 0 counts
        all. No word closes up to another.
    workers : int, default 3
        Threads; -1 means one per core. They change no bit.
    negative : int, default 1
        The logarithm of it is taken off ("shift"): the noise words of skip-gram. 1 takes nothing off.
    ns_exponent : float, default 0.75
        Probabilities of contexts are ``counts ** ns_exponent`` ("context distribution smoothing").
    shrink_windows : bool, default True
        A word at distance d counts ``(window - d + 1) / window``, which is how often a window drawn from 1 ... `window`
        has it; else 1.
    eig : float, default 0.5
        Vectors are ``U * S ** eig`` and output vectors ``V * S ** eig`` of the singular value decomposition ``U S V'``;
        between 0 and 1. With 0.5 the product of an input and an output vector is nearest to the mutual information.
    add_contexts : bool, default False
        Vectors are the sums of a word's two vectors at unit length ("w+c").

    Attributes
    ----------
    wv : KeyedVectors
        The vectors of words, with everything that those of `w2v.Word2Vec` can do.
    output_vectors : KeyedVectors
        The vectors of words as contexts.
    singular_values : float32 [vector_size] or None
        The largest first; None before `fit`.

    Raises
    ------
    ValueError, TypeError
        For a parameter out of range, before any work.
    RuntimeError
        No word is left, or no two words meet.

    Examples
    --------
    >>> from w2v import PPMI
    >>> sentences = [["bread", "flour", "oven"], ["river", "lake", "boat"]] * 50
    >>> model = PPMI(sentences, vector_size=2, min_count=1, sample=0)
    >>> model.wv.most_similar("bread", topn=1)[0][0] in ("flour", "oven")
    True
    >>> int(model.counts().sum()), 100 * 2 * (5 + 5 + 4)  # of each line, both ways, in fifths
    (2800, 2800)
    """

    kind = "ppmi"
    settings_class = CountSettings
    window: int
    shrink_windows: bool
    eig: float
    add_contexts: bool

    def __init__(
        self,
        sentences: Sentences | None = None,
        corpus_file: Pathlike | None = None,
        vector_size: int = 100,
        window: int = 5,
        min_count: int = 5,
        max_vocab_size: int | None = None,
        sample: float = 1e-3,
        workers: int = 3,
        negative: int = 1,
        ns_exponent: float = 0.75,
        trim_rule: TrimRule | None = None,
        sorted_vocab: int = 1,
        comment: str | None = None,
        max_final_vocab: int | None = None,
        shrink_windows: bool = True,
        *,
        eig: float = 0.5,
        add_contexts: bool = False,
        tokenizer: str | None = None,
        cache: str = "auto",
        progress: bool | None = None,
        phrases: Any = None,
        terms: Any = None,
    ) -> None:
        given = {
            "vector_size": vector_size,
            "window": window,
            "min_count": min_count,
            "max_vocab_size": max_vocab_size,
            "sample": sample,
            "workers": workers,
            "negative": negative,
            "ns_exponent": ns_exponent,
            "sorted_vocab": sorted_vocab,
            "comment": comment,
            "max_final_vocab": max_final_vocab,
            "shrink_windows": shrink_windows,
            "eig": eig,
            "add_contexts": add_contexts,
            "tokenizer": tokenizer,
            "cache": cache,
            "progress": progress,
        }
        self._start(given, trim_rule, terms, phrases)
        self._make(sentences, corpus_file, trim_rule)

    def _of_settings(self, settings: dict[str, Any]) -> None:
        PPMI.__init__(self, **self._own_of(settings))

    def counts(
        self, corpus_iterable: Sentences | None = None, corpus_file: Pathlike | None = None
    ) -> "csr_matrix[np.int64]":
        """Count how often words meet.

        Parameters
        ----------
        corpus_iterable, corpus_file : optional
            As in `fit`.

        Returns
        -------
        scipy.sparse.csr_matrix of int64 [words, words]
            Symmetric, rows and columns in the order of ``wv.index_to_key``. With `shrink_windows` in units of
            ``1 / window``. Subsampling is not in it.
        """
        rows = self._rows(corpus_iterable, corpus_file)
        return ppmi.as_matrix(rows, len(self.wv))

    def matrix(
        self, corpus_iterable: Sentences | None = None, corpus_file: Pathlike | None = None
    ) -> "csr_matrix[np.float32]":
        """Make the sparse matrix of (shifted) positive pointwise mutual information; see `w2v.counts.ppmi`.

        Parameters
        ----------
        corpus_iterable, corpus_file : optional
            As in `fit`.

        Returns
        -------
        scipy.sparse.csr_matrix of float32 [words, contexts]
            Natural logarithms above 0, rows and columns in the order of ``wv.index_to_key``.
        """
        rows, settings = self._rows(corpus_iterable, corpus_file), self.settings()
        keep = keep_probability(self.vocabulary.counts, settings.sample) if settings.sample else None
        return ppmi.ppmi(rows, keep, settings.ns_exponent, settings.negative, self._threads())

    def fit(self, corpus_iterable: Sentences | None = None, corpus_file: Pathlike | None = None) -> "PPMI":
        """Make the vectors anew from a corpus, with the vocabulary and the settings there are; see `Counted.fit`."""
        with self.activity.only("fit"):
            matrix = self.matrix(corpus_iterable, corpus_file)
            if not matrix.nnz:
                raise RuntimeError(
                    f"no two words meet more often than negative={self.negative} times what chance would have; use "
                    "negative=1, or add text"
                )
            found = self._decomposed(matrix, "words")
            inputs, outputs = (svd.raised(part, found.values, self.eig) for part in (found.left, found.right))
            if self.add_contexts:
                inputs = queries.unit_rows(inputs, None) + queries.unit_rows(outputs, None)
            self.weights, self.singular_values = Weights(inputs, outputs), found.values
            self._trained_words = self.wv.index_to_key
        return self

    def _rows(self, corpus_iterable: Sentences | None, corpus_file: Pathlike | None) -> Rows:
        tokens, parts = self._parts(corpus_iterable, corpus_file)
        settings = self.settings()
        with self._counting(tokens) as bar:
            return cooccurrence.count(
                parts,
                len(self.wv),
                settings.window,
                settings.shrink_windows,
                self._threads(),
                lambda counted: (self.heed(), bar.update(counted)),
            )
