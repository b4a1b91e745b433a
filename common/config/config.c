/* The configuration of a run: defaults of the schema, under the composed files, under the overrides;
 * interpolated, typed, checked, and printed back. */
#define _POSIX_C_SOURCE 200809L
#include "common/config/config.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/config/compose.h"
#include "common/config/interpolate.h"
#include "common/config/node.h"
#include "common/config/override.h"
#include "common/config/schema.h"
#include "common/config/search.h"
#include "common/config/yaml.h"
#include "common/core/memory.h"
#include "prof/span.h"

struct fmlp_config {
  fmlp_arena arena;
  fmlp_settings settings;
  fmlp_yaml_text yaml;
  fmlp_yaml_text overrides;
  const char *run_dir;
  const char **idle;
  int32_t idle_count;
};

static fmlp_status apply_overrides(fmlp_arena *arena, fmlp_node *root, fmlp_node *defaults,
                                   const fmlp_override *overrides, int32_t count, fmlp_error *error) {
  for (int32_t i = 0; i < count; i++) {
    if (!overrides[i].is_group) FMLP_TRY(fmlp_override_apply(arena, root, defaults, &overrides[i], error));
  }
  return FMLP_OK;
}

/* Where the keys come from; then the overrides that are no group choices. */
static fmlp_status build_tree(fmlp_arena *arena, const fmlp_config_request *request, fmlp_node *root,
                              fmlp_node *defaults, fmlp_error *error) {
  fmlp_search search;
  FMLP_TRY(fmlp_search_open(arena, request->config_dir, &search, error));
  int32_t count = request->override_count;
  fmlp_override *overrides = fmlp_arena_take(arena, sizeof *overrides * (size_t)(count + 1));
  if (!overrides) return FMLP_ERR_OTHER;
  for (int32_t i = 0; i < count; i++) {
    FMLP_TRY(fmlp_override_parse(arena, &search, request->overrides[i], &overrides[i], error));
  }
  if (request->base_file) {
    FMLP_TRY(
        fmlp_compose_from_file(arena, &search, request->base_file, overrides, count, root, defaults, error));
    fmlp_node *dir = fmlp_node_find(root, "run.dir"); /* a run never writes over the one it starts from */
    if (dir) fmlp_node_assign(dir, &(fmlp_node){.kind = FMLP_NODE_SCALAR, .text = "null"});
  } else {
    const char *name = request->config_name ? request->config_name : "config";
    FMLP_TRY(fmlp_compose(arena, &search, name, overrides, count, root, error));
  }
  return apply_overrides(arena, root, defaults, overrides, count, error);
}

/* runs/<date>/<time>_<name>, with _2, _3, ... while such a folder exists. */
static const char *default_run_dir(fmlp_arena *arena, const char *name, time_t now) {
  struct tm local;
  char moment[64];
  if (!localtime_r(&now, &local)) return fmlp_arena_print(arena, "runs/unknown/%s", name);
  (void)strftime(moment, sizeof moment, "runs/%Y-%m-%d/%H-%M-%S", &local);
  const char *path = fmlp_arena_print(arena, "%s_%s", moment, name);
  for (int number = 2; path && access(path, F_OK) == 0 && number < 1000; number++) {
    path = fmlp_arena_print(arena, "%s_%s_%d", moment, name, number);
  }
  return path;
}

static fmlp_status print_overrides(fmlp_config *config, const fmlp_config_request *request,
                                   fmlp_error *error) {
  fmlp_node *list = fmlp_node_create(&config->arena, FMLP_NODE_LIST, NULL);
  for (int32_t i = 0; list && i < request->override_count; i++) {
    const char *text = fmlp_arena_copy(&config->arena, request->overrides[i], strlen(request->overrides[i]));
    fmlp_node *node = fmlp_node_scalar(&config->arena, text, true, NULL);
    if (!node) return FMLP_ERR_OTHER;
    fmlp_node_append(list, node);
  }
  if (!list) return FMLP_ERR_OTHER;
  FMLP_TRY(fmlp_yaml_write(&config->overrides, list, 0, error));
  return list->first ? FMLP_OK : fmlp_yaml_append(&config->overrides, error, "\n");
}

static fmlp_status load(fmlp_config *config, const fmlp_config_request *request, fmlp_error *error) {
  fmlp_arena *arena = &config->arena;
  time_t now = time(NULL);
  fmlp_node *root = fmlp_schema_defaults(arena);
  fmlp_node *defaults = root ? fmlp_schema_defaults(arena) : NULL;
  if (!defaults) return FMLP_ERR_OTHER;
  FMLP_TRY(build_tree(arena, request, root, defaults, error));
  FMLP_TRY(fmlp_interpolate(arena, root, now, error));
  FMLP_TRY(fmlp_schema_read(arena, root, request->allow_missing, &config->settings, error));
  FMLP_TRY(fmlp_schema_find_idle(arena, root, &config->idle, &config->idle_count));
  FMLP_TRY(fmlp_yaml_write(&config->yaml, root, 0, error));
  FMLP_TRY(print_overrides(config, request, error));
  config->run_dir = config->settings.run_dir ? config->settings.run_dir
                                             : default_run_dir(arena, config->settings.experiment_name, now);
  return config->run_dir ? FMLP_OK : FMLP_ERR_OTHER;
}

fmlp_status fmlp_config_load(const fmlp_config_request *request, fmlp_config **config, fmlp_error *error) {
  FMLP_SPAN("config");
  *config = NULL;
  fmlp_error unseen = {""};
  if (!error) error = &unseen;
  fmlp_config *loaded = NULL;
  FMLP_TRY(fmlp_alloc_zero(&loaded, 1, sizeof *loaded, "configuration", error));
  loaded->arena.error = error;
  fmlp_status status = load(loaded, request, error);
  loaded->arena.error = NULL;
  if (status != FMLP_OK) {
    fmlp_config_free(loaded);
    return status;
  }
  *config = loaded;
  return FMLP_OK;
}

void fmlp_config_free(fmlp_config *config) {
  if (!config) return;
  fmlp_free(config->yaml.bytes);
  fmlp_free(config->overrides.bytes);
  fmlp_arena_release(&config->arena);
  fmlp_free(config);
}

const fmlp_settings *fmlp_config_settings(const fmlp_config *config) {
  return &config->settings;
}

const char *const *fmlp_config_idle_keys(const fmlp_config *config, int32_t *count) {
  *count = config->idle_count;
  return config->idle;
}

const char *fmlp_config_yaml(const fmlp_config *config) {
  return config->yaml.bytes;
}

const char *fmlp_config_overrides_yaml(const fmlp_config *config) {
  return config->overrides.bytes;
}

const char *fmlp_config_run_dir(const fmlp_config *config) {
  return config->run_dir;
}
