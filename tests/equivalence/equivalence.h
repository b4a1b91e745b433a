/* Backend against backend: what the case tables share. A case is a set of arrays and a function that runs one
 * operation on them; here it is run on the reference once, on the other backend in every set-up asked for,
 * and the results are compared bit by bit. */
#ifndef FMLP_TESTS_EQUIVALENCE_EQUIVALENCE_H
#define FMLP_TESTS_EQUIVALENCE_EQUIVALENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/contracts/backend.h"

typedef enum equivalence_element {
  EQUIVALENCE_DOUBLE,
  EQUIVALENCE_INT64,
  EQUIVALENCE_INT32,
  EQUIVALENCE_INT8
} equivalence_element;

typedef struct equivalence_array {
  const char *name;
  equivalence_element element;
  int64_t count;
  const void *contents; /* borrowed; NULL: garbage, to be overwritten in full */
  bool output;          /* compared, and may change */
  bool host;            /* no buffer of the device: `run` writes it to host memory; an output */
} equivalence_array;

typedef enum equivalence_size {
  EQUIVALENCE_QUICK, /* every kernel in every block size, chunk and a schedule, a minute or two on the host */
  EQUIVALENCE_NORMAL, /* the product of operators, data and lengths */
  EQUIVALENCE_FULL    /* the product with every block size, and lengths that only a GPU gets through */
} equivalence_size;

typedef enum equivalence_spill {
  EQUIVALENCE_ON_DEVICE,
  EQUIVALENCE_ALL,
  EQUIVALENCE_INPUTS
} equivalence_spill;

/* How the other backend divides its work; 0 lets it choose. */
typedef struct equivalence_setup {
  int32_t threads;         /* of a block */
  int64_t chunk;           /* rows, events, or paths at a time */
  int64_t memory;          /* bytes of device memory at most */
  equivalence_spill spill; /* buffers that are in host memory */
  uint64_t seed;           /* of the schedule of threads (simt) */
} equivalence_setup;

/* The command line; NULL, -1 or 0 where nothing was asked for. */
typedef struct equivalence_options {
  const char *operation; /* "rolling", "triple_barrier", "monte_carlo" or "all" */
  const char *backend;
  const char *family, *operator_name, *data, *name; /* of a case; `name` may be its number */
  int64_t part, parts;                              /* every parts-th case from `part` on; 0 parts: all */
  int64_t window, rows;                             /* -1: not asked for */
  equivalence_size size;
  bool fixed; /* `setup` alone instead of the set-ups of the size */
  equivalence_setup setup;
  bool list;
  int64_t most_differences; /* cases that may differ before the rest is left out */
} equivalence_options;

typedef struct equivalence_case equivalence_case;

/* Runs the operation. buffers[i] belongs to arrays[i] (NULL for a host array), host[i] is memory for a host
 * array. */
typedef fmlp_status equivalence_run(const equivalence_case *c, const fmlp_compute *compute,
                                    fmlp_buffer *const *buffers, void *const *host, fmlp_error *error);

struct equivalence_case {
  const char *operation;
  const char *name;  /* names the case within the operation */
  const char *group; /* cases of one group go through all set-ups between them: the kernels they use */
  int32_t array_count;
  const equivalence_array *arrays;
  equivalence_run *run;
  const void *job;               /* of `run` */
  int64_t units;                 /* rows, events or paths: what `chunk` divides */
  const equivalence_setup *like; /* its chunk and spilling are every set-up's; NULL: all in turn */
};

enum { EQUIVALENCE_GROUPS = 128 };

typedef struct equivalence {
  equivalence_options options;
  const char *program;
  fmlp_compute reference, other;
  equivalence_setup opened; /* the set-up `other` was opened with */
  bool counting;            /* cases are counted, not run */
  int64_t number;           /* of the next case of the operation */
  const char *groups[EQUIVALENCE_GROUPS];
  int64_t turns[EQUIVALENCE_GROUPS]; /* set-ups a group has had */
  int64_t cases, runs, elements, differing_runs, refused;
  int64_t differing_elements;
} equivalence;

/* Kinds of Monte Carlo, its families here. */
enum { EQUIVALENCE_KINDS = 6 };
extern const char *const equivalence_kind_names[EQUIVALENCE_KINDS];

/* FMLP_ERR_USAGE naming an option that means nothing for the operation, or a word that is none, with the
 * nearest that is one. */
FMLP_WARN_UNUSED fmlp_status equivalence_check_words(const equivalence_options *options, fmlp_error *error);

/* Whether the next case of `operation` is asked for; counts it, and prints its name for --list. Cheap: to be
 * asked before data is made. */
bool equivalence_wants(equivalence *all, const char *operation, const char *name);

/* True once enough differs that nothing more is to be run. */
bool equivalence_is_over(const equivalence *all);

/* Runs a case on both sides in `turns` set-ups (fewer where one was asked for) and compares. Only failures of
 * the harness itself are failures; what differs is counted and printed. */
FMLP_WARN_UNUSED fmlp_status equivalence_check(equivalence *all, const equivalence_case *c, int32_t turns,
                                               fmlp_error *error);

/* The operations' tables (rolling.c, triple_barrier.c, monte_carlo.c). */
FMLP_WARN_UNUSED fmlp_status equivalence_rolling(equivalence *all, fmlp_error *error);
FMLP_WARN_UNUSED fmlp_status equivalence_triple_barrier(equivalence *all, fmlp_error *error);
FMLP_WARN_UNUSED fmlp_status equivalence_monte_carlo(equivalence *all, fmlp_error *error);

#endif
