"""Numbers beyond 31 and 32 bits: counts, places in matrices, positions in a corpus. Memory is mapped, hardly any used.

What takes gigabytes or minutes is in benchmarks/big_numbers.py.
"""

import heapq
import mmap
from decimal import Decimal, localcontext

import numpy as np
import pytest
from reference import Twin

from w2v import KeyedVectors, Word2Vec, training
from w2v.common.progress import progress_bar
from w2v.tokens import encode
from w2v.training import _train
from w2v.vocabulary import choose, huffman, noise

WORDS = 50
NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000)

COUNTS = np.array([2**62, 2**40 + 1, 2**33, 2**32 + 1, 2**32, 2**31, 2**31 - 1, 3, 1], np.int64)


def vast(rows, stride, dtype=np.float32):
    """Zeros that take no memory until they are written to."""
    size = rows * stride * np.dtype(dtype).itemsize
    try:
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NO_RESERVE)
    except OSError as error:
        pytest.skip(f"the system maps no {size:,} bytes: {error}")
    return np.frombuffer(memory, dtype).reshape(rows, stride)


# --- counts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hs", [0, 1])
def test_a_model_keeps_counts_beyond_32_bits(tmp_path, hs):
    model = Word2Vec(vector_size=4, min_count=2, hs=hs, workers=1, sample=1e-3)
    words = [f"w{number}" for number in range(len(COUNTS))]
    model.build_vocab_from_freq(dict(zip(words, COUNTS.tolist(), strict=True)), corpus_count=2**40)
    assert model.wv.index_to_key == words[:-1]
    assert model.wv.expandos["count"].tolist() == COUNTS[:-1].tolist()
    assert (model.corpus_total_words, model.corpus_count) == (sum(COUNTS.tolist()), 2**40)
    model.train([words] * 5, total_examples=1, epochs=1)
    model.save(tmp_path / "model")
    again = Word2Vec.load(tmp_path / "model")
    assert again.wv.expandos["count"].tolist() == COUNTS[:-1].tolist()
    assert (again.corpus_total_words, again.corpus_count) == (sum(COUNTS.tolist()), 2**40)
    again.build_vocab_from_freq({"w1": 2**41}, update=True)
    assert again.wv.get_vecattr("w1", "count") == 2**40 + 1 + 2**41
    again.wv.save_word2vec_format(tmp_path / "vectors", fvocab=tmp_path / "counts")
    read = KeyedVectors.load_word2vec_format(tmp_path / "vectors", fvocab=tmp_path / "counts")
    assert read.get_vecattr("w0", "count") == 2**62


def test_noise_follows_counts_beyond_32_bits():
    table = noise.alias_table(noise.weights(COUNTS, 0.75)).astype(object)
    own = [coin + 1 if other == slot else coin for slot, (coin, other) in enumerate(table)]
    draws = np.array(own, object)
    for slot, (_, other) in enumerate(table):
        draws[other] += 2**32 - own[slot] if other != slot else 0
    assert draws.sum() == len(COUNTS) * 2**32
    with localcontext(prec=40):
        powers = [Decimal(count) ** Decimal("0.75") for count in COUNTS.tolist()]
        expected = [power / sum(powers) * len(COUNTS) * 2**32 for power in powers]
    assert all(
        abs(drawn - float(due)) <= len(COUNTS) + 1e-12 * float(due) for drawn, due in zip(draws, expected, strict=True)
    )


@pytest.mark.parametrize("sample", [1e-3, 1e-9, 2.0**35])
def test_subsampling_follows_counts_beyond_32_bits(sample):
    kept = choose.keep_probability(COUNTS, sample)
    with localcontext(prec=40):
        total = sum(COUNTS.tolist())
        threshold = Decimal(sample) * total if sample < 1 else Decimal(int(sample * (3 + 5**0.5) / 2))
        due = [min(Decimal(1), ((c / threshold).sqrt() + 1) * threshold / c) for c in map(Decimal, COUNTS.tolist())]
    assert kept == pytest.approx([float(one) for one in due], rel=1e-9)


def test_a_tree_of_counts_beyond_32_bits_is_the_best_one():
    starts, points, _ = huffman.paths(COUNTS)
    cost = sum(count * length for count, length in zip(COUNTS.tolist(), np.diff(starts).tolist(), strict=True))
    heap, best = sorted(COUNTS.tolist()), 0
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        best += joined
        heapq.heappush(heap, joined)
    assert cost == best
    assert points.max() == len(COUNTS) - 2


# --- rows -----------------------------------------------------------------------------------------------------------

STRIDE = 4096
VAST_ROWS = 2**32 // STRIDE + 4 * WORDS  # more than 2^32 numbers
MODELS = [(cbow, hs, negative) for cbow in (False, True) for hs, negative in ((0, 5), (1, 0))]


