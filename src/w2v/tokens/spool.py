"""Growing integer arrays: in memory up to a limit, beyond that in a temporary file without a name."""

import mmap
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.common.ahead import ahead

# A block of fewer numbers is not worth another thread.
MANY = 1 << 14


class FileMapping(mmap.mmap):
    """A mapped file; the system can drop its pages and read them again."""


def forget_pages(array: NDArray[Any]) -> None:
    """Give the memory of a mapped file back to the system; any other array is left alone."""
    mapping = getattr(array.base, "obj", array.base)
    if isinstance(mapping, FileMapping) and hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)


def _copy(block: NDArray[Any], begin: int, memory: mmap.mmap, dtype: Any) -> None:
    if len(block):  # no array of the memory may be left, or it could not grow
        np.frombuffer(memory, dtype, len(block), begin)[...] = block


class Spool:
    """A growing integer array: in memory up to `limit` bytes, beyond that in a temporary file without a name.

    The file disappears with its last reference, also when the process is killed. Memory comes straight from the system,
    grows in place, and goes straight back. To be given it takes longer than to fill it, so that several `threads` copy.
    """

    _file: Any = None  # of the class: Ctrl-C may come before the constructor has begun

    def __init__(
        self,
        dtype: Any,
        limit: float,
        holds: str = "encoded corpus",
        ways_out: tuple[str, str] = ("cache='disk' keeps it in a temporary file", "cache='none' needs no file"),
        threads: int = 1,
    ) -> None:
        self.dtype = np.dtype(dtype)
        self.limit = limit
        self.holds, self.ways_out = holds, ways_out  # without memory, and without room for a file
        self.length = 0
        self._lengths: list[int] = []
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._copies: deque[Future[None]] = deque()  # under way
        self._memory: mmap.mmap | None = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    def append(self, block: NDArray[Any]) -> None:
        """Add a copy of `block`, which is not to change."""
        begin, end = (at * self.dtype.itemsize for at in (self.length, self.length + len(block)))
        self.length += len(block)
        self._lengths.append(len(block))
        if self._memory is not None and end > self.limit:
            self._wait(0)
            self._file = tempfile.TemporaryFile(prefix="w2v-")  # noqa: SIM115 - lives as long as the spool
            self._write(memoryview(self._memory)[:begin], 0)
            self._memory = None
        if self._memory is None:
            self._do(self._write, np.ascontiguousarray(block, self.dtype).data, begin)
            return
        if end > len(self._memory):
            self._grow(end)
        self._do(_copy, block, begin, self._memory, self.dtype)

    def _do(self, copy: Callable[..., None], block: Any, *where: Any) -> None:
        """Copy a block now, or if it is large and there are threads, meanwhile."""
        if self._pool is None or len(block) < MANY:
            return copy(block, *where)
        self._wait(self._threads - 1)
        self._copies.append(self._pool.submit(copy, block, *where))
        return None

    def _wait(self, most: int) -> None:
        """Wait until at most so many copies are under way."""
        while len(self._copies) > most:
            self._copies.popleft().result()

    def _grow(self, end: int) -> None:
        assert self._memory is not None
        self._wait(0)
        for size in (end + end // 2, end):  # untouched pages cost no memory
            try:
                return self._memory.resize(size)
            except OSError:
                continue
        raise MemoryError(f"no memory for {end:,} bytes of {self.holds}; {self.ways_out[0]}")

    def _write(self, data: Any, at: int) -> None:
        """Write to the file, from the byte `at` on."""
        rest = memoryview(data).cast("B") if len(data) else b""
        try:
            while len(rest):
                written = os.pwrite(self._file.fileno(), rest, at)
                rest, at = rest[written:], at + written
        except OSError as error:
            raise OSError(
                error.errno,
                f"{error.strerror} (the {self.holds}, after {at:,} bytes; TMPDIR names another "
                f"folder, and {self.ways_out[1]})",
                tempfile.gettempdir(),
            ) from error

    def drain(self) -> Iterator[NDArray[Any]]:
        """Yield all blocks as they were appended; works once."""
        at = 0
        self._wait(0)
        if self._file is not None:
            self._file.seek(0)
        for length in self._lengths:
            if self._memory is None:
                yield np.fromfile(self._file, self.dtype, length)
            else:
                yield np.frombuffer(self._memory, self.dtype, length, at * self.dtype.itemsize)
            at += length

    def rewrite(
        self, change: Callable[[NDArray[Any], Any], int], others: Iterable[Any], threads: int
    ) -> Iterator[tuple[Any, int]]:
        """Shorten every block with ``change(block, other)``, which works in place and returns the length it leaves.

        Each block has one of `others`, which is yielded with the block's new place in the whole array. Several threads
        change blocks; one thread moves them together. Nothing is held twice.
        """
        filled = at = 0
        size = self.dtype.itemsize
        tasks = (((block, other), change, (block, other)) for block, other in zip(self.drain(), others, strict=True))
        with ThreadPoolExecutor(threads) as pool:
            for (block, other), length in ahead(pool, tasks, threads + 1):
                yield other, filled
                if self._memory is not None:
                    if filled < at:
                        self._memory.move(filled * size, at * size, length * size)
                else:  # over what has been read: those read ahead are all behind this block
                    self._do(self._write, block[:length].data, filled * size)
                filled += length
                at += len(block)
        self.length = filled
        self._lengths = []  # the appended blocks no longer exist

    def finish(self) -> NDArray[Any]:
        """The whole array: in memory, or mapped from the file."""
        self._wait(0)
        if self.length == 0:
            return np.zeros(0, self.dtype)
        if self._memory is None:
            os.ftruncate(self._file.fileno(), self.length * self.dtype.itemsize)
            mapping = FileMapping(self._file.fileno(), 0)
            return np.frombuffer(mapping, self.dtype)
        self._memory.resize(max(mmap.PAGESIZE, self.length * self.dtype.itemsize))
        return np.frombuffer(self._memory, self.dtype, self.length)
