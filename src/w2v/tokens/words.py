"""Words to numbers: C tokenizes text files in several threads, a dictionary numbers the words of any other iterable."""

import os
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.files.reading import Pathlike, name_of
from w2v.text import _text
from w2v.text.kmers import is_kmers
from w2v.text.readers import TaggedLineDocument, Text, iterates_as_is, read_pieces, text_of
from w2v.text.texts import Texts
from w2v.text.units import Numbers, Units, is_integer, sentences_of, units_of_array, units_of_items, units_of_text
from w2v.tokens.kmers import KmerTokenizer
from w2v.tokens.numbering import Batch, DictNumbering, Numbering, Terms
from w2v.tokens.tags import NotedTags

# Tokens of an iterable handed on at a time.
BLOCK_TOKENS = 1 << 18

# Sets of strings have another order in every process.
UNORDERED = (set, frozenset)

Sentences = Iterable[Iterable[str]]


# --- any iterable -----------------------------------------------------------------------------------------------


class Provisional(dict[str, int]):
    """Numbers words in order of first appearance; a look-up of a new word adds it."""

    def __init__(self) -> None:
        self.given = 0

    def __missing__(self, word: str) -> int:
        check_token(word)
        self[str.__str__(word)] = number = self.given  # str() of a subclass may give another string
        self.given += 1
        return number


class Final(dict[str, int]):
    """Numbers the words of a vocabulary; any other word is -1."""

    def __missing__(self, word: str) -> int:
        check_token(word)
        return -1


def check_token(word: object) -> None:
    if not isinstance(word, str):
        hint = "decode it" if isinstance(word, bytes) else "convert it with str()"
        raise TypeError(f"tokens must be str, not {type(word).__name__}: got {word!r}; {hint} first")


def pieces_of(
    source: Sentences | Pathlike, is_path: bool, tags: NotedTags | None = None
) -> Iterator[tuple[Iterable[str], bool]]:
    """Yield sentences as (words, whether the sentence ends with them); a malformed sentence raises TypeError."""
    if tags is not None:
        for words in tags.words_of(source):  # type: ignore[arg-type]
            yield words, True
        return
    if is_path:
        yield from read_pieces(source)  # type: ignore[arg-type]
        return
    for number, sentence in enumerate(source):  # type: ignore[arg-type]
        if isinstance(sentence, str | bytes) or not hasattr(sentence, "__iter__"):
            raise TypeError(
                f"sentence {number:,} is {sentence!r:.60}, not a list of tokens; "
                "pass lists of str, for example [line.split() for line in lines]"
            )
        yield sentence, True


def number_words(
    source: Sentences | Pathlike,
    is_path: bool,
    ids: Provisional | Final,
    max_ids: float = float("inf"),
    tags: NotedTags | None = None,
) -> Iterator[Batch]:
    """Number words by dictionary; a batch has about `BLOCK_TOKENS`, or fewer where `ids` outgrows `max_ids`."""
    tokens, ends = array("i"), array("q")
    ordered = not isinstance(source, UNORDERED)
    for words, complete in pieces_of(source, is_path, tags):
        ordered = ordered and not isinstance(words, UNORDERED)
        try:
            _text.append_numbers(words, ids, tokens)
        except TypeError as error:
            if "unhashable" in str(error):
                raise TypeError(f"tokens must be str: {error}; is the corpus nested one level too deep?") from None
            raise
        if complete:
            ends.append(len(tokens))
        if len(tokens) >= BLOCK_TOKENS or len(ids) > max_ids:
            yield Batch(np.frombuffer(tokens, np.int32), np.frombuffer(ends, np.int64), 0, ordered)
            tokens, ends = array("i"), array("q")
    if tokens or ends:
        yield Batch(np.frombuffer(tokens, np.int32), np.frombuffer(ends, np.int64), 0, ordered)


# --- text files -------------------------------------------------------------------------------------------------


