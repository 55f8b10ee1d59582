"""The promises of SECURITY.md: no foreign code, no network, private temporary files, and clean packages."""

import ast
import contextlib
import os
import pickle
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from alone import alone
from corpora import two_topics
from places import ROOT

import w2v
from w2v import KeyedVectors, LineSentence, Word2Vec
from w2v.cli import program
from w2v.files import errors, native, writing

PACKAGE = Path(w2v.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# Modules that can reach out, start programs or run what is in a file.
FOREIGN = {
    *("socket", "ssl", "http", "urllib", "ftplib", "smtplib", "xmlrpc", "asyncio", "webbrowser"),
    *("subprocess", "multiprocessing", "ctypes", "code", "pickle", "marshal", "shelve", "dbm", "copyreg", "runpy"),
}
MAY_USE = {
    "files/gensim_pickle.py": {"pickle"},  # the names of its opcodes
    "compat/gensim.py": {"multiprocessing", "runpy"},  # a script that it is given is run, and so are its children
}

# What Python itself reports when any library does such a thing.
EVENTS = re.compile(
    r"socket\.|subprocess\.|os\.(system|exec|fork|posix_spawn|spawn|startfile)|pickle\.|ctypes\.dlopen|"
    r"(urllib|ftplib|http|smtplib|poplib|imaplib|telnetlib)\.|webbrowser\."
)


# --- nothing is run, nothing is sent --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_can_open_connections_or_run_its_input(path):
    tree, found = ast.parse(path.read_text(encoding="utf-8")), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("eval", "exec", "compile", "__import__", "np.save", "np.savez"), f"line {node.lineno}"
            options = {option.arg: ast.unparse(option.value) for option in node.keywords}
            assert called != "np.load" or options.get("allow_pickle") == "False", f"line {node.lineno}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name, of = node.attr, node.value.id
            assert of != "os" or not re.match("system|popen|exec|spawn|fork|posix_spawn", name), f"line {node.lineno}"
            assert of != "pickle" or name.isupper(), f"line {node.lineno}: pickle.{name} is no name of an opcode"
    assert found & FOREIGN <= MAY_USE.get(path.relative_to(PACKAGE).as_posix(), set())


def everything(folder):
    """Whatever can be done with a model and a text."""
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(" ".join(sentence) for sentence in two_topics(300)))
    questions = folder / "questions"
    questions.write_text(": one\nsun moon bread cheese\n")
    (folder / "pairs").write_text("sun\tmoon\t9\nsun\tbread\t1\nmoon\tsoup\t2\n")
    settings = {"vector_size": 8, "min_count": 1, "sample": 0, "epochs": 2}
    for options in ({}, {"hs": 1, "sg": 1}, {"deterministic": True}, {"cache": "none"}, {"cache": "disk"}):
        model = Word2Vec(LineSentence(corpus), workers=2, progress=True, **settings, **options)
    model = Word2Vec(corpus_file=corpus, workers=1, hs=1, **settings)
    model.build_vocab([["sun", "new"]], update=True)
    model.save(folder / "model.safetensors")
    model.score([["sun", "moon"]])
    for mmap in (None, "r"):
        Word2Vec.load(folder / "model.safetensors", mmap=mmap).predict_output_word(["sun"])
        vectors = KeyedVectors.load(folder / "model.safetensors", mmap=mmap)
    native.verify_native(folder / "model.safetensors")
    for name in ("v.txt", "v.bin", "v.txt.gz", "v.bin.xz", "v.txt.bz2", "v.txt.zst"):
        vectors.save_word2vec_format(folder / name, binary=".bin" in name)
        KeyedVectors.load_word2vec_format(folder / name, binary=".bin" in name)
    vectors.most_similar("sun")
    vectors.wmdistance(["sun", "moon"], ["bread"])
    vectors.evaluate_word_analogies(questions)
    vectors.evaluate_word_pairs(folder / "pairs")
    (folder / "pickle").write_bytes(pickle.dumps({"a": np.ones(3)}, 4))
    for load in (Word2Vec.load, KeyedVectors.load):
        for options in ({}, {"allow_pickle": True}):
            with pytest.raises(errors.FormatError):
                load(folder / "pickle", **options)
    model, text = str(folder / "model.safetensors"), str(corpus)
    trained = ["--size", "8", "--workers", "1", "--no-progress"]
    for line in (
        ["train", text, "-o", str(folder / "trained.safetensors"), "--min-count", "1", *trained],
        ["neighbors", model, "sun"],
        ["analogy", model, "sun", "moon", "bread"],
        ["evaluate", model, "--analogies", str(questions), "--pairs", str(folder / "pairs")],
        ["convert", model, str(folder / "converted.bin")],
        ["info", model],
        ["info"],
        ["verify", str(folder / "trained.safetensors"), "--corpus", text, "--no-progress"],
        ["word2vec", "-train", text, "-output", str(folder / "c.bin"), "-binary", "1", "-size", "8"],
    ):
        assert program.main(line) == 0, line


