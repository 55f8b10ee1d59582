"""What a model is doing: one thing at a time, and another thread may ask for its end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_claiming = threading.Lock()


class Activity:
    """Whether a model is busy, with what, and whether `stop` was called since.

    Two threads that train one model would tear its schedule, its matrices and its history; so would a callback that
    trains the model it is called from. The second of them gets a RuntimeError before anything is touched.
    """

    def __init__(self) -> None:
        self._doing: str | None = None
        self._thread = 0
        self._stop_wanted = False

    @property
    def doing(self) -> str | None:
        """What is under way, None if nothing is."""
        return self._doing

    @contextmanager
    def only(self, doing: str, within: str | None = None) -> Iterator[None]:
        """Do one thing that changes the model, alone or as a step of the thing `within` that this thread is doing.

        Raises
        ------
        RuntimeError
            Another one is under way.
        """
        thread, claimed = threading.get_ident(), False
        ours = self._thread == thread
        if within is not None and self._doing == within and ours:
            yield
            return
        try:
            with _claiming:
                if self._doing is not None:
                    where = "this thread (a callback?)" if ours else "another thread"
                    raise RuntimeError(
                        f"cannot {doing} now: {where} is in {self._doing} of this model. Wait until it has ended, or "
                        "end it with model.stop(); a copy.deepcopy(model) is a model of its own"
                    )
                self._doing, self._thread, self._stop_wanted, claimed = doing, thread, False, True
            yield  # Ctrl-C can come as soon as the lock is free
        finally:
            if claimed:
                self._doing = None

    def stop(self) -> None:
        """Let what is under way end with a KeyboardInterrupt."""
        self._stop_wanted = True

    def raise_if_stopped(self) -> None:
        """KeyboardInterrupt if `stop` was called."""
        if self._stop_wanted:
            raise KeyboardInterrupt("model.stop() was called")

    def __reduce__(self) -> tuple[type["Activity"], tuple[()]]:
        return Activity, ()  # a copy of a busy model is not busy
