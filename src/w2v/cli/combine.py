"""The commands `w2v align` and `w2v merge`, and what `w2v train --resume-from` does. Public names do all work."""

import argparse
import json
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from w2v.cli.vector_files import FILE_HELP, format_of, load, save
from w2v.common.terminal import printable

if TYPE_CHECKING:
    from w2v import Word2Vec

ALIGN_EXAMPLES = """
    w2v align old.safetensors new.safetensors -o old-in-new.safetensors
    w2v align old.safetensors new.safetensors --shifted 20
    w2v align old.safetensors new.safetensors --plot way.png --word thread
    w2v align english.bin german.bin --pairs dictionary.tsv --translate house dog
"""
MERGE_EXAMPLES = """
    w2v merge first.safetensors second.safetensors -o both.safetensors
    w2v merge a.bin b.bin c.bin -o all.bin --method svd --size 50
"""

# What `--freeze` means to a model that goes on.
FREEZE = ("outputs", "inputs", "words")


def add_align_arguments(add: Callable[..., argparse.Action]) -> None:
    """Declare the options of `w2v align`, given a parser's ``add_argument``."""
    add("source", metavar="SOURCE", help=FILE_HELP)
    add("target", metavar="TARGET", help="vectors whose space it is to be brought into")
    add("-o", "--output", metavar="OUT", help="all vectors of SOURCE in the space of TARGET")
    add("--pairs", metavar="F", help="lines of source word, tab, target word; else words of the same name are anchors")
    add("--anchors", type=int, metavar="N", help="only so many of the most frequent words of the same name")
    add(
        "--method", choices=["orthogonal", "least_squares", "ridge"], default="orthogonal", help="(default %(default)s)"
    )
    add("--robust", action="store_true", help="let anchors that do not fit the others weigh little")
    add("--refine", type=int, default=0, metavar="N", help="so many times, find new anchors and fit again")
    add("--translate", nargs="+", default=[], metavar="WORD", help="print the nearest words of TARGET")
    ways = ["nn", "csls", "inverted_softmax"]
    add("--retrieval", choices=ways, default="csls", help="how they are found (default %(default)s)")
    add("-n", type=int, default=5, metavar="N", help="how many (default %(default)s)")
    add("--shifted", type=int, metavar="N", help="list so many words whose two vectors disagree most")
    add("--plot", metavar="OUT", help="a figure of the way of --word from SOURCE to TARGET")
    add("--word", metavar="WORD", help="whose way is drawn")


def align(args: argparse.Namespace) -> None:
    """Fit a map, and do with it what the options ask for."""
    if (args.plot is None) != (args.word is None):
        args.wrong_usage("--plot OUT and --word WORD belong together")
    if args.pairs is not None and args.anchors is not None:
        args.wrong_usage("--pairs F and --anchors N exclude each other")
    _check_outputs(args)
    from w2v import align as aligning

    source, target = load(args.source), load(args.target)
    anchors: Any = args.anchors if args.pairs is None else list(_pairs(args.pairs))
    found = aligning.fit(source, target, anchors, args.method, robust=args.robust, refine=args.refine)
    held_out = found.held_out() if len(found.anchors) >= 10 else None
    facts: dict[str, Any] = {"anchors": len(found.anchors)}
    if held_out is not None:
        facts |= {"held_out_cosine": held_out.cosine, "held_out_precision": held_out.precision}
    if args.output:
        save(found.transform(source), args.output, format_of(args.output))
        facts["file"] = args.output
    translated = found.translate(args.translate, args.n, args.retrieval) if args.translate else {}
    shifted = [] if args.shifted is None else found.shifted(args.shifted)
    if args.plot:
        _draw(args, found)
        facts["figure"] = args.plot
    if args.json:
        print(json.dumps(facts | {"translated": translated, "shifted": shifted}, allow_nan=False))
        return
    _print(facts)
    for word, answers in translated.items():
        print(printable(f"\n{word}"))
        _print_scored(answers)
    if shifted:
        print("\ncosine of a word's two vectors, the lowest first")
        _print_scored(shifted)


def _check_outputs(args: argparse.Namespace) -> None:
    """Find unwritable outputs before any work."""
    from w2v.common.figures import check_ending
    from w2v.files.writing import check_output

    if args.output:
        format_of(args.output)
        check_output(args.output)
    if args.plot:
        check_ending(args.plot)
        check_output(args.plot)


