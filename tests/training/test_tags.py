"""Rows of documents: the kernel against its slow twin, for every way to learn with tags, and what must hold however."""

import itertools

import numpy as np
import pytest
from reference import Twin
from test_deterministic import digest, slow_rounds, words_are_dealt  # noqa: F401
from test_train import MODELS, VOCABULARY, corpus, fresh, settings, tables

from w2v import training
from w2v.common.progress import progress_bar
from w2v.tokens import encode
from w2v.tokens.tags import Tags

DOCUMENTS = 25


def tagged(sentences=60, longest=30, seed=0):
    """A corpus with none to three tags for each sentence, one of them twice now and then, and sentences of a word."""
    rng = np.random.default_rng(seed)
    tokens, offsets = corpus(seed, sentences, longest)
    tags = [rng.integers(0, DOCUMENTS, rng.integers(0, 4)).tolist() for _ in range(sentences)]
    tags = [[*found, found[0]] if len(found) == 2 else found for found in tags]
    return tokens, offsets, tags


def as_arrays(tags):
    offsets = np.cumsum([0, *map(len, tags)]).astype(np.int64)
    return Tags(np.array(list(itertools.chain(*tags)), np.int32), offsets)


def documents(vector_size, seed=5):
    matrix = training.matrices.new_matrix(DOCUMENTS, vector_size)
    matrix[...] = np.random.default_rng(seed).random(matrix.shape) / 4 - 0.125
    return matrix


def train(matrices, text, options, *, keep=None, workers=1, round_shape=None):
    """Train the inputs, outputs, nodes and documents of `matrices`; returns the counts and the loss."""
    tokens, offsets, tags = text
    usual, *rest = tables(tokens)
    *of_words, rows = [None if matrix is None else training.matrices.padded(matrix) for matrix in matrices]
    keep = usual if keep is None else keep
    kernel = training.epoch.Kernel(*of_words, keep, *rest, documents=rows, **options)
    parts = [encode.Encoded(tokens, offsets, len(tokens), tags=as_arrays(tags))]
    found = training.epoch.Progress()
    with progress_bar(False) as bar:
        training.epoch.run_epoch(
            kernel,
            training.epoch.check_parts(kernel, parts),
            found,
            key=12345,
            schedule=training.schedule.Schedule(0.05, 1e-6, 10**6),
            workers=workers,
            n_hot=0,
            round_shape=round_shape,
            bar=bar,
        )
    return found.words, found.survivors, found.examples, found.loss


def agrees_with_its_twin(matrices, text, options, round_shape):
    """Train, and let the twin train copies: sequentially without a `round_shape`, else by rounds of two workers."""
    tokens, offsets, tags = text
    twins = [None if matrix is None else matrix.copy() for matrix in matrices]
    stats = train(matrices, text, options, round_shape=round_shape, workers=2 if round_shape else 1)
    if round_shape is None:
        keep, *rest = tables(tokens)
        twin = Twin(*twins[:3], keep, *rest, documents=twins[3], **options)
        twin.run(tokens, offsets, 0, 12345, 0.05, 1e-6, 10**6, tags=tags)
        assert stats[:3] == (len(tokens), twin.survivors, twin.examples)
        assert stats[3] == pytest.approx(twin.loss, rel=1e-4)
    else:
        slow_rounds(twins, options, round_shape, (tokens, offsets), tags)
    for ours, theirs in zip(matrices, twins, strict=True):
        if ours is not None:
            np.testing.assert_allclose(ours, theirs, atol=3e-5, rtol=1e-3)


LOCKS = np.linspace(0, 2, VOCABULARY, dtype=np.float32)
DOCUMENT_LOCKS = np.linspace(0, 2, DOCUMENTS, dtype=np.float32)
WAYS = [
    {},
    {"words": False},
    {"mean_forward": False, "mean_backward": True},
    {"shared": False},
    {"window": 6},
    {"words": False, "shared": False},
    {"learn_outputs": False},
    {"learn_outputs": False, "learn_words": False},
    {"learn_outputs": False, "learn_words": False, "words": False, "shared": False},
    {"locks": LOCKS, "document_locks": DOCUMENT_LOCKS},
    {"document_locks": DOCUMENT_LOCKS, "learn_words": False},
]


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
@pytest.mark.parametrize("changed", WAYS, ids=lambda way: "-".join(way))
@pytest.mark.parametrize("round_shape", [None, (4, 16), (3, 50)])
def test_documents_agree_with_their_twin(cbow, losses, changed, round_shape):
    hs, negative = losses
    text = tagged()
    options = settings(cbow=cbow, negative=negative) | changed
    matrices = [*fresh(20, hs, negative), documents(20)]
    before = [None if matrix is None else matrix.tobytes() for matrix in matrices]

    agrees_with_its_twin(matrices, text, options, round_shape)
    same = [matrix is None or matrix.tobytes() == old for matrix, old in zip(matrices, before, strict=True)]
    stays = not changed.get("learn_words", True) or not changed.get("words", True)
    still = not changed.get("learn_outputs", True)
    assert same == [stays, still or not negative, still or not hs, False]


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
@pytest.mark.parametrize("changed", [{}, {"words": False}, {"shared": False}, {"learn_outputs": False}], ids=str)
def test_tags_give_one_hash_for_any_number_of_workers(cbow, losses, changed):
    hs, negative = losses
    text = tagged(sentences=300, longest=60)
    found = set()
    for workers in (1, 2, 3, 5):
        matrices = [*fresh(20, hs, negative), documents(20)]
        options = settings(cbow=cbow, negative=negative) | changed
        stats = train(matrices, text, options, workers=workers, round_shape=(8, 16))
        found.add(digest(matrices, stats))
    assert len(found) == 1


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
def test_one_segment_with_tags_is_the_sequential_trainer(cbow, losses):
    hs, negative = losses
    results = []
    for round_shape in (None, (1, 8192)):
        matrices = [*fresh(20, hs, negative), documents(20)]
        stats = train(matrices, tagged(), settings(cbow=cbow, negative=negative), round_shape=round_shape)
        results.append(digest(matrices, stats))
    assert results[0] == results[1]


