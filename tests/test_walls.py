"""The walls of the house: rooms and their order, what may cross, and how large a file may be."""

import ast
import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import fields
from inspect import signature
from pathlib import Path

import pytest
from places import ROOT, TESTS

import w2v
from w2v import Word2Vec
from w2v.training import _train
from w2v.training.settings import Settings

PACKAGE = Path(w2v.__file__).parent

# Every room and those that it uses, in the order of the data; a room uses none that stands below it here.
ROOMS = {
    "_version": set(),
    "common": set(),
    "callbacks": {"common"},
    "files": {"_version", "common"},
    "text": {"common", "files"},
    "vocabulary": set(),
    "tokens": {"common", "files", "text", "vocabulary"},
    "terms": {"_version", "common", "files", "text", "tokens"},
    "counts": {"common", "tokens"},
    "training": {"_version", "common", "files", "text", "tokens", "vocabulary"},
    "atlas": {"_version", "common", "files"},
    "vectors": {"atlas", "common", "files", "terms", "text", "vocabulary"},
    "evaluation": {"common", "files", "vectors"},
    "align": {"atlas", "common", "files", "terms", "vectors"},
    "models": {
        "atlas",
        "callbacks",
        "common",
        "counts",
        "files",
        "terms",
        "text",
        "tokens",
        "training",
        "vectors",
        "vocabulary",
    },
    "distributed": {"_version", "common", "files", "models", "text", "tokens", "training", "vocabulary"},
    "bio": {"common", "evaluation", "files", "models", "text", "vectors"},
    "about": {"_version", "training"},
    "stability": {"about", "common", "files", "models", "text", "training", "vectors"},
    "advice": {"common", "files", "models", "stability", "text", "vectors"},
    "topics": {"atlas", "common", "files", "models", "stability", "text", "training", "vectors"},
    "sklearn": {"bio", "common", "models", "text", "vectors"},
    "cli": {
        "_version",
        "advice",
        "align",
        "atlas",
        "bio",
        "common",
        "distributed",
        "evaluation",
        "files",
        "models",
        "about",
        "stability",
        "terms",
        "text",
        "topics",
        "training",
        "vectors",
        "vocabulary",
    },
    "compat": {"align", "callbacks", "common", "files", "models", "terms", "text", "vectors", "vocabulary"},
    "word2vec": {"models"},  # where old pickles find their classes
    "trainer": {"training"},
    "__main__": {"cli"},
}
DOORS = {"cli", "compat", "sklearn", "__main__"}

# Files and classes that are longer than the ratchet allows, and their lengths; they may only shrink.
LONGEST_FILE, LONGEST_CLASS = 400, 300
LONG = {
    "files.gensim_pickle": 823,
    "files.word2vec_format": 653,
    "files.native": 420,
    "vectors.keyed": 451,
    "models.building.Buildable": 353,
    "vectors.keyed.KeyedVectors": 357,
}


