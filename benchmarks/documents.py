"""Document vectors beside gensim's: error rates on film reviews, speed, memory, and documents that find themselves.

    python benchmarks/documents.py quality IMDB [--models dbow dm-mean ...] [--systems w2v gensim] [--labelled]
                                               [--folder runs/]
    python benchmarks/documents.py speed IMDB [--words 2000000] [--repeat 3]
    python benchmarks/documents.py lee LEE

IMDB is a folder with train_pos.txt, train_neg.txt, test_pos.txt, test_neg.txt and unsup.txt, compressed or not, a
review on each line; LEE one with lee_background.cor.

**quality** follows gensim's published protocol: 100 dimensions, 20 epochs, 5 noise words, no subsampling, words that
occur twice; all 100,000 reviews in one shuffled order; then a logistic regression on the vectors of the 25,000
labelled training reviews, and its error on the 25,000 test reviews (standard error 0.19 points). It is printed twice.
*Transductive*: the test reviews were trained with the rest, as published. *Inductive*: the model has seen the other
75,000, and the vectors of the test reviews are inferred. A regression on TF-IDF of words and pairs stands beside it.
What was trained is kept in the folder and used again. ``--labelled`` leaves out the 50,000 reviews that have no label:
half of the work, and other error rates.

**speed** times one epoch of training per system, taken in turn, on the first reviews and on the same words in
documents of ten; then inference, ours on 25,000 documents, gensim's, which knows one at a time, on some.
"""

import argparse
import json
import lzma
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import common
import numpy as np

LABELLED = ("train_pos", "train_neg", "test_pos", "test_neg")
DEFAULTS = {"vector_size": 100, "min_count": 2, "sample": 0, "negative": 5, "hs": 0}
MODELS: dict[str, dict[str, Any]] = {
    "dbow": {"dm": 0},
    "dbow-words": {"dm": 0, "dbow_words": 1, "window": 5},
    "dm-mean": {"dm": 1, "dm_mean": 1, "window": 10, "alpha": 0.05},
    "dm-concat": {"dm": 1, "dm_concat": 1, "window": 5},
    "dbow-hs": {"dm": 0, "hs": 1, "negative": 0},
}
PAIRS = [("dbow", "dm-mean"), ("dbow", "dm-concat")]  # whose vectors are set side by side, as in the publication


def lines_of(folder: Path, name: str) -> list[str]:
    path = next(path for path in (folder / f"{name}.txt", folder / f"{name}.txt.xz") if path.exists())
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt", encoding="utf-8", newline="\n") as file:
        return [line.rstrip("\n") for line in file]


def reviews(folder: Path, labelled: bool = False) -> dict[str, list[list[str]]]:
    """The tokens of the published protocol: text split at white space, its tags left in."""
    parts = {}
    for name in LABELLED if labelled else (*LABELLED, "unsup"):
        parts[name] = [line.replace("\t", "<br />").split() for line in lines_of(folder, name)]
    return parts


def system_of(name: str) -> Any:
    """The module with Doc2Vec and TaggedDocument."""
    if name == "gensim":
        from gensim.models import doc2vec

        return doc2vec
    import w2v

    return w2v


# --- quality --------------------------------------------------------------------------------------------------------


def documents_of(parts: dict[str, list[list[str]]], module: Any, seed: int, without: tuple[str, ...] = ()) -> list[Any]:
    tagged = [
        module.TaggedDocument(words, [f"{name}-{i}"])
        for name, documents in parts.items()
        if name not in without
        for i, words in enumerate(documents)
    ]
    random.Random(seed).shuffle(tagged)
    return tagged


def vectors_of(system: str, model: str, inductive: bool, folder: Path, arguments: argparse.Namespace) -> Any:
    """Vectors of the labelled reviews, one array a part; trained once and kept."""
    seed, epochs, labelled = arguments.seed, arguments.epochs, arguments.labelled
    of = ("inductive" if inductive else "transductive") + ("-labelled" if labelled else "")
    kept = folder / f"{system}-{model}-{of}-{epochs}-{seed}.npz"
    if not kept.exists():
        module, parts = system_of(system), reviews(Path(arguments.data), labelled)
        without = ("test_pos", "test_neg") if inductive else ()
        documents = documents_of(parts, module, seed, without)
        options = DEFAULTS | MODELS[model] | {"workers": os.cpu_count(), "epochs": epochs, "seed": seed}
        started = time.perf_counter()
        trained = module.Doc2Vec(documents, **options)
        seconds = time.perf_counter() - started
        vectors = {}
        for name in LABELLED:
            if name not in without:
                vectors[name] = np.array([trained.dv[f"{name}-{i}"] for i in range(len(parts[name]))])
            elif system == "w2v":
                vectors[name] = np.asarray(trained.infer_vectors(parts[name]).vectors)
            else:
                vectors[name] = np.array([trained.infer_vector(words) for words in parts[name]])
        inferred = time.perf_counter() - started - seconds
        np.savez(kept, train_seconds=seconds, infer_seconds=inferred, **vectors)
    return np.load(kept)


