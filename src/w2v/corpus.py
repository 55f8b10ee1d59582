"""Sentences from files: re-iterable sources that give lists of tokens, split on white space.

A line ends at ``\\n`` and nowhere else; tokens are separated by whatever `str.split` calls white space. Text is
read in blocks, so that a line of any length costs bounded memory. Compressed files (.gz, .bz2, .xz, .zst) are
recognised by their ending.
"""

import codecs
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Any

# Text is decoded and split this many bytes at a time.
BLOCK = 1 << 20

# The longest sentence LineSentence and Text8Corpus give by default, as in gensim. Longer lines are split, not cut.
MAX_SENTENCE_LENGTH = 10_000

Pathlike = str | os.PathLike[str]


@contextmanager
def open_binary(path: Pathlike) -> Iterator[IO[bytes]]:
    """Open a file for reading, through a decompressor if its name asks for one; errors name the file."""
    path = os.fspath(path)
    opened: Any
    if path.endswith((".gz", ".bz2", ".xz")):
        module = import_module({"gz": "gzip", "bz2": "bz2", "xz": "lzma"}[path.rsplit(".", 1)[1]])
        opened = module.open(path, "rb")
    elif path.endswith(".zst"):
        try:
            opened = import_module("zstandard").open(path, "rb")
        except ModuleNotFoundError:
            raise ModuleNotFoundError(f"reading {path} needs zstandard: pip install 'w2v[zstd]'") from None
    else:
        opened = open(path, "rb")  # noqa: SIM115 - closed below, like the others
    with opened:
        yield opened


def read_pieces(source: Pathlike | IO[bytes], name: str = "") -> Iterator[tuple[list[str], bool]]:
    """Give the words of each line of a file, a long line in several pieces.

    Yields
    ------
    words, ends
        `ends` says whether the line ends with these words.

    Raises
    ------
    UnicodeDecodeError
        With the file's name and the byte offset (after decompression) in its reason.
    OSError
        If the file cannot be read, or is damaged or cut short where it is compressed.
    """
    if isinstance(source, str | os.PathLike):
        with open_binary(source) as stream:
            yield from read_pieces(stream, os.fspath(source))
        return
    decode = codecs.getincrementaldecoder("utf-8")("strict").decode
    offset = 0  # bytes given to the decoder before this block
    rest = ""  # the word that the end of the last block may have cut
    within = False  # whether words of the current line have been given
    while True:
        block = _read(source, name)
        try:
            text = rest + decode(block, not block)
        except UnicodeDecodeError as error:
            start = offset + len(block) - len(error.object) + error.start
            error.reason += f", at byte {start:,} of {name or 'the input'}; is it UTF-8?"
            raise
        offset += len(block)
        *lines, tail = text.split("\n")
        for line in lines:
            yield line.split(), True
            within = False
        if not block:
            if tail or within:
                yield tail.split(), True
            return
        words = tail.split()
        rest = words.pop() if words and not tail[-1].isspace() else ""
        if words:
            yield words, False
            within = True
        elif not rest and tail:
            within = True


def _read(source: IO[bytes], name: str) -> bytes:
    try:
        return source.read(BLOCK)
    except Exception as error:
        if not name:  # a file object of the user's own: its errors are theirs
            raise
        # Decompressors raise EOFError, zlib.error, LZMAError, ...; few of them say which file they mean.
        raise OSError(f"cannot read {name}, it may be damaged or cut short: {error}") from error


def _sentences(pieces: Iterator[tuple[list[str], bool]], longest: int) -> Iterator[list[str]]:
    """Join the pieces of a line, and split what is longer than `longest`."""
    held: list[str] = []
    for words, ends in pieces:
        held = held + words if held else words
        while len(held) > longest:
            yield held[:longest]
            held = held[longest:]
        if ends:
            yield held
            held = []


def _checked_length(max_sentence_length: int) -> int:
    if max_sentence_length < 1:
        raise ValueError(f"max_sentence_length={max_sentence_length} must be at least 1")
    return max_sentence_length


class LineSentence:
    """One sentence per line, tokens separated by white space.

    Parameters
    ----------
    source : path or binary file object
        A file object must be seekable; every iteration starts at its beginning.
    max_sentence_length : int, default 10,000
        Longer lines are given in several sentences.
    limit : int, optional
        Read only this many lines.
    """

    def __init__(
        self,
        source: Pathlike | IO[bytes],
        max_sentence_length: int = MAX_SENTENCE_LENGTH,
        limit: int | None = None,
    ) -> None:
        self.source = source
        self.max_sentence_length = _checked_length(max_sentence_length)
        self.limit = limit

    def __iter__(self) -> Iterator[list[str]]:
        if not isinstance(self.source, str | os.PathLike):
            self.source.seek(0)
        return _sentences(_first_lines(read_pieces(self.source), self.limit), self.max_sentence_length)


def _first_lines(pieces: Iterator[tuple[list[str], bool]], limit: int | None) -> Iterator[tuple[list[str], bool]]:
    left = limit
    for words, ends in pieces:
        if left is not None:
            if left <= 0:
                return
            left -= ends
        yield words, ends


class PathLineSentences:
    """Like `LineSentence`, over one file or all files of a folder in order of their names (not recursive).

    Raises
    ------
    ValueError
        If `source` is neither a file nor a folder.
    """

    def __init__(
        self, source: Pathlike, max_sentence_length: int = MAX_SENTENCE_LENGTH, limit: int | None = None
    ) -> None:
        self.source = Path(source)
        self.max_sentence_length = _checked_length(max_sentence_length)
        self.limit = limit
        if self.source.is_dir():
            self.input_files = [os.fspath(path) for path in sorted(self.source.iterdir()) if path.is_file()]
        elif self.source.is_file():
            self.input_files = [os.fspath(self.source)]
        else:
            raise ValueError(f"{os.fspath(source)!r} is neither a file nor a folder")

    def __iter__(self) -> Iterator[list[str]]:
        for path in self.input_files:
            yield from LineSentence(path, self.max_sentence_length, self.limit)


class Text8Corpus:
    """A file that is one long line, such as text8, cut into sentences of `max_sentence_length` tokens."""

    def __init__(self, fname: Pathlike, max_sentence_length: int = MAX_SENTENCE_LENGTH) -> None:
        self.fname = fname
        self.max_sentence_length = _checked_length(max_sentence_length)

    def __iter__(self) -> Iterator[list[str]]:
        words = itertools.chain.from_iterable(words for words, _ in read_pieces(self.fname))
        while sentence := list(itertools.islice(words, self.max_sentence_length)):
            yield sentence
