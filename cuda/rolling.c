/* How a plan runs on the device: the arithmetic stands at the top of cpu/rolling.c, what runs together in
 * rolling_plan.c; here is where columns live and how rows come and go.
 *
 * Rows are taken in chunks. Columns in device memory are read and written in place. Every other column (an
 * input or output that was spilled to host memory, an intermediate) has room in the workspace for one chunk
 * and, in front of it, for the rows before it that its readers look back to: its history. After a chunk the
 * last of its rows become the history of the next, so that nothing is computed twice. There are two such
 * buffers a column, used in turn: inputs of chunk c+1 are uploaded into one and outputs of chunk c-1
 * downloaded from it while chunk c computes on the other. Intermediates without history have one, which the
 * next intermediate takes over after the last reader.
 *
 * Where everything fits, the one chunk is the whole column, and there is no history and no copy at all. Where
 * memory is short the chunk is halved until the workspace can be had. Bits do not depend on any of it: a
 * value needs the rows of its window and, for recursions, the state that is kept from chunk to chunk. */
#include <string.h>

#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "cuda/rolling_plan.h"
#include "prof/span.h"

enum {
  SMALLEST_CHUNK = 1024,    /* below it launches take longer than what they compute */
  CHUNKS_ASKED = 8,         /* for the scratch they want */
  LARGEST_SPILLED = 1 << 22 /* rows of a chunk that travels: small enough for a few to overlap */
};

/* Where a column is. */
typedef struct column_memory {
  double *whole; /* all rows, in device memory */
  double *host;  /* all rows, in host memory: copied chunk by chunk */
  int64_t history;
  int64_t offset[2]; /* in the workspace, of even and odd chunks */
  bool pooled;       /* has no memory of its own */
} column_memory;

typedef struct run {
  fmlp_device *device;
  const fmlp_rolling_plan *plan;
  int64_t rows, chunk;
  fmlp_gpu_schedule schedule;
  column_memory *columns; /* [input_count + node_count] */
  int64_t *spare;         /* [node_count] offsets of pooled buffers nobody uses */
  int32_t sent, fetched;  /* columns that travel */
  fmlp_gpu_transfer *transfers;
  char *memory;
  int64_t bytes, weights, states, scratch,
      scratch_bytes; /* the last four: offsets and size in the workspace */
} run;

static int32_t column_count(const run *r) {
  return r->plan->input_count + r->plan->node_count;
}

/* ---- jobs ---- */

static double *buffer_of(const run *r, const column_memory *column, int64_t chunk) {
  return (double *)(void *)(r->memory + column->offset[chunk & 1]);
}

/* A column as the steps of a chunk that begins at row `first` see it. */
static fmlp_gpu_program_column column_at(const run *r, int32_t index, int64_t chunk, int64_t first) {
  const column_memory *column = &r->columns[index];
  if (column->whole) return (fmlp_gpu_program_column){column->whole, 0};
  return (fmlp_gpu_program_column){buffer_of(r, column, chunk), first - column->history};
}

/* What a step's job is but for its memory. */
static fmlp_gpu_rolling_job shape_of(const run *r, const fmlp_gpu_step *step, int64_t first, int64_t last,
                                     fmlp_gpu_target *targets) {
  for (int32_t i = 0; i < step->node_count; i++) {
    const fmlp_rolling_node *node = &r->plan->nodes[r->schedule.order[step->first_node + i]];
    targets[i] =
        (fmlp_gpu_target){.window = node->window, .parameter = node->parameter, .op = (int32_t)node->op};
  }
  return (fmlp_gpu_rolling_job){.first = first,
                                .last = last,
                                .origin = step->lag,
                                .target_count = step->node_count,
                                .targets = targets,
                                .weight_count = step->weight_count};
}

static size_t scratch_of(const run *r, const fmlp_gpu_step *step, const fmlp_gpu_rolling_job *job) {
  switch (step->family) {
  case FMLP_ROLLING_MOMENTS:
    return fmlp_gpu_rolling_moments_scratch(r->device, job);
  case FMLP_ROLLING_PAIRS:
    return fmlp_gpu_rolling_pairs_scratch(r->device, job);
  case FMLP_ROLLING_EXTREMES:
    return fmlp_gpu_rolling_extremes_scratch(r->device, job);
  case FMLP_ROLLING_ORDER:
    return fmlp_gpu_rolling_order_scratch(r->device, job);
  case FMLP_ROLLING_FRACDIFF:
    return fmlp_gpu_rolling_fracdiff_scratch(r->device, job);
  case FMLP_ROLLING_RECURSIVE:
    return fmlp_gpu_rolling_ema_scratch(r->device, job);
  default:
    return 0;
  }
}

