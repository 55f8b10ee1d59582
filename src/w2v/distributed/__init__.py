"""Training by several workers on one or many machines: each has a copy of the model, and rows are brought together.

`train` is the door: on Ray, in one process, or in the processes of an MPI group. `resume` goes on from a checkpoint,
`plan` says beforehand what a training will take.
"""

from typing import TYPE_CHECKING

from w2v.common.public import on_first_use

if TYPE_CHECKING:
    from w2v.distributed.engine import WorkerLost
    from w2v.distributed.local import LocalEngine
    from w2v.distributed.planning import plan
    from w2v.distributed.policy import SyncPolicy
    from w2v.distributed.replica import BlockError
    from w2v.distributed.training import Result, is_run, resume, train

_HOME = {
    "BlockError": "replica",
    "LocalEngine": "local",
    "Result": "training",
    "SyncPolicy": "policy",
    "WorkerLost": "engine",
    "is_run": "training",
    "plan": "planning",
    "resume": "training",
    "train": "training",
}

__all__ = ["BlockError", "LocalEngine", "Result", "SyncPolicy", "WorkerLost", "is_run", "plan", "resume", "train"]

__getattr__, __dir__ = on_first_use(__name__, _HOME)
