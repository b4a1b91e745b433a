/* prof/listener: who is told of spans, however they end; and the bytes that spans tell. */
#include "tests/cmocka_fmlp.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "prof/capture.h"
#include "prof/listener.h"
#include "prof/span.h"

enum { OPEN_CAPACITY = 4096 };

/* Checks nesting as it is told: every end is of the span that began last. */
static _Thread_local struct {
  int begins, ends, wrong, depth;
  int64_t bytes_begin, bytes_end;
  uint64_t last_place;
  const fmlp_span_site *open[OPEN_CAPACITY];
} heard;
static int ends_anywhere;

static void hear_begin(const fmlp_span_site *site, int64_t bytes, uint64_t place) {
  heard.begins++;
  heard.bytes_begin += bytes;
  heard.last_place = place;
  if (heard.depth < OPEN_CAPACITY) heard.open[heard.depth] = site;
  heard.depth++;
}

static void hear_end(const fmlp_span_site *site, int64_t bytes, uint64_t place) {
  (void)place;
  heard.ends++;
  heard.bytes_end += bytes;
  heard.depth--;
  if (heard.depth < 0 || (heard.depth < OPEN_CAPACITY && heard.open[heard.depth] != site)) heard.wrong++;
  (void)__atomic_fetch_add(&ends_anywhere, 1, __ATOMIC_RELAXED);
}

static const fmlp_span_listener LISTENER = {hear_begin, hear_end};
static const fmlp_span_site SITE = {"site", "here.c", 1, "f"}, INNER = {"inner", "here.c", 2, "f"};

static int listen_again(void **state) {
  (void)state;
  memset(&heard, 0, sizeof heard);
  ends_anywhere = 0;
  fmlp_span_listen(&LISTENER);
  return 0;
}

static int listen_no_more(void **state) {
  (void)state;
  fmlp_span_unlisten(&LISTENER);
  return 0;
}

static void assert_heard(int begins, int ends) {
  assert_int_equal(heard.begins, begins);
  assert_int_equal(heard.ends, ends);
  assert_int_equal(heard.wrong, 0);
}

static void spans_are_told_without_a_capture(void **state) {
  (void)state;
  fmlp_span_listen(&LISTENER); /* once, however often */
  {
    FMLP_SPAN("outer");
    FMLP_SPAN_BYTES("inner", 100);
    assert_int_equal(heard.last_place, 0);
    fmlp_span_add_bytes(11);
    assert_heard(2, 0);
  }
  assert_heard(2, 2);
  assert_int_equal(heard.bytes_begin, 100);
  assert_int_equal(heard.bytes_end, 111);
  assert_int_equal(fmlp_span_place(), 0);
  assert_null(fmlp_capture_stop());
  fmlp_span_unlisten(&LISTENER);
  { FMLP_SPAN("unheard"); }
  assert_heard(2, 2);
}

static void spans_are_told_with_their_place_and_the_capture_is_as_without(void **state) {
  (void)state;
  assert_true(fmlp_capture_start(NULL));
  {
    FMLP_SPAN("outer");
    assert_int_equal(heard.last_place, fmlp_span_place());
    const uint64_t outer = fmlp_span_place();
    for (int i = 0; i < 3; i++) {
      FMLP_SPAN("inner");
      assert_int_equal(heard.last_place, fmlp_span_place());
      assert_int_not_equal(heard.last_place, outer);
    }
    assert_int_equal(fmlp_span_place(), outer);
  }
  fmlp_capture *capture = fmlp_capture_stop(); /* measures what a pair costs: told to nobody */
  assert_non_null(capture);
  assert_heard(4, 4);
  assert_int_equal(capture->spans, 4);
  assert_int_equal(capture->node_count, 2);
  assert_int_equal(capture->nodes[1].calls, 3);
  assert_int_equal(capture->abandoned_spans, 0);
  fmlp_capture_free(capture);
  { FMLP_SPAN("after"); }
  assert_heard(5, 5);
}

static void abandoned_spans_end_with_the_one_around_them(void **state) {
  (void)state;
  for (int recorded = 0; recorded < 2; recorded++) {
    (void)listen_again(NULL);
    if (recorded) assert_true(fmlp_capture_start(NULL));
    {
      FMLP_SPAN("outer");
      (void)fmlp_span_begin(&SITE);
      (void)fmlp_span_begin(&INNER);
    }
    assert_heard(3, 3);
    fmlp_capture *capture = fmlp_capture_stop();
    if (recorded) assert_int_equal(capture->abandoned_spans, 2);
    fmlp_capture_free(capture);
  }
}

static void descend(int depth) {
  FMLP_SPAN("descend");
  if (depth > 1) descend(depth - 1);
}

