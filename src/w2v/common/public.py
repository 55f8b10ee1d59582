"""The names under which users know things."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, TypeVar

Made = TypeVar("Made", bound=type)


def public(made: Made) -> Made:
    """Let tracebacks and pickles name the class as users import it, ``w2v.X``: a later move of its room breaks none."""
    made.__module__ = "w2v"
    return made


def on_first_use(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The functions ``__getattr__`` and ``__dir__`` of a package whose names load with their modules, when asked for.

    Parameters
    ----------
    package : str, its full name
    homes : mapping, of each name the module in the package that has it
    """
    names = vars(sys.modules[package])

    def __getattr__(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        names[name] = value = getattr(import_module(f"{package}.{homes[name]}"), name)
        return value

    def __dir__() -> list[str]:
        return sorted(set(names) | set(homes))

    return __getattr__, __dir__
