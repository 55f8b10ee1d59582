"""The n-grams of gensim's pickled FastText: their lengths, rows and locks, in the layouts of gensim 3.8 to 4.4.

4.0 on      ``vectors_ngrams`` has a row for each bucket
3.8         it has a row for each hash that occurred, and ``hash2index`` tells which; locks are matrices and unused

Older files hash n-grams in another way, and are refused: gensim 3.8 can read and save them again.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.files import gensim_pickle
from w2v.files.gensim_pickle import GensimFile

_CLASS = "FastTextKeyedVectors"
_LONGEST = 1000  # characters of an n-gram; far more than a word has
_MOST_BUCKETS = 2**31 - 1


class Subwords(NamedTuple):
    """What belongs to n-grams.

    Attributes
    ----------
    min_n, max_n : int
    bucket : int, how many hashes there are
    rows : float32 [bucket, vector_size], or of the hashes that are kept alone
    kept : int32 [rows, 2] or None, the hashes that have rows, and the numbers of these
    locks : float32 [words + bucket] or None, if not all are 1
    """

    min_n: int
    max_n: int
    bucket: int
    rows: NDArray[np.float32]
    kept: NDArray[np.int32] | None
    locks: NDArray[np.float32] | None

    def of_all_hashes(self) -> NDArray[np.float32]:
        """Rows of all hashes, float32 [bucket, vector_size]: zeros for those without one."""
        if self.kept is None:
            return self.rows
        whole = np.zeros((self.bucket, self.rows.shape[1]), np.float32)
        whole[self.kept[:, 0]] = self.rows[self.kept[:, 1]]
        return whole


def has_subwords(found: GensimFile) -> bool:
    """Whether a file's words have n-grams; its ``vectors`` are then the words' own rows, which are no vectors."""
    return found.kind == "fasttext" or (found.fields or {}).get("vectors_vocab") is not None


def plain(found: GensimFile) -> tuple[list[Any], NDArray[np.float32], dict[str, NDArray[Any]]]:
    """The words, vectors and attributes of a file; FormatError if its words have n-grams."""
    if has_subwords(found):
        raise found.source.fault("its vectors have n-grams; use FastTextKeyedVectors.load(..., allow_pickle=True)")
    return found.words, found.vectors, found.attributes


def subwords_of(found: GensimFile) -> Subwords:
    """The n-grams of a file that has them.

    Raises
    ------
    FormatError
        It has none, hashes them in another way than fastText, or does not agree with itself.
    """
    fields, source = found.fields, found.source
    if fields is None or not has_subwords(found):
        raise source.fault("it holds vectors without n-grams; use KeyedVectors.load")
    held = fields
    if found.kind == "fasttext":
        held = fields | gensim_pickle.fields_of(fields.get("wv"), f"{source.name}.wv", source, (_CLASS,))
    if held.get("compatible_hash") is not True:
        raise source.fault("gensim before 3.8 hashed n-grams in another way; let gensim 3.8 read it and save it again")
    sizes: list[Any] = [held.get(name) for name in ("min_n", "max_n", "bucket")]
    sound = [type(size) is int and size >= 0 for size in sizes]
    if not all(sound) or max(sizes[:2]) > _LONGEST or len(found.words) + sizes[2] > _MOST_BUCKETS:
        raise source.fault(f"min_n, max_n and bucket are {sizes!r:.80}")
    min_n, max_n, bucket = sizes
    width = found.vectors.shape[1]
    if max(min_n, 1) > max_n or not bucket:
        return Subwords(min_n, max_n, 0, np.zeros((0, width), np.float32), None, None)
    rows = gensim_pickle.floats_of(held.get("vectors_ngrams"), source, "the matrix of n-grams", (None, width))
    kept = _kept(held.get("hash2index"), bucket, len(rows), source)
    if kept is None and len(rows) != bucket:
        raise source.fault(f"{len(rows):,} rows of n-grams, where bucket={bucket:,}")
    locks = _locks(held, len(found.words), bucket, source) if kept is None else None
    return Subwords(min_n, max_n, bucket, rows, kept, locks)


def _kept(value: Any, bucket: int, rows: int, source: Any) -> NDArray[np.int32] | None:
    """The pairs of hash and row, or None if each hash has the row of its number."""
    if not value:
        return None
    if type(value) is not dict or any(type(n) is not int for pair in value.items() for n in pair):
        raise source.fault("hash2index is no table of numbers")
    hashes, places = (np.array(list(numbers), np.int64) for numbers in (value, value.values()))
    if len(value) != rows or hashes.min() < 0 or hashes.max() >= bucket or (np.sort(places) != np.arange(rows)).any():
        raise source.fault(f"hash2index does not tell the hashes of {rows:,} rows")
    if rows == bucket and (hashes == places).all():
        return None
    return np.stack([hashes, places], axis=1).astype(np.int32)


def _locks(held: dict[str, Any], words: int, bucket: int, source: Any) -> NDArray[np.float32] | None:
    found = []
    for name, rows in (("vectors_vocab_lockf", words), ("vectors_ngrams_lockf", bucket)):
        lock = np.ones(1, np.float32)
        if held.get(name) is not None:
            lock = gensim_pickle.floats_of(held[name], source, name, (None,))
            if len(lock) not in (1, rows):
                raise source.fault(f"{name} has {len(lock):,} numbers for {rows:,} rows")
        found.append(np.broadcast_to(lock, rows))
    locks = np.concatenate(found)
    return None if (locks == 1).all() else locks
