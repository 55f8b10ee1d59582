"""Scores of sentences and predicted words against the formula, summed pair by pair."""

import math

import numpy as np
import pytest
from corpora import TOPICS, two_topics

from w2v import Word2Vec
from w2v.vocabulary import huffman


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def slow_score(model, sentence):
    """log p of a sentence: every word, every pair (or its whole context), every node of the path."""
    offsets, points, labels = huffman.paths(model.wv.expandos["count"])
    rows = [model.wv.key_to_index[word] for word in sentence if word in model.wv]
    total = 0.0
    for i, word in enumerate(rows):
        around = [j for j in range(i - model.window, i + model.window + 1) if j != i and 0 <= j < len(rows)]
        hidden = [model.wv.vectors[rows[j]].astype(float) for j in around]
        if not model.sg:
            hidden = [np.sum(hidden, axis=0) / (len(hidden) if model.cbow_mean else 1)] if hidden else [np.zeros(8)]
        for vector in hidden:
            for j in range(offsets[word], offsets[word + 1]):
                dot = float(vector @ model.syn1[points[j]])
                total += math.log(sigmoid(dot) if labels[j] else sigmoid(-dot))
    return total


@pytest.mark.parametrize(("sg", "cbow_mean"), [(1, 1), (0, 1), (0, 0)])
def test_scores_are_those_of_the_formula(sg, cbow_mean):
    model = Word2Vec(
        two_topics(), vector_size=8, window=3, min_count=1, hs=1, negative=0, sg=sg, cbow_mean=cbow_mean, workers=1
    )
    sentences = [TOPICS[0][:5], ["nowhere", *TOPICS[1][:3], TOPICS[0][0]], TOPICS[0][:1], ["nowhere"], []]
    scores = model.score(sentences)
    assert scores.dtype == np.float32
    assert scores == pytest.approx([slow_score(model, sentence) for sentence in sentences], rel=1e-4, abs=1e-6)


def test_a_sentence_of_one_topic_is_likelier_than_a_mixture():
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, hs=1, negative=0, sg=1, workers=1)
    same, mixed = model.score([TOPICS[0][:4], [*TOPICS[0][:2], *TOPICS[1][:2]]])
    assert same > mixed


def test_without_hierarchical_softmax_there_are_no_scores():
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, workers=1, epochs=1)
    with pytest.raises(RuntimeError, match="hs=1"):
        model.score([TOPICS[0]])


@pytest.mark.parametrize("cbow_mean", [0, 1])
def test_predicted_words_are_the_softmax_over_all_words(cbow_mean):
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, cbow_mean=cbow_mean, workers=1)
    context = [*TOPICS[0][:3], "nowhere"]
    hidden = np.sum([model.wv[word].astype(float) for word in context[:3]], axis=0) / (3 if cbow_mean else 1)
    likelihood = np.exp(model.syn1neg.astype(float) @ hidden)
    expected = dict(zip(model.wv.index_to_key, likelihood / likelihood.sum(), strict=True))
    found = model.predict_output_word(context, topn=len(model.wv))
    assert [probability for _, probability in found] == pytest.approx([expected[word] for word, _ in found], rel=1e-4)
    assert sum(probability for _, probability in found) == pytest.approx(1, rel=1e-4)
    rows = [model.wv.key_to_index[word] for word in context[:3]]
    assert model.predict_output_word(rows, topn=3) == found[:3]
    assert model.predict_output_word(context, topn=0) == []


def test_huge_scores_do_not_overflow():
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, workers=1, epochs=1)
    model.wv.vectors[:] = 1e3
    model.syn1neg[:] = 1e3
    assert np.isfinite([probability for _, probability in model.predict_output_word(TOPICS[0][:2])]).all()


def test_prediction_requires_output_vectors(caplog):
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, workers=1, epochs=1)
    assert model.predict_output_word(["nowhere"]) is None
    assert "none of the context words" in caplog.text
    model.syn1neg = None
    with pytest.raises(RuntimeError, match="negative"):
        model.predict_output_word(TOPICS[0][:1])
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, hs=1, negative=0, workers=1, epochs=1)
    with pytest.raises(RuntimeError, match="negative"):
        model.predict_output_word(TOPICS[0][:1])


def test_one_string_is_no_context_and_no_sentence():
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, hs=1, workers=1, epochs=1)
    word = TOPICS[0][0]
    for ask in (model.predict_output_word, model.score):
        for wrong in (word, word.encode()):
            with pytest.raises(TypeError, match=r"is a string, not a list of words|is bytes"):
                ask(wrong)
    assert model.score([word]) == model.score([[word]])
    for wrong in (word.encode(), None):
        with pytest.raises(TypeError, match="sentence="):
            model.score([wrong])
    for wrong in (True, 2.0, math.nan):
        with pytest.raises(TypeError, match=r"topn=.* must be an integer"):
            model.predict_output_word([word], topn=wrong)
