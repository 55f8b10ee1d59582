"""Rows of several workers to one: what they send, and what becomes of it. All arithmetic between workers is here."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.distributed.policy import SyncPolicy

Rows = NDArray[np.float32]
Numbers = NDArray[np.int32]

# The x of ``q = 1 / (1 + x)``, from 0 on: how far the updates of one worker since a row's last sync should bring it.
Reach = Callable[[Numbers], NDArray[np.float64]]

# Which sync it is: the generation, which every loss of a worker raises, the round, and the first row of the window.
Tag = tuple[int, int, int]

# Rows combined at a time, so that the sums in double precision stay small.
AT_A_TIME = 1024


class Sent(NamedTuple):
    """Rows of a range, of each matrix.

    Attributes
    ----------
    tag : (int, int, int)
    rank : int, of the worker whose rows they are; -1 of combined ones
    matrices : list of (numbers int32 [n], rows float32 [n, D]), numbers ascending
    """

    tag: Tag
    rank: int
    matrices: list[tuple[Numbers, Rows]]

    @property
    def nbytes(self) -> int:
        return sum(numbers.nbytes + rows.nbytes for numbers, rows in self.matrices)


def changed_rows(local: Rows, base: Rows, low: int, high: int) -> tuple[Numbers, Rows]:
    """The rows of a range that differ from those of the last sync in any bit, with their numbers."""
    high = max(low, min(high, len(local)))
    found = [np.zeros(0, np.int64)]
    for begin in range(low, high, AT_A_TIME):
        end = min(begin + AT_A_TIME, high)
        differ = local[begin:end].view(np.int32) != base[begin:end].view(np.int32)
        found.append(np.flatnonzero(differ.any(axis=1)) + begin)
    numbers = np.concatenate(found)
    return numbers.astype(np.int32), local[numbers]


def combined(
    base: Rows, parts: Sequence[tuple[Numbers, Rows]], policy: SyncPolicy, workers: int, reach: Reach
) -> tuple[Numbers, Rows]:
    """The new values of all rows that any worker has changed.

    Parameters
    ----------
    base : float32 [V, D], the rows at their last sync, the same for all workers
    parts : sequence of (numbers, rows), those that each worker has changed, by rank
    policy : SyncPolicy
    workers : int, how many there are, also those that sent nothing
    reach : callable, of rows; asked by the combiner ``"saturating"`` alone

    Returns
    -------
    numbers : int32 [n], ascending
    rows : float32 [n, D]
        A row that one worker has changed is that worker's row, bit for bit. Other sums are made in double precision, in
        the order of ranks, and rounded once.
    """
    union = np.unique(np.concatenate([np.zeros(0, np.int32), *(numbers for numbers, _ in parts)]))
    new = np.empty((len(union), base.shape[1]), np.float32)
    by_number = policy.weights(workers)
    far = reach(union) if policy.combiner == "saturating" else None
    for begin in range(0, len(union), AT_A_TIME):
        numbers = union[begin : begin + AT_A_TIME]
        rows = new[begin : begin + AT_A_TIME]
        start = base[numbers].astype(np.float64)
        touched = np.zeros(len(numbers), np.int64)
        slots = []  # for each worker, which of these rows, and what it has of them
        for own, theirs in parts:
            first, last = np.searchsorted(own, [numbers[0], numbers[-1] + 1])
            places = np.searchsorted(numbers, own[first:last])
            touched[places] += 1
            slots.append((places, theirs[first:last]))
        if policy.combiner == "adaptive":
            rows[:] = start + _adaptive_sum(start, slots)
        else:
            total = np.zeros_like(start)
            for places, theirs in slots:
                total[places] += theirs - start[places]
            if far is not None:
                weights = _one_after_another(far[begin : begin + AT_A_TIME], touched)
            else:
                weights = by_number[touched]
            rows[:] = start + total * weights[:, None]
        if policy.combiner != "mean" or workers == 1:
            for places, theirs in slots:
                alone = touched[places] == 1
                rows[places[alone]] = theirs[alone]
    return union, new


def _one_after_another(reach: NDArray[np.float64], touched: NDArray[np.int64]) -> NDArray[np.float64]:
    """``(1 + q + ... + q**(m - 1)) / m`` for m workers, with ``q = 1 / (1 + reach)``.

    Had the workers learnt in turn, each before one would have left it the part q. The mean over all orders gives every
    change the same weight: 1 where much is left to learn, 1 / m where each alone has learnt all of it. Only operations
    that are rounded the same way on every machine are used.
    """
    left = 1 / (1 + reach)
    power = np.ones_like(reach)
    total = np.ones_like(reach)
    for worker in range(1, int(touched.max(initial=1))):
        power *= left
        total += np.where(worker < touched, power, 0.0)
    return total / np.maximum(touched, 1)


def _adaptive_sum(start: NDArray[np.float64], slots: list[tuple[NDArray[np.int64], Rows]]) -> NDArray[np.float64]:
    """The changes of all workers by the adaptive sum, in a fixed tree: pairs of ranks, pairs of those, and so on."""
    level = []
    for places, theirs in slots:
        change = np.zeros_like(start)
        change[places] = theirs - start[places]
        level.append(change)
    while len(level) > 1:
        pairs = [_adaptive_pair(*level[i : i + 2]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[2 * len(pairs) :]
    return level[0]


def _adaptive_pair(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(1 - a.b / 2|a|^2) a + (1 - a.b / 2|b|^2) b``: orthogonal changes add up, equal ones are averaged.

    Source: Maleki et al. 2020 (arXiv:2006.02924). A change of zero adds nothing.
    """
    both = _dots(one, other)
    parts = []
    for change in (one, other):
        square = _dots(change, change)
        parts.append((1 - np.divide(both, 2 * square, out=np.zeros_like(both), where=square > 0))[:, None] * change)
    total: NDArray[np.float64] = parts[0] + parts[1]
    return total


def _dots(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """The dot product of each row with its fellow; the second half of the columns is added to the first, and so on.

    This order of sums is the same on every machine, and each step is one of whole rows.
    """
    terms = one * other
    while terms.shape[1] > 1:
        half = (terms.shape[1] + 1) // 2
        terms[:, : terms.shape[1] - half] += terms[:, half:]
        terms = terms[:, :half]
    total: NDArray[np.float64] = terms.sum(axis=1)
    return total
