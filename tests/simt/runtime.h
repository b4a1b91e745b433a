/* The simt runtime (cuda/runtime.h on the host) as tests see it.
 *
 * Copies, fills and launches wait in their streams until something forces them: wait_mark, sync, close, or a
 * queue that grows long. With seed 0 no more runs than what is waited for needs, and sync empties downloads
 * before computations before uploads, so that what nothing orders comes in the wrong order; any other seed
 * draws which stream goes on, and lets some work run during every call. What a kernel does wrong fails the
 * calls that follow.
 *
 * Device memory begins as a pattern (NaNs with a payload, or large negative numbers, in turn), stands between
 * red zones that are looked at after every operation, and is a pattern again once released. Under ASan the
 * zones, released memory, and device memory (up to 1 MiB a piece) while nothing of the device runs are out of
 * bounds instead.
 *
 * For whole programs the environment says what a setup leaves open:
 *   FMLP_SIMT_SEED=7          FMLP_SIMT_MEMORY=64M          FMLP_SIMT_SHARED=48K FMLP_SIMT_CHECKS=off
 *   FMLP_SIMT_FAULT=lose_device=40,fail_allocation=3        the names of fmlp_simt_setup; flags want =1 */
#ifndef FMLP_TESTS_SIMT_RUNTIME_H
#define FMLP_TESTS_SIMT_RUNTIME_H

#include "cuda/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const fmlp_gpu_runtime fmlp_simt_runtime;

/* What the devices opened next are like. 0 stands for the default, and for no fault. Faults count from open,
 * the first is 1. */
typedef struct fmlp_simt_setup {
  uint64_t seed;            /* of the schedules; 0: the natural order */
  int64_t memory;           /* bytes of device memory; default 4 GiB */
  int64_t shared_per_block; /* bytes; default 99 KiB, the least of the architectures built for */
  int32_t threads_per_block;
  int32_t unchecked; /* 1: kernels run without looking for races and unwritten reads */

  int64_t fail_allocation;      /* the n-th allocation of device memory finds none */
  int64_t fail_allocation_from; /* the n-th and all later */
  int64_t fail_pinned;          /* the n-th allocation of pinned memory finds none */
  int64_t fail_launch;          /* the n-th launch is refused: "launch failed" */
  int64_t fail_kernel;          /* the n-th launch fails as it runs, so that a later call says so */
  int64_t lose_device;          /* the n-th call of any kind and all later: "device lost" */
  int64_t open_fails;           /* 1: the device is there and does not open */
  int64_t absent;               /* 1: the device is not available */
} fmlp_simt_setup;

/* Also sets the counters of calls and launches to 0. NULL: the defaults. */
void fmlp_simt_configure(const fmlp_simt_setup *setup);

/* Of all simt devices of the process. */
typedef struct fmlp_simt_counters {
  int64_t live_allocations, live_bytes; /* of device memory, now */
  int64_t live_pinned;
  int64_t open_devices;
  int64_t left_at_close;   /* allocations (pinned too) that nobody had released when their device closed */
  int64_t damaged;         /* red zones or released memory written to, ever */
  int64_t calls, launches; /* since fmlp_simt_configure */
  int64_t allocations, pinned; /* asked for, since fmlp_simt_configure */
} fmlp_simt_counters;
fmlp_simt_counters fmlp_simt_count(void);

/* Tests of the runtime: `run` is called once a thread in place of a kernel, with the arguments of the launch,
 * args_size bytes. NULL brings the kernel back. */
void fmlp_simt_stand_in(fmlp_gpu_kernel kernel, void (*run)(const void *args), int64_t args_size);

/* Device and pinned memory that is allocated now. */
int64_t fmlp_simt_live_allocations(void);

#ifdef __cplusplus
}
#endif
#endif
