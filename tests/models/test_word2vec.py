"""Word2Vec as its users meet it: learning, determinism, idioms, errors, interruption."""

import copy
import hashlib
import itertools
import logging
import os
import pickle
import shutil
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from corpora import TOPICS, planted_analogy, two_topics, zipf_like
from places import paths_of

from w2v import FormatError, KeyedVectors, LineSentence, StopTraining, Word2Vec
from w2v.files import native
from w2v.training import matrices, schedule, workers

LOSSES = {"ns": {"negative": 5}, "hs": {"hs": 1, "negative": 0}, "both": {"hs": 1, "negative": 5}}
ALL_MODELS = list(itertools.product([0, 1], LOSSES))


def digest(model):
    nodes = None if model.syn1 is None else model.syn1[:-1]  # the last row is there for gensim's sake alone
    parts = [model.wv.vectors, *(m for m in (model.syn1neg, nodes) if m is not None)]
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()


def small(corpus=None, **options):
    return Word2Vec(corpus or zipf_like(), **({"vector_size": 10, "min_count": 1, "workers": 1} | options))


# --- it learns the topics -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sg", "loss"), ALL_MODELS)
def test_two_topics_are_told_apart(sg, loss):
    model = Word2Vec(
        two_topics(),
        sg=sg,
        vector_size=12,
        min_count=1,
        sample=0,
        alpha=0.05,
        epochs=10,
        workers=1,
        **LOSSES[loss],
    )
    for topic in TOPICS:
        for word in topic:
            nearest = {found for found, _ in model.wv.most_similar(word, topn=5)}
            assert nearest == set(topic) - {word}


@pytest.mark.parametrize("sg", [0, 1])
def test_a_planted_analogy_is_found(sg):
    model = Word2Vec(
        planted_analogy(),
        sg=sg,
        vector_size=16,
        window=4,
        min_count=1,
        sample=0,
        alpha=0.05,
        epochs=15,
        workers=1,
    )
    assert model.wv.most_similar(positive=["king", "woman"], negative=["man"], topn=1)[0][0] == "queen"
    assert model.wv.most_similar(positive=["prince", "queen"], negative=["king"], topn=1)[0][0] == "princess"


@pytest.mark.parametrize(("sg", "loss"), ALL_MODELS)
@pytest.mark.parametrize("workers", [1, 2])
def test_the_loss_falls_and_is_the_mean_per_example(sg, loss, workers):
    corpus = two_topics(6000)
    model = Word2Vec(
        corpus,
        sg=sg,
        vector_size=8,
        min_count=1,
        sample=0,
        epochs=4,
        workers=workers,
        compute_loss=True,
        **LOSSES[loss],
    )
    assert len(model.loss_history) == 4
    assert model.loss_history[-1] < model.loss_history[0]
    # untrained outputs are zero: each target costs log 2, and the first epoch is not far from that
    targets = {"ns": 6, "hs": 4, "both": 10}[loss]
    assert 0.3 * targets * np.log(2) < model.loss_history[0] < 1.2 * targets * np.log(2)
    examples = sum(record.examples * record.loss for record in model.history)
    assert model.get_latest_training_loss() == pytest.approx(examples)


def test_the_loss_is_the_same_for_one_worker_and_several():
    losses = [
        Word2Vec(
            two_topics(8000), vector_size=8, min_count=1, sample=0, epochs=2, workers=n, compute_loss=True
        ).loss_history
        for n in (1, 4)
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=0.05)


def test_each_train_call_starts_its_own_cumulative_loss():
    corpus = zipf_like()
    model = small(corpus, compute_loss=True, epochs=2)
    both = model.get_latest_training_loss()
    model.train(corpus, total_examples=model.corpus_count, epochs=1)
    assert 0 < model.get_latest_training_loss() < both
    assert len(model.loss_history) == 3


# --- the same bytes -----------------------------------------------------------------------------------------------

