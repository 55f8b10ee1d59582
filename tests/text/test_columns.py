"""Columns of tables: the same sentences from pyarrow, polars, pandas, data sets and their files as from lists."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_texts import LISTS, PATHS, ROWS, SENTENCES, SMALL, TOKENS, WALKS

from w2v import Doc2Vec, Texts, Word2Vec
from w2v.text import texts, units
from w2v.tokens.encode import Scan

arrow = pytest.importorskip("pyarrow", reason="needs pyarrow")


@pytest.mark.parametrize("made", [arrow.string, arrow.large_string, arrow.string_view])
def test_strings_of_every_layout_are_texts(made):
    column = arrow.array(ROWS, made())
    assert list(Texts(column)) == SENTENCES
    assert list(Texts(column.slice(1, 4))) == list(Texts(ROWS[1:5]))
    assert list(Texts(arrow.chunked_array([column.slice(0, 2), column.slice(2)]))) == SENTENCES


def test_strings_of_a_dictionary_are_texts():
    assert list(Texts(arrow.array(ROWS).dictionary_encode())) == SENTENCES
    lists = arrow.ListArray.from_arrays([0, 2, 3], arrow.array(["x", "y", "x"]).dictionary_encode())
    assert list(Texts(lists)) == [["x", "y"], ["x"]]


@pytest.mark.parametrize("made", [arrow.list_, arrow.large_list, arrow.list_view, arrow.large_list_view])
def test_lists_of_every_layout_are_tokens(made):
    column = arrow.array(TOKENS, made(arrow.string()))
    assert list(Texts(column)) == LISTS
    assert list(Texts(column.slice(1, 5))) == [tokens for tokens in TOKENS[1:6] if tokens]


@pytest.mark.parametrize("name", ["int8", "int16", "int32", "int64"])
def test_integers_of_every_width_are_tokens(name):
    assert list(Texts(arrow.array(WALKS, arrow.list_(getattr(arrow, name)())))) == PATHS
    fixed = arrow.array([[1, 2], [3, 4]], arrow.list_(getattr(arrow, f"u{name}")(), 2))
    assert list(Texts(fixed)) == [["1", "2"], ["3", "4"]]


rows = st.lists(st.none() | st.text(st.sampled_from("ab \né中"), max_size=20), max_size=30)


@settings(deadline=None)
@given(rows, st.integers(0, 5), st.integers(1, 30))
def test_any_column_has_the_sentences_of_its_rows(texts, begin, size):
    held, units.UNIT_BYTES = units.UNIT_BYTES, size
    try:
        expected = [(text or "").split() for text in texts[begin:]]
        for kind in (arrow.string(), arrow.string_view()):
            column = arrow.array(texts, kind).slice(begin)
            assert list(Texts(column)) == [words for words in expected if words]
    finally:
        units.UNIT_BYTES = held


@pytest.mark.parametrize("options", [{}, {"workers": 2, "deterministic": True}, {"cache": "none"}])
def test_a_column_trains_as_its_lists_do(options, monkeypatch):
    monkeypatch.setattr(units, "UNIT_BYTES", 64)
    monkeypatch.setattr(units, "UNIT_TOKENS", 8)
    settings = SMALL | options
    for column, sentences in (
        (arrow.array(ROWS * 20), SENTENCES * 20),
        (arrow.array(TOKENS * 20), LISTS * 20),
        (arrow.array(WALKS * 20), PATHS * 20),
    ):
        model, twin = Word2Vec(column, **settings), Word2Vec(sentences, **settings)
        assert model.wv.index_to_key == twin.wv.index_to_key
        assert (model.wv.vectors == twin.wv.vectors).all()


def test_a_column_that_does_not_change_is_read_once(monkeypatch):
    model = Word2Vec(vector_size=4, min_count=1)
    column = arrow.chunked_array([ROWS])
    model.build_vocab(column)
    monkeypatch.setattr(Texts, "units", None)
    model.train(column, total_examples=1, epochs=1)


@pytest.mark.parametrize("ending", [".parquet", ".feather", ".arrow"])
def test_a_column_of_a_file_is_a_corpus(tmp_path, ending):
    from pyarrow import feather, parquet

    table, path = arrow.table({"n": list(range(len(ROWS))), "text": ROWS}), str(tmp_path / f"rows{ending}")
    if ending == ".parquet":
        parquet.write_table(table, path, row_group_size=5)
    elif ending == ".feather":
        feather.write_feather(table, path)
    else:
        with arrow.OSFile(path, "wb") as file, arrow.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
    assert list(Texts(path, column="text")) == SENTENCES
    assert list(Texts(path)) == SENTENCES, "the only column that can be read"
    model, twin = Word2Vec(corpus_file=path, **SMALL), Word2Vec(SENTENCES, **SMALL)
    assert (model.wv.vectors == twin.wv.vectors).all()
    assert len(Doc2Vec(corpus_file=path, **SMALL).dv) == len(ROWS)
    with open(path, "r+b") as file:
        file.truncate(100)
    with pytest.raises(OSError, match=r"rows\.\w+, it may be damaged"):
        list(Texts(path, column="text"))


@pytest.mark.parametrize(("rows", "expected"), [(TOKENS, LISTS), (WALKS, PATHS)])
def test_lists_of_a_parquet_file_are_tokens(tmp_path, rows, expected):
    from pyarrow import parquet

    path = str(tmp_path / "rows.parquet")
    for dictionary in (True, False):
        parquet.write_table(arrow.table({"a.b": rows * 50}), path, row_group_size=70, use_dictionary=dictionary)
        assert list(Texts(path)) == expected * 50
        model, twin = Word2Vec(corpus_file=path, **SMALL), Word2Vec(expected * 50, **SMALL)
        assert model.wv.index_to_key == twin.wv.index_to_key
        assert (model.wv.vectors == twin.wv.vectors).all()


@pytest.mark.parametrize("size", [16, 300, 1000])
def test_a_dictionary_that_grows_too_large_changes_nothing(tmp_path, monkeypatch, size):
    from pyarrow import parquet

    monkeypatch.setattr("w2v.text.texts.ROWS", size)
    rows = [[f"word{row}", "a"] for row in range(500)]
    path = str(tmp_path / "rows.parquet")
    parquet.write_table(arrow.table({"x": rows}), path, dictionary_pagesize_limit=200, data_page_size=100)
    assert list(Texts(path)) == rows


WORDS = ["a", "b", "ab", "ba", ""]


def indexed(rows, words, index):
    """Lists of words as numbers of those in a dictionary."""
    places = arrow.array([words.index(word) for row in rows for word in row], index)
    ends = np.cumsum([0] + [len(row) for row in rows])
    return arrow.ListArray.from_arrays(ends, arrow.DictionaryArray.from_arrays(places, words))


@settings(max_examples=100, deadline=None)
@given(
    chunks=st.lists(
        st.tuples(
            st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4), min_size=1, max_size=4),
            st.permutations(WORDS) | st.just(WORDS),
        ),
        min_size=1,
        max_size=5,
    ),
    index=st.sampled_from([arrow.int8(), arrow.int32(), arrow.uint64()]),
    threads=st.integers(1, 3),
)
def test_words_are_counted_whatever_dictionary_a_chunk_has(chunks, index, threads):
    rows = [row for part, _ in chunks for row in part]
    column = arrow.chunked_array([indexed(part, words, index) for part, words in chunks])
    found, expected = Scan(Texts(column), False, threads=threads), Scan(rows, False)
    assert found.words() == expected.words()
    assert (found.counts == expected.counts).all()
    index_of = {word: number for number, word in enumerate(expected.words())}
    assert (found.encode(index_of).tokens == expected.encode(index_of).tokens).all()


def test_a_null_in_a_dictionary_is_an_error():
    for places, words in (([0, None], ["a", "b"]), ([0, 1], ["a", None])):
        values = arrow.DictionaryArray.from_arrays(arrow.array(places, arrow.int32()), words)
        with pytest.raises(TypeError, match="row 0 of the ListArray has a null"):
            list(Texts(arrow.ListArray.from_arrays([0, 2], values)))


@pytest.mark.parametrize(
    ("source", "options", "kind", "said"),
    [
        (arrow.array([1.5]), {}, TypeError, "holds neither text nor lists"),
        (arrow.array([["a", None]]), {}, TypeError, "row 0 of the ListArray has a null"),
        (arrow.array([[2**63]], arrow.list_(arrow.uint64())), {}, TypeError, "more than 63 bits"),
        (arrow.table({"a": ["x"], "b": ["y"]}), {}, ValueError, "has 'a', 'b'; say which to read: column="),
        (arrow.table({"a": ["x"]}), {"column": "c"}, ValueError, "column='c' is not in the Table, which has 'a'"),
    ],
)
def test_a_column_that_cannot_be_read_is_an_error(source, options, kind, said):
    with pytest.raises(kind, match=said):
        list(Texts(source, **options))


def test_offsets_that_lead_out_of_a_file_are_an_error(tmp_path):
    path, batch = str(tmp_path / "rows.arrow"), arrow.record_batch({"text": ["abcdefg", "hijklmn"]})
    with arrow.OSFile(path, "wb") as file, arrow.ipc.new_stream(file, batch.schema) as writer:
        writer.write_batch(batch)
    whole, ends = Path(path).read_bytes(), np.array([0, 7, 14], np.int32).tobytes()
    assert whole.count(ends) == 1
    Path(path).write_bytes(whole.replace(ends, np.array([0, 7, 1 << 30], np.int32).tobytes()))
    with pytest.raises(OSError, match="it may be damaged"):
        list(Texts(path))


def test_without_pyarrow_an_error_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "rows.parquet").write_bytes(b"")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ModuleNotFoundError, match=r"w2v\[arrow\]"):
        list(Texts(tmp_path / "rows.parquet"))


def test_series_of_polars_are_corpora():
    polars = pytest.importorskip("polars", reason="needs polars")
    for values, expected in ((ROWS, SENTENCES), (TOKENS, LISTS), (WALKS, PATHS)):
        assert list(Texts(polars.Series(values))) == expected
        assert list(Texts(polars.DataFrame({"n": range(len(values)), "x": values}), column="x")) == expected
    assert Word2Vec(polars.Series(ROWS), **SMALL).corpus_count == len(SENTENCES)


def test_series_of_pandas_are_corpora():
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    for kind in (None, object, "category"):
        assert list(Texts(pandas.Series(ROWS, dtype=kind))) == SENTENCES
    assert list(Texts(pandas.Series([*ROWS, np.nan], dtype=object))) == SENTENCES
    for values, expected in ((TOKENS, LISTS), (WALKS, PATHS)):
        assert list(Texts(pandas.Series(values))) == expected
        assert list(Texts(pandas.DataFrame({"x": values}), column="x")) == expected
    assert Word2Vec(pandas.Series(ROWS), **SMALL).corpus_count == len(SENTENCES)


def test_columns_of_data_sets_are_corpora():
    datasets = pytest.importorskip("datasets", reason="needs Hugging Face's datasets")
    data = datasets.Dataset.from_dict({"text": ROWS, "n": list(range(len(ROWS)))})
    assert list(Texts(data, column="text")) == SENTENCES
    assert list(Texts(data["text"])) == SENTENCES
    shuffled = data.shuffle(seed=1)
    assert list(Texts(shuffled, column="text")) == list(Texts(list(shuffled["text"])))
    assert list(Texts(data.to_iterable_dataset(), column="text")) == SENTENCES
    assert Word2Vec(data["text"], **SMALL).corpus_count == len(SENTENCES)
    with pytest.raises(ValueError, match="say which to read"):
        list(Texts(data.add_column("more", ["x"] * len(ROWS))))
    with pytest.raises(ValueError, match="train"):
        list(Texts(datasets.DatasetDict(train=data), column="text"))


def test_rows_that_cannot_be_read_by_numbers_are_read_as_strings():
    class Reader:
        def __init__(self, cut):
            self.cut = cut

        def iter_batches(self, size, **options):
            for begin in range(0, len(WALKS), 4):
                if begin == self.cut:
                    raise arrow.ArrowNotImplementedError("a new dictionary begins")
                yield arrow.record_batch({"x": WALKS[begin : begin + 4]})

    for cut in (0, 4, 8, None):
        rows = texts._rows_of_group(Reader(cut), Reader(None), 0, "x", arrow)
        assert [row for part in rows for row in part.to_pylist()] == WALKS
