"""fastText's .bin files: dense, quantised and pruned ones are read, and damage is named with its place."""

import struct

import numpy as np
import pytest
from fasttext_bins import PARTS, dense, matrix, of_version, pruned, quantised, start

from w2v import FormatError, load_facebook_model, load_facebook_vectors, save_facebook_model
from w2v.files import fasttext_bin


def test_a_dense_file_is_read_number_for_number(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(dense())
    found = fasttext_bin.read(path)
    assert found.words == ["</s>", "größe", "lake"]
    assert found.counts.tolist() == [9, 4, 2]
    assert (found.settings["dim"], found.settings["minn"], found.tokens, found.sample) == (3, 2, 15, 1e-4)
    np.testing.assert_array_equal(found.inputs, np.arange(24, dtype=np.float32).reshape(8, 3))
    np.testing.assert_array_equal(found.outputs, np.arange(9, dtype=np.float32).reshape(3, 3))


def test_a_quantised_file_is_read_as_its_centroids(tmp_path):
    path = tmp_path / "model.ftz"
    path.write_bytes(quantised())
    found = fasttext_bin.read(path, outputs=False)
    codes, first, last, lengths, norms = PARTS
    expected = np.hstack([first[codes[:, 0]], last[codes[:, 1]]]) * norms[lengths][:, None]
    np.testing.assert_array_equal(found.inputs, expected)
    assert load_facebook_vectors(path)["lake"].shape == (3,)


def test_of_a_pruned_file_ngrams_without_a_row_are_left_out(tmp_path):
    path = tmp_path / "model.ftz"
    path.write_bytes(pruned())
    wv = load_facebook_vectors(path)
    whole_path = tmp_path / "model.bin"
    whole_path.write_bytes(dense())
    whole = load_facebook_vectors(whole_path)
    offsets, rows = whole.subwords()
    for word in (1, 2):
        ngrams = rows[offsets[word] + 1 : offsets[word + 1]] - 3
        kept = [{4: 0, 1: 1}[row] + 3 for row in ngrams.tolist() if row in (4, 1)]
        np.testing.assert_allclose(wv[word], wv.all_rows[[word, *kept]].mean(axis=0))
    with pytest.raises(ValueError, match="pruned"):
        wv.save(tmp_path / "vectors.safetensors")
    with pytest.raises(ValueError, match="pruned"):
        load_facebook_model(path)


@pytest.mark.parametrize("version", [0, 11])
def test_old_versions_hold_the_same_in_their_own_way(tmp_path, version):
    path = tmp_path / "model.bin"
    path.write_bytes(of_version(dense(), version))
    found, new = fasttext_bin.read(path), tmp_path / "new.bin"
    new.write_bytes(dense())
    for old, due in zip(found, fasttext_bin.read(new), strict=True):
        np.testing.assert_array_equal(old, due)


def test_a_classifier_of_version_11_has_no_ngrams(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(of_version(start(model=3, labels=["__label__a"]) + 2 * matrix(np.ones((8, 3), np.float32)), 11))
    assert fasttext_bin.read(path, outputs=False).settings["maxn"] == 0


def test_of_a_classifier_vectors_are_read_and_the_rest_is_named(tmp_path, caplog):
    path = tmp_path / "model.bin"
    path.write_bytes(quantised())
    with caplog.at_level("WARNING", "w2v"):
        assert load_facebook_vectors(path).vectors.shape == (3, 3)
    assert "labels and predictions are not supported" in caplog.text
    with pytest.raises(NotImplementedError, match="load_facebook_vectors"):
        load_facebook_model(path)


def test_words_are_in_the_encoding_that_is_named(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(dense().replace("größe".encode(), "größe".encode("cp852")))
    assert load_facebook_vectors(path, encoding="cp852").index_to_key[1] == "größe"
    model = load_facebook_model(path, encoding="cp852")
    assert model.shared_negatives is False, "what is trained further is trained as by fastText"
    save_facebook_model(model, tmp_path / "again.bin", encoding="cp852")
    assert fasttext_bin.read(tmp_path / "again.bin", "cp852").words == model.wv.index_to_key
    with pytest.raises(LookupError, match="klingon"):
        load_facebook_vectors(path, encoding="klingon")
    with pytest.raises(UnicodeEncodeError):
        save_facebook_model(model, tmp_path / "ascii.bin", encoding="ascii")


def damaged(place, code, value):
    data = bytearray(dense())
    struct.pack_into("<" + code, data, place, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "middle of a number"),
        (b"word2vec" * 20, "byte 0: not a .bin"),
        (damaged(4, "i", 13), "byte 4: version 13"),
        (damaged(8, "i", 0), "byte 8: dim=0"),
        (damaged(8, "i", 10**6), "vectors have 1,000,000 numbers"),
        (damaged(40, "i", 2**31 - 1), "are too many"),
        (damaged(40, "i", 4), "8 input rows for 3 words and 4 n-grams"),
        (damaged(64, "i", 10**9), "dictionary of 1,000,000,000 entries"),
        (dense()[:-1], "9 numbers take|3 x 3 numbers take 36 bytes, and 35 are left"),
        (dense() + b"\0", "the file goes on"),
        (dense(words=["a", "a", "b"]), "a word occurs twice"),
        (dense(inputs=np.full((8, 3), np.nan, np.float32)), "input row 0 holds a NaN"),
        (quantised(width=3), "a quantiser of 3 numbers in 2 parts"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_damage_is_named_with_its_place(data, match, tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=match):
        fasttext_bin.read(path)


def test_what_another_program_cannot_read_is_not_written(tmp_path):
    settings = dict.fromkeys(fasttext_bin.SETTINGS, 0) | {"dim": 2}
    for words, rows, match in (
        (["a", ""], np.ones((2, 2), np.float32), "cannot hold the word ''"),
        (["a", "b"], np.ones((3, 2), np.float32), "input rows of shape"),
        (["a", "b"], np.full((2, 2), np.inf, np.float32), "input row 0"),
    ):
        with pytest.raises(ValueError, match=match):
            fasttext_bin.write(tmp_path / "no.bin", words, np.array([2, 1]), rows, None, settings, 0.0, 3)
    assert not (tmp_path / "no.bin").exists()
