import numpy as np
import pytest

from w2v import RULE_DEFAULT, RULE_DISCARD, RULE_KEEP, Word2Vec
from w2v.vocabulary import choose


def selected(raw, min_count, by_frequency=True, rule=None):
    words = list(raw)
    order = choose.select(np.array(list(raw.values())), min_count, by_frequency, rule, words)
    return [words[place] for place in order]


def test_words_come_by_count_and_ties_by_reverse_appearance():
    raw = {"x": 2, "y": 2, "often": 9, "z": 2}
    assert selected(raw, 1) == ["often", "z", "y", "x"]
    assert selected(raw, 1, by_frequency=False) == ["x", "y", "often", "z"]
    assert selected(raw, 3) == ["often"]


def test_a_trim_rule_overrules_or_defers_to_the_count():
    verdicts = {"rare": RULE_KEEP, "often": RULE_DISCARD}
    rule = lambda word, count, min_count: verdicts.get(word, RULE_DEFAULT)  # noqa: E731
    assert selected({"rare": 1, "often": 9, "some": 5, "few": 2}, 3, rule=rule) == ["some", "rare"]
    assert selected({"often": 9}, 3, rule=rule) == []


def test_a_trim_rule_that_answers_nonsense_is_named():
    with pytest.raises(ValueError, match=r"trim_rule gave 'yes' for 'a'"):
        selected({"a": 1}, 1, rule=lambda *_: "yes")


@pytest.mark.parametrize(("limit", "expected"), [(None, 2), (9, 2), (4, 2), (3, 4), (2, 6), (1, 8)], ids=str)
def test_max_final_vocab_raises_min_count(limit, expected):
    counts = np.array([3, 7, 5, 7 + 1 - 1, 1], np.int64)  # sorted: 7 7 5 3 1
    got = choose.effective_min_count(counts, 2, limit)
    by_hand = {None: 2, 9: 2, 4: 2, 3: 4, 2: 6, 1: 8}[limit]
    assert got == by_hand == expected
    assert limit is None or (counts >= got).sum() <= limit


def test_keep_probability_is_the_formula_of_word2vec():
    counts = np.array([1000, 100, 10], np.int64)
    threshold = 0.01 * 1110
    ratio = counts / threshold
    expected = np.minimum((np.sqrt(ratio) + 1) / ratio, 1)
    np.testing.assert_allclose(choose.keep_probability(counts, 0.01), expected, rtol=1e-12)
    assert (choose.keep_probability(counts, 0) == 1).all()


def test_sample_of_one_and_more_is_a_count():
    counts = np.array([10_000, 26, 1], np.int64)
    probability = choose.keep_probability(counts, 10)  # int(10 * (3 + sqrt 5) / 2) = 26
    assert probability[0] == (np.sqrt(10_000 / 26) + 1) * (26 / 10_000)
    assert (probability[1:] == 1).all()


@pytest.mark.parametrize("size", [2**31, 2**32 + 7, 2**40])
def test_counts_beyond_32_bits_stay_exact(size):
    model = Word2Vec(vector_size=4, min_count=1, hs=1)
    model.build_vocab_from_freq({"huge": size, "large": size - 1, "rare": 3})
    assert model.wv.index_to_key == ["huge", "large", "rare"]
    assert [model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key] == [size, size - 1, 3]
    assert model.corpus_total_words == 2 * size + 2
    probability = choose.keep_probability(model.wv.expandos["count"], 1e-3)
    assert probability[0] < 0.05
    assert probability[2] == 1


def test_thresholds_keep_all_at_one_and_nothing_at_zero():
    assert choose.keep_thresholds(np.array([1.0, 0.5, 0.0])).tolist() == [2**32 - 1, 2**31 - 1, 0]
