"""Tests in processes of their own: a hang, a crash, an exception and a thread left behind are failures of one test."""

import functools
import importlib
import os
import subprocess
import sys
import threading
from pathlib import Path


def alone(body=None, *, seconds=60, memory=None):
    """Run a test, whose only argument is an empty folder, in a child; with `memory`, in so many bytes of it."""
    if body is None:
        return functools.partial(alone, seconds=seconds, memory=memory)

    def test(tmp_path):
        folder = tmp_path / "empty"
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-W", "error", __file__, body.__module__, body.__name__, folder, str(memory or 0)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, filter(None, sys.path)))},
            timeout=seconds,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"exit code {done.returncode}\n{done.stderr[-3000:]}"

    test.__name__, test.__module__, test.__doc__, test.body = body.__name__, body.__module__, body.__doc__, body
    return test


def main(module, name, folder, memory):
    if int(memory) and "LD_PRELOAD" not in os.environ:  # sanitizers need all the address space there is
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    getattr(importlib.import_module(module), name).body(Path(folder))
    assert threading.active_count() == 1, threading.enumerate()


if __name__ == "__main__":
    main(*sys.argv[1:])
