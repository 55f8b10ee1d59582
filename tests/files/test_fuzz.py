"""Any bytes give something sound or the right error: a short run of every fuzz target, and the inputs of fixed bugs."""

import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from fuzz import __main__ as engine
from fuzz import mutations, targets
from hypothesis import given, settings
from hypothesis import strategies as st
from places import ROOT, TESTS

from w2v import Word2Vec
from w2v.files.errors import FormatError

CC = os.environ.get("CC", "cc")
SANITIZE = ["-g", "-O1", "-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"]
HARNESS = TESTS / "fuzz" / "text.c"
HEADERS = ROOT / "src" / "w2v" / "text"


@pytest.mark.parametrize("name", targets.TARGETS)
def test_damaged_files_give_something_sound_or_the_right_error(name, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "FOUND", tmp_path)
    inputs, kinds = engine.campaign(name, seconds=60, seed=1, most=100)
    assert inputs == 100
    assert kinds > 1


def npy(shape, code="<f4", data=bytes(48)):
    header = f"{{'descr': '{code}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


REGRESSIONS = {
    "a NaN beside a word that is no text, in text": ("word2vec-text", b"1 1\na\xff nan\n"),
    "a NaN beside a word that is no text, in float32": ("word2vec-binary", b"1 1\na\xff " + struct.pack("<f", np.nan)),
    "a shape of numbers that Python does not parse": ("gensim-npy", npy("(4, 03)")),
    "a NaN that must not be touched": ("gensim-npy", npy("(4, 3)", "<f8", b"\1\0\0\0\0\0\xf0\x7f" * 12)),
    "a record nested too deep": ("records", b"[" * 100_000),
    "a record whose settings are a list": ("records", b'{"settings": ["x"], "runs": {}}'),
}


@pytest.mark.parametrize("what", REGRESSIONS)
def test_inputs_once_found_by_fuzzing_stay_fixed(what, tmp_path):
    name, data = REGRESSIONS[what]
    targets.TARGETS[name].run(data, tmp_path)


@pytest.mark.parametrize("binary", [False, True])
def test_a_bad_row_is_named_where_its_word_is_no_text(tmp_path, binary):
    path = tmp_path / "vectors"
    path.write_bytes(b"1 1\na\xff " + (struct.pack("<f", np.nan) if binary else b"nan\n"))
    with pytest.raises(FormatError, match=r"vectors, (line 2|byte 4): a NaN .* 'a\\\\xff'"):
        targets.read_word2vec(path, binary=binary)


@pytest.mark.parametrize("block", [1, 1 << 20])
def test_bad_rows_are_listed_in_the_order_of_the_file(tmp_path, block):
    path = tmp_path / "vectors"
    path.write_bytes(b"4 1\na 1\nb 1e30\na 2\nc 3\n")
    read = targets.read_word2vec(path, dtype=np.float16, errors="skip", block=block)
    assert [skipped.place for skipped in read.skipped] == [3, 4]
    assert read.rows == {"a": 0, "c": 1}
    assert read.vectors.tolist() == [[1], [3]]


def with_meta(**changes):
    """A model's file whose metadata say something else, under a hash that fits."""
    data = targets.native_seeds()[0]
    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    about = json.loads(header["__metadata__"]["w2v"])
    for part, values in changes.items():
        about["meta"][part] |= values
    return mutations.joined(header, mutations.resealed(header, about, body), body)


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": {"corpus_file": __file__}},
        {"settings": {"sentences": [["a", "b"]] * 9}},
        {"settings": {"alpha": 10**400}},
        {"state": {"train_count": "x"}},
        {"state": {"trained_epochs": -1}},
        {"state": {"running_training_loss": "x"}},
        {"state": {"loss_history": 5}},
        {"state": {"runs": [{"corpus": 1}]}},
        {"state": {"runs": ["x"]}},
    ],
    ids=str,
)
def test_a_model_with_impossible_settings_is_refused(tmp_path, changes):
    path = tmp_path / "model.safetensors"
    path.write_bytes(with_meta())
    Word2Vec.load(path)
    path.write_bytes(with_meta(**changes))
    with pytest.raises(FormatError, match="settings are not readable"):
        Word2Vec.load(path)


pieces = st.one_of(st.sampled_from([b"a", b" ", b"\n", *targets.SPACE_TOKENS]), st.binary(max_size=3))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(pieces, max_size=60).map(b"".join))
def test_the_c_tokenizer_agrees_with_its_twin_on_any_bytes(data):
    targets.tokenizer(data, Path())


@pytest.mark.skipif(shutil.which(CC) is None, reason=f"{CC} is not installed")
def test_the_sanitized_tokenizer_agrees_even_without_memory(tmp_path):
    program = tmp_path / "text"
    built = subprocess.run([CC, *SANITIZE, f"-I{HEADERS}", "-o", program, HARNESS], capture_output=True, text=True)
    if "cannot find" in built.stderr:
        pytest.skip(f"{CC} has no sanitizers here")
    assert built.returncode == 0, built.stderr
    environment = {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "ASAN_OPTIONS")}
    done = subprocess.run([program, "1"], capture_output=True, text=True, timeout=100, env=environment)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) > 50  # in a second; thousands where nothing else runs
