"""K-mers as tokens: threads make and count them, and their numbers are in the order of their first appearance.

It is the way of `words.Tokenizer`, with k-mers that are numbers from the start: no table of strings is needed, and what
a thread knows of its own is only which k-mers it has met.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.common import memory
from w2v.common.ahead import ahead
from w2v.text.kmers import Kmers, Scheme
from w2v.text.sequences import Unit
from w2v.tokens.numbering import Batch
from w2v.tokens.tags import NotedTags

logger = logging.getLogger(__name__)

# Bytes of tables per possible k-mer: of all threads together, and of each.
BYTES_PER_KMER, BYTES_PER_KMER_AND_THREAD = 12, 12


class KmerNumbering:
    """K-mers in the order of their first appearance."""

    def __init__(self, scheme: Scheme) -> None:
        self._scheme = scheme
        self.of_code = np.full(scheme.kmers, -1, np.int32)
        self._codes = np.zeros(1024, np.int32)
        self._known = 0

    def __len__(self) -> int:
        return self._known

    @property
    def codes(self) -> NDArray[np.int32]:
        return self._codes[: self._known]

    def add(self, codes: NDArray[np.int32]) -> None:
        """Number those of `codes` that have no number yet; none is there twice."""
        new = codes[self.of_code[codes] < 0]
        while self._known + len(new) > len(self._codes):
            self._codes = np.concatenate([self._codes, np.zeros_like(self._codes)])
        self._codes[self._known : self._known + len(new)] = new
        self.of_code[new] = np.arange(self._known, self._known + len(new), dtype=np.int32)
        self._known += len(new)

    def words(self, numbers: NDArray[np.int64], /) -> list[str]:
        return self._scheme.words(self.codes[numbers])

    def numbers(self, words: list[str], /) -> NDArray[np.int64]:
        codes = self._scheme.numbers(words)
        return np.where(codes >= 0, self.of_code[codes], -1).astype(np.int64)


class KmerTokenizer:
    """Numbers the k-mers of sequences; iterate to get batches, once.

    Attributes
    ----------
    words : KmerNumbering
    numbers : list of one int32 array, the number of each token
    """

    def __init__(self, corpus: Kmers, threads: int) -> None:
        scheme = corpus.scheme
        memory.check(
            scheme.kmers * (BYTES_PER_KMER + threads * BYTES_PER_KMER_AND_THREAD),
            f"tables of {scheme.kmers:,} possible k-mers",
            "lower k or k_max, or read with fewer workers",
        )
        self.words = KmerNumbering(scheme)
        self.numbers = [self.words.of_code]
        self._tables = [scheme.table() for _ in range(threads)]
        self._reader = scheme.reader(corpus.blocks(), self._tables[0].piece, keep_ids=corpus.documents)
        self._records = np.zeros(0, np.int64)  # of the sentences that came last

    def __iter__(self) -> Iterator[Batch]:
        threads, short = len(self._tables), 0

        def tasks(pool: ThreadPoolExecutor) -> Iterator[tuple[Unit, Callable[..., Any], tuple[Any, ...]]]:
            for turn, unit in enumerate(self._reader.units(pool, threads)):
                table = self._tables[turn % threads]
                yield unit, table.tokenize, unit.work

        with ThreadPoolExecutor(threads) as pool:
            for unit, (tokens, ends, owners, new, too_short) in ahead(pool, tasks(pool), threads):
                self.words.add(new)
                self._records = unit.records[owners]
                short += too_short
                yield Batch(tokens, ends)
        self._reader.say(short)
        again = len(self._reader.ids) - len(set(self._reader.ids))
        if again:
            logger.warning("%s records have the id of an earlier one, and share its vector", f"{again:,}")

    def tables(self, table: NDArray[np.int32]) -> list[NDArray[np.int32]]:
        """What `table`, which speaks of the numbers of `words`, has for each token."""
        found = np.full(len(self.words.of_code), -1, np.int32)
        found[self.words.codes] = table
        return [found]

    def note(self, tags: NotedTags, sentences: int) -> None:
        """Note the record of each of the sentences that came last as its tag."""
        tags.note_texts(self._reader.ids, self._records)

    def counts(self) -> NDArray[np.int64]:
        """Occurrences of each k-mer of `words`."""
        codes = self.words.codes
        counts: NDArray[np.int64] = np.sum([table.counts()[codes] for table in self._tables], axis=0, dtype=np.int64)
        return counts
