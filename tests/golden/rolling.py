"""Known answers for the rolling operators, by the arithmetic of docs/numerics.md in plain Python floats.

Independent of the C sources: every window is gathered by itself, row by row. Writes rolling.txt beside this
file; with --check also compares with pandas within tolerances (needs pandas and numpy).

A line:  data rows op window lag parameter threshold hash sample sample ...
  data        one of the generators below
  hash        FNV-1a over the bits of all values, little-endian
  samples     hex floats: every value for short columns, else rows 0, n/3, n/2, n-1
"""
import math
import os
import struct
import sys

NAN = float("nan")
NAN_BITS = 0x7FF8000000000000
MASK = (1 << 64) - 1


def bits(x):
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def from_bits(b):
    return struct.unpack("<d", struct.pack("<Q", b & MASK))[0]


def canonical(x):
    return NAN if x != x or x in (math.inf, -math.inf) else x + 0.0


def divide(a, b):
    """IEEE division, where Python raises."""
    if b != 0.0:
        return a / b
    if a != a or b != b or a == 0.0:
        return NAN
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def root(x):
    return NAN if x != x or x < 0.0 else math.sqrt(x)


# ---- data -------------------------------------------------------------------------------------------------


class Random:
    def __init__(self, seed):
        self.state = seed

    def bits(self):
        s = self.state
        s ^= (s << 13) & MASK
        s ^= s >> 7
        s ^= (s << 17) & MASK
        self.state = s
        return s

    def signed(self):
        b = self.bits()
        return float(b - (1 << 64) if b >> 63 else b) * 2.0**-63


def data(name, rows, seed=0x9E3779B97F4A7C15):
    r = Random(seed)
    out = []
    points = 108000
    for i in range(rows):
        if name == "walk" or name == "gaps":
            points += r.bits() % 7 - 3
            x = points / 100000.0
            if name == "gaps" and (i < 3 or r.bits() % 13 == 0):
                x = NAN
        elif name == "noise":
            x = 1e6 + 1e-2 * r.signed()
        elif name == "outlier":
            x = 1e12 if i % 97 == 37 else r.signed()
        elif name == "constant":
            x = 1.1
        elif name == "ties":
            x = float(r.bits() % 4) - 1.0
        elif name == "denormal":
            x = float(r.bits() % 1000) * 5e-324
        elif name == "huge":
            x = r.signed() * 1e150
        elif name == "ramp":
            x = float(i) * 0.25
        elif name == "missing":
            x = NAN
        else:
            raise KeyError(name)
        out.append(canonical(x))
    return out


# ---- log --------------------------------------------------------------------------------------------------

LN2_HIGH = float.fromhex("0x1.62e42fefp-1")
LN2_LOW = float.fromhex("0x1.473de6af278edp-34")


def log(x):
    if x != x or x < 0.0:
        return NAN
    if x == 0.0:
        return -math.inf
    if x == math.inf:
        return x
    b = bits(x)
    if b < 1 << 52:
        b = bits(x * 2.0**54) - (54 << 52)
    k = (b - 0x3FE6A09E667F3BCD) >> 52
    m = from_bits(b - (k << 52))
    k = float(k)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    r = 2.0 / 25.0
    for n in (23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0):
        r = r * z + 2.0 / n
    r = r * z
    split = f * float.fromhex("0x1.0000002p27")
    head = split - (split - f)
    rest = f - head
    square = (f * f) * 0.5
    square_low = (((head * head - f * f) + 2.0 * head * rest) + rest * rest) * 0.5
    big = f - square
    big_low = (f - big) - square
    base = k * LN2_HIGH
    total = base + big
    part = total - base
    total_low = (base - (total - part)) + (big - part)
    small = s * (square + r) + (((k * LN2_LOW - square_low) + big_low) + total_low)
    return total + small


# ---- the doubling tree ------------------------------------------------------------------------------------


