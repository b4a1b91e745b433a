/* Models: trained per split, giving out-of-sample probabilities of label > 0. */
#ifndef FMLP_COMMON_STAGES_MODEL_H
#define FMLP_COMMON_STAGES_MODEL_H

#include "common/config/settings.h"
#include "common/core/dataset.h"

/* A serialised model (XGBoost UBJSON), owned. */
typedef struct fmlp_model_bytes {
  int64_t count;
  char *bytes;
} fmlp_model_bytes;

typedef struct fmlp_fold_score {
  double auc; /* ROC AUC on the split's test rows, NaN with one class */
  double accuracy;
  double log_loss;  /* probabilities clipped to [1e-15, 1 - 1e-15] */
  double base_rate; /* share of label > 0 among the test rows */
  int64_t train_rows, test_rows;
} fmlp_fold_score;

typedef struct fmlp_model_result {
  fmlp_predictions predictions;
  int32_t split_count;
  fmlp_fold_score *scores;  /* [split_count] */
  fmlp_model_bytes *models; /* [split_count] */
  fmlp_model_bytes final;   /* trained on every usable row */
  int32_t feature_count;
  fmlp_name *feature_names; /* [feature_count] the model's inputs */
  double *importance;       /* [feature_count] mean total gain over splits, normalised to sum 1 */
  double *importance_std;   /* [feature_count] ddof 1 over splits */
} fmlp_model_result;

void fmlp_model_result_release(fmlp_model_result *result);

/* Trains one model per split and side, predicts the split's test rows, and a final model on everything
 * usable. The inputs are the feature columns with model_input set and nothing else. Same bits at any thread
 * count. */
FMLP_WARN_UNUSED fmlp_status fmlp_model_run(const fmlp_settings *settings, const fmlp_features *features,
                                            const fmlp_labels *labels, const fmlp_folds *folds,
                                            fmlp_model_result *result, fmlp_error *error);
#endif
