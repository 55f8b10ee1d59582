"""Models on a GPU, from the corpus to the file: the engine with a device of software, in place of a real one."""

import gc
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from corpora import TOPICS, two_topics, zipf_like
from emulation import found_by_models, needs_emulation

from w2v import CallbackAny2Vec, Word2Vec
from w2v.tokens import cache, stream
from w2v.training import trainable
from w2v.training.cuda import choice, concurrency, driver, layout, memory, pieces, work
from w2v.training.cuda.layout import Model
from w2v.vectors import queries

SMALL = {"vector_size": 12, "min_count": 1, "window": 3, "sample": 0.01, "workers": 1, "epochs": 2, "seed": 7}
ON_GPU = SMALL | {"device": "cuda"}


@pytest.fixture
def gpu(monkeypatch):
    return found_by_models(monkeypatch)


def matrices_of(model):
    return model.weights.named()


def same(one, other):
    return all((matrices_of(one)[name] == matrices_of(other)[name]).all() for name in matrices_of(one))


# --- what is learnt -------------------------------------------------------------------------------------------------


@needs_emulation
@pytest.mark.parametrize(
    "options",
    [{}, *[pytest.param({"sg": 1} | more, marks=pytest.mark.slow) for more in ({}, {"hs": 1, "negative": 0})]],
)
def test_planted_topics_are_found_on_a_gpu(gpu, options, monkeypatch):
    monkeypatch.setattr(concurrency, "WORDS_OF_A_WARP", 400)
    model = Word2Vec(two_topics(160), **ON_GPU | {"sample": 0, "epochs": 8, "alpha": 0.1} | options)
    units = queries.unit_rows(model.weights.inputs, queries.row_norms(model.weights.inputs))
    for topic in TOPICS:
        rows = [model.vocabulary.index[word] for word in topic]
        cosines = units[rows] @ units.T
        assert cosines[:, rows].mean() > np.delete(cosines, rows, axis=1).mean() + 0.2


# --- the corpus -----------------------------------------------------------------------------------------------------


@needs_emulation
@pytest.mark.parametrize("sentence", [11, 3000])
def test_a_corpus_in_pieces_gives_the_same_bytes(gpu, sentence, monkeypatch):
    """Whole, in parts as they are read, or cut where it does not fit, within sentences too."""
    words = [word for part in zipf_like(words=5000) for word in part]
    text = [words[start : start + sentence] for start in range(0, len(words), sentence)]
    whole = Word2Vec(text, **ON_GPU)
    streamed = Word2Vec(text, **ON_GPU, cache="none")
    assert same(streamed, whole)
    seen = []

    def pieces_of(*given):
        for piece in genuine(*given):
            seen.append(piece)
            yield piece

    genuine = pieces.pieces_of
    monkeypatch.setattr(pieces, "pieces_of", pieces_of)
    monkeypatch.setattr(memory, "SPARE", 1 - 55_000 / gpu.memory)
    cut = Word2Vec(text, **ON_GPU)
    assert len(seen) > 6
    assert same(cut, whole)
    seen.clear()
    monkeypatch.setattr(memory, "SPARE", 0)
    monkeypatch.setattr(layout, "MOST_TOKENS", 2000)  # what a number of 32 bits can tell
    assert same(Word2Vec(text, **ON_GPU), whole)
    assert len(seen) == 2 * 3
    assert [epoch.trained_words for epoch in cut.history] == [epoch.trained_words for epoch in whole.history]


@pytest.mark.parametrize("kept", [None, 0.3, 0.001])
def test_pieces_reach_as_far_as_their_windows(kept):
    rng = np.random.default_rng(3)
    tokens = rng.integers(0, 9, 20_000).astype(np.int32)
    keep = None if kept is None else np.full(9, int(kept * 2**32), np.uint32)
    survivors = np.flatnonzero(pieces.survive(tokens, 5, 77, keep))
    for position in (0, 1, 500, 9_000, 19_999):
        before = survivors[survivors < position][-4:]
        behind = survivors[survivors >= position][:4]
        first = pieces.reach(tokens, position, 0, 4, 5, 77, keep)
        last = pieces.reach(tokens, position, len(tokens), 4, 5, 77, keep)
        assert first == (before[0] if len(before) == 4 else 0)
        assert last == (behind[-1] + 1 if len(behind) == 4 else len(tokens))


