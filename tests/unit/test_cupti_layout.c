/* prof/sources/cupti_layout.h against the toolkit's own cupti_activity.h: each record is written as NVIDIA's
 * struct, read by fmlp's reader, and found whole. Skipped where there is no such header. */
#include "tests/cmocka_fmlp.h"

#include <stdio.h>

#if defined(FMLP_HAVE_CUPTI_HEADER)
#include <stdlib.h>
#include <string.h>

/* the toolkit's headers want each other in this order */
#include <cuda.h>
#include <cupti.h>

#include "prof/sources/cupti_records.h"
#include "tests/cuda/cupti_buffer.h"

#define SAME(theirs, their_field, ours, our_field)                                                           \
  static_assert(offsetof(theirs, their_field) == offsetof(ours, our_field), #our_field)

SAME(CUpti_ActivityKernel10, registersPerThread, cupti_kernel, registers);
SAME(CUpti_ActivityMemory4, address, cupti_memory_record, address);
SAME(CUpti_ActivityMemory4, memoryPoolConfig.memoryPoolType, cupti_memory_record, pool_type);
SAME(CUpti_ActivityMemory4, memoryPoolConfig.pool.size, cupti_memory_record, pool_size);
SAME(CUpti_ActivityMemory4, deviceId, cupti_memory_record, device);
SAME(CUpti_ActivityMemoryPool3, address, cupti_pool_record, address);
SAME(CUpti_ActivityMemoryPool3, size, cupti_pool_record, size);
SAME(CUpti_ActivityMemoryPool3, timestamp, cupti_pool_record, time);
SAME(CUpti_ActivityMemoryPool3, deviceId, cupti_pool_record, device);
SAME(CUpti_ActivityOverhead3, objectId, cupti_overhead, object);
SAME(CUpti_ActivityOverhead3, overheadData, cupti_overhead, data);
SAME(CUpti_SubscriberParams, oldSubscriberName, fmlp_cupti_subscriber, old_name);
static_assert(sizeof(CUpti_SubscriberParams) == sizeof(fmlp_cupti_subscriber), "parameters");

static_assert((int)CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL == (int)CUPTI_CONCURRENT_KERNEL, "kind");
static_assert((int)CUPTI_ACTIVITY_KIND_MEMCPY2 == (int)CUPTI_MEMCPY_PEER, "kind");
static_assert((int)CUPTI_ACTIVITY_KIND_MEMORY2 == (int)CUPTI_MEMORY2, "kind");
static_assert((int)CUPTI_ACTIVITY_KIND_MEMORY_POOL == (int)CUPTI_MEMORY_POOL, "kind");
static_assert((int)CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0 == (int)CUPTI_CUSTOM0, "kind");
static_assert((int)CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED == (int)CUPTI_SEAT_TAKEN, "result");
static_assert((int)CUPTI_ERROR_MAX_LIMIT_REACHED == (int)CUPTI_END_OF_BUFFER, "result");
static_assert((int)CUPTI_ERROR_INVALID_KIND == (int)CUPTI_INVALID_KIND, "result");
static_assert((int)CUPTI_ERROR_QUEUE_EMPTY == (int)CUPTI_QUEUE_EMPTY, "result");
static_assert((int)CUPTI_CB_DOMAIN_RUNTIME_API == (int)CUPTI_DOMAIN_RUNTIME, "domain");
static_assert((int)CUPTI_ACTIVITY_THREAD_ID_TYPE_SYSTEM == (int)CUPTI_SYSTEM_THREADS, "threads");
static_assert((int)CUPTI_OLD_SUBSCRIBER_NAME_MIN_LEN == (int)CUPTI_SUBSCRIBER_NAME, "name");

static int next_record(uint8_t *bytes, size_t valid, void **record) {
  return cupti_buffer_next(bytes, valid, record);
}
static int dropped(void *context, uint32_t stream, size_t *count) {
  (void)context;
  (void)stream;
  *count = 0;
  return 0;
}
static int function_name(int domain, uint32_t function, const char **name) {
  *name = domain == CUPTI_CB_DOMAIN_RUNTIME_API && function == 211 ? "cudaLaunchKernel_v7000" : NULL;
  return *name ? 0 : 1;
}
static const fmlp_cupti_api API = {
    .next_record = next_record, .dropped = dropped, .function_name = function_name};

/* One record of theirs through the reader. */
static fmlp_cupti_log read_one(const void *record, size_t size) {
  _Alignas(8) uint8_t bytes[256];
  uint32_t kind;
  assert_true(size <= sizeof bytes);
  memcpy(&kind, record, sizeof kind);
  assert_int_equal(size, cupti_record_size(kind));
  memcpy(bytes, record, size);
  fmlp_cupti_log log;
  fmlp_cupti_log_open(&log, &API, 100);
  fmlp_cupti_log_read(&log, bytes, size);
  assert_int_equal(log.dropped + log.invalid + log.unknown, 0);
  return log;
}

static void kernels(void **state) {
  (void)state;
  CUpti_ActivityKernel10 record = {.kind = CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL,
                                   .registersPerThread = 40,
                                   .start = 1001,
                                   .end = 2002,
                                   .deviceId = 1,
                                   .streamId = 13,
                                   .gridX = 5,
                                   .gridY = 4,
                                   .gridZ = 3,
                                   .blockX = 32,
                                   .blockY = 2,
                                   .blockZ = 1,
                                   .staticSharedMemory = 100,
                                   .dynamicSharedMemory = 28,
                                   .correlationId = 77,
                                   .name = "_Z14triple_barrier4args"};
  fmlp_cupti_log log = read_one(&record, sizeof record);
  assert_int_equal(log.operation_count, 1);
  const fmlp_cupti_operation *kernel = &log.operations[0];
  assert_int_equal(kernel->kind, FMLP_OPERATION_KERNEL);
  assert_int_equal(kernel->start, 1001);
  assert_int_equal(kernel->end, 2002);
  assert_int_equal(kernel->device, 1);
  assert_int_equal(kernel->stream, 13);
  assert_int_equal(kernel->blocks, 60);
  assert_int_equal(kernel->threads, 64);
  assert_int_equal(kernel->registers, 40);
  assert_int_equal(kernel->shared, 128);
  assert_int_equal(kernel->correlation, 77);
  assert_string_equal(log.names[kernel->name], "triple_barrier");
  fmlp_cupti_log_release(&log);
}

static void copies_and_fills(void **state) {
  (void)state;
  CUpti_ActivityMemcpy6 copy = {.kind = CUPTI_ACTIVITY_KIND_MEMCPY,
                                .copyKind = CUPTI_ACTIVITY_MEMCPY_KIND_DTOH,
                                .bytes = 4096,
                                .start = 11,
                                .end = 22,
                                .deviceId = 2,
                                .streamId = 9,
                                .correlationId = 5,
                                .runtimeCorrelationId = 6};
  fmlp_cupti_log log = read_one(&copy, sizeof copy);
  assert_int_equal(log.operations[0].kind, FMLP_OPERATION_DOWNLOAD);
  assert_int_equal(log.operations[0].bytes, 4096);
  assert_int_equal(log.operations[0].start, 11);
  assert_int_equal(log.operations[0].end, 22);
  assert_int_equal(log.operations[0].device, 2);
  assert_int_equal(log.operations[0].stream, 9);
  assert_int_equal(log.operations[0].correlation, 5);
  assert_int_equal(log.operations[0].runtime_correlation, 6);
  fmlp_cupti_log_release(&log);

  CUpti_ActivityMemcpyPtoP4 peer = {.kind = CUPTI_ACTIVITY_KIND_MEMCPY2,
                                    .bytes = 64,
                                    .start = 3,
                                    .end = 4,
                                    .deviceId = 1,
                                    .streamId = 2,
                                    .correlationId = 8};
  log = read_one(&peer, sizeof peer);
  assert_int_equal(log.operations[0].kind, FMLP_OPERATION_COPY);
  assert_int_equal(log.operations[0].bytes, 64);
  assert_int_equal(log.operations[0].correlation, 8);
  fmlp_cupti_log_release(&log);

  CUpti_ActivityMemset4 fill = {.kind = CUPTI_ACTIVITY_KIND_MEMSET,
                                .value = 7,
                                .bytes = 512,
                                .start = 30,
                                .end = 40,
                                .deviceId = 3,
                                .streamId = 4,
                                .correlationId = 9};
  log = read_one(&fill, sizeof fill);
  assert_int_equal(log.operations[0].kind, FMLP_OPERATION_FILL);
  assert_int_equal(log.operations[0].bytes, 512);
  assert_int_equal(log.operations[0].start, 30);
  assert_int_equal(log.operations[0].stream, 4);
  assert_int_equal(log.operations[0].correlation, 9);
  fmlp_cupti_log_release(&log);
}

static void calls_and_waits(void **state) {
  (void)state;
  CUpti_ActivityAPI call = {.kind = CUPTI_ACTIVITY_KIND_RUNTIME,
                            .cbid = 211,
                            .start = 100,
                            .end = 130,
                            .threadId = 4321,
                            .correlationId = 12};
  fmlp_cupti_log log = read_one(&call, sizeof call);
  assert_int_equal(log.calls[0].kind, FMLP_CALL_RUNTIME);
  assert_int_equal(log.calls[0].start, 100);
  assert_int_equal(log.calls[0].end, 130);
  assert_int_equal(log.calls[0].thread, 4321);
  assert_int_equal(log.calls[0].correlation, 12);
  assert_string_equal(log.names[log.calls[0].name], "cudaLaunchKernel");
  fmlp_cupti_log_release(&log);

  CUpti_ActivitySynchronization2 wait = {.kind = CUPTI_ACTIVITY_KIND_SYNCHRONIZATION,
                                         .type = CUPTI_ACTIVITY_SYNCHRONIZATION_TYPE_STREAM_SYNCHRONIZE,
                                         .start = 50,
                                         .end = 60,
                                         .correlationId = 13};
  log = read_one(&wait, sizeof wait);
  assert_int_equal(log.calls[0].kind, FMLP_CALL_WAIT);
  assert_int_equal(log.calls[0].end, 60);
  assert_int_equal(log.calls[0].correlation, 13);
  fmlp_cupti_log_release(&log);

  CUpti_ActivityOverhead3 overhead = {.kind = CUPTI_ACTIVITY_KIND_OVERHEAD,
                                      .overheadKind = CUPTI_ACTIVITY_OVERHEAD_LAZY_FUNCTION_LOADING,
                                      .objectKind = CUPTI_ACTIVITY_OBJECT_THREAD,
                                      .objectId.pt = {1, 4321},
                                      .start = 70,
                                      .end = 90,
                                      .correlationId = 14,
                                      .overheadData = malloc(12)};
  log = read_one(&overhead, sizeof overhead); /* which frees the data */
  assert_int_equal(log.calls[0].kind, FMLP_CALL_OVERHEAD);
  assert_int_equal(log.calls[0].thread, 4321);
  assert_int_equal(log.calls[0].start, 70);
  assert_string_equal(log.names[log.calls[0].name], "driver: loading a function");
  fmlp_cupti_log_release(&log);

  CUpti_ActivityExternalCorrelation external = {.kind = CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION,
                                                .externalKind = CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0,
                                                .externalId = (uint64_t)7 << 40,
                                                .correlationId = 12};
  log = read_one(&external, sizeof external);
  uint64_t id = 0;
  assert_true(fmlp_number_map_get(&log.external, 12, &id));
  assert_true(id == (uint64_t)7 << 40);
  fmlp_cupti_log_release(&log);
}

static void memory(void **state) {
  (void)state;
  CUpti_ActivityMemory4 taken = {.kind = CUPTI_ACTIVITY_KIND_MEMORY2,
                                 .memoryOperationType = CUPTI_ACTIVITY_MEMORY_OPERATION_TYPE_ALLOCATION,
                                 .memoryKind = CUPTI_ACTIVITY_MEMORY_KIND_DEVICE,
                                 .address = 0x1000,
                                 .bytes = 256,
                                 .timestamp = 900,
                                 .deviceId = 1};
  fmlp_cupti_log log = read_one(&taken, sizeof taken);
  assert_int_equal(log.memory_count, 1);
  assert_int_equal(log.memory[0].address, 0x1000);
  assert_int_equal(log.memory[0].bytes, 256);
  assert_int_equal(log.memory[0].time, 900);
  assert_int_equal(log.memory[0].device, 1);
  fmlp_cupti_log_release(&log);
  taken.memoryKind = CUPTI_ACTIVITY_MEMORY_KIND_PINNED;
  log = read_one(&taken, sizeof taken);
  assert_int_equal(log.memory_count, 0);
  fmlp_cupti_log_release(&log);

  CUpti_ActivityMemoryPool3 pool = {.kind = CUPTI_ACTIVITY_KIND_MEMORY_POOL,
                                    .memoryPoolOperationType =
                                        CUPTI_ACTIVITY_MEMORY_POOL_OPERATION_TYPE_CREATED,
                                    .deviceId = 2,
                                    .address = 0x9000,
                                    .size = 1 << 20,
                                    .timestamp = 901};
  log = read_one(&pool, sizeof pool);
  assert_int_equal(log.memory[0].address, 0x9000);
  assert_int_equal(log.memory[0].bytes, 1 << 20);
  assert_int_equal(log.memory[0].time, 901);
  assert_int_equal(log.memory[0].device, 2);
  fmlp_cupti_log_release(&log);
}

/* The library itself, where the toolkit has it, goes through buffers made by hand without a driver: it finds
 * records where ours begin, so their sizes are right, too. */
static void library_walks_the_same_way(void **state) {
  (void)state;
  static const uint32_t kinds[] = {
      CUPTI_CONCURRENT_KERNEL, CUPTI_MEMCPY,  CUPTI_MEMCPY_PEER,          CUPTI_MEMSET,
      CUPTI_RUNTIME,           CUPTI_DRIVER,  CUPTI_EXTERNAL_CORRELATION, CUPTI_OVERHEAD,
      CUPTI_SYNCHRONIZATION,   CUPTI_MEMORY2, CUPTI_MEMORY_POOL,          CUPTI_CONCURRENT_KERNEL};
  enum { COUNT = sizeof kinds / sizeof *kinds };
  fmlp_cupti_api api;
  char reason[256];
  uint32_t version = 0;
  if (!fmlp_cupti_load(&api, reason, sizeof reason) || api.get_version(&version) != CUPTI_OK ||
      version != CUPTI_API_VERSION) {
    (void)printf("SKIPPED: %s, or of another version than its header\n", reason);
    return;
  }
  _Alignas(8) static uint8_t bytes[4096];
  cupti_buffer buffer = {bytes, sizeof bytes, 0};
  for (int i = 0; i < COUNT; i++) assert_non_null(cupti_buffer_add(&buffer, kinds[i], 16));
  void *theirs = NULL, *ours = NULL;
  for (int i = 0; i < COUNT; i++) {
    assert_int_equal(api.next_record(bytes, buffer.used, &theirs), CUPTI_OK);
    assert_int_equal(cupti_buffer_next(bytes, buffer.used, &ours), CUPTI_OK);
    assert_ptr_equal(theirs, ours);
  }
  assert_int_equal(api.next_record(bytes, buffer.used, &theirs), CUPTI_END_OF_BUFFER);
  const char *name = NULL;
  assert_int_equal(api.function_name(CUPTI_DOMAIN_RUNTIME, 211, &name), CUPTI_OK);
  assert_string_equal(name, "cudaLaunchKernel_v7000");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(library_walks_the_same_way), cmocka_unit_test(kernels),
                                     cmocka_unit_test(copies_and_fills), cmocka_unit_test(calls_and_waits),
                                     cmocka_unit_test(memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}

#else
int main(void) {
  (void)puts("SKIPPED: no cupti_activity.h was found when this was configured");
  return 77;
}
#endif
