"""What decides the numbers of a run besides its settings: the scheme, the keys of chance, and the learning rate."""

from typing import NamedTuple

import numpy as np

# The numerical scheme: draws, order of arithmetic, initial rows. Other bits for the same seed are another scheme.
SCHEME = 3

# Deterministic training: the segments of a round and the words of each (docs/deterministic.md). They belong to a model:
# others give other bits.
ROUND = (8, 128)


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

    Path (0,) is for the initial rows of words, (1, epoch) for an epoch's draws, (2,) for the initial rows of documents.
    """
    return int(np.random.SeedSequence(seed, spawn_key=path).generate_state(1, np.uint64)[0])
