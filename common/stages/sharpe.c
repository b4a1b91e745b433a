/* Moments of daily returns and what they say about a Sharpe ratio. */
#include "common/stages/sharpe.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/memory.h"
#include "common/core/quantile.h"
#include "common/core/tree.h"

static const double euler_gamma = 0.57721566490153286061;
static const double inverse_e = 0.36787944117144232160;

fmlp_status fmlp_return_moments_compute(const double *daily_return, int64_t days,
                                        fmlp_return_moments *moments, fmlp_error *error) {
  double none = fmlp_nan();
  *moments = (fmlp_return_moments){days, none, none, none, none, none, none};
  if (days < 1) return FMLP_OK;
  double *term = NULL;
  FMLP_TRY(fmlp_alloc(&term, days, sizeof *term, "powers of daily returns", error));
  double n = (double)days;
  double mean = fmlp_tree_sum(daily_return, days) / n;
  moments->mean = mean;
  bool constant = true; /* decided on the values: the mean of equal doubles may differ from them by an ulp */
  double power_sum[5] = {0};
  for (int power = 2; power <= 4; power++) {
    for (int64_t d = 0; d < days; d++) {
      double off = daily_return[d] - mean, square = off * off;
      term[d] = power == 2 ? square : power == 3 ? square * off : square * square;
      constant = constant && daily_return[d] == daily_return[0];
    }
    power_sum[power] = fmlp_tree_sum(term, days) / n;
  }
  for (int64_t d = 0; d < days; d++) {
    term[d] = daily_return[d] < 0.0 ? daily_return[d] * daily_return[d] : 0.0;
  }
  double downside = fmlp_tree_sum(term, days);
  fmlp_free(term);
  if (days < 2) return FMLP_OK;
  moments->downside = sqrt(downside / (n - 1.0));
  moments->std = constant ? 0.0 : sqrt(power_sum[2] * n / (n - 1.0));
  if (!(moments->std > 0.0)) return FMLP_OK;
  moments->skewness = power_sum[3] / (power_sum[2] * sqrt(power_sum[2]));
  moments->kurtosis = power_sum[4] / (power_sum[2] * power_sum[2]);
  moments->ratio = mean / moments->std;
  return FMLP_OK;
}

/* 1 - g3 s + (g4 - 1)/4 s^2: the variance of the ratio's estimate times (days - 1). Never negative, because
 * g4 >= g3^2 + 1, except by rounding. */
static double spread_of_ratio(const fmlp_return_moments *moments) {
  double s = moments->ratio;
  double spread = 1.0 - moments->skewness * s + (moments->kurtosis - 1.0) * 0.25 * (s * s);
  return spread < 0.0 ? 0.0 : spread;
}

double fmlp_sharpe_standard_error(const fmlp_return_moments *moments) {
  return fmlp_canonical(sqrt(spread_of_ratio(moments) / ((double)moments->days - 1.0)));
}

double fmlp_probabilistic_sharpe(const fmlp_return_moments *moments, double benchmark) {
  double score = (moments->ratio - benchmark) / fmlp_sharpe_standard_error(moments);
  return isnan(score) ? fmlp_nan() : fmlp_normal_cdf(score);
}

double fmlp_expected_maximum_sharpe(double variance, int64_t trials) {
  if (trials < 2) return fmlp_nan();
  double n = (double)trials;
  double low = fmlp_normal_quantile(1.0 - 1.0 / n), high = fmlp_normal_quantile(1.0 - inverse_e / n);
  return fmlp_canonical(sqrt(variance) * ((1.0 - euler_gamma) * low + euler_gamma * high));
}

/* Sums of one trial's returns over a set of blocks. */
typedef struct block_sum {
  double days, sum, square;
} block_sum;

static double ratio_of(block_sum total) {
  double variance = (total.square - total.sum * total.sum / total.days) / (total.days - 1.0);
  /* Below this share of the squares, the difference is rounding: the returns are constant. */
  if (!(variance * (total.days - 1.0) > total.square * 0x1p-40)) return 0.0;
  return total.sum / total.days / sqrt(variance);
}

/* Which trial is best in the blocks of `mask`, and whether it ranks at or below the median in the others. */
static bool overfits(const block_sum *sums, int32_t trials, int32_t blocks, uint32_t mask, double *outside) {
  int32_t best = 0;
  double best_ratio = 0.0;
  for (int32_t t = 0; t < trials; t++) {
    block_sum in = {0}, out = {0};
    for (int32_t b = 0; b < blocks; b++) {
      block_sum *to = mask >> b & 1 ? &in : &out;
      const block_sum *from = &sums[t * blocks + b];
      to->days += from->days;
      to->sum += from->sum;
      to->square += from->square;
    }
    double ratio = ratio_of(in);
    if (t == 0 || ratio > best_ratio) {
      best = t;
      best_ratio = ratio;
    }
    outside[t] = ratio_of(out);
  }
  double rank = 0.5; /* average rank from 1: the trial itself counts half of its ties */
  for (int32_t t = 0; t < trials; t++) {
    rank += outside[t] < outside[best] ? 1.0 : outside[t] == outside[best] ? 0.5 : 0.0;
  }
  return rank / ((double)trials + 1.0) <= 0.5;
}

static void sum_blocks(const double *returns, int32_t trials, int64_t days, int32_t blocks, block_sum *sums) {
  for (int32_t t = 0; t < trials; t++) {
    for (int32_t b = 0; b < blocks; b++) {
      block_sum total = {0};
      int64_t last = days * (b + 1) / blocks;
      for (int64_t d = days * b / blocks; d < last; d++) {
        double value = returns[t * days + d];
        total.days += 1.0;
        total.sum += value;
        total.square += value * value;
      }
      sums[t * blocks + b] = total;
    }
  }
}

static int32_t bit_count(uint32_t mask) {
  int32_t count = 0;
  for (; mask != 0; mask &= mask - 1) count++;
  return count;
}

fmlp_status fmlp_overfitting_probability(const double *returns, int32_t trials, int64_t days,
                                         fmlp_overfitting *result, fmlp_error *error) {
  *result = (fmlp_overfitting){.probability = fmlp_nan()};
  int64_t fitting = days / 4 * 2; /* even, two days in each block */
  int32_t blocks = fitting > FMLP_OVERFITTING_BLOCKS ? FMLP_OVERFITTING_BLOCKS : (int32_t)fitting;
  if (trials < 2) {
    result->reason = "needs at least two paths to rank";
    return FMLP_OK;
  }
  if (blocks < 4) {
    result->reason = "needs at least eight trading days";
    return FMLP_OK;
  }
  block_sum *sums = NULL;
  double *outside = NULL;
  FMLP_TRY(fmlp_alloc(&sums, (int64_t)trials * blocks, sizeof *sums, "sums of daily returns", error));
  fmlp_status status = fmlp_alloc(&outside, trials, sizeof *outside, "ratios out of sample", error);
  if (status == FMLP_OK) {
    sum_blocks(returns, trials, days, blocks, sums);
    int64_t bad = 0;
    for (uint32_t mask = 0; mask < (uint32_t)1 << blocks; mask++) {
      if (bit_count(mask) != blocks / 2) continue;
      result->combinations++;
      bad += overfits(sums, trials, blocks, mask, outside);
    }
    result->blocks = blocks;
    result->probability = (double)bad / (double)result->combinations;
  }
  fmlp_free(sums);
  fmlp_free(outside);
  return status;
}
