/* CUPTI as a table of function pointers: libcupti is looked for when a device is to be traced and never
 * linked, so the program starts and profiles where there is none, and tests put their own functions in its
 * place. */
#ifndef FMLP_PROF_SOURCES_CUPTI_API_H
#define FMLP_PROF_SOURCES_CUPTI_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CUpti_SubscriberParams */
typedef struct fmlp_cupti_subscriber {
  size_t size;
  const char *name;
  char *old_name; /* who holds the seat, where it is taken */
  size_t old_size;
} fmlp_cupti_subscriber;

/* All return a CUptiResult (cupti_layout.h). */
typedef struct fmlp_cupti_api {
  int (*get_version)(uint32_t *version);
  int (*subscribe)(void **subscriber, void (*callback)(void *, int, uint32_t, const void *), void *user,
                   fmlp_cupti_subscriber *parameters);
  int (*unsubscribe)(void *subscriber);
  int (*register_callbacks)(void (*request)(uint8_t **buffer, size_t *size, size_t *most_records),
                            void (*complete)(void *context, uint32_t stream, uint8_t *buffer, size_t size,
                                             size_t valid));
  int (*register_timestamp)(uint64_t (*now)(void));
  int (*get_timestamp)(uint64_t *time);
  int (*set_thread_ids)(int type);
  int (*enable)(int kind);
  int (*disable)(int kind);
  int (*next_record)(uint8_t *buffer, size_t valid, void **record);
  int (*dropped)(void *context, uint32_t stream, size_t *count);
  int (*flush)(uint32_t flags);
  int (*push)(int kind, uint64_t id);
  int (*pop)(int kind, uint64_t *last);
  int (*function_name)(int domain, uint32_t function, const char **name);
  int (*result_text)(int result, const char **text);
} fmlp_cupti_api;

/* Finds and opens libcupti.so.13: where the dynamic linker looks, then in the toolkit that CUDA_HOME or
 * CUDA_PATH names, /usr/local/cuda without them. False with one line in `reason` when it cannot be had. It is
 * never closed again. */
bool fmlp_cupti_load(fmlp_cupti_api *api, char *reason, size_t capacity);

#endif
