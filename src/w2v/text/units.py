"""Pieces of a corpus that compiled code numbers, each in a thread: blocks of text, rows of columns, lists of tokens.

A unit is a function of a table of words; it gives the numbers of its words and how many precede each sentence's end.
Units of one stretch follow each other, so that a sentence may go on from one to the next; none goes on beyond its
stretch.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.files.reading import Pathlike
from w2v.text import _arrow, _raw
from w2v.text._text import WordTable
from w2v.text.parts import Part, parts_of_file
from w2v.text.readers import LONGEST_WORD, Text, check_words, read_blocks

# About so many bytes of text, or tokens, make a unit.
UNIT_BYTES, UNIT_TOKENS = 1 << 20, 1 << 17

# Items of Python in a unit: at first, and at most; how long they are tells how many the next one has.
FEW_ITEMS, MANY_ITEMS = 64, 1 << 13

Numbers = tuple[NDArray[np.int32], NDArray[np.int64]]
Unit = Callable[[WordTable], Numbers]
Stretches = Iterator[Iterator[Unit]]
Cleaner = _raw.Letters | None


class Units(NamedTuple):
    """A corpus in units, once.

    Attributes
    ----------
    stretches : iterator of iterators of Unit
    of_integers : bool
        Whether its tokens are integers.
    """

    stretches: Stretches
    of_integers: bool = False


def units_of_text(text: Text, cleaner: Cleaner = None) -> Units:
    """The units of text files; a cleaner makes words of raw text first."""
    return Units(units_of_file(name, cleaner) for name in text.files)


def units_of_file(source: Pathlike | IO[bytes], cleaner: Cleaner = None) -> Iterator[Unit]:
    """The units of one text file, or of an open one."""
    name = os.fspath(source) if isinstance(source, str | os.PathLike) else ""
    parts = parts_of_file(source)
    if parts is not None:
        return (partial(_of_part, part, name, cleaner) for part in parts)
    return (partial(_of_block, block, offset, name, cleaner) for block, offset in read_blocks(source))


def _of_part(part: Callable[[], Part], name: str, cleaner: Cleaner, table: WordTable) -> Numbers:
    return _of_block(*part(), name, cleaner, table)


def _of_block(block: Any, offset: int, name: str, cleaner: Cleaner, table: WordTable) -> Numbers:
    text, not_text = (block, -1) if cleaner is None else cleaner.words_of(block)
    if not_text < 0:
        tokens, ends, not_text, too_long = table.tokenize(text, LONGEST_WORD)
        if not_text < 0 and too_long < 0:
            return tokens, ends
    else:
        too_long = -1
    check_words(bytes(block), offset, not_text, too_long, name)
    raise AssertionError("what was found is an error")


# --- columns ----------------------------------------------------------------------------------------------------


def units_of_chunks(chunks: Iterable[_arrow.Chunk], name: str, cleaner: Cleaner) -> Units:
    """The units of a column of an Arrow table: strings, or lists of strings or integers.

    Raises
    ------
    TypeError
        The column holds anything else.
    """
    chunks = iter(chunks)
    first = next(chunks, None)
    if first is None:
        return Units(iter(()))
    if first.type.kind == "other":
        raise TypeError(f"{name} holds neither text nor lists of words or integers")
    return Units(iter([_of_rows(chain([first], chunks), name, cleaner)]), first.type.kind == "integers")


def _of_rows(chunks: Iterable[_arrow.Chunk], name: str, cleaner: Cleaner) -> Iterator[Unit]:
    before, kind = 0, None
    for chunk in chunks:
        kind = kind or chunk.type.kind
        if chunk.type.kind != kind:
            raise TypeError(
                f"row {before:,} of {name} is of another kind than those before: {chunk.type.kind}, not {kind}"
            )
        size = UNIT_BYTES if chunk.type.kind == "texts" else UNIT_TOKENS
        begin = 0
        while begin < len(chunk):
            end = chunk.cut(begin, size)
            yield partial(_of_chunk, chunk, begin, end, before, name, cleaner)
            begin = end
        before += len(chunk)


def _of_chunk(
    chunk: _arrow.Chunk, begin: int, end: int, before: int, name: str, cleaner: Cleaner, table: WordTable
) -> Numbers:
    if chunk.type.kind == "texts":
        return _of_block(
            chunk.text(begin, end), 0, f"{name}, rows {before + begin:,} to {before + end:,}", cleaner, table
        )
    data: Any
    data, offsets, ends, null = chunk.values(begin, end)
    if null >= 0:
        raise TypeError(
            f"row {before + null:,} of {name} has a null, or a number of more than 63 bits, among its tokens"
        )
    if chunk.type.indexed:
        return table.number_indexed(data, *chunk.words()), ends
    return _of_values(data, offsets, ends, table)


def _of_values(data: Any, offsets: Any, ends: NDArray[np.int64], table: WordTable) -> Numbers:
    return table.number_integers(data) if offsets is None else table.number_values(data, offsets), ends


# --- objects of Python ------------------------------------------------------------------------------------------


def units_of_items(items: Iterable[Any], name: str, cleaner: Cleaner = None) -> Units:
    """The units of texts, or of lists of words or integers; the first that holds something says what they all are."""
    items = iter(items)
    begun: list[Any] = []
    for item in items:
        begun.append(item)
        if item is not None and (isinstance(item, str) or not hasattr(item, "__len__") or len(item)):
            break
    else:
        return Units(iter([_of_batches(begun, _raw.joined, name, cleaner)] if begun else []))
    kind = kind_of(begun[-1])
    if hasattr(begun[-1], "words"):
        raise TypeError(f"{name} {len(begun) - 1:,} is {begun[-1]!r:.60}, with words; leave the tokenizer away")
    if kind is None:
        raise TypeError(f"{name} {len(begun) - 1:,} is {begun[-1]!r:.60}, not a text, and no list of words or integers")
    made = {"texts": _raw.joined, "tokens": _raw.listed, "integers": _raw.integers}[kind]
    return Units(iter([_of_batches(chain(begun, items), made, name, cleaner)]), kind == "integers")


def units_of_array(walks: NDArray[Any]) -> Units:
    """The units of an array of integers of two dimensions, whose rows are sentences."""
    rows = max(1, UNIT_TOKENS // max(1, walks.shape[1]))

    def units() -> Iterator[Unit]:
        for begin in range(0, len(walks), rows):
            block = walks[begin : begin + rows]
            if block.dtype == np.uint64 and block.max(initial=0) > np.uint64(2**63 - 1):
                raise OverflowError(f"{block.max()} is too large: tokens that are integers have at most 63 bits")
            ends = np.arange(1, len(block) + 1) * walks.shape[1]
            yield partial(_of_values, np.ascontiguousarray(block, np.int64).ravel(), None, ends)

    return Units(iter([units()]), True)


def kind_of(item: Any) -> str | None:
    """What an item of a corpus is: ``"texts"``, ``"tokens"``, ``"integers"``; None for what it cannot be."""
    if isinstance(item, str):
        return "texts"
    if isinstance(item, np.ndarray):
        return "integers" if item.dtype.kind in "iu" and item.ndim == 1 else "tokens" if item.ndim == 1 else None
    if not isinstance(item, list | tuple) or hasattr(item, "words"):
        return None
    return "integers" if is_integer(item[0]) else "tokens" if isinstance(item[0], str) else None


def is_integer(token: object) -> bool:
    return hasattr(type(token), "__index__") and not isinstance(token, bool | np.bool_)


def _of_batches(items: Iterable[Any], made: Callable[..., Any], name: str, cleaner: Cleaner) -> Iterator[Unit]:
    most = UNIT_BYTES if made is _raw.joined else UNIT_TOKENS
    items, before, count = iter(items), 0, FEW_ITEMS
    while batch := list(islice(items, count)):
        yield _of_batch(batch, made, name, cleaner, before)
        before += len(batch)
        held = sum(len(item) for item in batch if item is not None)
        count = max(1, min(MANY_ITEMS, most * len(batch) // max(1, held)))


def _of_batch(batch: list[Any], made: Callable[..., Any], name: str, cleaner: Cleaner, before: int) -> Unit:
    """A unit of some items, which are already contiguous bytes: threads need not ask for Python's objects."""
    try:
        if made is _raw.joined:
            return partial(_of_block, made(batch), 0, f"{name}s from {before:,} on", cleaner)
        *found, ends = made(batch)
    except (TypeError, OverflowError) as error:
        if len(error.args) != 2:
            raise
        place, token = error.args
        due = {_raw.joined: "a str", _raw.listed: "a str, as the others"}.get(made, "an integer of at most 63 bits")
        raise type(error)(
            f"{name} {before + place:,} has {token!r:.60}, a {type(token).__name__}; each must be {due}"
        ) from None
    data, offsets = found if len(found) == 2 else (found[0], None)
    return partial(_of_values, data, offsets, ends)


def sentences_of(units: Units, *, empty: bool = False) -> Iterator[list[str]]:
    """The sentences of a corpus as lists of words; `empty` ones are given or skipped."""
    for stretch in units.stretches:
        held: list[str] = []
        for unit in stretch:
            table = WordTable(units.of_integers)
            tokens, ends = unit(table)
            words = table.words(np.arange(len(table)))
            begin = 0
            for end in ends.tolist():
                held += [words[token] for token in tokens[begin:end].tolist()]
                if held or empty:
                    yield held
                held, begin = [], end
            held += [words[token] for token in tokens[begin:].tolist()]
        if held:
            yield held
