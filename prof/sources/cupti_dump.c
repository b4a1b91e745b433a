/* See cupti_dump.h. */
#include "prof/sources/cupti_dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prof/sources/cupti_layout.h"
#include "prof/sources/number_map.h"

struct fmlp_cupti_dump {
  FILE *file;
  fmlp_number_map names; /* written */
};

fmlp_cupti_dump *fmlp_cupti_dump_open(const char *path) {
  fmlp_cupti_dump *dump = calloc(1, sizeof *dump);
  if (!dump) return NULL;
  dump->file = fopen(path, "wb");
  if (!dump->file) {
    free(dump);
    return NULL;
  }
  (void)fputs("FMLPCUPTI1\n", dump->file);
  return dump;
}

void fmlp_cupti_dump_close(fmlp_cupti_dump *dump) {
  if (!dump) return;
  (void)fclose(dump->file);
  fmlp_number_map_release(&dump->names);
  free(dump);
}

static void put(fmlp_cupti_dump *dump, uint64_t number) {
  (void)fwrite(&number, sizeof number, 1, dump->file);
}

static void put_name(fmlp_cupti_dump *dump, const char *name) {
  const uint64_t address = (uint64_t)(uintptr_t)name;
  uint64_t known;
  if (!name || fmlp_number_map_get(&dump->names, address, &known)) return;
  if (!fmlp_number_map_put(&dump->names, address, 1)) return;
  (void)fputc('N', dump->file);
  put(dump, address);
  put(dump, strlen(name));
  (void)fwrite(name, 1, strlen(name), dump->file);
}

void fmlp_cupti_dump_buffer(fmlp_cupti_dump *dump, const fmlp_cupti_api *api, uint8_t *buffer, size_t valid) {
  void *record = NULL;
  uint64_t count = 0;
  while (api->next_record(buffer, valid, &record) == CUPTI_OK) {
    const size_t at = (size_t)((uint8_t *)record - buffer);
    count++;
    if (at + sizeof(cupti_kernel) > valid) continue;
    const cupti_kernel *kernel = record;
    if (kernel->kind == CUPTI_CONCURRENT_KERNEL) put_name(dump, kernel->name);
  }
  (void)fputc('B', dump->file);
  put(dump, valid);
  put(dump, count);
  record = NULL;
  while (api->next_record(buffer, valid, &record) == CUPTI_OK)
    put(dump, (uint64_t)((uint8_t *)record - buffer));
  (void)fwrite(buffer, 1, valid, dump->file);
}
