"""How to combine models of two corpora: what each way keeps, what it learns, and what it costs.

    python benchmarks/combine.py ways FIRST SECOND --eval FOLDER [--workers 2]
    python benchmarks/combine.py maps FIRST SECOND --eval FOLDER
    python benchmarks/combine.py bilingual --multi30k FOLDER --muse FOLDER
    python benchmarks/combine.py way FIRST SECOND --word WORD --figures docs/figures
    python benchmarks/combine.py speed
    python benchmarks/combine.py newsgroups TRAIN.tsv.xz TEST.tsv.xz TEXT      (makes the text of the posts)
    python benchmarks/combine.py halves CORPUS FIRST SECOND                    (cuts a text into halves)

`ways`: retraining on all text, training on, with and without replay or frozen words, alignment and merging, and a
compass. Of each the word similarities of the first corpus, the neighbours of words that are new in the second corpus
relative to what two retrainings share, seconds and memory. Every way runs in a process of its own; what it has trained
is kept in --folder and used again. `maps`: self-translation between the two models, and the analogies of their merge.
`bilingual`: captions in two languages, translated by a dictionary. gensim's TranslationMatrix on the same vectors
stands beside it, where gensim is installed. Skip-gram with negative sampling, 100 dimensions, five epochs.
"""

import argparse
import json
import lzma
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import common
import numpy as np

from w2v import KeyedVectors, Word2Vec, align, merge, update
from w2v.align import retrieval
from w2v.stability import neighbor_tables, overlap

SETTINGS: dict[str, Any] = {"sg": 1, "vector_size": 100, "epochs": 5, "progress": False}
SIMILARITIES = {"WS-353": "EN-WS-353-ALL.txt", "MEN": "EN-MEN-TR-3k.txt"}
NEW_WORDS = 2000  # whose neighbours are compared, the most frequent
OLD_WORDS = 2000
ANCHORS, TRIED = 5000, 2000

Vectors = dict[str, KeyedVectors]


# --- ways -------------------------------------------------------------------------------------------------------------


def trained(path: str, args: argparse.Namespace, seed: int = 1) -> Word2Vec:
    return Word2Vec(corpus_file=path, seed=seed, workers=args.workers, **SETTINGS)


def both(args: argparse.Namespace) -> str:
    path = Path(args.folder) / "both.txt"
    if not path.exists():
        with path.open("wb") as file:
            for part in (args.first, args.second):
                file.write(Path(part).read_bytes())
    return str(path)


def first_model(args: argparse.Namespace) -> Word2Vec:
    return Word2Vec.load(Path(args.folder) / "first.safetensors")


def updated(args: argparse.Namespace, **options: Any) -> Word2Vec:
    model = first_model(args)
    model.workers = args.workers
    update(model, corpus_file=args.second, **options)
    return model


def under_compass(args: argparse.Namespace, path: str) -> Word2Vec:
    model = Word2Vec.load(Path(args.folder) / "all, another seed.safetensors")
    model.workers = args.workers
    model.train(corpus_file=path, total_examples=1, epochs=model.epochs, freeze="outputs")
    return model


def merged(args: argparse.Namespace) -> KeyedVectors:
    second = Word2Vec.load(Path(args.folder) / "second.safetensors")
    return merge([first_model(args).wv, second.wv])


# In this order, since later ones need what the first have trained.
WAYS: dict[str, Callable[[argparse.Namespace], Word2Vec | KeyedVectors]] = {
    "first": lambda args: trained(args.first, args),
    "second": lambda args: trained(args.second, args),
    "all": lambda args: trained(both(args), args),
    "all, another seed": lambda args: trained(both(args), args, seed=2),
    "update": updated,
    "update, replay": lambda args: updated(args, replay=args.first),
    "update, known words frozen": lambda args: updated(args, freeze_known=True),
    "align and merge": merged,
    "compass, first": lambda args: under_compass(args, args.first),
    "compass, second": lambda args: under_compass(args, args.second),
}
# What a way has trained before it begins: its seconds are added.
BEFORE = {"align and merge": ["second"], "compass, first": ["all"], "compass, second": ["all"]}


