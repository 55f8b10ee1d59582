"""Topics: what is planted is found, the same every time, and what is asked of it is answered."""

import logging
import sys

import numpy as np
import pytest
from planted import FAST, SUBJECTS, blobs, model_of, planted

from w2v import Doc2Vec, FormatError, TaggedDocument, Topics

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

DOCUMENTS, LABELS = planted()


@pytest.fixture(scope="module")
def found():
    return Topics.fit(DOCUMENTS, stability=3, **FAST)


@pytest.fixture(scope="module")
def many():
    """Six topics of known sizes, over given vectors."""
    return Topics.fit(model_of(blobs(40, 35, 30, 25, 20, 15)), min_size=8, stability=0)


def partition(topics):
    return [sorted(np.flatnonzero(topics == topic).tolist()) for topic in np.unique(topics)]


# --- what is found --------------------------------------------------------------------------------------------------


def test_each_subject_that_was_planted_is_a_topic(found):
    assert len(found) == 3
    for topic in range(3):
        own = {LABELS[row] for row in np.flatnonzero(found.topics == topic)}
        assert len(own) == 1
        words = {word for word, _ in found.words(topic, 5)}
        assert words <= set(SUBJECTS[own.pop()].split())
    assert found.sizes.tolist() == [30, 30, 30]


def test_any_number_of_workers_gives_the_same_topics(found):
    for workers in (1, 3):
        other = Topics.fit(DOCUMENTS, stability=3, **FAST | {"workers": workers})
        assert other.vectors.tobytes() == found.vectors.tobytes()
        assert other.topics.tolist() == found.topics.tolist()
        assert [other.words(t) for t in range(3)] == [found.words(t) for t in range(3)]
        assert other.stability.words.tolist() == found.stability.words.tolist()


def test_topics_are_numbered_by_their_size(many):
    assert many.sizes.tolist() == [40, 35, 30, 25, 20, 15]


def test_a_file_of_lines_gives_the_topics_of_its_lists(found, tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(map(" ".join, DOCUMENTS)) + "\n")
    assert Topics.fit(corpus_file=path, stability=0, **FAST).topics.tolist() == found.topics.tolist()


def test_umap_finds_what_is_planted_too():
    pytest.importorskip("umap", reason="umap-learn is not installed")
    topics = Topics.fit(model_of(blobs(30, 30, 30)), reduction="umap", min_size=8, stability=0)
    assert sorted(partition(topics.topics)) == [list(range(0, 30)), list(range(30, 60)), list(range(60, 90))]


def test_an_extra_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match=r"w2v\[topics\]"):
        Topics.fit(DOCUMENTS, reduction="umap", **FAST)
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    with pytest.raises(ImportError, match=r"w2v\[topics\]"):
        Topics.fit(DOCUMENTS, **FAST)


# --- complaints of Top2Vec's users ----------------------------------------------------------------------------------


@pytest.mark.parametrize("vectors", [blobs(6), blobs(40, spread=0.3)], ids=["few", "one cloud"])
def test_no_topic_is_a_result_with_a_warning(vectors, caplog, tmp_path):  # Top2Vec #76, #142, #165, #192, #216, #266
    with caplog.at_level(logging.WARNING):
        topics = Topics.fit(model_of(vectors), min_size=25)
    assert "no topic was found" in caplog.text
    assert len(topics) == 0
    assert set(topics.topics) == {-1}
    assert topics.noise.all()
    assert topics.search("one") == []
    assert topics.membership().shape == (len(vectors), 0)
    assert topics.transform([["one"]]).topics.tolist() == [-1]
    assert str(topics) == "no topics"
    topics.save(tmp_path / "none.safetensors")
    assert len(Topics.load(tmp_path / "none.safetensors")) == 0
    with pytest.raises(ValueError, match="there are no topics"):
        topics.words(0)
    with pytest.raises(ValueError, match="count=1 is more than the 0 topics"):
        topics.reduce(1)


