"""Learnt maps: known rotations are recovered, bad anchors are named, and what changed is found."""

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from spaces import named, rotated_pair, rotation

from w2v import KeyedVectors, Word2Vec, align
from w2v.align import maps

METHODS = ["orthogonal", "least_squares", "ridge"]
WAYS = ["nn", "csls", "inverted_softmax"]


def right(found, words, way, topn=1):
    """Share of words that are translated to themselves."""
    answers = found.translate(words, topn=topn, retrieval=way)
    return np.mean([word in [other for other, _ in answers[word]] for word in words])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("options", [{}, {"center": False, "unit": False}, {"robust": True}, {"refine": 2}], ids=str)
def test_a_known_rotation_is_recovered(method, options):
    source, target, turn = rotated_pair()
    found = align.fit(source, target, 200, method, **options)
    np.testing.assert_allclose(found.matrix, turn, atol=1e-5)
    for way in WAYS:
        assert right(found, source.index_to_key[200:], way) == 1
    held_out = found.held_out()
    assert held_out.anchors == 200
    assert held_out.precision == 1
    assert held_out.cosine > 0.99999


def test_an_orthogonal_map_keeps_lengths_and_its_inverse_leads_back():
    source, target, _ = rotated_pair(noise=0.3)
    for method in METHODS:
        found = align.fit(source, target, method=method, center=False, unit=False)
        mapped = found.transform(source.vectors)
        np.testing.assert_allclose(found.inverse().transform(mapped), source.vectors, atol=1e-4)
        lengths = np.linalg.norm(mapped, axis=1) / np.linalg.norm(source.vectors, axis=1)
        assert np.allclose(lengths, 1, atol=1e-5) == (method == "orthogonal")
    assert found.inverse().source is target


def test_least_squares_finds_a_shear_that_no_rotation_is():
    rng = np.random.default_rng(3)
    rows, shear = rng.normal(size=(400, 10)), rng.normal(size=(10, 7))
    source, target = named(rows), named(rows @ shear)
    for method in ("least_squares", "ridge"):
        found = align.fit(source, target, 200, method, center=False, unit=False)
        np.testing.assert_allclose(found.matrix, shear, atol=1e-3)
    turned = align.fit(source, target, 200, center=False, unit=False)
    assert turned.held_out().cosine < found.held_out().cosine - 0.01


def test_a_mean_that_has_moved_is_followed():
    source, _, turn = rotated_pair()
    target = named(source.vectors @ turn + 5)
    mapped = align.fit(source, target, unit=False).transform(source)
    assert isinstance(mapped, KeyedVectors)
    np.testing.assert_allclose(mapped.vectors, target.vectors, atol=1e-4)
    assert mapped.index_to_key == source.index_to_key


def test_vectors_of_one_word_and_of_other_sizes():
    source, target, _ = rotated_pair()
    found = align.fit(source, target)
    np.testing.assert_allclose(found.transform(source["w3"]), found.transform(source.vectors)[3], atol=1e-6)
    with pytest.raises(ValueError, match=r"shape \(2, 7\); this map takes \[rows, 20\]"):
        found.transform(np.zeros((2, 7)))


@pytest.mark.parametrize("method", METHODS)
def test_robust_anchors_leave_wrong_pairs_out(method):
    source, target, turn = rotated_pair(words=400)
    words = source.index_to_key
    pairs = list(zip(words, words, strict=True))
    pairs[:80] = zip(words[:80], np.roll(words[:80], 1).tolist(), strict=True)
    plain, robust = (align.fit(source, target, pairs, method, robust=way) for way in (False, True))
    assert np.abs(robust.matrix - turn).max() < 1e-3 < np.abs(plain.matrix - turn).max()
    assert robust.factors[:80].max() < 0.1 * robust.factors[80:].min()


def test_refinement_needs_few_anchors():
    rng = np.random.default_rng(5)
    rows = rng.normal(size=(600, 20)) * np.linspace(2, 0.3, 20)
    source, target = named(rows), named((rows + 0.4 * rng.normal(size=rows.shape)) @ rotation(20))
    tried = source.index_to_key[400:]
    plain, refined = (right(align.fit(source, target, 12, refine=n), tried, "csls") for n in (0, 5))
    assert refined > plain + 0.1
    assert refined > 0.8


