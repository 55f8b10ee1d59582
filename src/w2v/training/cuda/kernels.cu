// Word2vec on a GPU. A warp takes 64 surviving words in a row and learns their windows one after the other.
//
// The examples are those of _train.pyx: some input rows (context words or their parts, then the documents of the
// sentence), and a list of targets with labels (the nodes above the centre word, the word itself, noise words). Every draw
// is a function of (seed, epoch, position), with the same keys and tables, so survivors, windows and noise words are those
// of the CPU.
//
// Lanes lie across the numbers of a row, four each, so that a row is read and written in whole cache lines. The targets of
// a window are read once, learn from each of its pairs, and are written once. What is written is the change alone, by
// atomic sums: plain stores of whole rows would lose what other warps have learnt in the meantime. Rows are read past the
// first-level cache, which nobody keeps up to date.
//
// A word drawn twice as noise is one target with a weight: its scores are equal, and learning from the same pair twice in
// a row has a closed form (see `learn`).
//
// New documents are inferred by the same functions, a warp for each: their rows alone change, and no other warp has them.
//
// CHUNKS is how many times 32 lanes of four numbers a row takes. TARGETS is how many targets are held in registers; 0 if
// there are too many, or they differ in number: then they lie in the warp's workspace. MODEL is one of those below. All
// three are given to the compiler, and INFER if documents are to be inferred; the emulation takes the model from the plan.

typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#define ALL_LANES 0xffffffffu
#define STRETCH 64   // words that a warp takes at a time
#define TILE 1024    // positions that a warp searches for survivors at a time
#define WATCHED 256  // rows of each matrix that are looked at for numbers that are none: the most frequent words
#define GROUP 8      // scores that are summed over the lanes together
#define LEG 8192     // positions of a document that are inferred by one launch
#define TOGETHER 4   // words from which the row of a new document learns at once

enum Model {
    SKIP_GRAM,
    SKIP_GRAM_OF_ONE_MATRIX,  // inputs and outputs are the same rows
    SKIP_GRAM_OF_SUBWORDS,
    CBOW,
    CBOW_OF_SUBWORDS,
    SIDE_BY_SIDE  // the rows of a window are not added up: documents, then words from left to right
};

#ifdef MODEL
#define IS(model) (MODEL == model)
#else
#define IS(which) (plan.model == which)
#endif

struct Plan {
    float *inputs, *outputs, *nodes, *documents;  // rows of `stride` floats; NULL where there are none
    const float *locks, *document_locks;          // how much of its gradient an input row takes; NULL for all of it
    const float *shares;                          // how much of what it learns each node takes; NULL for all of it
    const u32 *keep;                              // a token survives if its 32 bits are not above; NULL keeps all
    const u32 *noise;                             // alias table: (coin, other word) per slot
    const i64 *paths;                             // word w owns points and labels [paths[w], paths[w + 1])
    const int *points;
    const signed char *labels;
    const unsigned char *frozen;  // words whose output rows stay as they are, where it is not 0; NULL for none
    const i64 *subword_offsets;   // word w has the input rows [subword_offsets[w], subword_offsets[w + 1]) of these
    const int *subword_rows;
    i64 stride, output_stride, n_words, n_rows, n_nodes, n_documents;
    i64 workspace_size;      // bytes of each warp
    i64 columns, null_word;  // numbers of an input row; the row of places beyond the sentence, where rows are side by side
    int most_targets;        // of a list
    int model, window, negative, side_tags;
    int shrink, fresh, mean_forward, mean_backward, with_loss, learn_outputs, words;
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

// Documents that are inferred: sentences of the part.
struct Documents {
    float *before;  // rows as they were before the epoch; NULL if nobody asks
    u64 *keys;      // of the draws of each document, which its words decide
    int *used;      // after how many epochs a document has ended; 0 as long as it has not
    i64 position;   // the first that is trained now, of LEG
    double tol;     // a document ends with an epoch that moves its row by less than this share of its length
    int epoch, together;
};

struct __align__(16) Target {
    float *row;
    float times;  // how often it was drawn
    float sum, step, bend;  // what the example teaches: times the row and the example, see `learn`
    float share;  // how much of what it learns the row takes; 0 if it stays as it is
    float label;
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
        rows_as_read = (float *)(targets + plan.most_targets);
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

    __device__ __forceinline__ void set_target(int k, float *row, float label, float times, float share) {
        targets[k] = {row, times, 0, 0, 0, plan.learn_outputs ? share : 0, label};
    }

