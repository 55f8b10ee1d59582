"""Word2Vec: what the user holds while training. Parameters, vocabulary, train, save and load.

Parameter names, order and defaults are gensim's. The corpus is read once (`encode`), the vocabulary chosen (`vocab`),
and each epoch is one call of the kernel over integers (`training`).
"""

import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v import (
    __version__,
    checks,
    formats,
    gensim_files,
    huffman,
    legacy,
    memory,
    noise,
    predict,
    queries,
    source,
    vocab,
)
from w2v import callbacks as hooks
from w2v import checkpoint as checkpoints
from w2v.common.progress import progress_bar
from w2v.corpus import Pathlike
from w2v.encode import CACHE_BYTES, Encoded, Scan, Sentences, check_token, encode, whole_batches
from w2v.training import epoch, matrices, schedule
from w2v.training import workers as crew
from w2v.vectors import KeyedVectors

logger = logging.getLogger(__name__)

# What a progress bar counts.
WORDS: dict[str, Any] = {"unit": "words", "unit_scale": True}

# Words encoded at a time where a corpus is streamed instead of cached.
STREAM_WORDS = 1 << 20

# Beyond these nothing is gained, and a worker's scratch space would outgrow its indices.
MOST_WINDOW = 100_000_000
MOST_NEGATIVE = 100_000
MOST_DIMENSIONS = 1_000_000
MOST_ALPHA = 1000.0
LEAST_SAMPLE = 1e-12

# So many epochs over an iterator are hardly meant: in gensim all but the first would find nothing.
MANY_EPOCHS = 100
MOST_WORDS = 2**63 - 1

CACHE_LIMITS = {"auto": CACHE_BYTES, "memory": float("inf"), "disk": 0, "none": 0}

# What a saved model holds of its settings; everything else follows from them.
SAVED_SETTINGS = [
    *("vector_size", "alpha", "min_alpha", "window", "min_count", "max_vocab_size", "max_final_vocab", "sample"),
    *("seed", "workers", "sg", "hs", "negative", "ns_exponent", "cbow_mean", "epochs", "sorted_vocab", "comment"),
    *("compute_loss", "shrink_windows", "shared_negatives", "cbow_corrected", "cache", "null_word"),
    "deterministic",
]
SAVED_STATE = [
    *("corpus_count", "corpus_total_words", "effective_min_count", "train_count", "running_training_loss"),
    *("trained_epochs", "min_alpha_yet_reached", "loss_history", "round_shape", "runs"),
]
# Settings on which no bit of a result depends.
WITHOUT_EFFECT = {"workers", "compute_loss", "cache", "comment", "epochs", "alpha", "min_alpha"}


# gensim-3 names of parameters.
OLD_PARAMETERS = {"size": "vector_size", "iter": "epochs"}
OLD_CORPUS = {"sentences": "corpus_iterable"}

# How many rows are looked at while an epoch runs: those of frequent words, which meet all others, are the first to go.
WATCHED_ROWS = 256

# What a null word is called (Doc2Vec pads with it).
NULL_WORD = "\0"

# About what a word takes besides its vectors: the string, its place in list and dict, and its tables.
BYTES_PER_WORD = 250


if TYPE_CHECKING:
    class_only = classmethod
else:

    class class_only(classmethod):
        """A class method that an object does not have: ``model.load(path)`` would not change `model`."""

        def __get__(self, instance, owner=None):
            if instance is not None:
                raise AttributeError(f"load is called on the class: {type(instance).__name__}.load(path)")
            return super().__get__(instance, owner)


