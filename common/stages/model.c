/* The model stage: one job a split and side, trained in parallel, one thread each, and what follows from
 * their predictions. A further kind of model is one more row of MODELS. */
#include "common/stages/model.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "common/core/progress.h"
#include "common/stages/model_job.h"
#include "common/stages/model_score.h"
#include "prof/span.h"

static const struct {
  fmlp_model_type type;
  const char *name;
  fmlp_model_train train; /* NULL: not built yet */
} MODELS[] = {
    {FMLP_MODEL_RANDOM_FOREST, "random_forest", fmlp_forest_train},
    {FMLP_MODEL_GRADIENT_BOOSTING, "gradient_boosting", fmlp_boosting_train},
    {FMLP_MODEL_LOGISTIC, "logistic", NULL},
};

/* A side's share of a split's rows. */
typedef struct side_rows {
  int64_t count;
  int64_t *row;
} side_rows;

typedef struct study {
  const fmlp_settings *settings;
  const fmlp_labels *labels;
  const fmlp_folds *folds;
  fmlp_model_train train;
  int32_t side_count;
  int8_t side[2];
  float *inputs;  /* [labels->count][feature_count] */
  int8_t *target; /* [labels->count] */
  side_rows usable;
  int64_t *path_first; /* [path_count * group_count] where a group's predictions start in a path */
  int32_t *group_path; /* [split_count * group_count] path of a tested group, else -1 */
  double *gain;        /* [model_count][feature_count] */
  fmlp_model_result *result;
} study;

static void release_study(study *all) {
  fmlp_free(all->inputs);
  fmlp_free(all->target);
  fmlp_free(all->usable.row);
  fmlp_free(all->path_first);
  fmlp_free(all->group_path);
  fmlp_free(all->gain);
}

static fmlp_status gather_inputs(study *all, const fmlp_features *features, fmlp_error *error) {
  fmlp_model_result *result = all->result;
  const fmlp_labels *labels = all->labels;
  int64_t width = 0;
  for (int32_t f = 0; f < features->count; f++) width += features->model_input[f];
  if (width == 0)
    return fmlp_fail(
        error, FMLP_ERR_USAGE,
        "features.exclude: no feature is left as a model input; exclude fewer, or give windows shorter "
        "than the series");
  FMLP_TRY(fmlp_alloc(&result->feature_names, width, sizeof *result->feature_names, "feature names", error));
  result->feature_count = (int32_t)width;
  if (labels->count > INT64_MAX / 8 / width)
    return fmlp_fail(error, FMLP_ERR_OTHER, "the model's inputs are too large");
  FMLP_TRY(fmlp_alloc(&all->inputs, labels->count * width, sizeof *all->inputs, "model inputs", error));
  FMLP_TRY(fmlp_alloc(&all->target, labels->count, sizeof *all->target, "model targets", error));
  FMLP_TRY(fmlp_alloc(&all->usable.row, labels->count, sizeof *all->usable.row, "usable rows", error));
  int64_t column = 0;
  for (int32_t f = 0; f < features->count; f++) {
    if (!features->model_input[f]) continue;
    for (int64_t i = 0; i < labels->count; i++)
      all->inputs[i * width + column] = fmlp_model_input_value(features->columns[f][labels->event_bar[i]]);
    result->feature_names[column++] = features->names[f];
  }
  bool has_long = false, has_short = false;
  for (int64_t i = 0; i < labels->count; i++) {
    all->target[i] = labels->label[i] > 0;
    if (labels->usable && !labels->usable[i]) continue;
    all->usable.row[all->usable.count++] = i;
    has_long |= labels->side[i] > 0;
    has_short |= labels->side[i] < 0;
  }
  if (has_long) all->side[all->side_count++] = 1;
  if (has_short) all->side[all->side_count++] = -1;
  return FMLP_OK;
}

static int64_t rows_in_group(const fmlp_split *split, int32_t group) {
  int64_t rows = 0;
  for (int64_t i = 0; i < split->test_count; i++) rows += split->test_group[i] == group;
  return rows;
}

