"""A vocabulary that grows: every word keeps its vectors, counts add up; and rows that are locked."""

import copy
import pickle

import numpy as np
import pytest
from corpora import TOPICS, two_topics

from w2v import RULE_DISCARD, RULE_KEEP, KeyedVectors, Word2Vec
from w2v.vocabulary import choose, huffman

NEW = [["lamp", "desk", "chair", "sun"]] * 30 + [["desk", "lamp", "once"]] + [["chair", "desk"]] * 5


@pytest.fixture(params=[(0, 5), (1, 0), (1, 5)], ids=["ns", "hs", "both"])
def model(request):
    hs, negative = request.param
    return Word2Vec(two_topics(), vector_size=10, min_count=2, hs=hs, negative=negative, workers=1, epochs=2)


def test_new_words_follow_and_old_words_keep_their_vectors(model):
    before = copy.deepcopy(model)
    model.build_vocab(NEW, update=True)
    old = len(before.wv)
    assert model.wv.index_to_key == [*before.wv.index_to_key, "desk", "chair", "lamp"]
    assert model.wv.key_to_index == {word: row for row, word in enumerate(model.wv.index_to_key)}
    assert np.array_equal(model.wv.vectors[:old], before.wv.vectors)
    assert (np.abs(model.wv.vectors[old:]).max(axis=1) > 0).all()
    if model.negative:
        assert np.array_equal(model.syn1neg[:old], before.syn1neg)
        assert not model.syn1neg[old:].any()
    if model.hs:
        assert model.syn1.shape == (old + 3, 10)
        trees = [huffman.paths(one.wv.expandos["count"]) for one in (before, model)]
        kept, found = huffman.carried_over(before.syn1, *trees)
        assert found > 0
        assert np.array_equal(model.syn1[:-1], kept)
    assert (model.corpus_count, model.corpus_total_words) == (len(NEW), sum(map(len, NEW)))


def test_counts_add_up_and_subsampling_follows_from_the_sums(model):
    before = dict(zip(model.wv.index_to_key, model.wv.expandos["count"].tolist(), strict=True))
    report = model.prepare_vocab  # kept for the dry run below
    model.scan_vocab(NEW)
    told = report(update=True, dry_run=True)
    assert (told["new_words"], told["drop_unique"], told["num_retained_words"]) == (3, 1, len(before) + 3)
    assert len(model.wv) == len(before)
    model.build_vocab(NEW, update=True)
    expected = before | {"lamp": 31, "desk": 36, "chair": 35, "sun": before["sun"] + 30}
    counts = dict(zip(model.wv.index_to_key, model.wv.expandos["count"].tolist(), strict=True))
    assert counts == expected
    together = Word2Vec(min_count=2, vector_size=10, workers=1)
    together.build_vocab(two_topics() + NEW)
    keep = choose.keep_probability(model.wv.expandos["count"], model.sample)
    keep_together = choose.keep_probability(together.wv.expandos["count"], model.sample)
    for word in counts:
        assert keep[model.wv.key_to_index[word]] == keep_together[together.wv.key_to_index[word]]


def test_training_goes_on_and_the_new_words_learn(model):
    model.build_vocab(NEW, update=True)
    new = model.wv.vectors[len(TOPICS[0]) * 2 :].copy()
    _, raw = model.train(NEW, total_examples=model.corpus_count, epochs=3)
    assert raw == 3 * sum(map(len, NEW))
    assert not np.isclose(model.wv.vectors[len(TOPICS[0]) * 2 :], new).all(axis=1).any()
    assert len(model.loss_history) == 0
    assert model.trained_epochs == 5


def test_words_known_already_change_nothing_but_counts(model):
    before = copy.deepcopy(model)
    model.build_vocab([TOPICS[0]], update=True)
    assert model.wv.index_to_key == before.wv.index_to_key
    assert np.array_equal(model.wv.vectors, before.wv.vectors)
    assert model.wv.expandos["count"].sum() == before.wv.expandos["count"].sum() + len(TOPICS[0])


