#!/usr/bin/env python3
"""fmlp beside pandas, polars, numba, bottleneck and numpy: the same data, the same machine, one run, one core.

    bench/peers.py [--rounds N] [--only PREFIX] [--no-program] [--json FILE]

Builds build/release/fmlp_bench, puts the peers into a virtual environment of its own (bench/.venv), lets fmlp_bench
write data and results, checks each peer's result against fmlp's, and times fmlp and peer in turns. Two times are kept,
medians over the rounds: by the clock, and of the processor, which other programs on the machine disturb less; ratios
are peer / fmlp of processor time (above 1, fmlp is faster), and stand beside those by the clock. At the end the whole
program runs on a real file and on synthetic ones (bench/program.py).
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
PACKAGES = ["numpy", "pandas", "numba", "bottleneck", "polars"]
DATA = ROOT / "build" / "bench-data"
BENCH = ROOT / "build" / "release" / "fmlp_bench"

# What fmlp has to reach: ratios to peers, and speeds per second of processor time.
RATIOS = {("csv/epoch_ms", "pandas"): 8, ("csv/date_time", "pandas"): 8, ("bars/tick_100", "numba"): 2.5,
          ("rolling/features24", "pandas"): 15, ("rolling/features24", "numba"): 1.5, ("labels/32", "numba"): 2.5,
          ("labels/500", "numba"): 15, ("labels/5000", "numba"): 150, ("monte_carlo/iid", "numba"): 4,
          ("monte_carlo/iid", "numpy"): 15}
SPEEDS = {"csv/epoch_ms": ("GB/s", 1), "csv/date_time": ("GB/s", 1), "bars/tick_100": ("G ticks/s", 1)}
NANOSECONDS = {"span/pair_on": 60, "span/pair_off": 2}


def enter_environment():
    """Re-executes this script inside the virtual environment, making it first where it is missing."""
    python = VENV / "bin" / "python"
    if Path(sys.prefix).resolve() == VENV.resolve():
        return
    if not (VENV / "ready").exists():
        print(f"Installing {', '.join(PACKAGES)} into {VENV.relative_to(ROOT)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([python, "-m", "pip", "-q", "--disable-pip-version-check", "install", *PACKAGES], check=True)
        (VENV / "ready").touch()
    for library in ("POLARS_MAX_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[library] = "1"
    os.execv(python, [str(python), *sys.argv])


def build():
    os.chdir(ROOT)
    if not (ROOT / "build" / "release" / "CMakeCache.txt").exists():
        subprocess.run(["cmake", "--preset", "release"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "-S", ".", "-B", "build/release", "-DFMLP_BENCH=ON"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", "build/release", "--target", "fmlp_bench", "fmlp_program"], check=True,
                   stdout=subprocess.DEVNULL)


def run_fmlp(cases, repeats, write=False):
    """The rows that fmlp_bench gives, by case."""
    out = DATA / "case.json"
    DATA.mkdir(parents=True, exist_ok=True)
    command = [BENCH, "--data", DATA, "--threads", "1", "--repeats", str(repeats), "--json", out]
    subprocess.run([*command, *(["--write"] if write else []), *cases], check=True, stdout=subprocess.DEVNULL)
    return {row["name"]: row for row in json.loads(out.read_text())}


def timed(function):
    """Seconds by the clock and of the processor."""
    begin, begin_processor = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - begin, time.process_time() - begin_processor


def peers():
    """Yields (case, peer, function to time); what a function computes is checked before it is given."""
    import bottleneck
    import numba
    import numpy as np
    import pandas as pd
    import polars as pl

    jit = numba.njit(cache=False, error_model="numpy")  # fastmath stays off, as in fmlp

    def column(name):
        return np.load(DATA / f"{name}.npy")

    # --- reading
    epoch, date = DATA / "epoch_ms.csv", DATA / "date_time.csv"
    time_ns, bid, ask = column("tick_time"), column("tick_bid"), column("tick_ask")

    def pandas_epoch():
        return pd.read_csv(epoch, engine="c", dtype={"timestamp": "int64", "askPrice": "float64", "bidPrice": "float64"})

    def pandas_date():
        return pd.read_csv(date, engine="c", dtype={"ask": "float64", "bid": "float64"}, parse_dates=["time"],
                           date_format="%Y-%m-%d %H:%M:%S.%f")

    def polars_epoch():
        return pl.read_csv(epoch, schema={"timestamp": pl.Int64, "askPrice": pl.Float64, "bidPrice": pl.Float64})

    def polars_date():
        return pl.read_csv(date, schema={"time": pl.String, "ask": pl.Float64, "bid": pl.Float64}).with_columns(
            pl.col("time").str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="ns"))

    frame = pandas_epoch()
    assert (frame["timestamp"].to_numpy() * 1000000 == time_ns[:len(frame)]).all()
    assert (np.rint(frame["bidPrice"].to_numpy() * 1e5) == bid[:len(frame)]).all()
    yield "csv/epoch_ms", "pandas", pandas_epoch
    yield "csv/epoch_ms", "polars", polars_epoch
    frame = pandas_date()
    assert (frame["time"].to_numpy().astype("datetime64[ns]").astype(np.int64) == time_ns[:len(frame)]).all()
    yield "csv/date_time", "pandas", pandas_date
    yield "csv/date_time", "polars", polars_date
    del frame

    # --- tick bars of 100
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
    price = column("rolling_features24_x")
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
    reference, moving = pandas_features(), bottleneck_features()
    for n, w in enumerate(windows):
        for k, operator in enumerate(("sum", "mean", "std", "zscore", "min", "max")):
            ours = column(f"rolling_features24_{operator}_{w}")[w:]
            for theirs in (reference[6 * n + k][w:], buffers[w][k][w:], moving[6 * n + k][w:]):
                # the peers' running sums drift; a standard deviation near 0 shows it most
                close = np.isclose(ours, theirs, rtol=1e-3, atol=1e-2 if operator == "zscore" else 1e-7)
                assert close.mean() > 0.999, (operator, w)
    yield "rolling/features24", "pandas", pandas_features
    yield "rolling/features24", "bottleneck", bottleneck_features
    yield "rolling/features24", "numba", numba_features

    # --- labels: early-exit scan
    @jit
    def scan(high, low, start, target, stop, last, outcome, exit_bar):
        for e in range(len(start)):
            up, down = target[e], stop[e]
            outcome[e] = 0
            exit_bar[e] = last[e]
            for b in range(start[e] + 1, last[e] + 1):
                if low[b] <= down:
                    outcome[e] = -1
                    exit_bar[e] = b
                    break
                if high[b] >= up:
                    outcome[e] = 1
                    exit_bar[e] = b
                    break

    for horizon in (32, 500, 5000):
        case = f"labels_{horizon}"
        inputs = [column(f"{case}_{name}") for name in ("high", "low", "start", "target", "stop", "last")]
        outcome, exit_bar = np.empty(len(inputs[2]), np.int8), np.empty(len(inputs[2]), np.int32)
        scan(*inputs, outcome, exit_bar)
        assert (outcome == column(f"{case}_outcome")).all() and (exit_bar == column(f"{case}_exit")).all()
        yield f"labels/{horizon}", "numba", lambda i=inputs, o=outcome, e=exit_bar: scan(*i, o, e)

    # --- Monte Carlo: 10,000 paths of 1,000 trades, final capital and maximum drawdown
    pnl = column("monte_carlo_iid_pnl")
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

    simulate(pnl, paths, trades, 10000.0, final, drawdown)
    for ours, theirs in ((column("monte_carlo_iid_final"), final), (column("monte_carlo_iid_drawdown"), drawdown)):
        error = np.hypot(ours.std(), theirs.std()) / np.sqrt(paths)
        assert abs(ours.mean() - theirs.mean()) < 5 * error  # other random numbers, the same distribution
    yield "monte_carlo/iid", "numba", lambda: simulate(pnl, paths, trades, 10000.0, final, drawdown)
    yield "monte_carlo/iid", "numpy", numpy_monte_carlo


def compare(case, peer, function, rounds):
    """One row: fmlp and the peer in turns."""
    repeats = 5
    ours, theirs = [run_fmlp([case], repeats)[case]], []
    function()
    for _ in range(rounds):
        theirs.append(timed(function))
        ours.append(run_fmlp([case], repeats)[case])
    row = {"case": case, "peer": peer, "rounds": rounds, "items": ours[0]["items"], "unit": ours[0]["unit"],
           "fmlp_seconds": statistics.median(o["median_seconds"] for o in ours),
           "fmlp_processor_seconds": statistics.median(o["processor_seconds"] for o in ours),
           "peer_seconds": statistics.median(t[0] for t in theirs),
           "peer_processor_seconds": statistics.median(t[1] for t in theirs)}
    row["ratio"] = row["peer_processor_seconds"] / row["fmlp_processor_seconds"]
    row["ratio_low"] = min(t[1] for t in theirs) / max(o["processor_seconds"] for o in ours)
    row["ratio_by_clock"] = row["peer_seconds"] / row["fmlp_seconds"]
    row["target"] = RATIOS.get((case, peer))
    return row


def show(row):
    target = row["target"]
    verdict = "" if target is None else f"  {'reached' if row['ratio'] >= target else 'MISSED'}: {target}"
    print(f"{row['case']:22} {row['peer']:11} {row['fmlp_processor_seconds'] * 1e3:10.2f} "
          f"{row['peer_processor_seconds'] * 1e3:11.2f} {row['ratio']:8.1f} {row['ratio_by_clock']:8.1f}{verdict}", flush=True)


def speeds(cases):
    """fmlp alone: every case, per second of processor time."""
    for case in cases.values():
        seconds = case["processor_seconds"]
        if case["name"] in SPEEDS:
            unit, target = SPEEDS[case["name"]]
            speed = (case["bytes"] if unit == "GB/s" else case["items"]) / seconds / 1e9
            print(f"{case['name']:22} {speed:6.2f} {unit}, {'reached' if speed >= target else 'MISSED'}: {target}")
        if case["name"] in NANOSECONDS:
            each, target = seconds / case["items"] * 1e9, NANOSECONDS[case["name"]]
            print(f"{case['name']:22} {each:6.2f} ns, {'reached' if each <= target else 'MISSED'}: {target}", flush=True)


def environment():
    import bottleneck
    import numba
    import numpy
    import pandas
    import polars

    def tell(*command):
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout.strip()

    processor = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if "model name" in line), "")
    changed = bool(tell("git", "status", "--porcelain", "--untracked-files=no", "--", "bench", "common", "cpu", "prof"))
    return {"date": time.strftime("%Y-%m-%d"), "commit": tell("git", "rev-parse", "HEAD") + ("+" if changed else ""),
            "compiler": tell("cc", "--version").splitlines()[0], "processor": processor, "cores": os.cpu_count(),
            "load_average": os.getloadavg(), "kernel": platform.release(), "python": platform.python_version(),
            **{m.__name__: m.__version__ for m in (numpy, pandas, numba, bottleneck, polars)}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--no-program", action="store_true")
    arguments = parser.parse_args()
    build()
    about = environment()
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(all_cores)})
    cases = run_fmlp([], 5, write=True)
    speeds(cases)
    rows = []
    print(f"\n{'milliseconds of processor time':34} {'fmlp':>10} {'peer':>11} {'ratio':>8} {'by clock':>8}")
    for case, peer, function in peers():
        if case.startswith(arguments.only):
            rows.append(compare(case, peer, function, arguments.rounds))
            show(rows[-1])
    os.sched_setaffinity(0, all_cores)
    runs = []
    if not arguments.no_program:
        print(flush=True)
        subprocess.run([sys.executable, Path(__file__).with_name("program.py"), "--json", DATA / "program.json"], check=True)
        runs = json.loads((DATA / "program.json").read_text())
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        about["load_average_after"] = os.getloadavg()
        arguments.json.write_text(json.dumps({**about, "cases": list(cases.values()), "peers": rows, "program": runs},
                                             indent=1) + "\n")


if __name__ == "__main__":
    if not {"-h", "--help"} & set(sys.argv):
        enter_environment()
    main()
