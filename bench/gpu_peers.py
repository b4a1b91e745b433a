#!/usr/bin/env python3
"""fmlp's CUDA kernels beside CuPy, numba-cuda and PyTorch: the same data, the same device, one run.

    bench/gpu_peers.py --bench PROGRAM [--device cuda] [--bars N] [--paths N] [--repeats N] [--json FILE]

PROGRAM is fmlp_bench of a build with CUDA. It writes its data and results first (a small size, to check that each peer
computes the same thing), then fmlp and peers are timed at full size: everything resident on the device, events around
each call, medians. A peer that is not installed is named as missing, never counted as beaten.

A peer is what a competent user would write: running sums and differences for sums and means, `unfold` or pooling for
extremes, one thread a row or path in numba-cuda. Their results are checked with tolerances that allow for their drift.

    --rehearse     no device: CuPy's place is taken by numpy, numba-cuda runs in its simulator, PyTorch on the host; the
                   sizes are tiny and no time means anything. It shows that the script works.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WINDOWS = (10, 20, 50, 100)
OPERATORS = ("sum", "mean", "std", "zscore", "min", "max")
SUMS = (10, 500, 5000)
HORIZONS = (32, 500, 5000)
TRADES = 1000
CAPITAL = 10000.0
CHECK_BARS, CHECK_PATHS = 200_000, 4_000
REHEARSAL_BARS, REHEARSAL_PATHS = 5_200, 60  # numba's simulator is slow
CASES = ["device/copy", *(f"rolling/sum_{w}" for w in SUMS), "rolling/features24", *(f"labels/{h}" for h in HORIZONS),
         "monte_carlo/iid"]


def run_fmlp(arguments, cases, folder, bars, paths, repeats, write):
    """Rows of fmlp_bench by case."""
    out = folder / "fmlp.json"
    command = [arguments.bench, "--device", arguments.device, "--data", folder, "--bars", bars, "--paths", paths,
               "--repeats", repeats, "--json", out, *(["--write"] if write else []), *cases]
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
    return {row["name"]: row for row in json.loads(out.read_text())}


# ---- the libraries, each as: columns to the device, and functions of case -> callable --------------------------------


class ArrayPeer:
    """CuPy, or numpy in a rehearsal."""

    def __init__(self, rehearse):
        self.name = "cupy"
        if rehearse:
            import numpy as xp
            self.xp, self.version = xp, "numpy in its place"
        else:
            import cupy as xp
            self.xp, self.version = xp, xp.__version__
        self.rehearse = rehearse

    def put(self, array):
        return self.xp.asarray(array)

    def get(self, array):
        return array if self.rehearse else self.xp.asnumpy(array)

    def time(self, function, repeats):
        if self.rehearse:
            return host_time(function, repeats)
        times = []
        for _ in range(repeats):
            begin, end = self.xp.cuda.Event(), self.xp.cuda.Event()
            begin.record()
            function()
            end.record()
            end.synchronize()
            times.append(self.xp.cuda.get_elapsed_time(begin, end) * 1e-3)
        return times

    def rolling_sum(self, x, w):
        xp = self.xp
        total = xp.cumsum(x)
        out = xp.full_like(x, math.nan)
        out[w - 1] = total[w - 1]
        out[w:] = total[w:] - total[:-w]
        return out

    def features(self, x):
        xp = self.xp
        out = []
        total, squares = xp.cumsum(x), xp.cumsum(x * x)
        for w in WINDOWS:
            def window(running):
                first = xp.zeros_like(running[:1])
                return running[w - 1:] - xp.concatenate((first, running[:-w]))
            sums = window(total)
            mean = sums / w
            std = xp.sqrt(xp.maximum(window(squares) - sums * mean, 0.0) / (w - 1))
            windows = xp.lib.stride_tricks.sliding_window_view(x, w)
            out += [sums, mean, std, (x[w - 1:] - mean) / std, windows.min(axis=1), windows.max(axis=1)]
        return out

    def labels(self, high, low, start, target, stop, last, horizon):
        xp = self.xp
        outcome = xp.zeros(len(start), xp.int8)
        exit_bar = last.copy()
        open_events = xp.arange(len(start))
        for ahead in range(1, horizon + 1):
            bar = start[open_events] + ahead
            inside = bar <= last[open_events]
            open_events, bar = open_events[inside], bar[inside]
            if len(open_events) == 0:
                break
            stopped = low[bar] <= stop[open_events]
            hit = stopped | (high[bar] >= target[open_events])
            outcome[open_events[hit]] = xp.where(stopped[hit], -1, 1).astype(xp.int8)
            exit_bar[open_events[hit]] = bar[hit]
            open_events = open_events[~hit]
        return outcome, exit_bar

    def monte_carlo(self, pnl, paths):
        xp = self.xp
        final, drawdown = xp.empty(paths), xp.empty(paths)
        step = max(1, min(paths, 200_000))
        for first in range(0, paths, step):
            count = min(step, paths - first)
            index = xp.random.randint(0, len(pnl), size=(count, TRADES))
            capital = CAPITAL + xp.cumsum(pnl[index], axis=1)
            if hasattr(xp.maximum, "accumulate"):
                try:
                    peak = xp.maximum.accumulate(xp.maximum(capital, CAPITAL), axis=1)
                except (NotImplementedError, TypeError):
                    peak = self.running_maximum(xp.maximum(capital, CAPITAL))
            else:
                peak = self.running_maximum(xp.maximum(capital, CAPITAL))
            final[first:first + count] = capital[:, -1]
            drawdown[first:first + count] = xp.maximum((peak - capital) / peak, 0.0).max(axis=1)
        return final, drawdown

    def running_maximum(self, values):
        """By doubling, where the library has no accumulate."""
        xp, shift = self.xp, 1
        while shift < values.shape[1]:
            values = xp.concatenate((values[:, :shift], xp.maximum(values[:, shift:], values[:, :-shift])), axis=1)
            shift *= 2
        return values


class TorchPeer:
    def __init__(self, rehearse):
        import torch
        self.name, self.torch, self.version = "torch", torch, torch.__version__
        self.device = "cpu" if rehearse else "cuda"
        self.rehearse = rehearse

    def put(self, array):
        return self.torch.as_tensor(array, device=self.device)

    def get(self, tensor):
        return tensor.cpu().numpy()

    def time(self, function, repeats):
        if self.rehearse:
            return host_time(function, repeats)
        times = []
        for _ in range(repeats):
            begin = self.torch.cuda.Event(enable_timing=True)
            end = self.torch.cuda.Event(enable_timing=True)
            begin.record()
            function()
            end.record()
            end.synchronize()
            times.append(begin.elapsed_time(end) * 1e-3)
        return times

    def rolling_sum(self, x, w):
        torch = self.torch
        total = torch.cumsum(x, 0)
        out = torch.full_like(x, math.nan)
        out[w - 1] = total[w - 1]
        out[w:] = total[w:] - total[:-w]
        return out

    def features(self, x):
        torch, out = self.torch, []
        total, squares = torch.cumsum(x, 0), torch.cumsum(x * x, 0)
        for w in WINDOWS:
            def window(running):
                return running[w - 1:] - torch.cat((running.new_zeros(1), running[:-w]))
            sums = window(total)
            mean = sums / w
            std = torch.sqrt(torch.clamp(window(squares) - sums * mean, min=0.0) / (w - 1))
            pool = torch.nn.functional.max_pool1d
            most = pool(x[None, None], w, stride=1)[0, 0]
            least = -pool(-x[None, None], w, stride=1)[0, 0]
            out += [sums, mean, std, (x[w - 1:] - mean) / std, least, most]
        return out

    def labels(self, high, low, start, target, stop, last, horizon):
        torch = self.torch
        outcome = torch.zeros(len(start), dtype=torch.int8, device=self.device)
        exit_bar = last.clone()
        open_events = torch.arange(len(start), device=self.device)
        for ahead in range(1, horizon + 1):
            bar = start[open_events] + ahead
            inside = bar <= last[open_events]
            open_events, bar = open_events[inside], bar[inside]
            if len(open_events) == 0:
                break
            stopped = low[bar] <= stop[open_events]
            hit = stopped | (high[bar] >= target[open_events])
            outcome[open_events[hit]] = torch.where(stopped[hit], -1, 1).to(torch.int8)
            exit_bar[open_events[hit]] = bar[hit].to(exit_bar.dtype)
            open_events = open_events[~hit]
        return outcome, exit_bar

    def monte_carlo(self, pnl, paths):
        torch = self.torch
        final = torch.empty(paths, dtype=torch.float64, device=self.device)
        drawdown = torch.empty_like(final)
        step = max(1, min(paths, 200_000))
        for first in range(0, paths, step):
            count = min(step, paths - first)
            index = torch.randint(0, len(pnl), (count, TRADES), device=self.device)
            capital = CAPITAL + torch.cumsum(pnl[index], 1)
            peak = torch.cummax(torch.clamp(capital, min=CAPITAL), 1).values
            final[first:first + count] = capital[:, -1]
            drawdown[first:first + count] = torch.clamp((peak - capital) / peak, min=0.0).amax(1)
        return final, drawdown


class NumbaPeer:
    THREADS = 256

    def __init__(self, rehearse):
        if rehearse:
            os.environ["NUMBA_ENABLE_CUDASIM"] = "1"
        global cuda  # numba's simulator looks for it among the globals of a kernel
        import numba
        import numpy as np
        from numba import cuda
        from numba.cuda.random import create_xoroshiro128p_states, xoroshiro128p_uniform_float64
        self.name, self.cuda, self.np, self.version = "numba-cuda", cuda, np, numba.__version__
        self.rehearse, self.states_of = rehearse, create_xoroshiro128p_states
        self.states = None

        @cuda.jit
        def rolling_sum(x, w, out):
            i = cuda.grid(1)
            if i < x.size:
                total = math.nan
                if i >= w - 1:
                    total = 0.0
                    for k in range(i - w + 1, i + 1):
                        total += x[k]
                out[i] = total

        @cuda.jit
        def features(x, w, out):
            i = cuda.grid(1)
            if i < x.size and i >= w - 1:
                total = 0.0
                least = most = x[i]
                for k in range(i - w + 1, i + 1):
                    total += x[k]
                    least = min(least, x[k])
                    most = max(most, x[k])
                mean = total / w
                squares = 0.0
                for k in range(i - w + 1, i + 1):
                    squares += (x[k] - mean) * (x[k] - mean)
                std = math.sqrt(squares / (w - 1))
                out[0, i] = total
                out[1, i] = mean
                out[2, i] = std
                out[3, i] = (x[i] - mean) / std if std > 0.0 else math.nan
                out[4, i] = least
                out[5, i] = most

        @cuda.jit
        def labels(high, low, start, target, stop, last, outcome, exit_bar):
            e = cuda.grid(1)
            if e < start.size:
                outcome[e] = 0
                exit_bar[e] = last[e]
                for bar in range(start[e] + 1, last[e] + 1):
                    if low[bar] <= stop[e]:
                        outcome[e] = -1
                        exit_bar[e] = bar
                        break
                    if high[bar] >= target[e]:
                        outcome[e] = 1
                        exit_bar[e] = bar
                        break

        @cuda.jit
        def monte_carlo(states, pnl, final, drawdown):
            p = cuda.grid(1)
            if p < final.size:
                capital = peak = CAPITAL
                worst = 0.0
                for _ in range(TRADES):
                    trade = int(xoroshiro128p_uniform_float64(states, p) * pnl.size)
                    capital += pnl[min(trade, pnl.size - 1)]
                    peak = max(peak, capital)
                    worst = max(worst, (peak - capital) / peak)
                final[p] = capital
                drawdown[p] = worst

        self.kernels = {"sum": rolling_sum, "features": features, "labels": labels, "monte_carlo": monte_carlo}

    def launch(self, name, count, *arguments):
        self.kernels[name][(count + self.THREADS - 1) // self.THREADS, self.THREADS](*arguments)

    def put(self, array):
        return self.cuda.to_device(array)

    def get(self, array):
        return array.copy_to_host()

    def time(self, function, repeats):
        if self.rehearse:
            return host_time(function, repeats)
        times = []
        for _ in range(repeats):
            begin, end = self.cuda.event(), self.cuda.event()
            begin.record()
            function()
            end.record()
            end.synchronize()
            times.append(self.cuda.event_elapsed_time(begin, end) * 1e-3)
        return times

    def rolling_sum(self, x, w):
        out = self.cuda.device_array(x.size, self.np.float64)
        self.launch("sum", x.size, x, w, out)
        return out

    def features(self, x):
        outs = [self.cuda.device_array((6, x.size), self.np.float64) for _ in WINDOWS]
        for w, out in zip(WINDOWS, outs):
            self.launch("features", x.size, x, w, out)
        return [(w, out) for w, out in zip(WINDOWS, outs)]

    def labels(self, high, low, start, target, stop, last, horizon):
        outcome = self.cuda.device_array(start.size, self.np.int8)
        exit_bar = self.cuda.device_array(start.size, self.np.int32)
        self.launch("labels", start.size, high, low, start, target, stop, last, outcome, exit_bar)
        return outcome, exit_bar

    def monte_carlo(self, pnl, paths):
        if self.states is None or len(self.states) < paths:
            self.states = self.states_of(paths, seed=1)
        final = self.cuda.device_array(paths, self.np.float64)
        drawdown = self.cuda.device_array(paths, self.np.float64)
        self.launch("monte_carlo", paths, self.states, pnl, final, drawdown)
        return final, drawdown


def host_time(function, repeats):
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return times


# ---- checks and timing -----------------------------------------------------------------------------------------------


def column(folder, name):
    import numpy as np
    return np.load(folder / f"{name}.npy")


def agrees(np, ours, theirs, what, absolute=1e-7):
    close = np.isclose(ours, theirs, rtol=1e-3, atol=absolute)
    if not close.mean() > 0.999:
        raise AssertionError(f"{what}: {close.mean():.4f} of the values agree")


def barrier_inputs(peer, folder, horizon):
    return [peer.put(column(folder, f"labels_{horizon}_{name}"))
            for name in ("high", "low", "start", "target", "stop", "last")]


def check(peer, folder, paths):
    """Each case of a peer against fmlp's results in `folder`."""
    import numpy as np
    for w in SUMS:
        x = peer.put(column(folder, f"rolling_sum_{w}_x"))
        agrees(np, column(folder, f"rolling_sum_{w}_sum_{w}")[w:], peer.get(peer.rolling_sum(x, w))[w:], f"sum {w}")
    results = peer.features(peer.put(column(folder, "rolling_features24_x")))
    for n, w in enumerate(WINDOWS):
        for k, operator in enumerate(OPERATORS):
            ours = column(folder, f"rolling_features24_{operator}_{w}")
            theirs = peer.get(results[n][1])[k] if peer.name == "numba-cuda" else peer.get(results[6 * n + k])
            tail = len(theirs) - w
            agrees(np, ours[-tail:], theirs[-tail:], f"{operator} {w}", 1e-2 if operator == "zscore" else 1e-6)
    for horizon in HORIZONS:
        outcome, exit_bar = peer.labels(*barrier_inputs(peer, folder, horizon), horizon)
        assert (peer.get(outcome) == column(folder, f"labels_{horizon}_outcome")).all(), f"labels {horizon}"
        assert (peer.get(exit_bar) == column(folder, f"labels_{horizon}_exit")).all(), f"labels {horizon}, exits"
    theirs = peer.monte_carlo(peer.put(column(folder, "monte_carlo_iid_pnl")), paths)
    for name, values in zip(("final", "drawdown"), theirs):
        ours, values = column(folder, f"monte_carlo_iid_{name}"), peer.get(values)
        error = math.hypot(ours.std(), values.std()) / math.sqrt(paths)
        assert abs(ours.mean() - values.mean()) < 5 * error, f"Monte Carlo, {name}"


