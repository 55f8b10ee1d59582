"""Two models side by side on one map, and the words that moved."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.align.maps import Map
from w2v.align.pairs import shared_rows
from w2v.atlas.atlas import Atlas
from w2v.atlas.points import Colouring, Sheet, Space
from w2v.common import checks
from w2v.vectors import mapping
from w2v.vectors.keyed import KeyedVectors

MOVED = 50


def draw_map(
    found: Map,
    names: tuple[str, str] = ("before", "after"),
    most: int | None = mapping.MOST,
    *,
    layout: str | None = None,
    neighbors: int = mapping.NEIGHBORS,
    moved: int = MOVED,
    restrict: int | None = 10_000,
    seed: int = 1,
    title: str = "Two models",
) -> Atlas:
    """Put the words of two models on two maps side by side, in one space, and list the words that moved.

    Both maps have the same axes: a word that both models use alike is in the same place on both.

    Parameters
    ----------
    found : Map, of `w2v.align.fit`
    names : pair of str
        What source and target are called.
    most : int or None, default 20000
        So many of the most frequent words of each model.
    layout : {"umap", "pca"}, optional
        As in `KeyedVectors.map`. With UMAP the words of both models are placed together.
    neighbors : int, default 10
        Nearest words in each model, exact, among those on its map.
    moved, restrict : int
        How many words to list, and among how many of the most frequent of both; see `Map.shifted`.
    seed, title
        As in `KeyedVectors.map`.

    Raises
    ------
    ValueError
        `names` are not two.
    """
    first, second = _checked(names)
    way = mapping.check_layout(layout)
    sides = [found.transform(_first(found.source, most)), _first(found.target, most)]
    prepared = [found._mapped()[: len(sides[0])], found._targets()[: len(sides[1])]]
    index: dict[Any, int] = {}
    rows = [np.array([index.setdefault(key, len(index)) for key in side.index_to_key], np.int64) for side in sides]
    together = np.concatenate(prepared)
    nearest = mapping.nearest_of(together, mapping.NEIGHBORS)
    places = np.split(mapping.places_of(together, nearest, way, seed, False), [len(rows[0])])
    sheets = []
    for name, units, own, where in zip((first, second), prepared, rows, places, strict=True):
        near = mapping.nearest_of(units, neighbors)
        _, numbers, cosines = mapping.space_of("used alike", near, neighbors)
        space = Space("used alike", _spread(own[numbers], own, len(index), -1), _spread(cosines, own, len(index), 0))
        sheets.append(Sheet(name, _spread(where, own, len(index)), [space]))
    shifts = np.full(len(index), np.nan)
    shared = shared_rows(*sides)
    shifts[rows[0][shared[:, 0]]] = np.vecdot(prepared[0][shared[:, 0]], prepared[1][shared[:, 1]])
    weights = np.zeros(len(index))
    for side, own in zip(sides, rows, strict=True):
        weights[own] = np.maximum(weights[own], 1 / (1 + np.arange(len(side))))
    # Those that are on both maps: what `shifted` gives is in the order of the cosines.
    everyone = found.shifted(len(found.source), restrict)
    listed = [(index[word], cosine) for word, cosine in everyone if word in index and not np.isnan(shifts[index[word]])]
    return Atlas(
        list(index),
        sheets,
        weights=weights,
        colourings=[
            Colouring("moved (1 less the cosine)", 1 - shifts),
            Colouring("rank", 1 / np.maximum(weights, 1e-12), logarithmic=True),
            _whose(rows, len(index), (first, second)),
        ],
        moved=listed[: checks.integer("moved", moved, 0)],
        title=title,
        note=f"{first} was turned into the space of {second}. A word's cosine between both is beside the words that "
        "moved; of a rare word much of it is chance.",
    )


def _checked(names: tuple[str, str]) -> tuple[str, str]:
    if isinstance(names, str) or len(names) != 2:
        raise ValueError(f"names={names!r} must be two names, of source and target")
    return str(names[0]), str(names[1])


def _first(vectors: KeyedVectors, most: int | None) -> KeyedVectors:
    count = len(vectors) if most is None else min(checks.integer("most", most, 1), len(vectors))
    return KeyedVectors.from_arrays(list(vectors.index_to_key[:count]), vectors.peek()[:count])


def _spread(values: Any, own: NDArray[np.int64], count: int, none: float = np.nan) -> NDArray[Any]:
    """Rows of a model as rows of all points."""
    whole = np.full((count, values.shape[1]), none, values.dtype)
    whole[own] = values
    return whole


def _whose(rows: list[NDArray[np.int64]], count: int, names: tuple[str, str]) -> Colouring:
    has = np.zeros((2, count), bool)
    for number, own in enumerate(rows):
        has[number, own] = True
    return Colouring("in", np.where(has[0] & has[1], 2, np.where(has[0], 0, 1)), [*names, "both"])