class Word2Vec(legacy.OldModelNames):
    """Train word vectors with skip-gram or CBOW (Mikolov et al. 2013, arXiv:1301.3781 and arXiv:1310.4546).

    Parameters
    ----------
    sentences : iterable of token lists, optional
        Read once, so a generator will do. Without it (and without `corpus_file`) the model stays untrained; call
        `build_vocab` and `train`.
    corpus_file : path, optional
        A text file with one sentence per line and tokens separated by white space; .gz, .bz2, .xz and .zst are
        decompressed. Excludes `sentences`.
    vector_size : int, default 100
    alpha : float, default 0.025
        Learning rate of the first word; it falls linearly, word by word, to `min_alpha` at the last one.
    window : int, default 5
        Largest distance between a word and its context words.
    min_count : int, default 5
        Words with fewer occurrences are left out, before windows are cut.
    max_vocab_size : int, optional
        While counting, forget the rarest words whenever more than this many are known.
    sample : float, default 1e-3
        Threshold of subsampling frequent words; 0 keeps all, 1 or more is a count (see `vocab.keep_probability`).
    seed : int or None, default 1
        None draws one, which is then in `seed`.
    workers : int, default 3
        Threads; -1 means one per core. With 1 worker the result is the same bytes on every run and every machine;
        more workers update the same matrices without locks (Hogwild, Niu et al. 2011, arXiv:1106.5730), so
        results differ a little from run to run. A corpus is split only into parts of 10,000 words and more.
    min_alpha : float, default 0.0001
    sg : {0, 1}, default 0
        1 for skip-gram, 0 for CBOW.
    hs : {0, 1}, default 0
        1 for hierarchical softmax; it does not switch negative sampling off.
    negative : int, default 5
        Noise words per example; 0 switches negative sampling off.
    ns_exponent : float, default 0.75
        The noise distribution is ``counts ** ns_exponent``.
    cbow_mean : {0, 1}, default 1
        Mean (1) or sum (0) of the context vectors.
    hashfxn : ignored
        Initial vectors depend on `seed` and the word's rank alone.
    epochs : int, default 5
    null_word : {0, 1}, default 0
        1 adds a word that does not occur, as gensim does for Doc2Vec.
    trim_rule : callable, optional
        ``f(word, count, min_count)`` returning ``RULE_DEFAULT``, ``RULE_DISCARD`` or ``RULE_KEEP``.
    sorted_vocab : {0, 1}, default 1
        Order words by descending frequency, ties in reverse order of first appearance.
    batch_words : ignored
        The corpus is encoded once; there are no batches to size.
    compute_loss : bool, default False
        Fill `loss_history`.
    callbacks : iterable
        Objects with ``on_train_begin``, ``on_epoch_begin``, ``on_epoch_end`` and ``on_train_end``, each called with
        the model. Raise `StopTraining` in one to end early.
    comment : str, optional
    max_final_vocab : int, optional
        Raise `min_count` until at most this many words are left.
    shrink_windows : bool, default True
        Draw each word's window from 1 ... `window`.
    shared_negatives : bool, default True
        Draw noise words once per window and use them for each of its pairs; False draws for every pair, which is
        slower and no better. Matters to skip-gram only.
    cbow_corrected : bool, default False
        Pass the exact gradient of the mean (or sum) to the context vectors (Irsoy et al. 2020, arXiv:2012.15332).
        The default is word2vec's: undivided under a mean, divided under a sum.
    deterministic : bool, default False
        Give the same bytes for any number of workers, at some cost in speed (docs/deterministic.md). They are other
        bytes than those of one worker without it. Needs the corpus cached.
    cache : {"auto", "memory", "disk", "none"}, default "auto"
        Where the encoded corpus (4 bytes a word) lives: in memory up to 1 GiB and in a temporary file beyond,
        always in memory, always in a file, or nowhere: then the corpus is read again in every epoch.
    progress : bool, optional
        Show progress bars on stderr; by default only if that is a terminal.
    checkpoint, checkpoint_every
        As in `train`.

    Attributes
    ----------
    wv : KeyedVectors
        The input vectors: what one usually wants.
    output_vectors : KeyedVectors
        The output vectors of negative sampling.
    loss_history : list of float
        Mean loss per trained example, an entry per epoch.
    history : list of EpochRecord
        Words, seconds, learning rate and loss of each epoch trained in this process.

    Raises
    ------
    ValueError, TypeError
        For a parameter out of range, before any work.
    RuntimeError
        If no word is left to train on.

    Examples
    --------
    >>> sentences = [["fast", "exact", "vectors"], ["exact", "fast", "vectors"]] * 100
    >>> model = Word2Vec(sentences, vector_size=16, min_count=1, sg=1, workers=1)
    >>> len(model.wv), model.wv["fast"].shape
    (3, (16,))
    """

    def __init__(
        self,
        sentences: Sentences | None = None,
        corpus_file: Pathlike | None = None,
        vector_size: int = 100,
        alpha: float = 0.025,
        window: int = 5,
        min_count: int = 5,
        max_vocab_size: int | None = None,
        sample: float = 1e-3,
        seed: int | None = 1,
        workers: int = 3,
        min_alpha: float = 0.0001,
        sg: int = 0,
        hs: int = 0,
        negative: int = 5,
        ns_exponent: float = 0.75,
        cbow_mean: int = 1,
        hashfxn: Callable[..., int] = hash,
        epochs: int = 5,
        null_word: int = 0,
        trim_rule: vocab.TrimRule | None = None,
        sorted_vocab: int = 1,
        batch_words: int = 10_000,
        compute_loss: bool = False,
        callbacks: Iterable[Any] = (),
        comment: str | None = None,
        max_final_vocab: int | None = None,
        shrink_windows: bool = True,
        *,
        shared_negatives: bool = True,
        cbow_corrected: bool = False,
        deterministic: bool = False,
        cache: str = "auto",
        progress: bool | None = None,
        checkpoint: Pathlike | None = None,
        checkpoint_every: str | int = checkpoints.DEFAULT_EVERY,
        **old_names: Any,
    ) -> None:
        new_names = legacy.renamed(OLD_PARAMETERS, old_names, "Word2Vec")
        vector_size = new_names.get("vector_size", vector_size)
        epochs = new_names.get("epochs", epochs)
        self.vector_size = vector_size
        self.alpha = alpha
        self.window = window
        self.min_count = min_count
        self.max_vocab_size = max_vocab_size
        self.sample = sample
        self.seed = secrets.randbits(32) if seed is None else seed
        self.workers = workers
        self.min_alpha = min_alpha
        self.sg = sg
        self.hs = hs
        self.negative = negative
        self.ns_exponent = ns_exponent
        self.cbow_mean = cbow_mean
        self.hashfxn = hashfxn
        self.null_word = null_word
        self.epochs = epochs
        self.sorted_vocab = sorted_vocab
        self.batch_words = batch_words
        self.compute_loss = compute_loss
        self.comment = comment
        self.max_final_vocab = max_final_vocab
        self.shrink_windows = shrink_windows
        self.shared_negatives = shared_negatives
        self.cbow_corrected = cbow_corrected
        self.deterministic = deterministic
        self.cache = cache
        self.progress = progress
        self._check_settings()
        if trim_rule is not None and not callable(trim_rule):
            raise TypeError(f"trim_rule={trim_rule!r} must be a function of (word, count, min_count)")
        self.layer1_size = self.vector_size
        self._start_empty()

        callbacks = hooks.checked(callbacks)
        checkpoints.interval(checkpoint_every)
        if sentences is None and corpus_file is None and checkpoint is not None:
            raise ValueError(f"checkpoint={checkpoint!r} is of no use without a corpus; give it to train()")
        if sentences is not None or corpus_file is not None:
            corpus = source.given(sentences, corpus_file)
            self._check_something_to_train()
            with self._run_folder(checkpoint, checkpoint_every, *corpus):
                pass  # what `train` would refuse is refused before the corpus is read
            self.build_vocab(sentences, corpus_file, trim_rule=trim_rule)
            self.train(
                sentences,
                corpus_file,
                total_examples=self.corpus_count,
                total_words=self.corpus_total_words,
                epochs=self.epochs,
                callbacks=callbacks,
                checkpoint=checkpoint,
                checkpoint_every=checkpoint_every,
            )

    def _check_settings(self) -> None:
        """Check every setting, also one that was assigned since; what is saved can be loaded."""
        self.vector_size = checks.integer("vector_size", self.vector_size, 1, MOST_DIMENSIONS)
        self.alpha = checks.number("alpha", self.alpha, 0, MOST_ALPHA)
        self.min_alpha = checks.number("min_alpha", self.min_alpha, 0, MOST_ALPHA)
        self.window = checks.integer("window", self.window, 1, MOST_WINDOW)
        self.min_count = checks.integer("min_count", self.min_count, 0)
        if self.max_vocab_size is not None:
            self.max_vocab_size = checks.integer("max_vocab_size", self.max_vocab_size, 1, hint="; None means no limit")
        if self.max_final_vocab is not None:
            self.max_final_vocab = checks.integer(
                "max_final_vocab", self.max_final_vocab, 1, hint="; None means no limit"
            )
        self.sample = _checked_sample(self.sample)
        self.seed = checks.integer("seed", self.seed, 0, 2**64 - 1)
        self.workers = checks.worker_number(self.workers)
        self.sg = int(checks.one_of("sg", self.sg, (0, 1)))
        self.hs = int(checks.one_of("hs", self.hs, (0, 1)))
        self.negative = checks.integer(
            "negative", self.negative, 0, MOST_NEGATIVE, "; 0 switches negative sampling off"
        )
        self.ns_exponent = checks.number("ns_exponent", self.ns_exponent)
        self.cbow_mean = int(checks.one_of("cbow_mean", self.cbow_mean, (0, 1)))
        self.epochs = checks.integer("epochs", self.epochs, 1)
        self.sorted_vocab = int(checks.one_of("sorted_vocab", self.sorted_vocab, (0, 1)))
        self.null_word = int(checks.one_of("null_word", self.null_word, (0, 1)))
        if self.comment is not None and not isinstance(self.comment, str):
            raise TypeError(f"comment={self.comment!r} must be a str")
        checks.one_of("cache", self.cache, CACHE_LIMITS)
        checks.one_of("progress", self.progress, (None, True, False))
        for switch in ("compute_loss", "shrink_windows", "shared_negatives", "cbow_corrected", "deterministic"):
            setattr(self, switch, bool(getattr(self, switch)))
        if self.deterministic and self.cache == "none":
            raise ValueError("deterministic=True needs the encoded corpus; use cache='disk' instead of cache='none'")

    def _start_empty(self) -> None:
        self.wv = KeyedVectors(self.vector_size)
        self.syn1neg: NDArray[np.float32] | None = None  # output rows of negative sampling, one per word
        self.syn1: NDArray[np.float32] | None = None  # inner nodes of hierarchical softmax; the last row is not used
        self.corpus_count = 0
        self.corpus_total_words: int | None = 0  # None: an old file does not know
        self.effective_min_count = self.min_count
        self._raw_vocab: Mapping[str, int] | None = None
        self.history: list[epoch.EpochRecord] = []
        self.loss_history: list[float] = []
        self.running_training_loss = 0.0
        self.trained_epochs = 0
        self.runs: list[dict[str, Any]] = []  # what each call of `train` did
        self.train_count = 0
        self.total_train_time = 0.0
        self.min_alpha_yet_reached = self.alpha
        self._scan: tuple[Any, Scan] | None = None
        self._encoded: tuple[Any, Encoded] | None = None  # what it was made from, and the integers
        self._streamed: tuple[Any, int] | None = None  # a corpus read in every epoch, and its size in tokens
        self._tables: dict[str, Any] = {}
        self._reached: epoch.Progress | None = None  # of an epoch that has begun and not ended
        self._stop_wanted = False
        self.round_shape = schedule.ROUND
        self._random: np.random.RandomState | None = None
        self._former: NDArray[np.int64] | None = None  # counts before an update
        self._trained_words: list[str] = []  # the words that the rows of the output matrices belong to

    def __str__(self) -> str:
        return f"{type(self).__name__}<vocab={len(self.wv)}, vector_size={self.vector_size}, alpha={self.alpha}>"

    __repr__ = __str__

    @property
    def raw_vocab(self) -> Mapping[str, int]:
        """All words of the corpus with their counts, from `scan_vocab` until `prepare_vocab` has chosen among them."""
        if self._raw_vocab is None:
            scan = None if self._scan is None else self._scan[1]
            self._raw_vocab = {} if scan is None else dict(zip(scan.words(), scan.counts.tolist(), strict=True))
        return self._raw_vocab

    @raw_vocab.setter
    def raw_vocab(self, counts: Mapping[str, int]) -> None:
        self._raw_vocab = counts

    # --- vocabulary ---------------------------------------------------------------------------------------------

    def build_vocab(
        self,
        corpus_iterable: Sentences | None = None,
        corpus_file: Pathlike | None = None,
        update: bool = False,
        progress_per: int = 10_000,
        keep_raw_vocab: bool = False,
        trim_rule: vocab.TrimRule | None = None,
        *,
        min_count: int | None = None,
        sample: float | None = None,
        **old_names: Any,
    ) -> None:
        """Read a corpus, choose the vocabulary and make new matrices for it; nothing trained before is kept.

        The encoded corpus stays with the model: `train` on the same corpus does not read the text again.

        Parameters
        ----------
        corpus_iterable, corpus_file
            As in the constructor.
        update : bool, default False
            Keep the words there are, with all their vectors, and add those of this corpus: words of which it has
            `min_count`. Counts add up, and subsampling, noise and Huffman tree follow from the sums;
            `corpus_count` and `corpus_total_words` become those of this corpus.
        progress_per : ignored
        keep_raw_vocab : bool, default False
            Keep `raw_vocab`, the counts of all words.
        trim_rule : callable, optional
            As in the constructor.
        min_count, sample : optional
            Replace the model's own settings.

        Raises
        ------
        RuntimeError
            If no word is kept, or there is nothing to update.
        """
        corpus_iterable = legacy.renamed(OLD_CORPUS, old_names, "build_vocab").get("corpus_iterable", corpus_iterable)
        self._check_update(update)
        self._wanted(min_count, sample)
        with self._all_or_nothing():
            self.scan_vocab(corpus_iterable, corpus_file, trim_rule=trim_rule)
            self.prepare_vocab(update, keep_raw_vocab, trim_rule, min_count, sample)
            self.prepare_weights(update)

    def build_vocab_from_freq(
        self,
        word_freq: Mapping[str, int],
        keep_raw_vocab: bool = False,
        corpus_count: int | None = None,
        trim_rule: vocab.TrimRule | None = None,
        update: bool = False,
    ) -> None:
        """Choose the vocabulary from known counts, up to 2^63 - 1 in all, and make new matrices for it.

        With ``update=True`` they are added to the vocabulary there is; see `build_vocab`.
        """
        self._check_update(update)
        counts = {}
        for word, count in word_freq.items():
            check_token(word)
            counts[word] = checks.integer(f"the count of {word!r}", count, 0, MOST_WORDS)
        total = checks.integer("the sum of all counts", sum(counts.values()), 0, MOST_WORDS)
        sentences = checks.integer("corpus_count", corpus_count or 0, 0, MOST_WORDS)
        with self._all_or_nothing():
            self._scan = None
            self.raw_vocab, self.corpus_count, self.corpus_total_words = counts, sentences, total
            self.prepare_vocab(update, keep_raw_vocab, trim_rule)
            self.prepare_weights(update)

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Leave the model as it was if the block fails or is interrupted: what is assigned there, is taken back."""
        before, vectors, of_vectors = dict(self.__dict__), self.wv, dict(self.wv.__dict__)
        try:
            yield
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            vectors.__dict__.clear()
            vectors.__dict__.update(of_vectors)
            raise

    def _wanted(self, min_count: int | None, sample: float | None) -> tuple[int, float]:
        """The two settings that a call may replace, checked."""
        wanted = self.min_count if min_count is None else checks.integer("min_count", min_count, 0)
        return wanted, self.sample if sample is None else _checked_sample(sample)

    def _check_update(self, update: bool) -> None:
        if update and not len(self.wv):
            raise RuntimeError("there is no vocabulary to update; call build_vocab without update=True first")
        if update:
            self._check_matrices()

    def scan_vocab(
        self,
        corpus_iterable: Sentences | None = None,
        corpus_file: Pathlike | None = None,
        progress_per: int = 10_000,
        workers: int | None = None,
        trim_rule: vocab.TrimRule | None = None,
    ) -> tuple[int, int]:
        """Count the words of a corpus into `raw_vocab`, and encode it on the way.

        `progress_per` is accepted for gensim's sake and ignored; `workers` is how many threads read, by default
        those of the model.

        Returns
        -------
        words, sentences : int
        """
        self._check_settings()
        corpus, is_path = source.given(corpus_iterable, corpus_file)
        identity = source.identity(corpus, is_path)
        cached = self.cache != "none"
        if not cached:
            source.check_repeatable(corpus, is_path, "cache='none' reads the corpus in every epoch")
        self._stop_wanted = False
        with progress_bar(self.progress, **WORDS, desc="reading", leave=False) as bar:
            scan = Scan(
                corpus,
                is_path,
                max_vocab_size=self.max_vocab_size,
                trim_rule=trim_rule,
                cache_bytes=CACHE_LIMITS[self.cache],
                keep_tokens=cached,
                threads=crew.thread_count(self.workers if workers is None else checks.worker_number(workers)),
                report=lambda words: (self._heed(), bar.update(words)),
            )
        self._raw_vocab = None
        self.corpus_count, self.corpus_total_words = scan.sentences, scan.raw_words
        self._scan = identity, scan
        logger.info(
            "read %s words in %s sentences, %s different",
            f"{scan.raw_words:,}",
            f"{scan.sentences:,}",
            f"{len(scan.counts):,}",
        )
        return scan.raw_words, scan.sentences

    def prepare_vocab(
        self,
        update: bool = False,
        keep_raw_vocab: bool = False,
        trim_rule: vocab.TrimRule | None = None,
        min_count: int | None = None,
        sample: float | None = None,
        dry_run: bool = False,
    ) -> dict[str, int]:
        """Choose the words to keep from `raw_vocab`; with ``dry_run=True`` only tell what would be kept.

        Returns
        -------
        dict
            ``drop_unique``, ``retain_total``, ``num_retained_words``, ``downsample_unique``, ``downsample_total``;
            with ``update=True`` also ``new_words``.
        """
        self._check_update(update)
        wanted, rate = self._wanted(min_count, sample)
        # Words become str late: most of those a corpus has are not kept.
        scan = self._scan[1] if self._scan is not None and self._raw_vocab is None else None
        if scan is None:
            all_counts = np.fromiter(self.raw_vocab.values(), np.int64, len(self.raw_vocab))
        else:
            all_counts = scan.counts
        if not len(all_counts) and self.corpus_total_words:
            raise RuntimeError(
                "the words of the corpus are no longer known; build_vocab(..., keep_raw_vocab=True) keeps them"
            )
        all_words = list(self.raw_vocab) if scan is None or update or trim_rule is not None else []
        known = self._added_counts(all_words, all_counts) if update else None
        places = np.arange(len(all_counts)) if known is None else known.others
        spare = self.max_final_vocab
        if known is not None and spare is not None:
            spare = max(0, spare - len(self.wv))
        effective = vocab.effective_min_count(all_counts[places], wanted, spare)
        candidates = [all_words[place] for place in places.tolist()] if trim_rule is not None else []
        order = places[vocab.select(all_counts[places], effective, bool(self.sorted_vocab), trim_rule, candidates)]
        if not len(order) and known is None:
            raise RuntimeError(
                f"no word occurs min_count={effective} times in this corpus "
                f"({int(all_counts.sum()):,} words, {len(all_counts):,} different); lower min_count or add text"
            )
        counts = all_counts[order] if known is None else np.concatenate([known.counts, all_counts[order]])
        if not counts.any():
            raise ValueError("all words kept have the count 0; without counts there is nothing to draw words by")
        probability = vocab.keep_probability(counts, rate)
        report = {
            "drop_unique": len(places) - len(order),
            "retain_total": int(counts.sum()),
            "num_retained_words": len(counts),
            "downsample_unique": int((probability < 1).sum()),
            "downsample_total": int((probability * counts).sum()),
        }
        if update:
            report["new_words"] = len(order)
        logger.info(
            "min_count=%d keeps %s words of %s; subsampling leaves about %s of %s occurrences",
            effective,
            f"{len(order):,}",
            f"{len(places):,}",
            f"{report['downsample_total']:,}",
            f"{report['retain_total']:,}",
        )
        if dry_run:
            return report
        memory.check(
            self.estimate_memory(len(counts))["total"],
            f"{len(counts):,} words with vectors of {self.vector_size:,} numbers",
            "raise min_count, set max_final_vocab, or lower vector_size",
        )
        self.min_count, self.sample, self.effective_min_count = wanted, rate, effective
        words = scan.words(order) if scan is not None and not all_words else [all_words[i] for i in order.tolist()]
        self._take_words(words, counts, update, keep_raw_vocab)
        return report

    def _added_counts(self, words: list[str], counts: NDArray[np.int64]) -> "_AddedCounts":
        """The counts of the vocabulary with those of a further corpus, and which of its words are not in it."""
        rows = np.array([self.wv.key_to_index.get(word, -1) for word in words], np.int64)
        total = self.wv.expandos["count"].astype(np.int64)
        np.add.at(total, rows[rows >= 0], counts[rows >= 0])
        return _AddedCounts(total, np.flatnonzero(rows < 0))

    def _take_words(self, words: list[str], counts: NDArray[np.int64], update: bool, keep_raw_vocab: bool) -> None:
        """Make `words` the vocabulary, or with `update` its new end, and encode what was scanned."""
        raw_vocab = self.raw_vocab if keep_raw_vocab else {}
        if self.null_word and not update:
            if NULL_WORD in words:
                raise ValueError(f"the corpus has the word {NULL_WORD!r}, which null_word=1 needs; use null_word=0")
            words, counts = [*words, NULL_WORD], np.append(counts, 1)
        self._former = self.wv.expandos.get("count") if update else None
        if update:
            words = self.wv.index_to_key + words
            attributes = {name: values for name, values in self.wv.expandos.items() if name != "count"}
            vectors, locks = self.wv.vectors, self.wv.vectors_lockf
        else:
            attributes, vectors = {}, np.zeros((0, self.vector_size), np.float32)
            locks = np.ones(1, np.float32)
            self.history, self.running_training_loss = [], 0.0
            self.train_count, self.total_train_time = 0, 0.0
        self.wv.take_over(words, vectors, {"count": counts, **attributes})
        self.wv.vectors_lockf = locks
        self.wv.allocate_vecattrs()
        if len(words) == 1:
            logger.warning("the vocabulary has one word, %r: there is nothing to tell it from", words[0])
        self._name_corpora()  # while the integers are there
        self._encoded = self._streamed = None  # they belong to another vocabulary
        if self._scan is not None:
            (identity, scan), self._scan = self._scan, None  # encoding uses it up, also when it is interrupted
            identity = (*identity, *self._vocabulary())
            if self.cache != "none":
                self._encoded = identity, scan.encoded(self.wv.key_to_index)
            elif self.max_vocab_size is None and not update:  # which may have forgotten some occurrences
                self._streamed = identity, int(counts.sum()) - (1 if self.null_word else 0)
        self.raw_vocab = raw_vocab

    def prepare_weights(self, update: bool = False) -> None:
        """Make new matrices and the tables of the vocabulary; with ``update=True`` let the matrices grow instead."""
        if update:
            self.update_weights()
        else:
            self.init_weights()
        self._tables = {}
        self._make_tables()

    def init_weights(self) -> None:
        """Start again: input vectors from the seed, zero outputs."""
        rows = len(self.wv)
        self.wv.vectors = matrices.first_vectors(rows, self.vector_size, self.seed)
        self.wv.vectors_lockf = np.ones(1, np.float32)
        self.wv.norms = None
        self.syn1neg = matrices.new_matrix(rows, self.vector_size) if self.negative else None
        self.syn1 = matrices.new_matrix(rows, self.vector_size) if self.hs else None
        self._trained_words = self.wv.index_to_key
        self.trained_epochs = 0
        self.runs = []
        self.loss_history = []
        self.min_alpha_yet_reached = self.alpha

    def update_weights(self) -> None:
        """Give new words their rows: input vectors from the seed, zero outputs; every old word keeps its own."""
        rows, known = len(self.wv), len(self.wv.vectors)
        vectors = matrices.first_vectors(rows, self.vector_size, self.seed, first_row=known)
        vectors[:known] = self.wv.vectors
        self.wv.vectors, self.wv.norms = vectors, None
        if len(self.wv.vectors_lockf) > 1:
            locks = np.ones(rows, np.float32)
            locks[:known] = self.wv.vectors_lockf
            self.wv.vectors_lockf = locks
        if self.syn1neg is not None:
            self.syn1neg = matrices.grown(self.syn1neg, rows)
        if self.syn1 is not None:
            counts = self.wv.expandos["count"]
            former = huffman.paths(counts[:known] if self._former is None else self._former)
            self.syn1 = matrices.grown(huffman.carried_over(self.syn1, former, huffman.paths(counts))[0], rows)
        self._trained_words = self.wv.index_to_key

    def reset_from(self, other_model: "Word2Vec") -> None:
        """Take over the vocabulary of another model, and start with new matrices."""
        if not len(other_model.wv):
            raise RuntimeError("the other model has no vocabulary yet")
        self._check_settings()
        words = list(other_model.wv.index_to_key)
        counts = {name: values.copy() for name, values in other_model.wv.expandos.items()}
        names = ("corpus_count", "corpus_total_words", "effective_min_count")
        known = {name: getattr(other_model, name) for name in names}
        self._start_empty()
        self.wv.take_over(words, np.zeros((0, self.vector_size), np.float32), counts)
        self.__dict__.update(known)
        self.prepare_weights()

    def estimate_memory(self, vocab_size: int | None = None, report: dict[str, int] | None = None) -> dict[str, int]:
        """Tell how many bytes a model of these settings takes, without its corpus.

        Parameters
        ----------
        vocab_size : int, optional
            By default that of the vocabulary there is.
        report : dict, optional
            What to add the answer to.

        Returns
        -------
        dict
            ``vocab``, ``vectors``, ``syn1``, ``syn1neg``, ``rounds`` (what deterministic training notes about each row)
            and ``total``; the matrices exactly, the others roughly.
        """
        words = len(self.wv) if vocab_size is None else checks.integer("vocab_size", vocab_size, 0, MOST_WORDS)
        matrix = words * matrices.padded_size(self.vector_size) * 4
        report = {} if report is None else report
        report["vocab"] = words * (BYTES_PER_WORD + (100 if self.hs else 0))
        report["vectors"] = matrix
        if self.hs:
            report["syn1"] = matrix
        if self.negative:
            report["syn1neg"] = matrix
        if self.deterministic:
            slots = 4 * self.round_shape[0]
            report["rounds"] = words * ((16 + slots) * (2 if self.hs else 1) + (slots + 12 if self.negative else 0))
        report["total"] = sum(size for name, size in report.items() if name != "total")
        return report

    @property
    def cum_table(self) -> NDArray[np.uint32]:
        """The noise distribution as gensim keeps it: running sums of ``counts ** ns_exponent``, 2^31 - 1 in all."""
        sums = np.cumsum(noise.weights(self.wv.expandos["count"], self.ns_exponent))
        table: NDArray[np.uint32] = np.rint(sums / sums[-1] * (2**31 - 1)).astype(np.uint32)
        return table

    @property
    def random(self) -> np.random.RandomState:
        """A generator from the seed, for programs that ask gensim's model for one; training does not use it."""
        if self._random is None:
            self._random = np.random.RandomState(self.seed % 2**32)
        return self._random

    @random.setter
    def random(self, generator: np.random.RandomState) -> None:
        self._random = generator

    def make_cum_table(self, domain: int = 2**31 - 1) -> None:
        """Make the tables of the vocabulary; gensim's step for negative sampling. `cum_table` is made when read."""
        self._make_tables()

    def create_binary_tree(self) -> None:
        """Make the tables of the vocabulary; gensim's step for hierarchical softmax."""
        self._make_tables()

    def _make_tables(self) -> None:
        counts = self.wv.expandos["count"]
        if self._tables.get("counts") is not counts or self._tables["ns_exponent"] != self.ns_exponent:
            self._tables = {"counts": counts, "ns_exponent": self.ns_exponent}
        if self.negative and "noise" not in self._tables:
            self._tables["noise"] = noise.alias_table(noise.weights(counts, self.ns_exponent))
        if self.hs and "paths" not in self._tables:
            self._tables["paths"] = huffman.paths(counts)

    # --- training -----------------------------------------------------------------------------------------------

    def train(
        self,
        corpus_iterable: Sentences | None = None,
        corpus_file: Pathlike | None = None,
        total_examples: int | None = None,
        total_words: int | None = None,
        epochs: int | None = None,
        start_alpha: float | None = None,
        end_alpha: float | None = None,
        word_count: int = 0,
        queue_factor: int = 2,
        report_delay: float = 1.0,
        compute_loss: bool | None = None,
        callbacks: Iterable[Any] = (),
        *,
        checkpoint: Pathlike | None = None,
        checkpoint_every: str | int = checkpoints.DEFAULT_EVERY,
        **old_names: Any,
    ) -> tuple[int, int]:
        """Train on a corpus with the vocabulary there is.

        Parameters
        ----------
        corpus_iterable, corpus_file
            As in the constructor. The same object or file as before is not read again.
        total_examples, total_words : int
            One of them must be given, as in gensim. The learning rate follows the corpus's true number of words.
        epochs : int
        start_alpha, end_alpha : float, optional
            Replace `alpha` and `min_alpha`; `start_alpha` stays with the model.
        word_count, queue_factor, report_delay : ignored
        compute_loss : bool, optional
            Replaces the model's own setting.
        callbacks : iterable
        checkpoint : path, optional
            A folder, made if need be, that always holds two generations of the model and of how far it has come: one
            from the beginning on, and the last one when training ends, also on Ctrl-C. `resume` goes on from there.
            It must hold no other run. See docs/checkpoints.md.
        checkpoint_every : str or int, default '10m'
            How much is lost at most: a time such as ``'30s'``, ``'10m'`` or ``'2h'``, or a number of epochs.

        Returns
        -------
        trained_words, raw_words : int
            Words after vocabulary and subsampling, and all words read, over all epochs.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C, within 100 ms, and on `stop`; the model keeps what it has learnt. With `checkpoint` it is
            written first.
        FloatingPointError
            If the vectors are no longer finite.
        OSError
            If a checkpoint cannot be written; those in the folder stay as they are.
        """
        corpus_iterable = legacy.renamed(OLD_CORPUS, old_names, "train").get("corpus_iterable", corpus_iterable)
        corpus, is_path = source.given(corpus_iterable, corpus_file)
        self._check_settings()
        self._check_something_to_train()
        if not len(self.wv):
            raise RuntimeError("there is no vocabulary to train; call build_vocab first")
        if total_examples is None and total_words is None:
            raise ValueError("give total_examples=model.corpus_count or total_words=model.corpus_total_words")
        for name, total in (("total_examples", total_examples), ("total_words", total_words)):
            if total is not None:
                checks.number(name, total, 0)
        if epochs is None:
            raise ValueError("give epochs=, for example epochs=model.epochs")
        checks.integer("epochs", epochs, 1)
        start = self.alpha if start_alpha is None else checks.number("start_alpha", start_alpha, 0, MOST_ALPHA)
        end = self.min_alpha if end_alpha is None else checks.number("end_alpha", end_alpha, 0, MOST_ALPHA)
        if self.cache == "none":
            source.check_repeatable(corpus, is_path, "cache='none' reads the corpus in every epoch")
        callbacks = hooks.checked(callbacks)
        self._check_matrices()
        with self._run_folder(checkpoint, checkpoint_every, corpus, is_path) as keeper:
            # all is checked; as in gensim, the model keeps what it was last trained with
            self.epochs, self.alpha, self.min_alpha = int(epochs), start, end
            self._warn_of_the_unusual(end)
            if compute_loss is not None:
                self.compute_loss = bool(compute_loss)
            self.running_training_loss = 0.0
            if epochs >= MANY_EPOCHS and isinstance(corpus, Iterator):
                logger.warning(
                    "%d epochs over an iterator, which can be read once: w2v keeps what it has read, and trains all of "
                    "them; gensim would have ended after the first",
                    epochs,
                )
            self.train_count += 1
            run: dict[str, Any] = {"epochs": self.epochs, "trained": 0, "alpha": self.alpha}
            run |= {"min_alpha": self.min_alpha, "corpus": "" if self.cache == "none" else None, "repeatable": True}
            self.runs.append(run)
            self._reached, self._stop_wanted = None, False
            with self._noted():
                if keeper is not None:
                    encoded = self._encode(corpus, is_path)
                    run["corpus"] = encoded.sha256()
                    keeper.facts |= {"tokens": len(encoded.tokens), "sentences": len(encoded.offsets) - 1}
                    keeper.facts |= {"source": source.whereabouts(corpus, is_path)}
                    keeper.facts |= {"threads": crew.worker_count(self.workers, len(encoded.tokens))}
                    self._write_checkpoint(keeper)
                return self._run(corpus, is_path, callbacks, keeper)

    def stop(self) -> None:
        """End the `train` or `build_vocab` that another thread is in, as Ctrl-C would: it raises KeyboardInterrupt."""
        self._stop_wanted = True

    def _heed(self) -> bool:
        """Raise what `stop` asks for."""
        if self._stop_wanted:
            raise KeyboardInterrupt("model.stop() was called")
        return False

    @contextmanager
    def _noted(self) -> Iterator[None]:
        """Let the last of `runs` say if it ends within an epoch; one that ends before its first word is none."""
        try:
            yield
        except BaseException:
            if self._reached is not None and (self._reached.words or not self._reached.consistent):
                self.runs[-1]["repeatable"] = False
            elif not self.runs[-1]["trained"]:
                self.runs.pop()
            raise

    def _run(
        self, corpus: Any, is_path: bool, callbacks: Sequence[Any], keeper: checkpoints.Keeper | None
    ) -> tuple[int, int]:
        """Train what is left of the last of `runs`."""
        trained = raw = 0
        ended = False
        started = time.perf_counter()
        try:
            try:
                self._call(callbacks, "on_train_begin")
                while (done := self.runs[-1]["trained"]) < self.runs[-1]["epochs"]:
                    if self._reached is None:
                        self._call(callbacks, "on_epoch_begin")
                        self._reached = epoch.Progress()
                    survivors, words = self._train_epoch(corpus, is_path, keeper)
                    trained, raw = trained + survivors, raw + words
                    self._call(callbacks, "on_epoch_end")
                    if keeper is not None and keeper.is_due_after(done + 1):
                        self._write_checkpoint(keeper)
            except epoch.StopTraining as reason:
                logger.info("stopped after %d epochs: %s", self.trained_epochs, reason)
            finally:
                self.total_train_time += time.perf_counter() - started
            ended = True
            with suppress(epoch.StopTraining):
                self._call(callbacks, "on_train_end")
            if keeper is not None:
                self._write_checkpoint(keeper, finished=True)
        except KeyboardInterrupt:
            if keeper is None or (self._reached is not None and not self._reached.consistent):
                raise
            self._write_checkpoint(keeper, finished=ended)
            run, position = self.runs[-1], 0 if self._reached is None else self._reached.position
            corpus_again = ", corpus" if keeper.facts["source"] is None else ""
            raise KeyboardInterrupt(
                f"stopped after {run['trained']} of {run['epochs']} epochs and {position:,} of "
                f"{keeper.facts['tokens']:,} words; Word2Vec.resume({os.fspath(keeper.folder.path)!r}{corpus_again}) "
                "goes on"
            ) from None
        return trained, raw

    def _train_epoch(self, corpus: Any, is_path: bool, keeper: checkpoints.Keeper | None) -> tuple[int, int]:
        # Made anew for every epoch: a callback may have assigned vectors, words or settings.
        self._check_settings()
        kernel = self._kernel()
        encoded = None if self.cache == "none" else self._encode(corpus, is_path)
        tokens = self._streamed_tokens(corpus, is_path) if encoded is None else len(encoded.tokens)
        if tokens == 0:
            raise RuntimeError("no word of this corpus is in the vocabulary; nothing can be trained")
        number, epochs = self.runs[-1]["trained"], self.runs[-1]["epochs"]
        workers = crew.worker_count(self.workers, tokens)
        if keeper is not None and not self.deterministic:
            workers = keeper.facts["threads"]  # one thread and several give other bytes
        if workers > 1 and not self.deterministic:
            self.runs[-1]["repeatable"] = False
        slope = (self.alpha - self.min_alpha) / (epochs * tokens)
        rate = schedule.Schedule(self.alpha - slope * tokens * number, slope, horizon=tokens)
        read = _WordCounter(self._stream(corpus, is_path) if encoded is None else [encoded])
        parts: Iterable[epoch.Checked] = epoch.check_parts(kernel, read)
        if encoded is not None:
            parts = list(parts)  # checked once, also if checkpoints cut the epoch into pieces
        reached = self._reached
        assert reached is not None

        def pause() -> bool:
            if not self.deterministic:  # there, workers look by themselves, when nobody writes
                self._check_finite(f"in epoch {number + 1}", WATCHED_ROWS)
            return self._heed() or (keeper is not None and keeper.is_due())

        with progress_bar(self.progress, **WORDS, total=tokens, desc=f"epoch {number + 1}/{epochs}") as bar:
            ended = False
            while not ended:
                try:
                    ended = epoch.run_epoch(
                        kernel,
                        parts,
                        reached,
                        key=schedule.derived_key(self.seed, 1, self.trained_epochs),
                        schedule=rate,
                        workers=workers,
                        n_hot=crew.hot_rows(self.wv.expandos["count"], tokens, workers),
                        round_shape=self.round_shape if self.deterministic else None,
                        bar=bar,
                        pause=pause,
                    )
                except FloatingPointError:
                    self._check_finite(f"in epoch {number + 1}")  # says more
                    raise
                finally:
                    self.wv.norms = None  # also after Ctrl-C the vectors have changed
                if not ended and keeper is not None:
                    self._write_checkpoint(keeper)
        words, survivors, examples, loss = reached.words, reached.survivors, reached.examples, reached.loss
        if encoded is None and words != tokens:
            logger.warning("the corpus had %s words of the vocabulary, not the %s counted before", words, tokens)
        if not examples:
            logger.warning(
                "nothing was trained: of %s words %s survived subsampling (sample=%g), and none had a neighbour "
                "in its sentence and a target to learn",
                f"{words:,}",
                f"{survivors:,}",
                self.sample,
            )
        self._check_finite(f"in epoch {number + 1}")
        record = epoch.EpochRecord(
            epoch=self.trained_epochs,
            raw_words=words,
            trained_words=survivors,
            examples=examples,
            seconds=reached.seconds,
            alpha=rate.at(tokens),
            loss=loss / examples if self.compute_loss and examples else None,
        )
        has_loss = record.loss is not None
        # At once, also for a Ctrl-C: a checkpoint says all of an epoch, or that it has not ended.
        self.__dict__.update(
            history=[*self.history, record],
            loss_history=[*self.loss_history, record.loss] if has_loss else self.loss_history,
            running_training_loss=self.running_training_loss + (loss if has_loss else 0.0),
            trained_epochs=self.trained_epochs + 1,
            min_alpha_yet_reached=record.alpha,
            runs=[*self.runs[:-1], {**self.runs[-1], "trained": number + 1}],
            _reached=None,
        )
        logger.info(
            "epoch %d of %d: %s words in %.1f s (%s words/s), alpha %.5f%s",
            number + 1,
            epochs,
            f"{words:,}",
            record.seconds,
            f"{words / max(record.seconds, 1e-9):,.0f}",
            record.alpha,
            "" if record.loss is None else f", loss {record.loss:.4f}",
        )
        return survivors, read.words

    def _check_finite(self, when: str, rows: int | None = None) -> None:
        """FloatingPointError if the first rows of a matrix, or all, are no numbers any more."""
        for matrix in self._matrices().values():
            whole = matrices.padded(matrix)
            if formats.check_finite((matrix if whole is None else whole)[:rows]) is not None:
                raise FloatingPointError(
                    f"the vectors are no longer finite {when}; lower alpha={self.alpha!r} "
                    "and start again (init_weights makes new ones)"
                )

    def _encode(self, corpus: Any, is_path: bool) -> Encoded:
        """The corpus as integers: the ones there are, if it is the same corpus."""
        identity = (*source.identity(corpus, is_path), *self._vocabulary())
        if self._encoded is None or not source.same(self._encoded[0], identity):
            self._name_corpora()  # while the old one is there
            encoded = encode(
                corpus,
                is_path,
                self.wv.key_to_index,
                CACHE_LIMITS[self.cache],
                crew.thread_count(self.workers),
                report=lambda words: self._heed(),
            )
            self._encoded = identity, encoded
        return self._encoded[1]

    def _streamed_tokens(self, corpus: Any, is_path: bool) -> int:
        """How many words of the vocabulary a corpus has that is not cached: known, or counted once."""
        identity = (*source.identity(corpus, is_path), *self._vocabulary())
        if self._streamed is None or not source.same(self._streamed[0], identity):
            tokens = 0
            for part in self._stream(corpus, is_path):
                self._heed()
                tokens += len(part.tokens)
            self._streamed = identity, tokens
        return self._streamed[1]

    def _vocabulary(self) -> tuple[dict[str, int], int]:
        """What tells a vocabulary from another: the object, and how much it has grown."""
        return self.wv.key_to_index, len(self.wv.key_to_index)

    def _stream(self, corpus: Any, is_path: bool) -> Iterator[Encoded]:
        threads = crew.thread_count(self.workers)
        return whole_batches(corpus, is_path, self.wv.key_to_index, STREAM_WORDS, threads)

    def _matrices(self) -> dict[str, NDArray[np.float32]]:
        named = {
            "vectors": self.wv.vectors,
            "outputs.negative": self.syn1neg,
            "outputs.hierarchical": None if self.syn1 is None else self.syn1[: len(self.wv) - 1],
        }
        return {name: matrix for name, matrix in named.items() if matrix is not None}

    def _check_matrices(self) -> None:
        """Every row that can be asked for exists: the kernel trusts what it is given."""
        words = len(self.wv)
        if "count" not in self.wv.expandos:
            raise RuntimeError("the vocabulary has no counts to train with; call build_vocab first")
        rows: dict[str, tuple[NDArray[np.float32] | None, int]] = {"wv.vectors": (self.wv.vectors, words)}
        if self.negative:
            rows["syn1neg"] = (self.syn1neg, words)
        if self.hs:
            rows["syn1"] = (self.syn1, words)
        for name, (matrix, wanted) in rows.items():
            if matrix is None or matrix.shape != (wanted, self.vector_size):
                found = "missing" if matrix is None else f"of shape {matrix.shape}"
                raise RuntimeError(
                    f"model.{name} is {found}, but the vocabulary of {words:,} words needs "
                    f"({wanted:,}, {self.vector_size}); was a word added or wv replaced? build_vocab starts again, "
                    "and model.wv.save keeps the vectors"
                )
        if self.wv.index_to_key is not self._trained_words:
            raise RuntimeError(
                "the words of wv are not those that the output vectors were made for (wv replaced or reordered?); "
                "call build_vocab or init_weights to start again"
            )
        numbers = self.wv.key_to_index.values()
        if len(self.wv.expandos["count"]) != words or min(numbers) < 0 or max(numbers) >= words:
            raise RuntimeError("wv.key_to_index, index_to_key and the counts do not fit together; call build_vocab")

    def _kernel(self) -> epoch.Kernel:
        epoch.warn_if_slow(logger.warning)
        self._check_matrices()
        self._make_tables()
        self.wv.vectors = matrices.trainable(self.wv.vectors)
        if self.negative and self.syn1neg is not None:
            self.syn1neg = matrices.trainable(self.syn1neg)
        if self.hs and self.syn1 is not None:
            self.syn1 = matrices.trainable(self.syn1)
        counts = self.wv.expandos["count"]
        keep = vocab.keep_thresholds(vocab.keep_probability(counts, self.sample)) if self.sample else None
        paths = self._tables["paths"] if self.hs else (None, None, None)
        inputs = matrices.padded(self.wv.vectors)
        assert inputs is not None
        return epoch.Kernel(
            inputs,
            matrices.padded(self.syn1neg) if self.syn1neg is not None and self.negative else None,
            matrices.padded(self.syn1) if self.syn1 is not None and self.hs else None,
            keep,
            self._tables["noise"] if self.negative else None,
            *paths,
            locks=self._locks(),
            window=self.window,
            negative=self.negative,
            shrink=self.shrink_windows,
            shared=self.shared_negatives,
            cbow=not self.sg,
            mean_forward=bool(self.cbow_mean),
            # The gradient of a mean is divided by the number of words, that of a sum is not. word2vec does it the
            # other way round; cbow_corrected does it right.
            mean_backward=bool(self.cbow_mean) == self.cbow_corrected,
            with_loss=self.compute_loss,
        )

    def _locks(self) -> NDArray[np.float32] | None:
        """The factor of each row's gradient, or None where all are 1."""
        locks = np.asarray(self.wv.vectors_lockf, np.float32)
        if locks.shape not in ((1,), (len(self.wv),)):
            raise ValueError(
                f"wv.vectors_lockf has shape {locks.shape}; give one factor for all words, or one for each of "
                f"the {len(self.wv):,}"
            )
        if not np.isfinite(locks).all():
            raise ValueError("wv.vectors_lockf holds a NaN or an infinity; 0 keeps a word's vector, 1 trains it")
        if (locks == 1).all():
            return None
        return np.ascontiguousarray(np.broadcast_to(locks, len(self.wv)))

    def _call(self, callbacks: Sequence[Any], hook: str) -> None:
        for callback in callbacks:
            getattr(callback, hook)(self)

    def _check_something_to_train(self) -> None:
        if not self.hs and not self.negative:
            raise ValueError("hs=0 and negative=0 leave nothing to train; set negative=5 or hs=1")

    def _warn_of_the_unusual(self, end: float) -> None:
        if self.hs and self.negative:
            logger.warning(
                "Both hierarchical softmax and negative sampling are activated. "
                "The model learns from both; set hs=0 or negative=0 for one of them."
            )
        if self.alpha > self.min_alpha_yet_reached and self.trained_epochs:
            logger.warning(
                "Effective 'alpha' higher than previous training cycles: %g after %g",
                self.alpha,
                self.min_alpha_yet_reached,
            )
        if self.alpha < end:
            logger.warning("the learning rate will rise, from alpha=%g to %g", self.alpha, end)

    # --- checkpoints --------------------------------------------------------------------------------------------

    def _run_folder(
        self, checkpoint: Pathlike | None, every: Any, corpus: Any, is_path: bool
    ) -> AbstractContextManager[checkpoints.Keeper | None]:
        """The folder of a new run, if one is wanted and the run could be resumed."""
        checkpoints.interval(every)
        if checkpoint is None:
            return nullcontext()
        if self.cache == "none":
            raise ValueError(
                "checkpoint= needs the encoded corpus, to go on at a word and to tell it from another; use "
                "cache='disk' instead of cache='none'"
            )
        source.check_repeatable(corpus, is_path, f"checkpoint={os.fspath(checkpoint)!r} is for going on later")
        folder = checkpoints.Folder(checkpoint)
        try:
            folder.check_unused()
        except OSError:
            folder.close()
            raise
        return checkpoints.Keeper(folder, every)

    def _write_checkpoint(self, keeper: checkpoints.Keeper, finished: bool = False) -> None:
        names = checkpoints.REACHED
        reached = None if self._reached is None else {name: getattr(self._reached, name) for name in names}
        history = list(map(asdict, self.history))
        try:
            keeper.write(*self._contents(), history=history, reached=reached, finished=finished)
        except ValueError:  # before anything is written: better the generations there are
            self._check_finite("in this epoch")  # says more
            raise

    @class_only
    def resume(
        cls,
        checkpoint: Pathlike,
        corpus_iterable: Sentences | None = None,
        corpus_file: Pathlike | None = None,
        *,
        workers: int | None = None,
        callbacks: Iterable[Any] = (),
        progress: bool | None = None,
        **settings: Any,
    ) -> "Word2Vec":
        """Go on with a run that was cut short, from the newest checkpoint in its folder, and return the trained model.

        With one worker, and with ``deterministic=True``, it ends in the same bytes as if it had never been cut.

        Parameters
        ----------
        checkpoint : path
            The folder that `train` was given.
        corpus_iterable, corpus_file : optional
            The corpus. Not needed where it was a file, or a `LineSentence`, `PathLineSentences` or `Text8Corpus` of
            files, that is still there.
        workers : int, optional
            Other than before. A run of one worker without ``deterministic=True`` stays one of one worker.
        callbacks : iterable
            Those of the run. `on_train_begin` is called again, `on_epoch_begin` only for epochs that begin now.
        progress : bool, optional
        **settings
            Parameters of `Word2Vec` that a saved model keeps, such as `vector_size`, `window` or `epochs` (not
            `trim_rule`, `hashfxn`, `batch_words`, `checkpoint`, `checkpoint_every` or gensim's old names). They need
            not be given, but if they are, they must be those of the run; ``seed=None`` is not given.

        Raises
        ------
        TypeError
            There is no such setting, or `corpus_file` is not a file.
        ValueError
            The corpus, a setting or the numerical scheme is another one.
        FormatError
            No checkpoint of the folder is sound. If only one is damaged, or cannot be read, a warning names it, and
            the other one is used.
        FileNotFoundError
            There is no checkpoint, or the corpus is no longer where it was.
        BlockingIOError
            The run is still going on.
        """
        callbacks = hooks.checked(callbacks)
        if workers is not None:
            checks.worker_number(workers)
        checks.one_of("progress", progress, (None, True, False))
        if corpus_iterable is not None or corpus_file is not None:
            source.given(corpus_iterable, corpus_file)
        with checkpoints.Folder(checkpoint, create=False) as folder:
            found, faults = folder.read()
            for fault in faults:
                logger.warning("%s; going on from %s", fault, found.path)
            if found.meta.get("scheme") != schedule.SCHEME:
                raise ValueError(
                    f"{found.path}: a run of scheme {found.meta.get('scheme')}; this is w2v {__version__} with scheme "
                    f"{schedule.SCHEME}, which would go on to other bytes. Resume it with the w2v that began it"
                )
            model: Word2Vec = cls._from_native(found.path, found.words, found.arrays, found.meta)
            model.progress = progress
            model._check_same_settings(folder.path, settings)
            cursor = model._take_up(found)
            del found  # its arrays are another copy of the model's as soon as that trains
            if cursor["finished"]:
                logger.info("the run in %s had ended", folder.path)
                return model
            if corpus_iterable is None and corpus_file is None:
                corpus_iterable, corpus_file = source.found_again(cursor["source"], folder.path)
            corpus, is_path = source.given(corpus_iterable, corpus_file)
            encoded = model._encode(corpus, is_path)
            there = f"{len(encoded.tokens):,} words in {len(encoded.offsets) - 1:,} sentences"
            wanted = f"{cursor['tokens']:,} in {cursor['sentences']:,}"
            if (len(encoded.tokens), len(encoded.offsets) - 1) != (cursor["tokens"], cursor["sentences"]):
                raise ValueError(
                    f"this is another corpus than that of the run in {folder.path}: {there}, not {wanted} (counting "
                    "words of the vocabulary)"
                )
            if encoded.sha256() != model.runs[-1]["corpus"]:
                raise ValueError(
                    f"this is another corpus than that of the run in {folder.path}: {there} as there, but other words "
                    "or in another order (SHA-256 differs)"
                )
            keeper = checkpoints.Keeper(folder, cursor["every"])
            keeper.facts |= {name: cursor[name] for name in ("tokens", "sentences", "threads")}
            keeper.facts |= {"source": source.whereabouts(corpus, is_path)}  # it may have moved
            if workers is not None:
                keeper.facts["threads"] = model._other_workers(workers, cursor)
            with model._noted():
                model._run(corpus, is_path, callbacks, keeper)
        return model

    def _check_same_settings(self, folder: Pathlike, settings: Mapping[str, Any]) -> None:
        if unknown := set(settings) - set(SAVED_SETTINGS):
            raise TypeError(f"resume() knows no setting {min(unknown)!r}")
        others = [
            f"{name}={getattr(self, name)!r}, not {value!r}"
            for name, value in settings.items()
            if getattr(self, name) != value and not (name == "seed" and value is None)  # any seed, as when it began
        ]
        if others:
            raise ValueError(f"the run in {os.fspath(folder)} has other settings: {'; '.join(others)}")

    def _other_workers(self, workers: int, cursor: Mapping[str, Any]) -> int:
        threads = crew.worker_count(workers, cursor["tokens"])
        if cursor["threads"] == 1 and threads > 1 and not self.deterministic:
            raise ValueError(f"workers={workers} would end in other bytes than the one worker that the run has")
        self.workers = workers
        return threads

    def _take_up(self, found: checkpoints.Generation) -> dict[str, Any]:
        """Take over where in the run a checkpoint was written."""
        segments, words = self.round_shape if self.deterministic else (1, 1)
        state = {name: getattr(self, name) for name in checkpoints.STATE}
        cursor = checkpoints.checked(found.path, found.cursor, state, segments * words, segments)
        if cursor["threads"] != crew.worker_count(cursor["threads"], cursor["tokens"]):
            raise formats.FormatError(
                f"{found.path}: its checkpoint has {cursor['threads']:,} threads for so few words"
            )
        self.history = [epoch.EpochRecord(**record) for record in cursor["history"]]
        self._reached = None if cursor["reached"] is None else epoch.Progress(**cursor["reached"])
        return cursor

    def get_latest_training_loss(self) -> float:
        """Summed loss of all examples since the last call of `train` began, as in gensim; see `loss_history`."""
        return self.running_training_loss

    # --- results ------------------------------------------------------------------------------------------------

    def _name_corpora(self) -> None:
        """Note what the corpus of the last `runs` was, while it is there: the SHA-256 of its tokens and sentences.

        It is "" for a run whose corpus was not kept.
        """
        open_runs = [run for run in self.runs if run["corpus"] is None and run["trained"]]
        if open_runs and self._encoded is not None:
            digest = self._encoded[1].sha256()
            for run in open_runs:
                run["corpus"] = digest

    def fingerprint(self) -> str:
        """SHA-256 of all that this model is and came from.

        That is: vectors, vocabulary with its counts, the settings that matter to a result, every call of `train`
        with the hash of its corpus, the version of w2v and the number of the scheme. It does not depend on the number
        of workers where training does not. `save` stores it, ``w2v info`` prints it.
        """
        self._name_corpora()
        words = hashlib.sha256(json.dumps(self.wv.index_to_key).encode())
        words.update(np.ascontiguousarray(self.wv.expandos["count"], "<i8").data)
        facts = {
            "vectors": {name: formats.sha256_of(matrix) for name, matrix in self._matrices().items()},
            "vocabulary": words.hexdigest(),
            "settings": {name: getattr(self, name) for name in SAVED_SETTINGS if name not in WITHOUT_EFFECT},
            "runs": self.runs,
            "round": list(self.round_shape) if self.deterministic else None,
            "version": __version__,
            "scheme": schedule.SCHEME,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def trained_again(
        self, corpus_iterable: Sentences | None = None, corpus_file: Pathlike | None = None
    ) -> "Word2Vec":
        """Train a new model as this one was: same settings, same calls of `train`, same seed.

        Where the result does not depend on chance (one worker, or ``deterministic=True``), its bytes are those of this
        model if version, scheme and corpus are the same.

        Raises
        ------
        ValueError
            The corpus is another one, or several were trained on, or the result was left to chance: to several workers,
            or to the moment at which an epoch was cut short.
        """
        self._name_corpora()
        if self.workers != 1 and not self.deterministic:
            raise ValueError(
                f"a model of workers={self.workers} without deterministic=True is different on every run; there is "
                "nothing to compare"
            )
        if not all(run["repeatable"] for run in self.runs):
            raise ValueError(
                "several workers without deterministic=True have trained this model, or an epoch was cut short; there "
                "is nothing to compare"
            )
        corpora = {run["corpus"] for run in self.runs}
        if len(corpora) != 1 or not all(corpora):
            raise ValueError(f"the model was trained on {len(corpora)} corpora, or on one that was not kept")
        settings = {name: getattr(self, name) for name in SAVED_SETTINGS}
        again = Word2Vec(**settings, progress=self.progress)
        again.round_shape = self.round_shape
        corpus, is_path = source.given(corpus_iterable, corpus_file)
        again.build_vocab(corpus_iterable, corpus_file)
        if again._encode(corpus, is_path).sha256() not in corpora:
            raise ValueError("this is another corpus: its tokens or sentences differ from those of the model's")
        for run in self.runs:
            stop = _StopAfter(run["trained"])
            again.alpha, again.min_alpha = run["alpha"], run["min_alpha"]
            again.train(corpus_iterable, corpus_file, total_examples=1, epochs=run["epochs"], callbacks=[stop])
        return again

    def score(
        self,
        sentences: Iterable[Sequence[str]],
        total_sentences: int = 1_000_000,
        chunksize: int = 100,
        queue_factor: int = 2,
        report_delay: float = 1,
    ) -> NDArray[np.float32]:
        """Log-probability of each sentence, float32 [sentences]; see `w2v.predict.sentence_scores`.

        Unknown words are left out. The other parameters are accepted for gensim's sake and ignored.

        Raises
        ------
        RuntimeError
            Without hierarchical softmax (``hs=1``) there are no probabilities.
        """
        if not self.hs or self.syn1 is None:
            raise RuntimeError("only a model trained with hs=1 gives sentences a probability")
        self._check_matrices()
        self._make_tables()
        known = self.wv.key_to_index
        rows = ([known[word] for word in sentence if word in known] for sentence in sentences)
        return predict.sentence_scores(
            rows,
            self.wv.vectors,
            self.syn1,
            self._tables["paths"],
            window=self.window,
            cbow=not self.sg,
            mean=bool(self.cbow_mean),
        )

    def predict_output_word(
        self, context_words_list: Sequence[str | int], topn: int | None = 10
    ) -> list[tuple[str, np.float32]] | None:
        """Find the words most probable in a context: ``[(word, probability), ...]``, best first.

        Parameters
        ----------
        context_words_list : list of str, or of row numbers
            Unknown words are left out; if none is left, the answer is None.
        topn : int or None, default 10
            None for all words.

        Raises
        ------
        RuntimeError
            Without negative sampling there is no output vector per word.
        """
        if not self.negative or self.syn1neg is None:
            raise RuntimeError("only a model trained with negative > 0 has an output vector for each word")
        if len(self.syn1neg) != len(self.wv):
            raise RuntimeError(f"{len(self.wv):,} words, but {len(self.syn1neg):,} output vectors; was wv replaced?")
        rows = [self.wv.get_index(word) for word in context_words_list if word in self.wv]
        if not rows:
            logger.warning("none of the context words is in the vocabulary: %r", list(context_words_list)[:10])
            return None
        found = predict.output_probabilities(rows, self.wv.vectors, self.syn1neg, bool(self.cbow_mean))
        topn = len(found) if topn is None else topn
        best = queries.top_rows(found, topn) if topn > 0 else []
        return [(self.wv.index_to_key[row], found[row]) for row in best]

    @property
    def output_vectors(self) -> KeyedVectors:
        """The output vectors of negative sampling under the same words; the numbers share memory with the model."""
        if self.syn1neg is None:
            raise AttributeError("only negative sampling has an output vector per word; train with negative > 0")
        counts = self.wv.expandos["count"]
        return KeyedVectors.from_arrays(list(self.wv.index_to_key), self.syn1neg, {"count": counts})

    def save(
        self,
        fname_or_handle: Pathlike | BinaryIO,
        separately: object = None,
        sep_limit: int = 0,
        ignore: object = (),
        pickle_protocol: int = 0,
    ) -> str:
        """Write the whole model to one safetensors file, atomically; `load` gives it back, ready to train on.

        The other parameters are accepted for gensim's sake and ignored: there is one file, and no pickle.

        Returns
        -------
        str
            SHA-256 of the content; equal models give equal files.
        """
        if not len(self.wv):
            raise RuntimeError("there is nothing to save yet; call build_vocab first")
        words, arrays, meta = self._contents()
        meta["fingerprint"] = self.fingerprint()
        return formats.write_native(fname_or_handle, "word2vec", words, arrays, meta)

    def _contents(self) -> tuple[list[str], dict[str, NDArray[Any]], dict[str, Any]]:
        """Words, arrays and metadata of a file that holds this model."""
        self._name_corpora()
        self._check_settings()
        self._check_matrices()
        self._check_state(self.wv.expandos["count"])
        arrays: dict[str, NDArray[Any]] = dict(self._matrices())
        for name, values in self.wv.expandos.items():
            arrays["vocab.counts" if name == "count" else f"attr.{name}"] = values
        if (locks := self._locks()) is not None:
            arrays["vectors.locks"] = locks
        meta = {
            "settings": {name: getattr(self, name) for name in SAVED_SETTINGS},
            "state": {name: getattr(self, name) for name in SAVED_STATE},
            "scheme": schedule.SCHEME,
        }
        return self.wv.index_to_key, arrays, meta

    @class_only
    def load(
        cls,
        fname: Pathlike,
        mmap: bool | str | None = None,
        rethrow: bool = False,
        *,
        allow_pickle: bool | None = None,
    ) -> "Word2Vec":
        """Read a model written by `save`.

        Parameters
        ----------
        fname : path
        mmap : bool or 'r', optional
            Map the matrices read-only instead of reading them; training copies them first.
        rethrow : ignored
        allow_pickle : bool, default False
            Read a model that gensim has pickled, too, with its .npy files; see `w2v.gensim_files`. No code in such a
            file is run, but one that was made to do harm can still fill the memory.

        Raises
        ------
        FormatError
            If the file is not a model of ours, or is damaged.
        AttributeError
            If it holds vectors alone; use `KeyedVectors.load`.
        """
        checks.one_of("mmap", mmap, (None, False, True, "r"))
        if gensim_files.may_read(fname, allow_pickle):
            return cls._from_gensim(fname, mmap)
        kind, words, arrays, meta = formats.read_native(os.fspath(fname), mmap=bool(mmap))
        if kind != "word2vec":
            raise AttributeError(
                f"{os.fspath(fname)} holds vectors alone, which cannot be trained; use KeyedVectors.load"
            )
        if meta.get("scheme") != schedule.SCHEME:
            logger.warning("the model was trained under scheme %s, this is %s", meta.get("scheme"), schedule.SCHEME)
        return cls._from_native(fname, words, arrays, meta)

    @classmethod
    def _from_native(
        cls, fname: Pathlike, words: list[str], arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]
    ) -> "Word2Vec":
        attributes = {name.removeprefix("attr."): values for name, values in arrays.items() if name.startswith("attr.")}
        attributes["count"] = arrays["vocab.counts"]
        vectors = KeyedVectors.from_arrays(words, arrays["vectors"], attributes)
        vectors.vectors_lockf = arrays.get("vectors.locks", np.ones(1, np.float32))
        return cls._restored(
            fname, meta, SAVED_STATE, vectors, arrays.get("outputs.negative"), arrays.get("outputs.hierarchical")
        )

    @classmethod
    def _from_gensim(cls, fname: Pathlike, mmap: bool | str | None) -> "Word2Vec":
        found = gensim_files.read_gensim(fname, mmap)
        if found.kind != "word2vec":
            raise AttributeError(
                f"{os.fspath(fname)} holds vectors alone, which cannot be trained; use KeyedVectors.load"
            )
        vectors = KeyedVectors.from_arrays(found.words, found.vectors, found.attributes)
        vectors.vectors_lockf = np.ones(1, np.float32) if found.lockf is None else found.lockf
        settings, state = dict(found.settings), {"corpus_total_words": None, **found.state}
        # What a model was trained with, its matrices tell; an old file may not.
        settings |= {"vector_size": vectors.vector_size, "hs": int(found.syn1 is not None)}
        if found.syn1neg is None:
            settings["negative"] = 0
        meta = {"settings": settings, "state": state}
        return cls._restored(fname, meta, [*state], vectors, found.syn1neg, found.syn1)

    @classmethod
    def _restored(
        cls,
        fname: Pathlike,
        meta: Mapping[str, Any],
        state: Iterable[str],
        vectors: KeyedVectors,
        syn1neg: NDArray[np.float32] | None,
        nodes: NDArray[np.float32] | None,
    ) -> "Word2Vec":
        """A model of what a file holds; FormatError if it does not fit together."""
        model = cls.__new__(cls)  # a subclass may want other arguments
        try:
            # Other parameters are no settings: with corpus_file, a file could have any other file read and trained on.
            for name in meta["settings"]:
                checks.one_of("setting", name, [*SAVED_SETTINGS, "batch_words"])
            Word2Vec.__init__(model, **meta["settings"])
            for name in state:
                setattr(model, name, meta["state"][name])
            model._check_state(vectors.expandos["count"])
        except (KeyError, TypeError, ValueError) as error:
            raise formats.FormatError(f"{os.fspath(fname)}: the model's settings are not readable: {error}") from error
        model.wv, model.syn1neg = vectors, syn1neg
        model.syn1 = None if nodes is None else matrices.grown(nodes, len(vectors))
        model._trained_words = vectors.index_to_key
        try:
            model._check_matrices()
        except RuntimeError as error:
            raise formats.FormatError(f"{os.fspath(fname)}: {error}") from error
        return model

    def _check_state(self, counts: NDArray[Any]) -> None:
        """Check what is said of the training there was; what is saved can be loaded."""
        if self.corpus_total_words is not None:
            self.corpus_total_words = checks.integer("corpus_total_words", self.corpus_total_words, 0, MOST_WORDS)
        for name in ("corpus_count", "effective_min_count", "train_count", "trained_epochs"):
            setattr(self, name, checks.integer(name, getattr(self, name), 0, MOST_WORDS))
        for name in ("running_training_loss", "min_alpha_yet_reached"):
            checks.number(name, getattr(self, name))
        for loss in _list_of("loss_history", self.loss_history, (int, float)):
            checks.number("a loss", loss)
        for run in _list_of("runs", self.runs, dict):
            for name in ("epochs", "trained"):
                checks.integer(name, run[name], 0)
            for name in ("alpha", "min_alpha"):
                checks.number(name, run[name], 0, MOST_ALPHA)
            if not isinstance(run["corpus"], str | None):
                raise TypeError(f"corpus={run['corpus']!r} of a run must be a hash")
            if not isinstance(run["repeatable"], bool):
                raise TypeError(f"repeatable={run['repeatable']!r} of a run must be true or false")
        segments, words = _list_of("round_shape", list(self.round_shape), int)
        most_segments, most_words = epoch.MOST_ROUND
        segments, words = (
            checks.integer("segments", segments, 1, most_segments),
            checks.integer("words of a segment", words, 1, most_words),
        )
        self.round_shape = segments, words
        if counts.sum(dtype=np.float64) >= 2.0**62:  # near enough to count exactly
            checks.integer("the sum of all counts", sum(counts.tolist()), 0, MOST_WORDS)

    def __getstate__(self) -> dict[str, Any]:
        """Pickles and copies hold the model without the encoded corpus."""
        _ = self.raw_vocab  # made from the scan while there is one
        self._name_corpora()
        return {**self.__dict__, "_scan": None, "_encoded": None, "_streamed": None, "_tables": {}}


