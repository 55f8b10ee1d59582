// Word2vec on a GPU. A warp takes 64 surviving words in a row and learns their windows one after the other.
//
// The examples are those of _train.pyx: some input rows (context words, then the documents of the sentence), and a list
// of targets with labels (the nodes above the centre word, the word itself, noise words). Every draw is a function of
// (seed, epoch, position), with the same keys and tables, so survivors, windows and noise words are those of the CPU.
//
// Lanes lie across the numbers of a row, four each, so that a row is read and written in whole cache lines. The targets of
// a window are read once, learn from each of its pairs, and are written once. What is written is the change alone, by
// atomic sums: plain stores of whole rows would lose what other warps have learnt in the meantime. Rows are read past the
// first-level cache, which nobody keeps up to date.
//
// A word drawn twice as noise is one target with a weight: its scores are equal, and learning from the same pair twice in
// a row has a closed form (see `learn`).
//
// CHUNKS is how many times 32 lanes of four numbers a row takes. TARGETS is how many targets are held in registers; 0 if
// there are too many, or they differ in number: then they lie in the warp's workspace. Both are given to the compiler.

typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#define ALL_LANES 0xffffffffu
#define STRETCH 64   // words that a warp takes at a time
#define TILE 1024    // positions that a warp searches for survivors at a time
#define WATCHED 256  // rows of each matrix that are looked at for numbers that are none: the most frequent words
#define GROUP 8      // scores that are summed over the lanes together

struct Plan {
    float *inputs, *outputs, *nodes, *documents;  // rows of `stride` floats; NULL where there are none
    const float *locks, *document_locks;          // how much of its gradient an input row takes; NULL for all of it
    const float *shares;                          // how much of what it learns each node takes; NULL for all of it
    const u32 *keep;                              // a token survives if its 32 bits are not above; NULL keeps all
    const u32 *noise;                             // alias table: (coin, other word) per slot
    const i64 *paths;                             // word w owns points and labels [paths[w], paths[w + 1])
    const int *points;
    const signed char *labels;
    i64 stride, n_words, n_nodes, n_documents;
    i64 workspace_size;  // bytes of each warp
    int most_targets;    // of a list
    int window, negative;
    int shrink, fresh, cbow, mean_forward, mean_backward, with_loss, learn_outputs, words;
};

struct Counters {
    u64 examples;
    double loss;
    u32 not_finite;
    u32 unused;
};

struct Part {
    const int *tokens;
    const i64 *offsets;  // sentence s is tokens [offsets[s], offsets[s + 1])
    const int *tags;     // of the sentences, one after the other; NULL when there are none
    const i64 *tag_offsets;
    u32 *tiles;          // survivors of each tile, then those before it
    int *kept;           // the surviving words
    u32 *places;         // and where in `tokens` they stand
    u32 *firsts;         // of each sentence: how many survivors stand before it
    Counters *counters;
    char *workspace;     // of all warps; NULL if it is shared memory
    i64 n_tokens, n_sentences;
    i64 origin;          // the position of the first token in the corpus
    u64 key;
    double alpha, slope;
    i64 horizon;
    i64 begin, end;      // the survivors that are centre words now
};

struct Target {
    float *row;
    float label, times, share, error;
};

#ifndef W2V_EMULATED
extern __shared__ float4 shared_memory[];

__device__ __forceinline__ void add_quad(float *to, float4 x) {
#if __CUDA_ARCH__ >= 900
    asm volatile("red.relaxed.gpu.global.add.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(to)),
                 "f"(x.x), "f"(x.y), "f"(x.z), "f"(x.w)
                 : "memory");
#else
    atomicAdd(to, x.x);
    atomicAdd(to + 1, x.y);
    atomicAdd(to + 2, x.z);
    atomicAdd(to + 3, x.w);
#endif
}
#endif

// --- draws: SplitMix64 by position, as in _train.pyx -----------------------------------------------------------------

#define GOLDEN 0x9E3779B97F4A7C15ull

