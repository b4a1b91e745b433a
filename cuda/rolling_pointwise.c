/* Programs of rolling_pointwise.cuh: how they are put together, and the launch. */
#include "cuda/rolling_pointwise.h"

#include <assert.h>

#include "common/core/bits.h"

enum { THREADS = 256, BLOCKS_A_MULTIPROCESSOR = 64, OPERANDS = 2 };

bool fmlp_gpu_program_has_room(const fmlp_gpu_program *program) {
  const fmlp_gpu_rolling_pointwise_args *args = &program->args;
  /* Targets are numbered last: one is set aside for every instruction. */
  return args->length < FMLP_GPU_PROGRAM_LENGTH &&
         args->column_count + OPERANDS + args->length + 1 <= FMLP_GPU_PROGRAM_COLUMNS &&
         args->constant_count + OPERANDS <= FMLP_GPU_PROGRAM_CONSTANTS &&
         program->taken_slots != (1u << FMLP_GPU_PROGRAM_SLOTS) - 1;
}

int16_t fmlp_gpu_program_column_number(fmlp_gpu_program *program, int32_t column) {
  int32_t *count = &program->args.column_count, number = 0;
  while (number < *count && program->column_of[number] != column) number++;
  if (number == *count) {
    assert(*count < FMLP_GPU_PROGRAM_COLUMNS);
    program->column_of[(*count)++] = column;
  }
  return (int16_t)number;
}

int16_t fmlp_gpu_program_constant(fmlp_gpu_program *program, double value) {
  int32_t *count = &program->args.constant_count, number = 0;
  const double stored = fmlp_canonical(value);
  while (number < *count && fmlp_bits_of(program->args.constants[number]) != fmlp_bits_of(stored)) number++;
  if (number == *count) {
    assert(*count < FMLP_GPU_PROGRAM_CONSTANTS);
    program->args.constants[(*count)++] = stored;
  }
  return (int16_t)(FMLP_GPU_FROM_CONSTANT + number);
}

int8_t fmlp_gpu_program_take_slot(fmlp_gpu_program *program) {
  int8_t slot = 0;
  while (program->taken_slots >> slot & 1) slot++;
  assert(slot < FMLP_GPU_PROGRAM_SLOTS);
  program->taken_slots |= 1u << slot;
  if (slot >= program->args.slot_count) program->args.slot_count = slot + 1;
  return slot;
}

fmlp_status fmlp_gpu_rolling_pointwise(fmlp_device *device, const fmlp_gpu_rolling_pointwise_args *args,
                                       fmlp_error *error) {
  const int64_t slots = (int64_t)args->slot_count * FMLP_GPU_PROGRAM_ROWS;
  int32_t threads = fmlp_gpu_threads(device, THREADS);
  while (threads > 32 &&
         (int64_t)FMLP_SHARED_SIZE(double, slots *threads) > device->limits.shared_per_block) {
    threads -= 32;
  }
  const int64_t tile = (int64_t)threads * FMLP_GPU_PROGRAM_ROWS;
  const int64_t tiles = (args->last - args->first + tile - 1) / tile;
  const int64_t most = (int64_t)device->limits.multiprocessors * BLOCKS_A_MULTIPROCESSOR;
  return fmlp_gpu_launch(device, FMLP_GPU_rolling_pointwise, tiles < most ? tiles : most, threads,
                         FMLP_SHARED_SIZE(double, slots *threads), args, error);
}
