/* Kernels on the host: what shuffles, votes and atomics give, and the orders that seeds make. */
extern "C" {
#include "tests/cmocka_fmlp.h"
}

#include <stdlib.h>

#include "tests/unit/simt_kernels.h"

namespace {

struct shuffle_arguments {
  int64_t *output; /* 4 a thread: indexed, up, down, xor */
  int32_t width, step;
};

FMLP_KERNEL(shuffles, shuffle_arguments) {
  const int64_t t = threadIdx.x, mine = 1000 + t;
  args.output[4 * t] = __shfl_sync(0xffffffffu, mine, args.step, args.width);
  args.output[4 * t + 1] = __shfl_up_sync(0xffffffffu, (int)mine, (unsigned)args.step, args.width);
  args.output[4 * t + 2] =
      (int64_t)__shfl_down_sync(0xffffffffu, (double)mine, (unsigned)args.step, args.width);
  args.output[4 * t + 3] = __shfl_xor_sync(0xffffffffu, (unsigned)mine, args.step, args.width);
}

void shuffles_of_every_width(void **) {
  for (uint64_t seed = 0; seed < 3; seed++) {
    for (int32_t width = 1; width <= 32; width *= 2) {
      for (int32_t step = 0; step < 32; step++) {
        int64_t output[4 * 96];
        shuffle_arguments args = {output, width, step};
        assert_string_equal(
            fmlp_simt_launch("shuffles", fmlp_simt_call<&shuffles>::run, &args, 1, 96, 0, seed), "");
        for (int t = 0; t < 96; t++) {
          const int first = t / width * width, last = first + width;
          assert_int_equal(output[4 * t], 1000 + first + step % width);
          assert_int_equal(output[4 * t + 1], 1000 + (t - step < first ? t : t - step));
          assert_int_equal(output[4 * t + 2], 1000 + (t + step >= last ? t : t + step));
          /* To a lane of an earlier segment xor may reach, to one of a later it may not (CUDA). */
          assert_int_equal(output[4 * t + 3], 1000 + ((t ^ step) >= last ? t : t ^ step));
        }
      }
    }
  }
}

/* Lanes outside the mask, and lanes that have returned, give garbage; the others their values. */
FMLP_KERNEL(parts, shuffle_arguments) {
  const int t = (int)threadIdx.x;
  if (t >= args.width) return;
  const unsigned mask = args.width == 32 ? 0xffffffffu : (1u << args.width) - 1;
  args.output[t] = __shfl_down_sync(mask, (int64_t)t, 1);
}

void shuffles_of_parts(void **) {
  for (int32_t width = 2; width <= 32; width++) {
    int64_t output[32];
    shuffle_arguments args = {output, width, 0};
    assert_string_equal(fmlp_simt_launch("parts", fmlp_simt_call<&parts>::run, &args, 1, 32, 0, 5), "");
    for (int t = 0; t + 1 < width; t++) assert_int_equal(output[t], t + 1);
    assert_true(width == 32 ? output[31] == 31 : output[width - 1] > 1000000);
  }
}

/* Each group of 8 lanes loops its own number of times: operations of disjoint masks side by side. */
FMLP_KERNEL(groups, shuffle_arguments) {
  const unsigned lane = threadIdx.x % 32, group = lane / 8, mask = 0xffu << group * 8;
  int64_t sum = 0;
  for (unsigned round = 0; round < 3 * group + 1; round++) {
    sum += __shfl_sync(mask, (int64_t)(round * 100 + lane), (int)(round % 8), 8);
    if (__ballot_sync(mask, lane == group * 8) != 1u << group * 8) sum += 1000000;
  }
  args.output[threadIdx.x] = sum;
}

void groups_of_lanes(void **) {
  for (uint64_t seed = 0; seed < 30; seed++) {
    int64_t output[64];
    shuffle_arguments args = {output, 8, 0};
    assert_string_equal(fmlp_simt_launch("groups", fmlp_simt_call<&groups>::run, &args, 1, 64, 0, seed), "");
    for (unsigned t = 0; t < 64; t++) {
      const unsigned group = t % 32 / 8;
      int64_t sum = 0;
      for (unsigned round = 0; round < 3 * group + 1; round++) sum += round * 100 + group * 8 + round % 8;
      assert_int_equal(output[t], sum);
    }
  }
}

FMLP_KERNEL(votes, shuffle_arguments) {
  const int t = (int)threadIdx.x, yes = t % 3 == args.step;
  int64_t *out = args.output + 7 * t;
  out[0] = __ballot_sync(0xffffffffu, yes);
  out[1] = __any_sync(0xffffffffu, t == args.step);
  out[2] = __all_sync(0xffffffffu, t >= args.step);
  out[3] = __syncthreads_or(t == args.step);
  out[4] = __syncthreads_and(t >= args.step);
  out[5] = __syncthreads_count(yes);
  out[6] = __syncthreads_or(0);
}

void votes_are_counted(void **) {
  for (int32_t step = 0; step < 100; step += 33) {
    int64_t output[7 * 64];
    shuffle_arguments args = {output, 0, step};
    assert_string_equal(fmlp_simt_launch("votes", fmlp_simt_call<&votes>::run, &args, 1, 64, 0, 9), "");
    int count = 0;
    unsigned ballots[2] = {0, 0};
    for (int t = 0; t < 64; t++) {
      count += t % 3 == step;
      ballots[t / 32] |= (unsigned)(t % 3 == step) << t % 32;
    }
    for (int t = 0; t < 64; t++) {
      const int first = t / 32 * 32;
      assert_int_equal(output[7 * t], ballots[t / 32]);
      assert_int_equal(output[7 * t + 1], step >= first && step < first + 32);
      assert_int_equal(output[7 * t + 2], first >= step);
      assert_int_equal(output[7 * t + 3], step < 64);
      assert_int_equal(output[7 * t + 4], step == 0);
      assert_int_equal(output[7 * t + 5], count);
      assert_int_equal(output[7 * t + 6], 0);
    }
  }
}

struct list_arguments {
  unsigned *items, *count, *extremes;
};

/* A list in the order of arrival. */
FMLP_KERNEL(list, list_arguments) {
  FMLP_SHARED_MEMORY(space);
  auto seen = space.take<unsigned>(4);
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (threadIdx.x == 0) {
    seen[0] = 0;
    seen[1] = 0xffffffffu;
    seen[2] = 0;
    seen[3] = 7;
  }
  __syncthreads();
  args.items[atomicAdd(args.count, 1)] = i;
  atomicMin(args.extremes, i);
  atomicMax(args.extremes + 1, i);
  atomicOr(args.extremes + 2, 1u << i % 32);
  atomicAnd(args.extremes + 3, ~(1u << i % 32));
  (void)atomicCAS(args.extremes + 4, 5, 6);
  (void)atomicExch(args.extremes + 5, 9);
  fmlp_atomic_add(seen, 0, 2);
  fmlp_atomic_min(seen, 1, i);
  fmlp_atomic_max(seen, 2, i);
  fmlp_atomic_compare_exchange(seen, 3, 7, 8);
  __syncthreads();
  if (threadIdx.x != 1) return;
  if (seen[0] != 2 * blockDim.x || seen[1] != blockIdx.x * blockDim.x) args.extremes[0] = 77;
  if (seen[2] != (blockIdx.x + 1) * blockDim.x - 1 || seen[3] != 8) args.extremes[0] = 78;
}

void seeds_change_the_order(void **) {
  enum { BLOCKS = 5, THREADS = 64, ALL = BLOCKS * THREADS, SEEDS = 32 };
  static unsigned items[SEEDS][ALL];
  int forward = 0, backward = 0, blocks_in_order = 0, different = 0;
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    unsigned count = 0, extremes[6] = {0xffffffffu, 0, 0, 0xffffffffu, 5, 0};
    list_arguments args = {items[seed], &count, extremes};
    assert_string_equal(
        fmlp_simt_launch("list", fmlp_simt_call<&list>::run, &args, BLOCKS, THREADS, 16, seed), "");
    assert_int_equal(count, ALL);
    const unsigned expected[6] = {0, ALL - 1, 0xffffffffu, 0, 6, 9};
    assert_memory_equal(extremes, expected, sizeof extremes);
    bool up = true, down = true, blocks = true, present[ALL] = {false};
    for (int i = 0; i < ALL; i++) {
      assert_false(present[items[seed][i]]);
      present[items[seed][i]] = true;
      assert_int_equal(items[seed][i] / THREADS, items[seed][i / THREADS * THREADS] / THREADS);
      up = up && (i % THREADS == 0 || items[seed][i] == items[seed][i - 1] + 1);
      down = down && (i % THREADS == 0 || items[seed][i] + 1 == items[seed][i - 1]);
      blocks = blocks && (int)items[seed][i] / THREADS == i / THREADS;
    }
    forward += up, backward += down, blocks_in_order += blocks;
    different += seed > 0 && memcmp(items[seed], items[seed - 1], sizeof items[seed]) != 0;
    if (seed == 0) assert_true(up && blocks);
    /* The same seed, the same order. */
    unsigned again[ALL];
    count = 0;
    args.items = again;
    (void)fmlp_simt_launch("list", fmlp_simt_call<&list>::run, &args, BLOCKS, THREADS, 16, seed);
    assert_memory_equal(again, items[seed], sizeof again);
  }
  assert_true(different > SEEDS - 4);
  assert_true(forward < SEEDS / 2 && backward < SEEDS / 2);
  assert_true(blocks_in_order > 1 && blocks_in_order < SEEDS - 4);
}

