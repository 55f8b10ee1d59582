"""Which corpus a call names, and whether it is one that is known already."""

import os
from typing import Any

from w2v.corpus import Pathlike, text_of
from w2v.encode import Sentences


def given(corpus_iterable: Sentences | None, corpus_file: Pathlike | None) -> tuple[Any, bool]:
    """The one corpus that was given, and whether it is a path."""
    if (corpus_iterable is None) == (corpus_file is None):
        raise TypeError("give either an iterable of sentences or corpus_file=, one of the two")
    if corpus_file is not None:
        if not isinstance(corpus_file, str | os.PathLike):
            raise TypeError(f"corpus_file must be a path, not {type(corpus_file).__name__}")
        if not os.path.isfile(corpus_file):
            raise TypeError(f"corpus_file={os.fspath(corpus_file)!r} is not a file")
        return corpus_file, True
    if isinstance(corpus_iterable, str | bytes | os.PathLike):
        raise TypeError(
            f"sentences={corpus_iterable!r:.60} is a string, not lists of tokens; for a file use corpus_file="
        )
    if not hasattr(corpus_iterable, "__iter__") and not hasattr(corpus_iterable, "__getitem__"):
        raise TypeError(f"sentences must be an iterable of token lists, not {type(corpus_iterable).__name__}")
    return corpus_iterable, False


def check_repeatable(source: Any, is_path: bool) -> None:
    """TypeError if a corpus that is to be read in every epoch can be read only once."""
    if not is_path and iter(source) is source:
        raise TypeError(
            f"cache='none' reads the corpus in every epoch, but a {type(source).__name__} can be read only once; "
            "pass a re-iterable corpus (see LineSentence) or leave cache='auto'"
        )


def identity(source: Any, is_path: bool) -> tuple[Any, ...]:
    """What tells a corpus from another: the object, its length, and the size and time of the files it reads."""
    text = text_of(source)
    files = [os.fspath(source)] if is_path else text.files if text is not None else []
    status = [(file.st_size, file.st_mtime_ns) for file in map(os.stat, files)]
    try:
        length = len(source) if hasattr(source, "__len__") and not is_path else None
    except TypeError:  # some data loaders have a length only at times
        length = None
    return os.path.abspath(source) if is_path else source, length, status


def same(known: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
    """Whether two identities agree: the objects are the same ones, everything else is equal."""
    return all(
        a is b or (isinstance(a, str | int | list) and type(a) is type(b) and a == b)
        for a, b in zip(known, new, strict=True)
    )
