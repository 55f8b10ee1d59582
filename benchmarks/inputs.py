"""How fast texts come in: columns and data sets against a text file and gensim, tokenizers against simple_preprocess.

    python benchmarks/inputs.py [--words 5000000] [--repeat 3] [--clock wall] [--json OUT]

Reading alone is timed, which is what differs: from the source to counted and numbered words, by one thread, the best of
some runs. gensim's is `build_vocab` on what its users write for the same source; it has to read again in each epoch.
``--clock cpu`` takes the time of all threads of the process, for machines that others use, too. Needs gensim, pyarrow,
pandas and datasets; a source whose package is missing is left out.
"""

import argparse
import json
import random
import tempfile
import time
from pathlib import Path

from w2v import Texts
from w2v.tokens.encode import Scan

LINE = 20  # words
SYLLABLES = ["ka", "lo", "mi", "nu", "re", "sta", "vo", "ben", "dra", "qui", "tel", "por"]


def vocabulary(size, rng):
    return sorted({"".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(size)})


def raw_lines(words, rng):
    """Prose of made-up words, with capitals and punctuation, frequent words as frequent as in English."""
    names = vocabulary(60_000, rng)
    rng.shuffle(names)
    weights = [1 / (rank + 10) for rank in range(len(names))]
    lines = []
    for _ in range(words // LINE):
        line = rng.choices(names, weights, k=LINE)
        line[0], line[9] = line[0].capitalize(), line[9] + ","
        lines.append(" ".join(line) + rng.choice(".!?"))
    return lines


CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def best(run, repeat, clock):
    times = []
    for _ in range(repeat):
        start = clock()
        run()
        times.append(clock() - start)
    return min(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=int, default=5_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    lines = raw_lines(args.words, random.Random(1))
    walks = [random.Random(2).choices(range(50_000), k=LINE) for _ in range(args.words // LINE)]
    with tempfile.TemporaryDirectory() as folder:
        speeds = {}
        for name, run in runs(lines, walks, Path(folder)):
            speeds[name] = args.words / best(run, args.repeat, CLOCKS[args.clock])
            print(f"{name:<36} {speeds[name] / 1e6:8.2f} million words/s", flush=True)
    report(speeds, args.json)


def runs(lines, walks, folder):
    """Each way to read, with its name."""
    text = folder / "raw.txt"
    text.write_text("\n".join(lines) + "\n", encoding="utf-8")
    yield "text file", lambda: Scan(text, True)
    for tokenizer in ("simple", "simple_preprocess"):
        yield f"text file, {tokenizer}", lambda tokenizer=tokenizer: Scan(Texts(text, tokenizer), False)
    yield "list of texts", lambda: Scan(Texts(lines), False)
    yield "list of texts, simple", lambda: Scan(Texts(lines, "simple"), False)
    yield "walks, lists of int", lambda: Scan(walks, False)
    import numpy as np

    array = np.array(walks)
    yield "walks, one array", lambda: Scan(array, False)
    jsonl = folder / "raw.jsonl"
    jsonl.write_text("".join(json.dumps({"text": line}) + "\n" for line in lines), encoding="utf-8")
    yield "JSON lines", lambda: Scan(Texts(jsonl, field="text"), False)
    try:
        import pyarrow
        from pyarrow import parquet

        tokens = [line.split() for line in lines]
        for name, table in (("strings", pyarrow.table({"x": lines})), ("lists", pyarrow.table({"x": tokens}))):
            path = folder / f"{name}.parquet"
            parquet.write_table(table, path)
            yield f"Parquet, {name}", lambda path=path: Scan(Texts(path), False)
        import pandas

        series, objects = pandas.Series(lines), pandas.Series(lines, dtype=object)
        yield "pandas", lambda: Scan(Texts(series), False)
        yield "pandas, objects", lambda: Scan(Texts(objects), False)
        import datasets

        data = datasets.Dataset.from_dict({"x": lines})
        yield "data set", lambda: Scan(Texts(data, column="x"), False)
    except ImportError as error:
        print(f"left out: {error}")
        series = data = None
    try:
        from gensim.models import Word2Vec
        from gensim.utils import simple_preprocess
    except ImportError as error:
        print(f"left out: {error}")
        return

    def gensim_reads(sentences):
        Word2Vec(vector_size=1, min_count=5, workers=1).build_vocab(sentences)

    yield "gensim, simple_preprocess alone", lambda: [simple_preprocess(line) for line in lines] and None
    yield "gensim, simple_preprocess", lambda: gensim_reads(simple_preprocess(line) for line in lines)
    yield "gensim, walks", lambda: gensim_reads(walks)
    if data is not None:
        yield "gensim, pandas", lambda: gensim_reads(text.split() for text in series)
        yield "gensim, data set", lambda: gensim_reads(row["x"].split() for row in data)


RATIOS = [
    ("Parquet, strings", "text file", 0.8),
    ("Parquet, lists", "text file", 0.8),
    ("pandas", "gensim, pandas", 5),
    ("pandas, objects", "gensim, pandas", 5),
    ("data set", "gensim, data set", 5),
    ("walks, lists of int", "gensim, walks", None),
    ("list of texts, simple", "gensim, simple_preprocess alone", 20),
    ("text file, simple", "gensim, simple_preprocess alone", 20),
    ("text file, simple_preprocess", "gensim, simple_preprocess alone", 20),
    ("text file, simple_preprocess", "gensim, simple_preprocess", None),
]


def report(speeds, path):
    ratios = {}
    for one, other, goal in RATIOS:
        if one in speeds and other in speeds:
            ratios[f"{one} / {other}"] = ratio = speeds[one] / speeds[other]
            aim = "" if goal is None else f"   goal {goal:g}: {'reached' if ratio >= goal else 'missed'}"
            print(f"{one + ' / ' + other:<68} {ratio:6.2f}{aim}")
    if path is not None:
        path.write_text(json.dumps({"words_per_second": speeds, "ratios": ratios}, indent=1) + "\n")


if __name__ == "__main__":
    main()