def test_rules_and_limits_hold_for_the_new_words_alone(model):
    model.build_vocab(
        NEW, update=True, trim_rule=lambda word, count, least: RULE_KEEP if word == "once" else RULE_DISCARD
    )
    assert model.wv.index_to_key[12:] == ["once"]
    model.build_vocab(NEW, update=True, min_count=36)
    assert model.wv.index_to_key[13:] == ["desk"]
    model.max_final_vocab = 15
    model.build_vocab(NEW, update=True, min_count=1)
    assert model.wv.index_to_key[14:] == ["chair"]


def test_known_counts_can_be_added_too(model):
    model.build_vocab_from_freq({"lamp": 9, "sun": 5, "rare": 1}, update=True)
    assert model.wv.index_to_key[12:] == ["lamp"]
    assert model.wv.get_vecattr("lamp", "count") == 9


def test_without_a_vocabulary_there_is_nothing_to_update():
    with pytest.raises(RuntimeError, match="update"):
        Word2Vec(workers=1).build_vocab(NEW, update=True)


def test_an_update_with_nothing_left_of_the_scan_says_so(model, monkeypatch):
    model.scan_vocab(NEW)
    scan = model._scan[1]
    monkeypatch.setattr(scan, "encode", lambda index, rows=None: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        model.prepare_vocab()
    with pytest.raises(RuntimeError, match="no longer known"):
        model.prepare_vocab()


def test_a_model_updated_bit_by_bit_is_saved_whole(model, tmp_path):
    model.build_vocab(NEW, update=True)
    model.train(NEW, total_examples=model.corpus_count, epochs=1)
    model.save(tmp_path / "model.safetensors")
    loaded = Word2Vec.load(tmp_path / "model.safetensors")
    model.train(NEW, total_examples=1, epochs=1)
    loaded.train(NEW, total_examples=1, epochs=1)
    assert np.array_equal(model.wv.vectors, loaded.wv.vectors)


def test_another_vocabulary_is_taken_over(model):
    other = Word2Vec(vector_size=6, min_count=99, workers=1)
    other.reset_from(model)
    assert other.wv.index_to_key == model.wv.index_to_key
    assert np.array_equal(other.wv.expandos["count"], model.wv.expandos["count"])
    assert other.wv.vectors.shape == (12, 6)
    assert other.wv.expandos["count"] is not model.wv.expandos["count"]
    other.train(two_topics(), total_examples=other.corpus_count, epochs=1)
    with pytest.raises(RuntimeError, match="no vocabulary"):
        other.reset_from(Word2Vec())


def test_a_second_vocabulary_of_the_same_size_starts_afresh():
    model = Word2Vec(two_topics(), vector_size=10, min_count=1, workers=1)
    start = Word2Vec(vector_size=10, min_count=1, workers=1)
    start.build_vocab(two_topics(seed=5))
    model.build_vocab(two_topics(seed=5))
    assert np.array_equal(model.wv.vectors, start.wv.vectors)
    model.train(two_topics(), total_examples=1, epochs=1)
    model.init_weights()
    assert np.array_equal(model.wv.vectors, start.wv.vectors)


def test_memory_is_estimated_for_any_size():
    model = Word2Vec(vector_size=100, hs=1)
    report = model.estimate_memory(10_000)
    assert report["vectors"] == report["syn1"] == report["syn1neg"] == 10_000 * 112 * 4
    assert report["total"] == sum(report.values()) - report["total"]
    given = {"more": 7}
    assert model.estimate_memory(10, given)["more"] == 7
    assert "syn1" not in Word2Vec(vector_size=100).estimate_memory(10)


@pytest.mark.parametrize(("settings", "bytes_per_word"), [({}, 48 + 32 + 12), ({"hs": 1, "negative": 0}, 48 + 48)])
def test_memory_of_rounds_is_the_one_of_the_docs(settings, bytes_per_word):
    report = Word2Vec(vector_size=100, deterministic=True, **settings).estimate_memory(1000)
    assert report["rounds"] == 1000 * bytes_per_word
    assert report["total"] == sum(report[name] for name in report if name != "total")


def test_a_null_word_is_added_and_is_never_met():
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, null_word=1, workers=1)
    assert model.wv.index_to_key[-1] == "\0"
    assert model.wv.get_vecattr("\0", "count") == 1


