/* A growing array, and the edges of a tree: what counting and joining have in common. */
#ifndef W2V_EDGES_H
#define W2V_EDGES_H

#include "../text/_text.h"

enum { TERMS_OK, TERMS_NO_MEMORY };

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

/* An edge leads from a node by a number to another node. Nodes are numbered from 1 on where edges lead to. */
typedef struct {
    uint64_t key;
    int32_t to; /* 0 where the slot is free */
} Edge;

typedef struct {
    Edge *slots;
    uint8_t *seen; /* a bit for each edge; most edges that are asked for are not there, and this fits into the caches */
    uint64_t mask; /* slots - 1; their number is a power of two, as is that of the bits, eight times as many */
    int64_t n_edges;
} EdgeTable;

static void edges_free(EdgeTable *table) {
    free(table->slots);
    free(table->seen);
}

static int edges_start(EdgeTable *table, uint64_t slots) {
    *table = (EdgeTable){calloc(slots, sizeof(Edge)), calloc(slots, 1), slots - 1, 0};
    if (table->slots && table->seen) return TERMS_OK;
    edges_free(table);
    *table = (EdgeTable){0};
    return TERMS_NO_MEMORY;
}

static inline uint64_t edge_key(int32_t node, int32_t number) {
    return (uint64_t)(uint32_t)node << 32 | (uint32_t)number;
}

static inline uint64_t edge_bit(const EdgeTable *table, uint64_t hash) { return hash >> 16 & (8 * table->mask + 7); }

/* The slot of an edge, or the free one where it belongs. */
static inline Edge *edge_slot(const EdgeTable *table, uint64_t key, uint64_t hash) {
    uint64_t at = hash & table->mask;
    while (table->slots[at].to && table->slots[at].key != key) at = (at + 1) & table->mask;
    return &table->slots[at];
}

/* Whether an edge of this hash may be there: if not, it is not. */
static inline int edge_may_be(const EdgeTable *table, uint64_t hash) {
    const uint64_t bit = edge_bit(table, hash);
    return table->seen[bit >> 3] >> (bit & 7) & 1;
}

/* Where an edge leads to, or 0. */
static inline int32_t edge_of(const EdgeTable *table, int32_t node, int32_t number) {
    const uint64_t key = edge_key(node, number), hash = mixed(key);
    return edge_may_be(table, hash) ? edge_slot(table, key, hash)->to : 0;
}

static inline void edge_put(EdgeTable *table, Edge edge) {
    const uint64_t hash = mixed(edge.key), bit = edge_bit(table, hash);
    *edge_slot(table, edge.key, hash) = edge;
    table->seen[bit >> 3] |= (uint8_t)(1 << (bit & 7));
    table->n_edges++;
}

/* Add an edge that is not there. */
static int edge_add(EdgeTable *table, int32_t node, int32_t number, int32_t to) {
    if (2 * (uint64_t)table->n_edges > table->mask) {
        EdgeTable larger;
        if (edges_start(&larger, 2 * (table->mask + 1)) != TERMS_OK) return TERMS_NO_MEMORY;
        for (uint64_t i = 0; i <= table->mask; i++)
            if (table->slots[i].to) edge_put(&larger, table->slots[i]);
        edges_free(table);
        *table = larger;
    }
    edge_put(table, (Edge){edge_key(node, number), to});
    return TERMS_OK;
}

#endif
