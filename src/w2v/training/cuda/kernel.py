"""An epoch on a GPU: matrices and text go there, slices of work follow each other, and the matrices come back.

What is on the device is a copy. The model's own matrices change when an epoch ends, or is left: all of them, after all
work has ended. So a device that fails leaves the model as it was when the epoch began.
"""

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.training import epoch
from w2v.training.cuda import layout
from w2v.training.cuda.driver import DeviceError, first_device
from w2v.training.cuda.work import Task, Work
from w2v.training.schedule import Schedule

logger = logging.getLogger(__name__)


class Kernel(epoch.Kernel):
    """What trains the matrices on a GPU; the parameters are those of `epoch.Kernel`, and the counts of the words.

    Parameters
    ----------
    counts : int64 [V], how often each word occurs
    device : optional, in place of the first GPU

    Raises
    ------
    ValueError
        Rows, or lists of targets, are too long for a GPU; or words have subwords.
    """

    exact = False

    def __init__(self, *arrays: Any, counts: NDArray[np.int64], device: Any = None, **options: Any) -> None:
        super().__init__(*arrays, **options)
        options.pop("columns", None)
        if options.pop("subwords", None) is not None:
            raise ValueError("words with subwords are trained on the CPU alone; use device='cpu'")
        device = first_device() if device is None else device
        self.device_name: str = device.name
        names = ("inputs", "outputs", "nodes", "keep", "noise", "paths", "points", "labels")
        given = dict(zip(names, arrays, strict=True))
        if given["nodes"] is None or not len(given["points"]):  # one word has no path
            given |= dict.fromkeys(("nodes", "paths", "points", "labels"))
        if given["outputs"] is None:
            given["noise"] = None
        tables: dict[str, Any] = {name: given[name] for name in ("keep", "noise", "paths", "points", "labels")}
        locks = options.pop("locks", None) if options.pop("learn_words", True) else np.zeros(len(arrays[0]), np.float32)
        tables |= {"locks": locks, "document_locks": options.pop("document_locks", None)}
        matrices: dict[str, Any] = {name: given[name] for name in ("inputs", "outputs", "nodes")}
        matrices["documents"] = options.pop("documents", None)
        stride = matrices["inputs"].shape[1]
        longest = 0 if given["paths"] is None else int(np.diff(given["paths"]).max())
        shape = layout.Shape(stride, options["negative"], longest, given["outputs"] is not None)
        if stride > layout.MOST_DIMENSIONS:
            raise ValueError(
                f"vectors of {stride:,} numbers are too long for a GPU, which takes {layout.MOST_DIMENSIONS:,}; lower "
                "vector_size, or use device='cpu'"
            )
        if shape.most_targets > layout.MOST_TARGETS:
            raise ValueError(
                f"{shape.most_targets:,} targets of a word are too many for a GPU, which takes "
                f"{layout.MOST_TARGETS:,}; lower negative={options['negative']}, or use device='cpu'"
            )
        self._task = Task(device, matrices, tables, options, counts, shape)

    def run(
        self,
        batches: Iterable[epoch.Checked],
        progress: epoch.Progress,
        *,
        key: int,
        schedule: Schedule,
        workers: int,
        n_hot: int,
        round_shape: tuple[int, int] | None = None,
        bar: Any,
        pause: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Train once over `batches`; see `epoch.run_epoch`. Workers are of no account here.

        Raises
        ------
        MemoryError
            What is needed does not fit; nothing has changed.
        RuntimeError
            The device has failed. The matrices are as they were when this was called.
        FloatingPointError
            The matrices are no longer finite.
        """
        if round_shape is not None:
            raise ValueError("deterministic training is for the CPU")
        started, reached = time.monotonic(), progress.position
        progress.consistent = False
        work = None
        try:
            with ExitStack() as claimed:
                work = Work(self._task, claimed, progress, key, schedule, bar, pause)
                try:
                    work.train(batches)
                except DeviceError:
                    raise
                except BaseException:  # Ctrl-C, and whatever a reader of the corpus raises: what is learnt stays
                    work.bring_back()
                    raise
                work.bring_back()
        except DeviceError as error:
            left = f"as it was at word {reached:,} of this epoch" if work is None or not work.is_lost else "not whole"
            raise RuntimeError(
                f"training on {self.device_name} has failed: {error}. The model is {left}; device='cpu' trains without "
                "a GPU"
            ) from error
        finally:
            progress.seconds += time.monotonic() - started
            progress.consistent = work is None or not work.is_lost
        logger.debug("kernels ran for %.4f s, with copies it took %.4f s", work.busy, time.monotonic() - started)
        if work.not_finite:
            raise FloatingPointError("the vectors are no longer finite")
        return not work.paused
