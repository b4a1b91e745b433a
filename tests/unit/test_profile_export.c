/* Exports of a profile: exact bytes where they are few, strict readers of the formats else. */
#define _GNU_SOURCE
#include "tests/unit/profile_fixture.h"

#include <stdio.h>

#include "prof/export.h"

typedef bool (*export_function)(const fmlp_capture *capture, FILE *out);

/* What `export` writes of `capture`, the caller's. */
static char *text_of(export_function export, const fmlp_capture *capture) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  assert_non_null(out);
  assert_true(export(capture, out));
  assert_int_equal(fclose(out), 0);
  return text;
}

static void expect_text(export_function export, const char *expected) {
  fmlp_capture *capture = profile_fixture();
  char *text = text_of(export, capture);
  assert_string_equal(text, expected);
  free(text);
  fmlp_capture_free(capture);
}

static void the_fixture_agrees_with_itself(void **state) {
  (void)state;
  fmlp_capture *capture = profile_fixture();
  int64_t self = 0, operations = 0, unknown = 0, total[7] = {0}, calls[7] = {0};
  for (int64_t i = 0; i < capture->event_count; i++) {
    total[capture->events[i].node] += capture->events[i].end - capture->events[i].start;
    calls[capture->events[i].node]++;
  }
  for (int32_t i = 0; i < capture->node_count; i++) {
    int64_t inner = 0;
    for (int32_t j = i + 1; j < capture->node_count; j++)
      if (capture->nodes[j].parent == i) inner += capture->nodes[j].total;
    assert_int_equal(capture->nodes[i].total, capture->nodes[i].self + inner);
    assert_int_equal(capture->nodes[i].total, total[i]);
    assert_int_equal(capture->nodes[i].calls, calls[i]);
    self += capture->nodes[i].self;
  }
  for (int64_t i = 0; i < capture->operation_count; i++) {
    operations += capture->operations[i].end - capture->operations[i].start;
    unknown += capture->operations[i].node < 0;
  }
  assert_int_equal(self, PROFILE_FIXTURE_TOTAL);
  assert_int_equal(operations, PROFILE_FIXTURE_DEVICE);
  assert_int_equal(unknown, capture->unattributed_operations);
  fmlp_capture_free(capture);
}

static void collapsed_has_a_line_a_path(void **state) {
  (void)state;
  expect_text(fmlp_export_collapsed, "run 31000\n"
                                     "run;labels 12000\n"
                                     "run;labels;labels.search 26000\n"
                                     "run;walk \"a:b\" <\\> 20999\n"
                                     "run;walk \"a:b\" <\\>;walk \"a:b\" <\\> 9001\n"
                                     "worker 36000\n"
                                     "worker;walk \"a:b\" <\\> 14000\n");
}

static void csv_has_a_row_a_path_and_one_for_the_rest(void **state) {
  (void)state;
  expect_text(
      fmlp_export_csv,
      "path,parent,thread,name,file,line,function,ncalls,tottime_ns,cumtime_ns,allocations,"
      "allocated_bytes,gpu_operations,gpu_kernels,gpu_sum_ns,gpu_busy_ns,gpu_span_ns,"
      "gpu_launch_delay_ns,gpu_wait_ns,gpu_upload_bytes,gpu_download_bytes\n"
      "0,-1,100,\"run\",\"common/pipeline.c\",40,\"fmlp_run\",1,31000,99000,1,1024,0,0,0,0,0,0,0,0,0\n"
      "1,0,100,\"labels\",\"common/stages/labels.c\",90,\"fmlp_label\",2,12000,38000,2,8192,"
      "2,0,3000,3000,8000,2800,2500,4096,1024\n"
      "2,1,100,\"labels.search\",\"cpu/triple_barrier.c\",9,\"search\",4,26000,26000,0,0,"
      "2,2,8000,5000,5000,4300,0,0,0\n"
      "3,0,100,\"walk \"\"a;b\"\" <\\>\",\"common/stages/walk.c\",10,\"walk\",1,20999,30000,0,0,"
      "0,0,0,0,0,0,0,0,0\n"
      "4,3,100,\"walk \"\"a;b\"\" <\\>\",\"common/stages/walk.c\",10,\"walk\",2,9001,9001,3,48,"
      "1,0,500,500,500,0,0,0,0\n"
      "5,-1,101,\"worker\",\"cpu/pool.c\",7,\"work\",2,36000,50000,0,0,0,0,0,0,0,0,0,0,0\n"
      "6,5,101,\"walk \"\"a;b\"\" <\\>\",\"common/stages/walk.c\",10,\"walk\",2,14000,14000,0,0,"
      "0,0,0,0,0,0,0,0,0\n"
      "-1,-1,-1,\"(unattributed)\",\"\",0,\"\",0,0,0,0,0,1,1,4000,4000,4000,0,0,0,0\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_fixture_agrees_with_itself),
      cmocka_unit_test(collapsed_has_a_line_a_path),
      cmocka_unit_test(csv_has_a_row_a_path_and_one_for_the_rest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