@pytest.mark.parametrize("cbow", [False, True])
@pytest.mark.parametrize("round_shape", [None, (4, 16)])
def test_a_document_of_one_word_is_learnt(cbow, round_shape):
    tokens, offsets = np.arange(DOCUMENTS, dtype=np.int32), np.arange(DOCUMENTS + 1)
    keep = np.full(VOCABULARY, 2**32 - 1, np.uint32)
    matrices = [*fresh(8, 0, 5), documents(8)]
    before = matrices[3].copy()
    text = tokens, offsets, [[row] for row in range(DOCUMENTS)]
    stats = train(matrices, text, settings(cbow=cbow), keep=keep, round_shape=round_shape)
    assert stats[:3] == (DOCUMENTS, DOCUMENTS, DOCUMENTS)
    assert (matrices[3] != before).any(axis=1).all()


SIDE = {"cbow": True, "shrink": False, "side_tags": 3, "columns": 20, "null_word": VOCABULARY - 1}


@pytest.mark.parametrize("losses", [(0, 5), (1, 0), (1, 5)])
@pytest.mark.parametrize("changed", [{}, {"window": 2}, {"learn_outputs": False, "learn_words": False},
                                     {"locks": LOCKS, "document_locks": DOCUMENT_LOCKS}], ids=str)  # fmt: skip
@pytest.mark.parametrize("round_shape", [None, (4, 16), (3, 50)])
def test_rows_side_by_side_agree_with_their_twin(losses, changed, round_shape):
    hs, negative = losses
    text = tagged()
    assert {len(found) for found in text[2]} >= {1, 3}
    options = settings(negative=negative) | SIDE | changed
    width = (3 + 2 * options["window"]) * 20
    wide = fresh(width, hs, negative)[1:]
    matrices = [fresh(20, hs, negative)[0], *wide, documents(20)]
    agrees_with_its_twin(matrices, text, options, round_shape)


def test_rows_side_by_side_need_outputs_as_long_as_they_are():
    matrices = [None if matrix is None else training.matrices.padded(matrix) for matrix in fresh(20, 0, 5)]
    rest, rows = tables(corpus()[0]), training.matrices.padded(documents(20))
    for changed, match in (
        ({}, "output rows must have 224 floats"),
        ({"shrink": True}, "shrink=True"),
        ({"null_word": VOCABULARY}, f"null_word={VOCABULARY}"),
        ({"columns": 40}, "40 columns"),
    ):
        with pytest.raises(ValueError, match=match):
            training.epoch.Kernel(*matrices, *rest, documents=rows, **settings() | SIDE | changed)


def test_inference_does_not_depend_on_its_batch():
    """With all else held still, a document's row is the same whoever is inferred with it and however many work."""
    tokens, offsets, _ = tagged(sentences=40)
    tags = [[row % DOCUMENTS] for row in range(DOCUMENTS)] + [[]] * 15
    options = settings(cbow=False, learn_outputs=False, learn_words=False, words=False)
    results = []
    for chosen in (tags, [tags[0], *[[]] * 39]):
        for workers, round_shape in ((1, None), (3, (4, 16))):
            matrices = [*fresh(20, 0, 5), documents(20)]
            train(matrices, (tokens, offsets, chosen), options, workers=workers, round_shape=round_shape)
            results.append(matrices[3][0].tobytes())
    assert len(set(results[0::2])) == len(set(results[1::2])) == 1


@pytest.mark.parametrize(
    ("rows", "offsets", "match"),
    [
        ([DOCUMENTS], [0, 1], "no row"),
        ([-1], [0, 1], "no row"),
        ([0], [0, 2], "offsets of tags"),
        ([0], [0], "offsets of tags"),
        ([0, 0], [0, 1, 0], "offsets of tags"),
        ([], [], "offsets of tags"),
    ],
)
def test_tags_that_lead_out_of_the_documents_are_refused(rows, offsets, match):
    matrices = [*fresh(8, 0, 5), documents(8)]
    padded = [None if matrix is None else training.matrices.padded(matrix) for matrix in matrices]
    kernel = training.epoch.Kernel(*padded[:3], *tables(corpus()[0]), documents=padded[3], **settings())
    tags = Tags(np.array(rows, np.int32), np.array(offsets, np.int64))
    part = encode.Encoded(np.array([0, 1], np.int32), np.array([0, 2]), 2, tags=tags)
    with pytest.raises(ValueError, match=match):
        list(training.epoch.check_parts(kernel, [part]))


def test_documents_of_another_width_are_refused():
    matrices = [None if matrix is None else training.matrices.padded(matrix) for matrix in fresh(8, 0, 5)]
    rest = tables(corpus()[0])
    for given, match in (
        ({"documents": np.zeros((3, 32), np.float32)}, "32 floats"),
        ({"documents": np.zeros((3, 16), np.float32), "document_locks": np.ones(4, np.float32)}, "4 locks for 3"),
        ({"words": False}, "words=True"),
    ):
        with pytest.raises(ValueError, match=match):
            training.epoch.Kernel(*matrices, *rest, **given, **settings())


def test_without_tags_documents_change_no_bit():
    text = tagged()
    results = []
    for rows in (None, documents(20)):
        matrices = [*fresh(20, 1, 5), rows]
        train(matrices, (*text[:2], [[] for _ in text[2]]), settings())
        results.append(digest(matrices[:3]))
    assert results[0] == results[1]
