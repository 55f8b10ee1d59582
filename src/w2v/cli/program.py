"""The command line: text to vectors, vectors to answers, one sub-command each.

Results go to stdout (`--json` for programs), all else to stderr. Exit codes: 0 done, 1 error, 2 wrong usage,
130 Ctrl-C. The package's public names do all work; a command imports them when it needs them.
"""

import argparse
import errno
import json
import logging
import math
import os
import re
import shlex
import shutil
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from w2v._version import __version__
from w2v.cli.arguments import name_types, standard_input, whole_number
from w2v.common.terminal import printable
from w2v.stability import command as stability

if TYPE_CHECKING:
    from w2v import KeyedVectors, Word2Vec

SUFFIXES = {".safetensors": "native", ".bin": "binary", ".txt": "text", ".vec": "text"}
FORMATS = ("native", "binary", "text")
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
EXPECTED_ERRORS = (
    ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, OSError, ImportError, MemoryError,
)  # fmt: skip
FILE_HELP = "vectors: .safetensors, .bin, .txt, .vec; all but the first also compressed"

EXAMPLES = {
    "train": """
        w2v train corpus.txt -o model.safetensors
        w2v train corpus.txt.gz -o vectors.bin --sg --size 300 --epochs 10 --workers -1
        w2v train corpus.txt -o vectors.safetensors --vectors-only --hs --negative 0 --loss
        w2v train corpus.txt -o model.safetensors --checkpoint run/ --checkpoint-every 10m
        w2v train corpus.txt -o vectors.bin --sg --device auto
        cat corpus.txt | w2v train - -o vectors.txt --no-progress --json
    """,
    "resume": """
        w2v resume run/ -o model.safetensors
        w2v resume run/ -o vectors.bin --corpus corpus.txt
    """,
    "neighbors": """
        w2v neighbors model.safetensors thread
        w2v neighbors vectors.bin file directory -n 5
        w2v neighbors vectors.txt.gz socket --json
    """,
    "analogy": """
        w2v analogy model.safetensors decode decoder encode
        w2v analogy vectors.txt read reading write -n 3
    """,
    "evaluate": """
        w2v evaluate model.safetensors --analogies questions-words.txt
        w2v evaluate vectors.bin --pairs wordsim353.tsv simlex999.tsv
        w2v evaluate vectors.txt --analogies questions-words.txt --restrict 10000 --json
    """,
    "convert": """
        w2v convert vectors.bin vectors.safetensors
        w2v convert model.safetensors vectors.txt
        w2v convert vectors.txt vectors.out --to binary
    """,
    "info": """
        w2v info model.safetensors
        w2v info vectors.bin --json
        w2v info
    """,
    "stability": stability.EXAMPLES,
    "verify": """
        w2v verify model.safetensors --corpus corpus.txt
    """,
    "demo": """
        w2v demo
        w2v demo -o w2v-demo.safetensors --json
    """,
}

# The command lines of word2vec's C programs, in `c_tools`.
C_TOOLS = {
    "word2vec": "train as the C program word2vec does, with its options",
    "distance": "list the words nearest to a word, or to the sum of several, as the C program does",
    "word-analogy": "answer analogies of three words, as the C program does",
    "compute-accuracy": "print the accuracy on analogy questions, as the C program does",
}

# Options passed on unchanged: flag, parameter of Word2Vec, type, its default there (a test compares), help.
# Word2Vec checks the values, once for all its callers.
TRAINING_OPTIONS: list[tuple[str, str, Callable[[str], float], float | None, str]] = [
    ("--size", "vector_size", int, 100, "dimensions of the vectors"),
    ("--window", "window", int, 5, "words looked at on either side, at most"),
    ("--min-count", "min_count", int, 5, "leave out words that occur less often"),
    ("--negative", "negative", int, 5, "noise words per target; 0 for none"),
    ("--sample", "sample", float, 1e-3, "thin out words more frequent than this; 0 keeps all"),
    ("--alpha", "alpha", float, 0.025, "learning rate at the start"),
    ("--min-alpha", "min_alpha", float, 1e-4, "learning rate at the end"),
    ("--epochs", "epochs", int, 5, "passes over the corpus"),
    ("--workers", "workers", int, 3, "threads; -1 for every core, 1 for the same bytes on every run"),
    ("--seed", "seed", int, 1, "what all random choices follow from"),
    ("--ns-exponent", "ns_exponent", float, 0.75, "noise words are drawn by count to this power"),
    ("--max-vocab-size", "max_vocab_size", int, None, "forget the rarest words while counting"),
    ("--max-final-vocab", "max_final_vocab", int, None, "keep no more words than this"),
]

