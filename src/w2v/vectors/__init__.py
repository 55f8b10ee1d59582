"""Words and their vectors, and every query about them: the part that a user keeps."""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """Give pickles older than `w2v.vectors.keyed` their class; our own code does not use this."""
    if name == "KeyedVectors":
        return import_module("w2v.vectors.keyed").KeyedVectors
    raise AttributeError(f"module 'w2v.vectors.keyed' has no attribute {name!r}")
