"""w2v's own format: one safetensors file per model or set of vectors.

A native file holds data only (nothing in it is ever executed), can be mapped into memory and is readable by
every safetensors library. `word2vec_format` reads and writes the files of other tools.

The container is written and parsed here, without the safetensors package (the tests read our files with it). Its
writer takes raw pointers, so that strided matrices come out scrambled or need a whole second copy, replaces
symlinks, and does not sync; here rows are streamed, synced, and renamed into place. Its reader accepts faults that
must be refused before memory is allocated: a repeated name, unaligned or misshapen tensors, a NaN.
"""

import errno
import hashlib
import io
import json
import math
import mmap
import os
import re
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from w2v._version import __version__
from w2v.files import arrays, documents
from w2v.files.arrays import bytes_of, check_finite, row_blocks, safetensors_start
from w2v.files.errors import FormatError, TruncatedError
from w2v.files.reading import Pathlike, open_regular
from w2v.files.writing import atomic_write

FORMAT_VERSION = 1
# What a header may be. A record of an epoch or of a call of `train` takes some 200 bytes and 8 values, so that this is
# room for twice the KEPT_RECORDS of each; at most 300 bytes of memory go for a value, whatever a hostile one holds.
_MAX_HEADER = 1 << 23
_MAX_VALUES = 1 << 18
KEPT_RECORDS = 10_000  # newest records kept of a list that grows with the training
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1",
}  # fmt: skip
_NAME_OF = {np.dtype(code): name for name, code in _DTYPES.items()}


# The native format: 8 bytes of header length, a JSON header, the tensors without gaps.
#
#   vectors              F32 [V, D]   input rows, unpadded
#   vectors.locks        F32 [V]      whole models: factors of the rows' gradients, if not all 1
#   outputs.negative     F32 [V, D]   whole models: output rows of negative sampling; of documents [V, any]
#   outputs.hierarchical F32 [V-1, D] whole models: inner nodes of the Huffman tree
#   documents            F32 [T, D]   whole models of documents: a row for each tag; more in `w2v.files.documents`
#   rows                 F32 [R, D]   with subwords: own rows of words, then of n-grams; "vectors" are their means
#   vocab.bytes          U8  [B]      all words, UTF-8, one after the other in row order
#   vocab.offsets        I64 [V+1]    where each word begins; the last is B
#   vocab.counts         I64 [V]      optional in a file of kind "vectors"
#   terms, oov           U8  [B]      optional: `w2v.terms.term_file`; policies for unknown words. attr.<name> [V]
#   __metadata__["w2v"]  one string of canonical JSON; one key only, since safetensors writers do not keep
#                        the order of several, and equal models are to give equal bytes


class _Tensor(NamedTuple):
    dtype: str
    shape: tuple[int, ...]
    begin: int  # in the file
    end: int


def write_native(
    path: Pathlike | BinaryIO,
    kind: str,
    words: Sequence[str],
    arrays: Mapping[str, NDArray[Any]],
    meta: Mapping[str, Any],
    folder: int | None = None,
) -> str:
    """Write one native file, atomically.

    Equal contents give equal bytes: no time, host or path is stored. What is written is a whole: each block of an
    array is copied once, and this copy is checked, hashed and written, so that the file can be loaded also if another
    thread trains the arrays meanwhile.

    Parameters
    ----------
    path : path-like, or a binary file open for writing
        The target; by custom ``*.safetensors``. A file that is open gets the bytes once all of them are in a
        temporary file without a name: it may be one that cannot seek.
    kind : str
        What the file holds: "vectors" alone, or a model whose training can go on, by the name of its family.
    words : sequence of str
        One distinct word per row. The empty word and lone surrogates are allowed here.
    arrays : mapping of str to ndarray
        At least ``"vectors"``, float32 [V, D]. Any memory order and byte order; nothing is changed.
    meta : mapping
        Parameters, totals and seed, in types that JSON can hold (no NaN).
    folder : int, optional
        The open folder that the target is in; see `atomic_write`.

    Returns
    -------
    str
        The SHA-256 of the contents, as stored in the file. It finds damage, not tampering.

    Raises
    ------
    ValueError
        Wrong shapes or types, duplicate words, NaN or infinity, a `meta` that is too long. The target is then
        untouched.
    """
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else getattr(path, "name", "the model")
    tensors = {key: np.asarray(array) for key, array in arrays.items()} | _pack_words(words)
    unknown = [key for key, array in tensors.items() if array.dtype.newbyteorder("<") not in _NAME_OF]
    if unknown:
        raise ValueError(f"{unknown[0]!r} has dtype {tensors[unknown[0]].dtype}; only plain numbers can be saved")
    dtypes = {key: _NAME_OF[array.dtype.newbyteorder("<")] for key, array in tensors.items()}
    fault = _schema_fault(kind, {key: (dtypes[key], array.shape) for key, array in tensors.items()})
    if "vectors" in arrays and len(words) != len(arrays["vectors"]):
        fault = f"{len(words):,} words for {len(arrays['vectors']):,} rows"
    if fault is not None:
        raise ValueError(f"cannot save {name}: {fault}")

    # Go through JSON and back, so that tuples and integer keys are hashed as they will be read.
    kept_meta = json.loads(json.dumps(dict(meta), allow_nan=False))
    about = {"format": FORMAT_VERSION, "kind": kind, "library": __version__, "meta": kept_meta}
    # The widest types first: every tensor is then aligned to its own item size.
    entries, position = {}, 0
    for key in sorted(tensors, key=lambda key: (-tensors[key].itemsize, key)):
        end = position + tensors[key].nbytes
        shape = list(tensors[key].shape)
        entries[key] = {"dtype": dtypes[key], "shape": shape, "data_offsets": [position, end]}
        position = end
    start = _start_of_file(about, "0" * 64, entries)
    if (fault := _header_fault(start[8:])) is not None:
        raise ValueError(f"cannot save {name}: {fault}; a shorter comment or fewer attributes of words may help")
    digest = hashlib.sha256()
    with _seekable(path, folder) as file:
        file.write(start)
        for key in sorted(tensors):
            digest.update(_tensor_label(key, dtypes[key], tensors[key].shape))
            file.seek(len(start) + entries[key]["data_offsets"][0])
            row = 0
            for block in row_blocks(tensors[key], _DTYPES[dtypes[key]]):
                if (fault := _content_fault(key, block, row)) is not None:
                    raise ValueError(f"cannot save {name}: {fault}")
                digest.update(bytes_of(block))
                file.write(bytes_of(block))
                row += len(block)
        digest.update(_canonical(about))
        file.seek(0)
        file.write(_start_of_file(about, digest.hexdigest(), entries))
    return digest.hexdigest()


def _start_of_file(about: Mapping[str, Any], sha256: str, entries: Mapping[str, Any]) -> bytes:
    """Length and header of a file; the length does not depend on the hash."""
    return safetensors_start({"__metadata__": {"w2v": _canonical({**about, "sha256": sha256}).decode()}, **entries})


@contextmanager
def _seekable(path: Pathlike | BinaryIO, folder: int | None) -> Iterator[BinaryIO]:
    """A file whose beginning can be written last: the one of `atomic_write`, or one copied to an open file."""
    if isinstance(path, str | os.PathLike):
        with atomic_write(path, folder) as file:
            yield file
        return
    with tempfile.TemporaryFile() as whole:
        yield cast(BinaryIO, whole)
        whole.seek(0)
        while block := whole.read(arrays.BLOCK):
            _write_all(path, block)


def _write_all(file: BinaryIO, data: bytes) -> None:
    """Write all bytes: a raw file may take a part of what it is given, or nothing, and says so."""
    rest = memoryview(data)
    while rest:
        taken = cast(int | None, file.write(rest))
        if not isinstance(file, io.RawIOBase):
            return
        if taken is None:
            raise BlockingIOError(
                errno.EAGAIN, "takes no more now; open it in blocking mode", getattr(file, "name", None)
            )
        rest = rest[taken:]


def read_native(
    path: Pathlike, mmap: bool = False, *, outputs: bool = True, folder: int | None = None
) -> tuple[str, list[str], dict[str, NDArray[Any]], dict[str, Any]]:
    """Read a native file back.

    Parameters
    ----------
    path : path-like
    mmap : bool, default False
        Map the arrays read-only instead of copying them. The content hash and the finiteness of the values
        are then not checked, since that would touch every page; `verify_native` does it later. If another
        program truncates a mapped file, the process dies of SIGBUS: hence the default.
    outputs : bool, default True
        False leaves out the arrays named ``outputs.*`` (they are still hashed).
    folder : int, optional
        The open folder that the file is in; see `open_folder`.

    Returns
    -------
    kind : str
    words : list of str
    arrays : dict of str to ndarray
        All but the two that hold the words.
    meta : dict

    Raises
    ------
    FormatError
        The file is not a sound native file; it may be a pickle that gensim's ``save()`` wrote.
    """
    name = os.fspath(path)
    with open_regular(path, folder) as file:
        about, tensors = _read_header(file, name)
        wanted = {key for key in tensors if outputs or not key.startswith("outputs.")}
        if mmap:
            arrays = _map_tensors(file, name, {key: tensors[key] for key in sorted(wanted)})
        else:
            arrays, digest = _read_tensors(file, name, tensors, wanted.__contains__)
            _check_hash(name, about, digest)
    words = _unpack_words(name, arrays.pop("vocab.bytes"), arrays.pop("vocab.offsets"))
    for key in arrays.keys() & {"vocab.counts"} if mmap else arrays:
        if (fault := _content_fault(key, arrays[key])) is not None:
            raise FormatError(f"{name}: {fault}")
    return about["kind"], words, arrays, about["meta"]


def inspect_native(path: Pathlike, folder: int | None = None) -> dict[str, Any]:
    """Read the header alone: format, kind, library, meta, sha256, words, vector_size, bytes and tensors.

    Raises
    ------
    FormatError
        The file has no header of a native file.
    """
    with open_regular(path, folder) as file:
        about, tensors = _read_header(file, os.fspath(path))
        size = os.fstat(file.fileno()).st_size
    words, vector_size = tensors["vectors"].shape
    shapes = {name: {"dtype": t.dtype, "shape": list(t.shape)} for name, t in tensors.items()}
    return about | {"words": words, "vector_size": vector_size, "bytes": size, "tensors": shapes}


def verify_native(path: Pathlike) -> str:
    """Check the content hash of a file that was mapped rather than read, in bounded memory.

    Returns
    -------
    str
        The hash.

    Raises
    ------
    FormatError
        The contents have changed since they were written.
    """
    with open_regular(path) as file:
        about, tensors = _read_header(file, os.fspath(path))
        _, digest = _read_tensors(file, os.fspath(path), tensors, lambda name: False)
    _check_hash(os.fspath(path), about, digest)
    return digest.hexdigest()


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _tensor_label(name: str, dtype: str, shape: tuple[int, ...]) -> bytes:
    texts = [text.encode("utf-8", "surrogatepass") for text in (name, dtype)]
    label = b"".join(struct.pack("<Q", len(text)) + text for text in texts)
    return label + struct.pack(f"<{1 + len(shape)}Q", len(shape), *shape)


def _pack_words(words: Sequence[str]) -> dict[str, NDArray[Any]]:
    strange = next((word for word in words if not isinstance(word, str)), "")
    if strange != "":
        raise ValueError(f"only words can be saved in the native format, not the key {strange!r}")
    if len(set(words)) != len(words):
        raise ValueError("a word occurs twice; each row needs a word of its own")
    # A tokeniser may make "" or a lone surrogate a word, and a trained model must always be savable. Both
    # have a place here, where lengths are stored; in word2vec files they have none.
    encoded = [word.encode("utf-8", "surrogatepass") for word in words]
    offsets = np.zeros(len(words) + 1, np.int64)
    np.cumsum([len(word) for word in encoded], out=offsets[1:])
    return {"vocab.bytes": np.frombuffer(b"".join(encoded), np.uint8), "vocab.offsets": offsets}


def _unpack_words(name: str, packed: NDArray[Any], offsets: NDArray[Any]) -> list[str]:
    if offsets[0] != 0 or offsets[-1] != len(packed) or (offsets[1:] < offsets[:-1]).any():
        raise FormatError(f"{name}: vocab.offsets do not cut vocab.bytes into words")
    data = packed.tobytes()
    try:
        words = [data[i:j].decode("utf-8", "surrogatepass") for i, j in pairwise(offsets.tolist())]
    except UnicodeDecodeError as error:
        raise FormatError(f"{name}: a word in vocab.bytes is not UTF-8 ({error.reason})") from error
    if len(set(words)) != len(words):
        raise FormatError(f"{name}: a word occurs twice")
    return words


