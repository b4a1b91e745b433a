/* A file written in one pass, compressed by what its name ends in (.gz, .zst, else plain), under a temporary
 * name beside it until it is complete: a file that exists is whole. */
#ifndef FMLP_COMMON_IO_BYTE_SINK_H
#define FMLP_COMMON_IO_BYTE_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/core/status.h"

typedef struct fmlp_byte_sink fmlp_byte_sink;

/* FMLP_ERR_OTHER when `path` exists and `overwrite` is false, is a folder, or cannot be written. */
FMLP_WARN_UNUSED fmlp_status fmlp_byte_sink_open(const char *path, bool overwrite, fmlp_byte_sink **sink,
                                                 fmlp_error *error);

FMLP_WARN_UNUSED fmlp_status fmlp_byte_sink_write(fmlp_byte_sink *sink, const void *bytes, int64_t count,
                                                  fmlp_error *error);

/* Writes what is left, checks the disk took it, and renames. Frees the handle in either case; on failure
 * nothing is left. */
FMLP_WARN_UNUSED fmlp_status fmlp_byte_sink_commit(fmlp_byte_sink *sink, fmlp_error *error);

/* Removes what was written and frees the handle; NULL is allowed. */
void fmlp_byte_sink_discard(fmlp_byte_sink *sink);

#endif
