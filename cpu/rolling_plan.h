/* The schedule cpu/rolling.c runs: nodes gathered into steps that share tree levels, and where every column
 * lives.
 */
#ifndef FMLP_CPU_ROLLING_PLAN_H
#define FMLP_CPU_ROLLING_PLAN_H

#include "cpu/rolling_kernels.h"

/* Nodes of one family over the same operands, executed together. */
typedef struct fmlp_rolling_step {
  fmlp_rolling_family family;
  int32_t stage;      /* steps of a stage run block by block; the recursive ones at its end */
  int32_t first_node; /* in `order` */
  int32_t node_count;
  int32_t a, b;     /* columns, -1 for none */
  int64_t lag;      /* autocorr */
  int64_t lookback; /* rows before a row that its value depends on */
  int64_t need;     /* rows before a block that later steps ask of it */
  int64_t weights;  /* fracdiff: offset of its weights */
  int64_t weight_count;
  int64_t sorted; /* order: offset of two arrays of sorted_size for the window's values */
  int64_t sorted_size;
} fmlp_rolling_step;

/* A column: an input or a node's result. Columns 0 .. input_count-1 are the inputs. */
typedef struct fmlp_rolling_place {
  const double *whole; /* readable in full: an input, or what an earlier stage finished */
  double *store;       /* where a node's column goes: an output or a temporary column; NULL when it stays in
                          the block */
  int64_t local;       /* offset of its block in a worker's memory; -1 when it goes straight to `store` */
  int64_t need;        /* rows before the block its readers ask for */
  int32_t stage;
  bool kept; /* read by a later stage or a recursive step */
} fmlp_rolling_place;

typedef struct fmlp_rolling_schedule {
  const fmlp_rolling_plan *plan;
  int64_t rows;
  int64_t block; /* rows of a block */
  int64_t chunk; /* rows of a chunk, whole blocks: one parallel task */
  int32_t stages;
  int32_t step_count;
  fmlp_rolling_step *steps;
  int32_t *order;             /* [node_count] nodes by step, ascending window within one */
  fmlp_rolling_place *places; /* [input_count + node_count] */
  double *weights;            /* of all fracdiff steps */
  double **temporaries;       /* [node_count] whole columns of intermediates, NULL mostly */
  int64_t worker_doubles;     /* a worker's memory: local blocks, sorted windows, scratch */
  int64_t scratch;            /* offset of the kernels' scratch in it */
} fmlp_rolling_schedule;

/* Makes the schedule of a validated plan. `block` 0 lets it choose. Release it whatever the outcome. */
FMLP_WARN_UNUSED fmlp_status fmlp_rolling_schedule_make(const fmlp_rolling_plan *plan, int64_t rows,
                                                        int64_t block, const double *const *inputs,
                                                        double *const *outputs,
                                                        fmlp_rolling_schedule *schedule, fmlp_error *error);
void fmlp_rolling_schedule_release(fmlp_rolling_schedule *schedule);

/* Tests: rows of a block and of a chunk for the next calls, 0 to let the schedule choose. */
void fmlp_cpu_rolling_block(int64_t rows);

#endif
