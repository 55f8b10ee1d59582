"""Rows that a training leaves as they are: to the bit, through checkpoints, copies and files, and on the record."""

import copy

import numpy as np
import pytest
from corpora import TOPICS, two_topics, zipf_like

from w2v import CallbackAny2Vec, FormatError, Word2Vec
from w2v.files import native
from w2v.training import freezing

OPTIONS = {"vector_size": 12, "min_count": 1, "window": 3, "sample": 0, "workers": 1, "seed": 7}
WORDS = [*TOPICS[0][:3], TOPICS[1][5]]
MODELS = {
    "skip-gram": {"sg": 1},
    "CBOW": {"sg": 0},
    "hierarchical": {"sg": 1, "hs": 1, "negative": 0},
    "both": {"sg": 0, "hs": 1},
}


def trained(**changes):
    return Word2Vec(two_topics(300), epochs=2, **OPTIONS | changes)


def rows(model, words=None):
    """The bytes of what can be frozen: inputs, outputs, nodes."""
    places = slice(None) if words is None else [model.wv.key_to_index[word] for word in words]
    found = {"inputs": model.wv.vectors[places]}
    found |= {"outputs": model.syn1neg[places]} if model.syn1neg is not None else {}
    found |= {"nodes": model.syn1} if model.syn1 is not None and words is None else {}
    return {name: np.ascontiguousarray(matrix).tobytes() for name, matrix in found.items()}


def go_on(model, **options):
    model.train(two_topics(300, seed=3), total_examples=1, **{"epochs": 2, "start_alpha": 0.05} | options)
    return model


