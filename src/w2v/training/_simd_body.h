/* The only arithmetic loops of training, written once and compiled once per level (see _simd.h).
 *
 * A row is `blocks` blocks of 16 floats; element d belongs to lane d % 16. A dot product keeps one accumulator per
 * lane, takes the blocks in index order with fused multiply-adds, and folds the lanes 16 -> 8 -> 4 -> 2 -> 1. That is
 * the definition; a level may run it at any speed but never change it.
 */

#include "_lanes.h"

#define PARTS (16 / WIDTH)

/* e^y for y in [-80, 80]: y = n ln 2 + r with n an integer, a Taylor polynomial in r, n added to the exponent. */
INLINE V NAME(exp_)(V y) {
    const V magic = NAME(fill)(12582912.0f); /* 1.5 * 2^23: adding it leaves n in the low bits */
    V t = NAME(fused)(y, NAME(fill)(1.44269504f), magic);
    V n = NAME(sub)(t, magic);
    V r = NAME(fused)(n, NAME(fill)(-0.693359375f), y); /* ln 2 in two parts, the first one exact */
    r = NAME(fused)(n, NAME(fill)(2.12194440e-4f), r);
    V p = NAME(fill)(1.0f / 720);
    p = NAME(fused)(p, r, NAME(fill)(1.0f / 120));
    p = NAME(fused)(p, r, NAME(fill)(1.0f / 24));
    p = NAME(fused)(p, r, NAME(fill)(1.0f / 6));
    p = NAME(fused)(p, r, NAME(fill)(0.5f));
    p = NAME(fused)(p, r, NAME(fill)(1.0f));
    p = NAME(fused)(p, r, NAME(fill)(1.0f));
    return NAME(scale_by_power)(p, t);
}

INLINE V NAME(clamped)(V y) {
    return NAME(larger)(NAME(smaller)(y, NAME(fill)(80.0f)), NAME(fill)(-80.0f));
}

INLINE V NAME(sigmoid)(V x) {
    const V one = NAME(fill)(1.0f);
    V e = NAME(exp_)(NAME(clamped)(NAME(sub)(NAME(fill)(0.0f), x)));
    return NAME(quotient)(one, NAME(add)(one, e));
}

/* -log sigmoid(z), z = x where the label is 1 and -x where it is 0.
 * With q = e / (2 + e), log(1 + e) = 2 (q + q^3/3 + q^5/5 + ...); e <= 1, so q <= 1/3 and eight terms are enough. */
INLINE V NAME(log_loss)(V x, V label) {
    const V zero = NAME(fill)(0.0f), one = NAME(fill)(1.0f);
    V z = NAME(mul)(x, NAME(sub)(NAME(add)(label, label), one));
    V minus = NAME(sub)(zero, z);
    V e = NAME(exp_)(NAME(clamped)(NAME(smaller)(z, minus)));
    V q = NAME(quotient)(e, NAME(add)(NAME(fill)(2.0f), e));
    V square = NAME(mul)(q, q);
    V series = NAME(fill)(1.0f / 15);
    for (int odd = 13; odd >= 1; odd -= 2) series = NAME(fused)(series, square, NAME(fill)(1.0f / (float)odd));
    return NAME(fused)(NAME(add)(q, q), series, NAME(larger)(minus, zero));
}

/* Dots of `heads` targets with `n` rows, out[h * width + c]; all three are constants where this is inlined, and
 * heads * width <= GROUP, or ALONE if the width is 1. What is left of the group is zero. */
INLINE void NAME(dots_group)(float *const *rows, const int n, const int width, float *const *targets, const int heads,
                             int blocks, float *out) {
    const int groups = (heads * width + GROUP - 1) / GROUP;
    V sums[2 * GROUP][PARTS];
    UNROLL for (int i = 0; i < groups * GROUP; i++)
        UNROLL for (int part = 0; part < PARTS; part++) sums[i][part] = NAME(fill)(0.0f);
    for (size_t d = 0; d < 16 * (size_t)blocks; d += 16)
        UNROLL for (int part = 0; part < PARTS; part++)
            UNROLL for (int h = 0; h < heads; h++) {
                V target = NAME(load)(targets[h] + d + part * WIDTH);
                UNROLL for (int c = 0; c < n; c++)
                    sums[h * width + c][part] =
                        NAME(fused)(NAME(load)(rows[c] + d + part * WIDTH), target, sums[h * width + c][part]);
            }
    UNROLL for (int i = 0; i < groups; i++) NAME(fold)(sums + i * GROUP, heads * width - i * GROUP, out + i * GROUP);
}

