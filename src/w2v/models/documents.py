"""Tags and their rows: which rows a corpus asks for, how they grow, and what a file holds of them."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.tokens.tags import MOST_ROWS, NotedTags, Tag, TagRows
from w2v.training import matrices
from w2v.vectors.keyed import KeyedVectors
from w2v.vectors.spelling import UnknownKeyError

logger = logging.getLogger(__name__)

# Bytes of rows that integer tags may leave unused; a number that is meant as a name, such as 2023110900, asks for more.
MOST_UNUSED = 1 << 30


class DocumentVectors(KeyedVectors):
    """Tags and their vectors. An integer is a tag, or the row of a text; never the row of another integer."""

    def get_index(self, key: Any, default: Any = None) -> int:
        """Return the row of a tag; KeyError if there is none, and no `default`."""
        row = super().get_index(key, default)
        if isinstance(key, int | np.integer) and 0 <= row < len(self) and key not in self.key_to_index:
            own = self.index_to_key[row]
            if isinstance(own, int) and own != key:
                if default is None:
                    raise UnknownKeyError(key, self.index_to_key)
                row = int(default)
        return row


def index_of(keys: Sequence[Tag]) -> dict[Tag, int]:
    """The rows of all tags but the integers that are their own rows, as gensim has it."""
    return {key: row for row, key in enumerate(keys) if key != row}


def keys_for(noted: NotedTags, known: TagRows | None, vector_size: int) -> list[Tag]:
    """The tag of each row, for a model that has the `known` ones and meets those of a corpus.

    An integer is its own row, and texts come behind the largest integer, in the order of their first appearance. What
    is known keeps its row; so an integer that comes later, when its row has another tag, is put behind all others.

    Raises
    ------
    ValueError
        An integer tag would leave so many rows unused that it is no number of a row.
    """
    if known is None:
        _check_gap(noted.largest, 0, noted, vector_size)
        keys: list[Tag] = [*range(noted.largest + 1), *noted.texts]
    else:
        integers = noted.unknown_integers(known).tolist()
        if integers and known.are_plain:
            _check_gap(integers[-1], len(known), noted, vector_size)
            keys = [*range(integers[-1] + 1)]
        else:
            keys = [*known.keys, *integers]
        keys += [text for text in noted.texts if text not in known.index]
    if len(keys) > MOST_ROWS:
        raise ValueError(f"{len(keys):,} tags are more than the {MOST_ROWS:,} rows that there can be")
    return keys


def _check_gap(largest: int, known: int, noted: NotedTags, vector_size: int) -> None:
    unused = largest + 1 - known - noted.integers
    size = unused * matrices.padded_size(vector_size) * 4
    if size > MOST_UNUSED:
        raise ValueError(
            f"the integer tag {largest:,} is the number of a row, and {unused:,} rows below it would be unused "
            f"({size / 2**30:,.1f} GiB); number documents from 0 on, or give the tag as text: {str(largest)!r}"
        )
    if unused > noted.documents:
        logger.warning(
            "the largest integer tag is %s, in a corpus of %s documents: %s rows stay unused",
            f"{largest:,}",
            f"{noted.documents:,}",
            f"{unused:,}",
        )


def as_arrays(keys: Sequence[Tag]) -> dict[str, NDArray[Any]]:
    """What a file holds of tags: nothing of integers that are their own rows.

    ``documents.numbers``, int64 [T], has the integers, and -1 where a tag is text; all texts are in
    ``documents.bytes``, one after the other, cut by ``documents.offsets``, int64 [T + 1].
    """
    if all(key == row for row, key in enumerate(keys)):
        return {}
    texts = ["" if isinstance(key, int) else key for key in keys]
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    offsets = np.zeros(len(keys) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    numbers = np.fromiter((key if isinstance(key, int) else -1 for key in keys), np.int64, len(keys))
    return {
        "documents.bytes": np.frombuffer(b"".join(encoded), np.uint8),
        "documents.numbers": numbers,
        "documents.offsets": offsets,
    }


def keys_of(arrays: Mapping[str, NDArray[Any]], rows: int) -> list[Tag]:
    """The inverse of `as_arrays`, from all arrays of a file; ValueError if they are not sound."""
    if "documents.numbers" not in arrays:
        return list(range(rows))
    numbers, packed, offsets = (arrays[f"documents.{name}"] for name in ("numbers", "bytes", "offsets"))
    if offsets[0] != 0 or offsets[-1] != len(packed) or (offsets[1:] < offsets[:-1]).any():
        raise ValueError("documents.offsets do not cut documents.bytes into tags")
    data, cuts = packed.tobytes(), offsets.tolist()
    keys: list[Tag] = [
        data[cuts[row] : cuts[row + 1]].decode("utf-8", "surrogatepass") if number < 0 else number
        for row, number in enumerate(numbers.tolist())
    ]
    if len(set(keys)) != len(keys):
        raise ValueError("a tag occurs twice")
    return keys


def digest_of(keys: Sequence[Tag]) -> str:
    """SHA-256 of tags in the order of their rows."""
    return hashlib.sha256(json.dumps(list(keys)).encode()).hexdigest()
