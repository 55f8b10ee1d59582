"""What decides the numbers of a run besides its settings: the scheme, the keys of chance, and the learning rate."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

# The numerical scheme: draws, order of arithmetic, initial rows. Other bits for the same seed are another scheme.
# `scheme_of` tells which one a model has.
SCHEME = 4

# Deterministic training: the segments of a round and the words of each (docs/deterministic.md). They belong to a model:
# others give other bits. A large corpus has more segments in a round (`epoch.round_shape`).
ROUND = (8, 128)


def scheme_of(settings: Any) -> int:
    """The scheme whose bits a model of these settings, named as in files, has.

    3 changed those of PV-DBOW alone, and 4 those of `FastText`'s skip-gram alone. What a file has there instead of
    settings is for others to refuse.
    """
    if not isinstance(settings, Mapping):
        return 2
    if settings.get("sg") and "word_ngrams" in settings:
        return 4
    bag_of_words = settings.get("sg") and settings.get("dbow_words") == 0
    together = bag_of_words and settings.get("shared_negatives") and settings.get("negative") and not settings.get("hs")
    return 3 if together else 2


class Schedule(NamedTuple):
    """The learning rate: a straight line over positions that ends at `horizon`.

    Attributes
    ----------
    alpha : float, at position 0
    slope : float, by how much a position lowers it
    horizon : int, the position from which on it no longer falls
    """

    alpha: float
    slope: float
    horizon: int

    def at(self, position: int) -> float:
        """The learning rate of the word at `position`."""
        return self.alpha - self.slope * min(position, self.horizon)


def derived_key(seed: int, *path: int) -> int:
    """A 64-bit key for one purpose.

    Path (0,) is for the initial rows of words, (1, epoch) for an epoch's draws, (2,) for the initial rows of documents,
    (4,) for those of subwords.
    """
    return int(np.random.SeedSequence(seed, spawn_key=path).generate_state(1, np.uint64)[0])
