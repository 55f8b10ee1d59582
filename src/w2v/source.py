"""Which corpus a call names, and whether it is one that is known already."""

import errno
import os
import stat
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from w2v import _text, formats
from w2v.corpus import (
    LineSentence,
    Pathlike,
    PathLineSentences,
    Text,
    Text8Corpus,
    can_be_read_again,
    iterates_as_is,
    path_of,
    text_of,
)
from w2v.encode import Sentences

# The readers of files that can be made again from a path and these options.
READERS: dict[str, Callable[..., Any]] = {
    made.__name__: made for made in (LineSentence, PathLineSentences, Text8Corpus)
}
READER_OPTIONS = ("max_sentence_length", "limit", "errors")

# So many words of lists are looked at to see whether they have changed; the hash of a word takes some nanoseconds.
LOOKED_AT = 1 << 18


def given(
    corpus_iterable: Sentences | None, corpus_file: Pathlike | None, known: tuple[Any, ...] | None = None
) -> tuple[Any, bool]:
    """The one corpus that was given, and whether it is a path; a file of this `known` identity may be gone by now."""
    if (corpus_iterable is None) == (corpus_file is None):
        raise TypeError("give either an iterable of sentences or corpus_file=, one of the two")
    if corpus_file is not None:
        if not isinstance(corpus_file, str | bytes | os.PathLike):
            raise TypeError(f"corpus_file must be a path, not {type(corpus_file).__name__}")
        path = path_of("corpus_file", corpus_file)
        if os.path.isdir(path):
            raise TypeError(
                f"corpus_file={os.fspath(path)!r} is a folder, not a file; PathLineSentences reads its files"
            )
        if not os.path.exists(path) and (known is None or not same(known[:2], identity(path, True))):
            raise TypeError(f"corpus_file={os.fspath(path)!r} does not exist, so it is not a file")
        return path, True
    if isinstance(corpus_iterable, str | bytes | os.PathLike):
        raise TypeError(
            f"sentences={corpus_iterable!r:.60} is a string, not lists of tokens; for a file use corpus_file="
        )
    if not hasattr(corpus_iterable, "__iter__") and not hasattr(corpus_iterable, "__getitem__"):
        raise TypeError(f"sentences must be an iterable of token lists, not {type(corpus_iterable).__name__}")
    return corpus_iterable, False


def check_repeatable(source: Any, is_path: bool, why: str) -> None:
    """TypeError if a corpus that is to be read more than once, for the reason given, can be read only once."""
    if not _is_read_up(source, is_path):
        return
    kind = f"a {type(source).__name__}" if isinstance(source, Iterator) else f"{source!r:.60}, a pipe or the like,"
    raise TypeError(
        f"{why}, but {kind} can be read only once; write its sentences to a file, one a line, "
        "and pass corpus_file=, or pass any re-iterable corpus (see LineSentence)"
    )


def _is_read_up(source: Any, is_path: bool) -> bool:
    """Whether nothing is left of a corpus once it has been read."""
    if isinstance(source, LineSentence) and not is_path and iterates_as_is(source):
        return not can_be_read_again(source.source)
    text = _text_behind(source, is_path)
    if text is not None:
        return not all(map(can_be_read_again, text.files))
    return isinstance(source, Iterator)


def _text_behind(source: Any, is_path: bool) -> Text | None:
    """The files that say all about a corpus, with how they are read; None for any other corpus."""
    text = Text([os.fspath(source)]) if is_path else text_of(source) if iterates_as_is(source) else None
    return None if text is None else text._replace(files=[os.path.abspath(file) for file in text.files])


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


def identity(source: Any, is_path: bool, call: int = 0) -> tuple[Any, Any]:
    """What tells a corpus from another, without reading it; the corpus is not kept alive by it where that can be.

    Of files, that is how they are read, their size and their time. Of lists of lists it is a digest of which lists
    they are, how long each is, and of words all over them: of all words up to `LOOKED_AT`, beyond that of so many.
    Whoever can be read only once is known by its object. Any other iterable might give something else every time:
    it is the same within the same `call`.
    """
    text = _text_behind(source, is_path)
    if text is not None:
        return text, list(map(_status, text.files))
    if _is_read_up(source, is_path):
        return _reference(source), None
    if isinstance(source, np.ndarray) and source.dtype == object and source.ndim == 1:
        source = source.tolist()
    digest = _text.digest(source, LOOKED_AT) if type(source) in (list, tuple) else None
    return (id(source), call) if digest is None else ("words", digest)


def _status(file: str) -> tuple[int, int] | None:
    """What changes with the content of a file; None if it is not there."""
    try:
        found = os.stat(file)
    except (OSError, ValueError):
        return None
    # The time of a pipe is that of its last use.
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else (found.st_dev, found.st_ino)


def _reference(source: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(source)
    except TypeError:  # such as a map; its id alone could soon be that of another one
        return lambda: source


def same(known: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
    """Whether two identities agree; a file that is not there any more is the one that was read."""
    return len(known) == len(new) and all(map(_agree, known, new))


def _agree(known: Any, new: Any) -> bool:
    if isinstance(known, list) and isinstance(new, list):
        return len(known) == len(new) and all(now is None or then == now for then, now in zip(known, new, strict=True))
    if callable(known) and callable(new):
        return known() is not None and known() is new()
    return known is new or (isinstance(known, str | int | tuple) and type(known) is type(new) and known == new)
