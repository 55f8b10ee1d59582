"""How much memory is in use: what a process has for itself, not what files or others give it."""

import mmap
import sys

import numpy as np
import pytest

from w2v.common import memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")

SIZE = 64 << 20


def test_own_memory_grows_by_what_is_written_and_shrinks_again():
    before = memory.own()
    array = np.ones(SIZE, np.uint8)
    assert memory.own() - before == pytest.approx(SIZE, rel=0.1)
    del array
    assert memory.own() - before < SIZE / 10


def test_pages_of_a_file_are_not_one_s_own(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(SIZE))
    before = memory.own()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert np.frombuffer(mapped[: 1 << 20], np.uint8).sum() == 0
        assert sum(mapped[place] for place in range(0, SIZE, mmap.PAGESIZE)) == 0
        assert memory.own() - before < SIZE / 10
