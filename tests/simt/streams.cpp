/* Tasks run late: when something waits for them, or when the seed says so. */
#include "tests/simt/streams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simt/kernels.h"

namespace {

enum { MOST_WAITING = 512 };

uint64_t draw(fmlp_simt_streams *streams) {
  streams->random ^= streams->random << 13;
  streams->random ^= streams->random >> 7;
  streams->random ^= streams->random << 17;
  return (streams->random * 0x2545F4914F6CDD1DULL) >> 32;
}

bool failed(const fmlp_simt_streams *streams) {
  return streams->error[0] != '\0';
}

void fail(fmlp_simt_streams *streams, const char *why) {
  if (!failed(streams)) (void)snprintf(streams->error, streams->error_capacity, "%s", why);
}

const fmlp_simt_task *front(const fmlp_simt_stream *stream) {
  return stream->count > 0 ? &stream->tasks[stream->first] : NULL;
}

bool blocked(const fmlp_simt_streams *streams, const fmlp_simt_task *task) {
  return task->kind == FMLP_SIMT_WAIT && streams->all[task->stream].done < task->position;
}

void perform(fmlp_simt_streams *streams, const fmlp_simt_task *task) {
  const char *found = "";
  fmlp_simt_mark *mark = &streams->marks[task->slot];
  switch (task->kind) {
  case FMLP_SIMT_COPY:
    memcpy(task->to, task->from, task->bytes);
    break;
  case FMLP_SIMT_FILL:
    memset(task->to, task->byte, task->bytes);
    break;
  case FMLP_SIMT_LAUNCH:
    found = task->fails ? "the kernel failed, as a test asked"
                        : fmlp_simt_launch(fmlp_gpu_kernel_names[task->kernel], task->entry.run, task->args,
                                           task->blocks, task->threads, (int64_t)task->shared, task->seed,
                                           streams->checked);
    break;
  case FMLP_SIMT_MARK:
    if (mark->number == task->position) {
      mark->reached = true;
      (void)clock_gettime(CLOCK_MONOTONIC, &mark->when);
    }
    return;
  case FMLP_SIMT_WAIT:
    return;
  }
  if (*found) fail(streams, found);
  const char *damage = fmlp_simt_heap_check(streams->heap);
  if (damage) {
    char text[400];
    (void)snprintf(text, sizeof text, "simt: after %s: %s",
                   task->kind == FMLP_SIMT_LAUNCH ? fmlp_gpu_kernel_names[task->kernel]
                   : task->kind == FMLP_SIMT_COPY ? "a copy"
                                                  : "a fill",
                   damage);
    fail(streams, text);
    *streams->damaged += 1;
  }
}

/* Runs the stream's next task, which is not blocked. */
void step(fmlp_simt_streams *streams, fmlp_simt_stream *stream) {
  fmlp_simt_task task = stream->tasks[stream->first];
  stream->first = (stream->first + 1) % stream->capacity;
  stream->count--;
  stream->done++;
  perform(streams, &task);
  free(task.args);
  if (failed(streams)) fmlp_simt_streams_drop(streams);
}

/* No more than is needed. */
void run_for(fmlp_simt_streams *streams, int wanted, uint64_t position) {
  fmlp_simt_stream *stream = &streams->all[wanted];
  while (stream->done < position) {
    const fmlp_simt_task *task = front(stream);
    if (blocked(streams, task))
      run_for(streams, task->stream, task->position);
    else
      step(streams, stream);
  }
}

/* One task of a stream drawn; whether there was any. The oldest task is never blocked, so that some stream
 * goes on. */
bool run_any(fmlp_simt_streams *streams) {
  int ready[FMLP_GPU_STREAMS], count = 0;
  for (int i = 0; i < FMLP_GPU_STREAMS; i++) {
    const fmlp_simt_task *task = front(&streams->all[i]);
    if (task && !blocked(streams, task)) ready[count++] = i;
  }
  if (count == 0) return false;
  step(streams, &streams->all[ready[draw(streams) % (uint64_t)count]]);
  return true;
}

bool overlap(const void *a, size_t a_bytes, const void *b, size_t b_bytes) {
  return (uintptr_t)a < (uintptr_t)b + b_bytes && (uintptr_t)b < (uintptr_t)a + a_bytes;
}

bool holds_address(const void *args, int64_t size, const void *memory, size_t bytes) {
  for (int64_t at = 0; at + (int64_t)sizeof(uintptr_t) <= size; at += (int64_t)sizeof(uintptr_t)) {
    uintptr_t word;
    memcpy(&word, (const char *)args + at, sizeof word);
    if (word >= (uintptr_t)memory && word - (uintptr_t)memory < bytes) return true;
  }
  return false;
}

} // namespace

