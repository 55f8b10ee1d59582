"""Hours of work in one process: does it grow? Train, save, load, query, resume, fail, over and over; then the slopes.

    python benchmarks/soak.py [--minutes 60] [--folder /tmp]

After each round of `WORK` the resident memory, the open descriptors, the threads and the files in the folder are
counted. Lines are fitted through what came after the first fifth of the time. The verdict is "flat" if the fitted
growth of memory over that time is below 1 % or 4 MiB, and the other three do not grow at all; the exit code is 1
otherwise.
"""

import argparse
import gc
import itertools
import logging
import os
import shutil
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import common
import numpy as np

from w2v import CallbackAny2Vec, FormatError, KeyedVectors, Word2Vec
from w2v.files.native import verify_native

WARM_UP = 0.2
VOCABULARY = 3000
SETTINGS = [
    {"sg": 1, "workers": 1},
    {"sg": 0, "workers": 3},
    {"hs": 1, "negative": 0, "workers": 2},
    {"workers": 2, "deterministic": True},
    {"workers": 2, "cache": "none"},
    {"workers": 2, "cache": "disk", "shared_negatives": False, "sg": 1},
]


def write_corpus(path: Path) -> None:
    rng = np.random.default_rng(0)
    numbers = (VOCABULARY * rng.random((5000, 12)) ** 3).astype(int)
    path.write_text("\n".join(" ".join(f"word{number}" for number in line) for line in numbers), encoding="ascii")


# --- the work of a round; each function takes the folder and the number of the round ----------------------------------


def train_and_save(folder: Path, number: int) -> None:
    settings = SETTINGS[number % len(SETTINGS)]
    model = Word2Vec(corpus_file=folder / "corpus", vector_size=50, epochs=2, compute_loss=True, **settings)
    model.build_vocab([[f"new{number}", "word1"]] * 20, update=True)
    model.save(folder / "model")
    model.wv.save(folder / "vectors")
    for name, binary in (("vectors.txt", False), ("vectors.bin", True), ("vectors.txt.gz", False)):
        model.wv.save_word2vec_format(folder / name, binary=binary)


def load_and_query(folder: Path, number: int) -> None:
    verify_native(folder / "model")
    for mmap in (None, "r"):
        model = Word2Vec.load(folder / "model", mmap=mmap)
        model.wv.most_similar("word1", topn=5)
        model.wv.most_similar(["word1", "word2"], ["word3"])
        if model.negative:
            model.predict_output_word(["word1", "word2"])
        model.train(corpus_file=folder / "corpus", total_examples=1, epochs=1)
        KeyedVectors.load(folder / "vectors", mmap=mmap).doesnt_match(["word1", "word2", "word3"])
    for name, binary in (("vectors.txt", False), ("vectors.bin", True), ("vectors.txt.gz", False)):
        KeyedVectors.load_word2vec_format(folder / name, binary=binary).similarity("word1", "word2")


def resume(folder: Path, number: int) -> None:
    """A run that is interrupted in the middle of its second epoch goes on from its checkpoint."""

    class Interrupting(CallbackAny2Vec):
        def on_epoch_end(self, model: Word2Vec) -> None:
            raise KeyboardInterrupt

    settings = {"vector_size": 50, "workers": 2, "deterministic": bool(number % 2)}
    model = Word2Vec(**settings)
    model.build_vocab(corpus_file=folder / "corpus")
    run = {"total_examples": 1, "epochs": 2, "checkpoint": folder / "run", "checkpoint_every": 1}
    try:
        model.train(corpus_file=folder / "corpus", callbacks=[Interrupting()], **run)
    except KeyboardInterrupt:
        assert Word2Vec.resume(folder / "run").trained_epochs == 2
        shutil.rmtree(folder / "run")
        return
    raise AssertionError("the interruption was lost")


def fail(folder: Path, number: int) -> None:
    """What goes wrong must give everything back, too."""

    def broken() -> Iterator[list[str]]:
        yield from [["word1", "word2"]] * 20_000
        raise LookupError("on purpose")

    for settings in ({"workers": 3}, {"workers": 2, "deterministic": True}):
        model = Word2Vec(vector_size=20, **settings)
        model.build_vocab([["word1", "word2"]] * 10)
        try:
            model.train(broken(), total_examples=1, epochs=1)
        except LookupError:
            continue
        raise AssertionError("the error of the corpus was lost")
    whole = (folder / "model").read_bytes()
    half = len(whole) // 2
    (folder / "damaged").write_bytes(whole[:half] + bytes([whole[half] ^ 1]) + whole[half + 1 :])
    for load in (Word2Vec.load, KeyedVectors.load, KeyedVectors.load_word2vec_format):
        try:
            load(folder / "damaged")
        except FormatError:
            continue
        raise AssertionError("a damaged file was loaded")


WORK: list[Callable[[Path, int], None]] = [train_and_save, load_and_query, resume, fail]


# --- readings -------------------------------------------------------------------------------------------------------

READINGS = ["memory MiB", "descriptors", "threads", "files"]


def readings(folder: Path) -> list[float]:
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGESIZE")
    descriptors, threads = (len(os.listdir(f"/proc/self/{kind}")) for kind in ("fd", "task"))
    return [resident / 2**20, descriptors, threads, len(os.listdir(folder))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--folder", help="where to make the temporary folder")
    args = parser.parse_args()
    print(common.machine(), flush=True)
    logging.disable(logging.WARNING)
    seen = array("d")  # row by row; lists of floats would grow by half a megabyte an hour themselves
    started = said = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="w2v-soak-", dir=args.folder) as name:
        folder = Path(name)
        tempfile.tempdir = name  # what the library leaves behind would be counted
        write_corpus(folder / "corpus")
        for number in itertools.count():
            for work in WORK:
                work(folder, number)
            now = time.monotonic()
            reading = readings(folder)
            seen.extend([now - started, *reading])
            if now - said > 60:
                said = now
                print(f"{(now - started) / 60:6.1f} min, round {number + 1:,}: {described(reading)}", flush=True)
            if now - started > 60 * args.minutes:
                break
    return verdict(np.array(seen).reshape(-1, 1 + len(READINGS)))


def described(reading: list[float]) -> str:
    return ", ".join(f"{name} {value:,.1f}" for name, value in zip(READINGS, reading, strict=True))


def verdict(seen: np.ndarray) -> int:
    """Print a line per reading, and return 1 if something grows."""
    settled = seen[seen[:, 0] >= WARM_UP * seen[-1, 0]]
    hours = settled[:, 0] / 3600
    print(f"{len(seen):,} rounds in {seen[-1, 0] / 60:.1f} min; fitted: the last {len(settled):,}")
    rows, grows = [["reading", "first", "last", "most", "slope per hour", "verdict"]], False
    for column, name in enumerate(READINGS, start=1):
        values = settled[:, column]
        slope = float(np.polyfit(hours, values, 1)[0]) if len(values) > 2 else 0.0
        growth = slope * (hours[-1] - hours[0])
        if name == "memory MiB":
            flat = growth < max(4.0, 0.01 * values[0])
        else:
            flat = values[-1] <= values[0]
        grows |= not flat
        numbers = [f"{value:,.1f}" for value in (values[0], values[-1], values.max())]
        rows.append([name, *numbers, f"{slope:+,.2f}", "flat" if flat else "GROWS"])
    print(common.table(rows))
    return int(grows)


if __name__ == "__main__":
    raise SystemExit(main())
