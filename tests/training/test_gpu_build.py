"""The kernels of the GPU compile for every card, without warnings, in registers; the emulation passes sanitizers."""

import re
import shutil
import subprocess
import sys

import pytest
import sanitized
from emulation import KERNELS, needs_emulation
from places import paths_of

from w2v.training.cuda import driver, layout

needs_nvcc = pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc is not installed")

# Models as they are used, and how many registers each may take: with more, fewer warps would be at work at once.
VARIANTS = {
    "skip-gram of 100 numbers, 5 noise words": (layout.Shape(112, 5, 0, True), (1, 6), 80),
    "300 numbers, 10 noise words": (layout.Shape(304, 10, 0, True), (3, 11), 240),
    "hierarchical softmax of 100 numbers": (layout.Shape(112, 5, 25, True), (1, 0), 80),
    "1,024 numbers": (layout.Shape(1024, 5, 0, True), (8, 0), 168),
    "as many targets as registers hold": (layout.Shape(128, 41, 0, True), (1, 42), 255),
}
FIRST, *OTHERS = VARIANTS
MOST_SPILLED = 64  # bytes of a thread, which stay in the first-level cache


def resources(architecture, chunks, targets, folder):
    """Registers of a thread of `train`, and the bytes that it moves to memory for want of them."""
    command = ["nvcc", "-std=c++17", f"-arch={architecture}", f"-DCHUNKS={chunks}", f"-DTARGETS={targets}"]
    command += ["-Werror=all-warnings", "-Xptxas=-v", "-cubin", "-o", str(folder / "out.cubin"), str(KERNELS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stderr
    _, _, train = done.stderr.partition("entry function 'train'")
    return int(re.search(r"Used (\d+) registers", train)[1]), int(re.search(r"(\d+) bytes spill stores", train)[1])


@needs_nvcc
@pytest.mark.parametrize("name", [FIRST, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)])
def test_rows_and_targets_stay_in_registers(name, tmp_path):
    shape, variant, most = VARIANTS[name]
    assert (shape.chunks, shape.held) == variant
    registers, spilled = resources("sm_90", *variant, tmp_path)
    assert registers <= most
    assert spilled <= MOST_SPILLED


@needs_nvcc
@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"])
@pytest.mark.parametrize("variant", [(1, 6), (3, 11), (1, 0), (8, 0)])
def test_kernels_compile_for_every_architecture(architecture, variant, tmp_path):
    _, spilled = resources(architecture, *variant, tmp_path)
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
    options = driver.compile_options("sm_90", 1, 6)
    for _ in range(2):
        driver.compiled(compiler, options)
    assert compiler.made == 1
    driver.compiled(compiler, driver.compile_options("sm_80", 1, 6))
    compiler.version = 14
    driver.compiled(compiler, options)
    assert compiler.made == 3
    assert len(list((tmp_path / "w2v").iterdir())) == 3
    with pytest.raises(driver.DeviceError, match="NVRTC cannot compile the kernels"):
        driver.compiled(compiler, driver.compile_options("sm_1", 1, 6))


def test_nvrtc_compiles_the_kernels(tmp_path, monkeypatch):
    nvrtc = pytest.importorskip("cuda.bindings.nvrtc", reason="the extra w2v[cuda] is not installed")
    try:
        nvrtc.nvrtcVersion()
    except Exception as error:
        pytest.skip(f"NVRTC was not found: {error}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert driver.compiled(nvrtc, driver.compile_options("sm_90", 1, 6)).startswith(b"\x7fELF")


SCRIPT = """
import sys
sys.path[:0] = {paths}
import reference, test_gpu_kernels as kernels
from emulation import SoftwareDevice
from test_tags import documents, tagged
from test_train import corpus, fresh, settings
from w2v.training.cuda import concurrency
reference.TILE = reference.PATH_TILE = 1
concurrency.WORDS_OF_A_WARP = 10**9
for shared in (48 * 1024, 0):
    for options in {options}:
        device = SoftwareDevice(extra={flags})
        device.shared, device.short = shared, {short}
        rows, negative, hs = options.pop("rows", 20), options.get("negative", 5), options.pop("hs", 0)
        tokens, offsets, tags = tagged(sentences=14)
        matrices = [*fresh(rows, hs, negative), documents(rows)]
        kernels.agree(matrices, (tokens, offsets), settings(**options), tags=tags, device=device)
"""
WAYS = [{}, {"cbow": True}, {"negative": 40, "rows": 130}, {"hs": 1}, {"shared": False, "hs": 1, "window": 9}]


@needs_emulation
@pytest.mark.slow
@pytest.mark.skipif(sanitized.run_time("libasan.so") is None, reason="the C compiler has no sanitizers here")
@pytest.mark.parametrize("short", [0, 16])
def test_sanitizers_find_no_fault_but_a_planted_one(short, tmp_path):
    """The planted one: the workspace of a block lacks its last numbers."""
    flags = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
    script = SCRIPT.format(paths=paths_of(__file__), options=WAYS, flags=flags, short=short)
    reports = sanitized.fresh_folder(tmp_path / "reports")
    environment = sanitized.environment("address", reports)
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=900)
    found = "".join(path.read_text("utf-8", "replace") for path in reports.iterdir())
    if short:
        assert "heap-buffer-overflow" in found
    else:
        assert done.returncode == 0, done.stderr
        assert sanitized.findings(reports) == []
