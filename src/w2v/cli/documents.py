"""The commands on documents: `w2v doc2vec`, `w2v infer`, and `w2v neighbors --documents`."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import zip_longest
from typing import IO, TYPE_CHECKING, Any

from w2v.cli.arguments import (
    DEVICES,
    add_progress,
    add_text_options,
    add_training_options,
    check_something_to_train,
    positive,
    training_settings,
    workers,
)
from w2v.cli.output import answers, print_found, report, save_trained
from w2v.cli.sources import check_corpus, check_output, is_in, read_from
from w2v.cli.vector_files import format_of, save

if TYPE_CHECKING:
    from w2v import Doc2Vec, TaggedDocument

EXAMPLES = {
    "doc2vec": """
        w2v doc2vec articles.txt -o documents.safetensors
        w2v doc2vec articles.txt -o documents.safetensors --tags tags.txt --dbow --epochs 20
        w2v doc2vec articles.tsv -o documents.txt --tsv --size 50 --workers 1
    """,
    "infer": """
        w2v infer documents.safetensors new.txt -o new.safetensors
        w2v infer documents.safetensors new.txt -o inferred.txt --epochs 50 --workers -1 --json
    """,
}

# The documents that a report names; with --json all are.
SHOWN = 10


def add_training_arguments(add: Callable[..., argparse.Action]) -> None:
    """Declare the options of `w2v doc2vec`."""
    add("corpus", metavar="CORPUS", help="text, plain or .gz, .bz2, .xz, .zst; - for standard input")
    purpose = ".safetensors for the whole model; .bin, .txt or .vec for the documents' vectors alone"
    add("-o", "--output", required=True, metavar="OUT", help=purpose)
    add("--tsv", action="store_true", help="lines are columns between tabs; one has tags, the others words")
    purpose = (
        "a file with the tags of each document, line by line, between blanks; with --tsv, the number of their column"
    )
    add("--tags", metavar="TAGS", help=purpose + " (default 1). Without either, a document's tag is its line, from 0")
    add(
        "--dm",
        dest="dm",
        action="store_const",
        const=1,
        default=1,
        help="PV-DM: words from context and tags (default)",
    )
    add("--dbow", dest="dm", action="store_const", const=0, default=1, help="PV-DBOW: words from tags alone")
    add("--dbow-words", action="store_true", help="with --dbow: train the vectors of words, too, by skip-gram")
    add("--dm-sum", action="store_true", help="with --dm: the sum of context and tags, not their mean")
    add("--dm-concat", action="store_true", help="with --dm: put context and tags side by side; slow, and large")
    add_training_options(add, epochs=10)
    add_text_options(add)
    add_progress(add)


def add_inference_arguments(add: Callable[..., argparse.Action]) -> None:
    """Declare the options of `w2v infer`."""
    add("model", metavar="MODEL", help="a model of documents, as w2v doc2vec saves it in a .safetensors")
    add("corpus", metavar="FILE", help="text, plain or .gz, .bz2, .xz, .zst; - for standard input")
    purpose = "vectors under the numbers of the lines, from 0: .safetensors, .bin, .txt or .vec"
    add("-o", "--output", required=True, metavar="OUT", help=purpose)
    add("--epochs", type=positive, metavar="N", help="passes over each document (default: those of the model)")
    add("--alpha", type=float, metavar="N", help="learning rate at the start (default: that of the model)")
    add("--min-alpha", type=float, metavar="N", help="learning rate at the end (default: that of the model)")
    purpose = "threads (default: those of the model), which change no bit; -1 for every core"
    add("--workers", type=workers, metavar="N", help=purpose)
    add("--device", choices=DEVICES, help="where to infer (default: that of the model; auto is the CPU)")
    add("--tol", type=float, metavar="N", help="end a document when an epoch moves its vector by less than this share")


def train(args: argparse.Namespace) -> None:
    """Train a model of documents, and save it."""
    format_of(args.output)
    check_output(args.output)
    for source in [args.corpus, *([args.tags] if args.tags is not None and not args.tsv else [])]:
        if is_in(args.output, source):
            raise ValueError(f"{args.output} is read by this command; write to another file")
    _check_model(args)
    check_something_to_train(args)
    from w2v import Doc2Vec

    with _documents_of(args) as (documents, corpus_file):
        model = Doc2Vec(
            documents,
            corpus_file,
            dm=args.dm,
            dm_mean=int(not args.dm_sum),
            dbow_words=int(args.dbow_words),
            dm_concat=int(args.dm_concat),
            **training_settings(args),
        )
    save_trained(args, model)


def _check_model(args: argparse.Namespace) -> None:
    for flag, given, dm in (
        ("--dbow-words", args.dbow_words, 0),
        ("--dm-sum", args.dm_sum, 1),
        ("--dm-concat", args.dm_concat, 1),
    ):
        if given and args.dm != dm:
            raise ValueError(f"{flag} has no effect {'without' if args.dm else 'with'} --dbow; leave one of them out")
    if args.dm_sum and args.dm_concat:
        raise ValueError("--dm-sum and --dm-concat are different models; leave one of them out")


@contextmanager
def _documents_of(args: argparse.Namespace) -> Iterator[tuple[Any, str | None]]:
    """Give documents as an iterable, or as a path if their tags are the numbers of their lines."""
    column = _column(args.tags) if args.tsv else None
    if args.tags is not None and not args.tsv:
        if args.tags.isdecimal():
            raise ValueError(f"--tags {args.tags} is a column, and needs --tsv; a file of this name is ./{args.tags}")
        if args.tags == "-":
            raise ValueError("--tags - would read tags from standard input; give a file")
        check_corpus(args.tags)
    from w2v import Texts

    with read_from(args.corpus, args) as (lines, path):
        source: Any = path if lines is None else lines.source
        if column is not None or args.tags is not None:
            if args.column is not None or args.field is not None:
                args.wrong_usage("--column and --field name documents by their rows; leave --tags and --tsv out")
            yield TaggedLines(source, args.corpus, args.tags, column, args.tokenizer), None
        elif lines is None:
            yield None, path
        elif isinstance(lines, Texts) or args.tokenizer is not None:
            yield lines, None
        else:
            from w2v import TaggedLineDocument

            yield TaggedLineDocument(source), None


def _column(text: str | None) -> int:
    if text is None:
        return 1
    if not text.isdecimal() or not int(text):
        raise ValueError(f"--tags {text} is no column; with --tsv give its number, the first is 1")
    return int(text)


class TaggedLines:
    """Documents with tags from a column, or from a file beside theirs. Every tag is text, also one of digits.

    Parameters
    ----------
    source : path or binary file
    name : str, for errors
    tags : path, of a line of tags for each document; not read with `column`
    column : int, from 1; or None
    tokenizer : str or None, what their words are
    """

    is_divided = True

    def __init__(
        self,
        source: str | IO[bytes],
        name: str,
        tags: str | None,
        column: int | None,
        tokenizer: str | None = None,
    ) -> None:
        from w2v import tokenize

        self.source, self.name, self.tags, self.column = source, name, tags, column
        self.words = partial(tokenize, tokenizer=tokenizer or "whitespace")

    def __iter__(self) -> Iterator["TaggedDocument"]:
        return self._of_file() if self.column is None else self._of_column(self.column)

    def _of_column(self, column: int) -> Iterator["TaggedDocument"]:
        from w2v import TaggedDocument

        for number, line in enumerate(_lines(self.source, self.name), 1):
            cells = line.split("\t")
            if len(cells) < max(column, 2):
                raise ValueError(
                    f"{self.name}, line {number:,}: {len(cells)} columns between tabs, and tags are to be in column "
                    f"{column}, words in another; give --tags N, or leave --tsv out"
                )
            tags: list[str | int] = list(cells.pop(column - 1).split())
            yield TaggedDocument([word for cell in cells for word in self.words(cell)], tags)

    def _of_file(self) -> Iterator["TaggedDocument"]:
        from w2v import TaggedDocument

        assert self.tags is not None
        lines, tags = _lines(self.source, self.name), _lines(self.tags, self.tags)
        for number, (line, own) in enumerate(zip_longest(lines, tags)):
            if line is None or own is None:
                short, long = (self.name, self.tags) if line is None else (self.tags, self.name)
                raise ValueError(f"{short} ends after {number:,} lines, and {long} goes on; each document has one line")
            yield TaggedDocument(self.words(line), list(own.split()))


def _lines(source: str | IO[bytes], name: str) -> Iterator[str]:
    """The lines of a text, also of a compressed one."""
    from w2v.files.reading import open_binary

    if not isinstance(source, str):
        source.seek(0)
    with open_binary(source) if isinstance(source, str) else nullcontext(source) as file:
        for number, line in enumerate(file, 1):
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                way_out = "iconv -f ITS-ENCODING -t UTF-8 makes it that"
                raise ValueError(f"{name}, line {number:,}, byte {error.start:,}: not UTF-8; {way_out}") from None


def infer(args: argparse.Namespace) -> None:
    """Infer the vectors of the lines of a text."""
    form = format_of(args.output)
    check_output(args.output)
    for read in (args.model, args.corpus):
        if is_in(args.output, read):
            raise ValueError(f"{args.output} is read by this command; write to another file")
    model = _load(args.model)
    if args.device is not None:
        model.device = args.device
    from w2v import KeyedVectors, TaggedLineDocument, Texts

    with read_from(args.corpus) as (lines, path):
        source: Any = path if lines is None else lines.source
        raw = model.tokenizer is not None
        found = model.infer_vectors(
            Texts(source, model.tokenizer).as_documents() if raw else TaggedLineDocument(source),
            epochs=args.epochs,
            alpha=args.alpha,
            min_alpha=args.min_alpha,
            workers=args.workers,
            tol=args.tol,
        )
    keys = [str(number) if form == "native" else number for number in range(len(found.vectors))]
    save(KeyedVectors.from_arrays(keys, found.vectors), args.output, form)
    unknown = found.unknown.tolist()
    facts: dict[str, Any] = {"documents": len(keys), "vector_size": model.vector_size}
    facts["without_a_known_word"] = unknown if args.json else _shown(unknown)
    report(args, {**facts, "file": args.output})


def _shown(numbers: list[int]) -> str:
    if not numbers:
        return "none"
    named = ", ".join(map(str, numbers[:SHOWN])) + (", ..." if len(numbers) > SHOWN else "")
    return f"{len(numbers):,}, with zero vectors: {named}"


def neighbors(args: argparse.Namespace) -> None:
    """List the documents nearest to each document."""
    vectors = _load(args.file).dv
    tags = {text: _tag(vectors, text) for text in args.words}
    print_found(args, {t: answers(vectors.most_similar(tag, topn=args.n), "tag") for t, tag in tags.items()})


def _tag(vectors: Any, text: str) -> str | int:
    """What a user means by a text: the tag itself, or the number of a document."""
    return int(text) if text.isdecimal() and text not in vectors.key_to_index else text


def _load(path: str) -> "Doc2Vec":
    from w2v import Doc2Vec, FormatError

    a_model = f"{path} is no model of documents, as w2v doc2vec saves it in a .safetensors"
    if format_of(path) != "native":
        raise ValueError(a_model)
    try:
        return Doc2Vec.load(path, mmap="r")
    except AttributeError:  # the file holds vectors alone
        raise ValueError(a_model) from None
    except FormatError as error:
        raise ValueError(f"{a_model}: {error}") from None
