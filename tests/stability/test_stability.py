"""Stability measures: answers known by construction, slow twins, reference results, a publication's figures."""

import doctest
import importlib
import itertools
import math
import os
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from places import SHARED

from w2v import KeyedVectors
from w2v.stability import (
    aligned_cosine,
    compare_neighbors,
    eigenspace_instability,
    eigenspace_overlap,
    format_table,
    jaccard,
    jackknife_error,
    joint_jaccard,
    measure,
    measures,
    neighbor_tables,
    overlap,
    pair_correlation,
    pip_loss,
    rank_biased_overlap,
    raw_cosine,
    raw_distance,
    reliability,
    report,
    write_records,
)

PUBLISHED = SHARED / "data/stability"
needs_published = pytest.mark.skipif(
    not PUBLISHED.exists() and os.environ.get("CI") != "true", reason="the published results are not here"
)

FEW = 200  # bootstrap samples: enough to see what is right, and quick

SEEDS = st.integers(0, 2**32 - 1)


def space(vectors, words=None, counts=None):
    words = words or [f"w{row}" for row in range(len(vectors))]
    attributes = {} if counts is None else {"count": np.asarray(counts)}
    return KeyedVectors.from_arrays(list(words), np.asarray(vectors), attributes)


def random_rotation(draw, size):
    """Uniform over rotations and reflections."""
    turn, upper = np.linalg.qr(draw.normal(size=(size, size)))
    return turn * np.sign(np.diag(upper))


def random_table(draw, words, k, ids, missing=0.0):
    table = np.array([draw.permutation(ids)[:k] for _ in range(words)], np.int32)
    table[draw.random(words) < missing] = -1
    return table


@pytest.fixture(scope="module", autouse=True)
def few_resamples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "RESAMPLES", FEW)
        yield


# --- the slow twins -----------------------------------------------------------------------------------------------


def slow_overlap(first, second):
    return [len(set(a) & set(b) - {-1}) / len(a) for a, b in zip(first.tolist(), second.tolist(), strict=True)]


def slow_joint(tables):
    scores = []
    for word in range(tables.shape[1]):
        sets = [set(table[word].tolist()) - {-1} for table in tables]
        union = set.union(*sets)
        scores.append(len(set.intersection(*sets)) / len(union) if union else 0.0)
    return scores


def slow_rbo(first, second, p):
    scores = []
    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        k = len(a)
        shared = [len(set(a[:depth]) & set(b[:depth]) - {-1}) for depth in range(1, k + 1)]
        total = sum(x / depth * p**depth for depth, x in enumerate(shared, 1))
        scores.append(shared[-1] / k * p**k + (1 - p) / p * total)
    return scores


@pytest.mark.parametrize("block", [1, 1 << 26])
@pytest.mark.parametrize(("runs", "words", "k", "ids"), [(2, 40, 1, 3), (3, 30, 5, 8), (7, 20, 10, 30)])
def test_fast_measures_equal_their_slow_twins(monkeypatch, block, runs, words, k, ids):
    monkeypatch.setattr(measures, "BLOCK_BYTES", block)
    draw = np.random.default_rng(k)
    tables = np.stack([random_table(draw, words, k, ids, missing=0.1) for _ in range(runs)])
    first, second = tables[:2]
    np.testing.assert_allclose(overlap(first, second), slow_overlap(first, second))
    np.testing.assert_allclose(jaccard(first, second), slow_joint(tables[:2]))
    np.testing.assert_allclose(joint_jaccard(tables), slow_joint(tables))
    for persistence in (0.5, 0.9, 0.98):
        found = rank_biased_overlap(first, second, persistence)
        np.testing.assert_allclose(found, slow_rbo(first, second, persistence), atol=1e-12)
    if runs > 2:
        expected = [slow_joint(tables[[other for other in range(runs) if other != i]]) for i in range(runs)]
        np.testing.assert_allclose(reliability(tables), expected)


