"""Files as bytes: paths, compression, folders that links cannot lead out of."""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import IO, Any, BinaryIO

from w2v.files.errors import FormatError, TruncatedError

Pathlike = str | os.PathLike[str]
# The limit of unpacking: float32 vectors shrink by a tenth, words to a fifth. gensim keeps arrays of more than
# 10 * 2**20 numbers outside the pickle, so that untrained matrices of zeros stay below the limit.
MOST_UNPACKED = 1 << 30
MOST_RATIO = 100


class Opener(os.PathLike[str]):
    """What opens itself: a part of a file, or a file that is elsewhere. As a path it is a name for messages.

    Parameters
    ----------
    name : str
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __fspath__(self) -> str:
        return self.name

    __str__ = __fspath__

    def open(self) -> IO[bytes]:
        """The bytes, unpacked, from the beginning."""
        raise NotImplementedError


def name_of(path: Pathlike) -> Any:
    """A path as a str, which opens the same; what opens itself stays as it is."""
    return path if isinstance(path, Opener) else os.fspath(path)


def path_of(name: str, path: Any) -> Pathlike:
    """Return a path as given, bytes as str; ValueError, with the parameter's name, if no file can have it.

    TypeError if the value is not a path.
    """
    text = os.fsdecode(path)
    try:
        fault = "it has a NUL character" if b"\0" in os.fsencode(text) else None
    except UnicodeEncodeError as error:
        fault = str(error)
    if fault is not None:
        raise ValueError(f"{name}={path!r:.200} cannot be the name of a file: {fault}")
    return path if not isinstance(path, bytes) and isinstance(os.fspath(path), str) else text


def can_be_read_again(source: Any) -> bool:
    """Whether a file, named or open, can be read from its beginning as often as one likes; a pipe cannot."""
    if isinstance(source, str | bytes | os.PathLike):
        try:
            mode = os.stat(source).st_mode
        except OSError:  # a missing file cannot be used up
            return True
        return not (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode))
    return not hasattr(source, "seekable") or bool(source.seekable())


# Endings of names of compressed files, those that `codec_of` knows.
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")


def unpacked_name(name: str) -> str:
    """The name that a compressed file has without the compression; of another file its own."""
    return os.path.splitext(name)[0] if name.endswith(COMPRESSED) else name


def codec_of(path: Pathlike) -> Any:
    """The module whose `open` reads and writes files with this ending; None if they are not compressed."""
    ending = os.path.splitext(os.fsdecode(path))[1]
    if ending == ".zst":
        try:
            return import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
        except ModuleNotFoundError:
            raise ModuleNotFoundError(f"{os.fspath(path)} needs an extra: pip install 'w2v[zstd]'") from None
    name = {".gz": "gzip", ".bz2": "bz2", ".xz": "lzma"}.get(ending)
    return name and import_module(name)


@contextmanager
def open_binary(path: Pathlike) -> Iterator[IO[bytes]]:
    """Open a file for reading, through a decompressor if its name asks for one."""
    if isinstance(path, Opener):
        with path.open() as opened:
            yield opened
        return
    codec = codec_of(path)
    with codec.open(path, "rb") if codec else open(path, "rb") as opened:
        yield opened


@contextmanager
def unpacking(name: str, fault: str) -> Iterator[None]:
    """Turn a decompressor's errors about its data into a FormatError of this fault; let errors of the disk pass."""
    try:
        yield
    except EOFError as error:
        raise TruncatedError(f"{name}: the compressed data ends early") from error
    except MemoryError:
        raise
    except Exception as error:  # each decompressor has its own exceptions
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise FormatError(f"{name}: {fault} ({error})") from error


def most_unpacked(size: int) -> int:
    """The most bytes that a compressed file of this size may hold; beyond that it is a bomb."""
    return max(MOST_UNPACKED, MOST_RATIO * size)


def check_unpacked(name: str, unpacked: int, most: int) -> None:
    """Refuse a file that has unpacked beyond the limit."""
    if unpacked > most:
        raise FormatError(f"{name}: unpacks to more than {most:,} bytes; unpack it yourself if you trust it")


def open_folder(path: Pathlike) -> int:
    """Return a descriptor of a folder. It stays with this folder, even if the path leads elsewhere later.

    A stranger's folder may hold links to any file of the user. `open_inside`, and `open_regular` and `atomic_write`
    with this descriptor, follow no link.
    """
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY)


def open_inside(path: Pathlike, folder: int, flags: int = os.O_RDONLY) -> int:
    """Return a descriptor of a regular file in an open folder; OSError if the name is a link, or anything else.

    Only messages use the folders in `path`.
    """
    name = os.fspath(path)
    try:
        descriptor = os.open(os.path.basename(name), flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666, dir_fd=folder)
    except OSError as error:
        said = error.strerror
        if error.errno == errno.ELOOP:
            said = "is a symbolic link, which is not followed in such a folder; delete it"
        raise OSError(error.errno, said, name) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is not a regular file; delete it", name)
    return descriptor


def open_regular(path: Pathlike, folder: int | None = None) -> BinaryIO:
    """Open a regular file for reading; other kinds could block, and have no size to compare counts with."""
    if folder is not None:
        return open(open_inside(path, folder), "rb")
    if os.path.exists(path) and not os.path.isfile(path):
        raise FormatError(f"{os.fspath(path)}: not a regular file")
    return open(path, "rb")
