"""The commands that combine models: align, merge, and training that goes on from a saved model."""

import json

import numpy as np
import pytest
from corpora import TOPICS, two_topics

from w2v import KeyedVectors, Word2Vec
from w2v.cli import program

OPTIONS = {"vector_size": 10, "min_count": 1, "window": 3, "sample": 0, "workers": 1, "sg": 1, "epochs": 4}
TRAINING = "--size 10 --min-count 1 --sample 0 --workers 1 --sg --no-progress"


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("first", "second", "third")):
        text = two_topics(400, seed=seed)
        (tmp_path / f"{name}.txt").write_text("\n".join(map(" ".join, text)), encoding="utf-8")
        Word2Vec(text, seed=seed, **OPTIONS).save(tmp_path / f"{name}.safetensors")
    return tmp_path


def printed(capsys, line, code=0):
    try:
        found = program.main(line.split())
    except SystemExit as error:
        found = error.code
    said = capsys.readouterr()
    assert found == code, said.err
    return said.out if code == 0 else said.err


def test_a_model_is_brought_into_the_space_of_another(files, capsys):
    line = "align first.safetensors second.safetensors -o turned.safetensors --translate sun --shifted 3 -n 2"
    text = printed(capsys, line)
    assert "held out cosine" in text
    assert "cosine of a word's two vectors, the lowest first" in text
    found = json.loads(printed(capsys, f"{line} --json"))
    assert found["anchors"] == 12
    assert found["translated"]["sun"][0][0] in TOPICS[0]
    assert len(found["shifted"]) == 3
    turned, target = KeyedVectors.load("turned.safetensors"), KeyedVectors.load("second.safetensors")
    cosines = [turned.get_vector(word, norm=True) @ target.get_vector(word, norm=True) for word in target.index_to_key]
    assert np.mean(cosines) > 0.9
    assert turned.get_vecattr("sun", "count") > 0


def test_pairs_come_from_a_file(files, capsys):
    (files / "pairs.tsv").write_text("sun\tmoon\n\nmoon sun\n" + "\n".join(f"{w}\t{w}" for w in TOPICS[1]))
    found = json.loads(printed(capsys, "align first.safetensors second.safetensors --pairs pairs.tsv --json"))
    assert found["anchors"] == 8
    (files / "pairs.tsv").write_text("one two three\n")
    assert "line 1: 3 words" in printed(capsys, "align first.safetensors second.safetensors --pairs pairs.tsv", 1)
    line = "align first.safetensors second.safetensors --pairs pairs.tsv --anchors 3"
    assert "exclude each other" in printed(capsys, line, 2)


def test_the_way_of_a_word_is_drawn(files, capsys):
    pytest.importorskip("matplotlib")
    printed(capsys, "align first.safetensors second.safetensors --plot way.png --word sun")
    assert (files / "way.png").read_bytes().startswith(b"\x89PNG")
    assert "belong together" in printed(capsys, "align first.safetensors second.safetensors --word sun", 2)
    assert "must end in" in printed(capsys, "align first.safetensors second.safetensors --plot a.doc --word sun", 1)


def test_files_are_merged(files, capsys):
    found = json.loads(
        printed(capsys, "merge first.safetensors second.safetensors third.safetensors -o all.bin --json")
    )
    assert found == {"words": 12, "vector_size": 10, "file": "all.bin"}
    printed(capsys, "merge first.safetensors second.safetensors -o two.safetensors --method svd --size 5 --weights 1 2")
    assert KeyedVectors.load("two.safetensors").vector_size == 5
    assert "it takes two" in printed(capsys, "merge first.safetensors -o one.bin", 1)


def test_training_goes_on_from_a_model_with_new_words(files, capsys):
    (files / "new.txt").write_text("\n".join(["sun moon asteroid star comet"] * 50), encoding="utf-8")
    printed(capsys, "train new.txt -o new.safetensors --resume-from first.safetensors --epochs 2 --no-progress")
    old, new = (Word2Vec.load(f"{name}.safetensors") for name in ("first", "new"))
    assert new.wv.index_to_key == [*old.wv.index_to_key, "asteroid"]
    assert [run["epochs"] for run in new.runs] == [4, 2]
    assert new.vector_size == 10
    assert new.runs[-1]["alpha"] == old.runs[-1]["alpha"]
    line = "train new.txt -o still.safetensors --resume-from first.safetensors --freeze words --no-progress"
    printed(capsys, line)
    still = Word2Vec.load("still.safetensors")
    assert np.array_equal(still.wv.vectors[:12], old.wv.vectors)
    assert still.runs[-1]["epochs"] == 4


def test_one_matrix_is_trained_by_an_option(files, capsys):
    printed(capsys, "train second.txt -o one.safetensors --tied --no-progress")
    model = Word2Vec.load("one.safetensors")
    assert model.tied
    assert model.syn1neg is model.wv.vectors


@pytest.mark.parametrize("freeze", ["outputs", "inputs"])
def test_a_slice_is_trained_under_a_compass(freeze, files, capsys):
    line = f"train second.txt -o slice.safetensors --resume-from first.safetensors --freeze {freeze} --no-progress"
    printed(capsys, line)
    old, new = (Word2Vec.load(f"{name}.safetensors") for name in ("first", "slice"))
    same = [np.array_equal(old.wv.vectors, new.wv.vectors), np.array_equal(old.syn1neg, new.syn1neg)]
    assert same == [freeze == "inputs", freeze == "outputs"]
    assert new.runs[-1]["freeze"] == freeze


@pytest.mark.parametrize(
    ("more", "said", "code"),
    [
        ("--freeze outputs", "--resume-from MODEL", 2),
        ("--resume-from first.safetensors --tied", "--tied belong to a new model", 2),
        ("--resume-from first.safetensors --size 20", "--size 20: the model of first.safetensors has --size 10", 1),
        ("--resume-from first.safetensors --hs", "has hs=0, which stays", 1),
        ("--resume-from none.safetensors", "none.safetensors: No such file", 1),
        ("--resume-from second.txt", "needs a whole model", 1),
        ("--resume-from out.safetensors", "out.safetensors is the model to go on from", 1),
    ],
    ids=["freeze", "tied", "size", "hs", "missing", "text", "itself"],
)
def test_what_cannot_go_on_is_an_error(more, said, code, files, capsys):
    (files / "out.safetensors").write_bytes((files / "first.safetensors").read_bytes())
    found = printed(capsys, f"train second.txt -o out.safetensors --no-progress {more}", code)
    assert said in found


def test_options_that_are_not_given_are_those_of_the_library(files, capsys):
    printed(capsys, f"train first.txt -o plain.safetensors {TRAINING}")
    loaded = Word2Vec.load("plain.safetensors")
    settings = {"vector_size": 10, "min_count": 1, "sample": 0, "workers": 1, "sg": 1}
    model = Word2Vec(corpus_file="first.txt", **settings)
    assert loaded.wv.vectors.tobytes() == np.ascontiguousarray(model.wv.vectors).tobytes()
    assert loaded.settings() == model.settings()
