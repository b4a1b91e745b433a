/* The columns that a run takes from a finished one must still be what that one wrote: a flipped bit in a
 * stored time would otherwise become a wrong trade. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/io/columns.h"
#include "common/pipeline_manifest.h"

enum { PATH_CAPACITY = 4096 };

static fmlp_status check_column(const char *run, const char *name, const char *expected, fmlp_error *error) {
  char path[PATH_CAPACITY], found[40];
  int length = snprintf(path, sizeof path, "%s/%s.npy", run, name);
  if (length < 0 || (size_t)length >= sizeof path || strstr(name, "..")) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s/manifest.json: \"%.100s\" is no column of a run", run, name);
  }
  fmlp_type type = FMLP_INT8;
  int64_t rows = 0;
  void *data = NULL;
  FMLP_TRY(fmlp_npy_read(path, &type, &rows, &data, error));
  fmlp_hash128 hash = fmlp_hash(data, rows * fmlp_type_size(type));
  fmlp_free(data);
  (void)snprintf(found, sizeof found, "%016llx%016llx", (unsigned long long)hash.high,
                 (unsigned long long)hash.low);
  if (strcmp(found, expected) == 0) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_INPUT,
                   "%s: not what the run wrote (XXH3 %s, manifest.json says %s); run that stage again", path,
                   found, expected);
}

static fmlp_status check_group(const json_t *columns, const char *run, const char *group, fmlp_error *error) {
  size_t index, length = strlen(group), checked = 0;
  const json_t *column = NULL;
  json_array_foreach(columns, index, column) {
    const char *name = json_string_value(json_object_get(column, "column"));
    const char *expected = json_string_value(json_object_get(column, "xxh3_128"));
    if (!name || !expected || strncmp(name, group, length) != 0 || name[length] != '/') continue;
    FMLP_TRY(check_column(run, name, expected, error));
    checked++;
  }
  if (checked > 0) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_INPUT, "%s: holds no %s; give a run that computed them, or run all stages",
                   run, group);
}

fmlp_status fmlp_manifest_check_columns(const char *run, const char *group, fmlp_error *error) {
  char path[FMLP_MANIFEST_PATH];
  json_t *manifest = NULL;
  FMLP_TRY(fmlp_manifest_open(run, path, &manifest, error));
  fmlp_status status = check_group(json_object_get(manifest, "columns"), run, group, error);
  json_decref(manifest);
  return status;
}
