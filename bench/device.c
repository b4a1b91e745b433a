/* Timing on the device's own clock, and the speed of its memory, which the kernels are held against. */
#define _POSIX_C_SOURCE 200809L
#include <string.h>
#include <time.h>

#include "bench/bench.h"
#ifdef BENCH_TWINS
#include "cuda/device.h"
#endif

static double now(void) {
  struct timespec at;
  (void)clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

#ifdef BENCH_TWINS
enum { BEGIN = FMLP_GPU_MARKS - 2, END = FMLP_GPU_MARKS - 1 }; /* marks the operations do not use */

static fmlp_status time_on_device(bench_run *run, double *seconds, fmlp_error *error) {
  fmlp_device *device = run->compute.device;
  const fmlp_gpu_runtime *runtime = device->runtime;
  FMLP_TRY(fmlp_gpu_check(device, runtime->mark(device->gpu, FMLP_GPU_COMPUTE, BEGIN), "timing", error));
  FMLP_TRY(run->what->work(run, error));
  FMLP_TRY(fmlp_gpu_check(device, runtime->mark(device->gpu, FMLP_GPU_COMPUTE, END), "timing", error));
  FMLP_TRY(fmlp_gpu_sync(device, error));
  return fmlp_gpu_check(device, runtime->elapsed(device->gpu, BEGIN, END, seconds), "timing", error);
}

/* ---- copying within the device: what its memory can do ---- */

static fmlp_status prepare_copy(bench_run *run, fmlp_error *error) {
  (void)error;
  run->state = NULL;
  run->items = run->data->bars;
  run->bytes = 2 * run->data->bars * (int64_t)sizeof(double);
  return FMLP_OK;
}

/* Half of the workspace to its other half: both far larger than the second-level cache at full size. */
static fmlp_status work_copy(bench_run *run, fmlp_error *error) {
  fmlp_device *device = run->compute.device;
  const size_t bytes = (size_t)run->bytes / 2;
  void *memory = NULL;
  FMLP_TRY(fmlp_gpu_check(device, fmlp_gpu_workspace(device, 2 * bytes, &memory), "copying", error));
  return fmlp_gpu_check(
      device, device->runtime->copy(device->gpu, FMLP_GPU_COMPUTE, (char *)memory + bytes, memory, bytes),
      "copying", error);
}

static void finish_copy(bench_run *run) {
  (void)run;
}

const bench_case bench_device_cases[] = {
    {"device/copy", "double", 0, NULL, prepare_copy, work_copy, NULL, finish_copy},
    {NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL},
};

static int has_own_clock(const bench_run *run) {
  const char *name = run->compute.backend->name;
  return strcmp(name, "cuda") == 0 || strcmp(name, "simt") == 0;
}
#else
const bench_case bench_device_cases[] = {{NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL}};
#endif

fmlp_status bench_time(bench_run *run, double *seconds, int *on_device, fmlp_error *error) {
#ifdef BENCH_TWINS
  *on_device = has_own_clock(run);
  if (*on_device) return time_on_device(run, seconds, error);
#endif
  *on_device = 0;
  const double begin = now();
  FMLP_TRY(run->what->work(run, error));
  FMLP_TRY(run->compute.backend->sync(run->compute.device, error));
  *seconds = now() - begin;
  return FMLP_OK;
}
