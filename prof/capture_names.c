/* The names of a capture: found by hash, because a source may ask for one with every record. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

#include "prof/capture.h"

enum { FIRST_PLACES = 64 };

/* FNV-1a */
static uint64_t hash(const char *text) {
  uint64_t sum = UINT64_C(0xcbf29ce484222325);
  for (; *text; text++) sum = (sum ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
  return sum ^ sum >> 32;
}

/* Where `text` stands in the table, or may be put: an empty place holds -1. */
static int32_t *place_of(const fmlp_capture *capture, const char *text) {
  const uint64_t mask = (uint64_t)capture->name_place_count - 1;
  uint64_t at = hash(text) & mask;
  while (capture->name_places[at] >= 0 && strcmp(capture->names[capture->name_places[at]], text) != 0)
    at = (at + 1) & mask;
  return &capture->name_places[at];
}

/* A table of twice the size that is needed, with all names in it: also those that a reader put there itself.
 */
static bool make_places(fmlp_capture *capture) {
  int32_t count = FIRST_PLACES;
  while (count < INT32_MAX / 2 && count / 4 < capture->name_count) count *= 2;
  int32_t *places = malloc((size_t)count * sizeof *places);
  if (!places) return false;
  memset(places, 0xff, (size_t)count * sizeof *places); /* -1 each */
  free(capture->name_places);
  capture->name_places = places;
  capture->name_place_count = count;
  for (int32_t i = 0; i < capture->name_count; i++) {
    int32_t *place = place_of(capture, capture->names[i]);
    if (*place < 0) *place = i; /* the first of equal ones */
  }
  capture->names_placed = capture->name_count;
  return true;
}

int32_t fmlp_capture_name(fmlp_capture *capture, const char *text) {
  const bool stale = capture->names_placed != capture->name_count;
  if ((stale || capture->name_count >= capture->name_place_count / 2) && !make_places(capture)) return -1;
  int32_t *place = place_of(capture, text);
  if (*place >= 0) return *place;
  char **moved = capture->names;
  if (stale ||
      (capture->name_count & (capture->name_count + 1)) == 0) /* 0, 1, 3, 7, ...: room for twice as many */
    moved = realloc(capture->names, (2 * (size_t)capture->name_count + 1) * sizeof *moved);
  if (!moved) return -1;
  capture->names = moved;
  char *own = strdup(text);
  if (!own) return -1;
  capture->names[capture->name_count] = own;
  capture->names_placed = capture->name_count + 1;
  return *place = capture->name_count++;
}
