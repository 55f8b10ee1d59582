"""The scikit-learn transformer: its means, what it reads, and scikit-learn's own checks of an estimator."""

import importlib
import inspect
import os
import pickle
import random
import subprocess
import sys

import numpy as np
import pytest

from w2v import LSA, Doc2Vec, TaggedDocument, Word2Vec, bio

if os.environ.get("CI") != "true":  # there it is installed, and a skip would hide that it is not
    pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from w2v.sklearn import Doc2VecVectorizer, LSAVectorizer, SequenceVectorizer, Word2VecVectorizer
from w2v.training.settings import Settings

TOPICS = [["river", "lake", "sea", "boat", "water", "fish"], ["bread", "flour", "oven", "dough", "yeast", "baker"]]
TINY = {"vector_size": 8, "min_count": 1, "sample": 0, "epochs": 2}

# The parameters that go to Word2Vec as they are.
SETTINGS = [name for name in Settings.named(saved=True) if name in inspect.signature(Word2VecVectorizer).parameters]
SETTINGS.remove("tokenizer")  # which is a vectorizer's own: a function


def two_topics(count=200, length=8, words=slice(None)):
    """Texts about one topic each, in turn, and which; no word belongs to both."""
    draw = random.Random(5)
    labels = [number % 2 for number in range(count)]
    return [" ".join(draw.choices(TOPICS[label][words], k=length)) for label in labels], labels


@pytest.fixture
def fitted():
    return Word2VecVectorizer(**TINY).fit(two_topics()[0])


# --- document means ---------------------------------------------------------------------------------------------


def expected_mean(vectorizer, words):
    wv = vectorizer.model_.wv
    rows = [wv.key_to_index[word] for word in words if word in wv.key_to_index]
    return wv.vectors[rows].astype(np.float64).mean(axis=0).astype(np.float32) if rows else np.zeros(8, np.float32)


def test_a_document_is_the_mean_of_its_words_as_numpy_has_it(fitted):
    documents = ["river lake river", "bread", "oven unheard-of sea", "", "quite unknown", "yeast " * 1000]
    means = fitted.transform(documents)
    assert (means.dtype, means.shape) == (np.float32, (6, 8))
    assert means.tolist() == [expected_mean(fitted, text.split()).tolist() for text in documents]
    assert means[0].tolist() != fitted.transform(["river lake"])[0].tolist()  # a word counts as often as it occurs
    assert means[1].tolist() == fitted.model_.wv["bread"].tolist()


def test_a_document_without_known_words_is_a_row_of_zeros(fitted):
    assert not fitted.transform(["", "never heard of", "river"])[:2].any()
    assert not fitted.transform(["nothing", "known"]).any()


def test_no_documents_are_no_rows(fitted):
    assert fitted.transform([]).shape == (0, 8)


def test_a_mean_does_not_depend_on_its_neighbours(fitted):
    texts = two_topics(5000, 3)[0]  # more than one block
    together = fitted.transform(texts)
    assert together[4090:4100].tolist() == [fitted.transform([text])[0].tolist() for text in texts[4090:4100]]
    assert together[::-1].tobytes() == fitted.transform(texts[::-1]).tobytes()


def test_fit_transform_is_fit_then_transform():
    texts = two_topics()[0]
    made = Word2VecVectorizer(**TINY).fit_transform(texts)
    assert made.tobytes() == Word2VecVectorizer(**TINY).fit(texts).transform(texts).tobytes()


def test_words_that_are_not_kept_count_for_nothing():
    texts = ["river lake rare", *["river lake"] * 5]
    vectorizer = Word2VecVectorizer(**TINY | {"min_count": 2})
    means = vectorizer.fit_transform(texts)
    assert set(vectorizer.vocabulary_) == {"river", "lake"}
    assert means[0].tolist() == means[1].tolist()


# --- the model --------------------------------------------------------------------------------------------------


