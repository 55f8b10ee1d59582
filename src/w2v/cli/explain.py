"""The command `w2v explain`: why two words are near."""

import argparse
import json
import os
from collections.abc import Callable

from w2v.cli.arguments import positive
from w2v.cli.vector_files import load_model

EXAMPLES = """
    w2v explain model.safetensors thread lock
    w2v explain model.safetensors thread lock --corpus corpus.txt
    w2v explain model.safetensors thread file --corpus corpus.txt --plot thread.png
    w2v explain model.safetensors thread file --json
"""


def add_arguments(add: Callable[..., argparse.Action]) -> None:
    """Declare the options, given a parser's ``add_argument``."""
    add("file", metavar="MODEL", help="a whole model, as w2v train saves it in a .safetensors")
    add("a", metavar="A")
    add("b", metavar="B")
    add("--corpus", metavar="CORPUS", help="the text it was trained on: counts how often the words meet")
    add("-n", type=positive, default=10, metavar="N", help="neighbours and contexts to name (default %(default)s)")
    add("--plot", metavar="OUT", help="a figure: all words by both similarities with A")


def run(args: argparse.Namespace) -> None:
    """Explain, print and draw."""
    if args.plot:
        from w2v.common.figures import check_ending
        from w2v.files.writing import check_output

        check_ending(args.plot)
        check_output(args.plot)
    model = load_model(args.file, "explain")
    found = model.explain(args.a, args.b, corpus_file=args.corpus, topn=args.n)
    if args.plot:
        from w2v.files.writing import atomic_write

        with atomic_write(args.plot) as file:
            found.plot().savefig(file, format=os.path.splitext(args.plot)[1][1:])
    print(json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False) if args.json else as_text(found))


def as_text(found: object) -> str:
    """An explanation in the words of the command line."""
    return str(found).replace("explain(a, b, corpus_file=...)", "w2v explain MODEL A B --corpus FILE")
