"""The words of a model in row order, their counts, and the tables that training derives from the counts."""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.vocabulary import huffman, noise
from w2v.vocabulary.choose import TrimRule, effective_min_count, keep_probability, keep_thresholds, select

logger = logging.getLogger(__name__)

# Bytes per word besides its vectors, roughly: the string, its entries in list and dict, and its tables.
BYTES_PER_WORD = 250

# The name of the null word (gensim's Doc2Vec pads with it).
NULL_WORD = "\0"


class Vocabulary:
    """Words and counts. They never change; other words make another `Vocabulary`.

    Parameters
    ----------
    words : list of str, in the order of their rows
    index : dict of str to int, the row of each word
    counts : int64 [words]
    """

    def __init__(self, words: list[str], index: dict[str, int], counts: NDArray[np.int64]) -> None:
        self.words, self.index, self.counts = words, index, counts
        self._noise: tuple[float, NDArray[np.uint32]] | None = None
        self._paths: huffman.Paths | None = None

    def __len__(self) -> int:
        return len(self.words)

    def first(self, words: int) -> "Vocabulary":
        """Return a vocabulary of the first `words` words."""
        kept = self.words[:words]
        return Vocabulary(kept, {word: self.index[word] for word in kept}, self.counts[:words])

    def keep(self, sample: float) -> NDArray[np.uint32] | None:
        """The largest 32-bit draw with which each word survives subsampling; None if all do."""
        return keep_thresholds(keep_probability(self.counts, sample)) if sample else None

    def noise(self, exponent: float) -> NDArray[np.uint32]:
        """The alias table of the noise distribution ``counts ** exponent``, made when first asked for."""
        if self._noise is None or self._noise[0] != exponent:
            self._noise = exponent, noise.alias_table(noise.weights(self.counts, exponent))
        return self._noise[1]

    def paths(self) -> huffman.Paths:
        """The Huffman tree, made when first asked for."""
        if self._paths is None:
            self._paths = huffman.paths(self.counts)
        return self._paths


class Choice(NamedTuple):
    """The result of `choose`.

    Attributes
    ----------
    places : int64, positions of the new words among the counted ones, in the order of their rows
    counts : int64, of the old words, then of the new ones
    min_count : int, the effective one
    report : dict of str to int, gensim's figures
    """

    places: NDArray[np.int64]
    counts: NDArray[np.int64]
    min_count: int
    report: dict[str, int]


def choose(
    all_counts: NDArray[np.int64],
    words_at: Callable[[NDArray[np.int64]], Sequence[str]],
    *,
    min_count: int,
    sample: float,
    max_final_vocab: int | None,
    by_frequency: bool,
    trim_rule: TrimRule | None = None,
    known: Vocabulary | None = None,
) -> Choice:
    """Choose the words to keep among the counted ones.

    Parameters
    ----------
    all_counts : int64, of every word in the corpus, in order of first appearance
    words_at : callable
        Returns the words at given positions. Words become str late, since most of them are not kept.
    min_count, sample, max_final_vocab, by_frequency, trim_rule
        As in `w2v.Word2Vec`.
    known : Vocabulary, optional
        The old words, which stay: their counts add up, and only other words are chosen from.

    Raises
    ------
    RuntimeError
        If no word is kept and no old words exist.
    """
    places = np.arange(len(all_counts))
    former = np.zeros(0, np.int64)
    spare = max_final_vocab
    if known is not None:
        former = known.counts.astype(np.int64)
        rows = np.array([known.index.get(word, -1) for word in words_at(places)], np.int64)
        np.add.at(former, rows[rows >= 0], all_counts[rows >= 0])
        places = np.flatnonzero(rows < 0)
        spare = None if spare is None else max(0, spare - len(known))
    effective = effective_min_count(all_counts[places], min_count, spare)
    candidates = words_at(places) if trim_rule is not None else []
    order = places[select(all_counts[places], effective, by_frequency, trim_rule, candidates)]
    if not len(order) and known is None:
        if not len(all_counts):
            raise RuntimeError("there is no word in this corpus (0 words, 0 different); is it the right one?")
        raise RuntimeError(
            f"no word occurs min_count={effective} times in this corpus "
            f"({int(all_counts.sum()):,} words, {len(all_counts):,} different); lower min_count or add text"
        )
    counts = np.concatenate([former, all_counts[order]])
    if not counts.any():
        raise ValueError("all words kept have the count 0; without counts there is nothing to draw words by")
    probability = keep_probability(counts, sample)
    report = {
        "drop_unique": len(places) - len(order),
        "retain_total": int(counts.sum()),
        "num_retained_words": len(counts),
        "downsample_unique": int((probability < 1).sum()),
        "downsample_total": int((probability * counts).sum()),
    }
    if known is not None:
        report["new_words"] = len(order)
    logger.info(
        "min_count=%d keeps %s words of %s; subsampling leaves about %s of %s occurrences",
        effective,
        f"{len(order):,}",
        f"{len(places):,}",
        f"{report['downsample_total']:,}",
        f"{report['retain_total']:,}",
    )
    return Choice(order, counts, effective, report)
