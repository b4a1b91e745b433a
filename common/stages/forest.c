/* Ensembles of trees through XGBoost's C interface: the random forest and gradient boosting.
 *
 * Gradients are ours for both, so that the bootstrap, the weights and the logistic function are the same on
 * every machine; XGBoost grows the trees. A forest's tree sees gradient -w*y and Hessian w with no
 * regularisation and a step of 1: its leaves are weighted means of y. Gradients and weights are rounded to
 * 2^-20 of the largest, which makes every histogram sum exact, whatever its order.
 *
 * A booster lives on one thread (nthread 1) from its first call to its last: XGBoost keeps its random numbers
 * per thread and seeds them when a booster is configured. */
#include "common/stages/model_job.h"

#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"
#include "prof/span.h"

#if !FMLP_HAVE_MODEL

static fmlp_status not_built(fmlp_error *error) {
  return fmlp_fail(error, FMLP_ERR_USAGE,
                   "model.type: this program was built without models (FMLP_MODEL=OFF)");
}

fmlp_status fmlp_forest_train(const fmlp_model_job *job, fmlp_model_output *output, fmlp_error *error) {
  (void)job;
  (void)output;
  return not_built(error);
}

fmlp_status fmlp_boosting_train(const fmlp_model_job *job, fmlp_model_output *output, fmlp_error *error) {
  (void)job;
  (void)output;
  return not_built(error);
}

fmlp_status fmlp_forest_predict(const char *bytes, int64_t byte_count, int32_t features, int64_t count,
                                const float *inputs, double *probability, fmlp_error *error) {
  (void)bytes;
  (void)byte_count;
  (void)features;
  (void)count;
  (void)inputs;
  (void)probability;
  return not_built(error);
}

#else

#include <math.h>
#include <stdlib.h>
#include <xgboost/c_api.h>

#include "common/core/elementary.h"
#include "common/core/interrupt.h"
#include "common/core/philox.h"
#include "common/core/progress.h"

/* Gradients and Hessians keep this many bits below the largest. */
enum { GRADIENT_BITS = 20 };

/* What one training needs beside the job. */
typedef struct training {
  const fmlp_model_job *job;
  DMatrixHandle train, test;
  BoosterHandle booster;
  float *gathered;       /* rows of one matrix while it is made */
  double *weight;        /* [train_count] of this tree, then Hessians before rounding */
  double *raw;           /* [train_count] gradients before rounding */
  float *gradient;       /* [train_count] */
  float *hessian;        /* [train_count] */
  int32_t *multiplicity; /* [train_count] draws of each row */
  double weight_scale; /* makes the training rows' weights mean 1: their scale may not come from later rows */
} training;

typedef struct ensemble {
  const char *objective;
  double learning_rate;                                                  /* the step; 0: the settings' */
  bool regularised;                                                      /* l2 from the settings, else none */
  fmlp_status (*round)(training *work, int32_t tree, fmlp_error *error); /* fills gradient and hessian */
} ensemble;

static fmlp_status library_failure(fmlp_error *error) {
  char line[256];
  (void)snprintf(line, sizeof line, "%s", XGBGetLastError());
  /* "[time] file:line: what" and a stack trace: one line is enough */
  char *end = strstr(line, "Stack trace");
  if (end) *end = '\0';
  return fmlp_fail(error, FMLP_ERR_OTHER, "model: XGBoost failed: %s", line);
}

#define XGB_TRY(call)                                                                                        \
  do {                                                                                                       \
    if ((call) != 0) return library_failure(error);                                                          \
  } while (0)

/* XGBoost holds floats; what lies outside them becomes the largest, because it refuses infinities. The copy
 * is one booster's alone. */
static fmlp_status make_matrix(training *work, int64_t count, const int64_t *rows, DMatrixHandle *matrix,
                               fmlp_error *error) {
  int64_t features = work->job->features;
  FMLP_TRY(fmlp_alloc(&work->gathered, count * features, sizeof *work->gathered, "model inputs", error));
  for (int64_t i = 0; i < count; i++)
    memcpy(work->gathered + i * features, work->job->inputs + rows[i] * features,
           (size_t)features * sizeof *work->gathered);
  char array[192];
  (void)snprintf(array, sizeof array,
                 "{\"data\":[%llu,true],\"shape\":[%lld,%lld],\"typestr\":\"<f4\",\"version\":3}",
                 (unsigned long long)(uintptr_t)work->gathered, (long long)count, (long long)features);
  XGB_TRY(XGDMatrixCreateFromDense(array, "{\"missing\":NaN,\"nthread\":1}", matrix));
  fmlp_free(work->gathered);
  work->gathered = NULL;
  return FMLP_OK;
}

