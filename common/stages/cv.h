/* Cross-validation: purged, embargoed splits over labels, and the paths their test groups recombine to. */
#ifndef FMLP_COMMON_STAGES_CV_H
#define FMLP_COMMON_STAGES_CV_H

#include "common/config/settings.h"
#include "common/core/dataset.h"

/* Splits the usable label rows. FMLP_ERR_INPUT when there are too few events for the folds. */
FMLP_WARN_UNUSED fmlp_status fmlp_cv_split(const fmlp_validation_settings *settings,
                                           const fmlp_labels *labels, fmlp_folds *folds, fmlp_error *error);
#endif
