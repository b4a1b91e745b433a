"""What fmlp profile show prints, against Python's own pstats on the exported file.

    pstats_cases.py capture SEED FILE               a profile at random
    pstats_cases.py make FMLP SEED CASES FILE...    one case a line: file, request, and what fmlp prints
    pstats_cases.py check CASES                     the same requests to this interpreter's pstats
"""
import io
import itertools
import json
import os
import pstats
import random
import subprocess
import sys

KEYS = ["calls", "ncalls", "cumtime", "cumulative", "filename", "line", "module", "name", "nfl", "pcalls", "stdname",
        "time", "tottime"]
SHORT = ["ca", "nc", "cu", "cumu", "f", "l", "m", "na", "nf", "p", "s", "ti", "to"]  # unique in pstats, too
# the same to Python and POSIX
EXPRESSIONS = ["stages", "^common", r"\(w", "l.*s", r"[a-m]+:[0-9]+\(", "run|read", "it's", '"q"', "M\u00fcnchen", r"\\",
               "nothing has this name", "(walk|step)[)]$"]
METHODS = {"rows": "print_stats", "callers": "print_callers", "callees": "print_callees"}


def capture(seed, path):
    """Call paths and nothing else: few functions, much recursion, equal times and counts."""
    draw = random.Random(seed)
    names = ["run", "read", "labels", "labels.search", "walk", "step", "M\u00fcnchen \"q\" 'a' \\ <b>", "", "<lambda>"]
    files = ["common/pipeline.c", "common/stages/walk.c", "common/io/it's.c", "cpu/other.c"]
    sites = sorted({(draw.choice(names), draw.choice(files), draw.choice([1, 9, 10, 100])) for _ in range(14)})
    draw.shuffle(sites)
    paths = []
    for thread in range(draw.choice([1, 3])):
        first = len(paths)
        for _ in range(draw.choice([1, 12, 60])):
            parent = draw.randrange(first - 1, len(paths)) if len(paths) > first else -1
            parent = parent if parent >= first else -1
            site = draw.randrange(len(sites))
            if any(p[0] == thread and p[1] == parent and p[2] == site for p in paths):
                continue
            time = draw.choice([0, 500_000, 1_500_000, draw.randrange(3 * 10**9)])
            paths.append([thread, parent, site, draw.choice([1, 2, 7, 2**33]), time, time])
    for i in range(len(paths) - 1, -1, -1):
        if paths[i][1] >= 0:
            paths[paths[i][1]][5] += paths[i][5]
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"schema": "fmlp-profile", "version": 1, "start_ns": 0, "stop_ns": 10**13, "spans": 1, "dropped_spans": 0,
                   "dropped_events": 0, "open_spans": 0, "abandoned_spans": 0, "pair_picoseconds": 20000,
                   "sites": [{"name": n, "file": f, "line": line, "function": "f"} for n, f, line in sites],
                   "threads": [{"id": 100 + t, "main": t == 0} for t in range(3)], "paths": paths, "events": []}, out)


def requests(seed):
    """(method, keys, reverse, restrictions): every key and abbreviation, some of the rest."""
    draw = random.Random(seed)
    for method, key in itertools.product(METHODS, KEYS):
        yield method, [key], False, []
    for key in SHORT:
        yield "rows", [key], draw.random() < 0.5, []
    for expression in EXPRESSIONS:
        yield draw.choice(list(METHODS)), [draw.choice(KEYS)], False, [expression]
    for _ in range(30):
        restrictions = [draw.choice([draw.randrange(15), draw.choice([0.0, 0.1, 0.25, 0.5, 2 / 3, 0.99]),
                                     draw.choice(EXPRESSIONS)]) for _ in range(draw.randrange(4))]
        yield draw.choice(list(METHODS)), draw.sample(KEYS, draw.choice([1, 2, 3])), draw.random() < 0.3, restrictions


def write_cases(out, fmlp, seed, file, prof, options):
    for method, keys, reverse, restrictions in requests(seed):
        arguments = options + ([] if method == "rows" else ["--" + method])
        arguments += ["--reverse"] if reverse else []
        arguments += [f"--sort={','.join(keys)}", file, *map(str, restrictions)]
        done = subprocess.run([fmlp, "profile", "show", *arguments], check=True, stdout=subprocess.PIPE)
        out.write(json.dumps([prof, method, keys, reverse, restrictions, done.stdout.decode()]) + "\n")


def make(fmlp, seed, cases, files):
    with open(cases, "w", encoding="utf-8") as out:
        for number, file in enumerate(files):
            prof = file.rpartition("/")[2].removesuffix(".json") + f".{number}.prof"
            subprocess.run([fmlp, "profile", "export", "--format", "pstats", "-o", prof, file], check=True)
            write_cases(out, fmlp, f"{seed} {number}", file, prof, [])
            device = prof.removesuffix(".prof") + ".gpu.prof"
            if os.path.exists(device):
                write_cases(out, fmlp, f"{seed} {number}", file, device, ["--gpu"])


def check(cases):
    count, wrong, loaded = 0, 0, {}
    with open(cases, encoding="utf-8") as lines:
        for line in lines:
            prof, method, keys, reverse, restrictions, printed = json.loads(line)
            text = io.StringIO()
            stats = loaded.get(prof) or loaded.setdefault(prof, pstats.Stats(prof, stream=text))
            stats.stream = text
            stats.sort_stats(*keys)
            if reverse:
                stats.reverse_order()
            getattr(stats, METHODS[method])(*restrictions)
            expected = text.getvalue()
            if method == "rows":  # the first line names the file
                expected, printed = expected.partition("\n")[2], printed.partition("\n")[2]
            count += 1
            if expected != printed:
                wrong += 1
                if wrong < 4:
                    print(f"{prof}: {method} {keys} {reverse} {restrictions}\n{expected}--- fmlp:\n{printed}")
    print(f"{count} tables equal to those of Python {sys.version.split()[0]}" if not wrong else f"{wrong} of {count} differ")
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    if sys.argv[1] == "capture":
        capture(int(sys.argv[2]), sys.argv[3])
    elif sys.argv[1] == "make":
        make(sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5:])
    else:
        sys.exit(check(sys.argv[2]))
