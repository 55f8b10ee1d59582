"""Where the time of training goes: nanoseconds by stage of the kernel, per word that is left after subsampling.

    CFLAGS=-g python setup.py build_ext --inplace --force
    python benchmarks/stages.py CORPUS [--words 2000000] [--models sg cbow hs] [--sizes 100 300] [--workers 1 2]
                                [--deterministic]

Needs Linux's `perf`, binutils' `addr2line`, and a kernel built with symbols, as above. `perf` samples the processor's
time, which virtual machines without counters have as well; each sample is put down to the innermost function of its
chain of inlined calls that names a stage. Times of several workers are added up. Two epochs are trained, and all else
that the process does is left out.
"""

import argparse
import collections
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import common

# What the functions of the kernel belong to; the first name that fits, from the innermost call outwards, counts.
STAGES = {
    "draws": "make_draws|draw|stream_at|mix|scaled|add_noise|add_shared_noise|noise_word",
    "survivors": "find_survivors|see_until|position_before|kept_before|place_survivors|survives",
    "look-up": "look_up_targets|add_target|add_path|output_row|row_or_copy|input_row|take|subwords",
    "dots": "dots_group|all_dots|own_dots",
    "folds": "fold",
    "sigmoids": "steps|sigmoid|exp_",
    "updates": "update_rows|update_panel|learn_rows|learn_one|learn",
    "means": "steps_of_mean|learn_mean|mean|mean_of|spread",
    "asking for rows": "prefetch_row|prefetch|prefetch_still",
    "copies": "copy_of|make_copies|begin_segment|blend|train_segment",
    "merging": "merge_row|merge",
    "marks": "leave_mark|leave_marks|in_this_segment_alone|in_this_round|take_segment",
    "waiting": "wait_for_all|open_barrier|train_rounds",
    "set-up": "open_window|skip_gram|cbow|train_stretch|train_chunk|skip_gram_of_subwords|learn_one_by_one",
}
PERIOD = 200_000  # nanoseconds between two samples
OF_FUNCTION = {name: stage for stage, names in STAGES.items() for name in names.split("|")}

TRAINED = """
import json, sys
from w2v import Word2Vec
given, control = json.loads(sys.argv[1]), sys.argv[2]
model = Word2Vec(min_count=5, sample=1e-3, progress=False, **given["options"])
model.build_vocab(corpus_file=given["corpus"])
def tell(what):
    with open(control, "w") as pipe:
        pipe.write(what + "\\n")
tell("enable")
words, _ = model.train(corpus_file=given["corpus"], total_examples=model.corpus_count, epochs=2)
tell("disable")
print(words)
"""


def names_of(library: str, addresses: list[int]) -> dict[int, list[str]]:
    """The functions that an address is in, the innermost first."""
    given = "\n".join(f"{address:#x}" for address in addresses)
    command = ["addr2line", "--exe", library, "--addresses", "--functions", "--inlines"]
    found: dict[int, list[str]] = {}
    lines = subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout.splitlines()
    for line in lines:
        if line.startswith("0x"):
            found[int(line, 16)] = names = []
        elif ":" not in line:
            names.append(re.sub(r"^__pyx_f\w*?_train_|_(avx512|avx2|neon|portable)(\.\w+)*$|\.\w+$", "", line))
    return found


def nanoseconds(corpus: str, options: dict[str, object]) -> dict[str, float]:
    """By stage, for each trained word."""
    from w2v.training import _train

    with tempfile.TemporaryDirectory() as folder:
        control, data = Path(folder, "control"), Path(folder, "data")
        subprocess.run(["mkfifo", str(control)], check=True)
        record = ["perf", "record", "--quiet", "-e", "cpu-clock:u", "-c", str(PERIOD), "-o", str(data), "--delay=-1"]
        call = json.dumps({"corpus": corpus, "options": options})
        command = [*record, f"--control=fifo:{control}", "--", sys.executable, "-c", TRAINED, call, str(control)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        words = int(done.stdout.split()[-1])
        script = ["perf", "script", "-i", str(data), "-F", "ip,sym,symoff,dso", "--show-mmap-events"]
        text = subprocess.run(script, check=True, capture_output=True, text=True).stdout
    library = _train.__file__
    maps = [m for m in re.finditer(r"\[(0x\w+)\((0x\w+)\) @ (0x\w+|0) .*?\]: r-xp (\S+)", text) if m[4] == library]
    if not maps:
        raise SystemExit("perf saw no kernel; is this the interpreter that has it?")
    begin, size, offset = (int(maps[0][i], 16) for i in (1, 2, 3))
    samples: collections.Counter[int] = collections.Counter()
    others = 0
    for line in text.splitlines():
        if not (match := re.match(r"\s*([0-9a-f]+) ", line)):
            continue
        address = int(match[1], 16)
        if begin <= address < begin + size:
            samples[address - begin + offset] += 1
        else:
            others += 1
    names = names_of(library, sorted(samples))
    found: collections.Counter[str] = collections.Counter({"outside": others})
    for address, times in samples.items():
        stage = next((OF_FUNCTION[name] for name in names[address] if name in OF_FUNCTION), "")
        found[stage or f"({names[address][-1]})"] += times
    return {stage: PERIOD * times / words for stage, times in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--words", type=int, default=2_000_000)
    parser.add_argument("--models", nargs="+", default=["sg", "cbow", "hs"], choices=["sg", "cbow", "hs"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--deterministic", action="store_true")
    parser.add_argument("--folder", help="where the slice of the corpus is kept")
    arguments = parser.parse_args()
    corpus = common.plain_slice(arguments.corpus, arguments.words, common.work_folder(arguments.folder))
    kinds = {"sg": {"sg": 1}, "cbow": {"sg": 0}, "hs": {"sg": 1, "hs": 1, "negative": 0}}
    columns = {}
    for model in arguments.models:
        for size in arguments.sizes:
            for workers in arguments.workers:
                options = kinds[model] | {"vector_size": size, "workers": workers}
                options |= {"deterministic": True} if arguments.deterministic else {}
                columns[f"{model} d{size}, {workers}"] = nanoseconds(str(corpus), options)
    stages = [*STAGES, *sorted({stage for column in columns.values() for stage in column} - set(STAGES))]
    rows = [["stage", *columns]]
    for stage in stages:
        if any(column.get(stage, 0) >= 5 for column in columns.values()):
            rows.append([stage, *[f"{column.get(stage, 0):,.0f}" for column in columns.values()]])
    rows.append(["all", *[f"{sum(column.values()):,.0f}" for column in columns.values()]])
    print(common.machine(), common.table(rows), sep="\n")


if __name__ == "__main__":
    main()
