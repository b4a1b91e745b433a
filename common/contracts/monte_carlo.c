/* What both twins ask of a Monte Carlo job. */
#include "common/contracts/monte_carlo.h"

#include <assert.h>
#include <math.h>

fmlp_status fmlp_monte_carlo_check(const fmlp_monte_carlo *job, fmlp_error *error) {
  if (job->trades > INT32_MAX || job->max_trades > INT32_MAX) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "Monte Carlo: %lld trades, %lld a path: at most %d are possible",
                     (long long)job->trades, (long long)job->max_trades, INT32_MAX);
  }
  assert(job->paths >= 1 && job->first_path >= 0 && job->fan_points >= 0);
  assert(job->trades >= 1 && job->max_trades >= 1);
  assert(job->initial_capital > 0.0 && isfinite(job->initial_capital) && job->daily_loss >= 0.0);
  assert(job->kind == FMLP_MC_IID || job->kind == FMLP_MC_DAY || job->kind == FMLP_MC_PERMUTATION ||
         (job->block_length >= 1 && job->block_length <= job->trades));
  assert(job->kind != FMLP_MC_PERMUTATION || job->max_trades == job->trades);
  assert(job->kind != FMLP_MC_DAY || (job->days >= 1 && job->days <= job->trades));
  return FMLP_OK;
}
