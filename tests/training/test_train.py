"""The kernel against its slow twin, for every model, loss and option; and what must hold however it runs."""

import itertools
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from corpora import TOPICS, two_topics
from places import paths_of
from reference import Twin, first_vectors

from w2v import Word2Vec, training
from w2v.common.progress import progress_bar
from w2v.tokens import encode
from w2v.training import _train
from w2v.vocabulary import choose, huffman, noise

VOCABULARY = 60


def corpus(seed=0, sentences=60, longest=30):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, longest, sentences)
    skewed = rng.integers(0, VOCABULARY, (3, lengths.sum())).prod(axis=0) // VOCABULARY**2
    tokens = skewed.astype(np.int32)
    return tokens, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def tables(tokens):
    counts = np.bincount(tokens, minlength=VOCABULARY).astype(np.int64)
    return (
        choose.keep_thresholds(choose.keep_probability(counts, 0.05)),
        noise.alias_table(noise.weights(counts + 1, 0.75)),
        *huffman.paths(counts),
    )


def settings(**changed):
    return {
        "window": 4,
        "negative": 5,
        "shrink": True,
        "shared": True,
        "cbow": False,
        "mean_forward": True,
        "mean_backward": False,
        "with_loss": True,
    } | changed


def fresh(vector_size, hs, negative, seed=3):
    rng = np.random.default_rng(seed)
    matrices = [training.matrices.first_vectors(VOCABULARY, vector_size, seed)]
    for wanted, rows in ((negative, VOCABULARY), (hs, VOCABULARY - 1)):
        matrix = training.matrices.new_matrix(rows, vector_size) if wanted else None
        if matrix is not None:
            matrix[...] = rng.random(matrix.shape) / 4 - 0.125
        matrices.append(matrix)
    return matrices


def run_kernel(matrices, tokens, offsets, keep, rest, options, *, workers=1, n_hot=0, cut=None, alpha=0.05, slope=1e-5):
    kernel = training.epoch.Kernel(
        *[None if matrix is None else training.matrices.padded(matrix) for matrix in matrices], keep, *rest, **options
    )
    parts = [encode.Encoded(tokens, offsets, len(tokens))]
    if cut is not None:  # the same corpus in two batches
        at = offsets[cut]
        parts = [
            encode.Encoded(tokens[:at], offsets[: cut + 1], at),
            encode.Encoded(tokens[at:], offsets[cut:] - at, len(tokens) - at),
        ]
    reached = training.epoch.Progress()
    with progress_bar(False) as bar:
        training.epoch.run_epoch(
            kernel,
            training.epoch.check_parts(kernel, parts),
            reached,
            key=12345,
            schedule=training.schedule.Schedule(alpha, slope, 10**6),
            workers=workers,
            n_hot=n_hot,
            bar=bar,
        )
    return reached.words, reached.survivors, reached.examples, reached.loss


MODELS = list(itertools.product([False, True], [(0, 5), (1, 0), (1, 5)]))


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
@pytest.mark.parametrize("vector_size", [3, 16, 50, 150])
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"shrink": False},
        {"window": 1},
        {"window": 25},
        {"shared": False},
        {"mean_forward": False, "mean_backward": True},
        {"mean_backward": True},
        {"negative": 1},
        {"negative": 40},
        {"locks": np.linspace(0, 2, VOCABULARY, dtype=np.float32)},
        {"locks": np.linspace(0, 2, VOCABULARY, dtype=np.float32), "shared": False},
    ],
    ids=str,
)
def test_kernel_agrees_with_its_twin(cbow, losses, vector_size, changed):
    hs, negative = losses
    tokens, offsets = corpus()
    keep, *rest = tables(tokens)
    options = settings(cbow=cbow, negative=negative) | ({} if not negative and "negative" in changed else changed)
    matrices = fresh(vector_size, hs, negative)
    twin_matrices = [None if matrix is None else matrix.copy() for matrix in matrices]

    words, survivors, examples, loss = run_kernel(matrices, tokens, offsets, keep, rest, options)
    twin = Twin(*twin_matrices, keep, *rest, **options)
    twin.run(tokens, offsets, 0, 12345, 0.05, 1e-5, 10**6)

    assert (words, survivors, examples) == (len(tokens), twin.survivors, twin.examples)
    assert loss == pytest.approx(twin.loss, rel=1e-4)
    for ours, theirs in zip(matrices, twin_matrices, strict=True):
        if ours is not None:
            np.testing.assert_allclose(ours, theirs, atol=3e-5, rtol=1e-3)
            assert not training.matrices.padded(ours)[:, vector_size:].any(), "padding must stay zero"


