/* prof/sources: buffers of records made by hand, through the one reader and the joins into a capture. */
#include "tests/cmocka_fmlp.h"

#include <stdlib.h>
#include <string.h>

#include "prof/sources/cupti_records.h"
#include "prof/sources/device_join.h"
#include "tests/cuda/cupti_buffer.h"

/* The capture: [1000000, 2000000] of CLOCK_MONOTONIC, a thread with two call paths. */
enum { START = 1000000, STOP = 2000000, TRACE = 5, THREAD = 4711, CAPACITY = 1 << 16 };

static size_t lost;
static int give_invalid_at = -1; /* a record that CUPTI calls invalid */

static int next_record(uint8_t *bytes, size_t valid, void **record) {
  const int result = cupti_buffer_next(bytes, valid, record);
  return result == CUPTI_OK && (uint8_t *)*record - bytes == give_invalid_at ? CUPTI_INVALID_KIND : result;
}
static int dropped(void *context, uint32_t stream, size_t *count) {
  (void)context;
  (void)stream;
  *count = lost;
  lost = 0;
  return CUPTI_OK;
}
static int function_name(int domain, uint32_t function, const char **name) {
  *name = domain == CUPTI_DOMAIN_DRIVER ? "cuLaunchKernel" : function == 1 ? "cudaLaunchKernel_v7000" : NULL;
  return *name ? CUPTI_OK : 1;
}
static const fmlp_cupti_api API = {
    .next_record = next_record, .dropped = dropped, .function_name = function_name};

typedef struct fixture {
  _Alignas(8) uint8_t bytes[CAPACITY];
  cupti_buffer buffer;
  fmlp_cupti_log log;
  fmlp_capture *capture;
  fmlp_capture_places places;
  fmlp_device_clock clock;
} fixture;

static const int32_t NODE_BASE[] = {-1}; /* node 1 of the thread is node 0 of the capture */

static int set_up(void **state) {
  fixture *f = calloc(1, sizeof *f);
  assert_non_null(f);
  lost = 0;
  give_invalid_at = -1;
  f->buffer = (cupti_buffer){f->bytes, CAPACITY, 0};
  fmlp_cupti_log_open(&f->log, &API, 1000);
  f->capture = calloc(1, sizeof *f->capture);
  f->capture->threads = calloc(1, sizeof *f->capture->threads);
  f->capture->threads[0].id = THREAD;
  f->capture->thread_count = 1;
  f->capture->nodes = calloc(2, sizeof *f->capture->nodes);
  f->capture->node_count = 2;
  f->capture->start = START;
  f->capture->stop = STOP;
  f->places = (fmlp_capture_places){.start = START, .thread_count = 1, .node_base = NODE_BASE};
  f->clock = (fmlp_device_clock){START - 1000, {START, START, 20}, {STOP, STOP, 30}};
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  fixture *f = *state;
  fmlp_cupti_log_release(&f->log);
  fmlp_capture_free(f->capture);
  free(f);
  return 0;
}

/* The external id of the thread's call path number `node`, 0 for its first. */
static uint64_t id_of(int node, int trace) {
  return (uint64_t)trace << FMLP_DEVICE_TRACE_SHIFT | (uint64_t)1 << 32 | (uint64_t)(node + 1);
}

static void add_external(fixture *f, uint32_t correlation, uint64_t id) {
  cupti_external *record = cupti_buffer_add(&f->buffer, CUPTI_EXTERNAL_CORRELATION, sizeof *record);
  assert_non_null(record);
  record->external_kind = CUPTI_CUSTOM0;
  record->correlation = correlation;
  record->id = id;
}

static void add_call(fixture *f, uint32_t kind, uint32_t correlation, int start, int end) {
  cupti_call *record = cupti_buffer_add(&f->buffer, kind, sizeof *record);
  assert_non_null(record);
  record->function = 1;
  record->correlation = correlation;
  record->thread = THREAD;
  record->start = (uint64_t)(START + start);
  record->end = (uint64_t)(START + end);
}

static cupti_kernel *add_kernel(fixture *f, uint32_t correlation, uint32_t stream, int start, int end) {
  cupti_kernel *record = cupti_buffer_add(&f->buffer, CUPTI_CONCURRENT_KERNEL, sizeof *record);
  assert_non_null(record);
  record->correlation = correlation;
  record->stream = stream;
  record->start = (uint64_t)(START + start);
  record->end = (uint64_t)(START + end);
  record->name = "_Z3sumIiEvT_";
  for (int axis = 0; axis < 3; axis++) record->grid[axis] = record->block[axis] = axis == 0 ? 64 : 1;
  return record;
}

