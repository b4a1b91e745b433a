/* Writing a synthetic quote file. */
#ifndef FMLP_COMMON_IO_SYNTH_H
#define FMLP_COMMON_IO_SYNTH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/core/status.h"

typedef struct fmlp_synth_request {
  const char *path; /* compressed when it ends in .gz or .zst */
  uint64_t seed;
  int64_t ticks;     /* > 0 */
  int64_t start_day; /* days since 1970-01-01, UTC */
  bool overwrite;
} fmlp_synth_request;

typedef struct fmlp_synth_summary {
  int64_t first_ms, last_ms; /* since the epoch */
} fmlp_synth_summary;

/* Writes the columns timestamp (ms), askPrice, bidPrice, askVolume, bidVolume (millions) of dukascopy-node.
 * Equal requests give equal bytes of text on every machine (the compressed form depends on the library's
 * version). On failure no file is left. */
FMLP_WARN_UNUSED fmlp_status fmlp_synth_write(const fmlp_synth_request *request, fmlp_synth_summary *summary,
                                              fmlp_error *error);

#endif
