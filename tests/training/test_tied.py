"""One matrix for inputs and outputs: every row learns in both roles, whoever trains it."""

import copy

import numpy as np
import pytest
from corpora import two_topics, zipf_like
from reference import Twin
from test_deterministic import digest, hold_up, slow_rounds, trained
from test_train import VOCABULARY, corpus, fresh, run_kernel, settings, tables

from w2v import Word2Vec
from w2v.training import _train, matrices
from w2v.vocabulary import noise

OPTIONS = [{}, {"cbow": True}, {"shared": False}, {"hs": 1}, {"cbow": True, "hs": 1}, {"shared": False, "hs": 1}]
SMALL = {"vector_size": 12, "min_count": 1, "sample": 0, "sg": 1, "workers": 1, "tied": True}


def one_matrix(hs=0):
    inputs, _, nodes = fresh(20, hs, 0)
    inputs[...] = np.random.default_rng(3).random(inputs.shape) / 4 - 0.125
    return [inputs, inputs, nodes]


def twins_of(found):
    copied = [None if matrix is None else matrix.copy() for matrix in found]
    return [copied[0], copied[0], copied[2]]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_kernel_agrees_with_its_twin(options):
    text, hs = corpus(), options.get("hs", 0)
    given = settings(**{name: value for name, value in options.items() if name != "hs"})
    found = one_matrix(hs)
    twins = twins_of(found)
    keep, *rest = tables(text[0])
    run_kernel(found, *text, keep, rest, given, slope=1e-6)
    Twin(*twins, keep, *rest, **given).run(*text, 0, 12345, 0.05, 1e-6, 10**6)
    for matrix, twin in zip(found, twins, strict=True):
        if matrix is not None:
            np.testing.assert_allclose(matrix, twin, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("options", OPTIONS[:4], ids=str)
@pytest.mark.parametrize("shape", [(4, 16), (3, 50)])
def test_rounds_agree_with_their_twin(options, shape, monkeypatch):
    monkeypatch.setattr(noise, "MANY_TO_A_PART", 1)
    text, hs = corpus(), options.get("hs", 0)
    given = settings(**{name: value for name, value in options.items() if name != "hs"})
    found = one_matrix(hs)
    twins = twins_of(found)
    trained(found, given, workers=2, shape=shape, text=text)
    slow_rounds(twins, given, shape, text)
    for matrix, twin in zip(found, twins, strict=True):
        if matrix is not None:
            np.testing.assert_allclose(matrix, twin, rtol=2e-4, atol=3e-5)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_any_number_of_workers_gives_the_same_bytes(options, monkeypatch):
    monkeypatch.setattr(noise, "MANY_TO_A_PART", 1)
    hold_up(monkeypatch, 100)
    given = settings(**{name: value for name, value in options.items() if name != "hs"})
    digests = set()
    for workers in (1, 2, 5):
        found = one_matrix(options.get("hs", 0))
        stats = trained(found, given, workers=workers, shape=(8, 16))
        digests.add(digest(found, stats))
    assert len(digests) == 1


def test_a_lock_is_refused():
    inputs = matrices.first_vectors(VOCABULARY, 20, 1)
    whole = matrices.padded(inputs)
    keep, *rest = tables(corpus()[0])
    with pytest.raises(ValueError, match="one matrix"):
        _train.Kernel(whole, whole, None, keep, *rest, locks=np.zeros(VOCABULARY, np.float32), **settings())


def test_several_workers_keep_one_matrix():
    model = Word2Vec(zipf_like(words=60_000), **SMALL | {"workers": 3, "epochs": 1})
    assert model.syn1neg is model.wv.vectors
    assert np.isfinite(model.wv.vectors).all()


def test_several_workers_learn_what_is_there():
    topics = two_topics(12_000)
    model = Word2Vec(topics, **SMALL | {"workers": 4, "epochs": 2})
    words = [topics[0][0], topics[1][0]]
    assert len(model.wv) > len(set(words))
    for word in words:
        same = {other for sentence in topics if word in sentence for other in sentence}
        assert {other for other, _ in model.most_similar(word, topn=3)} <= same


def test_a_model_keeps_one_matrix_wherever_it_goes(tmp_path):
    model = Word2Vec(two_topics(), **SMALL)
    path = tmp_path / "model.safetensors"
    model.save(path)
    mapped = Word2Vec.load(path, mmap="r")
    for other in (Word2Vec.load(path), mapped, copy.deepcopy(model)):
        assert other.syn1neg is other.wv.vectors
        assert other.fingerprint() == model.fingerprint()
        other.train(two_topics(), total_examples=1, epochs=1)
        assert other.syn1neg is other.wv.vectors
    model.build_vocab([["new", "words"]] * 9, update=True)
    assert model.syn1neg is model.wv.vectors
    assert len(model.syn1neg) == len(model.wv)


def test_the_fingerprint_tells_tied_models_apart():
    one, other = (Word2Vec(two_topics(), **SMALL | {"tied": tied, "epochs": 1}) for tied in (True, False))
    assert one.fingerprint() != other.fingerprint()
    assert "tied" not in other.settings().identity()


def test_a_matrix_that_was_assigned_is_refused():
    model = Word2Vec(two_topics(), **SMALL)
    model.wv.vectors = model.wv.vectors.copy()
    with pytest.raises(RuntimeError, match=r"tied=True, but model\.syn1neg is not"):
        model.train(two_topics(), total_examples=1, epochs=1)
    model = Word2Vec(two_topics(), **SMALL)
    model.tied = False
    with pytest.raises(RuntimeError, match=r"tied=False, but model\.syn1neg is wv\.vectors"):
        model.train(two_topics(), total_examples=1, epochs=1)


def test_there_must_be_outputs_to_tie():
    with pytest.raises(ValueError, match="negative=0"):
        Word2Vec(vector_size=8, tied=True, hs=1, negative=0)
