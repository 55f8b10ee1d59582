"""A corpus as integers, piece by piece as it is read: anew in every epoch, or once while it is put together."""

import os
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from w2v.files.reading import Pathlike, codec_of, open_binary
from w2v.text.corpus import Corpus
from w2v.tokens.encode import Encoded
from w2v.tokens.numbering import Batch, Terms
from w2v.tokens.spool import Spool
from w2v.tokens.tags import NotedTags, TagRows, known_alone
from w2v.tokens.words import Divided, Final, Numbered, Sentences, as_read, number_words, read_in_python

# Words encoded at a time where a corpus is streamed instead of kept.
STREAM_WORDS = 1 << 20

# A text file of this many bytes is worth training while it is read; smaller ones are there at once.
LARGE_TEXT = 1 << 26

# How many pieces of a text file tell how many words it has, and their bytes.
SAMPLES, SAMPLE_BYTES = 32, 1 << 15


def whole_batches(
    source: Sentences | Pathlike,
    is_path: bool,
    index: dict[str, int],
    size: int,
    threads: int = 1,
    rows: TagRows | None = None,
    terms: Terms | None = None,
) -> Iterator[Encoded]:
    """Encode a corpus piece by piece for training without a cache: about `size` words each, no sentence is cut."""
    noted = None if rows is None else NotedTags()
    held: list[Batch] = []
    words = ready = 0  # words held, and words held in finished sentences

    def part(tokens: NDArray[np.int32], ends: NDArray[np.int64], ordered: bool) -> Encoded:
        encoded = _drop_unknown(tokens, ends, ordered)
        if noted is None or rows is None:
            return encoded
        numbers, counts = noted.take()
        return encoded._replace(
            tags=known_alone(noted.as_rows(numbers, rows, rows.of_texts(noted.texts)), counts, rows)
        )

    for batch in _number_with(source, is_path, index, threads, noted, terms):
        held.append(batch)
        if len(batch.ends):
            ready = words + int(batch.ends[-1])
        words += len(batch.tokens)
        if ready >= size:
            tokens, ends, owner, ordered = _join(held)
            yield part(tokens[:ready], ends, ordered)
            held = [Batch(tokens[ready:], ends[:0], owner, ordered)]
            words, ready = words - ready, 0
    if words or any(len(batch.ends) for batch in held):
        tokens, ends, _, ordered = _join(held)
        yield part(tokens, ends, ordered)


def _join(batches: list[Batch]) -> Batch:
    starts = np.cumsum([0] + [len(batch.tokens) for batch in batches])
    ends = [batch.ends + start for batch, start in zip(batches, starts[:-1], strict=True)]
    ordered = all(batch.ordered for batch in batches)
    return Batch(np.concatenate([batch.tokens for batch in batches]), np.concatenate(ends), 0, ordered)


def _drop_unknown(tokens: NDArray[np.int32], ends: NDArray[np.int64], ordered: bool) -> Encoded:
    kept = tokens >= 0
    ends = ends - np.searchsorted(np.flatnonzero(~kept), ends)  # minus the dropped tokens before each end
    return Encoded(tokens[kept], np.concatenate([[0], ends]), len(tokens), ordered)


def _number_with(
    source: Sentences | Pathlike,
    is_path: bool,
    index: dict[str, int],
    threads: int,
    noted: NotedTags | None,
    terms: Terms | None,
) -> Iterator[Batch]:
    """Yield batches under the numbers of `index`; -1 stands for every other word."""
    documents = noted is not None
    source, is_path = as_read(source, is_path, documents)
    if terms is None and read_in_python(source, is_path, documents):
        yield from number_words(source, is_path, Final(index), tags=noted)
        return
    if terms is None:
        numbered: Numbered | Divided = Numbered(source, is_path, threads, documents)
    else:
        numbered = Divided(source, is_path, terms, threads)
    table = np.zeros(0, np.int32)
    for tokens, ends, owner, ordered in numbered:
        new = numbered.words.words(np.arange(len(table), len(numbered.words)))
        if new:
            table = np.concatenate([table, np.array([index.get(word, -1) for word in new], np.int32)])
        if noted is not None:
            numbered.note(noted, len(ends))  # type: ignore[union-attr]
        yield Batch(table[tokens], ends, owner, ordered)


class Collected:
    """Passes the parts of a corpus without tags on, and puts them together: what `encode` would have made of it.

    Parameters
    ----------
    parts : iterable of Encoded
    cache_bytes : float
        Tokens beyond this many bytes go to a temporary file.
    """

    def __init__(self, parts: Iterable[Encoded], cache_bytes: float) -> None:
        self._parts = parts
        self._tokens, self._offsets = Spool(np.int32, cache_bytes), Spool(np.int64, cache_bytes)
        self._offsets.append(np.zeros(1, np.int64))
        self._text_words, self._ordered = 0, True

    def __iter__(self) -> Iterator[Encoded]:
        for part in self._parts:
            self._offsets.append(part.offsets[1:] + self._tokens.length)
            self._tokens.append(part.tokens)
            self._text_words += part.text_words
            self._ordered = self._ordered and part.ordered
            yield part

    def whole(self) -> Encoded:
        """All that was passed on, as one part."""
        return Encoded(self._tokens.finish(), self._offsets.finish(), self._text_words, self._ordered)


def expected_tokens(corpus: Corpus, index: Mapping[str, int]) -> int | None:
    """About how many words of the vocabulary a large text file has, from pieces all over it.

    None if the corpus is anything else: a small or a compressed file, lines that are not its sentences, an iterable.
    """
    if not corpus.is_path or codec_of(corpus.source) is not None:
        return None
    with open_binary(corpus.source) as file:
        if not file.seekable() or (size := file.seek(0, os.SEEK_END)) < LARGE_TEXT:
            return None
        known = read = 0
        for sample in range(SAMPLES):
            file.seek((size - SAMPLE_BYTES) * sample // (SAMPLES - 1))
            words = file.read(SAMPLE_BYTES).decode("utf-8", "ignore").split(" ")[1:-1]  # the outer ones may be cut
            known += sum(word in index for part in words for word in part.split())
            read += sum(len(word.encode()) + 1 for word in words)
    return round(known * size / max(read, 1))
