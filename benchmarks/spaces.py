"""Two matrices, two similarities: what words are near in which space, measured against the corpus itself.

    python benchmarks/spaces.py CORPUS --eval FOLDER --folder models/ [--words 1000] [--figures docs/figures]

Trains skip-gram with negative sampling (100 dimensions, 5 epochs), with two matrices and with one (`tied`); models are
kept in the folder and used again. Of words of rank 500 to 5,000 it takes the ten nearest in each space, and asks the
corpus: how much more often than by chance do they stand together (pointwise mutual information; pairs that never meet
count as 0, since any smoothing lets rare words win), and how alike are their contexts (cosine of rows of positive
pointwise mutual information)? FOLDER holds word-sim/EN-*.txt.

Of a rare word few contexts are counted, so its cosine with any word is low, and neighbours in-in are rarer than those
in-out. So the cosine is also given as a multiple of what words about as frequent as the neighbours reach.
"""

import argparse
import sys
import time
from pathlib import Path

import common
import numpy as np
from scipy import sparse, stats

from w2v import KeyedVectors, Word2Vec, evaluate
from w2v.text.corpus import Corpus

SPACES = ("in-in", "in-out", "out-in", "out-out", "sum")
FIRST, LAST = 500, 5000
NEAREST = 10
CONTROLS = 5  # words about as frequent as a neighbour
WINDOW = 5
# Chosen before any of their neighbours was looked at: `plant` of the question, and nine words.
SHOWN = ("plant", "bank", "doctor", "coffee", "music", "war", "river", "computer", "red", "eat")


def trained(corpus: str, folder: Path, *, tied: bool, workers: int) -> Word2Vec:
    path = folder / f"spaces-{'tied' if tied else 'two'}.safetensors"
    if not path.exists():
        model = Word2Vec(corpus_file=corpus, sg=1, vector_size=100, window=WINDOW, epochs=5, workers=workers, tied=tied)
        model.save(path)
    return Word2Vec.load(path)


def pair_counts(model: Word2Vec, corpus: str) -> sparse.csr_array:
    """How often each word stands within the window of each other one, [words, words], as `Word2Vec.explain` counts."""
    words = len(model.wv)
    encoded = model.tokens.encode(
        Corpus.from_arguments(None, corpus), 0, model.wv.key_to_index, "memory", 2, lambda words: None
    )
    tokens, sentence = encoded.tokens, np.repeat(np.arange(len(encoded.offsets) - 1), np.diff(encoded.offsets))
    total = sparse.csr_array((words, words), dtype=np.int64)
    for distance in range(1, WINDOW + 1):
        near = sentence[distance:] == sentence[:-distance]
        left, right = tokens[:-distance][near], tokens[distance:][near]
        ones = np.ones(len(left), np.int64)
        total = total + sparse.csr_array((ones, (left, right)), shape=(words, words))
    return (total + total.T).tocsr()


def pmi_of(counts: sparse.csr_array) -> sparse.csr_array:
    """Pointwise mutual information in bits of all pairs that meet."""
    own, total = np.asarray(counts.sum(axis=1), np.float64), float(counts.sum())
    pairs = counts.tocoo()
    values = np.log2(pairs.data * total / (own[pairs.coords[0]] * own[pairs.coords[1]]))
    return sparse.csr_array((values, pairs.coords), shape=counts.shape)


def as_frequent(rows: np.ndarray, words: int, random: np.random.Generator) -> np.ndarray:
    """Words whose ranks are within about a tenth of those of `rows`, CONTROLS for each, one after the other."""
    ranks = rows[:, None] * np.exp(random.uniform(-0.1, 0.1, (len(rows), CONTROLS)))
    return np.clip(ranks.astype(int) + random.integers(-2, 3, ranks.shape), 0, words - 1).ravel()