class Tree:
    """Nodes by (level, newest row); `merge(a, na, newest row of a, b, nb, newest row of b)`, a the older."""

    def __init__(self, leaf, merge):
        self.leaf, self.merge, self.nodes = leaf, merge, {}

    def node(self, k, i):
        if k == 0:
            return self.leaf
        key = (k, i)
        if key not in self.nodes:
            half = 1 << (k - 1)
            self.nodes[key] = self.merge(self.node(k - 1, i - half), half, i - half, self.node(k - 1, i), half, i)
        return self.nodes[key]

    def window(self, i, w):
        held, rows, k = None, 0, 0
        while w >> k:
            if w >> k & 1:
                part = self.node(k, i - rows)
                held = part if rows == 0 else self.merge(part, 1 << k, i - rows, held, rows, i)
                rows += 1 << k
            k += 1
        return held


def moment_merge(x):
    def merge(a, na, ia, b, nb, ib):
        na, nb = float(na), float(nb)
        n, s = na + nb, na * nb
        pa, ma, m3a, m4a, ca = a
        pb, mb, m3b, m4b, cb = b
        d = x[ib] - x[ia]
        big_d = (pb * (1.0 / nb) - pa * (1.0 / na)) + d
        d2 = big_d * big_d
        p = (pa - na * d) + pb
        m = (ma + mb) + d2 * (s / n)
        c = (ca + cb) + big_d * (s * 0.5)
        m3 = ((m3a + m3b) + (big_d * d2) * ((s * (na - nb)) / (n * n))) + big_d * ((na * mb - nb * ma) * (3.0 / n))
        m4 = (
            ((m4a + m4b) + (d2 * d2) * ((s * ((na * na - s) + nb * nb)) / ((n * n) * n)))
            + d2 * (((na * na) * mb + (nb * nb) * ma) * (6.0 / (n * n)))
        ) + big_d * ((na * m3b - nb * m3a) * (4.0 / n))
        return p, m, m3, m4, c

    return merge


def pair_merge(x, y):
    def merge(a, na, ia, b, nb, ib):
        na, nb = float(na), float(nb)
        weight = (na * nb) / (na + nb)
        d1, d2 = x[ib] - x[ia], y[ib] - y[ia]
        e1 = (b[0] * (1.0 / nb) - a[0] * (1.0 / na)) + d1
        e2 = (b[1] * (1.0 / nb) - a[1] * (1.0 / na)) + d2
        return (
            (a[0] - na * d1) + b[0],
            (a[1] - na * d2) + b[1],
            (a[2] + b[2]) + (e1 * e2) * weight,
            (a[3] + b[3]) + (e1 * e1) * weight,
            (a[4] + b[4]) + (e2 * e2) * weight,
        )

    return merge


def from_moments(op, x, w, moments):
    p, m, m3, m4, c = moments
    w = float(w)
    if op == "sum":
        return w * x + p
    if op == "mean":
        return x + p * (1.0 / w)
    if op in ("var", "std", "zscore"):
        var = m * (1.0 / (w - 1.0))
        if op == "var":
            return var
        return root(var) if op == "std" else divide(0.0 - p * (1.0 / w), root(var))
    if op == "slope":
        return c * (12.0 / (w * (w * w - 1.0)))
    if op == "r2":
        value = canonical(divide((c * (12.0 / (w * (w * w - 1.0)))) * c, m))
        return 1.0 if value > 1.0 else value
    if op == "skew":
        return divide(divide(m3, m), root(m)) * ((w * math.sqrt(w - 1.0)) / (w - 2.0))
    g = (w - 2.0) * (w - 3.0)
    return divide(divide(m4, m), m) * (((w * (w + 1.0)) * (w - 1.0)) / g) - (3.0 * ((w - 1.0) * (w - 1.0))) / g


MOMENTS = ("sum", "mean", "var", "std", "zscore", "slope", "r2", "skew", "kurt")


# ---- recursions -------------------------------------------------------------------------------------------