def test_gensims_noise_table_and_generator_are_there():
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, workers=1, epochs=1)
    weights = model.wv.expandos["count"] ** 0.75
    assert model.cum_table.dtype == np.uint32
    assert model.cum_table[-1] == 2**31 - 1
    assert np.diff(model.cum_table, prepend=0) / (2**31 - 1) == pytest.approx(weights / weights.sum(), abs=1e-8)
    assert model.random.randint(2**24) == np.random.RandomState(1).randint(2**24)


# --- locks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sg", [0, 1])
def test_a_locked_word_keeps_its_vector_and_the_others_learn(model, sg):
    model.sg = sg
    model.wv.vectors_lockf = np.ones(len(model.wv), np.float32)
    row = model.wv.key_to_index["sun"]
    model.wv.vectors_lockf[row] = 0
    before = model.wv.vectors.copy()
    model.train(two_topics(), total_examples=1, epochs=1)
    same = (model.wv.vectors == before).all(axis=1)
    assert np.flatnonzero(same).tolist() == [row]
    model.wv.vectors_lockf = np.zeros(1, np.float32)
    before = model.wv.vectors.copy()
    model.train(two_topics(), total_examples=1, epochs=1)
    assert np.array_equal(model.wv.vectors, before)


def test_locks_of_one_are_no_locks_at_all():
    def trained(locks):
        model = Word2Vec(vector_size=8, min_count=1, workers=1)
        model.build_vocab(two_topics())
        if locks is not None:
            model.wv.vectors_lockf = locks
        model.train(two_topics(), total_examples=1, epochs=2)
        return model.wv.vectors

    assert np.array_equal(trained(None), trained(np.ones(12)))


@pytest.mark.parametrize("locks", [np.ones(5), np.ones((12, 1)), np.full(12, np.nan), []])
def test_locks_that_fit_no_vocabulary_are_refused(locks):
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, workers=1, epochs=1)
    model.wv.vectors_lockf = locks
    with pytest.raises(ValueError, match="vectors_lockf"):
        model.train(two_topics(), total_examples=1, epochs=1)


def test_locks_are_saved_and_grow_with_the_vocabulary(tmp_path):
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, workers=1, epochs=1)
    model.wv.vectors_lockf = np.linspace(0, 1, 12, dtype=np.float32)
    model.save(tmp_path / "model.safetensors")
    loaded = Word2Vec.load(tmp_path / "model.safetensors")
    assert np.array_equal(loaded.wv.vectors_lockf, model.wv.vectors_lockf)
    loaded.build_vocab(NEW, update=True)
    assert np.array_equal(loaded.wv.vectors_lockf, [*model.wv.vectors_lockf, 1, 1, 1, 1])


# --- vectors from a file ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("binary", [False, True])
def test_known_words_take_over_the_vectors_of_a_file(tmp_path, binary):
    given = KeyedVectors(8)
    given.add_vectors(["sun", "nowhere", "bread"], np.arange(24, dtype=np.float32).reshape(3, 8))
    given.save_word2vec_format(tmp_path / "given", binary=binary)
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, workers=1, epochs=1)
    model.wv.fill_norms()
    moon = model.wv["moon"].copy()
    assert model.wv.intersect_word2vec_format(tmp_path / "given", binary=binary) == 2
    assert np.array_equal(model.wv["sun"], given["sun"])
    assert np.array_equal(model.wv["moon"], moon)
    assert "nowhere" not in model.wv
    assert model.wv.get_vector("sun", norm=True) == pytest.approx(given.get_vector("sun", norm=True))
    model.train(two_topics(), total_examples=1, epochs=1)
    assert np.array_equal(model.wv["bread"], given["bread"])  # locked by default
    assert not np.array_equal(model.wv["moon"], moon)
    model.wv.intersect_word2vec_format(tmp_path / "given", lockf=1.0, binary=binary)
    model.train(two_topics(), total_examples=1, epochs=1)
    assert not np.array_equal(model.wv["bread"], given["bread"])


