/* Text to numbers: words of a UTF-8 text, split where Python's str.split splits, numbered in order of appearance. */
#ifndef W2V_TEXT_H
#define W2V_TEXT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { TEXT_OK, TEXT_NO_MEMORY, TEXT_NOT_UTF8, TEXT_LONG_WORD };

/* --- words and their numbers ---------------------------------------------------------------------------------- */

/* All that is asked of most words stands in one half of a cache line. */
typedef struct {
    uint64_t hash;
    uint64_t head; /* the first eight bytes of a longer word */
    int64_t count;
    uint32_t length;
    int32_t number; /* -1 where the slot is free */
} Slot;

typedef struct {
    uint64_t hash;
    uint64_t start; /* in the arena */
    uint32_t length;
} Word;

typedef struct {
    Slot *slots;
    void *memory;  /* the slots are in it, from the beginning of a cache line on */
    uint64_t mask; /* slots - 1; their number is a power of two */
    Word *words;
    int64_t n_words, room;
    uint8_t *arena;
    uint64_t arena_used, arena_room;
    uint64_t seed; /* unknown to whoever wrote the text, so that nobody can make all words collide */
} Table;

enum { LINE = 64, HUGE_PAGE = 1 << 21 };

static inline uint64_t mixed(uint64_t x) {
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}

