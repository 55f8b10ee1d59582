"""How far rows are expected to come: against counts over every pair of a corpus by an obvious twin."""

import numpy as np
import pytest
from distributed_twins import new_model

from w2v import Doc2Vec
from w2v.distributed import rates

COUNTS = {"a": 40, "b": 20, "c": 10, "d": 5, "e": 5}


def steepness(**options):
    model = new_model(**{"min_count": 1, "sample": 0, "window": 3, "negative": 2, **options})
    model.build_vocab_from_freq(dict(COUNTS), corpus_count=4)
    return rates.steepness(model.vocabulary, model.settings())


def test_skip_gram_counts_the_terms_of_every_pair():
    found = steepness(sg=1)
    share = np.array([0.5, 0.25, 0.125, 0.0625, 0.0625])
    drawn = np.array([count**0.75 for count in COUNTS.values()])
    np.testing.assert_allclose(found["vectors"], rates.INPUTS * 4 * 3 * share, rtol=1e-12)
    np.testing.assert_allclose(
        found["outputs.negative"], rates.OUTPUTS * 4 * (share + 2 * drawn / drawn.sum()), rtol=1e-12
    )


def test_windows_of_full_size_have_more_pairs():
    assert steepness(sg=1, shrink_windows=False)["vectors"][0] / steepness(sg=1)["vectors"][0] == pytest.approx(6 / 4)


def test_cbow_has_one_example_a_window_but_all_of_it_for_inputs():
    pairs, windows, shared = steepness(sg=1), steepness(sg=0), steepness(sg=0, cbow_corrected=True)
    np.testing.assert_allclose(pairs["outputs.negative"], windows["outputs.negative"] * 4, rtol=1e-12)
    np.testing.assert_array_equal(pairs["vectors"], windows["vectors"])
    np.testing.assert_allclose(pairs["vectors"], shared["vectors"] * 4, rtol=1e-12)


def test_a_node_is_changed_by_every_word_below_it():
    found = steepness(sg=0, hs=1, negative=0)["outputs.hierarchical"] / rates.OUTPUTS
    np.testing.assert_allclose(sorted(found), [10 / 80, 20 / 80, 40 / 80, 1], rtol=1e-12)
    assert found[-1] == found.max()  # the root has the greatest number


def test_rows_of_both_kinds_at_once_have_the_terms_of_both():
    both, apart = steepness(sg=1, tied=True), steepness(sg=1)
    np.testing.assert_array_equal(both["vectors"], apart["vectors"] + apart["outputs.negative"])
    assert list(both) == ["vectors"]


def test_subsampled_words_are_trained_less():
    kept, all_ = steepness(sg=1, sample=0.01)["vectors"], steepness(sg=1)["vectors"]
    assert kept[0] < all_[0]
    assert (kept / all_).argmax() >= 3


def test_a_document_makes_one_pair_with_each_of_its_words():
    without, with_ = (
        rates.steepness(model.vocabulary, model.settings())["outputs.negative"] for model in map(documents, (0, 1))
    )
    np.testing.assert_allclose(with_, without * 4, rtol=1e-12)


def documents(words_too):
    model = new_model(Doc2Vec, min_count=1, sample=0, window=3, dbow_words=words_too)
    model.build_vocab_from_freq(dict(COUNTS), corpus_count=4)
    return model