def test_whole_space_measures_equal_their_definitions():
    draw = np.random.default_rng(1)
    for words, left, right in [(50, 6, 6), (50, 4, 9), (7, 6, 6)]:  # fewer words than both sizes together, too
        x, y = draw.normal(size=(words, left)), draw.normal(size=(words, right))
        assert pip_loss(x, y) == pytest.approx(np.linalg.norm(x @ x.T - y @ y.T))
        projections = [space @ np.linalg.pinv(space) for space in (x, y)]
        assert eigenspace_overlap(x, y) == pytest.approx(np.trace(projections[0] @ projections[1]) / max(left, right))
        anchors = [draw.normal(size=(words, 5)) for _ in range(2)]
        sigma = sum(np.linalg.matrix_power(anchor @ anchor.T, 3) for anchor in anchors)
        p, q = projections
        expected = np.trace((p + q - 2 * q @ p) @ sigma) / np.trace(sigma)
        assert eigenspace_instability(x, y, *anchors) == pytest.approx(expected)


def test_pair_correlation_equals_scipys():
    from scipy.stats import spearmanr

    draw = np.random.default_rng(2)
    x, y = draw.normal(size=(20, 5)), draw.normal(size=(20, 3))
    pairs = np.array(list(itertools.combinations(range(20), 2)))
    cosines = [[v[i] @ v[j] / np.linalg.norm(v[i]) / np.linalg.norm(v[j]) for i, j in pairs] for v in (x, y)]
    assert pair_correlation(x, y, pairs) == pytest.approx(spearmanr(*cosines).statistic)
    assert math.isnan(pair_correlation(np.ones((20, 2)), y, pairs))


# --- right answers by hand ----------------------------------------------------------------------------------------


def test_neighbour_measures_by_hand():
    first = np.array([[1, 2, 3, 4]])
    second = np.array([[2, 1, 5, 3]])
    third = np.array([[3, 6, 7, 8]])
    assert overlap(first, second) == [3 / 4]
    assert jaccard(first, second) == [3 / 5]
    assert joint_jaccard(np.stack([first, second, third])) == [1 / 8]
    # without the first: {3} of 7; without the second: {3} of 7; without the third: {1, 2, 3} of 5
    np.testing.assert_allclose(reliability(np.stack([first, second, third])).ravel(), [1 / 7, 1 / 7, 3 / 5])
    # X_d = 0, 2, 2, 3
    p = 0.9
    expected = 3 / 4 * p**4 + (1 - p) / p * (2 / 2 * p**2 + 2 / 3 * p**3 + 3 / 4 * p**4)
    assert rank_biased_overlap(first, second)[0] == pytest.approx(expected)


def test_only_rank_biased_overlap_depends_on_neighbour_order():
    table = np.arange(40).reshape(4, 10)
    turned = table[:, ::-1].copy()
    late, early = table.copy(), table.copy()
    late[:, [8, 9]], early[:, [0, 1]] = table[:, [9, 8]], table[:, [1, 0]]
    assert overlap(table, turned).tolist() == jaccard(table, turned).tolist() == [1] * 4
    np.testing.assert_allclose(rank_biased_overlap(table, table), 1)
    assert (rank_biased_overlap(table, turned) < rank_biased_overlap(table, early)).all()
    assert (rank_biased_overlap(table, early) < rank_biased_overlap(table, late)).all()


def test_jaccard_follows_from_overlap_word_by_word():
    draw = np.random.default_rng(3)
    first, second = random_table(draw, 50, 10, 25), random_table(draw, 50, 10, 25)
    shared = overlap(first, second)
    np.testing.assert_allclose(jaccard(first, second), shared / (2 - shared))


def test_the_joint_form_is_far_below_the_pairwise_one():
    draw = np.random.default_rng(4)
    tables = np.stack([random_table(draw, 200, 10, 15) for _ in range(10)])
    pairwise = np.mean([jaccard(a, b).mean() for a, b in itertools.combinations(tables, 2)])
    assert joint_jaccard(tables).mean() < reliability(tables).mean() < pairwise / 2


def test_a_word_that_one_run_lacks_scores_0():
    tables = np.tile(np.arange(6).reshape(1, 2, 3), (4, 1, 1))
    tables[2, 0] = -1
    assert joint_jaccard(tables).tolist() == [0, 1]
    assert reliability(tables)[:, 0].tolist() == [0, 0, 1, 0]  # but for the sets without that run
    assert overlap(tables[0], tables[2]).tolist() == jaccard(tables[0], tables[2]).tolist() == [0, 1]
    np.testing.assert_allclose(rank_biased_overlap(tables[0], tables[2]), [0, 1])
    assert joint_jaccard(np.full((2, 1, 3), -1)).tolist() == [0]


