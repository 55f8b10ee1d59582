"""PPMI and LSA as models: repeatable, queried, saved, and made of what `Word2Vec` has."""

import copy
import pickle

import numpy as np
import pytest
from corpora import TOPICS, planted_analogy, two_topics, zipf_like
from count_twins import document_weights

from w2v import LSA, PPMI, FormatError, KeyedVectors, Word2Vec
from w2v.files import native
from w2v.models import families
from w2v.stability import measure

SMALL = {"vector_size": 6, "min_count": 1}
MODELS = [(PPMI, {"sample": 0}), (LSA, {})]


@pytest.fixture(params=MODELS, ids=["PPMI", "LSA"])
def made(request):
    family, options = request.param
    return lambda sentences=None, **changes: family(sentences, **SMALL | options | changes)


def bytes_of(model):
    return {name: matrix.tobytes() for name, matrix in model.weights.named().items()}


def test_topics_that_are_planted_are_found(made):
    model = made(two_topics(200), vector_size=2)
    for topic in TOPICS:
        for word in topic:
            assert {near for near, _ in model.wv.most_similar(word, topn=5)} == {*topic} - {word}


def test_a_planted_analogy_is_found():
    model = PPMI(planted_analogy(), vector_size=12, min_count=1, sample=0, window=2)
    assert model.wv.most_similar(["king", "woman"], ["man"], topn=1)[0][0] == "queen"


def test_two_runs_give_the_same_bytes_for_any_workers(made, tmp_path):
    sentences = [sentence for sentence in zipf_like(2000) if sentence]  # a blank line is no sentence
    path = tmp_path / "corpus.txt"
    path.write_text("".join(" ".join(sentence) + "\n" for sentence in sentences), encoding="utf-8")
    once = made(sentences, workers=1)
    for again in (made(iter(sentences), workers=3), made(corpus_file=path, workers=2), made(sentences, cache="disk")):
        assert bytes_of(again) == bytes_of(once)
    runs = {name: made(sentences, workers=2).wv for name in "abc"}
    report = measure(runs, k=10, words=runs["a"].index_to_key[:20])
    assert report.total("reliability") == pytest.approx(1, abs=1e-12)  # j@10 of Hellrich et al. 2019


def test_a_corpus_that_is_streamed_gives_the_same(made):
    sentences = zipf_like(2000)
    assert bytes_of(made(sentences, cache="none")) == bytes_of(made(sentences))


def test_a_file_holds_all_of_a_model(made, tmp_path):
    model = made(two_topics(100))
    model.save(tmp_path / "model.safetensors")
    read = families.load_model(tmp_path / "model.safetensors")
    assert type(read) is type(model)
    assert bytes_of(read) == bytes_of(model)
    assert read.singular_values.tolist() == model.singular_values.tolist()
    assert read.fingerprint() == model.fingerprint()
    assert read.settings() == model.settings()
    vectors = KeyedVectors.load(tmp_path / "model.safetensors")
    assert vectors.vectors.tobytes() == model.wv.vectors.tobytes()


@pytest.mark.parametrize("values", [[1.0], [-1.0] * 6, ["x"] * 6, 5, [10**400] * 6], ids=str)
def test_a_file_with_other_singular_values_is_refused(made, tmp_path, values):
    model = made(two_topics(100))
    found = model.contents()
    found.meta["state"]["singular_values"] = values
    native.write_native(tmp_path / "bad.safetensors", *found)
    with pytest.raises(FormatError):
        families.load_model(tmp_path / "bad.safetensors")


def test_copies_and_pickles_are_models_of_their_own(made):
    model = made(two_topics(100))
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert bytes_of(other) == bytes_of(model)
        with pytest.raises(RuntimeError, match="corpus is not at hand"):
            other.fit()
        other.fit(two_topics(100))
        assert bytes_of(other) == bytes_of(model)


def test_a_model_made_again_is_the_same(made):
    sentences = two_topics(100)
    assert bytes_of(made(sentences).trained_again(sentences)) == bytes_of(made(sentences))


