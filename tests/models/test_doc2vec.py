"""Documents and their tags: how they are read, trained, kept, grown and deleted."""

import io
import itertools

import numpy as np
import pytest
from corpora import TOPICS, two_topics, zipf_like
from hypothesis import given, settings
from hypothesis import strategies as st

from w2v import Doc2Vec, FormatError, KeyedVectors, TaggedDocument, TaggedLineDocument, Word2Vec
from w2v.training import matrices

SMALL = {"vector_size": 8, "min_count": 1, "window": 3, "sample": 0, "workers": 1, "epochs": 2, "seed": 7}


def small(documents=None, **changes):
    return Doc2Vec(documents, **SMALL | changes)


def numbered(sentences):
    return [TaggedDocument(words, [number]) for number, words in enumerate(sentences)]


def bytes_of(model):
    return b"".join(np.ascontiguousarray(matrix).tobytes() for matrix in model.weights.named().values())


def vectors_of(model):
    return {key: model.dv[key].copy() for key in model.dv.index_to_key}


def assert_same_vectors(model, vectors):
    for key, vector in vectors.items():
        assert np.array_equal(model.dv[key], vector), key


def test_integers_are_rows_and_texts_follow():
    model = small([TaggedDocument(["a", "b"], ["text", 2]), TaggedDocument(["b"], [0, "other", "text"])])
    assert model.dv.index_to_key == [0, 1, 2, "text", "other"]
    assert model.dv.key_to_index == {"text": 3, "other": 4}
    assert [model.dv.get_index(key) for key in (0, np.int64(2), "other")] == [0, 2, 4]
    assert model.dv.expandos["doc_count"].tolist() == [1, 0, 1, 2, 1]
    assert model.dv.expandos["word_count"].tolist() == [1, 0, 2, 3, 1]


class Anything:
    def __init__(self, words, tags):
        self.words, self.tags = words, tags


def test_any_object_with_words_and_tags_is_a_document():
    usual = numbered(two_topics(50))
    other = [Anything(tuple(words), iter(tags)) for words, tags in usual]
    assert bytes_of(small(usual)) == bytes_of(small(document for document in other))


@pytest.mark.parametrize("dm", [0, 1])
def test_every_way_to_give_a_corpus_gives_the_same_bytes(tmp_path, dm):
    sentences = [[], *two_topics(60), ["one"], [], ["sun"] * 10_001, []]
    path = tmp_path / "corpus.txt"
    path.write_text("".join(" ".join(words) + "\n" for words in sentences))
    documents = numbered(sentences)
    ways = [
        small(documents, dm=dm),
        small((document for document in documents), dm=dm),
        small(TaggedLineDocument(path), dm=dm),
        small(TaggedLineDocument(io.BytesIO(path.read_bytes())), dm=dm),
        small(corpus_file=path, dm=dm),
        small(corpus_file=path, dm=dm, cache="disk"),
        small(documents, dm=dm, cache="none"),
        small(corpus_file=path, dm=dm, cache="none"),
        small(corpus_file=path, dm=dm, max_vocab_size=1000),
    ]
    separate = small(dm=dm)
    separate.build_vocab(documents)
    separate.train(documents, total_examples=separate.corpus_count, epochs=separate.epochs)
    assert {bytes_of(model) for model in [*ways, separate]} == {bytes_of(ways[0])}
    assert len(ways[0].dv) == len(sentences)
    assert ways[0].history[0].trained_words == sum(map(len, sentences))


@pytest.mark.parametrize("dm", [0, 1])
def test_a_document_without_a_known_word_keeps_its_first_vector(dm):
    documents = [*numbered(two_topics(40)), TaggedDocument([], ["empty"]), TaggedDocument(["sun"], ["one"])]
    model, untrained = small(documents, dm=dm), small(dm=dm)
    untrained.build_vocab(documents)
    assert np.array_equal(model.dv["empty"], untrained.dv["empty"])
    assert not np.array_equal(model.dv["one"], untrained.dv["one"])


@pytest.mark.parametrize("options", [{"dm": 0}, {"dm": 0, "hs": 1}, {"dm": 1}], ids=str)
def test_tags_of_a_topic_are_near_each_other(options):
    documents = [TaggedDocument(words, [f"{'ab'[number % 2]}{number}"]) for number, words in enumerate(two_topics(300))]
    model = small(documents, vector_size=20, epochs=40, alpha=0.05, **options)
    near = [key[0] for key, _ in model.dv.most_similar("a0", topn=50)]
    assert near.count("a") >= 45


