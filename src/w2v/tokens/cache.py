"""The encoded corpus of a model: kept as long as corpus and vocabulary are the same, or streamed in every epoch."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from w2v.text.corpus import Corpus, is_same_corpus
from w2v.tokens.encode import CACHE_BYTES, Encoded, encode
from w2v.tokens.numbering import Terms
from w2v.tokens.stream import STREAM_WORDS, Collected, whole_batches
from w2v.tokens.tags import TagRows

# How many bytes of tokens stay in memory, for each value of the parameter `cache`.
LIMITS = {"auto": CACHE_BYTES, "memory": float("inf"), "disk": 0, "none": 0}

Identity = tuple[Any, ...]
Index = dict[str, int]
Report = Callable[[int], object]


class TokenCache:
    """One encoded corpus, and the identity of its corpus and vocabulary.

    Attributes
    ----------
    held : Encoded or None
    changed : bool
        Whether the last call asked for another corpus than the call before, or for changed contents.
    terms : Terms or None
        What makes words of terms, in every corpus.
    """

    def __init__(self, terms: Terms | None = None) -> None:
        self.terms = terms
        self.held: Encoded | None = None
        self.changed = False
        self._identity: Identity | None = None  # identity of the corpus held or streamed
        self._tokens = 0
        self._digest = ""  # hash of the last stream

    @property
    def corpus_identity(self) -> Identity | None:
        """The identity of the held corpus."""
        return None if self.held is None or self._identity is None else self._identity[:-3]

    def of(self, index: Index) -> Encoded | None:
        """The held corpus, if it is encoded by this vocabulary."""
        fits = self._identity is not None and self._identity[-2] is index and self._identity[-1] == len(index)
        return self.held if fits else None

    def drop(self) -> None:
        """Drop the held corpus, which belongs to another vocabulary."""
        self.__init__(self.terms)  # type: ignore[misc]

    def hold(self, identity: Identity, index: Index, encoded: Encoded) -> None:
        """Keep a corpus that was encoded while it was counted."""
        self._identity, self.held = (*identity, *self._key_of(index)), encoded

    def hold_count(self, identity: Identity, index: Index, tokens: int) -> None:
        """Keep the size of a corpus that is read in every epoch."""
        self._identity, self._tokens = (*identity, *self._key_of(index)), tokens

    def encode(
        self,
        corpus: Corpus,
        call: int,
        index: Index,
        cache: str,
        threads: int,
        report: Report,
        rows: TagRows | None = None,
    ) -> Encoded:
        """Return the corpus as integers: the held ones if corpus and vocabulary are the same, see `Corpus.identity`."""
        identity = (*corpus.identity(call), *self._key_of(index))
        known = self._holds(identity)
        self.changed = self.held is not None and not known
        if self.held is None or not known:
            # Keep the former corpus until this one is encoded: its iterator may have ended.
            self.held = encode(*corpus, index, LIMITS[cache], threads, report, rows, self.terms)
            self._identity = identity
        return self.held

    def holds(self, corpus: Corpus, call: int, index: Index) -> bool:
        """Whether `encode` need not read."""
        return self._holds((*corpus.identity(call), *self._key_of(index)))

    def _holds(self, identity: Identity) -> bool:
        return self.held is not None and self._identity is not None and is_same_corpus(self._identity, identity)

    def encode_meanwhile(self, corpus: Corpus, call: int, index: Index, cache: str, threads: int) -> Iterator[Encoded]:
        """Yield a corpus of words that is not held as integers, a part at a time; when all is read, hold it."""
        identity = (*corpus.identity(call), *self._key_of(index))
        self.changed = self.held is not None
        parts = Collected(whole_batches(*corpus, index, STREAM_WORDS, threads, None, self.terms), LIMITS[cache])
        yield from parts
        self.held, self._identity = parts.whole(), identity

    def count(self, corpus: Corpus, index: Index, threads: int, report: Report, rows: TagRows | None = None) -> int:
        """How many words of the vocabulary a corpus has that is not kept: known, or counted once."""
        identity = (*corpus.identity(), *self._key_of(index))
        known = self._identity is not None and is_same_corpus(self._identity, identity)
        self.changed = self._identity is not None and not known
        if self.held is not None or not known:
            tokens = 0
            for part in whole_batches(*corpus, index, STREAM_WORDS, threads, rows, self.terms):
                report(len(part.tokens))
                tokens += len(part.tokens)
            # One corpus at a time is known: what was held goes, or it would later be taken for this one.
            self.held, self._identity, self._tokens, self._digest = None, identity, tokens, ""
        return self._tokens

    def stream(self, corpus: Corpus, index: Index, threads: int, rows: TagRows | None = None) -> Iterator[Encoded]:
        """Yield the corpus as integers, a part at a time; only a hash of it is kept."""
        digest = hashlib.sha256()
        for part in whole_batches(*corpus, index, STREAM_WORDS, threads, rows, self.terms):
            for array in part.arrays():
                digest.update(array.data)
            yield part
        self.changed = self._digest not in ("", digest.hexdigest())
        self._digest = digest.hexdigest()

    def _key_of(self, index: Index) -> tuple[Terms | None, Index, int]:
        """The identity of a vocabulary, the object and its size, and of the terms among its words."""
        return self.terms, index, len(index)
