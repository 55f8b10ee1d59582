"""How much memory is left, so that what cannot fit is refused before it is begun, and not killed half-way."""

import os
from contextlib import suppress

MEMINFO = "/proc/meminfo"
STATM = "/proc/self/statm"
# What a container may use, under version 2 and 1 of control groups; "max" or a huge number where there is no limit.
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def available() -> int | None:
    """Bytes that can still be claimed without another program being pushed out; None where no one can tell."""
    left = []
    with suppress(OSError, ValueError, KeyError):
        with open(MEMINFO, encoding="ascii") as file:
            sizes = {name: size for name, _, size in (line.partition(":") for line in file)}
        left.append(1024 * sum(int(sizes[name].split()[0]) for name in ("MemAvailable", "SwapFree")))
    for path in LIMITS:
        with suppress(OSError, ValueError):
            with open(path, encoding="ascii") as file:
                limit = int(file.read())
            with open(STATM, encoding="ascii") as file:
                resident, of_files = map(int, file.read().split()[1:3])  # which the system can take back
                left.append(max(0, limit - (resident - of_files) * os.sysconf("SC_PAGESIZE")))
    return min(left, default=None)


def check(needed: int, purpose: str, way_out: str) -> None:
    """MemoryError, with the numbers, if less than `needed` bytes are left."""
    left = available()
    if left is not None and needed > left:
        raise MemoryError(
            f"{purpose} need about {needed / 2**30:,.1f} GiB, and {left / 2**30:,.1f} GiB are available; {way_out}"
        )
