"""Sentences from files: re-iterable sources that give lists of tokens, split on white space.

A line ends at ``\\n`` and nowhere else; tokens are separated by the white space of `str.split`. Text is
read in blocks, so that a line of any length costs bounded memory. Lines without a token are passed over. Compressed
files (.gz, .bz2, .xz, .zst) are recognised by their ending.
"""

import codecs
import errno
import io
import itertools
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from w2v.common.public import public
from w2v.files.reading import Pathlike, can_be_read_again, name_of, open_binary, path_of
from w2v.text import _text

logger = logging.getLogger(__name__)

# Text is decoded and split this many bytes at a time.
BLOCK = 1 << 20

# The longest word in bytes, at least a BLOCK; beyond it the file is not text.
LONGEST_WORD = 1 << 20

# The longest sentence LineSentence and Text8Corpus give by default, as in gensim. Longer lines are split, not cut.
MAX_SENTENCE_LENGTH = 10_000

# Stands for bytes that are not UTF-8, with errors="replace".
REPLACEMENT = "\ufffd"

# Byte order marks of encodings other than UTF-8. UTF-32's mark begins with UTF-16's, and so comes first.
OTHER_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


@contextmanager
def _open_text(path: Pathlike | IO[bytes]) -> Iterator[IO[bytes]]:
    if not isinstance(path, str | os.PathLike):
        yield path
        return
    if os.path.isdir(path):
        raise IsADirectoryError(
            errno.EISDIR, "it is a folder, not a file; PathLineSentences reads its files", os.fspath(path)
        )
    with open_binary(path) as opened:
        yield opened


