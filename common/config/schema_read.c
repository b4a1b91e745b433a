/* The typed reading of the tree, row by row. Every scalar is rewritten in its canonical text on the way. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/schema.h"
#include "common/core/nearest.h"

typedef struct reading {
  fmlp_arena *arena;
  char *base; /* the fmlp_settings as bytes */
  const fmlp_schema_row *row;
  fmlp_node *node;
  fmlp_error *error;
} reading;

static void store(const reading *in, size_t offset, const void *value, size_t size) {
  memcpy(in->base + offset, value, size);
}

static const char *origin_of(const fmlp_node *node) {
  return node->origin ? node->origin : "default";
}

static fmlp_status expected(const reading *in, const char *what) {
  const fmlp_node *node = in->node;
  if (node->kind != FMLP_NODE_SCALAR) {
    return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s: %s: %s expected, not a %s", origin_of(node),
                     in->row->path, what, node->kind == FMLP_NODE_LIST ? "list" : "mapping");
  }
  return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s: %s: %s expected, not '%s'", origin_of(node), in->row->path,
                   what, fmlp_node_is_null(node) ? "null" : node->text);
}

static fmlp_status set_text(const reading *in, const char *text, bool quoted) {
  if (!text) return FMLP_ERR_OTHER;
  in->node->text = text;
  in->node->quoted = quoted;
  return FMLP_OK;
}

/* "a whole number >= 1", "a number in (0, 1]"; "a whole number <= 2147483647" for a value beyond it. */
static void describe_range(const fmlp_schema_row *row, const char *kind, bool beyond, char *text,
                           size_t capacity) {
  if (row->min == 0 && row->max == 0) {
    (void)snprintf(text, capacity, "%s", kind);
  } else if (beyond && row->max >= 2147483647.0) {
    (void)snprintf(text, capacity, "%s <= %.17g", kind, row->max);
  } else if (row->max >= 2147483647.0 || row->max == 1e18) {
    (void)snprintf(text, capacity, "%s %s %g", kind, row->flags & FMLP_KEY_MIN_OPEN ? ">" : ">=", row->min);
  } else {
    (void)snprintf(text, capacity, "%s in %c%g, %g%c", kind, row->flags & FMLP_KEY_MIN_OPEN ? '(' : '[',
                   row->min, row->max, row->flags & FMLP_KEY_MAX_OPEN ? ')' : ']');
  }
}

static bool in_range(const fmlp_schema_row *row, double value) {
  if (row->min == 0 && row->max == 0) return true;
  if (value < row->min || value > row->max) return false;
  if (value == row->min && row->flags & FMLP_KEY_MIN_OPEN) return false;
  return value != row->max || !(row->flags & FMLP_KEY_MAX_OPEN);
}

static fmlp_status out_of_range(const reading *in, const char *kind) {
  char text[128];
  double value = 0;
  bool beyond = fmlp_parse_double(in->node, &value) && value > in->row->max;
  describe_range(in->row, kind, beyond, text, sizeof text);
  return expected(in, text);
}

/* The shortest text that gives the same double. */
static const char *shortest(fmlp_arena *arena, double value) {
  char text[40];
  for (int digits = 15; digits <= 17; digits++) {
    (void)snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break;
  }
  return fmlp_arena_copy(arena, text, strlen(text));
}

/* A positive number's text without exponent, sign, underscores or idle zeros: what exact decimal readers
 * take. NULL when it would need more than 40 digits. */
