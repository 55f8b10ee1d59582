"""A run that is cut short goes on, and ends where it would have ended."""

import errno
import gc
import inspect
import json
import os
import random
import re
import shlex
import subprocess
import sys
import threading
import time
import weakref
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from corpora import zipf_like
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from places import ROOT, paths_of
from test_train import MODELS

from w2v import CallbackAny2Vec, FormatError, LineSentence, PathLineSentences, StopTraining, Text8Corpus, Word2Vec
from w2v.cli import program
from w2v.files import native, writing
from w2v.text.corpus import READERS, Corpus
from w2v.training import checkpoint as checkpoints
from w2v.training import schedule

CORPUS = zipf_like(words=40_000)
SMALL = {"vector_size": 24, "min_count": 1, "workers": 1, "epochs": 3, "compute_loss": True}
MODES = {"one-worker": {}, "deterministic": {"deterministic": True, "workers": 3}}


class Killed(BaseException):
    """Stands for SIGKILL: nothing is written after it."""


@pytest.fixture
def fast_ticks(monkeypatch):
    monkeypatch.setattr("w2v.training.workers.TICK", 2e-4)


def cut_up(
    monkeypatch, folder, corpus, settings, *, seed=0, survives=2, within=0.7, borders=1, workers=(None,), callbacks=list
):
    """Train with checkpoints after each epoch and at random moments within, and die after some of them.

    Returns the model, and how often it died. Moments are those of the clock: no two calls cut at the same words.
    """
    draws = random.Random(seed)
    left = [draws.randrange(survives)]

    def write(self, *given, **cursor):
        whole(self, *given, **cursor)
        left[0] -= 1
        if left[0] < 0:
            left[0] = draws.randrange(survives)
            raise Killed

    whole = checkpoints.CheckpointWriter.write
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.CheckpointWriter, "write", write)
        patch.setattr(checkpoints.CheckpointWriter, "is_due", lambda self: draws.random() < within)
        patch.setattr(checkpoints.CheckpointWriter, "is_due_after", lambda self, epochs: draws.random() < borders)
        try:
            return Word2Vec(corpus, **settings, checkpoint=folder, callbacks=callbacks()), 0
        except Killed:
            pass
        for deaths in range(1, 1000):
            try:
                given = workers[deaths % len(workers)]
                return Word2Vec.resume(folder, corpus, workers=given, callbacks=callbacks()), deaths
            except Killed:
                continue
    raise AssertionError("it never ended")


def saved(model, folder):
    model.save(folder / "saved.safetensors")
    return (folder / "saved.safetensors").read_bytes()


def records(model):
    return [{name: value for name, value in asdict(record).items() if name != "seconds"} for record in model.history]


def same(model, expected, folder):
    """Equal to the last byte of their files, and in the records of all epochs."""
    assert records(model) == records(expected)
    return saved(model, folder) == saved(expected, folder)


# --- the same bytes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("cbow", "losses"), MODELS)
def test_a_run_cut_short_again_and_again_ends_in_the_same_bytes(cbow, losses, mode, tmp_path, monkeypatch, fast_ticks):
    settings = SMALL | MODES[mode] | {"sg": int(not cbow), "hs": losses[0], "negative": losses[1], "epochs": 5}
    model, deaths = cut_up(monkeypatch, tmp_path / "run", CORPUS, settings)
    assert deaths >= 3  # after every second checkpoint at least
    assert same(model, Word2Vec(CORPUS, **settings), tmp_path)


@pytest.mark.parametrize("cbow", [False, True])
def test_a_deterministic_run_may_change_its_workers_each_time(cbow, tmp_path, monkeypatch, fast_ticks):
    settings = SMALL | {"sg": int(not cbow), "deterministic": True, "workers": 1, "epochs": 5}
    model, deaths = cut_up(monkeypatch, tmp_path / "run", CORPUS, settings, workers=(4, 2, 3, 1))
    assert deaths >= 3
    model.workers = 1  # which the file holds
    assert same(model, Word2Vec(CORPUS, **settings), tmp_path)


TINY = zipf_like(words=15_000)
EXPECTED = {}


@given(
    seed=st.integers(0, 2**32),
    within=st.sampled_from([0, 0.2, 1]),
    borders=st.sampled_from([0, 0.5, 1]),
    survives=st.integers(1, 5),
    mode=st.sampled_from(list(MODES)),
)
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_interrupted_runs_end_with_the_same_bytes(
    seed, within, borders, survives, mode, tmp_path_factory, monkeypatch, fast_ticks
):
    """Cuts at random words or rounds, at the borders of epochs, before the first word and after the last."""
    folder = tmp_path_factory.mktemp("cut")
    settings = SMALL | MODES[mode] | {"vector_size": 8, "epochs": 4}
    if mode not in EXPECTED:
        EXPECTED[mode] = Word2Vec(TINY, **settings)
    model, _ = cut_up(
        monkeypatch, folder / "run", TINY, settings, seed=seed, survives=survives, within=within, borders=borders
    )
    assert same(model, EXPECTED[mode], folder)


def test_the_border_of_an_epoch_is_a_place_like_any_other(tmp_path, monkeypatch):
    """All words are trained, but the epoch is not yet over: its record and its callbacks are still to come."""
    seen = []
    whole = checkpoints.CheckpointWriter.write

    def write(self, *given, **cursor):
        whole(self, *given, **cursor)
        seen.append(cursor["reached"] and cursor["reached"]["position"])
        if seen[-1] == sum(map(len, TINY)):
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.CheckpointWriter, "write", write)
        patch.setattr(checkpoints.CheckpointWriter, "is_due", lambda self: True)
        with pytest.raises(Killed):
            Word2Vec(TINY, **SMALL, checkpoint=tmp_path / "run")
    assert same(Word2Vec.resume(tmp_path / "run", TINY), Word2Vec(TINY, **SMALL), tmp_path)


def test_resuming_a_second_training_keeps_the_first(tmp_path, monkeypatch, fast_ticks):
    expected = Word2Vec(CORPUS, **SMALL)
    model = Word2Vec(CORPUS, **SMALL)
    again = {"total_examples": 1, "epochs": 2, "start_alpha": 0.01, "end_alpha": 0.001}
    expected.train(TINY, **again)
    with monkeypatch.context() as patch:
        die_at_write(patch, 3)
        with pytest.raises(Killed):
            model.train(TINY, **again, checkpoint=tmp_path / "run", checkpoint_every="0.001s")
    assert same(Word2Vec.resume(tmp_path / "run", TINY), expected, tmp_path)


