"""What a distributed training takes: memory, bytes on the wire, time; what it costs in quality, as far as simulated.

Bytes follow from how many rows a worker has changed since their last sync. A word that a worker meets `x` times on
average in that time is changed with the probability ``1 - exp(-x)``; how often words are met follows from their counts,
or from Zipf's law where only their number is known.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.distributed import policy as policies
from w2v.distributed.policy import SyncPolicy
from w2v.distributed.rates import changes, zipf_counts
from w2v.training.matrices import padded_size

# Bytes of a process before it has a model: Python, numpy, w2v and what Ray adds; measured.
PROCESS = 240 << 20

# Bytes of a word besides its vectors: in list and dictionary, and the tables of training; and in a table of counting.
PER_WORD = 300
PER_COUNTED_WORD = 90

# Copies of a window of rows while it is synced: sent, received, combined, in double precision.
WINDOW_COPIES = 5

# Words a second that one thread trains by skip-gram with 100 dimensions on the machine of the README's table.
THREAD_SPEED = 4.8e6

# What a sync takes besides moving bytes, in seconds.
LATENCY = 2e-3


class Simulated(NamedTuple):
    """A line of the table in docs/distributed.md: what a number of workers and a policy changed, in points.

    Attributes
    ----------
    workers, words_per_round : int
    combiner : str
    analogies, rare : (float, float), difference from one worker, and half of its 95 % interval
    """

    workers: int
    words_per_round: int
    combiner: str
    analogies: tuple[float, float]
    rare: tuple[float, float]


# benchmarks/distributed.py makes it, on 17 million words.
SIMULATED: tuple[Simulated, ...] = (
    Simulated(8, 5_000, "saturating", (-0.8, 0.8), (-0.2, 0.2)),
    Simulated(2, 10_000, "saturating", (-0.7, 0.9), (0.2, 0.3)),
    Simulated(4, 10_000, "saturating", (-1.4, 0.4), (-0.1, 0.4)),
    Simulated(8, 10_000, "saturating", (-1.4, 0.7), (-0.7, 0.2)),
    Simulated(16, 10_000, "saturating", (-3.2, 0.9), (-1.6, 0.3)),
    Simulated(32, 10_000, "saturating", (-9.4, 1.4), (-4.5, 0.4)),
    Simulated(2, 10_000, "touch:1", (-5.9, 0.8), (-3.3, 0.5)),
    Simulated(4, 10_000, "touch:1", (-13.6, 1.0), (-7.6, 0.5)),
    Simulated(8, 10_000, "touch:1", (-23.0, 1.0), (-13.2, 1.0)),
    Simulated(16, 10_000, "touch:1", (-30.5, 0.9), (-19.8, 0.5)),
    Simulated(32, 10_000, "touch:1", (-34.8, 1.0), (-24.0, 0.6)),
    Simulated(2, 10_000, "mean", (-7.0, 0.9), (-6.3, 0.5)),
    Simulated(4, 10_000, "mean", (-16.5, 1.0), (-15.0, 0.6)),
    Simulated(8, 10_000, "mean", (-26.1, 0.9), (-21.6, 0.5)),
    Simulated(16, 10_000, "mean", (-31.9, 1.0), (-26.4, 0.6)),
    Simulated(32, 10_000, "mean", (-35.5, 1.0), (-31.5, 0.7)),
)


@dataclass(frozen=True)
class Plan:
    """What a training will take; see `plan`.

    Attributes
    ----------
    worker_memory : int, bytes of each worker's process
    parts : dict of str to int, what it is made of
    bytes_sent : int, between workers in syncs of all epochs, as `Result.bytes_sent` counts
    setup_bytes : int, the model to all workers at the beginning, and from one at the end
    rounds : int
    train_seconds, sync_seconds : float, modelled
    speed_up : float, modelled, of words a second, against one such worker
    quality : Simulated or None, the nearest line of the table, if there is one for the combiner
    """

    worker_memory: int
    parts: dict[str, int]
    bytes_sent: int
    setup_bytes: int
    rounds: int
    train_seconds: float
    sync_seconds: float
    speed_up: float
    quality: Simulated | None

    def to_dict(self) -> dict[str, Any]:
        """All figures, as JSON can hold them."""
        found = asdict(self)
        if self.quality is not None:
            pairs = {"analogies": list(self.quality.analogies), "rare": list(self.quality.rare)}
            found["quality"] = self.quality._asdict() | pairs
        return found

    def lines(self) -> list[str]:
        """What `w2v plan` prints."""
        of = ", ".join(f"{name} {_size(size)}" for name, size in self.parts.items())
        seconds = self.train_seconds + self.sync_seconds
        found = [
            f"memory of a worker  {_size(self.worker_memory)}: {of}",
            f"sent in syncs       {_size(self.bytes_sent)} by all workers, in {self.rounds:,} rounds",
            f"sent besides        {_size(self.setup_bytes)}: the model at the beginning and at the end",
            f"time (modelled)     {_time(seconds)}: training {_time(self.train_seconds)}, "
            f"syncs {_time(self.sync_seconds)}",
            f"words a second      {self.speed_up:.1f} times those of one worker (modelled)",
        ]
        line = self.quality
        if line is None:
            return [*found, "quality             not simulated for this combiner"]
        return [
            *found,
            f"quality (simulated) {_points(line.analogies)} analogy points, {_points(line.rare)} on rare words, of "
            f"{line.workers} workers with {line.words_per_round:,} words a round, on 17 million words",
        ]


def _size(count: int) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            break
        count = round(count / 1000, 2)  # type: ignore[assignment]
    return f"{count:.3g} {unit}"


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def _points(found: tuple[float, float]) -> str:
    return f"{found[0]:+.1f} ± {found[1]:.1f}"


def plan(
    words: int,
    vector_size: int,
    workers: int,
    *,
    corpus_words: int = 1_000_000_000,
    epochs: int = 5,
    policy: SyncPolicy | None = None,
    network: float = 10e9,
    threads: int = 1,
    words_per_sec: float | None = None,
    negative: int = 5,
    hs: bool = False,
    sample: float = 1e-3,
    ns_exponent: float = 0.75,
    cached: bool = True,
    blocks: int | None = None,
    counts: Sequence[int] | NDArray[np.int64] | None = None,
) -> Plan:
    """Tell what a distributed training will take, before anything is installed or read.

    Parameters
    ----------
    words : int, of the vocabulary
    vector_size, workers : int
    corpus_words : int, default 10**9, of the whole corpus in an epoch
    epochs : int, default 5
    policy : SyncPolicy, optional
    network : float, default 10e9, bits a second of each worker's link, in each direction
    threads : int, default 1, of each worker
    words_per_sec : float, optional
        That a worker trains; by default what a thread does by skip-gram in the README's table, for this vector size.
    negative, hs, sample, ns_exponent
        As in `w2v.Word2Vec`.
    cached : bool, default True, tokens in memory; with ``cache="disk"`` they are not
    blocks : int, optional
        Of each worker, whose words are counted one block for itself; by default what a plain text is cut into.
    counts : sequence of int, optional
        Of the words, descending, for better figures; by default they follow Zipf's law.

    Returns
    -------
    Plan
        Memory and bytes were compared with measured ones (docs/distributed.md). Times are modelled: they know nothing
        of stragglers, of counting words, or of more epochs for the same quality.
    """
    policy = SyncPolicy() if policy is None else policy
    for name, value in (("words", words), ("vector_size", vector_size), ("workers", workers), ("epochs", epochs)):
        checks.integer(name, value, 1)
    checks.integer("threads", threads, 1)
    checks.integer("corpus_words", corpus_words, 1, 2**62)
    checks.number("network", network, 1)
    per_epoch = max(1, -(-corpus_words // (workers * policy.words_per_round)))
    known = zipf_counts(words, corpus_words) if counts is None else np.asarray(counts, np.int64)
    rates = changes(known, negative, hs, sample, ns_exponent)
    size = min(policy.words_per_round, -(-corpus_words // workers))
    sent = sum(_sync_rows(rate, policy, per_epoch, size, workers) for rate in rates)
    row = 4 * vector_size + 4
    bytes_sent = int(epochs * (workers - 1) * row * sent)
    parts = _memory(words, vector_size, len(rates), threads, blocks)
    parts["tokens"] = (corpus_words // workers) * (4 if cached else 0) + corpus_words // workers // 20 * 8
    speed = words_per_sec or THREAD_SPEED * 100 / vector_size * threads
    train_seconds = epochs * corpus_words / (workers * speed)
    sync_seconds = 0.0
    if workers > 1:
        sync_seconds = bytes_sent / workers * 8 / network + epochs * per_epoch * LATENCY
    matrix = 4 * words * vector_size * len(rates)
    return Plan(
        worker_memory=sum(parts.values()),
        parts=parts,
        bytes_sent=bytes_sent,
        setup_bytes=matrix * (workers + 1),
        rounds=epochs * per_epoch,
        train_seconds=train_seconds,
        sync_seconds=sync_seconds,
        speed_up=workers * train_seconds / (train_seconds + sync_seconds),
        quality=_nearest(workers, policy),
    )


def _memory(words: int, size: int, matrices: int, threads: int, blocks: int | None) -> dict[str, int]:
    """Bytes of a worker, by what takes them."""
    window = min(words * size * 4, max(policies.WINDOW_BYTES, policies.LEAST_WINDOW * size * 4))
    own = blocks if blocks is not None else 4
    return {
        "process": PROCESS,
        "model": words * matrices * padded_size(size) * 4,
        "as of the last sync": 2 * words * matrices * size * 4,
        "rows on their way": WINDOW_COPIES * window * matrices,
        "vocabulary": words * PER_WORD,
        "counting": words * PER_COUNTED_WORD * own * (1 if threads == 1 else 2),
    }


def _sync_rows(rate: NDArray[np.float64], policy: SyncPolicy, rounds: int, size: int, workers: int) -> float:
    """Rows that go out and come back in the syncs of an epoch, for each worker but one: changed and combined ones."""
    total = 0.0
    known: dict[tuple[int, int, int], float] = {}
    for number in range(1, rounds + 1):
        covered = policy.rows(number, rounds, len(rate))
        for begin, end, since in policy.unsynced(number, len(rate)):
            part = begin, min(end, covered), since
            if begin >= covered:
                break
            if part not in known:  # there are few of them, as tiers come again and again
                met = -np.expm1(-rate[part[0] : part[1]] * (size * since))
                by_any = -np.expm1(workers * np.log1p(-np.minimum(met, 1 - 1e-15)))
                known[part] = float(met.sum() + by_any.sum())
            total += known[part]
    return total


def _nearest(workers: int, policy: SyncPolicy) -> Simulated | None:
    """The line with this combiner that is nearest in the number of workers, then in the length of rounds."""
    name = f"touch:{policy.gamma:g}" if policy.combiner == "touch" else policy.combiner
    lines = [line for line in SIMULATED if line.combiner == name]
    if not lines or workers == 1:
        return None

    def far(line: Simulated) -> tuple[float, float]:
        ratio = line.workers / workers, line.words_per_round / policy.words_per_round
        return max(ratio[0], 1 / ratio[0]), max(ratio[1], 1 / ratio[1])

    return min(lines, key=far)
