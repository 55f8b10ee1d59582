"""Word2Vec: what the user holds while training, under gensim's names.

Settings, vocabulary, matrices, tokens and history are parts from `w2v.vocabulary`, `w2v.tokens` and `w2v.training`; a
`Session` trains. This module says what gensim's methods do with them.
"""

import logging
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from w2v import callbacks as hooks
from w2v import checkpoint as checkpoints
from w2v import checks, formats, legacy, memory, noise, predict, queries, trainer, vocab
from w2v.corpus import Pathlike
from w2v.encode import Scan, Sentences, check_token
from w2v.models import model_file
from w2v.text.corpus import Corpus
from w2v.tokens.cache import LIMITS
from w2v.training import ledger as ledgers
from w2v.training import session
from w2v.training.ledger import MOST_WORDS, Ledger
from w2v.training.ledger import NAMES as LEDGER_NAMES
from w2v.training.settings import MOST_ALPHA, Settings, checked_sample
from w2v.training.trainee import Contents, Trainee
from w2v.training.weights import Weights
from w2v.vectors import KeyedVectors
from w2v.vocabulary.vocabulary import BYTES_PER_WORD, NULL_WORD, Vocabulary, choose

logger = logging.getLogger(__name__)

# So many epochs over an iterator are hardly meant: in gensim all but the first would find nothing.
MANY_EPOCHS = 100

# gensim-3 names of parameters.
OLD_PARAMETERS = {"size": "vector_size", "iter": "epochs"}
OLD_CORPUS = {"sentences": "corpus_iterable"}


def _in_ledger(name: str) -> Any:
    """An attribute of the model that its ledger holds."""

    def read(self: Any) -> Any:
        return getattr(self.ledger, name)

    def assign(self: Any, value: Any) -> None:
        setattr(self.ledger, name, value)

    return property(read, assign, doc=f"See `w2v.training.ledger.Ledger.{name}`.")


if TYPE_CHECKING:
    class_only = classmethod
else:

    class class_only(classmethod):
        """A class method that an object does not have: ``model.load(path)`` would not change `model`."""

        def __get__(self, instance, owner=None):
            if instance is not None:
                raise AttributeError(f"load is called on the class: {type(instance).__name__}.load(path)")
            return super().__get__(instance, owner)