# The library's names of parameters in errors, and the options here.
FLAGS = {parameter: flag for flag, parameter, *_ in TRAINING_OPTIONS}
FLAGS |= {name: f"--{name.replace('_', '-')}" for name in ("cache", "device", "checkpoint", "checkpoint_every")}
FLAGS["k"] = "-k"

# The library's advice for programs, and the advice for the command line.
ADVICE = [
    (r"occurs min_count=(\d+) times", r"occurs \1 times"),
    (r"deterministic=True", "--deterministic"),
    (r"shared_negatives=False", "--fresh-negatives"),
    (r"None means no limit", "without it there is no limit"),
    (r" and start again \(init_weights makes new ones\)", ""),
    (r"files without one \(GloVe\) need no_header=True", "w2v convert --no-header reads files without one (GloVe)"),
    (r"no_header=True, on the command line by ", ""),
    (r"; errors='skip' leaves such rows out", ""),
    (r"LineSentence\(\w+, errors='replace'\) reads it nevertheless", "iconv -f ITS-ENCODING -t UTF-8 makes it that"),
    (r"word2vec's text and binary files are read by KeyedVectors.load_word2vec_format\(\)",
     "text and binary files end in .txt, .vec or .bin"),
]  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line, `sys.argv` by default, and return its exit code; bad usage raises SystemExit."""
    args = _parse(sys.argv[1:] if argv is None else list(argv))
    with warnings.catch_warnings(), _logged_once(args.flags):
        warnings.showwarning = _show_warning
        try:
            args.run(args)
            print(end="", flush=True)  # flush here, where errors are caught
        except KeyboardInterrupt as stop:
            print(f"w2v: interrupted{'; ' if stop.args else ''}{printable(str(stop))}", file=sys.stderr)
            return 130
        except BrokenPipeError:  # the reader has left; the flush at exit must not meet the closed pipe either
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except EXPECTED_ERRORS as error:
            print(f"w2v: error: {_message(error, args.flags)}", file=sys.stderr)
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

    def command(name: str, run: Callable[..., None], purpose: str) -> Callable[..., argparse.Action]:
        added = commands.add_parser(
            name,
            help=purpose,
            description=f"{purpose[0].upper()}{purpose[1:]}.",
            epilog="examples:\n" + textwrap.indent(textwrap.dedent(EXAMPLES[name]).strip(), "  "),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=run, wrong_usage=added.error)
        name_types(added)
        added.add_argument("--json", action="store_true", help="print one JSON object instead of text")
        return added.add_argument

    add = command("train", _train, "train vectors on a text, one sentence per line")
    add("corpus", metavar="CORPUS", help="text, plain or .gz, .bz2, .xz, .zst; - for standard input")
    _add_output(add)
    add("--cbow", dest="sg", action="store_const", const=0, default=0, help="words from context (default)")
    add("--sg", action="store_const", const=1, default=0, help="skip-gram: context from words")
    add("--hs", action="store_true", help="hierarchical softmax; on its own with --negative 0")
    for flag, parameter, kind, default, purpose in TRAINING_OPTIONS:
        ending = "" if default is None else " (default %(default)s)"
        add(flag, dest=parameter, type=kind, default=default, metavar="N", help=purpose + ending)
    add("--deterministic", action="store_true", help="the same bytes for any number of workers")
    add("--fresh-negatives", action="store_true", help="draw noise words for each pair, not each window")
    add("--cache", choices=["auto", "memory", "disk", "none"], default="auto", help="where to keep the ids")
    add("--device", choices=["cpu", "cuda", "auto"], default="cpu", help="train on the CPU, or an NVIDIA GPU")
    add("--loss", action="store_true", help="report the mean loss of every epoch")
    add("--checkpoint", metavar="DIR", help="keep the run in this folder; w2v resume goes on with it")
    purpose = "how often: a time such as 30s, 10m or 2h, or a number of epochs (default %(default)s)"
    add("--checkpoint-every", type=_interval, default="10m", metavar="T", help=purpose)
    _add_progress(add)

    add = command("resume", _resume, "go on with a training that was cut short, from its last checkpoint")
    add("checkpoint", metavar="DIR", help="the folder that w2v train --checkpoint was given")
    _add_output(add)
    add("--corpus", metavar="CORPUS", help="the text, if it is no longer where it was")
    add("--workers", type=_workers, metavar="N", help="threads (default: as before)")
    _add_progress(add)

    add = command("neighbors", _neighbors, "list the words nearest to each word")
    add("file", metavar="FILE", help=FILE_HELP)
    add("words", nargs="+", metavar="WORD")
    add("-n", type=_positive, default=10, metavar="N", help="how many (default %(default)s)")

    add = command("analogy", _analogy, "answer: a is to b as c is to ?")
    add("file", metavar="FILE", help=FILE_HELP)
    for word in "abc":
        add(word)
    add("-n", type=_positive, default=10, metavar="N", help="how many (default %(default)s)")

    add = command("evaluate", _evaluate, "score vectors on analogies and on human similarity ratings")
    add("file", metavar="FILE", help=FILE_HELP)
    add("--analogies", metavar="F", help="questions of four words, in sections, as word2vec has them")
    add("--restrict", type=_positive, default=30_000, metavar="N", help="analogies: most frequent words only")
    add("--pairs", nargs="+", default=[], metavar="F", help="lines of word, word, rating, between tabs")

    add = command("convert", _convert, "change the format of vectors; the names' endings tell the formats")
    add("input", metavar="IN", help=FILE_HELP)
    add("output", metavar="OUT")
    add("--from", dest="source", choices=FORMATS, help="format of IN, whatever its name")
    add("--to", dest="target", choices=FORMATS, help="format of OUT, whatever its name")
    add("--no-header", action="store_true", help="IN is text without a first line of sizes, as GloVe's")

    add = command("info", _info, "describe a file, or this installation")
    add("file", nargs="?", metavar="FILE", help=FILE_HELP + "; without it: version, kernel level")

    add = command("stability", _stability, "train several times, and tell how much the vectors move")
    stability.add_arguments(add, TRAINING_OPTIONS)

    add = command("verify", _verify, "train a model again and compare the vectors, byte for byte")
    add("file", metavar="FILE", help="a model, as w2v train saves it")
    add("--corpus", required=True, metavar="CORPUS", help="the text it was trained on")
    add("--workers", type=_workers, metavar="N", help="threads, for a deterministic model (default: as before)")
    _add_progress(add)

    add = command("demo", _demo, "train on Python's own documentation and query the result")
    add("-o", "--output", default="w2v-demo.safetensors", metavar="OUT", help="default: %(default)s")
    _add_progress(add)

    for name, purpose in C_TOOLS.items():
        commands.add_parser(name, help=purpose, add_help=False)
    return parser


def _train(args: argparse.Namespace) -> None:
    _format_of(args.output)
    _check_output(args.output)
    if _is_in(args.output, args.corpus):
        raise ValueError(f"{args.output} is the corpus itself; write to another file")
    if args.checkpoint is not None:
        _check_not_of_the_run(args)
    if not args.hs and args.negative == 0:
        raise ValueError("--negative 0 without --hs leaves nothing to train; give --hs too, or leave --negative out")
    from w2v import Word2Vec

    with _how_to_resume(args), _read_from(args.corpus) as (sentences, corpus_file):
        model = Word2Vec(
            sentences=sentences,
            corpus_file=corpus_file,
            sg=args.sg,
            hs=int(args.hs),
            shared_negatives=not args.fresh_negatives,
            deterministic=args.deterministic,
            cache=args.cache,
            device=args.device,
            compute_loss=args.loss,
            progress=args.progress,
            checkpoint=args.checkpoint,
            checkpoint_every=args.checkpoint_every,
            **{parameter: getattr(args, parameter) for _, parameter, *_ in TRAINING_OPTIONS},
        )
    _save_trained(args, model)


def _resume(args: argparse.Namespace) -> None:
    _format_of(args.output)
    _check_output(args.output)
    from w2v import Word2Vec

    _check_not_of_the_run(args)
    again = ["--corpus", args.corpus] if args.corpus is not None else []
    again += ["--workers", str(args.workers)] if args.workers is not None else []
    with _how_to_resume(args, again), _read_from(args.corpus) as (sentences, corpus_file):
        model = Word2Vec.resume(args.checkpoint, sentences, corpus_file, workers=args.workers, progress=args.progress)
    _save_trained(args, model)


def _check_not_of_the_run(args: argparse.Namespace) -> None:
    from w2v.training.checkpoint import files_of

    for path in [*files_of(args.checkpoint), args.corpus]:
        if path is not None and _is_in(args.output, path):
            raise ValueError(f"{args.output} belongs to the run, which reads {path}; write to another file")


def _check_corpus(path: str) -> None:
    if not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    if os.path.isdir(path):
        raise ValueError(f"{path} is a folder; give one file, or all of them: cat {shlex.quote(path)}/* | w2v train -")


@contextmanager
def _read_from(path: str | None) -> Iterator[tuple[Any, str | None]]:
    """Give a corpus as an iterable or as a path; a source that can be read only once is copied to a nameless file."""
    if path is not None and path != "-":
        _check_corpus(path)
    if path is None or os.path.isfile(path):
        yield None, path
        return
    from w2v import LineSentence

    with tempfile.TemporaryFile() as kept:
        with nullcontext(standard_input()) if path == "-" else open(path, "rb") as pipe:
            shutil.copyfileobj(pipe, kept)
        yield LineSentence(kept), None


@contextmanager
def _how_to_resume(args: argparse.Namespace, again: Sequence[str] = ()) -> Iterator[None]:
    """After a Ctrl-C with a checkpoint, print the command that resumes, with the options to repeat."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if not stop.args:
            raise
        line = ["w2v", "resume", args.checkpoint, "-o", args.output, *["--vectors-only"] * args.vectors_only, *again]
        raise KeyboardInterrupt(f"go on with: {shlex.join(line)}") from None


