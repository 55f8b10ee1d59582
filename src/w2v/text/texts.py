"""Texts from where they are: files, tables, data frames, data sets, lists; read by a tokenizer, in compiled code.

A corpus of integers (random walks, products, notes of music) enters the same way, without a str for each.
"""

import io
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import chain, repeat
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from w2v.common.ahead import ahead
from w2v.common.public import public
from w2v.files.reading import Pathlike, can_be_read_again, open_binary, path_of, unpacked_name
from w2v.text import _arrow, cells
from w2v.text.letters import check_tokenizer, cleaner_of
from w2v.text.readers import TaggedDocument, not_utf8
from w2v.text.units import Units, kind_of, sentences_of, units_of_chunks, units_of_file, units_of_items

TABLES = (".parquet", ".arrow", ".feather", ".ipc")
LINES = (".jsonl", ".ndjson")

# Rows of a Parquet file, or of a data set, that are in memory at a time. A thread decodes the former while those before
# are numbered, so that they should take about as long as a unit.
ROWS, ROWS_OF_DATA_SET = 1 << 13, 1 << 14


@public
class Texts:
    """A corpus of texts, of lists of words, or of integers, from where they are; a row or a line is a sentence.

    Parameters
    ----------
    source : path, file object, table, column or iterable
        A text file or a folder of them, compressed or not, a line a sentence; in a folder, names that begin with a dot
        are left out. ``.jsonl`` or ``.ndjson``, with `field`; ``.parquet``, ``.arrow`` or ``.feather``, with `column`
        (needs ``w2v[arrow]``); ``.csv`` or ``.tsv`` with `column`, without which they are text like any other. A file
        opened in binary mode.
        A column of pandas, polars, pyarrow or whatever speaks Arrow's PyCapsule protocol, a table of these with
        `column`, a data set of Hugging Face's with `column`. An iterable of str, of lists of str, or of sequences of
        integers. Its first item says which of these all are; None is an empty one.
    tokenizer : {"whitespace", "simple", "simple_preprocess"}, optional
        What the words of a text are (docs/inputs.md). None is as ``"whitespace"``. Lists are divided already.
    column : str, optional
        Of a table. Not needed where it has but one column that can be read.
    field : str, optional
        Of JSON lines: a text, a list of words or a list of integers. Not needed where there is but one that can be.

    Raises
    ------
    TypeError
        The source cannot be read, or a row is of another kind than those before; the latter while it is read.
    ValueError
        No such tokenizer, column or field, or none is named where there are several.
    ModuleNotFoundError
        A file needs pyarrow, which is not installed.

    Notes
    -----
    Words of integers are their decimal digits: the vector of node 42 is ``wv["42"]``.

    Examples
    --------
    >>> from w2v import Texts
    >>> list(Texts(["The end.", "Is it the END?"], tokenizer="simple"))
    [['the', 'end'], ['is', 'it', 'the', 'end']]
    >>> list(Texts([[3, 1, 2], [2, 3]]))
    [['3', '1', '2'], ['2', '3']]
    """

    def __init__(
        self,
        source: Any,
        tokenizer: str | None = None,
        *,
        column: str | None = None,
        field: str | None = None,
    ) -> None:
        if isinstance(source, str | bytes | os.PathLike):
            source = path_of("source", source)
            if not os.path.exists(source):
                raise FileNotFoundError(f"source={os.fspath(source)!r} does not exist; a text itself goes into a list")
        elif not (_is_read(source) or is_column(source) or column is not None or hasattr(source, "__iter__")):
            raise TypeError(f"Texts reads files, columns and iterables, not {type(source).__name__}")
        self.source = source
        self.tokenizer = check_tokenizer("tokenizer", tokenizer)
        self.column, self.field = column, field
        self.documents = False
        if self.files == []:
            raise ValueError(f"{os.fspath(source)!r} is a folder without files")
        form = form_of(source)
        if column is not None and form in ("text", "lines"):
            raise ValueError(f"column={column!r} is for tables, and {source!r:.80} is none; JSON lines have a field=")
        if field is not None and (form in ("table", "cells") or not _is_file(source)):
            raise ValueError(f"field={field!r} is for JSON lines, and {source!r:.80} has none; tables have a column=")

    def __iter__(self) -> Iterator[Any]:
        sentences = sentences_of(self.units(), empty=self.documents)
        if self.documents:
            return (TaggedDocument(words, [row]) for row, words in enumerate(sentences))
        return sentences

    def __repr__(self) -> str:
        options = ((name, getattr(self, name)) for name in ("tokenizer", "column", "field"))
        return f"Texts({', '.join([f'{self.source!r:.60}', *(f'{n}={v!r}' for n, v in options if v is not None)])})"

    def as_documents(self) -> Self:
        """The same with each row a document, tagged with its number, also an empty one."""
        again = type(self)(self.source, self.tokenizer, column=self.column, field=self.field)
        again.documents = True
        return again

    @property
    def reading(self) -> tuple[str | None, ...]:
        """What beside the source decides on the words."""
        return "Texts", self.tokenizer, self.column, self.field

    @property
    def files(self) -> list[str] | None:
        """The files that are read; None where it is something else."""
        if not isinstance(self.source, str | os.PathLike):
            return None
        if not os.path.isdir(self.source):
            return [os.fspath(self.source)]
        inside = sorted(path for path in Path(self.source).iterdir() if path.is_file())
        return [os.fspath(path) for path in inside if not path.name.startswith(".")]

    @property
    def repeatable(self) -> bool:
        """Whether it can be read more than once."""
        if self.files is not None or _is_read(self.source):
            return all(map(can_be_read_again, [self.source] if self.files is None else self.files))
        return not isinstance(self.source, Iterator) and not hasattr(self.source, "read_next_batch")

    def units(self) -> Units:
        """The corpus in pieces for compiled code; see `w2v.text.units`."""
        cleaner = cleaner_of(self.tokenizer)
        if (files := self.files) is not None:
            if any(form_of(file) == "table" for file in files):
                chunks = (chunk for file in files for chunk in _chunks_of_file(file, self.column))
                return units_of_chunks(chunks, _name(self.source, self.column), cleaner)
            if self.column is not None:
                return units_of_items(cells.cells_of(files, self.column), "text", cleaner)
            if self.field is not None or any(form_of(file) == "lines" for file in files):
                return units_of_items(_fields_of(files, self.field), "text", cleaner)
            return Units(units_of_file(file, cleaner) for file in files)
        if _is_read(self.source):
            if self.source.seekable():
                self.source.seek(0)
            if isinstance(self.source.read(0), str):
                raise TypeError("Texts reads files opened in binary mode; open it with mode 'rb'")
            if self.field is not None:
                return units_of_items(_fields_of_file(self.source, self.field, "the input"), "text", cleaner)
            return Units(iter([units_of_file(self.source, cleaner)]))
        return self._units_of_objects(cleaner)

    def _units_of_objects(self, cleaner: Any) -> Units:
        source, column = self.source, self.column
        if _is_data_set(source):
            return units_of_chunks(_chunks_of_data_set(source, column), _name(source, column), cleaner)
        if column is not None or _is_table(source):
            source = _column_of(source, column)
        if speaks_arrow(source) and not (_is_series(source) and _holds_objects(source)):
            return units_of_chunks(_arrow.chunks_of(source), _name(source, column), cleaner)
        if isinstance(source, np.ndarray) and source.dtype.kind in "iu" and source.ndim == 1:
            raise TypeError("an array of integers of one dimension is one sentence; put it into a list")
        return units_of_items(_items_of(source), "row", cleaner)


