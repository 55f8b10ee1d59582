"""Inference: a document's vector follows from the model and the document alone."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from corpora import two_topics
from reference import GOLDEN, MASK, Twin, draw, mix, stream_at

import w2v
from w2v import Doc2Vec, TaggedDocument
from w2v.training import matrices
from w2v.training.schedule import derived_key

SMALL = {"vector_size": 20, "min_count": 1, "window": 3, "workers": 1, "epochs": 10, "seed": 7, "alpha": 0.05}
WAYS = [
    {"dm": 0},
    {"dm": 0, "dbow_words": 1, "shared_negatives": False},
    {"dm": 0, "hs": 1, "negative": 0},
    {"dm": 1},
    {"dm": 1, "dm_mean": 0},
    {"dm": 1, "dm_mean": 0, "hs": 1},
    {"dm": 1, "dm_concat": 1},
]
TEXT = [*two_topics(300), ["sun"], [], ["sun", "unknown"], ["unknown"], ["moon"] * 9000]


@pytest.fixture(params=WAYS, ids=str, scope="module")
def model(request):
    documents = [TaggedDocument(words, [number]) for number, words in enumerate(two_topics(300))]
    return Doc2Vec(documents, **SMALL | {"sample": 0.1} | request.param)


def digest(vectors):
    return hashlib.sha256(np.ascontiguousarray(vectors).tobytes()).hexdigest()


def test_batches_order_and_workers_change_no_bit(model, monkeypatch):
    whole = model.infer_vectors(TEXT, epochs=3).vectors
    found = {digest(model.infer_vectors(TEXT, epochs=3, workers=workers).vectors) for workers in (1, 2, 3, 5)}
    for size in (1, 100, 5000):
        monkeypatch.setattr("w2v.training.epoch.Kernel.batch_words", size)
        found.add(digest(model.infer_vectors(iter(TEXT), epochs=3, workers=2).vectors))
    parts = [model.infer_vectors(part, epochs=3).vectors for part in (TEXT[:7], TEXT[7:8], TEXT[8:])]
    order = np.random.default_rng(0).permutation(len(TEXT))
    shuffled = np.empty_like(whole)
    shuffled[order] = model.infer_vectors([TEXT[i] for i in order], epochs=3).vectors
    alone = np.stack([model.infer_vector(words, epochs=3) for words in TEXT])
    found |= {digest(np.concatenate(parts)), digest(shuffled), digest(alone)}
    assert found == {digest(whole)}


def test_inference_changes_no_bit_of_the_model(model):
    before, weights = model.fingerprint(), model.weights
    model.infer_vectors(TEXT, epochs=2, workers=3)
    assert model.fingerprint() == before
    assert model.weights.inputs is weights.inputs


def test_words_that_are_unknown_play_no_part(model):
    found = model.infer_vectors(TEXT, epochs=3)
    assert found.unknown.tolist() == [301, 303]
    assert not found.vectors[[301, 303]].any()
    assert found.epochs[[301, 303]].tolist() == [0, 0]
    assert np.array_equal(found.vectors[300], found.vectors[302])
    assert found.vectors[300].any()
    assert not model.infer_vector(["unknown"]).any()
    assert model.similarity_unseen_docs(["sun"], ["unknown"]) == 0


def test_the_number_of_epochs_and_the_rates_matter(model):
    words = TEXT[0]
    usual = model.infer_vector(words)
    assert np.array_equal(model.infer_vector(words, model.alpha, model.min_alpha, model.epochs), usual)
    for changed in ({"epochs": 11}, {"alpha": 0.04}, {"min_alpha": 0.01}):
        assert not np.array_equal(model.infer_vector(words, **changed), usual)


def test_a_document_that_has_settled_ends(model):
    usual, settled = (model.infer_vectors(TEXT[:50], epochs=60, tol=tol) for tol in (None, 0.05))
    assert (usual.epochs == 60).all()
    assert (settled.epochs < 60).any()
    cosines = [np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(usual[0], settled[0], strict=True)]
    assert np.mean(cosines) > 0.7


def test_restarts_tell_how_much_the_start_matters(model):
    one, spread = model.infer_vectors(TEXT, epochs=5), model.infer_vectors(TEXT, epochs=5, restarts=3)
    assert np.array_equal(one.vectors, spread.vectors)
    assert one.spread is None
    assert ((spread.spread >= 0) & (spread.spread <= 2)).all()
    assert spread.spread[301] == 0 < spread.spread[300]


@pytest.mark.parametrize("options", [{"dm": 0}, {"dm": 1}, {"dm": 0, "hs": 1, "negative": 0}], ids=str)
def test_an_inferred_document_is_near_those_of_its_topic(options):
    documents = [TaggedDocument(words, [f"{'ab'[n % 2]}{n}"]) for n, words in enumerate(two_topics(300))]
    model = Doc2Vec(documents, **SMALL | {"sample": 0, "epochs": 20} | options)
    for number, vector in enumerate(model.infer_vectors(two_topics(20, seed=9), epochs=50).vectors):
        near = [key[0] for key, _ in model.dv.most_similar([vector], topn=20)]
        assert near.count("ab"[number % 2]) >= 18


def slow_inference(model, words, epochs):
    """The rows of one document by the slow twin, with draws of its own."""
    settings = model.settings()
    tokens = np.array([model.wv.key_to_index[word] for word in words], np.int32)
    key = derived_key(model.seed, 3, 0)
    for token in tokens.tolist():
        key = mix((key + (token + 1) * GOLDEN) & MASK)
    first = [(draw(stream_at(key, 0), d) >> 40) / 2**24 - 0.5 for d in range(model.vector_size)]
    row = (np.array([first]) / model.vector_size).astype(np.float32)
    vocabulary, weights = model.vocabulary, model.weights
    null = model.wv.key_to_index.get("\0", 0)
    twin = Twin(
        np.array(weights.inputs),
        None if weights.outputs is None else np.array(weights.outputs),
        None if weights.nodes is None else np.array(weights.nodes),
        vocabulary.keep(settings.sample),
        vocabulary.noise(settings.ns_exponent),
        *vocabulary.paths(),
        documents=row,
        window=settings.window,
        negative=settings.negative,
        shrink=settings.shrink_windows and not model.dm_concat,
        shared=settings.shared_negatives,
        cbow=not settings.sg,
        mean_forward=bool(settings.cbow_mean),
        mean_backward=not settings.cbow_mean,
        words=not settings.sg,
        learn_words=False,
        learn_outputs=False,
        side_tags=model.dm_concat,
        null_word=null,
    )
    for epoch in range(epochs):
        alpha = model.alpha - (model.alpha - model.min_alpha) * epoch / max(epochs - 1, 1)
        if settings.sg or not (settings.hs or model.dm_concat or not settings.shared_negatives):
            twin.infer(tokens, stream_at(key, epoch + 1), np.float32(alpha))
        else:
            twin.run(tokens, [0, len(tokens)], 0, stream_at(key, epoch + 1), alpha, 0, 0, tags=[[0]])
    return row[0]


def test_inference_agrees_with_its_twin(model):
    for words in (TEXT[0], TEXT[5], ["sun"], TEXT[9] * 3):
        np.testing.assert_allclose(model.infer_vector(words, epochs=4), slow_inference(model, words, 4), atol=2e-5)


SCRIPT = """
import hashlib, sys
sys.path.insert(0, {tests!r})
from corpora import two_topics
from w2v import Doc2Vec
digest = hashlib.sha256()
for path in sys.argv[1:]:
    model = Doc2Vec.load(path)
    digest.update(model.infer_vectors([*two_topics(40), ["sun"], []], epochs=3, workers=2).vectors.tobytes())