/* Where each (path, group) goes in the predictions: paths one after the other, groups in order within. */
static fmlp_status lay_out_paths(study *all, fmlp_error *error) {
  const fmlp_folds *folds = all->folds;
  fmlp_predictions *predictions = &all->result->predictions;
  int64_t cells = (int64_t)folds->path_count * folds->group_count;
  int64_t marks = (int64_t)folds->split_count * folds->group_count;
  FMLP_TRY(fmlp_alloc(&all->path_first, cells, sizeof *all->path_first, "paths", error));
  FMLP_TRY(fmlp_alloc(&all->group_path, marks, sizeof *all->group_path, "paths", error));
  for (int64_t i = 0; i < marks; i++) all->group_path[i] = -1;
  int64_t total = 0;
  for (int32_t p = 0; p < folds->path_count; p++)
    for (int32_t g = 0; g < folds->group_count; g++) {
      int64_t cell = (int64_t)p * folds->group_count + g;
      int32_t s = folds->path_split[cell];
      all->path_first[cell] = total;
      if (s < 0) continue;
      all->group_path[(int64_t)s * folds->group_count + g] = p;
      total += rows_in_group(&folds->splits[s], g);
    }
  FMLP_TRY(fmlp_alloc(&predictions->label_row, total, sizeof(int64_t), "predictions", error));
  FMLP_TRY(fmlp_alloc(&predictions->split, total, sizeof(int64_t), "predictions", error));
  FMLP_TRY(fmlp_alloc(&predictions->path, total, sizeof(int64_t), "predictions", error));
  FMLP_TRY(fmlp_alloc_zero(&predictions->probability, total, sizeof(double), "predictions", error));
  predictions->count = total;
  return FMLP_OK;
}

/* Position in the predictions of every test row of a split: [test_count]. */
static void find_positions(const study *all, int32_t number, int64_t *position) {
  const fmlp_split *split = &all->folds->splits[number];
  int32_t groups = all->folds->group_count;
  for (int64_t i = 0, within = 0; i < split->test_count; i++) {
    int32_t group = split->test_group[i];
    within = i > 0 && split->test_group[i - 1] == group ? within + 1 : 0;
    int32_t path = all->group_path[(int64_t)number * groups + group];
    position[i] = all->path_first[(int64_t)path * groups + group] + within;
  }
}

static fmlp_status take_side(const study *all, const int64_t *rows, int64_t count, int8_t side,
                             side_rows *taken, fmlp_error *error) {
  FMLP_TRY(fmlp_alloc(&taken->row, count, sizeof *taken->row, "a side's rows", error));
  for (int64_t i = 0; i < count; i++)
    if (all->labels->side[rows[i]] == side) taken->row[taken->count++] = rows[i];
  return FMLP_OK;
}

static void name_model(const study *all, int32_t split, int32_t side, fmlp_name *name) {
  const char *suffix = all->side_count < 2 ? "" : all->side[side] > 0 ? "_long" : "_short";
  if (split < all->folds->split_count)
    (void)snprintf(name->text, sizeof name->text, "fold_%02d%s", (int)split, suffix);
  else
    (void)snprintf(name->text, sizeof name->text, "final%s", suffix);
}

/* Puts a side's probabilities, in the order of its test rows, where the predictions want them. */
static fmlp_status place(study *all, int32_t number, int8_t side, const double *probability,
                         fmlp_error *error) {
  const fmlp_split *split = &all->folds->splits[number];
  fmlp_predictions *predictions = &all->result->predictions;
  int64_t *position = NULL;
  FMLP_TRY(fmlp_alloc(&position, split->test_count, sizeof *position, "positions", error));
  find_positions(all, number, position);
  for (int64_t i = 0, next = 0; i < split->test_count; i++) {
    if (all->labels->side[split->test[i]] != side) continue;
    int64_t at = position[i];
    predictions->label_row[at] = split->test[i];
    predictions->split[at] = number;
    predictions->path[at] = all->group_path[(int64_t)number * all->folds->group_count + split->test_group[i]];
    predictions->probability[at] = probability[next++];
  }
  fmlp_free(position);
  return FMLP_OK;
}

