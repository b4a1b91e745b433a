/* The stages as a table: what each needs, and whether a finished run stores what it gives. */
#include "common/pipeline_plan.h"

#include <string.h>

#define NEEDS(stage) (1u << (stage))

typedef struct stage_row {
  const char *name;
  const char *section;
  unsigned needs; /* stages whose results it reads */
  bool stored;    /* a run folder holds its results, so that a later run can load them */
} stage_row;

static const stage_row rows[FMLP_STAGE_COUNT] = {
    [FMLP_STAGE_READ] = {"read", "data", 0, false},
    [FMLP_STAGE_CLEAN] = {"clean", "cleaning", NEEDS(FMLP_STAGE_READ), false},
    [FMLP_STAGE_BARS] = {"bars", "bars", NEEDS(FMLP_STAGE_CLEAN), true},
    [FMLP_STAGE_FEATURES] = {"features", "features", NEEDS(FMLP_STAGE_BARS), true},
    [FMLP_STAGE_LABELS] = {"labels", "labeling",
                           NEEDS(FMLP_STAGE_CLEAN) | NEEDS(FMLP_STAGE_BARS) | NEEDS(FMLP_STAGE_FEATURES),
                           true},
    /* Labels name bars, so whoever loads them needs the bars to check them against. */
    [FMLP_STAGE_VALIDATION] = {"validation", "validation", NEEDS(FMLP_STAGE_BARS) | NEEDS(FMLP_STAGE_LABELS),
                               false},
    [FMLP_STAGE_MODEL] = {"model", "model",
                          NEEDS(FMLP_STAGE_BARS) | NEEDS(FMLP_STAGE_FEATURES) | NEEDS(FMLP_STAGE_LABELS) |
                              NEEDS(FMLP_STAGE_VALIDATION),
                          true},
    [FMLP_STAGE_BACKTEST] = {"backtest", "backtest",
                             NEEDS(FMLP_STAGE_CLEAN) | NEEDS(FMLP_STAGE_BARS) | NEEDS(FMLP_STAGE_LABELS) |
                                 NEEDS(FMLP_STAGE_VALIDATION) | NEEDS(FMLP_STAGE_MODEL),
                             false},
    [FMLP_STAGE_RISK] = {"risk", "risk", NEEDS(FMLP_STAGE_BACKTEST), false},
    [FMLP_STAGE_REPORT] = {"report", "report", 0, false},
};

const char *fmlp_stage_name(fmlp_stage stage) {
  return rows[stage].name;
}

const char *fmlp_stage_section(fmlp_stage stage) {
  return rows[stage].section;
}

bool fmlp_stage_depends_on(fmlp_stage stage, fmlp_stage supplier) {
  unsigned all = NEEDS(stage);
  for (int s = (int)stage; s >= 0; s--) { /* suppliers stand before those they supply */
    if (all & NEEDS(s)) all |= rows[s].needs;
  }
  return (all & NEEDS(supplier)) != 0;
}

static fmlp_status unknown_stage(const char *name, int length, fmlp_error *error) {
  return fmlp_fail(
      error, FMLP_ERR_USAGE,
      "--stages: unknown stage '%.*s'; stages are read, clean, bars, features, labels, validation, model, "
      "backtest, risk, report",
      length, name);
}

static fmlp_status mark_listed(const char *stages, fmlp_stage_plan *plan, fmlp_error *error) {
  for (const char *name = stages;;) {
    size_t length = strcspn(name, ",");
    int found = -1;
    for (int s = 0; s < FMLP_STAGE_COUNT; s++) {
      if (strlen(rows[s].name) == length && strncmp(rows[s].name, name, length) == 0) found = s;
    }
    if (found < 0) return unknown_stage(name, (int)length, error);
    plan->action[found] = FMLP_STAGE_RUN;
    if (name[length] == '\0') return FMLP_OK;
    name += length + 1;
  }
}

/* The report shows whatever the run has; asked for alone, it is about everything. */
static unsigned needs_of(const fmlp_stage_plan *plan, int stage) {
  if (stage != FMLP_STAGE_REPORT) return rows[stage].needs;
  for (int s = 0; s < FMLP_STAGE_REPORT; s++) {
    if (plan->action[s] == FMLP_STAGE_RUN) return 0;
  }
  return NEEDS(FMLP_STAGE_REPORT) - 1;
}

fmlp_status fmlp_stage_plan_make(const char *stages, bool from_run, fmlp_stage_plan *plan,
                                 fmlp_error *error) {
  memset(plan, 0, sizeof *plan);
  if (!stages) {
    for (int s = 0; s < FMLP_STAGE_COUNT; s++) plan->action[s] = FMLP_STAGE_RUN;
    return FMLP_OK;
  }
  FMLP_TRY(mark_listed(stages, plan, error));
  /* Backwards, so that a stage's own needs are known before its suppliers are looked at. */
  for (int s = FMLP_STAGE_COUNT - 1; s >= 0; s--) {
    if (plan->action[s] == FMLP_STAGE_SKIP || plan->action[s] == FMLP_STAGE_LOAD) continue;
    unsigned needs = needs_of(plan, s);
    for (int supplier = 0; supplier < s; supplier++) {
      if (!(needs & NEEDS(supplier)) || plan->action[supplier] != FMLP_STAGE_SKIP) continue;
      plan->action[supplier] = from_run && rows[supplier].stored ? FMLP_STAGE_LOAD : FMLP_STAGE_SUPPORT;
    }
  }
  return FMLP_OK;
}
