/* config/sweep: what -m expands to, in Hydra's order. */
#include "tests/cmocka_fmlp.h"

#include <string.h>

#include "common/config/config.h"
#include "common/core/memory.h"

/* Jobs as "a=1 b=x; a=1 b=y". */
static void assert_jobs(int32_t count, const char *const *overrides, const char *wanted) {
  fmlp_error error = {""};
  int32_t job_count = 0;
  char ***jobs = NULL, text[2048] = "";
  if (fmlp_config_sweep(count, overrides, &job_count, &jobs, &error) != FMLP_OK) fail_msg("%s", error.text);
  for (int32_t job = 0; job < job_count; job++) {
    if (job) strcat(text, "; ");
    for (int32_t i = 0; i < count; i++) {
      if (i) strcat(text, " ");
      strcat(text, jobs[job][i]);
    }
  }
  fmlp_config_sweep_free(job_count, count, jobs);
  assert_string_equal(text, wanted);
}

static void the_last_override_varies_fastest(void **state) {
  (void)state;
  assert_jobs(3, (const char *const[]){"a=1,2", "b=x", "c=p,q,r"},
              "a=1 b=x c=p; a=1 b=x c=q; a=1 b=x c=r; a=2 b=x c=p; a=2 b=x c=q; a=2 b=x c=r");
  assert_jobs(0, NULL, "");
  assert_jobs(1, (const char *const[]){"~a"}, "~a");
}

static void commas_in_brackets_and_quotes_do_not_split(void **state) {
  (void)state;
  assert_jobs(1, (const char *const[]){"a=[1,2],[3]"}, "a=[1,2]; a=[3]");
  assert_jobs(1, (const char *const[]){"a='1,2', 3"}, "a='1,2'; a=3");
  assert_jobs(1, (const char *const[]){"a={x: 1, y: 2},${oc.env:A,b}"}, "a={x: 1, y: 2}; a=${oc.env:A,b}");
  assert_jobs(1, (const char *const[]){"a=x\\,y,z"}, "a=x\\,y; a=z");
}

static void choice_and_range_spread(void **state) {
  (void)state;
  assert_jobs(1, (const char *const[]){"+a=choice(x, y)"}, "+a=x; +a=y");
  assert_jobs(1, (const char *const[]){"a=range(3)"}, "a=0; a=1; a=2");
  assert_jobs(1, (const char *const[]){"a=range(1, 4)"}, "a=1; a=2; a=3");
  assert_jobs(1, (const char *const[]){"a=range(0,1,0.25)"}, "a=0; a=0.25; a=0.5; a=0.75");
  assert_jobs(1, (const char *const[]){"a=range(3,0,-2)"}, "a=3; a=1");
}

static void endless_and_empty_sweeps_are_refused(void **state) {
  (void)state;
  static const char *const bad[] = {"a=range(0,1,0)",   "a=range(5,1)", "a=range(0,1e9)", "a=range(x)",
                                    "a=range(1,2,3,4)", "a=[1,2",       "a=range()"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    fmlp_error error = {""};
    int32_t job_count = 0;
    char ***jobs = NULL;
    assert_int_equal(fmlp_config_sweep(1, &bad[i], &job_count, &jobs, &error), FMLP_ERR_USAGE);
    assert_null(jobs);
    assert_non_null(strstr(error.text, bad[i]));
  }
  fmlp_error error = {""};
  int32_t job_count = 0;
  char ***jobs = NULL;
  static const char *const product[] = {"a=range(1000)", "b=range(1000)"};
  assert_int_equal(fmlp_config_sweep(2, product, &job_count, &jobs, &error), FMLP_ERR_USAGE);
  assert_string_equal(error.text, "the sweep has more than 100000 jobs");
}

static void running_out_of_memory_frees_what_was_made(void **state) {
  (void)state;
  static const char *const overrides[] = {"a=1,2", "b=3,4"};
  for (int64_t nth = 1; nth < 100; nth++) {
    fmlp_error error = {""};
    int32_t job_count = 0;
    char ***jobs = NULL;
    fmlp_memory_fail_at(nth);
    fmlp_status status = fmlp_config_sweep(2, overrides, &job_count, &jobs, &error);
    fmlp_memory_fail_at(0);
    if (status == FMLP_OK) {
      assert_true(nth > 10);
      fmlp_config_sweep_free(job_count, 2, jobs);
      return;
    }
    assert_int_equal(status, FMLP_ERR_OTHER);
    assert_null(jobs);
  }
  fail_msg("never enough memory");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_last_override_varies_fastest),
      cmocka_unit_test(commas_in_brackets_and_quotes_do_not_split),
      cmocka_unit_test(choice_and_range_spread),
      cmocka_unit_test(endless_and_empty_sweeps_are_refused),
      cmocka_unit_test(running_out_of_memory_frees_what_was_made),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