@needs_emulation
def test_a_corpus_goes_to_the_gpu_once_and_leaves_with_the_model(gpu):
    sent = []
    genuine = gpu.upload
    gpu.upload = lambda address, array: (sent.append(array.nbytes), genuine(address, array))
    model = Word2Vec(zipf_like(words=2000), **ON_GPU | {"epochs": 3})
    assert sent.count(4 * 2000) == 1
    assert len(gpu.corpora) == 1
    assert len(gpu.claimed) == 2  # its tokens and its sentences; all else is given back after each epoch
    del model
    gc.collect()
    assert not gpu.corpora
    assert not gpu.claimed


@needs_emulation
def test_a_gpu_trains_a_large_text_while_it_is_read(gpu, tmp_path, monkeypatch):
    """The words are known, so that the first epoch need not wait; all others have the text as a whole."""
    text = zipf_like(words=12_000)
    path = tmp_path / "text.txt"
    path.write_text("".join(" ".join(sentence) + "\n" for sentence in text))
    options = ON_GPU | {"sample": 0}

    def trained():
        model = Word2Vec(**options)
        model.build_vocab(text)  # known by its object: the file is another corpus
        model.train(corpus_file=path, total_words=12_000, epochs=2)
        return model

    whole = trained()
    events = []
    monkeypatch.setattr(stream, "LARGE_TEXT", 100)
    monkeypatch.setattr(cache, "STREAM_WORDS", 2000)
    monkeypatch.setattr("w2v.text.readers.BLOCK", 1000)
    monkeypatch.setattr(trainable, "expected_tokens", lambda corpus, index: 12_000)
    genuine = cache.whole_batches

    def whole_batches(*given):
        for part in genuine(*given):
            events.append(gpu.launches_of("train"))
            yield part

    monkeypatch.setattr(cache, "whole_batches", whole_batches)
    model = trained()
    assert len(events) == 6
    assert events == sorted(events)
    assert events[-1] >= 3  # parts were trained before the last one was read
    assert same(model, whole)
    assert [epoch.raw_words for epoch in model.history] == [12_000, 12_000]
    assert len(model.tokens.held.tokens) == 12_000
    assert model.runs[-1]["corpus"] == whole.runs[-1]["corpus"]


@needs_emulation
def test_a_size_that_was_estimated_is_no_cause_for_alarm(gpu, tmp_path, monkeypatch, caplog):
    text = zipf_like(words=6000)
    path = tmp_path / "text.txt"
    path.write_text("".join(" ".join(sentence) + "\n" for sentence in text))
    model = Word2Vec(**ON_GPU)
    model.build_vocab(text)
    monkeypatch.setattr(trainable, "expected_tokens", lambda corpus, index: 5800)
    model.train(corpus_file=path, total_words=6000, epochs=2)
    assert [epoch.raw_words for epoch in model.history] == [6000, 6000]
    assert model.history[-1].alpha == pytest.approx(model.min_alpha)
    assert not caplog.records


# --- what a run has -------------------------------------------------------------------------------------------------


@needs_emulation
def test_a_run_says_which_gpu_trained_it(gpu, tmp_path):
    model = Word2Vec(two_topics(50), **ON_GPU)
    model.save(tmp_path / "model.safetensors")
    loaded = Word2Vec.load(tmp_path / "model.safetensors")
    assert loaded.provenance.devices == [gpu.name]
    assert loaded.device == "cuda"
    assert loaded.fingerprint() == model.fingerprint()
    with pytest.raises(ValueError, match="or a GPU have trained this model"):
        loaded.trained_again(two_topics(50))
    loaded.device = "cpu"
    loaded.train(two_topics(50), total_examples=50, epochs=1)
    assert [run.get("devices") for run in loaded.runs] == [[gpu.name], None]


class StopWithin(CallbackAny2Vec):
    """Presses Ctrl-C when the device has so many slices behind it."""

    def __init__(self, gpu, launches):
        self.gpu, self.launches = gpu, launches

    def on_train_begin(self, model):
        def heed(words=0):
            if self.gpu.launches_of("train") >= self.launches:
                raise KeyboardInterrupt

        model.heed = heed


