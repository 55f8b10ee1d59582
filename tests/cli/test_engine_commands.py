"""`w2v train --engine`, its resume, and `w2v plan`."""

import contextlib
import json

import pytest
from distributed_twins import POLICY, digest, new_model, write_corpus

from w2v import Word2Vec, distributed
from w2v.cli import distributed as command
from w2v.cli import program
from w2v.distributed import LocalEngine, WorkerLost
from w2v.distributed import training as room
from w2v.distributed.driver import ON_LOSS
from w2v.distributed.policy import COMBINERS

OPTIONS = ["--size", "12", "--min-count", "2", "--epochs", "2", "--seed", "5", "--sample", "0.01", "--sg"]
SYNCS = ["--words-per-round", "0.1k", "--hot-rows", "2", "--max-rounds-unsynced", "5"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def trained(corpus):
    model = new_model(sg=1)
    return distributed.train(model, corpus, engine="local", num_workers=3, sync=POLICY)


def test_train_by_several_workers_is_what_the_library_does(corpus, tmp_path, capsys):
    out = tmp_path / "model.safetensors"
    line = ["train", str(corpus / "*"), "-o", str(out), "--engine", "local", "--num-workers", "3", "--json"]
    assert program.main([*line, *OPTIONS, *SYNCS]) == 0
    said, wanted = json.loads(capsys.readouterr().out), trained(corpus)
    assert digest(Word2Vec.load(out)) == digest(wanted.model)
    assert said["rounds"] == wanted.rounds
    assert said["bytes_sent"] == wanted.bytes_sent
    assert said["lost_workers"] == []


def test_resume_goes_on_with_a_run_of_several_workers(corpus, tmp_path, capsys):
    with pytest.raises(WorkerLost):
        distributed.train(
            new_model(sg=1),
            corpus,
            engine=LocalEngine(lambda rank, method, args: method == "train" and args[0] == 17),
            num_workers=3,
            sync=POLICY,
            on_worker_loss="fail",
            checkpoint=tmp_path / "run",
            checkpoint_every=1,
        )
    assert distributed.is_run(tmp_path / "run")
    assert not distributed.is_run(tmp_path)
    out = tmp_path / "model.safetensors"
    assert program.main(["resume", str(tmp_path / "run"), "-o", str(out), "--engine", "local"]) == 0
    assert digest(Word2Vec.load(out)) == digest(trained(corpus).model)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--checkpoint", "run", "--checkpoint-every", "30s"], "a number of rounds"),
        (["--gamma", "2"], "--gamma 2.0 must be at most 1"),
        (["--num-workers", "99"], "--num-workers 99 is more than the 6 blocks"),
        (["--phrases", "p.json"], "no subwords, --phrases or --terms"),
        (["--max-vocab-size", "9"], "--max-vocab-size forgets"),
    ],
)
def test_what_several_workers_cannot_do_is_said(more, said, corpus, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = ["train", str(corpus), "-o", "m.safetensors", "--engine", "local", *more]
    with contextlib.suppress(SystemExit):  # of wrong usage
        assert program.main(line) == 1
    assert said in capsys.readouterr().err


def test_standard_input_is_no_corpus_of_several_workers(tmp_path, capsys):
    with pytest.raises(SystemExit):
        program.main(["train", "-", "-o", str(tmp_path / "m.safetensors"), "--engine", "local"])
    assert "standard input is none" in capsys.readouterr().err


def test_plan_says_memory_traffic_time_and_quality(capsys):
    line = ["plan", "--words", "10M", "--size", "300", "--workers", "16", "--network", "10G"]
    assert program.main(line) == 0
    said = capsys.readouterr().out.splitlines()
    heads = ["memory of a worker", "sent in syncs", "sent besides", "time (modelled)", "words a second", "quality"]
    assert [next(head for head in heads if one.startswith(head)) for one in said] == heads
    assert program.main([*line, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == distributed.plan(10_000_000, 300, 16).to_dict()


@pytest.mark.parametrize("text", ["0", "-1", "ten", "1.2.3k", "5 M"])
def test_a_number_with_a_unit_is_read_or_refused(text, capsys):
    assert command.number("2.5k") == 2500
    assert command.number("10M") == 10**7
    with pytest.raises(SystemExit):
        program.main(["plan", "--words", text, "--workers", "2"])
    assert "is no number of 1 and more" in capsys.readouterr().err


def test_choices_are_those_of_the_library():
    assert command.ENGINES == room.ENGINES
    assert command.ON_LOSS == ON_LOSS
    assert command.COMBINERS == COMBINERS
