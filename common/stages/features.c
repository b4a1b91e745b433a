/* The features stage: compiles what is configured, lets the backend execute it, and keeps the columns. */
#define _POSIX_C_SOURCE 200809L
#include "common/stages/features.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/log.h"
#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "common/stages/features_plan.h"
#include "prof/span.h"

enum { FILL_GRAIN = 1 << 16, NAMED_IN_WARNING = 5 };
static const char group[] = "features";

/* One computation on its way from settings to columns. */
typedef struct feature_stage {
  const fmlp_bars *bars;
  const fmlp_compute *compute;
  fmlp_features *features;
  fmlp_feature_plan plan;
  fmlp_operand *operand; /* [features->count] what each column holds */

  /* The plan as the backend wants it: only what is needed, inputs and outputs numbered. */
  int32_t *node_of;                             /* [plan.node_count] -> number, -1 where unused */
  int32_t input_of[FMLP_COLUMN_COUNT];          /* -> input, -1 where unused */
  fmlp_bar_column column_of[FMLP_COLUMN_COUNT]; /* [input] */
  int32_t *feature_of;                          /* [output] the feature it is downloaded into */
  fmlp_rolling_node *nodes;
  fmlp_rolling_plan rolling;
  int64_t *warm_ups; /* [rolling.node_count] */

  double *host; /* [bars->count] an input on its way to the device */
  fmlp_buffer **inputs, **outputs;
} feature_stage;

static bool is_node(fmlp_operand operand) {
  return operand >= FMLP_COLUMN_COUNT;
}

static void release_buffers(const feature_stage *stage, fmlp_buffer **buffers, int32_t count) {
  for (int32_t b = 0; buffers && b < count; b++) {
    stage->compute->backend->buffer_free(stage->compute->device, buffers[b]);
  }
  fmlp_free(buffers);
}

static void release_stage(feature_stage *stage) {
  release_buffers(stage, stage->inputs, stage->rolling.input_count);
  release_buffers(stage, stage->outputs, stage->rolling.output_count);
  fmlp_free(stage->host);
  fmlp_free(stage->nodes);
  fmlp_free(stage->feature_of);
  fmlp_free(stage->node_of);
  fmlp_free(stage->warm_ups);
  fmlp_free(stage->operand);
  fmlp_feature_plan_release(&stage->plan);
}

static bool is_excluded(const fmlp_features_settings *settings, const char *name) {
  for (int32_t p = 0; p < settings->exclude_count; p++) {
    if (fnmatch(settings->exclude[p], name, 0) == 0) return true;
  }
  return false;
}

/* A pattern without wildcards that names nothing is a typing error worth a line: it would silently let a
 * column into the model. */
static void warn_of_idle_exclusions(const fmlp_features_settings *settings, const fmlp_feature_plan *plan) {
  for (int32_t p = 0; p < settings->exclude_count; p++) {
    const char *pattern = settings->exclude[p];
    if (strpbrk(pattern, "*?[")) continue;
    bool found = false;
    for (int32_t f = 0; f < plan->count && !found; f++) {
      found = strcmp(pattern, plan->features[f].name.text) == 0;
    }
    if (!found) fmlp_log_warning("features.exclude: '%s' is no feature's name", pattern);
  }
}

static fmlp_status allocate_table(fmlp_features *features, int64_t rows, int32_t count, fmlp_error *error) {
  features->rows = rows;
  FMLP_TRY(fmlp_alloc_zero(&features->columns, count, sizeof *features->columns, "feature columns", error));
  FMLP_TRY(fmlp_alloc_zero(&features->names, count, sizeof *features->names, "feature names", error));
  FMLP_TRY(fmlp_alloc_zero(&features->model_input, count, sizeof *features->model_input, "features", error));
  FMLP_TRY(fmlp_alloc_zero(&features->warm_up, count, sizeof *features->warm_up, "features", error));
  features->count = count;
  return FMLP_OK;
}

