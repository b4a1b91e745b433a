/* Writes the pages that tests and benchmarks open in a browser:
 *
 *   profile_pages FOLDER     fixture.html few.html empty.html hostile.html large.html
 *
 * "large" has 100,000 call paths, deep and wide, 2^18 spans on the timeline and as many device operations. */
#define _GNU_SOURCE
#include "tests/unit/profile_fixture.h"

#include <stdio.h>

#include "prof/store/profile.h"
#include "prof/views/export_html.h"

enum {
  LARGE_NODES = 100000,
  LARGE_EVENTS = 1 << 18,
  LARGE_SITES = 4000,
  LARGE_THREADS = 8,
  LARGE_DEEP = 400
};

static void set_facts(fmlp_profile *profile, const char *name) {
  assert_true(fmlp_profile_set(profile, FMLP_FACT_NAME, name));
  assert_true(fmlp_profile_set(profile, FMLP_FACT_CREATED, "2026-01-31T12:00:00Z"));
  assert_true(fmlp_profile_set(profile, FMLP_FACT_MACHINE, "a test machine, 2 threads"));
  assert_true(fmlp_profile_set(profile, FMLP_FACT_DEVICE, "Test GPU"));
}

/* Takes the captures over; `repeat` may be NULL. */
static void write_page(const char *folder, const char *file, const char *name, int64_t max_events,
                       fmlp_capture *capture, fmlp_capture *repeat) {
  char path[4096];
  const fmlp_html_options options = {.max_events = max_events, .sources = true};
  fmlp_profile *profile = fmlp_profile_create();
  assert_non_null(profile);
  set_facts(profile, name);
  assert_true(fmlp_profile_add(profile, capture));
  if (repeat) assert_true(fmlp_profile_add(profile, repeat));
  (void)snprintf(path, sizeof path, "%s/%s", folder, file);
  FILE *out = fopen(path, "w");
  assert_non_null(out);
  assert_true(fmlp_export_html(profile, &options, out));
  assert_int_equal(fclose(out), 0);
  fmlp_profile_free(profile);
}

static fmlp_capture *empty(void) {
  fmlp_capture *capture = calloc(1, sizeof *capture);
  assert_non_null(capture);
  return capture;
}

/* The fixture with names that want out of the page. */
static fmlp_capture *hostile(void) {
  fmlp_capture *capture = profile_fixture();
  static const fmlp_capture_site sites[] = {
      {"</script><script>window.hacked=1</script>", "a</script>.c", "f<!--", 1},
      {"<!-- <script>", "<img src=x onerror=window.hacked=2>", "--><b>", 2},
      {"quote\" ' ` ${window.hacked=3} \\", "C:\\path\\\"x\"", "\\u003c/script>", 3},
      {"line\xe2\x80\xa8paragraph\xe2\x80\xa9nul\x01 \x7f", "tab\there\nnew line", "&lt;&amp;", 4},
      {"not utf-8: \xff\xfe\xc0\xaf\xed\xa0\x80 \xe2\x80", "\x80.c", "__proto__", 5}};
  memcpy(capture->sites, sites, sizeof sites);
  free(capture->names[3]); /* as the fixture takes it from the heap */
  capture->names[3] = strdup("]]></script><svg onload=window.hacked=4>\xff");
  (void)snprintf(capture->sample_reason, sizeof capture->sample_reason, "<b>\xf0\x9f</script>");
  return capture;
}

/* ---- large ---- */

static void large_sites(fmlp_capture *capture) {
  capture->site_count = LARGE_SITES;
  capture->sites = calloc(LARGE_SITES, sizeof *capture->sites);
  capture->strings = calloc(LARGE_SITES, 32);
  for (int32_t s = 0; s < LARGE_SITES; s++) {
    char *name = capture->strings + (size_t)32 * s;
    (void)snprintf(name, 32, "stage_%d.part_%d", (int)(s / 10), (int)(s % 10));
    capture->sites[s] = (fmlp_capture_site){name, "common/stages/large.c", "part", s + 1};
  }
}

