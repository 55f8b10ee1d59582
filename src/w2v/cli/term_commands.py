"""Terms on the command line: phrases, terms, the options of train, and the C program word2phrase."""

import argparse
import os
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from w2v.cli.arguments import TOKENIZERS, name_types
from w2v.files.reading import unpacked_name
from w2v.files.writing import check_output, packed_write

EXAMPLES = {
    "phrases": """
        w2v phrases corpus.txt -o phrases.json
        w2v phrases corpus.txt -o phrases.json --connectors english --max-length 4 --apply joined.txt
        w2v phrases corpus.txt -o phrases.json --scoring npmi --threshold 0.5 --table phrases.tsv
        w2v train corpus.txt -o model.safetensors --phrases phrases.json
    """,
    "terms": """
        w2v terms terms.tsv corpus.txt
        w2v terms terms.tsv corpus.txt --ignore-case -o terms.json --apply mapped.txt
        w2v train corpus.txt -o model.safetensors --terms terms.json
    """,
}

WORD2PHRASE = """
    w2v word2phrase -train text.txt -output phrases.txt -threshold 100 -debug 2
    w2v word2phrase -train phrases.txt -output phrases2.txt -threshold 50 -min-count 10
"""

SHOWN = 10  # entries that a report on the terminal has

Add = Callable[..., argparse.Action]


def register(command: Callable[..., Add], report: Callable[..., None], read_from: Callable[..., Any]) -> None:
    """Add the commands; `report` prints facts, and `read_from` opens a corpus."""
    add = command("phrases", lambda args: _phrases(args, report, read_from), "find phrases in a text, and join them")
    add("corpus", metavar="CORPUS", help="text, plain or .gz, .bz2, .xz, .zst; - for standard input")
    add("-o", "--output", required=True, metavar="OUT", help="phrases and their scores, .json")
    add("--apply", metavar="TEXT", help="write the text with its phrases joined")
    add("--table", metavar="TSV", help="write phrases, scores and counts as a table")
    add("--terms", metavar="FILE", help="map the terms of this dictionary first (as w2v train --terms)")
    add("--tokenizer", choices=TOKENIZERS, help="what words of raw text are (default: what stands between blanks)")
    add("--min-count", type=int, default=5, metavar="N", help="least occurrences of a phrase (default %(default)s)")
    add("--threshold", type=float, metavar="X", help="least score (default 10, with npmi 0.5)")
    add("--scoring", choices=["default", "npmi"], default="default")
    add("--connectors", default="", metavar="WORDS", help="words phrases may have inside: english, or a,b,c")
    add("--max-length", type=int, default=2, metavar="N", help="most words of a phrase (default %(default)s)")
    add("--mode", choices=["best", "greedy"], default="best", help="for the best sum of scores, or left to right")
    add("--max-vocab-size", type=int, default=40_000_000, metavar="N", help="most words and pairs that are counted")
    add("--workers", type=int, default=-1, metavar="N", help="threads (default: one per core)")

    add = command("terms", lambda args: _terms(args, report, read_from), "map terms of a dictionary; report them")
    add(
        "dictionary",
        metavar="FILE",
        help="term<TAB>concept .tsv, term,concept .csv, id|term|CLASS .clever; or .json",
    )
    add("corpus", metavar="CORPUS", help="text, plain or .gz, .bz2, .xz, .zst; - for standard input")
    add("-o", "--output", metavar="OUT", help="the dictionary with these options, .json")
    add("--apply", metavar="TEXT", help="write the text with its terms mapped")
    add("--ignore-case", action="store_true", help="MI and mi are the same")
    add("--ignore-punctuation", action="store_true", help="punctuation at the ends of a word does not count")
    add("--conflicts", choices=["error", "first", "last"], default="error", help="if a term is named twice")
    add("--workers", type=int, default=-1, metavar="N", help="threads (default: one per core)")


def add_step_options(add: Add) -> None:
    """The options of ``w2v train``."""
    add("--phrases", metavar="FILE", help="join these phrases while reading; from w2v phrases")
    add("--terms", metavar="FILE", help="map the terms of this dictionary first; .tsv, .csv, .clever or .json")


def steps_of(args: argparse.Namespace) -> dict[str, Any]:
    """What these options ask for, as parameters of Word2Vec."""
    from w2v import Phrases

    phrases = None if args.phrases is None else Phrases.load(args.phrases)
    return {"phrases": phrases, "terms": None if args.terms is None else _dictionary(args.terms)}


def _dictionary(path: str, **options: Any) -> Any:
    from w2v import TermMap

    return TermMap.load(path) if unpacked_name(path).endswith(".json") else TermMap.from_file(path, **options)


def _check_outputs(args: argparse.Namespace, paths: Sequence[str | None]) -> None:
    """Refuse, before any work, an output that cannot be written, or would destroy what is read or written."""
    taken = [
        os.path.realpath(path) for path in (args.corpus, getattr(args, "dictionary", None)) if path not in (None, "-")
    ]
    for path in paths:
        if path is not None:
            check_output(path)
            if os.path.realpath(path) in taken:
                raise ValueError(f"{path} is read, or written, already; write to another file")
            taken.append(os.path.realpath(path))