FMLP_KERNEL(compound, arguments) {
  FMLP_SHARED_MEMORY(space);
  auto x = space.take<double>(blockDim.x);
  auto n = space.take<int>(blockDim.x);
  const int t = (int)threadIdx.x;
  x[t] = t;
  x[t] += 2.0;
  x[t] *= x[t] -= 1.0;
  n[t] = t;
  n[t] <<= 2;
  n[t] |= 1;
  ++n[t];
  const int before = n[t]++;
  n[t] %= 1000;
  x[n[t] >= 0 ? t : 0] /= 2.0;
  args.output[t] = x[t] * 10000.0 + (n[t] - before);
}

void compound_assignments(void **) {
  double output[64];
  arguments args = {nullptr, output, nullptr, 0};
  assert_string_equal(run<&compound>("compound", args, 1, 64, 64 * 12, 3), "");
  for (int t = 0; t < 64; t++) assert_true(output[t] == (t + 1.0) * (t + 1.0) / 2.0 * 10000.0 + 1.0);
}

} // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(shuffles_of_every_width), cmocka_unit_test(shuffles_of_parts),
      cmocka_unit_test(groups_of_lanes),         cmocka_unit_test(votes_are_counted),
      cmocka_unit_test(seeds_change_the_order),  cmocka_unit_test(compound_assignments),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
