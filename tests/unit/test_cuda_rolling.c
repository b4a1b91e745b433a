/* A plan on the device against the reference, however rows and columns are divided: chunks shorter than what
 * operators look back, columns in device and host memory side by side, too little device memory, programs too
 * long for one launch, allocations that fail. What one operator does alone is tests/equivalence. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/stages/features_plan.h"
#include "cuda/device.h"
#include "cuda/rolling_plan.h"
#include "tests/equivalence/cases_plans.h"
#include "tests/unit/rolling_fixture.h"

enum { CALLS = 2 }; /* the second finds what the first left */

/* A plan, its inputs, and the outputs that the reference gives. */
typedef struct plan_data {
  fmlp_rolling_plan plan;
  int64_t rows;
  double *inputs[PLAN_INPUTS];
  double *wanted[PLAN_NODES];
} plan_data;

/* Runs on columns that are buffers already. */
static fmlp_status run_buffers(const fmlp_compute *compute, const plan_data *data,
                               fmlp_buffer *const *buffers, fmlp_error *error) {
  return compute->backend->rolling(compute->device, &data->plan, data->rows,
                                   (const fmlp_buffer *const *)buffers, buffers + data->plan.input_count,
                                   error);
}

static plan_data data_of(const plan_builder *p, int shift, int64_t rows) {
  plan_data data = {.plan = {.input_count = p->inputs,
                             .node_count = p->nodes,
                             .output_count = p->outputs,
                             .nodes = p->node},
                    .rows = rows};
  fmlp_error error = {""};
  if (fmlp_rolling_validate(&data.plan, &error) != FMLP_OK) fail_msg("%s", error.text);
  for (int32_t i = 0; i < p->inputs; i++) {
    data.inputs[i] = rows_new(rows);
    fmlp_case_fill((fmlp_case_data)((shift + 3 * i) % FMLP_DATA_COUNT), rows, FMLP_CASE_SEED + (uint64_t)i,
                   data.inputs[i]);
  }
  for (int32_t o = 0; o < p->outputs; o++) data.wanted[o] = rows_new(rows);
  rolling_reference(&data.plan, rows, data.inputs, data.wanted);
  return data;
}

static void data_end(plan_data *data) {
  for (int32_t i = 0; i < data->plan.input_count; i++) free(data->inputs[i]);
  for (int32_t o = 0; o < data->plan.output_count; o++) free(data->wanted[o]);
}

static void assert_wanted(const fmlp_compute *compute, const plan_data *data, fmlp_buffer *const *buffers,
                          const char *what) {
  double *got = rows_new(data->rows);
  for (int32_t o = 0; o < data->plan.output_count; o++) {
    const double *want = data->wanted[o];
    buffer_read(compute, buffers[data->plan.input_count + o], got, (size_t)data->rows * sizeof *got);
    for (int64_t i = 0; i < data->rows; i++) {
      if (fmlp_bits_of(got[i]) == fmlp_bits_of(want[i])) continue;
      fail_msg("%s: output %d, row %lld of %lld: %a is not %a", what, (int)o, (long long)i,
               (long long)data->rows, got[i], want[i]);
    }
  }
  free(got);
}

/* How a device is set up: bit b of `spilled` puts buffer b, inputs first, into host memory. */
typedef struct division {
  fmlp_gpu_tuning tuning;
  uint64_t spilled;
} division;

static void make_buffers(const fmlp_compute *compute, const plan_data *data, const division *how,
                         fmlp_buffer **buffers) {
  const int32_t count = data->plan.input_count + data->plan.output_count;
  const size_t bytes = (size_t)data->rows * sizeof(double);
  for (int32_t b = 0; b < count; b++) {
    fmlp_gpu_tuning tuning = how->tuning;
    tuning.spill = how->spilled >> b % 64 & 1;
    fmlp_gpu_tune(compute->device, &tuning);
    buffers[b] = b < data->plan.input_count ? buffer_of(compute, data->inputs[b], bytes)
                                            : buffer_empty(compute, bytes);
  }
}

static void end_buffers(const fmlp_compute *compute, const plan_data *data, fmlp_buffer *const *buffers) {
  const int32_t count = data->plan.input_count + data->plan.output_count;
  for (int32_t b = 0; b < count; b++) buffer_end(compute, buffers[b]);
}