class Word2Vec(Trainee, legacy.OldModelNames):
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

    kind = "word2vec"

    # What gensim's programs read of a model's past.
    history = _in_ledger("history")
    loss_history = _in_ledger("loss_history")
    min_alpha_yet_reached = _in_ledger("min_alpha_yet_reached")
    round_shape = _in_ledger("round_shape")
    running_training_loss = _in_ledger("running_training_loss")
    runs = _in_ledger("runs")
    total_train_time = _in_ledger("total_train_time")
    train_count = _in_ledger("train_count")
    trained_epochs = _in_ledger("trained_epochs")

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
        Trainee.__init__(self)
        self.settings()
        if trim_rule is not None and not callable(trim_rule):
            raise TypeError(f"trim_rule={trim_rule!r} must be a function of (word, count, min_count)")
        self.layer1_size = self.vector_size
        self._start_empty()

        callbacks = hooks.checked(callbacks)
        checkpoints.interval(checkpoint_every)
        if sentences is None and corpus_file is None and checkpoint is not None:
            raise ValueError(f"checkpoint={checkpoint!r} is of no use without a corpus; give it to train()")
        if sentences is not None or corpus_file is not None:
            corpus = Corpus.given(sentences, corpus_file)
            self._check_something_to_train()
            with session.checkpoint_folder(checkpoint, checkpoint_every, corpus, self.cache):
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

    def _start_empty(self) -> None:
        self.ledger = Ledger(self.alpha)
        self.tokens.drop()
        self.wv = KeyedVectors(self.vector_size)
        self.syn1neg: NDArray[np.float32] | None = None  # output rows of negative sampling, one per word
        self.syn1: NDArray[np.float32] | None = None  # inner nodes of hierarchical softmax; the last row is not used
        self.corpus_count = 0
        self.corpus_total_words: int | None = 0  # None: an old file does not know
        self.effective_min_count = self.min_count
        self._raw_vocab: Mapping[str, int] | None = None
        self._scan: tuple[Any, Scan] | None = None
        self._random: np.random.RandomState | None = None
        self._vocabulary: Vocabulary | None = None
        self._former: Vocabulary | None = None  # the words before an update
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

    # `wv` owns words, counts and input rows, since gensim's programs assign to it; the parts are made of what it has.

    @property
    def vocabulary(self) -> Vocabulary:  # type: ignore[override]
        """Words and counts of `wv`, with the tables made of them."""
        words, index, counts = self.wv.index_to_key, self.wv.key_to_index, self.wv.expandos["count"]
        known = self._vocabulary
        if known is None or known.words is not words or known.index is not index or known.counts is not counts:
            known = self._vocabulary = Vocabulary(words, index, counts)
        return known

    @property
    def weights(self) -> Weights:
        """The matrices, from where gensim keeps them."""
        return Weights(self.wv.vectors, self.syn1neg, self.syn1, locks=self.wv.vectors_lockf)

    @weights.setter
    def weights(self, weights: Weights) -> None:
        self.wv.vectors, self.wv.norms = weights.inputs, None
        self.syn1neg, self.syn1 = weights.outputs, weights.nodes
        self.wv.vectors_lockf = weights.locks

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
        self._overrides(min_count, sample)
        with self.activity.only("build_vocab"), self._all_or_nothing():
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
        with self.activity.only("build_vocab"), self._all_or_nothing():
            self._scan = None
            self.raw_vocab, self.corpus_count, self.corpus_total_words = counts, sentences, total
            self.prepare_vocab(update, keep_raw_vocab, trim_rule)
            self.prepare_weights(update)

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Leave the model as it was if the block fails or is interrupted: what is assigned there, is taken back."""
        before = [(part, dict(part.__dict__)) for part in (self, self.wv, self.tokens)]
        try:
            yield
        except BaseException:
            for part, attributes in before:
                part.__dict__.clear()
                part.__dict__.update(attributes)
            raise

    def _overrides(self, min_count: int | None, sample: float | None) -> tuple[int, float]:
        """The two settings that a call may replace, checked."""
        least = self.min_count if min_count is None else checks.integer("min_count", min_count, 0)
        return least, self.sample if sample is None else checked_sample("sample", sample)

    def _check_update(self, update: bool) -> None:
        if update and not len(self.wv):
            raise RuntimeError("there is no vocabulary to update; call build_vocab without update=True first")
        if update:
            self._check_matrices(self.settings())

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
        settings = self.settings()
        corpus = Corpus.given(corpus_iterable, corpus_file)
        identity = corpus.identity()
        if settings.cache == "none":
            corpus.check_repeatable("cache='none' reads the corpus in every epoch")
        readers = settings.workers if workers is None else checks.worker_number(workers)
        with (
            self.activity.only("scan_vocab", within="build_vocab"),
            trainer.progress_bar(settings.progress, desc="reading", leave=False) as bar,
        ):
            scan = Scan(
                *corpus,
                max_vocab_size=settings.max_vocab_size,
                trim_rule=trim_rule,
                cache_bytes=LIMITS[settings.cache],
                keep_tokens=settings.cache != "none",
                threads=trainer.thread_count(readers),
                report=lambda words: (self.heed(), bar.update(words)),
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
        least, rate = self._overrides(min_count, sample)
        # Words become str late: most of those a corpus has are not kept.
        scan = self._scan[1] if self._scan is not None and self._raw_vocab is None else None
        if scan is None:
            all_words = list(self.raw_vocab)
            all_counts = np.fromiter(self.raw_vocab.values(), np.int64, len(self.raw_vocab))
        else:
            all_counts = scan.counts
        if not len(all_counts) and self.corpus_total_words:
            raise RuntimeError(
                "the words of the corpus are no longer known; build_vocab(..., keep_raw_vocab=True) keeps them"
            )

        def words_at(places: NDArray[np.int64]) -> list[str]:
            return [all_words[place] for place in places.tolist()] if scan is None else scan.words(places)

        choice = choose(
            all_counts,
            words_at,
            min_count=least,
            sample=rate,
            max_final_vocab=self.max_final_vocab,
            by_frequency=bool(self.sorted_vocab),
            trim_rule=trim_rule,
            known=self.vocabulary if update else None,
        )
        if dry_run:
            return choice.report
        memory.check(
            self.estimate_memory(len(choice.counts))["total"],
            f"{len(choice.counts):,} words with vectors of {self.vector_size:,} numbers",
            "raise min_count, set max_final_vocab, or lower vector_size",
        )
        with self.activity.only("prepare_vocab", within="build_vocab"):
            self.min_count, self.sample, self.effective_min_count = least, rate, choice.min_count
            self._take_words(words_at(choice.places), choice.counts, update, keep_raw_vocab)
        return choice.report

    def _take_words(self, words: list[str], counts: NDArray[np.int64], update: bool, keep_raw_vocab: bool) -> None:
        """Make `words` the vocabulary, or with `update` its new end, and encode what was scanned."""
        raw_vocab = self.raw_vocab if keep_raw_vocab else {}
        if self.null_word and not update:
            if NULL_WORD in words:
                raise ValueError(f"the corpus has the word {NULL_WORD!r}, which null_word=1 needs; use null_word=0")
            words, counts = [*words, NULL_WORD], np.append(counts, 1)
        self._former = self.vocabulary if update else None
        if update:
            words = self.wv.index_to_key + words
            attributes = {name: values for name, values in self.wv.expandos.items() if name != "count"}
            vectors, locks = self.wv.vectors, self.wv.vectors_lockf
        else:
            attributes, vectors = {}, np.zeros((0, self.vector_size), np.float32)
            locks = np.ones(1, np.float32)
        self.tokens.drop()  # they belong to another vocabulary
        if not update:
            self.ledger = self.ledger.of_new_words()
        self.wv.take_over(words, vectors, {"count": counts, **attributes})
        self.wv.vectors_lockf = locks
        self.wv.allocate_vecattrs()
        if len(words) == 1:
            logger.warning("the vocabulary has one word, %r: there is nothing to tell it from", words[0])
        if self._scan is not None:
            (identity, scan), self._scan = self._scan, None  # encoding uses it up, also when it is interrupted
            index = self.wv.key_to_index
            if self.cache != "none":
                self.tokens.hold(identity, index, scan.encoded(index))
            elif self.max_vocab_size is None and not update:  # which may have forgotten some occurrences
                self.tokens.hold_count(identity, index, int(counts.sum()) - (1 if self.null_word else 0))
        self.raw_vocab = raw_vocab

    def prepare_weights(self, update: bool = False) -> None:
        """Make new matrices and the tables of the vocabulary; with ``update=True`` let the matrices grow instead."""
        if update:
            self.update_weights()
        else:
            self.init_weights()
        self._make_tables()

    def init_weights(self) -> None:
        """Start again: input vectors from the seed, zero outputs."""
        with self.activity.only("init_weights", within="build_vocab"):
            self.weights = Weights.new(
                len(self.wv), self.vector_size, self.seed, negative=bool(self.negative), hs=bool(self.hs)
            )
            self._trained_words = self.wv.index_to_key
            self.ledger = self.ledger.of_new_weights(self.alpha)

    def update_weights(self) -> None:
        """Give new words their rows: input vectors from the seed, zero outputs; every old word keeps its own."""
        with self.activity.only("update_weights", within="build_vocab"):
            former, paths = None, None
            if self.syn1 is not None:
                known = self._former or self.vocabulary.first(len(self.wv.vectors))
                former, paths = known.paths(), self.vocabulary.paths()
            self.weights = self.weights.grown(len(self.wv), self.seed, former, paths)
            self._trained_words = self.wv.index_to_key

    def reset_from(self, other_model: "Word2Vec") -> None:
        """Take over the vocabulary of another model, and start with new matrices."""
        if not len(other_model.wv):
            raise RuntimeError("the other model has no vocabulary yet")
        self.settings()
        words = list(other_model.wv.index_to_key)
        counts = {name: values.copy() for name, values in other_model.wv.expandos.items()}
        names = ("corpus_count", "corpus_total_words", "effective_min_count")
        known = {name: getattr(other_model, name) for name in names}
        with self.activity.only("build_vocab"):
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
        matrix = words * trainer.padded_size(self.vector_size) * 4
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
        if self.negative:
            self.vocabulary.noise(self.ns_exponent)
        if self.hs:
            self.vocabulary.paths()

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
        corpus = Corpus.given(corpus_iterable, corpus_file)
        settings = self.settings()
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
        if settings.cache == "none":
            corpus.check_repeatable("cache='none' reads the corpus in every epoch")
        callbacks = hooks.checked(callbacks)
        self._check_matrices(settings)
        with (
            self.activity.only("train"),
            session.checkpoint_folder(checkpoint, checkpoint_every, corpus, settings.cache) as writer,
        ):
            # all is checked; as in gensim, the model keeps what it was last trained with
            self.epochs, self.alpha, self.min_alpha = int(epochs), start, end
            self._warn_of_the_unusual(end)
            if compute_loss is not None:
                self.compute_loss = bool(compute_loss)
            if epochs >= MANY_EPOCHS and isinstance(corpus.source, Iterator):
                logger.warning(
                    "%d epochs over an iterator, which can be read once: w2v keeps what it has read, and trains all of "
                    "them; gensim would have ended after the first",
                    epochs,
                )
            return session.train(self, corpus, callbacks, writer)

    def _check_matrices(self, settings: Settings) -> None:
        """Every row that can be asked for exists: the kernel trusts what it is given."""
        words = len(self.wv)
        if "count" not in self.wv.expandos:
            raise RuntimeError("the vocabulary has no counts to train with; call build_vocab first")
        names = {"inputs": "wv.vectors"}
        names |= {"outputs": "syn1neg"} if settings.negative else {}
        names |= {"nodes": "syn1"} if settings.hs else {}
        self.weights.check_shapes(words, settings.vector_size, names)
        if self.wv.index_to_key is not self._trained_words:
            raise RuntimeError(
                "the words of wv are not those that the output vectors were made for (wv replaced or reordered?); "
                "call build_vocab or init_weights to start again"
            )
        numbers = self.wv.key_to_index.values()
        if len(self.wv.expandos["count"]) != words or min(numbers) < 0 or max(numbers) >= words:
            raise RuntimeError("wv.key_to_index, index_to_key and the counts do not fit together; call build_vocab")

    def kernel(self, settings: Settings) -> trainer.Kernel:
        """What trains the matrices; see `Trainee.kernel`."""
        trainer.warn_if_slow(logger.warning)
        self._check_matrices(settings)
        return super().kernel(settings)

    @contextmanager
    def rows_change(self) -> Iterator[None]:
        """Let queries know that norms and rows may belong to different moments."""
        try:
            yield
        finally:
            self.wv.norms = None  # also after Ctrl-C the vectors have changed

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
        corpus = None
        if corpus_iterable is not None or corpus_file is not None:
            corpus = Corpus.given(corpus_iterable, corpus_file)
        model: Word2Vec = session.resume(
            cls,
            checkpoint,
            corpus,
            workers=workers,
            callbacks=callbacks,
            progress=progress,
            wanted=settings,
        )
        return model

    def get_latest_training_loss(self) -> float:
        """Summed loss of all examples since the last call of `train` began, as in gensim; see `loss_history`."""
        return self.ledger.running_training_loss

    # --- results ------------------------------------------------------------------------------------------------

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
        self.record_digests()
        runs = self.ledger.runs_as_of_now()
        if self.workers != 1 and not self.deterministic:
            raise ValueError(
                f"a model of workers={self.workers} without deterministic=True is different on every run; there is "
                "nothing to compare"
            )
        if not all(run["repeatable"] for run in runs):
            raise ValueError(
                "several workers without deterministic=True have trained this model, or an epoch was cut short; there "
                "is nothing to compare"
            )
        corpora = {run["corpus"] for run in runs}
        if len(corpora) != 1 or not all(corpora):
            raise ValueError(f"the model was trained on {len(corpora)} corpora, or on one that was not kept")
        settings = self.settings()
        again = Word2Vec(**settings.chosen(settings.named(saved=True)), progress=self.progress)
        again.round_shape = self.round_shape
        again.build_vocab(corpus_iterable, corpus_file)
        [encoded] = again.parts(Corpus.given(corpus_iterable, corpus_file), settings).encoded
        if encoded.sha256() not in corpora:
            raise ValueError("this is another corpus: its tokens or sentences differ from those of the model's")
        for run in runs:
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
        self._check_matrices(self.settings())
        known = self.wv.key_to_index
        rows = ([known[word] for word in sentence if word in known] for sentence in sentences)
        return predict.sentence_scores(
            rows,
            self.wv.vectors,
            self.syn1,
            self.vocabulary.paths(),
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
        found = self.contents()
        found.meta["state"]["runs"] = self.ledger.runs_as_of_now()
        found.meta["fingerprint"] = self.fingerprint()
        return formats.write_native(fname_or_handle, *found)

    def contents(self) -> Contents:
        """What a file of this model holds; see `Trainee.contents`."""
        self._check_matrices(self.settings())
        self._check_state()
        found = super().contents()
        found.arrays.update({f"attr.{name}": values for name, values in self.wv.expandos.items() if name != "count"})
        found.meta["state"] |= {name: getattr(self, name) for name in model_file.STATE}
        return found

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
        model: Word2Vec = cls.of_contents(os.fspath(fname), model_file.read(fname, mmap, allow_pickle))
        return model

    def take_contents(self, contents: Contents) -> None:
        """Become the model whose `contents` these are."""
        settings, state, arrays = contents.meta["settings"], contents.meta["state"], contents.arrays
        # Other parameters are no settings: with corpus_file, a file could have any other file read and trained on.
        for name in settings:
            checks.one_of("setting", name, [*self.settings_class.named(saved=True), "batch_words"])
        Word2Vec.__init__(self, **settings)
        for name in [*model_file.STATE, *ledgers.SAVED]:
            setattr(self, name, state[name])
        self.total_train_time = state.get("total_train_time", 0.0)
        attributes = {n.removeprefix("attr."): values for n, values in arrays.items() if n.startswith("attr.")}
        self.wv = KeyedVectors.from_arrays(
            contents.words, arrays["vectors"], {**attributes, "count": arrays["vocab.counts"]}
        )
        self.weights, self._trained_words = Weights.of_named(arrays), self.wv.index_to_key
        self._check_state()
        self._check_matrices(self.settings())

    def _check_state(self) -> None:
        """Check what is said of the corpus and of the training there was; what is saved can be loaded."""
        if self.corpus_total_words is not None:
            self.corpus_total_words = checks.integer("corpus_total_words", self.corpus_total_words, 0, MOST_WORDS)
        for name in ("corpus_count", "effective_min_count"):
            setattr(self, name, checks.integer(name, getattr(self, name), 0, MOST_WORDS))
        self.ledger.check()
        counts = self.wv.expandos["count"]
        if counts.sum(dtype=np.float64) >= 2.0**62:  # near enough to count exactly
            checks.integer("the sum of all counts", sum(counts.tolist()), 0, MOST_WORDS)

    def __getstate__(self) -> dict[str, Any]:
        """Pickles and copies hold the model without the encoded corpus."""
        _ = self.raw_vocab  # made from the scan while there is one
        self.record_digests()
        ledger = replace(self.ledger, runs=self.ledger.runs_as_of_now())
        left_out = {"_scan": None, "_vocabulary": None, "_former": None}
        return {**self.__dict__, **left_out, "ledger": ledger, "tokens": None, "activity": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what `__getstate__` gave, also that of a model without a ledger."""
        past = {name: state.pop(name) for name in LEDGER_NAMES if name in state}
        Trainee.__init__(self)
        self.__dict__.update({name: part for name, part in state.items() if name not in ("tokens", "activity")})
        self.ledger.__dict__.update(past)
        for name in ("_encoded", "_streamed", "_tables", "_reached", "_stop_wanted"):
            self.__dict__.pop(name, None)
        self.__dict__.setdefault("_vocabulary", None)


class _StopAfter(hooks.CallbackAny2Vec):
    """Ends a run where the one it repeats was ended."""

    def __init__(self, epochs: int) -> None:
        self._left = epochs

    def on_epoch_begin(self, model: Word2Vec) -> None:
        if self._left == 0:
            raise trainer.StopTraining("as many epochs as the model had")
        self._left -= 1
