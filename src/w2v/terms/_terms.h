/* Counts of pairs of words; terms as a tree over word numbers; the division of a sentence into terms. */
#ifndef W2V_TERMS_H
#define W2V_TERMS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TERMS_OK, TERMS_NO_MEMORY };

static inline uint64_t terms_mixed(uint64_t x) {
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}

/* --- a growing array ------------------------------------------------------------------------------------------- */

/* Room for `wanted` items of `size` bytes; what is new is zero. */
static int make_room(void **items, int64_t *room, int64_t wanted, size_t size) {
    if (wanted <= *room) return TERMS_OK;
    int64_t larger = wanted > 2 * *room ? wanted : 2 * *room;
    if (larger < 64) larger = 64;
    char *moved = realloc(*items, (size_t)larger * size);
    if (!moved) return TERMS_NO_MEMORY;
    memset(moved + (size_t)*room * size, 0, (size_t)(larger - *room) * size);
    *items = moved;
    *room = larger;
    return TERMS_OK;
}

/* --- pairs and their counts ------------------------------------------------------------------------------------- */

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
    return terms_mixed(terms_mixed(seed ^ ((uint64_t)a << 32 | b)) ^ link);
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

/* --- edges of a tree: (node, number) to node ---------------------------------------------------------------------- */

typedef struct {
    uint64_t key;
    int32_t to; /* -1 where the slot is free */
} Edge;

typedef struct {
    Edge *slots;
    uint64_t mask;
    int64_t n_edges;
} EdgeTable;

static int edges_start(EdgeTable *table, uint64_t slots) {
    table->slots = malloc(slots * sizeof(Edge));
    if (!table->slots) return TERMS_NO_MEMORY;
    for (uint64_t i = 0; i < slots; i++) table->slots[i].to = -1;
    table->mask = slots - 1;
    table->n_edges = 0;
    return TERMS_OK;
}

static inline uint64_t edge_slot(const EdgeTable *table, uint64_t key) {
    uint64_t at = terms_mixed(key) & table->mask;
    while (table->slots[at].to >= 0 && table->slots[at].key != key) at = (at + 1) & table->mask;
    return at;
}

static inline int32_t edge_of(const EdgeTable *table, int32_t node, int32_t number) {
    return table->slots[edge_slot(table, (uint64_t)(uint32_t)node << 32 | (uint32_t)number)].to;
}

static int edge_add(EdgeTable *table, int32_t node, int32_t number, int32_t to) {
    if (2 * (uint64_t)table->n_edges > table->mask) {
        EdgeTable larger;
        if (edges_start(&larger, 2 * (table->mask + 1)) != TERMS_OK) return TERMS_NO_MEMORY;
        for (uint64_t i = 0; i <= table->mask; i++)
            if (table->slots[i].to >= 0) larger.slots[edge_slot(&larger, table->slots[i].key)] = table->slots[i];
        larger.n_edges = table->n_edges;
        free(table->slots);
        *table = larger;
    }
    const uint64_t key = (uint64_t)(uint32_t)node << 32 | (uint32_t)number;
    table->slots[edge_slot(table, key)] = (Edge){key, to};
    table->n_edges++;
    return TERMS_OK;
}

/* --- terms ------------------------------------------------------------------------------------------------------- */

/* A tree of terms: a node for each beginning of a term. Symbols are the numbers of the words that terms are made of. */
typedef struct {
    EdgeTable edges;
    int32_t *first; /* symbol: node of the terms that begin with it, or -1 */
    int32_t *term;  /* node: the term that ends there, or -1 */
    uint8_t *inner; /* node: whether a longer term goes on */
    double *score;  /* term */
} Terms;

/* The division of a sentence: `term` (or -1 for a word by itself) and `length` in words of each part. */
typedef struct {
    int32_t *term, *length;
    int64_t n;
} Parts;

/* A term that could stand at words begin ... end - 1 of a stretch. */
typedef struct {
    int32_t begin, end, term;
} Candidate;

typedef struct {
    Candidate *found;
    int64_t room;
    double *total;   /* of the rest of the stretch, from each word on */
    int32_t *choice; /* the candidate to take at each word, or -1 */
    int64_t length_room;
} Scratch;

