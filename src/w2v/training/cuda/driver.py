"""The GPU: memory, copies, compiled kernels and their launches, by NVIDIA's cuda-bindings.

These are NVIDIA's own bindings of the driver and of NVRTC, the compiler for run time, function by function. Of what
could be had instead, CuPy is a library of arrays of which two classes would be used, for 70 to 140 MB and a compiler
besides; and cuda-core is a layer above these same bindings, that spares some of the lines below and adds another
package to keep up with. Nothing of this is imported before a model asks for a GPU.
"""

import hashlib
import logging
import os
import weakref
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.files.writing import atomic_write
from w2v.training.cuda.layout import Variant

logger = logging.getLogger(__name__)

KERNELS = ("count_survivors", "sum_tiles", "gather_survivors", "find_sentences", "train", "look_for_nan")
KERNELS_THAT_INFER = ("infer",)

# Before Turing (2018) lanes of a warp go in step by other rules, and compilers of today leave those cards out.
LEAST_CAPABILITY = (7, 5)

# Arrays of fewer bytes are copied as they are: to pin one takes longer.
LEAST_PINNED = 1 << 20

EXTRA = "pip install 'w2v[cuda]'"


class DeviceError(RuntimeError):
    """The device has failed. What was computed on it since the last copy is lost."""


def source() -> str:
    """The source of the kernels."""
    return resources.files(__package__).joinpath("kernels.cu").read_text(encoding="utf-8")


def compile_options(architecture: str, variant: Variant) -> list[str]:
    """What a compiler is told, NVRTC as well as nvcc."""
    chunks, targets, model, infers = variant
    options = [f"--gpu-architecture={architecture}", "--std=c++17", f"-DCHUNKS={chunks}", f"-DTARGETS={targets}"]
    return [*options, f"-DMODEL={model:d}", *["-DINFER"] * infers]


def compiled(nvrtc: Any, options: Sequence[str], anew: bool = False) -> bytes:
    """The kernels as machine code, from the user's cache if they were compiled before, unless they are wanted anew."""
    text = source()
    _, *version = nvrtc.nvrtcVersion()
    key = hashlib.sha256("\0".join([text, *options, *map(str, version)]).encode()).hexdigest()
    path = _cache_folder() / f"{key}.cubin"
    if not anew:
        with suppress(OSError):
            kept: bytes = path.read_bytes()
            return kept
    logger.info("compiling the kernels for this GPU, which is done once (%s)", " ".join(options))
    code, program = nvrtc.nvrtcCreateProgram(text.encode(), b"kernels.cu", 0, [], [])
    _check_compiler(nvrtc, code, "no program")
    given = [option.encode() for option in options]
    (code,) = nvrtc.nvrtcCompileProgram(program, len(given), given)
    _, size = nvrtc.nvrtcGetProgramLogSize(program)
    log = b" " * size
    nvrtc.nvrtcGetProgramLog(program, log)
    _check_compiler(nvrtc, code, log.decode("utf-8", "replace").strip("\0 \n"))
    code, size = nvrtc.nvrtcGetCUBINSize(program)
    _check_compiler(nvrtc, code, "no code")
    cubin: bytes = b" " * size
    nvrtc.nvrtcGetCUBIN(program, cubin)
    nvrtc.nvrtcDestroyProgram(program)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with atomic_write(path) as file:
            file.write(cubin)
    except OSError as error:
        logger.info("the compiled kernels are not kept: %s", error)
    return cubin


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "w2v"


def _check_compiler(nvrtc: Any, code: Any, log: str) -> None:
    if int(code):
        raise DeviceError(f"NVRTC cannot compile the kernels ({code.name}): {log}")


def capability_of(driver: Any, device: Any) -> tuple[int, int]:
    attributes = driver.CUdevice_attribute
    return (
        _done(driver, driver.cuDeviceGetAttribute(attributes.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device)),
        _done(driver, driver.cuDeviceGetAttribute(attributes.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device)),
    )


