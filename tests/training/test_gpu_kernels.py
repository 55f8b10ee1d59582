"""The kernels of the GPU, over an emulation of warps, against the slow twin: the draws exactly, sums to rounding."""

import itertools

import numpy as np
import pytest
import reference
from emulation import STRUCTURES, SoftwareDevice, needs_emulation, sizes
from reference import Twin
from test_subwords import LOCKS as SUBWORD_LOCKS
from test_subwords import matrices_of as subword_matrices
from test_subwords import subwords
from test_tags import DOCUMENT_LOCKS, LOCKS, as_arrays, documents, tagged
from test_tied import one_matrix, twins_of
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


def few_of(ways):
    """Every model with every way; all are slow but so many that each model and each way is there."""
    step, cases = min(len(ways), len(MODELS)), []
    for (m, model), (w, way) in itertools.product(enumerate(MODELS), enumerate(ways)):
        name = f"{'CBOW' if model[0] else 'skip-gram'}-{model[1]}-{'-'.join(way)}"
        cases.append(pytest.param(*model, way, id=name, marks=[] if (w - m) % step == 0 else pytest.mark.slow))
    return cases


def train(matrices, tokens, offsets, keep, rest, options, *, tags=None, device=None, alpha=0.05, slope=1e-5, key=12345):
    """Train the inputs, outputs, nodes and documents of `matrices`; returns counts and loss, and the device."""
    device = SoftwareDevice() if device is None else device
    tied = matrices[1] is matrices[0]
    *of_words, rows = [None if matrix is None else training.matrices.padded(matrix) for matrix in (*matrices, None)[:4]]
    of_words[1] = of_words[0] if tied else of_words[1]
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
    of_twin = {"learn_words": True, "learn_outputs": True, "words": True, "gathers": True} | options
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


@pytest.mark.parametrize(("cbow", "losses", "changed"), few_of(WAYS))
def test_kernel_of_the_gpu_agrees_with_its_twin(cbow, losses, changed):
    hs, negative = losses
    options = settings(cbow=cbow, negative=negative) | changed
    agree(fresh(50, hs, negative), corpus(sentences=5), options)


@pytest.mark.parametrize("cbow", [False, True])
@pytest.mark.parametrize(
    ("vector_size", "negative", "variant"),
    [
        (3, 5, (1, 6)),
        pytest.param(128, 1, (1, 2), marks=pytest.mark.slow),
        (300, 10, (3, 11)),
        (50, 100, (1, 0)),
        (1024, 5, (8, 0)),
    ],
)
def test_rows_and_lists_of_any_length_agree(vector_size, negative, variant, cbow):
    """Also where words are drawn many times in a window, and where targets do not fit into registers."""
    device = agree(fresh(vector_size, 0, negative), corpus(sentences=3), settings(cbow=cbow, negative=negative))
    assert [found[:2] for found in device.variants] == [variant]


@pytest.mark.parametrize(
    ("cbow", "losses", "changed"),
    few_of(
        [
            {},
            {"words": False},
            {"shared": False},
            {"learn_outputs": False},
            {"learn_outputs": False, "learn_words": False, "words": False},
            {"locks": LOCKS, "document_locks": DOCUMENT_LOCKS},
        ]
    ),
)
def test_rows_of_documents_agree_on_the_gpu(cbow, losses, changed):
    hs, negative = losses
    tokens, offsets, tags = tagged(sentences=6)
    matrices = [*fresh(20, hs, negative), documents(20)]
    agree(matrices, (tokens, offsets), settings(cbow=cbow, negative=negative) | changed, tags=tags)


@pytest.mark.parametrize("kept", [pytest.param(1, marks=pytest.mark.slow), 0.3, 0.001])
def test_windows_reach_over_stretches_tiles_and_gaps(kept):
    """One sentence of many stretches and tiles, of which few words survive."""
    tokens = np.random.default_rng(5).integers(0, VOCABULARY, 2100).astype(np.int32)
    keep = choose.keep_thresholds(np.full(VOCABULARY, kept)) if kept < 1 else None
    options = settings(window=30, shrink=False, cbow=True)
    agree(fresh(4, 0, 5), (tokens, np.array([0, len(tokens)])), options, keep=keep, alpha=1e-3)


