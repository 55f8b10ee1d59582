"""Which corpus a call names, where it can be found again, and whether it is one that is known already."""

import errno
import os
import stat
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from w2v.files.errors import FormatError
from w2v.files.reading import Pathlike, can_be_read_again, path_of
from w2v.text import _text
from w2v.text.readers import LineSentence, PathLineSentences, Text, Text8Corpus, iterates_as_is, text_of

# The readers of files that can be made again from a path and these options.
READERS: dict[str, Callable[..., Any]] = {
    made.__name__: made for made in (LineSentence, PathLineSentences, Text8Corpus)
}
READER_OPTIONS = ("max_sentence_length", "limit", "errors")

# So many words of lists are looked at to see whether they have changed; the hash of a word takes some nanoseconds.
DIGEST_WORDS = 1 << 18

# What tells a corpus from another.
Identity = tuple[Any, ...]


class Corpus(NamedTuple):
    """A corpus as a call names it.

    Attributes
    ----------
    source : path, or iterable of sentences
    is_path : bool
    """

    source: Any
    is_path: bool

    @classmethod
    def from_arguments(cls, corpus_iterable: Any, corpus_file: Any, known: Identity | None = None) -> "Corpus":
        """The one corpus that a call was given; a file of this `known` identity may be gone by now."""
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
            if not os.path.exists(path) and (
                known is None or not is_same_corpus(known[:2], cls(path, True).identity())
            ):
                raise TypeError(f"corpus_file={os.fspath(path)!r} does not exist, so it is not a file")
            return cls(path, True)
        if isinstance(corpus_iterable, str | bytes | os.PathLike):
            raise TypeError(
                f"sentences={corpus_iterable!r:.60} is a string, not lists of tokens; for a file use corpus_file="
            )
        if not hasattr(corpus_iterable, "__iter__") and not hasattr(corpus_iterable, "__getitem__"):
            raise TypeError(f"sentences must be an iterable of token lists, not {type(corpus_iterable).__name__}")
        return cls(corpus_iterable, False)

    @classmethod
    def reopen(cls, place: Mapping[str, Any] | None, run: Pathlike) -> "Corpus":
        """The corpus of which this is the `locator`; FormatError if it cannot be one."""
        again = f"Word2Vec.resume({os.fspath(run)!r}, corpus)"
        if place is None:
            raise ValueError(f"the corpus of the run in {os.fspath(run)} was not a file; give it again: {again}")
        options = {name: value for name, value in place.items() if name not in ("path", "reader")}
        path, reader = place.get("path"), place.get("reader")
        unknown = FormatError(
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
            return cls.from_arguments(None, path)
        try:
            return cls(READERS[reader](path, **options), False)
        except (TypeError, ValueError) as error:  # an option that it does not have, or a value that it does not take
            raise unknown from error

    def check_repeatable(self, why: str) -> None:
        """TypeError if a corpus that is to be read more than once, for the reason given, can be read only once."""
        if not self._is_single_use():
            return
        kind = f"{self.source!r:.60}, a pipe or the like,"
        if isinstance(self.source, Iterator):
            kind = f"a {type(self.source).__name__}"
        raise TypeError(
            f"{why}, but {kind} can be read only once; write its sentences to a file, one a line, "
            "and pass corpus_file=, or pass any re-iterable corpus (see LineSentence)"
        )

    def locator(self) -> dict[str, Any] | None:
        """Where a corpus can be found later, in a form that JSON can hold; None if that cannot be said."""
        if self.is_path:
            return {"reader": None, "path": os.path.abspath(self.source)}
        path = getattr(self.source, "fname" if isinstance(self.source, Text8Corpus) else "source", None)
        if type(self.source) not in READERS.values() or not isinstance(path, str | os.PathLike):
            return None
        options = {name: getattr(self.source, name) for name in READER_OPTIONS if hasattr(self.source, name)}
        if not all(type(value) in (int, str, type(None)) for value in options.values()):
            return None
        return {"reader": type(self.source).__name__, "path": os.path.abspath(path), **options}

    def identity(self, call: int = 0) -> Identity:
        """What tells a corpus from another, without reading it; the corpus is not kept alive by it where that can be.

        Of files, that is how they are read, their size and their time. Of lists of lists it is a digest of which lists
        they are, how long each is, and of up to `DIGEST_WORDS` words all over them.
        Whoever can be read only once is known by its object. Any other iterable might give something else every time:
        it is the same within the same `call`.
        """
        text = self._as_text()
        if text is not None:
            return text, list(map(_status, text.files))
        if self._is_single_use():
            return _reference(self.source), None
        held = self.source
        if isinstance(held, np.ndarray) and held.dtype == object and held.ndim == 1:
            held = held.tolist()
        digest = _text.digest(held, DIGEST_WORDS) if type(held) in (list, tuple) else None
        return (id(self.source), call) if digest is None else ("words", digest)

    def _is_single_use(self) -> bool:
        """Whether nothing is left of a corpus once it has been read."""
        if isinstance(self.source, LineSentence) and not self.is_path and iterates_as_is(self.source):
            return not can_be_read_again(self.source.source)
        text = self._as_text()
        if text is not None:
            return not all(map(can_be_read_again, text.files))
        return isinstance(self.source, Iterator)

    def _as_text(self) -> Text | None:
        """The files that say all about a corpus, with how they are read; None for any other corpus."""
        text = None
        if self.is_path:
            text = Text([os.fspath(self.source)])
        elif iterates_as_is(self.source):
            text = text_of(self.source)
        return None if text is None else text._replace(files=[os.path.abspath(file) for file in text.files])


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


def is_same_corpus(known: Identity, new: Identity) -> bool:
    """Whether two identities agree; a file that is not there any more is the one that was read."""
    return len(known) == len(new) and all(map(_agree, known, new))


def _agree(known: Any, new: Any) -> bool:
    if isinstance(known, list) and isinstance(new, list):
        return len(known) == len(new) and all(now is None or then == now for then, now in zip(known, new, strict=True))
    if callable(known) and callable(new):
        return known() is not None and known() is new()
    return known is new or (isinstance(known, str | int | tuple) and type(known) is type(new) and known == new)