def _save_trained(args: argparse.Namespace, model: "Word2Vec") -> None:
    from w2v.files.arrays import sha256_of

    form = _format_of(args.output)
    if form == "native" and not args.vectors_only:
        model.save(args.output)
    else:
        _save(model.wv, args.output, form)
    seconds = sum(epoch.seconds for epoch in model.history)
    per_second = 1 / seconds if seconds else 0.0  # a callback may end a run before its first epoch, after no time
    facts = {
        "corpus_words": model.corpus_total_words,
        "sentences": model.corpus_count,
        "vocabulary": len(model.wv),
        "vector_size": model.vector_size,
        "epochs": len(model.history),
        "seconds": seconds,
        "words_per_second": sum(epoch.raw_words for epoch in model.history) * per_second,
        "effective_words_per_second": sum(epoch.trained_words for epoch in model.history) * per_second,
        "loss": list(model.loss_history),
        "repeatable": (model.workers == 1 or model.deterministic) and not model.provenance.devices,
        "sha256": sha256_of(model.wv.vectors),
        "file": args.output,
    }
    if not model.compute_loss:
        del facts["loss"]
    # Several workers are the default for their speed; they give up the promise of the same bytes.
    if not args.json and not facts["repeatable"]:
        facts["repeatable"] = (
            "no, trained by several workers or on a GPU; --workers 1 or --deterministic is, and w2v verify checks it"
        )
    _report(args, facts)


