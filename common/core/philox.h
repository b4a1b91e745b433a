/* Philox4x32-10, the counter-based random numbers of everything that draws. Valid as C11, C++17 and CUDA.
 *
 * Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3" (SC11). The layout is cuRAND's:
 * key = seed; counter words 0, 1 = draw/4, words 2, 3 = path (cuRAND's subsequence); the block's word draw
 * mod 4 is the number. A number depends on (key, path, draw) alone, so nothing has state and any order of
 * evaluation gives the same study.
 *
 * The Monte Carlo of trades uses the bare seed; every other use XORs a constant of its own into the key, so
 * that no two uses share a stream (fmlp_philox_key). */
#ifndef FMLP_COMMON_CORE_PHILOX_H
#define FMLP_COMMON_CORE_PHILOX_H

#include "common/core/bits.h"

#define FMLP_PHILOX_M0 0xD2511F53u /* multipliers */
#define FMLP_PHILOX_M1 0xCD9E8D57u
#define FMLP_PHILOX_W0 0x9E3779B9u /* key increments (Weyl) */
#define FMLP_PHILOX_W1 0xBB67AE85u

enum { FMLP_PHILOX_ROUNDS = 10, FMLP_PHILOX_WORDS = 4 };

/* Numbers are part of the results: never renumber, only append. */
typedef enum fmlp_philox_purpose {
  FMLP_PHILOX_MONTE_CARLO = 0, /* the bare seed */
  FMLP_PHILOX_BOOTSTRAP = 1,   /* rows of a tree */
  FMLP_PHILOX_FEATURE_SAMPLING = 2,
  FMLP_PHILOX_SYNTHETIC = 3, /* `fmlp synth` */
  FMLP_PHILOX_SHUFFLE = 4,
  FMLP_PHILOX_MODEL_SEED = 5, /* seeds handed to a model library */
  FMLP_PHILOX_TEST = 6        /* data of tests and benchmarks */
} fmlp_philox_purpose;

typedef struct fmlp_philox_block {
  uint32_t word[FMLP_PHILOX_WORDS];
} fmlp_philox_block;

/* The key of one use of `seed`. The constant is purpose times the odd 64-bit golden ratio: distinct for each.
 */
static FMLP_BOTH_SIDES uint64_t fmlp_philox_key(uint64_t seed, fmlp_philox_purpose purpose) {
  return seed ^ ((uint64_t)purpose * 0x9E3779B97F4A7C15ULL);
}

/* The low word of a * b; `*high` gets the other. nvcc, left alone, widens the operands of all ten rounds to 64
 * bits, and then each product takes four multiplications instead of one. */
static FMLP_BOTH_SIDES uint32_t fmlp_philox_product(uint32_t a, uint32_t b, uint32_t *high) {
#ifdef __CUDA_ARCH__
  uint32_t low;
  asm("{.reg .u64 product; mul.wide.u32 product, %2, %3; mov.b64 {%0, %1}, product;}"
      : "=r"(low), "=r"(*high)
      : "r"(a), "r"(b));
  return low;
#else
  const uint64_t product = (uint64_t)a * b;
  *high = (uint32_t)(product >> 32);
  return (uint32_t)product;
#endif
}

/* The bijection: four words for the counter (counter_high:counter_low). */
static FMLP_BOTH_SIDES fmlp_philox_block fmlp_philox(uint64_t key, uint64_t counter_low,
                                                     uint64_t counter_high) {
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  uint32_t c0 = (uint32_t)counter_low, c1 = (uint32_t)(counter_low >> 32);
  uint32_t c2 = (uint32_t)counter_high, c3 = (uint32_t)(counter_high >> 32);
  for (int round = 0; round < FMLP_PHILOX_ROUNDS; round++) {
    uint32_t high0, high1;
    uint32_t low0 = fmlp_philox_product(FMLP_PHILOX_M0, c0, &high0);
    uint32_t low1 = fmlp_philox_product(FMLP_PHILOX_M1, c2, &high1);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 += FMLP_PHILOX_W0;
    k1 += FMLP_PHILOX_W1;
  }
  fmlp_philox_block block;
  block.word[0] = c0;
  block.word[1] = c1;
  block.word[2] = c2;
  block.word[3] = c3;
  return block;
}

/* Number `draw` of `path`: uniform on [0, 2^32). In a loop over draws take fmlp_philox(key, draw / 4, path)
 * once for four of them. */
static FMLP_BOTH_SIDES uint32_t fmlp_philox_u32(uint64_t key, uint64_t path, uint64_t draw) {
  return fmlp_philox(key, draw / FMLP_PHILOX_WORDS, path).word[draw % FMLP_PHILOX_WORDS];
}

/* An index in [0, n) for n in [1, 2^32]. */
static FMLP_BOTH_SIDES int64_t fmlp_philox_index(uint32_t u, int64_t n) {
  return (int64_t)(((uint64_t)u * (uint64_t)n) >> 32);
}

/* The middle of u's cell in the open interval (0, 1), exact in a double: log() of it is finite. */
static FMLP_BOTH_SIDES double fmlp_philox_unit(uint32_t u) {
  return ((double)u + 0.5) * (1.0 / 4294967296.0);
}

#endif
