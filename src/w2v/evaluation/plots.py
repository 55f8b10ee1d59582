"""The figure of an evaluation: scores and their intervals, a line for each test and measure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from w2v.common.figures import COLOURS, MARKERS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_scores(scores: Sequence[Any]) -> "Figure":
    """Draw scores of whole tests; see `w2v.evaluation.report.Evaluation.plot`."""
    lines = list(dict.fromkeys((score.task, score.measure) for score in scores))
    models = list(dict.fromkeys(score.model for score in scores))
    figure, axes = new_figure(6.4, 1.2 + 0.28 * len(lines) * max(1.0, 0.45 * len(models)))
    for number, model in enumerate(models):
        own = [score for score in scores if score.model == model and score.value == score.value]
        places = [
            lines.index((score.task, score.measure)) + 0.7 * ((number + 0.5) / len(models) - 0.5) for score in own
        ]
        values = [score.value for score in own]
        errors = [[score.value - score.low for score in own], [score.high - score.value for score in own]]
        axes.errorbar(
            values, places, xerr=errors, fmt=MARKERS[number % len(MARKERS)], color=COLOURS[number % len(COLOURS)],
            markersize=4.5, capsize=2, linewidth=1, label=model,
            markerfacecolor="white" if number % 2 else COLOURS[number % len(COLOURS)],
        )  # fmt: skip
    axes.set_yticks(range(len(lines)), [f"{task}, {measure}" for task, measure in lines], fontsize=8)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_xlabel("share of right answers, or rank correlation; with 95 % intervals", fontsize=9)
    axes.grid(axis="x", color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if len(models) > 1:
        figure.legend(loc="outside upper center", ncols=4, frameon=False)
    return figure