def _done(driver: Any, answer: Sequence[Any]) -> Any:
    """The value of an answer (code, value, ...); MemoryError or DeviceError if the code says so."""
    code, *values = answer
    if int(code):
        if code == driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY:
            raise MemoryError("the GPU has no memory left")
        raise DeviceError(f"{code.name} ({int(code)})")
    return values[0] if len(values) == 1 else values


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def missing() -> str | None:
    """Why there is no GPU to train on, or None if there is one."""
    try:
        from cuda.bindings import driver, nvrtc
    except ImportError as error:
        return f"the package cuda-bindings cannot be imported ({error}); {EXTRA} brings it"
    try:
        nvrtc.nvrtcVersion()
    except Exception as error:  # of the loader, which has classes of its own
        return f"NVRTC, NVIDIA's compiler for run time, was not found ({_line(error)}); {EXTRA} brings it"
    try:
        (code,) = driver.cuInit(0)
    except Exception as error:
        return f"cuda-bindings is there, but NVIDIA's driver was not found ({_line(error)}); install the GPU's driver"
    if int(code):
        return f"the driver finds no GPU that can be used ({code.name}); nvidia-smi shows what it finds"
    _, count = driver.cuDeviceGetCount()
    if not count:
        return "the driver finds no GPU; CUDA_VISIBLE_DEVICES may hide it"
    device = _done(driver, driver.cuDeviceGet(0))
    _, version = driver.cuDriverGetVersion()
    if version // 1000 < driver.CUDA_VERSION // 1000:
        return (
            f"the driver knows CUDA {version // 1000}, and cuda-bindings is for CUDA {driver.CUDA_VERSION // 1000}; "
            f"install a newer driver, or pip install 'cuda-bindings<{version // 1000 + 1}' "
            f"nvidia-cuda-nvrtc-cu{version // 1000}"
        )
    capability = capability_of(driver, device)
    if capability < LEAST_CAPABILITY:
        wanted, found = (".".join(map(str, c)) for c in (LEAST_CAPABILITY, capability))
        return f"the GPU has compute capability {found}; {wanted} (Turing) and newer can be used"
    return None


@cache
def first_device() -> "Device":
    """The first GPU that the process sees; CUDA_VISIBLE_DEVICES chooses another."""
    try:
        return Device()
    except DeviceError as error:
        raise DeviceError(
            f"the GPU cannot be used: {error}; nvidia-smi shows who has it, device='cpu' trains without"
        ) from error