def _neighbors(args: argparse.Namespace) -> None:
    vectors = _load(args.file)
    found = {word: _answers(vectors.most_similar(word, topn=args.n)) for word in args.words}
    if args.json:
        _report(args, found)
    else:
        for word, answers in found.items():
            print(printable(word))
            _print_answers(answers)


def _analogy(args: argparse.Namespace) -> None:
    found = _answers(_load(args.file).most_similar([args.b, args.c], [args.a], topn=args.n))
    if args.json:
        _report(args, {"a": args.a, "b": args.b, "c": args.c, "answers": found})
    else:
        print(printable(f"{args.a} is to {args.b} as {args.c} is to"))
        _print_answers(found)


def _evaluate(args: argparse.Namespace) -> None:
    if not (args.analogies or args.pairs):
        args.wrong_usage("give --analogies F, --pairs F, or both")
    vectors = _load(args.file)
    facts: dict[str, Any] = {}
    if args.analogies:
        accuracy, sections = vectors.evaluate_word_analogies(args.analogies, restrict_vocab=args.restrict)
        counts = {part["section"]: (len(part["correct"]), len(part["incorrect"])) for part in sections}
        facts["analogies"] = {name: {"correct": right, "of": right + wrong} for name, (right, wrong) in counts.items()}
        if not sum(part["of"] for part in facts["analogies"].values()):
            raise ValueError(
                f"{args.analogies}: no question has four of the {min(args.restrict, len(vectors)):,} most frequent "
                f"words of {args.file}, so there is nothing to score; are they of the same language and case?"
            )
        facts["accuracy"] = accuracy
    for file in args.pairs:
        pearson, spearman, unknown = vectors.evaluate_word_pairs(file)
        facts.setdefault("pairs", {})[file] = {
            "spearman": _finite_or_none(spearman[0]),
            "pearson": _finite_or_none(pearson[0]),
            "unknown_percent": float(unknown),
        }
    _report(args, facts)


