/* Reading tick files: detection, decompression, exact decimal parsing into integer columns. */
#ifndef FMLP_COMMON_IO_TICK_READER_H
#define FMLP_COMMON_IO_TICK_READER_H

#include "common/config/settings.h"
#include "common/core/ticks.h"

typedef struct fmlp_read_report {
  char format[64];              /* reader's name, as data.format takes it */
  char compression[16];         /* none, gzip, zstd, ... */
  char decision[256];           /* one sentence: what was detected and by which evidence */
  char timezone[64];            /* zone the times were read in */
  int64_t bytes;                /* of text, decompressed */
  int64_t lines;                /* physical lines, header included */
  int64_t rows;                 /* ticks delivered */
  int64_t bad_rows;             /* rows skipped under bad_rows: skip */
  int64_t first_bad_line;       /* physical line of the first of them, 0 when none */
  uint64_t hash_low, hash_high; /* XXH3-128 of the file's bytes as stored */
} fmlp_read_report;

/* Reads the whole file into `ticks` (owned by the caller on success, empty on failure). Rows come in file
 * order, unsorted and uncleaned. Errors: FMLP_ERR_INPUT naming file and physical line; FMLP_ERR_USAGE for a
 * format or column that does not exist, FMLP_ERR_INTERRUPTED. */
FMLP_WARN_UNUSED fmlp_status fmlp_ticks_read(const fmlp_data_settings *settings, fmlp_ticks *ticks,
                                             fmlp_read_report *report, fmlp_error *error);

/* A row of the reader table: one vendor layout, as data.format takes it. */
typedef struct fmlp_tick_format_info {
  const char *name;
  const char *summary;
} fmlp_tick_format_info;

/* The readers of this build: index in [0, fmlp_tick_format_count()). */
int32_t fmlp_tick_format_count(void);
fmlp_tick_format_info fmlp_tick_format_at(int32_t index);
#endif