static void add_memory(fixture *f, uint32_t operation, uint64_t address, uint64_t bytes, int time) {
  cupti_memory_record *record = cupti_buffer_add(&f->buffer, CUPTI_MEMORY2, sizeof *record);
  assert_non_null(record);
  record->operation = operation;
  record->memory = CUPTI_MEMORY_DEVICE;
  record->address = address;
  record->bytes = bytes;
  record->time = (uint64_t)(START + time);
}

static const fmlp_capture *join(fixture *f) {
  fmlp_cupti_log_read(&f->log, f->bytes, f->buffer.used);
  assert_true(fmlp_device_join(f->capture, &f->places, &f->log, &f->clock, TRACE));
  return f->capture;
}

static void launch_is_joined_to_its_span(void **state) {
  fixture *f = *state;
  add_external(f, 7, id_of(1, TRACE));
  add_call(f, CUPTI_RUNTIME, 7, 100, 150);
  add_kernel(f, 7, 13, 200, 300);
  const fmlp_capture *capture = join(f);
  assert_int_equal(capture->operation_count, 1);
  const fmlp_capture_operation *kernel = &capture->operations[0];
  assert_int_equal(kernel->node, 1);
  assert_int_equal(kernel->call, 0);
  assert_int_equal(kernel->start, 200);
  assert_int_equal(kernel->end, 300);
  assert_int_equal(kernel->stream, 13);
  assert_string_equal(capture->names[kernel->name], "sum");
  assert_int_equal(capture->call_count, 1);
  assert_int_equal(capture->calls[0].node, 1);
  assert_int_equal(capture->calls[0].thread, 0);
  assert_string_equal(capture->names[capture->calls[0].name], "cudaLaunchKernel");
  assert_int_equal(capture->unattributed_operations, 0);
  assert_int_equal(capture->device_clock_residual, 30);
}

static void graph_launch_shares_its_correlation(void **state) {
  fixture *f = *state;
  add_external(f, 9, id_of(0, TRACE));
  add_call(f, CUPTI_RUNTIME, 9, 10, 20);
  for (int i = 0; i < 50; i++) add_kernel(f, 9, 7, 100 + 10 * i, 108 + 10 * i);
  const fmlp_capture *capture = join(f);
  assert_int_equal(capture->operation_count, 50);
  for (int i = 0; i < 50; i++) {
    assert_int_equal(capture->operations[i].node, 0);
    assert_int_equal(capture->operations[i].call, 0);
  }
  assert_int_equal(capture->unattributed_operations, 0);
}

static void no_span_is_counted(void **state) {
  fixture *f = *state;
  add_kernel(f, 7, 13, 200, 300);          /* no external id, no call */
  add_external(f, 8, id_of(0, TRACE - 1)); /* left by an earlier trace */
  add_call(f, CUPTI_RUNTIME, 8, 100, 150);
  add_kernel(f, 8, 13, 400, 500);
  add_external(f, 9, id_of(77, TRACE)); /* a path that the capture has no room for */
  add_kernel(f, 9, 13, 600, 700);
  add_kernel(f, 0, 13, 800, 900); /* of nobody */
  const fmlp_capture *capture = join(f);
  assert_int_equal(capture->operation_count, 4);
  assert_int_equal(capture->unattributed_operations, 4);
  assert_int_equal(capture->operations[0].call, -1);
  assert_int_equal(capture->operations[1].call, 0);
  for (int i = 0; i < 4; i++) assert_int_equal(capture->operations[i].node, -1);
}

static void impossible_times_are_rejected(void **state) {
  fixture *f = *state;
  add_kernel(f, 1, 7, 100, 200)->start = 0; /* no timing could be had */
  add_kernel(f, 2, 7, 300, 200);
  cupti_kernel *never = add_kernel(f, 3, 7, 0, 0);
  never->start = never->end = 0;
  add_call(f, CUPTI_RUNTIME, 4, 50, 20);
  add_kernel(f, 5, 7, 100, 100); /* short, but it happened */
  const fmlp_capture *capture = join(f);
  assert_int_equal(capture->invalid_operations, 4);
  assert_int_equal(capture->operation_count, 1);
  assert_int_equal(capture->call_count, 0);
}

