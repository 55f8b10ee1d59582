"""Files of word2vec.c and gensim, text and binary: read strictly, written so that both can read them.

A row is a word, a blank, and the values: decimal numbers and a line end in a text file, little-endian
float32 in a binary one (word2vec.c adds a line end, gensim does not). A first line says how many rows of
how many values there are; GloVe's files are the same without it.

A second thread parses rows with `_rows`, a block at a time, while the first enters the words of the previous block.
Plain files are read, not mapped: a program that cuts a mapped file would kill this process.
"""

import codecs
import io
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import IO, Any, NamedTuple, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from w2v.files import _rows
from w2v.files.arrays import check_finite
from w2v.files.errors import FormatError, TruncatedError, UndecodableError
from w2v.files.reading import Pathlike, check_unpacked, most_unpacked, open_binary, open_regular, unpacking
from w2v.files.writing import packed_write

logger = logging.getLogger(__name__)

BLOCK = 1 << 23  # bytes read at a time
LONGEST_WORD = 1 << 20  # bytes, as in _rows.pyx; only a file of the wrong kind has longer words
_MAX_LINE = 1 << 26  # bytes; the same for a text line
_MAX_WIDTH = 1 << 31
_MAX_DIGITS = 18  # digits of a size in a header, so that it fits in an int64
_MOST = 2**63  # a count is below that
_FEW = 32  # rows
_NAMED_FAULTS = 10  # skipped rows that are logged one by one
_COUNT_LINE = re.compile(rb"([^\n]+)[ \t]([0-9]{1,19})\r?\n?")
_EMPTY_LINES = re.compile(rb"[ \t\n\v\f\r]*\n")  # a repeated group would keep a hundred bytes per line
_UNREADABLE = re.compile(rb"[ \t\n\v\f\r]")  # word2vec.c's readers end a word at these bytes

# A reader of a message may know only the command line, so this advice names Python.
IN_PYTHON = "in Python, KeyedVectors.load_word2vec_format() with "

# Byte order marks of encodings unlike ASCII. UTF-32's mark begins with UTF-16's, and so comes first.
MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}

NO_WORD = "a row without a word"
EMPTY_LINE = "an empty line"
NOT_FINITE = "a NaN or an infinity in the vector of {!r}"


class Skipped(NamedTuple):
    """A row that was left out, and the reason."""

    place: int  # a line number in a text file, a byte offset in a binary one (after decompression)
    reason: str


class Loaded(NamedTuple):
    """The result of `read_word2vec`."""

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
    """A binary stream a block at a time, in two alternating buffers: one can be read while the other fills."""

    def __init__(self, file: IO[bytes], name: str, block: int, most: int) -> None:
        self.file, self.name = file, name
        self.most = most  # bytes that may be read before the file is taken for a bomb
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
        while len(self.buffer) <= len(rest):  # the bytes present decide the size, never a header
            self.buffer = bytearray(2 * len(self.buffer))
        self.buffer[: len(rest)] = rest
        self.at, self.end = 0, len(rest)
        with memoryview(self.buffer) as room:
            while self.end < len(room) and (got := self._read_into(room[self.end :])):
                self.end += got
        check_unpacked(self.name, self.base + self.end, self.most)
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
    """Values as they come in, cast if need be; it grows if the number of rows is unknown."""

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
        """Keep the finite ones of the rows in `room`, and return which are kept: a cast can make infinities."""
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


class _Faults:
    """Faults of a file: raised, or logged and listed."""

    def __init__(self, name: str, unit: str, errors: str) -> None:
        self.name, self.unit, self.errors = name, unit, errors
        self.skipped: list[Skipped] = []

    def add(self, skipped: Skipped) -> None:
        where = f"{self.name}, {self.unit} {skipped.place:,}: {skipped.reason}"
        if self.errors == "strict":
            raise FormatError(f"{where}; {IN_PYTHON}errors='skip' leaves such rows out")
        self.skipped.append(skipped)
        if len(self.skipped) <= _NAMED_FAULTS:
            logger.warning("%s; row skipped", where)

    def report(self, kept: int) -> None:
        if self.skipped:
            logger.warning("%s: %d rows skipped, %d kept", self.name, len(self.skipped), kept)

    def add_undecodable(self, place: int, error: UnicodeDecodeError) -> None:
        if self.errors == "strict":
            where = f"in the word at {self.unit} {place:,} of {self.name}"
            reason = (
                f"{error.reason}, {where}; {IN_PYTHON}encoding= names another one, unicode_errors='replace' reads on"
            )
            raise UndecodableError(error.encoding, error.object, error.start, error.end, reason) from error
        self.add(Skipped(place, f"the word {error.object!r:.80} is not {error.encoding}"))


