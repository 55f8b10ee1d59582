/* Pairs of adjacent words and their counts. */
#ifndef W2V_PAIRS_H
#define W2V_PAIRS_H

#include "_edges.h"

typedef struct {
    uint32_t a, b, link; /* the words, and the connectors between them (0: none) */
    uint32_t round;      /* how often the table had been pruned when the pair came in */
    int64_t count;       /* 0 where the slot is free */
} Pair;

typedef struct {
    Pair *slots;
    uint64_t mask; /* slots - 1; their number is a power of two */
    int64_t n_pairs;
} PairTable;

/* A pair that was met and is not counted yet. */
typedef struct {
    uint64_t hash;
    uint32_t a, b, link;
} Met;

static inline uint64_t hash_of_pair(uint64_t seed, uint32_t a, uint32_t b, uint32_t link) {
    return mixed(mixed(seed ^ ((uint64_t)a << 32 | b)) ^ link);
}

static int pairs_start(PairTable *table, uint64_t slots) {
    table->slots = calloc(slots, sizeof(Pair));
    if (!table->slots) return TERMS_NO_MEMORY;
    table->mask = slots - 1;
    table->n_pairs = 0;
    return TERMS_OK;
}

/* Move the pairs that `keeps` into a table of `slots`. A pair is kept if count + lost at its coming in > lost_after. */
static int pairs_rebuild(PairTable *table, uint64_t slots, uint64_t seed, const int64_t *lost, int64_t lost_after) {
    PairTable made;
    if (pairs_start(&made, slots) != TERMS_OK) return TERMS_NO_MEMORY;
    for (uint64_t i = 0; i <= table->mask; i++) {
        const Pair *pair = &table->slots[i];
        if (!pair->count || pair->count + lost[pair->round] <= lost_after) continue;
        uint64_t at = hash_of_pair(seed, pair->a, pair->b, pair->link) & made.mask;
        while (made.slots[at].count) at = (at + 1) & made.mask;
        made.slots[at] = *pair;
        made.n_pairs++;
    }
    free(table->slots);
    *table = made;
    return TERMS_OK;
}

enum { PAIRS_AHEAD = 12 }; /* how many pairs ahead of its turn a slot is asked for */

static int pairs_count(PairTable *table, const Met *met, int64_t n, uint64_t seed, uint32_t round, const int64_t *lost) {
    for (int64_t i = 0; i < n; i++) {
        if (i + PAIRS_AHEAD < n) __builtin_prefetch(&table->slots[met[i + PAIRS_AHEAD].hash & table->mask], 1);
        if (3 * (uint64_t)table->n_pairs > 2 * table->mask &&
            pairs_rebuild(table, 2 * (table->mask + 1), seed, lost, 0) != TERMS_OK)
            return TERMS_NO_MEMORY;
        const Met *one = &met[i];
        for (uint64_t at = one->hash & table->mask;; at = (at + 1) & table->mask) {
            Pair *pair = &table->slots[at];
            if (!pair->count) {
                *pair = (Pair){one->a, one->b, one->link, round, 1};
                table->n_pairs++;
                break;
            }
            if (pair->a == one->a && pair->b == one->b && pair->link == one->link) {
                pair->count++;
                break;
            }
        }
    }
    return TERMS_OK;
}

#endif
