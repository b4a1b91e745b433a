/* A libcuda.so.1 that is found and then of no use: as much of the driver's interface as the CUDA runtime asks
 * for before it gives up on a driver. What it answers stands in the environment:
 *
 *   FMLP_FAKE_DRIVER_VERSION   of cuDriverGetVersion, 13000 for CUDA 13.0 (default 99000)
 *   FMLP_FAKE_DRIVER_INIT      status of cuInit (default 100: no device; 0 would need a whole driver) */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef void (*entry)(void);

enum { SUCCESS = 0, NO_DEVICE = 100, NOT_FOUND = 500 };

int cuInit(unsigned flags);
int cuDriverGetVersion(int *version);
int cuGetExportTable(const void **table, const void *id);
int cuGetProcAddress(const char *symbol, entry *function, int version, uint64_t flags);
int cuGetProcAddress_v2(const char *symbol, entry *function, int version, uint64_t flags, int *status);

static int setting(const char *name, int otherwise) {
  const char *value = getenv(name);
  return value ? atoi(value) : otherwise;
}

int cuInit(unsigned flags) {
  (void)flags;
  return setting("FMLP_FAKE_DRIVER_INIT", NO_DEVICE);
}

int cuDriverGetVersion(int *version) {
  *version = setting("FMLP_FAKE_DRIVER_VERSION", 99000);
  return SUCCESS;
}

int cuGetExportTable(const void **table, const void *id) {
  (void)id;
  *table = NULL;
  return NOT_FOUND;
}

static int refuse(void) {
  return NO_DEVICE;
}

int cuGetProcAddress_v2(const char *symbol, entry *function, int version, uint64_t flags, int *status) {
  (void)flags;
  *function = (entry)refuse;
  if (strcmp(symbol, "cuInit") == 0) *function = (entry)cuInit;
  if (strcmp(symbol, "cuDriverGetVersion") == 0) *function = (entry)cuDriverGetVersion;
  if (strcmp(symbol, "cuGetExportTable") == 0) *function = (entry)cuGetExportTable;
  if (strcmp(symbol, "cuGetProcAddress") == 0) {
    *function = version >= 12000 ? (entry)cuGetProcAddress_v2 : (entry)cuGetProcAddress;
  }
  if (status) *status = 0;
  return SUCCESS;
}

int cuGetProcAddress(const char *symbol, entry *function, int version, uint64_t flags) {
  return cuGetProcAddress_v2(symbol, function, version, flags, NULL);
}
