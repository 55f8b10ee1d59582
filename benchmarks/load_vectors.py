"""Loading vectors beside gensim: a file of the size of GoogleNews's, in word2vec's two formats and in our own.

    python benchmarks/load_vectors.py [--words 3000000] [--size 300] [--text-words 300000] [--repeat 3]

The files are made in a temporary folder (12 bytes and 4 bytes per value: 7.6 GB by default), read once before, so that
they come from memory where there is enough, and deleted at the end. Every load is a process of its own; the median of
`--repeat` stands, with the range beside it. "mapped" is the native file with mmap="r", up to the first query's answer.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import common
import numpy as np

LOAD = """
import json, sys, time
if sys.argv[1] == "gensim":
    from gensim.models import KeyedVectors
else:
    from w2v import KeyedVectors
start = time.perf_counter()
kind, path = sys.argv[2:4]
if kind in ("text", "binary"):
    kv = KeyedVectors.load_word2vec_format(path, binary=kind == "binary")
else:
    kv = KeyedVectors.load(path, mmap="r" if kind == "mapped" else None)
kv.get_vector(kv.index_to_key[-1])
print(json.dumps([time.perf_counter() - start, len(kv)]))
"""


def make(path: Path, words: int, size: int, binary: bool) -> None:
    """Write random words, of 1 to 40 letters and a number behind them, and random vectors."""
    rng = np.random.default_rng(1)
    letters = rng.integers(97, 123, 1 << 20, dtype=np.uint8).tobytes()
    block = 0.1 * rng.standard_normal((5000, size), np.float32)
    texts = [" ".join(map(str, row)).encode() + b"\n" for row in block]
    with path.open("wb") as file:
        file.write(b"%d %d\n" % (words, size))
        for start in range(0, words, len(block)):
            many = min(len(block), words - start)
            lengths = np.clip(rng.lognormal(1.3, 0.7, many), 1, 40).astype(int)
            places = rng.integers(0, len(letters) - 40, many)
            rows = [row.tobytes() for row in block] if binary else texts
            for i in range(many):
                file.write(b"%b_%x %b" % (letters[places[i] : places[i] + lengths[i]], start + i, rows[i]))


def warmed(path: Path) -> int:
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass
    return path.stat().st_size


def seconds(system: str, kind: str, path: Path, words: int, repeat: int) -> list[float]:
    times = []
    for _ in range(repeat):
        command = [sys.executable, "-c", LOAD, system, kind, str(path)]
        took, found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        assert found == words, (system, kind, found)
        times.append(took)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=3_000_000)
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--text-words", type=int, default=300_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", help="where to make the temporary folder")
    args = parser.parse_args()
    print(common.machine())
    print(f"{'format':<8} {'words':>10} {'GB':>6} {'w2v s':>8} {'range':>15} {'MB/s':>7} {'gensim s':>9} {'ratio':>6}")
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        for kind, words in [("text", args.text_words), ("binary", args.words), ("native", args.words)]:
            path = Path(folder, kind)
            if kind == "native":
                from w2v import KeyedVectors

                KeyedVectors.load_word2vec_format(Path(folder, "binary"), binary=True).save(path)
                Path(folder, "binary").unlink()
            else:
                make(path, words, args.size, kind == "binary")
            size = warmed(path)
            for way in ("native", "mapped") if kind == "native" else (kind,):
                ours = seconds("w2v", way, path, words, args.repeat)
                line = (
                    f"{way:<8} {words:>10,} {size / 1e9:>6.2f} {median(ours):>8.2f} {min(ours):>7.2f}-{max(ours):<7.2f}"
                )
                line += f" {size / 1e6 / median(ours):>7,.0f}"
                if way in ("text", "binary"):
                    theirs = median(seconds("gensim", way, path, words, args.repeat))
                    line += f" {theirs:>9.2f} {theirs / median(ours):>6.1f}"
                print(line, flush=True)
            if kind == "text":
                path.unlink()


if __name__ == "__main__":
    main()