def test_locked_rows_and_attributes_of_words_are_kept(tmp_path, monkeypatch, fast_ticks):
    def begun():
        model = Word2Vec(**SMALL)
        model.build_vocab(CORPUS)
        model.wv.vectors_lockf = np.linspace(0, 1, len(model.wv)).astype(np.float32)
        model.wv.set_vecattr("w0", "mark", 7)
        return model

    wanted = {"corpus_iterable": CORPUS, "total_examples": 1, "epochs": 2}
    expected, model = begun(), begun()
    expected.train(**wanted)
    with monkeypatch.context() as patch:
        die_at_write(patch, 2)
        with pytest.raises(Killed):
            model.train(**wanted, checkpoint=tmp_path / "run", checkpoint_every="0.001s")
    assert same(Word2Vec.resume(tmp_path / "run", CORPUS), expected, tmp_path)


def test_several_workers_lose_at_most_a_chunk_each(tmp_path, monkeypatch, fast_ticks):
    corpus = zipf_like(words=120_000)
    settings = SMALL | {"workers": 3, "epochs": 2}
    model, deaths = cut_up(monkeypatch, tmp_path / "run", corpus, settings, survives=1)
    assert deaths > 1
    assert [record.epoch for record in model.history] == [0, 1]
    most = 2 * (deaths + 10) * 3 * 8192
    assert 240_000 - most < sum(record.raw_words for record in model.history) <= 240_000
    assert np.isfinite(model.wv.vectors).all()


def die_at_write(patch, number):
    """The process that writes the checkpoint of this number writes no other."""
    whole = checkpoints.Folder.write

    def write(self, *given):
        whole(self, *given)
        if self._number == number:
            raise Killed

    patch.setattr(checkpoints.Folder, "write", write)


def interrupted(folder, corpus=CORPUS, at=2, **changed):
    """The folder of a run that ended when its checkpoint of this number was written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("w2v.training.workers.TICK", 5e-4)
        die_at_write(patch, at)
        with pytest.raises(Killed):
            Word2Vec(corpus, **SMALL | changed, checkpoint=folder, checkpoint_every="0.001s")
    return folder


# --- what a user meets ------------------------------------------------------------------------------------------


def test_a_finished_run_is_given_back_at_once(tmp_path):
    model = Word2Vec(CORPUS, **SMALL, checkpoint=tmp_path / "run")
    assert same(Word2Vec.resume(tmp_path / "run"), model, tmp_path)


def test_a_run_stopped_early_by_a_callback_is_finished(tmp_path):
    class Ends(CallbackAny2Vec):
        def on_epoch_end(self, model):
            raise StopTraining

    model = Word2Vec(CORPUS, **SMALL, callbacks=[Ends()], checkpoint=tmp_path / "run")
    resumed = Word2Vec.resume(tmp_path / "run", CORPUS)
    assert len(resumed.history) == 1
    assert same(resumed, model, tmp_path)


@pytest.mark.parametrize("reader", ["file", "LineSentence", "Text8Corpus", "PathLineSentences"])
def test_a_corpus_of_files_is_found_again(reader, tmp_path, monkeypatch):
    path = tmp_path / "corpus.txt"
    path.write_text("\n".join(" ".join(words) for words in CORPUS if words))
    monkeypatch.chdir(tmp_path)  # a relative path is found from anywhere
    made = {"file": None, "LineSentence": LineSentence("corpus.txt", 7, limit=900, errors="replace")}
    made |= {"Text8Corpus": Text8Corpus("corpus.txt", 50), "PathLineSentences": PathLineSentences("corpus.txt", 9)}
    corpus = {"corpus_file": "corpus.txt"} if reader == "file" else {"sentences": made[reader]}
    with pytest.MonkeyPatch.context() as patch:
        die_at_write(patch, 2)
        with pytest.raises(Killed):
            Word2Vec(**corpus, **SMALL, checkpoint="run", checkpoint_every=1)
    monkeypatch.chdir("/")
    resumed = Word2Vec.resume(tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    assert same(resumed, Word2Vec(**corpus, **SMALL), tmp_path)


@pytest.mark.parametrize("reader", READERS.values())
def test_every_option_of_a_reader_is_kept(reader, tmp_path):
    (tmp_path / "corpus.txt").write_text("a b")
    first, *others = inspect.signature(reader).parameters
    wanted = {"max_sentence_length": 7, "limit": 3, "errors": "replace", "k": 2, "k_max": 4, "alphabet": "protein"}
    wanted |= {"frames": "sliding", "strand": "forward", "masked": "split", "ambiguous": "skip", "stops": "skip"}
    wanted |= {"gaps": "split", "seed": 5, "tokenizer": "simple", "column": None, "field": "body"}
    corpus = reader(tmp_path / "corpus.txt", **{name: wanted[name] for name in others})
    again, _ = Corpus.reopen(Corpus(corpus, False).locator(), "run")
    assert {name: getattr(again, name) for name in others} == {name: wanted[name] for name in others}
    assert os.fspath(getattr(again, first)) == os.fspath(tmp_path / "corpus.txt")


def test_a_corpus_that_is_not_utf8_is_read_as_before(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_bytes("\n".join(" ".join(words) for words in CORPUS if words).encode() + b" \xff")
    folder = interrupted(tmp_path / "run", LineSentence(path, errors="replace"))
    expected = Word2Vec(LineSentence(path, errors="replace"), **SMALL)
    assert same(Word2Vec.resume(folder), expected, tmp_path)


def test_a_checkpoint_is_a_model(tmp_path):
    folder = interrupted(tmp_path / "run", at=3)
    model = Word2Vec.load(folder / checkpoints.SLOTS[1])
    assert len(model.wv) == 74
    model.train(CORPUS, total_examples=1, epochs=1)


def test_checkpoints_precede_training_and_follow_chosen_epochs(tmp_path, monkeypatch):
    seen = []
    whole = checkpoints.CheckpointWriter.write

    def write(self, *given, **cursor):
        seen.append((len(cursor["history"]), cursor["reached"], cursor["finished"]))
        whole(self, *given, **cursor)

    monkeypatch.setattr(checkpoints.CheckpointWriter, "write", write)
    Word2Vec(TINY, **SMALL | {"epochs": 5}, checkpoint=tmp_path / "run", checkpoint_every=2)
    assert seen == [(0, None, False), (2, None, False), (4, None, False), (5, None, True)]


class Diary(CallbackAny2Vec):
    def __init__(self, seen):
        self.seen = seen

    def on_train_begin(self, model):
        self.seen.append("train")

    def on_epoch_begin(self, model):
        self.seen.append(f"begin {model.trained_epochs}")
        model.alpha *= 0.9  # its changes of the model are not made twice

    def on_epoch_end(self, model):
        self.seen.append(f"end {model.trained_epochs}")

    def on_train_end(self, model):
        self.seen.append("over")


def test_callbacks_are_part_of_the_run(tmp_path, monkeypatch, fast_ticks):
    seen, once = [], []
    expected = Word2Vec(CORPUS, **SMALL, callbacks=[Diary(once)])
    model, deaths = cut_up(
        monkeypatch, tmp_path / "run", CORPUS, SMALL, callbacks=lambda: [Diary(seen)], seed=1, survives=2
    )
    assert deaths
    assert same(model, expected, tmp_path)
    assert seen.count("train") <= deaths + 1
    hooks = [hook for hook in seen if hook != "train"]
    # a hook after the last checkpoint is called again, and no other
    assert sorted(set(hooks), key=hooks.index) == once[1:]
    assert hooks[-1] == "over"


def test_a_callback_error_ends_the_run_and_keeps_the_checkpoint(tmp_path):
    class Breaks(CallbackAny2Vec):
        def on_epoch_end(self, model):
            if model.trained_epochs == 2:
                raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        Word2Vec(CORPUS, **SMALL, callbacks=[Breaks()], checkpoint=tmp_path / "run", checkpoint_every=1)
    assert same(Word2Vec.resume(tmp_path / "run", CORPUS), Word2Vec(CORPUS, **SMALL), tmp_path)


# --- what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"sentences": iter(CORPUS)}, TypeError, "can be read only once; write its sentences to a file"),
        ({"sentences": (words for words in CORPUS)}, TypeError, "a generator can be read only once"),
        ({"cache": "none"}, ValueError, "cache='disk' instead of cache='none'"),
        ({"checkpoint_every": "10 minutes"}, ValueError, "'10 minutes' is not understood; it is a time such as '30s'"),
        ({"checkpoint_every": "0s"}, ValueError, "'0s'"),
        ({"checkpoint_every": "-1s"}, ValueError, "'-1s'"),
        ({"checkpoint_every": 0}, ValueError, "checkpoint_every=0 must be at least 1"),
        ({"checkpoint_every": 1.5}, TypeError, "checkpoint_every=1.5 must be an integer; it is a time"),
        ({"checkpoint_every": None}, TypeError, "checkpoint_every=None"),
        ({"sentences": None}, ValueError, "of no use without a corpus"),
        ({"checkpoint": "file"}, OSError, "file"),
        ({"checkpoint": "file/run"}, OSError, "file"),
        ({"checkpoint": 7}, TypeError, "int"),
    ],
)
def test_runs_that_cannot_resume_are_refused_before_reading(given, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    monkeypatch.setattr(Word2Vec, "scan_vocab", None)
    with pytest.raises(error, match=re.escape(message)):
        Word2Vec(**{"sentences": CORPUS, "checkpoint": "run"} | given, **SMALL)
    assert not list(tmp_path.glob("run/*.safetensors"))
    model = Word2Vec(**SMALL | {"cache": given.get("cache", "auto")})
    model.build_vocab_from_freq({"w0": 5, "w1": 5})
    if given.get("sentences", CORPUS) is not None:
        with pytest.raises(error, match=re.escape(message)):
            model.train(
                given.get("sentences", CORPUS), total_examples=1, epochs=1,
                **{"checkpoint": "run"} | {name: given[name] for name in given if "checkpoint" in name},
            )  # fmt: skip
        assert model.runs == []


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path):
    script = f"""
