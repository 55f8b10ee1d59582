/* Instruction sets and the choice between them: one table of row functions per level, one source for all of them.
 *
 * Rows are padded with zeros to a multiple of 16 floats. Alignment matters for speed only, never for bits.
 */
#ifndef W2V_SIMD_H
#define W2V_SIMD_H

#include <float.h>
#include <stdint.h>
#include <string.h>

#if defined(__FAST_MATH__)
#error "w2v must not be built with -ffast-math: it reorders sums, and the results would depend on the compiler"
#endif
#if FLT_EVAL_METHOD != 0
#error "w2v needs float arithmetic in float precision; on 32-bit x86 that means a 64-bit build"
#endif

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/* Rows learnt together against one list of targets. A constant of the numerical scheme: another value is another
 * result. Eight rows, their updated copies and two targets fit the 32 registers of AVX-512. */
#define TILE 8

/* The same where the targets are Huffman paths. All pairs of a window step along the same few nodes near the root, so
 * steps taken from one stale value add up; with tiles of eight analogies suffer. */
#define PATH_TILE 4

/* Words of a document from which its row learns at once: in PV-DBOW those of the positions [4k, 4k + 4) of the document,
 * and when it is inferred any four in a row. A constant of the scheme: another value is another result. */
#define TOGETHER 4

/* Rows that will be wanted soon. */
typedef struct {
    float *const *rows;
    int n;
} Ahead;

typedef struct {
    const char *name;
    void (*learn)(float *const *rows, int n_rows, float *const *targets, const float *labels,
                  int n_targets, int blocks, float rate, float *scratch, double *loss,
                       const Ahead *ahead);
    void (*learn_mean)(float *const *rows, int n_rows, float forward, float backward, float *const *targets,
                       const float *labels, const float *weights, int n_targets, int blocks, float rate,
                       float *scratch, double *loss, const Ahead *ahead);
    void (*learn_still)(float *const *rows, int n_rows, int n_still, float forward, float backward,
                        float *const *targets, const float *labels, const float *weights, int n_targets, int blocks,
                        float rate, float *scratch, double *loss, const Ahead *ahead);
    void (*mean)(float *const *rows, int n_rows, float forward, int blocks, float *mean);
    void (*spread)(float *const *rows, int n_rows, const float *before, const float *after, int blocks);
    void (*run_sums)(float *const *rows, int n, int blocks, float *sums);
    void (*learn_together)(float *row, const float *const *parts, const float *forward, float *const *targets,
                           const float *labels, const float *weights, int n_targets, int blocks, float rate,
                           float *scratch, const Ahead *ahead);
    void (*blend)(float *shared, float *own, long long n, float share);
    void (*merge)(float *row, const float *const *copies, int n_copies, float share, long long n);
} Level;

/* Fused multiply-add of the portable level: exactly a * b + c rounded once.
 * The product is exact in double. The sum's rounding error says whether it is; if not, the last bit is forced odd
 * (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008), so that rounding to float is right. */
static inline float fused_multiply_add(float a, float b, float c) {
#if defined(__FP_FAST_FMAF)
    return __builtin_fmaf(a, b, c);
#else
    double product = (double)a * b, sum = product + c;
    double part = sum - product, error = (product - (sum - part)) + (c - part);
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    if (error != 0 && (bits & 1) == 0 && (bits >> 52 & 0x7ff) != 0x7ff) {
        bits += (error > 0) == (sum > 0) ? 1 : (uint64_t)-1;
        memcpy(&sum, &bits, sizeof sum);
    }
    return (float)sum;
#endif
}

typedef struct { float lane[16]; } Lanes;

__attribute__((noinline, unused))
static void fuse_one_by_one(const Lanes *a, const Lanes *b, const Lanes *c, Lanes *r) {
    for (int i = 0; i < 16; i++) r->lane[i] = fused_multiply_add(a->lane[i], b->lane[i], c->lane[i]);
}

/* The same for 16 lanes. Rounding twice, to double and to float, goes wrong only where the first rounding gives a value
 * half way between two floats, or one so small that it becomes a subnormal float; both can be seen from its bits. */