    __device__ __forceinline__ float *output_row(u32 word) const { return plan.outputs + word * plan.output_stride; }

    __device__ __forceinline__ float share_of(u32 word) const { return plan.frozen && plan.frozen[word] ? 0 : 1; }

    // Targets of hierarchical softmax: the nodes above a word.
    __device__ void list_path(u32 word) {
        const i64 first = plan.paths[word];
        const int length = (int)(plan.paths[word + 1] - first);
        for (int k = lane_number(); k < length; k += 32) {
            const int node = plan.points[first + k];
            const float share = plan.shares ? plan.shares[node] : 1;
            set_target(n + k, plan.nodes + node * plan.output_stride, plan.labels[first + k], 1, share);
        }
        n += length;
    }

    __device__ void list_word(u32 word) {
        if (lane_number() == 0) set_target(n, output_row(word), 1, 1, share_of(word));
        ++n;
    }

    // Noise words of a word, of which those drawn twice are one target with a weight.
    __device__ void list_noise(u32 word, u64 stream, u64 pair) {
        const int lane = lane_number(), begin = n;
        for (int first = 0; first < plan.negative; first += 32) {
            u32 other = word;  // whoever has drawn nothing, or the word itself, adds nothing
            if (first + lane < plan.negative) other = noise_word(plan, draw(stream, pair * plan.negative + first + lane));
            const u32 same = __match_any_sync(ALL_LANES, other);
            const float times = (float)__popc(same);
            bool is_new = other != word && lane == __ffs((int)same) - 1;
            __syncwarp(ALL_LANES);  // the list so far can be read
            if (is_new && first)
                for (int k = begin; k < n; ++k)
                    if (targets[k].row == output_row(other)) {
                        targets[k].times += times;
                        is_new = false;
                    }
            const u32 news = __ballot_sync(ALL_LANES, is_new);
            if (is_new) set_target(n + __popc(news & ((1u << lane) - 1)), output_row(other), 0, times, share_of(other));
            n += __popc(news);
        }
    }

    // The list of a word: its path, the word itself, and noise words.
    __device__ void list_targets(u32 word, u64 stream, u64 pair) {
        n = 0;
        __syncwarp(ALL_LANES);  // nobody reads the former list any more
        if (plan.nodes) list_path(word);
        if (plan.outputs) {
            list_word(word);
            list_noise(word, stream, pair);
        }
        __syncwarp(ALL_LANES);
    }

    __device__ void read_targets() {
#pragma unroll
        for (int k = 0; k < bound(); ++k)
            if (k < n) {
                const Row<C> row = read_row<C>(targets[k].row, plan.stride);
                if (plan.learn_outputs) keep_row<C>(rows_as_read + k * plan.stride, plan.stride, row);
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
                if (share == 0) continue;
                add_multiple<C>(change, share, now(k));
                add_multiple<C>(change, -share, own_row<C>(rows_as_read + k * plan.stride, plan.stride));
                add_row<C>(targets[k].row, plan.stride, change);
            }
    }

    // What a target of this score teaches. Drawn m times, it learns m times in a row with the error e of the first time.
    // Each time adds e h to it, so that the gradient is e (t + (t + e h) + (t + 2 e h) + ...) = m e t + m (m - 1) / 2 e e h.
    // With subwords, m is for how many pairs it stands, whose errors are added up.
    __device__ __forceinline__ void take_score(int k, float score, float rate) {
        Target &target = targets[k];
        const float times = target.times, error = (target.label - 1 / (1 + expf(-score))) * rate;
        target.sum = error * times;
        target.step = target.share != 0 ? target.sum : 0;
        target.bend = target.step * error * (times - 1) / 2;
        if (plan.with_loss) {
            const float wrong = target.label > 0 ? -score : score;
            loss += times * (log1pf(expf(-fabsf(wrong))) + fmaxf(wrong, 0));
        }
    }