/* scores[t * pitch + c] = the dot of target t and row c, in groups of as many as the registers hold. */
INLINE void NAME(all_dots)(float *const *rows, const int n, const int pitch, float *const *targets, int n_targets,
                           int blocks, float *scores) {
    const int width = pitch < GROUP ? pitch : GROUP, most = width == 1 ? ALONE : GROUP / width;
    for (int t = 0; t < n_targets; t += most) {
        const int left = n_targets - t < most ? n_targets - t : most;
        float *last[ALONE + 1], *const *group = targets + t;
        if (left & 1) { /* heads come in pairs: an odd last one counts twice */
            for (int h = 0; h < left; h++) last[h] = group[h];
            last[left] = group[left - 1];
            group = last;
        }
        UNROLL for (int c = 0; c < n; c += width) {
            const int some = n - c < width ? n - c : width;
            float *out = scores + t * pitch + c;
#define HEADS(count) \
    case count: \
        if (count <= most) NAME(dots_group)(rows + c, some, width, group, count <= most ? count : 1, blocks, out); \
        break;
            switch (most == 1 ? 1 : (left + 1) / 2 * 2) {
                HEADS(1) HEADS(2) HEADS(4) HEADS(6) HEADS(8) HEADS(10) HEADS(12) HEADS(14) HEADS(16)
            }
#undef HEADS
        }
    }
}

/* One pass over the targets: each is read once; its old value goes into the gradient of every row, its new one back.
 *     rows[c] += g[t][c] * targets[t]        targets[t] += g[t][c] * rows[c]        in the order of t and of c
 * Of few rows two vectors are taken side by side: the registers hold them, and each step is spread over both at once. */
INLINE void NAME(update_rows)(float *const *rows, const int n, float *const *targets, int n_targets, int blocks,
                              const int pitch, const float *g, const Ahead *ahead) {
    const int side = PARTS > 1 && n <= 4 ? 2 : 1, n_ahead = ahead->n;
    float *const *ahead_rows = ahead->rows;
    for (size_t d = 0; d < 16 * (size_t)blocks; d += (size_t)(side * WIDTH)) {
        const float *step = g; /* a pointer that moves on: indices of type int are widened one by one */
        V row[TILE][2], grown[TILE][2], target[2], learnt[2];
        UNROLL for (int c = 0; c < n; c++)
            UNROLL for (int i = 0; i < side; i++) row[c][i] = grown[c][i] = NAME(load)(rows[c] + d + i * WIDTH);
        for (int t = 0; t < n_targets; t++, step += pitch) {
            float *at = targets[t] + d;
            UNROLL for (int i = 0; i < side; i++) target[i] = learnt[i] = NAME(load)(at + i * WIDTH);
            if (d % 16 == 0) __builtin_prefetch(t < n_ahead ? ahead_rows[t] + d : at, 1);
            UNROLL for (int c = 0; c < n; c++) {
                const V times = NAME(fill)(step[c]);
                UNROLL for (int i = 0; i < side; i++) {
                    grown[c][i] = NAME(fused)(times, target[i], grown[c][i]);
                    learnt[i] = NAME(fused)(times, row[c][i], learnt[i]);
                }
            }
            UNROLL for (int i = 0; i < side; i++) NAME(store)(at + i * WIDTH, learnt[i]);
        }
        UNROLL for (int c = 0; c < n; c++)
            UNROLL for (int i = 0; i < side; i++) NAME(store)(rows[c] + d + i * WIDTH, grown[c][i]);
    }
}

/* From dots to steps, in place: (label - sigmoid) * rate for `n` of every `pitch` scores, each times its weight if there
 * are weights. Adds the loss if asked to. */
