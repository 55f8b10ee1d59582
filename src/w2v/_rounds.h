/* Several workers, one result: rounds of lanes (see docs/deterministic.md).
 *
 * A round is some lanes of consecutive positions. Which rows a lane will touch follows from positions alone, so it is
 * known before: a row that one lane touches is trained in place, of a row that several touch each lane trains a copy,
 * and at the end of the round the differences are added up in the order of the lanes. Who does what, and when, cannot
 * be seen from the result.
 *
 *   stage A   lanes of round r are trained     |  lanes of round r + 1 leave their stamps on rows
 *   --------- all wait for all ---------------------------------------------------------------------
 *   stage B   copies of round r are merged     |  lanes of round r + 1 find rows with another lane's stamp
 *   --------- all wait for all ---------------------------------------------------------------------
 *
 * What is known of the next round is under the other parity, so that the halves of a stage never meet.
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

enum { MOST_LANES = 64, TABLES = 3, TOUCHES_AT_A_TIME = 256, SPINS = 200, SOON = 16 };

/* A number that one worker writes while others write their own: on cache lines of its own (two, since processors fetch
 * lines in pairs). */
typedef struct {
    int n;
    char apart[124];
} Own;

typedef struct {
    uint32_t round;  /* that this was made in */
    uint32_t number; /* of the lane's copy */
    uint32_t times;  /* that the lane touches it */
    uint32_t spare;
} Copy;

/* One matrix. A touch has a number: lane * most_touched + its place in the lane's list. A shared row goes by the number
 * of the touch that stamped it last. */
typedef struct {
    float *rows;
    const float *locks;   /* [n_rows] of which 0 means that a row is not to change; or NULL */
    uint32_t *stamps;     /* [n_rows] the last touch of a row, in the round to come */
    int32_t *touched[2];  /* [touches] rows that a lane will ask for, in that order; or -1 */
    Own n_touched[2][MOST_LANES];
    uint32_t *stamped;    /* [touches] the stamp that was found on the row */
    uint32_t *shared[2];  /* [touches] the round in which a row of this stamp was shared */
    float **mine;         /* [touches] where a lane finds its rows: the rows themselves, or its copies; or NULL */
    Copy *copies;         /* [touches][lanes] of the row of this stamp */
} Table;

typedef struct {
    Table tables[TABLES];
    int lanes, most_touched;
    long long stride;
    float *memory;        /* [lanes][most_copies][stride] */
    long long most_copies;
    double loss[MOST_LANES];
    Own next;             /* touches to merge: what is not taken yet */
    Own taken[3][MOST_LANES]; /* lanes that somebody trains, stamps, marks */
    Own waiting, generation;
    int over;             /* said by the last to come, for all: this was the last round */
    unsigned jitter;      /* microseconds that a test makes threads sleep, at most */
} Rounds;

static inline long long first_touch(const Rounds *all, int lane) { return (long long)lane * all->most_touched; }

/* Stamp a row that a lane will ask for next; or none, with -1. */
static inline void touch(Rounds *all, int matrix, int lane, int parity, long long row) {
    Table *table = &all->tables[matrix];
    const long long number = first_touch(all, lane) + table->n_touched[parity][lane].n++;
    table->touched[parity][number] = (int32_t)row;
    if (row >= 0) __atomic_store_n(&table->stamps[row], (uint32_t)number, __ATOMIC_RELAXED);
}

static inline void forget_touched(Rounds *all, int lane, int parity) {
    for (int m = 0; m < TABLES; m++) all->tables[m].n_touched[parity][lane].n = 0;
}

/* Say of the rows that have another lane's stamp that they are shared. The last lane to stamp a row does not see the
 * others: they see it. */
static void mark(Rounds *all, int lane, int parity, uint32_t round) {
    const long long first = first_touch(all, lane);
    for (int m = 0; m < TABLES; m++) {
        Table *table = &all->tables[m];
        const int32_t *rows = table->touched[parity] + first;
        const int n = table->n_touched[parity][lane].n;
        for (int i = 0; i < n; i++) {
            if (i + SOON < n && rows[i + SOON] >= 0) __builtin_prefetch(&table->stamps[rows[i + SOON]]);
            if (rows[i] < 0) continue;
            const uint32_t stamp = __atomic_load_n(&table->stamps[rows[i]], __ATOMIC_RELAXED);
            table->stamped[first + i] = stamp;
            if (stamp - (unsigned long long)first >= (unsigned long long)all->most_touched)
                __atomic_store_n(&table->shared[parity][stamp], round, __ATOMIC_RELAXED);
        }
    }
}

static inline float *copy_at(const Rounds *all, int lane, uint32_t number) {
    return all->memory + (lane * all->most_copies + number) * all->stride;
}