def test_first_vectors_are_those_of_the_twin():
    ours = training.matrices.first_vectors(7, 21, seed=9)
    assert (ours == first_vectors(7, 21, training.schedule.derived_key(9, 0))).all()
    assert ours.min() >= -1 / 21
    assert ours.max() < 1 / 21


def test_a_first_row_depends_on_its_number_alone():
    longer = training.matrices.first_vectors(9, 5, 1, first_row=4)
    assert (longer[4:] == training.matrices.first_vectors(9, 5, 1)[4:]).all()
    assert not longer[:4].any()


@pytest.mark.parametrize("cbow", [False, True])
def test_cutting_the_corpus_into_batches_changes_no_bit(cbow):
    tokens, offsets = corpus(sentences=200)
    keep, *rest = tables(tokens)
    whole, halves = fresh(20, 1, 1), fresh(20, 1, 1)
    options = settings(cbow=cbow)
    assert run_kernel(whole, tokens, offsets, keep, rest, options) == run_kernel(
        halves, tokens, offsets, keep, rest, options, cut=77
    )
    for one, other in zip(whole, halves, strict=True):
        assert (one == other).all()


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
@pytest.mark.parametrize("round_shape", [None, (4, 16)])
def test_a_stopped_run_goes_on_where_it_was(cbow, losses, round_shape):
    """Stopped again and again, wherever that may be, training ends in the bytes and counts of one run."""
    hs, negative = losses
    tokens, offsets = corpus(sentences=10_000)
    keep, *rest = tables(tokens)
    options = settings(cbow=cbow, negative=negative)
    rng = np.random.default_rng(1)

    def trained(pause):
        matrices = fresh(20, hs, negative)
        kernel = training.epoch.Kernel(
            *[None if matrix is None else training.matrices.padded(matrix) for matrix in matrices],
            keep,
            *rest,
            **options,
        )
        counts, loss, segment_losses, stops = np.zeros(16, np.int64), np.zeros(1), [0.0] * 4, 0
        while counts[0] < len(tokens):
            stop, begin = np.zeros(2, np.int32), int(counts[0])
            schedule = training.schedule.Schedule(0.05, 0.05 / len(tokens), 10**6)
            if round_shape is None:
                worker = _train.Racer(np.array([begin]), 1, 0, counts, loss)
            else:
                segments = training.epoch.new_segments(kernel, 30, *round_shape, begin)
                segments.losses = segment_losses
                worker = _train.Member(segments, 0, 1, counts, loss)
            given = _train.Part(tokens, offsets, 30), _train.Epoch(12345, schedule, stop), worker
            thread = threading.Thread(target=kernel.train, args=given)
            thread.start()
            if pause:
                time.sleep(rng.random() * pause)
                stop[0] = 1
            thread.join()
            stops += counts[0] < len(tokens)
            if round_shape:
                segment_losses = segments.losses
        total = loss[0] if round_shape is None else sum(segment_losses)
        assert loss[0] == pytest.approx(total)  # what is shown while it lasts
        return matrices, counts, total, stops

    once, counts, loss, _ = trained(pause=0)
    for pause in 5e-3 * 0.5 ** np.arange(12):  # the first may be longer than all that there is to do
        often, counts_often, loss_often, stops = trained(pause)
        if stops:
            break
    assert stops > 0
    assert (counts == counts_often).all()
    assert loss_often == loss
    for a, b in zip(once, often, strict=True):
        assert a is None or (np.isfinite(a).all() and a.tobytes() == b.tobytes())


