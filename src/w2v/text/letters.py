"""Tokenizers of raw text: which words a line has, in compiled code (`_raw`), the same under every Python.

``"simple"``
    A word is a run of letters, marks and digits of any script, with apostrophes between letters; ``’`` is an
    apostrophe. Cases are folded (Unicode's full case folding: ``STRASSE`` and ``Straße`` are ``strasse``). Soft hyphens
    vanish. Underscores belong to words, so that joined phrases stay; nothing but underscores is no word.
``"simple_preprocess"``
    The words of gensim's function of this name, with its defaults: lower case, runs of letters and underscores without
    decimal digits, of 2 to 15 characters, none that begins with an underscore.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.text import _raw, unicode14

TOKENIZERS = ("whitespace", "simple", "simple_preprocess")

CHARACTERS = 0x110000
# As in _raw.h.
SEVERAL, MOST_OF_ONE = CHARACTERS, 3


def check_tokenizer(name: str, value: object) -> str | None:
    """A tokenizer's name, or None."""
    if value is None:
        return None
    return str(checks.one_of(name, value, TOKENIZERS, "; or None, which leaves text to be divided before"))


def cleaner_of(tokenizer: str | None) -> _raw.Letters | None:
    """What turns a text into one of words with blanks between; None if it is left as it is."""
    return None if tokenizer in (None, "whitespace") else _letters(str(tokenizer))


def tokenize(text: str, tokenizer: str = "simple") -> list[str]:
    """Divide a text into words, as models do that are trained with this tokenizer.

    Parameters
    ----------
    text : str
        Line ends in it are blanks.
    tokenizer : {"simple", "simple_preprocess", "whitespace"}, default "simple"

    Returns
    -------
    list of str

    Raises
    ------
    TypeError, ValueError
        The text is no str or has a lone surrogate; no such tokenizer.

    Examples
    --------
    >>> from w2v import tokenize
    >>> tokenize("The end. Don't SHOUT at Zoë!")
    ['the', 'end', "don't", 'shout', 'at', 'zoë']
    """
    if not isinstance(text, str):
        raise TypeError(f"text={text!r:.60} must be a str, not {type(text).__name__}")
    cleaner = cleaner_of(check_tokenizer("tokenizer", tokenizer))
    if cleaner is None:
        return text.split()
    words, _ = cleaner.words_of(text.encode())
    return words.tobytes().decode().split()


@cache
def _letters(tokenizer: str) -> _raw.Letters:
    preprocess = tokenizer == "simple_preprocess"
    runs = unicode14.LOWER if preprocess else unicode14.FOLDED
    rows = unicode14.LOWER_SEVERAL if preprocess else unicode14.FOLDED_SEVERAL
    cases = np.zeros(CHARACTERS, np.int32)
    for first, count, step, difference in _numbers(runs):
        places = np.arange(first, first + count * step, step, dtype=np.int32)
        cases[places] = places + difference
    several = np.zeros((0, MOST_OF_ONE), np.uint32)
    for row, (character, *become) in enumerate(_numbers(rows)):
        cases[character] = SEVERAL + row
        several = np.concatenate([several, [[*become, 0, 0][:MOST_OF_ONE]]]).astype(np.uint32)
    return _raw.Letters(_kinds(), cases, several, preprocess)


@cache
def _kinds() -> NDArray[np.uint8]:
    kinds = np.zeros(CHARACTERS, np.uint8)  # pages that no text asks for take no memory
    end = 0
    for gap, length, kind in _numbers(unicode14.KINDS):
        kinds[end + gap : end + gap + length] = kind
        end += gap + length
    return kinds


def _numbers(runs: str) -> Iterator[list[int]]:
    return ([int(number, 16) for number in run.split(",")] for run in runs.split())
