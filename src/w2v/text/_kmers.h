/* Sequences to k-mers: lines of FASTA or FASTQ to digits, and digits to the numbers of k-mers. */
#ifndef W2V_KMERS_H
#define W2V_KMERS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* --- letters to digits ------------------------------------------------------------------------------------------ */

/* What a byte of a sequence is: a digit, or one of these. */
enum {
    FIRST_SPECIAL = 252,
    LEFT_OUT = 252, /* it keeps its place, but no k-mer may hold it */
    SPLIT,          /* the segment ends here, and another begins behind it */
    NOTHING,        /* as if it were not there */
    WRONG
};

enum { CLEAN, NO_MEMORY, WRONG_LETTER, EMPTY_RECORD, NOT_AT, NOT_PLUS, OTHER_LENGTH, CUT_SHORT };

typedef struct {
    int64_t *values;
    int64_t used, room;
} Numbers;

static inline int add_number(Numbers *to, int64_t value) {
    if (to->used == to->room) {
        const int64_t room = to->room ? 2 * to->room : 1024;
        int64_t *values = realloc(to->values, (size_t)room * sizeof(int64_t));
        if (!values) return NO_MEMORY;
        to->values = values;
        to->room = room;
    }
    to->values[to->used++] = value;
    return CLEAN;
}

enum { HEADER_START, HEADER_LENGTH, HEADER_LINE, HEADER_LETTERS, HEADER_FIELDS };

typedef struct {
    const uint8_t *classes; /* [256], of every byte of a sequence */
    uint8_t *digits;        /* room for all bytes */
    int64_t n_digits;
    Numbers segments; /* pairs: where it begins among the digits, and how many headers came before it */
    Numbers headers;  /* HEADER_FIELDS each; the letters are those between the header before and this one */
    int64_t n_headers, letters, lines;
    int64_t specials[256]; /* how often each byte was none of the digits */
    int64_t error;         /* where the text is wrong */
} Cleaned;

static inline int begin_segment(Cleaned *out) {
    Numbers *segments = &out->segments;
    if (segments->used && segments->values[segments->used - 2] == out->n_digits) { /* the last one has no digit */
        segments->values[segments->used - 1] = out->n_headers;
        return CLEAN;
    }
    if (add_number(segments, out->n_digits)) return NO_MEMORY;
    return add_number(segments, out->n_headers);
}

/* The letters of (a part of) a line. */
static inline int clean_letters(Cleaned *out, const uint8_t *text, int64_t begin, int64_t end) {
    const uint8_t *classes = out->classes;
    uint8_t *digits = out->digits;
    int64_t n = out->n_digits;
    for (int64_t i = begin; i < end; i++) {
        const uint8_t digit = classes[text[i]];
        if (__builtin_expect(digit < FIRST_SPECIAL, 1)) {
            digits[n++] = digit;
            continue;
        }
        if (digit == WRONG) {
            out->error = i;
            return WRONG_LETTER;
        }
        out->specials[text[i]]++;
        if (digit == LEFT_OUT) digits[n++] = digit;
        if (digit == SPLIT) {
            out->letters += 1 + n - out->n_digits;
            out->n_digits = n;
            if (begin_segment(out)) return NO_MEMORY;
        }
    }
    out->letters += n - out->n_digits;
    out->n_digits = n;
    return CLEAN;
}

static inline int begin_record(Cleaned *out, int64_t begin, int64_t end) {
    const int64_t fields[HEADER_FIELDS] = {begin + 1, end - begin - 1, out->lines, out->letters};
    for (int i = 0; i < HEADER_FIELDS; i++)
        if (add_number(&out->headers, fields[i])) return NO_MEMORY;
    out->n_headers++;
    out->letters = 0;
    return begin_segment(out);
}

static inline int64_t end_of_line(const uint8_t *text, int64_t begin, int64_t size) {
    const uint8_t *newline = memchr(text + begin, '\n', (size_t)(size - begin));
    return newline ? newline - text : size;
}

/* Lines of FASTA; the first one begins in the middle if not `at_line_start`. */
static inline int clean_fasta(Cleaned *out, const uint8_t *text, int64_t size, int at_line_start) {
    for (int64_t begin = 0, end; begin < size; begin = end + 1, at_line_start = 1) {
        end = end_of_line(text, begin, size);
        const int outcome = at_line_start && text[begin] == '>' ? begin_record(out, begin, end)
                                                                : clean_letters(out, text, begin, end);
        if (outcome) return outcome;
        out->lines += end < size;
    }
    return CLEAN;
}

