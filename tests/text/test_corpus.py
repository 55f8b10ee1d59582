import gzip
import io
import os
import time
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v import LineSentence, PathLineSentences, Text8Corpus
from w2v.files.reading import codec_of
from w2v.text import readers
from w2v.text.readers import read_pieces

TEXT = "one two\u3000three\n\n  four\tfive \n\x85six\x0cseven\nlast without newline"
EXPECTED = [["one", "two", "three"], ["four", "five"], ["six", "seven"], ["last", "without", "newline"]]


def whole_lines(pieces):
    lines, held = [], []
    for words, ends in pieces:
        held += words
        if ends:
            lines.append(held)
            held = []
    assert not held
    return lines


@pytest.mark.parametrize("ending", ["", ".gz", ".bz2", ".xz", ".zst"])
def test_plain_and_compressed_files_give_the_same_sentences(tmp_path, ending):
    path = tmp_path / f"text{ending}"
    path.write_bytes(codec_of(path).compress(TEXT.encode()) if ending else TEXT.encode())
    assert list(LineSentence(path)) == EXPECTED
    assert list(LineSentence(str(path))) == EXPECTED, "again, from the start"


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab \n\t\u3000\x85é😀\r", max_size=60), st.integers(1, 7))
def test_blocks_of_any_size_give_what_split_gives(text, block):
    class Slow(io.BytesIO):
        def read(self, _size=-1):
            return super().read(block)

    expected = [line.split() for line in text.split("\n") if line.split()]
    assert whole_lines(read_pieces(Slow(text.encode()))) == expected


def test_long_lines_are_split_and_nothing_is_dropped(tmp_path):
    path = tmp_path / "long"
    words = [str(i) for i in range(25)]
    path.write_text(" ".join(words) + "\nshort line\n")
    assert list(LineSentence(path, max_sentence_length=10)) == [
        words[:10],
        words[10:20],
        words[20:],
        ["short", "line"],
    ]
    assert list(chain.from_iterable(Text8Corpus(path, max_sentence_length=4))) == [*words, "short", "line"]
    assert max(map(len, Text8Corpus(path, max_sentence_length=4))) == 4


def test_a_line_longer_than_a_block_costs_bounded_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("w2v.text.readers.BLOCK", 64)
    path = tmp_path / "one_line"
    words = [f"w{i}" for i in range(1000)]
    path.write_text(" ".join(words))
    pieces = list(read_pieces(path))
    assert list(chain.from_iterable(part for part, _ in pieces)) == words
    assert [ends for _, ends in pieces] == [False] * (len(pieces) - 1) + [True]
    assert max(len(part) for part, _ in pieces) <= 64


def test_limit_counts_lines(tmp_path):
    path = tmp_path / "text"
    path.write_text("a b c\nd\ne\n")
    assert list(LineSentence(path, limit=2)) == [["a", "b", "c"], ["d"]]
    assert list(LineSentence(path, max_sentence_length=2, limit=1)) == [["a", "b"], ["c"]]


def test_a_file_object_is_read_from_its_beginning_every_time():
    source = LineSentence(io.BytesIO(b"a b\nc\n"))
    assert list(source) == list(source) == [["a", "b"], ["c"]]


def test_a_folder_is_read_in_order_of_names(tmp_path):
    (tmp_path / "2.txt").write_text("second\n")
    (tmp_path / "1.txt.gz").write_bytes(gzip.compress(b"first\n"))
    (tmp_path / "sub").mkdir()
    assert list(PathLineSentences(tmp_path)) == [["first"], ["second"]]
    assert list(PathLineSentences(tmp_path / "2.txt")) == [["second"]]
    with pytest.raises(ValueError, match=r"source='.*nothing' does not exist"):
        PathLineSentences(tmp_path / "nothing")


