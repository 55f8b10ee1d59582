"""Figures: stability against frequency or the varied setting, and a word's neighbours over the runs.

Each function returns a matplotlib Figure, which ``figure.savefig(path)`` writes; no window is opened.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from w2v.common.figures import COLOURS, MARKERS, new_figure
from w2v.stability.neighbors import Record, Runs, compare_neighbors, name_runs
from w2v.stability.report import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LABELS = {
    "overlap": "neighbour overlap at {k}",
    "jaccard": "pairwise Jaccard at {k}",
    "joint": "joint Jaccard of all runs at {k}",
    "reliability": "leave-one-out joint Jaccard at {k}",
    "rbo": "rank-biased overlap at {k}",
    "aligned_cosine": "cosine after alignment",
    "raw_cosine": "raw cosine (rotation, not meaning)",
    "raw_distance": "raw distance (rotation, not meaning)",
    "pip_loss": "PIP loss",
    "eigenspace_overlap": "eigenspace overlap",
    "spearman": "rank correlation of word pairs",
}
BOUNDED = set(LABELS) - {"raw_distance", "pip_loss", "raw_cosine"}  # end at 1; a cosine may be negative


def draw_frequency(reports: Report | Mapping[Any, Report], measure: str = "overlap") -> "Figure":
    """Draw a measure against the frequency of the words: a line over the bands for each report, with its intervals.

    Parameters
    ----------
    reports : Report, or mapping of label to Report
        The key is the label of the line. One report also gets a dot per word.
    measure : str, default "overlap"

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        matplotlib is not installed: it comes with ``w2v[plot]``.
    ValueError
        A report without counts, so there is no frequency to draw against; or no such measure of words.
    """
    figure, axes = new_figure()
    several = {"": reports} if isinstance(reports, Report) else dict(reports)
    for number, (label, report) in enumerate(several.items()):
        if report.counts is None:
            raise ValueError("these runs do not know how often their words occur; vectors saved with counts do")
        if measure not in report.values:
            raise ValueError(f"no measure {measure!r} of words; there are {', '.join(report.values)}")
        if len(several) == 1:
            axes.plot(report.counts, report.values[measure], ".", color="0.5", alpha=0.3, markersize=2, rasterized=True)
        records = [r for r in report.summary if r["measure"] == measure and r["band"] != "all"]
        _draw_line(axes, [_middle(r["band"]) for r in records], records, _tidy(label), number)
    axes.set_xscale("log")
    axes.set_xlabel("occurrences of the word in the corpus")
    _finish(axes, [measure], next(iter(several.values())).k)
    if "" not in several:
        figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def draw_groups(
    reports: Mapping[Any, Report],
    measures: Sequence[str] = ("overlap", "joint", "aligned_cosine"),
    label: str = "words of the corpus",
) -> "Figure":
    """Draw measures against the varied setting, such as the corpus size: a point per report, with its interval.

    Parameters
    ----------
    reports : mapping of number to Report
        A report on each group of `retrain` for ``vary="words"`` or a numerical parameter.
    measures : sequence of str, default ("overlap", "joint", "aligned_cosine")
    label : str, default "words of the corpus"
        Label of the horizontal axis, which is logarithmic if the largest value is ten times the smallest.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        matplotlib is not installed: it comes with ``w2v[plot]``.
    ValueError
        A key that is not a number.
    """
    figure, axes = new_figure()
    values = list(reports)
    if not all(isinstance(value, int | float) for value in values):
        raise ValueError(f"{values} are not all numbers; such groups are a table, not a curve")
    for number, measure in enumerate(measures):
        records = [
            r for report in reports.values() for r in report.summary if (r["measure"], r["band"]) == (measure, "all")
        ]
        if len(records) < len(values):
            raise ValueError(f"no measure {measure!r}; there are {', '.join(LABELS)}")
        _draw_line(axes, values, records, LABELS[measure].format(k=next(iter(reports.values())).k), number)
    if min(values) > 0 and max(values) >= 10 * min(values):
        axes.set_xscale("log")
    axes.set_xticks(values, [_tidy(value) for value in values])
    axes.minorticks_off()
    axes.set_xlabel(label)
    _finish(axes, list(measures), next(iter(reports.values())).k)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def draw_neighbors(runs: Runs, word: Any, k: int = 10) -> "Figure":
    """Draw the neighbours of a word as a table: a column per run, a row per rank, darker where more runs agree.

    Parameters
    ----------
    runs : mapping of str to KeyedVectors, or a sequence of them
        Ten or fewer can be read.
    word : str
    k : int, default 10

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ImportError
        matplotlib is not installed: it comes with ``w2v[plot]``.
    KeyError
        No run knows the word.
    """
    records = compare_neighbors(runs, word, k)
    names = _short(list(name_runs(runs)))
    longest = max(len(text) for text in [*names, *(str(record["neighbor"]) for record in records)])
    figure, axes = new_figure(width=0.6 + len(names) * max(1.0, 0.095 * longest + 0.15), height=0.7 + 0.27 * k)
    for record in records:
        for column, rank in enumerate(record["ranks"]):
            if rank is not None:
                _draw_cell(axes, column, rank, record, len(names))
    axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(k + 0.5, 0.5))
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(1, k + 1))
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(f"neighbours of “{word}”; the darker, the more of the {len(names)} runs have it", labelpad=8)
    return figure


# ------------------------------------------------------------------------------------------------------------------


def _draw_line(axes: Any, places: Sequence[float], records: Sequence[Record], label: str, number: int) -> None:
    means = [record["mean"] for record in records]
    # The interval of percentiles need not contain the mean.
    errors = [
        [max(0.0, record["mean"] - record["low"]) for record in records],
        [max(0.0, record["high"] - record["mean"]) for record in records],
    ]
    style = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}
    axes.errorbar(places, means, errors, label=label, markersize=4, linewidth=1.3, capsize=2, **style)


def _draw_cell(axes: Any, column: int, rank: int, record: Record, runs: int) -> None:
    from matplotlib.patches import Rectangle

    share = (record["runs"] - 1) / (runs - 1)
    colour = tuple(1 - share * (1 - part) for part in (0.0, 0.447, 0.698))  # white to the first of COLOURS
    axes.add_patch(Rectangle((column - 0.48, rank - 0.46), 0.96, 0.92, color=colour, linewidth=0))
    axes.text(
        column,
        rank,
        str(record["neighbor"]),
        ha="center",
        va="center",
        fontsize=9,
        color="white" if share > 0.6 else "black",
    )


def _finish(axes: Any, measures: Sequence[str], k: int) -> None:
    axes.set_ylabel(LABELS[measures[0]].format(k=k) if len(measures) == 1 else "agreement of the runs")
    if set(measures) <= BOUNDED:
        axes.set_ylim(min(0, axes.get_ylim()[0]), 1.02)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _middle(band: str) -> float:
    """Geometric mean of the ends of a band of counts."""
    low, high = band.split("-")
    return float((int(low) * int(high)) ** 0.5)


def _short(names: Sequence[str]) -> list[str]:
    """Drop the common beginning of all names, but keep the last two parts: words-300000-seed-1 is seed-1."""
    parts = [name.split("-") for name in names]
    alike = 0
    while alike < min(map(len, parts)) - 2 and len({name[alike] for name in parts}) == 1:
        alike += 1
    return ["-".join(name[alike:]) for name in parts]


def _tidy(value: Any) -> str:
    """300000 is 0.3 M."""
    if isinstance(value, int) and value >= 100_000:
        return f"{value / 1e6:g} M"
    return f"{value:,}" if isinstance(value, int) else str(value)
