"""Sentences to integers, read once: the last place where a word is a string.

One pass counts and encodes at the same time, with provisional ids. When the vocabulary is chosen, the ids are
renumbered (dropped words disappear), and the text is never read again. Tokens live in memory up to a limit and in an
anonymous temporary file beyond it.
"""

import mmap
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.corpus import Pathlike, read_pieces
from w2v.vocab import TrimRule, is_kept

# Tokens handed on at a time. Blocks this large come straight from the system and go straight back to it.
BLOCK_TOKENS = 1 << 22

# Tokens looked at in one numpy step, which needs several times their memory.
STEP = 1 << 20

# Encoded tokens beyond this many bytes go to a temporary file, with cache="auto".
CACHE_BYTES = 1 << 30

Sentences = Iterable[Iterable[str]]


class Batch(NamedTuple):
    """Consecutive tokens, and where sentences end among them."""

    tokens: NDArray[np.int32]
    ends: NDArray[np.int64]


class Encoded(NamedTuple):
    """A corpus as the kernel reads it.

    Attributes
    ----------
    tokens : int32 [N], ids of the words kept
    offsets : int64 [S + 1], sentence s is ``tokens[offsets[s]:offsets[s + 1]]``; may be empty
    raw_words : int, words of the text, kept or not
    """

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]
    raw_words: int

    def forget_pages(self) -> None:
        """Give the memory of a mapped file back to the system; it is read again when needed."""
        for part in (self.tokens, self.offsets):
            mapping = getattr(part.base, "obj", part.base)
            if isinstance(mapping, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
                mapping.madvise(mmap.MADV_DONTNEED)


class Provisional(dict[str, int]):
    """Numbers words in order of first appearance; a look-up of a new word adds it."""

    def __init__(self) -> None:
        self.given = 0

    def __missing__(self, word: str) -> int:
        check_token(word)
        self[str.__str__(word)] = number = self.given  # a subclass may call itself something else
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


class Spool:
    """A growing integer array: in memory up to `limit` bytes, beyond that in a temporary file without a name.

    The file is gone when the last reference to it is, also when the process is killed.
    """

    def __init__(self, dtype: Any, limit: float) -> None:
        self.dtype = np.dtype(dtype)
        self.limit = limit
        self.length = 0
        self._blocks: list[NDArray[Any]] = []
        self._file: Any = None

    def append(self, block: NDArray[Any]) -> None:
        """Take over `block`, which the caller no longer changes."""
        self.length += len(block)
        if self._file is None and self.length * self.dtype.itemsize > self.limit:
            self._file = tempfile.TemporaryFile(prefix="w2v-")  # noqa: SIM115 - lives as long as the spool
            for held in self._release():
                self._file.write(held.data)
        if self._file is None:
            self._blocks.append(block)
        else:
            self._file.write(np.ascontiguousarray(block, self.dtype).data)

    def _release(self) -> Iterator[NDArray[Any]]:
        self._blocks.reverse()
        while self._blocks:
            yield self._blocks.pop()

    def drain(self) -> Iterator[NDArray[Any]]:
        """Give all blocks in order, once, letting go of each."""
        if self._file is None:
            yield from self._release()
            return
        self._file.seek(0)
        while len(block := np.fromfile(self._file, self.dtype, BLOCK_TOKENS)):
            yield block
        self._file.close()

    def finish(self) -> NDArray[Any]:
        """The whole array: in memory, or mapped from the file."""
        if self._file is not None:
            self._file.flush()
            mapping = mmap.mmap(self._file.fileno(), 0)
            self._file.close()
            return np.frombuffer(mapping, self.dtype)
        whole = np.empty(self.length, self.dtype)
        filled = 0
        for block in self._release():
            whole[filled : filled + len(block)] = block
            filled += len(block)
        return whole


def pieces_of(source: Sentences | Pathlike, is_path: bool) -> Iterator[tuple[Iterable[str], bool]]:
    """Sentences of a corpus as (words, whether the sentence ends with them); a bad one gets a clear error."""
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


def batches(
    pieces: Iterator[tuple[Iterable[str], bool]],
    ids: Provisional | Final,
    size: int,
    *,
    whole: bool = False,
    max_ids: float = float("inf"),
) -> Iterator[Batch]:
    """Encode sentences; a batch has about `size` tokens, or fewer where `ids` outgrows `max_ids`.

    With ``whole=True`` no sentence is cut, so a long one makes a long batch.
    """
    tokens, ends = array("i"), array("q")
    number = ids.__getitem__
    for words, complete in pieces:
        try:
            tokens.extend(map(number, words))
        except TypeError as error:
            if "unhashable" in str(error):
                raise TypeError(f"tokens must be str: {error}; is the corpus nested one level too deep?") from None
            raise
        if complete:
            ends.append(len(tokens))
        if (len(tokens) >= size and (complete or not whole)) or len(ids) > max_ids:
            yield Batch(np.frombuffer(tokens, np.int32), np.frombuffer(ends, np.int64))
            tokens, ends = array("i"), array("q")
    if tokens or ends:
        yield Batch(np.frombuffer(tokens, np.int32), np.frombuffer(ends, np.int64))


class Scan:
    """One pass over a corpus: its words, their counts, and its tokens under provisional ids.

    Attributes
    ----------
    counts : dict, word -> count, in order of first appearance
    raw_words, sentences : int
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
        report: Callable[[int], object] = lambda words: None,
    ) -> None:
        self._ids = Provisional()
        self._tokens = Spool(np.int32, cache_bytes)
        self._ends = Spool(np.int64, cache_bytes)
        self._forgotten: tuple[array[int], array[int]] = (
            array("q"),
            array("q"),
        )  # pruned ids, hashes of their words
        self.raw_words = self.sentences = 0
        by_id = np.zeros(0, np.int64)
        limit = float("inf") if max_vocab_size is None else max_vocab_size
        min_reduce = 1
        for tokens, ends in batches(pieces_of(source, is_path), self._ids, BLOCK_TOKENS, max_ids=limit):
            by_id = np.concatenate([by_id, np.zeros(self._ids.given - len(by_id), np.int64)])
            for begin in range(0, len(tokens), STEP):
                found = np.bincount(tokens[begin : begin + STEP])
                by_id[: len(found)] += found
            if keep_tokens:
                self._tokens.append(tokens)
                self._ends.append(ends + self.raw_words)
            self.raw_words += len(tokens)
            self.sentences += len(ends)
            report(len(tokens))
            if len(self._ids) > limit:
                self._prune(by_id, min_reduce, trim_rule)
                min_reduce += 1
        self.counts = {word: int(by_id[number]) for word, number in self._ids.items()}

    def _prune(self, by_id: NDArray[np.int64], min_reduce: int, trim_rule: TrimRule | None) -> None:
        """Forget rare words. Should one come back, it is counted anew, but its earlier tokens are found again."""
        for word, number in list(self._ids.items()):
            if not is_kept(word, int(by_id[number]), min_reduce, trim_rule):
                del self._ids[word]
                self._forgotten[0].append(number)
                self._forgotten[1].append(hash(word))

    def encoded(self, index: dict[str, int]) -> Encoded:
        """Renumber the tokens by `index` and drop those without a number; can be called once."""
        table = np.full(self._ids.given, -1, np.int32)
        for word, number in self._ids.items():
            table[number] = index.get(word, -1)
        if self._forgotten[0]:
            by_hash = {hash(word): number for word, number in index.items()}
            numbers = [by_hash.get(hashed, -1) for hashed in self._forgotten[1]]
            table[np.frombuffer(self._forgotten[0], np.int64)] = numbers
        return _renumbered(self._tokens.drain(), self._ends.drain(), table, self._tokens.limit, self.raw_words)


def encode(source: Sentences | Pathlike, is_path: bool, index: dict[str, int], cache_bytes: float) -> Encoded:
    """Encode a corpus with a vocabulary that exists already."""
    tokens, ends, raw_words = Spool(np.int32, cache_bytes), Spool(np.int64, cache_bytes), 0
    for batch in batches(pieces_of(source, is_path), Final(index), BLOCK_TOKENS):
        tokens.append(batch.tokens)
        ends.append(batch.ends + raw_words)
        raw_words += len(batch.tokens)
    return _renumbered(tokens.drain(), ends.drain(), None, cache_bytes, raw_words)


def _renumbered(
    blocks: Iterator[NDArray[np.int32]],
    ends: Iterator[NDArray[np.int64]],
    table: NDArray[np.int32] | None,
    limit: float,
    raw_words: int,
) -> Encoded:
    """Look tokens up in `table`, leave out those that are -1, and move the sentence ends accordingly.

    Works inside the blocks it is given, so that a large corpus is never held twice.
    """
    tokens, offsets = Spool(np.int32, limit), Spool(np.int64, limit)
    offsets.append(np.zeros(1, np.int64))
    waiting = next(ends, None)
    until = 0
    for block in blocks:
        filled = 0
        for start in range(0, len(block), STEP):
            part = block[start : start + STEP]
            begin, until = until, until + len(part)
            ids = part if table is None else table[part]
            kept = ids >= 0
            before = np.concatenate([[0], np.cumsum(kept)])  # how many are kept before each position of the part
            while waiting is not None:
                here = int(np.searchsorted(waiting, until, side="right"))
                offsets.append(tokens.length + filled + before[waiting[:here] - begin])
                if here < len(waiting):
                    waiting = waiting[here:]
                    break
                waiting = next(ends, None)
            block[filled : filled + before[-1]] = ids[kept]
            filled += int(before[-1])
        tokens.append(block[:filled])
    while waiting is not None:  # sentences without a token
        offsets.append(np.full(len(waiting), tokens.length))
        waiting = next(ends, None)
    return Encoded(tokens.finish(), offsets.finish(), raw_words)


def whole_batches(source: Sentences | Pathlike, is_path: bool, index: dict[str, int], size: int) -> Iterator[Encoded]:
    """Encode a corpus piece by piece for training without a cache; no sentence is cut."""
    for batch in batches(pieces_of(source, is_path), Final(index), size, whole=True):
        yield _renumbered(iter([batch.tokens]), iter([batch.ends]), None, float("inf"), len(batch.tokens))
