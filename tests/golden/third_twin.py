#!/usr/bin/env python3
"""A third implementation of the numeric core, from docs/numerics.md alone, and a comparison of run folders with it.

    third_twin.py RUN...      features, labels and Monte Carlo study of finished runs, recomputed and compared on bits

What a run was asked is read from its config.yaml, the inputs from its own bars/, trades.csv and the quotes; a part that
a run does not have is left out. Operators and primitives are in third_operators.py. Plain Python and its standard
library: its floats are binary64, every operation rounded once. Nothing here is fast, and nothing here comes from cpu/,
cuda/ or the other goldens: a rule that the page leaves open would show as a difference. Every value is compared; the
first difference ends the program with both values as hex floats.
"""
import ast
import bisect
import itertools
import json
import math
import os
import struct
import sys

from third_operators import operator, philox, quantile, tree_sum

NORMAL = 1.959963984540054  # 97.5 % quantile of the normal distribution, of Wilson's interval
MINUTE = 60_000_000_000


# --- files ------------------------------------------------------------------------------------------------------------


def read_npy(path):
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"\x93NUMPY\x01\x00", path
    start = 10 + struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10:start].decode("ascii"))
    code = {"<f8": "d", "<i8": "q", "<i4": "i", "|i1": "b"}[header["descr"]]
    return list(struct.unpack("<%d%s" % (header["shape"][0], code), data[start:]))


def read_config(path):
    """The subset of YAML that the program writes: nested mappings, lists of mappings, lists of texts."""
    lines = []
    for line in open(path):
        text = line.strip()
        if text:
            lines.append((len(line) - len(line.lstrip()), text))

    def scalar(text):
        if text in ("null", "true", "false", "[]", "{}"):
            return {"null": None, "true": True, "false": False, "[]": [], "{}": {}}[text]
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                pass
        return text.strip("\"'")

    def block(at, indent):
        out = [] if lines[at][1].startswith("-") else {}
        while at < len(lines) and lines[at][0] == indent:
            text = lines[at][1]
            if isinstance(out, list):
                value, at = (scalar(text[2:]), at + 1) if text != "-" else block(at + 1, lines[at + 1][0])
                out.append(value)
                continue
            key, _, rest = text.partition(":")
            if rest:
                out[key], at = scalar(rest.strip()), at + 1
            else:
                out[key], at = block(at + 1, lines[at + 1][0])
        return out, at

    return block(0, 0)[0]


class Tally:
    """Compares on bits, counts, ends the program at the first difference."""

    def __init__(self):
        self.parts = {}

    def equal(self, part, name, got, expected):
        if len(got) != len(expected):
            sys.exit("third_twin: %s: %d rows here, %d in the run" % (name, len(got), len(expected)))
        for row, (a, b) in enumerate(zip(got, expected)):
            same = struct.pack("<d", a) == struct.pack("<d", b) if isinstance(b, float) else a == b
            if not same:
                shown = [v.hex() if isinstance(v, float) else str(v) for v in (a, b)]
                sys.exit("third_twin: %s, row %d: %s here, %s in the run" % (name, row, *shown))
        counts = self.parts.setdefault(part, [0, 0])
        counts[0] += 1
        counts[1] += len(got)


# --- features --------------------------------------------------------------------------------------------------------


def bar_columns(run):
    bars = {name[:-4]: read_npy(os.path.join(run, "bars", name)) for name in os.listdir(os.path.join(run, "bars"))}
    out = {name: [float(v) for v in column] for name, column in bars.items()}
    for name in ("open", "high", "low", "close"):
        out[name] = out["bid_" + name]
    out["spread"] = out["spread_mean"]
    with open(os.path.join(run, "manifest.json")) as file:
        point = json.load(file)["input"]["price_point"]
    out["mid"] = [float((b + a) * point["m"]) / (2.0 * 10.0 ** point["k"])
                  for b, a in zip(bars["bid_close_points"], bars["ask_close_points"])]
    out["duration"] = [(c - o) / 1e9 for o, c in zip(bars["open_time"], bars["close_time"])]
    close = out["close"]
    out["ret_1"] = operator({"op": "log_return"}, close, None)
    out["tick_direction"] = [0.0] + [float((a > b) - (a < b)) for b, a in zip(close, close[1:])]
    if "bid_volume" in out:
        out["volume_imbalance"] = [0.0 if b == 0 and a == 0 else (b - a) / (b + a)
                                   for b, a in zip(out["bid_volume"], out["ask_volume"])]
    return out


