/* Several workers, one result: rounds of segments (see docs/deterministic.md).
 *
 * A round is some segments of consecutive positions. The words of a segment follow from positions alone, so they are
 * known before it is trained; and but for the most frequent words, its noise words come from a part of the vocabulary
 * that no other segment draws from. So a segment trains in place what no other segment can touch, and copies of its own
 * of everything else; at the end of the round the differences are added up in the order of the segments. Who does what,
 * and when, cannot be seen from the result.
 *
 *   stage A   segments of round r are trained    |  segments of round r + 1 leave their marks on words and nodes
 *   --------- all wait for all -----------------------------------------------------------------------------
 *   stage B   copies are merged into the rows, each row by one worker
 *   --------- all wait for all -----------------------------------------------------------------------------
 *
 * Marks of even and odd rounds are apart, so that the halves of stage A never meet.
 *
 * A round that takes long (a window may be as wide as a sentence) must be possible to abandon: there the segments copy
 * all that they touch. What one segment alone has copied is copied back, so this changes no bit; and until stage B
 * nothing of the round is in the rows.
 */
#ifndef W2V_ROUNDS_H
#define W2V_ROUNDS_H

#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "_simd.h"

/* A row that is touched more often than this in a round has all but settled in each copy, and the sum of what many
 * copies have learnt would overshoot: its share falls, down to the mean of them. */
#define MANY_TOUCHES 64.0f

enum { MOST_SEGMENTS = 32, TABLES = 4, COPIES_AT_A_TIME = 64, SPINS = 200, SOON = 8 };

/* A number on cache lines of its own (two, since processors fetch lines in pairs): who writes it disturbs no other. */
typedef struct {
    int n;
    char apart[124];
} Padded;

/* One matrix. */
typedef struct {
    float *rows;
    const float *locks; /* [n_rows] of which 0 means that a row is not to change; or NULL */
    long long n_rows, stride;
    uint64_t *marks[2]; /* [n_rows] the last round that has the word or node, and a bit for each segment that does */
    uint32_t *slots;    /* [n_rows][n_segments] the number of a segment's copy, counted through all rounds */
} Table;

typedef struct {
    uint32_t row;
    uint32_t matrix;
    uint32_t times; /* that the segment asked for it in this round */
} Copy;

typedef struct Rounds Rounds;

/* What one segment writes in a round. */
typedef struct {
    Rounds *all;
    int number;
    const uint32_t *noise; /* [n_noise][3] alias table of its part of the vocabulary in this round */
    uint64_t n_noise;
    uint32_t before;       /* copies of earlier rounds: slots that hold less are of old */
    uint32_t n;            /* copies of this round, in the order in which they were first asked for */
    uint32_t n_made;       /* of them hold the row already */
    Copy *copies;          /* [most_copies] */
    float **sources;       /* [most_copies] the rows that they are copies of */
    float *memory;         /* [most_copies][stride], of the longest rows */
    double loss;           /* of the rounds that count */
    double loss_after;     /* when this round counts, too */
    char apart[128];
} Segment;

struct Rounds {
    Table tables[TABLES];
    Segment segment[MOST_SEGMENTS];
    int n_segments;
    long long stride, most_copies;
    const uint32_t *noise;       /* alias tables, one after the other: coin, word, other word */
    const long long *parts;      /* [n_segments + 1] where each begins */
    Padded next;                    /* the block of copies that nobody merges yet */
    Padded claimed[2][MOST_SEGMENTS];   /* segments that somebody trains, or marks */
    Padded waiting, generation;
    int copies_all;       /* segments copy also what they alone touch: a round that takes long can be abandoned */
    int over;             /* said by the last to come, for all: this was the last round */
    unsigned jitter;      /* microseconds that a test makes threads sleep, at most */
};

/* A segment of a round, and its mark. */
typedef struct {
    Table *tables;
    int parity;
    uint64_t mark; /* the round, and a bit for the segment */
} SegmentMark;

static inline SegmentMark mark_of(Rounds *all, int segment, long long round) {
    return (SegmentMark){all->tables, (int)(round & 1), (uint64_t)(round + 1) << 32 | (uint64_t)1 << segment};
}

