"""What is trained on a device: the matrices, the tables and the options of a kernel, as kernels.cu has them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.training.cuda import layout
from w2v.training.cuda.layout import PLAN, Model, Shape

# Of `epoch.Kernel`: its parameters in their order.
NAMES = ("inputs", "outputs", "nodes", "keep", "noise", "paths", "points", "labels")
MATRICES = ("inputs", "outputs", "nodes", "documents")
SWITCHES = ("window", "negative", "shrink", "mean_forward", "mean_backward", "with_loss")

# The widest window of PV-DM with which a new document learns from several words at once; WIDEST_RUN of _train.pyx.
WIDEST_TOGETHER = 1000


class Task:
    """A kernel's matrices, tables and options.

    Parameters
    ----------
    arrays, options : those of `epoch.Kernel`, which has checked them
    counts : int64 [V], how often each word occurs

    Attributes
    ----------
    matrices : dict of float32 [rows, stride], changed in place; without `outputs` where these are `inputs`
    tables : dict of arrays, which do not change
    options : dict
    model : Model
    fresh : bool, whether each pair of a window has noise words of its own
    together : bool, whether a new document learns from several words at once

    Raises
    ------
    TooLargeError
        Rows, or lists of targets, are too long for a GPU.
    """

    def __init__(self, arrays: Sequence[Any], options: Mapping[str, Any], counts: NDArray[np.int64]) -> None:
        given = dict(zip(NAMES, arrays, strict=True)) | {"documents": options.get("documents")}
        if given["nodes"] is None or not len(given["points"]):  # one word has no path
            given |= dict.fromkeys(("nodes", "paths", "points", "labels"))
        if given["outputs"] is None:
            given["noise"] = None
        self.tied = given["outputs"] is not None and _address_of(given["outputs"]) == _address_of(given["inputs"])
        given["subword_offsets"], given["subword_rows"] = options.get("subwords") or (None, None)
        rows, frozen = len(given["inputs"]), options.get("frozen")
        locks = options.get("locks") if options.get("learn_words", True) else np.zeros(rows, np.float32)
        if frozen is not None:
            locks = np.where(frozen, 0, 1 if locks is None else locks).astype(np.float32)
        given |= {"locks": locks, "document_locks": options.get("document_locks"), "frozen": frozen}
        there = {name: np.asarray(array) for name, array in given.items() if array is not None}
        self.matrices = {name: there.pop(name) for name in MATRICES if name in there}
        if self.tied:
            del self.matrices["outputs"]
        self.tables, self.options, self.counts = there, dict(options), counts
        self.model = self._model()
        self.fresh = not options["shared"] and not options["cbow"] and "noise" in self.tables
        alone = "noise" in self.tables and "paths" not in self.tables and not self.options.get("side_tags")
        narrow = options["shared"] and options["window"] <= WIDEST_TOGETHER
        self.together = not options.get("words", True) or (alone and narrow)
        stride, negative = self.matrices["inputs"].shape[1], options["negative"]
        layout.check_sizes(stride, negative, self.shape().most_targets)

    def _model(self) -> Model:
        subwords = "subword_offsets" in self.tables
        if self.options.get("side_tags"):
            return Model.SIDE_BY_SIDE
        if self.options["cbow"]:
            return Model.CBOW_OF_SUBWORDS if subwords else Model.CBOW
        if subwords and "documents" in self.matrices:
            raise ValueError("skip-gram of subwords has no documents on a GPU; use device='cpu'")
        if subwords:
            return Model.SKIP_GRAM_OF_SUBWORDS
        return Model.SKIP_GRAM_OF_ONE_MATRIX if self.tied else Model.SKIP_GRAM

    @property
    def n_words(self) -> int:
        """Words that noise is drawn from; with subwords there are more rows."""
        return len(self.tables.get("subword_offsets", range(len(self.matrices["inputs"]) + 1))) - 1

    @property
    def output_stride(self) -> int:
        """Floats from an output row to the next."""
        matrix = self.matrices.get("outputs", self.matrices.get("nodes", self.matrices["inputs"]))
        return int(matrix.shape[1])

    def shape(self, infers: bool = False) -> Shape:
        """The variant of the kernels, and the workspace of a warp."""
        longest = int(np.diff(self.tables["paths"]).max()) if "paths" in self.tables else 0
        stride = self.matrices["inputs"].shape[1]
        of_targets = self.options["negative"], longest, "noise" in self.tables
        return Shape(self.model, stride, self.output_stride, *of_targets, infers)

    def plan(self, shape: Shape, addresses: Mapping[str, int]) -> NDArray[Any]:
        """The structure `Plan`, float by float; arrays are where `addresses` says, or nowhere."""
        plan, options = np.zeros(1, PLAN), self.options
        for name, address in addresses.items():
            plan[name] = address
        if self.tied:
            plan["outputs"] = plan["inputs"]
        for name in SWITCHES:
            plan[name] = options[name]
        plan["words"], plan["learn_outputs"] = options.get("words", True), options.get("learn_outputs", True)
        plan["stride"], plan["output_stride"] = self.matrices["inputs"].shape[1], self.output_stride
        plan["columns"] = options.get("columns") or self.matrices["inputs"].shape[1]
        plan["side_tags"], plan["null_word"] = options.get("side_tags", 0), options.get("null_word", 0)
        plan["n_words"], plan["n_rows"] = self.n_words, len(self.matrices["inputs"])
        for name, matrix in (("n_nodes", "nodes"), ("n_documents", "documents")):
            plan[name] = len(self.matrices.get(matrix, ()))
        plan["model"], plan["fresh"] = self.model, self.fresh
        plan["most_targets"], plan["workspace_size"] = shape.most_targets, shape.workspace
        return plan


def _address_of(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])
