"""What Python's pstats prints for the profile of profile_table.py, for tests/unit/test_profile_command.c.

    fmlp profile export --format pstats -o golden.prof tests/golden/profile.json
    python3 tests/golden/profile_show.py golden.prof > tests/golden/profile_show.txt

A section begins with the arguments of fmlp profile show after the file, a tab before each.
"""
import io
import pstats
import sys

REQUESTS = [("rows", ["cumulative", "name"], False, []), ("rows", ["filename", "line"], True, []), ("rows", ["nc"], False, [0.5, "s"]),
            ("callers", ["tottime"], False, []), ("callees", ["stdname"], False, []), ("callers", ["name"], True, ["walk|model", 3]),
            ("callees", ["pcalls", "time"], False, [0.67, "l"]), ("callers", ["time"], False, ["nothing has this name"])]

for method, keys, reverse, restrictions in REQUESTS:
    text = io.StringIO()
    stats = pstats.Stats(sys.argv[1], stream=text).sort_stats(*keys)
    if reverse:
        stats.reverse_order()
    getattr(stats, {"rows": "print_stats", "callers": "print_callers", "callees": "print_callees"}[method])(*restrictions)
    printed = text.getvalue().partition("\n")[2] if method == "rows" else text.getvalue()  # without the line that names the file
    arguments = ["--sort=" + ",".join(keys)] + ["--reverse"] * reverse + (["--" + method] if method != "rows" else [])
    print("\t".join(["###", *arguments, *map(str, restrictions)]))
    print(printed, end="")
print("###")
