"""`w2v counts`: the files it writes, what it says, and what it refuses."""

import json

import pytest
from corpora import two_topics

from w2v import LSA, PPMI, KeyedVectors
from w2v.cli import counts, program
from w2v.training.settings import Settings


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "corpus.txt"
    path.write_text("".join(" ".join(words) + "\n" for words in two_topics(100)), encoding="utf-8")
    return path


def test_a_model_is_written_and_can_be_queried(corpus, capsys):
    options = ["--size", "4", "--window", "2", "--eig", "0.25", "--negative", "1", "--sample", "0"]
    assert program.main(["counts", str(corpus), "-o", "out.safetensors", "--json", *options]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["corpus_words"], facts["sentences"], facts["vocabulary"], facts["vector_size"]) == (800, 100, 12, 4)
    model = PPMI.load("out.safetensors")
    twin = PPMI(corpus_file=corpus, vector_size=4, window=2, eig=0.25, sample=0)
    assert model.wv.vectors.tobytes() == twin.wv.vectors.tobytes()
    assert facts["largest_singular_value"] == float(model.singular_values[0])
    assert program.main(["neighbors", "out.safetensors", "sun", "--space", "in-out", "-n", "1"]) == 0
    assert program.main(["explain", "out.safetensors", "sun", "moon", "--corpus", str(corpus)]) == 0
    assert program.main(["verify", "out.safetensors", "--corpus", str(corpus)]) == 0
    assert program.main(["info", "out.safetensors"]) == 0
    assert "ppmi" in capsys.readouterr().out


def test_vectors_are_written_in_every_format(corpus):
    for name in ("out.bin", "out.txt"):
        assert program.main(["counts", str(corpus), "-o", name, "--size", "3", "--add-contexts"]) == 0
        read = KeyedVectors.load_word2vec_format(name, binary=name.endswith("bin"))
        assert read.vectors.shape == (12, 3)


def test_lsa_is_written(corpus, capsys):
    options = ["--lsa", "--weighting", "log-entropy", "--size", "3", "--json"]
    assert program.main(["counts", str(corpus), "-o", "out.safetensors", *options]) == 0
    assert json.loads(capsys.readouterr().out)["documents"] == 100
    model = LSA.load("out.safetensors")
    twin = LSA(corpus_file=corpus, vector_size=3, weighting="log-entropy")
    assert model.wv.vectors.tobytes() == twin.wv.vectors.tobytes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--lsa", "--window", "3"], "--window is not for vectors with --lsa"),
        (["--lsa", "--whole-windows"], "--whole-windows is not for vectors with --lsa"),
        (["--weighting", "tfidf"], "--weighting is not for vectors without --lsa"),
    ],
)
def test_options_of_the_other_kind_are_wrong_usage(corpus, capsys, options, said):
    with pytest.raises(SystemExit) as stop:
        program.main(["counts", str(corpus), "-o", "out.safetensors", *options])
    assert stop.value.code == 2
    assert said in capsys.readouterr().err


def test_errors_name_the_options(corpus, capsys):
    for options, said in [(["--eig", "2"], "--eig 2.0 must be"), (["--size", "0"], "--size 0 must be")]:
        assert program.main(["counts", str(corpus), "-o", "out.safetensors", *options]) == 1
        assert said in capsys.readouterr().err
    assert program.main(["counts", str(corpus), "-o", str(corpus)]) == 1


def test_training_does_not_go_on_from_counts(corpus, capsys):
    assert program.main(["counts", str(corpus), "-o", "out.safetensors", "--size", "3"]) == 0
    assert program.main(["train", str(corpus), "-o", "more.safetensors", "--resume-from", "out.safetensors"]) == 1
    assert "a model of counts" in capsys.readouterr().err


def test_the_names_of_weightings_are_those_of_the_library():
    for weighting in counts.WEIGHTINGS:
        assert LSA(weighting=weighting).settings().weighting == weighting
    assert set(counts.SHARED) <= set(Settings.named())


def test_advice_is_printed_and_drawn(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "the text.txt").write_text("".join(" ".join(words) + "\n" for words in two_topics(500)), "utf-8")
    options = ["--seconds", "0", "--workers", "1", "--no-progress"]
    assert program.main(["advise", "the text.txt", *options, "--plot", "advice.png"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("4,000 words in 500 lines, 12 different\n")
    assert "'the text.txt' -o model.safetensors" in page
    assert (tmp_path / "advice.png").read_bytes()[:4] == b"\x89PNG"
    assert program.main(["advise", "the text.txt", *options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["words"] == 4000


def test_an_advice_is_refused_before_any_work(corpus, capsys):
    assert program.main(["advise", str(corpus), "--plot", "advice.xyz"]) == 1
    assert program.main(["advise", str(corpus)]) == 1
    assert "800 words in 100 lines are too few" in capsys.readouterr().err
    assert program.main(["advise", str(corpus), "--seconds", "-1"]) == 1
