"""Words of raw text: equal to gensim's where they promise it, and the same under every Python."""

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from w2v import CallbackAny2Vec, Word2Vec, tokenize, update
from w2v.compat import gensim_utils
from w2v.text import letters, unicode14

try:
    from gensim.utils import simple_preprocess
except ImportError:  # ours has the same definition, by Python's regular expressions
    simple_preprocess = gensim_utils.simple_preprocess

# Characters that the rules speak of: cases that need several, sigmas and what they look through, digits, marks.
TRICKY = "aZ_09 \n.,:'’\u00ad\u200dΣσςΑ\u0345İıßẞŉΐﬁ²½Ⅷée\u0301ह\u093f中ا٣𐐀ǅ"
SAME_UNICODE = unicodedata.unidata_version == "14.0.0"

texts = st.text(st.one_of(st.sampled_from(TRICKY), st.characters(codec="utf-8")), max_size=30)


def assigned(text):
    """Whether all characters have been there since the version of our tables."""
    return SAME_UNICODE or all(kind_is_known(character) for character in text)


def kind_is_known(character):
    """Marks count, too: a sigma before one may still be the last letter of its word."""
    counts = (
        character == "_" or character.isalnum() or unicodedata.category(character) in ("Mn", "Me", "Cf", "Lm", "Sk")
    )
    return bool(letters._kinds()[ord(character)]) or not counts


@settings(deadline=None)
@given(texts)
@example("ΟΔΥΣΣΕΥΣ Σ Α.Σ. Α.ΣΑ")
@example("İstanbul 12ab½ _private __x a" + "b" * 14 + " a" + "b" * 15)
def test_preprocessed_words_are_those_of_gensim(text):
    if assigned(text):
        assert tokenize(text, "simple_preprocess") == simple_preprocess(text)


@pytest.mark.skipif(not SAME_UNICODE, reason="this Python has another version of Unicode than the tables")
def test_the_tables_are_those_of_unicode_14():
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    kinds = letters._kinds()
    told = [one for one in every if one.isalnum() or kinds[ord(one)] or one.lower() != one]
    line = " ".join(f"ab{one}cd" for one in told)
    assert tokenize(line, "simple_preprocess") == simple_preprocess(line)


def words_of_twin(text):
    """The definition of "simple", character by character."""
    folded = text.replace("\u00ad", "").replace("’", "'").casefold()
    words, word = [], ""
    for place, character in enumerate(folded + " "):
        mark = unicodedata.category(character).startswith("M") or character in "\u200c\u200d"
        behind = folded[place + 1 : place + 2]
        quoted = character == "'" and word and behind.isalnum() and not behind.isdecimal()
        if character.isalnum() or character == "_" or (mark and word) or quoted:
            word += character
        elif word:
            words += [word] if word.strip("_") else []
            word = ""
    return words


@settings(deadline=None)
@given(texts)
@example("don't 'quoted' dogs' O’Neill rock'n'roll 90's 'tis")
@example("STRASSE Straße ΣΊΣΥΦΟΣ snake_case ___ \u00ad")
def test_simple_words_are_those_of_the_definition(text):
    if assigned(text):
        assert tokenize(text) == words_of_twin(text)


def test_end_with_a_stop_is_the_word_end():
    assert tokenize("The END. The end, it's the “end”!") == ["the", "end", "the", "end", "it's", "the", "end"]


def test_marks_of_other_scripts_stay_in_their_words():
    assert tokenize("हिन्दी भाषा, שָׁלוֹם") == ["हिन्दी", "भाषा", "שָׁלוֹם"]


def test_a_file_of_tables_names_its_version():
    assert "Unicode 14.0.0" in unicode14.__doc__


@pytest.mark.parametrize("tokenizer", ["simple", "simple_preprocess"])
@pytest.mark.parametrize("workers", [1, 2])
def test_files_lists_and_words_give_the_same_model(tmp_path, tokenizer, workers):
    lines = ["The river rose. Did the BOATS sink?", "Nobody knew: the king’s men were at sea.", ""] * 40
    path = tmp_path / "book.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    options = {"vector_size": 8, "min_count": 1, "sample": 0, "epochs": 2, "workers": workers, "deterministic": True}
    words = Word2Vec([tokenize(line, tokenizer) for line in lines if line], **options)
    for given_texts in ({"corpus_file": path}, {"sentences": lines}, {"sentences": iter(lines)}):
        model = Word2Vec(**given_texts, tokenizer=tokenizer, **options)
        assert model.wv.index_to_key == words.wv.index_to_key
        assert (model.wv.vectors == words.wv.vectors).all()


def test_a_model_keeps_its_tokenizer(tmp_path):
    model = Word2Vec(["The end.", "the END"] * 20, tokenizer="simple", vector_size=4, min_count=1, workers=1)
    model.save(tmp_path / "model.safetensors")
    again = Word2Vec.load(tmp_path / "model.safetensors")
    again.build_vocab(["A new END!"] * 9, update=True)
    assert again.tokenizer == "simple"
    assert again.wv.index_to_key == ["end", "the", "new", "a"]
    assert model.fingerprint() != Word2Vec([["the", "end"]] * 40, vector_size=4, min_count=1, workers=1).fingerprint()


def test_a_resumed_run_reads_raw_text_as_before(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text("The end.\nA END, the a!\n" * 50, encoding="utf-8")
    options = {"tokenizer": "simple", "vector_size": 4, "min_count": 1, "workers": 1, "epochs": 3, "sample": 0}
    whole = Word2Vec(corpus_file=path, **options)

    class Cut(CallbackAny2Vec):
        def on_epoch_end(self, model):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Word2Vec(corpus_file=path, checkpoint=tmp_path / "run", callbacks=[Cut()], **options)
    for corpus in ({}, {"corpus_file": path}):
        assert (Word2Vec.resume(tmp_path / "run", **corpus).wv.vectors == whole.wv.vectors).all()


def test_bytes_that_are_no_utf8_are_an_error_with_their_place(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"The caf\xe9 is closed\n")
    with pytest.raises(UnicodeDecodeError, match=r"at byte 7 of .*latin\.txt"):
        Word2Vec(corpus_file=path, tokenizer="simple", min_count=1)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: tokenize("a", "nltk"), "tokenizer='nltk' must be one of"),
        (lambda: Word2Vec(tokenizer="spacy"), "tokenizer='spacy' must be one of None, 'whitespace'"),
    ],
)
def test_an_unknown_tokenizer_names_the_others(call, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        call()


def test_an_update_with_replay_reads_raw_text_by_the_tokenizer(tmp_path):
    (tmp_path / "old.txt").write_text("The end.\nA END, the a!\n" * 30)
    (tmp_path / "new.txt").write_text("NEW, the end!\n" * 30)
    model = Word2Vec(corpus_file=tmp_path / "old.txt", tokenizer="simple", vector_size=4, min_count=1, workers=1)
    update(model, corpus_file=tmp_path / "new.txt", replay=tmp_path / "old.txt", epochs=1)
    assert set(model.wv.index_to_key) == {"the", "end", "a", "new"}
    assert 150 < model.history[-1].raw_words < 210, "about as many words of the old text as of the new one"
