"""Words with several input rows: the kernel against its slow twin, for every way to learn, and what must hold."""

import numpy as np
import pytest
from reference import Twin
from test_deterministic import digest, slow_rounds, words_are_dealt  # noqa: F401
from test_tags import DOCUMENT_LOCKS, documents, tagged, train
from test_train import MODELS, VOCABULARY, corpus, fresh, settings, tables

from w2v import training

BUCKETS = 40
ROWS = VOCABULARY + BUCKETS
LOCKS = np.linspace(0, 2, ROWS, dtype=np.float32)


def subwords(seed=4):
    """Each word has its own row and none to six others, some of them twice; the rarest words share all they have."""
    rng = np.random.default_rng(seed)
    rows = [[word, *rng.integers(VOCABULARY, ROWS, rng.integers(0, 7))] for word in range(VOCABULARY)]
    rows[7] = [7, ROWS - 1, ROWS - 1, VOCABULARY]
    rows[-1] = rows[-2] = [VOCABULARY]
    return np.cumsum([0, *map(len, rows)]).astype(np.int64), np.concatenate(rows).astype(np.int32)


def matrices_of(hs, negative, with_documents=False, vector_size=20):
    _, *of_targets = fresh(vector_size, hs, negative)
    inputs = training.matrices.first_vectors(ROWS, vector_size, 3)
    return [inputs, *of_targets, documents(vector_size) if with_documents else None]


def without_tags(text):
    return *text[:2], [[] for _ in text[2]]


WAYS = [
    {},
    {"window": 12, "shrink": False},
    {"shared": False},
    {"mean_forward": False, "mean_backward": True},
    {"locks": LOCKS},
    {"learn_outputs": False},
]


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
@pytest.mark.parametrize("changed", WAYS, ids=lambda way: "-".join(way))
@pytest.mark.parametrize(("round_shape", "with_tags"), [(None, True), ((4, 16), False), ((3, 16), True)])
def test_subwords_agree_with_their_twin(cbow, losses, changed, round_shape, with_tags):
    hs, negative = losses
    text = tagged(sentences=16, longest=24)
    tokens, offsets, tags = text if with_tags else without_tags(text)
    options = settings(cbow=cbow, negative=negative, subwords=subwords()) | changed
    if with_tags and "locks" in changed:
        options["document_locks"] = DOCUMENT_LOCKS
    matrices = matrices_of(hs, negative, with_tags)
    twins = [None if matrix is None else matrix.copy() for matrix in matrices]
    stats = train(matrices, (tokens, offsets, tags), options, round_shape=round_shape, workers=2 if round_shape else 1)
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


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
@pytest.mark.parametrize("changed", [{}, {"shared": False}, {"window": 12, "locks": LOCKS}], ids=str)
def test_subwords_give_one_hash_for_any_number_of_workers(cbow, losses, changed):
    hs, negative = losses
    found = set()
    for workers in (1, 2, 3, 5):
        matrices = matrices_of(hs, negative, with_documents=True)
        options = settings(cbow=cbow, negative=negative, subwords=subwords()) | changed
        stats = train(matrices, tagged(sentences=100, longest=60), options, workers=workers, round_shape=(8, 16))
        found.add(digest(matrices, stats))
    assert len(found) == 1


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
def test_one_segment_with_subwords_is_the_sequential_trainer(cbow, losses):
    results = []
    for round_shape in (None, (1, 8192)):
        matrices = matrices_of(*losses, with_documents=True)
        options = settings(cbow=cbow, negative=losses[1], subwords=subwords())
        results.append(digest(matrices, train(matrices, tagged(), options, round_shape=round_shape)))
    assert results[0] == results[1]


@pytest.mark.parametrize("losses", [(0, 5), (1, 0), (1, 5)])
def test_words_of_one_row_each_are_cbow_without_subwords(losses):
    results = []
    for own in (None, (np.arange(VOCABULARY + 1), np.arange(VOCABULARY, dtype=np.int32))):
        matrices = [*fresh(20, *losses), documents(20)]
        options = settings(cbow=True, negative=losses[1], subwords=own)
        results.append(digest(matrices, train(matrices, tagged(), options)))
    assert results[0] == results[1]


@pytest.mark.parametrize("cbow", [False, True])
@pytest.mark.parametrize("round_shape", [None, (4, 16)])
def test_a_locked_subword_keeps_its_bytes_and_others_learn(cbow, round_shape):
    locks = np.ones(ROWS, np.float32)
    locks[[3, VOCABULARY + 3]] = 0
    matrices = matrices_of(0, 5)
    before = matrices[0].copy()
    options = settings(cbow=cbow, subwords=subwords(), locks=locks)
    train(matrices, without_tags(tagged()), options, round_shape=round_shape, workers=2 if round_shape else 1)
    assert matrices[0][[3, VOCABULARY + 3]].tobytes() == before[[3, VOCABULARY + 3]].tobytes()
    assert (matrices[0][[4, VOCABULARY + 4]] != before[[4, VOCABULARY + 4]]).any(axis=1).all()


def test_a_row_of_no_word_is_not_touched():
    offsets, rows = subwords()
    rows[rows == ROWS - 2] = ROWS - 1
    matrices = matrices_of(0, 5)
    before = matrices[0][ROWS - 2].tobytes()
    train(matrices, without_tags(tagged()), settings(subwords=(offsets, rows)))
    assert matrices[0][ROWS - 2].tobytes() == before


@pytest.mark.parametrize(
    ("offsets", "rows", "match"),
    [
        ([0, 1, 2], [0, ROWS], "no row"),
        ([0, 1, 2], [0, -1], "no row"),
        (range(ROWS + 2), [0] * (ROWS + 1), "no row"),
        ([0, 1, 1], [0], "one at least"),
        ([0, 2, 1, 3], [0, 1, 2], "one at least"),
        ([0, 1, 3], [0, 1], "must rise from 0 to 2"),
        ([1, 2], [0, 1], "must rise"),
        ([0], [], "must rise"),
    ],
)
def test_subwords_that_lead_out_of_the_matrix_are_refused(offsets, rows, match):
    matrices = [None if matrix is None else training.matrices.padded(matrix) for matrix in matrices_of(0, 5)[:3]]
    own = np.array(offsets, np.int64), np.array(rows, np.int32)
    with pytest.raises(ValueError, match=match):
        training.epoch.Kernel(*matrices, *tables(corpus()[0]), subwords=own, **settings())


def test_locks_are_for_rows_and_not_for_words():
    matrices = [None if matrix is None else training.matrices.padded(matrix) for matrix in matrices_of(0, 5)[:3]]
    with pytest.raises(ValueError, match=f"{VOCABULARY} locks for {ROWS} rows"):
        training.epoch.Kernel(
            *matrices, *tables(corpus()[0]), subwords=subwords(), locks=LOCKS[:VOCABULARY], **settings()
        )
