"""Tests of numbered tables in the documentation: `fault` ties a test to a row, so that new numbers rename no test."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


def fault(row: int) -> Callable[[Any], Any]:
    """Mark a test as that of a row; it goes above all other decorators."""

    def mark(test: Any) -> Any:
        test.row = row
        return test

    return mark


def rows_of(page: Path) -> list[int]:
    """The numbers of the rows of a page, which must run from 1 on."""
    rows = [int(row) for row in re.findall(r"^\| (\d+) \|", page.read_text(encoding="utf-8"), re.MULTILINE)]
    assert rows == list(range(1, len(rows) + 1))
    return rows


def rows_shown(items: Iterable[Any]) -> list[int]:
    """The rows that have tests among the items of a module, in rising order."""
    return sorted(item.row for item in items if isinstance(getattr(item, "row", None), int))
