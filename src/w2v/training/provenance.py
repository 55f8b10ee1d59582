"""What a model has been through: every call of `train`, every epoch, and how far the open one has come."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.common import checks
from w2v.files import arrays, native
from w2v.tokens.encode import Encoded
from w2v.training import epoch, freezing, schedule
from w2v.training.settings import MOST_ALPHA

logger = logging.getLogger(__name__)

MOST_WORDS = 2**63 - 1

# A run is a plain dictionary, since files hold it as it is:
#   epochs      how many were asked for
#   trained     how many have ended
#   alpha, min_alpha
#   corpus      SHA-256 of the encoded corpus; "" if it was not kept, None as long as nobody has asked
#   repeatable  whether the same call would give the same bytes
#   freeze      what it left as it was, as `freezing` writes it; only in a run that froze something
#   reader      how its sequences were read, as `Corpus.reader` says; only in a run on sequences
#   devices     names of the GPUs that trained it; only where there were any
Run = dict[str, Any]


@dataclass
class Provenance:
    """The past of a model.

    Attributes
    ----------
    runs : list of dict, one for each call of `train`
    history : list of EpochRecord, of the epochs trained in this process
    loss_history : list of float, mean loss of each epoch that had one
    running_training_loss : float, sum since the last call of `train` began
    trained_epochs : int, over the whole life of the matrices
    min_alpha_yet_reached : float
    train_count : int, calls of `train`
    total_train_time : float, seconds
    round_shape : (int, int), segments of a round and words of each, of deterministic training
    open_epoch : Progress or None, how far the epoch has come that has begun and not ended
    """

    min_alpha_yet_reached: float = 0.0
    runs: list[Run] = field(default_factory=list)
    history: list[epoch.EpochRecord] = field(default_factory=list)
    loss_history: list[float] = field(default_factory=list)
    running_training_loss: float = 0.0
    trained_epochs: int = 0
    train_count: int = 0
    total_train_time: float = 0.0
    round_shape: tuple[int, int] = schedule.ROUND
    open_epoch: epoch.Progress | None = None

    def of_new_words(self) -> "Provenance":
        """The provenance of a model whose vocabulary has been replaced."""
        return replace(self, history=[], running_training_loss=0.0, train_count=0, total_train_time=0.0)

    def of_new_weights(self, alpha: float) -> "Provenance":
        """The provenance of a model whose matrices have been replaced."""
        return replace(self, runs=[], loss_history=[], trained_epochs=0, min_alpha_yet_reached=alpha, open_epoch=None)

    def begin_run(
        self,
        epochs: int,
        alpha: float,
        min_alpha: float,
        *,
        cached: bool,
        freeze: str | None = None,
        reader: dict[str, Any] | None = None,
    ) -> None:
        """Open a run. Its corpus is named later, by `record_digests`, or not at all if it is not kept."""
        self.running_training_loss = 0.0
        self.train_count += 1
        self.open_epoch = None
        run: Run = {"epochs": epochs, "trained": 0, "alpha": alpha, "min_alpha": min_alpha}
        run |= {"corpus": None if cached else "", "repeatable": True}
        if freeze is not None:
            run["freeze"] = freeze
        if reader is not None:
            run["reader"] = reader
        # The list itself may be that of a shallow copy of the model, too.
        self.runs = [*map(freezing.shortened, self.runs), run]

    def end_epoch(self, record: epoch.EpochRecord, loss: float) -> None:
        """Close an epoch at once, also for a Ctrl-C: a checkpoint says all of an epoch, or that it has not ended."""
        has_loss = record.loss is not None
        self.__dict__.update(
            history=[*self.history, record],
            loss_history=[*self.loss_history, record.loss] if has_loss else self.loss_history,
            running_training_loss=self.running_training_loss + (loss if has_loss else 0.0),
            trained_epochs=self.trained_epochs + 1,
            min_alpha_yet_reached=record.alpha,
            runs=[*self.runs[:-1], {**self.runs[-1], "trained": self.runs[-1]["trained"] + 1}],
            open_epoch=None,
        )

    @contextmanager
    def marking_interruption(self) -> Iterator[None]:
        """Mark a run that ends within an epoch as not repeatable; drop one that trained nothing."""
        try:
            yield
        except BaseException:
            if self.is_within_an_epoch:
                self.runs[-1]["repeatable"] = False
            elif not self.runs[-1]["trained"]:
                self.runs = self.runs[:-1]
            raise

    def note_device(self, name: str) -> None:
        """Let the open run say that a GPU trains it."""
        run = self.runs[-1]
        if name != "cpu" and name not in (known := run.get("devices", [])):
            self.runs = [*self.runs[:-1], run | {"devices": [*known, name]}]

    @property
    def devices(self) -> list[str]:
        """The GPUs that have trained the model, without repetition."""
        return list(dict.fromkeys(name for run in self.runs for name in run.get("devices", [])))

    def doubt(self, reason: str) -> None:
        """Let the last run say that it cannot be repeated."""
        if self.runs and self.runs[-1]["repeatable"]:
            logger.warning("this run cannot be repeated: %s", reason)
            self.runs[-1]["repeatable"] = False

    @property
    def is_within_an_epoch(self) -> bool:
        """Whether the matrices hold a part of an epoch."""
        return self.open_epoch is not None and (self.open_epoch.words > 0 or not self.open_epoch.consistent)

    def record_digests(self, encoded: Encoded | None) -> None:
        """Note what the corpus of the last runs was, while it is there: the SHA-256 of its tokens and sentences."""
        open_runs = [run for run in self.runs if run["corpus"] is None and run["trained"]]
        if open_runs and encoded is not None:
            digest = encoded.sha256()
            for run in open_runs:
                run["corpus"] = digest

    def runs_as_of_now(self) -> list[Run]:
        """The runs without the open epoch's progress: one that was cut within an epoch could not be repeated."""
        if not self.is_within_an_epoch:
            return self.runs
        return [*self.runs[:-1], {**self.runs[-1], "repeatable": False}]

    def saved(self, *, goes_on: bool = False) -> dict[str, Any]:
        """What a file keeps; `goes_on` if it also says how far the open epoch has come.

        Of the lists that grow with the training it is the newest part, as a file's header is bounded. A training whose
        first runs are left out cannot be repeated from those that are kept.
        """
        state = {name: getattr(self, name) for name in SAVED}
        state["runs"] = self.runs if goes_on else self.runs_as_of_now()
        for name in ("loss_history", "runs"):
            if (entries := len(state[name])) > native.KEPT_RECORDS:
                state[name] = state[name][-native.KEPT_RECORDS :]
                logger.warning("a file holds the newest %s of %s %s", f"{native.KEPT_RECORDS:,}", f"{entries:,}", name)
        if len(state["runs"]) < len(self.runs):
            state["runs"][0] = {**state["runs"][0], "repeatable": False}
        return state

    def check(self) -> None:
        """Check what a file, or a user's assignment, says of the training there was."""
        for name in ("train_count", "trained_epochs"):
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
            _list_of("devices", run.get("devices", []), str)
            if not isinstance(run["repeatable"], bool):
                raise TypeError(f"repeatable={run['repeatable']!r} of a run must be true or false")
            if not isinstance(run.get("reader", {}), dict):
                raise TypeError(f"reader={run['reader']!r:.60} of a run must be the settings of a reader")
            freezing.check(run.get("freeze"))
        segments, words = _list_of("round_shape", list(self.round_shape), int)
        most_segments, most_words = epoch.MOST_ROUND
        self.round_shape = (
            checks.integer("segments", segments, 1, most_segments),
            checks.integer("words of a segment", words, 1, most_words),
        )

    def history_as_json(self) -> list[dict[str, Any]]:
        """The records of the newest epochs, as a checkpoint holds them."""
        return list(map(asdict, self.history[-native.KEPT_RECORDS :]))


