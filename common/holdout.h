/* The held-out file (data.test_path): the same stages on a second file, predicted by the final model, which
 * never saw it, and backtested. */
#ifndef FMLP_COMMON_HOLDOUT_H
#define FMLP_COMMON_HOLDOUT_H

#include "common/contracts/backend.h"
#include "common/io/run_folder.h"
#include "common/results.h"

/* Runs settings->data.test_path with the final model of `trained` and writes test/: bars, labels and
 * predictions as columns, trades.csv, equity.csv and metrics.json. Prices are read in the points of the
 * training file. FMLP_ERR_INPUT when the file cannot be used or lacks an input of the model. On success the
 * caller owns `holdout` (fmlp_holdout_release); on failure it is empty. */
FMLP_WARN_UNUSED fmlp_status fmlp_holdout_run(const fmlp_settings *settings, const fmlp_compute *compute,
                                              const fmlp_results *trained, fmlp_run_folder *folder,
                                              fmlp_holdout *holdout, fmlp_error *error);

#endif
