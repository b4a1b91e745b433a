/* Philox4x32-10 for LANES streams at once: the bits of core/philox.h, in the widest registers of the
 * instruction set this is compiled for.
 *
 * Intrinsics, because no compiler here uses the 32 x 32 -> 64 multiplication alone for it: gcc 12 splits each
 * product into a low and a high half and takes 2.5 times as long, half of the time of a whole study. A lane
 * is 64 bits wide and its number stands in the low half; the high half may hold anything, since the
 * multiplication reads the low one only. */
#ifndef FMLP_CPU_PHILOX_LANES_H
#define FMLP_CPU_PHILOX_LANES_H

#include "common/core/philox.h"

enum { PHILOX_LANES = 32 };

#if defined(__AVX512F__)
#include <immintrin.h>
typedef __m512i philox_wide;
enum { PHILOX_WIDTH = 8, PHILOX_GROUPS = 4 }; /* registers in flight hide the multiplication's latency */
#define PHILOX_LOAD(from)     _mm512_loadu_si512(from)
#define PHILOX_ALL(value)     _mm512_set1_epi64((long long)(value))
#define PHILOX_ADD(a, b)      _mm512_add_epi64(a, b)
#define PHILOX_MULTIPLY(a, b) _mm512_mul_epu32(a, b)
#define PHILOX_HIGH_HALF(a)   _mm512_srli_epi64(a, 32)
#define PHILOX_XOR3(a, b, c)  _mm512_ternarylogic_epi64(a, b, c, 0x96)
#define PHILOX_STORE(to, a)   _mm256_storeu_si256((__m256i *)(void *)(to), _mm512_cvtepi64_epi32(a))
#elif defined(__AVX2__)
#include <immintrin.h>
typedef __m256i philox_wide;
enum { PHILOX_WIDTH = 4, PHILOX_GROUPS = 2 }; /* there are 16 registers: more would spill */
#define PHILOX_LOAD(from)     _mm256_loadu_si256((const __m256i *)(const void *)(from))
#define PHILOX_ALL(value)     _mm256_set1_epi64x((long long)(value))
#define PHILOX_ADD(a, b)      _mm256_add_epi64(a, b)
#define PHILOX_MULTIPLY(a, b) _mm256_mul_epu32(a, b)
#define PHILOX_HIGH_HALF(a)   _mm256_srli_epi64(a, 32)
#define PHILOX_XOR3(a, b, c)  _mm256_xor_si256(_mm256_xor_si256(a, b), c)
#define PHILOX_STORE(to, a)                                                                                  \
  _mm_storeu_si128((__m128i *)(void *)(to), _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(              \
                                                a, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6))))
#endif

#ifdef PHILOX_LOAD
/* Lanes [lane, lane + PHILOX_GROUPS * PHILOX_WIDTH) of one block. */
static inline void philox_groups(uint32_t (*random)[PHILOX_LANES], int lane, uint64_t key, uint64_t block,
                                 const uint64_t *first, const uint64_t *path) {
  philox_wide c0[PHILOX_GROUPS], c1[PHILOX_GROUPS], c2[PHILOX_GROUPS], c3[PHILOX_GROUPS];
  for (int g = 0; g < PHILOX_GROUPS; g++) {
    int at = lane + g * PHILOX_WIDTH;
    c0[g] = PHILOX_ADD(PHILOX_LOAD(first + at), PHILOX_ALL(block));
    c1[g] = PHILOX_HIGH_HALF(c0[g]);
    c2[g] = PHILOX_LOAD(path + at);
    c3[g] = PHILOX_HIGH_HALF(c2[g]);
  }
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < FMLP_PHILOX_ROUNDS; round++) {
    philox_wide key0 = PHILOX_ALL(k0), key1 = PHILOX_ALL(k1);
    for (int g = 0; g < PHILOX_GROUPS; g++) {
      philox_wide product0 = PHILOX_MULTIPLY(c0[g], PHILOX_ALL(FMLP_PHILOX_M0));
      philox_wide product1 = PHILOX_MULTIPLY(c2[g], PHILOX_ALL(FMLP_PHILOX_M1));
      c0[g] = PHILOX_XOR3(PHILOX_HIGH_HALF(product1), c1[g], key0);
      c1[g] = product1;
      c2[g] = PHILOX_XOR3(PHILOX_HIGH_HALF(product0), c3[g], key1);
      c3[g] = product0;
    }
    k0 += FMLP_PHILOX_W0;
    k1 += FMLP_PHILOX_W1;
  }
  for (int g = 0; g < PHILOX_GROUPS; g++) {
    int at = lane + g * PHILOX_WIDTH;
    PHILOX_STORE(random[0] + at, c0[g]);
    PHILOX_STORE(random[1] + at, c1[g]);
    PHILOX_STORE(random[2] + at, c2[g]);
    PHILOX_STORE(random[3] + at, c3[g]);
  }
}
#endif

/* random[4 * b + w][lane] = word w of block first[lane] + b of stream path[lane], for b in [0, blocks). */
static inline void philox_lanes(uint32_t (*random)[PHILOX_LANES], int blocks, uint64_t key,
                                const uint64_t *first, const uint64_t *path) {
  for (int b = 0; b < blocks; b++, random += FMLP_PHILOX_WORDS) {
#ifdef PHILOX_LOAD
    for (int lane = 0; lane < PHILOX_LANES; lane += PHILOX_GROUPS * PHILOX_WIDTH) {
      philox_groups(random, lane, key, (uint64_t)b, first, path);
    }
#else
    for (int lane = 0; lane < PHILOX_LANES; lane++) {
      fmlp_philox_block block = fmlp_philox(key, first[lane] + (uint64_t)b, path[lane]);
      for (int word = 0; word < FMLP_PHILOX_WORDS; word++) random[word][lane] = block.word[word];
    }
#endif
  }
}

#endif