GOLDEN = {
    (0, "ns"): "4b52a8a70914ceb52056394538a729764f2315ffce72319cef51c5d2363386ac",
    (0, "hs"): "73c50eb0bfdb4a16c063983528e3348c76acec17672a24554e72278ced7fa6a0",
    (0, "both"): "da2554c62be389bef028100d2dd2d418c1ebd97dda0dea98605d69e778fa1c73",
    (1, "ns"): "b6a01491250924eb457b39d7b56b52324d11d27c05b33c816ca6243a32d4d5de",
    (1, "hs"): "3edceb1d2304c3d00dd5c5b7df439c5ed3b10f4c1213c611613d6d6849b441d7",
    (1, "both"): "79a01db486f6570363b51979aa0c7628edd5aa2c3b9c732db4f2a6aaf38bc3f4",
    "options": "658de4fcad6706f73b3fd152070cc4a5d1881617052a32ba7200c78323d41a61",
}


@pytest.mark.parametrize(("sg", "loss"), ALL_MODELS)
def test_golden_hashes(sg, loss):
    """Other bytes are another scheme: new hashes, a new SCHEME number and a line in the changelog."""
    assert schedule.SCHEME == 4
    assert digest(small(sg=sg, seed=7, epochs=3, **LOSSES[loss])) == GOLDEN[sg, loss]


def test_golden_hash_of_the_options():
    model = small(
        sg=1,
        shared_negatives=False,
        shrink_windows=False,
        ns_exponent=-0.5,
        sample=0.01,
        window=3,
        vector_size=33,
    )
    assert digest(model) == GOLDEN["options"]


SCRIPT = """
import sys; sys.path[:0] = {tests!r}
from test_word2vec import *
print(digest(small(sg=1)))
"""


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_bytes_do_not_depend_on_the_process_or_its_hash_seed(hash_seed):
    script = SCRIPT.format(tests=paths_of(__file__))
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest(small(sg=1))


def test_bytes_do_not_depend_on_where_the_corpus_comes_from(tmp_path):
    corpus = zipf_like(20_000)
    path = tmp_path / "corpus.txt"
    path.write_text("".join(" ".join(sentence) + "\n" for sentence in corpus))
    expected = digest(small(corpus))
    assert digest(small(tuple(map(tuple, corpus)))) == expected
    assert digest(small(sentence for sentence in corpus)) == expected
    assert digest(small(map(list, corpus))) == expected
    assert digest(small(LineSentence(path))) == expected
    options = {"vector_size": 10, "min_count": 1, "workers": 1}
    for cache in ("auto", "memory", "disk", "none"):
        assert digest(Word2Vec(corpus_file=path, cache=cache, **options)) == expected, cache
        assert digest(small(corpus, cache=cache)) == expected, cache


def test_streamed_batches_give_the_same_bytes(monkeypatch):
    monkeypatch.setattr("w2v.tokens.cache.STREAM_WORDS", 100)
    assert digest(small(cache="none")) == digest(small())


def test_build_vocab_and_train_equal_the_constructor():
    corpus = zipf_like()
    model = Word2Vec(vector_size=10, min_count=1, workers=1)
    model.build_vocab(corpus)
    model.train(corpus, total_examples=model.corpus_count, epochs=model.epochs)
    assert digest(model) == digest(small(corpus))


def test_a_tiny_corpus_is_not_split_so_workers_change_nothing():
    assert digest(small(workers=3)) == digest(small(workers=1)) == digest(small(workers=-1))
    assert workers.worker_count(8, 25_000) == 2
    assert workers.worker_count(8, 5) == 1


def test_another_seed_gives_other_vectors():
    assert digest(small(seed=1)) != digest(small(seed=2))


