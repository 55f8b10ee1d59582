"""Distributed training measured on one machine: quality against workers, losses, bytes on a wire, a large corpus.

    python benchmarks/distributed.py simulate CORPUS --eval FOLDER --results FILE [--workers 1 2 4] [--seeds 1 2]
    python benchmarks/distributed.py table FILE [--figure docs/figures/distributed.png]
    python benchmarks/distributed.py kills CORPUS --results FILE [--count 100]
    python benchmarks/distributed.py wire CORPUS [--rate 1gbit]
    python benchmarks/distributed.py large FOLDER [--gigabytes 2] [--files 64] [--workers 4]

`simulate` trains all workers in one process, in turn: quality depends on their number and on the policy, not on the
clock. Each finished training is a line of FILE, and is not done again: stop and start it as you like, `--minutes` ends
it in time. FOLDER is that of `quality.py`. `table` prints means with 95 % intervals over seeds, and differences from
one worker seed by seed. `kills` sends SIGKILL to workers of Ray at random moments and compares hashes. `wire` counts
what two nodes of Ray in network namespaces exchange over a shaped link (needs root and iproute2). `large` trains on a
corpus that it writes, and compares memory with what `w2v plan` says. No speed-up is measured here: all workers share
one machine.
"""

import argparse
import hashlib
import json
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from w2v import Word2Vec
from w2v.distributed import LocalEngine, SyncPolicy, plan, train
from w2v.evaluation.resampling import spearman

SIMILARITY = {
    "WS-353": "EN-WS-353-ALL.txt",
    "SimLex-999": "EN-SIMLEX-999.txt",
    "MEN": "EN-MEN-TR-3k.txt",
    "RW": "EN-RW-STANFORD.txt",
}
MEASURES = ["analogies", *SIMILARITY, "rare"]
RARE = 100  # occurrences: a pair is rare if one of its words has fewer