def test_wrong_shapes_are_refused():
    table = np.zeros((3, 2), int)
    for function in (overlap, jaccard, rank_biased_overlap):
        with pytest.raises(ValueError, match=r"shapes \(3, 2\) and \(3, 1\)"):
            function(table, table[:, :1])
    with pytest.raises(ValueError, match="stacked"):
        joint_jaccard(table)
    with pytest.raises(ValueError, match="at least 3"):
        reliability(np.stack([table, table]))
    for persistence in (0, 1):
        with pytest.raises(ValueError, match="persistence"):
            rank_biased_overlap(table, table, persistence)
    x = np.ones((4, 3))
    for function in (aligned_cosine, raw_cosine, raw_distance, pip_loss, eigenspace_overlap):
        with pytest.raises(ValueError, match="same words"):
            function(x, x[:3])
    for function in (aligned_cosine, raw_cosine, raw_distance):
        with pytest.raises(ValueError, match="3 and of 2 dimensions"):
            function(x, x[:, :2])
    with pytest.raises(ValueError, match="at least 2"):
        pair_correlation(x, x, np.array([[0, 1]]))
    with pytest.raises(ValueError, match="same words"):
        eigenspace_instability(x, x, x, x[:2])


# --- rotation -----------------------------------------------------------------------------------------------------


def spaces_with_clear_neighbours(seed, words=40, size=6, k=5):
    """Two related random spaces in which no rounding can change who the k nearest are."""
    for attempt in range(100):
        draw = np.random.default_rng([seed, attempt])
        x = draw.normal(size=(words, size))
        y = x + 0.5 * draw.normal(size=(words, size))
        if min(gap_of(x, k), gap_of(y, k)) > 1e-5:
            return draw, x, y
    raise AssertionError("no such spaces")


def gap_of(vectors, k):
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = np.sort(units @ units.T, axis=1)[:, ::-1]  # column 0 is the word itself
    return (cosines[:, 1 : k + 1] - cosines[:, 2 : k + 2]).min()


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_invariant_measures_ignore_rotation_and_scale(seed):
    draw, x, y = spaces_with_clear_neighbours(seed)
    turned = y @ random_rotation(draw, y.shape[1])
    stretched = turned * draw.uniform(0.1, 10, size=(len(y), 1))
    words = [f"w{row}" for row in range(len(x))]
    plain, _ = neighbor_tables([space(x), space(y)], words, 5)
    for changed in (turned, stretched):  # neighbours survive also the lengths of the rows
        tables, _ = neighbor_tables([space(x), space(changed)], words, 5)
        np.testing.assert_array_equal(tables, plain)
    pairs = draw.integers(len(x), size=(50, 2))
    np.testing.assert_allclose(aligned_cosine(x, turned), aligned_cosine(x, y), atol=1e-9)
    assert pip_loss(x, turned) == pytest.approx(pip_loss(x, y))
    assert eigenspace_overlap(x, turned) == pytest.approx(eigenspace_overlap(x, y))
    assert eigenspace_instability(x, turned, x, y) == pytest.approx(eigenspace_instability(x, y, x, y))
    assert pair_correlation(x, turned, pairs) == pytest.approx(pair_correlation(x, y, pairs), abs=1e-6)


@given(SEEDS)
@example(5845)  # their mean cosine is -0.00015
@settings(max_examples=10, deadline=None)
def test_only_raw_measures_change_under_rotation(seed):
    draw, x, _ = spaces_with_clear_neighbours(seed)
    turned = x @ random_rotation(draw, x.shape[1])
    found = measure({"one": space(x), "other": space(turned)}, k=5)
    for name in ("overlap", "jaccard", "joint", "rbo", "aligned_cosine", "eigenspace_overlap"):
        assert found.total(name) == pytest.approx(1, abs=1e-6), name
    assert found.total("spearman") == pytest.approx(1, abs=1e-6)
    assert found.total("pip_loss") == pytest.approx(0, abs=1e-9)
    # Of float32 vectors: each cosine is off by so much, also where their mean is near 0.
    np.testing.assert_allclose(raw_cosine(x, turned).mean(), found.total("raw_cosine"), rtol=0, atol=5e-8)
    assert found.total("raw_cosine") < 0.95
    assert found.total("raw_distance") > 0.1


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_eigenspace_measures_ignore_any_invertible_map(seed):
    draw = np.random.default_rng(seed)
    x, y = draw.normal(size=(2, 30, 4))
    stretched = y @ (random_rotation(draw, 4) * draw.uniform(0.2, 5, size=4))
    assert eigenspace_overlap(x, stretched) == pytest.approx(eigenspace_overlap(x, y))
    assert eigenspace_instability(x, stretched, x, y) == pytest.approx(eigenspace_instability(x, y, x, y))
    assert pip_loss(x, stretched) != pytest.approx(pip_loss(x, y))  # its scale is the vectors'