@pytest.mark.parametrize("prefix", [0, 5, 63, 64, 65, 200])
def test_bytes_that_are_not_utf8_are_named_by_offset(tmp_path, monkeypatch, prefix):
    monkeypatch.setattr("w2v.text.readers.BLOCK", 64)
    path = tmp_path / "latin1"
    path.write_bytes(b"x" * prefix + b"\xe9 and more text")
    with pytest.raises(UnicodeDecodeError, match=rf"at byte {prefix} of .*latin1; is it UTF-8"):
        list(LineSentence(path))


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_compressed_file_is_named(tmp_path, ending, damage):
    path = tmp_path / f"bad{ending}"
    data = bytearray(codec_of(path).compress(b"some words " * 1000))
    path.write_bytes(data[: len(data) // 2] if damage == "cut" else data[:20] + bytes(b ^ 255 for b in data[20:]))
    with pytest.raises(OSError, match=rf"bad\{ending}"):
        list(LineSentence(path))


def test_a_missing_decompressor_names_the_extra(tmp_path, monkeypatch):
    for module in ("backports.zstd", "compression.zstd"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(ModuleNotFoundError, match=r"w2v\[zstd\]"):
        list(LineSentence(tmp_path / "text.zst"))


@pytest.mark.parametrize("count", [3, 10_000])
def test_a_long_line_in_short_sentences_takes_no_longer(tmp_path, count):
    """Every sentence once copied the rest of the line."""
    path = tmp_path / "text"
    path.write_text("word " * 200_000)
    started = time.process_time()
    assert sum(map(len, LineSentence(path, max_sentence_length=count))) == 200_000
    assert time.process_time() - started < 5, "seconds, where it was minutes"


def test_a_file_without_blanks_is_refused(tmp_path):
    path = tmp_path / "binary"
    path.write_bytes(b"x" * (5 << 20))
    with pytest.raises(ValueError, match=r"a word of more than 1,048,576 bytes .*binary; is it text"):
        list(LineSentence(path))


@pytest.mark.parametrize("size", [1, 3, 1 << 20])
def test_a_file_opened_as_text_is_read(tmp_path, monkeypatch, size):
    monkeypatch.setattr("w2v.text.readers.BLOCK", size)
    path = tmp_path / "text"
    path.write_bytes(TEXT.encode("utf-16"))
    with path.open(encoding="utf-16") as file:
        source = LineSentence(file)
        assert list(source) == list(source) == EXPECTED
    assert list(LineSentence(io.StringIO(TEXT))) == EXPECTED
    assert list(LineSentence(io.StringIO(TEXT), max_sentence_length=2, limit=1)) == [["one", "two"], ["three"]]
    assert list(LineSentence(io.StringIO("\ufeffa b"), errors="replace")) == [["a", "b"]]


def test_a_source_must_be_a_path_or_a_file():
    with pytest.raises(TypeError, match="LineSentence reads a path or an open file, not list"):
        LineSentence([["a"]])


def test_paths_may_be_bytes(tmp_path):
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(b"a b\nc\n"))
    name = os.fsencode(path)
    assert list(LineSentence(name)) == list(PathLineSentences(name)) == [["a", "b"], ["c"]]
    assert list(Text8Corpus(name)) == [["a", "b", "c"]]
    (tmp_path / "brown").mkdir()
    (tmp_path / "brown" / "a").write_text("\ufeffThe/at jury/nn")
    assert list(readers.BrownCorpus(os.fsencode(tmp_path / "brown"))) == [["the/at", "jury/nn"]]


@pytest.mark.parametrize("path", ["a\ud800", "a\0b"])
def test_a_path_that_no_file_has_is_named_with_its_parameter(path):
    for reader, name in [(LineSentence, "source"), (PathLineSentences, "source"), (Text8Corpus, "fname")]:
        with pytest.raises(ValueError, match=rf"^{name}='a.* cannot be the name of a file"):
            reader(path)


@pytest.mark.parametrize("reader", [LineSentence, Text8Corpus])
def test_errors_distinguish_folders_from_missing_files(tmp_path, reader):
    with pytest.raises(IsADirectoryError, match=r"it is a folder, not a file; PathLineSentences"):
        list(reader(tmp_path))
    with pytest.raises(IsADirectoryError, match=r"it is a folder, not a file; PathLineSentences"):
        next(readers.read_blocks(tmp_path))
    with pytest.raises(FileNotFoundError, match="nothing"):
        list(reader(tmp_path / "nothing"))


@pytest.mark.parametrize("block", [1, 2, 4, 1 << 20])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_mark_of_utf8_is_no_part_of_the_text(tmp_path, monkeypatch, caplog, ending, block):
    monkeypatch.setattr("w2v.text.readers.BLOCK", block)
    caplog.set_level("INFO")
    path = tmp_path / f"text{ending}"
    data = "\ufeff\ufeffa b\nc \ufeff\n".encode()
    path.write_bytes(gzip.compress(data) if ending else data)
    expected = [["\ufeffa", "b"], ["c", "\ufeff"]]  # only the first one is a mark
    assert list(LineSentence(path)) == list(PathLineSentences(path)) == expected
    assert list(LineSentence(io.BytesIO(data), errors="replace")) == expected
    assert list(Text8Corpus(path)) == [["\ufeffa", "b", "c", "\ufeff"]]
    assert b"".join(text for text, _ in readers.read_blocks(path)) == data[3:]
    assert next(readers.read_blocks(path))[1] == 3
    assert all("byte-order mark at its beginning is left out" in message for message in caplog.messages)
    assert len(caplog.messages) == 6
    path.write_bytes(gzip.compress(data[:3]) if ending else data[:3])
    assert list(LineSentence(path)) == []
    path.write_bytes(gzip.compress(data[:3] + b"\xff") if ending else data[:3] + b"\xff")
    with pytest.raises(UnicodeDecodeError, match="at byte 3 of"):
        list(LineSentence(path))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("errors", ["strict", "replace"])
def test_the_mark_of_another_encoding_is_named(tmp_path, monkeypatch, encoding, errors):
    monkeypatch.setattr("w2v.text.readers.BLOCK", 3)
    path = tmp_path / "text"
    path.write_bytes("\ufeffa b".encode(encoding))
    name = encoding[:6].upper()
    for read in (
        LineSentence(path, errors=errors),
        PathLineSentences(path, errors=errors),
        Text8Corpus(path, errors=errors),
        readers.read_blocks(path),
        LineSentence(io.BytesIO(path.read_bytes()), errors=errors),
    ):
        with pytest.raises(
            UnicodeDecodeError, match=rf"byte-order mark of {name}, at byte 0 of .*encoding='{name.lower()}'"
        ):
            list(read)


def test_a_pipe_is_read_once_and_then_refused():
    reading, writing = os.pipe()
    os.write(writing, b"a b\nc\n")
    os.close(writing)
    with open(reading, "rb") as pipe:
        source = LineSentence(pipe)
        assert list(source) == [["a", "b"], ["c"]]
        with pytest.raises(OSError, match="can be read only once, and has been; write its text to a file"):
            list(source)


@pytest.mark.parametrize("reader", [LineSentence, Text8Corpus])
def test_a_sentence_length_below_one_is_refused(reader, tmp_path):
    with pytest.raises(ValueError, match="max_sentence_length=0"):
        reader(tmp_path, max_sentence_length=0)


@pytest.mark.parametrize("size", [1, 2, 3, 1 << 20])
def test_only_replaced_bytes_count_even_if_reading_ends_early(size, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("w2v.text.readers.BLOCK", size)
    path = tmp_path / "text"
    path.write_bytes("a \ufffd b\n".encode() * 3 + b"c \xff\n" + b"d\n" * 5)
    assert list(LineSentence(path, errors="replace", limit=5))[3:] == [["c", "\ufffd"], ["d"]]
    assert [record.getMessage().split(": ")[1][:7] for record in caplog.records] == ["1 times"]
