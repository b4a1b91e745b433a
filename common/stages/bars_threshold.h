/* bars.threshold as an exact integer in the units that bars are counted in. */
#ifndef FMLP_COMMON_STAGES_BARS_THRESHOLD_H
#define FMLP_COMMON_STAGES_BARS_THRESHOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config/settings.h"
#include "common/core/int128.h"
#include "common/core/status.h"

/* `*units` = the smallest integer that is >= threshold * 10^decimals / multiple; multiple > 0, decimals in
 * [0, 36]. The threshold's decimal text is used where there is one, so 0.1 means one tenth. `*exact` tells
 * whether the quotient was whole. FMLP_ERR_USAGE for a threshold that is not a positive number or too large.
 */
FMLP_WARN_UNUSED fmlp_status fmlp_bars_threshold(const fmlp_bars_settings *settings, int32_t decimals,
                                                 fmlp_int128 multiple, fmlp_int128 *units, bool *exact,
                                                 fmlp_error *error);

#endif