class Walks:
    """Sentences of integers from any iterable; iterated, their digits are words."""

    def __init__(self, source: Iterable[Any]) -> None:
        self._source = source

    def __iter__(self) -> Iterator[list[str]]:
        return sentences_of(self.units(), empty=True)

    def units(self) -> Units:
        """The sentences in pieces for compiled code; see `w2v.text.units`."""
        walks = self._source
        if isinstance(walks, np.ndarray) and walks.ndim == 2 and walks.dtype.kind in "iu":
            return units_of_array(walks)
        return units_of_items(walks, "sentence")


def as_read(source: Any, is_path: bool, documents: bool = False) -> tuple[Any, bool]:
    """A corpus as it is read: what the kind of its sentences asks for.

    Lines of a file of documents are tagged with their numbers, and so are rows. Sentences whose first token is an
    integer are `Walks`; so that nothing is read twice, an iterable becomes one that has begun.
    """
    if documents:
        if is_path:
            return TaggedLineDocument(source), False
        return source.as_documents() if isinstance(source, Texts) and not source.documents else source, False
    is_reader = isinstance(source, Texts | Walks | str | os.PathLike) or is_kmers(source) or text_of(source) is not None
    if is_path or is_reader or isinstance(source, UNORDERED):
        return source, is_path
    again = isinstance(source, list | tuple | np.ndarray)
    sentences, begun = iter(source), []
    for sentence in sentences:
        begun.append(sentence)
        if not (isinstance(sentence, list | tuple | np.ndarray) and len(sentence) == 0):
            break
    first = begun[-1] if begun else None
    if isinstance(first, list | tuple | np.ndarray) and len(first) and is_integer(first[0]):
        return Walks(source if again else chain(begun, sentences)), False
    return source if again else chain(begun, sentences), False


class Tokenizer:
    """Numbers the words of texts and columns; iterate to get batches, once.

    Threads take blocks of text, or other units, in turn; each has its own table of words and numbers. In the order of
    the text, the main thread enters each thread's new words into a common table. Its older words are there already,
    from earlier blocks, so the common numbers are in order of first appearance.

    Attributes
    ----------
    words : WordTable
        The common table.
    numbers : list of int32 arrays
        For each thread, the common numbers of its own numbers.
    """

    def __init__(self, units: Units, text: Text, threads: int) -> None:
        self.words = _text.WordTable(units.of_integers)
        self._units, self._text = units, text
        self._tables = [_text.WordTable(units.of_integers) for _ in range(threads)]
        self.numbers = [np.zeros(0, np.int32) for _ in range(threads)]
        self._rooms = [np.zeros(1 << 16, np.int32) for _ in range(threads)]  # `numbers` are the fronts of these

    def __iter__(self) -> Iterator[Batch]:
        with ThreadPoolExecutor(len(self._tables)) as pool:
            for stretch in self._units.stretches:
                waiting: deque[tuple[Future[Numbers], int]] = deque()
                begun = 0  # words of the unfinished sentence that goes on in the next unit
                try:
                    for turn, unit in enumerate(stretch):
                        owner = turn % len(self._tables)
                        if len(waiting) == len(self._tables):
                            batch, begun = self._merge(*waiting.popleft(), begun)
                            yield batch
                        waiting.append((pool.submit(unit, self._tables[owner]), owner))
                    while waiting:
                        batch, begun = self._merge(*waiting.popleft(), begun)
                        yield batch
                finally:
                    for task, _ in waiting:
                        task.cancel()
                if begun:  # the last line has no line end
                    yield Batch(np.zeros(0, np.int32), np.zeros(1, np.int64))

    def _merge(self, task: Future[Numbers], owner: int, begun: int) -> tuple[Batch, int]:
        tokens, ends = task.result()
        known, met = len(self.numbers[owner]), len(self._tables[owner])
        if met > known:
            if met > len(self._rooms[owner]):
                self._rooms[owner] = np.resize(self._rooms[owner], 2 * met)
            self._rooms[owner][known:met] = self.words.merge(self._tables[owner], known)
            self.numbers[owner] = self._rooms[owner][:met]
        ends = ends if self._text.lines else ends[:0]
        ends = _text.sentence_ends(ends, len(tokens), begun, self._text.longest, self._text.documents)
        return Batch(tokens, ends, owner), len(tokens) - int(ends[-1]) if len(ends) else begun + len(tokens)

    def tables(self, table: NDArray[np.int32]) -> list[NDArray[np.int32]]:
        """For each owner of numbers, what `table` has for them; it speaks of those of `words`."""
        return [table[numbers] for numbers in self.numbers]

    def note(self, tags: NotedTags, lines: int) -> None:
        """Note the documents that came last, which are tagged with their numbers."""
        tags.note_lines(lines)

    def counts(self) -> NDArray[np.int64]:
        """Occurrences of each word of `words`."""
        counts = np.zeros(len(self.words), np.int64)
        for table, numbers in zip(self._tables, self.numbers, strict=True):
            counts[numbers] += table.counts()[: len(numbers)]
        return counts


