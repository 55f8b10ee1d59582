"""Files of word2vec.c and gensim, text and binary: read strictly, written so that both can read them.

A row is a word, a blank, and the values: decimal numbers and a line end in a text file, little-endian
float32 in a binary one (word2vec.c adds a line end, gensim does not). A first line says how many rows of
how many values there are; GloVe's files are the same without it.

Rows are parsed by `_text`, a block at a time, in a second thread while the first one enters the words of the block
before. Plain files are read too, not mapped: another program that cut a mapped file would kill the process.
"""

import codecs
import gzip
import io
import logging
import os
import re
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import IO, Any, BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from w2v import _text
from w2v.corpus import Pathlike, codec_of, open_binary
from w2v.formats import FormatError, TruncatedError, atomic_write, check_finite, open_regular, unpacking

logger = logging.getLogger(__name__)

BLOCK = 1 << 23  # bytes read at a time
LONGEST_WORD = 1 << 20  # bytes, as in _text.pyx; what is longer is no word but a wrong kind of file
_MAX_LINE = 1 << 26  # bytes; the same for a text line
_MAX_WIDTH = 1 << 31
_NAMED_FAULTS = 10  # skipped rows that are logged one by one
_UNREADABLE = re.compile(rb"[ \t\n\v\f\r]")  # where word2vec.c's readers end a word

NO_WORD = "a row without a word"
EMPTY_LINE = "an empty line"
NOT_FINITE = "a NaN or an infinity in the vector of {!r}"


class Skipped(NamedTuple):
    """A row that was left out, and why."""

    place: int  # a line number in a text file, a byte offset in a binary one (after decompression)
    reason: str


class Loaded(NamedTuple):
    """What `read_word2vec` read."""

    rows: dict[str, int]  # of each word; in row order
    vectors: NDArray[Any]
    skipped: list[Skipped]


class _Batch(NamedTuple):
    """Rows that have been parsed: their values are in the matrix, their words still bytes."""

    first: int  # row in the matrix
    text: memoryview
    spans: NDArray[np.int64]  # [rows, 2], where in the text each word begins and ends
    places: NDArray[np.int64]  # [rows], for `Skipped`


_Step = list[_Batch | Skipped]


class _Window:
    """A binary stream seen a block at a time, in two buffers by turns: one can be read while the other fills."""

    def __init__(self, file: IO[bytes], name: str, block: int) -> None:
        self.file, self.name = file, name
        self.buffer, self._other = bytearray(max(1, block)), bytearray(max(1, block))
        self.at = self.end = 0  # where in the buffer the unread bytes begin and end
        self.base = 0  # offset of the buffer in the stream

    @property
    def offset(self) -> int:
        return self.base + self.at

    @property
    def unread(self) -> int:
        return self.end - self.at

    def view(self) -> memoryview:
        return memoryview(self.buffer)[: self.end]

    def find(self, byte: bytes) -> int:
        """Return how many unread bytes precede this one, or a negative number."""
        return self.buffer.find(byte, self.at, self.end) - self.at if self.unread else -1

    def refill(self) -> bool:
        """Read more behind the unread bytes; False at the end. What was read before is void after the next call."""
        rest = self.buffer[self.at : self.end]
        if self.at:
            self.buffer, self._other = self._other, self.buffer
            self.base += self.at
        while len(self.buffer) <= len(rest):  # never larger because a header says so, only because bytes are there
            self.buffer = bytearray(2 * len(self.buffer))
        self.buffer[: len(rest)] = rest
        self.at, self.end = 0, len(rest)
        with memoryview(self.buffer) as room:
            while self.end < len(room) and (got := self._read_into(room[self.end :])):
                self.end += got
        return self.end > len(rest)

    def _read_into(self, room: memoryview) -> int:
        with unpacking(self.name, f"not sound {os.path.splitext(self.name)[1]} data"):
            return cast(int, cast(Any, self.file).readinto(room))

    def line(self, longest: int) -> bytes:
        """Take the next line, with its end, or `longest` bytes of it; nothing at the end."""
        while self.find(b"\n") < 0 and self.unread < longest and self.refill():
            pass
        length = self.find(b"\n") + 1 if self.find(b"\n") >= 0 else self.unread
        line = bytes(self.view()[self.at : self.at + min(length, longest)])
        self.at += len(line)
        return line

    def close_line(self) -> None:
        """Add the line end that the last line lacks."""
        self.buffer = self.buffer[: self.end] + b"\n"
        self.end += 1


