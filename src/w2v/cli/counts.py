"""The commands of counts: `w2v counts`, vectors of how often words meet, and `w2v advise`. Public names do all work."""

import argparse
import json
import os
import shlex
from collections.abc import Callable
from typing import Any

from w2v.cli.arguments import TOKENIZERS, TRAINING_OPTIONS, add_output, add_progress, add_text_options, workers
from w2v.cli.output import report
from w2v.cli.sources import check_output, is_in, is_raw, read_from
from w2v.cli.term_commands import add_step_options, steps_of
from w2v.cli.vector_files import format_of, save
from w2v.common.terminal import printable

EXAMPLES = {
    "counts": """
        w2v counts corpus.txt -o model.safetensors --size 40
        w2v counts corpus.txt.gz -o vectors.bin --size 40 --window 3 --eig 0 --workers -1
        w2v counts corpus.txt -o lsa.safetensors --size 40 --lsa --weighting log-entropy
    """,
    "advise": """
        w2v advise corpus.txt --seconds 20
        w2v advise corpus.txt --seconds 20 --plot advice.png --json
    """,
}

# Options of training that counting has as well; --negative has another default.
SHARED = (
    "vector_size", "window", "min_count", "negative", "sample", "workers", "ns_exponent", "max_vocab_size",
    "max_final_vocab",
)  # fmt: skip
WEIGHTINGS = ("tfidf", "log-entropy")  # of `w2v.training.settings`, which would load numpy (a test compares)
FLAGS = {"eig": "--eig", "weighting": "--weighting"}


def register(command: Callable[..., Callable[..., argparse.Action]]) -> None:
    """Declare the commands."""
    add = command("counts", run, "make vectors of counts: of words that meet, or with --lsa of documents by words")
    add("corpus", metavar="CORPUS", help="text, plain or .gz, .bz2, .xz, .zst; - for standard input")
    add_output(add)
    add("--lsa", action="store_true", help="latent semantic analysis; each line is a document")
    for flag, parameter, kind, default, purpose in TRAINING_OPTIONS:
        if parameter not in SHARED:
            continue
        if parameter == "negative":
            default, purpose = 1, "what must be met more often than chance so many times"
        if parameter == "workers":
            purpose = "threads; -1 for every core; they change no bit"
        if parameter == "ns_exponent":
            purpose = "chance is by count to this power"
        ending = "" if default is None else f" (default {default})"
        add(flag, dest=parameter, type=kind, default=argparse.SUPPRESS, metavar="N", help=purpose + ending)
    purpose = "power of the singular values in vectors (default 0.5, with --lsa 1)"
    add("--eig", type=float, default=argparse.SUPPRESS, metavar="P", help=purpose)
    add("--add-contexts", action="store_true", help="add a word's two vectors")
    add("--whole-windows", action="store_true", help="let a far word count as much as a near one")
    add("--weighting", choices=WEIGHTINGS, default=argparse.SUPPRESS, help="of --lsa (default tfidf)")
    add("--cache", choices=["auto", "memory", "disk", "none"], default="auto", help="where to keep the ids")
    add_text_options(add)
    add_step_options(add)
    add_progress(add)

    add = command("advise", advise, "say which model to take for a text, and what to expect: tried on parts of it")
    add("corpus", metavar="FILE", help="text, a sentence or document per line; - for standard input")
    add("--tokenizer", choices=TOKENIZERS, help="what words of raw text are (default: simple, if the text is raw)")
    add("--seconds", type=float, default=120.0, metavar="N", help="when to try nothing else (default %(default)g)")
    add("--plot", metavar="OUT", help="a figure of quality and stability against size")
    add("--workers", type=workers, default=-1, metavar="N", help="threads (default: one per core)")
    add("--seed", type=int, default=1, metavar="N", help="of what is held out and drawn (default %(default)s)")
    add_progress(add)


def advise(args: argparse.Namespace) -> None:
    """Advise on a text."""
    if args.plot:
        from w2v.common.figures import check_ending

        check_ending(args.plot)
        check_output(args.plot)
    from w2v import advise as advised

    with read_from(args.corpus) as (sentences, corpus_file):
        corpus: Any = sentences if corpus_file is None else corpus_file
        tokenizer = args.tokenizer or ("simple" if is_raw(sentences, corpus_file) else None)
        if tokenizer is not None and corpus_file is None:
            corpus = sentences.source
        options: dict[str, Any] = {"tokenizer": tokenizer}
        options |= {"seconds": args.seconds, "workers": args.workers, "seed": args.seed, "progress": args.progress}
        found = advised(corpus, **options)
    if args.plot:
        from w2v.files.writing import atomic_write

        with atomic_write(args.plot) as file:
            found.plot().savefig(file, format=os.path.splitext(args.plot)[1][1:])
    if args.json:
        print(json.dumps(found.to_dict(), allow_nan=False))
        return
    for line in str(found).replace(found.command(), found.command(shlex.quote(args.corpus))).splitlines():
        print(printable(line))


def run(args: argparse.Namespace) -> None:
    """Count, make vectors and write them."""
    form = format_of(args.output)
    check_output(args.output)
    if is_in(args.output, args.corpus):
        raise ValueError(f"{args.output} is the corpus itself; write to another file")
    given = {name: getattr(args, name) for name in (*SHARED, "eig", "weighting") if hasattr(args, name)}
    given |= {"add_contexts": True} if args.add_contexts else {}
    given |= {"shrink_windows": False} if args.whole_windows else {}
    from w2v import LSA, PPMI

    family: Any = LSA if args.lsa else PPMI
    for name in given:
        if name not in family.own_settings():
            flag = {"shrink_windows": "whole-windows"}.get(name, name.replace("_", "-"))
            args.wrong_usage(f"--{flag} is not for vectors {'with' if args.lsa else 'without'} --lsa")
    steps = steps_of(args)
    given |= {"tokenizer": args.tokenizer, "cache": args.cache, "progress": args.progress}
    with read_from(args.corpus, args) as (sentences, corpus_file):
        model = family(sentences, corpus_file=corpus_file, **given, **steps)
    if form == "native" and not args.vectors_only:
        model.save(args.output)
    else:
        save(model.wv, args.output, form)
    from w2v.files.arrays import sha256_of

    facts = {
        "corpus_words": model.corpus_total_words,
        "documents" if args.lsa else "sentences": model.corpus_count,
        "vocabulary": len(model.wv),
        "vector_size": model.vector_size,
        "largest_singular_value": float(model.singular_values[0]),
        "least_singular_value": float(model.singular_values[-1]),
        "sha256": sha256_of(model.wv.vectors),
        "file": args.output,
    }
    report(args, facts)
