"""The kernels of the GPU compile for every card, without warnings, in registers; the emulation passes sanitizers."""

import re
import shutil
import subprocess
import sys

import pytest
import sanitized
from emulation import KERNELS, needs_emulation
from places import ROOT

from w2v.training.cuda import driver
from w2v.training.cuda.layout import Model, Shape, Variant

# Models as they are used, their variants, and how many registers each may take: with more, fewer warps work at once.
VARIANTS = {
    "skip-gram of 100 numbers, 5 noise words": (Shape(Model.SKIP_GRAM, 112, 112, 5, 0, True), (1, 6), 80),
    "skip-gram of 300 numbers, 10 noise words": (Shape(Model.SKIP_GRAM, 304, 304, 10, 0, True), (3, 11), 240),
    "skip-gram with hierarchical softmax": (Shape(Model.SKIP_GRAM, 112, 112, 5, 25, True), (1, 0), 80),
    "skip-gram of one matrix": (Shape(Model.SKIP_GRAM_OF_ONE_MATRIX, 112, 112, 5, 0, True), (1, 0), 80),
    "skip-gram of subwords": (Shape(Model.SKIP_GRAM_OF_SUBWORDS, 112, 112, 5, 0, True), (1, 0), 80),
    "CBOW": (Shape(Model.CBOW, 112, 112, 5, 0, True), (1, 6), 80),
    "CBOW of subwords": (Shape(Model.CBOW_OF_SUBWORDS, 112, 112, 5, 0, True), (1, 6), 96),
    "rows side by side": (Shape(Model.SIDE_BY_SIDE, 112, 1104, 5, 0, True), (1, 0), 80),
    "1,024 numbers": (Shape(Model.SKIP_GRAM, 1024, 1024, 5, 0, True), (8, 0), 168),
    "as many targets as registers hold": (Shape(Model.SKIP_GRAM, 128, 128, 41, 0, True), (1, 42), 255),
    "documents by PV-DBOW": (Shape(Model.SKIP_GRAM, 112, 112, 5, 0, True, infers=True), (1, 6), 96),
    "documents by PV-DM": (Shape(Model.CBOW, 112, 112, 5, 0, True, infers=True), (1, 6), 96),
    "documents side by side": (Shape(Model.SIDE_BY_SIDE, 112, 1104, 5, 0, True, infers=True), (1, 0), 96),
}
VARIANT = Variant(1, 6, Model.SKIP_GRAM)
TESTED = ROOT / "tests" / "training" / "test_gpu_kernels.py"
SANITIZED = "edges or repeated or subwords or side or one_matrix or inferred or documents_agree or twin"
MOST_SPILLED = 128  # bytes of a thread, which stay in the first-level cache


