"""Two checks of vectors of k-mers, after dna2vec: do alike k-mers have alike vectors, and is a sum a concatenation?"""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.bio.vectors import BioVectors
from w2v.common import checks
from w2v.evaluation import resampling

# Pairs of k-mers whose alignment is computed at a time.
BLOCK_PAIRS = 1 << 16


class Correlation(NamedTuple):
    """Spearman's correlation of alignment scores and cosines, with its 95 % interval.

    Attributes
    ----------
    pairs : int
    value, low, high : float
    """

    pairs: int
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"Spearman {self.value:.3f} [{self.low:.3f}, {self.high:.3f}] over {self.pairs:,} pairs"


def lcs_lengths(first: list[str], second: list[str]) -> NDArray[np.int64]:
    """Lengths of the longest common subsequences of pairs of k-mers.

    That is the Needleman-Wunsch score with 1 for a match and no penalties, which dna2vec's stored scores are.

    Parameters
    ----------
    first, second : list of str [pairs], all of one list of the same length

    Returns
    -------
    int64 [pairs]
    """
    found = np.empty(len(first), np.int64)
    for start in range(0, len(first), BLOCK_PAIRS):
        one, other = (
            np.frombuffer("".join(kmers[start : start + BLOCK_PAIRS]).encode("ascii"), np.uint8).reshape(
                len(kmers[start : start + BLOCK_PAIRS]), -1
            )
            for kmers in (first, second)
        )
        # best[j] is the length for the letters of `one` so far and the first j letters of `other`.
        best = np.zeros((other.shape[1] + 1, len(one)), np.int64)
        for letter in one.T:
            diagonal = best[0].copy()
            for place, against in enumerate(other.T, 1):
                above = best[place].copy()
                best[place] = np.maximum(np.maximum(above, best[place - 1]), diagonal + (letter == against))
                diagonal = above
        found[start : start + BLOCK_PAIRS] = best[-1]
    return found


def alignment_check(vectors: BioVectors, k: int | None = None, pairs: int = 1000, seed: int = 1) -> Correlation:
    """Whether k-mers that align well have vectors of high cosine: Spearman's correlation over random pairs.

    Parameters
    ----------
    vectors : BioVectors
    k : int, optional
        Letters of the k-mers; by default the most that there are.
    pairs : int, default 1000
        Pairs of two different k-mers.
    seed : int, default 1

    Returns
    -------
    Correlation

    Raises
    ------
    ValueError
        If fewer than two k-mers of that length have a vector.
    """
    k = vectors.scheme.k_max if k is None else checks.integer("k", k, 1)
    checks.integer("pairs", pairs, 3)
    rows, kmers = _rows_of(vectors, k)
    if len(kmers) < 2:
        raise ValueError(f"k={k}: {len(kmers)} k-mers of that length have a vector, and pairs need two")
    draw = np.random.default_rng(seed)
    one = draw.integers(0, len(kmers), pairs)
    other = (one + draw.integers(1, len(kmers), pairs)) % len(kmers)
    gold = lcs_lengths([kmers[at] for at in one], [kmers[at] for at in other])
    cosines = np.einsum("ij,ij->i", rows[one], rows[other])
    found = resampling.correlation_and_interval(gold.astype(np.float64), cosines[np.newaxis], seed)
    return Correlation(pairs, *found)


class Arithmetic(NamedTuple):
    """How often the vector nearest to the sum of two k-mers' vectors is that of a concatenation of the two.

    Attributes
    ----------
    pairs : int
    candidates : int, k-mers of the length of the concatenation
    topn : int
    found : float, share of pairs with a concatenation, in either order, among the `topn` nearest
    low, high : float, its 95 % interval
    chance : float, the same share if each pair is given the neighbours of another pair
    uniform : float, the share that any `topn` of all candidates would have
    """

    pairs: int
    candidates: int
    topn: int
    found: float
    low: float
    high: float
    chance: float
    uniform: float

    def __str__(self) -> str:
        return (
            f"among the {self.topn} nearest of {self.candidates:,}: {self.found:.3f} [{self.low:.3f}, {self.high:.3f}] "
            f"of {self.pairs:,} pairs; chance {self.chance:.4f}, uniform {self.uniform:.4f}"
        )


def arithmetic_check(
    vectors: BioVectors, k: int = 3, other_k: int | None = None, pairs: int = 1000, topn: int = 10, seed: int = 1
) -> Arithmetic:
    """Whether the sum of two k-mers' vectors is near that of their concatenation, beside what chance would give.

    Chance gives each pair the neighbours of the next one, 20 times over: whatever makes some k-mers the neighbours of
    everything is in it.

    Parameters
    ----------
    vectors : BioVectors
        With k-mers of ``k``, ``other_k`` and ``k + other_k`` letters.
    k : int, default 3
    other_k : int, optional
        By default `k`.
    pairs, topn, seed : int
        1000 pairs, 10 neighbours, seed 1.

    Returns
    -------
    Arithmetic
    """
    other_k = k if other_k is None else other_k
    (_, lefts), (_, rights), (both, boths) = (_rows_of(vectors, size) for size in (k, other_k, k + other_k))
    if not (lefts and rights and boths):
        raise ValueError(f"there have to be vectors of k-mers of {k}, {other_k} and {k + other_k} letters; {vectors!r}")
    checks.integer("topn", topn, 1, len(boths))
    draw = np.random.default_rng(seed)
    one, other = draw.integers(0, len(lefts), pairs), draw.integers(0, len(rights), pairs)
    raw = {size: _rows_of(vectors, size, unit=False)[0] for size in {k, other_k}}
    sums = raw[k][one] + raw[other_k][other]
    near = np.argpartition(-(sums @ both.T), topn - 1, axis=1)[:, :topn]
    place = {kmer: at for at, kmer in enumerate(boths)}
    targets = np.array(
        [
            [place.get(lefts[a] + rights[b], -1), place.get(rights[b] + lefts[a], -1)]
            for a, b in zip(one.tolist(), other.tolist(), strict=True)
        ]
    )

    def hits(neighbours: NDArray[np.int64]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (neighbours[:, :, np.newaxis] == targets[:, np.newaxis, :]).any(axis=(1, 2))
        return found

    right_ones = hits(near).astype(np.float64)
    chance = float(np.mean([hits(np.roll(near, shift, axis=0)).mean() for shift in range(1, 21)]))
    different = (targets[:, 0] != targets[:, 1]).mean() + 1
    value, low, high = resampling.mean_and_interval(right_ones[np.newaxis], seed)
    return Arithmetic(pairs, len(boths), topn, value, low, high, chance, float(different * topn / len(boths)))


def _rows_of(vectors: BioVectors, k: int, unit: bool = True) -> tuple[NDArray[np.float64], list[str]]:
    """The vectors of all k-mers of one length, of length 1 each, and these k-mers."""
    letters = set(vectors.scheme.letters)
    kmers = sorted(word for word in vectors.wv.index_to_key if len(word) == k and set(word) <= letters)
    rows = vectors.wv.vectors[[vectors.wv.key_to_index[word] for word in kmers]].astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1) if unit else rows), kmers


def complete(vectors: BioVectors, k: int) -> bool:
    """Whether every k-mer of the alphabet's own letters has a vector."""
    from w2v.text.kmers import ALPHABETS

    letters: Any = ALPHABETS[vectors.scheme.alphabet]
    return all("".join(kmer) in vectors for kmer in product(letters, repeat=k))
