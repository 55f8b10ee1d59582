"""The command lines of word2vec's C programs: word2vec, distance, word-analogy and compute-accuracy.

Options, defaults, prompts, tables and figures are theirs; docs/c-tools.md says where we differ. Training is Word2Vec's.
"""

import argparse
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.cli.arguments import name_types, standard_input, whole_number
from w2v.cli.term_commands import word2phrase
from w2v.common.terminal import printable
from w2v.files.errors import FormatError
from w2v.files.reading import open_binary
from w2v.files.word2vec_format import read_counts
from w2v.files.writing import packed_write
from w2v.text.readers import BLOCK
from w2v.vectors import c_programs

if TYPE_CHECKING:
    from w2v import KeyedVectors, Word2Vec

# word2vec.c's first word: it is counted once per line end, it ends a sentence, and it is never trained.
SENTENCE_END = "</s>"

LEAST_ALPHA = 1e-4  # of the first learning rate; where word2vec.c stops lowering it
ALPHA = {True: 0.05, False: 0.025}  # by whether it is CBOW
NEIGHBOURS = 40  # that distance and word-analogy show
WORDS_AT_ONCE = 4096
TEXT = re.compile(r"\.(txt|vec)(\.(gz|bz2|xz|zst))?$")

FILE_HELP = "vectors: .safetensors; .txt or .vec for text; any other name is a binary word2vec file"

# The library's names of parameters in errors, and the options here.
FLAGS = {"vector_size": "-size", "min_count": "-min-count", "workers": "-threads", "epochs": "-iter", "hs": "-hs"}
FLAGS |= {name: f"-{name}" for name in ("window", "sample", "negative", "alpha", "seed")}

EXAMPLES = {
    "word2vec": """
        w2v word2vec -train text.txt -output vectors.bin -cbow 0 -size 200 -sample 1e-4 -threads 20 -binary 1 -iter 15
        w2v word2vec -train text.txt -output classes.txt -classes 500
        w2v word2vec -train text.txt -save-vocab vocab.txt -min-count 10
        w2v word2vec -train text.txt -read-vocab vocab.txt -output vectors.txt -hs 1 -negative 0
    """,
    "distance": """
        w2v distance vectors.bin
        w2v distance vectors.bin river
        w2v distance vectors.bin new york
    """,
    "word-analogy": """
        w2v word-analogy vectors.bin
        w2v word-analogy vectors.bin man king woman
    """,
    "compute-accuracy": """
        w2v compute-accuracy vectors.bin < questions-words.txt
        w2v compute-accuracy vectors.bin 30000 -questions questions-words.txt
    """,
}

Array = NDArray[Any]


# --- word2vec ---------------------------------------------------------------------------------------------------


class _Vocabulary(NamedTuple):
    """The words of the written files, the end of a sentence first."""

    words: list[str]
    counts: list[int]
    rows: NDArray[np.intp]  # rows in the model of all words but the first


def word2vec(arguments: Sequence[str]) -> None:
    """Train as word2vec.c does: a vocabulary, vectors or classes from a text."""
    parser = _word2vec_parser()
    if not arguments:
        return parser.print_help()
    _refuse_unknown(parser, arguments)
    args = parser.parse_args(arguments)
    args.alpha = ALPHA[bool(args.cbow)] if args.alpha is None else args.alpha
    _check_word2vec(args)
    if args.debug > 0:
        print(f"Starting training using file {args.train}")
    with _open_output(args.output) as file:
        model = _new_model(args)
        vocabulary = _order_words(model, _build_vocabulary(model, args))
        if args.debug > 0:
            print(f"Vocab size: {len(vocabulary.words)}")
            print(f"Words in train file: {sum(vocabulary.counts)}", flush=True)
        if args.save_vocab is not None:
            with packed_write(args.save_vocab) as saved:
                _write_pairs(saved, vocabulary.words, vocabulary.counts)
        if file is not None:
            _train(model, args)
            _write(file, model, vocabulary, args)


