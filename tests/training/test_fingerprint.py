"""What a model came from is known, and can be done again."""

import copy
import pickle
import time

import numpy as np
import pytest
from corpora import two_topics, zipf_like

from w2v import CallbackAny2Vec, StopTraining, Word2Vec
from w2v.cli import program
from w2v.training import schedule

SETTINGS = {"vector_size": 8, "min_count": 1, "workers": 1, "epochs": 2}


def write(path, corpus):
    path.write_text("\n".join(" ".join(words) for words in corpus if words), encoding="utf-8")
    return path


def test_equal_runs_have_equal_fingerprints_whatever_the_source(tmp_path):
    path = write(tmp_path / "text.txt", two_topics())
    models = [
        Word2Vec(two_topics(), **SETTINGS),
        Word2Vec(iter(two_topics()), **SETTINGS),
        Word2Vec(corpus_file=path, **SETTINGS),
        Word2Vec(two_topics(), **SETTINGS, cache="disk", compute_loss=True, comment="mine"),
    ]
    assert len({model.fingerprint() for model in models}) == 1


@pytest.mark.parametrize(
    "changed", [{"seed": 2}, {"window": 4}, {"epochs": 3}, {"alpha": 0.03}, {"deterministic": True}], ids=str
)
def test_other_settings_have_another_fingerprint(changed):
    assert (
        Word2Vec(two_topics(), **(SETTINGS | changed)).fingerprint() != Word2Vec(two_topics(), **SETTINGS).fingerprint()
    )


def test_equal_counts_of_another_corpus_change_the_fingerprint():
    turned = [list(reversed(sentence)) for sentence in two_topics()]
    models = [Word2Vec(vector_size=8, min_count=1, workers=1, sorted_vocab=1) for _ in range(2)]
    for model, corpus in zip(models, (two_topics(), turned), strict=True):
        model.build_vocab_from_freq(dict.fromkeys(sorted({w for s in corpus for w in s}), 5))
        model.train(corpus, total_examples=1, epochs=1, start_alpha=0, end_alpha=0)
    assert np.array_equal(models[0].wv.vectors, models[1].wv.vectors)
    assert models[0].fingerprint() != models[1].fingerprint()


def test_deterministic_fingerprints_ignore_the_workers():
    corpus = zipf_like(words=60_000)
    found = {Word2Vec(corpus, **(SETTINGS | {"workers": n}), deterministic=True).fingerprint() for n in (1, 2, 4)}
    assert len(found) == 1


def test_the_fingerprint_is_saved_and_survives(tmp_path, capsys):
    model = Word2Vec(two_topics(), **SETTINGS)
    model.save(tmp_path / "model.safetensors")
    assert Word2Vec.load(tmp_path / "model.safetensors").fingerprint() == model.fingerprint()
    assert program.main(["info", str(tmp_path / "model.safetensors")]) == 0
    assert model.fingerprint() in capsys.readouterr().out


class Ends(CallbackAny2Vec):
    def on_epoch_end(self, model):
        raise StopTraining


def test_a_model_is_trained_again_call_by_call(tmp_path):
    path = write(tmp_path / "text.txt", two_topics())
    model = Word2Vec(corpus_file=path, **SETTINGS)
    model.train(corpus_file=path, total_examples=1, epochs=5, start_alpha=0.01, end_alpha=0.001, callbacks=[Ends()])
    assert [(run["epochs"], run["trained"]) for run in model.runs] == [(2, 2), (5, 1)]
    again = model.trained_again(corpus_file=path)
    assert np.array_equal(again.wv.vectors, model.wv.vectors)
    assert again.fingerprint() == model.fingerprint()


def test_incomparable_models_are_refused(tmp_path):
    path = write(tmp_path / "text.txt", two_topics())
    model = Word2Vec(corpus_file=path, **SETTINGS)
    with pytest.raises(ValueError, match="another corpus"):
        model.trained_again(two_topics(seed=1))
    model.train(two_topics(seed=1), total_examples=1, epochs=1)
    with pytest.raises(ValueError, match="2 corpora"):
        model.trained_again(corpus_file=path)
    with pytest.raises(ValueError, match="workers=3 without deterministic=True"):
        Word2Vec(two_topics(), vector_size=8, min_count=1).trained_again(two_topics())


def test_each_run_keeps_the_corpus_that_it_had():
    one, other = two_topics(), two_topics(seed=1)
    model = Word2Vec(one, **SETTINGS)
    for copied in (copy.copy(model), pickle.loads(pickle.dumps(model))):
        assert copied.fingerprint() == model.fingerprint()
    grown = Word2Vec(one, **SETTINGS)
    grown.build_vocab(other, update=True)
    assert grown.runs[0]["corpus"] == model.runs[0]["corpus"]
    grown.train(other, total_examples=1, epochs=1)
    grown.fingerprint()
    assert len({run["corpus"] for run in grown.runs}) == 2
    unkept = Word2Vec(one, **SETTINGS, cache="none")
    unkept.cache = "auto"
    unkept.train(other, total_examples=1, epochs=1)
    unkept.fingerprint()
    assert [bool(run["corpus"]) for run in unkept.runs] == [False, True]
    with pytest.raises(ValueError, match="not kept"):
        unkept.trained_again(other)


def test_a_checkpoint_names_the_corpora_of_all_runs(tmp_path):
    model = Word2Vec(two_topics(), **SETTINGS)
    model.train(two_topics(seed=1), total_examples=1, epochs=1, checkpoint=tmp_path / "run")
    assert Word2Vec.resume(tmp_path / "run").fingerprint() == model.fingerprint()


