/* Runs every function of every level this CPU has on made-up rows, and prints a hash of what comes out: one line per
 * level. All lines are equal, on every machine. No Python in it, so that it can be built for another machine and run
 * there, or in an emulator. */
#include <stdio.h>
#include <string.h>

#include "_simd.h"

enum { MOST_ROWS = 8, MOST_TARGETS = 45, MOST_BLOCKS = 13 };

static uint64_t state;

/* A value in [-1, 1), from integers alone. */
static float any_value(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(state >> 32) / 2147483648.0f;
}

static float *row_of(float *memory, int i) { return memory + i * 16 * MOST_BLOCKS; }

static uint64_t hash_of(uint64_t hash, const void *data, size_t size) {
    for (size_t i = 0; i < size; i += 4) {
        uint32_t bits;
        memcpy(&bits, (const char *)data + i, 4);
        hash = (hash ^ bits) * 1099511628211u;
    }
    return hash;
}

static float rows[MOST_ROWS * 16 * MOST_BLOCKS], targets[MOST_TARGETS * 16 * MOST_BLOCKS], labels[MOST_TARGETS + 16],
             weights[MOST_TARGETS + 16];
static float scratch[2 * (16 * MOST_BLOCKS + TILE * MOST_TARGETS + 32)];

/* Of what is learnt from targets, and by rows, that stay as they are. */
static uint64_t hash_of_still(const Level *run) {
    uint64_t hash = 14695981039346656037u;
    state = 2;
    for (int blocks = 1; blocks <= MOST_BLOCKS; blocks += blocks < 9 ? 1 : 4)
        for (int n_rows = 1; n_rows <= MOST_ROWS; n_rows += 3)
            for (int n_targets = 1; n_targets <= MOST_TARGETS; n_targets += n_targets < 18 ? 1 : 9) {
                float *row[MOST_ROWS], *target[MOST_TARGETS];
                double loss = 0;
                for (int i = 0; i < MOST_ROWS * 16 * MOST_BLOCKS; i++) rows[i] = any_value();
                for (int i = 0; i < MOST_TARGETS * 16 * MOST_BLOCKS; i++) targets[i] = any_value();
                for (int c = 0; c < n_rows; c++) row[c] = row_of(rows, c);
                for (int t = 0; t < n_targets; t++) {
                    target[t] = row_of(targets, t);
                    labels[t] = (float)(t % 3 == 0);
                }
                const Ahead ahead = {target, n_targets / 2};
                run->learn_still(row, n_rows, n_rows - 1, 1.0f / (float)n_rows, 0.5f, target, labels, NULL, n_targets,
                                 blocks, 0.025f, scratch, n_targets % 2 ? &loss : NULL, &ahead);
                hash = hash_of(hash_of(hash_of(hash, rows, sizeof rows), targets, sizeof targets), &loss, 8);
            }
    return hash;
}

