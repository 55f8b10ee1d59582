"""FastText: n-grams as fastText has them, vectors for any string, growth, and files of fastText's."""

import copy
import logging
import pickle
from itertools import pairwise

import numpy as np
import pytest
from corpora import TOPICS, two_topics

from w2v import FastText, FastTextKeyedVectors, KeyedVectors, Word2Vec, load_facebook_model, load_facebook_vectors
from w2v import save_facebook_model as save_bin
from w2v.vectors import subwords
from w2v.vocabulary._ngrams import mean_rows, ngram_rows

SMALL = {"vector_size": 12, "min_count": 1, "workers": 1, "sample": 0, "bucket": 200, "epochs": 2}

# What fastText 0.9.2 says of these words with 50,000 buckets: `get_subwords`, less the number of its words.
OF_FASTTEXT = {
    "größe!": [
        6866, 25807, 49953, 48140, 5985, 25915, 49898, 27601, 14038, 137, 25576, 25586, 47321, 44376, 25186, 43797,
        32225, 33719,
    ],
    "语言": [607, 42291, 32545],
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return FastText(two_topics(), sg=1, **SMALL)


def slow_ngrams(word, min_n, max_n):
    text = f"<{word}>"
    cuts = [(i, j) for i in range(len(text)) for j in range(i + 1, len(text) + 1) if min_n <= j - i <= max_n]
    return [text[i:j] for i, j in cuts if j - i > 1 or 0 < i < len(text) - 1]


def slow_hash(ngram):
    value = 2166136261
    for byte in ngram.encode():
        value = (value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619 % 2**32
    return value


def test_ngrams_are_those_of_fasttext():
    offsets, rows = ngram_rows(list(OF_FASTTEXT), 3, 6, 50_000, first_row=0, own=False)
    assert [rows[i:j].tolist() for i, j in pairwise(offsets)] == list(OF_FASTTEXT.values())


@pytest.mark.parametrize(("min_n", "max_n"), [(3, 6), (1, 2), (0, 1), (2, 30), (5, 4)])
def test_ngrams_agree_with_their_twin(min_n, max_n):
    words = ["a", "", "the", "größe", "语言", "𝄞x", "a\u0301", "anananas", "<>"]
    offsets, rows = ngram_rows(words, min_n, max_n, 97, first_row=1000, own=True)
    for w, word in enumerate(words):
        expected = [1000 + slow_hash(ngram) % 97 for ngram in slow_ngrams(word, max(1, min_n), max_n)]
        assert rows[offsets[w] : offsets[w + 1]].tolist() == [w, *expected]


def test_means_agree_with_numpy_and_rows_beyond_are_refused():
    matrix = np.random.default_rng(0).random((20, 7), np.float32)
    offsets, rows = np.array([0, 3, 3, 4]), np.array([1, 1, 19, 5], np.int32)
    means = np.ones((3, 7), np.float32)
    mean_rows(matrix, offsets, rows, means)
    np.testing.assert_allclose(means, [matrix[[1, 1, 19]].mean(axis=0), np.zeros(7), matrix[5]], rtol=1e-6)
    with pytest.raises(ValueError, match="no row among the 20"):
        mean_rows(matrix, offsets, rows + 1, means)


def test_a_vector_is_the_mean_of_its_rows(model):
    wv = model.wv
    for word in wv.index_to_key:
        ngrams = [slow_hash(ngram) % 200 for ngram in slow_ngrams(word, 3, 6)]
        rows = [wv.vectors_vocab[wv.key_to_index[word]], *wv.vectors_ngrams[ngrams]]
        np.testing.assert_allclose(wv[word], np.mean(rows, axis=0), atol=1e-6)
        assert wv.buckets_word[wv.key_to_index[word]].tolist() == ngrams
    unseen = [slow_hash(ngram) % 200 for ngram in slow_ngrams("moonlike", 3, 6)]
    np.testing.assert_allclose(wv["moonlike"], wv.vectors_ngrams[unseen].mean(axis=0), atol=1e-6)
    assert "moonlike" in wv
    assert "moonlike" not in wv.key_to_index


def test_unseen_words_are_near_those_they_resemble():
    model = FastText(two_topics(3000), sg=1, vector_size=16, min_count=1, workers=1, sample=0, bucket=20_000)
    for topic, other in (TOPICS, TOPICS[::-1]):
        for word in topic:
            near = np.mean([model.wv.similarity(f"{word}s", found) for found in topic])
            assert near > np.mean([model.wv.similarity(f"{word}s", found) for found in other]) + 0.2
    assert model.wv.most_similar("planets", topn=1)[0][0] == "planet"


def test_a_string_without_ngrams_is_zero_and_logged(model, caplog):
    with caplog.at_level(logging.WARNING):
        assert not model.wv[""].any()
    assert "no n-grams" in caplog.text
    assert model.wv.vector_of_ngrams("") is None


def test_without_ngrams_an_unknown_word_is_an_error():
    for off in ({"word_ngrams": 0}, {"max_n": 0}, {"bucket": 0}):
        model = FastText(two_topics(), **SMALL | off)
        assert model.wv.bucket == 0
        assert "moons" not in model.wv
        with pytest.raises(KeyError, match="moons"):
            model.wv["moons"]


def test_one_matrix_for_both_roles_is_refused():
    with pytest.raises(ValueError, match="tied=True needs one input row for each word"):
        FastText(two_topics(), tied=True, **SMALL)


def test_words_are_not_frozen_by_themselves_but_all_rows_can_be(model):
    frozen = copy.deepcopy(model)
    with pytest.raises(ValueError, match="shares its subwords"):
        frozen.train(two_topics(), total_examples=600, epochs=1, freeze=["sun"])
    outputs = frozen.syn1neg.tobytes()
    frozen.train(two_topics(), total_examples=600, epochs=1, freeze="outputs")
    assert frozen.syn1neg.tobytes() == outputs
    rows, outputs = frozen.wv.all_rows.tobytes(), frozen.syn1neg.copy()
    frozen.train(two_topics(), total_examples=600, epochs=1, freeze="inputs")
    assert frozen.wv.all_rows.tobytes() == rows
    assert not np.array_equal(frozen.syn1neg, outputs)


def test_cbow_without_ngrams_is_word2vec():
    options = {name: value for name, value in SMALL.items() if name != "bucket"}
    one, other = FastText(two_topics(), bucket=0, **options), Word2Vec(two_topics(), **options)
    assert one.weights.inputs.tobytes() == other.weights.inputs.tobytes()
    assert np.array_equal(one.syn1neg, other.syn1neg)


def test_growth_keeps_rows_of_words_and_ngrams(model):
    grown = copy.deepcopy(model)
    own, ngrams = grown.wv.vectors_vocab.copy(), grown.wv.vectors_ngrams.copy()
    grown.build_vocab([["sunflower", "moonlight", "sun"]] * 5, update=True)
    assert len(grown.wv) == 14
    assert np.array_equal(grown.wv.vectors_vocab[:12], own)
    assert np.array_equal(grown.wv.vectors_ngrams, ngrams)
    assert grown.wv["sunflower"].any()
    grown.train([["sunflower", "moonlight", "sun"]] * 5, total_examples=5, epochs=1)
    assert (grown.wv.vectors_vocab[12:] != 0).any()
    assert np.array_equal(grown.wv.vectors, pickle.loads(pickle.dumps(grown)).wv.vectors)


def test_locked_ngrams_stay_and_locked_words_stay(model):
    locked = copy.deepcopy(model)
    locked.wv.vectors_ngrams_lockf = np.zeros(1, np.float32)
    own, ngrams = locked.wv.vectors_vocab.copy(), locked.wv.vectors_ngrams.tobytes()
    locked.train(two_topics(), total_examples=600, epochs=1)
    assert locked.wv.vectors_ngrams.tobytes() == ngrams
    assert (locked.wv.vectors_vocab != own).any(axis=1).all()
    locked.wv.vectors_lockf = np.ones(3, np.float32)
    with pytest.raises(ValueError, match="vectors_lockf has shape"):
        locked.train(two_topics(), total_examples=600, epochs=1)


def test_vectors_alone_are_saved_with_their_ngrams(model, tmp_path):
    model.wv.save(tmp_path / "vectors.safetensors")
    for options in ({}, {"mmap": "r"}):
        loaded = FastTextKeyedVectors.load(tmp_path / "vectors.safetensors", **options)
        assert np.array_equal(loaded["moonlike"], model.wv["moonlike"])
        assert np.array_equal(loaded.vectors, model.wv.vectors)
    model.save(tmp_path / "model.safetensors")
    for name in ("vectors", "model"):
        plain = KeyedVectors.load(tmp_path / f"{name}.safetensors")
        assert np.array_equal(plain.vectors, model.wv.vectors)
    loaded = FastText.load(tmp_path / "model.safetensors")
    assert loaded.fingerprint() == model.fingerprint()
    assert np.array_equal(loaded.wv["moonlike"], model.wv["moonlike"])


def test_a_model_is_trained_again_to_the_same_bytes(model):
    assert model.trained_again(two_topics()).fingerprint() == model.fingerprint()


@pytest.mark.parametrize("changed", [{}, {"sg": 0}, {"hs": 1, "negative": 0}, {"bucket": 0}], ids=str)
def test_fasttexts_files_keep_a_model(changed, tmp_path, caplog):
    model = FastText(two_topics(), **{"sg": 1} | SMALL | changed)
    save_bin(model, tmp_path / "model.bin")
    loaded, vectors = load_facebook_model(tmp_path / "model.bin"), load_facebook_vectors(tmp_path / "model.bin")
    for wv in (loaded.wv, vectors):
        assert wv.index_to_key == model.wv.index_to_key
        assert np.array_equal(wv.vectors, model.wv.vectors)
        assert wv.bucket == model.wv.bucket
    if model.wv.bucket:
        assert np.array_equal(vectors["moonlike"], model.wv["moonlike"])
    if not model.hs:
        assert np.array_equal(loaded.syn1neg, model.syn1neg)
    save_bin(loaded, tmp_path / "again.bin")
    assert (tmp_path / "again.bin").read_bytes() == (tmp_path / "model.bin").read_bytes()
    loaded.train(two_topics(), total_examples=600, epochs=1)
    assert np.isfinite(loaded.wv.vectors).all()


def test_word2vec_and_plain_vectors_are_written_for_fasttext(tmp_path):
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, workers=1)
    for written in (model, model.wv):
        save_bin(written, tmp_path / "plain.bin")
        loaded = load_facebook_vectors(tmp_path / "plain.bin")
        assert np.array_equal(loaded.vectors, model.wv.vectors)
        assert loaded.expandos["count"].tolist() == model.wv.expandos["count"].tolist()
    with pytest.raises(ValueError, match="NUL"):
        save_bin(KeyedVectors.from_arrays(["a\0b"], np.ones((1, 2), np.float32)), tmp_path / "bad.bin")


def test_end_of_sentence_has_no_ngrams(tmp_path):
    rows = np.random.default_rng(0).random((2 + 50, 4), np.float32)
    wv = FastTextKeyedVectors.of_rows(["</s>", "word"], rows, {"count": np.array([9, 5])}, 3, 6)
    save_bin(wv, tmp_path / "model.bin")
    loaded = load_facebook_model(tmp_path / "model.bin")
    assert np.array_equal(loaded.wv["</s>"], rows[0])
    loaded.save(tmp_path / "model.safetensors")
    assert np.array_equal(FastText.load(tmp_path / "model.safetensors").wv["</s>"], rows[0])


def test_a_mapped_file_gives_the_same_vectors(model, tmp_path):
    save_bin(model, tmp_path / "model.bin")
    read, mapped = (load_facebook_vectors(tmp_path / "model.bin", mmap=mmap) for mmap in (None, "r"))
    words = [*model.wv.index_to_key[:5], "größe", "unseen"]
    assert mapped[words[0]].tobytes() == read[words[0]].tobytes()
    assert mapped.get_vector(words[1], norm=True).tobytes() == read.get_vector(words[1], norm=True).tobytes()
    assert mapped["größe"].tobytes() == read["größe"].tobytes()
    assert isinstance(mapped.all_rows, np.memmap), "one word made all means"
    assert mapped[words].tobytes() == read[words].tobytes()
    assert mapped.most_similar(words[0]) == read.most_similar(words[0])
    assert mapped.vectors.tobytes() == read.vectors.tobytes()


def test_a_mapped_file_without_ngrams_gives_its_rows(tmp_path):
    vectors = KeyedVectors.from_arrays(["a", "bc"], np.eye(2, 3, dtype=np.float32))
    save_bin(vectors, tmp_path / "plain.bin")
    mapped = load_facebook_vectors(tmp_path / "plain.bin", mmap=True)
    assert np.array_equal(mapped["bc"], vectors["bc"])
    with pytest.raises(KeyError):
        mapped["d"]
    assert np.array_equal(mapped.vectors, vectors.vectors)


def test_threads_that_make_the_means_change_no_bit(model, monkeypatch):
    expected = model.wv.vectors.tobytes()
    monkeypatch.setattr(subwords, "NUMBERS_OF_A_THREAD", 1)
    for cores in (1, 3, 50):
        monkeypatch.setattr(subwords, "core_count", lambda cores=cores: cores)
        model.wv.adjust_vectors()
        assert model.wv.vectors.tobytes() == expected
