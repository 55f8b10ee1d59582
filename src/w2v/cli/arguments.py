"""What the parsers of both programs share: numbers, and a standard input that may be closed."""

import argparse
import sys
from typing import BinaryIO

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