static inline Lanes fused_lanes(Lanes a, Lanes b, Lanes c) {
    Lanes r;
#if defined(__SSE2__) && !defined(__FP_FAST_FMAF)
    const __m128i tail = _mm_set1_epi32(0x1fffffff), half = _mm_set1_epi32(0x10000000);
    /* Twice the upper half of 2^-126, less 2^31 and 1. With the same taken from a zero's, it wraps to the largest. */
    const __m128i smallest = _mm_set1_epi32((int)0xf01fffff), most = _mm_set1_epi32(0x7fffffff);
    __m128i rare = _mm_setzero_si128();
    for (int i = 0; i < 16; i += 4) {
        const __m128 x = _mm_loadu_ps(a.lane + i), y = _mm_loadu_ps(b.lane + i), z = _mm_loadu_ps(c.lane + i);
        const __m128d one = _mm_add_pd(_mm_mul_pd(_mm_cvtps_pd(x), _mm_cvtps_pd(y)), _mm_cvtps_pd(z));
        const __m128d two = _mm_add_pd(
            _mm_mul_pd(_mm_cvtps_pd(_mm_movehl_ps(x, x)), _mm_cvtps_pd(_mm_movehl_ps(y, y))),
            _mm_cvtps_pd(_mm_movehl_ps(z, z)));
        _mm_storeu_ps(r.lane + i, _mm_movelh_ps(_mm_cvtpd_ps(one), _mm_cvtpd_ps(two)));
        const __m128 first = _mm_castpd_ps(one), second = _mm_castpd_ps(two);
        const __m128i lower = _mm_castps_si128(_mm_shuffle_ps(first, second, 0x88));
        const __m128i upper = _mm_castps_si128(_mm_shuffle_ps(first, second, 0xdd));
        const __m128i size = _mm_add_epi32(_mm_add_epi32(upper, upper), most);
        rare = _mm_or_si128(rare, _mm_cmpeq_epi32(_mm_and_si128(lower, tail), half));
        rare = _mm_or_si128(rare, _mm_cmplt_epi32(size, smallest));
    }
    if (__builtin_expect(_mm_movemask_epi8(rare) != 0, 0)) fuse_one_by_one(&a, &b, &c, &r);
#else
    for (int i = 0; i < 16; i++) r.lane[i] = fused_multiply_add(a.lane[i], b.lane[i], c.lane[i]);
#endif
    return r;
}

/* Several workers update the same rows without locks (Hogwild): the races are meant, and are the row functions' alone.
 * Deterministic training has none; to check that, build with -DW2V_NO_RACES. */
#ifdef W2V_NO_RACES
#define RACES_ARE_MEANT
#else
#define RACES_ARE_MEANT __attribute__((no_sanitize("thread")))
#endif

/* row += part * (after - before); with a part of 0 the row is not touched at all. */
RACES_ARE_MEANT __attribute__((unused))
static void add_part(float *row, const float *after, const float *before, long long n, float part) {
    if (part != 0)
        for (long long d = 0; d < n; d++) row[d] += part * (after[d] - before[d]);
}

static inline void prefetch(const void *address) { __builtin_prefetch(address); }

/* Ask for a row that is about to be read. */
static inline void prefetch_still(const float *row, int blocks) {
    for (const float *end = row + 16 * blocks; row != end; row += 16) __builtin_prefetch(row);
}

/* Ask for a row that is about to be read and written. */
static inline void prefetch_row(const float *row, int blocks) {
    for (const float *end = row + 16 * blocks; row != end; row += 16) __builtin_prefetch(row, 1);
}

#if defined(__GNUC__) && !defined(__clang__)
#define UNROLL _Pragma("GCC unroll 16")
#else
#define UNROLL _Pragma("unroll")
#endif
#define INLINE static inline __attribute__((always_inline, unused)) TARGET
#define KERNEL static RACES_ARE_MEANT TARGET

#define TABLE(level) \
    { \
        #level, learn_##level, learn_mean_##level, learn_still_##level, mean_##level, spread_##level, \
        run_sums_##level, learn_together_##level, blend_##level, merge_##level \
    }

#define LEVEL_PORTABLE
#define NAME(x) x##_portable
#include "_simd_body.h"
#undef NAME
#undef LEVEL_PORTABLE

#if defined(__x86_64__)
#define LEVEL_AVX2
#define NAME(x) x##_avx2
#include "_simd_body.h"
#undef NAME
#undef LEVEL_AVX2
#define LEVEL_AVX512
#define NAME(x) x##_avx512
#include "_simd_body.h"
#undef NAME
#undef LEVEL_AVX512
#elif defined(__aarch64__)
#define LEVEL_NEON
#define NAME(x) x##_neon
#include "_simd_body.h"
#undef NAME
#undef LEVEL_NEON
#endif

/* Best first. */
static const Level levels[] = {
#if defined(__x86_64__)
    TABLE(avx512),
    TABLE(avx2),
#elif defined(__aarch64__)
    TABLE(neon),
#endif
    TABLE(portable),
};
#define N_LEVELS ((int)(sizeof levels / sizeof levels[0]))

/* Whether this CPU, and the system's register saving, can run a level. prefetchw is not asked for: where it is missing
 * it does nothing. */
static inline int level_runs(int i) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (i == 0)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("fma");
    if (i == 1) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    (void)i;
    return 1;
}

#endif