def _is_read(source: Any) -> bool:
    return hasattr(source, "read") and not hasattr(source, "__arrow_c_stream__")


def _is_file(source: Any) -> bool:
    return isinstance(source, str | os.PathLike) or _is_read(source)


def _name(source: Any, column: str | None) -> str:
    what = os.fspath(source) if isinstance(source, str | os.PathLike) else f"the {type(source).__name__}"
    return what if column is None else f"column {column!r} of {what}"


def form_of(source: Any) -> str:
    """What a path's name tells: ``"table"``, ``"lines"`` (of JSON), ``"cells"`` or ``"text"``; ``""`` if it is none."""
    if not isinstance(source, str | os.PathLike):
        return ""
    name = os.fspath(source)
    if name.endswith(TABLES):
        return "table"
    stem = unpacked_name(name)
    return "lines" if stem.endswith(LINES) else "cells" if stem.endswith(cells.ENDINGS) else "text"


# --- tables -----------------------------------------------------------------------------------------------------


def speaks_arrow(source: Any) -> bool:
    return hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__")


def _is_data_set(source: Any) -> bool:
    """Whether it is a data set of Hugging Face's, or a column of one."""
    return type(source).__module__.split(".")[0] == "datasets"


def _is_series(source: Any) -> bool:
    return type(source).__module__.split(".")[0] == "pandas" and hasattr(source, "array")


