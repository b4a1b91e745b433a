/* What may be asked for by name: a word that means nothing, or nothing for the operation, is told with the
 * nearest one that does, where a run without any case would only say that there is none. */
#include <stdio.h>
#include <string.h>

#include "common/core/nearest.h"
#include "tests/equivalence/cases_rolling.h"
#include "tests/equivalence/equivalence.h"

enum { MOST_NAMES = 64 };

typedef struct names {
  const char *all[MOST_NAMES];
  int32_t count;
} names;

static void add(names *known, const char *const *more, int32_t count) {
  for (int32_t i = 0; i < count && known->count < MOST_NAMES; i++) known->all[known->count++] = more[i];
}

static bool holds(const names *known, const char *word) {
  for (int32_t i = 0; i < known->count; i++) {
    if (strcmp(known->all[i], word) == 0) return true;
  }
  return false;
}

static fmlp_status check_word(const char *option, const char *what, const char *word, const names *known,
                              fmlp_error *error) {
  if (!word || holds(known, word)) return FMLP_OK;
  const char *near = fmlp_nearest(word, known->count, known->all);
  if (near) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "%s %s: there is no such %s; did you mean %s?", option, word,
                     what, near);
  }
  return fmlp_fail(error, FMLP_ERR_USAGE, "%s %s: there is no such %s; see --list", option, word, what);
}

/* A data set, or two with a comma between them. */
static fmlp_status check_data(const char *asked, fmlp_error *error) {
  names known = {.count = 0};
  char first[64];
  if (!asked) return FMLP_OK;
  add(&known, fmlp_case_data_names, FMLP_DATA_COUNT);
  const char *comma = strchr(asked, ',');
  (void)snprintf(first, sizeof first, "%.*s", comma ? (int)(comma - asked) : (int)strlen(asked), asked);
  FMLP_TRY(check_word("--data", "data set", first, &known, error));
  return check_word("--data", "data set", comma ? comma + 1 : NULL, &known, error);
}

fmlp_status equivalence_check_words(const equivalence_options *options, fmlp_error *error) {
  static const char *const more_rolling[] = {"plans"}, *const barriers[] = {"search", "resolve"};
  const bool all = strcmp(options->operation, "all") == 0;
  const bool rolling = all || strcmp(options->operation, "rolling") == 0;
  const struct {
    const char *option;
    bool given;
  } rolling_only[] = {{"--operator", options->operator_name},
                      {"--data", options->data},
                      {"--window", options->window >= 0},
                      {"--rows", options->rows >= 0}};
  for (size_t i = 0; i < sizeof rolling_only / sizeof *rolling_only; i++) {
    if (rolling || !rolling_only[i].given) continue;
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "%s: only the cases of rolling have that; %s has --family and --case",
                     rolling_only[i].option, options->operation);
  }
  names families = {.count = 0}, operators = {.count = 0};
  if (rolling) {
    add(&families, fmlp_rolling_family_names, FMLP_ROLLING_FAMILIES);
    add(&families, more_rolling, 1);
  }
  if (all || strcmp(options->operation, "triple_barrier") == 0) add(&families, barriers, 2);
  if (all || strcmp(options->operation, "monte_carlo") == 0) {
    add(&families, equivalence_kind_names, EQUIVALENCE_KINDS);
  }
  for (int32_t op = 0; op < FMLP_OP_COUNT; op++) add(&operators, &fmlp_operators[op].name, 1);
  FMLP_TRY(check_word("--family", "family", options->family, &families, error));
  FMLP_TRY(check_word("--operator", "operator", options->operator_name, &operators, error));
  return check_data(options->data, error);
}
