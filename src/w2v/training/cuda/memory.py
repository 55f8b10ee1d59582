"""Memory of the device during one epoch, and copies to it, block by block."""

import weakref
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Bytes copied between two looks at whether a stop is wanted.
BLOCK_COPIED = 1 << 25

# Of free memory, what is left to others: the driver takes some for its own use.
SPARE = 0.05

Address = int
Arrays = Mapping[str, NDArray[Any]]


class Memory:
    """What an epoch has claimed; all of it is given back when `claimed` is closed."""

    def __init__(self, device: Any, claimed: ExitStack) -> None:
        self._device, self._claimed = device, claimed
        self._rooms: dict[str, tuple[Address, int]] = {}
        claimed.callback(self._release_rooms)

    def claim(self, size: int) -> Address:
        """New memory; MemoryError if there is none."""
        address: Address = self._device.claim(size)
        self._claimed.callback(self._device.release, address)
        return address

    def room(self, name: str, size: int) -> Address:
        """Memory of at least this size: what had the name before, if it is large enough, or else new memory."""
        address, there = self._rooms.get(name, (0, -1))
        if size > there:
            if address:
                del self._rooms[name]
                self._device.release(address)
            address = self._device.claim(size)
            self._rooms[name] = address, size
        return address

    def _release_rooms(self) -> None:
        for address, _ in self._rooms.values():
            self._device.release(address)
        self._rooms.clear()

    def left_beside(self, matrices: Arrays, arrays: Arrays, workspace: int) -> int:
        """Bytes left beside matrices, tables and workspace; MemoryError, with the sizes, if these do not fit.

        Parameters
        ----------
        matrices, arrays : dict of arrays, the matrices, and all
        workspace : int, bytes
        """
        device, of_matrices = self._device, sum(array.nbytes for array in matrices.values())
        tables = sum(array.nbytes for array in arrays.values()) - of_matrices
        free: int = device.free()
        left = int(free * (1 - SPARE)) - of_matrices - tables - workspace
        if left < 0:
            sizes = {"free": free, "matrices": of_matrices, "tables": tables, "workspace": workspace}
            shown = {name: f"{size / 2**30:,.2f} GiB" for name, size in sizes.items()}
            raise MemoryError(
                f"{device.name} has {shown['free']} free, and this model needs {shown['matrices']} for matrices, "
                f"{shown['tables']} for tables and {shown['workspace']} for workspace; lower vector_size, raise "
                "min_count or set max_final_vocab, or use device='cpu'"
            )
        return left

    def copying(self, array: NDArray[Any], address: Address) -> Iterator[None]:
        """Copy an array to the device, a block at a step."""
        flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        for start in range(0, len(flat), BLOCK_COPIED):
            self._device.upload(address + start, flat[start : start + BLOCK_COPIED])
            yield

    def holding(self, tokens: NDArray[Any], offsets: NDArray[Any]) -> tuple[dict[str, Address], Iterator[None]]:
        """Where a corpus is that stays on the device as long as its tokens are in memory, and how it gets there."""
        held = self._device.corpora.get(id(tokens))
        if held is not None:
            return held, iter(())
        addresses: dict[str, Address] = {}
        weakref.finalize(tokens, _forget, self._device, id(tokens), addresses)
        for name, array in (("tokens", tokens), ("offsets", offsets)):
            addresses[name] = self._device.claim(array.nbytes)

        def copying() -> Iterator[None]:
            yield from self.copying(tokens, addresses["tokens"])
            yield from self.copying(offsets, addresses["offsets"])
            self._device.corpora[id(tokens)] = addresses  # not before all of it is there

        return addresses, copying()

    def holds(self, tokens: NDArray[Any]) -> bool:
        return id(tokens) in self._device.corpora


def _forget(device: Any, key: int, addresses: dict[str, Address]) -> None:
    device.corpora.pop(key, None)
    for address in addresses.values():
        device.release(address)