def test_two_models_at_once_do_not_disturb_each_other():
    alone, together = digest(small(epochs=20)), []
    threads = [threading.Thread(target=lambda: together.append(digest(small(epochs=20)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [alone] * 3


def test_float_modes_set_by_other_libraries_change_no_bit(tmp_path):
    """A library built with -ffast-math switches subnormals off for the thread that loads it, and its children."""
    source, library = tmp_path / "fast.c", tmp_path / "fast.so"
    source.write_text("int nothing(void) { return 0; }\n")
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    subprocess.run(["gcc", "-shared", "-fPIC", "-ffast-math", "-o", library, source], check=True)
    script = f"import ctypes; ctypes.CDLL({str(library)!r})\n" + SCRIPT.format(tests=paths_of(__file__))
    script = "import warnings; warnings.simplefilter('ignore')\n" + script
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == digest(small(sg=1))


# --- idioms -------------------------------------------------------------------------------------------------------


def test_the_text_is_read_once():
    class Counted:
        def __init__(self):
            self.passes = 0

        def __iter__(self):
            self.passes += 1
            yield from zipf_like()

    corpus = Counted()
    model = small(corpus, epochs=3)
    assert corpus.passes == 1
    model.train(corpus, total_examples=model.corpus_count, epochs=2)
    assert corpus.passes == 2, "it might give something else by now"
    streamed = Counted()
    small(streamed, epochs=3, cache="none")
    assert streamed.passes == 4


def test_another_corpus_is_encoded_with_the_vocabulary_there_is():
    model = small([["a", "b", "c"]] * 50)
    trained, raw = model.train([["a", "unknown", "b"]] * 10, total_examples=10, epochs=2)
    assert (raw, trained <= 40) == (60, True)
    with pytest.raises(RuntimeError, match="no word of this corpus"):
        model.train([["x", "y"]], total_examples=1, epochs=1)


def test_a_corpus_that_grew_is_read_again():
    corpus = zipf_like()
    model = small(corpus)
    corpus.append(["w0"] * 5)
    _, raw = model.train(corpus, total_examples=len(corpus), epochs=1)
    assert raw == 3005


def test_train_tells_words_after_and_before_subsampling():
    corpus = zipf_like()
    model = small(corpus, sample=0, epochs=2)
    assert model.train(corpus, total_words=model.corpus_total_words, epochs=2) == (6000, 6000)
    assert [record.raw_words for record in model.history] == [3000] * 4
    assert model.corpus_total_words == 3000
    assert model.corpus_count == len(corpus)


def test_the_learning_rate_falls_to_min_alpha_over_all_epochs():
    model = small(alpha=0.05, min_alpha=0.01, epochs=4)
    np.testing.assert_allclose([record.alpha for record in model.history], [0.04, 0.03, 0.02, 0.01])
    assert model.min_alpha_yet_reached == pytest.approx(0.01)


def test_training_goes_on_after_save_and_load(tmp_path):
    corpus = zipf_like()
    model = small(corpus, hs=1, compute_loss=True, vector_size=7)
    model.save(tmp_path / "model.safetensors")
    for mmap in (None, "r"):
        loaded = Word2Vec.load(tmp_path / "model.safetensors", mmap=mmap)
        assert digest(loaded) == digest(model)
        assert loaded.loss_history == model.loss_history
        assert (loaded.corpus_count, loaded.trained_epochs) == (model.corpus_count, model.trained_epochs)
        original = copy.deepcopy(model)
        for each in (original, loaded):
            each.train(corpus, total_examples=each.corpus_count, epochs=2)
        assert digest(loaded) == digest(original) != digest(model)


def test_equal_models_give_equal_files(tmp_path):
    paths = [tmp_path / name for name in ("one", "two")]
    hashes = [small().save(path) for path in paths]
    assert hashes[0] == hashes[1]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_vectors_alone_are_no_model(tmp_path):
    small().wv.save(tmp_path / "vectors.safetensors")
    with pytest.raises(AttributeError, match=r"use KeyedVectors\.load"):
        Word2Vec.load(tmp_path / "vectors.safetensors")
    assert len(KeyedVectors.load(tmp_path / "vectors.safetensors")) == 59


def test_models_can_be_pickled_and_copied():
    model = small()
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert digest(twin) == digest(model)
        twin.train(zipf_like(), total_examples=1, epochs=1)
        assert digest(twin) != digest(model)


def test_replaced_vectors_are_trained():
    corpus = zipf_like()
    model = small(corpus, vector_size=10)
    mine = np.full_like(model.wv.vectors, 0.25)
    model.wv.vectors = mine
    model.train(corpus, total_examples=1, epochs=1, start_alpha=1e-3)
    assert (model.wv.vectors != 0.25).any()
    np.testing.assert_allclose(model.wv.vectors, 0.25, atol=0.05)
    assert (mine == 0.25).all(), "the user's array is left alone"


def test_output_vectors_have_their_words():
    model = small(two_topics(), sg=1)
    outputs = model.output_vectors
    assert (outputs["sun"] == model.syn1neg[model.wv.key_to_index["sun"]]).all()
    assert outputs.index_to_key == model.wv.index_to_key
    with pytest.raises(AttributeError, match="negative sampling"):
        _ = small(hs=1, negative=0).output_vectors


def test_init_weights_starts_again():
    corpus = zipf_like()
    model = small(corpus)
    before = digest(model)
    model.init_weights()
    model.train(corpus, total_examples=1, epochs=model.epochs)
    assert digest(model) == before


def test_a_second_build_vocab_starts_again():
    """No old vector may stay behind under another word (gensim keeps them when the sizes agree)."""
    model = small([["a", "b", "c"]] * 30)
    model.build_vocab([["x", "y", "z"]] * 30)
    assert sorted(model.wv.index_to_key) == ["x", "y", "z"]
    assert (model.wv.vectors == matrices.first_vectors(3, 10, 1)).all()
    assert model.trained_epochs == 0


def test_a_subclass_is_a_model():
    class Mine(Word2Vec):
        pass

    assert str(Mine(zipf_like(), vector_size=5, min_count=1)) == "Mine<vocab=59, vector_size=5, alpha=0.025>"


# --- callbacks ----------------------------------------------------------------------------------------------------


class Recorder:
    def __init__(self, stop_after=None):
        self.events, self.stop_after = [], stop_after

    def on_train_begin(self, model):
        self.events.append("begin")

    def on_epoch_begin(self, model):
        self.events.append("epoch")

    def on_epoch_end(self, model):
        self.events.append(model.wv.most_similar("w0", topn=1)[0][1])
        if model.trained_epochs == self.stop_after:
            raise StopTraining("enough")

    def on_train_end(self, model):
        self.events.append("end")


def test_callbacks_see_fresh_vectors():
    recorder = Recorder()
    model = small(callbacks=[recorder], epochs=2, alpha=0.1)
    begin, first, one, second, two, end = recorder.events
    assert (begin, first, second, end) == ("begin", "epoch", "epoch", "end")
    assert one != two
    assert two == model.wv.most_similar("w0", topn=1)[0][1]


def test_a_callback_can_stop_training():
    recorder = Recorder(stop_after=2)
    model = small(callbacks=[recorder], epochs=10)
    assert model.trained_epochs == 2
    assert recorder.events[-1] == "end"


def test_a_non_callback_is_refused_before_any_work():
    class Half:
        def on_epoch_end(self, model):
            pass

    with pytest.raises(TypeError, match="Half is no callback: it has no on_train_begin, on_epoch_begin, on_train_end"):
        small(callbacks=[Half()])


def test_stopping_at_the_very_end_is_no_error():
    recorder = Recorder()

    def stop(model):
        raise StopTraining

    recorder.on_train_end = stop
    assert small(callbacks=[recorder]).trained_epochs == 5


@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end"])
def test_an_error_in_a_callback_surfaces_at_once(hook):
    recorder = Recorder()

    def broken(model):
        raise LookupError("mine")

    setattr(recorder, hook, broken)
    with pytest.raises(LookupError, match="mine"):
        small(callbacks=[recorder])


# --- errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("vector_size", 0, "vector_size=0 must be at least 1"),
        ("vector_size", -5, "vector_size=-5"),
        ("window", 0, "window=0 must be at least 1"),
        ("window", -2, "window=-2"),
        ("window", 2**31 - 1, "window=2147483647 must be at most 100,000,000"),
        ("negative", 2**29 - 1, "negative=536870911 must be at most 100,000"),
        ("null_word", 2, "null_word=2"),
        ("min_count", -1, "min_count=-1"),
        ("workers", 0, "workers=0 would train nothing; use 1 or more, or -1"),
        ("workers", -2, "-1 means all cores"),
        ("negative", -1, "negative=-1"),
        ("sample", -0.1, "sample=-0.1.*0 switches"),
        ("sample", float("nan"), "sample=nan must be finite"),
        ("alpha", -0.5, "alpha=-0.5"),
        ("alpha", float("nan"), "alpha=nan must be finite"),
        ("alpha", float("inf"), "alpha=inf"),
        ("alpha", 1e300, "alpha=1e\\+300 must be at most 1000"),
        ("sample", 1e-320, "would drop every word; use 0 to keep all"),
        ("sample", 1.7e308, "must be at most 1e\\+18"),
        ("vector_size", 2**31 - 1, "must be at most 1,000,000"),
        ("progress", "no", "progress='no' must be one of None, True, False"),
        ("min_alpha", -1, "min_alpha=-1"),
        ("epochs", 0, "epochs=0"),
        ("seed", -1, "seed=-1"),
        ("ns_exponent", float("nan"), "ns_exponent=nan"),
        ("sg", 2, "sg=2 must be one of 0, 1"),
        ("hs", -1, "hs=-1"),
        ("cbow_mean", 3, "cbow_mean=3"),
        ("max_vocab_size", 0, "max_vocab_size=0.*None means no limit"),
        ("max_final_vocab", 0, "max_final_vocab=0"),
        ("cache", "cloud", "cache='cloud' must be one of 'auto'"),
    ],
)
def test_bad_parameters_are_refused_before_reading_the_corpus(option, value, message):
    def untouched():
        raise AssertionError("the corpus was read")
        yield

    with pytest.raises(ValueError, match=message):
        Word2Vec(untouched(), **{option: value})


@pytest.mark.parametrize("option", ["vector_size", "window", "min_count", "workers", "epochs", "negative", "seed"])
def test_integer_parameters_become_int(option):
    with pytest.raises(TypeError, match=f"{option}='5' must be an integer"):
        Word2Vec(**{option: "5"})
    assert getattr(Word2Vec(**{option: np.int64(5)}), option) == 5


def test_no_loss_at_all_is_refused():
    with pytest.raises(ValueError, match="hs=0 and negative=0"):
        small(hs=0, negative=0)


@pytest.mark.parametrize(
    ("corpus", "said"),
    [
        ([], "there is no word in this corpus"),
        ([[]], "there is no word in this corpus"),
        ([["once"]], r"no word occurs min_count=5 times.*lower min_count or add text"),
    ],
)
def test_nothing_to_train_on(corpus, said):
    with pytest.raises(RuntimeError, match=said):
        Word2Vec(corpus)


def test_an_empty_file_is_no_corpus(tmp_path):
    (tmp_path / "empty").write_text("")
    with pytest.raises(RuntimeError, match="there is no word in this corpus"):
        Word2Vec(corpus_file=tmp_path / "empty")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sentences": "a string"}, "is a string, not lists of tokens; for a file use corpus_file="),
        ({"sentences": ["a string"]}, "sentence 0 is 'a string'"),
        ({"sentences": [[1.5, 2]]}, "tokens must be str, not float"),
        ({"sentences": 5}, "iterable of token lists"),
        ({"sentences": [["a"]], "corpus_file": "x"}, "one of the two"),
        ({"corpus_file": "/no/such/file"}, "is not a file"),
        ({"corpus_file": ["x"]}, "must be a path"),
        ({"sentences": [["a"]], "trim_rule": 3}, "trim_rule=3 must be a function"),
        ({"sentences": [["a"]], "callbacks": 3}, "callbacks=3 must be a list"),
        ({"sentences": [["a"]], "comment": 3}, "comment=3 must be a str"),
        ({"sentences": [["a"]], "alpha": "0.5"}, "alpha='0.5' must be a number"),
    ],
)
def test_a_corpus_of_the_wrong_kind_is_named(arguments, message):
    with pytest.raises(TypeError, match=message):
        Word2Vec(**arguments)