import os
from w2v import Word2Vec
if os.geteuid() == 0: os.seteuid(65534)  # permissions do not bind root
try:
    Word2Vec([[]], checkpoint={os.fspath(tmp_path / "run")!r})
except PermissionError as error:
    print(error.filename)
"""
    tmp_path.chmod(0o555)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    tmp_path.chmod(0o755)
    assert done.stdout.strip() == os.fspath(tmp_path / "run"), done.stderr


def test_a_folder_with_another_run_is_refused_and_left_alone(tmp_path):
    folder = interrupted(tmp_path / "run")
    before = content(folder)
    said = r"holds a run already; Word2Vec.resume\('.*run'\) goes on with it. To begin anew, delete it or take another"
    with pytest.raises(FileExistsError, match=said):
        Word2Vec(CORPUS, **SMALL, checkpoint=folder)
    assert content(folder) == before


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_folder_in_use_is_refused(tmp_path):
    folder = interrupted(tmp_path / "run")
    with checkpoints.Folder(folder):
        with pytest.raises(BlockingIOError, match="in use by another process, or by another model"):
            Word2Vec.resume(folder, CORPUS)
        with pytest.raises(BlockingIOError, match="in use"):
            Word2Vec(CORPUS, **SMALL, checkpoint=folder)
        there = "from w2v import Word2Vec; Word2Vec.resume('run')"
        done = subprocess.run([sys.executable, "-c", there], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert "BlockingIOError" in done.stderr
    Word2Vec.resume(folder, CORPUS)


def test_a_run_that_is_over_leaves_its_folder_free(tmp_path):
    class Looks(CallbackAny2Vec):
        def on_epoch_end(self, model):
            with pytest.raises(BlockingIOError):
                checkpoints.Folder(tmp_path / "run")

    Word2Vec(CORPUS, **SMALL, checkpoint=tmp_path / "run", callbacks=[Looks()])
    checkpoints.Folder(tmp_path / "run").close()


@pytest.mark.parametrize("missing", ["folder", "checkpoint"])
def test_nothing_to_resume(missing, tmp_path):
    if missing == "checkpoint":
        (tmp_path / "run").mkdir()
    with pytest.raises(FileNotFoundError, match="run"):
        Word2Vec.resume(tmp_path / "run", CORPUS)
    assert (tmp_path / "run").exists() == (missing == "checkpoint")


def test_a_job_that_was_killed_while_it_counted_is_started_again(tmp_path):
    """What docs/checkpoints.md says to do without looking."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / checkpoints.LOCK).touch()
    models = []
    for _ in range(2):
        try:
            models.append(Word2Vec.resume(tmp_path / "run", CORPUS, epochs=3))
        except FileNotFoundError:
            models.append(Word2Vec(CORPUS, **SMALL, checkpoint=tmp_path / "run"))
    assert same(*models, tmp_path)


