"""Documents that a model was not trained on, inferred on a GPU: a warp for each, epoch by epoch."""

import time
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.training.cuda import concurrency, layout
from w2v.training.cuda.layout import DOCUMENTS, LEG, PART, Model
from w2v.training.cuda.memory import Memory
from w2v.training.cuda.task import Task

# How often the end of a launch is looked for, in seconds.
GLANCE = 2e-4


class Inference:
    """Matrices and tables on a device, and documents that come and go.

    Parameters
    ----------
    device : Device
    task : Task, of a kernel that changes neither words nor outputs
    claimed : ExitStack, which gives all memory back
    """

    def __init__(self, device: Any, task: Task, claimed: ExitStack) -> None:
        self._device, self._task = device, task
        device.enter()
        self._memory = memory = Memory(device, claimed)
        self._shape = task.shape(infers=True)
        self._kernel = device.program(self._shape.variant)["infer"]
        self._launch = concurrency.arranged(device, self._kernel, self._shape.workspace, 1 << 30)
        arrays = task.matrices | task.tables
        del arrays["documents"]
        if not task.options.get("words", True):
            del arrays["inputs"], arrays["locks"]  # which would only be read
        workspace = 0 if self._launch.shared else self._launch.warps * self._shape.workspace
        memory.left_beside({name: arrays[name] for name in task.matrices if name in arrays}, arrays, workspace)
        self._workspace = memory.claim(workspace) if workspace else 0
        addresses = {name: memory.claim(array.nbytes) for name, array in arrays.items()}
        for name, array in arrays.items():
            for _ in memory.copying(array, addresses[name]):
                pass
        self._plan = task.plan(self._shape, addresses)

    def infer(
        self,
        tokens: NDArray[np.int32],
        offsets: NDArray[np.int64],
        rows: NDArray[np.float32],
        epochs_used: NDArray[np.int32],
        stop: NDArray[np.int32],
        *,
        key: int,
        epochs: int,
        alpha: float,
        min_alpha: float,
        tol: float = 0,
    ) -> None:
        """Infer the rows of all documents, unless `stop` is set meanwhile; see `_train.Kernel.infer`."""
        device, plan, n = self._device, self._plan, len(rows)
        lengths = np.diff(offsets)
        if not len(tokens):
            return
        device.enter()
        given: dict[str, NDArray[Any]] = {"tokens": tokens, "offsets": offsets, "rows": rows, "used": epochs_used}
        if self._task.model == Model.SIDE_BY_SIDE:
            given["tags"] = np.arange(n, dtype=np.int32)
        there = {name: self._memory.room(name, array.nbytes) for name, array in given.items()}
        for name, array in given.items():
            for _ in self._memory.copying(array, there[name]):
                pass
        part, documents = np.zeros(1, PART), np.zeros(1, DOCUMENTS)
        for name in ("tokens", "offsets", "tags"):
            part[name] = there.get(name, 0)
        for name, size in {"kept": 4 * len(tokens), "places": 4 * len(tokens), "firsts": 4 * n}.items():
            part[name] = self._memory.room(name, size)
        part["workspace"], part["key"], part["end"] = self._workspace, key, n
        plan["documents"], plan["n_documents"] = there["rows"], n
        documents["keys"], documents["used"] = self._memory.room("keys", 8 * n), there["used"]
        documents["before"] = self._memory.room("before", rows.nbytes) if tol > 0 else 0
        documents["tol"], documents["together"] = tol, self._task.together
        device.join()
        launch = self._launch
        blocks = min(launch.blocks, -(-n // (launch.threads // layout.WARP)))
        for number in range(epochs):
            documents["epoch"], part["alpha"] = number, alpha - (alpha - min_alpha) * number / max(epochs - 1, 1)
            for position in range(0, int(lengths.max()), LEG):
                documents["position"] = position
                device.launch(self._kernel, blocks, launch.threads, launch.shared, plan, part, documents)
                mark = device.mark()
                while not device.reached(mark):
                    time.sleep(GLANCE)
                if stop[0]:
                    return
        device.download(rows, there["rows"])
        device.download(epochs_used, there["used"])
        epochs_used[(epochs_used == 0) & (lengths > 0)] = epochs