def test_alignment_finds_the_rotation_that_raw_cosine_misses():
    draw = np.random.default_rng(5)
    x = draw.normal(size=(2000, 50))
    turned = x @ random_rotation(draw, 50)
    assert abs(raw_cosine(x, turned).mean()) < 0.1
    np.testing.assert_allclose(aligned_cosine(x, turned), 1)
    np.testing.assert_allclose(measures.rotation(x, turned), np.linalg.lstsq(x, turned, rcond=None)[0], atol=1e-9)


def test_zero_vectors_have_cosine_0():
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert raw_cosine(x, x).tolist() == [0, 1]
    assert raw_distance(x, x[::-1]).tolist() == [5, 5]


def test_dimensions_without_variation_do_not_count():
    draw = np.random.default_rng(6)
    x, y = draw.normal(size=(2, 20, 3))
    padded = np.hstack([x, np.zeros((20, 2)), x[:, :1]])
    assert eigenspace_overlap(padded, x) == pytest.approx(1)
    assert eigenspace_overlap(padded, y) == pytest.approx(eigenspace_overlap(x, y))
    assert eigenspace_overlap(np.zeros((20, 3)), x) == 0


# --- other people's results ---------------------------------------------------------------------------------------


def test_measures_equal_their_reference_code_on_fixed_matrices():
    # Numbers of HazyResearch/anchor-stability, anchor/embedding.py (sem_disp, pip_loss, eigen_overlap, eis, knn with
    # all words as queries) and laura-burdick/embeddingStability, stability.py (stability, same=True), on these.
    draw = np.random.default_rng(2020)
    x = draw.normal(size=(60, 8))
    y = x @ draw.normal(size=(8, 8)) + draw.normal(size=(60, 8))
    anchor = draw.normal(size=(60, 12))
    other_anchor = anchor + 0.3 * draw.normal(size=(60, 12))
    spaces = [x, y, x + 0.5 * draw.normal(size=x.shape), y[:, ::-1] + 0.5 * draw.normal(size=y.shape)]
    assert (1 - aligned_cosine(x, y)).mean() == pytest.approx(0.19792861188809538, abs=1e-9)
    assert pip_loss(x, y) == pytest.approx(1876.6760923990282, abs=1e-6)
    assert eigenspace_overlap(x, y) == pytest.approx(0.7003255419861918, abs=1e-9)
    assert eigenspace_instability(x, y, anchor, other_anchor) == pytest.approx(0.0654765001272305, abs=1e-9)
    words = [f"w{row}" for row in range(60)]
    tables, _ = neighbor_tables([space(x), space(y)], words, 5)
    assert overlap(*tables).mean() == pytest.approx(0.47)
    found = measure([space(vectors) for vectors in spaces], k=10)
    assert found.total("overlap") * 10 == pytest.approx(5.725)


def published_rows():
    """Each setting of Hellrich et al. 2019 with its ten leave-one-out values of j@10."""
    rows = {}
    for corpus in ("coha", "news", "wiki"):
        for line in (PUBLISHED / f"results-{corpus}").read_text(encoding="utf-8").splitlines():
            algorithm, _, subsampling, window, sampled, *figures = line.split("\t")
            values = [[float(value) for value in figure.split()] for figure in figures]
            rows[corpus, algorithm, subsampling, window, sampled] = values
    return rows


@needs_published
def test_means_over_the_published_runs_are_the_published_figures():
    rows = published_rows()
    subsamplings = {"none": "ns", "prob.": "ps", "weight": "ws"}
    windows = {"none": "uw", "prob.": "dw", "weight": "ww"}
    table = (PUBLISHED / "newdata_repeval.txt").read_text(encoding="utf-8").splitlines()[1:]
    for line in table:
        corpus, sampled, algorithm, subsampling, window, *means = line.split("\t")
        key = corpus.lower(), algorithm, subsamplings[subsampling], windows[window], "b" if sampled == "yes" else "n"
        np.testing.assert_allclose(np.mean(rows[key], axis=1), [float(mean) for mean in means], atol=5.001e-4)
    assert len(table) == 30


