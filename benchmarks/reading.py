"""How fast texts and sequences are read: from a file to counted words, and to integers.

    python benchmarks/reading.py CORPUS [--threads 1 2] [--repeat 3] [--megabases 250] [--folder FOLDER]

Each row is a process of its own, and the rows of a group are run in turn, `--repeat` times; the best counts. Beside the
clock there is the processor's time: `a core` is megabytes per second of that, which other work on the machine changes
less, and `first thread` is the time of the one thread whose work the others cannot share. gensim's `build_vocab` reads
the same text. Sequences are random DNA, one k-mer (k=6) a letter, in lines of 60.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import common

GENSIM = "gensim's build_vocab"
TEXT = [GENSIM, "counted", "counted and encoded", "build_vocab"]
SEQUENCES = ["k-mers counted", "k-mers counted and kept", "k-mers kept, at most 100 MB in memory"]
LIMITS = {"k-mers kept, at most 100 MB in memory": 100 * 10**6}


def one(spec: dict[str, Any]) -> dict[str, Any]:
    """Read one file in one way, and measure it."""
    import resource
    import time

    what, path, threads = spec["what"], spec["path"], spec["threads"]
    if what == GENSIM:
        from gensim.models import Word2Vec
    else:
        import numpy as np

        from w2v import Kmers, Word2Vec  # type: ignore[assignment]
        from w2v.tokens.encode import CACHE_BYTES, Scan

    before = time.process_time(), time.thread_time()
    started = time.perf_counter()
    if what in (GENSIM, "build_vocab"):
        Word2Vec(vector_size=1, min_count=5, workers=threads).build_vocab(corpus_file=path)
    else:
        corpus = (Kmers(path, k=6), False) if what in SEQUENCES else (path, True)
        limit = LIMITS.get(what, CACHE_BYTES)
        keep = what not in ("counted", "k-mers counted")
        scan = Scan(*corpus, threads=threads, keep_tokens=keep, cache_bytes=limit)
        if keep:
            places = np.flatnonzero(scan.counts >= 5)
            scan.encode({word: row for row, word in enumerate(scan.words(places))})
    seconds = time.perf_counter() - started
    return {
        "seconds": seconds,
        "processor": time.process_time() - before[0],
        "first": time.thread_time() - before[1],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def sequences(folder: Path, megabases: int) -> Path:
    """A file of FASTA with random DNA in records of five million letters."""
    import numpy as np

    target = folder / f"random-{megabases}.fa"
    if target.exists():
        return target
    rng, partial = np.random.default_rng(1), target.with_suffix(".partial")
    with partial.open("wb") as out:
        for record in range(megabases // 5):
            lines = np.full((5_000_000 // 60, 61), ord("\n"), np.uint8)
            lines[:, :60] = np.frombuffer(b"ACGT", np.uint8)[rng.integers(0, 4, (len(lines), 60))]
            out.write(b">r%d\n" % record + lines.tobytes())
    partial.rename(target)
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", help="text, one sentence per line")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--megabases", type=int, default=250, help="of the file of sequences; 0 leaves them out")
    parser.add_argument("--folder", help="where that file is kept")
    parser.add_argument("--only", nargs="+", choices=TEXT + SEQUENCES)
    args = parser.parse_args()
    print(f"{common.machine()}\nbest of {args.repeat}\n")
    groups = [(TEXT, args.corpus)]
    if args.megabases:
        groups.append((SEQUENCES, str(sequences(common.work_folder(args.folder), args.megabases))))
    rows = [["what", "threads", "seconds", "MB/s", "a core", "first thread", "peak MB", "ratio"]]
    for kinds, path in groups:
        jobs = [
            (what, threads) for what in kinds for threads in (args.threads if what != GENSIM else [max(args.threads)])
        ]
        jobs = [job for job in jobs if args.only is None or job[0] in args.only]
        found: dict[tuple[str, int], list[dict[str, float]]] = {job: [] for job in jobs}
        for _ in range(args.repeat):
            for what, threads in jobs:
                spec = json.dumps({"what": what, "path": path, "threads": threads})
                done = subprocess.run([sys.executable, __file__, "--one", spec], check=True, stdout=subprocess.PIPE)
                found[what, threads].append(json.loads(done.stdout.splitlines()[-1]))
        megabytes = os.path.getsize(path) / 1e6
        theirs = [min(run["seconds"] for run in runs) for (what, _), runs in found.items() if what == GENSIM]
        for (what, threads), runs in found.items():
            least = {name: min(run[name] for run in runs) for name in runs[0]}
            rows.append(
                [
                    *(what, str(threads), f"{least['seconds']:.2f}", f"{megabytes / least['seconds']:.0f}"),
                    *(f"{megabytes / least['processor']:.0f}", f"{least['first']:.2f} s", f"{least['peak_mb']:.0f}"),
                    f"{theirs[0] / least['seconds']:.1f}x" if theirs else "",
                ]
            )
    print(common.table(rows))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(json.loads(sys.argv[2]))))
    else:
        main()
