"""All exports of a profile: each as strict as its format is, and all with the same times to the nanosecond.

    profile_formats.py FOLDER real|exact     FOLDER holds what tests/cli/profile_formats.sh exported

A capture made by hand is exact everywhere; in a recorded one the timeline's spans are rounded one by one, at most 1 ns
at each end.
"""
import csv
import json
import marshal
import re
import sys
from collections import defaultdict
from decimal import Decimal

failures = []


def expect(condition, what):
    if not condition:
        failures.append(what)


def nanoseconds(microseconds, what):
    value = Decimal(microseconds) * 1000
    expect(value == value.to_integral_value(), f"{what}: {microseconds} us is no whole ns")
    return int(value)


# ---- Chrome's trace events -----------------------------------------------------------------------------------

FIELDS = {"M": {"ph", "pid", "tid", "name", "args"}, "X": {"ph", "pid", "tid", "ts", "dur", "cat", "name"},
          "C": {"ph", "pid", "tid", "ts", "name", "args"}, "s": {"ph", "pid", "tid", "ts", "id", "cat", "name"},
          "f": {"ph", "pid", "tid", "ts", "id", "cat", "name", "bp"}}


def check_rows(rows):
    """Slices of a row in the order of their starts, each beside or inside the one before; the outermost's time."""
    outer = defaultdict(int)
    for (pid, tid), slices in rows.items():
        stack, last = [], None
        for start, end, name in slices:
            expect(last is None or start >= last, f"row {pid}/{tid}: {name} goes back in time")
            last = start
            while stack and stack[-1] <= start:
                stack.pop()
            expect(not stack or end <= stack[-1], f"row {pid}/{tid}: {name} crosses the slice around it")
            if not stack:
                outer[pid, tid] += end - start
            stack.append(end)
    return outer


def check_arrows(starts, ends, rows):
    expect(starts.keys() == ends.keys(), "arrows with one end")
    for number in starts.keys() & ends.keys():
        (s_row, s_time, s_kind), (f_row, f_time, f_kind) = starts[number], ends[number]
        expect(s_kind == f_kind, f"arrow {number}: two kinds")
        expect(s_time <= f_time, f"arrow {number} leads back in time")
        expect(any(start <= s_time <= end for start, end, _ in rows[s_row]), f"arrow {number} begins in no slice")
        expect(any(start == f_time for start, end, _ in rows[f_row]), f"arrow {number} ends at no slice's start")


def check_chrome(path):
    trace = json.load(open(path, encoding="utf-8"), parse_float=Decimal)
    expect(set(trace) == {"displayTimeUnit", "traceEvents", "otherData"} and trace["displayTimeUnit"] == "ns", "chrome: keys")
    rows, counters, names, starts, ends = defaultdict(list), defaultdict(list), {}, {}, {}
    for event in trace["traceEvents"]:
        ph, row = event.get("ph"), (event.get("pid"), event.get("tid"))
        if ph not in FIELDS or not FIELDS[ph] <= set(event) or set(event) - FIELDS[ph] - {"args"}:
            failures.append(f"chrome: {event}")
            continue
        expect(all(type(n) is int and n >= 0 for n in row) and isinstance(event["name"], str), f"chrome: {event}")
        if ph == "M":
            expect(event["name"] in ("process_name", "thread_name") and isinstance(event["args"]["name"], str), f"chrome: {event}")
            key = (event["name"], *row) if event["name"] == "thread_name" else (event["name"], row[0])
            expect(key not in names, f"chrome: {key} twice")
            names[key] = event["args"]["name"]
            continue
        time = nanoseconds(event["ts"], "chrome")
        if ph == "X":
            length = nanoseconds(event["dur"], "chrome")
            expect(length >= 0, "chrome: a slice that ends before it starts")
            rows[row].append((time, time + length, event["name"]))
        elif ph == "C":
            expect(all(isinstance(v, (int, Decimal)) for v in event["args"].values()), "chrome: a counter without a number")
            counters[row[0], event["name"]].append(time)
        else:
            expect(ph == "s" or event["bp"] == "e", "chrome: an arrow bound to the wrong slice")
            into = starts if ph == "s" else ends
            expect(event["id"] not in into, f"chrome: id {event['id']} twice")
            into[event["id"]] = (row, time, (event["cat"], event["name"]))
    for pid, tid in rows:
        expect(("process_name", pid) in names and ("thread_name", pid, tid) in names, f"chrome: row {pid}/{tid} has no name")
    for key, times in counters.items():
        expect(times == sorted(times), f"chrome: counter {key} goes back in time")
    outer = check_rows(rows)
    check_arrows(starts, ends, rows)
    other = trace["otherData"]
    hosts = {row for row in rows if row[0] == 1 and not names.get(("thread_name", *row), "").startswith("calls")}
    return {"host": other["tottime_ns"], "device": other["device_ns"], "left out": other["left_out"],
            "threads": {names["thread_name", *row].rpartition(" ")[2]: outer[row] for row in hosts},
            "slices": sum(len(rows[row]) for row in hosts), "arrows": len(starts),
            "operations": sum(end - start for row in rows if row[0] > 1 for start, end, _ in rows[row])}


