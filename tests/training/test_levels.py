"""The row functions of every level give the same bits, also those for processors that this machine is not."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

import w2v

PACKAGE = Path(w2v.__file__).parent
HEADERS = Path(__file__).parents[2] / "src" / "w2v" / "training"  # an installed package has none
# At any level of optimisation the bits are the same; the one of setup.py takes three times as long to compile.
FLAGS = ["-O1", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra", "-Werror"]

# Of every function on made-up rows (levels.c): without weights of targets, with them; still targets; words together.
# They change with the numerical scheme alone.
GOLDEN = "773cac8b34235c56-d60b770d3c395313-5330e285fcffa585-c7bd48d5245506ff"

CC = os.environ.get("CC", "cc")
CROSS = "aarch64-linux-gnu-gcc"
EMULATOR = "qemu-aarch64"


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def output_of(name, compiler, runner, folder, *flags):
    source, program = Path(__file__).with_name(f"{name}.c"), folder / name
    subprocess.run([compiler, *FLAGS, *flags, f"-I{HEADERS}", "-o", program, source, "-lm"], check=True)
    done = subprocess.run([*runner, program], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    return done.stdout


def hashes(*given):
    return dict(line.split() for line in output_of("levels", *given).splitlines())


@needs(CC)
def test_all_levels_of_this_machine_give_the_golden_hash(tmp_path):
    found = hashes(CC, [], tmp_path)
    assert list(found) == list(w2v.show_config()["available"])
    assert set(found.values()) == {GOLDEN}


@needs(CC)
def test_the_portable_fused_multiply_add_is_exact(tmp_path):
    """Also half way between two floats, among subnormal numbers, and where it overflows."""
    assert int(output_of("fused", CC, [], tmp_path, "-fno-builtin-fmaf")) > 24_000_000


@needs(CROSS)
@needs(EMULATOR)
def test_neon_gives_the_golden_hash_in_an_emulator(tmp_path):
    assert hashes(CROSS, [EMULATOR], tmp_path, "-static") == {"neon": GOLDEN, "portable": GOLDEN}


def compile_extension(compiler, extension, *flags):
    source = PACKAGE / f"{extension}.c"
    if not source.exists():
        pytest.skip("the C that Cython made is not kept in an installed package")
    include = sysconfig.get_paths()["include"]  # made for this machine; types have the same sizes on aarch64
    subprocess.run([compiler, "-ffp-contract=off", f"-I{include}", f"-I{source.parent}", *flags, source], check=True)


EXTENSIONS = ["training/_train", "text/_text"]


@needs(CROSS)
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_the_extensions_compile_for_aarch64(tmp_path, extension):
    compile_extension(CROSS, extension, "-O0", "-c", "-o", tmp_path / "o")


@needs(CC)
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_the_extensions_keep_to_the_stable_abi(extension):
    """What Python 3.11 does not promise to all later versions is not even declared here."""
    flags = ["-DPy_LIMITED_API=0x030B0000", "-Werror=implicit-function-declaration"]
    compile_extension(CC, extension, "-fsyntax-only", *flags)
