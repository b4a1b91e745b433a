/* The profile file, read: nothing in it is believed. */
#include "prof/store/profile_json_read.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prof/store/profile_check.h"
#include "prof/store/whole_file.h"

enum { VERSION = 1 };

/* Where a mistake is described. */
typedef struct complaint {
  const char *path;
  char *message;
  int64_t capacity;
} complaint;

static bool complain(const complaint *to, const char *what) {
  (void)snprintf(to->message, (size_t)to->capacity, "%s: %s", to->path, what);
  return false;
}

static bool read_integer(const json_t *value, int64_t least, int64_t most, int64_t *out) {
  if (!json_is_integer(value)) return false;
  *out = json_integer_value(value);
  return *out >= least && *out <= most;
}

/* A row of integers, each within its own limits. */
static bool read_row(const json_t *row, int32_t count, const int64_t *least, const int64_t *most,
                     int64_t *values) {
  if (json_array_size(row) != (size_t)count) return false;
  for (int32_t i = 0; i < count; i++)
    if (!read_integer(json_array_get(row, (size_t)i), least[i], most[i], &values[i])) return false;
  return true;
}

static bool read_counts(const json_t *root, fmlp_capture *capture) {
  const struct {
    const char *key;
    int64_t *value;
  } fields[] = {
      {"start_ns", &capture->start},
      {"stop_ns", &capture->stop},
      {"spans", &capture->spans},
      {"dropped_spans", &capture->dropped_spans},
      {"dropped_events", &capture->dropped_events},
      {"open_spans", &capture->open_spans},
      {"abandoned_spans", &capture->abandoned_spans},
      {"pair_picoseconds", &capture->pair_picoseconds},
  };
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
    if (!read_integer(json_object_get(root, fields[i].key), 0, INT64_MAX, fields[i].value)) return false;
  return capture->stop >= capture->start;
}

static const char *const SITE_TEXTS[3] = {"name", "file", "function"};

static bool read_sites(const json_t *sites, fmlp_capture *capture) {
  size_t count = json_array_size(sites), bytes = 1;
  if (!json_is_array(sites) || count > INT32_MAX / 2) return false;
  for (size_t i = 0; i < count; i++)
    for (int t = 0; t < 3; t++) {
      const json_t *text = json_object_get(json_array_get(sites, i), SITE_TEXTS[t]);
      if (!json_is_string(text)) return false;
      bytes += json_string_length(text) + 1;
    }
  capture->sites = calloc(count + 1, sizeof *capture->sites);
  capture->strings = malloc(bytes);
  if (!capture->sites || !capture->strings) return false;
  char *at = capture->strings;
  for (size_t i = 0; i < count; i++) {
    const json_t *site = json_array_get(sites, i);
    const char *copies[3];
    for (int t = 0; t < 3; t++) {
      const char *text = json_string_value(json_object_get(site, SITE_TEXTS[t]));
      size_t length = strlen(text) + 1;
      memcpy(at, text, length);
      copies[t] = at;
      at += length;
    }
    int64_t line = 0;
    if (!read_integer(json_object_get(site, "line"), 0, INT_MAX, &line)) return false;
    capture->sites[i] = (fmlp_capture_site){copies[0], copies[1], copies[2], (int)line};
  }
  capture->site_count = (int32_t)count;
  return true;
}

static bool read_threads(const json_t *threads, fmlp_capture *capture) {
  size_t count = json_array_size(threads);
  if (!json_is_array(threads) || count > INT32_MAX / 2) return false;
  capture->threads = calloc(count + 1, sizeof *capture->threads);
  if (!capture->threads) return false;
  for (size_t i = 0; i < count; i++) {
    const json_t *thread = json_array_get(threads, i);
    const json_t *main = json_object_get(thread, "main");
    if (!json_is_boolean(main)) return false;
    if (!read_integer(json_object_get(thread, "id"), 0, INT64_MAX, &capture->threads[i].id)) return false;
    capture->threads[i].main = json_is_true(main);
  }
  capture->thread_count = (int32_t)count;
  return true;
}

/* Sums stay far from overflow: no profile lasts 30 years. */
static const int64_t MOST_TIME = (int64_t)1000000000 * 86400 * 366 * 30;
static const int64_t MOST_CALLS = (int64_t)1 << 53;

