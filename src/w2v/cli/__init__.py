"""The `w2v` program."""

from w2v.cli.program import main

__all__ = ["main"]
