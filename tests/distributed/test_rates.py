"""How far rows are expected to come: figures of a small vocabulary worked out by hand, and who learns from what."""

import numpy as np
import pytest
from distributed_twins import new_model

from w2v import Doc2Vec, Word2Vec
from w2v.distributed import rates

COUNTS = {"a": 40, "b": 20, "c": 10, "d": 5, "e": 5}


def small(family=Word2Vec, **options):
    model = new_model(family, **{"min_count": 1, "sample": 0, "window": 3, "negative": 2, **options})
    model.build_vocab_from_freq(dict(COUNTS), corpus_count=4)
    return model.vocabulary, model.settings()


def steepness(*family, **options):
    return rates.steepness(*small(*family, **options))


def test_skip_gram_counts_the_terms_of_every_pair():
    found = steepness(sg=1)
    share = np.array([0.5, 0.25, 0.125, 0.0625, 0.0625])
    drawn = np.array([count**0.75 for count in COUNTS.values()])
    np.testing.assert_allclose(found["vectors"], rates.INPUTS * 4 * 3 * share, rtol=1e-12)
    np.testing.assert_allclose(
        found["outputs.negative"], rates.OUTPUTS * 4 * (share + 2 * drawn / drawn.sum()), rtol=1e-12
    )


def test_sentences_have_no_more_neighbours_than_words():
    short, long = (rates.steepness(*small(sg=1, window=100), length=length) for length in (4.0, 1e9))
    np.testing.assert_array_equal(short["vectors"], steepness(sg=1)["vectors"])
    assert long["vectors"][0] / short["vectors"][0] == pytest.approx(101 / 4)


def test_windows_of_full_size_have_more_pairs():
    assert steepness(sg=1, shrink_windows=False)["vectors"][0] / steepness(sg=1)["vectors"][0] == pytest.approx(6 / 4)


def test_cbow_has_one_example_a_window_but_all_of_it_for_inputs():
    pairs, windows, shared = steepness(sg=1), steepness(sg=0), steepness(sg=0, cbow_corrected=True)
    np.testing.assert_allclose(pairs["outputs.negative"], windows["outputs.negative"] * 4, rtol=1e-12)
    np.testing.assert_array_equal(pairs["vectors"], windows["vectors"])
    np.testing.assert_allclose(pairs["vectors"], shared["vectors"] * 4, rtol=1e-12)
    for right, same in ((True, windows), (False, shared)):  # of a sum word2vec shares what it does not share of a mean
        of_sum = steepness(sg=0, cbow_mean=0, cbow_corrected=right)
        np.testing.assert_array_equal(of_sum["vectors"], same["vectors"])


def test_a_node_is_changed_by_every_word_below_it():
    found = steepness(sg=0, hs=1, negative=0)
    nodes = found["outputs.hierarchical"] / rates.OUTPUTS
    np.testing.assert_allclose(sorted(nodes), [10 / 80, 20 / 80, 40 / 80, 1], rtol=1e-12)
    assert nodes[-1] == nodes.max()  # the root has the greatest number
    mean_path = (40 * 1 + 20 * 2 + 10 * 3 + 5 * 4 + 5 * 4) / 80
    assert found["vectors"][0] == pytest.approx(rates.INPUTS * 4 * mean_path * 0.5, rel=1e-12)


def test_rows_of_both_kinds_at_once_have_the_terms_of_both():
    both, apart = steepness(sg=1, tied=True), steepness(sg=1)
    np.testing.assert_array_equal(both["vectors"], apart["vectors"] + apart["outputs.negative"])
    assert list(both) == ["vectors"]


def test_subsampled_words_are_trained_less():
    kept, all_ = steepness(sg=1, sample=0.01)["vectors"], steepness(sg=1)["vectors"]
    assert kept[0] < all_[0]
    assert (kept / all_).argmax() >= 3


def test_a_document_makes_one_pair_with_each_of_its_words():
    without, with_ = (steepness(Doc2Vec, dbow_words=words_too) for words_too in (0, 1))
    np.testing.assert_allclose(with_["outputs.negative"], without["outputs.negative"] * 5, rtol=1e-12)
    assert with_["vectors"].min() > without["vectors"].max() == 0
