"""The commands on sequences: `w2v bio train` and `w2v bio embed`."""

import argparse
from collections.abc import Callable
from typing import Any

from w2v.cli.arguments import (
    add_output,
    add_progress,
    add_training_options,
    check_something_to_train,
    interval,
    training_settings,
    workers,
)
from w2v.cli.output import check_not_of_the_run, how_to_resume, report, save_trained
from w2v.cli.sources import check_output, is_in
from w2v.cli.vector_files import format_of, save

EXAMPLES = {
    "bio train": """
        w2v bio train proteins.fa -o proteins.safetensors --preset protvec
        w2v bio train genome.fa.gz -o genome.bin --preset dna2vec -k 3 --k-max 5 --workers -1
        w2v bio train genes.fa -o genes.safetensors --preset genevec --strand canonical --epochs 10
    """,
    "bio embed": """
        w2v bio embed proteins.safetensors proteins.fa -o embedded.safetensors
        w2v bio embed proteins.safetensors more.fa -o embedded.txt --how mean --unseen mean --json
    """,
}

PRESETS = {"protvec": "ProtVec", "genevec": "GeneVec", "dna2vec": "DNA2Vec"}

# Those of `w2v.text.kmers`, which would load numpy (a test compares).
ALPHABETS = ("dna", "rna", "protein")
POLICIES = ("keep", "skip", "split")
# Flag, parameter of Kmers, type or choices, help.
OPTIONS: list[tuple[str, str, Any, str]] = [
    ("-k", "k", int, "letters of a k-mer, or of the shortest"),
    ("--k-max", "k_max", int, "letters of the longest k-mer: the length is drawn for each place"),
    ("--alphabet", "alphabet", ALPHABETS, "what the letters are"),
    ("--frames", "frames", ("sliding", "shifted"), "k-mers at every place, or k frames without overlap"),
    ("--strand", "strand", ("forward", "both", "canonical", "random"), "of nucleotides: which strands are read"),
    ("--masked", "masked", POLICIES, "lower-case letters: as others, in no k-mer, or an end of the sequence"),
    ("--ambiguous", "ambiguous", POLICIES, "letters such as N and X, likewise"),
    ("--stops", "stops", POLICIES, "the letter *, likewise"),
    ("--gaps", "gaps", POLICIES, "the letters - and ., which are taken out if skipped"),
    ("--max-sentence-length", "max_sentence_length", int, "k-mers of a sentence; no k-mer is lost"),
]
FLAGS = {parameter: flag for flag, parameter, *_ in OPTIONS} | {"how": "--how", "unseen": "--unseen"}


def add_training_arguments(add: Callable[..., argparse.Action]) -> None:
    """Declare the options of `w2v bio train`."""
    add("corpus", metavar="FILE", help="FASTA or FASTQ, plain or .gz, .bz2, .xz, .zst, or a folder of such files")
    add("--preset", choices=PRESETS, required=True, help="the published settings to start from")
    add_output(add)
    for flag, parameter, kind, purpose in OPTIONS:
        shape: dict[str, Any] = {"type": kind, "metavar": "N"} if kind is int else {"choices": kind}
        add(flag, dest=parameter, default=argparse.SUPPRESS, help=f"{purpose} (default: the preset's)", **shape)
    add("--cbow", dest="sg", action="store_const", const=0, default=None, help="k-mers from context")
    add_training_options(add)
    add("--checkpoint", metavar="DIR", help="keep the run in this folder; w2v resume goes on with it")
    purpose = "how often: a time such as 30s, 10m or 2h, or a number of epochs (default %(default)s)"
    add("--checkpoint-every", type=interval, default="10m", metavar="T", help=purpose)
    add_progress(add)


def add_embedding_arguments(add: Callable[..., argparse.Action]) -> None:
    """Declare the options of `w2v bio embed`."""
    add("model", metavar="MODEL", help="a model of w2v bio train, vectors of word2vec, or ProtVec's table in .csv")
    add("sequences", metavar="FILE", help="FASTA or FASTQ, as for w2v bio train")
    purpose = "vectors under the ids of the sequences: .safetensors, .bin, .txt or .vec"
    add("-o", "--output", required=True, metavar="OUT", help=purpose)
    add("--how", choices=("sum", "mean", "sif"), default="sum", help="of the k-mers' vectors (default %(default)s)")
    purpose = "k-mers without a vector: left out, or counted as zeros or as the mean vector (default %(default)s)"
    add("--unseen", choices=("skip", "zero", "mean"), default="skip", help=purpose)
    add("--workers", type=workers, default=-1, metavar="N", help="threads, which change no bit (default: every core)")


def train(args: argparse.Namespace) -> None:
    """Train vectors of k-mers, and save the model."""
    format_of(args.output)
    check_output(args.output)
    if is_in(args.output, args.corpus):
        raise ValueError(f"{args.output} is read by this command; write to another file")
    if args.checkpoint is not None:
        check_not_of_the_run(args)
    check_something_to_train(args)
    from w2v import bio

    given = training_settings(args) | ({"sg": args.sg} if args.sg is not None else {})
    given |= {parameter: getattr(args, parameter) for _, parameter, *_ in OPTIONS if hasattr(args, parameter)}
    options = {"checkpoint": args.checkpoint, "checkpoint_every": args.checkpoint_every}
    with how_to_resume(args):
        made = getattr(bio, PRESETS[args.preset])(args.corpus, **given, **options)
    save_trained(args, made.model)


def embed(args: argparse.Namespace) -> None:
    """Make vectors of sequences, save them under their ids, and say how many k-mers had none."""
    form = format_of(args.output)
    check_output(args.output)
    if is_in(args.output, args.sequences) or is_in(args.output, args.model):
        raise ValueError(f"{args.output} is read by this command; write to another file")
    from w2v import bio

    vectors = bio.BioVectors.load(args.model)
    found = vectors.embed(args.sequences, args.how, unseen=args.unseen, workers=args.workers)
    save(found.keyed(), args.output, form)
    facts = {"sequences": len(found.ids), "vector_size": vectors.wv.vector_size, "how": args.how}
    report(args, facts | found.totals() | {"file": args.output})
