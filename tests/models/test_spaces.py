"""Two matrices in five spaces, and why two words are near: compared with plain numpy and plain loops."""

import itertools
import json

import numpy as np
import pytest
from corpora import two_topics, zipf_like

from w2v import KeyedVectors, Word2Vec
from w2v.models import explain
from w2v.vectors.asked import SPACES

SETTINGS = {"vector_size": 12, "min_count": 1, "sample": 0, "sg": 1, "workers": 1, "window": 3}


@pytest.fixture(scope="module")
def model():
    return Word2Vec(zipf_like(words=6000), **SETTINGS)


def unit(matrix):
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def both_sides(model, space):
    inputs, outputs = unit(model.wv.vectors.astype(np.float64)), unit(model.syn1neg.astype(np.float64))
    both = unit(inputs + outputs)
    return {
        "in-in": (inputs, inputs), "in-out": (inputs, outputs), "out-in": (outputs, inputs),
        "out-out": (outputs, outputs), "sum": (both, both),
    }[space]  # fmt: skip


@pytest.mark.parametrize("space", SPACES)
def test_every_query_agrees_with_plain_numpy(model, space):
    asking, answering = both_sides(model, space)
    words = model.wv.index_to_key
    batch = model.most_similar_batch(words[:5], topn=7, space=space)
    for row in range(5):
        cosines = answering @ asking[row]
        order = [other for other in np.argsort(-cosines, kind="stable") if other != row][:7]
        for found in (model.most_similar(words[row], topn=7, space=space), batch[row]):
            assert [word for word, _ in found] == [words[other] for other in order]
            assert [cosine for _, cosine in found] == pytest.approx(cosines[order], abs=1e-5)
        assert model.similarity(words[row], words[9], space=space) == pytest.approx(cosines[9], abs=1e-5)
        scores = model.most_similar(words[row], topn=None, space=space)
        assert scores == pytest.approx(cosines, abs=1e-5)
    mean = unit((asking[0] - asking[1])[None])[0]
    found = model.most_similar([words[0]], [words[1]], topn=3, space=space, restrict_vocab=20)
    expected = [row for row in np.argsort(-(answering[:20] @ mean), kind="stable") if row > 1][:3]
    assert [word for word, _ in found] == [words[row] for row in expected]


def test_a_word_is_the_first_in_its_own_list(model):
    for word in model.wv.index_to_key[:20]:
        [(first, cosine), *rest] = model.similar_by_vector(model.wv[word], topn=5)
        assert first == word
        assert cosine == pytest.approx(1, abs=1e-6)
        assert [score for _, score in rest] == sorted((score for _, score in rest), reverse=True)


def test_equal_cosines_come_in_row_order():
    model = Word2Vec(two_topics(), **SETTINGS)
    model.syn1neg[:] = 1.0
    words = model.wv.index_to_key
    assert [word for word, _ in model.most_similar(words[2], topn=4, space="in-out")] == [
        words[row] for row in (0, 1, 3, 4)
    ]
    assert [word for word, _ in model.most_similar_batch([words[2]], 4, space="in-out")[0]] == [
        words[row] for row in (0, 1, 3, 4)
    ]


def test_in_in_is_what_the_vectors_say(model):
    word = model.wv.index_to_key[3]
    assert model.most_similar(word) == model.wv.most_similar(word)
    assert model.similarity(word, word) == pytest.approx(1)


def test_a_saved_model_has_all_spaces(model, tmp_path):
    model.save(tmp_path / "model.safetensors")
    word = model.wv.index_to_key[3]
    for loaded in (
        Word2Vec.load(tmp_path / "model.safetensors"),
        Word2Vec.load(tmp_path / "model.safetensors", mmap="r"),
    ):
        for space in SPACES:
            assert loaded.most_similar(word, space=space) == model.most_similar(word, space=space)
    vectors = KeyedVectors.load(tmp_path / "model.safetensors")
    for ask in (
        lambda: vectors.most_similar(word, space="in-out"),
        lambda: vectors.similarity(word, word, space="in-out"),
        lambda: vectors.similar_by_vector(vectors[word], space="in-out"),
        lambda: vectors.most_similar_batch([word], space="in-out"),
    ):
        with pytest.raises(ValueError, match=r"input vectors alone; load the whole model: Word2Vec\.load"):
            ask()


