/* The model stage's files other than columns. */
#include <stdio.h>

#include "common/core/memory.h"
#include "common/io/text.h"
#include "common/stages/model.h"
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
