"""Files, checkpoints and pickles that earlier commits of this scheme have written are read, to the same model."""

import pickle
import shutil

import pytest
from places import TESTS

from w2v import KeyedVectors, Word2Vec

WRITTEN = TESTS / "data" / "scheme-2"
FINGERPRINT = (WRITTEN / "fingerprint.txt").read_text().strip()
TEXT = [line.split() for line in (WRITTEN / "text.txt").read_text().splitlines()]


def unpickled():
    with open(WRITTEN / "model.pickle", "rb") as file:
        return pickle.load(file)


@pytest.mark.parametrize("read", [lambda: Word2Vec.load(WRITTEN / "model.safetensors"), unpickled])
def test_a_model_written_before_is_the_same_model(read):
    model = read()
    assert model.fingerprint() == FINGERPRINT
    assert model.wv.get_vecattr("river", "length") == 5
    assert model.loss_history
    assert model.runs[-1]["trained"] == 3
    assert type(model) is Word2Vec
    assert type(model.wv) is KeyedVectors
    before = model.wv["river"].copy()
    model.train(TEXT, total_examples=len(TEXT), epochs=1)
    assert (model.wv["river"] != before).any()


def test_an_old_pickle_keeps_the_history_of_epochs():
    assert [record.epoch for record in unpickled().history] == [0, 1, 2]


def test_vectors_written_before_are_the_same_vectors():
    vectors = KeyedVectors.load(WRITTEN / "vectors.safetensors")
    assert (vectors["sea"] == Word2Vec.load(WRITTEN / "model.safetensors").wv["sea"]).all()


def test_a_run_begun_before_ends_in_the_same_bytes(tmp_path):
    shutil.copytree(WRITTEN / "run", tmp_path / "run")
    resumed = Word2Vec.resume(tmp_path / "run", TEXT)
    vectors = Word2Vec.load(WRITTEN / "model.safetensors").wv.vectors
    assert (resumed.wv.vectors == vectors).all()