__device__ __forceinline__ u64 mix(u64 x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
}

__device__ __forceinline__ u64 stream_at(u64 key, i64 position) { return mix(key + (u64)position * GOLDEN); }

__device__ __forceinline__ u64 draw(u64 stream, u64 index) { return mix(stream + (index + 1) * GOLDEN); }

// 32 random bits as an integer in [0, n).
__device__ __forceinline__ u64 scaled(u64 half, u64 n) { return (half * n) >> 32; }

__device__ __forceinline__ u32 noise_word(const Plan &plan, u64 bits) {
    const u64 slot = scaled(bits >> 32, (u64)plan.n_words);
    return (u32)bits < plan.noise[2 * slot] ? (u32)slot : plan.noise[2 * slot + 1];
}

// --- which tokens survive --------------------------------------------------------------------------------------------

__device__ __forceinline__ int lane_number() { return (int)(threadIdx.x % 32); }

__device__ __forceinline__ i64 warp_number() { return ((i64)blockIdx.x * blockDim.x + threadIdx.x) / 32; }

__device__ __forceinline__ bool survives(const Plan &plan, const Part &part, i64 place) {
    if (place >= part.n_tokens) return false;
    return !plan.keep || (u32)(stream_at(part.key, part.origin + place) >> 32) <= plan.keep[part.tokens[place]];
}

extern "C" __global__ void count_survivors(Plan plan, Part part) {
    const i64 tile = warp_number();
    const int lane = lane_number();
    u32 n = 0;
    for (int at = 0; at < TILE; at += 32) n += __popc(__ballot_sync(ALL_LANES, survives(plan, part, tile * TILE + at + lane)));
    if (lane == 0 && tile * TILE < part.n_tokens) part.tiles[tile] = n;
}

// One warp: counts of tiles become sums of those before, and behind them stands the sum of all.
extern "C" __global__ void sum_tiles(Plan plan, Part part) {
    const i64 n_tiles = (part.n_tokens + TILE - 1) / TILE;
    const int lane = lane_number();
    u32 before = 0;
    (void)plan;
    for (i64 first = 0; first < n_tiles; first += 32) {
        const u32 own = first + lane < n_tiles ? part.tiles[first + lane] : 0;
        u32 sum = own;
        for (int step = 1; step < 32; step *= 2) {
            const u32 lower = __shfl_up_sync(ALL_LANES, sum, step);
            if (lane >= step) sum += lower;
        }
        if (first + lane < n_tiles) part.tiles[first + lane] = before + sum - own;
        before += __shfl_sync(ALL_LANES, sum, 31);
    }
    if (lane == 0) part.tiles[n_tiles] = before;
}

extern "C" __global__ void gather_survivors(Plan plan, Part part) {
    const i64 tile = warp_number();
    const int lane = lane_number();
    const bool inside = tile * TILE < part.n_tokens;
    u32 n = inside ? part.tiles[tile] : 0;
    for (int at = 0; at < TILE; at += 32) {
        const i64 place = tile * TILE + at + lane;
        const bool kept = survives(plan, part, place);
        const u32 all = __ballot_sync(ALL_LANES, kept);
        if (kept) {
            const u32 slot = n + __popc(all & ((1u << lane) - 1));
            part.kept[slot] = part.tokens[place];
            part.places[slot] = (u32)place;
        }
        n += __popc(all);
    }
}

// A thread for each sentence, and one more: how many survivors stand before its first token.
extern "C" __global__ void find_sentences(Plan plan, Part part) {
    const i64 s = (i64)blockIdx.x * blockDim.x + threadIdx.x, n_tiles = (part.n_tokens + TILE - 1) / TILE;
    (void)plan;
    if (s > part.n_sentences) return;
    const i64 place = part.offsets[s], tile = place / TILE;
    u32 low = part.tiles[tile], high = part.tiles[tile < n_tiles ? tile + 1 : tile];
    while (low < high) {
        const u32 middle = low + (high - low) / 2;
        if ((i64)part.places[middle] < place) low = middle + 1;
        else high = middle;
    }
    part.firsts[s] = low;
}

