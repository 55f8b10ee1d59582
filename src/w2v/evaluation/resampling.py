"""Intervals and tests from resampled questions and runs: arrays in, numbers out.

A score is a mean over items (questions, or pairs of words) and over runs (trainings with other seeds). Both are a
sample of what could have been asked and trained. Items are resampled with the bootstrap (Efron & Tibshirani 1993). Runs
are too few for that: resampled, k of them would seem to differ less than they do, by a factor of sqrt(1 - 1 / k), and
so their part is drawn from Student's t instead.
"""

import warnings
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RESAMPLES = 2000  # of the bootstrap; the ends of a 95 % interval then vary by some 2 % of its width
SHUFFLES = 20_000  # of a test; a p of 0.05 then has a standard error of 0.0015
CONFIDENCE = 0.95
NORMAL = 1.959963984540054  # its quantile of the normal distribution
BLOCK_VALUES = 1 << 21  # values of a temporary array
PSEUDO = 2.0  # right and wrong answers that are added for an interval (Agresti & Coull 1998, "plus four")


def mean_and_interval(values: Array, seed: int) -> tuple[float, float, float]:
    """Mean of right answers with its interval.

    Two right and two wrong answers are added for the interval: else none right of ten would be surely none.

    Parameters
    ----------
    values : float64 [runs, items], from 0 to 1

    Returns
    -------
    mean, low, high : float
        NaN without items.
    """
    if not values.shape[1]:
        return (float("nan"),) * 3
    draws = resampled_means(values, np.random.default_rng([seed, 1]), PSEUDO)
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    mean = float(values.mean())
    return mean, max(0.0, min(float(low), mean)), min(1.0, max(float(high), mean))


def resampled_means(values: Array, draw: np.random.Generator, pseudo: float = 0.0) -> Array:
    """Means over resampled items and runs, [RESAMPLES]; `pseudo` items of 1 and as many of 0 are added.

    Items with the same values in all runs are drawn together: how many of each kind a sample has, is multinomial.
    """
    runs, items = values.shape
    kinds, counts = np.unique(values, axis=1, return_counts=True)
    if pseudo:
        kinds = np.hstack([kinds, np.ones((runs, 1)), np.zeros((runs, 1))])
        counts = np.append(counts, [pseudo, pseudo])
    size = items + round(2 * pseudo)
    drawn = draw.multinomial(size, counts / counts.sum(), RESAMPLES)
    means: Array = (drawn @ kinds.T / size).mean(axis=1)
    return means + run_noise(values.mean(axis=1), run_error(values), draw)


def run_error(values: Array) -> float:
    """Standard error of a mean that runs alone make: their spread without what their items explain."""
    runs, items = values.shape
    if runs < 2:
        return 0.0
    means = values.mean(axis=1, keepdims=True)
    rest = values - means - values.mean(axis=0) + values.mean()
    noise = (rest**2).sum() / ((runs - 1) * max(1, items - 1) * items)
    return float(np.sqrt(max(0.0, means.var(ddof=1) - noise) / runs))


def run_noise(means: Array, error: float, draw: np.random.Generator) -> Array | float:
    """What other runs would have made of a mean, [RESAMPLES]; 0 for a single run, which does not say."""
    return error * draw.standard_t(len(means) - 1, RESAMPLES) if len(means) > 1 else 0.0


# --- rank correlation ---------------------------------------------------------------------------------------------


def spearman(gold: Array, similarities: Array) -> Array:
    """Spearman's rank correlation of each run, [runs]; of equal values each has their mean rank, as in scipy."""
    from scipy import stats  # a second to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # the NaN in the result says it
        return np.array([stats.spearmanr(gold, run)[0] for run in similarities])