def _pairs(path: str) -> Iterable[tuple[str, str]]:
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split("\t") if "\t" in line else line.split()
            if not line.strip():
                continue
            if len(words) != 2:
                raise ValueError(f"{path}, line {number}: {len(words)} words; two are needed, between them a tab")
            yield words[0].strip(), words[1].strip()


def _draw(args: argparse.Namespace, found: Any) -> None:
    from w2v import align as aligning
    from w2v.files.writing import atomic_write

    names = tuple(os.path.splitext(os.path.basename(path))[0] for path in (args.source, args.target))
    figure = aligning.draw_way(found, args.word, names=(f"in {names[0]}", f"in {names[1]}"))
    with atomic_write(args.plot) as file:
        figure.savefig(file, format=os.path.splitext(args.plot)[1][1:])


def add_merge_arguments(add: Callable[..., argparse.Action]) -> None:
    """Declare the options of `w2v merge`, given a parser's ``add_argument``."""
    add("files", nargs="+", metavar="FILE", help=FILE_HELP)
    add("-o", "--output", required=True, metavar="OUT", help=".safetensors, .bin, .txt or .vec")
    methods = ["mean", "concatenate", "svd"]
    add("--method", choices=methods, default="mean", help="how vectors of a word become one (default %(default)s)")
    add("--weights", nargs="+", type=float, metavar="W", help="one for each file (default: the counts of each word)")
    add("--size", dest="vector_size", type=int, metavar="N", help="dimensions, of --method svd")


def merge(args: argparse.Namespace) -> None:
    """Merge files of vectors into one."""
    from w2v import merge as merging
    from w2v.files.writing import check_output

    form = format_of(args.output)
    check_output(args.output)
    weights = "count" if args.weights is None else args.weights
    merged = merging([load(path) for path in args.files], weights, args.method, vector_size=args.vector_size)
    save(merged, args.output, form)
    facts = {"words": len(merged), "vector_size": merged.vector_size, "file": args.output}
    if args.json:
        print(json.dumps(facts))
    else:
        _print(facts)


def go_on(
    path: str, freeze: str | None, given: Mapping[str, Any], sentences: Any, corpus_file: str | None, **options: Any
) -> "Word2Vec":
    """Go on from a saved model with other text; see `w2v train --help`.

    Parameters
    ----------
    path : str, of a whole model
    freeze : one of `FREEZE`, or None
    given : settings that were given on the command line
    sentences, corpus_file : the text, one of the two
    options : of `Word2Vec.train`
    """
    from w2v import update
    from w2v.cli.vector_files import load_model

    model: Word2Vec = load_model(path, "--resume-from")
    if not hasattr(model, "train"):
        raise ValueError(
            f"{path} is a model of counts, which are made of the whole text at once; give w2v counts all of it"
        )
    if model.of_documents:
        raise ValueError(f"{path} is a model of documents; Doc2Vec.build_vocab(..., update=True) adds documents to it")
    for name, value in given.items():
        if name in FIXED and value != getattr(model, name):
            raise ValueError(f"{name}={value!r}: the model of {path} has {name}={getattr(model, name)!r}, which stays")
        if name not in OF_A_RUN:
            setattr(model, name, value)
    model.min_alpha_yet_reached = model.alpha  # that the rate rises again is meant here
    options |= {name: given.get(setting) for setting, name in OF_A_RUN.items()}
    if freeze in ("outputs", "inputs"):
        options["epochs"] = options["epochs"] or model.epochs
        model.train(sentences, corpus_file, total_examples=1, freeze=freeze, **options)
    else:
        update(model, sentences, corpus_file, freeze_known=freeze == "words", **options)
    return model


# Settings that a model has for good: its matrices, and what they were trained for.
FIXED = ("vector_size", "sg", "hs", "negative", "null_word")
OF_A_RUN = {"alpha": "start_alpha", "min_alpha": "end_alpha", "epochs": "epochs"}  # and their names in `train`


def _print(facts: Mapping[str, Any]) -> None:
    width = max(map(len, facts))
    for name, value in facts.items():
        text = f"{value:.4f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
        print(f"{name.replace('_', ' '):<{width}}  {printable(text)}")


def _print_scored(answers: list[tuple[Any, float]]) -> None:
    words = [printable(str(word)) for word, _ in answers]
    width = max(map(len, words), default=0)
    for word, (_, score) in zip(words, answers, strict=True):
        print(f"  {word:<{width}}  {score:.3f}")
