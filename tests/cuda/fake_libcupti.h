/* A libcupti.so.13 for machines without a GPU: keeps activity records of what it is told, as CUPTI would of
 * what the driver does, and refuses what its environment says:
 *
 *   FMLP_FAKE_CUPTI_VERSION    of cuptiGetVersion (default 130001)
 *   FMLP_FAKE_CUPTI_SUBSCRIBE  result of cuptiSubscribe_v2
 *   FMLP_FAKE_CUPTI_HOLDER     who holds the seat, told with result 39
 *   FMLP_FAKE_CUPTI_ENABLE     result of cuptiActivityEnable(CONCURRENT_KERNEL)
 *   FMLP_FAKE_CUPTI_TIMESTAMP  result of cuptiActivityRegisterTimestampCallback: times are then
 * CLOCK_REALTIME FMLP_FAKE_CUPTI_DROPPED    records said to be lost, once
 *
 * The program finds it by name (LD_LIBRARY_PATH); those who tell it what happens ask for its one function. */
#ifndef FMLP_TESTS_CUDA_FAKE_LIBCUPTI_H
#define FMLP_TESTS_CUDA_FAKE_LIBCUPTI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fmlp_fake_operation {
  int kind; /* of cupti_layout.h: CONCURRENT_KERNEL, MEMCPY, MEMSET */
  int copy; /* enum cupti_copy */
  uint32_t correlation;
  const char *name; /* of a kernel, mangled; static */
  uint32_t device, stream;
  uint64_t start, end;
  uint64_t bytes;
  int32_t blocks, threads, shared;
} fmlp_fake_operation;

typedef struct fmlp_fake_cupti {
  uint64_t (*now)(void);
  /* A call of the runtime, by its name (static): its correlation. */
  uint32_t (*begin_call)(const char *name);
  /* `waited`: enum cupti_wait, 0 when it did not. */
  void (*end_call)(uint32_t correlation, int waited);
  void (*operation)(const fmlp_fake_operation *operation);
  /* Bytes of device memory at `address` taken, or given back (0). */
  void (*memory)(uint64_t address, uint64_t bytes, uint32_t device);
} fmlp_fake_cupti;

/* Looked up by name in the library. */
const fmlp_fake_cupti *fmlp_fake_cupti_table(void);

#ifdef __cplusplus
}
#endif
#endif
