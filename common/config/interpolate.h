/* ${...}: other keys, the environment, the time. Internal to config/. */
#ifndef FMLP_COMMON_CONFIG_INTERPOLATE_H
#define FMLP_COMMON_CONFIG_INTERPOLATE_H

#include <time.h>

#include "common/config/node.h"

/* Resolves every interpolation below `root` in place; `now` is the moment ${now:...} prints, in local time. A
 * scalar that is one interpolation takes the other node with its type; else the texts are joined. */
FMLP_WARN_UNUSED fmlp_status fmlp_interpolate(fmlp_arena *arena, fmlp_node *root, time_t now,
                                              fmlp_error *error);

#endif
