"""Integer arrays that grow: in memory up to a limit, beyond that in a temporary file without a name."""

import mmap
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


def own_memory(length: int, dtype: Any) -> NDArray[Any]:
    """An array whose memory comes straight from the system and goes straight back to it, whatever its size."""
    size = max(1, length * np.dtype(dtype).itemsize)
    return np.frombuffer(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS), dtype, length)


class FileMapping(mmap.mmap):
    """A mapped file, whose pages the system can drop and read again."""


def forget_pages(array: NDArray[Any]) -> None:
    """Give the memory of a mapped file back to the system; any other array is left alone."""
    mapping = getattr(array.base, "obj", array.base)
    if isinstance(mapping, FileMapping) and hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)


class Spool:
    """A growing integer array: in memory up to `limit` bytes, beyond that in a temporary file without a name.

    The file is gone when the last reference to it is, also when the process is killed.
    """

    def __init__(self, dtype: Any, limit: float) -> None:
        self.dtype = np.dtype(dtype)
        self.limit = limit
        self.length = 0
        self._lengths: list[int] = []
        self._blocks: list[NDArray[Any]] = []
        self._file: Any = None

    def append(self, block: NDArray[Any]) -> None:
        """Add a copy of `block`."""
        self.length += len(block)
        self._lengths.append(len(block))
        if self._file is None and self.length * self.dtype.itemsize > self.limit:
            self._file = tempfile.TemporaryFile(prefix="w2v-")  # noqa: SIM115 - lives as long as the spool
            for held in self._release():
                self._file.write(held.data)
        if self._file is not None:
            self._file.write(np.ascontiguousarray(block, self.dtype).data)
            return
        held = own_memory(len(block), self.dtype)
        held[...] = block
        self._blocks.append(held)

    def _release(self) -> Iterator[NDArray[Any]]:
        self._blocks.reverse()
        while self._blocks:
            yield self._blocks.pop()

    def drain(self) -> Iterator[NDArray[Any]]:
        """Give all blocks as they were appended, once, letting go of each."""
        if self._file is None:
            yield from self._release()
            return
        self._file.seek(0)
        for length in self._lengths:
            yield np.fromfile(self._file, self.dtype, length)
        self._file.close()

    def finish(self) -> NDArray[Any]:
        """The whole array: in memory, or mapped from the file."""
        if self._file is not None:
            self._file.flush()
            mapping = FileMapping(self._file.fileno(), 0)
            self._file.close()
            return np.frombuffer(mapping, self.dtype)
        whole = own_memory(self.length, self.dtype)
        filled = 0
        for block in self._release():
            whole[filled : filled + len(block)] = block
            filled += len(block)
        return whole
