/* Vectors of one instruction set, under the names the row functions use.
 *
 * Included once per level with LEVEL_<NAME> defined. A level says what V is (WIDTH floats), how to load, store and
 * combine it, and how the 16 lanes of GROUP dot products fold to GROUP sums at once; ALONE dots of a single row fit its
 * registers. Every operation is exactly rounded, so every level gives the same bits; only `fused` needs care where the
 * hardware has no fused multiply-add.
 *
 * smaller/larger follow one rule everywhere: `a < b ? a : b`, so that a NaN in `a` gives `b`.
 * scale_by_power adds the integer held in the low bits of `t` to the exponent of `p` (see `exp_` in _simd_body.h).
 */

#undef V
#undef WIDTH
#undef GROUP
#undef ALONE
#undef PANEL
#undef TARGET

#if defined(LEVEL_AVX512)

#define TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma,prfchw")))
#define WIDTH 16
#define GROUP 16
#define ALONE 16
#define PANEL 8
#define V __m512
INLINE V NAME(load)(const float *p) { return _mm512_loadu_ps(p); }
INLINE void NAME(store)(float *p, V a) { _mm512_storeu_ps(p, a); }
INLINE V NAME(fill)(float x) { return _mm512_set1_ps(x); }
INLINE V NAME(add)(V a, V b) { return _mm512_add_ps(a, b); }
INLINE V NAME(sub)(V a, V b) { return _mm512_sub_ps(a, b); }
INLINE V NAME(mul)(V a, V b) { return _mm512_mul_ps(a, b); }
INLINE V NAME(quotient)(V a, V b) { return _mm512_div_ps(a, b); }
INLINE V NAME(smaller)(V a, V b) { return _mm512_min_ps(a, b); }
INLINE V NAME(larger)(V a, V b) { return _mm512_max_ps(a, b); }
INLINE V NAME(fused)(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
INLINE V NAME(scale_by_power)(V p, V t) {
    return _mm512_castsi512_ps(
        _mm512_add_epi32(_mm512_castps_si512(p), _mm512_slli_epi32(_mm512_castps_si512(t), 23)));
}
/* Two vectors to one: 16 -> 8, 8 -> 4, 4 -> 2 and 2 -> 1 lanes of each; after four of these 16 vectors are one. */
INLINE V NAME(fold_8)(V a, V b) {
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
}
INLINE V NAME(fold_4)(V a, V b) {
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
}
INLINE V NAME(fold_2)(V a, V b) {
    __m512d x = _mm512_castps_pd(a), y = _mm512_castps_pd(b);
    return _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(x, y)), _mm512_castpd_ps(_mm512_unpackhi_pd(x, y)));
}
INLINE V NAME(fold_1)(V a, V b) {
    return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xdd));
}
INLINE void NAME(fold)(V sums[16][1], const int used, float *out) {
    V quarter[4];
    UNROLL for (int i = 0; i < 4; i++) {
        V half = NAME(fold_8)(sums[i][0], sums[i + 4][0]);
        quarter[i] = NAME(fold_4)(half, used <= 8 ? half : NAME(fold_8)(sums[i + 8][0], sums[i + 12][0]));
    }
    NAME(store)(out, NAME(fold_1)(NAME(fold_2)(quarter[0], quarter[1]), NAME(fold_2)(quarter[2], quarter[3])));
}

#elif defined(LEVEL_AVX2)

