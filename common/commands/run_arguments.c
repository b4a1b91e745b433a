/* One table of options: what parsing takes and --help prints. */
#include "common/commands/run_arguments.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config/schema.h"
#include "common/core/memory.h"
#include "common/core/nearest.h"

typedef enum option_kind { OPTION_FLAG, OPTION_VALUE, OPTION_DEVICE, OPTION_CFG, OPTION_COUNT } option_kind;

typedef struct option {
  const char *name;
  const char *alias; /* as Hydra abbreviates it, or NULL */
  option_kind kind;
  size_t offset; /* in fmlp_run_arguments: bool for flags, const char * for values */
  const char *usage;
  const char *help;
  bool run_only; /* means nothing to verify */
} option;

#define AT(member) offsetof(fmlp_run_arguments, member)

static const option options[] = {
    {"--config-dir", "-cd", OPTION_VALUE, AT(config_dir), "--config-dir DIR",
     "look for configuration files here first (then ./configs, then beside the program)", false},
    {"--config-name", "-cn", OPTION_VALUE, AT(config_name), "--config-name NAME",
     "the primary file, NAME.yaml (config)", false},
    {"--cfg", "-c", OPTION_CFG, AT(print_config), "--cfg [job]", "print the resolved configuration and stop",
     true},
    {"--device", NULL, OPTION_DEVICE, 0, "--device DEVICE",
     "auto, cpu, cuda, cuda:N; the same as runtime.device=DEVICE", true},
    {"--stages", NULL, OPTION_VALUE, AT(stages), "--stages A,B",
     "only these stages, of those fmlp run --help lists", false},
    {"--from", NULL, OPTION_VALUE, AT(from), "--from RUN",
     "start from a finished run: its configuration, and its results for the stages not listed", true},
    {"--repeat", NULL, OPTION_COUNT, AT(repeats), "--repeat N",
     "the same N times: one folder, a profile with all times, outputs compared", true},
    {"--multirun", "-m", OPTION_FLAG, AT(multirun), "-m, --multirun",
     "sweep: a=1,2 b=choice(x,y) c=range(1,4) runs every combination", true},
    {"--help", "-h", OPTION_FLAG, AT(help), "-h, --help", "this text", false},
    {"--help-keys", NULL, OPTION_FLAG, AT(help_keys), "--help-keys",
     "every key of the configuration, with its meaning", true},
};
enum { OPTIONS = sizeof options / sizeof *options, MOST_REPEATS = 10000 };

static fmlp_status make_device_override(char *text, size_t capacity, const char *who, const char *device,
                                        fmlp_error *error) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_-";
  if (device[0] == '\0' || strlen(device) > 60 || strspn(device, allowed) != strlen(device)) {
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "%s '%s': not the name of a device; there are auto, cpu, cuda, cuda:N", who, device);
  }
  (void)snprintf(text, capacity, "runtime.device=%s", device);
  return FMLP_OK;
}

static fmlp_status unknown_option(const char *command, const char *text, fmlp_error *error) {
  const char *names[OPTIONS];
  for (int i = 0; i < OPTIONS; i++) names[i] = options[i].name;
  const char *near = fmlp_nearest(text, OPTIONS, names);
  if (near) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "%s: unknown option %s; did you mean %s?", command, text, near);
  }
  return fmlp_fail(error, FMLP_ERR_USAGE, "%s: unknown option %s; see fmlp %s --help", command, text,
                   command);
}

static const option *find_option(const char *text, size_t length) {
  for (int i = 0; i < OPTIONS; i++) {
    const char *names[] = {options[i].name, options[i].alias};
    for (int n = 0; n < 2; n++) {
      if (names[n] && strlen(names[n]) == length && strncmp(names[n], text, length) == 0) return &options[i];
    }
  }
  return NULL;
}

static fmlp_status take_count(const char *name, const char *value, int32_t *count, fmlp_error *error) {
  char *end = NULL;
  errno = 0;
  const long number = strtol(value, &end, 10);
  if (errno != 0 || end == value || *end != '\0' || number < 1 || number > MOST_REPEATS) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "%s %s: not a whole number from 1 to %d", name, value,
                     MOST_REPEATS);
  }
  *count = (int32_t)number;
  return FMLP_OK;
}

/* Takes option number `*index`; moves `*index` over its value. */
static fmlp_status take_option(int count, char **arguments, int *index, fmlp_run_arguments *parsed,
                               fmlp_error *error) {
  const char *text = arguments[*index];
  size_t length = strcspn(text, "=");
  const option *one = find_option(text, length);
  if (!one) return unknown_option(arguments[0], text, error);
  char *base = (char *)parsed;
  bool yes = true;
  const char *value = text[length] == '=' ? text + length + 1 : NULL;
  if (one->kind == OPTION_FLAG || one->kind == OPTION_CFG) {
    const char *next = *index + 1 < count ? arguments[*index + 1] : "";
    if (value && one->kind == OPTION_FLAG) {
      return fmlp_fail(error, FMLP_ERR_USAGE, "%s: %s takes no value", arguments[0], one->name);
    }
    if (one->kind == OPTION_CFG && !value && strcmp(next, "job") == 0) (*index)++;
    if (one->kind == OPTION_CFG && value && strcmp(value, "job") != 0) {
      return fmlp_fail(error, FMLP_ERR_USAGE, "%s: --cfg prints the job's configuration; there is no '%s'",
                       arguments[0], value);
    }
    memcpy(base + one->offset, &yes, sizeof yes);
    return FMLP_OK;
  }
  if (!value && *index + 1 == count) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "%s: %s needs a value; see fmlp %s --help", arguments[0],
                     one->name, arguments[0]);
  }
  if (!value) value = arguments[++*index];
  if (one->kind == OPTION_DEVICE) {
    return make_device_override(parsed->device_override, sizeof parsed->device_override, "--device", value,
                                error);
  }
  if (one->kind == OPTION_COUNT) return take_count(one->name, value, &parsed->repeats, error);
  memcpy(base + one->offset, &value, sizeof value);
  return FMLP_OK;
}