def check_features(run, config, tally):
    columns = bar_columns(run)
    for entry in config["features"]["plan"]:
        name = entry["name"]
        columns[name] = operator(entry, columns.get(entry.get("of"), columns["close"]), columns.get(entry.get("with")))
        if entry.get("keep", True):
            written = read_npy(os.path.join(run, "features", name + ".npy"))
            tally.equal("features", "%s (%s)" % (name, entry["op"]), columns[name], written)


# --- triple barrier ---------------------------------------------------------------------------------------------------


def session_ends(config):
    """The end of the session that a time lies in, ns, or None: sessions of UTC that begin and end on one weekday."""
    session = config["session"]
    assert session["timezone"] == "UTC", "sessions of other zones are not this script's subject"
    start, end, friday = (int(session[name][:2]) * 60 + int(session[name][3:])
                          for name in ("session_start", "session_end", "friday_end"))

    def end_of(time):
        day, minute = divmod(time // MINUTE, 1440)
        weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
        closing = friday if weekday == 4 else end
        return (day * 1440 + closing) * MINUTE if weekday < 5 and start <= minute < closing else None

    return end_of


def clean_ticks(config, end_of):
    """(time, bid, ask) of a quote file that `fmlp synth` wrote, after the default cleaning; in points of 1e-5."""
    ticks = []
    with open(config["data"]["path"]) as file:
        assert file.readline().startswith("timestamp,askPrice,bidPrice")
        for line in file:
            time, ask, bid = line.split(",")[:3]
            ticks.append((int(time) * 1_000_000, round(float(bid) * 1e5), round(float(ask) * 1e5)))
    ticks.sort(key=lambda tick: tick[0])
    return [tick for tick in ticks if tick[1] <= tick[2] and end_of(tick[0]) is not None]


def distances(labeling, bars, leave, row):
    """Target and stop distance in points at a bar, from the price at which a position would be left; None: no label."""
    if labeling["distance_mode"] == "ticks":
        return labeling["tp_ticks"], labeling["sl_ticks"]
    deviation = bars["deviation"][row]
    if deviation != deviation:
        return None
    rule = labeling["volatility"]
    return tuple(max(1, math.ceil((deviation * rule[name]) * leave)) for name in ("tp_multiple", "sl_multiple"))


def barrier(labeling, bars, ticks, side, event, last, target, stop):
    """(outcome, end bar, deciding tick or -1)."""
    best, worst = ("bid_high", "bid_low") if side > 0 else ("ask_low", "ask_high")
    for bar in range(event + 1, last + 1):
        touched = (bars[best + "_points"][bar] - target) * side >= 0
        stopped = (bars[worst + "_points"][bar] - stop) * side <= 0
        if not (touched or stopped):
            continue
        if touched and stopped and labeling["tie"] != "ticks":
            touched = labeling["tie"] == "tp_first"
            stopped = not touched
        for tick in range(bars["first_tick"][bar], bars["last_tick"][bar]):
            price = ticks[tick][1 if side > 0 else 2]
            if touched and (price - target) * side >= 0:
                return 1, bar, tick
            if stopped and (price - stop) * side <= 0:
                return -1, bar, tick
    return 0, last, -1


def check_labels(run, config, tally):
    labeling, backtest = config["labeling"], config["backtest"]
    folder = os.path.join(run, "labels")
    written = {name[:-4]: read_npy(os.path.join(folder, name)) for name in os.listdir(folder)}
    bars = {name[:-4]: read_npy(os.path.join(run, "bars", name)) for name in os.listdir(os.path.join(run, "bars"))}
    returns = operator({"op": "log_return"}, bars["bid_close"], None)
    bars["deviation"] = operator({"op": "std", "window": labeling["volatility"]["window"]}, returns, None)
    end_of, n = session_ends(config), len(bars["open_time"])
    ticks, deadline = clean_ticks(config, end_of), [end_of(time) for time in bars["open_time"]]
    # A bar that closes with its session, as a time bar may, is too late to leave at.
    last_before = {deadline[bar]: bar for bar in range(n) if bars["close_time"][bar] < deadline[bar]}
    for bar in range(n):  # the ticks are the run's own
        rows = ticks[bars["first_tick"][bar]:bars["last_tick"][bar]]
        assert rows[-1][1:] == (bars["bid_close_points"][bar], bars["ask_close_points"][bar])
    costs = 2 * backtest["commission_per_lot"] / (backtest["contract_size"] * 1e-5)
    slip = backtest["slippage_points"]
    step = labeling["events"]["n"] if labeling["events"]["type"] == "every" else 1
    asked = written["event_bar"] if labeling["events"]["type"] == "cusum" else range(0, n, step)
    out = {name: [] for name in ("event_bar", "event_time", "side", "deadline", "last_bar", "end_bar", "end_time",
                                 "outcome", "label", "exit_tick", "entry_price_points", "exit_price_points",
                                 "target_level_points", "stop_level_points", "pnl_points")}
    for event in sorted(set(asked)):
        last = min(event + labeling["max_horizon_bars"], last_before[deadline[event]])
        for side in (1, -1):
            enter, leave = ("ask", "bid") if side > 0 else ("bid", "ask")
            entry, price = bars[enter + "_close_points"][event], bars[leave + "_close_points"][event]
            distance = distances(labeling, bars, price, event)
            if labeling["side"] not in ("both", "long" if side > 0 else "short") or distance is None:
                continue
            if last - event < labeling["min_horizon_bars"]:
                continue
            target, stop = price + side * distance[0], price - side * distance[1]
            outcome, end, tick = barrier(labeling, bars, ticks, side, event, last, target, stop)
            at_close = labeling["exit_at"] == "close" or outcome == 0
            left = bars[leave + "_close_points"][end] if at_close else target if outcome > 0 else (
                ticks[tick][1 if side > 0 else 2])
            points = (left - entry) * side - costs - slip * (2 if at_close or outcome < 0 else 1)
            row = {"event_bar": event, "event_time": bars["close_time"][event], "side": side,
                   "deadline": deadline[event], "last_bar": last, "end_bar": end, "outcome": outcome,
                   "end_time": bars["close_time"][end] if at_close else ticks[tick][0],
                   "label": (points > 0) - (points < 0), "exit_tick": -1 if at_close else tick,
                   "entry_price_points": entry, "exit_price_points": left, "target_level_points": target,
                   "stop_level_points": stop, "pnl_points": float(points)}
            for name, value in row.items():
                out[name].append(value)
    for name, column in out.items():
        tally.equal("labels", name, column, written[name])


# --- Monte Carlo ------------------------------------------------------------------------------------------------------


class Study:
    """What every path of a Monte Carlo study shares: the trades, and what was asked."""

    def __init__(self, run, config):
        asked = config["risk"]["monte_carlo"]
        limits = asked["prop_firm"]
        with open(os.path.join(run, "trades.csv")) as file:
            rows = [line.rstrip("\n").split(",") for line in file][1:]
        self.kind, self.paths, self.seed = asked["kind"], asked["n_sims"], config["experiment"]["seed"]
        self.pnl = [float(row[8]) for row in rows]
        self.n = len(rows)
        self.initial = float(config["backtest"]["initial_capital"])
        # Times have one width and order as text. The sessions of these runs end before midnight UTC: a day is a date.
        exits = [row[1] for row in rows]
        self.days = [list(rows) for _, rows in itertools.groupby(range(self.n), key=lambda i: exits[i][:10])]
        self.block = min(asked["block_size"] or self.default_block(), self.n)
        self.most = self.n if self.kind == "permutation" else asked["max_trades"] or self.n
        self.compounding = asked["compounding"]
        capital = list(itertools.accumulate(self.pnl, initial=self.initial))
        # At one tick exits by time come first, then entries, then the barriers; in the file as well, exit by exit.
        moments = [(row[1], 0 if row[6] == "time" else 2) for row in rows]
        self.returns = [p / capital[bisect.bisect_left(moments, (row[0], 1))] for p, row in zip(self.pnl, rows)]
        if self.kind == "permutation":
            limits = dict.fromkeys(limits)
        daily, total, target = limits["max_daily_loss"], limits["max_total_loss"], limits["target_profit"]
        self.day_loss = math.inf if daily is None or self.kind != "day" else self.initial * daily
        self.floor = -math.inf if total is None else self.initial * (1 - total)
        self.top = math.inf if target is None else self.initial * (1 + target)

    def default_block(self):
        k = 1
        while (2 * k + 1) ** 3 <= 8 * self.n:
            k += 1
        return k

    def draws(self, path):
        """draw(k, m): the k-th random number of a path, as a whole number below m."""
        known = {}

        def draw(k, m):
            if k // 4 not in known:
                known[k // 4] = philox((k // 4, 0, path, 0), (self.seed & 0xFFFFFFFF, self.seed >> 32))
            return known[k // 4][k % 4] * m >> 32

        return draw

    def order(self, path):
        """The trades of a path, without end but for a permutation: (trade, whether a day begins with it)."""
        draw, n, block = self.draws(path), self.n, self.block
        if self.kind == "permutation":
            left = list(range(n))
            for i in range(n):
                j = i + draw(i, n - i)
                left[i], left[j] = left[j], left[i]
                yield left[i], False
            return
        trade = 0
        for k in itertools.count():
            if self.kind == "iid":
                yield draw(k, n), False
            elif self.kind == "stationary":
                trade = draw(2 * k + 1, n) if k == 0 or draw(2 * k, block) == 0 else (trade + 1) % n
                yield trade, False
            elif self.kind == "day":
                day = self.days[draw(k, len(self.days))]
                yield from ((trade, trade == day[0]) for trade in day)
            else:
                start = draw(k, n if self.kind == "circular_block" else n - block + 1)
                yield from ((trade % n, False) for trade in range(start, start + block))

    def walk(self, path):
        """((final capital, max drawdown, trades used, outcome), the capital after each trade)."""
        capital = peak = morning = self.initial
        worst, outcome, curve = 0.0, 0, []
        for trade, first in itertools.islice(self.order(path), self.most):
            morning = capital if first else morning
            capital = capital + (capital * self.returns[trade] if self.compounding else self.pnl[trade])
            curve.append(capital)
            peak = max(peak, capital)
            worst = max(worst, (peak - capital) / peak)
            outcome = (2 if morning - capital >= self.day_loss else 1 if capital <= self.floor
                       else 3 if capital >= self.top else 0)
            if outcome:
                break
        return (capital, worst, len(curve), outcome), curve


def wilson(count, n):
    p, z2 = count / n, NORMAL * NORMAL
    d = 1 + z2 / n
    middle = (p + z2 / (2 * n)) / d
    half = (NORMAL / d) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return [p, middle - half, middle + half]


def check_monte_carlo(run, config, tally):
    study = Study(run, config)
    walks = [study.walk(path) for path in range(study.paths)]
    names = ("final_capital", "max_drawdown", "trades_used", "outcome")
    columns = dict(zip(names, zip(*(result for result, _ in walks))))
    for name, column in columns.items():
        tally.equal("monte_carlo", name, list(column), read_npy(os.path.join(run, "monte_carlo", name + ".npy")))
    with open(os.path.join(run, "monte_carlo.json")) as file:
        told = json.load(file)
    outcomes = [columns["outcome"].count(i) for i in range(4)]
    tally.equal("totals", "counts", [study.n, len(study.days), study.block, study.most] + outcomes,
                [told[name] for name in ("trades", "days", "block_size", "max_trades")]
                + [told["outcomes"][name] for name in ("complete", "ruin", "daily_loss", "target")])
    tally.equal("totals", "mean_trades_used", [sum(columns["trades_used"]) / study.paths], [told["mean_trades_used"]])
    levels = told["quantile_levels"]
    for name in ("final_capital", "max_drawdown"):
        if told[name] is None:  # a permutation's sum says nothing
            continue
        ascending = sorted(columns[name])
        tally.equal("totals", name, [tree_sum(columns[name]) / study.paths] + [quantile(ascending, q) for q in levels],
                    [told[name]["mean"]] + told[name]["quantiles"])
    counts = dict(zip(("ruin", "daily_loss", "target"), outcomes[1:]))
    counts["loss"] = sum(capital < study.initial for capital in columns["final_capital"])
    for name, interval in told["probabilities"].items():
        if isinstance(interval, dict):
            tally.equal("totals", "probability of " + name, [counts[name]] + wilson(counts[name], study.paths),
                        [interval[key] for key in ("count", "probability", "low", "high")])
    points = min(study.most, 100)
    trades = [-(-study.most * (i + 1) // points) for i in range(points)]
    tally.equal("totals", "trades of the fan", trades, [row["trade"] for row in told["fan"]])
    for trade, row in zip(trades, told["fan"]):
        ascending = sorted(curve[min(trade, len(curve)) - 1] for _, curve in walks)
        tally.equal("totals", "fan at trade %d" % trade, [quantile(ascending, q) for q in levels], row["capital"])


def main():
    tally = Tally()
    for run in sys.argv[1:]:
        config = read_config(os.path.join(run, "config.yaml"))
        if config["features"]["plan"] and os.path.isdir(os.path.join(run, "features")):
            check_features(run, config, tally)
        if os.path.isdir(os.path.join(run, "labels")):
            check_labels(run, config, tally)
        if os.path.isdir(os.path.join(run, "monte_carlo")):
            check_monte_carlo(run, config, tally)
    for part, (columns, values) in tally.parts.items():
        print("%-12s %4d columns, %8d values, equal bits" % (part, columns, values))
    if not tally.parts:
        sys.exit("third_twin: nothing to compare")


if __name__ == "__main__":
    main()