@needs_emulation
@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_ctrl_c_on_a_gpu_keeps_what_was_learnt_and_resumes(gpu, tmp_path, monkeypatch, device):
    """The slices that are queued end; the position is that of the first word not yet trained."""
    monkeypatch.setattr(work, "TICK", 0)
    monkeypatch.setattr(work, "SHORTEST", 0)
    text = zipf_like(words=3000)
    whole = Word2Vec(text, **ON_GPU)
    gpu.launched.clear()
    with pytest.raises(KeyboardInterrupt, match=r"after 0 of 2 epochs and 1?[1-9][0-9]{2} of 3,000"):
        Word2Vec(text, **ON_GPU, checkpoint=tmp_path, callbacks=[StopWithin(gpu, 6)])
    again = Word2Vec.resume(tmp_path, text, device=device)
    assert [epoch.raw_words for epoch in again.history] == [3000, 3000]
    assert again.history[0].examples == whole.history[0].examples
    if device == "cuda":
        assert same(again, whole)
    else:
        np.testing.assert_allclose(again.wv.vectors, whole.wv.vectors, atol=2e-6)
    assert again.provenance.devices == [gpu.name]


@needs_emulation
def test_checkpoints_are_written_within_an_epoch_on_a_gpu(gpu, tmp_path, monkeypatch):
    monkeypatch.setattr(work, "TICK", 0)
    monkeypatch.setattr(work, "SHORTEST", 0)
    whole = Word2Vec(zipf_like(words=2000), **ON_GPU)
    wanted = {12, 4}

    def is_due(writer):
        due = bool(wanted) and gpu.launches_of("train") >= min(wanted)
        if due:
            wanted.remove(min(wanted))
        return due

    gpu.launched.clear()
    monkeypatch.setattr("w2v.training.checkpoint.CheckpointWriter.is_due", is_due)
    kept = Word2Vec(zipf_like(words=2000), **ON_GPU, checkpoint=tmp_path)
    assert not wanted
    assert same(kept, whole)


@needs_emulation
def test_progress_is_shown_while_a_gpu_trains(gpu, monkeypatch, capsys):
    monkeypatch.setattr(work, "TICK", 0)
    Word2Vec(zipf_like(words=2000), **ON_GPU, compute_loss=True, progress=True)
    shown = capsys.readouterr().err
    assert "epoch 2/2: 100%" in shown
    assert "loss=" in shown


# --- what can go wrong ----------------------------------------------------------------------------------------------


@needs_emulation
def test_matrices_too_large_for_a_gpu_are_refused_with_sizes(gpu):
    model = Word2Vec(**ON_GPU)
    model.build_vocab(two_topics(50))
    before = model.fingerprint()
    gpu.memory = 1500
    with pytest.raises(MemoryError, match=r"has 0\.00 GiB free, and this model needs 0\.00 GiB for matrices"):
        model.train(two_topics(50), total_examples=50, epochs=1)
    gpu.memory = 6000
    with pytest.raises(MemoryError, match="no room for text beside the matrices"):
        model.train(two_topics(50), total_examples=50, epochs=1)
    assert model.fingerprint() == before
    assert not gpu.claimed
    kernel = model.kernel(model.settings())
    estimated = model.estimate_memory()
    assert (
        sum(matrix.nbytes for matrix in kernel._task.matrices.values()) == estimated["vectors"] + estimated["syn1neg"]
    )
    gpu.memory = 1 << 20
    model.train(two_topics(50), total_examples=50, epochs=1)


@needs_emulation
@pytest.mark.parametrize("claims", [0, 3, 8, 10])
def test_running_out_of_memory_leaves_the_model_as_it_was(gpu, claims, monkeypatch):
    """Another program takes the memory between the look and the claim."""
    model = Word2Vec(**ON_GPU)
    model.build_vocab(two_topics(50))
    before, genuine, left = model.fingerprint(), gpu.claim, [claims]

    def claim(size):
        left[0] -= 1
        if left[0] < 0:
            raise MemoryError("the GPU has no memory left")
        return genuine(size)

    monkeypatch.setattr(gpu, "claim", claim)
    with pytest.raises(MemoryError, match="no memory left"):
        model.train(two_topics(50), total_examples=50, epochs=1)
    assert model.fingerprint() == before
    model.tokens.drop()
    gc.collect()
    assert not gpu.claimed


