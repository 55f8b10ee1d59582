"""The commands `w2v topics` and `w2v map`."""

import argparse
import json
import os
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any

from w2v.cli.arguments import TOKENIZERS, TRAINING_OPTIONS, add_progress, positive
from w2v.cli.output import report
from w2v.cli.sources import check_output, is_in, read_from
from w2v.cli.vector_files import FILE_HELP, format_of, load, load_model

if TYPE_CHECKING:
    from w2v import Topics
    from w2v.atlas.atlas import Atlas

EXAMPLES = {
    "topics": """
        w2v topics articles.txt -o topics.safetensors
        w2v topics articles.txt -o topics.safetensors --size 100 --epochs 20 --min-size 5 --map topics.html --json
        w2v topics documents.safetensors -o topics.safetensors
    """,
    "map": """
        w2v map model.safetensors -o map.html
        w2v map vectors.bin -o map.html -n 100000 --layout pca
        w2v map old.safetensors new.safetensors -o moved.html
        w2v map documents.safetensors -o map.html --documents
    """,
}

# Of the training options, those that change what topics are; the defaults are those of `w2v.Topics.fit`.
TRAINING = ("vector_size", "window", "min_count", "negative", "sample", "epochs", "workers", "seed")
TITLE = 60  # characters of a line that stand for a document on a map


def add_topics_arguments(add: Callable[..., argparse.Action]) -> None:
    """Declare the options of `w2v topics`."""
    purpose = "text with a document in each line, plain or .gz, .bz2, .xz, .zst, - for standard input; or a model of"
    add("corpus", metavar="CORPUS", help=f"{purpose} w2v doc2vec, .safetensors")
    add("-o", "--output", required=True, metavar="OUT", help="a .safetensors: the topics and their model")
    add("--map", metavar="HTML", help="also write a page with topics, documents and words on a map")
    add("--plot", metavar="OUT", help="also draw the topics' sizes, a .png, .svg or .pdf")
    add("--reduce", type=positive, metavar="N", help="join topics until N are left")
    choices = ["pca", "umap"]
    add("--reduction", choices=choices, default="pca", help="how dense regions are seen (default %(default)s)")
    add("--min-size", type=positive, metavar="N", help="fewest documents of a topic (default: a 40th, 3 to 25)")
    add("--stability", type=int, default=5, metavar="N", help="samples to look again in; 0 for none (default 5)")
    add("--words", type=positive, default=8, metavar="N", help="words to print of each topic (default %(default)s)")
    for flag, parameter, kind, _, text in TRAINING_OPTIONS:
        if parameter in TRAINING:
            add(flag, dest=parameter, type=kind, default=argparse.SUPPRESS, metavar="N", help=text)
    add("--tokenizer", choices=TOKENIZERS, help="what words of raw text are (default: what stands between blanks)")
    add_progress(add)


def topics(args: argparse.Namespace) -> None:
    """Find topics, save them, and say what they are."""
    if format_of(args.output) != "native":
        raise ValueError(f"{args.output}: topics are kept with their model, in a .safetensors")
    _check_outputs(args, [args.output, args.map, args.plot], [args.corpus])
    if args.plot:
        from w2v.common.figures import check_ending

        check_ending(args.plot)
    from w2v import Topics

    options = {"reduction": args.reduction, "min_size": args.min_size, "stability": args.stability}
    options["progress"] = args.progress
    given = {name: getattr(args, name) for name in TRAINING if hasattr(args, name)}
    titles: list[str] | None = None
    if args.corpus.endswith(".safetensors"):
        if given.keys() - {"seed"} or args.tokenizer is not None:
            args.wrong_usage("options of training belong to a text; the model is trained already")
        found = Topics.fit(load_model(args.corpus, "topics"), **options, **given)
    else:
        with read_from(args.corpus) as (lines, path):
            source: Any = path if lines is None else lines.source
            from w2v import TaggedLineDocument, Texts

            if args.tokenizer is not None:
                found = Topics.fit(list(Texts(source, args.tokenizer).as_documents()), **options, **given)
            elif lines is None:
                found = Topics.fit(corpus_file=path, **options, **given)
            else:
                found = Topics.fit(list(TaggedLineDocument(source)), **options, **given)
            if args.map:
                titles = [_title(document.words) for document in TaggedLineDocument(source)]
    if args.reduce is not None:
        found = found.reduce(args.reduce)
    found.save(args.output)
    if args.map:
        found.map(titles, title=os.path.basename(args.corpus)).save(args.map)
    if args.plot:
        from w2v.files.writing import atomic_write
        from w2v.topics.plots import draw_sizes

        with atomic_write(args.plot) as file:
            draw_sizes(found).savefig(file, format=os.path.splitext(args.plot)[1][1:])
    _report(args, found)


