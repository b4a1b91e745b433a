"""Primitives and rolling operators from docs/numerics.md alone: the part of third_twin.py that knows no files."""
import math
import struct

NAN = math.nan


# --- primitives -------------------------------------------------------------------------------------------------------


def canonical(x):
    """NaN of one sign, no infinity, no negative zero."""
    return NAN if x != x or x in (math.inf, -math.inf) else x + 0.0


def div(a, b):
    if b != 0:
        return a / b
    return NAN if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


def root(x):
    return math.sqrt(x) if x >= 0 else NAN


def log(x):
    if x != x or x < 0:
        return NAN
    if x == 0 or x == math.inf:
        return -math.inf if x == 0 else math.inf
    less = 0
    if x < 2.0**-1022:
        x, less = x * 2.0**54, 54
    bits = struct.unpack("<q", struct.pack("<d", x))[0]
    k = (bits - 0x3FE6A09E667F3BCD) >> 52
    f = math.ldexp(x, -k) - 1
    k -= less
    s = f / (2 + f)
    z = s * s
    r = 2 / 25
    for odd in range(23, 2, -2):
        r = r * z + 2 / odd
    r = r * z
    t = f * float.fromhex("0x1.0000002p27")
    head = t - (t - f)
    rest = f - head
    square = (f * f) * 0.5
    square_low = (((head * head - f * f) + 2 * head * rest) + rest * rest) * 0.5
    big = f - square
    big_low = (f - big) - square
    base = k * float.fromhex("0x1.62e42fefp-1")
    total = base + big
    part = total - base
    total_low = (base - (total - part)) + (big - part)
    low = k * float.fromhex("0x1.473de6af278edp-34")
    return total + (s * (square + r) + (((low - square_low) + big_low) + total_low))


def tree_sum(values):
    values = list(values)
    while len(values) & (len(values) - 1) or not values:
        values.append(0.0)
    while len(values) > 1:
        values = [values[i] + values[i + 1] for i in range(0, len(values), 2)]
    return values[0] + 0.0


def quantile(ascending, q):
    h = (len(ascending) - 1) * q
    k = math.floor(h)
    if k >= len(ascending) - 1:
        return ascending[-1]
    return ascending[k] + (ascending[k + 1] - ascending[k]) * (h - k)


def philox(counter, key):
    a, b, c, d = counter
    k0, k1 = key
    for _ in range(10):
        p, q = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (q >> 32) ^ b ^ k0, q & 0xFFFFFFFF, (p >> 32) ^ d ^ k1, p & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return a, b, c, d


# --- rolling operators ------------------------------------------------------------------------------------------------


def merge_moments(a, b, na, nb):
    """Older a, newer b: (x, P, M, C, M3, M4), x the newest value."""
    (xa, pa, ma, ca, m3a, m4a), (xb, pb, mb, cb, m3b, m4b) = a, b
    n, s = na + nb, na * nb
    d = xb - xa
    D = (pb * (1 / nb) - pa * (1 / na)) + d
    D2 = D * D
    p = (pa - na * d) + pb
    m = (ma + mb) + D2 * (s / n)
    c = (ca + cb) + D * (s * 0.5)
    m3 = ((m3a + m3b) + (D * D2) * ((s * (na - nb)) / (n * n))) + D * ((na * mb - nb * ma) * (3 / n))
    m4 = (((m4a + m4b) + (D2 * D2) * ((s * ((na * na - s) + nb * nb)) / ((n * n) * n)))
          + D2 * (((na * na) * mb + (nb * nb) * ma) * (6 / (n * n)))) + D * ((na * m3b - nb * m3a) * (4 / n))
    return xb, p, m, c, m3, m4