static void cut_and_foreign_records(void **state) {
  fixture *f = *state;
  add_kernel(f, 1, 7, 100, 200);
  void *foreign = cupti_buffer_add(&f->buffer, 63, 64);
  assert_non_null(foreign);
  add_kernel(f, 2, 7, 300, 400);
  f->buffer.used -= SIZE_OF_KERNEL - 60; /* not even all of what is read of it */
  fmlp_cupti_log_read(&f->log, f->bytes, f->buffer.used);
  assert_int_equal(f->log.operation_count, 1);
  assert_int_equal(f->log.dropped, 1);
  assert_int_equal(f->log.unknown, 1);
  give_invalid_at = 0; /* and one that CUPTI itself gives up at */
  fmlp_cupti_log_read(&f->log, f->bytes, f->buffer.used);
  assert_int_equal(f->log.operation_count, 1);
  assert_int_equal(f->log.dropped, 2);
}

/* Every length of a buffer: no byte beyond it is read (address sanitizer), nothing is lost unseen. */
static void cut_anywhere(void **state) {
  fixture *f = *state;
  add_external(f, 7, id_of(1, TRACE));
  add_call(f, CUPTI_RUNTIME, 7, 100, 150);
  add_kernel(f, 7, 13, 200, 300);
  add_memory(f, CUPTI_ALLOCATION, 0x100, 64, 10);
  for (size_t valid = 0; valid < f->buffer.used; valid++) {
    uint8_t *exact = aligned_alloc(8, (valid + 8) / 8 * 8);
    assert_non_null(exact);
    memcpy(exact, f->bytes, valid);
    fmlp_cupti_log log;
    fmlp_cupti_log_open(&log, &API, 100);
    fmlp_cupti_log_read(&log, exact, valid);
    assert_true(log.dropped <= 1);
    assert_true(valid < 280 || log.operation_count + log.memory_count + log.dropped > 0);
    fmlp_cupti_log_release(&log);
    free(exact);
  }
}

static void dropped_are_asked_after_each_buffer(void **state) {
  fixture *f = *state;
  add_kernel(f, 1, 7, 100, 200);
  lost = 11;
  fmlp_cupti_log_read(&f->log, f->bytes, f->buffer.used);
  lost = 3;
  const fmlp_capture *capture = join(f);
  assert_int_equal(capture->dropped_operations, 14);
}

static void limit_is_kept_and_counted(void **state) {
  fixture *f = *state;
  f->log.limit = 10;
  for (int i = 0; i < 25; i++) {
    add_call(f, CUPTI_RUNTIME, (uint32_t)i + 1, 10 * i, 10 * i + 5);
    add_kernel(f, (uint32_t)i + 1, 7, 10 * i, 10 * i + 5);
  }
  const fmlp_capture *capture = join(f);
  assert_int_equal(capture->operation_count, 10);
  assert_int_equal(capture->call_count, 10);
  assert_int_equal(capture->dropped_operations, 30);
}

static void operations_are_in_order(void **state) {
  fixture *f = *state;
  add_kernel(f, 2, 13, 600, 1000); /* buffers of two streams come as they are full */
  add_kernel(f, 3, 13, 100, 300);
  add_kernel(f, 1, 7, 500, 900);
  add_kernel(f, 4, 7, 100, 200);
  const fmlp_capture *capture = join(f);
  assert_int_equal(capture->operation_count, 4);
  for (int i = 1; i < 4; i++) assert_true(capture->operations[i - 1].start <= capture->operations[i].start);
  assert_int_equal(capture->operations[0].stream, 7);
  assert_int_equal(capture->operations[2].stream, 7);
}

static void driver_inside_runtime_is_one_call(void **state) {
  fixture *f = *state;
  add_external(f, 20, id_of(0, TRACE));
  add_call(f, CUPTI_DRIVER, 20, 110, 140); /* the same correlation */
  add_call(f, CUPTI_RUNTIME, 20, 100, 150);
  add_kernel(f, 20, 7, 160, 170);
  add_external(f, 31, id_of(1, TRACE));
  add_call(f, CUPTI_RUNTIME, 30, 200, 300);
  add_call(f, CUPTI_DRIVER, 31, 210, 290); /* one of its own */
  add_kernel(f, 31, 7, 310, 320);
  add_call(f, CUPTI_DRIVER, 40, 400, 410); /* a call of the driver alone */
  const fmlp_capture *capture = join(f);
  assert_int_equal(capture->call_count, 3);
  assert_int_equal(capture->calls[0].kind, FMLP_CALL_RUNTIME);
  assert_int_equal(capture->calls[1].kind, FMLP_CALL_RUNTIME);
  assert_int_equal(capture->calls[2].kind, FMLP_CALL_DRIVER);
  assert_int_equal(capture->operations[0].call, 0);
  assert_int_equal(capture->operations[0].node, 0);
  assert_int_equal(capture->operations[1].call, 1);
  assert_int_equal(capture->operations[1].node, 1);
}