static bool read_paths(const json_t *paths, fmlp_capture *capture) {
  size_t count = json_array_size(paths);
  if (!json_is_array(paths) || count > INT32_MAX / 2) return false;
  capture->nodes = calloc(count + 1, sizeof *capture->nodes);
  if (!capture->nodes) return false;
  for (size_t i = 0; i < count; i++) {
    const int64_t least[6] = {0, -1, 0, 1, 0, 0};
    const int64_t most[6] = {
        capture->thread_count - 1, (int64_t)i - 1, capture->site_count - 1, MOST_CALLS, MOST_TIME, MOST_TIME};
    int64_t v[6];
    if (!read_row(json_array_get(paths, i), 6, least, most, v)) return false;
    if (v[1] >= 0 && capture->nodes[v[1]].thread != v[0]) return false;
    capture->nodes[i] = (fmlp_capture_node){.thread = (int32_t)v[0],
                                            .parent = (int32_t)v[1],
                                            .site = (int32_t)v[2],
                                            .calls = v[3],
                                            .self = v[4],
                                            .total = v[5]};
  }
  capture->node_count = (int32_t)count;
  return true;
}

/* Every total is its own time and its children's. */
static bool totals_agree(const fmlp_capture *capture) {
  int64_t *sum = calloc((size_t)capture->node_count + 1, sizeof *sum);
  if (!sum) return false;
  bool agree = true;
  for (int32_t i = capture->node_count - 1; i >= 0 && agree; i--) {
    const fmlp_capture_node *node = &capture->nodes[i];
    agree = node->total - node->self == sum[i];
    if (node->parent >= 0) {
      sum[node->parent] += node->total;
      agree = agree && sum[node->parent] <= MOST_TIME;
    }
  }
  free(sum);
  return agree;
}

static bool read_events(const json_t *events, fmlp_capture *capture) {
  size_t count = json_array_size(events);
  if (!json_is_array(events) || count > INT32_MAX) return false;
  capture->events = calloc(count + 1, sizeof *capture->events);
  if (!capture->events) return false;
  for (size_t i = 0; i < count; i++) {
    const int64_t least[4] = {0, 0, -MOST_TIME, -MOST_TIME};
    const int64_t most[4] = {capture->node_count - 1, FMLP_CAPTURE_DEPTH, MOST_TIME, MOST_TIME};
    int64_t v[4];
    if (!read_row(json_array_get(events, i), 4, least, most, v) || v[3] < v[2]) return false;
    capture->events[i] = (fmlp_capture_event){(int32_t)v[0], (int32_t)v[1], v[2], v[3]};
  }
  capture->event_count = (int64_t)count;
  return true;
}

static bool read_capture(const json_t *root, fmlp_capture *capture, const complaint *to) {
  const char *schema = json_string_value(json_object_get(root, "schema"));
  int64_t version = 0;
  if (schema && strcmp(schema, "fmlp-profile-table") == 0)
    return complain(to, "a table made of a profile; read the profile itself: profile.fmlprof beside it");
  if (!schema || strcmp(schema, "fmlp-profile") != 0) return complain(to, "not a profile of fmlp");
  if (!read_integer(json_object_get(root, "version"), 1, INT_MAX, &version))
    return complain(to, "the profile has no version");
  if (version > VERSION)
    return complain(to, "the profile was written by a newer fmlp; read it with that one");
  if (!read_counts(root, capture)) return complain(to, "damaged profile: counts");
  if (!read_sites(json_object_get(root, "sites"), capture)) return complain(to, "damaged profile: sites");
  if (!read_threads(json_object_get(root, "threads"), capture))
    return complain(to, "damaged profile: threads");
  if (!read_paths(json_object_get(root, "paths"), capture) || !totals_agree(capture))
    return complain(to, "damaged profile: paths");
  if (!read_events(json_object_get(root, "events"), capture)) return complain(to, "damaged profile: events");
  if (fmlp_profile_check(capture)) return complain(to, "damaged profile: contradicts itself");
  return true;
}

fmlp_capture *fmlp_profile_json_parse(const uint8_t *bytes, size_t size, const char *name, char *message,
                                      int64_t capacity) {
  const complaint to = {name, message, capacity};
  json_error_t error;
  json_t *root = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, &error);
  if (!root) {
    for (char *c = error.text; *c; c++) /* it quotes the file */
      if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = ' ';
    (void)snprintf(message, (size_t)capacity, "%s: line %d: %s", name, error.line, error.text);
    return NULL;
  }
  fmlp_capture *capture = calloc(1, sizeof *capture);
  bool read = capture ? read_capture(root, capture, &to) : complain(&to, "out of memory");
  json_decref(root);
  if (read) return capture;
  fmlp_capture_free(capture);
  return NULL;
}

fmlp_capture *fmlp_profile_json_read(const char *path, char *message, int64_t capacity) {
  size_t size = 0;
  uint8_t *bytes = fmlp_whole_file_read(path, &size, message, capacity);
  fmlp_capture *capture = bytes ? fmlp_profile_json_parse(bytes, size, path, message, capacity) : NULL;
  free(bytes);
  return capture;
}
