"""Counting against training: speed, memory, quality by size of the corpus, and whether it repeats.

    python benchmarks/counts.py job CORPUS [--eval FOLDER] [--workers 2]        counts -> PPMI -> SVD-300, one process
    python benchmarks/counts.py grid CORPUS --eval FOLDER                       a small grid, beside skip-gram
    python benchmarks/counts.py sizes CORPUS --eval FOLDER --folder FOLDER      quality and stability by size
    python benchmarks/counts.py threads CORPUS                                  the same bytes of counts for 1, 2, 3, 5
    python benchmarks/counts.py counters CORPUS [--words 2000000]               beside a Counter of pairs and others
    python benchmarks/counts.py lsa CORPUS [--lines 100000]                     beside scikit-learn's and gensim's

`sizes` draws whole lines; the smaller samples of a draw are the beginning of the larger ones, so that they are nested.
Each result is kept as a line of JSON in --folder, and made once. Seconds are of the clock, with those of the processor
beside them: on a machine with other work the latter are what counts. The others are compared where they are installed:
bicleaner-ai-glove, scikit-learn, gensim.
"""

import argparse
import hashlib
import json
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from w2v import LSA, PPMI, KeyedVectors, Word2Vec
from w2v.stability import measure

SIMILARITIES = {"WS-353": "EN-WS-353-ALL.txt", "MEN": "EN-MEN-TR-3k.txt", "RW": "EN-RW-STANFORD.txt"}
SIZES = (300_000, 1_000_000, 3_000_000, 10_000_000, 17_000_000)
DRAWS = 3
SIZE = 100  # dimensions of `sizes`


@contextmanager
def timed(name: str, facts: dict[str, Any]) -> Iterator[None]:
    clock, cpu = time.perf_counter(), time.process_time()
    yield
    facts[name] = {"seconds": time.perf_counter() - clock, "cpu": time.process_time() - cpu}


def show(facts: dict[str, Any]) -> None:
    print(json.dumps(facts, default=float), flush=True)


