/* The floating-point environment that equal bits need: evaluation in 64 bits, rounding to nearest, denormals
 * kept. A library loaded into the process (built with -ffast-math) can change the last two behind our back,
 * for each thread separately. */
#ifndef FMLP_COMMON_CORE_FLOATING_H
#define FMLP_COMMON_CORE_FLOATING_H

#include "common/core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* FMLP_ERR_OTHER when this thread flushes denormals or does not round to nearest. Looks once per thread: call
 * it at the start of any chunk of numeric work. */
FMLP_WARN_UNUSED fmlp_status fmlp_check_floating_point(fmlp_error *error);

#ifdef __cplusplus
}
#endif

#endif