/* Names, flags and room for the columns of every written feature; the absent ones go to the omitted list. */
static fmlp_status build_table(feature_stage *stage, const fmlp_features_settings *settings,
                               fmlp_error *error) {
  const fmlp_feature_plan *plan = &stage->plan;
  fmlp_features *features = stage->features;
  int32_t written = 0, omitted = 0;
  for (int32_t f = 0; f < plan->count; f++) {
    if (!plan->features[f].written) continue;
    if (plan->features[f].operand >= 0)
      written++;
    else
      omitted++;
  }
  FMLP_TRY(fmlp_alloc_zero(&features->omitted, omitted, sizeof *features->omitted, "omitted names", error));
  FMLP_TRY(fmlp_alloc(&stage->operand, written, sizeof *stage->operand, "feature operands", error));
  FMLP_TRY(allocate_table(features, stage->bars->count, written, error));
  written = 0;
  for (int32_t f = 0; f < plan->count; f++) {
    const fmlp_planned_feature *planned = &plan->features[f];
    if (!planned->written) continue;
    if (planned->operand < 0) {
      features->omitted[features->omitted_count++] = planned->name;
      continue;
    }
    features->names[written] = planned->name;
    features->model_input[written] = !is_excluded(settings, planned->name.text);
    stage->operand[written] = planned->operand;
    FMLP_TRY(
        fmlp_alloc(&features->columns[written], features->rows, sizeof(double), planned->name.text, error));
    written++;
  }
  return FMLP_OK;
}

static void use_operand(feature_stage *stage, fmlp_operand operand) {
  if (operand < 0) return;
  if (is_node(operand)) {
    stage->node_of[operand - FMLP_COLUMN_COUNT] = 0;
  } else if (stage->input_of[operand] < 0) {
    stage->column_of[stage->rolling.input_count] = (fmlp_bar_column)operand;
    stage->input_of[operand] = stage->rolling.input_count++;
  }
}

static int32_t numbered_operand(const feature_stage *stage, fmlp_operand operand) {
  if (operand < 0) return -1;
  if (!is_node(operand)) return stage->input_of[operand];
  return stage->rolling.input_count + stage->node_of[operand - FMLP_COLUMN_COUNT];
}

/* Marks what the written features need, newest node first (operands are older), then numbers it. */
static fmlp_status number_plan(feature_stage *stage, fmlp_error *error) {
  const fmlp_feature_plan *plan = &stage->plan;
  FMLP_TRY(fmlp_alloc(&stage->node_of, plan->node_count, sizeof *stage->node_of, "feature nodes", error));
  FMLP_TRY(fmlp_alloc(&stage->nodes, plan->node_count, sizeof *stage->nodes, "feature nodes", error));
  FMLP_TRY(fmlp_alloc(&stage->feature_of, stage->features->count, sizeof *stage->feature_of,
                      "feature outputs", error));
  for (int32_t n = 0; n < plan->node_count; n++) stage->node_of[n] = -1;
  for (int c = 0; c < FMLP_COLUMN_COUNT; c++) stage->input_of[c] = -1;
  for (int32_t f = 0; f < stage->features->count; f++) {
    if (is_node(stage->operand[f])) use_operand(stage, stage->operand[f]);
  }
  for (int32_t n = plan->node_count - 1; n >= 0; n--) {
    if (stage->node_of[n] < 0) continue;
    use_operand(stage, plan->nodes[n].a);
    use_operand(stage, plan->nodes[n].b);
  }
  for (int32_t n = 0; n < plan->node_count; n++) {
    if (stage->node_of[n] < 0) continue;
    fmlp_rolling_node node = plan->nodes[n];
    node.a = numbered_operand(stage, node.a);
    node.b = numbered_operand(stage, node.b);
    stage->nodes[stage->rolling.node_count] = node;
    stage->node_of[n] = stage->rolling.node_count++;
  }
  for (int32_t f = 0; f < stage->features->count; f++) {
    if (!is_node(stage->operand[f])) continue;
    fmlp_rolling_node *node = &stage->nodes[stage->node_of[stage->operand[f] - FMLP_COLUMN_COUNT]];
    if (node->output >= 0) continue; /* two names of one column */
    node->output = stage->rolling.output_count++;
    stage->feature_of[node->output] = f;
  }
  stage->rolling.nodes = stage->nodes;
  return FMLP_OK;
}

typedef struct fill_context {
  const fmlp_bars *bars;
  fmlp_bar_column column;
  double *out;
} fill_context;

static fmlp_status fill_chunk(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  (void)worker;
  (void)error;
  const fill_context *fill = context;
  fmlp_bar_column_fill(fill->column, fill->bars, first, last, fill->out);
  return FMLP_OK;
}