// --- rows ------------------------------------------------------------------------------------------------------------

template <int C>
struct Row {
    float4 quads[C];
};

__device__ __forceinline__ bool has_quad(i64 stride, int c) { return 4 * (lane_number() + 32 * c) < stride; }

template <int C>
__device__ __forceinline__ Row<C> zero_row() {
    Row<C> made;
#pragma unroll
    for (int c = 0; c < C; ++c) made.quads[c] = make_float4(0, 0, 0, 0);
    return made;
}

// From the matrices, which other warps change.
template <int C>
__device__ __forceinline__ Row<C> read_row(const float *row, i64 stride) {
    Row<C> made = zero_row<C>();
#pragma unroll
    for (int c = 0; c < C; ++c)
        if (has_quad(stride, c)) made.quads[c] = __ldcg((const float4 *)row + lane_number() + 32 * c);
    return made;
}

// From the workspace, where each lane finds what it has written.
template <int C>
__device__ __forceinline__ Row<C> own_row(const float *row, i64 stride) {
    Row<C> made = zero_row<C>();
#pragma unroll
    for (int c = 0; c < C; ++c)
        if (has_quad(stride, c)) made.quads[c] = ((const float4 *)row)[lane_number() + 32 * c];
    return made;
}

template <int C>
__device__ __forceinline__ void keep_row(float *row, i64 stride, const Row<C> &x) {
#pragma unroll
    for (int c = 0; c < C; ++c)
        if (has_quad(stride, c)) ((float4 *)row)[lane_number() + 32 * c] = x.quads[c];
}

template <int C>
__device__ __forceinline__ void add_row(float *row, i64 stride, const Row<C> &x) {
#pragma unroll
    for (int c = 0; c < C; ++c)
        if (has_quad(stride, c)) add_quad(row + 4 * (lane_number() + 32 * c), x.quads[c]);
}

template <int C>
__device__ __forceinline__ void add_multiple(Row<C> &to, float factor, const Row<C> &x) {
#pragma unroll
    for (int c = 0; c < C; ++c) {
        to.quads[c].x = fmaf(factor, x.quads[c].x, to.quads[c].x);
        to.quads[c].y = fmaf(factor, x.quads[c].y, to.quads[c].y);
        to.quads[c].z = fmaf(factor, x.quads[c].z, to.quads[c].z);
        to.quads[c].w = fmaf(factor, x.quads[c].w, to.quads[c].w);
    }
}

template <int C>
__device__ __forceinline__ float own_part_of_dot(const Row<C> &a, const Row<C> &b) {
    float sum = 0;
#pragma unroll
    for (int c = 0; c < C; ++c) {
        sum = fmaf(a.quads[c].x, b.quads[c].x, sum);
        sum = fmaf(a.quads[c].y, b.quads[c].y, sum);
        sum = fmaf(a.quads[c].z, b.quads[c].z, sum);
        sum = fmaf(a.quads[c].w, b.quads[c].w, sum);
    }
    return sum;
}

// Eight sums over all lanes at once: at each step a lane gives away half of its sums and adds to the other half what it is
// given. Lane l ends with the sum l / 4, by nine exchanges where one sum after the other would take forty.
__device__ __forceinline__ float sum_over_lanes(float (&x)[GROUP]) {
    const int lane = lane_number();
#pragma unroll
    for (int n = GROUP / 2, step = 16; n > 0; n /= 2, step /= 2) {
#pragma unroll
        for (int i = 0; i < GROUP / 2; ++i) {
            if (i < n) {
                const bool upper = lane & step;
                const float other = __shfl_xor_sync(ALL_LANES, upper ? x[i] : x[i + n], step);
                x[i] = (upper ? x[i + n] : x[i]) + other;
            }
        }
    }
    x[0] += __shfl_xor_sync(ALL_LANES, x[0], 2);
    return x[0] + __shfl_xor_sync(ALL_LANES, x[0], 1);
}

