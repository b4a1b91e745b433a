/* Operators of one row, or of two rows k apart, as a program: many nodes in one launch, each column read
 * where it is needed and what only the program itself reads kept out of memory. The parameter of the kernel
 * in rolling_pointwise.cuh, and how the schedule (cuda/rolling_plan.c) fills it. */
#ifndef FMLP_CUDA_ROLLING_POINTWISE_H
#define FMLP_CUDA_ROLLING_POINTWISE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/contracts/rolling.h"
#include "cuda/device.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  FMLP_GPU_PROGRAM_LENGTH = 48,
  FMLP_GPU_PROGRAM_COLUMNS = 96, /* operands and targets */
  FMLP_GPU_PROGRAM_CONSTANTS = 48,
  FMLP_GPU_PROGRAM_SLOTS = 6, /* values of a row held at one time */
  FMLP_GPU_PROGRAM_ROWS = 4   /* rows of a thread at one time */
};

/* Where an instruction finds an operand: a column's number, or one of these plus the number of a slot or of a
 * constant. */
enum { FMLP_GPU_FROM_NOWHERE = -1, FMLP_GPU_FROM_SLOT = 256, FMLP_GPU_FROM_CONSTANT = 512 };

/* value = op(a[row], b[row - lag]), NaN where row < lag. Operators that look back have b = a. */
typedef struct fmlp_gpu_instruction {
  int64_t lag;
  int16_t a, b;
  int16_t target; /* column, or -1 */
  int8_t slot;    /* kept for later instructions, or -1 */
  int8_t op;      /* fmlp_operator */
} fmlp_gpu_instruction;

/* Device memory; row r stands at values[r - first]. */
typedef struct fmlp_gpu_program_column {
  double *values;
  int64_t first;
} fmlp_gpu_program_column;

typedef struct fmlp_gpu_rolling_pointwise_args {
  int64_t first, last; /* rows */
  int32_t length, column_count, constant_count, slot_count;
  fmlp_gpu_instruction instructions[FMLP_GPU_PROGRAM_LENGTH];
  fmlp_gpu_program_column columns[FMLP_GPU_PROGRAM_COLUMNS];
  double constants[FMLP_GPU_PROGRAM_CONSTANTS];
} fmlp_gpu_rolling_pointwise_args;

/* A program as the schedule writes it. */
typedef struct fmlp_gpu_program {
  fmlp_gpu_rolling_pointwise_args args;
  int32_t column_of[FMLP_GPU_PROGRAM_COLUMNS]; /* the plan's number of each column */
  int32_t node_of[FMLP_GPU_PROGRAM_LENGTH];    /* the node of each instruction */
  uint32_t taken_slots;                        /* bits */
} fmlp_gpu_program;

/* Whether any one more instruction finds room, its target included. */
bool fmlp_gpu_program_has_room(const fmlp_gpu_program *program);

/* The number, in the program, of a column of the plan or of a constant; added where it is new. */
int16_t fmlp_gpu_program_column_number(fmlp_gpu_program *program, int32_t column);
int16_t fmlp_gpu_program_constant(fmlp_gpu_program *program, double value);

/* A free slot; has_room promised one. */
int8_t fmlp_gpu_program_take_slot(fmlp_gpu_program *program);

/* Runs a program whose rows and columns are set. Asynchronous. */
FMLP_WARN_UNUSED fmlp_status fmlp_gpu_rolling_pointwise(fmlp_device *device,
                                                        const fmlp_gpu_rolling_pointwise_args *args,
                                                        fmlp_error *error);

#ifdef __cplusplus
}
#endif
#endif
