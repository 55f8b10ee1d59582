"""Files of a corpus, local or by fsspec, as sources of sentences: text, a range of its bytes, rows of a table."""

import io
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import IO, Any, cast

from w2v.files.reading import Opener, codec_of
from w2v.text.readers import TaggedDocument

TABLES = (".parquet", ".arrow", ".feather")

# Read at a time while the end of a line is looked for.
LOOK = 1 << 20

# Rows of a table that are lists of Python strings at a time.
ROWS = 1 << 14


def is_remote(path: str) -> bool:
    """Whether a path is an address, as ``s3://bucket/name``."""
    return "://" in path


def is_table(path: str) -> bool:
    """Whether a file is a table of rows, by its ending."""
    return path.lower().endswith(TABLES)


def is_compressed(path: str) -> bool:
    """Whether a file can only be read from its beginning on."""
    return codec_of(path) is not None


def _fsspec(path: str) -> Any:
    try:
        return import_module("fsspec")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(f"{path} needs an extra: pip install 'w2v[remote]'") from None


def _system(path: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it."""
    system, inside = _fsspec(path).core.url_to_fs(path)
    return system, inside


def remote_files(path: str) -> list[str]:
    """The files at an address: itself, those of a folder, or those that fit a pattern."""
    system, inside = _system(path)
    if any(sign in inside for sign in "*?["):
        found = system.glob(inside)
    elif system.isdir(inside):
        found = [entry["name"] for entry in system.ls(inside, detail=True) if entry["type"] == "file"]
    else:
        found = [inside]
    return [system.unstrip_protocol(name) for name in sorted(found)]


def size_of(path: str) -> int:
    """Bytes of a file; FileNotFoundError if there is none."""
    if not is_remote(path):
        return os.stat(path).st_size
    system, inside = _system(path)
    return int(system.size(inside) or 0)


def opened(path: str) -> IO[bytes]:
    """The bytes of a file as they lie there; one can seek in them."""
    if not is_remote(path):
        return open(path, "rb")
    system, inside = _system(path)
    return cast(IO[bytes], system.open(inside, "rb"))


class TextBlock(Opener):
    """The lines of a text that begin in a range of its bytes, or all of a file, unpacked.

    Parameters
    ----------
    path : str
    begin, end : int; -1 for `end` means all
    """

    def __init__(self, path: str, begin: int, end: int) -> None:
        super().__init__(path)
        self.begin, self.end = begin, end

    def open(self) -> IO[bytes]:
        """The bytes of the block."""
        file = opened(self.name)
        if self.end < 0:
            codec = codec_of(self.name)
            return _buffered(codec.open(file, "rb"), sys.maxsize, file) if codec else file
        first, last = (_line_after(file, at) for at in (self.begin, self.end))
        file.seek(first)
        return _buffered(file, last - first, file)


def _line_after(file: IO[bytes], at: int) -> int:
    """Where the first line begins that begins at a place or behind it; the end of the file if none does."""
    if at == 0:
        return 0
    at -= 1
    file.seek(at)
    while piece := file.read(LOOK):
        found = piece.find(b"\n")
        if found >= 0:
            return at + found + 1
        at += len(piece)
    return at


def _buffered(stream: IO[bytes], left: int, file: IO[bytes]) -> IO[bytes]:
    return cast(IO[bytes], io.BufferedReader(_Limited(stream, left, file), LOOK))


class _Limited(io.RawIOBase):
    """So many bytes of a stream, from where it stands; closes it, and the file that it comes from."""

    def __init__(self, stream: IO[bytes], left: int, file: IO[bytes]) -> None:
        self._stream, self._left, self._file = stream, left, file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._stream.read(min(len(buffer), self._left))
        buffer[: len(piece)] = piece
        self._left -= len(piece)
        return len(piece)

    def close(self) -> None:
        self._stream.close()
        self._file.close()
        super().close()


# --- tables -----------------------------------------------------------------------------------------------------


def _arrow(module: str) -> Any:
    try:
        return import_module(f"pyarrow.{module}")
    except ModuleNotFoundError:
        raise ModuleNotFoundError("a table needs an extra: pip install 'w2v[parquet]'") from None


def groups_in(path: str) -> int:
    """How many groups of rows a table has."""
    with opened(path) as file:
        if path.lower().endswith(".parquet"):
            return int(_arrow("parquet").ParquetFile(file).num_row_groups)
        return int(_arrow("ipc").open_file(file).num_record_batches)


class TableBlock:
    """The sentences in groups of rows of a table: a column of lists of words, or of texts that are split.

    Parameters
    ----------
    path : str
    begin, end : int, groups of rows
    column : str or None
        Needed where several columns could be meant.
    documents : bool
        Whether to give documents, tagged by their numbers from 0.
    """

    def __init__(self, path: str, begin: int, end: int, column: str | None, documents: bool) -> None:
        self.path, self.begin, self.end, self.column, self.documents = path, begin, end, column, documents

    def __iter__(self) -> Iterator[Any]:
        for number, words in enumerate(self._rows()):
            yield TaggedDocument(words, [number]) if self.documents else words

    def _rows(self) -> Iterator[list[str]]:
        with opened(self.path) as file:
            if self.path.lower().endswith(".parquet"):
                table = _arrow("parquet").ParquetFile(file)
                column = self._chosen(table.schema_arrow)
                groups = range(self.begin, self.end)
                batches = table.iter_batches(ROWS, row_groups=list(groups), columns=[column])
            else:
                table = _arrow("ipc").open_file(file)
                column = self._chosen(table.schema)
                batches = (table.get_batch(number) for number in range(self.begin, self.end))
            for batch in batches:
                values = batch.column(batch.schema.get_field_index(column))
                for start in range(0, len(values), ROWS):
                    for value in values.slice(start, ROWS).to_pylist():
                        yield value.split() if isinstance(value, str) else value or []

    def _chosen(self, schema: Any) -> str:
        kinds = _arrow("types")
        texts = (kinds.is_string, kinds.is_large_string)

        def is_words(kind: Any) -> bool:
            lists = kinds.is_list(kind) or kinds.is_large_list(kind)
            inner = kind.value_type if lists else kind
            return any(is_text(inner) for is_text in texts)

        fitting = [field.name for field in schema if is_words(field.type)]
        if self.column is not None:
            if self.column not in fitting:
                raise ValueError(
                    f"{self.path}: no column {self.column!r} of texts or of lists of words; it has {fitting}"
                )
            return self.column
        if len(fitting) != 1:
            raise ValueError(f"{self.path} has the columns {fitting} of texts or lists of words; say which by column=")
        return str(fitting[0])