static fmlp_status run_job(const run *r, const fmlp_gpu_step *step, const fmlp_gpu_rolling_job *job,
                           fmlp_error *error) {
  if ((int64_t)scratch_of(r, step, job) > r->scratch_bytes) {
    return fmlp_fail(error, FMLP_ERR_OTHER,
                     "rolling features: rows %lld to %lld want more scratch than planned",
                     (long long)job->first, (long long)job->last);
  }
  switch (step->family) {
  case FMLP_ROLLING_MOMENTS:
    return fmlp_gpu_rolling_moments(r->device, job, error);
  case FMLP_ROLLING_PAIRS:
    return fmlp_gpu_rolling_pairs(r->device, job, error);
  case FMLP_ROLLING_EXTREMES:
    return fmlp_gpu_rolling_extremes(r->device, job, error);
  case FMLP_ROLLING_ORDER:
    return fmlp_gpu_rolling_order(r->device, job, error);
  case FMLP_ROLLING_FRACDIFF:
    return fmlp_gpu_rolling_fracdiff(r->device, job, error);
  default:
    return fmlp_gpu_rolling_ema(r->device, job, error);
  }
}

static fmlp_status run_windows(const run *r, const fmlp_gpu_step *step, int64_t chunk, int64_t first,
                               int64_t last, fmlp_error *error) {
  fmlp_gpu_target targets[FMLP_GPU_TARGETS];
  fmlp_gpu_rolling_job job = shape_of(r, step, first, last, targets);
  for (int32_t i = 0; i < step->node_count; i++) {
    const int32_t node = r->schedule.order[step->first_node + i];
    const fmlp_gpu_program_column to = column_at(r, r->plan->input_count + node, chunk, first);
    targets[i].values = to.values;
    targets[i].first = to.first;
  }
  const fmlp_gpu_program_column a = column_at(r, step->a, chunk, first);
  job.a = (fmlp_gpu_column){a.values, a.first};
  if (step->b >= 0) {
    const fmlp_gpu_program_column b = column_at(r, step->b, chunk, first);
    job.b = (fmlp_gpu_column){b.values, b.first};
  }
  if (step->lag > 0) job.b = (fmlp_gpu_column){a.values, a.first + step->lag};
  if (step->family == FMLP_ROLLING_FRACDIFF) {
    job.weights = (const double *)(void *)(r->memory + r->weights) + step->weights;
  }
  if (step->family == FMLP_ROLLING_RECURSIVE) {
    job.state = r->memory + r->states + (int64_t)step->state * FMLP_GPU_RECURSIVE_STATE;
  }
  if (r->scratch_bytes > 0) job.scratch = r->memory + r->scratch;
  return run_job(r, step, &job, error);
}

/* Columns that pass between the device's memory and a step, once each: its operands and what it makes. */
static int64_t step_bytes(const run *r, int64_t rows) {
  int64_t columns = 0;
  for (int32_t k = 0; k < r->schedule.step_count; k++) {
    const fmlp_gpu_step *step = &r->schedule.steps[k];
    columns += step->family == FMLP_ROLLING_POINTWISE
                   ? r->schedule.programs[step->program].args.column_count
                   : (step->a >= 0) + (step->b >= 0 && step->b != step->a) + step->node_count;
  }
  return columns * rows * (int64_t)sizeof(double);
}

static fmlp_status run_steps(const run *r, int64_t chunk, int64_t first, int64_t last, fmlp_error *error) {
  FMLP_SPAN_BYTES("rolling.chunk", step_bytes(r, last - first));
  for (int32_t k = 0; k < r->schedule.step_count; k++) {
    const fmlp_gpu_step *step = &r->schedule.steps[k];
    if (step->family != FMLP_ROLLING_POINTWISE) {
      FMLP_TRY(run_windows(r, step, chunk, first, last, error));
      continue;
    }
    fmlp_gpu_program *program = &r->schedule.programs[step->program];
    program->args.first = first;
    program->args.last = last;
    for (int32_t c = 0; c < program->args.column_count; c++) {
      program->args.columns[c] = column_at(r, program->column_of[c], chunk, first);
    }
    FMLP_TRY(fmlp_gpu_rolling_pointwise(r->device, &program->args, error));
  }
  return FMLP_OK;
}

