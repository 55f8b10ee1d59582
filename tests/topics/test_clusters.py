"""The arithmetic of topics beside slow twins and known answers."""

import numpy as np
import pytest
from planted import blobs
from scipy.cluster.hierarchy import linkage

from w2v.topics import agreement, clusters, tree


def test_the_tree_is_ward_linkage_where_sizes_are_equal():
    rows = np.random.default_rng(5).normal(size=(17, 6))
    expected = linkage(rows, "ward")
    found = tree.ward(rows, np.ones(17))
    assert found.pairs.tolist() == expected[:, :2].astype(int).tolist()
    assert np.allclose(found.heights, expected[:, 2])


def test_the_tree_weighs_topics_by_their_documents():
    """The cost of a union is the growth of the documents' squared distances from their means."""
    draw = np.random.default_rng(6)
    means, sizes = draw.normal(size=(5, 3)), np.array([1, 9, 4, 2, 7])
    found = tree.ward(means, sizes)
    left, right = found.pairs[0]
    spread = [np.repeat(means[[left]], sizes[left], 0), np.repeat(means[[right]], sizes[right], 0)]
    union = np.concatenate(spread)
    assert found.heights[0] == pytest.approx(np.sqrt(2 * ((union - union.mean(axis=0)) ** 2).sum()))
    assert (np.diff(found.heights) >= 0).all()


def test_a_tree_of_wrong_steps_is_known():
    sound = tree.ward(np.eye(4), np.ones(4))
    assert sound.is_sound()
    assert not sound._replace(pairs=sound.pairs[::-1].copy()).is_sound()
    assert not sound._replace(pairs=np.array([[0, 1], [0, 2], [3, 4]], np.int32)).is_sound()


def test_a_tree_may_be_deeper_than_the_stack():
    steps = 3000
    chain = tree.Tree(np.array([[0, 1], *([steps + n, n + 1] for n in range(1, steps))], np.int32), np.arange(steps))
    assert chain.is_sound()
    assert chain.members(2 * steps) == list(range(steps + 1))
    assert len(chain.groups(7)) == 7


def test_near_topics_are_joined_by_way_of_others():
    angles = np.array([0, 0.3, 0.6, 2.0])
    vectors = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    areas = np.array([0, 1, 2, 3, -1], np.int32)
    assert clusters.joined(areas, vectors, 0.95).tolist() == [0, 0, 0, 1, -1]
    assert clusters.joined(areas, vectors, 0.99).tolist() == [0, 1, 2, 3, -1]


def test_the_sharpness_makes_the_areas_most_likely():
    units = blobs(60, 60, 60, spread=0.5)
    areas = np.repeat(np.arange(3), 60).astype(np.int32)
    found = clusters.topics_of(units, areas)
    sharpness = clusters.sharpness_of(units, found)

    def likelihood(s):
        weights = np.exp(s * (units @ found.vectors.T).astype(np.float64))
        return np.log(weights[np.arange(180), found.areas] / weights.sum(axis=1)).mean()

    grid = np.linspace(0.5, 60, 240)
    assert sharpness == pytest.approx(grid[np.argmax([likelihood(s) for s in grid])], abs=0.3)


def test_mean_shift_moves_rows_into_their_blob():
    units = blobs(40, 40, spread=0.4)
    moved = clusters.shifted(units, 15)
    own = np.repeat([0, 1], 40)
    middle = clusters.middles(units, own.astype(np.int32))
    assert (moved @ middle.T)[np.arange(80), own].mean() > (units @ middle.T)[np.arange(80), own].mean() + 0.1
    assert np.allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)


def test_partners_have_the_greatest_sum_of_indices():
    first = np.array([0, 0, 0, 1, 1, 2, -1])
    second = np.array([1, 1, 0, 0, 0, -1, 2])
    partners, shares = agreement.matched(first, second, 3, 3)
    assert partners.tolist() == [1, 0, -1]
    assert shares.tolist() == pytest.approx([2 / 3, 2 / 3, 0])
    words = agreement.words_shared(np.array([[1, 2], [3, 4], [5, 6]]), np.array([[4, 9], [2, 1], [5, 6]]), partners)
    assert words.tolist() == pytest.approx([1, 1 / 3, 0])


def test_a_few_odd_points_do_not_make_one_area_of_all_others():
    """Two areas, one of them far away and small; what looks like one is three."""
    draw = np.random.default_rng(2)
    middles = np.array([[0, 0], [1.2, 0], [0.6, 1.0]])
    cloud = np.concatenate([middle + draw.normal(size=(100, 2)) * 0.18 for middle in middles])
    places = np.concatenate([cloud, draw.normal(size=(14, 2)) * 0.1 + 60])
    areas = clusters.dense_areas(places, 10)
    assert len(set(areas[:300].tolist()) - {-1}) == 3
    assert len(set(areas[300:].tolist())) == 1


def test_one_large_area_without_others_in_it_stays():
    draw = np.random.default_rng(2)
    places = np.concatenate([draw.normal(size=(300, 2)) * 0.1, draw.normal(size=(30, 2)) * 0.1 + 5])
    areas = clusters.dense_areas(places, 25)
    assert (areas[:300] >= 0).mean() > 0.5
    assert len(set(areas[300:].tolist()) - {-1}) == 1
