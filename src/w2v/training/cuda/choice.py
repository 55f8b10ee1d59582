"""Which engine trains: threads of this machine, or a GPU. Nothing of the latter is imported before it is asked for."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v.training import epoch, matrices
from w2v.training.settings import Settings

logger = logging.getLogger(__name__)

# With fewer words, device="auto" does not take a GPU: it would have no more warps at work than a CPU has a use for, and
# starting it takes longer than the training.
WORDS_THAT_PAY = 5_000_000


def check(settings: Settings) -> None:
    """Refuse a GPU that is asked for by name, before any work.

    Raises
    ------
    RuntimeError
        There is none; it says what was found, and what is missing.
    ValueError
        The model is not for a GPU.
    """
    if settings.device == "cuda":
        from w2v.training.cuda import layout

        if (missing := _missing()) is not None:
            raise RuntimeError(f"device='cuda' needs a GPU: {missing}; or use device='cpu'")
        layout.check_sizes(matrices.padded_size(settings.vector_size), settings.negative, settings.negative + 1)


def _missing() -> str | None:
    from w2v.training.cuda import driver

    return driver.missing()


def kernel_class(settings: Settings, counts: NDArray[np.int64]) -> Callable[..., epoch.Kernel]:
    """What makes the kernel of an epoch over words that occur so often."""
    check(settings)
    if settings.device == "cpu" or (settings.device == "auto" and not _pays(settings, int(counts.sum()))):
        return epoch.Kernel

    def made(*arrays: Any, **options: Any) -> epoch.Kernel:
        from w2v.training.cuda import driver, layout
        from w2v.training.cuda.kernel import Kernel

        if settings.device == "cuda":
            return Kernel(*arrays, counts=counts, **options)
        try:
            kernel = Kernel(*arrays, counts=counts, **options)
            kernel.check_memory()
        except (layout.TooLargeError, driver.DeviceError, MemoryError) as error:
            logger.info("device='auto' trains on the CPU: %s", error)
            return epoch.Kernel(*arrays, **options)
        return kernel

    return made


def _pays(settings: Settings, words: int) -> bool:
    if settings.deterministic or words < WORDS_THAT_PAY:
        return False
    if (missing := _missing()) is not None:
        logger.info("device='auto' trains on the CPU: %s", missing)
        return False
    return True
