/* The backend `cuda`: the host code of cuda/ over the CUDA runtime, and the table of its kernels. Written
 * without exceptions, run-time types or the C++ library, so that the program links as C and starts on any
 * machine.
 *
 * The CUDA runtime is linked statically and looks for the driver (libcuda.so.1) when it is first called: a
 * machine without one is told apart here, in words, and nothing else of the program notices. */
#include <cuda_runtime_api.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/device.h"
#include "cuda/kernel.h"
#include "cuda/runtime.h"
#include "prof/sources/device_trace.h"

/* The files with kernels: each has a list of them (FMLP_CUDA_ENTRIES), ended by FMLP_GPU_KERNEL_COUNT. */
#define FILES(X)                                                                                             \
  X(monte_carlo)                                                                                             \
  X(rolling_ema)                                                                                             \
  X(rolling_extremes)                                                                                        \
  X(rolling_fracdiff)                                                                                        \
  X(rolling_moments)                                                                                         \
  X(rolling_order)                                                                                           \
  X(rolling_pairs)                                                                                           \
  X(rolling_pointwise)                                                                                       \
  X(triple_barrier)

#define DECLARE(file) extern const fmlp_cuda_entry fmlp_cuda_##file[];
#define LIST(file)    fmlp_cuda_##file,
extern "C" {
FILES(DECLARE)
}
static const fmlp_cuda_entry *const kernel_files[] = {FILES(LIST)};

enum { LEAST_CAPABILITY = 75, TEXT = 512, DEFAULT_SHARED = 48 << 10 };

typedef struct allocation {
  void *memory;
  bool pinned;
  struct allocation *next;
} allocation;

struct fmlp_gpu {
  int32_t ordinal;
  bool switches; /* more than one device: a call may find another one current */
  cudaStream_t streams[FMLP_GPU_STREAMS];
  cudaEvent_t order[FMLP_GPU_STREAMS];
  cudaEvent_t marks[FMLP_GPU_MARKS];
  const void *functions[FMLP_GPU_KERNEL_COUNT];
  allocation *allocations;
  char error[TEXT];
};

/* ---- what went wrong, in words ---- */

/* What to do about an error of the runtime; "" where its own text says enough. */
static const char *cure(cudaError_t error) {
  switch (error) {
  case cudaErrorInsufficientDriver:
    return "install or update the NVIDIA driver";
  case cudaErrorNoDevice:
    return "see nvidia-smi -L, CUDA_VISIBLE_DEVICES and, in a container or batch job, whether a GPU was "
           "asked for";
  case cudaErrorStubLibrary:
    return "take the folder cuda/lib64/stubs out of LD_LIBRARY_PATH";
  case cudaErrorSystemDriverMismatch:
    return "the driver was updated under a running system: restart the machine or reload its kernel modules";
  case cudaErrorSystemNotReady:
    return "start nvidia-fabricmanager, or wait until the machine is up";
  case cudaErrorCompatNotSupportedOnDevice:
    return "the CUDA compatibility package does not support this GPU: update the driver itself";
  case cudaErrorDevicesUnavailable:
    return "another process holds it exclusively: see nvidia-smi, compute mode";
  case cudaErrorOperatingSystem:
    return "may this user open /dev/nvidia*? see also dmesg";
  case cudaErrorInitializationError:
  case cudaErrorUnknown:
    return "does nvidia-smi work? in a container, is /dev/nvidia-uvm there?";
  case cudaErrorMpsConnectionFailed:
  case cudaErrorMpsServerNotReady:
  case cudaErrorMpsMaxClientsReached:
    return "see the MPS control daemon";
  case cudaErrorNoKernelImageForDevice:
  case cudaErrorUnsupportedPtxVersion:
  case cudaErrorJitCompilerNotFound:
    return "build with this GPU in FMLP_CUDA_ARCHITECTURES";
  case cudaErrorIllegalAddress:
  case cudaErrorMisalignedAddress:
  case cudaErrorLaunchOutOfResources:
  case cudaErrorInvalidConfiguration:
  case cudaErrorAssert:
    return "an error of fmlp: please report it";
  case cudaErrorLaunchTimeout:
    return "a GPU that drives a display stops long kernels: use another one";
  case cudaErrorECCUncorrectable:
  case cudaErrorHardwareStackError:
  case cudaErrorNvlinkUncorrectable:
    return "the hardware reported it: see nvidia-smi -q and Xid in dmesg";
  default:
    return "";
  }
}

