/* Hydra's composition: a primary file, its defaults list, groups as folders. Internal to config/. */
#ifndef FMLP_COMMON_CONFIG_COMPOSE_H
#define FMLP_COMMON_CONFIG_COMPOSE_H

#include "common/config/node.h"
#include "common/config/override.h"
#include "common/config/search.h"

/* Merges <name>.yaml and everything its defaults list names into `root`, with the group choices among
 * `overrides` [count] (the others are left alone). */
FMLP_WARN_UNUSED fmlp_status fmlp_compose(fmlp_arena *arena, const fmlp_search *search, const char *name,
                                          fmlp_override *overrides, int32_t count, fmlp_node *root,
                                          fmlp_error *error);

/* For a run that starts from a resolved file: merges that file, then each group choice over its package,
 * which first falls back to `defaults`. */
FMLP_WARN_UNUSED fmlp_status fmlp_compose_from_file(fmlp_arena *arena, const fmlp_search *search,
                                                    const char *path, fmlp_override *overrides, int32_t count,
                                                    fmlp_node *root, fmlp_node *defaults, fmlp_error *error);

#endif
