/* Which backends this build has: the only file pair that knows what was compiled in. */
#ifndef FMLP_COMMON_BACKENDS_H
#define FMLP_COMMON_BACKENDS_H

#include "common/contracts/backend.h"

/* All backends of this build, NULL-terminated, the reference first. */
const fmlp_backend *const *fmlp_backends(void);

/* By name; NULL when this build has none of that name. */
const fmlp_backend *fmlp_backend_find(const char *name);

/* How the profiler asks about the devices that a request may open; NULL, with the reason, when it opens none
 * that can be traced. */
const struct fmlp_device_hooks *fmlp_compute_trace(const char *request, const char **reason);

/* Opens what `runtime.device` asks for: "auto", "cpu", "cuda", "cuda:N", and in test builds "paranoid",
 * "simt". `auto` takes cuda when usable, else cpu, and then writes why into `notice` (capacity bytes, "" when
 * there is nothing to say). A named backend that is missing or unusable: FMLP_ERR_DEVICE with the reason; an
 * unknown name: FMLP_ERR_USAGE. On success the caller owns compute->device (fmlp_compute_close). */
FMLP_WARN_UNUSED fmlp_status fmlp_compute_open(const char *request, fmlp_compute *compute, char *notice,
                                               size_t capacity, fmlp_error *error);
void fmlp_compute_close(fmlp_compute *compute);

#endif
