"""What a callback is: an object whose four hooks are called with the model."""

from collections.abc import Iterable
from typing import Any

from w2v.common.public import public

HOOKS = ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end")


@public
class CallbackAny2Vec:
    """Does nothing at all four moments; override what is needed. Any object with the four methods will do as well.

    Hooks run in the thread that called `train`, between epochs: queries and `save` are safe there. Raise
    `w2v.StopTraining` to end early.
    """

    def on_train_begin(self, model: Any) -> None:
        """Called before the first epoch of each `train`."""

    def on_epoch_begin(self, model: Any) -> None:
        """Called before each epoch."""

    def on_epoch_end(self, model: Any) -> None:
        """Called after each epoch."""

    def on_train_end(self, model: Any) -> None:
        """Called after the last epoch, also when training was stopped."""


def checked(callbacks: Iterable[Any]) -> list[Any]:
    """The callbacks as a list; TypeError for anything else."""
    if not hasattr(callbacks, "__iter__"):
        raise TypeError(f"callbacks={callbacks!r} must be a list of callbacks")
    callbacks = list(callbacks)
    for callback in callbacks:
        if missing := [hook for hook in HOOKS if not callable(getattr(callback, hook, None))]:
            raise TypeError(f"{type(callback).__name__} is no callback: it has no {', '.join(missing)}")
    return callbacks
