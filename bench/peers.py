#!/usr/bin/env python3
"""fmlp beside pandas, numba, bottleneck and numpy: the same data, the same machine, one run, one thread.

    bench/peers.py [--repeats N] [--json FILE] [--only PREFIX]

Builds build/release/fmlp_bench if needed, puts the peers into a virtual environment of its own (bench/.venv), lets
fmlp_bench write its data set, and times each peer between two runs of fmlp's case, so that a drift of the machine's
speed shows as a spread of the ratios. Ratios are peer time / fmlp time: above 1, fmlp is faster. Each peer's result is
checked against a plain definition before it is timed.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / "bench" / ".venv"
PACKAGES = ["numpy", "pandas", "numba", "bottleneck"]
DATA = ROOT / "build" / "bench-data"
BENCH = ROOT / "build" / "release" / "fmlp_bench"


def enter_environment():
    """Re-executes this script inside the virtual environment, making it first where it is missing."""
    python = VENV / "bin" / "python"
    if Path(sys.prefix).resolve() == VENV.resolve():
        return
    if not (VENV / "ready").exists():
        print(f"Installing {', '.join(PACKAGES)} into {VENV.relative_to(ROOT)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([python, "-m", "pip", "-q", "install", *PACKAGES], check=True)
        (VENV / "ready").touch()
    os.execv(python, [str(python), *sys.argv])


def build():
    os.chdir(ROOT)
    if not (ROOT / "build" / "release" / "CMakeCache.txt").exists():
        subprocess.run(["cmake", "--preset", "release"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "-S", ".", "-B", "build/release", "-DFMLP_BENCH=ON"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", "build/release", "--target", "fmlp_bench"], check=True,
                   stdout=subprocess.DEVNULL)


def run_fmlp(case, repeats, write=False):
    """Median seconds of one case (None while only writing data)."""
    out = DATA / "case.json"
    DATA.mkdir(parents=True, exist_ok=True)
    command = [BENCH, "--data", DATA, "--threads", "1", "--repeats", str(repeats), "--json", out]
    if write:
        command.append("--write")
    subprocess.run([*command, case], check=True, stdout=subprocess.DEVNULL)
    for row in json.loads(out.read_text()):
        if row["name"] == case:
            return row["median_seconds"]
    raise SystemExit(f"fmlp_bench has no case {case}")


def timed(function, repeats):
    function()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def peers():
    """Yields (case, peer, function to time)."""
    import bottleneck
    import numba
    import numpy as np
    import pandas as pd

    jit = numba.njit(cache=False, error_model="numpy")

    def column(name):
        return np.load(DATA / f"{name}.npy")

    # --- reading
    epoch, date = DATA / "epoch_ms.csv", DATA / "date_time.csv"
    yield "csv/epoch_ms", "pandas", lambda: pd.read_csv(epoch)
    yield "csv/date_time", "pandas", lambda: pd.read_csv(date, parse_dates=["time"])

    # --- tick bars of 100
    time_ns, bid, ask = column("tick_time"), column("tick_bid"), column("tick_ask")

    @jit
    def tick_bars(time_ns, bid, ask, size):
        count = len(bid) // size
        out = np.empty((count, 10), np.int64)
        spread = np.empty((count, 2), np.float64)
        for b in range(count):
            first = b * size
            bh = bl = bid[first]
            ah = al = ask[first]
            total = square = 0
            for i in range(first, first + size):
                x, y = bid[i], ask[i]
                bh = max(bh, x)
                bl = min(bl, x)
                ah = max(ah, y)
                al = min(al, y)
                s = np.int64(y) - np.int64(x)
                total += s
                square += s * s
            last = first + size - 1
            out[b, 0], out[b, 1] = time_ns[first], time_ns[last]
            out[b, 2], out[b, 3], out[b, 4], out[b, 5] = bid[first], bh, bl, bid[last]
            out[b, 6], out[b, 7], out[b, 8], out[b, 9] = ask[first], ah, al, ask[last]
            mean = total / size
            spread[b, 0] = mean
            spread[b, 1] = np.sqrt((square - size * mean * mean) / (size - 1))
        return out, spread

    assert tick_bars(time_ns[:200], bid[:200], ask[:200], 100)[0][0, 3] == bid[:100].max()
    yield "bars/tick_100", "numba", lambda: tick_bars(time_ns, bid, ask, 100)

    # --- 24 features: sum mean std zscore min max over 10 20 50 100
    price = column("price")
    windows = (10, 20, 50, 100)

    def pandas_features():
        series = pd.Series(price)
        out = []
        for w in windows:
            rolling = series.rolling(w)
            mean, std = rolling.mean(), rolling.std()
            out += [rolling.sum(), mean, std, (series - mean) / std, rolling.min(), rolling.max()]
        return out

    def bottleneck_features():
        out = []
        for w in windows:
            mean, std = bottleneck.move_mean(price, w), bottleneck.move_std(price, w, ddof=1)
            out += [bottleneck.move_sum(price, w), mean, std, (price - mean) / std, bottleneck.move_min(price, w),
                    bottleneck.move_max(price, w)]
        return out

    @jit
    def sum_mean_std_zscore(x, w, out):
        # one pass, sliding sums of x and (x - x0)^2: fast, and drifting, as users write it
        origin = x[0]
        total = square = 0.0
        for i in range(len(x)):
            value = x[i] - origin
            total += value
            square += value * value
            if i >= w:
                old = x[i - w] - origin
                total -= old
                square -= old * old
            if i >= w - 1:
                mean = total / w
                variance = max((square - total * mean) / (w - 1), 0.0)
                std = np.sqrt(variance)
                out[0, i] = total + w * origin
                out[1, i] = mean + origin
                out[2, i] = std
                out[3, i] = (value - mean) / std
            else:
                out[0, i] = out[1, i] = out[2, i] = out[3, i] = np.nan

    @jit
    def extreme(x, w, sign, queue, out):
        # monotonic queue
        head = tail = 0
        for i in range(len(x)):
            while tail > head and sign * x[queue[(tail - 1) % w]] <= sign * x[i]:
                tail -= 1
            queue[tail % w] = i
            tail += 1
            if queue[head % w] <= i - w:
                head += 1
            out[i] = x[queue[head % w]] if i >= w - 1 else np.nan

    buffers = {w: np.empty((6, len(price))) for w in windows}
    queues = {w: np.empty(w, np.int64) for w in windows}

    def numba_features():
        for w in windows:
            sum_mean_std_zscore(price, w, buffers[w])
            extreme(price, w, -1.0, queues[w], buffers[w][4])
            extreme(price, w, 1.0, queues[w], buffers[w][5])

    numba_features()
    reference = pandas_features()
    for n, w in enumerate(windows):
        for k in (1, 2, 4, 5):
            assert np.allclose(reference[6 * n + k][w:], buffers[w][k][w:], rtol=1e-4), (w, k)
    yield "rolling/features24", "pandas", pandas_features
    yield "rolling/features24", "bottleneck", bottleneck_features
    yield "rolling/features24", "numba", numba_features

    # --- labels: early-exit scan
    high, low, close = column("high"), column("low"), column("close")

    @jit
    def scan(high, low, close, horizon, distance, outcome, exit_bar):
        bars = len(high)
        for e in range(bars - 1):
            up, down = close[e] + distance, close[e] - distance
            last = min(e + horizon, bars - 1)
            outcome[e] = 0
            exit_bar[e] = last
            for b in range(e + 1, last + 1):
                if low[b] <= down:
                    outcome[e] = -1
                    exit_bar[e] = b
                    break
                if high[b] >= up:
                    outcome[e] = 1
                    exit_bar[e] = b
                    break

    outcome, exit_bar = np.empty(len(high) - 1, np.int8), np.empty(len(high) - 1, np.int32)
    for horizon in (32, 500, 5000):
        distance = int(np.ceil(3.0 * 4.6 * np.sqrt(horizon)))
        yield f"labels/{horizon}", "numba", lambda h=horizon, d=distance: scan(high, low, close, h, d, outcome, exit_bar)

    # --- Monte Carlo: 10,000 paths of 1,000 trades, final capital and maximum drawdown
    pnl = column("pnl")
    paths, trades = 10000, len(pnl)

    @jit
    def simulate(pnl, paths, trades, capital0, final, drawdown):
        for p in range(paths):
            capital = peak = capital0
            worst = 0.0
            for _ in range(trades):
                capital += pnl[np.random.randint(0, trades)]
                if capital > peak:
                    peak = capital
                fall = (peak - capital) / peak
                if fall > worst:
                    worst = fall
            final[p] = capital
            drawdown[p] = worst

    final, drawdown = np.empty(paths), np.empty(paths)
    generator = np.random.default_rng(42)

    def numpy_monte_carlo():
        for _ in range(10):  # in tenths, or the matrices alone take 240 MB
            index = generator.integers(0, trades, size=(paths // 10, trades))
            capital = 10000.0 + np.cumsum(pnl[index], axis=1)
            peak = np.maximum.accumulate(np.maximum(capital, 10000.0), axis=1)
            ((peak - capital) / peak).max(axis=1)

    yield "monte_carlo/iid", "numba", lambda: simulate(pnl, paths, trades, 10000.0, final, drawdown)
    yield "monte_carlo/iid", "numpy", numpy_monte_carlo


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    build()
    run_fmlp("span/pair_off", 1, write=True)
    rows = []
    print(f"{'case':22} {'peer':11} {'fmlp ms':>10} {'peer ms':>11} {'ratio':>8}")
    for case, peer, function in peers():
        if not case.startswith(arguments.only):
            continue
        before = run_fmlp(case, arguments.repeats)
        theirs = timed(function, max(1, arguments.repeats // 2))
        after = run_fmlp(case, arguments.repeats)
        ours = (before + after) / 2
        rows.append({"case": case, "peer": peer, "fmlp_seconds": ours, "peer_seconds": theirs, "ratio": theirs / ours,
                     "ratio_low": theirs / max(before, after), "ratio_high": theirs / min(before, after)})
        print(f"{case:22} {peer:11} {ours * 1e3:10.2f} {theirs * 1e3:11.2f} {theirs / ours:8.1f}", flush=True)
    if arguments.json:
        import numba
        import numpy
        import pandas

        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
        processor = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if "model name" in line), "")
        arguments.json.write_text(json.dumps({
            "date": time.strftime("%Y-%m-%d"), "commit": commit, "processor": processor, "threads": 1,
            "python": platform.python_version(), "numpy": numpy.__version__, "pandas": pandas.__version__,
            "numba": numba.__version__, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    enter_environment()
    main()
