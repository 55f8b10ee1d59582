"""What a model came from is known, and can be done again."""

import numpy as np
import pytest
from corpora import two_topics, zipf_like

from w2v import CallbackAny2Vec, StopTraining, Word2Vec, cli

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


def test_another_corpus_has_another_fingerprint_even_with_the_same_counts():
    turned = [list(reversed(sentence)) for sentence in two_topics()]
    models = [Word2Vec(vector_size=8, min_count=1, workers=1, sorted_vocab=1) for _ in range(2)]
    for model, corpus in zip(models, (two_topics(), turned), strict=True):
        model.build_vocab_from_freq(dict.fromkeys(sorted({w for s in corpus for w in s}), 5))
        model.train(corpus, total_examples=1, epochs=1, start_alpha=0, end_alpha=0)
    assert np.array_equal(models[0].wv.vectors, models[1].wv.vectors)
    assert models[0].fingerprint() != models[1].fingerprint()


def test_any_number_of_workers_has_the_same_deterministic_fingerprint():
    corpus = zipf_like(words=60_000)
    found = {Word2Vec(corpus, **(SETTINGS | {"workers": n}), deterministic=True).fingerprint() for n in (1, 2, 4)}
    assert len(found) == 1


def test_the_fingerprint_is_saved_and_survives(tmp_path, capsys):
    model = Word2Vec(two_topics(), **SETTINGS)
    model.save(tmp_path / "model.safetensors")
    assert Word2Vec.load(tmp_path / "model.safetensors").fingerprint() == model.fingerprint()
    assert cli.main(["info", str(tmp_path / "model.safetensors")]) == 0
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


def test_what_cannot_be_compared_is_refused(tmp_path):
    path = write(tmp_path / "text.txt", two_topics())
    model = Word2Vec(corpus_file=path, **SETTINGS)
    with pytest.raises(ValueError, match="another corpus"):
        model.trained_again(two_topics(seed=1))
    model.train(two_topics(seed=1), total_examples=1, epochs=1)
    with pytest.raises(ValueError, match="2 corpora"):
        model.trained_again(corpus_file=path)
    with pytest.raises(ValueError, match="workers=3 without deterministic=True"):
        Word2Vec(two_topics(), vector_size=8, min_count=1).trained_again(two_topics())


@pytest.mark.parametrize("workers", [[], ["--workers", "3"]])
def test_the_command_line_verifies(tmp_path, capsys, workers):
    path, model = write(tmp_path / "text.txt", zipf_like()), str(tmp_path / "model.safetensors")
    train = ["train", str(path), "-o", model, "--size", "8", "--min-count", "1", "--deterministic"]
    assert cli.main(train) == 0
    assert cli.main(["verify", model, "--corpus", str(path), *workers]) == 0
    assert "verified" in capsys.readouterr().out
    damaged = Word2Vec.load(model)
    damaged.wv.vectors[0, 0] += 1
    damaged.save(model)
    assert cli.main(["verify", model, "--corpus", str(path)]) == 1
    assert "the vectors differ" in capsys.readouterr().err