static void scratch_free(Scratch *scratch) {
    free(scratch->found);
    free(scratch->total);
    free(scratch->choice);
    memset(scratch, 0, sizeof *scratch);
}

static inline void part_add(Parts *parts, int32_t term, int32_t length) {
    parts->term[parts->n] = term;
    parts->length[parts->n++] = length;
}

/* Divide words from left to right, the longest term at each place. `open` says that the sentence may go on: then the
   words whose part is not certain are left. Returns how many words are divided. */
static int64_t divide_greedy(const Terms *terms, const int32_t *symbols, int64_t n, int open, Parts *parts) {
    int64_t i = 0;
    while (i < n) {
        int32_t node = symbols[i] < 0 ? -1 : terms->first[symbols[i]], term = -1;
        int64_t end = i + 1;
        for (int64_t j = i + 1; node >= 0; j++) {
            if (terms->term[node] >= 0) {
                term = terms->term[node];
                end = j;
            }
            if (!terms->inner[node]) break;
            if (j == n) {
                if (open) return i;
                break;
            }
            node = symbols[j] < 0 ? -1 : edge_of(&terms->edges, node, symbols[j]);
        }
        part_add(parts, term, (int32_t)(end - i));
        i = end;
    }
    return n;
}

/* Divide words so that the scores of the terms have the greatest sum; of equal sums the one that joins earlier words.
   Works on stretches that no term leaves, of at most `longest` words. As `divide_greedy`; -1 if there is no memory. */
static int64_t divide_best(const Terms *terms, const int32_t *symbols, int64_t n, int open, int64_t longest,
                           Scratch *scratch, Parts *parts) {
    int64_t start = 0;
    while (start < n) {
        int64_t reach = start + 1, n_found = 0;
        for (int64_t i = start; i < reach; i++) {
            int32_t node = symbols[i] < 0 ? -1 : terms->first[symbols[i]];
            for (int64_t j = i + 1; node >= 0 && j - start <= longest; j++) {
                if (terms->term[node] >= 0) {
                    if (make_room((void **)&scratch->found, &scratch->room, n_found + 1, sizeof(Candidate)) != TERMS_OK)
                        return -1;
                    scratch->found[n_found++] =
                        (Candidate){(int32_t)(i - start), (int32_t)(j - start), terms->term[node]};
                    if (j > reach) reach = j;
                }
                if (!terms->inner[node]) break;
                if (j == n) {
                    if (open) return start;
                    break;
                }
                node = symbols[j] < 0 ? -1 : edge_of(&terms->edges, node, symbols[j]);
            }
        }
        const int64_t length = reach - start;
        if (!n_found) {
            part_add(parts, -1, 1);
            start = reach;
            continue;
        }
        if (length + 1 > scratch->length_room) {
            int64_t room = scratch->length_room;
            if (make_room((void **)&scratch->total, &room, length + 1, sizeof(double)) != TERMS_OK) return -1;
            if (make_room((void **)&scratch->choice, &scratch->length_room, length + 1, sizeof(int32_t)) != TERMS_OK)
                return -1;
        }
        scratch->total[length] = 0;
        int64_t last = n_found;
        for (int64_t i = length - 1; i >= 0; i--) {
            double best = scratch->total[i + 1];
            int32_t choice = -1;
            while (last > 0 && scratch->found[last - 1].begin == i) { /* the longest first */
                const Candidate *one = &scratch->found[--last];
                const double total = terms->score[one->term] + scratch->total[one->end];
                if (choice < 0 ? total >= best : total > best) {
                    best = total;
                    choice = (int32_t)last;
                }
            }
            scratch->total[i] = best;
            scratch->choice[i] = choice;
        }
        for (int64_t i = 0; i < length;) {
            const int32_t choice = scratch->choice[i];
            const int32_t end = choice < 0 ? (int32_t)i + 1 : scratch->found[choice].end;
            part_add(parts, choice < 0 ? -1 : scratch->found[choice].term, end - (int32_t)i);
            i = end;
        }
        start = reach;
    }
    return n;
}

#endif
