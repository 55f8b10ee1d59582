"""Sentences to integers, read once: the last place where a word is a string.

One pass counts and encodes at the same time, with provisional ids. When the vocabulary is chosen, the ids are
renumbered (dropped words disappear), and the text is never read again. Tokens live in memory up to a limit and in an
anonymous temporary file beyond it.

Several threads tokenize text files in C; the result does not depend on their number. A dictionary numbers the words of
any other iterable, and also the words of files under `max_vocab_size`, which forgets words on the way.
"""

import hashlib
import os
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.common import memory
from w2v.files.reading import Pathlike
from w2v.text import _text
from w2v.text.readers import (
    LONGEST_WORD,
    TaggedLineDocument,
    Text,
    iterates_as_is,
    not_utf8,
    read_blocks,
    read_pieces,
    text_of,
    too_long_a_word,
)
from w2v.tokens.spool import Spool, forget_pages
from w2v.tokens.tags import NotedTags, TagRows, Tags
from w2v.vocabulary.choose import TrimRule, is_kept

# Tokens of an iterable handed on at a time.
BLOCK_TOKENS = 1 << 18

# Tokens of an encoded corpus per block: 64 MiB.
BLOCK_MAPPED = 1 << 24

# Tokens (or offsets) per hash update.
BLOCK_HASHED = 1 << 20

# Bytes per known word that the next doubling of a word table claims.
GROWTH = 100

# Below this many different words the memory for doubling a word table is not checked.
MANY_WORDS = 1 << 20

# Encoded tokens beyond this many bytes go to a temporary file, with cache="auto".
CACHE_BYTES = 1 << 30

# Sets of strings have another order in every process.
UNORDERED = (set, frozenset)

Sentences = Iterable[Iterable[str]]


class Batch(NamedTuple):
    """Consecutive tokens, the ends of sentences among them, and the owner of the numbers (see `Tokenizer`)."""

    tokens: NDArray[np.int32]
    ends: NDArray[np.int64]
    owner: int = 0
    ordered: bool = True  # as in `Encoded`


class Encoded(NamedTuple):
    """A corpus as the kernel reads it.

    Attributes
    ----------
    tokens : int32 [N], ids of the words kept
    offsets : int64 [S + 1], sentence s is ``tokens[offsets[s]:offsets[s + 1]]``; may be empty
    text_words : int, words of the text, kept or not
    ordered : bool, False if the corpus holds a set, whose order changes from process to process
    tags : Tags, optional, of a corpus of documents
    """

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]
    text_words: int
    ordered: bool = True
    tags: Tags | None = None

    def arrays(self) -> list[NDArray[Any]]:
        """All that it is made of."""
        return [self.tokens, self.offsets, *(self.tags or ())]

    def blocks(self) -> Iterator[NDArray[np.int32]]:
        """Yield all tokens, a block at a time; a mapped file does not fill the memory."""
        for start in range(0, len(self.tokens), BLOCK_MAPPED):
            yield self.tokens[start : start + BLOCK_MAPPED]
            self.forget_pages()

    def sha256(self) -> str:
        """The hash of all tokens, offsets and tags."""
        digest = hashlib.sha256()
        for whole in self.arrays():
            for start in range(0, len(whole), BLOCK_HASHED):  # in parts, so that Ctrl-C works
                digest.update(whole[start : start + BLOCK_HASHED].data)
            self.forget_pages()
        return digest.hexdigest()

    def forget_pages(self) -> None:
        """Give the memory of a mapped file back to the system; it is read again when needed."""
        for part in self.arrays():
            forget_pages(part)


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