static void add_wait(fixture *f, uint32_t type, uint32_t correlation, int start, int end) {
  cupti_wait_record *wait = cupti_buffer_add(&f->buffer, CUPTI_SYNCHRONIZATION, sizeof *wait);
  assert_non_null(wait);
  wait->type = type;
  wait->correlation = correlation;
  wait->start = (uint64_t)(START + start);
  wait->end = (uint64_t)(START + end);
}

static void waits_are_calls_that_waited(void **state) {
  fixture *f = *state;
  add_external(f, 5, id_of(1, TRACE));
  add_call(f, CUPTI_RUNTIME, 5, 100, 900);
  add_wait(f, CUPTI_WAIT_STREAM, 5, 110, 890);
  add_wait(f, CUPTI_WAIT_BETWEEN_STREAMS, 6, 910, 920); /* the host does not wait */
  add_wait(f, CUPTI_WAIT_EVENT, 7, 930, 940);           /* its call is lost */
  const fmlp_capture *capture = join(f);
  assert_int_equal(capture->call_count, 2);
  assert_int_equal(capture->calls[0].kind, FMLP_CALL_WAIT);
  assert_int_equal(capture->calls[0].start, 100);
  assert_int_equal(capture->calls[0].node, 1);
  assert_string_equal(capture->names[capture->calls[0].name], "cudaLaunchKernel");
  assert_int_equal(capture->calls[1].kind, FMLP_CALL_WAIT);
  assert_string_equal(capture->names[capture->calls[1].name], "wait for an event");
}

static void overhead_data_is_freed(void **state) {
  fixture *f = *state;
  for (uint32_t kind = 0; kind <= 9; kind++) {
    cupti_overhead *overhead = cupti_buffer_add(&f->buffer, CUPTI_OVERHEAD, sizeof *overhead);
    assert_non_null(overhead);
    overhead->overhead = kind << 16;
    overhead->start = START + 10 * (kind + 1);
    overhead->end = overhead->start + 5;
    overhead->data = kind == 6 ? malloc(12) : NULL; /* the leak sanitizer looks */
  }
  const fmlp_capture *capture = join(f);
  assert_int_equal(capture->call_count, 10);
  assert_int_equal(capture->calls[6].kind, FMLP_CALL_OVERHEAD);
  assert_string_equal(capture->names[capture->calls[6].name], "driver: command buffer full");
}

static void capture_bounds_are_kept(void **state) {
  fixture *f = *state;
  const int length = STOP - START;
  add_kernel(f, 1, 7, -900, -800);                 /* before it: the device was being opened */
  add_kernel(f, 2, 7, -50, 100);                   /* across its start */
  add_kernel(f, 3, 7, length - 100, length + 400); /* across its end */
  add_kernel(f, 4, 7, length + 100, length + 200); /* after it */
  const fmlp_capture *capture = join(f);
  assert_int_equal(capture->operation_count, 2);
  assert_int_equal(capture->operations[0].start, 0);
  assert_int_equal(capture->operations[0].end, 100);
  assert_int_equal(capture->operations[1].end, length);
}