class _Words:
    """The words of the rows, each with its row; wrong words are refused or skipped here."""

    def __init__(self, faults: _Faults, encoding: str, unicode_errors: str) -> None:
        self.faults, self.encoding, self.unicode_errors = faults, encoding, unicode_errors
        self.plain = codecs.lookup(encoding).name == "utf-8" and unicode_errors == "strict"
        self.index: dict[str, int] = {}
        self.dropped: list[int] = []  # rows in the matrix without a word

    def take(self, event: _Batch | Skipped) -> None:
        if isinstance(event, Skipped):
            return self.faults.add(event)
        try:
            odd = _rows.number_words(event.text, event.spans, event.first, self.index) if self.plain else None
        except UnicodeDecodeError:
            odd = None  # the whole batch is entered again
        for i in self._enter_one_by_one(event) if odd is None else odd:
            self.dropped.append(event.first + i)
            place = int(event.places[i])
            try:
                word = self._decode(event, i)
            except UnicodeDecodeError as error:
                self.faults.add_undecodable(place, error)
                continue
            self.faults.add(Skipped(place, f"the word {word!r} occurs a second time" if word else NO_WORD))

    def finish(self) -> dict[str, int]:
        """Return the words with their rows, after `dropped` has been left out."""
        self.faults.report(len(self.index))
        return {word: row for row, word in enumerate(self.index)} if self.dropped else self.index

    def quote(self, word: bytes) -> str:
        """A word for a message."""
        return word.decode(self.encoding, "backslashreplace")

    def _decode(self, batch: _Batch, i: int) -> str:
        return bytes(batch.text[slice(*batch.spans[i].tolist())]).decode(self.encoding, self.unicode_errors)

    def _enter_one_by_one(self, batch: _Batch) -> list[int]:
        """Enter the words one by one; return the positions of the refused ones."""
        odd = []
        for i in range(len(batch.spans)):
            try:
                word = self._decode(batch, i)
            except UnicodeDecodeError:
                word = ""
            if not word or self.index.setdefault(word, batch.first + i) != batch.first + i:
                odd.append(i)
        return odd


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

    A byte order mark of UTF-8 at the beginning is left out, with a warning.

    Parameters
    ----------
    path : path-like
    binary : bool, default False
    encoding, unicode_errors : str
        How to decode the bytes of a word.
    limit : int, optional
        Read only this many rows from the start, and ignore the rest.
    dtype : dtype, default float32
        A type of floats, since whole numbers could not hold the values. Numbers in text go through float64 to any type
        but float32.
    no_header : bool, default False
        The first line is a row already (GloVe). Text only. Without it, such a file is recognised, with a warning,
        if its first line is a word and two or more numbers that are not all whole. A damaged header has only whole
        ones.
    errors : {"strict", "skip"}
        Raise for a bad row, or leave it out, log it and list it. A row is bad if it has the wrong number of values, a
        NaN or infinity, no word, a repeated word or an undecodable word.
    block : int
        Bytes read at a time.

    Returns
    -------
    Loaded

    Raises
    ------
    FormatError
        The file is not what it claims to be. If it is shorter than it claims, the error is an EOFError too; if a
        word is not in `encoding`, and `unicode_errors` is ``"strict"``, a UnicodeDecodeError.
    """
    if errors not in ("strict", "skip"):
        raise ValueError(f"errors={errors!r}; choose 'strict' or 'skip'")
    if binary and no_header:
        raise ValueError("a binary file without a header does not say how long its vectors are")
    if limit is not None and limit < 0:
        raise ValueError(f"limit={limit}; choose a number of rows, or None for all")
    name, kind = os.fspath(path), np.dtype(dtype)
    if kind.kind != "f":
        raise ValueError(f"datatype={kind.name}: vectors are of floats; choose float16, float32 or float64")
    faults = _Faults(name, "byte" if binary else "line", errors)
    words = _Words(faults, _without_mark(encoding), unicode_errors)
    with _open(path, block) as (window, size):
        first = window.line(256)
        if not first:
            raise TruncatedError(f"{name}: an empty file")
        if not no_header and not binary and _is_row(first):
            logger.warning("%s: no header; the first line is a word with its vector, and read as such", name)
            no_header = True
        due, promised, capacity = limit, None, 0
        if no_header:
            window.at -= len(first)
            first = window.line(_MAX_LINE)
            width = first.rstrip().count(b" ")
            if width == 0:
                raise FormatError(f"{name}, line 1: no values after the word")
            window.at -= len(first)
        else:
            promised, width = _parse_size(first, name)
            due = promised if limit is None else min(limit, promised)
            # The smallest row: a blank and the values; in a text file also a line end, except in the last row.
            shortest = due * (1 + 4 * width) if binary else due * (1 + 2 * width) - 1
            if size is not None and shortest > size - window.offset:
                raise TruncatedError(
                    f"{name}: the header promises {promised:,} rows of {width:,} values, "
                    f"for which {size:,} bytes are too few"
                )
            capacity = 0 if size is None else due
        whole = due == promised  # true also when both are unknown
        with ThreadPoolExecutor(1) as thread:
            if binary:
                matrix = _Matrix(width, capacity, kind, np.dtype("<f4"))
                steps = _binary_steps(thread, window, matrix, cast(int, due), whole, words.quote)
            else:
                matrix = _Matrix(width, capacity, kind, np.dtype(np.float32 if kind == np.float32 else np.float64))
                steps = _text_steps(thread, window, matrix, due, whole, int(not no_header), words.quote)
            for step in steps:
                for event in step:
                    words.take(event)
    return Loaded(words.finish(), matrix.finish(words.dropped), faults.skipped)


def _parse_in_thread(
    thread: ThreadPoolExecutor, step: _Step, parse: Callable[..., tuple[int, int, int]], *args: Any
) -> Generator[_Step, None, tuple[int, int, int]]:
    """Hand out a step while a parser works in another thread without the GIL; return the parser's result.

    A few rows are parsed at once: it takes less time than to hand them over.
    """
    if len(args[-1]) <= _FEW:
        yield step
        step.clear()
        return parse(*args)
    begun = threading.Event()

    def run() -> tuple[int, int, int]:
        begun.set()
        return parse(*args)

    coming = thread.submit(run)
    begun.wait()  # without waiting, this thread would keep the GIL for 5 ms, longer than a step takes
    yield step
    step.clear()
    return coming.result()


def _binary_steps(
    thread: ThreadPoolExecutor, window: _Window, matrix: _Matrix, due: int, whole: bool, quote: Callable[[bytes], str]
) -> Iterator[_Step]:
    """Parse `due` binary rows; a step is handed out while the next one is parsed."""
    bytes_due, seen, most = 4 * matrix.width, 0, due
    step: _Step = []
    while True:
        while places := min(due - seen, window.unread // (1 + bytes_due), most):
            values, spans = matrix.room(places), np.empty((places, 2), np.int64)
            rows, at, why = yield from _parse_in_thread(
                thread, step, _rows.parse_binary, window.view(), window.at, values.view(np.uint32), spans
            )
            step += _take_rows(window, matrix, values[:rows], spans[:rows], window.base + spans[:rows, 0], quote)
            seen += rows
            window.at = at
            if rows == places:
                most = due
                continue
            if why == _rows.ROW_CUT or (word := _binary_word(window)) is None:
                break
            most = _FEW  # odd rows seldom come alone
            if why == _rows.ROW_NOT_FINITE:
                reason = NOT_FINITE.format(quote(word))
            else:
                reason = f"a line break in the word {word[:40]!r}" if word else NO_WORD
            step.append(Skipped(window.offset, reason))
            seen += 1
            window.at += window.find(b" ") + 1 + bytes_due
        if seen == due:
            break
        endless = window.unread > LONGEST_WORD and _binary_word(window) is None
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


def _binary_word(window: _Window) -> bytes | None:
    """The next word, without word2vec.c's line end before it; None if no blank ends it within the limit."""
    length = window.find(b" ")
    if not 0 <= length <= LONGEST_WORD + 1:
        return None
    word = bytes(window.view()[window.at : window.at + length]).lstrip(b"\n")
    return word if len(word) <= LONGEST_WORD else None


