"""Tables of vectors as ProtVec was published: a k-mer and its numbers in each line, between tabs."""

import numpy as np
from numpy.typing import NDArray

from w2v.files.errors import FormatError
from w2v.files.reading import open_binary, unpacking

# The longest line; a vector of 10,000 numbers.
LONGEST_LINE = 1 << 18


def read_table(name: str) -> tuple[list[str], NDArray[np.float32]]:
    """Words and vectors of a table; a first line without numbers is a heading, and quotes are taken off.

    Returns
    -------
    words : list of str
    vectors : float32 [words, vector_size]

    Raises
    ------
    FormatError
        With the line, if one has no word, another number of numbers than those before, or what is no finite number.
    """
    words: dict[str, int] = {}
    rows: list[NDArray[np.float32]] = []
    with unpacking(name, "the compressed data is damaged"), open_binary(name) as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            where = f"{name}, line {number:,}"
            if len(line) >= LONGEST_LINE:
                raise FormatError(f"{where}: it has more than {LONGEST_LINE:,} bytes")
            try:
                word, *values = line.decode().strip().strip('"').split("\t")
            except UnicodeDecodeError as error:
                raise FormatError(f"{where}: it is not UTF-8") from error
            if not word and not values:
                continue
            try:
                row = np.array([float(value) for value in values], np.float32)
            except ValueError as error:
                if not rows:
                    continue  # the heading
                raise FormatError(f"{where}: {error}") from error
            if not values or (rows and len(row) != len(rows[0])):
                due = f"{len(rows[0])}, as the lines before" if rows else "one at least"
                raise FormatError(f"{where}: {len(row)} numbers, and not {due}")
            if not np.isfinite(row).all():
                raise FormatError(f"{where}: a number is not finite")
            if word.strip('"') in words:
                raise FormatError(f"{where}: the word {word!r:.60} has come before")
            words[word.strip('"')] = len(rows)
            rows.append(row)
    if not rows:
        raise FormatError(f"{name}: there is no vector in it")
    return list(words), np.stack(rows)