static const char *plain_decimal(fmlp_arena *arena, const char *text) {
  char digits[64], plain[96];
  int32_t count = 0, point = -1, exponent = 0;
  for (; *text && *text != 'e' && *text != 'E'; text++) {
    if (*text == '.') point = count;
    if (*text >= '0' && *text <= '9' && count < (int32_t)sizeof digits) digits[count++] = *text;
  }
  if (*text) exponent = (int32_t)strtol(text + 1, NULL, 10);
  if (point < 0) point = count;
  if (exponent < -40 || exponent > 40) return NULL;
  point += exponent;
  while (count > 0 && count > point && digits[count - 1] == '0') count--;
  int32_t first = 0;
  while (first < count && first < point - 1 && digits[first] == '0') first++;
  if (point > 40 || count - point > 40 || point < -40) return NULL;
  int32_t length = 0;
  if (point <= 0) plain[length++] = '0';
  for (int32_t i = first; i < point; i++) plain[length++] = i < count ? digits[i] : '0';
  if (count > point) {
    plain[length++] = '.';
    for (int32_t i = point; i < count; i++) plain[length++] = i < 0 ? '0' : digits[i];
  }
  return fmlp_arena_copy(arena, plain, (size_t)length);
}

static fmlp_status read_null(const reading *in) {
  const fmlp_schema_row *row = in->row;
  const char *nothing = NULL;
  int64_t zero = 0;
  if (row->type == FMLP_KEY_STRING) {
    store(in, row->offset, &nothing, sizeof nothing);
  } else if (row->type == FMLP_KEY_DOUBLE) {
    double value = row->flags & FMLP_KEY_NULL_OFF ? INFINITY : 0;
    store(in, row->offset, &value, sizeof value);
  } else {
    store(in, row->offset, &zero, row->type == FMLP_KEY_INT32 ? sizeof(int32_t) : sizeof zero);
  }
  return set_text(in, "null", false);
}

static fmlp_status read_bool(const reading *in) {
  bool value = false;
  if (!fmlp_parse_bool(in->node, &value)) return expected(in, "true or false");
  store(in, in->row->offset, &value, sizeof value);
  return set_text(in, value ? "true" : "false", false);
}

static fmlp_status read_int(const reading *in) {
  int64_t value = 0;
  if (!fmlp_parse_int(in->node, &value) || !in_range(in->row, (double)value))
    return out_of_range(in, "a whole number");
  if (in->row->type == FMLP_KEY_INT64) {
    store(in, in->row->offset, &value, sizeof value);
  } else {
    if (value < INT32_MIN || value > INT32_MAX) return out_of_range(in, "a smaller whole number");
    int32_t narrow = (int32_t)value;
    store(in, in->row->offset, &narrow, sizeof narrow);
  }
  return set_text(in, fmlp_arena_print(in->arena, "%lld", (long long)value), false);
}

static fmlp_status read_uint(const reading *in) {
  uint64_t value = 0;
  if (!fmlp_parse_uint(in->node, &value)) return expected(in, "a whole number in [0, 2^64)");
  store(in, in->row->offset, &value, sizeof value);
  return set_text(in, fmlp_arena_print(in->arena, "%llu", (unsigned long long)value), false);
}

static fmlp_status read_double(const reading *in) {
  double value = 0;
  if (!fmlp_parse_double(in->node, &value) || !in_range(in->row, value)) return out_of_range(in, "a number");
  value += 0.0; /* -0 is 0 */
  store(in, in->row->offset, &value, sizeof value);
  return set_text(in, shortest(in->arena, value), false);
}

static fmlp_status read_decimal(const reading *in) {
  double value = 0;
  const char *text = NULL;
  if (in->row->type == FMLP_KEY_AUTO_DECIMAL && in->node->kind == FMLP_NODE_SCALAR &&
      strcmp(in->node->text, "auto") == 0) {
    store(in, in->row->offset, &value, sizeof value);
    store(in, in->row->text_offset, &text, sizeof text);
    return FMLP_OK;
  }
  const char *kind = in->row->type == FMLP_KEY_AUTO_DECIMAL ? "auto or a number" : "a number";
  if (!fmlp_parse_double(in->node, &value) || !in_range(in->row, value)) return out_of_range(in, kind);
  text = plain_decimal(in->arena, in->node->text);
  if (!text) return expected(in, "a number of at most 40 digits");
  store(in, in->row->offset, &value, sizeof value);
  store(in, in->row->text_offset, &text, sizeof text);
  return set_text(in, text, false);
}

