/* manifest.json: what a run was, so that it can be read, compared and repeated. */
#ifndef FMLP_COMMON_PIPELINE_MANIFEST_H
#define FMLP_COMMON_PIPELINE_MANIFEST_H

#include <jansson.h>

#include "common/pipeline_finish.h"

enum { FMLP_MANIFEST_VERSION = 1, FMLP_MANIFEST_PATH = 4096 };

/* Writes manifest.json into the folder. The fields that may differ between machines, devices and moments
 * stand under "environment"; everything else is the same wherever the same run is repeated. */
FMLP_WARN_UNUSED fmlp_status fmlp_manifest_write(const fmlp_finish_input *input, fmlp_run_folder *folder,
                                                 fmlp_error *error);

/* Reads manifest.json of `run` as it stands: its path goes to path[FMLP_MANIFEST_PATH] for messages, the
 * caller owns `*manifest` (json_decref). FMLP_ERR_INPUT when there is none. */
FMLP_WARN_UNUSED fmlp_status fmlp_manifest_open(const char *run, char *path, json_t **manifest,
                                                fmlp_error *error);

/* What a later run needs to know of a finished one. */
typedef struct fmlp_manifest_facts {
  char input_hash[40]; /* XXH3-128 of the input file, hexadecimal; "" when it read none */
  fmlp_tick_kind kind;
  bool has_sizes;
  fmlp_scale price, size_unit;
  char stages[128];                           /* what it ran, as --stages takes it; "" when it ran nothing */
  int64_t events, no_distance, no_room, ties; /* of the labels stage: what its columns do not tell */
  int32_t feature_count;
  char **feature_names; /* [feature_count] in the order of the table, owned */
} fmlp_manifest_facts;

/* FMLP_ERR_INPUT when `run` is no folder of a finished run or was written by a newer version. On success the
 * caller owns the facts (fmlp_manifest_facts_release). */
FMLP_WARN_UNUSED fmlp_status fmlp_manifest_read(const char *run, fmlp_manifest_facts *facts,
                                                fmlp_error *error);
/* Checks every stored column of `group` ("bars", "labels") against its hash in the manifest: FMLP_ERR_INPUT
 * names one that is missing or not what the run wrote, or says that there is none. */
FMLP_WARN_UNUSED fmlp_status fmlp_manifest_check_columns(const char *run, const char *group,
                                                         fmlp_error *error);

void fmlp_manifest_facts_release(fmlp_manifest_facts *facts);

#endif
