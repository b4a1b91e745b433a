/* FMLP_SIMT_* of the environment. */
#include "tests/simt/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace {

/* "64M", "7" at `text`, up to the end of the text or a comma; false when it is none. */
bool number(const char *text, int64_t *value, const char **end) {
  char *behind;
  if (*text < '0' || *text > '9') return false;
  const unsigned long long read = strtoull(text, &behind, 10);
  int shift = 0;
  if (*behind == 'K') shift = 10;
  if (*behind == 'M') shift = 20;
  if (*behind == 'G') shift = 30;
  if (shift > 0) behind++;
  *end = behind;
  *value = (int64_t)(read << shift);
  return *behind == '\0' || *behind == ',';
}

bool one(const char *name, int64_t *value, char *reason, size_t capacity) {
  const char *text = getenv(name), *end;
  int64_t read = 0;
  if (!text || !*text) return true;
  if (!number(text, &read, &end) || *end) {
    (void)snprintf(reason, capacity, "%s=%s: a number", name, text);
    return false;
  }
  if (*value == 0) *value = read;
  return true;
}

bool faults(fmlp_simt_setup *setup, const char *text, char *reason, size_t capacity) {
  const struct {
    const char *name;
    int64_t *value;
  } known[] = {
      {"fail_allocation", &setup->fail_allocation}, {"fail_allocation_from", &setup->fail_allocation_from},
      {"fail_pinned", &setup->fail_pinned},         {"fail_launch", &setup->fail_launch},
      {"fail_kernel", &setup->fail_kernel},         {"lose_device", &setup->lose_device},
      {"open_fails", &setup->open_fails},           {"absent", &setup->absent}};
  for (const char *at = text; *at;) {
    const size_t length = strcspn(at, "=");
    int64_t value = 0;
    const char *end = at;
    bool found = false;
    for (const auto &it : known) {
      if (strlen(it.name) != length || strncmp(it.name, at, length) != 0) continue;
      found = at[length] == '=' && number(at + length + 1, &value, &end);
      if (found && *it.value == 0) *it.value = value;
    }
    if (!found) {
      (void)snprintf(reason, capacity, "FMLP_SIMT_FAULT: %s: a fault of tests/simt/runtime.h and a number",
                     at);
      return false;
    }
    at = *end == ',' ? end + 1 : end;
  }
  return true;
}

} // namespace

bool fmlp_simt_settings_from_environment(fmlp_simt_setup *setup, char *reason, size_t capacity) {
  int64_t seed = (int64_t)setup->seed;
  if (!one("FMLP_SIMT_SEED", &seed, reason, capacity)) return false;
  setup->seed = (uint64_t)seed;
  if (!one("FMLP_SIMT_MEMORY", &setup->memory, reason, capacity)) return false;
  if (!one("FMLP_SIMT_SHARED", &setup->shared_per_block, reason, capacity)) return false;
  const char *checks = getenv("FMLP_SIMT_CHECKS");
  if (checks && strcmp(checks, "off") == 0) setup->unchecked = 1;
  const char *text = getenv("FMLP_SIMT_FAULT");
  return !text || faults(setup, text, reason, capacity);
}
