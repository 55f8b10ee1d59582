"""Training on a GPU beside the CPU trainer on all cores of the same machine: speed, a whole job, quality, Ctrl-C.

    python benchmarks/gpu.py CORPUS [--eval FOLDER] [--words N] [--seconds 280]
    python benchmarks/gpu.py --check

CORPUS is a text of some 17 million words; FOLDER holds questions-words.txt and word-sim/EN-*.txt, and without it
nothing is said of quality. First it is checked that one warp learns what one worker learns, model by model. What does
not fit into the time is named in place of its figure, and so is what fails; the rest goes on. Words per second are
words of the vocabulary before subsampling: of the epoch as a whole, with the copies of the matrices to the GPU and
back, and of the time in which slices were trained. "Must" and "goal" are for a card of the class of an H100 beside 16
cores.

--check needs no GPU and no corpus: everything runs once, on a small text and over the emulation of the tests. Its
figures say nothing; that they are printed says that this program works.
"""

import argparse
import logging
import re
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import common
import numpy as np
import quality

from w2v import Doc2Vec, FastText, LineSentence, Word2Vec
from w2v.text.readers import TaggedLineDocument
from w2v.training.cuda import concurrency, driver


class Row(NamedTuple):
    """A model of the table: million words a second that it must reach, and the goal."""

    name: str
    family: Callable[..., Any]
    options: dict[str, Any]
    epochs: int
    must: float | None = None
    goal: float | None = None


SPEED = [
    Row("SG-NS d100 w5 n5", Word2Vec, {"sg": 1}, 3, 300, 450),
    Row("SG-NS d300 w10 n10", Word2Vec, {"sg": 1, "vector_size": 300, "window": 10, "negative": 10}, 2, 80, 120),
    Row("CBOW-NS d100", Word2Vec, {}, 3, 400, 700),
    Row("SG-HS d100", Word2Vec, {"sg": 1, "hs": 1, "negative": 0}, 2, 60, 150),
    Row("SG-NS d100, fresh negatives", Word2Vec, {"sg": 1, "shared_negatives": False}, 2),
    Row("PV-DBOW d100", Doc2Vec, {"dm": 0}, 2),
    Row("PV-DM d100", Doc2Vec, {}, 2),
    Row("fastText SG d100", FastText, {"sg": 1, "bucket": 200_000}, 1),
    Row("fastText CBOW d100", FastText, {"bucket": 200_000}, 1),
]
ZIPF = Row("SG-NS d100, 1 M words", Word2Vec, {"sg": 1, "min_count": 1}, 2, 250, 400)
SETTINGS: dict[str, Any] = {"workers": -1, "progress": False, "min_count": 5, "sample": 1e-3}
ZIPF_WORDS, ZIPF_VOCABULARY = 24_000_000, 1_200_000

# Where a window, or a document's word, is one example on both devices, one warp gives what one worker gives.
SAME: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "CBOW": (Word2Vec, {}),
    "CBOW, hierarchical softmax": (Word2Vec, {"hs": 1, "negative": 0}),
    "CBOW d300, 60 noise words": (Word2Vec, {"vector_size": 300, "negative": 60}),
    "CBOW, one matrix": (Word2Vec, {"tied": True}),
    "skip-gram, fresh negatives": (Word2Vec, {"sg": 1, "shared_negatives": False}),
    "PV-DBOW": (Doc2Vec, {"dm": 0}),
    "PV-DM": (Doc2Vec, {}),
    "PV-DM, side by side": (Doc2Vec, {"dm_concat": 1, "window": 2}),
    "fastText skip-gram": (FastText, {"sg": 1, "bucket": 2000}),
    "fastText CBOW": (FastText, {"bucket": 2000}),
}


class OutOfTime(Exception):
    """There is no time for what is left."""


