"""The market of tests/unit/small_market.h, tick for tick: the input of the goldens for features and labels."""

START = 1394150400 * 10**9
SECOND = 10**9


class Random:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return self.state >> 33


def make_ticks(seed, count):
    random = Random(seed)
    bid, time = 130000, START
    ticks = []
    for _ in range(count):
        bid += random.next() % 7 - 3
        luck, jump = random.next() % 50, random.next() % 40
        bid += jump if luck == 0 else -jump if luck == 1 else 0
        ask = bid + 1 + random.next() % 10
        time += SECOND * (1 + random.next() % 5)
        bid_size, ask_size = random.next() % 1000, random.next() % 1000
        ticks.append((time, bid, ask, bid_size, ask_size))
    return ticks


def make_bars(ticks, per_bar):
    """Lists by name; prices in points."""
    bars = {name: [] for name in ("open_time", "close_time", "bid_close", "ask_close", "bid_high", "bid_low",
                                  "ask_high", "ask_low", "spread_sum", "bid_volume", "ask_volume")}
    for first in range(0, len(ticks) // per_bar * per_bar, per_bar):
        time, bid, ask, bid_size, ask_size = zip(*ticks[first:first + per_bar])
        for name, value in (("open_time", time[0]), ("close_time", time[-1]), ("bid_close", bid[-1]),
                            ("ask_close", ask[-1]), ("bid_high", max(bid)), ("bid_low", min(bid)),
                            ("ask_high", max(ask)), ("ask_low", min(ask)),
                            ("spread_sum", sum(ask) - sum(bid)), ("bid_volume", sum(bid_size)),
                            ("ask_volume", sum(ask_size))):
            bars[name].append(value)
    return bars
