/* The arguments that `run` and `verify` share: options, and overrides of the configuration. */
#ifndef FMLP_COMMON_COMMANDS_RUN_ARGUMENTS_H
#define FMLP_COMMON_COMMANDS_RUN_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config/config.h"
#include "common/core/status.h"

/* Strings are borrowed from argv and the environment, but for the two overrides made here. */
typedef struct fmlp_run_arguments {
  bool help;
  bool help_keys;
  bool print_config; /* --cfg */
  bool multirun;
  const char *config_dir;
  const char *config_name;
  const char *stages;
  const char *from;
  int32_t repeats;        /* --repeat, 1 without */
  int32_t override_count; /* FMLP_DEVICE first, then argv's in order, --device last */
  const char **overrides;
  char environment_override[96];
  char device_override[96];
} fmlp_run_arguments;

/* Takes arguments[1...] apart. FMLP_ERR_USAGE names an unknown option and the nearest known one. Must not be
 * moved afterwards; fmlp_run_arguments_release on success. */
FMLP_WARN_UNUSED fmlp_status fmlp_run_arguments_parse(int argument_count, char **arguments,
                                                      fmlp_run_arguments *parsed, fmlp_error *error);
void fmlp_run_arguments_release(fmlp_run_arguments *parsed);

/* The options, one a line with what they do, for --help; `verify`: only those that mean something to it. */
void fmlp_run_arguments_help(bool verify);

/* Every key of the configuration: default, what it takes, what it means. */
void fmlp_run_arguments_help_keys(void);

/* Loads the configuration: of --from when given (its config.yaml, FMLP_ERR_INPUT when there is none), else
 * composed. `overrides` stands for the parsed ones (a sweep's job), NULL for those themselves. */
FMLP_WARN_UNUSED fmlp_status fmlp_run_arguments_load(const fmlp_run_arguments *parsed,
                                                     const char *const *overrides, fmlp_config **config,
                                                     fmlp_error *error);

#endif
