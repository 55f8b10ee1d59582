"""Models trained on terms: the same as on a text with its terms joined, and the model remembers them."""

import copy
import hashlib

import numpy as np
import pytest

from w2v import Doc2Vec, FormatError, FrozenPhrases, KeyedVectors, LineSentence, Phrases, TermMap, Word2Vec, update
from w2v.files import native

DRAW = np.random.default_rng(5)
WORDS = [*"abcdefgh", "mi"]
TEXT = [[WORDS[i] for i in DRAW.integers(0, len(WORDS), DRAW.integers(1, 12))] for _ in range(600)]
TEXT += [["new", "york", "city", "a"], ["b", "new", "york"]] * 100
SMALL = {"vector_size": 8, "min_count": 2, "epochs": 2, "workers": 1, "sample": 0}


@pytest.fixture(scope="module")
def phrases():
    return Phrases(TEXT, min_count=5, threshold=0.2, max_length=3)


TERMS = TermMap({"mi": "MI", "a b": "AB"})


def digest(model):
    return hashlib.sha256(model.wv.vectors.tobytes() + repr(model.wv.index_to_key).encode()).hexdigest()


@pytest.mark.parametrize("cache", ["memory", "disk", "none"])
@pytest.mark.parametrize("block", [64, 1 << 20])
def test_training_is_that_on_a_text_with_terms_joined(tmp_path, monkeypatch, phrases, cache, block):
    monkeypatch.setattr("w2v.text.readers.BLOCK", block)  # terms lie across blocks
    monkeypatch.setattr("w2v.tokens.words.BLOCK_TOKENS", block)
    path = tmp_path / "text.txt"
    path.write_text("".join(" ".join(sentence) + "\n" for sentence in TEXT))
    joined = [phrases[TERMS[sentence]] for sentence in TEXT]
    assert any("new_york_city" in sentence for sentence in joined)
    wanted = digest(Word2Vec(joined, **SMALL))
    options = {**SMALL, "cache": cache, "phrases": phrases, "terms": TERMS}
    assert digest(Word2Vec(TEXT, **options)) == wanted
    assert digest(Word2Vec(corpus_file=path, **options)) == wanted
    assert digest(Word2Vec(LineSentence(path), **options, max_vocab_size=1000)) == wanted


def test_best_phrases_lie_across_blocks_as_well(tmp_path, monkeypatch):
    best = Phrases(TEXT, min_count=2, threshold=0.05, mode="best", max_length=4)
    joined = list(best[TEXT])
    monkeypatch.setattr("w2v.text.readers.BLOCK", 16)
    path = tmp_path / "text.txt"
    path.write_text(" \n ".join(" ".join(sentence) for sentence in TEXT))
    assert digest(Word2Vec(corpus_file=path, phrases=best, **SMALL)) == digest(Word2Vec(joined, **SMALL))


def test_a_model_remembers_its_terms(tmp_path, phrases):
    model = Word2Vec(TEXT, phrases=phrases, terms=TERMS, **SMALL)
    assert [type(step) for step in model.steps] == [TermMap, FrozenPhrases]
    model.save(tmp_path / "model.safetensors")
    again = Word2Vec.load(tmp_path / "model.safetensors")
    assert again.fingerprint() == model.fingerprint() == copy.deepcopy(model).fingerprint()
    assert model.fingerprint() != Word2Vec([phrases[TERMS[one]] for one in TEXT], **SMALL).fingerprint()
    for one in (model, again, copy.deepcopy(model)):
        one.train(TEXT, total_examples=len(TEXT), epochs=1)
    assert digest(model) == digest(again)
    assert digest(Word2Vec.load(tmp_path / "model.safetensors").trained_again(TEXT)) == digest(
        Word2Vec(TEXT, phrases=phrases, terms=TERMS, **SMALL)
    )


def test_several_words_find_their_phrase(tmp_path, phrases):
    model = Word2Vec(TEXT, phrases=phrases, **SMALL)
    model.save(tmp_path / "model.safetensors")
    model.wv.save(tmp_path / "vectors.safetensors")
    for name in ("model", "vectors"):
        vectors = KeyedVectors.load(tmp_path / f"{name}.safetensors")
        assert vectors.get_index("new york city") == model.wv.key_to_index["new_york_city"]
        assert vectors.most_similar("new york", topn=2) == model.wv.most_similar("new_york", topn=2)
    with pytest.raises(KeyError, match="'york new'"):
        model.wv["york new"]


def test_a_run_with_terms_is_resumed(tmp_path, phrases):
    path = tmp_path / "text.txt"
    path.write_text("".join(" ".join(sentence) + "\n" for sentence in TEXT))
    whole = Word2Vec(corpus_file=path, phrases=phrases, **SMALL, checkpoint=tmp_path / "run")
    assert digest(Word2Vec.resume(tmp_path / "run")) == digest(whole)


def test_damaged_terms_of_a_model_are_refused(tmp_path, phrases):
    path = tmp_path / "model.safetensors"
    Word2Vec(TEXT, phrases=phrases, **SMALL).save(path)
    kind, words, arrays, meta = native.read_native(path)
    arrays["terms"] = np.frombuffer(arrays["terms"].tobytes()[:-20], np.uint8)
    native.write_native(path, kind, words, arrays, meta)
    for load in (Word2Vec.load, KeyedVectors.load):
        with pytest.raises(FormatError, match="not a file of terms"):
            load(path)


def test_other_objects_are_no_terms():
    with pytest.raises(TypeError, match=r"phrases='p\.json' must be a Phrases"):
        Word2Vec(TEXT, phrases="p.json")
    with pytest.raises(TypeError, match="must be a TermMap"):
        Word2Vec(TEXT, terms={"a": "b"})


def test_documents_have_no_terms():
    with pytest.raises(ValueError, match="for models of words, not of documents"):
        Doc2Vec(phrases=Phrases())


def test_a_model_that_goes_on_joins_its_terms(phrases):
    model = Word2Vec(TEXT, phrases=phrases, **SMALL)
    update(model, [["new", "york", "city", "z"]] * 9)
    assert model.wv.get_vecattr("z", "count") == 9
    assert model.wv.get_vecattr("new_york_city", "count") == 109


@pytest.mark.parametrize("space", ["in-out", "out-in", "sum"])
@pytest.mark.parametrize("cache", ["memory", "none"])
def test_every_space_knows_the_terms(phrases, space, cache):
    model = Word2Vec(TEXT, phrases=phrases, cache=cache, **SMALL)
    assert model.most_similar("new york", space=space) == model.most_similar("new_york", space=space)
    assert model.explain("new york", "b", TEXT) is not None
