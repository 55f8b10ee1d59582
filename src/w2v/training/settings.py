"""Every parameter of a model, once: its default, its check, whether a bit depends on it, whether a file keeps it."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, Self

from w2v.common import checks

# Beyond these nothing is gained, and a worker's scratch space would outgrow its indices.
MOST_WINDOW = 100_000_000
MOST_NEGATIVE = 100_000
MOST_DIMENSIONS = 1_000_000
MOST_ALPHA = 1000.0
LEAST_SAMPLE = 1e-12

DEVICES = ("cpu", "cuda", "auto")
TOKENIZERS = (None, "whitespace", "simple", "simple_preprocess")
CACHES = ("auto", "memory", "disk", "none")

# Settings that are younger than fingerprints.
YOUNGER = ("tied", "tokenizer")

Check = Callable[[str, Any], Any]


def _setting(default: Any, check: Check, *, effect: bool = True, saved: bool = True) -> Any:
    return field(default=default, metadata={"check": check, "effect": effect, "saved": saved})


def _integer(default: Any, least: int, most: int = checks.LARGEST_INT, hint: str = "", **facts: bool) -> Any:
    return _setting(default, partial(checks.integer, least=least, most=most, hint=hint), **facts)


def _limit(**facts: bool) -> Any:
    """A number that may be None, which means that there is no limit."""
    return _setting(None, _checked_limit, **facts)


def _number(default: float, least: float = -float("inf"), most: float = float("inf"), **facts: bool) -> Any:
    return _setting(default, partial(checks.number, least=least, most=most), **facts)


def _digit(default: int) -> Any:
    """gensim's way to write a switch: 0 or 1."""
    return _setting(default, lambda name, value: int(checks.one_of(name, value, (0, 1))))


def _switch(default: bool, **facts: bool) -> Any:
    return _setting(default, lambda name, value: bool(value), **facts)


def _choice(default: Any, choices: tuple[Any, ...], **facts: bool) -> Any:
    return _setting(default, partial(checks.one_of, choices=choices), **facts)


def _checked_limit(name: str, value: Any) -> int | None:
    return None if value is None else checks.integer(name, value, 1, hint="; None means no limit")


def checked_sample(name: str, value: Any) -> float:
    """A threshold of subsampling that keeps some words."""
    rate = checks.number(name, value, 0, 1e18, "; 0 switches subsampling off")
    if 0 < rate < LEAST_SAMPLE:
        raise ValueError(f"{name}={value!r} would drop every word; use 0 to keep all, or {LEAST_SAMPLE:g} and more")
    return rate


def _checked_comment(name: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name}={value!r} must be a str")
    return value


