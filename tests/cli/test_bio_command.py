"""The commands on sequences: what they write is what the library makes, and errors speak of options."""

import inspect
import json

import numpy as np
import pytest

from w2v import KeyedVectors, Kmers, Word2Vec, bio
from w2v.cli import bio as command
from w2v.cli import program
from w2v.text import kmers

FASTA = "".join(f">p{number}\n{'MKVLAAGIVGWWMEEPQSDPSV'[number:]}XKVL\n" for number in range(12))


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.fa").write_text(FASTA)
    return tmp_path


def run(capsys, line):
    code = program.main(line.split())
    return code, *capsys.readouterr()


def test_training_and_embedding_are_those_of_the_library(room, capsys):
    line = "bio train x.fa -o m.safetensors --preset protvec --size 8 --epochs 2 --workers 1 --seed 5 --json"
    code, out, err = run(capsys, line)
    assert (code, err) == (0, "")
    expected = bio.ProtVec("x.fa", vector_size=8, epochs=2, workers=1, seed=5)
    assert Word2Vec.load("m.safetensors").fingerprint() == expected.model.fingerprint()
    assert json.loads(out)["sentences"] == expected.model.corpus_count
    code, out, err = run(capsys, "bio embed m.safetensors x.fa -o v.txt --how mean --json")
    assert (code, err) == (0, "")
    assert {name: json.loads(out)[name] for name in ("sequences", "unseen")} == {"sequences": 12, "unseen": 0}
    found = KeyedVectors.load_word2vec_format("v.txt")
    assert found.index_to_key == [f"p{number}" for number in range(12)]
    np.testing.assert_allclose(found.vectors, expected.embed("x.fa", "mean").vectors, rtol=1e-5)


def test_a_run_of_sequences_is_resumed(room, capsys):
    options = "--preset protvec --size 8 --workers 1 --epochs 3 --checkpoint run --checkpoint-every 1"
    assert run(capsys, f"bio train x.fa -o m.safetensors {options}")[0] == 0
    code, _, err = run(capsys, "resume run -o again.safetensors")
    assert (code, err) == (0, "")
    first, again = (Word2Vec.load(name) for name in ("m.safetensors", "again.safetensors"))
    assert np.array_equal(first.wv.vectors, again.wv.vectors)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("bio train x.fa -o m.safetensors --preset dna2vec", "line 2, record 1 ('p0'): 'L' is no letter"),
        ("bio train x.fa -o m.safetensors --preset protvec --k-max 5", "needs one k"),
        ("bio train x.fa -o x.fa --preset protvec", "x.fa"),
        ("bio train no.fa -o m.safetensors --preset protvec", "does not exist"),
        ("bio train x.fa -o m.safetensors --preset protvec --max-sentence-length 0", "--max-sentence-length 0"),
        ("bio embed no.safetensors x.fa -o v.txt", "no.safetensors"),
    ],
)
def test_errors_name_the_place_and_the_option(line, message, room, capsys):
    code, out, err = run(capsys, line)
    assert (code, out) == (1, "")
    assert message in err


def test_choices_are_those_of_the_library():
    parameters = inspect.signature(Kmers).parameters
    assert {parameter for _, parameter, *_ in command.OPTIONS} == set(parameters) - {"source", "seed"}
    choices = {parameter: kind for _, parameter, kind, _ in command.OPTIONS if kind is not int}
    policies = dict.fromkeys(("masked", "ambiguous", "stops", "gaps"), kmers.POLICIES)
    assert choices == {
        "alphabet": tuple(kmers.ALPHABETS), "frames": kmers.FRAMES, "strand": kmers.STRANDS, **policies,
    }  # fmt: skip
    assert all(issubclass(getattr(bio, name), bio.BioVectors) for name in command.PRESETS.values())
