"""Tables as text, as spreadsheets save them: ``.csv`` and ``.tsv``, a row a text."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from w2v.files.reading import open_binary

ENDINGS = (".csv", ".tsv")
SEPARATORS = ",;\t"


def columns_of(path: str) -> list[str]:
    """The names in the first row of a file."""
    with _rows(path) as rows:
        return next(rows, [])


def cells_of(paths: Sequence[str], column: str) -> Iterator[str]:
    """The texts of a column, of one file after the other; a row that is too short has none.

    Raises
    ------
    ValueError
        A file has no such column, or cannot be divided.
    UnicodeDecodeError
        It is not UTF-8.
    """
    for path in paths:
        with _rows(path) as rows:
            names: list[str] = next(rows, [])
            if column not in names:
                shown = ", ".join(map(repr, names[:20])) or "nothing"
                raise ValueError(f"column={column!r} is not in {path}, which has {shown}")
            place = names.index(column)
            for row in rows:
                yield row[place] if place < len(row) else ""


@contextmanager
def _rows(path: str) -> Iterator[Any]:
    """The rows of a file; what stands between cells is what the first line has most of."""
    try:
        with open_binary(path) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
            first = text.readline()
            separator = max(SEPARATORS, key=first.count)

            def lines() -> Iterator[str]:
                yield first
                yield from text

            yield csv.reader(lines(), delimiter=separator)
    except UnicodeDecodeError as error:
        error.reason += f", in {path}; is it UTF-8? Spreadsheets save that as 'CSV UTF-8'"
        raise
    except csv.Error as error:
        raise ValueError(f"{path} cannot be divided into cells: {error}") from None
