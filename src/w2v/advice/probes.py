"""Small models of parts of a text, and how good they are on the rest of it, without any label.

A held-out passage is divided: every other word to either half. The mean of the vectors of each half is to be nearest to
that of its own other half, among all passages; the score is the mean of 1 / rank. So it asks of vectors what both users
of words and users of documents want, that what belongs together is near, and it can be taken of any text in any
language. Frequent words weigh less (Arora, Liang & Ma 2017, ICLR), and what all passages share is taken off.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.models.lsa import LSA
from w2v.models.ppmi import PPMI
from w2v.models.word2vec import Word2Vec
from w2v.stability.measures import overlap
from w2v.stability.neighbors import neighbor_tables
from w2v.vectors.keyed import KeyedVectors

MODELS = ("SGNS", "PPMI", "LSA")
PASSAGE = 30  # words of a held-out passage, at most
SHORTEST = 6  # and at least
PASSAGES = 1000
HELD_OUT = 0.1  # share of the lines, at most
SIZES = (50, 100, 200, 300)  # dimensions that are tried
NEIGHBORS = 10
MEASURED = 500  # most frequent words, of which stability is measured
FREQUENT = 1e-3  # Arora et al.: a word of this share weighs half

Lines = list[list[str]]


class Candidate(NamedTuple):
    """What a probe tries. `window` and `epochs` are None where the model has none."""

    model: str
    vector_size: int
    window: int | None = None
    epochs: int | None = None


class Passages(NamedTuple):
    """Held-out passages in halves."""

    halves: list[tuple[list[str], list[str]]]


def held_out(lines: Sequence[Sequence[str]], seed: int) -> Passages:
    """Passages of lines that are not trained on: one of each line that is long enough."""
    draw = np.random.default_rng(seed)
    halves: list[tuple[list[str], list[str]]] = []
    for line in lines:
        if len(line) >= SHORTEST and len(halves) < PASSAGES:
            begin = int(draw.integers(0, max(1, len(line) - PASSAGE + 1)))
            passage = list(line[begin : begin + PASSAGE])
            halves.append((passage[::2], passage[1::2]))
    return Passages(halves)


def vectors_of(candidate: Candidate, lines: Lines, min_count: int, workers: int, seed: int = 1) -> KeyedVectors:
    """Make the vectors of a candidate; the same for any number of workers.

    A decomposition has no more dimensions than there are words, or for LSA lines.
    """
    size = candidate.vector_size
    if candidate.model != "SGNS":
        counts = Counter(chain.from_iterable(lines))
        size = min(size, max(1, sum(count >= min_count for count in counts.values())))
        size = min(size, len(lines)) if candidate.model == "LSA" else size
    shared: dict[str, Any] = {"min_count": min_count, "workers": workers, "progress": False, "vector_size": size}
    if candidate.model == "SGNS":
        return Word2Vec(
            lines,
            sg=1,
            window=candidate.window or 5,
            epochs=candidate.epochs or 5,
            deterministic=True,
            seed=seed,
            **shared,
        ).wv
    if candidate.model == "PPMI":
        return PPMI(lines, window=candidate.window or 5, **shared).wv
    return LSA(lines, **shared).wv


def shorter(vectors: KeyedVectors, size: int) -> KeyedVectors:
    """The first dimensions: those of a decomposition that had been cut there."""
    cut = np.ascontiguousarray(vectors.vectors[:, :size])
    return KeyedVectors.from_arrays(vectors.key_to_index, cut, vectors.expandos)


def quality(vectors: KeyedVectors, passages: Passages) -> float:
    """Mean of 1 / rank with which a half finds the other half of its passage; 1 is best."""
    counts = vectors.expandos["count"].astype(np.float64)
    weights = FREQUENT / (FREQUENT + counts / max(1.0, counts.sum()))
    rows = vectors.get_normed_vectors() * weights[:, None].astype(np.float32)
    first, second = (_means(rows, vectors, [half[side] for half in passages.halves]) for side in (0, 1))
    cosines = first @ second.T
    own = np.diag(cosines)[:, None]
    ranks = 1 + (cosines > own).sum(axis=1) + ((cosines == own).sum(axis=1) - 1) / 2
    return float((1 / ranks).mean())


def _means(rows: NDArray[np.float32], vectors: KeyedVectors, halves: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    found = np.zeros((len(halves), rows.shape[1]))
    for place, half in enumerate(halves):
        known = [vectors.key_to_index[word] for word in half if word in vectors.key_to_index]
        if known:
            found[place] = rows[known].sum(axis=0)
    found -= found.mean(axis=0)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    found /= np.where(lengths > 0, lengths, 1)
    return found


def stability(first: KeyedVectors, second: KeyedVectors) -> float | None:
    """The share of a word's ten nearest that two models agree on, a mean over frequent words; None of few words."""
    words = [word for word in first.index_to_key if word in second.key_to_index][:MEASURED]
    if min(len(first), len(second)) <= 2 * NEIGHBORS or len(words) < 2:
        return None
    tables, _ = neighbor_tables([first, second], words, NEIGHBORS, progress=False)
    return float(overlap(tables[0], tables[1]).mean())
