/* The lines below a report. */
#include "prof/views/losses.h"

#include <inttypes.h>
#include <string.h>

static void write_cost(const fmlp_capture *capture, FILE *out) {
  const double pair = (double)capture->pair_picoseconds / 1000;
  const double wall = (double)(capture->stop - capture->start);
  (void)fprintf(out, "%" PRId64 " spans at %.1f ns: %.3f %% of the wall time.\n", capture->spans, pair,
                wall > 0 ? 100 * (double)capture->spans * pair / wall : 0);
  int64_t count = 0, overhead = 0;
  for (int64_t i = 0; i < capture->call_count; i++) {
    if (capture->calls[i].kind != FMLP_CALL_OVERHEAD) continue;
    overhead += capture->calls[i].end - capture->calls[i].start;
    count++;
  }
  if (count > 0)
    (void)fprintf(
        out, "The device tracer told of %" PRId64 " pauses of its own: %.3f ms, %.3f %% of the wall time.\n",
        count, (double)overhead / 1e6, wall > 0 ? 100 * (double)overhead / wall : 0);
}

/* The time in which devices did anything: operations at one time count once. */
static int64_t busy_time(const fmlp_capture *capture) {
  const int64_t wall = capture->stop - capture->start;
  int64_t busy = 0, last = 0;
  for (int64_t i = 0; i < capture->operation_count; i++) { /* by start */
    const fmlp_capture_operation *operation = &capture->operations[i];
    const int64_t end = operation->end < wall ? operation->end : wall;
    if (end <= last) continue;
    busy += end - (operation->start > last ? operation->start : last);
    last = end;
  }
  return busy;
}

/* What became of the GPU timeline, where it was asked for. */
static void write_timeline(const fmlp_capture *capture, FILE *out) {
  static const char held[] = "collected by ";
  const double wall = (double)(capture->stop - capture->start);
  if (capture->level != FMLP_CAPTURE_FULL) return;
  if (strncmp(capture->device_reason, held, strlen(held)) == 0)
    (void)fprintf(out, "GPU timeline: %s, so not here; spans and NVTX ranges are kept.\n",
                  capture->device_reason);
  else if (capture->device_reason[0])
    (void)fprintf(out, "GPU timeline: none: %s.\n", capture->device_reason);
  else if (capture->device_count > 0)
    (void)fprintf(out,
                  "GPU timeline: %" PRId64 " operations, %" PRId64 " calls; busy %.1f %% of the wall time.\n",
                  capture->operation_count, capture->call_count,
                  wall > 0 ? 100 * (double)busy_time(capture) / wall : 0);
}

static void write_devices(const fmlp_capture *capture, FILE *out) {
  write_timeline(capture, out);
  if (capture->unattributed_operations)
    (void)fprintf(out, "Unattributed: %" PRId64 " of %" PRId64 " device operations.\n",
                  capture->unattributed_operations, capture->operation_count);
  if (capture->dropped_operations || capture->invalid_operations)
    (void)fprintf(out,
                  "Of devices: %" PRId64 " operations dropped, %" PRId64
                  " with impossible times; they are in no total.\n",
                  capture->dropped_operations, capture->invalid_operations);
  if (capture->device_clock_residual)
    (void)fprintf(out, "The devices' clocks agree with the host's to %" PRId64 " ns.\n",
                  capture->device_clock_residual);
}

static void write_memory(const fmlp_capture *capture, FILE *out) {
  if (capture->level != FMLP_CAPTURE_FULL || capture->peak_allocated == 0) return;
  (void)fprintf(out,
                "Host memory: at most %.1f MB allocated, %.1f MB resident; %" PRId64
                " allocations (%.1f MB) outside any span.\n",
                (double)capture->peak_allocated / 1e6, (double)capture->peak_resident / 1e6,
                capture->outside_allocations, (double)capture->outside_bytes / 1e6);
}

void fmlp_losses_write(const fmlp_capture *capture, FILE *out) {
  write_cost(capture, out);
  if (capture->open_spans || capture->abandoned_spans)
    (void)fprintf(out, "%" PRId64 " spans were open at the end, %" PRId64 " left open inside another.\n",
                  capture->open_spans, capture->abandoned_spans);
  if (capture->dropped_spans || capture->dropped_events)
    (void)fprintf(out,
                  "Dropped: %" PRId64 " spans (their time is their callers'), %" PRId64
                  " from the timeline alone.\n",
                  capture->dropped_spans, capture->dropped_events);
  write_devices(capture, out);
  write_memory(capture, out);
  if (capture->sample_count || capture->dropped_samples)
    (void)fprintf(out, "%" PRId64 " samples, %" PRId64 " dropped.\n", capture->sample_count,
                  capture->dropped_samples);
  if (capture->sample_reason[0]) (void)fprintf(out, "Samples: %s\n", capture->sample_reason);
}