@alone
def test_default_paths_use_no_network_program_or_pickle(folder):
    everything(folder)  # imports of libraries may do more, so they come first
    happened = []
    sys.addaudithook(lambda event, _: happened.append(event) if EVENTS.match(event) else None)
    pickle.loads(pickle.dumps(np.ones(3)))
    with contextlib.suppress(OSError):
        __import__("socket").socket().connect(("127.0.0.1", 1))
    assert {"pickle.find_class", "socket.connect"} <= set(happened)  # they are seen
    happened.clear()

    def refused(*given, **options):
        raise AssertionError("a pickle was about to be loaded")

    pickle.load = pickle.loads = pickle.Unpickler = pickle._Unpickler = refused
    (folder / "again").mkdir()
    everything(folder / "again")
    assert happened == []


# --- temporary files ------------------------------------------------------------------------------------------------


@alone
def test_an_encoded_corpus_on_disk_is_nameless_and_private(folder):
    os.umask(0)
    tempfile.tempdir = str(folder)
    model = Word2Vec(vector_size=8, min_count=1, cache="disk")
    model.build_vocab(two_topics())
    modes = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the descriptor of the listing itself is gone
            if os.readlink(f"/proc/self/fd/{number}").endswith("(deleted)"):
                modes.append(stat.S_IMODE(os.fstat(int(number)).st_mode))
    assert modes
    assert set(modes) == {0o600}
    assert os.listdir(folder) == []


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_a_private_file_is_private_while_it_is_replaced(tmp_path, mode):
    path = tmp_path / "model"
    path.touch()
    path.chmod(mode)
    with writing.atomic_write(path) as file:
        file.write(b"secret")
        file.flush()
        modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in os.listdir(tmp_path)}
        assert len(os.listdir(tmp_path)) == 2
    assert modes == {0o600, mode}  # the new file's, and the old one's
    assert stat.S_IMODE(path.stat().st_mode) == mode


# --- packages -------------------------------------------------------------------------------------------------------

