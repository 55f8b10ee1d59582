/* The rules of the C program word2phrase, to the byte: how it reads words, counts spellings, and joins. */
#ifndef W2V_WORD2PHRASE_H
#define W2V_WORD2PHRASE_H

#include "../text/_text.h"

enum {
    LONGEST_READ = 58,   /* bytes of a word that are read; the rest of it is lost */
    LONGEST_JOINED = 59, /* bytes of two joined words that count */
};

/* A word as C strings have it: up to the first NUL. */
typedef struct {
    uint8_t bytes[64];
    int64_t length;
} Spelling;

typedef struct {
    Table table;         /* spellings, of words and of joined words alike, and their counts */
    int64_t *counts;     /* of each spelling, once all are known; -1 if it is not frequent enough */
    Spelling reading;    /* the word that is being read */
    int64_t seen;        /* its bytes so far; those behind a NUL as well */
    Spelling last;       /* the word before, or a line end */
    int64_t n_words;
    int64_t min_count;
    float threshold;
    /* of the second pass: the counts of the word before, whether it is known, the newest count of a known word */
    int64_t count_before, count_here;
    int known_before;
} Joiner;

static int joiner_start(Joiner *joiner, uint64_t seed) {
    memset(joiner, 0, sizeof *joiner);
    if (table_start(&joiner->table, seed) != TEXT_OK) return TEXT_NO_MEMORY;
    static const uint8_t end[] = "</s>";
    return number_of(&joiner->table, end, 4, hash_of(&joiner->table, end, 4, 4)) < 0 ? TEXT_NO_MEMORY : TEXT_OK;
}

static void joiner_free(Joiner *joiner) {
    table_free(&joiner->table);
    free(joiner->counts);
}

/* Take a byte of a word. */
static inline void read_byte(Joiner *joiner, uint8_t byte) {
    if (joiner->seen < LONGEST_READ) joiner->reading.bytes[joiner->seen++] = byte;
}

static inline void end_word(Joiner *joiner) {
    const uint8_t *nul = memchr(joiner->reading.bytes, 0, (size_t)joiner->seen);
    joiner->reading.length = nul ? nul - joiner->reading.bytes : joiner->seen;
    joiner->seen = 0;
}

static Spelling joined_spelling(const Spelling *a, const Spelling *b) {
    uint8_t whole[160];
    Spelling made;
    memcpy(whole, a->bytes, (size_t)a->length);
    whole[a->length] = '_';
    memcpy(whole + a->length + 1, b->bytes, (size_t)b->length);
    made.length = a->length + 1 + b->length;
    if (made.length > LONGEST_JOINED) made.length = LONGEST_JOINED;
    memcpy(made.bytes, whole, (size_t)made.length);
    return made;
}

static int count_spelling(Table *table, const Spelling *word) {
    const uint64_t length = (uint64_t)word->length;
    const uint64_t hash = hash_of(table, word->bytes, length, length);
    return count_word(table, word->bytes, length, hash, 1) < 0 ? TEXT_NO_MEMORY : TEXT_OK;
}

/* First pass: count words, and each with the word before it, also across line ends. */
static int learn(Joiner *joiner, const uint8_t *text, int64_t size) {
    for (int64_t i = 0; i < size; i++) {
        const uint8_t byte = text[i];
        if (byte == '\r') continue;
        if (byte != ' ' && byte != '\t' && byte != '\n') {
            read_byte(joiner, byte);
            continue;
        }
        if (!joiner->seen) continue;
        end_word(joiner);
        const Spelling pair = joined_spelling(&joiner->last, &joiner->reading);
        if (count_spelling(&joiner->table, &joiner->reading) != TEXT_OK ||
            count_spelling(&joiner->table, &pair) != TEXT_OK)
            return TEXT_NO_MEMORY;
        joiner->last = joiner->reading;
        joiner->n_words++;
    }
    return TEXT_OK;
}

static inline int64_t count_of(const Joiner *joiner, const Spelling *word) {
    const uint64_t length = (uint64_t)word->length;
    const int32_t number =
        known_number(&joiner->table, word->bytes, length, hash_of(&joiner->table, word->bytes, length, length));
    return number < 0 ? -1 : joiner->counts[number];
}

/* Second pass: write a blank or an underscore before each word. Returns the bytes written, at most 2 * size + 64. */
static int64_t join(Joiner *joiner, const uint8_t *text, int64_t size, uint8_t *out) {
    uint8_t *to = out;
    for (int64_t i = 0; i < size; i++) {
        const uint8_t byte = text[i];
        if (byte == '\r') continue;
        if (byte != ' ' && byte != '\t' && byte != '\n') {
            read_byte(joiner, byte);
            continue;
        }
        if (joiner->seen) {
            end_word(joiner);
            const Spelling pair = joined_spelling(&joiner->last, &joiner->reading);
            const int64_t count = count_of(joiner, &joiner->reading), both = count_of(joiner, &pair);
            int known = joiner->known_before && count >= 0 && both >= 0;
            if (count >= 0) joiner->count_here = count; /* an unknown word has that of the last known one */
            known = known && joiner->count_before >= joiner->min_count && joiner->count_here >= joiner->min_count;
            float score = 0;
            if (known)
                score = (float)(both - joiner->min_count) / (float)joiner->count_before / (float)joiner->count_here *
                        (float)joiner->n_words;
            if (score > joiner->threshold) {
                *to++ = '_';
                joiner->count_here = 0; /* what is joined does not begin the next pair */
            } else {
                *to++ = ' ';
            }
            memcpy(to, joiner->reading.bytes, (size_t)joiner->reading.length);
            to += joiner->reading.length;
            joiner->known_before = count >= 0;
            joiner->count_before = joiner->count_here;
            joiner->last = joiner->reading;
        }
        if (byte == '\n') {
            *to++ = '\n';
            joiner->last.bytes[0] = '\n';
            joiner->last.length = 1;
        }
    }
    return to - out;
}

#endif
