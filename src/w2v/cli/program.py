"""The command line: text to vectors, vectors to answers, one sub-command each.

Results go to stdout (`--json` for programs), all else to stderr. Exit codes: 0 done, 1 error, 2 wrong usage,
130 Ctrl-C. The package's public names do all work; a command imports them when it needs them.
"""

import argparse
import os
import sys
import textwrap
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from w2v._version import __version__
from w2v.cli import (
    bio,
    combine,
    completion,
    counts,
    distributed,
    documents,
    evaluate,
    explain,
    explore,
    first,
    subwords,
    term_commands,
    topics,
    training,
    verify,
)
from w2v.cli.arguments import (
    DEVICES,
    SPACES,
    TRAINING_OPTIONS,
    add_output,
    add_progress,
    name_types,
    positive,
    workers,
)
from w2v.cli.messages import logged_once, message_of, show_warning
from w2v.cli.output import (
    answers,
    print_answers,
    print_found,
    report,
)
from w2v.cli.parser import Parser
from w2v.cli.sources import check_corpus, check_output, read_from
from w2v.cli.vector_files import FILE_HELP, FORMATS, format_in, format_of, load, load_model, save
from w2v.common.terminal import printable
from w2v.stability import command as stability

EXPECTED_ERRORS = (
    ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, OSError, ImportError, MemoryError,
)  # fmt: skip

EXAMPLES = {
    **training.EXAMPLES,
    "neighbors": """
        w2v neighbors model.safetensors thread
        w2v neighbors vectors.bin file directory -n 5
        w2v neighbors vectors.txt.gz socket --json
        w2v neighbors documents.safetensors d0 d7 --documents -n 3
        w2v neighbors model.safetensors thread --space in-out
    """,
    "analogy": """
        w2v analogy model.safetensors decode decoder encode
        w2v analogy vectors.txt read reading write -n 3
    """,
    "evaluate": evaluate.EXAMPLES,
    "explain": explain.EXAMPLES,
    "explore": explore.EXAMPLES,
    "completion": completion.EXAMPLES,
    "convert": """
        w2v convert vectors.bin vectors.safetensors
        w2v convert model.safetensors vectors.txt
        w2v convert vectors.txt vectors.out --to binary
        w2v convert model.safetensors model.bin --to fasttext
    """,
    "align": combine.ALIGN_EXAMPLES,
    "merge": combine.MERGE_EXAMPLES,
    "info": """
        w2v info model.safetensors
        w2v info vectors.bin --json
        w2v info
    """,
    "stability": stability.EXAMPLES,
    **documents.EXAMPLES,
    **topics.EXAMPLES,
    "fasttext": subwords.EXAMPLES,
    "verify": verify.EXAMPLES,
    "demo": """
        w2v demo
        w2v demo -o w2v-demo.safetensors --json
    """,
    **term_commands.EXAMPLES,
    **counts.EXAMPLES,
    **bio.EXAMPLES,
    **distributed.EXAMPLES,
}

# The command lines of word2vec's C programs, in `c_tools`.
C_TOOLS = {
    "word2vec": "train as the C program word2vec does, with its options",
    "distance": "list the words nearest to a word, or to the sum of several, as the C program does",
    "word-analogy": "answer analogies of three words, as the C program does",
    "compute-accuracy": "print the accuracy on analogy questions, as the C program does",
    "word2phrase": "join the phrases of a text, as the C program does, byte for byte",
}

