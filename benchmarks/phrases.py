"""Phrases and dictionaries beside gensim: counting, joining, training on what is joined, and which division is right.

    python benchmarks/phrases.py CORPUS [--rounds N] [--only PART ...]
    python benchmarks/phrases.py CORPUS --gold LIST ...

Each figure comes from a process of its own, so that memory and caches are its own. The parts take turns, round after
round, and what is printed is the median: so all of them meet the same other work on the machine. Needs gensim (the
``bench`` extra). A list of right phrases has one a line, or is questions-phrases.txt, a dictionary ``.tsv`` or a file
of CLEVER's terms; its words may stand apart or be joined by underscores.
"""

import argparse
import json
import os
import pickle
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import machine, table

SPEED = [
    "count-gensim", "count", "apply-gensim", "apply", "lists-gensim", "lists", "train", "train-phrases", "terms",
    "terms-million",
]  # fmt: skip


def count_gensim(corpus):
    from gensim.models.phrases import Phrases
    from gensim.models.word2vec import LineSentence

    return Phrases(LineSentence(corpus, max_sentence_length=10**9))


def count(corpus):
    from w2v import Phrases

    return Phrases(corpus_file=corpus)


def frozen_gensim(folder):
    return pickle.loads(Path(folder, "gensim.pickle").read_bytes())


def frozen(folder):
    from w2v import Phrases

    found = Phrases.load(Path(folder, "phrases.json"))
    _ = found.joiner
    return found


def prepare(corpus, folder):
    """The phrases of both, in files."""
    Path(folder, "gensim.pickle").write_bytes(pickle.dumps(count_gensim(corpus).freeze()))
    count(corpus).freeze().save(Path(folder, "phrases.json"))


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


