/* Opening a file that a program left in a folder, where nothing but files belongs: a FIFO would wait for a
 * writer that never comes, and a device may have no end. */
#ifndef FMLP_COMMON_CORE_ORDINARY_FILE_H
#define FMLP_COMMON_CORE_ORDINARY_FILE_H

#include <stdio.h>

#include "common/core/status.h"

/* Opens `path` for reading; the caller closes `*file`. Fails with `failure`, and does not wait, when it
 * cannot be opened or is no ordinary file; `hint` ends the line of text. */
FMLP_WARN_UNUSED fmlp_status fmlp_open_ordinary(const char *path, FILE **file, fmlp_status failure,
                                                const char *hint, fmlp_error *error);

#endif
