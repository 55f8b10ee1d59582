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


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("held", [False, True])
def test_batches_are_a_sorted_product_whatever_the_blocks(monkeypatch, kind, held):
    vectors = padded(700, 12).astype(kind)
    vectors[[5, 9]] = 0
    vectors[[20, 600]] = vectors[3]
    norms = queries.row_norms(vectors)
    units = queries.unit_rows(vectors[[3, 49, 3, 5, 17]], None)
    exact = units.astype(np.float64) @ queries.unit_rows(vectors.astype(np.float64), None).T
    for block, at_once in ((16 << 20, 1024), (1, 2), (4000, 1)):
        monkeypatch.setattr(queries, "_BLOCK_BYTES", block)
        monkeypatch.setattr(queries, "QUERIES_AT_ONCE", at_once)
        rows, cosines = queries.nearest_rows(units, vectors, None if held else norms, 8)
        assert rows.shape == cosines.shape == (5, 8)
        assert (np.diff(cosines) <= 0).all()
        for own, found, expected in zip(rows, cosines, exact, strict=True):
            assert found == pytest.approx(np.sort(expected)[::-1][:8], abs=2e-3 if kind == np.float16 else 1e-6)
            assert found == pytest.approx(expected[own], abs=2e-3 if kind == np.float16 else 1e-6)


def test_equal_cosines_come_in_row_order_from_every_block(monkeypatch):
    vectors = np.ones((300, 4), np.float32)
    monkeypatch.setattr(queries, "_BLOCK_BYTES", 80)
    rows, _ = queries.nearest_rows(queries.unit_rows(vectors[:3], None), vectors, None, 7)
    assert rows.tolist() == [list(range(7))] * 3
    [(near, _)] = queries.neighbors_of_rows(vectors, None, [2], 4)
    assert near.tolist() == [0, 1, 3, 4]


def test_a_batch_may_ask_for_more_rows_than_there_are():
    vectors = padded(5, 4)
    rows, cosines = queries.nearest_rows(queries.unit_rows(vectors[:2], None), vectors, None, 9)
    assert rows.shape == cosines.shape == (2, 5)
    assert [len(near) for near, _ in queries.neighbors_of_rows(vectors, None, [0, 4], 9, limit=3)] == [2, 3]
