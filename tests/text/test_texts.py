"""Texts from files, tables and lists: every source gives the sentences that its rows have as lists."""

import io
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v import Doc2Vec, LineSentence, Texts, Word2Vec
from w2v.text import units
from w2v.text.corpus import Corpus

ROWS = ["The end.\nreally", "Is it THE end?", None, "", " tail ", "é ü \u3000 x"] * 3
TOKENS = [["new york", "b"], [], None, ["c", ""]] * 3
WALKS = [[1, 2], [3], [], [-4, 5]] * 3

SENTENCES = [(row or "").split() for row in ROWS if row]
LISTS = [tokens for tokens in TOKENS if tokens]
PATHS = [[str(node) for node in walk] for walk in WALKS if walk]

SMALL = {"vector_size": 4, "min_count": 1, "sample": 0, "epochs": 1, "workers": 1}


def test_lists_of_texts_words_and_integers_are_corpora():
    assert list(Texts(ROWS)) == SENTENCES
    assert list(Texts(TOKENS)) == LISTS
    assert list(Texts(WALKS)) == PATHS


@settings(deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=5), max_size=20), st.integers(1, 40))
def test_texts_are_split_as_str_split_does(rows, size):
    held, units.UNIT_BYTES = units.UNIT_BYTES, size
    try:
        assert list(Texts(rows)) == [row.split() for row in rows if row.split()]
    finally:
        units.UNIT_BYTES = held


# --- integers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "walks",
    [
        lambda walks: walks,
        lambda walks: tuple(map(tuple, walks)),
        lambda walks: iter(walks),
        lambda walks: (walk for walk in walks),
        lambda walks: [np.array(walk, np.int32) for walk in walks],
        lambda walks: np.array(walks),
        lambda walks: np.array(walks, np.uint64),
    ],
)
@pytest.mark.parametrize("options", [{}, {"max_vocab_size": 100}, {"workers": 2, "deterministic": True}])
def test_walks_are_the_words_of_their_digits(walks, options):
    nodes = np.random.default_rng(3).integers(0, 20, (60, 9)).tolist()
    settings = SMALL | options
    model = Word2Vec(walks(nodes), **settings)
    twin = Word2Vec([[str(node) for node in walk] for walk in nodes], **settings)
    assert model.wv.index_to_key == twin.wv.index_to_key
    assert (model.wv.vectors == twin.wv.vectors).all()


def test_walks_can_be_streamed():
    nodes = np.random.default_rng(3).integers(0, 20, (60, 9)).tolist()
    kept, streamed = (Word2Vec(nodes, **SMALL, cache=cache) for cache in ("auto", "none"))
    assert (kept.wv.vectors == streamed.wv.vectors).all()


def test_an_integer_asks_for_its_node_and_not_for_a_row():
    model = Word2Vec(WALKS * 5, **SMALL)
    assert (model.wv[5] == model.wv["5"]).all()
    assert (model.wv[-4] == model.wv["-4"]).all()
    assert 4 not in model.wv
    assert model.wv.index_to_key[0] != "0"
    with pytest.raises(KeyError, match="0"):
        model.wv[0]
    assert model.wv.similarity(1, 2) == model.wv.similarity("1", "2")


def test_an_integer_is_a_row_among_words():
    model = Word2Vec([["7", "b", "c"]] * 9, **SMALL)
    assert (model.wv[1] == model.wv[model.wv.index_to_key[1]]).all()
    with pytest.raises(KeyError):
        model.wv[7]


def test_integers_of_63_bits_are_words_and_larger_ones_an_error():
    most = 2**63 - 1
    assert list(Texts([[most, -most - 1]])) == [[str(most), str(-most - 1)]]
    with pytest.raises(OverflowError, match="row 1 has 9223372036854775808"):
        list(Texts([[1], [most + 1]]))


def test_the_first_sentence_says_what_the_others_are():
    for corpus, said in (
        ([[1, 2], ["a"]], "sentence 1 has 'a', a str; each must be an integer"),
        ([[1, 2], [1.5]], "sentence 1 has 1.5, a float"),
        ([[1, 2], [True]], "sentence 1 has True, a bool"),
        ([["a"], [1]], "tokens must be str, not int"),
    ):
        with pytest.raises(TypeError, match=re.escape(said)):
            Word2Vec(corpus, **SMALL)


# --- files --------------------------------------------------------------------------------------------------------


def write_lines(path, values):
    path.write_text("".join(json.dumps({"id": 1, "text": value}) + "\n\n" for value in values), encoding="utf-8")
    return path


