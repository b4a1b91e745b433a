/* The folder of many profiles: versions, index and notes, by one program or several at a time. */
#define _GNU_SOURCE
#include "tests/unit/profile_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "prof/store/history.h"

enum { TEXT_CAPACITY = 1 << 16 };

static char folder[64], text[TEXT_CAPACITY];

static int make_folder(void **state) {
  (void)state;
  (void)snprintf(folder, sizeof folder, "/tmp/fmlp_history_XXXXXX");
  return mkdtemp(folder) ? 0 : 1;
}

static const char *inside(const char *name) {
  static char path[512];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static int remove_folder(void **state) {
  (void)state;
  DIR *open = opendir(folder);
  for (struct dirent *entry = open ? readdir(open) : NULL; entry; entry = readdir(open))
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      (void)remove(inside(entry->d_name));
  if (open) (void)closedir(open);
  return rmdir(folder);
}

static fmlp_profile *profile_named(const char *name) {
  fmlp_profile *profile = fmlp_profile_create();
  assert_non_null(profile);
  assert_true(fmlp_profile_set(profile, FMLP_FACT_NAME, name));
  assert_true(fmlp_profile_set(profile, FMLP_FACT_CREATED, "2026-01-31T12:00:00Z"));
  assert_true(fmlp_profile_set(profile, FMLP_FACT_VERSION, "0.1.0, commit 0123456789abcdef"));
  assert_true(fmlp_profile_set(profile, FMLP_FACT_DEVICE, "cuda: device 0, \"Test, GPU\""));
  assert_true(fmlp_profile_set(profile, FMLP_FACT_OUTPUTS, "fedcba9876543210fedcba9876543210"));
  for (int i = 0; i < 3; i++) {
    fmlp_capture *capture = profile_fixture();
    capture->stop += i * 1000;
    assert_true(fmlp_profile_add(profile, capture));
  }
  return profile;
}

/* Adds one; NULL when it went well, else the line of error. */
static const char *add(const char *name, bool versions) {
  static char message[512];
  message[0] = '\0';
  fmlp_profile *profile = profile_named(name);
  const bool added = fmlp_history_add(folder, versions, profile, "table\n", NULL, message, sizeof message);
  fmlp_profile_free(profile);
  assert_true(added == (message[0] == '\0') && !strchr(message, '\n'));
  return added ? NULL : message;
}

static const char *content(const char *name) {
  FILE *file = fopen(inside(name), "r");
  assert_non_null(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  assert_int_equal(fclose(file), 0);
  return text;
}

static int count_of(const char *word) {
  int count = 0;
  for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) count++;
  return count;
}

static const char *printed(void) {
  char message[512] = "";
  FILE *out = fmemopen(text, sizeof text, "w");
  assert_non_null(out);
  assert_true(fmlp_history_print(folder, out, message, sizeof message));
  assert_int_equal(fclose(out), 0);
  return text;
}

#define ENTRY(version, file)                                                                                 \
  version                                                                                                    \
      ",2026-01-31T12:00:00Z,a run,0123456789abcdef,\"cuda: device 0, \"\"Test, GPU\"\"\",0.000121000,3,"    \
      "fedcba9876543210fedcba9876543210,2026-01-31_" file ".fmlprof\n"

static void versions_are_kept_and_listed(void **state) {
  (void)state;
  char message[512] = "";
  assert_null(add("a run", true));
  assert_null(add("a run", true));
  assert_string_equal(content("index.csv"),
                      FMLP_HISTORY_HEADER "\n" ENTRY("1", "a run_v1") ENTRY("2", "a run_v2"));
  assert_string_equal(content("2026-01-31_a run_v2.txt"), "table\n");
  fmlp_profile *profile = fmlp_profile_load(inside("2026-01-31_a run_v1.fmlprof"), message, sizeof message);
  assert_non_null(profile);
  assert_int_equal(profile->capture_count, 3);
  fmlp_profile_free(profile);
  (void)printed();
  assert_non_null(strstr(text, "      2  2026-01-31T12:00:00Z  0123456789ab  cuda            0.000        3  "
                               "fedcba98  2026-01-31_a run_v2.fmlprof\n2 profiles\n"));
}

static void a_version_that_was_deleted_does_not_come_back(void **state) {
  (void)state;
  assert_null(add("x", true));
  assert_null(add("x", true));
  assert_int_equal(unlink(inside("2026-01-31_x_v2.fmlprof")), 0);
  assert_null(add("x", true));
  assert_int_equal(access(inside("2026-01-31_x_v3.fmlprof"), F_OK), 0);
  (void)printed();
  assert_non_null(strstr(text, "2026-01-31_x_v2.fmlprof (gone)\n"));
  assert_non_null(strstr(text, "3 profiles, 1 of them gone\n"));
  assert_int_equal(unlink(inside("index.csv")), 0); /* nor is a file replaced when the index is lost */
  assert_null(add("x", true));
  assert_int_equal(access(inside("2026-01-31_x_v2.fmlprof"), F_OK), 0);
  assert_null(add("x", true));
  assert_int_equal(access(inside("2026-01-31_x_v4.fmlprof"), F_OK), 0);
}

static void any_name_has_its_line(void **state) {
  (void)state;
  static const char NAME[] = "a, \"b\"; it's";
  for (int i = 0; i < 2; i++) assert_null(add(NAME, true));
  FILE *file = fopen(inside("index.csv"), "a");
  assert_non_null(file);
  assert_true(fputs("1,now,x,c,d,1,1,o,\033[2Jx.fmlprof\n", file) >= 0);
  assert_int_equal(fclose(file), 0);
  (void)printed();
  assert_non_null(strstr(text, "fedcba98  2026-01-31_a, \"b\"; it's_v1.fmlprof\n"));
  assert_non_null(strstr(text, "fedcba98  2026-01-31_a, \"b\"; it's_v2.fmlprof\n"));
  assert_non_null(strstr(text, "?[2Jx.fmlprof (gone)\n3 profiles, 1 of them gone\n"));
}

static void notes_keep_what_the_user_wrote(void **state) {
  (void)state;
  assert_null(add("x", true));
  (void)content("notes.md");
  assert_true(strncmp(text, "# Notes", 7) == 0);
  FILE *file = fopen(inside("notes.md"), "w");
  assert_non_null(file);
  assert_true(fputs("mine\n- v1: faster, without a newline", file) >= 0);
  assert_int_equal(fclose(file), 0);
  assert_null(add("x", true));
  assert_string_equal(content("notes.md"),
                      "mine\n- v1: faster, without a newline\n"
                      "- 2026-01-31_x_v2 (0123456789ab, cuda: device 0, \"Test, GPU\", 0.000 s): \n");
}

static void without_versions_the_last_one_is_kept(void **state) {
  (void)state;
  assert_null(add("x", false));
  assert_null(add("x", false));
  assert_int_equal(access(inside("x.fmlprof"), F_OK), 0);
  assert_int_equal(access(inside("x.txt"), F_OK), 0);
  assert_int_not_equal(access(inside("index.csv"), F_OK), 0);
  assert_int_not_equal(access(inside("notes.md"), F_OK), 0);
}

static void programs_at_the_same_time_lose_nothing(void **state) {
  (void)state;
  enum { PROGRAMS = 12, EACH = 5 };
  for (int p = 0; p < PROGRAMS; p++) {
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0) continue;
    int failed = 0;
    for (int i = 0; i < EACH; i++) {
      char message[512];
      fmlp_profile *profile = profile_named("many");
      failed += !fmlp_history_add(folder, true, profile, "table\n", NULL, message, sizeof message);
      fmlp_profile_free(profile);
    }
    _exit(failed);
  }
  for (int p = 0; p < PROGRAMS; p++) {
    int status = 0;
    assert_true(wait(&status) > 0);
    assert_int_equal(status, 0);
  }
  (void)content("index.csv");
  assert_int_equal(count_of("\n"), PROGRAMS * EACH + 1);
  for (int v = 1; v <= PROGRAMS * EACH; v++) {
    char name[64];
    (void)snprintf(name, sizeof name, "\n%d,2026", v);
    assert_int_equal(count_of(name), 1);
    (void)snprintf(name, sizeof name, "2026-01-31_many_v%d.fmlprof", v);
    assert_int_equal(access(inside(name), F_OK), 0);
  }
  (void)content("notes.md");
  assert_int_equal(count_of("\n- 2026-01-31_many_v"), PROGRAMS * EACH);
}

