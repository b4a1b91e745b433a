/* The commands of the program. Each gets its own arguments, arguments[0] being the command's name, prints its
 * result to standard output, and returns the program's exit status with the one line of the error. */
#ifndef FMLP_COMMON_COMMANDS_COMMANDS_H
#define FMLP_COMMON_COMMANDS_COMMANDS_H

#include "common/core/status.h"

/* fmlp profile show RUN|FILE [--sort KEY] [--top N] [--filter REGEX]: the times of a finished run as pstats
 * prints them. FMLP_ERR_USAGE for a wrong option, key or expression, FMLP_ERR_INPUT for a missing or damaged
 * profile. fmlp profile export --format FORMAT -o OUTPUT RUN|FILE: the same for other programs. */
FMLP_WARN_UNUSED fmlp_status fmlp_command_profile(int argument_count, char **arguments, fmlp_error *error);

/* fmlp devices */
FMLP_WARN_UNUSED fmlp_status fmlp_command_devices(int argument_count, char **arguments, fmlp_error *error);

/* fmlp inspect FILE */
FMLP_WARN_UNUSED fmlp_status fmlp_command_inspect(int argument_count, char **arguments, fmlp_error *error);

/* fmlp run [OPTION...] [OVERRIDE...] */
FMLP_WARN_UNUSED fmlp_status fmlp_command_run(int argument_count, char **arguments, fmlp_error *error);

/* fmlp synth [--seed N] [--ticks N] [--start DATE] [--force] FILE */
FMLP_WARN_UNUSED fmlp_status fmlp_command_synth(int argument_count, char **arguments, fmlp_error *error);

/* fmlp verify [OPTION...] [OVERRIDE...], fmlp verify RUN */
FMLP_WARN_UNUSED fmlp_status fmlp_command_verify(int argument_count, char **arguments, fmlp_error *error);

#endif