/* "cudaErrorX: its text (what to do)", in one line. */
static void explain(char *text, size_t capacity, cudaError_t error) {
  const char *what = cure(error);
  (void)snprintf(text, capacity, "%s: %s%s%s%s", cudaGetErrorName(error), cudaGetErrorString(error),
                 *what ? " (" : "", what, *what ? ")" : "");
}

static fmlp_gpu_result outcome(fmlp_gpu *gpu, cudaError_t error) {
  if (error == cudaSuccess) return FMLP_GPU_OK;
  (void)cudaGetLastError(); /* or a later call would be told of it again */
  explain(gpu->error, sizeof gpu->error, error);
  return error == cudaErrorMemoryAllocation ? FMLP_GPU_OUT_OF_MEMORY : FMLP_GPU_FAILED;
}

/* ---- is there a device? ---- */

static int major_of(int version) {
  return version / 1000;
}

static int minor_of(int version) {
  return version % 1000 / 10;
}

static int attribute(cudaDeviceAttr which, int32_t ordinal) {
  int value = 0;
  if (cudaDeviceGetAttribute(&value, which, ordinal) != cudaSuccess) {
    (void)cudaGetLastError();
    return 0;
  }
  return value;
}

/* The number of devices, or 0 and why. */
static int count_devices(char *reason, size_t capacity) {
  int driver = 0, runtime = 0, count = 0;
  cudaError_t error = cudaGetDeviceCount(&count);
  (void)cudaGetLastError();
  const cudaError_t asked = cudaDriverGetVersion(&driver);
  (void)cudaRuntimeGetVersion(&runtime);
  if (error == cudaSuccess && count > 0) return count;
  const char *visible = getenv("CUDA_VISIBLE_DEVICES");
  if (error == cudaErrorInsufficientDriver && (asked != cudaSuccess || driver == 0)) {
    (void)snprintf(reason, capacity,
                   "no NVIDIA driver found (libcuda.so.1); install one for CUDA %d.%d or later",
                   major_of(runtime), minor_of(runtime));
  } else if (error == cudaErrorInsufficientDriver) {
    (void)snprintf(reason, capacity,
                   "the NVIDIA driver is too old: it is for CUDA %d.%d, this program needs %d.%d; update it",
                   major_of(driver), minor_of(driver), major_of(runtime), minor_of(runtime));
  } else if (error == cudaErrorStubLibrary) {
    (void)snprintf(reason, capacity, "libcuda.so.1 is the toolkit's stub, not a driver; %s", cure(error));
  } else if ((error == cudaErrorNoDevice || error == cudaSuccess) && visible) {
    (void)snprintf(
        reason, capacity,
        "no GPU is visible: CUDA_VISIBLE_DEVICES is '%.64s'; unset it or name a GPU of nvidia-smi -L",
        visible);
  } else if (error == cudaErrorNoDevice || error == cudaSuccess) {
    (void)snprintf(reason, capacity, "no GPU found; %s", cure(cudaErrorNoDevice));
  } else {
    explain(reason, capacity, error);
  }
  return 0;
}

/* One line about a device that exists; true when it can be used. */
static bool suits(int32_t ordinal, char *reason, size_t capacity) {
  cudaDeviceProp properties;
  memset(&properties, 0, sizeof properties);
  const cudaError_t error = cudaGetDeviceProperties(&properties, ordinal);
  if (error != cudaSuccess) {
    (void)cudaGetLastError();
    explain(reason, capacity, error);
    return false;
  }
  if (properties.major * 10 + properties.minor < LEAST_CAPABILITY) {
    (void)snprintf(
        reason, capacity, "%s has compute capability %d.%d; this program is built for %d.%d and later",
        properties.name, properties.major, properties.minor, LEAST_CAPABILITY / 10, LEAST_CAPABILITY % 10);
    return false;
  }
  if (attribute(cudaDevAttrComputeMode, ordinal) == cudaComputeModeProhibited) {
    (void)snprintf(reason, capacity,
                   "%s is in compute mode Prohibited; an administrator can run nvidia-smi -c 0",
                   properties.name);
    return false;
  }
  int driver = 0, runtime = 0;
  (void)cudaDriverGetVersion(&driver);
  (void)cudaRuntimeGetVersion(&runtime);
  (void)snprintf(
      reason, capacity, "%s, compute capability %d.%d, %.1f GiB; driver for CUDA %d.%d, runtime %d.%d",
      properties.name, properties.major, properties.minor, (double)properties.totalGlobalMem / (1 << 30),
      major_of(driver), minor_of(driver), major_of(runtime), minor_of(runtime));
  return true;
}

