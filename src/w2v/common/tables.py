"""Records as tables that a person can read, and as values that JSON holds."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from w2v.common.terminal import printable


def without_nan(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def format_table(records: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> str:
    """Lay records out as a Markdown table that a person can read.

    Parameters
    ----------
    records : sequence of dict
    columns : sequence of str, optional
        Keys, in this order; by default all keys of the first record.

    Returns
    -------
    str
        Numbers to three digits behind the point, large ones without any; lists with blanks between; ``-`` for None.
    """
    columns = list(columns or (records[0] if records else ()))
    rows = [columns, *([_cell(record.get(column)) for column in columns] for record in records)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(columns))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def _cell(value: Any) -> str:
    if value is None or without_nan(value) is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}"
    if isinstance(value, list | tuple):
        return " ".join(map(_cell, value))
    return f"{value:,}" if type(value) is int else printable(str(value))
