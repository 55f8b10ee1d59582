/* Pairs of words and their counts. */
#ifndef W2V_PAIRS_H
#define W2V_PAIRS_H

#include "_edges.h"

enum { ROUND_BITS = 16, PAIR_PARTS = 64, FIRST_SLOTS = 64 };

/* Beginnings of pairs from this number on are a word with connectors behind it; those below are words. */
static const uint32_t LINKED = 1u << 31;

/* A pair and its count, and how often the table had been pruned when it came in. The count is 0 where the slot is free.
   Its 48 bits are more than any text has words. */
typedef struct {
    uint32_t begin, b;
    uint64_t count : 64 - ROUND_BITS, round : ROUND_BITS;
} Pair;

/* One part of all pairs. Parts grow one by one, and by a quarter, so that little memory is empty or there twice. */
typedef struct {
    Pair *slots;
    uint64_t n_slots;
    int64_t n_pairs;
} PairTable;

/* A pair that was met and is not counted yet. */
typedef struct {
    uint64_t hash;
    uint32_t begin, b;
} Met;

static inline uint64_t hash_of_pair(uint64_t seed, uint32_t begin, uint32_t b) {
    return mixed(seed ^ ((uint64_t)begin << 32 | b));
}

/* The upper half of a hash tells the part, the lower one the slot in it. */
static inline int part_of(uint64_t hash) { return (int)(hash >> 32) & (PAIR_PARTS - 1); }

static inline uint64_t pair_slot(const PairTable *table, uint64_t hash, uint32_t begin, uint32_t b) {
    uint64_t at = (hash & UINT32_MAX) * table->n_slots >> 32;
    while (table->slots[at].count && (table->slots[at].b != b || table->slots[at].begin != begin))
        if (++at == table->n_slots) at = 0;
    return at;
}

static int pairs_start(PairTable *table, uint64_t n_slots) {
    table->slots = n_slots < UINT32_MAX ? calloc(n_slots, sizeof(Pair)) : NULL;
    if (!table->slots) return TERMS_NO_MEMORY;
    table->n_slots = n_slots;
    table->n_pairs = 0;
    return TERMS_OK;
}

/* Move the pairs that are kept into a table of so many slots: those with count + lost at their coming in > lost_after. */
static int pairs_rebuild(PairTable *table, uint64_t n_slots, uint64_t seed, const int64_t *lost, int64_t lost_after) {
    PairTable made;
    if (pairs_start(&made, n_slots) != TERMS_OK) return TERMS_NO_MEMORY;
    for (uint64_t i = 0; i < table->n_slots; i++) {
        const Pair *pair = &table->slots[i];
        if (!pair->count || (int64_t)pair->count + lost[pair->round] <= lost_after) continue;
        made.slots[pair_slot(&made, hash_of_pair(seed, pair->begin, pair->b), pair->begin, pair->b)] = *pair;
        made.n_pairs++;
    }
    free(table->slots);
    *table = made;
    return TERMS_OK;
}

/* Add to the count of a pair, which may be new. */
static inline int pair_add(PairTable *table, const Met *met, int64_t count, uint64_t seed, uint32_t round,
                           const int64_t *lost) {
    if (5 * (uint64_t)table->n_pairs >= 4 * table->n_slots &&
        pairs_rebuild(table, table->n_slots + table->n_slots / 4, seed, lost, -1) != TERMS_OK)
        return TERMS_NO_MEMORY;
    Pair *pair = &table->slots[pair_slot(table, met->hash, met->begin, met->b)];
    if (!pair->count) {
        *pair = (Pair){met->begin, met->b, 0, round};
        table->n_pairs++;
    }
    pair->count += (uint64_t)count;
    return TERMS_OK;
}

enum { PAIRS_AHEAD = 12 }; /* how many pairs ahead of its turn a slot is asked for */

static int pairs_count(PairTable *table, const Met *met, int64_t n, uint64_t seed, uint32_t round, const int64_t *lost) {
    for (int64_t i = 0; i < n; i++) {
        if (i + PAIRS_AHEAD < n)
            __builtin_prefetch(&table->slots[(met[i + PAIRS_AHEAD].hash & UINT32_MAX) * table->n_slots >> 32], 1);
        if (pair_add(table, &met[i], 1, seed, round, lost) != TERMS_OK) return TERMS_NO_MEMORY;
    }
    return TERMS_OK;
}

#endif