def test_spaces_that_are_not_there_are_refused(model):
    word = model.wv.index_to_key[0]
    with pytest.raises(ValueError, match="space='out' must be one of"):
        model.most_similar(word, space="out")
    with pytest.raises(ValueError, match="an indexer answers from the input vectors"):
        model.most_similar(word, space="sum", indexer=model.wv)
    tree = Word2Vec(two_topics(), **SETTINGS, hs=1, negative=0)
    with pytest.raises(ValueError, match="negative sampling alone"):
        tree.most_similar(tree.wv.index_to_key[0], space="in-out")
    assert tree.explain(*tree.wv.index_to_key[:2]).together is None


# --- runs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("space", ["in-in", "in-out"])
def test_neighbours_come_with_the_runs_that_agree(space):
    runs = [Word2Vec(two_topics(), **SETTINGS, seed=seed) for seed in (1, 2, 3)]
    word = runs[0].wv.index_to_key[0]
    found = runs[0].most_similar(word, topn=3, space=space, runs=runs[1:])
    lists = [[other for other, _ in run.most_similar(word, topn=3, space=space)] for run in runs]
    assert {near.word for near in found} == set(itertools.chain(*lists))
    for near in found:
        cosines = [float(run.similarity(word, near.word, space=space)) for run in runs]
        assert near.cosine == pytest.approx(np.mean(cosines), abs=1e-5)
        assert near.sd == pytest.approx(np.std(cosines, ddof=1), abs=1e-5)
        assert (near.runs, near.of) == (sum(near.word in one for one in lists), 3)
        assert near.ranks == tuple(one.index(near.word) + 1 if near.word in one else None for one in lists)
    assert [(-near.runs, -near.cosine) for near in found] == sorted((-near.runs, -near.cosine) for near in found)
    assert runs[0].most_similar(word, topn=3, space=space, runs=runs) == found
    with pytest.raises(ValueError, match="another run"):
        runs[0].most_similar(word, runs=[runs[0].wv])


# --- explain ------------------------------------------------------------------------------------------------------


def slow_counts(sentences, index, window):
    counts = np.zeros((len(index), len(index)), np.int64)
    for sentence in sentences:
        rows = [index[word] for word in sentence]
        for i, j in itertools.permutations(range(len(rows)), 2):
            if abs(i - j) <= window:
                counts[rows[i], rows[j]] += 1
    return counts


def test_what_the_corpus_says_is_what_plain_loops_say():
    sentences = zipf_like(words=3000)
    model = Word2Vec(sentences, **SETTINGS, epochs=1)
    index = model.wv.key_to_index
    counts = slow_counts(sentences, index, 3)
    pairs, total = counts.sum(axis=1), counts.sum()
    a, b = model.wv.index_to_key[2], model.wv.index_to_key[5]
    found = model.explain(a, b, topn=4, examples=5)
    assert found.counts == tuple(sum(sentence.count(word) for sentence in sentences) for word in (a, b))
    assert found.meetings.together == counts[2, 5]
    assert found.meetings.expected == pytest.approx(pairs[2] * pairs[5] / total)
    assert found.meetings.pmi == pytest.approx(np.log2(counts[2, 5] * total / (pairs[2] * pairs[5])))
    chance = pairs**0.75 / (pairs**0.75).sum()
    with np.errstate(divide="ignore"):
        ppmi = np.maximum(0, np.log2(counts[[2, 5]] / (pairs[[2, 5], None] * chance)))
    expected = ppmi[0] @ ppmi[1] / np.linalg.norm(ppmi[0]) / np.linalg.norm(ppmi[1])
    assert found.meetings.context_cosine == pytest.approx(expected)
    assert sum(context.share for context in found.contexts) <= 1 + 1e-9
    for context in found.contexts:
        row = index[context.word]
        assert (context.with_a, context.with_b) == (counts[2, row], counts[5, row])
        share = ppmi[0, row] * ppmi[1, row] / np.linalg.norm(ppmi[0]) / np.linalg.norm(ppmi[1]) / expected
        assert context.share == pytest.approx(share)
    assert len(found.examples) == min(5, counts[2, 5])
    for example in found.examples:
        assert f"[{a}]" in example
        assert f"[{b}]" in example
        plain = example.replace("[", "").replace("]", "")
        assert any(plain in " ".join(sentence) for sentence in sentences)


