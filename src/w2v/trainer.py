"""Runs the kernel: padded matrices, seeds, worker threads, progress, and a way to stop.

The only importer of `w2v._train`. One epoch is one call of `run_epoch`, which starts the workers, hands them the
encoded corpus, shows progress and joins them again, whatever happens.
"""

import math
import mmap
import os
import platform
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v import _train
from w2v.encode import Encoded
from w2v.noise import lane_tables

Kernel = _train.Kernel
fill_rows = _train.fill_rows
MOST_ROUND = _train.MOST_ROUND

# The numerical scheme: draws, order of arithmetic, initial rows. Other bits for the same seed are another scheme.
SCHEME = 2

# Fewer tokens than this do not pay for another worker, and small results stay reproducible.
TOKENS_PER_WORKER = 10_000

# Of x86-64, and of most aarch64 systems.
HUGE_PAGE = 1 << 21

# Of how many rows each of several workers trains a copy of its own, and the least count for each worker of their words.
HOT_ROWS = 64
HOT_COUNT = 1000

# Deterministic training: the lanes of a round and the words of each (docs/deterministic.md). They belong to a model:
# others give other bits.
ROUND = (8, 128)

# Most threads to tokenize text: cutting it up and merging what they found is one thread's work, and each has its own
# table of all words it met.
READERS = 8

# Microseconds that lanes are held up at random, at most: a test's way to mix up who comes first.
JITTER = 0

# How often the main thread looks up from waiting: the longest delay of Ctrl-C and of the progress bar, in seconds.
TICK = 0.05

# What the stop flag says: deterministic training may end the round, so that nothing is done twice, or must not.
AFTER_A_ROUND, AT_ONCE = 1, 2

# How many batches of a streamed corpus may wait for the workers.
QUEUED_BATCHES = 2


class StopTraining(Exception):
    """Raise this in a callback to end training early; the model keeps what it has learnt."""


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch did.

    Attributes
    ----------
    epoch : int, from 0 over the whole life of the model
    raw_words : int, words of the vocabulary before subsampling
    trained_words : int, words left after subsampling
    examples : int, trained examples (pairs in skip-gram, windows in CBOW)
    seconds : float
    alpha : float, learning rate at the end of the epoch
    loss : float or None, mean per example; None unless it was asked for
    """

    epoch: int
    raw_words: int
    trained_words: int
    examples: int
    seconds: float
    alpha: float
    loss: float | None


@dataclass
class Reached:
    """How far an epoch has come: `run_epoch` begins there, and moves it on.

    Attributes
    ----------
    position : int, of the first word that is still to be trained
    words, survivors, examples : int, counted so far
    losses : list of float, summed so far: one number, or in deterministic training one for each lane
    seconds : float, spent so far
    settled : bool
        False while workers train, and if they were left in a way that does not tell how far they came.
    """

    position: int = 0
    words: int = 0
    survivors: int = 0
    examples: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    settled: bool = True

    @property
    def loss(self) -> float:
        """Of all lanes; rounded once, since `sum` is not the same in all versions of Python."""
        return math.fsum(self.losses)


# --- matrices ---------------------------------------------------------------------------------------------------


def padded_size(vector_size: int) -> int:
    """How many floats apart rows begin: the next multiple of 16."""
    return -(-vector_size // 16) * 16


def new_matrix(rows: int, vector_size: int) -> NDArray[np.float32]:
    """A zero matrix [rows, vector_size], its rows padded to a multiple of 16 floats, on huge pages if it can be."""
    stride = padded_size(vector_size)
    size = max(rows * stride, 1) * 4
    room = 2 * HUGE_PAGE if size > HUGE_PAGE else 0  # to begin and end with a page; what is not touched is not taken
    try:
        memory = mmap.mmap(-1, size + room, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, OverflowError):
        raise MemoryError(
            f"no memory for a matrix of {rows:,} x {vector_size:,} floats ({size / 2**30:,.1f} GiB); "
            "lower vector_size, or raise min_count"
        ) from None
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel built without them
            memory.madvise(mmap.MADV_HUGEPAGE)
    start = -np.frombuffer(memory, np.uint8).ctypes.data % HUGE_PAGE if room else 0
    return np.frombuffer(memory, np.float32, rows * stride, start).reshape(rows, stride)[:, :vector_size]


def padded(matrix: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The padded rows behind a matrix of `new_matrix`, or None if it is any other array."""
    rows, vector_size = matrix.shape
    stride = padded_size(vector_size)
    whole = matrix.base
    ours = (
        isinstance(whole, np.ndarray)
        and whole.shape == (rows * stride,)
        and whole.dtype == matrix.dtype == np.float32
        and matrix.strides == (4 * stride, 4)
        and whole.flags.writeable
        and whole.__array_interface__["data"] == matrix.__array_interface__["data"]
    )
    return whole.reshape(rows, stride) if ours and whole is not None else None


