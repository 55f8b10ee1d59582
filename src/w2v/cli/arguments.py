"""What parsers share: options of training, numbers, and a standard input that may be closed."""

import argparse
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

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

# Options without a value: setting, attribute of the parsed arguments, what it is then.
SWITCHES = [
    ("hs", "hs", 1), ("deterministic", "deterministic", True), ("shared_negatives", "fresh_negatives", False),
    ("compute_loss", "loss", True), ("tied", "tied", True),
]  # fmt: skip

# Those of `w2v.training.settings`, which would load numpy (a test compares).
DEVICES = ("cpu", "cuda", "auto")

# Those of `w2v.text.letters`, which would load numpy (a test compares).
TOKENIZERS = ("whitespace", "simple", "simple_preprocess")

# Those of `w2v.vectors.asked`, which would load numpy (a test compares).
SPACES = ("in-in", "in-out", "out-in", "out-out", "sum")


def standard_input() -> BinaryIO:
    """Return the bytes of standard input, which a caller may have closed."""
    if sys.stdin is None:
        raise ValueError("standard input is closed; give it a text, or name a file")
    return sys.stdin.buffer


def whole_number(text: str) -> int:
    """Read an argument that is an integer."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def positive(text: str) -> int:
    """Read an argument that is an integer of at least 1."""
    if (number := whole_number(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is below 1")
    return number


def _real_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def name_types(parser: argparse.ArgumentParser) -> None:
    """Let a parser's errors say "a whole number" and "a number" where argparse says "int" and "float"."""
    parser.register("type", int, whole_number)
    parser.register("type", float, _real_number)


def add_training_options(add: Callable[..., argparse.Action], epochs: int | None = None) -> None:
    """Declare what all models have in common; `epochs` is another default than that of `Word2Vec`.

    The parsed arguments have those that were given: a model has defaults of its own.
    """
    add("--hs", action="store_true", help="hierarchical softmax; on its own with --negative 0")
    for flag, parameter, kind, default, purpose in TRAINING_OPTIONS:
        default = epochs if parameter == "epochs" and epochs is not None else default
        ending = "" if default is None else f" (default {default})"
        add(flag, dest=parameter, type=kind, default=argparse.SUPPRESS, metavar="N", help=purpose + ending)
    add("--deterministic", action="store_true", help="the same bytes for any number of workers")
    add(
        "--fresh-negatives",
        action="store_true",
        help="draw noise words for each pair, not each window; FastText always does",
    )
    add("--cache", choices=["auto", "memory", "disk", "none"], default="auto", help="where to keep the ids")
    add("--device", choices=DEVICES, help="cuda: on an NVIDIA GPU; auto: on one where it pays (default cpu)")
    add("--loss", action="store_true", help="report the mean loss of every epoch")


def add_text_options(add: Callable[..., argparse.Action]) -> None:
    """Declare how a text is read, and what its words are."""
    purpose = "of raw text: simple (letters of any script in one case, no punctuation) or gensim's simple_preprocess"
    add("--tokenizer", choices=TOKENIZERS, help=purpose + " (default: words are what stands between blanks)")
    add_place_options(add)


def add_place_options(add: Callable[..., argparse.Action]) -> None:
    """Declare where in a corpus the text is."""
    add("--column", metavar="NAME", help="CORPUS is a table (.parquet, .feather, .arrow): read this column")
    add("--field", metavar="NAME", help="CORPUS is lines of JSON (.jsonl): read this field")


def check_something_to_train(args: argparse.Namespace) -> None:
    if not args.hs and getattr(args, "negative", None) == 0:
        raise ValueError("--negative 0 without --hs leaves nothing to train; give --hs too, or leave --negative out")


def training_settings(args: argparse.Namespace) -> dict[str, Any]:
    """What was given of `add_training_options` and `add_progress`, as parameters of a model."""
    given = {parameter: getattr(args, parameter) for _, parameter, *_ in TRAINING_OPTIONS if hasattr(args, parameter)}
    given |= {name: value for name, asked, value in SWITCHES if getattr(args, asked, False)}
    given |= {name: getattr(args, name) for name in ("device", "tokenizer") if getattr(args, name, None) is not None}
    return given | {"cache": args.cache, "progress": args.progress}


def add_output(add: Callable[..., argparse.Action], without: str = "") -> None:
    """Declare the output; `without` says what happens without it, else it is required."""
    ending = f"; {without}" if without else ""
    add("-o", "--output", required=not without, metavar="OUT", help=".safetensors (model), .bin, .txt or .vec" + ending)
    add("--vectors-only", action="store_true", help="only vectors in a .safetensors, not the whole model")


def interval(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


def add_progress(add: Callable[..., argparse.Action]) -> None:
    purpose = "progress bars on stderr (default: in a terminal)"
    add("--progress", action=argparse.BooleanOptionalAction, default=None, help=purpose)


def workers(text: str) -> int:
    if (number := whole_number(text)) < 1 and number != -1:
        raise argparse.ArgumentTypeError(f"{number} would train nothing; 1 or more, or -1 for every core")
    return number
