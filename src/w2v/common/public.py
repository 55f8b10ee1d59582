"""The names under which users know classes."""

from typing import TypeVar

Made = TypeVar("Made", bound=type)


def public(made: Made) -> Made:
    """Let tracebacks and pickles name the class as users import it, ``w2v.X``: a later move of its room breaks none."""
    made.__module__ = "w2v"
    return made
