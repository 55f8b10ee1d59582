"""An epoch on a GPU: matrices and text go there, slices of work follow each other, and the matrices come back.

What is on the device is a copy. The model's own matrices change when an epoch ends, or is left: all of them, after all
work has ended. So a device that fails leaves the model as it was when the epoch began.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.training import epoch
from w2v.training.cuda import layout
from w2v.training.cuda.driver import DeviceError, first_device
from w2v.training.cuda.inference import Inference
from w2v.training.cuda.memory import Memory
from w2v.training.cuda.task import Task
from w2v.training.cuda.work import Work
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
    TooLargeError
        Rows, or lists of targets, are too long for a GPU.
    """

    exact = False
    uses_threads = False
    batch_words = 1 << 23

    def __init__(self, *arrays: Any, counts: NDArray[np.int64], device: Any = None, **options: Any) -> None:
        super().__init__(*arrays, **options)
        self._device = first_device() if device is None else device
        self.device_name: str = self._device.name
        self._task = Task(arrays, options, counts)
        self._inference: Inference | None = None

    def check_memory(self) -> None:
        """MemoryError, with the sizes, if matrices and tables do not fit on the device as it is now."""
        with ExitStack() as claimed:
            self._device.enter()
            Memory(self._device, claimed).left_beside(
                self._task.matrices, self._task.matrices | self._task.tables, layout.LEAST_TEXT
            )

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
                work = Work(self._device, self._task, claimed, progress, key, schedule, bar, pause)
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

    @contextmanager
    def inferring(self) -> Iterator[None]:
        """Matrices and tables are on the device while this is open, as they were when it was opened."""
        with ExitStack() as claimed:
            try:
                self._inference = Inference(self._device, self._task, claimed)
                yield
            except DeviceError as error:
                raise RuntimeError(f"inference on {self.device_name} has failed: {error}; use device='cpu'") from error
            finally:
                self._inference = None

    def infer(
        self,
        tokens: NDArray[np.int32],
        offsets: NDArray[np.int64],
        rows: NDArray[np.float32],
        epochs_used: NDArray[np.int32],
        cursor: NDArray[np.int64],
        stop: NDArray[np.int32],
        **plan: Any,
    ) -> None:
        """Infer the rows of documents; see `_train.Kernel.infer`. One thread calls this, within `inferring`."""
        assert self._inference is not None
        self._inference.infer(tokens, offsets, rows, epochs_used, stop, **plan)
        cursor[0] = len(rows)
