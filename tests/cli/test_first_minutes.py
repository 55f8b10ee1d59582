"""The first minutes: no arguments, a first model, questions one after the other, completion in shells."""

import io
import json
import random
import shutil
import subprocess
import sys

import numpy as np
import pytest

from w2v import KeyedVectors, Word2Vec
from w2v.advice.rules import looks_raw, usual_settings
from w2v.cli import completion, explore, program
from w2v.vectors.telling import telling_words

TOPICS = ["river lake boat water fish stream", "bread flour oven dough yeast baker"]


def prose(lines=400):
    draw = random.Random(4)
    return [" ".join(draw.choices(draw.choice(TOPICS).split(), k=9)).capitalize() + "." for _ in range(lines)]


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text("\n".join(prose()), encoding="utf-8")
    return tmp_path


def said(capsys, *line):
    code = program.main(list(line))
    out = capsys.readouterr()
    return code, out.out, out.err


def test_without_arguments_it_says_what_to_do(capsys):
    code, out, err = said(capsys)
    assert (code, err) == (0, "")
    for command in ("w2v demo", "w2v train book.txt", "w2v explore", "w2v --help"):
        assert command in out


def test_a_first_model_says_its_settings_and_shows_what_it_learnt(book, capsys):
    code, out, err = said(capsys, "train", "book.txt")
    assert (code, err) == (0, "")
    assert "--tokenizer simple --sg --size 100 --window 5 --min-count 2 --sample 0 --epochs 20 --workers 1" in out
    assert "w2v explore book.safetensors" in out
    model = Word2Vec.load("book.safetensors")
    assert (model.tokenizer, model.sg, model.min_count, model.trained_epochs) == ("simple", 1, 2, 20)
    assert set(model.wv.index_to_key) == set(" ".join(TOPICS).split())
    shown = telling_words(model.wv)
    assert shown
    assert all(word in out for word in shown)


def test_options_that_are_given_take_the_place_of_usual_ones(book, capsys):
    code, out, _ = said(capsys, "train", "book.txt", "--epochs", "2", "--cbow", "--tokenizer", "whitespace", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["epochs"] == 2
    assert "epochs" not in found["settings"]
    assert "sg" not in found["settings"]
    assert found["settings"]["tokenizer"] == "whitespace"
    assert any(word.endswith(".") for word in KeyedVectors.load("book.safetensors").index_to_key)


def test_a_first_model_is_the_same_from_standard_input(book, capsys, monkeypatch):
    assert said(capsys, "train", "book.txt")[0] == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((book / "book.txt").read_bytes())))
    assert said(capsys, "train", "-")[0] == 0
    one, other = (Word2Vec.load(f"{name}.safetensors").wv for name in ("book", "model"))
    assert one.index_to_key == other.index_to_key
    assert (one.vectors == other.vectors).all()


def test_what_belongs_to_a_run_needs_a_name(book, capsys):
    with pytest.raises(SystemExit):
        program.main(["train", "book.txt", "--checkpoint", "run"])
    assert "--checkpoint needs -o OUT" in capsys.readouterr().err


def test_usual_settings_follow_the_size():
    counts = [usual_settings(words)["min_count"] for words in (100, 10_000, 100_000, 10_000_000)]
    assert counts == [1, 2, 3, 5]
    assert usual_settings(10_000_000)["epochs"] < usual_settings(100_000)["epochs"]
    assert looks_raw([line.split() for line in prose(3)])
    assert not looks_raw([TOPICS[0].split()] * 3)


# --- explore ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model():
    sentences = [line.lower().rstrip(".").split() for line in prose()]
    return Word2Vec(sentences, sg=1, vector_size=16, min_count=1, workers=1, sample=0, epochs=3)


def test_a_word_gets_its_neighbours_in_both_spaces(model):
    text = explore.Explorer(model.wv, model, 3).answer("river")
    assert text.splitlines()[0].split() == ["used", "alike", "standing", "together"]
    nearest, _ = model.wv.most_similar("river", topn=1)[0]
    meeting, _ = model.most_similar("river", topn=1, space="in-out")[0]
    assert nearest in text.splitlines()[1]
    assert meeting in text.splitlines()[1]
    assert "together" not in explore.Explorer(model.wv).answer("river")