def corpus(seed=0, tokens=400):
    rng = np.random.default_rng(seed)
    sentences = np.sort(rng.integers(0, tokens, tokens // 9))
    return rng.integers(0, WORDS, tokens, dtype=np.int32), np.concatenate([[0], sentences, [tokens]]).astype(np.int64)


def options(**changed):
    return {
        **{"window": 3, "negative": 5, "shrink": True, "shared": True, "cbow": False, "with_loss": True},
        **{"mean_forward": True, "mean_backward": False},
    } | changed


def at_the_end(rows, hs, negative, *, new):
    """The kernel's arrays for a vocabulary of `rows` words, of which only the last `WORDS` are met."""
    rng = np.random.default_rng(1)
    first = rows - WORDS
    matrices = [new(rows, STRIDE), new(rows, STRIDE) if negative else None, new(rows - 1, STRIDE) if hs else None]
    for matrix in matrices:
        if matrix is not None:
            matrix[-WORDS + 1 :, :60] = rng.random((WORDS - 1, 60)) - 0.5
    table = paths = points = labels = None
    if negative:  # whatever slot is drawn, it gives the third last word
        table = np.full((rows, 2), [0, rows - 3], np.uint32)
    if hs:
        starts, points, labels = huffman.paths(np.arange(WORDS, 0, -1))
        paths = np.concatenate([np.zeros(first, np.int64), starts])
        points = (points + first).astype(np.int32)
    return matrices, (None, table, paths, points, labels)


@pytest.mark.parametrize("rounds", [None, (4, 16)])
@pytest.mark.parametrize(("cbow", "hs", "negative"), MODELS)
def test_rows_beyond_32_bits_of_numbers_are_the_right_ones(cbow, hs, negative, rounds):
    tokens, offsets = corpus()
    results = []
    for rows, new in ((VAST_ROWS, vast), (WORDS, lambda rows, stride: np.zeros((rows, stride), np.float32))):
        matrices, tables = at_the_end(rows, hs, negative, new=new)
        locks = np.linspace(1, 2, rows, dtype=np.float32)
        locks[-WORDS:] = np.linspace(0, 1, WORDS)
        kernel = training.epoch.Kernel(*matrices, *tables, locks=locks, **options(cbow=cbow, negative=negative))
        part = encode.Encoded((tokens + rows - WORDS).astype(np.int32), offsets, len(tokens))
        done = training.epoch.Progress()
        with progress_bar(False) as bar:
            given = {
                "key": 7,
                "schedule": training.schedule.Schedule(0.05, 1e-5, len(tokens)),
                "workers": 1,
                "n_hot": 0,
                "bar": bar,
            }
            training.epoch.run_epoch(
                kernel, training.epoch.check_parts(kernel, [part]), done, round_shape=rounds, **given
            )
        results.append((done, [matrix for matrix in matrices if matrix is not None]))
    (vast_done, vast_matrices), (small_done, small_matrices) = results
    counted = [(done.words, done.survivors, done.examples, done.loss) for done in (vast_done, small_done)]
    assert counted[0] == counted[1]
    for large, small in zip(vast_matrices, small_matrices, strict=True):
        assert small.any()
        assert np.array_equal(large[-len(small) :], small)
        for wrong in (0, len(large) - 2**32 // STRIDE - WORDS, len(large) - 2**31 // STRIDE - WORDS):
            assert not large[wrong : wrong + WORDS].any()  # where a place would be, cut to 32 or 31 bits


# --- positions ------------------------------------------------------------------------------------------------------

RATE = 0.05, 0.05 / 2**36, 2**35  # alpha, slope, horizon


def trained_by_twin(tokens, offsets, origin, tables, start):
    matrices = [matrix.copy() for matrix in start]
    twin = Twin(*matrices, None, None, *tables, **options())
    twin.run(tokens, offsets, origin, 99, *RATE)
    return matrices, twin


def trained_by_kernel(tokens, offsets, origin, tables, start, *, from_token=0):
    matrices = [np.pad(matrix, ((0, 0), (0, 6))) for matrix in start]
    kernel = training.epoch.Kernel(*matrices, None, None, *tables, **options())
    longest = kernel.longest_sentence(offsets, len(tokens))
    cursor, stop = np.full(16, from_token, np.int64), np.zeros(2, np.int32)
    counts, loss = np.zeros(16, np.int64), np.zeros(16)
    epoch = _train.Epoch(99, training.schedule.Schedule(*RATE), stop)
    kernel.train(_train.Part(tokens, offsets, longest, origin), epoch, _train.Racer(cursor, 1, 0, counts, loss))
    return [matrix[:, :10] for matrix in matrices], counts


def tiny():
    rng = np.random.default_rng(2)
    start = [(rng.random((WORDS, 10)) - 0.5).astype(np.float32) for _ in range(2)]
    return start, (noise.alias_table(np.ones(WORDS)), None, None, None)


@pytest.mark.parametrize("origin", [2**31 - 200, 2**32 - 200, 2**34, 2**40])
def test_positions_beyond_32_bits_have_their_draws_and_rates(origin):
    tokens, offsets = corpus()
    start, tables = tiny()
    found, counts = trained_by_kernel(tokens, offsets, origin, tables, start)
    twin, told = trained_by_twin(tokens, offsets, origin, tables, start)
    assert counts[2] == told.examples
    for one, other in zip(found, twin, strict=True):
        assert np.allclose(one, other, atol=1e-6)


def test_token_positions_beyond_31_bits_train_whole_sentences():
    begin = 2**31 + 5000
    tokens, offsets = corpus()
    many = vast(1, begin + len(tokens), np.int32)[0]
    many[begin:] = tokens
    start, tables = tiny()
    found, counts = trained_by_kernel(many, np.concatenate([[0], offsets + begin]), 0, tables, start, from_token=begin)
    twin, told = trained_by_twin(tokens, offsets, begin, tables, start)
    assert (counts[0], counts[2]) == (len(tokens), told.examples)
    for one, other in zip(found, twin, strict=True):
        assert np.allclose(one, other, atol=1e-6)