def read_blocks(path: Pathlike | IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield a file in blocks that begin and end between words, each with its offset; the last may be empty.

    The byte-order mark of UTF-8 is in no block.

    Raises
    ------
    UnicodeDecodeError
        If the file begins with the mark of another encoding.
    ValueError
        If a word is longer than `LONGEST_WORD`, as in a file that is not text.
    OSError
        If the file cannot be read, or if a compressed file is damaged or cut short.
    """
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
    with _open_text(path) as file:
        data, offset = _beginning(file, name)
        rest = b""
        while data:
            text = rest + data
            cut = _text.cut_between_words(text)
            if len(text) - cut > LONGEST_WORD:
                raise ValueError(too_long_a_word(offset + cut, name))
            yield text[:cut], offset
            offset, rest = offset + cut, text[cut:]
            data = _read(file, name)
        yield rest, offset


def read_pieces(
    source: Pathlike | IO[bytes] | IO[str], name: str = "", errors: str = "strict", *, empty: bool = False
) -> Iterator[tuple[list[str], bool]]:
    """Give the words of each line of a file, a long line in several pieces; `empty` lines are given or skipped.

    A byte-order mark at the beginning is not part of the text. An open file may give bytes or str. With
    ``errors="replace"`` bytes that are not UTF-8 become U+FFFD, one for each maximal part, and are counted in a
    warning.

    Yields
    ------
    words, ends
        `ends` says whether the line ends with these words.

    Raises
    ------
    UnicodeDecodeError
        With the file's name and the byte offset (after decompression) in its reason.
    ValueError, OSError
        As `read_blocks`.
    """
    if isinstance(source, str | os.PathLike):
        with _open_text(source) as stream:
            yield from read_pieces(stream, os.fspath(source), errors, empty=empty)
        return
    decode = codecs.getincrementaldecoder("utf-8")(errors).decode
    replaced = 0
    end = b""  # end of the previous block
    block, offset = _beginning(source, name)  # bytes before the block
    rest = ""  # the last word of a block may go on in the next one
    within = False  # whether the first words of the current line have been given
    try:
        while True:
            try:
                decoded = block if isinstance(block, str) else decode(block, not block)
            except UnicodeDecodeError as error:
                start = offset + len(block) - len(error.object) + error.start
                error.reason += not_utf8(start, name)
                raise
            if errors == "replace" and not isinstance(block, str):
                # Marks that the text itself holds are not counted; one may begin in the previous block.
                replaced += decoded.count(REPLACEMENT) - (end + block).count(REPLACEMENT.encode())
                end = (end + block)[-2:]
            *lines, tail = (rest + decoded).split("\n")
            for line in lines:
                words = line.split()
                if rest:  # only the last word can reach into the next block
                    _check_length(words[0], offset - len(rest), name)
                    rest = ""
                if words or within or empty:
                    yield words, True
                within = False
            offset += len(block)
            words = tail.split()
            if rest:
                _check_length(words[0], offset, name)
            if not block:
                if words or within:
                    yield words, True
                return
            rest = words.pop() if words and not tail[-1].isspace() else ""
            _check_length(rest, offset, name)
            if words:
                yield words, False
                within = True
            block = _read(source, name)
    finally:  # also when the caller stops reading
        if replaced:
            logger.warning(
                "%s: %s times U+FFFD, which stands for bytes that are not UTF-8", name or "the input", f"{replaced:,}"
            )


def _beginning(source: Any, name: str) -> tuple[Any, int]:
    """Return the first block of a text without its byte-order mark, and the mark's length."""
    block = _read(source, name)
    while len(block) < 4 and (more := _read(source, name)):  # a pipe may give as little as a byte at a time
        block += more
    mark = mark_of(block, name)
    return (block[len(mark) :], len(mark)) if mark else (block, 0)


def mark_of(block: Any, name: str) -> Any:
    """The byte-order mark that a text begins with, or nothing; UnicodeDecodeError for that of another encoding."""
    mark: Any = "\ufeff" if isinstance(block, str) else codecs.BOM_UTF8
    for other, encoding in OTHER_MARKS if isinstance(block, bytes) else ():
        if block.startswith(other):
            raise UnicodeDecodeError("utf-8", block[:4], 0, len(other), another_encoding(encoding, name))
    if not block.startswith(mark):
        return block[:0]
    logger.info("%s: the byte-order mark at its beginning is left out", name or "the input")
    return mark


def _check_length(word: str, offset: int, name: str) -> None:
    if 4 * len(word) > LONGEST_WORD and len(word.encode("utf-8", "replace")) > LONGEST_WORD:
        raise ValueError(too_long_a_word(offset, name))


def check_words(block: bytes, offset: int, not_text: int, too_long: int, name: str) -> None:
    """Raise for what compiled code found in a block: where it is not UTF-8, or has too long a word; -1 for neither."""
    if not_text >= 0:
        try:
            block[not_text : not_text + 8].decode()
        except UnicodeDecodeError as error:
            error.reason += not_utf8(offset + not_text, name)
            raise
    if too_long >= 0:
        raise ValueError(too_long_a_word(offset + too_long, name))


def not_utf8(offset: int, name: str) -> str:
    return (
        f", at byte {offset:,} of {name or 'the input'}; is it UTF-8? LineSentence(path, errors='replace') reads it "
        "nevertheless"
    )


def another_encoding(encoding: str, name: str) -> str:
    return (
        f"the byte-order mark of {encoding}, at byte 0 of {name or 'the input'}; convert it to UTF-8, or read "
        f"LineSentence(open(path, encoding='{encoding.lower()}'))"
    )


def too_long_a_word(offset: int, name: str) -> str:
    return (
        f"a word of more than {LONGEST_WORD:,} bytes around byte {offset:,} of {name or 'the input'}; "
        "is it text with blanks between words?"
    )


def read_sentences(
    source: Pathlike | IO[bytes] | IO[str],
    name: str = "",
    longest: float = float("inf"),
    limit: int | None = None,
    errors: str = "strict",
    *,
    empty: bool = False,
) -> Iterator[list[str]]:
    """The lines of a file as token lists, `limit` of them; a line of more than `longest` tokens in several lists."""
    held: list[str] = []
    for words, ends in read_pieces(source, name, errors, empty=empty):
        if limit is not None and limit <= 0:
            return
        held.extend(words)
        given = 0
        while len(held) - given > longest:
            yield held[given : given + int(longest)]
            given += int(longest)
        held = held[given:] if given else held
        if ends:
            yield held
            held = []
            limit = None if limit is None else limit - 1


def _read(source: Any, name: str) -> Any:
    try:
        return source.read(BLOCK)
    except MemoryError:
        raise
    except Exception as error:
        if not name:  # errors of a user's own file object pass unchanged
            raise
        # Decompressors raise EOFError, zlib.error, LZMAError, ...; few of these name the file.
        raise OSError(f"cannot read {name}, it may be damaged or cut short: {error}") from error


def _policy(errors: str) -> str:
    if errors not in ("strict", "replace"):
        raise ValueError(f"errors={errors!r} must be 'strict' or 'replace'")
    return errors


def _at_least_one(name: str, value: int) -> int:
    if value < 1:
        raise ValueError(f"{name}={value} must be at least 1")
    return value


class Text(NamedTuple):
    """The text files of a corpus, and the way their words become sentences."""

    files: list[str]
    longest: float = float("inf")  # words of a sentence; a longer one is cut
    lines: bool = True  # whether a sentence ends where its line does
    limit: int | None = None  # lines
    errors: str = "strict"  # treatment of bytes that are not UTF-8
    documents: bool = False  # lines are documents, numbered from 0, also those without a word
    reading: tuple[str | None, ...] = ()  # what else decides on the words


def text_of(corpus: object) -> Text | None:
    """The files that a reader of this module reads; None for any other object."""
    match corpus:
        case TaggedLineDocument(source=(str() | os.PathLike()) as path):
            return Text([name_of(path)], documents=True)
        case PathLineSentences():
            return Text(corpus.input_files, corpus.max_sentence_length, limit=corpus.limit, errors=corpus.errors)
        case LineSentence(source=(str() | os.PathLike()) as path):
            return Text([name_of(path)], corpus.max_sentence_length, limit=corpus.limit, errors=corpus.errors)
        case Text8Corpus():
            return Text([os.fspath(corpus.fname)], corpus.max_sentence_length, lines=False, errors=corpus.errors)
    return None


@public
class LineSentence:
    """One sentence per line, tokens separated by white space.

    Parameters
    ----------
    source : path or file object
        A file opened in binary or in text mode, or an `io.BytesIO` or `io.StringIO`. Every iteration starts at its
        beginning; a pipe can be iterated only once.
    max_sentence_length : int, default 10,000
        Longer lines are given in several sentences.
    limit : int, optional
        Read only this many lines.
    errors : {"strict", "replace"}, default "strict"
        Bytes that are not UTF-8 raise an error with their place, or become U+FFFD and are counted in a warning.
    """

    def __init__(
        self,
        source: Pathlike | bytes | IO[bytes] | IO[str],
        max_sentence_length: int = MAX_SENTENCE_LENGTH,
        limit: int | None = None,
        errors: str = "strict",
    ) -> None:
        if isinstance(source, str | bytes | os.PathLike):
            source = path_of("source", source)
        elif not hasattr(source, "read"):
            raise TypeError(f"LineSentence reads a path or an open file, not {type(source).__name__}")
        self.source = source
        self._begun = False
        self.max_sentence_length = _at_least_one("max_sentence_length", max_sentence_length)
        self.limit = None if limit is None else _at_least_one("limit", limit)
        self.errors = _policy(errors)

    def begin(self) -> Pathlike | IO[bytes] | IO[str]:
        """The source at its beginning."""
        if not can_be_read_again(self.source):
            if self._begun:  # the file would give nothing, or never end
                raise io.UnsupportedOperation(
                    f"{self.source!r} can be read only once, and has been; write its text to a file and read that"
                )
        elif not isinstance(self.source, str | os.PathLike):
            self.source.seek(0)
        self._begun = True
        return self.source

    def __iter__(self) -> Iterator[list[str]]:
        return read_sentences(self.begin(), longest=self.max_sentence_length, limit=self.limit, errors=self.errors)


@public
class PathLineSentences:
    """Like `LineSentence`, over one file or all files of a folder in order of their names (not recursive).

    Raises
    ------
    ValueError
        If `source` does not exist.
    """

    def __init__(
        self,
        source: Pathlike | bytes,
        max_sentence_length: int = MAX_SENTENCE_LENGTH,
        limit: int | None = None,
        errors: str = "strict",
    ) -> None:
        self.source = Path(path_of("source", source))
        self.max_sentence_length = _at_least_one("max_sentence_length", max_sentence_length)
        self.limit = None if limit is None else _at_least_one("limit", limit)
        self.errors = _policy(errors)
        if self.source.is_dir():
            self.input_files = [os.fspath(path) for path in sorted(self.source.iterdir()) if path.is_file()]
        elif self.source.exists():
            self.input_files = [os.fspath(self.source)]
        else:
            raise ValueError(f"source={os.fspath(self.source)!r} does not exist; give a file or a folder of files")

    def __iter__(self) -> Iterator[list[str]]:
        for path in self.input_files:
            yield from LineSentence(path, self.max_sentence_length, self.limit, self.errors)


@public
class Text8Corpus:
    """A file of one long line, such as text8, cut into sentences of `max_sentence_length` tokens."""

    def __init__(
        self, fname: Pathlike | bytes, max_sentence_length: int = MAX_SENTENCE_LENGTH, errors: str = "strict"
    ) -> None:
        self.fname = path_of("fname", fname)
        self.errors = _policy(errors)
        self.max_sentence_length = _at_least_one("max_sentence_length", max_sentence_length)

    def __iter__(self) -> Iterator[list[str]]:
        words = itertools.chain.from_iterable(words for words, _ in read_pieces(self.fname, errors=self.errors))
        while sentence := list(itertools.islice(words, self.max_sentence_length)):
            yield sentence


@public
class TaggedDocument(NamedTuple):
    """A document of `Doc2Vec`; any object with these two attributes will do.

    Attributes
    ----------
    words : list of str
    tags : list of str or int
        What the document is a part of: each tag has a vector. An integer is the number of its row, so that integers
        are best given from 0 on, without gaps.
    """

    words: list[str]
    tags: list[str | int]

    def __str__(self) -> str:
        return f"{type(self).__name__}<{self.words}, {self.tags}>"


@public
class TaggedLineDocument:
    """One document per line of a file; its tag is the number of the line, from 0.

    A line without a word is a document, too, so that numbers are those of the lines. No document is cut.

    Parameters
    ----------
    source : path or file object
        As in `LineSentence`.
    """

    def __init__(self, source: Pathlike | bytes | IO[bytes] | IO[str]) -> None:
        self._lines = LineSentence(source)
        self.source = self._lines.source

    def __iter__(self) -> Iterator[TaggedDocument]:
        lines = self._lines.begin()
        return (TaggedDocument(words, [number]) for number, words in enumerate(read_sentences(lines, empty=True)))


class BrownCorpus:
    """The Brown corpus: a folder of files whose tokens are ``word/tag``.

    Sentences are the lines that have a token with a tag of letters; a word becomes lower case, a tag its first two
    characters: ``jury/nn``.
    """

    def __init__(self, dirname: Pathlike | bytes) -> None:
        self.dirname = path_of("dirname", dirname)

    def __iter__(self) -> Iterator[list[str]]:
        return (words for _, _, words in self.lines())

    def lines(self) -> Iterator[tuple[Path, int, list[str]]]:
        """Each line that has words, with its file and its number there."""
        for path in sorted(Path(self.dirname).iterdir()):
            text = path.read_text(encoding="utf-8-sig").splitlines() if path.is_file() else []
            for number, line in enumerate(text):
                pairs = [token.split("/") for token in line.split()]
                words = [
                    f"{pair[0].lower()}/{pair[1][:2]}" for pair in pairs if len(pair) == 2 and pair[1][:2].isalpha()
                ]
                if words:
                    yield path, number, words


class TaggedBrownCorpus(BrownCorpus):
    """The sentences of `BrownCorpus` as documents, tagged ``<file>_SENT_<line>``."""

    def __iter__(self) -> Iterator[TaggedDocument]:  # type: ignore[override]
        return (TaggedDocument(words, [f"{path}_SENT_{line}"]) for path, line, words in self.lines())


def iterates_as_is(corpus: object) -> bool:
    """Whether iterating gives the contents of the reader's files unchanged; a subclass may change them."""
    return getattr(type(corpus), "__iter__", None) in (
        LineSentence.__iter__,
        PathLineSentences.__iter__,
        Text8Corpus.__iter__,
        TaggedLineDocument.__iter__,
    )