@needs_published
def test_the_published_values_behave_like_leave_one_out_values():
    values = {key: np.array(figures[-1]) for key, figures in published_rows().items()}
    assert {len(ten) for ten in values.values()} == {10}
    # Without a random step the runs are equal, and agree on everything.
    assert (values["coha", "SVD", "ns", "uw", "n"] == 1).all()
    assert values["coha", "SGNS", "ps", "dw", "n"].mean() == pytest.approx(0.288, abs=5e-4)
    for ten in values.values():
        assert ten.std(ddof=1) <= 0.011
        assert jackknife_error(ten) == pytest.approx(9 / math.sqrt(10) * ten.std(ddof=1))  # 2.85 times


# --- neighbours ---------------------------------------------------------------------------------------------------


def test_neighbor_tables_match_most_similar_and_share_ids():
    draw = np.random.default_rng(7)
    runs = [space(draw.normal(size=(30, 5)), [f"w{n}" for n in draw.permutation(40)[:30]]) for _ in range(3)]
    words = [f"w{n}" for n in range(40) if any(f"w{n}" in run.key_to_index for run in runs)]
    tables, vocabulary = neighbor_tables(runs, words, 4)
    assert tables.dtype == np.int32
    for table, run in zip(tables, runs, strict=True):
        for word, row in zip(words, table.tolist(), strict=True):
            if word in run:
                assert [vocabulary[number] for number in row] == [other for other, _ in run.most_similar(word, topn=4)]
            else:
                assert row == [-1] * 4


def test_blocks_give_the_same_neighbours(monkeypatch):
    draw = np.random.default_rng(8)
    runs = [space(draw.normal(size=(50, 5))) for _ in range(2)]
    words = runs[0].index_to_key[::3]
    whole, _ = neighbor_tables(runs, words, 5)
    monkeypatch.setattr("w2v.vectors.queries._BLOCK_BYTES", 1)
    np.testing.assert_array_equal(neighbor_tables(runs, words, 5)[0], whole)


def test_neighbours_of_a_word_are_listed_by_how_many_runs_agree():
    angles = {"a": 0.0, "b": 0.1, "c": 0.2, "d": 0.4, "e": 0.9}
    other = angles | {"b": 0.7, "d": 0.3}

    def circle(places):
        return space([[math.cos(angle), math.sin(angle)] for angle in places.values()], places)

    found = compare_neighbors({"x": circle(angles), "y": circle(other)}, "a", k=2)
    assert [(r["neighbor"], r["runs"], r["ranks"]) for r in found] == [
        ("c", 2, [2, 1]), ("d", 1, [None, 2]), ("b", 1, [1, None]),
    ]  # fmt: skip
    assert found[0]["cosine"] == pytest.approx(math.cos(0.2))
    assert found[0]["sd"] == pytest.approx(0)
    cosines = [math.cos(0.4), math.cos(0.3)]
    assert found[1]["cosine"] == pytest.approx(np.mean(cosines))
    assert found[1]["sd"] == pytest.approx(np.std(cosines, ddof=1), abs=1e-6)
    lines = format_table(found).splitlines()
    assert " ".join(lines[0].split()) == "| neighbor | runs | cosine | sd | ranks |"
    assert " ".join(lines[2].split()) == "| c | 2 | 0.980 | 0.000 | 2 1 |"
    with pytest.raises(KeyError, match="'z' is in none of the 2 runs"):
        compare_neighbors([circle(angles), circle(other)], "z", 2)


def test_runs_that_cannot_be_compared_are_refused():
    draw = np.random.default_rng(9)
    fine, other = space(draw.normal(size=(20, 4))), space(draw.normal(size=(20, 4)))
    with pytest.raises(ValueError, match="1 runs; it takes two"):
        measure([fine])
    with pytest.raises(ValueError, match=r"run '2' has 5 words, too few for k=10"):
        measure([fine, space(draw.normal(size=(5, 4)))])
    with pytest.raises(ValueError, match="k=0"):
        measure([fine, other], k=0)
    with pytest.raises(ValueError, match="4, 5 dimensions"):
        measure([fine, space(draw.normal(size=(20, 5)))])
    with pytest.raises(ValueError, match="no word in common"):
        measure([fine, space(draw.normal(size=(20, 4)), [f"v{n}" for n in range(20)])])
    broken = space(np.full((20, 4), np.nan))
    with pytest.raises(ValueError, match="run 'b' has vectors with NaN"):
        measure({"a": fine, "b": broken})