def merge_pairs(a, b, na, nb):
    """Older a, newer b: (x1, x2, P1, P2, M11, M22, M12)."""
    s, n = na * nb, na + nb
    d1, d2 = b[0] - a[0], b[1] - a[1]
    D1 = (b[2] * (1 / nb) - a[2] * (1 / na)) + d1
    D2 = (b[3] * (1 / nb) - a[3] * (1 / na)) + d2
    return (b[0], b[1], (a[2] - na * d1) + b[2], (a[3] - na * d2) + b[3],
            (a[4] + b[4]) + (D1 * D1) * (s / n), (a[5] + b[5]) + (D2 * D2) * (s / n),
            (a[6] + b[6]) + (D1 * D2) * (s / n))


def windows(leaves, w, merge):
    """The merged node of each window of w rows; None where the column has not begun."""
    n, level, size, width = len(leaves), leaves, 1, 0
    out = [None] * n
    while size <= w:
        if w & size:
            for i in range(w - 1, n):
                out[i] = level[i] if width == 0 else merge(level[i - width], out[i], float(size), float(width))
            width += size
        level = [None if i < 2 * size - 1 else merge(level[i - size], level[i], float(size), float(size))
                 for i in range(n)] if 2 * size <= w else level
        size *= 2
    return out


def moments(op, x, w_rows):
    w = float(w_rows)
    g = (w - 2) * (w - 3)

    def value(node):
        x, p, m, c, m3, m4 = node
        if op == "sum":
            return w * x + p
        if op == "mean":
            return x + p * (1 / w)
        if op in ("var", "std", "zscore"):
            var = m * (1 / (w - 1))
            return var if op == "var" else root(var) if op == "std" else div(0 - p * (1 / w), root(var))
        if op in ("slope", "r2"):
            slope = c * (12 / (w * (w * w - 1)))
            r2 = slope if op == "slope" else canonical(div(slope * c, m))
            return slope if op == "slope" else 1.0 if r2 > 1 else r2
        if op == "skew":
            return div(div(m3, m), root(m)) * ((w * root(w - 1)) / (w - 2))
        return div(div(m4, m), m) * (((w * (w + 1)) * (w - 1)) / g) - (3 * ((w - 1) * (w - 1))) / g

    nodes = windows([(v, 0.0, 0.0, 0.0, 0.0, 0.0) for v in x], w_rows, merge_moments)
    return [NAN if node is None else value(node) for node in nodes]


def pairs(op, x, y, w_rows):
    def value(node):
        m11, m22, m12 = node[4:]
        if op == "cov":
            return m12 * (1 / (float(w_rows) - 1))
        if op == "beta":
            return div(m12, m22)
        corr = canonical(div(div(m12, root(m11)), root(m22)))
        return corr if corr != corr else min(max(corr, -1.0), 1.0)

    nodes = windows([(a, b, 0.0, 0.0, 0.0, 0.0, 0.0) for a, b in zip(x, y)], w_rows, merge_pairs)
    return [NAN if node is None else value(node) for node in nodes]


def ordered(op, x, w, q):
    out = [NAN] * len(x)
    for i in range(w - 1, len(x)):
        rows = x[i - w + 1:i + 1]
        if any(v != v for v in rows):
            continue
        if op in ("argmin", "argmax"):
            extreme = min(rows) if op == "argmin" else max(rows)
            out[i] = float(rows[::-1].index(extreme))
        elif op == "rank":
            below, up_to = sum(v < x[i] for v in rows), sum(v <= x[i] for v in rows)
            out[i] = ((below + up_to + 1) * 0.5) / w
        else:
            out[i] = {"min": min, "max": max, "range": lambda r: max(r) - min(r),
                      "median": lambda r: quantile(sorted(r), 0.5),
                      "quantile": lambda r: quantile(sorted(r), q)}[op](rows)
    return out


