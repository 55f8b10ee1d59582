"""The commands on sequences: what they write is what the library makes, and errors speak of options."""

import inspect
import json
import shutil

import numpy as np
import pytest

from w2v import Doc2Vec, FormatError, KeyedVectors, Kmers, TaggedKmers, Word2Vec, bio
from w2v.callbacks import CallbackAny2Vec
from w2v.cli import bio as command
from w2v.cli import program
from w2v.text import kmers
from w2v.text.kmers import Scheme

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


def test_a_model_of_sequences_is_verified_by_their_file(room, capsys):
    line = (
        "bio train x.fa -o m.safetensors --preset protvec --size 8 --epochs 2 --workers 1 --stops keep --ambiguous skip"
    )
    assert run(capsys, line)[0] == 0
    (room / "other.fa").write_text(FASTA.replace("GWW", "GAW"))
    (room / "x.fa").rename(room / "moved.fa")
    code, out, err = run(capsys, "verify m.safetensors --corpus moved.fa")
    assert (code, err, "vectors sha256" in out) == (0, "", True)
    code, _, err = run(capsys, "verify m.safetensors --corpus other.fa")
    assert (code, "another corpus" in err) == (1, True)


def test_a_run_of_sequences_goes_on_with_a_file_that_moved(room, capsys):
    class Cut(CallbackAny2Vec):
        def on_epoch_end(self, model):
            raise KeyboardInterrupt

    options = {"sg": 1, "vector_size": 8, "workers": 1, "epochs": 3, "min_count": 1}
    for source in ("x.fa", ["MKVLAAGIVGWWMEEPQSDPSV" * 3]):  # a list has no place, and its file is read as it was
        corpus = Kmers(source, k=2, alphabet="protein", frames="shifted")
        whole = Word2Vec(corpus, **options)
        with pytest.raises(KeyboardInterrupt):
            Word2Vec(corpus, checkpoint="run", checkpoint_every=1, callbacks=[Cut()], **options)
        (room / "moved.fa").write_text(FASTA if source == "x.fa" else f">a\n{source[0]}\n")
        assert run(capsys, "resume run -o again.safetensors --corpus moved.fa")[0] == 0
        assert Word2Vec.load("again.safetensors").fingerprint() == whole.fingerprint()
        shutil.rmtree("run")


def test_documents_of_sequences_are_trained_again_from_their_file(room):
    options = {"dm": 0, "vector_size": 8, "workers": 1, "epochs": 2, "min_count": 1}
    model = Doc2Vec(TaggedKmers("x.fa", k=3, alphabet="protein", frames="shifted"), **options)
    model.save("m.safetensors")
    again = Doc2Vec.load("m.safetensors").trained_again(corpus_file="x.fa")
    assert np.array_equal(again.dv.vectors, model.dv.vectors)


@pytest.mark.parametrize("reader", [3, {"reader": "Kmers"}, {**Scheme()._asdict(), "k": 0}])
def test_a_damaged_reader_of_sequences_is_refused(room, reader):
    model = Word2Vec(Kmers("x.fa", alphabet="protein"), vector_size=4, workers=1, min_count=1)
    model.runs[-1]["reader"] = reader
    with pytest.raises((FormatError, TypeError), match=r"reader=3|cannot be read as the model says"):
        Word2Vec.trained_again(model, corpus_file="x.fa") if isinstance(reader, dict) else model.provenance.check()


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
