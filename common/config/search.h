/* Where configuration files are: an ordered list of folders, the first that has a file wins. Internal to
 * config/. */
#ifndef FMLP_COMMON_CONFIG_SEARCH_H
#define FMLP_COMMON_CONFIG_SEARCH_H

#include <stdbool.h>

#include "common/config/node.h"

enum { FMLP_SEARCH_DIRS = 4 };

typedef struct fmlp_search {
  const char *dirs[FMLP_SEARCH_DIRS];
  int32_t count;
} fmlp_search;

/* --config-dir when given, ./configs, then ../../configs and ../share/fmlp/configs beside the executable;
 * those that exist. A `config_dir` that is no folder: FMLP_ERR_USAGE. */
FMLP_WARN_UNUSED fmlp_status fmlp_search_open(fmlp_arena *arena, const char *config_dir, fmlp_search *search,
                                              fmlp_error *error);

/* Path of <group>/<name>.yaml ("" for no group), or NULL when no folder has it. */
const char *fmlp_search_file(fmlp_arena *arena, const fmlp_search *search, const char *group,
                             const char *name);

/* True when some folder has a folder `group`. */
bool fmlp_search_has_group(fmlp_arena *arena, const fmlp_search *search, const char *group);

/* The options of a group, sorted, each once; "" lists the top folder's. NULL when memory is out. */
const char *const *fmlp_search_options(fmlp_arena *arena, const fmlp_search *search, const char *group,
                                       int32_t *count);

#endif