def test_the_model_is_what_word2vec_makes_of_the_same_words():
    texts = two_topics()[0]
    vectorizer = Word2VecVectorizer(**TINY, sg=1, random_state=2**40).fit(texts)
    model = Word2Vec([text.split() for text in texts], **TINY, sg=1, seed=2**40, workers=1)
    assert vectorizer.model_.wv.vectors.tobytes() == model.wv.vectors.tobytes()
    assert vectorizer.vocabulary_ == model.wv.key_to_index


def test_parameters_have_the_defaults_of_word2vec():
    ours, theirs = (inspect.signature(made).parameters for made in (Word2VecVectorizer, Word2Vec))
    assert {name: ours[name].default for name in SETTINGS} == {name: theirs[name].default for name in SETTINGS}
    rest = [name for name in ours if name not in SETTINGS]
    assert rest == ["random_state", "n_jobs", "lowercase", "token_pattern", "tokenizer"]
    assert ours["random_state"].default == theirs["seed"].default


def test_every_parameter_reaches_the_model():
    other = {
        **{"vector_size": 5, "alpha": 0.05, "window": 2, "min_count": 2, "max_vocab_size": 1000, "sample": 0.1},
        **{"min_alpha": 0.001, "sg": 1, "hs": 1, "negative": 3, "ns_exponent": 0.5, "cbow_mean": 0, "epochs": 1},
        **{"max_final_vocab": 10, "shrink_windows": False, "shared_negatives": False, "cbow_corrected": True},
    }
    assert set(other) == set(SETTINGS)
    vectorizer = Word2VecVectorizer(**other, n_jobs=2, random_state=7).fit(two_topics()[0])
    assert {name: getattr(vectorizer.model_, name) for name in other} == other
    assert (vectorizer.model_.seed, vectorizer.model_.workers) == (7, 2)