class _Matrix:
    """Values as they come in, cast if need be; it grows if it was not told how many rows there will be."""

    def __init__(self, width: int, capacity: int, dtype: np.dtype[Any], parsed: np.dtype[Any]) -> None:
        self.width, self.parsed = width, parsed
        self.rows = np.empty((capacity, width), dtype)
        self.count = 0

    def room(self, places: int) -> NDArray[Any]:
        """Return where to put the next rows, of dtype `parsed`."""
        if self.count + places > len(self.rows):
            self.rows.resize((max(self.count + places, len(self.rows) * 3 // 2), self.width), refcheck=False)
        if self.parsed != self.rows.dtype:
            return np.empty((places, self.width), self.parsed)
        return self.rows[self.count : self.count + places]

    def take(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Keep finite rows that were put into `room`, and say which were kept: a cast can make infinities."""
        finite = np.ones(len(values), np.bool_)
        if self.parsed != self.rows.dtype:
            with np.errstate(over="ignore"):
                values = values.astype(self.rows.dtype)
            finite = np.isfinite(values).all(axis=1)
            values = values[finite]
            self.rows[self.count : self.count + len(values)] = values
        self.count += len(values)
        return finite

    def finish(self, dropped: Sequence[int]) -> NDArray[Any]:
        """Return all rows but some, given in rising order."""
        kept = np.delete(np.arange(self.count), dropped)
        step = 4096
        for start in range(dropped[0] if dropped else self.count, len(kept), step):
            part = kept[start : start + step]  # each at `start` or behind it, so nothing is lost
            self.rows[start : start + len(part)] = self.rows[part]
        if len(kept) != len(self.rows):
            self.rows.resize((len(kept), self.width), refcheck=False)
        return self.rows


class _Words:
    """The words of the rows, each with its row; what is wrong is refused or skipped here."""

    def __init__(self, name: str, unit: str, encoding: str, unicode_errors: str, errors: str) -> None:
        self.name, self.unit, self.errors = name, unit, errors
        self.encoding, self.unicode_errors = encoding, unicode_errors
        self.plain = codecs.lookup(encoding).name == "utf-8" and unicode_errors == "strict"
        self.index: dict[str, int] = {}
        self.dropped: list[int] = []  # rows that have their place in the matrix, but no word
        self.skipped: list[Skipped] = []

    def take(self, event: _Batch | Skipped) -> None:
        if isinstance(event, Skipped):
            return self._skip(event)
        again: list[int] = []
        if self.plain:
            try:
                again = _text.number_words(event.text, event.spans, event.first, self.index)
            except UnicodeDecodeError:
                self._decoded(event)  # raises it again, with its place
        else:
            words, rows = self._decoded(event), range(event.first, event.first + len(event.spans))
            found = map(self.index.setdefault, words, rows)
            again = [
                i
                for i, (word, row, known) in enumerate(zip(words, rows, found, strict=True))
                if known != row or not word
            ]
            self.index.pop("", None)
        for i in again:
            word = self.decode(bytes(event.text[slice(*event.spans[i])]))
            self.dropped.append(event.first + i)
            self._skip(Skipped(int(event.places[i]), f"the word {word!r} occurs a second time" if word else NO_WORD))

    def finish(self) -> dict[str, int]:
        """Return the words with their rows, after `dropped` has been left out."""
        if self.skipped:
            logger.warning("%s: %d rows skipped, %d kept", self.name, len(self.skipped), len(self.index))
        return {word: row for row, word in enumerate(self.index)} if self.dropped else self.index

    def decode(self, word: bytes) -> str:
        return word.decode(self.encoding, self.unicode_errors)

    def shown(self, word: bytes) -> str:
        """The word of a bad row, for a message; that it cannot be decoded is not what is wrong with the row."""
        return word.decode(self.encoding, "backslashreplace")

    def _decoded(self, batch: _Batch) -> list[str]:
        words = []
        for (begin, end), place in zip(batch.spans.tolist(), batch.places.tolist(), strict=True):
            try:
                words.append(self.decode(bytes(batch.text[begin:end])))
            except UnicodeDecodeError as error:
                error.reason += (
                    f", in the word at {self.unit} {place:,} of {self.name}; name its encoding, or choose "
                    "unicode_errors='replace'"
                )
                raise
        return words

    def _skip(self, skipped: Skipped) -> None:
        where = f"{self.name}, {self.unit} {skipped.place:,}: {skipped.reason}"
        if self.errors == "strict":
            raise FormatError(f"{where}; errors='skip' leaves such rows out")
        self.skipped.append(skipped)
        if len(self.skipped) <= _NAMED_FAULTS:
            logger.warning("%s; row skipped", where)


def read_word2vec(
    path: Pathlike,
    *,
    binary: bool = False,
    encoding: str = "utf8",
    unicode_errors: str = "strict",
    limit: int | None = None,
    dtype: DTypeLike = np.float32,
    no_header: bool = False,
    errors: str = "strict",
    block: int = BLOCK,
) -> Loaded:
    """Read a word2vec file, text or binary; ``.gz``, ``.bz2``, ``.xz`` and ``.zst`` are unpacked on the way.

    Parameters
    ----------
    path : path-like
    binary : bool, default False
    encoding, unicode_errors : str
        How the bytes of a word become a str.
    limit : int, optional
        Take only that many rows from the start; what follows them is not looked at.
    dtype : dtype, default float32
        Numbers in text are rounded to float64 on the way to any type.
    no_header : bool, default False
        The first line is a row already (GloVe). Text only.
    errors : {"strict", "skip"}
        What to do with a row that has the wrong number of values, a NaN or infinity, no word, or a word seen
        before: raise, or leave it out, say so in the log and list it.
    block : int
        Bytes read at a time.

    Returns
    -------
    Loaded

    Raises
    ------
    FormatError
        The file is not what it claims to be. If it is shorter than it claims, the error is an EOFError too.
    UnicodeDecodeError
        A word is not in `encoding`, and `unicode_errors` is ``"strict"``.
    """
    if errors not in ("strict", "skip"):
        raise ValueError(f"errors={errors!r}; choose 'strict' or 'skip'")
    if binary and no_header:
        raise ValueError("a binary file without a header does not say how long its vectors are")
    if limit is not None and limit < 0:
        raise ValueError(f"limit={limit}; choose a number of rows, or None for all")
    name, kind = os.fspath(path), np.dtype(dtype)
    words = _Words(name, "byte" if binary else "line", encoding, unicode_errors, errors)
    with _open(path) as (file, size):
        window = _Window(file, name, block)
        first = window.line(_MAX_LINE if no_header else 256)
        if not first:
            raise TruncatedError(f"{name}: an empty file")
        due, promised, capacity = limit, None, 0
        if no_header:
            width = first.rstrip().count(b" ")
            if width == 0:
                raise FormatError(f"{name}, line 1: no values after the word")
            window.at -= len(first)
        else:
            promised, width = _parse_size(first, name)
            due = promised if limit is None else min(limit, promised)
            # A row has at least a blank and its values; in a text file also a line end, but for the last.
            shortest = due * (1 + 4 * width) if binary else due * (1 + 2 * width) - 1
            if size is not None and shortest > size - len(first):
                raise TruncatedError(
                    f"{name}: the header promises {promised:,} rows of {width:,} values, "
                    f"for which {size:,} bytes are too few"
                )
            capacity = 0 if size is None else due
        whole = due == promised  # also when neither is known
        with ThreadPoolExecutor(1) as thread:
            if binary:
                matrix = _Matrix(width, capacity, kind, np.dtype("<f4"))
                steps = _binary_steps(thread, window, matrix, cast(int, due), whole, words.shown)
            else:
                matrix = _Matrix(width, capacity, kind, np.dtype(np.float32 if kind == np.float32 else np.float64))
                steps = _text_steps(thread, window, matrix, due, whole, int(not no_header), words.shown)
            for step in steps:
                for event in step:
                    words.take(event)
    return Loaded(words.finish(), matrix.finish(words.dropped), words.skipped)


def _meanwhile(
    thread: ThreadPoolExecutor, step: _Step, parse: Callable[..., tuple[int, int, int]], *args: Any
) -> Generator[_Step, None, tuple[int, int, int]]:
    """Hand out a step while a parser, which needs no GIL, works in another thread; return what it gives."""
    if not any(isinstance(event, _Batch) for event in step):  # one bad row after the other: nothing worth a thread
        yield step
        return parse(*args)
    begun = threading.Event()

    def run() -> tuple[int, int, int]:
        begun.set()
        return parse(*args)

    coming = thread.submit(run)
    begun.wait()  # or this thread would keep the GIL for 5 ms, longer than a step takes
    yield step
    return coming.result()


def _binary_steps(
    thread: ThreadPoolExecutor, window: _Window, matrix: _Matrix, due: int, whole: bool, decode: Callable[[bytes], str]
) -> Iterator[_Step]:
    """Parse `due` binary rows; a step is handed out while the next one is parsed."""
    bytes_due, seen = 4 * matrix.width, 0
    step: _Step = []
    while True:
        while places := min(due - seen, window.unread // (1 + bytes_due)):
            values, spans = matrix.room(places), np.empty((places, 2), np.int64)
            parse = _meanwhile(
                thread, step, _text.parse_binary, window.view(), window.at, values.view(np.uint32), spans
            )
            rows, at, why = yield from parse
            step = _taken(window, matrix, values[:rows], spans[:rows], window.base + spans[:rows, 0], decode)
            seen += rows
            window.at = at
            if rows == places:
                continue
            blank = window.find(b" ")
            if why == _text.ROW_CUT or not 0 <= blank <= LONGEST_WORD + 1:
                break
            word = bytes(window.view()[at : at + blank]).lstrip(b"\n")  # word2vec.c's line end
            if why == _text.ROW_NOT_FINITE:
                reason = NOT_FINITE.format(decode(word))
            else:
                reason = f"a line break in the word {word[:40]!r}" if word else NO_WORD
            step.append(Skipped(window.offset, reason))
            seen += 1
            window.at += blank + 1 + bytes_due
        if seen == due:
            break
        endless = window.unread > LONGEST_WORD and not 0 <= window.find(b" ") <= LONGEST_WORD + 1
        if endless or not window.refill():
            yield step
            if endless:
                raise FormatError(
                    f"{window.name}, byte {window.offset:,}: no blank after {LONGEST_WORD:,} bytes of a word"
                )
            raise TruncatedError(f"{window.name}: ends after {seen:,} of the {due:,} rows its header promises")
    yield step
    end = window.offset
    if whole and (window.line(2) not in (b"", b"\n") or window.line(1)):
        raise FormatError(f"{window.name}, byte {end:,}: more data than the {due:,} rows its header promises")


def _text_steps(
    thread: ThreadPoolExecutor, window: _Window, matrix: _Matrix, due: int | None, whole: bool, line: int,
    decode: Callable[[bytes], str],
) -> Iterator[_Step]:  # fmt: skip
    """Parse `due` rows of text, or all, after `line` lines; a step is handed out while the next one is parsed."""
    width, seen, blank = matrix.width, 0, 0
    step: _Step = []
    error = None
    while error is None:
        while whole or seen != due:
            places = window.unread // (2 + 2 * width)
            if due is not None:
                places = min(places, due - seen)
            why = _text.ROW_ODD
            if places:
                values, spans = matrix.room(places), np.empty((places, 2), np.int64)
                rows, at, why = yield from _meanwhile(
                    thread, step, _text.parse_lines, window.view(), window.at, values, spans
                )
                step = [Skipped(blank, EMPTY_LINE)] if rows and blank else []
                blank = 0 if rows else blank
                numbers = np.arange(line + 1, line + rows + 1)
                step += _taken(window, matrix, values[:rows], spans[:rows], numbers, decode)
                seen += rows
                line += rows
                window.at = at
                if rows == places:
                    continue
            else:
                yield step  # the buffer it is in may be filled again before the next row
                step = []
            length = window.find(b"\n")
            if length < 0:
                break
            text = bytes(window.view()[window.at : window.at + length]).rstrip()
            line += 1
            if text and seen == due:
                error = FormatError(f"{window.name}, line {line:,}: more rows than the {due:,} its header promises")
                break
            window.at += length + 1
            if not text:
                blank = blank or line  # harmless at the end of the file, and only there
                continue
            if blank:
                step.append(Skipped(blank, EMPTY_LINE))
                blank = 0
            seen += 1
            step.append(Skipped(line, _line_fault(text, width, why, decode)))
        if not whole and seen == due:
            break
        if window.unread > _MAX_LINE and window.find(b"\n") < 0:
            error = FormatError(f"{window.name}, line {line + 1:,}: longer than {_MAX_LINE:,} bytes")
        elif error is None and not window.refill():
            if not window.unread:
                break
            window.close_line()
    yield step
    if error is not None:
        raise error
    if due is not None and whole and seen < due:
        raise TruncatedError(f"{window.name}: ends after {seen:,} of the {due:,} rows its header promises")


def _taken(
    window: _Window, matrix: _Matrix, values: NDArray[Any], spans: NDArray[np.int64], places: NDArray[np.int64],
    decode: Callable[[bytes], str],
) -> _Step:  # fmt: skip
    """Keep rows that were parsed, but for those that a cast made infinite."""
    first, text, begin = matrix.count, window.view(), 0
    finite = matrix.take(values)
    step: _Step = []
    for left_out, end in enumerate([*np.flatnonzero(~finite).tolist(), len(finite)]):  # in the order of the file
        if begin < end:
            step.append(_Batch(first + begin - left_out, text, spans[begin:end], places[begin:end]))
        if end < len(finite):
            word = bytes(text[slice(*spans[end])])
            step.append(Skipped(int(places[end]), NOT_FINITE.format(decode(word))))
        begin = end + 1
    return step


def _line_fault(text: bytes, width: int, why: int, decode: Callable[[bytes], str]) -> str:
    word, _, values = text.partition(b" ")
    if not word:
        return NO_WORD
    if not values:
        return f"{width:,} values expected, none found"
    return NOT_FINITE.format(decode(word)) if why == _text.ROW_NOT_FINITE else f"not {width:,} numbers after the word"


def write_word2vec(
    path: Pathlike,
    words: Sequence[str],
    vectors: NDArray[Any],
    order: Sequence[int],
    *,
    binary: bool = False,
    header: int | None = None,
    append: bool = False,
) -> None:
    """Write rows in the given order, atomically, byte for byte as gensim does; compressed by suffix.

    Parameters
    ----------
    path : path-like
    words : sequence of str
        The word of each row.
    vectors : ndarray [words, vector_size]
        In text, values are written in the shortest form that reads back to the same bits.
    order : sequence of int
        Which rows, in which order.
    binary : bool, default False
    header : int, optional
        The number of rows to announce; None writes no header.
    append : bool, default False
        Keep what the file holds and write behind it.

    Raises
    ------
    ValueError
        A word that no loader could read back (empty, or with white space, or not encodable as UTF-8), or a
        value that is not finite. The file is then untouched. In text a blank is allowed, with a warning.
    """
    encoded = [word.encode() for word in words]
    longest = max(map(len, encoded), default=0)
    if longest > LONGEST_WORD:
        raise ValueError(
            f"a word of {longest:,} bytes cannot be read back from a word2vec file, whose limit is {LONGEST_WORD:,}; "
            "save() has none"
        )
    blanks = [word for word in encoded if _UNREADABLE.search(word)]
    for word in [b""] if b"" in encoded else blanks:
        if binary or _UNREADABLE.search(word.replace(b" ", b"")) or not word:
            raise ValueError(
                f"the word {word.decode()!r} is empty or has white space in it, so that a word2vec file "
                "could not be read back; save() has no such limit"
            )
    if blanks:  # gensim writes such files, and there are programs that do so
        logger.warning(
            "%s words have a blank in them, such as %r: no reader knows where they end",
            f"{len(blanks):,}",
            blanks[0].decode(),
        )
    if (row := check_finite(vectors)) is not None:
        raise ValueError(f"the vector of {words[row]!r} holds a NaN or an infinity")
    with _replacing(path, append) as file:
        if header is not None:
            file.write(f"{header} {vectors.shape[1]}\n".encode())
        step = 4096
        for start in range(0, len(order), step):
            part = order[start : start + step]
            if binary:
                values = np.ascontiguousarray(vectors[part], "<f4")
                file.write(b"".join(encoded[i] + b" " + row.tobytes() for i, row in zip(part, values, strict=True)))
            else:
                texts = (" ".join(map(str, row)) for row in vectors[part])
                file.write(b"".join(b"%b %b\n" % (encoded[i], t.encode()) for i, t in zip(part, texts, strict=True)))


def read_counts(path: Pathlike, encoding: str = "utf8", unicode_errors: str = "strict") -> dict[str, int]:
    """Read a vocabulary file: a word, a blank and a count per line."""
    counts = {}
    with _open(path) as (file, _):
        window, number = _Window(file, os.fspath(path), BLOCK), 0
        while line := window.line(_MAX_LINE):
            number += 1
            word, _, count = line.rstrip(b"\r\n").rpartition(b" ")
            if not word or not count.isdigit() or len(count) > 19 or int(count) >= 2**63:
                raise FormatError(f"{os.fspath(path)}, line {number:,}: not a word and a count")
            counts[word.decode(encoding, unicode_errors)] = int(count)
    return counts


def write_counts(path: Pathlike, words: Sequence[str], counts: Sequence[int]) -> None:
    """Write a vocabulary file: a word, a blank and a count per line."""
    with _replacing(path, append=False) as file:
        file.write("".join(f"{word} {count}\n" for word, count in zip(words, counts, strict=True)).encode())


@contextmanager
def _open(path: Pathlike) -> Iterator[tuple[IO[bytes], int | None]]:
    """Open a possibly compressed file; with it comes its size, if that is a bound on what can be read."""
    with open_regular(path) as raw:
        size = os.fstat(raw.fileno()).st_size
    with open_binary(path) as file:
        yield file, size if isinstance(file, io.BufferedReader) else None


@contextmanager
def _replacing(path: Pathlike, append: bool) -> Iterator[BinaryIO]:
    """Open a file for writing, compressed by its ending, that replaces `path` once all is well."""
    with atomic_write(path) as raw:
        if append and os.path.exists(path):
            with open_regular(path) as old:
                while data := old.read(BLOCK):
                    raw.write(data)
        packed: Any = raw
        if os.path.splitext(os.fspath(path))[1] == ".gz":  # no name and no time inside: equal vectors give equal bytes
            packed = gzip.GzipFile("", "wb", fileobj=raw, mtime=0)
        elif codec := codec_of(path):
            packed = codec.open(raw, "wb")
        with nullcontext() if packed is raw else packed:
            yield packed


def _parse_size(line: bytes, name: str) -> tuple[int, int]:
    fields = line.split()
    if len(fields) != 2 or not all(f.isdigit() and len(f) <= 18 for f in fields) or len(line) == 256:
        raise FormatError(
            f"{name}, line 1: {line[:40]!r} is not a header of two numbers, rows and vector size; "
            "files without one (GloVe) need no_header=True"
        )
    rows, width = map(int, fields)
    if not 1 <= width < _MAX_WIDTH:
        raise FormatError(f"{name}, line 1: a vector size of {width:,}")
    return rows, width
