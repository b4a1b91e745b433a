/* The one reader of CUPTI's activity buffers: records go into a log, which a finished capture is filled from
 * (device_join.h). Buffers of a device, buffers kept in a file and buffers that a test made up are all read
 * here. Not safe for two threads at once. */
#ifndef FMLP_PROF_SOURCES_CUPTI_RECORDS_H
#define FMLP_PROF_SOURCES_CUPTI_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prof/capture.h"
#include "prof/sources/cupti_api.h"
#include "prof/sources/number_map.h"

/* Times as CUPTI gives them, in its clock. */
typedef struct fmlp_cupti_operation {
  uint64_t start, end;
  int64_t bytes, shared;
  uint32_t correlation, runtime_correlation; /* of the call that launched it; those of a graph share one */
  int32_t name;                              /* in the log's names */
  int32_t device, stream;
  int32_t blocks, threads, registers;
  fmlp_operation_kind kind;
} fmlp_cupti_operation;

typedef struct fmlp_cupti_call {
  uint64_t start, end;
  uint32_t correlation;
  uint32_t thread; /* the system's, 0 unknown */
  int32_t name;
  fmlp_call_kind kind;
} fmlp_cupti_call;

typedef struct fmlp_cupti_memory {
  uint64_t time, address;
  int64_t bytes; /* the allocation's, 0 when it is released; of a pool its size from now on */
  int32_t device;
} fmlp_cupti_memory;

typedef struct fmlp_cupti_log {
  const fmlp_cupti_api *api;
  int64_t limit; /* of operations; of calls four times that: most are inside others, and go with the join */
  int64_t operation_count, operation_capacity;
  fmlp_cupti_operation *operations;
  int64_t call_count, call_capacity;
  fmlp_cupti_call *calls;
  int64_t memory_count, memory_capacity;
  fmlp_cupti_memory *memory;
  fmlp_number_map external; /* correlation -> external id */
  int32_t name_count, name_capacity;
  char **names;
  fmlp_number_map name_of; /* address of a kernel's name, or a function's number -> name */
  int64_t dropped;         /* lost by CUPTI, beyond the limit, cut off, or without memory for them */
  int64_t invalid;         /* start 0 or end before start */
  int64_t unknown;         /* of kinds that nobody reads */
  int64_t buffers;
} fmlp_cupti_log;

/* Empty; `limit` > 0. */
void fmlp_cupti_log_open(fmlp_cupti_log *log, const fmlp_cupti_api *api, int64_t limit);
void fmlp_cupti_log_release(fmlp_cupti_log *log);

/* Reads the `valid` first bytes of a buffer, frees what its records own, and asks how many were dropped. */
void fmlp_cupti_log_read(fmlp_cupti_log *log, uint8_t *buffer, size_t valid);

/* Asks CUPTI for records dropped since the last time. */
void fmlp_cupti_log_ask_dropped(fmlp_cupti_log *log);

/* Writes a kernel's name as the source has it: "rolling_sum" for "_Z11rolling_sum4args". Text of any other
 * form stays. */
void fmlp_cupti_plain_name(const char *mangled, char *plain, size_t capacity);

#endif