NEEDED = ["setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"]
NEEDED += ["SECURITY.md", "Makefile", ".ci", "src", "tests", "docs", "benchmarks", "tools"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the source, so that nothing is built in it; with the leftovers of a build and of a test run."""
    copy = tmp_path_factory.mktemp("source") / "w2v"
    copy.mkdir()
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    for leftover in ("src/w2v/_train.c", "src/w2v/_text.cpp", "src/w2v/__pycache__/vocab.cpython-311.pyc", "vec.txt"):
        (copy / leftover).parent.mkdir(exist_ok=True)
        (copy / leftover).write_text("leftover")
    (copy / "tests" / "data").mkdir(exist_ok=True)
    (copy / "tests" / "data" / "model.safetensors").write_text("leftover")
    (copy / "setup.cfg").write_text("[build]\nbuild_lib = lib\n[bdist_wheel]\ndist_dir = out\nskip_build = true\n")
    return copy


def setup(tree, *command):
    done = subprocess.run([sys.executable, "setup.py", "-q", *command], cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def no_path_of_this_machine(name, content):
    for path in {str(ROOT), str(Path.home()), sys.prefix, os.getcwd()} - {"/"}:
        assert path.encode() + b"/" not in content, f"{name} names {path}"


def test_a_source_distribution_holds_only_handwritten_files(tree):
    setup(tree, "sdist")
    with tarfile.open(next((tree / "dist").iterdir())) as archive:
        members = {member.name.partition("/")[2]: member for member in archive.getmembers() if member.isfile()}
        for name, member in members.items():
            no_path_of_this_machine(name, archive.extractfile(member).read())
    made = {"PKG-INFO", "setup.cfg"} | {name for name in members if name.startswith("src/w2v.egg-info/")}
    allowed = re.compile(
        r"src/w2v/([a-z_0-9]+/)*[a-z_0-9]+\.(py|pyi|pyx|h|cu)|src/w2v/py\.typed|tests/([a-z]+/)?[a-z_0-9]+\.(py|txt)|tests/training/[a-z]+\.(c|cpp)|"
        r"tests/(fuzz|data)/.+|docs/[a-z-]+\.md|docs/figures/[a-z-]+\.png|docs/conf\.py|docs/static/site\.css|docs/notebooks/[a-z-]+\.ipynb|(benchmarks|tools)/[a-zA-Z_]+\.(py|md)|\.ci/run|[A-Za-z]+(\.md|\.in)?|"
        r"src/w2v/atlas/page/[a-z]+\.(js|css|html|LICENSES\.txt)|tests/atlas/[a-z_]+\.js|"
        r"vendor/scatter/([a-z-]+\.(json|js)|build\.sh)|setup\.py|pyproject\.toml"
    )
    assert {name for name in set(members) - made if not allowed.fullmatch(name)} == set()
    modules = {str(path.relative_to(tree)) for path in (tree / "src").rglob("*.py")}
    written = (".pyx", ".h", ".pyi", ".typed", ".cu")
    sources = {f"src/w2v/{path.relative_to(PACKAGE)}" for path in PACKAGE.rglob("*") if path.suffix in written}
    tests = {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py")}
    assert modules | sources | tests | {
        "LICENSE",
        "SECURITY.md",
        "README.md",
        "tests/training/levels.c",
        "tests/training/malloc.c",
        "tests/training/warp.cpp",
    } <= set(members)


def test_a_wheel_holds_the_package_and_no_more(tree):
    setup(tree, "build_py")
    extensions = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.so")}  # of the build that is tested
    for extension in extensions:
        shutil.copy(PACKAGE / extension, tree / "lib" / "w2v" / extension)
    setup(tree, "bdist_wheel")
    with zipfile.ZipFile(next((tree / "out").iterdir())) as archive:
        names = set(archive.namelist())
        for name in names - {f"w2v/{extension}" for extension in extensions}:
            no_path_of_this_machine(name, archive.read(name))
    about = {name for name in names if ".dist-info/" in name}
    expected = {str(path.relative_to(tree / "src")) for path in (tree / "src" / "w2v").rglob("*.py")}
    expected |= {"w2v/py.typed"} | {f"w2v/{path}" for path in extensions}
    expected |= {f"w2v/{path.relative_to(PACKAGE)}" for kind in ("pyi", "cu") for path in PACKAGE.rglob(f"*.{kind}")}
    expected |= {f"w2v/{path.relative_to(PACKAGE)}" for path in (PACKAGE / "atlas" / "page").iterdir()}
    assert names - about == expected
    assert {name.split("/", 1)[1] for name in about} == {
        *("METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt", "licenses/LICENSE"),
    }


def test_every_requirement_has_a_lower_bound():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += [requirement for requirement in extra if not requirement.startswith("w2v[")]
    assert [requirement for requirement in wanted if not re.search(r"[>=]=\d", requirement)] == []
