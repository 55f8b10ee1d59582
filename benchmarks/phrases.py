"""Phrases and dictionaries beside gensim: counting, joining, training on what is joined, and which division is right.

    python benchmarks/phrases.py CORPUS [--questions questions-phrases.txt] [--only PART ...]

Each figure comes from a process of its own, so that memory and caches are its own. Needs gensim (the ``bench`` extra).
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import machine, table

SPEED = ["count-gensim", "count", "apply-gensim", "apply", "lists-gensim", "lists", "train", "train-phrases", "terms"]


def count_gensim(corpus):
    from gensim.models.phrases import Phrases
    from gensim.models.word2vec import LineSentence

    return Phrases(LineSentence(corpus, max_sentence_length=10**9)).corpus_word_count


def count(corpus):
    from w2v import Phrases

    return Phrases(corpus_file=corpus).corpus_word_count


def frozen_gensim(corpus):
    from gensim.models.phrases import Phrases
    from gensim.models.word2vec import LineSentence

    return Phrases(LineSentence(corpus, max_sentence_length=10**9)).freeze()


def frozen(corpus):
    from w2v import Phrases

    found = Phrases(corpus_file=corpus).freeze()
    _ = found.levels
    return found


def write_gensim(phrases, corpus, out):
    from gensim.models.word2vec import LineSentence

    with open(out, "w", encoding="utf-8") as file:
        for sentence in phrases[LineSentence(corpus, max_sentence_length=10**9)]:
            file.write(" ".join(sentence) + "\n")


def write(phrases, corpus, out):
    from w2v.common.cores import core_count
    from w2v.terms.rewriting import rewrite
    from w2v.text.corpus import Corpus

    rewrite(phrases, Corpus(corpus, True), out, core_count())


def lists_of(corpus):
    with open(corpus, encoding="utf-8") as file:
        return [line.split() for line, _ in zip(file, range(150_000), strict=False)]


def dictionary(corpus, size=100_000):
    """Terms of one to four words as they stand in the corpus, and as many that do not."""
    draw, terms = random.Random(1), {}
    with open(corpus, encoding="utf-8") as file:
        for line in file:
            words = line.split()
            for _ in range(2):
                at, length = draw.randrange(len(words)), draw.randint(1, 4)
                terms.setdefault(" ".join(words[at : at + length]), f"C{len(terms)}")
            if len(terms) >= size // 2:
                break
    while len(terms) < size:
        terms[f"never {len(terms)}"] = f"C{len(terms)}"
    return terms


def measured(part, corpus):
    """Seconds and words of one part, and the most memory that it took beyond what it began with."""
    words = 0
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.txt")
        made = None
        if part.startswith(("apply", "lists")):
            made = (frozen_gensim if part.endswith("gensim") else frozen)(corpus)
        if part.startswith("lists"):
            sentences = lists_of(corpus)
            words = sum(map(len, sentences))
        if part == "train-phrases":
            made = frozen(corpus)
        if part == "terms":
            from w2v import TermMap

            made = TermMap(dictionary(corpus))
        started = time.perf_counter()
        match part:
            case "count-gensim":
                words = count_gensim(corpus)
            case "count":
                words = count(corpus)
            case "apply-gensim":
                write_gensim(made, corpus, out)
            case "apply":
                write(made, corpus, out)
            case "lists-gensim" | "lists":
                for _ in made[sentences]:
                    pass
            case "train" | "train-phrases":
                from w2v import Word2Vec

                Word2Vec(corpus_file=corpus, sg=1, workers=2, phrases=made, progress=False)
            case "terms":
                words = made.report(corpus_file=corpus).words
        seconds = time.perf_counter() - started
    return {"seconds": seconds, "words": words, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def right_phrases(corpus, gold, scoring):
    """How many phrases are joined, and how many of them are in a list, for each mode and a row of thresholds."""
    from w2v import Phrases
    from w2v.common.cores import core_count
    from w2v.terms.dividing import LevelStream
    from w2v.tokens.words import Numbered

    found = Phrases(corpus_file=corpus, scoring=scoring, threshold=0.1 if scoring == "npmi" else 1, min_count=5)
    results = []
    for threshold in (0.1, 0.2, 0.3, 0.4, 0.5) if scoring == "npmi" else (1, 3, 10, 30, 100):
        found.threshold = threshold
        for mode in ("greedy", "best"):
            found.mode = mode
            numbered = Numbered(corpus, True, core_count())
            stream = LevelStream(found.levels[0], numbered.words)
            for tokens, ends, *_ in numbered:
                stream.feed(tokens, ends)
            counts = dict(zip(found.levels[0].outputs, stream.terms_found().tolist(), strict=True))
            right = sum(counts.get(phrase, 0) for phrase in gold)
            kinds = sum(counts.get(phrase, 0) > 0 for phrase in gold)
            results.append([scoring, threshold, mode, sum(counts.values()), right, kinds])
    return results


def gold_of(path):
    words = Path(path).read_text(encoding="utf-8").lower().split()
    return {word for word in words if word.count("_") == 1}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("--questions")
    parser.add_argument("--only", nargs="*", default=SPEED)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        print(json.dumps(measured(args.part, args.corpus)))
        return
    print(machine(), flush=True)
    rows = [["part", "seconds", "peak MB"]]
    for part in args.only:
        done = subprocess.run(
            [sys.executable, __file__, args.corpus, "--part", part], check=True, stdout=subprocess.PIPE, text=True
        )
        found = json.loads(done.stdout.splitlines()[-1])
        rows.append([part, f"{found['seconds']:.2f}", f"{found['peak_mb']:.0f}"])
        rate = f", {found['words'] / found['seconds'] / 1e6:.1f} M words/s" if found["words"] else ""
        print(f"{part}: {found['seconds']:.2f} s, {found['peak_mb']:.0f} MB{rate}", flush=True)
    print(table(rows))
    if args.questions:
        gold = gold_of(args.questions)
        head = ["scoring", "threshold", "mode", "joined", f"of {len(gold)} listed", "different ones"]
        results = [row for scoring in ("npmi", "default") for row in right_phrases(args.corpus, gold, scoring)]
        print(table([head, *[list(map(str, row)) for row in results]]))


if __name__ == "__main__":
    main()