def scan(u, gain, decay):
    """l = gain*u + decay*l over blocks of 64 and super-blocks of 64 blocks: (the block's carry, value) a row."""
    power, block_power = [1.0], [1.0]
    for _ in range(64):
        power.append(power[-1] * decay)
    for _ in range(64):
        block_power.append(block_power[-1] * power[64])
    out, c, s = [], 0.0, 0.0
    for first in range(0, len(u), 64):
        g = first // 64 % 64
        if g == 0 and first:
            c, s = 0.0, c + block_power[64] * s
        carry, local = c + block_power[g] * s, 0.0
        for j, value in enumerate(u[first:first + 64]):
            local = gain * value + decay * local
            out.append((carry, local + power[j + 1] * carry))
        c = local + power[64] * c
    return out


def exponential(op, x, alpha):
    out = [NAN] * len(x)
    start = next((i for i, v in enumerate(x) if v == v), len(x))
    z = []
    for v in x[start:]:
        z.append(v - x[start] if v == v else z[-1])
    b = 1 - alpha
    mean = scan(z, alpha, b)
    if op == "ema":
        value = [x[start] + m for _, m in mean]
    else:
        deviations = [z[t] - (mean[t][0] if t % 64 == 0 else mean[t - 1][1]) for t in range(len(z))]
        variance = scan([v * v for v in deviations], alpha * b, b)
        bias = scan([0.0] + [1.0] * (len(z) - 1), alpha * (1 + b), b * b)
        value = [NAN if t == 0 else root(div(variance[t][1] * div(1 + b, 2 * b), bias[t][1])) for t in range(len(z))]
    for t, v in enumerate(value):
        out[start + t] = v if x[start + t] == x[start + t] else NAN
    return out


def fracdiff(x, d, threshold):
    weights = [1.0]
    while True:
        k = float(len(weights))
        weight = (-weights[-1] * ((d - k) + 1)) / k
        if not abs(weight) >= threshold or k > len(x):
            break
        weights.append(weight)
    out = [NAN] * len(x)
    for i in range(len(weights) - 1, len(x)):
        total = x[i]
        for k in range(1, len(weights)):
            total = total + weights[k] * x[i - k]
        out[i] = total
    return out


def operator(entry, x, y):
    """The column of one entry of a plan, from its operands."""
    op, n, lagged = entry["op"], len(x), {"shift", "diff", "pct_change", "log_return"}
    w = entry.get("window", 1)
    if op in lagged:
        past = [NAN] * min(w, n) + x[:max(n - w, 0)]
        rule = {"shift": lambda a, b: b, "diff": lambda a, b: a - b, "pct_change": lambda a, b: div(a - b, b),
                "log_return": lambda a, b: log(div(a, b))}[op]
        out = [rule(a, b) for a, b in zip(x, past)]
    elif op == "constant":
        out = [float(entry["value"])] * n
    elif op in ("add", "sub", "mul", "div", "ratio", "cross"):
        rule = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": div,
                "ratio": lambda a, b: div(a, b) - 1,
                "cross": lambda a, b: NAN if a != a or b != b else 1.0 if a > b else -1.0}[op]
        out = [rule(a, b) for a, b in zip(x, y)]
    elif op in ("abs", "sign"):
        out = [abs(a) if op == "abs" or a != a else float((a > 0) - (a < 0)) for a in x]
    elif op in ("cov", "beta", "corr"):
        out = pairs(op, x, y, w)
    elif op == "autocorr":
        lag = entry.get("lag", 1)
        out = pairs("corr", x, [NAN] * min(lag, n) + x[:max(n - lag, 0)], w)
    elif op in ("ema", "ewm_std"):
        alpha = entry["alpha"] if "alpha" in entry else 2 / (float(entry["span"]) + 1)
        out = exponential(op, x, alpha)
    elif op == "fracdiff":
        out = fracdiff(x, float(entry["d"]), float(entry.get("threshold", 1e-4)))
    elif op in ("min", "max", "range", "argmin", "argmax", "median", "quantile", "rank"):
        out = ordered(op, x, w, entry.get("q"))
    else:
        out = moments(op, x, w)
    return [canonical(v) for v in out]
