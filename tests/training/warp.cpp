// A GPU in software: src/w2v/training/cuda/kernels.cu as C++, each lane a thread of its own with its own stack.
//
// One lane runs at a time, up to the next place where the lanes of its warp must meet; warps take turns there, in random
// order, and so do the lanes of a warp. A warp whose lanes come to different places, or of which some have ended, is an
// error. What lanes hand each other through memory without meeting first is read too early sooner or later.
//
// CHUNKS, TARGETS and KERNELS (the path of kernels.cu) are given to the compiler.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#define W2V_EMULATED
#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)

struct alignas(16) float4 {
    float x, y, z, w;
};
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

struct Place {
    unsigned x;
};
static Place threadIdx, blockIdx, blockDim, gridDim;
static float4 *shared_memory;

using std::max;
using std::min;

static inline float4 __ldcg(const float4 *from) { return *from; }
static inline float __ldcg(const float *from) { return *from; }
static inline void add_quad(float *to, float4 x) { to[0] += x.x, to[1] += x.y, to[2] += x.z, to[3] += x.w; }
#define fmaf(a, b, c) ((a) * (b) + (c))  // rounded twice, but no call of a function
static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline void atomicAdd(unsigned long long *to, unsigned long long x) { *to += x; }
static inline void atomicAdd(double *to, double x) { *to += x; }
static inline void atomicAdd(float *to, float x) { *to += x; }

// --- lanes with stacks of their own ----------------------------------------------------------------------------------

#if defined(__x86_64__)
asm(R"(
.text
switch_stacks:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
)");
static const int SAVED = 6, RETURN = 6;
#elif defined(__aarch64__)
asm(R"(
.text
switch_stacks:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
)");
static const int SAVED = 20, RETURN = 11;
#endif
extern "C" void switch_stacks(void **leave, void *enter);

enum Meeting { RUNNING, ENDED, SYNC, XOR, UP, FROM, BALLOT, MATCH };

struct Lane {
    void *stack;  // where it goes on
    std::unique_ptr<char[]> memory;
    Place thread, block;
    Meeting meeting;
    int line;
    uint64_t value, found;
    int step;
};

static const size_t STACK = 1 << 16;
static Lane *lane;
static void *scheduler;
static void (*work)();
static char fault[200];

static uint64_t chance;
static uint64_t next_random() {
    chance ^= chance << 13, chance ^= chance >> 7, chance ^= chance << 17;
    return chance;
}

static __attribute__((noinline)) uint64_t meet(Meeting meeting, int line, unsigned mask, uint64_t value, int step) {
    if (mask != 0xffffffffu) snprintf(fault, sizeof fault, "line %d: not all lanes are meant to meet", line);
    lane->meeting = meeting, lane->line = line, lane->value = value, lane->step = step;
    switch_stacks(&lane->stack, scheduler);
    return lane->found;
}

template <class T>
static inline T exchange(Meeting meeting, int line, unsigned mask, T value, int step) {
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = meet(meeting, line, mask, bits, step);
    memcpy(&value, &bits, sizeof value);
    return value;
}

#define __syncwarp(mask) ((void)meet(SYNC, __LINE__, mask, 0, 0))
#define __shfl_xor_sync(mask, value, step) exchange(XOR, __LINE__, mask, value, step)
#define __shfl_up_sync(mask, value, step) exchange(UP, __LINE__, mask, value, step)
#define __shfl_sync(mask, value, source) exchange(FROM, __LINE__, mask, value, source)
#define __ballot_sync(mask, vote) ((unsigned)meet(BALLOT, __LINE__, mask, (vote) ? 1 : 0, 0))
#define __match_any_sync(mask, value) ((unsigned)meet(MATCH, __LINE__, mask, value, 0))

#include KERNELS

static void begin_lane() {
    work();
    lane->meeting = ENDED;
    switch_stacks(&lane->stack, scheduler);
}

