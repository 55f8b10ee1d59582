"""Files of word2vec.c, gensim and GloVe: every byte of a file we know, and every way it can be wrong."""

import gzip
import os
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from w2v import KeyedVectors
from w2v.files import _rows
from w2v.files.errors import FormatError, TruncatedError
from w2v.files.reading import codec_of
from w2v.files.word2vec_format import read_counts, read_word2vec, write_word2vec

VECTORS = np.array([[1, 0.1], [1e-5, -3.4e38]], np.float32)
GENSIM_TEXT = b"2 2\na 1.0 0.1\n\xc3\xa9 1e-05 -3.4e+38\n"
C_TEXT = b"2 2\na 1.000000 0.100000 \n\xc3\xa9 0.000010 -340000000000000000000000000000000000000.000000 \n"
GENSIM_BINARY = b"2 2\na " + VECTORS[0].tobytes() + b"\xc3\xa9 " + VECTORS[1].tobytes()
C_BINARY = b"2 2\na " + VECTORS[0].tobytes() + b"\n\xc3\xa9 " + VECTORS[1].tobytes() + b"\n"
GLOVE = GENSIM_TEXT[4:]

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=" \t\n\v\f\r"), min_size=1)


@pytest.fixture
def read(tmp_path):
    def read(data, name="file", **options):
        (tmp_path / name).write_bytes(data)
        index, vectors, _ = read_word2vec(tmp_path / name, **options)
        assert list(index.values()) == list(range(len(vectors)))
        return list(index), vectors

    return read


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("foreign") / "file"


@pytest.mark.parametrize("block", [1, 5, 16, 1 << 20])
@pytest.mark.parametrize(
    ("data", "options"),
    [
        (GENSIM_TEXT, {}),
        (C_TEXT, {}),
        (C_TEXT.replace(b" \n", b" \r\n"), {}),
        (GENSIM_TEXT + b"\n\n", {}),
        (GENSIM_TEXT[:-1], {}),
        (GLOVE, {"no_header": True}),
        (GLOVE[:-1], {"no_header": True}),
        (GENSIM_BINARY, {"binary": True}),
        (C_BINARY, {"binary": True}),
    ],
)
def test_every_dialect_is_read(read, data, options, block):
    words, vectors = read(data, block=block, **options)
    assert words == ["a", "é"]
    assert vectors.tolist() == VECTORS.tolist()
    assert vectors.dtype == np.float32
    words, vectors = read(data, block=block, limit=1, **options)
    assert words == ["a"]
    assert vectors.shape == (1, 2)
    assert read(data, limit=0, **options)[1].shape == (0, 2)
    assert read(data, limit=9, **options)[0] == ["a", "é"]


def test_other_dtypes(read):
    assert read(b"1 2\na 0.1 2\n", dtype=np.float64)[1].tolist() == [[0.1, 2]]
    assert read(b"1 2\na 0.1 2\n", dtype=np.float16)[1].dtype == np.float16
    with pytest.raises(FormatError, match="infinity"):
        read(b"1 1\na 70000\n", dtype=np.float16)
    with pytest.raises(FormatError, match="infinity"):
        read(b"1 1\na " + np.float32(70000).tobytes(), dtype=np.float16, binary=True)


@pytest.mark.parametrize("binary", [False, True])
@settings(deadline=None, max_examples=60)
@given(words=st.lists(storable, unique=True, max_size=8), data=st.data())
def test_any_words_and_floats_come_back_bit_for_bit(scratch, binary, words, data):
    values = data.draw(arrays(np.float32, (len(words), 3), elements=finite))
    order = data.draw(st.permutations(range(len(words))))
    write_word2vec(scratch, words, values, order, binary=binary, header=len(words))
    for block in (7, 1 << 20):
        found, vectors, _ = read_word2vec(scratch, binary=binary, block=block)
        assert list(found) == [words[row] for row in order]
        assert vectors.tobytes() == values[order].tobytes()


@pytest.mark.parametrize("binary", [False, True])
@settings(deadline=None, max_examples=150)
@given(
    words=st.lists(st.text(st.sampled_from("ab1.-\xa0\ud800\0 \t\n\x1c"), max_size=6), max_size=3), header=st.booleans()
)
def test_words_are_refused_or_come_back(scratch, binary, words, header):
    scratch.unlink(missing_ok=True)
    values = np.arange(2 * len(words), dtype=np.float32).reshape(-1, 2)
    try:
        write_word2vec(scratch, words, values, range(len(words)), binary=binary, header=len(words) if header else None)
    except ValueError:
        assert not scratch.exists()
        return
    found = read_word2vec(scratch, binary=binary, no_header=not header)
    assert list(found.rows) == words
    assert found.vectors.tobytes() == values.tobytes()