def test_similarities_have_their_place_among_all_words(model):
    words = model.wv.index_to_key
    found = model.explain(words[1], words[4])
    for part, space, own, other in (
        (found.alike, "in-in", 1, 4), (found.together, "in-out", 1, 4), (found.together_back, "in-out", 4, 1)
    ):  # fmt: skip
        scores = model.most_similar(words[own], topn=None, space=space)
        others = np.delete(scores, [own, other])
        assert part.cosine == pytest.approx(scores[other])
        assert part.rank == 1 + (others > scores[other]).sum()
        assert part.percentile == pytest.approx(100 * (others < scores[other]).mean())


def test_shared_neighbours_are_near_to_both(model):
    words = model.wv.index_to_key
    near_a, near_b = (model.most_similar(words[row], topn=None) for row in (1, 4))
    found = model.explain(words[1], words[4], topn=6).neighbors
    lesser = np.minimum(near_a, near_b)
    order = [row for row in np.argsort(-lesser, kind="stable") if row not in (1, 4)][:6]
    assert [near.word for near in found] == [words[row] for row in order]


def test_a_loaded_model_is_given_the_corpus(model, tmp_path):
    sentences = zipf_like(words=6000)
    model.save(tmp_path / "model.safetensors")
    loaded = Word2Vec.load(tmp_path / "model.safetensors")
    a, b = model.wv.index_to_key[:2]
    assert loaded.explain(a, b).meetings is None
    assert "not at hand" in str(loaded.explain(a, b))
    assert loaded.explain(a, b, sentences) == model.explain(a, b)
    assert loaded.explain(a, b).meetings is not None  # it is kept
    path = tmp_path / "text.txt"
    path.write_text("\n".join(" ".join(sentence) for sentence in sentences if sentence))
    streaming = Word2Vec.load(tmp_path / "model.safetensors")
    streaming.cache = "none"
    assert streaming.explain(a, b, corpus_file=path) == model.explain(a, b)
    assert streaming.explain(a, b).meetings is None
    assert loaded.fingerprint() == model.fingerprint()
    assert all(run["repeatable"] for run in loaded.runs)


def test_words_that_never_meet_have_no_mutual_information():
    model = Word2Vec([["a", "b"], ["c", "d"]] * 50, **SETTINGS)
    found = model.explain("a", "d")
    assert (found.meetings.together, found.meetings.pmi, found.examples) == (0, None, ())
    assert "PMI never" in str(found)
    assert model.explain("a", "a").meetings.together == 0


def test_an_explanation_is_json_a_page_and_a_figure(model):
    a, b = model.wv.index_to_key[2:4]
    found = model.explain(a, b)
    assert isinstance(found, explain.Explanation)
    read = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert read["alike"]["cosine"] == found.alike.cosine
    assert read["contexts"][0]["word"] == found.contexts[0].word
    assert not any(name.startswith("_") for name in read)
    page = str(found).splitlines()
    assert page[0] == f"{a} and {b}"
    assert any(line.startswith("  in-out  standing together") for line in page)
    [axes] = found.plot().axes
    assert b in {text.get_text() for text in axes.texts}


def test_unknown_words_and_empty_wishes_are_refused(model):
    with pytest.raises(KeyError, match="unheard"):
        model.explain("unheard", model.wv.index_to_key[0])
    with pytest.raises(ValueError, match="topn=0"):
        model.explain(*model.wv.index_to_key[:2], topn=0)
