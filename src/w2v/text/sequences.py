"""Files of sequences to digits: FASTA and FASTQ, of any size, in blocks that several threads turn into digits.

::

    file ─▶ blocks of 1 MiB ─▶ threads: letters to digits ─▶ in the order of the file: records, segments, a unit of work

A *record* is a header with its sequence. A *segment* is a stretch of a sequence without a split: k-mers, windows and
frames never reach beyond it. What a letter is (a digit, left out, a split, nothing, an error) a table of 256 classes
says, which `kmers.Scheme` makes. The last segment of a block may go on in the next one, so the letters of its last
piece wait for it: nothing depends on where blocks are cut.
"""

import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.common.ahead import ahead
from w2v.files.errors import FormatError, TruncatedError
from w2v.files.reading import open_binary
from w2v.text import _kmers
from w2v.text.readers import OTHER_MARKS

logger = logging.getLogger(__name__)

# Bytes of a file that are cleaned at a time.
BLOCK = 1 << 20

# The longest header of FASTA, and the longest record of FASTQ; a sequence of FASTA may have any length.
LONGEST_HEADER = 1 << 20
LONGEST_READ = 1 << 26

# What may be wrong with a block; the numbers are those of _kmers.h.
WRONG_LETTER, NOT_AT, NOT_PLUS, OTHER_LENGTH, CUT_SHORT = 2, 4, 5, 6, 7

