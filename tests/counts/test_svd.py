"""The truncated SVD: as good as the whole one, with the same bytes every time, and with chosen signs."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random

from w2v.counts import svd


def sparse(rows, columns, seed=1, density=0.02):
    """A matrix whose singular values fall as those of words do."""
    made = random(rows, columns, density, format="csr", random_state=seed, dtype=np.float64)
    made.data *= 1 + 20 * np.random.default_rng(seed).random(len(made.data)) ** 8
    scale = 1 / np.sqrt(np.arange(1, columns + 1))
    return csr_matrix(made.multiply(scale)).astype(np.float32)


@pytest.fixture
def in_blocks(monkeypatch):
    """Block iteration, also for a matrix that is small enough to be decomposed as a whole."""
    monkeypatch.setattr(svd, "DENSE", 0)


@pytest.mark.parametrize("shape", [(600, 600), (700, 400), (400, 700)])
def test_the_space_is_as_near_as_the_best_one(in_blocks, shape):
    matrix, size = sparse(*shape), 20
    left, values, right = svd.truncated(matrix, size, 2)
    best = np.linalg.svd(matrix.toarray(), compute_uv=False)
    np.testing.assert_allclose(values, best[:size], rtol=5e-3)
    np.testing.assert_allclose(values[:10], best[:10], rtol=1e-5)
    rest = np.linalg.norm(matrix.toarray() - left * values @ right.T)
    assert rest <= np.linalg.norm(best[size:]) * 1.0005
    for vectors in (left, right):
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(vectors.T @ vectors, np.eye(size), atol=1e-5)


@pytest.mark.parametrize("shape", [(300, 200), (200, 300), (900, 60), (60, 900), (70, 70)])
def test_a_small_matrix_is_decomposed_as_a_whole(shape):
    matrix = sparse(*shape, density=0.1)
    left, values, right = svd.truncated(matrix, 12, 1)
    u, s, v = np.linalg.svd(matrix.toarray().astype(np.float64), full_matrices=False)
    np.testing.assert_allclose(values, s[:12], rtol=1e-5)
    np.testing.assert_allclose(np.abs(left), np.abs(u[:, :12]), atol=1e-4)
    np.testing.assert_allclose(np.abs(right), np.abs(v[:12].T), atol=1e-4)


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_the_bytes_are_the_same_for_any_number_of_threads(in_blocks, threads):
    matrix = sparse(500, 300)
    once, again = svd.truncated(matrix, 15, 1), svd.truncated(matrix, 15, threads)
    assert [part.tobytes() for part in once] == [part.tobytes() for part in again]


def test_another_order_of_rows_and_columns_turns_no_vector(in_blocks):
    matrix = random(
        700, 500, 0.05, format="csr", random_state=1, dtype=np.float32
    )  # none of its values is far from others
    size, rng = 40, np.random.default_rng(5)
    rows, columns, keys = rng.permutation(700), rng.permutation(500), np.arange(500, dtype=np.uint64) * 7
    found = svd.truncated(matrix, size, 1, keys)
    moved = svd.truncated(matrix[rows][:, columns], size, 1, keys[columns])
    np.testing.assert_allclose(moved.left, found.left[rows], atol=1e-4)
    np.testing.assert_allclose(moved.right, found.right[columns], atol=1e-4)
    other = svd.truncated(matrix[rows][:, columns], size, 1, keys)
    assert abs(other.right - found.right[columns]).max() > 0.1  # so the start matters


def test_the_largest_entry_of_a_vector_is_above_0():
    for matrix in (sparse(80, 60, density=0.2), -sparse(80, 60, density=0.2)):
        right = svd.truncated(matrix, 10, 1).right
        assert (right[np.abs(right).argmax(axis=0), np.arange(10)] > 0).all()


def test_directions_beyond_the_rank_are_0(in_blocks):
    rng = np.random.default_rng(3)
    low = csr_matrix((rng.random((400, 3)) @ rng.random((3, 400))).astype(np.float32))
    for dense in (0, 1000):
        svd.DENSE = dense
        found = svd.truncated(low, 8, 1)
        assert (found.values[:3] > 0).all()
        assert not found.values[3:].any()
        assert not found.left[:, 3:].any()
        assert not found.right[:, 3:].any()
        np.testing.assert_allclose(found.left * found.values @ found.right.T, low.toarray(), atol=1e-4)


def test_values_are_raised_where_they_are_not_0():
    vectors = np.ones((2, 3), np.float32)
    values = np.array([4, 1, 0], np.float32)
    assert svd.raised(vectors, values, 0.5).tolist() == [[2, 1, 0]] * 2
    assert svd.raised(vectors, values, -1).tolist() == [[0.25, 1, 0]] * 2
    assert svd.raised(vectors, values, 0).tolist() == [[1, 1, 0]] * 2