def test_a_model_is_made_in_steps(made):
    sentences = two_topics(100)
    model = made()
    with pytest.raises(RuntimeError, match="no vocabulary yet"):
        model.fit(sentences)
    model.build_vocab(sentences)
    assert not model.wv.vectors.any()
    assert bytes_of(model.fit()) == bytes_of(made(sentences))
    with pytest.raises(ValueError, match="whole text at once"):
        model.build_vocab(sentences, update=True)


def test_vectors_larger_than_the_vocabulary_end_in_zeros(made, caplog):
    model = made(two_topics(100), vector_size=50)
    assert "vector_size=50, but there are only 12 words" in caplog.text
    assert model.wv.vectors.shape == (12, 50)
    assert not model.wv.vectors[:, 12:].any()
    exact = made(two_topics(100), vector_size=12)
    assert model.wv.vectors[:, :12].tobytes() == exact.wv.vectors.tobytes()


def test_parameters_out_of_range_are_refused_before_any_work(made):
    class Unread:
        def __iter__(self):
            raise AssertionError("the corpus was read")

    for name, value in [("vector_size", 0), ("eig", 1.5), ("workers", 0), ("min_count", -1), ("trim_rule", 3)]:
        with pytest.raises((ValueError, TypeError), match=name):
            made(Unread(), **{name: value})
    with pytest.raises(ValueError, match="negative=0 must be at least 1"):
        PPMI(Unread(), negative=0)
    with pytest.raises(ValueError, match="weighting"):
        LSA(Unread(), weighting="counts")


def test_a_shift_that_leaves_nothing_is_refused():
    with pytest.raises(RuntimeError, match="negative=1000"):
        PPMI(two_topics(100), vector_size=2, negative=1000)


# --- PPMI -----------------------------------------------------------------------------------------------------


def test_vectors_are_those_of_the_decomposed_matrix():
    sentences = zipf_like(2000)
    for eig in (0, 0.5, 1):
        model = PPMI(sentences, vector_size=5, min_count=1, eig=eig)
        left, values, right = np.linalg.svd(model.matrix().toarray().astype(np.float64))
        power = values[:5] ** eig
        np.testing.assert_allclose(model.singular_values, values[:5], rtol=1e-5)
        np.testing.assert_allclose(np.abs(model.wv.vectors), np.abs(left[:, :5] * power), atol=1e-4)
        np.testing.assert_allclose(np.abs(model.output_vectors.vectors), np.abs(right[:5].T * power), atol=1e-4)


def test_the_product_of_both_vectors_is_mutual_information():
    part = PPMI(zipf_like(1500), vector_size=20, min_count=3, sample=0)
    whole = PPMI.like(part, vector_size=len(part.wv))
    wanted = whole.matrix().toarray()
    np.testing.assert_allclose(whole.wv.vectors @ whole.syn1neg.T, wanted, atol=1e-4)
    rest = np.linalg.norm(part.wv.vectors @ part.syn1neg.T - wanted)
    assert rest == pytest.approx(np.linalg.norm(np.linalg.svd(wanted, compute_uv=False)[20:]), rel=1e-3)


def test_spaces_and_explain_have_both_matrices():
    model = PPMI(two_topics(200), vector_size=4, min_count=1, sample=0)
    word, other = TOPICS[0][:2]
    own = model.wv.vectors[model.wv.get_index(word)]
    its = model.syn1neg[model.wv.get_index(other)]
    cosine = own @ its / np.linalg.norm(own) / np.linalg.norm(its)
    assert model.similarity(word, other, space="in-out") == pytest.approx(cosine, abs=1e-6)
    assert model.most_similar(word, topn=1, space="in-out")[0][0] in TOPICS[0]
    explained = model.explain(word, other)
    assert explained.together is not None
    meetings = PPMI.like(model, shrink_windows=False).counts()
    assert explained.meetings.together == meetings[model.wv.get_index(word), model.wv.get_index(other)]