def turned(corpus):
    return [list(reversed(words)) for words in corpus]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (CORPUS[:-1], r"another corpus .*: 39,9\d\d words in 4,44\d sentences, not 40,000 in 4,445"),
        ([*CORPUS, ["w0"]], "40,001 words in 4,446 sentences, not 40,000 in 4,445"),
        (turned(CORPUS), "40,000 words in 4,445 sentences as there, but other words or in another order"),
        ([["other", "words"]], "0 words in 1 sentences, not"),
    ],
    ids=["shorter", "longer", "turned", "unknown"],
)
def test_another_corpus_is_refused(other, message, tmp_path):
    folder = interrupted(tmp_path / "run")
    with pytest.raises(ValueError, match=message):
        Word2Vec.resume(folder, other)
    assert same(Word2Vec.resume(folder, CORPUS), Word2Vec(CORPUS, **SMALL), tmp_path)  # nothing was lost by it


def test_a_corpus_that_has_to_be_given_again_is_asked_for(tmp_path):
    folder = interrupted(tmp_path / "run")
    with pytest.raises(ValueError, match=r"was not a file; give it again: Word2Vec.resume\('.*run', corpus\)"):
        Word2Vec.resume(folder)
    path = tmp_path / "corpus.txt"
    path.write_text("\n".join(" ".join(words) for words in CORPUS if words))
    folder = interrupted(tmp_path / "other", LineSentence(path))
    path.rename(tmp_path / "moved.txt")
    with pytest.raises(FileNotFoundError, match="no longer there; say where it is"):
        Word2Vec.resume(folder)
    with pytest.MonkeyPatch.context() as patch:  # later checkpoints know where it is now
        die_at_write(patch, 3)
        with pytest.raises(Killed):
            Word2Vec.resume(folder, corpus_file=tmp_path / "moved.txt")
    expected = Word2Vec(corpus_file=tmp_path / "moved.txt", **SMALL)
    assert same(Word2Vec.resume(folder), expected, tmp_path)


def test_other_settings_are_refused_and_named(tmp_path):
    folder = interrupted(tmp_path / "run")
    with pytest.raises(ValueError, match=r"other settings: vector_size=24, not 25; epochs=3, not 4$"):
        Word2Vec.resume(folder, CORPUS, vector_size=25, min_count=1, epochs=4)
    with pytest.raises(TypeError, match="no setting 'vectors'"):
        Word2Vec.resume(folder, CORPUS, vectors=25)
    settings = {name: value for name, value in SMALL.items() if name != "workers"}
    Word2Vec.resume(folder, CORPUS, **settings, seed=None)
    with pytest.raises(ValueError, match="other settings: seed=1, not 2"):
        Word2Vec.resume(folder, CORPUS, seed=2)


def test_one_worker_stays_one(tmp_path):
    folder = interrupted(tmp_path / "run")
    with pytest.raises(ValueError, match="workers=2 would end in other bytes than the one worker"):
        Word2Vec.resume(folder, CORPUS, workers=2)
    with pytest.raises(ValueError, match="workers=0"):
        Word2Vec.resume(folder, CORPUS, workers=0)
    assert same(Word2Vec.resume(folder, CORPUS, workers=1), Word2Vec(CORPUS, **SMALL), tmp_path)


def test_one_thread_stays_one_on_a_machine_with_more_cores(tmp_path, monkeypatch):
    """workers=-1 was one thread here, and would be four there: other bytes."""
    with monkeypatch.context() as patch:
        patch.setattr("w2v.training.workers.core_count", lambda: 1)
        folder = interrupted(tmp_path / "run", workers=-1)
    monkeypatch.setattr("w2v.training.workers.core_count", lambda: 4)
    resumed = Word2Vec.resume(folder, CORPUS)
    assert resumed.workers == -1
    assert resumed.wv.vectors.tobytes() == Word2Vec(CORPUS, **SMALL).wv.vectors.tobytes()


def test_another_scheme_is_refused(tmp_path, monkeypatch):
    folder = interrupted(tmp_path / "run")
    ours = schedule.scheme_of({})
    monkeypatch.setattr("w2v.training.session.scheme_of", lambda settings: ours + 1)
    with pytest.raises(ValueError, match=rf"a run of scheme {ours}; this is w2v .* with scheme {ours + 1}"):
        Word2Vec.resume(folder, CORPUS)


# --- damage -----------------------------------------------------------------------------------------------------


def newest(folder):
    return max(folder.glob("*.safetensors"), key=lambda p: native.inspect_native(p)["meta"]["checkpoint"]["generation"])


