"""A corpus in pieces that fit on a GPU: each with so many words on both sides as its windows may reach.

A sentence may be of any length, so that a piece may begin and end within one. Its first and last windows want survivors
of subsampling from beyond; how far these are is found out here, with the draws of the kernel.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.common.draws import bits_at
from w2v.tokens.tags import Tags
from w2v.training.epoch import Checked

# Positions that are looked at together.
BLOCK = 4096


class Piece(NamedTuple):
    """Consecutive tokens of a part, and which of them are centre words.

    Attributes
    ----------
    tokens : int32 [N]
    offsets : int64 [S + 1], of the sentences that the tokens are of, as far as they are here
    tags : Tags, optional
    before : int, tokens of the part before the first of these
    begin, end : int, the tokens that are centre words
    """

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]
    tags: Tags | None
    before: int
    begin: int
    end: int


def survive(tokens: NDArray[np.int32], first: int, key: int, keep: NDArray[np.uint32] | None) -> NDArray[np.bool_]:
    """Whether tokens at the positions from `first` on survive subsampling; see `stream_at` in _train.pyx."""
    if keep is None:
        return np.ones(len(tokens), np.bool_)
    bits = bits_at(key, np.arange(first, first + len(tokens), dtype=np.uint64))
    kept: NDArray[np.bool_] = (bits >> np.uint64(32)) <= keep[tokens]
    return kept


def reach(
    tokens: NDArray[np.int32],
    position: int,
    bound: int,
    wanted: int,
    origin: int,
    key: int,
    keep: NDArray[np.uint32] | None,
) -> int:
    """How far from `position` towards `bound`, before or behind it, the nearest `wanted` survivors go; no farther."""
    forward = bound > position
    while position != bound and wanted > 0:
        turn = min(bound, position + BLOCK) if forward else max(bound, position - BLOCK)
        first, last = sorted((position, turn))
        found = first + np.flatnonzero(survive(tokens[first:last], origin + first, key, keep))
        if len(found) >= wanted:
            return int(found[wanted - 1]) + 1 if forward else int(found[-wanted])
        position, wanted = turn, wanted - len(found)
    return position


def whole_piece(part: Checked, begin: int) -> Piece:
    """A part as one piece that is trained from `begin` on."""
    tokens, offsets = part.encoded.tokens, part.encoded.offsets
    return Piece(tokens, offsets, part.encoded.tags if part.most_tags else None, 0, begin, len(tokens))


def pieces_of(
    part: Checked, begin: int, words: int, window: int, origin: int, key: int, keep: NDArray[np.uint32] | None
) -> Iterator[Piece]:
    """Cut a part, from `begin` on, into pieces of so many centre words; `origin` is its first token's position."""
    tokens, offsets = part.encoded.tokens, part.encoded.offsets
    while begin < len(tokens):
        end = min(begin + words, len(tokens))
        first_sentence = int(np.searchsorted(offsets, begin, "right")) - 1
        last_sentence = int(np.searchsorted(offsets, end, "left"))  # ends at `end` or behind it
        first = reach(tokens, begin, int(offsets[first_sentence]), window, origin, key, keep)
        last = reach(tokens, end, int(offsets[last_sentence]), window, origin, key, keep)
        tags = None
        if part.encoded.tags is not None and part.most_tags:
            rows, of = part.encoded.tags
            its = of[first_sentence : last_sentence + 1]
            tags = Tags(rows[its[0] : its[-1]], its - its[0])
        yield Piece(
            tokens[first:last],
            np.clip(offsets[first_sentence : last_sentence + 1], first, last) - first,
            tags,
            first,
            begin - first,
            end - first,
        )
        begin = end