def error_rate(train: np.ndarray, test: np.ndarray) -> float:
    """Of a logistic regression without a penalty, as published; positive reviews come first in both halves."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def labels(rows: Any) -> np.ndarray:
        return np.arange(rows.shape[0]) < rows.shape[0] // 2

    classifier = make_pipeline(StandardScaler(with_mean=False), LogisticRegression(C=1e6, max_iter=2000))
    return 1 - classifier.fit(train, labels(train)).score(test, labels(test))


def error_of_tfidf(imdb: Path) -> float:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    parts = reviews(imdb)
    train = parts["train_pos"] + parts["train_neg"]
    test = parts["test_pos"] + parts["test_neg"]
    weights = TfidfVectorizer(analyzer=lambda words: [*words, *map(" ".join, pairwise(words))], min_df=2)
    x, y = weights.fit_transform(train), np.arange(len(train)) < len(train) // 2
    classifier = LogisticRegression(C=30, max_iter=1000).fit(x, y)
    return 1 - classifier.score(weights.transform(test), np.arange(len(test)) < len(test) // 2)


def halves(vectors: Any) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.concatenate([vectors["train_pos"], vectors["train_neg"]]),
        np.concatenate([vectors["test_pos"], vectors["test_neg"]]),
    )


def quality(arguments: argparse.Namespace) -> None:
    folder, imdb = common.work_folder(arguments.folder), Path(arguments.data)
    print(common.machine())
    rows = [["model", "system", "transductive error %", "inductive error %", "train s", "infer s"]]
    parts: dict[tuple[str, str, bool], Any] = {}
    kinds = [inductive for inductive in (False, True) if inductive or not arguments.inductive_only]
    for model in arguments.models:
        for system in arguments.systems:
            errors: dict[bool, str] = {False: "", True: ""}
            seconds = ["", ""]
            for inductive in kinds:
                if inductive and system == "gensim" and not arguments.gensim_inductive:
                    continue  # hours: it infers one document a call
                vectors = vectors_of(system, model, inductive, folder, arguments)
                parts[model, system, inductive] = halves(vectors)
                errors[inductive] = f"{100 * error_rate(*parts[model, system, inductive]):.2f}"
                seconds = [f"{vectors['train_seconds']:.0f}", f"{vectors['infer_seconds']:.0f}" if inductive else ""]
            rows.append([model, system, errors[False], errors[True], *seconds])
            print(" | ".join(rows[-1]), flush=True)
    for first, second in PAIRS:
        for system in arguments.systems:
            both = [
                [np.hstack(pair) for pair in zip(parts[first, system, kind], parts[second, system, kind], strict=True)]
                if (first, system, kind) in parts and (second, system, kind) in parts
                else None
                for kind in (False, True)
            ]
            if any(both):
                shown = [f"{100 * error_rate(*pair):.2f}" if pair else "" for pair in both]
                rows.append([f"{first} + {second}", system, *shown, "", ""])
    if arguments.tfidf:
        rows.append(["TF-IDF, words and pairs", "scikit-learn", "", f"{100 * error_of_tfidf(imdb):.2f}", "", ""])
    print(f"\n{common.table(rows)}")


# --- speed ----------------------------------------------------------------------------------------------------------


def corpus_of(imdb: Path, words: int, short: bool) -> list[list[str]]:
    documents, left = [], words
    for words_of_one in reviews(imdb)["unsup"]:
        documents.append(words_of_one)
        left -= len(words_of_one)
        if left <= 0:
            break
    if not short:
        return documents
    return [document[i : i + 10] for document in documents for i in range(0, len(document), 10)]


def timed(spec: dict[str, Any]) -> dict[str, float]:
    """One epoch, or inference, of one system in this process."""
    module = system_of(spec["system"])
    documents = corpus_of(Path(spec["imdb"]), spec["words"], spec["short"])
    tagged = [module.TaggedDocument(words, [i]) for i, words in enumerate(documents)]
    options = DEFAULTS | MODELS[spec["model"]] | {"workers": spec["workers"], "epochs": spec["epochs"]}
    model = module.Doc2Vec(**options)
    model.build_vocab(tagged)
    counted = sum(model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key)
    started = time.perf_counter()
    model.train(tagged, total_examples=model.corpus_count, epochs=spec["epochs"])
    seconds = time.perf_counter() - started
    result = {"words": counted * spec["epochs"] / seconds, "peak_mb": 0.0}
    result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if spec.get("infer"):
        asked = [documents[i % len(documents)] for i in range(spec["infer"])]
        started = time.perf_counter()
        if spec["system"] == "gensim":
            for words in asked:
                model.infer_vector(words, epochs=spec["infer_epochs"])
        else:
            model.infer_vectors(asked, epochs=spec["infer_epochs"], workers=spec["workers"])
        result["documents"] = len(asked) / (time.perf_counter() - started)
    return result


def in_a_process(spec: dict[str, Any]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--one", json.dumps(spec)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def cases(arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any], dict[str, int]]]:
    """What is timed: a name, what both systems are asked, and how many documents each infers."""
    for model in arguments.models:
        yield model, {"model": model, "short": False}, {}
    yield "dbow, 10 words a document", {"model": "dbow", "short": True}, {}
    yield "dm-mean, 10 words a document", {"model": "dm-mean", "short": True}, {}
    for model in ("dbow", "dm-mean"):
        yield f"infer, {model}", {"model": model, "short": False}, {"w2v": 25_000, "gensim": arguments.infer_gensim}


def speed(arguments: argparse.Namespace) -> None:
    print(f"{common.machine()}\n{arguments.words:,} words, 1 epoch, {arguments.workers} workers, in turn\n")
    rows = [["", "unit", "gensim", "w2v", "ratio", "range", "gensim MB", "w2v MB"]]
    shared = {"imdb": arguments.data, "words": arguments.words, "workers": arguments.workers, "epochs": 1}
    for name, asked, infer in cases(arguments):
        figure, unit = ("documents", "documents/s") if infer else ("words", "words/s")
        runs: dict[str, list[dict[str, float]]] = {"gensim": [], "w2v": []}
        for _ in range(arguments.repeat):
            for system in runs:
                spec = shared | asked | {"system": system, "infer": infer.get(system), "infer_epochs": 20}
                runs[system].append(in_a_process(spec))
        ratios = [ours[figure] / theirs[figure] for ours, theirs in zip(runs["w2v"], runs["gensim"], strict=True)]
        middle = {system: median(run[figure] for run in runs[system]) for system in runs}
        memory = {system: median(run["peak_mb"] for run in runs[system]) for system in runs}
        rows.append(
            [
                name,
                unit,
                f"{middle['gensim']:,.0f}",
                f"{middle['w2v']:,.0f}",
                f"{median(ratios):.1f}",
                f"{min(ratios):.1f}-{max(ratios):.1f}",
                f"{memory['gensim']:.0f}",
                f"{memory['w2v']:.0f}",
            ]
        )
        print(" | ".join(rows[-1]), flush=True)
    print(f"\n{common.table(rows)}")


# --- documents that find themselves ---------------------------------------------------------------------------------


def lee(arguments: argparse.Namespace) -> None:
    """gensim's tutorial: 50 dimensions, 40 epochs, words that occur twice; whether documents find themselves."""
    import re

    text = (Path(arguments.data) / "lee_background.cor").read_text(encoding="iso-8859-1").lower()
    documents = [[w for w in re.findall(r"[^\W\d_]+", line) if 2 <= len(w) <= 15] for line in text.strip().split("\n")]
    for system in arguments.systems:
        module = system_of(system)
        tagged = [module.TaggedDocument(words, [i]) for i, words in enumerate(documents)]
        model = module.Doc2Vec(tagged, vector_size=50, min_count=2, epochs=40, seed=arguments.seed, workers=1)
        if system == "w2v":
            inferred = model.infer_vectors(documents).vectors
        else:
            inferred = np.array([model.infer_vector(words) for words in documents])
        found = sum(model.dv.most_similar([row], topn=1)[0][0] == i for i, row in enumerate(inferred))
        print(f"{system}: {found} of {len(documents)} documents are their own nearest")


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(timed(json.loads(sys.argv[2]))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["quality", "speed", "lee"])
    parser.add_argument("data", help="the folder with the texts")
    parser.add_argument(
        "--models", nargs="+", default=["dbow", "dbow-words", "dm-mean", "dm-concat"], choices=list(MODELS)
    )
    parser.add_argument("--systems", nargs="+", default=["w2v", "gensim"], choices=["w2v", "gensim"])
    parser.add_argument("--folder", help="where what was trained is kept")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--words", type=int, default=2_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument(
        "--infer-gensim", type=int, default=200, help="documents that gensim infers in the test of speed"
    )
    parser.add_argument("--gensim-inductive", action="store_true", help="let gensim infer the test reviews, one by one")
    parser.add_argument("--labelled", action="store_true", help="train on the reviews with a label alone")
    parser.add_argument("--inductive-only", action="store_true")
    parser.add_argument("--tfidf", action="store_true", help="add the regression on TF-IDF")
    arguments = parser.parse_args()
    {"quality": quality, "speed": speed, "lee": lee}[arguments.what](arguments)


if __name__ == "__main__":
    main()
