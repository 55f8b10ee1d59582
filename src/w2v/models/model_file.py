"""Files of whole models, ours and gensim's: what they hold, in one form."""

import logging
import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.files import gensim_documents, gensim_fasttext, gensim_pickle, native
from w2v.files.reading import Pathlike
from w2v.models import documents
from w2v.training import provenance, schedule
from w2v.training.settings import Settings
from w2v.training.trainable import Contents
from w2v.vocabulary import huffman

logger = logging.getLogger(__name__)

# What a file keeps of a model besides its settings, its provenance and its arrays.
STATE = ["corpus_count", "corpus_total_words", "effective_min_count"]


def read(fname: Pathlike, mmap: bool | str | None, allow_pickle: bool | None) -> Contents:
    """Read a file of a whole model.

    Raises
    ------
    FormatError
        It is none, or is damaged.
    AttributeError
        It holds vectors alone.
    """
    if gensim_pickle.may_read(fname, allow_pickle):
        return _of_gensim(fname, mmap)
    found = Contents(*native.read_native(os.fspath(fname), mmap=bool(mmap)))
    if found.kind == "vectors":
        raise _vectors_alone(fname)
    scheme = schedule.scheme_of(found.meta.get("settings"))
    if found.meta.get("scheme") != scheme:
        logger.warning("the model was trained under scheme %s, this is %s", found.meta.get("scheme"), scheme)
    _mark_as_cut(found.meta)
    return found


def _mark_as_cut(meta: Mapping[str, Any]) -> None:
    """A checkpoint from within an epoch is no result that the same call would give again."""
    cursor, state = meta.get("checkpoint"), meta.get("state")
    runs = state.get("runs") if isinstance(state, dict) else None
    if isinstance(cursor, dict) and cursor.get("reached") and isinstance(runs, list):
        for run in runs[-1:]:
            if isinstance(run, dict):
                run["repeatable"] = False


def _of_gensim(fname: Pathlike, mmap: bool | str | None) -> Contents:
    """gensim's model as one of ours: what its file does not say, a new model has."""
    found = gensim_pickle.read_gensim(fname, mmap)
    if found.kind == "vectors":
        raise _vectors_alone(fname)
    arrays: dict[str, NDArray[Any] | None] = {
        "vectors": found.vectors,
        "outputs.negative": found.syn1neg,
        "outputs.hierarchical": inner_nodes(found, os.fspath(fname)),
        "vectors.locks": found.lockf,
        **{"vocab.counts" if name == "count" else f"attr.{name}": values for name, values in found.attributes.items()},
    }
    if found.kind == "doc2vec":
        of_tags = gensim_documents.documents_of(found)
        arrays |= {"documents": of_tags.vectors if len(of_tags.keys) else None, "documents.locks": of_tags.locks}
        arrays |= documents.as_arrays(of_tags.keys)
        arrays |= {f"documents.attr.{name}": values for name, values in of_tags.attributes.items()}
    # What a model was trained with, its matrices tell; an old file may not.
    settings = found.settings | {"vector_size": found.vectors.shape[1], "hs": int(found.syn1 is not None)}
    if found.syn1neg is None:
        settings["negative"] = 0
    if found.kind == "fasttext":
        ngrams = gensim_fasttext.subwords_of(found)
        settings |= {"min_n": ngrams.min_n, "max_n": ngrams.max_n, "bucket": ngrams.bucket}
        arrays["vectors.locks"] = ngrams.locks
        if ngrams.bucket:
            arrays["rows"] = np.concatenate([found.vectors, ngrams.of_all_hashes()])
    past = provenance.Provenance(settings.get("alpha", Settings.alpha))
    state = {name: getattr(past, name) for name in provenance.SAVED}
    state |= {"corpus_count": 0, "corpus_total_words": None}
    state |= {"effective_min_count": settings.get("min_count", Settings.min_count), **found.state}
    meta = {"settings": settings, "state": state}
    return Contents(found.kind, found.words, {n: array for n, array in arrays.items() if array is not None}, meta)


def inner_nodes(found: gensim_pickle.GensimFile, name: str) -> NDArray[np.float32] | None:
    """The rows of the inner nodes, float32 [words - 1, vector_size], from gensim's tree into ours.

    Equally rare nodes may be joined in any order, and gensim's order (a heap's) is not ours, so that both trees are
    optimal, and different. `huffman.carried_over` says which rows can be kept, and the log how many. To copy rows by
    number would give them to the wrong words; to keep gensim's tree would need a place for it in every file of ours.
    """
    if found.syn1 is None:
        return None
    wanted = len(found.words) - 1
    ours, kept = np.zeros((wanted, found.syn1.shape[1]), np.float32), 0
    if found.paths is not None:
        tree = huffman.paths(found.attributes["count"])
        ours, kept = huffman.carried_over(found.syn1, huffman.Paths(*found.paths), tree)
    if kept < wanted:
        logger.warning(
            "%s: of the %s inner nodes of its Huffman tree, %s are in ours as well and keep what they learnt; the "
            "others start anew (gensim joins words of equal counts in another order). The word vectors are complete",
            *(name, f"{wanted:,}", f"{kept:,}"),
        )
    return ours


def _vectors_alone(fname: Pathlike) -> AttributeError:
    return AttributeError(f"{os.fspath(fname)} holds vectors alone, which cannot be trained; use KeyedVectors.load")


def facts_of(model: Any) -> dict[str, str]:
    """What a model card says of how a model came about."""
    settings, fingerprint = model.settings(), model.fingerprint()  # which hashes the corpus, if nothing has yet
    chosen = (
        f"{field.name}={getattr(settings, field.name)!r}"
        for field in fields(settings)
        if field.metadata["saved"] and getattr(settings, field.name) != field.default
    )
    total = model.corpus_total_words
    corpus = f"{total:,} words" if total else "of unknown size"
    hashes = sorted({run["corpus"] for run in model.runs if run["corpus"]})
    corpus += f", {model.corpus_count:,} sentences" if model.corpus_count else ""
    corpus += f", SHA-256 of its tokens {', '.join(hashes)}" if hashes else ""
    return {
        "model": type(model).__name__,
        "corpus": corpus,
        "settings": ", ".join(chosen) or "the defaults",
        "trained epochs": str(model.trained_epochs),
        "fingerprint": fingerprint,
    }
