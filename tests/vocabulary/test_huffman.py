import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v.vocabulary import huffman


def expected_cost(counts):
    """Total code length of an optimal code, by the textbook heap."""
    heap = list(counts)
    heapq.heapify(heap)
    cost = 0
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        cost += joined
        heapq.heappush(heap, joined)
    return cost


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 10**12), min_size=2, max_size=60))
def test_codes_are_optimal_and_no_code_begins_another(counts):
    tree = huffman.paths(np.array(counts, np.int64))
    lengths = np.diff(tree.offsets)
    assert (lengths * np.array(counts, dtype=object)).sum() == expected_cost(counts)
    codes = ["".join(map(str, tree.labels[a:b])) for a, b in zip(tree.offsets[:-1], tree.offsets[1:], strict=True)]
    assert len(set(codes)) == len(codes)
    assert not any(other.startswith(code) for code in codes for other in codes if code is not other)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 100), min_size=2, max_size=40))
def test_paths_start_at_the_root_and_follow_one_tree(counts):
    tree = huffman.paths(np.array(counts, np.int64))
    child_of = {}
    for word, (a, b) in enumerate(zip(tree.offsets[:-1], tree.offsets[1:], strict=True)):
        points, labels = tree.points[a:b].tolist(), tree.labels[a:b].tolist()
        assert points[0] == len(counts) - 2
        for node, label, below in zip(points, labels, [*points[1:], f"word {word}"], strict=True):
            assert child_of.setdefault((node, label), below) == below
    assert len(child_of) == 2 * (len(counts) - 1)


def test_known_tree():
    tree = huffman.paths(np.array([5, 2, 1], np.int64))
    assert tree.offsets.tolist() == [0, 1, 3, 5]
    assert tree.points.tolist() == [1, 1, 0, 1, 0]


@pytest.mark.parametrize("counts", [[], [7]])
def test_fewer_than_two_words_have_no_inner_node(counts):
    tree = huffman.paths(np.array(counts, np.int64))
    assert tree.offsets.tolist() == [0] * (len(counts) + 1)
    assert len(tree.points) == len(tree.labels) == 0


def test_counts_beyond_32_bits():
    tree = huffman.paths(np.array([2**40, 2**33, 2**32, 5], np.int64))
    assert np.diff(tree.offsets).tolist() == [1, 2, 3, 3]


def test_words_never_seen_make_no_chain():
    assert np.diff(huffman.paths(np.zeros(1024, np.int64)).offsets).tolist() == [10] * 1024


def test_a_million_words_take_seconds():
    counts = np.maximum(10**8 // np.arange(1, 1_000_001), 1)
    tree = huffman.paths(counts)
    assert len(tree.offsets) == 1_000_001
    assert np.diff(tree.offsets)[0] < np.diff(tree.offsets)[-1]


def words_below(paths, n_words):
    """{node: (words on the one side, words on the other)}, of the first n_words."""
    found = {}
    for word in range(n_words):
        for j in range(paths.offsets[word], paths.offsets[word + 1]):
            found.setdefault(int(paths.points[j]), (set(), set()))[paths.labels[j]].add(word)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_a_row_goes_to_the_node_that_tells_the_same_words_apart(seed):
    rng = np.random.default_rng(seed)
    counts = np.sort(rng.integers(1, 1000, 40))[::-1]
    before = huffman.paths(counts[:33])
    after = huffman.paths(np.concatenate([counts[:33] + rng.integers(0, 40, 33), counts[33:]]))
    old, new = words_below(before, 33), words_below(after, 33)
    rows = rng.random((33, 4)).astype(np.float32)  # one more than there are nodes, as gensim has
    moved, found = huffman.carried_over(rows, before, after)
    assert moved.shape == (39, 4)
    expected = np.zeros_like(moved)
    for node, sides in new.items():
        for former, theirs in old.items():
            if theirs == sides:
                expected[node] = rows[former]
            elif theirs == sides[::-1]:
                expected[node] = -rows[former]
    assert np.array_equal(moved, expected)
    assert found == expected.any(axis=1).sum() > 0
    assert np.array_equal(huffman.carried_over(rows, before, before)[0], rows[:32])


def test_a_tree_of_one_word_has_no_rows_to_carry_over():
    one, three = huffman.paths(np.array([5])), huffman.paths(np.array([5, 4, 3]))
    assert huffman.carried_over(np.ones((1, 2), np.float32), one, three)[0].tolist() == [[0, 0], [0, 0]]
    assert huffman.carried_over(np.ones((1, 2), np.float32), one, one)[0].shape == (0, 2)
