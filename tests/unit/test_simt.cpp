/* The layer that runs kernels on the host finds what is wrong with small kernels made wrong on purpose, says
 * so in the right words, and runs right ones of every block size, under every schedule. */
extern "C" {
#include "tests/cmocka_fmlp.h"
}

#include "tests/unit/simt_kernels.h"

namespace {

/* Source lines that reports must name: NEXT_LINE(n) stands above them. */
int lines[8];
#define NEXT_LINE(n) lines[n] = __LINE__ + 1

/* The block's sum by halving; with `wrong` set, one of its barriers is missing. */
FMLP_KERNEL(block_sum, arguments) {
  FMLP_SHARED_MEMORY(space);
  auto sums = space.take<double>(blockDim.x);
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  NEXT_LINE(0);
  sums[threadIdx.x] = args.input[i];
  if (args.wrong != 1) __syncthreads();
  for (unsigned n = blockDim.x; n > 1;) {
    const unsigned half = (n + 1) / 2;
    NEXT_LINE(1);
    if (threadIdx.x + half < n) sums[threadIdx.x] += sums[threadIdx.x + half];
    n = half;
    if (args.wrong != 2) __syncthreads();
  }
  if (threadIdx.x == 0) args.output[blockIdx.x] = sums[0];
}

/* Writes over what the others may still read. */
FMLP_KERNEL(tile_reused, arguments) {
  FMLP_SHARED_MEMORY(space);
  auto tile = space.take<double>(blockDim.x);
  double sum = 0.0;
  for (int round = 0; round < 3; round++) {
    NEXT_LINE(2);
    tile[threadIdx.x] = round;
    __syncthreads();
    NEXT_LINE(3);
    sum += tile[(threadIdx.x + 1) % blockDim.x];
    if (!args.wrong) __syncthreads();
  }
  args.output[threadIdx.x] = sum;
}

FMLP_KERNEL(two_barriers, arguments) {
  if (threadIdx.x < 40) {
    NEXT_LINE(4);
    __syncthreads();
  } else {
    NEXT_LINE(5);
    __syncthreads();
  }
  args.output[threadIdx.x] = 1.0;
}

FMLP_KERNEL(barrier_in_a_branch, arguments) {
  NEXT_LINE(6);
  if (threadIdx.x % 2 == 0) __syncthreads();
  if (args.wrong) (void)__any_sync(0xffffffffu, 1);
  args.output[threadIdx.x] = 1.0;
}

FMLP_KERNEL(outside, arguments) {
  FMLP_SHARED_MEMORY(space);
  auto tile = space.take<int>(blockDim.x);
  NEXT_LINE(7);
  tile[(int)threadIdx.x + args.wrong] = 1;
}

FMLP_KERNEL(takes_too_much, arguments) {
  FMLP_SHARED_MEMORY(space);
  auto first = space.take<double>(blockDim.x);
  auto second = space.take<double>(args.wrong);
  first[threadIdx.x] = 0.0;
  (void)second;
}

FMLP_KERNEL(unwritten, arguments) {
  FMLP_SHARED_MEMORY(space);
  auto tile = space.take<double>(blockDim.x);
  auto bytes = space.take<unsigned char>(blockDim.x);
  if (threadIdx.x != 3) tile[threadIdx.x] = 1.0;
  if (threadIdx.x != 5) bytes[threadIdx.x] = 1;
  __syncthreads();
  args.output[threadIdx.x] = args.wrong == 1   ? (double)tile[threadIdx.x]
                             : args.wrong == 2 ? (double)bytes[threadIdx.x]
                                               : 0.0;
}

FMLP_KERNEL(masks, arguments) {
  const unsigned lane = threadIdx.x % 32;
  unsigned mask = 0xffffffffu;
  if (args.wrong == 1) mask = 0x7fffffffu;             /* lane 31 is left out and calls */
  if (args.wrong == 2 && lane == 4) mask = 0x00ffffff; /* lanes disagree */
  if (args.wrong == 3 && lane == 9) return;            /* returned: does not count */
  if (args.wrong == 4 && lane == 9) __syncthreads();   /* elsewhere for ever */
  __syncwarp(mask);
  if (args.wrong == 5) (void)__shfl_sync(mask, 1, 0, 24);
  if (args.wrong == 6) {
    if (lane < 16)
      __syncwarp(mask);
    else
      (void)__any_sync(mask, 1);
  }
  args.output[threadIdx.x] = 1.0;
}

/* Neighbours within a warp: warp operations order them, whole warps or parts. */
FMLP_KERNEL(warp_neighbours, arguments) {
  FMLP_SHARED_MEMORY(space);
  auto tile = space.take<unsigned>(blockDim.x);
  const unsigned t = threadIdx.x, lane = t % 32;
  tile[t] = t;
  const unsigned group = 0xffu << lane / 8 * 8;
  if (args.wrong == 0) __syncwarp();
  if (args.wrong == 1) __syncwarp(group);
  if (args.wrong == 2) __syncwarp(group);
  if (args.wrong == 3) (void)__shfl_sync(group, 1, 0, 8);
  const unsigned other = args.wrong == 2 ? t ^ 8 : t / 8 * 8 + (t + 1) % 8; /* 2: of another group */
  args.output[t] = tile[other];
}

/* What one lane wrote passes through another's mask to a third. */
FMLP_KERNEL(passed_on, arguments) {
  FMLP_SHARED_MEMORY(space);
  auto tile = space.take<unsigned>(32);
  const unsigned lane = threadIdx.x;
  if (lane == 0) tile[0] = 7;
  if (lane < 2) __syncwarp(3u);
  if (args.wrong && lane == 2) args.output[2] = tile[0];
  if (lane == 1 || lane == 2) __syncwarp(6u);
  if (!args.wrong && lane == 2) args.output[2] = tile[0];
}

/* Counts by atomics; plain accesses beside them are races. */
FMLP_KERNEL(histogram, arguments) {
  FMLP_SHARED_MEMORY(space);
  auto counts = space.take<unsigned>(8);
  if (threadIdx.x < 8) counts[threadIdx.x] = 0;
  if (args.wrong != 1) __syncthreads();
  fmlp_atomic_add(counts, threadIdx.x % 8, 1);
  if (args.wrong == 2 && threadIdx.x == 33) counts[1] += 1;
  if (args.wrong != 3) __syncthreads();
  if (threadIdx.x < 8) args.output[threadIdx.x] = counts[threadIdx.x];
}

FMLP_KERNEL(other_block_sizes, arguments) {
  FMLP_SHARED_MEMORY(space);
  auto halves = space.take<unsigned short>(2 * blockDim.x); /* neighbours in one word: no race */
  auto pairs = space.take<double2>(blockDim.x);
  halves[2 * threadIdx.x] = (unsigned short)threadIdx.x;
  halves[2 * threadIdx.x + 1] = 1;
  pairs[threadIdx.x] = make_double2(threadIdx.x, 2.0);
  __syncthreads();
  const double2 pair = pairs[blockDim.x - 1 - threadIdx.x];
  args.output[threadIdx.x] = halves[2 * (blockDim.x - 1 - threadIdx.x)] + pair.x * pair.y;
}

void expect(const char *text, const char *first, const char *second) {
  if (!strstr(text, first) || (second && !strstr(text, second))) {
    fail_msg("'%s' says neither '%s' nor '%s'", text, first, second ? second : "");
  }
  assert_null(strchr(text, '\n'));
}

/* `line` as reports write it. */
void expect_line(const char *text, int line) {
  char number[2][16];
  (void)snprintf(number[0], sizeof number[0], "line %d)", line);
  (void)snprintf(number[1], sizeof number[1], ".cpp:%d)", line);
  if (!strstr(text, number[0]) && !strstr(text, number[1])) fail_msg("'%s' names not line %d", text, line);
}

/* A read of what another thread writes: in some orders the race is seen, in the others that nothing was
 * written yet. */
void expect_race(const char *text, const char *words) {
  if (!strstr(text, "read before it was written (line ")) expect(text, "race in shared memory", words);
}

/* Schedules a fault must be found in. */
enum { SEEDS = 24 };

void barriers_left_out_are_races(void **) {
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    for (int32_t threads = 64; threads <= 1024; threads *= 2) {
      double input[1024] = {0}, output[1024];
      arguments args = {input, output, nullptr, 1};
      const char *found = run<&block_sum>("block_sum", args, 1, threads, 8 * threads, seed);
      expect(found, "simt: kernel block_sum, block 0, thread ", nullptr);
      /* In some orders the other element was never written at all. */
      if (strstr(found, "race in shared memory, 8 bytes at "))
        expect_line(found, lines[0]);
      else
        expect(found, "read before it was written", nullptr);
      expect_line(found, lines[1]);
      args.wrong = 2;
      found = run<&block_sum>("block_sum", args, 1, threads, 8 * threads, seed);
      expect(found, "race in shared memory", nullptr);
      expect_line(found, lines[1]);
      args.wrong = 1;
      found = run<&tile_reused>("tile_reused", args, 1, threads, 8 * threads, seed);
      expect(found, "race in shared memory", "no barrier between");
      expect_line(found, lines[2]);
      expect_line(found, lines[3]);
      args.wrong = 0;
      assert_string_equal(run<&tile_reused>("tile_reused", args, 1, threads, 8 * threads, seed), "");
    }
  }
}

