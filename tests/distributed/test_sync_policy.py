"""When workers bring rows together: tiers, weights, windows, rounds of words and the learning rate within them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v.distributed import policy as policies
from w2v.distributed.policy import SyncPolicy
from w2v.distributed.rounds import paces, rounds_of
from w2v.training.schedule import Schedule


def test_tiers_double_as_the_round_is_a_multiple_of_two():
    policy = SyncPolicy(hot_rows=10, max_rounds_unsynced=64)
    assert [policy.rows(k, 100, 55) for k in range(1, 9)] == [10, 20, 10, 40, 10, 20, 10, 55]


def test_all_rows_meet_at_the_end_of_an_epoch_and_on_time():
    policy = SyncPolicy(hot_rows=1, max_rounds_unsynced=3)
    assert [policy.rows(k, 8, 500) for k in range(1, 9)] == [1, 2, 500, 4, 1, 500, 1, 500]


@given(number=st.integers(1, 10**6), hot=st.integers(1, 10**5), rows=st.integers(1, 10**7), most=st.integers(1, 1000))
def test_a_tier_is_never_empty_nor_beyond_the_rows(number, hot, rows, most):
    covered = SyncPolicy(hot_rows=hot, max_rounds_unsynced=most).rows(number, 10**6, rows)
    assert min(hot, rows) <= covered <= rows


@given(hot=st.integers(1, 40), most=st.integers(1, 20), rows=st.integers(0, 300), rounds=st.integers(1, 40))
@settings(deadline=None)
def test_rounds_unsynced_are_those_since_a_row_s_last_sync(hot, most, rows, rounds):
    policy = SyncPolicy(hot_rows=hot, max_rounds_unsynced=most)
    last = np.zeros(rows, int)
    for number in range(1, rounds + 1):
        told = [since for begin, end, since in policy.unsynced(number, rows) for _ in range(begin, end)]
        assert told == (number - last).tolist()
        last[: policy.rows(number, rounds, rows)] = number


def test_weights_are_powers_and_those_of_a_mean_are_all_alike():
    assert SyncPolicy(combiner="touch", gamma=1.0).weights(4).tolist() == [1, 1, 1 / 2, 1 / 3, 1 / 4]
    assert SyncPolicy(combiner="touch", gamma=0.5).weights(2)[2] == pytest.approx(0.5**0.5, rel=1e-15)
    assert SyncPolicy(combiner="sum").weights(3).tolist() == [1, 1, 1, 1]
    assert SyncPolicy(combiner="mean").weights(5).tolist() == [0.2] * 6


@given(rows=st.integers(1, 10**7), size=st.integers(1, 2000), reducers=st.integers(1, 40))
def test_windows_and_shares_cover_every_row_once(rows, size, reducers):
    cuts = list(policies.windows(rows, size))
    assert [low for low, _ in cuts] == [0, *(high for _, high in cuts[:-1])]
    assert cuts[-1][1] == rows
    low, high = cuts[-1]
    shares = [policies.share(low, high, number, reducers) for number in range(reducers)]
    assert [begin for begin, _ in shares] == [low, *(end for _, end in shares[:-1])]
    assert shares[-1][1] == high


@pytest.mark.parametrize(
    ("given_", "named"),
    [
        ({"words_per_round": 0}, "words_per_round=0"),
        ({"combiner": "median"}, "combiner='median'"),
        ({"gamma": 1.5}, "gamma=1.5"),
        ({"hot_rows": 2.5}, "hot_rows=2.5"),
        ({"max_rounds_unsynced": 0}, "max_rounds_unsynced=0"),
    ],
)
def test_a_wrong_policy_is_refused_by_name(given_, named):
    with pytest.raises((ValueError, TypeError), match=named):
        SyncPolicy(**given_)


lengths = st.lists(st.lists(st.integers(0, 9), max_size=12), min_size=1, max_size=4)


@given(lengths=lengths, words=st.integers(1, 30))
@settings(deadline=None)
def test_rounds_take_every_word_once_and_end_with_a_sentence(lengths, words):
    offsets = [np.cumsum([0, *block]) for block in lengths]
    rounds = rounds_of(offsets, words)
    taken = [(stretch.block, word) for one in rounds for stretch in one for word in words_of(offsets, stretch)]
    assert taken == [(block, word) for block, cuts in enumerate(offsets) for word in range(cuts[-1])]
    sizes = [sum(len(words_of(offsets, stretch)) for stretch in one) for one in rounds]
    assert all(words <= size < words + 9 for size in sizes[:-1])
    assert all(size > 0 for size in sizes)


def words_of(offsets, stretch):
    cuts = offsets[stretch.block]
    return range(cuts[stretch.first], cuts[stretch.last])


def test_the_rate_falls_by_all_words_and_never_jumps():
    schedule, words = Schedule(0.025, 1e-5, 240), [[30, 30, 10], [30, 20, 0], [60, 30, 0]]
    before = 0
    for number in range(3):
        total = sum(own[number] for own in words)
        for own, pace in zip(words, paces(schedule, words, number), strict=True):
            if own[number]:
                first, behind = pace.of(200, 0).at(200), pace.of(200, 0)
                assert first == pytest.approx(schedule.at(before))
                last = behind.alpha - behind.slope * (200 + own[number])
                assert last == pytest.approx(schedule.alpha - schedule.slope * (before + total))
        before += total


@given(start=st.integers(0, 10**12), done=st.integers(0, 10**6))
def test_one_worker_has_the_schedule_itself(start, done):
    schedule = Schedule(0.025, 1e-14, 10**13)
    [pace] = paces(schedule, [[start, 10**6]], 1)
    assert pace.of(start + done, done) == schedule