def damage(path, kind):
    data = bytearray(path.read_bytes())
    if kind == "cut":
        data = data[: len(data) // 2]
    elif kind == "empty":
        data = b""
    elif kind == "bit":
        data[-100] ^= 1
    path.write_bytes(data)


def test_the_newest_generation_is_read(tmp_path):
    for number in (1, 2, 3, 4):
        with checkpoints.Folder(interrupted(tmp_path / f"run-{number}", at=number)) as folder:
            assert folder.read()[0].cursor["generation"] == number


@pytest.mark.parametrize("kind", ["cut", "empty", "bit", "model"])
def test_a_damaged_generation_is_named_and_the_older_one_used(kind, tmp_path, caplog):
    folder = interrupted(tmp_path / "run", at=4)
    bad = newest(folder)
    (good,) = set(folder.glob("*.safetensors")) - {bad}
    if kind == "model":  # a sound model, but no checkpoint
        Word2Vec.load(bad).save(bad)
    else:
        damage(bad, kind)
    before = good.read_bytes()
    with pytest.MonkeyPatch.context() as patch:  # the next one goes in the place of the damaged one
        die_at_write(patch, 4)
        with pytest.raises(Killed):
            Word2Vec.resume(folder, CORPUS)
    assert bad.name in caplog.text
    assert f"going on from {good}" in caplog.text
    assert good.read_bytes() == before
    assert newest(folder) == bad
    assert same(Word2Vec.resume(folder, CORPUS), Word2Vec(CORPUS, **SMALL), tmp_path)


@pytest.mark.parametrize("call", ["inspect_native", "read_native"])
def test_an_unreadable_generation_is_named_and_the_other_used(call, tmp_path, monkeypatch, caplog):
    folder = interrupted(tmp_path / "run", at=4)
    bad, whole = [newest(folder)], getattr(native, call)
    (good,) = set(folder.glob("*.safetensors")) - set(bad)

    def fails(path, *given, **named):
        if Path(path) in bad:
            raise OSError(errno.EIO, "Input/output error")  # without the file's name, as reading gives it
        return whole(path, *given, **named)

    monkeypatch.setattr(native, call, fails)
    with checkpoints.Folder(folder) as there:
        assert there.read()[0].path == os.fspath(good)
    bad.append(good)
    before = content(folder)
    with pytest.raises(OSError, match=r"Input/output error: .*checkpoint-") as raised:
        Word2Vec.resume(folder, CORPUS)
    assert raised.value.errno == errno.EIO
    assert content(folder) == before
    bad.pop()
    resumed = Word2Vec.resume(folder, CORPUS)
    assert f"{bad[0]}'; going on from {good}" in caplog.text
    assert same(resumed, Word2Vec(CORPUS, **SMALL), tmp_path)


def test_training_does_not_keep_the_checkpoint_it_resumed(tmp_path, monkeypatch):
    """Else a run needs more memory to be resumed than it did before; also beside a damaged generation."""
    folder = interrupted(tmp_path / "run", at=4)
    damage(newest(folder), "bit")
    read, alive = [], []
    whole = checkpoints.Folder.read

    def watched(self):
        found, faults = whole(self)
        read.extend(weakref.ref(found.arrays[name]) for name in ("vectors", "outputs.negative"))
        return found, faults

    class Looks(CallbackAny2Vec):
        def on_epoch_end(self, model):
            alive.extend(array() is not None for array in read)

    monkeypatch.setattr(checkpoints.Folder, "read", watched)
    gc.disable()
    try:
        Word2Vec.resume(folder, CORPUS, callbacks=[Looks()])
    finally:
        gc.enable()
    assert alive
    assert not any(alive)


def test_two_damaged_generations_are_an_error_that_names_both(tmp_path):
    folder = interrupted(tmp_path / "run", at=4)
    for slot in checkpoints.SLOTS:
        damage(folder / slot, "bit")
    before = content(folder)
    with pytest.raises(FormatError, match=r"no checkpoint is sound: .*checkpoint-.*checkpoint-"):
        Word2Vec.resume(folder, CORPUS)
    assert content(folder) == before


STRANGE = [
    ("generation", True),
    ("every", "often"),
    ("every", None),
    ("tokens", -1),
    ("tokens", 2**63),
    ("threads", 0),
    ("threads", 2000),
    ("threads", 2**31 - 1),
    ("history", {}),
    ("history", [{"epoch": 1}]),
    ("finished", 0),
    ("reached", {}),
    ("reached", {"position": 40_001, "words": 0, "survivors": 0, "examples": 0, "losses": [0.0], "seconds": 0.0}),
    ("reached", {"position": -1, "words": 0, "survivors": 0, "examples": 0, "losses": [0.0], "seconds": 0.0}),
    ("reached", {"position": 1.0, "words": 0, "survivors": 0, "examples": 0, "losses": [0.0], "seconds": 0.0}),
    ("source", {"reader": "os.system", "path": __file__}),
    ("source", {"reader": "LineSentence", "path": __file__, "limit": "all"}),
    ("source", {"reader": ["LineSentence"], "path": __file__}),
    ("source", {"reader": "LineSentence", "path": 7}),
    ("source", {"reader": None, "path": __file__, "limit": 7}),
    ("source", {"reader": "LineSentence", "path": __file__, "limit": 1.5}),
    ("source", {"reader": "LineSentence", "path": __file__, "errors": "ignore"}),
    ("source", {"reader": "LineSentence", "path": __file__, "errors": None}),
    ("source", {"reader": "LineSentence", "path": __file__, "max_sentence_length": None}),
    ("source", {"reader": "LineSentence", "path": __file__, "source": "other"}),
    ("source", {"reader": "Text8Corpus", "path": __file__, "limit": 7}),
    ("more", 1),
    ("runs", []),
    ("runs", [7]),
    ("runs", [{"epochs": 3, "trained": 4, "alpha": 0.1, "min_alpha": 0.1, "corpus": "", "repeatable": True}]),
    ("runs", [{"epochs": 3, "trained": 2, "alpha": 0.1, "min_alpha": 0.1, "corpus": "", "repeatable": 1}]),
    ("trained_epochs", "2"),
    ("trained_epochs", -2),
]


@pytest.mark.parametrize(("name", "value"), STRANGE, ids=str)
def test_an_impossible_checkpoint_is_a_format_error(name, value, tmp_path):
    """Sound files with sound hashes can hold anything, since anyone can write one."""
    folder = interrupted(tmp_path / "run")
    path = newest(folder)
    _, words, arrays, meta = native.read_native(path)
    meta["state" if name in meta["state"] else "checkpoint"][name] = value
    native.write_native(path, "word2vec", words, arrays, meta)
    for other in set(folder.glob("*.safetensors")) - {path}:
        other.unlink()
    with pytest.raises(FormatError, match=r"its checkpoint|no checkpoint is sound|unknown reader|readable"):
        Word2Vec.resume(folder, None if name == "source" else CORPUS)


def test_resume_rejects_a_position_inside_a_round(tmp_path):
    folder = interrupted(tmp_path / "run", deterministic=True)
    path = newest(folder)
    _, words, arrays, meta = native.read_native(path)
    reached = meta["checkpoint"]["reached"]
    assert reached["position"] % 1024 == 0 or reached["position"] == 40_000
    reached["position"] = 1
    native.write_native(path, "word2vec", words, arrays, meta)
    with pytest.raises(FormatError, match="at a place where no run can be"):
        Word2Vec.resume(folder, CORPUS)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "ctrl-c"])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_write_keeps_the_old_checkpoints(call, error, tmp_path, monkeypatch, fast_ticks):
    """Also a second Ctrl-C, and any after it, while a checkpoint is written."""
    whole, calls = getattr(os, call), []

    def fails(*given, **options):
        calls.append(given)
        if len(calls) > 8:
            raise error
        return whole(*given, **options)

    monkeypatch.setattr(checkpoints.CheckpointWriter, "is_due", lambda self: True)
    before = threading.active_count()
    with monkeypatch.context() as patch:
        patch.setattr(native.os, call, fails)
        with pytest.raises(type(error)):
            Word2Vec(CORPUS, **SMALL | {"epochs": 30}, checkpoint=tmp_path / "run")
    assert len(calls) > 8
    assert threading.active_count() == before
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [*checkpoints.SLOTS, checkpoints.LOCK]
    monkeypatch.undo()
    resumed = Word2Vec.resume(tmp_path / "run", CORPUS)
    assert same(resumed, Word2Vec(CORPUS, **SMALL | {"epochs": 30}), tmp_path)


def test_vectors_that_are_no_longer_finite_replace_no_checkpoint(tmp_path):
    class Spoils(CallbackAny2Vec):
        def on_epoch_end(self, model):
            model.wv.vectors[0, 0] = np.nan

    with pytest.raises(FloatingPointError, match="no longer finite"):
        Word2Vec(CORPUS, **SMALL, callbacks=[Spoils()], checkpoint=tmp_path / "run", checkpoint_every=1)
    assert same(Word2Vec.resume(tmp_path / "run", CORPUS), Word2Vec(CORPUS, **SMALL), tmp_path)


