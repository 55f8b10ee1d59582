"""The arithmetic of queries, against answers known by construction."""

import numpy as np
import pytest

from w2v.vectors import queries


def padded(rows, width, stride=16, seed=0):
    """A strided view on a padded matrix, as training has it; the padding is loud."""
    matrix = np.full((rows, stride), 1e30, np.float32)
    matrix[:, :width] = np.random.default_rng(seed).normal(size=(rows, width))
    return matrix[:, :width]


def test_norms_survive_values_whose_squares_do_not():
    vectors = np.array([[3, 4], [0, 0], [3e-40, 4e-40], [3e30, 4e30]], np.float32)
    assert queries.row_norms(vectors) == pytest.approx([5, 0, 5e-40, 5e30], rel=1e-4)


def test_unit_vectors_have_length_one_and_zero_stays_zero():
    assert queries.unit(np.array([3e-30, 4e-30])) == pytest.approx([0.6, 0.8])
    assert queries.unit(np.zeros(3)).tolist() == [0, 0, 0]
    vectors = padded(7, 5)
    units = queries.unit_rows(vectors, queries.row_norms(vectors))
    assert np.linalg.norm(units, axis=1) == pytest.approx(np.ones(7))


def test_cosine_with_a_zero_row_is_zero():
    vectors = np.array([[1, 0], [0, 0], [-2, 0], [0, 5], [3, 3]], np.float32)
    scores = queries.cosines(vectors, queries.row_norms(vectors), np.array([1, 0], np.float32))
    assert scores == pytest.approx([1, 0, -1, 0, np.sqrt(0.5)])


def test_equal_scores_come_in_row_order_also_at_the_cut():
    scores = np.array([1, 3, 2, 3, 2, 3, 2, 0], np.float32)
    assert queries.top_rows(scores, 5) == [1, 3, 5, 2, 4]
    assert queries.top_rows(scores, 5, {3, 2}) == [1, 5, 4, 6, 0]
    assert queries.top_rows(scores, 99, {0}) == [1, 3, 5, 2, 4, 6, 7]
    assert queries.top_rows(np.zeros(1000, np.float32), 3) == [0, 1, 2]
    assert queries.top_rows(scores, 0) == [] == queries.top_rows(scores[:0], 3)


def test_top_rows_is_a_stable_sort(monkeypatch):
    rng = np.random.default_rng(1)
    for _ in range(50):
        scores = rng.integers(0, 9, 60).astype(np.float32)
        whole = sorted(range(60), key=lambda row: (-scores[row], row))
        assert queries.top_rows(scores, 17) == whole[:17]


def test_batches_do_not_depend_on_the_block_size(monkeypatch):
    vectors = padded(50, 12)
    norms = queries.row_norms(vectors)
    rows = [3, 49, 3, 0, 17]
    whole = [(row, scores.copy()) for row, scores in queries.batched_cosines(vectors, norms, rows, 40)]
    monkeypatch.setattr(queries, "_BLOCK_BYTES", 1)
    single = [(row, scores.copy()) for row, scores in queries.batched_cosines(vectors, norms, rows, 40)]
    for (row, scores), (other, others) in zip(whole, single, strict=True):
        assert row == other
        assert scores == pytest.approx(others, abs=1e-6)
        assert scores == pytest.approx(vectors[:40] @ vectors[row] / norms[:40] / norms[row], abs=1e-6)
