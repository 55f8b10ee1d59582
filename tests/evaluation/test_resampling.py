"""Intervals and tests hold what they promise, on scores whose truth is known."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from w2v.evaluation import resampling

TRIALS = 200


@pytest.fixture(autouse=True)
def fewer_samples(monkeypatch):
    monkeypatch.setattr(resampling, "RESAMPLES", 200)
    monkeypatch.setattr(resampling, "SHUFFLES", 999)


def share_near(found, wanted, errors=3.5):
    """Whether a share of so many trials is what it should be, within simulation error."""
    return abs(np.mean(found) - wanted) < errors * np.sqrt(wanted * (1 - wanted) / len(found))


@pytest.mark.parametrize(("items", "share"), [(400, 0.5), (400, 0.95), (30, 0.3)])
def test_intervals_of_shares_cover_the_truth(items, share):
    draw = np.random.default_rng(items)
    covered = []
    for trial in range(TRIALS):
        _, low, high = resampling.mean_and_interval((draw.random((1, items)) < share).astype(float), trial)
        covered.append(low <= share <= high)
    assert share_near(covered, 0.95)


def test_intervals_over_runs_cover_the_truth():
    draw = np.random.default_rng(2)
    covered = []
    for trial in range(TRIALS):
        easy, skill = draw.normal(0, 1, 500), draw.normal(0, 0.2, (4, 1))
        chances = stats.norm.cdf(easy + skill)
        _, low, high = resampling.mean_and_interval((draw.random((4, 500)) < chances).astype(float), trial)
        covered.append(low <= 0.5 <= high)
    assert share_near(covered, 0.95)


def test_an_interval_from_items_alone_would_be_too_narrow_for_runs():
    draw = np.random.default_rng(2)
    runs = (draw.random((4, 2000)) < np.array([[0.2], [0.4], [0.6], [0.8]])).astype(float)
    _, low, high = resampling.mean_and_interval(runs, 1)
    _, inner, outer = resampling.mean_and_interval(runs.reshape(1, -1), 1)
    assert high - low > 5 * (outer - inner)


@pytest.mark.parametrize(("items", "truth"), [(40, 0.3), (100, 0.7)])
def test_intervals_of_correlations_cover_the_truth(items, truth):
    draw = np.random.default_rng(items)
    spearman = 6 / np.pi * np.arcsin(truth / 2)  # of a bivariate normal distribution
    covered = []
    for trial in range(TRIALS):
        gold = draw.normal(size=items)
        found = truth * gold + np.sqrt(1 - truth**2) * draw.normal(size=items)
        _, low, high = resampling.correlation_and_interval(gold, found[None], trial)
        covered.append(low <= spearman <= high)
    assert share_near(covered, 0.95)


def test_none_of_twenty_is_not_surely_none():
    mean, low, high = resampling.mean_and_interval(np.zeros((1, 20)), 1)
    assert mean == low == 0
    assert 0.05 < high < 0.4


def test_resampled_correlations_are_those_of_resampled_pairs():
    draw = np.random.default_rng(5)
    gold, found = draw.integers(0, 6, 40).astype(float), draw.integers(0, 9, (2, 40)).astype(float)
    counts = np.random.default_rng(7).multinomial(40, np.full(40, 1 / 40), resampling.RESAMPLES)
    correlations = resampling.resampled_spearman(gold, found, np.random.default_rng(7))
    for sample, both in zip(counts[:20], correlations, strict=False):
        chosen = np.repeat(np.arange(40), sample)
        for run, correlation in zip(found, both, strict=True):
            assert correlation == pytest.approx(stats.spearmanr(gold[chosen], run[chosen])[0], abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("items", "truth"), [(30, 0.5), (350, 0.7), (2000, 0.4)])
def test_many_intervals_of_correlations_cover_the_truth(items, truth, monkeypatch):
    monkeypatch.setattr(resampling, "RESAMPLES", 1000)
    monkeypatch.setattr("test_resampling.TRIALS", 1000)
    test_intervals_of_correlations_cover_the_truth(items, truth)


def test_samples_of_kinds_are_samples_of_items():
    draw = np.random.default_rng(1)
    values = (draw.random((1, 300)) < 0.4).astype(float)
    found = resampling.resampled_means(values, np.random.default_rng(3))
    plain = values[0][draw.integers(0, 300, (4000, 300))].mean(axis=1)
    assert found.mean() == pytest.approx(plain.mean(), abs=0.005)
    assert found.std() == pytest.approx(plain.std(), rel=0.15)


def test_swapped_items_are_mcnemars_test():
    differences = np.array([1.0] * 18 + [-1.0] * 6 + [0.0] * 50)
    exact = stats.binomtest(18, 24, 0.5).pvalue
    assert resampling.swap_items(differences, 1) == pytest.approx(exact, abs=0.02)
    assert resampling.swap_items(np.zeros(9), 1) == 1.0


def test_tests_have_the_right_size_between_equals():
    draw = np.random.default_rng(9)
    of_items, of_pairs = [], []
    for trial in range(TRIALS):
        easy = draw.normal(size=300)
        right = draw.random((2, 300)) < stats.norm.cdf(easy)
        of_items.append(resampling.swap_items(right[0].astype(float) - right[1], trial))
        gold = draw.normal(size=80)
        one, other = gold + draw.normal(size=(2, 80))
        of_pairs.append(resampling.swap_similarities(gold, one, other, trial))
    for found in (of_items, of_pairs):
        assert share_near(np.array(found) <= 0.05, 0.05)
        assert share_near(np.array(found) <= 0.5, 0.5)


def test_dealt_runs_are_all_ways_to_deal_them():
    first, second = np.array([3.0, 4.0, 5.0]), np.array([1.0, 2.0, 3.5])
    both = np.concatenate([first, second])
    ways = [both[list(way)].sum() * 2 - both.sum() for way in combinations(range(6), 3)]
    p, least = resampling.swap_runs(first, second, 1)
    assert p == pytest.approx(np.mean(np.abs(ways) >= abs(first.sum() - second.sum()) - 1e-9))
    assert least == 2 / len(ways)
    assert resampling.swap_runs(np.arange(5.0), np.arange(5.0) + 9, 1) == (2 / 252, 2 / 252)


def test_the_test_of_runs_has_the_right_size():
    draw = np.random.default_rng(4)
    found = [resampling.swap_runs(*draw.normal(size=(2, 5)), trial)[0] for trial in range(TRIALS)]
    assert share_near(np.array(found) <= 12 / 252, 12 / 252)


def test_a_difference_that_is_there_is_found():
    draw = np.random.default_rng(6)
    first, second = 0.40 + draw.normal(0, 0.004, 5), 0.415 + draw.normal(0, 0.004, 5)
    assert resampling.swap_runs(first, second, 1)[0] < 0.02
    gold = draw.normal(size=400)
    assert resampling.swap_similarities(gold, gold + draw.normal(size=400), draw.normal(size=400), 1) < 0.01


def test_holm_corrects_in_order():
    assert resampling.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert resampling.holm([0.9, 0.8]) == pytest.approx([1, 1])
    assert resampling.holm([]) == []
