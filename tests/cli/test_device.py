"""--device of the commands that train or infer, on a GPU of software."""

import pytest
from corpora import two_topics
from emulation import found_by_models, needs_emulation

from w2v import Doc2Vec, Word2Vec
from w2v.cli import arguments, program
from w2v.training import settings

pytestmark = needs_emulation
SMALL = "--min-count 1 --workers 1 --size 12 --no-progress"


@pytest.fixture
def gpu(monkeypatch):
    return found_by_models(monkeypatch)


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("\n".join(map(" ".join, two_topics(30))))
    return tmp_path


def test_the_devices_of_the_command_line_are_those_of_the_library():
    assert arguments.DEVICES == settings.DEVICES


def test_train_and_resume_take_a_device(gpu, room, capsys):
    assert program.main(f"train text -o m.safetensors --checkpoint run {SMALL} --device cuda".split()) == 0
    assert "on a GPU" in capsys.readouterr().out
    assert Word2Vec.load("m.safetensors").provenance.devices == [gpu.name]
    assert program.main(["resume", "run", "-o", "again.safetensors", "--device", "cpu", "--no-progress"]) == 0
    assert Word2Vec.load("again.safetensors").device == "cpu"


def test_documents_are_trained_and_inferred_on_a_device(gpu, room):
    assert program.main(f"doc2vec text -o d.safetensors {SMALL} --epochs 1 --device cuda".split()) == 0
    assert Doc2Vec.load("d.safetensors").provenance.devices == [gpu.name]
    assert program.main(["infer", "d.safetensors", "text", "-o", "v.txt", "--epochs", "2"]) == 0
    assert gpu.launches_of("infer") == 2
    assert program.main(["infer", "d.safetensors", "text", "-o", "v.txt", "--epochs", "2", "--device", "cpu"]) == 0
    assert gpu.launches_of("infer") == 2


def test_stability_is_measured_on_a_device(gpu, room):
    line = "stability text --runs 2 -k 2 --min-count 1 --size 12 --epochs 1 --device cuda --no-progress"
    assert program.main(line.split()) == 0
    assert gpu.launches_of("train") >= 2


def test_a_gpu_that_is_not_there_is_an_error_with_a_way_out(gpu, room, monkeypatch, capsys):
    monkeypatch.setattr("w2v.training.cuda.driver.missing", lambda: "there is none")
    assert program.main(f"train text -o m.safetensors {SMALL} --device cuda".split()) == 1
    assert "--device cuda needs a GPU: there is none; or use --device cpu" in capsys.readouterr().err
