"""How training grows with workers: the curve beside gensim, and the rows that travel between the caches of cores.

    python benchmarks/scaling.py curve CORPUS [--workers 1 2 4 8 16] [--words 5000000] [--repeat 1] [--eval FOLDER]
    python benchmarks/scaling.py rows CORPUS [--workers 2 4 8 16 32 64] [--cluster 8]

`curve` needs as many cores as workers. It prints raw words per second of an epoch, Hogwild and deterministic, beside
gensim's faster mode, and how the most workers compare with the fewest; with `--eval`, also the quality of skip-gram
after five epochs with one worker and with the most.

`rows` needs two cores or one. It replays which rows the workers write, a window of each in turn, and counts how often a
row was last written by another worker: then its cache lines travel. Those that travel within a cluster of cores with
one cache are near, the others far. Copies of frequent rows, of each worker or of each cluster, do not travel until they
are brought together, every thousand positions.
"""

import argparse
from itertools import pairwise
from pathlib import Path
from typing import Any

import common
import numpy as np
from numpy.typing import NDArray

from w2v import LineSentence, Word2Vec
from w2v.vocabulary.choose import keep_probability
from w2v.vocabulary.noise import weights

MODELS = ("sg-ns", "cbow-ns", "sg-hs")
# Survivors of each worker that are replayed, and those of them between two meetings of copies with the shared rows.
STEPS, STRETCH = 8192, 800
WINDOW, NOISE = 5, 5


def speed(system: str, corpus: str, workers: int, repeat: int, options: dict[str, Any]) -> float:
    modes = ("file", "sentences") if system == "gensim" else ("file",)
    spec = {"system": system, "corpus": corpus, "workers": workers, "epochs": 1, "seed": 1, "options": options}
    runs = [common.measured(spec | {"mode": mode}) for mode in modes for _ in range(repeat)]
    return max(run["raw_words"] / run["train_seconds"] for run in runs)


def curve(corpus: Path, models: list[str], workers: list[int], repeat: int, sets: Path | None, folder: Path) -> None:
    rows = [["model", "system", *[f"{n} workers" for n in workers], f"{workers[-1]} over {workers[0]}"]]
    for model in models:
        options = common.MODELS[model]
        systems = {
            "w2v": ("w2v", options),
            "w2v, deterministic": ("w2v", options | {"deterministic": True}),
            "gensim": ("gensim", options),
        }
        for name, (system, given) in systems.items():
            found = [speed(system, str(corpus), n, repeat, given) for n in workers]
            rows.append([model, name, *[f"{one / 1e3:,.0f} k" for one in found], f"{found[-1] / found[0]:.1f}x"])
    print(common.table(rows))
    if sets is None:
        return
    import quality

    for n in (workers[0], workers[-1]):
        path = folder / f"scaling-{n}.bin"
        options = common.DEFAULTS | common.MODELS["sg-ns"]
        model = Word2Vec(corpus_file=str(corpus), epochs=5, workers=n, progress=False, **options)
        model.wv.save_word2vec_format(path, binary=True)
        print(f"sg-ns, {n} workers:", {name: round(score, 1) for name, score in quality.evaluated(path, sets).items()})
        path.unlink()