def module_name(path):
    """compat/gensim.py is compat.gensim, compat/__init__.py is compat."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module):
    return module.split(".")[0]


SOURCES = {module_name(path): path for suffix in ("py", "pyi") for path in PACKAGE.rglob(f"*.{suffix}")}
TREES = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in SOURCES.items()}
INSIDE = sorted(module for module in SOURCES if module)


def imports_of(module):
    """The modules that a module imports, lazily or not; a name of the face stands for the module it comes from."""
    found = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "w2v":
            inside = node.module.removeprefix("w2v").removeprefix(".")
            for name in node.names:
                whole = f"{inside}.{name.name}".removeprefix(".")
                found.add(whole if whole in SOURCES else inside or w2v._HOME.get(name.name, "_version"))
        elif isinstance(node, ast.Import):
            found |= {name.name.removeprefix("w2v.") for name in node.names if name.name.startswith("w2v.")}
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_uses_the_rooms_of_the_table(room):
    used = {room_of(found) for module in INSIDE if room_of(module) == room for found in imports_of(module)}
    assert used - {room} == ROOMS[room]


def test_no_room_uses_one_that_comes_later():
    order = list(ROOMS)
    assert {room_of(module) for module in INSIDE} == set(order)
    assert [(room, used) for room in order for used in ROOMS[room] if order.index(used) > order.index(room)] == []


def test_every_folder_of_tests_is_named_after_a_room():
    folders = {path.parent.name for path in TESTS.glob("*/test_*.py")}
    assert folders <= set(ROOMS)
    assert {room for room in ROOMS if (PACKAGE / room).is_dir()} <= folders


def test_the_program_that_is_installed_is_there():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for target in project["scripts"].values():
        module, _, function = target.partition(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_names_of_tests_can_be_taken_in_at_a_glance():
    names = [
        name for path in TESTS.rglob("test_*.py") for name in re.findall(r"def test_(\w+)", path.read_text("utf-8"))
    ]
    assert [name for name in names if len(name) > 60] == []


def test_training_and_vectors_know_nothing_of_each_other():
    for room in ("training", "vectors"):
        assert not ROOMS[room] & {"training", "vectors", "models"}


def test_no_module_imports_itself_by_a_detour():
    graph = {module: imports_of(module) & set(INSIDE) for module in INSIDE}
    while free := {module for module, found in graph.items() if not found}:
        graph = {module: found - free for module, found in graph.items() if module not in free}
    assert graph.pop("compat.gensim", {"compat.gensim"}) <= {"compat.gensim"}  # where it was started as a program
    assert graph == {}


@pytest.mark.parametrize("module", [module for module in INSIDE if room_of(module) not in DOORS])
def test_below_the_doors_nobody_imports_the_face(module):
    faces = [
        node.lineno
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.ImportFrom)
        and node.module in ("w2v", *(f"w2v.{room}" for room in ROOMS))
        and any(f"{node.module}.{name.name}".removeprefix("w2v.") not in SOURCES for name in node.names)
        and (PACKAGE / node.module.replace(".", "/").removeprefix("w2v").removeprefix("/") / "__init__.py").exists()
    ]
    assert faces == []


@pytest.mark.parametrize("module", ["epoch", "matrices", "schedule", "weights", "workers"])
def test_the_arrays_of_training_meet_no_string(module):
    for node in ast.walk(TREES[f"training.{module}"]):
        if isinstance(node, ast.arg) and node.annotation is not None:
            assert ast.unparse(node.annotation) not in ("str", "list[str]", "Sequence[str]", "str | None"), node.arg


ARITHMETIC = {"einsum", "argmax", "argmin", "dot", "sum", "mean", "matmul"}


@pytest.mark.parametrize("module", [module for module in INSIDE if room_of(module) in DOORS])
def test_doors_hold_no_arithmetic(module):
    found = [
        ast.unparse(node)
        for node in ast.walk(TREES[module])
        if (isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult))
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ARITHMETIC)
    ]
    assert found == []


def test_every_setting_stands_in_one_place():
    """The parameters of Word2Vec that are no settings say on what to train, and where to keep it."""
    others = {
        *("self", "sentences", "corpus_file", "callbacks", "trim_rule", "checkpoint", "checkpoint_every", "old_names"),
        *("phrases", "terms"),
        *("hashfxn", "batch_words"),  # gensim's, without effect
    }
    parameters = {name: p.default for name, p in signature(Word2Vec.__init__).parameters.items() if name not in others}
    assert parameters == {field.name: field.default for field in fields(Settings)}


def length_of(node, lines):
    """Lines of a file or a class without those of its docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    strings = [inner.body[0] for inner in ast.walk(node) if isinstance(inner, documented) and ast.get_docstring(inner)]
    return lines - sum(string.end_lineno - string.lineno + 1 for string in strings)


def test_files_and_classes_only_shrink():
    lengths = {}
    for module in INSIDE:
        if SOURCES[module].suffix == ".py":
            lengths[module] = length_of(TREES[module], len(SOURCES[module].read_text().splitlines())), LONGEST_FILE
            for node in TREES[module].body:
                if isinstance(node, ast.ClassDef):
                    length = length_of(node, node.end_lineno - node.lineno + 1)
                    lengths[f"{module}.{node.name}"] = length, LONGEST_CLASS
    assert {name: length for name, (length, most) in lengths.items() if length > LONG.get(name, most)} == {}
    assert [name for name in LONG if lengths[name][0] <= lengths[name][1]] == [], "take these off the list"


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
    listing = subprocess.run(["objdump", "-d", _train.__file__], capture_output=True, text=True, check=True).stdout
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
    wanted = subprocess.run(["nm", "-D", "-u", _train.__file__], capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1].split("@")[0] for line in wanted.splitlines()}
    assert names & {"fma", "fmaf", "exp", "expf", "log", "logf", "pow", "powf", "tanh", "tanhf", "cblas_sdot"} == set()
