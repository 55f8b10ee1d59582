"""An atlas: the points of one map or of several, and all that its page or table says of them."""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from w2v.atlas import page, parquet
from w2v.atlas.points import Colouring, Sheet, Space
from w2v.common.public import public
from w2v.files.reading import Pathlike
from w2v.files.writing import atomic_write

Array = NDArray[Any]

LONGEST_NAME = 300  # characters of a name, of which a page could show no more


@public
class Atlas:
    """Points on one or more maps. `save` writes a page, `to_parquet` a table for Embedding Atlas.

    `KeyedVectors.map`, `Word2Vec.map`, `Topics.map` and `w2v.align.draw_map` make one.

    Attributes
    ----------
    names : list of str
        Of the points, the most important first.
    kinds : uint8 [points]
        0 for words, 1 for documents, 2 for topics.
    sheets : list of Sheet
    colourings : list of Colouring
    moved : list of (int, float)
        Points that lie elsewhere on the second map, and their cosine between both.
    title, note : str
    """

    def __init__(
        self,
        names: Sequence[Any],
        sheets: Iterable[Sheet],
        *,
        weights: ArrayLike | None = None,
        kinds: ArrayLike | None = None,
        colourings: Iterable[Colouring] = (),
        moved: Iterable[tuple[int, float]] = (),
        title: str = "Map",
        note: str = "",
    ) -> None:
        """Put points in the order of their importance.

        Parameters
        ----------
        names : sequence [points]
        sheets : iterable of Sheet
        weights : float [points], optional
            Importance: labels of heavy points appear first. By default the given order.
        kinds : int [points], optional
        colourings, moved, title, note
        """
        count = len(names)
        order = np.arange(count) if weights is None else np.argsort(-np.asarray(weights, np.float64), kind="stable")
        place = np.empty(count, np.int64)
        place[order] = np.arange(count)
        self.names = [_shown(names[row]) for row in order.tolist()]
        self.kinds = (np.zeros(count) if kinds is None else np.asarray(kinds))[order].astype(np.uint8)
        self.sheets = [
            Sheet(
                sheet.name,
                np.asarray(sheet.places, np.float32)[order],
                [Space(name, _renumbered(rows[order], place), cosines[order]) for name, rows, cosines in sheet.spaces],
            )
            for sheet in sheets
        ]
        self.colourings = [one._replace(values=np.asarray(one.values)[order]) for one in colourings]
        self.moved = [(int(place[point]), float(cosine)) for point, cosine in moved]
        self.title, self.note = title, note

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"Atlas<{len(self):,} points, {len(self.sheets)} {'map' if len(self.sheets) == 1 else 'maps'}>"

    def to_html(self) -> str:
        """The page: one file with all that it needs, which loads nothing. Equal atlases give equal pages."""
        return page.html_of(self)

    def save(self, path: Pathlike) -> None:
        """Write the page to a file, atomically."""
        data = self.to_html().encode("utf-8")
        with atomic_write(path) as file:
            file.write(data)

    def to_parquet(self, path: Pathlike) -> None:
        """Write a table for Embedding Atlas: ``x``, ``y``, ``text``, ``kind``, ``neighbors``, a column per colouring.

        ``embedding-atlas table.parquet --text text --x x --y y --neighbors neighbors`` opens it. The first map is
        written, with the neighbours of its first space.

        Raises
        ------
        ImportError
            pyarrow is not installed: it comes with ``w2v[parquet]``.
        """
        parquet.write(self, os.fspath(path))


def _shown(name: Any) -> str:
    text = str(name)
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"


def _renumbered(rows: Array, place: Array) -> NDArray[np.int64]:
    return np.where(rows < 0, -1, place[rows])