def test_the_seed_decides_the_bytes():
    texts = two_topics()[0]
    first, again, other = (Word2VecVectorizer(**TINY, random_state=seed).fit_transform(texts) for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_a_random_state_draws_the_seed():
    texts = two_topics()[0]
    seeds = []
    for state in (np.random.RandomState(3), np.random.RandomState(3), np.random.RandomState(4), None):
        seeds.append(Word2VecVectorizer(**TINY, random_state=state).fit(texts).model_.seed)
    assert seeds[0] == seeds[1]
    assert len(set(seeds)) == 3


def test_the_model_can_be_trained_on(fitted):
    before = fitted.transform(["river"])
    more = [["river", "lake"]] * 20
    assert fitted.model_.train(more, total_examples=20, epochs=1) == (40, 40)
    assert fitted.transform(["river"]).tolist() != before.tolist()


def test_vectors_separate_topics_by_unlabelled_words():
    texts, _ = two_topics(2000)
    vectorizer = Word2VecVectorizer(**TINY | {"epochs": 5}, sg=1).fit(texts)
    half, labels = two_topics(100, words=slice(3))
    rest, expected = two_topics(100, words=slice(3, None))
    classifier = LogisticRegression(C=100).fit(vectorizer.transform(half), labels)
    assert classifier.score(vectorizer.transform(rest), expected) == 1


# --- documents --------------------------------------------------------------------------------------------------


def test_texts_are_lowered_and_split_at_word_boundaries():
    vectorizer = Word2VecVectorizer(**TINY).fit(["A river, the RIVER; naïve 2 boats!"])
    assert set(vectorizer.vocabulary_) == {"a", "river", "the", "naïve", "2", "boats"}
    kept = Word2VecVectorizer(**TINY, lowercase=False).fit(["River river"])
    assert set(kept.vocabulary_) == {"River", "river"}


def test_token_pattern_and_tokenizer_say_what_a_word_is():
    longer = Word2VecVectorizer(**TINY, token_pattern=r"\b\w\w+\b").fit(["a river is wet"])
    assert set(longer.vocabulary_) == {"river", "is", "wet"}
    group = Word2VecVectorizer(**TINY, token_pattern=r"#(\w+)").fit(["a #river of #bread"])
    assert set(group.vocabulary_) == {"river", "bread"}
    split = Word2VecVectorizer(**TINY, tokenizer=str.split).fit(["A-b c!"])
    assert set(split.vocabulary_) == {"a-b", "c!"}
    lazy = Word2VecVectorizer(**TINY, tokenizer=lambda text: (word for word in text.split()))
    assert lazy.fit_transform(["a b"] * 3).tobytes() == lazy.transform(["a b"] * 3).tobytes()


def test_token_lists_are_taken_as_they_are():
    vectorizer = Word2VecVectorizer(**TINY).fit([["New York", "A"], ("a", "!")])
    assert set(vectorizer.vocabulary_) == {"New York", "A", "a", "!"}


class Column:
    """A series as data frames have it: no list, but a shape and an iterator."""

    def __init__(self, values):
        self.values, self.shape = values, (len(values),)

    def __iter__(self):
        return iter(self.values)


def containers(texts):
    lists = [text.split() for text in texts]
    yield from (texts, tuple(texts), np.array(texts), np.array(texts, object), Column(texts), iter(texts))
    yield from (lists, [tuple(words) for words in lists], [np.array(words) for words in lists], (w for w in lists))
    ragged = np.empty(len(lists), object)
    ragged[:] = lists
    yield from (ragged, [iter(words) for words in lists], [texts[0], *lists[1:]])


def test_every_container_of_documents_gives_the_same_bytes():
    texts = two_topics(20)[0]
    expected = Word2VecVectorizer(**TINY).fit_transform(texts).tobytes()
    for fit, again, new in zip(containers(texts), containers(texts), containers(texts), strict=True):
        assert Word2VecVectorizer(**TINY).fit_transform(fit).tobytes() == expected
        vectorizer = Word2VecVectorizer(**TINY).fit(again)
        assert vectorizer.transform(new).tobytes() == expected


def test_documents_are_not_modified():
    documents = [["River", "lake"], "A River", ["sea"]]
    Word2VecVectorizer(**TINY).fit(documents).transform(documents)
    assert documents == [["River", "lake"], "A River", ["sea"]]


def test_a_single_text_is_refused_as_scikit_learn_does(fitted):
    for call in (fitted.fit, fitted.transform, fitted.fit_transform):
        with pytest.raises(ValueError, match="Iterable over raw text documents expected, string object received"):
            call("a river")


@pytest.mark.parametrize(
    ("documents", "error", "message"),
    [
        (7, TypeError, "must be an iterable of documents, not int: 7"),
        (["a", None], TypeError, "document 1 is None, not a list of words; where a text is missing"),
        (["a", float("nan")], TypeError, "document 1 is nan, not a list"),
        ([b"a river"], TypeError, "document 0 is b'a river', not text; decode it"),
        ([["a", 7]], TypeError, r"words must be str, but document 0 has int: \['a', 7\]"),
        ([[["a"]]], TypeError, "words must be str, but document 0 has list"),
        (np.array([["a river"], ["a lake"]]), ValueError, r"of shape \(2, 1\), not a sequence of documents"),
        (np.ones((2, 3)), ValueError, r"ndarray of shape \(2, 3\)"),
        (np.array("a river"), TypeError, "iteration over a 0-d array"),
    ],
    ids=lambda value: None,
)
def test_a_malformed_document_is_an_error(fitted, documents, error, message):
    for call in (fitted.transform, fitted.fit, fitted.fit_transform):
        with pytest.raises(error, match=message):
            call(documents)


def test_nothing_to_learn_from_is_an_error():
    for documents in ([], iter(()), np.array([], object)):
        with pytest.raises(ValueError, match="no documents to learn from"):
            Word2VecVectorizer().fit(documents)
    with pytest.raises(RuntimeError, match="no word occurs min_count=5 times"):
        Word2VecVectorizer().fit(["a river"])


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"vector_size": 0}, ValueError, "vector_size=0 must be at least 1"),
        ({"sg": 2}, ValueError, "sg=2"),
        ({"window": "5"}, TypeError, "window='5'"),
        ({"negative": 0}, ValueError, "nothing to train"),
        ({"n_jobs": 0}, ValueError, "workers=0"),
        ({"random_state": -1}, ValueError, "seed=-1"),
        ({"random_state": "x"}, ValueError, "'x' cannot be used to seed"),
        ({"token_pattern": r"(a)(b)"}, ValueError, "2 capturing groups"),
        ({"tokenizer": "split"}, TypeError, "tokenizer='split' must be a function"),
        ({"tokenizer": str.strip}, TypeError, "the tokenizer made of document 0 is 'river', not a list"),
    ],
    ids=str,
)
def test_fit_rejects_a_wrong_parameter_and_keeps_its_model(wrong, error, message):
    vectorizer = Word2VecVectorizer(**TINY).fit(["river lake"] * 5)
    before = vectorizer.transform([["river"]]).tobytes()
    vectorizer.set_params(**wrong)
    with pytest.raises(error, match=message):
        vectorizer.fit(["river"] * 5)
    vectorizer.set_params(token_pattern=r"\w+", tokenizer=None)
    assert vectorizer.transform([["river"]]).tobytes() == before


