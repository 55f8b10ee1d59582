"""What an engine does: keeps workers, calls their methods, moves arrays between them, and notices deaths.

An engine holds no arithmetic and takes no decision; `driver` does.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from w2v.distributed.combine import Tag
from w2v.distributed.replica import Replica

# Makes the replica of a rank, on whatever machine.
Make = Callable[[int], Replica]


class WorkerLost(Exception):
    """Workers have died, or did not answer in time.

    Attributes
    ----------
    ranks : list of int
    """

    def __init__(self, ranks: Sequence[int], reason: str) -> None:
        super().__init__(f"worker {', '.join(map(str, ranks))} lost: {reason}")
        self.ranks = sorted(set(ranks))


class Engine(Protocol):
    """Workers with the ranks in `ranks`. Every call raises `WorkerLost` if some of them are gone.

    Attributes
    ----------
    name : str
    ranks : list of int, ascending
    leads : bool, whether this process is the one that writes files
    """

    name: str
    ranks: list[int]
    leads: bool

    def start(self, make: Make, workers: int) -> None:
        """Start workers of the ranks 0 ... workers - 1."""

    def share(self, value: Any) -> Any:
        """Something that stands for a large value among the arguments of `everyone` and `one`."""

    def everyone(self, method: str, *args: Any) -> list[Any]:
        """Call a method of all workers with the same arguments; what they give, by rank."""

    def each(self, method: str, args: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Call a method of all workers, each with its own arguments."""

    def one(self, rank: int, method: str, *args: Any) -> Any:
        """Call a method of one worker."""

    def sync(self, tag: Tag, low: int, high: int) -> bool:
        """Combine a window of rows; whether all of them are finite. If not, none is applied."""

    def replace(self, ranks: Sequence[int]) -> None:
        """End what is left of workers, and start new ones of these ranks."""

    def drop(self, ranks: Sequence[int]) -> None:
        """End what is left of workers, and go on without them."""

    def close(self) -> None:
        """End all workers."""
