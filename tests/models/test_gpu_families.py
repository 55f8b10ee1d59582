"""Every family of models on a GPU of software: the same examples as on the CPU, and all that a family adds."""

import numpy as np
import pytest
from corpora import two_topics, zipf_like
from emulation import found_by_models, needs_emulation

from w2v import Doc2Vec, FastText, TaggedDocument, Word2Vec
from w2v.training.cuda import concurrency

pytestmark = needs_emulation

SMALL = {"vector_size": 12, "min_count": 1, "window": 3, "sample": 0.01, "workers": 1, "epochs": 2, "seed": 7}

# On the CPU skip-gram learns from several context words at once, and PV-DBOW from several words, so that only their
# examples are the same. A word with a row twice moves its mean by more on a GPU, which takes it anew for each pair;
# here there are buckets enough.
FAMILIES = {
    "word2vec cbow": (Word2Vec, {}),
    "word2vec cbow hs": (Word2Vec, {"hs": 1, "negative": 0}),
    "word2vec cbow both": (Word2Vec, {"hs": 1}),
    "word2vec cbow tied": (Word2Vec, {"tied": True}),
    "word2vec skip-gram fresh": (Word2Vec, {"sg": 1, "shared_negatives": False}),
    "doc2vec dbow": (Doc2Vec, {"dm": 0, "window": 0, "shared_negatives": False}),
    "doc2vec dbow hs": (Doc2Vec, {"dm": 0, "window": 0, "hs": 1, "negative": 0}),
    "doc2vec dm": (Doc2Vec, {}),
    "doc2vec dm sum": (Doc2Vec, {"dm_mean": 0, "hs": 1}),
    "doc2vec dm concat": (Doc2Vec, {"dm_concat": 1}),
    "fasttext cbow": (FastText, {"bucket": 300}),
    "fasttext skip-gram": (FastText, {"sg": 1, "bucket": 20_000}),
    "fasttext skip-gram hs": (FastText, {"sg": 1, "hs": 1, "bucket": 20_000}),
}


@pytest.fixture
def gpu(monkeypatch):
    return found_by_models(monkeypatch, memory=1 << 27)


def trained(family, device, words=700, **options):
    kind, own = FAMILIES[family]
    text = zipf_like(words=words)
    if kind is Doc2Vec:
        text = [TaggedDocument(sentence, [number % 17]) for number, sentence in enumerate(text)]
    return kind(text, **SMALL | own | options, device=device)


@pytest.mark.parametrize("family", FAMILIES)
def test_one_warp_learns_what_one_worker_learns(gpu, family):
    ours, theirs = (trained(family, device, compute_loss=True) for device in ("cuda", "cpu"))
    matrices = ours.weights.named()
    for name, matrix in theirs.weights.named().items():
        np.testing.assert_allclose(matrices[name], matrix, atol=5e-6)
    for one, other in zip(ours.history, theirs.history, strict=True):
        assert (one.trained_words, one.examples) == (other.trained_words, other.examples)
        assert one.loss == pytest.approx(other.loss, rel=1e-5)
    assert ours.provenance.devices == [gpu.name]
    assert not theirs.provenance.devices


@pytest.mark.parametrize("family", ["word2vec cbow tied", "doc2vec dm concat", "doc2vec dbow", "fasttext skip-gram hs"])
def test_many_warps_train_the_examples_of_one(gpu, family, monkeypatch):
    """At a rate so low that no window feels another, changes made at once add up to those made in turn."""
    rate = {"alpha": 1e-4, "min_alpha": 1e-4}
    one = trained(family, "cuda", **rate)
    monkeypatch.setattr(concurrency, "WORDS_OF_A_WARP", 60)
    gpu.launched.clear()
    many = trained(family, "cuda", **rate)
    assert max(blocks * threads for name, blocks, threads in gpu.launched if name == "train") > 4 * 32
    assert [epoch.examples for epoch in many.history] == [epoch.examples for epoch in one.history]
    for name, matrix in one.weights.named().items():
        np.testing.assert_allclose(many.weights.named()[name], matrix, atol=5e-6)