static fmlp_status read_digits(const reading *in) {
  int64_t value = -1;
  bool automatic = in->node->kind == FMLP_NODE_SCALAR && strcmp(in->node->text, "auto") == 0;
  if (!automatic && (!fmlp_parse_int(in->node, &value) || !in_range(in->row, (double)value))) {
    return out_of_range(in, "auto or a whole number");
  }
  int32_t narrow = (int32_t)value;
  store(in, in->row->offset, &narrow, sizeof narrow);
  return automatic ? FMLP_OK : set_text(in, fmlp_arena_print(in->arena, "%d", (int)narrow), false);
}

static fmlp_status read_string(const reading *in) {
  if (in->node->kind != FMLP_NODE_SCALAR || fmlp_node_is_null(in->node)) return expected(in, "a text");
  store(in, in->row->offset, &in->node->text, sizeof in->node->text);
  in->node->quoted = true;
  return FMLP_OK;
}

static fmlp_status read_name(const reading *in) {
  char all[256] = "";
  size_t length = 0;
  int32_t count = 0;
  const char *const *names = in->row->names;
  for (; names[count]; count++) {
    if (in->node->kind == FMLP_NODE_SCALAR && strcmp(names[count], in->node->text) == 0) {
      bool first = count == 0;
      if (in->row->type == FMLP_KEY_EITHER) {
        store(in, in->row->offset, &first, sizeof first);
      } else {
        store(in, in->row->offset, &count, sizeof count);
      }
      in->node->quoted = false;
      return FMLP_OK;
    }
    int written = snprintf(all + length, sizeof all - length, "%s%s", count ? ", " : "", names[count]);
    if (written > 0 && (size_t)written < sizeof all - length) length += (size_t)written;
  }
  const char *near = in->node->kind == FMLP_NODE_SCALAR ? fmlp_nearest(in->node->text, count, names) : NULL;
  char what[384];
  (void)snprintf(what, sizeof what, "%sone of %s", near ? near : "", near ? "" : all);
  if (near) (void)snprintf(what, sizeof what, "one of %s (did you mean '%s'?)", all, near);
  return expected(in, what);
}

static fmlp_status read_time(const reading *in) {
  const char *text = in->node->text;
  int32_t minutes = -1;
  size_t hour_digits = strspn(text, "0123456789");
  if (in->node->kind == FMLP_NODE_SCALAR && (hour_digits == 1 || hour_digits == 2) &&
      text[hour_digits] == ':' && strspn(text + hour_digits + 1, "0123456789") == 2 &&
      strlen(text) == hour_digits + 3 && text[hour_digits + 1] < '6') {
    minutes = (int32_t)(strtol(text, NULL, 10) * 60 + strtol(text + hour_digits + 1, NULL, 10));
  }
  if (minutes < 0 || (double)minutes > in->row->max) {
    return expected(in,
                    in->row->max < 1440 ? "a time \"HH:MM\" up to 23:59" : "a time \"HH:MM\" up to 24:00");
  }
  store(in, in->row->offset, &minutes, sizeof minutes);
  return set_text(in, fmlp_arena_print(in->arena, "%02d:%02d", (int)(minutes / 60), (int)(minutes % 60)),
                  true);
}

static fmlp_status read_max_features(const reading *in) {
  static const char *const words[] = {"sqrt", "log2", "all"};
  static const double meaning[] = {0, -1, 1};
  const fmlp_node *node = in->node;
  double value = 0;
  for (int i = 0; node->kind == FMLP_NODE_SCALAR && i < 3; i++) {
    if (strcmp(node->text, words[i]) != 0) continue;
    store(in, in->row->offset, &meaning[i], sizeof meaning[i]);
    return FMLP_OK;
  }
  bool good =
      fmlp_parse_double(node, &value) && value > 0 && (value <= 1 || floor(value) == value) && value < 1e6;
  if (!good) return expected(in, "sqrt, log2, all, a fraction in (0, 1] or a count above 1");
  store(in, in->row->offset, &value, sizeof value);
  return set_text(in, shortest(in->arena, value), false);
}