/* Inputs a node may choose from. */
static int32_t inputs_per_node(double max_features, int32_t features) {
  int32_t count = features;
  if (max_features == 0) { /* floor(sqrt) */
    for (count = 1; (int64_t)(count + 1) * (count + 1) <= features;) count++;
  } else if (max_features < 0) { /* floor(log2) */
    count = 0;
    for (int32_t left = features; left > 1; left /= 2) count++;
  } else if (max_features < 1) {
    count = (int32_t)(max_features * features);
  } else if (max_features > 1) {
    count = max_features < features ? (int32_t)max_features : features;
  }
  return count < 1 ? 1 : count;
}

static fmlp_status set_integer(BoosterHandle booster, const char *name, int64_t value, fmlp_error *error) {
  char text[32];
  (void)snprintf(text, sizeof text, "%lld", (long long)value);
  XGB_TRY(XGBoosterSetParam(booster, name, text));
  return FMLP_OK;
}

static fmlp_status set_real(BoosterHandle booster, const char *name, double value, fmlp_error *error) {
  char text[40];
  (void)snprintf(text, sizeof text, "%.17g", value);
  XGB_TRY(XGBoosterSetParam(booster, name, text));
  return FMLP_OK;
}

static double step_of(const ensemble *kind, const fmlp_model_settings *settings) {
  if (kind->learning_rate > 0) return kind->learning_rate;
  return settings->learning_rate > 0 ? settings->learning_rate : 0.1;
}

static fmlp_status configure(training *work, const ensemble *kind, fmlp_error *error) {
  const fmlp_model_job *job = work->job;
  const fmlp_model_settings *settings = job->settings;
  BoosterHandle booster = work->booster;
  static const char *const FIXED[][2] = {
      {"booster", "gbtree"}, {"tree_method", "hist"},
      {"nthread", "1"},      {"verbosity", "0"},
      {"alpha", "0"},        {"gamma", "0"},
      {"subsample", "1"},    {"disable_default_eval_metric", "1"},
  };
  for (size_t i = 0; i < sizeof FIXED / sizeof FIXED[0]; i++)
    XGB_TRY(XGBoosterSetParam(booster, FIXED[i][0], FIXED[i][1]));
  XGB_TRY(XGBoosterSetParam(booster, "objective", kind->objective));
  XGB_TRY(XGBoosterSetParam(booster, "base_score", kind->regularised ? "0.5" : "0"));
  uint32_t seed = fmlp_philox_u32(fmlp_philox_key(job->seed, FMLP_PHILOX_MODEL_SEED), job->number, 0);
  FMLP_TRY(set_integer(booster, "seed", seed & 0x7fffffff, error));
  FMLP_TRY(set_integer(booster, "max_depth", settings->max_depth, error));
  FMLP_TRY(set_integer(booster, "max_bin", settings->max_bin, error));
  FMLP_TRY(set_integer(booster, "min_child_weight", settings->min_samples_leaf, error));
  FMLP_TRY(set_real(booster, "eta", step_of(kind, settings), error));
  FMLP_TRY(set_real(booster, "lambda", kind->regularised ? settings->l2 : 0, error));
  /* XGBoost takes floor(fraction * features): half a feature more survives its float arithmetic */
  int32_t chosen = inputs_per_node(settings->max_features, job->features);
  double fraction = chosen < job->features ? (chosen + 0.5) / job->features : 1;
  return set_real(booster, "colsample_bynode", fraction, error);
}

/* labels/weight has mean 1 over all rows, the test's and later ones among them; what min_child_weight is held
 * against must come from the training rows alone. */
static double scale_of_weights(const fmlp_model_job *job) {
  double sum = 0;
  for (int64_t i = 0; i < job->train_count; i++) sum += job->weight[job->train[i]];
  return sum > 0 ? (double)job->train_count / sum : 1;
}

