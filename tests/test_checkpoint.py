"""A run that is cut short goes on, and ends where it would have ended."""

import random
from dataclasses import asdict

import pytest
from corpora import zipf_like
from test_train import MODELS

from w2v import Word2Vec, trainer
from w2v import checkpoint as checkpoints

CORPUS = zipf_like(words=40_000)
SMALL = {"vector_size": 24, "min_count": 1, "workers": 1, "epochs": 3, "compute_loss": True}
MODES = {"one-worker": {}, "deterministic": {"deterministic": True, "workers": 3}}


class Killed(BaseException):
    """Stands for SIGKILL: nothing is written after it."""


@pytest.fixture
def fast_ticks(monkeypatch):
    monkeypatch.setattr(trainer, "TICK", 2e-4)


def cut_up(monkeypatch, folder, corpus, settings, *, seed=0, survives=2, workers=(None,), callbacks=list):
    """Train with checkpoints at random moments, and die after some; returns the model, and how often it died."""
    draws = random.Random(seed)
    left = [draws.randrange(survives)]

    def write(self, *given, **cursor):
        whole(self, *given, **cursor)
        left[0] -= 1
        if left[0] < 0:
            left[0] = draws.randrange(survives)
            raise Killed

    whole = checkpoints.Keeper.write
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.Keeper, "write", write)
        patch.setattr(checkpoints.Keeper, "is_due", lambda self: draws.random() < 0.7)
        try:
            return Word2Vec(corpus, **settings, checkpoint=folder, callbacks=callbacks()), 0
        except Killed:
            pass
        for deaths in range(1, 1000):
            try:
                given = workers[deaths % len(workers)]
                return Word2Vec.resume(folder, corpus, workers=given, callbacks=callbacks()), deaths
            except Killed:
                continue
    raise AssertionError("it never ended")


def saved(model, folder):
    model.save(folder / "saved.safetensors")
    return (folder / "saved.safetensors").read_bytes()


def records(model):
    return [{name: value for name, value in asdict(record).items() if name != "seconds"} for record in model.history]


def same(model, expected, folder, exact=True):
    """Equal to the last byte of their files. In rounds, the last digits of the loss depend on where it was cut."""
    if exact:
        assert records(model) == records(expected)
        return saved(model, folder) == saved(expected, folder)
    for ours, theirs in zip(records(model), records(expected), strict=True):
        assert ours.pop("loss") == pytest.approx(theirs.pop("loss"), rel=1e-9)
        assert ours == theirs
    return model.fingerprint() == expected.fingerprint()


# --- the same bytes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("cbow", "losses"), MODELS)
def test_a_run_cut_short_again_and_again_ends_in_the_same_bytes(cbow, losses, mode, tmp_path, monkeypatch, fast_ticks):
    settings = SMALL | MODES[mode] | {"sg": int(not cbow), "hs": losses[0], "negative": losses[1]}
    model, deaths = cut_up(monkeypatch, tmp_path / "run", CORPUS, settings)
    assert deaths > 3
    assert same(model, Word2Vec(CORPUS, **settings), tmp_path, exact=mode == "one-worker")
