"""How many threads there are to be."""

import os

# Most threads to tokenize text: merging what they found is one thread's work, and each has its own table of all words
# it met.
READERS = 8


def core_count() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_count(workers: int) -> int:
    """How many threads text is read by: `workers`, but no more than there are cores, nor than can be kept busy."""
    return min(READERS, core_count(), core_count() if workers == -1 else workers)