static fmlp_status reserve(training *work, fmlp_error *error) {
  int64_t count = work->job->train_count;
  work->weight_scale = scale_of_weights(work->job);
  FMLP_TRY(fmlp_alloc(&work->weight, count, sizeof *work->weight, "tree weights", error));
  FMLP_TRY(fmlp_alloc(&work->raw, count, sizeof *work->raw, "gradients", error));
  FMLP_TRY(fmlp_alloc(&work->gradient, count, sizeof *work->gradient, "gradients", error));
  FMLP_TRY(fmlp_alloc(&work->hessian, count, sizeof *work->hessian, "gradients", error));
  return fmlp_alloc(&work->multiplicity, count, sizeof *work->multiplicity, "the bootstrap", error);
}

static void release(training *work) {
  if (work->booster) (void)XGBoosterFree(work->booster);
  if (work->train) (void)XGDMatrixFree(work->train);
  if (work->test) (void)XGDMatrixFree(work->test);
  fmlp_free(work->gathered);
  fmlp_free(work->weight);
  fmlp_free(work->raw);
  fmlp_free(work->gradient);
  fmlp_free(work->hessian);
  fmlp_free(work->multiplicity);
}

/* Draws of this tree: numbers (key of the seed; path = model and tree; draw). */
static uint64_t tree_path(const fmlp_model_job *job, int32_t tree) {
  return job->number << 32 | (uint32_t)tree;
}

/* train_count draws with replacement, every row alike. */
static void bootstrap(training *work, int32_t tree) {
  int64_t count = work->job->train_count;
  uint64_t key = fmlp_philox_key(work->job->seed, FMLP_PHILOX_BOOTSTRAP);
  uint64_t path = tree_path(work->job, tree);
  memset(work->multiplicity, 0, (size_t)count * sizeof *work->multiplicity);
  for (int64_t draw = 0; draw < count; draw += FMLP_PHILOX_WORDS) {
    fmlp_philox_block block = fmlp_philox(key, (uint64_t)draw / FMLP_PHILOX_WORDS, path);
    for (int64_t i = 0; i < FMLP_PHILOX_WORDS && draw + i < count; i++)
      work->multiplicity[fmlp_philox_index(block.word[i], count)]++;
  }
}

static double sum_of(const double *values, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += values[i];
  return sum;
}

/* A tree whose weights sum to less than one leaf needs would answer 0 (XGBoost then leaves the root empty);
 * scaled up to just that sum it is a single leaf, the mean. Weights that vanish altogether count alike. */
static void ensure_one_leaf(training *work) {
  int64_t count = work->job->train_count;
  double least = work->job->settings->min_samples_leaf > 1 ? work->job->settings->min_samples_leaf : 1;
  double sum = sum_of(work->weight, count);
  if (!(sum > 0)) {
    for (int64_t i = 0; i < count; i++) work->weight[i] = 1;
    sum = (double)count;
  }
  if (sum >= least) return;
  double scale = least * 1.0625 / sum; /* a little more than enough, less than two leaves */
  for (int64_t i = 0; i < count; i++) work->weight[i] *= scale;
}

/* To multiples of a power of two, at most 2^20 of them: exact in a float, and so is any sum in a double. */
static void round_to_grid(const double *raw, int64_t count, float *out) {
  double largest = 0;
  for (int64_t i = 0; i < count; i++) largest = fabs(raw[i]) > largest ? fabs(raw[i]) : largest;
  int exponent = 0;
  if (largest > 0) (void)frexp(largest, &exponent);
  double unit = ldexp(1.0, exponent - GRADIENT_BITS), inverse = ldexp(1.0, GRADIENT_BITS - exponent);
  for (int64_t i = 0; i < count; i++)
    out[i] = (float)(((raw[i] * inverse + FMLP_ROUNDER) - FMLP_ROUNDER) * unit);
}

static fmlp_status forest_round(training *work, int32_t tree, fmlp_error *error) {
  (void)error;
  const fmlp_model_job *job = work->job;
  bootstrap(work, tree);
  for (int64_t i = 0; i < job->train_count; i++)
    work->weight[i] = work->multiplicity[i] * (job->weight[job->train[i]] * work->weight_scale);
  ensure_one_leaf(work);
  round_to_grid(work->weight, job->train_count, work->hessian);
  for (int64_t i = 0; i < job->train_count; i++)
    work->gradient[i] = job->target[job->train[i]] ? -work->hessian[i] : 0;
  return FMLP_OK;
}

static double logistic(double margin) {
  return 1.0 / (1.0 + fmlp_exp(-margin));
}

