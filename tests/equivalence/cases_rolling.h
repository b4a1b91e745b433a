/* Data sets, operators, windows and lengths that every check of the rolling operators goes through: the
 * reference against its goldens, block against block, backend against backend, and the benchmarks.
 * tests/golden/rolling.py generates the same data. */
#ifndef FMLP_TESTS_EQUIVALENCE_CASES_ROLLING_H
#define FMLP_TESTS_EQUIVALENCE_CASES_ROLLING_H

#include <stdint.h>
#include <string.h>

#include "common/contracts/rolling.h"
#include "common/core/bits.h"

typedef enum fmlp_case_data {
  FMLP_DATA_WALK,     /* a price of 5 decimals, steps of -3 .. +3 points */
  FMLP_DATA_NOISE,    /* 10^6 + 10^-2 noise */
  FMLP_DATA_OUTLIER,  /* unit noise, 10^12 in every 97th row */
  FMLP_DATA_CONSTANT, /* 1.1 */
  FMLP_DATA_TIES,     /* -1, 0, 1 or 2 */
  FMLP_DATA_DENORMAL, /* small multiples of the smallest double */
  FMLP_DATA_HUGE,     /* 10^150 noise: squares overflow in the fourth moment */
  FMLP_DATA_GAPS,     /* walk with leading and scattered NaN */
  FMLP_DATA_RAMP,     /* 0, 0.25, 0.5, ... */
  FMLP_DATA_MISSING,  /* NaN */
  FMLP_DATA_COUNT
} fmlp_case_data;

static const char *const fmlp_case_data_names[FMLP_DATA_COUNT] = {
    "walk", "noise", "outlier", "constant", "ties", "denormal", "huge", "gaps", "ramp", "missing"};

enum { FMLP_CASE_TIES_SEED = 77 };
#define FMLP_CASE_SEED 0x9e3779b97f4a7c15ULL

typedef struct fmlp_case_random {
  uint64_t state;
} fmlp_case_random;

static inline uint64_t fmlp_case_bits(fmlp_case_random *random) {
  uint64_t s = random->state;
  s ^= s << 13;
  s ^= s >> 7;
  s ^= s << 17;
  return random->state = s;
}

/* In [-1, 1]. */
static inline double fmlp_case_signed(fmlp_case_random *random) {
  return (double)(int64_t)fmlp_case_bits(random) * 0x1p-63;
}

/* Fills out[0..rows) with canonical doubles. */
static inline void fmlp_case_fill(fmlp_case_data kind, int64_t rows, uint64_t seed, double *out) {
  fmlp_case_random random = {seed};
  int64_t points = 108000;
  for (int64_t i = 0; i < rows; i++) {
    double x = 0;
    switch (kind) {
    case FMLP_DATA_WALK:
    case FMLP_DATA_GAPS:
      points += (int64_t)(fmlp_case_bits(&random) % 7) - 3;
      x = (double)points / 100000.0;
      if (kind == FMLP_DATA_GAPS && (i < 3 || fmlp_case_bits(&random) % 13 == 0)) x = fmlp_nan();
      break;
    case FMLP_DATA_NOISE:
      x = 1e6 + 1e-2 * fmlp_case_signed(&random);
      break;
    case FMLP_DATA_OUTLIER:
      x = i % 97 == 37 ? 1e12 : fmlp_case_signed(&random);
      break;
    case FMLP_DATA_CONSTANT:
      x = 1.1;
      break;
    case FMLP_DATA_TIES:
      x = (double)(fmlp_case_bits(&random) % 4) - 1.0;
      break;
    case FMLP_DATA_DENORMAL:
      x = (double)(fmlp_case_bits(&random) % 1000) * 5e-324;
      break;
    case FMLP_DATA_HUGE:
      x = fmlp_case_signed(&random) * 1e150;
      break;
    case FMLP_DATA_RAMP:
      x = (double)i * 0.25;
      break;
    default:
      x = fmlp_nan();
    }
    out[i] = fmlp_canonical(x);
  }
}

/* One node over inputs a = 0 and, for two operands, b = 1. */
typedef struct fmlp_case_operator {
  fmlp_operator op;
  int64_t window;
  int64_t lag;
  double parameter;
  double threshold;
} fmlp_case_operator;