@settings(deadline=None, max_examples=300)
@given(
    data=st.one_of(
        st.binary(max_size=60),
        st.binary(max_size=40).map(lambda tail: b"2 2\n" + tail),
        st.lists(
            st.sampled_from([b"2", b" ", b"\n", b"a", b"1.5", b"nan", b"\r", b"\t", b"-", b"\xff", b"\n1 1\na 1\n"]),
            max_size=14,
        ).map(b"".join),
        st.tuples(st.sampled_from([GENSIM_TEXT, C_BINARY]), st.integers(0, 60), st.binary(max_size=4)).map(
            lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] + 1 :]
        ),
    ),
    binary=st.booleans(),
    no_header=st.booleans(),
    errors=st.sampled_from(["strict", "skip"]),
    block=st.sampled_from([3, 1 << 20]),
)
@example(b"1000000000000 100\n", True, False, "strict", 16)
@example(b"0 2147483648\n", True, False, "strict", 16)
def test_any_bytes_give_vectors_or_a_format_error(scratch, data, binary, no_header, errors, block):
    scratch.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            index, vectors, skipped = read_word2vec(
                scratch, binary=binary, no_header=no_header and not binary, errors=errors, block=block
            )
        except FormatError:
            return
    assert list(index.values()) == list(range(len(vectors)))
    assert np.isfinite(vectors).all()
    assert "" not in index
    assert not skipped or errors == "skip"


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_file_cut_anywhere_is_an_eof_error_too(tmp_path, binary, suffix):
    whole = GENSIM_BINARY if binary else GENSIM_TEXT
    packed = gzip.compress(whole) if suffix else whole
    # A text file may be cut inside its last number or after it; nothing but a missing row shows.
    last = len(whole) if binary else whole.rindex(b"\n", 0, -1)
    for length in range(len(packed) if suffix else last):
        path = tmp_path / f"cut{suffix}"
        path.write_bytes(packed[:length])
        with pytest.raises(FormatError) as caught:
            read_word2vec(path, binary=binary)
        if length > 2:  # long enough for a header of either kind
            assert isinstance(caught.value, EOFError)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (b"", {}, "empty file"),
        (b"", {"no_header": True}, "empty file"),
        (b"a 1\n", {}, "line 1: .* read with no_header=True, on the command line by w2v convert --no-header"),
        (b"-1 2\n", {}, "line 1"),
        (b"1 0\na\n", {}, "vector size of 0"),
        (b"9" * 300, {}, "line 1"),
        (b"2 2\na 1 2\nb 0.5\n", {}, "line 3: not 2 numbers"),
        (b"2 2\na 1 2\nb 1 2 3\n", {}, "line 3: not 2 numbers"),
        (b"2 2\na 1 2\nb 1 x\n", {}, "line 3: not 2 numbers"),
        (b"2 2\na 1 2\nb 1_0 2\n", {}, "line 3: not 2 numbers"),
        (b"2 2\na 1 2\nb\n\n\n\n", {}, "line 3: 2 values expected"),
        (b"2 2\na 1 2\nb 1 nan\n", {}, "line 3: a NaN or an infinity in the vector of 'b'"),
        (b"2 2\na 1 2\nb 1 1e39\n", {}, "line 3: a NaN or an infinity"),
        (b"2 2\na 1 2\na 3 4\n", {}, "line 3: the word 'a' occurs a second time"),
        (b"2 2\na 1 2\n 3 4\n", {}, "line 3: a row without a word"),
        (b"2 2\na 1 2\n\nb 3 4\n", {}, "line 3: an empty line"),
        (b"1 2\na 1 2\nb 3 4\n", {}, "line 3: more rows than the 1"),
        (b"3 2\na 1 2\nb 3 4\n      \n", {}, "after 2 of the 3 rows"),
        (b"a\nb 3\n", {"no_header": True}, "line 1: no values"),
        (b"30000000 100\na 1\n", {}, "13 bytes are too few|bytes are too few"),
        (b"999999999999 100\n", {"binary": True}, "bytes are too few"),
        (GENSIM_BINARY + b"x", {"binary": True}, "byte 25: more data than the 2 rows"),
        (C_BINARY + b"\n", {"binary": True}, "more data"),
        (b"2 1\na 1234a 1234", {"binary": True}, "byte 10: the word 'a' occurs"),
        (b"2 1\na 1234 1234a", {"binary": True}, "byte 10: a row without a word"),
        (b"1 1\na \0\0\xc0\x7f", {"binary": True}, "byte 4: a NaN"),
        (b"1 1\na\nb 1234", {"binary": True}, "byte 4: a line break"),
        (b"1 1\n" + b"a" * (1 << 21), {"binary": True}, "byte 4: no blank"),
    ],
)
def test_errors_name_their_place(read, data, options, message):
    with pytest.raises(FormatError, match=message):
        read(data, **options)