static fmlp_status read_strings(const reading *in) {
  if (in->node->kind != FMLP_NODE_LIST) return expected(in, "a list of texts");
  int32_t count = 0;
  for (const fmlp_node *child = in->node->first; child; child = child->next) count++;
  const char **texts = fmlp_arena_take(in->arena, sizeof *texts * (size_t)(count + 1));
  if (!texts) return FMLP_ERR_OTHER;
  int32_t i = 0;
  for (fmlp_node *child = in->node->first; child; child = child->next) {
    if (child->kind != FMLP_NODE_SCALAR) return expected(in, "a list of texts");
    child->quoted = true;
    texts[i++] = child->text;
  }
  store(in, in->row->offset, &texts, sizeof texts);
  store(in, in->row->text_offset, &count, sizeof count);
  return FMLP_OK;
}

static fmlp_status read_row(const reading *in, bool allow_missing) {
  const fmlp_schema_row *row = in->row;
  if (fmlp_node_is_missing(in->node)) {
    if (allow_missing) return FMLP_OK;
    return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s is mandatory and has no value: give %s=...", row->path,
                     row->path);
  }
  if (fmlp_node_is_null(in->node) && row->flags & (FMLP_KEY_NULL | FMLP_KEY_NULL_OFF)) return read_null(in);
  if (row->flags & FMLP_KEY_LATER) {
    return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s: %s: not available in this version; leave it null",
                     origin_of(in->node), row->path);
  }
  switch (row->type) {
  case FMLP_KEY_BOOL:
    return read_bool(in);
  case FMLP_KEY_INT32:
  case FMLP_KEY_INT64:
    return read_int(in);
  case FMLP_KEY_UINT64:
    return read_uint(in);
  case FMLP_KEY_DOUBLE:
    return read_double(in);
  case FMLP_KEY_STRING:
    return read_string(in);
  case FMLP_KEY_ENUM:
  case FMLP_KEY_EITHER:
    return read_name(in);
  case FMLP_KEY_TIME:
    return read_time(in);
  case FMLP_KEY_DECIMAL:
  case FMLP_KEY_AUTO_DECIMAL:
    return read_decimal(in);
  case FMLP_KEY_AUTO_DIGITS:
    return read_digits(in);
  case FMLP_KEY_MAX_FEATURES:
    return read_max_features(in);
  case FMLP_KEY_STRINGS:
    return read_strings(in);
  case FMLP_KEY_PLAN:
  case FMLP_KEY_FREE:
    return FMLP_OK;
  }
  return FMLP_OK;
}

fmlp_status fmlp_schema_read(fmlp_arena *arena, fmlp_node *root, bool allow_missing, fmlp_settings *settings,
                             fmlp_error *error) {
  memset(settings, 0, sizeof *settings);
  FMLP_TRY(fmlp_schema_check_names(arena, root, error));
  for (int32_t i = 0; i < fmlp_schema_count; i++) {
    reading in = {arena, (char *)settings, &fmlp_schema[i], fmlp_node_find(root, fmlp_schema[i].path), error};
    if (!in.node) {
      return fmlp_fail(error, FMLP_ERR_USAGE, "%s: the mapping above it was replaced", in.row->path);
    }
    FMLP_TRY(read_row(&in, allow_missing));
    if (in.row->type == FMLP_KEY_PLAN) {
      FMLP_TRY(fmlp_schema_read_plan(arena, in.node, &settings->features, error));
    }
  }
  return fmlp_schema_check_rules(root, settings, error);
}
