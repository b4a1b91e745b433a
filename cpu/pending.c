/* Operations that are still being written. */
#include "cpu/cpu.h"
fmlp_status fmlp_cpu_rolling(const fmlp_rolling_plan *plan, int64_t rows, const double *const *inputs,
                             double *const *outputs, fmlp_error *error) {
  (void)plan;
  (void)rows;
  (void)inputs;
  (void)outputs;
  return fmlp_fail(error, FMLP_ERR_OTHER, "rolling operators are not built yet");
}
