"""The demo: train on the prose that every CPython carries, its own documentation, and query the result."""

import argparse
import ast
import os
import platform
import re
import shlex
import shutil
import sys
import sysconfig
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from w2v import Word2Vec
from w2v.cli.output import report
from w2v.cli.sources import check_output
from w2v.cli.vector_files import format_of
from w2v.files.arrays import sha256_of
from w2v.files.writing import atomic_write

CORPUS_SCHEME = 1  # part of the cache key: a change of the code below makes a new corpus and a new hash

# These differ between machines: distributors package the first line's apart, and change the second line's.
NOT_EVERYWHERE = {"ensurepip", "idlelib", "lib2to3", "distutils", "msilib", "tkinter", "turtle", "turtledemo"}
NOT_EVERYWHERE |= {"site", "sysconfig"}
NOT_PROSE = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"}

DOCTEST = re.compile(r"^\s*(?:>>>|\.\.\.(?:\s|$)).*$", re.MULTILINE)
SENTENCE_END = re.compile(r"\n\s*\n|(?<=[.!?])\s+")
WORD = re.compile(r"_*[a-z]\w*(?:[-.']\w+)*", re.ASCII)  # os.path, __init__, read-only, isn't: one word each

# A quarter of a million words is little, hence few dimensions, a wide window and many epochs. With one worker the
# hash repeats.
SETTINGS: dict[str, Any] = {
    "sg": 1,
    "vector_size": 50,
    "window": 10,
    "min_count": 10,
    "alpha": 0.05,
    "epochs": 50,
    "seed": 1,
    "workers": 1,
}
SHOWN_WORDS = ("file", "exception", "thread", "class", "socket", "encoding")
ANALOGY = ("decode", "decoder", "encode")


def demo_sentences() -> list[list[str]]:
    """Return the documentation of the running Python as sentences of lower-cased words.

    The text is the docstrings of the standard library and the topics of `help()`, read from the source files,
    never imported. It depends on the Python version alone, and is kept in the user's cache folder if that can
    be written.
    """
    cached = cache_file()
    with suppress(OSError, ValueError):
        if lines := cached.read_text("utf-8").splitlines():
            return [line.split(" ") for line in lines]
    sentences = [words for text in standard_library_prose() for words in split_sentences(text)]
    if not sentences:
        raise OSError(f"no Python sources to read in {_library_folder()}; train on a text of your own")
    with suppress(OSError):
        cached.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(cached) as file:
            file.write("".join(" ".join(words) + "\n" for words in sentences).encode())
    return sentences


def split_sentences(text: str) -> Iterator[list[str]]:
    """Yield the sentences of a docstring, two words or longer; examples typed at the prompt are left out."""
    for sentence in SENTENCE_END.split(DOCTEST.sub("", text)):
        words = WORD.findall(sentence.lower())
        if len(words) > 1:
            yield words


