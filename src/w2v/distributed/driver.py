"""The run: rounds, syncs, epochs, checkpoints, and what is done when workers are lost. Engines only carry it out."""

import copy
import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.distributed import gathering
from w2v.distributed import policy as policies
from w2v.distributed.combine import Rows, Tag
from w2v.distributed.engine import Engine, WorkerLost
from w2v.distributed.manifest import Block
from w2v.distributed.replica import Counted, Facts, Job, Trained
from w2v.distributed.rounds import paces
from w2v.models.tagged import Tagged
from w2v.models.word2vec import Word2Vec
from w2v.training import epoch
from w2v.training.provenance import Provenance
from w2v.training.schedule import Schedule, derived_key
from w2v.training.trainable import Contents

logger = logging.getLogger(__name__)

ON_LOSS = ("replay", "skip", "fail")

# So often workers may be lost without a full sync between, before the cause is taken for one that comes back.
MOST_LOSSES = 5


@dataclass
class Totals:
    """What was done in an epoch up to a round."""

    words: int = 0
    survivors: int = 0
    examples: int = 0
    loss: float = 0.0
    seconds: float = 0.0

    def add(self, done: Iterable[Trained], seconds: float) -> "Totals":
        """With a round more, of all workers by rank."""
        done = list(done)
        return Totals(
            self.words + sum(one.words for one in done),
            self.survivors + sum(one.survivors for one in done),
            self.examples + sum(one.examples for one in done),
            self.loss + math.fsum(one.loss for one in done),
            self.seconds + seconds,
        )


class State(NamedTuple):
    """Where a run is: `clock` counts its rounds over all epochs."""

    clock: int
    totals: Totals
    provenance: Provenance


@dataclass
class Account:
    """What happened on the way; see `w2v.distributed.Result`."""

    lost: list[int] = field(default_factory=list)
    replayed: int = 0
    skipped: list[int] = field(default_factory=list)  # blocks of lost workers
    rounds: int = 0
    words: int = 0
    seconds: float = 0.0
    bytes_sent: int = 0
    memory: int = 0


