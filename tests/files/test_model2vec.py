"""A folder for model2vec: what its files say, and what the package makes of it where it is installed."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file

from w2v import KeyedVectors, save_model2vec

WORDS = ["bread", "über", 'quote"d', "back\\slash", "a|b"]
VECTORS = np.arange(20, dtype=np.float32).reshape(5, 4) - 7


@pytest.fixture
def folder(tmp_path):
    save_model2vec(KeyedVectors.from_arrays(WORDS, VECTORS), tmp_path / "of" / "words", {"corpus": "one | two\nthree"})
    return tmp_path / "of" / "words"


def test_rows_stand_behind_a_zero_row_for_unknown_words(folder):
    rows = load_file(folder / "model.safetensors")["embeddings"]
    assert rows.dtype == np.float32
    assert np.array_equal(rows, np.concatenate([np.zeros((1, 4)), VECTORS]))
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    assert tokenizer["model"]["vocab"] == {"[UNK]": 0} | {word: row for row, word in enumerate(WORDS, 1)}
    assert tokenizer["model"]["unk_token"] == "[UNK]"
    assert tokenizer["added_tokens"][0]["id"] == 0
    assert json.loads((folder / "config.json").read_text())["hidden_dim"] == 4
    assert [part["type"].rpartition(".")[2] for part in json.loads((folder / "modules.json").read_text())] == [
        "StaticEmbedding",
        "Normalize",
    ]


def test_the_card_says_what_is_known(folder):
    card = (folder / "README.md").read_text("utf-8")
    assert card.startswith("---\nlibrary_name: model2vec\n")
    assert "| words | 5 |\n" in card
    assert "| corpus | one \\| two three |\n" in card


def test_a_vocabulary_may_have_the_unknown_word_itself(tmp_path):
    save_model2vec(KeyedVectors.from_arrays(["a", "[UNK]"], VECTORS[:2]), tmp_path)
    assert np.array_equal(load_file(tmp_path / "model.safetensors")["embeddings"], VECTORS[:2])
    tokenizer = json.loads((tmp_path / "tokenizer.json").read_text("utf-8"))
    assert tokenizer["model"]["vocab"] == {"a": 0, "[UNK]": 1}
    assert tokenizer["added_tokens"][0]["id"] == 1


@pytest.mark.parametrize(
    ("words", "number", "fault"), [(["a", "\ud800"], 0, "half character"), (["a", "b"], np.nan, "row 1 holds a NaN")]
)
def test_what_cannot_be_written_leaves_no_folder(tmp_path, words, number, fault):
    vectors = np.array([[1, 2], [3, number]], np.float32)
    with pytest.raises(ValueError, match=fault):
        save_model2vec(KeyedVectors.from_arrays(words, vectors), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_words_that_no_text_has_are_said(tmp_path, caplog):
    save_model2vec(KeyedVectors.from_arrays(["new york", "a", ""], VECTORS[:3]), tmp_path)
    assert caplog.messages == ["2 words hold white space, at which texts are split; none is found"]


def test_model2vec_reads_it_and_means_the_same(folder):
    model2vec = pytest.importorskip("model2vec", reason="model2vec is not installed")
    model = model2vec.StaticModel.from_pretrained(folder)
    found = model.encode(["bread", 'über quote"d', "bread unknown", "unknown", "back\\slash a|b"])
    means = np.stack([VECTORS[0], VECTORS[1] + VECTORS[2], VECTORS[0], 0 * VECTORS[0], VECTORS[3] + VECTORS[4]])
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(found, means / np.where(lengths > 0, lengths, 1), atol=1e-5)
