/* Canonical doubles and comparison on bits. Valid as C11, C++17 and CUDA: both twins use it. */
#ifndef FMLP_COMMON_CORE_BITS_H
#define FMLP_COMMON_CORE_BITS_H

#ifndef __CUDACC_RTC__
#include <stdint.h>
#include <string.h>
#endif

#ifdef __CUDACC__
#define FMLP_BOTH_SIDES __host__ __device__ __forceinline__
#else
#define FMLP_BOTH_SIDES inline
#endif

/* The one NaN of fmlp's files, as bits. */
#define FMLP_NAN_BITS 0x7ff8000000000000ULL

static FMLP_BOTH_SIDES uint64_t fmlp_bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static FMLP_BOTH_SIDES double fmlp_from_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static FMLP_BOTH_SIDES double fmlp_nan(void) {
  return fmlp_from_bits(FMLP_NAN_BITS);
}

/* What every operator applies as it stores: NaN and +-inf become the quiet NaN, -0.0 becomes +0.0. */
static FMLP_BOTH_SIDES double fmlp_canonical(double value) {
  double positive_zero =
      value + 0.0; /* -0.0 + 0.0 is +0.0 under round to nearest; everything else is unchanged */
  uint64_t exponent = (fmlp_bits_of(positive_zero) >> 52) & 0x7ff;
  return exponent == 0x7ff ? fmlp_nan() : positive_zero;
}

#endif