// --- the targets of a window, or of a pair ---------------------------------------------------------------------------

// What a warp works on.
template <int C, int N>
struct Warp {
    const Plan &plan;
    Target *targets;      // in the workspace; so are the rows as they were read, and without registers as they are now
    float *rows_as_read, *rows_now;
    int n;                // targets of the list
    Row<C> held[N ? N : 1];
    u64 examples;
    double loss;

    __device__ Warp(const Plan &plan, char *workspace) : plan(plan), n(0), examples(0), loss(0) {
        targets = (Target *)workspace;
        rows_as_read = (float *)(workspace + ((i64)plan.most_targets * sizeof(Target) + 15) / 16 * 16);
        rows_now = rows_as_read + plan.most_targets * plan.stride;
    }

    // How many targets a loop runs over: a constant where they are in registers, so that these have fixed places.
    __device__ __forceinline__ int bound() const { return N ? N : n; }

    __device__ __forceinline__ Row<C> now(int k) const {
        if (N) return held[k];
        return own_row<C>(rows_now + k * plan.stride, plan.stride);
    }

    __device__ __forceinline__ void set_now(int k, const Row<C> &x) {
        if (N) held[k] = x;
        else keep_row<C>(rows_now + k * plan.stride, plan.stride, x);
    }

    // The list of a word: its path, the word itself, and noise words, of which those drawn twice are one with a weight.
    __device__ void list_targets(u32 word, u64 stream, u64 pair) {
        const int lane = lane_number();
        n = 0;
        __syncwarp(ALL_LANES);  // nobody reads the former list any more
        if (plan.nodes) {
            const i64 first = plan.paths[word];
            n = (int)(plan.paths[word + 1] - first);
            for (int k = lane; k < n; k += 32) {
                const int node = plan.points[first + k];
                targets[k] = {plan.nodes + node * plan.stride, (float)plan.labels[first + k], 1,
                              plan.shares ? plan.shares[node] : 1, 0};
            }
        }
        if (plan.outputs) {
            const int own = n++;
            if (lane == 0) targets[own] = {plan.outputs + word * plan.stride, 1, 1, 1, 0};
            for (int first = 0; first < plan.negative; first += 32) {
                u32 other = word;  // whoever has drawn nothing, or the word itself, adds nothing
                if (first + lane < plan.negative) other = noise_word(plan, draw(stream, pair * plan.negative + first + lane));
                const u32 same = __match_any_sync(ALL_LANES, other);
                const float times = (float)__popc(same);
                float *row = plan.outputs + other * plan.stride;
                bool is_new = other != word && lane == __ffs((int)same) - 1;
                __syncwarp(ALL_LANES);  // the list so far can be read
                if (is_new && first)
                    for (int k = own + 1; k < n; ++k)
                        if (targets[k].row == row) {
                            targets[k].times += times;
                            is_new = false;
                        }
                const u32 news = __ballot_sync(ALL_LANES, is_new);
                if (is_new) targets[n + __popc(news & ((1u << lane) - 1))] = {row, 0, times, 1, 0};
                n += __popc(news);
            }
        }
        __syncwarp(ALL_LANES);
#pragma unroll
        for (int k = 0; k < bound(); ++k)
            if (k < n) {
                const Row<C> row = read_row<C>(targets[k].row, plan.stride);
                keep_row<C>(rows_as_read + k * plan.stride, plan.stride, row);
                set_now(k, row);
            }
    }

    // What all targets have learnt since they were listed goes to the matrices.
    __device__ void hand_back() {
        if (!plan.learn_outputs) return;
#pragma unroll
        for (int k = 0; k < bound(); ++k)
            if (k < n) {
                Row<C> change = zero_row<C>();
                const float share = targets[k].share;
                add_multiple<C>(change, share, now(k));
                add_multiple<C>(change, -share, own_row<C>(rows_as_read + k * plan.stride, plan.stride));
                add_row<C>(targets[k].row, plan.stride, change);
            }
    }

