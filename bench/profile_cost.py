#!/usr/bin/env python3
"""What profiling costs a whole run: the same run with it and without it, in turns.

    bench/profile_cost.py [--pairs N] [--json FILE] [TICKS] [key=value ...]

Runs build/release/fmlp on one thread, bound to one core: without a profile, at level spans, at level full, and with a
thousand samples a second, one after the other, N times (20) in an order that turns. Prints the median of the ratios
with/without of the processor time of each pair, with its quartiles, and the same without twice, which shows what the
machine adds by itself. TICKS is the real file in FMLP_DATA or ../shared/data unless given, else a synthetic market.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FMLP = ROOT / "build" / "release" / "fmlp"
REAL = "EURUSD_fxcm_201405_ticks.csv.zst"
SMALL = ["model.params.n_estimators=50", "risk.monte_carlo.n_sims=2000"]  # every stage, a second or two
LEVELS = {
    "without": ["runtime.profile=false"],
    "without, again": ["runtime.profile=false"],
    "spans": ["runtime.profile_level=spans"],
    "full": ["runtime.profile_level=full"],
    "full, 1000 samples a second": ["runtime.profile_level=full", "runtime.profile_sampling=1000"],
}


def run(folder, path, settings):
    """One run: (seconds of the processor, seconds by the clock)."""
    shutil.rmtree(folder, ignore_errors=True)
    begin = time.perf_counter()
    process = subprocess.Popen([FMLP, "run", f"data.path={path}", f"run.dir={folder}", "runtime.threads=1", *settings],
                               cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(message)
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - begin


def measure(path, settings, pairs, folder):
    names = list(LEVELS)
    times = {name: [] for name in names}
    run(folder, path, LEVELS["without"] + settings)  # the file into the page cache
    for turn in range(pairs):
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            times[name].append(run(folder, path, LEVELS[name] + settings))
    shutil.rmtree(folder, ignore_errors=True)
    return times


def show(times):
    rows = []
    for name, taken in times.items():
        if name == "without":
            continue
        row = {"level": name}
        for at, clock in enumerate(("processor", "clock")):
            ratios = [with_it[at] / without[at] for with_it, without in zip(taken, times["without"])]
            low, middle, high = statistics.quantiles(ratios, n=4)
            row[clock] = {"median": middle, "quartiles": [low, high]}
        rows.append(row)
        processor = row["processor"]
        print(f"{name:30} processor time x {processor['median']:.4f} (quartiles {processor['quartiles'][0]:.4f} to "
              f"{processor['quartiles'][1]:.4f}), by the clock x {row['clock']['median']:.4f}", flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--json", type=Path)
    parser.add_argument("ticks", nargs="?")
    parser.add_argument("settings", nargs="*")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    data = ROOT / "build" / "bench-data"
    data.mkdir(parents=True, exist_ok=True)
    path = Path(arguments.ticks) if arguments.ticks else Path(os.environ.get("FMLP_DATA", ROOT.parent / "shared" / "data")) / REAL
    if not path.exists():
        if arguments.ticks:
            parser.error(f"{path} is not there")
        path = data / "synthetic_1m.csv"
        if not path.exists():
            subprocess.run([FMLP, "synth", "--seed", "1", "--ticks", "1000000", path], check=True, stdout=subprocess.DEVNULL)
    times = measure(path, SMALL + arguments.settings, arguments.pairs, data / "run")
    print(f"{arguments.pairs} runs each, {statistics.median(t[1] for t in times['without']):.2f} s without a profile")
    rows = show(times)
    if arguments.json:
        arguments.json.write_text(json.dumps({"pairs": arguments.pairs, "levels": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
