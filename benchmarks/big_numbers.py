"""Sizes at which 32 bits, or all of the memory, would be used up: each step in a process of its own, checked and timed.

    python benchmarks/big_numbers.py [--words 10000000] [--folder /tmp] [--only STEP ...]

With 10 million words it needs about 12 GiB of memory and 25 GB of disk, and takes some ten minutes. A step that finds
anything wrong ends with an assertion.
"""

import argparse
import json
import mmap
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import common
import numpy as np

from w2v import KeyedVectors, Word2Vec, load_facebook_vectors, training
from w2v.common.progress import progress_bar
from w2v.files import fasttext_bin
from w2v.files.native import write_native
from w2v.tokens.encode import Encoded
from w2v.tokens.spool import FileMapping
from w2v.vocabulary import noise

SENTENCE = 1000
TAIL = 1_000_000  # tokens that are trained, behind a filler that is read and dropped
FILLER = 2_148_000_000  # whole sentences, and more than 2^31
WORDS = 1000
SIZE = 100  # of the vectors of a large vocabulary
WIDE = 224  # 10 million rows of it are more than 2^31 numbers
LINE = 300 * 2**20

Facts = dict[str, Any]


# --- a corpus of more than 2^31 tokens ------------------------------------------------------------------------------


def run(
    parts: Iterator[Encoded], tokens: int, rounds: tuple[int, int] | None, workers: int
) -> tuple[training.epoch.Progress, np.ndarray]:
    """An epoch in which word 0, the filler, never survives."""
    inputs, outputs = training.matrices.first_vectors(WORDS, 16, 1), training.matrices.new_matrix(WORDS, 16)
    keep = np.full(WORDS, 2**32 - 1, np.uint32)
    keep[0] = 0
    kernel = training.epoch.Kernel(
        *(
            training.matrices.padded(inputs),
            training.matrices.padded(outputs),
            None,
            keep,
            noise.alias_table(np.ones(WORDS)),
        ),
        *(None, None, None),
        **{"window": 5, "negative": 5, "shrink": True, "shared": True, "cbow": False},
        **{"mean_forward": True, "mean_backward": False, "with_loss": False},
    )
    schedule = training.schedule.Schedule(0.05, 0.05 / tokens, tokens)
    given = {"key": 1, "schedule": schedule, "workers": workers, "n_hot": 0}
    reached = training.epoch.Progress()
    with progress_bar(False) as bar:
        training.epoch.run_epoch(
            kernel, training.epoch.check_parts(kernel, parts), reached, round_shape=rounds, bar=bar, **given
        )
    return reached, inputs


def sentences(tokens: int) -> np.ndarray:
    return np.minimum(np.arange(0, tokens + SENTENCE, SENTENCE), tokens)


def tail_tokens() -> np.ndarray:
    return np.random.default_rng(1).integers(1, WORDS, TAIL, dtype=np.int32)


def expected() -> tuple[training.epoch.Progress, np.ndarray]:
    """What training the tail alone gives, at the positions it has: all that is not trained is skipped, not held."""

    def parts() -> Iterator[Encoded]:
        block = np.zeros(2**24, np.int32)
        for begin in range(0, FILLER, len(block)):
            part = block[: min(len(block), FILLER - begin)]
            yield Encoded(part, sentences(len(part)), len(part))
        yield Encoded(tail_tokens(), sentences(TAIL), TAIL)

    return run(parts(), FILLER + TAIL, None, 1)


def tokens_streamed(args: argparse.Namespace) -> Facts:
    reached, vectors = expected()
    assert reached.words == FILLER + TAIL
    assert 0 <= reached.survivors - TAIL < 10  # a draw of 0 lets a filler through, once in 2^32
    np.save(args.folder / "tail.npy", vectors)
    return {"tokens": reached.words, "trained": reached.survivors, "examples": reached.examples}


def tokens_mapped(args: argparse.Namespace) -> Facts:
    with open(args.folder / "tokens", "w+b") as file:
        file.seek(4 * FILLER)  # a hole
        file.write(tail_tokens().tobytes())
        file.flush()
        tokens = np.frombuffer(FileMapping(file.fileno(), 0, access=mmap.ACCESS_READ), np.int32)
    corpus = Encoded(tokens, sentences(len(tokens)), len(tokens))
    rounds = training.schedule.ROUND if args.step.endswith("rounds") else None
    reached, vectors = run(iter([corpus]), len(tokens), rounds, 1 if rounds is None else 2)
    assert reached.words == FILLER + TAIL
    assert 0 <= reached.survivors - TAIL < 10
    if rounds is None:
        assert np.array_equal(vectors, np.load(args.folder / "tail.npy"))
    else:  # other bits, but as much learnt
        assert np.isfinite(vectors).all()
    return {"tokens": reached.words, "trained": reached.survivors, "examples": reached.examples}


