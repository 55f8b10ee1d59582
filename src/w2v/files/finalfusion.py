"""finalfusion's files of vectors, ``.fifu``: chunks of plain numbers, little-endian.

Read are files of a plain vocabulary and a dense matrix, with metadata and norms where they are; with norms a row of the
file has unit length, and the vector is the row times its norm. Written are norms, too. Subwords and quantised matrices
are refused by name.
"""

import json
import os
import struct
from collections.abc import Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v._version import __version__
from w2v.files import arrays
from w2v.files.errors import FormatError, TruncatedError, UnsupportedError
from w2v.files.reading import Pathlike, open_regular
from w2v.files.writing import atomic_write

MAGIC = b"FiFu"
VOCABULARY, ARRAY, METADATA, NORMS = 1, 2, 5, 6
FLOAT32 = 10
_NAMES = {
    VOCABULARY: "vocabulary", ARRAY: "matrix", 3: "subwords in buckets", 4: "quantised matrix", METADATA: "metadata",
    NORMS: "norms", 7: "subwords of fastText", 8: "explicit subwords", 9: "subwords of floret",
}  # fmt: skip
_READ = {VOCABULARY, ARRAY, METADATA, NORMS}
_MOST_CHUNKS = 100
_LONGEST_WORD = 1 << 20  # bytes


class FinalfusionFile(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    words : list of str
    vectors : float32 [words, vector_size]
    metadata : str, TOML; empty if there is none
    """

    words: list[str]
    vectors: NDArray[np.float32]
    metadata: str


class _Chunk(NamedTuple):
    begin: int
    end: int


class _Reader:
    """A file and its size; what is taken of it is compared with what there is."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file, self.name, self.size = file, name, os.fstat(file.fileno()).st_size

    def fault(self, what: str, at: int | None = None) -> FormatError:
        return FormatError(f"{self.name}, byte {self.file.tell() if at is None else at:,}: {what}")

    def take(self, size: int, end: int, what: str) -> bytes:
        """The next bytes, which must be within a chunk."""
        at = self.file.tell()
        if size > end - at:
            raise self.fault(f"{what} takes {size:,} bytes, and its chunk has {max(0, end - at):,} left")
        return self.file.read(size)

    def numbers(self, code: str, end: int, what: str) -> tuple[Any, ...]:
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code), end, what))

    def floats(self, end: int, what: str, *shape: int) -> NDArray[np.float32]:
        """The rest of a chunk: padding to a multiple of four bytes, then numbers."""
        at = self.file.tell()
        begin, count = at + 4 - at % 4, int(np.prod(shape, dtype=object))
        if begin + 4 * count != end:
            raise self.fault(f"{what} of {' x '.join(map(str, shape))} numbers does not fill its chunk")
        self.file.seek(begin)
        made = np.empty(shape, "<f4")
        view = arrays.bytes_of(made) if made.size else memoryview(b"")
        for start in range(0, len(view), arrays.BLOCK):
            self.file.readinto(view[start : start + arrays.BLOCK])  # type: ignore[attr-defined]
        if made.size and (row := arrays.check_finite(made)) is not None:
            raise self.fault(f"row {row:,} of {what} holds a NaN or an infinity", begin)
        return made.astype(np.float32, copy=False)


def read(path: Pathlike) -> FinalfusionFile:
    """Read a file.

    Raises
    ------
    FormatError
        It is none, or is damaged; with the byte.
    ValueError
        It is sound, and holds what is not read here, such as subwords.
    """
    name = os.fspath(path)
    with open_regular(path) as file:
        reader = _Reader(file, name)
        chunks = _chunks(reader)
        metadata = ""
        if (chunk := chunks.get(METADATA)) is not None:
            file.seek(chunk.begin)
            metadata = _text(reader.take(chunk.end - chunk.begin, chunk.end, "the metadata"), reader, chunk.begin)
        words = _words(reader, chunks[VOCABULARY])
        vectors = _matrix(reader, chunks[ARRAY])
        if len(vectors) != len(words):
            raise reader.fault(f"{len(words):,} words and {len(vectors):,} rows", chunks[ARRAY].begin)
        if (chunk := chunks.get(NORMS)) is not None:
            norms = _norms(reader, chunk)
            if len(norms) != len(words):
                raise reader.fault(f"{len(words):,} words and {len(norms):,} norms", chunk.begin)
            with np.errstate(over="ignore", invalid="ignore"):  # the check below finds them
                vectors *= norms[:, None]
            if len(vectors) and (row := arrays.check_finite(vectors)) is not None:
                raise reader.fault(f"row {row:,} times its norm is an infinity", chunk.begin)
    return FinalfusionFile(words, vectors, metadata)


