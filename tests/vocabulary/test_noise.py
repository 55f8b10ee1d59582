import itertools
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import draw, noise_words, stream_at

from w2v.vocabulary import noise


def probabilities(table):
    """What the table says, slot by slot."""
    n = len(table)
    mass = [0] * n
    for slot, (coin, other) in enumerate(table.tolist()):
        mass[slot] += coin
        mass[other] += noise.SLOT - coin
    return np.array(mass, dtype=object) / (n * noise.SLOT)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=80), st.sampled_from([0.75, 0, 1, -0.5, 0.3]))
def test_the_table_has_the_probabilities_asked_for(counts, exponent):
    weights = noise.weights(np.array(counts, np.int64), exponent)
    got = probabilities(noise.alias_table(weights)).astype(float)
    np.testing.assert_allclose(got, weights / weights.sum(), atol=2**-31)


@pytest.mark.parametrize("exponent", [0.75, 0.5, 1.0, -1.0, 0.1])
def test_weights_are_powers(exponent):
    counts = np.array([1, 2, 3, 1000, 2**31, 2**33], np.int64)
    np.testing.assert_allclose(noise.weights(counts, exponent), counts.astype(float) ** exponent, rtol=1e-15)


def test_weights_are_correctly_rounded():
    counts = np.array([16, 81, 10_000, 2**40], np.int64)
    assert noise.weights(counts, 0.75).tolist() == [8, 27, 1000, 2**30]


def test_draws_follow_the_counts():
    table = noise.alias_table(noise.weights(np.array([80, 15, 5], np.int64), 1.0))
    words = np.concatenate([noise_words(stream_at(1, position), 0, 4, table.tolist()) for position in range(10_000)])
    np.testing.assert_allclose(np.bincount(words) / len(words), [0.8, 0.15, 0.05], atol=0.006)


def test_golden_draws():
    """The stream is part of the scheme: it never changes without a new one."""
    assert [stream_at(1, p) for p in (0, 1, 2**40)] == GOLDEN_STREAM
    assert [draw(GOLDEN_STREAM[0], index) >> 32 for index in (0, 1, 29)] == GOLDEN_DRAWS


GOLDEN_STREAM = [6238072747940578789, 10451216379200822465, 6365388470549307545]
GOLDEN_DRAWS = [3220144176, 1599417572, 399005666]


@pytest.mark.parametrize(("counts", "exponent"), [([1, 10**15], 40.0), ([0, 0], 0.75), ([2, 3], 1e300), ([5], 500.0)])
def test_weights_that_cannot_be_used_are_refused(counts, exponent):
    with pytest.raises(ValueError, match="ns_exponent"):
        noise.alias_table(noise.weights(np.array(counts, np.int64), exponent))


@settings(max_examples=500, deadline=None)
@given(st.integers(1, 2**63 - 1))
def test_both_ways_to_the_power_of_three_quarters_agree(count):
    assert noise._three_quarters(count) == noise._decimal_power(count, Decimal("0.75"))
    assert noise.weights(np.array([count]), 0.75).tolist() == [noise._three_quarters(count)]


@pytest.mark.parametrize(
    ("n", "segments", "draws"), [(3000, 8, 640), (3000, 3, 50), (5, 8, 640), (1000, 7, 10), (9, 1, 5)]
)
def test_segment_tables_match_one_table_and_share_no_rare_word(n, segments, draws):
    counts = np.sort(np.random.default_rng(0).zipf(1.3, n).clip(1, 10**6))[::-1].astype(np.int64)
    table = noise.alias_table(noise.weights(counts, 0.75))
    wanted = probabilities(table).astype(float)
    dealt, parts = noise.segment_tables(table, segments, draws)
    got, segments_of = np.zeros(n), np.zeros(n, int)
    for begin, end in itertools.pairwise(parts):
        coins, words = dealt[begin:end, 0] / noise.SLOT, dealt[begin:end, 1:] & ~np.uint32(noise.FOR_ALL)
        part = np.zeros(n)
        np.add.at(part, words[:, 0], coins)
        np.add.at(part, words[:, 1], 1 - coins)
        got += part / (end - begin) / segments
        segments_of += part > 0
    np.testing.assert_allclose(got, wanted, rtol=0.01)
    for_all = np.isin(np.arange(n), dealt[dealt[:, 1] >= noise.FOR_ALL, 1] & ~np.uint32(noise.FOR_ALL))
    assert (segments_of[for_all] == segments).all()
    assert (segments_of[~for_all] == 1).all()
    assert for_all[wanted * draws >= 1 + 1e-6].all()
