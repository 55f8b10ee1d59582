"""Work that threads do ahead of whoever takes its results, in order and no more of it at a time than asked for."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Any


def ahead(pool: Executor, tasks: Iterable[tuple[Any, Callable[..., Any], tuple[Any, ...]]], most: int) -> Iterator[Any]:
    """Give (what, result) of each task (what, function, arguments), in order, while up to `most` are under way."""
    waiting: deque[tuple[Any, Future[Any]]] = deque()
    try:
        for what, function, arguments in tasks:
            if len(waiting) == most:
                done, future = waiting.popleft()
                yield done, future.result()
            waiting.append((what, pool.submit(function, *arguments)))
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()
    finally:
        for _, future in waiting:
            future.cancel()