def tokenizable(source: Sentences | Pathlike, is_path: bool, documents: bool = False) -> Text | None:
    """The text files of a corpus, of sentences or of documents, if C can read them; else None."""
    if is_path:
        return Text([name_of(source)], documents=documents)  # type: ignore[arg-type]
    text = text_of(source)
    readable = text is not None and text.limit is None and text.errors == "strict" and text.documents == documents
    return text if readable and iterates_as_is(source) else None


def read_in_python(source: Any, is_path: bool, documents: bool = False) -> bool:
    """Whether only the iterator of a corpus knows its sentences."""
    if isinstance(source, Texts | Walks):
        return documents and isinstance(source, Walks)
    compiled = source.documents == documents if is_kmers(source) else tokenizable(source, is_path, documents)
    return not compiled


def tokenizer_of(source: Any, is_path: bool, threads: int, documents: bool = False) -> Tokenizer | KmerTokenizer | None:
    """What numbers a corpus in compiled code; None if only its iterator knows the sentences."""
    if read_in_python(source, is_path, documents):
        return None
    if is_kmers(source):
        return KmerTokenizer(source, threads)
    if isinstance(source, Texts | Walks):
        return Tokenizer(source.units(), Text([], documents=documents), threads)
    text = tokenizable(source, is_path, documents)
    assert text is not None
    return Tokenizer(units_of_text(text), text, threads)


# --- either, under one numbering ------------------------------------------------------------------------------------


class Numbered:
    """A corpus as numbers of its words; iterate to get batches under these numbers, once.

    Attributes
    ----------
    words : Numbering
        The words that have come so far.
    """

    def __init__(self, source: Sentences | Pathlike, is_path: bool, threads: int, documents: bool = False) -> None:
        ids = Provisional()
        source, is_path = as_read(source, is_path, documents)
        self._tokenizer = tokenizer_of(source, is_path, threads, documents)
        self._batches = number_words(source, is_path, ids) if self._tokenizer is None else self._tokenizer
        self.words: Numbering = DictNumbering(ids) if self._tokenizer is None else self._tokenizer.words

    def __iter__(self) -> Iterator[Batch]:
        for batch in self._batches:
            if self._tokenizer is None:
                yield batch
            else:
                yield batch._replace(tokens=self._tokenizer.numbers[batch.owner][batch.tokens], owner=0)

    def note(self, tags: NotedTags, documents: int) -> None:
        """Note the documents that came last."""
        assert self._tokenizer is not None
        self._tokenizer.note(tags, documents)


class Divided:
    """As `Numbered`, with the terms of the corpus as words."""

    def __init__(self, source: Sentences | Pathlike, is_path: bool, terms: Terms, threads: int) -> None:
        self._numbered = Numbered(source, is_path, threads)
        self.words = terms.stream(self._numbered.words)
        self.corpus_words = 0  # that have come so far

    def __iter__(self) -> Iterator[Batch]:
        for tokens, ends, owner, ordered in self._numbered:
            self.corpus_words += len(tokens)
            yield Batch(*self.words.feed(tokens, ends), owner, ordered)
