import enum
import os
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v import encode, vocab

words = st.text(alphabet="abcde", min_size=1, max_size=2)
corpora = st.lists(st.lists(words, max_size=8), max_size=12)


def read_back(encoded, index):
    names = {number: word for word, number in index.items()}
    spans = zip(encoded.offsets[:-1], encoded.offsets[1:], strict=True)
    return [[names[int(token)] for token in encoded.tokens[a:b]] for a, b in spans]


@settings(max_examples=200, deadline=None)
@given(corpora, st.integers(1, 3), st.sampled_from([0, 8, float("inf")]), st.integers(1, 40), st.integers(1, 5))
def test_encoding_gives_back_the_sentences_without_the_words_dropped(corpus, min_count, limit, block, step):
    """Whatever the sizes of blocks, and in memory, on disk, or moving to disk on the way."""
    before = encode.BLOCK_TOKENS, encode.STEP
    encode.BLOCK_TOKENS, encode.STEP = block, step
    try:
        scan = encode.Scan(corpus, False, cache_bytes=limit)
        assert scan.counts == Counter(word for sentence in corpus for word in sentence)
        assert list(scan.counts) == list(dict.fromkeys(word for sentence in corpus for word in sentence))
        kept, _ = vocab.select(scan.counts, min_count, None, True)
        index = {word: number for number, word in enumerate(kept)}
        expected = [[word for word in sentence if word in index] for sentence in corpus]
        encoded = scan.encoded(index)
        assert read_back(encoded, index) == expected
        assert encoded.raw_words == scan.raw_words == sum(map(len, corpus))
        assert len(encoded.offsets) == len(corpus) + 1
        assert (encoded.tokens.dtype, encoded.offsets.dtype) == (np.int32, np.int64)
        again = encode.encode(corpus, False, index, limit)
        assert read_back(again, index) == expected
        pieces = list(encode.whole_batches(corpus, False, index, block))
        assert [sentence for piece in pieces for sentence in read_back(piece, index)] == expected
        assert sum(piece.raw_words for piece in pieces) == scan.raw_words
    finally:
        encode.BLOCK_TOKENS, encode.STEP = before


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
def test_max_vocab_size_counts_like_the_definition_and_loses_no_token(corpus, limit):
    scan = encode.Scan(corpus, False, max_vocab_size=limit)
    assert scan.counts == pruned_by_hand(corpus, limit)
    index = {word: number for number, word in enumerate(scan.counts)}
    expected = [[word for word in sentence if word in index] for sentence in corpus]
    assert read_back(scan.encoded(index), index) == expected


def test_pruning_asks_the_trim_rule():
    rule = lambda word, count, min_count: vocab.RULE_KEEP if word == "a" else vocab.RULE_DEFAULT  # noqa: E731
    corpus = [["a", "b"], ["c", "d"], ["e", "f"]]
    assert "a" in encode.Scan(corpus, False, max_vocab_size=1, trim_rule=rule).counts
    assert "a" not in encode.Scan(corpus, False, max_vocab_size=1).counts


def test_a_file_is_read_like_its_lines(tmp_path):
    path = tmp_path / "text"
    path.write_text("a b a\n\nc\u3000a\n")
    scan = encode.Scan(path, True)
    assert (scan.counts, scan.sentences) == ({"a": 3, "b": 1, "c": 1}, 2)
    index = {"a": 0, "c": 1}
    assert read_back(scan.encoded(index), index) == [["a", "a"], ["c", "a"]]


def test_the_disk_cache_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    scan = encode.Scan([["a", "b"]] * 100, False, cache_bytes=0)
    assert os.listdir(tmp_path) == [], "the file has no name even while it is used"
    encoded = scan.encoded({"a": 0, "b": 1})
    assert encoded.tokens.tolist() == [0, 1] * 100
    encoded.forget_pages()
    assert encoded.tokens.tolist() == [0, 1] * 100


def test_words_that_are_subclasses_of_str_become_str():
    scan = encode.Scan([np.array(["x", "y"])], False)
    assert [type(word) for word in scan.counts] == [str, str]


def test_words_that_call_themselves_something_else_are_counted_as_what_they_are():
    class Colour(str, enum.Enum):  # noqa: UP042 - str() of a member is not its value
        RED = "red"

    scan = encode.Scan([[Colour.RED, "red", Colour.RED]], False)
    assert scan.counts == {"red": 3}
    assert [type(word) for word in scan.counts] == [str]


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
def test_what_is_not_a_list_of_tokens_is_named(corpus, message):
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