fmlp_status fmlp_run_arguments_parse(int argument_count, char **arguments, fmlp_run_arguments *parsed,
                                     fmlp_error *error) {
  memset(parsed, 0, sizeof *parsed);
  parsed->repeats = 1;
  FMLP_TRY(fmlp_alloc(&parsed->overrides, argument_count + 2, sizeof *parsed->overrides, "arguments", error));
  const char *device = getenv("FMLP_DEVICE");
  fmlp_status status = FMLP_OK;
  if (device && device[0]) {
    status = make_device_override(parsed->environment_override, sizeof parsed->environment_override,
                                  "FMLP_DEVICE", device, error);
    parsed->overrides[parsed->override_count++] = parsed->environment_override;
  }
  bool options_over = false;
  for (int i = 1; i < argument_count && status == FMLP_OK; i++) {
    if (!options_over && strcmp(arguments[i], "--") == 0) {
      options_over = true;
    } else if (!options_over && arguments[i][0] == '-') {
      status = take_option(argument_count, arguments, &i, parsed, error);
    } else {
      parsed->overrides[parsed->override_count++] = arguments[i];
    }
  }
  if (parsed->device_override[0]) parsed->overrides[parsed->override_count++] = parsed->device_override;
  if (status != FMLP_OK) fmlp_run_arguments_release(parsed);
  return status;
}

void fmlp_run_arguments_release(fmlp_run_arguments *parsed) {
  fmlp_free(parsed->overrides);
  parsed->overrides = NULL;
  parsed->override_count = 0;
}

void fmlp_run_arguments_help(bool verify) {
  for (int i = 0; i < OPTIONS; i++) {
    if (!verify || !options[i].run_only) printf("  %-20s %s\n", options[i].usage, options[i].help);
  }
}

/* "tick|volume|..." or "number > 0". */
static void print_values(const fmlp_schema_row *row) {
  for (int i = 0; row->names && row->names[i]; i++) printf("%s%s", i ? "|" : "", row->names[i]);
  if (row->names) return;
  static const char *const kinds[] = {[FMLP_KEY_BOOL] = "true|false",
                                      [FMLP_KEY_INT32] = "whole number",
                                      [FMLP_KEY_INT64] = "whole number",
                                      [FMLP_KEY_UINT64] = "whole number",
                                      [FMLP_KEY_DOUBLE] = "number",
                                      [FMLP_KEY_STRING] = "text",
                                      [FMLP_KEY_TIME] = "HH:MM",
                                      [FMLP_KEY_DECIMAL] = "number",
                                      [FMLP_KEY_AUTO_DECIMAL] = "auto|number",
                                      [FMLP_KEY_AUTO_DIGITS] = "auto|whole number",
                                      [FMLP_KEY_MAX_FEATURES] = "sqrt|log2|all|number",
                                      [FMLP_KEY_STRINGS] = "list of texts",
                                      [FMLP_KEY_PLAN] = "list of mappings",
                                      [FMLP_KEY_FREE] = "mapping"};
  printf("%s", kinds[row->type]);
  bool bounded = row->max > row->min && row->type != FMLP_KEY_TIME;
  if (bounded) printf(" %s %g", row->flags & FMLP_KEY_MIN_OPEN ? ">" : ">=", row->min);
  if (bounded && row->max < 2147483647.0) printf(", <= %g", row->max);
  if (row->flags & (FMLP_KEY_NULL | FMLP_KEY_NULL_OFF)) printf("|null");
}

void fmlp_run_arguments_help_keys(void) {
  for (int32_t i = 0; i < fmlp_schema_count; i++) {
    const fmlp_schema_row *row = &fmlp_schema[i];
    printf("%s=%s\n    ", row->path, row->initial);
    print_values(row);
    printf("\n    %s%s\n", row->doc, row->flags & FMLP_KEY_LATER ? " (not available in this version)" : "");
  }
}

fmlp_status fmlp_run_arguments_load(const fmlp_run_arguments *parsed, const char *const *overrides,
                                    fmlp_config **config, fmlp_error *error) {
  char path[4096];
  fmlp_config_request request = {.config_dir = parsed->config_dir,
                                 .config_name = parsed->config_name,
                                 .allow_missing = parsed->print_config,
                                 .override_count = parsed->override_count,
                                 .overrides = overrides ? overrides : parsed->overrides};
  *config = NULL;
  if (parsed->from) {
    int length = snprintf(path, sizeof path, "%s/config.yaml", parsed->from);
    if (length < 0 || (size_t)length >= sizeof path) {
      return fmlp_fail(error, FMLP_ERR_INPUT, "--from %s: the path is too long", parsed->from);
    }
    if (access(path, R_OK) != 0) {
      return fmlp_fail(error, FMLP_ERR_INPUT, "--from %s: not the folder of a finished run (config.yaml: %s)",
                       parsed->from, strerror(errno));
    }
    request.base_file = path;
  }
  return fmlp_config_load(&request, config, error);
}
