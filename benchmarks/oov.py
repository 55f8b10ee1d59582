"""Vectors of unknown words, policy by policy: how near do they come to the words that the true vector is near to?

    python benchmarks/oov.py TEXT [--epochs 5] [--bucket 2000000] [--words 2000] [--seed 1] [--workers 2]

A model of subwords is trained on TEXT without a tenth of its words, chosen by chance. For hidden words that occur 20
times or more, the ten nearest kept words of models that knew them are the truth: of one of subwords, and of plain
word2vec. A policy gives the hidden word a vector; the rank of a true neighbour is the number of kept words that are at
least as near to that vector. Printed are the share of words that a policy gives a vector, and mean and median rank over
all words, where a word without a vector counts as the zero vector does.

The dictionary has the inflected form of a kept word, by eight endings of English (``cars``: ``car``). The context is
the words around three occurrences. A random vector has the length of a mean row. "one by one" and "together" are the
two ways to use all policies: the first that has an answer, or the mean of all answers.
"""

import argparse
import statistics
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from common import machine, table

from w2v import FastText, Word2Vec

ENDINGS = [("ies", "y"), ("es", ""), ("s", ""), ("ed", "e"), ("ed", ""), ("ing", ""), ("ing", "e"), ("ly", "")]
CHAINS = {
    "dictionary": ["dictionary"],
    "casefold": ["casefold"],
    "phrase": ["phrase"],
    "nearest": ["nearest"],
    "context": ["context"],
    "subword": ["subword"],
    "subword+context": ["subword+context"],
    "one by one": ["dictionary", "casefold", "phrase", "subword", "nearest", "context", "zero"],
    "together": ["casefold", "dictionary+phrase+subword+context", "nearest", "zero"],
}


def inflections(words, known):
    """{word: the kept word that it is a form of}"""
    found = {}
    for word in words:
        stems = (word.removesuffix(ending) + other for ending, other in ENDINGS if word.endswith(ending))
        parent = next((stem for stem in stems if len(stem) > 2 and stem in known), None)
        if parent is not None:
            found[word] = parent
    return found


def contexts(sentences, hidden, reach=5, most=3):
    """The kept words around the first occurrences of each hidden word."""
    found, seen = defaultdict(list), Counter()
    for sentence in sentences:
        for at, word in enumerate(sentence):
            if word in hidden and seen[word] < most:
                seen[word] += 1
                near = sentence[max(0, at - reach) : at] + sentence[at + 1 : at + 1 + reach]
                found[word] += [other for other in near if other not in hidden]
    return found


def ranks(vector, units, rows):
    """For each row, how many words are at least as near to a vector; ties count half."""
    cosines = units @ (vector / max(np.linalg.norm(vector), 1e-30))
    wanted = cosines[rows][:, None]
    return (cosines > wanted).sum(axis=1) + 0.5 * (cosines == wanted).sum(axis=1) + 0.5


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--bucket", type=int, default=2_000_000)
    parser.add_argument("--words", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    print(machine(), flush=True)
    sentences = [line.split() for line in given.text.read_text(encoding="utf-8").splitlines()]
    options = {"sg": 1, "vector_size": 100, "window": 5, "min_count": 5, "sample": 1e-4, "alpha": 0.05}
    options |= {"epochs": given.epochs, "seed": given.seed, "workers": given.workers, "progress": False}
    whole = Word2Vec(sentences, **options)
    truths = {"subwords": FastText(sentences, bucket=given.bucket, **options), "word2vec": whole}
    rng = np.random.default_rng(given.seed)
    words = whole.wv.index_to_key
    hidden = {words[row] for row in rng.permutation(len(words))[: len(words) // 10].tolist()}
    known = [[word for word in sentence if word not in hidden] for sentence in sentences]
    model = FastText(known, bucket=given.bucket, **options)
    kept = model.wv.index_to_key
    asked = sorted(word for word in hidden if whole.wv.get_vecattr(word, "count") >= 20)
    asked = [asked[row] for row in rng.permutation(len(asked))[: given.words].tolist()]
    print(f"{len(words):,} words, {len(hidden):,} hidden, {len(asked):,} asked about", flush=True)
    near = contexts(sentences, hidden)
    terms = inflections(asked, model.wv.key_to_index)
    units = model.wv.get_normed_vectors()
    length = float(np.linalg.norm(model.wv.vectors, axis=1).mean())
    among = {name: truth.wv.get_normed_vectors()[truth.wv.rows_of(kept)] for name, truth in truths.items()}
    found, answered = defaultdict(lambda: {truth: [] for truth in truths}), defaultdict(Counter)
    for word in asked:
        chance = rng.standard_normal(model.vector_size)
        vectors = {"zero": np.zeros(model.vector_size), "random": length * chance / np.linalg.norm(chance)}
        for name, chain in CHAINS.items():
            try:
                vectors[name], policy, _ = model.wv.resolve(word, chain, terms=terms, context=near[word])
            except KeyError:
                vectors[name], policy = vectors["zero"], None
            answered[name][policy] += policy is not None
        for truth, units_of_truth in among.items():
            own = truths[truth].wv.get_vector(word, norm=True)
            rows = np.argpartition(units_of_truth @ own, -10)[-10:]
            for name, vector in vectors.items():
                found[name][truth].append(ranks(vector, units, rows).mean())
    lines = [["policy", "words", *(f"{what}, {truth}" for truth in truths for what in ("mean rank", "median"))]]
    for name in ("zero", "random", *CHAINS):
        share = answered[name].total() / len(asked) if name in CHAINS else 1
        cells = [f"{of(found[name][truth]):,.0f}" for truth in truths for of in (statistics.mean, statistics.median)]
        lines.append([name, f"{100 * share:.1f} %", *cells])
    print(table(lines))
    for name in ("one by one", "together"):
        print(f"{name}: " + ", ".join(f"{policy} {n:,}" for policy, n in answered[name].most_common()))


if __name__ == "__main__":
    main()