INLINE void NAME(steps)(float *scores, const float *labels, const float *weights, int size, const int pitch,
                        const int n, float rate, double *loss) {
    const int padded = (size + WIDTH - 1) & ~(WIDTH - 1);
    if (loss) {
        for (int i = 0; i < padded; i += WIDTH) {
            float terms[WIDTH];
            V losses = NAME(log_loss)(NAME(load)(scores + i), NAME(load)(labels + i));
            if (weights) losses = NAME(mul)(losses, NAME(load)(weights + i));
            NAME(store)(terms, losses);
            for (int j = 0; j < WIDTH; j++)
                if (i + j < size && (i + j) % pitch < n) *loss += terms[j];
        }
    }
    for (int i = 0; i < padded; i += WIDTH) {
        V error = NAME(sub)(NAME(load)(labels + i), NAME(sigmoid)(NAME(load)(scores + i)));
        if (weights) error = NAME(mul)(error, NAME(load)(weights + i));
        NAME(store)(scores + i, NAME(mul)(error, NAME(fill)(rate)));
    }
}

/* Learn every pair of `n` rows, a constant, and the targets; all dots are taken before anything changes. */
INLINE void NAME(learn_rows)(float *const *rows, const int n, float *const *targets, const float *labels,
                             int n_targets, int blocks, float rate, float *scratch, double *loss, const Ahead *ahead) {
    const int pitch = n > 4 ? 8 : n > 2 ? 4 : n;
    const int size = n_targets * pitch;
    float *scores = scratch, *spread = scratch + ((size + 15) & ~15) + 16;
    for (int t = 0; t < n_targets; t++)
        UNROLL for (int c = 0; c < pitch; c++) spread[t * pitch + c] = labels[t];
    NAME(all_dots)(rows, n, pitch, targets, n_targets, blocks, scores);
    NAME(steps)(scores, spread, NULL, size, pitch, n, rate, loss);
    NAME(update_rows)(rows, n, targets, n_targets, blocks, pitch, scores, ahead);
}

/* A panel is up to PANEL vectors side by side, which stay in registers: `call(column, width)` for each panel of a row,
 * its width a constant. All are about as wide: 14 vectors are 7 and 7, for which there are registers enough. */
#if PANEL == 8
#define WIDE(call) \
    case 5: call(d, 5) break; case 6: call(d, 6) break; case 7: call(d, 7) break; case 8: call(d, 8) break;
#else
#define WIDE(call)
#endif
#define PANELS(call) \
    for (size_t d = 0, left = PARTS * (size_t)blocks, panels = (left + PANEL - 1) / PANEL, w; left; \
         d += w * WIDTH, left -= w, panels--) { \
        w = (left + panels - 1) / panels; \
        switch (w) { \
            case 1: call(d, 1) break; \
            case 2: call(d, 2) break; \
            case 3: call(d, 3) break; \
            case 4: call(d, 4) break; \
            WIDE(call) \
        } \
    }

/* update_rows for one row. What it grows by is left in `grown`, which may begin with the row itself or with zeros. */
INLINE void NAME(update_panel)(const V *row, V *grown, float *const *targets, int n_targets, size_t d, const int width,
                               const float *g, const Ahead *ahead) {
    float *const *ahead_rows = ahead->rows;
    const int n_ahead = ahead->n;
    for (int t = 0; t < n_targets; t++) {
        const V step = NAME(fill)(g[t]);
        float *target = targets[t] + d;
        const float *soon = t < n_ahead ? ahead_rows[t] + d : target;
        UNROLL for (int i = 0; i < width; i++) {
            if (i * WIDTH % 16 == 0) __builtin_prefetch(soon + i * WIDTH, 1);
            V old = NAME(load)(target + i * WIDTH);
            grown[i] = NAME(fused)(step, old, grown[i]);
            NAME(store)(target + i * WIDTH, NAME(fused)(step, row[i], old));
        }
    }
}

