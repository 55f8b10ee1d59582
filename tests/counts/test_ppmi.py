"""Mutual information: the twin's formula, entry by entry, for every option."""

import math

import numpy as np
import pytest
from corpora import zipf_like
from count_twins import mutual_information

from w2v import PPMI
from w2v.counts import cooccurrence, ppmi

USUAL = {"window": 4, "shrink_windows": True, "sample": 0, "ns_exponent": 1.0, "negative": 1, "min_count": 1}
OPTIONS = [
    {},
    {"window": 1},
    {"window": 12},
    {"shrink_windows": False},
    {"sample": 1e-3},
    {"sample": 1e-2},
    {"ns_exponent": 0.75},
    {"ns_exponent": 0.0},
    {"negative": 2},
    {"min_count": 5},
    {"window": 3, "shrink_windows": False, "sample": 1e-3, "ns_exponent": 0.5, "negative": 3, "min_count": 3},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_entries_are_those_of_the_formula(options):
    sentences, options = zipf_like(1000), USUAL | options
    model = PPMI(**options, workers=2, vector_size=2)
    model.build_vocab(sentences)
    found = model.matrix()
    assert found.dtype == np.float32
    assert (found.data > 0).all()
    wanted = mutual_information(
        sentences,
        model.wv.index_to_key,
        window=options["window"],
        shrink=options["shrink_windows"],
        sample=options["sample"],
        exponent=options["ns_exponent"],
        negative=options["negative"],
        min_count=options["min_count"],
    )
    np.testing.assert_allclose(found.toarray(), wanted, rtol=0, atol=1e-6)
    assert wanted.any()


def test_words_that_only_meet_each_other_have_the_information_by_hand():
    # Two pairs of words in two kinds of sentences: each meets its own with probability 1 instead of 1/4.
    model = PPMI([["a", "b"], ["c", "d"]] * 3, vector_size=2, min_count=1, sample=0, ns_exponent=1.0)
    found = model.matrix().toarray()
    row = {word: model.wv.get_index(word) for word in "abcd"}
    assert found[row["a"], row["b"]] == pytest.approx(math.log(4))
    assert found[row["c"], row["d"]] == pytest.approx(math.log(4))
    assert found.sum() == pytest.approx(4 * math.log(4), rel=1e-6)


def test_the_shift_takes_the_same_off_every_entry():
    model = PPMI(vector_size=2, min_count=1)
    model.build_vocab(zipf_like(1000))
    plain = model.matrix().toarray()
    model.negative = 2
    shifted = model.matrix().toarray()
    np.testing.assert_allclose(shifted, np.maximum(0, plain - math.log(2)), atol=1e-6)


@pytest.mark.parametrize("division", [{"room": 40}, {"limit": 0}, {"room": 7, "limit": 100}])
def test_no_entry_depends_on_threads_and_limits(division):
    model = PPMI(vector_size=2, min_count=1)
    model.build_vocab(zipf_like(1000))
    rows = cooccurrence.count([model.tokens.held], len(model.wv), 5, True, 1)
    keep = np.linspace(0.1, 1, len(model.wv))
    usual, found = (ppmi.ppmi(rows, keep, 0.75, 1, threads, **how) for threads, how in [(1, {}), (3, division)])
    for name in ("data", "indices", "indptr"):
        assert getattr(usual, name).tobytes() == getattr(found, name).tobytes()


def test_a_corpus_of_lonely_words_is_refused():
    with pytest.raises(RuntimeError, match="no two words stand within a window"):
        PPMI([["a"], ["b"]] * 9, vector_size=1, min_count=1)
