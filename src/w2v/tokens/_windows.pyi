import numpy as np
from numpy.typing import NDArray

def count_contexts(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    place_of: NDArray[np.int32],
    window: int,
    counts: NDArray[np.int64],
    pairs: NDArray[np.int64],
) -> None: ...
def find_meetings(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    first: int,
    second: int,
    window: int,
    every: int,
    found: NDArray[np.int64],
) -> int: ...