/* Learn one row and the targets. */
INLINE void NAME(learn_one)(float *row, float *const *targets, const float *labels, int n_targets, int blocks,
                            float rate, float *scores, double *loss, const Ahead *ahead) {
    NAME(all_dots)(&row, 1, 1, targets, n_targets, blocks, scores);
    NAME(steps)(scores, labels, NULL, n_targets, 1, 1, rate, loss);
#define UPDATE(d, width) \
    { \
        V old[width], grown[width]; \
        UNROLL for (int i = 0; i < width; i++) old[i] = grown[i] = NAME(load)(row + d + i * WIDTH); \
        NAME(update_panel)(old, grown, targets, n_targets, d, width, scores, ahead); \
        UNROLL for (int i = 0; i < width; i++) NAME(store)(row + d + i * WIDTH, grown[i]); \
    }
    PANELS(UPDATE)
#undef UPDATE
}

/* Learn up to TILE distinct rows and the targets. */
KERNEL void NAME(learn)(float *const *rows, int n_rows, float *const *targets, const float *labels,
                        int n_targets, int blocks, float rate, float *scratch, double *loss, const Ahead *ahead) {
#define ROWS(n) \
    case n: NAME(learn_rows)(rows, n, targets, labels, n_targets, blocks, rate, scratch, loss, ahead); break;
    switch (n_rows) {
        case 1: NAME(learn_one)(rows[0], targets, labels, n_targets, blocks, rate, scratch, loss, ahead); break;
        ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6) ROWS(7) ROWS(8)
    }
#undef ROWS
}

/* The mean (or sum) of `rows`, added in order. */
INLINE void NAME(mean_of)(float *const *rows, int n_rows, float forward, int blocks, float *mean) {
#define GATHER(d, width) \
    { \
        V sum[width]; \
        UNROLL for (int i = 0; i < width; i++) sum[i] = NAME(load)(rows[0] + d + i * WIDTH); \
        for (int c = 1; c < n_rows; c++) \
            UNROLL for (int i = 0; i < width; i++) sum[i] = NAME(add)(sum[i], NAME(load)(rows[c] + d + i * WIDTH)); \
        UNROLL for (int i = 0; i < width; i++) \
            NAME(store)(mean + d + i * WIDTH, NAME(mul)(sum[i], NAME(fill)(forward))); \
    }
    PANELS(GATHER)
#undef GATHER
}

KERNEL void NAME(mean)(float *const *rows, int n_rows, float forward, int blocks, float *mean) {
    NAME(mean_of)(rows, n_rows, forward, blocks, mean);
}

/* Rows from `first` on grow by a panel. A function in its place costs CBOW three per cent. */
#define ADD_TO_ROWS(first, d, width) \
    for (int c = first; c < n_rows; c++) { \
        float *at = rows[c] + d; \
        UNROLL for (int i = 0; i < width; i++) \
            NAME(store)(at + i * WIDTH, NAME(add)(NAME(load)(at + i * WIDTH), grown[i])); \
    }

/* Each of `rows` learns what `after` has become since it was `before`. */
KERNEL void NAME(spread)(float *const *rows, int n_rows, const float *before, const float *after, int blocks) {
#define SPREAD(d, width) \
    { \
        V grown[width]; \
        UNROLL for (int i = 0; i < width; i++) \
            grown[i] = NAME(sub)(NAME(load)(after + d + i * WIDTH), NAME(load)(before + d + i * WIDTH)); \
        ADD_TO_ROWS(0, d, width) \
    }
    PANELS(SPREAD)
#undef SPREAD
}

/* The mean (or sum) of `rows`, and what it has to do with the targets: their steps. */
INLINE void NAME(steps_of_mean)(float *const *rows, int n_rows, float forward, float *const *targets,
                                const float *labels, const float *weights, int n_targets, int blocks, float rate,
                                float *mean, float *scores, double *loss) {
    NAME(mean_of)(rows, n_rows, forward, blocks, mean);
    NAME(all_dots)(&mean, 1, 1, targets, n_targets, blocks, scores);
    NAME(steps)(scores, labels, weights, n_targets, 1, 1, rate, loss);
}