def test_the_next_run_removes_the_leftovers_of_a_killed_one(tmp_path):
    folder = interrupted(tmp_path / "run")
    others = ".w2v-model.safetensors-0123.tmp"  # another program may write a model here for hours
    for name in (".w2v-checkpoint-0.safetensors-0123.tmp", others):
        (folder / name).write_bytes(b"half a model")
    (folder / "notes.txt").write_text("mine")
    Word2Vec.resume(folder, CORPUS)
    left = [others, *checkpoints.SLOTS, checkpoints.LOCK, "notes.txt"]
    assert sorted(path.name for path in folder.iterdir()) == left


@pytest.mark.parametrize("kind", ["fifo", "link"])
def test_a_lock_that_is_no_file_of_ours_is_refused(kind, tmp_path):
    (tmp_path / "run").mkdir()
    if kind == "fifo":
        os.mkfifo(tmp_path / "run" / "lock")
    else:
        (tmp_path / "run" / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="delete it"):
        Word2Vec.resume(tmp_path / "run", CORPUS)
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch):
    def flock(*given):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(checkpoints.fcntl, "flock", flock)
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="no locks") as caught:
        Word2Vec(TINY, **SMALL, checkpoint=tmp_path / "run")
    assert caught.value.filename == str(tmp_path / "run")
    assert len(set(os.listdir("/proc/self/fd"))) <= len(before)


@pytest.mark.parametrize("options", [{"limit": np.int64(50)}, {"max_sentence_length": float("inf")}], ids=str)
def test_resume_asks_for_a_reader_that_json_cannot_hold(options, tmp_path):
    (tmp_path / "corpus.txt").write_text("a b\n" * 100)
    corpus = LineSentence(tmp_path / "corpus.txt", **options)
    Word2Vec(corpus, **SMALL, checkpoint=tmp_path / "run")
    assert Word2Vec.resume(tmp_path / "run").trained_epochs == SMALL["epochs"]


def test_files_of_others_stay_where_there_is_no_run(tmp_path):
    other = tmp_path / ".w2v-checkpoint-1.safetensors-0123.tmp"
    other.write_bytes(b"half a model")
    os.utime(other, (0, 0))
    with pytest.raises(FileNotFoundError):
        Word2Vec.resume(tmp_path, CORPUS)
    with checkpoints.Folder(tmp_path) as folder:
        folder.check_unused()
    assert other.exists()
    with writing.atomic_write(tmp_path / "model.safetensors") as file:
        Word2Vec(TINY, **SMALL, checkpoint=tmp_path, checkpoint_every=1)
        file.write(b"whole")
    assert (tmp_path / "model.safetensors").read_bytes() == b"whole"


# --- a folder that came from a stranger ---------------------------------------------------------------------------


def older(folder):
    (path,) = {folder / slot for slot in checkpoints.SLOTS} - {newest(folder)}
    return path


def bait(path, name="precious.txt"):
    """A file of the user's, with a mode of its own."""
    path.mkdir(exist_ok=True)
    (path / name).write_bytes(b"precious")
    (path / name).chmod(0o604)
    return path / name


def untouched(path):
    assert os.listdir(path.parent) == [path.name]
    assert path.read_bytes() == b"precious"
    assert path.stat().st_mode & 0o777 == 0o604


@pytest.mark.parametrize("make", [os.symlink, os.link], ids=["symbolic", "hard"])
def test_a_slot_that_is_a_link_is_replaced_and_not_its_target(make, tmp_path, caplog):
    folder, victim = interrupted(tmp_path / "run", at=4), bait(tmp_path / "home")
    slot = older(folder)
    slot.unlink()
    make(victim, slot)
    resumed = Word2Vec.resume(folder, CORPUS)
    untouched(victim)
    assert slot.name in caplog.text  # as no sound checkpoint
    assert not slot.is_symlink()
    assert same(resumed, Word2Vec(CORPUS, **SMALL), tmp_path)
    assert same(Word2Vec.resume(folder, CORPUS), resumed, tmp_path)


def test_a_slot_that_is_a_link_to_nowhere_makes_no_file(tmp_path):
    folder, victim = interrupted(tmp_path / "run", at=4), bait(tmp_path / "home")
    slot = older(folder)
    slot.unlink()
    slot.symlink_to(tmp_path / "home" / "new")
    Word2Vec.resume(folder, CORPUS)
    untouched(victim)


def test_a_checkpoint_is_not_read_through_a_link(tmp_path):
    folder = interrupted(tmp_path / "run", at=4)
    for slot in checkpoints.SLOTS:
        (folder / slot).rename(tmp_path / slot)
        (folder / slot).symlink_to(tmp_path / slot)
    before = content(folder)
    with pytest.raises(OSError, match=r"a symbolic link, which is not followed.*checkpoint-") as raised:
        Word2Vec.resume(folder, CORPUS)
    assert raised.value.filename == os.fspath(folder / checkpoints.SLOTS[0])
    assert content(folder) == before
    with pytest.raises(FileExistsError):
        Word2Vec(CORPUS, **SMALL, checkpoint=folder)


def test_a_lock_that_is_a_hard_link_changes_no_byte_and_no_mode(tmp_path):
    folder, victim = interrupted(tmp_path / "run"), bait(tmp_path / "home")
    (folder / checkpoints.LOCK).unlink()
    os.link(victim, folder / checkpoints.LOCK)
    Word2Vec.resume(folder, CORPUS)
    untouched(victim)


def test_leftovers_are_recognised_by_name_alone(tmp_path):
    folder, victim = interrupted(tmp_path / "run"), bait(tmp_path / "home")
    (folder / ".w2v-checkpoint-0.safetensors-0123.tmp").symlink_to(victim)
    (folder / ".w2v-checkpoint-1.safetensors-0123.tmp").symlink_to(tmp_path / "home")
    Word2Vec.resume(folder, CORPUS)
    untouched(victim)
    assert sorted(os.listdir(folder)) == [*checkpoints.SLOTS, checkpoints.LOCK]