def time_peer(peer, folder, paths, repeats, missing):
    """Yields (case, seconds) medians; a case that fails is named in `missing`."""
    def sums(w):
        x = peer.put(column(folder, f"rolling_sum_{w}_x"))
        return lambda: peer.rolling_sum(x, w)

    def features():
        x = peer.put(column(folder, "rolling_features24_x"))
        return lambda: peer.features(x)

    def labels(horizon):
        inputs = barrier_inputs(peer, folder, horizon)
        return lambda: peer.labels(*inputs, horizon)

    def monte_carlo():
        pnl = peer.put(column(folder, "monte_carlo_iid_pnl"))
        return lambda: peer.monte_carlo(pnl, paths)

    cases = {**{f"rolling/sum_{w}": lambda w=w: sums(w) for w in SUMS}, "rolling/features24": features,
             **{f"labels/{h}": lambda h=h: labels(h) for h in HORIZONS}, "monte_carlo/iid": monte_carlo}
    for case, make in cases.items():
        try:
            yield case, median_of(peer, make(), repeats)
        except Exception as error:
            missing[f"{peer.name} {case}"] = f"{type(error).__name__}: {error}"
            print(f"{case:22} {peer.name:11} not timed: {missing[f'{peer.name} {case}']}", flush=True)


def median_of(peer, function, repeats):
    function()  # compiles, allocates
    first = peer.time(function, 1)[0]
    repeats = max(1, min(repeats, int(20.0 / max(first, 1e-6))))  # at most about 20 s a case
    return statistics.median(peer.time(function, repeats))


