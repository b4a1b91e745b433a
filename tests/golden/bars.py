#!/usr/bin/env python3
"""Golden bars: an independent, tick-by-tick construction in exact arithmetic. Writes bars.txt beside itself.

Ticks come from a 64-bit linear congruential generator that tests/unit/test_bars.c repeats. Sessions are 08:00 to
16:30 UTC on every day; ticks outside them are kept and form segments of their own.
"""
import math
import os
from fractions import Fraction

COUNT = 600
SECOND = 10**9
START = 1_400_000_000 * SECOND
OPEN, CLOSE, DAY = 8 * 3600 * SECOND, 16 * 3600 * SECOND + 1800 * SECOND, 86400 * SECOND


class Generator:
    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return ((self.state >> 32) * n) >> 32


def make_ticks(seed, trades):
    draw, time, price, ticks = Generator(seed), START, 100000, []
    for _ in range(COUNT):
        kind = draw.below(100)
        if kind < 2:
            time += draw.below(20000) * SECOND
        elif kind >= 10:
            time += draw.below(600) * SECOND
        price += draw.below(41) - 20
        spread = 0 if trades else draw.below(12) - 1
        ticks.append((time, price, price + spread, draw.below(50), 0 if trades else draw.below(50)))
    return ticks


def segment(time):
    day, within = divmod(time, DAY)
    if within < OPEN:
        return ("gap", day - 1)
    return ("session", day) if within < CLOSE else ("gap", day)


def segment_close(name):
    kind, day = name
    return day * DAY + CLOSE if kind == "session" else (day + 1) * DAY + OPEN


def make_bars(ticks, trades, rule, threshold, tail, m, k, size_m, size_k):
    """Rows of (open_time, close_time, first, last, ticks of the bar)."""
    threshold = Fraction(threshold)
    point, unit = Fraction(m, 10**k), Fraction(size_m, 10**size_k)
    rows, held, tails, dropped = [], [], 0, 0
    interval = threshold * SECOND

    def value(tick):
        return (tick[1] * tick[3] + tick[2] * tick[4]) * point * unit

    def interval_end(time):
        return (math.floor(Fraction(time) / interval) + 1) * interval

    for index, tick in enumerate(ticks):
        if held and segment(held[0][1][0]) != segment(tick[0]):
            close = segment_close(segment(held[0][1][0]))
            end = interval_end(held[0][1][0])
            if rule == "time" and end <= close:
                rows.append((int(end), held))
            else:
                tails += 1
                if tail == "keep":
                    rows.append((close if rule == "time" else held[-1][1][0], held))
                else:
                    dropped += 1
            held = []
        if held and rule == "time" and tick[0] >= interval_end(held[0][1][0]):
            rows.append((int(interval_end(held[0][1][0])), held))
            held = []
        held.append((index, tick))
        full = {
            "tick": lambda: len(held) >= threshold,
            "volume": lambda: sum(t[3] + t[4] for _, t in held) * unit >= threshold,
            "dollar": lambda: sum(value(t) for _, t in held) >= threshold,
            "time": lambda: False,
        }[rule]()
        if full:
            rows.append((tick[0], held))
            held = []
    return rows, tails, dropped, len(held)


def columns(row, m, k, trades, has_sizes):
    close_time, held = row
    ticks = [t for _, t in held]
    bids, asks, n = [t[1] for t in ticks], [t[2] for t in ticks], len(ticks)
    out = [ticks[0][0], close_time, held[0][0], held[-1][0] + 1]
    for side in (bids, asks):
        out += [side[0], max(side), min(side), side[-1]]
    spreads = [t[2] - t[1] for t in ticks]
    total = sum(spreads)
    mean = float(total * m) / float(n * 10**k)
    scatter = n * sum(s * s for s in spreads) - total * total
    deviation = math.nan if n == 1 else math.sqrt(float(scatter) / float(n * (n - 1))) * float(m) / float(10**k)
    out += [mean.hex(), "nan" if n == 1 else deviation.hex()]
    if has_sizes:
        volume = sum(t[3] + t[4] for t in ticks)
        worth = sum(t[1] * t[3] + t[2] * t[4] for t in ticks)
        vwap = "nan" if volume == 0 else (float(worth * m) / float(volume * 10**k)).hex()
        out += [volume, sum(t[3] for t in ticks), sum(t[4] for t in ticks), vwap]
    return out


# name, seed, trades, sizes, rule, threshold, tail, point m and k, size unit m and k
CASES = [
    ("quotes_tick_7", 1, False, True, "tick", "7", "keep", 1, 5, 1, 0),
    ("quotes_tick_2", 2, False, False, "tick", "2", "keep", 25, 2, 1, 0),
    ("trades_tick_10_drop", 3, True, True, "tick", "10", "drop", 1, 2, 1, 0),
    ("quotes_volume", 4, False, True, "volume", "3.005", "keep", 1, 5, 1, 2),
    ("trades_volume_drop", 5, True, True, "volume", "200", "drop", 25, 2, 5, 1),
    ("quotes_dollar", 6, False, True, "dollar", "351.50", "keep", 1, 5, 1, 0),
    ("trades_dollar", 7, True, True, "dollar", "1e6", "keep", 25, 2, 1, 1),
    ("quotes_time_1200", 8, False, True, "time", "1200", "keep", 1, 3, 1, 0),
    ("trades_time_3600_drop", 9, True, False, "time", "3600", "drop", 1, 5, 1, 0),
    ("quotes_time_7000", 10, False, False, "time", "7000", "keep", 1, 5, 1, 0),
]


def main():
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "bars.txt"), "w") as file:
        for name, seed, trades, sizes, rule, threshold, tail, m, k, size_m, size_k in CASES:
            ticks = make_ticks(seed, trades)
            rows, tails, dropped, unfinished = make_bars(ticks, trades, rule, threshold, tail, m, k, size_m, size_k)
            print("case", name, len(rows), tails, dropped, unfinished, file=file)
            for row in rows:
                print(*columns(row, m, k, trades, sizes), file=file)


main()
