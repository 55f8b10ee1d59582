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
    """A tqdm bar on stderr; `wanted` None shows it only on a terminal, and in a notebook as one of its own."""
    shown = in_notebook() or (sys.stderr is not None and sys.stderr.isatty()) if wanted is None else wanted
    if not shown:
        return _NoBar()
    tqdm = _kind_of_bar()

    class Bar(tqdm):  # type: ignore[misc, valid-type]
        monitor_interval = 0  # no thread of its own: it would outlive the bar

    return Bar(dynamic_ncols=True, **options)


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook."""
    return "ipykernel" in sys.modules and "IPython" in sys.modules


def _kind_of_bar() -> Any:
    if in_notebook():
        try:
            import ipywidgets  # noqa: F401 - without it a bar of a notebook is an error
            from tqdm.notebook import tqdm as bar_of_notebook
        except ImportError:
            pass
        else:
            return bar_of_notebook
    from tqdm import tqdm

    return tqdm