def test_frequent_words_weigh_more():
    source, target, turn = rotated_pair(words=300)
    target.vectors[100:] += np.random.default_rng(1).normal(size=(200, 20)).astype(np.float32)
    for side in (source, target):
        side.expandos["count"] = np.r_[np.full(100, 10**6), np.full(200, 2)]
    off = [
        np.abs(align.fit(source, target, weights=w).matrix - turn).max()
        for w in (None, "frequency", np.r_[np.ones(100), np.zeros(200)])
    ]
    assert off[0] > off[1] > off[2]
    assert off[2] < 1e-5


@pytest.mark.parametrize("penalty", [0.0, 0.5])
def test_a_ridge_is_the_least_squares_map_of_more_rows(penalty):
    rng = np.random.default_rng(2)
    source, target, weights = rng.normal(size=(80, 6)), rng.normal(size=(80, 4)), rng.random(80)
    added = np.sqrt(penalty * np.trace(source.T @ (weights[:, None] * source)) / 6)
    rows = np.concatenate([np.sqrt(weights)[:, None] * source, added * np.eye(6)])
    wanted = np.linalg.lstsq(rows, np.concatenate([np.sqrt(weights)[:, None] * target, np.zeros((6, 4))]), rcond=None)
    np.testing.assert_allclose(maps.solve.ridge(source, target, weights, penalty), wanted[0], atol=1e-10)


def test_the_penalty_of_a_ridge_predicts_pairs_left_out_best():
    rng = np.random.default_rng(4)
    source = rng.normal(size=(40, 12))
    target = source @ rng.normal(size=(12, 5)) + 4 * rng.normal(size=(40, 5))

    def error(penalty):
        """Leave out each pair in turn, and fit the others; the variance is that of all."""
        mean = np.trace(source.T @ source) / 12
        total = 0.0
        for i in range(40):
            rest = np.arange(40) != i
            gram = source[rest].T @ source[rest] + penalty * mean * np.eye(12)
            total += ((target[i] - source[i] @ np.linalg.solve(gram, source[rest].T @ target[rest])) ** 2).sum()
        return total

    best = min(maps.solve.PENALTIES, key=error)
    np.testing.assert_allclose(
        maps.solve.ridge(source, target), maps.solve.ridge(source, target, None, best), atol=1e-12
    )


# --- anchors that are none --------------------------------------------------------------------------------------------


def test_pairs_the_wrong_way_round_are_named():
    source, target, _ = rotated_pair()
    foreign = named(target.vectors, prefix="x")
    pairs = [(f"x{n}", f"w{n}") for n in range(100)]
    with pytest.raises(ValueError, match=r"0 are a source word and a target word, and 100 the other way round"):
        align.fit(source, foreign, pairs)
    assert right(align.fit(source, source, 50), ["w5"], "nn") == 1
    assert align.fit(foreign, source, pairs).translate("x7", 1)["x7"][0][0] == "w7"


@pytest.mark.parametrize(
    ("anchors", "said"),
    [
        ([("w1", "w1")] * 40, "39 anchors are given more than once"),
        ([("w1", "w1"), ("no", "w2")], "1 of 2 anchors have a word that is not in its set of vectors, such as"),
        (7, r"7 anchors for vectors of 20 numbers: they say nothing about 13 directions"),
    ],
    ids=str,
)
def test_surprising_anchors_are_logged(anchors, said, caplog):
    source, target, _ = rotated_pair()
    with caplog.at_level(logging.WARNING):
        found = align.fit(source, target, anchors)
    assert any(said in message for message in caplog.messages)
    assert np.isfinite(found.matrix).all()


@pytest.mark.parametrize(
    ("anchors", "error", "said"),
    [
        ([("no", "none")], ValueError, "none of the 1 anchors"),
        ([], ValueError, "none of the 0 anchors"),
        ("w1", TypeError, "must be a number, or pairs"),
        (["ab"], TypeError, "'ab' is no pair"),
        ([("a", "b", "c")], TypeError, "is no pair"),
        (0, ValueError, "anchors=0 must be at least 1"),
        (2.5, TypeError, "must be a number, or pairs"),
    ],
    ids=str,
)
def test_anchors_that_cannot_be_used_are_errors(anchors, error, said):
    source, target, _ = rotated_pair()
    with pytest.raises(error, match=said):
        align.fit(source, target, anchors)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "affine"}, "method='affine' must be one of"),
        ({"refine": -1}, "refine=-1"),
        ({"penalty": 1.0}, "belongs to method='ridge'"),
        ({"weights": "often"}, "weights='often'"),
        ({"weights": "frequency"}, "needs counts"),
        ({"weights": [1.0, 2.0]}, r"weights of shape \(2,\) for 600 anchors"),
        ({"weights": np.zeros(600)}, "not all of them 0"),
    ],
    ids=str,
)
def test_options_out_of_range_are_errors(options, said):
    source, target, _ = rotated_pair()
    with pytest.raises(ValueError, match=said):
        align.fit(source, target, **options)


