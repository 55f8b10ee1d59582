"""Files of terms: phrases, live or frozen, and dictionaries, as one JSON document that people can read.

``{"w2v": "terms", "format": 1, "library": ..., "steps": [...]}`` has a step for each object: a dictionary that says its
``kind``, with a phrase or an entry a line. Counts of live phrases are packed: little-endian int64, deflated, in base64.
Nothing in a file is executed or imported.
"""

import base64
import binascii
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from w2v._version import __version__
from w2v.files.errors import FormatError
from w2v.files.reading import Pathlike, check_unpacked, codec_of, most_unpacked, open_binary, open_regular, unpacking
from w2v.files.writing import packed_write

FORMAT_VERSION = 1
BLOCK = 1 << 20

Step = Mapping[str, Any]
Made = TypeVar("Made")


def write(path: Pathlike, steps: Sequence[Step]) -> None:
    """Write steps to one file, atomically; equal ones give equal bytes."""
    with packed_write(path) as file:
        for part in _text_of(steps):
            file.write(part.encode())


def dumps(steps: Sequence[Step]) -> bytes:
    """The same as bytes."""
    return "".join(_text_of(steps)).encode()


def read(path: Pathlike) -> list[dict[str, Any]]:
    """Read the steps that `write` has written.

    Raises
    ------
    FormatError
        The file is another one, or damaged.
    """
    name = os.fspath(path)
    with open_regular(path) as raw:
        most = most_unpacked(os.fstat(raw.fileno()).st_size)
    parts, size = [], 0
    with unpacking(name, "not packed as its name says"), open_binary(path) as file:
        while block := file.read(BLOCK):
            size += len(block)
            if codec_of(path) is not None:
                check_unpacked(name, size, most)
            parts.append(block)
    return loads(b"".join(parts), name)


def loads(data: bytes, name: str) -> list[dict[str, Any]]:
    """Read the bytes of `dumps`; FormatError, with the `name`, if they are none."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{name}: not a file of terms, which is JSON ({error})") from error
    steps = found.get("steps") if isinstance(found, dict) and found.get("w2v") == "terms" else None
    if not isinstance(steps, list) or not all(isinstance(step, dict) and "kind" in step for step in steps):
        raise FormatError(f"{name}: JSON, but not a file of terms as Phrases and TermMap save them")
    if found.get("format") != FORMAT_VERSION:
        raise FormatError(
            f"{name}: format {found.get('format')!r:.20} of terms; this w2v reads format {FORMAT_VERSION}"
        )
    return steps


def made(make: Callable[[Step], Made], step: Step, name: str) -> Made:
    """What `make` makes of a step; FormatError, with the `name`, if the step is malformed."""
    try:
        return make(step)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, zlib.error) as error:
        raise FormatError(f"{name}: its terms are not readable: {type(error).__name__}: {error}") from error


def words_of(found: Any) -> list[str]:
    """A list of different words, as a file should hold it; ValueError for anything else."""
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found) or len(set(found)) != len(found):
        raise ValueError("a list of different words is due")
    return found


def packed(numbers: NDArray[np.int64]) -> str:
    """Numbers as text."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(numbers, "<i8").tobytes(), 1)).decode()


def unpacked(text: str, count: int) -> NDArray[np.int64]:
    """The numbers of `packed`, of which there should be `count`."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    unpacker = zlib.decompressobj()
    numbers = unpacker.decompress(data, 8 * count + 1)
    if len(numbers) != 8 * count or not unpacker.eof:
        raise ValueError("packed numbers, but not as many as there should be")
    return np.frombuffer(numbers, "<i8").astype(np.int64)


def _text_of(steps: Sequence[Step]) -> Iterator[str]:
    head = {"w2v": "terms", "format": FORMAT_VERSION, "library": __version__}
    yield json.dumps(head)[:-1] + ', "steps": ['
    for number, step in enumerate(steps):
        yield ",\n" if number else "\n"
        yield from _object(step)
    yield "\n]}\n"


def _object(facts: Step) -> Iterator[str]:
    """A JSON object, with the items of its lists on lines of their own."""
    yield "{"
    for number, (name, value) in enumerate(facts.items()):
        yield (",\n " if number else "") + json.dumps(name) + ": "
        if isinstance(value, list) and value and isinstance(value[0], list):
            nested = isinstance(value[0][0] if value[0] else None, list)
            yield "[" + (",".join(f"[{_rows(rows)}]" for rows in value) if nested else _rows(value)) + "]"
        else:
            yield json.dumps(value)
    yield "}"


def _rows(rows: Iterable[Any]) -> str:
    return ",".join("\n  " + json.dumps(row) for row in rows)
