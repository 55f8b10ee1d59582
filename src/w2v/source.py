"""Which corpus a call names, and whether it is one that is known already."""

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from w2v import formats
from w2v.corpus import LineSentence, Pathlike, PathLineSentences, Text8Corpus, text_of
from w2v.encode import Sentences

# The readers of files that can be made again from a path and these options.
READERS: dict[str, Callable[..., Any]] = {
    made.__name__: made for made in (LineSentence, PathLineSentences, Text8Corpus)
}
READER_OPTIONS = ("max_sentence_length", "limit", "errors")


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


def check_repeatable(source: Any, is_path: bool, why: str) -> None:
    """TypeError if a corpus that is to be read more than once, for the reason given, can be read only once."""
    if not is_path and isinstance(source, Iterator):
        raise TypeError(
            f"{why}, but a {type(source).__name__} can be read only once; write its sentences to a file, one a line, "
            "and pass corpus_file=, or pass any re-iterable corpus (see LineSentence)"
        )


def whereabouts(source: Any, is_path: bool) -> dict[str, Any] | None:
    """Where a corpus can be found later, in a form that JSON can hold; None if that cannot be said."""
    if is_path:
        return {"reader": None, "path": os.path.abspath(source)}
    path = getattr(source, "fname" if isinstance(source, Text8Corpus) else "source", None)
    if type(source) not in READERS.values() or not isinstance(path, str | os.PathLike):
        return None
    options = {name: getattr(source, name) for name in READER_OPTIONS if hasattr(source, name)}
    if not all(type(value) in (int, str, type(None)) for value in options.values()):
        return None
    return {"reader": type(source).__name__, "path": os.path.abspath(path), **options}


def found_again(place: Mapping[str, Any] | None, run: Pathlike) -> tuple[Any, str | None]:
    """An iterable, or a path, for a corpus from its `whereabouts`; FormatError if they cannot be."""
    again = f"Word2Vec.resume({os.fspath(run)!r}, corpus)"
    if place is None:
        raise ValueError(f"the corpus of the run in {os.fspath(run)} was not a file; give it again: {again}")
    options = {name: value for name, value in place.items() if name not in ("path", "reader")}
    path, reader = place.get("path"), place.get("reader")
    unknown = formats.FormatError(
        f"the run in {os.fspath(run)} names an unknown reader, {place!r:.200}; give the corpus: {again}"
    )
    if not isinstance(path, str) or (reader is None and options):
        raise unknown
    if reader is not None and (not isinstance(reader, str) or reader not in READERS):
        raise unknown
    # The readers themselves would find a number that is none only when they are read.
    if any(isinstance(value, bool | float | list | dict) for value in options.values()):
        raise unknown
    if not (os.path.isfile(path) or os.path.isdir(path)):
        raise FileNotFoundError(errno.ENOENT, f"the corpus is no longer there; say where it is: {again}", path)
    if reader is None:
        return None, path
    try:
        return READERS[reader](path, **options), None
    except (TypeError, ValueError) as error:  # an option that it does not have, or a value that it does not take
        raise unknown from error


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