def measured(
    model: Word2Vec, words: list[str], pmi: sparse.csr_array, alike: sparse.csr_array, space: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each word: mean PMI with the ten nearest, mean cosine of contexts, and the same by that of the controls."""
    index, random, found = model.wv.key_to_index, np.random.default_rng(2), []
    for word, near in zip(words, model.most_similar_batch(words, NEAREST, space=space), strict=True):
        rows, own = np.array([index[other] for other, _ in near]), alike[[index[word]], :]
        cosine, chance = (
            (own @ alike[others, :].T).toarray().mean() for others in (rows, as_frequent(rows, len(index), random))
        )
        found.append((pmi[[index[word]], :][:, rows].toarray().mean(), cosine, cosine / chance))
    first, second, relative = np.array(found).T
    return first, second, relative


def similarities(model: Word2Vec, path: Path, space: str) -> float:
    """Rank correlation times 100 with human judgements, over known words."""
    pairs = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    known = [(a, b, float(score)) for a, b, score in pairs if a in model.wv and b in model.wv]
    found = [model.similarity(a, b, space=space) for a, b, _ in known]
    return 100 * float(stats.spearmanr([score for *_, score in known], found)[0])


def compare_spaces(arguments: argparse.Namespace, folder: Path) -> None:
    models = {
        name: trained(arguments.corpus, folder, tied=tied, workers=arguments.workers)
        for name, tied in (("two matrices", False), ("tied", True))
    }
    model = models["two matrices"]
    pmi = pmi_of(pair_counts(model, arguments.corpus))
    positive = pmi.maximum(0)
    lengths = np.sqrt(np.asarray((positive * positive).sum(axis=1)))
    alike = sparse.csr_array(positive.multiply(1 / np.maximum(lengths, 1e-12)[:, None]))
    words = [model.wv.index_to_key[row] for row in
             np.random.default_rng(1).choice(np.arange(FIRST - 1, LAST), arguments.words, replace=False)]  # fmt: skip
    found = {("two matrices", space): measured(model, words, pmi, alike, space) for space in SPACES}
    found["tied", "in-in"] = measured(models["tied"], words, pmi, alike, "in-in")
    files = {name: Path(arguments.eval) / "word-sim" / f"EN-WS-353-{name}.txt" for name in ("REL", "SIM")}
    rows = [["model", "space", "PMI of ten nearest", "cosine of contexts", "by that of words as frequent", "WS-353-REL",
             "WS-353-SIM", "REL - SIM"]]  # fmt: skip
    for (name, space), (first, second, relative) in found.items():
        scores = [similarities(models[name], file, space) for file in files.values()]
        rows.append([name, space, f"{first.mean():.2f}", f"{second.mean():.3f}", f"{relative.mean():.2f}",
                     *(f"{score:.1f}" for score in scores), f"{scores[0] - scores[1]:+.1f}"])  # fmt: skip
    print(common.table(rows), end="\n\n")
    in_in, in_out, tied = (
        found[key] for key in (("two matrices", "in-in"), ("two matrices", "in-out"), ("tied", "in-in"))
    )
    print("paired Wilcoxon:")
    for claim, high, low in (
        ("PMI: in-out above in-in", in_out[0], in_in[0]),
        ("PMI: tied in-in above in-in", tied[0], in_in[0]),
        ("cosine of contexts: in-in above in-out", in_in[1], in_out[1]),
        ("the same by that of words as frequent", in_in[2], in_out[2]),
    ):
        p = stats.wilcoxon(high, low).pvalue
        print(f"  {claim}: {high.mean():.4f} against {low.mean():.4f}, p = {p:.1e}")
    for word in SHOWN:
        print(f"\n{word}")
        for space in ("in-in", "in-out"):
            print(f"  {space:<6} ", ", ".join(other for other, _ in model.most_similar(word, topn=10, space=space)))


def draw(arguments: argparse.Namespace, folder: Path) -> None:
    model = trained(arguments.corpus, folder, tied=False, workers=arguments.workers)
    out = Path(arguments.figures)
    for other in ("factory", "hydroelectric"):
        found = model.explain("plant", other, corpus_file=arguments.corpus, topn=6)
        print(f"\n{found}")
    found.plot().savefig(out / "spaces-plant.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", help="text, one sentence per line")
    parser.add_argument("--eval", required=True, help="has word-sim/EN-*.txt and questions-words.txt")
    parser.add_argument("--folder", required=True, help="where models are kept")
    parser.add_argument("--words", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--figures", help="draw the figures of the documentation into this folder")
    parser.add_argument(
        "--only", choices=["spaces", "epochs", "speed"], nargs="+", default=["spaces", "epochs", "speed"]
    )
    arguments = parser.parse_args()
    folder = Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{common.machine()}\n")
    if "spaces" in arguments.only:
        compare_spaces(arguments, folder)
        if arguments.figures:
            draw(arguments, folder)
    if "epochs" in arguments.only:
        compare_epochs(arguments, folder)
    if "speed" in arguments.only:
        measure_speed(arguments, folder)


def compare_epochs(arguments: argparse.Namespace, folder: Path) -> None:
    """Five epochs against six, five seeds each: is the difference found, and what do single models say?"""
    models = {}
    for epochs in (5, 6):
        models[f"{epochs} epochs"] = runs = []
        for seed in range(1, 6):
            path = folder / f"epochs-{epochs}-seed{seed}.safetensors"
            if not path.exists():
                Word2Vec(
                    corpus_file=arguments.corpus, sg=1, vector_size=100, window=WINDOW, epochs=epochs, seed=seed,
                    workers=arguments.workers,
                ).wv.save(path)  # fmt: skip
            runs.append(KeyedVectors.load(path))
    tests = Path(arguments.eval)
    pairs = sorted((tests / "word-sim").glob("EN-*.txt"))
    print(evaluate(models, analogies=tests / "questions-words.txt"), end="\n\n")
    single = {name: runs[0] for name, runs in models.items()}
    found = evaluate(single, analogies=tests / "questions-words.txt", pairs=pairs)
    print(found, end="\n\n")
    print(found.table(parts=True))
    if arguments.figures:
        found.plot().savefig(Path(arguments.figures) / "evaluation-scores.png")


def measure_speed(arguments: argparse.Namespace, folder: Path) -> None:
    """Analogies by both formulas with intervals, `explain`, batches over a large vocabulary beside gensim's loop."""
    model = trained(arguments.corpus, folder, tied=False, workers=arguments.workers)
    questions = Path(arguments.eval) / "questions-words.txt"
    model.wv.evaluate_word_analogies(questions, restrict_vocab=None)
    seconds = {"one formula": [], "both, with intervals": []}
    for _ in range(3):
        started = time.perf_counter()
        model.wv.evaluate_word_analogies(questions, restrict_vocab=None)
        middle = time.perf_counter()
        evaluate(model, analogies=questions, restrict_vocab=None)
        seconds["one formula"].append(middle - started)
        seconds["both, with intervals"].append(time.perf_counter() - middle)
    least = {name: min(times) for name, times in seconds.items()}
    ratio = least["both, with intervals"] / least["one formula"]
    print(f"analogies over {len(model.wv):,} words, seconds: {least}; ratio {ratio:.2f}")
    started = time.perf_counter()
    model.explain("plant", "factory", corpus_file=arguments.corpus)
    read = time.perf_counter()
    model.explain("plant", "soil")
    print(f"explain: {read - started:.2f} s with reading the corpus, then {time.perf_counter() - read:.2f} s")
    large_vocabulary()


def large_vocabulary(words: int = 1_000_000, size: int = 300, asked: int = 1000, timed: int = 20) -> None:
    import resource

    rng = np.random.default_rng(1)
    vectors = np.empty((words, size), np.float32)
    for start in range(0, words, 10_000):
        vectors[start : start + 10_000] = rng.standard_normal((10_000, size), np.float32)
    keys = [f"w{row}" for row in range(words)]
    some = [keys[row] for row in rng.choice(words, asked, replace=False)]
    ours = KeyedVectors.from_arrays(keys, vectors)
    del vectors
    ours.fill_norms()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    answers = ours.most_similar_batch(some)
    batch = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"batch of {asked:,} over {words:,} x {size}: {batch:.1f} s; peak memory {before / 2**20:.2f} GiB before it, "
          f"{peak / 2**20:.2f} GiB after")  # fmt: skip
    try:
        from gensim.models import KeyedVectors as Theirs
    except ImportError:
        print("gensim is not installed, and not compared with")
        return
    theirs = Theirs(size)
    theirs.vectors, theirs.index_to_key, theirs.key_to_index = ours.vectors, keys, ours.key_to_index
    theirs.fill_norms()
    theirs.most_similar(some[0])
    started = time.perf_counter()
    each = [theirs.most_similar(word) for word in some[:timed]]
    loop = (time.perf_counter() - started) / timed * asked
    same = sum(
        [word for word, _ in one] == [word for word, _ in other] for one, other in zip(answers, each, strict=False)
    )
    print(
        f"gensim's loop: {loop:.1f} s ({timed} of them timed); ratio {loop / batch:.1f}; {same} of {timed} lists equal"
    )


if __name__ == "__main__":
    sys.exit(main())
