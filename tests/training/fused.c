/* Compares the fused multiply-add of the portable level with the C library's, bit by bit, and prints how many numbers
 * were compared. Any NaN equals any other. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "_simd.h"

static uint64_t state = 1;

static uint32_t any_bits(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 32);
}

static float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static long compared;

static void compare(Lanes a, Lanes b, Lanes c) {
    const Lanes found = fused_lanes(a, b, c);
    for (int i = 0; i < 16; i++) {
        const float right = fmaf(a.lane[i], b.lane[i], c.lane[i]);
        compared++;
        if (memcmp(&right, &found.lane[i], 4) && !(right != right && found.lane[i] != found.lane[i])) {
            printf("%a * %a + %a is %a, not %a\n", a.lane[i], b.lane[i], c.lane[i], right, found.lane[i]);
            exit(1);
        }
    }
}

/* A float of few significant bits and an exponent from `lowest`, so that sums end half way between two floats. */
static float few_bits(int lowest, int exponents) {
    const uint32_t bits = any_bits();
    const float fraction = 1.0f + (float)(bits & 7) * 0x1p-12f + (float)(bits >> 3 & 3) * 0x1p-23f;
    return ldexpf(bits >> 31 ? -fraction : fraction, lowest + (int)(any_bits() % (unsigned)exponents));
}

int main(void) {
    static const uint32_t edges[] = {
        0x00000000, 0x00000001, 0x00000002, 0x00000003, 0x007fffff, 0x00800000, 0x00800001, 0x00ffffff, 0x01000000,
        0x1f800000, 0x1fffffff, 0x20000000, 0x33800000, 0x34000000, 0x3effffff, 0x3f000000, 0x3f7fffff, 0x3f800000,
        0x3f800001, 0x3f800800, 0x3fffffff, 0x40000000, 0x4b7fffff, 0x4b800000, 0x5f7fffff, 0x5f800000, 0x7f000000,
        0x7f7ffffe, 0x7f7fffff, 0x7f800000, 0x7fc00000,
    };
    enum { N = sizeof edges / sizeof edges[0] };
    Lanes a, b, c;
    int lane = 0;
    for (int i = 0; i < 8 * N * N * N; i++) {
        a.lane[lane] = from_bits(edges[i / 8 % N] | (uint32_t)(i & 1) << 31);
        b.lane[lane] = from_bits(edges[i / 8 / N % N] | (uint32_t)(i >> 1 & 1) << 31);
        c.lane[lane] = from_bits(edges[i / 8 / N / N] | (uint32_t)(i >> 2 & 1) << 31);
        if (++lane == 16) compare(a, b, c), lane = 0;
    }
    for (int round = 0; round < 1500000; round++) {
        for (int i = 0; i < 16; i++) {
            switch (round % 7) {
                case 0: /* any bits */
                    a.lane[i] = from_bits(any_bits()), b.lane[i] = from_bits(any_bits());
                    c.lane[i] = from_bits(any_bits());
                    break;
                case 1: /* of a like size */
                    a.lane[i] = from_bits(any_bits() >> 9 | 0x3f800000), b.lane[i] = from_bits(any_bits() >> 9 | 0x3f800000);
                    c.lane[i] = ldexpf(from_bits((any_bits() & 0x807fffff) | 0x3f800000), (int)(any_bits() % 60) - 30);
                    break;
                case 2: /* half way, and just beside it */
                    a.lane[i] = few_bits(-30, 60), b.lane[i] = few_bits(-30, 60), c.lane[i] = few_bits(-60, 120);
                    break;
                case 3: /* at the edge of subnormal numbers */
                    a.lane[i] = few_bits(-90, 30), b.lane[i] = few_bits(-90, 30), c.lane[i] = few_bits(-160, 40);
                    break;
                case 4: /* half way between subnormal numbers, but for less than a double can show beside them */
                    a.lane[i] = ldexpf(1.0f - 0x1p-23f, -75), b.lane[i] = ldexpf(1.0f + 0x1p-23f, -75 - (i & 1));
                    c.lane[i] = from_bits(any_bits() & 0x80ffffff);
                    break;
                case 5: /* at the edge of infinity */
                    a.lane[i] = few_bits(50, 20), b.lane[i] = few_bits(50, 20), c.lane[i] = few_bits(90, 38);
                    break;
                default: /* what all but cancels */
                    a.lane[i] = few_bits(-70, 100), b.lane[i] = few_bits(-70, 100);
                    c.lane[i] = -(a.lane[i] * b.lane[i]);
            }
        }
        compare(a, b, c);
    }
    printf("%ld\n", compared);
    return 0;
}