static fmlp_status boosting_round(training *work, int32_t tree, fmlp_error *error) {
  const fmlp_model_job *job = work->job;
  bst_ulong length = 0;
  const float *margin = NULL;
  XGB_TRY(XGBoosterPredict(work->booster, work->train, 1, 0, 1, &length, &margin));
  uint64_t key = fmlp_philox_key(job->seed, FMLP_PHILOX_BOOTSTRAP), path = tree_path(job, tree);
  double share = job->settings->subsample > 0 ? job->settings->subsample : 1;
  for (int64_t i = 0; i < job->train_count; i++) {
    double weight = job->weight[job->train[i]] * work->weight_scale;
    if (share < 1 && fmlp_philox_unit(fmlp_philox_u32(key, path, (uint64_t)i)) >= share) weight = 0;
    double p = logistic(margin[i]);
    work->raw[i] = weight * (p - job->target[job->train[i]]);
    work->weight[i] = weight * (p * (1 - p));
  }
  round_to_grid(work->raw, job->train_count, work->gradient);
  round_to_grid(work->weight, job->train_count, work->hessian);
  return FMLP_OK;
}

static fmlp_status grow(training *work, const ensemble *kind, fmlp_error *error) {
  int64_t count = work->job->train_count;
  for (int32_t tree = 0; tree < work->job->settings->n_estimators; tree++) {
    FMLP_TRY(fmlp_check_interrupt("model training", error));
    FMLP_TRY(kind->round(work, tree, error));
    XGB_TRY(
        XGBoosterBoostOneIter(work->booster, work->train, work->gradient, work->hessian, (bst_ulong)count));
    fmlp_progress_add(1);
  }
  return FMLP_OK;
}

/* A forest's margin is the sum of its trees' means; boosting's goes through the logistic function. */
static fmlp_status predict(BoosterHandle booster, DMatrixHandle matrix, int64_t count, int32_t trees,
                           double *probability, fmlp_error *error) {
  bst_ulong length = 0;
  const float *margin = NULL;
  XGB_TRY(XGBoosterPredict(booster, matrix, 1, 0, 0, &length, &margin));
  if ((int64_t)length != count)
    return fmlp_fail(error, FMLP_ERR_OTHER, "model: XGBoost predicted %lld rows instead of %lld",
                     (long long)length, (long long)count);
  for (int64_t i = 0; i < count; i++) {
    double p = trees > 0 ? (double)margin[i] / trees : logistic(margin[i]);
    probability[i] = p > 1 ? 1 : p > 0 ? p : 0; /* sums of floats may pass the ends by a rounding */
  }
  return FMLP_OK;
}

static bool has_one_class(const fmlp_model_job *job) {
  for (int64_t i = 1; i < job->train_count; i++)
    if (job->target[job->train[i]] != job->target[job->train[0]]) return false;
  return true;
}

static fmlp_status read_gain(BoosterHandle booster, const fmlp_model_job *job, double *gain,
                             fmlp_error *error) {
  bst_ulong used = 0, dimension = 0;
  char const **names = NULL;
  bst_ulong const *shape = NULL;
  float const *scores = NULL;
  memset(gain, 0, (size_t)job->features * sizeof *gain);
  if (has_one_class(job)) return FMLP_OK; /* nothing to gain: what stands there are rounding errors */
  XGB_TRY(XGBoosterFeatureScore(booster, "{\"importance_type\":\"total_gain\"}", &used, &names, &dimension,
                                &shape, &scores));
  for (bst_ulong i = 0; i < used; i++) { /* named f0, f1, ... as long as the booster has no names */
    long index = strtol(names[i] + 1, NULL, 10);
    if (names[i][0] != 'f' || index < 0 || index >= job->features)
      return fmlp_fail(error, FMLP_ERR_OTHER, "model: XGBoost names an unknown feature %s", names[i]);
    gain[index] = scores[i];
  }
  return FMLP_OK;
}

