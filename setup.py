"""The compiled extensions and their flags; everything static is in pyproject.toml."""

import os
import sys

from setuptools import Extension, setup

# Which sanitizers to build with ("address,undefined"), for the test-suite only.
SANITIZE = os.environ.get("W2V_SANITIZE", "")
# One wheel for CPython 3.11 and everything after it.
ABI3 = bool(os.environ.get("W2V_ABI3"))

compile_args = [
    "-O3",
    # Symbols make a module ten times as large; CFLAGS=-g keeps them for a profile (benchmarks/stages.py).
    *([] if "-g" in os.environ.get("CFLAGS", "").split() else ["-g0"]),
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

# The compiled modules and the headers beside them.
HEADERS = {
    "training._train": ["_lanes.h", "_rounds.h", "_atomics.h", "_simd.h", "_simd_body.h"],
    "text._text": ["_text.h"],
    "text._kmers": ["_kmers.h"],
    "text._raw": ["_raw.h", "_text.h"],
    "text._arrow": ["_arrow.h", "_text.h"],
    "files._rows": [],
    "terms._pairs": ["_pairs.h", "_edges.h", "../text/_text.h"],
    "terms._terms": ["_terms.h", "_edges.h", "_strings.h", "../text/_text.h"],
    "terms._word2phrase": ["_word2phrase.h", "../text/_text.h"],
    "vocabulary._alias": [],
    "vocabulary._ngrams": [],
    "vectors._analogies": [],
    "vectors._nearest": [],
    "tokens._windows": [],
    "counts._meetings": [],
}

extensions = [
    Extension(
        f"w2v.{name}",
        [f"src/w2v/{name.replace('.', '/')}.pyx"],
        depends=[f"src/w2v/{name.rpartition('.')[0]}/{header}" for header in headers],
        extra_compile_args=compile_args,
        extra_link_args=link_args,
        define_macros=[("Py_LIMITED_API", "0x030B0000")] if ABI3 else [],
        py_limited_api=ABI3,
    )
    for name, headers in HEADERS.items()
]

# The kernel, which is first, takes as long as all others together.
options = {"build_ext": {"parallel": os.cpu_count()}}
if ABI3:
    options["bdist_wheel"] = {"py_limited_api": "cp311"}

setup(ext_modules=extensions, options=options)