def peak() -> float:
    """GB that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def scores(vectors: KeyedVectors, folder: str, analogies: bool = True) -> dict[str, float]:
    """Rank correlations on the pairs that are known, and the share of all known analogies that is right."""
    found = {}
    for name, file in SIMILARITIES.items():
        _, spearman, oov = vectors.evaluate_word_pairs(Path(folder) / "word-sim" / file)
        found[name] = float(spearman[0])
        found[f"{name} oov %"] = float(oov)
    if analogies:
        found["analogies"] = vectors.evaluate_word_analogies(Path(folder) / "questions-words.txt")[0]
    return found


def job(args: argparse.Namespace) -> None:
    facts: dict[str, Any] = {"workers": args.workers, "window": args.window, "vector_size": 300}
    model = PPMI(vector_size=300, window=args.window, workers=args.workers, eig=0.25, progress=False)
    with timed("read", facts):
        model.build_vocab(corpus_file=args.corpus)
    facts["words"] = len(model.wv)
    with timed("counts", facts):
        rows = model._rows(None, None)
    facts["pairs"] = len(rows.counts)
    del rows
    with timed("counts, PPMI and SVD", facts):
        model.fit()
    facts["peak GB"] = peak()
    facts["sha256"] = hashlib.sha256(model.wv.vectors.tobytes()).hexdigest()
    show(facts | (scores(model.wv, args.eval) if args.eval else {}))


def grid(args: argparse.Namespace) -> None:
    for window, negative in [(2, 1), (5, 1), (5, 5), (10, 1)]:
        facts: dict[str, Any] = {"model": "PPMI", "window": window, "negative": negative}
        model = PPMI(vector_size=300, window=window, negative=negative, workers=args.workers, eig=0, progress=False)
        with timed("time", facts):
            model.build_vocab(corpus_file=args.corpus)
            model.fit()
        assert model.singular_values is not None
        assert model.syn1neg is not None
        inputs, outputs = model.wv.vectors, model.syn1neg
        for eig in (0, 0.25, 0.5):
            left, right = (part * model.singular_values**eig for part in (inputs, outputs))
            for added in (False, True):
                vectors = left if not added else unit(left) + unit(right)
                kv = KeyedVectors.from_arrays(model.wv.index_to_key, vectors, model.wv.expandos)
                show({**facts, "eig": eig, "add_contexts": added, **scores(kv, args.eval, analogies=False)})
    for window in (5,):
        facts = {"model": "skip-gram", "window": window}
        with timed("time", facts):
            trained = Word2Vec(
                corpus_file=args.corpus, sg=1, vector_size=300, window=window, workers=args.workers, progress=False
            )
        show(facts | scores(trained.wv, args.eval, analogies=False))


def unit(rows: Any) -> Any:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


MODELS: dict[str, Callable[..., Any]] = {
    "SGNS": lambda path, workers: Word2Vec(corpus_file=path, sg=1, vector_size=SIZE, workers=workers, progress=False),
    "SVD-PPMI": lambda path, workers: PPMI(
        corpus_file=path, vector_size=SIZE, eig=0.25, workers=workers, progress=False
    ),
    "LSA": lambda path, workers: LSA(corpus_file=path, vector_size=SIZE, eig=0.5, workers=workers, progress=False),
}


def samples(args: argparse.Namespace) -> Iterator[tuple[int, int, Path]]:
    """Write nested samples of lines: size, number of the draw, path."""
    lines = Path(args.corpus).read_bytes().splitlines()
    words = np.array([line.count(b" ") + 1 for line in lines])
    for size in args.sizes:
        for draw in range(args.draws):
            order = np.random.default_rng(draw).permutation(len(lines))
            ends = np.cumsum(words[order])
            chosen = np.sort(order[: int(np.searchsorted(ends, size)) + 1])  # in the order of the text
            path = Path(args.folder) / f"sample-{size}-{draw}.txt"
            path.write_bytes(b"".join(lines[number] + b"\n" for number in chosen))
            yield size, draw, path
            path.unlink()


def sizes(args: argparse.Namespace) -> None:
    """The largest sample is all of the corpus for each draw: of it models that are drawn (skip-gram) differ by seed."""
    folder = Path(args.folder)
    kept = folder / "sizes.jsonl"
    done = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    known = {(one["model"], one["size"], one["draw"]) for one in done}
    for size, draw, path in samples(args):
        for name in args.models:
            if (name, size, draw) in known:
                continue
            facts: dict[str, Any] = {"model": name, "size": size, "draw": draw}
            with timed("time", facts):
                model = MODELS[name](path, args.workers)
            facts |= {"words": len(model.wv), "peak GB": peak()} | scores(model.wv, args.eval)
            model.wv.save(folder / f"{name}-{size}-{draw}.safetensors")
            with kept.open("a") as file:
                file.write(json.dumps(facts, default=float) + "\n")
            del model
    print_sizes(args, kept)


def print_sizes(args: argparse.Namespace, kept: Path) -> None:
    done = [json.loads(line) for line in kept.read_text().splitlines()]
    columns = [*SIMILARITIES, "analogies"]
    means: dict[tuple[str, int], dict[str, float]] = {}
    print(f"| words | model | draws | {' | '.join(columns)} | j@10 of draws | seconds of processor |")
    print("|---" * (len(columns) + 5) + "|")
    for size in args.sizes:
        for name in args.models:
            found = [one for one in done if (one["model"], one["size"]) == (name, size)]
            if not found:
                continue
            means[name, size] = {column: float(np.mean([one[column] for one in found])) for column in columns}
            j10 = reliability([Path(args.folder) / f"{name}-{size}-{one['draw']}.safetensors" for one in found])
            shown = " | ".join(f"{means[name, size][column]:.3f}" for column in columns)
            cpu = np.mean([one["time"]["cpu"] for one in found])
            print(f"| {size:,} | {name} | {len(found)} | {shown} | {j10:.3f} | {cpu:.0f} |")
    for column in columns:
        for name in args.models[1:]:
            print(f"{column}: {crossing(args.sizes, means, args.models[0], name, column)}")


def reliability(paths: list[Path]) -> float:
    """j@10 (Hellrich et al. 2019) of the 1,000 most frequent words that all have; of two models their Jaccard index."""
    runs = {path.stem: KeyedVectors.load(path) for path in paths}
    if len(runs) < 2:
        return float("nan")
    first, *others = runs.values()
    words = [word for word in first.index_to_key if all(word in other for other in others)][:1000]
    return measure(runs, words=words).total("reliability" if len(runs) > 2 else "jaccard")


def crossing(
    sizes: list[int], means: dict[tuple[str, int], dict[str, float]], trained: str, counted: str, column: str
) -> str:
    """Where skip-gram overtakes: between two sizes, on a line over their logarithms."""
    points = [
        (size, means[trained, size][column] - means[counted, size][column])
        for size in sizes
        if (trained, size) in means and (counted, size) in means
    ]
    for (small, before), (large, after) in pairwise(points):
        if before < 0 <= after:
            share = -before / (after - before)
            at = np.exp(np.log(small) + share * (np.log(large) - np.log(small)))
            return f"{trained} overtakes {counted} at {at:,.0f} words"
    ahead = trained if points and points[0][1] >= 0 else counted
    return f"{ahead} is ahead of {counted if ahead == trained else trained} at all sizes measured"


def threads(args: argparse.Namespace) -> None:
    model = PPMI(workers=1, progress=False)
    model.build_vocab(corpus_file=args.corpus)
    for number in (1, 2, 3, 5):
        model.workers = number
        facts: dict[str, Any] = {"threads": number}
        with timed("time", facts):
            rows = model._rows(None, None)
        digest = hashlib.sha256()
        for part in rows:
            digest.update(part.data)
        show(facts | {"sum": int(rows.counts.sum()), "sha256": digest.hexdigest()})


def counters(args: argparse.Namespace) -> None:
    """Counting alone: words are numbers already, for all."""
    sentences = [line.split() for line in first_words(args.corpus, args.words)]
    model = PPMI(sentences=None, min_count=5, workers=args.workers, shrink_windows=False, window=args.window)
    model.build_vocab(sentences)
    encoded = model.tokens.held
    assert encoded is not None
    facts: dict[str, Any] = {"words": len(encoded.tokens), "window": args.window, "workers": args.workers}
    with timed("w2v", facts):
        rows = model._rows(None, None)
    facts["pairs"] = int(rows.counts.sum())
    numbers = encoded.tokens.tolist()
    ends = encoded.offsets.tolist()
    lines = [numbers[begin:end] for begin, end in pairwise(ends)]
    with timed("Counter", facts):
        found: Counter[tuple[int, int]] = Counter()
        for line in lines:
            for place, word in enumerate(line):
                for context in line[place + 1 : place + 1 + args.window]:
                    found[word, context] += 1
    assert sum(found.values()) * 2 == facts["pairs"]
    del found
    try:
        from glove import Corpus  # bicleaner-ai-glove, the glove-python that has wheels
    except ImportError:
        pass
    else:
        dictionary = {number: number for number in range(len(model.wv))}
        with timed("bicleaner-ai-glove", facts):
            corpus = Corpus(dictionary=dictionary)
            corpus.fit(lines, window=args.window)
    from scipy.sparse import csr_matrix

    with timed("scipy, a matrix per distance", facts):
        tokens, offsets = encoded.tokens, encoded.offsets
        sentence = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        total: Any = 0
        for distance in range(1, args.window + 1):
            same = sentence[distance:] == sentence[:-distance]
            pairs = tokens[:-distance][same], tokens[distance:][same]
            total = total + csr_matrix((np.ones(same.sum(), np.int64), pairs), (len(model.wv),) * 2)
        total = total + total.T
    assert int(total.sum()) == facts["pairs"]
    show(facts | {"peak GB": peak()})


def first_words(path: str, words: int) -> Iterator[str]:
    with open(path, encoding="utf-8") as file:
        for line in file:
            if words <= 0:
                return
            words -= line.count(" ") + 1
            yield line


def lsa(args: argparse.Namespace) -> None:
    """The same weights for all: tf-idf of the same words; then 100 singular vectors."""
    with open(args.corpus, encoding="utf-8") as file:
        texts = [line for _, line in zip(range(args.lines), file, strict=False)]
    lists = [text.split() for text in texts]
    facts: dict[str, Any] = {"documents": len(lists), "words": sum(map(len, lists))}
    with timed("w2v", facts):
        model = LSA(lists, vector_size=100, min_count=5, workers=args.workers, progress=False)
    assert model.singular_values is not None
    facts["w2v energy"] = float((model.singular_values.astype(np.float64) ** 2).sum())
    matrix = model.matrix()
    try:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError:
        pass
    else:
        with timed("scikit-learn", facts):
            tfidf = TfidfVectorizer(analyzer=str.split, vocabulary=model.wv.key_to_index)
            weighted = tfidf.fit_transform(texts)
            svd = TruncatedSVD(100, random_state=1).fit(weighted)
        facts["scikit-learn energy"] = float((svd.singular_values_**2).sum())
        for rounds in (7, 10, 14, 20, 28):  # until it is as near to the best as ours
            name = f"scikit-learn, {rounds} power iterations (its SVD alone)"
            with timed(name, facts):
                svd = TruncatedSVD(100, n_iter=rounds, random_state=1).fit(weighted)
            facts[f"{name} energy"] = float((svd.singular_values_**2).sum())
            if facts[f"{name} energy"] >= facts["w2v energy"]:
                break
        with timed("scikit-learn, ARPACK (its SVD alone)", facts):
            svd = TruncatedSVD(100, algorithm="arpack", random_state=1).fit(weighted)
        facts["exact energy"] = float((svd.singular_values_**2).sum())
        with timed("w2v (its SVD alone)", facts):
            model._decomposed(matrix, "words or documents")
        facts["largest difference of weights"] = float(abs(weighted - matrix).max())
    try:
        from gensim.matutils import Sparse2Corpus
        from gensim.models import LsiModel
    except ImportError:
        pass
    else:
        with timed("gensim (of our weights)", facts):
            lsi = LsiModel(Sparse2Corpus(matrix.T.tocsc()), num_topics=100, chunksize=20_000)
        facts["gensim energy"] = float((lsi.projection.s**2).sum())
    show(facts | {"peak GB": peak()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for run in (job, grid, sizes, threads, counters, lsa):
        command = commands.add_parser(run.__name__)
        command.set_defaults(run=run)
        command.add_argument("corpus")
        command.add_argument("--eval")
        command.add_argument("--workers", type=int, default=2)
        command.add_argument("--window", type=int, default=5)
        command.add_argument("--folder", default=".")
        command.add_argument("--sizes", type=int, nargs="+", default=SIZES)
        command.add_argument("--draws", type=int, default=DRAWS)
        command.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
        command.add_argument("--words", type=int, default=2_000_000)
        command.add_argument("--lines", type=int, default=100_000)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
