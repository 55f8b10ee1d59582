"""Workers on Ray: three nodes in one group of processes give the bytes of the simulation, whatever happens to them.

These need Ray (240 MB), which no other test needs, and minutes: install it, and run them with ``-m slow``.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from distributed_twins import POLICY, digest, new_model, write_corpus
from places import ROOT, TESTS

from w2v import Doc2Vec, Word2Vec, distributed
from w2v.distributed import BlockError, LocalEngine, SyncPolicy, WorkerLost

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'w2v[ray]'")

from w2v.distributed.ray_engine import RayEngine  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray's own warnings are its affair

STORE = 80 << 20  # bytes of each node's object store


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"), files=9)


@pytest.fixture(scope="module")
def cluster():
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(3):
        cluster.add_node(num_cpus=2, object_store_memory=STORE)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def train(corpus, engine, family=Word2Vec, workers=3, model=None, **options):
    model = model or new_model(family, **({"sg": 1} if family is Word2Vec else {}))
    return distributed.train(model, corpus, engine=engine, num_workers=workers, sync=POLICY, **options)


class Harmful(RayEngine):
    """Does something to a worker when a method is called for the n-th time."""

    def __init__(self, method, number, harm, timeout=60.0):
        super().__init__(1, timeout)
        self.method, self.number, self.harm, self.pids = method, number, harm, []

    def _wait(self, asked, method, fetch=True):
        if method == self.method:
            self.number -= 1
            if self.number == 0:
                self.pids = [ray.get(self.actors[rank].pid.remote()) for rank in self.ranks]
                self.harm(self)
        return super()._wait(asked, method, fetch)


def killing(rank, delay=0.0):
    return lambda engine: threading.Timer(delay, os.kill, (engine.pids[rank], signal.SIGKILL)).start()


@pytest.mark.parametrize("family", [Word2Vec, Doc2Vec])
def test_ray_gives_the_bytes_of_the_simulation(family, cluster, corpus):
    found, simulated = train(corpus, RayEngine(1, 60.0), family), train(corpus, "local", family)
    assert digest(found.model) == digest(simulated.model)
    assert found.bytes_sent == simulated.bytes_sent
    assert found.rounds == simulated.rounds


@pytest.mark.parametrize("method", ["count", "begin", "train", "shards", "reduce", "apply", "commit", "values"])
def test_a_killed_worker_changes_no_bit(method, cluster, corpus):
    engine = Harmful(method, 1 if method in ("count", "begin", "values") else 7, killing(1))
    result = train(corpus, engine)
    assert result.lost_workers == [1]
    assert digest(result.model) == digest(train(corpus, "local").model)


@pytest.mark.parametrize("seed", range(5))
def test_documents_of_killed_workers_come_back(seed, cluster, corpus):
    draw = random.Random(seed)
    engine = Harmful("train", draw.randrange(2, 30), killing(draw.randrange(3), draw.random() / 20))
    result = train(corpus, engine, Doc2Vec)
    assert digest(result.model) == digest(train(corpus, "local", Doc2Vec).model)


def test_a_lost_node_is_a_lost_worker(cluster, corpus):
    node = cluster.add_node(num_cpus=1, resources={"spare": 1}, object_store_memory=STORE)

    class OnThatNode(Harmful):
        def _place(self, ranks):
            plain = self._class
            self._class = plain.options(resources={"spare": 1}) if 2 in ranks and len(ranks) == 3 else plain
            for rank in sorted(ranks, reverse=True):  # the first, so that no other takes the one core of its node
                chosen = self._class if rank == 2 else plain
                self.actors[rank] = chosen.remote(self._make, rank)
                ray.get(self.actors[rank].ping.remote(), timeout=120)
            self._class = plain

    engine = OnThatNode("shards", 9, lambda engine: cluster.remove_node(node, allow_graceful=False))
    result = train(corpus, engine)
    assert 2 in result.lost_workers
    assert digest(result.model) == digest(train(corpus, "local").model)


def test_a_straggler_is_replaced_and_its_late_answer_dropped(cluster, corpus):
    engine = Harmful("train", 8, lambda engine: os.kill(engine.pids[0], signal.SIGSTOP), timeout=15.0)
    waking = []

    def end(ranks, plain=engine._end):
        if engine.pids and not waking:  # it comes back to life as it is given up
            waking.append(os.kill(engine.pids[0], signal.SIGCONT))
        plain(ranks)

    engine._end = end
    result = train(corpus, engine)
    assert waking
    assert result.lost_workers == [0]
    assert digest(result.model) == digest(train(corpus, "local").model)


def test_losses_are_skipped_or_raised_as_asked(cluster, corpus):
    with pytest.raises(WorkerLost) as caught:
        train(corpus, Harmful("reduce", 5, killing(2)), on_worker_loss="fail")
    assert caught.value.ranks == [2]
    result = train(corpus, Harmful("reduce", 5, killing(2)), on_worker_loss="skip")
    assert result.lost_workers == [2]
    assert len(result.skipped_blocks) == 3
    assert np.isfinite(result.model.wv.vectors).all()


def test_a_damaged_block_is_named(cluster, corpus, tmp_path):
    folder = write_corpus(tmp_path)
    cut = (folder / "1.txt.gz").read_bytes()
    (folder / "1.txt.gz").write_bytes(cut[: len(cut) // 2])
    with pytest.raises(BlockError, match=r"block 1 of the corpus, .*1\.txt\.gz"):
        train(folder, RayEngine(1, 60.0))


def test_rows_that_are_no_numbers_end_it_with_the_last_good_ones(cluster, corpus):
    class Spoiling(RayEngine):
        def start(self, make, workers):
            def spoiling(rank):
                replica = make(rank)
                plain = replica.train

                def train(clock, *args):
                    done = plain(clock, *args)
                    if rank == 1 and clock == 8:
                        replica.local[0][1] = np.nan
                    return done

                replica.train = train
                return replica

            super().start(spoiling, workers)

    model = new_model(sg=1)
    with pytest.raises(FloatingPointError, match="after round 5"):
        train(corpus, Spoiling(1, 60.0), model=model)
    assert np.isfinite(model.wv.vectors).all()


def test_a_small_object_store_is_spilled_and_changes_nothing(cluster, tmp_path):
    draw = np.random.default_rng(0)  # 30,000 words of 2 x 256 floats are 61 MB a worker, in stores of 80 MB
    for number in range(3):
        lines = draw.integers(0, 30_000, (6000, 20))
        (tmp_path / f"{number}.txt").write_text("\n".join(" ".join(f"w{word}" for word in line) for line in lines))
    policy = SyncPolicy(words_per_round=60_000, hot_rows=100_000)
    found = []
    for engine in (RayEngine(1, 120.0), "local"):
        model = Word2Vec(vector_size=256, min_count=1, epochs=1, sg=1)
        found.append(digest(distributed.train(model, tmp_path, engine=engine, num_workers=3, sync=policy).model))
    assert found[0] == found[1]


def test_a_full_object_store_is_said(cluster, corpus):
    class Full(RayEngine):
        def share(self, value):
            def put(value):
                raise ray.exceptions.ObjectStoreFullError("full")

            self._ray = type("Ray", (), {"put": staticmethod(put), "exceptions": ray.exceptions})
            try:
                return super().share(value)
            finally:
                self._ray = ray

    with pytest.raises(MemoryError, match="object_store_memory"):
        train(corpus, Full(1, 60.0))


DRIVER = """
import sys
sys.path[:0] = sys.argv[3:]
import ray
from distributed_twins import POLICY, new_model
from w2v import distributed
ray.init(address="auto", log_to_driver=False, logging_level="ERROR")
model = new_model(sg=1, epochs=40)
distributed.train(
    model, sys.argv[1], engine="ray", num_workers=3, sync=POLICY, checkpoint=sys.argv[2], checkpoint_every=20
)
"""


def test_a_killed_driver_is_gone_on_from_the_checkpoint(cluster, corpus, tmp_path):
    environment = os.environ | {"RAY_ADDRESS": cluster.address}
    arguments = [str(corpus), str(tmp_path / "run"), str(TESTS), str(ROOT / "src")]
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, *arguments], env=environment)
    newest = tmp_path / "run" / "checkpoint-0.safetensors"
    ends = time.monotonic() + 400
    while not newest.exists() and driver.poll() is None and time.monotonic() < ends:
        time.sleep(0.01)
    driver.kill()
    driver.wait()
    assert newest.exists()
    resumed = distributed.resume(tmp_path / "run", engine=RayEngine(1, 60.0))
    assert resumed.rounds > 0
    model = new_model(sg=1, epochs=40)
    assert digest(resumed.model) == digest(train(corpus, LocalEngine(), model=model).model)


def test_too_few_cpus_are_said_before_anything_starts(cluster, corpus):
    with pytest.raises(RuntimeError, match="9 workers of 1 threads need 9 CPUs, and the cluster has"):
        train(corpus, RayEngine(1, 60.0), workers=9)
