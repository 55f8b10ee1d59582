"""Policies for unknown words: each gives its vector and says where it comes from; none is by chance."""

import numpy as np
import pytest

from w2v import FastTextKeyedVectors, KeyedVectors
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


def test_without_an_answer_it_is_an_error(vectors):
    for oov in ("error", "subword", ["phrase", "nearest"], ["error", "zero"], []):
        with pytest.raises(KeyError, match="qqqqqqqq"):
            vectors.resolve("qqqqqqqq", oov)


def test_policies_that_cannot_be_followed_are_refused(vectors):
    with pytest.raises(ValueError, match=POLICIES[0]):
        vectors.resolve("x", "random")
    with pytest.raises(ValueError, match="terms="):
        vectors.resolve("x", "dictionary")


@pytest.mark.parametrize(("min_n", "max_n"), [(3, 6), (1, 2), (2, 4)])
def test_subwords_are_named_and_averaged(min_n, max_n):
    rows = np.random.default_rng(0).random((52, 4), np.float32)
    vectors = FastTextKeyedVectors.of_rows(["sun", "moon"], rows, {"count": np.array([2, 1])}, min_n, max_n)
    found = vectors.resolve("größe", ["subword", "error"])
    assert found.policy == "subword"
    assert np.array_equal(found.vector, vectors["größe"])
    assert len(found.sources) == len(vectors._list(["größe"], own=False)[1])
    assert set("".join(found.sources)) <= set("<größe>")