# --- in scikit-learn --------------------------------------------------------------------------------------------


def test_before_fit_there_is_nothing_to_transform():
    for call in (lambda v: v.transform(["a"]), lambda v: v.get_feature_names_out()):
        with pytest.raises(NotFittedError):
            call(Word2VecVectorizer())


def test_feature_names_are_those_of_the_fitted_model(fitted):
    fitted.set_params(vector_size=3)
    assert fitted.get_feature_names_out().tolist() == [f"word2vecvectorizer{number}" for number in range(8)]


def test_clones_are_not_fitted_and_pickles_are(fitted):
    with pytest.raises(NotFittedError):
        check_is_fitted(clone(fitted))
    assert clone(fitted).get_params() == fitted.get_params()
    copied = pickle.loads(pickle.dumps(fitted))
    assert copied.transform(["river bread"]).tobytes() == fitted.transform(["river bread"]).tobytes()
    assert copied.get_params() == fitted.get_params()


def test_a_grid_search_over_a_pipeline():
    texts, labels = two_topics(80)
    pipeline = make_pipeline(Word2VecVectorizer(**TINY | {"epochs": 20}), LogisticRegression(C=100))
    grid = {"word2vecvectorizer__sg": [0, 1], "word2vecvectorizer__vector_size": [4, 8]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(texts, labels)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_score_ == 1
    assert search.predict(["boat fish", "flour yeast"]).tolist() == [0, 1]


def test_a_column_of_texts_among_other_columns():
    texts, labels = two_topics(20)
    table = np.array([texts, labels], object).T
    columns = ColumnTransformer([("text", Word2VecVectorizer(**TINY), 0), ("rest", "passthrough", [1])])
    made = columns.fit_transform(table)
    assert made.shape == (20, 9)
    assert made[:, :8].astype(np.float32).tobytes() == Word2VecVectorizer(**TINY).fit_transform(texts).tobytes()
    names = columns.get_feature_names_out().tolist()
    assert (names[0], names[-1]) == ("text__word2vecvectorizer0", "rest__x1")
    as_a_table = ColumnTransformer([("text", Word2VecVectorizer(**TINY), [0])])
    with pytest.raises(ValueError, match="name it by a str, not a list"):
        as_a_table.fit(table)


def test_pandas_in_and_out():
    pandas = pytest.importorskip("pandas")
    texts, labels = two_topics(20)
    frame = pandas.DataFrame({"text": texts, "label": labels}, index=range(100, 120))
    made = Word2VecVectorizer(**TINY).set_output(transform="pandas").fit_transform(frame["text"])
    assert made.columns.tolist() == [f"word2vecvectorizer{number}" for number in range(8)]
    assert made.dtypes.unique().tolist() == [np.float32]
    assert made.to_numpy().tobytes() == Word2VecVectorizer(**TINY).fit_transform(texts).tobytes()
    columns = ColumnTransformer([("text", Word2VecVectorizer(**TINY), "text")], remainder="passthrough")
    assert columns.set_output(transform="pandas").fit_transform(frame).index.tolist() == list(range(100, 120))
    with pytest.raises(ValueError, match=r"DataFrame of shape \(20, 2\), not a sequence of documents"):
        Word2VecVectorizer(**TINY).fit(frame)
    with pytest.raises(TypeError, match="where a text is missing, pass an empty str"):
        Word2VecVectorizer(**TINY).fit(pandas.Series(["a", None]))


def test_tags_say_what_is_true():
    tags = get_tags(Word2VecVectorizer())
    assert (tags.input_tags.string, tags.input_tags.one_d_array, tags.input_tags.two_d_array) == (True, True, False)
    assert tags.requires_fit
    assert not tags.no_validation
    assert not tags.target_tags.required
    assert tags.transformer_tags.preserves_dtype == []
    assert [get_tags(Word2VecVectorizer(n_jobs=n)).non_deterministic for n in (None, 1, 2, -1)] == [0, 0, 1, 1]


def test_scikit_learn_is_loaded_by_its_own_module_alone():
    script = "import sys, w2v.models.word2vec, w2v.vectors.keyed, w2v.cli.program; print('sklearn' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "False"


def test_without_scikit_learn_the_error_names_the_extra(monkeypatch):
    for name in ("sklearn", "sklearn.base"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "w2v.sklearn")
    with pytest.raises(ImportError, match=r"pip install 'w2v\[sklearn\]'"):
        importlib.import_module("w2v.sklearn")


# --- vectors of documents ---------------------------------------------------------------------------------------


def test_document_vectors_are_those_that_the_model_infers():
    texts, _ = two_topics()
    model = Doc2Vec((TaggedDocument(text.split(), [n]) for n, text in enumerate(texts)), **TINY, workers=1)
    vectorizer = Doc2VecVectorizer(**TINY, n_jobs=1).fit(texts)
    assert vectorizer.model_.fingerprint() == model.fingerprint()
    new = ["river lake", "never heard of", "", "oven bread sea"]
    expected = model.infer_vectors([text.split() for text in new]).vectors
    found = vectorizer.transform(iter(new))
    assert (found.dtype, found.tobytes()) == (np.float32, expected.tobytes())
    assert not found[1:3].any()
    assert vectorizer.set_params(n_jobs=3).transform(new).tobytes() == expected.tobytes()
    longer = vectorizer.set_params(infer_epochs=9).transform(new)
    assert longer.tobytes() == model.infer_vectors([text.split() for text in new], epochs=9).vectors.tobytes()


def test_fitted_documents_are_inferred_like_new_ones():
    texts = two_topics()[0]
    at_once = Doc2VecVectorizer(**TINY).fit_transform(iter(texts))
    assert at_once.tobytes() == Doc2VecVectorizer(**TINY).fit(texts).transform(texts).tobytes()


def test_parameters_of_documents_have_the_models_defaults():
    ours, theirs = (inspect.signature(made).parameters for made in (Doc2VecVectorizer, Doc2Vec))
    words = inspect.signature(Word2Vec).parameters
    own = ["infer_epochs", "random_state", "n_jobs", "lowercase", "token_pattern", "tokenizer"]
    assert [name for name in ours if name in own or (name not in theirs and name not in words)] == own
    defaults = {name: (theirs.get(name) or words[name]).default for name in ours if name not in own}
    assert {name: ours[name].default for name in defaults} == defaults | {"dm_mean": words["cbow_mean"].default}


def test_every_parameter_reaches_the_model_of_documents():
    other = {
        **{"vector_size": 5, "alpha": 0.05, "window": 2, "min_count": 2, "max_vocab_size": 1000, "sample": 0.1},
        **{"min_alpha": 0.001, "dm_mean": 0, "dm_concat": 1, "hs": 1, "negative": 3, "ns_exponent": 0.5, "epochs": 1},
        **{"max_final_vocab": 10, "shrink_windows": False, "shared_negatives": False, "cbow_corrected": True},
    }
    model = Doc2VecVectorizer(**other, random_state=7).fit(two_topics()[0]).model_
    assert {name: getattr(model, {"dm_mean": "cbow_mean"}.get(name, name)) for name in other} == other
    model = Doc2VecVectorizer(**TINY, dm=0, dbow_words=1, random_state=7).fit(two_topics()[0]).model_
    assert (model.dm, model.dbow_words, model.seed) == (False, 1, 7)


def test_document_vectors_separate_topics():
    texts, labels = two_topics(400)
    pipeline = make_pipeline(Doc2VecVectorizer(**TINY | {"epochs": 20}, dm=0), LogisticRegression(C=100))
    pipeline.fit(texts[:200], labels[:200])
    assert pipeline.score(texts[200:], labels[200:]) == 1


def test_fit_rejects_epochs_of_inference_that_are_none():
    with pytest.raises(ValueError, match="infer_epochs=0 must be at least 1"):
        Doc2VecVectorizer(**TINY, infer_epochs=0).fit(["river lake"])


def test_a_pickled_model_of_documents_infers_the_same():
    texts = two_topics()[0]
    vectorizer = Doc2VecVectorizer(**TINY).fit(texts)
    copied = pickle.loads(pickle.dumps(vectorizer))
    assert copied.transform(texts).tobytes() == vectorizer.transform(texts).tobytes()


# --- scikit-learn's own checks ----------------------------------------------------------------------------------

# Most of them need tables of numbers, and check_estimator leaves them all out for an estimator that takes none, as it
# does for scikit-learn's own vectorizers. These can do without:
NO_TABLE = [
    *("estimator_cloneable", "estimator_tags_renamed", "valid_tag_types", "estimator_repr", "mixin_order"),
    *("no_attributes_set_in_init", "do_not_raise_errors_in_init_or_set_params", "parameters_default_constructible"),
    *("get_params_invariance", "set_params", "estimators_unfitted", "transformers_unfitted", "transformer_n_iter"),
]


@pytest.mark.parametrize("made", [Word2VecVectorizer, Doc2VecVectorizer, LSAVectorizer])
@pytest.mark.parametrize("name", NO_TABLE)
def test_checks_that_need_no_table(name, made):
    getattr(estimator_checks, f"check_{name}")(made.__name__, made())


@pytest.mark.parametrize("made", [Word2VecVectorizer, Doc2VecVectorizer, LSAVectorizer])
def test_check_estimator_finds_nothing_else_to_check(made):
    with pytest.warns(SkipTestWarning, match=f"Can't test estimator {made.__name__}"):
        results = estimator_checks.check_estimator(made(), on_skip=None)
    assert [result["status"] for result in results] == ["passed"]


class Rows:
    """Takes each row of a table for a document, a word per column, so that the other checks can run too."""

    def fit(self, X, y=None):
        return super().fit(rows_as_words(validate_data(self, X)))

    def fit_transform(self, X, y=None):
        return super().fit_transform(rows_as_words(validate_data(self, X)))

    def transform(self, X):
        check_is_fitted(self)
        return super().transform(rows_as_words(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.one_d_array = tags.input_tags.string = False
        return tags


class OnNumbers(Rows, Word2VecVectorizer):
    pass


class DocumentsOnNumbers(Rows, Doc2VecVectorizer):
    pass


def rows_as_words(table):
    return [[f"{column}:{value:.1f}" for column, value in enumerate(row)] for row in table]


# None is expected to fail. (parametrize_with_checks itself warns in some releases, and warnings are errors.)
CHECKS = [
    pair
    for made in (OnNumbers, DocumentsOnNumbers)
    for pair in estimator_checks.estimator_checks_generator(made(**TINY))
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=[check.func.__name__ for _, check in CHECKS])
def test_checks_that_need_a_table(estimator, check):
    check(estimator)


# --- latent semantic analysis -----------------------------------------------------------------------------------


def test_lsa_in_a_pipeline_is_the_model_itself():
    texts, labels = two_topics()
    vectorizer = LSAVectorizer(vector_size=4, min_count=1, weighting="log-entropy", eig=0.5)
    made = vectorizer.fit_transform(texts)
    model = LSA([text.split() for text in texts], vector_size=4, min_count=1, weighting="log-entropy", eig=0.5)
    assert made.tobytes() == model.dv.vectors.tobytes() == vectorizer.transform(texts).tobytes()
    assert (
        LSAVectorizer(**vectorizer.get_params() | {"n_jobs": 2}).fit_transform(iter(texts)).tobytes() == made.tobytes()
    )
    assert make_pipeline(clone(vectorizer), LogisticRegression()).fit(texts, labels).score(texts, labels) == 1.0
    assert vectorizer.get_feature_names_out().tolist() == [f"lsavectorizer{number}" for number in range(4)]


def test_lsa_has_the_parameters_and_defaults_of_the_model():
    ours, theirs = (inspect.signature(made).parameters for made in (LSAVectorizer, LSA))
    shared = set(ours) & set(theirs)
    assert shared >= {"vector_size", "weighting", "min_count", "max_vocab_size", "max_final_vocab", "eig"}
    assert {name: ours[name].default for name in shared} == {name: theirs[name].default for name in shared}
    with pytest.raises(ValueError, match="weighting"):
        LSAVectorizer(weighting="counts").fit(["a river"])


# --- sequences ------------------------------------------------------------------------------------------------------

PROTEINS = ["MKVLAAGIVG" * 3, "MKVLSAGIVRMKV", "MEEPQSDPSVMEE", "WW"]


@pytest.mark.parametrize("how", ["sum", "mean", "sif"])
def test_sequences_become_what_embed_makes_of_them(how):
    vectorizer = clone(SequenceVectorizer(how=how, settings={"vector_size": 8, "epochs": 2}, random_state=4))
    with pytest.raises(NotFittedError):
        vectorizer.transform(PROTEINS)
    found = vectorizer.fit_transform(PROTEINS)
    expected = bio.ProtVec(PROTEINS, vector_size=8, epochs=2, seed=4, workers=1).embed(PROTEINS, how)
    assert np.array_equal(found, expected.vectors)
    assert vectorizer.get_feature_names_out().tolist() == [f"sequencevectorizer{number}" for number in range(8)]
    # What SIF removes was learnt from the sequences of `fit`, so that a sequence has one vector in any company.
    assert np.array_equal(vectorizer.transform(PROTEINS[1:2])[0], found[1])
    assert vectorizer.transform([]).shape == (0, 8)
    vectorizer.transform(["MKVYYY"])
    assert vectorizer.unseen_ == 3


def test_sequences_are_classified_in_a_pipeline():
    labels = [0, 0, 1, 1]
    model = make_pipeline(SequenceVectorizer(settings={"vector_size": 8}), LogisticRegression())
    texts = [*PROTEINS[:3], PROTEINS[2][::-1]]
    assert model.fit(texts, labels).predict(texts[:1]).shape == (1,)
    with pytest.raises(ValueError, match="preset='X'"):
        SequenceVectorizer(preset="X").fit(texts)