    // One example: the targets learn from `hidden`; returns its gradient. All scores are taken before any target changes.
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
            if (lane % 4 == 0 && first + lane / 4 < n) take_score(first + lane / 4, score, rate);
        }
        __syncwarp(ALL_LANES);
        Row<C> gradient = zero_row<C>();
#pragma unroll
        for (int k = 0; k < bound(); ++k)
            if (k < n) {
                Row<C> target = now(k);
                add_multiple<C>(gradient, targets[k].sum, target);
                if (plan.learn_outputs) {
                    add_multiple<C>(gradient, targets[k].bend, hidden);
                    add_multiple<C>(target, targets[k].step, hidden);
                    set_now(k, target);
                }
            }
        __syncwarp(ALL_LANES);
        ++examples;
        return gradient;
    }

    // The number of the target that is this row; -1 if none is.
    __device__ int number_of(const float *row) const {
        const int lane = lane_number();
        for (int first = 0; first < n; first += 32) {
            const u32 found = __ballot_sync(ALL_LANES, first + lane < n && targets[first + lane].row == row);
            if (found) return first + __ffs((int)found) - 1;
        }
        return -1;
    }
};

// --- windows ---------------------------------------------------------------------------------------------------------

struct Window {
    i64 first, centre, last;  // survivors [first, last) but for the centre
    i64 first_tag;
    int n_words, n_tags;
};

__device__ __forceinline__ int word_at(const Part &part, const Window &window, int i) {
    const i64 j = window.first + i;
    return part.kept[j < window.centre ? j : j + 1];
}

// An input row, and how much of what it is taught it is to learn.
struct Input {
    float *row;
    float factor;
};

__device__ __forceinline__ Input word_row(const Plan &plan, i64 number) {
    return {plan.inputs + number * plan.stride, plan.locks ? plan.locks[number] : 1};
}

__device__ __forceinline__ Input document_row(const Plan &plan, const Part &part, const Window &window, int i) {
    const i64 number = part.tags[window.first_tag + i];
    return {plan.documents + number * plan.stride, plan.document_locks ? plan.document_locks[number] : 1};
}

// The i-th input row of a window: its words in order, then the documents of the sentence.
__device__ __forceinline__ Input input_row(const Plan &plan, const Part &part, const Window &window, int i) {
    if (i < window.n_words) return word_row(plan, word_at(part, window, i));
    return document_row(plan, part, window, i - window.n_words);
}

template <int C>
__device__ __forceinline__ void add_gradient(const Input &input, i64 stride, float factor, const Row<C> &gradient) {
    if (input.factor == 0) return;
    Row<C> change = zero_row<C>();
    add_multiple<C>(change, input.factor * factor, gradient);
    add_row<C>(input.row, stride, change);
}

// Each input row alone predicts the centre word.
template <int C, int N>
__device__ void skip_gram(Warp<C, N> &warp, const Part &part, const Window &window, u32 word, u64 stream, float rate) {
    const Plan &plan = warp.plan;
    if (!plan.fresh) {
        warp.list_targets(word, stream, 0);
        warp.read_targets();
    }
    for (int i = 0; i < window.n_words + window.n_tags; ++i) {
        if (plan.fresh) {
            warp.list_targets(word, stream, i);
            warp.read_targets();
        }
        const Input input = input_row(plan, part, window, i);
        const int place = IS(SKIP_GRAM_OF_ONE_MATRIX) && !plan.fresh ? warp.number_of(input.row) : -1;
        if (place >= 0) {  // the row is a target too, and has learnt as one since it was read
            Row<C> gradient = warp.learn(warp.now(place), rate);
            add_multiple<C>(gradient, 1, warp.now(place));
            warp.set_now(place, gradient);
        } else {
            add_gradient<C>(input, plan.stride, 1, warp.learn(read_row<C>(input.row, plan.stride), rate));
        }
        if (plan.fresh) warp.hand_back();
    }
    if (!plan.fresh) warp.hand_back();
}

// The sum of the rows that a word has.
template <int C>
__device__ __forceinline__ void add_subwords(Row<C> &sum, const Plan &plan, int word, float factor) {
    const i64 end = plan.subword_offsets[word + 1];
#pragma unroll 4
    for (i64 i = plan.subword_offsets[word]; i < end; ++i)
        add_multiple<C>(sum, factor, read_row<C>(plan.inputs + plan.subword_rows[i] * plan.stride, plan.stride));
}

template <int C>
__device__ __forceinline__ void teach_subwords(const Plan &plan, int word, float factor, const Row<C> &gradient) {
    const i64 end = plan.subword_offsets[word + 1];
    for (i64 i = plan.subword_offsets[word]; i < end; ++i)
        add_gradient<C>(word_row(plan, plan.subword_rows[i]), plan.stride, factor, gradient);
}

