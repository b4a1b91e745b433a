/* A map from numbers to numbers, for joins of a million records: open addressing, O(1) each. Keys are > 0. */
#ifndef FMLP_PROF_SOURCES_NUMBER_MAP_H
#define FMLP_PROF_SOURCES_NUMBER_MAP_H

#include <stdbool.h>
#include <stdint.h>

typedef struct fmlp_number_map { /* all zero: empty */
  uint64_t *slots;               /* [2 * capacity] key and value beside each other */
  uint64_t capacity;             /* 0 or a power of two */
  uint64_t count;
} fmlp_number_map;

/* Sets or replaces; false when memory runs out or the key is 0. */
bool fmlp_number_map_put(fmlp_number_map *map, uint64_t key, uint64_t value);

/* False, and `value` as it was, when the key is not there. */
bool fmlp_number_map_get(const fmlp_number_map *map, uint64_t key, uint64_t *value);

/* Empty again. */
void fmlp_number_map_release(fmlp_number_map *map);

#endif