static void dropped_spans_are_told_as_far_as_there_is_room(void **state) {
  (void)state;
  static fmlp_span_site sites[FMLP_CAPTURE_PATHS + 50];
  assert_true(fmlp_capture_start(NULL));
  descend(FMLP_LISTENER_DEPTH + 100);
  assert_heard(FMLP_LISTENER_DEPTH, FMLP_LISTENER_DEPTH);
  for (int i = 0; i < FMLP_CAPTURE_PATHS + 50; i++) {
    sites[i] = (fmlp_span_site){"many", "here.c", i, "f"};
    FMLP_SPAN("around");
    fmlp_span_end(fmlp_span_begin(&sites[i]));
  }
  assert_int_equal(heard.begins, FMLP_LISTENER_DEPTH + 2 * (FMLP_CAPTURE_PATHS + 50));
  assert_heard(heard.begins, heard.begins);
  fmlp_capture *capture = fmlp_capture_stop();
  assert_non_null(capture);
  assert_true(capture->dropped_spans > 100);
  assert_int_equal(capture->open_spans, 0);
  assert_int_equal(capture->abandoned_spans, 0);
  fmlp_capture_free(capture);
}

static void *end_inside_spans(void *unused) {
  (void)unused;
  (void)fmlp_span_begin(&SITE);
  (void)fmlp_span_begin(&INNER);
  return NULL;
}

static void a_thread_that_ends_inside_spans_ends_them(void **state) {
  (void)state;
  for (int recorded = 0; recorded < 2; recorded++) {
    ends_anywhere = 0;
    if (recorded) assert_true(fmlp_capture_start(NULL));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, end_inside_spans, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(ends_anywhere, 2);
    fmlp_capture_free(fmlp_capture_stop());
  }
}

static void a_listener_removed_inside_spans_is_told_their_ends_and_no_more(void **state) {
  (void)state;
  assert_true(fmlp_capture_start(NULL));
  uint64_t outer = fmlp_span_begin(&SITE), inner = fmlp_span_begin(&INNER);
  fmlp_span_unlisten(&LISTENER); /* as a source's stop does */
  assert_heard(2, 2);
  fmlp_capture *capture = fmlp_capture_stop();
  assert_int_equal(capture->open_spans, 2);
  fmlp_capture_free(capture);
  fmlp_span_listen(&LISTENER);
  assert_true(fmlp_capture_start(NULL));
  uint64_t again = fmlp_span_begin(&SITE);
  fmlp_span_end(
      inner); /* of the capture before: closes the told spans from its own on, none it did not open */
  fmlp_span_end(again);
  fmlp_span_end(outer);
  assert_int_equal(heard.begins, heard.ends);
  assert_int_equal(heard.wrong, 0);
  capture = fmlp_capture_stop();
  assert_int_equal(capture->spans, 1);
  assert_int_equal(capture->open_spans, 0);
  fmlp_capture_free(capture);
}

static void a_listener_added_inside_a_span_is_told_of_the_next(void **state) {
  (void)state;
  fmlp_span_unlisten(&LISTENER);
  assert_true(fmlp_capture_start(NULL));
  {
    FMLP_SPAN("unheard");
    fmlp_span_listen(&LISTENER);
    FMLP_SPAN("heard");
    assert_heard(1, 0);
  }
  assert_heard(1, 1);
  fmlp_capture_free(fmlp_capture_stop());
}

static void bytes_belong_to_their_own_path(void **state) {
  (void)state;
  assert_true(fmlp_capture_start(NULL));
  fmlp_span_add_bytes(5); /* outside any */
  for (int i = 0; i < 2; i++) {
    FMLP_SPAN_BYTES("outer", 1000);
    {
      FMLP_SPAN("inner");
      fmlp_span_add_bytes(7);
      fmlp_span_add_bytes(1);
    }
    fmlp_span_add_bytes(30);
  }
  fmlp_capture *capture = fmlp_capture_stop();
  assert_int_equal(capture->node_count, 2);
  assert_int_equal(capture->nodes[0].bytes, 2060);
  assert_int_equal(capture->nodes[1].bytes, 16);
  fmlp_capture_free(capture);
  assert_true(fmlp_capture_start(NULL)); /* a record used again starts from nothing */
  { FMLP_SPAN("outer"); }
  capture = fmlp_capture_stop();
  assert_int_equal(capture->nodes[0].bytes, 0);
  fmlp_capture_free(capture);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, listen_again, listen_no_more)
  const struct CMUnitTest tests[] = {
      TEST(spans_are_told_without_a_capture),
      TEST(spans_are_told_with_their_place_and_the_capture_is_as_without),
      TEST(abandoned_spans_end_with_the_one_around_them),
      TEST(dropped_spans_are_told_as_far_as_there_is_room),
      TEST(a_thread_that_ends_inside_spans_ends_them),
      TEST(a_listener_removed_inside_spans_is_told_their_ends_and_no_more),
      TEST(a_listener_added_inside_a_span_is_told_of_the_next),
      TEST(bytes_belong_to_their_own_path),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
