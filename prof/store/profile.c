/* Profiles in memory, and which reader a file needs. */
#define _POSIX_C_SOURCE 200809L
#include "prof/store/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prof/store/profile_file.h"
#include "prof/store/profile_json_read.h"
#include "prof/store/whole_file.h"

fmlp_profile *fmlp_profile_create(void) {
  return calloc(1, sizeof(fmlp_profile));
}

void fmlp_profile_free(fmlp_profile *profile) {
  if (!profile) return;
  for (int32_t i = 0; i < profile->fact_count; i++) {
    free(profile->facts[i].key);
    free(profile->facts[i].value);
  }
  for (int32_t i = 0; i < profile->capture_count; i++) fmlp_capture_free(profile->captures[i]);
  free(profile->facts);
  free(profile->captures);
  free(profile);
}

static fmlp_profile_fact *find(const fmlp_profile *profile, const char *key) {
  for (int32_t i = 0; i < profile->fact_count; i++)
    if (strcmp(profile->facts[i].key, key) == 0) return &profile->facts[i];
  return NULL;
}

bool fmlp_profile_set(fmlp_profile *profile, const char *key, const char *value) {
  fmlp_profile_fact *known = find(profile, key);
  char *own_value = strdup(value);
  if (known && own_value) {
    free(known->value);
    known->value = own_value;
    return true;
  }
  char *own_key = strdup(key);
  fmlp_profile_fact *moved =
      own_key && own_value
          ? realloc(profile->facts, ((size_t)profile->fact_count + 1) * sizeof *profile->facts)
          : NULL;
  if (!moved) {
    free(own_key);
    free(own_value);
    return false;
  }
  profile->facts = moved;
  profile->facts[profile->fact_count++] = (fmlp_profile_fact){own_key, own_value};
  return true;
}

const char *fmlp_profile_get(const fmlp_profile *profile, const char *key) {
  const fmlp_profile_fact *fact = find(profile, key);
  return fact ? fact->value : NULL;
}

bool fmlp_profile_add(fmlp_profile *profile, fmlp_capture *capture) {
  fmlp_capture **moved =
      realloc(profile->captures, ((size_t)profile->capture_count + 1) * sizeof *profile->captures);
  if (!moved) {
    fmlp_capture_free(capture);
    return false;
  }
  profile->captures = moved;
  profile->captures[profile->capture_count++] = capture;
  return true;
}

/* Names that neither a device nor an operation has any more go; the others move up. False when memory runs
 * out. */
static bool keep_used_names(fmlp_capture *capture) {
  int32_t *place = calloc((size_t)capture->name_count + 1, sizeof *place), kept = 0;
  if (!place) return false;
  for (int32_t i = 0; i < capture->device_count; i++) place[capture->devices[i].name] = 1;
  for (int64_t i = 0; i < capture->operation_count; i++) place[capture->operations[i].name] = 1;
  for (int32_t i = 0; i < capture->name_count; i++) {
    if (place[i]) {
      place[i] = kept;
      capture->names[kept++] = capture->names[i];
    } else {
      free(capture->names[i]);
    }
  }
  for (int32_t i = 0; i < capture->device_count; i++)
    capture->devices[i].name = place[capture->devices[i].name];
  for (int64_t i = 0; i < capture->operation_count; i++)
    capture->operations[i].name = place[capture->operations[i].name];
  free(place);
  capture->name_count = kept;
  capture->names_placed = -1; /* to be placed anew */
  return true;
}

bool fmlp_profile_add_repeat(fmlp_profile *profile, fmlp_capture *capture) {
  free(capture->events);
  free(capture->calls);
  free(capture->samples);
  free(capture->frames);
  free(capture->counters);
  capture->events = NULL;
  capture->calls = NULL;
  capture->samples = NULL;
  capture->frames = NULL;
  capture->counters = NULL;
  capture->dropped_events += capture->event_count;
  capture->event_count = capture->call_count = capture->sample_count = 0;
  capture->frame_count = capture->counter_count = 0;
  for (int64_t i = 0; i < capture->operation_count; i++) capture->operations[i].call = -1;
  if (keep_used_names(capture)) return fmlp_profile_add(profile, capture);
  fmlp_capture_free(capture);
  return false;
}

static fmlp_profile *read_json(const uint8_t *bytes, size_t size, const char *path, char *message,
                               int64_t capacity) {
  fmlp_capture *capture = fmlp_profile_json_parse(bytes, size, path, message, capacity);
  if (!capture) return NULL;
  fmlp_profile *profile = fmlp_profile_create();
  if (!profile) fmlp_capture_free(capture);
  if (profile && fmlp_profile_add(profile, capture)) return profile;
  fmlp_profile_free(profile);
  (void)snprintf(message, (size_t)capacity, "%s: out of memory", path);
  return NULL;
}

/* By its first bytes; one that cannot be read may be anything. */
static bool may_be_profile(const char *path) {
  uint8_t start[64] = {0};
  const size_t count = fmlp_whole_file_peek(path, start, sizeof start - 1);
  const size_t blank = strspn((const char *)start, " \t\r\n");
  if (blank == count || start[blank] == '{') return true;
  const size_t compared = count < FMLP_PROFILE_MAGIC_BYTES ? count : FMLP_PROFILE_MAGIC_BYTES;
  return memcmp(start, fmlp_profile_magic, compared) == 0;
}

fmlp_profile *fmlp_profile_load(const char *path, char *message, int64_t capacity) {
  size_t size = 0;
  if (!may_be_profile(path)) { /* before there is memory for all of it */
    (void)snprintf(message, (size_t)capacity, "%s: not a profile of fmlp", path);
    return NULL;
  }
  uint8_t *bytes = fmlp_whole_file_read(path, &size, message, capacity);
  if (!bytes) return NULL;
  /* Anything else than JSON is read as what it should be, and refused as such. */
  const bool json = bytes[strspn((const char *)bytes, " \t\r\n")] == '{';
  fmlp_profile *profile = json ? read_json(bytes, size, path, message, capacity)
                               : fmlp_profile_file_read(bytes, size, path, message, capacity);
  free(bytes);
  return profile;
}
