"""Metrics of made-up backtests by numpy, scipy and plain definitions: python3 metrics.py > metrics.txt

A case is one bar every 10 minutes, `bars` of them at the start of each day's session of 100 minutes; money is per bar.
Each line: key, number of values, values as hex floats.
"""
import itertools

import numpy as np
from scipy import stats

INITIAL = 10000.0
CONTRACT = 100000.0
DAY = 1440 * 60 * 10**9
TEN_MINUTES = 10 * 60 * 10**9


def put(key, values):
    values = np.atleast_1d(np.asarray(values, dtype=float))
    print(key, len(values), *(float(v).hex() if np.isfinite(v) else "nan" for v in values))


def ratio(returns):
    return returns.mean() / returns.std(ddof=1) if returns.std(ddof=1) > 1e-18 else np.nan


def spread(returns):
    s = ratio(returns)
    return 1 - stats.skew(returns) * s + (stats.kurtosis(returns, fisher=False) - 1) / 4 * s * s


def psr(returns, benchmark=0.0):
    n = len(returns)
    return stats.norm.cdf((ratio(returns) - benchmark) * np.sqrt(n - 1) / np.sqrt(spread(returns)))


def case(name, rng, days, bars, trades, drift, year):
    steps = rng.normal(drift, 12.0, days * bars)
    steps[rng.random(days * bars) < 0.3] = 0.0
    equity = INITIAL + np.cumsum(steps)
    peak = np.maximum(np.maximum.accumulate(equity), INITIAL)
    drawdown = (peak - equity) / peak
    closes = np.concatenate([[INITIAL], equity[bars - 1 :: bars]])
    returns = closes[1:] / closes[:-1] - 1
    day = np.sort(rng.integers(0, days, trades))
    entry = day * DAY + rng.integers(0, 50 * 6 * 10**9, trades) * 10
    exit_ = entry + rng.integers(1, 40 * 6 * 10**9, trades) * 10
    order = np.argsort(exit_, kind="stable")
    entry, exit_ = entry[order], exit_[order]
    pnl = np.round(rng.normal(1.0, 40.0, trades), 2)
    size = np.full(trades, 0.1)
    entry_price, exit_price = 1.3 + rng.random(trades) * 0.1, 1.3 + rng.random(trades) * 0.1
    print("case", name)
    put("shape", [days, bars, year])
    put("equity", equity)
    put("drawdown", drawdown)
    put("entry", entry)
    put("exit", exit_)
    put("pnl", pnl)
    put("entry_price", entry_price)
    put("exit_price", exit_price)
    n = len(returns)
    growth = equity[-1] / INITIAL
    merged, total = sorted((int(a), int(b)) for a, b in zip(entry, exit_)), 0
    end = -1
    for a, b in merged:
        total += max(0, b - max(a, end))
        end = max(end, b)
    last_close = (days - 1) * DAY + bars * TEN_MINUTES - 1
    session = (days - 1) * 100 * 60 * 10**9 + (last_close - (days - 1) * DAY)
    gain, loss = pnl[pnl > 0].sum(), -pnl[pnl < 0].sum()
    put("final_equity", equity[-1])
    put("total_return", growth - 1)
    put("sharpe", ratio(returns) * np.sqrt(year))
    put("sharpe_standard_error", np.sqrt(spread(returns) / (n - 1)) * np.sqrt(year))
    put("psr", psr(returns))
    put("sortino", returns.mean() / np.sqrt((np.minimum(returns, 0) ** 2).sum() / (n - 1)) * np.sqrt(year))
    put("calmar", (growth ** (year / n) - 1) / drawdown.max() if n >= 60 else np.nan)
    put("max_drawdown", drawdown.max())
    put("profit_factor", gain / loss if loss > 0 else np.nan)
    put("expectancy", pnl.mean())
    put("win_rate", (pnl > 0).mean())
    put("exposure", total / session)
    put("turnover", ((entry_price + exit_price) * size * CONTRACT).sum() / equity.mean())


def overfitting(name, returns):
    """CSCV by its definition: every half of the blocks, best in sample, rank out of sample."""
    trials, days = returns.shape
    blocks = min(16, days // 4 * 2)
    bounds = [days * b // blocks for b in range(blocks + 1)]
    rows = [np.arange(bounds[b], bounds[b + 1]) for b in range(blocks)]
    bad = total = 0
    for inside in itertools.combinations(range(blocks), blocks // 2):
        ins = np.concatenate([rows[b] for b in inside])
        out = np.concatenate([rows[b] for b in range(blocks) if b not in inside])
        score = [np.nan_to_num(ratio(returns[t, ins])) for t in range(trials)]
        outside = [np.nan_to_num(ratio(returns[t, out])) for t in range(trials)]
        rank = stats.rankdata(outside)[int(np.argmax(score))]
        bad += rank / (trials + 1) <= 0.5
        total += 1
    print("overfitting", name)
    put("shape", [trials, days])
    put("returns", returns.ravel())
    put("pbo", [bad / total, total, blocks])
    ratios = np.array([ratio(r) for r in returns])
    gamma = np.euler_gamma
    best = np.sqrt(ratios.var(ddof=1)) * (
        (1 - gamma) * stats.norm.ppf(1 - 1 / trials) + gamma * stats.norm.ppf(1 - 1 / (trials * np.e))
    )
    put("deflated", [best, psr(returns[0], best)])


def main():
    rng = np.random.default_rng(20140501)
    case("ninety_days", rng, 90, 5, 60, 1.0, 252)
    case("twelve_days", rng, 12, 8, 25, 0.0, 252)
    case("falling_with_weekends", rng, 75, 3, 40, -4.0, 365)
    case("sixty_days_exactly", rng, 60, 1, 30, 2.0, 252)
    case("two_days", rng, 2, 4, 3, 0.0, 252)
    overfitting("noise", rng.normal(0, 0.01, (5, 30)))
    overfitting("one_good_path", rng.normal(0, 0.01, (4, 64)) + np.array([[0.004], [0], [0], [0]]))
    overfitting("twelve_days_nine_paths", rng.normal(0, 0.003, (9, 12)))


if __name__ == "__main__":
    main()
