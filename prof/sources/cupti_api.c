/* libcupti.so.13, opened by name. */
#define _GNU_SOURCE
#include "prof/sources/cupti_api.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY "libcupti.so.13"

enum { PATH_CAPACITY = 4096 };

typedef struct symbol {
  const char *name;
  size_t offset; /* in fmlp_cupti_api */
} symbol;

#define SYMBOL(text, field)                                                                                  \
  { text, offsetof(fmlp_cupti_api, field) }

static const symbol symbols[] = {
    SYMBOL("cuptiGetVersion", get_version),
    SYMBOL("cuptiSubscribe_v2", subscribe),
    SYMBOL("cuptiUnsubscribe", unsubscribe),
    SYMBOL("cuptiActivityRegisterCallbacks", register_callbacks),
    SYMBOL("cuptiActivityRegisterTimestampCallback", register_timestamp),
    SYMBOL("cuptiGetTimestamp", get_timestamp),
    SYMBOL("cuptiSetThreadIdType", set_thread_ids),
    SYMBOL("cuptiActivityEnable", enable),
    SYMBOL("cuptiActivityDisable", disable),
    SYMBOL("cuptiActivityGetNextRecord", next_record),
    SYMBOL("cuptiActivityGetNumDroppedRecords", dropped),
    SYMBOL("cuptiActivityFlushAll", flush),
    SYMBOL("cuptiActivityPushExternalCorrelationId", push),
    SYMBOL("cuptiActivityPopExternalCorrelationId", pop),
    SYMBOL("cuptiGetCallbackName", function_name),
    SYMBOL("cuptiGetResultString", result_text),
};

/* Places of the toolkit, as NVIDIA's installers, distributions and wheels lay it out. */
static const char *const folders[] = {"lib64", "extras/CUPTI/lib64", "lib"};

static void *open_one(const char *path, char *problem, size_t capacity) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const char *text = library ? NULL : dlerror();
  if (text && !strstr(text, "No such file")) (void)snprintf(problem, capacity, "%s", text);
  return library;
}

static void *open_in(const char *toolkit, char *problem, size_t capacity) {
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    char path[PATH_CAPACITY];
    const int length = snprintf(path, sizeof path, "%s/%s/%s", toolkit, folders[i], LIBRARY);
    if (length < 0 || (size_t)length >= sizeof path) continue;
    void *library = open_one(path, problem, capacity);
    if (library) return library;
  }
  return NULL;
}

static void *open_library(char *problem, size_t capacity) {
  void *library = open_one(LIBRARY, problem, capacity);
  const char *toolkit = getenv("CUDA_HOME");
  if (!toolkit || !*toolkit) toolkit = getenv("CUDA_PATH");
  if (!toolkit || !*toolkit) toolkit = "/usr/local/cuda";
  return library ? library : open_in(toolkit, problem, capacity);
}

bool fmlp_cupti_load(fmlp_cupti_api *api, char *reason, size_t capacity) {
  memset(api, 0, sizeof *api);
  char problem[512] = "";
  void *library = open_library(problem, sizeof problem);
  if (!library && problem[0]) {
    (void)snprintf(reason, capacity, LIBRARY " cannot be loaded: %s", problem);
    return false;
  }
  if (!library) {
    (void)snprintf(reason, capacity,
                   LIBRARY " not found; it comes with the CUDA toolkit 13 (extras/CUPTI): set CUDA_HOME or "
                           "LD_LIBRARY_PATH");
    return false;
  }
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    void *address = dlsym(library, symbols[i].name);
    if (!address) {
      (void)snprintf(reason, capacity, LIBRARY " lacks %s", symbols[i].name);
      return false;
    }
    memcpy((char *)api + symbols[i].offset, &address, sizeof address);
  }
  return true;
}
