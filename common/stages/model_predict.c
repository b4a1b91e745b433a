/* The final model on rows it never saw. */
#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/stages/model.h"
#include "common/stages/model_job.h"
#include "common/stages/model_score.h"
#include "prof/span.h"

/* The final model of a side: "final" where the training had one side, which must then be this one's. */
static const fmlp_saved_model *final_model(const fmlp_model_result *model, int8_t side) {
  const char *name = side > 0 ? "final_long" : "final_short";
  for (int32_t m = 0; m < model->model_count; m++) {
    const char *found = model->models[m].name.text;
    if (strcmp(found, "final") == 0 || strcmp(found, name) == 0) return &model->models[m];
  }
  return NULL;
}

static fmlp_status find_columns(const fmlp_model_result *model, const fmlp_features *features,
                                const double **columns, fmlp_error *error) {
  for (int32_t i = 0; i < model->feature_count; i++) {
    columns[i] = NULL;
    for (int32_t f = 0; f < features->count; f++) {
      if (strcmp(features->names[f].text, model->feature_names[i].text) == 0)
        columns[i] = features->columns[f];
    }
    if (!columns[i])
      return fmlp_fail(error, FMLP_ERR_INPUT,
                       "feature %s, an input of the model, cannot be computed from this file",
                       model->feature_names[i].text);
  }
  return FMLP_OK;
}

/* Predicts the usable rows of one side; `inputs` and `probability` have room for all rows. */
static fmlp_status predict_side(const fmlp_model_result *model, const double *const *columns,
                                const fmlp_labels *labels, int8_t side, float *inputs, double *probability,
                                double *by_row, fmlp_error *error) {
  const fmlp_saved_model *saved = final_model(model, side);
  int32_t width = model->feature_count;
  int64_t count = 0;
  for (int64_t row = 0; row < labels->count; row++) {
    if (labels->side[row] != side || !labels->usable[row]) continue;
    for (int32_t f = 0; f < width; f++)
      inputs[count * width + f] = fmlp_model_input_value(columns[f][labels->event_bar[row]]);
    count++;
  }
  if (count == 0) return FMLP_OK;
  if (!saved)
    return fmlp_fail(error, FMLP_ERR_INPUT, "no model of the %s side was trained",
                     side > 0 ? "long" : "short");
  FMLP_TRY(fmlp_forest_predict(saved->bytes, saved->count, width, count, inputs, probability, error));
  for (int64_t row = 0, next = 0; row < labels->count; row++) {
    if (labels->side[row] == side && labels->usable[row]) by_row[row] = probability[next++];
  }
  return FMLP_OK;
}

static fmlp_status keep_usable(const fmlp_labels *labels, const double *by_row, fmlp_predictions *predictions,
                               fmlp_error *error) {
  FMLP_TRY(fmlp_alloc(&predictions->label_row, labels->count, sizeof(int64_t), "predictions", error));
  FMLP_TRY(fmlp_alloc_zero(&predictions->split, labels->count, sizeof(int64_t), "predictions", error));
  FMLP_TRY(fmlp_alloc_zero(&predictions->path, labels->count, sizeof(int64_t), "predictions", error));
  FMLP_TRY(fmlp_alloc(&predictions->probability, labels->count, sizeof(double), "predictions", error));
  for (int64_t row = 0; row < labels->count; row++) {
    if (!labels->usable[row]) continue;
    predictions->label_row[predictions->count] = row;
    predictions->probability[predictions->count++] = by_row[row];
  }
  return FMLP_OK;
}

fmlp_status fmlp_model_predict(const fmlp_model_result *model, const fmlp_features *features,
                               const fmlp_labels *labels, fmlp_predictions *predictions, fmlp_error *error) {
  FMLP_SPAN("model.predict");
  const double **columns = NULL;
  float *inputs = NULL;
  double *probability = NULL, *by_row = NULL;
  memset(predictions, 0, sizeof *predictions);
  fmlp_status status = fmlp_alloc(&columns, model->feature_count, sizeof *columns, "model inputs", error);
  if (status == FMLP_OK) status = find_columns(model, features, columns, error);
  if (status == FMLP_OK)
    status = fmlp_alloc(&inputs, labels->count, (size_t)model->feature_count * sizeof *inputs, "model inputs",
                        error);
  if (status == FMLP_OK)
    status = fmlp_alloc(&probability, labels->count, sizeof(double), "probabilities", error);
  if (status == FMLP_OK) status = fmlp_alloc(&by_row, labels->count, sizeof(double), "probabilities", error);
  for (int side = 1; side >= -1 && status == FMLP_OK; side -= 2) {
    status = predict_side(model, columns, labels, (int8_t)side, inputs, probability, by_row, error);
  }
  if (status == FMLP_OK) status = keep_usable(labels, by_row, predictions, error);
  if (status != FMLP_OK) fmlp_predictions_release(predictions);
  fmlp_free(columns);
  fmlp_free(inputs);
  fmlp_free(probability);
  fmlp_free(by_row);
  return status;
}

fmlp_status fmlp_model_score(const fmlp_labels *labels, const fmlp_predictions *predictions,
                             fmlp_fold_score *score, fmlp_error *error) {
  int8_t *target = NULL;
  FMLP_TRY(fmlp_alloc(&target, predictions->count, sizeof *target, "scores", error));
  for (int64_t i = 0; i < predictions->count; i++) target[i] = labels->label[predictions->label_row[i]] > 0;
  memset(score, 0, sizeof *score);
  fmlp_status status = fmlp_score_fold(predictions->count, predictions->probability, target, score, error);
  fmlp_free(target);
  return status;
}
