/* A comparison as text for reading, CSV and JSON. */
#ifndef FMLP_PROF_COMPARE_COMPARE_VIEWS_H
#define FMLP_PROF_COMPARE_COMPARE_VIEWS_H

#include <regex.h>
#include <stdbool.h>
#include <stdio.h>

#include "prof/compare/compare.h"

/* The rows that `only` matches (NULL: all); titles[] name the two sides. False when memory runs out or `out`
 * fails. Text is a tree, the longest first; the others keep the comparison's order. */
bool fmlp_comparison_text(const fmlp_comparison *comparison, const char *const titles[FMLP_SIDES],
                          const regex_t *only, FILE *out);
bool fmlp_comparison_csv(const fmlp_comparison *comparison, const regex_t *only, FILE *out);
bool fmlp_comparison_json(const fmlp_comparison *comparison, const char *const titles[FMLP_SIDES],
                          const regex_t *only, FILE *out);

/* What stands above a comparison in text: the sides, whether outputs were equal, facts that differ, how many
 * repeats there are and what they can tell. */
void fmlp_comparison_heading(const fmlp_comparison *comparison, const char *const titles[FMLP_SIDES],
                             FILE *out);

/* "yes", "no", "unknown". */
const char *fmlp_comparison_outputs(const fmlp_comparison *comparison);

#endif