def test_a_generator_cannot_be_streamed_again_and_again():
    with pytest.raises(TypeError, match=r"cache='none'.*generator can be read only once"):
        small((s for s in zipf_like()), cache="none")


def test_train_asks_for_what_gensim_asks_for():
    model = Word2Vec(min_count=1)
    with pytest.raises(RuntimeError, match="call build_vocab first"):
        model.train([["a"]], total_examples=1, epochs=1)
    model.build_vocab([["a", "b"]])
    with pytest.raises(ValueError, match="total_examples"):
        model.train([["a"]], epochs=1)
    with pytest.raises(ValueError, match="epochs="):
        model.train([["a"]], total_examples=1)
    with pytest.raises(ValueError, match="epochs=0"):
        model.train([["a"]], total_examples=1, epochs=0)
    with pytest.raises(TypeError, match="one of the two"):
        model.train(total_examples=1, epochs=1)
    assert model.epochs == 5


def test_the_kernel_never_sees_matrices_of_wrong_shape(tmp_path):
    corpus = zipf_like()
    other = small([["x", "y", "z"]] * 9).wv
    for loss in LOSSES.values():
        model = small(corpus, **loss)
        model.wv = other
        with pytest.raises(RuntimeError, match=r"build_vocab"):
            model.train(corpus, total_examples=1, epochs=1)
    grown = small(corpus)
    grown.wv.add_vectors(["new"], np.zeros((1, 10), np.float32))
    with pytest.raises(RuntimeError, match="was a word added"):
        grown.train(corpus, total_examples=1, epochs=1)
    odd = small(corpus)
    odd.syn1neg = odd.syn1neg[:, :9]
    with pytest.raises(RuntimeError, match="syn1neg"):
        odd.train(corpus, total_examples=1, epochs=1)
    shuffled = small(corpus)
    shuffled.wv.key_to_index = dict.fromkeys(shuffled.wv.index_to_key, 10**6)
    with pytest.raises(RuntimeError, match="do not fit together"):
        shuffled.train(corpus, total_examples=1, epochs=1)
    model = small(corpus)
    model.save(tmp_path / "odd.safetensors")
    kind, words, arrays, meta = native.read_native(str(tmp_path / "odd.safetensors"))
    native.write_native(
        str(tmp_path / "odd.safetensors"),
        kind,
        words,
        arrays,
        {"settings": {**meta["settings"], "vector_size": 12}, "state": meta["state"], "scheme": meta["scheme"]},
    )
    model.vector_size = 12
    with pytest.raises(RuntimeError, match="12"):
        model.save(tmp_path / "never.safetensors")
    with pytest.raises(FormatError, match=r"odd\.safetensors.*needs \(59, 12\)"):
        Word2Vec.load(tmp_path / "odd.safetensors")


