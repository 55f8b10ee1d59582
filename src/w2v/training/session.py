"""One call of `train`, for any model: epochs, pauses, callbacks, checkpoints, Ctrl-C; and going on with a run."""

import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, TypeVar

from w2v._version import __version__
from w2v.common.progress import progress_bar
from w2v.files import errors
from w2v.files.reading import Pathlike
from w2v.text.corpus import Corpus
from w2v.tokens.encode import Encoded
from w2v.training import checkpoint as checkpoints
from w2v.training import epoch, freezing
from w2v.training.cuda import choice
from w2v.training.schedule import Schedule, derived_key, scheme_of
from w2v.training.trainable import Contents, Trainable
from w2v.training.workers import hot_rows, worker_count

logger = logging.getLogger(__name__)

# How many rows are looked at while an epoch runs: those of frequent words, which meet all others, are the first to go.
WATCHED_ROWS = 256

# What a bar counts.
WORDS: dict[str, Any] = {"unit": "words", "unit_scale": True}

Model = TypeVar("Model", bound=Trainable)


class Session:
    """Trains what is left of a model's last run.

    Parameters
    ----------
    model : Trainable
        Its provenance has an open run.
    corpus : Corpus
    callbacks : sequence of objects with the four hooks
    writer : CheckpointWriter, optional
    """

    def __init__(
        self,
        model: Trainable,
        corpus: Corpus,
        callbacks: Sequence[Any] = (),
        writer: checkpoints.CheckpointWriter | None = None,
    ) -> None:
        self._model, self._provenance = model, model.provenance
        self._corpus, self._callbacks, self._writer = corpus, callbacks, writer
        self._effects = self._those_with_effect()
        self._said_that_nothing_was_trained = False

    def write_first_checkpoint(self) -> None:
        """Write the model as it is before the first word, if checkpoints are wanted."""
        if self._writer is None:
            return
        settings = self._model.settings()
        [encoded] = self._model.parts(self._corpus, settings).encoded
        self._provenance.runs[-1]["corpus"] = encoded.sha256()
        self._writer.facts |= {
            "tokens": len(encoded.tokens),
            "sentences": len(encoded.offsets) - 1,
            "source": self._corpus.locator(),
            "threads": worker_count(settings.workers, len(encoded.tokens)),
        }
        self.write_checkpoint()

    def train(self) -> tuple[int, int]:
        """Train to the end of the run.

        Returns
        -------
        trained_words, raw_words : int
            Words after vocabulary and subsampling, and all words read, over the epochs trained here.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C and on `stop`, with a checkpoint written where there is a writer.
        FloatingPointError
            If the vectors are no longer finite.
        """
        trained = raw = 0
        ended = False
        started = time.perf_counter()
        try:
            try:
                self._call("on_train_begin")
                while (done := self._provenance.runs[-1]["trained"]) < self._provenance.runs[-1]["epochs"]:
                    if self._provenance.open_epoch is None:
                        self._call("on_epoch_begin")
                        self._provenance.open_epoch = epoch.Progress()
                    survivors, words = self._epoch()
                    trained, raw = trained + survivors, raw + words
                    self._call("on_epoch_end")
                    if self._writer is not None and self._writer.is_due_after(done + 1):
                        self.write_checkpoint()
            except epoch.StopTraining as reason:
                logger.info("stopped after %d epochs: %s", self._provenance.trained_epochs, reason)
            finally:
                self._provenance.total_train_time += time.perf_counter() - started
            ended = True
            with suppress(epoch.StopTraining):
                self._call("on_train_end")
            if self._writer is not None:
                self.write_checkpoint(finished=True)
        except KeyboardInterrupt:
            progress = self._provenance.open_epoch
            if self._writer is None or (progress is not None and not progress.consistent):
                raise
            self.write_checkpoint(finished=ended)
            raise KeyboardInterrupt(self._how_to_go_on(self._writer)) from None
        return trained, raw

    def _those_with_effect(self) -> dict[str, Any]:
        """The settings on which the bytes of this run depend, as they are now."""
        settings = self._model.settings()
        return settings.chosen([*settings.named(effect=True), "alpha", "min_alpha"])

    def _call(self, hook: str) -> None:
        for callback in self._callbacks:
            getattr(callback, hook)(self._model)

    def _how_to_go_on(self, writer: checkpoints.CheckpointWriter) -> str:
        run, progress = self._provenance.runs[-1], self._provenance.open_epoch
        position = 0 if progress is None else progress.position
        corpus_again = ", corpus" if writer.facts["source"] is None else ""
        return (
            f"stopped after {run['trained']} of {run['epochs']} epochs and {position:,} of "
            f"{writer.facts['tokens']:,} words; {type(self._model).__name__}.resume("
            f"{os.fspath(writer.folder.path)!r}{corpus_again}) goes on"
        )

    def _epoch(self) -> tuple[int, int]:
        """Train an epoch, or the rest of it; words after subsampling, and words of the text."""
        model, provenance, writer = self._model, self._provenance, self._writer
        # Made anew for every epoch: a callback may have assigned vectors, words or settings.
        settings = model.settings()
        frozen = freezing.kernel_options(provenance.runs[-1].get("freeze"), len(model.vocabulary.words))
        kernel = model.kernel(settings, **frozen)
        if (effects := self._those_with_effect()) != self._effects:
            changed = [name for name, value in effects.items() if value != self._effects[name]]
            provenance.doubt(f"a callback has assigned {', '.join(changed)}")
        # Exact results need the size of the corpus first, and what a checkpoint goes on from must be there as a whole.
        options = {} if kernel.exact or writer is not None else {"meanwhile": True}
        parts = model.parts(self._corpus, settings, **options)
        if parts.tokens == 0:
            raise RuntimeError("no word of this corpus is in the vocabulary; nothing can be trained")
        run, progress = provenance.runs[-1], provenance.open_epoch
        assert progress is not None
        when = f"in epoch {run['trained'] + 1}"
        workers = worker_count(settings.workers, parts.tokens)
        if writer is not None and not settings.deterministic:
            workers = writer.facts["threads"]  # one thread and several give other bytes
        if not kernel.exact or (workers > 1 and not settings.deterministic):
            run["repeatable"] = False
        provenance.note_device(kernel.device_name)
        slope = (settings.alpha - settings.min_alpha) / (run["epochs"] * parts.tokens)
        schedule = Schedule(settings.alpha - slope * parts.tokens * run["trained"], slope, parts.tokens)
        read = _WordCounter(parts.encoded)
        batches: Iterable[epoch.Checked] = epoch.check_parts(kernel, read)
        if parts.whole:
            batches = list(batches)  # checked once, also if checkpoints cut the epoch into pieces

        def pause() -> bool:
            if not settings.deterministic:  # there, workers look by themselves, when nobody writes
                model.check_finite(when, WATCHED_ROWS)
            model.heed()
            return writer is not None and writer.is_due()

        title = f"epoch {run['trained'] + 1}/{run['epochs']}"
        with progress_bar(settings.progress, **WORDS, total=parts.tokens, desc=title) as bar:
            ended = False
            while not ended:
                try:
                    with model.rows_change():
                        ended = kernel.run(
                            batches,
                            progress,
                            key=derived_key(settings.seed, 1, provenance.trained_epochs),
                            schedule=schedule,
                            workers=workers,
                            n_hot=hot_rows(model.vocabulary.counts, parts.tokens, workers, bool(settings.hs)),
                            round_shape=provenance.round_shape if settings.deterministic else None,
                            bar=bar,
                            pause=pause,
                        )
                except FloatingPointError:
                    model.check_finite(when)  # raises with the way out
                    raise
                if not ended:
                    self.write_checkpoint()
        if not parts.whole and parts.counted and progress.words != parts.tokens:
            run["repeatable"] = False
            logger.warning(
                "the corpus had %s words of the vocabulary, not the %s counted before", progress.words, parts.tokens
            )
        if not progress.examples:
            self._say_that_nothing_was_trained(progress, settings.sample)
        model.check_finite(when)
        alpha = schedule.at(parts.tokens)
        record = epoch.EpochRecord.of(provenance.trained_epochs, progress, alpha, settings.compute_loss)
        provenance.end_epoch(record, progress.loss)
        logger.info(
            "epoch %d of %d: %s words in %.1f s (%s words/s), alpha %.5f%s",
            run["trained"] + 1,
            run["epochs"],
            f"{record.raw_words:,}",
            record.seconds,
            f"{record.raw_words / max(record.seconds, 1e-9):,.0f}",
            record.alpha,
            "" if record.loss is None else f", loss {record.loss:.4f}",
        )
        return record.trained_words, read.words

    def _say_that_nothing_was_trained(self, progress: epoch.Progress, sample: float) -> None:
        """Once a run: its other epochs see the same words."""
        if self._said_that_nothing_was_trained:
            return
        self._said_that_nothing_was_trained = True
        if sample and progress.survivors < progress.words:
            way_out = f"sample={sample:g} is for large texts: set sample=0, or train on more text"
        else:
            way_out = "give sentences of two words and more that are in the vocabulary, or lower min_count"
        logger.warning(
            "nothing was trained: of %s words %s were left by subsampling, none with a neighbour in its sentence and "
            "a target to learn; %s",
            f"{progress.words:,}",
            f"{progress.survivors:,}",
            way_out,
        )

    def write_checkpoint(self, finished: bool = False) -> None:
        """Write the model, and how far it has come."""
        assert self._writer is not None
        progress = self._provenance.open_epoch
        reached = None if progress is None else {name: getattr(progress, name) for name in checkpoints.REACHED}
        try:
            contents = self._model.contents()
            contents.meta["state"] |= self._provenance.saved(goes_on=True)
            self._writer.write(
                *contents, history=self._provenance.history_as_json(), reached=reached, finished=finished
            )
        except ValueError:  # before anything is written: better the generations there are
            self._model.check_finite("in this epoch")  # raises with the way out
            raise