# What a file keeps of a provenance.
SAVED = ["train_count", "running_training_loss", "trained_epochs", "min_alpha_yet_reached", "loss_history"]
SAVED += ["round_shape", "runs"]
NAMES = [f.name for f in fields(Provenance)]


def fingerprint(
    words: Sequence[str],
    counts: NDArray[Any],
    matrices: Mapping[str, NDArray[np.float32]],
    settings: Mapping[str, Any],
    runs: list[Run],
    round_shape: tuple[int, int] | None,
    version: str,
    tags: str | None = None,
) -> str:
    """SHA-256 of all that a model is and came from; `settings` are those on which a bit depends."""
    vocabulary = hashlib.sha256(json.dumps(list(words)).encode())
    vocabulary.update(np.ascontiguousarray(counts, "<i8").data)
    facts = {
        "vectors": {name: arrays.sha256_of(matrix) for name, matrix in matrices.items()},
        "vocabulary": vocabulary.hexdigest(),
        "settings": dict(settings),
        "runs": [{name: run[name] for name in run if name != "reader"} for run in runs],  # which `corpus` follows from
        "round": list(round_shape) if round_shape is not None else None,
        "version": version,
        "scheme": schedule.scheme_of(settings),
    }
    if tags is not None:
        facts["tags"] = tags
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _list_of(name: str, values: Any, kind: type | tuple[type, ...]) -> list[Any]:
    if not isinstance(values, list) or not all(isinstance(value, kind) for value in values):
        raise TypeError(f"{name}={values!r:.60} is not a list as it should be")
    return values