def _convert(args: argparse.Namespace) -> None:
    form = args.target or _format_of(args.output)
    _check_output(args.output)
    vectors = _load(args.input, args.source, no_header=args.no_header)
    _save(vectors, args.output, form)
    _report(args, {"words": len(vectors), "vector_size": vectors.vector_size, "file": args.output})


def _info(args: argparse.Namespace) -> None:
    if args.file is None:
        from w2v import show_config

        return _report(args, show_config())
    from w2v.files.arrays import sha256_of
    from w2v.files.native import inspect_native

    facts: dict[str, Any] = {"format": _format_of(args.file)}
    vectors = _load(args.file)
    facts |= {"words": len(vectors), "vector_size": vectors.vector_size}
    facts |= {"first_words": vectors.index_to_key[:10], "vectors_sha256": sha256_of(vectors.vectors)}
    if facts["format"] == "native":
        header = inspect_native(args.file)
        facts |= {name: header[name] for name in ("kind", "sha256", "library", "bytes")}
        facts |= header["meta"]
        facts["tensors"] = {name: f"{tensor['dtype']} {tensor['shape']}" for name, tensor in header["tensors"].items()}
    _report(args, facts)


def _stability(args: argparse.Namespace) -> None:
    _check_corpus(args.corpus)
    stability.run(args)


def _verify(args: argparse.Namespace) -> None:
    from w2v import Word2Vec
    from w2v.files.arrays import sha256_of

    a_model = f"only a model can be trained again, as w2v train saves one in a .safetensors; {args.file} is none"
    if _format_of(args.file) != "native":
        raise ValueError(a_model)
    try:
        model = Word2Vec.load(args.file)
    except AttributeError:  # the file holds vectors alone
        raise ValueError(a_model) from None
    model.progress = args.progress
    if args.workers is not None:
        model.workers = args.workers
    with _read_from(args.corpus) as (sentences, corpus_file):
        again = model.trained_again(sentences, corpus_file)
    hashes = sha256_of(model.wv.vectors), sha256_of(again.wv.vectors)
    if hashes[0] != hashes[1]:
        raise ValueError(f"the vectors differ: {hashes[0]} in {args.file}, {hashes[1]} trained again")
    _report(args, {"verified": args.file, "vectors_sha256": hashes[0]})


def _demo(args: argparse.Namespace) -> None:
    if _format_of(args.output) != "native":
        raise ValueError(f"the demo saves a whole model; {args.output!r} must end in .safetensors")
    _check_output(args.output)
    from w2v.cli.demo import run_demo

    if args.json:
        _report(args, run_demo(args.output, progress=args.progress, say=lambda line: None))
    else:
        run_demo(args.output, progress=args.progress)


def _add_output(add: Callable[..., argparse.Action]) -> None:
    add("-o", "--output", required=True, metavar="OUT", help=".safetensors (model), .bin, .txt or .vec")
    add("--vectors-only", action="store_true", help="only vectors in a .safetensors, not the whole model")