static fmlp_status train_model(study *all, int32_t split, int32_t side, const side_rows *train,
                               const side_rows *test, double *probability, fmlp_error *error) {
  fmlp_model_result *result = all->result;
  int32_t index = split * all->side_count + side;
  fmlp_saved_model *saved = &result->models[index];
  name_model(all, split, side, &saved->name);
  if (train->count == 0)
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "model %s: no usable row of the %s side to train on; use fewer groups or more data",
                     saved->name.text, all->side[side] > 0 ? "long" : "short");
  bool final = split == all->folds->split_count;
  fmlp_model_job job = {
      .settings = &all->settings->model,
      .seed = all->settings->seed,
      .number = (uint64_t)(final ? 0 : split + 1) * 2 + (all->side[side] < 0), /* final: 0 long, 1 short */
      .features = result->feature_count,
      .names = result->feature_names,
      .inputs = all->inputs,
      .target = all->target,
      .weight = all->labels->weight,
      .train_count = train->count,
      .train = train->row,
      .test_count = test->count,
      .test = test->row,
  };
  fmlp_model_output output = {.probability = probability,
                              .gain = all->gain + (int64_t)index * result->feature_count};
  FMLP_TRY(all->train(&job, &output, error));
  saved->bytes = output.bytes;
  saved->count = output.byte_count;
  return final ? FMLP_OK : place(all, split, all->side[side], probability, error);
}

static fmlp_status run_job(study *all, int32_t split, int32_t side, fmlp_error *error) {
  side_rows train = {0}, test = {0};
  double *probability = NULL;
  fmlp_status status = FMLP_OK;
  if (split == all->folds->split_count) {
    status = take_side(all, all->usable.row, all->usable.count, all->side[side], &train, error);
  } else {
    const fmlp_split *rows = &all->folds->splits[split];
    status = take_side(all, rows->train, rows->train_count, all->side[side], &train, error);
    if (status == FMLP_OK)
      status = take_side(all, rows->test, rows->test_count, all->side[side], &test, error);
  }
  if (status == FMLP_OK)
    status = fmlp_alloc(&probability, test.count, sizeof *probability, "probabilities", error);
  if (status == FMLP_OK) status = train_model(all, split, side, &train, &test, probability, error);
  fmlp_free(probability);
  fmlp_free(train.row);
  fmlp_free(test.row);
  return status;
}

/* Chunk 0 is the final model, the largest, so that it does not start last. */
static fmlp_status run_jobs(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  (void)worker;
  study *all = context;
  for (int64_t i = first; i < last; i++) {
    int32_t split = (int32_t)(i / all->side_count);
    split = split == 0 ? all->folds->split_count : split - 1;
    FMLP_TRY(run_job(all, split, (int32_t)(i % all->side_count), error));
  }
  return FMLP_OK;
}

/* Turns a split's gains, both sides together, into shares in the first side's row; all 0 without a split. */
static double *share_gain(study *all, int32_t split) {
  int32_t width = all->result->feature_count;
  double *share = all->gain + (int64_t)split * all->side_count * width;
  double total = 0;
  for (int32_t f = 0; f < width; f++) {
    for (int32_t side = 1; side < all->side_count; side++) share[f] += share[side * width + f];
    total += share[f];
  }
  for (int32_t f = 0; f < width && total > 0; f++) share[f] /= total;
  return share;
}

static fmlp_status weigh_features(study *all, fmlp_error *error) {
  fmlp_model_result *result = all->result;
  int32_t splits = all->folds->split_count;
  FMLP_TRY(fmlp_alloc_zero(&result->importance, result->feature_count, sizeof(double), "importances", error));
  FMLP_TRY(
      fmlp_alloc_zero(&result->importance_std, result->feature_count, sizeof(double), "importances", error));
  for (int32_t s = 0; s < splits; s++) {
    const double *share = share_gain(all, s);
    for (int32_t f = 0; f < result->feature_count; f++) result->importance[f] += share[f] / splits;
  }
  int64_t stride = (int64_t)all->side_count * result->feature_count;
  double total = 0;
  for (int32_t f = 0; f < result->feature_count; f++) {
    double squares = 0;
    for (int32_t s = 0; s < splits; s++) {
      double d = all->gain[s * stride + f] - result->importance[f];
      squares += d * d;
    }
    result->importance_std[f] = splits > 1 ? sqrt(squares / (splits - 1)) : fmlp_nan();
    total += result->importance[f];
  }
  for (int32_t f = 0; f < result->feature_count && total > 0; f++) {
    result->importance[f] /= total;
    result->importance_std[f] /= total;
  }
  return FMLP_OK;
}