def test_words_with_line_breaks_are_told_apart():
    settings = SETTINGS | {"sorted_vocab": 0, "min_count": 1}
    found = {Word2Vec([words] * 300, **settings).fingerprint() for words in (["a\nb", "c"], ["a", "b\nc"])}
    assert len(found) == 2


@pytest.mark.parametrize("more", [{}, {"checkpoint": "run"}], ids=str)
def test_a_corpus_that_breaks_off_is_no_run(more, tmp_path, monkeypatch):
    class Broken:
        def __iter__(self):
            yield from two_topics()
            raise LookupError

    monkeypatch.chdir(tmp_path)
    model = Word2Vec(two_topics(), **SETTINGS)
    known = model.fingerprint()
    with pytest.raises(LookupError):
        model.train(Broken(), total_examples=1, epochs=1, **more)
    assert model.fingerprint() == known


def test_nondeterministic_runs_are_not_compared(monkeypatch):
    """Also if the last worker was alone, or a part of an epoch is in the vectors; nothing trained is no run."""
    raced = Word2Vec(zipf_like(words=60_000), **SETTINGS | {"workers": 3})
    raced.workers = 1
    with pytest.raises(ValueError, match="nothing to compare"):
        raced.trained_again(zipf_like(words=60_000))

    corpus = zipf_like(words=60_000)
    cut = Word2Vec(corpus, **SETTINGS)
    known = cut.fingerprint()
    with pytest.raises(RuntimeError, match="no word of this corpus"):
        cut.train([["nobody"]], total_examples=1, epochs=1)
    assert cut.fingerprint() == known
    assert np.array_equal(cut.trained_again(corpus).wv.vectors, cut.wv.vectors)

    def interrupted_while_it_trains(words=0):
        if cut.tokens.held.tokens.size > 60_000:
            time.sleep(0.01)
            raise KeyboardInterrupt
        return False

    monkeypatch.setattr("w2v.training.workers.TICK", 1e-3)
    monkeypatch.setattr(cut, "heed", interrupted_while_it_trains)
    with pytest.raises(KeyboardInterrupt):
        cut.train(corpus * 20, total_examples=1, epochs=1)
    assert (cut.runs[-1]["trained"], cut.runs[-1]["repeatable"]) == (0, False)
    with pytest.raises(ValueError, match="nothing to compare"):
        cut.trained_again(corpus)


@pytest.mark.parametrize("workers", [[], ["--workers", "3"]])
def test_the_command_line_verifies(tmp_path, capsys, workers):
    path, model = write(tmp_path / "text.txt", zipf_like()), str(tmp_path / "model.safetensors")
    train = ["train", str(path), "-o", model, "--size", "8", "--min-count", "1", "--deterministic"]
    assert program.main(train) == 0
    assert program.main(["verify", model, "--corpus", str(path), *workers]) == 0
    assert "verified" in capsys.readouterr().out
    damaged = Word2Vec.load(model)
    damaged.wv.vectors[0, 0] += 1
    damaged.save(model)
    assert program.main(["verify", model, "--corpus", str(path)]) == 1
    assert "the vectors differ" in capsys.readouterr().err


def test_a_shallow_copy_has_a_past_of_its_own():
    model = Word2Vec(two_topics(), **SETTINGS)
    copied = copy.copy(model)
    copied.train(two_topics(), total_examples=1, epochs=1)
    assert [len(model.runs), len(copied.runs)] == [1, 2]


@pytest.mark.parametrize("setting", [{"window": 1}, {"alpha": 0.01}], ids=str)
def test_a_run_whose_settings_a_callback_assigns_cannot_be_repeated(setting, caplog):
    class Assigns(CallbackAny2Vec):
        def on_epoch_end(self, model):
            vars(model).update(setting)

    model = Word2Vec(two_topics(), **SETTINGS, callbacks=[Assigns()])
    assert f"a callback has assigned {next(iter(setting))}" in caplog.text
    with pytest.raises(ValueError, match="a callback has assigned settings"):
        model.trained_again(two_topics())


def test_a_callback_may_assign_what_no_bit_depends_on():
    class Assigns(CallbackAny2Vec):
        def on_epoch_end(self, model):
            model.comment, model.compute_loss, model.epochs = "mine", True, 7

    model = Word2Vec(two_topics(), **SETTINGS, callbacks=[Assigns()])
    assert np.array_equal(model.trained_again(two_topics()).wv.vectors, model.wv.vectors)


def test_a_model_has_the_scheme_that_last_changed_its_bits():
    dbow = {"sg": 1, "dbow_words": 0, "shared_negatives": True, "negative": 5, "hs": 0}
    others = [{"sg": 0}, {"dbow_words": 1}, {"shared_negatives": False}, {"negative": 0}, {"hs": 1}]
    assert schedule.scheme_of(dbow) == 3
    assert {schedule.scheme_of(dbow | other) for other in others} == {2}
    assert schedule.scheme_of({name: value for name, value in dbow.items() if name != "dbow_words"}) == 2
    subwords = {"sg": 1, "bucket": 0, "word_ngrams": 0}  # without n-grams a word still learns in the same way
    assert schedule.scheme_of(subwords) == schedule.SCHEME == 4
    assert schedule.scheme_of(subwords | {"sg": 0}) == 2