def test_without_dbow_words_words_do_not_learn():
    documents = numbered(two_topics(50))
    untrained = small(dm=0)
    untrained.build_vocab(documents)
    assert np.array_equal(small(documents, dm=0).wv.vectors, untrained.wv.vectors)
    assert not np.array_equal(small(documents, dm=0, dbow_words=1).wv.vectors, untrained.wv.vectors)


@pytest.mark.parametrize(
    ("document", "error", "match"),
    [
        (TaggedDocument(["a"], [2_000_000_000]), ValueError, "integer tag 2,000,000,000 is .* row"),
        (TaggedDocument(["a"], [2**31]), ValueError, "give it as text, '2147483648'"),
        (TaggedDocument(["a"], [10**30]), ValueError, "integer tag 1,000"),
        (TaggedDocument(["a"], [-1]), ValueError, "integer tag -1"),
        (TaggedDocument(["a"], [1.5]), TypeError, "a tag must be a str or an integer"),
        (TaggedDocument(["a"], [b"x"]), TypeError, "a tag must be a str or an integer"),
        (TaggedDocument(["a"], "tag"), TypeError, "write \\[tag\\]"),
        (TaggedDocument(["a"], 3), TypeError, "write \\[tag\\]"),
        (TaggedDocument("a b", [0]), TypeError, "split them"),
        (["a", "b"], TypeError, "TaggedDocument\\(words, \\[tag\\]\\)"),
    ],
)
def test_what_is_no_document_is_an_error_that_names_it(document, error, match):
    with pytest.raises(error, match=match):
        small([document])


def test_without_words_a_window_of_none_is_as_good_as_another():
    documents = numbered(two_topics(20))
    assert bytes_of(small(documents, dm=0, window=0)) == bytes_of(small(documents, dm=0))
    for options in ({"dm": 1}, {"dm": 0, "dbow_words": 1}):
        with pytest.raises(ValueError, match="window=0 must be at least 1"):
            small(documents, window=0, **options)


def test_one_character_is_a_tag_also_without_a_list():
    assert small([TaggedDocument(["a", "b"], "4")]).dv.index_to_key == ["4"]


def test_a_failed_build_leaves_tags_as_they_were():
    model = small(numbered(two_topics(20)))
    before = bytes_of(model), list(model.dv.index_to_key)
    with pytest.raises(ValueError, match="integer tag"):
        model.build_vocab([TaggedDocument(["new"], [2_000_000_000])], update=True)
    assert (bytes_of(model), model.dv.index_to_key) == before


def test_the_hash_of_a_corpus_covers_its_tags():
    documents = numbered(two_topics(20))
    swapped = [document._replace(tags=[19 - document.tags[0]]) for document in documents]
    one, other = small(documents), small(swapped)
    one.record_digests(), other.record_digests()
    assert one.runs[0]["corpus"] != other.runs[0]["corpus"]
    with pytest.raises(ValueError, match="another corpus"):
        one.trained_again(swapped)
    assert one.trained_again(documents).fingerprint() == one.fingerprint()


def test_a_fingerprint_covers_the_names_of_tags():
    first, other = ([TaggedDocument(words, [tag]) for words in two_topics(5)] for tag in ("x", "y"))
    assert small(first).fingerprint() != small(other).fingerprint()


MIXED = [TaggedDocument(words, [n, f"é{n % 3}"] if n % 2 else ["\ud800 odd"]) for n, words in enumerate(two_topics(20))]


@pytest.mark.parametrize("documents", [numbered(two_topics(10)), MIXED])
@pytest.mark.parametrize("options", [{"dm": 0}, {"dm_concat": 1}])
@pytest.mark.parametrize("mmap", [None, "r"])
def test_a_file_holds_the_tags(tmp_path, documents, options, mmap):
    model = small(documents, **options)
    model.dv.vectors_lockf = np.linspace(0, 1, len(model.dv), dtype=np.float32)
    model.save(tmp_path / "model.safetensors")
    loaded = Doc2Vec.load(tmp_path / "model.safetensors", mmap=mmap)
    assert (loaded.dv.index_to_key, loaded.dv.key_to_index) == (model.dv.index_to_key, model.dv.key_to_index)
    assert loaded.fingerprint() == model.fingerprint()
    assert str(loaded) == str(model)
    assert np.array_equal(loaded.dv.expandos["doc_count"], model.dv.expandos["doc_count"])
    for one in (model, loaded):
        one.train(documents, total_examples=1, epochs=1)
    assert bytes_of(loaded) == bytes_of(model)


