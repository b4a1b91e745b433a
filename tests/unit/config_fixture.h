/* Folders of configuration files made for one test, and short ways to load them. */
#ifndef FMLP_TESTS_UNIT_CONFIG_FIXTURE_H
#define FMLP_TESTS_UNIT_CONFIG_FIXTURE_H

#include "tests/cmocka_fmlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config/config.h"

enum { MOST_OVERRIDES = 16 };

static char fixture_dir[256]; /* of the current test */

static inline int fixture_setup(void **state) {
  (void)state;
  (void)snprintf(fixture_dir, sizeof fixture_dir, "/tmp/fmlp_config_XXXXXX");
  return mkdtemp(fixture_dir) && chdir("/") == 0 ? 0 : -1; /* away from any ./configs */
}

static inline int fixture_teardown(void **state) {
  (void)state;
  char command[300];
  (void)snprintf(command, sizeof command, "rm -rf '%s'", fixture_dir);
  return system(command) == 0 ? 0 : -1;
}

static inline void put(const char *relative, const char *text) {
  char path[512];
  (void)snprintf(path, sizeof path, "%s/%s", fixture_dir, relative);
  for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    (void)mkdir(path, 0755);
    *slash = '/';
  }
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

/* Loads fixture_dir/config.yaml with overrides separated by '|'. */
static inline fmlp_status load_from(const char *dir, const char *overrides, bool allow_missing,
                                    fmlp_config **config, fmlp_error *error) {
  static char copy[4096];
  const char *list[MOST_OVERRIDES];
  int32_t count = 0;
  (void)snprintf(copy, sizeof copy, "%s", overrides);
  for (char *part = strtok(copy, "|"); part; part = strtok(NULL, "|")) list[count++] = part;
  fmlp_config_request request = {
      .config_dir = dir, .override_count = count, .overrides = list, .allow_missing = allow_missing};
  return fmlp_config_load(&request, config, error);
}

static inline fmlp_config *loaded(const char *overrides) {
  fmlp_config *config = NULL;
  fmlp_error error = {""};
  fmlp_status status = load_from(fixture_dir, overrides, true, &config, &error);
  if (status != FMLP_OK) fail_msg("%s", error.text);
  return config;
}

/* The text without the fixture's folder, which has another name each time. */
static inline const char *without_dir(char *text) {
  size_t length = strlen(fixture_dir);
  for (char *at = strstr(text, fixture_dir); at; at = strstr(at, fixture_dir)) {
    memmove(at, at + length + 1, strlen(at + length + 1) + 1);
  }
  return text;
}

static inline void assert_refused(const char *overrides, const char *message) {
  fmlp_config *config = NULL;
  fmlp_error error = {""};
  assert_int_equal(load_from(fixture_dir, overrides, true, &config, &error), FMLP_ERR_USAGE);
  assert_null(config);
  assert_string_equal(without_dir(error.text), message);
}

#endif
