"""The options of `w2v fasttext` that `w2v train` does not have: n-grams and their rows."""

import argparse
from collections.abc import Callable
from typing import Any

EXAMPLES = """
    w2v fasttext corpus.txt -o model.safetensors --sg --bucket 100000
    w2v fasttext corpus.txt -o model.bin --sg --bucket 100000
    w2v fasttext corpus.txt -o model.safetensors --min-n 2 --max-n 4 --bucket 50000 --epochs 10 --workers -1
"""

# Flag, parameter of FastText, its default there (a test compares), help.
OPTIONS = [
    ("--min-n", "min_n", 3, "characters of the shortest n-gram"),
    ("--max-n", "max_n", 6, "characters of the longest n-gram; 0 for no n-grams"),
    ("--bucket", "bucket", 2_000_000, "rows that n-grams are hashed into, of 4 bytes times --size"),
]
FLAGS = {parameter: flag for flag, parameter, *_ in OPTIONS}


def add_arguments(add: Callable[..., argparse.Action]) -> None:
    """Declare the options."""
    for flag, parameter, default, purpose in OPTIONS:
        add(flag, dest=parameter, type=int, default=default, metavar="N", help=f"{purpose} (default {default})")


def settings_of(args: argparse.Namespace) -> dict[str, Any]:
    """What was given of these options, as parameters of `FastText`; nothing for another command."""
    return {parameter: getattr(args, parameter) for _, parameter, *_ in OPTIONS if hasattr(args, parameter)}
