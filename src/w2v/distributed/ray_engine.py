"""Workers as actors of Ray: placed, called, noticed when they die. Rows go from worker to worker, not through here.

Ray's own restarts and retries are off: what is done about a loss is decided by `driver`.
"""

import logging
import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from w2v.common.cores import core_count
from w2v.distributed.combine import Tag
from w2v.distributed.engine import Make, WorkerLost
from w2v.distributed.replica import Replica

logger = logging.getLogger(__name__)

# Seconds for a worker that lives to say so, and at least so many for a new one, whose process has to start.
PING, START = 20.0, 300.0


def _ray() -> Any:
    try:
        return import_module("ray")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "engine='ray' needs an extra: pip install 'w2v[ray]'; engine='local' needs none"
        ) from None


class Worker:
    """A replica as an actor: what Ray hands over as further arguments stands in a list there."""

    def __init__(self, make: Make, rank: int) -> None:
        self._replica: Replica = make(rank)

    def ping(self) -> None:
        """Answer."""

    def pid(self) -> int:
        """The number of the process, for who wants to look at it."""
        return os.getpid()

    def call(self, method: str, *args: Any) -> Any:
        """What a method of the replica gives."""
        return getattr(self._replica, method)(*args)

    def shards(self, tag: Tag, low: int, high: int, reducers: int) -> Any:
        """A value for each reducer."""
        found = self._replica.shards(tag, low, high, reducers)
        return found if reducers > 1 else found[0]

    def reduce(self, tag: Tag, workers: int, *sent: Any) -> Any:
        """Combined rows, and whether they are finite."""
        return self._replica.reduce(tag, sent, workers)


