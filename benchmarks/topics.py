"""Topics of 20 Newsgroups beside Top2Vec's: quality, what is repeated, new posts, time.

    python benchmarks/topics.py prepare NEWSGROUPS --folder runs/
    python benchmarks/topics.py train --seed 1 --workers 2 --folder runs/
    python benchmarks/topics.py one --system w2v --seed 1 --workers 2 [--reduction umap] --folder runs/
    python benchmarks/topics.py one --system top2vec --seed 1 --workers 2 --folder runs/
    python benchmarks/topics.py table --folder runs/
    python benchmarks/topics.py choose --seed 1 --folder runs/
    python benchmarks/topics.py regions --seed 1 --folder runs/

NEWSGROUPS is a folder with train.tsv.xz and test.tsv.xz: label, tab, post, with line ends written as \\n. `prepare`
takes headers, footers and quotes away as scikit-learn does, and divides into words as Top2Vec does; both systems get
these. `train` trains our model and keeps it, as `one` does where there is none; it prints a hash of all vectors. `one`
runs a system, 40 epochs with the settings of Top2Vec's "learn", and appends a record:

nmi, ari     of topics (each post has its nearest, as both systems assign them) and the 20 groups
noise        share of posts outside all dense regions
gain         mean over posts of the information that the 20 first words of their topics carry about them, in bits:
             sum over these words w of P(d|w) log2(P(d,w) / (P(d) P(w))), after Angelov 2020, section 3
test_nmi, test_ari  the same of new posts, by `transform`, or by infer_vector and the nearest topic
accuracy     of saying a post's group from its topic, by the topic's majority; test: of new posts
kept         share of training posts that have the same topic when their words are given as those of new posts; of w2v
seconds, processor  until topics are found: those of the clock, and those of all cores together
same         a hash of all topics, sizes and words; equal hashes are equal topics

`table` prints means and spreads; `choose` tries settings on a later third of the training posts; `regions` compares
scikit-learn's HDBSCAN with the package hdbscan.
"""

import argparse
import hashlib
import json
import lzma
import re
import resource
import time
from collections import Counter, defaultdict
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import common
import numpy as np

SHOWN = (
    *("topics", "noise", "nmi", "ari", "gain", "accuracy", "test_nmi", "test_ari", "test", "kept"),
    *("seconds", "processor", "peak_mb"),
)
WORDS = 20
EPOCHS = 40


def prepare(source: Path, folder: Path) -> None:
    from gensim.parsing.preprocessing import strip_tags
    from gensim.utils import simple_preprocess
    from sklearn.datasets._twenty_newsgroups import strip_newsgroup_footer as footer
    from sklearn.datasets._twenty_newsgroups import strip_newsgroup_header as header
    from sklearn.datasets._twenty_newsgroups import strip_newsgroup_quoting as quoting

    escapes = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
    for part in ("train", "test"):
        with (
            lzma.open(source / f"{part}.tsv.xz", "rt", encoding="utf-8", newline="\n") as posts,
            (folder / f"{part}.txt").open("w", encoding="utf-8") as texts,
            (folder / f"{part}.labels").open("w", encoding="utf-8") as labels,
        ):
            for post in posts:
                label, text = post.rstrip("\n").split("\t", 1)
                text = re.sub(r"\\(.)", lambda found: escapes[found[1]], text)
                words = simple_preprocess(strip_tags(quoting(footer(header(text)))), deacc=True)
                texts.write(" ".join(words) + "\n")
                labels.write(label + "\n")


def lines(folder: Path, name: str) -> list[str]:
    return (folder / name).read_text(encoding="utf-8").split("\n")[:-1]


def w2v_model(folder: Path, seed: int, workers: int) -> tuple[Any, float, float]:
    """The model that `Topics.fit` trains, with inferred vectors, and its times; kept, since both reductions take it."""
    from w2v import Doc2Vec
    from w2v.topics import finding

    path = folder / f"w2v-{seed}-{workers}.safetensors"
    if not path.exists():
        started, used = time.perf_counter(), time.process_time()
        documents = finding.Documents(None, folder / "train.txt")
        settings = finding.settings_for(documents.count, {"seed": seed, "workers": workers, "progress": False})
        model = finding.with_inferred(documents.trained(settings), documents)
        took = [time.perf_counter() - started, time.process_time() - used]
        model.save(path)
        path.with_suffix(".json").write_text(json.dumps(took), encoding="utf-8")
    seconds, processor = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return Doc2Vec.load(path), seconds, processor


