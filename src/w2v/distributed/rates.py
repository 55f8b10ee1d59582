"""How often rows are changed, and how far that brings them: expected from the counts of words.

A term is one product ``error * alpha * other row`` that is added to a row. Each term brings a row some way to where it
is at rest while the other rows stay: by ``alpha * steepness`` of what is left, where the steepness is the slope of the
sigmoid times the square of the other row along the direction in question. It is taken for a constant of each kind of
row. The two constants were found by simulation (docs/distributed.md): with 8 workers smaller ones learn a little more,
with 32 half of them let vectors grow without end, since both rows of a pair are corrected for the same error.
"""

import math

import numpy as np
from numpy.typing import NDArray

from w2v.training.settings import Settings
from w2v.vocabulary import noise
from w2v.vocabulary.choose import keep_probability
from w2v.vocabulary.vocabulary import Vocabulary

INPUTS = 0.2
OUTPUTS = 0.08


def zipf_counts(words: int, corpus_words: int) -> NDArray[np.int64]:
    """Counts of so many words by Zipf's law, where nothing is known of them but their number."""
    share = 1 / np.arange(1, words + 1)
    counts: NDArray[np.int64] = np.maximum(1, corpus_words * share / share.sum()).astype(np.int64)
    return counts


def kept_and_drawn(
    counts: NDArray[np.int64], sample: float, negative: int, exponent: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each word of a corpus, how often each word survives subsampling, and how often it is drawn as noise.

    Noise words are counted as if each surviving word were predicted once. Sums are rounded once, so the bits are the
    same on every machine.
    """
    kept = counts * keep_probability(counts, sample) / float(counts.sum())
    if not negative:
        return kept, np.zeros(len(counts))
    weights = noise.weights(counts, exponent)
    return kept, negative * math.fsum(kept.tolist()) * weights / math.fsum(weights.tolist())


def changes(
    counts: NDArray[np.int64], negative: int, hs: bool, sample: float, exponent: float
) -> list[NDArray[np.float64]]:
    """For each matrix, how often each row is changed for each word that a worker trains."""
    kept, drawn = kept_and_drawn(counts, sample, negative, exponent)
    found = [kept]
    if negative:
        found.append(kept + drawn)
    if hs:  # near the root a node is on the way to many words; the others have about the rates of words
        found.append(kept * 2)
    return found


def steepness(vocabulary: Vocabulary, settings: Settings, length: float = math.inf) -> dict[str, NDArray[np.float64]]:
    """By how much rows are expected to near their rest for each word that a worker trains at a learning rate of 1.

    Parameters
    ----------
    vocabulary : Vocabulary
    settings : Settings
    length : float, words of a sentence on average, beyond which no neighbours are

    Returns
    -------
    dict of str to float64 [V] or [V - 1]
        By the name of the matrix, as `Weights.named` has it. Rows of documents are not among them.
    """
    kept, drawn = kept_and_drawn(vocabulary.counts, settings.sample, settings.negative, settings.ns_exponent)
    neighbours = min(settings.window + 1 if settings.shrink_windows else 2 * settings.window, length)
    by_documents, by_words = hasattr(settings, "dbow_words"), bool(getattr(settings, "dbow_words", True))
    # How often a word is predicted: by each neighbour, and once by its document; in CBOW by all of them together.
    examples = neighbours * by_words + by_documents if settings.sg else 1
    targets = float(1 + settings.negative if settings.negative else 0)
    found: dict[str, NDArray[np.float64]] = {}
    if settings.negative:
        found["outputs.negative"] = OUTPUTS * examples * (kept + drawn)
    if settings.hs:
        paths = vocabulary.paths()
        lengths = np.diff(paths.offsets)
        nodes = np.bincount(paths.points, np.repeat(kept, lengths), max(len(kept) - 1, 0))
        found["outputs.hierarchical"] = OUTPUTS * examples * nodes.astype(np.float64)
        targets += math.fsum((kept * lengths).tolist()) / math.fsum(kept.tolist())
    # An input learns from each example that it has a part in. In CBOW all inputs of a window are moved at once: each by
    # the whole error, or by its share (see `mean_backward` of the kernel), and then together as far as one.
    shared = not settings.sg and bool(settings.cbow_mean) == settings.cbow_corrected
    found["vectors"] = INPUTS * (1 if shared else neighbours) * targets * kept * by_words
    if settings.tied:
        found["vectors"] += found.pop("outputs.negative")
    return found
