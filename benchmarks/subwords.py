"""word2vec, subwords, gensim's FastText and fastText itself on one token stream: speed, word similarity, analogies.

    python benchmarks/subwords.py TEXT --similarity FOLDER [--questions FILE] [--systems w2v word2vec gensim fasttext]
                                  [--epochs 5] [--seeds 1 2 3] [--workers 2] [--bucket 2000000] [--python PATH]

TEXT has a sentence in each line; every system reads the same lines, and the sizes of the vocabularies are printed
(fastText has ``</s>`` as well). Speed is raw words per second of the epochs alone; fastText reads and trains in one
call, so the time of a run of one epoch is taken from that of a run of all. Scores are Spearman's correlations times 100
over pairs of known words, and per cent of semantic and of syntactic analogies. `--python` is the interpreter that has
the fasttext package, if it is another one.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OPTIONS = {"sg": 1, "vector_size": 100, "window": 5, "min_count": 5, "negative": 5, "sample": 1e-4, "alpha": 0.05}

THEIRS = """
import json, sys, time, fasttext
text, out, epochs, threads, bucket, seed = json.loads(sys.argv[1])
given = dict(model="skipgram", dim=100, ws=5, minCount=5, neg=5, t=1e-4, lr=0.05, bucket=bucket, thread=threads)
seconds = []
for n in (1, epochs):
    began = time.time()
    model = fasttext.train_unsupervised(text, epoch=n, verbose=0, **given)
    seconds.append(time.time() - began)
model.save_model(out)
print(json.dumps((seconds[1] - seconds[0]) / max(1, epochs - 1) if epochs > 1 else seconds[0]))
"""


def trained(system, text, epochs, workers, bucket, seed, folder, python):
    """The vectors of a system, and the seconds of an epoch."""
    import w2v

    if system == "fasttext":
        out = Path(folder) / "theirs.bin"
        given = json.dumps([str(text), str(out), epochs, workers, bucket, seed])
        done = subprocess.run([python, "-c", THEIRS, given], capture_output=True, text=True, check=True)
        return w2v.load_facebook_vectors(out), float(done.stdout)
    options = OPTIONS | {"epochs": epochs, "workers": workers, "seed": seed}
    if system == "gensim":
        import gensim

        model = gensim.models.FastText(bucket=bucket, **options)
    elif system == "w2v":
        model = w2v.FastText(bucket=bucket, progress=False, **options)
    else:
        model = w2v.Word2Vec(progress=False, **options)
    model.build_vocab(corpus_file=str(text))
    began = time.time()
    model.train(
        corpus_file=str(text), total_examples=model.corpus_count, total_words=model.corpus_total_words, epochs=epochs
    )
    return model.wv, (time.time() - began) / epochs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--similarity", type=Path, required=True, help="folder of tab separated pairs")
    parser.add_argument("--questions", type=Path, help="analogies, in sections")
    parser.add_argument("--systems", nargs="+", default=["w2v", "word2vec", "gensim", "fasttext"])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--bucket", type=int, default=2_000_000)
    parser.add_argument("--python", default=sys.executable)
    given = parser.parse_args()
    with open(given.text, "rb") as file:
        words = sum(len(line.split()) for line in file)
    with tempfile.TemporaryDirectory() as folder:
        for seed in given.seeds:
            for system in given.systems:
                wv, seconds = trained(
                    system, given.text, given.epochs, given.workers, given.bucket, seed, folder, given.python
                )
                row = [
                    f"seed {seed}",
                    f"{system:9}",
                    f"{len(wv.key_to_index):,} words",
                    f"{words / seconds:,.0f} words/s",
                ]
                for pairs in sorted(given.similarity.glob("*.txt")):
                    _, spearman, oov = wv.evaluate_word_pairs(str(pairs))
                    row.append(f"{pairs.stem} {100 * spearman[0]:.1f} ({oov:.0f} % unknown)")
                if given.questions:
                    _, sections = wv.evaluate_word_analogies(str(given.questions))
                    for name, syntactic in (("semantic", False), ("syntactic", True)):
                        chosen = [s for s in sections if s["section"].startswith("gram") == syntactic]
                        chosen = [s for s in chosen if s["section"] != "Total accuracy"]
                        right = sum(len(s["correct"]) for s in chosen)
                        asked = right + sum(len(s["incorrect"]) for s in chosen)
                        row.append(f"{name} {100 * right / max(asked, 1):.1f} of {asked:,}")
                print("; ".join(row), flush=True)


if __name__ == "__main__":
    main()