def test_what_is_no_set_of_vectors_is_named():
    source, target, _ = rotated_pair()
    with pytest.raises(TypeError, match=r"source is a Word2Vec, and must be KeyedVectors; give source.wv"):
        align.fit(Word2Vec(), target)
    target.vectors[3] = np.nan
    with pytest.raises(ValueError, match="target has vectors with NaN"):
        align.fit(source, target)
    with pytest.raises(ValueError, match="no word is in both"):
        align.fit(source, named(source.vectors, prefix="x"))


def test_questions_that_have_no_answer_are_errors():
    source, target, _ = rotated_pair()
    found = align.fit(source, target, 4)
    with pytest.raises(ValueError, match="retrieval='best' must be one of"):
        found.translate("w1", retrieval="best")
    with pytest.raises(KeyError, match="lakes"):
        found.translate(["lakes"])
    with pytest.raises(ValueError, match="4 anchors for folds=5"):
        found.held_out()
    with pytest.raises(ValueError, match="fitted together"):
        align.fit_many([source, target])[0].held_out()


# --- what changed -----------------------------------------------------------------------------------------------------


def test_words_that_have_moved_are_listed_first():
    source, target, _ = rotated_pair(noise=0.02)
    target.vectors[[5, 50, 500]] = -target.vectors[[5, 50, 500]]
    found = align.fit(source, target, robust=True)
    shifted = found.shifted(topn=5)
    assert {word for word, _ in shifted[:3]} == {"w5", "w50", "w500"}
    assert shifted[2][1] < -0.5 < 0.9 < shifted[3][1]
    assert {word for word, _ in found.shifted(topn=5, restrict=100)[:2]} == {"w5", "w50"}


def test_a_dictionary_has_its_worst_anchors_listed():
    source, target, _ = rotated_pair(words=200)
    foreign = named(target.vectors, prefix="x")
    pairs = [(f"w{n}", f"x{n}") for n in range(200)]
    pairs[9] = ("w9", "x10")
    found = align.fit(source, foreign, pairs)
    assert found.shifted(topn=1)[0][0] == "w9"
    assert found.cosines([("w9", "x9")])[0] > 0.99


# --- many spaces ------------------------------------------------------------------------------------------------------


@examples(max_examples=10, deadline=None)
@given(st.permutations(range(4)))
def test_many_spaces_meet_in_any_order(order):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 8))
    spaces = [named((rows + 0.01 * rng.normal(size=rows.shape)) @ rotation(8, seed)) for seed in range(4)]
    found = align.fit_many([spaces[i] for i in order], anchors=100)
    moved = [one.transform(spaces[i].vectors) for one, i in zip(found, order, strict=True)]
    units = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in moved]
    for other in units[1:]:
        assert np.vecdot(units[0], other).min() > 0.99
    assert [len(one.target) for one in found] == [100] * 4
    # What they agree on does not depend on who comes first.
    cosines = sorted(float(one.cosines().mean()) for one in found)
    straight = sorted(float(one.cosines().mean()) for one in align.fit_many(spaces, anchors=100))
    np.testing.assert_allclose(cosines, straight, atol=1e-5)


def test_many_spaces_are_checked():
    source, target, _ = rotated_pair()
    with pytest.raises(ValueError, match="1 sets of vectors; it takes two"):
        align.fit_many([source])
    with pytest.raises(ValueError, match="vectors of 5 and 20 numbers"):
        align.fit_many([source, named(np.eye(5))])
    with pytest.raises(ValueError, match="0 words are in all 2 sets"):
        align.fit_many({"a": source, "b": named(target.vectors, prefix="x")})
    with pytest.raises(KeyError, match="nobody"):
        align.fit_many([source, target], anchors=["w1", "nobody"])