# Quantiles of Student's t at 97.5 %, by degrees of freedom.
T = {1: 12.71, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


def digest(model: Word2Vec) -> str:
    """SHA-256 of all matrices."""
    found = hashlib.sha256()
    for matrix in model.weights.named().values():
        found.update(np.ascontiguousarray(matrix).data)
    return found.hexdigest()


# --- quality against the number of workers ----------------------------------------------------------------------------


def scores(model: Word2Vec, folder: Path) -> dict[str, float]:
    """Analogies in per cent, rank correlations times 100; ``rare`` is of the rare pairs of all similarity sets."""
    vectors, found = model.wv, {}
    score, _ = vectors.evaluate_word_analogies(str(folder / "questions-words.txt"), restrict_vocab=30_000)
    found["analogies"] = 100 * score
    gold, ours = [], []
    for name, file in SIMILARITY.items():
        path = folder / "word-sim" / file
        found[name] = 100 * vectors.evaluate_word_pairs(str(path))[1][0]
        for one, other, human in rare_pairs(path, vectors):
            gold.append((name, human))
            ours.append(vectors.similarity(one, other))
    ranks = np.empty(len(gold))  # of each set for itself: their scales differ
    for name in SIMILARITY:
        places = [place for place, (of, _) in enumerate(gold) if of == name]
        if places:
            ranks[places] = np.argsort(np.argsort([gold[place][1] for place in places])) / len(places)
    found["rare"] = 100 * float(spearman(ranks, np.array([ours]))[0])
    return found


def rare_pairs(path: Path, vectors: Any) -> Iterator[tuple[str, str, float]]:
    """Pairs of known words of which one is rare."""
    for line in path.read_text(encoding="utf-8").splitlines():
        one, other, human = line.lower().split("\t")[:3]
        if one in vectors and other in vectors:
            count = min(vectors.get_vecattr(word, "count") for word in (one, other))
            if count < RARE:
                yield one, other, float(human)


def simulate(args: argparse.Namespace) -> None:
    """Train what is not in the results yet."""
    path, ends = Path(args.results), time.monotonic() + 60 * args.minutes
    known = {key_of(line["setting"]) for line in lines_of(path)}
    for seed in args.seeds:
        for workers in args.workers:
            for combiner in args.combiners if workers > 1 else args.combiners[:1]:
                name, _, gamma = combiner.partition(":")
                policy = SyncPolicy(
                    words_per_round=args.round,
                    hot_rows=args.hot,
                    combiner=name,
                    gamma=float(gamma or 1.0),
                    max_rounds_unsynced=args.unsynced,
                )
                setting = {
                    **{"corpus": Path(args.corpus).name, "epochs": args.epochs, "sg": args.sg, "seed": seed},
                    **{"workers": workers, "combiner": combiner if workers > 1 else "", "round": args.round},
                    **{"hot": args.hot, "unsynced": args.unsynced},
                }
                if key_of(setting) in known or time.monotonic() > ends:
                    continue
                model = Word2Vec(
                    vector_size=100, epochs=args.epochs, sg=args.sg, seed=seed, alpha=0.025 if args.sg else 0.05
                )
                started = time.process_time()
                result = train(model, args.corpus, engine=LocalEngine(), num_workers=workers, sync=policy)
                line = {
                    **{"setting": setting, "scores": scores(model, Path(args.eval)), "sha256": digest(model)},
                    **{"rounds": result.rounds, "bytes_sent": result.bytes_sent},
                    **{"cpu_seconds": round(time.process_time() - started, 1)},
                }
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                known.add(key_of(setting))
                print(json.dumps(line), flush=True)


def key_of(setting: dict[str, Any]) -> str:
    """The same text for the same setting; one worker has no policy."""
    relevant = dict(setting)
    if setting["workers"] == 1:
        relevant |= {"combiner": "", "round": 0, "hot": 0, "unsynced": 0}
    return json.dumps(relevant, sort_keys=True)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The results so far."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def interval(values: list[float]) -> tuple[float, float]:
    """Mean, and half of the 95 % interval over seeds."""
    if len(values) < 2:
        return mean(values), math.nan
    return mean(values), T[len(values) - 1] * stdev(values) / math.sqrt(len(values))


def table(args: argparse.Namespace) -> None:
    """Print means and differences from one worker, and draw them."""
    groups: dict[tuple[Any, ...], dict[int, dict[str, float]]] = {}
    for line in lines_of(Path(args.results)):
        setting = line["setting"]
        fixed = setting["corpus"], setting["epochs"], setting["sg"]
        policy = (
            (0, "", 0, 0, 0)
            if setting["workers"] == 1
            else (setting["workers"], setting["combiner"], setting["round"], setting["hot"], setting["unsynced"])
        )
        groups.setdefault((*fixed, policy), {})[setting["seed"]] = line["scores"]
    print(
        "| workers | combiner | words per round | seeds |",
        " | ".join(MEASURES),
        "| analogies, difference | rare, difference |",
    )
    print("|" + "---|" * (6 + len(MEASURES)))
    points = []
    for (*fixed, policy), seeds in sorted(groups.items(), key=lambda item: (item[0][:3], item[0][3])):
        alone = groups.get((*fixed, (0, "", 0, 0, 0)), {})
        cells = []
        for name in MEASURES:
            middle, half = interval([found[name] for found in seeds.values()])
            cells.append(f"{middle:.2f} ± {half:.2f}")
        for name in ("analogies", "rare"):
            paired = [seeds[seed][name] - alone[seed][name] for seed in seeds if seed in alone]
            middle, half = interval(paired) if paired else (math.nan, math.nan)
            cells.append(f"{middle:+.2f} ± {half:.2f}")
            points.append((policy, name, middle, half))
        print(f"| {policy[0] or 1} | {policy[1]} | {policy[2] or ''} | {len(seeds)} |", " | ".join(cells), "|")
    if args.figure:
        draw(points, args.figure)


def draw(points: list[tuple[Any, ...]], path: str) -> None:
    """Differences from one worker against the number of workers, a line for each combiner and length of round."""
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(11, 4.2), sharex=True)
    titles = {"analogies": "Analogies, per cent right", "rare": "Similarity of rare words, correlation × 100"}
    for panel, name in zip(panels, titles, strict=True):
        lines: dict[tuple[Any, ...], list[tuple[float, float, float]]] = {}
        for policy, of, middle, half in points:
            if of == name and policy[0] and not math.isnan(middle):
                lines.setdefault(policy[1:3], []).append((policy[0], middle, half))
        for number, ((combiner, size), found) in enumerate(sorted(lines.items())):
            found.sort()
            shift = 1.03 ** (number - len(lines) / 2)
            panel.errorbar(
                [workers * shift for workers, _, _ in found],
                [middle for _, middle, _ in found],
                [0 if math.isnan(half) else half for _, _, half in found],
                marker="o",
                markersize=4,
                capsize=2,
                linewidth=1.2,
                label=f"{combiner}, {size:,} words a round",
            )
        panel.axhline(0, color="black", linewidth=0.8)
        panel.axhline(-1, color="gray", linewidth=0.8, linestyle=":")
        panel.set_xscale("log", base=2)
        panel.set_xticks([2, 4, 8, 16, 32], ["2", "4", "8", "16", "32"])
        panel.set_xlabel("workers")
        panel.set_title(titles[name], fontsize=10)
        panel.set_ylabel("difference from one worker")
    panels[0].legend(fontsize=7, loc="lower left")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


