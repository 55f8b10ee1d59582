"""Names of gensim 3 and older, so that old programs run. Each name works, and warns once per calling line.

Two mixins, for `KeyedVectors` and for `Word2Vec`; nothing else in the package uses these names.
"""

import logging
import operator
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)


def warn(old: str, new: str) -> None:
    """Warn once per calling line, the nearest outside of w2v, that `old` is now `new`.

    Python shows such a warning only if that line is the program's own.
    """
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "w2v":
        level, frame = level + 1, frame.f_back
    warnings.warn(f"{old} is the name of gensim 3; use {new}", DeprecationWarning, stacklevel=level)


def new_names_of(old_names: Mapping[str, str], given: dict[str, Any], function: str) -> dict[str, Any]:
    """Return arguments under their new names; an unknown name raises the TypeError that Python would raise."""
    found = {}
    for name, value in given.items():
        if name not in old_names:
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")
        warn(f"{name}=", f"{old_names[name]}=")
        found[old_names[name]] = value
    return found


def _attribute(old: str, new: str) -> property:
    """A property that reads and assigns `new`, a path such as ``wv.vectors``."""

    def read(self: Any) -> Any:
        warn(old, new)
        return operator.attrgetter(new)(self)

    def assign(self: Any, value: Any) -> None:
        warn(old, new)
        *path, last = new.split(".")
        setattr(operator.attrgetter(".".join(path))(self) if path else self, last, value)

    return property(read, assign, doc=f"Old name of `{new}`.")


def _method(old: str, new: str) -> Callable[..., Any]:
    """A method that calls `new`, a path such as ``wv.most_similar``."""

    def call(self: Any, *args: Any, **options: Any) -> Any:
        warn(f"{old}()", f"{new}()")
        return operator.attrgetter(new)(self)(*args, **options)

    call.__name__ = old
    call.__doc__ = f"Old name of `{new}`."
    return call


@dataclass(frozen=True)
class Vocab:
    """gensim 3's record of a word: its count, its row, and its 32-bit threshold of subsampling."""

    count: int
    index: int
    sample_int: int | None = None


@dataclass(frozen=True)
class Doctag:
    """gensim 3's record of a tag: its documents, its row, and the words of its documents."""

    doc_count: int
    index: int
    word_count: int

    @property
    def count(self) -> int:
        """Another name of `doc_count`."""
        return self.doc_count


class VocabView(Mapping[str, Vocab]):
    """``wv.vocab`` of gensim 3: words and their `Vocab`, made when looked at."""

    def __init__(self, vectors: Any) -> None:
        self._vectors = vectors

    def __getitem__(self, word: str) -> Vocab:
        row, known = self._vectors.key_to_index[word], self._vectors.expandos
        count = int(known["count"][row]) if "count" in known else len(self) - row
        threshold = int(known["sample_int"][row]) if "sample_int" in known else None
        return Vocab(count, row, threshold)

    def __iter__(self) -> Iterator[str]:
        return iter(self._vectors.key_to_index)

    def __len__(self) -> int:
        return len(self._vectors.key_to_index)


class Lifecycle:
    """gensim's diary of a model. Only the user writes into it, since equal runs must give equal files."""

    @property
    def lifecycle_events(self) -> list[dict[str, Any]] | None:
        """The events of `add_lifecycle_event`, not saved; assigning None ends the diary."""
        events: list[dict[str, Any]] | None = self.__dict__.setdefault("_lifecycle_events", [])
        return events

    @lifecycle_events.setter
    def lifecycle_events(self, events: list[dict[str, Any]] | None) -> None:
        self.__dict__["_lifecycle_events"] = events

    def add_lifecycle_event(self, event_name: str, log_level: int | None = logging.INFO, **event: Any) -> None:
        """Note an event in `lifecycle_events`, and log it unless `log_level` is None."""
        if self.lifecycle_events is not None:
            self.lifecycle_events.append({**event, "event": event_name})
        if log_level is not None:
            logger.log(log_level, "%s lifecycle event %s", type(self).__name__, {"event": event_name, **event})


