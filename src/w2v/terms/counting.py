"""Pairs of adjacent words and how often they occur: a corpus in, exact counts out, or bounded ones with their error."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.terms import _pairs, term_file
from w2v.tokens.numbering import DictNumbering, Numbering


class Pairs(NamedTuple):
    """Pairs of words, with what stands between them.

    Attributes
    ----------
    a, b : int64, numbers of the words
    link : int64, numbers of the runs of connectors between them; 0 is none
    counts : int64
    errors : int64, the most occurrences that each count may lack
    """

    a: NDArray[np.int64]
    link: NDArray[np.int64]
    b: NDArray[np.int64]
    counts: NDArray[np.int64]
    errors: NDArray[np.int64]


class PairCounts:
    """Counts the words of a stream, and pairs of adjacent ones; connectors may stand between the words of a pair.

    Counts are exact as long as no more than `most` words and pairs are known. Beyond that the rare ones are forgotten,
    until half of them are left (Misra & Gries 1982, in batches). What comes back is counted anew. A count then lacks
    `lost_at_most` occurrences at most, and what is not known did not occur more often than that; this bound is at most
    ``4 * words / most``. A pair that was never forgotten has an exact count, and an error of 0.

    Parameters
    ----------
    most : int
    connectors : iterable of str
    threads : int
        Nothing depends on their number.
    """

    def __init__(self, most: int, connectors: Iterable[str], threads: int) -> None:
        self.most = most
        self.connectors = sorted(connectors)
        self.threads = threads
        self._counter = _pairs.PairCounter()

    @property
    def total_words(self) -> int:
        """Words that have come, connectors included."""
        return self._counter.total_words

    @property
    def lost_at_most(self) -> int:
        """The most occurrences that a count lacks; 0 if all are exact."""
        return self._counter.lost_at_most

    def __len__(self) -> int:
        return self._counter.known()

    def add(
        self,
        batches: Iterable[tuple[NDArray[np.int32], NDArray[np.int64]]],
        words: Numbering,
        report: Callable[[int], object] = lambda words: None,
    ) -> None:
        """Count tokens that `words` numbers, with the ends of sentences among them."""
        counter = self._counter
        with ThreadPoolExecutor(self.threads) as pool:
            for tokens, ends in batches:
                if len(words) > counter.n_words:
                    counter.know(len(words), words.numbers(self.connectors))
                counter.take(tokens, ends)
                list(pool.map(counter.count, range(self.threads), [self.threads] * self.threads))
                if counter.n_pairs + counter.n_words > self.most and counter.known() > self.most:
                    counter.prune(self.most)
                report(len(tokens))

    def words(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Counts of words by number, and the most that each may lack; connectors have 0."""
        return self._counter.words()

    def pairs(self, least: int = 1) -> Pairs:
        """The pairs that were counted at least so often, in the order of their words' numbers."""
        return Pairs(*self._counter.pairs(least))

    def links(self) -> list[tuple[int, ...]]:
        """The connectors, by number, in each run of them; the first is empty."""
        runs: list[tuple[int, ...]] = []
        for before, connector in self._counter.links_made:
            runs.append((*runs[before], connector) if connector >= 0 else ())
        return runs

    def state(self, words: Numbering) -> dict[str, Any]:
        """All counts, of the words that `words` numbers, in types that JSON can hold."""
        of_words, _ = self.words()
        pairs = np.array(self.pairs()[:4], np.int64)
        return {
            "spelt": words.words(np.arange(len(of_words))),
            "words": term_file.packed(of_words),
            "n_pairs": pairs.shape[1],
            "pairs": term_file.packed(pairs.ravel()),
            "links": self._counter.links_made,
            "total_words": self.total_words,
            "lost": self.lost_at_most,
        }

    def restored(self, state: Mapping[str, Any]) -> tuple["PairCounts", DictNumbering]:
        """Take over the counts of a `state`, and give the numbers of its words; ValueError if it is malformed.

        Each count is then off by as much as the worst of them was.
        """
        spelt, n_pairs = term_file.words_of(state["spelt"]), state["n_pairs"]
        n, lost, total = len(spelt), state["lost"], state["total_words"]
        if not all(type(number) is int and 0 <= number < 2**62 for number in (n_pairs, lost, total)):
            raise ValueError("the counts do not fit together")
        words = term_file.unpacked(state["words"], n)
        pairs = term_file.unpacked(state["pairs"], 4 * n_pairs).reshape(4, n_pairs)
        links = [(before, connector) for before, connector in state["links"]]
        # Compiled code trusts what it is given.
        sound = links[:1] == [(0, -1)] and len(set(links)) == len(links) and not (n and words.min() < 0)
        for number, (before, connector) in enumerate(links[1:], 1):
            sound = sound and type(before) is type(connector) is int and 0 <= before < number and 0 <= connector < n
        if sound and n_pairs:
            a, link, b, count = pairs
            sound = min(a.min(), b.min(), link.min()) >= 0 and max(a.max(), b.max()) < n and link.max() < len(links)
            sound = sound and count.min() > 0 and np.unique(pairs[:3], axis=1).shape[1] == n_pairs
        if not sound:
            raise ValueError("the counts do not fit together")
        self._counter.restore(words, pairs, links, total, lost)
        return self, DictNumbering({word: number for number, word in enumerate(spelt)})

    def of_vocab(
        self, vocab: Mapping[str, int], delimiter: str, total_words: int
    ) -> tuple["PairCounts", DictNumbering]:
        """Take over counts of words and of joined pairs, as gensim keeps them in one dictionary.

        A key with the delimiter inside is a pair, with connectors between its two ends, in every way in which it can be
        divided so; it is a word where there is none.
        """
        ids: dict[str, int] = {}
        runs: dict[tuple[str, ...], int] = {(): 0}
        links, pairs, words = [(0, -1)], [], dict.fromkeys(vocab, 0)

        def number_of(word: str) -> int:
            return ids.setdefault(word, len(ids))

        def link_of(run: tuple[str, ...]) -> int:
            if run not in runs:
                links.append((link_of(run[:-1]), number_of(run[-1])))
                runs[run] = len(links) - 1
            return runs[run]

        for key, count in vocab.items():
            found = list(_divisions(key.split(delimiter), delimiter, vocab, set(self.connectors)))
            pairs += [(number_of(a), link_of(run), number_of(b), count) for a, run, b in found]
            if not found:
                number_of(key)
                words[key] = count
        of_words = np.array([words.get(word, 0) for word in ids], np.int64)
        self._counter.restore(of_words, np.array(pairs, np.int64).reshape(-1, 4).T.copy(), links, total_words, 0)
        return self, DictNumbering(ids)


def _divisions(
    parts: list[str], delimiter: str, vocab: Mapping[str, int], connectors: set[str]
) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """The ways to read a joined spelling as two known words with connectors between them."""
    for begin in range(1, len(parts)):
        for end in range(begin, len(parts)):
            a, run, b = delimiter.join(parts[:begin]), tuple(parts[begin:end]), delimiter.join(parts[end:])
            if a in vocab and b in vocab and connectors.issuperset(run):
                yield a, run, b
