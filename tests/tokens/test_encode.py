import enum
import os
from collections import Counter
from pydoc_data.topics import topics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v import LineSentence, PathLineSentences, Text8Corpus
from w2v.files import reading
from w2v.text.corpus import Corpus
from w2v.tokens import encode, stream
from w2v.tokens import words as numbering
from w2v.tokens.spool import Spool
from w2v.vocabulary import choose

words = st.text(alphabet="abcde", min_size=1, max_size=2)
corpora = st.lists(st.lists(words, max_size=8), max_size=12)


def read_back(encoded, index):
    names = {number: word for word, number in index.items()}
    spans = zip(encoded.offsets[:-1], encoded.offsets[1:], strict=True)
    return [[names[int(token)] for token in encoded.tokens[a:b]] for a, b in spans]


def counted(scan):
    return dict(zip(scan.words(), scan.counts.tolist(), strict=True))


@settings(max_examples=200, deadline=None)
@given(corpora, st.integers(1, 3), st.sampled_from([0, 8, float("inf")]), st.integers(1, 40))
def test_encoding_keeps_sentences_minus_dropped_words(corpus, min_count, limit, block):
    """Whatever the size of blocks, and in memory, on disk, or moving to disk on the way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "BLOCK_TOKENS", block)
        agree_on(corpus, corpus, False, min_count, limit, block, threads=1)


def agree_on(source, corpus, is_path, min_count, limit, size, threads):
    """Scan, encode and stream `source`, which holds the sentences `corpus`, and compare with those."""
    scan = encode.Scan(source, is_path, cache_bytes=limit, threads=threads)
    assert counted(scan) == Counter(word for sentence in corpus for word in sentence)
    assert scan.words() == list(dict.fromkeys(word for sentence in corpus for word in sentence))
    kept = scan.words(choose.select(scan.counts, min_count, True))
    index = {word: number for number, word in enumerate(kept)}
    expected = [[word for word in sentence if word in index] for sentence in corpus]
    encoded = scan.encode(index)
    assert read_back(encoded, index) == expected
    assert encoded.text_words == scan.text_words == sum(map(len, corpus))
    assert scan.sentences == len(corpus)
    assert (encoded.tokens.dtype, encoded.offsets.dtype) == (np.int32, np.int64)
    again = encode.encode(source, is_path, index, limit, threads)
    assert read_back(again, index) == expected
    pieces = list(stream.whole_batches(source, is_path, index, size, threads))
    assert [sentence for piece in pieces for sentence in read_back(piece, index)] == expected
    assert sum(piece.text_words for piece in pieces) == scan.text_words


# Blanks of one, two and three bytes, characters that look like them, and both kinds of line ends.
texts = st.text(
    alphabet=st.sampled_from(
        "aaabb \n\t\r\x0b\x1c\x1f\x85\xa0\u1680\u2003\u2028\u202f\u205f\u3000\u200b\ufeffé\u20ac😀\0"
    ),
    max_size=150,
)


@settings(max_examples=400, deadline=None)
@given(texts, st.integers(1, 70), st.integers(1, 3), st.sampled_from([1, 2, 3, float("inf")]), st.data())
def test_text_in_c_is_read_like_text_in_python(tmp_path_factory, text, block, threads, longest, data):
    path = tmp_path_factory.getbasetemp() / f"text-{os.getpid()}"
    path.write_bytes(text.encode())
    text = text.removeprefix("\ufeff")  # a byte-order mark
    lines = [line.split() for line in text.split("\n") if line.split()]
    reader = data.draw(st.sampled_from(["path", "lines", "text8", "folder"]))
    source, expected = path, lines
    if reader in ("lines", "folder"):
        source = LineSentence(path, longest) if reader == "lines" else PathLineSentences(path, longest)
        step = min(longest, 1000)
        expected = [line[i : i + step] for line in lines for i in range(0, len(line), step)]
    elif reader == "text8":
        source = Text8Corpus(path, min(longest, 1000))
        words, step = text.split(), min(longest, 1000)
        expected = [words[i : i + step] for i in range(0, len(words), step)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("w2v.text.readers.BLOCK", block)
        assert numbering.tokenizable(source, reader == "path") is not None
        agree_on(source, expected, reader == "path", 1 + threads // 3, float("inf"), block, threads)
        if reader != "path":
            assert list(source) == expected


def test_real_text_in_c_is_read_like_text_in_python(tmp_path):
    path = tmp_path / "topics.txt"
    path.write_text("\n".join(topics.values()), encoding="utf-8")
    expected = [line.split() for line in path.read_text().split("\n") if line.split()]
    assert sum(map(len, expected)) > 50_000
    for threads in (1, 2, 5):
        agree_on(path, expected, True, 2, float("inf"), 1000, threads)


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_compressed_text_takes_the_same_way(tmp_path, ending):
    path = tmp_path / f"text{ending}"
    path.write_bytes(reading.codec_of(path).compress("a b a\n\nc\u3000a".encode() * 3))
    assert numbering.tokenizable(path, True) is not None
    scan = encode.Scan(path, True)
    assert (counted(scan), scan.sentences) == ({"a": 5, "b": 3, "c": 3, "aa": 2}, 4)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(OSError, match=rf"text\{ending}, it may be damaged or cut short"):
        encode.Scan(path, True)


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 20])
@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"\xff", 0),
        (b"some words \xe9 and more", 11),
        (b"a" * 70 + b"\xe2\x82 cut", 70),
        (b"surrogate \xed\xa0\x80", 10),
        (b"too long \xc0\x80", 9),
        (b"beyond \xf4\x90\x80\x80", 7),
        (b"cut off at the end \xf0\x9f\x98", 19),
        (b"\xe3\x80\x80 fine \x80", 9),
    ],
)
def test_bytes_that_are_not_utf8_are_named_as_python_names_them(tmp_path, monkeypatch, data, offset, block):
    monkeypatch.setattr("w2v.text.readers.BLOCK", block)
    path = tmp_path / "latin1"
    path.write_bytes(data)
    with pytest.raises(UnicodeDecodeError) as python:
        list(LineSentence(path))
    for threads in (1, 2):
        with pytest.raises(UnicodeDecodeError, match=rf"at byte {offset} of .*latin1; is it UTF-8") as found:
            encode.Scan(path, True, threads=threads)
    assert found.value.reason == python.value.reason


def test_a_word_without_end_is_refused_wherever_it_stands(tmp_path, monkeypatch):
    monkeypatch.setattr("w2v.text.readers.LONGEST_WORD", 50)
    monkeypatch.setattr("w2v.text.units.LONGEST_WORD", 50)
    path = tmp_path / "text"
    for block in (10, 1000):
        monkeypatch.setattr("w2v.text.readers.BLOCK", block)
        path.write_text("fits " + "é" * 25 + " end")
        assert encode.Scan(path, True).text_words == 3
        path.write_text("fits " + "é" * 25 + "x end")
        with pytest.raises(ValueError, match="a word of more than 50 bytes"):
            encode.Scan(path, True)


def test_readers_that_are_changed_or_limited_are_iterated(tmp_path):
    class Lower(LineSentence):
        def __iter__(self):
            for sentence in super().__iter__():
                yield [word.lower() for word in sentence]

    path = tmp_path / "text"
    path.write_text("A b\nB\n")
    assert counted(encode.Scan(Lower(path), False)) == {"a": 1, "b": 2}
    assert counted(encode.Scan(LineSentence(path, limit=1), False)) == {"A": 1, "b": 1}
    with path.open("rb") as file:
        assert counted(encode.Scan(LineSentence(file), False)) == {"A": 1, "b": 1, "B": 1}


def pruned_by_hand(corpus, limit):
    """Counting under max_vocab_size, one sentence at a time."""
    counts, min_reduce = {}, 1
    for sentence in corpus:
        for word in sentence:
            counts[word] = counts.get(word, 0) + 1
        if len(counts) > limit:
            counts = {word: count for word, count in counts.items() if count >= min_reduce}
            min_reduce += 1
    return counts


@settings(max_examples=200, deadline=None)
@given(corpora, st.integers(1, 6))
def test_max_vocab_size_matches_its_definition_and_keeps_tokens(corpus, limit):
    scan = encode.Scan(corpus, False, max_vocab_size=limit)
    assert counted(scan) == pruned_by_hand(corpus, limit)
    index = {word: number for number, word in enumerate(scan.words())}
    expected = [[word for word in sentence if word in index] for sentence in corpus]
    assert read_back(scan.encode(index), index) == expected


def test_pruning_asks_the_trim_rule():
    rule = lambda word, count, min_count: choose.RULE_KEEP if word == "a" else choose.RULE_DEFAULT  # noqa: E731
    corpus = [["a", "b"], ["c", "d"], ["e", "f"]]
    assert "a" in encode.Scan(corpus, False, max_vocab_size=1, trim_rule=rule).words()
    assert "a" not in encode.Scan(corpus, False, max_vocab_size=1).words()


def test_a_file_is_read_like_its_lines(tmp_path):
    path = tmp_path / "text"
    path.write_text("a b a\n\nc\u3000a\n")
    scan = encode.Scan(path, True)
    assert (counted(scan), scan.sentences) == ({"a": 3, "b": 1, "c": 1}, 2)
    index = {"a": 0, "c": 1}
    assert read_back(scan.encode(index), index) == [["a", "a"], ["c", "a"]]


def test_the_disk_cache_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    scan = encode.Scan([["a", "b"]] * 100, False, cache_bytes=0)
    assert os.listdir(tmp_path) == [], "the file has no name even while it is used"
    encoded = scan.encode({"a": 0, "b": 1})
    assert encoded.tokens.tolist() == [0, 1] * 100
    encoded.forget_pages()
    assert encoded.tokens.tolist() == [0, 1] * 100


def test_words_that_are_subclasses_of_str_become_str():
    scan = encode.Scan([np.array(["x", "y"])], False)
    assert [type(word) for word in scan.words()] == [str, str]


def test_str_subclasses_count_by_their_characters():
    class Colour(str, enum.Enum):  # noqa: UP042 - str() of a member is not its value
        RED = "red"

    scan = encode.Scan([[Colour.RED, "red", Colour.RED]], False)
    assert counted(scan) == {"red": 3}
    assert [type(word) for word in scan.words()] == [str]


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ([["a", 1]], "tokens must be str, not int: got 1"),
        ([["a", b"b"]], "not bytes.*decode it"),
        ([["a", None]], "not NoneType"),
        ([[["a"]]], "nested one level too deep"),
        (["a sentence"], "sentence 0 is 'a sentence', not a list of tokens"),
        ([["a"], None], "sentence 1 is None"),
        ([["a"], 7], "sentence 1 is 7"),
    ],
)
def test_a_malformed_sentence_is_named(corpus, message):
    with pytest.raises(TypeError, match=message):
        encode.Scan(corpus, False)
    with pytest.raises(TypeError, match=message):
        encode.encode(corpus, False, {"a": 0}, 1e9)


def test_an_error_of_the_corpus_is_passed_on():
    def broken():
        yield ["a"]
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        encode.Scan(broken(), False)


def test_a_mapped_corpus_is_read_in_blocks_and_its_pages_freed(monkeypatch):
    forgotten = []
    monkeypatch.setattr(encode, "BLOCK_MAPPED", 100)
    monkeypatch.setattr(encode.Encoded, "forget_pages", lambda part: forgotten.append(len(part.tokens)))
    part = encode.Encoded(np.arange(250, dtype=np.int32), np.array([0, 250]), 250)
    blocks = list(part.blocks())
    assert [len(block) for block in blocks] == [100, 100, 50]
    assert np.array_equal(np.concatenate(blocks), part.tokens)
    assert len(forgotten) == 3


@pytest.mark.parametrize("limit", [0, float("inf")])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_tokens_that_several_threads_renumber_stay_in_order(tmp_path, monkeypatch, limit, threads):
    """Of blocks that lose no word, some or all of them, in memory and on disk."""
    monkeypatch.setattr("w2v.text.readers.BLOCK", 20)
    path = tmp_path / "text"
    path.write_text("a b c a b c a b c\n" * 50 + "x x x x x x x\n" * 50 + "c\nx b\n" * 100)
    kept = {"a": 0, "b": 1, "c": 2}
    expected = [[word for word in line.split() if word in kept] for line in path.read_text().splitlines()]
    encoded = encode.Scan(path, True, cache_bytes=limit, threads=threads).encode(kept)
    assert read_back(encoded, kept) == expected


def test_a_spool_that_was_never_made_is_closed_in_silence():
    Spool.__new__(Spool).__del__()


@settings(max_examples=50, deadline=None)
@given(corpora, st.sampled_from([0, 8, float("inf")]), st.integers(1, 20))
def test_parts_that_are_put_together_are_what_encoding_makes(corpus, limit, size):
    index = {word: row for row, word in enumerate("abcde")}
    parts = stream.Collected(stream.whole_batches(corpus, False, index, size), limit)
    assert sum(part.text_words for part in parts) == sum(map(len, corpus))
    together, whole = parts.whole(), encode.encode(corpus, False, index, limit)
    assert together.tokens.tolist() == whole.tokens.tolist()
    assert together.offsets.tolist() == whole.offsets.tolist()
    assert together[2:] == whole[2:]


def test_pieces_of_a_file_tell_how_many_words_it_has(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "LARGE_TEXT", 100_000)
    monkeypatch.setattr(stream, "SAMPLE_BYTES", 1000)
    path = tmp_path / "text.txt"
    text = " ".join(f"über {number % 7} words\n" for number in range(20_000))
    path.write_text(text, "utf-8")
    index = {"über": 0, "3": 1, "4": 2}
    true = sum(word in index for word in text.split())
    assert stream.expected_tokens(Corpus(path, True), index) == pytest.approx(true, rel=0.03)
    assert stream.expected_tokens(Corpus(path, True), {"no": 0}) == 0
    assert stream.expected_tokens(Corpus([["über"]], False), index) is None
    assert stream.expected_tokens(Corpus(path.with_suffix(".gz"), True), index) is None
    monkeypatch.setattr(stream, "LARGE_TEXT", 1_000_000)
    assert stream.expected_tokens(Corpus(path, True), index) is None