class _WordCounter:
    """Passes parts on and counts the words of the text behind them."""

    def __init__(self, parts: Iterable[Encoded]) -> None:
        self._parts = parts
        self.words = 0

    def __iter__(self) -> Iterator[Encoded]:
        for part in self._parts:
            self.words += part.text_words
            yield part


def checkpoint_folder(
    checkpoint: Pathlike | None, every: Any, corpus: Corpus, cache: str
) -> AbstractContextManager[checkpoints.CheckpointWriter | None]:
    """The writer of a new run's checkpoints, if one is wanted and the run could be resumed."""
    checkpoints.interval(every)
    if checkpoint is None:
        return nullcontext()
    if cache == "none":
        raise ValueError(
            "checkpoint= needs the encoded corpus, to go on at a word and to tell it from another; use "
            "cache='disk' instead of cache='none'"
        )
    corpus.check_repeatable(f"checkpoint={os.fspath(checkpoint)!r} is for going on later")
    folder = checkpoints.Folder(checkpoint)
    try:
        folder.check_unused()
    except OSError:
        folder.close()
        raise
    return checkpoints.CheckpointWriter(folder, every)


def train(
    model: Trainable,
    corpus: Corpus,
    callbacks: Sequence[Any] = (),
    writer: checkpoints.CheckpointWriter | None = None,
    freeze: str | None = None,
) -> tuple[int, int]:
    """Begin a run of a model with its settings as they are, and train it to its end; see `Session.train`.

    What it leaves as it is, `freeze`, is written as `freezing.checked` does.
    """
    settings = model.settings()
    cached = settings.cache != "none"
    model.provenance.begin_run(
        settings.epochs, settings.alpha, settings.min_alpha, cached=cached, freeze=freeze, reader=corpus.reader()
    )
    with model.provenance.marking_interruption():
        session = Session(model, corpus, callbacks, writer)
        session.write_first_checkpoint()
        return session.train()


