"""The one compiled extension and its flags; everything static is in pyproject.toml."""

import os
import sys

from setuptools import Extension, setup

# Which sanitizers to build with ("address,undefined"), for the test-suite only.
SANITIZE = os.environ.get("W2V_SANITIZE", "")
# One wheel for CPython 3.11 and everything after it.
ABI3 = bool(os.environ.get("W2V_ABI3"))

compile_args = [
    "-O3",
    "-g0",
    # Fused operations are written out, never left to the compiler: each level would fuse elsewhere.
    "-ffp-contract=off",
    # Lets sqrt be one instruction; results do not depend on it.
    "-fno-math-errno",
]
link_args = []
if SANITIZE:
    compile_args += ["-O1", "-g", "-fno-omit-frame-pointer", f"-fsanitize={SANITIZE}"]
    link_args += [f"-fsanitize={SANITIZE}"]
if ABI3 and "free-threading" in sys.version:
    raise SystemExit("W2V_ABI3: a free-threaded Python has no stable ABI; unset it for this build")

train = Extension(
    "w2v._train",
    ["src/w2v/_train.pyx"],
    depends=["src/w2v/_lanes.h", "src/w2v/_shared.h", "src/w2v/_simd.h", "src/w2v/_simd_body.h"],
    extra_compile_args=compile_args,
    extra_link_args=link_args,
    define_macros=[("Py_LIMITED_API", "0x030B0000")] if ABI3 else [],
    py_limited_api=ABI3,
)

setup(
    ext_modules=[train],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if ABI3 else {},
)