static void what_cannot_be_written_leaves_no_version(void **state) {
  (void)state;
  assert_int_equal(mkdir(inside("notes.md"), 0700), 0);
  assert_non_null(strstr(add("x", true), "notes.md"));
  assert_int_not_equal(access(inside("2026-01-31_x_v1.fmlprof"), F_OK), 0);
  assert_int_equal(rmdir(inside("notes.md")), 0);
  assert_int_equal(unlink(inside("index.csv")), 0);
  assert_int_equal(mkfifo(inside("index.csv"), 0600), 0); /* not waited for */
  assert_non_null(strstr(add("x", true), "index.csv: is no ordinary file"));
  char message[512] = "";
  assert_false(fmlp_history_print(folder, stdout, message, sizeof message));
  assert_non_null(strstr(message, "index.csv: is no ordinary file"));
  fmlp_profile *profile = profile_named("x");
  assert_false(fmlp_history_add("/dev/null/x", true, profile, "", NULL, message, sizeof message));
  assert_non_null(strstr(message, "/dev/null"));
  assert_false(fmlp_history_add("", true, profile, "", NULL, message, sizeof message));
  fmlp_profile_free(profile);
}

static void a_folder_is_checked_before_there_is_anything_to_add(void **state) {
  (void)state;
  char message[512] = "";
  assert_true(fmlp_history_check(inside("a/b/../c"), true, message, sizeof message));
  assert_int_not_equal(access(inside("a"), F_OK), 0); /* nothing is made */
  assert_true(fmlp_history_check("a/b", true, message, sizeof message));
  assert_false(fmlp_history_check("", true, message, sizeof message));
  assert_false(fmlp_history_check("/dev/null", true, message, sizeof message));
  assert_false(fmlp_history_check("/dev/null/x", true, message, sizeof message));
  assert_int_equal(mkdir(inside("index.csv"), 0700), 0);
  assert_true(fmlp_history_check(folder, false, message, sizeof message));
  assert_false(fmlp_history_check(folder, true, message, sizeof message));
  assert_non_null(strstr(message, "index.csv: is no ordinary file"));
}

