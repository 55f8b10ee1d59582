"""An index behind the same call: near to exact search, and it says how near."""

import sys

import numpy as np
import pytest

from w2v import KeyedVectors, SearchIndex


@pytest.fixture(scope="module")
def vectors():
    draw = np.random.default_rng(1)
    return KeyedVectors.from_arrays([f"w{row}" for row in range(600)], draw.normal(size=(600, 8)).astype(np.float32))


@pytest.fixture(scope="module")
def index(vectors):
    pytest.importorskip("usearch.index")
    return SearchIndex(vectors, threads=1)


def test_the_recall_is_what_queries_find(vectors, index):
    words = vectors.index_to_key[:300]
    exact, near = vectors.most_similar_batch(words), vectors.most_similar_batch(words, indexer=index)
    hits = [
        len({word for word, _ in one} & {word for word, _ in other}) for one, other in zip(exact, near, strict=True)
    ]
    assert np.mean(hits) / 10 == pytest.approx(index.recall, abs=0.05)
    assert index.recall > 0.8


def test_cosines_are_exact_and_sorted(vectors, index):
    found = vectors.most_similar("w5", indexer=index)
    assert found[0][0] == "w5"  # an indexer finds the word itself, as gensim's do
    assert [cosine for _, cosine in found] == sorted((cosine for _, cosine in found), reverse=True)
    for word, cosine in found:
        assert cosine == pytest.approx(vectors.similarity("w5", word), abs=1e-6)


def test_a_batch_of_the_index_leaves_out_the_word_itself(vectors, index):
    [near] = vectors.most_similar_batch(["w5"], topn=4, indexer=index)
    assert len(near) == 4
    assert "w5" not in {word for word, _ in near}


def test_it_says_how_good_it_is(index):
    assert repr(index) == f"SearchIndex<600 words, recall@10 {index.recall:.3f}>"


def test_more_words_than_there_are_are_all_of_them(index, vectors):
    assert len(index.most_similar(vectors["w1"], 5000)) == 600


def test_without_usearch_the_extra_is_named(vectors, monkeypatch):
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(ImportError, match=r"w2v\[index\]"):
        SearchIndex(vectors)


def test_bad_settings_are_refused(vectors):
    with pytest.raises(ValueError, match="expansion=0"):
        SearchIndex(vectors, expansion=0)
    with pytest.raises(TypeError, match="has no method most_similar"):
        vectors.most_similar("w1", indexer=object())