/* One example: the mean (or sum) of all `rows` against the targets. `forward` scales the sum of the rows, `backward`
 * what each of them learns; a row listed twice learns twice. A target with a weight is learnt as often. */
KERNEL void NAME(learn_mean)(float *const *rows, int n_rows, float forward, float backward, float *const *targets,
                             const float *labels, const float *weights, int n_targets, int blocks, float rate,
                             float *scratch, double *loss, const Ahead *ahead) {
    float *mean = scratch, *scores = scratch + 16 * blocks;
    NAME(steps_of_mean)(rows, n_rows, forward, targets, labels, weights, n_targets, blocks, rate, mean, scores, loss);
#define SCATTER(d, width) \
    { \
        V old[width], grown[width]; \
        UNROLL for (int i = 0; i < width; i++) old[i] = NAME(load)(mean + d + i * WIDTH); \
        UNROLL for (int i = 0; i < width; i++) grown[i] = NAME(fill)(0.0f); \
        NAME(update_panel)(old, grown, targets, n_targets, d, width, scores, ahead); \
        UNROLL for (int i = 0; i < width; i++) grown[i] = NAME(mul)(grown[i], NAME(fill)(backward)); \
        ADD_TO_ROWS(0, d, width) \
    }
    PANELS(SCATTER)
#undef SCATTER
}

/* What a panel grows by where targets stay as they are, added to `grown`. */
INLINE void NAME(grow_panel)(V *grown, float *const *targets, int n_targets, size_t d, const int width, const float *g,
                             const Ahead *ahead) {
    for (int t = 0; t < n_targets; t++) {
        const V step = NAME(fill)(g[t]);
        const float *soon = (t < ahead->n ? ahead->rows[t] : targets[t]) + d;
        UNROLL for (int i = 0; i < width; i++) {
            if (i * WIDTH % 16 == 0) __builtin_prefetch(soon + i * WIDTH);
            grown[i] = NAME(fused)(step, NAME(load)(targets[t] + d + i * WIDTH), grown[i]);
        }
    }
}

/* The same with targets that stay as they are, and so do the first `n_still` rows. */
KERNEL void NAME(learn_still)(float *const *rows, int n_rows, int n_still, float forward, float backward,
                              float *const *targets, const float *labels, const float *weights, int n_targets,
                              int blocks, float rate, float *scratch, double *loss, const Ahead *ahead) {
    float *mean = scratch, *scores = scratch + 16 * blocks;
    NAME(steps_of_mean)(rows, n_rows, forward, targets, labels, weights, n_targets, blocks, rate, mean, scores, loss);
#define SCATTER(d, width) \
    { \
        V grown[width]; \
        UNROLL for (int i = 0; i < width; i++) grown[i] = NAME(fill)(0.0f); \
        NAME(grow_panel)(grown, targets, n_targets, d, width, scores, ahead); \
        UNROLL for (int i = 0; i < width; i++) grown[i] = NAME(mul)(grown[i], NAME(fill)(backward)); \
        ADD_TO_ROWS(n_still, d, width) \
    }
    PANELS(SCATTER)
#undef SCATTER
}

/* sums[i] = the sum of the first i of `n` rows, one after the other. */
KERNEL void NAME(run_sums)(float *const *rows, int n, int blocks, float *sums) {
    for (int d = 0; d < 16 * blocks; d += WIDTH) {
        V sum = NAME(fill)(0.0f);
        NAME(store)(sums + d, sum);
        for (int i = 0; i < n; i++) {
            sum = NAME(add)(sum, NAME(load)(rows[i] + d));
            NAME(store)(sums + (size_t)(i + 1) * 16 * (size_t)blocks + d, sum);
        }
    }
}