def _word2vec_parser() -> argparse.ArgumentParser:
    parser = _new_parser("word2vec")
    add = parser.add_argument
    add("-train", required=True, metavar="FILE", help="the text, a sentence per line")
    add("-output", metavar="FILE", help="where vectors or classes go; without it nothing is trained")
    add("-size", type=int, default=100, metavar="N", help="size of the vectors (%(default)s)")
    add("-window", type=int, default=5, metavar="N", help="words looked at on either side, at most (%(default)s)")
    add("-sample", type=float, default=1e-3, metavar="X", help="thin out words more frequent than this (%(default)s)")
    add("-hs", type=int, default=0, metavar="0|1", help="hierarchical softmax (%(default)s)")
    add("-negative", type=int, default=5, metavar="N", help="noise words per example; 0 for none (%(default)s)")
    add("-threads", type=int, default=12, metavar="N", help="1 gives the same bytes on every run (%(default)s)")
    add("-iter", type=int, default=5, metavar="N", help="passes over the text (%(default)s)")
    add("-min-count", "-min_count", type=int, default=5, metavar="N", help="leave out rarer words (%(default)s)")
    add("-alpha", type=float, metavar="X", help="first learning rate (0.05 for CBOW, 0.025 for skip-gram)")
    add("-classes", type=_count, default=0, metavar="K", help="write K classes of words, not vectors (%(default)s)")
    add("-debug", type=int, default=2, metavar="N", help="0 quiet, 1 sizes, 2 also progress (%(default)s)")
    add("-binary", type=int, default=0, metavar="0|1", help="write vectors as float32, not as text (%(default)s)")
    add("-save-vocab", metavar="FILE", help="where the words and their counts go")
    add("-read-vocab", metavar="FILE", help="take words and counts from here, not from the text")
    add("-cbow", type=int, default=1, metavar="0|1", help="1 is CBOW, 0 is skip-gram (%(default)s)")
    add("-seed", type=int, default=1, metavar="N", help="what all random choices follow from (%(default)s)")
    return parser


