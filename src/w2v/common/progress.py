"""Progress bars on stderr."""

import sys
from typing import Any


class _NoBar:
    """The used part of tqdm's interface, without a bar: importing tqdm takes longer than many small jobs."""

    disable, n = True, 0

    def update(self, n: float = 1) -> None: ...

    def __enter__(self) -> "_NoBar":
        return self

    def __exit__(self, *error: object) -> None: ...


def progress_bar(wanted: bool | None, **options: Any) -> Any:
    """A tqdm bar on stderr; `wanted` None shows it only on a terminal."""
    shown = sys.stderr is not None and sys.stderr.isatty() if wanted is None else wanted
    if not shown:
        return _NoBar()
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[type-arg]
        monitor_interval = 0  # no thread of its own: it would outlive the bar

    return Bar(dynamic_ncols=True, **options)