/* ---- memory ---- */

static int64_t column_bytes(int64_t rows) {
  return (rows + 31) / 32 * 32 * (int64_t)sizeof(double);
}

static int64_t take(run *r, int64_t bytes) {
  const int64_t offset = r->bytes;
  r->bytes += (bytes + 255) / 256 * 256;
  return offset;
}

/* Intermediates that live from their step to their last reader share buffers. */
static void lay_out_pool(run *r) {
  const fmlp_rolling_plan *plan = r->plan;
  int32_t spares = 0;
  for (int32_t k = 0; k < r->schedule.step_count; k++) {
    const fmlp_gpu_step *step = &r->schedule.steps[k];
    for (int32_t i = 0; i < step->node_count; i++) {
      column_memory *column = &r->columns[plan->input_count + r->schedule.order[step->first_node + i]];
      if (!column->pooled) continue;
      column->offset[0] = spares > 0 ? r->spare[--spares] : take(r, column_bytes(r->chunk));
      column->offset[1] = column->offset[0];
    }
    for (int32_t i = 0; i < step->node_count; i++) {
      const fmlp_rolling_node *node = &plan->nodes[r->schedule.order[step->first_node + i]];
      for (int side = 0; side < 2; side++) {
        const int32_t c = side == 0 ? node->a : node->b;
        if (c < 0 || !r->columns[c].pooled || r->schedule.places[c].last != k) continue;
        r->columns[c].pooled = false; /* once */
        r->spare[spares++] = r->columns[c].offset[0];
      }
    }
  }
}

/* Grows the scratch to what step k wants for the chunk from row `first`. */
static void ask_scratch(run *r, int32_t k, int64_t first) {
  fmlp_gpu_target targets[FMLP_GPU_TARGETS];
  const fmlp_gpu_step *step = &r->schedule.steps[k];
  if (step->family == FMLP_ROLLING_POINTWISE) return;
  const int64_t last = r->rows - first < r->chunk ? r->rows : first + r->chunk;
  const fmlp_gpu_rolling_job job = shape_of(r, step, first, last, targets);
  const int64_t bytes = (int64_t)scratch_of(r, step, &job);
  if (bytes > r->scratch_bytes) r->scratch_bytes = bytes;
}

/* Offsets of everything in a workspace for chunks of `chunk` rows, and its size. */
static void lay_out(run *r, int64_t chunk) {
  const bool one = chunk >= r->rows;
  r->chunk = chunk;
  r->bytes = 0;
  r->weights = take(r, r->schedule.weight_count * (int64_t)sizeof(double));
  r->states = take(r, (int64_t)r->schedule.state_count * FMLP_GPU_RECURSIVE_STATE);
  for (int32_t c = 0; c < column_count(r); c++) {
    column_memory *column = &r->columns[c];
    const fmlp_gpu_place *place = &r->schedule.places[c];
    if (column->whole || !place->stored) continue;
    column->history = one ? 0 : (place->history + 31) / 32 * 32;
    column->pooled = !column->host && column->history == 0;
    if (column->pooled) continue;
    column->offset[0] = take(r, column_bytes(column->history + chunk));
    column->offset[1] = one ? column->offset[0] : take(r, column_bytes(column->history + chunk));
  }
  lay_out_pool(r);
  r->scratch_bytes = 0;
  for (int32_t k = 0; k < r->schedule.step_count; k++) {
    /* Chunks with more and more rows before them, one with as many as there can be, and the last. */
    for (int64_t c = 0; c < CHUNKS_ASKED && c * chunk < r->rows; c++) ask_scratch(r, k, c * chunk);
    ask_scratch(r, k, r->rows - chunk);
    ask_scratch(r, k, (r->rows - 1) / chunk * chunk);
  }
  r->scratch = take(r, r->scratch_bytes);
}