def test_words_that_came_after_the_locks_learn_freely(tmp_path):
    vectors = KeyedVectors.from_arrays(["sun", "moon"], np.ones((2, 3), np.float32))
    vectors.save_word2vec_format(tmp_path / "given")
    vectors.intersect_word2vec_format(tmp_path / "given")
    vectors.add_vector("star", np.ones(3))
    vectors.intersect_word2vec_format(tmp_path / "given", lockf=0.5)
    assert vectors.vectors_lockf.tolist() == [0.5, 0.5, 1]


def test_vectors_of_another_size_are_refused(tmp_path):
    KeyedVectors.from_arrays(["sun"], np.ones((1, 3), np.float32)).save_word2vec_format(tmp_path / "given")
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, workers=1, epochs=1)
    with pytest.raises(ValueError, match="size 3, not vector_size=8"):
        model.wv.intersect_word2vec_format(tmp_path / "given")


# --- copies -------------------------------------------------------------------------------------------------------


class Named(Word2Vec):
    """A subclass with a constructor of its own, as dependents write them."""

    def __init__(self, corpus, name):
        super().__init__(corpus, vector_size=8, min_count=1, workers=1, epochs=1)
        self.name = name


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_subclass_can_be_copied_pickled_and_trained_on(copied):
    model = Named(two_topics(), "mine")
    twin = copied(model)
    assert isinstance(twin, Named)
    assert twin.name == "mine"
    for one in (model, twin):
        one.train(two_topics(), total_examples=1, epochs=1)
    assert np.array_equal(model.wv.vectors, twin.wv.vectors)
    assert twin.wv.vectors is not model.wv.vectors


def test_load_is_called_on_the_class_only(tmp_path):
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, workers=1, epochs=1)
    model.save(tmp_path / "model.safetensors")
    with pytest.raises(AttributeError, match=r"Word2Vec\.load\(path\)"):
        model.load(tmp_path / "model.safetensors")


def test_a_model_is_saved_to_an_open_file(tmp_path):
    model = Word2Vec(two_topics(), vector_size=8, min_count=1, workers=1, epochs=1)
    for name, thing in (("model", model), ("vectors", model.wv)):
        with (tmp_path / name).open("wb") as file:
            thing.save(file)
        thing.save(tmp_path / "again")
        assert (tmp_path / name).read_bytes() == (tmp_path / "again").read_bytes()


# --- nothing is lost ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["scan", "encode", "weights"])
@pytest.mark.parametrize("update", [True, False])
def test_a_vocabulary_that_fails_leaves_the_model_as_it_was(model, monkeypatch, where, update):
    from w2v.tokens import encode

    before, kept = copy.deepcopy(model), model.wv

    def fail(*given, **more):
        raise KeyboardInterrupt

    if where == "encode":
        monkeypatch.setattr(encode.Scan, "encode", fail)
    elif where == "weights":
        monkeypatch.setattr("w2v.training.matrices.fill", fail)
    corpus = (fail() if where == "scan" else sentence for sentence in NEW)
    with pytest.raises(KeyboardInterrupt):
        model.build_vocab(corpus, update=update)
    monkeypatch.undo()
    assert model.wv is kept
    assert model.corpus_count == before.corpus_count
    assert model.wv.most_similar("sun") == before.wv.most_similar("sun")
    model.train(two_topics(), total_examples=1, epochs=1)
    before.train(two_topics(), total_examples=1, epochs=1)
    assert np.array_equal(model.wv.vectors, before.wv.vectors)


