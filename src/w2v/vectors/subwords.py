"""FastTextKeyedVectors: words with vectors made of those of their n-grams, so that any string has one."""

import logging
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from w2v.common.cores import core_count
from w2v.common.public import public
from w2v.files import gensim_fasttext, gensim_pickle, native
from w2v.files.arrays import attributes_in
from w2v.files.errors import FormatError
from w2v.files.reading import Pathlike
from w2v.vectors import queries
from w2v.vectors.keyed import KeyedVectors
from w2v.vectors.lookup import Array
from w2v.vectors.resolving import parts_of
from w2v.vocabulary._ngrams import mean_rows, ngram_rows

logger = logging.getLogger(__name__)

# What a file of such vectors alone is called; see `w2v.files.native`.
KIND = "subword_vectors"

# Numbers to add up that are worth a thread.
NUMBERS_OF_A_THREAD = 50_000_000

# Far longer than a word; a file that asks for more is not sound.
LONGEST_NGRAM = 1000


@public
class FastTextKeyedVectors(KeyedVectors):
    """Word vectors that are means: of a word's own row and those of its n-grams (Bojanowski et al. 2017).

    A string that is no word has the mean of the rows of its n-grams. One without any n-gram (shorter than `min_n`) has
    the zero vector, and a line in the log says so.

    Parameters
    ----------
    vector_size : int
    min_n, max_n : int, default 3 and 6
        The shortest and the longest n-gram, in characters, brackets included: ``<as`` is one of ``as``. With `max_n`
        below `min_n` there are none.
    bucket : int, default 2,000,000
        How many rows n-grams have; those of one hash share a row. 0 means no n-grams.
    count, dtype, mapfile_path
        As in `KeyedVectors`.

    Attributes
    ----------
    vectors : float32 [words, vector_size]
        The means, for all queries. `adjust_vectors` makes them anew.
    all_rows : float32 [words + bucket, vector_size]
        Own rows of words, then those of n-grams. `vectors_vocab` and `vectors_ngrams` are these two parts.
    vectors_ngrams_lockf : float32 [1] or [bucket]
        As `vectors_lockf`, which is for own rows of words.
    """

    vectors_ngrams_lockf: Array = np.broadcast_to(np.float32(1), 1)
    compatible_hash = True  # with fastText; gensim's programs ask

    def __init__(
        self,
        vector_size: int,
        min_n: int = 3,
        max_n: int = 6,
        bucket: int = 2_000_000,
        count: int = 0,
        dtype: DTypeLike = np.float32,
        mapfile_path: Any = None,
    ) -> None:
        super().__init__(vector_size, count, dtype, mapfile_path)
        self.min_n, self.max_n = min_n, max_n
        self.bucket = bucket if max(min_n, 1) <= max_n else 0
        self.all_rows: NDArray[np.float32] = np.zeros((self.bucket + count, vector_size), np.float32)
        self.without_ngrams: tuple[str, ...] = ()  # "</s>" of fastText's files
        self.kept: NDArray[np.int32] | None = None  # of a pruned model: hashes, rising, and the buckets that they have
        self.hashes = self.bucket
        self._listed: tuple[list[Any], int, tuple[Array, Array]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_listed": None}

    @classmethod
    def of_rows(
        cls,
        keys: list[str],
        all_rows: NDArray[np.float32],
        attributes: Mapping[str, Array],
        min_n: int,
        max_n: int,
        without_ngrams: tuple[str, ...] = (),
        hashes: int | None = None,
        kept: NDArray[np.int32] | None = None,
    ) -> Self:
        """Build from the rows of words and n-grams, without a copy.

        Parameters
        ----------
        keys : list of str, all different
        all_rows : float32 [keys + bucket, vector_size]
        attributes : mapping of str to ndarray [keys], such as ``count``
        min_n, max_n : int
        without_ngrams : tuple of str, words that are only their own row
        hashes : int, optional
            How many hashes n-grams have, by default as many as there are buckets.
        kept : int32 [bucket, 2], optional
            Of a pruned model: the hashes that have a bucket, and the number of this bucket. Other n-grams are left out.
        """
        made = cls(all_rows.shape[1], min_n, max_n, len(all_rows) - len(keys))
        made.take_over(keys, np.zeros((0, made.vector_size), np.float32), attributes)
        made.all_rows, made.without_ngrams = all_rows if made.bucket else all_rows[: len(keys)], without_ngrams
        if kept is not None and hashes is not None:
            made.hashes, made.kept = hashes, kept[np.argsort(kept[:, 0])]
        made.adjust_vectors()
        return made

    @property
    def vectors_vocab(self) -> NDArray[np.float32]:
        """The own rows of words, a view [words, vector_size]."""
        return self.all_rows[: len(self.all_rows) - self.bucket]

    @property
    def vectors_ngrams(self) -> NDArray[np.float32]:
        """The rows of n-grams, a view [bucket, vector_size]."""
        return self.all_rows[len(self.all_rows) - self.bucket :]

    def subwords(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Which rows each word has: offsets int64 [words + 1] and rows int32; see `w2v.vocabulary._ngrams`."""
        keys, known = self.index_to_key, self._listed
        if known is None or known[0] is not keys or known[1] != len(keys):
            known = self._listed = keys, len(keys), self._list(keys, own=True)
        return known[2]

    def _list(self, texts: list[str], own: bool) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        words, kept = len(self), self.kept
        if not self.bucket:
            return np.arange(words + 1), np.arange(words, dtype=np.int32)
        hashes = self.bucket if kept is None else self.hashes
        without = self.without_ngrams if own else ()
        offsets, rows = ngram_rows(texts, self.min_n, self.max_n, hashes, first_row=words, own=own, without=without)
        if kept is not None:
            place = np.minimum(np.searchsorted(kept[:, 0], rows - words), len(kept) - 1)
            there = (kept[place, 0] == rows - words) | (rows < words)
            rows = np.where(rows < words, rows, kept[place, 1] + words)[there].astype(np.int32)
            offsets = np.concatenate([[0], np.cumsum(there)])[offsets]
        return offsets, rows

    @property
    def vectors_vocab_lockf(self) -> Array:
        """gensim's name of `vectors_lockf`."""
        return self.vectors_lockf

    @vectors_vocab_lockf.setter
    def vectors_vocab_lockf(self, factors: Array) -> None:
        self.vectors_lockf = factors

    @property
    def buckets_word(self) -> list[NDArray[np.int32]]:
        """Of each word, the rows of `vectors_ngrams` that it has."""
        offsets, rows = self.subwords()
        return [rows[begin + 1 : end] - len(self) for begin, end in pairwise(offsets.tolist())]

    def adjust_vectors(self) -> None:
        """Make `vectors` anew from the rows of words and n-grams; training does it after each epoch."""
        means = np.empty((len(self), self.vector_size), np.float32)
        _fill_means(self.all_rows, *self.subwords(), means)
        self.vectors, self.norms = means, None

    def recalc_char_ngram_buckets(self) -> None:
        """List the n-grams of all words anew; gensim's step after a change of `key_to_index`."""
        self._listed = None

    # Look-up

    def __contains__(self, key: object) -> bool:
        """Every string has a vector where `oov` has ``"subword"``; whether it is a word, ``key_to_index`` says."""
        return self.has_index_for(key) or (self.bucket > 0 and isinstance(key, str) and "subword" in parts_of(self.oov))

    def _default_policies(self) -> tuple[str, ...]:
        return ("subword", "zero") if self.bucket else ("error",)

    def vector_of_unknown(self, key: Any) -> Array:
        """Return what `oov` gives for a string that is no word, by default the mean of its n-grams."""
        vector, answers = self._found(key, self.oov, self.oov_terms or {}, [])
        if "zero" in answers and self._policies is None:
            logger.warning("%r has no n-grams of %d to %d characters: its vector is zero", key, self.min_n, self.max_n)
        return vector

    def vector_of_ngrams(self, text: str) -> NDArray[np.float32] | None:
        """Return the mean of the rows of a string's n-grams, whether it is a word or not; None if it has none."""
        if not self.bucket:
            return None
        offsets, rows = self._list([text], own=False)
        mean = np.empty((1, self.vector_size), np.float32)
        mean_rows(self.all_rows, offsets, rows, mean)
        return mean[0] if len(rows) else None

    def ngrams_of(self, text: str) -> list[str]:
        """Return the n-grams that make up the vector of a string that is no word, in the order of their rows."""
        marked, least = f"<{text}>", max(self.min_n, 1)
        spans = [(i, j) for i in range(len(marked)) for j in range(i + least, min(i + self.max_n, len(marked)) + 1)]
        return [marked[i:j] for i, j in spans if j - i > 1 or 0 < i < len(marked) - 1]

    # Files

    def _contents(self) -> tuple[str, dict[str, Array], dict[str, Any]]:
        if self.kept is not None:
            raise ValueError("a pruned model of fastText's cannot be saved; KeyedVectors.from_arrays keeps its words")
        _, arrays, _ = super()._contents()
        counts = np.zeros(len(self), np.int64)
        settings = {"min_n": self.min_n, "max_n": self.max_n, "without_ngrams": list(self.without_ngrams)}
        rows = {"vectors": arrays["vectors"], "rows": self.all_rows, "vocab.counts": counts}
        return KIND, rows | arrays, {"settings": settings}

    @classmethod
    def load(
        cls,
        fname: Pathlike,
        mmap: str | bool | None = None,
        rethrow: bool = False,
        *,
        allow_pickle: bool | None = None,
    ) -> Self:
        """Read a file of `save`, or the vectors of a saved `FastText`; see `KeyedVectors.load`."""
        if mmap not in (None, False, True, "r"):
            raise ValueError(f"mmap={mmap!r}; a file can only be mapped read-only, mmap='r'")
        if gensim_pickle.may_read(fname, allow_pickle):
            found = gensim_pickle.read_gensim(fname, mmap)
            ngrams = gensim_fasttext.subwords_of(found)
            rows = np.concatenate([found.vectors, ngrams.rows])
            lengths = ngrams.min_n, ngrams.max_n
            return cls.of_rows(found.words, rows, found.attributes, *lengths, (), ngrams.bucket, ngrams.kept)
        _, words, arrays, meta = native.read_native(fname, mmap=bool(mmap), outputs=False)
        if "rows" not in arrays:
            raise FormatError(f"{os.fspath(fname)}: it holds vectors without n-grams; use KeyedVectors.load")
        attributes = {"count": arrays["vocab.counts"], **attributes_in(arrays)}
        made = cls.of_rows(words, arrays["rows"], attributes, **ngrams_of(meta, fname))
        return made.with_attachments(arrays, os.fspath(fname))


class MappedSubwords(FastTextKeyedVectors):
    """Vectors whose rows stay in a file: a look-up reads those of one word, a query over all words reads all."""

    _whole = False

    def adjust_vectors(self) -> None:
        """Put off making the means until a query needs them all."""
        self._whole = False

    def peek(self) -> Array:
        """Return the means of all words; the first time they are made of the whole file."""
        if not self._whole:
            self._whole = True
            self.all_rows = np.require(self.all_rows, np.float32, ["C", "A"])
            super().adjust_vectors()
        return super().peek()

    @property
    def vectors(self) -> Array:
        """The means of all words."""
        self.peek()
        return super().vectors

    @vectors.setter
    def vectors(self, matrix: Array) -> None:
        FastTextKeyedVectors.vectors.fset(self, matrix)  # type: ignore[attr-defined]

    def get_vector(self, key: Any, norm: bool = False) -> Array:
        """Return the vector of a word, of its rows alone, or of any other string."""
        row = self.get_index(key, -1)
        if self._whole or row < 0:
            return super().get_vector(key, norm)
        _, rows = self._list([self.index_to_key[row]], own=True)
        vector = self._mean_of(np.concatenate([np.full(1, row, np.int32), rows[1:]]))
        return queries.unit_rows(vector[np.newaxis], None)[0] if norm else vector

    def vector_of_ngrams(self, text: str) -> NDArray[np.float32] | None:
        """Return the mean of the rows of a string's n-grams; None if it has none."""
        if self._whole or not self.bucket:
            return super().vector_of_ngrams(text)
        _, rows = self._list([text], own=False)
        return self._mean_of(rows) if len(rows) else None

    def _mean_of(self, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        mean, own = np.empty((1, self.vector_size), np.float32), np.arange(len(rows), dtype=np.int32)
        mean_rows(np.ascontiguousarray(self.all_rows[rows]), np.array([0, len(rows)]), own, mean)
        found: NDArray[np.float32] = mean[0]
        return found


def _fill_means(matrix: Array, offsets: NDArray[np.int64], rows: NDArray[np.int32], means: NDArray[np.float32]) -> None:
    """Fill the means of all words, large tables by as many threads as there are cores, each with words of its own."""
    threads = max(1, min(core_count(), len(rows) * means.shape[1] // NUMBERS_OF_A_THREAD))
    bounds = np.linspace(0, len(means), threads + 1).astype(np.int64).tolist()

    def fill(begin: int, end: int) -> None:
        own = offsets[begin : end + 1]
        mean_rows(matrix, own - own[0], rows[own[0] : own[-1]], means[begin:end])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, bounds[:-1], bounds[1:]))


def ngrams_of(meta: Mapping[str, Any], fname: Pathlike) -> dict[str, Any]:
    """What a file says of n-grams: `min_n`, `max_n` and `without_ngrams`; FormatError if it is not sound."""
    settings = meta.get("settings")
    if not isinstance(settings, dict):
        raise FormatError(f"{os.fspath(fname)}: it does not say how long its n-grams are")
    found = {name: settings.get(name) for name in ("min_n", "max_n")}
    without = settings.get("without_ngrams", [])
    sound = all(isinstance(n, int) and 0 <= n <= LONGEST_NGRAM for n in found.values())
    if not sound or not isinstance(without, list) or not all(isinstance(word, str) for word in without):
        raise FormatError(f"{os.fspath(fname)}: n-grams of {found['min_n']!r} to {found['max_n']!r} characters")
    return {**found, "without_ngrams": tuple(without)}