class Device:
    """One GPU, and two queues of work on it: of kernels, and of copies.

    Attributes
    ----------
    name : str
    processors : int, streaming multiprocessors
    shared : int, bytes of shared memory that a block can have
    corpora : dict, where encoded corpora are that stay on the device, by the identity of their tokens
    """

    def __init__(self) -> None:
        from cuda.bindings import driver, nvrtc

        self._driver, self._nvrtc = driver, nvrtc
        call, attribute = self._call, driver.CUdevice_attribute
        call(driver.cuInit(0))
        device = call(driver.cuDeviceGet(0))
        self.name = call(driver.cuDeviceGetName(256, device)).split(b"\0")[0].decode()
        self.processors = int(
            call(driver.cuDeviceGetAttribute(attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device))
        )
        self.shared = int(
            call(driver.cuDeviceGetAttribute(attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, device))
        )
        self._architecture = "sm_{}{}".format(*capability_of(driver, device))
        self._context = call(driver.cuDevicePrimaryCtxRetain(device))
        self.enter()
        apart = driver.CUstream_flags.CU_STREAM_NON_BLOCKING
        self._work, self._copies = call(driver.cuStreamCreate(apart)), call(driver.cuStreamCreate(apart))
        self._programs: dict[Variant, dict[str, Any]] = {}
        self.corpora: dict[int, dict[str, int]] = {}
        self._pinned: set[int] = set()

    def _call(self, answer: Sequence[Any]) -> Any:
        return _done(self._driver, answer)

    @cached_property
    def _untimed(self) -> int:
        return int(self._driver.CUevent_flags.CU_EVENT_DISABLE_TIMING)

    def enter(self) -> None:
        """Make this the device of the calling thread."""
        self._call(self._driver.cuCtxSetCurrent(self._context))

    def free(self) -> int:
        """Bytes of memory that can be claimed."""
        return int(self._call(self._driver.cuMemGetInfo())[0])

    def program(self, variant: Variant) -> dict[str, Any]:
        """The kernels, compiled for a variant."""
        if variant not in self._programs:
            options = compile_options(self._architecture, variant)
            try:
                module = self._call(self._driver.cuModuleLoadData(compiled(self._nvrtc, options)))
            except DeviceError:  # what was kept is damaged
                module = self._call(self._driver.cuModuleLoadData(compiled(self._nvrtc, options, anew=True)))
            find, names = self._driver.cuModuleGetFunction, KERNELS_THAT_INFER if variant.infers else KERNELS
            self._programs[variant] = {name: self._call(find(module, name.encode())) for name in names}
        return self._programs[variant]

    def blocks_at_once(self, kernel: Any, threads: int, shared: int) -> int:
        """How many blocks of a kernel all processors together can hold."""
        driver = self._driver
        most = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
        self._call(driver.cuFuncSetAttribute(kernel, most, shared))
        each = self._call(driver.cuOccupancyMaxActiveBlocksPerMultiprocessor(kernel, threads, shared))
        return int(each) * self.processors

    def claim(self, size: int) -> int:
        """The address of new memory; MemoryError if there is none."""
        return int(self._call(self._driver.cuMemAlloc(max(1, size))))

    def release(self, address: int) -> None:
        """Give memory back, also from a thread that has not entered: the garbage collector's may be any."""
        self._driver.cuCtxSetCurrent(self._context)
        self._driver.cuMemFree(address)

    def pin(self, array: NDArray[Any]) -> None:
        """Let copies of an array take the full speed of the bus as long as it lives, unless the system refuses."""
        owner = array.base if isinstance(array.base, np.ndarray) else array
        if owner.nbytes < LEAST_PINNED or id(owner) in self._pinned:
            return
        address = owner.__array_interface__["data"][0]
        (code,) = self._driver.cuMemHostRegister(address, owner.nbytes, 0)
        if not int(code):
            self._pinned.add(id(owner))
            weakref.finalize(owner, self._unpin, id(owner), address).atexit = False

    def _unpin(self, owner: int, address: int) -> None:
        self._pinned.discard(owner)
        self._driver.cuCtxSetCurrent(self._context)
        self._driver.cuMemHostUnregister(address)

    def upload(self, address: int, array: NDArray[Any]) -> None:
        """Begin to copy a contiguous array to the device, beside the kernels at work; see `join`."""
        if array.nbytes:
            copy = self._driver.cuMemcpyHtoDAsync
            self._call(copy(address, array.__array_interface__["data"][0], array.nbytes, self._copies))

    def join(self) -> None:
        """Let kernels launched from now on wait for the copies begun so far."""
        mark = self._mark(self._copies)
        self._call(self._driver.cuStreamWaitEvent(self._work, mark, 0))
        self._driver.cuEventDestroy(mark)

    def download(self, array: NDArray[Any], address: int) -> None:
        """Copy from the device into a contiguous array. Kernels that write there must have ended."""
        if array.nbytes:
            copy, where = self._driver.cuMemcpyDtoHAsync, array.__array_interface__["data"][0]
            self._call(copy(where, address, array.nbytes, self._copies))
            self._call(self._driver.cuStreamSynchronize(self._copies))

    def launch(self, kernel: Any, blocks: int, threads: int, shared: int, *given: NDArray[Any]) -> None:
        """Queue a kernel; `given` are its parameters, each an array of one structure."""
        addresses = np.array([structure.__array_interface__["data"][0] for structure in given], np.uint64)
        where = int(addresses.__array_interface__["data"][0])
        self._call(self._driver.cuLaunchKernel(kernel, blocks, 1, 1, threads, 1, 1, shared, self._work, where, 0))

    def mark(self) -> Any:
        """A mark behind the kernels queued so far."""
        return self._mark(self._work)

    def _mark(self, queue: Any) -> Any:
        mark = self._call(self._driver.cuEventCreate(self._untimed))
        self._call(self._driver.cuEventRecord(mark, queue))
        return mark

    def reached(self, mark: Any) -> bool:
        """Whether all before a mark has ended; it can be asked for once more only if not."""
        (code,) = self._driver.cuEventQuery(mark)
        if code == self._driver.CUresult.CUDA_ERROR_NOT_READY:
            return False
        self._driver.cuEventDestroy(mark)
        self._call((code,))
        return True
