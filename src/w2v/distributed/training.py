"""`train` and `resume`: what a call asks for, checked; then a run on an engine, with its checkpoints."""

import errno
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from w2v.common import checks
from w2v.distributed import manifest
from w2v.distributed.driver import ON_LOSS, Account, Run, State, Totals
from w2v.distributed.engine import Engine
from w2v.distributed.local import LocalEngine
from w2v.distributed.manifest import Block
from w2v.distributed.policy import SyncPolicy
from w2v.distributed.replica import Job, Replica
from w2v.files import native
from w2v.files.errors import FormatError
from w2v.files.reading import Pathlike
from w2v.models.families import FAMILIES
from w2v.models.tagged import Tagged
from w2v.models.word2vec import Word2Vec
from w2v.training import checkpoint as checkpoints
from w2v.training import epoch
from w2v.training.schedule import scheme_of
from w2v.training.trainable import Contents

logger = logging.getLogger(__name__)

ENGINES = ("ray", "local")

DEFAULT_EVERY = 50
DEFAULT_TIMEOUT = 600.0


@dataclass(frozen=True)
class Result:
    """What a distributed training did.

    Attributes
    ----------
    model : Word2Vec or Doc2Vec, the one that was given, trained
    rounds : int, of all epochs, those done again not counted
    bytes_sent : int
        Rows that workers have sent each other in syncs, without what the engine adds; lost workers' not counted.
    lost_workers : list of int, the ranks of workers that were lost, in order
    replayed_rounds : int, done again because of losses
    skipped_blocks : list of str, blocks that were trained in part, with ``on_worker_loss="skip"``
    words_per_sec : float, words of the vocabulary trained in a second, by all workers
    worker_memory : int, the most bytes that a worker's process was found to have for itself; 0 but on Linux
    """

    model: Word2Vec
    rounds: int
    bytes_sent: int
    lost_workers: list[int]
    replayed_rounds: int
    skipped_blocks: list[str]
    words_per_sec: float
    worker_memory: int


