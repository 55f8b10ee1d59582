"""The kernels of the GPU, over an emulation of warps, against the slow twin: the draws exactly, sums to rounding."""

import numpy as np
import pytest
import reference
from emulation import STRUCTURES, SoftwareDevice, needs_emulation, sizes
from reference import Twin
from test_tags import DOCUMENT_LOCKS, LOCKS, as_arrays, documents, tagged
from test_train import MODELS, VOCABULARY, corpus, fresh, settings, tables

from w2v import training
from w2v.common.progress import progress_bar
from w2v.tokens import encode
from w2v.training.cuda import concurrency
from w2v.training.cuda.kernel import Kernel
from w2v.vocabulary import choose

pytestmark = needs_emulation


@pytest.fixture(autouse=True)
def one_pair_after_the_other(monkeypatch):
    """On a GPU each pair of a window sees what the one before has left; the CPU takes several at a time."""
    monkeypatch.setattr(reference, "TILE", 1)
    monkeypatch.setattr(reference, "PATH_TILE", 1)
    monkeypatch.setattr(concurrency, "WORDS_OF_A_WARP", 10**9)  # one warp


def train(matrices, tokens, offsets, keep, rest, options, *, tags=None, device=None, alpha=0.05, slope=1e-5, key=12345):
    """Train the inputs, outputs, nodes and documents of `matrices`; returns counts and loss, and the device."""
    device = SoftwareDevice() if device is None else device
    *of_words, rows = [None if matrix is None else training.matrices.padded(matrix) for matrix in (*matrices, None)[:4]]
    counts = np.bincount(tokens, minlength=VOCABULARY).astype(np.int64)
    kernel = Kernel(*of_words, keep, *rest, documents=rows, counts=counts, device=device, **options)
    parts = [encode.Encoded(tokens, offsets, len(tokens), tags=None if tags is None else as_arrays(tags))]
    found = training.epoch.Progress()
    with progress_bar(False) as bar:
        ended = kernel.run(
            list(training.epoch.check_parts(kernel, parts)),
            found,
            key=key,
            schedule=training.schedule.Schedule(alpha, slope, len(tokens)),
            workers=1,
            n_hot=0,
            bar=bar,
        )
    assert ended
    assert found.consistent
    return (found.words, found.survivors, found.examples, found.loss), device


def agree(matrices, text, options, *, keep=None, tags=None, locks=None, alpha=0.05, **more):
    """Train on the emulation and with the twin; both must count and learn the same."""
    tokens, offsets = text
    usual, *rest = tables(tokens)
    keep = usual if keep is None else keep
    twin_matrices = [None if matrix is None else matrix.copy() for matrix in matrices]
    found, device = train(matrices, tokens, offsets, keep, rest, options, tags=tags, alpha=alpha, **more)
    of_twin = {"learn_words": True, "learn_outputs": True, "words": True} | options
    twin = Twin(*twin_matrices[:3], keep, *rest, **of_twin, documents=(*twin_matrices, None)[3])
    twin.run(tokens, offsets, 0, 12345, alpha, 1e-5, len(tokens), tags=tags)
    words, survivors, examples, loss = found
    assert (words, survivors, examples) == (len(tokens), twin.survivors, twin.examples)
    assert loss == pytest.approx(twin.loss, rel=1e-4)
    for ours, theirs in zip(matrices, twin_matrices, strict=True):
        if ours is not None:
            np.testing.assert_allclose(ours, theirs, atol=3e-5, rtol=1e-3)
            assert not training.matrices.padded(ours)[:, ours.shape[1] :].any(), "padding must stay zero"
    return device


def test_structures_are_laid_out_as_the_compiler_does():
    assert sizes() == STRUCTURES


WAYS = [
    {},
    {"shrink": False},
    {"window": 1},
    {"window": 12},
    {"shared": False},
    {"mean_forward": False, "mean_backward": True},
    {"mean_backward": True},
    {"locks": LOCKS},
    {"locks": LOCKS, "shared": False},
]


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
@pytest.mark.parametrize("changed", WAYS, ids=str)
def test_kernel_of_the_gpu_agrees_with_its_twin(cbow, losses, changed):
    hs, negative = losses
    options = settings(cbow=cbow, negative=negative) | changed
    agree(fresh(50, hs, negative), corpus(sentences=14), options)


