"""Which engine trains: threads of this machine, or a GPU. Nothing of the latter is imported before it is asked for."""

import logging
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from w2v.training import epoch
from w2v.training.settings import Settings

logger = logging.getLogger(__name__)

# With fewer words, device="auto" does not take a GPU: it would have no more warps at work than a CPU has a use for, and
# starting it takes longer than the training.
WORDS_THAT_PAY = 5_000_000


def check(device: str) -> None:
    """RuntimeError if a GPU is asked for by name and there is none; it says what was found, and what is missing."""
    if device == "cuda" and (missing := _missing()) is not None:
        raise RuntimeError(f"device='cuda' needs a GPU: {missing}; or use device='cpu'")


def _missing() -> str | None:
    from w2v.training.cuda import driver

    return driver.missing()


def kernel_class(settings: Settings, counts: NDArray[np.int64]) -> Callable[..., epoch.Kernel]:
    """What makes the kernel of an epoch over words that occur so often."""
    check(settings.device)
    if settings.device == "cpu" or (settings.device == "auto" and not _pays(settings, int(counts.sum()))):
        return epoch.Kernel
    from w2v.training.cuda.kernel import Kernel

    return partial(Kernel, counts=counts)


def _pays(settings: Settings, words: int) -> bool:
    if settings.deterministic or words < WORDS_THAT_PAY:
        return False
    if (missing := _missing()) is not None:
        logger.info("device='auto' trains on the CPU: %s", missing)
        return False
    return True
