"""Files that survive: a new file replaces the old one at once and whole, or not at all."""

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
    with suppress(FileNotFoundError):  # ENAMETOOLONG still raises
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
    """Open a binary file that replaces `path` only when all of it is on the disk; an open file is used as it is.

    The bytes go to a temporary file in the same folder (``.w2v-NAME-*.tmp``), which its owner alone may read. It is
    synced, and renamed over the target. A killed process may leave it behind. If anything fails, the old file is
    untouched. Symbolic links are followed. A previous file keeps its mode, and a new file gets the mode of the umask.
    A target that is not a regular file, or may not be written to, is refused. An OSError names the target.

    With the descriptor of a `folder` (see `open_folder`) the target is the file of that name in it, even if the path
    leads elsewhere by now. No link in the folder is followed: the new file replaces a link, and its target stays.
    """
    if not isinstance(path, str | os.PathLike):
        yield path
        return
    target = os.path.realpath(path) if folder is None else os.fspath(path)
    place, name = os.path.split(target)
    at = place if folder is None else ""  # a name in an open folder has no folder before it
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
    """The permission bits that new files of this process lack."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    found = os.umask(0o077)  # elsewhere reading it means changing it, for all threads
    os.umask(found)
    return found


def _mode_to_keep(name: str, folder: int | None, target: str) -> int | None:
    """The mode of the file to replace, None if it does not exist; OSError if it must not be replaced."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=folder is None).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(mode):  # in an open folder only the name is replaced
        return None
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "will not replace what is not a regular file", target)
    if not os.access(name, os.W_OK, dir_fd=folder):  # a rename would ignore the permission
        raise PermissionError(errno.EACCES, "will not replace a file that may not be written to", target)
    return stat.S_IMODE(mode)


def _sync_folder(folder: str) -> None:
    """Put a rename on the disk by syncing the folder."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # an unreadable folder; on Windows, any folder
        return
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(folder: int) -> None:
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # network file systems cannot sync a folder
            raise


@contextmanager
def packed_write(path: Pathlike, append: bool = False) -> Iterator[BinaryIO]:
    """As `atomic_write`, and compressed if the name asks for it; `append` keeps the old contents in front."""
    with atomic_write(path) as raw:
        if append and os.path.exists(path):
            with open_regular(path) as old:
                while data := old.read(_BLOCK):
                    raw.write(data)
        with _packing(raw, path) as packed:
            yield packed


def _packing(raw: BinaryIO, path: Pathlike) -> AbstractContextManager[BinaryIO]:
    """Open a compressor into a file, with a checksum; equal contents give equal bytes."""
    codec = codec_of(path)
    match os.path.splitext(os.fspath(path))[1]:
        case ".gz":  # no name and no time inside
            return cast(BinaryIO, gzip.GzipFile("", "wb", fileobj=raw, mtime=0))
        case ".zst":
            return cast(BinaryIO, codec.open(raw, "wb", options={codec.CompressionParameter.checksum_flag: 1}))
        case _:
            return cast(BinaryIO, codec.open(raw, "wb")) if codec else nullcontext(raw)
