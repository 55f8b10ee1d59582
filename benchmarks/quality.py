"""Quality beside gensim: the same corpus, settings and number of epochs, several seeds.

    python benchmarks/quality.py CORPUS --eval FOLDER [--seeds 1 2 3] [--folder vectors/]

FOLDER holds questions-words.txt and word-sim/EN-*.txt. Analogies are over the 30,000 most frequent words, similarities
are Spearman's rank correlations. gensim trains from LineSentence with one worker: its corpus_file mode decays the
learning rate too slowly and is another setting. The verdict is "holds" where our mean is not below gensim's by more
than one pooled standard deviation. Vectors trained before are kept in the folder and used again.

With --equal-time, our skip-gram gets as many epochs as fit into the time gensim takes for five (two workers, its
faster mode).
"""

import argparse
import json
from pathlib import Path
from statistics import mean, stdev

import common

from w2v import KeyedVectors

SIMILARITY = {
    "WS-353": "EN-WS-353-ALL.txt",
    "SimLex-999": "EN-SIMLEX-999.txt",
    "MEN": "EN-MEN-TR-3k.txt",
    "RW": "EN-RW-STANFORD.txt",
}
MEASURES = ["analogies", *SIMILARITY]


def evaluated(path: Path, folder: Path) -> dict[str, float]:
    """Analogies in percent and rank correlations times 100; kept beside the vectors."""
    kept = path.with_suffix(".scores.json")
    if kept.exists():
        return json.loads(kept.read_text(encoding="utf-8"))
    vectors = KeyedVectors.load_word2vec_format(str(path), binary=True)
    score, _ = vectors.evaluate_word_analogies(str(folder / "questions-words.txt"), restrict_vocab=30_000)
    scores = {"analogies": 100 * score}
    for name, file in SIMILARITY.items():
        _, spearman, _ = vectors.evaluate_word_pairs(str(folder / "word-sim" / file))
        scores[name] = 100 * spearman[0]
    kept.write_text(json.dumps(scores), encoding="utf-8")
    return scores


def trained(system: str, model: str, seed: int, corpus: str, folder: Path, epochs: int, **more: object) -> Path:
    label = more.pop("label", model)
    path = folder / f"{system}-{label}-seed{seed}.bin"
    if not path.exists():
        spec = {"system": system, "mode": "sentences" if system == "gensim" else "file", "workers": 1}
        spec |= {"corpus": corpus, "epochs": epochs, "seed": seed, "save": str(path) + ".partial"}
        spec |= {"options": common.MODELS[model] | more.pop("options", {})} | more
        stats = common.measured(spec)
        path.with_suffix(".stats.json").write_text(json.dumps(stats), encoding="utf-8")
        Path(str(path) + ".partial").rename(path)
    return path


def spread(values: list[float]) -> float:
    return stdev(values) if len(values) > 1 else 0.0


def compare(ours: list[dict], theirs: list[dict], label: str) -> list[list[str]]:
    rows = []
    for measure in MEASURES:
        us, them = [s[measure] for s in ours], [s[measure] for s in theirs]
        pooled = ((spread(us) ** 2 + spread(them) ** 2) / 2) ** 0.5
        verdict = "holds" if mean(us) >= mean(them) - pooled else "FALLS SHORT"
        rows.append(
            [
                label,
                measure,
                f"{mean(us):.1f} ± {spread(us):.1f}",
                f"{mean(them):.1f} ± {spread(them):.1f}",
                verdict,
            ]
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--eval", required=True, help="folder with questions-words.txt and word-sim/")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--words", type=int, help="use the first N words only")
    parser.add_argument("--models", nargs="+", default=list(common.MODELS), choices=list(common.MODELS))
    parser.add_argument("--folder", help="where trained vectors are kept")
    parser.add_argument("--fresh-negatives", action="store_true", help="also compare negatives per window and per pair")
    parser.add_argument("--equal-time", action="store_true")
    arguments = parser.parse_args()
    folder, sets = common.work_folder(arguments.folder), Path(arguments.eval)
    corpus = str(common.plain_slice(arguments.corpus, arguments.words, folder))
    folder = folder / f"{Path(corpus).stem}-{arguments.epochs}-epochs"
    folder.mkdir(exist_ok=True)
    scores = {}
    for system in ("gensim", "w2v"):
        for model in arguments.models:
            paths = [trained(system, model, seed, corpus, folder, arguments.epochs) for seed in arguments.seeds]
            scores[system, model] = [evaluated(path, sets) for path in paths]

    print(f"{common.machine()}\n{corpus}, {arguments.epochs} epochs, seeds {arguments.seeds}\n")
    rows = [["model", "measure", "w2v", "gensim", "verdict"]]
    for model in arguments.models:
        rows += compare(scores["w2v", model], scores["gensim", model], model)
    print(common.table(rows))

    if arguments.fresh_negatives:
        options = {"label": "sg-ns-fresh", "options": {"shared_negatives": False}}
        paths = [trained("w2v", "sg-ns", s, corpus, folder, arguments.epochs, **options) for s in arguments.seeds]
        rows = [["model", "measure", "negatives per window", "negatives per pair", "verdict"]]
        rows += compare(scores["w2v", "sg-ns"], [evaluated(path, sets) for path in paths], "sg-ns")
        print("\n" + common.table(rows))

    if arguments.equal_time:
        spec = {"corpus": corpus, "workers": 2, "seed": 1, "epochs": 5, "options": common.MODELS["sg-ns"]}
        modes = ("sentences", "file")
        gensim = {mode: common.measured(spec | {"system": "gensim", "mode": mode, "epochs": 1}) for mode in modes}
        faster = min(modes, key=lambda mode: gensim[mode]["train_seconds"])
        path = folder / "gensim-equal-time.bin"
        theirs = common.measured(spec | {"system": "gensim", "mode": faster, "save": str(path)})
        ours = common.measured(spec | {"system": "w2v", "mode": "file"})
        epochs = max(1, int(5 * theirs["train_seconds"] / ours["train_seconds"]))
        mine = folder / "w2v-equal-time.bin"
        ours = common.measured(spec | {"system": "w2v", "mode": "file", "epochs": epochs, "save": str(mine)})
        for stale in (path, mine):
            stale.with_suffix(".scores.json").unlink(missing_ok=True)
        rows = [["system", "epochs", "training", *MEASURES]]
        for name, count, stats, file in (("gensim", 5, theirs, path), ("w2v", epochs, ours, mine)):
            found = evaluated(file, sets)
            rows.append([name, str(count), f"{stats['train_seconds']:.0f} s", *[f"{found[m]:.1f}" for m in MEASURES]])
        print("\nequal wall time, 2 workers, SG-NS\n" + common.table(rows))


if __name__ == "__main__":
    main()
