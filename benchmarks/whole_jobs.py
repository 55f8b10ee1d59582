"""Whole jobs beside gensim: vocabulary, text to saved vectors, lists to vectors, analogies, the import.

    python benchmarks/whole_jobs.py CORPUS [--eval FOLDER] [--words 5000000] [--workers 2] [--repeat 3]

`--words` bounds the corpus of the first row alone; the others use all of it, for five epochs. Both systems save
word2vec binary vectors. gensim stands with the faster of its two ways to take text. FOLDER holds questions-words.txt.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import common

ANALOGIES = """
import json, sys, time
if sys.argv[1] == "gensim":
    from gensim.models import KeyedVectors
else:
    from w2v import KeyedVectors
vectors = KeyedVectors.load_word2vec_format(sys.argv[2], binary=True)
start = time.perf_counter()
score, _ = vectors.evaluate_word_analogies(sys.argv[3], restrict_vocab=len(vectors))
print(json.dumps([time.perf_counter() - start, score]))
"""

IMPORT = """
import json, time
start = time.perf_counter()
{}
print(json.dumps(time.perf_counter() - start))
"""


def output_of(*command: str) -> object:
    done = subprocess.run([sys.executable, "-c", *command], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", help="text, one sentence per line; may be compressed")
    parser.add_argument("--eval", help="also answer FOLDER/questions-words.txt")
    parser.add_argument("--words", type=int, default=5_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", help="where the corpus and the vectors are kept")
    arguments = parser.parse_args()
    folder = common.work_folder(arguments.folder)
    part = str(common.plain_slice(arguments.corpus, arguments.words, folder))
    whole = str(common.plain_slice(arguments.corpus, None, folder))
    print(f"{common.machine()}\n{arguments.workers} workers, best of {arguments.repeat}\n")
    rows = [["job", "w2v", "gensim", "ratio"]]

    def add(name: str, ours: float, theirs: float) -> None:
        rows.append([name, f"{ours:.3g} s", f"{theirs:.3g} s", f"{theirs / ours:.1f}x"])

    def spec(system: str, mode: str, corpus: str, epochs: int, **more: object) -> dict[str, object]:
        options = common.MODELS["sg-ns"]
        return {"system": system, "mode": mode, "corpus": corpus, "workers": arguments.workers, "seed": 1} | {
            "epochs": epochs, "options": options, **more
        }  # fmt: skip

    def best(key: str, *specs: dict[str, object], repeat: int = arguments.repeat) -> float:
        return min(common.measured(one)[key] for one in specs for _ in range(repeat))

    ways = ("sentences", "file")
    add(
        f"build_vocab, {arguments.words:,} words of text",
        best("vocabulary_seconds", spec("w2v", "file", part, 1)),
        best("vocabulary_seconds", *(spec("gensim", way, part, 1) for way in ways)),
    )
    saved = {system: str(folder / f"{system}-whole.bin") for system in ("w2v", "gensim")}
    add(
        "text to saved vectors, 5 epochs",
        best("saved_seconds", spec("w2v", "file", whole, 5, save=saved["w2v"])),
        best("saved_seconds", *(spec("gensim", way, whole, 5, save=saved["gensim"]) for way in ways), repeat=1),
    )
    add(
        "lists of str to vectors, 5 epochs",
        best("saved_seconds", spec("w2v", "lists", whole, 5)),
        best("saved_seconds", spec("gensim", "lists", whole, 5), repeat=1),
    )
    if arguments.eval:
        questions = str(Path(arguments.eval, "questions-words.txt"))
        found = {
            system: min(output_of(ANALOGIES, system, saved["w2v"], questions) for _ in range(arguments.repeat))
            for system in ("w2v", "gensim")
        }
        assert abs(found["w2v"][1] - found["gensim"][1]) < 0.001, found
        add("analogies, all words", found["w2v"][0], found["gensim"][0])
    statements = ("import w2v", "from gensim.models import Word2Vec", "from w2v import Word2Vec")
    times = [min(output_of(IMPORT.format(one)) for _ in range(5)) for one in statements]
    add("import w2v (gensim: Word2Vec)", times[0], times[1])
    add("from w2v import Word2Vec", times[2], times[1])
    print(common.table(rows))


if __name__ == "__main__":
    main()
