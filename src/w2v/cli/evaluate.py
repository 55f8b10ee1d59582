"""The command `w2v evaluate`: scores with intervals, and one model against another."""

import argparse
import json
import os
from collections.abc import Callable
from typing import Any

from w2v.cli.arguments import positive
from w2v.cli.vector_files import FILE_HELP, load

EXAMPLES = """
    w2v evaluate model.safetensors --analogies questions-words.txt
    w2v evaluate vectors.bin --pairs wordsim353.tsv simlex999.tsv
    w2v evaluate model.safetensors vectors.bin --analogies questions-words.txt --pairs wordsim353.tsv
    w2v evaluate old=vectors.bin,vectors.txt new=model.safetensors,vectors.safetensors --pairs wordsim353.tsv
    w2v evaluate model.safetensors --pairs wordsim353.tsv simlex999.tsv --plot scores.png
    w2v evaluate vectors.txt --analogies questions-words.txt --restrict 10000 --json
"""


def add_arguments(add: Callable[..., argparse.Action]) -> None:
    """Declare the options, given a parser's ``add_argument``."""
    purpose = "; NAME=FILE,FILE,... for several runs of one model"
    add("files", nargs="+", metavar="FILE", help=FILE_HELP + purpose)
    add("--analogies", nargs="+", default=[], metavar="F", help="questions of four words, in sections, as word2vec has")
    add("--restrict", type=positive, default=30_000, metavar="N", help="analogies: most frequent words only")
    add("--pairs", nargs="+", default=[], metavar="F", help="lines of word, word, rating")
    add("--parts", action="store_true", help="also by section of analogies and by frequency of the rarest word")
    add("--c-counts", action="store_true", help="also what word2vec's compute-accuracy prints")
    add("--plot", metavar="OUT", help="a figure of the scores")


def run(args: argparse.Namespace) -> None:
    """Score, print and draw what the options ask for."""
    if not (args.analogies or args.pairs):
        args.wrong_usage("give --analogies F, --pairs F, or both")
    if args.plot:
        from w2v.common.figures import check_ending
        from w2v.files.writing import check_output

        check_ending(args.plot)
        check_output(args.plot)
    from w2v import evaluate

    found = evaluate(
        _models(args.files),
        analogies=args.analogies,
        pairs=args.pairs,
        restrict_vocab=args.restrict,
        c_counts=args.c_counts,
    )
    if args.plot:
        _draw(found, args.plot)
    if args.json:
        print(json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False))
        return
    print(found)
    if args.parts:
        print(f"\n{found.table(parts=True)}")
    for name, text in found.c_counts.items():
        print(f"\n{name}\n{text}", end="")


def _models(files: list[str]) -> dict[str, Any]:
    """The vectors of all files under short names, which differ."""
    named: dict[str, list[str]] = {}
    for file in files:
        name, equals, several = file.partition("=")
        if not equals or os.path.exists(file):
            name, several = _free(_stem(file), named), file
        if name in named:
            raise ValueError(f"two models are called {name}; give them other names: NAME={several}")
        named[name] = [several] if os.path.exists(several) else several.split(",")
    return {name: [load(path) for path in paths] for name, paths in named.items()}


def _stem(path: str) -> str:
    return os.path.basename(path).partition(".")[0] or path


def _free(name: str, taken: dict[str, Any]) -> str:
    number = 2
    while (free := name if number == 2 else f"{name}-{number - 1}") in taken:
        number += 1
    return free


def _draw(found: Any, path: str) -> None:
    from w2v.files.writing import atomic_write

    with atomic_write(path) as file:
        found.plot().savefig(file, format=os.path.splitext(path)[1][1:])
