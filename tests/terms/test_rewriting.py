"""Texts with terms joined: lines, the commands, and the C program's way."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from term_twins import c_word2phrase

from w2v import LineSentence, Phrases, TermMap, load_terms
from w2v.cli import program
from w2v.terms import rewriting
from w2v.terms.dividing import Several
from w2v.text.corpus import Corpus
from w2v.tokens.words import Divided

LINES = ["new york is big", "i like new york", "the new york of old", "", "old book"] * 8


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(LINES) + "\n")
    return path


@pytest.mark.parametrize("block", [16, 1 << 20])
def test_a_line_for_each_sentence_is_written(tmp_path, monkeypatch, text, block):
    monkeypatch.setattr("w2v.text.readers.BLOCK", block)
    phrases = Phrases(corpus_file=text, min_count=2, threshold=1)
    found = rewriting.rewrite(phrases, Corpus(text, True), tmp_path / "out.txt", 2)
    expected = list(phrases[LineSentence(text)])
    assert (tmp_path / "out.txt").read_text() == "".join(" ".join(sentence) + "\n" for sentence in expected)
    assert found == (len(expected), sum(map(len, expected)), sum(len(line.split()) for line in LINES))


CHAIN = Several(
    [
        TermMap({"a b": "A", "c": "a b", "é a": "E"}, ignore_case=True, ignore_punctuation=True),
        TermMap({"A A": "AA", "E": "long" * 9}),
        Phrases([["a_b", "AA", "A"]] * 5, min_count=1, threshold=1e-9, mode="best"),
    ]
)
marks = st.sampled_from(["a", "b", "c", "A,", "(B", "é", "É", "a" * 30, " ", " ", " ", "\n", "\u3000", "\r", "."])


@settings(max_examples=150, deadline=None)
@given(st.lists(marks, max_size=60).map("".join), st.integers(1, 3), st.sampled_from([4, 16, 1 << 20]))
def test_a_text_is_rewritten_as_its_lines_are(tmp_path_factory, text, threads, block):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("w2v.text.readers.BLOCK", block)
        found = rewriting.rewrite(CHAIN, Corpus(path, True), path.with_suffix(".out"), threads)
    lines = [line.split() for line in text.split("\n") if line.split()]
    expected = [CHAIN.joined(line) for line in lines]
    assert path.with_suffix(".out").read_text("utf-8") == "".join(" ".join(line) + "\n" for line in expected)
    assert found == (len(lines), sum(map(len, expected)), sum(map(len, lines)))
    assert rewriting.rewrite(CHAIN, Corpus(lines, False), path.with_suffix(".too"), 1) == found
    assert path.with_suffix(".too").read_bytes() == path.with_suffix(".out").read_bytes()
    # what the stream of numbers gives is the same, too
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("w2v.text.readers.BLOCK", block)
        divided = Divided(path, True, CHAIN, threads)
        tokens = [word for batch in divided for word in divided.words.words(batch.tokens.astype(np.int64))]
    assert tokens == [word for line in expected for word in line]


@pytest.mark.parametrize("block", [16, 1 << 20])
@pytest.mark.parametrize("damage", [b"\xff", b"x" * 2000])
def test_what_is_no_text_is_refused_with_its_place(tmp_path, monkeypatch, damage, block):
    monkeypatch.setattr("w2v.text.readers.BLOCK", block)
    monkeypatch.setattr("w2v.terms.rewriting.LONGEST_WORD", 1000)
    path = tmp_path / "text.txt"
    path.write_bytes(b"new york\n" * 9 + b"a b " * 9 + damage)
    with pytest.raises(ValueError, match=r"byte 117 of .*text\.txt"):
        rewriting.rewrite(CHAIN, Corpus(path, True), tmp_path / "out.txt", 2)
    assert not (tmp_path / "out.txt").exists()


def test_words_of_every_kind_are_looked_up(tmp_path):
    words = ["", "a", "é", "словарь", "日本語", "😀" * 300, "\ud800", "x" * 5000, "Straße", "eight888", "nine99999"]
    terms = TermMap({word: f"C{place}" for place, word in enumerate(words) if word and word.isprintable()})
    assert terms[words] == [terms.concepts.get(word, word) for word in words]
    folded = TermMap(dict.fromkeys(("STRASSE", "СЛОВАРЬ", "X" * 5000), "C"), ignore_case=True)
    assert folded[["straße", "словарь", "x" * 5000, "a"]] == ["C", "C", "C", "a"]


pieces = st.sampled_from([b"a", b"b", b"a_b", b"</s>", b"x" * 57, b"\0c", b"\r", b" ", b" ", b"\t", b"\n"])


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=40).map(b"".join), st.integers(0, 3), st.sampled_from([-1.0, 0.0, 0.5, 3.0]))
@example(b"new york new york\nnew york ", 1, 0.1)
def test_word2phrase_writes_what_its_rules_say(tmp_path_factory, text, min_count, threshold):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_bytes(text * 3)
    with open(path.with_suffix(".out"), "wb") as file:
        rewriting.word2phrase(path, file, min_count, threshold)
    assert path.with_suffix(".out").read_bytes() == c_word2phrase(text * 3, min_count, threshold)


def run(capsys, *arguments):
    code = program.main(list(map(str, arguments)))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_word2phrase_has_the_c_programs_command_line(tmp_path, capsys, text):
    code, out, _ = run(
        capsys, "word2phrase", "-train", text, "-output", tmp_path / "out", "-threshold", 1, "-min-count", 2
    )
    assert code == 0
    assert (tmp_path / "out").read_bytes() == c_word2phrase(text.read_bytes(), 2, 1.0)
    assert out.startswith(f"Starting training using file {text}\n\nVocab size (unigrams + bigrams): ")
    assert out.endswith(f"Words in train file: {sum(len(line.split()) for line in LINES)}\n")
    assert run(capsys, "word2phrase", "-train", text, "-output", text)[0] == 1


def test_the_command_finds_and_joins_phrases(tmp_path, capsys, text):
    options = ["--apply", tmp_path / "out.txt", "--table", tmp_path / "table.tsv", "--threshold", 0.4, "--json"]
    code, out, err = run(capsys, "phrases", text, "-o", tmp_path / "phrases.json", *options, "--min-count", 2)
    assert (code, err) == (0, "")
    facts = json.loads(out)
    assert "new_york" in facts["best"]
    phrases = load_terms(tmp_path / "phrases.json")
    expected = [" ".join(phrases[line.split()]) for line in LINES if line]
    assert (tmp_path / "out.txt").read_text().splitlines() == expected
    model = tmp_path / "model.safetensors"
    train = ["train", text, "-o", model, "--phrases", tmp_path / "phrases.json", "--min-count", 1, "--size", 4]
    assert run(capsys, *train, "--workers", 1)[0] == 0
    code, out, _ = run(capsys, "neighbors", model, "new york", "-n", 1)
    assert code == 0


def test_the_command_reports_on_a_dictionary(tmp_path, capsys, text):
    (tmp_path / "terms.tsv").write_text("new york\tNYC\nparis\tPARIS\n")
    options = ["-o", tmp_path / "terms.json", "--apply", tmp_path / "out.txt", "--json"]
    code, out, _ = run(capsys, "terms", tmp_path / "terms.tsv", text, *options)
    facts = json.loads(out)
    assert (code, facts["mapped"], facts["never"]) == (0, {"new york": 24}, ["paris"])
    assert (tmp_path / "out.txt").read_text().splitlines()[0] == "NYC is big"
    assert isinstance(load_terms(tmp_path / "terms.json"), TermMap)
    assert run(capsys, "terms", tmp_path / "terms.tsv", text, "--apply", text)[0] == 1


def test_phrases_of_mapped_terms_are_found(tmp_path, capsys, text):
    (tmp_path / "terms.tsv").write_text("york\tYork\n")
    options = ["--terms", tmp_path / "terms.tsv", "--apply", tmp_path / "out.txt", "--threshold", 0.4, "--min-count", 2]
    assert run(capsys, "phrases", text, "-o", tmp_path / "phrases.json", *options)[0] == 0
    assert "new_York" in (tmp_path / "out.txt").read_text().splitlines()[0].split()


def test_a_model_that_goes_on_takes_no_terms(tmp_path, capsys, text):
    options = ["--resume-from", tmp_path / "model.safetensors", "--terms", tmp_path / "terms.tsv"]
    with pytest.raises(SystemExit):
        run(capsys, "train", text, "-o", tmp_path / "out.safetensors", *options)
    assert "keeps its own" in capsys.readouterr().err
