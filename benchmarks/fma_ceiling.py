"""How near skip-gram comes to what the processor's multipliers allow.

    python benchmarks/fma_ceiling.py CORPUS [--words 5000000] [--repeat 3]

A word left after subsampling costs ``P * ((1 + K) * 6 d + d)`` floating-point operations, with P = window + 1 context
words on average, K noise words and d dimensions: dot, gradient and update of every pair, and the row of every context
word. The ceiling is the rate at which independent fused multiply-adds run on one core, measured here by a loop of
nothing else, divided by that cost. Needs a C compiler.
"""

import argparse
import ctypes
import os
import subprocess
import tempfile
import time
from pathlib import Path

import common

from w2v import show_config

# Twelve sums that do not depend on each other: more than the latency of an operation times how many start per cycle.
LOOP = r"""
typedef float V __attribute__((vector_size(BYTES)));
#define ALL(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11)
#define DECLARE(i) V s##i = a + (float)i;
#define STEP(i) s##i = s##i * a + b; __asm__ volatile("" : "+v"(s##i));
#define ADD(i) total += s##i;
float spin(long rounds, float seed) {
    V a = seed - (V){}, b = 1 - a, total = {};
    ALL(DECLARE)
    for (long r = 0; r < rounds; r++) { ALL(STEP) }
    ALL(ADD)
    return total[0];
}
"""
FLAGS = {"avx512": (64, ["-mavx512f", "-mfma"]), "avx2": (32, ["-mavx2", "-mfma"])}


def operations_per_second(isa: str) -> float:
    """Floating-point operations per second of one core; a fused multiply-add is two."""
    size, flags = FLAGS[isa]
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "spin.c"), Path(folder, "spin.so")
        source.write_text(LOOP, encoding="utf-8")
        compiler = os.environ.get("CC", "cc")
        command = [compiler, "-O2", "-ffast-math", "-shared", "-fPIC", f"-DBYTES={size}", *flags, "-o", library, source]
        subprocess.run(command, check=True)
        spin = ctypes.CDLL(str(library)).spin
    spin.argtypes, spin.restype = [ctypes.c_long, ctypes.c_float], ctypes.c_float
    rounds, best = 20_000_000, float("inf")
    for _ in range(5):
        start = time.perf_counter()
        spin(rounds, 0.999)
        best = min(best, time.perf_counter() - start)
    return rounds * 12 * (size // 4) * 2 / best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--words", type=int, default=5_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", help="where the slice of the corpus is kept")
    arguments = parser.parse_args()
    corpus = str(common.plain_slice(arguments.corpus, arguments.words, common.work_folder(arguments.folder)))
    print(common.machine())
    peak = operations_per_second(show_config()["isa"])
    print(f"fused multiply-adds on one core: {peak / 1e9:.0f} GFlop/s")
    rows = [["setting", "effective words/s", "ceiling", "share"]]
    for d, window, negative in ((100, 5, 5), (300, 10, 10)):
        options = common.MODELS["sg-ns"] | {"vector_size": d, "window": window, "negative": negative}
        spec = {"system": "w2v", "mode": "file", "corpus": corpus, "workers": 1, "epochs": 1, "options": options}
        runs = [common.measured(spec | {"seed": 1}) for _ in range(arguments.repeat)]
        speed = max(run["trained_words"] / run["train_seconds"] for run in runs)
        ceiling = peak / ((window + 1) * ((1 + negative) * 6 * d + d))
        name = f"d{d} w{window} n{negative}"
        rows.append([name, f"{speed / 1e3:,.0f} k", f"{ceiling / 1e3:,.0f} k", f"{100 * speed / ceiling:.0f} %"])
    print(common.table(rows))


if __name__ == "__main__":
    main()
