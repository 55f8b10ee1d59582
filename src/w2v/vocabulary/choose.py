"""Which words are kept, in which order, and how often each survives subsampling: counts in, counts out."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

# The answers of a trim_rule(word, count, min_count).
RULE_DEFAULT = 0
RULE_DISCARD = 1
RULE_KEEP = 2

TrimRule = Callable[[str, int, int], int]


def is_kept(word: str, count: int, min_count: int, trim_rule: TrimRule | None) -> bool:
    """Whether a word stays: `trim_rule` decides, or leaves the decision to ``count >= min_count``."""
    verdict = trim_rule(word, count, min_count) if trim_rule is not None else RULE_DEFAULT
    if verdict not in (RULE_DEFAULT, RULE_DISCARD, RULE_KEEP):
        raise ValueError(f"trim_rule gave {verdict!r} for {word!r}; return w2v.RULE_DEFAULT, RULE_DISCARD or RULE_KEEP")
    return verdict == RULE_KEEP or (verdict == RULE_DEFAULT and count >= min_count)


def effective_min_count(counts: NDArray[np.int64], min_count: int, max_final_vocab: int | None) -> int:
    """Raise `min_count` until at most `max_final_vocab` words reach it; words tied at the limit all go."""
    if max_final_vocab is None or max_final_vocab >= len(counts):
        return min_count
    first_dropped = np.partition(counts, len(counts) - 1 - max_final_vocab)[len(counts) - 1 - max_final_vocab]
    return max(min_count, int(first_dropped) + 1)


def select(
    counts: NDArray[np.int64],
    min_count: int,
    by_frequency: bool,
    trim_rule: TrimRule | None = None,
    words: Sequence[str] = (),
) -> NDArray[np.int64]:
    """Choose the words to keep and put them in their final order.

    Parameters
    ----------
    counts : int64, of the words in order of first appearance
    min_count : int
    by_frequency : bool
    trim_rule : callable, optional
    words : the words themselves, needed for `trim_rule` alone

    Returns
    -------
    int64
        Places in `counts`, by descending count, ties in reverse order of first appearance (gensim's order); with
        ``by_frequency=False`` in order of first appearance.
    """
    if trim_rule is None:
        kept = np.flatnonzero(counts >= min_count)
    else:
        pairs = zip(words, counts.tolist(), strict=True)
        kept = np.flatnonzero([is_kept(word, count, min_count, trim_rule) for word, count in pairs])
    return kept[np.argsort(counts[kept], kind="stable")[::-1]] if by_frequency else kept


def keep_probability(counts: NDArray[np.int64], sample: float) -> NDArray[np.float64]:
    """Probability that an occurrence of each word survives subsampling.

    ``p = (sqrt(v / T) + 1) * T / v``, at most 1, with ``T = sample * counts.sum()``: the formula of word2vec.c, which
    differs from the one printed in Mikolov et al. 2013 (arXiv:1310.4546, section 2.3). ``sample >= 1`` is a count
    threshold, ``T = int(sample * (3 + sqrt(5)) / 2)``, as in gensim. ``sample = 0`` keeps everything.

    Parameters
    ----------
    counts : int64 [V]
    sample : float >= 0
    """
    if sample == 0:
        return np.ones(len(counts))
    if sample < 1:
        threshold = sample * float(counts.sum())
    else:
        threshold = float(int(sample * (3 + np.sqrt(5)) / 2))
    v = np.maximum(counts, 1).astype(np.float64)
    return np.minimum((np.sqrt(v / threshold) + 1) * (threshold / v), 1.0)


def keep_thresholds(probability: NDArray[np.float64]) -> NDArray[np.uint32]:
    """The largest 32-bit draw with which each word survives."""
    return (probability * (2**32 - 1)).astype(np.uint32)
