"""SIGKILL at random moments, also inside saves; each time the run is resumed, and must end in the undisturbed bytes.

    python benchmarks/kills.py [--kills 200] [--epochs 12] [--seed 0] [--folder FOLDER]

A run writes checkpoints all the time. A process that trains it is killed after a random time; the next one resumes,
with another number of workers where training is deterministic. When a run has ended, its model file is compared with
that of a run that was never cut, and the next one begins. After every kill, what is in the folder is read: at least one
generation must be sound. Exit code 1 if anything was not as it should be.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from w2v import FormatError, Word2Vec
from w2v.training import checkpoint

# So many words of so many kinds that a checkpoint takes about as long as the training between two of them.
WORDS, KINDS = 300_000, 30_000
SETTINGS = {"vector_size": 100, "min_count": 1, "sg": 1, "compute_loss": False, "progress": False}
MODES = {"one worker": {"workers": 1}, "deterministic": {"workers": 2, "deterministic": True}}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--epochs", type=int, default=12, help="of each run")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--folder", help="where to work; by default a temporary folder")
    arguments.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    args = arguments.parse_args()
    if args.child:
        train(*args.child, args.epochs)
        return 0
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        return run(Path(folder), args.kills, args.epochs, random.Random(args.seed))


def train(mode: str, folder: str, out: str, workers: str, epochs: int) -> None:
    """What a child does: begin the run, or go on with it, and save the model."""
    corpus, run_folder = Path(folder, "corpus.txt"), Path(folder, "run")
    if any((run_folder / slot).exists() for slot in checkpoint.SLOTS):
        other = int(workers) if mode == "deterministic" else None
        model = Word2Vec.resume(run_folder, workers=other, progress=False)
    else:
        keep = {"checkpoint": run_folder, "checkpoint_every": "0.01s"} if out != "undisturbed" else {}
        model = Word2Vec(corpus_file=corpus, epochs=epochs, **SETTINGS, **MODES[mode], **keep)
    model.workers = 1  # which is in the file, and may differ
    model.save(Path(folder, f"{out}.safetensors"))


def run(folder: Path, kills: int, epochs: int, draws: random.Random) -> int:
    rng = np.random.default_rng(0)
    words = rng.integers(0, KINDS, (2, WORDS)).min(axis=0).reshape(-1, 10)
    (folder / "corpus.txt").write_text("\n".join(" ".join(f"w{word}" for word in line) for line in words))
    counts: Counter[str] = Counter()
    started = time.monotonic()
    mode, expected = "", {}
    while counts["kills"] < kills:
        if not mode:  # a new run
            mode = draws.choice(list(MODES))
            if mode not in expected:
                subprocess.run(child(mode, folder, epochs, "undisturbed"), check=True)
                expected[mode] = (folder / "undisturbed.safetensors").read_bytes()
        process = subprocess.Popen(child(mode, folder, epochs, "resumed", str(draws.randint(1, 4))))
        try:
            code = process.wait(timeout=draws.uniform(0.2, 1.8))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            counts["kills"] += 1
            look(folder / "run", counts)
            continue
        if code:
            print(f"a process ended with exit code {code}", file=sys.stderr)
            return 1
        counts["runs ended"] += 1
        if (folder / "resumed.safetensors").read_bytes() != expected[mode]:
            counts["runs with other bytes"] += 1
        for path in [*(folder / "run").iterdir(), folder / "resumed.safetensors"]:
            path.unlink()
        mode = ""
    if mode:  # the last one, to its end
        subprocess.run(child(mode, folder, epochs, "resumed"), check=True)
        counts["runs ended"] += 1
        counts["runs with other bytes"] += (folder / "resumed.safetensors").read_bytes() != expected[mode]
    for name in (
        "kills",
        "before the first checkpoint",
        "inside a save",
        "runs ended",
        "runs with other bytes",
        "damaged",
    ):
        print(f"{name:<28} {counts[name]:>6,}")
    print(f"{'seconds':<28} {time.monotonic() - started:>6,.0f}")
    return int(counts["runs with other bytes"] + counts["damaged"] > 0)


def child(mode: str, folder: Path, epochs: int, out: str, workers: str = "2") -> list[str]:
    return [sys.executable, __file__, "--epochs", str(epochs), "--child", mode, str(folder), out, workers]


def look(run_folder: Path, counts: Counter[str]) -> None:
    """What a kill has left: at least one whole generation, unless it came before the first."""
    counts["inside a save"] += any(run_folder.glob(checkpoint.LEFTOVERS)) if run_folder.is_dir() else 0
    slots = [run_folder / slot for slot in checkpoint.SLOTS]
    if not any(slot.exists() for slot in slots):
        counts["before the first checkpoint"] += 1
    for slot in slots:
        try:
            _ = slot.exists() and Word2Vec.load(slot)
        except FormatError as error:
            print(error, file=sys.stderr)
            counts["damaged"] += 1


if __name__ == "__main__":
    sys.exit(main())
