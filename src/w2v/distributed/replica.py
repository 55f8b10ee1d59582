"""What one worker holds: its blocks as integers, its copy of the model, and the rows as of the last syncs.

A replica knows nothing of engines: an engine calls its methods and moves what they give.

Three states of the rows are told apart. `local` is what the kernel trains. `base` is each row at its last sync, the
same for all workers. The *anchor* is the model at the last full sync, to which all can return: `base`, but of the rows
that have been synced since, the former values are kept beside it.
"""

import hashlib
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v._version import __version__
from w2v.common import memory
from w2v.common.cores import thread_count
from w2v.common.progress import progress_bar
from w2v.distributed import combine, policy, rates
from w2v.distributed.combine import Numbers, Rows, Sent, Tag
from w2v.distributed.manifest import Block
from w2v.distributed.policy import SyncPolicy
from w2v.distributed.rounds import Pace, Stretch, rounds_of
from w2v.distributed.sources import TableBlock, TextBlock, is_table
from w2v.models.families import FAMILIES
from w2v.models.tagged import Tagged
from w2v.tokens.cache import LIMITS
from w2v.tokens.encode import Encoded, Scan
from w2v.tokens.tags import TagRows, Tags
from w2v.training import epoch, matrices, schedule
from w2v.training.schedule import derived_key
from w2v.training.trainable import Contents
from w2v.training.weights import DOCUMENTS
from w2v.training.workers import hot_rows, worker_count


class Job(NamedTuple):
    """What is the same for all workers of a run.

    Attributes
    ----------
    kind : str, of the model, as its files have it
    policy : SyncPolicy
    threads : int, of each worker
    cache : str, where tokens are kept; see `w2v.Word2Vec`
    column : str or None, of tables
    """

    kind: str
    policy: SyncPolicy
    threads: int
    cache: str
    column: str | None


class Counted(NamedTuple):
    """The words of a block in the order of their first appearance, how often each occurs, and how many sentences."""

    words: list[str]
    counts: NDArray[np.int64]
    sentences: int


class Facts(NamedTuple):
    """What an encoded block has: words of the vocabulary, sentences, words of the text; of documents, of each."""

    tokens: int
    sentences: int
    text_words: int
    lengths: NDArray[np.int64] | None


class Trained(NamedTuple):
    """What a worker did in a round; see `EpochRecord`."""

    words: int
    survivors: int
    examples: int
    loss: float
    seconds: float


class BlockError(ValueError):
    """A block of the corpus cannot be read; says which."""


