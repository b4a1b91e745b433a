/* The parameters of the kernels in triple_barrier.cuh. */
#ifndef FMLP_CUDA_TRIPLE_BARRIER_H
#define FMLP_CUDA_TRIPLE_BARRIER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  FMLP_GPU_BARRIER_GROUP = 8, /* nodes looked at together, and children of a node */
  FMLP_GPU_BARRIER_GROUP_BITS = 3,
  FMLP_GPU_BARRIER_LEVELS = 11, /* 8^11 > 2^31 bars */
  FMLP_GPU_BARRIER_LANES = 8    /* threads that look for the tick of one event */
};

/* A level of the pyramid. Level 0 is the bars themselves, as long as they are; the levels above are padded to
 * whole groups with nodes that no price reaches. */
typedef struct fmlp_gpu_barrier_level {
  const int32_t *high, *low;
} fmlp_gpu_barrier_level;

/* Two levels from the one below: `above` from groups of `below`, `top` from groups of `above`. */
typedef struct fmlp_gpu_barrier_pyramid_args {
  int64_t count;                   /* nodes of `below` */
  const int32_t *high, *low;       /* [count] */
  int32_t *above_high, *above_low; /* [above_padded] */
  int64_t above_padded;
  int32_t *top_high, *top_low; /* [top_padded], NULL when above is the last level */
  int64_t top_padded;
  int32_t *tail_high, *tail_low; /* [GROUP]: gets the last group of `below` where that is not whole */
} fmlp_gpu_barrier_pyramid_args;

typedef struct fmlp_gpu_barrier_search_args {
  int64_t events;
  const int32_t *start_bar, *last_bar, *upper, *lower; /* [events] */
  int8_t *outcome;                                     /* [events] */
  int32_t *exit_bar;                                   /* [events] */
  int32_t first_bar;                                   /* the bar at levels[0].high[0] */
  uint32_t tail_first; /* bars from here on, counted from first_bar, are read from the tail */
  uint32_t outcomes;   /* a byte each for: no level touched, the lower, the upper, both */
  uint32_t unused;
  const int32_t *tail_high, *tail_low; /* [GROUP] */
  fmlp_gpu_barrier_level levels[FMLP_GPU_BARRIER_LEVELS];
} fmlp_gpu_barrier_search_args;

typedef struct fmlp_gpu_barrier_resolve_args {
  int64_t events;
  const int32_t *price; /* of tick `first_tick` and those behind it */
  int64_t first_tick;
  const int64_t *tick_first, *tick_last; /* [events] */
  const int32_t *upper, *lower;          /* [events] */
  int8_t *outcome;                       /* [events] */
  int64_t *exit_tick;                    /* [events] */
  int32_t side;
  int32_t unused;
} fmlp_gpu_barrier_resolve_args;

#ifdef __cplusplus
}
#endif
#endif