def standard_library_prose() -> Iterator[str]:
    """Yield the docstrings of the standard library, file by file, and the topics of `help()`."""
    documented = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
    for path in _source_files(_library_folder()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library's strings hold old escapes
            try:
                module = ast.parse(path.read_bytes())
            except (OSError, SyntaxError, ValueError):
                continue
        for node in ast.walk(module):
            if isinstance(node, documented) and (text := ast.get_docstring(node)):
                yield text
            elif isinstance(node, ast.Assign) and path.match("pydoc_data/topics.py"):
                topics = ast.literal_eval(node.value)  # topics = {name: text, ...}
                yield from (topics[name] for name in sorted(topics))


def cache_file() -> Path:
    """Return where the corpus of this Python version is kept between runs; it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if not os.path.isabs(base):
        base = os.devnull  # without a home, a folder that can be neither read nor made
    return Path(base, "w2v", f"demo-{sys.implementation.name}-{platform.python_version()}-{CORPUS_SCHEME}.txt")


def run_demo(
    output: str | os.PathLike[str], *, progress: bool | None = None, say: Callable[[str], object] = print
) -> dict[str, Any]:
    """Train on the demo corpus and save the model as `output`; tell the story, line by line, to `say`.

    Returns the facts of the story. The same Python version gives the same `sha256` on every machine.
    """
    start = time.perf_counter()
    sentences = demo_sentences()
    corpus_seconds = time.perf_counter() - start
    python = platform.python_version()
    words = sum(map(len, sentences))
    say(f"corpus      the documentation of Python {python}, read from its own source files")
    say(f"            {words:,} words in {len(sentences):,} sentences, ready in {corpus_seconds:.1f} s")
    say("training    skip-gram, {vector_size} dimensions, window {window}, {epochs} epochs".format_map(SETTINGS))

    model = Word2Vec(sentences, progress=progress, **SETTINGS)
    raw_words = sum(epoch.raw_words for epoch in model.history)
    seconds = sum(epoch.seconds for epoch in model.history)
    say(f"            {len(model.wv):,} words kept; {seconds:.1f} s at {raw_words / seconds:,.0f} words/s")

    say("\nneighbours")
    neighbors = {word: model.wv.most_similar(word, topn=5) for word in SHOWN_WORDS if word in model.wv}
    for word, found in neighbors.items():
        say(f"  {word:<12}" + "  ".join(f"{other:<12} {similarity:.2f}" for other, similarity in found))
    a, b, c = ANALOGY
    answer, similarity = model.wv.most_similar(positive=[b, c], negative=[a], topn=1)[0]
    say(f"\nanalogy     {a} is to {b} as {c} is to ... {answer} ({similarity:.2f})")

    model.save(output)
    sha256 = sha256_of(model.wv.vectors)
    say(f"sha256      {sha256}")
    say(f"            of the vectors: every machine with Python {python} gets the same")
    say(f"saved       {os.fspath(output)}, a whole model that can be queried or trained further")

    command, file = _command_line(), shlex.quote(os.fspath(output))
    say("\ntry next")
    say(f"  {command} neighbors {file} {SHOWN_WORDS[2]}")
    say(f"  {command} analogy {file} {' '.join(ANALOGY)}")
    say(f"  {command} info {file}")
    say(f"  {command} train --help")
    return {
        "python": python,
        "corpus_words": words,
        "sentences": len(sentences),
        "vocabulary": len(model.wv),
        "seconds": seconds,
        "words_per_second": raw_words / seconds,
        "neighbors": neighbors,
        "analogy": [a, b, c, answer],
        "sha256": sha256,
        "file": os.fspath(output),
    }


def _library_folder() -> Path:
    return Path(sysconfig.get_path("stdlib"))


def _source_files(root: Path) -> list[Path]:
    """List the standard library's .py files in the order of their names, not the disk's."""
    wanted = sys.stdlib_module_names - NOT_EVERYWHERE
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_PROSE]
        for path in (Path(folder, name) for name in names if name.endswith(".py")):
            relative = path.relative_to(root)
            if relative.parts[0].removesuffix(".py") in wanted:
                found[relative.as_posix()] = path
    return [found[name] for name in sorted(found)]


def _command_line() -> str:
    """Return the command that starts this program from the current folder."""
    script = Path(sys.executable).with_name("w2v")
    if (found := shutil.which("w2v")) and Path(found).resolve() == script.resolve():
        return "w2v"
    if script.exists():
        return shlex.quote(os.path.relpath(script))
    return f"{shlex.quote(sys.executable)} -m w2v"


def run(args: argparse.Namespace) -> None:
    """The command."""
    if format_of(args.output) != "native":
        raise ValueError(f"the demo saves a whole model; {args.output!r} must end in .safetensors")
    check_output(args.output)
    if args.json:
        report(args, run_demo(args.output, progress=args.progress, say=lambda line: None))
    else:
        run_demo(args.output, progress=args.progress)
