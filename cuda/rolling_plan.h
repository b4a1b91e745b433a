/* The schedule cuda/rolling.c runs: a plan's nodes gathered into steps of one launch or a few, in order, and
 * what every column is needed for. */
#ifndef FMLP_CUDA_ROLLING_PLAN_H
#define FMLP_CUDA_ROLLING_PLAN_H

#include <stdbool.h>

#include "cuda/rolling_kernels.h"
#include "cuda/rolling_pointwise.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Nodes executed together: a program, or a job of one of the other families. */
typedef struct fmlp_gpu_step {
  fmlp_rolling_family family;
  int32_t first_node, node_count; /* in `order` */
  int32_t a, b;                   /* columns, -1 for none; programs have their own lists */
  int64_t lag;                    /* autocorr */
  int64_t lookback;               /* rows before a row that are read of the operands */
  int32_t program;                /* pointwise: its number */
  int32_t state;                  /* recursive: the number of its state */
  int64_t weights, weight_count;  /* fracdiff: where its weights begin, how many count */
} fmlp_gpu_step;

/* A column: columns 0 .. input_count-1 are the inputs, then the nodes' results. */
typedef struct fmlp_gpu_place {
  bool stored;     /* somebody reads it, or it is an output: it needs memory */
  int64_t history; /* rows before the present ones that its readers ask for, at most `rows` */
  int32_t made;    /* step that writes it, -1 for inputs */
  int32_t last;    /* last step that touches it */
} fmlp_gpu_place;

typedef struct fmlp_gpu_schedule {
  const fmlp_rolling_plan *plan;
  int64_t rows;
  int32_t step_count;
  fmlp_gpu_step *steps;
  int32_t *order;         /* nodes by step, ascending window within a job */
  fmlp_gpu_place *places; /* [input_count + node_count] */
  int32_t program_count;
  fmlp_gpu_program *programs;
  int32_t state_count;
  int64_t weight_count; /* of all fracdiff steps */
  double *weights;
} fmlp_gpu_schedule;

/* Makes the schedule of a validated plan over rows > 0. Release it whatever the outcome. */
FMLP_WARN_UNUSED fmlp_status fmlp_gpu_schedule_make(const fmlp_rolling_plan *plan, int64_t rows,
                                                    fmlp_gpu_schedule *schedule, fmlp_error *error);
void fmlp_gpu_schedule_release(fmlp_gpu_schedule *schedule);

/* Bytes of device memory a row makes the steps read and write, each column once a step: an estimate for
 * reports and tests. */
int64_t fmlp_gpu_schedule_bytes_per_row(const fmlp_gpu_schedule *schedule);

#ifdef __cplusplus
}
#endif
#endif
