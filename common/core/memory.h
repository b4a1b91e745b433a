/* Allocation. Every block is 64-byte aligned (a cache line, an AVX-512 register) and its size
 * overflow-checked. Ownership is the caller's; release with fmlp_free. Contents are uninitialised unless
 * stated. */
#ifndef FMLP_COMMON_CORE_MEMORY_H
#define FMLP_COMMON_CORE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "common/core/status.h"

enum { FMLP_ALIGNMENT = 64 };

/* `*out` gets count * size bytes (at least one line even for 0 elements, so that it is never NULL).
 * On failure `*out` is NULL, FMLP_ERR_OTHER, and `what` names the array in the message. */
FMLP_WARN_UNUSED fmlp_status fmlp_alloc(void *out, int64_t count, size_t size, const char *what,
                                        fmlp_error *error);

/* The same, filled with zero bytes. */
FMLP_WARN_UNUSED fmlp_status fmlp_alloc_zero(void *out, int64_t count, size_t size, const char *what,
                                             fmlp_error *error);

/* Grows or shrinks `*block` to count * size bytes, keeping the first min(old_count, count) elements. Large
 * blocks move by remapping pages, never by holding two copies. On failure `*block` is unchanged and still
 * owned. */
FMLP_WARN_UNUSED fmlp_status fmlp_resize(void *block, int64_t old_count, int64_t count, size_t size,
                                         const char *what, fmlp_error *error);

/* Releases a block from any of the above; NULL is allowed. */
void fmlp_free(void *block);

/* The most bytes all blocks together may have from now on; 0 for no limit. An allocation beyond it fails like
 * one that the system refuses. Memory of libraries (XGBoost, decompression) is not counted. */
void fmlp_memory_limit_set(int64_t bytes);

/* Bytes of all blocks now. */
int64_t fmlp_memory_allocated(void);

/* Tests only: the n-th allocation from now fails (1 = the next one); 0 turns it off. */
void fmlp_memory_fail_at(int64_t nth);

#endif
