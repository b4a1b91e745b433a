/* See fake_cudart.h. One thread calls. */
#include "tests/cuda/fake_cudart.h"

#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/kernels.h"
#include "prof/sources/cupti_layout.h"
#include "tests/cuda/fake_launch.h"
#include "tests/cuda/fake_libcupti.h"

enum {
  MOST = 4096,
  DEVICES = 8,
  VERSION = CUDART_VERSION,
  DEFAULT_SHARED = 48 << 10,
  OPTIN_SHARED = 99 << 10
};

/* Work put off, in the order it was asked for. */
struct fake_work {
  enum kind { COPY, FILL, LAUNCH, RECORD, WAIT } what;
  void *to;
  const void *from;
  size_t bytes;
  int byte;
  int kernel;
  int64_t blocks, shared;
  int threads;
  void *args;
  struct CUevent_st *event;
  int64_t version;
  uint32_t correlation; /* of the call that asked for it */
  fake_work *next;
};

struct CUstream_st {
  int device, number;
  fake_work *first, *last;
  CUstream_st *next;
};

struct CUevent_st {
  int64_t asked, reached; /* times recorded */
  CUstream_st *stream;
  bool times;
};

namespace {

struct block {
  char *memory;
  size_t bytes;
  int device; /* -1: pinned */
} blocks[MOST];
int block_count;

struct function {
  const void *host;
  int kernel;
  int64_t shared;
  const char *name; /* mangled */
} functions[FMLP_GPU_KERNEL_COUNT];
int function_count;

fmlp_fake_cuda setup;
CUstream_st *streams;
int64_t calls, alive, used[DEVICES];
int current, stream_number = 6; /* the numbers below are CUDA's own */
uint64_t state;
cudaError_t last, asynchronous;
char misuse[256];
const char *failed_call = "";

__attribute__((format(printf, 1, 2))) void misused(const char *format, ...) {
  asynchronous = cudaErrorIllegalAddress;
  if (misuse[0]) return;
  va_list list;
  va_start(list, format);
  vsnprintf(misuse, sizeof misuse, format, list);
  va_end(list);
}

uint64_t draw() {
  state = state * 6364136223846793005ULL + 1442695040888963407ULL;
  return state >> 33;
}

int devices() {
  return setup.devices < 0 ? 0 : setup.devices ? setup.devices : 1;
}

int64_t device_memory() {
  return setup.memory ? setup.memory : (int64_t)4 << 30;
}

cudaError_t remember(cudaError_t error) {
  if (error != cudaSuccess) last = error;
  return error;
}

/* ---- for the device tracer: what is done here is told to the tests' libcupti, where a program has opened it
 * ---- */

const fmlp_fake_cupti *tracer() {
  static const fmlp_fake_cupti *found;
  static const bool wanted = getenv("FMLP_FAKE_CUDA_TRACE") != NULL;
  if (found || !wanted) return found;
  void *library = dlopen("libcupti.so.13", RTLD_NOW | RTLD_NOLOAD);
  void *table = library ? dlsym(library, "fmlp_fake_cupti_table") : NULL;
  if (table) found = ((const fmlp_fake_cupti *(*)(void))table)();
  return found;
}

/* A call of the runtime, for as long as it lives. */
struct traced_call {
  uint32_t correlation;
  int waited;
  explicit traced_call(const char *name, int wait = 0) : correlation(0), waited(wait) {
    if (tracer()) correlation = tracer()->begin_call(name);
  }
  ~traced_call() {
    if (correlation) tracer()->end_call(correlation, waited);
  }
};

/* Every call that may fail begins here. */
cudaError_t enter(const char *name) {
  calls++;
  const bool now = setup.fail_at > 0 && (calls == setup.fail_at || (setup.lost && calls > setup.fail_at));
  if (calls == setup.fail_at) failed_call = name;
  if (now) return remember(setup.fail_with ? (cudaError_t)setup.fail_with : cudaErrorUnknown);
  return asynchronous;
}
#define ENTER()                                                                                              \
  do {                                                                                                       \
    const cudaError_t entered = enter(__func__);                                                             \
    if (entered != cudaSuccess) return entered;                                                              \
  } while (0)

block *block_of(const void *address, size_t bytes) {
  for (int i = 0; i < block_count; i++) {
    const char *at = (const char *)address;
    if (at >= blocks[i].memory && at + bytes <= blocks[i].memory + blocks[i].bytes) return &blocks[i];
  }
  return NULL;
}

/* Memory that the device may touch, from a stream of `device`. */
void check_range(const char *what, const void *address, size_t bytes, int device) {
  const block *found = block_of(address, bytes);
  if (!found) {
    misused("%s: %zu bytes that were not allocated, or have been freed", what, bytes);
  } else if (found->device >= 0 && found->device != device) {
    misused("%s: memory of device %d in a stream of device %d", what, found->device, device);
  }
}

void tell(const CUstream_st *stream, const fake_work *work, uint64_t start) {
  fmlp_fake_operation told = {};
  told.correlation = work->correlation;
  told.device = (uint32_t)stream->device;
  told.stream = (uint32_t)stream->number;
  told.start = start;
  told.end = tracer()->now();
  told.bytes = work->bytes;
  if (work->what == fake_work::LAUNCH) {
    told.kind = CUPTI_CONCURRENT_KERNEL;
    told.blocks = (int32_t)work->blocks;
    told.threads = work->threads;
    told.shared = (int32_t)work->shared;
    for (int i = 0; i < function_count; i++)
      if (functions[i].kernel == work->kernel) told.name = functions[i].name;
  } else if (work->what == fake_work::COPY) {
    const block *from = block_of(work->from, 1), *to = block_of(work->to, 1);
    told.kind = CUPTI_MEMCPY;
    told.copy = from && from->device < 0 ? CUPTI_COPY_HTOD : to && to->device < 0 ? CUPTI_COPY_DTOH : 8;
  } else if (work->what == fake_work::FILL) {
    told.kind = CUPTI_MEMSET;
  } else {
    return;
  }
  tracer()->operation(&told);
}

void perform(CUstream_st *stream, fake_work *work) {
  const uint64_t start = work->correlation ? tracer()->now() : 0;
  switch (work->what) {
  case fake_work::COPY:
    check_range("a copy writes", work->to, work->bytes, stream->device);
    check_range("a copy reads", work->from, work->bytes, stream->device);
    if (!misuse[0]) memcpy(work->to, work->from, work->bytes);
    break;
  case fake_work::FILL:
    check_range("a fill writes", work->to, work->bytes, stream->device);
    if (!misuse[0]) memset(work->to, work->byte, work->bytes);
    break;
  case fake_work::LAUNCH: {
    const char *found =
        fmlp_fake_launch(work->kernel, work->args, work->blocks, work->threads, work->shared, draw());
    if (*found) {
      misused("%s", found);
    }
    break;
  }
  case fake_work::RECORD:
    work->event->reached = work->version;
    break;
  case fake_work::WAIT:
    break;
  }
  if (work->correlation) tell(stream, work, start);
}

/* Does the first work of a stream; false when it has none or has to wait. */
bool step(CUstream_st *stream) {
  fake_work *work = stream->first;
  if (!work || (work->what == fake_work::WAIT && work->event->reached < work->version)) return false;
  stream->first = work->next;
  if (!stream->first) stream->last = NULL;
  perform(stream, work);
  free(work->args);
  free(work);
  return true;
}

/* Some work of any stream, perhaps: the device runs on by itself. */
void drift() {
  for (int turns = (int)(draw() % 4); turns > 0; turns--) {
    for (CUstream_st *stream = streams; stream; stream = stream->next) {
      if (draw() & 1) (void)step(stream);
    }
  }
}

/* Until a stream is empty, or an event reached, and in every second case nothing else but what that needs. */
void drain(CUstream_st *wanted, const CUevent_st *event) {
  const bool lazily = draw() & 1;
  for (;;) {
    if (event ? event->reached >= event->asked : !wanted->first) return;
    if (!lazily) drift();
    if (step(wanted) || !wanted->first) continue;
    bool moved = false; /* it waits for another one */
    for (CUstream_st *stream = streams; stream; stream = stream->next)
      moved |= stream != wanted && step(stream);
    if (!moved) {
      misused("streams wait for each other");
      return;
    }
  }
}

cudaError_t drain_all() {
  for (CUstream_st *stream = streams; stream; stream = stream->next) drain(stream, NULL);
  return asynchronous;
}

cudaError_t put_off(CUstream_st *stream, fake_work work) {
  if (stream->device != current)
    misused("a stream of device %d while %d is current", stream->device, current);
  fake_work *made = (fake_work *)malloc(sizeof *made);
  if (!made) abort();
  *made = work;
  made->next = NULL;
  (stream->last ? stream->last->next : stream->first) = made;
  stream->last = made;
  drift();
  return cudaSuccess;
}

/* Whole programs are set up by their environment, and write down how it went. */
int64_t setting(const char *name) {
  const char *value = getenv(name);
  return value ? atoll(value) : 0;
}

void report() {
  FILE *file = fopen(getenv("FMLP_FAKE_CUDA_REPORT"), "w");
  if (!file) return;
  fprintf(file, "calls %lld\nalive %lld\nfailed %s\nmisuse %s\n", (long long)calls, (long long)alive,
          failed_call, misuse);
  fclose(file);
}

struct from_environment {
  from_environment() {
    setup.fail_at = setting("FMLP_FAKE_CUDA_FAIL_AT");
    setup.fail_with = (int)setting("FMLP_FAKE_CUDA_FAIL_WITH");
    setup.lost = setting("FMLP_FAKE_CUDA_LOST") != 0;
    setup.memory = setting("FMLP_FAKE_CUDA_MEMORY");
    state = setup.seed = (uint64_t)setting("FMLP_FAKE_CUDA_SEED");
    if (getenv("FMLP_FAKE_CUDA_REPORT")) (void)atexit(report);
  }
} environment;

cudaError_t allocate(void **memory, size_t bytes, int device, int fresh) {
  *memory = NULL;
  if (device >= 0 && (int64_t)bytes > device_memory() - used[device])
    return remember(cudaErrorMemoryAllocation);
  if (block_count == MOST) abort();
  char *made = (char *)aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!made) return remember(cudaErrorMemoryAllocation);
  memset(made, fresh, bytes);
  blocks[block_count++] = {made, bytes, device};
  if (device >= 0) used[device] += (int64_t)bytes;
  if (device >= 0 && tracer()) tracer()->memory((uint64_t)(uintptr_t)made, bytes, (uint32_t)device);
  alive++;
  *memory = made;
  return cudaSuccess;
}

