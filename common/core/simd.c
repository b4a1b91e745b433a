/* Which instruction set to use. */
#include "common/core/simd.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static fmlp_simd_level supported(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  int v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2");
  int v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
  return v4 ? FMLP_SIMD_V4 : v3 ? FMLP_SIMD_V3 : FMLP_SIMD_BASELINE;
#else
  return FMLP_SIMD_BASELINE;
#endif
}

static fmlp_simd_level detect(void) {
  fmlp_simd_level best = supported();
  const char *asked = getenv("FMLP_SIMD");
  if (asked) {
    for (fmlp_simd_level level = FMLP_SIMD_BASELINE; level < best; level++) {
      if (strcmp(asked, fmlp_simd_name(level)) == 0) return level;
    }
  }
  return best;
}

fmlp_simd_level fmlp_simd(void) {
  static atomic_int cached = -1; /* detection is idempotent: a race computes the same value twice */
  int level = atomic_load_explicit(&cached, memory_order_relaxed);
  if (level < 0) {
    level = (int)detect();
    atomic_store_explicit(&cached, level, memory_order_relaxed);
  }
  return (fmlp_simd_level)level;
}

const char *fmlp_simd_name(fmlp_simd_level level) {
  return level == FMLP_SIMD_V4 ? "v4" : level == FMLP_SIMD_V3 ? "v3" : "baseline";
}