def _text_steps(
    thread: ThreadPoolExecutor, window: _Window, matrix: _Matrix, due: int | None, whole: bool, line: int,
    quote: Callable[[bytes], str],
) -> Iterator[_Step]:  # fmt: skip
    """Parse `due` rows of text, or all, after `line` lines; a step is handed out while the next one is parsed."""
    width, seen, blank = matrix.width, 0, 0
    most = everything = sys.maxsize if due is None else due
    step: _Step = []
    error = None
    while error is None:
        while whole or seen != due:
            why = _rows.ROW_ODD
            if places := min(window.unread // (2 + 2 * width), everything - seen, most):
                values, spans = matrix.room(places), np.empty((places, 2), np.int64)
                rows, at, why = yield from _parse_in_thread(
                    thread, step, _rows.parse_lines, window.view(), window.at, values, spans
                )
                if rows and blank:
                    step.append(Skipped(blank, EMPTY_LINE))
                    blank = 0
                numbers = np.arange(line + 1, line + rows + 1)
                step += _take_rows(window, matrix, values[:rows], spans[:rows], numbers, quote)
                seen += rows
                line += rows
                window.at = at
                if rows == places:
                    most = everything
                    continue
            else:
                yield step
                step.clear()  # a copy: its buffer may be filled again before the next row
            length = window.find(b"\n")
            if length < 0:
                break
            most = _FEW  # odd rows seldom come alone
            text = bytes(window.view()[window.at : window.at + length]).rstrip()
            line += 1
            if text and seen == due:
                error = FormatError(f"{window.name}, line {line:,}: more rows than the {due:,} its header promises")
                break
            at = window.at
            window.at += length + 1
            if not text:
                blank = blank or line  # harmless at the end of the file, and only there
                if more := _EMPTY_LINES.match(window.view(), window.at):
                    line += more[0].count(b"\n")
                    window.at = more.end()
                continue
            if blank:
                step.append(Skipped(blank, EMPTY_LINE))
                blank = 0
            seen += 1
            if blanks := _word_with_blanks(text, width):
                values, spans = matrix.room(1), np.empty((1, 2), np.int64)
                rows, _, why = _rows.parse_lines(b"_" + text[blanks:] + b"\n", 0, values, spans)
                if rows:
                    spans[0] = at, at + blanks
                    step += _take_rows(window, matrix, values, spans, np.array([line]), quote)
                    continue
            step.append(Skipped(line, _line_fault(text, width, why, quote)))
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


def _take_rows(
    window: _Window, matrix: _Matrix, values: NDArray[Any], spans: NDArray[np.int64], places: NDArray[np.int64],
    quote: Callable[[bytes], str],
) -> _Step:  # fmt: skip
    """Keep parsed rows, except those that the cast made infinite."""
    first, text, begin = matrix.count, window.view(), 0
    finite = matrix.take(values)
    step: _Step = []
    for left_out, end in enumerate([*np.flatnonzero(~finite).tolist(), len(finite)]):  # in the order of the file
        if begin < end:
            step.append(_Batch(first + begin - left_out, text, spans[begin:end], places[begin:end]))
        if end < len(finite):
            word = bytes(text[slice(*spans[end])])
            step.append(Skipped(int(places[end]), NOT_FINITE.format(quote(word))))
        begin = end + 1
    return step


def _word_with_blanks(row: bytes, width: int) -> int:
    """The length of a word with blanks that no number follows; 0 if the row has no such word."""
    word = row.rsplit(b" ", width)[0]
    if b" " not in word or len(word) > LONGEST_WORD:
        return 0
    return len(word) if _has_clear_end(word.split(b" ")) else 0


def _has_clear_end(parts: Sequence[bytes]) -> bool:
    """Whether a word with blanks between these parts can end only at the beginning of the row's numbers."""
    return all(parts) and not any(map(_is_number, parts[1:]))


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _line_fault(text: bytes, width: int, why: int, quote: Callable[[bytes], str]) -> str:
    word, _, values = text.partition(b" ")
    if not word:
        return NO_WORD
    if len(word) > LONGEST_WORD:
        return f"a word of {len(word):,} bytes"
    if not values:
        return f"{width:,} values expected, none found"
    return NOT_FINITE.format(quote(word)) if why == _rows.ROW_NOT_FINITE else f"not {width:,} numbers after the word"


def write_word2vec(
    path: Pathlike,
    words: Sequence[str],
    vectors: NDArray[Any],
    order: Sequence[int],
    *,
    binary: bool = False,
    header: int | None = None,
    append: bool = False,
    fvocab: Pathlike | None = None,
    counts: Sequence[int] = (),
) -> None:
    """Write rows in the given order, atomically, byte for byte as gensim does; compressed by suffix.

    Parameters
    ----------
    path : path-like
    words : sequence of str
        The word of each row.
    vectors : ndarray [words, vector_size]
        In text, a value has the shortest digits that read back to the same bits.
    order : sequence of int
        The rows to write, in this order.
    binary : bool, default False
    header : int, optional
        The number of rows to announce; None writes no header.
    append : bool, default False
        Keep what the file holds and write behind it.
    fvocab : path-like, optional
        Where to write the words with their `counts`; replaced after `path`.
    counts : sequence of int
        For each word.

    Raises
    ------
    ValueError
        `read_word2vec` or `read_counts` could not read the files back: an empty or repeated word, a word with white
        space or not encodable as UTF-8, a value that is not finite, a binary file without a header, a malformed
        count. No file is then touched. In text, a word may have a blank that no number follows: w2v can read it
        back, most other programs cannot, and the log has a warning.
    """
    if binary and header is None and not append:
        raise ValueError("a binary file without a header does not say how long its vectors are; write one")
    if not vectors.shape[1]:
        raise ValueError("vectors of size 0 could not be read back")
    if not len(order) and (fvocab is not None or (header is None and not append)):
        raise ValueError("there are no words to write, and an empty file could not be read back")
    encoded = _encode_words(words, binary)
    if header is None and not append and len(order) and b" " in encoded[order[0]]:
        raise ValueError(f"without a header, the first word must have no blank in it, as {words[order[0]]!r} does")
    if (row := check_finite(vectors, "<f4" if binary else None)) is not None:
        raise ValueError(f"the vector of {words[row]!r} holds a NaN or an infinity")
    with ExitStack() as files:
        if fvocab is not None:
            if os.path.realpath(path) == os.path.realpath(fvocab):
                raise ValueError(f"vectors and vocabulary would both be {os.fspath(path)}; choose two files")
            vocabulary = files.enter_context(packed_write(fvocab))
            vocabulary.writelines(_count_lines([encoded[row] for row in order], [counts[row] for row in order]))
        file = files.enter_context(packed_write(path, append))
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


def _encode_words(words: Sequence[str], binary: bool) -> list[bytes]:
    """Encode the words; ValueError for a word that no reader could tell from its surroundings."""
    encoded = [word.encode() for word in words]
    if len(set(encoded)) != len(encoded):
        seen: set[str] = set()
        again = next(word for word in words if word in seen or seen.add(word))  # type: ignore[func-returns-value]
        raise ValueError(f"the word {again!r} occurs twice; each row needs a word of its own")
    blanks = [word for word in encoded if _UNREADABLE.search(word)]
    for word in [b""] if b"" in encoded else blanks:
        clear = not binary and not _UNREADABLE.search(word.replace(b" ", b"")) and _has_clear_end(word.split(b" "))
        if not word or not clear:
            raise ValueError(
                f"the word {word.decode()!r:.80} is empty or has white space in it, so that a word2vec file "
                "could not be read back; save() has no such limit"
            )
    longest = max(encoded, key=len, default=b"")
    if len(longest) > LONGEST_WORD:
        raise ValueError(f"a word of {len(longest):,} bytes could not be read back; save() has no such limit")
    if blanks:  # gensim and other programs write such files
        logger.warning(
            "%s words have a blank in them, such as %r: few readers but w2v know where they end",
            f"{len(blanks):,}",
            blanks[0].decode(),
        )
    return encoded


def read_counts(
    path: Pathlike, encoding: str = "utf8", unicode_errors: str = "strict", errors: str = "strict"
) -> tuple[dict[str, int], list[Skipped]]:
    """Read a vocabulary file: a word, a blank and a count per line.

    Returns
    -------
    counts : dict of str to int
    skipped : list of Skipped
        Lines that were left out, with ``errors="skip"``.

    Raises
    ------
    FormatError
        A line is something else, has no word of this encoding, or has a word for the second time.
    """
    counts: dict[str, int] = {}
    encoding = _without_mark(encoding)
    faults = _Faults(os.fspath(path), "line", errors)
    with _open(path, BLOCK) as (window, _):
        number = 0
        while line := window.line(_MAX_LINE):
            number += 1
            found = _COUNT_LINE.fullmatch(line)
            if not found or int(found[2]) >= _MOST or len(found[1]) > LONGEST_WORD:
                faults.add(Skipped(number, "not a word and a count"))
                continue
            try:
                word = found[1].decode(encoding, unicode_errors)
            except UnicodeDecodeError as error:
                faults.add_undecodable(number, error)
                continue
            if word in counts:
                faults.add(Skipped(number, f"the word {word!r} occurs a second time"))
                continue
            counts[word] = int(found[2])
    if not number:
        raise TruncatedError(f"{os.fspath(path)}: an empty file")
    faults.report(len(counts))
    return counts, faults.skipped


def _count_lines(words: Sequence[bytes], counts: Sequence[int]) -> Iterator[bytes]:
    for word, count in zip(words, counts, strict=True):
        if type(count) is not int or not 0 <= count < _MOST:
            raise ValueError(f"{count!r}, of the word {word.decode()!r:.80}, is no count and could not be read back")
        yield b"%b %d\n" % (word, count)


@contextmanager
def _open(path: Pathlike, block: int) -> Iterator[tuple[_Window, int | None]]:
    """Open a possibly compressed file; also yield its size, if that limits the bytes to read."""
    with open_regular(path) as raw:
        size = os.fstat(raw.fileno()).st_size
    with open_binary(path) as file:
        plain = isinstance(file, io.BufferedReader)
        # A plain file may grow while it is read, but it is not a bomb.
        window = _Window(file, os.fspath(path), block, sys.maxsize if plain else most_unpacked(size))
        _pass_mark(window)
        yield window, size if plain else None


def _pass_mark(window: _Window) -> None:
    """Skip the byte order mark of UTF-8, which some editors write; refuse any other mark."""
    while window.unread < 4 and window.refill():
        pass
    start = bytes(window.view()[:4])
    for mark, encoding in MARKS.items():
        if start.startswith(mark):
            raise FormatError(f"{window.name}, byte 0: the byte order mark of {encoding}; convert the file to UTF-8")
    if start.startswith(codecs.BOM_UTF8):
        window.at += len(codecs.BOM_UTF8)
        logger.warning("%s: the byte order mark at its beginning is no part of a word and was left out", window.name)


def _without_mark(encoding: str) -> str:
    """Return the encoding of words: "utf-8" for "utf-8-sig", which would take a mark off each word."""
    return "utf-8" if codecs.lookup(encoding).name == "utf-8-sig" else encoding


def _is_row(line: bytes) -> bool:
    """Whether the first line, or the first 256 bytes of it, is a row and not a header, perhaps a damaged one.

    A row is a word and at least two numbers. A line of whole numbers alone may be a damaged header.
    """
    word, *values = line.rstrip().split(b" ")
    if not line.endswith(b"\n") and len(line) == 256:
        values = values[:-1]  # the cut may be within a number
    return bool(word) and len(values) >= 2 and all(map(_is_number, values)) and not all(map(_is_whole, [word, *values]))


def _is_whole(text: bytes) -> bool:
    return text.removeprefix(b"-").isdigit()


def _parse_size(line: bytes, name: str) -> tuple[int, int]:
    fields = line.split()
    if len(fields) != 2 or not all(f.isdigit() and len(f) <= _MAX_DIGITS for f in fields) or len(line) == 256:
        raise FormatError(
            f"{name}, line 1: {line[:40]!r} is neither a header of two numbers, rows and vector size, nor a row of a "
            "word and its numbers; a file that begins with a row all the same is read with no_header=True, on the "
            "command line by w2v convert --no-header"
        )
    rows, width = map(int, fields)
    if not 1 <= width < _MAX_WIDTH:
        raise FormatError(f"{name}, line 1: a vector size of {width:,}")
    return rows, width
