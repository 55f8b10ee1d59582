"""The functions of ``gensim.utils`` that programs use, for machines without gensim; see `w2v.compat.gensim`."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

import numpy as np

from w2v.files.reading import Pathlike
from w2v.files.writing import packed_write
from w2v.vocabulary.choose import RULE_DEFAULT, RULE_DISCARD, RULE_KEEP

__all__ = [
    "RULE_DEFAULT",
    "RULE_DISCARD",
    "RULE_KEEP",
    "any2unicode",
    "any2utf8",
    "deaccent",
    "save_as_line_sentence",
    "simple_preprocess",
    "to_unicode",
    "to_utf8",
    "tokenize",
]

REAL = np.float32

# Runs of letters and underscores: words without digits.
_WORD = re.compile(r"(?:(?!\d)\w)+")


def to_unicode(text: str | bytes, encoding: str = "utf8", errors: str = "strict") -> str:
    """`text` as a str."""
    return text if isinstance(text, str) else text.decode(encoding, errors)


def to_utf8(text: str | bytes, errors: str = "strict", encoding: str = "utf8") -> bytes:
    """`text` as UTF-8 bytes."""
    return to_unicode(text, encoding, errors).encode("utf8")


any2unicode, any2utf8 = to_unicode, to_utf8


def deaccent(text: str | bytes) -> str:
    """`text` without the marks on its letters."""
    parts = unicodedata.normalize("NFD", to_unicode(text))
    return unicodedata.normalize("NFC", "".join(part for part in parts if unicodedata.category(part) != "Mn"))


def tokenize(
    text: str | bytes,
    lowercase: bool = False,
    deacc: bool = False,
    encoding: str = "utf8",
    errors: str = "strict",
    to_lower: bool = False,
    lower: bool = False,
) -> Iterator[str]:
    """The words of `text`: runs of letters and underscores."""
    text = to_unicode(text, encoding, errors)
    if lowercase or to_lower or lower:
        text = text.lower()
    if deacc:
        text = deaccent(text)
    return (found.group() for found in _WORD.finditer(text))


def simple_preprocess(doc: str | bytes, deacc: bool = False, min_len: int = 2, max_len: int = 15) -> list[str]:
    """The lower-case words of `doc` that have `min_len` to `max_len` letters and do not begin with an underscore."""
    words = tokenize(doc, lower=True, deacc=deacc, errors="ignore")
    return [word for word in words if min_len <= len(word) <= max_len and not word.startswith("_")]


def save_as_line_sentence(corpus: Iterable[Iterable[str]], filename: Pathlike) -> None:
    """Write one sentence per line, tokens separated by spaces; compressed if the name says so."""
    with packed_write(filename) as file:
        file.writelines((" ".join(sentence) + "\n").encode() for sentence in corpus)