static inline uint64_t eight_bytes(const uint8_t *p) {
    uint64_t x;
    memcpy(&x, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

/* One to eight bytes as a number; `readable` tells how many may be touched from there on. */
static inline uint64_t few_bytes(const uint8_t *p, uint64_t n, uint64_t readable) {
    uint64_t x = 0;
    if (readable >= 8) {
        x = eight_bytes(p);
        return n == 8 ? x : x & ((1ull << 8 * n) - 1);
    }
    for (uint64_t i = 0; i < n; i++) x |= (uint64_t)p[i] << 8 * i;
    return x;
}

/* For words of up to eight bytes equal hash and length mean equal words, since `mixed` can be inverted; for those of up
   to sixteen if their first eight bytes are equal, too. */
static inline uint64_t hash_of(const Table *table, const uint8_t *word, uint64_t length, uint64_t readable) {
    uint64_t h = table->seed;
    while (length > 8) {
        h = mixed(h ^ few_bytes(word, 8, 8));
        word += 8;
        length -= 8;
        readable -= 8;
    }
    return mixed(h ^ few_bytes(word, length, readable));
}

/* The same for a word that has eight readable bytes before it: nothing but its length is asked. */
static inline uint64_t hash_of_framed(const Table *table, const uint8_t *word, uint64_t length) {
    const uint8_t *end = word + length;
    uint64_t h = table->seed;
    if (!length) return mixed(h);
    for (; length > 8; word += 8, length -= 8) h = mixed(h ^ eight_bytes(word));
    return mixed(h ^ eight_bytes(end - 8) >> (64 - 8 * length));
}

/* Give a table this many slots, all of them free. */
static inline int table_slots(Table *table, uint64_t n_slots) {
    const uint64_t size = n_slots * sizeof(Slot);
    void *memory = malloc(size + LINE);
    if (!memory) return TEXT_NO_MEMORY;
#if defined(MADV_HUGEPAGE)
    if (size >= 2 * HUGE_PAGE) { /* words are all over a table: small pages would have to be looked up, too */
        const uintptr_t begin = ((uintptr_t)memory + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
        madvise((void *)begin, (size - (begin - (uintptr_t)memory)) & ~(uint64_t)(HUGE_PAGE - 1), MADV_HUGEPAGE);
    }
#endif
    table->memory = memory;
    table->slots = (Slot *)(((uintptr_t)memory + LINE - 1) & ~(uintptr_t)(LINE - 1));
    table->mask = n_slots - 1;
    for (uint64_t i = 0; i < n_slots; i++) table->slots[i].number = -1;
    return TEXT_OK;
}

static inline int table_grow(Table *table) {
    const Table former = *table;
    if (table_slots(table, 2 * (former.mask + 1)) != TEXT_OK) return TEXT_NO_MEMORY;
    for (uint64_t i = 0; i <= former.mask; i++) {
        const Slot slot = former.slots[i];
        if (slot.number < 0) continue;
        uint64_t at = slot.hash & table->mask;
        while (table->slots[at].number >= 0) at = (at + 1) & table->mask;
        table->slots[at] = slot;
    }
    free(former.memory);
    return TEXT_OK;
}

static inline int table_start(Table *table, uint64_t seed) {
    memset(table, 0, sizeof *table);
    table->seed = seed;
    return table_slots(table, 1024);
}

static inline void table_free(Table *table) {
    free(table->memory);
    free(table->words);
    free(table->arena);
    memset(table, 0, sizeof *table);
}

static inline int table_add(Table *table, const uint8_t *word, uint64_t length, uint64_t hash) {
    if (table->n_words == INT32_MAX || length > UINT32_MAX) return TEXT_NO_MEMORY;
    if (table->n_words == table->room) {
        int64_t room = table->room ? 2 * table->room : 1024;
        Word *words = realloc(table->words, room * sizeof(Word));
        if (!words) return TEXT_NO_MEMORY;
        table->words = words;
        table->room = room;
    }
    if (table->arena_used + length > table->arena_room) {
        uint64_t room = 2 * table->arena_room + length + 4096;
        uint8_t *arena = realloc(table->arena, room);
        if (!arena) return TEXT_NO_MEMORY;
        table->arena = arena;
        table->arena_room = room;
    }
    memcpy(table->arena + table->arena_used, word, length);
    table->words[table->n_words] = (Word){hash, table->arena_used, (uint32_t)length};
    table->arena_used += length;
    table->n_words++;
    return TEXT_OK;
}

/* The slot of a word, or the free one where it belongs. */
static inline Slot *slot_of(const Table *table, const uint8_t *word, uint64_t length, uint64_t hash) {
    for (uint64_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        Slot *slot = &table->slots[at];
        if (slot->number < 0) return slot;
        if (slot->hash != hash || slot->length != length) continue;
        if (length <= 8) return slot;
        if (slot->head != eight_bytes(word)) continue;
        if (length <= 16 || memcmp(table->arena + table->words[slot->number].start, word, length) == 0) return slot;
    }
}

/* How many words ahead of its turn a slot is asked for, when many words are looked up one after the other. */
enum { AHEAD = 16 };

static inline void ask_for(const Table *table, uint64_t hash) {
    __builtin_prefetch(&table->slots[hash & table->mask]);
}

/* The word's number; -1 if it has none. */
static inline int32_t known_number(const Table *table, const uint8_t *word, uint64_t length, uint64_t hash) {
    return slot_of(table, word, length, hash)->number;
}

/* Enter a word that is new; NULL if there is no memory for it. */
static __attribute__((noinline)) Slot *new_slot(Table *table, const uint8_t *word, uint64_t length, uint64_t hash) {
    if (4 * (uint64_t)table->n_words > 3 * table->mask && table_grow(table) != TEXT_OK) return NULL;
    if (table_add(table, word, length, hash) != TEXT_OK) return NULL;
    Slot *slot = slot_of(table, word, length, hash);
    *slot = (Slot){hash, length > 8 ? eight_bytes(word) : 0, 0, (uint32_t)length, (int32_t)(table->n_words - 1)};
    return slot;
}

/* The word's number, a new one if it is new; -1 if there is no memory for it. The word is counted `times` times. */
static inline int32_t count_word(Table *table, const uint8_t *word, uint64_t length, uint64_t hash, int64_t times) {
    Slot *slot = slot_of(table, word, length, hash);
    if (slot->number < 0 && !(slot = new_slot(table, word, length, hash))) return -1;
    slot->count += times;
    return slot->number;
}

static inline int32_t number_of(Table *table, const uint8_t *word, uint64_t length, uint64_t hash) {
    return count_word(table, word, length, hash, 0);
}

/* How often each word was counted. */
static inline void counts_of(const Table *table, int64_t *counts) {
    for (uint64_t i = 0; i <= table->mask; i++)
        if (table->slots[i].number >= 0) counts[table->slots[i].number] = table->slots[i].count;
}

/* --- characters ------------------------------------------------------------------------------------------------ */

/* Copy a text as one line: line ends within it become blanks. */
static inline void copy_as_line(uint8_t *out, const void *text, uint64_t size) {
    memcpy(out, text, size);
    for (uint8_t *end = out + size; (out = memchr(out, '\n', (size_t)(end - out))) != NULL;) *out = ' ';
}

/* White space of str.split below 128: tab to carriage return, the four separators and the blank. */
static inline int is_ascii_space(uint8_t c) { return (uint8_t)(c - 9) <= 4 || (uint8_t)(c - 28) <= 4; }

static inline int is_wide_space(uint32_t c) {
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Length of the well-formed UTF-8 sequence at p, 0 if there is none (Unicode standard, table 3-7). */
static inline int sequence(const uint8_t *p, uint64_t readable, uint32_t *character) {
    uint8_t lead = p[0];
    int length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (!length || (uint64_t)length > readable) return 0;
    uint32_t c = lead & (0x7f >> length);
    for (int i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if ((length == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) || (length == 4 && (c < 0x10000 || c > 0x10ffff)))
        return 0;
    *character = c;
    return length;
}

/* Bit i of each mask speaks of byte i of the `n` <= 64 bytes at p. */
static inline void classify(const uint8_t *p, uint64_t n, uint64_t *space, uint64_t *newline, uint64_t *high) {
    *space = *newline = *high = 0;
#if defined(__SSE2__)
    if (n == 64) {
        const __m128i four = _mm_set1_epi8(4), line = _mm_set1_epi8('\n');
        for (int i = 0; i < 64; i += 16) {
            __m128i c = _mm_loadu_si128((const __m128i *)(p + i));
            __m128i low = _mm_sub_epi8(c, _mm_set1_epi8(9)), upper = _mm_sub_epi8(c, _mm_set1_epi8(28));
            __m128i blank = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(low, four), low),
                                         _mm_cmpeq_epi8(_mm_min_epu8(upper, four), upper));
            *space |= (uint64_t)(unsigned)_mm_movemask_epi8(blank) << i;
            *newline |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(c, line)) << i;
            *high |= (uint64_t)(unsigned)_mm_movemask_epi8(c) << i;
        }
        return;
    }
#endif
    for (uint64_t i = 0; i < n; i++) {
        *space |= (uint64_t)is_ascii_space(p[i]) << i;
        *newline |= (uint64_t)(p[i] == '\n') << i;
        *high |= (uint64_t)(p[i] >> 7) << i;
    }
}

/* Behind the last white space of a text, 0 if there is none: where it can be cut. */
static inline int64_t end_of_words(const uint8_t *text, int64_t size) {
    for (int64_t i = size - 1; i >= 0; i--) {
        uint32_t character;
        if (is_ascii_space(text[i])) return i + 1;
        if (text[i] >= 0xc2) {
            const int length = sequence(text + i, (uint64_t)(size - i), &character);
            if (length && is_wide_space(character)) return i + length;
        }
    }
    return 0;
}

/* Behind the first white space that begins at `from` or later; -1 if there is none. */
static inline int64_t behind_space(const uint8_t *text, int64_t size, int64_t from) {
    for (int64_t i = from; i < size; i++) {
        uint32_t character;
        if (is_ascii_space(text[i])) return i + 1;
        if (text[i] >= 0xc2) {
            const int length = sequence(text + i, (uint64_t)(size - i), &character);
            if (length && is_wide_space(character)) return i + length;
        }
    }
    return -1;
}

/* --- the pass over the text ------------------------------------------------------------------------------------ */

/* What is done with each word of a text, and at each line end; anything but TEXT_OK ends the pass. */
typedef int (*OnWord)(void *to, const uint8_t *word, uint64_t length, uint64_t readable);
typedef int (*OnLine)(void *to);

/* Go through the words of text[0, size), 64 bytes at a time. A word ends at a blank or at the end of the text. `error`
   becomes the offset of the first byte that is not UTF-8, or of the first word that is too long. */
static inline __attribute__((always_inline)) int each_word(const uint8_t *text, int64_t size, uint64_t longest,
                                                           OnWord on_word, OnLine on_line, void *to, int64_t *error) {
    int64_t word_start = -1;        /* of a word that reaches into this step */
    uint64_t before_is_space = 1;   /* whether the byte before this step is white space */
    uint64_t wide_spill = 0, skip = 0; /* bytes of this step that belong to a character of the step before */
    for (int64_t base = 0; base <= size; base += 64) {
        /* one step more than the text has, so that its end ends the last word */
        const uint64_t n = size - base < 64 ? (uint64_t)(size - base) : 64;
        uint64_t space, newline, high;
        classify(text + base, n, &space, &newline, &high);
        space |= wide_spill;
        high &= skip >= 64 ? 0 : ~0ull << skip;
        wide_spill = skip = 0;
        while (high) {
            const int i = __builtin_ctzll(high);
            uint32_t character;
            const int length = sequence(text + base + i, (uint64_t)(size - base - i), &character);
            if (!length) {
                *error = base + i;
                return TEXT_NOT_UTF8;
            }
            if (is_wide_space(character)) {
                const uint64_t bytes = (1ull << length) - 1;
                space |= bytes << i;
                if (i + length > 64) wide_spill = bytes >> (64 - i);
            }
            if (i + length >= 64) {
                skip = (uint64_t)(i + length - 64);
                break;
            }
            high &= ~0ull << (i + length);
        }
        if (n < 64) space |= ~0ull << n;
        const uint64_t before = space << 1 | before_is_space;
        uint64_t starts = ~space & before, ends = space & ~before, events = ends | newline;
        before_is_space = space >> 63;
        for (; events; events &= events - 1) {
            const int i = __builtin_ctzll(events);
            if (ends >> i & 1) {
                if (word_start < 0) {
                    word_start = base + __builtin_ctzll(starts);
                    starts &= starts - 1;
                }
                const uint64_t length = (uint64_t)(base + i - word_start);
                if (length > longest) {
                    *error = word_start;
                    return TEXT_LONG_WORD;
                }
                const int outcome = on_word(to, text + word_start, length, (uint64_t)(size - word_start));
                if (outcome != TEXT_OK) return outcome;
                word_start = -1;
            }
            if (newline >> i & 1) {
                const int outcome = on_line(to);
                if (outcome != TEXT_OK) return outcome;
            }
        }
        if (starts) word_start = base + __builtin_ctzll(starts);
    }
    return TEXT_OK;
}

/* Words that are looked up together: while some are waited for, the next ones are asked for. */
enum { TOGETHER = 64 };

typedef struct {
    const uint8_t *word;
    uint64_t hash;
    uint64_t length;
} Found;

typedef struct {
    Table *table;
    int32_t *tokens; /* room for (size + 1) / 2 */
    int64_t n_tokens; /* of which the last `n_found` have no number yet */
    int64_t *ends; /* tokens before each newline; grows */
    int64_t n_ends, ends_room;
    int64_t error; /* see `each_word` */
    int64_t n_found;
    Found found[TOGETHER];
} Tokens;

static inline int number_found(Tokens *out) {
    int32_t *tokens = out->tokens + out->n_tokens - out->n_found;
    for (int64_t i = 0; i < out->n_found; i++) {
        const Found *found = &out->found[i];
        tokens[i] = count_word(out->table, found->word, found->length, found->hash, 1);
        if (tokens[i] < 0) return TEXT_NO_MEMORY;
    }
    out->n_found = 0;
    return TEXT_OK;
}

static inline int take_found(void *to, const uint8_t *word, uint64_t length, uint64_t readable) {
    Tokens *out = to;
    const uint64_t hash = hash_of(out->table, word, length, readable);
    ask_for(out->table, hash);
    out->found[out->n_found++] = (Found){word, hash, length};
    out->n_tokens++;
    return out->n_found < TOGETHER ? TEXT_OK : number_found(out);
}

static inline int end_sentence(void *to) {
    Tokens *out = to;
    if (out->n_ends == out->ends_room) {
        int64_t room = out->ends_room ? 2 * out->ends_room : 4096;
        int64_t *ends = realloc(out->ends, room * sizeof(int64_t));
        if (!ends) return TEXT_NO_MEMORY;
        out->ends = ends;
        out->ends_room = room;
    }
    out->ends[out->n_ends++] = out->n_tokens;
    return TEXT_OK;
}

/* Number and count all words of a text; see `each_word`. */
static inline int tokenize(Table *table, const uint8_t *text, int64_t size, uint64_t longest, Tokens *out) {
    out->table = table;
    const int outcome = each_word(text, size, longest, take_found, end_sentence, out, &out->error);
    return outcome == TEXT_OK ? number_found(out) : outcome;
}

#endif