/* Runs the plan on the device, twice, and compares; a refusal is given back. */
static fmlp_status try_division(const plan_data *data, const division *how, fmlp_error *error) {
  char what[160];
  (void)snprintf(what, sizeof what, "chunk %lld, memory %lld, threads %d, spilled %llx",
                 (long long)how->tuning.chunk, (long long)how->tuning.memory, (int)how->tuning.threads,
                 (unsigned long long)how->spilled);
  fmlp_compute compute = open_compute("simt");
  fmlp_buffer *buffers[PLAN_INPUTS + PLAN_NODES];
  make_buffers(&compute, data, how, buffers);
  fmlp_status status = FMLP_OK;
  for (int call = 0; call < CALLS && status == FMLP_OK; call++) {
    status = run_buffers(&compute, data, buffers, error);
    if (status == FMLP_OK) assert_wanted(&compute, data, buffers, what);
  }
  end_buffers(&compute, data, buffers);
  fmlp_compute_close(&compute);
  return status;
}

static void check_division(const plan_data *data, const division *how) {
  fmlp_error error = {""};
  if (try_division(data, how, &error) != FMLP_OK) fail_msg("%s", error.text);
}

/* ---- plans ---- */

/* Lookbacks of 1, 40 and 7 rows on top of each other, outputs that are operands, an intermediate with two
 * readers of which one looks back, a node that nobody needs. */
static void plan_lookbacks(plan_builder *p) {
  const int32_t returns = plan_window(p, true, FMLP_OP_LOG_RETURN, 0, 1);
  const int32_t far = plan_window(p, false, FMLP_OP_SHIFT, returns, 40);
  const int32_t gap = plan_pair(p, false, FMLP_OP_SUB, returns, far, 0);
  const int32_t smooth = plan_parameter(p, true, FMLP_OP_FRACDIFF, gap, 0.5, 0.02);
  const int32_t change = plan_window(p, false, FMLP_OP_DIFF, smooth, 7);
  plan_pair(p, true, FMLP_OP_MUL, change, gap, 0);
  plan_pair(p, true, FMLP_OP_ADD, smooth, returns, 0);
  plan_window(p, false, FMLP_OP_PCT_CHANGE, change, 90);
  plan_pair(p, true, FMLP_OP_RATIO, 1, change, 0);
}

/* Every other family, recursions of what windows give and windows of what recursions give. */
static void plan_families(plan_builder *p) {
  const int32_t slow = plan_parameter(p, true, FMLP_OP_EMA, 0, 0.01, 0);
  const int32_t gap = plan_pair(p, false, FMLP_OP_SUB, 0, slow, 0);
  const int32_t highest = plan_window(p, true, FMLP_OP_MAX, gap, 30);
  const int32_t spread = plan_parameter(p, true, FMLP_OP_EWM_STD, highest, 0.05, 0);
  plan_window(p, true, FMLP_OP_ARGMIN, spread, 77);
  plan_window(p, true, FMLP_OP_MEDIAN, gap, 20);
  plan_window(p, true, FMLP_OP_RANK, gap, 20);
  plan_parameter(p, true, FMLP_OP_FRACDIFF, spread, 0.4, 1e-2);
  const int32_t mean = plan_window(p, true, FMLP_OP_MEAN, gap, 100);
  plan_window(p, true, FMLP_OP_STD, gap, 9);
  plan_window(p, true, FMLP_OP_KURT, mean, 13);
  plan_pair(p, true, FMLP_OP_CORR, mean, slow, 25);
  plan_put(p, true, (fmlp_rolling_node){.op = FMLP_OP_AUTOCORR, .a = gap, .window = 21, .lag = 5});
}