    // One example: the targets learn from `hidden`; returns its gradient. All scores are taken before any target changes.
    // A target of weight m learns m times in a row with the error e of the first time. Each time adds e h to it, so that
    // the gradient is e (t + (t + e h) + (t + 2 e h) + ...) = m e t + m (m - 1) / 2 e e h.
    __device__ Row<C> learn(const Row<C> &hidden, float rate) {
        const int lane = lane_number();
#pragma unroll
        for (int first = 0; first < bound(); first += GROUP) {
            float scores[GROUP];
#pragma unroll
            for (int i = 0; i < GROUP; ++i) {
                const int k = first + i;
                scores[i] = 0;
                if (k < bound() && k < n) scores[i] = own_part_of_dot<C>(now(k), hidden);
            }
            const float score = sum_over_lanes(scores);
            const int k = first + lane / 4;
            if (lane % 4 == 0 && k < n) {
                Target &target = targets[k];
                target.error = (target.label - 1 / (1 + expf(-score))) * rate;
                if (plan.with_loss) {
                    const float wrong = target.label > 0 ? -score : score;
                    loss += target.times * (log1pf(expf(-fabsf(wrong))) + fmaxf(wrong, 0));
                }
            }
        }
        __syncwarp(ALL_LANES);
        Row<C> gradient = zero_row<C>();
#pragma unroll
        for (int k = 0; k < bound(); ++k)
            if (k < n) {
                const float error = targets[k].error, times = targets[k].times, sum = error * times;
                Row<C> target = now(k);
                add_multiple<C>(gradient, sum, target);
                if (plan.learn_outputs) {
                    add_multiple<C>(gradient, sum * error * (times - 1) / 2, hidden);
                    add_multiple<C>(target, sum, hidden);
                    set_now(k, target);
                }
            }
        __syncwarp(ALL_LANES);
        ++examples;
        return gradient;
    }
};

// --- windows ---------------------------------------------------------------------------------------------------------

struct Window {
    i64 first, centre, last;  // survivors [first, last) but for the centre
    i64 first_tag;
    int n_words, n_tags;
};

// The i-th input row of a window: its words in order, then the documents of the sentence; and how much it is to learn.
__device__ __forceinline__ float *input_row(const Plan &plan, const Part &part, const Window &window, int i, float *factor) {
    const float *locks = plan.locks;
    float *rows = plan.inputs;
    i64 number;
    if (i < window.n_words) {
        const i64 j = window.first + i;
        number = part.kept[j < window.centre ? j : j + 1];
    } else {
        number = part.tags[window.first_tag + i - window.n_words];
        rows = plan.documents;
        locks = plan.document_locks;
    }
    *factor = locks ? locks[number] : 1;
    return rows + number * plan.stride;
}

template <int C>
__device__ __forceinline__ void add_gradient(float *row, i64 stride, float factor, const Row<C> &gradient) {
    if (factor == 0) return;
    Row<C> change = zero_row<C>();
    add_multiple<C>(change, factor, gradient);
    add_row<C>(row, stride, change);
}

// Each input row alone predicts the centre word.
template <int C, int N>
__device__ void skip_gram(Warp<C, N> &warp, const Part &part, const Window &window, u32 word, u64 stream, float rate) {
    const Plan &plan = warp.plan;
    if (!plan.fresh) warp.list_targets(word, stream, 0);
    for (int i = 0; i < window.n_words + window.n_tags; ++i) {
        float factor;
        if (plan.fresh) warp.list_targets(word, stream, i);
        float *row = input_row(plan, part, window, i, &factor);
        add_gradient<C>(row, plan.stride, factor, warp.learn(read_row<C>(row, plan.stride), rate));
        if (plan.fresh) warp.hand_back();
    }
    if (!plan.fresh) warp.hand_back();
}

