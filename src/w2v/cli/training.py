"""The commands that train a model of words: `w2v train`, `w2v fasttext` and `w2v resume`."""

import argparse
from collections.abc import Callable

from w2v.cli import combine, distributed, first, subwords, term_commands
from w2v.cli.arguments import (
    add_output,
    add_progress,
    add_text_options,
    add_training_options,
    check_something_to_train,
    interval,
    training_settings,
)
from w2v.cli.output import check_not_of_the_run, how_to_resume, save_trained
from w2v.cli.sources import check_output, is_in, read_from, warn_of_raw_text
from w2v.cli.vector_files import format_of

EXAMPLES = {
    "train": """
        w2v train book.txt
        w2v train corpus.txt -o model.safetensors
        w2v train corpus.txt.gz -o vectors.bin --sg --size 300 --epochs 10 --workers -1
        w2v train corpus.txt -o vectors.safetensors --vectors-only --hs --negative 0 --loss
        w2v train corpus.txt -o model.safetensors --checkpoint run/ --checkpoint-every 10m
        w2v train corpus.txt -o vectors.bin --sg --device auto
        cat corpus.txt | w2v train - -o vectors.txt --no-progress --json
        w2v train book.txt -o book.safetensors --tokenizer simple
        w2v train reviews.parquet -o reviews.safetensors --column text --tokenizer simple
        w2v train articles.jsonl.gz -o articles.safetensors --field body --tokenizer simple
        w2v train march.txt -o march.safetensors --resume-from february.safetensors
        w2v train 1900s.txt -o 1900s.safetensors --resume-from all.safetensors --freeze outputs"""
    + distributed.TRAIN_EXAMPLES,
    "resume": """
        w2v resume run/ -o model.safetensors
        w2v resume run/ -o vectors.bin --corpus corpus.txt
    """,
}


def add_arguments(add: Callable[..., argparse.Action], *, subword: bool = False) -> None:
    """Declare the options of `w2v train` and `w2v fasttext`."""
    add("corpus", metavar="CORPUS", help="text, plain or .gz, .bz2, .xz, .zst; - for standard input")
    add_output(add, "" if subword else "without it, a first model of this text")
    add("--cbow", dest="sg", action="store_const", const=0, default=None, help="words from context (default)")
    add("--sg", action="store_const", const=1, default=None, help="skip-gram: context from words")
    add_training_options(add)
    add_text_options(add)
    term_commands.add_step_options(add)
    purpose = "go on from this saved model: its words and those of CORPUS, with its settings where none are given"
    add("--resume-from", metavar="MODEL", help=purpose)
    purpose = "leave the outputs, the inputs, or the words of MODEL as they are, to the bit; the first two add no words"
    add("--freeze", choices=combine.FREEZE, help=purpose)
    add("--checkpoint", metavar="DIR", help="keep the run in this folder; w2v resume goes on with it")
    purpose = "how often: a time such as 30s, 10m or 2h, or a number of epochs (default %(default)s)"
    add("--checkpoint-every", type=interval, default="10m", metavar="T", help=purpose)
    add_progress(add)


def run(args: argparse.Namespace) -> None:
    """Train a model, and save it; one without a name is a first model, with settings that fit the text."""
    if args.output is None:
        asked = {"--resume-from": args.resume_from, "--checkpoint": args.checkpoint, "--freeze": args.freeze}
        asked |= {
            "--engine": getattr(args, "engine", None),
            "--phrases": args.phrases,
            "--terms": args.terms,
            "--vectors-only": args.vectors_only or None,
        }
        if any(value is not None for value in asked.values()):
            args.wrong_usage(f"{next(flag for flag, value in asked.items() if value is not None)} needs -o OUT")
        return first.train(args)
    format_of(args.output)
    check_output(args.output)
    if is_in(args.output, args.corpus):
        raise ValueError(f"{args.output} is the corpus itself; write to another file")
    if args.checkpoint is not None:
        check_not_of_the_run(args)
    given = training_settings(args) | ({"sg": args.sg} if args.sg is not None else {})
    options = {"checkpoint": args.checkpoint, "checkpoint_every": args.checkpoint_every}
    if args.resume_from is not None:
        if is_in(args.output, args.resume_from):
            raise ValueError(f"{args.output} is the model to go on from; write to another file")
        if args.phrases is not None or args.terms is not None or getattr(args, "tied", False):
            args.wrong_usage("--phrases, --terms and --tied belong to a new model; that of --resume-from keeps its own")
        with how_to_resume(args), read_from(args.corpus, args) as (sentences, corpus_file):
            model = combine.go_on(args.resume_from, args.freeze, given, sentences, corpus_file, **options)
        return save_trained(args, model)
    if args.freeze is not None:
        args.wrong_usage("--freeze leaves rows of a trained model as they are: give it by --resume-from MODEL")
    check_something_to_train(args)
    if getattr(args, "engine", None) is not None:
        return distributed.train(args, given)
    from w2v import FastText, Word2Vec

    family = FastText if hasattr(args, "min_n") else Word2Vec
    given |= term_commands.steps_of(args) | subwords.settings_of(args)
    with how_to_resume(args), read_from(args.corpus, args) as (sentences, corpus_file):
        warn_of_raw_text(args)
        model = family(sentences, corpus_file=corpus_file, **options, **given)
    save_trained(args, model)


def resume(args: argparse.Namespace) -> None:
    """Go on with a run that was cut short."""
    format_of(args.output)
    check_output(args.output)
    from w2v.distributed import is_run
    from w2v.models import families

    check_not_of_the_run(args)
    if is_run(args.checkpoint):
        return distributed.resume(args)
    again = ["--corpus", args.corpus] if args.corpus is not None else []
    again += ["--workers", str(args.workers)] if args.workers is not None else []
    again += ["--device", args.device] if args.device is not None else []
    given = {"workers": args.workers, "progress": args.progress}
    given |= {"device": args.device} if args.device is not None else {}
    with how_to_resume(args, again), read_from(args.corpus) as (sentences, corpus_file):
        model = families.resume(args.checkpoint, sentences, corpus_file, **given)
    save_trained(args, model)
