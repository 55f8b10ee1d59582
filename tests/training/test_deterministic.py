"""Deterministic training: the same bytes for any number of workers, however they are held up."""

import hashlib
import threading
import time

import numpy as np
import pytest
from alone import alone
from corpora import TOPICS, two_topics, zipf_like
from reference import Twin, stream_at
from test_train import MODELS, VOCABULARY, corpus, fresh, run_kernel, settings, tables

from w2v import Word2Vec, training
from w2v.common.progress import progress_bar
from w2v.tokens import encode
from w2v.training import _train
from w2v.vocabulary import noise


@pytest.fixture(autouse=True)
def words_are_dealt(request, monkeypatch):
    """Noise words are dealt to segments also from vocabularies as small as those of these tests."""
    if "golden" not in request.node.name:
        monkeypatch.setattr(noise, "MANY_TO_A_PART", 1)


def trained(matrices, options, *, workers, shape=(4, 16), text=None, key=12345, keep=None):
    """Run the kernel in rounds; returns words, survivors, examples and loss."""
    tokens, offsets = corpus(sentences=200, longest=60) if text is None else text
    usual, *rest = tables(tokens)
    keep = usual if keep is None else keep
    kernel = training.epoch.Kernel(
        *[None if matrix is None else training.matrices.padded(matrix) for matrix in matrices], keep, *rest, **options
    )
    part = encode.Encoded(tokens, offsets, len(tokens))
    reached = training.epoch.Progress()
    with progress_bar(False) as bar:
        training.epoch.run_epoch(
            kernel, training.epoch.check_parts(kernel, [part]), reached, key=key,
            schedule=training.schedule.Schedule(0.05, 1e-6, 10**6),
            workers=workers, n_hot=0, round_shape=shape, bar=bar,
        )  # fmt: skip
    return reached.words, reached.survivors, reached.examples, reached.loss


def hold_up(monkeypatch, most):
    """Let threads sleep up to so many microseconds before each segment."""
    new = training.epoch.new_segments

    def held_up(*given):
        segments = new(*given)
        segments._for_tests(jitter=most)
        return segments

    monkeypatch.setattr(training.epoch, "new_segments", held_up)


def digest(matrices, stats=()):
    parts = [np.ascontiguousarray(matrix).tobytes() for matrix in matrices if matrix is not None]
    return hashlib.sha256(b"".join(parts) + repr(stats).encode()).hexdigest()


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
@pytest.mark.parametrize("changed", [{}, {"shared": False}, {"window": 25}, {"shrink": False}], ids=str)
def test_any_number_of_workers_gives_the_same_bytes(cbow, losses, changed):
    hs, negative = losses
    found = set()
    for workers in (1, 2, 3, 5, 16):
        matrices = fresh(20, hs, negative)
        stats = trained(matrices, settings(cbow=cbow, negative=negative) | changed, workers=workers, shape=(16, 16))
        found.add(digest(matrices, stats))
    assert len(found) == 1


@pytest.mark.parametrize("cbow", [False, True])
@pytest.mark.parametrize("workers", [2, 3, 7])
def test_workers_that_are_held_up_at_random_give_the_same_bytes(cbow, workers, monkeypatch):
    matrices = fresh(20, 1, 5)
    stats = trained(matrices, settings(cbow=cbow), shape=(8, 16), workers=1)
    expected = digest(matrices, stats)
    hold_up(monkeypatch, 300)
    for _ in range(3):
        matrices = fresh(20, 1, 5)
        stats = trained(matrices, settings(cbow=cbow), shape=(8, 16), workers=workers)
        assert digest(matrices, stats) == expected


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
def test_one_lane_is_the_sequential_trainer(cbow, losses):
    hs, negative = losses
    text = corpus()
    one, other = fresh(20, hs, negative), fresh(20, hs, negative)
    options = settings(cbow=cbow, negative=negative)
    stats = trained(one, options, workers=3, shape=(1, 8192), text=text)
    keep, *rest = tables(text[0])
    assert run_kernel(other, *text, keep, rest, options, slope=1e-6) == stats
    assert digest(one) == digest(other)