/* Single-row operators only, more than one program holds, operands mostly recent. */
static void plan_of_rows(plan_builder *p, uint64_t seed, int32_t nodes) {
  static const fmlp_operator like[] = {FMLP_OP_SHIFT, FMLP_OP_DIFF, FMLP_OP_PCT_CHANGE, FMLP_OP_LOG_RETURN,
                                       FMLP_OP_ADD,   FMLP_OP_SUB,  FMLP_OP_MUL,        FMLP_OP_DIV,
                                       FMLP_OP_RATIO, FMLP_OP_ABS,  FMLP_OP_SIGN,       FMLP_OP_CROSS,
                                       FMLP_OP_ADD,   FMLP_OP_SUB,  FMLP_OP_ADD,        FMLP_OP_CONSTANT};
  fmlp_case_random random = {seed * 0xbf58476d1ce4e5b9ULL + 1};
  *p = (plan_builder){.inputs = 3};
  for (int32_t n = 0; n < nodes; n++) {
    const fmlp_operator op = like[fmlp_case_bits(&random) % (sizeof like / sizeof *like)];
    const uint64_t known = (uint64_t)(p->inputs + p->nodes), recent = known < 30 ? known : 30;
    const fmlp_rolling_node node = {
        .op = op,
        .a = (int32_t)(known - 1 - fmlp_case_bits(&random) % recent),
        .b = (int32_t)(known - 1 - fmlp_case_bits(&random) % recent),
        .window = op <= FMLP_OP_LOG_RETURN ? 1 + (int64_t)(fmlp_case_bits(&random) % 9) : 0,
        .parameter = fmlp_case_signed(&random)};
    plan_put(p, n == nodes - 1 || fmlp_case_bits(&random) % 4 == 0, node);
  }
}

/* ---- tests ---- */

static void chunks_and_places_leave_the_bits_alone(void **state) {
  (void)state;
  static const int64_t chunks[] = {0, 1, 2, 3, 5, 7, 13, 64, 1000};
  static const uint64_t spilled[] = {0, ~0ULL, 0xaaaaaaaaaaaaaaaaULL, 0x5555555555555555ULL, 3, ~3ULL};
  plan_builder p = {.inputs = 2};
  plan_lookbacks(&p);
  plan_data data = data_of(&p, 0, 331);
  plan_data longer = data_of(&p, 3, 2500);
  for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++) {
    for (size_t s = 0; s < sizeof spilled / sizeof *spilled; s++) {
      check_division(&data, &(division){{.chunk = chunks[c], .threads = 32}, spilled[s]});
      if (chunks[c] == 0 || chunks[c] >= 64) {
        check_division(&longer, &(division){{.chunk = chunks[c], .threads = 96}, spilled[s]});
      }
    }
  }
  data_end(&data);
  data_end(&longer);
}

static void families_leave_off_and_go_on(void **state) {
  (void)state;
  static const int64_t chunks[] = {0, 1, 7, 13, 64, 333}, long_chunks[] = {0, 1000, 4095, 4096, 5001};
  plan_builder p = {.inputs = 1};
  plan_families(&p);
  plan_data data = data_of(&p, 0, 400);
  for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++) {
    check_division(&data, &(division){{.chunk = chunks[c], .threads = 64}, 0});
    check_division(&data, &(division){{.chunk = chunks[c], .threads = 32}, 0x155});
  }
  data_end(&data);
  data = data_of(&p, (int)FMLP_DATA_GAPS, 13000);
  for (size_t c = 0; c < sizeof long_chunks / sizeof *long_chunks; c++) {
    check_division(&data, &(division){{.chunk = long_chunks[c]}, c % 2 ? ~0ULL : 0xaa});
  }
  data_end(&data);
}

static void long_programs_are_cut(void **state) {
  (void)state;
  static plan_builder p;
  for (uint64_t seed = 1; seed <= 12; seed++) {
    plan_of_rows(&p, seed, 20 + (int32_t)seed * 25);
    plan_data data = data_of(&p, (int)seed, 100);
    check_division(&data, &(division){{.chunk = 0, .threads = (int32_t)(32 << seed % 6)}, 0});
    check_division(&data, &(division){{.chunk = 17}, seed % 3 ? 0 : ~0ULL});
    data_end(&data);
  }
}

static void a_thread_takes_any_number_of_rows(void **state) {
  (void)state;
  plan_builder p = {.inputs = 2};
  plan_lookbacks(&p);
  for (int64_t rows = 0; rows <= 260; rows += rows < 3 ? 1 : 43) {
    plan_data data = data_of(&p, 0, rows);
    check_division(&data, &(division){{.threads = 32}, 0});
    check_division(&data, &(division){{.threads = 64, .chunk = 50}, ~0ULL});
    data_end(&data);
  }
}

/* Two calls of which the first is still under way when the second sends its inputs, more of them than there
 * are stages. */