@pytest.mark.parametrize("kept", [1, 0.01, 0.0003])
def test_a_sentence_longer_than_a_chunk_is_trained_whole(kept):
    """Context reaches over the chunks that workers take; the twin knows no chunks."""
    rng = np.random.default_rng(5)
    tokens = rng.integers(0, VOCABULARY, 20_000).astype(np.int32)
    offsets = np.array([0, len(tokens)])
    _, *rest = tables(tokens)
    keep = choose.keep_thresholds(np.full(VOCABULARY, kept)) if kept < 1 else None
    options = settings(window=30, shrink=False, cbow=True, negative=1)
    matrices = fresh(2, 0, 1)
    twin = Twin(*[None if m is None else m.copy() for m in matrices], keep, *rest, **options)
    _, survivors, examples, _ = run_kernel(matrices, tokens, offsets, keep, rest, options, alpha=1e-3, slope=0)
    twin.run(tokens, offsets, 0, 12345, 1e-3, 0, 10**6)
    assert survivors == examples == twin.survivors > 1
    np.testing.assert_allclose(matrices[0], twin.inputs, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("workers", [2, 5])
def test_several_workers_train_every_word_once(workers):
    tokens, offsets = corpus(sentences=4000)
    keep, *rest = tables(tokens)
    alone = run_kernel(fresh(20, 0, 1), tokens, offsets, keep, rest, settings())
    together = run_kernel(fresh(20, 0, 1), tokens, offsets, keep, rest, settings(), workers=workers)
    assert together[:3] == alone[:3]
    assert together[3] == pytest.approx(alone[3], rel=0.2)


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
@pytest.mark.parametrize("n_hot", [1, 7, VOCABULARY - 1, 10**6])
def test_copies_of_hot_rows_meet_the_shared_ones_half_way(cbow, losses, n_hot):
    """One of two workers, alone, on a corpus so small that it looks at the shared rows only at the end."""
    hs, negative = losses
    tokens, offsets = corpus()
    assert len(tokens) < 1024
    keep, *rest = tables(tokens)

    def trained(workers, n_hot):
        matrices = fresh(20, hs, negative)
        kernel = training.epoch.Kernel(
            *[None if matrix is None else training.matrices.padded(matrix) for matrix in matrices],
            keep,
            *rest,
            **settings(cbow=cbow, negative=negative),
        )
        part = _train.Part(tokens, offsets, kernel.longest_sentence(offsets, len(tokens)))
        epoch = _train.Epoch(1, training.schedule.Schedule(0.05, 0, 1), np.zeros(2, np.int32))
        racer = _train.Racer(np.zeros(1, np.int64), workers, n_hot, np.zeros(3, np.int64), np.zeros(1))
        kernel.train(part, epoch, racer)
        return matrices

    hot_rows = min(n_hot, VOCABULARY - 1)
    first = [slice(hot_rows), slice(hot_rows), slice(VOCABULARY - 1 - hot_rows, None)]
    for before, alone, own, hot in zip(
        fresh(20, hs, negative), trained(1, n_hot), trained(2, n_hot), first, strict=True
    ):
        if before is not None:
            half_way = before.copy()
            half_way[hot] += (alone[hot] - before[hot]) / 2
            np.testing.assert_allclose(own[hot], half_way[hot], rtol=0, atol=1e-7)
            own[hot] = alone[hot]
            assert (own == alone).all(), "every other row is the shared one"
            assert (alone[hot] != before[hot]).any()


def test_rows_are_hot_where_words_are_frequent_and_come_by_frequency():
    workers = training.workers
    counts = np.array([9_000, 4_000, 2_000, 1_999, 5])
    tokens = int(counts.sum())

    def hot_rows(counts, tokens, n, has_paths=False):
        return workers.hot_rows(counts, tokens, n, has_paths)

    assert hot_rows(counts, tokens, 1) == 0
    assert hot_rows(counts, tokens, 2) == 3
    assert hot_rows(counts, tokens, 5) == 1
    assert hot_rows(counts[::-1], tokens, 2) == 0
    many = np.full(1000, 10**6)
    assert hot_rows(many, 10**9, 2) == workers.HOT_ROWS
    assert hot_rows(many, 10**9, 2, has_paths=True) == workers.HOT_ROWS_OF_PATHS > workers.HOT_ROWS
    # words that were frequent where they were counted need not be so in the corpus trained on
    assert hot_rows(counts, tokens // 10, 2) < 3


@pytest.mark.parametrize(
    ("tokens", "offsets"),
    [
        ([0, VOCABULARY], [0, 2]),
        ([0, -1], [0, 2]),
        ([0, 1], [0, 1]),
        ([0, 1], [0, 3]),
        ([0, 1], [0, 2, 1, 2]),
        ([], []),
    ],
)
def test_what_would_lead_out_of_the_matrices_is_refused(tokens, offsets):
    kernel = training.epoch.Kernel(
        *[None if matrix is None else training.matrices.padded(matrix) for matrix in fresh(8, 0, 1)],
        *tables(corpus()[0]),
        **settings(),
    )
    part = encode.Encoded(np.array(tokens, np.int32), np.array(offsets, np.int64), len(tokens))
    with pytest.raises(ValueError, match=r"token|offsets"):
        list(training.epoch.check_parts(kernel, [part]))


def test_a_row_with_lock_zero_keeps_its_bytes_with_several_workers():
    rng = np.random.default_rng(1)
    tokens = (rng.integers(0, VOCABULARY, (2, 200_000)).prod(axis=0) // VOCABULARY).astype(np.int32)
    offsets = np.arange(0, len(tokens) + 1, 20)
    keep, *rest = tables(tokens)
    for cbow in (False, True):
        matrices = fresh(20, 1, 5)
        before = matrices[0].copy()
        locks = np.ones(VOCABULARY, np.float32)
        locks[[0, 7]] = 0
        run_kernel(matrices, tokens, offsets, keep, rest, settings(cbow=cbow, locks=locks), workers=3, n_hot=5)
        same = (matrices[0] == before).all(axis=1)
        assert same[[0, 7]].all()
        assert not same[[1, 2, 3, 4, 5, 6]].any()


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_many_workers_with_hot_rows_learn_what_is_there(workers, monkeypatch):
    monkeypatch.setattr(training.workers, "HOT_COUNT", 1)
    model = Word2Vec(two_topics(4000), sg=1, vector_size=16, min_count=1, workers=workers, epochs=3, seed=1)
    for word in TOPICS[0][:3]:
        assert {other for other, _ in model.wv.most_similar(word, topn=3)} <= set(TOPICS[0])


def test_without_subsampling_every_token_survives():
    tokens, offsets = corpus()
    _, *rest = tables(tokens)
    assert run_kernel(fresh(8, 0, 1), tokens, offsets, None, rest, settings())[1] == len(tokens)


def test_the_learning_rate_stops_falling_at_the_horizon():
    tokens, offsets = corpus()
    _, *rest = tables(tokens)
    frozen = fresh(8, 0, 1)
    before = frozen[0].copy()
    given = [training.matrices.padded(matrix) for matrix in frozen[:2]]
    kernel = training.epoch.Kernel(*given, None, None, *rest, **settings())
    counts, schedule = np.zeros(3, np.int64), training.schedule.Schedule(0.5, 0.5 / 1000, 1000)
    part = _train.Part(tokens, offsets, kernel.longest_sentence(offsets, len(tokens)), origin=1000)
    racer = _train.Racer(np.zeros(1, np.int64), 1, 0, counts, np.zeros(1))
    kernel.train(part, _train.Epoch(1, schedule, np.zeros(2, np.int32)), racer)
    assert [schedule.at(position) for position in (0, 500, 1000, 2000)] == [0.5, 0.25, 0, 0]
    assert counts[0] == len(tokens)
    assert (frozen[0] == before).all()


# --- the same bytes on every level --------------------------------------------------------------------------------

LEVEL_SCRIPT = """
import sys; sys.path[:0] = {tests!r}
import hashlib
from test_train import *
digest = hashlib.sha256()
for cbow, (hs, negative) in MODELS:
    for vector_size in (5, 16, 100, 140):
        for shared in (True, False):
            tokens, offsets = corpus(sentences=30)
            keep, *rest = tables(tokens)
            matrices = fresh(vector_size, hs, negative)
            options = settings(cbow=cbow, negative=negative, shared=shared)
            stats = run_kernel(matrices, tokens, offsets, keep, rest, options)
            digest.update(repr(stats).encode())
            for matrix in matrices:
                if matrix is not None: digest.update(matrix.tobytes())
# rows with subnormal, huge and signed-zero values
for scale in (1e-40, 1e-20, 1e4, 1e18):
    matrices = fresh(37, 1, 5)
    for matrix in matrices: matrix *= np.float32(scale); matrix[0] = -0.0
    run_kernel(matrices, tokens, offsets, keep, rest, settings(with_loss=False))
    for matrix in matrices: digest.update(matrix.tobytes())
from w2v.training import _train
print(_train.ISA, digest.hexdigest())
"""


def level_digest(level):
    script = LEVEL_SCRIPT.format(tests=paths_of(__file__))
    environment = os.environ | {"W2V_ISA": level}
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True)
    used, digest = done.stdout.split()
    assert used == level
    return digest


GOLDEN_LEVELS = "ed359d74b6f9c7b4befd490d3874fbb6fd3984e7bc22edeafae120ab2b989df4"


@pytest.mark.parametrize("level", ["portable", "avx2", "avx512", "neon"])
def test_every_level_gives_the_golden_bytes(level):
    if level not in _train.AVAILABLE:
        pytest.skip(f"this CPU or build has no {level}")
    assert level_digest(level) == GOLDEN_LEVELS


def test_an_unknown_level_is_refused_at_import_with_the_choices():
    environment = os.environ | {"W2V_ISA": "sse9"}
    done = subprocess.run(
        [sys.executable, "-c", "import w2v.training._train"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ImportError: W2V_ISA='sse9' cannot run here" in done.stderr
    assert "portable" in done.stderr


# --- what stays as it is --------------------------------------------------------------------------------------------

FROZEN = np.arange(VOCABULARY, dtype=np.uint8) % 3 == 0  # the most frequent word among them


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
@pytest.mark.parametrize(
    "changed",
    [
        {"frozen": FROZEN.astype(np.uint8)},
        {"frozen": FROZEN.astype(np.uint8), "shared": False},
        {"frozen": FROZEN.astype(np.uint8), "locks": np.linspace(0, 2, VOCABULARY, dtype=np.float32)},
        {"learn_outputs": False},
        {"learn_words": False},
    ],
    ids=["words", "words, fresh noise", "words and locks", "outputs", "inputs"],
)
def test_a_kernel_that_freezes_agrees_with_its_twin(cbow, losses, changed):
    hs, negative = losses
    tokens, offsets = corpus()
    keep, *rest = tables(tokens)
    options = settings(cbow=cbow, negative=negative) | changed
    matrices = fresh(20, hs, negative)
    twins = [None if matrix is None else matrix.copy() for matrix in matrices]
    loss = run_kernel(matrices, tokens, offsets, keep, rest, options)[3]
    twin = Twin(*twins, keep, *rest, **options)
    twin.run(tokens, offsets, 0, 12345, 0.05, 1e-5, 10**6)
    assert loss == pytest.approx(twin.loss, rel=1e-4)
    for ours, theirs in zip(matrices, twins, strict=True):
        if ours is not None:
            np.testing.assert_allclose(ours, theirs, atol=3e-5, rtol=1e-3)


@pytest.mark.parametrize("cbow", [False, True])
@pytest.mark.parametrize(
    "changed", [{"frozen": FROZEN.astype(np.uint8)}, {"learn_outputs": False}, {"learn_words": False}], ids=str
)
@pytest.mark.parametrize(("workers", "n_hot"), [(1, 0), (3, 5)])
def test_what_is_frozen_keeps_its_bytes(cbow, changed, workers, n_hot):
    """Also -0.0, which becomes 0.0 where nothing is added to it."""
    rng = np.random.default_rng(1)
    tokens = (rng.integers(0, VOCABULARY, (2, 40_000)).prod(axis=0) // VOCABULARY).astype(np.int32)
    offsets = np.arange(0, len(tokens) + 1, 20)
    keep, *rest = tables(tokens)
    matrices = fresh(20, 1, 5)
    for matrix in matrices:
        matrix[:, 3] = -0.0
    before = [matrix.tobytes() for matrix in matrices]
    rows = [matrix.copy() for matrix in matrices]
    options = settings(cbow=cbow, **changed)
    run_kernel(matrices, tokens, offsets, keep, rest, options, workers=workers, n_hot=n_hot, slope=1e-7)
    assert all(np.isfinite(matrix).all() for matrix in matrices)
    if "frozen" in changed:
        for matrix, old in zip(matrices[:2], rows[:2], strict=True):
            assert matrix[FROZEN].tobytes() == old[FROZEN].tobytes()
            assert (matrix != old)[~FROZEN].any(axis=1)[:30].all()  # of words that occur
        assert (matrices[2] != rows[2]).any(axis=1)[-30:].all()
    else:
        still = [matrix.tobytes() == old for matrix, old in zip(matrices, before, strict=True)]
        assert still == ([False, True, True] if "learn_outputs" in changed else [True, False, False])