@pytest.mark.parametrize(
    ("name", "value"),
    [("window", 0), ("negative", -1), ("workers", 0), ("alpha", -0.5), ("alpha", float("nan")), ("sg", 7)],
)
def test_settings_assigned_later_are_checked_like_those_given(name, value, tmp_path):
    corpus = zipf_like()
    model = small(corpus, sg=1, shared_negatives=False)
    before = digest(model)
    setattr(model, name, value)
    for act in (lambda: model.train(corpus, total_examples=1, epochs=1), lambda: model.save(tmp_path / "model")):
        with pytest.raises(ValueError, match=f"{name}="):
            act()
    assert digest(model) == before
    assert list(tmp_path.iterdir()) == []


def test_settings_of_numpy_can_be_saved_and_loaded(tmp_path):
    model = small(max_final_vocab=np.int64(10), alpha=np.float32(0.5), seed=np.uint8(3))
    model.save(tmp_path / "model.safetensors")
    assert Word2Vec.load(tmp_path / "model.safetensors").max_final_vocab == 10
    model.build_vocab_from_freq({"a": np.int64(5), "b": np.uint32(7)})
    model.save(tmp_path / "model.safetensors")


class Meddling:
    def __init__(self, act):
        self.act = act

    def on_epoch_end(self, model):
        self.act(model)

    on_train_begin = on_epoch_begin = on_train_end = lambda self, model: None


