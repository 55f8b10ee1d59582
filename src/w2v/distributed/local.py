"""All workers in this process, one after the other: the results of any engine, and no faster than one worker."""

from collections.abc import Callable, Sequence
from typing import Any

from w2v.distributed.combine import Tag
from w2v.distributed.engine import Make, WorkerLost
from w2v.distributed.replica import Replica

# Asked before every call of a worker's method, with rank, method and arguments: whether the worker dies now.
Faults = Callable[[int, str, tuple[Any, ...]], bool]


class LocalEngine:
    """Replicas in turn. Memory is that of all workers together.

    Parameters
    ----------
    dies : callable, optional
        For experiments with losses: called before each call of a worker, with its rank, the method and its arguments;
        True ends the worker, with all that it holds.
    """

    name = "local"
    leads = True

    def __init__(self, dies: Faults = lambda rank, method, args: False) -> None:
        self.ranks: list[int] = []
        self.replicas: dict[int, Replica] = {}
        self._dies = dies

    def start(self, make: Make, workers: int) -> None:
        self._make, self.ranks = make, list(range(workers))
        self.replicas = {rank: make(rank) for rank in self.ranks}

    def share(self, value: Any) -> Any:
        return value

    def everyone(self, method: str, *args: Any) -> list[Any]:
        return self.each(method, [args] * len(self.ranks))

    def each(self, method: str, args: Sequence[tuple[Any, ...]]) -> list[Any]:
        found, lost = [], []
        for rank, own in zip(self.ranks, args, strict=True):
            try:
                found.append(self.one(rank, method, *own))
            except WorkerLost:
                lost.append(rank)
        if lost:
            raise WorkerLost(lost, f"in {method}")
        return found

    def one(self, rank: int, method: str, *args: Any) -> Any:
        if rank in self.replicas and self._dies(rank, method, args):
            del self.replicas[rank]
        if rank not in self.replicas:
            raise WorkerLost([rank], f"in {method}")
        return getattr(self.replicas[rank], method)(*args)

    def sync(self, tag: Tag, low: int, high: int) -> bool:
        workers = len(self.ranks)
        sent = self.everyone("shards", tag, low, high, workers)
        reduced = self.each("reduce", [(tag, [shards[k] for shards in sent], workers) for k in range(workers)])
        if not all(finite for _, finite in reduced):
            return False
        self.everyone("apply", tag, high, *(rows for rows, _ in reduced))
        return True

    def replace(self, ranks: Sequence[int]) -> None:
        for rank in ranks:
            self.replicas[rank] = self._make(rank)

    def drop(self, ranks: Sequence[int]) -> None:
        self.ranks = [rank for rank in self.ranks if rank not in ranks]
        for rank in ranks:
            self.replicas.pop(rank, None)

    def close(self) -> None:
        self.replicas = {}
