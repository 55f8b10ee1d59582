from typing import Any

import numpy as np
from numpy.typing import NDArray

Cleaned = tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], int, int, NDArray[np.int64], int, int]

def clean(text: Any, classes: NDArray[np.uint8], fastq: bool, at_line_start: bool) -> Cleaned: ...
def whole_fastq(text: Any) -> int: ...

class KmerTable:
    def __init__(
        self,
        *,
        k: int,
        k_max: int,
        longest: int,
        shifted: bool,
        strand: int,
        key: int,
        size: int,
        complement: NDArray[np.uint8],
        counted: bool = True,
    ) -> None: ...
    @property
    def piece(self) -> int: ...
    def tokenize(
        self, digits: NDArray[np.uint8], starts: NDArray[np.int64], end: int, first: int, begun: bool = False
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], int]: ...
    def counts(self) -> NDArray[np.int64]: ...
