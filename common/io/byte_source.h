/* Bytes of a file, decompressed on the way: plain, gzip, zstd, and whatever libarchive opens (xz, bzip2, lz4,
 * zip with one file). Regular files, pipes and standard input ("-") alike; the file's own bytes are hashed as
 * they pass. Memory: a constant. */
#ifndef FMLP_COMMON_IO_BYTE_SOURCE_H
#define FMLP_COMMON_IO_BYTE_SOURCE_H

#include <stdint.h>

#include "common/core/status.h"
#include "common/io/columns.h"

typedef struct fmlp_byte_source fmlp_byte_source;

/* Errors (FMLP_ERR_INPUT) name the path: missing, a folder, empty, unreadable. */
FMLP_WARN_UNUSED fmlp_status fmlp_byte_source_open(const char *path, fmlp_byte_source **source,
                                                   fmlp_error *error);

/* Fills `buffer` with up to `capacity` bytes of the decompressed text. `*count` < capacity only at the end.
 * FMLP_ERR_INPUT for a damaged or truncated stream. */
FMLP_WARN_UNUSED fmlp_status fmlp_byte_source_read(fmlp_byte_source *source, char *buffer, int64_t capacity,
                                                   int64_t *count, fmlp_error *error);

/* "none", "gzip", "zstd", or the names libarchive gives ("xz", "zip", ...). */
const char *fmlp_byte_source_compression(const fmlp_byte_source *source);

/* XXH3-128 of the stored bytes; complete once a read reached the end. */
fmlp_hash128 fmlp_byte_source_hash(const fmlp_byte_source *source);

/* NULL is allowed. */
void fmlp_byte_source_close(fmlp_byte_source *source);

#endif