def _title(words: Any) -> str:
    text = " ".join(islice(words, TITLE))
    return text if len(text) <= TITLE else text[: TITLE - 1] + "…"


def _report(args: argparse.Namespace, found: "Topics") -> None:
    records, empty = found.records(args.words), found.empty
    facts: dict[str, Any] = {"documents": len(found.topics), "topics": len(found)}
    facts |= {"in_no_dense_region": found.noise_count}
    facts |= {"without_a_known_word": empty if args.json else len(empty), "file": args.output}
    if args.json:
        print(json.dumps({**facts, "found": records}, allow_nan=False))
        return
    report(args, facts)
    if records:
        from w2v.common.tables import format_table

        columns = ["topic", "documents", "stable_words", "stable_documents", "words"]
        print()
        print(format_table(records, [name for name in columns if records[0][name] is not None]))


def add_map_arguments(add: Callable[..., argparse.Action]) -> None:
    """Declare the options of `w2v map`."""
    add("files", nargs="+", metavar="FILE", help=f"one, or two to compare; {FILE_HELP}; a file of w2v topics")
    add("-o", "--output", required=True, metavar="HTML", help="the page, which needs nothing else")
    add("--parquet", metavar="OUT", help="also write a table for Embedding Atlas")
    add("-n", type=positive, default=20_000, metavar="N", help="most frequent words to show (default %(default)s)")
    add("--layout", choices=["umap", "pca"], help="how words are placed (default: umap if it is installed)")
    add("--documents", action="store_true", help="the documents of a model of w2v doc2vec, instead of its words")
    add("--title", metavar="TEXT", help="default: the name of the file")
    add("--seed", type=int, default=1, metavar="N", help="of UMAP (default %(default)s)")
    add_progress(add)


def draw(args: argparse.Namespace) -> None:
    """Write a map."""
    if len(args.files) > 2:
        args.wrong_usage("one file, or two to compare")
    _check_outputs(args, [args.output, args.parquet], args.files)
    atlas = _atlas_of(args)
    atlas.save(args.output)
    if args.parquet:
        atlas.to_parquet(args.parquet)
    facts = {"points": len(atlas), "bytes": os.path.getsize(args.output), "file": args.output}
    report(args, facts | ({"table": args.parquet} if args.parquet else {}))


def _atlas_of(args: argparse.Namespace) -> "Atlas":
    title = args.title or " and ".join(os.path.basename(path) for path in args.files)
    common = {"layout": args.layout, "seed": args.seed, "title": title}
    if len(args.files) == 2:
        from w2v import align

        if args.documents:
            args.wrong_usage("--documents takes one model")
        names = (os.path.basename(args.files[0]), os.path.basename(args.files[1]))
        first, second = (load(path) for path in args.files)
        return align.draw_map(align.fit(first, second), names, args.n, **common)
    path = args.files[0]
    kind, tensors = _held_by(path)
    if "topics" in tensors and not args.documents:
        from w2v import Topics

        return Topics.load(path).map(**common)
    common["progress"] = args.progress
    if args.documents:
        if kind != "doc2vec":
            raise ValueError(f"{path} is no model of documents, as w2v doc2vec saves it in a .safetensors")
        return load_model(path, "map").dv.map(args.n, **common)  # type: ignore[no-any-return]
    if kind in (None, "vectors", "fasttext_vectors"):
        return load(path).map(args.n, **common)
    return load_model(path, "map").map(args.n, **common)  # type: ignore[no-any-return]


def _held_by(path: str) -> tuple[str | None, dict[str, Any]]:
    """The kind and the arrays of a file of ours; None for one of another format."""
    if format_of(path) != "native":
        return None, {}
    from w2v.files import native

    found = native.inspect_native(path)
    return found["kind"], found["tensors"]


def _check_outputs(args: argparse.Namespace, outputs: list[str | None], sources: list[str]) -> None:
    given = [path for path in outputs if path]
    for path in given:
        check_output(path)
        if any(is_in(path, source) for source in sources):
            raise ValueError(f"{path} is read by this command; write to another file")
    if len({os.path.realpath(path) for path in given}) < len(given):
        args.wrong_usage("two outputs have the same name")