def _list_of(name: str, values: Any, kind: type | tuple[type, ...]) -> list[Any]:
    if not isinstance(values, list) or not all(isinstance(value, kind) for value in values):
        raise TypeError(f"{name}={values!r:.60} is not a list as it should be")
    return values


def _checked_sample(sample: Any) -> float:
    rate = checks.number("sample", sample, 0, 1e18, "; 0 switches subsampling off")
    if 0 < rate < LEAST_SAMPLE:
        raise ValueError(f"sample={sample!r} would drop every word; use 0 to keep all, or {LEAST_SAMPLE:g} and more")
    return rate


class _StopAfter(hooks.CallbackAny2Vec):
    """Ends a run where the one it repeats was ended."""

    def __init__(self, epochs: int) -> None:
        self._left = epochs

    def on_epoch_begin(self, model: Word2Vec) -> None:
        if self._left == 0:
            raise epoch.StopTraining("as many epochs as the model had")
        self._left -= 1


class _AddedCounts(NamedTuple):
    counts: NDArray[np.int64]  # of the words there were
    others: NDArray[np.int64]  # places of the words of the new corpus that are not among them


class _WordCounter:
    """Passes batches on and counts the words of the text behind them."""

    def __init__(self, batches: Iterable[Encoded]) -> None:
        self._batches = batches
        self.words = 0

    def __iter__(self) -> Iterator[Encoded]:
        for batch in self._batches:
            self.words += batch.raw_words
            yield batch
