/* report.html: one self-contained page with inline charts; no network, no file beside it but the profile's page,
 * which it links. */
#ifndef FMLP_COMMON_STAGES_REPORT_H
#define FMLP_COMMON_STAGES_REPORT_H

#include "common/config/settings.h"
#include "common/core/bars.h"
#include "common/core/dataset.h"
#include "common/io/text.h"
#include "common/io/tick_reader.h"
#include "common/stages/bars_stage.h"
#include "common/stages/clean.h"
#include "common/stages/evaluation.h"
#include "common/stages/model.h"
#include "common/stages/risk.h"

/* One row of the timing table; times in ns. */
typedef struct fmlp_report_time {
  const char *name;     /* span, e.g. "labels" */
  const char *location; /* "file:line(function)" or NULL */
  int64_t calls;
  int64_t tottime, cumtime;
} fmlp_report_time;

typedef struct fmlp_report_pair {
  const char *key, *value;
} fmlp_report_pair;

/* What the final model did on the held-out file (data.test_path). */
typedef struct fmlp_report_held_out {
  const char *source;           /* the file */
  int64_t rows_read, rows_kept; /* ticks, before and after cleaning */
  int64_t labels;
  fmlp_fold_score score;
  const fmlp_evaluation *evaluation; /* one path; causal when the file begins after the training data ends */
} fmlp_report_held_out;

/* Everything the page shows. Every pointer may be NULL and every count 0: the section then says that the
 * stage did not run. Nothing is owned. */
typedef struct fmlp_report_input {
  const char *version; /* program version and commit */
  const char *created; /* when, as shown */
  const char *source;  /* the input file */
  const char *backend; /* e.g. "cpu (32 threads)" and why, in one line */
  const char *command_line;
  const fmlp_settings *settings;
  const fmlp_read_report *read;
  const fmlp_clean_report *clean;
  const fmlp_bars_report *bars_report;
  const fmlp_bars *bars;
  const fmlp_features *features;
  const fmlp_labels *labels;
  const fmlp_folds *folds;
  const fmlp_model_result *model;
  const fmlp_evaluation *evaluation;
  const fmlp_report_held_out *held_out; /* NULL: the page has no such section */
  const fmlp_risk_result *risk;
  int64_t wall_time; /* ns of the whole run, 0 = unknown; shares are of the sum of tottime over all rows */
  int64_t time_count;
  const fmlp_report_time *times;
  const char *profile_page; /* the profile's page as seen from this one, e.g. "profile/profile.html" */
  int64_t warning_count;
  const char *const *warnings;
  int64_t manifest_count;
  const fmlp_report_pair *manifest; /* excerpt */
} fmlp_report_input;

/* Appends the page to `text`; the same input gives the same bytes. Only memory can fail. */
FMLP_WARN_UNUSED fmlp_status fmlp_report_build(const fmlp_report_input *input, fmlp_text *text,
                                               fmlp_error *error);
#endif
