"""What is asked of NVIDIA's driver, of which one of software notes the questions: what is missing, memory, programs."""

import gc
import re
import sys
import types

import numpy as np
import pytest

from w2v.training import matrices
from w2v.training.cuda import driver
from w2v.training.cuda.layout import Model, Variant

VARIANT = Variant(1, 6, Model.SKIP_GRAM)


class Code(int):
    name = "CUDA_ERROR_OF_THE_TEST"


class Driver:
    """Answers every call with success and a number, but for the `answers` it is given."""

    CUDA_VERSION = 13000
    CUresult = types.SimpleNamespace(CUDA_ERROR_OUT_OF_MEMORY=2, CUDA_ERROR_NOT_READY=600)

    def __init__(self, **answers):
        self.calls = []
        self.answers = {
            "cuDeviceGetCount": (Code(0), 1),
            "cuDriverGetVersion": (Code(0), 13020),
            "cuDeviceGetAttribute": (Code(0), 9),
            "cuDeviceGetName": (Code(0), b"A card\0\0"),
            "cuInit": (Code(0),),
            "cuMemHostRegister": (Code(0),),
            **answers,
        }

    def __getattr__(self, name):
        if name.startswith("CU"):
            return types.SimpleNamespace(
                **dict.fromkeys(
                    (
                        "CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR",
                        "CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR",
                        "CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT",
                        "CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN",
                        "CU_STREAM_NON_BLOCKING",
                    ),
                    1,
                )
            )

        def call(*given):
            self.calls.append((name, given))
            found = self.answers.get(name, (Code(0), len(self.calls)))
            return found(*given) if callable(found) else found

        return call

    def count(self, name):
        return sum(called == name for called, _ in self.calls)


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Puts a driver, and a compiler that makes three bytes, where the package of NVIDIA would be."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def install(**answers):
        found = Driver(**answers)
        compiler = Driver(
            nvrtcVersion=(Code(0), 13, 0),
            nvrtcCompileProgram=(Code(0),),
            nvrtcGetProgramLogSize=(Code(0), 1),
            nvrtcGetCUBINSize=(Code(0), 3),
        )
        bindings = types.ModuleType("cuda.bindings")
        bindings.driver, bindings.nvrtc = found, compiler
        monkeypatch.setitem(sys.modules, "cuda", types.ModuleType("cuda"))
        monkeypatch.setitem(sys.modules, "cuda.bindings", bindings)
        found.compiler = compiler
        return found

    return install


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({}, None),
        ({"cuInit": (Code(100),)}, "finds no GPU that can be used .*nvidia-smi"),
        ({"cuDeviceGetCount": (Code(0), 0)}, "CUDA_VISIBLE_DEVICES may hide it"),
        ({"cuDriverGetVersion": (Code(0), 12080)}, "knows CUDA 12, .* pip install 'cuda-bindings<13'"),
        ({"cuDeviceGetAttribute": (Code(0), 6)}, r"compute capability 6\.6; 7\.5 \(Turing\) and newer"),
    ],
    ids=["a card", "no card", "hidden", "old driver", "old card"],
)
def test_what_is_missing_is_said_with_a_way_out(installed, answers, words):
    installed(**answers)
    missing = driver.missing()
    if words is None:
        assert missing is None
    else:
        assert re.search(words, missing)


def test_a_full_device_and_a_failing_one_are_errors_of_their_own(installed):
    device = driver.Device() if installed(cuMemAlloc=(Code(2), 0)) else None
    with pytest.raises(MemoryError, match="no memory left"):
        device.claim(10)
    installed(cuStreamCreate=(Code(700), 0))
    with pytest.raises(driver.DeviceError, match=r"OF_THE_TEST \(700\)"):
        driver.Device()


def test_matrices_are_pinned_once_and_let_go_before_they_are_freed(installed):
    found = installed()
    device = driver.Device()
    assert device.name == "A card"
    matrix, small = matrices.new_matrix(20_000, 20), matrices.new_matrix(10, 20)
    for _ in range(3):
        device.pin(matrices.padded(matrix))
        device.pin(matrices.padded(small))
    address = matrix.__array_interface__["data"][0]
    assert [given for name, given in found.calls if name == "cuMemHostRegister"] == [(address, 20_000 * 32 * 4, 0)]
    assert not found.count("cuMemHostUnregister")
    del matrix
    gc.collect()
    assert [given for name, given in found.calls if name == "cuMemHostUnregister"] == [(address,)]


def test_a_system_that_pins_nothing_is_no_error(installed):
    found = installed(cuMemHostRegister=(Code(1),))
    driver.Device().pin(np.zeros(1 << 20))
    gc.collect()
    assert not found.count("cuMemHostUnregister")


def test_damaged_kernels_in_the_cache_are_compiled_anew(installed):
    codes = iter([200, 0])
    found = installed(cuModuleLoadData=lambda image: (Code(next(codes)), 5))
    device = driver.Device()
    assert set(device.program(VARIANT)) == set(driver.KERNELS)
    assert device.program(VARIANT) is device.program(VARIANT)
    assert found.compiler.count("nvrtcCompileProgram") == 2
    found.answers["cuModuleLoadData"] = (Code(0), 6)
    assert set(device.program(VARIANT._replace(infers=True))) == set(driver.KERNELS_THAT_INFER)
