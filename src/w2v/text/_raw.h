/* Raw text to words: letters in one case with a blank behind each word; what is no part of a word goes, lines stay. */
#ifndef W2V_RAW_H
#define W2V_RAW_H

#include "_text.h"

/* What a character is; see `letters.py`, which fills the tables. */
enum { LETTER = 1, DIGIT = 2, MARK = 4, CASED = 8, IGNORABLE = 16, UNSEEN = 32 };

/* The two ways to find words. */
enum { SIMPLE, PREPROCESS };

/* Numbers from here on are rows of the table of characters that become several. */
enum { SEVERAL = 0x110000, MOST_OF_ONE = 3 };

/* Bytes that a byte may become: two bytes of U+0390 become six. */
enum { GROWS = 3 };

/* Words of `PREPROCESS` have so many characters. */
enum { SHORTEST = 2, LONGEST = 15 };

typedef struct {
    const uint8_t *kinds;    /* of each character */
    const int32_t *cases;    /* what it becomes, 0 for itself */
    const uint32_t *several; /* three numbers a row, 0 where there are fewer */
    uint8_t ascii[256];      /* what a byte becomes as part of a word, 0 if it is none, or not ASCII */
} Letters;

static inline uint8_t *encoded(uint8_t *out, uint32_t c) {
    if (c < 0x80) {
        *out++ = (uint8_t)c;
    } else if (c < 0x800) {
        *out++ = 0xc0 | (uint8_t)(c >> 6);
        *out++ = 0x80 | (c & 0x3f);
    } else if (c < 0x10000) {
        *out++ = 0xe0 | (uint8_t)(c >> 12);
        *out++ = 0x80 | (c >> 6 & 0x3f);
        *out++ = 0x80 | (c & 0x3f);
    } else {
        *out++ = 0xf0 | (uint8_t)(c >> 18);
        *out++ = 0x80 | (c >> 12 & 0x3f);
        *out++ = 0x80 | (c >> 6 & 0x3f);
        *out++ = 0x80 | (c & 0x3f);
    }
    return out;
}

/* The character at p, and its length; 0 if there is none. */
static inline int character_at(const uint8_t *text, int64_t size, int64_t p, uint32_t *c) {
    if (p >= size) return 0;
    if (text[p] < 0x80) {
        *c = text[p];
        return 1;
    }
    return sequence(text + p, (uint64_t)(size - p), c);
}

/* A capital sigma ends its word if a cased letter stands before it and none behind, whatever ignorable characters are
   between (Unicode standard, table 3-17). */
static inline int is_final_sigma(const Letters *letters, const uint8_t *text, int64_t size, int64_t at) {
    uint32_t c = 0;
    int64_t p = at;
    int cased = 0;
    while (p > 0) {
        for (p--; p > 0 && (text[p] & 0xc0) == 0x80;) p--;
        if (!character_at(text, size, p, &c)) return 0;
        if (letters->kinds[c] & IGNORABLE) continue;
        cased = letters->kinds[c] & CASED;
        break;
    }
    if (!cased) return 0;
    for (p = at + 2;;) {
        const int length = character_at(text, size, p, &c);
        if (!length) return 1;
        if (!(letters->kinds[c] & IGNORABLE)) return !(letters->kinds[c] & CASED);
        p += length;
    }
}

static inline uint8_t *end_of_word(uint8_t *word, uint8_t *out, const int way) {
    if (out == word) return out;
    if (way == PREPROCESS) {
        int64_t characters = 0;
        for (const uint8_t *p = word; p < out; p++) characters += (*p & 0xc0) != 0x80;
        if (characters < SHORTEST || characters > LONGEST || *word == '_') return word;
    } else if (*word == '_') { /* a line to be filled in, or to be seen, is no word */
        const uint8_t *p = word;
        while (p < out && *p == '_') p++;
        if (p == out) return word;
    }
    *out++ = ' ';
    return out;
}

/* Write the words of text[0, size) to `out`, which has room for GROWS times as many bytes; returns how many it writes,
   or -1 with the offset of the first byte that is not UTF-8 in `error`. */
static inline __attribute__((always_inline)) int64_t words_of(const Letters *letters, const uint8_t *text,
                                                              int64_t size, const int way, uint8_t *start,
                                                              int64_t *error) {
    const int part = way == SIMPLE ? LETTER | DIGIT : LETTER;
    uint8_t *out = start, *word = start;
    for (int64_t i = 0; i < size;) {
        for (uint8_t letter; i < size && (letter = letters->ascii[text[i]]); i++) *out++ = letter;
        if (i == size) break;
        const uint8_t byte = text[i];
        uint32_t c = byte;
        int length = 1;
        if (byte < 0x80 && !(way == SIMPLE && byte == '\'')) { /* most of what stands between words */
            word = out = end_of_word(word, out, way);
            if (byte == '\n') {
                *out++ = '\n';
                word = out;
            }
            i++;
            continue;
        }
        if (byte >= 0x80 && !(length = sequence(text + i, (uint64_t)(size - i), &c))) {
            *error = i;
            return -1;
        }
        if (way == SIMPLE && (c == '\'' || c == 0x2019) && out > word) { /* between letters */
            uint32_t next;
            if (character_at(text, size, i + length, &next) && letters->kinds[next] & LETTER && next != '_') {
                *out++ = '\'';
                i += length;
                continue;
            }
        }
        if (way == SIMPLE && letters->kinds[c] & UNSEEN) {
            i += length;
            continue;
        }
        int32_t become = letters->cases[c] ? letters->cases[c] : (int32_t)c;
        if (way == PREPROCESS && c == 0x3a3) become = is_final_sigma(letters, text, size, i) ? 0x3c2 : 0x3c3;
        uint32_t one[MOST_OF_ONE] = {(uint32_t)become, 0, 0};
        if (become >= SEVERAL) memcpy(one, letters->several + MOST_OF_ONE * (become - SEVERAL), sizeof one);
        for (int k = 0; k < MOST_OF_ONE && (one[k] || !k); k++) {
            const uint8_t kind = letters->kinds[one[k]];
            if (kind & part || (way == SIMPLE && kind & MARK && out > word)) {
                out = encoded(out, one[k]);
            } else {
                word = out = end_of_word(word, out, way);
            }
        }
        i += length;
    }
    return end_of_word(word, out, way) - start;
}

static inline int64_t simple_words(const Letters *letters, const uint8_t *text, int64_t size, uint8_t *out,
                                   int64_t *error) {
    return words_of(letters, text, size, SIMPLE, out, error);
}

static inline int64_t preprocessed_words(const Letters *letters, const uint8_t *text, int64_t size, uint8_t *out,
                                         int64_t *error) {
    return words_of(letters, text, size, PREPROCESS, out, error);
}

#endif