# --- losses -----------------------------------------------------------------------------------------------------------


def kills(args: argparse.Namespace) -> None:
    """Kill workers of Ray at random moments; every run must end in the bytes of the simulation."""
    import ray
    from ray.cluster_utils import Cluster

    from w2v.distributed.ray_engine import RayEngine

    policy = SyncPolicy(words_per_round=args.round, hot_rows=64, max_rounds_unsynced=16)

    def fresh() -> Word2Vec:
        return Word2Vec(vector_size=32, epochs=2, sg=1, min_count=5)

    wanted = train(fresh(), args.corpus, engine="local", num_workers=3, sync=policy).model
    wanted_digest, path = digest(wanted), Path(args.results)
    done = [line for line in lines_of(path) if line["wanted"] == wanted_digest]
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(3):
        cluster.add_node(num_cpus=2, object_store_memory=100 << 20)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")

    class Counting(RayEngine):
        """Kills a worker in the call of a random number, some moments after it began."""

        def __init__(self, draw: random.Random, most: int) -> None:
            super().__init__(1, 60.0)
            self.calls, self.at = 0, draw.randrange(1, most)
            self.victim, self.delay, self.killed = draw.randrange(3), draw.random() * 0.05, ""

        def _wait(self, asked: Any, method: str, fetch: bool = True) -> Any:
            self.calls += method in ("train", "shards", "reduce", "apply", "commit")
            if self.calls == self.at and not self.killed:
                pid = ray.get(self.actors[self.victim].pid.remote())
                self.killed = method
                threading.Timer(self.delay, os.kill, (pid, signal.SIGKILL)).start()
            return super()._wait(asked, method, fetch)

    ends = time.monotonic() + 60 * args.minutes
    undisturbed = Counting(random.Random(0), 2)
    undisturbed.at = -1
    first = train(fresh(), args.corpus, engine=undisturbed, num_workers=3, sync=policy)
    assert digest(first.model) == wanted_digest, "Ray and the simulation differ"
    for number in range(len(done), args.count):
        if time.monotonic() > ends:
            break
        engine = Counting(random.Random(number), undisturbed.calls)
        result = train(fresh(), args.corpus, engine=engine, num_workers=3, sync=policy)
        found = digest(result.model)
        line = {
            **{"wanted": wanted_digest, "number": number, "equal": found == wanted_digest, "sha256": found},
            **{"killed_in": engine.killed, "call": engine.at, "of": undisturbed.calls},
            **{"lost": result.lost_workers, "replayed": result.replayed_rounds},
        }
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    done = [line for line in lines_of(path) if line["wanted"] == wanted_digest]
    lost = [line for line in done if line["lost"]]
    print(
        f"{len(done)} kills, {len(lost)} of them noticed as losses, {sum(line['equal'] for line in done)} equal hashes"
    )
    print(
        f"rounds done again: {sum(line['replayed'] for line in done)}; between full syncs: "
        f"{sum(line['replayed'] > 0 for line in done)} runs; in {sorted({line['killed_in'] for line in done})}"
    )
    ray.shutdown()
    cluster.shutdown()


# --- bytes on a wire, and a large corpus ------------------------------------------------------------------------------