static fmlp_status run_study(study *all, const fmlp_features *features, fmlp_error *error) {
  fmlp_model_result *result = all->result;
  FMLP_TRY(gather_inputs(all, features, error));
  if (all->side_count == 0)
    return fmlp_fail(error, FMLP_ERR_INPUT, "model: no usable label row; warm-up may be as long as the data");
  FMLP_TRY(lay_out_paths(all, error));
  result->split_count = all->folds->split_count;
  int64_t models = ((int64_t)result->split_count + 1) * all->side_count;
  FMLP_TRY(fmlp_alloc_zero(&result->scores, result->split_count, sizeof *result->scores, "scores", error));
  FMLP_TRY(fmlp_alloc_zero(&result->models, models, sizeof *result->models, "models", error));
  result->model_count = (int32_t)models;
  FMLP_TRY(fmlp_alloc_zero(&all->gain, models * result->feature_count, sizeof *all->gain, "gains", error));
  fmlp_progress_begin("model", models * all->settings->model.n_estimators);
  fmlp_status status = fmlp_parallel_for(models, 1, run_jobs, all, "model training", error);
  fmlp_progress_end();
  FMLP_TRY(status);
  FMLP_TRY(fmlp_score_splits(all->labels, all->folds, &result->predictions, result->scores, error));
  return weigh_features(all, error);
}

static fmlp_status find_model(const fmlp_model_settings *settings, fmlp_model_train *train,
                              fmlp_error *error) {
  if (!FMLP_HAVE_MODEL)
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "model.type: this program was built without models (FMLP_MODEL=OFF)");
  if (settings->meta_enabled)
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "model.meta.enabled: the meta-model is not built yet; leave it false");
  for (size_t i = 0; i < sizeof MODELS / sizeof MODELS[0]; i++) {
    if (MODELS[i].type != settings->type) continue;
    *train = MODELS[i].train;
    if (*train) break;
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "model.type: %s is not built yet; use random_forest or gradient_boosting",
                     MODELS[i].name);
  }
  if (settings->n_estimators < 1 || settings->max_depth < 1 || settings->max_bin < 2)
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "model.params: n_estimators and max_depth must be at least 1, max_bin at least 2");
  return *train ? FMLP_OK : fmlp_fail(error, FMLP_ERR_USAGE, "model.type: unknown model");
}

void fmlp_model_result_release(fmlp_model_result *result) {
  fmlp_predictions_release(&result->predictions);
  for (int32_t i = 0; i < result->model_count; i++) fmlp_free(result->models[i].bytes);
  fmlp_free(result->scores);
  fmlp_free(result->models);
  fmlp_free(result->feature_names);
  fmlp_free(result->importance);
  fmlp_free(result->importance_std);
  memset(result, 0, sizeof *result);
}

fmlp_status fmlp_model_run(const fmlp_settings *settings, const fmlp_features *features,
                           const fmlp_labels *labels, const fmlp_folds *folds, fmlp_model_result *result,
                           fmlp_error *error) {
  FMLP_SPAN("model");
  memset(result, 0, sizeof *result);
  study all = {.settings = settings, .labels = labels, .folds = folds, .result = result};
  fmlp_status status = find_model(&settings->model, &all.train, error);
  if (status == FMLP_OK) status = run_study(&all, features, error);
  release_study(&all);
  if (status != FMLP_OK) fmlp_model_result_release(result);
  return status;
}

fmlp_status fmlp_predictions_export(const fmlp_predictions *predictions, const fmlp_column_sink *sink,
                                    fmlp_error *error) {
  const fmlp_column columns[] = {
      {"predictions", "label_row", FMLP_INT64, predictions->count, predictions->label_row},
      {"predictions", "split", FMLP_INT64, predictions->count, predictions->split},
      {"predictions", "path", FMLP_INT64, predictions->count, predictions->path},
      {"predictions", "probability", FMLP_FLOAT64, predictions->count, predictions->probability},
  };
  for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
    FMLP_TRY(sink->put(sink->state, &columns[i], error));
  return FMLP_OK;
}