def _interval(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


def _add_progress(add: Callable[..., argparse.Action]) -> None:
    purpose = "progress bars on stderr (default: in a terminal)"
    add("--progress", action=argparse.BooleanOptionalAction, default=None, help=purpose)


def _workers(text: str) -> int:
    if (number := whole_number(text)) < 1 and number != -1:
        raise argparse.ArgumentTypeError(f"{number} would train nothing; 1 or more, or -1 for every core")
    return number


def _positive(text: str) -> int:
    if (number := whole_number(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is below 1")
    return number


def _format_of(path: str) -> str:
    name = Path(path)
    packed = name.suffix in COMPRESSED
    form = SUFFIXES.get(Path(name.stem).suffix if packed else name.suffix)
    if form is None or (packed and form == "native"):
        raise ValueError(f"the name of {path!r} does not tell its format; it must end in {', '.join(SUFFIXES)}")
    return form


def _check_output(path: str) -> None:
    from w2v.files.writing import check_output

    check_output(path)


def _is_in(output: str, source: str) -> bool:
    """Whether a file is the other one, or one of those in a folder; a source of "-" is standard input."""
    if source == "-":
        with suppress(OSError, ValueError, AttributeError):  # which may be closed, or something else than a file
            return os.path.samestat(os.stat(output), os.fstat(sys.stdin.fileno()))
    if source in ("", "-"):
        return False
    path, other = os.path.realpath(output), os.path.realpath(source)
    return path == other or (os.path.exists(path) and os.path.dirname(path) == other)


def _load(path: str, form: str | None = None, *, no_header: bool = False) -> "KeyedVectors":
    from w2v import KeyedVectors

    form = form or _format_of(path)
    if form == "native":
        return KeyedVectors.load(path)
    return KeyedVectors.load_word2vec_format(path, binary=form == "binary", no_header=no_header)


def _save(vectors: "KeyedVectors", path: str, form: str) -> None:
    if form == "native":
        vectors.save(path)
    else:
        vectors.save_word2vec_format(path, binary=form == "binary")


def _finite_or_none(correlation: float) -> float | None:
    """Return a number, or None for the NaN of constant ratings, which JSON cannot hold."""
    return None if math.isnan(correlation) else float(correlation)


def _answers(found: list[tuple[str, float]]) -> list[dict[str, Any]]:
    return [{"word": word, "similarity": float(similarity)} for word, similarity in found]


def _print_answers(answers: list[dict[str, Any]]) -> None:
    words = [printable(answer["word"]) for answer in answers]
    width = max(map(len, words), default=0)
    for word, answer in zip(words, answers, strict=True):
        print(f"  {word:<{width}}  {answer['similarity']:.3f}")


def _report(args: argparse.Namespace, facts: dict[str, Any]) -> None:
    """Print facts as one JSON object or as aligned lines; a dict gives a line for each of its items."""
    if args.json:
        print(json.dumps(facts, allow_nan=False))
        return
    lines: dict[str, str] = {}
    for name, value in facts.items():
        items = value.items() if isinstance(value, dict) else [("", value)]
        lines |= {
            printable(f"{name.replace('_', ' ')} {item}".rstrip()): printable(_text(part)) for item, part in items
        }
    width = max(map(len, lines), default=0)
    for name, text in lines.items():
        print(f"{name:<{width}}  {text}")


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_text(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(_text, value))
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _message(error: BaseException, flags: Mapping[str, str]) -> str:
    """Return an exception's message on one line, with the options' names; str() of a KeyError would quote it."""
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    else:
        text = str(error.args[0]) if type(error) is KeyError and error.args else str(error)
    if not isinstance(error, LookupError):  # its message is about words, not options
        text = _in_options(text, flags)
    return printable(" ".join(text.split())) or type(error).__name__


def _in_options(text: str, flags: Mapping[str, str]) -> str:
    """Translate the library's names of parameters: --size 0 for vector_size=0."""
    for advice, here in ADVICE:
        text = re.sub(advice, here, text)
    for parameter, flag in flags.items():
        name = rf"(?<![\w'\"/.-]){parameter}"
        text = re.sub(rf"{name}='([^']*)'", rf"{flag} \1", text)
        text = re.sub(rf"{name}=(?=-?\w)", f"{flag} ", text)
        text = re.sub(rf"{name}=", flag, text)
        if "_" in parameter:  # a bare name may be an English word
            text = re.sub(rf"{name}\b", flag, text)
    return text


class _PrintsOnce(logging.Handler):
    """Prints each warning of the library once: a command may train many times, with other numbers in the warning."""

    def __init__(self, flags: Mapping[str, str]) -> None:
        super().__init__(logging.WARNING)
        self.flags = flags
        self.seen: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = _in_options(record.getMessage(), self.flags)
        kind = re.sub(r"\d+", "0", message)
        if kind not in self.seen:
            self.seen.add(kind)
            _show_warning(message, UserWarning, record.pathname, record.lineno)


@contextmanager
def _logged_once(flags: Mapping[str, str]) -> Iterator[None]:
    handler, logger = _PrintsOnce(flags), logging.getLogger("w2v")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"w2v: warning: {printable(' '.join(str(message).split()))}", file=sys.stderr)