@pytest.mark.parametrize("resumed", [False, True], ids=["begun", "resumed"])
def test_a_folder_that_is_replaced_by_a_link_leads_nowhere(resumed, tmp_path):
    """What is open stays the folder of the run, under whatever name."""
    folder, victim = tmp_path / "run", bait(tmp_path / "home")
    (tmp_path / "home" / checkpoints.SLOTS[0]).write_bytes(b"mine")
    before = content(victim.parent)

    class Swaps(CallbackAny2Vec):
        def on_epoch_begin(self, model):
            if not folder.is_symlink():
                folder.rename(tmp_path / "moved")
                folder.symlink_to(victim.parent)

    if resumed:
        interrupted(folder, at=2)
        model = Word2Vec.resume(folder, CORPUS, callbacks=[Swaps()])
    else:
        model = Word2Vec(CORPUS, **SMALL, callbacks=[Swaps()], checkpoint=folder, checkpoint_every=1)
    assert folder.is_symlink()
    assert content(victim.parent) == before
    assert same(Word2Vec.resume(tmp_path / "moved", CORPUS), model, tmp_path)


def test_the_path_of_a_folder_may_be_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "disk")
    model = Word2Vec(CORPUS, **SMALL, checkpoint=tmp_path / "run")
    assert same(Word2Vec.resume(tmp_path / "disk", CORPUS), model, tmp_path)


def test_a_slot_that_is_no_file_blocks_nothing_and_is_named(tmp_path):
    folder = interrupted(tmp_path / "run", at=4)
    slot = older(folder)
    slot.unlink()
    os.mkfifo(slot)
    with pytest.raises(OSError, match="not a regular file") as raised:  # it is not ours to replace
        Word2Vec.resume(folder, CORPUS)
    assert raised.value.filename == os.fspath(slot)


