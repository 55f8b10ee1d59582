# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Columns of tables as bytes and integers: the Arrow C data interface, which pyarrow, polars, pandas and others give.

No library of Arrow is needed here: who has a column hands over its buffers in a capsule (the PyCapsule protocol).
"""

import numpy as np

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy, memset


cdef extern from "_text.h" nogil:
    void copy_as_line(uint8_t *out, const void *text, uint64_t size) noexcept

cdef extern from "_arrow.h" nogil:
    enum:
        ARROW_OTHER
        ARROW_STRINGS
        ARROW_INTEGERS
        ARROW_LISTS
    cdef struct ArrowSchema:
        const char *format
        ArrowSchema **children
        ArrowSchema *dictionary
        void (*release)(ArrowSchema *) noexcept
    cdef struct ArrowArray:
        int64_t length
        int64_t offset
        ArrowArray **children
        ArrowArray *dictionary
        void (*release)(ArrowArray *) noexcept
    cdef struct ArrowArrayStream:
        int (*get_schema)(ArrowArrayStream *, ArrowSchema *) noexcept
        int (*get_next)(ArrowArrayStream *, ArrowArray *) noexcept
        const char *(*get_last_error)(ArrowArrayStream *) noexcept
    int kind_of(const ArrowSchema *schema) noexcept
    int is_null(const ArrowArray *array, int64_t i) noexcept
    int may_have_nulls(const ArrowArray *array) noexcept
    void copy_integers(int64_t *out, const ArrowArray *array, char format, int64_t first, int64_t count,
                       int *over) noexcept
    int64_t string_at(const ArrowArray *array, const ArrowSchema *schema, int64_t i, const uint8_t **start) noexcept
    int64_t list_at(const ArrowArray *array, const ArrowSchema *schema, int64_t i, int64_t *begin) noexcept


cdef class Type:
    """The type of a column.

    Attributes
    ----------
    kind : {"texts", "tokens", "integers", "other"}
        Strings, lists of strings, lists of integers, or what cannot be read.
    indexed : bool
        Whether the strings of lists are numbers of those in a dictionary.
    """

    cdef ArrowSchema schema
    cdef readonly str kind
    cdef readonly bint indexed

    def __cinit__(self):
        memset(&self.schema, 0, sizeof(ArrowSchema))

    def __dealloc__(self):
        if self.schema.release != NULL:
            self.schema.release(&self.schema)

    cdef void name_kind(self) except *:
        cdef int kind = kind_of(&self.schema), item
        self.indexed = kind == ARROW_LISTS and self.schema.children[0].dictionary != NULL
        self.kind = "texts" if kind == ARROW_STRINGS else "other"
        if kind == ARROW_LISTS:
            item = kind_of(self.schema.children[0])
            self.kind = "tokens" if item == ARROW_STRINGS else "integers" if item == ARROW_INTEGERS else "other"


cdef class Chunk:
    """Some rows of a column. Any number of threads may read it.

    Attributes
    ----------
    type : Type
    """

    cdef ArrowArray array
    cdef readonly Type type
    cdef object _words

    def __cinit__(self):
        memset(&self.array, 0, sizeof(ArrowArray))

    def __dealloc__(self):
        if self.array.release != NULL:
            self.array.release(&self.array)

    def __len__(self):
        return self.array.length

    def cut(self, int64_t begin, int64_t size):
        """The row behind those from `begin` on that have together `size` bytes or values, if there are so many."""
        cdef int64_t row, length, held = 0, start
        cdef const uint8_t *text
        cdef bint strings = self.type.kind == "texts"
        with nogil:
            for row in range(begin, self.array.length):
                if strings:
                    length = string_at(&self.array, &self.type.schema, row, &text)
                else:
                    length = list_at(&self.array, &self.type.schema, row, &start)
                held += length + 1 if length > 0 else 1
                if held >= size:
                    break
            else:
                row = self.array.length - 1
        return row + 1

    def text(self, int64_t begin, int64_t end):
        """Rows of strings as UTF-8, a line each; line ends within them become blanks, a null an empty line; uint8."""
        cdef int64_t row, length, size = 0, at = 0
        cdef const uint8_t *start = NULL
        with nogil:
            for row in range(begin, end):
                length = string_at(&self.array, &self.type.schema, row, &start)
                size += length + 1 if length > 0 else 1
        lines = np.empty(size + 1, np.uint8)
        cdef uint8_t[::1] out = lines
        with nogil:
            for row in range(begin, end):
                length = string_at(&self.array, &self.type.schema, row, &start)
                if length > 0:
                    copy_as_line(&out[at], start, length)
                    at += length
                out[at] = b'\n'
                at += 1
        return lines[:at]

    def words(self):
        """The dictionary of an indexed chunk: UTF-8 of its strings and where each begins, uint8 and int64."""
        cdef const ArrowArray *words = self.array.children[0].dictionary
        cdef const ArrowSchema *schema = self.type.schema.children[0].dictionary
        cdef int64_t i, length, size = 0, n = words.length
        cdef const uint8_t *start = NULL
        if self._words is None:
            for i in range(n):
                length = string_at(words, schema, i, &start)
                size += length if length > 0 else 0
            data, offsets = np.empty(size + 1, np.uint8), np.zeros(n + 1, np.int64)
            self._copy_words(data, offsets)
            self._words = data, offsets
        return self._words

    cdef int _copy_words(self, uint8_t[::1] data, int64_t[::1] offsets) except -1:
        cdef const ArrowArray *words = self.array.children[0].dictionary
        cdef const ArrowSchema *schema = self.type.schema.children[0].dictionary
        cdef int64_t i, length, at = 0
        cdef const uint8_t *start = NULL
        with nogil:
            for i in range(words.length):
                length = string_at(words, schema, i, &start)
                if length > 0:
                    memcpy(&data[at], start, length)
                    at += length
                offsets[i + 1] = at
        return 0

    def values(self, int64_t begin, int64_t end):
        """Rows of lists: their values one behind the other, and how many precede each row's end.

        Returns
        -------
        data, offsets : uint8 and int64 [values + 1], or int64 and None
            UTF-8 of strings, and where each begins; or integers, also those of an indexed chunk.
        ends : int64 [end - begin]
        null : int
            The first row with a null among its values, or with an integer of more than 63 bits; -1 if there is none.
        """
        cdef const ArrowSchema *schema = &self.type.schema
        cdef const ArrowArray *child = self.array.children[0]
        cdef const ArrowSchema *item = schema.children[0]
        cdef int64_t row, i, first = 0, count, total = 0, size = 0, n = 0, at = 0, length, null = -1
        cdef const uint8_t *start = NULL
        cdef bint indexed = self.type.indexed, strings = self.type.kind == "tokens" and not indexed
        cdef bint nulls = may_have_nulls(child) or (indexed and may_have_nulls(child.dictionary))
        cdef int over = 0
        cdef uint8_t[::1] out
        cdef int64_t[::1] offset, integer
        ends = np.empty(end - begin, np.int64)
        cdef int64_t[::1] stop = ends
        with nogil:
            for row in range(begin, end):
                count = list_at(&self.array, schema, row, &first)
                if strings or nulls:
                    for i in range(first, first + count):
                        if strings or indexed:
                            length = string_at(child, item, i, &start)
                            size += length if length > 0 else 0
                            if length < 0 and null < 0:
                                null = row
                        elif is_null(child, i) and null < 0:
                            null = row
                total += count
                stop[row - begin] = total
        if null >= 0:
            return None, None, ends, null
        if not strings:
            data = np.empty(total, np.int64)
            integer = data
            with nogil:
                for row in range(begin, end):
                    count = list_at(&self.array, schema, row, &first)
                    copy_integers(&integer[n], child, item.format[0], first, count, &over)
                    n += count
                    if over and null < 0:
                        null = row
            return data, None, ends, null
        data, offsets = np.empty(size + 1, np.uint8), np.zeros(total + 1, np.int64)
        out, offset = data, offsets
        with nogil:
            for row in range(begin, end):
                count = list_at(&self.array, schema, row, &first)
                for i in range(first, first + count):
                    length = string_at(child, item, i, &start)
                    memcpy(&out[at], start, length)
                    at += length
                    n += 1
                    offset[n] = at
        return data[:at], offsets, ends, null


def chunks_of(column):
    """Yield the chunks of a column that speaks the PyCapsule protocol.

    Raises
    ------
    RuntimeError
        With what its owner says is wrong.
    """
    cdef ArrowArrayStream *stream
    cdef ArrowSchema *schema
    cdef ArrowArray *array
    cdef Chunk chunk
    cdef Type kind = Type()
    if hasattr(column, "__arrow_c_array__"):
        first, second = column.__arrow_c_array__()
        schema = <ArrowSchema *>PyCapsule_GetPointer(first, b"arrow_schema")
        array = <ArrowArray *>PyCapsule_GetPointer(second, b"arrow_array")
        kind.schema = schema[0]
        schema.release = NULL
        kind.name_kind()
        chunk = Chunk()
        chunk.array, chunk.type = array[0], kind
        array.release = NULL
        yield chunk
        return
    capsule = column.__arrow_c_stream__()
    stream = <ArrowArrayStream *>PyCapsule_GetPointer(capsule, b"arrow_array_stream")
    if stream.get_schema(stream, &kind.schema):
        raise RuntimeError((stream.get_last_error(stream) or b"no schema").decode("utf-8", "replace"))
    kind.name_kind()
    while True:
        chunk = Chunk()
        if stream.get_next(stream, &chunk.array):
            raise RuntimeError((stream.get_last_error(stream) or b"no data").decode("utf-8", "replace"))
        if chunk.array.release == NULL:
            return
        chunk.type = kind
        yield chunk
