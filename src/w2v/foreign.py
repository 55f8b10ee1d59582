"""Files of word2vec.c and gensim, text and binary: read strictly, written so that both can read them.

A row is a word, a blank, and the values: decimal numbers and a line end in a text file, little-endian
float32 in a binary one (word2vec.c adds a line end, gensim does not). A first line says how many rows of
how many values there are; GloVe's files are the same without it.
"""

import bz2
import gzip
import logging
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from w2v.formats import FormatError, Path, TruncatedError, atomic_write, check_finite, open_regular

logger = logging.getLogger(__name__)

_BLOCK = 1 << 24  # bytes read at a time
_MAX_WORD = 1 << 20  # bytes; what is longer is no word but a wrong kind of file
_MAX_LINE = 1 << 26  # bytes; the same for a text line
_MAX_WIDTH = 1 << 31
_NAMED_FAULTS = 10  # skipped rows that are logged one by one
_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_UNREADABLE = re.compile(rb"[ \t\n\v\f\r]")  # where word2vec.c's readers end a word


class _Rows:
    """Words and values as they come in: checked, then kept, refused or skipped."""

    def __init__(self, name: str, width: int, capacity: int, dtype: np.dtype[Any], errors: str) -> None:
        self.name, self.errors = name, errors
        self.words: dict[str, None] = {}  # in order, and a set
        self.matrix = np.empty((capacity, width), dtype)
        self.faults = 0

    def fault(self, where: str, what: str) -> None:
        """Refuse a row: an error, or a line in the log."""
        if self.errors == "strict":
            raise FormatError(f"{self.name}, {where}: {what}; errors='skip' leaves such rows out")
        self.faults += 1
        if self.faults <= _NAMED_FAULTS:
            logger.warning("%s, %s: %s; row skipped", self.name, where, what)

    def add(self, unit: str, places: Sequence[int], words: Sequence[str], values: NDArray[Any]) -> None:
        """Take in rows [n, width], each from a place such as line 7; they are cast to the matrix's dtype first."""
        with np.errstate(over="ignore"):  # an overflow is an infinity, and refused as one
            values = values.astype(self.matrix.dtype, copy=False)
        finite = np.isfinite(values).all(axis=1).tolist()
        first = len(self.words)
        kept = []
        for i, word in enumerate(words):
            if not word:
                self.fault(f"{unit} {places[i]:,}", "a row without a word")
            elif word in self.words:
                self.fault(f"{unit} {places[i]:,}", f"the word {word!r} occurs a second time")
            elif not finite[i]:
                self.fault(f"{unit} {places[i]:,}", f"a NaN or an infinity in the vector of {word!r}")
            else:
                self.words[word] = None
                kept.append(i)
        end = len(self.words)
        if end > len(self.matrix):  # no trustworthy count: grow by halves
            self.matrix.resize((max(end, len(self.matrix) * 3 // 2), self.matrix.shape[1]), refcheck=False)
        self.matrix[first:end] = values if len(kept) == len(words) else values[kept]

    def finish(self) -> tuple[list[str], NDArray[Any]]:
        if self.faults:
            logger.warning("%s: %d rows skipped, %d kept", self.name, self.faults, len(self.words))
        if len(self.words) != len(self.matrix):
            self.matrix.resize((len(self.words), self.matrix.shape[1]), refcheck=False)
        return list(self.words), self.matrix


def read_word2vec(
    path: Path,
    *,
    binary: bool = False,
    encoding: str = "utf8",
    unicode_errors: str = "strict",
    limit: int | None = None,
    dtype: DTypeLike = np.float32,
    no_header: bool = False,
    errors: str = "strict",
    block: int = _BLOCK,
) -> tuple[list[str], NDArray[Any]]:
    """Read a word2vec file, text or binary; ``.gz``, ``.bz2`` and ``.xz`` are unpacked on the way.

    Parameters
    ----------
    path : path-like
    binary : bool, default False
    encoding, unicode_errors : str
        How the bytes of a word become a str.
    limit : int, optional
        Read only that many rows from the start; what follows them is not looked at.
    dtype : dtype, default float32
    no_header : bool, default False
        The first line is a row already (GloVe). Text only.
    errors : {"strict", "skip"}
        What to do with a row that has the wrong number of values, a NaN or infinity, no word, or a word seen
        before: raise, or leave it out and say so in the log.
    block : int
        Bytes read at a time.

    Returns
    -------
    words : list of str
    matrix : ndarray [words, vector_size]

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
    with _open(path) as (file, size):
        if no_header:
            first = file.readline(_MAX_LINE)
            if not first:
                raise TruncatedError(f"{name}: an empty file")
            width = first.rstrip().count(b" ")
            if width == 0:
                raise FormatError(f"{name}, line 1: no values after the word")
            due, promised, consumed = limit, None, first
        else:
            first = file.readline(256)
            promised, width = _parse_size(first, name)
            due, consumed = promised if limit is None else min(limit, promised), b""
            # A row has at least a blank and its values; in a text file also a line end, but for the last.
            shortest = due * (1 + 4 * width) if binary else due * (1 + 2 * width) - 1
            if size is not None and shortest > size - len(first):
                raise TruncatedError(
                    f"{name}: the header promises {promised:,} rows of {width:,} values, "
                    f"for which {size:,} bytes are too few"
                )
        rows = _Rows(name, width, due if due is not None and size is not None and not no_header else 0, kind, errors)
        whole = due == promised  # also when neither is known
        if binary:
            _read_binary(file, rows, cast(int, due), whole, len(first), encoding, unicode_errors, block)
        else:
            line = 0 if no_header else 1
            _read_text(file, rows, due, whole, line, consumed, encoding, unicode_errors, block)
    return rows.finish()


def write_word2vec(
    path: Path,
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
        value that is not finite. The file is then untouched.
    """
    encoded = [word.encode() for word in words]
    for word in encoded:
        if not word or _UNREADABLE.search(word):
            raise ValueError(
                f"the word {word.decode()!r} is empty or has white space in it, so that a word2vec file "
                "could not be read back; save() has no such limit"
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


def read_counts(path: Path, encoding: str = "utf8", unicode_errors: str = "strict") -> dict[str, int]:
    """Read a vocabulary file: a word, a blank and a count per line."""
    counts = {}
    with _open(path) as (file, _):
        for number, line in enumerate(file, 1):
            word, _, count = line.rstrip(b"\r\n").rpartition(b" ")
            if not word or not count.isdigit() or len(count) > 18:
                raise FormatError(f"{os.fspath(path)}, line {number:,}: not a word and a count")
            counts[word.decode(encoding, unicode_errors)] = int(count)
    return counts


def write_counts(path: Path, words: Sequence[str], counts: Sequence[int]) -> None:
    """Write a vocabulary file: a word, a blank and a count per line."""
    with _replacing(path, append=False) as file:
        file.write("".join(f"{word} {count}\n" for word, count in zip(words, counts, strict=True)).encode())


@contextmanager
def _open(path: Path) -> Iterator[tuple[BinaryIO, int | None]]:
    """Open a possibly compressed file; with it comes its size, if that is a bound on what can be read."""
    suffix = os.path.splitext(os.fspath(path))[1]
    with open_regular(path) as raw:
        if suffix not in _OPENERS:
            yield raw, os.fstat(raw.fileno()).st_size
            return
        try:
            with _OPENERS[suffix](raw, "rb") as file:
                yield file, None
        except FormatError:
            raise
        except EOFError as error:
            raise TruncatedError(f"{os.fspath(path)}: the compressed data ends early") from error
        except (OSError, zlib.error, lzma.LZMAError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's fault, not the file's
            raise FormatError(f"{os.fspath(path)}: not sound {suffix} data ({error})") from error


@contextmanager
def _replacing(path: Path, append: bool) -> Iterator[BinaryIO]:
    suffix = os.path.splitext(os.fspath(path))[1]
    with atomic_write(path) as raw:
        if append and os.path.exists(path):
            with open_regular(path) as old:
                while data := old.read(_BLOCK):
                    raw.write(data)
        if suffix == ".gz":  # no name and no time inside: equal vectors give equal bytes
            with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
                yield cast(BinaryIO, packed)
        elif suffix in _OPENERS:
            with _OPENERS[suffix](raw, "wb") as file:
                yield file
        else:
            yield raw


def _parse_size(line: bytes, name: str) -> tuple[int, int]:
    if not line:
        raise TruncatedError(f"{name}: an empty file")
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


def _parse_numbers(texts: list[bytes], width: int, dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Parse lines of blank-separated numbers; None if any line is not exactly `width` of them."""
    try:
        values = np.loadtxt(texts, dtype, comments=None, delimiter=" ", ndmin=2, encoding="latin1")
    except ValueError:
        return None
    return values if values.shape == (len(texts), width) else None


def _read_text(
    file: BinaryIO, rows: _Rows, due: int | None, whole: bool, line: int, tail: bytes,
    encoding: str, unicode_errors: str, block: int,
) -> None:  # fmt: skip
    """Read `due` rows of text, or all; `line` lines came before, `tail` is text already read."""
    width, seen, blank, ended = rows.matrix.shape[1], 0, 0, False
    dtype = np.promote_types(rows.matrix.dtype, np.float32)  # half precision is cut down by the rows
    while not ended and (whole or due is None or seen < due):
        data = file.read(block)
        ended = not data
        lines = (tail + data).split(b"\n")
        tail = b"" if ended else lines.pop()
        if len(tail) > _MAX_LINE:
            raise FormatError(f"{rows.name}, line {line + len(lines) + 1:,}: longer than {_MAX_LINE:,} bytes")
        words, texts, numbers = [], [], []
        for text in lines:
            line += 1
            text = text.rstrip()
            if not text:
                blank = blank or line  # harmless at the end of the file, and only there
                continue
            if due is not None and seen == due:
                if not whole:
                    break
                raise FormatError(f"{rows.name}, line {line:,}: more rows than the {due:,} its header promises")
            if blank:
                rows.fault(f"line {blank:,}", "an empty line")
                blank = 0
            seen += 1
            word, _, values = text.partition(b" ")
            if not values:
                rows.fault(f"line {line:,}", f"{width:,} values expected, none found")
                continue
            words.append(word.decode(encoding, unicode_errors))
            texts.append(values)
            numbers.append(line)
        if not texts:
            continue
        matrix = _parse_numbers(texts, width, dtype)
        if matrix is not None:
            rows.add("line", numbers, words, matrix)
            continue
        for number, name, text in zip(numbers, words, texts, strict=True):  # find the odd one
            matrix = _parse_numbers([text], width, dtype)
            if matrix is None:
                rows.fault(f"line {number:,}", f"not {width:,} numbers after the word")
            else:
                rows.add("line", [number], [name], matrix)
    if due is not None and whole and seen < due:
        raise TruncatedError(f"{rows.name}: ends after {seen:,} of the {due:,} rows its header promises")


def _read_binary(
    file: BinaryIO, rows: _Rows, due: int, whole: bool, base: int,
    encoding: str, unicode_errors: str, block: int,
) -> None:  # fmt: skip
    """Read `due` binary rows; `base` is the offset in the file at which they begin."""
    width = rows.matrix.shape[1]
    buffer, at, seen = b"", 0, 0  # at: where in the buffer the next row begins
    while seen < due:
        words, vectors, numbers = [], [], []
        while True:
            blank = buffer.find(b" ", at, at + _MAX_WORD + 2)
            end = blank + 1 + 4 * width
            if blank < 0 or end > len(buffer) or seen == due:
                break
            word = buffer[at:blank].lstrip(b"\n")  # word2vec.c's line end
            if b"\n" in word:
                rows.fault(f"byte {base + at:,}", f"a line break in the word {word[:40]!r}")
            else:
                words.append(word.decode(encoding, unicode_errors))
                vectors.append(buffer[blank + 1 : end])
                numbers.append(base + at)
            at = end
            seen += 1
        if words:
            values = np.frombuffer(b"".join(vectors), "<f4").reshape(len(words), width)
            rows.add("byte", numbers, words, values)
        if seen == due:
            break
        if blank < 0 and len(buffer) - at > _MAX_WORD:
            raise FormatError(f"{rows.name}, byte {base + at:,}: no blank after {_MAX_WORD:,} bytes of a word")
        missing = end - len(buffer) if blank >= 0 else 0
        more = file.read(max(block, min(missing, _BLOCK)))  # never more because a header says so
        if not more:
            raise TruncatedError(f"{rows.name}: ends after {seen:,} of the {due:,} rows its header promises")
        buffer, base, at = buffer[at:] + more, base + at, 0
    if whole and (buffer[at:] + file.read(2)).removeprefix(b"\n"):
        raise FormatError(f"{rows.name}, byte {base + at:,}: more data than the {due:,} rows its header promises")
