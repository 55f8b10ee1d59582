"""`w2v topics` and `w2v map`."""

import json
import random

import pytest

from w2v import Doc2Vec, Topics, Word2Vec
from w2v.cli import program

SUBJECTS = ["river lake boat water fish", "bread flour oven dough yeast"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("topics")
    draw = random.Random(1)
    lines = [" ".join(draw.choices(SUBJECTS[n % 2].split(), k=10)) for n in range(60)]
    (made / "texts.txt").write_text("\n".join([*lines, ""]) + "\n")
    return made


def run(*arguments):
    return program.main([str(argument) for argument in arguments])


def topics_of(folder, output, *more):
    small = ("--size", 16, "--sample", 0, "--epochs", 10, "--workers", 1, "--stability", 2)
    return run("topics", folder / "texts.txt", "-o", folder / output, *small, *more)


def test_topics_are_found_saved_and_drawn(folder, capsys):
    pytest.importorskip("matplotlib")
    assert topics_of(folder, "t.safetensors", "--map", folder / "t.html", "--plot", folder / "t.png", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["documents"], told["topics"], told["without_a_known_word"]) == (61, 2, [60])
    found = Topics.load(folder / "t.safetensors")
    assert [record["words"] for record in told["found"]] == [[w for w, _ in found.words(t, 8)] for t in range(2)]
    assert told["found"][0]["stable_documents"] > 0.9
    assert (folder / "t.html").read_text().startswith("<!doctype html>")
    assert (folder / "t.png").read_bytes()[:4] == b"\x89PNG"


def test_a_table_of_topics_is_printed(folder, capsys):
    assert topics_of(folder, "one.safetensors", "--reduce", 1) == 0
    printed = capsys.readouterr().out
    assert "without a known word  1" in printed
    assert len([line for line in printed.splitlines() if line.startswith("| 0 ")]) == 1


def test_the_documents_of_a_model_have_topics(folder, capsys):
    model = Doc2Vec(corpus_file=folder / "texts.txt", vector_size=16, dm=0, dbow_words=1, sample=0, workers=1)
    model.save(folder / "d.safetensors")
    assert run("topics", folder / "d.safetensors", "-o", folder / "m.safetensors", "--stability", 0) == 0
    assert len(Topics.load(folder / "m.safetensors").topics) == 61
    assert run("map", folder / "d.safetensors", "-o", folder / "d.html", "--documents", "--layout", "pca") == 0
    capsys.readouterr()
    with pytest.raises(SystemExit):
        run("topics", folder / "d.safetensors", "-o", folder / "m.safetensors", "--size", 8)
    assert "trained already" in capsys.readouterr().err


def test_maps_of_vectors_models_and_two_of_them(folder, capsys):
    model = Word2Vec(corpus_file=folder / "texts.txt", vector_size=8, workers=1)
    model.save(folder / "a.safetensors")
    model.wv.save_word2vec_format(folder / "b.txt")
    for files, points in ((["a.safetensors"], 10), (["b.txt"], 10), (["a.safetensors", "b.txt"], 10)):
        given = ["map", *(folder / name for name in files), "-o", folder / "map.html", "--layout", "pca", "--json"]
        assert run(*given, "-n", 10) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["points"] == points
        assert told["bytes"] == (folder / "map.html").stat().st_size


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["topics", "texts.txt", "-o", "texts.vec"], "kept with their model"),
        (["topics", "texts.txt", "-o", "x.safetensors", "--map", "texts.txt"], "is read by this command"),
        (["topics", "texts.txt", "-o", "x.safetensors", "--plot", "x.odd"], "must end in one of"),
        (["topics", "none.txt", "-o", "x.safetensors"], "none.txt"),
        (["map", "texts.txt", "-o", "texts.txt"], "is read by this command"),
        (["map", "none.safetensors", "-o", "x.html"], "none.safetensors"),
    ],
)
def test_wrong_usage_is_told_before_any_work(folder, monkeypatch, capsys, given, said):
    monkeypatch.chdir(folder)
    assert run(*given) == 1
    assert said in capsys.readouterr().err
    assert not (folder / "x.safetensors").exists()
