/* Sweeps: lists of values in overrides to the cartesian product of jobs, in Hydra's order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/config.h"
#include "common/config/override.h"
#include "common/config/schema.h"
#include "common/core/memory.h"

enum { JOB_LIMIT = 100000, VALUE_LIMIT = 10000 };

/* The values one override takes, as whole override texts. */
typedef struct axis {
  const char **texts;
  int32_t count;
} axis;

static fmlp_status bad(const char *text, const char *what, fmlp_error *error) {
  return fmlp_fail(error, FMLP_ERR_USAGE, "override '%s': %s", text, what);
}

static fmlp_status add_value(fmlp_arena *arena, axis *values, const char *key, size_t key_length,
                             const char *value, size_t length) {
  while (length > 0 && (*value == ' ' || *value == '\t')) value++, length--;
  while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t')) length--;
  const char *text = fmlp_arena_print(arena, "%.*s%.*s", (int)key_length, key, (int)length, value);
  if (!text) return FMLP_ERR_OTHER;
  values->texts[values->count++] = text;
  return FMLP_OK;
}

/* `list` is "a,b,[c,d]": its parts between commas outside brackets. */
static fmlp_status split(fmlp_arena *arena, const char *text, size_t key_length, const char *list,
                         axis *values, fmlp_error *error) {
  for (;;) {
    int64_t span = fmlp_value_span(list, ",");
    if (span < 0) return bad(text, "brackets or quotes do not close", error);
    if (values->count == VALUE_LIMIT) return bad(text, "more than 10000 values", error);
    FMLP_TRY(add_value(arena, values, text, key_length, list, (size_t)span));
    if (list[span] == '\0') return FMLP_OK;
    list += span + 1;
  }
}

/* range(stop), range(start,stop) or range(start,stop,step); stop is left out, as in Python. */
static fmlp_status spread_range(fmlp_arena *arena, const char *text, size_t key_length, const char *arguments,
                                axis *values, fmlp_error *error) {
  double numbers[3] = {0, 0, 1};
  int count = 0;
  for (const char *at = arguments;; at++) {
    size_t length = strcspn(at, ",");
    char part[64];
    fmlp_node node = {.kind = FMLP_NODE_SCALAR, .text = part};
    while (length > 0 && *at == ' ') at++, length--;
    size_t kept = length;
    while (kept > 0 && at[kept - 1] == ' ') kept--;
    if (count == 3 || kept >= sizeof part)
      return bad(text, "range(start,stop,step) takes one to three numbers", error);
    memcpy(part, at, kept);
    part[kept] = '\0';
    if (!fmlp_parse_double(&node, &numbers[count++]))
      return bad(text, "range(start,stop,step) takes numbers", error);
    at += length;
    if (*at == '\0') break;
  }
  if (count == 1) {
    numbers[1] = numbers[0];
    numbers[0] = 0;
  }
  double start = numbers[0], stop = numbers[1], step = numbers[2];
  if (step == 0) return bad(text, "a range with step 0 does not end", error);
  for (int64_t i = 0;; i++) {
    double value = start + (double)i * step;
    if (step > 0 ? value >= stop : value <= stop) return FMLP_OK;
    if (values->count == VALUE_LIMIT) return bad(text, "more than 10000 values", error);
    char number[40];
    (void)snprintf(number, sizeof number, "%.15g", value);
    FMLP_TRY(add_value(arena, values, text, key_length, number, strlen(number)));
  }
}

static fmlp_status spread(fmlp_arena *arena, const char *text, axis *values, fmlp_error *error) {
  values->texts = fmlp_arena_take(arena, sizeof *values->texts * (VALUE_LIMIT + 1));
  if (!values->texts) return FMLP_ERR_OTHER;
  int64_t equals = fmlp_override_equals(text);
  if (equals < 0 || text[0] == '~') {
    values->texts[values->count++] = text;
    return FMLP_OK;
  }
  size_t key_length = (size_t)equals + 1, length = strlen(text + key_length);
  const char *value = text + key_length;
  bool call = length >= 7 && value[length - 1] == ')';
  fmlp_status status = FMLP_OK;
  if (call && strncmp(value, "choice(", 7) == 0) {
    const char *inner = fmlp_arena_copy(arena, value + 7, length - 8);
    status = inner ? split(arena, text, key_length, inner, values, error) : FMLP_ERR_OTHER;
  } else if (call && strncmp(value, "range(", 6) == 0) {
    const char *inner = fmlp_arena_copy(arena, value + 6, length - 7);
    status = inner ? spread_range(arena, text, key_length, inner, values, error) : FMLP_ERR_OTHER;
  } else {
    status = split(arena, text, key_length, value, values, error);
  }
  if (status == FMLP_OK && values->count == 0) return bad(text, "no value to sweep over", error);
  return status;
}

/* Job number `job` counts in the mixed base of the axes, the last of them fastest. */
static fmlp_status fill_jobs(const axis *axes, int32_t axis_count, int32_t job_count, char ***jobs,
                             fmlp_error *error) {
  for (int32_t job = 0; job < job_count; job++) {
    FMLP_TRY(fmlp_alloc_zero(&jobs[job], axis_count, sizeof *jobs[job], "sweep", error));
    int32_t rest = job;
    for (int32_t a = axis_count - 1; a >= 0; a--) {
      const char *text = axes[a].texts[rest % axes[a].count];
      rest /= axes[a].count;
      FMLP_TRY(fmlp_alloc(&jobs[job][a], (int64_t)strlen(text) + 1, 1, "sweep", error));
      memcpy(jobs[job][a], text, strlen(text) + 1);
    }
  }
  return FMLP_OK;
}

static fmlp_status expand(fmlp_arena *arena, int32_t override_count, const char *const *overrides,
                          int32_t *job_count, char ****jobs, fmlp_error *error) {
  axis *axes = fmlp_arena_take(arena, sizeof *axes * (size_t)(override_count + 1));
  if (!axes) return FMLP_ERR_OTHER;
  int64_t count = 1;
  for (int32_t i = 0; i < override_count; i++) {
    FMLP_TRY(spread(arena, overrides[i], &axes[i], error));
    count *= axes[i].count;
    if (count > JOB_LIMIT)
      return fmlp_fail(error, FMLP_ERR_USAGE, "the sweep has more than %d jobs", (int)JOB_LIMIT);
  }
  FMLP_TRY(fmlp_alloc_zero(jobs, count, sizeof **jobs, "sweep", error));
  *job_count = (int32_t)count;
  return fill_jobs(axes, override_count, *job_count, *jobs, error);
}

fmlp_status fmlp_config_sweep(int32_t override_count, const char *const *overrides, int32_t *job_count,
                              char ****jobs, fmlp_error *error) {
  fmlp_arena arena = {NULL, error};
  *job_count = 0;
  *jobs = NULL;
  fmlp_status status = expand(&arena, override_count, overrides, job_count, jobs, error);
  fmlp_arena_release(&arena);
  if (status != FMLP_OK) {
    fmlp_config_sweep_free(*job_count, override_count, *jobs);
    *job_count = 0;
    *jobs = NULL;
  }
  return status;
}

void fmlp_config_sweep_free(int32_t job_count, int32_t override_count, char ***jobs) {
  for (int32_t job = 0; jobs && job < job_count; job++) {
    for (int32_t i = 0; jobs[job] && i < override_count; i++) fmlp_free(jobs[job][i]);
    fmlp_free(jobs[job]);
  }
  fmlp_free(jobs);
}
