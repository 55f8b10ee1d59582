"""What every model keeps to. A new model adds a line to `MODELS`."""

import copy
import hashlib
import time
from typing import Any, NamedTuple

import numpy as np
import pytest
from corpora import TOPICS, two_topics, zipf_like
from sentence_rows import SentenceRows

from w2v import CallbackAny2Vec, Doc2Vec, FastText, TaggedDocument, Word2Vec
from w2v.files import native
from w2v.text.corpus import Corpus
from w2v.training import session
from w2v.training.trainable import Contents
from w2v.vectors import queries


def documents(sentences):
    """A document of each sentence, whose tag is its number; every third has another one, which some share."""
    return [
        TaggedDocument(words, [number, f"tag {number % 12}"] if number % 3 == 0 else [number])
        for number, words in enumerate(sentences)
    ]


def with_one_tag(sentences):
    return [TaggedDocument(words, [number]) for number, words in enumerate(sentences)]


class Case(NamedTuple):
    family: Any
    settings: dict[str, Any]
    golden: str
    corpus_of: Any = list  # what the family trains on, made of sentences


MODELS = {
    "skip-gram, negative sampling": Case(
        Word2Vec, {"sg": 1}, "f842b23a5904026a5669b1a120dc10d2cb1c37414f5c3ede7877f10cdb69632d"
    ),
    "skip-gram, hierarchical softmax": Case(
        Word2Vec, {"sg": 1, "hs": 1, "negative": 0}, "fc693f7eb4c707e38ffca91bc2d033aca4dd39b1771225c18197d2d54730eb64"
    ),
    "CBOW, negative sampling": Case(
        Word2Vec, {"alpha": 0.05}, "e3c507db253088d867573619124783f7259b4e82d71ee0c72ab38d608804c9e0"
    ),
    "CBOW, hierarchical softmax": Case(
        Word2Vec,
        {"alpha": 0.05, "hs": 1, "negative": 0},
        "3016f32e3d0336298e2ecca18bd4d2a63d9cb7e9bc31c171040d5d8be1089126",
    ),
    "skip-gram, one matrix": Case(
        Word2Vec, {"sg": 1, "tied": True}, "eaae4d5c1ecae65b24d1681c7f9dc7b4346228397c641dbe21f642f914e7d783"
    ),
    "CBOW, one matrix": Case(
        Word2Vec, {"alpha": 0.05, "tied": True}, "635a260a9b178cf4da72365ae253d26a3b735f722bbed43c3218c94cf08a1b90"
    ),
    "subwords, skip-gram": Case(
        FastText, {"sg": 1, "bucket": 300}, "fb6cafb1de828410231c3d201625a170a99cf95003e47e5f90d3585ef7cf7c54"
    ),
    "subwords, skip-gram, hierarchical softmax": Case(
        FastText,
        {"sg": 1, "hs": 1, "negative": 0, "bucket": 300},
        "577777cdf737805b387aafa766d0804f780f59628ff13720638b5c43c970a2bf",
    ),
    "subwords, CBOW": Case(
        FastText, {"alpha": 0.05, "bucket": 300}, "1aad9fc20af7d4b2c3a6505a16baccc4ee74e607dbeaf09f06ccc3a2d01a2c1a"
    ),
    "skip-gram with rows of sentences": Case(
        SentenceRows, {"sg": 1}, "a977211ea95ecdbfb7b396b94f32ea26316621f2a0485fa17226f0fc071bd88c"
    ),
    "PV-DBOW": Case(Doc2Vec, {"dm": 0}, "1a2614344305cdb89401af91a4627764214bbd4623801b3970990a3695d1fc53", documents),
    "PV-DBOW with words": Case(
        Doc2Vec,
        {"dm": 0, "dbow_words": 1},
        "3c7d7df756a503d3582f3948aed59b614705154c24c5220a55d83da79ebc310e",
        documents,
    ),
    "PV-DM, mean": Case(
        Doc2Vec, {"alpha": 0.05}, "ffa83776c206f15012676ed6025c51099d95cbd4c5608a2c91b6e3e5edeab0de", documents
    ),
    "PV-DM, concatenated": Case(
        Doc2Vec,
        {"alpha": 0.05, "dm_concat": 1},
        "7feb4b9e828fdbfe9d15579c39e854955c89568eea59b05aba660968046c0da9",
        with_one_tag,
    ),
}
SMALL = {"vector_size": 12, "min_count": 1, "window": 3, "sample": 0, "workers": 1, "epochs": 3, "seed": 7}


@pytest.fixture(params=MODELS.values(), ids=MODELS)
def case(request):
    return request.param


def trained(case, sentences, **changes):
    return case.family(case.corpus_of(sentences), **SMALL | case.settings | changes)


def digest_of(model):
    digest = hashlib.sha256()
    for name, matrix in sorted(model.weights.named().items()):
        digest.update(name.encode() + np.ascontiguousarray(matrix, "<f4").tobytes())
    return digest.hexdigest()


def read_back(case, path):
    return case.family.of_contents(str(path), Contents(*native.read_native(path)))


