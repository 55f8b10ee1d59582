from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

def ngram_rows(
    words: Sequence[str],
    min_n: int,
    max_n: int,
    bucket: int,
    *,
    first_row: int,
    own: bool,
    without: Collection[str] = (),
) -> tuple[NDArray[np.int64], NDArray[np.int32]]: ...
def mean_rows(
    matrix: NDArray[Any], offsets: NDArray[np.int64], rows: NDArray[np.int32], means: NDArray[np.float32]
) -> None: ...