def test_a_callback_that_adds_words_is_stopped():
    corpus = zipf_like()
    act = lambda model: model.wv.add_vectors(["x", "y"], np.zeros((2, 10), np.float32))  # noqa: E731
    with pytest.raises(RuntimeError, match="was a word added"):
        small(corpus, callbacks=[Meddling(act)])


def test_vectors_and_rates_assigned_in_a_callback_are_used():
    rates = small(callbacks=[Meddling(lambda model: setattr(model, "min_alpha", model.alpha))]).history
    assert rates[-1].alpha == rates[1].alpha == 0.025

    def zero(model):
        model.wv.vectors = np.zeros_like(model.wv.vectors)

    model = small(callbacks=[Meddling(zero)], epochs=2)
    assert not model.wv.vectors.any(), "the second epoch trained, and was then zeroed, in the matrix assigned"


def test_another_ns_exponent_makes_another_table():
    corpus = zipf_like()
    model = small(corpus)
    before = model.vocabulary.noise(model.ns_exponent).tobytes()
    model.ns_exponent = -1.0
    model.train(corpus, total_examples=1, epochs=1)
    assert model.vocabulary.noise(model.ns_exponent).tobytes() != before


def test_reordered_words_are_not_trained_against_the_old_outputs():
    corpus = zipf_like()
    model = small(corpus, sorted_vocab=0)
    model.wv.sort_by_descending_frequency()
    with pytest.raises(RuntimeError, match="replaced or reordered"):
        model.train(corpus, total_examples=1, epochs=1)


