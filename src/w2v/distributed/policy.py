"""When workers bring their rows together, and how: the words of a round, the tiers of rows, the combiner."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks

COMBINERS = ("mean", "sum", "touch", "adaptive", "saturating")

# Bytes of rows that a worker hands over at a time, at most: full syncs are streamed.
WINDOW_BYTES = 1 << 26
LEAST_WINDOW = 1024  # rows


@dataclass(frozen=True)
class SyncPolicy:
    """How often workers bring their rows together, which rows, and how.

    Training goes in rounds: each worker trains its next `words_per_round` words on its own copy of the model, then all
    stop and combine rows. Round k of an epoch, from 1 on, covers the ``hot_rows * 2**ctz(k)`` most frequent words (ctz
    counts the zeros at the end of k in binary), all of them at the end of an epoch and every `max_rounds_unsynced`
    rounds. The tiers are those of pWord2Vec; see docs/distributed.md for what they cost and save.

    Parameters
    ----------
    words_per_round : int, default 5,000
        Words of the vocabulary that each worker trains between two syncs; a round ends with a sentence. No clock is
        asked, so that runs repeat.
    hot_rows : int, default 1024
        Rows of every sync.
    combiner : {"saturating", "touch", "mean", "sum", "adaptive"}, default "saturating"
        What becomes of a row that m of N workers have changed, by d_1 ... d_m. ``"saturating"``: the sum of the changes
        times ``(1 + q + ... + q**(m - 1)) / m``, as if each worker had learnt after another which left it the part q of
        the way; q follows from the learning rate and from how often the row was to be changed since its last sync (see
        `w2v.distributed.rates`), so that rare rows are added and frequent ones averaged. ``"touch"``: the sum of the
        changes divided by ``m**gamma``. ``"sum"``: gamma = 0. ``"mean"``: the sum divided by N, which dilutes rare
        words, as a baseline. ``"adaptive"``: changes that are at right angles add up and equal ones are averaged, pair
        by pair (Maleki et al. 2020, arXiv:2006.02924). A row that one worker has changed is taken as it is by all but
        "mean".
    gamma : float from 0 to 1, default 0.75
        Of ``"touch"``.
    max_rounds_unsynced : int, default 16
        The most rounds between two full syncs, and so the most that is done again when a worker is lost.
    """

    words_per_round: int = 5_000
    hot_rows: int = 1024
    combiner: str = "saturating"
    gamma: float = 0.75
    max_rounds_unsynced: int = 16

    def __post_init__(self) -> None:
        checks.integer("words_per_round", self.words_per_round, 1)
        checks.integer("hot_rows", self.hot_rows, 1)
        checks.one_of("combiner", self.combiner, COMBINERS)
        checks.number("gamma", self.gamma, 0, 1)
        checks.integer("max_rounds_unsynced", self.max_rounds_unsynced, 1)

    @classmethod
    def of_json(cls, found: Any) -> Self:
        """A policy of what a checkpoint says; ValueError or TypeError if it says none."""
        names = {field.name for field in fields(cls)}
        if not isinstance(found, dict) or set(found) != names:
            raise ValueError(f"{found!r:.80} is no policy of {', '.join(sorted(names))}")
        return cls(**found)

    def rows(self, number: int, rounds: int, rows: int) -> int:
        """How many rows, of so many, the sync behind round `number` (from 1) of an epoch of `rounds` covers."""
        if number >= rounds or number % self.max_rounds_unsynced == 0:
            return rows
        zeros = (number & -number).bit_length() - 1
        return min(self.hot_rows << min(zeros, 62), rows)

    def unsynced(self, number: int, rows: int) -> Iterator[tuple[int, int, int]]:
        """All rows as stretches, with the rounds since the last sync of each, at the sync behind round `number`."""
        full = (number - 1) // self.max_rounds_unsynced * self.max_rounds_unsynced
        begin = zeros = 0
        while begin < rows:
            last = max((number - 1) >> zeros << zeros, full)
            end = rows if last == full else min(self.hot_rows << min(zeros, 62), rows)
            yield begin, end, number - last
            begin, zeros = end, zeros + 1

    def weights(self, workers: int) -> NDArray[np.float64]:
        """By what the sum of m changes is multiplied, for m = 0 ... workers, if it depends on nothing else.

        So it is for "touch", "mean" and "sum"; the bits are the same on every machine.
        """
        if self.combiner == "mean":
            return np.full(workers + 1, 1 / workers)
        return np.array(_powers(float(self.gamma) if self.combiner == "touch" else 0.0, workers))


@lru_cache
def _powers(gamma: float, most: int) -> tuple[float, ...]:
    """``m**-gamma`` for m = 0 ... most, each rounded from 28 digits; 1 for 0."""
    power, exact = Decimal(repr(gamma)), Context(prec=28)
    return 1.0, *(float(exact.power(Decimal(m), -power)) for m in range(1, most + 1))


def windows(rows: int, vector_size: int) -> Iterator[tuple[int, int]]:
    """Cut so many rows into windows of a bounded size."""
    size = max(LEAST_WINDOW, WINDOW_BYTES // (4 * vector_size))
    for low in range(0, rows, size):
        yield low, min(low + size, rows)


def share(low: int, high: int, number: int, of: int) -> tuple[int, int]:
    """The rows of a window that the reducer of this number has."""
    return low + (high - low) * number // of, low + (high - low) * (number + 1) // of
