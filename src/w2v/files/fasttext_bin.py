"""fastText's own files of whole models, ``.bin``: read and written as plain numbers, little-endian.

The layout is that of fastText 0.9.2 (`FastText::saveModel`, version 12): settings, dictionary, input matrix, output
matrix. Files of version 11, and of 2016 before versions were counted, are read as well. The input matrix has a row for
each word and then one for each bucket of n-grams; a word's vector is the mean of its row and its n-grams'. Quantised
models keep codes of a product quantiser in place of numbers.
"""

import codecs
import math
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from w2v.files import arrays
from w2v.files.errors import FormatError, TruncatedError
from w2v.files.reading import Pathlike, open_regular
from w2v.files.writing import atomic_write

MAGIC = 793712314
VERSION = 12
READ_VERSIONS = (11, 12)
SETTINGS = (
    "dim", "ws", "epoch", "minCount", "neg", "wordNgrams", "loss", "model", "bucket", "minn", "maxn", "lrUpdateRate",
)  # fmt: skip
HIERARCHICAL, NEGATIVE, SOFTMAX, ONE_VS_ALL = 1, 2, 3, 4  # losses
CBOW, SKIP_GRAM, SUPERVISED = 1, 2, 3  # models
WORD, LABEL = 0, 1  # types of entries
END_OF_SENTENCE = "</s>"  # has no n-grams

_MOST_WORD = 1 << 20  # bytes
_MOST_ROWS = 1 << 40
_MOST_OLD_DIM = 10_000  # an old file begins with this number, where others have the magic one
_CENTROIDS = 256  # of a sub-quantiser


