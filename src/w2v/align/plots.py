"""The figure of a word's way from one space to another: its place in both, among the words that are near it in each."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from w2v.align.maps import Map
from w2v.common import checks
from w2v.common.figures import COLOURS, new_figure
from w2v.vectors.keyed import KeyedVectors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BEFORE, AFTER = COLOURS[:2]
BOTH = "0.35"
PASSES = 200  # over all labels, to move them apart
TRIED = 1000  # neighbours looked through for words of both sides


def draw_way(found: Map, word: Any, k: int = 8, names: tuple[str, str] = ("before", "after")) -> "Figure":
    """Draw where a word stands in both spaces, and the words nearest to it in each.

    Everything is drawn in the space of the target, in the two directions in which the words shown differ most. A word
    that both sides have stands where the target has it (after Hamilton et al. 2016, arXiv:1605.09096, figure 1).

    Parameters
    ----------
    found : Map
        From the space of before to that of after.
    word : str
        Both sides have it.
    k : int, default 8
        How many neighbours of each side.
    names : (str, str), default ("before", "after")
        What the two spaces are called in the figure.

    Returns
    -------
    matplotlib.figure.Figure
        ``figure.savefig(path)`` writes it; no window is opened.

    Raises
    ------
    ImportError
        matplotlib is not installed: it comes with ``w2v[plot]``.
    KeyError
        One of the sides lacks the word.
    """
    figure, axes = new_figure(7.2, 5.0)
    count = checks.integer("k", k, 1)
    before, after = _near(found.source, word, found.target, count), _near(found.target, word, found.source, count)
    others = list(dict.fromkeys([*before, *after]))
    places = _flat(_places(found, word, others))
    labels = []
    for place, other in zip(places[2:], others, strict=True):
        colour = BOTH if other in before and other in after else BEFORE if other in before else AFTER
        axes.plot(*place, "o", color=colour, markersize=3)
        labels.append(axes.annotate(str(other), place, color=colour, fontsize=9, ha="center", va="bottom"))
    start, end = places[0], places[1]
    arrow = {"arrowstyle": "-|>", "color": "black", "linewidth": 1.6, "shrinkA": 5, "shrinkB": 5}
    axes.annotate("", end, start, arrowprops=arrow)
    for place, colour, name in ((start, BEFORE, names[0]), (end, AFTER, names[1])):
        axes.plot(*place, "o", color=colour, markersize=8, zorder=3)
        style: dict[str, Any] = {"color": colour, "fontsize": 11, "fontweight": "bold", "ha": "center", "va": "bottom"}
        labels.append(axes.annotate(f"{word}, {name}", place, **style))
    axes.margins(0.12)
    _part(figure, axes, labels)
    key = [axes.plot([], [], "o", color=colour)[0] for colour in (BEFORE, AFTER, BOTH)]
    told = [f"near {word} {names[0]}", f"near {word} {names[1]}", "near it in both"]
    figure.legend(key, told, loc="outside upper center", ncols=3, frameon=False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("0.8")
    return figure


def _near(space: KeyedVectors, word: Any, other: KeyedVectors, count: int) -> list[Any]:
    """The nearest words that the other side has, too."""
    found = space.most_similar(word, topn=min(TRIED, len(space) - 1))
    return [near for near, _ in found if near in other.key_to_index][:count]


def _places(found: Map, word: Any, others: list[Any]) -> NDArray[np.float64]:
    """Unit rows in the target's space: the word before, the word after, and the others."""
    before = found.transform(found.source.get_vector(word))[None]
    after = found.target[[word, *others]]
    rows = np.concatenate([before, after]).astype(np.float64)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float64)


def _flat(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Their places in the two directions in which they differ most, with signs that make the first row positive."""
    centred = rows - rows.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    flat = centred @ directions[:2].T
    return np.asarray(flat * np.where(flat[0] < 0, -1, 1), np.float64)


def _part(figure: "Figure", axes: Any, labels: list[Any]) -> None:
    """Move labels up or down until none covers another."""
    figure.draw_without_rendering()
    for _ in range(PASSES):
        moved = False
        boxes = [label.get_window_extent().padded(1) for label in labels]
        for i, box in enumerate(boxes):
            for j in range(i):
                if not box.overlaps(boxes[j]):
                    continue
                moved = True
                upper, lower = (i, j) if box.y0 + box.y1 >= boxes[j].y0 + boxes[j].y1 else (j, i)
                step = min(boxes[upper].y1, boxes[lower].y1) - max(boxes[upper].y0, boxes[lower].y0)
                for number, way in ((upper, 1), (lower, -1)):
                    at = axes.transData.transform(labels[number].get_position())
                    moved_to = at[0], at[1] + way * (step / 2 + 0.5)
                    labels[number].set_position(axes.transData.inverted().transform(moved_to))
                    boxes[number] = labels[number].get_window_extent().padded(1)
        if not moved:
            return