cudaError_t give_back(void *memory, bool pinned) {
  if (!memory) return cudaSuccess;
  (void)drain_all(); /* as cudaFree does */
  block *found = block_of(memory, 1);
  if (!found || found->memory != memory || (found->device < 0) != pinned) {
    misused("what was not allocated is freed");
    return remember(cudaErrorInvalidValue);
  }
  if (!pinned) used[found->device] -= (int64_t)found->bytes;
  if (!pinned && tracer()) tracer()->memory((uint64_t)(uintptr_t)memory, 0, (uint32_t)found->device);
  free(memory);
  *found = blocks[--block_count];
  alive--;
  return asynchronous;
}

function *function_of(const void *host) {
  for (int i = 0; i < function_count; i++) {
    if (functions[i].host == host) return &functions[i];
  }
  return NULL;
}

} // namespace

void fmlp_fake_cuda_configure(const fmlp_fake_cuda *next) {
  setup = *next;
  calls = 0;
  state = next->seed;
  last = asynchronous = cudaSuccess;
  misuse[0] = '\0';
  failed_call = "";
}

int64_t fmlp_fake_cuda_calls(void) {
  return calls;
}

const char *fmlp_fake_cuda_failed(void) {
  return failed_call;
}

int64_t fmlp_fake_cuda_alive(void) {
  return alive;
}