@pytest.mark.parametrize("block", [1, 5, 1 << 20])
@pytest.mark.parametrize(
    "data",
    [GLOVE, GLOVE[:-1], GLOVE.replace(b"\n", b" \r\n"), b"a 1 0.1\n\xc3\xa9 1e-05 -3.4e+38", b"a 1.0 1\nb 0.5 2\n"],
)
def test_a_text_file_without_a_header_is_recognised(read, data, block, caplog):
    words, vectors = read(data, block=block)
    assert len(caplog.messages) == 1
    assert "no header; the first line is a word with its vector" in caplog.text
    due = read(data, block=block, no_header=True)
    assert words == due[0]
    assert vectors.tobytes() == due[1].tobytes()
    assert len(caplog.messages) == 1


def test_a_long_first_row_is_recognised(read):
    row = b"the " + b" ".join(b"%d.25" % i for i in range(300))
    for data, rows in ((row, 1), (row + b"\n", 1), (row + b"\n" + row.replace(b"the", b"of"), 2)):
        assert read(data)[1].shape == (rows, 300)


@pytest.mark.parametrize(
    "first",
    [
        *(b"2 2 2", b"2 -1 3", b"2", b"2 x", b"x 2", b"-1 2", b"2 2 the", b"2 2the 0.1 0.2", b"2 2 the 0.1 0.2"),
        *(b" 2 2 1", b"the 1", b"the x 1 2", b"the 1 2 x", b"the  1 2", b"the\t1\t2", b"2,2", b"# 2 rows", b"2.0 2"),
        *(b"w" * 300 + b" 1 2", b"the " + b"0.123456789 " * 30 + b"x"),
    ],
)  # fmt: skip
def test_a_damaged_header_is_taken_for_no_row(read, first):
    with pytest.raises(FormatError, match="line 1"):
        read(first + b"\nthe 0.5 1\nof 1 2\n")


def test_a_file_of_other_rows_than_its_first_is_still_refused(read):
    with pytest.raises(FormatError, match="line 2: not 3 numbers"):
        read(b"the 1 2.5 3\nof 1 2\n")
    with pytest.raises(FormatError, match="line 1"):
        read(GENSIM_BINARY[4:], binary=True)


MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize("encoding", ["utf8", "utf-8-sig", "UTF_8_SIG"])
@pytest.mark.parametrize("block", [1, 1 << 20])
@pytest.mark.parametrize(
    ("data", "options"),
    [(GENSIM_TEXT, {}), (GLOVE, {"no_header": True}), (GLOVE, {}), (GENSIM_BINARY, {"binary": True})],
    ids=["text", "GloVe", "GloVe, not said", "binary"],
)
def test_a_byte_order_mark_is_no_part_of_a_word(read, data, options, block, encoding, caplog):
    for begin in (b"", MARK):
        caplog.clear()
        words, vectors = read(begin + data, block=block, encoding=encoding, **options)
        assert words == ["a", "é"]
        assert vectors.tobytes() == VECTORS.tobytes()
        assert ("byte order mark at its beginning" in caplog.text) == bool(begin)


def test_only_the_mark_at_the_beginning_is_taken_off(read, tmp_path):
    inside = "\ufeff".encode()
    for encoding in ("utf8", "utf-8-sig"):
        data = MARK + b"3 1\na 1\n" + inside + b"a 2\n" + inside + b" 3\n"
        assert read(data, encoding=encoding)[0] == ["a", "\ufeffa", "\ufeff"]
        (tmp_path / "counts").write_bytes(MARK + b"a 3\n" + inside + b"a 2\n")
        assert read_counts(tmp_path / "counts", encoding)[0] == {"a": 3, "\ufeffa": 2}
    with pytest.raises(TruncatedError, match="empty file"):
        read(MARK)