def one(args: argparse.Namespace, way: str) -> None:
    """Go one way, save what it gives, and print what it costs."""
    started = time.perf_counter()
    made = WAYS[way](args)
    seconds = time.perf_counter() - started
    made.save(Path(args.folder) / f"{way}.safetensors")
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "megabytes": megabytes}))


def costs_of(args: argparse.Namespace, way: str) -> dict[str, float]:
    """The costs of a way, which is gone in another process if it has not been before."""
    kept = Path(args.folder) / f"{way}.json"
    if not kept.exists():
        command = [sys.executable, __file__, *sys.argv[1:], "--folder", args.folder, "--one", way]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        kept.write_text(printed.splitlines()[-1], encoding="utf-8")
    found: dict[str, float] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def score(vectors: KeyedVectors, folder: str, name: str) -> float:
    pairs = Path(folder) / "word-sim" / SIMILARITIES[name]
    return float(vectors.evaluate_word_pairs(pairs)[1].statistic)


def among(vectors: KeyedVectors, words: list[str]) -> KeyedVectors:
    return KeyedVectors.from_arrays(words, vectors[words])


def shared(runs: Vectors, words: list[str], known: list[str]) -> dict[str, float]:
    """Of each run, the neighbours of words among `known` words that it shares with "all", in the mean."""
    tables, _ = neighbor_tables([among(vectors, known) for vectors in runs.values()], words, 10, progress=False)
    place = list(runs).index("all")
    return {name: float(overlap(tables[place], table).mean()) for name, table in zip(runs, tables, strict=True)}