def test_output_vectors_can_be_added_to_without_harm():
    corpus = zipf_like()
    model = small(corpus)
    model.output_vectors.add_vector("zz", np.zeros(10, np.float32))
    assert "zz" not in model.wv
    model.train(corpus, total_examples=1, epochs=1)


def test_another_streamed_corpus_gets_its_own_schedule():
    model = small([["a", "b"]] * 20, cache="none")
    model.train([["a", "b"]] * 2000, total_examples=1, epochs=1)
    assert model.history[-1].raw_words == 4000
    assert model.history[-1].alpha == pytest.approx(model.min_alpha)
    with pytest.raises(RuntimeError, match="no word of this corpus"):
        model.train([["x"]], total_examples=1, epochs=1)


def test_streaming_with_max_vocab_size_gives_the_same_bytes():
    options = {"max_vocab_size": 20, "vector_size": 5}
    assert digest(small(cache="none", **options)) == digest(small(**options))


def test_training_nothing_is_said(caplog):
    model = small([["a"], ["b"]] * 50, compute_loss=True)
    assert "nothing was trained: of 100 words" in caplog.text
    assert model.loss_history == []


def test_a_failed_build_vocab_keeps_the_trained_model():
    model = small()
    before = digest(model)

    def broken():
        yield ["a"]
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        model.build_vocab(broken())
    assert digest(model) == before


def test_counts_that_do_not_add_up_to_64_bits_are_refused():
    with pytest.raises(ValueError, match="the sum of all counts"):
        Word2Vec(min_count=1).build_vocab_from_freq({"a": 2**62, "b": 2**62, "c": 2**62})


def test_a_file_that_grew_is_read_again(tmp_path):
    path = tmp_path / "text"
    path.write_text("a b a b\n" * 10)
    corpus = LineSentence(path)
    model = small(corpus)
    path.write_text("a b a b\n" * 100)
    assert model.train(corpus, total_examples=1, epochs=1)[1] == 400


def test_a_corpus_without_a_length_of_its_own():
    class Loader(list):
        def __len__(self):
            raise TypeError("not known")

    loaded = Word2Vec(Loader(zipf_like()), vector_size=10, min_count=1, workers=1)
    assert digest(loaded) == digest(small())


def test_a_subclass_with_other_arguments_can_be_loaded(tmp_path):
    class Mine(Word2Vec):
        def __init__(self, corpus):
            super().__init__(corpus, vector_size=10, min_count=1, workers=1)

    model = Mine(zipf_like())
    model.wv.set_vecattr("w0", "weight", 1.5)
    model.save(tmp_path / "model.safetensors")
    loaded = Mine.load(tmp_path / "model.safetensors")
    assert (type(loaded), digest(loaded)) == (Mine, digest(model))
    assert loaded.wv.get_vecattr("w0", "weight") == 1.5


def test_a_vocabulary_replaced_by_hand_is_encoded_anew():
    corpus = [["a", "b", "c", "d"]] * 50
    model = small(corpus)
    index = model.wv.key_to_index
    model.wv.key_to_index = {word: len(index) - 1 - number for word, number in index.items()}
    model.train(corpus, total_examples=1, epochs=1)
    assert model.tokens.held.tokens[:4].tolist() == [model.wv.key_to_index[word] for word in "abcd"]


def test_too_many_targets_for_one_window_are_an_error():
    with pytest.raises(ValueError, match=r"shared_negatives=True"):
        small(
            [list(itertools.chain.from_iterable(zipf_like(60_000)))],
            sg=1,
            window=1000,
            negative=100_000,
            shared_negatives=False,
        )


def test_nothing_to_save_yet(tmp_path):
    with pytest.raises(RuntimeError, match="build_vocab first"):
        Word2Vec().save(tmp_path / "model.safetensors")


def test_divergence_is_an_error_and_not_a_result():
    with pytest.raises(FloatingPointError, match="no longer finite in epoch 1; lower alpha"):
        small(two_topics(), alpha=1000, min_alpha=1000, sample=0)


