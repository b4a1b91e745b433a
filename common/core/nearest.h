/* The known name nearest to a misspelt one, for the hints of error messages. */
#ifndef FMLP_COMMON_CORE_NEAREST_H
#define FMLP_COMMON_CORE_NEAREST_H

#include <stdint.h>

/* Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`, upper and lower case being
 * equal. Only the first 63 bytes of each count. */
int32_t fmlp_edit_distance(const char *a, const char *b);

/* The entry of known[count] with the smallest edit distance to `word`, the first on ties; NULL when even that
 * one is farther away than half the length of the longer of the two (a hint would not help). NULL entries are
 * skipped. */
const char *fmlp_nearest(const char *word, int64_t count, const char *const *known);

#endif