def test_both_vectors_are_added_at_unit_length():
    sentences = zipf_like(1500)
    plain, added = (PPMI(sentences, **SMALL, add_contexts=wanted) for wanted in (False, True))
    both = plain.sides("sum").asking.vectors
    np.testing.assert_allclose(added.wv.vectors, both, atol=1e-6)
    assert added.syn1neg.tobytes() == plain.syn1neg.tobytes()


def test_the_twin_of_a_model_has_its_settings_and_tokens():
    sentences = zipf_like(2000)
    trained = Word2Vec(sentences, vector_size=6, window=3, sample=1e-2, negative=2, ns_exponent=0.5, min_count=2)
    twin = PPMI.like(trained)
    assert twin.tokens.held.tokens is trained.tokens.held.tokens
    assert twin.wv.key_to_index is trained.wv.key_to_index
    same = PPMI(sentences, vector_size=6, window=3, sample=1e-2, negative=2, ns_exponent=0.5, min_count=2)
    assert bytes_of(twin) == bytes_of(same)
    assert PPMI.like(trained, negative=1, vector_size=3).wv.vector_size == 3
    with pytest.raises(ValueError, match="alpha"):
        PPMI.like(trained, alpha=0.1)
    loaded = pickle.loads(pickle.dumps(trained))
    with pytest.raises(RuntimeError, match="not at hand"):
        PPMI.like(loaded)
    assert bytes_of(PPMI.like(loaded, sentences)) == bytes_of(same)


# --- LSA ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighting", ["tfidf", "log-entropy"])
def test_the_weights_of_terms_are_those_of_the_formula(weighting):
    documents = [*zipf_like(600), []]
    model = LSA(documents, **SMALL, weighting=weighting)
    wanted = document_weights(documents, model.wv.index_to_key, weighting)
    np.testing.assert_allclose(model.matrix().toarray(), wanted, atol=1e-6)
    left, values, _ = np.linalg.svd(wanted, full_matrices=False)
    for eig in (0.0, 0.5, 1.0):
        model.eig = eig
        found = model.fit().dv.vectors
        np.testing.assert_allclose(np.abs(found), np.abs(left[:, :6] * values[:6] ** eig), atol=2e-4)


def test_documents_that_were_learnt_from_fold_in_as_they_are():
    documents = two_topics(100)
    model = LSA(documents, **SMALL)
    np.testing.assert_array_equal(model.infer_vectors(documents), model.dv.vectors)
    assert model.dv.index_to_key == list(range(100))
    np.testing.assert_array_equal(model.infer_vector(documents[7]), model.dv.vectors[7])


def test_new_documents_have_the_weights_of_the_old_ones(tmp_path):
    model = LSA(two_topics(100), vector_size=2, min_count=1)
    before = model.wv.vectors.copy()
    found = model.infer_vectors([["sun", "moon", "unknown"], [], ["bread", "soup"], ["unknown"]])
    assert found.shape == (4, 2)
    assert not found[[1, 3]].any()
    np.testing.assert_array_equal(found[0], model.infer_vector(["sun", "moon"]))
    assert abs(np.dot(found[0], found[2])) < 1e-6
    path = tmp_path / "new.txt"
    path.write_text("sun moon unknown\n\nbread soup\nunknown\n", encoding="utf-8")
    np.testing.assert_array_equal(model.infer_vectors(corpus_file=path), found[[0, 2, 3]])  # a blank line is none
    np.testing.assert_array_equal(model.wv.vectors, before)


def test_inference_says_what_is_missing():
    with pytest.raises(RuntimeError, match="call fit first"):
        LSA().infer_vectors([["sun"]])
    model = LSA(two_topics(50), **SMALL)
    with pytest.raises(TypeError, match="corpus_file"):
        model.infer_vectors()
    with pytest.raises((TypeError, ValueError)):
        model.infer_vectors("sun moon")
    with pytest.raises(ValueError, match="in-out"):
        model.most_similar("sun", space="in-out")