/* Dots of TOGETHER means, each with the target of its own. */
INLINE void NAME(own_dots)(float *const *means, float *const *targets, int blocks, float *out) {
    const int some = GROUP < TOGETHER ? GROUP : TOGETHER;
    for (int e = 0; e < TOGETHER; e += some) {
        V sums[GROUP][PARTS];
        UNROLL for (int i = 0; i < GROUP; i++)
            UNROLL for (int part = 0; part < PARTS; part++) sums[i][part] = NAME(fill)(0.0f);
        for (int d = 0; d < 16 * blocks; d += 16)
            UNROLL for (int part = 0; part < PARTS; part++)
                UNROLL for (int i = 0; i < some; i++)
                    sums[i][part] = NAME(fused)(NAME(load)(means[e + i] + d + part * WIDTH),
                                                NAME(load)(targets[e + i] + d + part * WIDTH), sums[i][part]);
        NAME(fold)(sums, some, out + e);
    }
}

/* A row that has a part in TOGETHER examples learns from all of them at once, and nothing else changes. Example e is
 * forward[e] * (((above - below) - centre) + row), of the three others at `parts + 3 * e`. Target e < TOGETHER is its own
 * alone; the targets behind them are everyone's. `labels` and `weights` have those of each own pair, and then for each
 * of the others those of all examples, side by side. */
KERNEL void NAME(learn_together)(float *row, const float *const *parts, const float *forward, float *const *targets,
                                 const float *labels, const float *weights, int n_targets, int blocks, float rate,
                                 float *scratch, const Ahead *ahead) {
    float *means[TOGETHER], *scores = scratch + TOGETHER * 16 * blocks;
    for (int e = 0; e < TOGETHER; e++) {
        const float *above = parts[3 * e], *below = parts[3 * e + 1], *centre = parts[3 * e + 2];
        means[e] = scratch + e * 16 * blocks;
        for (int d = 0; d < 16 * blocks; d += WIDTH) {
            V around = NAME(sub)(NAME(sub)(NAME(load)(above + d), NAME(load)(below + d)), NAME(load)(centre + d));
            NAME(store)(means[e] + d, NAME(mul)(NAME(add)(around, NAME(load)(row + d)), NAME(fill)(forward[e])));
        }
    }
    NAME(own_dots)(means, targets, blocks, scores);
    NAME(all_dots)(means, TOGETHER, TOGETHER, targets + TOGETHER, n_targets - TOGETHER, blocks, scores + TOGETHER);
    NAME(steps)(scores, labels, weights, TOGETHER * (n_targets - TOGETHER + 1), TOGETHER, TOGETHER, rate, NULL);
    for (int t = TOGETHER; t < n_targets; t++) {
        const float *of = scores + TOGETHER * (t - TOGETHER + 1);
        scores[t] = (of[0] + of[1]) + (of[2] + of[3]);
    }
#define GROW(d, width) \
    { \
        V grown[width]; \
        UNROLL for (int i = 0; i < width; i++) grown[i] = NAME(load)(row + d + i * WIDTH); \
        NAME(grow_panel)(grown, targets, n_targets, d, width, scores, ahead); \
        UNROLL for (int i = 0; i < width; i++) NAME(store)(row + d + i * WIDTH, grown[i]); \
    }
    PANELS(GROW)
#undef GROW
}

/* Bring a worker's own copy of some rows and the shared rows together: `share` of the way for the shared ones. */
KERNEL void NAME(blend)(float *shared, float *own, long long n, float share) {
    for (long long i = 0; i < n; i += WIDTH) {
        V before = NAME(load)(shared + i);
        V after = NAME(fused)(NAME(fill)(share), NAME(sub)(NAME(load)(own + i), before), before);
        NAME(store)(shared + i, after);
        NAME(store)(own + i, after);
    }
}

/* Add to a row a share of what each copy of it has learnt, in their order. */
KERNEL void NAME(merge)(float *row, const float *const *copies, int n_copies, float share, long long n) {
    for (long long i = 0; i < n; i += WIDTH) {
        const V before = NAME(load)(row + i);
        V learnt = NAME(sub)(NAME(load)(copies[0] + i), before);
        for (int c = 1; c < n_copies; c++)
            learnt = NAME(add)(learnt, NAME(sub)(NAME(load)(copies[c] + i), before));
        NAME(store)(row + i, NAME(fused)(NAME(fill)(share), learnt, before));
    }
}

#undef ADD_TO_ROWS
#undef PANELS
#undef WIDE
#undef PARTS
