"""Matrices whose rows are padded to a multiple of 16 floats, as the kernel takes them."""

import mmap
import os
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.training import _train
from w2v.training.schedule import derived_key

# Of x86-64, and of most aarch64 systems.
HUGE_PAGE = 1 << 21

# Of `derived_key`: the initial rows of words.
WORDS = 0

# Rows drawn at a time, so that Ctrl-C is heard.
AT_A_TIME = 1 << 16


def padded_size(vector_size: int) -> int:
    """How many floats apart rows begin: the next multiple of 16."""
    return -(-vector_size // 16) * 16


def new_matrix(rows: int, vector_size: int) -> NDArray[np.float32]:
    """A zero matrix [rows, vector_size], its rows padded to a multiple of 16 floats, on huge pages if it can be."""
    stride = padded_size(vector_size)
    size = max(rows * stride, 1) * 4
    room = 2 * HUGE_PAGE if size > HUGE_PAGE else 0  # to begin and end with a page; what is not touched is not taken
    try:
        memory = mmap.mmap(-1, size + room, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, OverflowError):
        raise MemoryError(
            f"no memory for a matrix of {rows:,} x {vector_size:,} floats ({size / 2**30:,.1f} GiB); "
            "lower vector_size, or raise min_count"
        ) from None
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel built without them
            memory.madvise(mmap.MADV_HUGEPAGE)
    start = -np.frombuffer(memory, np.uint8).ctypes.data % HUGE_PAGE if room else 0
    return np.frombuffer(memory, np.float32, rows * stride, start).reshape(rows, stride)[:, :vector_size]


def mapped_matrix(path: Any, rows: int, vector_size: int) -> NDArray[np.float32]:
    """The same in a file that takes the place of the one at `path`, and is mapped; what is zero takes no room."""
    stride = padded_size(vector_size)
    name = os.fspath(path)
    with open(f"{name}.new", "w+b") as file:
        file.truncate(max(rows * stride, 1) * 4)
        memory = mmap.mmap(file.fileno(), 0)
    os.replace(f"{name}.new", name)  # one that is mapped now stays as it is, without its name
    return np.frombuffer(memory, np.float32, rows * stride).reshape(rows, stride)[:, :vector_size]


def padded(matrix: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The padded rows behind a matrix of `new_matrix`, or None if it is any other array."""
    rows, vector_size = matrix.shape
    stride = padded_size(vector_size)
    whole = matrix.base
    ours = (
        isinstance(whole, np.ndarray)
        and whole.shape == (rows * stride,)
        and whole.dtype == matrix.dtype == np.float32
        and matrix.strides == (4 * stride, 4)
        and whole.flags.writeable
        and whole.__array_interface__["data"] == matrix.__array_interface__["data"]
    )
    return whole.reshape(rows, stride) if ours and whole is not None else None


def whole_rows(matrix: NDArray[np.float32] | None) -> Any:
    """The padded rows behind a matrix that is `trainable`."""
    return None if matrix is None else padded(matrix)


def trainable(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The matrix itself if its rows are padded, else a copy whose rows are."""
    if padded(matrix) is not None:
        return matrix
    copy = new_matrix(*matrix.shape)
    copy[...] = matrix
    return copy


def grown(matrix: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    """A copy with `rows` rows, the new ones zero."""
    copy = new_matrix(rows, matrix.shape[1])
    copy[: len(matrix)] = matrix
    return copy


def first_vectors(
    rows: int, vector_size: int, seed: int, first_row: int = 0, purpose: int = WORDS, path: Any = None
) -> NDArray[np.float32]:
    """Initial input rows, uniform in [-1/vector_size, 1/vector_size); a row depends on (seed, its number) alone.

    Those before `first_row` are zero. With a `path` they are in a file.
    """
    matrix = new_matrix(rows, vector_size) if path is None else mapped_matrix(path, rows, vector_size)
    fill(matrix, first_row, rows, derived_key(seed, purpose), first_row)
    return matrix


def fill(matrix: NDArray[np.float32], begin: int, end: int, key: int, first_row: int) -> None:
    """Make the rows [begin, end) of a matrix of ours those that this key draws for `first_row` and following."""
    whole = padded(matrix)
    assert whole is not None
    for row in range(begin, end, AT_A_TIME):
        _train.fill_rows(whole[row : min(row + AT_A_TIME, end)], matrix.shape[1], key, first_row + row - begin)
