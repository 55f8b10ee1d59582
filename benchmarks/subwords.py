"""word2vec, subwords, gensim's FastText and fastText itself on one token stream: speed, word similarity, analogies.

    python benchmarks/subwords.py TEXT --similarity FOLDER [--questions FILE] [--speed] [--results FILE]
                                  [--systems w2v shared word2vec gensim fasttext] [--epochs 5] [--seeds 1 2 3]
                                  [--workers 2] [--bucket 2000000] [--python PATH]
    python benchmarks/subwords.py --table FILE

TEXT has a sentence in each line. Words below `min_count` are taken out first: fastText counts them in the length of the
corpus, but not in its progress through it, so that five epochs of wiki17 would be 5.1. fastText puts the word ``</s>``
behind each line; the others read a text that has it, so that all have the same words, and the sizes of the vocabularies
are compared. ``w2v`` is `FastText`, ``shared`` the same with the noise words of a window in common, ``word2vec`` plain
skip-gram with its own defaults; all others draw noise words by the square root of counts, since fastText knows no other
way. Scores are Spearman's correlations times 100 over
the pairs of known words, over all pairs of rare words, unknown ones included ("RW, all"; systems with n-grams alone),
and per cent of semantic and of syntactic analogies.

Speed is raw words per second of the epochs alone. fastText reads and trains in one call: the time of a call without
epochs is taken off. ``--speed`` leaves the scores out. Each run is a line of JSON in `--results`; ``--table`` prints
such a file as means and standard deviations over seeds. `--python` is the interpreter that has the fasttext package, if
it is another one.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from common import machine, table, write_sentences

OPTIONS = {"sg": 1, "vector_size": 100, "window": 5, "min_count": 5, "negative": 5, "sample": 1e-4, "alpha": 0.05}
SYSTEMS = ("w2v", "shared", "word2vec", "gensim", "fasttext")

# The package takes the seed, but has no parameter for it: it stands among the defaults.
THEIRS = """
import json, sys, time, fasttext
text, out, epochs, threads, bucket, seed = json.loads(sys.argv[1])
given = dict(model="skipgram", dim=100, ws=5, minCount=5, neg=5, t=1e-4, lr=0.05, bucket=bucket, thread=threads)
fasttext.FastText.unsupervised_default["seed"] = seed
seconds = []
for n in (0, epochs):
    began = time.time()
    model = fasttext.train_unsupervised(text, epoch=n, verbose=0, **given)
    seconds.append(time.time() - began)
if out:
    model.save_model(out)
