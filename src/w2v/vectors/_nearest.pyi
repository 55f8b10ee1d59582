from typing import Any

import numpy as np
from numpy.typing import NDArray

def better_neighbors(
    products: NDArray[Any], lengths: NDArray[Any], first: int, best: NDArray[Any], rows: NDArray[np.int64]
) -> None: ...