static int cuda_available(int32_t ordinal, char *reason, size_t capacity) {
  const int count = count_devices(reason, capacity);
  if (count == 0) return 0;
  if (ordinal < 0 || ordinal >= count) {
    (void)snprintf(reason, capacity, "there %s %d device%s, numbered from 0", count == 1 ? "is" : "are",
                   count, count == 1 ? "" : "s");
    return 0;
  }
  return suits(ordinal, reason, capacity);
}

static void append(char *text, size_t capacity, const char *format, ...) {
  const size_t length = strlen(text);
  va_list list;
  va_start(list, format);
  (void)vsnprintf(text + length, capacity - length, format, list);
  va_end(list);
}

static void cuda_describe(char *text, size_t capacity) {
  int driver = 0, runtime = 0;
  const cudaError_t asked = cudaDriverGetVersion(&driver);
  (void)cudaRuntimeGetVersion(&runtime);
  text[0] = '\0';
  append(text, capacity, "runtime: CUDA %d.%d, linked in\n", major_of(runtime), minor_of(runtime));
  if (asked != cudaSuccess) {
    append(text, capacity, "driver: cannot be asked (%s)\n", cudaGetErrorName(asked));
  } else if (driver == 0) {
    append(text, capacity, "driver: none\n");
  } else {
    append(text, capacity, "driver: for CUDA up to %d.%d\n", major_of(driver), minor_of(driver));
  }
  (void)cudaGetLastError();
  append(text, capacity, "kernels: for compute capability %d.%d and later\n", LEAST_CAPABILITY / 10,
         LEAST_CAPABILITY % 10);
  char line[TEXT] = "";
  const int count = count_devices(line, sizeof line);
  for (int32_t ordinal = 0; ordinal < count; ordinal++) {
    const bool usable = suits(ordinal, line, sizeof line);
    append(text, capacity, "cuda:%d%s: %s\n", ordinal, usable ? "" : " cannot be used", line);
  }
  append(text, capacity, "more: docs/gpu.md\n");
}

/* ---- opening and closing ---- */

static fmlp_gpu_result enter(fmlp_gpu *gpu) {
  return gpu->switches ? outcome(gpu, cudaSetDevice(gpu->ordinal)) : FMLP_GPU_OK;
}

/* Fills gpu->functions from the files' lists; the name of a kernel that none of them has, or NULL. */
static const char *collect_kernels(fmlp_gpu *gpu) {
  for (size_t file = 0; file < sizeof kernel_files / sizeof *kernel_files; file++) {
    for (const fmlp_cuda_entry *entry = kernel_files[file]; entry->kernel != FMLP_GPU_KERNEL_COUNT; entry++) {
      gpu->functions[entry->kernel] = entry->function;
    }
  }
  for (int kernel = 0; kernel < FMLP_GPU_KERNEL_COUNT; kernel++) {
    if (!gpu->functions[kernel]) return fmlp_gpu_kernel_names[kernel];
  }
  return NULL;
}

/* Every kernel has code for this device and may use all the dynamic shared memory there is. How many threads
 * its block may have is bounded where it is written (cuda/kernel.h). */
static cudaError_t prepare_kernels(fmlp_gpu *gpu, fmlp_gpu_limits *limits, int *failing) {
  size_t most_static = 0;
  for (int kernel = 0; kernel < FMLP_GPU_KERNEL_COUNT; kernel++) {
    *failing = kernel;
    cudaFuncAttributes about;
    cudaError_t error = cudaFuncGetAttributes(&about, gpu->functions[kernel]);
    if (error != cudaSuccess) return error;
    if (about.sharedSizeBytes > most_static) most_static = about.sharedSizeBytes;
    const int64_t dynamic = limits->shared_per_block - (int64_t)about.sharedSizeBytes;
    if (dynamic <= DEFAULT_SHARED) continue;
    error = cudaFuncSetAttribute(gpu->functions[kernel], cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 (int)dynamic);
    if (error != cudaSuccess) return error;
  }
  limits->shared_per_block -= (int64_t)most_static;
  return cudaSuccess;
}