@pytest.mark.parametrize(("encoding", "name"), [("utf-16", "UTF-16"), ("utf-16-be", "UTF-16"), ("utf-32", "UTF-32")])
def test_a_file_of_another_encoding_is_named_by_its_mark(tmp_path, encoding, name):
    text = GENSIM_TEXT.decode() if encoding != "utf-16-be" else "\ufeff" + GENSIM_TEXT.decode()
    (tmp_path / "v").write_bytes(text.encode(encoding))
    for read in (read_word2vec, read_counts, lambda path: read_word2vec(path, no_header=True)):
        with pytest.raises(FormatError, match=f"byte order mark of {name}; convert the file to UTF-8"):
            read(tmp_path / "v")


@pytest.mark.parametrize("datatype", [np.int32, "uint8", bool, complex, object, "U4"])
def test_vectors_are_not_rounded_to_whole_numbers(tmp_path, datatype):
    (tmp_path / "v").write_bytes(b"1 2\na 0.9 1.5\n")
    with pytest.raises(ValueError, match=r"datatype=.*: vectors are of floats; choose float16, float32 or float64"):
        KeyedVectors.load_word2vec_format(tmp_path / "v", datatype=datatype)


def test_bad_rows_can_be_skipped_and_are_logged(read, caplog):
    data = b"6 2\na 1 2\nb 1\na 3 4\nc nan 1\nd x y\ne 5 6\n"
    words, vectors = read(data, errors="skip")
    assert words == ["a", "e"]
    assert vectors.tolist() == [[1, 2], [5, 6]]
    assert sum("row skipped" in message for message in caplog.messages) == 4
    assert caplog.messages[-1].endswith("4 rows skipped, 2 kept")
    value = np.float32(1).tobytes()
    words, vectors = read(b"3 1\na " + value + b"a " + value + b"b " + value, binary=True, errors="skip")
    assert words == ["a", "b"]
    with pytest.raises(TruncatedError):
        read(b"2 2\na 1 2\n      \n", errors="skip")


def test_undecodable_words_are_errors_or_replaced(read):
    for data, options in [(b"1 1\n\xff\xfe 1\n", {}), (b"1 1\n\xff\xfe 1234", {"binary": True})]:
        with pytest.raises(UnicodeDecodeError, match=r"at (line 2|byte 4) of .*file; in Python, .* with encoding="):
            read(data, **options)
        assert read(data, unicode_errors="ignore", errors="skip", **options)[0] == []
        assert read(data, unicode_errors="replace", **options)[0] == ["��"]
        assert read(data, encoding="latin1", **options)[0] == ["ÿþ"]


