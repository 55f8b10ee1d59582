"""How much memory is left, and is in use: work that cannot fit is refused before it begins, not killed half-way."""

import os
from contextlib import suppress

MEMINFO = "/proc/meminfo"
STATM = "/proc/self/statm"
# A container's limit, under version 2 and 1 of control groups; "max" or a huge number means no limit.
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def available() -> int | None:
    """Bytes that can be claimed without pushing out another program; None if the system does not tell."""
    left = []
    with suppress(OSError, ValueError, KeyError):
        with open(MEMINFO, encoding="ascii") as file:
            sizes = {name: size for name, _, size in (line.partition(":") for line in file)}
        left.append(1024 * sum(int(sizes[name].split()[0]) for name in ("MemAvailable", "SwapFree")))
    for path in LIMITS:
        with suppress(OSError, ValueError):
            with open(path, encoding="ascii") as file:
                limit = int(file.read())
            left.append(max(0, limit - own()))
    return min(left, default=None)


def own() -> int:
    """Bytes that this process has for itself: no pages of files, which the system can take back, and no shared ones.

    OSError if the system does not tell.
    """
    with open(STATM, encoding="ascii") as file:
        resident, others = map(int, file.read().split()[1:3])
    return (resident - others) * os.sysconf("SC_PAGESIZE")


def check(needed: int, purpose: str, way_out: str) -> None:
    """Raise MemoryError, with the numbers, if less than `needed` bytes are left."""
    left = available()
    if left is not None and needed > left:
        raise MemoryError(
            f"{purpose} need about {needed / 2**30:,.1f} GiB, and {left / 2**30:,.1f} GiB are available; {way_out}"
        )
