"""Words that are not there, and those that may have been meant: the spellings close to them."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_SPELLINGS = 50_000  # most frequent words searched for close spellings
_CANDIDATES = 10_000  # candidates whose edit distance is computed
_LONGEST = 40  # characters of a word that may be misspelt; people do not type longer ones


class UnknownKeyError(KeyError):
    """A KeyError that looks for close spellings only when its message is read, so that a miss stays cheap."""

    def __init__(self, key: object, keys: Sequence[object]) -> None:
        super().__init__(f"{key!r:.80} is not among the {len(keys):,} words kept")
        self._key, self._keys = key, keys

    def __str__(self) -> str:
        close = near_words(self._key, self._keys)
        return str(self.args[0]) + (f"; close to it: {', '.join(map(repr, close))}" if close else "")

    def __reduce__(self) -> tuple[Any, ...]:
        return KeyError, (str(self),)  # not the whole vocabulary


def near_words(word: object, keys: Iterable[object], count: int = 3) -> list[str]:
    """Find the keys that `word` may stand for: the same letters in another case, then close spellings.

    A close spelling differs by up to two edits, or one in a word of up to five characters. An edit changes, adds or
    drops a character; case does not count. The search takes a few milliseconds for any words.

    Parameters
    ----------
    word : str
        Other types and long words have no near keys.
    keys : iterable
        The most frequent ones first; only the first ones are searched.
    count : int, default 3
        How many to find at most.

    Returns
    -------
    list of str
        The closest first; of equally close keys the most frequent first.
    """
    if not isinstance(word, str) or not 0 < len(word) <= _LONGEST:
        return []
    wanted, most = word.casefold(), 1 if len(word) <= 5 else 2
    lengths = range(len(word) - most, len(word) + most + 1)
    near = (key for key in islice(keys, _SPELLINGS) if isinstance(key, str) and len(key) in lengths and key != word)
    candidates = list(islice(near, _CANDIDATES))
    edits = _edits(wanted, [key.casefold() for key in candidates])
    best = [i for i in np.argsort(edits, kind="stable")[:count].tolist() if edits[i] <= most]
    return [candidates[i] for i in best]


def _edits(word: str, others: Sequence[str]) -> Array:
    """Edit distance of a word to each of the others: Wagner & Fischer 1974, a row of all their tables at a time."""
    lengths = np.array([len(other) for other in others], np.int64)
    width = int(lengths.max(initial=1))
    spelt = np.ascontiguousarray(np.array(others, f"=U{width}").view(np.uint32).reshape(-1, width).T)
    above = np.tile(np.arange(width + 1, dtype=np.int16)[:, None], len(others))
    for letter in word:
        row = above + np.int16(1)
        np.minimum(row[1:], above[:-1] + (spelt != ord(letter)), out=row[1:])
        for j in range(width):
            np.minimum(row[j + 1], row[j] + np.int16(1), out=row[j + 1])
        above = row
    distances: Array = above[lengths, np.arange(len(others))]
    return distances


def row_of_term(key: object, vectors: Any) -> int | None:
    """The row of several words that the model's terms make one word of: "new york" asks for new_york."""
    if not isinstance(key, str) or len(words := key.split()) < 2:
        return None
    for step in getattr(vectors, "steps", ()):
        words = step.joined(words)
    row: int | None = vectors.key_to_index.get(words[0]) if len(words) == 1 else None
    return row
