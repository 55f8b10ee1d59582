"""The commands on documents: every way to give tags, inference, neighbours, and errors that name the way out."""

import gzip
import json
import shlex
import sys

import numpy as np
import pytest
from corpora import two_topics

from w2v import Doc2Vec, KeyedVectors, TaggedDocument
from w2v.cli import program

OPTIONS = "--size 8 --min-count 1 --epochs 3 --workers 1 --no-progress"
SMALL = {"vector_size": 8, "min_count": 1, "epochs": 3, "workers": 1}
TEXT = two_topics(60)


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("".join(" ".join(words) + "\n" for words in TEXT))
    (tmp_path / "tags.txt").write_text("".join(f"d{n} part{n % 2}\n" for n in range(len(TEXT))))
    cells = (f"{' '.join(words[:3])}\td{n} part{n % 2}\t{' '.join(words[3:])}\n" for n, words in enumerate(TEXT))
    (tmp_path / "text.tsv").write_text("".join(cells))
    return tmp_path


def run(capsys, line):
    capsys.readouterr()
    code = program.main(shlex.split(line))
    return code, *capsys.readouterr()


def facts_of(capsys, line):
    code, out, err = run(capsys, f"{line} --json")
    assert (code, err) == (0, "")
    return json.loads(out)


def error_of(capsys, line):
    code, out, err = run(capsys, line)
    assert (code, out, err.count("\n")) == (1, "", 1)
    return err


def tagged():
    return [TaggedDocument(words, [f"d{n}", f"part{n % 2}"]) for n, words in enumerate(TEXT)]


def test_a_line_is_a_document_under_its_number(room, capsys):
    facts = facts_of(capsys, f"doc2vec text.txt -o m.safetensors {OPTIONS}")
    assert (facts["documents"], facts["tags"], facts["epochs"], facts["repeatable"]) == (60, 60, 3, True)
    expected = Doc2Vec(corpus_file="text.txt", **SMALL)
    assert Doc2Vec.load("m.safetensors").fingerprint() == expected.fingerprint()


@pytest.mark.parametrize("way", ["text.txt --tags tags.txt", "text.tsv --tsv --tags 2", "text.txt.gz --tags tags.txt"])
def test_tags_come_from_a_file_or_a_column(room, capsys, way):
    (room / "text.txt.gz").write_bytes(gzip.compress((room / "text.txt").read_bytes()))
    facts = facts_of(capsys, f"doc2vec {way} -o m.safetensors --dbow --dbow-words {OPTIONS}")
    assert (facts["documents"], facts["tags"]) == (60, 62)
    expected = Doc2Vec(tagged(), dm=0, dbow_words=1, **SMALL)
    assert Doc2Vec.load("m.safetensors").fingerprint() == expected.fingerprint()


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_standard_input_is_read_like_a_file(room, capsys, monkeypatch, cache):
    expected = Doc2Vec(tagged(), **SMALL, cache=cache).fingerprint()
    with open("text.tsv") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        facts_of(capsys, f"doc2vec - --tsv --tags 2 -o m.safetensors --cache {cache} {OPTIONS}")
    assert Doc2Vec.load("m.safetensors").fingerprint() == expected
    with open("text.txt") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert facts_of(capsys, f"doc2vec - -o m.safetensors --cache {cache} {OPTIONS}")["tags"] == 60


@pytest.mark.parametrize(
    ("options", "settings"),
    [("--dm-sum", {"dm_mean": 0}), ("--dm-concat", {"dm_concat": 1}), ("--hs --negative 0", {"hs": 1, "negative": 0})],
)
def test_options_choose_the_model(room, capsys, options, settings):
    facts_of(capsys, f"doc2vec text.txt -o m.safetensors {options} {OPTIONS}")
    expected = Doc2Vec(corpus_file="text.txt", **SMALL | settings)
    assert Doc2Vec.load("m.safetensors").fingerprint() == expected.fingerprint()


def test_deterministic_documents_are_the_same_for_any_workers(room, capsys):
    line = "doc2vec text.txt -o m.safetensors --size 8 --min-count 1 --deterministic --no-progress --workers"
    assert len({facts_of(capsys, f"{line} {workers}")["sha256"] for workers in (1, 2, 3)}) == 1


@pytest.mark.parametrize("name", ["vectors.txt", "vectors.bin"])
def test_other_formats_hold_the_vectors_of_tags_alone(room, capsys, name):
    facts_of(capsys, f"doc2vec text.txt --tags tags.txt -o {name} {OPTIONS}")
    found = KeyedVectors.load_word2vec_format(name, binary=name.endswith("bin"))
    expected = Doc2Vec(tagged(), **SMALL).dv
    assert set(found.index_to_key) == set(expected.index_to_key)
    np.testing.assert_allclose(found["part1"], expected["part1"], atol=1e-6)


@pytest.fixture
def model(room, capsys):
    facts_of(capsys, f"doc2vec text.txt --tags tags.txt -o m.safetensors {OPTIONS}")
    return Doc2Vec.load("m.safetensors")