class Scan:
    def __init__(self, gain, decay):
        self.gain, self.decay = gain, decay
        self.p = [1.0]
        for _ in range(64):
            self.p.append(self.p[-1] * decay)
        self.q = [1.0]
        for _ in range(64):
            self.q.append(self.q[-1] * self.p[64])
        self.t, self.l, self.c, self.s, self.carry = 0, 0.0, 0.0, 0.0, 0.0
        self.l_end = 0.0

    def before(self):
        """State in front of the next element: the carry at the start of a block, else the last value."""
        if self.t % 4096 == 0 and self.t > 0:
            c64 = self.l + self.p[64] * self.c
            self.s = c64 + self.q[64] * self.s
            self.c = 0.0
        elif self.t % 64 == 0 and self.t > 0:
            self.c = self.l + self.p[64] * self.c
        if self.t % 64 == 0:
            self.l = 0.0
            self.carry = self.c + self.q[self.t // 64 % 64] * self.s
            return self.carry
        return self.value

    def push(self, u):
        self.l = self.gain * u + self.decay * self.l
        self.value = self.l + self.p[self.t % 64 + 1] * self.carry
        self.t += 1
        return self.value


def recursive(op, x, alpha):
    beta = 1.0 - alpha
    out, first, z = [], None, 0.0
    mean, variance, bias = Scan(alpha, beta), Scan(alpha * beta, beta), Scan(alpha * (1.0 + beta), beta * beta)
    unbias = divide(1.0 + beta, 2.0 * beta)
    for value in x:
        if first is None:
            if value != value:
                out.append(NAN)
                continue
            first = value
        if value == value:
            z = value - first
        v = z - mean.before()
        m = mean.push(z)
        variance.before()
        s = variance.push(v * v)
        bias.before()
        a = bias.push(0.0 if bias.t == 0 else 1.0)
        if value != value:
            out.append(NAN)
        else:
            out.append(first + m if op == "ema" else root(divide(s * unbias, a)))
    return out


# ---- operators --------------------------------------------------------------------------------------------


def fracdiff_weights(d, threshold):
    weights, k = [1.0], 1
    while True:
        w = (-weights[-1] * ((d - float(k)) + 1.0)) / float(k)
        if not abs(w) >= threshold:
            return weights
        weights.append(w)
        k += 1


def quantile(values, q):
    values = sorted(values)
    h = float(len(values) - 1) * q
    below = int(h)
    if below >= len(values) - 1:
        return values[-1]
    return values[below] + (values[below + 1] - values[below]) * (h - float(below))


def of_window(op, window, parameter):
    """Exact operators over a complete window, oldest first."""
    n = len(window)
    if op in ("min", "max", "range"):
        low, high = min(window), max(window)
        return low if op == "min" else high if op == "max" else high - low
    if op in ("argmin", "argmax"):
        best = min(window) if op == "argmin" else max(window)
        return float(next(k for k in range(n) if window[n - 1 - k] == best))
    if op in ("median", "quantile"):
        return quantile(window, 0.5 if op == "median" else parameter)
    below = sum(v < window[-1] for v in window)
    up_to = sum(v <= window[-1] for v in window)
    return (float(below + up_to + 1) * 0.5) / float(n)


def two(op, a, b):
    if a != a or b != b:
        return NAN
    if op == "add":
        return a + b
    if op == "sub":
        return a - b
    if op == "mul":
        return a * b
    if op == "div":
        return divide(a, b)
    if op == "ratio":
        return divide(a, b) - 1.0
    return 1.0 if a > b else -1.0


def lagged(op, x, xk):
    if op == "shift":
        return xk
    if op == "diff":
        return x - xk
    if op == "pct_change":
        return divide(x - xk, xk)
    return log(divide(x, xk))


def pairs(op, x, y, w, origin):
    tree, out = Tree((0.0,) * 5, pair_merge(x, y)), []
    for i in range(len(x)):
        if i - w + 1 < origin:
            out.append(NAN)
            continue
        _, _, m12, m11, m22 = tree.window(i, w)
        if op == "cov":
            out.append(m12 * (1.0 / (float(w) - 1.0)))
        elif op == "beta":
            out.append(divide(m12, m22))
        else:
            value = canonical(divide(divide(m12, root(m11)), root(m22)))
            out.append(max(-1.0, min(1.0, value)) if value == value else NAN)
    return out


def run(op, x, y, window=0, lag=0, parameter=0.0, threshold=0.0):
    n = len(x)
    if op == "constant":
        out = [parameter] * n
    elif op in ("shift", "diff", "pct_change", "log_return"):
        out = [NAN if i < window else lagged(op, x[i], x[i - window]) for i in range(n)]
    elif op in ("add", "sub", "mul", "div", "ratio", "cross"):
        out = [two(op, a, b) for a, b in zip(x, y)]
    elif op == "abs":
        out = [abs(v) for v in x]
    elif op == "sign":
        out = [v if v != v else float((v > 0) - (v < 0)) for v in x]
    elif op in MOMENTS:
        tree = Tree((0.0,) * 5, moment_merge(x))
        out = [NAN if i < window - 1 else from_moments(op, x[i], window, tree.window(i, window)) for i in range(n)]
    elif op in ("cov", "corr", "beta"):
        out = pairs(op, x, y, window, 0)
    elif op == "autocorr":
        out = pairs(op, x, [NAN] * min(lag, n) + x[: max(n - lag, 0)], window, lag)
    elif op in ("ema", "ewm_std"):
        out = recursive(op, x, parameter)
    elif op == "fracdiff":
        weights = fracdiff_weights(parameter, threshold)
        out = []
        for i in range(n):
            total = NAN
            if i >= len(weights) - 1:
                total = x[i]
                for k in range(1, len(weights)):
                    total = total + weights[k] * x[i - k]
            out.append(total)
    else:
        out = []
        for i in range(n):
            part = x[i - window + 1 : i + 1] if i >= window - 1 else [NAN]
            out.append(NAN if any(v != v for v in part) else of_window(op, part, parameter))
    return [canonical(v) for v in out]


# ---- the file ---------------------------------------------------------------------------------------------


def fnv(values):
    h = 0xCBF29CE484222325
    for v in values:
        b = NAN_BITS if v != v else bits(v)
        for byte in struct.pack("<Q", b):
            h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


WINDOWS = {
    "shift": (1, 5), "diff": (1, 3), "pct_change": (1, 3), "log_return": (1, 5),
    "sum": (1, 2, 7, 16, 37, 100), "mean": (1, 2, 7, 16, 37, 100), "std": (2, 3, 8, 21, 100), "var": (2, 13),
    "zscore": (2, 10, 31), "skew": (3, 10, 31, 64), "kurt": (4, 10, 31, 64), "slope": (2, 3, 10, 33, 100),
    "r2": (2, 10, 33), "min": (1, 2, 7, 16, 100), "max": (1, 2, 7, 16, 100), "range": (1, 9, 64),
    "argmin": (1, 2, 9, 33), "argmax": (1, 2, 9, 33), "median": (1, 2, 9, 50), "quantile": (1, 9, 50),
    "rank": (1, 2, 9, 50), "cov": (2, 10, 33), "corr": (2, 10, 33), "beta": (2, 10, 33), "autocorr": (2, 10, 33),
}  # fmt: skip
NO_WINDOW = ("constant", "add", "sub", "mul", "div", "ratio", "abs", "sign", "cross", "ema", "ewm_std", "fracdiff")


def cases():
    for name in ("walk", "noise", "outlier", "constant", "ties", "denormal", "huge", "gaps", "ramp", "missing"):
        for rows in (1, 24, 260):
            if rows == 1 and name not in ("walk", "missing"):
                continue
            if rows == 24 and name not in ("walk", "gaps"):
                continue
            for op, windows in WINDOWS.items():
                for w in windows:
                    parameters = (0.0, 0.1, 1.0) if op == "quantile" else (0.0,)
                    for lag in (1, 4) if op == "autocorr" else (0,):
                        for q in parameters:
                            yield name, rows, op, w, lag, q, 0.0
            for op in NO_WINDOW:
                if op in ("ema", "ewm_std"):
                    for alpha in (2.0 / 11.0, 0.001, 1.0):
                        yield name, rows, op, 0, 0, alpha, 0.0
                elif op == "fracdiff":
                    for d, threshold in ((0.4, 1e-2), (1.0, 1e-5), (0.0, 1e-5), (0.7, 5.0)):
                        yield name, rows, op, 0, 0, d, threshold
                else:
                    yield name, rows, op, 0, 0, -2.5 if op == "constant" else 0.0, 0.0
    for name in ("walk", "gaps"):
        for op in ("ema", "ewm_std"):
            for alpha in (2.0 / 21.0, 1e-4):
                yield name, 9000, op, 0, 0, alpha, 0.0
    yield "walk", 3000, "std", 1500, 0, 0.0, 0.0
    yield "noise", 3000, "slope", 1023, 0, 0.0, 0.0


def main():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rolling.txt")
    with open(path, "w") as file:
        for name, rows, op, w, lag, parameter, threshold in cases():
            out = run(op, data(name, rows), data("ties", rows, 77), w, lag, parameter, threshold)
            if rows <= 24:
                samples = out if w in (0, 1, 9, 10) else out[-2:]
            else:
                samples = [out[i] for i in (0, rows // 3, rows // 2, rows - 1)]
            shown = " ".join("nan" if v != v else v.hex() for v in samples)
            file.write(
                f"{name} {rows} {op} {w} {lag} {parameter.hex()} {threshold.hex()} {fnv(out):016x} {shown}\n"
            )


def check():
    """The definitions against pandas, within tolerances."""
    import numpy
    import pandas

    x, y = data("walk", 600), data("ties", 600, 77)
    a, b = pandas.Series(x), pandas.Series(y)
    w = 21
    roll = a.rolling(w)
    known = {
        "sum": roll.sum(), "mean": roll.mean(), "std": roll.std(), "var": roll.var(), "skew": roll.skew(),
        "kurt": roll.kurt(), "min": roll.min(), "max": roll.max(), "median": roll.median(),
        "rank": roll.rank(pct=True), "cov": roll.cov(b), "corr": roll.corr(b), "beta": roll.cov(b) / b.rolling(w).var(),
        "zscore": (a - roll.mean()) / roll.std(), "shift": a.shift(w), "diff": a.diff(w),
        "pct_change": a.pct_change(w), "log_return": numpy.log(a / a.shift(w)), "range": roll.max() - roll.min(),
        "argmin": roll.apply(lambda v: w - 1 - (w - 1 - numpy.argmin(v[::-1])), raw=True),
        "argmax": roll.apply(lambda v: float(numpy.argmax(v[::-1])), raw=True),
        "slope": roll.apply(lambda v: numpy.polyfit(numpy.arange(w), v, 1)[0], raw=True),
        "r2": roll.apply(lambda v: numpy.corrcoef(numpy.arange(w), v)[0, 1] ** 2, raw=True),
        "autocorr": roll.corr(a.shift(3)),
    }  # fmt: skip
    known["argmin"] = roll.apply(lambda v: float(numpy.argmin(v[::-1])), raw=True)
    for op, want in known.items():
        got = numpy.array(run(op, x, y, w, 3))
        want = want.to_numpy()
        assert (numpy.isnan(got) == numpy.isnan(want)).all(), op
        worst = numpy.nanmax(numpy.abs(got - want) / numpy.maximum(1e-6, numpy.abs(want)))
        print(f"{op:12} {worst:.2e}")
        assert worst < 1e-5, op
    for q in (0.1, 0.75):
        assert numpy.allclose(run("quantile", x, y, w, 0, q), roll.quantile(q), equal_nan=True, rtol=1e-12)
    for alpha in (0.1, 0.01):
        ewm = a.ewm(alpha=alpha, adjust=False)
        assert numpy.allclose(run("ema", x, y, 0, 0, alpha), ewm.mean(), rtol=1e-12)
        assert numpy.allclose(run("ewm_std", x, y, 0, 0, alpha), ewm.std(), rtol=1e-7, equal_nan=True)
    print("agrees with pandas")


if __name__ == "__main__":
    if "--check" in sys.argv:
        check()
    main()