static inline int64_t without_return(const uint8_t *text, int64_t begin, int64_t end) {
    while (end > begin && text[end - 1] == '\r') end--;
    return end;
}

/* A record of FASTQ: where its lines are, and what is wrong with it. */
typedef struct {
    int64_t name, name_end;       /* its first line */
    int64_t letters, letters_end; /* the lines of its sequence; none if it has none */
    int64_t next, lines;          /* behind it, and the lines that it has */
    int64_t error;                /* where it is wrong */
} Read;

/* Take the line at `*at`, and go behind it; -1 if it does not end within the text, else its length. */
static inline int64_t take_line(Read *read, const uint8_t *text, int64_t size, int64_t *at) {
    const int64_t begin = *at, end = end_of_line(text, begin, size);
    if (end == size) return -1;
    *at = end + 1;
    read->lines++;
    return without_return(text, begin, end) - begin;
}

/* The record at `at`, of which each line ends with a newline: a name, a sequence in any number of lines, a plus sign, and
   as many qualities as letters. These may begin with '@' or '+', so that only their number tells where the record ends.
   Without a letter there is a line of qualities if there is one of letters, but at the end of a file it may be missing. */
static inline int read_fastq(const uint8_t *text, int64_t size, int64_t at, int ends, Read *read) {
    int64_t letters = 0, qualities = 0, length;
    *read = (Read){at, size, size, size, size, 0, at};
    if (text[at] != '@') return NOT_AT;
    if (take_line(read, text, size, &at) < 0) return CUT_SHORT;
    read->name_end = at - 1;
    for (read->letters = read->letters_end = at; at == size || text[at] != '+'; read->letters_end = at) {
        read->error = at;
        if (at == size) return CUT_SHORT;
        if (text[at] == '@') return NOT_PLUS;
        if ((length = take_line(read, text, size, &at)) < 0) return CUT_SHORT;
        letters += length;
    }
    if (take_line(read, text, size, &at) < 0) return CUT_SHORT;
    const int64_t first = read->error = at;
    int missing = read->letters_end > read->letters && !(ends && at == size && !letters);
    for (; missing || qualities < letters; missing = 0) {
        if (at == size) return at == first ? CUT_SHORT : ends ? OTHER_LENGTH : CUT_SHORT;
        if ((length = take_line(read, text, size, &at)) < 0) return CUT_SHORT;
        qualities += length;
    }
    read->next = at;
    return qualities == letters ? CLEAN : OTHER_LENGTH;
}

/* Where the last whole record of FASTQ ends, before blank lines that may be the end of the file; `size` if a record is
   wrong. */
static inline int64_t whole_fastq(const uint8_t *text, int64_t size) {
    Read read;
    int64_t end = size;
    while (end > 0 && (text[end - 1] == '\n' || text[end - 1] == '\r')) end--;
    for (int64_t at = 0; at < size; at = read.next) {
        if (at >= end) return at;
        const int outcome = read_fastq(text, size, at, 0, &read);
        if (outcome == CUT_SHORT) return at;
        if (outcome) return size;
    }
    return size;
}

/* Whole records of FASTQ. */
static inline int clean_fastq(Cleaned *out, const uint8_t *text, int64_t size) {
    Read read;
    for (int64_t at = 0; at < size; at = read.next) {
        const int wrong = read_fastq(text, size, at, 1, &read);
        out->error = read.error;
        if (wrong == NOT_AT) return wrong;
        if (begin_record(out, read.name, read.name_end)) return NO_MEMORY;
        const int outcome = clean_letters(out, text, read.letters, read.letters_end);
        if (outcome) return outcome;
        if (wrong) return wrong;
        out->lines += read.lines;
    }
    return CLEAN;
}

/* --- digits to k-mers ------------------------------------------------------------------------------------------- */

enum { MOST_K = 32 };
enum { FORWARD, BOTH, CANONICAL, RANDOM };

typedef struct {
    int64_t k, k_max;      /* letters of a k-mer: k to k_max, drawn for each place if they differ */
    int64_t longest;       /* k-mers of a sentence */
    int64_t shifted;       /* k frames without overlap, or all k-mers in a row */
    int64_t strand;        /* one of the above */
    uint64_t key;          /* of chance */
    uint64_t size;         /* digits of the alphabet */
    uint8_t complement[256];
    uint64_t power[MOST_K + 1];  /* of size */
    uint64_t offset[MOST_K + 2]; /* the number of the first k-mer of k letters */
} Scheme;

