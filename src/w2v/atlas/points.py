"""What is said of the points of a map: where they are, what is near, how they are coloured."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

KINDS = ("word", "document", "topic")


class Space(NamedTuple):
    """The neighbours of points in one space.

    Attributes
    ----------
    name : str, such as "used alike"
    rows : int [points, k], the nearest first; -1 where there are fewer
    cosines : float [points, k]
    """

    name: str
    rows: Array
    cosines: Array


class Sheet(NamedTuple):
    """One map: a place for each point.

    Attributes
    ----------
    name : str
    places : float [points, 2]; NaN for a point that is not on this map
    spaces : list of Space
    """

    name: str
    places: Array
    spaces: list[Space]


class Colouring(NamedTuple):
    """What points are coloured by, and what the page tells of each.

    Attributes
    ----------
    name : str
    values : [points]; numbers of a scale (NaN for none), or with `categories` their numbers (-1 for none)
    categories : list of str or None
    none : str, what points without a category are
    logarithmic : bool, whether the colours follow the logarithm
    """

    name: str
    values: Array
    categories: list[str] | None = None
    none: str = "none"
    logarithmic: bool = False


def unit_square(places: Array) -> NDArray[np.float32]:
    """Places moved and scaled, both axes alike, so that all lie between -1 and 1; NaN stays."""
    known = places[~np.isnan(places).any(axis=1)]
    if not len(known):
        return np.asarray(places, np.float32)
    low, high = known.min(axis=0), known.max(axis=0)
    span = float((high - low).max()) or 1.0
    return np.asarray((places - (low + high) / 2) * (2 / span), np.float32)


def scale_of(values: Array, logarithmic: bool) -> NDArray[np.float32]:
    """Values of a scale as a page colours them."""
    exact = np.asarray(values, np.float64)
    if logarithmic:
        exact = np.log(np.where(exact > 0, exact, math.nan))
    return exact.astype(np.float32)