# --- long lines and words -------------------------------------------------------------------------------------------


def long_line(args: argparse.Namespace) -> Facts:
    path = args.folder / "line"
    with path.open("wb") as file:
        for _ in range(LINE // 2**20):
            file.write(b"abc def " * 2**17)
    model = Word2Vec(vector_size=16, cache=args.step.rpartition(" ")[2], epochs=1, sample=1e-5, workers=2)
    model.build_vocab(corpus_file=path)
    model.train(corpus_file=path, total_examples=1, epochs=1)
    assert (model.corpus_total_words, model.corpus_count) == (LINE // 4, 1)
    assert model.history[0].raw_words == LINE // 4
    return {"bytes": LINE, "words": LINE // 4}


def long_word(args: argparse.Namespace) -> Facts:
    word = "x" * (LINE // 3)
    model = Word2Vec([[word, "b", "c"]] * 10, vector_size=16, min_count=1, sample=0)
    model.save(args.folder / "word")
    assert word in Word2Vec.load(args.folder / "word").wv
    return {"bytes": len(word)}


# --- a large vocabulary ---------------------------------------------------------------------------------------------


def vocabulary_text(args: argparse.Namespace) -> Facts:
    with open(args.folder / "text", "w", encoding="ascii") as file:
        for begin in range(0, args.words, 1000):
            file.write(" ".join(f"word{number}" for number in range(begin, begin + 1000)) + " the\n")
    return {"words": args.words + args.words // 1000}


def vocabulary_build(args: argparse.Namespace) -> Facts:
    model = Word2Vec(vector_size=SIZE, min_count=1, workers=2, epochs=1, sample=0)
    started = time.perf_counter()
    model.build_vocab(corpus_file=args.folder / "text")
    built = time.perf_counter()
    model.train(corpus_file=args.folder / "text", total_examples=1, epochs=1)
    trained = time.perf_counter()
    model.save(args.folder / "model")
    saved = time.perf_counter()
    assert len(model.wv) == args.words + 1
    assert model.wv.get_vecattr("the", "count") == args.words // 1000
    np.save(args.folder / "last.npy", model.wv[f"word{args.words - 1}"])
    spent = {"build s": built - started, "train s": trained - built, "save s": saved - trained}
    return {"words": args.words, "estimate": gibibytes(model.estimate_memory()["total"])} | spent


def vocabulary_load(args: argparse.Namespace) -> Facts:
    mapped = args.step.endswith("mapped")
    started = time.perf_counter()
    model = Word2Vec.load(args.folder / "model", mmap="r" if mapped else None)
    loaded = time.perf_counter()
    last = f"word{args.words - 1}"
    assert np.array_equal(model.wv[last], np.load(args.folder / "last.npy"))
    assert model.wv.index_to_key[0] == "the"
    found = model.wv.most_similar(last, topn=3)
    assert len(found) == 3
    return {"words": args.words, "load s": loaded - started, "first query s": time.perf_counter() - loaded}


# --- a matrix of more than 2^31 numbers -----------------------------------------------------------------------------


def rows(words: int) -> np.ndarray:
    """Rows that differ, of no memory: each begins a number later than the one before."""
    numbers = np.random.default_rng(3).standard_normal(words + WIDE).astype(np.float32)
    return np.lib.stride_tricks.sliding_window_view(numbers, WIDE)[:words]


def matrix_save(args: argparse.Namespace) -> Facts:
    names = [f"word{number}" for number in range(args.words)]
    write_native(args.folder / "matrix", "vectors", names, {"vectors": rows(args.words)}, {})
    return {"numbers": args.words * WIDE, "file": gibibytes((args.folder / "matrix").stat().st_size)}


def matrix_load(args: argparse.Namespace) -> Facts:
    started = time.perf_counter()
    vectors = KeyedVectors.load(args.folder / "matrix", mmap="r" if args.step.endswith("mapped") else None)
    loaded = time.perf_counter()
    true = rows(args.words)
    for row in (0, min(2**31 // WIDE, args.words - 2), args.words - 1):
        assert np.array_equal(vectors.vectors[row], true[row]), row
    assert vectors.vectors.size == args.words * WIDE
    wanted = args.words - 5
    for _ in range(2):
        found = vectors.similar_by_vector(true[wanted], topn=1)
        assert found[0][0] == f"word{wanted}", found
    return {"numbers": vectors.vectors.size, "load s": loaded - started, "2 queries s": time.perf_counter() - loaded}


# --- a .bin of fastText of more than 2^31 numbers -------------------------------------------------------------------

FEW = 1000  # words; all other rows are those of n-grams


def bin_save(args: argparse.Namespace) -> Facts:
    settings = dict.fromkeys(fasttext_bin.SETTINGS, 1)
    settings |= {"dim": WIDE, "loss": 2, "model": 2, "minn": 3, "maxn": 6, "bucket": args.words - FEW}
    names, counts = [f"word{number}" for number in range(FEW)], np.arange(FEW, 0, -1)
    fasttext_bin.write(args.folder / "bin", names, counts, rows(args.words), None, settings, 1e-4, 10**6)
    return {"numbers": args.words * WIDE, "file": gibibytes((args.folder / "bin").stat().st_size)}


def bin_load(args: argparse.Namespace) -> Facts:
    started = time.perf_counter()
    vectors = load_facebook_vectors(args.folder / "bin", mmap="r" if args.step.endswith("mapped") else None)
    loaded = time.perf_counter()
    true = rows(args.words)
    for word in ("word0", f"word{FEW - 1}", "unseen", "antidisestablishmentarianism"):
        known = vectors.has_index_for(word)
        _, of_word = vectors._list([word], own=known)
        of_word = of_word.tolist()
        if known:
            of_word[0] = vectors.get_index(word)
        np.testing.assert_allclose(vectors[word], true[of_word].mean(axis=0), atol=1e-5)
    beyond = max(of_word)
    assert beyond * WIDE > 2**31 or args.words * WIDE < 2**31, "no n-gram lies beyond 2^31"
    return {"load s": loaded - started, "4 look-ups ms": 1000 * (time.perf_counter() - loaded)}


STEPS: dict[str, Callable[[argparse.Namespace], Facts]] = {
    "tokens streamed": tokens_streamed,
    "tokens mapped": tokens_mapped,
    "tokens mapped, rounds": tokens_mapped,
    "long line, cache disk": long_line,
    "long line, cache none": long_line,
    "long word": long_word,
    "vocabulary: text": vocabulary_text,
    "vocabulary: build": vocabulary_build,
    "vocabulary: load": vocabulary_load,
    "vocabulary: mapped": vocabulary_load,
    "matrix: save": matrix_save,
    "matrix: load": matrix_load,
    "matrix: mapped": matrix_load,
    "bin: save": bin_save,
    "bin: load": bin_load,
    "bin: mapped": bin_load,
}


def gibibytes(size: float) -> str:
    return f"{size / 2**30:.2f} GiB"


def shown(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def measured(step: str, args: argparse.Namespace) -> list[str]:
    """Run one step in a fresh process; its time, its peak of memory, and what it has to say."""
    command = [sys.executable, __file__, "--step", step, "--words", str(args.words), "--folder", str(args.folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    facts = json.loads(done.stdout.splitlines()[-1])
    took, peak = facts.pop("seconds"), facts.pop("peak")
    said = ", ".join(f"{name} {shown(value)}" for name, value in facts.items())
    return [step, f"{took:.1f}", f"{peak / 2**20:.2f}", said]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=10_000_000, help="of the large vocabulary")
    parser.add_argument("--folder", help="where to make the temporary folder")
    parser.add_argument("--only", nargs="+", choices=STEPS, default=list(STEPS), metavar="STEP")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)  # in the process of a step
    args = parser.parse_args()
    if args.step:
        args.folder = Path(args.folder)
        started = time.perf_counter()
        facts = STEPS[args.step](args)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps(facts | {"seconds": time.perf_counter() - started, "peak": peak}))
        return
    print(common.machine(), flush=True)
    table = [["step", "seconds", "peak GiB", "what"]]
    with tempfile.TemporaryDirectory(prefix="w2v-big-", dir=args.folder) as folder:
        args.folder = Path(folder)
        for step in args.only:
            table.append(measured(step, args))
            print(" | ".join(table[-1]), file=sys.stderr, flush=True)
    print(common.table(table))


if __name__ == "__main__":
    main()
