"""No memory is a MemoryError: every allocation of the compiled code fails in turn, and nothing else is lost."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CC = os.environ.get("CC", "cc")
HERE = Path(__file__).parent


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
@pytest.mark.skipif(shutil.which(CC) is None, reason=f"{CC} is not installed")
@pytest.mark.skipif("san.so" in os.environ.get("LD_PRELOAD", ""), reason="sanitizers allocate by themselves")
def test_failing_allocations_raise_memory_error_and_lose_nothing(tmp_path):
    shim = tmp_path / "malloc.so"
    subprocess.run([CC, "-shared", "-fPIC", "-O1", "-pthread", "-o", shim, HERE / "malloc.c"], check=True)
    environment = os.environ | {"LD_PRELOAD": str(shim)}
    command = [sys.executable, HERE / "without_memory.py"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        found = json.loads(line)
        assert found["wrong"] == [], found["case"]
        assert found["failed"] == found["allocations"] > 20, found
    assert len(done.stdout.splitlines()) == 9
