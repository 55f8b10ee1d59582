"""How many warps may work at once, so that no row is overtaken by too many changes made from the same old state.

A window reads its rows, learns, and adds what has changed. Windows under way at the same time do not see each other's
changes, and all of these are added: if too many change the same row, it overshoots. How many are too many was not
measured. The numbers here are those of an experiment that went well, with 3,168 warps on natural text of 17 million
words: by the formula below, some 280 of them held the most frequent word at a time.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v.training.cuda import layout
from w2v.training.cuda.layout import Model
from w2v.training.cuda.task import Task

# Windows under way that change the same row, at most.
MOST_AT_ONCE = 280

# Words of an epoch for each warp: the fewer, the more is learnt from the same old state. There it was 5,240.
WORDS_OF_A_WARP = 4096

# Blocks of a processor: with fewer, nothing is there to do while all wait for memory, and a workspace in global memory,
# which lets more of them in, costs less.
LEAST_BLOCKS = 2


def kept_frequencies(counts: NDArray[np.int64], keep: NDArray[np.uint32] | None) -> NDArray[np.float64]:
    """The share of each word in what survives subsampling."""
    kept = counts * (1.0 if keep is None else (keep.astype(np.float64) + 1) / 2**32)
    return np.asarray(kept / max(kept.sum(), 1e-300))


def noise_frequencies(table: NDArray[np.uint32]) -> NDArray[np.float64]:
    """The share of each word in what is drawn from an alias table."""
    own = table[:, 0] / 2**32
    return np.asarray((own + np.bincount(table[:, 1], 1 - own, len(table))) / len(table))


def hottest_row(task: Task, frequencies: NDArray[np.float64]) -> float:
    """How likely a warp is to hold the row that most warps hold, at any moment.

    Parameters
    ----------
    frequencies : float64 [V], of centre words
    """
    window, tables = task.options["window"], task.tables
    if task.model == Model.SIDE_BY_SIDE:
        return 1.0  # the row of places beyond the sentence
    # Input rows that are held at once: skip-gram goes from pair to pair, CBOW has all of a window.
    held = (window + 1 if task.options["shrink"] else 2 * window) if task.options["cbow"] else 1
    inputs = frequencies * held
    if "subword_offsets" in tables:
        each = np.repeat(frequencies, np.diff(tables["subword_offsets"]))
        inputs = np.bincount(tables["subword_rows"], each) * held
    targets = np.zeros(1)
    if "noise" in tables:
        targets = frequencies + task.options["negative"] * noise_frequencies(tables["noise"])
    if task.tied:
        return min(1.0, float((inputs + targets).max()))
    return min(1.0, max(float(inputs.max(initial=0.0)), float(targets.max(initial=0.0))))


def most_warps(words: int, hottest: float) -> int:
    """How many warps may train a corpus of so many words, the hottest row of which is changed so often."""
    return max(1, min(words // WORDS_OF_A_WARP, int(MOST_AT_ONCE / max(hottest, 1e-12))))


def shares_of_nodes(
    frequencies: NDArray[np.float64], paths: NDArray[np.int64], points: NDArray[np.int32], n_nodes: int, warps: int
) -> NDArray[np.float32] | None:
    """How much of what they have learnt the nodes of hierarchical softmax take; None if all take all.

    Every window changes the root. A node that too many change at once takes such a part of each change that the sum is
    that of as many as may.
    """
    at_once = warps * np.bincount(points, np.repeat(frequencies, np.diff(paths)), n_nodes)
    if at_once.max(initial=0.0) <= MOST_AT_ONCE:
        return None
    return np.asarray(MOST_AT_ONCE / np.maximum(at_once, MOST_AT_ONCE), np.float32)


class Arrangement(NamedTuple):
    """How a kernel that trains is launched.

    Attributes
    ----------
    warps : int, at work at once
    blocks, threads : int, of a launch
    shared : int, bytes of shared memory of a block; 0 if the workspace is global memory
    """

    warps: int
    blocks: int
    threads: int
    shared: int


def arranged(device: Any, kernel: Any, workspace: int, most: int) -> Arrangement:
    """As many warps as the device holds at once, but no more than `most`, each with so many bytes of workspace."""
    each = layout.WARPS_OF_A_BLOCK
    shared = each * workspace if each * workspace <= device.shared else 0
    at_once = device.blocks_at_once(kernel, each * layout.WARP, shared)
    if shared and at_once < LEAST_BLOCKS * device.processors:
        shared, at_once = 0, device.blocks_at_once(kernel, each * layout.WARP, 0)
    warps = max(1, min(most, at_once * each))
    of_a_block = min(each, warps)
    blocks = warps // of_a_block
    return Arrangement(blocks * of_a_block, blocks, of_a_block * layout.WARP, of_a_block * workspace if shared else 0)
