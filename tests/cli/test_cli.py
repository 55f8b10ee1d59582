"""The command line: every example of its help, every exit code, and errors without a traceback."""

import contextlib
import gzip
import inspect
import io
import json
import logging
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import w2v
from w2v import CallbackAny2Vec, KeyedVectors, PathLineSentences, StopTraining, Word2Vec, __version__, bio
from w2v.cli import arguments, demo, messages, program
from w2v.common.tables import format_table
from w2v.training.session import Session
from w2v.vectors import asked

TOPICS = [
    "thread lock process queue daemon",
    "file directory path folder disk",
    "socket server client port address",
]
STEMS = {"decode": "decoder", "encode": "encoder", "read": "reading", "write": "writing"}
PROGRAM = [sys.executable, "-m", "w2v"]


def planted_sentences():
    """Sentences with known answers: topics go together, and decode is to decoder as encode is to encoder."""
    draw = random.Random(7)
    for _ in range(1500):
        yield draw.choices(draw.choice(TOPICS).split(), k=6)
        stem = draw.choice(list(STEMS))
        about = [f"{stem}_{i}" for i in draw.choices(range(4), k=3)]
        role = draw.choice(["verb", "noun"])
        used = [f"{role}_{i}" for i in draw.choices(range(4), k=3)]
        word = stem if role == "verb" else STEMS[stem]
        yield [*about, word, *used, word]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with the files that the examples speak of."""
    folder = tmp_path_factory.mktemp("made")
    text = "".join(" ".join(words) + "\n" for words in planted_sentences())
    (folder / "corpus.txt").write_text(text)
    (folder / "corpus.txt.gz").write_bytes(gzip.compress(text.encode()))
    model = str(folder / "model.safetensors")
    options = "--sg --size 24 --epochs 10 --alpha 0.05 --sample 0 --workers 1 --no-progress"
    assert program.main(["train", str(folder / "corpus.txt"), "-o", model, *shlex.split(options)]) == 0
    lines = text.splitlines()[:200]
    (folder / "tags.txt").write_text("".join(f"d{n} part{n % 2}\n" for n in range(len(lines))))
    (folder / "articles.txt").write_text("\n".join(lines))
    (folder / "articles.tsv").write_text("".join(f"d{n}\t{line}\n" for n, line in enumerate(lines)))
    (folder / "new.txt").write_text("thread lock\nsocket port\n")
    documents = ["doc2vec", str(folder / "articles.tsv"), "--tsv", "-o", str(folder / "documents.safetensors")]
    assert program.main([*documents, "--size", "8", "--no-progress"]) == 0
    for name in ("vectors.bin", "vectors.txt", "vectors.safetensors"):
        assert program.main(["convert", model, str(folder / name)]) == 0
    for name in ("february", "all", "old", "new", "first", "second"):
        shutil.copy(model, folder / f"{name}.safetensors")
    for name in "abc":
        shutil.copy(folder / "vectors.bin", folder / f"{name}.bin")
    for name in ("march.txt", "1900s.txt"):
        (folder / name).write_text(text)
    (folder / "terms.tsv").write_text("thread lock\tLOCK\nsocket\tPORT\n")
    corpus = str(folder / "corpus.txt")
    assert program.main(["phrases", corpus, "-o", str(folder / "phrases.json")]) == 0
    assert program.main(["terms", str(folder / "terms.tsv"), corpus, "-o", str(folder / "terms.json")]) == 0
    (folder / "vectors.txt.gz").write_bytes(gzip.compress((folder / "vectors.txt").read_bytes()))
    for name in ("february", "all", "old", "new", "first", "second"):
        shutil.copy(model, folder / f"{name}.safetensors")
    for name in "abc":
        shutil.copy(folder / "vectors.bin", folder / f"{name}.bin")
    renamed = (folder / "vectors.txt").read_text().replace("thread ", "house ").replace("lock ", "dog ")
    (folder / "renamed.txt").write_text(renamed)
    for name in ("english", "german"):
        assert program.main(["convert", str(folder / "renamed.txt"), str(folder / f"{name}.bin")]) == 0
    for name in ("march", "1900s"):
        shutil.copy(folder / "corpus.txt", folder / f"{name}.txt")
    words = ["house", "dog", *" ".join(TOPICS).split()[2:], *(f"{stem}_{i}" for stem in STEMS for i in range(4))]
    known = [(word, word) for word in words]
    (folder / "dictionary.tsv").write_text("".join(f"{one}\t{other}\n" for one, other in known))
    (folder / "questions-words.txt").write_text(
        ": coders\ndecode decoder encode encoder\nencode encoder decode decoder\n"
        ": forms\nread reading write writing\nread reading encode unknown\n"
    )
    pairs = "thread\tlock\t9\nthread\tfile\t1\nsocket\tserver\t8\ndisk\tport\t2\nfile\tunknown\t5\n"
    for name in ("wordsim353.tsv", "simlex999.tsv"):
        (folder / name).write_text(pairs)
    write_sequences(folder)
    write_raw_texts(folder, lines)
    (folder / "text").mkdir()
    for number in range(2):
        (folder / "text" / f"{number}.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    return folder


def write_raw_texts(folder, lines):
    texts = [line.capitalize() + "." for line in lines]
    (folder / "book.txt").write_text("\n".join(texts))
    records = "".join(json.dumps({"title": "x", "body": text}) + "\n" for text in texts)
    (folder / "articles.jsonl.gz").write_bytes(gzip.compress(records.encode()))
    with contextlib.suppress(ImportError):
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.table({"title": texts, "text": texts}), folder / "reviews.parquet")


def write_sequences(folder):
    draw = np.random.default_rng(8)
    for name, letters in (("proteins.fa", "ACDEFGHIKLMNPQRSTVWY"), ("more.fa", "ACDEX"), ("genes.fa", "ACGT")):
        records = (f">r{number}\n{''.join(draw.choice(list(letters), 60))}\n" for number in range(40))
        (folder / name).write_text("".join(records))
    (folder / "genome.fa.gz").write_bytes(gzip.compress((folder / "genes.fa").read_bytes()))
    bio.ProtVec(folder / "proteins.fa", vector_size=8, epochs=1, workers=1).save(folder / "proteins.safetensors")


@pytest.fixture
def room(made, tmp_path, monkeypatch):
    """The same files in the current folder, to change at will."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small_demo(room, monkeypatch):
    """A demo that takes a moment: its cached corpus is the planted one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(room))
    monkeypatch.setattr(demo, "SETTINGS", {**demo.SETTINGS, "epochs": 1, "vector_size": 16})
    demo.cache_file().parent.mkdir()
    shutil.copy("corpus.txt", demo.cache_file())


def run(capsys, line):
    """Run a command line in this process; returns exit code, stdout and stderr."""
    capsys.readouterr()
    try:
        code = program.main(shlex.split(line))
    except SystemExit as exit:
        code = exit.code
    return code, *capsys.readouterr()


@pytest.mark.parametrize("line", ["neighbors v word -n x", "stability t --runs x --out o", "stability t -k x --out o"])
def test_a_malformed_number_is_named_with_its_option(capsys, line):
    with pytest.raises(SystemExit):
        program.main(line.split())
    assert "'x' is not a whole number" in capsys.readouterr().err


def run_json(capsys, line):
    code, out, err = run(capsys, line + " --json")
    assert (code, err) == (0, "")
    assert out.count("\n") == 1
    return json.loads(out)


def subprocess_environment():
    """The environment for `python -m w2v` in any folder."""
    paths = [str(Path(w2v.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def example_lines():
    return [line.strip() for text in program.EXAMPLES.values() for line in text.strip().splitlines()]


@pytest.mark.parametrize("line", [line for line in example_lines() if line.startswith("w2v ")])
def test_example_of_the_help_works(room, small_demo, capsys, monkeypatch, line):
    if ".parquet" in line:
        pytest.importorskip("pyarrow", reason="needs pyarrow")
    monkeypatch.setattr(sys, "stdin", io.StringIO("thread\n"))  # what w2v explore is asked
    if line.startswith("w2v resume"):
        assert run(capsys, "train corpus.txt -o out.safetensors --checkpoint run/")[0] == 0
    line = line.replace("--engine ray", "--engine local")  # the same bytes, without a cluster
    code, out, err = run(capsys, line.removeprefix("w2v "))
    assert (code, err) == (0, "")
    assert out
    if "--json" in line:
        json.loads(out)


@pytest.mark.parametrize("line", [line for line in example_lines() if not line.startswith("w2v ")])
def test_piped_example_of_the_help_works(room, line):
    script = room / "w2v"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(PROGRAM)} "$@"\n')
    script.chmod(0o755)
    environment = subprocess_environment() | {"PATH": f"{room}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(line, shell=True, capture_output=True, text=True, env=environment, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["file"] == "vectors.txt"


@pytest.mark.parametrize("command", [*program.EXAMPLES, ""])
def test_every_help_page_shows_its_examples(capsys, command):
    code, out, _ = run(capsys, f"{command} --help")
    assert code == 0
    assert all(line.strip() in out for line in program.EXAMPLES.get(command, "").strip().splitlines())


def test_version(capsys):
    assert run(capsys, "--version") == (0, f"w2v {__version__}\n", "")


def test_defaults_are_those_of_the_library():
    parameters = inspect.signature(Word2Vec).parameters
    defaults = {parameter: default for _, parameter, _, default, _ in program.TRAINING_OPTIONS}
    assert defaults == {parameter: parameters[parameter].default for parameter in defaults}
    args = program.build_parser().parse_args(["train", "corpus", "-o", "out"])
    assert args.cache == parameters["cache"].default
    assert (args.sg, args.hs) == (None, False)  # what is not given is left to the library
    assert args.fresh_negatives is not parameters["shared_negatives"].default


def test_help_does_not_wait_for_numpy():
    code = "import sys\nfrom w2v.cli import program\nprogram.build_parser()\nassert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env=subprocess_environment(), timeout=60)


# ---- train


def test_train_reports_what_it_did(room, capsys):
    facts = run_json(capsys, "train corpus.txt -o out.safetensors --size 10 --epochs 2 --workers 1 --loss")
    words = [len(line.split()) for line in Path("corpus.txt").read_text().splitlines()]
    vectors = KeyedVectors.load("out.safetensors")
    assert facts["corpus_words"] == sum(words)
    assert facts["sentences"] == len(words)
    assert (facts["vocabulary"], facts["vector_size"]) == vectors.vectors.shape
    assert facts["epochs"] == len(facts["loss"]) == 2
    assert facts["words_per_second"] > facts["effective_words_per_second"] > 0
    assert facts["file"] == "out.safetensors"


def test_text_report_has_the_same_facts(room, capsys):
    code, out, err = run(capsys, "train corpus.txt -o out.safetensors --size 10 --workers 1")
    assert (code, err) == (0, "")
    facts = run_json(capsys, "train corpus.txt -o out.safetensors --size 10 --workers 1")
    assert [line.split("  ")[0] for line in out.splitlines()] == [name.replace("_", " ") for name in facts]
    assert facts["sha256"] in out
    assert "loss" not in facts


def test_plain_compressed_and_piped_text_give_the_same_vectors(room, capsys, monkeypatch):
    plain, packed, again = (
        run_json(capsys, f"train {source} -o out.txt --size 10 --workers 1")["sha256"]
        for source in ("corpus.txt", "corpus.txt.gz", "corpus.txt")
    )
    with open("corpus.txt") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        piped = run_json(capsys, "train - -o out.txt --size 10 --workers 1")["sha256"]
    assert plain == packed == again == piped


def test_a_corpus_that_is_piped_is_not_overwritten(room, capsys, monkeypatch):
    before = (room / "corpus.txt").read_bytes()
    with open("corpus.txt") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        code, _, err = run(capsys, "train - -o corpus.txt")
    assert (code, "is the corpus itself" in err) == (1, True)
    assert (room / "corpus.txt").read_bytes() == before


def test_words_that_standard_output_has_no_bytes_for_are_escaped(room, monkeypatch):
    (room / "v.txt").write_text("2 2\nplain 1 2\ncaf\u00e9 2 3\n", encoding="utf-8")
    out = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", out)
    assert program.main(["neighbors", "v.txt", "plain"]) == 0
    assert b"caf\\xe9" in out.buffer.getvalue()


def test_piped_text_that_is_not_utf8_is_refused_with_its_place(room):
    done = subprocess.run(
        [*PROGRAM, "train", "-", "-o", "out.txt"],
        input=b"two words\n" * 300_000 + b"caf\xe9\n",
        capture_output=True,
        env=subprocess_environment(),
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"at byte 3,000,003 of the input; is it UTF-8?" in done.stderr
    assert not Path("out.txt").exists()


@pytest.mark.parametrize("name", ["out.safetensors", "out.bin", "out.txt", "out.vec"])
def test_suffix_of_the_output_is_its_format(room, capsys, name):
    facts = run_json(capsys, f"train corpus.txt -o {name} --size 10 --workers 1")
    assert run_json(capsys, f"info {name}")["vectors_sha256"] == facts["sha256"]


def test_a_whole_model_trains_on_and_bare_vectors_are_smaller(room, capsys):
    assert run(capsys, "train corpus.txt -o whole.safetensors --size 10 --sg")[0] == 0
    assert run(capsys, "train corpus.txt -o part.safetensors --size 10 --sg --vectors-only")[0] == 0
    assert Word2Vec.load("whole.safetensors").sg == 1
    assert Path("part.safetensors").stat().st_size < Path("whole.safetensors").stat().st_size
    assert len(KeyedVectors.load("part.safetensors")) == len(KeyedVectors.load("whole.safetensors"))


def test_options_reach_the_model(room, capsys):
    options = "--sg --hs --negative 0 --window 3 --seed 9 --alpha 0.03 --max-final-vocab 12 --size 7"
    assert run(capsys, f"train corpus.txt -o out.safetensors --fresh-negatives {options}")[0] == 0
    model = Word2Vec.load("out.safetensors")
    assert (model.sg, model.hs, model.negative, model.window, model.seed) == (1, 1, 0, 3, 9)
    assert (model.alpha, model.shared_negatives, model.vector_size) == (0.03, False, 7)
    assert len(model.wv) <= 12


def test_progress_bar_goes_to_stderr_on_demand(room, capsys):
    code, out, err = run(capsys, "train corpus.txt -o out.txt --size 10 --progress --json")
    assert code == 0
    assert json.loads(out)
    assert "words/s" in err


def test_warning_is_one_line(capsys):
    messages.show_warning(UserWarning("two\nlines"), UserWarning, "file.py", 1)
    assert capsys.readouterr().err == "w2v: warning: two lines\n"


# ---- queries


def test_neighbors_are_the_words_of_the_topic(room, capsys):
    for file in ("model.safetensors", "vectors.safetensors", "vectors.bin", "vectors.txt", "vectors.txt.gz"):
        found = run_json(capsys, f"neighbors {file} thread socket -n 4")
        for topic in (TOPICS[0], TOPICS[2]):
            word, *others = topic.split()
            assert {answer["word"] for answer in found[word]} == set(others)


def test_neighbors_in_text_are_aligned_under_their_word(room, capsys):
    code, out, _ = run(capsys, "neighbors model.safetensors thread -n 4")
    first, *lines = out.splitlines()
    assert (code, first, len(lines)) == (0, "thread", 4)
    assert len(set(map(len, lines))) == 1


def test_analogy_finds_the_planted_answer(room, capsys):
    facts = run_json(capsys, "analogy model.safetensors decode decoder encode")
    assert facts["answers"][0]["word"] == "encoder"
    code, out, _ = run(capsys, "analogy model.safetensors decode decoder encode -n 1")
    assert code == 0
    assert out.startswith("decode is to decoder as encode is to\n  encoder  ")


def test_evaluate_counts_right_answers_and_correlates(room, capsys):
    facts = run_json(
        capsys,
        "evaluate model.safetensors --analogies questions-words.txt --pairs wordsim353.tsv simlex999.tsv",
    )
    scores = {(found["task"], found["measure"], found["part"]): found for found in facts["scores"]}
    assert scores["questions-words.txt", "3CosAdd", "all"]["value"] == 1.0
    assert scores["questions-words.txt", "3CosAdd", "coders"]["known"] == 2
    assert scores["questions-words.txt", "3CosMul", "forms"]["known"] == 1
    assert {task for task, measure, _ in scores if measure == "spearman"} == {"wordsim353.tsv", "simlex999.tsv"}
    assert scores["wordsim353.tsv", "spearman", "all"]["value"] > 0.5
    assert scores["wordsim353.tsv", "spearman", "all"]["coverage"] == 0.8
    code, out, _ = run(
        capsys, "evaluate model.safetensors --pairs wordsim353.tsv --parts --c-counts --analogies questions-words.txt"
    )
    assert code == 0
    assert "wordsim353.tsv" in out
    assert "Questions seen / total: 3 4" in out


def test_evaluate_compares_models_and_runs(room, capsys):
    facts = run_json(capsys, "evaluate one=model.safetensors,vectors.bin two=vectors.txt --pairs wordsim353.tsv")
    assert {(found["model"], found["runs"]) for found in facts["scores"]} == {("one", 2), ("two", 1)}
    [compared] = facts["comparisons"]
    assert (compared["first"], compared["second"]) == ("one", "two")
    code, _, err = run(capsys, "evaluate one=vectors.bin one=vectors.txt --pairs wordsim353.tsv")
    assert code == 1
    assert "two models are called one" in err


def test_neighbors_of_another_space_need_a_model(room, capsys):
    facts = run_json(capsys, "neighbors model.safetensors thread --space in-out -n 3")
    assert [answer["word"] for answer in facts["thread"]] != []
    code, _, err = run(capsys, "neighbors vectors.bin thread --space in-out")
    assert code == 1
    assert "--space in-out needs a whole model" in err


def test_the_spaces_of_the_command_line_are_those_of_the_library():
    assert arguments.SPACES == asked.SPACES


def test_explain_prints_a_page_or_json(room, capsys):
    code, out, _ = run(capsys, "explain model.safetensors thread lock --corpus corpus.txt")
    assert code == 0
    assert out.startswith("thread and lock\n")
    facts = run_json(capsys, "explain model.safetensors thread lock")
    assert (facts["a"], facts["b"], facts["meetings"]) == ("thread", "lock", None)
    assert facts["alike"]["rank"] >= 1
    code, _, err = run(capsys, "explain vectors.bin thread lock")
    assert (code, "needs a whole model" in err) == (1, True)


def test_evaluate_restricts_analogies_to_frequent_words(room, capsys):
    line = "evaluate model.safetensors --analogies questions-words.txt --restrict"
    code, out, err = run(capsys, f"{line} 1")
    assert (code, out) == (1, "")
    assert "questions-words.txt: no item has only words that are known (--restrict 1)" in err
    assert run_json(capsys, f"{line} 1000")["scores"][0]["known"] == 3


def test_undefined_correlation_is_null_in_json(room, capsys):
    Path("flat.tsv").write_text("thread\tfile\t1\nfile\tthread\t1\nsocket\tthread\t1\n")
    facts = run_json(capsys, "evaluate model.safetensors --pairs flat.tsv")
    assert facts["scores"][0]["value"] is None


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_compressed_vectors_are_written_and_read(room, capsys, suffix):
    run_json(capsys, f"convert vectors.bin packed.bin{suffix}")
    facts = run_json(capsys, f"info packed.bin{suffix}")
    assert facts["vectors_sha256"] == run_json(capsys, "info vectors.bin")["vectors_sha256"]
    assert Path(f"packed.bin{suffix}").stat().st_size != Path("vectors.bin").stat().st_size


def test_formats_convert_both_ways_without_loss(room, capsys):
    expected = KeyedVectors.load("model.safetensors")
    chain = ["model.safetensors", "a.bin", "b.txt", "c.safetensors", "d.vec", "e.bin"]
    for source, target in pairwise(chain):
        facts = run_json(capsys, f"convert {source} {target}")
        assert facts == {"words": len(expected), "vector_size": 24, "file": target}
    last = KeyedVectors.load_word2vec_format("e.bin", binary=True)
    assert last.index_to_key == expected.index_to_key
    np.testing.assert_array_equal(last.vectors, expected.vectors)


def test_convert_can_be_told_the_formats(room, capsys):
    assert run(capsys, "convert vectors.txt vectors.out --to binary")[0] == 0
    assert run(capsys, "convert vectors.out back.safetensors --from binary")[0] == 0
    np.testing.assert_array_equal(
        KeyedVectors.load("back.safetensors").vectors, KeyedVectors.load("vectors.safetensors").vectors
    )


def test_convert_reads_text_without_a_header(room, capsys):
    Path("glove.txt").write_text("".join(Path("vectors.txt").read_text().splitlines(keepends=True)[1:]))
    for option in ("", " --no-header"):
        assert run(capsys, f"convert glove.txt out.bin{option}")[0] == 0
        assert Path("out.bin").read_bytes() == Path("vectors.bin").read_bytes()
    assert run(capsys, "neighbors glove.txt " + Path("glove.txt").read_text().split()[0])[0] == 0
    Path("damaged.txt").write_text("2 2 2\na 0.5 1\nb 1 2\n")
    code, _, said = run(capsys, "convert damaged.txt out.bin")
    assert code == 1
    assert "w2v convert --no-header" in said


def test_info_describes_a_file(room, capsys):
    facts = run_json(capsys, "info model.safetensors")
    assert facts["format"] == "native"
    assert facts["vector_size"] == 24
    assert len(facts["first_words"]) == 10
    assert len(facts["sha256"]) == len(facts["vectors_sha256"]) == 64
    code, out, _ = run(capsys, "info vectors.bin")
    assert code == 0
    assert facts["vectors_sha256"] in out


def test_info_without_a_file_describes_the_installation(capsys):
    facts = run_json(capsys, "info")
    assert facts["version"] == __version__
    assert facts["isa"] in facts["available"]


def test_demo_tells_its_story_or_prints_json(small_demo, capsys):
    code, out, err = run(capsys, "demo")
    assert (code, err) == (0, "")
    facts = run_json(capsys, "demo -o again.safetensors")
    assert facts["sha256"] in out
    assert Path("w2v-demo.safetensors").read_bytes() == Path("again.safetensors").read_bytes()


# ---- errors


class Ends(CallbackAny2Vec):
    def __init__(self, epochs, error):
        self.epochs, self.error = epochs, error

    def on_epoch_begin(self, model):
        if model.trained_epochs == self.epochs:
            raise self.error


def test_a_run_is_resumed_where_the_corpus_is_now(room, capsys, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        Word2Vec(corpus_file="corpus.txt", deterministic=True, checkpoint="run", callbacks=[Ends(1, KeyboardInterrupt)])
    Path("corpus.txt").rename("moved.txt")
    line = "resume run -o out.txt --corpus moved.txt --workers 2"
    with monkeypatch.context() as patch:
        patch.setattr(Session, "_call", lambda self, hook: Ends(2, KeyboardInterrupt).on_epoch_begin(self._model))
        code, _, err = run(capsys, line)
    assert (code, err) == (130, f"w2v: interrupted; go on with: w2v {line}\n")
    assert run(capsys, line.partition(" --")[0])[0] == 0  # where it is and how many threads is kept


@pytest.mark.parametrize("reader", ["file", "folder"])
def test_the_output_must_not_be_an_input_of_a_resumed_run(reader, room, capsys):
    Path("texts").mkdir()
    shutil.copy("corpus.txt", "texts/one.txt")
    shutil.copy("corpus.txt", "other.txt")
    corpus = {"corpus_file": "texts/one.txt"} if reader == "file" else {"sentences": PathLineSentences("texts")}
    with pytest.raises(LookupError):
        Word2Vec(**corpus, checkpoint="run", callbacks=[Ends(0, LookupError)])
    shutil.copytree("run", "kept")
    for output, more in [
        ("texts/one.txt", ""),
        ("texts/../texts/one.txt", "--corpus other.txt"),
        ("other.txt", "--corpus other.txt"),
        ("run/checkpoint-0.safetensors", ""),
        ("run/checkpoint-1.safetensors", ""),
    ]:
        code, out, err = run(capsys, f"resume run -o {output} {more}")
        assert code == 1, out
        assert "belongs to the run" in err
    code, _, err = run(capsys, "train other.txt -o run/checkpoint-0.safetensors --checkpoint run")
    assert code == 1
    assert "belongs to the run" in err
    assert Path("texts/one.txt").read_bytes() == Path("corpus.txt").read_bytes()
    for file in Path("kept").iterdir():
        assert file.read_bytes() == (Path("run") / file.name).read_bytes()


def test_a_run_that_ended_before_its_first_epoch_is_saved(room, capsys):
    Word2Vec(corpus_file="corpus.txt", checkpoint="run", callbacks=[Ends(0, StopTraining)])
    facts = run_json(capsys, "resume run -o out.txt")
    assert (facts["epochs"], facts["seconds"], facts["words_per_second"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train missing.txt -o out.txt", "missing.txt"),
        ("train corpus.txt -o out.model", "does not tell its format"),
        ("train corpus.txt -o missing/out.txt", "is not a folder"),
        ("train corpus.txt -o folder.txt", "not a regular file"),
        ("train corpus.txt -o corpus.txt", "is the corpus itself"),
        ("train '' -o out.txt", "No such file"),
        ("train corpus.txt -o out.txt --checkpoint ''", "names no folder"),
        ("resume '' -o out.txt", "names no folder"),
        ("train corpus.txt -o out.txt --size 0", "--size 0 must be at least 1"),
        ("train corpus.txt -o out.txt --window -2", "--window -2 must be"),
        ("train corpus.txt -o out.txt --workers 0", "--workers 0 would train nothing"),
        ("train corpus.txt -o out.txt --alpha nan", "--alpha nan must be finite"),
        ("train corpus.txt -o out.txt --alpha 1e9", "alpha"),
        ("train corpus.txt -o out.txt --sample -1", "sample"),
        ("train corpus.txt -o out.txt --min-count 100000", "no word occurs 100000 times"),
        ("train corpus.txt -o out.txt --min-count 100000", "lower --min-count or add text"),
        (
            "train corpus.txt -o out.txt --negative 0",
            "--negative 0 without --hs leaves nothing to train; give --hs too",
        ),
        (
            "train corpus.txt -o out.txt --max-vocab-size 0",
            "--max-vocab-size 0 must be at least 1; without it there is",
        ),
        ("train corpus.txt -o out.txt --checkpoint d --checkpoint-every x", "--checkpoint-every x is not understood"),
        ("train corpus.txt -o out.txt --deterministic --cache none", "--deterministic needs the encoded corpus; use"),
        ("train corpus.txt -o out.txt --deterministic --cache none", "use --cache disk instead of --cache none"),
        ("train latin.txt -o out.txt", "is it UTF-8? iconv -f WINDOWS-1252 -t UTF-8 makes that of"),
        (
            "train folder.txt -o out.txt",
            "'folder.txt' is a folder without files",
        ),
        ("train missing.txt -o out.txt", "missing.txt: No such file or directory"),
        ("stability missing.txt", "missing.txt: No such file or directory"),
        ("verify model.safetensors --corpus missing.txt", "missing.txt: No such file or directory"),
        ("verify vectors.txt --corpus corpus.txt", "training again needs a whole model"),
        ("verify vectors.safetensors --corpus corpus.txt", "training again needs a whole model"),
        ("verify model.safetensors --corpus corpus.txt --workers 2", "Train it with --workers 1 or --deterministic"),
        ("neighbors corpus.txt thread", "w2v convert --no-header"),
        ("neighbors model.safetensors thraed", "; close to it: 'thread'"),
        ("analogy model.safetensors decode decoder encoed", "; close to it: 'encode"),
        ("convert vectors.txt out.bin --from native", "text and binary files end in .txt, .vec or .bin"),
        ("train empty.txt -o out.txt", ""),
        ("train latin.txt -o out.txt", "latin.txt"),
        ("train cut.txt.gz -o out.txt", "cut.txt.gz"),
        ("neighbors model.safetensors thraed", "'thraed'"),
        ("neighbors missing.bin thread", "missing.bin"),
        ("neighbors folder.txt thread", "folder.txt"),
        ("neighbors cut.bin thread", "cut.bin"),
        ("neighbors cut.safetensors thread", "cut.safetensors"),
        ("neighbors corpus.txt thread", "corpus.txt"),
        ("analogy model.safetensors decode decoder encoed", "'encoed'"),
        ("evaluate model.safetensors --analogies missing.txt", "missing.txt"),
        ("evaluate model.safetensors --analogies strange.txt", "strange.txt: no item has only words that are known"),
        ("evaluate model.safetensors --pairs missing.tsv", "missing.tsv"),
        ("convert model.safetensors out.xyz", "does not tell its format"),
        ("convert model.safetensors folder.txt", "not a regular file"),
        ("info missing.safetensors", "missing.safetensors"),
        ("demo -o demo.bin", ".safetensors"),
    ],
)
def test_error_is_one_line_that_names_the_cause(room, capsys, line, message):
    Path("folder.txt").mkdir()
    Path("empty.txt").touch()
    Path("strange.txt").write_text(": none\nbread flour oven dough\n")
    Path("latin.txt").write_bytes("é\n".encode("latin-1") * 50)
    for name in ("corpus.txt.gz", "vectors.bin", "model.safetensors"):
        Path(name.replace("corpus", "cut").replace("vectors", "cut").replace("model", "cut")).write_bytes(
            Path(name).read_bytes()[:-40]
        )
    before = {path: path.is_file() and path.read_bytes() for path in room.iterdir()}
    code, out, err = run(capsys, line)
    assert (code, out) == (1, "")
    assert err.startswith("w2v: error: ")
    assert err.count("\n") == 1
    assert message in err
    assert not re.search(r"\w=|corpus_file|no_header|min_count", err)
    assert before == {path: path.is_file() and path.read_bytes() for path in room.iterdir()}


@pytest.mark.parametrize(
    "line",
    [
        "unknown",
        "train corpus.txt --vectors-only",
        "fasttext corpus.txt",
        "train corpus.txt -o out.txt --size ten",
        "resume run -o out.txt --workers 0",
        "verify model.safetensors --corpus corpus.txt --workers 0",
        "neighbors model.safetensors",
        "neighbors model.safetensors thread -n 0",
        "analogy model.safetensors a b",
        "evaluate model.safetensors",
        "convert model.safetensors out.bin --to gensim",
    ],
)
def test_wrong_usage_has_exit_code_2(room, capsys, line):
    code, out, err = run(capsys, line)
    assert (code, out) == (2, "")
    assert re.match(r"w2v( [a-z]+)?: error: .*\n$", err), "one line"


def test_unwritable_folder_is_noticed_before_training(room, capsys, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)  # permissions do not bind root
    code, _, err = run(capsys, "train missing.txt -o out.txt")
    assert code == 1
    assert err.endswith("cannot be written to (Permission denied)\n")


def test_unknown_word_is_not_quoted_twice(room, capsys):
    _, _, err = run(capsys, "neighbors model.safetensors thraed")
    assert err.startswith("w2v: error: 'thraed' ")


def test_module_runs_like_the_script(room):
    done = subprocess.run(
        [*PROGRAM, "neighbors", "model.safetensors", "thraed"],
        capture_output=True,
        text=True,
        env=subprocess_environment(),
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("w2v: error: ")
    assert "Traceback" not in done.stderr


def test_reader_that_stops_early_is_no_error(room):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*PROGRAM, "neighbors", "model.safetensors", "thread"],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=subprocess_environment(),
        timeout=60,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_closed_stdout_is_no_error(room):
    done = subprocess.run(
        shlex.join([*PROGRAM, "info"]) + " >&-",
        shell=True,
        stderr=subprocess.PIPE,
        env=subprocess_environment(),
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def interrupt(room, corpus, wait):
    """Send SIGINT to a training once `wait(process)` returns; returns its exit code, stdout and stderr."""
    process = subprocess.Popen(
        [*PROGRAM, "train", corpus, "-o", "out.safetensors", "--epochs", "1000000", "--progress"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=subprocess_environment(),
    )
    try:
        wait(process)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        return process.returncode, process.stdout.read(), process.stderr.read()
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_stops_training_and_leaves_no_file(room):
    before = set(room.iterdir())
    code, out, err = interrupt(room, "corpus.txt", lambda process: process.stderr.read(1))  # the bar begins
    assert (code, out) == (130, b"")
    assert err.endswith(b"w2v: interrupted\n")
    assert b"Traceback" not in err
    assert set(room.iterdir()) == before


def test_ctrl_c_stops_waiting_for_standard_input(room):
    def feed(process):
        process.stdin.write(b"two words\n" * 50_000)  # more than a pipe holds, so the program is reading
        process.stdin.flush()
        time.sleep(0.5)  # and has read it all

    code, out, err = interrupt(room, "-", feed)
    assert (code, out) == (130, b"")
    assert err.endswith(b"w2v: interrupted\n")
    assert b"Traceback" not in err


def test_a_word_in_another_case_is_told_the_one_there_is(room, capsys):
    assert "; close to it: 'thread'" in run(capsys, "neighbors model.safetensors Thread")[2]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("train corpus.txt -o out.txt --size ten", "argument --size: 'ten' is not a whole number"),
        ("train corpus.txt -o out.txt --alpha high", "argument --alpha: 'high' is not a number"),
        ("resume run -o out.txt --workers two", "argument --workers: 'two' is not a whole number"),
        ("neighbors model.safetensors thread -n few", "argument -n: 'few' is not a whole number"),
        ("evaluate model.safetensors --pairs p --restrict x", "argument --restrict: 'x' is not a whole number"),
        ("stability corpus.txt --runs x", "argument --runs: 'x' is not a whole number"),
        ("stability corpus.txt --values x", "argument --values: 'x' is not a number"),
    ],
)
def test_malformed_numbers_are_called_so(room, capsys, line, said):
    assert run(capsys, line)[2].endswith(f"{said}; w2v {line.split()[0]} --help says more\n")


@pytest.mark.parametrize("corpus", ["-", "/dev/stdin", "<(cat corpus.txt)"])
@pytest.mark.parametrize("options", ["", "--cache none", "--checkpoint run"])
def test_text_that_comes_once_is_trained_on_in_every_epoch(room, capsys, corpus, options):
    facts = run_json(capsys, "train corpus.txt -o file.bin --size 10 --workers 1")
    line = f"cat corpus.txt | {shlex.join(PROGRAM)} train {corpus} -o piped.bin --size 10 --workers 1 --json {options}"
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, env=subprocess_environment(), timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sha256"] == facts["sha256"]
    assert Path("piped.bin").read_bytes() == Path("file.bin").read_bytes()


def test_a_model_is_verified_against_text_from_a_pipe(room):
    line = f"cat corpus.txt | {shlex.join(PROGRAM)} verify model.safetensors --corpus -"
    subprocess.run(line, shell=True, check=True, env=subprocess_environment(), timeout=60, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(
    "line", ["train - -o out.txt", "distance vectors.bin", "word-analogy vectors.bin", "compute-accuracy vectors.bin"]
)
def test_a_closed_standard_input_is_an_error(room, line):
    before = set(room.iterdir())
    done = subprocess.run(
        f"{shlex.join(PROGRAM)} {line} <&-",
        shell=True,
        capture_output=True,
        text=True,
        env=subprocess_environment(),
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "w2v: error: standard input is closed; give it a text, or name a file\n"
    assert set(room.iterdir()) == before


@pytest.mark.parametrize("line", ["train corpus.txt -o out.bin", "distance vectors.bin thread", "--help", "info"])
def test_nothing_needs_standard_streams(room, line):
    command = f"{shlex.join(PROGRAM)} {line} <&- >&- 2>&-"
    assert subprocess.run(command, shell=True, env=subprocess_environment(), timeout=60).returncode == 0


@pytest.mark.parametrize("options", ["--workers 1", "--workers 2 --deterministic"])
def test_a_repeatable_training_is_said_to_be_one_and_verified(room, capsys, options):
    facts = run_json(capsys, f"train corpus.txt -o out.safetensors --size 10 {options}")
    assert facts["repeatable"] is True
    assert run(capsys, "verify out.safetensors --corpus corpus.txt")[0] == 0
    assert re.search(r"^repeatable +yes$", run(capsys, f"train corpus.txt -o out.bin {options}")[1], re.MULTILINE)


def test_training_by_several_workers_says_how_to_repeat_it(room, capsys):
    assert run_json(capsys, "train corpus.txt -o out.safetensors --size 10")["repeatable"] is False
    assert (
        "repeatable                  no, trained by several workers or on a GPU; --workers 1 or --deterministic is"
        in (run(capsys, "train corpus.txt -o out.safetensors --size 10")[1])
    )
    assert (
        "Train it with --workers 1 or --deterministic" in run(capsys, "verify out.safetensors --corpus corpus.txt")[2]
    )


def test_words_are_shown_without_control_characters(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["red\x1b[31m", "a\nb", "back\x08", "plain"]
    vectors = KeyedVectors(2)
    vectors.add_vectors(words, np.array([[1, 0], [1, 0.1], [1, 0.2], [1, 0.3]], np.float32))
    vectors.save("odd.safetensors")
    for line in [
        "neighbors odd.safetensors 'red\x1b[31m'",
        "analogy odd.safetensors 'red\x1b[31m' plain 'a\nb'",
        "info odd.safetensors",
        "neighbors odd.safetensors '\x1b[2J'",
        "neighbors '\x1b[2J.bin' plain",
    ]:
        _, out, err = run(capsys, line)
        assert not set("\x1b\x08") & set(out + err)
        assert r"\x1b" in out + err
        assert "a\nb" not in out
    assert format_table([{"neighbours": words[:2]}]).endswith(r"| red\x1b[31m a\nb |")
    assert run_json(capsys, "neighbors odd.safetensors plain")["plain"][0]["word"] in words


def test_options_take_the_place_of_parameters_in_errors():
    said = "vector_size=0 and alpha=-0.5, cache='disk', checkpoint= needs min_count; 'workers=1' is a word; a/seed=2"
    here = "--size 0 and --alpha -0.5, --cache disk, --checkpoint needs --min-count; 'workers=1' is a word; a/seed=2"
    assert messages.in_options(said, program.FLAGS) == here


def test_a_toy_corpus_is_warned_of_once_not_every_epoch(room):
    Path("toy.txt").write_text("the cat sat on the mat\nthe dog sat on the log\n")
    done = subprocess.run(
        [*PROGRAM, *shlex.split("train toy.txt -o out.txt --min-count 1 --epochs 25")],
        capture_output=True,
        text=True,
        env=subprocess_environment(),
        timeout=60,
    )
    assert done.returncode == 0
    assert done.stderr.count("\n") <= 1


def test_a_warning_is_printed_once_however_often_it_is_logged(room, capsys):
    line = "stability corpus.txt --runs 3 --size 4 --epochs 1 --min-alpha 0.03 --no-progress"
    code, _, err = run(capsys, line)
    assert (code, err) == (0, "w2v: warning: the learning rate will rise, from --alpha 0.025 to 0.03\n")
    logging.getLogger("w2v").warning("again")
    assert capsys.readouterr().err.count("again") <= 1  # nothing is left behind