@pytest.mark.parametrize("family", ["word2vec cbow", "doc2vec dm", "fasttext cbow"])
def test_a_model_goes_on_with_new_text_on_a_gpu(gpu, family):
    model = trained(family, "cuda")
    before, again = model.fingerprint(), two_topics(20)
    if isinstance(model, Doc2Vec):
        again = [TaggedDocument(sentence, ["new"]) for sentence in again]
    model.build_vocab(again, update=True)
    model.train(again, total_examples=len(again), epochs=1)
    assert model.fingerprint() != before
    assert np.isfinite(model.wv.vectors).all()


def test_words_that_are_frozen_stay_as_they_are_on_a_gpu(gpu):
    model = trained("word2vec cbow both", "cuda")
    words = model.wv.index_to_key[::2]
    before = [matrix[::2].copy() for matrix in (model.wv.vectors, model.syn1neg)]
    model.train(zipf_like(words=700), total_examples=1, epochs=1, freeze=words)
    for now, then in zip((model.wv.vectors, model.syn1neg), before, strict=True):
        assert (now[::2] == then).all()
        assert (now[1::2].any(axis=1)).all()


@pytest.mark.parametrize("family", ["doc2vec dbow", "doc2vec dm", "doc2vec dm concat"])
def test_new_documents_are_inferred_on_a_gpu(gpu, family):
    """On both devices as on one, to rounding; a single document is always inferred by the CPU."""
    model = trained(family, "cuda")
    texts = [*zipf_like(words=300), ["nobody knows this"]]
    with_gpu = model.infer_vectors(texts, epochs=4)
    assert gpu.launches_of("infer") == 4
    one = model.infer_vector(texts[0], epochs=4)
    model.device = "cpu"
    with_cpu = model.infer_vectors(texts, epochs=4)
    np.testing.assert_allclose(with_gpu.vectors, with_cpu.vectors, atol=2e-6)
    assert (one == with_cpu.vectors[0]).all()
    assert with_gpu.unknown.tolist() == with_cpu.unknown.tolist()
    assert with_gpu.unknown[-1] == len(texts) - 1
    assert (with_gpu.epochs == with_cpu.epochs).all()
    assert gpu.launches_of("infer") == 4


def test_inference_takes_the_matrices_as_they_are_now(gpu):
    model = trained("doc2vec dbow", "cuda")
    texts = zipf_like(words=100)
    before = model.infer_vectors(texts).vectors
    model.syn1neg[...] = 0
    assert (model.infer_vectors(texts).vectors != before).any()
    model.tokens.drop()
    assert not gpu.claimed


def test_inference_that_does_not_fit_is_refused_with_sizes(gpu):
    model = trained("doc2vec dm", "cuda")
    model.tokens.drop()
    before, gpu.memory = model.fingerprint(), 900
    with pytest.raises(MemoryError, match=r"has 0\.00 GiB free, and this model needs"):
        model.infer_vectors(zipf_like(words=100))
    assert model.fingerprint() == before
    assert not gpu.claimed


def test_documents_are_added_to_a_model_on_a_gpu(gpu):
    model = trained("doc2vec dm", "cuda")
    words, old = model.wv.vectors.copy(), model.dv.vectors.copy()
    model.add_documents([TaggedDocument(sentence, ["added"]) for sentence in zipf_like(words=100)])
    assert (model.wv.vectors == words).all()
    assert (model.dv.vectors[: len(old)] == old).all()
    assert model.dv["added"].any()


def test_documents_are_inferred_until_ctrl_c_on_a_gpu(gpu, monkeypatch):
    model = trained("doc2vec dbow", "cuda")
    genuine = gpu.launch

    def launch(*given):
        genuine(*given)
        if gpu.launches_of("infer") == 3:
            model.stop()

    monkeypatch.setattr(gpu, "launch", launch)
    with pytest.raises(KeyboardInterrupt):
        model.infer_vectors(zipf_like(words=200), epochs=100_000)
    assert not any(address for address in gpu.claimed if gpu.claimed[address].nbytes > 1 << 20)