static fmlp_status fill_column(const fmlp_bars *bars, fmlp_bar_column column, double *out,
                               fmlp_error *error) {
  fill_context fill = {bars, column, out};
  return fmlp_parallel_for(bars->count, FILL_GRAIN, fill_chunk, &fill, "features: bar columns", error);
}

static fmlp_status upload_inputs(feature_stage *stage, fmlp_error *error) {
  /* Every column is made from others of the bars (not counted), then copied to the device. */
  FMLP_SPAN_BYTES("features.inputs", 16 * stage->bars->count * stage->rolling.input_count);
  const fmlp_backend *backend = stage->compute->backend;
  int32_t count = stage->rolling.input_count;
  size_t bytes = (size_t)stage->bars->count * sizeof(double);
  FMLP_TRY(fmlp_alloc_zero(&stage->inputs, count, sizeof(fmlp_buffer *), "feature inputs", error));
  FMLP_TRY(fmlp_alloc(&stage->host, stage->bars->count, sizeof(double), "feature input", error));
  for (int32_t i = 0; i < count; i++) {
    FMLP_TRY(fill_column(stage->bars, stage->column_of[i], stage->host, error));
    FMLP_TRY(backend->buffer_create(stage->compute->device, bytes, &stage->inputs[i], error));
    FMLP_TRY(backend->upload(stage->compute->device, stage->inputs[i], 0, stage->host, bytes, error));
    FMLP_TRY(backend->sync(stage->compute->device, error)); /* `host` is written again */
  }
  return FMLP_OK;
}

static fmlp_status execute(feature_stage *stage, fmlp_error *error) {
  const fmlp_backend *backend = stage->compute->backend;
  fmlp_device *device = stage->compute->device;
  int64_t rows = stage->bars->count;
  size_t bytes = (size_t)rows * sizeof(double);
  FMLP_TRY(fmlp_rolling_validate(&stage->rolling, error));
  FMLP_TRY(upload_inputs(stage, error));
  int32_t count = stage->rolling.output_count;
  FMLP_TRY(fmlp_alloc_zero(&stage->outputs, count, sizeof(fmlp_buffer *), "feature outputs", error));
  for (int32_t o = 0; o < count; o++) {
    FMLP_TRY(backend->buffer_create(device, bytes, &stage->outputs[o], error));
  }
  {
    FMLP_SPAN("features.rolling");
    FMLP_TRY(backend->rolling(device, &stage->rolling, rows, (const fmlp_buffer *const *)stage->inputs,
                              stage->outputs, error));
    FMLP_TRY(backend->sync(device, error));
  }
  FMLP_SPAN_BYTES("features.download", 2 * (int64_t)bytes * count);
  for (int32_t o = 0; o < count; o++) {
    double *to = stage->features->columns[stage->feature_of[o]];
    FMLP_TRY(backend->download(device, stage->outputs[o], 0, to, bytes, error));
  }
  return FMLP_OK;
}

/* Columns that are no output of their own (bar columns, second names), and the warm-ups. */
static fmlp_status complete_table(feature_stage *stage, fmlp_error *error) {
  fmlp_features *features = stage->features;
  int32_t nodes = stage->rolling.node_count;
  FMLP_TRY(fmlp_alloc(&stage->warm_ups, nodes, sizeof *stage->warm_ups, "feature warm-ups", error));
  fmlp_rolling_warm_ups(&stage->rolling, stage->warm_ups);
  for (int32_t f = 0; f < features->count; f++) {
    fmlp_operand operand = stage->operand[f];
    if (!is_node(operand)) {
      FMLP_TRY(fill_column(stage->bars, (fmlp_bar_column)operand, features->columns[f], error));
      continue;
    }
    int32_t node = stage->node_of[operand - FMLP_COLUMN_COUNT];
    int32_t source = stage->feature_of[stage->nodes[node].output];
    int64_t warm_up = stage->warm_ups[node];
    features->warm_up[f] = warm_up < features->rows ? warm_up : features->rows;
    if (source != f) {
      memcpy(features->columns[f], features->columns[source], (size_t)features->rows * sizeof(double));
    }
  }
  return FMLP_OK;
}

