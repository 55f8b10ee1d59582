"""A run that survives: a folder of two generations of a model, each with how far its training had come.

A generation is a model file with one more entry in its metadata, ``checkpoint``, so that one rename makes it whole. The
next one replaces the older of the two, and only when it is on the disk. The folder belongs to one process at a time.
Training itself is the business of `session`.
"""

import errno
import fcntl
import fnmatch
import os
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from logging import getLogger
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple

from numpy.typing import NDArray

from w2v.common.checks import LARGEST_INT, integer
from w2v.files import errors, native, reading
from w2v.files.reading import Pathlike

logger = getLogger(__name__)

SLOTS = ("checkpoint-0.safetensors", "checkpoint-1.safetensors")
LOCK = "lock"
LEFTOVERS = ".w2v-checkpoint-[01].safetensors-*.tmp"  # what `writing.atomic_write` leaves behind when it is killed

DEFAULT_EVERY = "10m"
SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}

# What a checkpoint says: of the run, of the model, of the call of `train`, of an epoch under way, of those that ended.
NUMBER = (int, float)
CURSOR: dict[str, Any] = {
    **{"generation": int, "every": (int, str), "tokens": int, "sentences": int, "source": (dict, NoneType)},
    **{"threads": int, "history": list, "reached": (dict, NoneType), "finished": bool},
}
STATE: dict[str, Any] = {"trained_epochs": int, "train_count": int, "loss_history": list, "runs": list}
RUN: dict[str, Any] = {
    "epochs": int,
    "trained": int,
    "alpha": NUMBER,
    "min_alpha": NUMBER,
    "corpus": str,
    "repeatable": bool,
}
# Of a run that freezes rows, was trained on a GPU, or read sequences.
SOMETIMES: dict[str, Any] = {"freeze": str, "devices": list, "reader": dict}
REACHED: dict[str, Any] = {
    **{"position": int, "words": int, "survivors": int, "examples": int, "losses": list, "seconds": NUMBER},
}
RECORD: dict[str, Any] = {
    **{"epoch": int, "raw_words": int, "trained_words": int, "examples": int, "seconds": NUMBER, "alpha": NUMBER},
    **{"loss": (*NUMBER, NoneType)},
}


class Interval(NamedTuple):
    """How long to train between two checkpoints: so many seconds, or so many epochs, of which the other is None."""

    seconds: float | None
    epochs: int | None


