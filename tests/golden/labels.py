"""Golden of the triple-barrier labels: a walk over every tick of the market of small_market.py.

    python3 tests/golden/labels.py > tests/golden/labels.txt

A case starts with "case NAME events no_distance no_room ties", then one line a label: event_bar side outcome end_bar
end_time entry exit pnl label target stop last_bar deadline exit_tick. Settings stand in CASES; tests/unit/test_labels.c
repeats them. Sessions: from the market's start, every two hours, one hour and fifty minutes long.
"""
import math

import numpy as np

import small_market

SEED, TICKS, PER_BAR, STEP = 5, 8000, 20, 4
COMMISSION, CONTRACT, SLIPPAGE, POINT = 3.5, 50000.0, 0.5, 1e-5
BASE = dict(side="both", mode="ticks", tp=40, sl=30, horizon=32, room=10, tie="ticks", exit_at="barrier")
CASES = {
    "ticks": {},
    "tie_ticks": dict(tp=12, sl=9),
    "sl_first": dict(tie="sl_first", tp=12, sl=9),
    "tp_first": dict(tie="tp_first", tp=12, sl=9),
    "close": dict(exit_at="close", tp=12, sl=9, side="long"),
    "volatility": dict(mode="volatility", window=50, tp=4.0, sl=3.0, side="short"),
    "mfe_mae": dict(mode="mfe_mae", horizon_bars=8, window=17, tp=0.75, sl=0.5),
    "long_horizon": dict(tp=150, sl=120, horizon=500, room=1),
}


def session_close(time):
    """Close of the session that contains `time`, else of the next."""
    length, period = 110 * 60 * 10**9, 120 * 60 * 10**9
    number, inside = divmod(time - small_market.START, period)
    return small_market.START + number * period + length + (0 if inside < length else period)


def distances(case, bars, events):
    """{(bar, side): (tp, sl)}, None where there is none."""
    out = {}
    close = [x / 1e5 for x in bars["bid_close"]]
    returns = [math.nan] + [math.log(b / a) for a, b in zip(close, close[1:])]
    done = {1: [], -1: []}
    for bar, side in events:
        points = bars["bid_close" if side > 0 else "ask_close"]
        high, low = (bars[("bid_" if side > 0 else "ask_") + x] for x in ("high", "low"))
        if case["mode"] == "ticks":
            pair = case["tp"], case["sl"]
        elif case["mode"] == "volatility":
            window = returns[max(0, bar - case["window"] + 1):bar + 1]
            spread = np.std(window, ddof=1) if len(window) == case["window"] else math.nan
            pair = tuple(case[x] * spread * points[bar] for x in ("tp", "sl"))
        else:
            h = case["horizon_bars"]
            finished = [e for e in done[side] if e + h <= bar][-case["window"]:]
            up = [max(0, max(bars_high[e + 1:e + h + 1]) - p[e]) for e in finished
                  for bars_high, p in ((high, points),)]
            down = [max(0, p[e] - min(bars_low[e + 1:e + h + 1])) for e in finished
                    for bars_low, p in ((low, points),)]
            good, bad = (up, down) if side > 0 else (down, up)
            enough = len(finished) == case["window"]
            pair = (np.quantile(good, case["tp"]), np.quantile(bad, case["sl"])) if enough else (math.nan,) * 2
            done[side].append(bar)
        out[bar, side] = None if math.isnan(sum(pair)) else tuple(max(1, math.ceil(x)) for x in pair)
    return out


def find_exit(case, ticks, bars, bar, last, side, target, stop):
    """outcome, bar, tick (or None), tie: walks tick by tick, and bar by bar for the rules that ignore order."""
    column = 1 if side > 0 else 2
    hits = lambda price: ((price - target) * side >= 0, (price - stop) * side <= 0)
    for b in range(bar + 1, last + 1):
        inside = range(b * PER_BAR, (b + 1) * PER_BAR)
        first = {1: next((t for t in inside if hits(ticks[t][column])[0]), None),
                 -1: next((t for t in inside if hits(ticks[t][column])[1]), None)}
        met = [o for o in first if first[o] is not None]
        if not met:
            continue
        tie = len(met) == 2
        outcome = min(met, key=first.get)
        if tie and case["tie"] == "sl_first":
            outcome = -1
        if tie and case["tie"] == "tp_first":
            outcome = 1
        return outcome, b, first[outcome], tie
    return 0, last, None, False


def label(case, ticks, bars, bar, side, pair):
    """One row and whether it was a tie, or None when too few bars are left."""
    deadline = session_close(bars["close_time"][bar])
    last = bar
    while (last + 1 < len(bars["close_time"]) and last < bar + case["horizon"]
           and bars["close_time"][last + 1] < deadline):
        last += 1
    if last - bar < case["room"]:
        return None
    entry, out = ("ask_close", "bid_close") if side > 0 else ("bid_close", "ask_close")
    target, stop = bars[out][bar] + side * pair[0], bars[out][bar] - side * pair[1]
    outcome, end, tick, tie = find_exit(case, ticks, bars, bar, last, side, target, stop)
    if outcome == 0 or case["exit_at"] == "close":
        price, time, tick, market = bars[out][end], bars["close_time"][end], -1, True
    else:
        price = target if outcome > 0 else ticks[tick][1 if side > 0 else 2]
        time, market = ticks[tick][0], outcome < 0
    gross = side * (price - bars[entry][bar])
    pnl = gross - 2 * COMMISSION / (CONTRACT * POINT) - SLIPPAGE * (2 if market else 1)
    sign = (pnl > 0) - (pnl < 0)
    return (bar, side, outcome, end, time, bars[entry][bar], price, float(pnl).hex(), sign, target, stop, last, deadline,
            tick), tie


def main():
    ticks = small_market.make_ticks(SEED, TICKS)
    bars = small_market.make_bars(ticks, PER_BAR)
    for name, changes in CASES.items():
        case = {**BASE, **changes}
        sides = {"both": (1, -1), "long": (1,), "short": (-1,)}[case["side"]]
        events = [(bar, side) for bar in range(0, len(bars["close_time"]), STEP) for side in sides]
        pairs = distances(case, bars, events)
        rows = [label(case, ticks, bars, *event, pairs[event]) for event in events if pairs[event]]
        kept = [row for row in rows if row]
        print("case", name, len(events), len(events) - len(rows), len(rows) - len(kept), sum(tie for _, tie in kept))
        for row, _ in kept:
            print(*row)


if __name__ == "__main__":
    main()