// The mean (or sum) of all input rows predicts the centre word.
template <int C, int N>
__device__ void cbow(Warp<C, N> &warp, const Part &part, const Window &window, u32 word, u64 stream, float rate) {
    const Plan &plan = warp.plan;
    const int n = window.n_words + window.n_tags;
    float factor;
    warp.list_targets(word, stream, 0);
    Row<C> hidden = zero_row<C>();
    for (int i = 0; i < n; ++i)
        add_multiple<C>(hidden, plan.mean_forward ? 1.0f / n : 1.0f,
                        read_row<C>(input_row(plan, part, window, i, &factor), plan.stride));
    const Row<C> gradient = warp.learn(hidden, rate);
    warp.hand_back();
    for (int i = 0; i < n; ++i) {
        float *row = input_row(plan, part, window, i, &factor);
        add_gradient<C>(row, plan.stride, plan.mean_backward ? factor / n : factor, gradient);
    }
}

__device__ __forceinline__ i64 sentence_of(const Part &part, i64 survivor) {
    i64 low = 0, high = part.n_sentences;
    while (high - low > 1) {
        const i64 middle = (low + high) / 2;
        if ((i64)part.firsts[middle] <= survivor) low = middle;
        else high = middle;
    }
    return low;
}

template <int C, int N>
__device__ void train_stretches(const Plan &plan, const Part &part) {
    const i64 n_warps = (i64)gridDim.x * blockDim.x / 32;
    char *workspace = part.workspace ? part.workspace + warp_number() * plan.workspace_size
                                     : (char *)shared_memory + threadIdx.x / 32 * plan.workspace_size;
    Warp<C, N> warp(plan, workspace);
    for (i64 begin = part.begin + warp_number() * STRETCH; begin < part.end; begin += n_warps * STRETCH) {
        const i64 end = min(begin + STRETCH, part.end);
        i64 sentence = sentence_of(part, begin);
        for (i64 centre = begin; centre < end; ++centre) {
            while ((i64)part.firsts[sentence + 1] <= centre) ++sentence;
            const i64 position = part.origin + part.places[centre];
            const u64 stream = stream_at(part.key, position);
            const i64 width = plan.shrink ? 1 + (i64)scaled((u32)stream, (u64)plan.window) : plan.window;
            Window window = {max((i64)part.firsts[sentence], centre - width), centre,
                             min((i64)part.firsts[sentence + 1], centre + width + 1), 0, 0, 0};
            window.n_words = plan.words ? (int)(window.last - window.first - 1) : 0;
            if (part.tags) {
                window.first_tag = part.tag_offsets[sentence];
                window.n_tags = (int)(part.tag_offsets[sentence + 1] - window.first_tag);
            }
            if (window.n_words + window.n_tags == 0 || !(plan.outputs || plan.nodes)) continue;
            const float rate = (float)(part.alpha - part.slope * (double)min(position, part.horizon));
            if (plan.cbow) cbow<C, N>(warp, part, window, (u32)part.kept[centre], stream, rate);
            else skip_gram<C, N>(warp, part, window, (u32)part.kept[centre], stream, rate);
        }
    }
    if (lane_number() == 0 && warp.examples) atomicAdd(&part.counters->examples, warp.examples);
    if (warp.loss != 0) atomicAdd(&part.counters->loss, warp.loss);
}

extern "C" __global__ void __launch_bounds__(128) train(Plan plan, Part part) {
    train_stretches<CHUNKS, TARGETS>(plan, part);
}

// --- whether training has diverged -----------------------------------------------------------------------------------

// A thread for each place in a row.
extern "C" __global__ void look_for_nan(Plan plan, Part part) {
    float *const matrices[] = {plan.inputs, plan.outputs, plan.nodes, plan.documents};
    const i64 n_rows[] = {plan.n_words, plan.n_words, plan.n_nodes, plan.n_documents};
    const i64 place = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (place >= plan.stride) return;
    for (int m = 0; m < 4; ++m)
        for (i64 row = 0; matrices[m] && row < min((i64)WATCHED, n_rows[m]); ++row) {
            const float x = __ldcg(matrices[m] + row * plan.stride + place);
            if (x - x != 0) part.counters->not_finite = 1;
        }
}
