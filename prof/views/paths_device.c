/* Operations and calls of devices, added to the paths that launched them. */
#include <stdlib.h>

#include "prof/views/busy.h"
#include "prof/views/paths.h"

static void add_operation(const fmlp_capture_operation *operation, fmlp_path_device *to) {
  const int64_t length = operation->end - operation->start;
  if (to->operations++ == 0) {
    to->first_start = operation->start;
    to->last_end = operation->end;
  }
  if (operation->start < to->first_start) to->first_start = operation->start;
  if (operation->end > to->last_end) to->last_end = operation->end;
  to->sum += length;
  switch (operation->kind) {
  case FMLP_OPERATION_KERNEL:
    to->kernels++;
    to->kernel_sum += length;
    break;
  case FMLP_OPERATION_UPLOAD:
    to->uploaded += operation->bytes;
    to->upload_sum += length;
    break;
  case FMLP_OPERATION_DOWNLOAD:
    to->downloaded += operation->bytes;
    to->download_sum += length;
    break;
  case FMLP_OPERATION_COPY:
    to->copied += operation->bytes;
    to->copy_sum += length;
    break;
  default:
    to->filled += operation->bytes;
  }
}

/* Delays overlap: their sum alone has no bound, and stops at the largest number. */
static int64_t add_delays(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* Of the first operation of each call: what a graph's other operations wait for is the graph. */
static void add_delay(const fmlp_capture *capture, const fmlp_capture_operation *operation,
                      unsigned char *launched, fmlp_path_device *to) {
  if (operation->call < 0 || launched[operation->call]) return;
  launched[operation->call] = 1;
  to->launches++;
  const int64_t delay = operation->start - capture->calls[operation->call].start;
  if (delay > 0) to->delay = add_delays(to->delay, delay);
}

static fmlp_path_device *place_of(fmlp_paths *paths, int32_t node) {
  return node < 0 ? &paths->unattributed : &paths->rows[paths->of_node[node]].own;
}

static void add_calls(const fmlp_capture *capture, fmlp_paths *paths) {
  fmlp_call_kind counted = FMLP_CALL_DRIVER; /* the runtime's calls hold the driver's: one of them */
  for (int64_t i = 0; i < capture->call_count && counted == FMLP_CALL_DRIVER; i++)
    if (capture->calls[i].kind == FMLP_CALL_RUNTIME) counted = FMLP_CALL_RUNTIME;
  for (int64_t i = 0; i < capture->call_count; i++) {
    const fmlp_capture_call *call = &capture->calls[i];
    fmlp_path_device *to = place_of(paths, call->node);
    if (call->kind == FMLP_CALL_WAIT) to->waited += call->end - call->start;
    if (call->kind == counted) to->runtime += call->end - call->start;
  }
}

static void add_below(const fmlp_path_device *from, fmlp_path_device *to) {
  if (from->operations > 0) {
    if (to->operations == 0 || from->first_start < to->first_start) to->first_start = from->first_start;
    if (to->operations == 0 || from->last_end > to->last_end) to->last_end = from->last_end;
  }
  to->operations += from->operations;
  to->kernels += from->kernels;
  to->sum += from->sum;
  to->kernel_sum += from->kernel_sum;
  to->launches += from->launches;
  to->delay = add_delays(to->delay, from->delay);
  to->runtime += from->runtime;
  to->waited += from->waited;
  to->uploaded += from->uploaded;
  to->downloaded += from->downloaded;
  to->copied += from->copied;
  to->filled += from->filled;
  to->upload_sum += from->upload_sum;
  to->download_sum += from->download_sum;
  to->copy_sum += from->copy_sum;
}

/* What ran within the capture, by row; a row's own union on the way: operations come by start, so that only
 * what lies after the end of those before is new. `ends` [count + 1] is scratch, the last for no known path.
 */
static int64_t make_intervals(const fmlp_capture *capture, fmlp_paths *paths, fmlp_busy_interval *intervals,
                              int64_t *ends) {
  int64_t count = 0;
  for (int32_t i = 0; i <= paths->count; i++) ends[i] = 0;
  for (int64_t i = 0; i < capture->operation_count; i++) {
    const fmlp_capture_operation *operation = &capture->operations[i];
    const int64_t start = operation->start > 0 ? operation->start : 0;
    const int64_t end = operation->end < paths->wall ? operation->end : paths->wall;
    const int32_t row = operation->node < 0 ? -1 : paths->of_node[operation->node];
    if (start >= end) continue;
    intervals[count++] = (fmlp_busy_interval){start, end, row};
    int64_t *last = &ends[row < 0 ? paths->count : row];
    if (end > *last) {
      place_of(paths, operation->node)->busy += end - (start > *last ? start : *last);
      *last = end;
    }
  }
  return count;
}

static bool add_busy(const fmlp_capture *capture, fmlp_paths *paths) {
  const size_t rows = (size_t)paths->count + 1;
  int32_t *parent = malloc(rows * sizeof *parent);
  int64_t *busy = malloc(rows * sizeof *busy);
  fmlp_busy_interval *intervals = malloc(((size_t)capture->operation_count + 1) * sizeof *intervals);
  bool made = parent && busy && intervals;
  if (made) {
    for (int32_t i = 0; i < paths->count; i++) parent[i] = paths->rows[i].parent;
    const int64_t count = make_intervals(capture, paths, intervals, busy);
    made = fmlp_busy_make(parent, paths->count, intervals, count, busy);
  }
  if (made) {
    for (int32_t i = 0; i < paths->count; i++) paths->rows[i].all.busy = busy[i];
    paths->everything.busy = busy[paths->count];
  }
  free(parent);
  free(busy);
  free(intervals);
  return made;
}

bool fmlp_paths_add_devices(const fmlp_capture *capture, fmlp_paths *paths) {
  if (capture->operation_count == 0 && capture->call_count == 0) return true;
  unsigned char *launched = calloc((size_t)capture->call_count + 1, 1);
  if (!launched) return false;
  for (int64_t i = 0; i < capture->operation_count; i++) {
    const fmlp_capture_operation *operation = &capture->operations[i];
    fmlp_path_device *to = place_of(paths, operation->node);
    add_operation(operation, to);
    add_delay(capture, operation, launched, to);
  }
  free(launched);
  add_calls(capture, paths);
  if (!add_busy(capture, paths)) return false;
  for (int32_t i = paths->count - 1; i >= 0; i--) {
    fmlp_path *row = &paths->rows[i];
    add_below(&row->own, &row->all);
    add_below(&row->all, row->parent < 0 ? &paths->everything : &paths->rows[row->parent].all);
  }
  add_below(&paths->unattributed, &paths->everything);
  return true;
}