def train(
    model: Word2Vec,
    corpus: Any,
    *,
    engine: "str | Engine" = "ray",
    num_workers: int = 1,
    threads_per_worker: int = 1,
    sync: SyncPolicy | None = None,
    on_worker_loss: str = "replay",
    checkpoint: Pathlike | None = None,
    checkpoint_every: int = DEFAULT_EVERY,
    column: str | None = None,
    comm: Any = None,
    worker_timeout: float = DEFAULT_TIMEOUT,
) -> Result:
    """Train a model by several workers, each with a copy of it and a part of the corpus.

    Parameters
    ----------
    model : Word2Vec, or Doc2Vec with ``dm=0``
        Made without a corpus. If it has no vocabulary yet, the workers count the words; the vocabulary is that of one
        machine. Its settings, `epochs` too, are those of the training; `workers` has no effect.
    corpus : path, or list of paths
        Files, folders or patterns of text with one sentence (or document) per line: plain, .gz, .bz2, .xz or .zst;
        tables (.parquet, .arrow, .feather; ``w2v[parquet]``); or addresses that fsspec opens (``w2v[remote]``). Every
        worker must be able to read them. Documents are numbered in this order, from 0.
    engine : {"ray", "local"} or Engine, default "ray"
        ``"local"`` trains all workers in this process, one after the other: the same bytes as Ray, no faster.
    num_workers : int
        How many copies learn side by side. Another number is another result; 1 is training without an engine, bit for
        bit.
    threads_per_worker : int, default 1
        With 1, or with the model's ``deterministic=True``, the same call gives the same bytes, also if workers are lost
        and replaced.
    sync : SyncPolicy, optional
    on_worker_loss : {"replay", "skip", "fail"}
        ``"replay"``: a new worker takes the place of a lost one, and all go back to the last full sync. ``"skip"``: go
        on without it; its rows since the last sync, its documents and the rest of its blocks are lost. ``"fail"``:
        stop.
    checkpoint : path, optional
        A folder, made if need be, that holds two generations of the model and of how far it has come; see `resume`.
    checkpoint_every : int, default 50
        Rounds; the next full sync behind so many writes one.
    column : str, optional
        Of tables: the column of texts, or of lists of words. Needed where there are several.
    comm : object with allreduce, barrier, rank and size, optional
        Such as mpi4py's ``MPI.COMM_WORLD``: every process of the group makes this call, and is one worker. `engine`
        and `num_workers` have no effect then, and a lost process ends all: go on from a checkpoint.
    worker_timeout : float, default 600
        Seconds for which a worker may not answer before it is taken for lost.

    Returns
    -------
    Result

    Raises
    ------
    ValueError, TypeError
        A parameter is out of range, the model is of another kind, or a block of the corpus cannot be read.
    ModuleNotFoundError
        The engine is not installed; the error names the extra.
    WorkerLost
        With ``on_worker_loss="fail"``, or if losses repeat without progress.
    FloatingPointError
        The vectors are no longer finite. The model is then that of the last full sync.
    """
    policy = SyncPolicy() if sync is None else sync
    if not isinstance(policy, SyncPolicy):
        raise TypeError(f"sync={sync!r:.60} must be a SyncPolicy")
    checks.one_of("on_worker_loss", on_worker_loss, ON_LOSS)
    _check_model(model)
    every = checks.integer("checkpoint_every", checkpoint_every, 1, hint=", a number of rounds")
    chosen = _engine(engine, comm, num_workers, threads_per_worker, worker_timeout)
    workers = len(comm_ranks(comm)) if comm is not None else num_workers
    paths = manifest.paths_of(corpus)
    job = Job(model.kind, policy, threads_per_worker, model.cache, column)
    plan = _Plan(paths, manifest.blocks_of(paths, workers), workers, job, every)
    with _folder(checkpoint, chosen.leads) as folder, _closing(chosen):
        run = plan.started(model, chosen, on_worker_loss, _Writer(plan, checkpoint is not None, folder))
        if not len(model.wv):
            run.count_words()
        with model.activity.only("train"):
            model.provenance.begin_run(model.epochs, model.alpha, model.min_alpha, cached=False)
            if workers > 1:
                model.provenance.runs[-1]["repeatable"] = False  # by one machine alone
            with model.provenance.marking_interruption():
                run.begin(run.contents(), State(0, Totals(), model.provenance))
                return _result(run, plan, run.train())


def resume(
    checkpoint: Pathlike,
    corpus: Any = None,
    *,
    engine: "str | Engine" = "ray",
    on_worker_loss: str = "replay",
    comm: Any = None,
    worker_timeout: float = DEFAULT_TIMEOUT,
) -> Result:
    """Go on with a distributed training from the newest checkpoint in its folder, to the same bytes as if never cut.

    Parameters
    ----------
    checkpoint : path, the folder that `train` was given
    corpus : path or list of paths, optional
        Where the corpus is now, if it has moved. Its files must have the names and sizes that they had.
    engine, on_worker_loss, comm, worker_timeout
        As in `train`; the number of workers, their threads and the policy are those of the run.

    Raises
    ------
    ValueError
        The corpus is another one, the numerical scheme is another, or the run is not a distributed one.
    FormatError, FileNotFoundError, BlockingIOError
        As `w2v.Word2Vec.resume`.
    """
    checks.one_of("on_worker_loss", on_worker_loss, ON_LOSS)
    for turn in comm_ranks(comm):  # the folder belongs to one process at a time
        if comm is None or turn == comm.rank:
            with checkpoints.Folder(checkpoint, create=False) as folder:
                found, faults = folder.read()
        if comm is not None:
            comm.barrier()
    for fault in faults:
        logger.warning("%s; going on from %s", fault, found.path)
    facts = _checked(found)
    scheme = scheme_of(found.meta.get("settings"))
    if found.meta.get("scheme") != scheme:
        raise ValueError(f"{found.path}: a run of scheme {found.meta.get('scheme')}; here it would be one of {scheme}")
    model = FAMILIES[found.kind].of_contents(found.path, Contents(found.kind, found.words, found.arrays, found.meta))
    model.provenance.history = [epoch.EpochRecord(**record) for record in found.cursor["history"]]
    paths = facts["files"] if corpus is None else manifest.paths_of(corpus)
    job = Job(found.kind, SyncPolicy.of_json(facts["policy"]), facts["threads"], model.cache, facts["column"])
    plan = _Plan(paths, manifest.blocks_of(paths, facts["workers"]), facts["workers"], job, facts["every"])
    if (digest := manifest.digest_of(plan.blocks)) != facts["manifest"]:
        raise ValueError(f"the files of the corpus have other names or sizes than when the run began ({digest[:8]})")
    if comm is not None and comm.size != plan.workers:
        raise ValueError(f"the run has {plan.workers} workers, and the group {comm.size} processes")
    state = State(facts["clock"], Totals(**facts["totals"]), model.provenance)
    if found.cursor["finished"]:
        return _result(None, plan, Account(), model)
    chosen = _engine(engine, comm, plan.workers, job.threads, worker_timeout)
    with model.activity.only("resume"), _folder(checkpoint, chosen.leads, new=False) as opened, _closing(chosen):
        run = plan.started(model, chosen, on_worker_loss, _Writer(plan, True, opened))
        run.begin(run.contents(), state, model.dv.vectors if isinstance(model, Tagged) else None)
        return _result(run, plan, run.train())


