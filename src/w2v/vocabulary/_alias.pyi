import numpy as np
from numpy.typing import NDArray

def pair_up(quotas: NDArray[np.int64], table: NDArray[np.uint32]) -> None: ...
