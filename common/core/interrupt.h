/* SIGINT as a flag that long loops poll; the run is then abandoned with FMLP_ERR_INTERRUPTED and its
 * temporary folder removed by the normal error path. */
#ifndef FMLP_COMMON_CORE_INTERRUPT_H
#define FMLP_COMMON_CORE_INTERRUPT_H

#include <stdbool.h>

#include "common/core/status.h"

/* Installs the handler (SIGINT, SIGTERM, SIGHUP, SIGXCPU). Call once, from main. */
void fmlp_interrupt_install(void);

/* True once the signal came. Callable from any thread. */
bool fmlp_interrupted(void);

/* FMLP_ERR_INTERRUPTED with a line naming `where` once the signal came, else FMLP_OK. */
FMLP_WARN_UNUSED fmlp_status fmlp_check_interrupt(const char *where, fmlp_error *error);

#endif
