"""Terms as words: which sequences of words become one, in a sentence of strings and in a stream of numbers.

A `Level` is one pass over a sentence. Phrases of phrases are levels one after the other, and so are a dictionary and
the phrases found in what it leaves: a `Chain`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.files.reading import Pathlike
from w2v.terms import _terms
from w2v.tokens.numbering import Numbering, TermStream
from w2v.tokens.words import pieces_of

# How a sentence is divided where terms overlap.
MODES = ("greedy", "best")

Spelling = Callable[[str], str]


class Span(NamedTuple):
    """A word after its terms were joined, and where it was: ``sentence[begin:end]``."""

    word: str
    begin: int
    end: int


class _Symbols(dict[str, int]):
    """The symbols of the words that terms are made of; -1 for any other word."""

    spelling: Spelling | None = None

    def __missing__(self, word: str) -> int:
        if not isinstance(word, str):
            raise TypeError(f"the words of a sentence must be str, not {type(word).__name__}: got {word!r:.80}")
        return -1


class _SpeltSymbols(_Symbols):
    """The same for words that are compared in another spelling."""

    def __init__(self, spelling: Spelling) -> None:
        super().__init__()
        self.spelling = self._spelt = spelling

    def __missing__(self, word: str) -> int:
        super().__missing__(word)
        return dict.get(self, self._spelt(word), -1)


class Level:
    """Sequences of words that become one word each.

    Parameters
    ----------
    terms : sequence of sequences of str
        All different, none empty; with `spelling`, in that spelling.
    outputs : list of str
        What each becomes.
    scores : sequence of float, optional
        Needed for ``best=True``.
    best : bool, default False
        Divide a sentence so that the scores of its terms have the greatest sum; of divisions with the same sum, take
        the one that joins earlier words. Otherwise take the longest term at each place, from left to right.
    spelling : callable, optional
        The spelling of a word in which it is compared.
    """

    def __init__(
        self,
        terms: Sequence[Sequence[str]],
        outputs: list[str],
        scores: Sequence[float] | None = None,
        best: bool = False,
        spelling: Spelling | None = None,
    ) -> None:
        self.outputs = outputs
        self.symbols: _Symbols = _Symbols() if spelling is None else _SpeltSymbols(spelling)
        symbols = self.symbols
        flat = [symbols.setdefault(word, len(symbols)) for term in terms for word in term]
        offsets = np.zeros(len(terms) + 1, np.int64)
        np.cumsum([len(term) for term in terms], out=offsets[1:])
        values = np.zeros(len(terms)) if scores is None else np.array(scores, np.float64)
        self.tree = _terms.TermTree(np.array(flat, np.int32), offsets, values, len(symbols), best)
        self.slots: dict[str, int] = {}
        self.slot_of_term = np.array([self.slots.setdefault(word, len(self.slots)) for word in outputs], np.int32)

    def joined(self, sentence: list[str]) -> list[str]:
        """The words of a sentence, with its terms as one word each."""
        return self.tree.joined(sentence, self.symbols, self.outputs)

    def spans(self, spans: list[Span]) -> list[Span]:
        """The same for words that stand for words of a sentence themselves."""
        made, at = [], 0
        for term, length in self.tree.parts([span.word for span in spans], self.symbols):
            word = spans[at].word if term < 0 else self.outputs[term]
            made.append(Span(word, spans[at].begin, spans[at + length - 1].end))
            at += length
        return made

    def parts(self, sentence: list[str]) -> list[tuple[int, int]]:
        """The parts of a sentence: the number of the term, or -1, and how many words."""
        return self.tree.parts(sentence, self.symbols)


class LevelStream:
    """A stream of numbered words through a level; see `w2v.tokens.numbering.TermStream`."""

    def __init__(self, level: Level, source: Numbering) -> None:
        self.level, self.source = level, source
        self._divider = _terms.Divider(level.tree, level.slot_of_term)
        self._known = 0
        self._slots = len(level.slots)  # a word that is spelt as a term's output has its slot, any other one of its own

    def __len__(self) -> int:
        return self._divider.n_numbers

    def _know(self) -> None:
        """Take in the words that the source has numbered since."""
        new = self.source.words(np.arange(self._known, len(self.source)))
        if not new:
            return
        symbols, slots = self.level.symbols, self.level.slots
        own = np.array([slots.get(word, -1) for word in new], np.int32)
        alone = np.flatnonzero(own < 0)
        own[alone] = np.arange(self._slots, self._slots + len(alone))
        self._slots += len(alone)
        self._divider.know(np.array([symbols[word] for word in new], np.int32), own, self._slots)
        self._known += len(new)

    def feed(self, tokens: NDArray[np.int32], ends: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        self._know()
        return self._divider.feed(tokens, ends)[:2]

    def words(self, numbers: NDArray[np.int64]) -> list[str]:
        origins = self._divider.origins_of(np.ascontiguousarray(numbers, np.int64))
        from_words = origins >= 0
        words = iter(self.source.words(origins[from_words]))
        outputs = self.level.outputs
        return [next(words) if origin >= 0 else outputs[-1 - origin] for origin in origins.tolist()]

    def numbers(self, words: list[str]) -> NDArray[np.int64]:
        slots = self._divider.slots_of_words(self.source.numbers(words))
        of_terms = np.array([self.level.slots.get(word, -1) for word in words], np.int64).reshape(-1)
        slots = np.where(of_terms >= 0, of_terms, slots)
        found = np.full(len(slots), -1, np.int64)
        found[slots >= 0] = self._divider.numbers_of_slots(slots[slots >= 0])
        return found

    def counts(self) -> NDArray[np.int64]:
        return self._divider.counts()

    def terms_found(self) -> NDArray[np.int64]:
        """How often each term of the level was found, int64."""
        return self._divider.terms_found()


class ChainStream:
    """A stream through several levels."""

    def __init__(self, levels: Sequence[Level], source: Numbering) -> None:
        self.levels: list[LevelStream] = []
        for level in levels:
            self.levels.append(LevelStream(level, self.levels[-1] if self.levels else source))
        self.words, self.numbers = self.levels[-1].words, self.levels[-1].numbers
        self.counts = self.levels[-1].counts

    def __len__(self) -> int:
        return len(self.levels[-1])

    def feed(self, tokens: NDArray[np.int32], ends: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        for level in self.levels:
            tokens, ends = level.feed(tokens, ends)
        return tokens, ends


class _Nothing:
    """A stream through no level."""

    def __init__(self, source: Numbering) -> None:
        self.words, self.numbers = source.words, source.numbers
        self._source = source
        self._counts = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._source)

    def feed(self, tokens: NDArray[np.int32], ends: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        counts = np.bincount(tokens, minlength=len(self._source))
        counts[: len(self._counts)] += self._counts
        self._counts = counts
        return tokens, ends

    def counts(self) -> NDArray[np.int64]:
        return self._counts


class Chain:
    """What joins terms, level after level: phrases, a dictionary, or several of them.

    A subclass says its `levels`.
    """

    @property
    def levels(self) -> list[Level]:
        """The passes, in order."""
        raise NotImplementedError

    def stream(self, source: Numbering) -> TermStream:
        """A stream of numbered words through all levels; see `w2v.tokens.numbering.Terms`."""
        levels = self.levels
        return ChainStream(levels, source) if levels else _Nothing(source)

    def joined(self, sentence: Iterable[str]) -> list[str]:
        """The words of a sentence, with its terms as one word each."""
        words = sentence if type(sentence) is list else list(sentence)
        levels = self.levels
        if not levels:
            return words[:]
        for level in levels:
            words = level.joined(words)
        return words

    def spans(self, sentence: Iterable[str]) -> list[Span]:
        """The words that a sentence becomes, each with the place of the words it stands for.

        Returns
        -------
        list of (word, begin, end)
            The word stands for ``sentence[begin:end]``; these follow one another without a gap.
        """
        spans = [Span(word, at, at + 1) for at, word in enumerate(sentence)]
        for level in self.levels:
            spans = level.spans(spans)
        return spans

    def sentences(self, source: Any, is_path: bool) -> Iterable[list[str]]:
        """The sentences of a corpus, which is read anew in each iteration."""
        return _Sentences(self, source, is_path)


class Several(Chain):
    """Chains one after the other."""

    def __init__(self, chains: Sequence[Chain]) -> None:
        self._levels = [level for chain in chains for level in chain.levels]

    @property
    def levels(self) -> list[Level]:
        return self._levels


class _Sentences:
    """The sentences of a corpus with their terms as words."""

    def __init__(self, chain: Chain, source: Iterable[Iterable[str]] | Pathlike, is_path: bool) -> None:
        self._chain, self._source, self._is_path = chain, source, is_path

    def __iter__(self) -> Iterator[list[str]]:
        held: list[str] = []
        for words, complete in pieces_of(self._source, self._is_path):
            held.extend(words)
            if complete:
                yield self._chain.joined(held)
                held = []


class Joined:
    """A corpus with its terms as words: iterates over token lists, as often as the corpus does."""

    def __init__(self, chain: Chain, corpus: Iterable[Iterable[str]]) -> None:
        self.chain, self.corpus = chain, corpus

    def __iter__(self) -> Iterator[list[str]]:
        joined = self.chain.joined
        for sentence in self.corpus:
            yield joined(sentence)

    def __len__(self) -> int:
        return len(self.corpus)  # type: ignore[arg-type]
