"""Maps of words: where `kv.map()` gets its places and neighbours from."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.atlas import layout
from w2v.atlas.atlas import Atlas
from w2v.atlas.points import Colouring, Sheet, Space, unit_square
from w2v.common import checks
from w2v.common.progress import progress_bar
from w2v.vectors import queries
from w2v.vectors.lookup import Array
from w2v.vectors.resolving import Resolving

MOST = 20_000
NEIGHBORS = 10
AT_ONCE = 1024  # rows whose neighbours are looked for between two steps of a bar


class Mapped(Resolving):
    """`map`."""

    def map(
        self,
        most: int | None = MOST,
        *,
        layout: str | None = None,
        neighbors: int = NEIGHBORS,
        seed: int = 1,
        title: str = "Words",
        progress: bool | None = None,
    ) -> Atlas:
        """Put words on a plane, for `Atlas.save` to write as a page that a browser opens from disk.

        Parameters
        ----------
        most : int or None, default 20000
            So many of the first (most frequent) words; None for all.
        layout : {"umap", "pca"}, optional
            UMAP, which keeps neighbours together and needs ``w2v[topics]``, or the first two principal components. By
            default UMAP if it is installed.
        neighbors : int, default 10
            Nearest words that the page tells of each, exact, among those on the map.
        seed : int, default 1
            Of UMAP; it runs in one thread, and gives the same places every time.
        title : str
        progress : bool, optional

        Returns
        -------
        Atlas
        """
        count = len(self) if most is None else min(checks.integer("most", most, 1), len(self))
        if not count:
            raise ValueError("there are no words to put on a map")
        units = queries.unit_rows(self.peek()[:count], queries.row_norms(self.peek()[:count]))
        way = check_layout(layout)
        checks.integer("neighbors", neighbors, 1, 100)
        with progress_bar(progress, desc="neighbours", total=count, unit=" words") as bar:
            nearest = nearest_of(units, neighbors, bar)
        places = places_of(units, nearest, way, seed, progress)
        spaces = [space_of("used alike", nearest, neighbors)]
        return Atlas(
            self.index_to_key[:count],
            [Sheet(title, places, spaces)],
            colourings=by_frequency(self, count),
            title=title,
            note=note_of(way, count, len(self)),
        )


def check_layout(way: str | None) -> str:
    """The way that is asked for, or the best one that is installed."""
    return layout.check_way("layout", way or ("umap" if layout.is_installed("umap") else "pca"))


def nearest_of(units: Array, count: int, bar: Any = None) -> tuple[NDArray[np.int64], Array]:
    """The rows nearest to each row, itself first, as many as a map and UMAP need, and the cosines."""
    wanted = min(len(units), max(count + 1, layout.NEIGHBORS))
    rows, cosines = np.empty((len(units), wanted), np.int64), np.empty((len(units), wanted), np.float32)
    ones = np.ones(len(units), np.float32)
    for start in range(0, len(units), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        rows[part], cosines[part] = queries.nearest_rows(units[part], units, ones, wanted)
        if bar is not None:
            bar.update(len(units[part]))
    return itself_first(rows, cosines)


def itself_first(rows: NDArray[np.int64], cosines: Array) -> tuple[NDArray[np.int64], Array]:
    """Each row begins with itself, also where others are equal to it."""
    own = np.arange(len(rows))
    at = np.where((rows == own[:, None]).any(axis=1), (rows == own[:, None]).argmax(axis=1), rows.shape[1] - 1)
    # What stood before moves up by one place; the last is dropped where it was not among them.
    places = np.arange(rows.shape[1])[None]
    source = np.where(places == 0, at[:, None], np.where(places <= at[:, None], places - 1, places))
    rows, cosines = np.take_along_axis(rows, source, 1), np.take_along_axis(cosines, source, 1)
    rows[:, 0] = own
    return rows, cosines


def space_of(name: str, nearest: tuple[NDArray[np.int64], Array], count: int) -> Space:
    """The neighbours that a page tells, without the point itself."""
    return Space(name, nearest[0][:, 1 : count + 1], nearest[1][:, 1 : count + 1])


def space_across(name: str, asked: Array, answers: Array, count: int) -> Space:
    """The rows of other vectors of the same words that are nearest to each of theirs, without the word itself."""
    units = queries.unit_rows(asked, queries.row_norms(asked))
    rows, cosines = queries.nearest_rows(units, answers, None, count + 1)
    others = rows != np.arange(len(rows))[:, None]
    # Where the word itself is not among them, the last is one too many.
    first = np.argsort(~others, axis=1, kind="stable")[:, : min(count, rows.shape[1] - 1)]
    return Space(name, np.take_along_axis(rows, first, 1), np.take_along_axis(cosines, first, 1))


def places_of(
    units: Array, nearest: tuple[NDArray[np.int64], Array], way: str, seed: int, progress: bool | None
) -> NDArray[np.float32]:
    """Places on a plane, float32 [rows, 2], between -1 and 1."""
    if way == "pca":
        return unit_square(layout.pca(units, 2))
    near = tuple(part[:, : layout.NEIGHBORS] for part in nearest)
    return unit_square(layout.umap(units, near, 2, seed=seed, progress=bool(progress)))  # type: ignore[arg-type]


def by_frequency(vectors: Any, count: int) -> list[Colouring]:
    """The frequency of the first words, where it is known; else their rank."""
    if "count" in vectors.expandos:
        values = np.asarray(vectors.expandos["count"][:count], np.float64)
        return [Colouring("frequency", values, logarithmic=True)]
    return [Colouring("rank", np.arange(1, count + 1), logarithmic=True)]


def note_of(way: str, shown: int, known: int) -> str:
    part = "" if shown == known else f"The {shown:,} most frequent of {known:,} words. "
    axes = "the first two principal components" if way == "pca" else "UMAP"
    return f"{part}Places by {axes}: near points are alike, far ones need not be unlike; lists give the exact cosines."
