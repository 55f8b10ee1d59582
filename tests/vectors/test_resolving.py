"""Policies for unknown words: each gives its vector and says where it comes from; none is by chance."""

import numpy as np
import pytest

from w2v import FastTextKeyedVectors, FormatError, KeyedVectors, TermMap, Word2Vec
from w2v.files import native
from w2v.vectors.resolving import POLICIES

WORDS = ["york", "new", "tumour", "Paris", "lesion", "mass"]
TERMS = {"neoplasm": ["growth", "tumour"], "growth": "mass", "loop": "round", "round": "loop"}


@pytest.fixture
def vectors():
    return KeyedVectors.from_arrays(list(WORDS), np.eye(6, 4, dtype=np.float32) + np.float32(0.5))


@pytest.mark.parametrize(
    ("word", "policy", "sources"),
    [
        ("neoplasm", "dictionary", ["tumour"]),
        ("growth", "dictionary", ["mass"]),
        ("new_york", "phrase", ["new", "york"]),
        ("new-jersey", "phrase", ["new"]),
        ("york new", "phrase", ["york", "new"]),
        ("PARIS", "casefold", ["Paris"]),
        ("New", "casefold", ["new"]),
        ("lesoin", "nearest", ["lesion"]),
        ("tumor", "nearest", ["tumour"]),
        ("xyzzy", "context", ["lesion", "mass"]),
    ],
)
def test_a_policy_gives_the_mean_of_its_sources(vectors, word, policy, sources):
    found = vectors.resolve(word, policy, terms=TERMS, context=["lesion", "unknown", "mass"])
    assert (found.policy, found.sources) == (policy, tuple(sources))
    np.testing.assert_allclose(found.vector, vectors[sources].mean(axis=0))


def test_a_known_word_needs_no_policy(vectors):
    found = vectors.resolve("new")
    assert found[1:] == ("known", ("new",))
    assert np.array_equal(found.vector, vectors["new"])


def test_the_first_policy_with_an_answer_wins(vectors):
    chain = ["dictionary", "phrase", "casefold", "nearest", "zero"]
    words = ["new", "neoplasm", "new_york", "PARIS", "tumor", "qqqqqqqq", "loop"]
    found, counts = vectors.resolve_all(words, chain, terms=TERMS)
    assert counts == {"known": 1, "dictionary": 1, "phrase": 1, "casefold": 1, "nearest": 1, "zero": 2}
    assert found.shape == (7, 4)
    assert not found[5:].any()
    assert vectors.resolve_all([])[0].shape == (0, 4)


def test_policies_together_give_their_mean_direction_and_length(vectors):
    options = {"terms": TERMS, "context": ["lesion", "mass", "York"]}
    found = vectors.resolve("neoplasm", ["casefold", "phrase+context+dictionary", "zero"], **options)
    assert (found.policy, found.sources) == ("context+dictionary", ("lesion", "mass", "tumour"))
    parts = np.array([vectors[["lesion", "mass"]].mean(axis=0), vectors["tumour"]])
    lengths = np.linalg.norm(parts, axis=1)
    direction = (parts / lengths[:, None]).mean(axis=0)
    np.testing.assert_allclose(found.vector, direction / np.linalg.norm(direction) * lengths.mean(), rtol=1e-6)


def test_of_policies_together_one_answer_is_taken_as_it_is(vectors):
    found = vectors.resolve("tumor", "dictionary+nearest+context", terms=TERMS)
    assert found[1:] == ("nearest", ("tumour",))
    assert np.array_equal(found.vector, vectors["tumour"])
    vectors.oov = ["phrase+nearest", "zero"]
    assert np.array_equal(vectors[["tumor", "qqqqqqqq"]], [vectors["tumour"], np.zeros(4)])
    _, counts = vectors.resolve_all(["tumor", "new_york", "qqqqqqqq"])
    assert counts == {"nearest": 1, "phrase": 1, "zero": 1}


def test_opposite_directions_cancel_out():
    vectors = KeyedVectors.from_arrays(["new", "york"], np.array([[1, 2], [-1, -2]], np.float32))
    found = vectors.resolve("york_", "phrase+nearest+dictionary", terms={"york_": "new"})
    assert found[1:] == ("nearest+dictionary", ("york", "new"))
    assert not found.vector.any()


@pytest.mark.parametrize(
    "oov", ["zero+context", ["phrase", "subword+error"], "known+phrase", "phrase+", "phrase+phrase"]
)
def test_zero_and_errors_and_repeats_answer_with_no_other(vectors, oov):
    with pytest.raises(ValueError, match="oov"):
        vectors.resolve("qqqqqqqq", oov)


def test_without_an_answer_it_is_an_error(vectors):
    for oov in ("error", "subword", ["phrase", "nearest"], ["error", "zero"], []):
        with pytest.raises(KeyError, match="qqqqqqqq"):
            vectors.resolve("qqqqqqqq", oov)


def assert_alike(found, expected):
    """The same words, and the same cosines but for rounding."""
    assert [word for word, _ in found] == [word for word, _ in expected]
    assert [score for _, score in found] == pytest.approx([score for _, score in expected])