class Run:
    """One distributed call of training.

    Parameters
    ----------
    model : Word2Vec
        Whose vocabulary is made by `count_words` if it has none. Its matrices are trained when `train` returns.
    engine : Engine, started
    job : Job
    blocks : list of Block
    owned : list of list of int, the blocks of each rank
    on_loss : str
    write : callable, called with the run and whether it has ended, behind full syncs
    """

    def __init__(
        self,
        model: Word2Vec,
        engine: Engine,
        job: Job,
        blocks: list[Block],
        owned: list[list[int]],
        on_loss: str,
        write: Callable[["Run", bool], bool] = lambda run, ended: False,
    ) -> None:
        self.model, self._engine, self._job, self._write = model, engine, job, write
        self._blocks, self._owned, self._on_loss = blocks, owned, on_loss
        self.account = Account()
        self._generation = self._losses = 0
        self._documents = isinstance(model, Tagged)

    # --- before the first round -------------------------------------------------------------------------------------

    def check_workers(self) -> None:
        """RuntimeError if workers would not give the same results."""
        about = self._insisting(lambda: self._engine.everyone("about"))
        others = [f"worker {rank} has {own}" for rank, own in enumerate(about) if own != about[0]]
        if others:
            raise RuntimeError(f"workers must run the same w2v: worker 0 has {about[0]}, but {'; '.join(others)}")

    def count_words(self) -> None:
        """Make the model's vocabulary, of counts that the workers make: that of one machine, byte for byte."""
        counts: dict[str, int] = {}
        waiting: dict[int, Counted] = {}
        sentences = done = 0
        for place in range(max(map(len, self._owned))):
            for own, counted in zip(
                self._owned, self._insisting(partial(self._engine.everyone, "count", place)), strict=True
            ):
                if counted is not None:
                    waiting[own[place]] = counted
            while done in waiting:  # in the order of the corpus: words keep their first appearances
                block = waiting.pop(done)
                done += 1
                sentences += block.sentences
                for word, count in zip(block.words, block.counts.tolist(), strict=True):
                    counts[word] = counts.get(word, 0) + count
        logger.info("%s different words in %s sentences", f"{len(counts):,}", f"{sentences:,}")
        self.model.build_vocab_from_freq(counts, corpus_count=sentences)

    def begin(self, contents: Contents, state: State, documents: Rows | None = None) -> None:
        """Give all workers the model to start from, and learn how many words they have in each round."""
        self._shared, self._start, self._start_documents = self._engine.share(contents), state, documents
        self._insisting(self._begin)
        self._state = self._anchor = state

    def _begin(self) -> list[Any]:
        facts: dict[int, Facts] = {}
        for rank, own in enumerate(self._engine.everyone("begin", self._shared)):
            facts |= zip(self._owned[rank], own, strict=True)
        in_order = [facts[number] for number in range(len(self._blocks))]
        self.tokens, self.text_words = (
            sum(getattr(one, name) for one in in_order) for name in ("tokens", "text_words")
        )
        if not self.tokens:
            raise RuntimeError("no word of this corpus is in the vocabulary; nothing can be trained")
        self._origins = list(accumulate((one.tokens for one in in_order), initial=0))
        self._firsts = list(accumulate((0 if one.lengths is None else len(one.lengths) for one in in_order), initial=0))
        self.lengths = [one.lengths for one in in_order if one.lengths is not None]
        digests = set(self._engine.everyone("vocabulary_digest"))
        if len(digests) > 1:
            raise RuntimeError("the workers have not received the same vocabulary")
        self.words = self._engine.each("place", [self._place_of(rank) for rank in self._engine.ranks])
        self.rounds = max(map(len, self.words))
        return self.words

    def _insisting(self, call: Callable[[], list[Any]]) -> list[Any]:
        """Call, and call again with others in the place of workers that are lost before training."""
        while True:
            try:
                return call()
            except WorkerLost as lost:
                self._losses += 1
                self.account.lost += lost.ranks
                if self._on_loss != "replay" or self._losses > MOST_LOSSES:
                    raise
                logger.warning("%s; beginning again", lost)
                self._engine.replace(lost.ranks)

    def _place_of(self, rank: int) -> tuple[Any, ...]:
        own = self._owned[rank]
        rows = None
        if self._start_documents is not None:
            spans = [self._start_documents[self._firsts[number] : self._firsts[number + 1]] for number in own]
            rows = np.concatenate(spans)
        return self._start.clock, [self._origins[n] for n in own], [self._firsts[n] for n in own], rows

    # --- rounds -----------------------------------------------------------------------------------------------------

    @property
    def clock(self) -> int:
        """How many rounds of the run are done."""
        return self._state.clock

    @property
    def state(self) -> State:
        """Where the run is."""
        return self._state

    def train(self) -> Account:
        """Train to the end of the model's last run.

        Raises
        ------
        WorkerLost
            With ``on_loss="fail"``, or if workers are lost again and again.
        FloatingPointError
            Combined rows are no longer finite. The model is then that of the last full sync.
        """
        epochs = self.model.provenance.runs[-1]["epochs"]
        first = self.model.provenance.runs[-1]["trained"]
        self._first_epoch = self.model.provenance.trained_epochs - first
        ended = epochs * self.rounds
        started = time.monotonic()
        collected = False
        while not collected:
            try:
                if self.clock < ended:
                    self._round()
                else:
                    self.collect()
                    self.account.bytes_sent = sum(self._engine.everyone("traffic"))
                    self.account.memory = max(self._engine.everyone("peak_memory"))
                    collected = True
            except WorkerLost as lost:
                self._recover(lost)
        self.account.rounds = self.clock - self._start.clock
        self.account.seconds = time.monotonic() - started
        self._write(self, True)
        return self.account

    def _round(self) -> None:
        clock, totals, provenance = self._state
        number = clock % self.rounds
        self.model.heed()
        started = time.monotonic()
        schedule = self._schedule(clock // self.rounds)
        key = derived_key(self.model.seed, 1, self._first_epoch + clock // self.rounds)
        by_rank = paces(schedule, self.words, number)
        done = self._surviving(
            lambda: self._engine.each("train", [(clock, number, key, by_rank[rank]) for rank in self._engine.ranks])
        )
        most = max(len(self.model.vocabulary), 1)
        rows = self._job.policy.rows(number + 1, self.rounds, most)
        for low, high in policies.windows(rows, self.model.vector_size):
            self._sync(clock, low, high)
        self.account.words += sum(one.words for one in done)
        totals = totals.add(done, time.monotonic() - started)
        self._state = State(clock + 1, totals, provenance)
        if rows == most:
            self._full_sync()

    def _schedule(self, number: int) -> Schedule:
        """The learning rate of an epoch of the run: as on one machine, a straight line over all words."""
        run = self.model.provenance.runs[-1]
        slope = (run["alpha"] - run["min_alpha"]) / (run["epochs"] * self.tokens)
        return Schedule(run["alpha"] - slope * self.tokens * number, slope, self.tokens)

    def _full_sync(self) -> None:
        """What follows a full sync: all rows are the same everywhere, and this is where a loss leads back to."""
        state = self._state
        self._back_up_documents(state.clock)
        if state.clock % self.rounds == 0:
            state = self._end_epoch(state)
        self._state = self._anchor = state
        self._losses = 0
        self._surviving(lambda: self._engine.everyone("commit", state.clock))
        if self._write(self, False):  # the workers' model is now here, too: nobody has to go back further
            self._shared, self._start = self._engine.share(self.contents()), state
            self._start_documents = self._document_rows()

    def _end_epoch(self, state: State) -> State:
        provenance, totals = copy.copy(state.provenance), state.totals
        if not totals.examples:
            logger.warning(
                "nothing was trained in an epoch: of %s words none had a neighbour to learn from", totals.words
            )
        alpha = self._schedule(state.clock // self.rounds - 1).at(self.tokens)
        record = epoch.EpochRecord.of(provenance.trained_epochs, totals, alpha, self.model.compute_loss)
        provenance.end_epoch(record, totals.loss)
        logger.info("epoch %d: %s words in %.1f s", record.epoch + 1, f"{totals.words:,}", totals.seconds)
        return State(state.clock, Totals(), provenance)

    def _sync(self, clock: int, low: int, high: int) -> None:
        """Combine a window of rows; if workers are skipped, all others have combined it, or none."""
        doubtful = finite = False
        while not finite:
            tag = self._generation, clock, low
            try:
                if doubtful and self._all_have_applied(tag, low, high):
                    return
                finite = self._engine.sync(tag, low, high)
            except WorkerLost as lost:
                self._drop(lost)
                doubtful = True
                continue
            if not finite:
                self._engine.everyone("rewind", self._anchor.clock)
                self._state = self._anchor
                self.collect()
                raise FloatingPointError(
                    f"the vectors are no longer finite after round {clock + 1}; the model is that of the last full "
                    f"sync, after round {self._anchor.clock}. Lower alpha={self.model.alpha!r} and start again"
                )

    def _all_have_applied(self, tag: Tag, low: int, high: int) -> bool:
        """Whether a sync that was interrupted has been applied: if somebody has, all follow."""
        ranks = self._engine.ranks
        having = [rank for rank, at in zip(ranks, self._engine.everyone("applied"), strict=True) if at[1:] == tag[1:]]
        if having and len(having) < len(ranks):
            values = self._engine.one(having[0], "values", low, high)
            for rank in ranks:
                if rank not in having:
                    self._engine.one(rank, "adopt", tag, low, high, values)
        return bool(having)

    # --- losses -----------------------------------------------------------------------------------------------------

    def _surviving(self, call: Callable[[], list[Any]]) -> list[Any]:
        """Call, and if lost workers are to be skipped, call again without them: what was done is not done twice."""
        while True:
            try:
                return call()
            except WorkerLost as lost:
                self._drop(lost)

    def _drop(self, lost: WorkerLost) -> None:
        """Go on without workers; raises the loss if that is not wanted."""
        if self._on_loss != "skip" or set(lost.ranks) >= set(self._engine.ranks):
            raise lost
        logger.warning("%s; going on without its blocks", lost)
        self._generation += 1
        self.account.lost += lost.ranks
        for rank in lost.ranks:
            self.account.skipped += self._owned[rank]
        self._engine.drop(lost.ranks)

    def _recover(self, lost: WorkerLost) -> None:
        """Replace lost workers and bring all to the last full sync, as often as that is interrupted; or go on."""
        if self._on_loss == "skip":
            return self._drop(lost)
        unready: set[int] = set()  # who was replaced, or is to be, before all were ready
        while True:
            unready |= set(lost.ranks)
            self._losses += 1
            self.account.lost += lost.ranks
            if self._on_loss != "replay" or self._losses > MOST_LOSSES:
                raise lost
            logger.warning("%s; going back to round %d", lost, self._anchor.clock)
            self._generation += 1
            try:
                self._rebuild(sorted(unready))
                return
            except WorkerLost as again:
                lost = WorkerLost(again.ranks, str(again))

    def _rebuild(self, ranks: list[int]) -> None:
        engine, anchor, done = self._engine, self._anchor, self.clock
        survivors = [rank for rank in engine.ranks if rank not in ranks]
        documents = {}
        if anchor.clock != self._start.clock and self._documents:
            for rank in ranks:
                buddy = engine.ranks[(engine.ranks.index(rank) + 1) % len(engine.ranks)]
                if buddy in survivors:
                    documents[rank] = engine.one(buddy, "backup_of", rank, anchor.clock)
        if not survivors or (anchor.clock != self._start.clock and self._documents and set(documents) != set(ranks)):
            ranks, survivors, anchor = list(engine.ranks), [], self._start  # nobody has it any more
        engine.replace(ranks)
        for rank in ranks:
            engine.one(rank, "begin", self._shared)
            engine.one(rank, "place", *self._place_of(rank))
        for rank in survivors:
            engine.one(rank, "rewind", anchor.clock)
        if anchor.clock != self._start.clock:
            for low, high in policies.windows(len(self.model.vocabulary), self.model.vector_size):
                values = engine.share(engine.one(survivors[0], "values", low, high))
                for rank in ranks:
                    engine.one(rank, "adopt", (0, -1, -1), low, high, values)
            for rank in ranks:
                engine.one(rank, "restore", anchor.clock, documents.get(rank))
        self.account.replayed += done - anchor.clock
        self._state = self._anchor = anchor
        if anchor.clock != self._start.clock:  # the copies that the lost ones kept are gone, too
            self._back_up_documents(anchor.clock)

    def _back_up_documents(self, clock: int) -> None:
        """Let each worker's neighbour keep a copy of its documents, which nobody else has."""
        ranks = self._engine.ranks
        if self._documents and self._on_loss == "replay":
            for rank, buddy in zip(ranks, ranks[1:] + ranks[:1], strict=True):
                self._engine.one(buddy, "keep", rank, clock, self._engine.one(rank, "document_rows"))

    # --- the model --------------------------------------------------------------------------------------------------

    def collect(self) -> None:
        """Bring rows and documents of the last full sync into the model."""
        gathering.collect_rows(self._engine, self.model)
        if isinstance(self.model, Tagged):
            if len(self.model.dv) != self._firsts[-1]:
                self.model.number_documents(np.concatenate(self.lengths))
            gathering.collect_documents(self._engine, self.model, self._owned, self._firsts)
        self.model.provenance = copy.copy(self._state.provenance)

    def contents(self) -> Contents:
        """The model for the workers, without documents: each worker has its own."""
        found = self.model.contents()
        arrays = {name: array for name, array in found.arrays.items() if not name.startswith("documents")}
        return found._replace(arrays=arrays)

    def _document_rows(self) -> NDArray[np.float32] | None:
        return np.array(self.model.dv.vectors) if isinstance(self.model, Tagged) else None