def slow_rounds(matrices, options, shape, text, tags=None):
    """Every segment trains a copy of everything, with noise of its own; shares of what they learn are added up."""
    tokens, offsets = text
    keep, table, *rest = tables(tokens)
    segments, words = shape
    dealt, parts = noise.segment_tables(table, segments, words * max(1, options["negative"]))
    assert (dealt[:, 1] < noise.FOR_ALL).any()
    dealt[:, 1:] &= ~np.uint32(noise.FOR_ALL)
    for begin in range(0, len(tokens), segments * words):
        copies, times = [], []
        for segment in range(segments):
            centres = range(begin + segment * words, min(begin + (segment + 1) * words, len(tokens)))
            if not centres:
                continue
            copies.append([None if matrix is None else matrix.copy() for matrix in matrices])
            if matrices[1] is matrices[0]:
                copies[-1][1] = copies[-1][0]
            part = (segment + (stream_at(12345, begin // (segments * words)) >> 32)) % segments
            rows = copies[-1][3] if tags else None
            own = dealt[parts[part] : parts[part + 1]]
            twin = Twin(*copies[-1][:3], keep, own, *rest, documents=rows, **options)
            times.append(twin.touched(tokens, offsets, 12345, centres, tags))
            twin.run(tokens, offsets, 0, 12345, 0.05, 1e-6, 10**6, centres=centres, tags=tags)
        for i, matrix in enumerate(matrices):
            if matrix is not None and not (i == 1 and matrix is matrices[0]):
                touched = np.array([segment[i] for segment in times])
                several = (touched > 0).sum(axis=0)
                share = np.clip(64 / np.maximum(touched.sum(axis=0), 1), 1 / np.maximum(several, 1), 1)
                share[several < 2] = 1
                matrix += share[:, None].astype(np.float32) * sum(copy[i] - matrix for copy in copies)


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
@pytest.mark.parametrize("shape", [(4, 16), (3, 50)])
def test_rounds_agree_with_their_twin(cbow, losses, shape):
    hs, negative = losses
    text = corpus()
    options = settings(cbow=cbow, negative=negative)
    matrices = fresh(20, hs, negative)
    twins = [None if matrix is None else matrix.copy() for matrix in matrices]
    trained(matrices, options, workers=2, shape=shape, text=text)
    slow_rounds(twins, options, shape, text)
    for matrix, twin in zip(matrices, twins, strict=True):
        if matrix is not None:
            np.testing.assert_allclose(matrix, twin, rtol=1e-4, atol=2e-5)


def test_locked_rows_keep_their_bytes_and_locks_hold_for_all_workers():
    locks = np.linspace(0, 1, VOCABULARY, dtype=np.float32)
    found = set()
    for workers in (1, 4):
        matrices = fresh(20, 0, 5)
        before = matrices[0][0].copy()
        trained(matrices, settings(locks=locks), workers=workers)
        assert np.array_equal(matrices[0][0], before)
        found.add(digest(matrices))
    assert len(found) == 1


# By vocabulary, sg and options; one of 80 words is too small for noise words to be dealt.
GOLDEN = {
    (80, 0, "{}"): "3baa6253c04d31fa14760bff44e98a9e342873eb1ae5ece07628f56a5bf82854",
    (80, 1, "{}"): "740acce70f41faebcccf64345714cb3a3e2909c4fb65c4ca8ffa4227b7cb7237",
    (80, 1, "{'hs': 1, 'negative': 0}"): "5c64d02dc1b0f921ed30f0cbc5059aeb6a57ff7dd7ac6bf68fd6510a33329277",
    (80, 0, "{'hs': 1}"): "40e1ee05a08074874f38188d1b84cd196f61cdaddcf93294aa3c798dddfc81fa",
    (4000, 0, "{}"): "c2a491cb88bbc1e544de9f91ea96c5f119a72bbfa32c4ea768d0d719e05d304e",
    (4000, 1, "{}"): "f20d783aa0559a3776f2dc2654687090eac7e0117be91262c8f6137d26719f29",
    (4000, 1, "{'hs': 1, 'negative': 0}"): "e3320c71579bea7744fdb442dec07576380f9ab87ba815f5cf4825b073ece815",
    (4000, 0, "{'hs': 1}"): "063046e002413fdb38000e10954caa4b9ade2932014b0fe85b27c17b7048aefb",
}


@pytest.mark.parametrize("vocabulary", [80, 4000])
@pytest.mark.parametrize(("sg", "options"), [(0, {}), (1, {}), (1, {"hs": 1, "negative": 0}), (0, {"hs": 1})], ids=str)
def test_golden_hashes_of_deterministic_models(sg, options, vocabulary):
    """Other bytes are another scheme: new hashes, a new SCHEME number and a line in the changelog."""
    text = zipf_like(60_000, vocabulary)
    found = set()
    for workers in (1, 2, 5):
        model = Word2Vec(
            text, sg=sg, vector_size=20, min_count=1, epochs=2, deterministic=True, workers=workers, **options
        )
        assert [epoch.raw_words for epoch in model.history] == [60_000, 60_000]
        found.add(digest([model.wv.vectors]))
    assert len(found) == 1
    assert found == {GOLDEN[vocabulary, sg, str(options)]}


def test_planted_topics_are_learnt_in_rounds():
    model = Word2Vec(two_topics(6000), vector_size=16, min_count=1, sample=0, deterministic=True, workers=4)
    for word in TOPICS[0][:3]:
        assert {other for other, _ in model.wv.most_similar(word, topn=3)} <= set(TOPICS[0])


def test_the_corpus_must_be_cached():
    with pytest.raises(ValueError, match="cache='disk'"):
        Word2Vec(two_topics(), deterministic=True, cache="none")


def test_the_shape_of_a_round_belongs_to_the_model(tmp_path, monkeypatch):
    model = Word2Vec(zipf_like(), vector_size=8, min_count=1, deterministic=True, workers=2)
    model.save(tmp_path / "model.safetensors")
    monkeypatch.setattr(training.schedule, "ROUND", (2, 7))
    loaded = Word2Vec.load(tmp_path / "model.safetensors")
    for one in (model, loaded):
        one.train(zipf_like(), total_examples=1, epochs=1)
    assert np.array_equal(model.wv.vectors, loaded.wv.vectors)
    other = Word2Vec(zipf_like(), vector_size=8, min_count=1, deterministic=True, workers=2)
    assert not np.array_equal(other.wv.vectors, model.wv.vectors)


def test_a_round_too_large_is_refused():
    kernel = training.epoch.Kernel(
        *[None if matrix is None else training.matrices.padded(matrix) for matrix in fresh(8, 0, 1)],
        *tables(corpus()[0]),
        **settings(),
    )
    for shape in ((0, 10), (33, 10), (4, 0), (4, 10_000)):
        with pytest.raises(ValueError, match="segments"):
            training.epoch.new_segments(kernel, 10, *shape)


@pytest.mark.parametrize("missing", [True, False])
def test_nobody_waits_for_a_worker_that_is_gone(missing, monkeypatch):
    """A thread that cannot be started, or an end in the middle: all the others come home."""
    if missing:
        import threading

        start = threading.Thread.start

        def no_third_thread(self):
            if self.name.endswith("third"):
                raise RuntimeError("can't start new thread")
            start(self)

        crew_init = training.workers.Workers.__init__

        def named(self, *given):
            crew_init(self, *given)
            self._threads[2].name = "third"

        monkeypatch.setattr(threading.Thread, "start", no_third_thread)
        monkeypatch.setattr(training.workers.Workers, "__init__", named)
        with pytest.raises(RuntimeError, match="new thread"):
            trained(fresh(20, 0, 5), settings(), workers=4)
    else:
        hold_up(monkeypatch, 2000)
        ticks = iter(range(10**9))

        class Bar:
            disable = False
            n = 0

            def set_postfix(self, *given, **more): ...

            def update(self, n):
                if next(ticks) == 1:
                    raise KeyboardInterrupt

        tokens, offsets = corpus(sentences=20_000, longest=60)
        keep, *rest = tables(tokens)
        matrices = fresh(20, 0, 5)
        kernel = training.epoch.Kernel(
            *[None if matrix is None else training.matrices.padded(matrix) for matrix in matrices],
            keep,
            *rest,
            **settings(),
        )
        part = encode.Encoded(tokens, offsets, len(tokens))
        with pytest.raises(KeyboardInterrupt):
            training.epoch.run_epoch(
                kernel, training.epoch.check_parts(kernel, [part]), training.epoch.Progress(), key=1,
                schedule=training.schedule.Schedule(0.05, 0, 10**6),
                workers=3, n_hot=0, round_shape=(4, 16), bar=Bar(),
            )  # fmt: skip
        assert all(np.isfinite(matrix).all() for matrix in matrices if matrix is not None)


def test_copies_are_numbered_anew_when_their_numbers_run_out():
    text = corpus()
    keep, *rest = tables(text[0])
    options = settings(negative=5)
    found = []
    for first in (1, 2**32 - 5000):  # they run out in the middle, or after 800 million words
        matrices = fresh(20, 1, 5)
        kernel = training.epoch.Kernel(*map(training.matrices.padded, matrices), keep, *rest, **options)
        dealt = noise.segment_tables(rest[0], 4, 80)
        segments = _train.Segments(kernel, 30, 4, 16, *dealt)
        segments._for_tests(copies_before=first)
        counts, loss = np.zeros(16, np.int64), np.zeros(1)
        epoch = _train.Epoch(1, training.schedule.Schedule(0.05, 0, 10**6), np.zeros(2, np.int32))
        kernel.train(_train.Part(*text, 30), epoch, _train.Member(segments, 0, 1, counts, loss))
        found.append(digest(matrices, (counts[:3].tolist(), segments.losses)))
    assert found[0] == found[1]


@pytest.mark.parametrize(("cbow", "losses"), MODELS)
def test_an_abandoned_round_leaves_no_trace(cbow, losses):
    """A round with so wide a window takes long; stopped at once, it is as if it had not begun."""
    (hs, negative), workers = losses, 2
    tokens, offsets = corpus(sentences=2, longest=1500)
    keep, *rest = tables(tokens)
    options = settings(cbow=cbow, negative=negative, window=3000)

    def trained(shape, sleeps):
        matrices = fresh(150 if cbow else 20, hs, negative)
        kernel = training.epoch.Kernel(
            *[None if matrix is None else training.matrices.padded(matrix) for matrix in matrices],
            keep,
            *rest,
            **options,
        )
        counts, loss, losses, left = np.zeros((workers, 16), np.int64), np.zeros((workers, 1)), [0.0] * shape[0], []
        for pause in sleeps:
            stop, before, begin = np.zeros(2, np.int32), digest(matrices, losses), int(counts[:, 0].sum())
            if begin == len(tokens):
                break
            segments = training.epoch.new_segments(kernel, 3000, *shape, begin)
            segments.losses = losses
            part = _train.Part(tokens, offsets, 3000)
            epoch = _train.Epoch(12345, training.schedule.Schedule(0.05, 1e-6, 10**6), stop)
            members = [_train.Member(segments, i, workers, counts[i], loss[i]) for i in range(workers)]
            threads = [threading.Thread(target=kernel.train, args=(part, epoch, member)) for member in members]
            if pause == 0:
                stop[0] = 2
            for thread in threads:
                thread.start()
            if pause is not None:
                time.sleep(pause)
                stop[0] = 2
            for thread in threads:
                thread.join()
            losses = segments.losses
            left.append(counts[:, 0].sum() > begin)
            assert left[-1] or digest(matrices, losses) == before
        return digest(matrices, (losses, counts[:, :3].sum(axis=0).tolist())), left

    once, _ = trained((4, 150), [None])
    often, left = trained((4, 150), [0, *1e-3 * 1.5 ** np.arange(40)])
    assert not left[0], "a round was trained although a stop was wanted"
    assert often == once


@alone(seconds=60)
def test_neighbours_are_found_in_one_pass(folder):
    """One line of millions of words, of which hardly any survives subsampling."""
    tokens = np.random.default_rng(1).integers(0, VOCABULARY, 8_000_000).astype(np.int32)
    keep = np.full(VOCABULARY, 2**32 // 100_000, np.uint32)
    text = tokens, np.array([0, len(tokens)])
    for workers in (1, 2):
        matrices = fresh(8, 0, 5)
        stats = trained(matrices, settings(), workers=workers, shape=(8, 128), text=text, keep=keep)
        assert stats[0] == len(tokens)
        assert 40 < stats[1] < 160


def test_rounds_grow_with_the_corpus():
    shapes = {tokens: training.epoch.round_shape(tokens) for tokens in (0, 10**7, 5 * 10**7, 10**8, 10**12)}
    assert list(shapes.values()) == [(8, 128), (8, 128), (16, 128), (32, 128), (32, 128)]
    assert training.epoch.MOST_ROUND[0] == 32


def test_a_model_keeps_the_rounds_of_its_first_vocabulary(monkeypatch, tmp_path):
    def hash_of(workers):
        model = Word2Vec(two_topics(), vector_size=4, min_count=1, epochs=2, deterministic=True, workers=workers)
        assert model.round_shape == (32, 128)
        return model, model.fingerprint()

    monkeypatch.setattr(training.epoch, "WORDS_FOR_A_SEGMENT", 10)
    (model, one), (_, nine) = hash_of(1), hash_of(9)
    assert one == nine
    monkeypatch.undo()
    model.save(tmp_path / "model")
    again = Word2Vec.load(tmp_path / "model").trained_again(two_topics())
    assert again.round_shape == (32, 128)
    assert again.fingerprint() == one
    again.build_vocab([["new", "words"]] * 5, update=True)
    assert again.round_shape == (32, 128)
    other = Word2Vec(vector_size=4, deterministic=True)
    other.reset_from(again)
    assert other.round_shape == (32, 128)
    again.build_vocab(two_topics())
    assert again.round_shape == (8, 128)


def test_a_file_cannot_ask_for_rounds_without_end(tmp_path):
    model = Word2Vec(two_topics(), vector_size=4, min_count=1, deterministic=True)
    model.round_shape = (10**7, 1)
    with pytest.raises(ValueError, match="segments"):
        model.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_what_copies_cannot_exceed_is_no_reason_to_refuse():
    """Six words have eighteen rows at most, however many times a segment asks for them."""
    options = {"negative": 20, "window": 2500, "shared_negatives": False, "sg": 1}
    Word2Vec([list("abcdef") * 500], vector_size=4, min_count=1, epochs=1, deterministic=True, **options)


@pytest.mark.parametrize("workers", [1, 3])
def test_vectors_that_are_no_numbers_end_it_after_a_round(workers):
    matrices = fresh(20, 0, 5)
    matrices[0][3] = np.nan
    bar = progress_bar(False)
    tokens, offsets = corpus(sentences=2000)
    keep, *rest = tables(tokens)
    kernel = training.epoch.Kernel(
        *[None if matrix is None else training.matrices.padded(matrix) for matrix in matrices],
        keep,
        *rest,
        **settings(),
    )
    reached = training.epoch.Progress()
    parts = list(training.epoch.check_parts(kernel, [encode.Encoded(tokens, offsets, len(tokens))]))
    with pytest.raises(FloatingPointError, match="finite"):
        training.epoch.run_epoch(
            kernel, parts, reached, key=1, schedule=training.schedule.Schedule(0.05, 0, 10**6), workers=workers,
            n_hot=0,
            round_shape=(4, 16), bar=bar,
        )  # fmt: skip
    assert reached.words <= 2 * 64


@pytest.mark.parametrize("cbow", [False, True])
@pytest.mark.parametrize("changed", ["frozen", "learn_outputs", "learn_words"])
def test_rounds_that_freeze_agree_with_their_twin(cbow, changed):
    frozen = np.arange(VOCABULARY) % 3 == 0
    options = settings(cbow=cbow, **{changed: frozen.astype(np.uint8) if changed == "frozen" else False})
    text, found = corpus(), set()
    for workers in (1, 3):
        matrices = fresh(20, 0, 5)
        twins = [None if matrix is None else matrix.copy() for matrix in matrices]
        before = [matrix[frozen].copy() for matrix in matrices[:2]]
        trained(matrices, options, workers=workers, text=text)
        found.add(digest(matrices))
    assert len(found) == 1
    slow_rounds(twins, options, (4, 16), text)
    for matrix, twin, old in zip(matrices[:2], twins[:2], before, strict=True):
        np.testing.assert_allclose(matrix, twin, rtol=1e-4, atol=2e-5)
        assert changed != "frozen" or matrix[frozen].tobytes() == old.tobytes()


@pytest.mark.parametrize("sg", [0, 1])
def test_few_survivors_give_the_same_bytes_to_any_workers(sg):
    """Neighbours then lie segments away; a worker that takes segments in another order must find them all."""
    draw = np.random.default_rng(1)
    words = [f"w{number}" for number in range(400)]
    sentences = [[words[number] for number in np.minimum(draw.zipf(1.3, 3000) - 1, 399)] for _ in range(40)]
    options = {"vector_size": 16, "window": 10, "sample": 1e-5, "min_count": 1, "epochs": 2, "deterministic": True}
    found = {Word2Vec(sentences, sg=sg, workers=workers, **options).wv.vectors.tobytes() for workers in (1, 2, 3, 3, 3)}
    assert len(found) == 1
