"""gensim 4's files of phrases: pickles, read as data by the machine of `gensim_pickle`."""

import os
from dataclasses import dataclass
from typing import Any

from w2v.files import gensim_pickle
from w2v.files.errors import FormatError
from w2v.files.reading import Pathlike

_CLASSES = ("Phrases", "FrozenPhrases", "Phraser")
_SCORERS = {"original_scorer": "default", "npmi_scorer": "npmi"}


@dataclass(frozen=True)
class GensimPhrases:
    """What such a file holds; either counts, of live phrases, or scores, of frozen ones."""

    vocab: dict[str, int] | None  # words and joined pairs
    phrasegrams: dict[str, float]
    connector_words: list[str]
    delimiter: str
    scoring: str
    min_count: float
    threshold: float
    corpus_word_count: int
    max_vocab_size: int


def read_gensim_phrases(path: Pathlike) -> GensimPhrases:
    """Read a file that gensim 4's ``Phrases.save`` or ``FrozenPhrases.save`` wrote, without gensim.

    Raises
    ------
    FormatError
        The file is damaged, of another class or an older gensim, or names a scoring function that is not gensim's.
    """
    name = os.fspath(path)
    top = gensim_pickle.Machine(gensim_pickle.contents_of(path), os.fspath(path)).run()
    kind, state = getattr(top, "name", type(top).__name__), getattr(top, "state", None)
    if kind not in _CLASSES or not isinstance(state, dict):
        raise FormatError(f"{name}: a pickle of {kind!r:.80}, not of gensim's Phrases or FrozenPhrases")
    delimiter = state.get("delimiter")
    if "connector_words" not in state or not isinstance(delimiter, str):
        raise FormatError(f"{name}: phrases of a gensim before 4; load them there, and save them again with gensim 4")
    scorer = getattr(state.get("scoring"), "name", None)
    if scorer not in _SCORERS:
        raise FormatError(f"{name}: a scoring function of one's own cannot be taken over; gensim's two can")
    vocab = state.get("vocab") if kind == "Phrases" else None
    try:
        return GensimPhrases(
            None if kind != "Phrases" else _checked(vocab, str, int),
            {} if kind == "Phrases" else _checked(state.get("phrasegrams"), str, float),
            _strings(_items(state["connector_words"])),
            delimiter,
            _SCORERS[scorer],
            _number(state.get("min_count")),
            _number(state.get("threshold")),
            int(_number(state.get("corpus_word_count", 0))),
            int(_number(state.get("max_vocab_size", 40_000_000))),
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(f"{name}: phrases, but {error}") from error


def _checked(found: Any, key: type, value: type) -> dict[Any, Any]:
    if not isinstance(found, dict) or not all(
        type(one) is key and type(number) is value for one, number in found.items()
    ):
        raise ValueError(f"their counts or scores are no dictionary of {key.__name__} to {value.__name__}")
    if value is int and not all(0 < number < 2**62 for number in found.values()):
        raise ValueError("a count is not positive, or too large")
    return found


def _items(found: Any) -> Any:
    """The items of a set, which is a call in older protocols."""
    return found.args[0] if getattr(found, "name", "") in ("set", "frozenset") and found.args else found


def _strings(found: Any) -> list[str]:
    if not isinstance(found, list | tuple) or not all(isinstance(word, str) for word in found):
        raise ValueError("their connector words are no strings")
    return list(found)


def _number(found: Any) -> float:
    if type(found) not in (int, float):
        raise ValueError(f"{found!r:.40} stands where a number is due")
    return float(found) if type(found) is float else int(found)