# ---- speedscope ------------------------------------------------------------------------------------------------

UNITS = {"none", "nanoseconds", "microseconds", "milliseconds", "seconds", "bytes"}


def only(thing, required, optional, what):
    expect(isinstance(thing, dict) and required <= set(thing) <= required | optional, f"speedscope: {what}: {str(thing)[:100]}")


def check_evented(profile, frames):
    only(profile, {"type", "name", "unit", "startValue", "endValue", "events"}, set(), "an evented profile")
    stack, now, outer, since = [], profile["startValue"], 0, 0
    for event in profile["events"]:
        only(event, {"type", "frame", "at"}, set(), "an event")
        expect(event["type"] in "OC" and 0 <= event["frame"] < frames and event["at"] >= now, f"speedscope: {event}")
        now = event["at"]
        if event["type"] == "O":
            since = now if not stack else since
            stack.append(event["frame"])
        else:
            expect(bool(stack) and stack.pop() == event["frame"], f"speedscope: {event} closes another frame")
            outer += now - since if not stack else 0
    expect(not stack and now <= profile["endValue"], "speedscope: left open, or beyond the end")
    return outer


def check_sampled(profile, frames):
    only(profile, {"type", "name", "unit", "startValue", "endValue", "samples", "weights"}, set(), "a sampled profile")
    expect(len(profile["samples"]) == len(profile["weights"]), "speedscope: samples and weights")
    expect(all(0 <= f < frames for stack in profile["samples"] for f in stack), "speedscope: a frame that is not there")
    expect(all(type(w) is int and w >= 0 for w in profile["weights"]), "speedscope: a weight")
    expect(sum(profile["weights"]) == profile["endValue"] - profile["startValue"], "speedscope: weights and end")
    return sum(profile["weights"])


def check_speedscope(path):
    scope = json.load(open(path, encoding="utf-8"))
    only(scope, {"$schema", "shared", "profiles"}, {"name", "activeProfileIndex", "exporter"}, "the file")
    only(scope["shared"], {"frames"}, set(), "shared")
    expect(scope["$schema"] == "https://www.speedscope.app/file-format-schema.json", "speedscope: schema")
    for frame in scope["shared"]["frames"]:
        only(frame, {"name"}, {"file", "line", "col"}, "a frame")
    found, frames = {"threads": {}, "operations": 0}, len(scope["shared"]["frames"])
    for number, profile in enumerate(scope["profiles"]):
        expect(profile["unit"] in UNITS and isinstance(profile["name"], str), "speedscope: unit or name")
        sum_of = (check_evented if profile["type"] == "evented" else check_sampled)(profile, frames)
        if number == 0:
            found["host"] = sum_of
        elif profile["name"].startswith("device"):
            found["operations"] += sum_of
        elif profile["type"] == "evented":
            found["threads"][profile["name"].rpartition(" ")[2]] = sum_of
    expect(0 <= scope.get("activeProfileIndex", 0) < len(scope["profiles"]), "speedscope: activeProfileIndex")
    return found


# ---- the others ------------------------------------------------------------------------------------------------

def pstats_total(path):
    with open(path, "rb") as file:
        stats = marshal.load(file)
    for cc, nc, tt, ct, callers in stats.values():
        expect(0 <= cc <= nc and tt <= ct * (1 + 1e-12), f"pstats: {cc} {nc} {tt} {ct}")
    return sum(round(tt * 1e9) for cc, nc, tt, ct, callers in stats.values())


def collapsed_total(path):
    lines = open(path, encoding="utf-8").read().splitlines()
    expect(all(re.fullmatch(r"[^;]*(;[^;]*)* [1-9][0-9]*", line) for line in lines), "collapsed: a line")
    return sum(int(line.rpartition(" ")[2]) for line in lines)


