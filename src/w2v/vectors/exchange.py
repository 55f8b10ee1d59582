"""Vectors from files of other tools' own formats, and to them."""

from collections.abc import Mapping

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
    vectors.save_finalfusion(path)


def save_model2vec(vectors: KeyedVectors, folder: Pathlike, facts: Mapping[str, object] | None = None) -> None:
    """Write a folder that model2vec and sentence-transformers load, and that can go to a model hub as it is.

    A text is split at white space there, and its vector is the mean of those of its words, at unit length. n-grams are
    left out.

    Parameters
    ----------
    vectors : KeyedVectors, of words
    folder : path-like
        Made if need be; files of the same names in it are replaced.
    facts : mapping, optional
        What the table of the model card says beside the numbers of words and of dimensions: corpus, settings,
        ``model.fingerprint()``, scores.

    Raises
    ------
    ValueError
        A key is no str, a word has a lone surrogate, or a number is not finite. Nothing is written.
    FileExistsError
        There is a file of the folder's name.
    """
    vectors.save_model2vec(folder, facts)
