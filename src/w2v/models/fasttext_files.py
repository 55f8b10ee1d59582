"""Models and vectors from fastText's ``.bin`` files and to them, under gensim's names."""

import logging
import os

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.files import fasttext_bin
from w2v.files.errors import UnsupportedError
from w2v.files.reading import Pathlike
from w2v.models.fasttext import FastText
from w2v.models.word2vec import Word2Vec
from w2v.training import provenance
from w2v.training.trainable import Contents
from w2v.vectors.keyed import KeyedVectors
from w2v.vectors.subwords import FastTextKeyedVectors, MappedSubwords

logger = logging.getLogger(__name__)

WITHOUT_NGRAMS = (fasttext_bin.END_OF_SENTENCE,)


def load_facebook_vectors(
    path: Pathlike, encoding: str = "utf-8", *, mmap: str | bool | None = None
) -> FastTextKeyedVectors:
    """Read the vectors of a ``.bin`` file of fastText: of its words, and of any other string.

    Quantised files are read, too, and supervised models for the vectors of their words; labels and the classifier are
    left out.

    Parameters
    ----------
    path : path-like
    encoding : str, default "utf-8"
        Of words. n-grams are those of UTF-8, so that fastText's n-grams of a word are found if this is its encoding, or
        the word is ASCII.
    mmap : {None, "r", True}
        Map the file instead of reading it: only its words are read. ``wv[word]`` then reads the rows of that word
        alone; a query over all words, such as `most_similar`, reads all. Numbers are not checked. Quantised files are
        read as without it.

    Raises
    ------
    FormatError
        The file is damaged or of another format; it says at which byte.
    """
    checks.one_of("mmap", mmap, (None, False, True, "r"))
    found = fasttext_bin.read(path, encoding, outputs=False, mmap=bool(mmap))
    kind = MappedSubwords if isinstance(found.inputs, np.memmap) else FastTextKeyedVectors
    settings = found.settings
    min_n, max_n = settings["minn"], settings["maxn"]
    if settings["model"] == fasttext_bin.SUPERVISED:
        more = " Its word n-grams share rows with others and are left out." if settings["wordNgrams"] > 1 else ""
        logger.warning(
            "%s is a classifier: the vectors of its words are read; labels and predictions are not supported.%s",
            *(os.fspath(path), more),
        )
    return kind.of_rows(
        found.words, found.inputs, {"count": found.counts}, min_n, max_n, WITHOUT_NGRAMS, settings["bucket"], found.kept
    )


