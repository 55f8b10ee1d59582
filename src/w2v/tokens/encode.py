"""Sentences to integers, read once: the last place where a word is a string.

One pass counts and encodes at the same time, with provisional ids. When the vocabulary is chosen, the ids are
renumbered (dropped words disappear), and the text is never read again. Tokens live in memory up to a limit and in an
anonymous temporary file beyond it.

Several threads tokenize text files in C; the result does not depend on their number. A dictionary numbers the words of
any other iterable, and also the words of files under `max_vocab_size`, which forgets words on the way.
"""

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.common import memory
from w2v.files.reading import Pathlike
from w2v.text import _text
from w2v.tokens.kmers import KmerTokenizer
from w2v.tokens.numbering import Batch, Numbering, Terms
from w2v.tokens.spool import Spool, forget_pages
from w2v.tokens.tags import NotedTags, TagRows, Tags
from w2v.tokens.words import (
    Divided,
    Provisional,
    Sentences,
    Tokenizer,
    as_read,
    number_words,
    tokenizer_of,
)
from w2v.vocabulary.choose import TrimRule, is_kept

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


# --- a corpus ---------------------------------------------------------------------------------------------------


class Scan:
    """One pass over a corpus: its words, their counts, and its tokens under provisional ids.

    `terms` makes words of the terms that it knows; then they are what is counted.

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
        terms: Terms | None = None,
    ) -> None:
        source, is_path = as_read(source, is_path, documents)
        self.tags = NotedTags(cache_bytes) if documents else None
        self._tokens = Spool(np.int32, cache_bytes, threads=threads)
        self._ends = Spool(np.int64, cache_bytes)
        # With max_vocab_size: numbers of forgotten words, and the hashes of these words.
        self._forgotten: tuple[array[int], array[int]] = array("q"), array("q")
        self._owners: list[int] = []
        self._tokenizer: Tokenizer | KmerTokenizer | None = None
        self._numbering: Numbering | None = None  # unless numbers may be forgotten
        self._ids = Provisional()
        self.text_words = self.sentences = 0
        self._ordered = True
        self._threads = threads
        look_at = MANY_WORDS
        if terms is not None and max_vocab_size is not None:
            source, is_path, terms = terms.sentences(source, is_path), False, None
        begun = 0  # words of a document that goes on
        divided: Divided | None = None
        if terms is not None:
            batches: Iterable[Batch] = (divided := Divided(source, is_path, terms, threads))
            self._numbering = divided.words
        elif max_vocab_size is None and (found := tokenizer_of(source, is_path, threads, documents)) is not None:
            self._tokenizer = found
            batches, self._numbering = found, found.words
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
                    self._tokenizer.note(self.tags, len(ends))
                self.tags.keep(np.diff(ends, prepend=-begun))
                begun = len(tokens) - int(ends[-1]) if len(ends) else begun + len(tokens)
            self.text_words += len(tokens)
            self.sentences += len(ends)
            report(len(tokens))
            known = len(self._ids) if self._numbering is None else len(self._numbering)
            if known > look_at:
                memory.check(
                    known * GROWTH * (1 if self._tokenizer is None else threads + 1),
                    f"larger tables for the {known:,} different words met so far",
                    "give max_vocab_size, with which rare words are forgotten, or read with fewer workers",
                )
                look_at = known * 5 // 4
        if divided is not None:
            self.counts = divided.words.counts()
        elif self._tokenizer is not None:
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
        if self._numbering is not None:
            return self._numbering.words(np.arange(len(self.counts)) if which is None else which)
        words = list(self._ids)
        return words if which is None else [words[place] for place in which.tolist()]

    def encode(self, index: dict[str, int], rows: TagRows | None = None) -> Encoded:
        """Renumber the tokens by `index` and drop those without a number; can be called once.

        `rows` are those of the tags, where it is documents.
        """
        words, wanted = list(index), np.fromiter(index.values(), np.int32, len(index))
        if self._numbering is not None:
            table = np.full(len(self.counts), -1, np.int32)
            numbers = self._numbering.numbers(words)
        else:
            table = np.full(self._ids.given, -1, np.int32)
            numbers = np.fromiter((self._ids.get(word, -1) for word in words), np.int64, len(words))
        table[numbers[numbers >= 0]] = wanted[numbers >= 0]
        if self._forgotten[0]:
            by_hash = {hash(word): number for word, number in index.items()}
            again = [by_hash.get(hashed, -1) for hashed in self._forgotten[1]]
            table[np.frombuffer(self._forgotten[0], np.int64)] = again
        tables = [table] if self._tokenizer is None else self._tokenizer.tables(table)
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
    terms: Terms | None = None,
) -> Encoded:
    """Encode a corpus with a vocabulary that exists already; one of documents where `rows` are those of the tags."""
    kinds: dict[str, Any] = {"documents": rows is not None, "terms": terms}
    return Scan(source, is_path, cache_bytes=cache_bytes, threads=threads, report=report, **kinds).encode(index, rows)