def test_surprising_settings_are_said(caplog):
    small(hs=1, negative=5)
    assert "Both hierarchical softmax and negative sampling are activated." in caplog.text
    corpus = zipf_like()
    model = small(corpus)
    model.train(corpus, total_examples=1, epochs=1)
    assert "Effective 'alpha' higher than previous training cycles" in caplog.text
    small(alpha=0.001, min_alpha=0.01)
    assert "the learning rate will rise" in caplog.text
    small([["one"] * 9])
    assert "the vocabulary has one word" in caplog.text


@pytest.mark.parametrize("loss", LOSSES)
def test_one_word_and_one_word_sentences_train_without_harm(loss):
    assert np.isfinite(small([["a"]] * 20, **LOSSES[loss]).wv.vectors).all()
    assert np.isfinite(small([["a", "a", "a"]] * 20, **LOSSES[loss]).wv.vectors).all()


def test_nothing_is_printed(capfd, caplog):
    with caplog.at_level(logging.INFO):
        small()
    assert capfd.readouterr() == ("", "")
    assert "epoch 1 of 5" in caplog.text


def test_progress_bars_go_to_stderr_when_asked(capfd):
    small(progress=True, compute_loss=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "epoch 5/5: 100%" in err
    assert "alpha=" in err
    assert "loss=" in err


# --- interruption -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cache", ["auto", "none"])
def test_a_corpus_error_surfaces_at_once_and_ends_all_threads(cache):
    class Breaks:
        passes = 0

        def __iter__(self):
            self.passes += 1
            for number, sentence in enumerate(zipf_like(60_000)):
                if number == 3000 and (cache == "auto" or self.passes == 3):
                    raise LookupError("mine")
                yield sentence

    before = threading.active_count()
    started = time.monotonic()
    with pytest.raises(LookupError, match="mine"):
        small(Breaks(), cache=cache, workers=2)
    assert time.monotonic() - started < 20
    assert threading.active_count() == before


INTERRUPTED = """
import sys, threading, time, signal, os
sys.path[:0] = {tests!r}
from corpora import zipf_like
from w2v import Word2Vec
import numpy as np
model = Word2Vec(vector_size=50, min_count=1, workers={workers}, sg=1, epochs=10**6, cache={cache!r})
corpus = zipf_like(200_000)
model.build_vocab(corpus)
sent = []
def interrupt():
    while not model.history: time.sleep(0.01)
    sent.append(time.monotonic()); os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    model.train(corpus, total_examples=1, epochs=model.epochs)
except KeyboardInterrupt:
    delay = time.monotonic() - sent[0]
    before = model.wv.vectors.copy(); time.sleep(0.2)
    assert (model.wv.vectors == before).all(), "a thread went on"
    assert np.isfinite(before).all() and threading.active_count() == 1
    model.wv.most_similar("w0")
    model.train(corpus, total_examples=1, epochs=1)
    print(delay)
"""


@pytest.mark.parametrize("cache", ["auto", "none"])
@pytest.mark.parametrize("workers", [1, 3])
def test_ctrl_c_stops_soon_and_leaves_a_usable_model(workers, cache):
    script = INTERRUPTED.format(tests=paths_of(__file__), workers=workers, cache=cache)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    # meant to be below 0.1 s; a loaded test machine is given ten times that, a hang is not
    assert float(done.stdout) < 1


def test_the_cache_can_be_given_up_and_taken_up_again():
    """What was held of one corpus is not taken for another that was streamed since."""
    one, other = [["a", "b", "c"]] * 40, [["c", "b", "a", "a"]] * 50
    model = small(one, sample=0)
    for cache, corpus in [("none", one), ("auto", one), ("none", other), ("auto", other), ("none", other)]:
        model.cache = cache
        words = sum(map(len, corpus))
        assert model.train(corpus, total_examples=1, epochs=2) == (2 * words, 2 * words)
    assert model.runs[0]["corpus"]


@pytest.mark.parametrize("wrong", [b"model", 1, None])
def test_a_model_is_saved_to_a_path_or_an_open_file(wrong):
    with pytest.raises(TypeError, match="neither a path nor a file open for writing"):
        small().save(wrong)
