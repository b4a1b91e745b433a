/* Column files: the bytes numpy writes, what cannot be read is refused, what cannot be written is reported.
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/cmocka_fmlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/memory.h"
#include "common/io/columns.h"
#include "common/io/json.h"

static char folder[] = "/tmp/fmlp_columns_XXXXXX";
static char path[64];

static int make_folder(void **state) {
  (void)state;
  if (!mkdtemp(folder)) return -1;
  (void)snprintf(path, sizeof path, "%s/column.npy", folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  (void)unlink(path);
  return rmdir(folder);
}

/* np.save of np.array([1, -2, 3], dtype='<i8'). */
static const char golden_int64[] =
    "\x93NUMPY\x01\x00v\x00{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }"
    "                                                            \n"
    "\x01\x00\x00\x00\x00\x00\x00\x00\xfe\xff\xff\xff\xff\xff\xff\xff\x03\x00\x00\x00\x00\x00\x00\x00";

static void write_bytes(const void *bytes, size_t count) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, count, file), count);
  assert_int_equal(fclose(file), 0);
}

static void an_int64_column_has_the_bytes_that_numpy_writes(void **state) {
  (void)state;
  fmlp_error error = {""};
  const int64_t values[] = {1, -2, 3};
  assert_int_equal(fmlp_npy_write(path, FMLP_INT64, 3, values, &error), FMLP_OK);
  char bytes[256];
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t count = fread(bytes, 1, sizeof bytes, file);
  (void)fclose(file);
  assert_int_equal(count, sizeof golden_int64 - 1);
  assert_memory_equal(bytes, golden_int64, count);
}

static void every_type_comes_back_as_it_went(void **state) {
  (void)state;
  fmlp_error error = {""};
  const double values[] = {1.5, -0.0, 1e300, 5e-324};
  for (int type = FMLP_INT8; type <= FMLP_FLOAT64; type++) {
    for (int64_t rows = 0; rows <= 4; rows++) {
      assert_int_equal(fmlp_npy_write(path, (fmlp_type)type, rows, values, &error), FMLP_OK);
      fmlp_type read_type = FMLP_INT8;
      int64_t read_rows = -1;
      void *data = NULL;
      assert_int_equal(fmlp_npy_read(path, &read_type, &read_rows, &data, &error), FMLP_OK);
      assert_int_equal(read_type, type);
      assert_int_equal(read_rows, rows);
      assert_memory_equal(data, values, (size_t)(rows * fmlp_type_size((fmlp_type)type)));
      fmlp_free(data);
    }
  }
}

static void a_file_cut_at_any_byte_or_with_one_too_many_is_refused(void **state) {
  (void)state;
  fmlp_error error = {""};
  fmlp_type type = FMLP_INT8;
  int64_t rows = 0;
  void *data = NULL;
  for (size_t count = 0; count + 1 < sizeof golden_int64; count++) {
    write_bytes(golden_int64, count);
    assert_int_equal(fmlp_npy_read(path, &type, &rows, &data, &error), FMLP_ERR_INPUT);
    assert_null(data);
  }
  write_bytes(golden_int64, sizeof golden_int64);
  assert_int_equal(fmlp_npy_read(path, &type, &rows, &data, &error), FMLP_ERR_INPUT);
  assert_non_null(strstr(error.text, "damaged"));
}

