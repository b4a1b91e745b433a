/* A large profile: recording and stopping ten million spans, all kept one by one, and the tables of that with
 * a million kernels. The most memory that the program held is printed with each. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/bench.h"
#include "prof/capture.h"
#include "prof/span.h"
#include "prof/views/report.h"
#include "prof/views/unified.h"

enum { SPANS = 10000000, OPERATIONS = 1000000, STREAMS = 4, LENGTH = 900 };

static void inner(void) {
  FMLP_SPAN("bench.inner");
}

/* Three levels, ten inner spans in a middle one. */
static void record(int64_t spans) {
  while (spans > 0) {
    FMLP_SPAN("bench.outer");
    spans--;
    for (int m = 0; m < 9 && spans > 0; m++) {
      FMLP_SPAN("bench.middle");
      spans--;
      for (int i = 0; i < 10 && spans > 0; i++, spans--) inner();
    }
  }
}

static fmlp_capture *capture_spans(void) {
  const fmlp_capture_options options = {.max_events = SPANS};
  if (!fmlp_capture_start(&options)) return NULL;
  record(SPANS);
  return fmlp_capture_stop();
}

/* Kernels of every path, on several streams at once, as a tracer would have left them. */
static bool add_kernels(fmlp_capture *capture) {
  const int32_t name = fmlp_capture_name(capture, "kernel"), call = fmlp_capture_name(capture, "launch");
  capture->operations = calloc(OPERATIONS, sizeof *capture->operations);
  capture->calls = calloc(OPERATIONS, sizeof *capture->calls);
  if (!capture->operations || !capture->calls) return false;
  const int64_t step = (capture->stop - capture->start) / OPERATIONS;
  for (int64_t i = 0; i < OPERATIONS; i++) {
    const int32_t node = (int32_t)(i % capture->node_count);
    capture->calls[i] = (fmlp_capture_call){node, 0, call, FMLP_CALL_RUNTIME, i * step, i * step + 50};
    capture->operations[i] = (fmlp_capture_operation){.node = node,
                                                      .name = name,
                                                      .kind = FMLP_OPERATION_KERNEL,
                                                      .stream = (int32_t)(i % STREAMS),
                                                      .call = i,
                                                      .start = i * step + 100,
                                                      .end = i * step + 100 + LENGTH + i % 7};
  }
  capture->operation_count = capture->call_count = OPERATIONS;
  return true;
}

static fmlp_status prepare_record(bench_run *run, fmlp_error *error) {
  (void)error;
  run->state = NULL;
  run->items = SPANS;
  run->bytes = SPANS * (int64_t)sizeof(fmlp_capture_event);
  return FMLP_OK;
}

static fmlp_status work_record(bench_run *run, fmlp_error *error) {
  (void)run;
  fmlp_capture *capture = capture_spans();
  const bool whole = capture && capture->event_count == SPANS;
  fmlp_capture_free(capture);
  return whole ? FMLP_OK : fmlp_fail(error, FMLP_ERR_OTHER, "out of memory");
}

static fmlp_status prepare_table(bench_run *run, fmlp_error *error) {
  fmlp_capture *capture = capture_spans();
  run->state = capture;
  run->items = SPANS + OPERATIONS;
  run->bytes =
      SPANS * (int64_t)sizeof(fmlp_capture_event) + OPERATIONS * (int64_t)sizeof(fmlp_capture_operation);
  if (capture && add_kernels(capture)) return FMLP_OK;
  fmlp_capture_free(capture);
  run->state = NULL;
  return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory");
}

static fmlp_status work_table(bench_run *run, fmlp_error *error) {
  const fmlp_unified_selection all = {.top = -1, .depth = -1};
  char message[128] = "", *functions = fmlp_report_text(run->state), *paths = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&paths, &length);
  const bool made = out && fmlp_unified_text(run->state, &all, out, message, sizeof message);
  if (out) (void)fclose(out);
  free(paths);
  free(functions);
  return made && functions ? FMLP_OK : fmlp_fail(error, FMLP_ERR_OTHER, "%s", message);
}

static void finish(bench_run *run) {
  struct rusage usage;
  fmlp_capture_free(run->state);
  if (getrusage(RUSAGE_SELF, &usage) == 0)
    printf("%-28s %10.0f MB held at most\n", run->what->name, (double)usage.ru_maxrss * 1024 / 1e6);
}

const bench_case bench_profile_cases[] = {
    {"profile/record_and_stop", "span", 0, NULL, prepare_record, work_record, NULL, finish},
    {"profile/tables", "record", 0, NULL, prepare_table, work_table, NULL, finish},
    {NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL},
};
