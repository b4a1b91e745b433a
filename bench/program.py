#!/usr/bin/env python3
"""The program as its users run it: a real file through every stage, and ten and fifty times as many ticks.

    bench/program.py [--json FILE]

Runs build/release/fmlp, and prints for each run the seconds by the clock, those of the processor (user and system, all
threads), and the most memory held, beside the size of the tick columns read. Needs no Python package. The real file
is looked for in FMLP_DATA or ../shared/data and left out where it is absent.
"""
import argparse
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FMLP = ROOT / "build" / "release" / "fmlp"
REAL = "EURUSD_fxcm_201405_ticks.csv.zst"
TO_LABELS = "read,clean,bars,features,labels"
BYTES_A_TICK = {"quotes": 8 + 4 + 4, "sized": 8 + 4 + 4 + 8 + 8}


def run(data, name, path, ticks, bytes_a_tick, threads, stages=None):
    """One run of the program: what it took."""
    folder = data / "run"
    shutil.rmtree(folder, ignore_errors=True)
    command = [str(FMLP), "run", f"data.path={path}", f"run.dir={folder}", f"runtime.threads={threads}"]
    if stages:
        command += ["--stages", stages]
    begin = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    message = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    if status != 0:
        raise SystemExit(f"{' '.join(command)}: {message}")
    shutil.rmtree(folder, ignore_errors=True)
    row = {"run": name, "ticks": ticks, "threads": threads, "stages": stages or "all", "seconds": seconds,
           "user_seconds": usage.ru_utime,
           "system_seconds": usage.ru_stime, "peak_mb": usage.ru_maxrss / 1000 * 1.024,
           "columns_mb": ticks * bytes_a_tick / 1e6}
    print(f"{name:30} {ticks / 1e6:6.2f} M ticks, {threads} thread{'s' if threads > 1 else ' '}: {seconds:7.3f} s, user "
          f"{row['user_seconds']:6.3f} s ({row['user_seconds'] / ticks * 1e9:5.1f} ns a tick), system "
          f"{row['system_seconds']:6.3f} s; {row['peak_mb']:7.1f} MB held, {row['columns_mb']:7.1f} MB of them tick columns",
          flush=True)
    return row


def shuffled(path):
    """The text with every 1000th row moved 500 rows on. Written row by row: a child's peak begins with its parent's."""
    out = path.with_name("unsorted.csv")
    with path.open() as text, out.open("w") as to:
        to.write(text.readline())
        held = ""
        for i, row in enumerate(text):
            if i % 1000 == 0:
                held = row
                continue
            to.write(row)
            if i % 1000 == 500:
                to.write(held)
                held = ""
        to.write(held)
    return out


def measure(data):
    rows = []
    data.mkdir(parents=True, exist_ok=True)
    real = Path(os.environ.get("FMLP_DATA", ROOT.parent / "shared" / "data")) / REAL
    if real.exists():
        count = 1144807
        rows.append(run(data, "real file, reading to labels", real, count, BYTES_A_TICK["quotes"], 1, TO_LABELS))
        rows.append(run(data, "real file, reading to labels", real, count, BYTES_A_TICK["quotes"], 2, TO_LABELS))
        rows.append(run(data, "real file, every stage", real, count, BYTES_A_TICK["quotes"], 2))
    else:
        print(f"{real} is not there: no run on a real file")
    for millions in (1, 10, 50):
        path = data / f"synthetic_{millions}m.csv"
        if not path.exists():
            subprocess.run([FMLP, "synth", "--seed", "1", "--ticks", str(millions * 1000000), path], check=True,
                           stdout=subprocess.DEVNULL)
        rows.append(run(data, "synthetic, reading to labels", path, millions * 1000000, BYTES_A_TICK["sized"], 1,
                        TO_LABELS))
    text = data / "epoch_ms.csv"
    if text.exists():
        rows.append(run(data, "180 MB of text, reading", text, 6000000, BYTES_A_TICK["quotes"], 1, "read,clean"))
        rows.append(run(data, "the same unsorted, reading", shuffled(text), 6000000, BYTES_A_TICK["quotes"], 1,
                        "read,clean"))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = measure(ROOT / "build" / "bench-data")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
