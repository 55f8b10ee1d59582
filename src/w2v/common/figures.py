"""Figures: how all of them begin. matplotlib is loaded when the first is drawn."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe & Ito 2008: people of any colour vision can tell these apart; markers and lines tell them apart without colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = "osD^vPX"


def new_figure(width: float = 6.4, height: float = 4.0) -> tuple["Figure", Any]:
    """An empty figure of so many inches, and its axes; no window is opened.

    Raises
    ------
    ImportError
        matplotlib is not installed: it comes with ``w2v[plot]``.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("figures need matplotlib; pip install 'w2v[plot]'") from error
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    return figure, figure.add_subplot()


def check_ending(path: str | os.PathLike[str]) -> None:
    """Raise ValueError if matplotlib has no such kind of file, ImportError if it is not there."""
    ending = os.path.splitext(os.fspath(path))[1]
    known = new_figure()[0].canvas.get_supported_filetypes()
    if ending[1:] not in known:
        raise ValueError(f"{os.fspath(path)!r} must end in one of {', '.join(f'.{kind}' for kind in sorted(known))}")