static void a_call_leaves_the_one_before_alone(void **state) {
  (void)state;
  plan_builder p = {.inputs = 6};
  for (int32_t i = 1; i < p.inputs; i++) plan_pair(&p, true, FMLP_OP_SUB, i - 1, i, 0);
  plan_data data[2] = {data_of(&p, 0, 700), data_of(&p, 5, 700)};
  fmlp_compute compute = open_compute("simt");
  fmlp_buffer *buffers[2][PLAN_INPUTS + PLAN_NODES];
  fmlp_error error = {""};
  for (int64_t chunk = 0; chunk <= 300; chunk += 100) {
    for (int i = 0; i < 2; i++)
      make_buffers(&compute, &data[i], &(division){{.chunk = chunk}, 63}, buffers[i]);
    for (int i = 0; i < 2; i++)
      assert_int_equal(run_buffers(&compute, &data[i], buffers[i], &error), FMLP_OK);
    for (int i = 0; i < 2; i++) assert_wanted(&compute, &data[i], buffers[i], "one of two calls");
    for (int i = 0; i < 2; i++) end_buffers(&compute, &data[i], buffers[i]);
  }
  fmlp_compute_close(&compute);
  data_end(&data[0]);
  data_end(&data[1]);
}

/* From plenty down to nothing: the same bits or, below what the smallest chunks need, one line that says so.
 */
static void less_memory_means_smaller_chunks(void **state) {
  (void)state;
  plan_builder p = {.inputs = 2};
  plan_lookbacks(&p);
  plan_data data = data_of(&p, 0, 9000);
  int32_t ran = 0, refused = 0;
  for (int64_t memory = 4 << 20; memory >= 8 << 10; memory = memory * 5 / 6) {
    fmlp_error error = {""};
    const division how = {{.memory = memory}, ~0ULL};
    if (try_division(&data, &how, &error) == FMLP_OK) {
      assert_int_equal(refused, 0);
      ran++;
      continue;
    }
    refused++;
    if (!strstr(error.text, "1024 rows at a time need ")) fail_msg("%s", error.text);
    assert_non_null(strstr(error.text, "runtime.device=cpu"));
  }
  assert_true(ran > 8 && refused > 3);
  data_end(&data);
}

static void a_refusal_leaves_the_device_usable(void **state) {
  (void)state;
  plan_builder p = {.inputs = 2};
  plan_lookbacks(&p);
  plan_data data = data_of(&p, 0, 5000);
  fmlp_compute compute = open_compute("simt");
  fmlp_buffer *buffers[PLAN_INPUTS + PLAN_NODES];
  make_buffers(&compute, &data, &(division){{.memory = 50000}, ~0ULL}, buffers);
  fmlp_error error = {""};
  assert_int_equal(run_buffers(&compute, &data, buffers, &error), FMLP_ERR_DEVICE);
  fmlp_gpu_tune(compute.device, &(fmlp_gpu_tuning){.memory = 0});
  if (run_buffers(&compute, &data, buffers, &error) != FMLP_OK) fail_msg("%s", error.text);
  assert_wanted(&compute, &data, buffers, "after a refusal");
  end_buffers(&compute, &data, buffers);
  fmlp_compute_close(&compute);
  data_end(&data);
}

static void every_failing_allocation_is_reported_and_leaks_nothing(void **state) {
  (void)state;
  plan_builder p = {.inputs = 2};
  plan_lookbacks(&p);
  plan_data data = data_of(&p, 0, 300);
  const int64_t before = fmlp_memory_allocated();
  fmlp_compute compute = open_compute("simt");
  fmlp_buffer *buffers[PLAN_INPUTS + PLAN_NODES];
  make_buffers(&compute, &data, &(division){{.chunk = 100}, 5}, buffers);
  int failures = 0;
  for (int64_t nth = 1;; nth++) {
    fmlp_error error = {""};
    fmlp_memory_fail_at(nth);
    const fmlp_status status = run_buffers(&compute, &data, buffers, &error);
    fmlp_memory_fail_at(0);
    if (status == FMLP_OK) break;
    assert_int_equal(status, FMLP_ERR_OTHER);
    assert_non_null(strstr(error.text, "out of memory"));
    failures++;
  }
  assert_true(failures >= 6);
  assert_wanted(&compute, &data, buffers, "after failures");
  end_buffers(&compute, &data, buffers);
  fmlp_compute_close(&compute);
  assert_int_equal(fmlp_memory_allocated(), before);
  data_end(&data);
}