class Replica:
    """One worker.

    Parameters
    ----------
    rank : int
    job : Job
    blocks : sequence of (int, Block), those of this worker with their numbers in the corpus, rising
    """

    def __init__(self, rank: int, job: Job, blocks: Sequence[tuple[int, Block]]) -> None:
        self.rank, self._job = rank, job
        self._blocks = list(blocks)
        self._documents_too = issubclass(FAMILIES[job.kind], Tagged)
        self._scans: list[Scan | None] = [None] * len(self._blocks)
        self._encoded: list[Encoded] = []
        self._rounds: list[list[Stretch]] = []
        self._trained: tuple[int, Trained] | None = None
        self._backups: dict[tuple[int, int], Rows] = {}  # of other workers' documents, by their rank and anchor
        self.bytes_sent = self._most_memory = 0

    def about(self) -> dict[str, Any]:
        """What must be the same on all machines for results to be the same."""
        return {"version": __version__, "scheme": schedule.SCHEME}

    # --- the corpus -------------------------------------------------------------------------------------------------

    def count(self, place: int) -> Counted | None:
        """Read one of the own blocks: its words and counts; its tokens are kept until the vocabulary is known."""
        if place >= len(self._blocks):
            return None
        self._scans[place] = scan = self._read(place)
        self._note_memory()
        return Counted(scan.words(), scan.counts, scan.sentences)

    def _read(self, place: int) -> Scan:
        number, block = self._blocks[place]
        source: Any = TextBlock(block.path, block.begin, block.end)
        if table := is_table(block.path):
            source = TableBlock(block.path, block.begin, block.end, self._job.column, self._documents_too)
        try:
            return Scan(
                source,
                not table,
                cache_bytes=LIMITS[self._job.cache] / len(self._blocks),
                threads=thread_count(self._job.threads),
                documents=self._documents_too,
            )
        except Exception as error:  # each reader has its own; the original is named, since it may not travel
            raise BlockError(f"block {number} of the corpus, {block}: {type(error).__name__}: {error}") from error

    def begin(self, contents: Contents) -> list[Facts]:
        """Take over a model, and encode the blocks by its vocabulary."""
        arrays = {
            name: matrices.grown(array, len(array)) if array.ndim == 2 else np.array(array)
            for name, array in contents.arrays.items()  # what was handed over belongs to others
        }
        contents = contents._replace(arrays=arrays)
        self.model = model = FAMILIES[self._job.kind].of_contents("the model of the run", contents)
        model.progress, model.workers, model.device = False, self._job.threads, "cpu"
        index, facts = model.vocabulary.index, []
        self._encoded = []
        for place in range(len(self._blocks)):
            scan = self._scans[place] or self._read(place)
            self._scans[place] = lengths = rows = None
            if scan.tags is not None:
                rows = TagRows(range(scan.tags.documents), {})
                lengths = scan.tags.counted(rows)[1]
            encoded = scan.encode(index, rows)
            self._encoded.append(encoded)
            facts.append(Facts(len(encoded.tokens), len(encoded.offsets) - 1, encoded.text_words, lengths))
        self._rounds = rounds_of([encoded.offsets for encoded in self._encoded], self._job.policy.words_per_round)
        self._counted = facts
        self._note_memory()
        return facts

    def vocabulary_digest(self) -> str:
        """SHA-256 of words and counts."""
        vocabulary = self.model.vocabulary
        digest = hashlib.sha256("\n".join(vocabulary.words).encode("utf-8", "surrogatepass"))
        digest.update(np.ascontiguousarray(vocabulary.counts, "<i8").data)
        return digest.hexdigest()

    def place(self, clock: int, origins: Sequence[int], first_documents: Sequence[int], rows: Rows | None) -> list[int]:
        """Learn where the own blocks stand in the corpus: the words of each round.

        Parameters
        ----------
        clock : int, how many rounds the model has behind it
        origins, first_documents : sequence of int
            The first position, and the first document, of each own block.
        rows : float32 [T, D] or None
            The vectors of this worker's documents, if they are not those that every training begins with.
        """
        self._origins = list(origins)
        model = self.model
        settings = model.settings()
        if self._documents_too:
            assert isinstance(model, Tagged)
            self._number_documents(model, first_documents, rows)
        model.weights = model.weights.trainable()
        if self._rounds:
            self.kernel = model.kernel(settings)
        named = dict(model.weights.named())
        self.documents = named.pop("documents", None)
        self.names = list(named)
        self.local = [frequent_first(name, named[name]) for name in self.names]
        self._gone: dict[int, float] = {}  # of each round of the epoch, alpha times words
        self.base = [local.copy(order="C") for local in self.local]
        self._before = [np.empty_like(base) for base in self.base]  # rows as of the anchor, of those synced since
        self._kept = 0  # how many of the first rows these are
        self._anchor = clock
        self._applied: Tag = (0, -1, -1)
        self._own_documents = None if self.documents is None else np.array(self.documents)
        return [sum(int(self._size(*stretch)) for stretch in own) for own in self._rounds]

    def _number_documents(self, model: Tagged, firsts: Sequence[int], rows: Rows | None) -> None:
        lengths = [facts.lengths for facts in self._counted if facts.lengths is not None]
        model.number_documents(np.concatenate([np.zeros(0, np.int64), *lengths]))
        size = model.vector_size
        vectors, at, key = matrices.new_matrix(len(model.dv), size), 0, derived_key(model.seed, DOCUMENTS)
        for first, own in zip(firsts, lengths, strict=True):
            matrices.fill(vectors, at, at + len(own), key, first)
            at += len(own)
        if rows is not None:
            vectors[:] = rows
        model.dv.vectors = vectors
        self._document_starts = np.cumsum([0, *map(len, lengths)])

    def _size(self, block: int, first: int, last: int) -> int:
        offsets = self._encoded[block].offsets
        return int(offsets[last] - offsets[first])

    # --- training ---------------------------------------------------------------------------------------------------

    def train(self, clock: int, number: int, key: int, pace: Pace) -> Trained:
        """Train the round of this number in an epoch; a second time does nothing.

        Parameters
        ----------
        clock : int, the number of the round in the run
        number : int, in the epoch
        key : int, the epoch's, for every random choice
        pace : Pace
        """
        self._in_epoch, self._gone[number] = number, pace.schedule.at(pace.before) * pace.words
        if self._trained is not None and self._trained[0] == clock:
            return self._trained[1]
        started, done, losses = time.monotonic(), 0, []
        words = survivors = examples = 0
        settings = self.model.settings()
        round_shape = self.model.provenance.round_shape if settings.deterministic else None
        for stretch in self._rounds[number] if number < len(self._rounds) else ():
            part, origin = self._part(stretch)
            [checked] = epoch.check_parts(self.kernel, [part])
            progress, size = epoch.Progress(), len(part.tokens)
            workers = worker_count(self._job.threads, size)
            self.kernel.run(
                [checked._replace(origin=origin)],
                progress,
                key=key,
                schedule=pace.of(origin, done),
                workers=workers,
                n_hot=hot_rows(self.model.vocabulary.counts, size, workers, bool(settings.hs)),
                round_shape=round_shape,
                bar=progress_bar(False),
            )
            done += size
            words, survivors = words + progress.words, survivors + progress.survivors
            examples += progress.examples
            losses.append(progress.loss)
        trained = Trained(words, survivors, examples, math.fsum(losses), time.monotonic() - started)
        self._trained = clock, trained
        return trained

    def _part(self, stretch: Stretch) -> tuple[Encoded, int]:
        """Some sentences, and the position of their first word in the corpus."""
        encoded, first, last = self._encoded[stretch.block], stretch.first, stretch.last
        offsets = encoded.offsets[first : last + 1]
        begin, end = int(offsets[0]), int(offsets[-1])
        tags = None
        if encoded.tags is not None:
            cuts = encoded.tags.offsets[first : last + 1]
            rows = encoded.tags.rows[cuts[0] : cuts[-1]] + np.int32(self._document_starts[stretch.block])
            tags = Tags(rows, cuts - cuts[0])
        part = Encoded(encoded.tokens[begin:end], offsets - begin, 0, encoded.ordered, tags)
        return part, self._origins[stretch.block] + begin

    # --- syncs ------------------------------------------------------------------------------------------------------

    def shards(self, tag: Tag, low: int, high: int, reducers: int) -> list[Sent]:
        """The rows of a window that this worker has changed since their last sync, for each reducer."""
        found = []
        for number in range(reducers):
            begin, end = policy.share(low, high, number, reducers)
            own = zip(self.local, self.base, strict=True)
            found.append(Sent(tag, self.rank, [combine.changed_rows(local, base, begin, end) for local, base in own]))
        return found

    def reduce(self, tag: Tag, sent: Sequence[Sent], workers: int) -> tuple[Sent, bool]:
        """Combine the rows of all workers, in the order of ranks; what is of another sync is dropped.

        Returns
        -------
        Sent
        bool, whether all of them are finite
        """
        valid = sorted((one for one in sent if one.tag == tag), key=lambda one: one.rank)
        self.bytes_sent += sum(one.nbytes for one in valid if one.rank != self.rank)
        new = [
            combine.combined(
                base,
                [one.matrices[number] for one in valid],
                self._job.policy,
                workers,
                partial(self._reach, number),
            )
            for number, base in enumerate(self.base)
        ]
        reduced = Sent(tag, -1, new)
        self.bytes_sent += reduced.nbytes * (workers - 1)
        self._note_memory()
        return reduced, all(bool(np.isfinite(rows).all()) for _, rows in new)

    @cached_property
    def _steepness(self) -> list[NDArray[np.float64]]:
        """Of each matrix, in the order of `names`; only one combiner asks for it."""
        words, sentences = self.model.corpus_total_words, self.model.corpus_count
        length = words / sentences if words and sentences else math.inf
        found = rates.steepness(self.model.vocabulary, self.model.settings(), length)
        own = zip(self.names, self.local, strict=True)  # a matrix may be there and not be trained
        return [frequent_first(name, found.get(name, np.zeros(len(local)))) for name, local in own]

    def _reach(self, matrix: int, numbers: Numbers) -> NDArray[np.float64]:
        """How far rows of a matrix are expected to have come since their last sync; see `combine.combined`."""
        steepness, number = self._steepness[matrix], self._in_epoch + 1
        ends, gone = [], []
        for _, end, rounds in self._job.policy.unsynced(number, len(steepness)):
            ends.append(end)
            gone.append(sum(self._gone[before] for before in range(number - rounds, number)))
        found: NDArray[np.float64] = np.array(gone)[np.searchsorted(ends, numbers, "right")] * steepness[numbers]
        return found

    def apply(self, tag: Tag, high: int, *reduced: Sent) -> Tag:
        """Take over combined rows of a window that ends at `high`; what was applied already changes nothing."""
        if tag[1:] == self._applied[1:] or any(one.tag != tag for one in reduced):
            return self._applied
        self._keep_up_to(high)
        for one in reduced:
            for (numbers, rows), local, base in zip(one.matrices, self.local, self.base, strict=True):
                base[numbers] = rows
                local[numbers] = rows
        self._applied = tag
        return tag

    def applied(self) -> Tag:
        """The last sync that was applied."""
        return self._applied

    def _keep_up_to(self, high: int) -> None:
        """Keep rows as they were at the anchor, before they change for the first time since."""
        if high > self._kept:
            for before, base in zip(self._before, self.base, strict=True):
                before[self._kept : high] = base[self._kept : high]
            self._kept = high

    def commit(self, clock: int) -> None:
        """Let the rows as they are now, after a full sync, be those to which all return."""
        self._kept, self._anchor = 0, clock
        if self.documents is not None:
            self._own_documents = np.array(self.documents)
        self._backups = {(rank, at): rows for (rank, at), rows in self._backups.items() if at >= clock}

    def rewind(self, clock: int) -> None:
        """Return to the anchor of this round; a full sync that all have applied may not have been committed here."""
        if clock != self._anchor:
            self.commit(clock)
        for before, base in zip(self._before, self.base, strict=True):
            base[: self._kept] = before[: self._kept]
        for local, base in zip(self.local, self.base, strict=True):
            local[:] = base
        if self.documents is not None:
            self.documents[:] = self._own_documents
        self._kept, self._trained, self._applied = 0, None, (0, -1, -1)

    def values(self, low: int, high: int) -> list[Rows]:
        """Rows of a window of each matrix as of their last sync."""
        return [base[low:high].copy() for base in self.base]

    def adopt(self, tag: Tag, low: int, high: int, values: Sequence[Rows]) -> None:
        """Take over another worker's `values`, as if the sync had been applied."""
        self._keep_up_to(high)
        for rows, local, base in zip(values, self.local, self.base, strict=True):
            base[low:high] = rows
            local[low:high] = rows
        self._applied = tag

    # --- documents, which only their worker has ---------------------------------------------------------------------

    def document_rows(self) -> Rows | None:
        """The vectors of this worker's documents as they are."""
        return None if self.documents is None else np.array(self.documents)

    def keep(self, rank: int, clock: int, rows: Rows) -> None:
        """Keep a second copy of another worker's documents as of an anchor."""
        self._backups[rank, clock] = np.array(rows)

    def backup_of(self, rank: int, clock: int) -> Rows | None:
        """That copy; None if it is not here."""
        return self._backups.get((rank, clock))

    def restore(self, clock: int, rows: Rows | None) -> None:
        """Take the place of a lost worker, whose rows have been adopted: they are the anchor of this round."""
        self.commit(clock)
        if self.documents is not None and rows is not None:
            self.documents[:] = rows
            self._own_documents = np.array(rows)
        self._trained, self._applied = None, (0, -1, -1)

    def peak_memory(self) -> int:
        """The most bytes that this process was found to have in memory for itself; 0 where the system does not tell."""
        self._note_memory()
        return self._most_memory

    def _note_memory(self) -> None:
        """Look at the memory in use, wherever there is much of it."""
        with suppress(OSError):  # only Linux tells
            self._most_memory = max(self._most_memory, memory.own())

    def traffic(self) -> int:
        """Bytes that this worker's reductions have taken in from others and given out to them."""
        return self.bytes_sent


def frequent_first(name: str, matrix: NDArray[Any]) -> NDArray[Any]:
    """A matrix, or what is known of its rows: inner nodes have the greater numbers the nearer they are to the root."""
    return matrix[::-1] if name == "outputs.hierarchical" else matrix