def check_page(path):
    """The data of the HTML page; columns of zeros are left out of it."""
    page = json.loads(re.search(r'<script type="application/json" id="capture">(.*?)</script>', open(path, encoding="utf-8").read(), re.S)[1])
    return page["capture"], {key: sum(page[table].get(column, [])) for key, table, column in [
        ("paths", "nodes", "self"), ("functions", "functions", "tottime"), ("operations", "operations", "duration")]}


def main(folder, exact):
    table = json.load(open(f"{folder}/table.json", encoding="utf-8"))
    totals, calls = table["totals"], sum(row["ncalls"] for row in table["paths"])
    chrome, scope = check_chrome(f"{folder}/trace.json"), check_speedscope(f"{folder}/scope.json")
    text = open(f"{folder}/table.txt", encoding="utf-8").read()
    dot = open(f"{folder}/out.dot", encoding="utf-8").read()
    rows = list(csv.DictReader(open(f"{folder}/table.csv", encoding="utf-8", newline="")))
    page, sums = check_page(f"{folder}/page.html")
    top = sum(row["cumtime_ns"] for row in table["paths"] if row["parent"] < 0)

    host = {"pstats": pstats_total(f"{folder}/out.prof"), "chrome": chrome["host"], "speedscope": scope["host"],
            "collapsed": collapsed_total(f"{folder}/out.folded"),
            "dot": sum(map(int, re.findall(r"^  f\d+ \[.* tottime_ns=(\d+)", dot, re.M))),
            "csv": sum(int(row["tottime_ns"]) for row in rows), "json paths": sum(row["tottime_ns"] for row in table["paths"]),
            "json functions": sum(row["tottime_ns"] for row in table["functions"]), "outermost": top,
            "text": int(re.search(r"internal time (\d+) ns", text)[1]),
            "html": page["tottime"], "html paths": sums["paths"], "html functions": sums["functions"]}
    device = {"chrome": chrome["device"], "csv": sum(int(row["gpu_self_sum_ns"]) for row in rows),
              "json": sum(row["gpu_self_sum_ns"] for row in table["paths"]) + table["unattributed"]["gpu_self_sum_ns"],
              "html": page["deviceSum"], "html operations": sums["operations"]}
    expect(page["deviceBusy"] == totals["gpu_busy_ns"], "html: busy")
    if totals["gpu_sum_ns"]:
        device["pstats"] = pstats_total(f"{folder}/out.gpu.prof")
        device["text"] = int(re.search(r"device operations, (\d+) ns", text)[1])
        device["chrome, slices"], device["speedscope"] = chrome["operations"], scope["operations"]
    wrong = {name: value for name, value in host.items() if value != totals["tottime_ns"]}
    expect(not wrong, f"internal time is {totals['tottime_ns']} ns, but {wrong}")
    wrong = {name: value for name, value in device.items() if value != totals["gpu_sum_ns"]}
    expect(not wrong, f"devices worked for {totals['gpu_sum_ns']} ns, but {wrong}")

    # The timeline: every call a slice, every thread's outermost slices as long as its outermost paths.
    slack = 0 if exact else 2 * calls
    expect(chrome["left out"] == 0 and chrome["slices"] == calls, f"chrome: {chrome['slices']} slices of {calls} calls")
    expect(abs(sum(chrome["threads"].values()) - top) <= slack, f"chrome: {chrome['threads']}, not {top}")
    expect(abs(sum(scope["threads"].values()) - top) <= slack, f"speedscope: {scope['threads']}, not {top}")
    expect(chrome["threads"] == scope["threads"], f"chrome {chrome['threads']}, speedscope {scope['threads']}")

    # CSV and JSON: the same rows, value by value.
    by_path = {row["path"]: row for row in table["paths"]} | {-1: table["unattributed"]}
    expect(len(rows) == len(by_path), "csv and json: rows")
    for row in rows:
        other = by_path[int(row["path"])]
        for key, value in row.items():
            if key in other and key not in ("name", "file", "function"):
                expect(Decimal(value) == Decimal(str(other[key])), f"path {row['path']}: {key} {value}, {other[key]}")
        expect(int(row["gpu_busy_ns"]) <= totals["wall_ns"], f"path {row['path']}: busy beyond the wall time")
    print(f"{calls} calls, {len(rows) - 1} paths, {totals['tottime_ns']} ns; {chrome['arrows']} arrows, {totals['gpu_sum_ns']} ns")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "exact")
    sys.exit("\n".join(failures[:10]) if failures else 0)