def test_one_topic_is_a_result_with_a_warning(caplog, tmp_path):
    with caplog.at_level(logging.WARNING):
        topics = Topics.fit(model_of(blobs(30, 30)), min_size=8, merge_above=-1)
    assert "there is one topic" in caplog.text
    assert topics.sizes.tolist() == [60]
    assert topics.membership().tolist() == [[1.0]] * 60
    assert topics.tree.leaves == 1
    topics.save(tmp_path / "one.safetensors")
    assert Topics.load(tmp_path / "one.safetensors").reduce(1).sizes.tolist() == [60]


def test_fifty_documents_have_topics():  # Top2Vec #38
    documents, labels = planted(50)
    topics = Topics.fit(documents, stability=0, **FAST)
    assert len(topics) == 3
    assert all(len({labels[row] for row in rows}) == 1 for rows in partition(topics.topics))


def test_an_emptied_vocabulary_says_what_to_lower():  # Top2Vec #7, #315
    with pytest.raises(RuntimeError, match="min_count=500"):
        Topics.fit(DOCUMENTS, **FAST | {"min_count": 500})


def test_the_default_min_count_leaves_words_in_few_documents():
    words = Topics.fit(planted(20, 6)[0], stability=0, **FAST).model.wv
    assert len(words) > 10


def test_new_documents_have_topics(found):  # Top2Vec #5, #12, #24, #45, #63, #122, #153, #187, #218, #278, #310
    fresh, labels = planted(12, seed=8)
    of = {LABELS[row]: topic for row, topic in enumerate(found.topics.tolist())}
    assigned = found.transform(fresh)
    assert assigned.topics.tolist() == [of[label] for label in labels]
    assert np.allclose(assigned.membership.sum(axis=1), 1)


def test_a_document_of_the_training_keeps_its_topic(found):
    assigned = found.transform(DOCUMENTS)
    assert assigned.topics.tolist() == found.topics.tolist()
    assert assigned.cosines.tolist() == found.cosines.tolist()


def test_documents_without_a_known_word_are_named(caplog):
    with caplog.at_level(logging.WARNING):
        topics = Topics.fit([*DOCUMENTS, [], ["zebra"]], stability=2, **FAST)
    assert topics.empty == [90, 91]
    assert "2 documents have no known word, and so no topic: 90, 91" in caplog.text
    assert topics.topics[-2:].tolist() == [-1, -1]
    assert topics.areas[-2:].tolist() == [-1, -1]
    assert not topics.membership()[-2:].any()
    assigned = topics.transform([["zebra"]])
    assert (assigned.topics.tolist(), assigned.noise.tolist(), assigned.unknown.tolist()) == ([-1], [True], [0])


@pytest.mark.parametrize("documents", ["a text", ["a text"]])
def test_a_string_in_place_of_words_is_an_error(documents):
    with pytest.raises(TypeError, match=r"is a string|a string, not a list"):
        Topics.fit(documents)