static cudaError_t make_streams(fmlp_gpu *gpu) {
  cudaError_t error = cudaSuccess;
  for (int i = 0; i < FMLP_GPU_STREAMS && error == cudaSuccess; i++) {
    error = cudaStreamCreateWithFlags(&gpu->streams[i], cudaStreamNonBlocking);
    if (error == cudaSuccess) error = cudaEventCreateWithFlags(&gpu->order[i], cudaEventDisableTiming);
  }
  /* Waiting for a mark sleeps: the host's threads have other work. */
  for (int i = 0; i < FMLP_GPU_MARKS && error == cudaSuccess; i++) {
    error = cudaEventCreateWithFlags(&gpu->marks[i], cudaEventBlockingSync);
  }
  return error;
}

static cudaError_t try_allocation(void) {
  void *memory = NULL;
  cudaError_t error = cudaMalloc(&memory, 256);
  if (error == cudaSuccess) error = cudaMemset(memory, 0, 256);
  if (error == cudaSuccess) error = cudaDeviceSynchronize();
  (void)cudaFree(memory);
  return error;
}

static cudaError_t read_limits(int32_t ordinal, fmlp_gpu_limits *limits) {
  memset(limits, 0, sizeof *limits);
  cudaDeviceProp properties;
  memset(&properties, 0, sizeof properties);
  cudaError_t error = cudaGetDeviceProperties(&properties, ordinal);
  (void)snprintf(limits->name, sizeof limits->name, "%.95s", properties.name);
  limits->total_memory = (int64_t)properties.totalGlobalMem;
  static const cudaDeviceAttr asked[] = {cudaDevAttrMultiProcessorCount, cudaDevAttrMaxThreadsPerBlock,
                                         cudaDevAttrMaxSharedMemoryPerBlockOptin,
                                         cudaDevAttrMaxSharedMemoryPerMultiprocessor, cudaDevAttrL2CacheSize};
  int values[sizeof asked / sizeof *asked] = {0};
  for (size_t i = 0; i < sizeof asked / sizeof *asked && error == cudaSuccess; i++) {
    error = cudaDeviceGetAttribute(&values[i], asked[i], ordinal);
  }
  limits->multiprocessors = values[0];
  limits->threads_per_block = values[1];
  limits->shared_per_block = values[2];
  limits->shared_per_multiprocessor = values[3];
  limits->second_level_cache = values[4];
  return error;
}

static void cuda_close(fmlp_gpu *gpu) {
  if (!gpu) return;
  (void)enter(gpu);
  (void)cudaDeviceSynchronize();
  for (allocation *next = gpu->allocations; next;) {
    allocation *gone = next;
    next = gone->next;
    (void)(gone->pinned ? cudaFreeHost(gone->memory) : cudaFree(gone->memory));
    free(gone);
  }
  for (int i = 0; i < FMLP_GPU_MARKS; i++) {
    if (gpu->marks[i]) (void)cudaEventDestroy(gpu->marks[i]);
  }
  for (int i = 0; i < FMLP_GPU_STREAMS; i++) {
    if (gpu->order[i]) (void)cudaEventDestroy(gpu->order[i]);
    if (gpu->streams[i]) (void)cudaStreamDestroy(gpu->streams[i]);
  }
  (void)cudaGetLastError();
  free(gpu);
}

static fmlp_status fail_open(fmlp_gpu *gpu, const char *what, cudaError_t failed, fmlp_error *error) {
  char text[TEXT];
  const int32_t ordinal = gpu->ordinal;
  explain(text, sizeof text, failed);
  (void)cudaGetLastError();
  cuda_close(gpu);
  return fmlp_fail(error, FMLP_ERR_DEVICE, "cuda:%d: %s: %s", ordinal, what, text);
}