def load_facebook_model(path: Pathlike, encoding: str = "utf-8") -> FastText:
    """Read a ``.bin`` file of fastText as a model that can be trained on.

    With hierarchical softmax the output rows start anew, since its tree is built in another order than fastText's.

    Parameters
    ----------
    path : path-like
    encoding : str, default "utf-8"
        Of words. n-grams are those of UTF-8, so that fastText's n-grams of a word are found if this is its encoding, or
        the word is ASCII.

    Raises
    ------
    FormatError
        The file is damaged or of another format; it says at which byte.
    ValueError
        It is a supervised, quantised or pruned model; `load_facebook_vectors` reads its vectors.
    """
    found = fasttext_bin.read(path, encoding)
    theirs, words = found.settings, len(found.words)
    hs = theirs["loss"] == fasttext_bin.HIERARCHICAL
    if (
        theirs["model"] == fasttext_bin.SUPERVISED
        or found.kept is not None
        or not (hs or theirs["loss"] == fasttext_bin.NEGATIVE)
    ):
        raise UnsupportedError(
            f"{os.fspath(path)} is a classifier or pruned, which is not trained here; load_facebook_vectors reads its "
            "vectors, of words and of any other string"
        )
    has_ngrams = max(theirs["minn"], 1) <= theirs["maxn"] and len(found.inputs) > words
    settings = {
        "vector_size": theirs["dim"],
        "window": max(1, theirs["ws"]),
        "epochs": max(1, theirs["epoch"]),
        "min_count": max(0, theirs["minCount"]),
        "negative": 0 if hs else theirs["neg"],
        "hs": int(hs),
        "sample": found.sample,
        "sg": int(theirs["model"] == fasttext_bin.SKIP_GRAM),
        "bucket": len(found.inputs) - words,
        "min_n": theirs["minn"] if has_ngrams else 0,
        "max_n": theirs["maxn"] if has_ngrams else 0,
    }
    arrays: dict[str, NDArray[np.float32] | NDArray[np.int64]] = {
        "vectors": found.inputs[:words], "rows": found.inputs, "vocab.counts": found.counts
    }  # fmt: skip
    if hs:
        logger.warning("%s: the output rows of hierarchical softmax start anew", os.fspath(path))
        arrays["outputs.hierarchical"] = np.zeros((words - 1, theirs["dim"]), np.float32)
    elif found.outputs is not None:
        arrays["outputs.negative"] = found.outputs
    past = provenance.Provenance(FastText().alpha)
    state = {name: getattr(past, name) for name in provenance.SAVED}
    state |= {"corpus_count": 0, "corpus_total_words": found.tokens, "effective_min_count": settings["min_count"]}
    state |= {"without_ngrams": WITHOUT_NGRAMS}
    return FastText.of_contents(
        os.fspath(path), Contents("fasttext", found.words, arrays, {"settings": settings, "state": state})
    )


def save_facebook_model(
    model: Word2Vec | KeyedVectors,
    path: Pathlike,
    encoding: str = "utf-8",
    lr_update_rate: int = 100,
    word_ngrams: int = 1,
) -> None:
    """Write a model, or vectors alone, to a ``.bin`` file that fastText and gensim read; atomically.

    A model without n-grams becomes one of fastText's without (``minn = maxn = bucket = 0``). Vectors alone have output
    rows of zeros, and so have models of hierarchical softmax, whose trees differ.

    Parameters
    ----------
    model : FastText, Word2Vec or KeyedVectors
    path : path-like
    encoding : str, default "utf-8"
        Of words.
    lr_update_rate, word_ngrams : int, default 100 and 1
        Written for fastText, which does not use them for word vectors.

    Raises
    ------
    ValueError
        A word that the format cannot hold: the empty one, or one with a NUL character.
    """
    wv = model if isinstance(model, KeyedVectors) else model.wv
    trained = None if isinstance(model, KeyedVectors) else model
    rows, min_n, max_n, bucket = wv.peek(), 0, 0, 0
    if isinstance(wv, FastTextKeyedVectors):
        if wv.kept is not None:
            raise ValueError("a pruned model of fastText's cannot be written")
        rows, min_n, max_n, bucket = wv.all_rows, wv.min_n, wv.max_n, wv.bucket
    counts = np.asarray(wv.expandos.get("count", np.arange(len(wv), 0, -1)), np.int64)
    negative = trained.syn1neg if trained is not None else None
    settings = {
        "dim": wv.vector_size,
        "ws": trained.window if trained else 5,
        "epoch": trained.epochs if trained else 1,
        "minCount": trained.min_count if trained else 1,
        "neg": trained.negative if trained else 5,
        "wordNgrams": word_ngrams,
        "loss": fasttext_bin.HIERARCHICAL if trained and trained.hs else fasttext_bin.NEGATIVE,
        "model": fasttext_bin.CBOW if trained and not trained.sg else fasttext_bin.SKIP_GRAM,
        "bucket": bucket,
        "minn": min_n if bucket else 0,
        "maxn": max_n if bucket else 0,
        "lrUpdateRate": lr_update_rate,
    }
    sample, tokens = (
        (trained.sample if trained else 1e-4),
        (trained and trained.corpus_total_words) or int(counts.sum()),
    )
    fasttext_bin.write(path, wv.index_to_key, counts, rows, negative, settings, sample, tokens, encoding)
