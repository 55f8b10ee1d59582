"""The command `w2v verify`: a model trained again, and compared byte for byte."""

import argparse
from collections.abc import Callable

from w2v.cli.arguments import add_place_options, add_progress, workers
from w2v.cli.output import report
from w2v.cli.sources import read_from
from w2v.cli.vector_files import load_model

EXAMPLES = """
    w2v verify model.safetensors --corpus corpus.txt
    w2v verify proteins.safetensors --corpus proteins.fa
"""


def add_arguments(add: Callable[..., argparse.Action]) -> None:
    """Declare the options, given a parser's ``add_argument``."""
    add("file", metavar="FILE", help="a model, as w2v train saves it")
    add("--corpus", required=True, metavar="CORPUS", help="the text or the sequences it was trained on")
    add("--workers", type=workers, metavar="N", help="threads, for a deterministic model (default: those of the model)")
    add_place_options(add)
    add_progress(add)


def run(args: argparse.Namespace) -> None:
    """Train again and compare."""
    from w2v.files.arrays import sha256_of

    model = load_model(args.file, "training again")
    model.progress = args.progress
    if args.workers is not None:
        model.workers = args.workers
    with read_from(args.corpus, args) as (sentences, corpus_file):
        again = model.trained_again(sentences, corpus_file)
    facts = {"verified": args.file}
    for name, place in (("vectors", "wv"), ("documents", "dv")):
        if hasattr(model, place):
            was, now = (sha256_of(getattr(one, place).vectors) for one in (model, again))
            if was != now:
                raise ValueError(f"the {name} differ: {was} in {args.file}, {now} trained again")
            facts[f"{name}_sha256"] = was
    report(args, facts)