def _refuse_unknown(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    """End with a usage error at a flag that is not one: argparse would take -tra for -train, and -hx for -h -x."""
    flags = {flag for action in parser._actions for flag in action.option_strings}
    for argument in arguments:
        if re.match(r"--?[A-Za-z]", argument) and argument.partition("=")[0] not in flags:
            parser.error(f"unknown option {argument}")


def _check_word2vec(args: argparse.Namespace) -> None:
    """Refuse, before any work, a run that would fail at its end or destroy the text."""
    if os.path.exists(args.train) and not os.path.isfile(args.train):
        raise ValueError(f"-train {args.train} is not a regular file; it is read twice, so write the text to a file")
    for flag, path in (("-output", args.output), ("-save-vocab", args.save_vocab)):
        if path is not None and os.path.realpath(path) == os.path.realpath(args.train):
            raise ValueError(f"{flag} {path} is the text itself; write to another file")
    if args.output and args.save_vocab and os.path.realpath(args.output) == os.path.realpath(args.save_vocab):
        raise ValueError(f"-output and -save-vocab are both {args.output}; choose two files")
    if args.output is not None and not args.hs and not args.negative:
        raise ValueError("-hs 0 and -negative 0 leave nothing to train; give -hs 1, or -negative 5")


@contextmanager
def _open_output(path: str | None) -> Iterator[BinaryIO | None]:
    """Open the output before the work, so that an unwritable path costs no hours of training."""
    if path is None:
        yield None
        return
    with packed_write(path) as file:
        yield file


def _new_model(args: argparse.Namespace) -> "Word2Vec":
    from w2v import Word2Vec

    trains = args.output is not None
    return Word2Vec(
        vector_size=args.size if trains else 1,
        alpha=args.alpha,
        min_alpha=args.alpha * LEAST_ALPHA,
        window=args.window,
        min_count=args.min_count,
        sample=args.sample if args.sample < 1 else 0,  # a share of all words: from 1 on no word is too frequent
        seed=args.seed,
        workers=args.threads,
        sg=int(not args.cbow),
        hs=int(bool(args.hs)),
        negative=args.negative,
        epochs=args.iter,
        cache="auto" if trains else "none",  # only counts are needed, not the text as numbers
        progress=None if args.debug > 1 else False,
    )


def _build_vocabulary(model: "Word2Vec", args: argparse.Namespace) -> int:
    """Give the model its vocabulary without the end of a sentence; return the number of sentence ends."""
    from w2v import RULE_DEFAULT, RULE_DISCARD

    if args.read_vocab is not None:
        with open(args.train, "rb"):  # C reads a vocabulary only together with a text
            pass
        counts = _read_vocabulary(args.read_vocab)
        ends = counts.pop(SENTENCE_END, 0)
        model.build_vocab_from_freq(counts)
        return ends
    ends, marked = _count_line_ends(args.train)
    if not marked:
        model.build_vocab(corpus_file=args.train)
        return ends
    model.build_vocab(
        corpus_file=args.train,
        keep_raw_vocab=True,
        trim_rule=lambda word, count, least: RULE_DISCARD if word == SENTENCE_END else RULE_DEFAULT,
    )
    return ends + model.raw_vocab.get(SENTENCE_END, 0)


def _count_line_ends(path: str) -> tuple[int, bool]:
    """Count the line ends of a text, and say whether it may have the end of a sentence as a word of its own."""
    mark, ends, marked, tail = SENTENCE_END.encode(), 0, False, b""
    with open_binary(path) as file:
        while block := file.read(BLOCK):
            ends += block.count(b"\n")
            marked = marked or mark in tail + block
            tail = block[1 - len(mark) :]
    return ends, marked


def _read_vocabulary(path: str) -> dict[str, int]:
    counts, _ = read_counts(path)
    if (odd := next((word for word in counts if word.split() != [word]), None)) is not None:
        raise FormatError(f"{path}: the word {odd!r:.80} has white space in it, as no word of a text has")
    return counts


def _order_words(model: "Word2Vec", sentence_ends: int) -> _Vocabulary:
    """Order words as word2vec.c: by falling count, words of equal count as they first appeared."""
    counts: Array = model.wv.expandos["count"]
    # The model orders words of equal count the other way round, as gensim does.
    rows = len(counts) - 1 - np.argsort(-counts[::-1], kind="stable")
    words = model.wv.index_to_key
    return _Vocabulary(
        [SENTENCE_END, *(words[row] for row in rows.tolist())], [sentence_ends, *counts[rows].tolist()], rows
    )


def _train(model: "Word2Vec", args: argparse.Namespace) -> None:
    model.train(corpus_file=args.train, total_words=model.corpus_total_words, epochs=args.iter)
    if args.debug > 0:
        words = sum(epoch.raw_words for epoch in model.history)
        seconds = sum(epoch.seconds for epoch in model.history)
        print(f"{words:,} words in {seconds:.1f} s, {words / seconds / 1000:,.0f}k words/s", file=sys.stderr)


def _write(file: BinaryIO, model: "Word2Vec", vocabulary: _Vocabulary, args: argparse.Namespace) -> None:
    end = _untrained_vector(args.seed, model.vector_size)[None]
    vectors: Array = model.wv.vectors
    if args.classes:
        classes = c_programs.classes(np.concatenate([end, vectors[vocabulary.rows]]), args.classes)
        return _write_pairs(file, vocabulary.words, classes.tolist())
    file.write(f"{len(vocabulary.words)} {model.vector_size}\n".encode())
    _write_vectors(file, vocabulary.words[:1], end, bool(args.binary))
    for start in range(0, len(vocabulary.rows), WORDS_AT_ONCE):
        part = slice(start, start + WORDS_AT_ONCE)
        _write_vectors(file, vocabulary.words[1:][part], vectors[vocabulary.rows[part]], bool(args.binary))


def _untrained_vector(seed: int, vector_size: int) -> NDArray[np.float32]:
    """A vector like word2vec.c's first ones, uniform in [-0.5, 0.5) / vector_size; the same bits everywhere."""
    draws = np.random.SeedSequence(seed).generate_state(vector_size)
    return ((draws / 2**32 - 0.5) / vector_size).astype(np.float32)


def _write_vectors(file: IO[bytes], words: Sequence[str], vectors: Array, binary: bool) -> None:
    """Write rows; a text row has the shortest digits that read back to the same bits."""
    for word, vector in zip(words, vectors.astype("<f4", copy=False), strict=True):
        values = vector.tobytes() if binary else " ".join(map(str, vector)).encode()
        file.write(b"%b %b\n" % (word.encode(), values))


def _write_pairs(file: IO[bytes], words: Sequence[str], numbers: Sequence[int]) -> None:
    file.writelines(f"{word} {number}\n".encode() for word, number in zip(words, numbers, strict=True))


# --- distance, word-analogy -------------------------------------------------------------------------------------


def distance(arguments: Sequence[str]) -> None:
    """List the words nearest to a word or to the sum of several, once or as often as asked."""
    parser = _new_parser("distance")
    parser.add_argument("file", metavar="FILE", help=FILE_HELP)
    parser.add_argument("words", nargs="*", metavar="WORD", help="ask for these and end; without: ask on the terminal")
    args = parser.parse_args(arguments)
    vectors = _load(args.file)

    def answer(words: list[str]) -> None:
        if rows := _positions(vectors, words, missing=-1):
            _print_nearest(vectors, rows, [1] * len(rows), "Word       Cosine distance", above=-1)

    if args.words:
        _check_known(vectors, args.words)
        answer(args.words)
    else:
        _ask("Enter word or sentence (EXIT to break): ", answer)


def word_analogy(arguments: Sequence[str]) -> None:
    """Answer what is to the third word as the second is to the first, once or as often as asked."""
    parser = _new_parser("word-analogy")
    parser.add_argument("file", metavar="FILE", help=FILE_HELP)
    parser.add_argument("words", nargs="*", metavar="WORD", help="A B C: ask once, A is to B as C is to what?")
    args = parser.parse_args(arguments)
    if len(args.words) not in (0, 3):
        parser.error(f"three words are needed after the file, not {len(args.words)}; or none, to be asked for them")
    vectors = _load(args.file)

    def answer(words: list[str]) -> None:
        if len(words) < 3:
            count = len(words)
            print(f"Only {count} words were entered.. three words are needed at the input to perform the calculation")
        elif rows := _positions(vectors, words, missing=0):
            _print_nearest(vectors, rows, [-1, 1, 1] + [0] * (len(rows) - 3), "Word              Distance", above=0)

    if args.words:
        _check_known(vectors, args.words)
        answer(args.words)
    else:
        _ask("Enter three words (EXIT to break): ", answer)


def _ask(prompt: str, answer: Callable[[list[str]], None]) -> None:
    """Answer lines of standard input until one says EXIT, or there are no more."""
    standard_input()
    while True:
        print(prompt, end="", flush=True)
        line = sys.stdin.readline()
        if not line:
            return print()
        if line.rstrip("\r\n") == "EXIT":
            return
        if words := line.split():
            answer(words)


def _check_known(vectors: "KeyedVectors", words: Sequence[str]) -> None:
    for word in words:
        vectors.get_index(word)  # the error names close spellings


def _positions(vectors: "KeyedVectors", words: Sequence[str], missing: int) -> list[int]:
    """Print the row of each word and return the rows; stop at the first unknown word."""
    rows = []
    for word in words:
        row = vectors.key_to_index.get(word)
        print(f"\nWord: {printable(word)}  Position in vocabulary: {missing if row is None else row}")
        if row is None:
            print("Out of dictionary word!")
            return []
        rows.append(row)
    return rows


def _print_nearest(vectors: "KeyedVectors", rows: Sequence[int], signs: Sequence[int], head: str, above: float) -> None:
    """Print the table of the words nearest to a signed sum of words."""
    print(f"\n{' ' * 46}{head}\n{'-' * 72}")
    for row, cosine in c_programs.nearest(vectors.vectors, rows, signs, NEIGHBOURS, above):
        print(f"{printable(vectors.index_to_key[row]):>50}\t\t{cosine:f}")


# --- compute-accuracy -------------------------------------------------------------------------------------------


def compute_accuracy(arguments: Sequence[str]) -> None:
    """Print the shares of right answers to analogy questions, section by section."""
    parser = _new_parser("compute-accuracy")
    add = parser.add_argument
    add("file", metavar="FILE", help=FILE_HELP)
    add("threshold", nargs="?", type=_count, default=0, metavar="THRESHOLD", help="first words only; 0 for all")
    add("-questions", "--questions", metavar="F", help="read the questions from F, not from standard input")
    _refuse_unknown(parser, arguments)
    args = parser.parse_intermixed_args(arguments)
    if args.questions is None:
        questions = standard_input().read()
    else:
        with open_binary(args.questions) as file:
            questions = file.read()
    c_programs.check_questions(questions)
    print(c_programs.accuracy(_load(args.file, args.threshold or None), questions, args.threshold or None), end="")


# --- shared by all programs --------------------------------------------------------------------------------------


def _new_parser(name: str) -> argparse.ArgumentParser:
    purpose = COMMANDS[name][1]
    parser = argparse.ArgumentParser(
        f"w2v {name}",
        description=f"{purpose[0].upper()}{purpose[1:]}.",
        epilog="examples:\n" + textwrap.indent(textwrap.dedent(EXAMPLES[name]).strip(), "  "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    name_types(parser)
    return parser


def _count(text: str) -> int:
    if (number := whole_number(text)) < 0:
        raise argparse.ArgumentTypeError(f"{number} is below 0")
    return number


def _load(path: str, limit: int | None = None) -> "KeyedVectors":
    """Read vectors, perhaps only the first `limit`; a file is binary unless its name says otherwise, as in C."""
    from w2v import KeyedVectors

    if path.endswith(".safetensors"):
        return KeyedVectors.load(path)
    binary = TEXT.search(path) is None
    try:
        return KeyedVectors.load_word2vec_format(path, binary=binary, limit=limit)
    except UnicodeDecodeError:  # word2vec.c cuts long words at any byte; its own readers take bytes
        return KeyedVectors.load_word2vec_format(path, binary=binary, limit=limit, unicode_errors="backslashreplace")


COMMANDS: dict[str, tuple[Callable[[Sequence[str]], None], str]] = {
    "word2vec": (word2vec, "train as the C program word2vec does, with its options"),
    "distance": (distance, "list the words nearest to a word, or to the sum of several, as the C program does"),
    "word-analogy": (word_analogy, "answer analogies of three words, as the C program does"),
    "compute-accuracy": (compute_accuracy, "print the accuracy on analogy questions, as the C program does"),
    "word2phrase": (word2phrase, "join the phrases of a text, as the C program does, byte for byte"),
}
