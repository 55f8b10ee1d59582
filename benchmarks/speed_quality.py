"""The picture of the README: speed beside quality, drawn from the tables of benchmarks/README.md.

    python benchmarks/speed_quality.py [--figure docs/figures/speed-quality.png]

It measures nothing. What it draws is read from the page that says how it was measured, so that the two cannot differ.
"""

import argparse
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MODELS = {
    "SG-NS": "skip-gram",
    "CBOW-NS": "CBOW",
    "SG-HS": "skip-gram,\nhierarchical softmax",
    "SG-NS d300 w10 n10": "skip-gram,\n300 dimensions",
}
TESTS = ("analogies", "WS-353", "SimLex-999", "MEN", "RW")
OURS, THEIRS, LATER = "#0072b2", "#8c8c8c", "#d55e00"


def tables(text: str) -> list[list[dict[str, str]]]:
    """The tables of a page, as rows of cells by the names of their columns."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines()]
        found.append([dict(zip(lines[0], line, strict=True)) for line in lines[2:]])
    return found


def table(text: str, *columns: str) -> list[dict[str, str]]:
    """The first table that has these columns."""
    return next(rows for rows in tables(text) if rows and set(columns) <= set(rows[0]))


def number(cell: str) -> float:
    return float(re.match(r"[\d,.]+", cell)[0].replace(",", ""))  # type: ignore[index]


def speeds(text: str) -> dict[str, tuple[float, float]]:
    """Millions of words per second of one worker, by model: w2v's, and gensim's in its faster mode."""
    rows = [row for row in table(text, "raw words/s", "workers") if row["workers"] == "1"]
    found = {}
    for model in MODELS:
        by_system = {row["system"]: number(row["raw words/s"]) / 1e3 for row in rows if row["model"] == model}
        ours = by_system.pop("w2v, file")
        found[model] = ours, max(by_system.values())
    return found


def scores(text: str) -> dict[str, dict[str, float]]:
    """Scores of skip-gram by test: gensim's, w2v's with the same settings, and w2v's after the same time."""
    equal = {row["measure"]: row for row in table(text, "measure", "w2v", "gensim") if row["model"] == "sg-ns"}
    timed = {row["system"]: row for row in table(text, "system", "epochs", "analogies")}
    return {
        test: {
            "gensim": number(equal[test]["gensim"]),
            "same settings": number(equal[test]["w2v"]),
            "same time": number(timed["w2v"][test]),
        }
        for test in TESTS
    }


def draw(text: str) -> Any:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 12, "axes.spines.top": False, "axes.spines.right": False})
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for place, (ours, theirs) in enumerate(speeds(text).values()):
        left.barh(place - 0.19, ours, 0.36, color=OURS, label="w2v" if place == 0 else None)
        left.barh(place + 0.19, theirs, 0.36, color=THEIRS, label="gensim 4.4" if place == 0 else None)
        left.text(ours + 0.1, place - 0.19, f"{ours:.1f}, {ours / theirs:.1f} times", va="center")
        left.text(theirs + 0.1, place + 0.19, f"{theirs:.1f}" if theirs >= 0.1 else f"{theirs:.2f}", va="center")
    left.set(yticks=range(len(MODELS)), yticklabels=MODELS.values(), xlim=(0, 11), xlabel="million words a second")
    left.set_title("Speed, one worker", loc="left", fontweight="bold")
    left.invert_yaxis()
    left.tick_params(axis="y", length=0)
    left.legend(loc="lower right", frameon=False)
    kinds = {"gensim": ("s", THEIRS), "same settings": ("o", OURS), "same time": ("D", LATER)}
    found = scores(text)
    for place, test in enumerate(TESTS):
        right.plot([min(found[test].values()), max(found[test].values())], [place] * 2, color="#d9d9d9", zorder=0)
        for kind, (marker, colour) in kinds.items():
            name = kind if kind == "gensim" else f"w2v, {kind}"
            right.plot(found[test][kind], place, marker, color=colour, ms=9, label=name if place == 0 else None)
    right.set(yticks=range(len(TESTS)), yticklabels=TESTS, xlabel="per cent right; rank correlation × 100")
    right.set_title("Quality of skip-gram", loc="left", fontweight="bold")
    right.margins(y=0.12)
    right.invert_yaxis()
    right.grid(axis="x", color="#ececec")
    right.set_axisbelow(True)
    right.tick_params(axis="y", length=0)
    right.legend(loc="center right", frameon=False, handletextpad=0.2)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figure", type=Path, default=ROOT / "docs" / "figures" / "speed-quality.png")
    arguments = parser.parse_args()
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    draw(text).savefig(arguments.figure, dpi=100)
    print(arguments.figure)


if __name__ == "__main__":
    main()