/* Of a row that learns from several examples at once. */
static uint64_t hash_of_together(const Level *run) {
    uint64_t hash = 14695981039346656037u;
    static float sums[(MOST_ROWS + 1) * 16 * MOST_BLOCKS], pair_labels[TOGETHER * MOST_TARGETS + 16],
        pair_weights[TOGETHER * MOST_TARGETS + 16], memory[TOGETHER * (16 * MOST_BLOCKS + MOST_TARGETS) + 64];
    const float forward[TOGETHER] = {0.5f, 0.25f, 1.0f / 3, 1.0f};
    state = 3;
    for (int blocks = 1; blocks <= MOST_BLOCKS; blocks += blocks < 9 ? 1 : 4)
        for (int n_targets = TOGETHER; n_targets <= MOST_TARGETS; n_targets += n_targets < 18 ? 1 : 9) {
            float *row[MOST_ROWS], *target[MOST_TARGETS];
            const float *parts[3 * TOGETHER];
            for (int i = 0; i < MOST_ROWS * 16 * MOST_BLOCKS; i++) rows[i] = any_value();
            for (int i = 0; i < MOST_TARGETS * 16 * MOST_BLOCKS; i++) targets[i] = any_value();
            for (int c = 0; c < MOST_ROWS; c++) row[c] = row_of(rows, c);
            for (int t = 0; t < n_targets; t++) target[t] = row_of(targets, t);
            run->mean(row + 1, MOST_ROWS - 2, 0.25f, blocks, scratch);
            run->spread(row + 1, MOST_ROWS - 2, scratch, row[MOST_ROWS - 1], blocks);
            run->run_sums(row + 1, MOST_ROWS - 1, blocks, sums);
            for (int e = 0; e < TOGETHER; e++) {
                parts[3 * e] = sums + (e + 3) * 16 * blocks;
                parts[3 * e + 1] = sums + e * 16 * blocks;
                parts[3 * e + 2] = row[e + 2];
            }
            for (int i = 0; i < TOGETHER * MOST_TARGETS + 16; i++) {
                pair_labels[i] = (float)(i < TOGETHER);
                pair_weights[i] = (float)(i % 5) * 0.5f;
            }
            const Ahead ahead = {target, n_targets / 2};
            run->learn_together(row[0], parts, forward, target, pair_labels, pair_weights, n_targets, blocks, 0.025f,
                                memory, &ahead);
            hash = hash_of(hash_of(hash_of(hash, rows, sizeof rows), targets, sizeof targets), sums,
                           (size_t)(MOST_ROWS * 16 * blocks) * 4);
        }
    return hash;
}

int main(void) {
    for (int level = 0; level < N_LEVELS; level++) {
        if (!level_runs(level)) continue;
        const Level *run = &levels[level];
        uint64_t hash = 14695981039346656037u, weighted = hash;
        state = 1;
        for (int blocks = 1; blocks <= MOST_BLOCKS; blocks += blocks < 9 ? 1 : 4)
            for (int n_rows = 1; n_rows <= MOST_ROWS; n_rows += n_rows < 4 ? 1 : 4)
                for (int n_targets = 1; n_targets <= MOST_TARGETS; n_targets += n_targets < 18 ? 1 : 9)
                    for (int mean = 0; mean < 2; mean++) {
                        float *row[MOST_ROWS], *target[MOST_TARGETS];
                        /* some rows are so large that every sigmoid saturates */
                        const float size = n_targets % 7 == 3 ? 60.0f : 0.5f;
                        double loss = 0;
                        for (int i = 0; i < MOST_ROWS * 16 * MOST_BLOCKS; i++) rows[i] = size * any_value();
                        for (int i = 0; i < MOST_TARGETS * 16 * MOST_BLOCKS; i++) targets[i] = any_value();
                        for (int c = 0; c < n_rows; c++) row[c] = row_of(rows, c);
                        for (int t = 0; t < n_targets; t++) {
                            target[t] = row_of(targets, t);
                            labels[t] = (float)(t % 3 == 0);
                            weights[t] = (float)(t % 5);
                        }
                        const Ahead ahead = {target, n_targets / 2};
                        if (mean)
                            run->learn_mean(row, n_rows, 1.0f / (float)n_rows, 0.5f, target, labels, NULL, n_targets,
                                            blocks, 0.025f, scratch, &loss, &ahead);
                        else
                            run->learn(row, n_rows, target, labels, n_targets, blocks, 0.025f, scratch,
                                       n_targets % 2 ? &loss : NULL, &ahead);
                        run->blend(targets, rows, 16 * blocks, 1.0f / 3);
                        run->merge(targets, (const float *const *)row, n_rows, 0.7f, 16 * blocks);
                        hash = hash_of(hash_of(hash_of(hash, rows, sizeof rows), targets, sizeof targets), &loss, 8);
                        run->learn_mean(row, n_rows, 1.0f / (float)n_rows, 1, target, labels, weights, n_targets, blocks,
                                        0.025f, scratch, n_targets % 2 ? &loss : NULL, &ahead);
                        weighted = hash_of(hash_of(hash_of(weighted, rows, sizeof rows), targets, sizeof targets), &loss, 8);
                    }
        printf("%s %016llx-%016llx-%016llx-%016llx\n", run->name, (unsigned long long)hash,
               (unsigned long long)weighted, (unsigned long long)hash_of_still(run),
               (unsigned long long)hash_of_together(run));
    }
    return 0;
}