def test_sums_reasons_and_slips_are_answered(model):
    explorer = explore.Explorer(model.wv, model, 3)
    best, _ = model.wv.most_similar(["river", "bread"], ["lake"], topn=1)[0]
    assert best in explorer.answer("river - lake + bread")
    assert explorer.answer("river -lake +bread") == explorer.answer("river - lake + bread")
    assert "used alike" in explorer.answer("river ? bread")
    assert "close to it: 'river'" in explorer.answer("rivr")
    assert "need a whole model" in explore.Explorer(model.wv).answer("river ? bread")
    assert "WORD" in explorer.answer("help")
    assert explorer.answer("  ") == ""


def test_a_word_is_asked_for_as_the_text_was_read():
    told = Word2Vec(prose(), tokenizer="simple", vector_size=4, min_count=1, workers=1, sample=0, epochs=1)
    explorer = explore.Explorer(told.wv, told, 3)
    assert explorer.answer("River!") == explorer.answer("river")
    assert explorer.answer("Lake ? BREAD") == explorer.answer("lake ? bread")
    assert "not among" in explorer.answer("River lake")


def test_words_are_completed_the_most_frequent_first():
    vectors = KeyedVectors.from_arrays(["boat", "bread", "boa", "water"], np.eye(4, dtype=np.float32))
    explorer = explore.Explorer(vectors)
    assert explorer.completions("bo") == ["boat", "boa"]
    assert explorer.completions("x") == []
    assert len(explorer.completions("")) == 4


def test_questions_may_come_from_a_pipe(model, tmp_path, capsys, monkeypatch):
    model.save(tmp_path / "m.safetensors")
    monkeypatch.setattr(sys, "stdin", io.StringIO("river\nnothing\nquit\nbread\n"))
    code, out, err = said(capsys, "explore", str(tmp_path / "m.safetensors"), "-n", "2")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 4, "two neighbours with their head, and an error"


# --- completion ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_a_script_knows_all_commands_and_options(shell):
    text = completion.script(program.build_parser(), shell)
    for name, (_, made) in completion.commands_of(program.build_parser()).items():
        assert name in text
        for action in completion.options_of(made):
            assert all(flag.lstrip("-") in text for flag in action.option_strings)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("w2v tra", {"train"}),
        ("w2v train --tok", {"--tokenizer"}),
        ("w2v train book.txt --tokenizer simple_", {"simple_preprocess"}),
        ("w2v completion --h", {"--help"}),
        ("w2v completion z", {"zsh"}),
        ("w2v bio e", {"embed"}),
        ("w2v bio train --pre", {"--preset"}),
    ],
)
def test_bash_completes_commands_options_and_values(words, expected):
    asked = f'COMP_WORDS=({words}); COMP_CWORD={len(words.split()) - 1}; _w2v; printf "%s\\n" "${{COMPREPLY[@]}}"'
    script = completion.script(program.build_parser(), "bash") + asked
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == expected


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_can_read_their_scripts(shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = completion.script(program.build_parser(), shell)
    subprocess.run([shell, "-n"], input=script, text=True, check=True)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_commands_options_and_values():
    script = completion.script(program.build_parser(), "fish")
    asked = {"w2v tra": "train", "w2v completion z": "zsh", "w2v bio e": "embed", "w2v train --tok": "--tokenizer"}
    script += "".join(f"complete -C '{line}'\n" for line in asked)
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, check=True)
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == list(asked.values())


def test_a_model_of_a_field_is_verified_on_that_field(book, capsys):
    records = "".join(json.dumps({"id": "x", "body": line}) + "\n" for line in prose(40))
    (book / "rows.jsonl").write_text(records)
    options = ["--field", "body"]
    train = ["rows.jsonl", "-o", "m.safetensors", "--min-count", "1", "--workers", "1", "--tokenizer", "simple"]
    assert said(capsys, "train", *train, *options)[0] == 0
    assert said(capsys, "verify", "m.safetensors", "--corpus", "rows.jsonl", *options)[0] == 0
    code, _, err = said(capsys, "verify", "m.safetensors", "--corpus", "rows.jsonl")
    assert code == 1
    assert "say which to read: --field" in err