void races_at_warps_and_atomics(void **) {
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    double output[64];
    arguments args = {nullptr, output, nullptr, 0};
    for (args.wrong = 0; args.wrong < 4; args.wrong++) {
      const char *found = run<&warp_neighbours>("warp_neighbours", args, 1, 64, 256, seed);
      if (args.wrong == 2)
        expect_race(found, "no barrier between");
      else
        assert_string_equal(found, "");
    }
    for (args.wrong = 0; args.wrong < 2; args.wrong++) {
      const char *found = run<&passed_on>("passed_on", args, 1, 32, 128, seed);
      if (args.wrong)
        expect_race(found, "thread 0 (line ");
      else
        assert_string_equal(found, "");
    }
    for (args.wrong = 0; args.wrong < 4; args.wrong++) {
      const char *found = run<&histogram>("histogram", args, 1, 64, 32, seed);
      if (args.wrong)
        expect_race(found, "an atomic");
      else
        assert_string_equal(found, "");
      if (args.wrong == 0) assert_true(output[3] == 8.0);
    }
  }
}

void divergence(void **) {
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    double output[64];
    arguments args = {nullptr, output, nullptr, 0};
    const char *found = run<&two_barriers>("two_barriers", args, 2, 64, 0, seed);
    expect(found, "kernel two_barriers", "in a block barrier with");
    expect_line(found, lines[4]);
    expect_line(found, lines[5]);
    /* The odd threads have returned; then, the odd ones wait at a vote for the even ones. */
    assert_string_equal(run<&barrier_in_a_branch>("branch", args, 1, 64, 0, seed), "");
    args.wrong = 1;
    found = run<&barrier_in_a_branch>("branch", args, 1, 64, 0, seed);
    expect(found, "at a vote with mask 0xffffffff", "waits for ever for");
    expect(found, "at __syncthreads (tests/unit/test_simt.cpp:", nullptr);
    expect_line(found, lines[6]);
    for (args.wrong = 0; args.wrong <= 6; args.wrong++) {
      found = run<&masks>("masks", args, 1, 32, 0, seed);
      switch (args.wrong) {
      case 1:
        expect(found, "leaves out the calling lane 31", "mask 0x7fffffff");
        break;
      case 2:
        expect(found, "in a warp operation with", "0x00ffffff");
        break;
      case 4:
        expect(found, "waits for ever for thread 9 at __syncthreads", nullptr);
        break;
      case 5:
        expect(found, "a shuffle of width 24", nullptr);
        break;
      case 6:
        expect(found, "in a warp operation with", "__syncwarp");
        break;
      default:
        assert_string_equal(found, "");
      }
    }
  }
}

