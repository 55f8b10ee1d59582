"""A GPU made of software: the kernels as C++ over an emulation of warps (warp.cpp), behind a device's interface."""

import ctypes
import fcntl
import hashlib
import os
import platform
import shlex
import shutil
import subprocess

import numpy as np
import pytest
from places import ROOT

from w2v.training.cuda import concurrency, driver, layout

WARPS = ROOT / "tests" / "training" / "warp.cpp"
KERNELS = ROOT / "src" / "w2v" / "training" / "cuda" / "kernels.cu"
COMPILER = shlex.split(os.environ.get("CXX", "g++"))
FLAGS = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-ffp-contract=off", "-shared", "-fPIC"]
OPTIMIZED = shlex.split(os.environ.get("W2V_EMULATION_FLAGS", "-O2"))  # or with sanitizers
SHORT = int(os.environ.get("W2V_EMULATION_SHORT", "0"))  # bytes of its workspace that a block is not given

needs_emulation = pytest.mark.skipif(
    shutil.which(COMPILER[0]) is None or platform.machine() not in ("x86_64", "aarch64"),
    reason="the emulation of a GPU needs a C++ compiler, on x86-64 or aarch64",
)


def library(chunks, targets):
    """The emulation of one variant of the kernels, compiled if its sources have changed."""
    given = [*COMPILER, *FLAGS, *OPTIMIZED, f"-DCHUNKS={chunks}", f"-DTARGETS={targets}"]
    sources = KERNELS.read_bytes() + WARPS.read_bytes() + "\0".join(given).encode()
    path = ROOT / "build" / "emulation" / f"{hashlib.sha256(sources).hexdigest()[:20]}.so"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_suffix(".lock"), "w") as lock:  # tests in other processes want it too
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            partial = path.with_suffix(".partial")
            command = [*given, f'-DKERNELS="{KERNELS}"', "-o", str(partial), str(WARPS)]
            subprocess.run(command, check=True, timeout=300)
            partial.rename(path)
    loaded = ctypes.CDLL(str(path))
    loaded.emulate.restype = ctypes.c_char_p
    return loaded


class SoftwareDevice:
    """What `driver.Device` is to the engine; a launch is done when it returns.

    Parameters
    ----------
    memory : int, bytes that can be claimed
    processors, blocks : int, how many blocks each processor holds
    seed : int, of the order in which warps and lanes take turns
    """

    name = "GPU of the tests"
    shared = 48 * 1024

    def __init__(self, memory=1 << 30, processors=1, blocks=2, seed=1):
        self.memory, self.processors, self.blocks, self.seed = memory, processors, blocks, seed
        self.corpora, self.claimed, self.launched, self.variants = {}, {}, [], []
        self.fails_at = None  # the launch of `train` that fails
        self.slow = 0  # how often a mark is asked for before it is reached

    def enter(self):
        pass

    def free(self):
        return self.memory - sum(memory.nbytes - 32 for memory in self.claimed.values())

    def program(self, variant):
        self.variants.append(variant)
        loaded = library(variant.chunks, variant.held)
        return {name: (loaded, name) for name in (driver.KERNELS_THAT_INFER if variant.infers else driver.KERNELS)}

    def blocks_at_once(self, kernel, threads, shared):
        return self.processors * self.blocks

    def claim(self, size):
        if size > self.free():
            raise MemoryError("the GPU has no memory left")
        memory = np.full(size + 32, 0xA5, np.uint8)  # what nobody has written is no zero
        address = memory.ctypes.data + 16
        address -= address % 16
        self.claimed[address] = memory
        return address

    def release(self, address):
        memory = self.claimed.pop(address)
        begin = address - memory.ctypes.data
        beside = np.concatenate([memory[:begin], memory[begin + len(memory) - 32 :]])
        assert (beside == 0xA5).all(), "a kernel has written beside its memory"

    def pin(self, array):
        pass

    def upload(self, address, array):
        ctypes.memmove(address, array.ctypes.data, array.nbytes)

    def join(self):
        pass

    def download(self, array, address):
        ctypes.memmove(array.ctypes.data, address, array.nbytes)

    def launch(self, kernel, blocks, threads, shared, *structures):
        loaded, name = kernel
        self.launched.append((name, blocks, threads))
        if self.fails_at is not None and self.launches_of("train") > self.fails_at:
            raise driver.DeviceError("CUDA_ERROR_ILLEGAL_ADDRESS (700)")
        self.seed += 1
        fault = loaded.emulate(
            name.encode(),
            blocks,
            threads,
            ctypes.c_longlong(max(0, shared - SHORT)),
            ctypes.c_uint64(self.seed),
            *[ctypes.c_void_p(structure.ctypes.data) for structure in structures],
            *[None] * (3 - len(structures)),
        )
        assert fault is None, fault.decode()

    def launches_of(self, name):
        return sum(launched == name for launched, *_ in self.launched)

    def mark(self):
        return [self.slow]

    def reached(self, mark):
        mark[0] -= 1
        return mark[0] < 0


def found_by_models(monkeypatch, **options):
    """A device that any model finds, and trains on with one warp."""
    device = SoftwareDevice(**options)
    monkeypatch.setattr("w2v.training.cuda.kernel.first_device", lambda: device)
    monkeypatch.setattr(driver, "missing", lambda: None)
    monkeypatch.setattr(concurrency, "WORDS_OF_A_WARP", 10**9)
    return device


def sizes():
    found = (ctypes.c_longlong * 5)()
    library(1, 6).sizes(found)
    return list(found)


STRUCTURES = [layout.PLAN, layout.PART, layout.COUNTERS, layout.DOCUMENTS]
STRUCTURES = [*(structure.itemsize for structure in STRUCTURES), layout.TARGET_BYTES]