class OldVectorNames(Lifecycle):
    """Old names of `KeyedVectors`."""

    index2word = _attribute("index2word", "index_to_key")
    index2entity = _attribute("index2entity", "index_to_key")
    syn0 = _attribute("syn0", "vectors")

    words_closer_than = _method("words_closer_than", "closer_than")

    @property
    def vocab(self) -> VocabView:
        """Old form of `key_to_index` and ``get_vecattr(word, "count")``."""
        warn("vocab", 'key_to_index, and get_vecattr(word, "count")')
        return VocabView(self)

    @property
    def vectors_norm(self) -> Any:
        """Old form of ``get_normed_vectors()``; a copy."""
        warn("vectors_norm", "get_normed_vectors()")
        return self.get_normed_vectors()  # type: ignore[attr-defined]

    @property
    def syn0norm(self) -> Any:
        """Old form of ``get_normed_vectors()``; a copy."""
        warn("syn0norm", "get_normed_vectors()")
        return self.get_normed_vectors()  # type: ignore[attr-defined]

    @property
    def wv(self) -> Any:
        """The object itself."""
        warn("wv of vectors", "the vectors themselves")
        return self

    def word_vec(self, word: Any, use_norm: bool = False, *, norm: bool = False) -> Any:
        """Old form of `get_vector`."""
        warn("word_vec()", "get_vector(), with norm=True for use_norm=True")
        return self.get_vector(word, norm=use_norm or norm)  # type: ignore[attr-defined]

    def add(self, entities: Any, weights: Any, replace: bool = False) -> None:
        """Old form of `add_vectors`."""
        warn("add()", "add_vectors()")
        self.add_vectors(entities, weights, replace=replace)  # type: ignore[attr-defined]

    def init_sims(self, replace: bool = False) -> None:
        """Old form of `fill_norms`, or with ``replace=True`` of `unit_normalize_all`."""
        warn("init_sims()", "fill_norms(), or unit_normalize_all() for replace=True")
        if replace:
            self.unit_normalize_all()  # type: ignore[attr-defined]
        else:
            self.fill_norms()  # type: ignore[attr-defined]

    def accuracy(self, questions: Any, restrict_vocab: int = 30_000, case_insensitive: bool = True) -> Any:
        """Old form of `evaluate_word_analogies`; only its sections."""
        warn("accuracy()", "evaluate_word_analogies()")
        return self.evaluate_word_analogies(questions, restrict_vocab, case_insensitive)[1]  # type: ignore[attr-defined]


class OldModelNames(Lifecycle):
    """Old names of `Word2Vec`, including those from when a model was its own vectors."""

    iter = _attribute("iter", "epochs")
    size = _attribute("size", "vector_size")
    vocab = _attribute("vocab", "wv.vocab")
    index2word = _attribute("index2word", "wv.index_to_key")
    syn0 = _attribute("syn0", "wv.vectors")
    syn0norm = _attribute("syn0norm", "wv.vectors_norm")
    syn0_lockf = _attribute("syn0_lockf", "wv.vectors_lockf")

    most_similar_cosmul = _method("most_similar_cosmul", "wv.most_similar_cosmul")
    similar_by_word = _method("similar_by_word", "wv.similar_by_word")
    doesnt_match = _method("doesnt_match", "wv.doesnt_match")
    n_similarity = _method("n_similarity", "wv.n_similarity")
    wmdistance = _method("wmdistance", "wv.wmdistance")
    accuracy = _method("accuracy", "wv.accuracy")
    evaluate_word_pairs = _method("evaluate_word_pairs", "wv.evaluate_word_pairs")
    save_word2vec_format = _method("save_word2vec_format", "wv.save_word2vec_format")
    intersect_word2vec_format = _method("intersect_word2vec_format", "wv.intersect_word2vec_format")

    __iter__ = None  # else Python would iterate by model[0], model[1], ...

    def delete_temporary_training_data(self, *args: Any, **options: Any) -> None:
        """Old form of nothing: training leaves no data that queries do not need."""
        warn("delete_temporary_training_data()", "nothing in its place: there is nothing to delete")

    def clear_sims(self) -> None:
        """Old form of nothing: similarities follow every change of the vectors."""
        warn("clear_sims()", "nothing in its place: similarities follow every change")

    def init_sims(self, replace: bool = False) -> None:
        """Old form of ``wv.fill_norms``, or with ``replace=True`` of ``wv.unit_normalize_all``."""
        warn("init_sims()", "wv.fill_norms(), or wv.unit_normalize_all() for replace=True")
        vectors: Any = self.wv  # type: ignore[attr-defined]
        (vectors.unit_normalize_all if replace else vectors.fill_norms)()

    def __getitem__(self, words: Any) -> Any:
        """Old form of ``wv[words]``."""
        warn("model[word]", "model.wv[word]")
        return self.wv[words]  # type: ignore[attr-defined]

    def __contains__(self, word: object) -> bool:
        """Old form of ``word in wv``."""
        warn("word in model", "word in model.wv")
        return word in self.wv  # type: ignore[attr-defined]
