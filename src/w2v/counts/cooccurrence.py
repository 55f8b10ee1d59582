"""How often words stand near each other: an encoded corpus in, exact counts out, as many threads as there are.

The way of the numbers, for each block of the corpus:

    tokens int32 [N], offsets ──fence──▶ fenced: a -1 between sentences ──post──▶ places of each word
                                                    │                                  │
                                   rows of words, dealt out to threads ◀───────────────┘
                                                    │ count_rows: a row is added up in an array over all words
                                                    ▼
            run: begins int64 [V + 1], words int32 [entries], counts int64 [entries]; rows in order, words ascending

A corpus of one block is one run. The runs of several are added up row by row, in the same kind of array. Runs and the
result are held in memory up to a limit and in temporary files without a name beyond it. All sums are of integers, and
each row is one thread's work: so the result does not depend on threads, blocks or limits.

Where a window is drawn from 1 ... `window` in training (``shrink_windows``), a word at distance d is in it with
probability ``(window - d + 1) / window`` (Levy, Goldberg & Dagan 2015, TACL, section 3.1: "dynamic context window").
Counts are in units of ``1 / window`` then, and so whole numbers, too: what training sees on average, exactly.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from w2v.counts import _meetings
from w2v.tokens.encode import Encoded
from w2v.tokens.spool import Spool, forget_pages

BLOCK = 1 << 25  # tokens counted at a time: they take 8 bytes each
ROOM = 1 << 21  # entries that a thread makes at a time, 12 bytes each
LIMIT = 1 << 30  # bytes of entries beyond which they go to temporary files

Report = Callable[[int], object]
T = TypeVar("T")


class Rows(NamedTuple):
    """A sparse matrix of counts, by rows.

    Attributes
    ----------
    begins : int64 [rows + 1], where each row begins in the other two
    columns : int32 [entries], ascending within a row
    counts : int64 [entries], above 0
    """

    begins: NDArray[np.int64]
    columns: NDArray[np.int32]
    counts: NDArray[np.int64]

    def forget_pages(self) -> None:
        """Give the memory of mapped files back to the system; they are read again when needed."""
        forget_pages(self.columns)
        forget_pages(self.counts)


class _Made:
    """Entries of rows, as they come."""

    def __init__(self, limit: float) -> None:
        self.ends = [np.zeros(1, np.int64)]
        words = "counts of words that meet", ("a higher min_count has fewer",) * 2
        self.columns = Spool(np.int32, limit / 3, *words)
        self.counts = Spool(np.int64, limit * 2 / 3, *words)

    def add(self, rows: Rows) -> None:
        self.ends.append(rows.begins + self.columns.length)
        self.columns.append(rows.columns)
        self.counts.append(rows.counts)

    def finish(self) -> Rows:
        return Rows(np.concatenate(self.ends), self.columns.finish(), self.counts.finish())


def count(
    parts: Iterable[Encoded],
    words: int,
    window: int,
    shrink: bool,
    threads: int,
    report: Report = lambda tokens: None,
    *,
    block: int = BLOCK,
    room: int = ROOM,
    limit: float = LIMIT,
) -> Rows:
    """Count how often each word stands within `window` words of each other one, in the same sentence.

    Parameters
    ----------
    parts : iterable of Encoded
        The corpus, whole or in parts of whole sentences.
    words : int
        How many there are.
    window : int
    shrink : bool
        Count a word at distance d as ``window - d + 1``, in units of ``1 / window``; else as 1.
    threads : int
        Nothing depends on their number.
    report : callable, optional
        Is told how many tokens have been dealt with since it was last called.
    block, room, limit : optional
        Tokens and entries at a time, and bytes of entries that stay in memory. Nothing depends on them.

    Returns
    -------
    Rows
        [words, words], symmetric. A word may meet itself. The sum is `total`.

    Raises
    ------
    ValueError
        A count may be beyond 64 bits.
    OSError
        There is no room for a temporary file.
    """
    runs: list[Rows] = []
    held, most = 0.0, 0
    with ThreadPoolExecutor(threads) as pool:
        for corpus in parts:
            most += total(corpus.offsets, window, shrink)
            if most >= 2**63:
                raise ValueError(f"window={window} gives counts beyond 64 bits in this corpus; use a narrower one")
            for start in range(0, len(corpus.tokens), block):
                part = start, min(len(corpus.tokens), start + block)
                run = _run(pool, threads, corpus, words, part, window, shrink, report, room, limit - held)
                run.forget_pages()
                corpus.forget_pages()
                runs.append(run)
                held = min(limit, held + run.columns.nbytes + run.counts.nbytes)
        return runs[0] if len(runs) == 1 else _sum(pool, threads, runs, words, room, limit)


def count_sentences(corpus: Encoded, words: int, threads: int, *, room: int = ROOM, limit: float = LIMIT) -> Rows:
    """Count the words of each sentence: [sentences, words]. In a corpus of documents a sentence is one of these."""
    made = _Made(limit)
    bound = np.minimum(np.diff(corpus.offsets), words)

    def work(rows: tuple[int, int]) -> Rows:
        first, stop = rows
        return _filled(
            rows,
            int(bound[first:stop].sum()),
            lambda *out: _meetings.count_sentences(corpus.tokens, corpus.offsets, words, first, stop, *out),
        )

    with ThreadPoolExecutor(threads) as pool:
        for rows in in_order(pool, threads, work, chunks_of(bound, room)):
            made.add(rows)
    corpus.forget_pages()
    return made.finish()


def total(offsets: NDArray[np.int64], window: int, shrink: bool) -> int:
    """The sum of all counts of `count`, from the lengths of the sentences alone."""
    lengths, times = np.unique(np.diff(offsets), return_counts=True)
    found = 0
    for length, many in zip(lengths.tolist(), times.tolist(), strict=True):
        reach = min(window, length - 1)
        if reach < 1:
            continue
        # The sum over distances d = 1 ... reach of (length - d) times 1, or times (window - d + 1).
        ones, firsts, squares = reach, reach * (reach + 1) // 2, reach * (reach + 1) * (2 * reach + 1) // 6
        pairs = length * ones - firsts
        weighted = (window + 1) * pairs - length * firsts + squares
        found += 2 * many * (weighted if shrink else pairs)
    return found


def _run(
    pool: ThreadPoolExecutor,
    threads: int,
    corpus: Encoded,
    words: int,
    part: tuple[int, int],
    window: int,
    shrink: bool,
    report: Report,
    room: int,
    limit: float,
) -> Rows:
    """The counts of what stands around the tokens of a part of the corpus."""
    start, stop = part
    fenced, first, last = _fenced(corpus, start, stop, window)
    begins, places = np.zeros(words + 1, np.int64), np.zeros(stop - start, np.uint32)
    _meetings.post(fenced, first, last, begins, places)
    occurrences = np.diff(begins)
    bound = np.minimum(words, occurrences * min(2 * window, len(fenced)))

    def work(rows: tuple[int, int]) -> Rows:
        asked = begins, places, *rows, window, shrink
        return _filled(
            rows, int(bound[rows[0] : rows[1]].sum()), lambda *out: _meetings.count_rows(fenced, *asked, *out)
        )

    made, chunks = _Made(limit), chunks_of(bound, room)
    for (low, high), rows in zip(chunks, in_order(pool, threads, work, chunks), strict=True):
        made.add(rows)
        report(int(occurrences[low:high].sum()))
    return made.finish()


def _fenced(corpus: Encoded, start: int, stop: int, window: int) -> tuple[NDArray[np.int32], int, int]:
    """Tokens `start` ... `stop` and what stands around them, with -1 between sentences; and where the former stand."""
    offsets, n = corpus.offsets, len(corpus.tokens)
    of_first = int(offsets[np.searchsorted(offsets, start, "right") - 1])
    of_last = np.searchsorted(offsets, stop, "left")
    low = max(of_first, start - window)
    high = min(int(offsets[of_last]) if of_last < len(offsets) else n, stop + window)
    inside = offsets[np.searchsorted(offsets, low, "right") : np.searchsorted(offsets, high, "left")]
    ends = np.unique(inside) - low
    fenced = np.empty(high - low + len(ends) + 2, np.int32)
    _meetings.fence(corpus.tokens[low:high], ends, fenced)

    def place_of(token: int) -> int:
        return 1 + token - low + int(np.searchsorted(ends, token - low, "right"))

    return fenced, place_of(start), place_of(stop - 1) + 1


def _sum(pool: ThreadPoolExecutor, threads: int, runs: list[Rows], words: int, room: int, limit: float) -> Rows:
    """The sum of several matrices."""
    bound = np.zeros(words, np.int64)
    for run in runs:
        bound += np.diff(run.begins)
    bound = np.minimum(words, bound)
    parts = [run.begins for run in runs], [run.columns for run in runs], [run.counts for run in runs]

    def work(rows: tuple[int, int]) -> Rows:
        return _filled(
            rows, int(bound[rows[0] : rows[1]].sum()), lambda *out: _meetings.add_rows(*parts, words, *rows, *out)
        )

    made = _Made(limit)
    for rows in in_order(pool, threads, work, chunks_of(bound, room)):
        made.add(rows)
    return made.finish()


def _filled(rows: tuple[int, int], room: int, fill: Callable[..., None]) -> Rows:
    """Rows that compiled code fills in: `begins` has their ends alone."""
    ends = np.zeros(rows[1] - rows[0], np.int64)
    columns, counts = np.empty(room, np.int32), np.empty(room, np.int64)
    fill(ends, columns, counts)
    used = int(ends[-1])
    return Rows(ends, columns[:used], counts[:used])


def chunks_of(bound: NDArray[np.int64], room: int) -> list[tuple[int, int]]:
    """Divide rows so that each chunk has at most `room` entries, or one row."""
    ends = np.cumsum(bound)
    chunks, first = [], 0
    while first < len(bound):
        before = int(ends[first - 1]) if first else 0
        stop = max(first + 1, int(np.searchsorted(ends, before + room, "right")))
        chunks.append((first, stop))
        first = stop
    return chunks


def in_order(pool: ThreadPoolExecutor, threads: int, work: Callable[[Any], T], tasks: Iterable[Any]) -> Iterator[T]:
    """Yield ``work(task)`` of each task in order, while threads work on the next few."""
    waiting: deque[Future[T]] = deque()
    try:
        for task in tasks:
            waiting.append(pool.submit(work, task))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for late in waiting:
            late.cancel()
