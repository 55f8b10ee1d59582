/* The words of any text, found by _text.h and by a slow and obvious twin; and again with every allocation failing in
 * turn. It ends in abort() at the first difference. No Python in it, so that sanitizers see all there is.
 *
 *     cc -fsanitize=address,undefined -I src/w2v tests/fuzz/text.c -o text && ./text SECONDS [SEED]
 *     clang -DLIBFUZZER -fsanitize=fuzzer,address,undefined -I src/w2v tests/fuzz/text.c -o text && ./text
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long long allowed = -1; /* allocations until one fails; below 0 none does */
static int fails(void) { return allowed >= 0 && allowed-- == 0; }
static void *malloc_or_not(size_t size) { return fails() ? NULL : malloc(size); }
static void *realloc_or_not(void *p, size_t size) { return fails() ? NULL : realloc(p, size); }
#define malloc malloc_or_not
#define realloc realloc_or_not
#include "_text.h"
#undef malloc
#undef realloc

enum { LONGEST = 70, MOST = 1 << 15 };

static void check(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* --- the twin: one character at a time, words looked for one after the other ------------------------------------- */

typedef struct {
    size_t start, length;
} Span;

typedef struct {
    Span words[MOST]; /* all that are met */
    int n_words, n_ends;
    int ends[MOST]; /* words before each newline */
    long long bad, too_long, cut; /* -1 for none */
} Slow;

/* Length of the character at p, by the definition; 0 if it is none. */
static size_t decoded(const uint8_t *p, size_t left, uint32_t *character) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    if (!length || length > left) return 0;
    uint32_t c = length == 1 ? p[0] : p[0] & ((1u << (7 - length)) - 1);
    for (size_t i = 1; i < length; i++) {
        if (p[i] >> 6 != 2) return 0;
        c = c << 6 | (p[i] & 63);
    }
    if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return 0;
    *character = c;
    return length;
}