def _phrases(args: argparse.Namespace, report: Callable[..., None], read_from: Callable[..., Any]) -> None:
    _check_outputs(args, [args.output, args.apply, args.table])
    from w2v import ENGLISH_CONNECTOR_WORDS, Phrases, Texts
    from w2v.common.cores import thread_count
    from w2v.terms.rewriting import rewrite
    from w2v.terms.steps import chain_of
    from w2v.text.corpus import Corpus

    connectors = (
        ENGLISH_CONNECTOR_WORDS if args.connectors == "english" else set(filter(None, args.connectors.split(",")))
    )
    threshold = args.threshold if args.threshold is not None else {"default": 10.0, "npmi": 0.5}[args.scoring]
    found = Phrases(
        min_count=args.min_count,
        threshold=threshold,
        scoring=args.scoring,
        connector_words=connectors,
        max_length=args.max_length,
        mode=args.mode,
        max_vocab_size=args.max_vocab_size,
        workers=args.workers,
    )
    terms = None if args.terms is None else _dictionary(args.terms)
    with read_from(args.corpus) as (sentences, corpus_file):
        if args.tokenizer is not None:
            sentences = Texts(sentences.source if corpus_file is None else corpus_file, args.tokenizer)
            corpus_file = None
        source = Corpus.from_arguments(sentences, corpus_file)
        if terms is None:
            found.add_vocab(sentences, corpus_file=corpus_file)
        else:
            found.add_vocab(terms.sentences(*source))
        frozen = found.freeze()
        frozen.save(args.output)
        if args.table is not None:
            frozen.write_table(args.table)
        facts: dict[str, Any] = {"corpus_words": found.corpus_word_count, "phrases": len(frozen.phrasegrams)}
        facts["counts_lack_at_most"] = found.lost_at_most
        if args.apply is not None:
            chain = chain_of([*([] if terms is None else [terms]), frozen])
            assert chain is not None
            written = rewrite(chain, source, args.apply, thread_count(args.workers))
            facts |= {"written_words": written.words, "text": args.apply}
    facts |= {"best": [row.phrase for row in frozen.table()[:SHOWN]], "file": args.output}
    report(args, facts)


def _terms(args: argparse.Namespace, report: Callable[..., None], read_from: Callable[..., Any]) -> None:
    _check_outputs(args, [args.output, args.apply])
    from w2v.common.cores import thread_count
    from w2v.terms.rewriting import rewrite
    from w2v.text.corpus import Corpus

    options = {name: getattr(args, name) for name in ("ignore_case", "ignore_punctuation", "conflicts")}
    terms = _dictionary(args.dictionary, **options)
    if args.output is not None:
        terms.save(args.output)
    with read_from(args.corpus) as (sentences, corpus_file):
        found = terms.report(sentences, corpus_file=corpus_file, workers=args.workers)
        if args.apply is not None:
            rewrite(terms, Corpus.from_arguments(sentences, corpus_file), args.apply, thread_count(args.workers))
    mapped, never = found.mapped, found.never
    if not args.json:
        mapped, never = dict(list(mapped.items())[:SHOWN]), never[:SHOWN]
    facts = {"corpus_words": found.words, "terms": len(terms), "terms_that_occur": len(found.mapped)}
    report(args, facts | {"terms_that_never_occur": len(found.never), "mapped": mapped, "never": never})


def word2phrase(arguments: Sequence[str]) -> None:
    """Join phrases as the C program word2phrase does, with its options, byte for byte."""
    parser = argparse.ArgumentParser(
        "w2v word2phrase",
        description="Join the phrases of a text, as the C program does, byte for byte.",
        epilog="examples:\n" + textwrap.indent(textwrap.dedent(WORD2PHRASE).strip(), "  "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    name_types(parser)
    add = parser.add_argument
    add("-train", required=True, metavar="FILE", help="the text; it is read twice")
    add("-output", required=True, metavar="FILE", help="where the text with joined phrases goes")
    add("-min-count", type=int, default=5, metavar="N", help="leave out rarer words and pairs (%(default)s)")
    add("-threshold", type=float, default=100.0, metavar="X", help="join above this score (%(default)s)")
    add("-debug", type=int, default=2, metavar="N", help="0 prints no sizes (%(default)s)")
    if not arguments:
        return parser.print_help()
    args = parser.parse_args(arguments)
    if os.path.exists(args.train) and not os.path.isfile(args.train):
        raise ValueError(f"-train {args.train} is not a regular file; it is read twice, so write the text to a file")
    if os.path.realpath(args.output) == os.path.realpath(args.train):
        raise ValueError(f"-output {args.output} is the text itself; write to another file")
    from w2v.terms import rewriting

    print(f"Starting training using file {args.train}")
    with packed_write(args.output) as file:
        found = rewriting.word2phrase(args.train, file, args.min_count, args.threshold)
    if args.debug > 0:
        print(f"\nVocab size (unigrams + bigrams): {found.spellings}\nWords in train file: {found.words}")
