"""Tables for notebooks: HTML of plain parts, every text escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any


def table(rows: Iterable[Sequence[Any]], head: Sequence[Any] = (), caption: str = "") -> str:
    """Lay out rows as an HTML table; numbers stand at the right, floats with four digits behind the point."""
    parts = ["<table>"]
    if caption:
        parts.append(f"<caption>{escape(caption)}</caption>")
    if head:
        parts.append("<thead><tr>" + "".join(f"<th>{escape(str(name))}</th>" for name in head) + "</tr></thead>")
    parts += ["<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows]
    return "".join([*parts, "</table>"])


def facts(name: str, values: Mapping[str, Any]) -> str:
    """Lay out named values, a row each."""
    return table(values.items(), caption=name)


def _cell(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"<td>{escape(str(value))}</td>"
    return f'<td style="text-align:right">{f"{value:,}" if isinstance(value, int) else f"{value:.4f}"}</td>'


class Neighbors(list[tuple[Any, float]]):
    """A list of keys and their cosines, which a notebook shows as a table."""

    def _repr_html_(self) -> str:
        return table(((key, float(cosine)) for key, cosine in self), ("key", "cosine"))
