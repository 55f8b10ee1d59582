"""Vectors from files of other tools' own formats, and to them."""

import os

import numpy as np

from w2v.files import finalfusion
from w2v.files.reading import Pathlike
from w2v.vectors.keyed import KeyedVectors


def load_finalfusion(path: Pathlike) -> KeyedVectors:
    """Read a ``.fifu`` file of finalfusion: words and their vectors, at their own lengths.

    Counts are made up, descending, as in `KeyedVectors.load_word2vec_format`.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    FormatError
        The file is damaged or of another format; it says at which byte.
    ValueError
        It holds subwords or a quantised matrix.
    """
    found = finalfusion.read(path)
    return KeyedVectors.from_arrays(found.words, found.vectors, {"count": np.arange(len(found.words), 0, -1)})


def save_finalfusion(vectors: KeyedVectors, path: Pathlike) -> None:
    """Write a ``.fifu`` file that finalfusion's programs read, atomically: rows of unit length, and their norms.

    Rounding to unit length and back may change the last bit of a number. n-grams are left out.

    Parameters
    ----------
    vectors : KeyedVectors, of words
    path : path-like

    Raises
    ------
    ValueError
        A key is no str, a word has a lone surrogate, or a number is not finite.
    """
    keys = vectors.index_to_key
    other = next((key for key in keys if not isinstance(key, str)), None)
    if other is not None:
        raise ValueError(f"{os.fspath(path)}: the key {other!r:.60} is no word")
    finalfusion.write(path, keys, vectors.peek())
