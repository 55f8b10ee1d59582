"""Files of whole models, ours and gensim's: what they hold, and a model of it."""

import logging
import os
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from w2v import checks, formats, gensim_files, trainer
from w2v.corpus import Pathlike
from w2v.training import ledger
from w2v.training.weights import Weights
from w2v.vectors import KeyedVectors

logger = logging.getLogger(__name__)

# What a file keeps of a model besides its settings, its ledger and its arrays.
STATE = ["corpus_count", "corpus_total_words", "effective_min_count"]

Model = TypeVar("Model", bound=Any)


class Found(NamedTuple):
    """What a file of a model holds: `state` are attributes of the model and of its ledger."""

    path: str
    vectors: KeyedVectors
    weights: Weights
    settings: Mapping[str, Any]
    state: Mapping[str, Any]


def read(fname: Pathlike, mmap: bool | str | None, allow_pickle: bool | None) -> Found:
    """Read a file of a whole model.

    Raises
    ------
    FormatError
        It is none, or is damaged.
    AttributeError
        It holds vectors alone.
    """
    if gensim_files.may_read(fname, allow_pickle):
        return _of_gensim(fname, mmap)
    kind, words, arrays, meta = formats.read_native(os.fspath(fname), mmap=bool(mmap))
    if kind == "vectors":
        raise _vectors_alone(fname)
    if meta.get("scheme") != trainer.SCHEME:
        logger.warning("the model was trained under scheme %s, this is %s", meta.get("scheme"), trainer.SCHEME)
    cursor = meta.get("checkpoint")
    if isinstance(cursor, dict) and cursor.get("reached"):
        _mark_as_cut(meta)
    return of_native(os.fspath(fname), words, arrays, meta)


def _mark_as_cut(meta: Mapping[str, Any]) -> None:
    """A checkpoint from within an epoch is no result that the same call would give again."""
    state = meta.get("state")
    runs = state.get("runs") if isinstance(state, dict) else None
    if isinstance(runs, list) and runs and isinstance(runs[-1], dict):
        runs[-1]["repeatable"] = False


def of_native(path: str, words: list[str], arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> Found:
    """What `formats.read_native` found; FormatError if it is not that of a model."""
    attributes = {name.removeprefix("attr."): values for name, values in arrays.items() if name.startswith("attr.")}
    attributes["count"] = arrays["vocab.counts"]
    vectors = KeyedVectors.from_arrays(words, arrays["vectors"], attributes)
    nodes = arrays.get("outputs.hierarchical")
    weights = Weights(
        arrays["vectors"],
        arrays.get("outputs.negative"),
        None if nodes is None else trainer.grown(nodes, len(words)),
        locks=arrays.get("vectors.locks", np.ones(1, np.float32)),
    )
    try:
        state = {name: meta["state"][name] for name in [*STATE, *ledger.SAVED]}
        return Found(path, vectors, weights, meta["settings"], state)
    except (KeyError, TypeError) as error:
        raise formats.FormatError(f"{path}: the model's settings are not readable: {error}") from error


def _of_gensim(fname: Pathlike, mmap: bool | str | None) -> Found:
    found = gensim_files.read_gensim(fname, mmap)
    if found.kind != "word2vec":
        raise _vectors_alone(fname)
    vectors = KeyedVectors.from_arrays(found.words, found.vectors, found.attributes)
    # What a model was trained with, its matrices tell; an old file may not.
    settings = found.settings | {"vector_size": vectors.vector_size, "hs": int(found.syn1 is not None)}
    if found.syn1neg is None:
        settings["negative"] = 0
    nodes = None if found.syn1 is None else trainer.grown(found.syn1, len(vectors))
    locks = np.ones(1, np.float32) if found.lockf is None else found.lockf
    weights = Weights(found.vectors, found.syn1neg, nodes, locks=locks)
    return Found(os.fspath(fname), vectors, weights, settings, {"corpus_total_words": None, **found.state})


def _vectors_alone(fname: Pathlike) -> AttributeError:
    return AttributeError(f"{os.fspath(fname)} holds vectors alone, which cannot be trained; use KeyedVectors.load")


def restored(model_class: type[Model], found: Found) -> Model:
    """A model of what a file holds; FormatError if that does not fit together."""
    model: Model = model_class.__new__(model_class)  # type: ignore[call-overload]  # a subclass may want other arguments
    known = [*model_class.settings_class.named(saved=True), "batch_words"]
    try:
        # Other parameters are no settings: with corpus_file, a file could have any other file read and trained on.
        for name in found.settings:
            checks.one_of("setting", name, known)
        model.start_from(found.vectors, found.weights, found.settings, found.state)
    except RuntimeError as error:
        raise formats.FormatError(f"{found.path}: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise formats.FormatError(f"{found.path}: the model's settings are not readable: {error}") from error
    return model