static fmlp_status serialise(training *work, bool forest, fmlp_model_output *output, fmlp_error *error) {
  const fmlp_model_job *job = work->job;
  const char **names = NULL;
  FMLP_TRY(fmlp_alloc(&names, job->features, sizeof *names, "feature names", error));
  for (int32_t f = 0; f < job->features; f++) names[f] = job->names[f].text;
  int failed = XGBoosterSetStrFeatureInfo(work->booster, "feature_name", names, (bst_ulong)job->features);
  fmlp_free(names);
  if (failed) return library_failure(error);
  char trees[32];
  (void)snprintf(trees, sizeof trees, "%d", forest ? (int)job->settings->n_estimators : 0);
  if (forest) XGB_TRY(XGBoosterSetAttr(work->booster, "trees", trees));
  bst_ulong length = 0;
  const char *bytes = NULL;
  XGB_TRY(XGBoosterSaveModelToBuffer(work->booster, "{\"format\":\"ubj\"}", &length, &bytes));
  FMLP_TRY(fmlp_alloc(&output->bytes, (int64_t)length, 1, "a saved model", error));
  memcpy(output->bytes, bytes, length);
  output->byte_count = (int64_t)length;
  return FMLP_OK;
}

static fmlp_status train_steps(training *work, const ensemble *kind, fmlp_model_output *output,
                               fmlp_error *error) {
  const fmlp_model_job *job = work->job;
  bool forest = !kind->regularised;
  FMLP_TRY(reserve(work, error));
  FMLP_TRY(make_matrix(work, job->train_count, job->train, &work->train, error));
  XGB_TRY(XGBoosterCreate(&work->train, 1, &work->booster));
  FMLP_TRY(configure(work, kind, error));
  FMLP_TRY(grow(work, kind, error));
  FMLP_TRY(read_gain(work->booster, job, output->gain, error));
  if (job->test_count > 0) {
    FMLP_TRY(make_matrix(work, job->test_count, job->test, &work->test, error));
    FMLP_TRY(predict(work->booster, work->test, job->test_count, forest ? job->settings->n_estimators : 0,
                     output->probability, error));
  }
  return serialise(work, forest, output, error);
}

static fmlp_status train(const fmlp_model_job *job, const ensemble *kind, fmlp_model_output *output,
                         fmlp_error *error) {
  training work = {.job = job};
  output->bytes = NULL;
  output->byte_count = 0;
  fmlp_status status = train_steps(&work, kind, output, error);
  release(&work);
  if (status != FMLP_OK) {
    fmlp_free(output->bytes);
    output->bytes = NULL;
  }
  return status;
}

fmlp_status fmlp_forest_train(const fmlp_model_job *job, fmlp_model_output *output, fmlp_error *error) {
  FMLP_SPAN("model.forest");
  static const ensemble FOREST = {"reg:squarederror", 1, false, forest_round};
  return train(job, &FOREST, output, error);
}

fmlp_status fmlp_boosting_train(const fmlp_model_job *job, fmlp_model_output *output, fmlp_error *error) {
  FMLP_SPAN("model.boosting");
  static const ensemble BOOSTING = {"binary:logistic", 0, true, boosting_round};
  return train(job, &BOOSTING, output, error);
}

static fmlp_status predict_saved(training *work, const char *bytes, int64_t byte_count, int64_t count,
                                 const int64_t *rows, double *probability, fmlp_error *error) {
  XGB_TRY(XGBoosterCreate(NULL, 0, &work->booster));
  XGB_TRY(XGBoosterSetParam(work->booster, "nthread", "1"));
  XGB_TRY(XGBoosterLoadModelFromBuffer(work->booster, bytes, (bst_ulong)byte_count));
  const char *trees = NULL;
  int found = 0;
  XGB_TRY(XGBoosterGetAttr(work->booster, "trees", &trees, &found));
  int32_t tree_count = found ? (int32_t)strtol(trees, NULL, 10) : 0;
  FMLP_TRY(make_matrix(work, count, rows, &work->test, error));
  return predict(work->booster, work->test, count, tree_count, probability, error);
}

fmlp_status fmlp_forest_predict(const char *bytes, int64_t byte_count, int32_t features, int64_t count,
                                const float *inputs, double *probability, fmlp_error *error) {
  fmlp_model_job job = {.features = features, .inputs = inputs};
  training work = {.job = &job};
  int64_t *rows = NULL;
  FMLP_TRY(fmlp_alloc(&rows, count, sizeof *rows, "rows to predict", error));
  for (int64_t i = 0; i < count; i++) rows[i] = i;
  fmlp_status status = predict_saved(&work, bytes, byte_count, count, rows, probability, error);
  release(&work);
  fmlp_free(rows);
  return status;
}

#endif
