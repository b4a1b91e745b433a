/* The model stage's files other than columns, and predictions read back. */
#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/io/columns.h"
#include "common/io/text.h"
#include "common/stages/model.h"
#include "common/stages/model_score.h"
#include "prof/span.h"

/* Largest importance first, features in their own order where equal. */
static void sort_by_importance(const fmlp_model_result *result, int32_t *order) {
  for (int32_t f = 0; f < result->feature_count; f++) {
    int32_t at = f;
    for (; at > 0 && result->importance[f] > result->importance[order[at - 1]]; at--)
      order[at] = order[at - 1];
    order[at] = f;
  }
}

static fmlp_status write_importance(const fmlp_model_result *result, const int32_t *order, fmlp_text *text,
                                    fmlp_run_folder *folder, fmlp_error *error) {
  fmlp_text_append(text, "feature,importance,std\n");
  for (int32_t i = 0; i < result->feature_count; i++) {
    fmlp_text_append(text, result->feature_names[order[i]].text);
    fmlp_text_append(text, ",");
    fmlp_text_double(text, result->importance[order[i]]);
    fmlp_text_append(text, ",");
    fmlp_text_double(text, result->importance_std[order[i]]);
    fmlp_text_append(text, "\n");
  }
  FMLP_TRY(fmlp_text_finish(text, error));
  return fmlp_run_folder_write(folder, "feature_importance.csv", text->bytes, text->count, error);
}

fmlp_status fmlp_model_write(const fmlp_model_result *result, fmlp_run_folder *folder, fmlp_error *error) {
  FMLP_SPAN("model.write");
  for (int32_t i = 0; i < result->model_count; i++) {
    char path[FMLP_NAME_CAPACITY + 16];
    (void)snprintf(path, sizeof path, "model/%s.ubj", result->models[i].name.text);
    FMLP_TRY(fmlp_run_folder_write(folder, path, result->models[i].bytes, result->models[i].count, error));
  }
  int32_t *order = NULL;
  FMLP_TRY(fmlp_alloc(&order, result->feature_count, sizeof *order, "feature order", error));
  sort_by_importance(result, order);
  fmlp_text text = {0};
  fmlp_status status = write_importance(result, order, &text, folder, error);
  fmlp_text_release(&text);
  fmlp_free(order);
  return status;
}

static fmlp_status import_column(const char *run_path, const char *name, fmlp_type wanted, int64_t *rows,
                                 void *out, fmlp_error *error) {
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/predictions/%s.npy", run_path, name);
  if (length < 0 || (size_t)length >= sizeof path)
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: the path is too long", run_path);
  fmlp_type type;
  int64_t found = 0;
  void *data = NULL;
  FMLP_TRY(fmlp_npy_read(path, &type, &found, &data, error));
  memcpy(out, &data, sizeof data);
  if (type != wanted || (*rows >= 0 && found != *rows))
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "%s: not the type or length of the other predictions; the run is damaged", path);
  *rows = found;
  return FMLP_OK;
}

static fmlp_status import_columns(const char *run_path, int64_t labels, fmlp_predictions *predictions,
                                  fmlp_error *error) {
  int64_t rows = -1;
  FMLP_TRY(import_column(run_path, "label_row", FMLP_INT64, &rows, &predictions->label_row, error));
  FMLP_TRY(import_column(run_path, "split", FMLP_INT64, &rows, &predictions->split, error));
  FMLP_TRY(import_column(run_path, "path", FMLP_INT64, &rows, &predictions->path, error));
  FMLP_TRY(import_column(run_path, "probability", FMLP_FLOAT64, &rows, &predictions->probability, error));
  for (int64_t i = 0; i < rows; i++) {
    if (predictions->label_row[i] < 0 || predictions->label_row[i] >= labels || predictions->path[i] < 0 ||
        predictions->split[i] < 0)
      return fmlp_fail(error, FMLP_ERR_INPUT, "%s: prediction %lld names a row that labels/ does not have",
                       run_path, (long long)i);
  }
  predictions->count = rows;
  return FMLP_OK;
}

fmlp_status fmlp_predictions_import(const char *run_path, int64_t labels, fmlp_predictions *predictions,
                                    fmlp_error *error) {
  memset(predictions, 0, sizeof *predictions);
  fmlp_status status = import_columns(run_path, labels, predictions, error);
  if (status != FMLP_OK) fmlp_predictions_release(predictions);
  return status;
}

static fmlp_status import_result(const char *run_path, const fmlp_labels *labels, const fmlp_folds *folds,
                                 fmlp_model_result *result, fmlp_error *error) {
  FMLP_TRY(fmlp_predictions_import(run_path, labels->count, &result->predictions, error));
  FMLP_TRY(fmlp_alloc_zero(&result->scores, folds->split_count, sizeof *result->scores, "scores", error));
  result->split_count = folds->split_count;
  return fmlp_score_splits(labels, folds, &result->predictions, result->scores, error);
}

fmlp_status fmlp_model_import(const char *run_path, const fmlp_labels *labels, const fmlp_folds *folds,
                              fmlp_model_result *result, fmlp_error *error) {
  memset(result, 0, sizeof *result);
  fmlp_status status = import_result(run_path, labels, folds, result, error);
  if (status != FMLP_OK) fmlp_model_result_release(result);
  return status;
}
