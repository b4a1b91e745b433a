/* How good probabilities are, against what happened. */
#ifndef FMLP_COMMON_STAGES_MODEL_SCORE_H
#define FMLP_COMMON_STAGES_MODEL_SCORE_H

#include <stdint.h>

#include "common/core/status.h"
#include "common/stages/model.h"

/* Area under the ROC curve from integer ranks (Mann-Whitney), ties counted half: exact but for the last
 * division. NaN without both classes. `target` is [count] of 0 and 1. */
FMLP_WARN_UNUSED fmlp_status fmlp_score_auc(int64_t count, const double *probability, const int8_t *target,
                                            double *auc, fmlp_error *error);

/* Fills auc, accuracy, log_loss, base_rate and test_rows; all NaN for no rows. */
FMLP_WARN_UNUSED fmlp_status fmlp_score_fold(int64_t count, const double *probability, const int8_t *target,
                                             fmlp_fold_score *score, fmlp_error *error);

/* Scores of every split from predictions that hold each test row of each split once:
 * scores[folds->split_count]. FMLP_ERR_INPUT when the predictions are not those of the folds. */
FMLP_WARN_UNUSED fmlp_status fmlp_score_splits(const fmlp_labels *labels, const fmlp_folds *folds,
                                               const fmlp_predictions *predictions, fmlp_fold_score *scores,
                                               fmlp_error *error);
#endif