typedef struct {
    int32_t *tokens; /* room as `room_for` says */
    int64_t n_tokens;
    int64_t *ends;    /* of sentences */
    int64_t *owners;  /* the segment of each sentence */
    int64_t n_sentences;
    int64_t n_short;  /* segments with letters, but too few */
    int64_t *counts;  /* how often each k-mer was made; NULL if nobody asks */
    int32_t *fresh;   /* k-mers that were not counted before; room for all tokens or all k-mers */
    int64_t n_fresh;
    int32_t *codes;   /* scratch: a piece's k-mers */
    uint8_t *reverse; /* scratch: a piece's other strand */
} KmerTokens;

/* The bits of chance that belong to a place; SplitMix64 (Steele, Lea & Flood 2014). */
static inline uint64_t drawn(uint64_t key, uint64_t place) {
    uint64_t x = key + place * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline int64_t places_of_a_piece(const Scheme *scheme) {
    return scheme->longest * (scheme->shifted ? scheme->k : 1);
}

/* How many tokens and sentences a segment can have at most. */
static inline void room_for(const Scheme *scheme, int64_t letters, int64_t *tokens, int64_t *sentences) {
    const int64_t places = letters - scheme->k_max + 1, strands = scheme->strand == BOTH ? 2 : 1;
    if (places <= 0) return;
    *tokens += places * strands;
    *sentences += (1 + (places - 1) / places_of_a_piece(scheme)) * strands * (scheme->shifted ? scheme->k : 1);
}

/* The k-mer at the front of digits[0, k), -1 if a letter of it is left out; the plain way. */
static inline int32_t kmer_at(const Scheme *scheme, const uint8_t *digits, int64_t k) {
    uint64_t code = 0, other = 0;
    for (int64_t i = 0; i < k; i++) {
        if (digits[i] == LEFT_OUT) return -1;
        code = code * scheme->size + digits[i];
        other += scheme->complement[digits[i]] * scheme->power[i];
    }
    if (scheme->strand == CANONICAL && other < code) code = other;
    return (int32_t)(scheme->offset[k] + code);
}

static inline int64_t drawn_k(const Scheme *scheme, uint64_t key, uint64_t place) {
    return scheme->k + (int64_t)((drawn(key, place) >> 32) * (uint64_t)(scheme->k_max - scheme->k + 1) >> 32);
}

/* K-mers of one length k, each by itself: for a small k that is less work than to wait for the one before. */
static inline __attribute__((always_inline)) void kmers_of_few(const Scheme *scheme, const uint8_t *digits,
                                                               int64_t places, int k, int32_t *codes) {
    const uint32_t size = (uint32_t)scheme->size;
    for (int64_t i = 0; i < places; i++) {
        uint32_t code = digits[i];
        for (int j = 1; j < k; j++) code = code * size + digits[i + j];
        codes[i] = (int32_t)code;
    }
}

/* A window of k_max letters moves along: what leaves it is taken off, what comes is added, on both strands. All numbers
   are below 2^32. With four letters powers are shifts. */
static inline __attribute__((always_inline)) void kmers_of_window(const Scheme *scheme, const uint8_t *digits,
                                                                  int64_t places, uint64_t key, uint64_t first,
                                                                  int32_t *codes, const int of_four, const int one_k,
                                                                  const int canonical) {
    const int64_t last = scheme->k_max - 1;
    const uint32_t size = of_four ? 4 : (uint32_t)scheme->size, top = (uint32_t)scheme->power[last];
    uint32_t code = 0, other = 0;
    for (int64_t i = 0; i < last; i++) {
        code = code * size + digits[i];
        if (canonical) other += scheme->complement[digits[i]] * (uint32_t)scheme->power[i + 1];
    }
    for (int64_t i = 0; i < places; i++) {
        code = code * size + digits[i + last];
        uint32_t chosen = code, reversed = 0;
        int64_t k = scheme->k;
        if (canonical) {
            other = other / size + scheme->complement[digits[i + last]] * top;
            reversed = other;
        }
        if (!one_k) {
            k = drawn_k(scheme, key, first + (uint64_t)i);
            chosen = of_four ? code >> 2 * (scheme->k_max - k) : code / (uint32_t)scheme->power[scheme->k_max - k];
            if (canonical) reversed = other % (uint32_t)scheme->power[k];
        }
        if (canonical && reversed < chosen) chosen = reversed;
        codes[i] = (int32_t)((uint32_t)scheme->offset[k] + chosen);
        code -= digits[i] * top;
    }
}

/* The k-mer that begins at each of `places` places; `first` is the place of the first among all letters. Returns whether
   each place has one. */
static inline int kmers_in_a_row(const Scheme *scheme, const uint8_t *digits, int64_t places, uint64_t key,
                                  uint64_t first, int32_t *codes) {
    const int one_k = scheme->k == scheme->k_max, canonical = scheme->strand == CANONICAL, four = scheme->size == 4;
    if (memchr(digits, LEFT_OUT, (size_t)(places + scheme->k_max - 1))) {
        for (int64_t i = 0; i < places; i++)
            codes[i] = kmer_at(scheme, digits + i, one_k ? scheme->k : drawn_k(scheme, key, first + (uint64_t)i));
        return 0;
    }
    if (one_k && !canonical && scheme->k == 3) {
        kmers_of_few(scheme, digits, places, 3, codes);
    } else if (one_k && !canonical && scheme->k == 4) {
        kmers_of_few(scheme, digits, places, 4, codes);
    } else if (!four) {
        kmers_of_window(scheme, digits, places, key, first, codes, 0, one_k, canonical);
    } else if (one_k && !canonical) {
        kmers_of_window(scheme, digits, places, key, first, codes, 1, 1, 0);
    } else if (one_k) {
        kmers_of_window(scheme, digits, places, key, first, codes, 1, 1, 1);
    } else if (!canonical) {
        kmers_of_window(scheme, digits, places, key, first, codes, 1, 0, 0);
    } else {
        kmers_of_window(scheme, digits, places, key, first, codes, 1, 0, 1);
    }
    return 1;
}

/* Count the k-mers from the token `begin` on, and note those that come for the first time. */
static inline void count_kmers(KmerTokens *out, int64_t begin) {
    int64_t *counts = out->counts;
    if (!counts) return;
    for (int64_t i = begin; i < out->n_tokens; i++) {
        const int32_t kmer = out->tokens[i];
        if (__builtin_expect(!counts[kmer]++, 0)) out->fresh[out->n_fresh++] = kmer;
    }
}

static inline void end_kmer_sentence(KmerTokens *out, int64_t owner) {
    if (out->n_tokens == (out->n_sentences ? out->ends[out->n_sentences - 1] : 0)) return;
    out->ends[out->n_sentences] = out->n_tokens;
    out->owners[out->n_sentences++] = owner;
}

/* The sentences of a piece on one strand. */
static inline void sentences_of(const Scheme *scheme, const uint8_t *digits, int64_t places, uint64_t key,
                                uint64_t first, int64_t owner, KmerTokens *out) {
    const int64_t step = scheme->shifted ? scheme->k : 1, begin = out->n_tokens;
    int32_t *tokens = out->tokens + begin, *codes = step == 1 ? tokens : out->codes;
    const int all = kmers_in_a_row(scheme, digits, places, key, first, codes);
    if (step == 1 && all) { /* they are where they belong */
        out->n_tokens += places;
        end_kmer_sentence(out, owner);
    } else {
        for (int64_t frame = 0; frame < step; frame++) {
            for (int64_t i = frame; i < places; i += step) { /* -1 stands for a k-mer that is left out */
                *tokens = codes[i];
                tokens += codes[i] >= 0;
            }
            out->n_tokens = tokens - out->tokens;
            end_kmer_sentence(out, owner);
        }
    }
    count_kmers(out, begin); /* while they are in a near cache */
}

/* All sentences of a segment, which begins at the place `first` among all letters. A piece has the letters of so many
   places, and those that their last k-mers reach into. */
static inline void segment_to_kmers(const Scheme *scheme, const uint8_t *digits, int64_t letters, uint64_t first,
                                    int64_t owner, KmerTokens *out) {
    const int64_t last = scheme->k_max - 1, most = places_of_a_piece(scheme);
    if (letters <= last) out->n_short += letters > 0;
    for (int64_t begin = 0; begin + last < letters; begin += most) {
        const int64_t left = letters - last - begin, places = left < most ? left : most, size = places + last;
        const uint64_t place = first + (uint64_t)begin;
        const int turned = scheme->strand == BOTH || (scheme->strand == RANDOM && drawn(scheme->key + 2, place) >> 63);
        if (!turned || scheme->strand == BOTH)
            sentences_of(scheme, digits + begin, places, scheme->key, place, owner, out);
        if (turned) {
            for (int64_t i = 0; i < size; i++)
                out->reverse[size - 1 - i] = scheme->complement[digits[begin + i]];
            sentences_of(scheme, out->reverse, places, scheme->key + 1, place, owner, out);
        }
    }
}

#endif