NETS = ("w2v-a", "w2v-b")
ADDRESSES = ("10.77.0.1", "10.77.0.2")


def shell(line: str, **options: Any) -> str:
    """Run a command of the system; what it prints."""
    return subprocess.run(line, shell=True, check=True, capture_output=True, text=True, **options).stdout


def wire(args: argparse.Namespace) -> None:
    """Two nodes of Ray in network namespaces of their own, a worker on each; bytes are those of the interface.

    Trainings of one epoch and of several differ in nothing but syncs: so the difference is what syncs take.
    """
    ray_program = Path(sys.executable).with_name("ray")
    os.environ["RAY_AUTH_MODE"] = "disabled"  # both nodes are on this machine; each would look for a token of its own
    options = "--num-cpus=1 --object-store-memory=200000000 --disable-usage-stats"
    try:
        for net in NETS:
            shell(f"ip netns add {net} && ip -n {net} link set lo up")
        shell(f"ip link add w2v-0 netns {NETS[0]} type veth peer name w2v-1 netns {NETS[1]}")
        for number, net in enumerate(NETS):
            shell(
                f"ip -n {net} addr add {ADDRESSES[number]}/24 dev w2v-{number} && ip -n {net} link set w2v-{number} up"
            )
            shell(f"tc -n {net} qdisc add dev w2v-{number} root tbf rate {args.rate} burst 1mb latency 100ms")
        head, other = (f"ip netns exec {net} {ray_program} start --node-ip-address={address} {options}"
                       for net, address in zip(NETS, ADDRESSES, strict=True))  # fmt: skip
        shell(f"{head} --head --port=6399 --include-dashboard=false")
        shell(f"{other} --address={ADDRESSES[0]}:6399")
        line = f"ip netns exec {NETS[0]} {sys.executable} {__file__} wired {args.corpus} {args.round} {args.size}"
        found = []
        for epochs in (1, 1 + args.epochs):
            before, started = interface_bytes(), time.monotonic()
            told = json.loads(shell(f"{line} {epochs}").splitlines()[-1])
            found.append((interface_bytes() - before, told, time.monotonic() - started))
    finally:
        for net in NETS:
            for pid in shell(f"ip netns pids {net} || true").split():
                os.kill(int(pid), signal.SIGKILL)
            shell(f"ip netns del {net} || true")
    (alone, one, _), (several, more, seconds) = found
    counted, planned = more["bytes_sent"] - one["bytes_sent"], more["planned"] - one["planned"]
    facts = {"interface": several - alone, "counted": counted, "planned": planned, "rounds": more["rounds"]}
    facts |= {"interface_to_planned": (several - alone) / planned, "counted_to_planned": counted / planned}
    facts |= {"whole_run_interface": several, "whole_run_planned": more["planned"] + more["setup"], "seconds": seconds}
    print(json.dumps(facts))


def interface_bytes() -> int:
    """What one end of the link has sent and received."""
    name = "/sys/class/net/w2v-0/statistics/"
    return sum(int(shell(f"ip netns exec {NETS[0]} cat {name}{way}_bytes")) for way in ("rx", "tx"))


def wired(args: argparse.Namespace) -> None:
    """The driver within a namespace."""
    import ray

    ray.init(address=f"{ADDRESSES[0]}:6399", log_to_driver=False, logging_level="ERROR")
    policy = SyncPolicy(words_per_round=args.round)
    model = Word2Vec(vector_size=args.size, epochs=args.epochs, sg=1)
    result = train(model, args.corpus, engine="ray", num_workers=2, sync=policy)
    counts = model.wv.expandos["count"]
    found = plan(
        len(counts), args.size, 2, corpus_words=int(counts.sum()), epochs=args.epochs, policy=policy, counts=counts
    )
    told = {"bytes_sent": result.bytes_sent, "planned": found.bytes_sent, "rounds": result.rounds}
    print(json.dumps(told | {"setup": found.setup_bytes}))