def resampled_spearman(gold: Array, similarities: Array, draw: np.random.Generator) -> Array:
    """Rank correlations of resampled pairs, [RESAMPLES, runs]; a block of samples at a time."""
    runs, items = similarities.shape
    found = np.empty((RESAMPLES, runs))
    step = max(1, BLOCK_VALUES // max(1, items))
    for start in range(0, RESAMPLES, step):
        count = min(step, RESAMPLES - start)
        drawn = draw.multinomial(items, np.full(items, 1 / items), count).astype(np.float64)
        own = _weighted_ranks(gold, drawn)
        for run in range(runs):
            other = _weighted_ranks(similarities[run], drawn)
            found[start : start + count, run] = _weighted_correlation(own, other, drawn)
    return found


def _weighted_ranks(values: Array, weights: Array) -> Array:
    """Mean ranks of values of which item i is there ``weights[:, i]`` times, [samples, items]."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(values[order]) > 0))
    size = np.diff(np.append(starts, len(values)))
    of_group = np.add.reduceat(weights[:, order], starts, axis=1)
    rank = np.cumsum(of_group, axis=1) - of_group + (of_group + 1) / 2
    ranks = np.empty_like(weights)
    ranks[:, order] = np.repeat(rank, size, axis=1)
    return ranks


def _weighted_correlation(first: Array, second: Array, weights: Array) -> Array:
    total = weights.sum(axis=1, keepdims=True)
    left = first - (weights * first).sum(axis=1, keepdims=True) / total
    right = second - (weights * second).sum(axis=1, keepdims=True) / total
    product = (weights * left * right).sum(axis=1)
    lengths = np.sqrt((weights * left**2).sum(axis=1) * (weights * right**2).sum(axis=1))
    found: Array = np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 0)
    return found


def correlation_and_interval(gold: Array, similarities: Array, seed: int) -> tuple[float, float, float]:
    """Mean rank correlation over runs with its interval, symmetric on Fisher's scale (Fisher 1921).

    Parameters
    ----------
    gold : float64 [pairs]
    similarities : float64 [runs, pairs]

    Returns
    -------
    correlation, low, high : float
        NaN for fewer than three pairs, or where all values are equal.
    """
    if len(gold) < 3:
        return (float("nan"),) * 3
    each = spearman(gold, similarities)
    value = float(each.mean())
    if np.isnan(value):
        return (float("nan"),) * 3
    draw = np.random.default_rng([seed, 2])
    scale = np.arctanh(np.clip(resampled_spearman(gold, similarities, draw).mean(axis=1), -0.999999, 0.999999))
    error = float(scale.std(ddof=1))
    if len(each) > 1:
        error = float(np.hypot(error, np.arctanh(np.clip(each, -0.999999, 0.999999)).std(ddof=1) / np.sqrt(len(each))))
    middle = np.arctanh(min(0.999999, max(-0.999999, value)))
    low, high = np.tanh([middle - NORMAL * error, middle + NORMAL * error]).tolist()
    return value, min(low, value), max(high, value)  # beside +-1, the scale ends before the value


# --- one model against another ------------------------------------------------------------------------------------


def difference_interval(value: float, draws: Array) -> tuple[float, float]:
    """The interval of a difference, from the standard error that resampling gives it."""
    error = float(draws.std(ddof=1))
    return value - NORMAL * error, value + NORMAL * error


def swap_items(differences: Array, seed: int) -> float:
    """p of a mean difference, if each item's two values could as well be the other model's: their signs are drawn.

    For right and wrong answers of one run each this is McNemar's exact test (1947), up to the drawing.

    Parameters
    ----------
    differences : float64 [items]
    """
    sizes, counts = np.unique(np.abs(differences[differences != 0]).round(12), return_counts=True)
    if not len(sizes):
        return 1.0
    draw = np.random.default_rng([seed, 3])
    sums = (2 * draw.binomial(counts, 0.5, (SHUFFLES, len(counts))) - counts) @ sizes
    return _share_as_far(sums, float(differences.sum()))


def swap_similarities(gold: Array, first: Array, second: Array, seed: int) -> float:
    """p of a difference of rank correlations, if each pair's two ranks could as well be the other model's.

    Parameters
    ----------
    gold, first, second : float64 [pairs]
        Similarities as means over the runs of a model.
    """
    from scipy import stats

    ranks = [_standard(stats.rankdata(values)) for values in (gold, first, second)]
    middle, half = (ranks[1] + ranks[2]) / 2, (ranks[1] - ranks[2]) / 2
    draw = np.random.default_rng([seed, 4])
    found = np.empty(RESAMPLES)
    step = max(1, BLOCK_VALUES // max(1, len(gold)))
    for start in range(0, RESAMPLES, step):
        signs = draw.integers(0, 2, (min(step, RESAMPLES - start), len(gold)), np.int8) * 2.0 - 1
        one, other = middle + signs * half, middle - signs * half
        found[start : start + len(signs)] = _correlate(one, ranks[0]) - _correlate(other, ranks[0])
    return _share_as_far(found, float((ranks[1] - ranks[2]) @ ranks[0]) / len(gold))


def _standard(ranks: Array) -> Array:
    spread = ranks.std()
    found: Array = (ranks - ranks.mean()) / (spread if spread > 0 else 1.0)
    return found


def _correlate(rows: Array, standard: Array) -> Array:
    spread = rows.std(axis=1)
    found: Array = rows @ standard / len(standard) / np.where(spread > 0, spread, 1)
    return found


def swap_runs(first: Array, second: Array, seed: int) -> tuple[float, float]:
    """p of a difference between two means of runs, if each run could as well be the other model's; and the least p.

    All ways to deal the runs out are tried, or 20,000 of them. With three runs of either model no p is below 0.1, with
    four below 0.029, with five below 0.008.
    """
    both, size = np.concatenate([first, second]), len(first)
    ways = comb(len(both), size)
    if ways <= SHUFFLES:
        dealt = np.array(list(combinations(range(len(both)), size)))
    else:
        draw = np.random.default_rng([seed, 5])
        dealt = np.argsort(draw.random((SHUFFLES, len(both))), axis=1)[:, :size]
    sums = both[dealt].sum(axis=1)
    differences = sums / size - (both.sum() - sums) / len(second)
    observed = first.mean() - second.mean()
    if ways <= SHUFFLES:  # the way they are dealt is one of all
        return float((np.abs(differences) >= abs(observed) * (1 - 1e-12)).mean()), (
            2 if size * 2 == len(both) else 1
        ) / ways
    return _share_as_far(differences, float(observed)), 1 / (SHUFFLES + 1)


def _share_as_far(found: Array, observed: float) -> float:
    """The share of drawn values at least as far from 0, the observed one among them."""
    return float((1 + (np.abs(found) >= abs(observed) * (1 - 1e-12)).sum()) / (1 + len(found)))


def holm(values: list[float]) -> list[float]:
    """Values of p corrected for their number (Holm 1979)."""
    found, worst = [0.0] * len(values), 0.0
    for place, number in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        worst = max(worst, min(1.0, values[number] * (len(values) - place)))
        found[number] = worst
    return found