static void memory_over_time(void **state) {
  fixture *f = *state;
  add_memory(f, CUPTI_ALLOCATION, 0x1000, 100, -500); /* held when the capture began */
  add_memory(f, CUPTI_ALLOCATION, 0x2000, 1000, 10);
  add_memory(f, CUPTI_RELEASE, 0x1000, 100, 20);
  add_memory(f, CUPTI_RELEASE, 0x7777, 64, 30); /* taken before anybody looked */
  cupti_pool_record *pool = cupti_buffer_add(&f->buffer, CUPTI_MEMORY_POOL, sizeof *pool);
  pool->operation = CUPTI_POOL_CREATED;
  pool->address = 0x9000;
  pool->size = 5000;
  pool->time = START + 40;
  pool = cupti_buffer_add(&f->buffer, CUPTI_MEMORY_POOL, sizeof *pool);
  pool->operation = CUPTI_POOL_DESTROYED;
  pool->address = 0x9000;
  pool->size = 5000;
  pool->time = START + 60;
  add_memory(f, CUPTI_ALLOCATION, 0x2100, 7, 50);
  cupti_memory_record *pooled = cupti_buffer_add(&f->buffer, CUPTI_MEMORY2, sizeof *pooled);
  pooled->operation = CUPTI_ALLOCATION;
  pooled->memory = CUPTI_MEMORY_DEVICE;
  pooled->address = 0x9100;
  pooled->bytes = 10;
  pooled->pool_type = 1;
  pooled->pool_address = 0x9000;
  pooled->pool_size = 6000; /* the pool grew for it */
  pooled->time = START + 55;
  f->capture->counters = calloc(1, sizeof *f->capture->counters);
  f->capture->counters[0] = (fmlp_capture_counter){FMLP_COUNTER_RESIDENT, -1, 999, 1};
  f->capture->counter_count = 1;
  const fmlp_capture *capture = join(f);
  const int64_t expected[][2] = {{0, 100},   {10, 1100}, {20, 1000}, {40, 6000},
                                 {50, 6007}, {55, 7007}, {60, 1007}};
  const int count = (int)(sizeof expected / sizeof *expected);
  assert_int_equal(capture->counter_count, count + 1);
  assert_int_equal(capture->counters[0].kind, FMLP_COUNTER_RESIDENT);
  for (int i = 0; i < count; i++) {
    assert_int_equal(capture->counters[i + 1].kind, FMLP_COUNTER_DEVICE_MEMORY);
    assert_int_equal(capture->counters[i + 1].time, expected[i][0]);
    assert_int_equal(capture->counters[i + 1].value, expected[i][1]);
  }
}

/* The callback was refused: times since 1970, turned by two readings of both clocks. */
static void other_clock(void **state) {
  fixture *f = *state;
  const int64_t since_1970 = 1700000000000000000;
  f->clock.start.device = START + since_1970;
  f->clock.stop.device = STOP + since_1970 + 1000; /* it gains 1000 ns over the capture */
  add_kernel(f, 1, 7, 0, 0)->start = (uint64_t)(START + 500000 + since_1970 + 500);
  ((cupti_kernel *)(void *)f->bytes)->end = (uint64_t)(START + 600000 + since_1970 + 600);
  const fmlp_capture *capture = join(f);
  assert_int_equal(capture->operation_count, 1);
  assert_int_equal(capture->operations[0].start, 500000);
  assert_int_equal(capture->operations[0].end, 600000);
  assert_int_equal(capture->device_clock_residual, 1030); /* the drift, and the worse reading */
}

/* What began before it was launched shows by how much the clocks disagree. */
static void residual_of_causes_and_effects(void **state) {
  fixture *f = *state;
  add_call(f, CUPTI_RUNTIME, 1, 1000, 2000);
  add_kernel(f, 1, 7, 400, 3000);
  const fmlp_capture *capture = join(f);
  assert_int_equal(capture->device_clock_residual, 600);
  assert_int_equal(capture->operations[0].start, 400);
}

/* What a capture promises, whatever the records say. */
static void check_promises(const fixture *f) {
  const fmlp_capture *capture = f->capture;
  const int64_t length = STOP - START;
  int64_t unattributed = 0;
  for (int64_t i = 0; i < capture->operation_count; i++) {
    const fmlp_capture_operation *operation = &capture->operations[i];
    assert_true(operation->start >= 0 && operation->start <= operation->end && operation->end <= length);
    assert_true(i == 0 || operation[-1].start <= operation->start);
    assert_in_range(operation->node + 1, 0, capture->node_count);
    assert_in_range(operation->call + 1, 0, capture->call_count);
    assert_in_range(operation->name, 0, capture->name_count - 1);
    unattributed += operation->node < 0;
  }
  assert_int_equal(capture->unattributed_operations, unattributed);
  for (int64_t i = 0; i < capture->call_count; i++) {
    const fmlp_capture_call *call = &capture->calls[i];
    assert_true(call->start >= 0 && call->start <= call->end && call->end <= length);
    assert_true(i == 0 || call[-1].start <= call->start);
    assert_in_range(call->node + 1, 0, capture->node_count);
    assert_in_range(call->thread + 1, 0, capture->thread_count);
    assert_in_range(call->name, 0, capture->name_count - 1);
  }
  for (int64_t i = 0; i < capture->counter_count; i++) {
    const fmlp_capture_counter *counter = &capture->counters[i];
    assert_true(counter->time >= 0 && counter->time <= length && counter->value >= 0);
    assert_true(i == 0 || counter[-1].device < counter->device || counter[-1].time < counter->time);
  }
}

