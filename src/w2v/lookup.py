"""The table under KeyedVectors: keys, their rows and attributes, and every way to change them."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from w2v import queries

Array = NDArray[Any]
Key = str | int

_SPELLINGS = 50_000  # most frequent words among which a misspelt one is looked for
_CANDIDATES = 2_000  # of them, how many are compared in earnest


class UnknownKeyError(KeyError):
    """A KeyError that looks for close spellings only when somebody reads it: a miss itself stays cheap."""

    def __init__(self, key: object, keys: Sequence[object]) -> None:
        super().__init__(f"{key!r} is not among the {len(keys):,} words kept")
        self._key, self._keys = key, keys

    def __str__(self) -> str:
        if not isinstance(self._key, str):
            return str(self.args[0])
        near = [
            word
            for word in self._keys[:_SPELLINGS]
            if isinstance(word, str) and word[:1] == self._key[:1] and abs(len(word) - len(self._key)) <= 2
        ]
        close = difflib.get_close_matches(self._key, near[:_CANDIDATES], 3, 0.75)
        return str(self.args[0]) + (f"; close to it: {', '.join(map(repr, close))}" if close else "")

    def __reduce__(self) -> tuple[Any, ...]:
        return KeyError, (str(self),)  # not the whole vocabulary


class Lookup:
    """Keys, their rows and attributes: all of `KeyedVectors` but the questions of similarity."""

    # Factors of the gradients, one for all rows or one for each. Only the vectors of a model have any.
    vectors_lockf: Array = np.broadcast_to(np.float32(1), 1)

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

    # Look-up

    def __getitem__(self, key_or_keys: Any) -> Array:
        """Return one key's vector, a read-only view, or those of several keys, a copy [keys, vector_size]."""
        if isinstance(key_or_keys, (str, int, np.integer)):
            return self.get_vector(key_or_keys)
        rows: Array = self.vectors[self.rows_of(key_or_keys)]
        return rows

    def get_index(self, key: Any, default: Any = None) -> int:
        """Return the row of a key; an int that is no key is a row itself.

        Raises
        ------
        KeyError
            No such key, and no `default` given.
        """
        row = self.key_to_index.get(key)
        if row is not None:
            return row
        if isinstance(key, (int, np.integer)) and 0 <= key < len(self):
            return int(key)
        if default is not None:
            return default  # type: ignore[no-any-return]
        raise UnknownKeyError(key, self.index_to_key)

    def has_index_for(self, key: Any) -> bool:
        """Say whether `get_index` would find the key."""
        return self.get_index(key, -1) >= 0

    def get_vector(self, key: Any, norm: bool = False) -> Array:
        """Return one key's vector: a read-only view, or with ``norm=True`` a unit-length copy."""
        row = self.get_index(key)
        if norm:
            unit: Array = queries.unit_rows(self.vectors[row : row + 1], self._norms()[row : row + 1])[0]
            return unit
        vector: Array = self.vectors[row]
        vector.flags.writeable = False
        return vector

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
            No keys, or not one weight for each; a vector of another size, or with a NaN or infinity.
        """
        keys = list(keys)
        factors = np.ones(len(keys)) if weights is None else np.asarray(weights, np.float64)
        if not keys:
            raise ValueError("cannot average no keys at all")
        if factors.shape != (len(keys),):
            raise ValueError(f"{len(keys)} keys, but weights of shape {factors.shape}; give one for each")
        total, mean = 0.0, np.zeros(self.vector_size)
        for key, factor in zip(keys, factors.tolist(), strict=True):
            if isinstance(key, np.ndarray):
                vector = self._checked(key)
            elif self.has_index_for(key):
                vector = self.get_vector(key, norm=pre_normalize)
            elif ignore_missing:
                continue
            else:
                raise UnknownKeyError(key, self.index_to_key)
            mean += factor * vector.astype(np.float64)
            total += abs(factor)
        if total > 0:
            mean /= total
        return queries.unit(mean) if post_normalize else mean.astype(np.float32)

    def get_normed_vectors(self) -> Array:
        """Return a copy of all vectors at unit length; zero vectors stay zero."""
        return queries.unit_rows(self.vectors, self._norms())

    def fill_norms(self, force: bool = False) -> None:
        """Compute `norms` if they are not known, or anew with ``force=True``."""
        if force:
            self.norms = None
        self._norms()

    def unit_normalize_all(self) -> None:
        """Scale all vectors to unit length in place; a model so treated should not be trained on."""
        self._writable_vectors()[:] = self.get_normed_vectors()
        self.norms = None

    def _norms(self) -> Array:
        norms = self.norms  # read once: another thread may change it
        if norms is None or len(norms) != len(self.vectors):
            norms = self.norms = queries.row_norms(self.vectors)
        return norms

    def rows_of(self, keys: Iterable[Any]) -> list[int]:
        """Return the rows of several keys; KeyError as in `get_index`."""
        return [self.get_index(key) for key in keys]

    def _checked(self, vector: ArrayLike) -> Array:
        checked = np.asarray(vector)
        if checked.shape != (self.vector_size,):
            raise ValueError(f"a vector of shape {checked.shape}, where vector_size is {self.vector_size}")
        if not np.isfinite(checked).all():
            raise ValueError("a vector that holds a NaN or an infinity has no neighbours")
        return checked

    def _vector_of(self, item: Any) -> Array:
        return self._checked(item) if isinstance(item, np.ndarray) else self.get_vector(item)

    # Change

    def __setitem__(self, keys: Any, weights: ArrayLike) -> None:
        """Set the vector of one key, or those of a list of keys; new keys are appended."""
        if not isinstance(keys, list):
            keys, weights = [keys], np.reshape(weights, (1, -1))
        self.add_vectors(keys, weights, replace=True)

    def add_vector(self, key: Key, vector: ArrayLike) -> int:
        """Add one vector, in the next free row or a new one; return the row.

        Many single additions beyond the ``count`` given to the constructor are slow: each copies all vectors.
        A key that is already there keeps its vector.
        """
        free = self.next_index < len(self) and self.index_to_key[self.next_index] is None
        if key in self.key_to_index or not free:
            self.add_vectors([key], np.reshape(vector, (1, -1)))
            return self.key_to_index[key]
        row = self.next_index
        self._writable_vectors()[row] = self._shaped(np.reshape(vector, (1, -1)), 1)[0]
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
        keys = list(keys)
        matrix = self._shaped(weights, len(keys))
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

    def _shaped(self, weights: ArrayLike, count: int) -> Array:
        matrix = np.asarray(weights, self.vectors.dtype)
        if matrix.shape != (count, self.vector_size) and (count or matrix.size):
            raise ValueError(f"weights of shape {matrix.shape}, not [{count}, {self.vector_size}]")
        return matrix

    def _writable_vectors(self) -> Array:
        if not self.vectors.flags.writeable:  # mapped from a file
            self.vectors = self.vectors.copy()
        return self.vectors

    def allocate_vecattrs(self, attrs: Sequence[str] | None = None, types: Sequence[Any] | None = None) -> None:
        """Make room for these attributes, and for all words in the attributes there are; what is new is 0.

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
        """Reorder all rows by ``count``, if there is one; equal counts come in reverse of their old order."""
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
