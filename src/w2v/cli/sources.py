"""What a command reads and writes: texts from anywhere, and files that must not be overwritten."""

import argparse
import errno
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from itertools import islice
from typing import Any

from w2v.cli.arguments import standard_input
from w2v.cli.messages import show_warning
from w2v.files.reading import unpacked_name

# How files begin that are no plain text, and what to do with them.
NO_TEXT = [
    (
        rb"PK\x03\x04|\xd0\xcf\x11\xe0",
        "a document of an office program, an e-book or an archive; save it as plain text",
    ),
    (rb"%PDF", "a PDF; take its text out first, as pdftotext does"),
    (rb"\{\\rtf", "rich text; save it as plain text"),
    (
        rb"(\xef\xbb\xbf)?\s*(?i:<!doctype html|<html|<\?xml)",
        "full of tags, which would be words; take its text out first",
    ),
]


def check_corpus(path: str, folders: bool = False) -> None:
    """Refuse what is no text, before any work; a folder of texts is one where `folders` are read."""
    if not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    if os.path.isdir(path) and not folders:
        raise ValueError(f"{path} is a folder; give one file, or all in one: cat {shlex.quote(path)}/* > texts.txt")
    if os.path.isfile(path):
        with open(path, "rb") as file:
            start = file.read(256)
        for beginning, what in NO_TEXT:
            if re.match(beginning, start):
                raise ValueError(f"{path} is {what}")


def _check_place(path: str, options: Mapping[str, str | None]) -> None:
    """Ask which column of a table is meant, where its name does not make it one by itself."""
    from w2v.text.cells import columns_of

    bare = unpacked_name(path)
    if bare.endswith(".csv") and options["column"] is None and len(names := columns_of(path)) > 1:
        shown = ", ".join(map(repr, names[:20]))
        raise ValueError(f"{path} is a table of {shown}; say which to read: --column NAME")
    if bare.endswith(".json") and options["field"] is None:
        advice = f"jq -c '.[]' {shlex.quote(path)} > texts.jsonl makes them of a list"
        raise ValueError(f"{path} is JSON, of which lines are read: --field NAME if these are such, and {advice}")


@contextmanager
def read_from(path: str | None, args: argparse.Namespace | None = None) -> Iterator[tuple[Any, str | None]]:
    """Give a corpus as an iterable or as a path; a source that can be read only once is copied to a nameless file.

    `args` are those of `add_text_options`, and with them a folder of texts is a corpus.
    """
    options = {name: getattr(args, name, None) for name in ("column", "field")}
    if path is not None and path != "-":
        check_corpus(path, folders=args is not None)
        if args is not None and os.path.isfile(path):
            _check_place(path, options)
    if path is None or (os.path.isfile(path) and not any(options.values())):
        yield None, path
        return
    from w2v import LineSentence, Texts

    if os.path.isfile(path) or os.path.isdir(path):
        yield Texts(path, **options), None
        return

    with tempfile.TemporaryFile() as kept:
        with nullcontext(standard_input()) if path == "-" else open(path, "rb") as pipe:
            shutil.copyfileobj(pipe, kept)
        raw = options["field"] is not None or getattr(args, "tokenizer", None) is not None
        yield Texts(kept, **options) if raw else LineSentence(kept), None


# Sentences that tell whether a text is raw.
LOOKED_AT = 2000


def is_raw(sentences: Any, corpus_file: str | None) -> bool:
    """Whether a corpus that `read_from` gives is text as people write it, with capitals and punctuation."""
    from w2v import Texts
    from w2v.advice.rules import looks_raw

    return looks_raw(list(islice(Texts(corpus_file) if corpus_file is not None else sentences, LOOKED_AT)))


def warn_of_raw_text(args: argparse.Namespace) -> None:
    """Say what words of raw texts in files are where nothing was said of them."""
    told = args.tokenizer is not None or args.column is not None or args.field is not None
    if not told and (os.path.isfile(args.corpus) or os.path.isdir(args.corpus)) and is_raw(None, args.corpus):
        show_warning(
            "the text has capitals and punctuation, and words are what stands between blanks: 'The', 'the' and 'the,' "
            "are three; --tokenizer simple makes them one, --tokenizer whitespace says that this is meant"
        )


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
