/* Why a device operation is slow. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "prof/views/advice.h"
#include "prof/views/report.h"

/* Shares that decide: docs/decisions/profile-advice.md. */
static const double MOST = 0.5, NEAR_LIMIT = 0.6;
enum { SMALL_COPY = 64 << 10, LARGE_COPY = 1 << 20, DEVICES = 64, SEVERAL = -2, NONE = -1 };

/* All operations of one name. */
typedef struct operation_sums {
  fmlp_operation_kind kind;
  int32_t device;
  int64_t count, sum, busy, bytes, blocks;
  int64_t end; /* of what came before, for the union */
  double idle; /* ns in which the device had nothing to do though the operation's call had begun */
  double delay;
  int64_t launches;
  int64_t told; /* bytes that the spans which launch this kernel alone told */
  bool bytes_known;
} operation_sums;

typedef struct totals {
  int64_t busy, end;
  double best_rate[FMLP_OPERATION_KINDS]; /* bytes/s of the best of the large copies */
} totals;

static int64_t add_to_union(const fmlp_capture_operation *operation, int64_t *end) {
  const int64_t start = operation->start > *end ? operation->start : *end;
  if (operation->end <= start) return 0;
  *end = operation->end;
  return operation->end - start;
}

static void add_operation(const fmlp_capture *capture, const fmlp_capture_operation *operation,
                          operation_sums *to, int64_t *device_end, totals *all) {
  const int64_t length = operation->end - operation->start;
  to->kind = operation->kind;
  to->device = operation->device;
  to->count++;
  to->sum += length;
  to->bytes += operation->bytes;
  to->blocks += operation->blocks;
  to->busy += add_to_union(operation, &to->end);
  all->busy += add_to_union(operation, &all->end);
  if (operation->call >= 0) {
    const int64_t begun = capture->calls[operation->call].start;
    const int64_t free_since = *device_end > begun ? *device_end : begun;
    if (operation->start > free_since) to->idle += (double)(operation->start - free_since);
    if (operation->start > begun) to->delay += (double)(operation->start - begun);
    to->launches++;
  }
  if (operation->end > *device_end) *device_end = operation->end;
  if (operation->bytes >= LARGE_COPY && length > 0) {
    const double rate = (double)operation->bytes * 1e9 / (double)length;
    if (rate > all->best_rate[operation->kind]) all->best_rate[operation->kind] = rate;
  }
}

/* Bytes of a span belong to a kernel when it launches no other. */
static bool add_told_bytes(const fmlp_capture *capture, operation_sums *sums) {
  int32_t *kernel = malloc(((size_t)capture->node_count + 1) * sizeof *kernel);
  if (!kernel) return false;
  for (int32_t i = 0; i < capture->node_count; i++) kernel[i] = NONE;
  for (int32_t i = 0; i < capture->name_count; i++) sums[i].bytes_known = true;
  for (int64_t i = 0; i < capture->operation_count; i++) {
    const fmlp_capture_operation *operation = &capture->operations[i];
    if (operation->kind != FMLP_OPERATION_KERNEL) continue;
    if (operation->node < 0)
      sums[operation->name].bytes_known = false;
    else if (kernel[operation->node] == NONE || kernel[operation->node] == operation->name)
      kernel[operation->node] = operation->name;
    else
      kernel[operation->node] = SEVERAL;
  }
  for (int64_t i = 0; i < capture->operation_count; i++) {
    const fmlp_capture_operation *operation = &capture->operations[i];
    if (operation->kind == FMLP_OPERATION_KERNEL && operation->node >= 0 &&
        (kernel[operation->node] == SEVERAL || capture->nodes[operation->node].bytes == 0))
      sums[operation->name].bytes_known = false;
  }
  for (int32_t i = 0; i < capture->node_count; i++)
    if (kernel[i] >= 0) sums[kernel[i]].told += capture->nodes[i].bytes;
  free(kernel);
  return true;
}

static const fmlp_capture_device *device_of(const fmlp_capture *capture, int32_t ordinal) {
  for (int32_t i = 0; i < capture->device_count; i++)
    if (capture->devices[i].ordinal == ordinal) return &capture->devices[i];
  return NULL;
}

static void judge_copy(const operation_sums *of, const totals *all, fmlp_advice_item *item) {
  const double rate = of->sum > 0 ? (double)of->bytes * 1e9 / (double)of->sum : 0;
  const double best = all->best_rate[of->kind];
  item->reason = FMLP_ADVICE_COPY;
  (void)snprintf(
      item->measured, sizeof item->measured, "%" PRId64 " copies of %.1f kB on average, %.2f GB/s%s",
      of->count, (double)of->bytes / (double)of->count / 1e3, rate / 1e9,
      of->bytes / of->count < SMALL_COPY ? ": so small that their start costs most; join them" : "");
  const size_t length = strlen(item->measured);
  if (best > 0)
    (void)snprintf(item->measured + length, sizeof item->measured - length,
                   "; the best of the large ones reached %.2f GB/s", best / 1e9);
  else
    (void)snprintf(item->unknown, sizeof item->unknown,
                   "what the link can do: no copy of 1 MiB or more in this run");
}

