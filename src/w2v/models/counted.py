"""What models of counts share: a vocabulary and tokens as `Word2Vec` has them, and vectors that are made at once."""

import copy
import logging
import zlib
from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks, memory
from w2v.common.cores import core_count
from w2v.common.progress import progress_bar
from w2v.counts import svd
from w2v.files.reading import Pathlike
from w2v.models.saved import Saved
from w2v.terms.phrases import FrozenPhrases
from w2v.terms.steps import steps_of
from w2v.terms.term_map import TermMap
from w2v.text.corpus import Corpus
from w2v.tokens.encode import Encoded
from w2v.tokens.words import Sentences
from w2v.training.session import WORDS
from w2v.training.trainable import Contents, Trainable
from w2v.training.weights import Weights
from w2v.vocabulary.choose import TrimRule

logger = logging.getLogger(__name__)

# Threads are made for as many workers as are asked for, to this number.
MOST_THREADS = 256


class Counted(Saved):
    """A model whose vectors are a truncated SVD of counts."""

    vector_size: int
    singular_values: NDArray[np.float32] | None

    def _start(self, given: Mapping[str, Any], trim_rule: TrimRule | None, terms: Any, phrases: Any) -> None:
        """Become a model of these settings, without words."""
        self.settings_class().assign_to(self)
        self.__dict__.update(given)
        self.layer1_size = self.vector_size
        self.singular_values = None
        Trainable.__init__(self)
        self._take_steps(steps_of(terms, phrases))
        self.settings()
        if trim_rule is not None and not callable(trim_rule):
            raise TypeError(f"trim_rule={trim_rule!r} must be a function of (word, count, min_count)")
        self._start_empty()

    def _make(self, sentences: Sentences | None, corpus_file: Pathlike | None, trim_rule: TrimRule | None) -> None:
        """Read a corpus, where one is given, and make the vectors."""
        if sentences is None and corpus_file is None:
            return
        self._at_once = True
        self.build_vocab(sentences, corpus_file, trim_rule=trim_rule)
        self._at_once = False
        self.fit(sentences, corpus_file)

    def __str__(self) -> str:
        return f"{type(self).__name__}<vocab={len(self.wv)}, vector_size={self.vector_size}>"

    __repr__ = __str__

    def fit(self, corpus_iterable: Sentences | None = None, corpus_file: Pathlike | None = None) -> Self:
        """Make the vectors anew from a corpus, with the vocabulary there is.

        Parameters
        ----------
        corpus_iterable, corpus_file : optional
            As in the constructor. Without them: the corpus that the model has still, encoded.

        Raises
        ------
        RuntimeError
            There is no vocabulary yet, or no corpus; or nothing in the corpus can be counted.
        """
        raise NotImplementedError

    def _decomposed(self, matrix: Any, of: str) -> svd.SVD:
        """The truncated SVD of a matrix, whose columns are the words, and whose shorter side is `of`."""
        size, least = self.vector_size, min(matrix.shape)
        if size > least:
            logger.warning(
                "vector_size=%d, but there are only %d %s: the last %d numbers of each vector are 0",
                *(size, least, of, size - least),
            )
        # Two bases and a product, of float32; and the matrix once more, by columns.
        needed = 4 * (sum(matrix.shape) * 4 * size + 2 * matrix.nnz)
        memory.check(needed, f"{size:,} singular vectors of {matrix.shape[0]:,} rows", "raise min_count")
        letters = (str(word).encode("utf-8", "surrogatepass") for word in self.wv.index_to_key)
        keys = np.fromiter(map(zlib.crc32, letters), np.uint64, len(self.wv))
        return svd.truncated(matrix, size, self._threads(), keys)

    def _threads(self) -> int:
        workers = self.settings().workers
        return core_count() if workers == -1 else min(workers, MOST_THREADS)

    def _parts(self, corpus_iterable: Sentences | None, corpus_file: Pathlike | None) -> tuple[int, Iterable[Encoded]]:
        """The corpus as integers, how many of them and in parts: the one that is given, or else the one that is kept.

        RuntimeError without vocabulary or corpus.
        """
        settings = self.settings()
        if not len(self.wv):
            raise RuntimeError("there is no vocabulary yet; call build_vocab first")
        if corpus_iterable is None and corpus_file is None:
            kept = self.tokens.of(self.wv.key_to_index)
            if kept is None:
                raise RuntimeError(
                    "the corpus is not at hand: a model that was loaded, or has cache='none', needs it again "
                    "(corpus_iterable=... or corpus_file=...)"
                )
            return len(kept.tokens), [kept]
        corpus = Corpus.from_arguments(corpus_iterable, corpus_file, self.tokens.corpus_identity, settings.tokenizer)
        parts = self.parts(corpus, settings)
        return parts.tokens, parts.encoded

    def _counting(self, tokens: int) -> Any:
        """A progress bar over so many words."""
        return progress_bar(self.progress, **WORDS, total=tokens, desc="counting", leave=False)

    def trained_again(self, corpus_iterable: Sentences | None = None, corpus_file: Pathlike | None = None) -> Self:
        """Make a new model as this one was made, of the same corpus; on the same machine its bytes are the same."""
        settings = self.settings()
        steps = {"terms": self._terms_of(TermMap), "phrases": self._terms_of(FrozenPhrases)}
        again = type(self).__new__(type(self))
        again._of_settings({**settings.chosen(settings.named(saved=True)), **steps, "progress": self.progress})
        again.build_vocab(corpus_iterable, corpus_file)
        return again.fit()

    @classmethod
    def like(
        cls,
        model: Saved,
        corpus_iterable: Sentences | None = None,
        corpus_file: Pathlike | None = None,
        **changes: Any,
    ) -> Self:
        """Make the twin of a model: its settings, its vocabulary, and the corpus that it has encoded, counted.

        Parameters
        ----------
        model : Word2Vec, or any other model of words
            Is not changed. The text is not read again where the model has just been trained on it.
        corpus_iterable, corpus_file : optional
            The corpus, for a model that was loaded.
        **changes
            Settings that are to be others.

        Raises
        ------
        RuntimeError
            The corpus is not at hand.
        """
        given = {name: getattr(model, name) for name in cls.own_settings() if hasattr(model, name)}
        if not given.get("negative", 1):
            given["negative"] = 1  # of a model with hierarchical softmax alone
        for name in changes:
            checks.one_of("setting", name, cls.own_settings())
        made = cls(**(given | changes))
        encoded = model._corpus_at_hand(corpus_iterable, corpus_file)
        if encoded is None:
            raise RuntimeError("the corpus is not at hand; give it: like(model, corpus_file=...)")
        made._take_steps(model.steps)
        made.tokens = copy.copy(model.tokens)
        vectors = np.zeros((0, made.vector_size), np.float32)
        made.wv.take_over(model.wv.key_to_index, vectors, {"count": model.wv.expandos["count"]})
        for name in ("corpus_count", "corpus_total_words", "effective_min_count"):
            setattr(made, name, getattr(model, name))
        made.init_weights()
        return made.fit()

    @classmethod
    def own_settings(cls) -> list[str]:
        """The names of the parameters that are settings."""
        names = signature(cls.__init__).parameters
        return [name for name in cls.settings_class.named() if name in names]

    def contents(self) -> Contents:
        """What a file of this model holds; see `Trainable.contents`."""
        found = super().contents()
        values = self.singular_values
        found.meta["state"]["singular_values"] = None if values is None else values.tolist()
        return found

    def take_contents(self, contents: Contents) -> None:
        """Become the model whose `contents` these are."""
        super().take_contents(contents)
        values = contents.meta["state"]["singular_values"]
        if values is not None:
            if len(values) != self.vector_size:
                raise ValueError(f"{len(values)} singular values for vector_size={self.vector_size}")
            values = np.array([checks.number("a singular value", value, 0) for value in values], np.float32)
        self.singular_values = values

    def init_weights(self) -> None:
        """Start again: vectors of zeros, until `fit` makes them."""
        with self.activity.only("init_weights", within="build_vocab"):
            shape = len(self.wv), self.vector_size
            self.weights = Weights(np.zeros(shape, np.float32), np.zeros(shape, np.float32) if self.negative else None)
            self.singular_values = None
            self._trained_words = self.wv.index_to_key
            self.provenance = self.provenance.of_new_weights(self.alpha)

    def _check_update(self, update: bool) -> None:
        if update:
            raise ValueError("update=True: vectors of counts are made of the whole text at once; give all of it")

    def _make_tables(self) -> None:
        """There is no noise to draw."""

    def _own_of(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """What of a file's settings the constructor takes."""
        own = {*self.own_settings(), "terms", "phrases"}
        return {name: value for name, value in settings.items() if name in own}
