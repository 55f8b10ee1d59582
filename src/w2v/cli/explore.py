"""The command `w2v explore`: questions to a model, typed one after the other."""

import argparse
import re
import sys
from bisect import bisect_left
from collections.abc import Callable
from itertools import islice
from typing import Any

from w2v.cli.arguments import positive
from w2v.cli.explain import as_text
from w2v.cli.messages import message_of
from w2v.cli.vector_files import FILE_HELP, format_in, load
from w2v.common.terminal import printable

EXAMPLES = """
    w2v explore model.safetensors
    w2v explore vectors.bin -n 5
"""

HELP = """\
  WORD                 the words nearest to it: used alike, and standing together with it
  WORD - WORD + WORD   what is left of the first without the second and with the third
  WORD ? WORD          why two words are near
  help, quit           Ctrl-D ends, too; Ctrl-C drops a line; the tabulator completes words"""

# Completions offered at most.
OFFERED = 50

ERRORS = (ValueError, TypeError, LookupError, RuntimeError)


def add_arguments(add: Callable[..., argparse.Action]) -> None:
    """Declare the options, given a parser's ``add_argument``."""
    add("file", metavar="FILE", help=FILE_HELP)
    add("-n", type=positive, default=8, metavar="N", help="neighbours to show (default %(default)s)")


def run(args: argparse.Namespace) -> None:
    """Answer until the questions end."""
    explorer = Explorer(*_opened(args.file), args.n)
    interactive = sys.stdin is not None and sys.stdin.isatty()
    if interactive:
        _complete_by(explorer)
        print(f"{len(explorer.vectors):,} words. Type one, or help.")
    while True:
        try:
            line = input("w2v> " if interactive else "")
        except EOFError:
            if interactive:
                print()
            return
        except KeyboardInterrupt:
            if not interactive:
                raise
            print()
            continue
        if line.strip() in ("quit", "exit"):
            return
        print(explorer.answer(line), flush=True)


def _opened(path: str) -> tuple[Any, Any]:
    """The vectors of a file, and the whole model if there is one."""
    if format_in(path) == "native":
        from w2v.models import families

        try:
            model = families.load_model(path)
            return model.wv, model
        except AttributeError:  # vectors alone
            pass
    return load(path), None


class Explorer:
    """Answers as text.

    Parameters
    ----------
    vectors : KeyedVectors
    model : Word2Vec or another model of words, optional
        With it there are words that stand together, and reasons.
    count : int
    """

    def __init__(self, vectors: Any, model: Any = None, count: int = 8) -> None:
        self.vectors, self.model, self.count = vectors, model, count
        self._sorted: list[tuple[str, int]] = []

    def answer(self, line: str) -> str:
        """What a line asks for; of an error its message, which offers the nearest known words."""
        words = line.split()
        if not words:
            return ""
        if words == ["help"]:
            return HELP
        try:
            if "?" in words:
                return self._reasons(words)
            if len(words) > 1 and re.fullmatch(r"[^ ]+( [-+] ?[^ ]+)+", " ".join(words)):
                return self._sum(re.sub(r"(?<= [-+])(?=[^ ])", " ", " ".join(words)).split())
            return self._neighbors(self._meant(" ".join(words)))
        except ERRORS as error:
            return f"  {message_of(error, {})}"

    def completions(self, start: str) -> list[str]:
        """Known words that begin so, the most frequent first."""
        if not self._sorted:
            self._sorted = sorted((key, row) for row, key in enumerate(self.vectors.index_to_key))
        found = []
        for key, row in islice(self._sorted, bisect_left(self._sorted, (start, -1)), None):
            if not key.startswith(start):
                break
            found.append((row, key))
        return [key for _, key in sorted(found)[:OFFERED]]

    def _meant(self, word: str) -> str:
        """A word, or what the model's tokenizer makes of it: Elizabeth asks for elizabeth."""
        tokenizer = getattr(self.model, "tokenizer", None)
        if tokenizer is None or word in self.vectors.key_to_index:
            return word
        from w2v import tokenize

        found = tokenize(word, tokenizer)
        return found[0] if len(found) == 1 and found[0] in self.vectors.key_to_index else word

    def _neighbors(self, word: str) -> str:
        columns = {"used alike": self.vectors.most_similar(word, topn=self.count)}
        if getattr(self.model, "syn1neg", None) is not None:
            columns["standing together"] = self.model.most_similar(word, topn=self.count, space="in-out")
        return _side_by_side(columns)

    def _sum(self, words: list[str]) -> str:
        signs = ["+", *words[1::2]]
        pairs = [(sign, self._meant(word)) for sign, word in zip(signs, words[::2], strict=True)]
        positive = [word for sign, word in pairs if sign == "+"]
        negative = [word for sign, word in pairs if sign == "-"]
        return _side_by_side({" ".join(words): self.vectors.most_similar(positive, negative, topn=self.count)})

    def _reasons(self, words: list[str]) -> str:
        if len(words) != 3 or words[1] != "?":
            raise ValueError("ask for two words: king ? queen")
        if not hasattr(self.model, "explain"):
            raise ValueError("reasons need a whole model, as w2v train saves one; this file has vectors alone")
        return as_text(self.model.explain(self._meant(words[0]), self._meant(words[2]), topn=self.count))


def _side_by_side(columns: dict[str, list[tuple[str, float]]]) -> str:
    cells = {
        head: [printable(head), *(f"{printable(str(word))}  {cosine:.3f}" for word, cosine in found)]
        for head, found in columns.items()
    }
    widths = [max(map(len, column)) for column in cells.values()]
    longest = max(map(len, cells.values()))
    rows = ([column[row] if row < len(column) else "" for column in cells.values()] for row in range(longest))
    return "\n".join(
        "  " + "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _complete_by(explorer: Explorer) -> None:
    try:
        import readline
    except ImportError:  # a Python without it
        return
    offered: list[str] = []

    def complete(start: str, number: int) -> str | None:
        if number == 0:
            offered[:] = explorer.completions(start)
        return offered[number] if number < len(offered) else None

    readline.set_completer(complete)
    readline.set_completer_delims(" ")
    readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")