# --- the report ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs():
    """Four noisy copies of one space: the rarer the word, the noisier."""
    draw = np.random.default_rng(10)
    base = draw.normal(size=(300, 10))
    counts = np.sort((10 ** draw.uniform(0.7, 4, size=300)).astype(int))[::-1]
    noise = 5 / np.sqrt(counts)[:, None]
    return {
        f"run{n}": space((base + noise * draw.normal(size=base.shape)) @ random_rotation(draw, 10), counts=counts)
        for n in range(4)
    }


@pytest.fixture(scope="module")
def found(runs):
    return measure(runs)


def records_of(found, name):
    return {record["band"]: record for record in found.summary if record["measure"] == name}


def test_a_report_says_what_the_measures_say(runs, found):
    tables, _ = neighbor_tables(runs, found.words, 10)
    pairs = list(itertools.combinations(range(4), 2))
    spaces = [run.vectors for run in runs.values()]
    expected = {
        "overlap": np.mean([overlap(tables[i], tables[j]) for i, j in pairs], axis=0),
        "jaccard": np.mean([jaccard(tables[i], tables[j]) for i, j in pairs], axis=0),
        "rbo": np.mean([rank_biased_overlap(tables[i], tables[j]) for i, j in pairs], axis=0),
        "joint": joint_jaccard(tables),
        "reliability": reliability(tables).mean(axis=0),
        "aligned_cosine": np.mean([aligned_cosine(spaces[i], spaces[j]) for i, j in pairs], axis=0),
        "raw_cosine": np.mean([raw_cosine(spaces[i], spaces[j]) for i, j in pairs], axis=0),
        "raw_distance": np.mean([raw_distance(spaces[i], spaces[j]) for i, j in pairs], axis=0),
    }
    assert found.words == next(iter(runs.values())).index_to_key
    assert set(found.values) == set(expected) == set(report.PER_WORD)
    for name, values in expected.items():
        np.testing.assert_allclose(found.values[name], values, rtol=1e-6, atol=1e-6)
        assert found.total(name) == pytest.approx(values.mean(), rel=1e-5, abs=1e-6)
    assert [record["first"] + record["second"] for record in found.pairs] == [f"run{i}run{j}" for i, j in pairs]
    for record, (i, j) in zip(found.pairs, pairs, strict=True):
        assert record["pip_loss"] == pytest.approx(pip_loss(spaces[i], spaces[j]))
        assert record["eigenspace_overlap"] == pytest.approx(eigenspace_overlap(spaces[i], spaces[j]))
        assert record["overlap"] == pytest.approx(overlap(tables[i], tables[j]).mean())
    with pytest.raises(KeyError, match="no measure 'oberlap'"):
        found.total("oberlap")


def test_two_bands_per_power_of_ten_and_rare_words_less_stable(runs, found):
    counts = next(iter(runs.values())).expandos["count"]
    for name in ("overlap", "reliability", "aligned_cosine"):
        records = records_of(found, name)
        bands = [band for band in records if band != "all"]
        assert bands == ["3-9", "10-29", "30-99", "100-299", "300-999", "1000-2999", "3000-9999"]
        for band in bands:
            low, high = map(int, band.split("-"))
            inside = (counts >= low) & (counts <= high)
            assert records[band]["measured"] == inside.sum()
            assert records[band]["mean"] == pytest.approx(found.values[name][inside].mean())
            assert {found.bands[place] for place in np.flatnonzero(inside)} == {band}
        means = [records[band]["mean"] for band in bands]
        assert means[0] < means[3] < means[-1]


def test_intervals_hold_their_means_and_narrow_with_more_words(found):
    for record in found.summary:
        assert record["low"] <= record["mean"] + 1e-9
        assert record["high"] >= record["mean"] - 1e-9
    for name in ("overlap", "aligned_cosine"):
        assert (found.low[name] <= found.values[name] + 1e-6).all()
        assert (found.high[name] >= found.values[name] - 1e-6).all()
        widths = {band: record["high"] - record["low"] for band, record in records_of(found, name).items()}
        assert widths["all"] < min(widths[band] for band in ("3-9", "10-29", "30-99"))