static int is_space(uint32_t c) {
    static const uint32_t spaces[] = {9,      10,     11,     12,     13,     28,     29,     30,     31,     32,
                                      0x85,   0xa0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
                                      0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (spaces[i] == c) return 1;
    return 0;
}

static void read_slowly(const uint8_t *text, size_t size, Slow *slow) {
    size_t begin = 0, at = 0, length;
    memset(slow, 0, sizeof *slow);
    slow->bad = slow->too_long = -1;
    for (;; at += length) {
        uint32_t c = ' ';
        length = at < size ? decoded(text + at, size - at, &c) : 1;
        if (!length) {
            slow->bad = (long long)at;
            break;
        }
        if (!is_space(c)) continue;
        if (at > begin) {
            if (at - begin > LONGEST && slow->too_long < 0) slow->too_long = (long long)begin;
            slow->words[slow->n_words++] = (Span){begin, at - begin};
        }
        begin = at + length;
        if (at >= size) break;
        if (c == '\n') slow->ends[slow->n_ends++] = slow->n_words;
    }
    for (at = size; at > 0; at--)
        for (length = 1; length <= 3 && length <= at; length++) {
            uint32_t c;
            if (decoded(text + at - length, length, &c) == length && is_space(c)) {
                slow->cut = (long long)at;
                return;
            }
        }
}

/* --- one input ----------------------------------------------------------------------------------------------- */

static int outcome_of(const uint8_t *text, size_t size, Table *table, Tokens *out) {
    memset(out, 0, sizeof *out);
    out->tokens = calloc(size / 2 + 1, sizeof *out->tokens);
    return table_start(table, 12345) == TEXT_OK ? tokenize(table, text, (int64_t)size, LONGEST, out) : TEXT_NO_MEMORY;
}

static void dispose(Table *table, Tokens *out) {
    table_free(table);
    free(out->tokens);
    free(out->ends);
}

static void compare(const uint8_t *text, const Slow *slow, const Table *table, const Tokens *out) {
    static int64_t counts[MOST];
    int known = 0;
    check(out->n_tokens == slow->n_words && out->n_ends == slow->n_ends, "other numbers of words or lines");
    for (int i = 0; i < slow->n_ends; i++) check(out->ends[i] == slow->ends[i], "a line ends elsewhere");
    for (int i = 0; i < slow->n_words; i++) {
        const Span word = slow->words[i];
        const int number = out->tokens[i];
        check(number >= 0 && number <= known, "a number that was not given");
        known += number == known;
        check(table->words[number].length == word.length &&
                  !memcmp(table->arena + table->words[number].start, text + word.start, word.length),
              "another word");
    }
    check(table->n_words == known, "words that were not met");
    counts_of(table, counts);
    for (int a = 0; a < known; a++) {
        int64_t count = 0;
        for (int i = 0; i < slow->n_words; i++) count += out->tokens[i] == a;
        check(counts[a] == count, "another count");
        for (int b = 0; b < a; b++)
            check(table->words[a].length != table->words[b].length ||
                      memcmp(table->arena + table->words[a].start, table->arena + table->words[b].start,
                             table->words[a].length),
                  "a word with two numbers");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Slow slow;
    Table table;
    Tokens out;
    if (size > MOST - 1) return 0;
    uint8_t *text = malloc(size ? size : 1); /* exactly as long as it is, so that one byte too far is seen */
    memcpy(text, data, size);
    read_slowly(text, size, &slow);
    check(end_of_words(text, (int64_t)size) == slow.cut, "another place to cut");
    allowed = -1;
    const int outcome = outcome_of(text, size, &table, &out);
    if (outcome == TEXT_OK) {
        check(slow.bad < 0 && slow.too_long < 0, "what is no text was read");
        compare(text, &slow, &table, &out);
    } else {
        check(outcome == TEXT_NOT_UTF8 || outcome == TEXT_LONG_WORD, "no memory");
        check(out.error == (outcome == TEXT_NOT_UTF8 ? slow.bad : slow.too_long), "another place of the fault");
    }
    dispose(&table, &out);
    for (long long k = 0;; k++) {
        allowed = k;
        const int found = outcome_of(text, size, &table, &out);
        const int failed = allowed < 0;
        dispose(&table, &out);
        check(found == (failed ? TEXT_NO_MEMORY : outcome), "an allocation that failed was not noticed");
        if (!failed) break;
    }
    free(text);
    return 0;
}

#ifndef LIBFUZZER

static uint64_t state;

static uint32_t drawn(uint32_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 33) % n);
}

static const char *const pieces[] = {" ", "\n", "\t", "\r\n", "\x1c", "\x1f", "\v", "a", "b", "ab", "abcdefgh", "abcdefghi",
    "\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x8a", "\xe2\x80\x8b", "\xe2\x80\xa8", "\xe2\x80\xaf",
    "\xe2\x81\x9f", "\xe3\x80\x80", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xef\xbb\xbf", "\xc2", "\xe2\x80", "\xff",
    "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"};

int main(int argc, char **argv) {
    const double seconds = argc > 1 ? atof(argv[1]) : 10;
    const uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    const time_t end = time(NULL) + (time_t)seconds;
    uint64_t inputs = 0;
    for (; inputs % 256 || time(NULL) < end; inputs++) {
        uint8_t text[MOST];
        size_t size = 0;
        state = first + inputs;
        /* damaged text is dull behind its first fault: most has none */
        const uint32_t sound = drawn(4), n = drawn(drawn(200) ? 60 : 20000);
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t piece = drawn(sizeof pieces / sizeof *pieces);
            const size_t length = strlen(pieces[piece]);
            if (sound && piece >= 26 && piece <= 31) continue;
            if (size + length + 9 >= MOST) break;
            memcpy(text + size, pieces[piece], length);
            size += length;
            for (int many = n > 60 && piece > 6; many && drawn(5);) { /* a table must grow for all the words of these */
                text[size++] = (uint8_t)('a' + drawn(26));
                many = size + 9 < MOST;
            }
            if (!sound && !drawn(30)) text[size++] = (uint8_t)drawn(256);
        }
        LLVMFuzzerTestOneInput(text, size);
    }
    printf("%llu inputs\n", (unsigned long long)inputs);
    return 0;
}
#endif