def large(args: argparse.Namespace) -> None:
    """Train on a corpus of compressed files that is written first, and compare memory with the plan."""
    folder = Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_large(folder, args.gigabytes, args.files, args.vocabulary)
    words = sum(int(path.read_text()) for path in folder.glob("*.words"))
    model = Word2Vec(vector_size=args.size, epochs=1, sg=1, cache="disk")
    policy = SyncPolicy(words_per_round=args.round)
    started = time.monotonic()
    result = train(model, str(folder / "*.gz"), engine=args.engine, num_workers=args.workers, sync=policy)
    sizes = {"corpus_words": words, "epochs": 1, "cached": False, "blocks": -(-args.files // args.workers)}
    found = plan(len(model.wv), args.size, args.workers, policy=policy, counts=model.wv.expandos["count"], **sizes)
    print(
        json.dumps(
            {
                **{"words": words, "vocabulary": len(model.wv), "seconds": round(time.monotonic() - started)},
                **{"rounds": result.rounds, "bytes_sent": result.bytes_sent, "planned_bytes": found.bytes_sent},
                **{"worker_memory": result.worker_memory, "planned_memory": found.worker_memory},
                **{"finite": bool(np.isfinite(model.wv.vectors).all())},
            }
        )
    )


def write_large(folder: Path, gigabytes: float, files: int, vocabulary: int) -> None:
    """So many gzip files of words of Zipf's frequencies, each made once."""
    import gzip

    names = np.array([f"w{number:x}" for number in range(vocabulary)])
    chances = 1 / np.arange(1, vocabulary + 1)
    cumulated = np.cumsum(chances / chances.sum())
    each = int(gigabytes * 2**30 / files)
    for number in range(files):
        target = folder / f"part-{number:03}.txt.gz"
        if target.exists():
            continue
        rng, size, words = np.random.default_rng(number), 0, 0
        with gzip.open(folder / "partial", "wb", compresslevel=1) as out:
            while size < each:
                drawn = names[np.searchsorted(cumulated, rng.random(200_000))]
                text = "\n".join(" ".join(line) for line in drawn.reshape(-1, 20)) + "\n"
                out.write(text.encode())
                size, words = size + len(text), words + len(drawn)
        target.with_suffix(".words").write_text(str(words))
        (folder / "partial").rename(target)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    several = parser.add_subparsers(required=True)
    added = several.add_parser("simulate")
    added.set_defaults(run=simulate)
    added.add_argument("corpus")
    added.add_argument("--eval", required=True)
    added.add_argument("--results", required=True)
    added.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32])
    added.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    added.add_argument("--combiners", nargs="+", default=["saturating", "touch:1.0", "mean"])
    added.add_argument("--round", type=int, default=SyncPolicy.words_per_round)
    added.add_argument("--hot", type=int, default=SyncPolicy.hot_rows)
    added.add_argument("--unsynced", type=int, default=SyncPolicy.max_rounds_unsynced)
    added.add_argument("--epochs", type=int, default=5)
    added.add_argument("--sg", type=int, default=1)
    added.add_argument("--minutes", type=float, default=1e9)
    added = several.add_parser("table")
    added.set_defaults(run=table)
    added.add_argument("results")
    added.add_argument("--figure")
    added = several.add_parser("kills")
    added.set_defaults(run=kills)
    added.add_argument("corpus")
    added.add_argument("--results", required=True)
    added.add_argument("--count", type=int, default=100)
    added.add_argument("--round", type=int, default=2000)
    added.add_argument("--minutes", type=float, default=1e9)
    added = several.add_parser("wire")
    added.set_defaults(run=wire)
    added.add_argument("corpus")
    added.add_argument("--rate", default="1gbit")
    added.add_argument("--round", type=int, default=50_000)
    added.add_argument("--size", type=int, default=100)
    added.add_argument("--epochs", type=int, default=2)
    added = several.add_parser("wired")
    added.set_defaults(run=wired)
    for name, kind in (("corpus", str), ("round", int), ("size", int), ("epochs", int)):
        added.add_argument(name, type=kind)
    added = several.add_parser("large")
    added.set_defaults(run=large)
    added.add_argument("folder")
    added.add_argument("--gigabytes", type=float, default=2.0)
    added.add_argument("--files", type=int, default=64)
    added.add_argument("--vocabulary", type=int, default=200_000)
    added.add_argument("--workers", type=int, default=4)
    added.add_argument("--size", type=int, default=100)
    added.add_argument("--round", type=int, default=200_000)
    added.add_argument("--engine", default="ray")
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