def test_the_interval_of_a_mean_is_that_of_its_standard_error(monkeypatch):
    # Two runs: only the words are resampled, and the mean of independent words has a known error.
    draw = np.random.default_rng(11)
    values = draw.random((1, 2000)).astype(np.float32)
    band = np.zeros(2000, int)
    _, _, resampled = report._resample(values, np.ones((FEW, 1)), band, 1, seed=1)
    assert resampled.std() == pytest.approx(values.std() / math.sqrt(2000), rel=0.25)
    monkeypatch.setattr(report, "BLOCK_WORDS", 700)  # words of different blocks are drawn independently
    _, _, blocks = report._resample(values, np.ones((FEW, 1)), band, 1, seed=1)
    assert blocks.std() == pytest.approx(resampled.std(), rel=0.25)


def test_resampled_runs_weigh_their_pairs():
    weights = report._run_weights(4, seed=1)
    assert weights.shape == (FEW, 6)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_allclose(weights.mean(axis=0), 1 / 6, atol=0.03)
    assert (report._run_weights(2, seed=1) == 1).all()
    # Of three runs: each once, or one alone and so all; or one twice and another once, which is one pair.
    kinds = {tuple(np.round(row, 6)) for row in report._run_weights(3, seed=1)}
    assert kinds == {(0.333333,) * 3, (1, 0, 0), (0, 1, 0), (0, 0, 1)}


def test_sample_totals_are_weighted_by_the_vocabulary(runs, found):
    sample = measure(runs, words=150)
    assert len(sample.words) == len(set(sample.words)) == 150
    sizes = Counter(found.bands)
    taken = Counter(sample.bands)
    assert max(taken.values()) - min(taken.values()) <= max(0, max(taken.values()) - min(sizes.values()))
    assert all(taken[band] == min(sizes[band], max(taken.values())) or taken[band] + 1 == max(taken.values())
               for band in sizes)  # fmt: skip
    places = [found.words.index(word) for word in sample.words]
    np.testing.assert_allclose(sample.values["overlap"], found.values["overlap"][places])
    means = {band: record["mean"] for band, record in records_of(sample, "overlap").items() if band != "all"}
    weighted = sum(means[band] * size for band, size in sizes.items()) / 300
    assert sample.total("overlap") == pytest.approx(weighted)
    assert sample.total("overlap") == pytest.approx(found.total("overlap"), abs=0.03)
    assert measure(runs, words=150).words == sample.words
    assert measure(runs, words=150, seed=2).words != sample.words
    assert len(measure(runs, words=np.int64(1)).words) == 1


@pytest.mark.parametrize("words", [1, 3, 5])
def test_a_sample_smaller_than_the_bands_leaves_the_others_out(runs, words):
    """Identical runs agree in all words, however few of them are looked at."""
    first = next(iter(runs.values())) if isinstance(runs, dict) else runs[0]
    found = measure([first, first], words=words)
    assert found.total("overlap") == pytest.approx(1)
    assert records_of(found, "overlap")["all"]["low"] == pytest.approx(1)


def test_a_list_of_words_is_measured_as_it_is(runs, found):
    words = ["w250", "w3", "w3", "w7"]
    some = measure(runs, words=words)
    assert some.words == ["w250", "w3", "w7"]
    places = [250, 3, 7]
    np.testing.assert_allclose(some.values["overlap"], found.values["overlap"][places])
    assert some.total("overlap") == pytest.approx(found.values["overlap"][places].mean())
    with pytest.raises(KeyError, match="'nobody' is not in run 'run0'"):
        measure(runs, words=["w1", "nobody"])
    for wrong in ([], "word", 0):
        with pytest.raises(ValueError, match="words="):
            measure(runs, words=wrong)


def test_a_list_of_pairs_is_correlated(runs):
    pairs = [(f"w{i}", f"w{i + 1}") for i in range(50)]
    rows = np.array([(i, i + 1) for i in range(50)])
    some = measure(runs, pairs=pairs)
    spaces = [run.vectors for run in runs.values()]
    expected = [pair_correlation(a, b, rows) for a, b in itertools.combinations(spaces, 2)]
    assert some.total("spearman") == pytest.approx(np.mean(expected))
    with pytest.raises(KeyError, match="'nobody'"):
        measure(runs, pairs=[("w1", "nobody"), ("w1", "w2")])
    assert math.isnan(measure(runs, pairs=[]).total("spearman"))


