"""Errors and warnings of the library in the words of the command line: options where it names parameters."""

import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from w2v.common.terminal import printable

# The library's advice for programs, and the advice for the command line.
ADVICE = [
    (r"occurs min_count=(\d+) times", r"occurs \1 times"),
    (r"deterministic=True", "--deterministic"),
    (r"shared_negatives=False", "--fresh-negatives"),
    (r"None means no limit", "without it there is no limit"),
    (r" and start again \(init_weights makes new ones\)", ""),
    (r"files without one \(GloVe\) need no_header=True", "w2v convert --no-header reads files without one (GloVe)"),
    (r"no_header=True, on the command line by ", ""),
    (r"; errors='skip' leaves such rows out", ""),
    (r"LineSentence\(\w+, errors='replace'\) reads it nevertheless",
     "iconv -f WINDOWS-1252 -t UTF-8 makes that of what Windows and old programs of Europe write"),
    (r"(can't decode byte \w+) in position \d+:(?=.*, at byte)", r"\1:"),
    (r"'utf-8' codec can't decode bytes in position \d+-\d+: (?=the byte-order mark)", ""),
    (r"convert it to UTF-8, or read LineSentence\(open\(path, encoding='([\w-]+)'\)\)",
     r"iconv -f \1 -t UTF-8 converts it"),
    (r"word2vec's text and binary files are read by KeyedVectors.load_word2vec_format\(\)",
     "text and binary files end in .txt, .vec or .bin"),
]  # fmt: skip


def message_of(error: BaseException, flags: Mapping[str, str]) -> str:
    """Return an exception's message on one line, with the options' names; str() of a KeyError would quote it."""
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    else:
        text = str(error.args[0]) if type(error) is KeyError and error.args else str(error)
    if not isinstance(error, LookupError):  # its message is about words, not options
        text = in_options(text, flags)
    return printable(" ".join(text.split())) or type(error).__name__


def in_options(text: str, flags: Mapping[str, str]) -> str:
    """Translate the library's names of parameters: --size 0 for vector_size=0."""
    for advice, here in ADVICE:
        text = re.sub(advice, here, text)
    for parameter, flag in flags.items():
        name = rf"(?<![\w'\"/.-]){parameter}"
        text = re.sub(rf"{name}='([^']*)'", rf"{flag} \1", text)
        text = re.sub(rf"{name}=(?=-?\w)", f"{flag} ", text)
        text = re.sub(rf"{name}=", flag, text)
        if "_" in parameter:  # a bare name may be an English word
            text = re.sub(rf"{name}\b", flag, text)
    return text


class _PrintsOnce(logging.Handler):
    """Prints each warning of the library once: a command may train many times, with other numbers in the warning."""

    def __init__(self, flags: Mapping[str, str]) -> None:
        super().__init__(logging.WARNING)
        self.flags = flags
        self.seen: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = in_options(record.getMessage(), self.flags)
        kind = re.sub(r"\d+", "0", message)
        if kind not in self.seen:
            self.seen.add(kind)
            show_warning(message, UserWarning, record.pathname, record.lineno)


@contextmanager
def logged_once(flags: Mapping[str, str]) -> Iterator[None]:
    """Print what the library logs meanwhile, each warning once."""
    handler, logger = _PrintsOnce(flags), logging.getLogger("w2v")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def show_warning(
    message: Warning | str,
    category: type[Warning] = UserWarning,
    filename: str = "",
    lineno: int = 0,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning on one line; in place of `warnings.showwarning`."""
    print(f"w2v: warning: {printable(' '.join(str(message).split()))}", file=sys.stderr)
