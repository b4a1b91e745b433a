/* cuda/backend.cu over a CUDA runtime of the tests (fake_cudart.h): devices that cannot be used, every call
 * failing in turn, two devices, and the order of work in streams. */
#include "tests/cuda/fake_cudart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/device.h"
#include "tests/unit/device_buffers.h"

/* cudaError_t, whose header is no C11 */
enum {
  OUT_OF_MEMORY = 2,
  DEVICES_UNAVAILABLE = 46,
  NO_KERNEL_IMAGE = 209,
  ILLEGAL_ADDRESS = 700,
  PROHIBITED = 2
};

static void configure(fmlp_fake_cuda setup) {
  fmlp_fake_cuda_configure(&setup);
}

static void assert_clean(void) {
  assert_string_equal(fmlp_fake_cuda_misuse(), "");
  assert_int_equal(fmlp_fake_cuda_alive(), 0);
}

static void a_device_that_cannot_be_used_is_refused_with_the_reason(void **state) {
  (void)state;
  static const struct {
    fmlp_fake_cuda setup;
    int32_t ordinal;
    const char *reason;
  } cases[] = {
      {{.devices = -1}, 0, "no GPU"},
      {{.driver = 9020}, 0, "too old: it is for CUDA 9.2"},
      {{.capability = 70}, 0, "compute capability 7.0; this program is built for 7.5"},
      {{.compute_mode = PROHIBITED}, 0, "compute mode Prohibited"},
      {{.devices = 2}, 2, "there are 2 devices, numbered from 0"},
      {{.devices = 1}, 1, "there is 1 device, numbered from 0"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    configure(cases[i].setup);
    char reason[512] = "";
    assert_false(fmlp_cuda_backend.available(cases[i].ordinal, reason, sizeof reason));
    if (!strstr(reason, cases[i].reason)) fail_msg("'%s' in '%s'", cases[i].reason, reason);
    assert_null(strchr(reason, '\n'));
    fmlp_device *device = NULL;
    fmlp_error error = {""};
    assert_int_equal(fmlp_cuda_backend.open(cases[i].ordinal, &device, &error), FMLP_ERR_DEVICE);
    assert_null(device);
    assert_non_null(strstr(error.text, cases[i].reason));
    assert_clean();
  }
}

static void devices_are_described(void **state) {
  (void)state;
  static char text[16384], little[40];
  configure((fmlp_fake_cuda){.devices = 2});
  fmlp_cuda_backend.describe(text, sizeof text);
  assert_non_null(strstr(text, "cuda:0: Fake GPU 0, compute capability 9.0, 4.0 GiB"));
  assert_non_null(strstr(text, "cuda:1: Fake GPU 1"));
  assert_non_null(strstr(text, "driver: for CUDA up to "));
  fmlp_cuda_backend.describe(little, sizeof little); /* cut, not overrun */
  assert_int_equal(strlen(little), sizeof little - 1);
  configure((fmlp_fake_cuda){.devices = 2, .capability = 61});
  fmlp_cuda_backend.describe(text, sizeof text);
  assert_non_null(strstr(text, "cuda:1 cannot be used: Fake GPU 1 has compute capability 6.1"));
}

/* What `available` cannot see and `open` finds: `auto` goes on with the cpu, `cuda` does not. */
static void a_device_that_refuses_to_open_leaves_auto_on_the_cpu(void **state) {
  (void)state;
  static const int errors[] = {OUT_OF_MEMORY, DEVICES_UNAVAILABLE, NO_KERNEL_IMAGE};
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
    fmlp_compute compute;
    fmlp_error error = {""};
    char notice[640];
    configure((fmlp_fake_cuda){0});
    char reason[512];
    assert_true(fmlp_cuda_backend.available(0, reason, sizeof reason));
    const int64_t before = fmlp_fake_cuda_calls();
    configure((fmlp_fake_cuda){0});
    assert_int_equal(fmlp_compute_open("auto", &compute, notice, sizeof notice, &error), FMLP_OK);
    assert_string_equal(compute.backend->name, "cuda");
    assert_string_equal(notice, "");
    const int64_t all = fmlp_fake_cuda_calls();
    fmlp_compute_close(&compute);
    for (int64_t call = 2 * before + 1; call <= all; call++) { /* after asked by auto, and by open itself */
      configure((fmlp_fake_cuda){.fail_at = call, .fail_with = errors[i], .lost = true});
      assert_int_equal(fmlp_compute_open("auto", &compute, notice, sizeof notice, &error), FMLP_OK);
      if (compute.backend == &fmlp_cpu_backend) assert_non_null(strstr(notice, "; running on the cpu"));
      fmlp_compute_close(&compute);
      assert_clean();
    }
  }
}

enum { ROWS = 3000 };

