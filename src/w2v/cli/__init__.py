"""The `w2v` program."""

from w2v.cli import main

__all__ = ["main"]