bool fmlp_simt_streams_put(fmlp_simt_streams *streams, fmlp_gpu_stream to, const fmlp_simt_task *task) {
  fmlp_simt_stream *stream = &streams->all[to];
  if (stream->count >= MOST_WAITING) fmlp_simt_streams_need(streams, to, stream->done + MOST_WAITING / 2);
  if (stream->count == stream->capacity) {
    const int64_t capacity = stream->capacity * 2 + 16;
    fmlp_simt_task *grown = (fmlp_simt_task *)malloc((size_t)capacity * sizeof *grown);
    if (!grown) return false;
    for (int64_t i = 0; i < stream->count; i++) {
      grown[i] = stream->tasks[(stream->first + i) % stream->capacity];
    }
    free(stream->tasks);
    stream->tasks = grown;
    stream->first = 0;
    stream->capacity = capacity;
  }
  stream->tasks[(stream->first + stream->count++) % stream->capacity] = *task;
  stream->queued++;
  return true;
}

void fmlp_simt_streams_need(fmlp_simt_streams *streams, int stream, uint64_t position) {
  if (streams->all[stream].done >= position) return;
  fmlp_simt_heap_show(streams->heap);
  if (streams->random == 0) run_for(streams, stream, position);
  while (streams->all[stream].done < position && run_any(streams)) {
  }
  fmlp_simt_heap_hide(streams->heap);
}

void fmlp_simt_streams_finish(fmlp_simt_streams *streams) {
  fmlp_simt_heap_show(streams->heap);
  for (int i = FMLP_GPU_STREAMS - 1; i >= 0 && streams->random == 0; i--) {
    run_for(streams, i, streams->all[i].queued);
  }
  while (streams->random != 0 && run_any(streams)) {
  }
  fmlp_simt_heap_hide(streams->heap);
}

void fmlp_simt_streams_go_on(fmlp_simt_streams *streams) {
  if (streams->random == 0) return;
  const uint64_t way = draw(streams) % 8; /* mostly nothing, so that queues grow */
  if (way > 2) return;
  fmlp_simt_heap_show(streams->heap);
  for (uint64_t i = 0; i <= way && run_any(streams); i++) {
  }
  fmlp_simt_heap_hide(streams->heap);
}

void fmlp_simt_streams_drop(fmlp_simt_streams *streams) {
  for (fmlp_simt_stream &stream : streams->all) {
    for (int64_t i = 0; i < stream.count; i++) {
      free(stream.tasks[(stream.first + i) % stream.capacity].args);
    }
    free(stream.tasks);
    stream = {NULL, 0, 0, 0, stream.queued, stream.queued};
  }
}

const char *fmlp_simt_streams_using(const fmlp_simt_streams *streams, const void *memory, size_t bytes) {
  for (const fmlp_simt_stream &stream : streams->all) {
    for (int64_t i = 0; i < stream.count; i++) {
      const fmlp_simt_task &task = stream.tasks[(stream.first + i) % stream.capacity];
      if (task.kind == FMLP_SIMT_COPY &&
          (overlap(task.to, task.bytes, memory, bytes) || overlap(task.from, task.bytes, memory, bytes))) {
        return "a copy";
      }
      if (task.kind == FMLP_SIMT_FILL && overlap(task.to, task.bytes, memory, bytes)) return "a fill";
      if (task.kind == FMLP_SIMT_LAUNCH && holds_address(task.args, task.entry.args_size, memory, bytes)) {
        return fmlp_gpu_kernel_names[task.kernel];
      }
    }
  }
  return NULL;
}
