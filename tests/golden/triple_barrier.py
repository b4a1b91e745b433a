#!/usr/bin/env python3
"""Golden values of the triple barrier, written from the text of the contract alone, in plain Python.

    python3 tests/golden/triple_barrier.py > tests/golden/triple_barrier.txt

Bars are made of ticks, so that the file also says which tick ends each event.
"""
import random

STOP, TIME, TARGET, TIE = -1, 0, 1, 2
TICKS, SL_FIRST, TP_FIRST = 0, 1, 2
LARGEST = 2**31 - 1


def search(side, tie, high, low, start, target, stop, last):
    for bar in range(start + 1, last + 1):
        hit_target = high[bar] >= target if side > 0 else low[bar] <= target
        hit_stop = low[bar] <= stop if side > 0 else high[bar] >= stop
        if hit_target and hit_stop:
            return {TICKS: TIE, SL_FIRST: STOP, TP_FIRST: TARGET}[tie], bar
        if hit_target:
            return TARGET, bar
        if hit_stop:
            return STOP, bar
    return TIME, last


def resolve(side, ticks, first, last, outcome, target, stop):
    for t in range(first, last):
        hit_target = ticks[t] >= target if side > 0 else ticks[t] <= target
        hit_stop = ticks[t] <= stop if side > 0 else ticks[t] >= stop
        if hit_target and outcome in (TARGET, TIE):
            return TARGET, t
        if hit_stop and outcome in (STOP, TIE):
            return STOP, t
    raise AssertionError("a bar's extremes come from its ticks")


def main():
    rng = random.Random(7)
    cases = []
    for bars, a_bar, step, distance, horizon in ((40, 3, 4, 9, 6), (150, 6, 3, 14, 33), (150, 9, 5, 40, 150),
                                                 (150, 4, 8, 6, 12), (60, 9, 6, 3, 10), (300, 3, 2, 30, 129)):
        for side in (1, -1):
            for tie in (TICKS, SL_FIRST, TP_FIRST) if bars < 100 else (TICKS,):
                cases.append((bars, a_bar, step, distance, horizon, side, tie))
    print(len(cases))
    for bars, a_bar, step, distance, horizon, side, tie in cases:
        ticks, offset, price = [], [0], 130000
        for _ in range(bars):
            for _ in range(rng.randint(1, 2 * a_bar - 1)):
                price += rng.randint(-step, step)
                ticks.append(price)
            offset.append(len(ticks))
        high = [max(ticks[offset[b]:offset[b + 1]]) for b in range(bars)]
        low = [min(ticks[offset[b]:offset[b + 1]]) for b in range(bars)]
        close = [ticks[offset[b + 1] - 1] for b in range(bars)]
        print(side, tie, bars, bars - 1, len(ticks))
        print(*high)
        print(*low)
        print(*ticks)
        for start in range(bars - 1):
            above, below = rng.randint(1, 2 * distance), rng.randint(1, 2 * distance)
            if rng.random() < 0.05:
                above = LARGEST
            target = min(LARGEST, close[start] + above) if side > 0 else close[start] - below
            stop = close[start] - below if side > 0 else min(LARGEST, close[start] + above)
            last = min(bars - 1, start + horizon)
            outcome, bar = search(side, tie, high, low, start, target, stop, last)
            first, end = offset[bar], offset[bar + 1]
            final, tick = (TIME, -1) if outcome == TIME else resolve(side, ticks, first, end, outcome, target, stop)
            print(start, target, stop, last, outcome, bar, first, end, final, tick)


main()
