import numpy as np
from numpy.typing import NDArray

def better_answers(
    similarities: NDArray[np.float32],
    questions: NDArray[np.int64],
    spelling: NDArray[np.int64],
    words: NDArray[np.int64],
    first: int,
    epsilon: float,
    best: NDArray[np.float32],
    answers: NDArray[np.int64],
    passed: NDArray[np.float32],
) -> None: ...
