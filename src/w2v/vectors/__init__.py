"""What a user keeps: words and their vectors, and every question about them."""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """Where pickles made before `w2v.vectors.keyed` find the class; nothing of ours takes it from here."""
    if name == "KeyedVectors":
        return import_module("w2v.vectors.keyed").KeyedVectors
    raise AttributeError(f"module 'w2v.vectors.keyed' has no attribute {name!r}")
