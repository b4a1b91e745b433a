/* XXH3-128 of bytes that come in pieces. */
#ifndef FMLP_COMMON_IO_HASH_STREAM_H
#define FMLP_COMMON_IO_HASH_STREAM_H

#include <stdint.h>

#include "common/core/memory.h"
#include "common/core/simd.h"
#include "common/io/columns.h"

/* Memory for the state; from fmlp_alloc, for its alignment. */
typedef struct fmlp_hash_stream {
  _Alignas(FMLP_ALIGNMENT) unsigned char state[640];
} fmlp_hash_stream;

/* One level from begin to end (FMLP_SIMD_SELECT). */
FMLP_SIMD_DECLARE(void, fmlp_hash_stream_begin, (fmlp_hash_stream * stream));
FMLP_SIMD_DECLARE(void, fmlp_hash_stream_add, (fmlp_hash_stream * stream, const void *bytes, int64_t count));
FMLP_SIMD_DECLARE(fmlp_hash128, fmlp_hash_stream_end, (const fmlp_hash_stream *stream));

#endif
