"""Imports point one way: text, vocabulary, training, vectors, doors. And the extension holds what it should."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import w2v._text
import w2v.training._train

PACKAGE = Path(w2v.__file__).parent

# Every module and the modules of ours it may import, from the first room to the last.
MAY_IMPORT = {
    "corpus": {"_text"},
    "spool": set(),
    "vocab": set(),
    "huffman": set(),
    "noise": {"_text"},
    "checks": set(),
    "memory": set(),
    "encode": {"_text", "corpus", "memory", "spool", "vocab"},
    "common": set(),
    "common.progress": set(),
    "training": set(),
    "training.schedule": set(),
    "training.matrices": {"training._train", "training.schedule"},
    "training.workers": set(),
    "training.epoch": {"training._train", "training.schedule", "training.workers", "encode", "noise"},
    "about": {"training._train", "training.schedule"},
    "formats": {"corpus"},
    "foreign": {"_text", "formats", "corpus"},
    "lookup": {"queries"},
    "queries": set(),
    "evaluate": {"_text", "corpus", "queries"},
    "gensim_files": {"corpus", "formats", "huffman"},
    "legacy": {"vectors"},
    "predict": {"huffman"},
    "transport": set(),
    "callbacks": set(),
    "source": {"corpus", "encode", "formats"},
    "checkpoint": {"checks", "corpus", "formats"},
    "vectors": {"corpus", "formats", "foreign", "gensim_files", "legacy", "lookup", "queries", "evaluate", "transport"},
    "word2vec": {
        *("callbacks", "checkpoint", "checks", "corpus", "encode", "formats", "gensim_files", "huffman", "legacy"),
        *("memory", "noise", "predict", "queries", "source", "vectors", "vocab", "common.progress"),
        *("training.epoch", "training.matrices", "training.schedule", "training.workers"),
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
        *("about", "checks", "common.progress", "corpus", "formats", "stability.neighbors", "vectors", "word2vec"),
    },
    "stability.measures": set(),
    "stability.neighbors": {"checks", "common.progress", "queries"},
    "stability.plots": {"corpus", "stability.neighbors", "stability.report"},
    "stability.report": {"checks", "common.progress", "corpus", "formats", "stability.measures", "stability.neighbors"},
    "compat": set(),
    "compat.gensim": {  # it imports itself where it was started as a program
        *("callbacks", "compat", "compat.gensim", "compat.gensim_names", "compat.gensim_utils"),
        *("corpus", "gensim_files", "legacy", "vectors", "word2vec"),
    },
    "compat.gensim_names": set(),
    "compat.gensim_utils": {"corpus", "formats", "vocab"},
    "demo": {"word2vec", "vectors", "formats"},
    "ctool": {"cli", "corpus", "foreign", "formats", "queries", "vectors", "word2vec"},
    "cli": {"checkpoint", "corpus", "ctool", "demo", "formats", "stability.command"},
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
            ours = {name for name in names if name in MODULES or name in ("training._train", "_text")}
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
    command = ["objdump", "-d", w2v.training._train.__file__]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
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
    command = ["nm", "-D", "-u", w2v.training._train.__file__]
    wanted = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1].split("@")[0] for line in wanted.splitlines()}
    assert names & {"fma", "fmaf", "exp", "expf", "log", "logf", "pow", "powf", "tanh", "tanhf", "cblas_sdot"} == set()
