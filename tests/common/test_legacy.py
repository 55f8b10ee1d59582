"""Names of gensim 3 work, and each says what it is called now."""

import numpy as np
import pytest
from corpora import TOPICS, two_topics

from w2v import Doc2Vec, FastText, KeyedVectors, Phrases, Word2Vec


@pytest.fixture(scope="module")
def model():
    return Word2Vec(two_topics(), vector_size=8, min_count=1, workers=1, epochs=1)


WORD, OTHER = TOPICS[0][:2]

OF_VECTORS = {
    "index2word": lambda wv: wv.index2word == wv.index_to_key,
    "index2entity": lambda wv: wv.index2entity == wv.index_to_key,
    "syn0": lambda wv: wv.syn0 is wv.vectors,
    "syn0norm": lambda wv: np.array_equal(wv.syn0norm, wv.get_normed_vectors()),
    "vectors_norm": lambda wv: np.array_equal(wv.vectors_norm, wv.get_normed_vectors()),
    "vocab": lambda wv: sorted(wv.vocab) == sorted(wv.index_to_key),
    "word_vec": lambda wv: np.array_equal(wv.word_vec(WORD, norm=True), wv.get_vector(WORD, norm=True)),
    "word_vec, use_norm": lambda wv: np.array_equal(wv.word_vec(WORD, use_norm=True), wv.get_vector(WORD, norm=True)),
    "words_closer_than": lambda wv: wv.words_closer_than(WORD, OTHER) == wv.closer_than(WORD, OTHER),
    "wv": lambda wv: wv.wv is wv,
    "init_sims": lambda wv: wv.init_sims() is None and wv.norms is not None,
}

OF_MODELS = {
    "iter": lambda model: model.iter == model.epochs,
    "size": lambda model: model.size == 8,
    "syn0": lambda model: model.syn0 is model.wv.vectors,
    "index2word": lambda model: model.index2word is model.wv.index_to_key,
    "model[word]": lambda model: np.array_equal(model[WORD], model.wv[WORD]),
    "model[words]": lambda model: model[[WORD, OTHER]].shape == (2, 8),
    "word in model": lambda model: WORD in model and "nowhere" not in model,
    "most_similar_cosmul": lambda model: len(model.most_similar_cosmul(positive=[WORD], topn=2)) == 2,
    "similar_by_word": lambda model: model.similar_by_word(WORD) == model.wv.similar_by_word(WORD),
    "n_similarity": lambda model: model.n_similarity([WORD], [WORD]) == pytest.approx(1),
    "doesnt_match": lambda model: model.doesnt_match([WORD, OTHER]) in (WORD, OTHER),
    "init_sims": lambda model: model.init_sims() is None,
    "clear_sims": lambda model: model.clear_sims() is None,
    "delete_temporary_training_data": lambda model: model.delete_temporary_training_data(True, True) is None,
    "size= of Doc2Vec": lambda model: Doc2Vec(size=4).vector_size == 4,
    "size= of FastText": lambda model: FastText(size=4).vector_size == 4,
    "common_terms= of Phrases": lambda model: Phrases(common_terms=["of"]).connector_words == {"of"},
    "delimiter= of Phrases": lambda model: Phrases(delimiter=b"-").delimiter == "-",
}


@pytest.mark.parametrize("name", OF_VECTORS)
@pytest.mark.filterwarnings("default")
def test_an_old_name_of_vectors_works_and_warns_with_the_new_one(model, name):
    with pytest.warns(DeprecationWarning, match="gensim 3; use ") as found:
        assert OF_VECTORS[name](model.wv)
    assert all(warning.filename == __file__ for warning in found)


@pytest.mark.parametrize("name", OF_MODELS)
def test_an_old_name_of_a_model_works_and_warns_with_the_new_one(model, name):
    with pytest.warns(DeprecationWarning, match="gensim 3; use ") as found:
        assert OF_MODELS[name](model)
    assert all(warning.filename == __file__ for warning in found)


