"""Worker threads: how many there are, what each of them keeps for itself, and how they are started and joined."""

import queue
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.common.cores import core_count

# Fewer tokens than this do not pay for another worker, and small results stay reproducible.
TOKENS_PER_WORKER = 10_000

# Of how many rows each of several workers trains a copy of its own, and the least count for each worker of their words.
# With Huffman paths it is more of them: every word steps along the nodes near the root.
HOT_ROWS, HOT_ROWS_OF_PATHS = 64, 256
HOT_COUNT = 1000

# How often the main thread looks up from waiting: the longest delay of Ctrl-C and of the progress bar, in seconds.
TICK = 0.05

# What the stop flag says: deterministic training may end the round, so that nothing is done twice, or must not.
AFTER_A_ROUND, AT_ONCE = 1, 2

# How many batches of a streamed corpus may wait for the workers.
QUEUED_BATCHES = 2


def worker_count(workers: int, tokens: int) -> int:
    """How many threads to train with; -1 asks for one per core this process may use."""
    return max(1, min(core_count() if workers == -1 else workers, tokens // TOKENS_PER_WORKER))


def hot_rows(counts: NDArray[np.int64], tokens: int, workers: int, has_paths: bool) -> int:
    """How many of the first rows every worker trains a copy of, in an epoch of so many tokens.

    Rows of frequent words, and nodes near the root, are wanted by all workers all the time, and travel between their
    caches. So each worker has copies of them, which are averaged with the shared rows every thousand words. A word
    must be so frequent that its row has settled long before the end: an average of n workers learns n times slower.
    """
    if workers == 1 or not len(counts) or (np.diff(counts) > 0).any():  # in some other order
        return 0
    most = HOT_ROWS_OF_PATHS if has_paths else HOT_ROWS
    expected = counts[:most] * (tokens / max(1.0, float(counts.sum())))  # the corpus may not be the one counted
    return int((expected >= HOT_COUNT * workers).sum())


class Workers:
    """Threads that train on whatever batches they are given; every worker sees every batch and takes chunks of it."""

    def __init__(self, run: Callable[..., None], count: int) -> None:
        self.stop = np.zeros(2, np.int32)  # how to end; and: somebody has left, wait for no one
        self.counts = np.zeros((count, 16), np.int64)  # a row has a cache line or two of its own
        self.loss = np.zeros((count, 16))
        self.failures: list[BaseException] = []
        self._run = run
        self._queues: list[queue.Queue[Any]] = [queue.Queue(QUEUED_BATCHES) for _ in range(count)]
        self._threads = [threading.Thread(target=self._work, args=(i,), daemon=True) for i in range(count)]
        self._entered = self._left = 0
        self._one_left = threading.Condition()

    def _work(self, own: int) -> None:
        with self._one_left:
            self._entered += 1
        try:
            while not self.stop[0]:
                try:
                    batch = self._queues[own].get(timeout=TICK)
                except queue.Empty:
                    continue
                if batch is None:
                    break
                self._run(own, batch, self.counts[own], self.loss[own])
        except BaseException as error:
            self.failures.append(error)
            self.stop[0] = AT_ONCE
        finally:
            self.stop[1] = 1
            with self._one_left:
                self._left += 1
                self._one_left.notify()

    def train(self, batches: Iterable[tuple[Any, ...]], tick: Callable[[], object]) -> None:
        started = []
        try:
            for thread in self._threads:
                started.append(thread)
                try:
                    thread.start()
                except RuntimeError:  # the system gives no more threads
                    started.pop()
                    raise
            looked_up = time.monotonic()
            for batch in batches:
                if not self._hand_out(batch, tick):
                    break
                if time.monotonic() - looked_up > TICK:  # a slow corpus never fills the queues: tick here as well
                    looked_up = time.monotonic()
                    tick()
            self._hand_out(None, tick)
            with self._one_left:
                while self._left < len(self._threads):
                    self._one_left.wait(TICK)
                    tick()
        finally:
            self.stop[0] = AT_ONCE
            if len(started) < len(self._threads):
                self.stop[1] = 1
            self._join(started)
        if self.failures:
            raise self.failures[0]

    def _hand_out(self, batch: tuple[Any, ...] | None, tick: Callable[[], object]) -> bool:
        for waiting in self._queues:
            while not self.stop[0]:
                try:
                    waiting.put(batch, timeout=TICK)
                    break
                except queue.Full:
                    tick()
        return not self.stop[0]

    def _join(self, threads: list[threading.Thread]) -> None:
        """Wait for all who have entered; an impatient Ctrl-C is heard when they have left, a moment later.

        One whose `start` was interrupted may enter late, find `stop` set and touch nothing; who has not come within a
        second never will. `Thread.join` must not be interrupted: in Python 3.11 it then takes the thread for dead.
        """
        impatient: KeyboardInterrupt | None = None
        given_up = time.monotonic() + 1

        def expected() -> bool:
            late = self._entered < len(threads) and time.monotonic() < given_up
            return late or self._left < self._entered

        while expected():
            try:
                with self._one_left:
                    if expected():
                        self._one_left.wait(TICK)
            except KeyboardInterrupt as again:
                impatient = again
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        if impatient is not None:
            raise impatient
