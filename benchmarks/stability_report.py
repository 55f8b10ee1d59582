"""How much do embeddings move? One corpus retrained with one thing changed, and with more of it.

    python benchmarks/stability_report.py CORPUS [--words 300000 1000000 ...] [--folder runs/] [--figures docs/figures]

Skip-gram with negative sampling, 100 dimensions, five epochs, other settings at their defaults, one worker if not
said otherwise. Prints Markdown tables: what changes between runs (the same seed, another seed, four Hogwild workers,
shuffled and bootstrapped documents; the same of counts, PPMI and SVD with 100 dimensions) at --at words; the size of
the corpus; frequency bands; the most and least stable words; the neighbours of --word. Draws three figures if
--figures names a folder. Trained vectors are kept in --folder and used again, so that an interrupted report goes on.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import common
import numpy as np

from w2v.stability import (
    compare_neighbors,
    draw_frequency,
    draw_groups,
    draw_neighbors,
    format_table,
    jackknife_error,
    measure,
    neighbor_tables,
    raw_cosine,
    reliability,
    retrain,
)

SETTINGS: dict[str, Any] = {"sg": 1, "vector_size": 100, "epochs": 5}
# What changes, and the settings that make it change.
CAUSES: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing: the same seed": ("nothing", {}),
    "four Hogwild workers, the same seed": ("nothing", {"workers": 4}),
    "order of the documents": ("shuffle", {}),
    "another seed": ("seed", {}),
    "bootstrap of the documents": ("bootstrap", {}),
    "counts: nothing": ("nothing", {"model": "PPMI"}),
    "counts: order of the documents": ("shuffle", {"model": "PPMI"}),
    "counts: bootstrap of the documents": ("bootstrap", {"model": "PPMI"}),
}
TOTALS = ["overlap", "rbo", "jaccard", "joint", "aligned_cosine", "raw_cosine", "eigenspace_overlap", "spearman"]
OF_BANDS = ["overlap", "rbo", "jaccard", "joint", "aligned_cosine", "raw_cosine"]
MOST_FREQUENT = 1000  # words whose joint reliability Hellrich et al. 2019 publish


def with_interval(report: Any, name: str) -> str:
    record = next(r for r in report.summary if (r["measure"], r["band"]) == (name, "all"))
    return f"{record['mean']:.3f} ({record['low']:.3f}-{record['high']:.3f})"


def published_measure(runs: dict[str, Any], k: int) -> str:
    """j@k over the most frequent words, with the jackknife's standard error."""
    words = next(iter(runs.values())).index_to_key[:MOST_FREQUENT]
    values = reliability(neighbor_tables(runs, words, k)[0]).mean(1)
    return f"{values.mean():.3f} ± {jackknife_error(values):.3f}"


def chance_cosine(run: Any) -> float:
    """Mean cosine of two random words of one run: what an aligned cosine has to be read against."""
    left, right = np.random.default_rng(1).integers(len(run.vectors), size=(2, 20_000))
    return float(raw_cosine(run.vectors[left], run.vectors[right]).mean())


def total_rows(groups: dict[Any, dict[str, Any]], reports: dict[Any, Any], first: str) -> list[dict[str, Any]]:
    rows = []
    for label, report in reports.items():
        row: dict[str, Any] = {first: label}
        row |= {name: report.total(name) for name in TOTALS}
        row["random_words"] = chance_cosine(next(iter(groups[label].values())))
        rows.append(row | {f"j@{report.k}": published_measure(groups[label], report.k)})
    return rows


def band_rows(report: Any) -> list[dict[str, Any]]:
    bands = dict.fromkeys(r["band"] for r in report.summary if r["band"] != "all")
    rows = []
    for band in bands:
        found = {r["measure"]: r for r in report.summary if r["band"] == band}
        row = {"occurrences": band, "words measured": found["overlap"]["measured"]}
        rows.append(row | {name: found[name]["mean"] for name in OF_BANDS})
    return rows


def extremes(report: Any, least: int = 100, count: int = 15) -> tuple[list[str], list[str]]:
    """The most and least stable of the words that occur at least `least` times, by overlap, then by frequency."""
    places = [place for place, number in enumerate(report.counts.tolist()) if number >= least]
    places.sort(key=lambda place: (-report.values["overlap"][place], place))
    label = [f"{report.words[place]} {report.values['overlap'][place]:.2f}" for place in places]
    return label[:count], label[: -count - 1 : -1]


def cause_runs(corpus: str, folder: Path, runs: int) -> dict[str, dict[str, Any]]:
    found = {}
    for label, (vary, more) in CAUSES.items():
        place = folder / (vary + "".join(f"-{name}-{value}" for name, value in more.items()))
        settings = SETTINGS if "model" not in more else {"vector_size": SETTINGS["vector_size"]}
        found[label] = retrain(corpus, runs, vary, folder=place, **settings, **more)[vary]
    return found


def draw(folder: Path, sizes: dict[int, Any], runs: dict[str, Any], word: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    labelled = {f"{size / 1e6:.2g} M words": report for size, report in sizes.items()}
    draw_frequency(labelled).savefig(folder / "stability-frequency.png")
    measures = ("aligned_cosine", "overlap", "eigenspace_overlap", "joint")
    draw_groups(sizes, measures).savefig(folder / "stability-size.png")
    draw_neighbors(runs, word).savefig(folder / "stability-neighbors.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--words", type=int, nargs="+", default=[300_000, 1_000_000, 3_000_000], help="corpus sizes")
    parser.add_argument("--at", type=int, default=3_000_000, help="corpus size at which causes are compared")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--word", default="river", help="whose neighbours are listed")
    parser.add_argument("--folder", help="where trained vectors are kept")
    parser.add_argument("--figures", type=Path, help="folder for the figures")
    arguments = parser.parse_args()
    folder, started = common.work_folder(arguments.folder), time.perf_counter()
    print(f"{common.machine()}\n{Path(arguments.corpus).name}, {SETTINGS}\n")

    corpus = str(common.plain_slice(arguments.corpus, arguments.at, folder))
    causes = cause_runs(corpus, folder / f"causes-{arguments.at}", arguments.runs)
    reports = {label: measure(runs) for label, runs in causes.items()}
    print(f"What changes, at {arguments.at:,} words\n\n{format_table(total_rows(causes, reports, 'what changes'))}\n")

    sizes = retrain(arguments.corpus, arguments.runs, "words", arguments.words, folder=folder / "sizes", **SETTINGS)
    by_size = {size: measure(runs) for size, runs in sizes.items()}
    print(f"Another seed, by corpus size\n\n{format_table(total_rows(sizes, by_size, 'words'))}\n")
    for size, report in by_size.items():
        vocabulary = len(next(iter(sizes[size].values())))
        print(f"{size:,} words, {vocabulary:,} different: overlap {with_interval(report, 'overlap')}")
    largest = max(by_size)
    print(f"\nAnother seed, by frequency, at {largest:,} words\n\n{format_table(band_rows(by_size[largest]))}\n")
    most, fewest = extremes(by_size[largest])
    print(
        f"Of words with 100 occurrences and more\n\nmost stable: {', '.join(most)}\nleast stable: {', '.join(fewest)}\n"
    )
    print(f"Neighbours of {arguments.word}\n\n{format_table(compare_neighbors(sizes[largest], arguments.word))}\n")
    if arguments.figures:
        draw(arguments.figures, by_size, sizes[largest], arguments.word)
    print(f"{time.perf_counter() - started:.0f} s in all")


if __name__ == "__main__":
    main()