def test_a_file_of_words_is_no_file_of_documents(tmp_path):
    model = small(MIXED)
    model.save(tmp_path / "model.safetensors")
    assert len(KeyedVectors.load(tmp_path / "model.safetensors")) == len(model.wv)
    with pytest.raises(FormatError):
        Word2Vec.load(tmp_path / "model.safetensors")
    Word2Vec(two_topics(20), **SMALL).save(tmp_path / "words.safetensors")
    with pytest.raises(FormatError, match="word2vec"):
        Doc2Vec.load(tmp_path / "words.safetensors")


@pytest.mark.parametrize("options", [{"dm": 0}, {"dm": 1, "hs": 1}, {"dm_concat": 1}], ids=str)
def test_new_documents_leave_every_old_vector_on_its_tag(options):
    model = small(MIXED, **options)
    before = vectors_of(model)
    new = [TaggedDocument(["sun", "new", "new"], ["late"]), TaggedDocument(["moon"], [40]), TaggedDocument(["x"], [0])]
    model.build_vocab(new, update=True)
    assert_same_vectors(model, before)
    assert "new" in model.wv
    assert [model.dv.get_index(key) for key in (40, "late")] == [len(before), len(before) + 1]
    model.train(new, total_examples=model.corpus_count, epochs=2)
    changed = {key for key, vector in before.items() if not np.array_equal(model.dv[key], vector)}
    assert changed == {0}  # the row of an integer that had no document yet


@pytest.mark.parametrize(
    ("options", "parallel"),
    [
        ({"dm": 0}, {"workers": 3}),
        ({"dm": 0, "dbow_words": 1}, {"workers": 1}),
        ({"dm": 1}, {"workers": 1}),
        ({"dm": 1}, {"workers": 3, "deterministic": True}),
        ({"dm_concat": 1}, {"workers": 1}),
        ({"dm_concat": 1}, {"workers": 3, "deterministic": True}),
    ],
    ids=str,
)
def test_added_documents_move_nothing_but_their_tags(options, parallel):
    documents = [TaggedDocument(words, [f"{'ab'[n % 2]}{n}"]) for n, words in enumerate(two_topics(200))]
    model = small(documents, epochs=20, alpha=0.05, **options | parallel)
    before, vectors = {n: m.tobytes() for n, m in model.weights.named().items() if n != "documents"}, vectors_of(model)
    new = [TaggedDocument(words, [f"new {'ab'[n % 2]}{n}", "a0"][: 1 + ("dm_concat" not in options)])
           for n, words in enumerate(two_topics(2600 if parallel["workers"] > 1 else 20, seed=1))]  # fmt: skip
    model.add_documents(iter(new), epochs=20)
    assert {n: m.tobytes() for n, m in model.weights.named().items() if n != "documents"} == before
    assert_same_vectors(model, vectors)
    near = [key for key, _ in model.dv.most_similar("new a0", topn=20)]
    assert sum(key.removeprefix("new ")[0] == "a" for key in near) >= 15
    assert (model.epochs, model.runs[-1]["repeatable"]) == (20, False)


def test_locked_tags_stay():
    documents = numbered(two_topics(30))
    model = small(documents)
    before = vectors_of(model)
    model.dv.vectors_lockf = np.array([0, 1] * 15, np.float32)
    model.train(documents, total_examples=1, epochs=1)
    same = [np.array_equal(model.dv[key], vector) for key, vector in before.items()]
    assert same == [True, False] * 15


def test_a_deleted_tag_is_gone_and_others_keep_theirs():
    model = small(MIXED)
    before = vectors_of(model)
    model.delete_documents([3, "é0"])
    with pytest.raises(KeyError):
        model.dv[3]
    with pytest.raises(KeyError):
        model.dv["é0"]
    assert_same_vectors(model, {key: vector for key, vector in before.items() if key not in (3, "é0")})
    with pytest.raises(KeyError):
        model.delete_documents(["é1", "nobody"])
    assert "é1" in model.dv
    model.train(MIXED, total_examples=1, epochs=1)  # its deleted tags are left out, and said to be