static inline void leave_mark(const SegmentMark *here, int matrix, long long row) {
    uint64_t *at = &here->tables[matrix].marks[here->parity][row];
    uint64_t found = __atomic_load_n(at, __ATOMIC_RELAXED), left;
    do {
        left = found >> 32 == here->mark >> 32 ? found | here->mark : here->mark;
        if (left == found) return;
    } while (!__atomic_compare_exchange_n(at, &found, left, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

static inline int in_this_round(const SegmentMark *here, int matrix, long long row) {
    return here->tables[matrix].marks[here->parity][row] >> 32 == here->mark >> 32;
}

static inline int in_this_segment_alone(const SegmentMark *here, int matrix, long long row) {
    return here->tables[matrix].marks[here->parity][row] == here->mark;
}

/* Forget the copies of the round before, and take the noise words that chance, `bits`, gives it in this one. */
static inline void begin_segment(Segment *segment, uint64_t bits) {
    Rounds *all = segment->all;
    const int part = (int)((bits + (uint64_t)segment->number) % (uint64_t)all->n_segments);
    if (all->noise) segment->noise = all->noise + 3 * all->parts[part];
    segment->n_noise = (uint64_t)(all->parts[part + 1] - all->parts[part]);
    segment->before += segment->n;
    segment->n = segment->n_made = 0;
    if (segment->before > UINT32_MAX - (uint32_t)all->most_copies) { /* billions of copies: from one again */
        for (int m = 0; m < TABLES; m++)
            for (long long row = 0; row < all->tables[m].n_rows; row++)
                all->tables[m].slots[row * all->n_segments + segment->number] = 0;
        segment->before = 1;
    }
}

/* Where a segment finds its copy of a row. A copy that is asked for the first time is made later, by `make_copies`:
 * until then the row is on its way. */
static inline float *copy_of(Segment *segment, int matrix, long long row) {
    const Rounds *all = segment->all;
    const Table *table = &all->tables[matrix];
    uint32_t *slot = &table->slots[row * all->n_segments + segment->number], number = *slot - segment->before;
    if (number >= segment->n) {
        number = segment->n++;
        *slot = segment->before + number;
        segment->copies[number] = (Copy){(uint32_t)row, (uint32_t)matrix, 0};
        float *source = segment->sources[number] = table->rows + row * table->stride;
        for (long long i = 0; i < table->stride; i += 16) __builtin_prefetch(source + i);
    }
    segment->copies[number].times++;
    return segment->memory + number * all->stride;
}

static inline void make_copies(Segment *segment, uint32_t until) {
    const Rounds *all = segment->all;
    for (uint32_t *i = &segment->n_made; *i < until; ++*i) {
        const size_t size = (size_t)all->tables[segment->copies[*i].matrix].stride * sizeof(float);
        memcpy(segment->memory + *i * all->stride, segment->sources[*i], size);
    }
}

/* Merge what segments have learnt of one row, in their order. Called for each copy; the call for the first does it. */
static inline void merge_row(Rounds *all, const Level *level, int first, const Copy *copy) {
    const Table *table = &all->tables[copy->matrix];
    const uint32_t *slots = table->slots + copy->row * (long long)all->n_segments;
    if (table->locks && table->locks[copy->row] == 0) return; /* adding 0 would make a +0 of a -0 */
    const float *copies[MOST_SEGMENTS];
    uint32_t times = 0;
    int n = 0;
    for (int i = 0; i < all->n_segments; i++) {
        const Segment *segment = &all->segment[i];
        const uint32_t number = slots[i] - segment->before;
        if (number >= segment->n) continue;
        if (i < first) return;
        copies[n++] = segment->memory + number * all->stride;
        times += segment->copies[number].times;
    }
    float *row = table->rows + copy->row * table->stride;
    if (n == 1) {
        memcpy(row, copies[0], (size_t)table->stride * sizeof(float));
        return;
    }
    const float share = MANY_TOUCHES / (float)times, least = 1.0f / (float)n;
    level->merge(row, copies, n, share < least ? least : share < 1 ? share : 1, table->stride);
}

/* Merge the next few copies, counted through all segments; 0 if there are no more. */
static int merge(Rounds *all, const Level *level) {
    int block = __atomic_fetch_add(&all->next.n, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < all->n_segments; i++) {
        const Segment *segment = &all->segment[i];
        const int n = (int)segment->n, blocks = (n + COPIES_AT_A_TIME - 1) / COPIES_AT_A_TIME;
        if (block >= blocks) {
            block -= blocks;
            continue;
        }
        const int begin = block * COPIES_AT_A_TIME, end = begin + COPIES_AT_A_TIME < n ? begin + COPIES_AT_A_TIME : n;
        for (int c = begin; c < end; c++) {
            if (c + SOON < n) {
                const Copy *soon = &segment->copies[c + SOON];
                __builtin_prefetch(&all->tables[soon->matrix].slots[soon->row * (long long)all->n_segments]);
            }
            merge_row(all, level, i, &segment->copies[c]);
        }
        return 1;
    }
    return 0;
}

/* A segment that nobody has claimed for this work, or -1. Each worker begins with other ones, and with the same ones
 * every time: what they wrote is still in its cache. */
static int take_segment(Rounds *all, int work, int worker, int workers) {
    for (int i = 0, segment = worker * all->n_segments / workers; i < all->n_segments; i++, segment++) {
        if (segment >= all->n_segments) segment = 0;
        int *claimed = &all->claimed[work][segment].n;
        if (__atomic_load_n(claimed, __ATOMIC_RELAXED)) continue;
        if (!__atomic_exchange_n(claimed, 1, __ATOMIC_RELAXED)) return segment;
    }
    return -1;
}

/* Wait until all workers are here. The last one to come gets 1, prepares what follows, and calls `open_barrier`; the
 * others get 0 then, or -1 if one of them has given up. */
static int wait_for_all(Rounds *all, int workers, const int *given_up) {
    const int generation = __atomic_load_n(&all->generation.n, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(&all->waiting.n, 1, __ATOMIC_ACQ_REL) == workers) return 1;
    for (int spins = 0; __atomic_load_n(&all->generation.n, __ATOMIC_ACQUIRE) == generation;) {
        if (spins < SPINS) {
            spins++;
#if defined(__x86_64__)
            __builtin_ia32_pause();
#endif
        } else {
            if (__atomic_load_n(given_up, __ATOMIC_RELAXED)) /* or has done all its work, once everybody was here */
                return __atomic_load_n(&all->generation.n, __ATOMIC_ACQUIRE) == generation ? -1 : 0;
            sched_yield();
        }
    }
    return 0;
}

static inline void open_barrier(Rounds *all) {
    all->next.n = 0;
    for (int i = 0; i < all->n_segments; i++) all->claimed[0][i].n = all->claimed[1][i].n = 0;
    __atomic_store_n(&all->waiting.n, 0, __ATOMIC_RELAXED);
    __atomic_add_fetch(&all->generation.n, 1, __ATOMIC_RELEASE);
}

static inline void sleep_at_random(Rounds *all, unsigned long long position) {
    if (all->jitter) usleep((unsigned)(position * 2654435761u >> 16) % all->jitter);
}

#endif
