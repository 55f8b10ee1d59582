"""Word mover's distance: right answers by construction, and by trying all assignments."""

import signal
import threading
import tracemalloc
from itertools import permutations

import numpy as np
import pytest

from w2v import KeyedVectors
from w2v.vectors import word_movers


def test_equal_masses_are_assigned_in_the_best_of_all_ways():
    rng = np.random.default_rng(0)
    left, right = rng.random((5, 3)), rng.random((5, 3))
    costs = np.linalg.norm(left[:, None] - right[None], axis=2)
    best = min(sum(costs[i, j] for i, j in enumerate(order)) for order in permutations(range(5))) / 5
    ones = np.ones(5)
    assert word_movers.distance(left, ones, right, ones) == pytest.approx(best)
    assert word_movers._least_cost(costs, ones / 5, ones / 5) == pytest.approx(best)


def test_mass_may_be_split():
    left, right = np.array([[0.0]]), np.array([[1.0], [3.0]])
    assert word_movers.distance(left, np.array([4]), right, np.array([1, 1])) == pytest.approx(2.0)
    assert word_movers.distance(left, np.array([4]), right, np.array([3, 1])) == pytest.approx(1.5)


@pytest.fixture
def vectors():
    rows = np.array([[1, 0], [0, 2], [3, 3], [-1, 0]], np.float32)
    return KeyedVectors.from_arrays(["a", "b", "c", "d"], rows)


def test_distances_of_documents(vectors):
    assert vectors.wmdistance(["a"], ["a"]) == 0
    assert vectors.wmdistance(["a", "b", "a"], ["b", "a", "a"]) == pytest.approx(0)
    assert vectors.wmdistance(["a"], ["d"]) == pytest.approx(2)
    assert vectors.wmdistance(["a"], ["b"]) == pytest.approx(np.sqrt(2))
    assert vectors.wmdistance(["a"], ["b"], norm=False) == pytest.approx(np.sqrt(5))
    assert vectors.wmdistance(["a", "unheard-of"], ["d"]) == pytest.approx(2)


def test_a_document_of_unknown_words_is_infinitely_far(vectors):
    assert vectors.wmdistance(["unheard-of"], ["a"]) == float("inf")
    assert vectors.wmdistance([], ["a"]) == float("inf")


def test_a_text_is_no_document(vectors):
    with pytest.raises(TypeError, match="list of words"):
        vectors.wmdistance("a b", ["a"])


def test_memory_is_bounded_by_the_pairs_of_words():
    rng = np.random.default_rng(0)
    left, right = rng.random((200, 1000)), rng.random((300, 1000))
    tracemalloc.start()
    costs = word_movers._costs(left, right)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert costs[17] == pytest.approx(np.linalg.norm(right - left[17], axis=1))
    assert peak < 8 * costs.nbytes  # all differences would be 1000 times that


def test_a_solver_leaves_its_caller_to_ctrl_c(monkeypatch):
    solving, ended, threads = threading.Event(), threading.Event(), []

    def solver(*problem):
        threads.append(threading.current_thread())
        solving.set()
        ended.wait(30)
        return 7.0

    monkeypatch.setattr("w2v.vectors.word_movers.find_spec", lambda name: None)
    monkeypatch.setattr("w2v.vectors.word_movers._least_cost", solver)
    ones, rows = np.ones(2), np.eye(2)
    kicker = threading.Thread(target=lambda: (solving.wait(30), signal.raise_signal(signal.SIGINT)))
    kicker.start()
    with pytest.raises(KeyboardInterrupt):
        word_movers.distance(rows, ones, rows, ones)
    kicker.join()
    assert threads[0] is not threading.main_thread()
    assert not ended.is_set()
    ended.set()
    threads[0].join()
    assert word_movers.distance(rows, ones, rows, ones) == 7.0


def test_solver_errors_reach_the_caller(monkeypatch):
    def solver(*problem):
        raise ArithmeticError("no way")

    monkeypatch.setattr("w2v.vectors.word_movers.find_spec", lambda name: None)
    monkeypatch.setattr("w2v.vectors.word_movers._least_cost", solver)
    with pytest.raises(ArithmeticError, match="no way"):
        word_movers.distance(np.eye(2), np.ones(2), np.eye(2), np.ones(2))


def test_too_many_pairs_for_scipy_are_refused_before_work(monkeypatch):
    monkeypatch.setattr("w2v.vectors.word_movers.find_spec", lambda name: None)
    rows = np.zeros((1025, 2))
    with pytest.raises(MemoryError, match=r"1,025 and 1,025 different words.*w2v\[wmd\]"):
        word_movers.distance(rows, np.ones(1025), rows, np.ones(1025))
