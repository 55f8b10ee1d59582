"""Training speed beside gensim, in one run on one machine.

    python benchmarks/words_per_second.py CORPUS [--words 5000000] [--repeat 3]

gensim is measured in its two input modes, an iterable of sentences (LineSentence) and corpus_file. A ratio compares
with the faster of the two. Raw words are those of the vocabulary before subsampling, effective words those after;
counting the vocabulary is timed apart. The best of `--repeat` runs stands, with the spread of all beside it.
"""

import argparse
from statistics import median

import common

SETTINGS = {
    "SG-NS": (common.MODELS["sg-ns"], {}),
    "CBOW-NS": (common.MODELS["cbow-ns"], {}),
    "SG-HS": (common.MODELS["sg-hs"], {}),
    "SG-NS, fresh negatives": (common.MODELS["sg-ns"], {"shared_negatives": False}),
    "SG-NS d300 w10 n10": (common.MODELS["sg-ns"] | {"vector_size": 300, "window": 10, "negative": 10}, {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", help="text, one sentence per line; may be compressed")
    parser.add_argument("--words", type=int, default=5_000_000, help="use the first N words (default 5,000,000)")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--models", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--folder", help="where the slice of the corpus is kept")
    arguments = parser.parse_args()

    corpus = str(common.plain_slice(arguments.corpus, arguments.words, common.work_folder(arguments.folder)))
    print(f"{common.machine()}\nfirst {arguments.words:,} words, 1 epoch, best of {arguments.repeat}\n")
    head = [
        "model",
        "workers",
        "system",
        "raw words/s",
        "effective",
        "spread",
        "vocabulary",
        "peak MB",
        "ratio",
    ]
    rows = [head]
    for name in arguments.models:
        shared, ours_only = SETTINGS[name]
        for workers in arguments.workers:
            systems = [
                ("gensim", "sentences", shared),
                ("gensim", "file", shared),
                ("w2v", "file", shared | ours_only),
            ]
            runs: dict[tuple[str, str], list[dict]] = {(system, mode): [] for system, mode, _ in systems}
            for _ in range(arguments.repeat):  # taken in turn, so that a busy moment hits all
                for system, mode, options in systems:
                    spec = {"system": system, "mode": mode, "corpus": corpus, "workers": workers, "epochs": 1}
                    runs[system, mode].append(common.measured(spec | {"seed": 1, "options": options}))
            speeds = {key: [r["raw_words"] / r["train_seconds"] for r in found] for key, found in runs.items()}
            gensim = max(max(found) for (system, _), found in speeds.items() if system == "gensim")
            for (system, mode), found in speeds.items():
                best = max(runs[system, mode], key=lambda r: r["raw_words"] / r["train_seconds"])
                rows.append(
                    [
                        name,
                        str(workers),
                        f"{system}, {mode}",
                        f"{max(found) / 1e3:,.0f} k",
                        f"{best['trained_words'] / best['train_seconds'] / 1e3:,.0f} k",
                        f"{min(found) / max(found):.2f}",
                        f"{median(r['vocabulary_seconds'] for r in runs[system, mode]):.2f} s",
                        f"{max(r['peak_mb'] for r in runs[system, mode]):,.0f}",
                        f"{max(found) / gensim:.1f}x",
                    ]
                )
    print(common.table(rows))


if __name__ == "__main__":
    main()