@contextmanager
def _closing(engine: Engine) -> Iterator[None]:
    try:
        yield
    finally:
        engine.close()


def comm_ranks(comm: Any) -> range:
    """The ranks of a group; of one if there is none."""
    return range(1 if comm is None else comm.size)


def is_run(checkpoint: Pathlike) -> bool:
    """Whether a folder holds the checkpoints of a distributed training, as far as they can be read."""
    found = []
    for slot in checkpoints.SLOTS:
        with suppress(FormatError, OSError):
            meta = native.inspect_native(os.path.join(checkpoint, slot))["meta"]
            found.append(isinstance(meta.get("checkpoint"), dict) and "distributed" in meta["checkpoint"])
    return any(found)


def _check_model(model: Word2Vec) -> None:
    """What cannot be trained in this way is refused before anything is read."""
    if not isinstance(model, Word2Vec) or model.kind not in ("word2vec", "doc2vec"):
        raise TypeError(f"model={model!r:.60} must be a Word2Vec or a Doc2Vec; other models train on one machine")
    settings = model.settings()
    if not settings.hs and not settings.negative:
        raise ValueError("hs=0 and negative=0 leave nothing to train; set negative=5 or hs=1")
    if settings.device == "cuda":
        raise ValueError("device='cuda': distributed training is for CPUs; use device='cpu'")
    if settings.cache == "none":
        raise ValueError("cache='none': workers keep their blocks as integers; use cache='disk', which takes no memory")
    if settings.max_vocab_size is not None:
        raise ValueError("max_vocab_size forgets words in the order in which one machine reads; use max_final_vocab")
    if model.tokens.terms is not None:
        raise ValueError("phrases= and terms= are joined on one machine; write the joined text by w2v phrases first")
    if isinstance(model, Tagged):
        if not model.sg:
            raise ValueError("dm=1: distributed documents are those of PV-DBOW; use dm=0")
        if len(model.wv):
            raise ValueError("a Doc2Vec must be new, without a vocabulary: its documents are those of the workers")


def _engine(engine: "str | Engine", comm: Any, workers: int, threads: int, timeout: float) -> Engine:
    checks.integer("num_workers", workers, 1)
    checks.integer("threads_per_worker", threads, 1)
    checks.number("worker_timeout", timeout, 0.001)
    if comm is not None:
        from w2v.distributed.collective import Collective

        return Collective(comm)
    if not isinstance(engine, str):
        return engine
    if checks.one_of("engine", engine, ENGINES) == "local":
        return LocalEngine()
    from w2v.distributed.ray_engine import RayEngine

    return RayEngine(threads, timeout)