def resume(
    family: type[Model],
    checkpoint: Pathlike,
    corpus: Corpus | None,
    *,
    workers: int | None,
    callbacks: Sequence[Any],
    progress: bool | None,
    wanted: Mapping[str, Any],
) -> Model:
    """Go on with a run, from the newest checkpoint in its folder; see `w2v.Word2Vec.resume`.

    Parameters
    ----------
    family : type
        Of the model that a checkpoint holds.
    corpus : Corpus, optional
        Not needed where the checkpoint says where it is.
    wanted : mapping
        Settings that must be those of the run.
    """
    with checkpoints.Folder(checkpoint, create=False) as folder:
        found, faults = folder.read()
        for fault in faults:
            logger.warning("%s; going on from %s", fault, found.path)
        scheme = scheme_of(found.meta.get("settings"))
        if found.meta.get("scheme") != scheme:
            raise ValueError(
                f"{found.path}: a run of scheme {found.meta.get('scheme')}; this is w2v {__version__} with scheme "
                f"{scheme}, which would go on to other bytes. Resume it with the w2v that began it"
            )
        model = family.of_contents(found.path, Contents(found.kind, found.words, found.arrays, found.meta))
        model.progress = progress
        _check_same_settings(model, folder.path, wanted)
        cursor = _restore_progress(model, found)
        del found  # its arrays are another copy of the model's as soon as that trains
        if cursor["finished"]:
            logger.info("the run in %s had ended", folder.path)
            return model
        choice.check(model.settings())
        if corpus is None:
            corpus = Corpus.reopen(cursor["source"], folder.path)
        corpus = corpus.read_as(model.provenance.runs[-1].get("reader")).read_by(model.settings().tokenizer)
        _check_same_corpus(model, corpus, cursor, folder.path)
        writer = checkpoints.CheckpointWriter(folder, cursor["every"])
        writer.facts |= {name: cursor[name] for name in ("tokens", "sentences", "threads")}
        writer.facts |= {"source": corpus.locator()}  # it may have moved
        if workers is not None:
            writer.facts["threads"] = _other_workers(model, workers, cursor)
        with model.activity.only("resume"), model.provenance.marking_interruption():
            Session(model, corpus, callbacks, writer).train()
    return model


