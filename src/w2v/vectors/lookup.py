"""The table under KeyedVectors: keys, their rows and attributes, and every way to change them."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from w2v.common import checks
from w2v.vectors import queries
from w2v.vectors.spelling import UnknownKeyError, row_of_term

Array = NDArray[Any]
Key = str | int

_Answer = TypeVar("_Answer")


def check_list(name: str, items: Any) -> list[Any]:
    """Return the items as a list; TypeError for a string, which is one word and not a list of characters."""
    refuse_text(name, items)
    try:
        return list(items)
    except TypeError:
        raise TypeError(f"{name}={items!r:.80} must be a list of words") from None


def refuse_text(name: str, items: Any) -> None:
    refuse_bytes(name, items)
    if isinstance(items, str):
        raise TypeError(f"{name}={items!r:.80} is a string, not a list of words; put it into a list, or split a text")


def refuse_bytes(name: str, value: Any) -> None:
    if isinstance(value, bytes | bytearray):
        raise TypeError(f"{name}={value!r:.80} is bytes, and words are str; decode it first: .decode('utf-8')")


def is_decimal(key: object) -> bool:
    """Whether a key is an integer as `str` writes it."""
    return isinstance(key, str) and key.removeprefix("-").isdecimal() and key.isascii() and str(int(key)) == key


def _has_digits(table: "Lookup") -> bool:
    """Whether all keys are decimal integers."""
    known, keys = table._digits, table.index_to_key
    if known[0] is not keys or known[1] != len(keys):
        known = table._digits = keys, len(keys), bool(keys) and all(map(is_decimal, keys))
    return known[2]


def check_vector(vector: ArrayLike, size: int) -> Array:
    """Return the vector as an array; ValueError if it is of another size, or no numbers."""
    checked = np.asarray(vector)
    if checked.shape != (size,):
        raise ValueError(f"a vector of shape {checked.shape}, where vector_size is {size}")
    if not np.isfinite(checked).all():
        raise ValueError("a vector that holds a NaN or an infinity has no neighbours")
    return checked


def whole_or_none(name: str, value: Any, least: int = -sys.maxsize) -> int | None:
    """Return `value` as an int of at least `least`, or None for None; a bool is refused."""
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name}={value!r} must be an integer")
    return None if value is None else checks.integer(name, value, least, sys.maxsize)


class Lookup:
    """Keys, their rows and attributes: all of `KeyedVectors` except similarity queries."""

    # Factors of the gradients, one for all rows or one for each. Only a model sets them.
    vectors_lockf: Array = np.broadcast_to(np.float32(1), 1)

    # The state of the matrix is kept apart from the attributes that pickles and dependents know.
    __slots__ = ("__dict__", "__weakref__", "_digits", "_known", "_lending", "_view")
    _view: Array | None  # view on the matrix, for reading in this class
    _lending: object  # changes whenever the matrix is given out or replaced
    _digits: tuple[list[Any] | None, int, bool]  # whether so many keys, in this list, are decimal integers
    _known: tuple[object, Array] | None  # norms, and the `_lending` at their measurement

    def __new__(cls, *args: Any, **options: Any) -> Self:
        made = super().__new__(cls)
        made._digits = None, 0, False
        made._view, made._lending, made._known = None, object(), None
        return made

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def __init__(
        self, vector_size: int, count: int = 0, dtype: DTypeLike = np.float32, mapfile_path: Any = None
    ) -> None:
        if vector_size < 1 or count < 0:
            raise ValueError(f"vector_size={vector_size}, count={count}; a vector needs a size of at least 1")
        self.vector_size = vector_size
        self.index_to_key: list[Any] = [None] * count
        self.next_index = 0
        self.key_to_index: dict[Any, int] = {}
        self.vectors: Array = np.zeros((count, vector_size), dtype)
        self.norms: Array | None = None
        self.expandos: dict[str, Array] = {}
        self.mapfile_path = mapfile_path

    def __str__(self) -> str:
        return f"{type(self).__name__}<vector_size={self.vector_size}, {len(self)} keys>"

    def __len__(self) -> int:
        return len(self.index_to_key)

    def __contains__(self, key: object) -> bool:
        return self.has_index_for(key)

    # The matrix

    @property
    def vectors(self) -> Array:
        """The matrix [words, vector_size]. It may be a strided view on a larger one, and it may be written to."""
        self._lending = object()
        return self.__dict__["vectors"]  # type: ignore[no-any-return]

    @vectors.setter
    def vectors(self, matrix: Array) -> None:
        self.__dict__["vectors"] = matrix
        self._lending = object()

    def peek(self) -> Array:
        """Return the matrix for reading only: unlike `vectors`, this does not count as giving it out."""
        matrix, view = self.__dict__["vectors"], self._view
        if view is None or view.base.obj is not matrix:  # type: ignore[union-attr]
            # Without the memoryview, views on this view, such as those of `get_vector`, would hold the matrix itself
            # and count as holders that may write to it.
            view = np.asarray(memoryview(matrix).toreadonly())
            self._view, self._lending = view, object()
        return view

    def _references(self) -> list[int]:
        """Count the references to the matrix, and to the owner of its memory."""
        self.peek()  # the view is one of the references
        links = [self.__dict__["vectors"]]
        while (below := _memory_of(links[-1])) is not None:
            links.append(below)
        if not isinstance(links[-1], np.ndarray) and _is_constant(links[-1]):
            while not isinstance(links[-1], np.ndarray):
                links.pop()
        return list(map(sys.getrefcount, links))

    def _is_lent(self) -> bool:
        """Say whether other code holds the matrix or a view on its memory, and so may write to it at any time.

        `numpy.ndarray.resize` checks in the same way. Training holds the matrix, and so does a caller who assigned it.
        """
        found = self._references()
        return found[0] > _ALONE[0] or any(count > _ALONE[1] for count in found[1:])

    def over_rows(self, question: Callable[[Array, Array | None], _Answer]) -> _Answer:
        """Apply a function to all rows and their norms; norms are None while other code may write to the rows.

        Norms are cached only as long as no other code can have changed the rows. If the matrix was given out during
        the call, the function is applied again.
        """
        rows, lending = self.peek(), self._lending
        norms = self._lasting_norms(rows, lending)
        answer = question(rows, norms)
        if norms is not None and lending is not self._lending:
            return question(rows, None)
        return answer

    def _lasting_norms(self, rows: Array, lending: object) -> Array | None:
        if self._is_lent():
            return None
        known = self._known
        if known is None or known[0] is not lending or known[1] is not self.norms:
            known = self._known = lending, queries.row_norms(rows)
            self.norms = known[1]
        return known[1]

    def fill_norms(self, force: bool = False) -> None:
        """Compute `norms` if they are unknown or may be outdated, or always with ``force=True``."""
        if force:
            self.norms = None
        rows = self.peek()
        if self._lasting_norms(rows, self._lending) is None:
            self.norms = queries.row_norms(rows)

    # Look-up

    def __getitem__(self, key_or_keys: Any) -> Array:
        """Return one key's vector, a read-only view, or those of several keys, a copy [keys, vector_size]."""
        if isinstance(key_or_keys, (str, int, np.integer)):
            return self.get_vector(key_or_keys)
        rows: Array = self.peek()[self.rows_of(key_or_keys)]
        return rows

    def get_index(self, key: Any, default: Any = None) -> int:
        """Return the row of a key; an int that is not a key is itself a row.

        Where all keys are decimal integers, as in a model of random walks, an int asks for the key of its digits, and
        is no row.

        Raises
        ------
        KeyError
            No such key, and no `default` given.
        TypeError
            Bytes, where words are str.
        """
        row = self.key_to_index.get(key)
        if row is not None:
            return row
        if isinstance(key, (int, np.integer)):
            row = self.key_to_index.get(str(int(key))) if _has_digits(self) else int(key)
            if row is not None and 0 <= row < len(self):
                return row
        refuse_bytes("key", key)
        if (row := row_of_term(key, self)) is not None:
            return row
        if default is not None:
            return default  # type: ignore[no-any-return]
        raise UnknownKeyError(key, self.index_to_key)

    def has_index_for(self, key: Any) -> bool:
        """Say whether `get_index` would find the key."""
        return self.get_index(key, -1) >= 0

    def get_vector(self, key: Any, norm: bool = False) -> Array:
        """Return one key's vector: a read-only view, or with ``norm=True`` a unit-length copy."""
        row = self.get_index(key, -1)
        vector: Array = self.peek()[row] if row >= 0 else self.vector_of_unknown(key)
        return queries.unit_rows(vector[np.newaxis], None)[0] if norm else vector

    def vector_of_unknown(self, key: Any) -> Array:
        """Return a vector for a key that has no row; KeyError if there is none."""
        raise UnknownKeyError(key, self.index_to_key)

    def get_mean_vector(
        self,
        keys: Any,
        weights: ArrayLike | None = None,
        pre_normalize: bool = True,
        post_normalize: bool = False,
        ignore_missing: bool = True,
    ) -> Array:
        """Average vectors, float32 [vector_size].

        Parameters
        ----------
        keys : list of str, int or ndarray
            An ndarray is taken as it is, `pre_normalize` or not.
        weights : array_like, optional
            One per key; the sum is divided by the sum of their absolute values.
        pre_normalize : bool, default True
            Scale the vector of each key to unit length first.
        post_normalize : bool, default False
            Scale the mean to unit length.
        ignore_missing : bool, default True
            Leave unknown keys out; otherwise they raise KeyError.

        Raises
        ------
        ValueError
            No keys, or not one weight for each; a vector of another size; a NaN or infinity in it or in `weights`.
        """
        keys = check_list("keys", keys)
        factors = np.ones(len(keys)) if weights is None else _factors(weights)
        if not keys:
            raise ValueError("cannot average no keys at all")
        if factors.shape != (len(keys),):
            raise ValueError(f"{len(keys)} keys, but weights of shape {factors.shape}; give one for each")
        total, mean = 0.0, np.zeros(self.vector_size)
        for key, factor in zip(keys, factors.tolist(), strict=True):
            try:
                given = isinstance(key, np.ndarray)
                vector = check_vector(key, self.vector_size) if given else self.get_vector(key, norm=pre_normalize)
            except KeyError:
                if ignore_missing:
                    continue
                raise
            mean += factor * vector.astype(np.float64)
            total += abs(factor)
        if total > 0:
            mean /= total
        return queries.unit(mean) if post_normalize else mean.astype(np.float32)

    def get_normed_vectors(self) -> Array:
        """Return a copy of all vectors at unit length; zero vectors stay zero."""
        return self.over_rows(queries.unit_rows)

    def unit_normalize_all(self) -> None:
        """Scale all vectors to unit length in place; a model so treated should not be trained on."""
        units = self.get_normed_vectors()
        if units.dtype == self.peek().dtype:
            self._writable_vectors()[:] = units
        else:  # integers could not hold them
            self.vectors = units
        self.norms = None

    def rows_of(self, keys: Iterable[Any]) -> list[int]:
        """Return the rows of several keys; KeyError as in `get_index`."""
        return [self.get_index(key) for key in check_list("keys", keys)]

    def _vector_of(self, item: Any) -> Array:
        return check_vector(item, self.vector_size) if isinstance(item, np.ndarray) else self.get_vector(item)

    # Change

    def __setitem__(self, keys: Any, weights: ArrayLike) -> None:
        """Set the vector of one key, or those of a list of keys; new keys are appended."""
        refuse_bytes("key", keys)
        if not isinstance(keys, list):
            keys, weights = [keys], np.reshape(weights, (1, -1))
        self.add_vectors(keys, weights, replace=True)

    def add_vector(self, key: Key, vector: ArrayLike) -> int:
        """Add one vector, in the next free row or a new one; return the row.

        Many single additions beyond the ``count`` given to the constructor are slow: each copies all vectors.
        A key that is already there keeps its vector.
        """
        refuse_bytes("key", key)
        free = self.next_index < len(self) and self.index_to_key[self.next_index] is None
        if key in self.key_to_index or not free:
            self.add_vectors([key], np.reshape(vector, (1, -1)))
            return self.key_to_index[key]
        row = self.next_index
        self._writable_vectors()[row] = self._as_rows(np.reshape(vector, (1, -1)), 1)[0]
        self.index_to_key[row] = key
        self.key_to_index[key] = row
        self.next_index += 1
        self.norms = None
        return row

    def add_vectors(
        self,
        keys: Any,
        weights: ArrayLike,
        extras: dict[str, ArrayLike] | None = None,
        replace: bool = False,
    ) -> None:
        """Append keys and their vectors.

        Parameters
        ----------
        keys : list of str or int
            Or a single key, with a single vector.
        weights : array_like [keys, vector_size]
            Cast to the dtype of `vectors`.
        extras : dict of str to array_like [keys], optional
            Attributes of the keys, such as ``count``. Others get 0.
        replace : bool, default False
            What to do with keys that are already there: keep their vectors, or take the new ones.
        """
        if isinstance(keys, (str, int, np.integer)):
            keys, weights = [keys], np.reshape(weights, (1, -1))
        keys = check_list("keys", keys)
        for key in keys:
            refuse_bytes("key", key)
        matrix = self._as_rows(weights, len(keys))
        attributes = {name: np.asarray(values) for name, values in (extras or {}).items()}
        for name, values in attributes.items():
            if values.shape[:1] != (len(keys),):
                raise ValueError(f"{len(keys)} keys, but {name!r} of shape {values.shape}; give one for each")
        self.allocate_vecattrs(list(attributes), [values.dtype.type for values in attributes.values()])
        source = {key: i for i, key in enumerate(keys)} if replace else {}
        for i, key in enumerate(keys):
            source.setdefault(key, i)
        fresh = [key for key in source if key not in self.key_to_index]
        stale = [key for key in source if key in self.key_to_index and replace]
        if stale:
            self._writable_vectors()[self.rows_of(stale)] = matrix[[source[key] for key in stale]]
        if fresh:
            self.vectors = np.concatenate([self.vectors, matrix[[source[key] for key in fresh]]])
            self.key_to_index.update((key, len(self) + i) for i, key in enumerate(fresh))
            self.index_to_key.extend(fresh)
            self.allocate_vecattrs()
        changed = stale + fresh
        for name, values in attributes.items():
            self.expandos[name][self.rows_of(changed)] = values[[source[key] for key in changed]]
        self.norms = None

    def _as_rows(self, weights: ArrayLike, count: int) -> Array:
        matrix = np.asarray(weights, self.peek().dtype)
        if matrix.shape != (count, self.vector_size) and (count or matrix.size):
            raise ValueError(f"weights of shape {matrix.shape}, not [{count}, {self.vector_size}]")
        return matrix

    def _writable_vectors(self) -> Array:
        if not self.vectors.flags.writeable:  # mapped from a file
            self.vectors = self.vectors.copy()
        return self.vectors

    def allocate_vecattrs(self, attrs: Sequence[str] | None = None, types: Sequence[Any] | None = None) -> None:
        """Make room for these attributes, and for all words in the existing ones; new values are 0.

        Raises
        ------
        TypeError
            An attribute exists with another type.
        """
        for name, kind in zip(attrs or (), types or (), strict=True):
            dtype = np.dtype(object if issubclass(kind, str) else kind)
            known = self.expandos.setdefault(name, np.zeros(0, dtype)).dtype
            if known != dtype:
                raise TypeError(f"the attribute {name!r} holds {known}, not {dtype}")
        for name, values in self.expandos.items():
            if len(values) != len(self):
                grown = np.zeros((len(self), *values.shape[1:]), values.dtype)
                shared = min(len(values), len(self))
                grown[:shared] = values[:shared]
                self.expandos[name] = grown

    def get_vecattr(self, key: Any, attr: str) -> Any:
        """Return an attribute of a key, such as ``count``."""
        return self.expandos[attr][self.get_index(key)]

    def set_vecattr(self, key: Any, attr: str, val: Any) -> None:
        """Set an attribute of a key; a new attribute takes the type of the value."""
        row = self.get_index(key)
        self.allocate_vecattrs([attr], [type(val)])
        self.expandos[attr][row] = val

    def sort_by_descending_frequency(self) -> None:
        """Reorder all rows by ``count``, if it exists; equal counts come in reverse of their old order."""
        if "count" not in self.expandos or not len(self):
            return
        self.allocate_vecattrs()
        order = np.argsort(self.expandos["count"], kind="stable")[::-1]
        if len(self.vectors):
            self.vectors = self.vectors[order]
        self.index_to_key = [self.index_to_key[row] for row in order.tolist()]
        self.expandos = {name: values[order] for name, values in self.expandos.items()}
        self.key_to_index = {key: row for row, key in enumerate(self.index_to_key)}
        self.norms = None

    def resize_vectors(self, seed: int = 0) -> None:
        """Give every key a row; new rows are uniform in [-1/vector_size, 1/vector_size).

        A new row depends on `seed` and its position alone.
        """
        old = self.vectors
        if len(old) != len(self):
            self.vectors = (
                np.random.default_rng(seed)
                .random((len(self), self.vector_size), np.float32)
                .astype(old.dtype, copy=False)
            )
            self.vectors *= 2
            self.vectors -= 1
            self.vectors /= self.vector_size
            shared = min(len(old), len(self))
            self.vectors[:shared] = old[:shared]
        self.norms = None


def _memory_of(holder: Any) -> Any:
    """What an array, or a memoryview below one, lies in; None if that is its own, or cannot be said."""
    if isinstance(holder, memoryview):
        return holder.obj
    return holder.base if isinstance(holder, np.ndarray) else None


def _is_constant(memory: Any) -> bool:
    """Whether nobody writes to what an array lies in: bytes, or a file that is mapped read-only."""
    try:
        with memoryview(memory) as view:
            return view.readonly
    except TypeError:  # it gives its memory away in another way
        return False


def _factors(weights: ArrayLike) -> Array:
    given = np.asarray(weights)
    if given.size and given.dtype.kind not in "iuf":
        raise TypeError(f"weights={weights!r:.80} must be numbers")
    if not np.isfinite(given).all():
        raise ValueError(f"weights={weights!r:.80} must be finite")
    return given.astype(np.float64)


def _references_of_none() -> list[int]:
    """The result of `_references` without other holders, for a view on an array."""
    table = Lookup(1)
    table.vectors = np.zeros((2, 1))[:1]
    return table._references()


_ALONE = _references_of_none()
