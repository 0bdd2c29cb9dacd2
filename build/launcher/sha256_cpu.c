#include "sha256_cpu.h"

#if defined __x86_64__
#include <cpuid.h>
#include <immintrin.h>

/* Intel's SHA extensions do two rounds at a time, on a state in the order ABEF and CDGH. */
__attribute__((target("sha,ssse3,sse4.1"))) static void blocks(uint32_t state[8], const unsigned char *data,
                                                               size_t count) {
    const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i first = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
    __m128i last = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(first, last, 8), cdgh = _mm_blend_epi16(last, first, 0xf0), words[4];
    for (; count; count--, data += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        for (unsigned i = 0; i < 4; i++)
            words[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(data + 16 * i)), order);
#pragma clang loop unroll(full)
        for (unsigned i = 0; i < 16; i++) {
            __m128i *word = &words[i % 4], after = words[(i + 3) % 4];
            __m128i sum = _mm_add_epi32(*word, _mm_loadu_si128((const __m128i *)(sha256_constants + 4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
            if (i >= 12) continue; /* no round needs further words */
            *word = _mm_add_epi32(_mm_sha256msg1_epu32(*word, words[(i + 1) % 4]),
                                  _mm_alignr_epi8(after, words[(i + 2) % 4], 4));
            *word = _mm_sha256msg2_epu32(*word, after);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    first = _mm_shuffle_epi32(abef, 0x1b);
    last = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(first, last, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(last, first, 8));
}

sha256_blocks *cpu_blocks(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3)) return NULL;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA ? blocks : NULL;
}

#elif defined __aarch64__
#include <arm_neon.h>
#include <sys/auxv.h>

#define HAS_SHA2 (1 << 6) /* HWCAP_SHA2 of the kernel */

__attribute__((target("sha2"))) static void blocks(uint32_t state[8], const unsigned char *data, size_t count) {
    uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4), words[4];
    for (; count; count--, data += 64) {
        const uint32x4_t abcd_before = abcd, efgh_before = efgh;
        for (unsigned i = 0; i < 4; i++) words[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(data + 16 * i)));
#pragma clang loop unroll(full)
        for (unsigned i = 0; i < 16; i++) {
            uint32x4_t *word = &words[i % 4], was = abcd;
            uint32x4_t sum = vaddq_u32(*word, vld1q_u32(sha256_constants + 4 * i));
            abcd = vsha256hq_u32(abcd, efgh, sum);
            efgh = vsha256h2q_u32(efgh, was, sum);
            if (i >= 12) continue; /* no round needs further words */
            *word = vsha256su1q_u32(vsha256su0q_u32(*word, words[(i + 1) % 4]), words[(i + 2) % 4], words[(i + 3) % 4]);
        }
        abcd = vaddq_u32(abcd, abcd_before);
        efgh = vaddq_u32(efgh, efgh_before);
    }
    vst1q_u32(state, abcd);
    vst1q_u32(state + 4, efgh);
}

sha256_blocks *cpu_blocks(void) { return getauxval(AT_HWCAP) & HAS_SHA2 ? blocks : NULL; }
#endif