def test_settings_out_of_range_are_named_before_any_work():
    for wrong in ({"reduction": "tsne"}, {"min_size": 1}, {"merge_above": 2}, {"stability": -1}, {"dimensions": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Topics.fit(DOCUMENTS, **wrong)
    with pytest.raises(ValueError, match="no documents"):
        Topics.fit([])
    with pytest.raises(TypeError, match="one of the two"):
        Topics.fit()
    with pytest.raises(TypeError, match="leave out all but the options"):
        Topics.fit(Doc2Vec([TaggedDocument(["a"], [0])], min_count=1, vector_size=4), epochs=3)


# --- reduce, merge, tree --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 4, 6])
def test_reduce_gives_the_number_that_was_asked_for(many, count):
    reduced = many.reduce(count)
    assert len(reduced) == count
    assert sorted(leaf for members in reduced.origins for leaf in members) == list(range(6))
    assert reduced.tree is many.tree
    for topic, members in enumerate(reduced.origins):
        assert set(many.areas[reduced.areas == topic].tolist()) == set(members)


def test_reducing_twice_is_reducing_once(many):
    twice, once = many.reduce(4).reduce(2), many.reduce(2)
    assert twice.origins == once.origins
    assert twice.topics.tolist() == once.topics.tolist()


def test_more_topics_than_there_are_is_an_error(many):
    with pytest.raises(ValueError, match="count=7 is more than the 6 topics"):
        many.reduce(7)


def test_merged_topics_are_one(many):
    merged = many.merge([1, 3], [4, 5])
    assert len(merged) == 4
    one = {merged.areas[many.areas == topic][0] for topic in (1, 3)}
    assert len(one) == 1
    assert merged.tree.leaves == 4
    with pytest.raises(ValueError, match="can be in one of them"):
        many.merge([1, 2], [2, 3])
    with pytest.raises(ValueError, match="at most 5"):
        many.merge([1, 6])


# --- questions ------------------------------------------------------------------------------------------------------


def test_words_documents_and_topics_share_one_scale(found):
    word, cosine = found.words(0, 1)[0]
    assert found.word_distance(0, word) == pytest.approx(1 - cosine, abs=1e-6)
    document, cosine = found.documents(0, 1)[0]
    assert found.document_distance(0, document) == pytest.approx(1 - cosine, abs=1e-6)
    assert found.topic_distance(1, 1) == 0
    expected = 1 - float(found.vectors[0] @ found.vectors[2])
    assert found.topic_distance(0, 2) == found.topic_distance(2, 0) == pytest.approx(expected)


def test_search_finds_the_topic_of_a_word(found):
    for topic in range(3):
        word = found.words(topic, 1)[0][0]
        assert found.search(word, topn=1)[0][0] == topic
        assert found.search([word], negative=[found.words((topic + 1) % 3, 1)[0][0]])[-1][0] == (topic + 1) % 3
    with pytest.raises(KeyError, match="zebra"):
        found.search("zebra")


def test_the_documents_of_a_topic_come_nearest_first(found):
    listed = found.documents(1, 30)
    assert [cosine for _, cosine in listed] == sorted((cosine for _, cosine in listed), reverse=True)
    assert {number for number, _ in listed} == set(np.flatnonzero(found.topics == 1))


def test_over_time_counts_each_label(found):
    years = [2020 + row % 2 for row in range(len(DOCUMENTS))]
    records = found.over_time(years)
    assert sum(record["documents"] for record in records) == len(DOCUMENTS)
    assert [record["label"] for record in records] == sorted(record["label"] for record in records)
    for year in (2020, 2021):
        assert sum(record["share"] for record in records if record["label"] == year) == pytest.approx(1)
    with pytest.raises(ValueError, match="1 labels for 90 documents"):
        found.over_time([2020])


def test_membership_favours_the_nearest_topic(many):
    membership = many.membership()
    assert membership.argmax(axis=1).tolist() == many.topics.tolist()
    assert np.allclose(membership.sum(axis=1), 1, atol=1e-6)


# --- stability, files -----------------------------------------------------------------------------------------------


def test_planted_topics_come_back(found):
    assert found.stability.documents.min() > 0.9
    assert (found.stability.runs, found.stability.vary) == (3, "bootstrap")
    assert found.records()[0]["stable_documents"] == pytest.approx(float(found.stability.documents[0]))


def test_a_topic_that_never_comes_back_is_not_stable():
    rows = np.concatenate([blobs(40, 40, 0, 0), blobs(0, 0, 9, size=8, spread=0.4)])
    topics = Topics.fit(model_of(rows), min_size=8, merge_above=1, stability=5)
    scores = sorted(topics.stability.documents.tolist())
    assert scores[-1] > 0.9
    assert topics.stability.documents[:2].min() > topics.stability.documents[2:].max(initial=0)


def test_models_of_other_seeds_are_compared_as_well(found):
    again = Topics.fit(DOCUMENTS, stability=0, **FAST)
    measured = again.measure_stability(2, "seed", DOCUMENTS)
    assert measured.vary == "seed"
    assert measured.documents.min() > 0.9
    with pytest.raises(ValueError, match="2 documents are not the 90"):
        again.measure_stability(1, "seed", DOCUMENTS[:2])


def test_a_file_holds_all_of_the_topics(found, many, tmp_path):
    for number, topics in enumerate((found, many.reduce(3))):
        path = tmp_path / f"{number}.safetensors"
        topics.save(path)
        read = Topics.load(path)
        assert read.vectors.tobytes() == topics.vectors.tobytes()
        assert read.topics.tolist() == topics.topics.tolist()
        assert read.origins == topics.origins
        assert read.options == topics.options
        assert str(read) == str(topics)
        assert read.reduce(2).topics.tolist() == topics.reduce(2).topics.tolist()
        read.save(tmp_path / "again.safetensors")
        assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    assert len(Doc2Vec.load(tmp_path / "0.safetensors").dv) == len(DOCUMENTS)


def test_a_file_without_topics_is_refused(tmp_path):
    model_of(blobs(3)).save(tmp_path / "model.safetensors")
    with pytest.raises(FormatError, match="holds no topics"):
        Topics.load(tmp_path / "model.safetensors")


def test_numbers_that_do_not_fit_together_are_refused(many, tmp_path):
    path = tmp_path / "topics.safetensors"
    for attribute, value in (
        ("areas", many.areas + 1),
        ("base", many.base + 1),
        ("origins", [[0, 1], [2], [3], [4], [5], []]),
        ("vectors", many.vectors * 3e37),
    ):
        kept = getattr(many, attribute)
        setattr(many, attribute, value)
        try:
            many.save(path)
        except ValueError:
            continue
        finally:
            setattr(many, attribute, kept)
        with pytest.raises(FormatError):
            Topics.load(path)


# --- Top2Vec's names ------------------------------------------------------------------------------------------------


def test_methods_of_top2vec_have_its_results(found):
    sizes, numbers = found.get_topic_sizes()
    assert (sizes.tolist(), numbers.tolist()) == ([30, 30, 30], [0, 1, 2])
    words, scores, numbers = found.get_topics(2)
    assert words.shape == scores.shape == (2, 30)
    assert list(words[0][:3]) == [word for word, _ in found.words(0, 3)]
    topics, cosines, words, _ = found.get_documents_topics([4, 7])
    assert topics.tolist() == found.topics[[4, 7]].tolist()
    assert cosines.tolist() == found.cosines[[4, 7]].tolist()
    assert words.shape == (2, 30)
    assert found.get_documents_topics([4, 7], num_topics=2)[0][:, 0].tolist() == topics.tolist()
    topic = found.search_topics(["bread"], 1)[3][0]
    assert found.query_topics("Bread FLOUR oven", 1)[3].tolist() == [topic]
    cosines, documents = found.search_documents_by_topic(topic, 4)
    assert list(zip(documents.tolist(), cosines.tolist(), strict=True)) == found.documents(topic, 4)
    assert found.search_documents_by_keywords(["bread"], 2)[1].shape == (2,)
    assert 4 not in found.search_documents_by_documents([4], 5)[1]
    words, _ = found.similar_words(["bread"], 3)
    assert set(words) <= set(SUBJECTS["baking"].split())
    assert found.search_words_by_vector(found.vectors[topic], 2)[0].tolist() == [w for w, _ in found.words(topic, 2)]


def test_topics_reduced_by_their_hierarchy_are_asked_with_reduced(many):
    with pytest.raises(ValueError, match="hierarchical_topic_reduction first"):
        many.get_num_topics(reduced=True)
    assert sorted(t for members in many.hierarchical_topic_reduction(3) for t in members) == list(range(6))
    assert many.get_num_topics(reduced=True) == 3
    assert many.get_topic_sizes(reduced=True)[0].tolist() == many.reduce(3).sizes.tolist()
    assert many.get_num_topics() == 6