static void a_path_is_inside_another_however_it_is_written(void **state) {
  (void)state;
  assert_true(fmlp_history_is_inside("a/b", "a"));
  assert_true(fmlp_history_is_inside("a", "a/"));
  assert_true(fmlp_history_is_inside(".a//b/./c", "./.a/b"));
  assert_true(fmlp_history_is_inside("x/../a/b", "a"));
  assert_true(fmlp_history_is_inside("..a/b", "..a"));
  assert_true(fmlp_history_is_inside("/nowhere/x", "/"));
  assert_false(fmlp_history_is_inside("a/../b", "a"));
  assert_false(fmlp_history_is_inside("ab", "a"));
  assert_false(fmlp_history_is_inside(".ab/c", "ab"));
  assert_false(fmlp_history_is_inside("a", "a/b"));
  assert_false(fmlp_history_is_inside("/a", "a"));
}

static bool at_once(void) {
  return true;
}

static void waiting_for_the_lock_ends_when_it_is_told_to(void **state) {
  (void)state;
  char message[512] = "";
  const int held = open(inside("index.csv"), O_RDWR | O_CREAT, 0600);
  assert_true(held >= 0 && flock(held, LOCK_EX) == 0);
  fmlp_profile *profile = profile_named("x");
  assert_false(fmlp_history_add(folder, true, profile, "", at_once, message, sizeof message));
  assert_non_null(strstr(message, "interrupted"));
  fmlp_profile_free(profile);
  assert_int_equal(close(held), 0);
}

static void an_index_edited_by_hand_is_read_as_far_as_it_goes(void **state) {
  (void)state;
  char message[512] = "";
  assert_null(add("x", true));
  FILE *file = fopen(inside("index.csv"), "a");
  assert_non_null(file);
  assert_true(fputs("my own line\n\n\"open,1,2\n1,2,3,4,5,6,7,8,../../etc\na,b,c,d,e,f,g,h", file) >= 0);
  assert_int_equal(fclose(file), 0);
  assert_null(add("x", true));
  (void)printed();
  assert_non_null(strstr(
      text, "2026-01-31_x_v2.fmlprof\n2 profiles; 4 lines of index.csv are no entries, the first is line "
            "3\n"));
  file = fopen(inside("index.csv"), "w");
  assert_non_null(file);
  assert_true(fputs("a,b\n", file) >= 0);
  assert_int_equal(fclose(file), 0);
  assert_false(fmlp_history_print(folder, stdout, message, sizeof message));
  assert_non_null(strstr(message, "no index of profiles"));
  assert_non_null(strstr(add("x", true), "index.csv: no index of profiles")); /* nor is it added to */
  assert_string_equal(content("index.csv"), "a,b\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(versions_are_kept_and_listed),
      TEST(a_version_that_was_deleted_does_not_come_back),
      TEST(any_name_has_its_line),
      TEST(notes_keep_what_the_user_wrote),
      TEST(without_versions_the_last_one_is_kept),
      TEST(programs_at_the_same_time_lose_nothing),
      TEST(what_cannot_be_written_leaves_no_version),
      TEST(a_folder_is_checked_before_there_is_anything_to_add),
      TEST(a_path_is_inside_another_however_it_is_written),
      TEST(waiting_for_the_lock_ends_when_it_is_told_to),
      TEST(an_index_edited_by_hand_is_read_as_far_as_it_goes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
