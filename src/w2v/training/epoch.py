"""One epoch: hands the encoded corpus to the workers, shows progress, and joins them again, whatever happens."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.common.public import public
from w2v.tokens.encode import Encoded
from w2v.training import _train, schedule
from w2v.training.schedule import Schedule
from w2v.training.workers import AFTER_A_ROUND, Workers
from w2v.vocabulary.noise import segment_tables

MOST_ROUND = _train.MOST_ROUND

# Of a corpus that has so many words for each segment a round may take more of them, and then serves more workers.
WORDS_FOR_A_SEGMENT = 3_000_000


def round_shape(tokens: int) -> tuple[int, int]:
    """The segments of a round, and the words of each, for a corpus with so many words of the vocabulary."""
    segments, words = schedule.ROUND
    while 2 * segments <= min(MOST_ROUND[0], tokens // WORDS_FOR_A_SEGMENT):
        segments *= 2
    return segments, words


@public
class StopTraining(Exception):
    """Raise this in a callback to end training early; the model keeps what it has learnt."""


@public
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

    @classmethod
    def of(cls, number: int, done: Any, alpha: float, with_loss: bool) -> "EpochRecord":
        """Of what was `done` by the end of an epoch: its words, survivors, examples, loss and seconds."""
        loss = done.loss / done.examples if with_loss and done.examples else None
        return cls(number, done.words, done.survivors, done.examples, done.seconds, alpha, loss)


@dataclass
class Progress:
    """How far an epoch has come: `run_epoch` begins there, and moves it on.

    Attributes
    ----------
    position : int, of the first word that is still to be trained
    words, survivors, examples : int, counted so far
    losses : list of float, summed so far: one number, or in deterministic training one for each segment
    seconds : float, spent so far
    consistent : bool
        False while workers train, and if they were left in a way that does not tell how far they came.
    """

    position: int = 0
    words: int = 0
    survivors: int = 0
    examples: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0
    consistent: bool = True

    @property
    def loss(self) -> float:
        """Of all segments; rounded once, since `sum` is not the same in all versions of Python."""
        return math.fsum(self.losses)


def warn_if_slow(log: Callable[..., object]) -> None:
    if _train.ISA == "portable":
        log("the portable kernel is in use: the same results, but many times slower than avx2, avx512 or neon")


class Checked(NamedTuple):
    """A part of the corpus that the kernel can trust; made by `check_parts`."""

    encoded: Encoded
    longest: int  # tokens of a sentence
    most_tags: int = 0  # of a sentence
    origin: int | None = None  # its first position in the corpus, if it is not the one behind the part before


def check_parts(kernel: _train.Kernel, parts: Iterable[Encoded]) -> Iterator[Checked]:
    """Each part, if its tokens, sentences and tags are what the kernel takes them for."""
    for part in parts:
        for tokens in part.blocks():
            kernel.check_tokens(tokens)
        longest = kernel.longest_sentence(part.offsets, len(part.tokens))
        most = 0 if part.tags is None else kernel.most_tags(*part.tags, len(part.offsets) - 1)
        yield Checked(part, longest, most)


def new_segments(
    kernel: _train.Kernel, longest: int, segments: int, words: int, begin: int = 0, most_tags: int = 0
) -> _train.Segments:
    """What the workers of deterministic training share, who begin at the position `begin`."""
    dealt = np.empty((0, 3), np.uint32), np.zeros(max(segments, 0) + 1, np.int64)
    if segments > 0 < words and kernel.negative:
        dealt = segment_tables(np.asarray(kernel.noise), segments, words * kernel.negative)
    return _train.Segments(kernel, longest, segments, words, *dealt, begin, most_tags)


def run_epoch(
    kernel: _train.Kernel,
    batches: Iterable[Checked],
    progress: Progress,
    *,
    key: int,
    schedule: Schedule,
    workers: int,
    n_hot: int,
    round_shape: tuple[int, int] | None = None,
    bar: Any,
    pause: Callable[[], bool] = lambda: False,
) -> bool:
    """Train once over `batches`.

    Parameters
    ----------
    kernel : Kernel
    batches : iterable of Checked, from `check_parts`
        Parts of the corpus in order; a cached corpus is one part.
    progress : Progress
        Where to begin, which is moved on, also if this is interrupted. Beyond the first word there must be one part.
    key : int, the epoch's key for every random choice
    schedule : Schedule
        The learning rate; its horizon is the size of the whole corpus.
    workers : int
    n_hot : int, from `hot_rows`
    round_shape : (segments, words of a segment), optional
        Train deterministically: the result is the same for any number of workers. `batches` is then one part.
    bar : tqdm bar of so many words as the corpus has
    pause : callable, optional
        Asked every `TICK` seconds whether to leave off where it is. What it raises ends training, too.

    Returns
    -------
    bool
        Whether the end was reached. One worker, and rounds, can go on as if nothing had happened; several workers
        without rounds leave out the rest of the chunk that each of them had.
    """
    if round_shape is not None:
        workers = max(1, min(workers, round_shape[0]))  # more would only wait

    def train(number: int, batch: tuple[_train.Part, Any], *own: Any) -> None:
        part, shared = batch
        if round_shape is None:
            kernel.train(part, epoch, _train.Racer(shared, workers, n_hot, *own))
        else:
            kernel.train(part, epoch, _train.Member(shared, number, workers, *own))

    crew = Workers(train, workers)
    epoch = _train.Epoch(key, schedule, crew.stop)
    crew.counts[0, :3] = progress.words, progress.survivors, progress.examples
    crew.loss[0, 0] = progress.loss
    current: list[Encoded] = []
    cursors: list[NDArray[np.int64]] = []
    segments: list[_train.Segments] = []
    started = pages_forgotten = time.monotonic()
    paused = False

    def handed_out() -> Iterator[tuple[_train.Part, Any]]:
        origin = 0
        for encoded, longest, most_tags, place in batches:
            origin = origin if place is None else place
            current[:] = [encoded]
            rows, offsets = (None, None) if encoded.tags is None else encoded.tags
            part = _train.Part(encoded.tokens, encoded.offsets, longest, origin, rows, offsets, most_tags)
            if round_shape is None:
                cursors[:] = [np.full(16, progress.position, np.int64)]
                yield part, cursors[0]
            else:
                segments[:] = [new_segments(kernel, longest, *round_shape, progress.position, most_tags)]
                segments[0].losses = progress.losses or segments[0].losses
                yield part, segments[0]
            origin += len(encoded.tokens)

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
        shown = {"alpha": f"{schedule.at(words):.4f}"}
        if loss := float(crew.loss[:, 0].sum()):
            shown["loss"] = f"{loss / max(examples, 1):.3f}"
        bar.set_postfix(shown, refresh=False)
        bar.update(words - bar.n)

    progress.consistent = False
    try:
        if progress.position < schedule.horizon:
            crew.train(handed_out(), tick)
            tick()
    finally:  # all workers have ended
        words, survivors, examples = crew.counts[:, :3].sum(axis=0).tolist()
        if workers > 1 and round_shape is None:  # they finish out of order: the cursor, not the count, is the position
            progress.position = min(int(cursors[0][0]), len(current[0].tokens)) if cursors else progress.position
        else:
            progress.position += words - progress.words
        progress.words, progress.survivors, progress.examples = words, survivors, examples
        if round_shape is None:
            progress.losses = [float(crew.loss[:, 0].sum())]
        elif segments:
            progress.losses = segments[0].losses
        progress.seconds += time.monotonic() - started
        progress.consistent = True
    return not paused


class Kernel(_train.Kernel):
    """What trains the matrices, here with threads. Another engine is a subclass that runs an epoch in another way.

    Attributes
    ----------
    exact : bool, whether one worker, or deterministic training, gives the same bytes every time
    uses_threads : bool, whether several threads do more than one
    batch_words : int
        Words of documents that are inferred together: enough to keep all busy, few enough to begin soon.
    device_name : str, what the provenance says of where an epoch was trained
    """

    exact: ClassVar[bool] = True
    uses_threads: ClassVar[bool] = True
    batch_words: ClassVar[int] = 1 << 18
    device_name = "cpu"

    def inferring(self) -> AbstractContextManager[object]:
        """Open while documents are inferred, by one call of `infer` after the other."""
        return nullcontext()

    run = run_epoch