/* Records in any order, of any time, with correlations that meet or do not. */
static void add_anything(fixture *f) {
  const uint32_t correlation = (uint32_t)rand() % 40;
  const int start = rand() % 1200000 - 100000, end = start + rand() % 5000 - 500;
  switch (rand() % 6) {
  case 0:
    add_external(f, correlation, id_of(rand() % 4, TRACE - rand() % 2));
    break;
  case 1:
    add_call(f, CUPTI_RUNTIME, correlation, start, end);
    break;
  case 2:
    add_call(f, CUPTI_DRIVER, correlation, start, end);
    break;
  case 3:
    add_wait(f, (uint32_t)rand() % 6, correlation, start, end);
    break;
  case 4:
    add_memory(f, (uint32_t)rand() % 3, (uint64_t)rand() % 8 + 1, (uint64_t)rand() % 1000, start);
    break;
  default:
    add_kernel(f, correlation, (uint32_t)rand() % 3, start, end)->start -=
        rand() % 20 == 0 ? (uint64_t)start : 0;
  }
}

static void promises_hold_for_any_records(void **state) {
  (void)state;
  for (unsigned seed = 1; seed <= 200; seed++) {
    fixture *f = NULL;
    void *made = NULL;
    assert_int_equal(set_up(&made), 0);
    f = made;
    srand(seed);
    for (int i = 0; i < 250; i++) add_anything(f);
    if (seed % 3 == 0) f->log.limit = 20;
    (void)join(f);
    check_promises(f);
    (void)tear_down(&made);
  }
}

static void plain_names(void **state) {
  static const char *const cases[][2] = {
      {"_Z14triple_barrier4args", "triple_barrier"},
      {"_Z3sumIiEvT_", "sum"},
      {"_ZN3cub6detail4scanEv", "cub::detail::scan"},
      {"_ZL5local3foo", "local"},
      {"plain_c", "plain_c"},
      {"_Z", "_Z"},
      {"_Z99short", "_Z99short"},
      {"", ""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char plain[64];
    fmlp_cupti_plain_name(cases[i][0], plain, sizeof plain);
    assert_string_equal(plain, cases[i][1]);
  }
}

static void maps(void **state) {
  (void)state;
  fmlp_number_map map = {0};
  uint64_t value = 42;
  assert_false(fmlp_number_map_get(&map, 7, &value));
  assert_false(fmlp_number_map_put(&map, 0, 1));
  for (uint64_t i = 1; i <= 100000; i++) assert_true(fmlp_number_map_put(&map, i << 20, i));
  for (uint64_t i = 1; i <= 100000; i++) {
    assert_true(fmlp_number_map_get(&map, i << 20, &value));
    assert_int_equal(value, i);
  }
  assert_false(fmlp_number_map_get(&map, 3, &value));
  assert_true(fmlp_number_map_put(&map, 1 << 20, 9));
  assert_true(fmlp_number_map_get(&map, 1 << 20, &value));
  assert_int_equal(value, 9);
  assert_int_equal(map.count, 100000);
  fmlp_number_map_release(&map);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {CASE(launch_is_joined_to_its_span),
                                     CASE(graph_launch_shares_its_correlation),
                                     CASE(no_span_is_counted),
                                     CASE(impossible_times_are_rejected),
                                     CASE(cut_and_foreign_records),
                                     CASE(cut_anywhere),
                                     CASE(dropped_are_asked_after_each_buffer),
                                     CASE(limit_is_kept_and_counted),
                                     CASE(operations_are_in_order),
                                     CASE(driver_inside_runtime_is_one_call),
                                     CASE(waits_are_calls_that_waited),
                                     CASE(overhead_data_is_freed),
                                     CASE(capture_bounds_are_kept),
                                     CASE(memory_over_time),
                                     CASE(other_clock),
                                     CASE(residual_of_causes_and_effects),
                                     cmocka_unit_test(promises_hold_for_any_records),
                                     cmocka_unit_test(plain_names),
                                     cmocka_unit_test(maps)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
