"""What a model is to a session that trains it: its settings, words, matrices, tokens, and what a file holds of it."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, NamedTuple, Self

from numpy.typing import NDArray

from w2v._version import __version__
from w2v.common.cores import thread_count
from w2v.files import errors
from w2v.text.corpus import Corpus
from w2v.tokens.cache import TokenCache
from w2v.tokens.encode import Encoded
from w2v.tokens.stream import expected_tokens
from w2v.tokens.tags import TagRows
from w2v.training import epoch, matrices, schedule
from w2v.training import provenance as provenances
from w2v.training.activity import Activity
from w2v.training.cuda import choice
from w2v.training.provenance import Provenance
from w2v.training.settings import Settings
from w2v.training.weights import Weights
from w2v.vocabulary.vocabulary import Vocabulary


class Parts(NamedTuple):
    """The corpus of an epoch.

    Attributes
    ----------
    tokens : int, how many words of the vocabulary it has
    encoded : iterable of Encoded, its parts in order
    whole : bool
        It is one part that stays in memory or in a file, so that training can begin anywhere in it.
    counted : bool
        Else `tokens` is an estimate, and the parts are read while the first of them are trained.
    """

    tokens: int
    encoded: Iterable[Encoded]
    whole: bool
    counted: bool = True


class Contents(NamedTuple):
    """What a file of a model holds; see `w2v.files.native`."""

    kind: str
    words: list[str]
    arrays: dict[str, NDArray[Any]]
    meta: dict[str, Any]


class Trainable:
    """A model that a `Session` can train.

    A family of models says which settings it has, which words, and which matrices; `parts` and `kernel` are overridden
    by one whose examples have other input rows. Everything else follows: epochs, callbacks, checkpoints, a run that
    is taken up again, deterministic training, the fingerprint.
    """

    kind: ClassVar[str]
    settings_class: ClassVar[type[Settings]] = Settings
    alpha: float
    device: str
    workers: int  # and all other settings: attributes that a user may assign
    progress: bool | None
    tied: bool
    vocabulary: Vocabulary
    weights: Weights

    def __init__(self) -> None:
        self.provenance = Provenance()
        self.activity = Activity()
        self.tokens = TokenCache()

    def settings(self) -> Settings:
        """The parameters as they are now, also those assigned since, checked; what is saved can be loaded."""
        settings = self.settings_class.of(self)
        settings.assign_to(self)
        return settings

    def tag_rows(self) -> TagRows | None:
        """The rows of tags, where the corpus is one of documents."""
        return None

    def parts(self, corpus: Corpus, settings: Settings, meanwhile: bool = False) -> Parts:
        """The corpus as integers.

        `meanwhile` allows parts that are read while others are trained, of a corpus whose size is estimated: exact
        results need its size.
        """
        rows = self.tag_rows()
        tokens, index, threads = self.tokens, self.vocabulary.index, thread_count(settings.workers)
        call = self.provenance.train_count
        former = tokens.held
        if settings.cache == "none":
            self.provenance.record_digests(former)
            count = tokens.count(corpus, index, threads, self.heed, rows)
            self._doubt_a_change()
            return Parts(count, self._streamed(tokens.stream(corpus, index, threads, rows)), False)
        if meanwhile and corpus.is_path and rows is None and tokens.terms is None:
            expected = None if tokens.holds(corpus, call, index) else expected_tokens(corpus, index)
            if expected:
                self.provenance.record_digests(former)
                parts = tokens.encode_meanwhile(corpus, call, index, settings.cache, threads)
                return Parts(expected, self._streamed(parts), False, False)
        encoded = tokens.encode(corpus, call, index, settings.cache, threads, self.heed, rows)
        if encoded is not former:
            self.provenance.record_digests(former)
        self._doubt_a_change()
        self._doubt_order(encoded)
        return Parts(len(encoded.tokens), [encoded], True)

    def _streamed(self, parts: Iterable[Encoded]) -> Iterator[Encoded]:
        for part in parts:
            self._doubt_order(part)
            yield part
        self._doubt_a_change()

    def _doubt_order(self, encoded: Encoded) -> None:
        if not encoded.ordered:
            self.provenance.doubt("sets have another order in every process; give lists, for example sorted(words)")

    def _doubt_a_change(self) -> None:
        if self.tokens.changed and self.provenance.runs and self.provenance.runs[-1]["trained"]:
            self.provenance.doubt("the corpus has changed between two epochs")

    def kernel(self, settings: Settings, **options: Any) -> epoch.Kernel:
        """What trains the matrices, which are brought into the shape that it needs; `options` are those of `Kernel`."""
        vocabulary = self.vocabulary
        self.weights = weights = self.weights.trainable()
        options = {
            "documents": matrices.whole_rows(weights.documents),
            "document_locks": weights.document_factors(),
            "shrink": settings.shrink_windows,
            "columns": weights.inputs.shape[1],
            **options,
        }
        make = choice.kernel_class(settings, vocabulary.counts)
        return make(
            matrices.whole_rows(weights.inputs),
            matrices.whole_rows(weights.outputs) if settings.negative else None,
            matrices.whole_rows(weights.nodes) if settings.hs else None,
            vocabulary.keep(settings.sample),
            vocabulary.noise(settings.ns_exponent) if settings.negative else None,
            *(vocabulary.paths() if settings.hs else (None, None, None)),
            locks=weights.factors(),
            window=settings.window,
            negative=settings.negative,
            shared=settings.shared_negatives,
            cbow=not settings.sg,
            mean_forward=bool(settings.cbow_mean),
            # The gradient of a mean is divided by the number of words, that of a sum is not. word2vec does it the
            # other way round; cbow_corrected does it right.
            mean_backward=bool(settings.cbow_mean) == settings.cbow_corrected,
            with_loss=settings.compute_loss,
            **options,
        )

    def check_finite(self, when: str, rows: int | None = None) -> None:
        """FloatingPointError if the first rows of a matrix, or all, are no numbers any more."""
        if not self.weights.is_finite(rows):
            raise FloatingPointError(
                f"the vectors are no longer finite {when}; lower alpha={self.alpha!r} and start again "
                "(init_weights makes new ones)"
            )

    def rows_change(self) -> AbstractContextManager[object]:
        """Open while training changes the numbers in the matrices."""
        return nullcontext()

    def contents(self) -> Contents:
        """What a file of this model holds."""
        settings = self.settings()
        self.record_digests()
        arrays: dict[str, NDArray[Any]] = dict(self.weights.named())
        arrays["vocab.counts"] = self.vocabulary.counts
        locks = {"vectors.locks": self.weights.factors(), "documents.locks": self.weights.document_factors()}
        arrays |= {name: factors for name, factors in locks.items() if factors is not None}
        meta = {
            "settings": settings.chosen(settings.named(saved=True)),
            "state": self.provenance.saved(),
            "scheme": schedule.scheme_of(settings.chosen(settings.named())),
        }
        return Contents(self.kind, self.vocabulary.words, arrays, meta)

    @classmethod
    def of_contents(cls, path: str, contents: Contents) -> Self:
        """A model of what a file holds; FormatError if that does not fit together."""
        model = cls.__new__(cls)  # the constructor of a family, or of a user's subclass, may want a corpus
        try:
            model.take_contents(contents)
        except RuntimeError as error:
            raise errors.FormatError(f"{path}: {error}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise errors.FormatError(f"{path}: the model's settings are not readable: {error}") from error
        return model

    def take_contents(self, contents: Contents) -> None:
        """Become the model whose `contents` these are."""
        Trainable.__init__(self)
        self.settings_class(**contents.meta["settings"]).assign_to(self)
        self.settings()
        words = contents.words
        index = {word: row for row, word in enumerate(words)}
        self.vocabulary = Vocabulary(words, index, contents.arrays["vocab.counts"])
        self.weights = Weights.of_named(contents.arrays, self.tied)
        for name in provenances.SAVED:
            setattr(self.provenance, name, contents.meta["state"][name])
        self.provenance.check()

    def fingerprint(self) -> str:
        """SHA-256 of all that this model is and came from.

        That is: vectors, vocabulary with its counts, the settings that matter to a result, every call of `train`
        with the hash of its corpus, the version of w2v and the number of the scheme. It does not depend on the number
        of workers where training does not. `save` stores it, ``w2v info`` prints it.
        """
        settings = self.settings()
        self.record_digests()
        terms = self.terms_digest()
        return provenances.fingerprint(
            self.vocabulary.words,
            self.vocabulary.counts,
            self.weights.named(),
            settings.identity() | ({"terms": terms} if terms else {}),
            self.provenance.runs_as_of_now(),
            self.provenance.round_shape if settings.deterministic else None,
            __version__,
            self.tags_digest(),
        )

    def tags_digest(self) -> str | None:
        """A hash of the tags of documents, where there are any."""
        return None

    def terms_digest(self) -> str | None:
        """SHA-256 of what makes words of terms in the corpora of this model; None if nothing does."""
        return None

    def record_digests(self) -> None:
        """Note the hash of the corpus that is held for the runs that were trained on it."""
        self.provenance.record_digests(self.tokens.held)

    def heed(self, words: int = 0) -> bool:
        """Raise what `stop` asks for; a reader of text calls this with how far it has come."""
        self.activity.raise_if_stopped()
        return False

    def stop(self) -> None:
        """End the `train` or `build_vocab` that another thread is in, as Ctrl-C would: it raises KeyboardInterrupt."""
        self.activity.stop()
