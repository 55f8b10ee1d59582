"""The command `w2v stability`: its options and its output. The package's public names do all work."""

import argparse
import json
import os
from collections.abc import Callable, Iterable
from typing import Any

EXAMPLES = """
    w2v stability corpus.txt --runs 10 --vary seed
    w2v stability corpus.txt --vary bootstrap --sg --folder runs/ -o summary.csv --word-records words.csv
    w2v stability corpus.txt --vary words --values 5000 20000 --runs 5 --plot size.png
    w2v stability corpus.txt --vary nothing --workers 4 --neighbors thread file
    w2v stability corpus.txt --counts --size 20 --vary bootstrap --runs 3
"""
SHOWN = ("measure", "measured", "mean", "low", "high")


def add_arguments(add: Callable[..., argparse.Action], training_options: Iterable[tuple[Any, ...]]) -> None:
    """Declare the options, given a parser's ``add_argument`` and `w2v.cli.program.TRAINING_OPTIONS`."""
    add("corpus", metavar="CORPUS", help="text, a document per line; plain or .gz, .bz2, .xz, .zst")
    add("--runs", type=_two_or_more, default=10, metavar="N", help="trainings to compare (default %(default)s)")
    add(
        "--vary",
        default="seed",
        metavar="WHAT",
        help="nothing, seed (default), bootstrap, shuffle, words, or a setting",
    )
    add("--values", nargs="+", type=_number, default=[], metavar="V", help="what words or the setting is to be")
    add("--folder", metavar="DIR", help="keep the vectors here, and go on where an earlier call stopped")
    add("-k", type=_positive, default=10, metavar="N", help="neighbours per word (default %(default)s)")
    add("--measured", type=_positive, default=10_000, metavar="N", help="words measured (default %(default)s)")
    add("--neighbors", nargs="+", default=[], metavar="WORD", help="list the neighbours of these words over the runs")
    add("-o", "--output", metavar="OUT", help="the summary as records, .csv or .json")
    add("--word-records", metavar="OUT", help="a record per word, .csv or .json")
    add("--plot", metavar="OUT", help="a figure: against the values if there are some, else against frequency")
    add("--cbow", dest="sg", action="store_const", const=0, default=0, help="words from context (default)")
    add("--sg", action="store_const", const=1, default=0, help="skip-gram: context from words")
    add("--counts", action="store_true", help="no training: vectors of counts, as w2v counts makes them")
    purpose = "what words of raw text are (default: what stands between blanks)"
    add("--tokenizer", choices=("whitespace", "simple", "simple_preprocess"), default=argparse.SUPPRESS, help=purpose)
    add("--hs", action="store_const", const=1, default=0, help="hierarchical softmax; on its own with --negative 0")
    for flag, parameter, kind, default, purpose in training_options:
        default = 1 if parameter == "workers" else default  # so that nothing but --vary changes
        ending = "" if default is None else f" (default {default})"
        add(flag, dest=parameter, type=kind, default=argparse.SUPPRESS, metavar="N", help=purpose + ending)
    add("--device", default=argparse.SUPPRESS, metavar="D", help="cpu (default), or cuda for an NVIDIA GPU")
    add("--progress", action=argparse.BooleanOptionalAction, default=None, help="progress bars on stderr")


def run(args: argparse.Namespace) -> None:
    """Train, measure, print and write what the options ask for."""
    from w2v.common.tables import without_nan
    from w2v.stability import experiments, report

    _check_outputs(args)
    given = vars(args)
    varied = args.vary if args.values else None
    model = "PPMI" if args.counts else "Word2Vec"
    settings = {name: given[name] for name in experiments.known_settings(model) if name in given and name != varied}
    options = {"folder": args.folder, "progress": args.progress, "model": model}
    groups = experiments.retrain(args.corpus, args.runs, args.vary, args.values, **options, **settings)
    reports = {
        group: report.measure(runs, k=args.k, words=args.measured, progress=args.progress)
        for group, runs in groups.items()
    }
    summary = [{args.vary: group, **record} for group, found in reports.items() for record in found.summary]
    if not args.values:
        summary = [record for found in reports.values() for record in found.summary]
    per_word = [{"group": group, **record} for group, found in reports.items() for record in found.word_records()]
    for records, path in ((summary, args.output), (per_word, args.word_records)):
        if path:
            report.write_records(records, path)
    if args.plot:
        _draw(args, reports)
    listed = {
        word: {str(group): _neighbors(runs, word, args.k) for group, runs in groups.items()} for word in args.neighbors
    }
    if args.json:
        plain = [{name: without_nan(value) for name, value in record.items()} for record in summary]
        print(json.dumps({"summary": plain, "neighbors": listed}, ensure_ascii=False, allow_nan=False))
    else:
        _print(args, summary, listed)


def _check_outputs(args: argparse.Namespace) -> None:
    """Find unwritable outputs before hours of training."""
    from w2v.common import figures
    from w2v.files import writing
    from w2v.stability import report

    for path in filter(None, (args.output, args.word_records)):
        report.check_ending(path)
        writing.check_output(path)
    if args.plot:
        figures.check_ending(args.plot)
        writing.check_output(args.plot)


def _neighbors(runs: dict[str, Any], word: str, k: int) -> list[dict[str, Any]]:
    """The neighbours of a word over the runs; an empty list if a run lacks the word."""
    from w2v.stability.neighbors import compare_neighbors

    return compare_neighbors(runs, word, k) if all(word in run for run in runs.values()) else []


def _draw(args: argparse.Namespace, reports: dict[Any, Any]) -> None:
    from w2v.files.writing import atomic_write
    from w2v.stability import plots

    if args.values:
        label = "words of the corpus" if args.vary == "words" else args.vary
        figure = plots.draw_groups(reports, label=label)
    else:
        figure = plots.draw_frequency(next(iter(reports.values())))
    with atomic_write(args.plot) as file:
        figure.savefig(file, format=os.path.splitext(args.plot)[1][1:])


def _print(args: argparse.Namespace, summary: list[dict[str, Any]], listed: dict[str, dict[str, Any]]) -> None:
    from w2v.common.tables import format_table
    from w2v.stability.report import ROTATION

    head = [args.vary] if args.values else []
    totals = [record for record in summary if record["band"] == "all"]
    print(format_table(totals, [*head, *SHOWN]))
    print(f"\n{' and '.join(ROTATION)} measure rotation, not meaning.\n")
    bands = [record for record in summary if record["band"] != "all" and record["measure"] == "overlap"]
    print(format_table(bands, [*head, "measure", "band", *SHOWN[1:]]))
    for word, groups in listed.items():
        for group, records in groups.items():
            print(f"\nneighbours of {word}" + (f", {args.vary} {group}" if args.values else ""))
            print(format_table(records) if records else "not a word of all runs")


def _positive(text: str, least: int = 1) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if number < least:
        raise argparse.ArgumentTypeError(f"{number} is below {least}")
    return number


def _two_or_more(text: str) -> int:
    return _positive(text, 2)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
