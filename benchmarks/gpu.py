"""Training on a GPU beside the CPU trainer on all cores of the same machine: speed, a whole job, quality, Ctrl-C.

    python benchmarks/gpu.py CORPUS [--eval FOLDER] [--words N] [--seconds 280]

CORPUS is a text of some 17 million words; FOLDER holds questions-words.txt and word-sim/EN-*.txt, and without it
nothing is said of quality. First it is checked that one warp learns what one worker learns. What does not fit into the
time is named in place of its figure. Words per second are words of the vocabulary before subsampling: of the epoch as
a whole, with the copies of the matrices to the GPU and back, and of the time in which slices were trained.
"""

import argparse
import logging
import re
import threading
import time
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import Any

import common
import numpy as np
import quality

from w2v import LineSentence, Word2Vec
from w2v.training.cuda import concurrency, driver

# The models of the table: name, options, epochs on the GPU, what must be reached (million words/s), and the goal.
SPEED = [
    ("SG-NS d100 w5 n5", {"sg": 1}, 3, 300, 450),
    ("SG-NS d300 w10 n10", {"sg": 1, "vector_size": 300, "window": 10, "negative": 10}, 2, 80, 120),
    ("CBOW-NS d100", {}, 3, 400, 700),
    ("SG-HS d100", {"sg": 1, "hs": 1, "negative": 0}, 2, 60, 150),
    ("SG-NS d100, fresh negatives", {"sg": 1, "shared_negatives": False}, 2, None, None),
]
SETTINGS: dict[str, Any] = {"workers": -1, "progress": False, "min_count": 5, "sample": 1e-3}
ZIPF_WORDS, ZIPF_VOCABULARY = 24_000_000, 1_200_000


