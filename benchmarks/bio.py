"""Proteins and genes: what vectors of k-mers are worth beside controls, and how fast FASTA becomes them.

    python benchmarks/bio.py families FOLDER [--repeats 3] [--models FOLDER] [--figure docs/figures/bio-families.png]
    python benchmarks/bio.py contigs FOLDER [--stored nw_cosine_scatter_v2.csv]
    python benchmarks/bio.py tokens FILE.fa [--preset protvec] [--cache disk]
    python benchmarks/bio.py ways FILE.fa [--preset protvec] [--epochs 1]

`families`: a file of proteins for each family in FOLDER. ProtVec learns from all of them, without labels, and once more
from their letters shuffled; `w2v.bio.evaluate` tells families apart, at random and with relatives kept together. The
figure shows the sequences in the first two linear discriminants of half of them, beside those of 2-mer composition.

`contigs`: files of DNA in FOLDER, as dna2vec's eight example contigs. Tables of k-mers, correlations of alignment and
cosine, and arithmetic, for the contigs and for the same letters shuffled.

`tokens`: FASTA to an encoded corpus, and what it takes to read once more. `ways`: from FASTA to trained vectors, by us
and as biovec and dna2vec go, by Python strings and gensim (which has to be installed), each in a process of its own.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

import common
import numpy as np

from w2v import Kmers, Word2Vec, bio
from w2v.tokens import encode, stream
from w2v.tokens.cache import LIMITS

PRESETS = {"protvec": bio.ProtVec, "genevec": bio.GeneVec, "dna2vec": bio.DNA2Vec}
IDENTITY = 0.6  # from which two proteins are relatives
PAIRS = 1000


def families_in(folder: str) -> tuple[list[tuple[str, str]], list[str]]:
    """All records, and the name of the file that each comes from."""
    records, labels = [], []
    for path in sorted(Path(folder).glob("*.fa*")):
        found = bio.read_sequences(path)
        records += found
        labels += [path.name.split(".")[0]] * len(found)
    return records, labels


def families(args: argparse.Namespace) -> None:
    records, labels = families_in(args.folder)

    def trained(some: list[tuple[str, str]]) -> bio.BioVectors:
        known = {sequence for _, sequence in records}
        name = "real" if some[0][1] in known else "shuffled"
        path = Path(args.models) / f"protvec-{name}-{args.epochs}.safetensors"
        if not path.exists():
            bio.ProtVec(some, workers=1, epochs=args.epochs).save(path)
        return bio.ProtVec.load(path)

    for threshold in {"random": [None], "relatives": [IDENTITY], "both": [None, IDENTITY], "none": []}[args.split]:
        for how in args.how:
            report = bio.evaluate(
                trained, records, labels, how=how, repeats=args.repeats, threshold=threshold, workers=args.workers
            )
            print(f"\n## how={how!r}, {'random folds' if threshold is None else f'relatives of {IDENTITY} together'}")
            print(report)
            own, two = report.result("vectors"), report.result("2-mer composition")
            print(
                f"linear: vectors {own.accuracy:.3f}; 2-mer composition minus one standard error "
                f"{two.accuracy - two.error:.3f}; 1-mer composition {report.result('1-mer composition').accuracy:.3f}; "
                f"random projection {report.result('random projection of 3-mers').accuracy:.3f}",
                flush=True,
            )
    if args.figure:
        draw_families(args.figure, trained(records), records, labels)


def discriminants(features: np.ndarray, labels: np.ndarray, learnt: np.ndarray) -> np.ndarray:
    """The two directions that tell the classes of the learnt half apart best (Fisher 1936), for all rows."""
    spread = features[learnt].std(axis=0)
    rows = (features - features[learnt].mean(axis=0)) / np.where(spread > 0, spread, 1)
    within, between = (np.zeros((rows.shape[1], rows.shape[1])) for _ in range(2))
    for label in np.unique(labels):
        own = rows[learnt & (labels == label)]
        if len(own):
            within += (own - own.mean(axis=0)).T @ (own - own.mean(axis=0))
            between += len(own) * np.outer(own.mean(axis=0), own.mean(axis=0))
    within += np.eye(len(within)) * np.trace(within) / len(within)
    values, directions = np.linalg.eig(np.linalg.solve(within, between))
    found: np.ndarray = rows @ directions[:, np.argsort(-values.real)[:2]].real
    return found


def draw_families(path: str, vectors: bio.BioVectors, records: list[tuple[str, str]], labels: list[str]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    from w2v.bio.evaluation import distinct, representations

    kept, names = distinct(records, labels)
    scheme = vectors.scheme._asdict()
    options = {name: scheme[name] for name in ("alphabet", "masked", "ambiguous", "stops", "gaps")}
    features = representations(vectors, kept, "mean", 1, 2, options)
    most = [name for name, _ in sorted(((n, names.count(n)) for n in set(names)), key=lambda pair: -pair[1])[:8]]
    chosen = np.isin(names, most)
    label = np.array(names)[chosen]
    learnt = np.random.default_rng(1).random(len(label)) < 0.5
    figure, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    for axis, (name, title) in zip(
        axes, [("vectors", "ProtVec, mean of 3-mer vectors"), ("2-mer composition", "2-mer composition")], strict=True
    ):
        places = discriminants(features[name][chosen], label, learnt)
        for color, family in enumerate(most):
            own = (label == family) & ~learnt
            axis.scatter(*places[own].T, s=8, color=plt.cm.tab10(color), label=f"{family} ({own.sum()})")
        axis.set_title(title)
        axis.set_xticks([])
        axis.set_yticks([])
    axes[1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.suptitle("Held-out half of the eight largest families, in two discriminants learnt from the other half")
    figure.savefig(path, dpi=110)
    print(path)


def contigs(args: argparse.Namespace) -> None:
    if args.stored:
        from scipy import stats

        rows = [line.split(",") for line in Path(args.stored).read_text().split()]
        place = {name: at for at, name in enumerate(rows[0])}
        one, other = ([row[place[name]] for row in rows[1:]] for name in ("kmer1", "kmer2"))
        lengths = bio.lcs_lengths(one, other)
        cosines, stored = ([float(row[place[name]]) for row in rows[1:]] for name in ("cosine", "nw"))
        print(
            f"stored table: {len(one):,} pairs, LCS equals the stored score in "
            f"{int((lengths == np.array(stored)).sum()):,}; Spearman {stats.spearmanr(lengths, cosines)[0]:.4f}"
        )
    records = bio.read_sequences(args.folder)
    for name, some in (("contigs", records), ("shuffled", bio.shuffled([(n, s.upper()) for n, s in records]))):
        options = {"k": 3, "k_max": args.k_max, "workers": 1, "epochs": args.epochs}
        vectors = bio.DNA2Vec(some, **options)
        whole = {k: sum("".join(kmer) in vectors for kmer in product("ACGT", repeat=k)) for k in (3, 4, 5)}
        print(f"\n{name}: {vectors!r}, k-mers with a vector {whole}")
        for k in (3, 4, 5):
            print(f"  k={k}: {bio.alignment_check(vectors, k, pairs=PAIRS)}")
        triples = [("AAA", "AAAA", "CCCC"), ("CCC", "CCCC", "AAAA"), ("ACG", "ACGT", "TTTT"), ("GAT", "GATT", "CCCC")]
        holds = sum(vectors.cosine(a, b) > vectors.cosine(a, c) for a, b, c in triples)
        print(f"  sanity triples: {holds} of {len(triples)}")
        for topn in (1, 10) if args.k_max >= 6 else ():
            print(f"  3 + 3: {bio.arithmetic_check(vectors, 3, pairs=PAIRS, topn=topn)}")


# --- speed ----------------------------------------------------------------------------------------------------------


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def tokens(args: argparse.Namespace) -> None:
    size = os.path.getsize(args.file) / 1e6
    corpus = Kmers(args.file, **PRESETS[args.preset].CORPUS)
    print(f"{common.machine()}\n{args.file}: {size:,.0f} MB, {args.preset}, {args.workers} readers, cache {args.cache}")
    began, busy = time.perf_counter(), time.process_time()
    scan = encode.Scan(
        corpus, False, threads=args.workers, cache_bytes=LIMITS[args.cache], keep_tokens=args.cache != "none"
    )
    counted = time.perf_counter() - began
    spent = time.process_time() - busy
    print(
        f"counted, and kept as integers: {counted:.2f} s, {size / counted:,.0f} MB/s; processor time {spent:.2f} s; "
        f"{scan.text_words:,} k-mers"
    )
    index = {word: at for at, word in enumerate(scan.words())}
    if args.cache == "none":
        began = time.perf_counter()
        n = sum(
            len(part.tokens) for part in stream.whole_batches(corpus, False, index, stream.STREAM_WORDS, args.workers)
        )
        print(f"an epoch's reading: {time.perf_counter() - began:.2f} s, {n:,} tokens")
    else:
        encoded = scan.encode(index)
        whole = time.perf_counter() - began
        print(f"encoded: {whole:.2f} s, {size / whole:,.0f} MB/s, {len(encoded.tokens):,} tokens")
    busy = time.process_time() - busy
    print(f"processor time of all of it: {busy:.2f} s; most memory: {peak_mib():,.0f} MiB")


def ways(args: argparse.Namespace) -> None:
    print(f"{common.machine()}\n{args.file}: {os.path.getsize(args.file) / 1e6:,.1f} MB, {args.preset}, {args.workers}")
    for way in ("ours", "ours, text", "gensim", "ours"):
        spec = vars(args) | {"way": way, "run": None}
        code = "import json, sys; sys.path.insert(0, sys.argv[1]); import bio; bio.one_way(json.loads(sys.argv[2]))"
        folder = str(Path(__file__).parent)
        done = subprocess.run([sys.executable, "-c", code, folder, json.dumps(spec)], check=True, capture_output=True)
        print(done.stdout.decode().strip(), flush=True)


def strings_of(path: str, preset: str, seed: int = 123) -> Any:
    """Sentences of k-mers in plain Python: as biovec divides sequences, and as dna2vec does."""
    draw = np.random.RandomState(seed)
    for _, sequence in bio.read_sequences(path):
        if preset != "dna2vec":
            for frame in range(3):
                yield [sequence[at : at + 3] for at in range(frame, len(sequence) - 2, 3)]
            continue
        for piece in (part for part in sequence.upper().split("N") if part):
            for begin in range(0, len(piece), 5000):
                some = piece[begin : begin + 5000]
                yield [some[at : at + draw.randint(3, 9)] for at in range(len(some) - 7)]


def one_way(args: dict[str, Any]) -> None:
    preset, way = PRESETS[args["preset"]], args["way"]
    options = preset.MODEL | {"epochs": args["epochs"], "workers": args["workers"], "seed": 1}
    began = time.perf_counter()
    if way == "ours":
        model = Word2Vec(Kmers(args["file"], **preset.CORPUS), **options)
    else:
        text = Path(args["file"]).with_suffix(".kmers.txt")
        with text.open("w", encoding="ascii") as file:
            for sentence in strings_of(args["file"], args["preset"]):
                file.write(" ".join(sentence) + "\n")
        written = time.perf_counter() - began
        if way == "gensim":
            from gensim.models import Word2Vec as Gensim

            model = Gensim(corpus_file=str(text), **options)
        else:
            began = time.perf_counter()  # the file is there: training from text alone
            model = Word2Vec(corpus_file=str(text), **options)
        text.unlink()
    seconds = time.perf_counter() - began
    words = model.corpus_total_words * args["epochs"]
    more = f", of which {written:.1f} s to write k-mers" if way == "gensim" else ""
    speed = f"; training {words / model.total_train_time / 1e6:.2f} M k-mers/s"
    print(f"{way}: {seconds:.1f} s{more}{speed}, most memory {peak_mib():,.0f} MiB, {len(model.wv):,} k-mers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    jobs = parser.add_subparsers(required=True)
    for run in (families, contigs, tokens, ways):
        job = jobs.add_parser(run.__name__)
        job.set_defaults(run=run)
        job.add_argument("--workers", type=int, default=2)
        if run in (families, contigs):
            job.add_argument("folder")
        else:
            job.add_argument("file")
            job.add_argument("--preset", choices=PRESETS, default="protvec")
        if run is families:
            job.add_argument("--repeats", type=int, default=3)
            job.add_argument("--epochs", type=int, default=5)
            job.add_argument("--how", nargs="+", default=["sum", "mean"])
            job.add_argument("--split", choices=("random", "relatives", "both", "none"), default="both")
            job.add_argument("--models", default=".", help="folder that keeps the trained models")
            job.add_argument("--figure")
        elif run is contigs:
            job.add_argument("--stored")
            job.add_argument("--k-max", type=int, default=6)
            job.add_argument("--epochs", type=int, default=10)
        elif run is tokens:
            job.add_argument("--cache", choices=LIMITS, default="auto")
        else:
            job.add_argument("--epochs", type=int, default=1)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
