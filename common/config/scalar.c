/* Texts of scalars to numbers and truth values, without locale, infinities or hexadecimal. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/schema.h"

enum { NUMBER_CAPACITY = 64 };

/* The digits without their underscores (1_000_000); false when the text cannot be a number. */
static bool without_underscores(const char *text, char *number) {
  size_t length = 0;
  if (text[0] == '\0' || strspn(text, "0123456789+-.eE_") != strlen(text) || text[0] == '_') return false;
  for (; *text; text++) {
    if (*text == '_') continue;
    if (length == NUMBER_CAPACITY - 1) return false;
    number[length++] = *text;
  }
  number[length] = '\0';
  return true;
}

bool fmlp_parse_bool(const fmlp_node *node, bool *value) {
  static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"};
  static const char *const no[] = {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"};
  for (size_t i = 0; node->kind == FMLP_NODE_SCALAR && i < sizeof yes / sizeof *yes; i++) {
    bool is_yes = strcmp(node->text, yes[i]) == 0;
    if (is_yes || strcmp(node->text, no[i]) == 0) {
      *value = is_yes;
      return true;
    }
  }
  return false;
}

bool fmlp_parse_double(const fmlp_node *node, double *value) {
  char number[NUMBER_CAPACITY];
  char *end = NULL;
  if (node->kind != FMLP_NODE_SCALAR || !without_underscores(node->text, number)) return false;
  *value = strtod(number, &end);
  return end != number && *end == '\0' && isfinite(*value);
}

bool fmlp_parse_int(const fmlp_node *node, int64_t *value) {
  char number[NUMBER_CAPACITY];
  char *end = NULL;
  double real = 0;
  if (node->kind != FMLP_NODE_SCALAR || !without_underscores(node->text, number)) return false;
  errno = 0;
  long long whole = strtoll(number, &end, 10);
  if (errno == 0 && end != number && *end == '\0') {
    *value = whole;
    return true;
  }
  /* 1e6 is a whole number to everybody but a parser. */
  if (errno != 0 || !fmlp_parse_double(node, &real) || fabs(real) > 9007199254740992.0 || floor(real) != real)
    return false;
  *value = (int64_t)real;
  return true;
}

bool fmlp_parse_uint(const fmlp_node *node, uint64_t *value) {
  char number[NUMBER_CAPACITY];
  char *end = NULL;
  if (node->kind != FMLP_NODE_SCALAR || !without_underscores(node->text, number)) return false;
  if (strspn(number, "0123456789") != strlen(number)) return false;
  errno = 0;
  *value = strtoull(number, &end, 10);
  return errno == 0 && end != number;
}