def interval(every: Any) -> Interval:
    """What ``checkpoint_every=`` means: '30s', '10m', '2h', or a number of epochs."""
    if isinstance(every, str) and (match := re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", every)) and float(match[1]):
        return Interval(float(match[1]) * SECONDS[match[2]], None)
    hint = "; it is a time such as '30s', '10m' or '2h', or a number of epochs"
    if isinstance(every, str):
        raise ValueError(f"checkpoint_every={every!r} is not understood{hint}")
    return Interval(None, integer("checkpoint_every", every, 1, hint=hint))


class Generation(NamedTuple):
    """A model as `native.read_native` gives it, with the file it was in and what its checkpoint says."""

    path: str
    kind: str
    words: list[str]
    arrays: dict[str, NDArray[Any]]
    meta: dict[str, Any]
    cursor: dict[str, Any]


class Folder:
    """The folder of a run. This process alone uses it until `close`.

    It is opened once, and all is read and written in what was opened, so that nobody can lead a write elsewhere: links
    in it are not followed, and its path may come to mean another folder.

    Parameters
    ----------
    path : path-like
        The path itself may have links in it.
    create : bool, default True
        Make the folder if it is not there.

    Raises
    ------
    BlockingIOError
        Another process, or another model of this one, uses it.
    OSError
        It cannot be made or written to.
    FileNotFoundError
        Without `create`, if it is not there.
    """

    def __init__(self, path: Pathlike, create: bool = True) -> None:
        if not os.fspath(path):  # which pathlib takes for the folder that the process is in
            raise ValueError(f"checkpoint={path!r} names no folder; './' is the one that you are in")
        self.path = Path(path)
        self._newest: str | None = None  # the slot of the newest sound generation
        self._number = 0
        if create:
            self.path.mkdir(parents=True, exist_ok=True)
        elif not self.path.is_dir():
            raise FileNotFoundError(errno.ENOENT, "there is no folder of a run", os.fspath(path))
        self._opened = [reading.open_folder(self.path)]  # and the lock
        try:
            # A lock of the system: it ends with the process, however that ends. The file stays, since whoever waits for
            # one that is deleted would wait for another.
            self._opened.append(reading.open_inside(self.path / LOCK, self._opened[0], os.O_RDWR | os.O_CREAT))
            fcntl.flock(self._opened[1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            locking = len(self._opened) == 2
            self.close()
            if not locking:
                raise
            busy = "in use by another process, or by another model of this one"
            said = busy if isinstance(error, BlockingIOError) else f"{error.strerror}: its file system has no locks"
            raise OSError(error.errno, said, os.fspath(path)) from None

    def close(self) -> None:
        while self._opened:
            os.close(self._opened.pop())

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def check_unused(self) -> None:
        """FileExistsError if there are checkpoints: they may be all that is left of another run."""
        if not set(SLOTS).isdisjoint(os.listdir(self._opened[0])):
            raise FileExistsError(
                errno.EEXIST,
                f"holds a run already; Word2Vec.resume({os.fspath(self.path)!r}) goes on with it. To begin anew, "
                "delete it or take another folder",
                os.fspath(self.path),
            )

    def read(self) -> tuple[Generation, list[Exception]]:
        """The newest sound generation, and what is wrong with those that are not.

        Raises
        ------
        FileNotFoundError
            There is none.
        FormatError
            None is sound.
        OSError
            None is sound, and one could not be read.
        """
        numbers: dict[str, int] = {}
        faults: list[Exception] = []
        for slot in SLOTS:
            path = self.path / slot
            try:
                numbers[slot] = _number(path, native.inspect_native(path, self._opened[0])["meta"])
            except FileNotFoundError:
                continue
            except (errors.FormatError, OSError) as error:
                faults.append(_fault(path, error))
        for slot in sorted(numbers, key=numbers.__getitem__, reverse=True):
            path = self.path / slot
            try:
                kind, words, arrays, meta = native.read_native(path, folder=self._opened[0])
                if kind == "vectors":
                    raise errors.FormatError(f"{path}: vectors alone, not a checkpoint")
            except (errors.FormatError, OSError) as error:
                faults.append(_fault(path, error))
                continue
            self._newest, self._number = slot, numbers[slot]
            return Generation(os.fspath(path), kind, words, arrays, meta, meta["checkpoint"]), faults
        for fault in faults:
            if isinstance(fault, OSError):  # it may be sound, and the disk or its permissions to blame
                raise fault
        if faults:
            raise errors.FormatError("no checkpoint is sound: " + "; ".join(map(str, faults)))
        raise FileNotFoundError(
            errno.ENOENT, "there is no checkpoint; the run ended before its first one, start it again", str(self.path)
        )

    def write(
        self,
        kind: str,
        words: Sequence[str],
        arrays: Mapping[str, NDArray[Any]],
        meta: Mapping[str, Any],
        cursor: Mapping[str, Any],
    ) -> None:
        """Write the next generation in the place of the older one; the newer one stays as it is."""
        if self._newest is not None:  # first of all, since they may be what the disk is full of
            self._sweep()
        slot = SLOTS[0] if self._newest == SLOTS[1] else SLOTS[1]
        numbered = {"generation": self._number + 1, **cursor}
        meta = {**meta, "checkpoint": numbered}
        native.write_native(self.path / slot, kind, words, arrays, meta, folder=self._opened[0])
        self._newest, self._number = slot, self._number + 1

    def _sweep(self) -> None:
        """Remove the checkpoints that killed processes were writing: while we hold the lock nobody else writes one."""
        for leftover in fnmatch.filter(os.listdir(self._opened[0]), LEFTOVERS):
            with suppress(OSError):
                os.unlink(leftover, dir_fd=self._opened[0])


def files_of(run: Pathlike) -> list[str]:
    """The checkpoints of a run, there or not, and where its corpus is, as far as they can be read and say so."""
    files = [os.path.join(run, slot) for slot in SLOTS]
    try:
        folder = reading.open_folder(run)
    except OSError:
        return files
    try:
        for path in list(files):
            with suppress(errors.FormatError, OSError):
                cursor = native.inspect_native(path, folder)["meta"].get("checkpoint")
                place = cursor.get("source") if isinstance(cursor, dict) else None
                if isinstance(place, dict) and isinstance(place.get("path"), str):
                    files.append(place["path"])
    finally:
        os.close(folder)
    return files


def kinds_of(run: Pathlike) -> list[str]:
    """The kinds of model that the readable checkpoints of a run hold, which are one unless somebody mixed them."""
    kinds = []
    for slot in SLOTS:
        with suppress(errors.FormatError, OSError):
            kinds.append(native.inspect_native(os.path.join(run, slot))["kind"])
    return kinds


def _fault(path: Path, error: errors.FormatError | OSError) -> Exception:
    """The error with the file's name, and without its traceback, which would keep the arrays that were being read."""
    if isinstance(error, OSError):
        return OSError(error.errno, error.strerror, os.fspath(path))
    return errors.FormatError(str(error))


def _number(path: Path, meta: Mapping[str, Any]) -> int:
    cursor = meta.get("checkpoint")
    number = cursor.get("generation") if isinstance(cursor, dict) else None
    if type(number) is not int or number < 1:
        raise errors.FormatError(f"{path}: a model, but not a checkpoint")
    return number


class CheckpointWriter:
    """Keeps a run in its folder: knows when the next checkpoint is due, and what all of them say of the run.

    Parameters
    ----------
    folder : Folder
    every : from the user; see `interval`
    """

    def __init__(self, folder: Folder, every: Any) -> None:
        self.folder = folder
        self.interval = interval(every)
        self.facts: dict[str, Any] = {"every": self.interval.epochs or every}
        self._written = time.monotonic()

    def __enter__(self) -> "CheckpointWriter":
        return self

    def __exit__(self, *error: object) -> None:
        self.folder.close()

    def is_due(self) -> bool:
        """Whether it is time, within an epoch."""
        return self.interval.seconds is not None and time.monotonic() - self._written >= self.interval.seconds

    def is_due_after(self, epochs: int) -> bool:
        """Whether it is time when so many epochs of the run are done."""
        return self.is_due() if self.interval.epochs is None else epochs % self.interval.epochs == 0

    def write(
        self,
        kind: str,
        words: Sequence[str],
        arrays: Mapping[str, NDArray[Any]],
        meta: Mapping[str, Any],
        **cursor: Any,
    ) -> None:
        """Write a checkpoint: `cursor` says how far the run has come."""
        self.folder.write(kind, words, arrays, meta, {**self.facts, **cursor})
        self._written = time.monotonic()  # from its end, so that a slow disk leaves time to train


def checked(path: str, cursor: object, state: object, step: int, n_losses: int) -> dict[str, Any]:
    """What a checkpoint says, if it can be so; FormatError if not.

    Parameters
    ----------
    path : str, the file's name for messages
    cursor : the entry in its metadata
    state : those of the model's attributes that are named in `STATE`
    step : int, training can begin at multiples of it
    n_losses : int, how many sums of the loss there are
    """
    cursor, state = _fields(path, cursor, CURSOR), _fields(path, state, STATE)
    last = state["runs"][-1] if state["runs"] else None
    further = {name: kind for name, kind in SOMETIMES.items() if isinstance(last, dict) and name in last}
    run = _fields(path, last, RUN | further)
    for record in cursor["history"]:
        _fields(path, record, RECORD)
    reached = None if cursor["reached"] is None else _fields(path, cursor["reached"], REACHED)
    position = 0 if reached is None else reached["position"]
    losses = [] if reached is None else reached["losses"]
    if (
        not 1 <= cursor["threads"] <= LARGEST_INT
        or run["trained"] + (reached is not None) > run["epochs"]
        or position > cursor["tokens"]
        or not all(isinstance(loss, float) for loss in losses)
        or len(losses) not in (0, n_losses)
        or (position % step and position != cursor["tokens"])
    ):
        raise errors.FormatError(f"{path}: its checkpoint is at a place where no run can be")
    try:
        interval(cursor["every"])
    except ValueError as error:
        raise errors.FormatError(f"{path}: its checkpoint has {error}") from error
    return cursor


def _fields(path: str, found: object, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON object with exactly the fields that are wanted, of their types."""
    if not isinstance(found, dict) or set(found) != set(wanted):
        raise errors.FormatError(f"{path}: its checkpoint does not have the fields {', '.join(wanted)}")
    for name, kind in wanted.items():
        value = found[name]
        if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
            raise errors.FormatError(f"{path}: its checkpoint has {name}={value!r:.60}")
        if isinstance(value, int) and not 0 <= value < 2**62:
            raise errors.FormatError(f"{path}: its checkpoint has {name}={value!r:.60}, which cannot be")
    return found