// The mean of the centre word's rows predicts its context words, one after the other.
template <int C, int N>
__device__ void skip_gram_of_subwords(Warp<C, N> &warp, const Part &part, const Window &window, u32 word, u64 stream,
                                      float rate) {
    const Plan &plan = warp.plan;
    const float share = 1.0f / (plan.subword_offsets[word + 1] - plan.subword_offsets[word]);
    for (int i = 0; i < window.n_words; ++i) {
        warp.list_targets((u32)word_at(part, window, i), stream, plan.fresh ? i : 0);
        warp.read_targets();
        Row<C> hidden = zero_row<C>();
        add_subwords<C>(hidden, plan, word, share);
        teach_subwords<C>(plan, word, 1, warp.learn(hidden, rate));
        warp.hand_back();
    }
}

// The mean (or sum) of all input rows predicts the centre word.
template <int C, int N>
__device__ void cbow(Warp<C, N> &warp, const Part &part, const Window &window, u32 word, u64 stream, float rate) {
    const Plan &plan = warp.plan;
    const int of_words = IS(CBOW_OF_SUBWORDS) ? 0 : window.n_words, n_inputs = window.n_words + window.n_tags;
    i64 n = of_words + window.n_tags;
    if (IS(CBOW_OF_SUBWORDS))
        for (int i = 0; i < window.n_words; ++i) {
            const int other = word_at(part, window, i);
            n += plan.subword_offsets[other + 1] - plan.subword_offsets[other];
        }
    warp.list_targets(word, stream, 0);
    warp.read_targets();
    const float forward = plan.mean_forward ? 1.0f / n : 1.0f, backward = plan.mean_backward ? 1.0f / n : 1.0f;
    Row<C> hidden = zero_row<C>();
    if (IS(CBOW_OF_SUBWORDS))
        for (int i = 0; i < window.n_words; ++i) add_subwords<C>(hidden, plan, word_at(part, window, i), forward);
    for (int i = window.n_words - of_words; i < n_inputs; ++i)
        add_multiple<C>(hidden, forward, read_row<C>(input_row(plan, part, window, i).row, plan.stride));
    const Row<C> gradient = warp.learn(hidden, rate);
    warp.hand_back();
    if (IS(CBOW_OF_SUBWORDS))
        for (int i = 0; i < window.n_words; ++i) teach_subwords<C>(plan, word_at(part, window, i), backward, gradient);
    for (int i = window.n_words - of_words; i < n_inputs; ++i)
        add_gradient<C>(input_row(plan, part, window, i), plan.stride, backward, gradient);
}

// The i-th of the rows side by side.
__device__ __forceinline__ Input row_at_place(const Plan &plan, const Part &part, const Window &window, int i) {
    if (i < plan.side_tags) return document_row(plan, part, window, i);
    i64 j = window.centre - plan.window + i - plan.side_tags;
    if (j >= window.centre) ++j;
    return word_row(plan, window.first <= j && j < window.last ? part.kept[j] : plan.null_word);
}

