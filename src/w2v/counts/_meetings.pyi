import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

def fence(tokens: Ints, ends: Longs, fenced: Ints) -> None: ...
def post(fenced: Ints, first: int, stop: int, begins: Longs, places: NDArray[np.uint32]) -> None: ...
def count_rows(
    fenced: Ints,
    begins: Longs,
    places: NDArray[np.uint32],
    first: int,
    stop: int,
    window: int,
    shrink: bool,
    ends: Longs,
    words: Ints,
    sums: Longs,
) -> None: ...
def add_rows(
    run_begins: list[Longs],
    run_words: list[Ints],
    run_sums: list[Longs],
    n_words: int,
    first: int,
    stop: int,
    ends: Longs,
    words: Ints,
    sums: Longs,
) -> None: ...
def count_sentences(
    tokens: Ints, offsets: Longs, n_words: int, first: int, stop: int, ends: Longs, words: Ints, sums: Longs
) -> None: ...
