"""Terms as words: which sequences of words become one, in a sentence of strings and in a stream of numbers.

A `Level` is one pass over a sentence. Phrases of phrases are levels one after the other, and so are a dictionary and
the phrases found in what it leaves: a `Chain`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from w2v.files.reading import Pathlike
from w2v.terms import _terms
from w2v.tokens.numbering import Numbering, TermStream
from w2v.tokens.words import pieces_of

# How a sentence is divided where terms overlap.
MODES = ("greedy", "best")

Made = TypeVar("Made")


class Span(NamedTuple):
    """A word after its terms were joined, and where it was: ``sentence[begin:end]``."""

    word: str
    begin: int
    end: int


class Level(NamedTuple):
    """Sequences of words that become one word each.

    Attributes
    ----------
    terms : iterable of sequences of str
        As often as one likes; all different, none empty; in the `spelling`.
    outputs : sequence of str
        What each becomes.
    scores : sequence of float, optional
        Needed for ``best=True``.
    best : bool, default False
        Divide a sentence so that the scores of its terms have the greatest sum; of divisions with the same sum, take
        the one that joins earlier words. Otherwise take the longest term at each place, from left to right.
    spelling : int, default 0
        In which words are compared; see `w2v.terms._terms.spelt`.
    """

    terms: Iterable[Sequence[str]]
    outputs: Sequence[str]
    scores: Sequence[float] | None = None
    best: bool = False
    spelling: int = 0


class Stream:
    """A stream of numbered words whose terms are joined; see `w2v.tokens.numbering.TermStream`."""

    def __init__(self, joiner: _terms.Joiner, source: Numbering) -> None:
        self.source, self._outputs = source, joiner.outputs
        self._divider = _terms.Divider(joiner)
        self._known = 0

    def __len__(self) -> int:
        return self._divider.n_numbers

    def feed(self, tokens: NDArray[np.int32], ends: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        if len(self.source) > self._known:
            new = self.source.words(np.arange(self._known, len(self.source)))
            self._divider.know(new)
            self._known += len(new)
        return self._divider.feed(tokens, ends)

    def words(self, numbers: NDArray[np.int64]) -> list[str]:
        origins = self._divider.origins_of(np.ascontiguousarray(numbers, np.int64))
        words = iter(self.source.words(origins[origins >= 0]))
        return [next(words) if origin >= 0 else self._outputs[-1 - origin] for origin in origins.tolist()]

    def numbers(self, words: list[str]) -> NDArray[np.int64]:
        return self._divider.numbers_of(words, self.source.numbers(words))

    def counts(self) -> NDArray[np.int64]:
        return self._divider.counts()

    def terms_found(self) -> NDArray[np.int64]:
        """How often each term was found, int64; the terms of all levels, in order."""
        return self._divider.terms_found()


class Chain:
    """What joins terms, level after level: phrases, a dictionary, or several of them.

    A subclass says its `levels`. It has another `_key` whenever they change.
    """

    @property
    def levels(self) -> list[Level]:
        """The passes, in order."""
        raise NotImplementedError

    def _key(self) -> Any:
        """What the levels depend on, if they change."""
        return None

    def _kept(self, name: str, make: Callable[[], Made]) -> Made:
        """What `make` makes of the levels, made anew when they have changed."""
        key = self._key()
        if self.__dict__.get("_made", (None,))[0] != (key,):
            self.__dict__["_made"] = (key,), {}
        made: dict[str, Any] = self.__dict__["_made"][1]
        if name not in made:
            made[name] = make()
        found: Made = made[name]
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_made"}

    @property
    def joiner(self) -> _terms.Joiner:
        """The levels in compiled form."""
        return self._kept("joiner", lambda: _terms.Joiner(self.levels))

    def stream(self, source: Numbering) -> TermStream:
        """A stream of numbered words through all levels; see `w2v.tokens.numbering.Terms`."""
        return Stream(self.joiner, source)

    def joined(self, sentence: Iterable[str]) -> list[str]:
        """The words of a sentence, with its terms as one word each."""
        return self.joiner.joined(sentence)

    def each_joined(self, sentences: Iterable[Iterable[str]]) -> Iterator[list[str]]:
        """The same for one sentence after the other."""
        return self.joiner.each(sentences)

    def spans(self, sentence: Iterable[str]) -> list[Span]:
        """The words that a sentence becomes, each with the place of the words it stands for.

        Returns
        -------
        list of (word, begin, end)
            The word stands for ``sentence[begin:end]``; these follow one another without a gap.
        """
        words = list(sentence)
        joiner = self.joiner
        outputs = joiner.outputs
        return [
            Span(words[begin] if term < 0 else outputs[term], begin, end) for term, begin, end in joiner.parts(words)
        ]

    def sentences(self, source: Any, is_path: bool) -> Iterable[list[str]]:
        """The sentences of a corpus, which is read anew in each iteration."""
        return Joined(self, _Sentences(source, is_path))

    def __getitem__(self, sentence: Iterable[Any]) -> Any:
        """The words of a sentence with terms joined, or of a corpus: then an iterable over its sentences.

        An iterable whose first item is a str is a sentence, and so is an empty one.
        """
        if isinstance(sentence, str | bytes):
            raise TypeError(f"{sentence!r:.60} is a string, not a list of words; pass a list, such as text.split()")
        if isinstance(sentence, Iterator):
            first = next(sentence, None)
            if first is None:
                return []
            rest = chain((first,), sentence)
            return self.joined(rest) if isinstance(first, str) else Joined(self, rest)
        first = next(iter(sentence), "")
        return self.joined(sentence) if isinstance(first, str) else Joined(self, sentence)


class Several(Chain):
    """Chains one after the other."""

    def __init__(self, chains: Sequence[Chain]) -> None:
        self._levels = [level for chain in chains for level in chain.levels]

    @property
    def levels(self) -> list[Level]:
        return self._levels


class _Sentences:
    """The sentences of a corpus as lists."""

    def __init__(self, source: Iterable[Iterable[str]] | Pathlike, is_path: bool) -> None:
        self._source, self._is_path = source, is_path

    def __iter__(self) -> Iterator[list[str]]:
        held: list[str] = []
        for words, complete in pieces_of(self._source, self._is_path):
            held.extend(words)
            if complete:
                yield held
                held = []


class Joined:
    """A corpus with its terms as words: iterates over token lists, as often as the corpus does."""

    def __init__(self, chain: Chain, corpus: Iterable[Iterable[str]]) -> None:
        self.chain, self.corpus = chain, corpus

    def __iter__(self) -> Iterator[list[str]]:
        return self.chain.each_joined(self.corpus)

    def __len__(self) -> int:
        return len(self.corpus)  # type: ignore[arg-type]