def _holds_objects(series: Any) -> bool:
    """Whether a Series of pandas is best read as objects: it has them already, or pandas could not hand over others."""
    return series.dtype == object or find_spec("pyarrow") is None


def _is_table(source: Any) -> bool:
    return hasattr(source, "column_names") or (hasattr(source, "columns") and hasattr(source, "__getitem__"))


def is_column(source: Any) -> bool:
    """Whether an object is a column of a table, or a table, whose type says what its rows are."""
    return speaks_arrow(source) or _is_data_set(source) or _is_series(source)


def _names_of(table: Any) -> list[str]:
    names: Any = getattr(table, "column_names", None)
    return [str(name) for name in (table.columns if names is None else names)]


def chosen(names: list[str], wanted: str | None, what: str, where: str) -> str:
    """The column or field that is asked for, or the only one."""
    shown = ", ".join(map(repr, names[:20])) or "nothing"
    if wanted is None and len(names) != 1:
        raise ValueError(f"{where} has {shown}; say which to read: {what}=")
    if wanted is not None and wanted not in names:
        raise ValueError(f"{what}={wanted!r} is not in {where}, which has {shown}")
    return names[0] if wanted is None else wanted


def _column_of(table: Any, column: str | None) -> Any:
    if not _is_table(table):
        raise ValueError(f"column={column!r} is for tables, and {type(table).__name__} is none")
    return table[chosen(_names_of(table), column, "column", f"the {type(table).__name__}")]


def _items_of(source: Any) -> Iterator[Any]:
    """The rows of a column of pandas without Arrow, in which NaN stands for nothing; anything else as it is."""
    if not _is_series(source):
        return iter(source)
    missing = source.isna().to_numpy()
    if not missing.any():
        return iter(source.to_numpy(object))
    return (None if gone else item for item, gone in zip(source.array, missing, strict=True))


def _chunks_of_data_set(source: Any, column: str | None) -> Iterator[_arrow.Chunk]:
    if hasattr(source, "source") and hasattr(source, "column_name"):  # its Column
        source, column = source.source, source.column_name
    if not hasattr(source, "with_format"):
        names = ", ".join(map(repr, source)) if hasattr(source, "keys") else type(source).__name__
        raise TypeError(f"this is several data sets, {names}; take one of them")
    name = chosen(list(source.column_names or [column]), column, "column", f"the {type(source).__name__}")
    for table in source.select_columns([name]).with_format("arrow").iter(ROWS_OF_DATA_SET):
        yield from _arrow.chunks_of(table.column(name))


def _pyarrow(path: Pathlike) -> Any:
    try:
        import pyarrow
    except ImportError:
        raise ModuleNotFoundError(f"{os.fspath(path)} needs an extra: pip install 'w2v[arrow]'") from None
    return pyarrow


def _readable(schema: Any, pyarrow: Any) -> list[str]:
    """The columns that hold text or lists."""
    types = pyarrow.types
    return [
        field.name
        for field in schema
        if types.is_string(field.type)
        or types.is_large_string(field.type)
        or types.is_string_view(field.type)
        or types.is_list(field.type)
        or types.is_large_list(field.type)
        or types.is_dictionary(field.type)
    ]