void bounds_and_unwritten(void **) {
  double output[64];
  arguments args = {nullptr, output, nullptr, 0};
  assert_string_equal(run<&outside>("outside", args, 1, 64, 256, 0), "");
  args.wrong = 1;
  expect(run<&outside>("outside", args, 1, 64, 512, 0), "thread 63: shared memory: element 64 of 64", "line");
  args.wrong = -1;
  expect(run<&outside>("outside", args, 1, 64, 512, 0), "thread 0: shared memory: element -1 of 64", nullptr);
  args.wrong = 64;
  assert_string_equal(run<&takes_too_much>("takes", args, 1, 64, 1024, 0), "");
  args.wrong = 65;
  expect(run<&takes_too_much>("takes", args, 1, 64, 1024, 0), "of 1024", nullptr);
  args.wrong = 0;
  assert_string_equal(run<&unwritten>("unwritten", args, 1, 64, 1024, 0), "");
  args.wrong = 1;
  expect(run<&unwritten>("unwritten", args, 1, 64, 1024, 0),
         "thread 3: ", "8 bytes at 24: read before it was");
  args.wrong = 2;
  expect(run<&unwritten>("unwritten", args, 1, 64, 1024, 0),
         "thread 5: ", "1 bytes at 517: read before it was");
  /* What a block left is gone for the next. */
  args.wrong = 1;
  assert_string_equal(run<&unwritten>("unwritten", args, 1, 2, 1024, 0), "");
  /* With the checks off only the bounds remain. */
  assert_string_equal(
      fmlp_simt_launch("unwritten", fmlp_simt_call<&unwritten>::run, &args, 1, 64, 1024, 0, false), "");
}

/* Every one a launch may ask for, and some that are no multiples of a warp. */
const int32_t block_sizes[] = {1,   2,   31,  32,  33,  64,  96,  128, 160, 192, 224,  256, 257,
                               288, 320, 352, 384, 416, 448, 480, 512, 544, 576, 608,  640, 672,
                               704, 736, 768, 800, 832, 864, 896, 928, 960, 992, 1000, 1024};

void sums_of_every_block_size(void **) {
  for (uint64_t seed = 0; seed < 3; seed++) {
    for (int32_t threads : block_sizes) {
      double input[3 * 1024], output[3], pairs[1024];
      for (int i = 0; i < 3 * threads; i++) input[i] = i;
      arguments args = {input, output, nullptr, 0};
      assert_string_equal(run<&block_sum>("block_sum", args, 3, threads, 8 * threads, seed), "");
      for (int b = 0; b < 3; b++) {
        assert_true(output[b] == (double)threads * (b * threads + 0.5 * (threads - 1)));
      }
      args.output = pairs;
      assert_string_equal(
          run<&other_block_sizes>("sizes", args, 1, threads, 16 + 4 * threads + 16 * threads, seed), "");
      for (int t = 0; t < threads; t++) assert_true(pairs[t] == 3.0 * (threads - 1 - t));
    }
  }
}

} // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(barriers_left_out_are_races),
      cmocka_unit_test(races_at_warps_and_atomics),
      cmocka_unit_test(divergence),
      cmocka_unit_test(bounds_and_unwritten),
      cmocka_unit_test(sums_of_every_block_size),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
