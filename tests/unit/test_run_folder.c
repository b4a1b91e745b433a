/* io/run_folder: a folder that exists is whole, and nothing else stays behind. */
#define _XOPEN_SOURCE 700
#include "tests/cmocka_fmlp.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/memory.h"
#include "common/io/run_folder.h"

static char dir[256];

static int setup(void **state) {
  (void)state;
  (void)snprintf(dir, sizeof dir, "/tmp/fmlp_run_XXXXXX");
  return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state) {
  (void)state;
  char command[300];
  (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
  return system(command) == 0 ? 0 : -1;
}

static int entries_of(const char *path) {
  DIR *folder = opendir(path);
  int count = 0;
  if (!folder) return -1;
  while (readdir(folder)) count++;
  (void)closedir(folder);
  return count - 2;
}

static const char *inside(const char *relative) {
  static char path[512];
  (void)snprintf(path, sizeof path, "%s/%s", dir, relative);
  return path;
}

static bool exists(const char *path) {
  struct stat about;
  return lstat(path, &about) == 0;
}

static fmlp_run_folder *created(const char *relative) {
  fmlp_run_folder *folder = NULL;
  fmlp_error error = {""};
  if (fmlp_run_folder_create(inside(relative), &folder, &error) != FMLP_OK) fail_msg("%s", error.text);
  return folder;
}

static void a_committed_folder_is_whole(void **state) {
  (void)state;
  fmlp_error error = {""};
  fmlp_run_folder *folder = created("runs/2026-01-31/a//");
  assert_string_equal(fmlp_run_folder_final(folder), inside("runs/2026-01-31/a"));
  assert_false(exists(inside("runs/2026-01-31/a")));
  assert_int_equal(fmlp_run_folder_write(folder, "profile/deep/table.txt", "abc", 3, &error), FMLP_OK);
  assert_int_equal(fmlp_run_folder_write(folder, "empty", "", 0, &error), FMLP_OK);
  int64_t values[] = {1, 2, 3};
  double none[1] = {0};
  fmlp_column_sink sink = fmlp_run_folder_sink(folder);
  fmlp_column times = {"bars", "open_time", FMLP_INT64, 3, values},
              nothing = {"features", "ret_1", FMLP_FLOAT64, 0, none};
  assert_int_equal(sink.put(sink.state, &times, &error), FMLP_OK);
  assert_int_equal(sink.put(sink.state, &nothing, &error), FMLP_OK);
  int64_t count = 0;
  const fmlp_written_column *columns = fmlp_run_folder_columns(folder, &count);
  assert_int_equal(count, 2);
  assert_string_equal(columns[0].group, "bars");
  assert_string_equal(columns[0].name, "open_time");
  assert_int_equal(columns[0].rows, 3);
  fmlp_hash128 hash = fmlp_hash(values, sizeof values);
  assert_true(columns[0].hash.low == hash.low && columns[0].hash.high == hash.high);
  assert_string_equal(columns[1].name, "ret_1");
  assert_int_equal(fmlp_run_folder_commit(folder, &error), FMLP_OK);
  assert_string_equal(fmlp_run_folder_final(folder), inside("runs/2026-01-31/a"));
  fmlp_run_folder_discard(folder);
  assert_true(exists(inside("runs/2026-01-31/a/profile/deep/table.txt")));
  assert_true(exists(inside("runs/2026-01-31/a/bars/open_time.npy")));
  assert_int_equal(entries_of(inside("runs/2026-01-31")), 1);
  assert_int_equal(entries_of(inside("runs/2026-01-31/a")), 4);
}

static void a_discarded_folder_leaves_nothing(void **state) {
  (void)state;
  fmlp_error error = {""};
  fmlp_run_folder *folder = created("runs/day/a");
  assert_int_equal(fmlp_run_folder_write(folder, "x/y/z.txt", "abc", 3, &error), FMLP_OK);
  assert_int_equal(symlink("/etc", fmlp_run_folder_path(folder, "link", &error)), 0);
  fmlp_run_folder_discard(folder);
  assert_int_equal(entries_of(dir), 0);
  assert_true(exists("/etc/passwd"));
  fmlp_run_folder_discard(NULL);
}

static void parents_that_others_use_stay(void **state) {
  (void)state;
  fmlp_error error = {""};
  fmlp_run_folder *first = created("runs/day/a"), *second = created("runs/day/b");
  fmlp_run_folder_discard(first);
  assert_int_equal(fmlp_run_folder_commit(second, &error), FMLP_OK);
  fmlp_run_folder_discard(second);
  assert_true(exists(inside("runs/day/b")));
  assert_int_equal(entries_of(inside("runs/day")), 1);
  first = created("runs/other/a");
  fmlp_run_folder_discard(first);
  assert_int_equal(entries_of(inside("runs")), 1);
}

static void an_existing_target_is_refused(void **state) {
  (void)state;
  fmlp_error error = {""};
  fmlp_run_folder *folder = NULL;
  assert_int_equal(mkdir(inside("taken"), 0755), 0);
  assert_int_equal(fmlp_run_folder_create(inside("taken"), &folder, &error), FMLP_ERR_OTHER);
  assert_null(folder);
  assert_non_null(strstr(error.text, "taken: already exists"));
  assert_int_equal(entries_of(dir), 1);
  assert_int_equal(fmlp_run_folder_create("", &folder, &error), FMLP_ERR_OTHER);
  char name[301];
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  assert_int_equal(fmlp_run_folder_create(inside(name), &folder, &error), FMLP_ERR_OTHER);
  assert_non_null(strstr(error.text, "too long"));
  assert_int_equal(entries_of(dir), 1);
}

static void a_name_taken_meanwhile_costs_no_result(void **state) {
  (void)state;
  fmlp_error error = {""};
  char *warnings = NULL;
  int64_t count = 0;
  fmlp_log_set_level(FMLP_LOG_ERROR);
  fmlp_log_open();
  fmlp_run_folder *first = created("a"), *second = created("a"), *third = created("a");
  assert_int_equal(fmlp_run_folder_write(first, "x", "1", 1, &error), FMLP_OK);
  assert_int_equal(fmlp_run_folder_commit(first, &error), FMLP_OK);
  assert_int_equal(fmlp_run_folder_commit(second, &error), FMLP_OK);
  assert_int_equal(fmlp_run_folder_commit(third, &error), FMLP_OK);
  assert_string_equal(fmlp_run_folder_final(first), inside("a"));
  assert_string_equal(fmlp_run_folder_final(second), inside("a_2"));
  fmlp_run_folder_discard(first);
  fmlp_run_folder_discard(second);
  fmlp_run_folder_discard(third);
  assert_true(exists(inside("a/x")) && exists(inside("a_2")) && exists(inside("a_3")));
  assert_int_equal(entries_of(dir), 3);
  assert_int_equal(fmlp_log_warnings(&warnings, &count, &error), FMLP_OK);
  assert_int_equal(count, 2);
  fmlp_free(warnings);
  fmlp_log_close();
  fmlp_log_set_level(FMLP_LOG_INFO);
}

static void a_parent_that_is_no_folder_is_named(void **state) {
  (void)state;
  fmlp_error error = {""};
  fmlp_run_folder *folder = NULL;
  FILE *file = fopen(inside("file"), "w");
  assert_non_null(file);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(fmlp_run_folder_create(inside("file/run"), &folder, &error), FMLP_ERR_OTHER);
  assert_non_null(strstr(error.text, "/file: cannot make this folder: Not a directory"));
  assert_int_equal(fmlp_run_folder_create("/proc/fmlp/run", &folder, &error), FMLP_ERR_OTHER);
  assert_non_null(strstr(error.text, "/proc/fmlp: cannot make this folder"));
  if (geteuid() != 0) {
    assert_int_equal(mkdir(inside("closed"), 0555), 0);
    assert_int_equal(fmlp_run_folder_create(inside("closed/new/run"), &folder, &error), FMLP_ERR_OTHER);
    assert_non_null(strstr(error.text, "Permission denied; choose a folder you may write to"));
  }
}

static void a_full_disk_is_an_error_with_the_path(void **state) {
  (void)state;
  fmlp_error error = {""};
  fmlp_run_folder *folder = created("full");
  assert_int_equal(symlink("/dev/full", fmlp_run_folder_path(folder, "log.txt", &error)), 0);
  assert_int_equal(fmlp_run_folder_write(folder, "log.txt", "abc", 3, &error), FMLP_ERR_OTHER);
  assert_non_null(
      strstr(error.text, "/log.txt: cannot write this file: No space left on device; free space"));
  struct rlimit old, small;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  (void)signal(SIGXFSZ, SIG_IGN);
  small = old;
  small.rlim_cur = 1000;
  static const char zeros[100000];
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  fmlp_status text = fmlp_run_folder_write(folder, "large.txt", zeros, sizeof zeros, &error);
  fmlp_column column = {"bars", "x", FMLP_INT8, sizeof zeros, zeros};
  fmlp_column_sink sink = fmlp_run_folder_sink(folder);
  fmlp_error column_error = {""};
  fmlp_status put = sink.put(sink.state, &column, &column_error);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
  assert_int_equal(text, FMLP_ERR_OTHER);
  assert_non_null(strstr(error.text, "/large.txt: cannot write this file: File too large"));
  assert_int_equal(put, FMLP_ERR_OTHER);
  assert_non_null(strstr(column_error.text, "bars/x.npy"));
  fmlp_run_folder_discard(folder);
  assert_int_equal(entries_of(dir), 0);
}

static void paths_stay_inside(void **state) {
  (void)state;
  fmlp_error error = {""};
  fmlp_run_folder *folder = created("a");
  assert_null(fmlp_run_folder_path(folder, "../b", &error));
  assert_null(fmlp_run_folder_path(folder, "/b", &error));
  fmlp_run_folder_discard(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_committed_folder_is_whole),
      TEST(a_discarded_folder_leaves_nothing),
      TEST(parents_that_others_use_stay),
      TEST(an_existing_target_is_refused),
      TEST(a_name_taken_meanwhile_costs_no_result),
      TEST(a_parent_that_is_no_folder_is_named),
      TEST(a_full_disk_is_an_error_with_the_path),
      TEST(paths_stay_inside),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
