"""Training by several workers on the command line: `w2v train --engine`, and `w2v plan`. Public names do all work."""

import argparse
import re
from collections.abc import Callable
from typing import Any

from w2v.cli.arguments import positive
from w2v.cli.output import report, save_trained
from w2v.common.terminal import printable

EXAMPLES = {
    "plan": """
        w2v plan --words 10M --size 300 --workers 16 --network 10G
        w2v plan --words 200k --size 100 --workers 8 --corpus-words 2G --words-per-round 200k --json
    """
}

# With Ray it is --engine ray; examples run wherever the tests do.
TRAIN_EXAMPLES = """
        w2v train corpus.txt -o model.safetensors --sg --engine local --num-workers 2 --words-per-round 50k"""

# Those of `w2v.distributed`, which would load numpy (a test compares).
ENGINES = ("ray", "local")
ON_LOSS = ("replay", "skip", "fail")
COMBINERS = ("mean", "sum", "touch", "adaptive", "saturating")

# Options of a policy: flag, field of `SyncPolicy`, help.
POLICY = [
    ("--words-per-round", "words_per_round", "words that each worker trains between two syncs"),
    ("--hot-rows", "hot_rows", "most frequent words, whose rows are in every sync"),
    ("--max-rounds-unsynced", "max_rounds_unsynced", "rounds between two syncs of all rows, at most"),
]
FLAGS = {name: flag for flag, name, _ in POLICY} | {
    name: f"--{name.replace('_', '-')}"
    for name in ("engine", "num_workers", "threads_per_worker", "on_worker_loss", "combiner", "gamma", "column")
}

UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def number(text: str) -> int:
    """Read a whole number that may have a unit: 200k, 10M, 2.5G."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kMGT]?)", text)
    if match is None or not (found := round(float(match[1]) * UNITS[match[2]])):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 and more, such as 5000, 200k, 10M or 2.5G")
    return found


def add_engine_options(add: Callable[..., argparse.Action]) -> None:
    """Declare what `w2v train` has for several workers."""
    purpose = "train by several workers: on a Ray cluster, or in this process; CORPUS may be a folder or a pattern"
    add("--engine", choices=ENGINES, help=purpose)
    add("--num-workers", type=positive, default=1, metavar="N", help="of --engine: how many (default %(default)s)")
    add("--threads-per-worker", type=positive, default=1, metavar="N", help="of --engine (default %(default)s)")
    purpose = "of --engine: go back to the last full sync, go on without it, or stop (default %(default)s)"
    add("--on-worker-loss", choices=ON_LOSS, default="replay", help=purpose)
    _add_policy(add, "of --engine: ")


def _add_policy(add: Callable[..., argparse.Action], of: str = "") -> None:
    for flag, name, purpose in POLICY:
        add(flag, dest=name, type=number, default=argparse.SUPPRESS, metavar="N", help=of + purpose)
    purpose = "what becomes of a row that several have changed"
    add("--combiner", choices=COMBINERS, default=argparse.SUPPRESS, help=of + purpose)
    purpose = "combiner touch divides the sum of m changes by m to this power"
    add("--gamma", type=float, default=argparse.SUPPRESS, metavar="G", help=of + purpose)


def _policy(args: argparse.Namespace) -> Any:
    from w2v.distributed import SyncPolicy

    names = [*(name for _, name, _ in POLICY), "combiner", "gamma"]
    return SyncPolicy(**{name: getattr(args, name) for name in names if hasattr(args, name)})


def train(args: argparse.Namespace, settings: dict[str, Any]) -> None:
    """Train a Word2Vec by several workers, and save it."""
    if hasattr(args, "min_n") or args.phrases is not None or args.terms is not None:
        args.wrong_usage("--engine trains words as they stand: no subwords, --phrases or --terms")
    if args.tokenizer is not None or args.field is not None:
        args.wrong_usage("--engine reads sentences of words: no --tokenizer or --field")
    if args.corpus == "-":
        args.wrong_usage("--engine reads files, which all workers can open; standard input is none")
    every = args.checkpoint_every
    if isinstance(every, str):
        if every != "10m":
            args.wrong_usage(f"--checkpoint-every {every}: with --engine it is a number of rounds")
        every = None
    from w2v import Word2Vec
    from w2v import distributed as room

    model = Word2Vec(**settings)
    result = room.train(
        model,
        args.corpus,
        engine=args.engine,
        num_workers=args.num_workers,
        threads_per_worker=args.threads_per_worker,
        sync=_policy(args),
        on_worker_loss=args.on_worker_loss,
        checkpoint=args.checkpoint,
        column=args.column,
        **({} if every is None else {"checkpoint_every": every}),
    )
    _say(args, result)


def resume(args: argparse.Namespace) -> None:
    """Go on with such a training."""
    from w2v import distributed as room

    _say(args, room.resume(args.checkpoint, args.corpus, engine=args.engine or "ray"))


def _say(args: argparse.Namespace, result: Any) -> None:
    """Save the model and report it, with what its workers did."""
    more = {"rounds": result.rounds, "bytes_sent": result.bytes_sent, "lost_workers": result.lost_workers}
    more |= {"replayed_rounds": result.replayed_rounds}
    if result.skipped_blocks:
        more["skipped_blocks"] = list(map(printable, result.skipped_blocks))
    save_trained(args, result.model, more)


def add_plan_arguments(add: Callable[..., argparse.Action]) -> None:
    """Declare the options of `w2v plan`."""
    add("--words", type=number, required=True, metavar="N", help="of the vocabulary: 200k, 10M")
    add("--size", type=positive, default=100, metavar="N", help="dimensions of the vectors (default %(default)s)")
    add("--workers", type=positive, required=True, metavar="N")
    purpose = "bits a second of each worker's link (default 10G)"
    add("--network", type=number, default=10**10, metavar="N", help=purpose)
    purpose = "of the whole corpus (default 1G)"
    add("--corpus-words", type=number, default=10**9, metavar="N", help=purpose)
    add("--epochs", type=positive, default=5, metavar="N", help="passes over the corpus (default %(default)s)")
    add("--threads-per-worker", type=positive, default=1, metavar="N", help="default %(default)s")
    purpose = "words a second that a worker trains (default: as the README's table says for --size)"
    add("--speed", type=number, metavar="N", help=purpose)
    _add_policy(add)


def plan(args: argparse.Namespace) -> None:
    """Say what a training will take."""
    from w2v import distributed as room

    found = room.plan(
        args.words,
        args.size,
        args.workers,
        corpus_words=args.corpus_words,
        epochs=args.epochs,
        policy=_policy(args),
        network=args.network,
        threads=args.threads_per_worker,
        words_per_sec=args.speed,
    )
    if args.json:
        return report(args, found.to_dict())
    for line in found.lines():
        print(line)
