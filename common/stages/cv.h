/* Cross-validation: purged, embargoed splits over labels, and the paths their test groups recombine to. */
#ifndef FMLP_COMMON_STAGES_CV_H
#define FMLP_COMMON_STAGES_CV_H

#include "common/config/settings.h"
#include "common/core/dataset.h"
#include "common/io/columns.h"

/* Splits the usable label rows. Rows of one event bar (its long and its short label) always stay together.
 *
 *   cpcv           n_groups choose n_test_groups splits in lexicographic order; a group's p-th split belongs
 *                  to path p, which gives C(n_groups, n_test_groups) * n_test_groups / n_groups paths
 *   purged_kfold   n_splits groups (n_groups where unset), each tested once: one path
 *   walk_forward   n_splits + 1 equal groups, or tests of `test_size` events at the end; split s trains on
 *                  everything before test s, less `gap` events: one causal path that starts at the first test
 *   time_series    the same with the division of scikit-learn's TimeSeriesSplit: tests of equal size, the
 *                  remainder to the first training set
 *
 * Labels must be in order of event_bar. FMLP_ERR_USAGE for impossible settings, FMLP_ERR_INPUT when there are
 * too few events for the folds or a split is left without training rows; `folds` is then empty. */
FMLP_WARN_UNUSED fmlp_status fmlp_cv_split(const fmlp_validation_settings *settings,
                                           const fmlp_labels *labels, fmlp_folds *folds, fmlp_error *error);

/* Writes folds/fold_NN_train and folds/fold_NN_test (int64 rows of labels/). */
FMLP_WARN_UNUSED fmlp_status fmlp_folds_export(const fmlp_folds *folds, const fmlp_column_sink *sink,
                                               fmlp_error *error);
#endif
