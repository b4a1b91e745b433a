/* One model to be trained: what stages/model.c hands to the kinds of model. */
#ifndef FMLP_COMMON_STAGES_MODEL_JOB_H
#define FMLP_COMMON_STAGES_MODEL_JOB_H

#include <float.h>

#include "common/config/settings.h"
#include "common/core/dataset.h"

/* All arrays are borrowed; rows index `inputs`, `target` and `weight`. */
typedef struct fmlp_model_job {
  const fmlp_model_settings *settings;
  uint64_t seed;          /* the experiment's */
  uint64_t number;        /* which model: its own random numbers */
  int32_t features;       /* > 0 */
  const fmlp_name *names; /* [features] */
  const float *inputs;    /* [rows][features] */
  const int8_t *target;   /* [rows] 1 where label > 0, else 0 */
  const double *weight;   /* [rows] >= 0 */
  int64_t train_count;    /* > 0 */
  const int64_t *train;   /* [train_count] */
  int64_t test_count;
  const int64_t *test; /* [test_count] */
} fmlp_model_job;

typedef struct fmlp_model_output {
  double *probability; /* [test_count] the caller's */
  double *gain;        /* [features] the caller's: total gain of each input */
  char *bytes;         /* the serialised model, the caller's on success (fmlp_free) */
  int64_t byte_count;
} fmlp_model_output;

/* A feature as the models take it: a float, never infinite (XGBoost refuses that). */
static inline float fmlp_model_input_value(double value) {
  if (value > FLT_MAX) return FLT_MAX;
  if (value < -FLT_MAX) return -FLT_MAX;
  return (float)value;
}

/* Trains, predicts and serialises; runs on one thread and depends on the job alone. */
typedef fmlp_status (*fmlp_model_train)(const fmlp_model_job *job, fmlp_model_output *output,
                                        fmlp_error *error);

/* forest.c; without XGBoost both give FMLP_ERR_USAGE. */
FMLP_WARN_UNUSED fmlp_status fmlp_forest_train(const fmlp_model_job *job, fmlp_model_output *output,
                                               fmlp_error *error);
FMLP_WARN_UNUSED fmlp_status fmlp_boosting_train(const fmlp_model_job *job, fmlp_model_output *output,
                                                 fmlp_error *error);

/* Probabilities of a serialised model of the two above on `count` rows of [features] floats. */
FMLP_WARN_UNUSED fmlp_status fmlp_forest_predict(const char *bytes, int64_t byte_count, int32_t features,
                                                 int64_t count, const float *inputs, double *probability,
                                                 fmlp_error *error);
#endif