def measured(part, corpus, folder):
    """Seconds, words of the corpus, and the most memory, of one part."""
    words, made, sentences = 0, None, []
    out = os.path.join(folder, "out.txt")
    if part.startswith(("apply", "lists")) or part == "train-phrases":
        made = (frozen_gensim if part.endswith("gensim") else frozen)(folder)
    if part.startswith("lists"):
        sentences = lists_of(corpus)
        words = sum(map(len, sentences))
    seconds = {}
    if part.startswith("terms"):
        from w2v import TermMap

        entries = dictionary(corpus, 1_000_000 if part.endswith("million") else 100_000)
        started = time.perf_counter()
        made = TermMap(entries)
        _ = made.joiner
        seconds["build"] = time.perf_counter() - started
    started = time.perf_counter()
    match part:
        case "count-gensim":
            words = count_gensim(corpus).corpus_word_count
        case "count":
            words = count(corpus).corpus_word_count
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
        case "terms" | "terms-million":
            words = made.report(corpus_file=corpus).words
    seconds["seconds"] = time.perf_counter() - started
    return {**seconds, "words": words, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def rounds_of(args):
    """The medians of all parts, which take turns."""
    found = {part: [] for part in args.only}
    with tempfile.TemporaryDirectory() as folder:
        # Not in this process: a child begins with the peak of its parent.
        subprocess.run([sys.executable, __file__, args.corpus, "--part", "prepare", "--folder", folder], check=True)
        for _ in range(args.rounds):
            for part in args.only:
                done = subprocess.run(
                    [sys.executable, __file__, args.corpus, "--part", part, "--folder", folder],
                    check=True,
                    stdout=subprocess.PIPE,
                    text=True,
                )
                found[part].append(json.loads(done.stdout.splitlines()[-1]))
                print(part, found[part][-1], flush=True)
    rows = [["part", "seconds", "least", "most", "M words/s", "peak MB"]]
    for part, results in found.items():
        seconds = [result["seconds"] for result in results]
        median, words = statistics.median(seconds), results[0]["words"]
        rate = f"{words / median / 1e6:.1f}" if words else ""
        peak = max(result["peak_mb"] for result in results)
        rows.append([part, f"{median:.2f}", f"{min(seconds):.2f}", f"{max(seconds):.2f}", rate, f"{peak:.0f}"])
    print(table(rows))
    for part in args.only:
        if (beside := f"{part}-gensim") in found or (beside := "train" if part == "train-phrases" else "") in found:
            ratios = [one["seconds"] / two["seconds"] for one, two in zip(found[beside], found[part], strict=True)]
            print(f"{beside} / {part}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


# --- right phrases ----------------------------------------------------------------------------------------------


def gold_of(path):
    """The two-word phrases of a list, joined by an underscore."""
    text = Path(path).read_text(encoding="utf-8", errors="replace").lower()
    if "questions-phrases" in path:
        terms = text.split()
    elif "|" in text.split("\n", 1)[0]:
        terms = [line.split("|")[1] for line in text.splitlines() if line.count("|") == 2]
    else:
        terms = [line.split("\t")[0] for line in text.splitlines()]
    found = {"_".join(re.split(r"[\s_]+", term.strip())) for term in terms}
    return {term for term in found if term.count("_") == 1}


class Joining:
    """A text as numbers, and what is joined in it for a mode and a threshold."""

    def __init__(self, corpus, scoring):
        from w2v import Phrases
        from w2v.common.cores import core_count
        from w2v.tokens.words import Numbered

        self.phrases = Phrases(corpus_file=corpus, scoring=scoring, threshold=0.05 if scoring == "npmi" else 0.5)
        self.numbered = Numbered(corpus, True, core_count())
        self.batches = [(batch.tokens, batch.ends) for batch in self.numbered]

    def __call__(self, mode, threshold):
        self.phrases.mode, self.phrases.threshold = mode, threshold
        stream = self.phrases.stream(self.numbered.words)
        for batch in self.batches:
            stream.feed(*batch)
        return dict(zip(self.phrases.joiner.outputs, stream.terms_found().tolist(), strict=True))

    def best_with(self, joined, threshold):
        """A threshold below this one at which the best divisions have about so many phrases, and what they are."""
        low, high = 0.7 * threshold, threshold
        for _ in range(7):
            middle = (low + high) / 2
            if sum(self("best", middle).values()) > joined:
                low = middle
            else:
                high = middle
        return high, self("best", high)


def right_phrases(corpus, golds, scoring):
    """How many phrases of each list are joined by both modes, at one threshold and at an equal count of phrases."""
    joining = Joining(corpus, scoring)
    rows = []
    for threshold in (0.1, 0.2, 0.3, 0.4, 0.5) if scoring == "npmi" else (1, 3, 10, 30, 100):
        greedy, best = joining("greedy", threshold), joining("best", threshold)
        equal_at, equal = joining.best_with(sum(greedy.values()), threshold)
        for name, counts in (("greedy", greedy), ("best", best), (f"best above {equal_at:.4g}", equal)):
            right = [str(sum(counts.get(phrase, 0) for phrase in gold)) for gold in golds.values()]
            rows.append([scoring, str(threshold), name, str(sum(counts.values())), *right])
        for gold in golds.values():
            other = {phrase: (greedy.get(phrase, 0), best.get(phrase, 0)) for phrase in gold}
            changed = sorted((b - a, phrase) for phrase, (a, b) in other.items() if a != b)
            print(scoring, threshold, "least and most gained by best:", changed[:5], changed[-5:])
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("--gold", nargs="*", default=[])
    parser.add_argument("--only", nargs="*", default=SPEED)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part == "prepare":
        prepare(args.corpus, args.folder)
        return
    if args.part:
        print(json.dumps(measured(args.part, args.corpus, args.folder)))
        return
    print(machine(), flush=True)
    if args.gold:
        golds = {Path(path).name: gold_of(path) for path in args.gold}
        head = [
            "scoring",
            "threshold",
            "mode",
            "joined",
            *(f"of {len(gold)} in {name}" for name, gold in golds.items()),
        ]
        rows = [row for scoring in ("npmi", "default") for row in right_phrases(args.corpus, golds, scoring)]
        print(table([head, *rows]))
    else:
        rounds_of(args)


if __name__ == "__main__":
    main()