class RayEngine:
    """Actors on the cluster that Ray is connected to; if it is not, on the one of RAY_ADDRESS, or on this machine.

    Parameters
    ----------
    threads : int, of each worker
    timeout : float, seconds for which a worker may not answer

    Raises
    ------
    ModuleNotFoundError
        Ray is not installed.
    """

    name = "ray"
    leads = True

    def __init__(self, threads: int, timeout: float) -> None:
        self._ray, self._threads, self._timeout = _ray(), threads, timeout
        self.ranks: list[int] = []
        self.actors: dict[int, Any] = {}
        self._ours = False

    def start(self, make: Make, workers: int) -> None:
        """Start actors; RuntimeError if the cluster has too few CPUs for all of them."""
        ray, wanted = self._ray, workers * self._threads
        if not ray.is_initialized():
            cpus = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": max(core_count(), wanted)}
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.WARNING, **cpus)
            self._ours = True
        there = int(ray.cluster_resources().get("CPU", 0))
        if there < wanted:
            self.close()
            raise RuntimeError(
                f"{workers} workers of {self._threads} threads need {wanted} CPUs, and the cluster has {there}; take "
                "fewer workers, or fewer threads for each"
            )
        self._make, self.ranks = make, list(range(workers))
        self._class = ray.remote(
            num_cpus=self._threads, max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD"
        )(Worker)
        self._place(self.ranks)

    def _place(self, ranks: Sequence[int]) -> None:
        for rank in ranks:
            self.actors[rank] = self._class.remote(self._make, rank)
        timeout, self._timeout = self._timeout, max(self._timeout, START)
        try:
            self._wait({rank: self.actors[rank].ping.remote() for rank in ranks}, "start")
        finally:
            self._timeout = timeout

    def share(self, value: Any) -> Any:
        """A reference to the value in the object store."""
        try:
            return self._ray.put(value)
        except self._ray.exceptions.ObjectStoreFullError as error:
            raise self._full(error) from error

    def everyone(self, method: str, *args: Any) -> list[Any]:
        """See `Engine`."""
        return self.each(method, [args] * len(self.ranks))

    def each(self, method: str, args: Sequence[tuple[Any, ...]]) -> list[Any]:
        """See `Engine`."""
        asked = zip(self.ranks, args, strict=True)
        return self._wait({rank: self.actors[rank].call.remote(method, *own) for rank, own in asked}, method)

    def one(self, rank: int, method: str, *args: Any) -> Any:
        """See `Engine`."""
        return self._wait({rank: self.actors[rank].call.remote(method, *args)}, method)[0]

    def sync(self, tag: Tag, low: int, high: int) -> bool:
        """See `Engine`."""
        workers, actors = len(self.ranks), [self.actors[rank] for rank in self.ranks]
        sent = [actor.shards.options(num_returns=workers).remote(tag, low, high, workers) for actor in actors]
        sent = sent if workers > 1 else [sent]
        self._wait(dict(zip(self.ranks, [own[0] for own in sent], strict=True)), "shards", fetch=False)
        reduced = [
            actor.reduce.options(num_returns=2).remote(tag, workers, *(own[number] for own in sent))
            for number, actor in enumerate(actors)
        ]
        finite = self._wait(dict(zip(self.ranks, [flag for _, flag in reduced], strict=True)), "reduce")
        if not all(finite):
            return False
        self.everyone("apply", tag, high, *(rows for rows, _ in reduced))
        return True

    def replace(self, ranks: Sequence[int]) -> None:
        """See `Engine`."""
        self._end(ranks)
        self._place(ranks)

    def drop(self, ranks: Sequence[int]) -> None:
        """See `Engine`."""
        self._end(ranks)
        self.ranks = [rank for rank in self.ranks if rank not in ranks]

    def _end(self, ranks: Sequence[int]) -> None:
        """Kill what may still be there: a worker that was only slow must not come back."""
        for rank in ranks:
            if (actor := self.actors.pop(rank, None)) is not None:
                self._ray.kill(actor, no_restart=True)

    def close(self) -> None:
        """See `Engine`; Ray itself ends if it was started here."""
        self._end(list(self.actors))
        if self._ours:
            self._ray.shutdown()
            self._ours = False

    def _wait(self, asked: dict[int, Any], method: str, fetch: bool = True) -> list[Any]:
        """What workers answer, by rank.

        Raises
        ------
        WorkerLost
            Those that have died, or have not answered in time.
        Exception
            What a worker's method raised.
        """
        ray, errors = self._ray, self._ray.exceptions
        ready, late = ray.wait(list(asked.values()), num_returns=len(asked), timeout=self._timeout, fetch_local=False)
        found, lost, reasons = [], [], set()
        for rank, answer in asked.items():
            if answer in late:
                lost.append(rank)
                reasons.add(f"no answer in {self._timeout:g} s")
                continue
            try:
                found.append(ray.get(answer) if fetch else None)
            except errors.ObjectStoreFullError as error:
                raise self._full(error) from error
            except errors.RayTaskError as error:
                cause = error.cause
                if isinstance(cause, errors.ObjectStoreFullError):
                    raise self._full(cause) from cause
                if not isinstance(cause, errors.RayError):
                    raise cause from None
                reasons.add(type(cause).__name__)
            except errors.ActorDiedError as error:
                lost.append(rank)
                reasons.add(type(error).__name__)
            except errors.RayError as error:  # rows of a dead worker, which this one was to work on
                reasons.add(type(error).__name__)
        if reasons:
            del ready
            raise WorkerLost([*lost, *self._silent(set(self.actors) - set(lost))], f"{', '.join(reasons)} in {method}")
        return found

    def _silent(self, ranks: set[int]) -> list[int]:
        """Those that do not answer any more."""
        answers = {self.actors[rank].ping.remote(): rank for rank in ranks}
        if not answers:
            return []
        ready, late = self._ray.wait(list(answers), num_returns=len(answers), timeout=PING, fetch_local=False)
        silent = [answers[answer] for answer in late]
        for answer in ready:
            try:
                self._ray.get(answer)
            except self._ray.exceptions.RayError:
                silent.append(answers[answer])
        return silent

    @staticmethod
    def _full(error: Exception) -> MemoryError:
        return MemoryError(
            "Ray's object store is full, and cannot be spilled to disk; start Ray with a larger object_store_memory "
            f"(w2v plan tells how much a run needs): {error}"
        )