const char *fmlp_fake_cuda_misuse(void) {
  return misuse;
}

/* ---- the runtime's functions, as cuda/backend.cu uses them ---- */

extern "C" {

/* What nvcc's objects call as the program starts. */
void **__cudaRegisterFatBinary(void *) {
  static void *handle;
  return &handle;
}
void __cudaRegisterFatBinaryEnd(void **) {
}
void __cudaUnregisterFatBinary(void **) {
}
void __cudaRegisterFunction(void **, const char *host, char *, const char *name, int, uint3 *, uint3 *,
                            dim3 *, dim3 *, int *) {
  for (int kernel = 0; kernel < FMLP_GPU_KERNEL_COUNT; kernel++) {
    char mangled[128];
    const char *plain = fmlp_gpu_kernel_names[kernel];
    snprintf(mangled, sizeof mangled, "%zu%s", strlen(plain), plain);
    const char *digits = name + strcspn(name, "0123456789");
    const size_t length = strlen(mangled);
    if (strncmp(digits, mangled, length) == 0 && function_count < FMLP_GPU_KERNEL_COUNT) {
      functions[function_count++] = {host, kernel, DEFAULT_SHARED, name};
    }
  }
}
cudaError_t __cudaPopCallConfiguration(dim3 *, dim3 *, size_t *, void *) {
  abort();
}
cudaError_t __cudaGetKernel(cudaKernel_t *, const void *) {
  abort();
}
cudaError_t __cudaLaunchKernel(cudaKernel_t, dim3, dim3, void **, size_t, cudaStream_t) {
  abort();
}

const char *cudaGetErrorName(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation" : "cudaErrorOfTheTest";
}
const char *cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "out of memory" : "as the test wished";
}
cudaError_t cudaGetLastError(void) {
  const cudaError_t error = last;
  last = cudaSuccess;
  return error;
}