def test_policies_are_kept_and_followed_by_every_query(vectors, tmp_path, caplog):
    vectors.oov_terms = TERMS
    vectors.oov = ["dictionary", "casefold", "zero"]
    vectors.save(tmp_path / "kept.safetensors")
    kept = KeyedVectors.load(tmp_path / "kept.safetensors")
    assert kept.oov == ("dictionary", "casefold", "zero")
    assert np.array_equal(kept["growth"], kept["mass"])
    assert_alike(kept.most_similar("NEW", topn=2), kept.similar_by_vector(kept["new"], topn=2))
    assert kept.similarity("PARIS", "Paris") == pytest.approx(1)
    with caplog.at_level("INFO", "w2v"):
        many = kept[["new", "growth", "qqqqqqqq", "NEW"]]
    assert "4 words: 1 known, 1 dictionary, 1 zero, 1 casefold" in caplog.text
    assert np.array_equal(many, [kept["new"], kept["mass"], np.zeros(4), kept["new"]])
    found = kept.most_similar_batch(["york", "growth", "new"], topn=2)
    for word, near in zip(["york", "growth", "new"], found, strict=True):
        assert_alike(near, kept.most_similar(word, topn=2))
    assert kept.vectors_for_all(["new", "growth", "x"], copy_vecattrs=True).index_to_key == ["new", "growth", "x"]
    assert kept.vectors_for_all(["new", "growth"], allow_inference=False).index_to_key == ["new"]
    assert "growth" not in kept
    assert kept.resolve("growth").policy == "dictionary"
    assert kept.resolve_all(["new", "x"])[1] == {"known": 1, "zero": 1}
    kept.oov = None
    with pytest.raises(KeyError, match="growth"):
        kept["growth"]


def test_a_model_keeps_the_policies_of_its_vectors(tmp_path):
    model = Word2Vec([["sun", "moon"]] * 20, vector_size=4, min_count=1, epochs=1)
    before = model.fingerprint()
    model.oov_terms, model.oov = TermMap({"sol": "sun"}), "dictionary"
    assert model.fingerprint() == before
    model.save(tmp_path / "model.safetensors")
    again = Word2Vec.load(tmp_path / "model.safetensors")
    assert (again.oov, again.oov_terms) == (("dictionary",), {"sol": "sun"})
    assert_alike(again.most_similar("sol"), again.wv.similar_by_vector(again.wv["sun"]))
    assert_alike(again.most_similar_batch(["moon", "sol"])[1], again.most_similar("sol"))
    assert KeyedVectors.load(tmp_path / "model.safetensors").oov == ("dictionary",)
    again.build_vocab([["sun", "star"]] * 9)
    assert again.oov == ("dictionary",)


def test_of_subwords_the_default_is_ngrams_and_can_be_changed(tmp_path):
    rows = np.random.default_rng(0).random((52, 4), np.float32)
    vectors = FastTextKeyedVectors.of_rows(["sun", "moon"], rows, {"count": np.array([2, 1])}, 3, 6)
    assert vectors.oov == ("subword", "zero")
    assert "Sun" in vectors
    assert not np.array_equal(vectors["Sun"], vectors["sun"])
    vectors.oov = ["casefold", "error"]
    vectors.save(tmp_path / "kept.safetensors")
    kept = FastTextKeyedVectors.load(tmp_path / "kept.safetensors")
    assert np.array_equal(kept["Sun"], kept["sun"])
    assert "star" not in kept
    with pytest.raises(KeyError, match="star"):
        kept["star"]


@pytest.mark.parametrize("kept", [b"", b"[]", b'{"policies": ["random"], "terms": null}', b'{"terms": {"a": 1}}'])
def test_damaged_policies_are_refused(vectors, tmp_path, kept):
    arrays = {"vectors": np.ones((1, 4), np.float32), "oov": np.frombuffer(kept, np.uint8)}
    native.write_native(tmp_path / "bad.safetensors", "vectors", ["a"], arrays, {})
    with pytest.raises(FormatError, match="policies"):
        KeyedVectors.load(tmp_path / "bad.safetensors")


def test_policies_that_cannot_be_followed_are_refused(vectors):
    with pytest.raises(ValueError, match=POLICIES[0]):
        vectors.resolve("x", "random")
    with pytest.raises(ValueError, match="terms="):
        vectors.resolve("x", "dictionary")
    with pytest.raises(ValueError, match="oov_terms"):
        vectors.oov = "dictionary"
    with pytest.raises(TypeError, match="oov_terms"):
        vectors.oov_terms = {"a": 1}
    with pytest.raises(TypeError, match="oov"):
        vectors.oov = 3
    with pytest.raises(ValueError, match="oov_terms"):
        vectors.oov = ["casefold", "phrase+dictionary"]
    vectors.oov_terms = {"a": "new"}
    vectors.oov = "dictionary+phrase"
    with pytest.raises(ValueError, match="needs oov_terms"):
        vectors.oov_terms = None


@pytest.mark.parametrize(("min_n", "max_n"), [(3, 6), (1, 2), (2, 4)])
def test_subwords_are_named_and_averaged(min_n, max_n):
    rows = np.random.default_rng(0).random((52, 4), np.float32)
    vectors = FastTextKeyedVectors.of_rows(["sun", "moon"], rows, {"count": np.array([2, 1])}, min_n, max_n)
    found = vectors.resolve("größe", ["subword", "error"])
    assert found.policy == "subword"
    assert np.array_equal(found.vector, vectors["größe"])
    assert len(found.sources) == len(vectors._list(["größe"], own=False)[1])
    assert set("".join(found.sources)) <= set("<größe>")