@pytest.mark.parametrize("cbow", [False, True])
@pytest.mark.parametrize(
    ("vector_size", "negative", "variant"),
    [(3, 5, (1, 6)), (128, 1, (1, 2)), (300, 10, (3, 11)), (50, 100, (1, 0)), (1024, 5, (8, 0))],
)
def test_rows_and_lists_of_any_length_agree(vector_size, negative, variant, cbow):
    """Also where words are drawn many times in a window, and where targets do not fit into registers."""
    device = agree(fresh(vector_size, 0, negative), corpus(sentences=10), settings(cbow=cbow, negative=negative))
    assert device.variants == [variant]


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"words": False},
        {"shared": False},
        {"learn_outputs": False},
        {"learn_outputs": False, "learn_words": False, "words": False},
        {"locks": LOCKS, "document_locks": DOCUMENT_LOCKS},
    ],
    ids=lambda way: "-".join(way),
)
def test_rows_of_documents_agree_on_the_gpu(cbow, losses, changed):
    hs, negative = losses
    tokens, offsets, tags = tagged(sentences=12)
    matrices = [*fresh(20, hs, negative), documents(20)]
    agree(matrices, (tokens, offsets), settings(cbow=cbow, negative=negative) | changed, tags=tags)


@pytest.mark.parametrize("kept", [1, 0.3, 0.001])
def test_windows_reach_over_stretches_tiles_and_gaps(kept):
    """One sentence of many stretches and tiles, of which few words survive."""
    tokens = np.random.default_rng(5).integers(0, VOCABULARY, 2100).astype(np.int32)
    keep = choose.keep_thresholds(np.full(VOCABULARY, kept)) if kept < 1 else None
    options = settings(window=30, shrink=False, cbow=True, negative=1)
    agree(fresh(4, 0, 1), (tokens, np.array([0, len(tokens)])), options, keep=keep, alpha=1e-3)


@pytest.mark.parametrize(
    "lengths", [[1, 1, 1], [0, 0, 5, 0], [2], [63, 64, 65, 1], [300, 1, 100, 0, 0], [3] * 120], ids=str
)
def test_edges_of_sentences_are_those_of_the_twin(lengths):
    tokens = np.random.default_rng(1).integers(0, VOCABULARY, sum(lengths)).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    agree(fresh(4, 0, 5), (tokens, offsets), settings())


def test_a_window_of_one_word_repeated_agrees():
    """The same input row again and again, and noise that is nearly always drawn twice or the word itself."""
    tokens = np.tile(np.array([7, 7, 7, 8], np.int32), 60)
    agree(
        fresh(20, 1, 5),
        (tokens, np.array([0, len(tokens)])),
        settings(negative=5),
        keep=np.full(VOCABULARY, 2**32 - 1, np.uint32),
    )


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
def test_many_warps_train_every_word_once(cbow, losses, monkeypatch):
    """At a rate so low that no window feels another, changes made at once add up to those made in turn."""
    hs, negative = losses
    tokens, offsets = corpus(sentences=100)
    keep, *rest = tables(tokens)
    options, results = settings(cbow=cbow, negative=negative), []
    for words_of_a_warp in (10**9, 100):
        monkeypatch.setattr(concurrency, "WORDS_OF_A_WARP", words_of_a_warp)
        matrices = fresh(20, hs, negative)
        counted, device = train(
            matrices, tokens, offsets, keep, rest, options, alpha=1e-6, slope=0, device=SoftwareDevice(blocks=2)
        )
        results.append((counted, matrices, {launched[1:] for launched in device.launched if launched[0] == "train"}))
    (one, alone, a_warp), (many, together, all_warps) = results
    assert (a_warp, all_warps) == ({(1, 32)}, {(2, 128)})
    assert one[:3] == many[:3]
    assert one[3] == pytest.approx(many[3], rel=1e-5)
    for a, b, start in zip(alone, together, fresh(20, hs, negative), strict=True):
        if a is not None:
            np.testing.assert_allclose(a - start, b - start, atol=2e-7, rtol=0.02)


def test_the_order_of_lanes_and_warps_does_not_matter_to_one_warp():
    tokens, offsets = corpus()
    keep, *rest = tables(tokens)
    bits = set()
    for seed in range(4):
        matrices = fresh(20, 1, 5)
        train(matrices, tokens, offsets, keep, rest, settings(), device=SoftwareDevice(seed=seed))
        bits.add(tuple(matrix.tobytes() for matrix in matrices))
    assert len(bits) == 1
