"""Large arrays a block at a time: bytes, hash, a check that all values are finite, and what stands before them."""

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

BLOCK = 1 << 24  # bytes copied, hashed or checked at a time
ALIGN = 64  # data begins at a cache line, so that a mapped matrix does too


def sha256_of(vectors: NDArray[Any]) -> str:
    """Hash the values of a matrix, as little-endian float32 row by row, whatever its layout."""
    digest = hashlib.sha256()
    for block in row_blocks(vectors, "<f4"):
        digest.update(bytes_of(block))
    return digest.hexdigest()


def row_blocks(array: NDArray[Any], dtype: str | None = None) -> Iterator[NDArray[Any]]:
    """Copy an array as contiguous blocks of rows, so that no second copy of a large matrix is made.

    A block does not change while another thread changes the array.

    Parameters
    ----------
    array : ndarray
        Of at least one dimension, in any memory order.
    dtype : str, optional
        The blocks' type and byte order; by default the array's own.
    """
    for start in range(0, len(array), rows := rows_at_a_time(array)):
        yield np.array(array[start : start + rows], dtype, order="C")


def rows_at_a_time(array: NDArray[Any]) -> int:
    return max(1, BLOCK * len(array) // max(1, array.nbytes))


def check_finite(array: NDArray[Any], dtype: DTypeLike | None = None) -> int | None:
    """Find the first row that holds a NaN or an infinity, before or after the cast; None if all are finite."""
    for start in range(0, len(array), rows := rows_at_a_time(array)):
        with np.errstate(over="ignore"):
            finite = np.isfinite(array[start : start + rows].astype(dtype or array.dtype, copy=False))
        if not finite.all():
            return start + int(np.flatnonzero(~finite.reshape(len(finite), -1).all(axis=1))[0])
    return None


def bytes_of(block: NDArray[Any]) -> memoryview:
    return block.reshape(-1).view(np.uint8).data


def row_factors(name: str, factors: NDArray[Any], what: str, rows: int) -> NDArray[np.float32] | None:
    """A factor for each row, float32 [rows], of one or as many; None where all are 1."""
    factors = np.asarray(factors, np.float32)
    if factors.shape not in ((1,), (rows,)):
        raise ValueError(
            f"{name} has shape {factors.shape}; give one factor for all {what}s, or one for each of the {rows:,}"
        )
    if not np.isfinite(factors).all():
        raise ValueError(f"{name} holds a NaN or an infinity; 0 keeps a {what}'s vector, 1 trains it")
    if (factors == 1).all():
        return None
    return np.ascontiguousarray(np.broadcast_to(factors, rows))


def rows_in(name: str, tensors: Mapping[str, tuple[str, tuple[int, ...]]], otherwise: int) -> int:
    """How many rows a tensor has of which dtype and shape are said; `otherwise` if there is none of this name."""
    return (tensors[name][1] or (0,))[0] if name in tensors else otherwise


def attributes_in(tensors: Mapping[str, NDArray[Any]], prefix: str = "attr.") -> dict[str, NDArray[Any]]:
    """The attributes of words among the arrays of a file, by their own names."""
    return {name.removeprefix(prefix): values for name, values in tensors.items() if name.startswith(prefix)}


def attributes_out(attributes: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The attributes of words by their names in a file; ValueError if one is not of numbers."""
    found = {}
    for name, values in attributes.items():
        if values.dtype.kind not in "iuf":
            raise ValueError(f"attribute {name!r} holds {values.dtype}, not numbers; delete it from expandos first")
        found["vocab.counts" if name == "count" else f"attr.{name}"] = values
    return found


def safetensors_start(header: Mapping[str, Any]) -> bytes:
    """What a safetensors file begins with, aligned: the length of the header, and the header."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(8 + len(text)) % ALIGN)
    return struct.pack("<Q", len(text)) + text