def by_nvcc(variant, architecture, folder):
    options = driver.compile_options(architecture, variant)
    command = ["nvcc", *options, "-Werror=all-warnings", "-Xptxas=-v", "-cubin", "-o", str(folder / "out.cubin")]
    done = subprocess.run([*command, str(KERNELS)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def nvrtc_of_the_extra():
    nvrtc = pytest.importorskip("cuda.bindings.nvrtc", reason="the extra w2v[cuda] is not installed")
    try:
        nvrtc.nvrtcVersion()
    except Exception as error:
        pytest.skip(f"NVRTC was not found: {error}")
    return nvrtc


def by_nvrtc(variant, architecture, folder):
    nvrtc = nvrtc_of_the_extra()
    _, program = nvrtc.nvrtcCreateProgram(KERNELS.read_bytes(), b"kernels.cu", 0, [], [])
    options = [option.encode() for option in [*driver.compile_options(architecture, variant), "--ptxas-options=-v"]]
    nvrtc.nvrtcCompileProgram(program, len(options), options)
    log = b" " * nvrtc.nvrtcGetProgramLogSize(program)[1]
    nvrtc.nvrtcGetProgramLog(program, log)
    return log.decode()


def resources(variant, architecture, folder):
    """Registers of a thread, and the bytes that it moves to memory for want of them; no warning is let through."""
    said = (by_nvcc if shutil.which("nvcc") else by_nvrtc)(variant, architecture, folder)
    assert "warning" not in said
    assert "error" not in said
    _, _, kernel = said.partition(f"entry function '{'infer' if variant.infers else 'train'}'")
    return int(re.search(r"Used (\d+) registers", kernel)[1]), int(re.search(r"(\d+) bytes spill stores", kernel)[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_rows_and_targets_stay_in_registers(name, tmp_path):
    shape, held, most = VARIANTS[name]
    assert shape.variant[:2] == held
    registers, spilled = resources(shape.variant, "sm_90", tmp_path)
    assert registers <= most
    assert spilled <= MOST_SPILLED


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"])
@pytest.mark.parametrize("name", VARIANTS)
def test_kernels_compile_for_every_architecture(name, architecture, tmp_path):
    _, spilled = resources(VARIANTS[name][0].variant, architecture, tmp_path)
    assert spilled <= MOST_SPILLED


def test_compiled_kernels_are_kept_for_the_next_time(tmp_path, monkeypatch):
    """With another compiler, another card or another model they are compiled again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    class Compiler:
        made, version, log = 0, 13, b"line 7: no such type"

        def nvrtcVersion(self):
            return Code(), self.version, 0

        def nvrtcCreateProgram(self, source, *rest):
            assert b"train_stretches" in source
            return Code(), object()

        def nvrtcCompileProgram(self, program, n, options):
            self.made += 1
            return (Code(6 if b"--gpu-architecture=sm_1" in options else 0),)

        def nvrtcGetProgramLogSize(self, program):
            return Code(), len(self.log)

        def nvrtcGetProgramLog(self, program, log):
            assert len(log) == len(self.log)

        def nvrtcGetCUBINSize(self, program):
            return Code(), 3

        def nvrtcGetCUBIN(self, program, cubin):
            assert len(cubin) == 3

        def nvrtcDestroyProgram(self, program):
            pass

    class Code(int):
        name = "NVRTC_ERROR_COMPILATION"

    compiler = Compiler()
    options = driver.compile_options("sm_90", VARIANT)
    for _ in range(2):
        driver.compiled(compiler, options)
    assert compiler.made == 1
    driver.compiled(compiler, driver.compile_options("sm_80", VARIANT))
    compiler.version = 14
    driver.compiled(compiler, options)
    assert compiler.made == 3
    assert len(list((tmp_path / "w2v").iterdir())) == 3
    with pytest.raises(driver.DeviceError, match="NVRTC cannot compile the kernels"):
        driver.compiled(compiler, driver.compile_options("sm_1", VARIANT))


def test_nvrtc_compiles_the_kernels(tmp_path, monkeypatch):
    nvrtc = nvrtc_of_the_extra()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert driver.compiled(nvrtc, driver.compile_options("sm_90", VARIANT)).startswith(b"\x7fELF")


@needs_emulation
@pytest.mark.slow
@pytest.mark.skipif(sanitized.run_time("libasan.so") is None, reason="the C compiler has no sanitizers here")
@pytest.mark.parametrize("short", [0, 16])
def test_sanitizers_find_no_fault_but_a_planted_one(short, tmp_path):
    """The tests of the kernels pass on an emulation with sanitizers.

    The planted fault: the workspace of a block lacks its last numbers.
    """
    reports = sanitized.fresh_folder(tmp_path / "reports")
    environment = sanitized.environment("address", reports)
    flags = "-O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer"
    environment |= {"W2V_EMULATION_FLAGS": flags, "W2V_EMULATION_SHORT": str(short)}
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", str(TESTED)]
    command += ["-x", "-k", "edges" if short else SANITIZED]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800)
    found = "".join(path.read_text("utf-8", "replace") for path in reports.iterdir())
    if short:
        assert "heap-buffer-overflow" in found
    else:
        assert done.returncode == 0, done.stdout + done.stderr
        assert sanitized.findings(reports) == []


@needs_emulation
@pytest.mark.slow
def test_the_benchmark_of_a_gpu_prints_every_row():
    """So that it is known to work up to the device."""
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FALLS SHORT" not in done.stdout.partition("inference:")[0]
    for row in (
        "SG-NS d100 w5 n5",
        "SG-NS d300 w10 n10",
        "CBOW-NS d100",
        "SG-HS d100",
        "1 M words",
        "PV-DM",
        "fastText",
    ):
        assert re.search(rf"^\| [^|]*{row}", done.stdout, re.M)
    for line in ("text to saved vectors", "stop", "inference", r"\| sg-ns +\| RW"):
        assert re.search(rf"^{line}", done.stdout, re.M)