// All lanes of a warp have stopped: give each what the others have brought. False if they do not fit together.
static bool resolve(Lane *warp) {
    for (int i = 0; i < 32; ++i)
        if (warp[i].meeting != warp[0].meeting || (warp[i].meeting != ENDED && (warp[i].line != warp[0].line || warp[i].step != warp[0].step))) {
            snprintf(fault, sizeof fault, "lane %d is at line %d (%d), lane 0 at line %d (%d)", i, warp[i].line,
                     warp[i].meeting, warp[0].line, warp[0].meeting);
            return false;
        }
    unsigned votes = 0;
    for (int i = 0; i < 32; ++i) votes |= (unsigned)(warp[i].value & 1) << i;
    for (int i = 0; i < 32; ++i) {
        switch (warp[i].meeting) {
        case XOR: warp[i].found = warp[i ^ warp[i].step].value; break;
        case UP: warp[i].found = warp[i < warp[i].step ? i : i - warp[i].step].value; break;
        case FROM: warp[i].found = warp[warp[i].step].value; break;
        case BALLOT: warp[i].found = votes; break;
        case MATCH:
            warp[i].found = 0;
            for (int j = 0; j < 32; ++j) warp[i].found |= (uint64_t)(warp[j].value == warp[i].value) << j;
            break;
        default: break;
        }
    }
    return true;
}

static Plan plan;
static Part part;
static Documents documents;
static void (*kernel)(Plan, Part);

static void infer_all(Plan plan, Part part) { infer(plan, part, documents); }

// Run a kernel; returns NULL, or what went wrong. Only one of them takes documents.
extern "C" const char *emulate(const char *name, int blocks, int threads, long long shared, uint64_t seed, const Plan *a_plan,
                               const Part *a_part, const Documents *of_it) {
    const struct { const char *name; void (*run)(Plan, Part); } kernels[] = {
        {"count_survivors", count_survivors}, {"sum_tiles", sum_tiles}, {"gather_survivors", gather_survivors},
        {"find_sentences", find_sentences}, {"train", train}, {"look_for_nan", look_for_nan},
        {"infer", infer_all}};
    kernel = nullptr;
    for (auto &known : kernels) if (!strcmp(known.name, name)) kernel = known.run;
    fault[0] = 0;
    if (!kernel || threads % 32) return "there is no such kernel, or a warp has not all its lanes";
    if (of_it) documents = *of_it;
    plan = *a_plan, part = *a_part, chance = seed * 2 + 1;
    work = [] { kernel(plan, part); };
    const int n_warps = blocks * threads / 32;
    std::vector<Lane> lanes(32 * n_warps);
    std::vector<std::unique_ptr<char[]>> shared_of(blocks);
    for (auto &memory : shared_of) memory.reset(new char[shared]);  // is where a float4 may be
    for (int i = 0; i < 32 * n_warps; ++i) {
        Lane &made = lanes[i];
        made.memory.reset(new char[STACK]);
        made.thread.x = i % threads, made.block.x = i / threads, made.meeting = RUNNING;
        void **top = (void **)(((uintptr_t)made.memory.get() + STACK) & ~(uintptr_t)63) - SAVED - 2;
        memset(top, 0, (SAVED + 2) * sizeof(void *));
        top[RETURN] = (void *)begin_lane;
        made.stack = top;
    }
    blockDim.x = threads, gridDim.x = blocks;
    std::vector<int> alive(n_warps);
    for (int i = 0; i < n_warps; ++i) alive[i] = i;
    while (!alive.empty() && !fault[0]) {
        const size_t chosen = next_random() % alive.size();
        Lane *warp = &lanes[32 * alive[chosen]];
        int order[32];
        for (int i = 0; i < 32; ++i) {
            const int j = next_random() % (i + 1);
            order[i] = order[j], order[j] = i;
        }
        for (int i : order) {
            lane = &warp[i], threadIdx = lane->thread, blockIdx = lane->block;
            shared_memory = (float4 *)shared_of[blockIdx.x].get();
            switch_stacks(&scheduler, lane->stack);
        }
        if (resolve(warp) && warp->meeting == ENDED) alive.erase(alive.begin() + chosen);
    }
    return fault[0] ? fault : nullptr;
}

extern "C" void sizes(long long *of) {
    of[0] = sizeof(Plan), of[1] = sizeof(Part), of[2] = sizeof(Counters), of[3] = sizeof(Documents), of[4] = sizeof(Target);
}
