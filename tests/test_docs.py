"""The documentation is true: every example runs and shows what it says, and the tables match the code."""

import contextlib
import doctest
import importlib.util
import inspect
import io
import random
import re
import shlex
import sys
import warnings
from pathlib import Path

import pytest
from places import ROOT

import w2v
from w2v.cli import program

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ALL_PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "benchmarks" / "README.md"]
MODULES = sorted(path.stem for path in Path(w2v.__file__).parent.glob("*.py") if path.stem != "__main__")

BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

# What the corpus.txt of the examples is about.
TOPICS = [
    "river lake sea boat water fish",
    "bread flour oven dough yeast baker",
    "king queen man woman palace crown",
]


def write_corpus(path):
    draw = random.Random(7)
    lines = (" ".join(draw.choices(draw.choice(TOPICS).split(), k=8)) for _ in range(600))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


# What the book.txt of the README tells.
BOOK = "The river rose. Did the boats sink?\nNobody knew: the king's men were at sea.\n"


def run_python(source, namespace, page, line):
    """Run a block; a block with prompts must also show the printed results."""
    if not source.startswith(">>> "):
        exec(compile(source, f"{page}, line {line}", "exec"), namespace)
        return
    example = doctest.DocTestParser().get_doctest(source, namespace, page, page, line - 1)
    report = io.StringIO()
    found = doctest.DocTestRunner(optionflags=OPTIONS).run(example, out=report.write, clear_globs=False)
    assert found.failed == 0, report.getvalue()
    namespace.update(example.globs)


def run_console(source, page, line):
    """Run the `$ w2v` lines of a block; the lines below a command are its output."""
    for part in re.split(r"^\$ ", source, flags=re.MULTILINE)[1:]:
        command, _, shown = part.replace("\\\n", " ").partition("\n")
        if not command.startswith("w2v "):
            continue
        printed, said = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
            code = program.main(shlex.split(command)[1:])
        where = f"{page}, line {line}: {command}\n"
        assert code == 0, where + said.getvalue()
        if shown.strip():
            fits = doctest.OutputChecker().check_output(shown, printed.getvalue(), OPTIONS)
            assert fits, where + printed.getvalue()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_example_runs_and_shows_what_it_says(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_corpus(tmp_path / "corpus.txt")
    (tmp_path / "book.txt").write_text(BOOK, encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    if "usearch" in text and sys.version_info >= (3, 15):
        pytest.importorskip("usearch.index", reason="what usearch needs has no wheel for Python 3.15 yet")
    namespace = {"__name__": path.name}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 2
            if block[1] == "python":
                run_python(block[2], namespace, path.name, line)
            else:
                run_console(block[2], path.name, line)


def test_the_pages_have_examples():
    blocks = [block[1] for path in PAGES for block in BLOCK.finditer(path.read_text(encoding="utf-8"))]
    assert blocks.count("python") > 10
    assert blocks.count("console") > 2


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = w2v if name == "__init__" else importlib.import_module(f"w2v.{name}")
    for public in w2v.__all__ if module is w2v else ():
        getattr(w2v, public)  # loads its class, whose examples are then run too
    assert doctest.testmod(module, optionflags=OPTIONS).failed == 0


@pytest.mark.parametrize("model", [w2v.Word2Vec, w2v.Doc2Vec, w2v.FastText])
def test_every_parameter_is_documented_with_its_default(model):
    text = (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|", text, re.MULTILINE))
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(model.__init__).parameters.items()
        if name not in ("self", "old_names", "kwargs") and not (model is w2v.Doc2Vec and name == "epochs")
    }
    if model is w2v.FastText:
        assert "False in [`FastText`]" in text
        assert defaults.pop("shared_negatives") is False
    assert {name: rows[name].strip("`") for name in defaults} == {
        name: "hash" if default is hash else f'"{default}"' if isinstance(default, str) else shown(default)
        for name, default in defaults.items()
    }


def shown(default):
    return "1e-3" if default == 1e-3 else str(default)


def test_the_first_page_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 120


def test_the_first_page_says_what_was_measured():
    spec = importlib.util.spec_from_file_location("speed_quality", ROOT / "benchmarks" / "speed_quality.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    measured = program.speeds((ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8"))
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    for model, (ours, theirs) in measured.items():
        name = program.MODELS[model].replace("\n", " ") + ", window 10" * ("d300" in model)
        assert f"| {name} | {ours:.2f} | {theirs:.2f} | {ours / theirs:.1f}x |" in page


@pytest.mark.parametrize("path", ALL_PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target
