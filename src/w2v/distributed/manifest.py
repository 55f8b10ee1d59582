"""A corpus as blocks that can be read one by one: whole files, ranges of bytes, groups of rows; who has which."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from glob import glob
from itertools import pairwise
from typing import Any, NamedTuple

from w2v.distributed import sources
from w2v.files.reading import Pathlike, path_of

# A plain text is cut so that every worker has some blocks, of a size that is worth opening a file for.
BLOCKS_PER_WORKER = 4
LEAST_BLOCK, MOST_BLOCK = 1 << 12, 1 << 26


class Block(NamedTuple):
    """A part of the corpus that one worker owns.

    Attributes
    ----------
    path : str, of a file, or of one that fsspec opens (``s3://...``)
    begin, end : int
        Bytes of a plain text, from the first line that begins there; groups of rows of a table. ``end`` of -1 means the
        whole file.
    size : int, bytes, for sharing blocks out
    """

    path: str
    begin: int = 0
    end: int = -1
    size: int = 0

    def __str__(self) -> str:
        if self.end < 0:
            return self.path
        kind = "row groups" if sources.is_table(self.path) else "bytes"
        return f"{self.path}, {kind} {self.begin:,} to {self.end:,}"


def paths_of(corpus: Any) -> list[str]:
    """The files that a corpus names: a file, a folder, a pattern, an address, or a list of them.

    Raises
    ------
    FileNotFoundError, TypeError
        There is none, or it is no path.
    """
    if isinstance(corpus, str | bytes | os.PathLike):
        found = _expanded(os.fspath(path_of("corpus", corpus)))
    elif isinstance(corpus, Iterable):
        found = [path for one in corpus for path in _expanded(_checked_path(one))]
    else:
        raise TypeError(
            f"corpus={corpus!r:.60} is no path; give a file, a folder, a pattern such as 'text/*.gz', or a list"
        )
    if not found:
        raise FileNotFoundError(f"corpus={corpus!r:.200}: there is no such file")
    return found


def _checked_path(path: Any) -> str:
    if not isinstance(path, str | bytes | os.PathLike):
        raise TypeError(
            f"corpus has {path!r:.60}, which is no path; sentences are read by the workers, so write them to files"
        )
    return os.fspath(path_of("corpus", path))


def _expanded(path: str) -> list[str]:
    if sources.is_remote(path):
        return sources.remote_files(path)
    if os.path.isdir(path):
        return [entry.path for entry in sorted(os.scandir(path), key=lambda entry: entry.name) if entry.is_file()]
    if os.path.exists(path):
        return [os.path.abspath(path)]
    return [os.path.abspath(name) for name in sorted(glob(path))]


def blocks_of(paths: Sequence[Pathlike], workers: int) -> list[Block]:
    """Cut files into blocks, in order: plain texts by bytes, tables by groups of rows, compressed files not at all."""
    names = [os.fspath(path) for path in paths]
    sizes = [sources.size_of(name) for name in names]
    most = min(max(-(-sum(sizes) // (workers * BLOCKS_PER_WORKER)), LEAST_BLOCK), MOST_BLOCK)
    blocks = []
    for name, size in zip(names, sizes, strict=True):
        if sources.is_table(name):
            groups = sources.groups_in(name)
            blocks += [Block(name, group, group + 1, size // max(groups, 1)) for group in range(groups)]
        elif sources.is_compressed(name) or size <= most:
            blocks.append(Block(name, 0, -1, size))
        else:
            parts = -(-size // most)
            cuts = [size * part // parts for part in range(parts + 1)]
            blocks += [Block(name, begin, end, end - begin) for begin, end in pairwise(cuts)]
    return blocks


def dealt(blocks: Sequence[Block], workers: int) -> list[list[int]]:
    """The blocks of each worker: one after the other, each to the worker with the fewest bytes so far.

    Blocks of one size go to the workers in turn. The numbers of a worker rise.
    """
    loads = [0] * workers
    owned: list[list[int]] = [[] for _ in range(workers)]
    for number, block in enumerate(blocks):
        rank = loads.index(min(loads))
        owned[rank].append(number)
        loads[rank] += max(block.size, 1)
    return owned


def digest_of(blocks: Sequence[Block]) -> str:
    """SHA-256 of a manifest, by the names of files without their folders, so that a corpus may move."""
    facts = [(os.path.basename(block.path), block.begin, block.end, block.size) for block in blocks]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
