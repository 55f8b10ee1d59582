"""A worker's sentences cut into rounds, and the learning rate within a round."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.training.schedule import Schedule


class Stretch(NamedTuple):
    """Consecutive sentences of a block: those from `first` up to `last`, which is not one of them."""

    block: int
    first: int
    last: int


def rounds_of(offsets: Sequence[NDArray[np.int64]], words: int) -> list[list[Stretch]]:
    """Cut blocks into rounds of `words` words: each ends with the sentence that reaches so many.

    Parameters
    ----------
    offsets : sequence of int64 [S + 1]
        Where the sentences of each block begin and end, in words.
    words : int
    """
    rounds: list[list[Stretch]] = []
    current: list[Stretch] = []
    left = words
    for block, cuts in enumerate(offsets):
        first, sentences = 0, len(cuts) - 1
        while first < sentences and cuts[first] < cuts[-1]:  # sentences without words at the end make no round
            last = min(int(np.searchsorted(cuts, cuts[first] + left)), sentences)
            current.append(Stretch(block, first, last))
            left -= int(cuts[last] - cuts[first])
            first = last
            if left <= 0:
                rounds.append(current)
                current, left = [], words
    return [*rounds, current] if current else rounds


class Pace(NamedTuple):
    """The learning rate of one worker in one round.

    Attributes
    ----------
    schedule : Schedule, of the epoch, over the words of all workers
    before : int, words of all workers in the rounds before
    ratio : float, words of all workers in this round for each word of this one
    words : float, of a worker in this round, on average
    """

    schedule: Schedule
    before: int
    ratio: float
    words: float

    def of(self, position: int, done: int) -> Schedule:
        """The rate over positions of the corpus, for words from `position` on, `done` words after the round began.

        The rate of a word is that of the epoch at ``before + ratio * (words of its worker in this round before it)``.
        """
        alpha, slope, horizon = self.schedule
        return Schedule(
            alpha - slope * (self.before + self.ratio * done - self.ratio * position), slope * self.ratio, horizon
        )


def paces(schedule: Schedule, words: Sequence[Sequence[int]], number: int) -> list[Pace]:
    """The pace of every worker in a round, of the words that each of them has in each round."""
    before = sum(sum(own[:number]) for own in words)
    this = [own[number] if number < len(own) else 0 for own in words]
    mean = sum(this) / max(1, sum(own > 0 for own in this))
    return [Pace(schedule, before, sum(this) / own if own else 1.0, mean) for own in this]
