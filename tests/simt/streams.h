/* What a simt device has been asked to do and has not done yet (runtime.h). */
#ifndef FMLP_TESTS_SIMT_STREAMS_H
#define FMLP_TESTS_SIMT_STREAMS_H

#include <time.h>

#include "tests/simt/heap.h"
#include "tests/simt/kernels.h"
#include "tests/simt/runtime.h"

enum fmlp_simt_task_kind { FMLP_SIMT_COPY, FMLP_SIMT_FILL, FMLP_SIMT_LAUNCH, FMLP_SIMT_WAIT, FMLP_SIMT_MARK };

struct fmlp_simt_task {
  fmlp_simt_task_kind kind;
  void *to;
  const void *from;
  size_t bytes;
  int byte;
  fmlp_gpu_kernel kernel;
  fmlp_simt_entry entry;
  int64_t blocks;
  int32_t threads;
  size_t shared;
  void *args; /* of a launch; the task's own */
  uint64_t seed;
  bool fails;
  int stream;        /* WAIT: until this stream has done */
  uint64_t position; /* so many tasks; MARK: the number of the marking */
  int32_t slot;
};

struct fmlp_simt_stream {
  fmlp_simt_task *tasks; /* a ring */
  int64_t first, count, capacity;
  uint64_t queued, done;
};

struct fmlp_simt_mark {
  int stream; /* -1: never set */
  uint64_t position, number;
  bool reached;
  timespec when;
};

struct fmlp_simt_streams {
  fmlp_simt_heap *heap;
  fmlp_simt_stream all[FMLP_GPU_STREAMS];
  fmlp_simt_mark marks[FMLP_GPU_MARKS];
  uint64_t markings;
  uint64_t random; /* 0: the natural order */
  bool checked;
  char *error; /* where a failure is told; "" while there is none */
  size_t error_capacity;
  int64_t *damaged; /* counts red zones written to */
};

/* Puts a task at the end; makes room by running older ones. Whether there was memory. */
bool fmlp_simt_streams_put(fmlp_simt_streams *streams, fmlp_gpu_stream stream, const fmlp_simt_task *task);

/* Runs until `stream` has done `position` tasks; everything; or, as the seed decides, a little. After a
 * failure nothing runs any more and nothing is left. */
void fmlp_simt_streams_need(fmlp_simt_streams *streams, int stream, uint64_t position);
void fmlp_simt_streams_finish(fmlp_simt_streams *streams);
void fmlp_simt_streams_go_on(fmlp_simt_streams *streams);
void fmlp_simt_streams_drop(fmlp_simt_streams *streams);

/* What a task still waiting does with [memory, memory + bytes): "a copy", or NULL. Launches count when their
 * arguments hold an address of it. */
const char *fmlp_simt_streams_using(const fmlp_simt_streams *streams, const void *memory, size_t bytes);

#endif
