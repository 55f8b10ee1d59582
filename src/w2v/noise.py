"""The noise distribution of negative sampling: word counts in, an alias table of integers out.

Only integers, correctly rounded sums and decimal powers are used, so the table is the same on every machine:
`np.power` is not.
"""

import math
from decimal import Context, Decimal

import numpy as np
from numpy.typing import NDArray

SLOT = 2**32  # a slot of the table holds this many draws


def weights(counts: NDArray[np.int64], exponent: float) -> NDArray[np.float64]:
    """``counts ** exponent``, each correctly rounded from 28 decimal digits.

    Source: Mikolov et al. 2013 (arXiv:1310.4546, section 2.2) use 0.75; Caselles-Dupré et al. 2018
    (arXiv:1804.04212) show that other values, also negative ones, can be better.
    """
    distinct, where = np.unique(counts, return_inverse=True)
    power, context = Decimal(repr(float(exponent))), Context(prec=28)
    try:
        of_distinct = [float(context.power(Decimal(count), power)) if count else 0.0 for count in distinct.tolist()]
    except ArithmeticError as error:
        raise ValueError(f"ns_exponent={exponent!r} is too far from 0 for counts like these") from error
    return np.array(of_distinct)[where]


def alias_table(weights: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Build the table that turns one 64-bit draw into a word.

    Returns
    -------
    uint32 [V, 2]
        A slot is drawn uniformly. A second draw below ``table[slot, 0]`` of 2^32 gives word ``slot``, otherwise
        word ``table[slot, 1]``. Probabilities are those of `weights` to within ``2^-32 / V``. Source: Vose 1991,
        "A linear algorithm for generating random numbers with a given distribution".
    """
    n = len(weights)
    total = math.fsum(weights) if weights.max(initial=0) < 1e300 else math.inf
    if not (0 < total < math.inf):
        raise ValueError(
            f"the noise distribution cannot be built: its weights sum to {total}; use an ns_exponent nearer to 0"
        )
    quotas = np.floor(weights / total * (n * SLOT)).astype(np.int64)
    quotas[np.argmax(quotas)] += n * SLOT - int(quotas.sum())  # what rounding left over

    table = np.empty((n, 2), np.uint32)
    quota = quotas.tolist()
    small = np.flatnonzero(quotas < SLOT).tolist()
    large = np.flatnonzero(quotas >= SLOT).tolist()
    coins, others = [SLOT - 1] * n, list(range(n))
    while small and large:
        needy, rich = small.pop(), large[-1]
        coins[needy], others[needy] = quota[needy], rich
        quota[rich] -= SLOT - quota[needy]
        if quota[rich] < SLOT:
            small.append(large.pop())
    table[:, 0], table[:, 1] = coins, others
    return table
