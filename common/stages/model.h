/* Models: trained per split, giving out-of-sample probabilities of label > 0. */
#ifndef FMLP_COMMON_STAGES_MODEL_H
#define FMLP_COMMON_STAGES_MODEL_H

#include "common/config/settings.h"
#include "common/core/dataset.h"
#include "common/io/columns.h"
#include "common/io/run_folder.h"

/* A serialised model (XGBoost UBJSON), owned. Its file is model/<name>.ubj: fold_NN and final; where labels
 * have both sides there is a model a side, fold_NN_long and fold_NN_short. A forest's margin is the sum of
 * its trees: probability = margin / trees (attribute "trees"). */
typedef struct fmlp_saved_model {
  fmlp_name name;
  int64_t count;
  char *bytes;
} fmlp_saved_model;

typedef struct fmlp_fold_score {
  double auc;       /* ROC AUC on the split's test rows, NaN with one class */
  double accuracy;  /* at probability 0.5 */
  double log_loss;  /* probabilities clipped to [1e-15, 1 - 1e-15] */
  double base_rate; /* share of label > 0 among the test rows */
  int64_t train_rows, test_rows;
} fmlp_fold_score;

typedef struct fmlp_model_result {
  fmlp_predictions predictions;
  int32_t split_count;
  fmlp_fold_score *scores; /* [split_count] */
  int32_t model_count;
  fmlp_saved_model
      *models; /* [model_count] every split's, then the final ones, trained on every usable row */
  int32_t feature_count;
  fmlp_name *feature_names; /* [feature_count] the model's inputs */
  double *importance;       /* [feature_count] share of total gain, mean over splits; sums to 1 (or 0) */
  double *importance_std;   /* [feature_count] ddof 1 over splits, NaN for one split */
} fmlp_model_result;

void fmlp_model_result_release(fmlp_model_result *result);

/* Trains one model per split and side, predicts the split's test rows, and a final model on everything
 * usable. The inputs are the feature columns with model_input set and nothing else. Same bits at any thread
 * count. FMLP_ERR_USAGE for a model this build does not have or no input at all; FMLP_ERR_INPUT when a side
 * has nothing to train on. On failure `result` is empty. */
FMLP_WARN_UNUSED fmlp_status fmlp_model_run(const fmlp_settings *settings, const fmlp_features *features,
                                            const fmlp_labels *labels, const fmlp_folds *folds,
                                            fmlp_model_result *result, fmlp_error *error);

/* Probabilities of the final model for the usable rows of other labels and their features, as one path (path
 * and split 0). Features are found by name: FMLP_ERR_INPUT when one is missing. On success the caller owns
 * `predictions`. */
FMLP_WARN_UNUSED fmlp_status fmlp_model_predict(const fmlp_model_result *model, const fmlp_features *features,
                                                const fmlp_labels *labels, fmlp_predictions *predictions,
                                                fmlp_error *error);

/* Scores predictions against the labels they are of. */
FMLP_WARN_UNUSED fmlp_status fmlp_model_score(const fmlp_labels *labels, const fmlp_predictions *predictions,
                                              fmlp_fold_score *score, fmlp_error *error);

/* Writes predictions/{label_row,split,path,probability}. */
FMLP_WARN_UNUSED fmlp_status fmlp_predictions_export(const fmlp_predictions *predictions,
                                                     const fmlp_column_sink *sink, fmlp_error *error);

/* Reads predictions/ of a finished run over `labels` label rows; owned by the caller on success, empty on
 * failure. FMLP_ERR_INPUT for missing columns, different lengths, or rows out of range. */
FMLP_WARN_UNUSED fmlp_status fmlp_predictions_import(const char *run_path, int64_t labels,
                                                     fmlp_predictions *predictions, fmlp_error *error);

/* What a finished run tells of its model without training it again: predictions and each split's scores.
 * Owned by the caller on success, empty on failure; FMLP_ERR_INPUT also where the predictions are not those
 * of `folds`. */
FMLP_WARN_UNUSED fmlp_status fmlp_model_import(const char *run_path, const fmlp_labels *labels,
                                               const fmlp_folds *folds, fmlp_model_result *result,
                                               fmlp_error *error);

/* Writes model/<name>.ubj and feature_importance.csv (feature,importance,std; the largest first). */
FMLP_WARN_UNUSED fmlp_status fmlp_model_write(const fmlp_model_result *result, fmlp_run_folder *folder,
                                              fmlp_error *error);
#endif