// The rows of all documents and places of the window, one after the other, predict the centre word. They are too long for
// registers: row, gradient and targets go through the workspace, and each target is read twice.
template <int C, int N>
__device__ void side_by_side(Warp<C, N> &warp, const Part &part, const Window &window, u32 word, u64 stream, float rate) {
    const Plan &plan = warp.plan;
    const int lane = lane_number(), n_places = plan.side_tags + 2 * plan.window;
    const i64 columns = plan.columns, stride = plan.output_stride;
    float *hidden = warp.rows_as_read, *gradient = hidden + stride;
    warp.list_targets(word, stream, 0);
    for (i64 d = lane; d < stride; d += 32) hidden[d] = gradient[d] = 0;
    __syncwarp(ALL_LANES);
    for (int i = 0; i < n_places; ++i) {
        const float *row = row_at_place(plan, part, window, i).row;
        for (i64 d = lane; d < columns; d += 32) hidden[i * columns + d] = __ldcg(row + d);
    }
    __syncwarp(ALL_LANES);
    for (int first = 0; first < warp.n; first += GROUP) {
        float scores[GROUP];
#pragma unroll
        for (int i = 0; i < GROUP; ++i) {
            scores[i] = 0;
            if (first + i < warp.n)
                for (i64 d = 4 * lane; d < stride; d += 128) {
                    const float4 h = *(const float4 *)(hidden + d), t = __ldcg((const float4 *)(warp.targets[first + i].row + d));
                    scores[i] = fmaf(h.w, t.w, fmaf(h.z, t.z, fmaf(h.y, t.y, fmaf(h.x, t.x, scores[i]))));
                }
        }
        const float score = sum_over_lanes(scores);
        if (lane % 4 == 0 && first + lane / 4 < warp.n) warp.take_score(first + lane / 4, score, rate);
    }
    __syncwarp(ALL_LANES);
    for (int k = 0; k < warp.n; ++k) {
        const Target target = warp.targets[k];
        const float step = target.step * target.share;
        for (i64 d = 4 * lane; d < stride; d += 128) {
            const float4 h = *(const float4 *)(hidden + d), t = __ldcg((const float4 *)(target.row + d));
            float4 g = *(float4 *)(gradient + d);
            g.x = fmaf(target.sum, t.x, fmaf(target.bend, h.x, g.x));
            g.y = fmaf(target.sum, t.y, fmaf(target.bend, h.y, g.y));
            g.z = fmaf(target.sum, t.z, fmaf(target.bend, h.z, g.z));
            g.w = fmaf(target.sum, t.w, fmaf(target.bend, h.w, g.w));
            *(float4 *)(gradient + d) = g;
            if (step != 0) add_quad(target.row + d, make_float4(step * h.x, step * h.y, step * h.z, step * h.w));
        }
    }
    __syncwarp(ALL_LANES);
    for (int i = 0; i < n_places; ++i) {
        const Input input = row_at_place(plan, part, window, i);
        if (input.factor != 0)
            for (i64 d = lane; d < columns; d += 32) atomicAdd(input.row + d, input.factor * gradient[i * columns + d]);
    }
    ++warp.examples;
}

template <int C, int N>
__device__ __forceinline__ void train_window(Warp<C, N> &warp, const Part &part, const Window &window, u32 word, u64 stream,
                                             float rate) {
    const Plan &plan = warp.plan;
    if (IS(SIDE_BY_SIDE)) side_by_side<C, N>(warp, part, window, word, stream, rate);
    else if (IS(CBOW) || IS(CBOW_OF_SUBWORDS)) cbow<C, N>(warp, part, window, word, stream, rate);
    else if (IS(SKIP_GRAM_OF_SUBWORDS)) skip_gram_of_subwords<C, N>(warp, part, window, word, stream, rate);
    else skip_gram<C, N>(warp, part, window, word, stream, rate);
}

__device__ __forceinline__ i64 width_of(const Plan &plan, u64 stream) {
    return plan.shrink ? 1 + (i64)scaled((u32)stream, (u64)plan.window) : plan.window;
}

