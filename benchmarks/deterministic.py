"""Deterministic training: its speed beside Hogwild, one hash for any number of workers, and what rounds do to quality.

    python benchmarks/deterministic.py speed CORPUS [--words 5000000] [--repeat 3]
    python benchmarks/deterministic.py hashes CORPUS [--epochs 3]
    python benchmarks/deterministic.py quality CORPUS --eval FOLDER [--words N] [--seeds 1 2 3 4 5]

`quality` compares rounds of several sizes with sequential training: analogies, word similarities, and the similarity
of the rarest third of the rated words. Scores are kept in `--folder` and used again.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from statistics import mean, stdev

import common
import numpy as np
import quality

from w2v import KeyedVectors, Word2Vec, training
from w2v.files.arrays import sha256_of

MODELS = ("sg-ns", "cbow-ns", "sg-hs")
SHAPES = [None, (8, 32), (8, 128), (8, 512), (16, 64)]


def train(
    corpus: str, model: str, *, epochs: int, shape: tuple[int, int] | None = training.schedule.ROUND, **more
) -> Word2Vec:
    """A trained model; without `shape` not deterministic."""
    training.schedule.ROUND = shape or training.schedule.ROUND
    training.epoch.WORDS_FOR_A_SEGMENT = sys.maxsize  # rounds are as asked for, however large the corpus is
    options = common.DEFAULTS | common.MODELS[model] | more
    return Word2Vec(corpus_file=corpus, epochs=epochs, deterministic=shape is not None, progress=False, **options)


def speed(corpus: str, repeat: int) -> None:
    rows = [["model", "workers", "Hogwild", "deterministic", "ratio"]]
    for model in MODELS:
        for workers in (1, 2):
            best = {}
            for _ in range(repeat):
                for shape in (None, training.schedule.ROUND):
                    record = train(corpus, model, epochs=1, shape=shape, workers=workers).history[0]
                    best[shape] = max(best.get(shape, 0), record.raw_words / record.seconds)
            figures = [best[None], best[training.schedule.ROUND]]
            rows.append([model, str(workers), *[f"{figure / 1e3:,.0f} k" for figure in figures]])
            rows[-1].append(f"{figures[1] / figures[0]:.2f}")
    print(common.table(rows))


def hashes(corpus: str, epochs: int) -> None:
    rows = [["model", "workers", "seconds", "SHA-256 of the vectors"]]
    for model in MODELS[:2]:
        for workers in (1, 2, 5):
            started = time.perf_counter()
            vectors = train(corpus, model, epochs=epochs, workers=workers).wv.vectors
            rows.append([model, str(workers), f"{time.perf_counter() - started:.0f}", sha256_of(vectors)[:24]])
    print(common.table(rows))


def rare_words(path: Path, vectors: KeyedVectors) -> float:
    """Spearman correlation over the third of all rated pairs whose rarer word is the rarest."""
    from scipy.stats import spearmanr

    pairs = []
    for name in quality.SIMILARITY.values():
        for line in (path / "word-sim" / name).read_text(encoding="utf-8").splitlines():
            first, second, score = line.lower().split("\t")[:3]
            if first in vectors and second in vectors:
                pairs.append((max(vectors.get_index(first), vectors.get_index(second)), first, second, score, name))
    limit = np.quantile([pair[0] for pair in pairs], 2 / 3)
    found = []
    for name in quality.SIMILARITY.values():
        rare = [pair for pair in pairs if pair[0] >= limit and pair[4] == name]
        if len(rare) > 50:
            ours = [float(vectors.similarity(first, second)) for _, first, second, _, _ in rare]
            found.append(100 * spearmanr(ours, [float(pair[3]) for pair in rare])[0])
    return mean(found)


def scores(corpus: str, model: str, shape, seed: int, epochs: int, sets: Path, folder: Path) -> dict[str, float]:
    name = "sequential" if shape is None else "{}x{}".format(*shape)
    path = folder / f"{Path(corpus).stem}-{epochs}-{model}-{name}-seed{seed}.bin"
    kept = path.with_suffix(".json")
    if not kept.exists():
        workers = 1 if shape is None else 2
        vectors = train(corpus, model, epochs=epochs, shape=shape, seed=seed, workers=workers).wv
        vectors.save_word2vec_format(path, binary=True)
        found = quality.evaluated(path, sets) | {"rare third": rare_words(sets, vectors)}
        kept.write_text(json.dumps(found), encoding="utf-8")
        path.unlink()
    return json.loads(kept.read_text(encoding="utf-8"))


def compare(corpus: str, seeds: list[int], epochs: int, sets: Path, folder: Path, models: list[str]) -> None:
    measures = [*quality.MEASURES, "rare third"]
    rows = [["model", "segments x words", *measures]]
    for model in models:
        for shape in SHAPES:
            found = [scores(corpus, model, shape, seed, epochs, sets, folder) for seed in seeds]
            spread = [f"{mean(s[m] for s in found):.1f} ± {stdev(s[m] for s in found):.1f}" for m in measures]
            rows.append([model, "sequential" if shape is None else "{} x {}".format(*shape), *spread])
    print(common.table(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "hashes", "quality"])
    parser.add_argument("corpus")
    parser.add_argument("--words", type=int)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--models", nargs="+", default=["sg-ns", "cbow-ns"])
    parser.add_argument("--eval", help="folder with questions-words.txt and word-sim/")
    parser.add_argument("--folder", help="where slices of the corpus and scores are kept")
    arguments = parser.parse_args()
    folder = common.work_folder(arguments.folder)
    words = arguments.words or (5_000_000 if arguments.what == "speed" else None)
    corpus = str(common.plain_slice(arguments.corpus, words, folder))
    segments, words = training.schedule.ROUND
    print(f"{common.machine()}\n{arguments.what}, rounds of {segments} segments x {words} words\n")
    if arguments.what == "speed":
        speed(corpus, arguments.repeat)
    elif arguments.what == "hashes":
        hashes(corpus, arguments.epochs or 3)
    else:
        compare(corpus, arguments.seeds, arguments.epochs or 5, Path(arguments.eval), folder, arguments.models)


if __name__ == "__main__":
    main()