/* Everything from opening to closing, with whatever fails given back. */
static fmlp_status whole_life(const plan_data *data, const division *how, bool *equal, fmlp_error *error) {
  const int32_t count = data->plan.input_count + data->plan.output_count;
  const size_t bytes = (size_t)data->rows * sizeof(double);
  fmlp_buffer *buffers[PLAN_INPUTS + PLAN_NODES] = {NULL};
  fmlp_compute compute = {&fmlp_simt_backend, NULL};
  double *got = rows_new(data->rows);
  fmlp_status status = compute.backend->open(0, &compute.device, error);
  const bool opened = status == FMLP_OK;
  for (int32_t b = 0; b < count && status == FMLP_OK; b++) {
    fmlp_gpu_tuning tuning = how->tuning;
    tuning.spill = how->spilled >> b % 64 & 1;
    fmlp_gpu_tune(compute.device, &tuning);
    status = compute.backend->buffer_create(compute.device, bytes, &buffers[b], error);
    if (status == FMLP_OK && b < data->plan.input_count) {
      status = compute.backend->upload(compute.device, buffers[b], 0, data->inputs[b], bytes, error);
    }
  }
  if (status == FMLP_OK) status = run_buffers(&compute, data, buffers, error);
  *equal = true;
  for (int32_t o = 0; o < data->plan.output_count && status == FMLP_OK; o++) {
    status =
        compute.backend->download(compute.device, buffers[data->plan.input_count + o], 0, got, bytes, error);
    if (status == FMLP_OK) *equal = *equal && memcmp(got, data->wanted[o], bytes) == 0;
  }
  for (int32_t b = 0; b < count && opened; b++) compute.backend->buffer_free(compute.device, buffers[b]);
  if (opened) compute.backend->close(compute.device);
  free(got);
  return status;
}

/* The n-th call of a kind fails, for every n there is: equal bits or one line, and nothing left behind. */
static void check_faults(const plan_data *data, const division *how, int64_t *field, fmlp_simt_setup *setup,
                         int *refused, int *survived) {
  *refused = *survived = 0;
  for (*field = 1;; ++*field) {
    fmlp_simt_configure(setup);
    const fmlp_simt_counters before = fmlp_simt_count();
    const int64_t host = fmlp_memory_allocated();
    fmlp_error error = {""};
    bool equal = false;
    const fmlp_status status = whole_life(data, how, &equal, &error);
    const fmlp_simt_counters after = fmlp_simt_count();
    assert_int_equal(after.live_allocations, before.live_allocations);
    assert_int_equal(after.live_pinned, before.live_pinned);
    assert_int_equal(after.damaged, before.damaged);
    assert_int_equal(after.left_at_close, before.left_at_close);
    assert_int_equal(fmlp_memory_allocated(), host);
    if (status == FMLP_OK) assert_true(equal);
    if (status != FMLP_OK) assert_int_equal(status, FMLP_ERR_DEVICE);
    if (status != FMLP_OK) assert_non_null(strstr(error.text, "simt"));
    const bool reached = field == &setup->lose_device       ? after.calls >= *field
                         : field == &setup->fail_pinned     ? after.pinned >= *field
                         : field == &setup->fail_allocation ? after.allocations >= *field
                                                            : after.launches >= *field;
    if (!reached) break;
    *(status == FMLP_OK ? survived : refused) += 1;
  }
  fmlp_simt_configure(NULL);
}

static void every_fault_of_the_device_ends_in_equal_bits_or_one_line(void **state) {
  (void)state;
  plan_builder p = {.inputs = 2};
  plan_lookbacks(&p);
  plan_data data = data_of(&p, 0, 3000);
  const division how = {{.chunk = 1500, .threads = 32}, 0x15};
  fmlp_simt_setup setup = {.seed = 0};
  int refused, survived;
  check_faults(&data, &how, &setup.fail_allocation, &setup, &refused, &survived);
  assert_int_equal(refused, 0); /* buffers spill, chunks shrink */
  assert_true(survived > 3);
  setup = (fmlp_simt_setup){.seed = 0};
  check_faults(&data, &how, &setup.fail_pinned, &setup, &refused, &survived);
  assert_int_equal(refused, 2 * FMLP_GPU_STAGES);
  setup = (fmlp_simt_setup){.seed = 0};
  check_faults(&data, &how, &setup.fail_launch, &setup, &refused, &survived);
  assert_true(refused > 4 && survived == 0);
  setup = (fmlp_simt_setup){.seed = 0};
  check_faults(&data, &how, &setup.fail_kernel, &setup, &refused, &survived);
  assert_true(refused > 4 && survived == 0);
  setup = (fmlp_simt_setup){.seed = 3};
  check_faults(&data, &how, &setup.lose_device, &setup, &refused, &survived);
  assert_true(refused > 50);
  data_end(&data);
}