def test_inferred_vectors_are_those_of_the_library(room, capsys, model):
    (room / "new.txt").write_text("sun moon\n\nnobody knows these\nsun\n")
    facts = facts_of(capsys, "infer m.safetensors new.txt -o new.safetensors --epochs 7 --workers 2")
    assert (facts["documents"], facts["without_a_known_word"]) == (4, [1, 2])
    expected = model.infer_vectors([["sun", "moon"], [], [], ["sun"]], epochs=7).vectors
    found = KeyedVectors.load("new.safetensors")
    assert found.index_to_key == ["0", "1", "2", "3"]
    assert found.vectors.tobytes() == expected.tobytes()
    code, out, _ = run(capsys, "infer m.safetensors new.txt -o new.vec")
    assert code == 0
    assert "2, with zero vectors: 1, 2" in out


def test_the_file_of_the_model_is_not_changed_by_inference(room, capsys, model):
    before = (room / "m.safetensors").read_bytes()
    facts_of(capsys, "infer m.safetensors text.txt -o new.bin --tol 0.1 --alpha 0.05 --min-alpha 0.01")
    assert (room / "m.safetensors").read_bytes() == before


def test_neighbors_of_documents_are_those_of_their_tags(room, capsys, model):
    found = facts_of(capsys, "neighbors m.safetensors d3 part0 --documents -n 4")
    for tag in ("d3", "part0"):
        expected = model.dv.most_similar(tag, topn=4)
        assert [(answer["tag"], answer["similarity"]) for answer in found[tag]] == expected
    facts_of(capsys, f"doc2vec text.txt -o numbers.safetensors {OPTIONS}")
    code, out, _ = run(capsys, "neighbors numbers.safetensors 3 --documents -n 2")
    assert (code, out.count("\n")) == (0, 3)
    assert "'zzz' is not" in error_of(capsys, "neighbors m.safetensors zzz --documents")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("doc2vec text.txt -o out.txt --tags 2", "--tags 2 is a column, and needs --tsv"),
        ("doc2vec text.tsv -o out.txt --tsv --tags x", "--tags x is no column"),
        ("doc2vec text.tsv -o out.txt --tsv --tags 4", "text.tsv, line 1: 3 columns between tabs"),
        ("doc2vec text.txt -o out.txt --tsv", "line 1: 1 columns between tabs.*leave --tsv out"),
        ("doc2vec text.txt -o out.txt --tags nowhere.txt", "nowhere.txt: No such file"),
        ("doc2vec text.txt -o out.txt --tags short.txt", "short.txt ends after 1 lines, and text.txt goes on"),
        ("doc2vec short.txt -o out.txt --tags tags.txt", "short.txt ends after 1 lines, and tags.txt goes on"),
        ("doc2vec odd.txt -o out.txt --tags short.txt", "odd.txt, line 1, byte 1: not UTF-8; iconv"),
        ("doc2vec text.txt -o out.txt --tags -", "--tags - would read tags from standard input"),
        ("doc2vec text.txt -o text.txt", "text.txt is read by this command; write to another file"),
        ("doc2vec text.txt -o tags.txt --tags tags.txt", "tags.txt is read by this command"),
        ("doc2vec text.txt -o out", "does not tell its format"),
        ("doc2vec text.txt -o out.txt --dbow-words", "--dbow-words has no effect without --dbow"),
        ("doc2vec text.txt -o out.txt --dbow --dm-sum", "--dm-sum has no effect with --dbow"),
        ("doc2vec text.txt -o out.txt --dm-concat --dm-sum", "different models"),
        ("doc2vec text.txt -o out.txt --negative 0", "give --hs too"),
        ("doc2vec text.txt -o out.txt --epochs 0", "--epochs 0 must be at least 1"),
        ("infer words.safetensors text.txt -o out.txt", "words.safetensors is no model of documents, as w2v doc2vec"),
        ("infer vectors.safetensors text.txt -o out.txt", "vectors.safetensors is no model of documents"),
        ("infer vectors.txt text.txt -o out.txt", "vectors.txt is no model of documents"),
        ("infer nowhere.safetensors text.txt -o out.txt", "nowhere.safetensors: No such file"),
        ("infer m.safetensors text.txt -o m.safetensors", "m.safetensors is read by this command"),
        ("infer m.safetensors text.txt -o out.txt --tol 2", "--tol 2"),
        ("neighbors words.safetensors sun --documents", "words.safetensors is no model of documents"),
    ],
)
def test_an_error_names_the_value_and_the_way_out(room, capsys, model, line, message):
    (room / "short.txt").write_text("one\n")
    (room / "odd.txt").write_bytes(b"a\xff\n")
    if "words.safetensors" in line:
        assert run(capsys, f"train text.txt -o words.safetensors {OPTIONS}")[0] == 0
    if "vectors.safetensors" in line:
        assert run(capsys, f"train text.txt -o vectors.safetensors --vectors-only {OPTIONS}")[0] == 0
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(error_of(capsys, line))
    assert not (room / "out.txt").exists()