def _chunks(reader: _Reader) -> dict[int, _Chunk]:
    """Where each chunk begins and ends, without its head; the list in front must say the same."""
    if reader.file.read(4) != MAGIC:
        raise reader.fault("not a .fifu file of finalfusion", 0)
    if reader.size < 12:
        raise TruncatedError(f"{reader.name}: ends at byte {reader.size:,}, within its first numbers")
    version, count = struct.unpack("<II", reader.file.read(8))
    if version != 0:
        raise reader.fault(f"version {version} of the format; this reads version 0", 4)
    if not 0 < count <= _MOST_CHUNKS:
        raise reader.fault(f"{count:,} chunks", 8)
    listed = reader.numbers(f"{count}I", reader.size, "the list of chunks")
    for kind in listed:
        if kind not in _READ:
            what = _NAMES.get(kind, "an unknown kind")
            raise UnsupportedError(f"{reader.name}: it holds a chunk {kind} ({what}), which is not read here")
    if len(set(listed)) != count or not {VOCABULARY, ARRAY} <= set(listed):
        raise reader.fault("there must be one vocabulary and one matrix, and nothing twice", 12)
    found = {}
    for kind in listed:
        at = reader.file.tell()
        head = reader.file.read(12)
        if len(head) < 12:
            raise TruncatedError(f"{reader.name}: ends at byte {reader.size:,}, before its {_NAMES[kind]}")
        there, length = struct.unpack("<IQ", head)
        if there != kind:
            raise reader.fault(f"a chunk {there}, where the list has {kind} ({_NAMES[kind]})", at)
        if length > reader.size - at - 12:
            raise TruncatedError(
                f"{reader.name}, byte {at:,}: the {_NAMES[kind]} takes {length:,} bytes, more than left"
            )
        found[kind] = _Chunk(at + 12, at + 12 + length)
        reader.file.seek(found[kind].end)
    if reader.file.tell() != reader.size:
        raise reader.fault("the last chunk ends here, and the file goes on")
    return found


def _text(data: bytes, reader: _Reader, at: int) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise reader.fault(f"not UTF-8: {data[error.start : error.end]!r}", at + error.start) from None


def _words(reader: _Reader, chunk: _Chunk) -> list[str]:
    reader.file.seek(chunk.begin)
    (count,) = reader.numbers("Q", chunk.end, "the number of words")
    data = reader.take(chunk.end - reader.file.tell(), chunk.end, "the words")
    if 4 * count > len(data):
        raise reader.fault(f"{count:,} words in {len(data):,} bytes", chunk.begin)
    words, place, length = [], 0, struct.Struct("<I")
    for _ in range(count):
        if place + 4 > len(data):
            raise reader.fault("the words end early", chunk.begin + 8 + place)
        size = length.unpack_from(data, place)[0]
        if size > min(_LONGEST_WORD, len(data) - place - 4):
            raise reader.fault(f"a word of {size:,} bytes", chunk.begin + 8 + place)
        words.append(_text(data[place + 4 : place + 4 + size], reader, chunk.begin + 12 + place))
        place += 4 + size
    if place != len(data):
        raise reader.fault("the words end before their chunk does", chunk.begin + 8 + place)
    if len(set(words)) != count:
        raise reader.fault("a word occurs twice", chunk.begin)
    return words


def _matrix(reader: _Reader, chunk: _Chunk) -> NDArray[np.float32]:
    reader.file.seek(chunk.begin)
    rows, width, kind = reader.numbers("QII", chunk.end, "the shape")
    if kind != FLOAT32 or not width:
        raise reader.fault(f"a matrix of {rows:,} x {width:,} numbers of type {kind}; type 10 is float32", chunk.begin)
    return reader.floats(chunk.end, "the matrix", rows, width)


def _norms(reader: _Reader, chunk: _Chunk) -> NDArray[np.float32]:
    reader.file.seek(chunk.begin)
    count, kind = reader.numbers("QI", chunk.end, "the number of norms")
    if kind != FLOAT32:
        raise reader.fault(f"norms of type {kind}; type 10 is float32", chunk.begin)
    return reader.floats(chunk.end, "the norms", count)


def write(path: Pathlike, words: Sequence[str], vectors: NDArray[Any]) -> None:
    """Write words and vectors: rows of unit length, and their norms; atomically, in bounded memory.

    Parameters
    ----------
    path : path-like
    words : sequence of str
    vectors : float32 [words, vector_size]

    Raises
    ------
    ValueError
        What the format cannot hold.
    """
    name = os.fspath(path)
    try:
        encoded = [word.encode("utf-8") for word in words]
    except UnicodeEncodeError as error:
        raise ValueError(f"{name}: the word {error.object!r:.60} has a half character, a lone surrogate") from None
    if len(vectors) and (row := arrays.check_finite(vectors)) is not None:
        raise ValueError(f"{name}: row {row:,} holds a NaN or an infinity")
    metadata = f"w2v = {json.dumps(__version__)}\n".encode()
    rows, width = vectors.shape
    norms = np.empty(rows, "<f4")
    with atomic_write(path) as file:
        kinds = [METADATA, VOCABULARY, ARRAY, NORMS]
        file.write(MAGIC + struct.pack(f"<II{len(kinds)}I", 0, len(kinds), *kinds))
        file.write(struct.pack("<IQ", METADATA, len(metadata)) + metadata)
        file.write(struct.pack("<IQQ", VOCABULARY, 8 + sum(4 + len(word) for word in encoded), rows))
        file.writelines(struct.pack("<I", len(word)) + word for word in encoded)
        padding = bytes(4 - (file.tell() + 28) % 4)
        file.write(struct.pack("<IQQII", ARRAY, 16 + len(padding) + 4 * rows * width, rows, width, FLOAT32) + padding)
        place = 0
        for block in arrays.row_blocks(vectors, "<f4"):
            lengths = np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64))
            if lengths.max() > np.finfo(np.float32).max:
                raise ValueError(f"{name}: a row is longer than a float32 can say")
            own = lengths.astype("<f4")
            norms[place : place + len(block)] = own
            block /= np.where(own > 0, own, 1)[:, None]
            file.write(arrays.bytes_of(block))
            place += len(block)
        padding = bytes(4 - (file.tell() + 24) % 4)
        file.write(struct.pack("<IQQI", NORMS, 12 + len(padding) + 4 * rows, rows, FLOAT32) + padding)
        file.write(norms.tobytes())