def test_a_lying_header_costs_no_memory(read):
    import tracemalloc

    tracemalloc.start()
    for data in (b"30000000 100\na 1\n", b"3 1000000000\na 1\n"):
        for options in ({}, {"binary": True}):
            with pytest.raises(EOFError):
                read(data, **options)
            with pytest.raises(FormatError):
                read(gzip.compress(data), "file.gz", **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 70_000_000  # a few read buffers


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_compression_goes_by_suffix(tmp_path, read, suffix):
    path = tmp_path / f"v{suffix}"
    unpack = codec_of(path)
    write_word2vec(path, ["a", "é"], VECTORS, [0, 1], header=2)
    with unpack.open(path, "rb") as file:
        assert file.read() == GENSIM_TEXT
    assert list(read_word2vec(path).rows) == ["a", "é"]
    write_word2vec(path, ["b"], VECTORS[:1], [0], append=True)
    assert list(read_word2vec(path, limit=1).rows) == ["a"]
    with unpack.open(path, "rb") as file:
        assert file.read() == GENSIM_TEXT + b"b 1.0 0.1\n"
    with pytest.raises(FormatError, match=f"not sound {suffix} data|ends early"):
        read(b"not compressed at all, and rather long", f"x{suffix}")


def test_files_are_written_as_gensim_writes_them(tmp_path):
    path = tmp_path / "v"
    write_word2vec(path, ["a", "é"], VECTORS, [0, 1], header=2)
    assert path.read_bytes() == GENSIM_TEXT
    write_word2vec(path, ["a", "é"], VECTORS, [0, 1], header=2, binary=True)
    assert path.read_bytes() == GENSIM_BINARY
    write_word2vec(path, ["a", "é"], VECTORS.astype(">f4"), [0, 1], header=2, binary=True)
    assert path.read_bytes() == GENSIM_BINARY
    write_word2vec(path, ["a", "é"], np.asfortranarray(VECTORS), [0, 1], header=2, binary=True)
    assert path.read_bytes() == GENSIM_BINARY
    write_word2vec(path, ["a", "é"], np.repeat(VECTORS, 8, axis=1)[:, ::8], [0, 1], header=2, binary=True)
    assert path.read_bytes() == GENSIM_BINARY


@pytest.mark.parametrize("word", ["", "a\nb", "a\t", "\rb", "a \v", "\ud800"])
def test_unreadable_files_are_never_written(tmp_path, word):
    path = tmp_path / "v"
    path.write_text("old")
    for binary in (False, True):
        with pytest.raises(ValueError, match=r"white space|surrogates"):
            write_word2vec(path, ["a", word], VECTORS, [0, 1], binary=binary, header=2)
    with pytest.raises(ValueError, match="vector of 'b' holds a NaN"):
        write_word2vec(path, ["a", "b"], np.array([[1], [np.inf]]), [0, 1])
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["v"]


def test_counts_come_back(tmp_path):
    path = tmp_path / "v"
    for suffix in ("", ".gz"):
        counts = tmp_path / f"counts{suffix}"
        write_word2vec(path, ["a", "é b"], VECTORS, [1, 0], header=2, fvocab=counts, counts=[3, 2])
        assert list(read_counts(counts)[0].items()) == [("é b", 2), ("a", 3)]
    path.write_text("a\t1\r\nb 0")
    assert read_counts(path) == ({"a": 1, "b": 0}, [])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        *((line, "line 2: not a word and a count") for line in (b"a\n", b"a -1\n", b"a 1.5\n", b" 1\n", b"\n")),
        (b"a 9223372036854775808\n", "line 2: not a word and a count"),
        ("a ٣\n".encode(), "line 2: not a word and a count"),
        (b"x 2\n", "line 2: the word 'x' occurs a second time"),
        (b"\xff 1\n", "line 2 of .*counts"),
    ],
)
def test_a_bad_line_of_counts_is_named_or_skipped(tmp_path, line, message, caplog):
    path = tmp_path / "counts"
    path.write_bytes(b"x 1\n" + line + b"z 3\n")
    with pytest.raises(FormatError, match=message):
        read_counts(path)
    counts, skipped = read_counts(path, errors="skip")
    assert counts == {"x": 1, "z": 3}
    assert [place for place, _ in skipped] == [2]
    assert "1 rows skipped, 2 kept" in caplog.text