@pytest.mark.parametrize("settings", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("way", [{}, {"deterministic": True, "workers": 3}], ids=["one worker", "deterministic"])
@pytest.mark.parametrize("freeze", ["outputs", "inputs", WORDS], ids=str)
def test_what_is_frozen_keeps_its_bytes_and_the_rest_learns(settings, way, freeze):
    model = trained(**settings, **way)
    before, words = rows(model), rows(model, WORDS)
    go_on(model, freeze=freeze)
    same = {name for name, matrix in rows(model).items() if matrix == before[name]}
    if freeze == WORDS:
        assert rows(model, WORDS) == words
        assert same == set()
    else:
        assert same == ({"inputs"} if freeze == "inputs" else set(before) - {"inputs"})


def test_frozen_rows_keep_their_bytes_with_several_workers(monkeypatch):
    """Hogwild's copies of frequent rows are averaged with the shared ones, and must not move those that are frozen."""
    monkeypatch.setattr("w2v.training.workers.HOT_COUNT", 1)
    text = zipf_like(words=60_000, vocabulary=60)
    model = Word2Vec(text, epochs=1, **OPTIONS | {"workers": 3, "sg": 1})
    words = model.wv.index_to_key[:40:2]
    frozen, all_rows = rows(model, words), rows(model)
    model.train(text, total_examples=1, epochs=1, freeze=words)
    assert rows(model, words) == frozen
    for freeze in ("outputs", "inputs"):
        before = rows(model)
        model.train(text, total_examples=1, epochs=1, freeze=freeze)
        assert [name for name, matrix in rows(model).items() if matrix == before[name]] == [freeze]
    assert rows(model) != all_rows


def test_slices_under_a_compass_are_comparable_as_they_are():
    """One word, the sun, stands with the other topic in the second slice; its vector has moved most."""

    def text(topic, seed):
        draw = np.random.default_rng(seed)
        found = [[word for word in sentence if word != "sun"] for sentence in two_topics(1500, seed)]
        for sentence in found[topic::2]:
            sentence[draw.integers(len(sentence))] = "sun"
        return found

    first, second = text(0, seed=0), text(1, seed=1)
    compass = Word2Vec(first + second, sg=1, epochs=5, **OPTIONS)
    units = []
    for part in (first, second):
        model = copy.deepcopy(compass)
        model.train(part, total_examples=1, epochs=3, freeze="outputs")
        units.append(model.wv.get_normed_vectors())
    cosines = np.vecdot(*units)
    assert compass.wv.index_to_key[int(np.argmin(cosines))] == "sun"
    assert cosines.min() > 0.3  # two trainings without a compass give any


# --- the record -------------------------------------------------------------------------------------------------------


class StopAfterOne(CallbackAny2Vec):
    def on_epoch_end(self, model):
        raise KeyboardInterrupt


@pytest.mark.parametrize("freeze", ["outputs", "inputs", WORDS], ids=str)
@pytest.mark.parametrize("deterministic", [False, True])
def test_a_resumed_run_stays_frozen(freeze, deterministic, tmp_path):
    model = trained(deterministic=deterministic)
    whole, cut = go_on(copy.deepcopy(model), freeze=freeze), copy.deepcopy(model)
    with pytest.raises(KeyboardInterrupt, match="goes on"):
        go_on(cut, freeze=freeze, checkpoint=tmp_path, callbacks=[StopAfterOne()])
    again = Word2Vec.resume(tmp_path, two_topics(300, seed=3))
    assert rows(again) == rows(whole)
    assert again.fingerprint() == whole.fingerprint()
    assert rows(again, WORDS if freeze == WORDS else None) != rows(go_on(model))


def test_a_run_says_what_it_froze(tmp_path):
    model = trained()
    assert "freeze" not in model.runs[-1]
    alike = copy.deepcopy(model)
    go_on(model, freeze=WORDS)
    go_on(alike)
    assert model.fingerprint() != alike.fingerprint()
    numbers = sorted(model.wv.key_to_index[word] for word in WORDS)
    assert model.runs[-1]["freeze"].startswith(f"rows {numbers[0]}")
    model.save(tmp_path / "model.safetensors")
    loaded = Word2Vec.load(tmp_path / "model.safetensors")
    assert loaded.runs == model.runs
    assert loaded.fingerprint() == model.fingerprint()


def test_a_training_that_froze_can_be_repeated():
    text = two_topics(300)
    model = Word2Vec(text, epochs=2, **OPTIONS)
    for freeze in (WORDS, "outputs"):
        model.train(text, total_examples=1, epochs=1, freeze=freeze)
    assert rows(model.trained_again(text)) == rows(model)


def test_a_long_description_is_kept_of_the_last_run_alone(monkeypatch):
    monkeypatch.setattr(freezing, "SHORT", 9)
    model = trained()
    go_on(model, freeze=WORDS)
    assert len(model.runs[-1]["freeze"]) > 9
    go_on(model)
    assert model.runs[-2]["freeze"].startswith("sha256 ")
    with pytest.raises(ValueError, match="nothing to compare"):
        model.trained_again(two_topics(300))
    model.provenance.check()


@pytest.mark.parametrize("words", [[0], [0, 1, 2], [0, 2, 4], [5, 3, 4, 9, 0, 3]], ids=str)
def test_rows_are_written_down_and_read_again(words):
    index = {number: number for number in range(10)}
    written = freezing.checked(words, index, trained().weights)
    assert freezing.as_asked(written, range(10)) == sorted(set(words))
    mask = freezing.kernel_options(written, 10)["frozen"]
    assert np.flatnonzero(mask).tolist() == sorted(set(words))
    freezing.check(written)


# --- what cannot be frozen --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("freeze", "error", "said"),
    [
        ("everything", ValueError, "freeze='everything' is not understood; it is 'outputs', 'inputs', or a list"),
        (b"outputs", ValueError, "is not understood"),
        (7, TypeError, "freeze=7 is not understood"),
        (["sun", "sum"], KeyError, "freeze: 'sum' is not in the vocabulary of 12 words"),
        ([word for topic in TOPICS for word in topic], ValueError, "names every word"),
    ],
    ids=["a word", "bytes", "number", "unknown", "all"],
)
def test_what_cannot_be_frozen_is_an_error_before_any_work(freeze, error, said):
    model = trained()
    before, runs = rows(model), list(model.runs)
    with pytest.raises(error, match=said):
        go_on(model, freeze=freeze)
    assert rows(model) == before
    assert model.runs == runs


def test_outputs_of_zero_cannot_be_frozen():
    model = Word2Vec(**OPTIONS)
    model.build_vocab(two_topics(300))
    with pytest.raises(ValueError, match="the output rows are all zero"):
        model.train(two_topics(300), total_examples=1, epochs=1, freeze="outputs")


def test_no_words_are_nothing_to_freeze():
    one, other = go_on(trained(), freeze=[]), go_on(trained())
    assert rows(one) == rows(other)
    assert one.runs == other.runs


@pytest.mark.parametrize("freeze", [5, "everything", "rows", "rows 1-", "rows 5-99", "rows 4-2"], ids=str)
def test_a_file_that_says_what_cannot_be_is_refused(freeze, tmp_path):
    model = go_on(trained(), freeze=WORDS)
    found = model.contents()
    found.meta["state"]["runs"][-1]["freeze"] = freeze
    path = tmp_path / "model.safetensors"
    native.write_native(path, *found)
    if freeze in ("rows 5-99", "rows 4-2"):  # its rows are looked at when they are used
        with pytest.raises(RuntimeError, match="the run froze the rows"):
            freezing.kernel_options(Word2Vec.load(path).runs[-1]["freeze"], len(model.wv))
    else:
        with pytest.raises(FormatError, match="freeze="):
            Word2Vec.load(path)
