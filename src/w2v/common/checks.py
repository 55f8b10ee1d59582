"""Parameters, checked before any work is done: an error names the value and the way out."""

import math
from collections.abc import Iterable
from typing import Any

LARGEST_INT = 2**31 - 1


def integer(name: str, value: Any, least: int, most: int = LARGEST_INT, hint: str = "") -> int:
    """`value` as an int in [least, most]; a float or a string is refused."""
    try:
        number = value.__index__()
    except AttributeError:
        raise TypeError(f"{name}={value!r} must be an integer{hint}") from None
    if not least <= number <= most:
        bound = f"at least {least}" if number < least else f"at most {most:,}"
        raise ValueError(f"{name}={value!r} must be {bound}{hint}")
    return int(number)


def number(name: str, value: Any, least: float = -math.inf, most: float = math.inf, hint: str = "") -> float:
    """`value` as a finite float in [least, most]."""
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        real = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}={value!r} must be a number{hint}") from None
    except OverflowError:  # an integer beyond all floats
        real = math.inf
    if not math.isfinite(real):
        raise ValueError(f"{name}={value!r} must be finite{hint}")
    if not least <= real <= most:
        bound = f"at least {least:g}" if real < least else f"at most {most:g}"
        raise ValueError(f"{name}={value!r} must be {bound}{hint}")
    return real


def one_of(name: str, value: Any, choices: Iterable[Any], hint: str = "") -> Any:
    choices = list(choices)
    if value not in choices:
        raise ValueError(f"{name}={value!r} must be one of {', '.join(map(repr, choices))}{hint}")
    return value


def worker_number(workers: Any) -> int:
    if workers == 0:
        raise ValueError("workers=0 would train nothing; use 1 or more, or -1 for all cores")
    return integer("workers", workers, -1, hint="; -1 means all cores")
