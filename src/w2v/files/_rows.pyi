from typing import Any

import numpy as np
from numpy.typing import NDArray

ROW_CUT: int
ROW_ODD: int
ROW_NOT_FINITE: int

def parse_binary(
    text: Any, start: int, values: NDArray[np.uint32], spans: NDArray[np.int64]
) -> tuple[int, int, int]: ...
def parse_lines(text: Any, start: int, values: NDArray[Any], spans: NDArray[np.int64]) -> tuple[int, int, int]: ...
def number_words(text: Any, spans: NDArray[np.int64], first: int, index: dict[str, int]) -> list[int]: ...