def _chunks_of_file(path: str, column: str | None) -> Iterator[_arrow.Chunk]:
    """The chunks of a column of a file, in order; of Parquet a thread decodes the next batches meanwhile."""
    pyarrow = _pyarrow(path)
    if path.endswith(".parquet"):
        from pyarrow import parquet

        try:
            with parquet.ParquetFile(path, memory_map=True) as plain:
                schema = plain.schema_arrow
                names = schema.names if column is not None else _readable(schema, pyarrow)
                name = chosen(names, column, "column", path)
                leaves = [plain.schema.column(leaf).path for leaf in range(len(plain.schema))]
                words = [leaf for leaf in leaves if leaf.startswith(f"{name}.")]
                with (
                    parquet.ParquetFile(path, memory_map=True, read_dictionary=words) as indexed,
                    ThreadPoolExecutor(1) as pool,  # which ends before the files close
                ):
                    groups = range(plain.num_row_groups)
                    rows = chain.from_iterable(_rows_of_group(indexed, plain, group, name, pyarrow) for group in groups)
                    for _, batch in ahead(pool, repeat((None, next, (rows, None))), 2):
                        if batch is None:
                            break
                        yield from _arrow.chunks_of(batch)
        except pyarrow.ArrowInvalid as error:
            raise OSError(f"cannot read {path}, it may be damaged or cut short: {error}") from error
        return
    try:
        with pyarrow.memory_map(path) as source:
            try:
                opened = pyarrow.ipc.open_file(source)
                batches: Any = map(opened.get_batch, range(opened.num_record_batches))
            except pyarrow.ArrowInvalid:  # the format without an index, as data sets keep it
                source.seek(0)
                batches = opened = pyarrow.ipc.open_stream(source)
            names = opened.schema.names if column is not None else _readable(opened.schema, pyarrow)
            name = chosen(names, column, "column", path)
            for batch in batches:
                batch.column(name).validate(full=True)  # such a file holds offsets as they are, and nobody checks them
                yield from _arrow.chunks_of(batch.column(name))
    except pyarrow.ArrowInvalid as error:
        raise OSError(f"cannot read {path}, it may be damaged or cut short: {error}") from error


def _rows_of_group(indexed: Any, plain: Any, group: int, name: str, pyarrow: Any) -> Iterator[Any]:
    """The rows of a group: words of lists as numbers of its dictionary, which takes a third of the time.

    pyarrow cannot read rows so in which a new dictionary begins; then the rest of the group is read as strings.
    """
    done = 0  # one column has no use for pyarrow's threads, which cost a third more
    try:
        for batch in indexed.iter_batches(ROWS, row_groups=[group], columns=[name], use_threads=False):
            yield batch.column(0)
            done += len(batch)
    except pyarrow.ArrowNotImplementedError:
        for batch in plain.iter_batches(ROWS, row_groups=[group], columns=[name], use_threads=False):
            if done < len(batch):
                yield batch.column(0).slice(done)
            done = max(0, done - len(batch))


# --- JSON lines -------------------------------------------------------------------------------------------------


def _fields_of(files: list[str], field: str | None) -> Iterator[Any]:
    for path in files:
        with open_binary(path) as file:
            yield from _fields_of_file(file, field, path)


def _fields_of_file(file: IO[bytes], field: str | None, name: str) -> Iterator[Any]:
    """The value of a field in each line; lines of white space are passed over."""
    parse = json.JSONDecoder().decode
    for number, line in enumerate(io.BufferedReader(file, 1 << 20) if isinstance(file, io.RawIOBase) else file, 1):
        if not line.strip():
            continue
        try:
            record = parse(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError as error:
            error.reason += f" in line {number:,}{not_utf8(error.start, name)}"
            raise
        except (ValueError, RecursionError) as error:
            raise ValueError(f"line {number:,} of {name} is not JSON: {error}") from None
        if not isinstance(record, dict):
            raise ValueError(f"line {number:,} of {name} is {record!r:.60}, not an object with fields")
        if field is None:
            field = chosen([key for key, value in record.items() if kind_of(value or 0)], None, "field", name)
        if field not in record:
            shown = ", ".join(map(repr, list(record)[:20])) or "nothing"
            raise ValueError(f"field={field!r} is not in line {number:,} of {name}, which has {shown}")
        yield record[field]


def needs_texts(path: Pathlike) -> bool:
    """Whether a file's name tells that it is no plain text."""
    return form_of(path) in ("table", "lines")
