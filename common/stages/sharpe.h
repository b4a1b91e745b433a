/* How far a Sharpe ratio can be believed: probabilistic and deflated Sharpe ratio, probability of backtest
 * overfitting. Arithmetic is ours throughout, so that the figures are equal bits everywhere. */
#ifndef FMLP_COMMON_STAGES_SHARPE_H
#define FMLP_COMMON_STAGES_SHARPE_H

#include <stdint.h>

#include "common/core/status.h"

/* Moments of daily returns, what every function here starts from. NaN where undefined. */
typedef struct fmlp_return_moments {
  int64_t days;
  double mean, std;          /* std: ddof 1 */
  double skewness, kurtosis; /* population moments; kurtosis of a normal is 3 */
  double ratio;              /* mean / std */
  double downside;           /* sqrt(sum min(r, 0)^2 / (days - 1)) */
} fmlp_return_moments;

FMLP_WARN_UNUSED fmlp_status fmlp_return_moments_compute(const double *daily_return, int64_t days,
                                                         fmlp_return_moments *moments, fmlp_error *error);

/* Standard error of the daily ratio, and the probability that the true ratio exceeds `benchmark`. */
double fmlp_sharpe_standard_error(const fmlp_return_moments *moments);
double fmlp_probabilistic_sharpe(const fmlp_return_moments *moments, double benchmark);

/* The best daily ratio that `trials` skill-less trials whose ratios vary by `variance` are expected to show
 * (Bailey, Lopez de Prado 2014); NaN under two trials. */
double fmlp_expected_maximum_sharpe(double variance, int64_t trials);

enum { FMLP_OVERFITTING_BLOCKS = 16 };

typedef struct fmlp_overfitting {
  double probability;   /* NaN with a reason */
  int64_t combinations; /* of in-sample blocks */
  int32_t blocks;
  const char *reason; /* why there is no figure, or NULL; static */
} fmlp_overfitting;

/* CSCV (Bailey, Borwein, Lopez de Prado, Zhu 2017) over `trials` columns of `days` daily returns,
 * returns[trial * days + day]: the share of the splits into two halves of blocks in which the trial that is
 * best in sample ranks at or below the median out of sample. Blocks: the largest even number up to 16 that
 * leaves two days in each. A trial without variance in a half scores 0 there. */
FMLP_WARN_UNUSED fmlp_status fmlp_overfitting_probability(const double *returns, int32_t trials, int64_t days,
                                                          fmlp_overfitting *result, fmlp_error *error);

#endif
