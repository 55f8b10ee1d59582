"""Commands on models of subwords: trained, resumed, verified, asked and converted as the file says, in one place."""

import json
import shlex

import numpy as np
import pytest
from corpora import two_topics

from w2v import Doc2Vec, FastText, StopTraining, Word2Vec, load_facebook_vectors, load_finalfusion
from w2v.cli import program, subwords
from w2v.training.settings import SubwordSettings

OPTIONS = "--size 8 --min-count 1 --epochs 2 --workers 1 --no-progress"
SMALL = {"vector_size": 8, "min_count": 1, "epochs": 2, "workers": 1}


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("".join(" ".join(words) + "\n" for words in two_topics(60)))
    return tmp_path


def facts_of(capsys, line):
    capsys.readouterr()
    code = program.main(shlex.split(f"{line} --json"))
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return json.loads(out)


def test_defaults_are_those_of_the_model():
    assert {name: default for _, name, default, _ in subwords.OPTIONS} == {
        name: getattr(SubwordSettings, name) for name in ("min_n", "max_n", "bucket")
    }


def test_a_model_is_trained_asked_and_verified(room, capsys):
    facts_of(capsys, f"fasttext text.txt -o m.safetensors --sg --bucket 300 --min-n 2 {OPTIONS}")
    model = FastText.load("m.safetensors")
    expected = FastText(corpus_file="text.txt", sg=1, bucket=300, min_n=2, **SMALL)
    assert model.fingerprint() == expected.fingerprint()
    found = facts_of(capsys, "neighbors m.safetensors unseen sun -n 2")
    assert [answer["word"] for answer in found["unseen"]] == [w for w, _ in model.wv.most_similar("unseen", topn=2)]
    assert facts_of(capsys, "info m.safetensors")["kind"] == "fasttext"
    assert "vectors_sha256" in facts_of(capsys, "verify m.safetensors --corpus text.txt")
    assert facts_of(capsys, "explain m.safetensors sun moon")
    assert len(facts_of(capsys, "neighbors m.safetensors sun -n 2 --space in-out")["sun"]) == 2
    facts_of(capsys, "train text.txt -o on.safetensors --resume-from m.safetensors --epochs 1 --no-progress")
    assert len(FastText.load("on.safetensors").runs) == 2


def test_formats_keep_ngrams_where_they_can(room, capsys):
    facts_of(capsys, f"fasttext text.txt -o m.safetensors --bucket 300 {OPTIONS}")
    facts_of(capsys, f"fasttext text.txt -o m.bin --bucket 300 {OPTIONS}")
    facts_of(capsys, "convert m.safetensors again.bin --to fasttext")
    facts_of(capsys, "convert m.bin vectors.fifu")
    facts_of(capsys, "convert m.bin vectors.txt")
    model = FastText.load("m.safetensors")
    for name in ("m.bin", "again.bin"):
        assert load_facebook_vectors(name)["unseen"].tobytes() == model.wv["unseen"].tobytes()
        assert facts_of(capsys, f"info {name}")["format"] == "fasttext"
    np.testing.assert_allclose(load_finalfusion("vectors.fifu").vectors, model.wv.vectors, rtol=1e-6)
    assert facts_of(capsys, "info vectors.txt")["words"] == len(model.wv)
    assert program.main(["convert", "m.bin", "m.ftz"]) == 1


class Stop:
    def on_epoch_end(self, model):
        raise StopTraining


@pytest.mark.parametrize("family", [Word2Vec, FastText, Doc2Vec])
def test_a_run_of_any_family_is_resumed_and_verified(room, capsys, family):
    options = SMALL | ({"bucket": 300} if family is FastText else {})
    whole = family(corpus_file="text.txt", **options)
    family(corpus_file="text.txt", checkpoint="run", checkpoint_every=1, **options)
    for newest in sorted(room.glob("run/*.safetensors"), key=lambda path: path.stat().st_mtime)[1:]:
        newest.unlink()  # as if the run had been killed after its first epoch
    facts = facts_of(capsys, "resume run -o m.safetensors --no-progress")
    assert ("documents" in facts) == (family is Doc2Vec)
    assert family.load("m.safetensors").fingerprint() == whole.fingerprint()
    verified = facts_of(capsys, "verify m.safetensors --corpus text.txt")
    assert ("documents_sha256" in verified) == (family is Doc2Vec)


def test_a_model_of_documents_does_not_go_on_as_one_of_words(room, capsys):
    facts_of(capsys, f"doc2vec text.txt -o m.safetensors {OPTIONS}")
    assert program.main(["train", "text.txt", "-o", "on.safetensors", "--resume-from", "m.safetensors"]) == 1
    assert "model of documents" in capsys.readouterr().err