@dataclass(frozen=True)
class _Plan:
    """What stays the same over a run, also when it is resumed."""

    paths: Sequence[str]
    blocks: list[Block]
    workers: int
    job: Job
    every: int

    def started(self, model: Word2Vec, engine: Engine, on_loss: str, writer: "_Writer") -> Run:
        """A run on workers that have started."""
        if len(self.blocks) < self.workers:
            raise ValueError(
                f"num_workers={self.workers} is more than the {len(self.blocks)} blocks of the corpus, so that some "
                "would have nothing to do; take fewer, or divide compressed files"
            )
        owned = manifest.dealt(self.blocks, self.workers)
        engine.start(partial(_replica, self.job, [[(n, self.blocks[n]) for n in own] for own in owned]), self.workers)
        run = Run(model, engine, self.job, self.blocks, owned, on_loss, writer)
        run.check_workers()
        return run


def _replica(job: Job, blocks: list[list[tuple[int, Block]]], rank: int) -> Replica:
    return Replica(rank, job, blocks[rank])


def _result(run: Run | None, plan: _Plan, account: Account, model: Any = None) -> Result:
    return Result(
        model if run is None else run.model,
        account.rounds,
        account.bytes_sent,
        account.lost,
        account.replayed,
        [str(plan.blocks[number]) for number in account.skipped],
        account.words / max(account.seconds, 1e-9),
        account.memory,
    )


# --- checkpoints ------------------------------------------------------------------------------------------------------

FACTS: dict[str, Any] = {
    **{"workers": int, "threads": int, "every": int, "policy": dict, "files": list, "column": (str, type(None))},
    **{"manifest": str, "clock": int, "totals": dict},
}


def _folder(checkpoint: Pathlike | None, leads: bool, new: bool = True) -> AbstractContextManager[Any]:
    if checkpoint is None or not leads:
        return nullcontext()
    folder = checkpoints.Folder(checkpoint, create=new)
    try:
        if new:
            folder.check_unused()
        else:
            folder.read()  # which of the two generations is the older one
    except FileExistsError:
        folder.close()
        raise FileExistsError(
            errno.EEXIST,
            f"holds a run already; w2v.distributed.resume({os.fspath(checkpoint)!r}) goes on with it. To begin anew, "
            "delete it or take another folder",
            os.fspath(checkpoint),
        ) from None
    except OSError:
        folder.close()
        raise
    return folder


class _Writer:
    """Writes a checkpoint behind a full sync, when enough rounds have gone by since the last one.

    Processes of a group all bring the model together, and one of them has the folder.
    """

    def __init__(self, plan: _Plan, wanted: bool, folder: Any) -> None:
        self._plan, self._wanted, self._folder, self._written = plan, wanted, folder, 0

    def __call__(self, run: Run, ended: bool) -> bool:
        if not self._wanted or (not ended and run.clock - self._written < self._plan.every):
            return False
        if not ended:
            run.collect()
        self._written = run.clock
        plan, job, state = self._plan, self._plan.job, run.state
        facts = {
            **{"workers": plan.workers, "threads": job.threads, "every": plan.every, "policy": asdict(job.policy)},
            **{"files": list(plan.paths), "column": job.column, "manifest": manifest.digest_of(plan.blocks)},
            **{"clock": state.clock, "totals": asdict(state.totals)},
        }
        contents = run.model.contents()
        contents.meta["state"] |= run.model.provenance.saved(goes_on=True)
        cursor = {"distributed": facts, "history": run.model.provenance.history_as_json(), "finished": ended}
        if self._folder is not None:
            self._folder.write(*contents, cursor)
        return True


def _checked(found: checkpoints.Generation) -> dict[str, Any]:
    """What a checkpoint says of a distributed run."""
    facts: Any = found.cursor.get("distributed")
    if facts is None:
        raise ValueError(
            f"{found.path} is of a training on one machine; {found.kind} models have a resume of their own"
        )
    sound = isinstance(facts, dict) and set(facts) == set(FACTS) and isinstance(found.cursor.get("history"), list)
    if not sound or not all(isinstance(facts[name], kind) for name, kind in FACTS.items()):
        raise FormatError(f"{found.path}: its checkpoint does not have the fields {', '.join(FACTS)}")
    if min(facts[name] for name in ("workers", "threads", "every")) < 1 or facts["clock"] < 0:
        raise FormatError(f"{found.path}: its checkpoint is at a place where no run can be")
    checked: dict[str, Any] = facts
    return checked