class FastTextFile(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    settings : dict of str to int, named as in `SETTINGS`
    sample : float, the threshold of subsampling
    words : list of str
    counts : int64 [words]
    tokens : int, words of the corpus
    inputs : float32 [words + labels + buckets, dim], or of buckets only those that are kept
    outputs : float32 [words, dim], or of a supervised model [labels, dim]; None if they were not asked for
    kept : int32 [kept, 2] or None, of a pruned model: the buckets that have rows, and the numbers of these
    """

    settings: dict[str, int]
    sample: float
    words: list[str]
    counts: NDArray[np.int64]
    tokens: int
    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32] | None
    kept: NDArray[np.int32] | None


def is_fasttext(path: Pathlike) -> bool:
    """Tell from the first bytes whether a file is one of fastText; not one of 2016, which begins like any other."""
    with open_regular(path) as file:
        return file.read(4) == struct.pack("<i", MAGIC)


class _Reader:
    """Numbers of a file, each checked against what is left of it before memory is claimed."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file, self.name = file, name
        self.size = os.fstat(file.fileno()).st_size
        self.version = VERSION

    def fault(self, what: str, at: int | None = None) -> FormatError:
        return FormatError(f"{self.name}, byte {self.file.tell() if at is None else at:,}: {what}")

    def take(self, code: str) -> tuple[Any, ...]:
        size = struct.calcsize("<" + code)
        found = self.file.read(size)
        if len(found) < size:
            raise TruncatedError(f"{self.name}: ends at byte {self.size:,}, in the middle of a number")
        return struct.unpack("<" + code, found)

    def array(self, dtype: str, *shape: int) -> NDArray[Any]:
        """An array of so many numbers, which the file must have."""
        needed, left = math.prod(shape) * np.dtype(dtype).itemsize, self.size - self.file.tell()
        if needed > left:
            raise TruncatedError(
                f"{self.name}, byte {self.file.tell():,}: {' x '.join(map(str, shape))} numbers take {needed:,} bytes, "
                f"and {left:,} are left"
            )
        made = np.empty(shape, dtype)
        view = arrays.bytes_of(made) if made.size else memoryview(b"")
        for start in range(0, len(view), arrays.BLOCK):
            part = view[start : start + arrays.BLOCK]
            if cast(Any, self.file).readinto(part) != len(part):
                raise TruncatedError(f"{self.name}: ends inside a matrix")
        return made

    def skip(self, size: int) -> None:
        if size > self.size - self.file.tell():
            raise TruncatedError(f"{self.name}: ends inside a matrix")
        self.file.seek(size, os.SEEK_CUR)


def read(path: Pathlike, encoding: str = "utf-8", *, outputs: bool = True, mmap: bool = False) -> FastTextFile:
    """Read a file of fastText, dense or quantised.

    Parameters
    ----------
    path : path-like
    encoding : str, default "utf-8"
        Of words; bytes that are not in it are kept as surrogates.
    outputs : bool, default True
        False leaves out the output matrix.
    mmap : bool, default False
        Map the input matrix read-only, unless it is quantised; its numbers are not checked then, and may lie unaligned.

    Raises
    ------
    FormatError
        The file is none, or is damaged; it says at which byte.
    LookupError
        There is no such encoding.
    """
    name = os.fspath(path)
    codecs.lookup(encoding)
    with open_regular(path) as file:
        reader = _Reader(file, name)
        settings, sample = _settings(reader)
        words, counts, tokens, labels, kept = _dictionary(reader, encoding)
        quantised = _switch(reader)
        begin = file.tell()
        inputs = _quantised(reader, settings["dim"]) if quantised else _dense(reader, settings["dim"], mmap)
        assert inputs is not None
        if kept is not None and len(kept) == 0:
            kept, buckets = None, 0
        else:
            buckets = settings["bucket"] if kept is None else len(kept)
        if settings["maxn"] == 0 and settings["wordNgrams"] <= 1:
            buckets = max(0, min(buckets, len(inputs) - len(words)))
        if len(words) + settings["bucket"] >= 2**31 - 1:
            raise reader.fault(f"{len(words):,} words and {settings['bucket']:,} n-grams are too many", begin)
        if kept is not None and kept[:, 0].max() >= settings["bucket"]:
            raise reader.fault(f"a kept n-gram is beyond the {settings['bucket']:,} buckets", begin)
        if len(inputs) != len(words) + buckets:
            raise reader.fault(f"{len(inputs):,} input rows for {len(words):,} words and {buckets:,} n-grams", begin)
        if not isinstance(inputs, np.memmap) and (row := arrays.check_finite(inputs)) is not None:
            raise reader.fault(f"input row {row:,} holds a NaN or an infinity", begin)
        found = None
        if outputs:
            quantised = _switch(reader)
            begin = file.tell()
            found = _quantised(reader, settings["dim"]) if quantised else _dense(reader, settings["dim"])
            due = labels if settings["model"] == SUPERVISED else len(words)
            if len(found) != due:
                raise reader.fault(f"{len(found):,} output rows, where {due:,} are due", begin)
            if (row := arrays.check_finite(found)) is not None:
                raise reader.fault(f"output row {row:,} holds a NaN or an infinity", begin)
            if file.tell() != reader.size:
                raise reader.fault("the model ends here, and the file goes on")
    return FastTextFile(settings, sample, words, counts, tokens, inputs, found, kept)


def _settings(reader: _Reader) -> tuple[dict[str, int], float]:
    begin = reader.take("ii")
    if begin[0] == MAGIC:
        reader.version, begin = begin[1], ()
        if reader.version not in READ_VERSIONS:
            raise reader.fault(f"version {reader.version} of the format; this reads {READ_VERSIONS}", 4)
    elif 0 < begin[0] <= _MOST_OLD_DIM:
        reader.version = 0
    else:
        raise reader.fault("not a .bin file of fastText; KeyedVectors.load_word2vec_format reads others", 0)
    start = reader.file.tell() - 4 * len(begin)
    settings = dict(zip(SETTINGS, begin + reader.take(f"{len(SETTINGS) - len(begin)}i"), strict=True))
    (sample,) = reader.take("d")
    if reader.version == 11 and settings["model"] == SUPERVISED:  # had no n-grams, whatever it says
        settings["maxn"] = 0
    for setting, least, most in (
        ("dim", 1, 1_000_000), ("bucket", 0, 2**31 - 1), ("minn", 0, 1000), ("maxn", 0, 1000), ("loss", 1, 4),
        ("model", 1, 3), ("wordNgrams", 0, 1000),
    ):  # fmt: skip
        if not least <= settings[setting] <= most:
            at = start + 4 * SETTINGS.index(setting)
            raise reader.fault(f"{setting}={settings[setting]:,}, which is not from {least:,} to {most:,}", at)
    return settings, sample


def _switch(reader: _Reader) -> bool:
    if not reader.version:  # nothing was quantised then
        return False
    (value,) = reader.take("B")
    if value > 1:
        raise reader.fault(f"{value} where 0 or 1 must be", reader.file.tell() - 1)
    return bool(value)


def _dictionary(
    reader: _Reader, encoding: str
) -> tuple[list[str], NDArray[np.int64], int, int, NDArray[np.int32] | None]:
    begin = reader.file.tell()
    size, n_words, n_labels, tokens = reader.take("iiiq")
    pruned = reader.take("q")[0] if reader.version else -1
    if not 0 < n_words <= size or n_labels != size - n_words or n_labels < 0 or tokens < 0 or pruned < -1:
        raise reader.fault(f"a dictionary of {size:,} entries, {n_words:,} words and {n_labels:,} labels", begin)
    if size * 10 > reader.size - reader.file.tell():
        raise TruncatedError(f"{reader.name}: too short for {size:,} words")
    words, counts = [], np.empty(n_words, np.int64)
    for number, (word, count, kind, at) in enumerate(_entries(reader, size, encoding)):
        if kind != (WORD if number < n_words else LABEL) or count < 0:
            raise reader.fault(f"entry {number:,} has type {kind} and count {count:,}", at)
        if number < n_words:
            words.append(word)
            counts[number] = count
    if len(set(words)) != len(words):
        raise reader.fault("a word occurs twice in the dictionary", begin)
    if pruned < 0:
        return words, counts, tokens, n_labels, None
    kept = reader.array("<i4", pruned, 2)
    if pruned and not (kept.min() >= 0 and kept[:, 1].max() < pruned and len(set(kept[:, 0].tolist())) == pruned):
        raise reader.fault("n-grams that are kept have impossible rows")
    return words, counts, tokens, n_labels, kept


def _entries(reader: _Reader, size: int, encoding: str) -> Iterator[tuple[str, int, int, int]]:
    """Words with their counts and types, and the byte at which each begins; read in blocks."""
    file, held, place, begin = reader.file, b"", 0, reader.file.tell()
    for _ in range(size):
        while (end := held.find(b"\0", place)) < 0 or len(held) < end + 10:
            block = file.read(1 << 20)
            if not block or len(held) - place > _MOST_WORD:
                raise reader.fault("the dictionary has a word without an end", begin + place)
            begin, held, place = begin + place, held[place:] + block, 0
        word = held[place:end].decode(encoding, "surrogateescape")  # fastText cuts no words at characters
        count, kind = struct.unpack_from("<qb", held, end + 1)
        yield word, count, kind, begin + place
        place = end + 10
    file.seek(begin + place)


def _shape(reader: _Reader, dim: int) -> tuple[int, int]:
    begin = reader.file.tell()
    rows, columns = reader.take("qq")
    if not 0 <= rows < _MOST_ROWS or columns != dim:
        raise reader.fault(f"a matrix of {rows:,} x {columns:,}, where vectors have {dim:,} numbers", begin)
    return rows, columns


def _dense(reader: _Reader, dim: int, mmap: bool = False) -> NDArray[np.float32]:
    shape = _shape(reader, dim)
    if not mmap or not shape[0]:
        return reader.array("<f4", *shape)
    begin = reader.file.tell()
    reader.skip(4 * shape[0] * shape[1])
    end = reader.file.tell()
    mapped = np.memmap(reader.file, "<f4", "r", begin, shape)
    reader.file.seek(end)
    return mapped


def _quantised(reader: _Reader, dim: int) -> NDArray[np.float32]:
    """A matrix from the codes of a product quantiser (Jegou et al. 2011), and from those of row lengths."""
    with_norms = _switch(reader)
    rows, _ = _shape(reader, dim)
    begin = reader.file.tell()
    (size,) = reader.take("i")
    codes = reader.array("|u1", max(size, 0))
    places, width, centroids = _quantiser(reader, dim)
    if size != rows * places:
        raise reader.fault(f"{size:,} codes for {rows:,} rows of {places:,} parts", begin)
    if rows * dim * 4 > 64 * reader.size:  # no quantiser makes a row so short
        raise reader.fault(f"{rows:,} rows of {dim:,} numbers from {reader.size:,} bytes", begin)
    matrix = np.empty((rows, dim), np.float32)
    of_rows = codes.reshape(rows, places)
    for place in range(places):
        part = matrix[:, place * width : (place + 1) * width]
        table = centroids[_CENTROIDS * width * place :][: _CENTROIDS * part.shape[1]]
        part[...] = table.reshape(_CENTROIDS, part.shape[1])[of_rows[:, place]]
    if with_norms:
        lengths = reader.array("|u1", rows)
        _, _, norms = _quantiser(reader, 1)
        matrix *= norms[lengths][:, None]
    return matrix


def _quantiser(reader: _Reader, dim: int) -> tuple[int, int, NDArray[np.float32]]:
    """How many parts a vector has, how wide they are, and the centroids of each."""
    begin = reader.file.tell()
    found, parts, width, last = reader.take("iiii")
    if found != dim or width < 1 or parts != -(-dim // width) or last != dim - (parts - 1) * width:
        raise reader.fault(f"a quantiser of {found} numbers in {parts} parts of {width}, the last of {last}", begin)
    return parts, width, reader.array("<f4", dim * _CENTROIDS)


def _bytes_of(word: str, encoding: str) -> bytes:
    try:
        return word.encode(encoding, "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate that stands for no byte
        if encoding.lower().replace("-", "") != "utf8":
            raise
        return word.encode("utf-8", "surrogatepass")


def write(
    path: Pathlike,
    words: Sequence[str],
    counts: NDArray[Any],
    inputs: NDArray[np.float32],
    outputs: NDArray[np.float32] | None,
    settings: Mapping[str, int],
    sample: float,
    tokens: int,
    encoding: str = "utf-8",
) -> None:
    """Write a file that fastText, gensim and other readers of ``.bin`` take, atomically and in bounded memory.

    Parameters
    ----------
    path : path-like
    words : sequence of str, without NUL characters
    counts : integers [words]
    inputs : float32 [words + bucket, dim]
    outputs : float32 [words, dim], or None for zeros
    settings : mapping of str to int, all of `SETTINGS`
    sample : float, the threshold of subsampling
    tokens : int, words of the corpus
    encoding : str, default "utf-8", of words

    Raises
    ------
    ValueError
        What the format cannot hold.
    """
    if len(inputs) != len(words) + settings["bucket"] or inputs.shape[1] != settings["dim"]:
        raise ValueError(
            f"input rows of shape {inputs.shape} for {len(words):,} words and {settings['bucket']:,} n-grams"
        )
    encoded = [_bytes_of(word, encoding) for word in words]
    bad = next((word for word, text in zip(words, encoded, strict=True) if b"\0" in text or not text), None)
    if bad is not None:
        raise ValueError(f"fastText's format cannot hold the word {bad!r}: it is empty or has a NUL character")
    for name, matrix in (("input", inputs), ("output", outputs)):
        if matrix is not None and (row := arrays.check_finite(matrix)) is not None:
            raise ValueError(f"{name} row {row:,} holds a NaN or an infinity")
    with atomic_write(path) as file:
        file.write(struct.pack("<ii", MAGIC, VERSION))
        file.write(struct.pack(f"<{len(SETTINGS)}id", *(settings[name] for name in SETTINGS), sample))
        file.write(struct.pack("<iiiqq", len(words), len(words), 0, tokens, -1))
        bounds = [*range(0, len(words), 65_536), len(words)]
        for begin, end in pairwise(bounds):
            entries = zip(encoded[begin:end], counts[begin:end].tolist(), strict=True)
            file.write(b"".join(text + struct.pack("<bqb", 0, count, WORD) for text, count in entries))
        for matrix in (inputs, outputs):
            rows = len(words) if matrix is None else len(matrix)
            file.write(struct.pack("<?qq", False, rows, settings["dim"]))
            if matrix is None:
                for begin, end in pairwise(bounds):
                    file.write(bytes((end - begin) * settings["dim"] * 4))
                continue
            for block in arrays.row_blocks(matrix, "<f4"):
                file.write(arrays.bytes_of(block))
