from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from w2v.training.schedule import Schedule

AVAILABLE: Sequence[str]
ISA: str
MOST_ROUND: tuple[int, int]

def fill_rows(rows: NDArray[np.float32], vector_size: int, key: int, first_row: int = 0) -> None: ...

class Kernel:
    negative: int
    noise: NDArray[np.uint32] | None
    def __init__(
        self,
        inputs: NDArray[np.float32],
        outputs: NDArray[np.float32] | None,
        nodes: NDArray[np.float32] | None,
        keep: NDArray[np.uint32] | None,
        noise: NDArray[np.uint32] | None,
        paths: NDArray[np.int64] | None,
        points: NDArray[np.int32] | None,
        labels: NDArray[np.int8] | None,
        *,
        locks: NDArray[np.float32] | None = None,
        subwords: tuple[NDArray[np.int64], NDArray[np.int32]] | None = None,
        documents: NDArray[np.float32] | None = None,
        document_locks: NDArray[np.float32] | None = None,
        learn_words: bool = True,
        learn_outputs: bool = True,
        words: bool = True,
        window: int,
        negative: int,
        shrink: bool,
        shared: bool,
        cbow: bool,
        mean_forward: bool,
        mean_backward: bool,
        with_loss: bool,
    ) -> None: ...
    def check_tokens(self, tokens: NDArray[np.int32]) -> None: ...
    def longest_sentence(self, offsets: NDArray[np.int64], n_tokens: int) -> int: ...
    def most_tags(self, tags: NDArray[np.int32], tag_offsets: NDArray[np.int64], n_sentences: int) -> int: ...
    def train(self, part: Part, epoch: Epoch, worker: Racer | Member) -> None: ...

class Part:
    def __init__(
        self,
        tokens: NDArray[np.int32],
        offsets: NDArray[np.int64],
        longest: int,
        origin: int = 0,
        tags: NDArray[np.int32] | None = None,
        tag_offsets: NDArray[np.int64] | None = None,
        most_tags: int = 0,
    ) -> None: ...

class Epoch:
    def __init__(self, key: int, schedule: Schedule, stop: NDArray[np.int32]) -> None: ...

class Racer:
    def __init__(
        self,
        cursor: NDArray[np.int64],
        workers: int,
        n_hot: int,
        counts: NDArray[np.int64],
        loss: NDArray[np.float64],
    ) -> None: ...

class Member:
    def __init__(
        self, segments: Segments, number: int, workers: int, counts: NDArray[np.int64], loss: NDArray[np.float64]
    ) -> None: ...

class Segments:
    losses: list[float]
    begin: int
    def __init__(
        self,
        kernel: Kernel,
        longest: int,
        segments: int,
        segment_words: int,
        noise: NDArray[np.uint32],
        parts: NDArray[np.int64],
        begin: int = 0,
        most_tags: int = 0,
    ) -> None: ...
    def _for_tests(self, jitter: int = 0, copies_before: int = 1) -> None: ...
