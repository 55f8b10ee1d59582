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
 * What is known of the next round is in the tables of the other parity, so that the halves of a stage never meet.
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

enum { MOST_LANES = 64, TABLES = 3, SLOTS_AT_A_TIME = 32, SPINS = 200, SOON = 16 };

typedef struct {
    uint32_t number; /* 1 + the number of the lane's copy, or 0 */
    uint32_t times;  /* that the lane touches it */
} Copy;

/* One matrix. Slots are the places of shared rows. */
typedef struct {
    float *rows;
    uint8_t *stamps;         /* [n_rows] the last lane that said it will touch a row, in the round to come */
    int32_t *touched[2];     /* [lanes][most_touched] rows that a lane will touch, in the order of its asking; or -1 */
    int n_touched[2][MOST_LANES];
    float **mine;            /* [lanes][most_touched] where it finds them: the rows themselves, or its copies; or NULL */
    uint32_t *slots[2];      /* [n_rows] 1 + the slot of a row, or 0 */
    int32_t *row_of[2];      /* [most_slots] its row, or -1 */
    Copy *copies[2];         /* [most_slots][lanes] */
    int n_slots[2];
} Table;

typedef struct {
    Table tables[TABLES];
    int lanes, most_touched;
    long long stride;
    float *memory;           /* [lanes][most_copies][stride] */
    long long most_copies;
    double loss[MOST_LANES];
    int next[4];             /* lanes to train, lanes to stamp, slots to merge, lanes to mark: what is not taken yet */
    int waiting, generation;
    int over;                /* said by the last to come, for all: this was the last round */
    unsigned jitter;         /* microseconds that a test makes threads sleep, at most */
} Rounds;

static inline int32_t *touched_by(const Rounds *all, const Table *table, int lane, int parity) {
    return table->touched[parity] + (long long)lane * all->most_touched;
}

/* Stamp a row that a lane will ask for next; or none, with -1. */
static inline void touch(Rounds *all, int matrix, int lane, int parity, long long row) {
    Table *table = &all->tables[matrix];
    if (row >= 0) __atomic_store_n(&table->stamps[row], (uint8_t)lane, __ATOMIC_RELAXED);
    touched_by(all, table, lane, parity)[table->n_touched[parity][lane]++] = (int32_t)row;
}

static inline void forget_touched(Rounds *all, int lane, int parity) {
    for (int m = 0; m < TABLES; m++) all->tables[m].n_touched[parity][lane] = 0;
}

/* Give the rows that another lane has stamped too a slot. The last lane to stamp a row does not see the others: they
 * see it. Numbers of slots depend on who comes first; nothing else does. */
static void mark(Rounds *all, int lane, int parity) {
    for (int m = 0; m < TABLES; m++) {
        Table *table = &all->tables[m];
        const int32_t *rows = touched_by(all, table, lane, parity);
        const int n = table->n_touched[parity][lane];
        for (int i = 0; i < n; i++) {
            if (i + SOON < n && rows[i + SOON] >= 0) __builtin_prefetch(&table->stamps[rows[i + SOON]]);
            if (rows[i] < 0 || __atomic_load_n(&table->stamps[rows[i]], __ATOMIC_RELAXED) == lane) continue;
            uint32_t *slot = &table->slots[parity][rows[i]], none = 0;
            if (__atomic_load_n(slot, __ATOMIC_RELAXED)) continue;
            const int new = __atomic_fetch_add(&table->n_slots[parity], 1, __ATOMIC_RELAXED);
            memset(table->copies[parity] + (long long)new * all->lanes, 0, (size_t)all->lanes * sizeof(Copy));
            const int first = __atomic_compare_exchange_n(slot, &none, (uint32_t)new + 1, 0, __ATOMIC_RELAXED,
                                                          __ATOMIC_RELAXED);
            table->row_of[parity][new] = first ? rows[i] : -1;
        }
    }
}

static inline float *copy_at(const Rounds *all, int lane, uint32_t number) {
    return all->memory + ((long long)lane * all->most_copies + number - 1) * all->stride;
}