/* More than the staging buffers hold at one time, from and to odd places. */
static void large_copies_go_in_parts(void **state) {
  (void)state;
  const size_t bytes = (27u << 20) + 13;
  fmlp_error error = {""};
  unsigned char *data = malloc(bytes), *back = calloc(1, bytes);
  assert_true(data && back);
  for (size_t i = 0; i < bytes; i++) data[i] = (unsigned char)(i * 2654435761u >> 24);
  fmlp_compute compute = open_compute("simt");
  fmlp_buffer *buffer = buffer_of(&compute, data, bytes);
  buffer_read(&compute, buffer, back, bytes);
  assert_memory_equal(back, data, bytes);
  assert_int_equal(compute.backend->upload(compute.device, buffer, 5, data, bytes - 9, &error), FMLP_OK);
  assert_int_equal(compute.backend->download(compute.device, buffer, 5, back, bytes - 9, &error), FMLP_OK);
  assert_memory_equal(back, data, bytes - 9);
  buffer_read(&compute, buffer, back, bytes);
  assert_memory_equal(back, data, 5);
  assert_memory_equal(back + bytes - 4, data + bytes - 4, 4);
  buffer_end(&compute, buffer);
  fmlp_compute_close(&compute);
  free(data);
  free(back);
}

/* The features of `base` as the features stage hands them over. */
static void plan_base(plan_builder *p) {
  const fmlp_bars bars = {.kind = FMLP_QUOTES, .has_sizes = true};
  fmlp_error error = {""};
  fmlp_feature_plan features = {.bars = &bars, .error = &error};
  fmlp_plan_base(&features);
  *p = (plan_builder){.inputs = FMLP_COLUMN_COUNT};
  for (int32_t n = 0; n < features.node_count; n++) {
    bool written = false;
    for (int32_t f = 0; f < features.count; f++) {
      written |= features.features[f].written && features.features[f].operand == FMLP_COLUMN_COUNT + n;
    }
    (void)plan_put(p, written, features.nodes[n]);
  }
  fmlp_feature_plan_release(&features);
}

static void the_base_set_is_two_programs_and_nine_jobs(void **state) {
  (void)state;
  static plan_builder p;
  plan_base(&p);
  const fmlp_rolling_plan plan = {p.inputs, p.nodes, p.outputs, p.node};
  fmlp_gpu_schedule schedule;
  fmlp_error error = {""};
  if (fmlp_gpu_schedule_make(&plan, 1000, &schedule, &error) != FMLP_OK) fail_msg("%s", error.text);
  int32_t stored = 0, inputs = 0;
  for (int32_t c = 0; c < p.inputs + p.nodes; c++) {
    if (c < p.inputs) inputs += schedule.places[c].stored;
    if (c >= p.inputs && p.node[c - p.inputs].output < 0) stored += schedule.places[c].stored;
  }
  /* 8 columns in and 43 out could not be fewer; 10 intermediates cross memory once each way, and 10 columns
   * are read by a second or third step. */
  assert_int_equal(inputs, 8);
  assert_int_equal(p.outputs, 43);
  assert_int_equal(stored, 10);
  assert_int_equal(schedule.program_count, 2);
  assert_int_equal(schedule.step_count, 2 + 9);
  assert_int_equal(fmlp_gpu_schedule_bytes_per_row(&schedule), 8 * (8 + 43 + 2 * 10 + 10));
  fmlp_gpu_schedule_release(&schedule);
}

int main(void) {
  if (!fmlp_backend_find("simt")) return 77;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chunks_and_places_leave_the_bits_alone),
      cmocka_unit_test(families_leave_off_and_go_on),
      cmocka_unit_test(long_programs_are_cut),
      cmocka_unit_test(a_thread_takes_any_number_of_rows),
      cmocka_unit_test(a_call_leaves_the_one_before_alone),
      cmocka_unit_test(less_memory_means_smaller_chunks),
      cmocka_unit_test(a_refusal_leaves_the_device_usable),
      cmocka_unit_test(every_failing_allocation_is_reported_and_leaks_nothing),
      cmocka_unit_test(every_fault_of_the_device_ends_in_equal_bits_or_one_line),
      cmocka_unit_test(large_copies_go_in_parts),
      cmocka_unit_test(the_base_set_is_two_programs_and_nine_jobs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
