"""gensim's FastText files: layouts without gensim, and contradictory ones."""

import numpy as np
import pytest
from gensim_pickles import BUCKET, NGRAMS, WORDS, Fakes, dump, fasttext_3_8, fasttext_4, matrix, spread, subwords_4

from w2v import FastText, FastTextKeyedVectors, FormatError, KeyedVectors


@pytest.fixture
def fakes(monkeypatch):
    return Fakes(monkeypatch)


def assert_is_the_model(model, ngrams):
    assert model.wv.vectors_vocab.tobytes() == matrix().tobytes()
    assert model.wv.vectors_ngrams.tobytes() == ngrams.tobytes()
    assert model.syn1neg.tobytes() == matrix(start=50).tobytes()
    assert (model.min_n, model.max_n, model.bucket, model.window, model.epochs) == (3, 5, BUCKET, 4, 9)
    offsets, rows = model.wv.subwords()
    mean = model.wv.all_rows[rows[offsets[2] : offsets[3]]].mean(axis=0)
    np.testing.assert_allclose(model.wv["lake"], mean, rtol=1e-6)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_model_of_gensim_4_is_read_and_trained_on(fakes, tmp_path, protocol):
    model = FastText.load(dump(fasttext_4(fakes), tmp_path / "m", protocol), allow_pickle=True)
    assert_is_the_model(model, NGRAMS)
    model.save(tmp_path / "ours.safetensors")
    assert FastText.load(tmp_path / "ours.safetensors").fingerprint() == model.fingerprint()
    model.train([WORDS] * 50, total_examples=50, epochs=1)
    assert not np.array_equal(model.wv.vectors_ngrams, NGRAMS)


def test_of_gensim_3_8_hashes_without_a_row_have_zeros(fakes, tmp_path):
    whole = NGRAMS.copy()
    whole[::2] = 0
    assert_is_the_model(FastText.load(dump(fasttext_3_8(fakes), tmp_path / "m"), allow_pickle=True), whole)


def test_large_arrays_lie_beside_the_file(fakes, tmp_path):
    made = fasttext_4(fakes)
    spread(made.wv, f"{tmp_path / 'm'}.wv", ["vectors_vocab", "vectors_ngrams"])
    assert_is_the_model(FastText.load(dump(made, tmp_path / "m"), allow_pickle=True), NGRAMS)


def test_vectors_of_subwords_alone_are_read(fakes, tmp_path):
    path = dump(subwords_4(fakes), tmp_path / "m")
    wv = FastTextKeyedVectors.load(path, allow_pickle=True)
    whole = FastText.load(dump(fasttext_4(fakes), tmp_path / "whole"), allow_pickle=True).wv
    assert wv["unseen"].tobytes() == whole["unseen"].tobytes()
    assert wv.vectors.tobytes() == whole.vectors.tobytes()
    with pytest.raises(FormatError, match=r"FastTextKeyedVectors\.load"):
        KeyedVectors.load(path, allow_pickle=True)


def test_locks_of_words_and_of_ngrams_are_kept(fakes, tmp_path):
    path = dump(fasttext_4(fakes, vectors_ngrams_lockf=np.zeros(BUCKET, np.float32)), tmp_path / "m")
    model = FastText.load(path, allow_pickle=True)
    assert (model.wv.vectors_lockf.tolist(), model.wv.vectors_ngrams_lockf.tolist()) == ([1] * 4, [0] * BUCKET)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"compatible_hash": False}, "gensim 3.8"),
        ({"bucket": -1}, "bucket"),
        ({"bucket": 2**31}, "bucket"),
        ({"max_n": "6"}, "max_n"),
        ({"bucket": 9}, "10 rows of n-grams, where bucket=9"),
        ({"vectors_ngrams": NGRAMS[:, :2]}, "matrix of n-grams"),
        ({"vectors_ngrams": None}, "matrix of n-grams"),
        ({"hash2index": {1: 0}}, "hash2index"),
        ({"hash2index": {"a": 0}}, "hash2index"),
        ({"hash2index": dict.fromkeys(range(BUCKET), 1)}, "hash2index"),
        ({"vectors_vocab_lockf": np.ones(7, np.float32)}, "vectors_vocab_lockf"),
    ],
)
def test_files_that_contradict_themselves_are_refused(fakes, tmp_path, changes, said):
    path = dump(fasttext_4(fakes, **changes), tmp_path / "m")
    with pytest.raises(FormatError, match=said):
        FastText.load(path, allow_pickle=True)
