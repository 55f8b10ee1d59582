"""Figures of topics: sizes, words, the tree, what comes back. Each gives a matplotlib Figure; no window is opened."""

from typing import TYPE_CHECKING, Any

import numpy as np

from w2v.common import checks
from w2v.common.figures import COLOURS, MARKERS, new_figure
from w2v.common.terminal import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from w2v.topics.topics import Topics

LABEL_WORDS = 3


def label(topics: "Topics", topic: int, count: int = LABEL_WORDS) -> str:
    """A topic's number and first words; a dollar sign begins no formula."""
    return printable(f"{topic}: " + " ".join(word for word, _ in topics.words(topic, count))).replace("$", r"\$")


def _rows(topics: "Topics", most: int) -> tuple["Figure", Any, list[int]]:
    """A figure with a row for each of the first topics, from above."""
    shown = list(range(min(len(topics), checks.integer("most", most, 1))))
    if not shown:
        raise ValueError("there are no topics to draw")
    figure, axes = new_figure(6.4, 1.2 + 0.24 * len(shown))
    axes.set_yticks(range(len(shown)), [label(topics, topic) for topic in shown], fontsize=8)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes, shown


def draw_sizes(topics: "Topics", most: int = 30) -> "Figure":
    """Draw how many documents each topic has, in its dense region and around it.

    Parameters
    ----------
    topics : Topics
    most : int, default 30
        Of more topics only the largest are drawn.

    Raises
    ------
    ImportError
        matplotlib is not installed: it comes with ``w2v[plot]``.
    ValueError
        There are no topics.
    """
    figure, axes, shown = _rows(topics, most)
    core = np.array([((topics.topics == topic) & (topics.areas >= 0)).sum() for topic in shown])
    rest = topics.sizes[shown] - core
    axes.barh(shown, core, color=COLOURS[0], label="in a dense region")
    axes.barh(shown, rest, left=core, color=COLOURS[5], label="around it (noise)")
    axes.set_xlabel("documents")
    axes.legend(frameon=False, loc="lower right")
    return figure


def draw_words(topics: "Topics", chosen: list[int] | None = None, words: int = 8) -> "Figure":
    """Draw the words nearest to topics as bars of their cosines, a small picture for each topic.

    Parameters
    ----------
    topics : Topics
    chosen : list of int, optional
        By default the six largest.
    words : int, default 8
    """
    if not len(topics):
        raise ValueError("there are no topics to draw")
    numbers = list(range(min(6, len(topics)))) if chosen is None else [topics._topic("chosen", t) for t in chosen]
    columns = min(3, len(numbers))
    rows = -(-len(numbers) // columns)
    figure, whole = new_figure(2.4 * columns + 0.4, (0.7 + 0.2 * words) * rows)
    whole.remove()
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
    for place, axes in enumerate(grid.flat):
        if place >= len(numbers):
            axes.remove()
            continue
        found = topics.words(numbers[place], words)
        axes.barh(range(len(found)), [cosine for _, cosine in found], color=COLOURS[place % 6])
        axes.set_yticks(range(len(found)), [printable(word).replace("$", r"\$") for word, _ in found], fontsize=8)
        axes.invert_yaxis()
        axes.set_title(f"topic {numbers[place]}, {topics.sizes[numbers[place]]:,} documents", fontsize=9)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    figure.supxlabel("cosine with the topic", fontsize=9)
    return figure


def draw_tree(topics: "Topics") -> "Figure":
    """Draw the tree of the topics as they were found; the longer a branch, the less its documents belong together.

    The leaves are named as topics are that have not been reduced or merged; after `Topics.reduce` the colours say which
    leaves are one topic.
    """
    count = topics.tree.leaves
    if len(topics) < 1 or count < 2:
        raise ValueError("a tree needs two topics")
    figure, axes = new_figure(6.4, 1.0 + 0.2 * count)
    height: dict[int, float] = dict.fromkeys(range(count), 0.0)
    place: dict[int, float] = {}
    order = topics.tree.in_order(2 * count - 2)
    place.update({leaf: float(row) for row, leaf in enumerate(order)})
    owner = {leaf: number for number, members in enumerate(topics.origins) for leaf in members}
    for step, (left, right) in enumerate(topics.tree.pairs.tolist()):
        node, top = count + step, float(topics.tree.heights[step])
        owners = {owner[leaf] for leaf in topics.tree.members(node)}
        colour = COLOURS[owners.pop() % 6] if len(owners) == 1 and len(topics) < count else "0.35"
        xs, ys = [height[left], top, top, height[right]], [place[left], place[left], place[right], place[right]]
        axes.plot(xs, ys, color=colour, linewidth=1)
        height[node], place[node] = top, (place[left] + place[right]) / 2
    whole = topics if len(topics) == count else topics.reduce(count)
    named = {members[0]: label(whole, number) for number, members in enumerate(whole.origins)}
    axes.set_yticks(range(count), [named[leaf] for leaf in order], fontsize=7)
    axes.set_ylim(count - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel("cost of joining (Ward)")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure


def draw_stability(topics: "Topics", most: int = 30) -> "Figure":
    """Draw how much of each topic's words and documents comes back; see `Topics.measure_stability`.

    Raises
    ------
    ValueError
        It was not measured, or there are no topics.
    """
    if topics.stability is None:
        raise ValueError("stability was not measured; call measure_stability")
    figure, axes, shown = _rows(topics, most)
    for number, (name, values) in enumerate(
        (("documents", topics.stability.documents), ("words", topics.stability.words))
    ):
        axes.plot(values[shown], shown, MARKERS[number], color=COLOURS[number], label=f"its {name}")
    axes.set_xlim(-0.02, 1.02)
    axes.grid(axis="y", color="0.9")
    sample = "bootstrap samples" if topics.stability.vary == "bootstrap" else "other seeds"
    axes.set_xlabel(f"mean Jaccard index over {topics.stability.runs} {sample}")
    axes.legend(frameon=False)
    return figure