/* Opens, computes a difference of rows, closes; what was to come out, or a device error. */
static fmlp_status whole_use(int32_t ordinal, bool *right) {
  fmlp_error error = {""};
  fmlp_device *device = NULL;
  const fmlp_backend *b = &fmlp_cuda_backend;
  fmlp_status status = b->open(ordinal, &device, &error);
  if (status != FMLP_OK) return status;
  static double in[ROWS], out[ROWS];
  for (int i = 0; i < ROWS; i++) in[i] = i * 0.37 + (i % 7), out[i] = -1.0;
  const fmlp_rolling_node node = {.op = FMLP_OP_DIFF, .a = 0, .b = -1, .window = 3, .output = 0};
  const fmlp_rolling_plan plan = {.input_count = 1, .node_count = 1, .output_count = 1, .nodes = &node};
  fmlp_buffer *input = NULL, *output = NULL;
  status = b->buffer_create(device, sizeof in, &input, &error);
  if (status == FMLP_OK) status = b->buffer_create(device, sizeof out, &output, &error);
  if (status == FMLP_OK) status = b->upload(device, input, 0, in, sizeof in, &error);
  if (status == FMLP_OK) {
    status = b->rolling(device, &plan, ROWS, (const fmlp_buffer *const[]){input},
                        (fmlp_buffer *const[]){output}, &error);
  }
  if (status == FMLP_OK) status = b->download(device, output, 0, out, sizeof out, &error);
  if (status == FMLP_OK) status = b->sync(device, &error);
  if (status != FMLP_OK) assert_true(error.text[0] && !strchr(error.text, '\n'));
  b->buffer_free(device, input);
  b->buffer_free(device, output);
  b->close(device);
  *right = true;
  for (int i = 3; i < ROWS; i++) *right &= out[i] == in[i] - in[i - 3];
  return status;
}

static void any_call_may_fail_and_nothing_is_wrong_or_left(void **state) {
  (void)state;
  bool right = false;
  configure((fmlp_fake_cuda){0});
  assert_int_equal(whole_use(0, &right), FMLP_OK);
  assert_true(right);
  assert_clean();
  const int64_t all = fmlp_fake_cuda_calls();
  static const struct {
    int error;
    bool lost;
  } ways[] = {{OUT_OF_MEMORY, false}, {DEVICES_UNAVAILABLE, false}, {ILLEGAL_ADDRESS, true}};
  int64_t refused = 0, gone_on = 0;
  for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
    for (int64_t call = 1; call <= all; call++) {
      configure((fmlp_fake_cuda){
          .fail_at = call, .fail_with = ways[way].error, .lost = ways[way].lost, .seed = (uint64_t)call});
      fmlp_status status = whole_use(0, &right);
      if (status == FMLP_OK && !right)
        fail_msg("call %lld of %lld, %s failing with %d: a wrong result", (long long)call, (long long)all,
                 fmlp_fake_cuda_failed(), ways[way].error);
      if (status != FMLP_OK) assert_int_equal(status, FMLP_ERR_DEVICE);
      status == FMLP_OK ? gone_on++ : refused++;
      assert_clean();
    }
  }
  printf("%lld calls: %lld times refused, %lld times gone on\n", (long long)all, (long long)refused,
         (long long)gone_on);
  assert_true(refused > all && gone_on > 0);
}

static void copies_larger_than_the_staging_arrive_in_any_order_of_work(void **state) {
  (void)state;
  enum { BYTES = (20 << 20) + 3 };
  unsigned char *sent = malloc(BYTES), *got = malloc(BYTES);
  assert_true(sent && got);
  for (int i = 0; i < BYTES; i++) sent[i] = (unsigned char)(i * 2654435761u >> 13);
  for (uint64_t seed = 1; seed <= 8; seed++) {
    configure((fmlp_fake_cuda){.seed = seed});
    fmlp_compute compute = open_compute("cuda");
    fmlp_buffer *buffer = buffer_of(&compute, sent, BYTES);
    memset(got, 0, BYTES);
    buffer_read(&compute, buffer, got, BYTES);
    assert_memory_equal(sent, got, BYTES);
    buffer_end(&compute, buffer);
    fmlp_compute_close(&compute);
    assert_clean();
  }
  free(sent);
  free(got);
}

static void two_devices_work_side_by_side(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 8; seed++) {
    configure((fmlp_fake_cuda){.devices = 2, .seed = seed});
    fmlp_compute each[2] = {open_compute("cuda:0"), open_compute("cuda:1")};
    int values[2][100], back[100];
    fmlp_buffer *buffers[2];
    for (int d = 0; d < 2; d++) {
      for (int i = 0; i < 100; i++) values[d][i] = 1000 * d + i;
      buffers[d] = buffer_of(&each[d], values[d], sizeof values[d]);
    }
    for (int d = 0; d < 2; d++) {
      buffer_read(&each[d], buffers[d], back, sizeof back);
      assert_memory_equal(back, values[d], sizeof back);
    }
    for (int d = 0; d < 2; d++) {
      buffer_end(&each[d], buffers[d]);
      fmlp_compute_close(&each[d]);
    }
    assert_clean();
  }
}

/* A kernel with launch bounds of its own (FMLP_KERNEL_OF) is launched within them by its family; the others
 * keep their blocks. */
static void a_kernel_of_small_blocks_does_not_shrink_those_of_others(void **state) {
  (void)state;
  configure((fmlp_fake_cuda){.registers = 168});
  fmlp_compute compute = open_compute("cuda");
  assert_int_equal(compute.device->limits.threads_per_block, 1024);
  fmlp_gpu_tune(compute.device, &(fmlp_gpu_tuning){.threads = 1024});
  assert_int_equal(fmlp_gpu_threads(compute.device, 256), 1024);
  fmlp_compute_close(&compute);
  assert_clean();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_device_that_cannot_be_used_is_refused_with_the_reason),
      cmocka_unit_test(devices_are_described),
      cmocka_unit_test(a_device_that_refuses_to_open_leaves_auto_on_the_cpu),
      cmocka_unit_test(any_call_may_fail_and_nothing_is_wrong_or_left),
      cmocka_unit_test(copies_larger_than_the_staging_arrive_in_any_order_of_work),
      cmocka_unit_test(two_devices_work_side_by_side),
      cmocka_unit_test(a_kernel_of_small_blocks_does_not_shrink_those_of_others),
  };
  return cmocka_run_group_tests_name("the backend cuda", tests, NULL, NULL);
}
