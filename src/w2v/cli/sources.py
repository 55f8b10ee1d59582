"""What a command reads and writes: texts from anywhere, and files that must not be overwritten."""

import argparse
import errno
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

from w2v.cli.arguments import standard_input


def check_corpus(path: str) -> None:
    if not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    if os.path.isdir(path):
        raise ValueError(f"{path} is a folder; give one file, or all of them: cat {shlex.quote(path)}/* | w2v train -")


@contextmanager
def read_from(path: str | None, args: argparse.Namespace | None = None) -> Iterator[tuple[Any, str | None]]:
    """Give a corpus as an iterable or as a path; a source that can be read only once is copied to a nameless file.

    `args` are those of `add_text_options`.
    """
    options = {name: getattr(args, name, None) for name in ("column", "field")}
    if path is not None and path != "-":
        check_corpus(path)
    if path is None or (os.path.isfile(path) and not any(options.values())):
        yield None, path
        return
    from w2v import LineSentence, Texts

    if os.path.isfile(path):
        yield Texts(path, **options), None
        return

    with tempfile.TemporaryFile() as kept:
        with nullcontext(standard_input()) if path == "-" else open(path, "rb") as pipe:
            shutil.copyfileobj(pipe, kept)
        raw = options["field"] is not None or getattr(args, "tokenizer", None) is not None
        yield Texts(kept, **options) if raw else LineSentence(kept), None


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