class Writes:
    """What each worker would write, window by window: inputs are rows from 0 on, outputs lie behind them."""

    def __init__(self, corpus: Path, model: str, workers: int) -> None:
        counted = Word2Vec(min_count=5, sample=1e-3, hs=int(model == "sg-hs"))
        counted.build_vocab(corpus_file=str(corpus))
        counts = counted.vocabulary.counts
        index, rng, self.workers, self.n_rows = counted.wv.key_to_index, np.random.default_rng(1), workers, len(counts)
        keep = keep_probability(counts, 1e-3)
        wanted = workers * (STEPS + 2 * WINDOW)
        kept: list[int] = []
        for sentence in LineSentence(str(corpus)):
            known = np.array([index[word] for word in sentence if word in index], np.int64)
            kept += known[rng.random(len(known)) < keep[known]].tolist()
            if len(kept) >= wanted:
                break
        else:
            raise SystemExit(f"{corpus}: {len(kept):,} words are left after subsampling, {wanted:,} are needed")
        tokens = np.array(kept[:wanted]).reshape(workers, -1)
        self.rows: list[NDArray[np.int64]] = []  # [workers] each, -1 where a window is narrower
        # Frequent words come first in their matrices; of the nodes, those near the root come last.
        self.outputs = self.n_rows + (np.arange(self.n_rows)[::-1] - 1 if model == "sg-hs" else np.arange(self.n_rows))
        widths = rng.integers(1, WINDOW + 1, (STEPS, workers))
        drawn = np.cumsum(weights(counts, 0.75))
        noise = np.searchsorted(drawn, rng.random((STEPS, workers, NOISE)) * drawn[-1])
        if model == "sg-hs":
            points, starts = counted.vocabulary.paths().points, counted.vocabulary.paths().offsets
            longest = int(np.diff(starts).max())
            paths = np.full((len(counts), longest), -1)
            for word, (begin, end) in enumerate(pairwise(starts.tolist())):
                paths[word, : end - begin] = self.n_rows + points[begin:end]
        for step in range(STEPS):
            at = step + WINDOW
            near = [
                np.where(abs(i) <= widths[step], tokens[:, at + i], -1) for i in range(-WINDOW, WINDOW + 1) if i != 0
            ]
            if model == "sg-hs":
                self.rows.append(np.column_stack([*near, paths[tokens[:, at]]]))
            else:
                self.rows.append(np.column_stack([*near, self.n_rows + tokens[:, at], self.n_rows + noise[step]]))

    def travels(self, hot: int, holders: int, cluster: int) -> tuple[float, float]:
        """Rows that travel near and far, per word, if each `holders` workers have copies of `hot` rows in common."""
        hot_rows = np.concatenate([np.arange(hot), self.outputs[:hot]])
        if not hot:
            holders = 1
        rows, times, who = [], [], []
        for step, written in enumerate(self.rows):
            worker = np.repeat(np.arange(self.workers), written.shape[1]).reshape(written.shape)
            own = np.isin(written, hot_rows) & (written >= 0)
            private = (1 + worker // holders) * 4 * self.n_rows
            found = np.where(own, written + private, written)
            rows.append(found[written >= 0])
            who.append(worker[written >= 0])
            times.append(np.full(len(rows[-1]), 2 * step))
            if hot and step % STRETCH == STRETCH - 1:  # one of those who hold the copies brings them together
                for holder in range(0, self.workers, holders):
                    both = np.concatenate([hot_rows, hot_rows + (1 + holder // holders) * 4 * self.n_rows])
                    rows.append(both)
                    who.append(np.full(len(both), holder))
                    times.append(np.full(len(both), 2 * step + 1))
        row, worker = np.concatenate(rows), np.concatenate(who)
        order = np.lexsort((np.concatenate(times), row))
        row, worker = row[order], worker[order]
        moved = (row[1:] == row[:-1]) & (worker[1:] != worker[:-1])
        is_far = worker[1:] // cluster != worker[:-1] // cluster
        words = STEPS * self.workers
        return float((moved & ~is_far).sum() / words), float((moved & is_far).sum() / words)


def rows_that_travel(corpus: Path, models: list[str], workers: list[int], cluster: int) -> None:
    rows = [["model", "workers", "copies of", "held by", "near", "far", "rows per word"]]
    for model in models:
        for n in workers:
            writes = Writes(corpus, model, n)
            for hot, holders in ((0, 1), (64, 1), (256, 1), (1024, 1), (64, cluster), (256, cluster), (1024, cluster)):
                if holders > n:
                    continue
                near, far = writes.travels(hot, holders, cluster)
                whose = "" if not hot else "each worker" if holders == 1 else f"{holders} workers"
                rows.append([model, str(n), str(hot), whose, f"{near:.2f}", f"{far:.2f}", f"{near + far:.2f}"])
    print(common.table(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["curve", "rows"])
    parser.add_argument("corpus")
    parser.add_argument("--words", type=int, default=5_000_000)
    parser.add_argument("--workers", type=int, nargs="+")
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--cluster", type=int, default=8, help="cores that share a cache")
    parser.add_argument("--eval", type=Path, help="folder with questions-words.txt and word-sim/")
    parser.add_argument("--folder", help="where slices of the corpus are kept")
    arguments = parser.parse_args()
    folder = common.work_folder(arguments.folder)
    corpus = common.plain_slice(arguments.corpus, arguments.words, folder)
    print(common.machine())
    if arguments.what == "curve":
        curve(corpus, arguments.models, arguments.workers or [1, 2, 4, 8, 16], arguments.repeat, arguments.eval, folder)
    else:
        rows_that_travel(corpus, arguments.models, arguments.workers or [2, 4, 8, 16, 32, 64], arguments.cluster)


if __name__ == "__main__":
    main()
