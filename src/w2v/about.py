"""What runs here: versions and the level of the kernel."""

import os
import platform
from typing import Any

import numpy as np

from w2v.training import _train
from w2v.training.schedule import SCHEME


def show_config() -> dict[str, Any]:
    """What runs here: versions, the kernel's instruction set, and the others this CPU could run.

    ``W2V_ISA`` in the environment forces one of `available`. All of them give the same bytes.
    """
    from w2v._version import __version__

    return {
        "version": __version__,
        "scheme": SCHEME,
        "isa": _train.ISA,
        "available": list(_train.AVAILABLE),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }
