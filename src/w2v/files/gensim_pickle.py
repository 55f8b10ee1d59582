"""gensim's own files, ``.model`` and ``.kv``: pickles with arrays beside them, read as data.

Nothing in a file is executed. Python's unpickler would be the wrong tool even with an allow-list: the one in C hashes
every key of the file, and a key of a million nested tuples (1 MB) overflows its stack; seven bytes that use memo place
2**31 - 1 make it claim 32 GiB. So the pickle is interpreted here. It can make only numbers, strings, containers and
records of the calls it asks for; sizes are compared with the file; no other class exists. `gensim_names.KNOWN` lists
the names that it may use, and any other name is refused.

The risk of any parser of foreign files remains. Read files you trust.
"""

import io
import os
import pickle  # for the names of the opcodes only
import re
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from logging import getLogger
from math import prod
from typing import IO, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from w2v.files.arrays import check_finite
from w2v.files.errors import FormatError, TruncatedError
from w2v.files.gensim_names import KNOWN
from w2v.files.reading import Pathlike, check_unpacked, codec_of, most_unpacked, open_binary, open_regular, unpacking

logger = getLogger(__name__)

BLOCK = 1 << 20  # bytes read at a time from a compressed file
_LONGEST_INTEGER = 64  # bytes; the state of a random generator has 16
_LONGEST_PATH = 256  # nodes; with counts below 2**63 a Huffman tree is at most 91 deep
_MOST_ATTRIBUTES = 64  # per word; gensim makes five
_U1, _U2, _U4, _U8, _I4 = map(struct.Struct, ["<B", "<H", "<I", "<Q", "<i"])
_MAP_MODES = (None, "r", "r+", "c")

MODELS = ("Word2Vec", "Doc2Vec", "FastText")
_VECTOR_CLASSES = tuple(f"{kind}KeyedVectors" for kind in ("", "Word2Vec", "Euclidean", "WordEmbeddings", "FastText"))
_MAPPINGS = ("defaultdict", "Counter", "OrderedDict")

_PARTS = {
    "vocabulary": ("Word2VecVocab", "Doc2VecVocab", "FastTextVocab"),
    "trainables": ("Word2VecTrainables", "Doc2VecTrainables", "FastTextTrainables"),
}

# Our parameters, and gensim's names for them.
_SETTINGS = {
    name: {"vector_size": ("vector_size", "size", "layer1_size"), "epochs": ("epochs", "iter")}.get(name, (name,))
    for name in [
        *("vector_size", "alpha", "min_alpha", "window", "min_count", "max_vocab_size", "max_final_vocab", "sample"),
        *("seed", "workers", "sg", "hs", "negative", "ns_exponent", "cbow_mean", "epochs", "sorted_vocab"),
        *("batch_words", "comment", "compute_loss", "shrink_windows"),
        *("null_word", "dbow_words", "dm_concat", "dm_tag_count", "word_ngrams"),
    ]
}
_STATE = [
    *("corpus_count", "corpus_total_words", "effective_min_count", "min_alpha_yet_reached"),
    *("train_count", "total_train_time", "running_training_loss"),
]
# Attributes of words that can be computed from the others.
_DERIVED = {"count", "index", "sample_int", "code", "point"}


# The meaning of ``allow_pickle=None``; `w2v.compat.gensim.install` sets it for programs that do not know the parameter.
allowed = False


class TreePaths(NamedTuple):
    """The way from the root to every word: word ``w`` owns ``points[offsets[w]:offsets[w + 1]]``."""

    offsets: NDArray[np.int64]  # [words + 1]
    points: NDArray[np.int32]  # inner nodes
    labels: NDArray[np.int8]  # 1 - code


@dataclass(frozen=True)
class GensimFile:
    """The contents of a gensim file; the arrays belong to the caller, or are mapped."""

    kind: str  # "word2vec", "doc2vec", "fasttext" or "vectors"
    words: list[Any]  # in row order: str, or int in document vectors
    vectors: NDArray[np.float32]  # [words, vector_size]; with n-grams these are the words' own rows
    attributes: dict[str, NDArray[Any]]  # numbers per word, "count" (int64) among them if the file has counts
    syn1neg: NDArray[np.float32] | None  # [words, vector_size]
    syn1: NDArray[np.float32] | None  # [words - 1 or words, vector_size], inner nodes of gensim's Huffman tree
    paths: TreePaths | None  # in that tree, if the file has them
    lockf: NDArray[np.float32] | None  # [words] or [1], if not all are 1
    settings: dict[str, Any]  # parameters of Word2Vec, under their present names
    state: dict[str, Any]  # counters, as found
    # All attributes, and where they were found: what `gensim_documents` and `gensim_fasttext` take their own from.
    fields: dict[str, Any] | None = None
    source: Any = None


def is_pickle(path: Pathlike) -> bool:
    """Tell from the first bytes whether a file, also a compressed one, is a pickle such as gensim writes."""
    with open_regular(path) as raw:
        start = raw.read(3)
    if codec_of(path) is not None:
        try:
            with unpacking(os.fspath(path), "not packed as its name says"), open_binary(path) as file:
                start = file.read(3)
        except FormatError:
            return False
    # The third byte tells it from a safetensors file, whose header may be 640 bytes long.
    return re.match(rb"\x80[\x02-\x05][^\x00]", start, re.DOTALL) is not None


def may_read(path: Pathlike, allow_pickle: bool | None) -> bool:
    """Whether a file is a pickle that may be read; with None, `allowed` decides."""
    return (allowed if allow_pickle is None else bool(allow_pickle)) and is_pickle(path)


def read_gensim(path: Pathlike, mmap: bool | str | None = None) -> GensimFile:
    """Read a file that gensim's ``Word2Vec.save`` or ``KeyedVectors.save`` wrote, without gensim.

    Parameters
    ----------
    path : path-like
        The main file. Large arrays lie beside it (``path.wv.vectors.npy``); if it ends in .gz or .bz2, it and they
        are compressed.
    mmap : {None, 'r', 'r+', 'c'} or bool, optional
        Map the arrays that lie beside the file, as `numpy.load` does; True is ``'r'``. Their values are then not
        checked.

    Raises
    ------
    FormatError
        The file is damaged, is of another class of gensim, names anything but the parts of these two classes, or
        does not agree with itself; or an array that belongs to it is missing.
    """
    mode = {True: "r", False: None}.get(mmap, mmap) if isinstance(mmap, bool) else mmap
    if mode not in _MAP_MODES:
        raise ValueError(f"mmap={mmap!r}; choose None, 'r', 'r+' or 'c'")
    contents = contents_of(path)
    source = _Source(os.fspath(path), mode, len(contents))
    top = Machine(contents, source.name).run()
    kind = top.name if isinstance(top, _Object) else type(top).__name__
    if kind not in (*MODELS, *_VECTOR_CLASSES):
        raise source.fault(f"a pickle of {kind!r:.80}, not of gensim's Word2Vec, Doc2Vec, FastText or KeyedVectors")
    return _model(top, source) if kind in MODELS else vectors_of(top, source)


# --- the pickle, as data ------------------------------------------------------------------------------------------


class _Global:
    """A name on the list; it stands for nothing."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class _Object:
    """A call that the pickle asks for, its arguments, and the state to set. The call is never made."""

    __slots__ = ("args", "name", "state")

    def __init__(self, name: str, args: tuple[Any, ...]) -> None:
        self.name, self.args, self.state = name, args, cast(Any, None)


class _Malformed(Exception):
    """The pickle asks for something that gensim's pickles never ask for."""


class _Cut(Exception):
    """The pickle ends inside something."""


class Machine:
    """The stack machine of pickles, without the instructions that run anything."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.view, self.name, self.at = data, memoryview(data), name, 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        # The bytes that strings made from other strings may take: without a limit, a small file could ask for a large
        # string again and again.
        self.allowance = len(data)

    def run(self) -> Any:
        """Return the object that the pickle describes."""
        data, step, stop = self.data, _OPCODES, pickle.STOP[0]
        try:
            while (opcode := data[self.at]) != stop:
                self.at += 1
                step[opcode](self)
            result = self.stack.pop()
        except (_Malformed, _Cut, IndexError, KeyError, ValueError, struct.error) as error:
            raise self.fault(error) from error
        if self.at + 1 != len(data):
            raise FormatError(f"{self.name}, byte {self.at + 1:,}: more data behind the pickle")
        return result

    def fault(self, error: Exception) -> FormatError:
        """Return the error, with the place of the byte near it."""
        cut = isinstance(error, _Cut | struct.error)
        if cut or (isinstance(error, IndexError) and self.at >= len(self.data)):
            return TruncatedError(f"{self.name}: the pickle ends early, after {len(self.data):,} bytes")
        if not isinstance(error, _Malformed):
            error = _Malformed(f"not a sound pickle of protocol 2 to 5 (opcode {self.data[self.at - 1 : self.at]!r})")
        return FormatError(f"{self.name}, byte {self.at:,}: {error}")

    def take(self, size: int) -> bytes:
        """Return the next bytes of the file."""
        begin, self.at = self.at, self.at + size
        if self.at > len(self.data):
            raise _Cut
        return self.data[begin : self.at]

    def number(self, layout: struct.Struct) -> Any:
        """Return the next bytes as a number."""
        value = layout.unpack_from(self.data, self.at)[0]
        self.at += layout.size
        return value

    def span(self, layout: struct.Struct) -> memoryview:
        """Return bytes that follow their own length, without a copy, since they may be a matrix."""
        size = self.number(layout)
        begin, self.at = self.at, self.at + size
        if self.at > len(self.data):
            raise _Cut
        return self.view[begin : self.at]

    def line(self) -> str:
        """Return the rest of a line, the argument of opcodes older than protocol 2."""
        end = self.data.find(b"\n", self.at, self.at + 1000)
        if end < 0:
            raise _Cut if len(self.data) - self.at < 1000 else _Malformed("a line without an end")
        line = self.data[self.at : end].decode()
        self.at = end + 1
        return line

    def since_mark(self) -> list[Any]:
        """Take the items above the last mark off the stack."""
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def pop(self, kind: type, what: str) -> Any:
        """Take the top off the stack, which must be of one type."""
        value = self.stack.pop()
        if type(value) is not kind:
            raise _Malformed(f"{what} is a {type(value).__name__}")
        return value

    def extend(self, items: list[Any]) -> None:
        """Append to the list on the top."""
        if type(self.stack[-1]) is not list:
            raise _Malformed("items for what is no list")
        self.stack[-1].extend(items)

    def set_items(self, items: list[Any]) -> None:
        """Put keys and values into the dictionary on the top."""
        made = self.stack[-1]
        if type(made) is not dict or len(items) % 2:
            raise _Malformed("keys and values for what is no dictionary")
        keys = items[::2]
        for kind in set(map(type, keys)):
            if kind is not str and kind is not int:  # a tuple would be hashed as deep as it goes
                raise _Malformed(f"a key of type {kind.__name__}; gensim's are strings, and numbers for documents")
        if any(type(key) is int and not -1 << 63 <= key < 1 << 63 for key in keys):
            raise _Malformed("a key of more than 64 bits")  # any number of tuples can have the same hash
        made.update(zip(keys, items[1::2], strict=True))

    def find_global(self, module: str, name: str) -> None:
        """Put a name on the stack, if it is on the list."""
        if name in KNOWN.get(module, ()):
            self.stack.append(_Global(name))
            return
        if module.split(".")[0] == "gensim":
            raise _Malformed(
                f"this is or holds a {f'{module}.{name}':.200} of gensim, and only its Word2Vec, Doc2Vec, "
                "FastText and KeyedVectors can be read here"
            )
        raise _Malformed(
            f"the pickle asks for {f'{module}.{name}'!r:.200}, which is no part of gensim's models (a callback, a hash "
            "function, a subclass, or an attack); nothing of it was executed. If you trust the file, load it in "
            "gensim and write it with save_word2vec_format()"
        )

    def call(self, args: Any, target: Any) -> None:
        """Record a call, or push its harmless result."""
        if type(target) is not _Global or type(args) is not tuple:
            raise _Malformed(f"a call of a {type(target).__name__}")
        if target.name in _MAPPINGS:
            self.stack.append({})
        elif target.name == "bytes" and not args:  # protocol 2 writes empty bytes so
            self.stack.append(b"")
        elif target.name == "encode":
            self.stack.append(self.encode(*args) if len(args) == 2 else None)
        elif target.name == "scalar":
            self.stack.append(self.scalar(*args) if len(args) == 2 else None)
        else:
            self.stack.append(_Object(target.name, args))

    def encode(self, text: Any, encoding: Any) -> bytes:
        """Encode text to the bytes that protocol 2 wrote as text."""
        if type(text) is not str or encoding not in ("latin1", "latin-1"):
            raise _Malformed("_codecs.encode with another encoding than latin1")
        self.spend(len(text))
        return text.encode("latin-1")

    def scalar(self, dtype: Any, raw: Any) -> Any:
        """Make Python's number or string of NumPy's."""
        kind, data = _dtype_of(dtype, strings=True), _bytes_of(raw)
        if kind.itemsize != len(data) or kind.hasobject:
            raise _Malformed("a NumPy scalar of the wrong size")
        self.spend(len(data))
        return np.frombuffer(data, kind)[0].item() if len(data) else ""

    def spend(self, size: int) -> None:
        """Take the bytes of a string made from another string off the allowance."""
        self.allowance -= size
        if self.allowance < 0:
            raise _Malformed("more strings are made than the file holds")

    def build(self) -> None:
        """Record a state."""
        state, target = self.stack.pop(), self.stack[-1]
        if type(target) is not _Object:
            raise _Malformed(f"a state for a {type(target).__name__}")
        target.state = state

    def op_proto(self) -> None:
        if not 2 <= self.number(_U1) <= 5:
            raise _Malformed("a protocol that gensim does not write (it writes 2 to 5)")

    def op_frame(self) -> None:
        if self.number(_U8) > len(self.data) - self.at:
            raise _Cut

    def op_long(self, size: int) -> None:
        if not 0 <= size <= _LONGEST_INTEGER:
            raise _Malformed(f"an integer of {size:,} bytes")
        self.stack.append(int.from_bytes(self.take(size), "little", signed=True))

    def op_int(self) -> None:
        line = self.line()
        if len(line) > _LONGEST_INTEGER:
            raise _Malformed("an integer of too many digits")
        self.stack.append(line == "01" if line in ("00", "01") else int(line))

    def op_newobj_ex(self) -> None:
        self.pop(dict, "the keywords of an object")
        self.call(self.stack.pop(), self.stack.pop())

    def op_stack_global(self) -> None:
        name, module = self.pop(str, "the name of a global"), self.pop(str, "the module of a global")
        self.find_global(module, name)


_Step = Callable[[Machine], None]


def _push(value: Any) -> _Step:
    return lambda machine: machine.stack.append(value)


def _push_number(layout: struct.Struct) -> _Step:
    return lambda machine: machine.stack.append(machine.number(layout))


def _push_text(layout: struct.Struct, encoding: str, errors: str) -> _Step:
    return lambda machine: machine.stack.append(str(machine.span(layout), encoding, errors))


def _push_bytes(layout: struct.Struct) -> _Step:
    return lambda machine: machine.stack.append(machine.span(layout))


def _push_tuple(size: int) -> _Step:
    def step(machine: Machine) -> None:
        stack = machine.stack
        stack[-size:] = [(stack[-size], *stack[len(stack) - size + 1 :])]

    return step


def _store(layout: struct.Struct) -> _Step:
    def step(machine: Machine) -> None:
        machine.memo[machine.number(layout)] = machine.stack[-1]

    return step


def _recall(layout: struct.Struct) -> _Step:
    return lambda machine: machine.stack.append(machine.memo[machine.number(layout)])


def _memoize(machine: Machine) -> None:
    machine.memo[len(machine.memo)] = machine.stack[-1]


# gensim's files use no other opcodes, such as those of persistent ids and the extension registry. Sets become lists,
# since the items of a set would have to be hashed.
_OPCODES: dict[int, _Step] = {
    name[0]: step
    for name, step in [
        (pickle.PROTO, Machine.op_proto),
        (pickle.FRAME, Machine.op_frame),
        (pickle.MARK, lambda m: m.marks.append(len(m.stack))),
        (pickle.POP, lambda m: (m.stack.pop(), None)[1]),
        (pickle.POP_MARK, lambda m: (m.since_mark(), None)[1]),
        (pickle.NONE, _push(None)),
        (pickle.NEWTRUE, _push(True)),
        (pickle.NEWFALSE, _push(False)),
        (pickle.INT, Machine.op_int),
        (pickle.BININT, _push_number(_I4)),
        (pickle.BININT1, _push_number(_U1)),
        (pickle.BININT2, _push_number(_U2)),
        (pickle.LONG1, lambda m: m.op_long(m.number(_U1))),
        (pickle.LONG4, lambda m: m.op_long(m.number(_I4))),
        (pickle.BINFLOAT, _push_number(struct.Struct(">d"))),
        # Strings of Python 2, in the encoding that gensim gives its unpickler.
        (pickle.SHORT_BINSTRING, _push_text(_U1, "latin-1", "strict")),
        (pickle.BINSTRING, _push_text(_U4, "latin-1", "strict")),
        (pickle.SHORT_BINUNICODE, _push_text(_U1, "utf-8", "surrogatepass")),
        (pickle.BINUNICODE, _push_text(_U4, "utf-8", "surrogatepass")),
        (pickle.BINUNICODE8, _push_text(_U8, "utf-8", "surrogatepass")),
        (pickle.SHORT_BINBYTES, _push_bytes(_U1)),
        (pickle.BINBYTES, _push_bytes(_U4)),
        (pickle.BINBYTES8, _push_bytes(_U8)),
        (pickle.BYTEARRAY8, _push_bytes(_U8)),
        (pickle.EMPTY_LIST, lambda m: m.stack.append([])),
        (pickle.EMPTY_SET, lambda m: m.stack.append([])),
        (pickle.EMPTY_DICT, lambda m: m.stack.append({})),
        (pickle.EMPTY_TUPLE, _push(())),
        (pickle.APPEND, lambda m: m.extend([m.stack.pop()])),
        (pickle.APPENDS, lambda m: m.extend(m.since_mark())),
        (pickle.ADDITEMS, lambda m: m.extend(m.since_mark())),
        (pickle.FROZENSET, lambda m: m.stack.append(m.since_mark())),
        (pickle.TUPLE, lambda m: m.stack.append(tuple(m.since_mark()))),
        (pickle.TUPLE1, _push_tuple(1)),
        (pickle.TUPLE2, _push_tuple(2)),
        (pickle.TUPLE3, _push_tuple(3)),
        (pickle.SETITEM, lambda m: m.set_items([m.stack.pop(), m.stack.pop()][::-1])),
        (pickle.SETITEMS, lambda m: m.set_items(m.since_mark())),
        (pickle.BINPUT, _store(_U1)),
        (pickle.LONG_BINPUT, _store(_U4)),
        (pickle.MEMOIZE, _memoize),
        (pickle.BINGET, _recall(_U1)),
        (pickle.LONG_BINGET, _recall(_U4)),
        (pickle.GLOBAL, lambda m: m.find_global(m.line(), m.line())),
        (pickle.STACK_GLOBAL, Machine.op_stack_global),
        (pickle.NEWOBJ, lambda m: m.call(m.stack.pop(), m.stack.pop())),
        (pickle.NEWOBJ_EX, Machine.op_newobj_ex),
        (pickle.REDUCE, lambda m: m.call(m.stack.pop(), m.stack.pop())),
        (pickle.BUILD, Machine.build),
    ]
}


# --- arrays: in the pickle or beside it ---------------------------------------------------------------------------


class _Source(NamedTuple):
    """The main file, and the way to read the files beside it."""

    name: str
    mode: str | None
    size: int  # bytes of the pickle

    @property
    def packed(self) -> bool:
        return self.name.endswith((".gz", ".bz2"))

    def fault(self, reason: str) -> FormatError:
        return FormatError(f"{self.name}: {reason}")


class _Side(NamedTuple):
    """An array that lies in a file of its own."""

    path: str


_NPY_HEADER = re.compile(
    rb"\{'descr': '([<>=|]?[a-zA-Z]\d+)', 'fortran_order': (True|False), 'shape': \(([\d, L]*)\),? ?\}\s*"
)


def contents_of(path: Pathlike) -> bytes:
    """Read a whole file, also a compressed one, but no more than is plausible."""
    name = os.fspath(path)
    with open_regular(path) as raw:
        size = os.fstat(raw.fileno()).st_size
        if codec_of(path) is None:
            return raw.read()
    with open_binary(path) as file:
        return _unpack(file, name, most_unpacked(size))


def _unpack(file: IO[bytes], name: str, most: int) -> bytes:
    data = bytearray()
    with unpacking(name, "damaged, it cannot be unpacked"):
        while block := file.read(BLOCK):
            data += block
            if len(data) > most:
                break
    check_unpacked(name, len(data), most)
    return bytes(data)


def _bytes_of(value: Any) -> bytes | memoryview:
    """The bytes that a pickle of either Python holds."""
    if type(value) is str:  # a str of Python 2; a character beyond 255 raises ValueError
        return value.encode("latin-1")
    if type(value) not in (bytes, memoryview):
        raise _Malformed(f"bytes expected, not a {type(value).__name__}")
    return cast(bytes | memoryview, value)


def _dtype_of(value: Any, strings: bool = False) -> np.dtype[Any]:
    """The NumPy type that a record describes: numbers and objects, and strings where they are allowed."""
    state = value.state if type(value) is _Object and value.name == "dtype" else None
    code = value.args[0] if state is not None and value.args else None
    order = state[1] if type(state) is tuple and len(state) > 1 else None
    if type(code) is str and type(order) is str and order in tuple("<>=|"):
        if re.fullmatch(r"O[48]?", code):
            return np.dtype(object)
        if re.fullmatch(r"[iu][1248]|f[248]|b1", code):
            return np.dtype(code).newbyteorder(cast(Any, order))
        if strings and re.fullmatch(r"U[0-9]{1,6}", code):
            return np.dtype(code).newbyteorder(cast(Any, order))
    found = code if type(code) is str else type(value).__name__  # its repr could be nested without end
    raise _Malformed(f"an array or a number of the type {found!r:.40}")


def _array_of(value: Any) -> NDArray[Any] | list[Any]:
    """The array that a record describes, without a copy; an array of objects becomes a list."""
    parts: Any = None
    if type(value) is _Object and value.name == "_reconstruct" and type(value.state) is tuple:
        parts = value.state[-4:]  # after a version number
    elif type(value) is _Object and value.name == "_frombuffer" and len(value.args) >= 4:
        raw, dtype, shape, layout = value.args[:4]
        if layout in ("C", "F") and not any(value.args[4:]):
            parts = shape, dtype, layout == "F", raw
    if parts is None or len(parts) != 4:
        raise _Malformed(f"an array expected, not a {value.name if type(value) is _Object else type(value).__name__}")
    shape, dtype, fortran, raw = parts[0], _dtype_of(parts[1]), parts[2], parts[3]
    if type(shape) is not tuple or len(shape) > 2 or not all(type(n) is int and 0 <= n < 1 << 40 for n in shape):
        raise _Malformed("an array of an impossible shape")
    if dtype.hasobject:
        if type(raw) is not list or len(shape) != 1 or len(raw) != shape[0]:
            raise _Malformed("an array of objects without them")
        return raw
    data = _bytes_of(raw)
    if prod(shape) * dtype.itemsize != len(data):
        raise _Malformed(f"an array of shape {shape} in {len(data):,} bytes")
    return _reshape(data, dtype, shape, bool(fortran))


def _reshape(data: bytes | memoryview, dtype: np.dtype[Any], shape: tuple[int, ...], fortran: bool) -> NDArray[Any]:
    if not data:
        return np.empty(shape, dtype)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _array_or_list(value: Any, source: _Source, what: str) -> NDArray[Any] | list[Any]:
    """Call `_array_of`; an error names the file."""
    try:
        return _array_of(value)
    except (_Malformed, ValueError) as error:
        raise source.fault(f"{what}: {error}") from error


def _array(value: Any, source: _Source, what: str) -> NDArray[Any]:
    """An array from the pickle or from beside it."""
    if type(value) is _Side:
        return _read_side(value.path, source, what)
    array = _array_or_list(value, source, what)
    if isinstance(array, list):
        raise source.fault(f"{what}: an array of objects, not of numbers")
    return array


def _read_side(path: str, source: _Source, what: str) -> NDArray[Any]:
    """Read an array that lies beside the main file; its size is checked before it is read."""
    if not os.path.exists(path):
        raise source.fault(
            f"{what} should be in {path}, which is missing; gensim has spread this model over several files, "
            f"and all that begin with {os.path.basename(source.name)!r} have to be moved together"
        )
    if source.packed:
        if source.mode is not None:
            raise ValueError(f"mmap={source.mode!r}: {path} is compressed and cannot be mapped; leave mmap out")
        return _read_npz(path)
    with open_regular(path) as file:
        dtype, shape, fortran, start = _npy_header(file, path)
        count, order = prod(shape), cast(Any, "F" if fortran else "C")
        _check_size(path, count * dtype.itemsize, os.fstat(file.fileno()).st_size - start)
        if source.mode is not None and count:  # an empty array cannot be mapped
            return np.memmap(path, dtype, cast(Any, source.mode), start, shape, order)
        data = np.fromfile(file, dtype, count)
    _check_size(path, count * dtype.itemsize, data.nbytes)
    return data.reshape(shape, order=order)


def _read_npz(path: str) -> NDArray[Any]:
    """Read the one array of an ``.npz`` file."""
    with open_regular(path) as raw:
        packed = raw.read()  # a damaged archive names impossible offsets, which do no harm in memory
    most = most_unpacked(len(packed))
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive, archive.open("val.npy") as file:
            dtype, shape, fortran, _ = _npy_header(file, path)
            needed = prod(shape) * dtype.itemsize
            data = _unpack(file, path, min(most, needed))
    except (FormatError, MemoryError):
        raise
    except Exception as error:  # zipfile has many: BadZipFile, KeyError, RuntimeError, NotImplementedError ...
        raise FormatError(f"{path}: not a sound .npz file ({error})") from error
    _check_size(path, needed, len(data))
    return _reshape(data, dtype, shape, fortran)


def _npy_header(file: IO[bytes], path: str) -> tuple[np.dtype[Any], tuple[int, ...], bool, int]:
    """Type, shape, order and where the data begins."""
    start = file.read(8)
    width = {b"\x93NUMPY\x01\x00": 2, b"\x93NUMPY\x02\x00": 4, b"\x93NUMPY\x03\x00": 4}.get(start, 0)
    length = int.from_bytes(file.read(width), "little")
    header = _NPY_HEADER.fullmatch(file.read(length)) if 0 < length <= 10_000 else None
    if header is None:
        raise FormatError(f"{path}: not a .npy file of numbers")
    code = header[1].decode()
    if not re.fullmatch(r"[<>=|]?([iu][1248]|f[248]|b1)", code):
        raise FormatError(f"{path}: an array of the type {code!r}, not of numbers")
    numbers = [number for number in re.split(r"[, L]+", header[3].decode()) if number]
    if len(numbers) > 2 or any(len(number) > 12 for number in numbers):
        raise FormatError(f"{path}: an array of the impossible shape ({header[3].decode()})")
    return np.dtype(code), tuple(map(int, numbers)), header[2] == b"True", 8 + width + length


def _check_size(path: str, needed: int, size: int) -> None:
    if size != needed:
        kind = TruncatedError if size < needed else FormatError
        raise kind(f"{path}: {size:,} bytes of data, but its header describes {needed:,}")


def floats_of(value: Any, source: _Source, what: str, shape: tuple[int | None, ...]) -> NDArray[np.float32]:
    """An array of float32 that the caller may write to, unless it is mapped; None in the shape stands for any size."""
    array = _array(value, source, what)
    fits = len(array.shape) == len(shape) and all(
        due in (None, size) for size, due in zip(array.shape, shape, strict=True)
    )
    if array.dtype.kind != "f" or not fits:
        wanted = ", ".join("any" if due is None else f"{due}" for due in shape)
        raise source.fault(f"{what} is {array.dtype} {list(array.shape)}, not of floats [{wanted}]")
    if array.dtype.itemsize > 4:
        logger.warning("%s: %s is %s and was rounded to float32", source.name, what, array.dtype)
    mapped = isinstance(array, np.memmap)
    with np.errstate(over="ignore", invalid="ignore"):  # the check below finds values that do not fit
        made = np.asarray(array, np.float32) if mapped else np.require(array, np.float32, ["C", "W", "E"])
    if not mapped and made.size and (row := check_finite(made)) is not None:
        raise source.fault(f"row {row:,} of {what} holds a NaN or an infinity")
    return made


# --- gensim's classes ---------------------------------------------------------------------------------------------


class _Words(NamedTuple):
    words: list[Any]
    attributes: dict[str, NDArray[Any]]
    codes: list[Any] | None  # of each word, in the order of the words
    points: list[Any] | None


def fields_of(value: Any, path: str, source: _Source, classes: tuple[str, ...]) -> dict[str, Any]:
    """The attributes of a gensim object; attributes in other files are `_Side`."""
    if type(value) is not _Object or value.name not in classes or type(value.state) is not dict:
        found = value.name if type(value) is _Object else type(value).__name__
        raise source.fault(f"a {found}, where gensim has a {classes[0]} with its attributes")
    fields = dict(value.state)
    for name in _names(fields.get("__ignoreds")):
        fields[name] = None
    for name in _names(fields.get("__numpys")):
        fields[name] = _Side(f"{path}.{name}.{'npz' if source.packed else 'npy'}")
    return fields


def _names(value: Any) -> list[str]:
    """Attribute names from a list in the file; they become parts of paths."""
    return [name for name in value if type(name) is str and name.isidentifier()] if type(value) is list else []


def vectors_of(top: Any, source: _Source, path: str | None = None) -> GensimFile:
    """Vectors alone, of any version; `path` is where their large arrays lie, if not beside the file."""
    fields = fields_of(top, path or source.name, source, _VECTOR_CLASSES)
    words = _words(fields, source)
    vectors = _input_rows(fields, words, fields, source)
    lock = _lockf(fields, len(words.words), source)
    return GensimFile("vectors", words.words, vectors, words.attributes, None, None, None, lock, {}, {}, fields, source)


def _model(top: Any, source: _Source) -> GensimFile:
    """A Word2Vec of any version: version 4 uses two objects, 3 uses four; before 1 the model held its vectors."""
    fields = fields_of(top, source.name, source, MODELS)
    for name, classes in _PARTS.items():
        if fields.get(name) is not None:
            fields |= fields_of(fields[name], f"{source.name}.{name}", source, classes)
    held = fields
    if fields.get("wv") is not None:
        held = fields_of(fields["wv"], f"{source.name}.wv", source, _VECTOR_CLASSES)
        if "key_to_index" not in held and "vocab" not in held:  # in 0.13.4, wv had no content when saved
            held = {**fields, **held}
    settings = _plain(fields, _SETTINGS, source)
    words = _words(held, source)
    vectors = _input_rows(held, words, settings, source)
    count, width = vectors.shape
    settings["vector_size"] = width
    # Rows of documents side by side make longer ones of outputs; a name of old files is that of vector_size, too.
    wide = fields.get("layer1_size") if top.name == "Doc2Vec" else None
    wide = wide if type(wide) is int and wide > 0 else width
    syn1neg = None
    if count and fields.get("syn1neg") is not None:
        syn1neg = floats_of(fields["syn1neg"], source, "syn1neg", (count, wide))
    syn1, paths = _nodes(fields.get("syn1"), words, wide, source)
    return GensimFile(
        kind=top.name.lower(),
        words=words.words,
        vectors=vectors,
        attributes=words.attributes,
        syn1neg=syn1neg,
        syn1=syn1,
        paths=paths,
        lockf=_lockf({**fields, **held}, count, source),
        settings=settings,
        state=_plain(fields, {name: (name,) for name in _STATE}, source),
        fields=fields,
        source=source,
    )


def _plain(fields: dict[str, Any], wanted: dict[str, tuple[str, ...]], source: _Source) -> dict[str, Any]:
    """Numbers, switches and strings, under our names."""
    found = {}
    for name, theirs in wanted.items():
        known = [fields[key] for key in theirs if key in fields]
        if known:
            if known[0] is not None and type(known[0]) not in (int, float, bool, str):
                raise source.fault(f"{name} is a {type(known[0]).__name__}, not a number")
            found[name] = known[0]
    return found


def _words(fields: dict[str, Any], source: _Source) -> _Words:
    words = next((fields[key] for key in ("index_to_key", "index2word", "index2entity") if key in fields), None)
    if "key_to_index" in fields:
        index, columns = fields["key_to_index"], fields.get("expandos") or {}
    else:
        index, columns = _old_vocabulary(fields.get("vocab"), source)
        if words is None and type(index) is dict:
            words = list(index)
    if type(words) is not list or type(index) is not dict or type(columns) is not dict:
        raise source.fault("no vocabulary: neither index_to_key and key_to_index, nor index2word and vocab")
    for kind in set(map(type, words)):
        if kind is not str and kind is not int:
            raise source.fault(f"a word is a {kind.__name__}, not a string or a number")
    # The index may lack a document whose key is its row number.
    unlisted = sum(word not in index for word in words)
    if len(index) + unlisted != len(words) or any(index.get(word, word) != row for row, word in enumerate(words)):
        raise source.fault("the list of words and the numbers of the words do not agree")
    attributes = _attributes(columns, len(words), source)
    codes, points = (_objects(columns.get(name), len(words), name, source) for name in ("code", "point"))
    return _Words(words, attributes, codes, points)


def _old_vocabulary(vocab: Any, source: _Source) -> tuple[dict[Any, int], dict[str, Any]]:
    """Make columns of the objects that gensim before 4 kept for each word: number, count and path."""
    if type(vocab) is not dict:
        raise source.fault("no vocabulary: neither key_to_index nor vocab")
    entries = []
    for word, entry in vocab.items():
        if type(entry) is not _Object or type(entry.state) is not dict or type(entry.state.get("index")) is not int:
            raise source.fault(f"the word {word!r:.60} has no index")
        entries.append((entry.state["index"], word, entry.state))
    entries.sort(key=lambda entry: entry[0])
    names = {name for name in ("count", "code", "point") if all(name in state for _, _, state in entries)}
    columns: dict[str, Any] = {name: [state[name] for _, _, state in entries] for name in sorted(names)}
    return {word: row for row, word, _ in entries}, columns


def _attributes(columns: dict[str, Any], words: int, source: _Source) -> dict[str, NDArray[Any]]:
    """Columns of numbers; the counts first."""
    if len(columns) > _MOST_ATTRIBUTES:
        raise source.fault(f"{len(columns):,} attributes of the words; gensim makes five")
    kept = {}
    if "count" in columns:
        kept["count"] = _counts(columns["count"], words, source)
    for name in sorted(key for key in columns if type(key) is str and key not in _DERIVED):
        array = _array_or_list(columns[name], source, f"the attribute {name!r:.60}")
        if isinstance(array, list):
            logger.warning("%s: the attribute %.60r of the words is no number and was left out", source.name, name)
            continue
        if array.shape != (words,):
            raise source.fault(f"the attribute {name!r:.60} has shape {list(array.shape)}, not [{words}]")
        kept[name] = np.array(array, array.dtype.newbyteorder("="))
    return kept


def _counts(value: Any, words: int, source: _Source) -> NDArray[np.int64]:
    if type(value) is list:
        if not set(map(type, value)) <= {int, float} or any(not 0 <= count < 1 << 63 for count in value):
            raise source.fault("a count of a word is not a number from 0 to 2**63 - 1")
        array = np.array(value, np.float64 if float in map(type, value) else np.int64)
    else:
        array = _array(value, source, "the counts of the words")
    if array.shape != (words,) or array.dtype.kind not in "iuf":
        raise source.fault(f"the counts of the words are {array.dtype} {list(array.shape)}, not numbers [{words}]")
    if array.size and not (array.min() >= 0 and array.max() < 2.0**63 and (array == np.floor(array)).all()):
        raise source.fault("the counts of the words are not whole numbers from 0 to 2**63 - 1")
    return array.astype(np.int64)


def _objects(value: Any, words: int, what: str, source: _Source) -> list[Any] | None:
    """A column of arrays, one per word, if there is one."""
    if value is None:
        return None
    items = value if type(value) is list else _array_or_list(value, source, what)
    return items if isinstance(items, list) and len(items) == words else None


def _input_rows(held: dict[str, Any], words: _Words, settings: dict[str, Any], source: _Source) -> NDArray[np.float32]:
    width, count = settings.get("vector_size"), len(words.words)
    value = held.get("vectors_vocab", held.get("vectors", held.get("syn0")))
    if not count and (value is None or type(value) is list):  # never trained; 3.x keeps an empty list
        if type(width) is not int or not 0 < width < 1 << 31:
            raise source.fault("no vectors, and no vector_size")
        return np.zeros((0, width), np.float32)
    if value is None:
        raise source.fault("it has no vectors (saved with ignore=?)")
    vectors = floats_of(value, source, "the matrix of vectors", (count, None))
    if not vectors.shape[1] or (type(width) is int and width != vectors.shape[1]):
        raise source.fault(f"vectors of {vectors.shape[1]:,} numbers, where vector_size={width}")
    return vectors


def _lockf(fields: dict[str, Any], words: int, source: _Source) -> NDArray[np.float32] | None:
    value = next((fields[key] for key in ("vectors_lockf", "syn0_lockf") if fields.get(key) is not None), None)
    if value is None or type(value) is list:
        return None
    lockf = floats_of(value, source, "vectors_lockf", (None,))
    if len(lockf) not in (1, words):
        raise source.fault(f"vectors_lockf has {len(lockf):,} numbers for {words:,} words")
    return None if (lockf == 1).all() else lockf


# --- hierarchical softmax -----------------------------------------------------------------------------------------


def _nodes(
    value: Any, words: _Words, width: int, source: _Source
) -> tuple[NDArray[np.float32] | None, TreePaths | None]:
    """The rows of the inner nodes, and the paths that lead over them."""
    count = len(words.words)
    if value is None or not count:
        return None, None
    nodes = floats_of(value, source, "syn1", (None, width))
    if len(nodes) not in (count - 1, count):  # gensim has a row too many
        raise source.fault(f"syn1 has {len(nodes):,} rows for {count:,} words")
    if words.codes is None or words.points is None or "count" not in words.attributes:
        return nodes, None
    return nodes, _their_paths(words.codes, words.points, len(nodes), source)


def _their_paths(codes: list[Any], points: list[Any], rows: int, source: _Source) -> TreePaths:
    """The paths in the file as flat arrays, checked.

    The paths are views of the file. Words of a hostile file may share one, so that copies would fill the memory; in
    gensim's own files each word has a path of its own, and all paths together are not longer than the file.
    """
    flat: list[list[NDArray[Any]]] = [[], []]
    left = source.size
    for into, column in zip(flat, (codes, points), strict=True):
        for value in column:
            path = _array_or_list(value, source, "the path of a word") if type(value) is _Object else value
            path = np.zeros(0, np.int64) if isinstance(path, list) and not path else path
            if not isinstance(path, np.ndarray) or path.ndim != 1 or path.dtype.kind not in "iu":
                raise source.fault("the path of a word in the Huffman tree is no list of numbers")
            if len(path) > _LONGEST_PATH:
                raise source.fault(f"a path of {len(path):,} nodes in the Huffman tree")
            left -= path.nbytes
            if left < 0:
                raise source.fault("the paths of the words in the Huffman tree are longer than the file")
            into.append(path)
    lengths = [np.array([len(path) for path in paths], np.int64) for paths in flat]
    code, point = (np.concatenate([np.zeros(0, np.int64), *paths], dtype=np.int64, casting="unsafe") for paths in flat)
    if (lengths[0] != lengths[1]).any() or ((code < 0) | (code > 1)).any() or ((point < 0) | (point >= rows)).any():
        raise source.fault("code and point of the words do not describe a Huffman tree over syn1")
    return TreePaths(np.concatenate([[0], np.cumsum(lengths[0])]), point.astype(np.int32), (1 - code).astype(np.int8))