def test_wrong_options_and_wrong_things(tmp_path, read):
    with pytest.raises(ValueError, match="errors='ignore'"):
        read(GENSIM_TEXT, errors="ignore")
    with pytest.raises(ValueError, match="without a header"):
        read(GENSIM_TEXT, binary=True, no_header=True)
    with pytest.raises(ValueError, match="limit=-1"):
        read(GENSIM_TEXT, limit=-1)
    with pytest.raises(FormatError, match="not a regular file"):
        read_word2vec(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_word2vec(tmp_path / "nowhere")


def test_only_the_first_skipped_rows_are_logged_one_by_one(read, caplog):
    assert read(b"20 1\n" + b"a 1\n" * 20, errors="skip")[0] == ["a"]
    assert len(caplog.messages) == 11
    assert caplog.messages[-1].endswith("19 rows skipped, 1 kept")
    assert read(b"2 1\na 1\n\nb 2\n", errors="skip")[0] == ["a", "b"]


def test_an_endless_line_is_refused(read, monkeypatch):
    monkeypatch.setattr("w2v.files.word2vec_format._MAX_LINE", 50)
    with pytest.raises(FormatError, match="line 2: longer than 50 bytes"):
        read(b"1 1\n" + b"x" * 100, block=10)


def test_errors_of_the_disk_are_not_blamed_on_the_file(tmp_path, monkeypatch):
    class Broken(gzip.GzipFile):
        def readinto(self, room):
            raise OSError(5, "Input/output error")

    (tmp_path / "v.gz").write_bytes(gzip.compress(GENSIM_TEXT))
    monkeypatch.setattr("gzip.open", lambda path, mode: Broken(path, mode))
    with pytest.raises(OSError, match="Input/output error"):
        read_word2vec(tmp_path / "v.gz")


def parsed(text, dtype):
    values, spans = np.empty((1, 1), dtype), np.empty((1, 2), np.int64)
    rows, _, why = _rows.parse_lines(b"a " + text + b"\n", 0, values, spans)
    return (values[0, 0] if rows else None), why


@settings(deadline=None, max_examples=2000)
@given(
    st.one_of(
        st.floats(width=32).map(lambda x: str(np.float32(x))),
        st.floats().map(repr),
        st.from_regex(r"[-+]?[0-9]{0,22}(\.[0-9]{0,24})?([eE][-+]?[0-9]{1,5})?", fullmatch=True),
        st.tuples(st.integers(2**53 - 9, 2**53 + 9), st.integers(-24, 24)).map(lambda x: f"{x[0]}e{x[1]}"),
        # Half way between two float32, give or take: rounding through float64 shows here.
        st.tuples(st.integers(2**24, 2**25), st.integers(-45, 20), st.sampled_from(["", "0000000001"])).map(
            lambda x: f"{(2 * x[0] + 1) * 2.0 ** x[1]:.40f}" + x[2]
        ),
    )
)
@example("1.00000005960464477540")
@example("340282356779733661637539395458142568448")
def test_numbers_are_rounded_as_numpy_rounds_them(text):
    try:
        exact = float(text)
    except ValueError:
        assert parsed(text.encode(), np.float32) == (None, _rows.ROW_ODD)
        return
    for dtype in (np.float32, np.float64):
        with np.errstate(over="ignore"):
            due = dtype(exact)
        value, why = parsed(text.encode(), dtype)
        if np.isfinite(due):
            assert value.tobytes() == due.tobytes() == dtype(text).tobytes()
        else:
            assert (value, why) == (None, _rows.ROW_NOT_FINITE)


@pytest.mark.parametrize(
    "text", ["1_0", "0x10", "1.5f", "1e", "1e+", ".", "-", "+-1", "--1", "1,5", "1\t2", "\t1", "١", "1 "]
)
def test_malformed_numbers_are_rejected(text):
    assert parsed(text.encode() + b" 2", np.float32) == (None, _rows.ROW_ODD)


def test_skipped_rows_are_listed_with_their_place_and_reason(tmp_path):
    path = tmp_path / "v"
    path.write_bytes(b"7 2\na 1 2\nb 1\na 3 4\nc nan 1\n\n 5 6\nd 7 8\ne 9 1\n")
    for block in (3, 1 << 20):
        index, vectors, skipped = read_word2vec(path, errors="skip", block=block)
        assert index == {"a": 0, "d": 1, "e": 2}
        assert vectors.tolist() == [[1, 2], [7, 8], [9, 1]]
        assert sorted(skipped) == [
            (3, "not 2 numbers after the word"),
            (4, "the word 'a' occurs a second time"),
            (5, "a NaN or an infinity in the vector of 'c'"),
            (6, "an empty line"),
            (7, "a row without a word"),
        ]
    value, nan = np.float32(1).tobytes(), np.float32(np.nan).tobytes()
    path.write_bytes(b"5 1\na " + value + b"b " + nan + b"a " + value + b" " + value + b"c " + value)
    for dtype in (np.float32, np.float16):
        index, vectors, skipped = read_word2vec(path, binary=True, errors="skip", dtype=dtype)
        assert index == {"a": 0, "c": 1}
        assert vectors.tolist() == [[1], [1]]
        assert sorted(place for place, _ in skipped) == [10, 16, 22]


def test_many_rows_skipped_anywhere_leave_the_others_in_order(tmp_path):
    path, rng = tmp_path / "v", np.random.default_rng(3)
    kinds = rng.choice(["good", "again", "short", "nan"], 20_000, p=[0.7, 0.1, 0.1, 0.1])
    values = {"good": "w{0} {0} 1", "again": "w0 0 1", "short": "w{0} {0}", "nan": "w{0} {0} nan"}
    kinds[0] = "good"
    lines = [values[kind].format(i) for i, kind in enumerate(kinds)]
    path.write_text(f"{len(lines)} 2\n" + "\n".join(lines))
    good = np.flatnonzero(kinds == "good")
    for block in (1000, 1 << 20):
        index, vectors, skipped = read_word2vec(path, errors="skip", block=block)
        assert list(index) == [f"w{i}" for i in good]
        assert vectors[:, 0].tolist() == good.tolist()
        assert [place for place, _ in skipped] == (np.flatnonzero(kinds != "good") + 2).tolist()


def test_empty_lines_take_no_memory(tmp_path):
    path = tmp_path / "v"
    path.write_bytes(b"1 2\na 1 2\n" + b"\n" * (1 << 20))
    tracemalloc.start()
    try:
        assert list(read_word2vec(path).rows) == ["a"]
        assert tracemalloc.get_traced_memory()[1] < 40 << 20  # the buffer alone has 16
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("errors", ["strict", "skip"])
def test_a_binary_word_over_the_limit_is_rejected(errors, tmp_path):
    """This holds also where the end of a block cuts its vector."""
    most, values = 1 << 20, np.ones(100, np.float32).tobytes()
    for extra in (0, 1):
        rows = [b"%d " % i + values for i in range(18_000)] + [b"w" * (most + extra) + b" " + values]
        (tmp_path / "v").write_bytes(b"%d 100\n" % len(rows) + b"".join(rows))
        if extra:
            with pytest.raises(FormatError, match=r"no blank after 1,048,576 bytes"):
                read_word2vec(tmp_path / "v", binary=True, errors=errors)
        else:
            assert len(read_word2vec(tmp_path / "v", binary=True, errors=errors).rows) == len(rows)


@pytest.mark.parametrize("word", [b"w" * ((1 << 20) + 1), b"aa " * 400_000 + b"aa"], ids=["one", "of blanks"])
def test_a_text_word_over_the_limit_is_rejected(word, tmp_path):
    (tmp_path / "v").write_bytes(b"2 2\na 1 2\n" + word + b" 1 2\n")
    with pytest.raises(FormatError, match="line 3"):
        read_word2vec(tmp_path / "v")
    assert list(read_word2vec(tmp_path / "v", errors="skip").rows) == ["a"]
    (tmp_path / "counts").write_bytes(b"a 2\n" + word + b" 1\n")
    with pytest.raises(FormatError, match="line 2"):
        read_counts(tmp_path / "counts")


def test_a_word_with_a_blank_survives_text_with_a_warning(tmp_path, caplog):
    words, path = ["('1', '2')", "b", "a -x 1e", ". . ."], tmp_path / "edges.txt"
    vectors = KeyedVectors.from_arrays(words, np.eye(4, 2, dtype=np.float32))
    vectors.save_word2vec_format(path)
    assert path.read_text() == "4 2\n('1', '2') 1.0 0.0\nb 0.0 1.0\na -x 1e 0.0 0.0\n. . . 0.0 0.0\n"
    assert "3 words have a blank in them" in caplog.text
    for block in (1, 20, 1 << 20):
        for dtype in (np.float32, np.float16):
            found = read_word2vec(path, block=block, dtype=dtype)
            assert list(found.rows) == words
            assert found.vectors.tolist() == vectors.vectors.tolist()
    path.write_text("2 2\na b 1 nan\na c 1 2\n")
    assert read_word2vec(path, errors="skip").skipped == [(2, "a NaN or an infinity in the vector of 'a'")]


@pytest.mark.parametrize("word", ["a 1", "a ", " a", "a  b", "a nan", "a b 1_0", "a b\t"])
def test_a_blank_that_hides_where_a_word_ends_is_not_written(tmp_path, word):
    with pytest.raises(ValueError, match="white space"):
        write_word2vec(tmp_path / "x", [word, "a"], VECTORS, [0, 1], header=2)
    with pytest.raises(ValueError, match="white space"):
        write_word2vec(tmp_path / "x", ["a b", "a"], VECTORS, [0, 1], header=2, binary=True)
    with pytest.raises(ValueError, match="first word must have no blank"):
        write_word2vec(tmp_path / "x", ["a b", "a"], VECTORS, [0, 1])
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "vectors", "options", "message"),
    [
        (["a", "b", "a"], np.ones((3, 1)), {}, "the word 'a' occurs twice"),
        (["a", "b" * (1 << 20) + "b"], VECTORS, {}, "a word of 1,048,577 bytes"),
        (["a", "b"], np.array([[1], [1e39]]), {"binary": True}, "vector of 'b' holds a NaN or an infinity"),
        (["a", "b"], np.ones((2, 0)), {}, "size 0"),
        (["a", "b"], VECTORS, {"binary": True, "header": None}, "a binary file without a header"),
        (["a", "b"], VECTORS, {"fvocab": "x", "counts": [1, 1]}, "choose two files"),
        (["a", "b"], VECTORS, {"fvocab": "y", "counts": [1, 0.5]}, "0.5, of the word 'b', is no count"),
        (["a", "b"], VECTORS, {"fvocab": "y", "counts": [1, -1]}, "-1, of the word 'b', is no count"),
        (["a", "b"], VECTORS, {"fvocab": "y", "counts": [1, 2**63]}, "is no count"),
    ],
)
def test_files_that_no_reader_would_take_are_not_written(tmp_path, monkeypatch, words, vectors, options, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        write_word2vec("x", words, vectors, range(len(words)), **({"header": len(words)} | options))
    assert not os.listdir(tmp_path)


def test_no_words_need_a_header(tmp_path):
    for binary in (False, True):
        write_word2vec(tmp_path / "x", [], VECTORS[:0], [], header=0, binary=binary)
        assert read_word2vec(tmp_path / "x", binary=binary).vectors.shape == (0, 2)
    for options in ({}, {"header": 0, "fvocab": tmp_path / "y"}):
        with pytest.raises(ValueError, match="an empty file could not be read back"):
            write_word2vec(tmp_path / "x", [], VECTORS[:0], [], **options)
    (tmp_path / "y").write_bytes(b"")
    with pytest.raises(TruncatedError, match="y: an empty file"):
        read_counts(tmp_path / "y")


def test_the_longest_word_comes_back(tmp_path):
    words = ["b" * (1 << 20), "a"]
    for binary in (False, True):
        write_word2vec(tmp_path / "x", words, VECTORS, [0, 1], header=2, binary=binary)
        assert list(read_word2vec(tmp_path / "x", binary=binary).rows) == words


def test_words_that_cannot_be_decoded_can_be_skipped(read, tmp_path):
    value = np.float32(1).tobytes()
    text = b"4 1\na 1\n\xff 1\na 2\nb 1\n"
    packed = b"4 1\na " + value + b"\xff " + value + b"a " + value + b"b " + value
    for data, options, places in [(text, {}, [3, 4]), (packed, {"binary": True}, [10, 16])]:
        (tmp_path / "file").write_bytes(data)
        found = read_word2vec(tmp_path / "file", errors="skip", **options)
        assert list(found.rows) == ["a", "b"]
        assert found.vectors.tolist() == [[1], [1]]
        assert found.skipped[0] == (places[0], "the word b'\\xff' is not utf-8")
        assert [place for place, _ in found.skipped] == places
    with pytest.raises(FormatError, match="in the vector of '\\\\\\\\xff'"):  # not an error about the error
        read(b"1 1\n\xff nan\n")


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_a_bomb_stops_where_no_file_of_vectors_would_be(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr("w2v.files.reading.MOST_UNPACKED", 1 << 20)
    path = tmp_path / f"bomb{suffix}"
    pack = codec_of(path).compress
    rows = b"".join(b"%d 0\n" % i for i in range(1 << 19))
    for data, options in [
        (b"1 1\n" + bytes(1 << 23), {}),  # a line without an end
        (b"1 1\n" + b"\n" * (1 << 23), {}),  # empty lines
        (b"9 1\n" + bytes(1 << 23), {"binary": True}),
        (b"a 0\n" + b"a 0\n" * (1 << 21), {"no_header": True, "errors": "skip"}),
    ]:
        path.write_bytes(pack(data))
        with pytest.raises(FormatError, match=r"unpacks to more than|no blank after"):
            read_word2vec(path, block=1 << 16, **options)
    with pytest.raises(FormatError, match="unpacks to more than"):
        read_counts(path)
    monkeypatch.setattr("w2v.files.reading.MOST_UNPACKED", 0)
    path.write_bytes(pack(rows))  # what shrinks as vectors do is no bomb
    assert len(read_word2vec(path, no_header=True).rows) == 1 << 19


@pytest.mark.parametrize("binary", [False, True])
def test_memory_is_bounded_by_the_file(tmp_path, binary):
    import tracemalloc

    vectors = np.random.default_rng(1).standard_normal((200, 100)).astype(np.float32)
    path = tmp_path / "v.gz"
    write_word2vec(path, [f"w{i}" for i in range(200)], vectors, range(200), binary=binary, header=10**12)
    tracemalloc.start()
    with pytest.raises(TruncatedError):
        read_word2vec(path, binary=binary, block=1 << 16)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * path.stat().st_size


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (b"a 1\n" + b"\n" * 9000, {"no_header": True}),
        (b"9000 1\n" + b"b x\n" * 9000, {"errors": "skip"}),
        (b"9000 1\n" + b"b \0\0\xc0\x7f" * 9000, {"errors": "skip", "binary": True}),
    ],
)
def test_odd_rows_are_not_handed_to_a_thread_one_by_one(tmp_path, monkeypatch, data, options):
    handed_over = []
    real = ThreadPoolExecutor.submit
    monkeypatch.setattr(ThreadPoolExecutor, "submit", lambda *args: handed_over.append(1) or real(*args))
    (tmp_path / "file").write_bytes(data)
    read_word2vec(tmp_path / "file", **options)
    assert len(handed_over) < 10