#define TARGET __attribute__((target("avx2,fma,prfchw")))
#define WIDTH 8
#define GROUP 4
#define ALONE 6
#define PANEL 8
#define V __m256
INLINE V NAME(load)(const float *p) { return _mm256_loadu_ps(p); }
INLINE void NAME(store)(float *p, V a) { _mm256_storeu_ps(p, a); }
INLINE V NAME(fill)(float x) { return _mm256_set1_ps(x); }
INLINE V NAME(add)(V a, V b) { return _mm256_add_ps(a, b); }
INLINE V NAME(sub)(V a, V b) { return _mm256_sub_ps(a, b); }
INLINE V NAME(mul)(V a, V b) { return _mm256_mul_ps(a, b); }
INLINE V NAME(quotient)(V a, V b) { return _mm256_div_ps(a, b); }
INLINE V NAME(smaller)(V a, V b) { return _mm256_min_ps(a, b); }
INLINE V NAME(larger)(V a, V b) { return _mm256_max_ps(a, b); }
INLINE V NAME(fused)(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
INLINE V NAME(scale_by_power)(V p, V t) {
    return _mm256_castsi256_ps(
        _mm256_add_epi32(_mm256_castps_si256(p), _mm256_slli_epi32(_mm256_castps_si256(t), 23)));
}
INLINE V NAME(fold_4)(V a, V b) {
    return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
}
INLINE void NAME(fold)(V sums[4][2], const int used, float *out) {
    (void)used;
    V eight[4];
    UNROLL for (int i = 0; i < 4; i++) eight[i] = _mm256_add_ps(sums[i][0], sums[i][1]);
    __m256d even = _mm256_castps_pd(NAME(fold_4)(eight[0], eight[2]));
    __m256d odd = _mm256_castps_pd(NAME(fold_4)(eight[1], eight[3]));
    V low = _mm256_castpd_ps(_mm256_unpacklo_pd(even, odd)), high = _mm256_castpd_ps(_mm256_unpackhi_pd(even, odd));
    V two = _mm256_add_ps(low, high);
    V one = _mm256_add_ps(_mm256_shuffle_ps(two, two, 0x88), _mm256_shuffle_ps(two, two, 0xdd));
    _mm_storeu_ps(out, _mm_movelh_ps(_mm256_castps256_ps128(one), _mm256_extractf128_ps(one, 1)));
}

#elif defined(LEVEL_NEON)

#define TARGET
#define WIDTH 4
#define GROUP 4
#define ALONE 4
#define PANEL 8
#define V float32x4_t
INLINE V NAME(load)(const float *p) { return vld1q_f32(p); }
INLINE void NAME(store)(float *p, V a) { vst1q_f32(p, a); }
INLINE V NAME(fill)(float x) { return vdupq_n_f32(x); }
INLINE V NAME(add)(V a, V b) { return vaddq_f32(a, b); }
INLINE V NAME(sub)(V a, V b) { return vsubq_f32(a, b); }
INLINE V NAME(mul)(V a, V b) { return vmulq_f32(a, b); }
INLINE V NAME(quotient)(V a, V b) { return vdivq_f32(a, b); }
INLINE V NAME(smaller)(V a, V b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
INLINE V NAME(larger)(V a, V b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
INLINE V NAME(fused)(V a, V b, V c) { return vfmaq_f32(c, a, b); }
INLINE V NAME(scale_by_power)(V p, V t) {
    return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(p), vshlq_n_s32(vreinterpretq_s32_f32(t), 23)));
}
INLINE void NAME(fold)(V sums[4][4], const int used, float *out) {
    (void)used;
    float32x2_t two[4];
    UNROLL for (int i = 0; i < 4; i++) {
        V four = vaddq_f32(vaddq_f32(sums[i][0], sums[i][2]), vaddq_f32(sums[i][1], sums[i][3]));
        two[i] = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    }
    vst1q_f32(out, vcombine_f32(vpadd_f32(two[0], two[1]), vpadd_f32(two[2], two[3])));
}

#else /* LEVEL_PORTABLE: the definition, lane by lane, in plain C */

#define TARGET
#define WIDTH 16
#define GROUP 1
#define ALONE 1
#define PANEL 1
#define V Lanes
#define EACH(expression) \
    V r; \
    for (int i = 0; i < 16; i++) r.lane[i] = (expression); \
    return r
INLINE V NAME(load)(const float *p) { EACH(p[i]); }
INLINE void NAME(store)(float *p, V a) {
    for (int i = 0; i < 16; i++) p[i] = a.lane[i];
}
INLINE V NAME(fill)(float x) { EACH(x); }
INLINE V NAME(add)(V a, V b) { EACH(a.lane[i] + b.lane[i]); }
INLINE V NAME(sub)(V a, V b) { EACH(a.lane[i] - b.lane[i]); }
INLINE V NAME(mul)(V a, V b) { EACH(a.lane[i] * b.lane[i]); }
INLINE V NAME(quotient)(V a, V b) { EACH(a.lane[i] / b.lane[i]); }
INLINE V NAME(smaller)(V a, V b) { EACH(a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]); }
INLINE V NAME(larger)(V a, V b) { EACH(a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]); }
INLINE V NAME(fused)(V a, V b, V c) { return fused_lanes(a, b, c); }
INLINE float NAME(exponent_shifted)(float p, float t) {
    uint32_t bits, power;
    memcpy(&bits, &p, sizeof bits);
    memcpy(&power, &t, sizeof power);
    bits += power << 23;
    memcpy(&p, &bits, sizeof p);
    return p;
}
INLINE V NAME(scale_by_power)(V p, V t) { EACH(NAME(exponent_shifted)(p.lane[i], t.lane[i])); }
INLINE void NAME(fold)(V sums[1][1], const int used, float *out) {
    (void)used;
    float s[8];
    const float *lane = sums[0][0].lane;
    for (int i = 0; i < 8; i++) s[i] = lane[i] + lane[i + 8];
    for (int i = 0; i < 4; i++) s[i] = s[i] + s[i + 4];
    for (int i = 0; i < 2; i++) s[i] = s[i] + s[i + 2];
    *out = s[0] + s[1];
}
#undef EACH

#endif
