"""KeyedVectors: words and their vectors, the result of training; look-up, similarity, files.

The table is in `lookup`, the arithmetic in `queries`, the scoring in `scores`, the distance of documents in
`word_movers`, the bytes in `w2v.files`.
"""

import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO, Self, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from w2v.common.old_names import OldVectorNames
from w2v.common.public import public
from w2v.files import gensim_fasttext, gensim_pickle, native, word2vec_format
from w2v.files.arrays import attributes_in, attributes_out
from w2v.files.errors import FormatError
from w2v.files.reading import Pathlike
from w2v.vectors import queries, scores, word_movers
from w2v.vectors.asked import (
    Question,
    as_list,
    ask_indexer,
    neighbors_at,
    number_for_many,
    number_wanted,
    of_known,
    question,
    refuse_other_spaces,
    scored,
)
from w2v.vectors.exports import Exported
from w2v.vectors.lookup import Array, Key, check_list
from w2v.vectors.runs import agreed_neighbors

logger = logging.getLogger(__name__)

Scored = list[tuple[Any, float]]

_K = TypeVar("_K", bound="KeyedVectors")


@public
class KeyedVectors(OldVectorNames, Exported):
    """Words (or other keys) and one vector for each.

    Parameters
    ----------
    vector_size : int
    count : int, default 0
        Rows to allocate now, for `add_vector` to fill.
    dtype : dtype, default float32
    mapfile_path : str, optional
        Kept for gensim's sake; not used.

    Attributes
    ----------
    vectors : ndarray [words, vector_size]
        May be a strided view on a larger matrix, and may be written to: queries take the rows as they are.
    index_to_key : list
    key_to_index : dict
    norms : ndarray [words] or None
        Row lengths, filled when first needed. After writing to `vectors`, call `fill_norms`.
    expandos : dict of str to ndarray
        Attributes of the words, such as ``count``.
    oov : tuple of str, default ("error",)
        What every query does with an unknown word: policies, tried in this order; see `resolve`. Assign a list. Files
        keep it.
    oov_terms : mapping of str to str or list of str, optional
        Synonyms or parents for the policy ``"dictionary"``.

    Notes
    -----
    Queries change nothing but the cached `norms`, so threads may query at the same time, even while another thread
    trains the vectors. While other code holds `vectors` (a variable, a view, a training model), each query measures
    the norms anew; repeated queries are a few times faster without such a holder.
    """

    # Similarity

    def most_similar(
        self,
        positive: Any = None,
        negative: Any = None,
        topn: int | None = 10,
        clip_start: int = 0,
        clip_end: int | None = None,
        restrict_vocab: int | None = None,
        indexer: Any = None,
        *,
        space: str = "in-in",
        runs: Sequence[Any] | None = None,
    ) -> Any:
        """Find the words nearest to a weighted mean of words, by cosine.

        ``most_similar(positive=["woman", "king"], negative=["man"])`` is the analogy question of Mikolov et
        al. 2013 (arXiv:1301.3781): man is to king as woman is to ...

        Parameters
        ----------
        positive, negative : str, int, ndarray, or a list of these
            An item may be a pair ``(item, weight)``, whose weight then carries the sign too; otherwise it is
            1 or -1. Words are scaled to unit length, an ndarray is taken as it is.
        topn : int or None, default 10
            How many; None for the scores of all words, in row order.
        clip_start, clip_end : int, optional
            Look only at these rows.
        restrict_vocab : int, optional
            Look only at this many of the first (most frequent) words; overrides the clips.
        indexer : object, optional
            Its ``most_similar(vector, topn)`` answers instead; see `w2v.vectors.index.SearchIndex`.
        space : {"in-in"}
            The other spaces are those of a whole model; see `w2v.Word2Vec.most_similar`.
        runs : sequence of KeyedVectors or Word2Vec, optional
            The same training with other seeds: a neighbour then comes with how many runs agree on it.

        Returns
        -------
        list of (key, float)
            Descending, equal scores in row order, without the words asked about.
            With ``topn=None`` an ndarray of float32, with `runs` a list of `w2v.vectors.runs.AgreedNeighbor`.

        Raises
        ------
        KeyError
            An unknown word, for which `oov` has no vector.
        ValueError
            No items, a vector of another size, or a vector with a NaN.
        """
        refuse_other_spaces(space, indexer)
        asked = question(positive, negative, topn, len(self), clip_start, clip_end, restrict_vocab)
        if runs is not None:
            return agreed_neighbors([self, *runs], positive, negative, topn, restrict_vocab)
        if asked.topn is not None and asked.topn < 1:
            return []
        mean = asked.mean_in(self)
        if indexer is not None and asked.topn is not None:
            return indexer.most_similar(mean, asked.topn)
        return self.answer(asked, mean)

    def answer(self, asked: Question, mean: Array) -> Any:
        """Answer a question with the words nearest to a vector, which may be of another space than these."""
        scores = self._cosines(mean, slice(asked.start, asked.end))
        return self._best(scores, asked.topn, asked.keys, asked.start)

    def _cosines(self, query: Array, place: slice = slice(None)) -> Array:
        return self.over_rows(
            lambda rows, norms: queries.cosines(rows[place], None if norms is None else norms[place], query)
        )

    def _best(self, scores: Array, topn: int | None, asked: Iterable[Any], start: int = 0) -> Any:
        exclude = {self.get_index(k) - start for k in asked if not isinstance(k, np.ndarray) and self.has_index_for(k)}
        found = [] if topn is None else queries.top_rows(scores, topn, exclude)
        return scores if topn is None else neighbors_at(found, self.index_to_key, scores, start)

    def most_similar_cosmul(
        self,
        positive: Any = None,
        negative: Any = None,
        topn: int | None = 10,
        restrict_vocab: int | None = None,
    ) -> Any:
        """Find words by the multiplicative combination 3CosMul of Levy & Goldberg 2014 (CoNLL), section 6.

        Cosines are shifted into 0..1; the score is the product over `positive` divided by that over
        `negative` plus 1e-6. One large term then dominates less than in the sum of `most_similar`.

        Parameters
        ----------
        positive, negative : str, int, ndarray, or a list of these
            All are scaled to unit length. At least one must be positive.
        topn, restrict_vocab
            As in `most_similar`.

        Returns
        -------
        list of (key, float), or ndarray
            As in `most_similar`; scores may exceed 1.
        """
        topn = number_wanted(topn, restrict_vocab)
        plus, minus = as_list("positive", positive), as_list("negative", negative)
        if topn is not None and topn < 1:
            return []
        if not plus:
            raise ValueError("cannot compare with nothing; give at least one positive word")
        near, far = ([queries.unit(self._vector_of(item)) for item in side] for side in (plus, minus))
        scores = self.over_rows(
            lambda rows, norms: queries.cosmul(
                rows[:restrict_vocab], None if norms is None else norms[:restrict_vocab], near, far
            )
        )
        return self._best(scores, topn, plus + minus)

    def most_similar_batch(
        self,
        words: Sequence[Key],
        topn: int = 10,
        restrict_vocab: int | None = None,
        *,
        indexer: Any = None,
        space: str = "in-in",
    ) -> list[Scored]:
        """Answer ``most_similar(word)`` for many words, in blocked matrix products.

        Besides the vectors and the answers it takes 16 MiB for scores and 4 KiB of queries per dimension, and while
        other code holds `vectors` 64 MiB for a copy of rows, whatever the number of words.

        Parameters
        ----------
        words : sequence of str or int
        topn : int, default 10
        restrict_vocab : int, optional
            Look only at this many of the first (most frequent) words.
        indexer : object, optional
            As in `most_similar`; asked for one more word, since it may find the word itself.
        space : {"in-in"}
            As in `most_similar`.

        Returns
        -------
        list of list of (key, float)
            One list per word, as `most_similar` gives it.

        Raises
        ------
        KeyError
            An unknown word.
        """
        refuse_other_spaces(space, indexer)
        count, (asked, vectors) = number_for_many(topn, restrict_vocab), self.looked_up(check_list("words", words))
        if count < 1:
            return [[] for _ in asked]
        if indexer is not None:
            return ask_indexer(indexer, self.index_to_key, asked, vectors, count)
        known = [row for row in asked if row >= 0]
        near = self.over_rows(
            lambda rows, norms: list(queries.neighbors_of_rows(rows, norms, known, count, restrict_vocab))
        )
        found, ask = iter([scored(self.index_to_key, *pair) for pair in near]), self.similar_by_vector
        return [next(found) if row >= 0 else ask(vectors[at], count, restrict_vocab) for at, row in enumerate(asked)]

    def similar_by_word(self, word: Key, topn: int | None = 10, restrict_vocab: int | None = None) -> Any:
        """Find the words nearest to one word; see `most_similar`."""
        return self.most_similar([word], topn=topn, restrict_vocab=restrict_vocab)

    def similar_by_key(self, key: Key, topn: int | None = 10, restrict_vocab: int | None = None) -> Any:
        """Find the keys nearest to one key; see `most_similar`."""
        return self.most_similar([key], topn=topn, restrict_vocab=restrict_vocab)

    def similar_by_vector(
        self, vector: ArrayLike, topn: int | None = 10, restrict_vocab: int | None = None, *, space: str = "in-in"
    ) -> Any:
        """Find the words nearest to a vector [vector_size]; see `most_similar`."""
        return self.most_similar([np.asarray(vector)], topn=topn, restrict_vocab=restrict_vocab, space=space)

    def similarity(self, w1: Key, w2: Key, *, space: str = "in-in") -> np.float32:
        """Cosine of two words; `space` as in `most_similar`."""
        refuse_other_spaces(space)
        return cosine(queries.unit(self.get_vector(w1)), queries.unit(self.get_vector(w2)))

    def distance(self, w1: Key, w2: Key) -> np.float32:
        """1 - cosine of two words."""
        return np.float32(1 - self.similarity(w1, w2))

    def distances(self, word_or_vector: Any, other_words: Iterable[Key] = ()) -> Array:
        """1 - cosine with each of `other_words`, or with all words, float32."""
        rows = self.rows_of(check_list("other_words", other_words))
        query = queries.unit(self._vector_of(word_or_vector))
        return 1 - (queries.cosines(self.peek()[rows], None, query) if rows else self._cosines(query))

    def n_similarity(self, ws1: Iterable[Key], ws2: Iterable[Key]) -> np.float32:
        """Cosine of the means of two sets of words, at their own lengths; unknown words are left out.

        Raises
        ------
        ZeroDivisionError
            One of the sets is empty (gensim's choice of error).
        """
        sets = check_list("ws1", ws1), check_list("ws2", ws2)
        if not all(sets):
            raise ZeroDivisionError("one of the two lists of words is empty")
        left, right = (self.get_mean_vector(words, pre_normalize=False, post_normalize=True) for words in sets)
        return cosine(left, right)

    def wmdistance(self, document1: Iterable[Key], document2: Iterable[Key], norm: bool = True) -> float:
        """Word mover's distance of two documents: the least total way from the words of one to those of the other.

        Source: Kusner et al. 2015, "From Word Embeddings To Document Distances" (ICML), section 3.

        Parameters
        ----------
        document1, document2 : list of str
            Unknown words are left out.
        norm : bool, default True
            Take the vectors at unit length.

        Returns
        -------
        float
            Infinite if a document has no known word.

        Raises
        ------
        MemoryError
            The documents have so many different words that they need POT's solver, and POT is not installed.
        """
        documents = check_list("document1", document1), check_list("document2", document2)
        counts = [Counter(word for word in document if word in self) for document in documents]
        if not all(counts):
            logger.warning("a document without known words is infinitely far from any other")
            return float("inf")
        if counts[0].keys() == counts[1].keys() and len(counts[0]) == 1:
            return 0.0
        sides = [np.stack([self.get_vector(word, norm=norm) for word in count]) for count in counts]
        return word_movers.distance(
            sides[0], np.array(list(counts[0].values())), sides[1], np.array(list(counts[1].values()))
        )

    @staticmethod
    def cosine_similarities(vector_1: Array, vectors_all: Array) -> Array:
        """Cosine of one vector with each row of a matrix; 0 where either is zero."""
        return queries.cosines(vectors_all, None, queries.unit(vector_1))

    def rank_by_centrality(self, words: Iterable[Key], use_norm: bool = True) -> list[tuple[np.float32, Any]]:
        """Order words by their cosine with the mean of them all, best first; unknown words are left out.

        Parameters
        ----------
        words : iterable of str
        use_norm : bool, default True
            Scale the vectors to unit length first; otherwise long ones weigh more, and score more.

        Returns
        -------
        list of (float32, word)

        Raises
        ------
        ValueError
            None of the words is known.
        """
        words = check_list("words", words)
        known = [word for word in words if word in self]
        if len(known) < len(words):
            logger.warning("left out, being unknown: %s", sorted({str(w) for w in words if w not in self}))
        if not known:
            raise ValueError(f"none of {words!r} is known")
        vectors = np.stack([self.get_vector(word, norm=use_norm) for word in known])
        scores = vectors @ self.get_mean_vector(vectors, post_normalize=True)
        return sorted(zip(scores.astype(np.float32), known, strict=True), reverse=True)

    def doesnt_match(self, words: Iterable[Key]) -> Any:
        """Return the word farthest from the mean of all; see `rank_by_centrality`."""
        return self.rank_by_centrality(words)[-1][1]

    def most_similar_to_given(self, key1: Key, keys_list: Sequence[Key]) -> Any:
        """Return the key of `keys_list` nearest to `key1`."""
        keys = check_list("keys_list", keys_list)
        if not keys:
            raise ValueError("keys_list is empty; give at least one key to choose from")
        return keys[int(np.argmin(self.distances(key1, keys)))]

    def closer_than(self, key1: Key, key2: Key) -> list[Any]:
        """Return all keys that are nearer to `key1` than `key2` is, in row order."""
        distances = self.distances(key1)
        first, second = self.get_index(key1), self.get_index(key2)
        nearer = np.flatnonzero(distances < distances[second]).tolist()
        return [self.index_to_key[row] for row in nearer if row != first]

    def rank(self, key1: Key, key2: Key) -> int:
        """Return the place of `key2` among the neighbours of `key1`; 1 is the nearest."""
        return len(self.closer_than(key1, key2)) + 1

    def relative_cosine_similarity(self, wa: Key, wb: Key, topn: int = 10) -> float:
        """Similarity of two words, as a share of the summed similarities of the `topn` nearest to `wa`.

        Leeuwenberg et al. 2016, "A Minimally Supervised Approach for Synonym Extraction": above 1/topn, the
        two are likely synonyms.
        """
        nearest = self.most_similar([wa], topn=number_wanted(topn, None) or 0)
        if not nearest:
            raise ValueError(f"topn={topn}: without neighbours there is nothing to relate to")
        total = sum(score for _, score in nearest)
        return float(self.similarity(wa, wb)) / total if total else 0.0

    def vectors_for_all(
        self, keys: Iterable[Key], allow_inference: bool = True, copy_vecattrs: bool = False
    ) -> "KeyedVectors":
        """Return new KeyedVectors with those of `keys` that have a vector, in their order.

        With ``allow_inference=True`` these are all that `oov` gives a vector, otherwise the known ones. Their counts
        are made up, descending, unless ``copy_vecattrs=True`` takes all attributes over; those of unknown words are 0.
        """
        wanted = [key for key in dict.fromkeys(check_list("keys", keys)) if self.has(key, allow_inference)]
        rows, vectors = self.looked_up(wanted)
        made = KeyedVectors.from_arrays(wanted, vectors, {"count": _made_up_counts(len(wanted))})
        if copy_vecattrs:
            self.allocate_vecattrs()
            made.expandos |= {name: of_known(values, rows) for name, values in self.expandos.items()}
        return made

    # Evaluation

    def evaluate_word_analogies(
        self,
        analogies: Pathlike,
        restrict_vocab: int | None = 300000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
        similarity_function: str = "most_similar",
    ) -> tuple[float, list[dict[str, Any]]]:
        """Answer a file of analogy questions; see `w2v.vectors.scores.evaluate_word_analogies`.

        Returns
        -------
        score : float
        sections : list of dict
            The last is ``"Total accuracy"``.
        """
        return scores.evaluate_word_analogies(
            self, analogies, restrict_vocab, case_insensitive, dummy4unknown, similarity_function
        )

    def evaluate_word_pairs(
        self,
        pairs: Pathlike,
        delimiter: str = "\t",
        encoding: str = "utf8",
        restrict_vocab: int | None = 300000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> tuple[Any, Any, float]:
        """Correlate similarities with human judgements; see `w2v.vectors.scores.evaluate_word_pairs`.

        Returns
        -------
        pearson, spearman : scipy results
            NaN where all scores, or all similarities, are equal.
        oov : float
            Per cent of the pairs with an unknown word.
        """
        return scores.evaluate_word_pairs(
            self, pairs, delimiter, encoding, restrict_vocab, case_insensitive, dummy4unknown
        )

    @staticmethod
    def log_accuracy(section: dict[str, Any]) -> None:
        """Log the score of one section of analogies."""
        scores.log_accuracy(section)

    @staticmethod
    def log_evaluate_word_pairs(pearson: Any, spearman: Any, oov: float, pairs: Pathlike) -> None:
        """Log the result of `evaluate_word_pairs`."""
        scores.log_evaluate_word_pairs(pearson, spearman, oov, pairs)

    # Files

    def save(
        self,
        fname_or_handle: Pathlike | BinaryIO,
        separately: object = None,
        sep_limit: int = 0,
        ignore: object = (),
        pickle_protocol: int = 0,
    ) -> None:
        """Write words, vectors and numeric attributes to one file, atomically; `load` reads it.

        The format (safetensors) holds data only; see `w2v.files.native`. Equal vectors give equal bytes. The other
        parameters are accepted for gensim's sake and ignored: there is one file, and no pickle.

        Raises
        ------
        ValueError
            Keys that are not words, vectors that are not float32, or attributes that are not numbers.
        """
        if not isinstance(fname_or_handle, str | os.PathLike) and not hasattr(fname_or_handle, "write"):
            raise TypeError(f"fname_or_handle={fname_or_handle!r:.80} is neither a path nor a file open for writing")
        kind, arrays, meta = self._contents()
        native.write_native(fname_or_handle, kind, self.index_to_key, arrays, meta)

    def _contents(self) -> tuple[str, dict[str, Array], dict[str, Any]]:
        """The kind, the arrays and the other data that a file holds of these vectors."""
        vectors = self.peek()
        if vectors.dtype != np.float32:
            raise ValueError(f"the native format holds float32, not {vectors.dtype}; cast the vectors first")
        self.allocate_vecattrs()
        return "vectors", {"vectors": vectors, **attributes_out(self.expandos), **self.attachments()}, {}

    @classmethod
    def load(
        cls,
        fname: Pathlike,
        mmap: str | bool | None = None,
        rethrow: bool = False,
        *,
        allow_pickle: bool | None = None,
    ) -> Self:
        """Read a file of `save`, or the vectors of a whole saved model.

        Parameters
        ----------
        fname : path-like
        mmap : {None, "r", True}
            Map the vectors read-only instead of copying them; their contents are then not checked. A program
            that cuts the file short then kills this one (SIGBUS).
        rethrow : ignored
        allow_pickle : bool, default False
            Also read gensim's pickles, with their .npy files; see `w2v.files.gensim_pickle`. No code in such a file is
            run, but a malicious file can still fill the memory.

        Raises
        ------
        FormatError
            The file is damaged or of another format: `load_word2vec_format` reads text and binary files of other tools.
        """
        if mmap not in (None, False, True, "r"):
            raise ValueError(f"mmap={mmap!r}; a file can only be mapped read-only, mmap='r'")
        if gensim_pickle.may_read(fname, allow_pickle):
            return cls.from_arrays(*gensim_fasttext.plain(gensim_pickle.read_gensim(fname, mmap)))
        _, words, arrays, _ = native.read_native(fname, mmap=bool(mmap), outputs=False)
        counts = {"count": arrays["vocab.counts"]} if "vocab.counts" in arrays else {}
        made = cls.from_arrays(words, arrays["vectors"], counts | attributes_in(arrays))
        return made.with_attachments(arrays, os.fspath(fname))

    @classmethod
    def from_arrays(
        cls, keys: list[Any] | dict[Any, int], vectors: Array, attributes: Mapping[str, Array] | None = None
    ) -> Self:
        """Build from keys and their vectors, without a copy or a check of the vectors.

        Parameters
        ----------
        keys : list, or dict of key to row
            All different; a dict is in the order of its rows.
        vectors : ndarray [keys, vector_size]
        attributes : mapping of str to ndarray [keys], optional
            Such as ``count``.
        """
        made = cls(vectors.shape[1], dtype=vectors.dtype)
        made.take_over(keys, vectors, attributes)
        return made

    def take_over(
        self, keys: list[Any] | dict[Any, int], vectors: Array, attributes: Mapping[str, Array] | None = None
    ) -> None:
        """Replace all keys and vectors; as in `from_arrays`."""
        self.vectors, self.norms = vectors, None
        self.index_to_key = keys if isinstance(keys, list) else list(keys)
        self.key_to_index = keys if isinstance(keys, dict) else {key: row for row, key in enumerate(keys)}
        self.next_index = len(keys)
        self.expandos = dict(attributes or {})

    def save_word2vec_format(
        self,
        fname: Pathlike,
        fvocab: Pathlike | None = None,
        binary: bool = False,
        total_vec: int | None = None,
        write_header: bool = True,
        prefix: str = "",
        append: bool = False,
        sort_attr: str = "count",
    ) -> None:
        """Write a file that word2vec.c, gensim and many others can read; compressed if the name says so.

        Parameters
        ----------
        fname : path-like
        fvocab : path-like, optional
            Where to write the words with their `sort_attr`.
        binary : bool, default False
        total_vec : int, optional
            The number of rows to announce, if more will be appended.
        write_header : bool, default True
        prefix : str, default ""
            Put before every word.
        append : bool, default False
            Keep what the file holds and write behind it.
        sort_attr : str, default "count"
            Rows are written in descending order of this attribute, if it exists. Int keys that equal their row (such as
            document tags) come first.

        Raises
        ------
        ValueError
            The file could not be read back: a word is empty, has white space or occurs twice, a value is not finite, or
            a count is malformed. No file is then touched.
        """
        for name, path in {"fname": fname, "fvocab": fvocab or ""}.items():
            if not isinstance(path, str | os.PathLike):
                raise TypeError(f"{name}={path!r:.80} is not a path")
        lead = next((row for row, key in enumerate(self.index_to_key) if not _is_row(key, row)), len(self))
        rest: list[int] = list(range(lead, len(self)))
        if sort_attr in self.expandos:
            self.allocate_vecattrs()
            rest.sort(key=self.expandos[sort_attr].tolist().__getitem__, reverse=True)
        elif fvocab is not None:
            raise ValueError(f"no attribute {sort_attr!r} to write to {os.fspath(fvocab)}")
        elif rest:
            logger.warning("no attribute %r to sort by; rows keep their order", sort_attr)
        order = [*range(lead), *rest]
        words = [f"{prefix}{key}" for key in self.index_to_key]
        torn = next((w for w in words if not w.isascii() and any("\ud800" <= sign <= "\udfff" for sign in w)), None)
        if torn is not None:
            raise ValueError(
                f"{os.fspath(fname)}: the word {torn!r} has a half character, a lone surrogate; save keeps it"
            )
        header = (len(self) if total_vec is None else total_vec) if write_header else None
        counts = [] if fvocab is None else self.expandos[sort_attr].tolist()
        word2vec_format.write_word2vec(
            fname, words, self.peek(), order,
            binary=binary, header=header, append=append, fvocab=fvocab, counts=counts,
        )  # fmt: skip

    @classmethod
    def load_word2vec_format(
        cls,
        fname: Pathlike,
        fvocab: Pathlike | None = None,
        binary: bool = False,
        encoding: str = "utf8",
        unicode_errors: str = "strict",
        limit: int | None = None,
        datatype: DTypeLike = np.float32,
        no_header: bool = False,
        *,
        errors: str = "strict",
        skipped: list[Any] | None = None,
    ) -> Self:
        """Read a file of word2vec.c, gensim or, with ``no_header=True``, GloVe.

        Parameters
        ----------
        fname : path-like
            ``.gz``, ``.bz2``, ``.xz`` and ``.zst`` are unpacked.
        fvocab : path-like, optional
            Lines of word and count. Without it the counts are made up, descending: words - row.
        binary : bool, default False
        encoding, unicode_errors : str
            How to decode the bytes of a word.
        limit : int, optional
            Read only this many rows.
        datatype : dtype, default float32
            A type of floats.
        no_header : bool, default False
            The first line is a row already. Text only. Without it, a first line that is plainly a row is taken for
            one, with a warning.
        errors : {"strict", "skip"}
            Refuse a file with a bad row (wrong number of values, NaN, no word, a word seen before or not in
            `encoding`), or leave such rows out, log them (the first ten, and how many), and add them to `skipped`.
        skipped : list, optional
            Where to add ``(place, reason)`` for each row left out; `place` is the number of a line, in a binary
            file the offset of a byte.

        Raises
        ------
        FormatError
            The file is not what it claims to be. If it is shorter than it claims, this is an EOFError too; if a
            word is not in `encoding`, a UnicodeDecodeError: ``unicode_errors="replace"`` or ``"ignore"`` read it
            all the same.
        """
        return _load_word2vec_format(
            cls, fname, fvocab, binary, encoding, unicode_errors, limit, datatype, no_header,
            errors=errors, skipped=skipped,
        )  # fmt: skip

    def intersect_word2vec_format(
        self,
        fname: Pathlike,
        lockf: float = 0.0,
        binary: bool = False,
        encoding: str = "utf8",
        unicode_errors: str = "strict",
    ) -> int:
        """Take over a file's vectors for the words here; no word is added.

        Parameters
        ----------
        fname : path-like
            As in `load_word2vec_format`.
        lockf : float, default 0.0
            The factor of these words' gradients from now on (`vectors_lockf`): 0 keeps the vectors as they are
            read, 1 trains them on.
        binary : bool, default False
        encoding, unicode_errors : str

        Returns
        -------
        int
            How many words were found.

        Raises
        ------
        ValueError
            The file has vectors of another size.
        """
        lock = np.float32(lockf)
        other = KeyedVectors.load_word2vec_format(
            fname, binary=binary, encoding=encoding, unicode_errors=unicode_errors
        )
        if other.vector_size != self.vector_size:
            raise ValueError(
                f"{os.fspath(fname)} has vectors of size {other.vector_size}, not vector_size={self.vector_size}"
            )
        shared = [word for word in other.index_to_key if word in self.key_to_index]
        rows = self.rows_of(shared)
        given = np.asarray(self.vectors_lockf, np.float32)
        locks = np.full(len(self), given[0] if len(given) == 1 else 1, np.float32)  # later words have 1
        locks[: len(given)] = given
        locks[rows] = lock
        self._writable_vectors()[rows] = other.vectors[other.rows_of(shared)]
        self.vectors_lockf = locks
        self.norms = None
        logger.info("%s: %s of %s words taken over", os.fspath(fname), f"{len(shared):,}", f"{len(self):,}")
        return len(shared)


def _load_word2vec_format(
    cls: type[_K],
    fname: Pathlike,
    fvocab: Pathlike | None = None,
    binary: bool = False,
    encoding: str = "utf8",
    unicode_errors: str = "strict",
    limit: int | None = None,
    datatype: DTypeLike = np.float32,
    no_header: bool = False,
    binary_chunk_size: int = word2vec_format.BLOCK,
    *,
    errors: str = "strict",
    skipped: list[Any] | None = None,
) -> _K:
    """Do the work of `KeyedVectors.load_word2vec_format`, reading `binary_chunk_size` bytes at a time."""
    counts, unread = (
        (None, []) if fvocab is None else word2vec_format.read_counts(fvocab, encoding, unicode_errors, errors)
    )
    loaded = word2vec_format.read_word2vec(
        fname,
        binary=binary,
        encoding=encoding,
        unicode_errors=unicode_errors,
        limit=limit,
        dtype=datatype,
        no_header=no_header,
        errors=errors,
        block=binary_chunk_size,
    )
    if skipped is not None:
        skipped += loaded.skipped + [(line, f"in the vocabulary: {reason}") for line, reason in unread]
    count = _made_up_counts(len(loaded.rows))
    if counts is not None:
        missing = next((word for word in loaded.rows if word not in counts), None)
        if missing is not None and errors == "strict":
            raise FormatError(f"{os.fspath(cast(Pathlike, fvocab))}: no count for the word {missing!r}")
        count = np.array([counts.get(word, 0) for word in loaded.rows], np.int64)
    return cls.from_arrays(loaded.rows, loaded.vectors, {"count": count})


load_word2vec_format = KeyedVectors.load_word2vec_format


def _made_up_counts(count: int) -> Array:
    return np.arange(count, 0, -1, dtype=np.int64)  # the words keep the order of the rows


def cosine(left: Array, right: Array) -> np.float32:
    """Product of two unit vectors."""
    return np.float32(np.clip(left @ right, -1, 1))  # rounding can add a little


def _is_row(key: Any, row: int) -> bool:
    return isinstance(key, (int, np.integer)) and key == row
