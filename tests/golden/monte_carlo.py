#!/usr/bin/env python3
"""Golden values of Monte Carlo, written from the text of the contract alone, in plain Python.

    python3 tests/golden/monte_carlo.py > tests/golden/monte_carlo.txt

Philox is done in Python's integers, one path at a time, every draw from scratch; Python's float is the same
binary64 with the same rounding, so the file holds exact values, as hex floats.
"""
import math
import random

MASK = 0xFFFFFFFF
NAN = float("nan")


def philox(key, low, high):
    counter = [low & MASK, low >> 32, high & MASK, high >> 32]
    k0, k1 = key & MASK, key >> 32
    for _ in range(10):
        a, b = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(b >> 32) ^ counter[1] ^ k0, b & MASK, (a >> 32) ^ counter[3] ^ k1, a & MASK]
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return counter


assert philox(0, 0, 0) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def u32(seed, path, draw):
    return philox(seed, draw // 4, path)[draw % 4]


def index(u, n):
    return (u * n) >> 32


def trades_of_path(case, path):
    """Yields (trade, opens a resampled day) without end."""
    n, length, seed, kind = len(case["pnl"]), case["block"], case["seed"], case["kind"]
    if kind == "iid":
        t = 0
        while True:
            yield index(u32(seed, path, t), n), False
            t += 1
    elif kind in ("moving_block", "circular_block"):
        block = 0
        while True:
            start = index(u32(seed, path, block), n - length + 1 if kind == "moving_block" else n)
            for k in range(length):
                yield (start + k) % n, False
            block += 1
    elif kind == "stationary":
        t, trade = 0, 0
        while True:
            if t == 0 or u32(seed, path, 2 * t) < 2**32 // length:
                trade = index(u32(seed, path, 2 * t + 1), n)
            else:
                trade = (trade + 1) % n
            yield trade, False
            t += 1
    elif kind == "permutation":
        order = list(range(n))
        for t in range(n):
            j = t + index(u32(seed, path, t), n - t)
            order[t], order[j] = order[j], order[t]
            yield order[t], False
    else:
        day = 0
        while True:
            d = index(u32(seed, path, day), len(case["days"]) - 1)
            for trade in range(case["days"][d], case["days"][d + 1]):
                yield trade, trade == case["days"][d]
            day += 1


def canonical(x):
    return NAN if math.isnan(x) or math.isinf(x) else x + 0.0


def run_path(case, path):
    capital = peak = day_open = case["capital"]
    drawdown, used, outcome, history = 0.0, 0, 0, []
    for trade, opens in trades_of_path(case, path):
        if opens:
            day_open = capital
        if case["compounding"]:
            capital = capital + case["ratio"][trade] * capital
        else:
            capital = capital + case["pnl"][trade]
        if capital > peak:
            peak = capital
        fall = (peak - capital) / peak
        if fall > drawdown:
            drawdown = fall
        used += 1
        history.append(capital)
        if case["kind"] == "day" and capital - day_open <= -case["daily_loss"]:
            outcome = 2
        elif capital <= case["ruin"]:
            outcome = 1
        elif capital >= case["target"]:
            outcome = 3
        if outcome or used == case["max_trades"]:
            break
    fan = []
    for f in range(case["fan"]):
        at = -(-case["max_trades"] * (f + 1) // case["fan"])
        fan.append(canonical(history[min(at, used) - 1]))
    return canonical(capital), canonical(drawdown), used, outcome, fan


def tree_sum(values):
    width = 1
    while width < len(values):
        width *= 2
    level = values + [0.0] * (width - len(values))
    while len(level) > 1:
        level = [level[2 * i] + level[2 * i + 1] for i in range(len(level) // 2)]
    return level[0] + 0.0


def write(values):
    print(" ".join("nan" if isinstance(v, float) and math.isnan(v) else v.hex() if isinstance(v, float) else str(v)
                   for v in values))


KINDS = ["day", "iid", "moving_block", "circular_block", "stationary", "permutation"]


def make_case(rng, kind, n, block=1, max_trades=None, first=0, compounding=0, ruin=0.0, daily=0.0, target=0.0, fan=4,
              paths=40, seed=None):
    capital = 25000.0
    pnl = [round(rng.gauss(-5.0, 400.0), 2) for _ in range(n)]
    ratio, running = [], capital
    for value in pnl:
        ratio.append(value / running)
        running += value
    days = [0]
    while days[-1] < n:
        days.append(min(n, days[-1] + rng.randint(1, 6)))
    return {"kind": kind, "pnl": pnl, "ratio": ratio, "days": days, "block": block, "capital": capital,
            "max_trades": max_trades or n, "first": first, "compounding": compounding, "paths": paths, "fan": fan,
            "ruin": capital * (1.0 - ruin) if ruin else -math.inf, "daily_loss": daily * capital if daily else math.inf,
            "target": capital * (1.0 + target) if target else math.inf,
            "seed": rng.getrandbits(64) if seed is None else seed}


def main():
    rng = random.Random(20140501)
    cases = [
        make_case(rng, "iid", 60, seed=42),
        make_case(rng, "iid", 60, ruin=0.1, target=0.1, max_trades=150),
        make_case(rng, "iid", 37, compounding=1, ruin=0.1, target=0.08, first=1000),
        make_case(rng, "iid", 5, first=2**40 - 3, max_trades=9, paths=9),
        make_case(rng, "moving_block", 50, block=8, ruin=0.12),
        make_case(rng, "moving_block", 50, block=50, max_trades=75),
        make_case(rng, "circular_block", 50, block=7, target=0.06, max_trades=120),
        make_case(rng, "stationary", 64, block=6, max_trades=130),
        make_case(rng, "stationary", 64, block=1, compounding=1),
        make_case(rng, "permutation", 75),
        make_case(rng, "permutation", 33, ruin=0.05, target=0.05),
        make_case(rng, "day", 80),
        make_case(rng, "day", 80, ruin=0.1, daily=0.03, target=0.1, max_trades=200, paths=65),
        make_case(rng, "day", 80, compounding=1, ruin=0.1, daily=0.025, target=0.1, max_trades=120),
        make_case(rng, "day", 1, max_trades=3, paths=3),
    ]
    print(len(cases))
    for case in cases:
        print(KINDS.index(case["kind"]), case["seed"], case["paths"], case["first"], len(case["pnl"]),
              len(case["days"]) - 1, case["block"], case["max_trades"], case["compounding"], case["fan"])
        write([case["capital"], case["ruin"], case["daily_loss"], case["target"]])
        write(case["pnl"])
        write(case["ratio"])
        write(case["days"])
        results = [run_path(case, case["first"] + p) for p in range(case["paths"])]
        for final, drawdown, used, outcome, fan in results:
            write([final, drawdown, used, outcome] + fan)
        counts = [sum(r[3] == o for r in results) for o in range(4)]
        write(counts + [sum(r[0] < case["capital"] for r in results), sum(r[2] for r in results),
                        tree_sum([r[0] for r in results]) / case["paths"],
                        tree_sum([r[1] for r in results]) / case["paths"]])


main()
