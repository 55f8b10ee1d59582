"""The noise distribution of negative sampling: word counts in, an alias table of integers out.

Only integers, correctly rounded sums and powers are used, so the table is the same on every machine: `np.power` is not.
"""

import math
from decimal import Context, Decimal
from functools import partial

import numpy as np
from numpy.typing import NDArray

from w2v.vocabulary import _alias

SLOT = 2**32  # a slot of the table holds this many draws
MANY_TO_A_PART = 20  # fewest words that fill a segment's part
FOR_ALL = 1 << 31  # bit of an entry in a segment's table: all segments have its word


def weights(counts: NDArray[np.int64], exponent: float) -> NDArray[np.float64]:
    """``counts ** exponent``, each rounded from 28 digits.

    Source: Mikolov et al. 2013 (arXiv:1310.4546, section 2.2) use 0.75; Caselles-Dupré et al. 2018
    (arXiv:1804.04212) show that other values, also negative ones, can be better.
    """
    distinct, where = np.unique(counts, return_inverse=True)
    try:
        power = (
            _three_quarters if exponent == 0.75 else partial(_decimal_power, exponent=Decimal(repr(float(exponent))))
        )
        return np.array([power(count) if count else 0.0 for count in distinct.tolist()])[where]
    except ArithmeticError as error:
        raise ValueError(f"ns_exponent={exponent!r} is too far from 0 for counts like these") from error


def _decimal_power(count: int, exponent: Decimal) -> float:
    return float(Context(prec=28).power(Decimal(count), exponent))


def _three_quarters(count: int) -> float:
    """The same for word2vec's own exponent, fifty times faster: two square roots of an integer of 400 bits."""
    shift = 400 - 3 * count.bit_length() & ~3
    return math.ldexp(math.isqrt(math.isqrt(count**3 << shift)), -shift // 4)


def alias_table(weights: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Build the table that turns one 64-bit draw into a word.

    Returns
    -------
    uint32 [V, 2]
        A slot is drawn uniformly, from 32 bits: its probability is off by up to 2^-32. A second draw below
        ``table[slot, 0]`` of 2^32 gives word ``slot``, otherwise word ``table[slot, 1]``. Source: Vose 1991, "A linear
        algorithm for generating random numbers with a given distribution".
    """
    n = len(weights)
    total = math.fsum(weights) if weights.max(initial=0) < 1e300 else math.inf
    if not (0 < total < math.inf):
        raise ValueError(
            f"the noise distribution cannot be built: its weights sum to {total}; use an ns_exponent nearer to 0"
        )
    quotas = np.floor(weights / total * (n * SLOT)).astype(np.int64)
    quotas[np.argmax(quotas)] += n * SLOT - int(quotas.sum())  # the remainder of rounding

    table = np.empty((n, 2), np.uint32)
    _alias.pair_up(quotas, table)
    return table


def segment_tables(
    table: NDArray[np.uint32], segments: int, draws: int
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Deal the words of an alias table out to segments, so that no two of them draw the same rare word.

    Every segment gets a word that it expects at least once in its `draws` draws, or that would fill a part. The other
    words are dealt by falling probability, back and forth, so that segments get equal shares of probability. Together
    the segments draw each word as often as one table would, except for the small differences between parts.

    Returns
    -------
    tables : uint32 [N, 3]
        An alias table for each segment, one after the other: coin, word, other word. Words for all segments have
        bit 31 set.
    parts : int64 [segments + 1]
        Where the table of each segment begins.
    """
    n = len(table)
    coins, others = table[:, 0].astype(np.int64), table[:, 1]
    quotas = coins.copy()  # share of n * SLOT draws
    np.add.at(quotas, others, SLOT - coins)
    order = np.argsort(-quotas, kind="stable")
    falling = quotas[order]
    parts = np.cumsum(falling[::-1])[::-1] // segments  # shares if all words from here on are dealt
    rare_enough = (falling < n * SLOT // draws) & (falling > 0) & (falling <= parts // MANY_TO_A_PART)
    n_common = int(rare_enough.argmax())
    common, rare = order[:n_common], order[n_common:]
    if segments == 1 or not rare_enough.any():
        whole = np.column_stack([table[:, 0], np.arange(n, dtype=np.uint32) | FOR_ALL, others | FOR_ALL])
        return np.tile(whole, (segments, 1)), np.arange(segments + 1) * n
    turn, seat = np.divmod(np.arange(len(rare)), segments)
    seat = np.where(turn % 2, segments - 1 - seat, seat)
    found = []
    for segment in range(segments):
        own = rare[seat == segment]
        words = np.concatenate([common | FOR_ALL, own]).astype(np.uint32)
        shares = quotas[own] * (int(quotas[rare].sum()) / int(quotas[own].sum()))
        part = alias_table(np.concatenate([quotas[common].astype(np.float64), shares]))
        found.append(np.column_stack([part[:, 0], words, words[part[:, 1]]]))
    return np.concatenate(found), np.cumsum([0, *map(len, found)])
