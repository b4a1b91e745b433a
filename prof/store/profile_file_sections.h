/* Reading the sections of a profile file (profile_file.h), for profile_file_read.c alone. */
#ifndef FMLP_PROF_STORE_PROFILE_FILE_SECTIONS_H
#define FMLP_PROF_STORE_PROFILE_FILE_SECTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "prof/capture.h"

/* Bytes being read; `bad` once a number or a text was none, or memory ran out. */
typedef struct fmlp_profile_cursor {
  const uint8_t *at, *end;
  bool bad;
} fmlp_profile_cursor;

/* A number from 0 to `most`. */
int64_t fmlp_profile_take(fmlp_profile_cursor *from, int64_t most);

/* A text; the caller frees it. NULL when it is none. */
char *fmlp_profile_take_text(fmlp_profile_cursor *from);

enum { FMLP_PROFILE_SECTIONS = 12 };

/* A capture's sections in their order. `take` fills the part of the capture that it is about, which is empty
 * before. */
typedef struct fmlp_profile_section {
  char tag[5];
  const char *what;
  void (*take)(fmlp_profile_cursor *from, fmlp_capture *capture);
} fmlp_profile_section;

extern const fmlp_profile_section fmlp_profile_sections[FMLP_PROFILE_SECTIONS];

#endif