class Tokenizer:
    """Numbers the words of text files; iterate to get batches, once.

    Threads take blocks of text in turn; each has its own table of words and numbers. In the order of the text, the main
    thread enters each thread's new words into a common table. Its older words are there already, from earlier blocks,
    so the common numbers are in order of first appearance.

    Attributes
    ----------
    words : WordTable
        The common table.
    numbers : list of int32 arrays
        For each thread, the common numbers of its own numbers.
    """

    def __init__(self, text: Text, threads: int) -> None:
        self.words = _text.WordTable()
        self._text = text
        self._tables = [_text.WordTable() for _ in range(threads)]
        self.numbers = [np.zeros(0, np.int32) for _ in range(threads)]

    def __iter__(self) -> Iterator[Batch]:
        with ThreadPoolExecutor(len(self._tables)) as pool:
            for name in self._text.files:
                waiting: deque[tuple[Future[Any], int, bytes, int]] = deque()
                begun = 0  # words of the unfinished sentence that goes on in the next block
                try:
                    for turn, (block, offset) in enumerate(read_blocks(name)):
                        owner = turn % len(self._tables)
                        if len(waiting) == len(self._tables):
                            batch, begun = self._merge(*waiting.popleft(), name, begun)
                            yield batch
                        task = pool.submit(self._tables[owner].tokenize, block, LONGEST_WORD)
                        waiting.append((task, owner, block, offset))
                    while waiting:
                        batch, begun = self._merge(*waiting.popleft(), name, begun)
                        yield batch
                finally:
                    for task, *_ in waiting:
                        task.cancel()
                if begun:  # the last line has no line end
                    yield Batch(np.zeros(0, np.int32), np.zeros(1, np.int64))

    def _merge(
        self, task: Future[Any], owner: int, block: bytes, offset: int, name: str, begun: int
    ) -> tuple[Batch, int]:
        tokens, ends, not_text, too_long = task.result()
        if not_text >= 0:
            try:
                block[not_text : not_text + 8].decode()
            except UnicodeDecodeError as error:
                error.reason += not_utf8(offset + not_text, name)
                raise
        if too_long >= 0:
            raise ValueError(too_long_a_word(offset + too_long, name))
        if len(self._tables[owner]) > len(self.numbers[owner]):
            new = self.words.merge(self._tables[owner], len(self.numbers[owner]))
            self.numbers[owner] = np.concatenate([self.numbers[owner], new])
        ends = self._sentence_ends(ends, len(tokens), begun)
        return Batch(tokens, ends, owner), len(tokens) - int(ends[-1]) if len(ends) else begun + len(tokens)

    def _sentence_ends(self, ends: NDArray[np.int64], n_tokens: int, begun: int) -> NDArray[np.int64]:
        """Turn ends of lines into ends of sentences, none empty or too long; the first has `begun` words already."""
        if not self._text.lines:
            ends = ends[:0]
        if not self._text.documents:
            ends = ends[np.diff(ends, prepend=-begun) > 0]
        stops = np.append(ends, n_tokens)
        if np.diff(stops, prepend=-begun).max() > self._text.longest:
            cuts, begin = [], -begun
            for stop in stops.tolist():
                cuts += [range(begin + int(self._text.longest), stop, int(self._text.longest)), [stop]]
                begin = stop
            ends = np.array([cut for some in cuts for cut in some][:-1], np.int64)
        return ends

    def counts(self) -> NDArray[np.int64]:
        """Occurrences of each word of `words`."""
        counts = np.zeros(len(self.words), np.int64)
        for table, numbers in zip(self._tables, self.numbers, strict=True):
            counts[numbers] += table.counts()[: len(numbers)]
        return counts


def tokenizable(source: Sentences | Pathlike, is_path: bool, documents: bool = False) -> Text | None:
    """The text files of a corpus, of sentences or of documents, if C can read them; else None."""
    if is_path:
        return Text([os.fspath(source)], documents=documents)  # type: ignore[arg-type]
    text = text_of(source)
    readable = text is not None and text.limit is None and text.errors == "strict" and text.documents == documents
    return text if readable and iterates_as_is(source) else None


# --- a corpus ---------------------------------------------------------------------------------------------------


