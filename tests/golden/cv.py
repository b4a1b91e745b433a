"""Splits of tests/unit/test_cv.c from the definitions (Lopez de Prado, AFML 7 and 12), written with sets, without
looking at the program: every label is compared with every bar a test run covers.

    python3 tests/golden/cv.py > tests/golden/cv.txt

One case: a line `case type groups tested splits test_size gap embargo rows`, a line per label `event end usable`, then
`split purged embargoed`, `train ...`, `test ...` and `paths`, one line a path (-1 where never tested).
"""
import itertools
import random


def groups_of(events, count):
    size, longer = divmod(len(events), count)
    cuts, at = [], 0
    for g in range(count):
        step = size + (1 if g < longer else 0)
        cuts.append(events[at:at + step])
        at += step
    return cuts


def runs_of(tested):
    runs = []
    for g in tested:
        if runs and runs[-1][-1] == g - 1:
            runs[-1].append(g)
        else:
            runs.append([g])
    return runs


def case(kind, n_groups, n_test, n_splits, test_size, gap, embargo, labels):
    usable = [i for i, row in enumerate(labels) if row[2]]
    events = sorted({labels[i][0] for i in usable})
    rows = {e: [i for i in usable if labels[i][0] == e] for e in events}
    if kind == "cpcv":
        groups = groups_of(events, n_groups)
        splits = list(itertools.combinations(range(n_groups), n_test))
    elif kind == "purged_kfold":
        groups = groups_of(events, n_splits)
        splits = [(g,) for g in range(n_splits)]
    else:
        if kind == "walk_forward" and test_size == 0:
            groups = groups_of(events, n_splits + 1)
        else:
            size = test_size or len(events) // (n_splits + 1)
            first = len(events) - n_splits * size
            groups = [events[:first]] + [events[first + i * size:first + (i + 1) * size] for i in range(n_splits)]
        splits = [(g,) for g in range(1, n_splits + 1)]
    print("case", kind, n_groups, n_test, n_splits, test_size, gap, embargo, len(labels))
    for row in labels:
        print(*row)
    for tested in splits:
        test_events = [e for g in tested for e in groups[g]]
        test = [i for e in test_events for i in rows[e]]
        candidates = [e for e in events if e not in set(test_events)]
        if kind in ("walk_forward", "time_series"):
            before = [e for e in events if e < test_events[0]]
            candidates = before[:len(before) - gap] if gap < len(before) else []
        covered, embargoed_bars = set(), set()
        for run in runs_of(list(tested)):
            inside = [i for g in run for e in groups[g] for i in rows[e]]
            first, last = min(labels[i][0] for i in inside), max(labels[i][1] for i in inside)
            covered |= set(range(first, last + 1))
            embargoed_bars |= set(range(last + 1, last + 1 + embargo))
        train, purged, embargoed = [], 0, 0
        for e in candidates:
            for i in rows[e]:
                if covered & set(range(labels[i][0], labels[i][1] + 1)):
                    purged += 1
                elif e in embargoed_bars:
                    embargoed += 1
                else:
                    train.append(i)
        print("split", purged, embargoed)
        print("train", *train)
        print("test", *test)
    order = {g: [s for s, tested in enumerate(splits) if g in tested] for g in range(len(groups))}
    paths = max(len(v) for v in order.values())
    print("paths", paths)
    for p in range(paths):
        print(*[order[g][p] if p < len(order[g]) else -1 for g in range(len(groups))])


def labels_of(rng, bars, horizon, keep, both, bad):
    out = []
    for bar in range(bars):
        if rng.random() > keep:
            continue
        for _ in range(2 if both else 1):
            if both and rng.random() < 0.1:
                continue
            out.append((bar, bar + 1 + rng.randrange(horizon), 0 if rng.random() < bad else 1))
    return out


if __name__ == "__main__":
    rng = random.Random(20140501)
    case("cpcv", 10, 2, 0, 0, 0, 3, labels_of(rng, 150, 4, 1.0, False, 0.05))
    case("cpcv", 6, 3, 0, 0, 0, 0, labels_of(rng, 120, 6, 0.7, True, 0.1))
    case("purged_kfold", 0, 0, 5, 0, 0, 7, labels_of(rng, 103, 9, 0.9, True, 0.0))
    case("purged_kfold", 0, 0, 7, 0, 0, 0, labels_of(rng, 60, 2, 0.5, False, 0.0))
    case("walk_forward", 0, 0, 4, 0, 0, 5, labels_of(rng, 101, 5, 0.8, False, 0.1))
    case("walk_forward", 0, 0, 3, 12, 2, 0, labels_of(rng, 90, 5, 0.8, True, 0.0))
    case("time_series", 0, 0, 4, 0, 3, 0, labels_of(rng, 83, 3, 1.0, False, 0.0))