def test_documents_in_a_file_are_the_same_documents(tmp_path):
    documents = numbered(two_topics(40))
    path = tmp_path / "dv.rows"
    model = small(documents, dv_mapfile=path)
    assert bytes_of(model) == bytes_of(small(documents))
    assert path.stat().st_size == len(model.dv) * matrices.padded_size(8) * 4
    on_disk = np.fromfile(path, np.float32).reshape(len(model.dv), -1)[:, :8]
    assert np.array_equal(on_disk, model.dv.vectors)
    before = vectors_of(model)
    model.build_vocab([TaggedDocument(["sun"], ["late"])], update=True)
    model.delete_documents([0])
    assert_same_vectors(model, {key: vector for key, vector in before.items() if key != 0})
    assert path.stat().st_size == len(model.dv) * matrices.padded_size(8) * 4


def test_concatenation_says_which_documents_do_not_fit(caplog):
    documents = [*numbered(two_topics(20)), TaggedDocument(["sun", "moon"], ["two", "tags"])]
    model, untrained = small(documents, dm_concat=1), small(dm_concat=1)
    untrained.build_vocab(documents)
    assert "1 of 21 documents do not have dm_tag_count=1 tags" in caplog.text
    assert np.array_equal(model.dv["two"], untrained.dv["two"])
    assert model.syn1neg.shape == (len(model.wv), model.layer1_size) == (len(TOPICS[0] * 2) + 1, 7 * 8)


def test_word2vec_files_have_words_and_tags_apart(tmp_path):
    model = small(MIXED[1::2])
    path = tmp_path / "vectors.txt"
    model.save_word2vec_format(path, doctag_vec=True)
    found = KeyedVectors.load_word2vec_format(path)
    assert len(found) == len(model.wv) + len(model.dv)
    np.testing.assert_allclose(found["*dt_é1"], model.dv["é1"], atol=1e-6)
    assert model["soup"].tolist() == model.wv["soup"].tolist()
    assert model[["soup", "é1"]].shape == (2, 8)


def test_names_of_gensim_3_give_the_new_ones():
    with pytest.deprecated_call():
        model = small(numbered(two_topics(10)), docvecs=KeyedVectors(8))
    with pytest.deprecated_call():
        assert model.docvecs is model.dv
    assert (model.dm, model.dbow) == (True, False)


def test_reset_from_takes_words_and_tags():
    one, other = small(MIXED), small()
    other.reset_from(one)
    assert other.dv.index_to_key == one.dv.index_to_key
    other.train(MIXED, total_examples=1, epochs=2)
    assert bytes_of(other) == bytes_of(one)


KEYS = st.one_of(st.integers(0, 12), st.sampled_from(["a", "b", "c", "dé", ""]))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["grow", "add", "delete"]), st.lists(KEYS, min_size=1, max_size=4)), max_size=6)
)
def test_growth_and_deletion_keep_every_vector(steps):
    """Against a dictionary: after every step each tag that is not trained has the vector it had."""
    model = small([TaggedDocument(["sun", "moon"], [0])], epochs=1)
    for step, keys in steps:
        before = vectors_of(model)
        if step == "delete":
            known = [key for key in dict.fromkeys(keys) if key in model.dv.index_to_key]
            model.delete_documents(known)
            before = {key: vector for key, vector in before.items() if key not in known}
            assert len(model.dv) == len(before)
        else:
            new = [TaggedDocument(["sun", "star"], keys)]
            (model.add_documents if step == "add" else lambda d: model.build_vocab(d, update=True))(new)
            assert set(keys) <= set(model.dv.index_to_key)
        assert_same_vectors(model, before)
        assert len(set(model.dv.index_to_key)) == len(model.dv.vectors)


@pytest.mark.slow
def test_a_thousand_cycles_of_growth_and_deletion():
    rng = np.random.default_rng(0)
    model = small([TaggedDocument(["sun", "moon"], [0])], epochs=1)
    words, name = zipf_like(words=3000), itertools.count(1)
    for cycle in range(1000):
        tags = [next(name) if rng.random() < 0.5 else f"t{next(name)}" for _ in range(3)]
        new = [TaggedDocument([*words[(cycle + n) % len(words)], f"word{cycle}"], [tag]) for n, tag in enumerate(tags)]
        if cycle % 2:
            model.add_documents(new)
        else:
            model.build_vocab(new, update=True)
            model.train(new, total_examples=1, epochs=1)
        before = vectors_of(model)
        assert set(tags) <= set(before)
        gone = [
            model.dv.index_to_key[row] for row in rng.choice(len(model.dv), min(2, len(model.dv) - 1), replace=False)
        ]
        model.delete_documents(gone)
        assert_same_vectors(model, {key: vector for key, vector in before.items() if key not in gone})
        assert len(model.dv) == len(before) - len(gone)
        model.infer_vector(["sun", "moon"])
