"""The corpus that a call names: its source, its locator for later, and its identity."""

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
from w2v.text.kmers import Kmers, KmerText, Scheme, TaggedKmers, is_kmers
from w2v.text.readers import (
    LineSentence,
    PathLineSentences,
    TaggedLineDocument,
    Text,
    Text8Corpus,
    iterates_as_is,
    text_of,
)
from w2v.text.texts import Texts, is_column, needs_texts

# Readers that a path and these options can make again.
READERS: dict[str, Callable[..., Any]] = {
    made.__name__: made
    for made in (LineSentence, PathLineSentences, Text8Corpus, TaggedLineDocument, Kmers, TaggedKmers, Texts)
}
READER_OPTIONS = (
    "max_sentence_length", "limit", "errors",
    "tokenizer", "column", "field",
    "k", "k_max", "alphabet", "frames", "strand", "masked", "ambiguous", "stops", "gaps", "seed",
)  # fmt: skip

# A digest of lists hashes at most this many words; each takes a few nanoseconds.
DIGEST_WORDS = 1 << 18

# Equal identities mean the same corpus; see `Corpus.identity`.
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
    def from_arguments(
        cls, corpus_iterable: Any, corpus_file: Any, known: Identity | None = None, tokenizer: str | None = None
    ) -> "Corpus":
        """Return the one corpus among a call's arguments; a file of this `known` identity may be gone.

        A `tokenizer` makes words of texts.
        """
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
            return (cls(Texts(path), False) if needs_texts(path) else cls(path, True)).read_by(tokenizer)
        if isinstance(corpus_iterable, str | bytes | os.PathLike):
            raise TypeError(
                f"sentences={corpus_iterable!r:.60} is a string, not lists of tokens; for a file use corpus_file="
            )
        if not hasattr(corpus_iterable, "__iter__") and not hasattr(corpus_iterable, "__getitem__"):
            raise TypeError(f"sentences must be an iterable of token lists, not {type(corpus_iterable).__name__}")
        is_reader = isinstance(corpus_iterable, Texts) or text_of(corpus_iterable) or is_kmers(corpus_iterable)
        source = Texts(corpus_iterable) if not is_reader and is_column(corpus_iterable) else corpus_iterable
        return cls(source, False).read_by(tokenizer)

    def read_by(self, tokenizer: str | None) -> "Corpus":
        """The corpus whose texts this tokenizer divides; one of words, or with a tokenizer of its own, as it is."""
        source = self.source
        if tokenizer is None or is_kmers(source) or (isinstance(source, Texts) and source.tokenizer is not None):
            return self
        if _is_divided(source):
            return self
        if isinstance(source, Texts):
            return Corpus(Texts(source.source, tokenizer, column=source.column, field=source.field), False)
        if not self.is_path and text_of(source) is not None:
            raise TypeError(
                f"tokenizer={tokenizer!r} makes words of texts, and {type(source).__name__} divides them at white "
                f"space; give Texts(path, tokenizer={tokenizer!r}), or corpus_file="
            )
        return Corpus(Texts(source, tokenizer), False)

    @classmethod
    def reopen(cls, place: Mapping[str, Any] | None, run: Pathlike) -> "Corpus":
        """Return the corpus at a `locator`; FormatError if the locator is malformed."""
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
        # The readers would notice a malformed number only while they are read.
        if any(isinstance(value, bool | float | list | dict) for value in options.values()):
            raise unknown
        if not (os.path.isfile(path) or os.path.isdir(path)):
            raise FileNotFoundError(errno.ENOENT, f"the corpus is no longer there; say where it is: {again}", path)
        if reader is None:
            return cls.from_arguments(None, path)
        try:
            return cls(READERS[reader](path, **options), False)
        except (TypeError, ValueError) as error:  # an unknown option or value
            raise unknown from error

    def reader(self) -> dict[str, Any] | None:
        """How sequences are read, in types that JSON can hold; None for any other corpus, whose file says it itself."""
        if not is_kmers(self.source):
            return None
        return {"reader": "TaggedKmers" if self.source.documents else "Kmers", **self.source.scheme._asdict()}

    def read_as(self, reader: Mapping[str, Any] | None) -> "Corpus":
        """A file that is named, read as `reader` says; any other corpus, or without a reader, as it is."""
        if not self.is_path or reader is None:
            return self
        kind = TaggedKmers if reader.get("reader") == "TaggedKmers" else Kmers
        try:
            return Corpus(kind(self.source, **{name: reader[name] for name in Scheme._fields}), False)
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"sequences cannot be read as the model says, by {reader!r:.200}: {error}") from error

    def check_repeatable(self, why: str) -> None:
        """Raise TypeError if this corpus can be read only once; `why` says why it must be read again."""
        if not self._is_single_use():
            return
        kind = f"{self.source!r:.60}, a pipe or the like,"
        if isinstance(self.source, Iterator):
            kind = f"a {type(self.source).__name__}"
        if isinstance(self.source, Texts):
            kind = repr(self.source)
        raise TypeError(
            f"{why}, but {kind} can be read only once; write its sentences to a file, one a line, "
            "and pass corpus_file=, or pass any re-iterable corpus (see LineSentence)"
        )

    def locator(self) -> dict[str, Any] | None:
        """Where to find the corpus later, in types that JSON can hold; None if the place is unknown."""
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
        """A value that tells corpora apart without reading them; where possible it does not keep the corpus alive.

        Files are known by their reader, size and time. Lists of lists are known by a digest of their ids, their
        lengths, and up to `DIGEST_WORDS` words all over them. A corpus that can be read only once is known by its
        object. Any other iterable may change between calls, so it is the same only within the same `call`.
        """
        text = self._as_text()
        if text is not None:
            return text, list(map(_status, text.files))
        if isinstance(self.source, Texts):
            if type(self.source.source).__module__.startswith("pyarrow") and self.source.repeatable:  # never changes
                return _reference(self.source.source), None, self.source.reading
            return *Corpus(self.source.source, False).identity(call), self.source.reading
        if self._is_single_use():
            return _reference(self.source), None
        if is_kmers(self.source) and type(self.source.source) in (list, tuple):
            letters = _text.digest([self.source.source], DIGEST_WORDS)
            if letters is not None:
                return "sequences", (self.source.scheme, letters)
        held: Any = self.source
        if isinstance(held, np.ndarray) and held.dtype == object and held.ndim == 1:
            held = held.tolist()
        digest: Any = _text.digest(held, DIGEST_WORDS) if type(held) in (list, tuple) else None
        if digest is None and type(held) in (list, tuple) and all(hasattr(item, "tags") for item in held):
            words, tags = ([getattr(item, name, None) for item in held] for name in ("words", "tags"))
            digests = _text.digest(words, DIGEST_WORDS), _text.digest(tags, DIGEST_WORDS)
            digest = None if None in digests else digests
        return (id(self.source), call) if digest is None else ("words", digest)

    def _is_single_use(self) -> bool:
        """Whether the corpus can be read only once."""
        if isinstance(self.source, LineSentence | TaggedLineDocument) and iterates_as_is(self.source):
            return not can_be_read_again(self.source.source)
        if is_kmers(self.source) or isinstance(self.source, Texts):
            return not self.source.repeatable
        text = self._as_text()
        if text is not None:
            return not all(map(can_be_read_again, text.files))
        return isinstance(self.source, Iterator)

    def _as_text(self) -> Text | KmerText | None:
        """The files that determine the corpus, and how they are read; None for any other corpus."""
        text: Text | KmerText | None = None
        if self.is_path:
            text = Text([os.fspath(self.source)])
        elif is_kmers(self.source):
            text = self.source.text()
        elif isinstance(self.source, Texts):
            text = None if self.source.files is None else Text(self.source.files, reading=self.source.reading)
        elif iterates_as_is(self.source):
            text = text_of(self.source)
        return None if text is None else text._replace(files=[os.path.abspath(file) for file in text.files])


def _is_divided(source: Any) -> bool:
    """Whether a corpus is known to have documents with words, which need no tokenizer."""
    first = source[0] if isinstance(source, list | tuple) and source else source
    return hasattr(first, "words") or getattr(source, "is_divided", False)


def _status(file: str) -> tuple[int, int] | None:
    """Size and time of a file, which change with its content; None if the file is missing."""
    try:
        found = os.stat(file)
    except (OSError, ValueError):
        return None
    # A pipe's time changes with every use, so a pipe is known by its device and inode.
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else (found.st_dev, found.st_ino)


def _reference(source: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(source)
    except TypeError:  # such as a map; another object could soon have its id
        return lambda: source


def is_same_corpus(known: Identity, new: Identity) -> bool:
    """Whether two identities agree; a missing file counts as unchanged."""
    return len(known) == len(new) and all(map(_agree, known, new))


def _agree(known: Any, new: Any) -> bool:
    if isinstance(known, list) and isinstance(new, list):
        return len(known) == len(new) and all(now is None or then == now for then, now in zip(known, new, strict=True))
    if callable(known) and callable(new):
        return known() is not None and known() is new()
    return known is new or (isinstance(known, str | int | tuple) and type(known) is type(new) and known == new)
