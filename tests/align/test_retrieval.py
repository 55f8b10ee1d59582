"""Retrieval in blocks is the formula over the whole matrix."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from w2v.align import retrieval


def units(rows, size=9, seed=0):
    found = np.random.default_rng(seed).normal(size=(rows, size)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def formula(way, asked, mapped, targets):
    """Scores of all targets, from the definitions, in float64."""
    asked, mapped, targets = (rows.astype(np.float64) for rows in (asked, mapped, targets))
    cosines = asked @ targets.T
    if way == "csls":
        here = np.sort(targets @ mapped.T, axis=1)[:, -retrieval.NEIGHBORS :].mean(axis=1)
        return 2 * cosines - here
    if way == "inverted_softmax":
        beta = retrieval.INVERSE_TEMPERATURE
        return beta * cosines - np.log(np.exp(beta * (targets @ mapped.T)).sum(axis=1))
    return cosines


@pytest.mark.parametrize("way", retrieval.WAYS)
@pytest.mark.parametrize("memory", [1, 20_000, 1 << 24])
def test_blocks_agree_with_the_formula(way, memory, monkeypatch):
    monkeypatch.setattr(retrieval, "BLOCK_BYTES", memory)
    mapped, targets = units(700), units(1300, seed=1)
    slope, penalty = retrieval.penalties(way, mapped, targets)
    rows, scores = retrieval.nearest(mapped[:40], targets, 7, slope, penalty)
    wanted = formula(way, mapped[:40], mapped, targets)
    order = np.argsort(-wanted, axis=1)[:, :7]
    np.testing.assert_array_equal(rows, order)
    np.testing.assert_allclose(scores, np.take_along_axis(wanted, order, axis=1), atol=2e-5)


@examples(max_examples=60, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 30), st.integers(0, 10))
def test_the_highest_are_those_of_a_sort(columns, count, seed):
    scores = np.random.default_rng(seed).integers(0, 10**6, (3, columns)).astype(np.float32)
    count = min(count, columns)
    rows, values = retrieval.highest(scores, count)
    np.testing.assert_array_equal(values, -np.sort(-scores, axis=1)[:, :count])
    np.testing.assert_array_equal(np.take_along_axis(scores, rows, axis=1), values)
    assert all(len(set(row)) == count for row in rows.tolist())


def test_few_rows_have_fewer_neighbours():
    mapped, targets = units(3), units(4, seed=1)
    np.testing.assert_allclose(retrieval.mean_of_nearest(mapped, targets), (mapped @ targets.T).mean(axis=1), atol=1e-6)
    assert retrieval.nearest(mapped, targets, 10)[0].shape == (3, 4)


def test_csls_passes_over_a_hub():
    """A target near to all is the nearest of many, and with a correction of few."""
    rng = np.random.default_rng(3)
    rows = units(300, 30, 2) + units(1, 30, 3)
    targets = np.concatenate([units(1, 30, 3), rows + 0.25 * rng.normal(size=rows.shape)])
    mapped, targets = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (rows, targets))
    mapped, targets = mapped.astype(np.float32), targets.astype(np.float32)
    hub = {}
    for way in retrieval.WAYS:
        found = retrieval.nearest(mapped, targets, 1, *retrieval.penalties(way, mapped, targets))[0]
        hub[way] = (found == 0).mean()
    assert hub["nn"] > 0.1
    assert max(hub["csls"], hub["inverted_softmax"]) < 0.2 * hub["nn"], hub