def resumed(case, folder, sentences, **changes):
    options = {"workers": None, "callbacks": [], "progress": None, "wanted": {}} | changes
    return session.resume(case.family, folder, Corpus.from_arguments(case.corpus_of(sentences), None), **options)


class StopAt(CallbackAny2Vec):
    """Presses Ctrl-C when an epoch begins or ends."""

    def __init__(self, hook, epochs):
        self.hook, self.epochs = hook, epochs

    def on_epoch_begin(self, model):
        if self.hook == "begin" and model.provenance.trained_epochs == self.epochs:
            raise KeyboardInterrupt

    def on_epoch_end(self, model):
        if self.hook == "end" and model.provenance.trained_epochs == self.epochs:
            raise KeyboardInterrupt


def test_planted_topics_are_found(case):
    model = trained(case, two_topics(), epochs=20)
    matrix, topics = model.weights.inputs, [[model.vocabulary.index[word] for word in topic] for topic in TOPICS]
    if case.settings.get("dm") == 0 and not case.settings.get("dbow_words"):  # words learn nothing, but documents do
        matrix = model.weights.documents
        topics = [[row for row, words in enumerate(two_topics()) if words[0] in topic] for topic in TOPICS]
    units = queries.unit_rows(matrix, queries.row_norms(matrix))
    for rows in topics:
        cosines = units[rows] @ units.T
        inside = cosines[:, rows].mean()
        outside = np.delete(cosines, rows, axis=1).mean()
        assert inside > outside + 0.2


def test_the_bytes_are_golden(case):
    assert digest_of(trained(case, zipf_like(words=5000))) == case.golden


def test_a_seed_gives_its_own_bytes(case):
    one, again, other = (digest_of(trained(case, two_topics(), seed=seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_deterministic_training_has_one_hash(case):
    text = zipf_like(words=60_000)
    hashes = {digest_of(trained(case, text, epochs=1, deterministic=True, workers=n)) for n in (1, 2, 3, 5)}
    assert len(hashes) == 1


@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize(("hook", "epochs"), [("begin", 0), ("end", 1), ("begin", 2)])
def test_a_stopped_run_resumes_to_the_same_bytes(case, tmp_path, hook, epochs, deterministic):
    text = zipf_like(words=4000)
    whole = trained(case, text, deterministic=deterministic)
    with pytest.raises(KeyboardInterrupt, match="goes on"):
        trained(case, text, deterministic=deterministic, checkpoint=tmp_path, callbacks=[StopAt(hook, epochs)])
    again = resumed(case, tmp_path, text)
    assert digest_of(again) == digest_of(whole)
    assert again.fingerprint() == whole.fingerprint()
    assert again.provenance.trained_epochs == 3


def test_a_run_cut_within_an_epoch_resumes_to_the_same_bytes(case, tmp_path, monkeypatch):
    monkeypatch.setattr("w2v.training.workers.TICK", 1e-3)
    text = zipf_like(words=200_000)
    whole = trained(case, text, epochs=2)

    class Cut(CallbackAny2Vec):
        def on_epoch_begin(self, model):
            def heed(words=0):
                if model.provenance.is_within_an_epoch:
                    time.sleep(5e-3)  # for some words
                    raise KeyboardInterrupt

            model.heed = heed

    with pytest.raises(KeyboardInterrupt) as stopped:
        trained(case, text, epochs=2, checkpoint=tmp_path, callbacks=[Cut()])
    assert " and 0 of" not in str(stopped.value)
    assert digest_of(resumed(case, tmp_path, text)) == digest_of(whole)


def test_a_file_holds_all_of_a_model(case, tmp_path):
    model = trained(case, two_topics())
    native.write_native(tmp_path / "model.safetensors", *model.contents())
    loaded = read_back(case, tmp_path / "model.safetensors")
    assert loaded.fingerprint() == model.fingerprint()
    assert type(loaded) is type(model)
    for one in (model, loaded):
        session.train(one, Corpus.from_arguments(case.corpus_of(two_topics()), None))
    assert digest_of(loaded) == digest_of(model)


def test_a_copy_is_a_model_of_its_own(case):
    model = trained(case, two_topics())
    before, other = digest_of(model), copy.deepcopy(model)
    session.train(other, Corpus.from_arguments(case.corpus_of(two_topics()), None))
    assert digest_of(model) == before != digest_of(other)


def test_every_epoch_is_recorded(case):
    seen = []

    class Listener(CallbackAny2Vec):
        def on_epoch_end(self, model):
            seen.append(model.provenance.trained_epochs)

    model = trained(case, two_topics(), callbacks=[Listener()], compute_loss=True)
    assert seen == [1, 2, 3]
    losses = model.provenance.loss_history
    assert len(losses) == len(model.provenance.history) == 3
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("text", [[["alone"]] * 30, [["a", "a", "a"]] * 30, [["a"], ["b"], ["a", "b"]] * 10])
def test_inputs_of_a_word_or_two_stay_finite(case, text):
    model = trained(case, text)
    assert all(np.isfinite(matrix).all() for matrix in model.weights.named().values())


def test_a_fingerprint_tells_settings_apart(case):
    one, other = (trained(case, two_topics(), window=window, epochs=1).fingerprint() for window in (3, 4))
    assert one != other