def test_a_folder_that_is_closed_holds_no_descriptor(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    Word2Vec.resume(interrupted(tmp_path / "run"), CORPUS)
    checkpoints.files_of(tmp_path / "run")
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


# --- a run of very many epochs ------------------------------------------------------------------------------------


def test_a_run_of_very_many_epochs_is_saved_and_resumed(tmp_path, monkeypatch, caplog):
    """Of lists that grow with the epochs a file holds the newest part, however often the run was cut."""
    monkeypatch.setattr("w2v.files.native.KEPT_RECORDS", 4)
    whole = Word2Vec(TINY, **SMALL | {"epochs": 9})
    folder = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        die_at_write(patch, 7)
        with pytest.raises(Killed):
            Word2Vec(TINY, **SMALL | {"epochs": 9}, checkpoint=folder, checkpoint_every=1)
    resumed = Word2Vec.resume(folder, TINY)
    assert [record.epoch for record in resumed.history] == [*range(2, 9)]  # of 0 to 8
    assert resumed.loss_history == whole.loss_history[-len(resumed.loss_history) :]
    resumed.save(tmp_path / "resumed")
    whole.save(tmp_path / "whole")
    assert (tmp_path / "resumed").read_bytes() == (tmp_path / "whole").read_bytes()
    assert Word2Vec.load(tmp_path / "whole").loss_history == whole.loss_history[-4:]
    assert "the newest 4 of 9 loss_history" in caplog.text


def test_calls_that_are_left_out_of_a_file_cannot_be_repeated(tmp_path, monkeypatch):
    monkeypatch.setattr("w2v.files.native.KEPT_RECORDS", 2)
    model = Word2Vec(TINY, **SMALL)
    for _ in range(2):
        model.train(TINY, total_examples=model.corpus_count, epochs=1)
    model.save(tmp_path / "model")
    assert all(run["repeatable"] for run in model.runs)
    loaded = Word2Vec.load(tmp_path / "model")
    assert [run["repeatable"] for run in loaded.runs] == [False, True]
    with pytest.raises(ValueError, match="nothing to compare"):
        loaded.trained_again(TINY)


def test_the_longest_lists_fit_into_a_header(tmp_path):
    n, most = native.KEPT_RECORDS, 2**62 - 1
    number = 1.2345678901234567e-100
    run = {"epochs": most, "trained": most, "alpha": number, "min_alpha": number, "corpus": "0" * 64}
    record = dict.fromkeys(("epoch", "raw_words", "trained_words", "examples"), most)
    record |= dict.fromkeys(("seconds", "alpha", "loss"), number)
    model = Word2Vec(TINY, **SMALL)
    _, words, arrays, meta = model.contents()
    meta["state"] |= {"loss_history": [number] * n, "runs": [{**run, "repeatable": False}] * n}
    meta["checkpoint"] = {"history": [record] * n}
    native.write_native(tmp_path / "model", "word2vec", words, arrays, meta)
    found = native.read_native(tmp_path / "model")[3]
    assert len(found["state"]["runs"]) == len(found["state"]["loss_history"]) == n
    assert found["checkpoint"] == meta["checkpoint"]


# --- Ctrl-C and SIGKILL -----------------------------------------------------------------------------------------


def test_ctrl_c_writes_a_checkpoint_and_says_how_to_go_on(tmp_path):
    class Presses(CallbackAny2Vec):
        def on_epoch_end(self, model):
            if model.trained_epochs == 2:
                raise KeyboardInterrupt

    said = r"stopped after 2 of 3 epochs and 0 of 40,000 words; Word2Vec.resume\('.*run', corpus\) goes on"
    with pytest.raises(KeyboardInterrupt, match=said):
        Word2Vec(CORPUS, **SMALL, callbacks=[Presses()], checkpoint=tmp_path / "run")
    (tmp_path / "corpus.txt").write_text("\n".join(" ".join(words) for words in CORPUS))
    with pytest.raises(KeyboardInterrupt, match=r"resume\('.*other'\) goes on"):  # a file is found again
        Word2Vec(corpus_file=tmp_path / "corpus.txt", **SMALL, callbacks=[Presses()], checkpoint=tmp_path / "other")
    resumed = Word2Vec.resume(tmp_path / "run", CORPUS)
    assert same(resumed, Word2Vec(CORPUS, **SMALL), tmp_path)


@pytest.mark.parametrize("mode", MODES)
def test_stop_from_another_thread_leaves_a_resumable_run(mode, tmp_path):
    settings = SMALL | MODES[mode] | {"epochs": 30}
    model = Word2Vec(**settings)
    model.stop()  # nothing is going on: nothing happens
    model.build_vocab(CORPUS)
    stopped = []

    def train():
        try:
            model.train(CORPUS, total_examples=1, epochs=30, checkpoint=tmp_path / "run")
        except KeyboardInterrupt as stop:
            stopped.append(str(stop))

    thread = threading.Thread(target=train, daemon=True)
    thread.start()
    while thread.is_alive() and not model.history:
        time.sleep(1e-3)
    model.stop()
    thread.join(timeout=60)
    assert not thread.is_alive()
    assert "goes on" in stopped[0]
    assert 0 < len(model.history) < 30
    assert same(Word2Vec.resume(tmp_path / "run", CORPUS), Word2Vec(CORPUS, **settings), tmp_path)
    model.train(CORPUS, total_examples=1, epochs=1)


@pytest.mark.parametrize("cache", ["auto", "none"])
def test_stop_ends_the_reading_of_another_thread(cache):
    model = Word2Vec(**SMALL | {"cache": cache})
    reading, stopped = threading.Event(), []

    class Endless:
        def __iter__(self):
            while True:
                reading.set()
                yield ["a", "b"] * 100

    def read():
        try:
            model.build_vocab(Endless())
        except KeyboardInterrupt as stop:
            stopped.append(str(stop))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    reading.wait(60)
    model.stop()
    thread.join(timeout=60)
    assert stopped == ["model.stop() was called"]
    model.build_vocab(CORPUS)
    model.train(CORPUS, total_examples=1, epochs=1)


def test_stop_ends_the_counting_of_a_corpus_that_is_not_kept(monkeypatch):
    model = Word2Vec(**SMALL | {"cache": "none"})
    model.build_vocab(CORPUS)
    monkeypatch.setattr("w2v.tokens.cache.STREAM_WORDS", 1000)
    read = []

    class Other:  # which `train` counts before it trains
        def __iter__(self):
            for words in CORPUS * 10:
                read.append(words)
                if len(read) == 20_000:
                    model.stop()
                yield words

    with pytest.raises(KeyboardInterrupt, match=r"model.stop\(\) was called"):
        model.train(Other(), total_examples=1, epochs=1)
    assert len(read) < 10 * len(CORPUS)
    model.train(CORPUS, total_examples=1, epochs=1)


SIGNALLED = """
import os, signal, sys, threading, time
from pathlib import Path
sys.path[:0] = {tests!r}
from corpora import zipf_like
from w2v import Word2Vec
import numpy as np

def press(ready):
    while not ready(): time.sleep(1e-4)
    time.sleep(2e-3)  # into the midst of it
    sent.append(time.monotonic()); os.kill(os.getpid(), signal.SIGINT)

class Corpus:
    read = 0
    def __iter__(self):
        for words in corpus:
            self.read += 1
            yield words

corpus = [[f"w{{a}}", f"w{{b}}"] * 5 for a, b in np.random.default_rng(0).integers(0, 20_000, (20_000, 2)).tolist()]
sent, source, run = [], Corpus(), Path("run")
writing = lambda: run.is_dir() and any(run.glob(".w2v-*.tmp"))
model = Word2Vec(vector_size=100, min_count=1, workers={workers}, sg=1, epochs=10**6, deterministic={deterministic})
keep = dict(total_examples=1, epochs=10**6, checkpoint=run, checkpoint_every="{every}")
ready = {{
    "vocabulary": lambda: source.read > 1000,
    "training": lambda: (run / "checkpoint-1.safetensors").exists() and model.provenance.is_within_an_epoch,
    "checkpoint": lambda: (run / "checkpoint-0.safetensors").exists() and writing(),
    "save": lambda: any(Path().glob(".w2v-*.tmp")),
}}[{phase!r}]
try:
    if {phase!r} == "save":
        model.build_vocab(corpus)
        threading.Thread(target=press, args=(ready,)).start()
        for _ in range(1000): model.save("model.safetensors")
    threading.Thread(target=press, args=(ready,)).start()
    model.build_vocab(source)
    model.train(source, **keep)
except KeyboardInterrupt as stop:
    delay, said = time.monotonic() - sent[0], str(stop)
before = model.wv.vectors.copy(); time.sleep(0.1)
assert (model.wv.vectors == before).all(), "a thread went on"
assert np.isfinite(before).all() and threading.active_count() == 1
assert not list(Path().glob("**/.w2v-*.tmp"))
if {phase!r} in ("training", "checkpoint"):
    assert "Word2Vec.resume('run', corpus) goes on" in said, said
    newest = [Word2Vec.load(path).wv.vectors for path in run.glob("*.safetensors")]
    assert any((vectors == model.wv.vectors).all() for vectors in newest), "the last word is not in a checkpoint"
else:
    assert said == ""
if {phase!r} == "vocabulary": model.build_vocab(corpus)
model.train(corpus, total_examples=1, epochs=1)
model.save("model.safetensors"); Word2Vec.load("model.safetensors").wv.most_similar("w0")
print(delay)
"""


@pytest.mark.parametrize(
    ("phase", "options"),
    [
        ("vocabulary", {}),
        ("training", {}),
        ("training", {"workers": 3}),
        ("training", {"deterministic": True, "workers": 2}),
        ("checkpoint", {"every": "0.001s"}),
        ("save", {}),
    ],
    ids=str,
)
def test_sigint_is_heard_in_every_phase(phase, options, tmp_path):
    options = {"workers": 1, "deterministic": False, "every": "1h", "tests": paths_of(__file__)} | options
    script = SIGNALLED.format(phase=phase, **options)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    # meant to be below 0.1 s, and the time of a checkpoint; a loaded test machine is given more, a hang is not
    assert float(done.stdout) < 5


def test_the_command_line_says_what_to_type_after_ctrl_c(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("corpus.txt").write_text("\n".join(" ".join(words) for words in CORPUS if words))
    options = [
        "--size",
        "24",
        "--min-count",
        "1",
        "--epochs",
        "4",
        "--deterministic",
        "--workers",
        "2",
        "--vectors-only",
    ]
    assert program.main(["train", "corpus.txt", "-o", "expected.safetensors", *options]) == 0

    def press(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.CheckpointWriter, "is_due", press)
        keep = ["--checkpoint", "my run", "--checkpoint-every", "2"]
        capsys.readouterr()
        assert program.main(["train", "corpus.txt", "-o", "out.safetensors", *options, *keep]) == 130
    assert not Path("out.safetensors").exists()
    said = capsys.readouterr().err
    assert said == "w2v: interrupted; go on with: w2v resume 'my run' -o out.safetensors --vectors-only\n"
    line = shlex.split(said.partition(": w2v ")[2])
    assert program.main([*line, "--corpus", "missing.txt"]) == 1
    assert program.main([*line, "--workers", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["epochs"] == 4
    assert Path("out.safetensors").read_bytes() == Path("expected.safetensors").read_bytes()


KILLS = [sys.executable, str(ROOT / "benchmarks" / "kills.py")]


def test_killed_runs_end_in_the_same_bytes(tmp_path):
    short = ["--kills", "3", "--epochs", "4", "--folder", tmp_path]
    done = subprocess.run([*KILLS, *short], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_many_killed_runs_end_in_the_same_bytes(tmp_path):
    done = subprocess.run(
        [*KILLS, "--kills", "200", "--seed", "1", "--folder", tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
