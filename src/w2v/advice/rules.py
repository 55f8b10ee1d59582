"""What is usual for a text of a size, without trying anything: the settings that a first model takes."""

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Any

from w2v.files.reading import Pathlike, open_binary

MANY_WORDS = 3_000_000  # from here on five passes are enough
EPOCHS = (5, 20)

# Shorter texts are trained by one thread, which takes a moment and gives the same bytes on every run.
LONG_TEXT = 1_000_000
# In shorter texts frequent words are few enough to keep.
SHORT_TEXT = 50_000
# Of fewer words all are kept.
FEW_WORDS = 2_000

# The share of words with a capital or a full stop from which on a text is raw.
RAW = 0.02

# Lines broken as on a page, in paragraphs with empty lines between: so many bytes are looked at, in which there are so
# many lines that another follows, and so many that are empty; a line has at most so many bytes.
SEEN, FEW_LINES, PAGE = 1 << 16, 20, 120
ENDS = b".!?:;\"'"


def usual_min_count(words: int) -> int:
    """5, and less of a short text, whose words would not be left."""
    return 5 if words >= LONG_TEXT else 3 if words >= SHORT_TEXT else 2 if words >= FEW_WORDS else 1


def usual_epochs(words: int) -> int:
    """Five passes over a long text, and more over a short one."""
    return EPOCHS[0] if words >= MANY_WORDS else EPOCHS[-1]


def usual_settings(words: int) -> dict[str, Any]:
    """The settings of a first model of a text with so many words, as parameters of `w2v.Word2Vec`."""
    return {
        "sg": 1,
        "vector_size": 100,
        "window": 5,
        "min_count": usual_min_count(words),
        "sample": 1e-3 if words >= SHORT_TEXT else 0.0,
        "epochs": usual_epochs(words),
        "workers": -1 if words >= LONG_TEXT else 1,
    }


def looks_wrapped(path: Pathlike) -> bool:
    """Whether the lines of a text are broken where a page ends, and not where a sentence or a paragraph does."""
    with open_binary(path) as file:
        lines = file.read(SEEN).replace(b"\r\n", b"\n").split(b"\n")[:-1]
    within = [line for line, following in pairwise(lines) if line.strip() and following.strip()]
    breaks = sum(not line.strip() for line in lines)
    if min(len(within), breaks) < FEW_LINES or max(map(len, lines)) > PAGE:
        return False
    return sum(line.rstrip()[-1:] not in ENDS for line in within) > len(within) / 2


def looks_raw(sentences: Sequence[Sequence[str]]) -> bool:
    """Whether text is as people write it: with capitals, and with punctuation at its words."""
    words = list(chain.from_iterable(sentences))
    raw = sum(word[-1] in ".,;:!?\"')”’" or word[0].isupper() for word in words if len(word) > 1)
    return raw > RAW * len(words)
