"""Fuzz for some time: ``python -m fuzz [--seconds 60] [--target NAME] [--engine atheris] [--seed 1]``.

Every target has a process of its own, with bounds on memory and on the time of an input. What breaks the promise is
kept under build/fuzz/; ``--repeat FILE`` reads such a file again.
"""

import argparse
import faulthandler
import hashlib
import importlib.util
import logging
import os
import random
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FOUND = ROOT / "build" / "fuzz"
SECONDS_PER_INPUT = 10
SECONDS_TRACED = 60  # where all lines of Python are counted, or all accesses to memory checked
MEMORY = 4 << 30  # of a process, all together; what the libraries map is a third of it
MOST_SEEDS = 2000
IN_C = "tokenizer-in-c"
UNDER_SANITIZERS = "san.so" in os.environ.get("LD_PRELOAD", "")


def bounded() -> None:
    """No more memory than a file of this size could need, except under sanitizers, which map terabytes."""
    if not UNDER_SANITIZERS:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def kind_of(outcome: str) -> str:
    """An outcome without its names and numbers: a new kind means that the input has led somewhere new."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|/\S+|[\d,.]+|\([^)]*\)", "_", outcome)[:300]


def campaign(name: str, seconds: float, seed: int, most: int = sys.maxsize) -> tuple[int, int]:
    """Damage the seeds, and inputs with new outcomes, until the time is over; return inputs and kinds of outcome."""
    from fuzz.targets import TARGETS

    target, draw, kinds = TARGETS[name], random.Random(f"{name} {seed}"), set()
    pool, inputs, end = target.seeds(), 0, time.monotonic() + seconds
    waiting = list(pool)
    with tempfile.TemporaryDirectory() as folder:
        while inputs < most and time.monotonic() < end:
            data = waiting.pop() if waiting else target.mutate(draw.choice(pool), draw, target.tokens)
            kind = kind_of(judged(name, data, Path(folder)))
            if kind not in kinds and len(pool) < MOST_SEEDS:
                pool.append(data)
            kinds.add(kind)
            inputs += 1
    return inputs, len(kinds)


def judged(name: str, data: bytes, folder: Path) -> str:
    """What came of an input; if it breaks the promise, or the process, it stays behind as a file."""
    from fuzz.targets import TARGETS

    under_way = FOUND / f"{name}.{os.getpid()}"
    FOUND.mkdir(parents=True, exist_ok=True)
    under_way.write_bytes(data)
    traced = UNDER_SANITIZERS or "atheris" in sys.modules
    faulthandler.dump_traceback_later(SECONDS_TRACED if traced else SECONDS_PER_INPUT, exit=True)
    try:
        outcome = TARGETS[name].run(data, folder)
    except BaseException:
        under_way.rename(FOUND / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}")
        raise
    finally:
        faulthandler.cancel_dump_traceback_later()
    under_way.unlink()
    return outcome


def with_atheris(name: str, seconds: float, seed: int) -> None:
    """The same, led by which lines of Python are reached."""
    import atheris

    with atheris.instrument_imports(include=["w2v"]):
        from fuzz.targets import TARGETS
    target = TARGETS[name]

    def mutated(data: bytes, size: int, number: int) -> bytes:
        draw = random.Random(number)
        changed = target.mutate(data, draw, target.tokens) if draw.randrange(4) else atheris.Mutate(data, size)
        return changed[:size]

    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as seeds:
        for number, data in enumerate(target.seeds()):
            (Path(seeds) / str(number)).write_bytes(data)
        flags = [f"-max_total_time={seconds:.0f}", f"-seed={seed}", "-max_len=65536", "-rss_limit_mb=3000"]
        flags += ["-verbosity=0", "-print_final_stats=1"]
        atheris.Setup(
            ["fuzz", *flags, f"-artifact_prefix={FOUND}/{name}-atheris-", seeds],
            lambda data: judged(name, data, Path(folder)),
            custom_mutator=mutated,
        )
        atheris.Fuzz()


def in_c(seconds: float, seed: int) -> int:
    """The tokenizer without Python, under sanitizers; with clang, led by which of its branches are reached."""
    FOUND.mkdir(parents=True, exist_ok=True)
    led, program = shutil.which("clang") is not None, FOUND / "text"
    compiler = ["clang", "-DLIBFUZZER"] if led else shlex.split(os.environ.get("CC", "cc"))
    sanitize = f"-fsanitize={'fuzzer,' * led}address,undefined,float-cast-overflow"
    flags = [
        "-g",
        "-O1",
        sanitize,
        "-fno-sanitize-recover=all",
        f"-I{ROOT / 'src' / 'w2v' / 'text'}",
        "-o",
        str(program),
    ]
    subprocess.run([*compiler, *flags, str(Path(__file__).with_name("text.c"))], check=True)
    run = [f"-max_total_time={seconds:.0f}", f"-seed={seed}", "-max_len=4096", "-verbosity=0", "-print_final_stats=1"]
    run = [*run, f"-artifact_prefix={FOUND}/{IN_C}-"] if led else [str(seconds), str(seed)]
    return subprocess.run([program, *run], check=False).returncode


def all_of(names: list[str], engine: str, seconds: float, seed: int) -> int:
    """One target after the other, each in a process; the result is not 0 if something was found."""
    failed = []
    for name in names:
        print(f"--- {name}", flush=True)
        command = [sys.executable, "-m", "fuzz", "--engine", engine, "--one", name, "--seed", str(seed)]
        command += ["--seconds", str(seconds / len(names))]
        try:
            done = subprocess.run(command, timeout=seconds / len(names) + 120, check=False).returncode
        except subprocess.TimeoutExpired:
            done = -1
        if done:
            failed.append(name)
    print(f"{len(names)} targets, {len(failed)} with findings", *failed, f"(see {FOUND})" if failed else "", flush=True)
    return int(bool(failed))


def main() -> int:
    parser = argparse.ArgumentParser("fuzz", description=__doc__.split(":")[0])
    add = parser.add_argument
    add("--seconds", type=float, default=60, help="for all targets together (%(default)g)")
    add("--seed", type=int, default=random.randrange(10**6), help="what the damage follows from (any)")
    add("--target", action="append", help="only this one; may be given several times")
    add("--engine", choices=["plain", "atheris"], help="atheris if it is installed, unless you say otherwise")
    add("--one", help=argparse.SUPPRESS)
    add("--repeat", type=Path, help="read a file of build/fuzz again")
    args = parser.parse_args()
    if args.one == IN_C:
        return in_c(args.seconds, args.seed)
    logging.disable(logging.CRITICAL)
    engine = args.engine or ("atheris" if not UNDER_SANITIZERS and importlib.util.find_spec("atheris") else "plain")
    if args.one and engine == "atheris":
        bounded()
        with_atheris(args.one, args.seconds, args.seed)
    elif args.one:
        bounded()
        try:
            inputs, kinds = campaign(args.one, args.seconds, args.seed)
        except BaseException:
            traceback.print_exc()
            print(f"{args.one}: broken (seed {args.seed})", flush=True)
            return 1
        print(f"{args.one}: {inputs:,} inputs, {kinds:,} kinds of outcome, none wrong", flush=True)
    elif args.repeat:
        name = re.sub(r"(-atheris.*|-[0-9a-f]+|\.\d+)$", "", args.repeat.name)
        with tempfile.TemporaryDirectory() as folder:
            print(judged(name, args.repeat.read_bytes(), Path(folder)))
    else:
        from fuzz.targets import TARGETS

        print(f"engine {engine}, seed {args.seed}", flush=True)
        everything = [*TARGETS, *([] if UNDER_SANITIZERS else [IN_C])]  # it has sanitizers of its own
        return all_of(args.target or everything, engine, args.seconds, args.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