def _schema_fault(kind: str, tensors: Mapping[str, tuple[str, tuple[int, ...]]]) -> str | None:
    """Say what is wrong with the names, types and shapes, for the writer and the reader alike."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", kind):
        return f"kind {kind!r} is no name of a family of models"
    dtype, shape = tensors.get("vectors", ("", ()))
    if dtype != "F32" or len(shape) != 2 or shape[1] < 1:
        return "'vectors' must be there, float32, [words, vector_size]"
    words, rows, width = shape[0], arrays.rows_in("rows", tensors, shape[0]), shape[1]
    due: dict[str, tuple[str, tuple[int, ...]]] = {
        "vocab.offsets": ("I64", (words + 1,)),
        "vocab.counts": ("I64", (words,)),
        "vectors.locks": ("F32", (rows,)),
        "outputs.negative": ("F32", (words, width)),
        "outputs.hierarchical": ("F32", (max(words - 1, 0), width)),
    }
    if kind != "vectors":
        due |= documents.due(tensors, words, width) | {"rows": ("F32", (max(words, rows), width))}
    due |= {name: ("U8", (math.prod(tensors.get(name, ("", (0,)))[1]),)) for name in ("terms", "oov")}  # of any length
    for name in ("vocab.bytes", "vocab.offsets", *(["vocab.counts"] if kind != "vectors" else [])):
        if name not in tensors:
            return f"{name!r} is missing"
    if tensors["vocab.bytes"][0] != "U8" or len(tensors["vocab.bytes"][1]) != 1:
        return "'vocab.bytes' must be uint8, one-dimensional"
    for name, (dtype, shape) in tensors.items():
        if name not in {"vectors", "vocab.bytes", *due} and not name.startswith("attr."):
            return f"{name!r} is no part of a model"
        if name in due and due[name] != (dtype, shape):
            return f"{name!r} is {dtype} {list(shape)}, not {due[name][0]} {list(due[name][1])}"
        if name.startswith("attr.") and shape != (words,):
            return f"{name!r} has shape {list(shape)}, not [{words}]"
    return None


def _content_fault(name: str, rows: NDArray[Any], first: int = 0) -> str | None:
    """Describe a fault in the rows of a tensor from `first` on, for the writer and the reader alike."""
    if rows.dtype.kind == "f" and (row := check_finite(rows)) is not None:
        return f"row {first + row:,} of {name!r} holds a NaN or an infinity"
    if name == "vocab.counts" and (rows < 0).any():
        return "'vocab.counts' holds a negative count"
    return None


def _header_fault(text: bytes | str) -> str | None:
    """Describe a header or metadata beyond the limits; parsing takes memory for every value."""
    marks = (b"[", b"{", b",") if isinstance(text, bytes) else ("[", "{", ",")
    values = sum(text.count(cast(Any, mark)) for mark in marks)
    if len(text) <= _MAX_HEADER and values <= _MAX_VALUES:
        return None
    return (
        f"a header of {len(text):,} bytes is too long, or has too many values ({values:,}); settings and state of a "
        f"model take {_MAX_HEADER:,} bytes and {_MAX_VALUES:,} values at most"
    )


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object whose names must differ; json.loads would let the last one win."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name occurs twice")
    return made


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _parse_json(text: bytes | str, name: str, what: str) -> dict[str, Any]:
    if (fault := _header_fault(text)) is not None:
        raise FormatError(f"{name}: {fault}")
    try:
        parsed = json.loads(
            text.decode() if isinstance(text, bytes) else text,
            object_pairs_hook=_refuse_repeats,
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{name}: {what} is not sound JSON ({error})") from error
    if not isinstance(parsed, dict):
        raise FormatError(f"{name}: {what} is not a JSON object")
    return parsed


def _is_count(value: object) -> bool:
    # Below 2**40, so that no product of two of them can overflow NumPy's own size computations.
    return type(value) is int and 0 <= value < 1 << 40


def _read_header(file: BinaryIO, name: str) -> tuple[dict[str, Any], dict[str, _Tensor]]:
    """Check everything that can be checked before the first byte of data is read or allocated."""
    size = os.fstat(file.fileno()).st_size
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or length > size - 8 or length < 2:
        if re.match(rb"\x80[\x02-\x05]", start):
            raise FormatError(
                f"{name}: a pickle, such as gensim's save() writes; load(..., allow_pickle=True) reads gensim's models "
                "and vectors, as data. A file of a stranger's may still be made to take much time and memory"
            )
        raise FormatError(
            f"{name}, byte 0: not a file of w2v (no safetensors header of a sound length); word2vec's text and "
            "binary files are read by KeyedVectors.load_word2vec_format()"
        )
    if length > _MAX_HEADER:
        raise FormatError(f"{name}: a header of {length:,} bytes; that of a model takes {_MAX_HEADER:,} at most")
    data = 8 + length
    header = _parse_json(file.read(length), name, "the header")
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not isinstance(metadata.get("w2v"), str):
        raise FormatError(f"{name}: a safetensors file, but without w2v's metadata")

    tensors = {}
    for key, entry in header.items():
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise FormatError(f"{name}: tensor {key!r} is not described by dtype, shape and data_offsets")
        dtype, shape, span = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or dtype not in _DTYPES:
            raise FormatError(f"{name}: tensor {key!r} has the unknown dtype {dtype!r}")
        if not isinstance(shape, list) or not 1 <= len(shape) <= 2 or not all(map(_is_count, shape)):
            raise FormatError(f"{name}: tensor {key!r} has the impossible shape {shape!r}")
        if not isinstance(span, list) or len(span) != 2 or not all(map(_is_count, span)):
            raise FormatError(f"{name}: tensor {key!r} has impossible data_offsets {span!r}")
        needed = math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize
        if span[1] - span[0] != needed:
            raise FormatError(f"{name}: tensor {key!r} needs {needed:,} bytes, its offsets are {span}")
        tensors[key] = _Tensor(dtype, tuple(shape), data + span[0], data + span[1])
    position = data
    for key, tensor in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if tensor.begin != position:
            raise FormatError(f"{name}, byte {position}: a gap or an overlap before tensor {key!r}")
        position = tensor.end
    if position != size:
        kind = TruncatedError if position > size else FormatError
        raise kind(f"{name}: {size:,} bytes long, but its header describes {position:,}")

    about = _parse_json(metadata["w2v"], name, "the metadata")
    if type(about.get("format")) is not int or about["format"] != FORMAT_VERSION:
        raise FormatError(f"{name}: format {about.get('format')!r}; this w2v reads format {FORMAT_VERSION}")
    if set(about) != {"format", "kind", "library", "meta", "sha256"} or not isinstance(about["meta"], dict):
        raise FormatError(f"{name}: the metadata does not have w2v's fields")
    if not all(isinstance(about[key], str) for key in ("kind", "library", "sha256")):
        raise FormatError(f"{name}: the metadata does not have w2v's types")
    try:
        spelled = _canonical(about).decode()
    except ValueError as error:  # JSON allows numbers such as 1e999, beyond all floats
        raise FormatError(f"{name}: the metadata is not sound JSON ({error})") from error
    if spelled != metadata["w2v"]:  # the hash covers the meaning; only one spelling of it is accepted
        raise FormatError(f"{name}: the metadata is not spelled as w2v does")
    fault = _schema_fault(about["kind"], {key: (t.dtype, t.shape) for key, t in tensors.items()})
    if fault is not None:
        raise FormatError(f"{name}: {fault}")
    return about, tensors


def _read_tensors(
    file: BinaryIO, name: str, tensors: Mapping[str, _Tensor], keep: Callable[[str], bool]
) -> tuple[dict[str, NDArray[Any]], "hashlib._Hash"]:
    """Read and hash all tensors, in the order of the hash; keep the wanted ones."""
    arrays: dict[str, NDArray[Any]] = {}
    digest = hashlib.sha256()
    for key in sorted(tensors):
        tensor = tensors[key]
        digest.update(_tensor_label(key, tensor.dtype, tensor.shape))
        if keep(key):
            arrays[key] = np.empty(tensor.shape, _DTYPES[tensor.dtype])
            parts = _parts(bytes_of(arrays[key]))
        else:
            parts = _passing_parts(tensor.end - tensor.begin)
        file.seek(tensor.begin)
        for part in parts:
            if cast(Any, file).readinto(part) != len(part):
                raise TruncatedError(f"{name}: ends inside tensor {key!r}")
            digest.update(part)
    return arrays, digest


def _parts(view: memoryview) -> Iterable[memoryview]:
    return (view[i : i + arrays.BLOCK] for i in range(0, len(view), arrays.BLOCK))


def _passing_parts(size: int) -> Iterable[memoryview]:
    scratch = memoryview(bytearray(min(size, arrays.BLOCK)))
    return (scratch[: min(arrays.BLOCK, size - i)] for i in range(0, size, arrays.BLOCK))


def _check_hash(name: str, about: Mapping[str, Any], digest: "hashlib._Hash") -> None:
    digest.update(_canonical({key: value for key, value in about.items() if key != "sha256"}))
    if digest.hexdigest() != about["sha256"]:
        raise FormatError(f"{name}: damaged, its contents are not those that were written (SHA-256 differs)")


def _map_tensors(file: BinaryIO, name: str, tensors: Mapping[str, _Tensor]) -> dict[str, NDArray[Any]]:
    """Views of one mapping, so that any number of tensors takes one descriptor."""
    whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    arrays: dict[str, NDArray[Any]] = {}
    for key, tensor in tensors.items():
        dtype = np.dtype(_DTYPES[tensor.dtype])
        if tensor.end > len(whole):
            raise TruncatedError(f"{name}: ends inside tensor {key!r}")
        if tensor.begin == tensor.end:
            arrays[key] = np.empty(tensor.shape, dtype)
        elif tensor.begin % dtype.itemsize:  # another writer's file may be misaligned for a view
            arrays |= _read_tensors(file, name, {key: tensor}, lambda _: True)[0]
        else:
            arrays[key] = np.frombuffer(whole, dtype, math.prod(tensor.shape), tensor.begin).reshape(tensor.shape)
    return arrays