@pytest.mark.parametrize(("rows", "expected"), [(ROWS, SENTENCES), (TOKENS, LISTS), (WALKS, PATHS)])
def test_a_field_of_json_lines_is_a_corpus(tmp_path, rows, expected):
    path = write_lines(tmp_path / "rows.jsonl", rows)
    assert list(Texts(path, field="text")) == expected
    assert list(Texts(path)) == expected, "the only field that can be read"
    with open(path, "rb") as file:
        assert list(Texts(file, field="text")) == expected


def test_a_file_of_json_lines_is_a_corpus_file(tmp_path):
    path = write_lines(tmp_path / "rows.jsonl", ROWS)
    model, twin = Word2Vec(corpus_file=path, **SMALL), Word2Vec(SENTENCES, **SMALL)
    assert (model.wv.vectors == twin.wv.vectors).all()
    assert (model.corpus_count, model.corpus_total_words) == (len(SENTENCES), sum(map(len, SENTENCES)))


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ('{"a": "x"}\n{"b": "x"}\n', "a", "field='a' is not in line 2 of"),
        ('{"a": "x"}\n{"a": \n', "a", "line 2 of"),
        ('["x"]\n', "a", "is ['x'], not an object with fields"),
        ('{"a": "x", "b": "y", "n": 1}\n', None, "has 'a', 'b'; say which to read: field="),
    ],
)
def test_wrong_json_is_an_error_with_its_line(tmp_path, text, field, said):
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape(said)):
        list(Texts(path, field=field))


def test_a_folder_is_read_in_the_order_of_names(tmp_path):
    for name, text in (("b.txt", "Second one."), ("a.txt", "First one.")):
        (tmp_path / name).write_text(text)
    assert list(Texts(tmp_path, tokenizer="simple")) == [["first", "one"], ["second", "one"]]


def test_a_line_over_many_blocks_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("w2v.text.readers.BLOCK", 64)
    path = tmp_path / "long.txt"
    path.write_text(("Word, " * 100 + "\n") * 2)
    assert list(Texts(path, tokenizer="simple")) == [["word"] * 100] * 2
    assert list(Texts(io.BytesIO(path.read_bytes()), tokenizer="simple")) == [["word"] * 100] * 2


# --- what a corpus is ---------------------------------------------------------------------------------------------


def test_a_file_is_the_same_corpus_until_it_changes(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text("The end.")
    known = Corpus.from_arguments(Texts(path, tokenizer="simple"), None).identity()
    assert known == Corpus.from_arguments(None, path, tokenizer="simple").identity()
    assert known != Corpus.from_arguments(None, path, tokenizer="simple_preprocess").identity()
    assert known != Corpus.from_arguments(None, path).identity()
    path.write_text("The end, again.")
    assert known != Corpus.from_arguments(None, path, tokenizer="simple").identity()


def test_texts_of_a_file_can_be_found_again(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "The end."}\n')
    corpus = Corpus(Texts(path, tokenizer="simple", field="text"), False)
    again = Corpus.reopen(corpus.locator(), tmp_path)
    assert list(again.source) == [["the", "end"]]
    assert again.source.reading == corpus.source.reading


def test_rows_are_documents_with_their_numbers():
    model = Doc2Vec(["The end.", "", "An END"] * 5, tokenizer="simple", **SMALL)
    assert len(model.dv) == 15
    assert set(model.wv.index_to_key) == {"the", "end", "an"}
    texts = Texts(["a b", ""]).as_documents()
    assert [(document.words, document.tags) for document in texts] == [(["a", "b"], [0]), ([], [1])]


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda: Texts(5), TypeError, "Texts reads files, columns and iterables, not int"),
        (lambda: Texts("no such file"), FileNotFoundError, "a text itself goes into a list"),
        (lambda: list(Texts([{"a": 1}])), TypeError, "row 0 is {'a': 1}, not a text"),
        (lambda: list(Texts(["a", ["b"]])), TypeError, "row 1 has ['b'], a list; each must be a str"),
        (lambda: list(Texts(np.arange(3))), TypeError, "one sentence; put it into a list"),
        (lambda: list(Texts(io.StringIO("a"))), TypeError, "open it with mode 'rb'"),
        (lambda: Texts([["a"]], field="text"), ValueError, "field='text' is for JSON lines"),
        (lambda: list(Texts([["a"]], column="text")), ValueError, "column='text' is for tables"),
        (lambda: Word2Vec(["a b"]), TypeError, "not a list of tokens"),
        (
            lambda: Word2Vec(LineSentence(io.BytesIO(b"a")), tokenizer="x"),
            ValueError,
            "tokenizer='x' must be one of",
        ),
    ],
)
def test_what_cannot_be_read_is_an_error(call, kind, said):
    with pytest.raises(kind, match=re.escape(said)):
        call()


def test_readers_that_divide_lines_take_no_tokenizer(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(TypeError, match="give Texts"):
        Word2Vec(LineSentence(tmp_path / "a.txt"), tokenizer="simple", **SMALL)