def _check_same_settings(model: Trainable, folder: Pathlike, wanted: Mapping[str, Any]) -> None:
    settings = model.settings()
    if "device" in wanted:  # may be another, as the number of workers may
        model.device, wanted = wanted["device"], {name: wanted[name] for name in wanted if name != "device"}
        settings = model.settings()
    if unknown := set(wanted) - set(settings.named(saved=True)):
        raise TypeError(f"resume() knows no setting {min(unknown)!r}")
    others = [
        f"{name}={getattr(settings, name)!r}, not {value!r}"
        for name, value in wanted.items()
        if getattr(settings, name) != value and not (name == "seed" and value is None)  # any seed, as when it began
    ]
    if others:
        raise ValueError(f"the run in {os.fspath(folder)} has other settings: {'; '.join(others)}")


def _restore_progress(model: Trainable, found: checkpoints.Generation) -> dict[str, Any]:
    """Take over where in the run a checkpoint was written."""
    provenance = model.provenance
    segments, words = provenance.round_shape if model.settings().deterministic else (1, 1)
    state = {name: getattr(provenance, name) for name in checkpoints.STATE}
    cursor = checkpoints.checked(found.path, found.cursor, state, segments * words, segments)
    if cursor["threads"] != worker_count(cursor["threads"], cursor["tokens"]):
        raise errors.FormatError(f"{found.path}: its checkpoint has {cursor['threads']:,} threads for so few words")
    provenance.history = [epoch.EpochRecord(**record) for record in cursor["history"]]
    provenance.open_epoch = None if cursor["reached"] is None else epoch.Progress(**cursor["reached"])
    return cursor


def _check_same_corpus(model: Trainable, corpus: Corpus, cursor: Mapping[str, Any], folder: Pathlike) -> None:
    [encoded] = model.parts(corpus, model.settings()).encoded
    there = f"{len(encoded.tokens):,} words in {len(encoded.offsets) - 1:,} sentences"
    wanted = f"{cursor['tokens']:,} in {cursor['sentences']:,}"
    if (len(encoded.tokens), len(encoded.offsets) - 1) != (cursor["tokens"], cursor["sentences"]):
        raise ValueError(
            f"this is another corpus than that of the run in {folder}: {there}, not {wanted} (counting "
            "words of the vocabulary)"
        )
    if encoded.sha256() != model.provenance.runs[-1]["corpus"]:
        raise ValueError(
            f"this is another corpus than that of the run in {folder}: {there} as there, but other words "
            "or in another order (SHA-256 differs)"
        )


def _other_workers(model: Trainable, workers: int, cursor: Mapping[str, Any]) -> int:
    threads = worker_count(workers, cursor["tokens"])
    if cursor["threads"] == 1 and threads > 1 and not model.settings().deterministic:
        raise ValueError(f"workers={workers} would end in other bytes than the one worker that the run has")
    model.workers = workers
    return threads
