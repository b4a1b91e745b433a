/* fracdiff: a fixed-width weighted sum, lag 0 first and then one lag after the other.
 *
 * A block takes ROWS neighbouring rows a thread. Rows and weights stand in shared memory, tile by tile of
 * lags; the tile of rows moves back as the lags grow, so any number of weights will do. A thread keeps its
 * sums and two runs of ROWS values in registers: ROWS lags need one new run of values and ROWS weights for
 * ROWS * ROWS products. Runs are padded by one place, so that threads ROWS places apart hit different banks.
 *
 * Estimate: 16 bytes and 2 (weights - 1) additions and multiplications an element, a quarter of a
 * shared-memory read for each: bound by memory up to about 10 weights, by 64-bit arithmetic beyond. */
#ifndef FMLP_CUDA_ROLLING_FRACDIFF_CUH
#define FMLP_CUDA_ROLLING_FRACDIFF_CUH

#include "common/core/bits.h"
#include "cuda/kernel.h"
#include "cuda/rolling_fracdiff.h"

/* The place of value i of a tile, runs of ROWS padded by one. */
FMLP_DEVICE int fmlp_gpu_fracdiff_place(int i) {
  return i / FMLP_GPU_FRACDIFF_ROWS * (FMLP_GPU_FRACDIFF_ROWS + 1) + i % FMLP_GPU_FRACDIFF_ROWS;
}

FMLP_DEVICE void fmlp_gpu_fracdiff_run(const fmlp_shared<double> &values, int run,
                                       double (&to)[FMLP_GPU_FRACDIFF_ROWS]) {
  FMLP_UNROLL for (int j = 0; j < FMLP_GPU_FRACDIFF_ROWS; j++) {
    to[j] = values[run * (FMLP_GPU_FRACDIFF_ROWS + 1) + j];
  }
}

/* One lag of all rows of a thread: row j's value `lag` (1 .. ROWS) places back lies in `newer` or `older`. */
FMLP_DEVICE void fmlp_gpu_fracdiff_lag(double weight, int lag, const double (&newer)[FMLP_GPU_FRACDIFF_ROWS],
                                       const double (&older)[FMLP_GPU_FRACDIFF_ROWS],
                                       double (&sum)[FMLP_GPU_FRACDIFF_ROWS]) {
  FMLP_UNROLL for (int j = 0; j < FMLP_GPU_FRACDIFF_ROWS; j++) {
    const double value =
        j >= lag ? newer[j >= lag ? j - lag : 0] : older[j >= lag ? 0 : FMLP_GPU_FRACDIFF_ROWS + j - lag];
    sum[j] = sum[j] + weight * value;
  }
}

/* The tile of rows and weights for lags done + 1 .. done + tile of rows [row, row + ROWS * blockDim.x). */
FMLP_DEVICE void fmlp_gpu_fracdiff_load(const fmlp_gpu_rolling_fracdiff_args &args,
                                        const fmlp_shared<double> &values, const fmlp_shared<double> &weights,
                                        int64_t row, int64_t done) {
  const int count = FMLP_GPU_FRACDIFF_ROWS * (int)blockDim.x + args.tile;
  const int64_t oldest = row - done - args.tile;
  for (int i = (int)threadIdx.x; i < count; i += (int)blockDim.x) {
    const int64_t from = oldest + i;
    const bool there = from >= args.base && from < args.last;
    values[fmlp_gpu_fracdiff_place(i)] = there ? args.x[from - args.x_first] : 0.0;
  }
  for (int i = (int)threadIdx.x; i < args.tile; i += (int)blockDim.x) {
    const int64_t lag = done + 1 + i;
    weights[i] = lag < args.weight_count ? args.weights[lag] : 0.0;
  }
}

/* Adds the lags of the tile to the sums; `runs` is the run of values in the tile that holds the thread's rows
 * `done` rows back. */
FMLP_DEVICE void fmlp_gpu_fracdiff_add(const fmlp_shared<double> &values, const fmlp_shared<double> &weights,
                                       int lags, int run, double (&newer)[FMLP_GPU_FRACDIFF_ROWS],
                                       double (&sum)[FMLP_GPU_FRACDIFF_ROWS]) {
  double older[FMLP_GPU_FRACDIFF_ROWS];
  int lag = 0;
  for (; lag + FMLP_GPU_FRACDIFF_ROWS <= lags; lag += FMLP_GPU_FRACDIFF_ROWS) {
    fmlp_gpu_fracdiff_run(values, --run, older);
    FMLP_UNROLL for (int j = 0; j < FMLP_GPU_FRACDIFF_ROWS; j++) {
      fmlp_gpu_fracdiff_lag(weights[lag + j], j + 1, newer, older, sum);
    }
    FMLP_UNROLL for (int j = 0; j < FMLP_GPU_FRACDIFF_ROWS; j++) newer[j] = older[j];
  }
  if (lag == lags) return;
  fmlp_gpu_fracdiff_run(values, --run, older);
  FMLP_UNROLL for (int j = 0; j < FMLP_GPU_FRACDIFF_ROWS; j++) {
    if (lag + j < lags) fmlp_gpu_fracdiff_lag(weights[lag + j], j + 1, newer, older, sum);
  }
}

FMLP_KERNEL(rolling_fracdiff, fmlp_gpu_rolling_fracdiff_args) {
  FMLP_SHARED_MEMORY(space);
  const int runs = (int)blockDim.x + args.tile / FMLP_GPU_FRACDIFF_ROWS;
  const fmlp_shared<double> values = space.take<double>((int64_t)runs * (FMLP_GPU_FRACDIFF_ROWS + 1));
  const fmlp_shared<double> weights = space.take<double>(args.tile);
  const int64_t rows = (int64_t)FMLP_GPU_FRACDIFF_ROWS * blockDim.x;
  const int64_t lags = args.weight_count - 1; /* and rows without a complete window */
  for (int64_t row = args.first + blockIdx.x * rows; row < args.last; row += gridDim.x * rows) {
    double sum[FMLP_GPU_FRACDIFF_ROWS], newer[FMLP_GPU_FRACDIFF_ROWS];
    /* Nothing to sum where no row of the tile is complete. */
    for (int64_t done = 0; row + rows > lags && (done == 0 || done < lags); done += args.tile) {
      __syncthreads(); /* the tile before is read */
      fmlp_gpu_fracdiff_load(args, values, weights, row, done);
      __syncthreads();
      const int run = (int)threadIdx.x + args.tile / FMLP_GPU_FRACDIFF_ROWS;
      fmlp_gpu_fracdiff_run(values, run, newer);
      if (done == 0) {
        FMLP_UNROLL for (int j = 0; j < FMLP_GPU_FRACDIFF_ROWS; j++) sum[j] = newer[j];
      }
      fmlp_gpu_fracdiff_add(values, weights, (int)(lags - done < args.tile ? lags - done : args.tile), run,
                            newer, sum);
      if (args.tile == 0) break;
    }
    __syncthreads();
    FMLP_UNROLL for (int j = 0; j < FMLP_GPU_FRACDIFF_ROWS; j++) {
      const int place = (int)threadIdx.x * FMLP_GPU_FRACDIFF_ROWS + j;
      values[fmlp_gpu_fracdiff_place(place)] = row + place >= lags ? fmlp_canonical(sum[j]) : fmlp_nan();
    }
    __syncthreads(); /* neighbouring threads now store neighbouring rows */
    for (int i = (int)threadIdx.x; i < rows && row + i < args.last; i += (int)blockDim.x) {
      args.out[row + i - args.out_first] = values[fmlp_gpu_fracdiff_place(i)];
    }
  }
}

#endif
