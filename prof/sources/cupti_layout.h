/* What CUPTI writes: the part of its activity records that this program reads, as libcupti.so.13 lays them
 * out (CUDA 13.0, CUPTI_API_VERSION 130001). Records grow at their end from one minor version to the next, so
 * these are beginnings of records; how long a record is, CUPTI alone knows. tests/unit/test_cupti_records.c
 * holds them against cupti_activity.h where a toolkit is there; none is needed to build. */
#ifndef FMLP_PROF_SOURCES_CUPTI_LAYOUT_H
#define FMLP_PROF_SOURCES_CUPTI_LAYOUT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* Versions whose records begin like this. */
enum { CUPTI_OLDEST = 130000, CUPTI_NEWEST = 139999 };

enum cupti_kind {
  CUPTI_MEMCPY = 1,
  CUPTI_MEMSET = 2,
  CUPTI_DRIVER = 4,
  CUPTI_RUNTIME = 5,
  CUPTI_CONCURRENT_KERNEL = 10, /* never KERNEL (3): that one makes kernels wait for each other */
  CUPTI_OVERHEAD = 17,
  CUPTI_MEMCPY_PEER = 22,
  CUPTI_SYNCHRONIZATION = 38,
  CUPTI_EXTERNAL_CORRELATION = 39,
  CUPTI_MEMORY2 = 49,
  CUPTI_MEMORY_POOL = 50
};

enum cupti_result {
  CUPTI_OK = 0,
  CUPTI_END_OF_BUFFER = 12, /* MAX_LIMIT_REACHED */
  CUPTI_NOT_INITIALIZED = 15,
  CUPTI_QUEUE_EMPTY = 18,
  CUPTI_INVALID_KIND = 21,
  CUPTI_INSUFFICIENT_PRIVILEGES = 35,
  CUPTI_SEAT_TAKEN = 39, /* MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED */
  CUPTI_UNKNOWN = 999
};

enum {
  CUPTI_DOMAIN_DRIVER = 1,
  CUPTI_DOMAIN_RUNTIME = 2,
  CUPTI_CUSTOM0 = 3, /* kind of external correlation */
  CUPTI_FLUSH_FORCED = 1,
  CUPTI_SYSTEM_THREADS = 1, /* threads by their number in the system */
  CUPTI_SUBSCRIBER_NAME = 64
};

enum cupti_copy { CUPTI_COPY_HTOD = 1, CUPTI_COPY_DTOH = 2, CUPTI_COPY_HTOA = 3, CUPTI_COPY_ATOH = 4 };
enum cupti_memory { CUPTI_MEMORY_DEVICE = 3, CUPTI_MEMORY_ARRAY = 4, CUPTI_MEMORY_MANAGED = 5 };
enum cupti_memory_operation { CUPTI_ALLOCATION = 1, CUPTI_RELEASE = 2 };
enum cupti_pool_operation { CUPTI_POOL_CREATED = 1, CUPTI_POOL_DESTROYED = 2, CUPTI_POOL_TRIMMED = 3 };
enum cupti_wait {
  CUPTI_WAIT_EVENT = 1,
  CUPTI_WAIT_BETWEEN_STREAMS = 2, /* the device waits, the host does not */
  CUPTI_WAIT_STREAM = 3,
  CUPTI_WAIT_CONTEXT = 4
};

typedef struct cupti_record {
  uint32_t kind;
} cupti_record;

typedef struct cupti_kernel { /* CUpti_ActivityKernel10 */
  uint32_t kind;
  uint8_t cache, shared_config;
  uint16_t registers;
  uint32_t partitioned_requested, partitioned_executed;
  uint64_t start, end, completed;
  uint32_t device, context, stream;
  int32_t grid[3], block[3];
  int32_t static_shared, dynamic_shared;
  uint32_t local_per_thread, local_total;
  uint32_t correlation;
  int64_t grid_id;
  const char *name; /* mangled; CUPTI's, for the life of the process */
} cupti_kernel;

typedef struct cupti_memcpy { /* CUpti_ActivityMemcpy6 */
  uint32_t kind;
  uint8_t copy, from, to, flags;
  uint64_t bytes, start, end;
  uint32_t device, context, stream;
  uint32_t correlation, runtime_correlation;
} cupti_memcpy;

typedef struct cupti_memcpy_peer { /* CUpti_ActivityMemcpyPtoP4 */
  uint32_t kind;
  uint8_t copy, from, to, flags;
  uint64_t bytes, start, end;
  uint32_t device, context, stream;
  uint32_t from_device, from_context, to_device, to_context;
  uint32_t correlation;
} cupti_memcpy_peer;

typedef struct cupti_memset { /* CUpti_ActivityMemset4 */
  uint32_t kind;
  uint32_t value;
  uint64_t bytes, start, end;
  uint32_t device, context, stream;
  uint32_t correlation;
} cupti_memset;

typedef struct cupti_call { /* CUpti_ActivityAPI */
  uint32_t kind;
  uint32_t function;
  uint64_t start, end;
  uint32_t process, thread;
  uint32_t correlation;
} cupti_call;

typedef struct cupti_external { /* CUpti_ActivityExternalCorrelation */
  uint32_t kind;
  uint32_t external_kind;
  uint64_t id;
  uint32_t correlation;
} cupti_external;

typedef struct cupti_overhead { /* CUpti_ActivityOverhead3 */
  uint32_t kind;
  uint32_t overhead;
  uint32_t object_kind, object[3];
  uint64_t start, end;
  uint32_t correlation, reserved;
  void *data; /* the reader's to free */
} cupti_overhead;

typedef struct cupti_wait_record { /* CUpti_ActivitySynchronization2 */
  uint32_t kind;
  uint32_t type;
  uint64_t start, end;
  uint32_t correlation;
} cupti_wait_record;

typedef struct cupti_memory_record { /* CUpti_ActivityMemory4 */
  uint32_t kind;
  uint32_t operation;
  uint32_t memory;
  uint32_t correlation;
  uint64_t address, bytes, time, program_counter;
  uint32_t process, device, context, stream;
  const char *name;
  uint32_t asynchronous, pad;
  uint32_t pool_type, pool_pad; /* 0: in no pool */
  uint64_t pool_address, pool_threshold, pool_size;
} cupti_memory_record;

typedef struct cupti_pool_record { /* CUpti_ActivityMemoryPool3 */
  uint32_t kind;
  uint32_t operation;
  uint32_t pool_type;
  uint32_t correlation;
  uint32_t process, device;
  uint64_t kept;
  uint64_t address, size, threshold, time;
} cupti_pool_record;

static_assert(offsetof(cupti_kernel, start) == 16 && offsetof(cupti_kernel, grid) == 52 &&
                  offsetof(cupti_kernel, correlation) == 92 && offsetof(cupti_kernel, name) == 104,
              "a kernel's record");
static_assert(offsetof(cupti_memcpy, start) == 16 && offsetof(cupti_memcpy, correlation) == 44,
              "a copy's record");
static_assert(offsetof(cupti_call, start) == 8 && offsetof(cupti_call, correlation) == 32, "a call's record");
static_assert(offsetof(cupti_overhead, data) == 48, "the record of an overhead");
static_assert(offsetof(cupti_memory_record, pool_size) == 104, "the record of an allocation");

#endif
