"""The encoded corpus of a model: kept as long as corpus and vocabulary are the same, or streamed in every epoch."""

from collections.abc import Callable, Iterator
from typing import Any

from w2v.encode import CACHE_BYTES, Encoded, encode, whole_batches
from w2v.text.corpus import Corpus, same

# Words encoded at a time where a corpus is streamed instead of kept.
STREAM_WORDS = 1 << 20

# How many bytes of tokens stay in memory, for each value of the parameter `cache`.
LIMITS = {"auto": CACHE_BYTES, "memory": float("inf"), "disk": 0, "none": 0}

Index = dict[str, int]
Report = Callable[[int], object]


class TokenCache:
    """Holds one encoded corpus, and knows of which corpus and which vocabulary it is.

    Parameters
    ----------
    about_to_drop : callable, optional
        Called with an encoded corpus before it is given up: the last chance to hash it.
    """

    def __init__(self, about_to_drop: Callable[[Encoded], object] = lambda encoded: None) -> None:
        self._about_to_drop = about_to_drop
        self._held: tuple[Any, Encoded] | None = None
        self._counted: tuple[Any, int] | None = None  # a corpus read in every epoch, and its size in tokens

    @property
    def held(self) -> Encoded | None:
        """The encoded corpus there is."""
        return None if self._held is None else self._held[1]

    def drop(self) -> None:
        """Give up what is held: it belongs to another vocabulary."""
        if self._held is not None:
            self._about_to_drop(self._held[1])
        self._held = self._counted = None

    def hold(self, identity: Any, index: Index, encoded: Encoded) -> None:
        """Keep a corpus that was encoded while it was counted."""
        self._held = (*identity, *_of(index)), encoded

    def hold_count(self, identity: Any, index: Index, tokens: int) -> None:
        """Keep the size of a corpus that is read in every epoch."""
        self._counted = (*identity, *_of(index)), tokens

    def encoded(self, corpus: Corpus, index: Index, cache: str, threads: int, report: Report) -> Encoded:
        """The corpus as integers: those there are, if corpus and vocabulary are the same."""
        identity = (*corpus.identity(), *_of(index))
        if self._held is None or not same(self._held[0], identity):
            encoded = encode(*corpus, index, LIMITS[cache], threads, report)
            self.drop()  # only now: should this corpus be no text, the other one may be an iterator that has ended
            self._held = identity, encoded
        return self._held[1]

    def count(self, corpus: Corpus, index: Index, threads: int, report: Report) -> int:
        """How many words of the vocabulary a corpus has that is not kept: known, or counted once."""
        identity = (*corpus.identity(), *_of(index))
        if self._counted is None or not same(self._counted[0], identity):
            tokens = 0
            for part in self.stream(corpus, index, threads):
                report(len(part.tokens))
                tokens += len(part.tokens)
            self._counted = identity, tokens
        return self._counted[1]

    def stream(self, corpus: Corpus, index: Index, threads: int) -> Iterator[Encoded]:
        """The corpus as integers, a part at a time; nothing of it is kept."""
        return whole_batches(*corpus, index, STREAM_WORDS, threads)


def _of(index: Index) -> tuple[Index, int]:
    """What tells a vocabulary from another: the object, and how much it has grown."""
    return index, len(index)
