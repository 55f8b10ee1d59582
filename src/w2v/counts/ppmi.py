"""Positive pointwise mutual information: how much more often words meet than chance would have it.

Of words w and contexts c, with x(w, c) how often they meet, k = `negative` and a = `ns_exponent`:

    x(w, c) = keep(w) keep(c) counts[w, c]                      what subsampling leaves of the counts on average
    PMI     = log x(w, c) - log sum_c x(w, c) - log P(c)        P(c) = (sum_w x(w, c))^a / sum_c (sum_w x(w, c))^a
    SPPMI   = max(0, PMI - log k)

Levy & Goldberg 2014 (NeurIPS) show that skip-gram with k noise words fits its two matrices to PMI - log k; Levy,
Goldberg & Dagan 2015 (TACL, section 3) carry its other settings over: the exponent of chance, subsampling, windows.
Subsampling here weighs pairs, where training drops tokens at random and lets the others close up: so nothing is drawn,
and the same corpus gives the same numbers ("weighted" in Hellrich, Kampe & Hahn 2019, RepEval).
"""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from w2v.counts.cooccurrence import LIMIT, ROOM, Rows, chunks_of, in_order
from w2v.tokens.spool import Spool

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float64]


def marginals(rows: Rows, keep: Floats | None, *, room: int = ROOM) -> Floats:
    """How often each word meets any other, float64 [words]: sums of rows, and of columns, of ``x``.

    Parameters
    ----------
    rows : Rows, symmetric
    keep : float64 [words] or None
        The share of its occurrences that subsampling leaves each word; None if all stay.
    """
    words = len(rows.begins) - 1
    sums = np.zeros(words)
    for first, stop in chunks_of(np.diff(rows.begins), room):
        begin, end = rows.begins[first], rows.begins[stop]
        values = rows.counts[begin:end] * (1.0 if keep is None else keep[rows.columns[begin:end]])
        filled = first + np.flatnonzero(np.diff(rows.begins[first : stop + 1]))
        if len(filled):
            sums[filled] = np.add.reduceat(values, rows.begins[filled] - begin)
    rows.forget_pages()
    return sums if keep is None else sums * keep


def ppmi(
    rows: Rows,
    keep: Floats | None,
    exponent: float,
    negative: int,
    threads: int,
    *,
    room: int = ROOM,
    limit: float = LIMIT,
) -> "csr_matrix[np.float32]":
    """The matrix of shifted positive pointwise mutual information, in natural logarithms.

    Parameters
    ----------
    rows : Rows, symmetric
        The unit of its counts does not matter.
    keep : float64 [words] or None
        As in `marginals`.
    exponent : float
        Smooths the probabilities of contexts; 1 leaves them as they are.
    negative : int
        Its logarithm is taken off.
    threads, room, limit
        As in `w2v.counts.cooccurrence.count`. No entry depends on them.

    Returns
    -------
    scipy.sparse.csr_matrix of float32 [words, contexts]
        Sums are in float64. Entries are above 0, their columns ascend.

    Raises
    ------
    RuntimeError
        No two words meet.
    """
    from scipy.sparse import csr_matrix

    words = len(rows.begins) - 1
    sums = marginals(rows, keep, room=room)
    if not sums.any():
        raise RuntimeError("no two words stand within a window of each other; are there sentences of two words?")
    met = sums > 0
    log_sums = np.log(sums, out=np.zeros(words), where=met)
    smoothed = np.power(sums, exponent, out=np.zeros(words), where=met)
    log_keep = np.zeros(words) if keep is None else np.log(keep)
    of_word = log_keep - log_sums
    of_context = log_keep - exponent * log_sums + np.log(smoothed.sum()) - np.log(negative)

    def work(part: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        begins = rows.begins[part[0] : part[1] + 1]
        columns = rows.columns[begins[0] : begins[-1]]
        values = np.log(rows.counts[begins[0] : begins[-1]])
        values += np.repeat(of_word[part[0] : part[1]], np.diff(begins))
        values += of_context[columns]
        kept = values > 0
        ends = np.concatenate([[0], np.cumsum(kept)])[begins[1:] - begins[0]]
        return ends, columns[kept], values[kept].astype(np.float32)

    holds = "matrix of words that meet", ("a higher min_count has fewer words",) * 2
    columns, values = Spool(np.int32, limit / 2, *holds), Spool(np.float32, limit / 2, *holds)
    all_ends = [np.zeros(1, np.int64)]
    with ThreadPoolExecutor(threads) as pool:
        for ends, of_columns, of_values in in_order(pool, threads, work, chunks_of(np.diff(rows.begins), room)):
            all_ends.append(ends + columns.length)
            columns.append(of_columns)
            values.append(of_values)
    rows.forget_pages()
    made = csr_matrix((values.finish(), columns.finish(), np.concatenate(all_ends)), (words, words), copy=False)
    made.has_sorted_indices = made.has_canonical_format = True
    return made


def as_matrix(rows: Rows, columns: int) -> "csr_matrix[Any]":
    """Counts as scipy's sparse matrix of int64; it shares their memory."""
    from scipy.sparse import csr_matrix

    made = csr_matrix((rows.counts, rows.columns, rows.begins), (len(rows.begins) - 1, columns), copy=False)
    made.has_sorted_indices = made.has_canonical_format = True
    return made