static void other_layouts_are_refused(void **state) {
  (void)state;
  static const char *const dictionaries[] = {
      "{'descr': '>i8', 'fortran_order': False, 'shape': (0,), }\n",
      "{'descr': '<i8', 'fortran_order': True, 'shape': (0,), }\n",
      "{'descr': '<i8', 'fortran_order': False, 'shape': (0, 2), }\n",
      "{'descr': '<i8', 'fortran_order': False, 'shape': (), }\n",
      "{'descr': '<i8', 'fortran_order': False, 'shape': (-1,), }\n",
      "{'descr': '<i8', 'fortran_order': False, 'shape': (999999999999999999,), }\n",
      "{'descr': '|O', 'fortran_order': False, 'shape': (0,), }\n",
      "{'fortran_order': False, 'shape': (0,), }\n",
      "\n",
  };
  for (size_t i = 0; i < sizeof dictionaries / sizeof *dictionaries; i++) {
    char bytes[256] = "\x93NUMPY\x01";
    size_t length = strlen(dictionaries[i]);
    bytes[8] = (char)length;
    memcpy(bytes + 10, dictionaries[i], length);
    write_bytes(bytes, 10 + length);
    fmlp_error error = {""};
    fmlp_type type = FMLP_INT8;
    int64_t rows = 0;
    void *data = NULL;
    assert_int_equal(fmlp_npy_read(path, &type, &rows, &data, &error), FMLP_ERR_INPUT);
    assert_null(data);
    assert_int_equal(rows, 0);
  }
}

static void a_full_disk_and_a_missing_folder_are_reported(void **state) {
  (void)state;
  fmlp_error error = {""};
  const int8_t values[] = {1, 2};
  assert_int_equal(fmlp_npy_write("/nonexistent/x.npy", FMLP_INT8, 2, values, &error), FMLP_ERR_OTHER);
  assert_non_null(strstr(error.text, "/nonexistent/x.npy"));
  if (access("/dev/full", W_OK) != 0) return;
  char link[64];
  (void)snprintf(link, sizeof link, "%s/full.npy", folder); /* the link is removed, not the device */
  assert_int_equal(symlink("/dev/full", link), 0);
  assert_int_equal(fmlp_npy_write(link, FMLP_INT8, 2, values, &error), FMLP_ERR_OTHER);
  assert_non_null(strstr(error.text, "No space left"));
  struct stat unused;
  assert_int_equal(lstat(link, &unused), -1);
}

static void a_missing_file_is_an_input_error(void **state) {
  (void)state;
  fmlp_error error = {""};
  fmlp_type type = FMLP_INT8;
  int64_t rows = 0;
  void *data = NULL;
  assert_int_equal(fmlp_npy_read("/nonexistent/x.npy", &type, &rows, &data, &error), FMLP_ERR_INPUT);
  assert_int_equal(fmlp_npy_read(folder, &type, &rows, &data, &error), FMLP_ERR_INPUT);
}

static void the_hash_is_xxh3_128(void **state) {
  (void)state;
  fmlp_hash128 empty = fmlp_hash("", 0); /* xxhsum -H2 of an empty file: 99aa06d3014798d86001c324468d497f */
  assert_int_equal(empty.high, 0x99aa06d3014798d8ULL);
  assert_int_equal(empty.low, 0x6001c324468d497fULL);
}

static void json_is_ordered_and_writes_nan_as_null(void **state) {
  (void)state;
  json_t *object = json_object();
  fmlp_json_set_real(object, "z", 0.1);
  fmlp_json_set_real(object, "a", -0.0);
  fmlp_json_set_real(object, "nan", (double)__builtin_nanf(""));
  fmlp_json_set_integer(object, "n", INT64_MIN);
  fmlp_json_set_text(object, "t", NULL);
  char *text = fmlp_json_text(object);
  json_decref(object);
  assert_string_equal(text, "{\n  \"z\": 0.10000000000000001,\n  \"a\": 0.0,\n  \"nan\": null,\n"
                            "  \"n\": -9223372036854775808,\n  \"t\": null\n}\n");
  free(text);
  assert_null(fmlp_json_text(NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_int64_column_has_the_bytes_that_numpy_writes),
      cmocka_unit_test(every_type_comes_back_as_it_went),
      cmocka_unit_test(a_file_cut_at_any_byte_or_with_one_too_many_is_refused),
      cmocka_unit_test(other_layouts_are_refused),
      cmocka_unit_test(a_full_disk_and_a_missing_folder_are_reported),
      cmocka_unit_test(a_missing_file_is_an_input_error),
      cmocka_unit_test(the_hash_is_xxh3_128),
      cmocka_unit_test(json_is_ordered_and_writes_nan_as_null),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
