/* CUPTI's buffers in a file, for tests that have no GPU: tests/gpu/run keeps those of a real one. Numbers are
 * the machine's own. The file is a line "FMLPCUPTI1\n" and then, as often as there are buffers,
 *
 *   N address length text    u64, u64, bytes: a name that records of the next buffer point at
 *   B size count offsets     u64, u64, u64 [count]: where its records begin; then its bytes */
#ifndef FMLP_PROF_SOURCES_CUPTI_DUMP_H
#define FMLP_PROF_SOURCES_CUPTI_DUMP_H

#include <stddef.h>
#include <stdint.h>

#include "prof/sources/cupti_api.h"

typedef struct fmlp_cupti_dump fmlp_cupti_dump;

/* NULL when the file cannot be made. Closing NULL does nothing. */
fmlp_cupti_dump *fmlp_cupti_dump_open(const char *path);
void fmlp_cupti_dump_close(fmlp_cupti_dump *dump);

/* Before the buffer is read: reading frees what records own. */
void fmlp_cupti_dump_buffer(fmlp_cupti_dump *dump, const fmlp_cupti_api *api, uint8_t *buffer, size_t valid);

#endif