@dataclass(frozen=True)
class Settings:
    """A checked copy of a model's parameters; what they mean is said by `w2v.Word2Vec`.

    A family of models with more parameters adds fields in a subclass.
    """

    vector_size: int = _integer(100, 1, MOST_DIMENSIONS)
    alpha: float = _number(0.025, 0, MOST_ALPHA, effect=False)  # each run keeps its own
    min_alpha: float = _number(0.0001, 0, MOST_ALPHA, effect=False)
    window: int = _integer(5, 1, MOST_WINDOW)
    min_count: int = _integer(5, 0)
    max_vocab_size: int | None = _limit()
    max_final_vocab: int | None = _limit()
    sample: float = _setting(1e-3, checked_sample)
    seed: int = _integer(1, 0, 2**64 - 1)
    workers: int = _setting(3, lambda name, value: checks.worker_number(value), effect=False)
    sg: int = _digit(0)
    hs: int = _digit(0)
    negative: int = _integer(5, 0, MOST_NEGATIVE, "; 0 switches negative sampling off")
    ns_exponent: float = _number(0.75)
    cbow_mean: int = _digit(1)
    epochs: int = _integer(5, 1, effect=False)  # each run keeps its own
    sorted_vocab: int = _digit(1)
    null_word: int = _digit(0)
    comment: str | None = _setting(None, _checked_comment, effect=False)
    compute_loss: bool = _switch(False, effect=False)
    shrink_windows: bool = _switch(True)
    shared_negatives: bool = _switch(True)
    cbow_corrected: bool = _switch(False)
    tied: bool = _switch(False)
    deterministic: bool = _switch(False)
    tokenizer: str | None = _choice(None, TOKENIZERS)
    cache: str = _choice("auto", CACHES, effect=False)
    device: str = _choice("cpu", DEVICES, effect=False)  # each run says which it was
    progress: bool | None = _choice(None, (None, True, False), effect=False, saved=False)

    @classmethod
    def of(cls, holder: object) -> Self:
        """Check what an object has as attributes of these names.

        Raises
        ------
        ValueError, TypeError
            For the first that is out of range or of the wrong kind, with its value and the way out.
        """
        made = cls(**{f.name: f.metadata["check"](f.name, getattr(holder, f.name)) for f in fields(cls)})
        if made.deterministic and made.cache == "none":
            raise ValueError("deterministic=True needs the encoded corpus; use cache='disk' instead of cache='none'")
        if made.tied and not made.negative:
            raise ValueError("tied=True lets input vectors be output vectors too, which negative=0 has none of")
        if made.deterministic and made.device == "cuda":
            raise ValueError(
                "deterministic=True is for the CPU: on a GPU sums are made in any order, and results differ a little "
                "from run to run; use device='cpu' (or 'auto'), or deterministic=False"
            )
        return made

    @classmethod
    def named(cls, *, saved: bool = False, effect: bool = False) -> list[str]:
        """The names of all settings, or of those that a file keeps, or on which a bit of the result depends."""
        wanted = {name for name, asked in (("saved", saved), ("effect", effect)) if asked}
        return [f.name for f in fields(cls) if all(f.metadata[name] for name in wanted)]

    def identity(self) -> dict[str, Any]:
        """What a fingerprint is made of. The younger settings are part of it where they are not the default."""
        chosen = self.chosen(self.named(saved=True, effect=True))
        return {name: value for name, value in chosen.items() if name not in YOUNGER or value}

    def chosen(self, names: list[str]) -> dict[str, Any]:
        """Some of the settings, as a dictionary."""
        return {name: getattr(self, name) for name in names}

    def assign_to(self, holder: object) -> None:
        """Give an object these settings as attributes."""
        for f in fields(self):
            setattr(holder, f.name, getattr(self, f.name))


@dataclass(frozen=True)
class DocumentSettings(Settings):
    """The parameters of a model of documents; what they mean is said by `w2v.Doc2Vec`."""

    epochs: int = _integer(10, 1, effect=False)
    window: int = _integer(5, 0, MOST_WINDOW)
    dbow_words: int = _digit(0)
    dm_concat: int = _digit(0)
    dm_tag_count: int = _integer(1, 1, MOST_WINDOW)

    @classmethod
    def of(cls, holder: object) -> Self:
        """Check what an object has as attributes of these names; see `Settings.of`."""
        made = super().of(holder)
        if made.window == 0 and not (made.sg and not made.dbow_words):
            raise ValueError("window=0 must be at least 1: only dm=0 without dbow_words looks at no neighbours")
        return made


# So that a row, of a word or of an n-gram, has a number of 32 bits.
MOST_BUCKETS = 2**31 - 2**28
LONGEST_NGRAM = 1000


@dataclass(frozen=True)
class SubwordSettings(Settings):
    """Those of a model with subwords; what they mean is said by `w2v.FastText`."""

    min_n: int = _integer(3, 0, LONGEST_NGRAM)
    max_n: int = _integer(6, 0, LONGEST_NGRAM)
    bucket: int = _integer(2_000_000, 0, MOST_BUCKETS)
    word_ngrams: int = _digit(1)
    shared_negatives: bool = _switch(False)

    @classmethod
    def of(cls, holder: object) -> Self:
        """Check what an object has as attributes of these names; see `Settings.of`."""
        made = super().of(holder)
        if made.tied:
            raise ValueError("tied=True needs one input row for each word, but FastText has more; use Word2Vec for it")
        return made


@dataclass(frozen=True)
class CountSettings(Settings):
    """Those of a model of counts; what they mean is said by `w2v.PPMI`. The others of training have no effect."""

    negative: int = _integer(1, 1, MOST_NEGATIVE, "; 1 takes nothing off")
    eig: float = _number(0.5, 0, 1)
    add_contexts: bool = _switch(False)


@dataclass(frozen=True)
class LSASettings(Settings):
    """Those of latent semantic analysis; what they mean is said by `w2v.LSA`."""

    negative: int = _integer(0, 0, 0, "; there is one matrix")
    weighting: str = _choice("tfidf", ("tfidf", "log-entropy"))
    eig: float = _number(1.0, 0, 1)
