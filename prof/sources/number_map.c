/* Linear probing; at most half of the slots are taken. */
#include "prof/sources/number_map.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

/* The slot of the key, or the empty one where it would stand. Capacity > 0. */
static uint64_t *find(const fmlp_number_map *map, uint64_t key) {
  const uint64_t mask = map->capacity - 1;
  uint64_t at = key * 0x9e3779b97f4a7c15u; /* Fibonacci hashing: numbers that follow each other spread out */
  at = (at ^ at >> 32) & mask;
  while (map->slots[2 * at] != 0 && map->slots[2 * at] != key) at = (at + 1) & mask;
  return &map->slots[2 * at];
}

static bool grow(fmlp_number_map *map) {
  fmlp_number_map larger = {.capacity = map->capacity ? 2 * map->capacity : FIRST_CAPACITY,
                            .count = map->count};
  larger.slots = calloc(larger.capacity, 2 * sizeof *larger.slots);
  if (!larger.slots) return false;
  for (uint64_t i = 0; i < map->capacity; i++)
    if (map->slots[2 * i] != 0)
      memcpy(find(&larger, map->slots[2 * i]), &map->slots[2 * i], 2 * sizeof(uint64_t));
  free(map->slots);
  *map = larger;
  return true;
}

bool fmlp_number_map_put(fmlp_number_map *map, uint64_t key, uint64_t value) {
  if (key == 0) return false;
  if (2 * (map->count + 1) > map->capacity && !grow(map)) return false;
  uint64_t *slot = find(map, key);
  if (slot[0] == 0) map->count++;
  slot[0] = key;
  slot[1] = value;
  return true;
}

bool fmlp_number_map_get(const fmlp_number_map *map, uint64_t key, uint64_t *value) {
  if (key == 0 || map->capacity == 0) return false;
  const uint64_t *slot = find(map, key);
  if (slot[0] == 0) return false;
  *value = slot[1];
  return true;
}

void fmlp_number_map_release(fmlp_number_map *map) {
  free(map->slots);
  memset(map, 0, sizeof *map);
}
