"""What the kernels are given: the structures of kernels.cu, byte for byte, and how much memory each part takes."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Of kernels.cu: lanes of a warp, words it takes at a time, positions of a tile, numbers of a row that 32 lanes hold.
WARP, STRETCH, TILE, CHUNK = 32, 64, 1024, 128

# Warps of a block. They share nothing but a processor.
WARPS_OF_A_BLOCK = 4

# The longest row: eight chunks. Beyond, a lane has not enough registers for a row and its gradient.
MOST_DIMENSIONS = 1024

# A list of targets is compared with what was drawn before, so its cost grows with its square.
MOST_TARGETS = 4096

_POINTERS = ["inputs", "outputs", "nodes", "documents", "locks", "document_locks", "shares", "keep", "noise"]
_POINTERS += ["paths", "points", "labels", "frozen", "subword_offsets", "subword_rows"]
_SIZES = ["stride", "output_stride", "n_words", "n_rows", "n_nodes", "n_documents", "workspace_size", "columns"]
_SWITCHES = ["shrink", "fresh", "mean_forward", "mean_backward", "with_loss", "learn_outputs", "words"]

PLAN = np.dtype(
    [(name, np.uint64) for name in _POINTERS]
    + [(name, np.int64) for name in (*_SIZES, "null_word")]
    + [(name, np.int32) for name in ("most_targets", "model", "window", "negative", "side_tags", *_SWITCHES)],
    align=True,
)
PART = np.dtype(
    [(name, np.uint64) for name in ("tokens", "offsets", "tags", "tag_offsets")]
    + [(name, np.uint64) for name in ("tiles", "kept", "places", "firsts", "counters", "workspace")]
    + [("n_tokens", np.int64), ("n_sentences", np.int64), ("origin", np.int64), ("key", np.uint64)]
    + [("alpha", np.float64), ("slope", np.float64), ("horizon", np.int64), ("begin", np.int64), ("end", np.int64)],
    align=True,
)
COUNTERS = np.dtype(
    [("examples", np.uint64), ("loss", np.float64), ("not_finite", np.uint32), ("unused", np.uint32)], align=True
)
DOCUMENTS = np.dtype(
    [(name, np.uint64) for name in ("before", "keys", "used")]
    + [("position", np.int64), ("tol", np.float64), ("epoch", np.int32), ("together", np.int32)],
    align=True,
)
TARGET_BYTES = 32

# Of a piece of text: places in it have 32 bits.
MOST_TOKENS = 1 << 31

# Bytes beside the matrices without which device="auto" takes no GPU: workspaces, and text in small pieces. It is less
# than what an epoch finds out about the least text for which a GPU pays, so that the next one does not go elsewhere.
LEAST_TEXT = 1 << 25

# Positions of a document that are inferred by one launch.
LEG = 8192

# Registers that hold rows: four numbers of each chunk, of each target and of the pair's row and gradient. With more,
# the compiler would move them to memory.
MOST_HELD = 176


class TooLargeError(ValueError):
    """Rows, or lists of targets, are too long for a GPU."""


def check_sizes(stride: int, negative: int, most_targets: int) -> None:
    """TooLargeError if a GPU cannot take rows, or lists of targets, of these lengths."""
    if stride > MOST_DIMENSIONS:
        raise TooLargeError(
            f"vectors of {stride:,} numbers are too long for a GPU, which takes {MOST_DIMENSIONS:,}; lower "
            "vector_size, or use device='cpu'"
        )
    if most_targets > MOST_TARGETS:
        raise TooLargeError(
            f"{most_targets:,} targets at a time are too many for a GPU, which takes {MOST_TARGETS:,}; lower "
            f"negative={negative}, or use device='cpu'"
        )


class Model(IntEnum):
    """What a window's input rows are, and what becomes of them; numbers of kernels.cu."""

    SKIP_GRAM = 0
    SKIP_GRAM_OF_ONE_MATRIX = 1
    SKIP_GRAM_OF_SUBWORDS = 2
    CBOW = 3
    CBOW_OF_SUBWORDS = 4
    SIDE_BY_SIDE = 5


class Variant(NamedTuple):
    """What the kernels are compiled for.

    Attributes
    ----------
    chunks : int, four numbers of each lane that a row takes
    held : int, targets in registers; 0 if they are in the workspace
    model : Model
    infers : bool, whether documents are inferred, and not trained
    """

    chunks: int
    held: int
    model: Model
    infers: bool = False


class Shape:
    """The variant of the kernels that a model needs, and the workspace of each of its warps.

    Parameters
    ----------
    model : Model
    stride, output_stride : int, floats from a row to the next
    negative : int, noise words
    longest_path : int, of hierarchical softmax; 0 without
    outputs : bool, whether there is negative sampling
    infers : bool

    Attributes
    ----------
    variant : Variant
    most_targets : int, of a list
    workspace : int, bytes
    """

    def __init__(
        self,
        model: Model,
        stride: int,
        output_stride: int,
        negative: int,
        longest_path: int,
        outputs: bool,
        infers: bool = False,
    ) -> None:
        chunks = -(-stride // CHUNK)
        self.most_targets = max(1, longest_path + (1 + negative if outputs else 0))
        simple = model in (Model.SKIP_GRAM, Model.CBOW, Model.CBOW_OF_SUBWORDS) and not longest_path
        in_registers = simple and 4 * chunks * (self.most_targets + 2) <= MOST_HELD
        self.variant = Variant(chunks, self.most_targets if in_registers else 0, model, infers)
        rows = self.most_targets * (1 if in_registers else 2) * stride
        if model == Model.SIDE_BY_SIDE:
            rows = 2 * output_stride
        self.workspace = self.most_targets * TARGET_BYTES + rows * 4


def tokens_bytes(tokens: int, sentences: int, tags: int) -> int:
    """What a part of the corpus takes on the device."""
    return 4 * tokens + 8 * (sentences + 1) + (4 * tags + 8 * (sentences + 1) if tags else 0)


def survivors_bytes(tokens: int, sentences: int) -> int:
    """What is found out about a part in each epoch."""
    return 8 * tokens + 4 * (sentences + 1) + 4 * (tokens // TILE + 2)


def bytes_of(arrays: Iterable[NDArray[Any]]) -> int:
    return sum(array.nbytes for array in arrays)