def trainable(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The matrix itself if its rows are padded, else a copy whose rows are."""
    if padded(matrix) is not None:
        return matrix
    copy = new_matrix(*matrix.shape)
    copy[...] = matrix
    return copy


def grown(matrix: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    """A copy with `rows` rows, the new ones zero."""
    copy = new_matrix(rows, matrix.shape[1])
    copy[: len(matrix)] = matrix
    return copy


def first_vectors(rows: int, vector_size: int, seed: int, first_row: int = 0) -> NDArray[np.float32]:
    """Initial input rows, uniform in [-1/vector_size, 1/vector_size); a row depends on (seed, its number) alone."""
    matrix = new_matrix(rows, vector_size)
    whole = padded(matrix)
    assert whole is not None
    for row in range(first_row, rows, 65_536):  # in parts, so that Ctrl-C is heard
        fill_rows(whole[row : row + 65_536], vector_size, derived_key(seed, 0), row)
    return matrix


# --- settings ---------------------------------------------------------------------------------------------------


def derived_key(seed: int, *path: int) -> int:
    """A 64-bit key for one purpose: path (0,) for initial rows, (1, epoch) for an epoch's draws."""
    return int(np.random.SeedSequence(seed, spawn_key=path).generate_state(1, np.uint64)[0])


def core_count() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_count(workers: int) -> int:
    """How many threads text is read by: `workers`, but no more than there are cores, nor than can be kept busy."""
    return min(READERS, core_count(), core_count() if workers == -1 else workers)


def worker_count(workers: int, tokens: int) -> int:
    """How many threads to train with; -1 asks for one per core this process may use."""
    return max(1, min(core_count() if workers == -1 else workers, tokens // TOKENS_PER_WORKER))


def hot_rows(counts: NDArray[np.int64], tokens: int, workers: int) -> int:
    """How many of the first rows every worker trains a copy of, in an epoch of so many tokens.

    Rows of frequent words, and nodes near the root, are wanted by all workers all the time, and travel between their
    caches. So each worker has copies of them, which are averaged with the shared rows every thousand words. A word
    must be so frequent that its row has settled long before the end: an average of n workers learns n times slower.
    """
    if workers == 1 or not len(counts) or (np.diff(counts) > 0).any():  # in some other order
        return 0
    expected = counts[:HOT_ROWS] * (tokens / max(1.0, float(counts.sum())))  # the corpus may not be the one counted
    return int((expected >= HOT_COUNT * workers).sum())


def show_config() -> dict[str, Any]:
    """What runs here: versions, the kernel's instruction set, and the others this CPU could run.

    ``W2V_ISA`` in the environment forces one of `available`. All of them give the same bytes.
    """
    from w2v import __version__

    return {
        "version": __version__,
        "scheme": SCHEME,
        "isa": _train.ISA,
        "available": list(_train.AVAILABLE),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }


def warn_if_slow(log: Callable[..., object]) -> None:
    if _train.ISA == "portable":
        log("the portable kernel is in use: the same results, but many times slower than avx2, avx512 or neon")


# --- one epoch --------------------------------------------------------------------------------------------------


class _NoBar:
    """What is used of a bar, for when there is none: importing tqdm takes longer than many a small job."""

    disable, n = True, 0

    def update(self, n: float = 1) -> None: ...

    def __enter__(self) -> "_NoBar":
        return self

    def __exit__(self, *error: object) -> None: ...


def progress_bar(wanted: bool | None, **options: Any) -> Any:
    """A tqdm bar on stderr; `wanted` None means only if that is a terminal."""
    shown = sys.stderr is not None and sys.stderr.isatty() if wanted is None else wanted
    if not shown:
        return _NoBar()
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[type-arg]
        monitor_interval = 0  # no thread of its own: it would outlive the bar

    return Bar(dynamic_ncols=True, unit="words", unit_scale=True, **options)


class _Workers:
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
                self._run(own, batch, self.stop, self.counts[own], self.loss[own])
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
                if time.monotonic() - looked_up > TICK:  # who waits for no one, as the corpus is slow, looks up too
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


def checked(kernel: Kernel, parts: Iterable[Encoded]) -> Iterator[tuple[Encoded, int]]:
    """Each part with the length of its longest sentence, if tokens and sentences are what the kernel takes them for."""
    for part in parts:
        for tokens in part.blocks():
            kernel.check_tokens(tokens)
        yield part, kernel.longest_sentence(part.offsets, len(part.tokens))


def new_lanes(kernel: Kernel, longest: int, lanes: int, words: int, begin: int = 0) -> _train.Lanes:
    """What the workers of deterministic training share, who begin at the position `begin`."""
    dealt = np.empty((0, 3), np.uint32), np.zeros(max(lanes, 0) + 1, np.int64)
    if lanes > 0 < words and kernel.negative:
        dealt = lane_tables(np.asarray(kernel.noise), lanes, words * kernel.negative)
    return _train.Lanes(kernel, longest, lanes, words, *dealt, begin, JITTER)


def run_epoch(
    kernel: Kernel,
    batches: Iterable[tuple[Encoded, int]],
    reached: Reached,
    *,
    key: int,
    alpha: float,
    slope: float,
    tokens: int,
    workers: int,
    n_hot: int,
    round_shape: tuple[int, int] | None = None,
    bar: Any,
    pause: Callable[[], bool] = lambda: False,
) -> bool:
    """Train once over `batches`; the learning rate of the word at position p is ``alpha - slope * p``.

    Parameters
    ----------
    kernel : Kernel
    batches : iterable of (Encoded, int), from `checked`
        Parts of the corpus in order; a cached corpus is one part.
    reached : Reached
        Where to begin, which is moved on, also if this is interrupted. Beyond the first word there must be one part.
    key : int, the epoch's key for every random choice
    alpha, slope : float
    tokens : int, size of the whole corpus; beyond it the rate no longer falls
    workers : int
    n_hot : int, from `hot_rows`
    round_shape : (lanes, words of a lane), optional
        Train deterministically: the result is the same for any number of workers. `batches` is then one part.
    bar : tqdm bar of `tokens` words
    pause : callable, optional
        Asked every `TICK` seconds whether to leave off where it is. What it raises ends training, too.

    Returns
    -------
    bool
        Whether the end was reached. One worker, and rounds, can go on as if nothing had happened; several workers
        without rounds leave out the rest of the chunk that each of them had.
    """

    def run(worker: int, batch: tuple[Any, ...], *state: Any) -> None:
        given = (*batch, workers, n_hot, *state) if round_shape is None else (*batch, worker, workers, *state)
        (kernel.run if round_shape is None else kernel.run_rounds)(*given)

    if round_shape is not None:
        workers = max(1, min(workers, round_shape[0]))  # more would only wait
    crew = _Workers(run, workers)
    crew.counts[0, :3] = reached.words, reached.survivors, reached.examples
    crew.loss[0, 0] = reached.loss
    current: list[Encoded] = []
    cursors: list[NDArray[np.int64]] = []
    lanes: list[_train.Lanes] = []
    started = pages_forgotten = time.monotonic()
    paused = False

    def handed_out() -> Iterator[tuple[Any, ...]]:
        origin = 0
        for part, longest in batches:
            current[:] = [part]
            given = (part.tokens, part.offsets, longest, origin, key, alpha, slope, tokens)
            if round_shape is None:
                cursors[:] = [np.full(16, reached.position, np.int64)]
                yield *given, cursors[0]
            else:
                lanes[:] = [new_lanes(kernel, longest, *round_shape, reached.position)]
                lanes[0].losses = reached.losses or lanes[0].losses
                yield *given, lanes[0]
            origin += len(part.tokens)

    def tick() -> None:
        nonlocal pages_forgotten, paused
        if time.monotonic() - pages_forgotten > 1:
            pages_forgotten = time.monotonic()
            for part in current:
                part.forget_pages()
        if pause():
            paused, crew.stop[0] = True, AFTER_A_ROUND
        if bar.disable:
            return
        words, _, examples = crew.counts[:, :3].sum(axis=0).tolist()
        shown = {"alpha": f"{alpha - slope * words:.4f}"}
        if loss := float(crew.loss[:, 0].sum()):
            shown["loss"] = f"{loss / max(examples, 1):.3f}"
        bar.set_postfix(shown, refresh=False)
        bar.update(words - bar.n)

    reached.settled = False
    try:
        if reached.position < tokens:
            crew.train(handed_out(), tick)
            tick()
    finally:  # all workers have ended
        words, survivors, examples = crew.counts[:, :3].sum(axis=0).tolist()
        if workers > 1 and round_shape is None:  # whose words are not all in front of the next one to be taken
            reached.position = min(int(cursors[0][0]), len(current[0].tokens)) if cursors else reached.position
        else:
            reached.position += words - reached.words
        reached.words, reached.survivors, reached.examples = words, survivors, examples
        if round_shape is None:
            reached.losses = [float(crew.loss[:, 0].sum())]
        elif lanes:
            reached.losses = lanes[0].losses
        reached.seconds += time.monotonic() - started
        reached.settled = True
    return not paused