/* A column that is NaN from end to end would leave the model no row: it is kept from it, with a warning. */
static void withhold_empty_columns(fmlp_features *features) {
  char names[256] = "";
  int32_t empty = 0;
  size_t used = 0;
  for (int32_t f = 0; f < features->count; f++) {
    if (features->rows == 0 || features->warm_up[f] < features->rows) continue;
    features->model_input[f] = false;
    if (empty++ >= NAMED_IN_WARNING || used + FMLP_NAME_CAPACITY + 2 > sizeof names) continue;
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                             features->names[f].text);
  }
  if (empty == 0) return;
  fmlp_log_warning("%d feature%s with a window longer than the series of %lld bars: NaN throughout and kept "
                   "from the model (%s%s)",
                   empty, empty == 1 ? "" : "s", (long long)features->rows, names,
                   empty > NAMED_IN_WARNING ? ", ..." : "");
}

static fmlp_status compile(feature_stage *stage, const fmlp_features_settings *settings, fmlp_error *error) {
  FMLP_SPAN("features.compile");
  stage->plan = (fmlp_feature_plan){.bars = stage->bars, .error = error};
  if (settings->base) fmlp_plan_base(&stage->plan);
  fmlp_plan_user(&stage->plan, settings);
  FMLP_TRY(stage->plan.status);
  warn_of_idle_exclusions(settings, &stage->plan);
  FMLP_TRY(build_table(stage, settings, error));
  return number_plan(stage, error);
}

fmlp_status fmlp_features_compute(const fmlp_features_settings *settings, const fmlp_bars *bars,
                                  const fmlp_compute *compute, fmlp_features *features, fmlp_error *error) {
  FMLP_SPAN("features");
  memset(features, 0, sizeof *features);
  feature_stage stage = {.bars = bars, .compute = compute, .features = features};
  fmlp_status status = compile(&stage, settings, error);
  if (status == FMLP_OK && stage.rolling.output_count > 0) status = execute(&stage, error);
  if (status == FMLP_OK) status = complete_table(&stage, error);
  release_stage(&stage);
  if (status != FMLP_OK) {
    fmlp_features_release(features);
    return status;
  }
  withhold_empty_columns(features);
  return FMLP_OK;
}

fmlp_status fmlp_features_export(const fmlp_features *features, const fmlp_column_sink *sink,
                                 fmlp_error *error) {
  for (int32_t f = 0; f < features->count; f++) {
    const fmlp_column column = {group, features->names[f].text, FMLP_FLOAT64, features->rows,
                                features->columns[f]};
    FMLP_TRY(sink->put(sink->state, &column, error));
  }
  return FMLP_OK;
}

static int64_t leading_nan(const double *column, int64_t rows) {
  int64_t row = 0;
  while (row < rows && column[row] != column[row]) row++;
  return row;
}

static fmlp_status import_columns(const char *run_path, int32_t count, const char *const *names,
                                  fmlp_features *features, fmlp_error *error) {
  FMLP_TRY(allocate_table(features, 0, count, error));
  for (int32_t f = 0; f < count; f++) {
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s/%s.npy", run_path, group, names[f]);
    if (length < 0 || (size_t)length >= sizeof path || strlen(names[f]) >= FMLP_NAME_CAPACITY) {
      return fmlp_fail(error, FMLP_ERR_INPUT, "%s: the path of feature '%s' is too long", run_path, names[f]);
    }
    fmlp_type type = FMLP_FLOAT64;
    int64_t rows = 0;
    void *data = NULL;
    FMLP_TRY(fmlp_npy_read(path, &type, &rows, &data, error));
    features->columns[f] = data;
    memcpy(features->names[f].text, names[f], strlen(names[f]) + 1);
    if (type != FMLP_FLOAT64 || (f > 0 && rows != features->rows)) {
      return fmlp_fail(error, FMLP_ERR_INPUT, "%s: %lld rows, expected %lld of float64", path,
                       (long long)rows, (long long)(f > 0 ? features->rows : rows));
    }
    features->rows = rows;
  }
  return FMLP_OK;
}

fmlp_status fmlp_features_import(const char *run_path, const fmlp_features_settings *settings, int32_t count,
                                 const char *const *names, fmlp_features *features, fmlp_error *error) {
  FMLP_SPAN("features.import");
  memset(features, 0, sizeof *features);
  fmlp_status status = import_columns(run_path, count, names, features, error);
  if (status != FMLP_OK) {
    fmlp_features_release(features);
    return status;
  }
  for (int32_t f = 0; f < count; f++) {
    features->warm_up[f] = leading_nan(features->columns[f], features->rows);
    features->model_input[f] = !is_excluded(settings, names[f]);
  }
  withhold_empty_columns(features);
  return FMLP_OK;
}