@needs_emulation
def test_a_gpu_that_fails_leaves_the_model_as_it_was(gpu, monkeypatch):
    monkeypatch.setattr(work, "SHORTEST", 0)
    model = Word2Vec(**ON_GPU)
    model.build_vocab(zipf_like(words=2000))
    before, gpu.fails_at = model.wv.vectors.copy(), 5
    with pytest.raises(RuntimeError, match=r"ILLEGAL_ADDRESS.*as it was at word 0 of this epoch; device='cpu'"):
        model.train(zipf_like(words=2000), total_examples=1, epochs=1)
    assert (model.wv.vectors == before).all()
    model.device = "cpu"
    model.train(zipf_like(words=2000), total_examples=1, epochs=1)
    assert (model.wv.vectors != before).any()


@needs_emulation
def test_vectors_that_diverge_on_a_gpu_are_an_error(gpu):
    with pytest.raises(FloatingPointError, match="no longer finite in epoch 1; lower alpha=1000"):
        Word2Vec(two_topics(100), **ON_GPU | {"alpha": 1000.0, "cbow_mean": 0, "sample": 0})


@needs_emulation
@pytest.mark.parametrize(
    ("options", "words"), [({"vector_size": 1030}, "takes 1,024"), ({"negative": 5000}, "lower negative=5000")]
)
def test_what_a_gpu_cannot_hold_is_refused(gpu, options, words):
    def reading():
        raise AssertionError("the corpus was read")
        yield

    with pytest.raises(ValueError, match=words):
        Word2Vec(reading(), **ON_GPU | options)
    model = Word2Vec(**ON_GPU | options)
    model.build_vocab(two_topics(50))
    with pytest.raises(ValueError, match=words):
        model.train(reading(), total_examples=50, epochs=1)


def test_deterministic_training_on_a_gpu_is_refused():
    with pytest.raises(ValueError, match="deterministic=True is for the CPU"):
        Word2Vec(device="cuda", deterministic=True)


@pytest.mark.parametrize("found", ["no package", "no driver"])
def test_a_gpu_that_is_not_there_is_refused_before_any_work(found, monkeypatch):
    def reading():
        raise AssertionError("the corpus was read")
        yield

    if found == "no package":
        monkeypatch.setitem(sys.modules, "cuda.bindings", None)
        expected = r"device='cuda' needs a GPU: the package cuda-bindings .*pip install 'w2v\[cuda\]'"
    else:
        monkeypatch.setattr(driver, "missing", lambda: "NVIDIA's driver was not found")
        expected = "device='cuda' needs a GPU: NVIDIA's driver was not found; or use device='cpu'"
    with pytest.raises(RuntimeError, match=expected):
        Word2Vec(reading(), device="cuda")


def test_auto_takes_a_gpu_only_where_it_pays(monkeypatch):
    asked = []
    monkeypatch.setattr(driver, "missing", lambda: asked.append(True) or "there is none")
    text = zipf_like(words=500)
    on_cpu = Word2Vec(text, **SMALL | {"device": "auto"})
    assert not asked
    monkeypatch.setattr(choice, "WORDS_THAT_PAY", 400)
    assert same(Word2Vec(text, **SMALL | {"device": "auto"}), on_cpu)
    assert asked


@needs_emulation
def test_auto_trains_on_the_gpu_there_is(gpu, monkeypatch):
    monkeypatch.setattr(choice, "WORDS_THAT_PAY", 400)
    assert Word2Vec(zipf_like(words=500), **SMALL | {"device": "auto"}).provenance.devices == [gpu.name]


@needs_emulation
@pytest.mark.parametrize(("options", "free"), [({"vector_size": 1030}, 1 << 30), ({}, 1 << 20)], ids=str)
def test_auto_trains_on_the_cpu_what_a_gpu_cannot_hold(gpu, options, free, monkeypatch, caplog):
    monkeypatch.setattr(choice, "WORDS_THAT_PAY", 400)
    gpu.memory = free
    caplog.set_level("INFO")
    model = Word2Vec(zipf_like(words=500), **SMALL | {"device": "auto"} | options)
    assert not model.provenance.devices
    assert "device='auto' trains on the CPU: " in caplog.text


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_a_gpu_that_another_program_has_is_said_or_left(gpu, device, monkeypatch):
    monkeypatch.setattr(choice, "WORDS_THAT_PAY", 400)

    def failing():
        raise driver.DeviceError("CUDA_ERROR_DEVICE_UNAVAILABLE (46)")

    monkeypatch.setattr(driver, "Device", failing)
    driver.first_device.cache_clear()
    monkeypatch.setattr("w2v.training.cuda.kernel.first_device", driver.first_device)
    if device == "auto":
        assert not Word2Vec(zipf_like(words=500), **SMALL | {"device": device}).provenance.devices
    else:
        with pytest.raises(RuntimeError, match=r"cannot be used: CUDA_ERROR_DEVICE_UNAVAILABLE .*device='cpu' trains"):
            Word2Vec(zipf_like(words=500), **SMALL | {"device": device})


