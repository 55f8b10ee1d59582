"""Several sets of vectors as one: cosines, provenance, words of one model alone."""

import numpy as np
import pytest
from spaces import named, rotation

from w2v import KeyedVectors, Phrases, Word2Vec, merge
from w2v.align.maps import fit

METHODS = ["mean", "concatenate", "svd"]


def three_models(noise=0.0, words=120, size=12):
    """One space, rotated thrice; each lacks a third of the last 30 words."""
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(words, size))
    models = []
    for number in range(3):
        has = [row for row in range(words) if row < words - 30 or row % 3 != number]
        moved = (rows[has] + noise * rng.normal(size=(len(has), size))) @ rotation(size, number)
        counts = np.arange(words, 0, -1)[has] * (number + 1)
        attributes = {"count": counts.astype(np.int64)}
        models.append(KeyedVectors.from_arrays([f"w{row}" for row in has], moved.astype(np.float32), attributes))
    return models, named(rows)


def cosines(kv, words):
    rows = kv[words] / np.linalg.norm(kv[words], axis=1, keepdims=True)
    return rows @ rows.T


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("weights", ["count", None, [1.0, 2.0, 0.5]], ids=str)
def test_rotated_copies_merge_into_what_they_are_copies_of(method, weights):
    models, truth = three_models()
    merged = merge(models, weights, method)
    np.testing.assert_allclose(cosines(merged, truth.index_to_key), cosines(truth, truth.index_to_key), atol=1e-4)
    assert merged.vector_size == (36 if method == "concatenate" else 12)


def test_a_word_says_where_it_comes_from(tmp_path):
    models, _ = three_models()
    models[1].vectors[models[1].key_to_index["w3"]] *= -1
    merged = merge(models)
    merged.save(tmp_path / "merged.safetensors")
    merged = KeyedVectors.load(tmp_path / "merged.safetensors")
    for word, known in (("w3", 0b111), ("w90", 0b110), ("w91", 0b101), ("w92", 0b011)):
        assert merged.get_vecattr(word, "models") == known
        assert merged.get_vecattr(word, "count") == sum(m.get_vecattr(word, "count") for m in models if word in m)
    spread = merged.expandos["spread"]
    assert int(np.argmax(spread)) == merged.key_to_index["w3"]
    assert spread[merged.key_to_index["w4"]] < 1e-5
    assert merged.index_to_key == sorted(merged.index_to_key, key=lambda word: -merged.get_vecattr(word, "count"))


def test_two_models_keep_words_of_one_at_their_place():
    models, truth = three_models(noise=0.02)
    merged = merge(models[:2], anchors=60)
    assert len(merged) == 120
    agreement = np.corrcoef(cosines(merged, ["w90", "w91", "w1"]).ravel(), cosines(truth, ["w90", "w91", "w1"]).ravel())
    assert agreement[0, 1] > 0.999
    assert merged.get_vecattr("w90", "spread") == 0


def test_a_model_that_saw_a_word_more_often_says_more():
    models, _ = three_models(noise=0.5)
    models[0].expandos["count"][:] = 10**6
    merged = merge(models[:2])
    alone, other = (cosines(model, ["w1", "w2", "w3"]) for model in models[:2])
    found = cosines(merged, ["w1", "w2", "w3"])
    assert np.abs(found - alone).max() < 1e-3 < np.abs(found - other).max()


def test_svd_keeps_as_many_numbers_as_are_asked_for():
    models, _ = three_models(noise=0.1)
    whole, most, few = (merge(models, None, "svd", vector_size=size) for size in (36, 12, 2))
    beside = merge(models, None, "concatenate")
    words = beside.index_to_key
    np.testing.assert_allclose(cosines(whole, words), cosines(beside, words), atol=1e-4)
    off = [np.abs(cosines(kv, words) - cosines(beside, words)).mean() for kv in (most, few)]
    assert off[0] < 0.05 < off[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda models: {"models": models[:1]}, "it takes two"),
        (lambda models: {"models": models * 22}, "66 models; at most 63"),
        (lambda models: {"method": "median"}, "method='median'"),
        (lambda models: {"vector_size": 3}, "belongs to method='svd'"),
        (lambda models: {"method": "svd", "vector_size": 37}, "vector_size=37 must be at most 36"),
        (lambda models: {"weights": [1.0, 2.0]}, "must be a positive number for each of the 3"),
        (lambda models: {"weights": [1.0, 2.0, -1.0]}, "must be a positive number"),
        (lambda models: {"weights": "often"}, "weights='often'"),
    ],
    ids=["one", "many", "method", "size", "large", "weights", "negative", "word"],
)
def test_what_cannot_be_merged_is_an_error(change, said):
    models, _ = three_models()
    with pytest.raises(ValueError, match=said):
        merge(**({"models": models} | change(models)))


def test_terms_are_kept_where_all_models_have_the_same():
    text = [["in", "new", "york"], ["a", "new", "house"], ["in", "york"]] * 9
    phrases = Phrases(text[:1] * 9, min_count=1, threshold=0.1)
    options = {"vector_size": 4, "min_count": 1, "workers": 1}
    one, two = (Word2Vec(text, phrases=phrases, seed=seed, **options).wv for seed in (1, 2))
    plain = Word2Vec(text, **options).wv
    both = merge([one, two])
    assert both.get_index("in new") == both.key_to_index["in_new"]
    assert fit(one, two).transform(one).get_index("in new") == one.key_to_index["in_new"]
    for models in ([one, plain], [plain, two]):
        assert "in new" not in merge(models)