class Busy(logging.Handler):
    """Notes for how long kernels ran in each epoch."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.seconds: list[float] = []

    def emit(self, record: logging.LogRecord) -> None:
        if found := re.match(r"kernels ran for ([0-9.]+) s", record.getMessage()):
            self.seconds.append(float(found[1]))


class Bench:
    """What is measured, on which text and for how long.

    Parameters
    ----------
    corpus : str
    sets : Path or None, what quality is measured by
    folder : Path, for files
    seconds : float, begin nothing after so many
    check : bool, do everything in small
    """

    def __init__(self, corpus: str, sets: Path | None, folder: Path, seconds: float, check: bool) -> None:
        self.corpus, self.sets, self.folder, self.check = corpus, sets, folder, check
        self.started, self.seconds, self.failed = time.monotonic(), seconds, 0
        self.busy = Busy()
        log = logging.getLogger("w2v.training.cuda.kernel")
        log.addHandler(self.busy)
        log.setLevel(logging.DEBUG)
        log.propagate = False

    def attempt(self, what: str, measure: Callable[..., Any], *given: Any) -> Any:
        """What `measure` gives; None where there is no time, or it fails, which is printed."""
        try:
            self.look_at_the_clock()
            return measure(*given)
        except OutOfTime:
            print(f"not run, for want of time: {what}", flush=True)
            return None
        except Exception:
            self.failed += 1
            print(f"FAILED: {what}\n{traceback.format_exc()}", flush=True)
            return None

    def look_at_the_clock(self) -> None:
        if time.monotonic() - self.started > self.seconds:
            raise OutOfTime

    def trained(self, family: Callable[..., Any], device: str, corpus: str | None = None, **options: Any) -> Any:
        return family(corpus_file=corpus or self.corpus, **SETTINGS | {"device": device} | options)

    # --- whether it is right ------------------------------------------------------------------------------------------

    def same(self, family: Callable[..., Any], options: dict[str, Any]) -> str:
        """How far the matrices of one warp and of one worker are from each other."""
        text: Any = TaggedLineDocument(self.corpus) if family is Doc2Vec else LineSentence(self.corpus)
        text = list(islice(text, 30 if self.check else 1500))
        given = SETTINGS | {"workers": 1, "epochs": 1, "min_count": 1} | options
        with one_warp():
            one, other = (family(text, **given, device=device) for device in ("cpu", "cuda"))
        if one.history[0].examples != other.history[0].examples:
            return f"FALLS SHORT: {other.history[0].examples:,} examples, not {one.history[0].examples:,}"
        ours, theirs = other.weights.named(), one.weights.named()
        worst = max(float(np.abs(ours[name] - theirs[name]).max()) for name in theirs)
        return f"{'holds' if worst < 1e-4 else 'FALLS SHORT'}, {worst:.1e} at most"

    def same_inference(self) -> str:
        documents = list(islice(LineSentence(self.corpus), 30 if self.check else 1500))
        model = self.trained(Doc2Vec, "cpu", dm=0, epochs=1, **{"min_count": 1} if self.check else {})
        by_cpu = model.infer_vectors(documents, epochs=3).vectors
        model.device = "cuda"
        worst = float(np.abs(model.infer_vectors(documents, epochs=3).vectors - by_cpu).max())
        return f"{'holds' if worst < 1e-4 else 'FALLS SHORT'}, {worst:.1e} at most"

    # --- how fast it is -----------------------------------------------------------------------------------------------

    def speed(self, row: Row, corpus: str | None = None) -> list[str]:
        """A line of the table: the GPU as a whole, its kernels, the CPU on all cores."""
        self.busy.seconds.clear()
        on_gpu = self.trained(row.family, "cuda", corpus, **row.options, epochs=row.epochs)
        whole = max(epoch.raw_words / epoch.seconds for epoch in on_gpu.history) / 1e6
        pairs = zip(on_gpu.history, self.busy.seconds, strict=True)
        kernels = max(epoch.raw_words / max(seconds, 1e-9) for epoch, seconds in pairs) / 1e6
        on_cpu = self.trained(row.family, "cpu", corpus, **row.options, epochs=1).history[0]
        cpu = on_cpu.raw_words / on_cpu.seconds / 1e6
        wanted = ["-" if figure is None else f"{figure:.0f}" for figure in (row.must, row.goal)]
        return [row.name, f"{whole:.1f}", f"{kernels:.1f}", f"{cpu:.2f}", f"{kernels / cpu:.1f}x", *wanted]

    def zipf(self) -> list[str]:
        path = self.folder / "zipf.txt"
        if not path.exists():
            write_zipf(path, *((3000, 1000) if self.check else (ZIPF_WORDS, ZIPF_VOCABULARY)))
        return self.speed(ZIPF, str(path))

    def inference(self) -> str:
        documents = list(islice(LineSentence(self.corpus), 20 if self.check else 50_000))
        model = self.trained(Doc2Vec, "cuda", dm=0, epochs=1)
        words, rates = sum(map(len, documents)), []
        for device in ("cuda", "cpu"):
            model.device, started = device, time.perf_counter()
            model.infer_vectors(documents, epochs=10, workers=-1)
            rates.append(10 * words / (time.perf_counter() - started) / 1e6)
        return f"PV-DBOW, 10 epochs: GPU {rates[0]:.1f} M words/s, CPU {rates[1]:.1f} M words/s"

    def whole_jobs(self) -> str:
        """From a text to saved vectors."""
        seconds = []
        for device in ("cuda", "cpu"):
            started = time.perf_counter()
            model = self.trained(Word2Vec, device, sg=1, epochs=5)
            model.wv.save_word2vec_format(self.folder / "whole-job.bin", binary=True)
            seconds.append(time.perf_counter() - started)
        gpu, cpu = seconds
        return f"GPU {gpu:.2f} s, CPU {cpu:.2f} s, {cpu / gpu:.1f}x (must 4x, goal under 1 s)"

    def stop(self) -> str:
        """From a stop in the midst of training to its end."""
        model, asked = self.trained(Word2Vec, "cuda", sg=1, epochs=1), [0.0]

        def stop() -> None:
            asked[0] = time.perf_counter()
            model.stop()

        timer = threading.Timer(0.5, stop)
        timer.start()
        try:
            model.train(corpus_file=self.corpus, total_examples=1, epochs=10_000)
        except KeyboardInterrupt:
            return f"{1000 * (time.perf_counter() - asked[0]):.0f} ms (must 100 ms)"
        finally:
            timer.cancel()
        return "FALLS SHORT: it was not heard"

    # --- how good it is -----------------------------------------------------------------------------------------------

    def quality(self, name: str) -> list[list[str]]:
        """A line for each measure: means and spreads over three seeds, and seed 1 again."""
        found = {
            (device, seed, turn): self.scores(device, seed, common.MODELS[name])
            for turn, seeds in ((1, (1, 2, 3)), (2, (1,)))
            for seed in seeds
            for device in ("cuda", "cpu")
        }
        rows = []
        for measure in quality.MEASURES:
            sides, again = [], []
            for device in ("cuda", "cpu"):
                sides.append([found[device, seed, 1][measure] for seed in (1, 2, 3)])
                again.append(abs(found[device, 1, 2][measure] - found[device, 1, 1][measure]))
            ours, theirs = sides
            pooled = ((quality.spread(ours) ** 2 + quality.spread(theirs) ** 2) / 2) ** 0.5
            verdict = "holds" if mean(ours) >= mean(theirs) - pooled else "FALLS SHORT"
            cells = [f"{mean(side):.1f} ± {quality.spread(side):.1f}" for side in sides]
            rows.append([name, measure, *cells, verdict, *[f"{moved:.1f}" for moved in again]])
        return rows

    def scores(self, device: str, seed: int, options: dict[str, Any]) -> dict[str, float]:
        self.look_at_the_clock()
        path = self.folder / "gpu-quality.bin"
        model = self.trained(Word2Vec, device, **options, epochs=5, seed=seed)
        model.wv.save_word2vec_format(path, binary=True)
        path.with_suffix(".scores.json").unlink(missing_ok=True)
        if self.check and self.sets is None:  # no set of questions is about so small a text
            return {measure: float(model.wv.vectors.std()) for measure in quality.MEASURES}
        assert self.sets is not None
        return quality.evaluated(path, self.sets)

    # ------------------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        device = self.attempt("the device", self.device)
        if device is None:
            return
        print(f"{device.name}, {device.processors} processors; {common.machine()}\n{self.corpus}\n")
        print("one warp, and one worker:")
        for name, (family, options) in SAME.items():
            print(f"  {name}: {self.attempt(name, self.same, family, options)}", flush=True)
        print(f"  inference: {self.attempt('inference', self.same_inference)}\n", flush=True)
        rows = [["model", "GPU, M words/s", "its kernels", "CPU", "ratio", "must", "goal"]]
        for row in SPEED[:5]:
            rows += filter(None, [self.attempt(row.name, self.speed, row)])
            print(f"  {' | '.join(rows[-1])}", flush=True)
        for title, measure in (("text to saved vectors, 5 epochs", self.whole_jobs), ("stop", self.stop)):
            print(f"{title}: {self.attempt(title, measure)}", flush=True)
        rows += filter(None, [self.attempt(ZIPF.name, self.zipf)])
        tables = [["model", "measure", "GPU", "CPU", "verdict", "GPU, seed 1 again", "CPU, seed 1 again"]]
        if self.sets is not None or self.check:
            tables += self.attempt("quality of sg-ns", self.quality, "sg-ns") or []
        for row in SPEED[5:]:
            rows += filter(None, [self.attempt(row.name, self.speed, row)])
        print(f"inference: {self.attempt('inference', self.inference)}")
        print("\n" + common.table(rows) + "\n", flush=True)
        for name in ("cbow-ns", "sg-hs"):
            if self.sets is not None or self.check:
                tables += self.attempt(f"quality of {name}", self.quality, name) or []
        print(common.table(tables))
        print(f"\n{time.monotonic() - self.started:.0f} s, {self.failed} failed")

    def device(self) -> Any:
        from w2v.training.cuda import kernel

        return kernel.first_device()


@contextmanager
def one_warp() -> Any:
    concurrency.WORDS_OF_A_WARP, kept = 10**12, concurrency.WORDS_OF_A_WARP
    try:
        yield
    finally:
        concurrency.WORDS_OF_A_WARP = kept


def write_zipf(path: Path, words: int, vocabulary: int) -> None:
    """A text of which the n-th word of so many is as frequent as 1/n."""
    rng = np.random.default_rng(1)
    ranks = np.exp(rng.random(words) * np.log(vocabulary)).astype(np.int64)
    with path.open("w", encoding="ascii") as file:
        for start in range(0, words, 1000):
            file.write(" ".join(map(hex, ranks[start : start + 1000].tolist())) + "\n")


def emulate() -> None:
    """Let models find the GPU of the tests."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
    import emulation

    from w2v.training.cuda import kernel

    device = emulation.SoftwareDevice()
    kernel.first_device = lambda: device
    driver.missing = lambda: None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="?")
    parser.add_argument("--eval", help="folder with questions-words.txt and word-sim/")
    parser.add_argument("--words", type=int, help="use the first N words only")
    parser.add_argument("--seconds", type=float, default=280, help="begin nothing after so many")
    parser.add_argument("--folder", help="where texts and vectors are kept")
    parser.add_argument("--check", action="store_true", help="run everything in small, without a GPU")
    arguments = parser.parse_args()
    sets = Path(arguments.eval) if arguments.eval else None
    if arguments.check:
        emulate()
        with tempfile.TemporaryDirectory() as name:
            corpus = Path(name) / "small.txt"
            write_zipf(corpus, 2000, 60)
            bench = Bench(str(corpus), sets, Path(name), float("inf"), True)
            bench.run()
        return bench.failed
    if arguments.corpus is None:
        parser.error("give a corpus, or --check")
    if (missing := driver.missing()) is not None:
        parser.exit(1, f"there is no GPU to measure: {missing}\n")
    folder = common.work_folder(arguments.folder)
    corpus = common.plain_slice(arguments.corpus, arguments.words, folder)
    bench = Bench(str(corpus), sets, folder, arguments.seconds, False)
    bench.run()
    return bench.failed


if __name__ == "__main__":
    sys.exit(main())
