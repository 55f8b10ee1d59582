"""Counts of words that meet: the twin's, for any number of threads, blocks and runs on disk."""

import tempfile

import numpy as np
import pytest
from corpora import zipf_like
from count_twins import pair_counts
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v.counts import _meetings, cooccurrence, ppmi
from w2v.tokens.encode import Encoded


def encoded(sentences):
    """Sentences of numbers as a corpus."""
    tokens = np.array([word for sentence in sentences for word in sentence], np.int32)
    return Encoded(tokens, np.cumsum([0, *map(len, sentences)]).astype(np.int64), len(tokens))


def in_numbers(sentences):
    words = {word: number for number, word in enumerate(sorted({word for sentence in sentences for word in sentence}))}
    return [[words[word] for word in sentence] for sentence in sentences], len(words)


def dense(rows, words):
    return ppmi.as_matrix(rows, words).toarray()


def twin(sentences, words, window, shrink):
    matrix = np.zeros((words, words), np.int64)
    for pair, count in pair_counts(sentences, window, shrink).items():
        matrix[pair] = count
    return matrix


@pytest.mark.parametrize("shrink", [False, True])
@pytest.mark.parametrize("window", [1, 2, 5, 40])
def test_counts_are_those_of_the_twin(window, shrink):
    sentences, words = in_numbers(zipf_like(1000))
    found = cooccurrence.count([encoded(sentences)], words, window, shrink, 2)
    assert found.counts.dtype == np.int64
    np.testing.assert_array_equal(dense(found, words), twin(sentences, words, window, shrink))


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
@pytest.mark.parametrize("division", [{}, {"block": 101}, {"room": 64}, {"limit": 0}, {"block": 64, "limit": 4000}])
def test_nothing_depends_on_threads_blocks_and_limits(threads, division):
    sentences, words = in_numbers(zipf_like(1500))
    usual = cooccurrence.count([encoded(sentences)], words, 4, True, 1)
    found = cooccurrence.count([encoded(sentences)], words, 4, True, threads, **division)
    for one, other in zip(usual, found, strict=True):
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()


LINES = st.lists(st.lists(st.integers(0, 6), max_size=9), max_size=12)


@settings(max_examples=60, deadline=None)
@given(LINES, st.integers(1, 12), st.booleans(), st.integers(1, 30))
def test_any_corpus_has_the_counts_of_the_twin(sentences, window, shrink, block):
    corpus = encoded(sentences)
    found = cooccurrence.count([corpus], 7, window, shrink, 2, block=block, limit=block * 20)
    matrix = dense(found, 7)
    np.testing.assert_array_equal(matrix, twin(sentences, 7, window, shrink))
    np.testing.assert_array_equal(matrix, matrix.T)
    assert matrix.sum() == cooccurrence.total(corpus.offsets, window, shrink)


def test_a_corpus_in_parts_is_the_corpus():
    sentences, words = in_numbers(zipf_like(800))
    whole = cooccurrence.count([encoded(sentences)], words, 3, False, 1)
    parts = (encoded(sentences[at : at + 7]) for at in range(0, len(sentences), 7))
    found = cooccurrence.count(parts, words, 3, False, 2)
    assert [part.tobytes() for part in found] == [part.tobytes() for part in whole]


def test_the_total_of_one_sentence_is_counted_by_hand():
    # Of a b c d: distances 1 three times, 2 twice, 3 once, both ways.
    offsets = np.array([0, 4], np.int64)
    assert cooccurrence.total(offsets, 3, False) == 2 * (3 + 2 + 1)
    assert cooccurrence.total(offsets, 3, True) == 2 * (3 * 3 + 2 * 2 + 1 * 1)
    assert cooccurrence.total(offsets, 100, True) == 2 * (3 * 100 + 2 * 99 + 1 * 98)


def test_rows_of_a_large_vocabulary_are_in_order():
    words = 300_000  # three levels of the tree of bits
    places = np.array([0, 63, 64, 4095, 4096, 262_143, 262_144, words - 1], np.int32)
    found = cooccurrence.count([encoded([places[[3, 0, 7, 5, 1, 6, 2, 4]].tolist()])], words, 10, False, 1)
    for row in places:
        begin, end = found.begins[row : row + 2]
        assert found.columns[begin:end].tolist() == [place for place in places if place != row]
    assert found.begins[-1] == 8 * 7


def test_counts_beyond_64_bits_are_refused():
    corpus = Encoded(np.zeros(4, np.int32), np.array([0, 2**40], np.int64), 4)
    with pytest.raises(ValueError, match="beyond 64 bits"):
        cooccurrence.count([corpus], 1, 2**30, True, 1)


def test_counts_go_beyond_32_bits():
    begins, columns = np.array([0, 1], np.int64), np.zeros(1, np.int32)
    runs = [cooccurrence.Rows(begins, columns, np.array([2**40], np.int64))] * 3
    ends, made = np.zeros(1, np.int64), np.zeros(1, np.int64)
    parts = [[getattr(run, name) for run in runs] for name in ("begins", "columns", "counts")]
    _meetings.add_rows(*parts, 1, 0, 1, ends, np.zeros(1, np.int32), made)
    assert made.tolist() == [3 * 2**40]


def test_a_full_disk_is_an_error_with_a_way_out(monkeypatch):
    full = open("/dev/full", "r+b", buffering=0)  # noqa: SIM115 - the spool closes it
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: full)
    sentences, words = in_numbers(zipf_like(300))
    with pytest.raises(OSError, match=r"counts of words that meet.*TMPDIR.*min_count"):
        cooccurrence.count([encoded(sentences)], words, 3, False, 1, limit=0)


def test_sentences_are_counted_as_bags_of_words():
    sentences, words = in_numbers(zipf_like(700))
    sentences[3] = []
    wanted = np.array([np.bincount(np.array(sentence, int), minlength=words) for sentence in sentences])
    for threads in (1, 3):
        found = cooccurrence.count_sentences(encoded(sentences), words, threads, room=50)
        np.testing.assert_array_equal(dense(found, words), wanted)
