"""Files between gensim and w2v, in both directions and to the bit; skipped where gensim is not installed."""

import numpy as np
import pytest
from corpora import TOPICS, two_topics

from w2v import FastText, FormatError, KeyedVectors, Word2Vec, load_facebook_vectors, save_facebook_model
from w2v.compat import gensim as compat

gensim = pytest.importorskip("gensim.models", reason="gensim is not installed")


@pytest.fixture(scope="module")
def theirs():
    return gensim.Word2Vec(two_topics(), vector_size=8, min_count=1, workers=1, epochs=1, hs=1, negative=3, window=4)


@pytest.fixture(scope="module")
def ours():
    return Word2Vec(two_topics(), vector_size=8, min_count=1, workers=1, epochs=1)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_word2vec_files_go_both_ways_bit_for_bit(theirs, ours, tmp_path, binary, packed):
    path = str(tmp_path / f"vectors{packed}")
    theirs.wv.save_word2vec_format(path, binary=binary)
    read = KeyedVectors.load_word2vec_format(path, binary=binary)
    assert read.index_to_key == theirs.wv.index_to_key
    assert read.vectors.tobytes() == theirs.wv.vectors.tobytes()
    ours.wv.save_word2vec_format(path, binary=binary)
    read = gensim.KeyedVectors.load_word2vec_format(path, binary=binary)
    assert read.index_to_key == ours.wv.index_to_key
    assert read.vectors.tobytes() == np.ascontiguousarray(ours.wv.vectors).tobytes()


@pytest.mark.parametrize("sep_limit", [10 * 1024**2, 0])
def test_a_saved_model_is_loaded_and_trained_on(theirs, tmp_path, sep_limit):
    theirs.save(str(tmp_path / "model"), sep_limit=sep_limit)
    model = Word2Vec.load(tmp_path / "model", allow_pickle=True)
    assert model.wv.vectors.tobytes() == theirs.wv.vectors.tobytes()
    assert model.syn1neg.tobytes() == theirs.syn1neg.tobytes()
    assert (model.vector_size, model.window, model.hs, model.negative) == (8, 4, 1, 3)
    assert model.corpus_count == theirs.corpus_count
    assert model.wv.get_vecattr("sun", "count") == theirs.wv.get_vecattr("sun", "count")
    model.build_vocab([["sun", "lamp"]] * 5, update=True)
    model.train([["sun", "lamp"]] * 50, total_examples=50, epochs=1)
    model.save(tmp_path / "ours.safetensors")
    assert np.array_equal(Word2Vec.load(tmp_path / "ours.safetensors").wv.vectors, model.wv.vectors)


@pytest.mark.parametrize("mmap", [None, "r"])
def test_saved_vectors_are_loaded(theirs, tmp_path, mmap):
    theirs.wv.save(str(tmp_path / "vectors.kv"), sep_limit=0)
    read = KeyedVectors.load(tmp_path / "vectors.kv", mmap=mmap, allow_pickle=True)
    assert read.vectors.tobytes() == theirs.wv.vectors.tobytes()
    assert [word for word, _ in read.most_similar("sun", topn=3)] == [
        word for word, _ in theirs.wv.most_similar("sun", topn=3)
    ]


def test_without_a_word_of_consent_no_pickle_is_read(theirs, tmp_path):
    theirs.save(str(tmp_path / "model"))
    for load in (Word2Vec.load, KeyedVectors.load):
        with pytest.raises(FormatError, match=r"pickle.*allow_pickle=True"):
            load(tmp_path / "model")
    with compat.installed(allow_pickle=True):
        assert len(Word2Vec.load(tmp_path / "model").wv) == 12
    with pytest.raises(FormatError, match="pickle"):
        Word2Vec.load(tmp_path / "model")


def test_vectors_alone_are_no_model(theirs, tmp_path):
    theirs.wv.save(str(tmp_path / "vectors.kv"))
    with pytest.raises(AttributeError, match="vectors alone"):
        Word2Vec.load(tmp_path / "vectors.kv", allow_pickle=True)


def test_vocabulary_and_tables_are_gensims_to_the_last_number():
    corpus = [*two_topics(), ["rare", "sun"], ["rarer"]]
    options = {"vector_size": 4, "min_count": 1, "workers": 1, "sample": 1e-2}
    one, other = gensim.Word2Vec(**options), Word2Vec(**options)
    for model in (one, other):
        model.build_vocab(corpus)
    assert other.wv.index_to_key == one.wv.index_to_key
    assert other.wv.expandos["count"].tolist() == one.wv.expandos["count"].tolist()
    assert np.array_equal(other.cum_table, one.cum_table)
    report, theirs = (model.prepare_vocab for model in (other, one))
    other.scan_vocab(corpus), one.scan_vocab(corpus)
    found, expected = report(dry_run=True), theirs(dry_run=True)
    assert {name: found[name] for name in ("drop_unique", "retain_total", "downsample_unique")} == {
        name: expected[name] for name in ("drop_unique", "retain_total", "downsample_unique")
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # some are gensim's own
def test_answers_are_gensims_on_equal_vectors(theirs):
    mine = KeyedVectors.from_arrays(list(theirs.wv.index_to_key), theirs.wv.vectors.copy())
    first, second, third = TOPICS[0][:3]
    for ask in (
        lambda kv: kv.most_similar(positive=[first, second], negative=[third], topn=4),
        lambda kv: kv.most_similar(positive=[(first, 0.5), second], negative=[(third, 2.0)], topn=4),
        lambda kv: kv.most_similar_cosmul(positive=[first, second], negative=[third], topn=4),
        lambda kv: kv.most_similar(first, restrict_vocab=6),
        lambda kv: kv.similar_by_vector(kv[first], topn=3),
    ):
        found, expected = ask(mine), ask(theirs.wv)
        assert [word for word, _ in found] == [word for word, _ in expected]
        assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-5)
    assert mine.doesnt_match(TOPICS[0][:4]) == theirs.wv.doesnt_match(TOPICS[0][:4])
    assert mine.n_similarity([first], [second, third]) == pytest.approx(
        theirs.wv.n_similarity([first], [second, third])
    )
    assert mine.distances(first) == pytest.approx(theirs.wv.distances(first), abs=1e-6)
    assert mine.rank(first, second) == theirs.wv.rank(first, second)


def test_models_of_subwords_go_both_ways(tmp_path):
    given = {"vector_size": 8, "min_count": 1, "workers": 1, "epochs": 1, "bucket": 300}
    theirs = gensim.FastText(two_topics(), **given)
    words = [*theirs.wv.index_to_key, "sunny", "größe", "lampshades"]
    theirs.save(str(tmp_path / "model"))
    read = FastText.load(tmp_path / "model", allow_pickle=True)
    np.testing.assert_allclose(read.wv[words], theirs.wv[words], atol=1e-6)
    gensim.fasttext.save_facebook_model(theirs, str(tmp_path / "theirs.bin"))
    np.testing.assert_allclose(load_facebook_vectors(tmp_path / "theirs.bin")[words], theirs.wv[words], atol=1e-6)
    ours = FastText(two_topics(), **given)
    save_facebook_model(ours, tmp_path / "ours.bin")
    found = gensim.fasttext.load_facebook_model(str(tmp_path / "ours.bin"))
    np.testing.assert_allclose(found.wv[words], ours.wv[words], atol=1e-6)
