"""Training speed beside gensim, in one run on one machine.

    python benchmarks/words_per_second.py CORPUS [--words 5000000] [--repeat 3] [--workers 1 2] [--models NAME ...]

gensim is measured in its two input modes, an iterable of sentences (LineSentence) and corpus_file. A ratio compares
with the faster of the two. Raw words are those of the vocabulary before subsampling, effective words those after;
counting the vocabulary is timed apart. The best of `--repeat` runs stands, with the spread of all beside it.

The models without a remark are trained on the first words of CORPUS, and by w2v also with ``deterministic=True``.
"sentences of 5" has the same words in lines of five. "1 M words" is drawn by chance: as many words, of which each of a
million comes once and the rest by Zipf's law, in sentences of twenty; its rows are far larger than any cache.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import common
import numpy as np

LARGE = 1_000_000


def in_fives(corpus: Path, words: int) -> Iterator[list[str]]:
    """The words of a corpus in sentences of five."""
    with corpus.open(encoding="utf-8") as lines:
        for line in lines:
            found = line.split()
            yield from (found[i : i + 5] for i in range(0, len(found), 5))


def of_many_words(corpus: Path, words: int) -> Iterator[list[str]]:
    """Sentences drawn by chance from a million words, each of which comes at least once."""
    rng = np.random.default_rng(1)
    shares = np.cumsum(1 / np.arange(1, LARGE + 1))
    drawn = np.searchsorted(shares, rng.random(max(words - LARGE, 0)) * shares[-1])
    numbers = rng.permutation(np.concatenate([np.arange(LARGE), drawn]))
    yield from (list(map("w{}".format, row)) for row in numbers[: len(numbers) // 20 * 20].reshape(-1, 20).tolist())


# Of each model: the options of both systems, those of w2v alone, and how its text is made of the corpus.
Text = Callable[[Path, int], Iterator[list[str]]]
SETTINGS: dict[str, tuple[dict[str, Any], dict[str, Any], Text | None]] = {
    "SG-NS": (common.MODELS["sg-ns"], {}, None),
    "CBOW-NS": (common.MODELS["cbow-ns"], {}, None),
    "SG-HS": (common.MODELS["sg-hs"], {}, None),
    "SG-NS, fresh negatives": (common.MODELS["sg-ns"], {"shared_negatives": False}, None),
    "SG-NS d300 w10 n10": (common.MODELS["sg-ns"] | {"vector_size": 300, "window": 10, "negative": 10}, {}, None),
    "SG-NS, sentences of 5": (common.MODELS["sg-ns"], {}, in_fives),
    "CBOW-NS, sentences of 5": (common.MODELS["cbow-ns"], {}, in_fives),
    "SG-HS, sentences of 5": (common.MODELS["sg-hs"], {}, in_fives),
    "SG-NS, 1 M words": (common.MODELS["sg-ns"] | {"min_count": 1}, {}, of_many_words),
    "CBOW-NS, 1 M words": (common.MODELS["cbow-ns"] | {"min_count": 1}, {}, of_many_words),
}
DETERMINISTIC = ("SG-NS", "CBOW-NS", "SG-HS")
HEAD = ["model", "workers", "system", "raw words/s", "effective", "spread", "vocabulary", "peak MB", "ratio"]


def text_for(make: Text | None, corpus: Path, words: int) -> Path:
    """The file that a model is trained on, made once."""
    if make is None:
        return corpus
    target = corpus.with_name(f"{corpus.stem}-{make.__name__}.txt")
    if not target.exists():
        common.write_sentences(make(corpus, words), target)
    return target


def measure(name: str, workers: int, corpus: Path, words: int, repeat: int) -> list[list[str]]:
    """The rows of one model with one number of workers."""
    shared, ours_only, make = SETTINGS[name]
    systems = {
        "gensim, sentences": ("gensim", "sentences", shared),
        "gensim, file": ("gensim", "file", shared),
        "w2v, file": ("w2v", "file", shared | ours_only),
    }
    if name in DETERMINISTIC:
        systems["w2v, deterministic"] = ("w2v", "file", shared | {"deterministic": True})
    text = str(text_for(make, corpus, words))
    runs: dict[str, list[dict]] = {row: [] for row in systems}
    for _ in range(repeat):  # taken in turn, so that a busy moment hits all
        for row, (system, mode, options) in systems.items():
            spec = {"system": system, "mode": mode, "corpus": text, "workers": workers, "epochs": 1}
            runs[row].append(common.measured(spec | {"seed": 1, "options": options}))
    speeds = {row: [run["raw_words"] / run["train_seconds"] for run in found] for row, found in runs.items()}
    gensim = max(max(found) for row, found in speeds.items() if row.startswith("gensim"))
    rows = []
    for row, found in speeds.items():
        best = max(runs[row], key=lambda run: run["raw_words"] / run["train_seconds"])
        rows.append(
            [
                name,
                str(workers),
                row,
                f"{max(found) / 1e3:,.0f} k",
                f"{best['trained_words'] / best['train_seconds'] / 1e3:,.0f} k",
                f"{min(found) / max(found):.2f}",
                f"{median(run['vocabulary_seconds'] for run in runs[row]):.2f} s",
                f"{max(run['peak_mb'] for run in runs[row]):,.0f}",
                f"{max(found) / gensim:.1f}x",
            ]
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", help="text, one sentence per line; may be compressed")
    parser.add_argument("--words", type=int, default=5_000_000, help="use the first N words (default 5,000,000)")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--models", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--folder", help="where the slice of the corpus is kept")
    arguments = parser.parse_args()

    corpus = common.plain_slice(arguments.corpus, arguments.words, common.work_folder(arguments.folder))
    print(f"{common.machine()}\nfirst {arguments.words:,} words, 1 epoch, best of {arguments.repeat}\n")
    rows = [HEAD]
    for name in arguments.models:
        for workers in arguments.workers:
            rows += measure(name, workers, corpus, arguments.words, arguments.repeat)
    print(common.table(rows))


if __name__ == "__main__":
    main()
