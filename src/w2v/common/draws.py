"""Random bits by place, for arrays: the same as those of the kernels, which draw in compiled code."""

import numpy as np
from numpy.typing import NDArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def bits_at(key: int, places: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """64 random bits for each place: SplitMix64 (Steele, Lea & Flood 2014) after so many steps from `key`."""
    x = np.uint64(key) + places * GOLDEN
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits: NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return bits
