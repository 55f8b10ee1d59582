"""What a distributed training takes, said beforehand: against what the workers count, and how it follows its inputs."""

import numpy as np
import pytest
from distributed_twins import new_model

from w2v import distributed
from w2v.distributed import SyncPolicy, plan


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Words of Zipf's frequencies, drawn one for itself, in several files."""
    folder = tmp_path_factory.mktemp("zipf")
    chances = 1 / np.arange(1, 1201)
    for number in range(4):
        drawn = np.random.default_rng(number).choice(1200, 20_000, p=chances / chances.sum())
        lines = (" ".join(f"w{word}" for word in line) for line in drawn.reshape(-1, 20))
        (folder / f"{number}.txt").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize("options", [{"sg": 1}, {"sg": 0, "negative": 12}], ids=["skip-gram", "cbow"])
@pytest.mark.parametrize("workers", [2, 4])
def test_bytes_are_what_the_workers_count(options, workers, corpus):
    policy = SyncPolicy(words_per_round=2000, hot_rows=64, max_rounds_unsynced=6)
    model = new_model(epochs=1, min_count=1, **options)
    result = distributed.train(model, corpus, engine="local", num_workers=workers, sync=policy)
    counts = model.wv.expandos["count"]
    found = {"policy": policy, "corpus_words": int(counts.sum()), "epochs": 1, "sample": model.sample}
    found["negative"] = model.negative
    exact = plan(len(counts), 12, workers, counts=counts, **found)
    by_law = plan(len(counts), 12, workers, **found)
    assert abs(exact.rounds - result.rounds) <= 2  # blocks are not all of one size
    assert exact.bytes_sent == pytest.approx(result.bytes_sent, rel=0.1)
    assert by_law.bytes_sent == pytest.approx(result.bytes_sent, rel=0.1)


def test_one_worker_sends_nothing():
    found = plan(10_000, 100, 1)
    assert found.bytes_sent == found.sync_seconds == 0
    assert found.speed_up == 1
    assert found.quality is None


def test_more_is_more():
    small = plan(100_000, 100, 4)
    assert plan(100_000, 100, 8).bytes_sent > small.bytes_sent
    assert plan(100_000, 300, 4).worker_memory > small.worker_memory
    assert plan(1_000_000, 100, 4).worker_memory > small.worker_memory
    assert plan(100_000, 100, 4, network=1e9).sync_seconds > small.sync_seconds
    assert plan(100_000, 100, 4, hs=True).bytes_sent > small.bytes_sent
    assert plan(100_000, 100, 4, cached=False).worker_memory < small.worker_memory


def test_the_model_s_part_is_three_copies_of_its_matrices():
    parts = plan(1_000_000, 300, 8).parts
    assert parts["model"] + parts["as of the last sync"] == 2 * 1_000_000 * 4 * (304 + 600)


def test_quality_is_that_of_the_nearest_simulation(monkeypatch):
    from w2v.distributed import planning

    lines = [
        planning.Simulated(workers, 50_000, "touch:1", (-float(workers), 0.1), (0.0, 0.1)) for workers in (2, 8, 32)
    ]
    monkeypatch.setattr(planning, "SIMULATED", lines)
    policy = SyncPolicy(combiner="touch", gamma=1.0)
    assert plan(1000, 10, 10, policy=policy).quality.workers == 8
    assert plan(1000, 10, 1000, policy=policy).quality.workers == 32
    assert plan(1000, 10, 10, policy=SyncPolicy(combiner="mean")).quality is None
    assert "-8.0 ± 0.1 analogy points" in plan(1000, 10, 10, policy=policy).lines()[-1]


@pytest.mark.parametrize(("name", "value"), [("words", 0), ("vector_size", 0), ("workers", 0)])
def test_a_plan_of_nothing_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}=0"):
        plan(**{"words": 10, "vector_size": 10, "workers": 2, name: value})
