"""How often rows are changed, and how far that brings them: expected from the counts of words.

A term is one product ``error * alpha * other row`` that is added to a row. Each term brings a row some way to where it
is at rest while the other rows stay: by ``alpha * steepness`` of what is left, where the steepness is the slope of the
sigmoid times the square of the other row along the direction in question. It is taken for a constant of each kind of
row. The two constants were found by simulation (docs/distributed.md): with 8 workers smaller ones learn a little more,
with 32 half of them let vectors grow without end, since both rows of a pair are corrected for the same error.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.training.settings import Settings
from w2v.vocabulary import noise
from w2v.vocabulary.choose import keep_probability
from w2v.vocabulary.vocabulary import Vocabulary

INPUTS = 0.2
OUTPUTS = 0.08


def steepness(vocabulary: Vocabulary, settings: Settings) -> dict[str, NDArray[np.float64]]:
    """By how much rows are expected to near their rest for each word that a worker trains at a learning rate of 1.

    Returns
    -------
    dict of str to float64 [V] or [V - 1]
        By the name of the matrix, as `Weights.named` has it. Rows of documents are not among them.

    Notes
    -----
    The same bits on every machine: sums are rounded once or made in order.
    """
    counts = vocabulary.counts.astype(np.float64)
    kept = counts * keep_probability(vocabulary.counts, settings.sample) / float(vocabulary.counts.sum())
    neighbours = settings.window + 1 if settings.shrink_windows else 2 * settings.window
    pairs = settings.sg and getattr(settings, "dbow_words", True)
    examples = neighbours if pairs else 1
    targets = 0.0
    found: dict[str, NDArray[np.float64]] = {}
    if settings.negative:
        drawn = noise.weights(vocabulary.counts, settings.ns_exponent)
        total = math.fsum(kept.tolist())
        draws = settings.negative * total * drawn / math.fsum(drawn.tolist())
        found["outputs.negative"] = OUTPUTS * examples * (kept + draws)
        targets += 1 + settings.negative
    if settings.hs:
        paths = vocabulary.paths()
        on_the_way = np.repeat(kept, np.diff(paths.offsets))
        nodes = np.bincount(paths.points, on_the_way, max(len(kept) - 1, 0))
        found["outputs.hierarchical"] = OUTPUTS * examples * nodes.astype(np.float64)
        targets += len(kept).bit_length()
    # CBOW adds the whole error to each input of a window, unless it is corrected: then they share it.
    windows = 1 if settings.cbow_corrected and not settings.sg else neighbours
    found["vectors"] = INPUTS * windows * targets * kept
    if settings.tied:
        found["vectors"] += found.pop("outputs.negative")
    return found


def changes(
    words: int,
    negative: int,
    hs: bool,
    sample: float,
    exponent: float,
    counts: Sequence[int] | NDArray[Any] | None,
) -> list[NDArray[np.float64]]:
    """For each matrix, by how many words that a worker trains each row is changed, for each of them.

    For the calculator, which may have no counts: words then have Zipf's frequencies.
    """
    if counts is None:
        frequencies = 1 / np.arange(1, words + 1)
    else:
        frequencies = np.asarray(counts, np.float64)
    share = frequencies / frequencies.sum()
    kept = share.copy()
    if sample:
        kept = share * np.minimum(1, np.sqrt(sample / share) + sample / share)
    found = [kept]
    if negative:
        drawn = frequencies**exponent
        found.append(kept + negative * kept.sum() * drawn / drawn.sum())
    if hs:  # near the root a node is on the way to many words; the others have about the rates of words
        found.append(kept * 2)
    return found
