"""Workers as the processes of a group, such as MPI's: each makes the same calls, and is one worker.

All that is asked of the group is a sum over processes. What one process has to say to all is a sum, too, of numbers
that are zero everywhere else; so nothing depends on the order in which the group adds.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.distributed.combine import Sent, Tag
from w2v.distributed.engine import Make
from w2v.distributed.policy import share
from w2v.distributed.replica import Counted, Facts, Trained

# What replicas answer, besides plain values, arrays and lists of these.
ANSWERS: dict[str, Any] = {kind.__name__: kind for kind in (Counted, Facts, Trained)}


class Collective:
    """The engine of a process of a group.

    Parameters
    ----------
    comm : object
        ``allreduce(array)`` gives the sum of the arrays of all processes (mpi4py's own has a faster twin,
        ``Allreduce(array, out)``, which is then used), ``barrier()`` waits for all; ``rank`` and ``size``.

    Raises
    ------
    TypeError
        One of these is missing.
    """

    name = "comm"

    def __init__(self, comm: Any) -> None:
        if missing := [name for name in ("allreduce", "barrier", "rank", "size") if not hasattr(comm, name)]:
            raise TypeError(f"comm={comm!r:.60} has no {', '.join(missing)}; give an object such as MPI.COMM_WORLD")
        self._comm, self.rank, self.size = comm, int(comm.rank), int(comm.size)
        self.leads = self.rank == 0
        self.ranks: list[int] = []

    def start(self, make: Make, workers: int) -> None:
        """Make this process's own replica."""
        self.ranks, self._replica = list(range(workers)), make(self.rank)
        self._comm.barrier()

    def share(self, value: Any) -> Any:
        """Every process has it already."""
        return value

    def everyone(self, method: str, *args: Any) -> list[Any]:
        """See `Engine`."""
        return self.each(method, [args] * self.size)

    def each(self, method: str, args: Sequence[tuple[Any, ...]]) -> list[Any]:
        """See `Engine`. An error of one process is raised in all."""
        return self._answers(lambda: getattr(self._replica, method)(*args[self.rank]))

    def one(self, rank: int, method: str, *args: Any) -> Any:
        """See `Engine`."""
        return self._answers(lambda: getattr(self._replica, method)(*args) if rank == self.rank else None)[rank]

    def sync(self, tag: Tag, low: int, high: int) -> bool:
        """See `Engine`. All send what they have changed, a share at a time, and each process combines everything."""
        reduced = []
        for number in range(self.size):
            begin, end = share(low, high, number, self.size)
            own = self._agreed(self._replica.shards, tag, begin, end, 1)[0]
            sent = [
                Sent(tag, rank, [(numbers, rows) for numbers, rows in zip(*[iter(parts)] * 2, strict=True)])
                for rank, parts in enumerate(self._gathered([part for pair in own.matrices for part in pair]))
            ]
            counted = self._replica.bytes_sent
            rows, finite = self._agreed(self._replica.reduce, tag, sent, self.size)
            self._replica.bytes_sent = counted + own.nbytes * (self.size - 1)  # nobody hands out what all work out
            if not finite:
                return False
            reduced.append(rows)
        self._agreed(self._replica.apply, tag, high, *reduced)
        return True

    def replace(self, ranks: Sequence[int]) -> None:
        """A process of a group cannot be replaced: its loss ends all of them."""
        raise RuntimeError("a lost process ends its group; go on from a checkpoint")

    drop = replace

    def close(self) -> None:
        """Nothing is left open."""

    def _agreed(self, call: Callable[..., Any], *args: Any) -> Any:
        """What a call gives in this process. If it fails in any, all raise: the others would wait for that one."""
        answer, fault = None, None
        try:
            answer = call(*args)
        except Exception as error:
            fault = error
        said = "" if fault is None else f"{type(fault).__name__}: {fault}"
        faults = [own[0] for own in self._gathered([_bytes(said)])]
        if fault is not None:
            raise fault
        for rank, text in enumerate(faults):
            if len(text):
                raise RuntimeError(f"process {rank}: {text.tobytes().decode('utf-8', 'replace')}")
        return answer

    def _answers(self, call: Callable[[], Any]) -> list[Any]:
        """What a call gives in every process, by rank."""
        answer = self._agreed(call)
        arrays: list[NDArray[Any]] = []
        plan = _taken_apart(answer, arrays)
        gathered = self._gathered([_bytes(json.dumps(plan)), *arrays])
        return [_put_together(json.loads(own[0].tobytes()), own[1:]) for own in gathered]

    def _gathered(self, own: list[NDArray[Any]]) -> list[list[NDArray[Any]]]:
        """The arrays of every process, by rank."""
        about = json.dumps([(array.dtype.str, array.shape) for array in own]).encode()
        body = about + b"".join(np.ascontiguousarray(array).tobytes() for array in own)
        sizes = np.zeros((self.size, 2), np.int64)
        sizes[self.rank] = len(about), len(body)
        sizes = self._sum(sizes)
        ends = np.cumsum((sizes[:, 1] + 3) // 4 * 4)
        whole = np.zeros(int(ends[-1]) // 4, np.int32)
        begin = int(ends[self.rank]) - (len(body) + 3) // 4 * 4
        whole.view(np.uint8)[begin : begin + len(body)] = np.frombuffer(body, np.uint8)
        data = self._sum(whole).view(np.uint8)
        found = []
        for rank in range(self.size):
            at = int(ends[rank]) - (int(sizes[rank, 1]) + 3) // 4 * 4
            kinds = json.loads(data[at : at + int(sizes[rank, 0])].tobytes())
            at += int(sizes[rank, 0])
            arrays = []
            for dtype, shape in kinds:
                size = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=np.int64))
                arrays.append(np.frombuffer(data[at : at + size].tobytes(), dtype).reshape(shape))
                at += size
            found.append(arrays)
        return found

    def _sum(self, array: NDArray[Any]) -> NDArray[Any]:
        if hasattr(self._comm, "Allreduce"):
            total = np.empty_like(array)
            self._comm.Allreduce(array, total)
            return total
        return np.asarray(self._comm.allreduce(array))


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)


def _taken_apart(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """A value as JSON; its arrays are put into a list, and so are long lists of words."""
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if type(value).__name__ in ANSWERS:
        return {"of": type(value).__name__, "items": [_taken_apart(item, arrays) for item in value]}
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        arrays.append(_bytes(json.dumps(value)))
        return {"words": len(arrays) - 1}
    if isinstance(value, list | tuple) and not all(isinstance(item, int | float) for item in value):
        return [_taken_apart(item, arrays) for item in value]
    return {"plain": value}


def _put_together(plan: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(plan, list):
        return [_put_together(item, arrays) for item in plan]
    if "of" in plan:
        return ANSWERS[plan["of"]](*(_put_together(item, arrays) for item in plan["items"]))
    if "words" in plan:
        return json.loads(arrays[plan["words"]].tobytes())
    return arrays[plan["array"]] if "array" in plan else plan["plain"]