/* The workspace, for chunks as large as memory allows. */
static fmlp_status reserve(run *r, fmlp_error *error) {
  fmlp_device *device = r->device;
  const int64_t wanted = device->tuning.chunk;
  int64_t chunk = r->rows, floor = SMALLEST_CHUNK;
  if (r->sent + r->fetched > 0 && chunk > LARGEST_SPILLED) chunk = LARGEST_SPILLED;
  if (wanted > 0 && chunk > wanted) chunk = wanted;
  if (floor > chunk) floor = chunk;
  for (;;) {
    lay_out(r, chunk);
    fmlp_gpu_result result = FMLP_GPU_OUT_OF_MEMORY;
    void *memory = NULL;
    if (r->bytes == 0) return FMLP_OK;
    if (r->bytes <= fmlp_gpu_room(device)) result = fmlp_gpu_workspace(device, (size_t)r->bytes, &memory);
    r->memory = memory;
    if (result != FMLP_GPU_OUT_OF_MEMORY) return fmlp_gpu_check(device, result, "rolling features", error);
    if (chunk == floor) break;
    chunk = chunk / 2 > floor ? (chunk / 2 + 31) / 32 * 32 : floor;
  }
  return fmlp_fail(error, FMLP_ERR_DEVICE,
                   "%s: rolling features: %lld rows at a time need %lld bytes of device memory and %lld are "
                   "free; ask for fewer or shorter windows, or use runtime.device=cpu",
                   device->runtime->name, (long long)r->chunk, (long long)r->bytes,
                   (long long)fmlp_gpu_room(device));
}

/* ---- chunks ---- */

/* The rows of the next chunk's history, from this chunk's buffer to the other. */
static fmlp_status carry(const run *r, int64_t chunk, int64_t first, int64_t last, fmlp_error *error) {
  for (int32_t c = 0; c < column_count(r); c++) {
    const column_memory *column = &r->columns[c];
    if (column->whole || !r->schedule.places[c].stored || column->history == 0) continue;
    const int64_t count = column->history < last ? column->history : last;
    const double *from = buffer_of(r, column, chunk) + (column->history + (last - first) - count);
    double *to = buffer_of(r, column, chunk + 1) + (column->history - count);
    FMLP_TRY(fmlp_gpu_check(
        r->device,
        r->device->runtime->copy(r->device->gpu, FMLP_GPU_COMPUTE, to, from, (size_t)count * sizeof(double)),
        "rolling features", error));
  }
  return FMLP_OK;
}

static int64_t end_of(const run *r, int64_t chunk) {
  const int64_t first = chunk * r->chunk;
  return r->rows - first < r->chunk ? r->rows : first + r->chunk;
}

static fmlp_status send(const run *r, int64_t chunk, fmlp_error *error) {
  const int64_t first = chunk * r->chunk;
  int32_t count = 0;
  for (int32_t c = 0; c < r->plan->input_count && r->sent > 0; c++) {
    const column_memory *column = &r->columns[c];
    if (!column->host || !r->schedule.places[c].stored) continue;
    r->transfers[count++] =
        (fmlp_gpu_transfer){buffer_of(r, column, chunk) + column->history, column->host + first,
                            (size_t)(end_of(r, chunk) - first) * sizeof(double)};
  }
  return count > 0 ? fmlp_gpu_send(r->device, r->transfers, count, error) : FMLP_OK;
}

static fmlp_status fetch(const run *r, int64_t chunk, fmlp_error *error) {
  const int64_t first = chunk * r->chunk;
  int32_t count = 0;
  for (int32_t c = r->plan->input_count; c < column_count(r) && r->fetched > 0; c++) {
    const column_memory *column = &r->columns[c];
    if (!column->host) continue;
    r->transfers[count++] =
        (fmlp_gpu_transfer){column->host + first, buffer_of(r, column, chunk) + column->history,
                            (size_t)(end_of(r, chunk) - first) * sizeof(double)};
  }
  return count > 0 ? fmlp_gpu_fetch(r->device, r->transfers, count, error) : FMLP_OK;
}

/* What a chunk must wait for, and what waits for the chunks before it: called when the streams hold the
 * uploads up to this chunk and the steps up to the chunk before. Its steps write where the chunk two before
 * was downloaded from; the host has waited for that. */
static fmlp_status order_streams(const run *r, fmlp_error *error) {
  FMLP_TRY(fmlp_gpu_order(r->device, FMLP_GPU_UPLOAD, FMLP_GPU_COMPUTE, error));
  FMLP_TRY(fmlp_gpu_order(r->device, FMLP_GPU_COMPUTE, FMLP_GPU_UPLOAD, error));
  return fmlp_gpu_order(r->device, FMLP_GPU_COMPUTE, FMLP_GPU_DOWNLOAD, error);
}