static fmlp_status cuda_open(int32_t ordinal, fmlp_gpu **gpu, fmlp_gpu_limits *limits, fmlp_error *error) {
  *gpu = NULL;
  char reason[TEXT];
  const int count = count_devices(reason, sizeof reason);
  if (!cuda_available(ordinal, reason, sizeof reason)) {
    return fmlp_fail(error, FMLP_ERR_DEVICE, "cuda:%d: %s", ordinal, reason);
  }
  fmlp_gpu *opened = (fmlp_gpu *)calloc(1, sizeof *opened);
  if (!opened) return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory for the device");
  opened->ordinal = ordinal;
  opened->switches = count > 1;
  const char *missing = collect_kernels(opened);
  if (missing) {
    free(opened);
    return fmlp_fail(error, FMLP_ERR_DEVICE, "cuda:%d: the kernel %s is not in this program", ordinal,
                     missing);
  }
  cudaError_t failed = cudaSetDevice(ordinal);
  if (failed == cudaSuccess) failed = try_allocation();
  if (failed == cudaSuccess) failed = make_streams(opened);
  if (failed == cudaSuccess) failed = read_limits(ordinal, limits);
  if (failed != cudaSuccess) return fail_open(opened, "the device does not answer", failed, error);
  int kernel = 0;
  failed = prepare_kernels(opened, limits, &kernel);
  if (failed != cudaSuccess) return fail_open(opened, fmlp_gpu_kernel_names[kernel], failed, error);
  *gpu = opened;
  return FMLP_OK;
}

/* ---- memory ---- */

static fmlp_gpu_result allocate(fmlp_gpu *gpu, size_t bytes, bool pinned, void **memory) {
  *memory = NULL;
  fmlp_gpu_result result = enter(gpu);
  if (result != FMLP_GPU_OK) return result;
  allocation *made = (allocation *)malloc(sizeof *made);
  if (!made) return FMLP_GPU_OUT_OF_MEMORY;
  result = outcome(gpu, pinned ? cudaMallocHost(memory, bytes) : cudaMalloc(memory, bytes));
  if (result != FMLP_GPU_OK) {
    free(made);
    *memory = NULL;
    return result;
  }
  *made = {*memory, pinned, gpu->allocations};
  gpu->allocations = made;
  return FMLP_GPU_OK;
}

static void release(fmlp_gpu *gpu, void *memory) {
  for (allocation **at = &gpu->allocations; memory && *at; at = &(*at)->next) {
    if ((*at)->memory != memory) continue;
    allocation *gone = *at;
    *at = gone->next;
    (void)enter(gpu);
    (void)outcome(gpu, gone->pinned ? cudaFreeHost(memory) : cudaFree(memory));
    free(gone);
    return;
  }
}

static fmlp_gpu_result cuda_allocate(fmlp_gpu *gpu, size_t bytes, void **memory) {
  return allocate(gpu, bytes, false, memory);
}

static fmlp_gpu_result cuda_allocate_pinned(fmlp_gpu *gpu, size_t bytes, void **memory) {
  return allocate(gpu, bytes, true, memory);
}

static int64_t cuda_free_memory(fmlp_gpu *gpu) {
  size_t available = 0, total = 0;
  if (enter(gpu) != FMLP_GPU_OK || outcome(gpu, cudaMemGetInfo(&available, &total)) != FMLP_GPU_OK) return 0;
  return (int64_t)available;
}

/* ---- work ---- */

static fmlp_gpu_result cuda_copy(fmlp_gpu *gpu, fmlp_gpu_stream stream, void *to, const void *from,
                                 size_t bytes) {
  const fmlp_gpu_result result = enter(gpu);
  if (result != FMLP_GPU_OK) return result;
  return outcome(gpu, cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, gpu->streams[stream]));
}

static fmlp_gpu_result cuda_fill(fmlp_gpu *gpu, fmlp_gpu_stream stream, void *to, int byte, size_t bytes) {
  const fmlp_gpu_result result = enter(gpu);
  if (result != FMLP_GPU_OK) return result;
  return outcome(gpu, cudaMemsetAsync(to, byte, bytes, gpu->streams[stream]));
}

static fmlp_gpu_result cuda_launch(fmlp_gpu *gpu, fmlp_gpu_kernel kernel, int64_t blocks, int32_t threads,
                                   size_t shared, const void *args) {
  const fmlp_gpu_result result = enter(gpu);
  if (result != FMLP_GPU_OK) return result;
  void *parameters[] = {const_cast<void *>(args)};
  return outcome(gpu,
                 cudaLaunchKernel(gpu->functions[kernel], dim3((unsigned)blocks), dim3((unsigned)threads),
                                  parameters, shared, gpu->streams[FMLP_GPU_COMPUTE]));
}

