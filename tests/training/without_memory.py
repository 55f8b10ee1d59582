"""Run with malloc.c preloaded: let every allocation of our extensions fail in turn; see test_memory.py.

Prints a line of JSON for each case: how many allocations there are, how many failed, and what was wrong after.
"""

import ctypes
import faulthandler
import gc
import json
import logging
import tempfile
import threading
from pathlib import Path

import numpy as np

from w2v import Word2Vec
from w2v.text import _text
from w2v.tokens import encode
from w2v.training import _train

SHIM = ctypes.CDLL(None)
SHIM.watch.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
SHIM.fail_at.argtypes = [ctypes.c_longlong]
SHIM.calls.restype = ctypes.c_longlong

# More different words than a table has places for, and more lines than there is room for, at the start.
LINES = [[f"w{i}-{j}" for j in range(4)] + ["the"] for i in range(700)] + [[]] * 5000
CORPUS = [["a", "b", "c", "d", "e"] * 5] * 200


def watch(*modules):
    """Tell the shim where the code of some modules is."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        places, rights, *_, path = line.split(maxsplit=5)
        if "x" in rights and path in [module.__file__ for module in modules]:
            SHIM.watch(*(int(place, 16) for place in places.split("-")))


def tokenize():
    table, other = _text.WordTable(), _text.WordTable()
    text = "\n".join(map(" ".join, LINES)).encode()
    tokens, *_ = table.tokenize(text, 1000)
    return [tokens.tolist(), other.merge(table, 0).tolist()]


def scan(threads):
    with tempfile.NamedTemporaryFile() as file:
        file.write("\n".join(map(" ".join, LINES)).encode())
        file.flush()
        found = encode.Scan(file.name, True, threads=threads)
        return [found.words(), found.counts.tolist()]


class Training:
    """A model that is trained on; whatever happens to one call, the next one works."""

    def __init__(self, locked=False, **settings):
        options = {"min_count": 1, "sample": 0, "vector_size": 20, "seed": 1, "epochs": 1, "progress": False}
        self.model = Word2Vec(**options | settings)
        self.model.build_vocab(CORPUS)
        if locked:
            self.model.wv.vectors_lockf = np.linspace(0, 1, 5, dtype=np.float32)

    def __call__(self):
        self.model.train(CORPUS, total_examples=len(CORPUS), epochs=1)
        assert np.isfinite(self.model.wv.vectors).all()
        assert self.model.wv.vectors.shape == (5, 20)


CASES = {
    "tokenize": tokenize,
    "scan, 1 thread": lambda: scan(1),
    "scan, 3 threads": lambda: scan(3),
    "train, 1 worker": Training(workers=1, hs=1),
    "train, 3 workers": Training(workers=3),
    "train with locks": Training(workers=2, cbow_mean=1, locked=True),
    "train, skip-gram with noise of its own": Training(workers=2, sg=1, shared_negatives=False),
    "train, deterministic, 1 worker": Training(workers=1, deterministic=True, hs=1),
    "train, deterministic, 3 workers": Training(workers=3, deterministic=True, sg=1),
}


def survived(run, k, expected):
    """Let the k-th allocation fail; return whether it did, and the fault."""
    threads, before = threading.active_count(), SHIM.not_freed()
    SHIM.fail_at(k)
    try:
        run()
        failed = False
    except MemoryError:
        failed = True
    finally:
        reached = SHIM.calls() > k
        SHIM.fail_at(-1)
    wrong = []
    gc.collect()  # an error and the frames it has passed hold each other
    if reached != failed:
        wrong.append("no MemoryError" if reached else "a MemoryError of its own")
    if SHIM.not_freed() != before:
        wrong.append(f"{SHIM.not_freed() - before} blocks not freed")
    if threading.active_count() != threads:
        wrong.append("threads left behind")
    if run() != expected:
        wrong.append("another result afterwards")
    return failed, wrong


def main():
    logging.disable(logging.CRITICAL)
    watch(_text, _train)
    for name, run in CASES.items():
        faulthandler.dump_traceback_later(60, exit=True)
        expected = run()
        SHIM.fail_at(-1)
        run()
        count, failures, wrong = SHIM.calls(), 0, []
        for k in range(count):
            faulthandler.dump_traceback_later(60, exit=True)
            failed, faults = survived(run, k, expected)
            failures += failed
            wrong += [f"allocation {k}: {fault}" for fault in faults]
        print(json.dumps({"case": name, "allocations": count, "failed": failures, "wrong": wrong}), flush=True)
    faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