def test_nothing_of_cuda_is_loaded_before_it_is_asked_for():
    script = (
        "import sys; from w2v import Word2Vec; Word2Vec([['a', 'b']] * 9, min_count=1, device='auto');"
        "print([name for name in sys.modules if name.split('.')[0] == 'cuda' or name.startswith('w2v.training.cuda.')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['w2v.training.cuda.choice']"


# --- how many warps -------------------------------------------------------------------------------------------------


def test_noise_and_words_have_the_shares_they_are_drawn_with():
    from w2v.vocabulary import noise

    counts = np.array([90, 9, 1])
    assert concurrency.kept_frequencies(counts, None) == pytest.approx([0.9, 0.09, 0.01])
    half = np.array([2**31 - 1, 2**32 - 1, 2**32 - 1], np.uint32)
    assert concurrency.kept_frequencies(counts, half) == pytest.approx(np.array([45, 9, 1]) / 55)
    table = noise.alias_table(noise.weights(counts, 1.0))
    assert concurrency.noise_frequencies(table) == pytest.approx([0.9, 0.09, 0.01], abs=1e-6)


def test_a_hot_row_or_a_short_text_takes_fewer_warps():
    assert concurrency.most_warps(10**9, 0.1) == 10 * concurrency.MOST_AT_ONCE
    assert concurrency.most_warps(10**9, 1.0) == concurrency.MOST_AT_ONCE
    assert concurrency.most_warps(40_960, 0.1) == 10
    assert concurrency.most_warps(10, 1.0) == 1


def test_nodes_that_every_window_changes_take_a_part_of_it():
    """Of four words as frequent as each other, every window changes the root, and half of them a node below it."""
    paths, points = np.array([0, 2, 4, 6, 8]), np.array([2, 0, 2, 0, 2, 1, 2, 1])
    frequencies, most = np.full(4, 0.25), concurrency.MOST_AT_ONCE
    shares = concurrency.shares_of_nodes(frequencies, paths, points, 3, 3 * most)
    assert shares == pytest.approx([2 / 3, 2 / 3, 1 / 3])
    assert concurrency.shares_of_nodes(frequencies, paths, points, 3, most) is None


@pytest.mark.parametrize(
    ("model", "options", "tables", "expected"),
    [
        (Model.SKIP_GRAM, {}, [], 0.01),  # its own frequency
        (Model.SKIP_GRAM, {"negative": 2}, ["noise"], 0.01 + 2 * 0.02),
        (Model.SKIP_GRAM_OF_ONE_MATRIX, {"negative": 2}, ["noise"], 0.01 + 0.01 + 2 * 0.02),
        (Model.CBOW, {}, [], 0.01 * 5),  # of windows of 1 to 4 words on both sides, five in the mean
        (Model.CBOW, {"shrink": False}, [], 0.01 * 8),
        (Model.SKIP_GRAM_OF_SUBWORDS, {}, ["subword_rows", "subword_offsets"], 20 * 2 * 0.01),
        (Model.SIDE_BY_SIDE, {}, [], 1.0),
    ],
)
def test_the_hottest_row_is_that_of_the_model(model, options, tables, expected):
    """Of fifty words that are drawn as noise alike, twenty are centre words, and all of these have one row twice."""
    given = {
        "noise": np.stack([np.full(50, 2**32 - 1), np.zeros(50)], axis=1).astype(np.uint32),
        "subword_rows": np.tile(np.array([50, 50, 51], np.int32), 20),
        "subword_offsets": np.minimum(np.arange(0, 153, 3), 60),
    }
    frequencies = np.pad(np.full(20, 0.01), (0, 30))
    options = {"window": 4, "shrink": True, "negative": 0, "cbow": model == Model.CBOW} | options
    tied = model == Model.SKIP_GRAM_OF_ONE_MATRIX
    task = SimpleNamespace(model=model, options=options, tables={name: given[name] for name in tables}, tied=tied)
    assert concurrency.hottest_row(task, frequencies) == pytest.approx(expected, abs=1e-6)