def test_the_same_arguments_give_the_same_report(runs, found):
    again = measure(runs)
    assert again.summary == found.summary
    assert again.pairs == found.pairs
    assert again.word_records() == found.word_records()
    assert measure(runs, seed=2).total("overlap") == found.total("overlap")
    assert measure(runs, seed=2).summary != found.summary


def test_identical_runs_agree_entirely(runs):
    same = measure([runs["run0"]] * 3)
    for name in ("overlap", "jaccard", "joint", "reliability", "rbo", "aligned_cosine", "raw_cosine", "spearman"):
        record = records_of(same, name)["all"]
        assert [record["mean"], record["low"], record["high"]] == pytest.approx([1, 1, 1], abs=1e-6), name
    assert same.total("raw_distance") == 0
    assert same.total("pip_loss") == pytest.approx(0, abs=1e-6)


def test_without_counts_bands_are_of_ranks(tmp_path, runs):
    bare = [space(run.vectors) for run in runs.values()]
    found = measure(bare)
    assert found.counts is None
    assert found.bands[:3] == ["rank 1-2", "rank 1-2", "rank 3-9"]
    assert found.word_records()[0]["count"] is None
    # A text file has no counts, and a loader makes them up from the order.
    path = tmp_path / "vectors.txt"
    runs["run0"].save_word2vec_format(path)
    loaded = KeyedVectors.load_word2vec_format(path)
    assert measure([loaded, loaded]).counts is None


def test_measuring_changes_nothing(runs):
    before = {name: run.vectors.tobytes() for name, run in runs.items()}
    measure(runs, words=20)
    assert {name: run.vectors.tobytes() for name, run in runs.items()} == before


def test_spaces_of_another_library_will_do(runs):
    class Foreign:
        def __init__(self, run):
            self.vectors, self.index_to_key, self.key_to_index = run.vectors, run.index_to_key, run.key_to_index
            self.expandos = run.expandos

    assert (
        measure([Foreign(run) for run in runs.values()], words=50).summary
        == measure(list(runs.values()), words=50).summary
    )


# --- records ------------------------------------------------------------------------------------------------------


def test_records_are_written_as_json_and_csv(tmp_path, found):
    import csv
    import json

    records = found.word_records()
    write_records(records, tmp_path / "words.json")
    assert json.loads((tmp_path / "words.json").read_text(encoding="utf-8")) == records
    write_records(found.summary, tmp_path / "summary.csv")
    with open(tmp_path / "summary.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["mean"]) for row in rows] == [record["mean"] for record in found.summary]
    assert set(records[0]) >= {"word", "count", "band", "overlap", "overlap_low", "overlap_high", "joint"}
    with pytest.raises(ValueError, match=r"\.json or \.csv"):
        write_records(records, tmp_path / "words.xlsx")


def test_nan_is_written_as_null(tmp_path):
    write_records([{"a": math.nan, "b": 1.5}], tmp_path / "x.json")
    assert " ".join((tmp_path / "x.json").read_text().split()) == '[ { "a": null, "b": 1.5 } ]'
    write_records([{"a": math.nan, "b": 1.5}], tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "a,b\n,1.5\n"
    write_records([], tmp_path / "empty.csv")
    shown = format_table([{"a": math.nan, "b": 1234.5, "c": 12345, "d": [None, 2]}]).splitlines()[2]
    assert " ".join(shown.split()) == "| - | 1,234 | 12,345 | - 2 |"


@pytest.mark.parametrize("name", ["", ".experiments", ".measures", ".neighbors", ".plots", ".report", ".command"])
def test_examples_in_docstrings(name):
    assert doctest.testmod(importlib.import_module(f"w2v.stability{name}")).failed == 0


def test_public_names_are_all_there():
    import w2v.stability

    assert set(w2v.stability.__all__) == set(w2v.stability._HOME)
    for name in w2v.stability.__all__:
        assert getattr(w2v.stability, name).__name__ == name
        assert name in dir(w2v.stability)
    with pytest.raises(AttributeError, match="no attribute 'stabbility'"):
        w2v.stability.stabbility  # noqa: B018
