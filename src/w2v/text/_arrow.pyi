from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

class Type:
    kind: str
    indexed: bool

class Chunk:
    type: Type
    def __len__(self) -> int: ...
    def cut(self, begin: int, size: int) -> int: ...
    def text(self, begin: int, end: int) -> NDArray[np.uint8]: ...
    def words(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]: ...
    def values(
        self, begin: int, end: int
    ) -> tuple[NDArray[Any] | None, NDArray[np.int64] | None, NDArray[np.int64], int]: ...

def chunks_of(column: Any) -> Iterator[Chunk]: ...
