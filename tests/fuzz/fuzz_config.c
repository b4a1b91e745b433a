/* Arbitrary bytes as a configuration: the first line holds overrides separated by '|', the rest is the file a
 * run would start from. Nothing may crash or leak; what is accepted must print, read back, and print the
 * same. */
#define _XOPEN_SOURCE 700
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config/config.h"

enum { OVERRIDE_LIMIT = 8, LINE_LIMIT = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64], path[96], option_path[96], resolved_path[96];

static void remove_files(void) {
  char group[96];
  (void)snprintf(group, sizeof group, "%s/bars", folder);
  (void)unlink(path);
  (void)unlink(option_path);
  (void)unlink(resolved_path);
  (void)rmdir(group);
  (void)rmdir(folder);
}

static void make_folder(void) {
  (void)snprintf(folder, sizeof folder, "/tmp/fmlp_fuzz_XXXXXX");
  if (!mkdtemp(folder) || chdir(folder) != 0 || mkdir("bars", 0755) != 0) abort();
  (void)snprintf(path, sizeof path, "%s/config.yaml", folder);
  (void)snprintf(option_path, sizeof option_path, "%s/bars/x.yaml", folder);
  (void)snprintf(resolved_path, sizeof resolved_path, "%s/resolved.yaml", folder);
  (void)atexit(remove_files);
}

static void write_file(const char *name, const void *bytes, size_t count) {
  FILE *file = fopen(name, "wb");
  if (!file || fwrite(bytes, 1, count, file) != count || fclose(file) != 0) abort();
}

static fmlp_status load(const char *file, int32_t count, const char *const *overrides, fmlp_config **config) {
  fmlp_error error = {""};
  fmlp_config_request request = {.config_dir = file ? FMLP_SOURCE_DIR "/configs" : folder,
                                 .base_file = file,
                                 .allow_missing = true,
                                 .override_count = count,
                                 .overrides = overrides};
  fmlp_status status = fmlp_config_load(&request, config, &error);
  if (status != FMLP_OK && (error.text[0] == '\0' || strchr(error.text, '\n'))) abort();
  return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!folder[0]) make_folder();
  char line[LINE_LIMIT];
  const uint8_t *newline = memchr(data, '\n', size);
  size_t length = newline ? (size_t)(newline - data) : 0;
  size_t kept = length < sizeof line - 1 ? length : sizeof line - 1;
  if (kept > 0) memcpy(line, data, kept);
  line[kept] = '\0';
  const char *overrides[OVERRIDE_LIMIT];
  int32_t count = 0;
  for (char *part = strtok(line, "|"); part && count < OVERRIDE_LIMIT; part = strtok(NULL, "|")) {
    overrides[count++] = part;
  }
  size_t skipped = newline ? length + 1 : 0;
  write_file(path, data + skipped, size - skipped);
  bool composed = line[0] == '#';
  if (composed) write_file(option_path, data + skipped, size - skipped);
  const char *const *given = overrides + (composed && count > 0 ? 1 : 0);
  if (composed && count > 0) count--;

  int32_t job_count = 0;
  char ***jobs = NULL;
  fmlp_error error = {""};
  if (count <= 2 && fmlp_config_sweep(count, given, &job_count, &jobs, &error) == FMLP_OK) {
    fmlp_config_sweep_free(job_count, count, jobs);
  }
  fmlp_config *first = NULL, *second = NULL;
  if (load(composed ? NULL : path, count, given, &first) != FMLP_OK) return 0;
  const char *text = fmlp_config_yaml(first);
  const char *run_dir = fmlp_config_settings(first)->run_dir;
  write_file(resolved_path, text, strlen(text));
  if (!run_dir &&
      (load(resolved_path, 0, NULL, &second) != FMLP_OK || strcmp(text, fmlp_config_yaml(second)) != 0)) {
    (void)fprintf(stderr, "printed:\n%s\nread back:\n%s\n", text,
                  second ? fmlp_config_yaml(second) : "refused");
    abort();
  }
  fmlp_config_free(second);
  fmlp_config_free(first);
  return 0;
}
