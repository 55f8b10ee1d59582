"""Dictionaries of terms as files: lines in, entries with their line numbers out."""

import csv
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from w2v.common import checks
from w2v.files.errors import FormatError
from w2v.files.reading import Pathlike, open_binary, unpacked_name

# The formats, and the endings of names that tell them.
FORMATS = {"tsv": (".tsv",), "csv": (".csv",), "clever": (".clever",)}


class Entry(NamedTuple):
    """A term, the concept that it becomes, and the line of its file (or its place) from 1 on."""

    term: str
    concept: str
    line: int


def read_entries(path: Pathlike, form: str | None) -> list[Entry]:
    """Read a dictionary in UTF-8, also a compressed one.

    Parameters
    ----------
    path : path
    form : {"tsv", "csv", "clever"}, optional
        ``term<TAB>concept``; ``term,concept``, quoted where needed; or ``id|term|CLASS`` as CLEVER has it, where the
        class is the concept. By default the name tells. Empty lines are left out.

    Raises
    ------
    FormatError
        A line has another number of fields, or is not UTF-8; with its number.
    """
    name = os.fspath(path)
    if form is None:
        bare = unpacked_name(name)
        form = next((known for known, endings in FORMATS.items() if bare.endswith(endings)), None)
        if form is None:
            raise ValueError(f"the name of {name!r} does not tell its format; give form='tsv', 'csv' or 'clever'")
    return list(_READERS[checks.one_of("form", form, FORMATS)](name))


def _lines(name: str) -> Iterator[tuple[int, str]]:
    with open_binary(name) as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise FormatError(
                    f"{name}, line {number:,}: not UTF-8 ({error.reason}); iconv -f ITS-ENCODING -t UTF-8 makes it that"
                ) from None
            yield number, text.rstrip("\r\n")


def _of_fields(name: str, separator: str, count: int, shape: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in _lines(name):
        if line.strip():
            fields = line.split(separator)
            if len(fields) != count:
                raise FormatError(f"{name}, line {number:,}: {len(fields)} fields, not {shape}: {line!r:.80}")
            yield number, fields


def _tsv(name: str) -> Iterator[Entry]:
    for number, (term, concept) in _of_fields(name, "\t", 2, "term<TAB>concept"):
        yield Entry(term, concept, number)


def _clever(name: str) -> Iterator[Entry]:
    for number, (_, term, concept) in _of_fields(name, "|", 3, "id|term|CLASS"):
        yield Entry(term, concept, number)


def _csv(name: str) -> Iterator[Entry]:
    reader = csv.reader((line for _, line in _lines(name)), strict=True)
    try:
        for fields in reader:
            if fields:
                if len(fields) != 2:
                    raise FormatError(f"{name}, line {reader.line_num:,}: {len(fields)} fields, not term,concept")
                yield Entry(fields[0], fields[1], reader.line_num)
    except csv.Error as error:
        raise FormatError(f"{name}, line {reader.line_num:,}: {error}") from error


_READERS: dict[str, Callable[[str], Iterator[Entry]]] = {"tsv": _tsv, "csv": _csv, "clever": _clever}