# The library's names of parameters in errors, and the options here.
FLAGS = {parameter: flag for flag, parameter, *_ in TRAINING_OPTIONS}
FLAGS |= {
    name: f"--{name.replace('_', '-')}"
    for name in ("cache", "device", "tokenizer", "column", "field", "checkpoint", "checkpoint_every", "dm", "tol")
}
FLAGS |= subwords.FLAGS | counts.FLAGS | bio.FLAGS | distributed.FLAGS
FLAGS |= {"k": "-k", "restrict_vocab": "--restrict"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line, `sys.argv` by default, and return its exit code; bad usage raises SystemExit."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if not argv:
        print(first.GUIDE, end="")
        return 0
    if argv[0] == "help":
        argv = [*argv[1:], "--help"]
    args = _parse(argv)
    with warnings.catch_warnings(), logged_once(args.flags):
        warnings.showwarning = show_warning
        try:
            args.run(args)
            print(end="", flush=True)  # flush here, where errors are caught
        except KeyboardInterrupt as stop:
            print(f"w2v: interrupted{'; ' if stop.args else ''}{printable(str(stop))}", file=sys.stderr)
            return 130
        except BrokenPipeError:  # the reader has left; the flush at exit must not meet the closed pipe either
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except EXPECTED_ERRORS as error:
            print(f"w2v: error: {message_of(error, args.flags)}", file=sys.stderr)
            return 1
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    if argv and argv[0] in C_TOOLS:  # C programs have a command line of another kind
        from w2v.cli import c_tools

        return argparse.Namespace(run=lambda args: c_tools.COMMANDS[argv[0]][0](argv[1:]), flags=c_tools.FLAGS)
    return build_parser().parse_args(argv, argparse.Namespace(flags=FLAGS))


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser: argparse.ArgumentParser = Parser("w2v", description="Train word vectors on CPUs, and query them.")
    parser.epilog = "w2v COMMAND --help shows examples."
    parser.add_argument("--version", action="version", version=f"w2v {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(
        name: str, run: Callable[..., None], purpose: str, among: Any = commands, *, talks: bool = False
    ) -> Callable[..., argparse.Action]:
        added = among.add_parser(
            name.split()[-1],
            help=purpose,
            description=f"{purpose[0].upper()}{purpose[1:]}.",
            epilog="examples:\n" + textwrap.indent(textwrap.dedent(EXAMPLES[name]).strip(), "  "),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=run, wrong_usage=added.error)
        name_types(added)
        if not talks:
            added.add_argument("--json", action="store_true", help="print one JSON object instead of text")
        argument: Callable[..., argparse.Action] = added.add_argument
        return argument

    add = command("train", training.run, "train vectors on a text, one sentence per line")
    training.add_arguments(add)
    add("--tied", action="store_true", help="one matrix for what words are read as and what is predicted")
    distributed.add_engine_options(add)

    add = command(
        "plan", distributed.plan, "say what training by several workers takes: memory, traffic, time, quality"
    )
    distributed.add_plan_arguments(add)

    add = command("fasttext", training.run, "train vectors of words and their n-grams: any string has one")
    subwords.add_arguments(add)
    training.add_arguments(add, subword=True)

    term_commands.register(command, report, read_from)

    counts.register(command)
    several = commands.add_parser("bio", help="vectors of proteins and genes: train, embed")
    among = several.add_subparsers(metavar="COMMAND", required=True)
    add = command("bio train", bio.train, "train vectors of k-mers on FASTA or FASTQ, by a preset", among)
    bio.add_training_arguments(add)
    add = command("bio embed", bio.embed, "make vectors of sequences from those of their k-mers", among)
    bio.add_embedding_arguments(add)

    add = command("resume", training.resume, "go on with a training that was cut short, from its last checkpoint")
    add("checkpoint", metavar="DIR", help="the folder that w2v train --checkpoint was given")
    add_output(add)
    add("--corpus", metavar="CORPUS", help="the text, if it is no longer where it was")
    add("--workers", type=workers, metavar="N", help="threads (default: as before)")
    add("--device", choices=DEVICES, help="where to train (default: as before)")
    add("--engine", choices=distributed.ENGINES, help="of a run of several workers (default ray)")
    add_progress(add)

    add = command("doc2vec", documents.train, "train vectors of documents, one document per line")
    documents.add_training_arguments(add)

    add = command("infer", documents.infer, "infer the vectors of new documents, one document per line")
    documents.add_inference_arguments(add)

    add = command("topics", topics.topics, "find the topics of documents, one document per line")
    topics.add_topics_arguments(add)

    add = command("map", topics.draw, "draw vectors as a map: one page, opened from disk, to walk through")
    topics.add_map_arguments(add)

    add = command("neighbors", _neighbors, "list the words nearest to each word, or the documents to each document")
    add("file", metavar="FILE", help=FILE_HELP)
    add("words", nargs="+", metavar="WORD")
    add("--documents", action="store_true", help="the words are tags of documents in a model of w2v doc2vec")
    add("-n", type=positive, default=10, metavar="N", help="how many (default %(default)s)")
    add("--space", choices=SPACES, default="in-in", help="in-out: words that stand together with it; needs a model")

    add = command("analogy", _analogy, "answer: a is to b as c is to ?")
    add("file", metavar="FILE", help=FILE_HELP)
    for word in "abc":
        add(word)
    add("-n", type=positive, default=10, metavar="N", help="how many (default %(default)s)")

    add = command("evaluate", evaluate.run, "score vectors on analogies and human similarity ratings, and compare them")
    evaluate.add_arguments(add)

    add = command("explain", explain.run, "explain why two words are near: used alike, or standing together")
    explain.add_arguments(add)

    add = command("convert", _convert, "change the format of vectors; the names' endings tell the formats")
    add("input", metavar="IN", help=FILE_HELP)
    add("output", metavar="OUT")
    add("--from", dest="source", choices=FORMATS, help="format of IN, whatever its name")
    add("--to", dest="target", choices=FORMATS, help="format of OUT, whatever its name")
    add("--no-header", action="store_true", help="IN is text without a first line of sizes, as GloVe's")

    add = command(
        "align", combine.align, "bring vectors into the space of others; translate, and list what has changed"
    )
    combine.add_align_arguments(add)

    add = command("merge", combine.merge, "make one file of vectors of several, over all their words")
    combine.add_merge_arguments(add)

    add = command("explore", explore.run, "ask a model, one question after the other", talks=True)
    explore.add_arguments(add)

    add = command("completion", _completion, "print a script with which a shell completes commands", talks=True)
    completion.add_arguments(add)

    add = command("info", _info, "describe a file, or this installation")
    add("file", nargs="?", metavar="FILE", help=FILE_HELP + "; without it: version, kernel level")

    add = command("stability", _stability, "train several times, and tell how much the vectors move")
    stability.add_arguments(add, TRAINING_OPTIONS)

    add = command("verify", verify.run, "train a model again and compare the vectors, byte for byte")
    verify.add_arguments(add)

    add = command("demo", _demo, "train on Python's own documentation and query the result")
    add("-o", "--output", default="w2v-demo.safetensors", metavar="OUT", help="default: %(default)s")
    add_progress(add)

    for name, purpose in C_TOOLS.items():
        commands.add_parser(name, help=purpose, add_help=False)
    return parser


def _neighbors(args: argparse.Namespace) -> None:
    if args.documents:
        return documents.neighbors(args)
    vectors = load(args.file) if args.space == "in-in" else load_model(args.file, f"--space {args.space}")
    print_found(args, {word: answers(vectors.most_similar(word, topn=args.n, space=args.space)) for word in args.words})


def _analogy(args: argparse.Namespace) -> None:
    found = answers(load(args.file).most_similar([args.b, args.c], [args.a], topn=args.n))
    if args.json:
        report(args, {"a": args.a, "b": args.b, "c": args.c, "answers": found})
    else:
        print(printable(f"{args.a} is to {args.b} as {args.c} is to"))
        print_answers(found)


def _convert(args: argparse.Namespace) -> None:
    form = args.target or format_of(args.output)
    check_output(args.output)
    vectors = load(args.input, args.source, no_header=args.no_header)
    save(vectors, args.output, form)
    report(args, {"words": len(vectors), "vector_size": vectors.vector_size, "file": args.output})


def _info(args: argparse.Namespace) -> None:
    if args.file is None:
        from w2v import show_config

        return report(args, show_config())
    from w2v.files.arrays import sha256_of
    from w2v.files.native import inspect_native

    facts: dict[str, Any] = {"format": format_in(args.file)}
    vectors = load(args.file)
    facts |= {"words": len(vectors), "vector_size": vectors.vector_size}
    facts |= {"first_words": vectors.index_to_key[:10], "vectors_sha256": sha256_of(vectors.vectors)}
    if facts["format"] == "native":
        header = inspect_native(args.file)
        facts |= {name: header[name] for name in ("kind", "sha256", "library", "bytes")}
        facts |= header["meta"]
        facts["tensors"] = {name: f"{tensor['dtype']} {tensor['shape']}" for name, tensor in header["tensors"].items()}
    report(args, facts)


def _stability(args: argparse.Namespace) -> None:
    check_corpus(args.corpus)
    stability.run(args)


def _completion(args: argparse.Namespace) -> None:
    print(completion.script(build_parser(), args.shell), end="")


def _demo(args: argparse.Namespace) -> None:
    from w2v.cli import demo

    demo.run(args)
