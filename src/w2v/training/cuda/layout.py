"""What the kernels are given: the structures of kernels.cu, byte for byte, and how much memory each part takes."""

from collections.abc import Iterable
from typing import Any

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
_POINTERS += ["paths", "points", "labels"]
_SWITCHES = ["shrink", "fresh", "cbow", "mean_forward", "mean_backward", "with_loss", "learn_outputs", "words"]

PLAN = np.dtype(
    [(name, np.uint64) for name in _POINTERS]
    + [(name, np.int64) for name in ("stride", "n_words", "n_nodes", "n_documents", "workspace_size")]
    + [(name, np.int32) for name in ("most_targets", "window", "negative", *_SWITCHES)],
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
TARGET_BYTES = 24

# Registers that hold rows: four numbers of each chunk, of each target and of the pair's row and gradient. With more,
# the compiler would move them to memory.
MOST_HELD = 176


class Shape:
    """The variant of the kernel that a model needs, and the workspace of each of its warps.

    Parameters
    ----------
    stride : int, floats from a row to the next
    negative : int, noise words; 0 without negative sampling
    longest_path : int, of hierarchical softmax; 0 without

    Attributes
    ----------
    chunks : int, four numbers of each lane
    held : int, targets in registers; 0 if they are in the workspace
    most_targets : int, of a list
    workspace : int, bytes
    """

    def __init__(self, stride: int, negative: int, longest_path: int, outputs: bool) -> None:
        self.chunks = -(-stride // CHUNK)
        self.most_targets = max(1, longest_path + (1 + negative if outputs else 0))
        in_registers = not longest_path and 4 * self.chunks * (self.most_targets + 2) <= MOST_HELD
        self.held = self.most_targets if in_registers else 0
        rows = self.most_targets * (1 if self.held else 2)
        self.workspace = -(-self.most_targets * TARGET_BYTES // 16) * 16 + rows * stride * 4


def tokens_bytes(tokens: int, sentences: int, tags: int) -> int:
    """What a part of the corpus takes on the device."""
    return 4 * tokens + 8 * (sentences + 1) + (4 * tags + 8 * (sentences + 1) if tags else 0)


def survivors_bytes(tokens: int, sentences: int) -> int:
    """What is found out about a part in each epoch."""
    return 8 * tokens + 4 * (sentences + 1) + 4 * (tokens // TILE + 2)


def bytes_of(arrays: Iterable[NDArray[Any]]) -> int:
    return sum(array.nbytes for array in arrays)
