/* Columns of Arrow arrays: the C data interface (arrow.apache.org/docs/format/CDataInterface.html), and values in them. */
#ifndef W2V_ARROW_H
#define W2V_ARROW_H

#include <stdint.h>
#include <string.h>

struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

/* What a type of Arrow is to us; ARROW_OTHER is nothing that we read. */
enum { ARROW_OTHER, ARROW_STRINGS, ARROW_INTEGERS, ARROW_LISTS };

static inline int kind_of(const struct ArrowSchema *schema) {
    const char *format = schema->format;
    if (schema->dictionary) return kind_of(schema->dictionary) == ARROW_STRINGS ? ARROW_STRINGS : ARROW_OTHER;
    if (!strcmp(format, "u") || !strcmp(format, "U") || !strcmp(format, "vu")) return ARROW_STRINGS;
    if (strlen(format) == 1 && strchr("cCsSiIlL", format[0])) return ARROW_INTEGERS;
    if (!strcmp(format, "+l") || !strcmp(format, "+L") || !strncmp(format, "+w:", 3) || !strcmp(format, "+vl") ||
        !strcmp(format, "+vL"))
        return ARROW_LISTS;
    return ARROW_OTHER;
}

static inline int may_have_nulls(const struct ArrowArray *array) {
    return array->n_buffers && array->buffers[0] && array->null_count;
}

static inline int is_null(const struct ArrowArray *array, int64_t i) {
    const uint8_t *valid = may_have_nulls(array) ? array->buffers[0] : NULL;
    i += array->offset;
    return valid && !(valid[i >> 3] >> (i & 7) & 1);
}

/* Value i of an array of integers; what does not fit becomes -1 and sets `over`. */
static inline int64_t integer_at(const struct ArrowArray *array, char format, int64_t i, int *over) {
    const void *values = array->buffers[1];
    i += array->offset;
    switch (format) {
    case 'c': return ((const int8_t *)values)[i];
    case 'C': return ((const uint8_t *)values)[i];
    case 's': return ((const int16_t *)values)[i];
    case 'S': return ((const uint16_t *)values)[i];
    case 'i': return ((const int32_t *)values)[i];
    case 'I': return ((const uint32_t *)values)[i];
    case 'l': return ((const int64_t *)values)[i];
    default: break;
    }
    const uint64_t value = ((const uint64_t *)values)[i];
    if (value > INT64_MAX) *over = 1;
    return value > INT64_MAX ? -1 : (int64_t)value;
}

/* Copy `count` values from value `first` on, see `integer_at`. */
static inline void copy_integers(int64_t *out, const struct ArrowArray *array, char format, int64_t first, int64_t count,
                                 int *over) {
    if (format != 'i') { /* which the places of words in a dictionary have, most values that there are */
        for (int64_t i = 0; i < count; i++) out[i] = integer_at(array, format, first + i, over);
        return;
    }
    const int32_t *values = (const int32_t *)array->buffers[1] + array->offset + first;
    for (int64_t i = 0; i < count; i++) out[i] = values[i];
}

/* The bytes of string i and how many; -1 if it is null. */
static inline int64_t string_at(const struct ArrowArray *array, const struct ArrowSchema *schema, int64_t i,
                                const uint8_t **start) {
    if (is_null(array, i)) return -1;
    if (schema->dictionary) {
        int over = 0;
        return string_at(array->dictionary, schema->dictionary, integer_at(array, schema->format[0], i, &over), start);
    }
    i += array->offset;
    if (schema->format[0] == 'v') { /* a view: four bytes of length, then the string, or where it is */
        const uint8_t *view = (const uint8_t *)array->buffers[1] + 16 * i;
        int32_t length, buffer, offset;
        memcpy(&length, view, 4);
        *start = view + 4;
        if (length > 12) {
            memcpy(&buffer, view + 8, 4);
            memcpy(&offset, view + 12, 4);
            *start = (const uint8_t *)array->buffers[2 + buffer] + offset;
        }
        return length;
    }
    const int wide = schema->format[0] == 'U';
    const int64_t begin = wide ? ((const int64_t *)array->buffers[1])[i] : ((const int32_t *)array->buffers[1])[i];
    const int64_t end = wide ? ((const int64_t *)array->buffers[1])[i + 1] : ((const int32_t *)array->buffers[1])[i + 1];
    *start = (const uint8_t *)array->buffers[2] + begin;
    return end - begin;
}

/* Where list i begins in its child, and how many values it has. */
static inline int64_t list_at(const struct ArrowArray *array, const struct ArrowSchema *schema, int64_t i,
                              int64_t *begin) {
    const char *format = schema->format;
    if (is_null(array, i)) return 0;
    i += array->offset;
    if (format[1] == 'w') {
        int64_t size = 0;
        for (const char *digit = format + 3; *digit >= '0' && *digit <= '9'; digit++) size = 10 * size + *digit - '0';
        *begin = i * size;
        return size;
    }
    const int view = format[1] == 'v', wide = format[1 + view] == 'L';
    *begin = wide ? ((const int64_t *)array->buffers[1])[i] : ((const int32_t *)array->buffers[1])[i];
    if (view)
        return wide ? ((const int64_t *)array->buffers[2])[i] : ((const int32_t *)array->buffers[2])[i];
    return (wide ? ((const int64_t *)array->buffers[1])[i + 1] : ((const int32_t *)array->buffers[1])[i + 1]) - *begin;
}

#endif
