"""Run the tests on a build with sanitizers: ``python tests/sanitized.py address|thread [arguments of pytest]``.

Or any other module: ``python tests/sanitized.py address -m fuzz --seconds 60``.

address  reads and writes out of bounds, use after free, leaks, undefined behaviour, floats that fit no integer
thread   data races; the row functions are exempt, since Hogwild's races are meant
races    the same without an exemption: deterministic training must be clean here, and Hogwild cannot be

Each has a build of its own under build/, beside the normal one. Python is not built with sanitizers, so their run-time
libraries are loaded before it. What they find goes to files, so that no process's end hides it, and is judged here.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from places import ROOT


class Build(NamedTuple):
    """How the extensions are built, what must be loaded before Python, and the options that this goes by."""

    sanitize: str
    flags: str
    libraries: tuple[str, ...]
    options: dict[str, str]


THREAD = {
    "TSAN_OPTIONS": "exitcode=0:log_path={reports}/thread",
    # Threads of BLAS wait for each other in ways that cannot be seen from outside.
    "OPENBLAS_NUM_THREADS": "1",
}
BUILDS = {
    "address": Build(
        "address,undefined,float-cast-overflow",
        "",
        ("libasan.so", "libubsan.so"),
        {
            # Two frames name the allocation: one of the library, and its caller.
            "ASAN_OPTIONS": "detect_leaks=1:malloc_context_size=2:allocator_may_return_null=1:handle_abort=1:"
            "log_path={reports}/address",
            "LSAN_OPTIONS": "exitcode=0",
            # UBSan prints the fault on stderr and aborts; ASan then writes the place to its file.
            "UBSAN_OPTIONS": "abort_on_error=1:halt_on_error=1:print_stacktrace=1:log_path={reports}/undefined",
            "PYTHONMALLOC": "malloc",
        },
    ),
    "thread": Build("thread", "", ("libtsan.so",), THREAD),
    "races": Build("thread", "-DW2V_NO_RACES", ("libtsan.so",), THREAD),
}

# Tests without a meaning under a sanitizer, and why. A name is that of a file, a test, or a parameter of a test.
ALWAYS_OUT = {
    "training/test_levels.py": "compiles the headers into programs of its own, without the extensions",
    "test_walls.py": "looks at the machine code, into which sanitizers put theirs",
    "test_sanitizers.py": "calls this file",
}
SHELL = "starts a shell, and dash does not run with the library of this sanitizer"
LEFT_OUT = {
    "address": ALWAYS_OUT,
    "thread": {
        **ALWAYS_OUT,
        "cli/test_cli.py::test_closed_stdout_is_no_error": SHELL,
        "cli/test_cli.py::test_piped_example_of_the_help_works": SHELL,
        "files/test_files.py::test_a_full_file_system_leaves_the_old_file": SHELL,
        "training/test_checkpoint.py::test_killed_runs_end_in_the_same_bytes": "kills too early for a build so slow",
    },
}


def run_time(library: str) -> str | None:
    """Where the compiler keeps a library of its sanitizers; None if it has none."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    if shutil.which(compiler[0]) is None:
        return None
    command = [*compiler, f"-print-file-name={library}"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return found if os.path.isabs(found) else None


def environment(kind: str, reports: Path, package: Path | None = None) -> dict[str, str]:
    """The environment of a process whose reports go to a folder, and that imports w2v from another one."""
    build = BUILDS[kind]
    libraries = [run_time(library) for library in build.libraries]
    if None in libraries:
        raise SystemExit(f"the C compiler has no {' and '.join(build.libraries)}; gcc does (CC names another compiler)")
    options = {name: value.format(reports=reports) for name, value in build.options.items()}
    paths = {} if package is None else {"PYTHONPATH": f"{package}{os.pathsep}{ROOT / 'tests'}"}
    return os.environ | options | paths | {"LD_PRELOAD": " ".join(filter(None, libraries))}


def built(kind: str) -> Path:
    """Build the extensions, if they have changed; returns the folder to import w2v from."""
    build, base = BUILDS[kind], ROOT / "build" / kind
    flags = {"W2V_SANITIZE": build.sanitize, "CFLAGS": f"{os.environ.get('CFLAGS', '')} {build.flags}".strip()}
    shutil.rmtree(base / "lib" / "w2v" / "__pycache__", ignore_errors=True)
    command = [sys.executable, "setup.py", "-q", "build", "--build-base", base, "--build-lib", base / "lib"]
    subprocess.run(command, cwd=ROOT, env=os.environ | flags, check=True)
    return base / "lib"


def findings(reports: Path) -> list[str]:
    """The reports in a folder, but for leaks whose memory was not asked for by our code.

    Python and NumPy never give back what they made when they were loaded; nor do programs that tests start.
    """
    found = []
    for path in sorted(reports.iterdir()):
        text = path.read_text("utf-8", "replace")
        if "LeakSanitizer" in text:
            blocks = re.split(r"\n\n+", text)
            text = "\n\n".join(
                block for block in blocks if "leak of" in block and re.search(r"^ *#1 .*\bw2v/", block, re.M)
            )
        if text.strip():
            found.append(f"--- {path.name}\n{text.strip()}\n")
    return found


def fresh_folder(path: Path) -> Path:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def main(kind: str, *arguments: str) -> int:
    """Run tests; the result is not 0 if one fails or a sanitizer has found something."""
    package, reports = built(kind), fresh_folder(ROOT / "build" / kind / "reports")
    if arguments[:1] != ("-m",):
        for name, reason in LEFT_OUT[kind].items():
            print(f"left out: {name}: {reason}")
        arguments = ("-m", "pytest", *(f"--deselect=tests/{name}" for name in LEFT_OUT[kind]), *arguments)
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment(kind, reports, package), check=False)
    found = findings(reports)
    print(*found, f"{kind}: {len(found)} reports of faults in w2v", sep="\n")
    return int(done.returncode != 0 or bool(found))


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in LEFT_OUT:
        sys.exit(f"usage: {sys.argv[0]} {'|'.join(LEFT_OUT)} [arguments of pytest, or -m MODULE ...]")
    sys.exit(main(*sys.argv[1:]))