static fmlp_status run_chunks(const run *r, fmlp_error *error) {
  const int64_t chunks = (r->rows + r->chunk - 1) / r->chunk;
  if (r->sent > 0) {
    FMLP_TRY(fmlp_gpu_order(r->device, FMLP_GPU_COMPUTE, FMLP_GPU_UPLOAD, error));
    FMLP_TRY(send(r, 0, error));
  }
  for (int64_t c = 0; c < chunks; c++) {
    const int64_t first = c * r->chunk, last = end_of(r, c);
    FMLP_TRY(fmlp_check_interrupt("rolling features", error));
    if (r->sent + r->fetched > 0) FMLP_TRY(order_streams(r, error));
    FMLP_TRY(run_steps(r, c, first, last, error));
    if (c + 1 < chunks) {
      FMLP_TRY(carry(r, c, first, last, error));
      FMLP_TRY(send(r, c + 1, error));
    }
    if (c > 0) FMLP_TRY(fetch(r, c - 1, error));
  }
  if (r->fetched == 0) return FMLP_OK;
  FMLP_TRY(fmlp_gpu_order(r->device, FMLP_GPU_COMPUTE, FMLP_GPU_DOWNLOAD, error));
  return fetch(r, chunks - 1, error);
}

/* ---- the operation ---- */

static void find_columns(run *r, const fmlp_buffer *const *inputs, fmlp_buffer *const *outputs) {
  for (int32_t c = 0; c < column_count(r); c++) {
    const int32_t n = c - r->plan->input_count;
    const int32_t output = n >= 0 ? r->plan->nodes[n].output : -1;
    const fmlp_buffer *buffer = n < 0 ? inputs[c] : output >= 0 ? outputs[output] : NULL;
    if (!buffer || !r->schedule.places[c].stored) continue;
    r->columns[c].whole = buffer->spilled ? NULL : buffer->data;
    r->columns[c].host = buffer->spilled ? buffer->data : NULL;
    if (buffer->spilled && n < 0) r->sent++;
    if (buffer->spilled && n >= 0) r->fetched++;
  }
}

static fmlp_status prepare_constants(const run *r, fmlp_error *error) {
  if (r->schedule.weight_count > 0) {
    FMLP_TRY(fmlp_gpu_to_device(r->device, r->memory + r->weights, r->schedule.weights,
                                (size_t)r->schedule.weight_count * sizeof(double), error));
  }
  if (r->schedule.state_count == 0) return FMLP_OK;
  return fmlp_gpu_check(r->device,
                        r->device->runtime->fill(r->device->gpu, FMLP_GPU_COMPUTE, r->memory + r->states, 0,
                                                 (size_t)r->schedule.state_count * FMLP_GPU_RECURSIVE_STATE),
                        "rolling features", error);
}

static fmlp_status run_plan(run *r, const fmlp_buffer *const *inputs, fmlp_buffer *const *outputs,
                            fmlp_error *error) {
  FMLP_TRY(fmlp_gpu_schedule_make(r->plan, r->rows, &r->schedule, error));
  if (r->schedule.step_count == 0) return FMLP_OK;
  FMLP_TRY(fmlp_alloc_zero(&r->columns, column_count(r), sizeof *r->columns, "feature schedule", error));
  FMLP_TRY(fmlp_alloc(&r->spare, r->plan->node_count, sizeof *r->spare, "feature schedule", error));
  find_columns(r, inputs, outputs);
  const int32_t travelling = r->sent > r->fetched ? r->sent : r->fetched;
  FMLP_TRY(fmlp_alloc(&r->transfers, travelling, sizeof *r->transfers, "feature schedule", error));
  FMLP_TRY(reserve(r, error));
  FMLP_TRY(prepare_constants(r, error));
  return run_chunks(r, error);
}

fmlp_status fmlp_gpu_rolling(fmlp_device *device, const fmlp_rolling_plan *plan, int64_t rows,
                             const fmlp_buffer *const *inputs, fmlp_buffer *const *outputs,
                             fmlp_error *error) {
  FMLP_SPAN("rolling");
  if (rows == 0 || plan->node_count == 0) return FMLP_OK;
  run r = {.device = device, .plan = plan, .rows = rows};
  const fmlp_status status = run_plan(&r, inputs, outputs, error);
  fmlp_gpu_schedule_release(&r.schedule);
  fmlp_free(r.columns);
  fmlp_free(r.spare);
  fmlp_free(r.transfers);
  return status;
}
