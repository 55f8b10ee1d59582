"""Text files in parts that begin and end between words, each read by the thread that numbers its words.

A part belongs to a stretch of the file of `readers.BLOCK` bytes. It begins behind the first white space from there on,
the first one at the beginning of the text, and ends where the next one begins. So every thread finds the two ends of a
part without the others, and nobody has to read the file for them.
"""

import os
import stat
from collections.abc import Iterator
from functools import partial
from typing import Any

from w2v.files.reading import Opener, Pathlike, codec_of
from w2v.text import _text, readers

# Bytes behind a stretch that nearly always hold a white space; at least as many as a character has.
OVERHANG = 1 << 12

# A part's bytes, and where they are in the file.
Part = tuple[memoryview, int]


class Descriptor:
    """An open file that is closed with its last reference, when the last part has been read."""

    def __init__(self, path: Pathlike) -> None:
        self.name = os.fspath(path)
        self.number = -1  # of a file that could not be opened
        self.number = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))

    def __del__(self) -> None:
        if self.number >= 0:
            os.close(self.number)

    def read(self, at: int, size: int) -> bytes:
        """The bytes from `at` on, fewer than `size` only if the file ends there."""
        try:
            data = os.pread(self.number, size, at)
            while len(data) < size and (more := os.pread(self.number, size - len(data), at + len(data))):
                data += more
        except OSError as error:
            raise OSError(f"cannot read {self.name}, it may be damaged or cut short: {error}") from error
        return data


def parts_of_file(path: Any) -> Iterator[partial[Part]] | None:
    """Functions that read a part each, in the order of the file; None if it can only be read from end to end.

    Raises
    ------
    UnicodeDecodeError
        If the file begins with the byte-order mark of another encoding than UTF-8.
    OSError
        If the file cannot be opened.
    """
    if not isinstance(path, str | os.PathLike) or isinstance(path, Opener) or not hasattr(os, "pread"):
        return None
    if codec_of(path) is not None or not stat.S_ISREG(os.stat(path).st_mode):
        return None
    file = Descriptor(path)
    size = os.fstat(file.number).st_size
    if not size:  # as files of the system say that are made while they are read
        return None
    begin = len(readers.mark_of(file.read(0, 4), file.name))
    return (partial(_read, file, at, begin) for at in range(0, size, readers.BLOCK))


def _read(file: Descriptor, at: int, begin: int) -> Part:
    """The part of the stretch that begins at `at`, in a file whose text begins at `begin`."""
    wanted = readers.BLOCK + OVERHANG
    data = file.read(at, wanted)
    start = _text.behind_space(data, 0) if at else begin
    if start < 0:  # a word goes on beyond these bytes: the part that it begins in has it, or says that it is too long
        return memoryview(b""), at
    end = _text.behind_space(data, readers.BLOCK)
    if end < 0 and len(data) == wanted:
        data += file.read(at + wanted, readers.LONGEST_WORD)
        end = _text.behind_space(data, readers.BLOCK)
        if end < 0 and len(data) == wanted + readers.LONGEST_WORD:  # too long a word, in whole characters
            end = next(place for place in range(len(data) - 1, 0, -1) if data[place] & 0xC0 != 0x80)
    return memoryview(data)[start : len(data) if end < 0 else end], at + start
