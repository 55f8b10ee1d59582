"""The figure of an advice: quality and stability of each model against the size of the text."""

from typing import TYPE_CHECKING, Any

from w2v.common.figures import COLOURS, MARKERS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_curve(advice: Any) -> "Figure":
    """Draw all points of a curve, what is expected of the whole text, and the crossing; see `Advice.plot`."""
    figure, axes = new_figure(6.8, 4.2)
    for number, model in enumerate(dict.fromkeys(point.model for point in advice.curve)):
        points = [point for point in advice.curve if point.model == model]
        style = {"color": COLOURS[number], "marker": MARKERS[number], "markersize": 5}
        words = [point.words for point in points]
        axes.plot(words, [point.quality for point in points], label=f"{model}, quality", **style)
        if advice.words > words[-1] * 1.5:
            axes.plot(
                [words[-1], advice.words], [points[-1].quality, advice.expected[model]], linestyle=":", markevery=[1],
                markerfacecolor="white", **style,
            )  # fmt: skip
        stable = [(point.words, point.stability) for point in points if point.stability is not None]
        if model == "SGNS" and stable:
            label = f"{model}, neighbours that stay (of the others all)"
            axes.plot(*zip(*stable, strict=True), linestyle="--", color=COLOURS[number], label=label)
    if advice.crossing is not None:
        axes.axvline(advice.crossing, color="0.5", linewidth=1)
        axes.annotate(
            " skip-gram overtakes", (advice.crossing, 0.02), xycoords=("data", "axes fraction"), fontsize=8, color="0.3"
        )
    axes.set_xscale("log")
    axes.set_ylim(0, 1)
    axes.set_xlabel("words of the text; hollow: expected of all of it", fontsize=9)
    axes.set_ylabel("halves of passages that find each other,\nor share of ten neighbours", fontsize=9)
    axes.grid(color="0.92", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=8)
    return figure
