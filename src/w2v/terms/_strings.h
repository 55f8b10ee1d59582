/* Lists of Python's strings, and their UTF-8, without an object for it. */
#ifndef W2V_STRINGS_H
#define W2V_STRINGS_H

#include <Python.h>
#include <stdint.h>

/* Items of lists, without the checks where the stable ABI allows it. */
#ifdef Py_LIMITED_API
#define list_item PyList_GetItem
#define set_list_item PyList_SetItem
#else
#define list_item PyList_GET_ITEM
#define set_list_item PyList_SET_ITEM
#endif

static inline void prefetch(const void *object) { __builtin_prefetch(object); }

/* Whether other threads may change a list at any time. */
#ifdef Py_GIL_DISABLED
enum { SHARED_LISTS = 1 };
#else
enum { SHARED_LISTS = 0 };
#endif

/* The UTF-8 of a str, its size, and whether it is within the str, behind its head; else it may be in `buffer`. NULL if it
   does not fit there. A surrogate becomes three bytes, as "surrogatepass" has it. */
static inline const uint8_t *utf8_of(PyObject *text, uint8_t *buffer, Py_ssize_t room, Py_ssize_t *size, int *within) {
    *within = 0;
#ifdef Py_LIMITED_API /* keeps the UTF-8 of what is not ASCII with the str */
    const char *found = PyUnicode_AsUTF8AndSize(text, size);
    if (!found) PyErr_Clear();
    return (const uint8_t *)found;
#else
#if PY_VERSION_HEX < 0x030C0000
    if (PyUnicode_READY(text) < 0) {
        PyErr_Clear();
        return NULL;
    }
#endif
    const Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    if (PyUnicode_IS_ASCII(text)) {
        *size = length;
        *within = 1;
        return (const uint8_t *)PyUnicode_DATA(text);
    }
    if (length > room / 4) return NULL;
    const void *data = PyUnicode_DATA(text);
    const int kind = PyUnicode_KIND(text);
    uint8_t *to = buffer;
    for (Py_ssize_t i = 0; i < length; i++) {
        const Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c < 0x80) {
            *to++ = (uint8_t)c;
        } else if (c < 0x800) {
            *to++ = (uint8_t)(0xc0 | c >> 6);
            *to++ = (uint8_t)(0x80 | (c & 63));
        } else if (c < 0x10000) {
            *to++ = (uint8_t)(0xe0 | c >> 12);
            *to++ = (uint8_t)(0x80 | (c >> 6 & 63));
            *to++ = (uint8_t)(0x80 | (c & 63));
        } else {
            *to++ = (uint8_t)(0xf0 | c >> 18);
            *to++ = (uint8_t)(0x80 | (c >> 12 & 63));
            *to++ = (uint8_t)(0x80 | (c >> 6 & 63));
            *to++ = (uint8_t)(0x80 | (c & 63));
        }
    }
    *size = to - buffer;
    return buffer;
#endif
}

#endif