print(json.dumps((seconds[1] - seconds[0]) / epochs))
"""


def write_streams(text, folder):
    """Write the frequent words of a text, for fastText, and with the word that it puts behind each line; how many."""
    with text.open(encoding="utf-8") as lines:
        counts = Counter(word for line in lines for word in line.split())
    frequent = {word for word, count in counts.items() if count >= OPTIONS["min_count"]}
    for name, ends in (("plain.txt", []), ("ends.txt", ["</s>"])):
        with text.open(encoding="utf-8") as lines:
            write_sentences(
                ([word for word in line.split() if word in frequent] + ends for line in lines), folder / name
            )
    return sum(counts[word] for word in frequent)


def trained(system, given, seed, folder):
    """The vectors of a system, and the seconds of an epoch."""
    import w2v

    epochs, workers, bucket = given.epochs, given.workers, given.bucket
    text = str(folder / ("plain.txt" if system == "fasttext" else "ends.txt"))
    if system == "fasttext":
        out = "" if given.speed else str(folder / "theirs.bin")
        call = json.dumps([text, out, epochs, workers, bucket, seed])
        done = subprocess.run([given.python, "-c", THEIRS, call], stdout=subprocess.PIPE, text=True, check=True)
        return w2v.load_facebook_vectors(out) if out else None, float(done.stdout)
    options = OPTIONS | {"epochs": epochs, "workers": workers, "seed": seed}
    if system == "gensim":
        from gensim.models import FastText

        model = FastText(bucket=bucket, ns_exponent=0.5, **options)
    elif system == "word2vec":
        model = w2v.Word2Vec(progress=False, **options)
    else:
        options |= {"ns_exponent": 0.5, "shared_negatives": system == "shared"}
        model = w2v.FastText(bucket=bucket, progress=False, **options)
    model.build_vocab(corpus_file=text)
    began = time.time()
    model.train(
        corpus_file=text, total_examples=model.corpus_count, total_words=model.corpus_total_words, epochs=epochs
    )
    return model.wv, (time.time() - began) / epochs


def scores(wv, similarity, questions):
    """{set: score}, {set: per cent of the pairs unknown}"""
    found, unknown = {}, {}
    for pairs in sorted(similarity.glob("*.txt")):
        if pairs.stem != "LICENSE":
            name = pairs.stem.removeprefix("EN-")
            _, spearman, unknown[name] = wv.evaluate_word_pairs(str(pairs))
            found[name] = 100 * float(spearman[0])
            if "RW" in name and getattr(wv, "bucket", 0):
                found["RW, all"] = of_all_pairs(wv, pairs)
    if questions:
        _, sections = wv.evaluate_word_analogies(str(questions))
        for name, syntactic in (("semantic", False), ("syntactic", True)):
            chosen = [s for s in sections if s["section"].startswith("gram") == syntactic]
            chosen = [s for s in chosen if s["section"] != "Total accuracy"]
            right = sum(len(s["correct"]) for s in chosen)
            found[name] = 100 * right / max(right + sum(len(s["incorrect"]) for s in chosen), 1)
    return found, unknown


def of_all_pairs(wv, pairs):
    """Spearman's correlation over all pairs, those with unknown words included."""
    from scipy.stats import spearmanr

    lines = [line.split("\t") for line in pairs.read_text(encoding="utf-8").splitlines() if line.strip()]
    cosines = [wv.similarity(first.lower(), second.lower()) for first, second, _ in lines]
    return 100 * float(spearmanr(cosines, [float(score) for *_, score in lines])[0])


def print_table(path):
    """Means and standard deviations over seeds of the runs in a file of results."""
    runs = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    systems = [system for system in SYSTEMS if any(run["system"] == system for run in runs)]
    rows = [["", *systems]]

    def row(name, values, digits):
        cells = []
        for system in systems:
            found = [value for run in runs if run["system"] == system and (value := values(run)) is not None]
            spread = f" ± {statistics.stdev(found):,.{digits}f}" if len(found) > 1 else ""
            cells.append(f"{statistics.mean(found):,.{digits}f}{spread}" if found else "-")
        rows.append([name, *cells])

    row("words", lambda run: run["vocabulary"], 0)
    row("words/s, thousands", lambda run: run["words_per_second"] / 1000, 0)
    for name in sorted({name for run in runs for name in run["scores"]}):
        row(name, lambda run, name=name: run["scores"].get(name), 1)
    print(table(rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path, nargs="?")
    parser.add_argument("--similarity", type=Path, help="folder of tab separated pairs")
    parser.add_argument("--questions", type=Path, help="analogies, in sections")
    parser.add_argument("--systems", nargs="+", default=SYSTEMS, choices=SYSTEMS)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--bucket", type=int, default=2_000_000)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--table", type=Path)
    given = parser.parse_args()
    if given.table:
        return print_table(given.table)
    if given.text is None or (given.similarity is None and not given.speed):
        parser.error("give a text, and --similarity FOLDER or --speed")
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = write_streams(given.text, folder)
        for seed in given.seeds:
            for system in given.systems:
                wv, seconds = trained(system, given, seed, folder)
                run = {"system": system, "seed": seed, "words_per_second": words / seconds, "scores": {}}
                run["vocabulary"] = None if wv is None else len(wv.key_to_index)
                if not given.speed:
                    run["scores"], run["unknown"] = scores(wv, given.similarity, given.questions)
                line = json.dumps(run)
                print(line, flush=True)
                if given.results:
                    with given.results.open("a", encoding="utf-8") as file:
                        file.write(line + "\n")
                del wv
    return None


if __name__ == "__main__":
    main()
