/* The ends of a run: what it takes from an earlier one, and what it leaves behind besides its columns. */
#ifndef FMLP_COMMON_PIPELINE_FINISH_H
#define FMLP_COMMON_PIPELINE_FINISH_H

#include "common/contracts/backend.h"
#include "common/io/run_folder.h"
#include "common/io/text.h"
#include "common/pipeline.h"
#include "common/pipeline_plan.h"
#include "common/results.h"
#include "prof/store/profile.h"

/* The folder this run goes to: the request's, or the configuration's. */
const char *fmlp_pipeline_run_dir(const fmlp_pipeline_request *request);

/* With `from`: FMLP_ERR_USAGE when the configuration of a stage that would be loaded differs from that run's.
 */
FMLP_WARN_UNUSED fmlp_status fmlp_check_same_sections(const fmlp_pipeline_request *request,
                                                      const fmlp_stage_plan *plan, fmlp_error *error);

/* With `from`: FMLP_ERR_INPUT when the file read now is not the one that run read. */
FMLP_WARN_UNUSED fmlp_status fmlp_check_same_input(const fmlp_pipeline_request *request,
                                                   const fmlp_read_report *read, fmlp_error *error);

/* Columns of the earlier run; owned by the caller on success, empty on failure. */
FMLP_WARN_UNUSED fmlp_status fmlp_load_bars(const fmlp_pipeline_request *request, fmlp_bars *bars,
                                            fmlp_error *error);
FMLP_WARN_UNUSED fmlp_status fmlp_load_features(const fmlp_pipeline_request *request, fmlp_features *features,
                                                fmlp_error *error);
FMLP_WARN_UNUSED fmlp_status fmlp_load_labels(const fmlp_pipeline_request *request, int64_t bars,
                                              const fmlp_features *features, fmlp_labels *labels,
                                              int64_t *events, fmlp_error *error);

typedef struct fmlp_finish_input {
  const fmlp_pipeline_request *request;
  const fmlp_settings *settings;
  const fmlp_stage_plan *plan;
  const fmlp_compute *compute;
  const fmlp_results *results;
  const fmlp_capture *capture; /* NULL when not profiling */
  const char *notice;          /* why the device is what it is, "" when there is nothing to say */
} fmlp_finish_input;

/* Writes config.yaml, overrides.yaml, manifest.json, log.txt and report.html. */
FMLP_WARN_UNUSED fmlp_status fmlp_pipeline_finish(const fmlp_finish_input *input, fmlp_run_folder *folder,
                                                  fmlp_error *error);

/* The facts of a run (prof/store/profile.h), told to its profile; `folder` holds all results. */
FMLP_WARN_UNUSED fmlp_status fmlp_profile_describe(const fmlp_finish_input *input,
                                                   const fmlp_run_folder *folder, fmlp_profile *profile,
                                                   fmlp_error *error);

/* Writes the profile, as a file and as views of its first capture, into profile/. */
FMLP_WARN_UNUSED fmlp_status fmlp_profile_write(const fmlp_profile *profile, fmlp_run_folder *folder,
                                                fmlp_error *error);

/* Before the work: FMLP_ERR_USAGE when runtime.profile_output_dir lies in the run's folder, FMLP_ERR_OTHER
 * when it cannot take a profile. */
FMLP_WARN_UNUSED fmlp_status fmlp_profile_check_folder(const fmlp_pipeline_request *request,
                                                       const fmlp_settings *settings, fmlp_error *error);

/* Puts the profile into the history in runtime.profile_output_dir (prof/store/history.h); nothing when the
 * key is not set. Where that fails by now there is a warning: the run's results are not given up for it. */
FMLP_WARN_UNUSED fmlp_status fmlp_profile_collect(const fmlp_settings *settings, const fmlp_profile *profile,
                                                  fmlp_error *error);

/* The run in a few figures. */
void fmlp_summary_headline(const fmlp_results *results, fmlp_run_headline *headline);

/* The run in a dozen lines, for standard output. */
void fmlp_summary_write(const fmlp_finish_input *input, fmlp_text *text);

#endif