class Scan:
    """One pass over a corpus: its words, their counts, and its tokens under provisional ids.

    Attributes
    ----------
    counts : int64, of each word, in order of first appearance
    text_words, sentences : int
    tags : NotedTags or None, of documents
    """

    def __init__(
        self,
        source: Sentences | Pathlike,
        is_path: bool,
        *,
        max_vocab_size: int | None = None,
        trim_rule: TrimRule | None = None,
        cache_bytes: float = CACHE_BYTES,
        keep_tokens: bool = True,
        threads: int = 1,
        report: Callable[[int], object] = lambda words: None,
        documents: bool = False,
    ) -> None:
        if documents and is_path:
            source, is_path = TaggedLineDocument(source), False  # type: ignore[arg-type, assignment]
        self.tags = NotedTags(cache_bytes) if documents else None
        self._tokens = Spool(np.int32, cache_bytes)
        self._ends = Spool(np.int64, cache_bytes)
        # With max_vocab_size: numbers of forgotten words, and the hashes of these words.
        self._forgotten: tuple[array[int], array[int]] = array("q"), array("q")
        self._owners: list[int] = []
        self._tokenizer: Tokenizer | None = None
        self._ids = Provisional()
        self.text_words = self.sentences = 0
        self._ordered = True
        self._threads = threads
        look_at = MANY_WORDS
        text = tokenizable(source, is_path, documents) if max_vocab_size is None else None
        begun = 0  # words of a document that goes on
        if text is not None:
            self._tokenizer = Tokenizer(text, threads)
            batches: Iterable[Batch] = self._tokenizer
        else:
            limit = float("inf") if max_vocab_size is None else max_vocab_size
            numbered = number_words(source, is_path, self._ids, limit, self.tags)
            batches = self._count_and_prune(numbered, limit, trim_rule)
        for tokens, ends, owner, ordered in batches:
            self._ordered = self._ordered and ordered
            if keep_tokens:
                self._tokens.append(tokens)
                self._ends.append(ends)
                self._owners.append(owner)
            if self.tags is not None:
                if self._tokenizer is not None:
                    self.tags.note_lines(len(ends))
                self.tags.keep(np.diff(ends, prepend=-begun))
                begun = len(tokens) - int(ends[-1]) if len(ends) else begun + len(tokens)
            self.text_words += len(tokens)
            self.sentences += len(ends)
            report(len(tokens))
            known = len(self._ids) if self._tokenizer is None else len(self._tokenizer.words)
            if known > look_at:
                memory.check(
                    known * GROWTH * (1 if self._tokenizer is None else threads + 1),
                    f"larger tables for the {known:,} different words met so far",
                    "give max_vocab_size, with which rare words are forgotten, or read with fewer workers",
                )
                look_at = known * 5 // 4
        if self._tokenizer is not None:
            self.counts = self._tokenizer.counts()
        else:
            self.counts = self._by_id[np.fromiter(self._ids.values(), np.int64, len(self._ids))]

    def _count_and_prune(self, batches: Iterator[Batch], limit: float, trim_rule: TrimRule | None) -> Iterator[Batch]:
        """Pass batches on, count their tokens, and forget rare words whenever there are too many."""
        self._by_id = np.zeros(0, np.int64)
        min_reduce = 1
        for batch in batches:
            if self._ids.given > len(self._by_id):  # by doubling: most blocks bring only a few new words
                room = np.zeros(max(self._ids.given, 2 * len(self._by_id)) - len(self._by_id), np.int64)
                self._by_id = np.concatenate([self._by_id, room])
            _text.tally(batch.tokens, self._by_id)
            yield batch
            if len(self._ids) > limit:
                self._prune(min_reduce, trim_rule)
                min_reduce += 1

    def _prune(self, min_reduce: int, trim_rule: TrimRule | None) -> None:
        """Forget rare words. A word that comes back is counted anew, but its earlier tokens are found again."""
        for word, number in list(self._ids.items()):
            if not is_kept(word, int(self._by_id[number]), min_reduce, trim_rule):
                del self._ids[word]
                self._forgotten[0].append(number)
                self._forgotten[1].append(hash(word))

    def words(self, which: NDArray[np.int64] | None = None) -> list[str]:
        """Return all words in order of first appearance, or only the words at the places `which`."""
        if self._tokenizer is not None:
            return self._tokenizer.words.words(np.arange(len(self.counts)) if which is None else which)
        words = list(self._ids)
        return words if which is None else [words[place] for place in which.tolist()]

    def encode(self, index: dict[str, int], rows: TagRows | None = None) -> Encoded:
        """Renumber the tokens by `index` and drop those without a number; can be called once.

        `rows` are those of the tags, where it is documents.
        """
        words, wanted = list(index), np.fromiter(index.values(), np.int32, len(index))
        if self._tokenizer is not None:
            table = np.full(len(self.counts), -1, np.int32)
            numbers = self._tokenizer.words.numbers(words)
        else:
            table = np.full(self._ids.given, -1, np.int32)
            numbers = np.fromiter((self._ids.get(word, -1) for word in words), np.int64, len(words))
        table[numbers[numbers >= 0]] = wanted[numbers >= 0]
        if self._forgotten[0]:
            by_hash = {hash(word): number for word, number in index.items()}
            again = [by_hash.get(hashed, -1) for hashed in self._forgotten[1]]
            table[np.frombuffer(self._forgotten[0], np.int64)] = again
        tables = [table] if self._tokenizer is None else [table[numbers] for numbers in self._tokenizer.numbers]
        offsets = Spool(np.int64, self._ends.limit)
        offsets.append(np.zeros(1, np.int64))

        def renumber(block: NDArray[np.int32], sentences: tuple[NDArray[np.int64], int]) -> int:
            ends, owner = sentences
            return _text.renumber(block, ends, tables[owner])

        sentences = zip(self._ends.drain(), self._owners, strict=True)
        for (ends, _), begin in self._tokens.rewrite(renumber, sentences, self._threads):
            offsets.append(ends + begin)
        tags = None if self.tags is None or rows is None else self.tags.tags(rows)
        return Encoded(self._tokens.finish(), offsets.finish(), self.text_words, self._ordered, tags)


def encode(
    source: Sentences | Pathlike,
    is_path: bool,
    index: dict[str, int],
    cache_bytes: float,
    threads: int = 1,
    report: Callable[[int], object] = lambda words: None,
    rows: TagRows | None = None,
) -> Encoded:
    """Encode a corpus with a vocabulary that exists already; one of documents where `rows` are those of the tags."""
    documents = rows is not None
    scan = Scan(source, is_path, cache_bytes=cache_bytes, threads=threads, report=report, documents=documents)
    return scan.encode(index, rows)