def w2v_run(folder: Path, seed: int, workers: int, stability: int, **options: Any) -> dict[str, Any]:
    from w2v import Topics

    model, seconds, processor = w2v_model(folder, seed, workers)
    started, used = time.perf_counter(), time.process_time()
    topics = Topics.fit(model, seed=seed, stability=stability, **options)
    seconds, processor = seconds + time.perf_counter() - started, processor + time.process_time() - used
    documents = [line.split() for line in lines(folder, "train.txt")]
    words = [[word for word, _ in topics.words(topic, WORDS)] for topic in range(len(topics))]
    again = topics.transform(documents, workers=workers).topics
    return {
        "seconds": seconds,
        "processor": processor,
        "noise": float(topics.noise.mean()),
        "words": words,
        "of": topics.topics,
        "of_test": topics.transform((line.split() for line in lines(folder, "test.txt")), workers=workers).topics,
        "kept": float((again == topics.topics).mean()),
        "stable_documents": None if topics.stability is None else float(topics.stability.documents.mean()),
    }


def choose(folder: Path, seed: int, workers: int) -> str:
    """Settings tried on the training posts alone: the first two thirds of each group, in its order, and the rest.

    A random third would have answers to posts of the others; the test posts came later, and have none.
    """
    inner = folder / "chosen"
    inner.mkdir(exist_ok=True)
    texts, labels = lines(folder, "train.txt"), lines(folder, "train.labels")
    number, sizes, parts = Counter[str](), Counter(labels), []
    for label in labels:
        parts.append("train" if number[label] < 2 * sizes[label] // 3 else "test")
        number[label] += 1
    for part in ("train", "test"):
        for kind, values in (("txt", texts), ("labels", labels)):
            kept = (value + "\n" for value, own in zip(values, parts, strict=True) if own == part)
            (inner / f"{part}.{kind}").write_text("".join(kept), encoding="utf-8")
    shown = [*SHOWN[: SHOWN.index("kept")], "test/accuracy"]
    rows = [["reduction", "min_size", *shown]]
    for reduction in ("pca", "umap"):
        for size in (15, 25, 40):
            record = measured(inner, w2v_run(inner, seed, workers, 0, reduction=reduction, min_size=size))
            record["test/accuracy"] = record["test"] / record["accuracy"]
            rows.append([reduction, str(size), *(f"{record[name]:.3g}" for name in shown)])
    return common.table(rows)


def regions(folder: Path, seed: int, workers: int) -> str:
    """HDBSCAN of scikit-learn and of the package hdbscan, in the places in which regions of posts are looked for."""
    import hdbscan
    import sklearn.cluster
    from sklearn.metrics import adjusted_rand_score

    from w2v.atlas import layout
    from w2v.topics import clusters, finding

    units = finding.units_of(w2v_model(folder, seed, workers)[0])
    size = finding.Options().size_for(len(units))
    rows = clusters.unit_rows(layout.pca(units[units.any(axis=1)], finding.SHIFTED_IN))
    places = layout.pca(clusters.shifted(rows, size), finding.OF_PCA).astype(np.float64)
    exact = {"core_dist_n_jobs": 1, "approx_min_span_tree": False}
    ways = {
        "scikit-learn": sklearn.cluster.HDBSCAN(min_cluster_size=size, copy=True),
        "hdbscan": hdbscan.HDBSCAN(min_cluster_size=size, core_dist_n_jobs=1),
        # It does not count a point among its own neighbours, and by default takes an approximate spanning tree.
        "hdbscan, the same question": hdbscan.HDBSCAN(min_cluster_size=size, min_samples=size - 1, **exact),
    }
    table, first = [["package", "posts", "regions", "noise", "seconds of processor", "ARI with the first"]], None
    for name, way in ways.items():
        used = time.process_time()
        found = way.fit_predict(places)
        used = time.process_time() - used
        first = found if first is None else first
        cells = [f"{found.max() + 1}", f"{(found < 0).mean():.3f}", f"{used:.2f}"]
        table.append([name, f"{len(places):,}", *cells, f"{adjusted_rand_score(first, found):.4f}"])
    return common.table(table)


def top2vec_model(folder: Path, seed: int, workers: int, minutes: float) -> tuple[Any, float, float] | None:
    """The model of Top2Vec's "learn", and the seconds and seconds of processor that it took; None if it is not ready.

    It is trained epoch by epoch, with the learning rates of one run, and kept after `minutes`, from where the next call
    goes on: on two cores 40 epochs take longer than a job may.
    """
    import pickle

    from gensim.models.doc2vec import Doc2Vec, TaggedDocument

    path = folder / f"top2vec-{seed}.pickle"
    documents = [TaggedDocument(line.split(), [number]) for number, line in enumerate(lines(folder, "train.txt"))]
    started, used = time.perf_counter(), time.process_time()
    if path.exists():
        with path.open("rb") as file:
            model, epoch, seconds, processor = pickle.load(file)
    else:
        settings = {"vector_size": 300, "min_count": 50, "window": 15, "sample": 1e-5, "dm": 0, "dbow_words": 1}
        model, epoch, seconds, processor = Doc2Vec(negative=0, hs=1, epochs=EPOCHS, seed=seed, **settings), 0, 0.0, 0.0
        model.build_vocab(documents)
    rates = np.linspace(model.alpha, model.min_alpha, EPOCHS + 1)
    model.workers = workers
    while epoch < EPOCHS and time.perf_counter() - started < 60 * minutes:
        given = {"start_alpha": rates[epoch], "end_alpha": rates[epoch + 1], "total_examples": model.corpus_count}
        model.train(documents, epochs=1, **given)
        epoch += 1
    seconds, processor = seconds + time.perf_counter() - started, processor + time.process_time() - used
    with path.open("wb") as file:
        pickle.dump((model, epoch, seconds, processor), file)
    print(f"seed {seed}: {epoch} of {EPOCHS} epochs in {seconds:.0f} s, {processor:.0f} s of processor", flush=True)
    return (model, seconds, processor) if epoch == EPOCHS and time.perf_counter() - started < 30 else None


def top2vec_run(folder: Path, seed: int, workers: int, minutes: float) -> dict[str, Any] | None:
    """Top2Vec as it is, but for the seeds of its parts, which it does not take, and the training in pieces."""
    import hdbscan
    import top2vec.top2vec as module

    trained = top2vec_model(folder, seed, workers, minutes)
    if trained is None:
        return None
    clustered, found = hdbscan.HDBSCAN, []

    class Kept(clustered):  # type: ignore[misc, valid-type]
        def fit(self, *given: Any, **options: Any) -> Any:
            found.append(super().fit(*given, **options))
            return found[-1]

    module.Doc2Vec = lambda **options: trained[0]
    module.hdbscan.HDBSCAN = Kept
    np.random.seed(seed)  # noqa: NPY002 - the generator that UMAP takes where it is given none
    started, used = time.perf_counter(), time.process_time()
    model = module.Top2Vec(
        lines(folder, "train.txt"), embedding_model="doc2vec", speed="learn", workers=workers, tokenizer=str.split
    )
    seconds = trained[1] + time.perf_counter() - started
    processor = trained[2] + time.process_time() - used

    options = {"alpha": 0.025, "min_alpha": 0.01, "epochs": 100}  # as its own queries do
    rows = np.stack([model.model.infer_vector(line.split(), **options) for line in lines(folder, "test.txt")])
    return {
        "seconds": seconds,
        "processor": processor,
        "noise": float((found[-1].labels_ < 0).mean()),
        "words": [list(map(str, words[:WORDS])) for words in model.topic_words],
        "of": np.asarray(model.doc_top),
        "of_test": (rows @ model.topic_vectors.T).argmax(axis=1),
    }


def information(documents: list[list[str]], of: Any, words: list[list[str]]) -> float:
    """Mean information of a topic's words about its documents, in bits; documents of no topic have none."""
    counts = Counter(word for document in documents for word in document)
    total = sum(counts.values())
    gained = 0.0
    for document, topic in zip(documents, of, strict=True):
        own = Counter(document)
        for word in words[topic] if topic >= 0 else ():
            if own[word]:
                gained += own[word] / counts[word] * np.log2(own[word] * total / (len(document) * counts[word]))
    return float(gained / len(documents))


def measured(folder: Path, run: dict[str, Any]) -> dict[str, Any]:
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    labels, of = np.array(lines(folder, "train.labels")), run.pop("of")
    test, of_test, words = np.array(lines(folder, "test.labels")), run.pop("of_test"), run.pop("words")
    majority = {topic: Counter(labels[of == topic]).most_common(1)[0][0] for topic in np.unique(of).tolist()}
    documents = [line.split() for line in lines(folder, "train.txt")]
    same = hashlib.sha256(json.dumps([of.tolist(), words]).encode()).hexdigest()
    accuracy = float(np.mean([majority[topic] == label for topic, label in zip(of.tolist(), labels, strict=True)]))
    return run | {
        "topics": len(words),
        "nmi": float(normalized_mutual_info_score(labels, of)),
        "ari": float(adjusted_rand_score(labels, of)),
        "gain": information(documents, of, words),
        "accuracy": accuracy,
        "test_nmi": float(normalized_mutual_info_score(test, of_test)),
        "test_ari": float(adjusted_rand_score(test, of_test)),
        "test": float(np.mean([majority.get(t) == label for t, label in zip(of_test.tolist(), test, strict=True)])),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "same": same[:16],
    }


def table(folder: Path) -> str:
    runs = defaultdict(list)
    for line in lines(folder, "topics.jsonl"):
        record = json.loads(line)
        runs[record["system"], record["reduction"]].append(record)
    rows = [["system", "runs", *SHOWN, "test/accuracy"]]
    for (system, reduction), found in sorted(runs.items()):
        distinct = list({record["seed"]: record for record in found}.values())
        cells = []
        for name in SHOWN:
            values = [record[name] for record in distinct if name in record]
            spread = f" ± {stdev(values):.3g}" if len(values) > 1 else ""
            cells.append(f"{mean(values):.3g}{spread}" if values else "")
        ratio = mean(record["test"] / record["accuracy"] for record in distinct)
        rows.append([f"{system} {reduction}", str(len(distinct)), *cells, f"{ratio:.3f}"])
    return common.table(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    added = commands.add_parser("prepare")
    added.add_argument("source", type=Path)
    one, train, tried, packages = (commands.add_parser(name) for name in ("one", "train", "choose", "regions"))
    one.add_argument("--system", choices=["w2v", "top2vec"], default="w2v")
    for command in (one, train, tried, packages):
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--workers", type=int, default=2)
    one.add_argument("--reduction", choices=["pca", "umap"], default="pca")
    one.add_argument("--stability", type=int, default=0)
    one.add_argument("--minutes", type=float, default=1e6, help="of Top2Vec's training in this call; the next goes on")
    for command in (added, one, train, tried, packages, commands.add_parser("table")):
        command.add_argument("--folder")
    args = parser.parse_args()
    folder = common.work_folder(args.folder)
    if args.command == "prepare":
        return prepare(args.source, folder)
    if args.command in ("choose", "regions"):
        made = (choose if args.command == "choose" else regions)(folder, args.seed, args.workers)
        return print(common.machine(), made, sep="\n\n")
    if args.command == "train":
        model, seconds, processor = w2v_model(folder, args.seed, args.workers)
        same = hashlib.sha256(model.wv.vectors.tobytes() + model.dv.vectors.tobytes()).hexdigest()[:16]
        return print(
            f"seed {args.seed}, workers {args.workers}: {same}; {seconds:.0f} s, {processor:.0f} s of processor"
        )
    if args.command == "table":
        return print(common.machine(), table(folder), sep="\n\n")
    if args.system == "w2v":
        run = w2v_run(folder, args.seed, args.workers, args.stability, reduction=args.reduction)
    else:
        args.reduction = "umap"
        run = top2vec_run(folder, args.seed, args.workers, args.minutes)
    if run is None:
        return None
    record = vars(args) | measured(folder, run)
    record = {name: value for name, value in record.items() if name not in ("command", "folder", "minutes")}
    with (folder / "topics.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    print(json.dumps(record))


if __name__ == "__main__":
    main()