/* Find all rows that a lane will ask for, and make its copies of those it shares. */
static void find_rows(Rounds *all, int lane, int parity) {
    uint32_t n_copies = 0;
    for (int m = 0; m < TABLES; m++) {
        Table *table = &all->tables[m];
        const int32_t *rows = touched_by(all, table, lane, parity);
        const uint32_t *slots = table->slots[parity];
        float **mine = table->mine + (long long)lane * all->most_touched;
        const int n = table->n_touched[parity][lane];
        for (int i = 0; i < n; i++) {
            if (i + SOON < n && rows[i + SOON] >= 0) __builtin_prefetch(&slots[rows[i + SOON]]);
            if (rows[i] < 0) {
                mine[i] = NULL;
                continue;
            }
            mine[i] = table->rows + rows[i] * all->stride;
            if (slots[rows[i]] == 0) continue;
            Copy *copy = &table->copies[parity][(slots[rows[i]] - 1) * (long long)all->lanes + lane];
            if (copy->number == 0) {
                copy->number = ++n_copies;
                memcpy(copy_at(all, lane, n_copies), mine[i], (size_t)all->stride * sizeof(float));
            }
            copy->times++;
            mine[i] = copy_at(all, lane, copy->number);
        }
    }
}

/* Merge the copies of the next few slots, numbered through all tables; returns 0 if there are no more. */
static int merge(Rounds *all, const Level *level, int parity, int block) {
    for (int m = 0; m < TABLES; m++) {
        Table *table = &all->tables[m];
        const int n_slots = table->n_slots[parity], blocks = (n_slots + SLOTS_AT_A_TIME - 1) / SLOTS_AT_A_TIME;
        if (block >= blocks) {
            block -= blocks;
            continue;
        }
        const int begin = block * SLOTS_AT_A_TIME, last = begin + SLOTS_AT_A_TIME;
        for (int slot = begin; slot < (last < n_slots ? last : n_slots); slot++) {
            const long long row = table->row_of[parity][slot];
            const Copy *of_lane = table->copies[parity] + (long long)slot * all->lanes;
            const float *copies[MOST_LANES];
            uint32_t times = 0;
            int n = 0;
            if (row < 0) continue;
            for (int lane = 0; lane < all->lanes; lane++) {
                if (of_lane[lane].number == 0) continue;
                copies[n++] = copy_at(all, lane, of_lane[lane].number);
                times += of_lane[lane].times;
            }
            const float share = MANY_TOUCHES / (float)times, least = 1.0f / (float)n;
            level->merge(table->rows + row * all->stride, copies, n, share < least ? least : share < 1 ? share : 1,
                         all->stride);
            table->slots[parity][row] = 0;
        }
        return 1;
    }
    return 0;
}

/* The next piece of a stage's work that nobody has taken. */
static inline int take(Rounds *all, int work) { return __atomic_fetch_add(&all->next[work], 1, __ATOMIC_RELAXED); }

/* Wait until all workers are here. The last one to come gets 1, prepares what follows, and calls `go_on`; the others
 * get 0 then, or -1 if one of them has given up. */
static int wait_for_all(Rounds *all, int workers, const int *given_up) {
    const int generation = __atomic_load_n(&all->generation, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(&all->waiting, 1, __ATOMIC_ACQ_REL) == workers) return 1;
    for (int spins = 0; __atomic_load_n(&all->generation, __ATOMIC_ACQUIRE) == generation; spins++) {
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
    memset(all->next, 0, sizeof all->next);
    __atomic_store_n(&all->waiting, 0, __ATOMIC_RELAXED);
    __atomic_add_fetch(&all->generation, 1, __ATOMIC_RELEASE);
}

/* A round has been merged: its tables are for the round after the next one. */
static inline void round_is_over(Rounds *all, int parity) {
    for (int m = 0; m < TABLES; m++) all->tables[m].n_slots[parity] = 0;
}

static inline void sleep_at_random(Rounds *all, unsigned long long position) {
    if (all->jitter) usleep((unsigned)(position * 2654435761u >> 16) % all->jitter);
}

#endif