/* Find all rows that a lane will ask for, and make its copies of those it shares. */
static void find_rows(Rounds *all, int lane, int parity, uint32_t round) {
    const long long first = first_touch(all, lane);
    uint32_t n_copies = 0;
    for (int m = 0; m < TABLES; m++) {
        Table *table = &all->tables[m];
        const int32_t *rows = table->touched[parity] + first;
        float **mine = table->mine + first;
        const int n = table->n_touched[parity][lane].n;
        for (int i = 0; i < n; i++) {
            if (rows[i] < 0) {
                mine[i] = NULL;
                continue;
            }
            const uint32_t stamp = table->stamped[first + i];
            mine[i] = table->rows + rows[i] * all->stride;
            if (__atomic_load_n(&table->shared[parity][stamp], __ATOMIC_RELAXED) != round) continue;
            Copy *copy = &table->copies[stamp * (long long)all->lanes + lane];
            if (copy->round != round) {
                *copy = (Copy){round, n_copies++, 0, 0};
                memcpy(copy_at(all, lane, copy->number), mine[i], (size_t)all->stride * sizeof(float));
            }
            copy->times++;
            mine[i] = copy_at(all, lane, copy->number);
        }
    }
}

/* Merge what lanes have learnt of one row, in their order. */
static void merge_row(Rounds *all, const Level *level, const Table *table, long long number, long long row,
                      uint32_t round) {
    const Copy *of_lane = table->copies + number * all->lanes;
    if (table->locks && table->locks[row] == 0) return;  /* adding 0 would make a +0 of a -0 */
    const float *copies[MOST_LANES];
    uint32_t times = 0;
    int n = 0;
    for (int lane = 0; lane < all->lanes; lane++) {
        if (of_lane[lane].round != round) continue;
        copies[n++] = copy_at(all, lane, of_lane[lane].number);
        times += of_lane[lane].times;
    }
    const float share = MANY_TOUCHES / (float)times, least = 1.0f / (float)n;
    level->merge(table->rows + row * all->stride, copies, n, share < least ? least : share < 1 ? share : 1,
                 all->stride);
}

/* Merge the shared rows of the next few touches, counted through all tables and lanes; 0 if there are no more. */
static int merge(Rounds *all, const Level *level, int parity, uint32_t round) {
    int block = __atomic_fetch_add(&all->next.n, 1, __ATOMIC_RELAXED);
    for (int m = 0; m < TABLES; m++) {
        const Table *table = &all->tables[m];
        for (int lane = 0; lane < all->lanes; lane++) {
            const int n = table->n_touched[parity][lane].n, blocks = (n + TOUCHES_AT_A_TIME - 1) / TOUCHES_AT_A_TIME;
            if (block >= blocks) {
                block -= blocks;
                continue;
            }
            const int begin = block * TOUCHES_AT_A_TIME, end = begin + TOUCHES_AT_A_TIME;
            for (int i = begin; i < (end < n ? end : n); i++) {
                const long long number = first_touch(all, lane) + i;
                if (__atomic_load_n(&table->shared[parity][number], __ATOMIC_RELAXED) == round)
                    merge_row(all, level, table, number, table->touched[parity][number], round);
            }
            return 1;
        }
    }
    return 0;
}

/* A lane that nobody has taken for this work, or -1. Each worker begins with other ones, and with the same ones every
 * time: what they wrote is still in its cache. */
static int take_lane(Rounds *all, int work, int worker, int workers) {
    for (int i = 0, lane = worker * all->lanes / workers; i < all->lanes; i++, lane++) {
        if (lane >= all->lanes) lane = 0;
        int *taken = &all->taken[work][lane].n;
        if (!__atomic_load_n(taken, __ATOMIC_RELAXED) && !__atomic_exchange_n(taken, 1, __ATOMIC_RELAXED)) return lane;
    }
    return -1;
}

/* Wait until all workers are here. The last one to come gets 1, prepares what follows, and calls `go_on`; the others
 * get 0 then, or -1 if one of them has given up. */
static int wait_for_all(Rounds *all, int workers, const int *given_up) {
    const int generation = __atomic_load_n(&all->generation.n, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(&all->waiting.n, 1, __ATOMIC_ACQ_REL) == workers) return 1;
    for (int spins = 0; __atomic_load_n(&all->generation.n, __ATOMIC_ACQUIRE) == generation; spins++) {
        if (spins < SPINS) {
#if defined(__x86_64__)
            __builtin_ia32_pause();
#endif
        } else {
            if (__atomic_load_n(given_up, __ATOMIC_RELAXED)) return -1;
            sched_yield();
        }
    }
    return 0;
}

static inline void go_on(Rounds *all) {
    all->next.n = 0;
    for (int work = 0; work < 3; work++)
        for (int lane = 0; lane < all->lanes; lane++) all->taken[work][lane].n = 0;
    __atomic_store_n(&all->waiting.n, 0, __ATOMIC_RELAXED);
    __atomic_add_fetch(&all->generation.n, 1, __ATOMIC_RELEASE);
}

static inline void sleep_at_random(Rounds *all, unsigned long long position) {
    if (all->jitter) usleep((unsigned)(position * 2654435761u >> 16) % all->jitter);
}

#endif
