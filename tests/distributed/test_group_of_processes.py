"""Workers as a group of processes that sums in any order, here made of threads; MPI itself by hand, by ``-m slow``."""

import os
import random
import re
import shutil
import subprocess
import sys
import threading
from importlib.util import find_spec

import numpy as np
import pytest
from distributed_twins import POLICY, digest, new_model, write_corpus
from places import ROOT, TESTS

from w2v import Doc2Vec, Word2Vec, distributed
from w2v.distributed.collective import Collective
from w2v.distributed.replica import Replica


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


class Threads:
    """A group whose processes are threads: `comms` are what each of them holds."""

    def __init__(self, size):
        self.barrier, self.parts = threading.Barrier(size, timeout=60), [None] * size
        self.comms = [Comm(self, rank, size) for rank in range(size)]

    def run(self, call):
        """What `call(comm)` gives, or raises, in each process."""
        found = [None] * len(self.comms)

        def one(rank):
            try:
                found[rank] = call(self.comms[rank])
            except Exception as error:
                found[rank] = error

        threads = [threading.Thread(target=one, args=(rank,)) for rank in range(len(found))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found


class Comm:
    def __init__(self, group, rank, size):
        self.group, self.rank, self.size = group, rank, size

    def barrier(self):
        self.group.barrier.wait()

    def allreduce(self, array):
        self.group.parts[self.rank] = array
        self.barrier()
        parts = list(self.group.parts)
        random.Random(self.rank + array.size).shuffle(parts)  # in another order in every process
        total = np.sum(parts, axis=0, dtype=array.dtype)
        self.barrier()
        return total


@pytest.mark.parametrize(("family", "size"), [(Word2Vec, 1), (Word2Vec, 3), (Doc2Vec, 2)])
def test_a_group_gives_the_bytes_of_the_simulation(family, size, corpus):
    options = {"sg": 1} if family is Word2Vec else {}

    def train(comm):
        return distributed.train(new_model(family, **options), corpus, comm=comm, sync=POLICY)

    wanted = distributed.train(new_model(family, **options), corpus, engine="local", num_workers=size, sync=POLICY)
    found = Threads(size).run(train)
    assert {digest(one.model) for one in found} == {digest(wanted.model)}
    assert {one.rounds for one in found} == {wanted.rounds}


def test_a_fault_of_one_process_is_raised_in_all(tmp_path):
    folder = write_corpus(tmp_path)
    (folder / "4.txt").write_bytes(b"\xff\xfe\xfd not a text")
    found = Threads(2).run(lambda comm: distributed.train(new_model(), folder, comm=comm, sync=POLICY))
    assert all(isinstance(error, ValueError | RuntimeError) and "4.txt" in str(error) for error in found)


@pytest.mark.parametrize("method", ["train", "shards", "reduce", "apply"])
def test_no_process_waits_for_one_that_has_failed(method, corpus, monkeypatch):
    calls, whole = [], getattr(Replica, method)

    def failing(replica, *args):
        calls.append(replica.rank)
        if replica.rank == 1 and calls.count(1) == 3:
            raise KeyError("of this process alone")
        return whole(replica, *args)

    monkeypatch.setattr(Replica, method, failing)
    found = Threads(3).run(lambda comm: distributed.train(new_model(), corpus, comm=comm, sync=POLICY))
    assert [type(error) for error in found] == [RuntimeError, KeyError, RuntimeError]
    assert all("of this process alone" in str(error) for error in found)


def test_the_first_process_writes_and_all_resume(corpus, tmp_path):
    run, size = tmp_path / "run", 2

    def cut(comm):
        model = new_model(sg=1)

        def stop(*args):
            raise RuntimeError("the end of this try")

        model.heed = lambda words=0: stop() if len(model.history) else None
        distributed.train(model, corpus, comm=comm, sync=POLICY, checkpoint=run, checkpoint_every=3)

    errors = [str(error) for error in Threads(size).run(cut)]
    assert errors == ["the end of this try"] * size
    resumed = Threads(size).run(lambda comm: distributed.resume(run, comm=comm))
    wanted = distributed.train(new_model(sg=1), corpus, engine="local", num_workers=size, sync=POLICY)
    assert {digest(one.model) for one in resumed} == {digest(wanted.model)}


def test_values_of_all_kinds_reach_every_process():
    group = Threads(3)
    values = [np.arange(4), ["a", "\n", "é", "\ud800"], None, 0.1, {"x": 1}, np.zeros((0, 3), np.float32), "text", []]

    class Holder:
        def value(self, number):
            return values[number % len(values)]

    def ask(comm):
        engine = Collective(comm)
        engine.start(lambda rank: Holder(), comm.size)
        return [engine.each("value", [(number,), (number + 1,), (number + 2,)]) for number in range(len(values))]

    for found in group.run(ask):
        for number, row in enumerate(found):
            for rank, value in enumerate(row):
                wanted = values[(number + rank) % len(values)]
                same = np.array_equal(value, wanted) if isinstance(wanted, np.ndarray) else value == wanted
                assert same, (value, wanted)


SCRIPT = """
import sys
sys.path[:0] = sys.argv[2:]
from mpi4py import MPI
from distributed_twins import POLICY, digest, new_model
from w2v import Doc2Vec, Word2Vec, distributed
for family, options in ((Word2Vec, {"sg": 1}), (Word2Vec, {"hs": 1}), (Doc2Vec, {})):
    result = distributed.train(new_model(family, **options), sys.argv[1], comm=MPI.COMM_WORLD, sync=POLICY)
    sys.stdout.write(f" {digest(result.model)} \\n")
    sys.stdout.flush()
"""


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.skipif(find_spec("mpi4py") is None, reason="mpi4py is not installed")
@pytest.mark.skipif(shutil.which("mpirun") is None, reason="there is no MPI on this system")
def test_mpi_gives_the_bytes_of_the_simulation(size, corpus):
    options = ["--oversubscribe", "--allow-run-as-root", "-np", str(size)]
    line = ["mpirun", *options, sys.executable, "-c", SCRIPT, str(corpus), str(TESTS), str(ROOT / "src")]
    done = subprocess.run(line, capture_output=True, text=True, check=True, env=os.environ, timeout=600)
    found = re.findall(r"\b[0-9a-f]{64}\b", done.stdout)  # lines of processes may mingle
    assert len(found) == 3 * size
    for family, options in ((Word2Vec, {"sg": 1}), (Word2Vec, {"hs": 1}), (Doc2Vec, {})):
        model = new_model(family, **options)
        wanted = distributed.train(model, corpus, engine="local", num_workers=size, sync=POLICY).model
        assert found.count(digest(wanted)) == size
