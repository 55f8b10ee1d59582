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
    counts,
    distributed,
    documents,
    evaluate,
    explain,
    subwords,
    term_commands,
    topics,
    verify,
)
from w2v.cli.arguments import (
    DEVICES,
    SPACES,
    TRAINING_OPTIONS,
    add_output,
    add_progress,
    add_training_options,
    check_something_to_train,
    interval,
    name_types,
    positive,
    training_settings,
    workers,
)
from w2v.cli.messages import logged_once, message_of, show_warning
from w2v.cli.output import (
    answers,
    check_not_of_the_run,
    how_to_resume,
    print_answers,
    print_found,
    report,
    save_trained,
)
from w2v.cli.sources import check_corpus, check_output, is_in, read_from
from w2v.cli.vector_files import FILE_HELP, FORMATS, format_in, format_of, load, load_model, save
from w2v.common.terminal import printable
from w2v.stability import command as stability

EXPECTED_ERRORS = (
    ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, OSError, ImportError, MemoryError,
)  # fmt: skip

EXAMPLES = {
    "train": """
        w2v train corpus.txt -o model.safetensors
        w2v train corpus.txt.gz -o vectors.bin --sg --size 300 --epochs 10 --workers -1
        w2v train corpus.txt -o vectors.safetensors --vectors-only --hs --negative 0 --loss
        w2v train corpus.txt -o model.safetensors --checkpoint run/ --checkpoint-every 10m
        w2v train corpus.txt -o vectors.bin --sg --device auto
        cat corpus.txt | w2v train - -o vectors.txt --no-progress --json
        w2v train march.txt -o march.safetensors --resume-from february.safetensors
        w2v train 1900s.txt -o 1900s.safetensors --resume-from all.safetensors --freeze outputs
    """
    + distributed.TRAIN_EXAMPLES,
    "resume": """
        w2v resume run/ -o model.safetensors
        w2v resume run/ -o vectors.bin --corpus corpus.txt
    """,
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
    name: f"--{name.replace('_', '-')}" for name in ("cache", "device", "checkpoint", "checkpoint_every", "dm", "tol")
}
FLAGS |= subwords.FLAGS | counts.FLAGS | bio.FLAGS | distributed.FLAGS
FLAGS |= {"k": "-k", "restrict_vocab": "--restrict"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line, `sys.argv` by default, and return its exit code; bad usage raises SystemExit."""
    args = _parse(sys.argv[1:] if argv is None else list(argv))
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
    parser = argparse.ArgumentParser("w2v", description="Train word vectors on CPUs, and query them.")
    parser.epilog = "w2v COMMAND --help shows examples."
    parser.add_argument("--version", action="version", version=f"w2v {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(
        name: str, run: Callable[..., None], purpose: str, among: Any = commands
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
        added.add_argument("--json", action="store_true", help="print one JSON object instead of text")
        argument: Callable[..., argparse.Action] = added.add_argument
        return argument

    add = command("train", _train, "train vectors on a text, one sentence per line")
    _add_train_arguments(add)
    add("--tied", action="store_true", help="one matrix for what words are read as and what is predicted")
    distributed.add_engine_options(add)

    add = command(
        "plan", distributed.plan, "say what training by several workers takes: memory, traffic, time, quality"
    )
    distributed.add_plan_arguments(add)

    add = command("fasttext", _train, "train vectors of words and their n-grams: any string has one")
    subwords.add_arguments(add)
    _add_train_arguments(add)

    term_commands.register(command, report, read_from)

    counts.register(command)
    several = commands.add_parser("bio", help="vectors of proteins and genes: train, embed")
    among = several.add_subparsers(metavar="COMMAND", required=True)
    add = command("bio train", bio.train, "train vectors of k-mers on FASTA or FASTQ, by a preset", among)
    bio.add_training_arguments(add)
    add = command("bio embed", bio.embed, "make vectors of sequences from those of their k-mers", among)
    bio.add_embedding_arguments(add)

    add = command("resume", _resume, "go on with a training that was cut short, from its last checkpoint")
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


def _add_train_arguments(add: Callable[..., argparse.Action]) -> None:
    add("corpus", metavar="CORPUS", help="text, plain or .gz, .bz2, .xz, .zst; - for standard input")
    add_output(add)
    add("--cbow", dest="sg", action="store_const", const=0, default=None, help="words from context (default)")
    add("--sg", action="store_const", const=1, default=None, help="skip-gram: context from words")
    add_training_options(add)
    term_commands.add_step_options(add)
    purpose = "go on from this saved model: its words and those of CORPUS, with its settings where none are given"
    add("--resume-from", metavar="MODEL", help=purpose)
    purpose = "leave the outputs, the inputs, or the words of MODEL as they are, to the bit; the first two add no words"
    add("--freeze", choices=combine.FREEZE, help=purpose)
    add("--checkpoint", metavar="DIR", help="keep the run in this folder; w2v resume goes on with it")
    purpose = "how often: a time such as 30s, 10m or 2h, or a number of epochs (default %(default)s)"
    add("--checkpoint-every", type=interval, default="10m", metavar="T", help=purpose)
    add_progress(add)


def _train(args: argparse.Namespace) -> None:
    format_of(args.output)
    check_output(args.output)
    if is_in(args.output, args.corpus):
        raise ValueError(f"{args.output} is the corpus itself; write to another file")
    if args.checkpoint is not None:
        check_not_of_the_run(args)
    given = training_settings(args) | ({"sg": args.sg} if args.sg is not None else {})
    options = {"checkpoint": args.checkpoint, "checkpoint_every": args.checkpoint_every}
    if args.resume_from is not None:
        if is_in(args.output, args.resume_from):
            raise ValueError(f"{args.output} is the model to go on from; write to another file")
        if args.phrases is not None or args.terms is not None or getattr(args, "tied", False):
            args.wrong_usage("--phrases, --terms and --tied belong to a new model; that of --resume-from keeps its own")
        with how_to_resume(args), read_from(args.corpus) as (sentences, corpus_file):
            model = combine.go_on(args.resume_from, args.freeze, given, sentences, corpus_file, **options)
        return save_trained(args, model)
    if args.freeze is not None:
        args.wrong_usage("--freeze leaves rows of a trained model as they are: give it by --resume-from MODEL")
    check_something_to_train(args)
    if getattr(args, "engine", None) is not None:
        return distributed.train(args, given)
    from w2v import FastText, Word2Vec

    family = FastText if hasattr(args, "min_n") else Word2Vec
    given |= term_commands.steps_of(args) | subwords.settings_of(args)
    with how_to_resume(args), read_from(args.corpus) as (sentences, corpus_file):
        model = family(sentences, corpus_file=corpus_file, **options, **given)
    save_trained(args, model)


def _resume(args: argparse.Namespace) -> None:
    format_of(args.output)
    check_output(args.output)
    from w2v.distributed import is_run
    from w2v.models import families

    check_not_of_the_run(args)
    if is_run(args.checkpoint):
        return distributed.resume(args)
    again = ["--corpus", args.corpus] if args.corpus is not None else []
    again += ["--workers", str(args.workers)] if args.workers is not None else []
    again += ["--device", args.device] if args.device is not None else []
    given = {"workers": args.workers, "progress": args.progress}
    given |= {"device": args.device} if args.device is not None else {}
    with how_to_resume(args, again), read_from(args.corpus) as (sentences, corpus_file):
        model = families.resume(args.checkpoint, sentences, corpus_file, **given)
    save_trained(args, model)


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


def _demo(args: argparse.Namespace) -> None:
    from w2v.cli import demo

    demo.run(args)
