"""What numbers words: the tables of texts, a dictionary, and a stream of sentences whose terms become one word each."""

from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Batch(NamedTuple):
    """Consecutive tokens, the ends of sentences among them, and the owner of the numbers (see `words.Tokenizer`)."""

    tokens: NDArray[np.int32]
    ends: NDArray[np.int64]
    owner: int = 0
    ordered: bool = True  # as in `Encoded`


class Numbering(Protocol):
    """Words that have the numbers 0, 1, ... in order of first appearance."""

    def __len__(self) -> int: ...

    def words(self, numbers: NDArray[np.int64], /) -> list[str]:
        """The words behind numbers."""

    def numbers(self, words: list[str], /) -> NDArray[np.int64]:
        """The numbers of words; -1 for unknown ones."""


class TermStream(Numbering, Protocol):
    """A stream of numbered words from which one of terms comes; it numbers and counts what comes out."""

    def feed(self, tokens: NDArray[np.int32], ends: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Pass tokens on, with the ends of sentences among them; the last words of an open sentence may come later."""

    def counts(self) -> NDArray[np.int64]:
        """How often each number has come out."""


class Terms(Protocol):
    """What makes one word of several, or another of one; see the room `terms`."""

    def stream(self, source: Numbering) -> TermStream:
        """A new stream over words that `source` numbers."""

    def sentences(self, source: Any, is_path: bool) -> Iterable[list[str]]:
        """The sentences of a corpus with their terms as words."""


class DictNumbering:
    """The words of a dictionary of words and numbers, to which words are added meanwhile."""

    def __init__(self, ids: dict[str, int]) -> None:
        self._ids = ids
        self._words: list[str] = []

    def __len__(self) -> int:
        return len(self._ids)

    def words(self, numbers: NDArray[np.int64]) -> list[str]:
        new = len(self._ids) - len(self._words)
        self._words.extend(reversed(list(islice(reversed(self._ids), new))))
        return [self._words[number] for number in numbers.tolist()]

    def numbers(self, words: list[str]) -> NDArray[np.int64]:
        return np.fromiter((self._ids.get(word, -1) for word in words), np.int64, len(words))
