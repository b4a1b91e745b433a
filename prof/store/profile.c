/* Profiles in memory, and which reader a file needs. */
#define _POSIX_C_SOURCE 200809L
#include "prof/store/profile.h"

#include <stdlib.h>
#include <string.h>

#include "prof/store/profile_json_read.h"

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

fmlp_profile *fmlp_profile_load(const char *path, char *message, int64_t capacity) {
  fmlp_capture *capture = fmlp_profile_json_read(path, message, capacity);
  if (!capture) return NULL;
  fmlp_profile *profile = fmlp_profile_create();
  if (profile && fmlp_profile_add(profile, capture)) return profile;
  if (!profile) fmlp_capture_free(capture);
  fmlp_profile_free(profile);
  if (capacity > 0) message[0] = '\0';
  (void)strncat(message, "out of memory", capacity > 0 ? (size_t)capacity - 1 : 0);
  return NULL;
}
