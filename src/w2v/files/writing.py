"""Files that survive: what is written takes the place of the old file at once and whole, or not at all."""

import errno
import gzip
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO, cast

from w2v.files.reading import Pathlike, codec_of, open_regular

# Bytes copied at a time.
_BLOCK = 1 << 24


def check_output(path: Pathlike) -> None:
    """Raise OSError now if a file could not be written after hours of training."""
    folder = os.path.dirname(os.path.realpath(path))
    with suppress(FileNotFoundError):  # a name that is too long is none of that kind
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError(f"{path} exists and is not a regular file")
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise OSError(f"{path} exists and may not be written to")
    if not os.path.isdir(folder):
        raise OSError(f"{folder} is not a folder; create it first")
    try:
        with tempfile.NamedTemporaryFile(prefix=".w2v-", suffix=".tmp", dir=folder):
            pass
    except OSError as error:
        raise OSError(f"{folder} cannot be written to ({error.strerror})") from error


@contextmanager
def atomic_write(path: Pathlike | BinaryIO, folder: int | None = None) -> Iterator[BinaryIO]:
    """Open a binary file that replaces `path` only once all of it is on the disk; a file that is open is just used.

    The bytes go to a temporary file in the same folder (``.w2v-NAME-*.tmp``, which a killed process may leave
    behind) that nobody else may read; it is synced, and renamed over the target. If anything fails, the old file
    is untouched. Symbolic links are followed. A previous file's mode is kept, a new file has that of the umask.
    A target that is no regular file, or may not be written to, is refused. An OSError names the target.

    With the descriptor of a `folder` (see `open_folder`) the target is the file of that name in it, wherever the path
    leads by now. No link in there is followed: a name that is a link becomes the new file, what it led to stays.
    """
    if not isinstance(path, str | os.PathLike):
        yield path
        return
    target = os.path.realpath(path) if folder is None else os.fspath(path)
    place, name = os.path.split(target)
    at = place if folder is None else ""  # names in an open folder stand alone
    mode = _mode_to_keep(os.path.join(at, name), folder, target)
    if mode is None:
        mode = 0o666 & ~_umask()
    temporary = os.path.join(at, f".w2v-{name[:32]}-{secrets.token_hex(8)}.tmp")

    def create(name: str, flags: int) -> int:
        return os.open(name, flags, 0o600, dir_fd=folder)

    try:
        with open(temporary, "xb", opener=create) as file:
            yield file
            file.flush()
            os.chmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, os.path.join(at, name), src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        if isinstance(error, OSError) and error.errno and error.filename in (None, temporary):
            raise OSError(error.errno, error.strerror, target) from error
        raise
    if folder is None:
        _sync_folder(place)
    else:
        _sync(folder)


def _umask() -> int:
    """The bits that new files of this process do not get."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    found = os.umask(0o077)  # elsewhere it has to be changed to be known, for all threads
    os.umask(found)
    return found


def _mode_to_keep(name: str, folder: int | None, target: str) -> int | None:
    """The mode of the file to be replaced, None if there is none; OSError if it is not ours to replace."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=folder is None).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(mode):  # in a folder, where the name alone is replaced
        return None
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "will not replace what is not a regular file", target)
    if not os.access(name, os.W_OK, dir_fd=folder):  # a rename would not mind
        raise PermissionError(errno.EACCES, "will not replace a file that may not be written to", target)
    return stat.S_IMODE(mode)


def _sync_folder(folder: str) -> None:
    """Put a rename on the disk: it lives in the folder."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder that may not be read; on Windows, any
        return
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(folder: int) -> None:
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems of a network cannot sync a folder
            raise


@contextmanager
def packed_write(path: Pathlike, append: bool = False) -> Iterator[BinaryIO]:
    """As `atomic_write`, and compressed if the name asks for it; what the file holds can be kept in front."""
    with atomic_write(path) as raw:
        if append and os.path.exists(path):
            with open_regular(path) as old:
                while data := old.read(_BLOCK):
                    raw.write(data)
        with _packing(raw, path) as packed:
            yield packed


def _packing(raw: BinaryIO, path: Pathlike) -> AbstractContextManager[BinaryIO]:
    """What compresses into a file, with a checksum, and so that equal contents give equal bytes."""
    codec = codec_of(path)
    match os.path.splitext(os.fspath(path))[1]:
        case ".gz":  # no name and no time inside
            return cast(BinaryIO, gzip.GzipFile("", "wb", fileobj=raw, mtime=0))
        case ".zst":
            return cast(BinaryIO, codec.open(raw, "wb", options={codec.CompressionParameter.checksum_flag: 1}))
        case _:
            return cast(BinaryIO, codec.open(raw, "wb")) if codec else nullcontext(raw)
