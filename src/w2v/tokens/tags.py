"""Tags of documents as rows: noted while words are numbered, and turned into rows when these are known."""

import logging
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.tokens.spool import Spool

logger = logging.getLogger(__name__)

# The kernel numbers rows of documents in 32 bits.
MOST_ROWS = 2**31 - 1

Tag = str | int


class Tags(NamedTuple):
    """The documents that the sentences of a part of the corpus belong to.

    Attributes
    ----------
    rows : int32 [T], rows of the matrix of documents
    offsets : int64 [S + 1], sentence s has ``rows[offsets[s]:offsets[s + 1]]``
    """

    rows: NDArray[np.int32]
    offsets: NDArray[np.int64]


class TagRows:
    """Which row a tag has.

    Parameters
    ----------
    keys : sequence of str and int, the tag of each row
    index : mapping, rows of the tags; integers that are their own rows may be left out
    """

    def __init__(self, keys: Sequence[Tag], index: Mapping[Tag, int]) -> None:
        self.keys, self.index = keys, index
        self.said_unknown = False
        self.own = np.fromiter((key == row for row, key in enumerate(keys)), bool, len(keys))
        others = sorted((key, row) for key, row in index.items() if isinstance(key, int) and key != row)
        self._others = np.array([key for key, _ in others], np.int64)
        self._rows = np.array([row for _, row in others], np.int64)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def are_plain(self) -> bool:
        """Whether every tag is an integer and its own row."""
        return bool(self.own.all())

    def of_integers(self, tags: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of integer tags; -1 for one that is not known."""
        found = np.full(len(tags), -1, np.int64)
        inside = np.flatnonzero(tags < len(self))
        own = inside[self.own[tags[inside]]]
        found[own] = tags[own]
        if len(self._others):
            at = np.minimum(np.searchsorted(self._others, tags), len(self._others) - 1)
            there = self._others[at] == tags
            found[there] = self._rows[at[there]]
        return found

    def of_texts(self, tags: Iterable[str]) -> NDArray[np.int64]:
        """Rows of tags that are text; -1 for one that is not known."""
        return np.array([self.index.get(tag, -1) for tag in tags], np.int64)


class NotedTags:
    """The tags of documents, under provisional numbers: an integer is its own, the n-th text is -1 - n.

    Attributes
    ----------
    texts : dict of str to int, the texts in the order of their first appearance
    largest : int, integer tag; -1 if there is none
    integers : int, how often there was one
    documents : int
    """

    def __init__(self, cache_bytes: float = float("inf")) -> None:
        self.texts: dict[str, int] = {}
        self.largest = -1
        self.integers = 0
        self.documents = 0
        self._numbers, self._counts = array("q"), array("q")
        self._spools = tuple(Spool(np.int64, cache_bytes) for _ in range(3))
        self._limit = cache_bytes

    def words_of(self, source: Iterable[Any]) -> Iterator[Iterable[str]]:
        """Yield the words of each document, with its tags noted."""
        for number, document in enumerate(source):
            try:
                words, tags = document.words, document.tags
            except AttributeError:
                raise TypeError(
                    f"document {number:,} is {document!r:.60}, without words and tags; give "
                    "TaggedDocument(words, [tag]) for each"
                ) from None
            if isinstance(words, str | bytes) or not hasattr(words, "__iter__"):
                raise TypeError(f"the words of document {number:,} are {words!r:.60}, not a list of tokens; split them")
            # A single character is the same tag whether it is read as a list of characters or as a tag.
            if isinstance(tags, bytes) or (isinstance(tags, str) and len(tags) != 1) or not hasattr(tags, "__iter__"):
                raise TypeError(f"the tags of document {number:,} are {tags!r:.60}, not a list; write [tag]")
            self._note(tags)
            yield words

    def _note(self, tags: Iterable[Any]) -> None:
        before = len(self._numbers)
        for tag in tags:
            if isinstance(tag, str):
                known = self.texts.get(tag)
                if known is None:
                    known = self.texts[str.__str__(tag)] = len(self.texts)  # str() of a subclass may give another one
                self._numbers.append(-1 - known)
            else:
                self._numbers.append(self._checked_integer(tag))
        self._counts.append(len(self._numbers) - before)
        self.documents += 1

    def _checked_integer(self, tag: Any) -> int:
        if not isinstance(tag, int | np.integer):
            raise TypeError(f"a tag must be a str or an integer, not {type(tag).__name__}: got {tag!r:.60}")
        number = int(tag)
        if not 0 <= number < MOST_ROWS:
            raise ValueError(
                f"the integer tag {number:,} would be the number of a row, and rows go from 0 to {MOST_ROWS - 1:,}; "
                f"give it as text, {str(number)!r:.60}"
            )
        self.largest = max(self.largest, number)
        self.integers += 1
        return number

    def note_texts(self, texts: Sequence[str], which: NDArray[np.int64]) -> None:
        """Note for each document that its tag is the text at a place of `texts`."""
        places, of_place = np.unique(which, return_inverse=True)
        known = [self.texts.setdefault(texts[place], len(self.texts)) for place in places.tolist()]
        self._numbers.frombytes((-1 - np.array(known, np.int64))[of_place].tobytes())
        self._counts.frombytes(np.ones(len(which), np.int64).tobytes())
        self.documents += len(which)

    def note_lines(self, count: int) -> None:
        """Note so many documents that are tagged with their numbers."""
        first = self.documents
        if first + count > MOST_ROWS:
            raise ValueError(f"a file of more than {MOST_ROWS:,} lines has more documents than there can be rows")
        self._numbers.frombytes(np.arange(first, first + count, dtype=np.int64).tobytes())
        self._counts.frombytes(np.ones(count, np.int64).tobytes())
        self.documents = self.integers = first + count
        self.largest = self.documents - 1

    def take(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The numbers, and how many each document has, of those noted since the last call."""
        taken = np.frombuffer(self._numbers, np.int64), np.frombuffer(self._counts, np.int64)
        self._numbers, self._counts = array("q"), array("q")
        return taken

    def keep(self, lengths: NDArray[np.int64]) -> None:
        """Keep what was noted, and how many words these documents have."""
        for spool, block in zip(self._spools, (*self.take(), lengths), strict=True):
            spool.append(block)

    def blocks(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
        """What was kept, block by block: numbers, how many of them each document has, and its words."""
        return zip(*(spool.drain() for spool in self._spools), strict=True)

    def as_rows(self, numbers: NDArray[np.int64], rows: TagRows, texts: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row of each number, -1 for tags that are not known; `texts` are those of all texts."""
        found = np.empty(len(numbers), np.int64)
        is_text = numbers < 0
        found[is_text] = texts[-1 - numbers[is_text]]
        found[~is_text] = rows.of_integers(numbers[~is_text])
        return found

    def unknown_integers(self, rows: TagRows) -> NDArray[np.int64]:
        """The integer tags that have no row, ascending."""
        new = [np.zeros(0, np.int64)]
        for numbers, _, _ in self.blocks():
            integers = numbers[numbers >= 0]
            new.append(np.unique(integers[rows.of_integers(integers) < 0]))
        return np.unique(np.concatenate(new))

    def tags(self, rows: TagRows) -> Tags:
        """All that was kept, as rows."""
        found, offsets = Spool(np.int32, self._limit), Spool(np.int64, self._limit)
        offsets.append(np.zeros(1, np.int64))
        texts = rows.of_texts(self.texts)
        for numbers, counts, _ in self.blocks():
            part = known_alone(self.as_rows(numbers, rows, texts), counts, rows)
            offsets.append(part.offsets[1:] + found.length)
            found.append(part.rows)
        return Tags(found.finish(), offsets.finish())

    def counted(self, rows: TagRows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each row, the documents that have its tag, and their words."""
        documents, words = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
        texts = rows.of_texts(self.texts)
        for numbers, counts, lengths in self.blocks():
            found, own = self.as_rows(numbers, rows, texts), np.repeat(lengths, counts)
            np.add.at(documents, found[found >= 0], 1)
            np.add.at(words, found[found >= 0], own[found >= 0])
        return documents, words


def known_alone(found: NDArray[np.int64], counts: NDArray[np.int64], rows: TagRows) -> Tags:
    """Rows and offsets of the tags that have a row; the others are left out, which is said once."""
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    known = found >= 0
    if not known.all():
        if not rows.said_unknown:
            rows.said_unknown = True
            logger.warning(
                "%s tags of these documents have no vector and are left out; build_vocab(..., update=True) adds them",
                f"{int((~known).sum()):,}",
            )
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(known)])[offsets]
    return Tags(found[known].astype(np.int32), offsets)
