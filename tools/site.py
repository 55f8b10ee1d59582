"""The documentation as a site: lay out its pages, and let Sphinx build them; every warning is an error.

    python tools/site.py [--out build/site]

The pages of docs/ are pages of the site as they are. To these come pages of the checkout's root, a reference made from
the docstrings of all public names, and notebooks. `docs/index.md` says how they are ordered: its sections are those of
the site, and a page that no section has is an error. What is built can be read and searched from disk.
"""

import argparse
import importlib
import inspect
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import w2v

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

# Files outside docs/ that are pages too.
OUTSIDE = {
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
    "README.md": "install.md",
}

# The pages of the reference: title, the rooms whose names are public in w2v, and a module that is public as it is.
REFERENCE = {
    "models": ("Models", ("models",), ""),
    "vectors": ("Vectors", ("vectors", "files", "atlas"), ""),
    "text": ("Text and terms", ("text", "terms", "vocabulary"), ""),
    "training": ("Training", ("training", "callbacks", "about"), ""),
    "evaluation": ("Evaluation and advice", ("evaluation", "advice"), ""),
    "align": ("Combining", ("align",), "w2v.align"),
    "topics": ("Topics", ("topics",), "w2v.topics"),
    "stability": ("Stability", ("stability",), "w2v.stability"),
    "distributed": ("Several workers", ("distributed",), "w2v.distributed"),
    "bio": ("Proteins and genes", ("bio",), "w2v.bio"),
    "sklearn": ("scikit-learn", ("sklearn",), "w2v.sklearn"),
}

SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*)\]\((?!\w+:)([^)#\s]*)(#[^)\s]*)?\)")
ROW = re.compile(r"^\| \[[^\]]+\]\(([^):#]+)\.md\)", re.MULTILINE)


def directive(name: str, value: Any) -> str:
    """What Sphinx is told to show of a public name."""
    if inspect.isclass(value):
        kind = "exception" if issubclass(value, BaseException) else "class"
    else:
        kind = "function" if inspect.isroutine(value) else "data"
    options = "   :exclude-members: set_output, get_metadata_routing\n" if "sklearn" in name else ""  # sklearn's own
    return f"```{{eval-rst}}\n.. auto{kind}:: {name}\n{options}```"


def reference(title: str, rooms: tuple[str, ...], module: str) -> str:
    """A page of the reference: the first lines of the module's docstring, then each name with its own."""
    named = {name: getattr(w2v, name) for name, home in w2v._HOME.items() if home.partition(".")[0] in rooms}
    found = {f"w2v.{name}": value for name, value in named.items()}
    lines = [f"# {title}"]
    if module:
        imported = importlib.import_module(module)
        lines.append((imported.__doc__ or "").partition("\n\n")[0])
        found |= {f"{module}.{name}": getattr(imported, name) for name in imported.__all__ if name not in named}
    lines += [directive(name, found[name]) for name in sorted(found, key=lambda name: (name.count("."), name.lower()))]
    return "\n\n".join(lines) + "\n"


def notebook(path: Path) -> str:
    """A notebook as a page: prose, code, and what the code printed."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join(part for cell in cells for part in shown(cell)) + "\n"


def shown(cell: dict[str, Any]) -> Iterator[str]:
    source = "".join(cell["source"])
    yield source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```"
    for output in cell.get("outputs", ()):
        printed = "".join(output.get("text") or output["data"]["text/plain"])
        yield f"```text\n{printed.rstrip()}\n```"


def turned(page: str, text: str, origin: Path) -> str:
    """A page whose links through the checkout lead to pages; those to files that are no pages become plain text."""

    def turn(found: re.Match[str]) -> str:
        label, target, anchor = found[1], found[2], found[3] or ""
        if not target:
            return found[0]
        path = (origin.parent / target).resolve().relative_to(ROOT).as_posix()
        path = f"docs/{OUTSIDE[path]}" if path in OUTSIDE else path
        if not re.fullmatch(r"docs/.+\.(md|ipynb)", path):
            return label
        up = "../" * page.count("/")
        return f"[{label}]({up}{path.removeprefix('docs/').replace('.ipynb', '.md')}{anchor})"

    text = LINK.sub(turn, text).replace("\n\n```\n", "\n```\n")  # a doctest ends with an empty line, a page need not
    return text.replace("](docs/figures/", "](figures/") if origin.parent == ROOT else text


def toctree(entries: list[str]) -> str:
    return "```{toctree}\n:hidden:\n\n" + "\n".join(entries) + "\n```\n"


def sections(index: str) -> dict[str, tuple[str, list[str]]]:
    """The sections of the first page that list pages: title, text, pages."""
    parts = SECTION.split(index)[1:]
    found = {title: (text.strip(), ROW.findall(text)) for title, text in zip(parts[::2], parts[1::2], strict=True)}
    return {title: section for title, section in found.items() if section[1]}


def lay_out(folder: Path) -> None:
    """Write all pages, and what Sphinx needs beside them, into an empty folder."""
    shutil.copytree(DOCS, folder, ignore=shutil.ignore_patterns("*.ipynb"))
    made: dict[str, tuple[str, Path]] = {path.name: (path.read_text("utf-8"), path) for path in DOCS.glob("*.md")}
    for source, page in OUTSIDE.items():
        made.setdefault(page, ((ROOT / source).read_text("utf-8"), ROOT / source))
    for path in (DOCS / "notebooks").glob("*.ipynb"):
        made[f"notebooks/{path.stem}.md"] = notebook(path), path
    for name, said in REFERENCE.items():
        made[f"reference/{name}.md"] = reference(*said), DOCS / "reference" / "page"
    text, origin = made["install.md"]
    made["install.md"] = text.replace("# w2v\n", "# Install, and ten lines\n", 1), origin
    origin = DOCS / "index.md"
    index = turned("index.md", origin.read_text("utf-8"), origin)
    names = []
    for title, (text, pages) in sections(index).items():
        name = f"section-{title.lower().replace(' ', '-')}"
        if title == "Reference":
            pages += [f"reference/{name}" for name in REFERENCE]
            text += "".join(f"\n| [{said[0]}](reference/{name}.md) | docstrings |" for name, said in REFERENCE.items())
        made[f"{name}.md"] = f"# {title}\n\n{text}\n\n{toctree(pages)}", origin
        names.append(name)
    made["index.md"] = f"{index}\n{toctree(names)}", origin
    for page, (text, source) in made.items():
        path = folder / page
        path.parent.mkdir(exist_ok=True)
        path.write_text(turned(page, text, source), encoding="utf-8")


def main(build: Callable[[list[str]], int]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site", help="the folder of the site")
    out = parser.parse_args().out
    pages = out.with_name(f"{out.name}-pages")
    for folder in (out, pages):
        shutil.rmtree(folder, ignore_errors=True)
    lay_out(pages)
    failed = build(["-W", "--keep-going", "-q", "-j", "auto", "-E", "-d", f"{pages}/.doctrees", str(pages), str(out)])
    (out / "_static" / "webpack-macros.html").unlink(missing_ok=True)  # the theme's, for its templates: no page
    print(f"{out}/index.html" if not failed else "the site was not built")
    return failed


if __name__ == "__main__":
    from sphinx.cmd.build import build_main

    sys.exit(main(build_main))
