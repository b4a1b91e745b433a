/* The paranoid backend: wraps one whose buffers are host memory and distrusts both sides of it.
 *
 * Of the operations it finds: writes outside a buffer (guard zones at both ends, looked at before and after
 * every call), results left unwritten (outputs are poisoned before each operation), changed inputs, doubles
 * that are not canonical. Of the caller: reads of what was never written, copies and operations beyond a
 * buffer's end, an output that is also another operand, buffers already freed or never freed. Under
 * AddressSanitizer the guard zones are out of bounds for reads as well.
 *
 * A finding is FMLP_ERR_DEVICE with a line that begins "paranoid: ". */
#ifndef FMLP_TESTS_PARANOID_PARANOID_H
#define FMLP_TESTS_PARANOID_PARANOID_H

#include "common/contracts/backend.h"

/* A device of fmlp_paranoid_backend around `inner`, whose buffers must have the shape of cpu/cpu.h. */
FMLP_WARN_UNUSED fmlp_status fmlp_paranoid_open(const fmlp_backend *inner, int32_t ordinal,
                                                fmlp_device **device, fmlp_error *error);

#endif