UTF8_MARK = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Bytes of a file; `ends` says that the file ends with them, `skipped` how many blank lines came before them."""

    data: bytes
    name: str
    fastq: bool = False
    at_line_start: bool = True
    ends: bool = False
    failure: Exception | None = None  # what reading on has raised
    skipped: int = 0


class Unit(NamedTuple):
    """Segments that are ready to become k-mers.

    Attributes
    ----------
    digits : uint8
    starts : int64 [S], where each segment begins; the last one ends at `end`
    end : int
    first : int, letters that came before these
    records : int64 [S], the number of each segment's record
    begun : bool, whether the first segment is the rest of one of which pieces were ready before
    """

    digits: NDArray[np.uint8]
    starts: NDArray[np.int64]
    end: int
    first: int
    records: NDArray[np.int64]
    begun: bool = False

    @property
    def work(self) -> tuple[NDArray[np.uint8], NDArray[np.int64], int, int, bool]:
        """What `KmerTable.tokenize` asks for."""
        return self.digits, self.starts, self.end, self.first, self.begun


# --- blocks -----------------------------------------------------------------------------------------------------


def blocks_of_files(files: Iterable[str | IO[bytes]]) -> Iterator[Block]:
    """The blocks of each file; a last one, which may be empty, ends it. What goes wrong while reading comes last."""
    for file in files:
        name = file if isinstance(file, str) else str(getattr(file, "name", "the input"))
        try:
            if isinstance(file, str):
                with open_binary(file) as opened:
                    yield from _blocks(opened, name)
            else:
                yield from _blocks(file, name)
        except MemoryError:
            raise
        except (FileNotFoundError, IsADirectoryError, PermissionError, ImportError):
            raise
        except Exception as error:  # each decompressor has its own exceptions
            yield Block(b"", name, failure=error)
            return


def _blocks(file: IO[bytes], name: str) -> Iterator[Block]:
    data, skipped = _beginning(file)
    yield Block(b"", name, skipped=skipped)
    if data[:1] == b"@":
        yield from _fastq_blocks(file, name, data)
        return
    rest, at_line_start = b"", True
    while data:
        text = rest + data if rest else data
        cut = text.rfind(b"\n") + 1
        if not cut and not (at_line_start and text[:1] == b">"):  # within a long line of a sequence
            cut = len(text)
        if cut:
            yield Block(text[:cut], name, False, at_line_start)
            at_line_start = text[cut - 1 : cut] == b"\n"
        rest = text[cut:]
        if len(rest) > LONGEST_HEADER and at_line_start and rest[:1] == b">":
            raise FormatError(f"a header of more than {LONGEST_HEADER:,} bytes, {rest[:40]!r}...; is it FASTA?")
        data = file.read(BLOCK)
    yield Block(rest, name, False, at_line_start, True)


def _fastq_blocks(file: IO[bytes], name: str, data: bytes) -> Iterator[Block]:
    """Blocks of whole records."""
    rest = b""
    while data:
        text = rest + data
        cut = _kmers.whole_fastq(text)
        if cut:
            yield Block(text[:cut], name, True)
        rest = text[cut:]
        if len(rest) > LONGEST_READ:
            raise FormatError(f"a FASTQ record of more than {LONGEST_READ:,} bytes; is it FASTQ?")
        data = file.read(BLOCK)
    body = rest.rstrip(b"\r\n")
    yield Block(body + b"\n" if body else b"", name, True, True, True)


def _beginning(file: IO[bytes]) -> tuple[bytes, int]:
    """The first block that is more than blank lines, from its first record on, and the blank lines before that."""
    data, lines = file.read(BLOCK), 0
    while len(data) < 4 and (more := file.read(BLOCK)):  # a pipe may give as little as a byte at a time
        data += more
    for mark, encoding in OTHER_MARKS:
        if data.startswith(mark):
            raise FormatError(f"it has the byte-order mark of {encoding}; convert it to UTF-8")
    data = data.removeprefix(UTF8_MARK)
    while not data.lstrip(b"\r\n") and (more := file.read(BLOCK)):
        lines += data.count(b"\n")
        data = more
    blank = len(data) - len(data.lstrip(b"\r\n"))
    if blank == len(data):
        raise FormatError("there is no record in it")
    if data[blank : blank + 1] not in (b">", b"@"):
        line = lines + 1 + data[:blank].count(b"\n")
        what = "a NUL byte" if data[blank] == 0 else repr(data[blank:].split()[0][:20].decode("ascii", "replace"))
        raise FormatError(
            f"line {line:,} begins with {what}, and there was no header before it; FASTA begins with '>' and the name "
            "of a record, FASTQ with '@'"
        )
    return data[blank:], lines + data[:blank].count(b"\n")


def blocks_of_records(records: Iterable[Any]) -> Iterator[Block]:
    """Sequences in memory, as FASTA: each a str, a pair of id and str, or an object with `id` and `seq`."""
    parts: list[str] = []
    size = 0
    for number, record in enumerate(records):
        name, sequence = id_and_sequence(record, number)
        if ">" in sequence or "\n" in name:
            raise FormatError(f"sequence {number:,} ({name!r:.60}) holds a '>' or a line end where none can be")
        parts.append(f">{name}\n{sequence}\n")
        size += len(parts[-1])
        if size >= BLOCK:
            yield Block(_encoded(parts), "")
            parts, size = [], 0
    yield Block(_encoded(parts), "", ends=True)


def id_and_sequence(record: Any, number: int) -> tuple[str, str]:
    """The id and the letters of a record in memory; the id of a mere str is its number."""
    if isinstance(record, str):
        return str(number), record
    if isinstance(record, tuple) and len(record) == 2 and all(isinstance(part, str) for part in record):
        return record
    if hasattr(record, "seq"):  # Bio.SeqRecord and its like
        return str(getattr(record, "id", number)), str(record.seq)
    raise TypeError(
        f"sequence {number:,} is {record!r:.60}, not a sequence; give a str, a pair (id, str), or an object with id "
        "and seq such as Bio.SeqRecord"
    )


def _encoded(parts: list[str]) -> bytes:
    return "".join(parts).encode("utf-8", "surrogatepass")


# --- units ------------------------------------------------------------------------------------------------------


class SequenceReader:
    """One pass over blocks: units in the order of the file, and what was met on the way.

    Parameters
    ----------
    blocks : iterable of Block
    classes : uint8 [256], what each byte of a sequence is
    alphabet : str, its name, for messages
    last : int, letters of a k-mer beyond its first
    piece : int, places of a piece; a segment that goes on keeps the letters of its last, unfinished piece
    empty : bool, default False
        Whether a record may have no letter.

    Attributes
    ----------
    records, letters : int
    ids : list of str, of all records; only if `keep_ids`
    specials : Counter of str, letters that did not become digits
    """

    def __init__(
        self,
        blocks: Iterable[Block],
        classes: NDArray[np.uint8],
        alphabet: str,
        last: int,
        piece: int,
        *,
        keep_ids: bool = False,
        empty: bool = False,
    ) -> None:
        self._blocks, self._classes, self._alphabet = blocks, classes, alphabet
        self._last, self._piece = last, piece
        self._keep_ids, self._empty = keep_ids, empty
        self.records = self.letters = 0
        self.ids: list[str] = []
        self.specials: Counter[str] = Counter()
        self._id = ""  # of the record that is being read
        self._own = 0  # its letters so far
        self._of_file = 0  # records of this file
        self._line = 0  # line ends of this file so far

    def units(self, pool: Executor, most: int) -> Iterator[Unit]:
        """Give the units; `most` blocks are cleaned at a time."""
        tail, tail_record, begun = np.zeros(0, np.uint8), -1, False

        def tasks() -> Iterator[tuple[Block, Callable[..., Any], tuple[Any, ...]]]:
            for block in self._blocks:
                yield block, _kmers.clean, (block.data, self._classes, block.fastq, block.at_line_start)

        for block, cleaned in ahead(pool, tasks(), most):
            first = self.letters - len(tail)
            before = self.records
            self._take(block, cleaned)
            digits, segments = cleaned[0], cleaned[1]
            self.letters += len(digits)
            starts = np.concatenate([[0], segments[:, 0] + len(tail)])
            records = np.concatenate([[tail_record], before - 1 + segments[:, 1]])
            digits = np.concatenate([tail, digits]) if len(tail) else digits
            # The last segment goes on, for all that is known yet: only its whole pieces are ready.
            begin = int(starts[-1])
            ready = max(0, (len(digits) - begin - self._last) // self._piece) * self._piece
            if block.ends:
                end, tail = len(digits), digits[:0]
            else:
                end, tail = begin + (ready + self._last if ready else 0), digits[begin + ready :].copy()
            tail_record = int(records[-1])
            yield Unit(digits, starts, end, first, records, begun)
            begun = not block.ends and (ready > 0 or (begun and len(starts) == 1))

    def _take(self, block: Block, cleaned: Any) -> None:
        """Note records and letters, and raise what is wrong, the first thing first."""
        _, _, headers, letters, lines, specials, fault, error = cleaned
        self._line += block.skipped
        if len(headers):
            self._take_headers(block, headers)
        if fault:
            raise FormatError(self._fault(block, fault, error))
        self._own += letters
        for byte in np.flatnonzero(specials).tolist():
            if not chr(byte).isspace():
                self.specials[chr(byte)] += int(specials[byte])
        self._line += lines
        if block.failure is not None:
            self._fail(block)
        if block.ends:
            if self._of_file and not self._own and not self._empty:
                raise FormatError(self._empty_record(block, self._line + 1))
            self._of_file = self._own = self._line = 0

    def _take_headers(self, block: Block, headers: NDArray[np.int64]) -> None:
        """Note the records that begin in a block; each header knows the letters of the record before it."""
        own = headers[:, 3].copy()
        own[0] += self._own
        first = 0 if self._of_file else 1  # before the first header of a file there is no record
        empty = [] if self._empty else (np.flatnonzero(own[first:] == 0) + first).tolist()
        sound = headers[: empty[0]] if empty else headers
        if self._keep_ids or b"\r" in block.data:
            names = [self._name(block, header) for header in sound.tolist()]
            self.ids += names if self._keep_ids else []
        if len(sound):
            self._id = self._name(block, sound[-1].tolist())
        self._of_file += len(sound)
        self.records += len(sound)
        if empty:
            raise FormatError(self._empty_record(block, self._line + int(headers[empty[0], 2]) + 1))
        self._own = 0

    def _name(self, block: Block, header: list[int]) -> str:
        """The id in a header: its text as far as the first white space."""
        text = block.data[header[0] : header[0] + header[1]].removesuffix(b"\r")
        if b"\r" in text:
            raise FormatError(f"{block.name}: its lines end with a carriage return alone; convert them to newlines")
        return (text.split(None, 1) or [b""])[0].decode("utf-8", "replace")

    def _empty_record(self, block: Block, line: int) -> str:
        return f"{self._where(block, line)}: the record has no sequence"

    def _where(self, block: Block, line: int) -> str:
        """Name the record that is being read, and the line, counted from 1."""
        record = f"record {self._of_file:,} ({self._id!r:.80})"
        return f"{block.name}, line {line:,}, {record}" if block.name else record

    def _fault(self, block: Block, fault: int, error: int) -> str:
        line = self._line + 1 + block.data.count(b"\n", 0, error)
        where = self._where(block, line)
        if fault == CUT_SHORT:
            return f"{where}: the file ends within the record"
        if fault == OTHER_LENGTH:
            return f"{where}: there are not as many qualities as letters"
        found = block.data[error : error + 1]
        if fault == NOT_AT:
            return f"{where}: the record ends here, and the next one begins with {found!r}, not with '@'"
        if fault == NOT_PLUS:
            return f"{where}: the next record begins here, and no line with '+' and qualities came before it"
        if found == b"\0":
            return f"{where}: a NUL byte; is the file damaged?"
        letter = re.sub(rb"[^ -~]", b"?", found).decode()
        hint = "is it a file of sequences?"
        if found.isalpha() and found.isascii():
            hint = "alphabet='protein' reads proteins" if self._alphabet != "protein" else hint
            if letter.upper() in "TU" and self._alphabet != "protein":
                hint = f"alphabet={'rna' if self._alphabet == 'dna' else 'dna'!r} has it"
        shown = repr(letter) if letter == found.decode("latin-1") else f"the byte {found!r}"
        return f"{where}: {shown} is no letter of the alphabet {self._alphabet!r}; {hint}"

    def _fail(self, block: Block) -> None:
        """Raise what reading has raised, with the place that was reached."""
        error = block.failure
        assert error is not None
        reached = f"after {self._where(block, self._line)}" if self._of_file else "at its beginning"
        if isinstance(error, FormatError):
            raise FormatError(f"{block.name}: {error}" + (f" ({reached})" if self._of_file else "")) from error
        if isinstance(error, EOFError):
            raise TruncatedError(f"{block.name}: the compressed data ends early, {reached}") from error
        if isinstance(error, OSError) and error.errno is not None:
            raise error
        raise FormatError(f"{block.name}: it cannot be read, {reached}; it may be damaged: {error}") from error

    def say(self, short: int) -> None:
        """Log what was read, and what did not become k-mers."""
        others = ", ".join(f"{count:,} {letter!r}" for letter, count in sorted(self.specials.items()))
        logger.info(
            "read %s letters in %s records%s", f"{self.letters:,}", f"{self.records:,}", others and f"; not {others}"
        )
        if short:
            logger.info("%s stretches of sequence are too short for a k-mer", f"{short:,}")


def files_in(path: str) -> list[str]:
    """The file, or all files of a folder in the order of their names."""
    if not os.path.isdir(path):
        return [path]
    return [entry.path for entry in sorted(os.scandir(path), key=lambda entry: entry.name) if entry.is_file()]
