"""A model does one thing at a time: a call that would corrupt it is refused before anything changes."""

import copy
import pickle
import threading

import pytest
from corpora import zipf_like

from w2v import CallbackAny2Vec, Word2Vec
from w2v.training import activity

SMALL = {"vector_size": 8, "min_count": 1, "workers": 1, "sample": 0, "epochs": 1}
TEXT = zipf_like(words=3000)


class At(CallbackAny2Vec):
    """Calls a function when an epoch begins."""

    def __init__(self, act):
        self.act = act

    def on_epoch_begin(self, model):
        self.act(model)


def during_training(act):
    """What `act` raises when another thread calls it while a model trains."""
    model, raised = Word2Vec(TEXT, **SMALL), []

    def from_outside():
        try:
            act(model)
        except RuntimeError as error:
            raised.append(str(error))

    def wait_for_it(model):
        thread = threading.Thread(target=from_outside)
        thread.start()
        thread.join(60)
        assert not thread.is_alive()

    model.train(TEXT, total_examples=1, epochs=1, callbacks=[At(wait_for_it)])
    return model, raised


CHANGES = {
    "train": lambda model: model.train(TEXT, total_examples=1, epochs=1),
    "build_vocab": lambda model: model.build_vocab(TEXT),
    "update": lambda model: model.build_vocab(TEXT, update=True),
    "frequencies": lambda model: model.build_vocab_from_freq({"a": 1}),
    "scan_vocab": lambda model: model.scan_vocab(TEXT),
    "init_weights": lambda model: model.init_weights(),
    "reset_from": lambda model: model.reset_from(copy.deepcopy(model)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_thread_cannot_change_a_training_model(change):
    undisturbed, _ = during_training(lambda model: None)
    model, raised = during_training(change)
    assert len(raised) == 1
    assert "another thread is in train of this model" in raised[0]
    assert "model.stop()" in raised[0]
    assert model.fingerprint() == undisturbed.fingerprint()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_callback_cannot_change_the_model_it_is_given(change):
    model = Word2Vec(TEXT, **SMALL)
    with pytest.raises(RuntimeError, match=r"this thread \(a callback\?\) is in train"):
        model.train(TEXT, total_examples=1, epochs=1, callbacks=[At(change)])
    change(model)  # nothing is left behind


def test_a_trim_rule_cannot_build_another_vocabulary():
    model = Word2Vec(**SMALL)

    def rule(word, count, min_count):
        model.build_vocab(TEXT)

    with pytest.raises(RuntimeError, match="is in build_vocab"):
        model.build_vocab(TEXT, trim_rule=rule)


def test_a_callback_may_ask_save_and_copy(tmp_path):
    seen = []

    def look(model):
        seen.append(model.wv.most_similar("w0", topn=1))
        model.save(tmp_path / "model.safetensors")
        seen.append(copy.deepcopy(model))
        seen.append(pickle.loads(pickle.dumps(model)))

    Word2Vec(TEXT, **SMALL | {"callbacks": [At(look)]})
    loaded = Word2Vec.load(tmp_path / "model.safetensors")
    for model in (loaded, *seen[1:]):
        assert not model.activity.doing
        model.train(TEXT, total_examples=1, epochs=1)


def test_a_copy_within_an_epoch_cannot_be_repeated(tmp_path, monkeypatch):
    """A part of an epoch is in its vectors, which no call of `train` would give again."""
    monkeypatch.setattr("w2v.training.workers.TICK", 1e-3)
    model, copies = Word2Vec(TEXT, **SMALL), []
    original = model.heed

    def look(words=0):
        if not copies and model.provenance.is_within_an_epoch:
            model.save(tmp_path / "model.safetensors")
            copies.extend([copy.deepcopy(model), Word2Vec.load(tmp_path / "model.safetensors")])
        return original(words)

    monkeypatch.setattr(model, "heed", look)
    model.train(zipf_like(words=400_000), total_examples=1, epochs=1)
    assert copies
    assert model.runs[-1]["repeatable"]
    for taken in copies:
        assert not taken.runs[-1]["repeatable"]
        with pytest.raises(ValueError, match="nothing to compare"):
            taken.trained_again(zipf_like(words=400_000))


def test_nothing_trained_is_said_once_a_run(caplog):
    Word2Vec([["a"], ["b"], ["c"]] * 4, **SMALL | {"epochs": 25})
    said = [record.getMessage() for record in caplog.records if "nothing was trained" in record.getMessage()]
    assert len(said) == 1
    assert "two words and more" in said[0]


def test_a_toy_corpus_that_subsampling_empties_hears_of_sample(caplog):
    Word2Vec([["a", "b"]] * 12, **SMALL | {"epochs": 25, "sample": 1e-9})
    said = [record.getMessage() for record in caplog.records if "nothing was trained" in record.getMessage()]
    assert len(said) == 1
    assert "set sample=0, or train on more text" in said[0]


def test_ctrl_c_right_after_the_claim_leaves_nothing_behind(monkeypatch):
    model, real = Word2Vec(TEXT, **SMALL), activity._claiming

    class Interrupted:
        def __enter__(self):
            real.acquire()

        def __exit__(self, *error):
            real.release()
            raise KeyboardInterrupt

    monkeypatch.setattr(activity, "_claiming", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        model.train(TEXT, total_examples=1, epochs=1)
    monkeypatch.undo()
    assert model.activity.doing is None
    model.train(TEXT, total_examples=1, epochs=1)