@pytest.mark.parametrize(
    "lengths", [[1, 1, 1], [0, 0, 5, 0], [2], [63, 64, 65, 1], [130, 1, 40, 0, 0], [3] * 40], ids=str
)
def test_edges_of_sentences_are_those_of_the_twin(lengths):
    tokens = np.random.default_rng(1).integers(0, VOCABULARY, sum(lengths)).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    agree(fresh(4, 0, 5), (tokens, offsets), settings())


def test_a_window_of_one_word_repeated_agrees():
    """The same input row again and again, and noise that is nearly always drawn twice or the word itself."""
    tokens = np.tile(np.array([7, 7, 7, 8], np.int32), 30)
    agree(
        fresh(20, 1, 5),
        (tokens, np.array([0, len(tokens)])),
        settings(negative=5),
        keep=np.full(VOCABULARY, 2**32 - 1, np.uint32),
    )


@pytest.mark.parametrize(("cbow", "losses"), [MODELS[0], MODELS[2], MODELS[5]])
def test_many_warps_train_every_word_once(cbow, losses, monkeypatch):
    """At a rate so low that no window feels another, changes made at once add up to those made in turn."""
    hs, negative = losses
    tokens, offsets = corpus(sentences=60)
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
    tokens, offsets = corpus(sentences=20)
    keep, *rest = tables(tokens)
    bits = set()
    for seed in range(3):
        matrices = fresh(20, 1, 5)
        train(matrices, tokens, offsets, keep, rest, settings(), device=SoftwareDevice(seed=seed))
        bits.add(tuple(matrix.tobytes() for matrix in matrices))
    assert len(bits) == 1


# --- words with subwords, rows side by side, one matrix, frozen rows --------------------------------------------------

WAYS_OF_SUBWORDS = [
    {},
    {"window": 12, "shrink": False},
    {"shared": False},
    {"locks": SUBWORD_LOCKS},
    {"learn_outputs": False},
]


@pytest.mark.parametrize(
    ("cbow", "losses", "changed"),
    few_of(
        [{}, {"window": 12, "shrink": False}, {"shared": False}, {"locks": SUBWORD_LOCKS}, {"learn_outputs": False}]
    ),
)
def test_words_with_subwords_agree_on_the_gpu(cbow, losses, changed):
    """A word may be in a window twice, or be its own noise."""
    hs, negative = losses
    tokens, offsets, tags = tagged(sentences=6)
    options = settings(cbow=cbow, negative=negative, subwords=subwords()) | changed
    matrices = subword_matrices(hs, negative, with_documents=cbow)
    agree(matrices, (tokens, offsets), options, tags=tags if cbow else None)


def side_by_side_matrices(columns, hs, negative, places):
    inputs, *_ = fresh(columns, 0, 0)
    _, *targets = fresh(places * columns, hs, negative)
    return [inputs, *targets, documents(columns)]


@pytest.mark.parametrize("losses", [(0, 5), (1, 5)])
@pytest.mark.parametrize(
    ("columns", "changed"),
    [
        (10, {}),
        (50, {"window": 6}),
        (7, {"locks": LOCKS}),
        (5, {"learn_outputs": False}),
    ],
    ids=str,
)
def test_rows_side_by_side_agree_on_the_gpu(losses, columns, changed):
    hs, negative = losses
    tokens, offsets, tags = tagged(sentences=6)
    tags = [found[:2] if len(found) > 2 else found for found in tags]
    own = {"cbow": True, "negative": negative, "shrink": False, "side_tags": 2, "null_word": 5, "columns": columns}
    options = settings(window=2) | own | changed
    matrices = side_by_side_matrices(columns, hs, negative, 2 + 2 * options["window"])
    agree(matrices, (tokens, offsets), options, tags=tags)


@pytest.mark.parametrize("options", [{}, {"cbow": True}, {"shared": False}, {"hs": 1}, {"negative": 20}], ids=str)
def test_one_matrix_agrees_on_the_gpu(options):
    given = settings(**{name: value for name, value in options.items() if name != "hs"})
    matrices, text = one_matrix(options.get("hs", 0)), corpus(sentences=5)
    twins = twins_of(matrices)
    keep, *rest = tables(text[0])
    train(matrices, *text, keep, rest, given)
    Twin(*twins, keep, *rest, **given).run(*text, 0, 12345, 0.05, 1e-5, len(text[0]))
    for ours, theirs in zip(matrices, twins, strict=True):
        if ours is not None:
            np.testing.assert_allclose(ours, theirs, atol=3e-5, rtol=1e-3)


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
def test_frozen_rows_stay_and_all_others_learn_on_the_gpu(cbow, losses):
    hs, negative = losses
    frozen = (np.arange(VOCABULARY) % 3 == 0).astype(np.uint8)
    matrices = fresh(20, hs, negative)
    before = [None if matrix is None else matrix.copy() for matrix in matrices]
    agree(matrices, corpus(sentences=5), settings(cbow=cbow, negative=negative, frozen=frozen))
    for now, then in zip(matrices[: 1 + (negative > 0)], before, strict=False):
        assert (now[frozen > 0] == then[frozen > 0]).all()