template <int C, int N>
__device__ __forceinline__ Warp<C, N> new_warp(const Plan &plan, const Part &part) {
    return Warp<C, N>(plan, part.workspace ? part.workspace + warp_number() * plan.workspace_size
                                           : (char *)shared_memory + threadIdx.x / 32 * plan.workspace_size);
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

#ifndef INFER

template <int C, int N>
__device__ void train_stretches(const Plan &plan, const Part &part) {
    const i64 n_warps = (i64)gridDim.x * blockDim.x / 32;
    Warp<C, N> warp = new_warp<C, N>(plan, part);
    for (i64 begin = part.begin + warp_number() * STRETCH; begin < part.end; begin += n_warps * STRETCH) {
        const i64 end = min(begin + STRETCH, part.end);
        i64 sentence = sentence_of(part, begin);
        for (i64 centre = begin; centre < end; ++centre) {
            while ((i64)part.firsts[sentence + 1] <= centre) ++sentence;
            const i64 position = part.origin + part.places[centre];
            const u64 stream = stream_at(part.key, position);
            const i64 width = width_of(plan, stream);
            Window window = {max((i64)part.firsts[sentence], centre - width), centre,
                             min((i64)part.firsts[sentence + 1], centre + width + 1), 0, 0, 0};
            window.n_words = plan.words ? (int)(window.last - window.first - 1) : 0;
            if (part.tags) {
                window.first_tag = part.tag_offsets[sentence];
                window.n_tags = (int)(part.tag_offsets[sentence + 1] - window.first_tag);
            }
            if (window.n_words + window.n_tags == 0 || !(plan.outputs || plan.nodes)) continue;
            if (IS(SIDE_BY_SIDE) && window.n_tags != plan.side_tags) continue;
            const float rate = (float)(part.alpha - part.slope * (double)min(position, part.horizon));
            train_window<C, N>(warp, part, window, (u32)part.kept[centre], stream, rate);
        }
    }
    if (lane_number() == 0 && warp.examples) atomicAdd(&part.counters->examples, warp.examples);
    if (warp.loss != 0) atomicAdd(&part.counters->loss, warp.loss);
}

// With short rows and few targets in registers there is room for so many blocks of a processor; not every compiler keeps to
// that unasked.
#define BLOCKS (CHUNKS == 1 && TARGETS <= 6 ? 6 : 1)

extern "C" __global__ void __launch_bounds__(128, BLOCKS) train(Plan plan, Part part) {
    train_stretches<CHUNKS, TARGETS>(plan, part);
}

#endif

// --- whether training has diverged -----------------------------------------------------------------------------------

// A thread for each place in a row.
extern "C" __global__ void look_for_nan(Plan plan, Part part) {
    float *const matrices[] = {plan.inputs, plan.outputs, plan.nodes, plan.documents};
    const i64 n_rows[] = {plan.n_rows, plan.n_words, plan.n_nodes, plan.n_documents};
    const i64 strides[] = {plan.stride, plan.output_stride, plan.output_stride, plan.stride};
    const i64 place = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    for (int m = 0; m < 4; ++m)
        for (i64 row = 0; matrices[m] && place < strides[m] && row < min((i64)WATCHED, n_rows[m]); ++row) {
            const float x = __ldcg(matrices[m] + row * strides[m] + place);
            if (x - x != 0) part.counters->not_finite = 1;
        }
}

// --- documents that the model was not trained on ---------------------------------------------------------------------

#if defined(INFER) || defined(W2V_EMULATED)

// The survivors of a document, in its own part of `kept` and `places`; returns how many there are.
__device__ u32 find_survivors(const Plan &plan, const Part &part, i64 begin, i64 length, u64 key) {
    const int lane = lane_number();
    u32 n = 0;
    for (i64 at = 0; at < length; at += 32) {
        const i64 place = at + lane;
        const int word = place < length ? part.tokens[begin + place] : 0;
        const bool kept = place < length && (!plan.keep || (u32)(stream_at(key, place) >> 32) <= plan.keep[word]);
        const u32 all = __ballot_sync(ALL_LANES, kept);
        if (kept) {
            const i64 slot = begin + n + __popc(all & ((1u << lane) - 1));
            part.kept[slot] = word;
            part.places[slot] = (u32)place;
        }
        n += __popc(all);
    }
    return n;
}

// The number of survivors [begin, begin + n) that stand before `place`.
__device__ i64 survivors_before(const Part &part, i64 begin, i64 n, i64 place) {
    i64 low = 0, high = n;
    while (low < high) {
        const i64 middle = (low + high) / 2;
        if ((i64)part.places[begin + middle] < place) low = middle + 1;
        else high = middle;
    }
    return low;
}

__device__ void begin_document(const Plan &plan, const Part &part, const Documents &documents, i64 document) {
    u64 key = part.key;
    for (i64 i = part.offsets[document]; i < part.offsets[document + 1]; ++i) key = mix(key + ((u64)part.tokens[i] + 1) * GOLDEN);
    if (lane_number() == 0) documents.keys[document] = key;
    const u64 stream = stream_at(key, 0);
    float *row = plan.documents + document * plan.stride;
    for (i64 d = lane_number(); d < plan.stride; d += 32)
        row[d] = d < plan.columns ? ((float)(draw(stream, d) >> 40) * (1.0f / 16777216) - 0.5f) / (float)plan.columns : 0;
    __syncwarp(ALL_LANES);
}

// A document ends if the epoch has hardly moved its row.
__device__ void end_epoch(const Plan &plan, const Documents &documents, i64 document) {
    const float *row = plan.documents + document * plan.stride, *before = documents.before + document * plan.stride;
    double moved = 0, length = 0;
    for (i64 d = lane_number(); d < plan.columns; d += 32) {
        moved += ((double)row[d] - before[d]) * ((double)row[d] - before[d]);
        length += (double)row[d] * row[d];
    }
    for (int step = 16; step; step /= 2) {
        moved += __shfl_xor_sync(ALL_LANES, moved, step);
        length += __shfl_xor_sync(ALL_LANES, length, step);
    }
    if (lane_number() == 0 && moved <= documents.tol * documents.tol * length) documents.used[document] = documents.epoch + 1;
}

// The row of a document learns from the survivors [first, last) of its own, and from neighbours among [begin, end).
// Several words at once have the draws of the first of them.
template <int C, int N>
__device__ void infer_words(Warp<C, N> &warp, const Part &part, const Documents &documents, i64 document, u64 key, i64 begin,
                            i64 first, i64 last, i64 end) {
    const Plan &plan = warp.plan;
    const float rate = (float)part.alpha;
    const i64 size = documents.together ? TOGETHER : 1;
    float *own = plan.documents + document * plan.stride;
    Row<C> row = read_row<C>(own, plan.stride);
    for (i64 group = first; group < last; group += size) {
        const u64 stream = stream_at(key, part.places[group]);
        Row<C> gradient = zero_row<C>();
        for (i64 centre = group; centre < min(group + size, last); ++centre) {
            const i64 width = width_of(plan, stream_at(key, part.places[centre]));
            const Window window = {max(begin, centre - width), centre, min(end, centre + width + 1), 0, 0, 0};
            const int n = plan.words ? (int)(window.last - window.first) : 1;
            const float forward = plan.mean_forward ? 1.0f / n : 1.0f;
            Row<C> hidden = zero_row<C>();
            for (int i = 0; i < n - 1; ++i)
                add_multiple<C>(hidden, forward, read_row<C>(plan.inputs + word_at(part, window, i) * plan.stride, plan.stride));
            add_multiple<C>(hidden, forward, row);
            warp.list_targets((u32)part.kept[centre], stream, plan.fresh ? centre - group : 0);
            warp.read_targets();
            add_multiple<C>(gradient, plan.mean_backward ? 1.0f / n : 1.0f, warp.learn(hidden, rate));
        }
        add_multiple<C>(row, 1, gradient);
    }
    keep_row<C>(own, plan.stride, row);
}

// The same where rows are side by side: a word at a time, as in training.
template <int C, int N>
__device__ void infer_places(Warp<C, N> &warp, const Part &part, i64 document, u64 key, i64 begin, i64 first, i64 last, i64 end) {
    const Plan &plan = warp.plan;
    for (i64 centre = first; centre < last; ++centre) {
        const u64 stream = stream_at(key, part.places[centre]);
        const Window window = {max(begin, centre - plan.window), centre, min(end, centre + plan.window + 1), document, 0, 1};
        side_by_side<C, N>(warp, part, window, (u32)part.kept[centre], stream, (float)part.alpha);
    }
}

// One leg of one epoch of the documents [begin, end) of the part.
template <int C, int N>
__device__ void infer_documents(const Plan &plan, const Part &part, const Documents &documents) {
    const i64 n_warps = (i64)gridDim.x * blockDim.x / 32;
    Warp<C, N> warp = new_warp<C, N>(plan, part);
    for (i64 document = part.begin + warp_number(); document < part.end; document += n_warps) {
        const i64 begin = part.offsets[document], length = part.offsets[document + 1] - begin;
        if (documents.position >= length || documents.used[document]) continue;
        if (documents.position == 0 && documents.epoch == 0) begin_document(plan, part, documents, document);
        const u64 key = stream_at(documents.keys[document], documents.epoch + 1);
        const float *row = plan.documents + document * plan.stride;
        if (documents.position == 0) {
            const u32 n = find_survivors(plan, part, begin, length, key);
            if (lane_number() == 0) part.firsts[document] = n;
            for (i64 d = lane_number(); documents.before && d < plan.stride; d += 32)
                documents.before[document * plan.stride + d] = row[d];
        }
        __syncwarp(ALL_LANES);
        const i64 n = part.firsts[document], end = begin + n;
        const i64 first = begin + survivors_before(part, begin, n, documents.position);
        const i64 last = begin + survivors_before(part, begin, n, documents.position + LEG);
        if (plan.outputs || plan.nodes) {
            if (IS(SIDE_BY_SIDE)) infer_places<C, N>(warp, part, document, key, begin, first, last, end);
            else infer_words<C, N>(warp, part, documents, document, key, begin, first, last, end);
        }
        __syncwarp(ALL_LANES);
        if (documents.before && documents.position + LEG >= length) end_epoch(plan, documents, document);
    }
}

extern "C" __global__ void __launch_bounds__(128) infer(Plan plan, Part part, Documents documents) {
    infer_documents<CHUNKS, TARGETS>(plan, part, documents);
}

#endif