def bench(arguments):
    kinds = {"cupy": ArrayPeer, "torch": TorchPeer, "numba-cuda": NumbaPeer}
    with tempfile.TemporaryDirectory(dir=arguments.data) as scratch:
        folder = Path(scratch)
        bars = min(arguments.bars, CHECK_BARS)
        check_paths = min(arguments.paths, CHECK_PATHS)
        run_fmlp(arguments, CASES, folder, bars, check_paths, 1, True)
        peers, missing = [], {}
        for name, kind in kinds.items():
            try:
                peer = kind(arguments.rehearse)
                check(peer, folder, check_paths)
                peers.append(peer)
            except Exception as error:  # a peer that fails must not end a run on a lent machine
                missing[name] = f"{type(error).__name__}: {error}"
                print(f"{name}: not compared: {missing[name]}", flush=True)
        ours = run_fmlp(arguments, CASES, folder, arguments.bars, arguments.paths, arguments.repeats, True)
        rows = []
        for peer in peers:
            for case, seconds in time_peer(peer, folder, arguments.paths, arguments.repeats, missing):
                row = {"case": case, "peer": peer.name, "version": peer.version, "peer_seconds": seconds,
                       "fmlp_seconds": ours[case]["median_seconds"], "items": ours[case]["items"]}
                row["ratio"] = seconds / row["fmlp_seconds"]
                rows.append(row)
                print(f"{case:22} {peer.name:11} fmlp {row['fmlp_seconds'] * 1e3:10.3f} ms   peer {seconds * 1e3:10.3f} ms"
                      f"   {row['ratio']:8.2f}{'' if row['ratio'] > 1 else '  SLOWER THAN THE PEER'}", flush=True)
        return {"rehearsal": arguments.rehearse, "bars": arguments.bars, "paths": arguments.paths, "trades": TRADES,
                "fmlp": list(ours.values()), "peers": rows, "not_compared": missing}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--bench", required=True, type=Path, help="fmlp_bench of a build with CUDA")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--bars", type=int, default=1 << 25)
    parser.add_argument("--paths", type=int, default=1 << 21)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--data", type=Path, default=None, help="folder for the data in between")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rehearse", action="store_true")
    arguments = parser.parse_args()
    if arguments.data:
        arguments.data.mkdir(parents=True, exist_ok=True)
    if arguments.rehearse:
        arguments.bars, arguments.paths = REHEARSAL_BARS, REHEARSAL_PATHS
    results = bench(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