/* Every operator, at windows of one bit, several bits, all bits, and larger than most data. */
static const fmlp_case_operator fmlp_case_operators[] = {
    {FMLP_OP_CONSTANT, 0, 0, -2.5, 0},  {FMLP_OP_SHIFT, 1, 0, 0, 0},
    {FMLP_OP_SHIFT, 13, 0, 0, 0},       {FMLP_OP_DIFF, 1, 0, 0, 0},
    {FMLP_OP_DIFF, 20, 0, 0, 0},        {FMLP_OP_PCT_CHANGE, 1, 0, 0, 0},
    {FMLP_OP_PCT_CHANGE, 9, 0, 0, 0},   {FMLP_OP_LOG_RETURN, 1, 0, 0, 0},
    {FMLP_OP_LOG_RETURN, 5, 0, 0, 0},   {FMLP_OP_ADD, 0, 0, 0, 0},
    {FMLP_OP_SUB, 0, 0, 0, 0},          {FMLP_OP_MUL, 0, 0, 0, 0},
    {FMLP_OP_DIV, 0, 0, 0, 0},          {FMLP_OP_RATIO, 0, 0, 0, 0},
    {FMLP_OP_ABS, 0, 0, 0, 0},          {FMLP_OP_SIGN, 0, 0, 0, 0},
    {FMLP_OP_CROSS, 0, 0, 0, 0},        {FMLP_OP_SUM, 1, 0, 0, 0},
    {FMLP_OP_SUM, 10, 0, 0, 0},         {FMLP_OP_SUM, 500, 0, 0, 0},
    {FMLP_OP_MEAN, 1, 0, 0, 0},         {FMLP_OP_MEAN, 20, 0, 0, 0},
    {FMLP_OP_MEAN, 127, 0, 0, 0},       {FMLP_OP_STD, 2, 0, 0, 0},
    {FMLP_OP_STD, 10, 0, 0, 0},         {FMLP_OP_STD, 64, 0, 0, 0},
    {FMLP_OP_STD, 5000, 0, 0, 0},       {FMLP_OP_VAR, 3, 0, 0, 0},
    {FMLP_OP_VAR, 50, 0, 0, 0},         {FMLP_OP_ZSCORE, 2, 0, 0, 0},
    {FMLP_OP_ZSCORE, 20, 0, 0, 0},      {FMLP_OP_SKEW, 3, 0, 0, 0},
    {FMLP_OP_SKEW, 31, 0, 0, 0},        {FMLP_OP_KURT, 4, 0, 0, 0},
    {FMLP_OP_KURT, 31, 0, 0, 0},        {FMLP_OP_KURT, 200, 0, 0, 0},
    {FMLP_OP_SLOPE, 2, 0, 0, 0},        {FMLP_OP_SLOPE, 20, 0, 0, 0},
    {FMLP_OP_SLOPE, 255, 0, 0, 0},      {FMLP_OP_R2, 2, 0, 0, 0},
    {FMLP_OP_R2, 20, 0, 0, 0},          {FMLP_OP_MIN, 1, 0, 0, 0},
    {FMLP_OP_MIN, 20, 0, 0, 0},         {FMLP_OP_MIN, 256, 0, 0, 0},
    {FMLP_OP_MAX, 7, 0, 0, 0},          {FMLP_OP_MAX, 100, 0, 0, 0},
    {FMLP_OP_RANGE, 20, 0, 0, 0},       {FMLP_OP_RANGE, 300, 0, 0, 0},
    {FMLP_OP_ARGMIN, 1, 0, 0, 0},       {FMLP_OP_ARGMIN, 20, 0, 0, 0},
    {FMLP_OP_ARGMAX, 33, 0, 0, 0},      {FMLP_OP_ARGMAX, 500, 0, 0, 0},
    {FMLP_OP_MEDIAN, 1, 0, 0, 0},       {FMLP_OP_MEDIAN, 20, 0, 0, 0},
    {FMLP_OP_MEDIAN, 701, 0, 0, 0},     {FMLP_OP_QUANTILE, 20, 0, 0, 0},
    {FMLP_OP_QUANTILE, 20, 0, 0.9, 0},  {FMLP_OP_QUANTILE, 99, 0, 1, 0},
    {FMLP_OP_RANK, 1, 0, 0, 0},         {FMLP_OP_RANK, 20, 0, 0, 0},
    {FMLP_OP_COV, 2, 0, 0, 0},          {FMLP_OP_COV, 50, 0, 0, 0},
    {FMLP_OP_CORR, 2, 0, 0, 0},         {FMLP_OP_CORR, 50, 0, 0, 0},
    {FMLP_OP_BETA, 20, 0, 0, 0},        {FMLP_OP_BETA, 129, 0, 0, 0},
    {FMLP_OP_AUTOCORR, 20, 1, 0, 0},    {FMLP_OP_AUTOCORR, 50, 7, 0, 0},
    {FMLP_OP_EMA, 0, 0, 2.0 / 11.0, 0}, {FMLP_OP_EMA, 0, 0, 0.001, 0},
    {FMLP_OP_EMA, 0, 0, 1, 0},          {FMLP_OP_EWM_STD, 0, 0, 2.0 / 21.0, 0},
    {FMLP_OP_EWM_STD, 0, 0, 0.001, 0},  {FMLP_OP_FRACDIFF, 0, 0, 0.4, 1e-3},
    {FMLP_OP_FRACDIFF, 0, 0, 1, 1e-5},  {FMLP_OP_SUM, 5000, 0, 0, 0},
};

enum { FMLP_CASE_OPERATORS = sizeof fmlp_case_operators / sizeof *fmlp_case_operators };

/* Rows: none, one, around a window, around blocks of 64 and 4096, several chunks. */
static const int64_t fmlp_case_lengths[] = {0, 1, 2, 19, 20, 21, 63, 64, 65, 1000, 4096, 4097, 40000};

enum { FMLP_CASE_LENGTHS = sizeof fmlp_case_lengths / sizeof *fmlp_case_lengths };

static inline fmlp_rolling_node fmlp_case_node(const fmlp_case_operator *c) {
  int32_t operands = fmlp_operators[c->op].operands;
  return (fmlp_rolling_node){.op = c->op,
                             .a = operands > 0 ? 0 : -1,
                             .b = operands > 1 ? 1 : -1,
                             .window = c->window,
                             .lag = c->lag,
                             .parameter = c->parameter,
                             .threshold = c->threshold,
                             .output = 0};
}

/* FNV-1a over the bits of a column, little-endian, as in the goldens. */
static inline uint64_t fmlp_case_hash(const double *values, int64_t rows) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (int64_t i = 0; i < rows; i++) {
    uint64_t bits = fmlp_bits_of(values[i]);
    for (int byte = 0; byte < 8; byte++) hash = (hash ^ (bits >> (8 * byte) & 0xff)) * 0x100000001b3ULL;
  }
  return hash;
}

#endif
