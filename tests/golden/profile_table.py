"""A profile file and what Python's own pstats prints for it, for tests/unit/test_prof.c.

    python3 tests/golden/profile_table.py tests/golden/profile.json > tests/golden/profile_table.txt

Call paths are turned into pstats' dictionary by definition: primitive calls and cumulative time of a function count
the paths on which it does not stand above itself.
"""
import io
import json
import pstats
import sys

SITES = [("run", "common/pipeline.c", 40), ("read", "common/io/tick_reader.c", 120), ("labels", "common/stages/labels.c", 90),
         ("labels.search", "cpu/triple_barrier.c", 9), ("walk", "common/stages/walk.c", 10), ("model", "common/stages/model.c", 300),
         ("model.forest", "common/stages/forest.c", 310), ("tiny \"quoted\\\" name", "common/stages/walk.c", 100)]
# thread, parent, site, calls, self in ns
PATHS = [(0, -1, 0, 1, 12_345_678), (0, 0, 1, 1, 250_000_001), (0, 0, 2, 1, 7_000_000), (0, 2, 3, 4, 100_500_500),
         (0, 0, 4, 2, 30_000_000), (0, 4, 4, 3, 20_000_000), (0, 5, 4, 5, 10_000_000), (0, 6, 7, 1, 499),
         (0, 0, 5, 1, 1_000_000), (0, 8, 6, 23, 1_400_000_000), (1, -1, 6, 23, 1_390_000_000), (1, 10, 4, 1, 777_777)]


def above(path):
    while path[1] >= 0:
        path = PATHS[path[1]]
        yield path


def totals():
    total = [p[4] for p in PATHS]
    for i in range(len(PATHS) - 1, -1, -1):
        if PATHS[i][1] >= 0:
            total[PATHS[i][1]] += total[i]
    return total


class Source:
    def create_stats(self):
        key = lambda site: (SITES[site][1], SITES[site][2], SITES[site][0])
        self.stats = {}
        for site in range(len(SITES)):
            cc = nc = tt = ct = 0
            for path, total in zip(PATHS, totals()):
                if path[2] != site:
                    continue
                nc += path[3]
                tt += path[4]
                if all(p[2] != site for p in above(path)):
                    cc += path[3]
                    ct += total
            self.stats[key(site)] = (cc, nc, tt / 1e9, ct / 1e9, {})


def main(path):
    counts = {"start_ns": 1_000, "stop_ns": 2_000_001_000, "spans": sum(p[3] for p in PATHS), "dropped_spans": 0,
              "dropped_events": 0, "open_spans": 0, "abandoned_spans": 0, "pair_picoseconds": 22_500}
    with open(path, "w") as out:
        json.dump({"schema": "fmlp-profile", "version": 1, **counts,
                   "sites": [{"name": n, "file": f, "line": line, "function": "f"} for n, f, line in SITES],
                   "threads": [{"id": 100, "main": True}, {"id": 101, "main": False}],
                   "paths": [[*p, t] for p, t in zip(PATHS, totals())],
                   "events": [[0, 0, 0, 1_900_000_000], [1, 1, 5, 250_000_006]]}, out, indent=1)
    for keys, restrictions in [("tottime", []), ("cumulative", []), ("ncalls", [3]), ("pcalls", []), ("stdname", []),
                               ("nfl", []), ("name", ["label"]), ("filename", ["stages", 2]), ("line", []),
                               ("time", ["nothing has this name"])]:
        text = io.StringIO()
        pstats.Stats(Source(), stream=text).sort_stats(keys).print_stats(*restrictions)
        words = [r for r in restrictions if isinstance(r, str)]
        counts = [r for r in restrictions if isinstance(r, int)]
        print(f"### {keys} {counts[0] if counts else -1} {words[0] if words else '-'}")
        print(text.getvalue(), end="")
    print("###")


if __name__ == "__main__":
    main(sys.argv[1])
