"""FastText: word vectors made of those of n-grams, under gensim's names; `Word2Vec` with more input rows."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from w2v.common.public import public
from w2v.files.reading import Pathlike
from w2v.models.word2vec import Word2Vec
from w2v.tokens.words import Sentences
from w2v.training import epoch, matrices
from w2v.training.settings import Settings, SubwordSettings
from w2v.training.trainable import Contents
from w2v.training.weights import Weights
from w2v.vectors.subwords import FastTextKeyedVectors
from w2v.vocabulary.choose import TrimRule

OWN_SETTINGS = ("min_n", "max_n", "bucket", "word_ngrams")


@public
class FastText(Word2Vec):
    """Train word vectors with subwords (Bojanowski et al. 2017, arXiv:1607.04606): any string has a vector.

    A word's vector is the mean of a row of its own and of a row for each of its n-grams. In skip-gram it predicts the
    word's neighbours; in CBOW the mean of all rows of all neighbours predicts the word.

    Parameters
    ----------
    sentences, corpus_file
        As in `Word2Vec`.
    sg : {0, 1}, default 0
        1 for skip-gram, 0 for CBOW.
    word_ngrams : {0, 1}, default 1
        0 leaves n-grams out: the model is then word2vec.
    min_n, max_n : int, default 3 and 6
        The shortest and the longest n-gram, in characters of the word in angle brackets. A `max_n` of 0, or below
        `min_n`, means no n-grams.
    bucket : int, default 2,000,000
        How many rows n-grams are hashed into, with fastText's hash. Each takes 4 bytes times `vector_size`, rounded up
        to a multiple of 64 bytes.
    shared_negatives : bool, default False
        Whether the pairs of a word have their noise words in common, in skip-gram with negative sampling. That is
        faster where the vocabulary is large, but costs quality: the one mean that predicts all neighbours would meet
        few noise words.
    **kwargs
        The other parameters of `Word2Vec`, which are the same here and have the same defaults; but not `tied`, which
        needs one input row for each word. fastText itself draws noise words with ``ns_exponent=0.5``; the default is
        gensim's.

    Attributes
    ----------
    wv : FastTextKeyedVectors

    Notes
    -----
    As in fastText each row takes the whole gradient of the mean, and neighbours are learnt one after the other.
    The rows are read and written once for a window: in between the mean learns by itself.

    Examples
    --------
    >>> from w2v import FastText
    >>> sentences = [["fast", "exact", "vectors"], ["exact", "fast", "vectors"]] * 100
    >>> model = FastText(sentences, vector_size=16, min_count=1, bucket=1000, workers=1)
    >>> model.wv["exactly"].shape, "exactly" in model.wv.key_to_index
    ((16,), False)
    """

    kind = "fasttext"
    settings_class = SubwordSettings
    wv: FastTextKeyedVectors
    min_n: int
    max_n: int
    bucket: int
    word_ngrams: int

    def __init__(
        self,
        sentences: Sentences | None = None,
        corpus_file: Pathlike | None = None,
        sg: int = 0,
        hs: int = 0,
        vector_size: int = 100,
        alpha: float = 0.025,
        window: int = 5,
        min_count: int = 5,
        max_vocab_size: int | None = None,
        word_ngrams: int = 1,
        sample: float = 1e-3,
        seed: int | None = 1,
        workers: int = 3,
        min_alpha: float = 0.0001,
        negative: int = 5,
        ns_exponent: float = 0.75,
        cbow_mean: int = 1,
        hashfxn: Callable[..., int] = hash,
        epochs: int = 5,
        null_word: int = 0,
        min_n: int = 3,
        max_n: int = 6,
        sorted_vocab: int = 1,
        bucket: int = 2_000_000,
        trim_rule: TrimRule | None = None,
        batch_words: int = 10_000,
        callbacks: Iterable[Any] = (),
        max_final_vocab: int | None = None,
        shrink_windows: bool = True,
        *,
        shared_negatives: bool = False,
        **kwargs: Any,
    ) -> None:
        self.word_ngrams, self.min_n, self.max_n, self.bucket = word_ngrams, min_n, max_n, bucket
        super().__init__(
            sentences,
            corpus_file,
            vector_size,
            alpha,
            window,
            min_count,
            max_vocab_size,
            sample,
            seed,
            workers,
            min_alpha,
            sg,
            hs,
            negative,
            ns_exponent,
            cbow_mean,
            hashfxn,
            epochs,
            null_word,
            trim_rule,
            sorted_vocab,
            batch_words,
            callbacks=callbacks,
            max_final_vocab=max_final_vocab,
            shrink_windows=shrink_windows,
            shared_negatives=shared_negatives,
            **kwargs,
        )

    def _of_settings(self, settings: dict[str, Any]) -> None:
        defaults = {name: getattr(SubwordSettings, name) for name in OWN_SETTINGS}
        self.__dict__.update({name: settings.get(name, default) for name, default in defaults.items()})
        settings = {"shared_negatives": SubwordSettings.shared_negatives} | settings
        Word2Vec.__init__(self, **{name: value for name, value in settings.items() if name not in OWN_SETTINGS})

    def _start_empty(self) -> None:
        super()._start_empty()
        bucket = self.bucket if self.word_ngrams else 0
        self.wv = FastTextKeyedVectors(self.vector_size, self.min_n, self.max_n, bucket)
        self.wv.vectors_ngrams_lockf = np.ones(1, np.float32)

    # --- the parts that a session works on ----------------------------------------------------------------------

    @property
    def weights(self) -> Weights:
        """The matrices, from where gensim keeps them."""
        wv = self.wv
        locks, of_ngrams = np.asarray(wv.vectors_lockf), np.asarray(wv.vectors_ngrams_lockf)
        words = len(wv.all_rows) - wv.bucket
        if not (len(locks) == len(of_ngrams) == 1 and locks[0] == of_ngrams[0]):
            for name, given, rows in (("vectors", locks, words), ("vectors_ngrams", of_ngrams, wv.bucket)):
                if given.shape not in ((1,), (rows,)):
                    raise ValueError(f"wv.{name}_lockf has shape {given.shape}; give one factor, or {rows:,}")
            locks = np.concatenate([np.broadcast_to(locks, words), np.broadcast_to(of_ngrams, wv.bucket)])
        return Weights(wv.all_rows, self.syn1neg, self.syn1, locks=locks, subwords=wv.bucket)

    @weights.setter
    def weights(self, weights: Weights) -> None:
        wv, words = self.wv, len(weights.inputs) - weights.subwords
        wv.all_rows, wv.bucket, wv.vector_size = weights.inputs, weights.subwords, weights.inputs.shape[1]
        self.syn1neg, self.syn1 = weights.outputs, weights.nodes
        wv.vectors_lockf = wv.vectors_ngrams_lockf = weights.locks
        if len(weights.locks) > 1:
            wv.vectors_lockf, wv.vectors_ngrams_lockf = weights.locks[:words], weights.locks[words:]

    def init_weights(self) -> None:
        """Start again: input vectors of words and n-grams from the seed, zero outputs."""
        bucket = self.wv.bucket
        super().init_weights()
        if bucket:
            self.weights = self.weights.with_subwords(bucket, self.seed)
        self.wv.adjust_vectors()

    def update_weights(self) -> None:
        """Give new words their rows; every old word, and every n-gram, keeps its own."""
        super().update_weights()
        self.wv.adjust_vectors()

    def _check_matrices(self, settings: Settings) -> None:
        super()._check_matrices(settings)
        due = (len(self.wv) + self.wv.bucket, settings.vector_size)
        if self.wv.all_rows.shape != due:
            raise RuntimeError(
                f"model.wv.all_rows is of shape {self.wv.all_rows.shape}, but words and n-grams need {due}; was a word "
                "added or wv replaced? build_vocab starts again"
            )

    def kernel(self, settings: Settings, **options: Any) -> epoch.Kernel:
        """What trains the matrices; see `Trainable.kernel`."""
        return super().kernel(settings, subwords=self.wv.subwords(), **options)

    @contextmanager
    def rows_change(self) -> Iterator[None]:
        """Make the means of words anew when training has changed the rows, also after Ctrl-C."""
        try:
            with super().rows_change():
                yield
        finally:
            self.wv.adjust_vectors()

    def estimate_memory(self, vocab_size: int | None = None, report: dict[str, int] | None = None) -> dict[str, int]:
        """Tell how many bytes a model of these settings takes; as in `Word2Vec`, with ``subwords`` for n-grams."""
        report = super().estimate_memory(vocab_size, report)
        bucket, row = self.wv.bucket, matrices.padded_size(self.vector_size) * 4
        report["subwords"] = bucket * row + report["vectors"]  # and the means
        if self.deterministic:
            report["rounds"] += bucket * (16 + 4 * self.round_shape[0])
        report["total"] = sum(size for name, size in report.items() if name != "total")
        return report

    # --- files --------------------------------------------------------------------------------------------------

    def contents(self) -> Contents:
        """What a file of this model holds; see `Trainable.contents`."""
        found = super().contents()
        if self.wv.bucket:
            found.arrays["vectors"] = self.wv.peek()
            found.meta["state"]["without_ngrams"] = list(self.wv.without_ngrams)
        return found

    def take_contents(self, contents: Contents) -> None:
        """Become the model whose `contents` these are."""
        super().take_contents(contents)
        due = FastTextKeyedVectors(1, self.min_n, self.max_n, self.bucket if self.word_ngrams else 0).bucket
        if self.wv.bucket != due:
            raise ValueError(f"{self.wv.bucket:,} rows of n-grams, where bucket={due:,}")
        self.wv.without_ngrams = tuple(map(str, contents.meta["state"].get("without_ngrams", ())))
        self.wv.adjust_vectors()