class Busy(logging.Handler):
    """Notes for how long kernels ran in each epoch."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.seconds: list[float] = []

    def emit(self, record: logging.LogRecord) -> None:
        if found := re.match(r"kernels ran for ([0-9.]+) s", record.getMessage()):
            self.seconds.append(float(found[1]))


def trained(corpus: str, device: str, **options: Any) -> Word2Vec:
    return Word2Vec(corpus_file=corpus, **SETTINGS | {"device": device} | options)


def check_one_warp(corpus: str) -> str:
    """CBOW has one example a window on both: the matrices of one warp are those of one worker, to rounding."""
    concurrency.WORDS_OF_A_WARP, kept = 10**12, concurrency.WORDS_OF_A_WARP
    sentences = list(islice(LineSentence(corpus), 2000))
    worst = 0.0
    try:
        for options in ({}, {"hs": 1, "negative": 0}, {"vector_size": 300, "negative": 60}):
            pair = [
                Word2Vec(sentences, **SETTINGS | {"workers": 1, "epochs": 1, "device": device} | options)
                for device in ("cpu", "cuda")
            ]
            assert pair[0].history[0].examples == pair[1].history[0].examples, "other examples than on the CPU"
            worst = max(worst, float(np.abs(pair[0].wv.vectors - pair[1].wv.vectors).max()))
    finally:
        concurrency.WORDS_OF_A_WARP = kept
    return f"one warp and one worker differ by {worst:.1e} at most: {'holds' if worst < 1e-4 else 'FALLS SHORT'}"


def speed(corpus: str, busy: Busy, options: dict[str, Any], epochs: int) -> list[float]:
    """Million words per second: of the GPU as a whole, of its kernels, of the CPU on all cores."""
    busy.seconds.clear()
    on_gpu = trained(corpus, "cuda", **options, epochs=epochs)
    whole = max(epoch.raw_words / epoch.seconds for epoch in on_gpu.history)
    kernels = max(epoch.raw_words / seconds for epoch, seconds in zip(on_gpu.history, busy.seconds, strict=True))
    on_cpu = trained(corpus, "cpu", **options, epochs=1).history[0]
    return [whole / 1e6, kernels / 1e6, on_cpu.raw_words / on_cpu.seconds / 1e6]


def write_zipf(path: Path) -> None:
    """A text of a million different words, the n-th of which is as frequent as 1/n."""
    rng = np.random.default_rng(1)
    ranks = np.exp(rng.random(ZIPF_WORDS) * np.log(ZIPF_VOCABULARY)).astype(np.int64)
    with path.open("w", encoding="ascii") as file:
        for start in range(0, ZIPF_WORDS, 1000):
            file.write(" ".join(map(hex, ranks[start : start + 1000].tolist())) + "\n")


def whole_job(corpus: str, device: str, folder: Path) -> float:
    started = time.perf_counter()
    model = trained(corpus, device, sg=1, epochs=5)
    model.wv.save_word2vec_format(folder / "whole-job.bin", binary=True)
    return time.perf_counter() - started


def stop_delay(corpus: str) -> float:
    """Milliseconds from a stop in the midst of training to its end."""
    model = trained(corpus, "cuda", sg=1, epochs=1)
    asked: list[float] = []

    def stop() -> None:
        asked.append(time.perf_counter())
        model.stop()

    timer = threading.Timer(0.5, stop)
    timer.start()
    try:
        model.train(corpus_file=corpus, total_examples=1, epochs=100)
    except KeyboardInterrupt:
        return 1000 * (time.perf_counter() - asked[0])
    finally:
        timer.cancel()
    return float("nan")


def scores_of(corpus: str, device: str, seed: int, options: dict[str, Any], sets: Path, path: Path) -> dict[str, float]:
    trained(corpus, device, **options, epochs=5, seed=seed).wv.save_word2vec_format(path, binary=True)
    path.with_suffix(".scores.json").unlink(missing_ok=True)
    return quality.evaluated(path, sets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--eval", help="folder with questions-words.txt and word-sim/")
    parser.add_argument("--words", type=int, help="use the first N words only")
    parser.add_argument("--seconds", type=float, default=280, help="begin nothing after so many")
    parser.add_argument("--folder", help="where texts and vectors are kept")
    arguments = parser.parse_args()
    started = time.monotonic()
    if (missing := driver.missing()) is not None:
        parser.exit(1, f"there is no GPU to measure: {missing}\n")
    folder = common.work_folder(arguments.folder)
    corpus = str(common.plain_slice(arguments.corpus, arguments.words, folder))
    busy = Busy()
    log = logging.getLogger("w2v.training.cuda.kernel")
    log.addHandler(busy)
    log.setLevel(logging.DEBUG)
    log.propagate = False

    def late(what: str) -> bool:
        if time.monotonic() - started < arguments.seconds:
            return False
        print(f"not run, for want of time: {what}", flush=True)
        return True

    device = driver.first_device()
    print(f"{device.name}, {device.processors} processors; {common.machine()}\n{corpus}\n")
    print(check_one_warp(corpus) + "\n", flush=True)

    rows = [["model", "GPU, M words/s", "its kernels", "CPU", "ratio", "must", "goal"]]
    for name, options, epochs, must, goal in SPEED:
        if not late(name):
            whole, kernels, cpu = speed(corpus, busy, options, epochs)
            figures = [f"{whole:.0f}", f"{kernels:.0f}", f"{cpu:.1f}", f"{kernels / cpu:.1f}x"]
            rows.append([name, *figures, str(must or "-"), str(goal or "-")])
            print(f"{name}: {' / '.join(figures)}", flush=True)
    if not late("whole job"):
        gpu, cpu = (whole_job(corpus, device, folder) for device in ("cuda", "cpu"))
        print(
            f"text to saved vectors, 5 epochs: GPU {gpu:.2f} s, CPU {cpu:.2f} s, {cpu / gpu:.1f}x (must 4x)", flush=True
        )
    if not late("stop"):
        print(f"from stop() to its end: {stop_delay(corpus):.0f} ms (must 100)", flush=True)
    if not late("a vocabulary of a million words"):
        zipf = folder / "zipf.txt"
        if not zipf.exists():
            write_zipf(zipf)
        options = {"sg": 1, "min_count": 1}
        whole, kernels, cpu = speed(str(zipf), busy, options, 2)
        rows.append(
            [
                "SG-NS d100, 1 M words",
                f"{whole:.0f}",
                f"{kernels:.0f}",
                f"{cpu:.1f}",
                f"{kernels / cpu:.1f}x",
                "250",
                "400",
            ]
        )
    print("\n" + common.table(rows) + "\n", flush=True)
    if arguments.eval:
        report_quality(corpus, Path(arguments.eval), folder, late)
    print(f"\n{time.monotonic() - started:.0f} s")


def report_quality(corpus: str, sets: Path, folder: Path, late: Any) -> None:
    rows = [["model", "measure", "GPU", "CPU", "verdict", "GPU, seed 1 again"]]
    for name in ("sg-ns", "sg-hs", "cbow-ns"):
        if late(f"quality of {name}"):
            continue
        options, path = common.MODELS[name], folder / "gpu-quality.bin"
        runs = [(device, seed) for seed in (1, 2, 3) for device in ("cuda", "cpu")]
        found = {run: scores_of(corpus, *run, options, sets, path) for run in runs}
        again = scores_of(corpus, "cuda", 1, options, sets, path)
        for measure in quality.MEASURES:
            ours, theirs = ([found[device, seed][measure] for seed in (1, 2, 3)] for device in ("cuda", "cpu"))
            pooled = ((quality.spread(ours) ** 2 + quality.spread(theirs) ** 2) / 2) ** 0.5
            verdict = "holds" if mean(ours) >= mean(theirs) - pooled else "FALLS SHORT"
            cells = [f"{mean(side):.1f} ± {quality.spread(side):.1f}" for side in (ours, theirs)]
            rows.append([name, measure, *cells, verdict, f"{again[measure]:.1f}, was {ours[0]:.1f}"])
    print(common.table(rows))


if __name__ == "__main__":
    main()
