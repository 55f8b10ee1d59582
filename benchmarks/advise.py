"""How good is the advice? Its choice beside the best of a grid, on measures that it did not see.

    python benchmarks/advise.py SHARED [--corpora clinical proteins imdb newsgroups wiki] [--wiki CORPUS]

SHARED is the folder of evaluation data (`clinical/openi`, `bio/proteins`, `imdb`, `newsgroups`, `eval`); CORPUS a text
with one sentence per line, for word similarities (MEN). Of documents the measure is the accuracy of a logistic
regression on the means of a document's word vectors, learnt from 70 % of the documents and tested on the others; the
grid is skip-gram, PPMI and LSA with 100 and 300 dimensions, made of the whole text. Needs scikit-learn.
"""

import argparse
import csv
import lzma
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from w2v import LSA, PPMI, KeyedVectors, Word2Vec, advise
from w2v.common.tables import format_table

Documents = list[list[str]]
Measure = Callable[[KeyedVectors], float]
WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")


def words_of(text: str) -> list[str]:
    return WORD.findall(text.lower())


def lines_of(path: Path) -> Iterator[str]:
    with lzma.open(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in file:
            yield line.rstrip("\n")


def accuracy(documents: Documents, labels: list[Any]) -> Measure:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classes = np.array(labels)
    order = np.random.default_rng(5).permutation(len(documents))
    learnt, tested = np.split(order, [len(order) * 7 // 10])

    def measured(vectors: KeyedVectors) -> float:
        rows = np.zeros((len(documents), vectors.vector_size), np.float32)
        for place, document in enumerate(documents):
            known = [vectors.key_to_index[word] for word in document if word in vectors.key_to_index]
            if known:
                rows[place] = vectors.vectors[known].mean(axis=0)
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, C=0.1))
        return float(model.fit(rows[learnt], classes[learnt]).score(rows[tested], classes[tested]))

    return measured


def clinical(shared: Path, args: argparse.Namespace) -> tuple[Documents, Measure]:
    documents, labels = [], []
    with lzma.open(shared / "clinical/openi/indiana_reports.csv.xz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            text = f"{row['findings']} {row['impression']}".strip()
            if text:
                documents.append(words_of(text.replace("XXXX", " ")))
                labels.append(row["Problems"] == "normal")
    return documents, accuracy(documents, labels)


def proteins(shared: Path, args: argparse.Namespace) -> tuple[Documents, Measure]:
    families: dict[str, str] = {}
    for path in sorted((shared / "bio/proteins").glob("*.fasta")):
        for record in path.read_text().split(">")[1:]:
            families.setdefault("".join(record.split("\n")[1:]), path.stem)
    documents = [[protein[at : at + 3] for at in range(len(protein) - 2)] for protein in families]
    return documents, accuracy(documents, list(families.values()))


def imdb(shared: Path, args: argparse.Namespace) -> tuple[Documents, Measure]:
    documents, labels = [], []
    for label in ("pos", "neg"):
        for _, line in zip(range(args.reviews // 2), lines_of(shared / f"imdb/train_{label}.txt.xz"), strict=False):
            documents.append(words_of(line))
            labels.append(label)
    return documents, accuracy(documents, labels)


def newsgroups(shared: Path, args: argparse.Namespace) -> tuple[Documents, Measure]:
    signs = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
    documents, labels = [], []
    for line in lines_of(shared / "newsgroups/train.tsv.xz"):
        label, _, text = line.partition("\t")
        text = re.sub(r"\\(.)", lambda found: signs[found[1]], text)
        documents.append(words_of(text.partition("\n\n")[2]))  # without its header, which names the group
        labels.append(label)
    return documents, accuracy(documents, labels)


def wiki(shared: Path, args: argparse.Namespace) -> tuple[Documents, Measure]:
    documents, words = [], 0
    with open(args.wiki, encoding="utf-8") as file:
        for line in file:
            documents.append(line.split())
            words += len(documents[-1])
            if words >= args.wiki_words:
                break
    pairs = shared / "eval/word-sim/EN-MEN-TR-3k.txt"
    return documents, lambda vectors: float(vectors.evaluate_word_pairs(pairs)[1][0])


CORPORA = {f.__name__: f for f in (clinical, proteins, imdb, newsgroups, wiki)}


def grid(documents: Documents, min_count: int, workers: int) -> Iterator[tuple[str, KeyedVectors]]:
    shared: dict[str, Any] = {"min_count": min_count, "workers": workers, "progress": False}
    for size in (100, 300):
        for epochs in (5, 20) if sum(map(len, documents)) < 3_000_000 else (5,):
            model = Word2Vec(documents, sg=1, vector_size=size, epochs=epochs, **shared)
            yield f"skip-gram {size} epochs {epochs}", model.wv
    for window in (2, 5):
        whole = PPMI(documents, window=window, vector_size=300, **shared).wv
        for size in (100, 300):
            yield f"PPMI {size} window {window}", first_of(whole, size)
    whole = LSA(documents, vector_size=300, **shared).wv
    for size in (100, 300):
        yield f"LSA {size}", first_of(whole, size)


def first_of(vectors: KeyedVectors, size: int) -> KeyedVectors:
    cut = np.ascontiguousarray(vectors.vectors[:, :size])
    return KeyedVectors.from_arrays(vectors.key_to_index, cut, vectors.expandos)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--corpora", nargs="+", choices=list(CORPORA), default=list(CORPORA))
    parser.add_argument("--wiki")
    parser.add_argument("--wiki-words", type=int, default=3_000_000)
    parser.add_argument("--reviews", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    table = []
    for name in args.corpora:
        documents, measured = CORPORA[name](args.shared, args)
        start = time.process_time()
        found = advise(documents, seconds=args.seconds, workers=args.workers)
        spent = time.process_time() - start
        print(f"\n{name}\n{found}", flush=True)
        family = {"SGNS": Word2Vec, "PPMI": PPMI, "LSA": LSA}[found.model]
        chosen = measured(family(documents, workers=args.workers, progress=False, **found.settings).wv)
        scores = {}
        for one, vectors in grid(documents, found.settings["min_count"], args.workers):
            scores[one] = measured(vectors)
            print(f"  {one:<26} {scores[one]:.4f}", flush=True)
        best = max(scores, key=scores.__getitem__)
        table.append(
            {
                "corpus": name,
                "words": found.words,
                "advice": f"{found.model} {found.settings}",
                "its score": chosen,
                "best of the grid": f"{best} {scores[best]:.3f}",
                "worst": min(scores.values()),
                "ratio": chosen / scores[best],
                "seconds of processor": spent,
            }
        )
        print(format_table(table), flush=True)


if __name__ == "__main__":
    main()
