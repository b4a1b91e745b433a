/* The check of the floating-point environment, by arithmetic rather than by control registers. */
#include "common/core/floating.h"

#include <float.h>
#include <stdbool.h>

_Static_assert(FLT_EVAL_METHOD == 0, "doubles must be evaluated in 64 bits: use SSE2, not the x87 unit");
_Static_assert(DBL_MANT_DIG == 53 && DBL_MAX_EXP == 1024, "double must be IEEE 754 binary64");

static _Thread_local bool known_good;

static bool keeps_denormals(void) {
  volatile double smallest_normal = DBL_MIN;
  volatile double half = smallest_normal * 0.5; /* 0 when results are flushed */
  volatile double back = half * 2.0;            /* 0 when operands are */
  return half != 0.0 && back == smallest_normal;
}

static bool rounds_to_nearest(void) {
  volatile double one = 1.0, quarter = DBL_EPSILON * 0.25, more = DBL_EPSILON * 0.75;
  volatile double down = one + quarter, up = one + more, mirrored = -one - more,
                  mirrored_down = -one - quarter;
  return down == 1.0 && up == 1.0 + DBL_EPSILON && mirrored == -up && mirrored_down == -1.0;
}

fmlp_status fmlp_check_floating_point(fmlp_error *error) {
  if (known_good) return FMLP_OK;
  if (!keeps_denormals() || !rounds_to_nearest()) {
    return fmlp_fail(error, FMLP_ERR_OTHER,
                     "this thread %s: results would differ between machines; look for a library built with "
                     "-ffast-math",
                     keeps_denormals() ? "does not round to nearest" : "flushes denormal numbers to zero");
  }
  known_good = true;
  return FMLP_OK;
}
