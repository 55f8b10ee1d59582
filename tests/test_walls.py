"""Imports point one way: text, vocabulary, training, vectors, doors. And the extension holds what it should."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import w2v._train

import w2v.text._text

PACKAGE = Path(w2v.__file__).parent

# Every module and the modules of ours it may import, from the first room to the last.
MAY_IMPORT = {
    "corpus": {"_text"},
    "spool": set(),
    "vocab": set(),
    "huffman": set(),
    "noise": {"_text"},
    "checks": set(),
    "terminal": set(),
    "memory": set(),
    "encode": {"_text", "corpus", "memory", "spool", "vocab"},
    "trainer": {"_train", "encode", "noise"},
    "formats": {"corpus"},
    "foreign": {"_text", "formats", "corpus"},
    "lookup": {"checks", "queries"},
    "queries": set(),
    "evaluate": {"_text", "corpus", "lookup", "queries"},
    "gensim_files": {"corpus", "formats", "huffman"},
    "legacy": {"vectors"},
    "predict": {"huffman"},
    "transport": set(),
    "callbacks": set(),
    "source": {"_text", "corpus", "encode", "formats"},
    "checkpoint": {"checks", "corpus", "formats"},
    "vectors": {
        *("checks", "corpus", "formats", "foreign", "gensim_files", "legacy", "lookup", "queries", "evaluate"),
        "transport",
    },
    "word2vec": {
        *("callbacks", "checkpoint", "checks", "corpus", "encode", "formats", "gensim_files", "huffman", "legacy"),
        *("lookup", "memory", "noise", "predict", "queries", "source", "trainer", "vectors", "vocab"),
    },
    "sklearn": {"word2vec"},
    "stability": {
        *("stability.experiments", "stability.measures", "stability.neighbors", "stability.plots", "stability.report"),
    },
    "stability.command": {
        "formats",
        *("stability.experiments", "stability.neighbors", "stability.plots", "stability.report"),
    },
    "stability.experiments": {
        *("checks", "corpus", "formats", "stability.neighbors", "trainer", "vectors", "word2vec"),
    },
    "stability.measures": set(),
    "stability.neighbors": {"checks", "queries"},
    "stability.plots": {"corpus", "stability.neighbors", "stability.report"},
    "stability.report": {"checks", "corpus", "formats", "stability.measures", "stability.neighbors", "terminal"},
    "compat": set(),
    "compat.gensim": {  # it imports itself where it was started as a program
        *("callbacks", "compat", "compat.gensim", "compat.gensim_names", "compat.gensim_utils"),
        *("corpus", "gensim_files", "legacy", "vectors", "word2vec"),
    },
    "compat.gensim_names": set(),
    "compat.gensim_utils": {"corpus", "formats", "vocab"},
    "demo": {"word2vec", "vectors", "trainer", "formats"},
    "ctool": {"cli", "corpus", "foreign", "formats", "queries", "terminal", "vectors", "word2vec"},
    "cli": {"checkpoint", "corpus", "ctool", "demo", "formats", "stability.command", "terminal"},
    "__main__": {"cli"},
}


def module_name(path):
    """compat/gensim.py is compat.gensim, compat/__init__.py is compat."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py"}


def imports_of(module):
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "w2v":
            inside = (node.module or "").removeprefix("w2v").removeprefix(".")
            names = [f"{inside}.{name.name}".removeprefix(".") for name in node.names]
            ours = {name for name in names if name in MODULES or name in ("_train", "_text")}
            found |= ours or ({inside} if inside else set())
        elif isinstance(node, ast.Import):
            found |= {name.name.removeprefix("w2v.") for name in node.names if name.name.startswith("w2v.")}
    return found


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_one_way(module):
    assert imports_of(module) <= MAY_IMPORT[module]


def output_of(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_the_package_loads_no_heavy_library():
    script = "import sys, w2v; print([m for m in ('numpy', 'scipy', 'tqdm') if m in sys.modules])"
    assert output_of(script) == "[]"


def test_importing_the_models_leaves_scipy_and_tqdm_for_later():
    script = "import sys; from w2v import Word2Vec; print([m for m in ('scipy', 'tqdm') if m in sys.modules])"
    assert output_of(script) == "[]"


needs_binutils = pytest.mark.skipif(shutil.which("objdump") is None, reason="objdump is not installed")


@needs_binutils
def test_wide_instructions_stay_inside_the_kernels():
    listing = subprocess.run(["objdump", "-d", w2v._train.__file__], capture_output=True, text=True, check=True).stdout
    function, wide = "", set()
    for line in listing.splitlines():
        if match := re.match(r"[0-9a-f]+ <(.+)>:", line):
            function = match[1]
        elif re.search(r"%[yz]mm", line):
            wide.add(function)
    assert wide, "the wide levels are missing"
    assert {name for name in wide if not re.search(r"_(avx2|avx512)(\.|$)", name)} == set()


@needs_binutils
def test_the_extension_calls_no_mathematics_of_the_system():
    wanted = subprocess.run(["nm", "-D", "-u", w2v._train.__file__], capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1].split("@")[0] for line in wanted.splitlines()}
    assert names & {"fma", "fmaf", "exp", "expf", "log", "logf", "pow", "powf", "tanh", "tanhf", "cblas_sdot"} == set()