def test_the_vectors_stay_the_same_object(model):
    held = model.wv
    model.build_vocab(NEW, update=True)
    assert model.wv is held
    assert "lamp" in held
    model.build_vocab(NEW)
    assert model.wv is held
    assert "sun" in held
    assert "moon" not in held


def test_arguments_are_checked_before_the_corpus_is_read(model):
    def untouched():
        raise AssertionError("the corpus was read")
        yield

    for wrong in ({"min_count": -1}, {"sample": 1e-20}, {"sample": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            model.build_vocab(untouched(), **wrong)


def test_a_call_of_train_that_fails_changes_no_setting(model):
    names = ("alpha", "min_alpha", "epochs", "compute_loss", "runs")
    before = {name: copy.copy(getattr(model, name)) for name in names}
    for wrong in ({"start_alpha": 0.5, "end_alpha": -1}, {"start_alpha": 0.5, "callbacks": [1], "compute_loss": True}):
        with pytest.raises((ValueError, TypeError)):
            model.train(two_topics(), total_examples=1, epochs=7, **wrong)
    assert {name: getattr(model, name) for name in names} == before
    model.train(two_topics(), total_examples=1, epochs=7, start_alpha=0.01, end_alpha=0.001)
    assert (model.epochs, model.alpha, model.min_alpha) == (7, 0.01, 0.001)


def test_a_vocabulary_taken_from_the_model_itself_is_not_emptied(model):
    words = list(model.wv.index_to_key)
    model.reset_from(model)
    assert model.wv.index_to_key == words


def test_locks_of_one_set_of_vectors_are_not_those_of_all(tmp_path):
    one = KeyedVectors.from_arrays(["sun"], np.ones((1, 3), np.float32))
    one.save_word2vec_format(tmp_path / "given")
    one.intersect_word2vec_format(tmp_path / "given")
    assert one.vectors_lockf.tolist() == [0]
    assert KeyedVectors(3).vectors_lockf.tolist() == [1]
    with pytest.raises(ValueError, match="read-only"):
        KeyedVectors(3).vectors_lockf[0] = 0


def test_a_model_cannot_be_iterated(model):
    with pytest.raises(TypeError, match="not iterable"):
        iter(model)


def test_a_locked_row_keeps_its_minus_zeros_in_rounds():
    model = Word2Vec(two_topics(6000), vector_size=8, min_count=1, workers=2, deterministic=True, epochs=1)
    model.wv.vectors_lockf = np.ones(12, np.float32)
    model.wv.vectors_lockf[0] = 0
    model.wv.vectors[0] = -0.0
    before = model.wv.vectors[0].tobytes()
    model.train(two_topics(6000), total_examples=1, epochs=1)
    assert model.wv.vectors[0].tobytes() == before


def test_a_vocabulary_that_is_refused_leaves_the_model_as_it_was(model, monkeypatch):
    other, before, kept = Word2Vec(NEW, vector_size=8, min_count=1, workers=1), model.fingerprint(), model.wv

    def fail(*given, **more):
        raise MemoryError

    monkeypatch.setattr("w2v.training.matrices.fill", fail)
    with pytest.raises(MemoryError):
        model.reset_from(other)
    assert model.wv is kept
    assert model.fingerprint() == before


@pytest.mark.parametrize("again", [lambda model: model.init_weights(), lambda model: model.build_vocab(two_topics())])
def test_vectors_of_another_size_are_asked_and_trained(model, again):
    model.vector_size = 12
    again(model)
    assert model.wv.vector_size == 12
    assert model.wv.most_similar("sun")
    model.train(two_topics(), total_examples=1, epochs=1)
    model.wv.add_vector("new", np.ones(12))
