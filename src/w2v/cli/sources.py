"""Files that a command reads and writes: their formats, what must not be overwritten, and texts from anywhere."""

import errno
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2v.cli.arguments import standard_input

if TYPE_CHECKING:
    from w2v import KeyedVectors

SUFFIXES = {".safetensors": "native", ".bin": "binary", ".txt": "text", ".vec": "text"}
FORMATS = ("native", "binary", "text")
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
FILE_HELP = "vectors: .safetensors, .bin, .txt, .vec; all but the first also compressed"


def check_corpus(path: str) -> None:
    if not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    if os.path.isdir(path):
        raise ValueError(f"{path} is a folder; give one file, or all of them: cat {shlex.quote(path)}/* | w2v train -")


@contextmanager
def read_from(path: str | None) -> Iterator[tuple[Any, str | None]]:
    """Give a corpus as an iterable or as a path; a source that can be read only once is copied to a nameless file."""
    if path is not None and path != "-":
        check_corpus(path)
    if path is None or os.path.isfile(path):
        yield None, path
        return
    from w2v import LineSentence

    with tempfile.TemporaryFile() as kept:
        with nullcontext(standard_input()) if path == "-" else open(path, "rb") as pipe:
            shutil.copyfileobj(pipe, kept)
        yield LineSentence(kept), None


def format_of(path: str) -> str:
    name = Path(path)
    packed = name.suffix in COMPRESSED
    form = SUFFIXES.get(Path(name.stem).suffix if packed else name.suffix)
    if form is None or (packed and form == "native"):
        raise ValueError(f"the name of {path!r} does not tell its format; it must end in {', '.join(SUFFIXES)}")
    return form


def check_output(path: str) -> None:
    from w2v.files.writing import check_output

    check_output(path)


def is_in(output: str, source: str) -> bool:
    """Whether a file is the other one, or one of those in a folder; a source of "-" is standard input."""
    if source == "-":
        with suppress(OSError, ValueError, AttributeError):  # which may be closed, or something else than a file
            return os.path.samestat(os.stat(output), os.fstat(sys.stdin.fileno()))
    if source in ("", "-"):
        return False
    path, other = os.path.realpath(output), os.path.realpath(source)
    return path == other or (os.path.exists(path) and os.path.dirname(path) == other)


def load(path: str, form: str | None = None, *, no_header: bool = False) -> "KeyedVectors":
    from w2v import KeyedVectors

    form = form or format_of(path)
    if form == "native":
        return KeyedVectors.load(path)
    return KeyedVectors.load_word2vec_format(path, binary=form == "binary", no_header=no_header)


def save(vectors: "KeyedVectors", path: str, form: str) -> None:
    if form == "native":
        vectors.save(path)
    else:
        vectors.save_word2vec_format(path, binary=form == "binary")
