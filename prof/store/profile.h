/* A profile: what is kept of a run's measurement. Facts about the run, and one capture for each time it ran
 * (fmlp run --repeat): what a comparison needs to tell a change from noise. */
#ifndef FMLP_PROF_STORE_PROFILE_H
#define FMLP_PROF_STORE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "prof/capture.h"

/* Facts that every program tells, as far as it knows them. Others may stand beside them. */
#define FMLP_FACT_NAME    "name"    /* of the experiment */
#define FMLP_FACT_CREATED "created" /* 2026-01-31T12:00:00Z */
#define FMLP_FACT_VERSION "version" /* of the program, with its commit */
#define FMLP_FACT_BUILD   "build"   /* compiler and flags */
#define FMLP_FACT_MACHINE "machine" /* processor and the number of threads used */
#define FMLP_FACT_DEVICE  "device"  /* backend, GPU and driver */
#define FMLP_FACT_INPUT   "input"   /* hash of what was read */
#define FMLP_FACT_CONFIG  "config"  /* hash of what was asked */
#define FMLP_FACT_OUTPUTS "outputs" /* hash of what came out: equal hashes, equal bytes */
#define FMLP_FACT_RUN     "run"     /* the run's folder */
#define FMLP_FACT_REPEATS "repeats" /* how often it was run, and whether the outputs were equal */

typedef struct fmlp_profile_fact {
  char *key, *value;
} fmlp_profile_fact;

typedef struct fmlp_profile {
  int32_t fact_count;
  fmlp_profile_fact *facts;
  int32_t capture_count;
  fmlp_capture **captures; /* the first with everything, repeats without single spans */
} fmlp_profile;

/* An empty one; NULL when memory runs out. fmlp_profile_free frees what was added, too. */
fmlp_profile *fmlp_profile_create(void);
void fmlp_profile_free(fmlp_profile *profile);

/* Sets a fact, replacing an earlier one of that key; false when memory runs out. */
bool fmlp_profile_set(fmlp_profile *profile, const char *key, const char *value);

/* The fact, NULL when it is not told. */
const char *fmlp_profile_get(const fmlp_profile *profile, const char *key);

/* Takes the capture over, whether or not it succeeds; false when memory runs out. */
bool fmlp_profile_add(fmlp_profile *profile, fmlp_capture *capture);

/* The same for another run of the same. Kept are its call paths and device operations; single spans, calls,
 * samples and curves, of which there may be many, are the first's alone. */
bool fmlp_profile_add_repeat(fmlp_profile *profile, fmlp_capture *capture);

/* Reads a profile file of any version that this program knows. NULL with one line in `message` (capacity
 * bytes) when it is missing, cut, changed, newer, or contradicts itself. The caller frees it. */
fmlp_profile *fmlp_profile_load(const char *path, char *message, int64_t capacity);

#endif
