/* What workers share besides the matrices, and the floating-point mode they run in. */
#ifndef W2V_SHARED_H
#define W2V_SHARED_H

#include <stdint.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* The next `size` positions nobody has taken yet. */
static inline long long take_chunk(long long *cursor, long long size) {
    return __atomic_fetch_add(cursor, size, __ATOMIC_RELAXED);
}

static inline int stop_wanted(const int *stop) { return __atomic_load_n(stop, __ATOMIC_RELAXED); }

static inline void publish(long long *counter, long long value) {
    __atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

static inline void publish_loss(double *counter, double value) { __atomic_store(counter, &value, __ATOMIC_RELAXED); }

/* Round to nearest, keep subnormals. Another library may have changed either for the whole process (one built with
 * -ffast-math does so when it is loaded), and the bits of the result would change with it. */
static inline uint64_t default_float_mode(void) {
#if defined(__x86_64__)
    uint64_t saved = _mm_getcsr();
    _mm_setcsr(0x1f80);
#elif defined(__aarch64__)
    uint64_t saved;
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
#else
    uint64_t saved = 0;
#endif
    return saved;
}

static inline void restore_float_mode(uint64_t saved) {
#if defined(__x86_64__)
    _mm_setcsr((unsigned)saved);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(saved));
#else
    (void)saved;
#endif
}

#endif
