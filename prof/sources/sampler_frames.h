/* Addresses of the program's text as functions, files and lines: by libdw (elfutils) where this machine has
 * it, loaded when it is first needed; without it by the dynamic linker's names, and no lines. */
#ifndef FMLP_PROF_SOURCES_SAMPLER_FRAMES_H
#define FMLP_PROF_SOURCES_SAMPLER_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

enum { FMLP_FRAME_INLINES = 8 };

typedef struct fmlp_frame_finder fmlp_frame_finder;

typedef struct fmlp_frame_place {
  const char *function; /* where it has no name: its module's; never NULL */
  const char *file;     /* NULL unknown; of the program's own sources: relative to their root */
  int line;             /* 0 unknown */
  uint64_t address;     /* within its module: the same in every run */
} fmlp_frame_place;

/* NULL when memory runs out. */
fmlp_frame_finder *fmlp_frames_open(void);
void fmlp_frames_close(fmlp_frame_finder *finder);

/* The place of an address, before it those that were made part of it by the optimiser, innermost first: each
 * has its function and line, as if it had been called. 0 when the address is in no text that is loaded. The
 * strings last until the next call. */
int32_t fmlp_frames_find(fmlp_frame_finder *finder, uint64_t address,
                         fmlp_frame_place places[FMLP_FRAME_INLINES]);

/* For code of a library at `address`, that keeps no frame pointer: how far above the stack pointer (bytes)
 * its return address is, as the library's tables for exceptions say. -1 where they do not, and for the
 * program's own code, which has frame pointers. Needs libdw. */
int64_t fmlp_frames_caller(fmlp_frame_finder *finder, uint64_t address);

/* False where lines cannot be had. */
bool fmlp_frames_have_lines(const fmlp_frame_finder *finder);

#endif