cudaError_t cudaDriverGetVersion(int *version) {
  *version = setup.driver ? setup.driver : VERSION;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int *version) {
  *version = VERSION;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int *count) {
  *count = 0;
  ENTER();
  if (setup.driver && setup.driver < VERSION / 1000 * 1000) return remember(cudaErrorInsufficientDriver);
  *count = devices();
  return *count ? cudaSuccess : remember(cudaErrorNoDevice);
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device) {
  ENTER();
  memset(properties, 0, sizeof *properties);
  const int capability = setup.capability ? setup.capability : 90;
  snprintf(properties->name, sizeof properties->name, "Fake GPU %d", device);
  properties->major = capability / 10;
  properties->minor = capability % 10;
  properties->totalGlobalMem = (size_t)device_memory();
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr which, int) {
  ENTER();
  *value = which == cudaDevAttrComputeMode                        ? setup.compute_mode
           : which == cudaDevAttrMultiProcessorCount              ? 4
           : which == cudaDevAttrMaxThreadsPerBlock               ? 1024
           : which == cudaDevAttrMaxSharedMemoryPerBlockOptin     ? OPTIN_SHARED
           : which == cudaDevAttrMaxSharedMemoryPerMultiprocessor ? OPTIN_SHARED + 1024
           : which == cudaDevAttrL2CacheSize                      ? 1 << 20
                                                                  : 0;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  ENTER();
  current = device;
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize(void) {
  const traced_call call("cudaDeviceSynchronize_v3020", CUPTI_WAIT_CONTEXT);
  ENTER();
  return remember(drain_all());
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *attributes, const void *host) {
  ENTER();
  if (!function_of(host)) return remember(cudaErrorInvalidDeviceFunction);
  memset(attributes, 0, sizeof *attributes);
  attributes->numRegs = setup.registers ? setup.registers : 32;
  const int most = 65536 / attributes->numRegs;
  attributes->maxThreadsPerBlock = most < 1024 ? most : 1024;
  return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void *host, cudaFuncAttribute which, int value) {
  ENTER();
  function *found = function_of(host);
  if (!found || which != cudaFuncAttributeMaxDynamicSharedMemorySize || value > OPTIN_SHARED)
    return remember(cudaErrorInvalidValue);
  found->shared = value;
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags) {
  *stream = NULL;
  ENTER();
  if (flags != cudaStreamNonBlocking) misused("a stream that waits for the default stream");
  *stream = (cudaStream_t)calloc(1, sizeof **stream);
  if (!*stream) abort();
  (*stream)->device = current;
  (*stream)->number = ++stream_number;
  (*stream)->next = streams;
  streams = *stream;
  alive++;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  drain(stream, NULL);
  for (CUstream_st **at = &streams; *at; at = &(*at)->next) {
    if (*at != stream) continue;
    *at = stream->next;
    free(stream);
    alive--;
    return cudaSuccess;
  }
  misused("a stream that is not there is destroyed");
  return cudaErrorInvalidValue;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const traced_call call("cudaStreamSynchronize_v3020", CUPTI_WAIT_STREAM);
  ENTER();
  drain(stream, NULL);
  return remember(asynchronous);
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  ENTER();
  if (event->asked == 0) return cudaSuccess;
  fake_work work = {};
  work.what = fake_work::WAIT;
  work.event = event;
  work.version = event->asked;
  return put_off(stream, work);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags) {
  *event = NULL;
  ENTER();
  *event = (cudaEvent_t)calloc(1, sizeof **event);
  if (!*event) abort();
  (*event)->times = !(flags & cudaEventDisableTiming);
  alive++;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  (void)drain_all();
  free(event);
  alive--;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  ENTER();
  fake_work work = {};
  work.what = fake_work::RECORD;
  work.event = event;
  work.version = ++event->asked;
  event->stream = stream;
  return put_off(stream, work);
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const traced_call call("cudaEventSynchronize_v3020", CUPTI_WAIT_EVENT);
  ENTER();
  if (event->asked > 0) drain(event->stream, event);
  return remember(asynchronous);
}
cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t from, cudaEvent_t to) {
  ENTER();
  if (!from->times || !to->times) return remember(cudaErrorInvalidResourceHandle);
  *milliseconds = 1.0f;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void **memory, size_t bytes) {
  *memory = NULL;
  const traced_call call("cudaMalloc_v3020");
  ENTER();
  return allocate(memory, bytes, current, 0xa5);
}
cudaError_t cudaMallocHost(void **memory, size_t bytes) {
  *memory = NULL;
  ENTER();
  return allocate(memory, bytes, -1, 0x5a);
}
cudaError_t cudaFree(void *memory) {
  return give_back(memory, false);
}
cudaError_t cudaFreeHost(void *memory) {
  return give_back(memory, true);
}
cudaError_t cudaMemGetInfo(size_t *available, size_t *total) {
  ENTER();
  *total = (size_t)device_memory();
  *available = *total - (size_t)used[current];
  return cudaSuccess;
}
cudaError_t cudaMemset(void *to, int byte, size_t bytes) {
  ENTER();
  (void)drain_all();
  check_range("cudaMemset", to, bytes, current);
  memset(to, byte, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const traced_call call("cudaMemcpyAsync_v3020");
  ENTER();
  if (kind != cudaMemcpyDefault) misused("a copy that names its direction");
  fake_work work = {};
  work.what = fake_work::COPY;
  work.to = to;
  work.from = from;
  work.bytes = bytes;
  work.correlation = call.correlation;
  return put_off(stream, work);
}
cudaError_t cudaMemsetAsync(void *to, int byte, size_t bytes, cudaStream_t stream) {
  const traced_call call("cudaMemsetAsync_v3020");
  ENTER();
  fake_work work = {};
  work.what = fake_work::FILL;
  work.to = to;
  work.byte = byte;
  work.bytes = bytes;
  work.correlation = call.correlation;
  return put_off(stream, work);
}
cudaError_t cudaLaunchKernel(const void *host, dim3 grid, dim3 block, void **args, size_t shared,
                             cudaStream_t stream) {
  const traced_call call("cudaLaunchKernel_v7000");
  ENTER();
  const function *found = function_of(host);
  if (!found) return remember(cudaErrorInvalidDeviceFunction);
  const int registers = setup.registers ? setup.registers : 32;
  if (block.x == 0 || block.x > 1024 || (int)block.x * registers > 65536 || grid.x == 0 ||
      grid.x > 0x7fffffffu || (int64_t)shared > found->shared)
    return remember(cudaErrorInvalidConfiguration);
  fake_work work = {};
  work.what = fake_work::LAUNCH;
  work.kernel = found->kernel;
  work.blocks = grid.x;
  work.threads = (int)block.x;
  work.shared = (int64_t)shared;
  const size_t size = fmlp_fake_args_size(found->kernel);
  work.args = malloc(size);
  if (!work.args) abort();
  memcpy(work.args, args[0], size);
  work.correlation = call.correlation;
  return put_off(stream, work);
}

} // extern "C"