static fmlp_gpu_result cuda_order(fmlp_gpu *gpu, fmlp_gpu_stream earlier, fmlp_gpu_stream later) {
  const fmlp_gpu_result result = enter(gpu);
  if (result != FMLP_GPU_OK || earlier == later) return result;
  /* The wait is for the event as recorded now: recording it again later does not move it. */
  const cudaError_t error = cudaEventRecord(gpu->order[earlier], gpu->streams[earlier]);
  if (error != cudaSuccess) return outcome(gpu, error);
  return outcome(gpu, cudaStreamWaitEvent(gpu->streams[later], gpu->order[earlier], 0));
}

static fmlp_gpu_result cuda_mark(fmlp_gpu *gpu, fmlp_gpu_stream stream, int32_t slot) {
  const fmlp_gpu_result result = enter(gpu);
  if (result != FMLP_GPU_OK) return result;
  return outcome(gpu, cudaEventRecord(gpu->marks[slot], gpu->streams[stream]));
}

static fmlp_gpu_result cuda_wait_mark(fmlp_gpu *gpu, int32_t slot) {
  const fmlp_gpu_result result = enter(gpu);
  if (result != FMLP_GPU_OK) return result;
  return outcome(gpu, cudaEventSynchronize(gpu->marks[slot]));
}

static fmlp_gpu_result cuda_elapsed(fmlp_gpu *gpu, int32_t from, int32_t to, double *seconds) {
  float milliseconds = 0.0f;
  *seconds = 0.0;
  fmlp_gpu_result result = enter(gpu);
  if (result != FMLP_GPU_OK) return result;
  result = outcome(gpu, cudaEventElapsedTime(&milliseconds, gpu->marks[from], gpu->marks[to]));
  if (result == FMLP_GPU_OK) *seconds = (double)milliseconds * 1e-3;
  return result;
}

static fmlp_gpu_result cuda_sync(fmlp_gpu *gpu) {
  fmlp_gpu_result result = enter(gpu);
  for (int i = 0; i < FMLP_GPU_STREAMS && result == FMLP_GPU_OK; i++) {
    result = outcome(gpu, cudaStreamSynchronize(gpu->streams[i]));
  }
  return result;
}

static const char *cuda_last_error(fmlp_gpu *gpu) {
  return gpu->error;
}

/* ---- the tables ---- */

const fmlp_gpu_runtime fmlp_cuda_runtime = {
    .name = "cuda",
    .available = cuda_available,
    .open = cuda_open,
    .close = cuda_close,
    .allocate = cuda_allocate,
    .release = release,
    .free_memory = cuda_free_memory,
    .allocate_pinned = cuda_allocate_pinned,
    .release_pinned = release,
    .copy = cuda_copy,
    .fill = cuda_fill,
    .launch = cuda_launch,
    .order = cuda_order,
    .mark = cuda_mark,
    .wait_mark = cuda_wait_mark,
    .elapsed = cuda_elapsed,
    .sync = cuda_sync,
    .last_error = cuda_last_error,
};

/* ---- for the profiler ---- */

static void wait_for_trace(void) {
  (void)cudaDeviceSynchronize();
  (void)cudaGetLastError();
}

static bool facts_for_trace(int32_t ordinal, fmlp_device_facts *facts) {
  fmlp_gpu_limits limits;
  const cudaError_t error = read_limits(ordinal, &limits);
  (void)cudaGetLastError();
  if (error != cudaSuccess) return false;
  (void)snprintf(facts->name, sizeof facts->name, "%s", limits.name);
  facts->memory = limits.total_memory;
  facts->multiprocessors = limits.multiprocessors;
  /* kHz and bits; memory moves a word on both edges of its clock */
  facts->bytes_per_second = (int64_t)attribute(cudaDevAttrMemoryClockRate, ordinal) * 1000 * 2 *
                            (attribute(cudaDevAttrGlobalMemoryBusWidth, ordinal) / 8);
  return true;
}

static const fmlp_device_hooks trace_hooks = {count_devices, wait_for_trace, facts_for_trace};

static fmlp_status open_device(int32_t ordinal, fmlp_device **device, fmlp_error *error) {
  return fmlp_gpu_open(&fmlp_cuda_runtime, ordinal, device, error);
}

const fmlp_backend fmlp_cuda_backend = {
    .name = "cuda",
    .available = cuda_available,
    .describe = cuda_describe,
    .trace = &trace_hooks,
    .open = open_device,
    FMLP_GPU_BACKEND_FUNCTIONS,
};