def test_old_parameters_are_accepted():
    with pytest.warns(DeprecationWarning, match="gensim 3") as found:
        model = Word2Vec(two_topics(), size=12, iter=2, min_count=1, workers=1)
    assert [str(warning.message) for warning in found] == [
        "size= is the name of gensim 3; use vector_size=",
        "iter= is the name of gensim 3; use epochs=",
    ]
    assert (model.vector_size, model.epochs, len(model.history)) == (12, 2, 2)


@pytest.mark.parametrize("method", ["build_vocab", "train"])
def test_the_corpus_may_be_called_sentences(method):
    model = Word2Vec(vector_size=4, min_count=1, workers=1)
    model.build_vocab(two_topics())
    more = {"total_examples": 1, "epochs": 1} if method == "train" else {}
    with pytest.warns(DeprecationWarning, match="use corpus_iterable="):
        getattr(model, method)(sentences=two_topics(), **more)
    assert model.corpus_count == len(two_topics())


def test_any_other_parameter_is_a_type_error():
    with pytest.raises(TypeError, match=r"Word2Vec\(\) got an unexpected keyword argument 'sise'"):
        Word2Vec(sise=100)
    model = Word2Vec(two_topics(), vector_size=4, min_count=1, workers=1, epochs=1)
    with pytest.raises(TypeError, match=r"train\(\) got an unexpected keyword argument 'epoch'"):
        model.train(two_topics(), total_examples=1, epoch=1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_old_vocabulary_tells_counts_and_rows(model):
    vocabulary = model.wv.vocab
    assert len(vocabulary) == len(model.wv)
    for word, entry in vocabulary.items():
        assert entry.index == model.wv.key_to_index[word]
        assert entry.count == model.wv.get_vecattr(word, "count")
    assert "nowhere" not in vocabulary
    with pytest.raises(KeyError):
        vocabulary["nowhere"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_attributes_can_be_assigned(model):
    other = Word2Vec(two_topics(), vector_size=4, min_count=1, workers=1, epochs=1)
    new = np.ones_like(other.wv.vectors)
    other.syn0 = new
    assert other.wv.vectors is new
    other.wv.syn0 = new * 2
    assert (other.wv.vectors == 2).all()
    other.iter = 7
    assert other.epochs == 7


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_unit_length_may_be_had_in_place():
    other = Word2Vec(two_topics(), vector_size=4, min_count=1, workers=1, epochs=1)
    other.init_sims(replace=True)
    assert np.linalg.norm(other.wv.vectors, axis=1) == pytest.approx(1, abs=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_vectors_are_loaded_from_the_old_place(model, tmp_path):
    model.save_word2vec_format(tmp_path / "vectors.bin", binary=True)
    vectors = Word2Vec.load_word2vec_format(tmp_path / "vectors.bin", binary=True)
    assert isinstance(vectors, KeyedVectors)
    assert np.array_equal(vectors[WORD], model.wv[WORD])


def test_events_are_kept_in_memory_only(model, tmp_path, caplog):
    assert model.lifecycle_events == []
    model.save(tmp_path / "before")
    with caplog.at_level("INFO"):
        model.add_lifecycle_event("noted", what=1)
        model.wv.add_lifecycle_event("quietly", log_level=None)
    assert model.lifecycle_events == [{"what": 1, "event": "noted"}]
    model.lifecycle_events = None  # as gensim's documentation has it
    model.add_lifecycle_event("unheard", log_level=None)
    assert model.lifecycle_events is None
    assert "noted" in caplog.text
    assert "quietly" not in caplog.text
    model.save(tmp_path / "after")
    assert (tmp_path / "before").read_bytes() == (tmp_path / "after").read_bytes()


def test_gensims_steps_of_a_vocabulary_can_be_called(model):
    table = model.cum_table
    model.make_cum_table()
    model.create_binary_tree()
    assert np.array_equal(model.cum_table, table)


def test_vectors_are_added_under_the_old_name():
    vectors = KeyedVectors(2)
    with pytest.warns(DeprecationWarning, match=r"add_vectors\(\)"):
        vectors.add(entities=["one"], weights=[[1, 2]])
    with pytest.warns(DeprecationWarning, match=r"add_vectors\(\)"):
        vectors.add(["one", "two"], [[3, 4], [5, 6]], replace=True)
    assert vectors["one"].tolist() == [3, 4]
    assert vectors.index_to_key == ["one", "two"]
