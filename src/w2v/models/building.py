"""From a corpus to a model that can be trained, in gensim's steps: count, choose, make or grow the matrices."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks, memory
from w2v.common.cores import thread_count
from w2v.common.old_names import new_names_of
from w2v.common.progress import progress_bar
from w2v.files.reading import Pathlike
from w2v.models.extendable import Extendable
from w2v.models.gensim_tables import GensimTables
from w2v.models.with_terms import WithTerms
from w2v.text.corpus import Corpus
from w2v.tokens.cache import LIMITS
from w2v.tokens.encode import Scan
from w2v.tokens.words import Sentences, check_token
from w2v.training import epoch
from w2v.training.provenance import MOST_WORDS, Provenance
from w2v.training.session import WORDS
from w2v.training.settings import Settings, checked_sample
from w2v.training.weights import Weights, estimated
from w2v.vectors.keyed import KeyedVectors
from w2v.vocabulary.choose import TrimRule
from w2v.vocabulary.vocabulary import BYTES_PER_WORD, NULL_WORD, Vocabulary, choose

logger = logging.getLogger(__name__)
OF_CORPUS = ("corpus_count", "corpus_total_words", "effective_min_count")  # what a vocabulary knows of its corpus


def _in_provenance(name: str) -> Any:
    """An attribute of the model that its provenance holds."""

    def read(self: Any) -> Any:
        return getattr(self.provenance, name)

    def assign(self: Any, value: Any) -> None:
        setattr(self.provenance, name, value)

    return property(read, assign, doc=f"See `w2v.training.provenance.Provenance.{name}`.")


class Buildable(WithTerms, GensimTables, Extendable):
    """A trainable whose words, counts and input rows are a `KeyedVectors`, which gensim's programs read and assign.

    The parts that a session works on are made of what is there. A model is built as a whole or not at all.
    """

    # The settings that these steps read.
    vector_size: int
    alpha: float
    seed: int
    min_count: int
    max_vocab_size: int | None
    max_final_vocab: int | None
    sample: float
    ns_exponent: float
    negative: int
    hs: int
    sorted_vocab: int
    null_word: int
    cache: str
    deterministic: bool

    # What gensim's programs read of a model's past.
    history = _in_provenance("history")
    loss_history = _in_provenance("loss_history")
    min_alpha_yet_reached = _in_provenance("min_alpha_yet_reached")
    round_shape = _in_provenance("round_shape")
    running_training_loss = _in_provenance("running_training_loss")
    runs = _in_provenance("runs")
    total_train_time = _in_provenance("total_train_time")
    train_count = _in_provenance("train_count")
    trained_epochs = _in_provenance("trained_epochs")

    def _start_empty(self) -> None:
        self.provenance = Provenance(self.alpha)
        self.tokens.drop()
        self.wv = KeyedVectors(self.vector_size)
        self.wv.__dict__["steps"] = self.steps
        self.syn1neg: NDArray[np.float32] | None = None  # output rows of negative sampling, one per word
        self.syn1: NDArray[np.float32] | None = None  # inner nodes of hierarchical softmax; the last row is not used
        self.corpus_count = 0
        self.corpus_total_words: int | None = 0  # None: an old file does not know
        self.effective_min_count = self.min_count
        self._raw_vocab: Mapping[str, int] | None = None
        self._at_once = False  # whether what `build_vocab` reads is trained within the same call
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
        self.wv.vector_size = weights.inputs.shape[1]  # `vector_size` of the model may have been assigned
        self.syn1neg, self.syn1 = weights.outputs, weights.nodes
        self.wv.vectors_lockf = weights.locks

    def build_vocab(
        self,
        corpus_iterable: Sentences | None = None,
        corpus_file: Pathlike | None = None,
        update: bool = False,
        progress_per: int = 10_000,
        keep_raw_vocab: bool = False,
        trim_rule: TrimRule | None = None,
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
        corpus_iterable = new_names_of(self.old_corpus, old_names, "build_vocab").get(
            "corpus_iterable", corpus_iterable
        )
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
        trim_rule: TrimRule | None = None,
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
        before = [(part, dict(part.__dict__)) for part in (self, self.wv, self.tokens, *self._more_parts())]
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
        trim_rule: TrimRule | None = None,
    ) -> tuple[int, int]:
        """Count the words of a corpus into `raw_vocab`, and encode it on the way.

        `progress_per` is accepted for gensim's sake and ignored; `workers` is how many threads read, by default
        those of the model.

        Returns
        -------
        words, sentences : int
        """
        settings = self.settings()
        corpus = Corpus.from_arguments(corpus_iterable, corpus_file, tokenizer=settings.tokenizer)
        # What the constructor reads is trained within the same call.
        identity = corpus.identity(self.train_count + 1 if self._at_once and settings.cache != "none" else 0)
        if settings.cache == "none":
            corpus.check_repeatable("cache='none' reads the corpus in every epoch")
        readers = settings.workers if workers is None else checks.worker_number(workers)
        with (
            self.activity.only("scan_vocab", within="build_vocab"),
            progress_bar(settings.progress, **WORDS, desc="reading", leave=False) as bar,
        ):
            scan = Scan(
                *corpus,
                max_vocab_size=settings.max_vocab_size,
                trim_rule=trim_rule,
                cache_bytes=LIMITS[settings.cache],
                keep_tokens=settings.cache != "none",
                threads=thread_count(readers),
                report=lambda words: (self.heed(), bar.update(words)),
                documents=self.of_documents,
                terms=self.tokens.terms,
            )
        self._raw_vocab = None
        self.corpus_count, self.corpus_total_words = scan.sentences, scan.text_words
        self._scan = identity, scan
        logger.info(
            "read %s words in %s sentences, %s different",
            f"{scan.text_words:,}",
            f"{scan.sentences:,}",
            f"{len(scan.counts):,}",
        )
        return scan.text_words, scan.sentences

    def prepare_vocab(
        self,
        update: bool = False,
        keep_raw_vocab: bool = False,
        trim_rule: TrimRule | None = None,
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
        self.round_shape = self.round_shape if update else epoch.round_shape(int(choice.counts.sum()))
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
        self.record_digests()
        self.tokens.drop()  # they belong to another vocabulary
        if not update:
            self.provenance = self.provenance.of_new_words()
        self.wv.take_over(words, vectors, {"count": counts, **attributes})
        self.wv.vectors_lockf = locks
        self.wv.allocate_vecattrs()
        if len(words) == 1:
            logger.warning("the vocabulary has one word, %r: there is nothing to tell it from", words[0])
        if self._scan is not None:
            (identity, scan), self._scan = self._scan, None  # encoding uses it up, also when it is interrupted
            index = self.wv.key_to_index
            self._take_tags(scan, update)
            if self.cache != "none":
                self.tokens.hold(identity, index, scan.encode(index, self.tag_rows()))
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
            size, kinds = self._output_size(), {name: bool(getattr(self, name)) for name in ("negative", "hs", "tied")}
            self.weights = Weights.new(len(self.wv), self.vector_size, self.seed, output_size=size, **kinds)
            self._trained_words = self.wv.index_to_key
            self.provenance = self.provenance.of_new_weights(self.alpha)

    def update_weights(self) -> None:
        """Give new words their rows: input vectors from the seed, zero outputs; every old word keeps its own."""
        with self.activity.only("update_weights", within="build_vocab"):
            former, paths = None, None
            if self.syn1 is not None:
                known = self._former or self.vocabulary.first(len(self.wv.vectors))
                former, paths = known.paths(), self.vocabulary.paths()
            self.weights = self.weights.grown(len(self.wv), self.seed, former, paths)
            self._trained_words = self.wv.index_to_key

    def reset_from(self, other_model: "Buildable") -> None:
        """Take over the vocabulary of another model, and start with new matrices."""
        if not len(other_model.wv):
            raise RuntimeError("the other model has no vocabulary yet")
        self.settings()
        words = list(other_model.wv.index_to_key)
        counts = {name: values.copy() for name, values in other_model.wv.expandos.items()}
        known = {name: getattr(other_model, name) for name in OF_CORPUS}
        with self.activity.only("build_vocab"), self._all_or_nothing():
            self._start_empty()
            self.wv.take_over(words, np.zeros((0, self.vector_size), np.float32), counts)
            self.__dict__.update(known)
            self.round_shape = other_model.round_shape
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
        report = {} if report is None else report
        report["vocab"] = words * (BYTES_PER_WORD + (100 if self.hs else 0))
        segments = self.round_shape[0] if self.deterministic else None
        own_outputs = bool(self.negative) and not self.tied
        report |= estimated(words, self.vector_size, self._output_size(), own_outputs, bool(self.hs), segments)
        report["total"] = sum(size for name, size in report.items() if name != "total")
        return report

    def _check_matrices(self, settings: Settings) -> None:
        """Every row that can be asked for exists: the kernel trusts what it is given."""
        words = len(self.wv)
        if "count" not in self.wv.expandos:
            raise RuntimeError("the vocabulary has no counts to train with; call build_vocab first")
        matrices: dict[str, NDArray[Any] | None] = {"wv.vectors": self.wv.vectors}
        matrices |= {"syn1neg": self.syn1neg} if settings.negative else {}
        matrices |= {"syn1": self.syn1} if settings.hs else {}
        for name, matrix in matrices.items():
            due = words, settings.vector_size if name == "wv.vectors" else self._output_size()
            if matrix is None or matrix.shape != due:
                found = "missing" if matrix is None else f"of shape {matrix.shape}"
                raise RuntimeError(
                    f"model.{name} is {found}, but the vocabulary of {words:,} words needs "
                    f"({words:,}, {due[1]}); was a word added or wv replaced? build_vocab starts again, "
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

    def kernel(self, settings: Settings, **options: Any) -> epoch.Kernel:
        """What trains the matrices; see `Trainable.kernel`."""
        epoch.warn_if_slow(logger.warning)
        self._check_matrices(settings)
        return super().kernel(settings, **options)

    @contextmanager
    def rows_change(self) -> Iterator[None]:
        """Let queries know that norms and rows may belong to different moments."""
        try:
            yield
        finally:
            self.wv.norms = None  # also after Ctrl-C the vectors have changed
