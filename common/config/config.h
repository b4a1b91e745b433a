/* Configuration: YAML composed as Hydra does, overridden from the command line, checked against one schema.
 */
#ifndef FMLP_COMMON_CONFIG_CONFIG_H
#define FMLP_COMMON_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config/settings.h"
#include "common/core/status.h"

typedef struct fmlp_config fmlp_config;

/* Where to look and what to change. Arrays are borrowed. */
typedef struct fmlp_config_request {
  const char *config_dir;  /* --config-dir, or NULL: ./configs, then beside the executable */
  const char *config_name; /* --config-name, or NULL: "config" */
  const char *base_file; /* a resolved config.yaml to start from instead (run --from, verify RUN), or NULL */
  bool allow_missing;    /* leave ??? be instead of failing on it (--cfg) */
  int32_t override_count;
  const char *const *overrides; /* group=option, key=value, +key=value, ~key */
} fmlp_config_request;

/* Composes, overrides, interpolates and checks. All errors are FMLP_ERR_USAGE naming file:line or the
 * override. On success the caller owns `*config` (fmlp_config_free). */
FMLP_WARN_UNUSED fmlp_status fmlp_config_load(const fmlp_config_request *request, fmlp_config **config,
                                              fmlp_error *error);
void fmlp_config_free(fmlp_config *config);

/* The typed settings; owned by the config. */
const fmlp_settings *fmlp_config_settings(const fmlp_config *config);

/* Keys set by overrides that nothing in this configuration reads, a line of text each; owned by the config.
 */
const char *const *fmlp_config_idle_keys(const fmlp_config *config, int32_t *count);

/* The resolved configuration as YAML text (what --cfg prints and config.yaml holds), and the overrides as a
 * YAML list; owned by the config. */
const char *fmlp_config_yaml(const fmlp_config *config);
const char *fmlp_config_overrides_yaml(const fmlp_config *config);

/* The lines of one top-level section of the resolved configuration ("bars"), "" when it has none; borrowed.
 */
void fmlp_config_section(const fmlp_config *config, const char *section, const char **text, int64_t *length);

/* The resolved run folder: run.dir, or runs/<YYYY-MM-DD>/<HH-MM-SS>_<experiment.name>; owned by the config.
 */
const char *fmlp_config_run_dir(const fmlp_config *config);

/* Sweeps: expands `a=1,2 b=x,y` into the list of jobs in Hydra's order (last override varies fastest).
 * `*jobs` holds job_count arrays of override_count strings, owned by the caller, one fmlp_config_sweep_free.
 */
FMLP_WARN_UNUSED fmlp_status fmlp_config_sweep(int32_t override_count, const char *const *overrides,
                                               int32_t *job_count, char ****jobs, fmlp_error *error);
void fmlp_config_sweep_free(int32_t job_count, int32_t override_count, char ***jobs);
#endif