def print_ways(args: argparse.Namespace) -> None:
    costs = {way: costs_of(args, way) for way in WAYS}
    runs = {way: KeyedVectors.load(Path(args.folder) / f"{way}.safetensors") for way in WAYS}
    first = runs["first"]
    learnt = {way: vectors for way, vectors in runs.items() if way not in ("first", "compass, first")}
    everywhere = [word for word in runs["all"].index_to_key if all(word in vectors for vectors in learnt.values())]
    new = [word for word in everywhere if word not in first][:NEW_WORDS]
    of_new = shared(learnt, new, everywhere)
    both_know = [word for word in first.index_to_key if all(word in vectors for vectors in runs.values())]
    of_old = shared(runs, both_know[:: max(1, len(both_know) // OLD_WORDS)], both_know)
    print(f"{len(first):,} words in the first model, {len(runs['all']):,} in that of all; {len(new):,} new ones\n")
    rows = [["way", *SIMILARITIES, "new words", "known words", "seconds", "MB"]]
    for way, vectors in runs.items():
        seconds = costs[way]["seconds"] + sum(costs[other]["seconds"] for other in BEFORE.get(way, []))
        rows.append([way, *(f"{score(vectors, args.eval, name):.3f}" for name in SIMILARITIES)])
        for found in (of_new, of_old):
            share = found.get(way, float("nan")) / found["all, another seed"]
            rows[-1].append("" if share != share or way == "all" else f"{share:.2f}")
        rows[-1] += [f"{seconds:.0f}", f"{costs[way]['megabytes']:.0f}"]
    print(common.table(rows))
    slices = {"first": runs["compass, first"], "all": runs["compass, second"]}
    compass = shared(slices, both_know[:OLD_WORDS], both_know)["first"]
    turned = align.fit(runs["compass, first"], runs["compass, second"]).transform(slices["first"])
    print(f"\nneighbours that both slices share: compass {compass:.3f}, separate trainings ", end="")
    print(f"{shared({'first': first, 'all': runs['second']}, both_know[:OLD_WORDS], both_know)['first']:.3f}")
    moved = {"compass": (slices["first"], slices["all"]), "compass, then a map": (turned, slices["all"])}
    moved["separate trainings, then a map"] = align.fit(first, runs["second"]).transform(first), runs["second"]
    for name, (left, right) in moved.items():
        print(f"{name}: {crossing(left, right, both_know):.3f} of the neighbours in the other slice are the same")


def crossing(left: KeyedVectors, right: KeyedVectors, words: list[str]) -> float:
    """Neighbours of a word's left vector among the right vectors, that are its neighbours on the right, too."""
    units = [among(vectors, words).get_normed_vectors() for vectors in (left, right)]
    asked = np.arange(min(OLD_WORDS, len(words)))
    here, there = (retrieval.nearest(side[asked], units[1], 11)[0] for side in units)
    lists = zip(asked.tolist(), here.tolist(), there.tolist(), strict=True)
    hits = [len(set(near).intersection(its) - {word}) for word, near, its in lists]
    return float(np.mean(hits)) / 10


# --- maps -------------------------------------------------------------------------------------------------------------


def precision(found: dict[str, list[Any]], wanted: dict[str, set[str]], topn: int) -> float:
    """Share of the words of which one of the first answers is right, in per cent."""
    return 100 * float(np.mean([bool(set(found[word][:topn]) & wanted[word]) for word in wanted]))


def answers(found: align.Map, words: list[str], way: str) -> dict[str, list[Any]]:
    return {word: [name for name, _ in its] for word, its in found.translate(words, 5, way).items()}


def of_gensim(source: KeyedVectors, target: KeyedVectors, pairs: list[tuple[str, str]], words: list[str]) -> Any:
    """The answers of gensim's TranslationMatrix, or None without gensim."""
    try:
        from gensim.models import KeyedVectors as Theirs
        from gensim.models import TranslationMatrix
    except ImportError:
        return None
    sides = []
    for vectors in (source, target):
        theirs = Theirs(vectors.vector_size)
        theirs.add_vectors(list(vectors.index_to_key), np.array(vectors.vectors))
        sides.append(theirs)
    model = TranslationMatrix(*sides, word_pairs=pairs)
    return {word: list(found) for word, found in model.translate(words, topn=5).items()}


def translation_rows(
    source: KeyedVectors, target: KeyedVectors, pairs: list[tuple[str, str]], wanted: dict[str, set[str]]
) -> list[list[str]]:
    words = list(wanted)
    rows = []
    theirs = of_gensim(source, target, pairs, words)
    if theirs is not None:
        rows.append(["gensim's TranslationMatrix", "nn", theirs])
    for method in ("least_squares", "orthogonal", "ridge"):
        found = align.fit(source, target, pairs, method)
        rows += [[method, way, answers(found, words, way)] for way in retrieval.WAYS]
    return [[*head, *(f"{precision(found, wanted, n):.1f}" for n in (1, 5))] for *head, found in rows]


def print_maps(args: argparse.Namespace) -> None:
    for way in ("first", "second"):
        costs_of(args, way)
    source, target = (KeyedVectors.load(Path(args.folder) / f"{way}.safetensors") for way in ("first", "second"))
    words = [word for word in source.index_to_key if word in target]
    anchors = [(word, word) for word in words[:ANCHORS]]
    tried = {word: {word} for word in words[ANCHORS : ANCHORS + TRIED]}
    units = [vectors.get_normed_vectors() for vectors in (source, target)]
    rows = retrieval.nearest(units[0][source.rows_of(list(tried))], units[1], 5)[0].tolist()
    found = {word: [target.index_to_key[row] for row in its] for word, its in zip(tried, rows, strict=True)}
    table = [["map", "retrieval", "P@1", "P@5"]]
    table.append(["none", "nn", *(f"{precision(found, tried, n):.1f}" for n in (1, 5))])
    print(common.table(table + translation_rows(source, target, anchors, tried)))
    questions = Path(args.eval) / "questions-words.txt"
    print("\nanalogies among the 30,000 most frequent words, per cent")
    several = {"first": source, "second": target}
    several |= {f"merge, {method}": merge([source, target], method=method) for method in ("mean", "concatenate", "svd")}
    several["merge, mean, equal weights"] = merge([source, target], None)
    for name, vectors in several.items():
        right = 100 * vectors.evaluate_word_analogies(questions, restrict_vocab=30_000)[0]
        print(f"{name}: {right:.1f}, WS-353 {score(vectors, args.eval, 'WS-353'):.3f}")
    shifted = align.fit(source, target, robust=True).shifted(15, 5000)
    print("\nshifted most:", ", ".join(f"{word} {cosine:.2f}" for word, cosine in shifted))


# --- two languages ----------------------------------------------------------------------------------------------------


def dictionary(args: argparse.Namespace, language: str) -> tuple[list[tuple[str, str]], dict[str, set[str]]]:
    """Pairs to learn from, and the words to try with their translations."""
    pairs = []
    for line in (Path(args.muse) / f"en-{language}.dict").read_text(encoding="utf-8").split("\n"):
        if line:
            target, _, source = line.partition(" @ ")  # the file has the target first
            pairs.append((source.strip().lower(), target.strip().lower()))
    wanted: dict[str, set[str]] = {}
    tests = sorted(Path(args.muse).glob(f"en-{language}.5000-6500.*.txt"))
    if tests:
        for file in tests:
            for line in file.read_text(encoding="utf-8").split("\n"):
                if line.strip():
                    source, target = line.lower().split("\t")[:2]
                    wanted.setdefault(source, set()).add(target.strip())
    else:  # no split is published: every fourth word is tried
        for number, word in enumerate(sorted({source for source, _ in pairs})):
            if number % 4 == 0:
                wanted[word] = set()
        for source, target in pairs:
            if source in wanted:
                wanted[source].add(target)
    return [pair for pair in pairs if pair[0] not in wanted], wanted


def print_bilingual(args: argparse.Namespace) -> None:
    options = SETTINGS | {"min_count": 10, "window": 10, "epochs": args.epochs, "workers": args.workers}
    spaces = {}
    for language in ("en", "de", "fr"):
        path = Path(args.folder) / f"multi30k.{language}.txt"
        if not path.exists():
            path.write_bytes(lzma.decompress((Path(args.multi30k) / f"train.{language}.txt.xz").read_bytes()))
        spaces[language] = Word2Vec(corpus_file=str(path), seed=1, **options).wv
    for language in ("de", "fr"):
        source, target = spaces["en"], spaces[language]
        pairs, wanted = dictionary(args, language)
        pairs = list(dict.fromkeys(pair for pair in pairs if pair[0] in source and pair[1] in target))
        wanted = {word: {t for t in its if t in target} for word, its in wanted.items() if word in source}
        wanted = {word: its for word, its in wanted.items() if its}
        chance = 100 * float(np.mean([len(its) for its in wanted.values()])) / len(target)
        print(f"\nen-{language}: {len(source):,} and {len(target):,} words, {len(pairs):,} pairs, ", end="")
        print(f"{len(wanted):,} words tried, {chance:.2f} % by chance\n")
        print(common.table([["map", "retrieval", "P@1", "P@5"], *translation_rows(source, target, pairs, wanted)]))


# --- speed ------------------------------------------------------------------------------------------------------------


def print_speed(args: argparse.Namespace) -> None:
    rng = np.random.default_rng(0)
    words = [f"w{number}" for number in range(args.words)]
    rows = rng.normal(size=(args.words, 100)).astype(np.float32)
    turn = np.linalg.qr(rng.normal(size=(100, 100)))[0].astype(np.float32)
    noisy = rows @ turn + 0.3 * rng.normal(size=rows.shape).astype(np.float32)
    source, target = KeyedVectors.from_arrays(words, rows), KeyedVectors.from_arrays(words, noisy)
    for method in ("orthogonal", "least_squares", "ridge"):
        started = time.perf_counter()
        align.fit(source, target, method=method).transform(source)
        print(f"fit and apply, {method}, {args.words:,} x 100: {time.perf_counter() - started:.2f} s", flush=True)
    units = [vectors.get_normed_vectors() for vectors in (source, target)]
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    blocked_csls(*units)
    print(f"CSLS, {args.words:,} x {args.words:,}, blocks: {time.perf_counter() - started:.1f} s, ", end="")
    print(f"{(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024:.0f} MB more than before", flush=True)
    few = [side[: args.reference] for side in units]
    seconds, found = [], []
    for way in (reference_csls, blocked_csls):
        started = time.perf_counter()
        found.append(way(*few))
        seconds.append(time.perf_counter() - started)
    print(
        f"CSLS, {args.reference:,} x {args.reference:,}: formula {seconds[0]:.2f} s, blocks {seconds[1]:.2f} s, ",
        end="",
    )
    print(f"{seconds[0] / seconds[1]:.1f} times; {(found[0] == found[1]).mean():.4f} of the answers agree")


def reference_csls(mapped: Any, targets: Any) -> Any:
    """Equation 4 of Conneau et al. 2018, as it is written, in numpy."""
    cosines = mapped @ targets.T
    there = np.sort(cosines, axis=1)[:, -10:].mean(axis=1)
    here = np.sort(cosines, axis=0)[-10:].mean(axis=0)
    return (2 * cosines - there[:, None] - here[None, :]).argmax(axis=1)


def blocked_csls(mapped: Any, targets: Any) -> Any:
    return retrieval.nearest(mapped, targets, 1, *retrieval.penalties("csls", mapped, targets))[0][:, 0]


# --- texts ------------------------------------------------------------------------------------------------------------

ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}


def posts(path: str) -> Iterator[str]:
    """The sentences of the posts' bodies, without headers and quotes, in lower case."""
    for line in lzma.decompress(Path(path).read_bytes()).decode().rstrip("\n").split("\n"):
        text = re.sub(r"\\(.)", lambda match: ESCAPED[match[1]], line.rstrip("\n").partition("\t")[2])
        body = "\n".join(row for row in text.partition("\n\n")[2].split("\n") if not row.startswith((">", ":", "|")))
        for sentence in re.split(r"[.!?]\s+|\n\s*\n", body.lower()):
            if len(words := re.findall(r"[a-z0-9]+(?:'[a-z0-9]+)*", sentence)) > 1:
                yield " ".join(words)


def write_newsgroups(args: argparse.Namespace) -> None:
    lines = [line for path in (args.first, args.second) for line in posts(path)]
    np.random.default_rng(0).shuffle(lines)  # posts are sorted by group
    Path(args.text).write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_halves(args: argparse.Namespace) -> None:
    lines = Path(args.first).read_text(encoding="utf-8").split("\n")
    middle = len(lines) // 2
    Path(args.second).write_text("\n".join(lines[:middle]) + "\n", encoding="utf-8")
    Path(args.text).write_text("\n".join(lines[middle:]), encoding="utf-8")


def draw(args: argparse.Namespace) -> None:
    """The figure of the documentation: a word's way from the model of one text to that of the other."""
    for way in ("first", "second"):
        costs_of(args, way)
    source, target = (KeyedVectors.load(Path(args.folder) / f"{way}.safetensors") for way in ("first", "second"))
    found = align.fit(source, target, ANCHORS, robust=True)
    print("shifted most:", ", ".join(f"{word} {cosine:.2f}" for word, cosine in found.shifted(40, 3000)))
    names = tuple(f"in {Path(path).stem}" for path in (args.first, args.second))
    align.draw_way(found, args.word, names=(names[0], names[1])).savefig(Path(args.figures) / "combining-way.png")


PRINTERS = {"ways": print_ways, "way": draw, "maps": print_maps, "bilingual": print_bilingual, "speed": print_speed}
PRINTERS |= {"newsgroups": write_newsgroups, "halves": write_halves}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=PRINTERS)
    for name in ("first", "second", "text"):
        parser.add_argument(name, nargs="?")
    parser.add_argument("--eval", help="folder with questions-words.txt and word-sim/")
    parser.add_argument("--folder", help="where trained models are kept")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--multi30k", help="folder with train.en.txt.xz, train.de.txt.xz and train.fr.txt.xz")
    parser.add_argument("--muse", help="folder with the dictionaries of MUSE")
    parser.add_argument("--word", default="drive", help="whose way is drawn")
    parser.add_argument("--figures", default="docs/figures", help="folder for the figure")
    parser.add_argument("--epochs", type=int, default=20, help="of bilingual")
    parser.add_argument("--words", type=int, default=80_000, help="of speed")
    parser.add_argument(
        "--reference", type=int, default=20_000, help="of speed, for the formula that needs all at once"
    )
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.folder = str(common.work_folder(args.folder))
    if args.one:
        return one(args, args.one)
    if args.what not in ("newsgroups", "halves"):
        print(common.machine(), flush=True)
    PRINTERS[args.what](args)


if __name__ == "__main__":
    main()
