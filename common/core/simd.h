/* One source compiled for several instruction sets and chosen at run time (cmake/FmlpSimd.cmake).
 *
 * In the source:   void FMLP_SIMD_NAME(fmlp_cpu_sum)(...) { ... }
 * In its header:   FMLP_SIMD_DECLARE(void, fmlp_cpu_sum, (const double *x, ...));
 * At the caller:   FMLP_SIMD_SELECT(fmlp_cpu_sum)(x, ...); */
#ifndef FMLP_COMMON_CORE_SIMD_H
#define FMLP_COMMON_CORE_SIMD_H

typedef enum fmlp_simd_level { FMLP_SIMD_BASELINE, FMLP_SIMD_V3, FMLP_SIMD_V4 } fmlp_simd_level;

/* The best level this machine runs, lowered by the environment variable FMLP_SIMD=baseline|v3|v4 (for tests).
 */
fmlp_simd_level fmlp_simd(void);

/* "baseline", "v3" or "v4". */
const char *fmlp_simd_name(fmlp_simd_level level);

#define FMLP_SIMD_JOIN_(name, suffix) name##_##suffix
#define FMLP_SIMD_JOIN(name, suffix)  FMLP_SIMD_JOIN_(name, suffix)
#define FMLP_SIMD_NAME(name)          FMLP_SIMD_JOIN(name, FMLP_SIMD_SUFFIX)

#if defined(__x86_64__)
#define FMLP_SIMD_DECLARE(type, name, parameters)                                                            \
  type name##_baseline parameters;                                                                           \
  type name##_v3 parameters;                                                                                 \
  type name##_v4 parameters
#define FMLP_SIMD_SELECT(name)                                                                               \
  (fmlp_simd() == FMLP_SIMD_V4 ? name##_v4 : fmlp_simd() == FMLP_SIMD_V3 ? name##_v3 : name##_baseline)
#else
#define FMLP_SIMD_DECLARE(type, name, parameters) type name##_baseline parameters
#define FMLP_SIMD_SELECT(name)                    (name##_baseline)
#endif

#endif