/* By thread: a chain of LARGE_DEEP, the rest below its first hundred, each node's time 1 to 1,000 us. */
static void large_nodes(fmlp_capture *capture) {
  const int32_t each = LARGE_NODES / LARGE_THREADS;
  uint64_t random = 12345;
  capture->node_count = LARGE_NODES;
  capture->nodes = calloc(LARGE_NODES, sizeof *capture->nodes);
  for (int32_t i = 0; i < LARGE_NODES; i++) {
    fmlp_capture_node *node = &capture->nodes[i];
    const int32_t thread = i / each, first = thread * each, place = i - first;
    random = random * 6364136223846793005u + 1442695040888963407u;
    node->thread = thread;
    node->parent = place == 0 ? -1 : place < LARGE_DEEP ? i - 1 : first + (int32_t)((random >> 33) % 100);
    node->site = (place + 499 * thread) % LARGE_SITES; /* no path on two threads */
    node->calls = 1 + (int64_t)((random >> 40) % 5);
    node->self = 1000 * (1 + (int64_t)((random >> 20) % 1000) / (1 + place % 97));
    node->allocations = place % 3;
    node->allocated_bytes = 64 * (place % 3);
  }
  for (int32_t i = LARGE_NODES - 1; i >= 0; i--) {
    capture->nodes[i].total += capture->nodes[i].self;
    if (capture->nodes[i].parent >= 0)
      capture->nodes[capture->nodes[i].parent].total += capture->nodes[i].total;
    capture->spans += capture->nodes[i].calls;
  }
}

static void large_timeline(fmlp_capture *capture) {
  const int64_t each = LARGE_EVENTS / LARGE_THREADS, wall = capture->stop - capture->start;
  const int32_t nodes = LARGE_NODES / LARGE_THREADS;
  capture->event_count = LARGE_EVENTS;
  capture->events = calloc(LARGE_EVENTS, sizeof *capture->events);
  for (int64_t i = 0; i < LARGE_EVENTS; i++) { /* the chain's top around spans below it, side by side */
    const int64_t place = i % each, step = wall / each;
    const int32_t first = (int32_t)(i / each) * nodes, node = first + (place < 100 ? (int32_t)place : 100);
    const int64_t start = place < 100 ? place : place * step;
    capture->events[i] = (fmlp_capture_event){node, place < 100 ? (int32_t)place : 100, start,
                                              place < 100 ? wall - place : start + step - 1 - place % 7};
  }
  const int32_t kernel = fmlp_capture_name(capture, "kernel<float>"),
                launch = fmlp_capture_name(capture, "launch");
  capture->device_count = 1;
  capture->devices = calloc(1, sizeof *capture->devices);
  capture->devices[0] =
      (fmlp_capture_device){0, fmlp_capture_name(capture, "Test GPU"), (int64_t)1 << 36, 100, 0};
  capture->operation_count = capture->call_count = LARGE_EVENTS;
  capture->operations = calloc(LARGE_EVENTS, sizeof *capture->operations);
  capture->calls = calloc(LARGE_EVENTS, sizeof *capture->calls);
  for (int64_t i = 0; i < LARGE_EVENTS; i++) {
    const int64_t start = i * (wall / LARGE_EVENTS);
    capture->calls[i] = (fmlp_capture_call){100, 0, launch, FMLP_CALL_RUNTIME, start, start + 500};
    capture->operations[i] = (fmlp_capture_operation){.node = 100,
                                                      .name = kernel,
                                                      .call = i,
                                                      .stream = (int32_t)(i % 4),
                                                      .start = start + 2000,
                                                      .end = start + 2000 + 3 * (wall / LARGE_EVENTS)};
  }
}

static fmlp_capture *large(void) {
  fmlp_capture *capture = empty();
  capture->level = FMLP_CAPTURE_FULL;
  capture->start = 1000;
  capture->stop = 1000 + (int64_t)20000 * LARGE_EVENTS;
  capture->thread_count = LARGE_THREADS;
  capture->threads = calloc(LARGE_THREADS, sizeof *capture->threads);
  for (int32_t t = 0; t < LARGE_THREADS; t++) capture->threads[t] = (fmlp_capture_thread){1000 + t, t == 0};
  capture->pair_picoseconds = 20000;
  large_sites(capture);
  large_nodes(capture);
  large_timeline(capture);
  return capture;
}

int main(int count, char **arguments) {
  if (count != 2) {
    (void)fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
    return 2;
  }
  write_page(arguments[1], "fixture.html", "the fixture", 0, profile_fixture(), profile_fixture());
  write_page(arguments[1], "few.html", "three spans of 14", 3, profile_fixture(), NULL);
  write_page(arguments[1], "empty.html", "", 0, empty(), NULL);
  write_page(arguments[1], "hostile.html", "</title><script>window.hacked=5</script>\xff", 0, hostile(),
             NULL);
  write_page(arguments[1], "large.html", "100,000 call paths", 0, large(), NULL);
  return 0;
}