print(digest.hexdigest())
"""


def test_every_process_and_level_gives_the_same_bytes(tmp_path):
    documents = [TaggedDocument(words, [number]) for number, words in enumerate(two_topics(60))]
    paths = []
    for number, options in enumerate(WAYS):
        paths.append(str(tmp_path / f"{number}.safetensors"))
        Doc2Vec(documents, **SMALL | options).save(paths[-1])
    script = SCRIPT.format(tests=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    found = set()
    for number, level in enumerate([*w2v.show_config()["available"], w2v.show_config()["available"][0]] * 2):
        env = {**os.environ, "PYTHONHASHSEED": str(number % 4), "W2V_ISA": level}
        done = subprocess.run(
            [sys.executable, "-c", script, *paths], env=env, capture_output=True, text=True, check=True
        )
        found.add(done.stdout.strip())
    assert len(found) == 1


def test_what_cannot_be_inferred_is_an_error():
    documents = [TaggedDocument(words, [number, "all"]) for number, words in enumerate(two_topics(20))]
    model = Doc2Vec(documents, **SMALL)
    with pytest.raises(TypeError, match="doc_words='sun moon' is a string"):
        model.infer_vector("sun moon")
    with pytest.raises(TypeError, match="document 1 is 'sun moon'"):
        model.infer_vectors([["sun"], "sun moon"])
    with pytest.raises(TypeError, match="is a string; give a list of documents"):
        model.infer_vectors("sun moon")
    for options, match in (({"epochs": 0}, "epochs=0"), ({"tol": 2}, "tol=2"), ({"restarts": 0}, "restarts=0")):
        with pytest.raises(ValueError, match=match):
            model.infer_vectors([["sun"]], **options)
    with pytest.raises(RuntimeError, match="build_vocab"):
        Doc2Vec(**SMALL).infer_vector(["sun"])
    side = Doc2Vec(documents, **SMALL | {"dm_concat": 1, "dm_tag_count": 2})
    with pytest.raises(RuntimeError, match="dm_tag_count=2"):
        side.infer_vector(["sun"])


def test_an_error_of_the_documents_surfaces():
    model = Doc2Vec([TaggedDocument(words, [n]) for n, words in enumerate(two_topics(20))], **SMALL)

    def broken():
        yield from two_topics(5)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        model.infer_vectors(broken(), workers=3)


def test_no_documents_at_all_have_no_vectors():
    model = Doc2Vec([TaggedDocument(words, [n]) for n, words in enumerate(two_topics(20))], **SMALL)
    found = model.infer_vectors([])
    assert (found.vectors.shape, found.unknown.tolist()) == ((0, 20), [])


def test_a_mapped_model_infers_the_same(tmp_path):
    model = Doc2Vec([TaggedDocument(words, [n]) for n, words in enumerate(two_topics(20))], **SMALL)
    model.save(tmp_path / "model.safetensors")
    mapped = Doc2Vec.load(tmp_path / "model.safetensors", mmap="r")
    assert np.array_equal(mapped.infer_vector(["sun", "moon"]), model.infer_vector(["sun", "moon"]))
    assert matrices.padded(mapped.wv.vectors) is not None