# --- documents that are inferred ------------------------------------------------------------------------------------


def inferred(hs, negative, options, texts, epochs, tol=0.0, side_tags=0):
    """The rows that a GPU gives documents, and those of the twin, and for how many epochs the former learnt."""
    columns = 20
    tokens = np.concatenate(texts).astype(np.int32)
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    keep, *rest = tables(tokens)
    options = settings(negative=negative, with_loss=False, learn_words=False, learn_outputs=False) | options
    if side_tags:
        options |= {"side_tags": 1, "null_word": 5, "shrink": False, "columns": columns}
        matrices = side_by_side_matrices(columns, hs, negative, 1 + 2 * options["window"])[:3]
    else:
        options |= {"columns": columns}
        matrices = fresh(columns, hs, negative)
    whole = [None if matrix is None else training.matrices.padded(matrix) for matrix in matrices]
    counts, rows = np.ones(VOCABULARY, np.int64), np.zeros((len(texts), 32), np.float32)
    given = {"documents": training.matrices.padded(documents(columns))}
    kernel = Kernel(*whole, keep, *rest, counts=counts, device=SoftwareDevice(), **given, **options)
    used, stop = np.zeros(len(texts), np.int32), np.zeros(1, np.int32)
    plan = {"epochs": epochs, "alpha": 0.1, "min_alpha": 0.05, "tol": tol}
    with kernel.inferring():
        kernel.infer(tokens, offsets, rows, used, np.zeros(1, np.int64), stop, key=77, **plan)
    on_cpu, times = np.zeros_like(rows), np.zeros_like(used)
    slow = training.epoch.Kernel(*whole, keep, *rest, **given, **options)
    slow.infer(tokens, offsets, on_cpu, times, np.zeros(1, np.int64), stop, key=77, **plan)
    return rows, on_cpu, used, times


TEXTS = [np.random.default_rng(n).integers(0, VOCABULARY, n) for n in (1, 0, 2, 3, 4, 9, 40, 0, 65)]


@pytest.mark.parametrize("losses", [(0, 5), (1, 0), (1, 5)])
@pytest.mark.parametrize(
    "options",
    [
        {"words": False},
        {"words": False, "shared": False},
        {"cbow": True},
        {"cbow": True, "shared": False, "shrink": False},
        {"cbow": True, "mean_forward": False, "mean_backward": True},
    ],
    ids=lambda way: "-".join(way),
)
def test_documents_are_inferred_as_on_the_cpu(losses, options):
    """The CPU's inference is compared with the slow twin in tests/models/test_inference.py."""
    ours, theirs, used, times = inferred(*losses, options, TEXTS, 3)
    np.testing.assert_allclose(ours, theirs, atol=1e-6, rtol=1e-4)
    assert (used == times).all()
    assert set(used) == {0, 3}


@pytest.mark.parametrize("losses", [(0, 5), (1, 5)])
def test_documents_side_by_side_are_inferred_as_on_the_cpu(losses):
    ours, theirs, used, times = inferred(*losses, {"cbow": True, "window": 2}, TEXTS, 3, side_tags=1)
    np.testing.assert_allclose(ours, theirs, atol=1e-6, rtol=1e-4)
    assert (used == times).all()


def test_a_long_document_is_inferred_in_legs_as_on_the_cpu():
    """Groups of words begin anew every 8,192 words, on both."""
    texts = [np.random.default_rng(1).integers(0, VOCABULARY, n) for n in (8192 + 37, 5)]
    ours, theirs, *_ = inferred(0, 5, {"words": False}, texts, 1)
    np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=1e-3)


def test_a_document_that_has_settled_ends_as_on_the_cpu():
    ours, theirs, used, times = inferred(0, 5, {"words": False}, TEXTS, 12, tol=0.3)
    np.testing.assert_allclose(ours, theirs, atol=1e-6, rtol=1e-4)
    assert (used == times).all()
    assert len(set(used)) > 2
