"""Golden of the feature set `base`: pandas and numpy over the market of small_market.py.

    python3 tests/golden/features.py > tests/golden/features.txt

Each line: name, then one hex float a bar ("nan" where undefined, "tie" where two averages are equal in exact arithmetic
and a cross's sign is the rounding's). pandas' rolling moments update running sums, so
windows are recomputed here one by one with numpy.
"""
from fractions import Fraction

import numpy as np
import pandas as pd

import small_market

SEED, TICKS, PER_BAR, POINT = 11, 3000, 20, 1e5


def rolling(x, window, function):
    return x.rolling(window).apply(function, raw=True)


def mean(x, window):
    return rolling(x, window, lambda w: np.mean(w))


def std(x, window):
    return rolling(x, window, lambda w: np.std(w, ddof=1))


def exact_cross(points, i, a, b):
    if i + 1 < b:
        return np.nan
    fast, slow = (Fraction(sum(points[i + 1 - k:i + 1]), k) for k in (a, b))
    return np.inf if fast == slow else 1.0 if fast > slow else -1.0


def base(bars):
    frame = pd.DataFrame(bars)
    p = frame.bid_close / POINT
    m = (frame.bid_close + frame.ask_close) / (2 * POINT)
    high, low = frame.bid_high / POINT, frame.bid_low / POINT
    out = {}
    for k in (1, 5, 10, 20):
        out[f"ret_{k}"] = np.log(p / p.shift(k))
    for k in (10, 20, 50):
        out[f"vol_{k}"] = std(out["ret_1"], k)
    for k in (10, 20):
        out[f"range_{k}"] = (high.rolling(k).max() - low.rolling(k).min()) / p
    spread = frame.spread_sum / (PER_BAR * POINT)
    out["spread"] = spread
    out["spread_change"] = spread.diff()
    for k in (5, 10):
        out[f"spread_mean_{k}"] = mean(spread, k)
    for k in (5, 10):
        out[f"spread_std_{k}"] = std(spread, k)
    direction = np.sign(frame.bid_close.diff()).fillna(0.0)
    out["tick_direction"] = direction
    for k in (5, 10, 20):
        out[f"of_imbalance_{k}"] = mean(direction, k)
    imbalance = ((frame.bid_volume - frame.ask_volume) / (frame.bid_volume + frame.ask_volume)).fillna(0.0)
    out["volume_imbalance"] = imbalance
    for k in (5, 10, 20):
        out[f"volume_imbalance_{k}"] = mean(imbalance, k)
    count = pd.Series(float(PER_BAR), index=frame.index)
    out["tick_count"] = count
    out["tick_count_norm"] = count / mean(count, 20)
    out["bar_duration"] = (frame.close_time - frame.open_time) / 1e9
    average = {k: mean(m, k) for k in (5, 10, 20, 50)}
    for k, ma in average.items():
        slope = (ma - ma.shift(k)) / k
        out[f"ma_{k}"] = ma
        out[f"ma_{k}_slope"] = slope
        out[f"ma_{k}_slope_norm"] = slope / (m * std(m.pct_change(), k))
        out[f"dist_to_ma_{k}"] = (m - ma) / ma
    points = [bid + ask for bid, ask in zip(bars["bid_close"], bars["ask_close"])]
    for a, b in ((5, 10), (10, 20), (20, 50)):
        fast, slow = average[a], average[b]
        out[f"ma_cross_{a}_{b}"] = [exact_cross(points, i, a, b) for i in range(len(points))]
        out[f"ma_cross_{a}_{b}_strength"] = (fast - slow) / slow
    return out


if __name__ == "__main__":
    columns = base(small_market.make_bars(small_market.make_ticks(SEED, TICKS), PER_BAR))
    for name, column in columns.items():
        print(name, *("nan" if np.isnan(v) else "tie" if np.isinf(v) else float(v).hex() for v in column))