/* True when the launches or the grid explain the time. */
static bool judge_launches(const operation_sums *of, const fmlp_capture_device *device,
                           fmlp_advice_item *item) {
  const double mean = (double)of->sum / (double)of->count;
  if (of->launches > 0 && of->idle >= MOST * (double)of->sum) {
    item->reason = FMLP_ADVICE_LAUNCH;
    (void)snprintf(
        item->measured, sizeof item->measured,
        "%" PRId64 " of %.1f us; before each the device has nothing to do for %.1f us after the call "
        "began (launch delay %.1f us)",
        of->count, mean / 1e3, of->idle / (double)of->launches / 1e3, of->delay / (double)of->launches / 1e3);
    return true;
  }
  const double blocks = (double)of->blocks / (double)of->count;
  if (of->kind != FMLP_OPERATION_KERNEL || !device || device->multiprocessors == 0 ||
      blocks >= device->multiprocessors)
    return false;
  item->reason = FMLP_ADVICE_SERIAL;
  (void)snprintf(item->measured, sizeof item->measured,
                 "a grid of %.0f on %d multiprocessors: %.0f %% of the device at most", blocks,
                 (int)device->multiprocessors, 100 * blocks / device->multiprocessors);
  return true;
}

static void judge_memory(const operation_sums *of, const fmlp_capture_device *device,
                         fmlp_advice_item *item) {
  const bool kernel = of->kind == FMLP_OPERATION_KERNEL, known = !kernel || of->bytes_known;
  const double rate = of->busy > 0 ? (double)(kernel ? of->told : of->bytes) * 1e9 / (double)of->busy : 0;
  const double limit = device ? (double)device->bytes_per_second : 0;
  if (known && limit > 0) {
    const bool near = rate >= NEAR_LIMIT * limit;
    item->reason = near ? FMLP_ADVICE_BANDWIDTH : kernel ? FMLP_ADVICE_COMPUTE : FMLP_ADVICE_LAUNCH;
    (void)snprintf(item->measured, sizeof item->measured,
                   "%" PRId64 " of %.1f us; %.1f GB/s of the device's %.1f GB/s%s", of->count,
                   (double)of->sum / (double)of->count / 1e3, rate / 1e9, limit / 1e9,
                   near     ? ""
                   : kernel ? ": arithmetic, or waiting within the kernel"
                            : ": so small that their start costs most");
    return;
  }
  (void)snprintf(item->measured, sizeof item->measured, "%" PRId64 " of %.1f us", of->count,
                 (double)of->sum / (double)of->count / 1e3);
  if (!known)
    (void)snprintf(item->unknown, sizeof item->unknown,
                   "the bytes it moves: its span tells none, or launches other kernels, too");
  else
    (void)snprintf(item->unknown, sizeof item->unknown, "what the device's memory can do");
}

static fmlp_advice_item judge(const fmlp_capture *capture, const operation_sums *of, const totals *all) {
  fmlp_advice_item item = {.site = -1, .time = of->busy};
  const fmlp_capture_device *device = device_of(capture, of->device);
  const bool copy = of->kind == FMLP_OPERATION_UPLOAD || of->kind == FMLP_OPERATION_DOWNLOAD ||
                    of->kind == FMLP_OPERATION_COPY;
  if (copy)
    judge_copy(of, all, &item);
  else if (!judge_launches(of, device, &item))
    judge_memory(of, device, &item);
  return item;
}

static int by_time(const void *left, const void *right) {
  const fmlp_advice_item *a = left, *b = right;
  return (a->time < b->time) - (a->time > b->time);
}

bool fmlp_advice_add_device(const fmlp_capture *capture, fmlp_advice *advice) {
  int64_t device_end[DEVICES + 1] = {0}; /* the last for all further ones */
  totals all = {0};
  operation_sums *sums = calloc((size_t)capture->name_count + 1, sizeof *sums);
  if (!sums) return false;
  for (int64_t i = 0; i < capture->operation_count; i++) {
    const fmlp_capture_operation *operation = &capture->operations[i];
    const int32_t device =
        operation->device >= 0 && operation->device < DEVICES ? operation->device : DEVICES;
    add_operation(capture, operation, &sums[operation->name], &device_end[device], &all);
  }
  bool made = add_told_bytes(capture, sums);
  for (int32_t n = 0; n < capture->name_count && made; n++) {
    if (sums[n].count == 0 || (double)sums[n].busy < FMLP_REPORT_MARK * (double)all.busy) continue;
    fmlp_advice_item item = judge(capture, &sums[n], &all);
    item.name = n;
    item.share = all.busy > 0 ? (double)item.time / (double)all.busy : 0;
    made = fmlp_advice_append(advice, &item);
    advice->device_count += made;
  }
  free(sums);
  if (made && advice->device_count > 0)
    qsort(advice->items + advice->host_count, (size_t)advice->device_count, sizeof *advice->items, by_time);
  return made;
}
