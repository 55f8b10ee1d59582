"""Words with several input rows: the kernel against its slow twin, for every way to learn, and what must hold."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from places import TESTS
from test_deterministic import digest, slow_rounds, words_are_dealt  # noqa: F401
from test_tags import DOCUMENT_LOCKS, agrees_with_its_twin, documents, tagged, train
from test_train import MODELS, VOCABULARY, corpus, fresh, settings, tables

from w2v import show_config, training

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


def some_of(ways, *others):
    """Every model with every way, and with every one of the others; all but a few are slow.

    Those few have each model, each way, and each way with each of the others once at least.
    """
    cases = []
    for (m, model), (w, way) in itertools.product(enumerate(MODELS), enumerate(ways)):
        for number, other in enumerate(itertools.product(*others)):
            chosen = (w + 2 * number - m) % len(ways) == 0
            name = f"{'CBOW' if model[0] else 'skip-gram'}-{model[1]}-{'-'.join(way)}-{number}"
            cases.append(pytest.param(model, way, *other, id=name, marks=[] if chosen else pytest.mark.slow))
    return cases


@pytest.mark.parametrize(
    ("model", "changed", "rounds"), some_of(WAYS, [(None, True), ((4, 16), False), ((3, 16), True)])
)
def test_subwords_agree_with_their_twin(model, changed, rounds):
    (cbow, (hs, negative)), (round_shape, with_tags) = model, rounds
    text = tagged(sentences=16, longest=24)
    options = settings(cbow=cbow, negative=negative, subwords=subwords()) | changed
    if with_tags and "locks" in changed:
        options["document_locks"] = DOCUMENT_LOCKS
    matrices = matrices_of(hs, negative, with_tags)
    agrees_with_its_twin(matrices, text if with_tags else without_tags(text), options, round_shape)


@pytest.mark.parametrize(("model", "changed"), some_of([{"shared": False}, {"window": 12, "locks": LOCKS}, {}]))
def test_subwords_give_one_hash_for_any_number_of_workers(model, changed):
    cbow, (hs, negative) = model
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


ONE_HASH = """
import hashlib
from corpora import two_topics
from w2v import FastText
for workers in range(1, 6):  # a worker gets 10,000 words at least
    model = FastText(two_topics(6300), sg=1, vector_size=16, min_count=1, bucket=200, epochs=1, sample=0.01,
                     deterministic=True, workers=workers, progress=False)
    print(hashlib.sha256(model.wv.all_rows.tobytes() + model.syn1neg.tobytes()).hexdigest())
"""


def test_levels_and_workers_give_one_hash():
    """Deterministic runs of one to five workers, at every level of this machine."""
    found = []
    for level in show_config()["available"]:
        environment = os.environ | {"W2V_ISA": level, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
        done = subprocess.run(
            [sys.executable, "-c", ONE_HASH], env=environment, capture_output=True, text=True, check=True
        )
        found += done.stdout.split()
    assert len(found) == 5 * len(show_config()["available"])
    assert len(set(found)) == 1
