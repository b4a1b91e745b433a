/* The table of backends, and the choice among them. */
#include "common/backends.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef FMLP_HAVE_CUDA
#define FMLP_HAVE_CUDA 0
#endif
#ifndef FMLP_HAVE_PARANOID
#define FMLP_HAVE_PARANOID 0
#endif
#ifndef FMLP_HAVE_SIMT
#define FMLP_HAVE_SIMT 0
#endif

enum { REASON_CAPACITY = 512, NAME_CAPACITY = 32 };

static const fmlp_backend *const backends[] = {
    &fmlp_cpu_backend,
#if FMLP_HAVE_CUDA
    &fmlp_cuda_backend,
#endif
#if FMLP_HAVE_PARANOID
    &fmlp_paranoid_backend,
#endif
#if FMLP_HAVE_SIMT
    &fmlp_simt_backend,
#endif
    NULL,
};

/* Names that mean something even where this build lacks the backend: asking for one is then a device error,
 * not a typing error. */
static const char *const known_names[] = {"cpu", "cuda", "paranoid", "simt"};

static bool known(const char *name) {
  for (size_t i = 0; i < sizeof known_names / sizeof *known_names; i++) {
    if (strcmp(known_names[i], name) == 0) return true;
  }
  return false;
}

/* Cuts "cuda:1" into "cuda" and 1; a number too large for any machine is INT32_MAX. False when it is neither
 * NAME nor NAME:N. */
static bool parse(const char *request, char *name, int32_t *ordinal) {
  size_t length = strcspn(request, ":");
  *ordinal = 0;
  if (length == 0 || length >= NAME_CAPACITY) return false;
  memcpy(name, request, length);
  name[length] = '\0';
  if (request[length] == '\0') return true;
  const char *digits = request + length + 1;
  size_t count = strspn(digits, "0123456789");
  if (count == 0 || digits[count] != '\0') return false;
  const long long number = strtoll(digits, NULL, 10);
  *ordinal = number < INT32_MAX ? (int32_t)number : INT32_MAX;
  return true;
}

static fmlp_status open_named(const fmlp_backend *backend, int32_t ordinal, fmlp_compute *compute,
                              fmlp_error *error) {
  FMLP_TRY(backend->open(ordinal, &compute->device, error));
  compute->backend = backend;
  return FMLP_OK;
}

/* What auto would rather have than the cpu. Test builds may name another backend, to see what becomes of a
 * run whose device fails. */
static const char *preferred(void) {
#if FMLP_HAVE_SIMT
  const char *name = getenv("FMLP_AUTO_DEVICE");
  if (name && *name) return name;
#endif
  return "cuda";
}

static fmlp_status open_best(fmlp_compute *compute, char *notice, size_t capacity, fmlp_error *error) {
  const char *name = preferred();
  const fmlp_backend *best = fmlp_backend_find(name);
  char reason[REASON_CAPACITY] = "not compiled into this build";
  if (best && best->available(0, reason, sizeof reason)) {
    /* There, but it may still refuse: held by another process, without memory, without code for it. */
    fmlp_error refused = {0};
    if (open_named(best, 0, compute, &refused) == FMLP_OK) return FMLP_OK;
    (void)snprintf(notice, capacity, "%s; running on the cpu", refused.text);
    return open_named(&fmlp_cpu_backend, 0, compute, error);
  }
  (void)snprintf(notice, capacity, "%s: %s; running on the cpu", name, reason);
  return open_named(&fmlp_cpu_backend, 0, compute, error);
}

const fmlp_backend *const *fmlp_backends(void) {
  return backends;
}

const fmlp_backend *fmlp_backend_find(const char *name) {
  for (const fmlp_backend *const *backend = backends; *backend; backend++) {
    if (strcmp((*backend)->name, name) == 0) return *backend;
  }
  return NULL;
}

fmlp_status fmlp_compute_open(const char *request, fmlp_compute *compute, char *notice, size_t capacity,
                              fmlp_error *error) {
  memset(compute, 0, sizeof *compute);
  if (capacity > 0) notice[0] = '\0';
  if (strcmp(request, "auto") == 0) return open_best(compute, notice, capacity, error);
  char name[NAME_CAPACITY] = "";
  int32_t ordinal = 0;
  if (!parse(request, name, &ordinal) || !known(name)) {
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "runtime.device: unknown device '%s'; use auto, cpu, cuda or cuda:N", request);
  }
  const fmlp_backend *backend = fmlp_backend_find(name);
  if (!backend) {
    return fmlp_fail(error, FMLP_ERR_DEVICE,
                     "runtime.device: %s: not compiled into this build; use auto or cpu", name);
  }
  char reason[REASON_CAPACITY] = "";
  if (!backend->available(ordinal, reason, sizeof reason)) {
    return fmlp_fail(error, FMLP_ERR_DEVICE, "runtime.device: %s: %s; use auto or cpu", request, reason);
  }
  return open_named(backend, ordinal, compute, error);
}

const struct fmlp_device_hooks *fmlp_compute_trace(const char *request, const char **reason) {
  char name[NAME_CAPACITY] = "";
  int32_t ordinal = 0;
  if (strcmp(request, "auto") == 0) request = preferred();
  const fmlp_backend *backend = parse(request, name, &ordinal) ? fmlp_backend_find(name) : NULL;
  *reason = strcmp(name, "cuda") == 0 ? "cuda: not compiled into this build" : "no GPU was used";
  return backend ? backend->trace : NULL;
}

void fmlp_compute_close(fmlp_compute *compute) {
  if (compute->backend) compute->backend->close(compute->device);
  memset(compute, 0, sizeof *compute);
}
