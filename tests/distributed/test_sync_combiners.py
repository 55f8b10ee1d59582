"""What becomes of rows that several workers have changed: against an obvious twin, and properties without an engine."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v.distributed.combine import Sent, changed_rows, combined
from w2v.distributed.policy import COMBINERS, SyncPolicy


def reach(numbers):
    """Of row 0 nothing, then more and more."""
    return np.asarray(numbers, np.float64) / 10


def twin(base, locals_, policy):
    """Row by row, in Python's own numbers."""
    new = base.copy()
    for row in range(len(base)):
        start = base[row].astype(np.float64)
        changes = [local[row] - start for local in locals_ if local[row].tobytes() != base[row].tobytes()]
        own = [local[row] for local in locals_ if local[row].tobytes() != base[row].tobytes()]
        m, n = len(changes), len(locals_)
        if m == 0:
            continue
        if m == 1 and (policy.combiner != "mean" or n == 1):
            new[row] = own[0]
        elif policy.combiner == "adaptive":
            tree = [
                local[row] - start if local[row].tobytes() != base[row].tobytes() else 0 * start for local in locals_
            ]
            while len(tree) > 1:
                joined = [adaptive(*tree[i : i + 2]) for i in range(0, len(tree) - 1, 2)]
                tree = joined + tree[2 * len(joined) :]
            new[row] = start + tree[0]
        else:
            total = 0 * start
            for change in changes:
                total = total + change
            left = 1 / (1 + row / 10)
            in_turn = sum(left**before for before in range(m)) / m
            weight = {"sum": 1, "mean": 1 / n, "touch": m**-policy.gamma, "saturating": in_turn}[policy.combiner]
            new[row] = start + total * weight
    return new


def adaptive(a, b):
    def part(x):
        square = math.fsum(x * x)
        return x * (1 - math.fsum(a * b) / (2 * square)) if square else x

    return part(a) + part(b)


def replicas(seed, rows=40, size=6, workers=4, share=0.4):
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(rows, size)).astype(np.float32)
    locals_ = []
    for _ in range(workers):
        local = base.copy()
        touched = rng.random(rows) < share
        local[touched] += rng.normal(scale=0.1, size=(touched.sum(), size)).astype(np.float32)
        locals_.append(local)
    return base, locals_


def through(base, locals_, policy, low=0, high=None):
    high = len(base) if high is None else high
    parts = [changed_rows(local, base, low, high) for local in locals_]
    numbers, rows = combined(base, parts, policy, len(locals_), reach)
    new = base.copy()
    new[numbers] = rows
    return new


@pytest.mark.parametrize("combiner", COMBINERS)
@given(seed=st.integers(0, 10_000), workers=st.integers(1, 5), gamma=st.floats(0, 1))
@settings(max_examples=15, deadline=None)
def test_a_combined_row_is_what_the_formula_says(combiner, seed, workers, gamma):
    policy = SyncPolicy(combiner=combiner, gamma=gamma)
    base, locals_ = replicas(seed, workers=workers)
    np.testing.assert_allclose(through(base, locals_, policy), twin(base, locals_, policy), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("combiner", ["touch", "sum", "adaptive", "saturating"])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_a_row_that_one_worker_touched_is_kept_bit_for_bit(combiner, seed):
    base, locals_ = replicas(seed, share=0.2)
    new = through(base, locals_, SyncPolicy(combiner=combiner))
    touching = np.array([(local != base).any(axis=1) for local in locals_])
    for row in np.flatnonzero(touching.sum(axis=0) == 1):
        assert new[row].tobytes() == locals_[touching[:, row].argmax()][row].tobytes()
    assert (touching.sum(axis=0) == 1).any()


def test_a_plain_mean_dilutes_what_one_worker_learnt():
    base, other = np.zeros((1, 4), np.float32), np.ones((1, 4), np.float32)
    locals_ = [other, base, base, base]
    assert through(base, locals_, SyncPolicy(combiner="mean")).max() == 0.25
    assert through(base, locals_, SyncPolicy(combiner="touch", gamma=1.0)).max() == 1


def test_right_angles_add_up_and_equal_changes_are_averaged():
    base = np.zeros((2, 2), np.float32)
    one, other = np.array([[1, 0], [3, 4]], np.float32), np.array([[0, 2], [3, 4]], np.float32)
    assert through(base, [one, other], SyncPolicy(combiner="adaptive")).tolist() == [[1, 2], [3, 4]]


def test_what_is_not_learnt_adds_up_and_the_rest_is_averaged():
    base, locals_ = np.zeros((1, 2), np.float32), [np.full((1, 2), value, np.float32) for value in (1, 2, 6)]
    parts = [changed_rows(local, base, 0, 1) for local in locals_]
    for far, value in ((0.0, 9), (1.0, 9 * 1.75 / 3), (1e30, 3)):
        _, rows = combined(base, parts, SyncPolicy(combiner="saturating"), 8, lambda numbers, far=far: np.array([far]))
        assert rows.tolist() == [[value, value]]


def test_a_change_of_a_sign_of_zero_is_a_change():
    base = np.zeros((1, 2), np.float32)
    local = np.array([[0.0, -0.0]], np.float32)
    assert through(base, [local], SyncPolicy()).tobytes() == local.tobytes()


@pytest.mark.parametrize("combiner", COMBINERS)
@given(seed=st.integers(0, 10_000), cut=st.integers(0, 40))
@settings(max_examples=10, deadline=None)
def test_syncs_of_all_windows_are_one_full_sync(combiner, seed, cut):
    policy = SyncPolicy(combiner=combiner)
    base, locals_ = replicas(seed)
    whole = through(base, locals_, policy)
    parts = through(base, locals_, policy, 0, cut)
    parts[cut:] = through(base, locals_, policy, cut)[cut:]
    assert whole.tobytes() == parts.tobytes()


def test_changed_rows_are_those_of_the_range_alone():
    base, [local] = replicas(3, workers=1, share=1.0)
    numbers, rows = changed_rows(local, base, 10, 20)
    assert numbers.tolist() == list(range(10, 20))
    assert rows.tobytes() == local[10:20].tobytes()
    assert changed_rows(local, base, 50, 90)[0].tolist() == []


def test_what_is_sent_counts_its_bytes():
    sent = Sent((0, 0, 0), 1, [(np.zeros(3, np.int32), np.zeros((3, 5), np.float32))])
    assert sent.nbytes == 3 * 4 + 3 * 5 * 4
